using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Engagements;
using NodaTime;
using static AgencyPlatform.Domain.Engagements.EngagementState;

namespace AgencyPlatform.Life.Tests.Model;

internal sealed class ModelApproved(string cmo, LocalDate date, int minutes, bool billable, bool paid)
{
    public string Cmo { get; } = cmo;
    public LocalDate Date { get; } = date;
    public int Minutes { get; } = minutes;
    public bool Billable { get; } = billable;
    public bool Paid { get; } = paid;
    public List<(string Grant, int Minutes)> Drawn { get; } = [];
    public int Overage { get; set; }
    public int Parked { get; set; }
    public int Charged { get; set; }
    public Guid? Dispute { get; set; }
    public HashSet<Guid> Disputes { get; } = [];

    /// <summary>Whether anything was posted for it: its cost, or what is charged.</summary>
    public bool Posted { get; set; }

    public int DrawnMinutes => Drawn.Sum(d => d.Minutes);

    public override string ToString() => $"drawn {DrawnMinutes} overage {Overage} parked {Parked} charged {Charged}";
}

/// <summary>Terms, periods, grants and what is drawn of them (domain §4, docs/time-and-meter.md). Everything is counted day by day.</summary>
internal sealed partial class ModelEngagement
{
    private readonly SortedDictionary<LocalDate, ModelTerms> _agreed = [];
    private readonly List<(string Id, int Minutes, LocalDate From, LocalDate Until, int Priority)> _carried = [];
    private readonly Dictionary<string, int> _carriedOut = [];
    private readonly Dictionary<string, int> _drawn = [];
    private readonly Dictionary<LocalDate, int> _thresholds = [];
    private LocalDate? _meterAt;

    private readonly record struct Period(LocalDate Start, LocalDate End, int FullDays)
    {
        public int Days => NodaTime.Period.DaysBetween(Start, End);
        public string Included => $"included-{Start:uuuu-MM-dd}";
        public bool Contains(LocalDate date) => date >= Start && date < End;
    }

    private readonly record struct Grant(string Id, int Minutes, LocalDate From, LocalDate Until, int Priority, bool IsIncluded);

    public SortedDictionary<string, ModelApproved> Approved { get; } = new(StringComparer.Ordinal);
    public Dictionary<string, ModelApproved> Reversed { get; } = [];

    public bool HasMeter => Plan.Terms.Retainer;

    /// <summary>The terms in force on a date: as agreed, at rest while paused, a share while tapering off.</summary>
    private ModelTerms TermsOn(LocalDate date)
    {
        if (Taper is { } taper && date >= taper[0].From)
        {
            var step = taper.Last(t => t.From <= date);
            return AgreedOn(taper[0].From).Share(step.Percent, step.Percent);
        }

        return Pauses.FirstOrDefault(p => p.Covers(date)) is { } pause ? AgreedOn(date).Share(pause.FeePercent, 0) : AgreedOn(date);
    }

    private ModelTerms AgreedOn(LocalDate date) => _agreed.LastOrDefault(t => t.Key <= date).Value ?? _agreed.First().Value;

    /// <summary>The most that a month costs from a date on; null where that is not stated.</summary>
    private long? HighestMonthlyFrom(LocalDate date)
    {
        var changes = _agreed.Keys.Concat(Pauses.Select(p => p.Start)).Concat(Pauses.Select(p => p.End).OfType<LocalDate>()).Concat((Taper ?? []).Select(t => t.From));
        var months = changes.Where(d => d > date).Prepend(date).Select(d => TermsOn(d).Monthly(Plan.CycleMonths)).ToList();
        return months.Any(m => m is null) ? null : months.Max();
    }

    public Verdict Draw(string entry, string cmo, LocalDate date, int minutes, bool billable, bool paid)
    {
        if (Approved.ContainsKey(entry) || Reversed.ContainsKey(entry))
        {
            return Verdict.Nothing;
        }

        if (RefusesTime(cmo, date) is { } refused)
        {
            return Verdict.No(refused);
        }

        var terms = TermsOn(date);
        var drawn = new ModelApproved(cmo, date, minutes, billable, paid);
        var events = new List<string> { "engagement.time-drawn" };
        if (billable && !terms.Retainer)
        {
            drawn.Charged = minutes;
        }
        else if (billable)
        {
            var left = minutes;
            foreach (var grant in GrantsOn(date))
            {
                if (Math.Min(left, LeftOf(grant)) is > 0 and var taken)
                {
                    drawn.Drawn.Add((grant.Id, taken));
                    left -= taken;
                }
            }

            if (left > 0 && terms.Gate == OverageGate.Block)
            {
                return Verdict.No("METER_EXHAUSTED");
            }

            (drawn.Parked, drawn.Overage) = terms.Gate == OverageGate.Consent ? (left, 0) : (0, left);
        }

        var reached = 0;
        var period = PeriodOf(date);
        if (drawn.DrawnMinutes > 0)
        {
            // Of what is drawable in the period: drawn by its entries, and what is left to them.
            var used = (long)drawn.DrawnMinutes + Approved.Values.Where(a => period.Contains(a.Date)).Sum(a => a.DrawnMinutes);
            var still = GrantsOn(date).Sum(LeftOf) - drawn.DrawnMinutes;
            var before = _thresholds.GetValueOrDefault(period.Start);
            foreach (var percent in new[] { 50, 75, 90, 100 }.Where(p => p > before && 100 * used >= p * (used + still)))
            {
                reached = percent;
                events.Add("engagement.threshold-reached");
            }

            if (still == 0 && before < 100)
            {
                events.Add("engagement.meter-exhausted");
            }
        }

        drawn.Posted = paid || drawn.Charged > 0 || drawn.Overage > 0;
        if (drawn.Posted)
        {
            events.Add("engagement.time-posted");
        }

        return Verdict.Yes(
            () =>
            {
                Approved[entry] = drawn;
                foreach (var (grant, taken) in drawn.Drawn)
                {
                    _drawn[grant] = _drawn.GetValueOrDefault(grant) + taken;
                }

                if (reached > 0)
                {
                    _thresholds[period.Start] = reached;
                }
            },
            events);
    }

    /// <summary>Parked minutes become overage, oldest entry first; what is disputed waits.</summary>
    public Verdict Consent(int minutes)
    {
        var waiting = Approved.Where(a => a.Value.Parked > 0 && a.Value.Dispute is null).OrderBy(a => a.Value.Date).ThenBy(a => a.Key, StringComparer.Ordinal).Select(a => a.Value).ToList();
        if (!Exists || minutes > waiting.Sum(a => a.Parked))
        {
            return Verdict.No(Exists ? "CONSENT_EXCEEDS_PARKED" : "NOT_FOUND");
        }

        var (left, consented) = (minutes, new List<(ModelApproved Entry, int Minutes)>());
        foreach (var entry in waiting.TakeWhile(_ => left > 0))
        {
            consented.Add((entry, Math.Min(left, entry.Parked)));
            left -= consented[^1].Minutes;
        }

        return Verdict.Yes(
            () => consented.ForEach(c => (c.Entry.Parked, c.Entry.Overage, c.Entry.Posted) = (c.Entry.Parked - c.Minutes, c.Entry.Overage + c.Minutes, true)),
            consented.Select(_ => "engagement.time-posted").Prepend("engagement.overage-consented"));
    }

    /// <summary>Gives a drawn entry's minutes back to their grants.</summary>
    public Verdict Reverse(string entry) =>
        Reversed.ContainsKey(entry) ? Verdict.Nothing
        : !Approved.TryGetValue(entry, out var approved) ? Verdict.No("NOT_FOUND")
        : Verdict.Yes(
            () =>
            {
                Approved.Remove(entry);
                Reversed[entry] = approved;
                foreach (var (grant, minutes) in approved.Drawn)
                {
                    _drawn[grant] -= minutes;
                }
            },
            approved.Posted ? ["engagement.time-reversed", "engagement.time-posted"] : ["engagement.time-reversed"]);

    public Verdict Dispute(string entry, Guid dispute) =>
        !Approved.TryGetValue(entry, out var approved) || approved.Disputes.Contains(dispute) ? Verdict.Nothing
        : Verdict.Yes(
            () =>
            {
                approved.Dispute = dispute;
                approved.Disputes.Add(dispute);
            },
            "engagement.time-disputed");

    public Verdict EndDispute(string entry, Guid dispute) =>
        Approved.TryGetValue(entry, out var approved) && approved.Dispute == dispute
            ? Verdict.Yes(() => approved.Dispute = null, "engagement.time-dispute-ended")
            : Verdict.Nothing;

    public int Consentable => Approved.Values.Where(a => a.Dispute is null).Sum(a => a.Parked);

    /// <summary>The meter on a date, as it is told.</summary>
    public string Meter(LocalDate date)
    {
        if (!Serves(date))
        {
            return $"none, parked in all {Consentable}";
        }

        var grants = TermsOn(date).Retainer ? GrantsOn(date) : [];
        var period = PeriodOf(date);
        var entries = Approved.Values.Where(a => period.Contains(a.Date)).ToList();
        return $"[{period.Start:uuuu-MM-dd}, {period.End:uuuu-MM-dd}) {string.Join(" ", grants.Select(g => $"{g.Id}:{_drawn.GetValueOrDefault(g.Id)}/{LeftOf(g)}"))} "
            + $"left {grants.Sum(LeftOf)} overage {entries.Sum(e => e.Overage)} parked {entries.Sum(e => e.Parked)} charged {entries.Sum(e => e.Charged)} parked in all {Consentable}";
    }

    public bool Serves(LocalDate date) => date >= Plan.Start && !(date >= End);

    // ---- what time alone does ----

    private IEnumerable<(Instant At, Verdict Does)> DueOfMeter()
    {
        if (State is not (Active or Paused or Transitioning or Ended) || !HasMeter || _meterAt >= End)
        {
            yield break;
        }

        var date = _meterAt is { } at ? PeriodOf(at).End : Plan.Start;
        yield return (agency.StartOf(Zone, date), MoveMeter(date));
    }

    private Verdict MoveMeter(LocalDate date)
    {
        var events = new List<string>();
        List<(string From, int Minutes)> moved = [];
        (string, int, LocalDate, LocalDate, int)? carry = null;
        if (_meterAt is { } opened)
        {
            var period = PeriodOf(opened);
            var lastDay = date.PlusDays(-1);
            var grants = GrantsOn(lastDay).ToList();
            if (TermsOn(lastDay).Rollover is { } rule && (period.Days == period.FullDays || rule.FromProrated) && Serves(date))
            {
                var room = rule.CapMinutes;
                if (rule.MaxCarriedMinutes is { } most)
                {
                    room = Math.Clamp(most - grants.Where(g => !g.IsIncluded && g.From <= date && date < g.Until).Sum(LeftOf), 0, room);
                }

                foreach (var source in grants.Where(g => g.Until == date && (g.IsIncluded || rule.CarriesAgain)).OrderByDescending(g => g.IsIncluded))
                {
                    if (Math.Min(room, LeftOf(source)) is > 0 and var minutes)
                    {
                        moved.Add((source.Id, minutes));
                        room -= minutes;
                    }
                }

                if (moved.Count > 0)
                {
                    var until = date;
                    for (var n = 0; n < rule.Periods && Serves(until); n++)
                    {
                        until = PeriodOf(until).End;
                    }

                    carry = ($"carried-{date:uuuu-MM-dd}", moved.Sum(m => m.Minutes), date, until, rule.Priority);
                    events.Add("engagement.minutes-carried");
                }
            }

            // With the engagement all carries end.
            var over = _carried.Select(c => (c.Id, c.Until, Left: LeftOf(new Grant(c.Id, HeldBy(c.Id, c.Minutes), c.From, c.Until, c.Priority, false))))
                .Prepend((period.Included, date, LeftOf(grants.First(g => g.IsIncluded))));
            events.AddRange(over.Where(g => g.Item2 > opened && (g.Item2 <= date || !Serves(date)) && g.Item3 - moved.Where(m => m.From == g.Item1).Sum(m => m.Minutes) > 0)
                .Select(_ => "engagement.grant-expired"));
        }

        events.Add(Serves(date) ? "engagement.period-opened" : "engagement.meter-ended");
        return Verdict.Yes(
            () =>
            {
                _meterAt = date;
                if (carry is { } carried)
                {
                    _carried.Add(carried);
                }

                foreach (var (grant, minutes) in moved)
                {
                    _carriedOut[grant] = _carriedOut.GetValueOrDefault(grant) + minutes;
                }
            },
            events);
    }

    /// <summary>What an entry of a date may draw on, in burn order: lowest priority, soonest expiry, earliest grant.</summary>
    private List<Grant> GrantsOn(LocalDate date)
    {
        var period = PeriodOf(date);
        var included = $"included-{period.Start:uuuu-MM-dd}";
        var minuteDays = 0L;
        for (var day = period.Start; day < period.End; day = day.PlusDays(1))
        {
            minuteDays += TermsOn(day).Included;
        }

        var gives = Whole.HalfUp(minuteDays, period.FullDays) - _carriedOut.GetValueOrDefault(included);
        List<Grant> grants = [new Grant(included, Math.Max(gives, _drawn.GetValueOrDefault(included)), period.Start, period.End, 20, true)];
        foreach (var (id, minutes, from, until, priority) in _carried)
        {
            var holds = HeldBy(id, minutes);
            if (from <= date && date < until)
            {
                grants.Add(new Grant(id, holds, from, until, priority, false));
            }
            else if (from == period.End)
            {
                // The carry that came from a closed period comes right behind what it did not carry.
                grants.Add(new Grant(id, holds, period.Start, until, 20, false));
            }
        }

        return [.. grants.OrderBy(g => g.Priority).ThenBy(g => g.Until).ThenBy(g => g.From).ThenBy(g => g.Id, StringComparer.Ordinal)];
    }

    /// <summary>What a carry holds, without what was carried on out of it.</summary>
    private int HeldBy(string carry, int minutes) => _carriedOut.TryGetValue(carry, out var moved) ? Math.Max(minutes - moved, _drawn.GetValueOrDefault(carry)) : minutes;

    private (string Id, int Minutes) IncludedOn(LocalDate date)
    {
        var included = Serves(date) && HasMeter ? GrantsOn(date).First(g => g.IsIncluded) : default;
        return (included.Id ?? "", included.Minutes);
    }

    // ---- what a move does to it ----

    private IEnumerable<KeyValuePair<string, ModelApproved>> Parked() =>
        Approved.Where(a => a.Value.Parked > 0 && a.Value.Dispute is null).OrderBy(a => a.Value.Date).ThenBy(a => a.Key, StringComparer.Ordinal);

    /// <summary>What the included minutes grew by serves parked time, oldest entry first.</summary>
    /// <param name="before">The included grant of each parked entry's period before the move.</param>
    private string[] Served(Dictionary<string, (string Id, int Minutes)> before)
    {
        var given = new Dictionary<string, int>();
        var after = before.Keys.ToDictionary(key => key, key => IncludedOn(Approved[key].Date));
        foreach (var (key, entry) in Parked().ToList())
        {
            var (id, minutes) = after[key];
            var room = minutes - before[key].Minutes - given.GetValueOrDefault(id);
            if (id.Length > 0 && before[key].Id == id && Math.Min(room, entry.Parked) is > 0 and var served)
            {
                entry.Drawn.Add((id, served));
                entry.Parked -= served;
                _drawn[id] = _drawn.GetValueOrDefault(id) + served;
                given[id] = given.GetValueOrDefault(id) + served;
            }
        }

        return given.Count > 0 ? ["engagement.parked-served"] : [];
    }

    /// <summary>What the open period's smaller grant lets be reached.</summary>
    private List<string> ReachedNow()
    {
        var events = new List<string>();
        if (_meterAt is not { } open || !Serves(open) || !TermsOn(open).Retainer)
        {
            return events;
        }

        var period = PeriodOf(open);
        var (used, left, before) = (Approved.Values.Where(a => period.Contains(a.Date)).Sum(a => a.DrawnMinutes), GrantsOn(open).Sum(LeftOf), _thresholds.GetValueOrDefault(period.Start));
        foreach (var percent in new[] { 50, 75, 90, 100 }.Where(p => used > 0 && p > before && 100L * used >= (long)p * (used + left)))
        {
            _thresholds[period.Start] = percent;
            events.Add("engagement.threshold-reached");
        }

        if (used > 0 && left == 0 && before < 100)
        {
            events.Add("engagement.meter-exhausted");
        }

        return events;
    }

    private int LeftOf(Grant grant) => Math.Max(0, grant.Minutes - _drawn.GetValueOrDefault(grant.Id));

    private Period PeriodOf(LocalDate date)
    {
        var month = new YearMonth(Plan.Start.Year, Plan.Start.Month);
        var first = BillDay(month) >= Plan.Start ? month : month.PlusMonths(1);
        var (from, until) = (BillDay(first.PlusMonths(-Plan.CycleMonths)), BillDay(first));
        for (var n = 1; until <= date; n++)
        {
            (from, until) = (until, BillDay(first.PlusMonths(n * Plan.CycleMonths)));
        }

        return new Period(
            LocalDate.Max(from, Plan.Start), End is { } end && end < until ? end : until, NodaTime.Period.DaysBetween(from, until));
    }

    private LocalDate BillDay(YearMonth month) => month.OnDayOfMonth(Math.Min(Plan.CycleDay, CalendarSystem.Iso.GetDaysInMonth(month.Year, month.Month)));
}
