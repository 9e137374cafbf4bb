using System.Collections.Immutable;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Time;
using NodaTime;

namespace AgencyPlatform.Domain.Engagements;

/// <summary>The engagement's meter: which grants there are, what time alone does to them, and the client's consent to overage. Source: domain §4.</summary>
public sealed partial record Engagement
{
    private static readonly ImmutableArray<int> s_thresholds = [50, 75, 90, 100];

    /// <summary>
    /// The meter as it is for entries of a date: the period's included minutes and the carries alive on the date. Of a closed period, what did not
    /// carry and, right behind it, the carry that came from it.
    /// </summary>
    public Meter MeterOn(LocalDate date)
    {
        if (!Service.Contains(date) || !TermsOn(date).HasMeter)
        {
            return new Meter([], Time.Drawn);
        }

        var period = PeriodOn(date);
        var included = Included(period, date);
        return new Meter(
            [
                included,
                .. Carries().Where(g => g.IsAliveOn(date)),
                .. Carries().Where(g => g.EffectiveAt == period.Dates.End && g.ExpiresAt > g.EffectiveAt).Select(g => g with { EffectiveAt = included.EffectiveAt, Priority = included.Priority }),
                .. (Time.Blocks ?? []).Select(b => Kept(b.Grant)).Where(g => g.IsAliveOn(date)),
            ],
            Time.Drawn);
    }

    /// <summary>Parked minutes of every period: what a consent may name at most.</summary>
    public int Consentable() => Time.Approved.Values.Sum(a => a.Consentable);

    /// <summary>The meter on a date, for people.</summary>
    public MeterView MeterView(LocalDate date)
    {
        var parked = Consentable();
        if (!Service.Contains(date))
        {
            return new MeterView(Id, date, null, [], 0, 0, 0, 0, parked);
        }

        var meter = MeterOn(date);
        var period = PeriodOn(date).Dates;
        var approved = Time.Approved.Values.Where(a => period.Contains(a.Date)).Select(a => a.Parts).ToList();
        return new MeterView(
            Id, date, period, [.. meter.BurnOrder(date).Select(g => new GrantLeft(g, Time.Drawn.GetValueOrDefault(g.Id), meter.Remaining(g)))], meter.RemainingOn(date),
            approved.Sum(p => p.Overage), approved.Sum(p => p.Parked), approved.Sum(p => p.Charged), parked);
    }

    /// <summary>The client consents: parked minutes become overage, oldest entry first, and are charged at the overage rate of their dates.</summary>
    public Decision Consent(ConsentToOverage command)
    {
        if (!Exists)
        {
            return Rejection.NotFound(Kind, "");
        }

        var parked = Consentable();
        if (command.Minutes > parked)
        {
            return Rejection.Rule(
                Reasons.ConsentExceedsParked, $"{command.Minutes} minutes are consented to, and {parked} wait for a consent: consent to those.",
                ("minutes", Text(command.Minutes)), ("parked_minutes", Text(parked)));
        }

        var (left, entries, postings, state) = (command.Minutes, ImmutableArray.CreateBuilder<ConsentedEntry>(), ImmutableArray.CreateBuilder<IEvent>(), this);
        foreach (var (key, entry) in Time.Approved.Where(a => a.Value.Consentable > 0).OrderBy(a => a.Value.Date).ThenBy(a => a.Key))
        {
            if (Math.Min(left, entry.Parts.Parked) is not (> 0 and var minutes))
            {
                break;
            }

            left -= minutes;
            entries.Add(new ConsentedEntry(key, minutes));
            var accrued = new Accrued(state, entry.Cmo);
            AddOverage(accrued, entry.Date, minutes, TermsOn(entry.Date));
            if (accrued.Posted(key, TermsOn(entry.Date).Seller, entry.Date) is { } posted)
            {
                // The next entry of the same key is rounded after this one.
                postings.Add(posted);
                state = state.Apply(posted);
            }
        }

        return Decision.Accept(postings.ToImmutable().Insert(0, new OverageConsented(command.Minutes, command.Note, entries.ToImmutable())));
    }

    /// <summary>What the newest consent came to.</summary>
    public ConsentResult LastConsent() => new(Time.LastConsent, Time.Approved.Values.Sum(a => a.Consentable));

    /// <summary>
    /// What a move's larger included minutes give to entries that are parked: no more than they grew by, oldest entry first. What is disputed waits, and so
    /// does an entry that a reversal of another has made room for.
    /// </summary>
    private ImmutableArray<IEvent> ServedAfter(Engagement moved)
    {
        var entries = ImmutableArray.CreateBuilder<ServedEntry>();
        foreach (var (key, entry) in moved.Time.Approved.Where(a => a.Value.Consentable > 0).OrderBy(a => a.Value.Date).ThenBy(a => a.Key))
        {
            if (!TermsOn(entry.Date).HasMeter || !moved.Service.Contains(entry.Date))
            {
                continue;
            }

            var (was, now) = (Included(PeriodOn(entry.Date), entry.Date), moved.Included(moved.PeriodOn(entry.Date), entry.Date));
            var room = now.Minutes - (was.Id == now.Id ? was.Minutes : 0) - entries.Where(s => s.Draw.Grant == now.Id).Sum(s => s.Draw.Minutes);
            if (Math.Min(room, entry.Parts.Parked) is > 0 and var minutes)
            {
                entries.Add(new ServedEntry(key, new GrantDraw(now.Id, minutes)));
            }
        }

        return entries.Count == 0 ? [] : [new ParkedServed(entries.ToImmutable())];
    }

    /// <summary>The thresholds that a move's smaller grant of the open period lets be reached.</summary>
    private ImmutableArray<IEvent> ReachedNow() =>
        Time.MeterAt is { } open && Service.Contains(open) && TermsOn(open).HasMeter ? Reached(open, 0, MeterOn(open).RemainingOn(open)) : [];

    // ---- what time alone does ----

    /// <summary>When the next period begins, or the last one ends; null when no more will.</summary>
    private Instant? NextOfMeter =>
        State is EngagementState.Active or EngagementState.Paused or EngagementState.Transitioning or EngagementState.Ended && Terms.Any(t => t.HasMeter)
            && NextDateOfMeter is { } date
            ? DateTimeZoneProviders.Tzdb[Time.TimeZone ?? "UTC"].AtStartOfDay(date).ToInstant()
            : null;

    private LocalDate? NextDateOfMeter =>
        Time.MeterAt is not { } at ? Plan.Start
        : End is { } end && at >= end ? null
        : PeriodOn(at).Dates.End;

    /// <summary>Closes the period that ends, with what it carries and what is lost, and opens the one that begins.</summary>
    private ImmutableArray<IEvent> MoveMeter()
    {
        var date = NextDateOfMeter!.Value;
        var events = ImmutableArray.CreateBuilder<IEvent>();
        if (Time.MeterAt is { } opened)
        {
            Close(PeriodOn(opened), date, events);
        }

        if (End is { } end && date >= end)
        {
            events.Add(new MeterEnded(date));
            return events.ToImmutable();
        }

        var period = PeriodOn(date);
        var included = Included(period, date);
        events.Add(new PeriodOpened(date, period.Dates.End!.Value, included.Id, included.Minutes));
        return events.ToImmutable();
    }

    private void Close(BillPeriod period, LocalDate date, ImmutableArray<IEvent>.Builder events)
    {
        var lastDay = date.PlusDays(-1);
        var meter = MeterOn(lastDay);
        var carry = CarryOf(period, date, meter);
        if (carry is not null)
        {
            events.Add(carry);
        }

        // A carry may end within a period, when bill days or the end changed since it was made; with the engagement all end.
        foreach (var grant in Carries().Prepend(Included(period, lastDay)).Where(g => g.ExpiresAt > Time.MeterAt && (g.ExpiresAt <= date || date >= End)))
        {
            var left = meter.Remaining(grant) - (carry?.From.Where(f => f.Grant == grant.Id).Sum(f => f.Minutes) ?? 0);
            if (left > 0)
            {
                events.Add(new GrantExpired(grant.Id, left));
            }
        }
    }

    /// <summary>carried = min(remaining included, cap), as far as all carries alive together may hold it.</summary>
    private MinutesCarried? CarryOf(BillPeriod period, LocalDate date, Meter meter)
    {
        if (TermsOn(date.PlusDays(-1)) is not RetainerTerms { Rollover: { } rule } || (!period.IsWhole && !rule.FromProrated)
            || !Service.Contains(date) || !TermsOn(date).HasMeter)
        {
            return null;
        }

        // The included minutes first, then what the carries that end here have left.
        var sources = meter.Grants.Where(g => g.ExpiresAt == date && (g.Origin == GrantOrigin.Included || (g.Origin == GrantOrigin.Carried && rule.CarriesAgain))).OrderByDescending(g => g.Origin == GrantOrigin.Included);
        var room = rule.CapMinutes;
        if (rule.MaxCarriedMinutes is { } most)
        {
            room = Math.Clamp(most - meter.Grants.Where(g => g.Origin == GrantOrigin.Carried && g.IsAliveOn(date)).Sum(meter.Remaining), 0, room);
        }

        var from = ImmutableArray.CreateBuilder<GrantDraw>();
        foreach (var source in sources)
        {
            if (Math.Min(room, meter.Remaining(source)) is > 0 and var minutes)
            {
                from.Add(new GrantDraw(source.Id, minutes));
                room -= minutes;
            }
        }

        return from.Count == 0 ? null : new MinutesCarried(
            from.ToImmutable(),
            new Grant(
                new GrantId("carried-" + Text(date)), from.Sum(f => f.Minutes), date,
                BillPeriods.Of(Terms, Service).SkipWhile(p => p.Dates.Start < date).Take(rule.Periods).Last().Dates.End, rule.Priority, GrantOrigin.Carried));
    }

    /// <summary>Each threshold of a date's period that is reached for the first time, and whether nothing is left.</summary>
    /// <param name="drawn">Minutes that are being drawn.</param>
    /// <param name="left">Minutes that an entry of the date could draw then.</param>
    private ImmutableArray<IEvent> Reached(LocalDate date, int drawn, int left)
    {
        var period = PeriodOn(date).Dates;
        var used = drawn + Time.Approved.Values.Where(a => period.Contains(a.Date)).Sum(a => a.Parts.DrawnMinutes());
        var reached = Time.Thresholds.GetValueOrDefault(period.Start);
        return used == 0
            ? []
            :
            [
                .. s_thresholds.Where(t => t > reached && used * 100L >= (long)t * (used + left)).Select(IEvent (t) => new ThresholdReached(period.Start, t, used, used + left)),
                .. left == 0 && reached < 100 ? [new MeterExhausted(period.Start, used)] : ReadOnlySpan<IEvent>.Empty,
            ];
    }

    /// <summary>
    /// A period's included grant. It is not stored: it follows from the terms and the days served (so that an earlier end prorates it), without what was
    /// carried out of it, and is never below what is drawn of it.
    /// </summary>
    private Grant Included(BillPeriod period, LocalDate date)
    {
        var id = new GrantId("included-" + Text(period.Dates.Start));
        var gives = TermsOn(date) is RetainerTerms ? IncludedMinutes(period) : 0;
        return new Grant(
            id, Math.Max(gives - Time.CarriedOut.GetValueOrDefault(id), Time.Drawn.GetValueOrDefault(id)), period.Dates.Start, period.Dates.End, Grant.IncludedPriority,
            GrantOrigin.Included);
    }

    /// <summary>What the terms of each of a period's days include, prorated by days and rounded half up once.</summary>
    private int IncludedMinutes(BillPeriod period)
    {
        var minuteDays = System.Numerics.BigInteger.Zero;
        for (var i = 0; i < Terms.Length; i++)
        {
            // The first terms hold from the start, whatever day they name.
            var dates = new DateRange(LocalDate.Max(MeterStarts, i == 0 ? Plan.Start : Terms[i].EffectiveFrom), i + 1 < Terms.Length ? Terms[i + 1].EffectiveFrom : null);
            if (Terms[i] is RetainerTerms retainer && !(dates.End <= dates.Start) && period.Dates.Intersect(dates) is { } within)
            {
                minuteDays += (System.Numerics.BigInteger)retainer.IncludedMinutes * NodaTime.Period.DaysBetween(within.Start, within.End!.Value);
            }
        }

        return (int)Rounding.HalfUp(minuteDays, period.FullDays);
    }

    /// <summary>All carries ever, and what was left at a cut-over, each without what was carried on out of it.</summary>
    private IEnumerable<Grant> Carries() =>
        Time.Carried.Select(Kept).Concat(Time.Opening?.Grants ?? []).Select(g => Time.CarriedOut.TryGetValue(g.Id, out var moved) ? g with { Minutes = Math.Max(g.Minutes - moved, Time.Drawn.GetValueOrDefault(g.Id)) } : g);
}
