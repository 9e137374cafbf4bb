using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Domain.Engagements;
using AgencyPlatform.Domain.Time;

namespace AgencyPlatform.Grains.Time;

/// <summary>Reversals and disputes: sagas with the entries' engagements.</summary>
public sealed partial class TimesheetGrain
{
    public Task<Reply<ApprovalResult>> Reverse(Call call, ReverseEntries c)
    {
        var request = call.Request ?? Guid.CreateVersion7(_system.GetUtcNow());
        return RunSaga(
            call with { Request = request },
            (s, now) => s.Reverse(c, request, call.Actor, now),
            (s, id) => s.OutcomeOf(id) is null ? null : new SagaEnd(null),
            s => new ApprovalResult(s, s.OutcomeOf(request)?.Outcomes ?? []));
    }

    public async Task<Reply<Timesheet>> Dispute(Call call, DisputeEntry c)
    {
        var agency = await Grain<IAgencyGrain>(Key.Agency.Value).Get(new Read(Key.Agency, call.SandboxNow));
        if (agency.Rejection is { } unknown)
        {
            return Reply<Timesheet>.No(unknown);
        }

        var deadline = new DisputeDeadline(agency.Value!.Settings.ClientDisputeDays, agency.Value.Settings.TimeZone);
        return await OfOneEntry(call, (s, request, now) => s.Dispute(c, deadline, request, call.Actor, now));
    }

    public Task<Reply<Timesheet>> Resolve(Call call, ResolveDispute c) => OfOneEntry(call, (s, request, now) => s.Resolve(c, request, call.Actor, now));

    /// <summary>A correction of one entry.</summary>
    private Task<Reply<Timesheet>> OfOneEntry(Call call, Func<Timesheet, Guid, Instant, Decision> start)
    {
        var request = call.Request ?? Guid.CreateVersion7(_system.GetUtcNow());
        return RunSaga(
            call with { Request = request },
            (s, now) => start(s, request, now),
            (s, id) => s.OutcomeOf(id) is null ? null : new SagaEnd(null),
            s => s);
    }

    /// <summary>A correction's step with the entry's engagement, which cannot be refused: one that is stops the saga with an error in the log.</summary>
    private async Task Correct(Timesheet sheet, Correction correction, TimeEntry entry)
    {
        if (entry.Work.Engagement is not { } id)
        {
            return;
        }

        var (engagement, key) = (Grain<IEngagementGrain>(id.Value), TimeEntryKey.Of(sheet.Cmo, sheet.Week, entry.Id));
        var done = correction.Kind switch
        {
            CorrectionKind.Reversal => await engagement.Reverse(StepCall(), new ReverseTime(key, correction.Reason, correction.Actor)),
            CorrectionKind.Dispute => await engagement.Dispute(StepCall(), new DisputeTime(key, correction.Request)),
            CorrectionKind.Restoration => await engagement.EndDispute(StepCall(), new DisputeTime(key, entry.Dispute!.Request)),
            var kind => throw new InvalidOperationException($"A {kind} has no step with an engagement."),
        };
        if (done.Rejection is { } impossible)
        {
            throw new InvalidOperationException($"A step that cannot be refused was: {impossible.Reason}: {impossible.Message}");
        }
    }
}
