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

    [Alias("Get")]
    Task<Reply<Timesheet>> Get(Read read);
}
