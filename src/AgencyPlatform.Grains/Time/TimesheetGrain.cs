using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Contracts.Time;
using AgencyPlatform.Domain.Engagements;
using AgencyPlatform.Domain.Time;
using Orleans.Concurrency;

namespace AgencyPlatform.Grains.Time;

/// <summary>See <see cref="ITimesheetGrain"/>.</summary>
[Reentrant]
public sealed class TimesheetGrain(GrainServices services) : AggregateGrain<Timesheet>(services), ITimesheetGrain
{
    private readonly TimeProvider _system = services.System;

    public async Task<Reply<Timesheet>> Log(Call call, LogTime c)
    {
        var read = new Read(Key.Agency, call.SandboxNow);
        var cmo = await Grain<IFractionalCmoGrain>(c.Cmo.Value).Get(read);
        if (cmo.Rejection is not null)
        {
            return Reply<Timesheet>.No(Rejection.NotFound("cmo", c.Cmo.Value));
        }

        var engagements = c.Entries.Select(e => e.Work.Engagement).Distinct().ToList();
        var known = await Task.WhenAll(engagements.Select(e => Grain<IEngagementGrain>(e.Value).Get(read)));
        for (var i = 0; i < known.Length; i++)
        {
            if (known[i].Rejection is not null)
            {
                return Reply<Timesheet>.No(Rejection.NotFound("engagement", engagements[i].Value));
            }

            if (c.Entries.Where(e => e.Work.Engagement == engagements[i]).Select(e => known[i].Value!.RefuseTime(c.Cmo, e.Work.Date)).FirstOrDefault(r => r is not null) is { } refused)
            {
                return Reply<Timesheet>.No(refused);
            }
        }

        return await Decide(call, (s, now) => s.Log(c, cmo.Value!.Profile.TimeZone, now), s => s);
    }

    public Task<Reply<Timesheet>> Remove(Call call, RemoveEntries c) => Decide(call, (s, _) => s.Remove(c), s => s);

    public Task<Reply<Timesheet>> Submit(Call call, SubmitEntries c) => Decide(call, (s, _) => s.Submit(c), s => s);

    public Task<Reply<Timesheet>> Reject(Call call, RejectEntries c) => Decide(call, (s, _) => s.Reject(c), s => s);

    public Task<Reply<ApprovalResult>> Approve(Call call, ApproveEntries c)
    {
        var request = call.Request ?? Guid.CreateVersion7(_system.GetUtcNow());
        return RunSaga(
            call with { Request = request },
            (s, now) => s.Approve(c, request, call.Actor, now),
            (s, id) => s.OutcomeOf(id) is null ? null : new SagaEnd(null),
            s => new ApprovalResult(s, s.OutcomeOf(request)?.Outcomes ?? []));
    }

    public Task<Reply<Timesheet>> Get(Read read) => Query(read, (s, _) => s);

    /// <summary>Draws the next entry of the oldest approval on its engagement, and records what came of it.</summary>
    protected override async Task<bool> Step(Timesheet committed)
    {
        if (committed.NextStep() is not { } next)
        {
            return false;
        }

        var (approval, entry) = next;
        var (call, work) = (StepCall(), entry.Work);
        var drawn = await Grain<IEngagementGrain>(work.Engagement.Value).Draw(
            call, new DrawTime(TimeEntryKey.Of(committed.Cmo, committed.Week, entry.Id), committed.Cmo, work.Date, work.Minutes, work.Billable, work.Paid, approval.Actor));
        await Decide(call, (s, _) => s.Record(approval.Request, entry.Id, drawn.Value, drawn.Rejection), s => s);
        return true;
    }
}
