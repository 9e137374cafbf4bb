using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Engagements;
using AgencyPlatform.Domain.Time;

namespace AgencyPlatform.Contracts.Engagements;

/// <summary>
/// An engagement. Its grain key is <c>{agency}/{engagement}</c>. It calls the agency and the client company for facts, and the members' CMOs
/// in its sagas.
/// </summary>
[Alias("IEngagementGrain")]
public interface IEngagementGrain : IAggregateGrain
{
    /// <summary>NOT_FOUND when the client, a member's CMO or the seller is not there.</summary>
    [Alias("Create")]
    Task<Reply<Engagement>> Create(Call call, CreateEngagement command);

    [Alias("Update")]
    Task<Reply<Engagement>> Update(Call call, UpdateEngagement command);

    [Alias("Propose")]
    Task<Reply<Engagement>> Propose(Call call, ProposeEngagement command);

    [Alias("Revise")]
    Task<Reply<Engagement>> Revise(Call call);

    [Alias("Sign")]
    Task<Reply<Engagement>> Sign(Call call, SignEngagement command);

    [Alias("Decline")]
    Task<Reply<Engagement>> Decline(Call call, CloseProposal command);

    [Alias("Withdraw")]
    Task<Reply<Engagement>> Withdraw(Call call, CloseProposal command);

    [Alias("Agree")]
    Task<Reply<Engagement>> Agree(Call call, AgreeAsCmo command);

    /// <summary>Answers when every member is booked, or nothing has changed and the activation is refused.</summary>
    [Alias("Activate")]
    Task<Reply<Engagement>> Activate(Call call);

    /// <summary>Answers when every member's booking is shortened. Ending again on the same date changes nothing.</summary>
    [Alias("End")]
    Task<Reply<Engagement>> End(Call call, EndEngagement command);

    [Alias("Get")]
    Task<Reply<Engagement>> Get(Read read);

    /// <summary>The step of an approval: draws an entry at the CMO's cost rate on its date, or refuses. Repeated, it answers the same.</summary>
    [Alias("Draw")]
    Task<Reply<TimeParts>> Draw(Call call, DrawTime command);

    /// <summary>The step of a reversal: gives a drawn entry back, once.</summary>
    [Alias("Reverse")]
    Task<Reply<TimeEntryKey>> Reverse(Call call, ReverseTime command);

    /// <summary>The step of a dispute: keeps a drawn entry off new invoices.</summary>
    [Alias("Dispute")]
    Task<Reply<TimeEntryKey>> Dispute(Call call, DisputeTime command);

    /// <summary>The step of a dispute's end: the drawn entry stands.</summary>
    [Alias("EndDispute")]
    Task<Reply<TimeEntryKey>> EndDispute(Call call, DisputeTime command);

    /// <summary>The client consents to overage: parked minutes become overage, oldest entry first.</summary>
    [Alias("Consent")]
    Task<Reply<ConsentResult>> Consent(Call call, ConsentToOverage command);

    /// <summary>The meter as it is for entries of a date.</summary>
    [Alias("GetMeter")]
    Task<Reply<MeterView>> GetMeter(Read read, LocalDate date);

    /// <summary>The meter at the end of the period that a date is in, if everything logged is approved and everything booked is worked. NOT_FOUND outside the service.</summary>
    [Alias("ProjectMeter")]
    Task<Reply<MeterProjection>> ProjectMeter(Read read, LocalDate date);

    /// <summary>What bills are computed from.</summary>
    [Alias("GetBillingInputs")]
    Task<Reply<BillingInputs>> GetBillingInputs(Read read);
}
