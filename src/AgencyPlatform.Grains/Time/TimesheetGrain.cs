using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Contracts.Time;
using AgencyPlatform.Domain.Engagements;
using AgencyPlatform.Domain.Time;
using Orleans.Concurrency;

namespace AgencyPlatform.Grains.Time;

/// <summary>See <see cref="ITimesheetGrain"/>.</summary>
[Reentrant]
public sealed partial class TimesheetGrain(GrainServices services) : AggregateGrain<Timesheet>(services), ITimesheetGrain
{
    private readonly TimeProvider _system = services.System;

    public async Task<Reply<Timesheet>> Log(Call call, LogTime c)
    {
        // A refusal goes through the decision too: a repeat of what was logged is answered as it was, whatever the engagement says by now.
        var (facts, missing) = await FactsFor(call, c);
        return await Decide(
            call, (s, now) => s.Log(c, facts!.TimeZone, now, facts.DaysAhead), s => s,
            missing ?? c.Entries.Select(e => facts!.Refused.GetValueOrDefault(e.Id)).FirstOrDefault(r => r is not null));
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

    /// <summary>Takes the next entry of the oldest approval, else of the oldest correction, to its engagement, and records what came of it. Internal time has none.</summary>
    protected override async Task<bool> Step(Timesheet committed)
    {
        if (committed.NextStep() is var (approval, entry))
        {
            var drawn = await Draw(committed, approval, entry);
            await Decide(StepCall(), (s, _) => s.Record(approval.Request, entry.Id, drawn.Value, drawn.Rejection), s => s);
            return true;
        }

        if (committed.NextCorrection() is var (correction, corrected))
        {
            await Correct(committed, correction, corrected);
            await Decide(StepCall(), (s, _) => s.Record(correction.Request, corrected.Id), s => s);
            return true;
        }

        return false;
    }

    private async Task<Reply<TimeParts>> Draw(Timesheet sheet, Approval approval, TimeEntry entry)
    {
        var work = entry.Work;
        return work.Engagement is { } engagement
            ? await Grain<IEngagementGrain>(engagement.Value).Draw(
                StepCall(), new DrawTime(TimeEntryKey.Of(sheet.Cmo, sheet.Week, entry.Id), sheet.Cmo, work.Date, work.Minutes, work.Billable, work.Paid, approval.Actor))
            : new Reply<TimeParts>(TimeParts.None, null, null);
    }
}
