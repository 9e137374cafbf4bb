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

    /// <summary>In every state.</summary>
    [Alias("Relabel")]
    Task<Reply<Engagement>> Relabel(Call call, RelabelEngagement command);

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

    [Alias("Comment")]
    Task<Reply<Engagement>> Comment(Call call, CommentOnEngagement command);

    [Alias("AskToAgree")]
    Task<Reply<Engagement>> AskToAgree(Call call, RequestAgreement command);

    [Alias("DeclineAs")]
    Task<Reply<Engagement>> DeclineAs(Call call, DeclineAsCmo command);

    [Alias("SignRenewal")]
    Task<Reply<Engagement>> SignRenewal(Call call, SignRenewal command);

    /// <summary>Answers when every member is booked, or nothing has changed and the activation is refused.</summary>
    [Alias("Activate")]
    Task<Reply<Engagement>> Activate(Call call);

    /// <summary>Answers when every member's booking is shortened. Ending again on the same date changes nothing.</summary>
    [Alias("End")]
    Task<Reply<Engagement>> End(Call call, EndEngagement command);

    /// <summary>Answers when the capacity is freed, or kept.</summary>
    [Alias("Pause")]
    Task<Reply<Engagement>> Pause(Call call, PauseEngagement command);

    /// <summary>Answers when the capacity is taken again, or nothing has changed and it is refused.</summary>
    [Alias("Resume")]
    Task<Reply<Engagement>> Resume(Call call, ResumeEngagement command);

    /// <summary>NOT_FOUND when a CMO or the seller is not there. With validate_only every CMO is asked whether the change would fit.</summary>
    [Alias("ProposeScope")]
    Task<Reply<Engagement>> ProposeScope(Call call, ProposeScope command);

    [Alias("SignScope")]
    Task<Reply<Engagement>> SignScope(Call call, SignScope command);

    [Alias("AgreeToScope")]
    Task<Reply<Engagement>> AgreeToScope(Call call, AgreeToScope command);

    [Alias("CloseScope")]
    Task<Reply<Engagement>> CloseScope(Call call, CloseScope command);

    /// <summary>Answers when every booking is changed, or none and it is refused.</summary>
    [Alias("ApplyScope")]
    Task<Reply<Engagement>> ApplyScope(Call call, ApplyScope command);

    /// <summary>NOT_FOUND when the covering CMO is not there.</summary>
    [Alias("RequestCover")]
    Task<Reply<Engagement>> RequestCover(Call call, RequestCover command);

    [Alias("ConsentToCover")]
    Task<Reply<Engagement>> ConsentToCover(Call call, ConsentToCover command);

    [Alias("AgreeToCover")]
    Task<Reply<Engagement>> AgreeToCover(Call call, AgreeToCover command);

    [Alias("DeclineCover")]
    Task<Reply<Engagement>> DeclineCover(Call call, DeclineCover command);

    /// <summary>Answers when the covering CMO is booked, or refused.</summary>
    [Alias("BookCover")]
    Task<Reply<Engagement>> BookCover(Call call, BookCover command);

    [Alias("CancelCover")]
    Task<Reply<Engagement>> CancelCover(Call call, CancelCover command);

    /// <summary>Answers when every booking is resized, or none and it is refused.</summary>
    [Alias("StartTransition")]
    Task<Reply<Engagement>> StartTransition(Call call, StartTransition command);

    [Alias("MarkMilestone")]
    Task<Reply<Engagement>> MarkMilestone(Call call, MarkMilestone command);

    [Alias("ReopenMilestone")]
    Task<Reply<Engagement>> ReopenMilestone(Call call, ReopenMilestone command);

    [Alias("SellHours")]
    Task<Reply<Engagement>> SellHours(Call call, SellHours command);

    [Alias("PutHandoverItem")]
    Task<Reply<Engagement>> PutHandoverItem(Call call, PutHandoverItem command);

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

    /// <summary>What an import of open books asks before it is accepted.</summary>
    [Alias("GetAtCutOver")]
    Task<Reply<EngagementAtCutOver>> GetAtCutOver(Read read, LocalDate on);

    /// <summary>The step of an import of open books: takes what was left on the meter, once.</summary>
    [Alias("ImportGrants")]
    Task<Reply<EngagementId>> ImportGrants(Call call, ImportGrants command);

    /// <summary>The step of a credit note by hand of a prepaid block: so much of its price is not earned, once.</summary>
    [Alias("CreditBlock")]
    Task<Reply<EngagementId>> CreditBlock(Call call, CreditBlock command);

    /// <summary>What bills are computed from.</summary>
    [Alias("GetBillingInputs")]
    Task<Reply<BillingInputs>> GetBillingInputs(Read read);

    /// <summary>What bills were computed from before an event of the agency's feed, and where each of it comes from. From the whole history: for who asks why, not for bills.</summary>
    /// <param name="before">The event's number in the agency's feed; of an engagement that was activated by then.</param>
    [Alias("GetBillingSources")]
    Task<Reply<BillingSources>> GetBillingSources(Read read, long before);

    /// <summary>What bills would be computed from under other terms; see <see cref="Engagement.BillingInputs(Terms)"/>.</summary>
    [Alias("GetHypotheticalInputs")]
    Task<Reply<BillingInputs>> GetHypotheticalInputs(Read read, Terms terms);
}
