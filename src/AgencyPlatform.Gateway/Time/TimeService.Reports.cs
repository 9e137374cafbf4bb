using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Domain.Engagements;
using AgencyPlatform.Domain.Time;
using V1 = AgencyPlatform.Protocol.Time.V1;

namespace AgencyPlatform.Gateway.Time;

/// <summary>Reports over an agency's sheets and bookings, worked out CMO by CMO.</summary>
internal sealed partial class TimeService
{
    private const int MostWeeks = 53;

    /// <summary>How many CMOs one page looks at, at the most: a page of a list with few rows is short rather than late.</summary>
    private const int MostCmosLookedAt = 100;

    public override async Task<V1.ListMissingTimesheetsResponse> ListMissingTimesheets(V1.ListMissingTimesheetsRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var (first, last) = Weeks(request.StartWeek, request.EndWeek, fields);
        var page = Page.Of(context, request, fields);
        var read = await calls.UnderPolicy(await calls.Read(context, request, fields, agency));
        var now = read.SandboxNow ?? Instant.FromDateTimeOffset(system.GetUtcNow());
        var (rows, next) = await Reported(context, read, page, first, last, Missing, r => [r.Cmo, r.Timesheet]);
        return new V1.ListMissingTimesheetsResponse { Timesheets = { rows }, NextPageToken = next };

        async Task<IEnumerable<V1.MissingTimesheet>> Missing(CmoRow cmo, CmoWeekReport report)
        {
            var today = now.InZone(DateTimeZoneProviders.Tzdb[cmo.TimeZone]).Date;
            var idle = (await readModels.List<IdleWeekRow>(agency, new Query([Filter.Eq(nameof(IdleWeekRow.Cmo), cmo.Id), .. Between(nameof(IdleWeekRow.Week), first, last)], [], MostWeeks), context.CancellationToken))
                .Select(r => r.Week).ToHashSet();
            return from week in report.Booked.GroupBy(b => IsoWeek.Of(b.Date)).OrderBy(w => w.Key.Monday())
                   let logged = report.Logged.Where(l => l.Week == week.Key.ToString()).ToList()
                   where week.Key.Monday().PlusDays(7) <= today && !idle.Contains(week.Key.ToString())
                       && logged.All(l => l.State is TimeEntryState.Draft or TimeEntryState.Rejected or TimeEntryState.Reversed)
                   select new V1.MissingTimesheet
                   {
                       Timesheet = SheetName(agency, cmo.Id, week.Key.ToString()),
                       Cmo = ResourceNames.Of(agency, "cmos", cmo.Id.Value),
                       BookedMinutes = week.Sum(b => b.Minutes),
                       UnsubmittedMinutes = logged.Where(l => l.State != TimeEntryState.Reversed).Sum(l => l.Minutes),
                   };
        }
    }

    public override async Task<V1.ListWorkedAgainstBookedResponse> ListWorkedAgainstBooked(V1.ListWorkedAgainstBookedRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var (first, last) = Weeks(request.StartWeek, request.EndWeek, fields);
        var page = Page.Of(context, request, fields);
        var read = await calls.UnderPolicy(await calls.Read(context, request, fields, agency));
        var (rows, next) = await Reported(context, read, page, first, last, (cmo, report) => Task.FromResult(Compared(cmo, report)), r => [r.Cmo, r.Timesheet, r.Engagement]);
        return new V1.ListWorkedAgainstBookedResponse { Rows = { rows }, NextPageToken = next };

        IEnumerable<V1.WorkedAgainstBooked> Compared(CmoRow cmo, CmoWeekReport report)
        {
            var booked = report.Booked.GroupBy(b => (Week: IsoWeek.Of(b.Date).ToString(), Engagement: b.Engagement.Value)).ToDictionary(b => b.Key, b => b.Sum(d => d.Minutes));
            var worked = report.Logged.Where(l => l.State is TimeEntryState.Submitted or TimeEntryState.Approved or TimeEntryState.Disputed)
                .ToLookup(l => (l.Week, Engagement: l.Engagement ?? ""));
            return booked.Keys.Union(worked.Select(w => w.Key)).OrderBy(k => k.Week, StringComparer.Ordinal).ThenBy(k => k.Engagement, StringComparer.Ordinal).Select(key => new V1.WorkedAgainstBooked
            {
                Timesheet = SheetName(agency, cmo.Id, key.Week),
                Cmo = ResourceNames.Of(agency, "cmos", cmo.Id.Value),
                Engagement = key.Engagement.Length == 0 ? "" : ResourceNames.Of(agency, "engagements", key.Engagement),
                BookedMinutes = booked.GetValueOrDefault(key),
                WorkedMinutes = worked[key].Sum(l => l.Minutes),
                ApprovedMinutes = worked[key].Where(l => l.State == TimeEntryState.Approved).Sum(l => l.Minutes),
            });
        }
    }

    /// <summary>Minutes logged in a week for an engagement (null: internal time), by state.</summary>
    private readonly record struct LoggedMinutes(string Week, string? Engagement, TimeEntryState State, int Minutes);

    /// <summary>A CMO's weeks: what is booked, and what was logged.</summary>
    private sealed record CmoWeekReport(IReadOnlyList<PlannedWork> Booked, IReadOnlyList<LoggedMinutes> Logged);

    /// <summary>A page of rows worked out CMO by CMO, in order of their ids. It goes on within the CMO at which the page before was full.</summary>
    /// <param name="keyOf">The row's place within its CMO.</param>
    private async Task<(IReadOnlyList<TRow> Rows, string NextPageToken)> Reported<TRow>(
        ServerCallContext context, Read read, Page page, IsoWeek first, IsoWeek last, Func<CmoRow, CmoWeekReport, Task<IEnumerable<TRow>>> rowsOf, Func<TRow, string[]> keyOf)
    {
        var (agency, rows, end, engagements) = (read.Agency, new List<TRow>(), (Cmo: "", Key: ""), new Dictionary<EngagementId, Engagement?>());
        var within = page.After is [var resumed, ..] ? new CmoId(resumed) : (CmoId?)null;
        var cmos = await readModels.List<CmoRow>(
            agency, new Query(within is { } from ? [new Filter(nameof(CmoRow.Id), FilterOperator.GreaterOrEqual, from)] : [], [], MostCmosLookedAt + 1), context.CancellationToken);
        foreach (var cmo in cmos.Take(MostCmosLookedAt))
        {
            var report = new CmoWeekReport(
                await Booked(read, cmo.Id, first, last, engagements),
                await Logged(agency, cmo.Id, first, last, context.CancellationToken));
            foreach (var row in await rowsOf(cmo, report))
            {
                var key = string.Join('\n', keyOf(row));
                if (cmo.Id == within && page.After is [_, var shown] && string.CompareOrdinal(key, shown) <= 0)
                {
                    continue;
                }

                if (rows.Count == page.Size)
                {
                    return (rows, page.TokenAfter(end.Cmo, end.Key));
                }

                rows.Add(row);
                end = (cmo.Id.Value, key);
            }
        }

        return (rows, cmos.Count > MostCmosLookedAt ? page.TokenAfter(cmos[^1].Id.Value) : "");
    }

    /// <summary>What is booked with a CMO, on the dates on which its engagement takes time.</summary>
    /// <param name="known">Engagements that were read for this page.</param>
    private async Task<IReadOnlyList<PlannedWork>> Booked(Read read, CmoId cmo, IsoWeek first, IsoWeek last, Dictionary<EngagementId, Engagement?> known)
    {
        var work = (await grains.Of<IFractionalCmoGrain>(read.Agency, cmo.Value).GetPlan(read, first.Monday(), last.Monday().PlusDays(7))).OrThrow().Value.Work;
        foreach (var (id, reply) in await Task.WhenAll(
            work.Select(w => w.Engagement).Distinct().Where(id => !known.ContainsKey(id)).Select(async id => (id, await grains.Of<IEngagementGrain>(read.Agency, id.Value).Get(read)))))
        {
            known[id] = reply.Value;
        }

        return [.. work.Where(w => known[w.Engagement]?.IsWork(cmo, w) == true)];
    }

    private async Task<IReadOnlyList<LoggedMinutes>> Logged(AgencyId agency, CmoId cmo, IsoWeek first, IsoWeek last, CancellationToken cancellation) =>
    [
        .. (await readModels.Sum<TimeEntryRow>(
            agency, [Filter.Eq(nameof(TimeEntryRow.Cmo), cmo), .. Between(nameof(TimeEntryRow.Week), first, last)], nameof(TimeEntryRow.Minutes),
            [nameof(TimeEntryRow.Week), nameof(TimeEntryRow.Engagement), nameof(TimeEntryRow.State)], cancellation))
            .Select(s => new LoggedMinutes((string)s.Group[0]!, (string?)s.Group[1], Enum.Parse<TimeEntryState>((string)s.Group[2]!), checked((int)s.Sum))),
    ];

    /// <summary>Weeks are written so that their texts are in their order.</summary>
    private static Filter[] Between(string property, IsoWeek first, IsoWeek last) =>
    [
        new(property, FilterOperator.GreaterOrEqual, first.ToString()),
        new(property, FilterOperator.Less, IsoWeek.Of(last.Monday().PlusDays(7)).ToString()),
    ];

    private static (IsoWeek First, IsoWeek Last) Weeks(string start, string end, Fields fields)
    {
        var (first, last) = (IsoWeek.Parse(start), IsoWeek.Parse(end));
        fields.Require(first is not null, "start_week", "must be an ISO week such as 2026-w14, in lower case");
        fields.Require(last is not null, "end_week", "must be an ISO week such as 2026-w14, in lower case");
        // A week that cannot be read is held against no other.
        var weeks = first is { } from && last is { } to ? (NodaTime.Period.DaysBetween(from.Monday(), to.Monday()) / 7) + 1 : 1;
        fields.Require(weeks is >= 1 and <= MostWeeks, "end_week", $"must be the start week or one of the {MostWeeks - 1} after it");
        return (first ?? new IsoWeek(2000, 1), last ?? new IsoWeek(2000, 1));
    }
}
