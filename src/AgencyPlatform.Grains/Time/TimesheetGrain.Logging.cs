using System.Collections.Immutable;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Contracts.Time;
using AgencyPlatform.Domain.Time;

namespace AgencyPlatform.Grains.Time;

/// <summary>How time comes onto a sheet, with what its CMO, the engagements and the agency say to it.</summary>
public sealed partial class TimesheetGrain
{
    public async Task<Reply<LoggedRows>> LogEach(Call call, LogTime c)
    {
        var (facts, missing) = await FactsFor(call, c);
        return await Decide(
            call, (s, now) => s.LogEach(c, facts!.Refused, facts.TimeZone, now, facts.DaysAhead), s => new LoggedRows(s.OutcomesOf(c)), missing);
    }

    public async Task<Reply<LogTime>> Prefill(Read read, CmoId cmo, IsoWeek week)
    {
        var (plan, missing) = await Planned(read, cmo, week);
        if (missing is not null)
        {
            return Reply<LogTime>.No(missing);
        }

        var sheet = (await Get(read)).Value ?? Timesheet.Initial;
        return new Reply<LogTime>(plan! with { Entries = sheet.NotYetLogged(plan.Entries) }, null, null);
    }

    public async Task<Reply<Timesheet>> LogAsPlanned(Call call, CmoId cmo, IsoWeek week)
    {
        var (plan, missing) = await Planned(new Read(Key.Agency, call.SandboxNow, PolicyVersion: call.PolicyVersion), cmo, week);
        LogFacts? facts = null;
        if (plan is not null)
        {
            (facts, missing) = await FactsFor(call, plan);
        }

        return await Decide(call, (s, now) => s.LogAsPlanned(plan!, facts!.TimeZone, now, facts.DaysAhead), s => s, missing);
    }

    public async Task<Reply<Timesheet>> ReportNothingWorked(Call call, CmoId cmo, IsoWeek week)
    {
        var known = await Grain<IFractionalCmoGrain>(cmo.Value).Get(new Read(Key.Agency, call.SandboxNow));
        return await Decide(
            call, (s, now) => s.ReportNothingWorked(cmo, week, known.Value!.Profile.TimeZone, now), s => s,
            known.Rejection is null ? null : Rejection.NotFound("cmo", cmo.Value));
    }

    /// <param name="TimeZone">The CMO's.</param>
    /// <param name="DaysAhead">How far after the CMO's today the agency lets them log.</param>
    /// <param name="Refused">Rows whose engagement is not there, or refuses their date or CMO.</param>
    private sealed record LogFacts(string TimeZone, int DaysAhead, ImmutableDictionary<TimeEntryId, Rejection> Refused);

    private async Task<(LogFacts? Facts, Rejection? Missing)> FactsFor(Call call, LogTime c)
    {
        var read = new Read(Key.Agency, call.SandboxNow);
        var cmo = await Grain<IFractionalCmoGrain>(c.Cmo.Value).Get(read);
        if (cmo.Rejection is not null)
        {
            return (null, Rejection.NotFound("cmo", c.Cmo.Value));
        }

        var ids = c.Entries.Select(e => e.Work.Engagement).OfType<EngagementId>().Distinct().ToList();
        var replies = await Task.WhenAll(ids.Select(e => Grain<IEngagementGrain>(e.Value).Get(read)));
        var engagements = ids.Zip(replies).ToDictionary(e => e.First, e => e.Second.Value);
        var refused = ImmutableDictionary.CreateBuilder<TimeEntryId, Rejection>();
        foreach (var (id, work) in c.Entries)
        {
            if (work.Engagement is { } engagement
                && (engagements[engagement] is { } known ? known.RefuseTime(c.Cmo, work.Date) : Rejection.NotFound("engagement", engagement.Value)) is { } why)
            {
                refused[id] = why;
            }
        }

        var zone = cmo.Value!.Profile.TimeZone;
        var today = NowOf(call.SandboxNow).InZone(DateTimeZoneProviders.Tzdb[zone]).Date;
        var ahead = c.Entries.Any(e => e.Work.Date > today) ? (await Grain<IAgencyGrain>(Key.Agency.Value).Get(read)).Value?.Settings.TimeAheadDays ?? 0 : 0;
        return (new LogFacts(zone, ahead, refused.ToImmutable()), null);
    }

    /// <summary>What is booked in a week, on the dates on which its engagement takes time.</summary>
    private async Task<(LogTime? Plan, Rejection? Missing)> Planned(Read read, CmoId cmo, IsoWeek week)
    {
        var monday = week.Monday();
        var booked = await Grain<IFractionalCmoGrain>(cmo.Value).GetPlan(read, monday, monday.PlusDays(7));
        if (booked.Rejection is not null)
        {
            return (null, Rejection.NotFound("cmo", cmo.Value));
        }

        var ids = booked.Value!.Work.Select(w => w.Engagement).Distinct().ToList();
        var replies = await Task.WhenAll(ids.Select(e => Grain<IEngagementGrain>(e.Value).Get(read)));
        var engagements = ids.Zip(replies).ToDictionary(e => e.First, e => e.Second.Value);
        return (
            new LogTime(cmo, week, [
                .. booked.Value.Work.Where(w => engagements[w.Engagement]?.IsWork(cmo, w) == true)
                    .Select(w => Timesheet.Planned(w.Engagement, w.Date, w.Minutes)),
            ]),
            null);
    }

    private Instant NowOf(Instant? sandboxNow) => sandboxNow ?? SystemNow;
}
