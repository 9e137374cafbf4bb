using AgencyPlatform.Protocol.Time.V1;
using NodaTime;
using static AgencyPlatform.Host.Demo.DemoWire;

namespace AgencyPlatform.Host.Demo;

/// <summary>
/// What is worked, week by week: logged, or just as planned; sheets that come late and weeks without work; disputes and corrections; meters that look ahead,
/// and the client's consent to what goes beyond.
/// </summary>
internal sealed class DemoTime(DemoStage stage, int weeks)
{
    private readonly TimeService.TimeServiceClient _time = stage.Platform.Time;
    private readonly Dictionary<string, long> _approved = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _consented = new(StringComparer.Ordinal);
    private readonly List<TimeEntry> _lastWeek = [];
    private readonly List<TimeEntry> _everyWeek = [];
    private readonly List<TimeEntry> _disputed = [];
    private (string Cmo, LocalDate Monday)? _late;
    private (int Right, int All) _missing;
    private (int Right, int All) _projected;
    private int _asked;

    /// <summary>Minutes approved and not reversed.</summary>
    public long WorkedMinutes => _approved.Values.Sum();

    public int Entries { get; private set; }

    /// <summary>A week of everybody, which is over: a sheet a CMO, submitted and approved. One is logged as planned, now and then one comes a week late.</summary>
    public async Task<IReadOnlyList<string>> Work(LocalDate monday)
    {
        var (week, notes) = (Period.DaysBetween(stage.Start, monday) / 7, new List<string>());
        _lastWeek.Clear();
        if (_late is { } late)
        {
            await Log($"{late.Cmo}/timesheets/{IsoWeek(late.Monday)}", Worked(late.Cmo, late.Monday));
            notes.Add($"{Last(late.Cmo)}'s sheet of last week comes");
            _late = null;
        }

        var sheets = Workers(monday).Select(cmo => (Cmo: cmo, Entries: Worked(cmo, monday))).ToList();
        var working = sheets.Where(s => s.Entries.Count > 0).Select(s => s.Cmo).ToList();
        var asPlanned = working.Count > 0 ? working[week % working.Count] : null;
        var forgetful = week % 6 == 2 && week + 1 < weeks && working.Count > 1 ? working[(week + 1) % working.Count] : null;
        foreach (var (cmo, entries) in sheets)
        {
            var sheet = $"{cmo}/timesheets/{IsoWeek(monday)}";
            if (entries.Count == 0)
            {
                await _time.ReportNothingWorkedAsync(new ReportNothingWorkedRequest { Name = sheet }, cancellationToken: stage.Cancellation);
                stage.Count(DemoEvent.NothingWorked);
            }
            else if (cmo == forgetful)
            {
                _late = (cmo, monday);
            }
            else if (cmo == asPlanned && await stage.Try(sheet, async () => await _time.LogAsPlannedAsync(new LogAsPlannedRequest { Name = sheet }, cancellationToken: stage.Cancellation)) is not null)
            {
                await Approve(sheet);
                stage.Count(DemoEvent.AsPlanned);
            }
            else
            {
                await Log(sheet, entries);
            }
        }

        if (forgetful is not null)
        {
            var missing = await Missing(monday, 1);
            _missing = (_missing.Right + (missing.SequenceEqual([$"{forgetful}/timesheets/{IsoWeek(monday)}"]) ? 1 : 0), _missing.All + 1);
            stage.Count(DemoEvent.SheetLate);
            notes.Add($"{Names(missing.Select(m => m[..m.IndexOf("/timesheets/", StringComparison.Ordinal)]))} has sent no sheet");
        }

        return notes;
    }

    /// <summary>Two clients dispute an entry of last week.</summary>
    public async Task<string?> Dispute()
    {
        var metered = stage.Work.Where(w => w is { Retainer: true, AsksConsent: false }).Select(w => w.Name).ToHashSet();
        foreach (var entry in _lastWeek.Where(e => metered.Contains(e.Engagement)).DistinctBy(e => e.Engagement).Take(2))
        {
            _disputed.Add(await _time.DisputeTimeEntryAsync(
                new DisputeTimeEntryRequest { Name = entry.Timesheet, EntryId = entry.EntryId, Reason = "We have seen less than this." }, cancellationToken: stage.Cancellation));
            stage.Count(DemoEvent.Disputed);
        }

        return _disputed.Count == 0 ? null : $"{string.Join(" and ", _disputed.Select(d => Last(d.Engagement)))}: {Hours(_disputed.Sum(d => d.Minutes))} of last week are disputed";
    }

    /// <summary>The first was wrong: it is reversed, and half of it logged in its place. The other was right.</summary>
    public async Task<string?> SettleDisputes()
    {
        if (_disputed is not [var wrong, .. var right])
        {
            return null;
        }

        await _time.ResolveDisputeAsync(
            new ResolveDisputeRequest { Name = wrong.Timesheet, EntryId = wrong.EntryId, Resolution = DisputeResolution.Reversed, Note = "Half of it was another client's." }, cancellationToken: stage.Cancellation);
        _approved[wrong.Engagement] -= wrong.Minutes;
        var corrected = new TimeEntry
        {
            EntryId = $"corrected-{stage.Week}",
            Corrects = wrong.EntryId,
            Engagement = wrong.Engagement,
            Date = wrong.Date,
            Minutes = Math.Max(1, wrong.Minutes / 2),
            Category = wrong.Category,
        };
        await Log(wrong.Timesheet, [corrected]);
        stage.Count(DemoEvent.Corrected);
        foreach (var entry in right)
        {
            await _time.ResolveDisputeAsync(
                new ResolveDisputeRequest { Name = entry.Timesheet, EntryId = entry.EntryId, Resolution = DisputeResolution.Restored, Note = "Gone through with the client: it stands." }, cancellationToken: stage.Cancellation);
        }

        _disputed.Clear();
        return $"{Last(wrong.Engagement)}: {wrong.Minutes} min are reversed and {corrected.Minutes} logged instead{(right.Count == 0 ? "" : $"; {Names(right.Select(e => e.Engagement))}: it stands")}";
    }

    /// <summary>Half an hour of a month whose books are closed is found, logged and approved: it posts into the open month.</summary>
    public async Task<string?> FindForgotten()
    {
        var metered = stage.Work.Where(w => w is { Retainer: true, AsksConsent: false }).Select(w => w.Name).ToHashSet();
        if (_everyWeek.Where(e => FromWire(e.Date) <= stage.ClosedThrough && metered.Contains(e.Engagement)).MaxBy(e => FromWire(e.Date)) is not { } beside)
        {
            return null;
        }

        await Log(beside.Timesheet, [new TimeEntry { EntryId = $"forgotten-{stage.Week}", Engagement = beside.Engagement, Date = beside.Date, Minutes = 30, Category = beside.Category }]);
        return $"{Last(beside.Engagement)}: half an hour of {Text(FromWire(beside.Date))} is found, whose month is closed: it posts into the open one";
    }

    /// <summary>A retainer's meter to yesterday, and where it will be at the month's end if everything booked is worked.</summary>
    public async Task<string?> LookAhead()
    {
        var yesterday = stage.Today.PlusDays(-1);
        var running = stage.Work.Where(w => w.Retainer && w.Start <= yesterday && w.IsActiveOn(yesterday)).ToList();
        if (running.Count == 0)
        {
            return null;
        }

        var work = running[stage.Week % running.Count];
        var meter = await _time.GetMeterAsync(new GetMeterRequest { Name = work.Name, Date = Wire(yesterday), Project = true }, cancellationToken: stage.Cancellation);
        var (ahead, drawn) = (meter.Projection, meter.Grants.Sum(g => g.DrawnMinutes));
        var left = meter.RemainingMinutes - ahead.UnapprovedMinutes - ahead.BookedMinutes;
        _projected = (_projected.Right + ((ahead.RemainingMinutes, ahead.BeyondMinutes) == (Math.Max(0, left), Math.Max(0, -left)) ? 1 : 0), _projected.All + 1);
        return $"{work.Id}'s meter: {Hours(drawn)} drawn of {Hours(meter.Grants.Sum(g => g.Minutes))}, {Hours(ahead.BookedMinutes)} more booked until {Text(FromWire(meter.PeriodEndDate))}: "
            + (left >= 0 ? $"{Hours(left)} will be left" : $"{Hours(-left)} will be beyond, from {(ahead.ExhaustDate is { } day ? Text(FromWire(day)) : "now")} on");
    }

    /// <summary>Clients are asked about what is parked beyond their hours; most consent to all of it, every third to half.</summary>
    public async Task<string?> AskConsent(LocalDate to)
    {
        var (clients, consented, left) = (0, 0, 0);
        foreach (var work in stage.Work.Where(w => w.AsksConsent && w.Start < to))
        {
            var parked = (await _time.GetMeterAsync(new GetMeterRequest { Name = work.Name, Date = Wire(to.PlusDays(-1)) }, cancellationToken: stage.Cancellation)).ParkedMinutesInAll;
            var minutes = _asked % 3 == 2 ? (parked + 1) / 2 : parked;
            if (minutes == 0)
            {
                continue;
            }

            var answer = await _time.ConsentToOverageAsync(
                new ConsentToOverageRequest { Name = work.Name, Minutes = minutes, Note = "Told on the phone." }, cancellationToken: stage.Cancellation);
            _asked++;
            _consented[work.Name] = _consented.GetValueOrDefault(work.Name) + minutes;
            stage.Count(DemoEvent.Consented);
            (clients, consented, left) = (clients + 1, consented + minutes, left + answer.ParkedMinutes);
        }

        return clients == 0 ? null : $"{clients} clients consent to {Hours(consented)} of overage, {Hours(left)} stay parked";
    }

    public async Task<IReadOnlyList<DemoCheck>> Check()
    {
        var entries = await All();
        var approved = entries.Where(e => e.State == TimeEntryState.Approved).ToLookup(e => e.Engagement);
        var sums = approved.ToDictionary(e => e.Key, e => e.Sum(t => (long)t.Minutes));
        var reversed = entries.Where(e => e.State == TimeEntryState.Reversed).ToList();
        var settled = entries.All(e => e.State != TimeEntryState.Disputed)
            && reversed.All(r => entries.Any(e => e.State == TimeEntryState.Approved && e.Timesheet == r.Timesheet && e.Corrects == r.EntryId));
        var (meters, off) = (0, new List<string>());
        foreach (var work in stage.Work)
        {
            var ofIt = approved[work.Name].ToList();
            var last = stage.Today.PlusDays(-1);
            var parked = 0;
            for (var month = new LocalDate(work.Start.Year, work.Start.Month, 1); month <= last; month = month.PlusMonths(1))
            {
                var meter = await _time.GetMeterAsync(new GetMeterRequest { Name = work.Name, Date = Wire(LocalDate.Max(month, work.Start)) }, cancellationToken: stage.Cancellation);
                var parts = ofIt.Where(e => FromWire(e.Date) is var d && d >= month && d < month.PlusMonths(1)).ToList();
                parked = meter.ParkedMinutesInAll;
                meters++;
                // What was parked and is consented to since is overage.
                var right = meter.Grants.Sum(g => g.DrawnMinutes) == parts.Sum(p => p.Parts.DrawnMinutes)
                    && meter.ChargedMinutes == parts.Sum(p => p.Parts.ChargedMinutes)
                    && meter.OverageMinutes + meter.ParkedMinutes == parts.Sum(p => p.Parts.OverageMinutes + p.Parts.ParkedMinutes)
                    && parts.All(p => p.Minutes == p.Parts.DrawnMinutes + p.Parts.OverageMinutes + p.Parts.ParkedMinutes + p.Parts.ChargedMinutes);
                if (!right)
                {
                    off.Add($"{work.Id} in {Text(month)}");
                }
            }

            if (ofIt.Sum(e => e.Parts.ParkedMinutes) != parked + _consented.GetValueOrDefault(work.Name))
            {
                off.Add($"{work.Id}'s consents");
            }
        }

        var missing = 0;
        for (var monday = stage.Start; monday < stage.Today; monday = monday.PlusWeeks(50))
        {
            missing += (await Missing(monday, Math.Min(50, Period.DaysBetween(monday, stage.Today) / 7))).Count;
        }

        return
        [
            new("approved time is what was logged", sums.Count == _approved.Count(a => a.Value > 0) && sums.All(s => _approved.GetValueOrDefault(s.Key) == s.Value), $"{WorkedMinutes / 60} h"),
            new("every meter sums to the approved time", off.Count == 0, off.Count == 0 ? $"{meters} months of {stage.Work.Count} engagements" : string.Join(", ", off)),
            new("every dispute is settled, and what was reversed is logged anew", settled, $"{reversed.Count} reversed"),
            new("a missing sheet is listed until it comes", _missing.Right == _missing.All && missing == 0, $"{_missing.All} came late, {missing} are missing"),
            new("a projection is what is left less what is booked", _projected.Right == _projected.All, $"{_projected.All} looked at"),
        ];
    }

    /// <summary>CMOs for whom something is agreed in a week, in order of name.</summary>
    private IEnumerable<string> Workers(LocalDate monday) => stage.Work
        .Where(w => Enumerable.Range(0, 4).Any(day => w.MonthlyMinutesOn(monday.PlusDays(day)) > 0)).Select(w => w.Cmo)
        .Concat(stage.Covers.Where(c => c.Minutes.Keys.Any(d => d >= monday && d < monday.PlusWeeks(1))).Select(c => c.Cmo)).Distinct().Order(StringComparer.Ordinal);

    /// <summary>What a CMO works in a week: a twelfth of a year's minutes in 52 weeks, on two days, now above and now below what is planned; and covers.</summary>
    private List<TimeEntry> Worked(string cmo, LocalDate monday)
    {
        var entries = new List<TimeEntry>();
        foreach (var work in stage.Work.Where(w => w.Cmo == cmo))
        {
            var swing = 90 + ((monday.DayOfYear + work.Id.Sum(c => c)) * 7 % 31);
            foreach (var day in new[] { monday.PlusDays(work.Id.Length % 2), monday.PlusDays(2 + (work.Id.Length % 2)) })
            {
                if (work.MonthlyMinutesOn(day) is > 0 and var monthly && !stage.Holidays.Contains(day) && !stage.IsAway(cmo, day, day.PlusDays(1)))
                {
                    entries.Add(Entry($"{work.Id}-{(int)day.DayOfWeek}", work.Name, day, Math.Max(15, monthly * 12 / 52 / 2 * swing / 100)));
                }
            }
        }

        for (var i = 0; i < stage.Covers.Count; i++)
        {
            var cover = stage.Covers[i];
            entries.AddRange(cover.Minutes.Where(m => cover.Cmo == cmo && m.Key >= monday && m.Key < monday.PlusWeeks(1))
                .Select(m => Entry($"cover-{i}-{(int)m.Key.DayOfWeek}", cover.Engagement, m.Key, m.Value)));
        }

        return entries;

        static TimeEntry Entry(string id, string engagement, LocalDate day, int minutes) =>
            new() { EntryId = id, Engagement = engagement, Date = Wire(day), Minutes = minutes, Category = "strategy" };
    }

    private async Task Log(string sheet, IReadOnlyCollection<TimeEntry> entries)
    {
        await _time.LogTimeAsync(new LogTimeRequest { Name = sheet, Entries = { entries } }, cancellationToken: stage.Cancellation);
        await _time.SubmitTimesheetAsync(new SubmitTimesheetRequest { Name = sheet }, cancellationToken: stage.Cancellation);
        await Approve(sheet);
    }

    private async Task Approve(string sheet)
    {
        var approved = await _time.ApproveEntriesAsync(new ApproveEntriesRequest { Name = sheet }, cancellationToken: stage.Cancellation);
        foreach (var result in approved.Results)
        {
            if (!result.Approved)
            {
                throw new DemoException($"{sheet}: {result.EntryId} was not approved: {result.Message}");
            }

            var entry = approved.Timesheet.Entries.First(e => e.EntryId == result.EntryId);
            _approved[entry.Engagement] = _approved.GetValueOrDefault(entry.Engagement) + entry.Minutes;
            _lastWeek.Add(entry);
            _everyWeek.Add(entry);
            Entries++;
        }
    }

    private async Task<IReadOnlyList<string>> Missing(LocalDate monday, int count)
    {
        var missing = new List<string>();
        for (var token = ""; ;)
        {
            var page = await _time.ListMissingTimesheetsAsync(
                new ListMissingTimesheetsRequest
                {
                    Parent = stage.Agency,
                    StartWeek = IsoWeek(monday),
                    EndWeek = IsoWeek(monday.PlusWeeks(count - 1)),
                    PageSize = 1000,
                    PageToken = token,
                },
                cancellationToken: stage.Cancellation);
            missing.AddRange(page.Timesheets.Select(t => t.Timesheet));
            token = page.NextPageToken;
            if (token.Length == 0)
            {
                return missing;
            }
        }
    }

    private async Task<List<TimeEntry>> All()
    {
        var entries = new List<TimeEntry>();
        for (var token = ""; ;)
        {
            var page = await _time.ListTimeEntriesAsync(new ListTimeEntriesRequest { Parent = stage.Agency, PageSize = 1000, PageToken = token }, cancellationToken: stage.Cancellation);
            entries.AddRange(page.Entries);
            token = page.NextPageToken;
            if (token.Length == 0)
            {
                return entries;
            }
        }
    }
}
