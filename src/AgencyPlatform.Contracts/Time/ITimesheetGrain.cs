using AgencyPlatform.Domain.Time;

namespace AgencyPlatform.Contracts.Time;

/// <summary>A CMO's ISO week of worked time. Its grain key is <c>{agency}/{cmo}/{ISO week}</c>. It asks the CMO for their time zone, and the engagements for the draws.</summary>
[Alias("ITimesheetGrain")]
public interface ITimesheetGrain : IAggregateGrain
{
    /// <summary>NOT_FOUND when the CMO or an engagement is not there.</summary>
    [Alias("Log")]
    Task<Reply<Timesheet>> Log(Call call, LogTime command);

    [Alias("Remove")]
    Task<Reply<Timesheet>> Remove(Call call, RemoveEntries command);

    [Alias("Submit")]
    Task<Reply<Timesheet>> Submit(Call call, SubmitEntries command);

    [Alias("Reject")]
    Task<Reply<Timesheet>> Reject(Call call, RejectEntries command);

    /// <summary>Answers when every entry is approved, or submitted again with the reason.</summary>
    [Alias("Approve")]
    Task<Reply<ApprovalResult>> Approve(Call call, ApproveEntries command);

    /// <summary>Answers when every entry is reversed, or stands with the reason.</summary>
    [Alias("Reverse")]
    Task<Reply<ApprovalResult>> Reverse(Call call, ReverseEntries command);

    /// <summary>Answers when the engagement bills the entry no more.</summary>
    [Alias("Dispute")]
    Task<Reply<Timesheet>> Dispute(Call call, DisputeEntry command);

    /// <summary>Answers when the entry is what the resolution makes of it.</summary>
    [Alias("Resolve")]
    Task<Reply<Timesheet>> Resolve(Call call, ResolveDispute command);

    /// <summary>Logs the rows that can be logged, each for itself. NOT_FOUND when the CMO is not there.</summary>
    [Alias("LogEach")]
    Task<Reply<LoggedRows>> LogEach(Call call, LogTime command);

    /// <summary>What is booked in the week and has no entry yet. The sheet need not be there.</summary>
    [Alias("Prefill")]
    Task<Reply<LogTime>> Prefill(Read read, CmoId cmo, IsoWeek week);

    /// <summary>Logs and submits what is booked in the week and has no entry yet.</summary>
    [Alias("LogAsPlanned")]
    Task<Reply<Timesheet>> LogAsPlanned(Call call, CmoId cmo, IsoWeek week);

    [Alias("ReportNothingWorked")]
    Task<Reply<Timesheet>> ReportNothingWorked(Call call, CmoId cmo, IsoWeek week);

    [Alias("Get")]
    Task<Reply<Timesheet>> Get(Read read);
}

/// <summary>How the rows of a batch came out, in their order: no refusal is logged.</summary>
[GenerateSerializer, Immutable, Alias("time.logged-rows")]
public sealed record LoggedRows(ImmutableArray<EntryOutcome> Rows);
