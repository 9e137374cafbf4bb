using System.Collections.Immutable;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using NodaTime;

namespace AgencyPlatform.Domain.Engagements;

/// <summary>What kind of service an engagement is. Source: domain §1.</summary>
public enum ServiceType
{
    /// <summary>Part-time leadership on retainer.</summary>
    FractionalCmo,

    /// <summary>Full time for a limited period.</summary>
    InterimCmo,

    /// <summary>Strategy and recommendations; execution by others.</summary>
    Consultant,

    /// <summary>Training material and accountability; no implementation.</summary>
    Coach,

    /// <summary>Hands-on delivery.</summary>
    AgencyExecution,
}

/// <summary>Where an engagement stands. The moves between are in domain §3.</summary>
public enum EngagementState
{
    /// <summary>Being written; nothing is promised.</summary>
    Draft,

    /// <summary>Before the client's decision makers.</summary>
    Proposed,

    /// <summary>Signed by as many decision makers as needed.</summary>
    Accepted,

    /// <summary>Every member is booked; time is logged from the start on.</summary>
    Active,

    /// <summary>No time is accepted until it is resumed.</summary>
    Paused,

    /// <summary>Tapering off to an in-house hire.</summary>
    Transitioning,

    /// <summary>Over on its end date.</summary>
    Ended,

    /// <summary>Refused by the client.</summary>
    Declined,

    /// <summary>Taken back by the agency.</summary>
    Withdrawn,

    /// <summary>The proposal's time ran out.</summary>
    Expired,
}

/// <summary>A CMO or specialist of an engagement, with a booking of their own.</summary>
/// <param name="Role">What they do in it, for example <c>lead</c> or <c>content</c>; may be empty.</param>
/// <param name="Steps">What is booked at activation; empty when <paramref name="Hold"/> is given.</param>
/// <param name="Hold">A hold made for the proposal: taken over at activation, with the hold's own steps.</param>
/// <param name="AgreementWaived">The CMO's own terms waive their agreement (domain §3).</param>
[GenerateSerializer, Immutable, Alias("engagement.member")]
public sealed record EngagementMember(CmoId Cmo, string Role, ImmutableArray<BookingStep> Steps, BookingId? Hold, bool AgreementWaived);

/// <summary>What is proposed: all that a draft may still change, apart from the client.</summary>
/// <param name="Title">1–200 characters; no personal data.</param>
/// <param name="Lead">One of the members.</param>
/// <param name="Terms">The initial terms, effective from the start.</param>
/// <param name="End">Exclusive; null: open.</param>
/// <param name="BillingStartsOn">The first billed day when it is not the start.</param>
/// <param name="SignaturesNeeded">k of the client's decision makers must sign, 1–20; the client's own rule may ask for more.</param>
/// <param name="Term">For how long it is agreed; null: from the start to the end, without renewal or notice.</param>
[GenerateSerializer, Immutable, Alias("engagement.plan")]
public sealed record EngagementPlan(
    string Title,
    ServiceType ServiceType,
    CmoId Lead,
    ImmutableArray<EngagementMember> Members,
    Terms Terms,
    LocalDate Start,
    LocalDate? End,
    LocalDate? BillingStartsOn,
    int SignaturesNeeded,
    ImmutableSortedDictionary<string, string> Labels,
    ImmutableSortedDictionary<string, string> ExternalIds,
    TermRules? Term = null)
{
    public const int MostMembers = 20;
    public const int MostSignatures = 20;

    /// <summary>Every part that is wrong in itself, by path.</summary>
    /// <param name="path">Where the plan stands in the request.</param>
    public ImmutableArray<FieldViolation> Violations(string path = "engagement")
    {
        var wrong = ImmutableArray.CreateBuilder<FieldViolation>();
        Check(Members.Length is >= 1 and <= MostMembers, $"{path}.members", $"must be 1 to {MostMembers} members");
        Check(Members.Select(m => m.Cmo).Distinct().Count() == Members.Length, $"{path}.members", "must have each CMO once");
        Check(Members.Any(m => m.Cmo == Lead), $"{path}.lead", "must be one of the members");
        Check(End is not { } end || end > Start, $"{path}.end_date", $"must be after the start {Start:uuuu-MM-dd} (the end is exclusive)");
        Check(BillingStartsOn is not { } billing || (billing >= Start && (End is not { } e || billing < e)), $"{path}.billing_start_date", "must be a day of the engagement");
        Check(SignaturesNeeded is >= 1 and <= MostSignatures, $"{path}.signatures_needed", $"must be 1 to {MostSignatures}");
        Check(Terms.EffectiveFrom == Start, $"{path}.terms[0].effective_date", "must be the start date");
        wrong.AddRange(Term?.Violations(path, Start, End) ?? []);
        for (var i = 0; i < Members.Length; i++)
        {
            var (member, steps) = (Members[i], $"{path}.members[{i}].steps");
            if (member.Hold is not null)
            {
                Check(member.Steps.IsEmpty, steps, "none when a hold is named: the hold's steps count");
                continue;
            }

            wrong.AddRange(new BookingSpec(default, null, member.Steps).Violations(steps));
            for (var j = 0; j < member.Steps.Length; j++)
            {
                var dates = member.Steps[j].Dates;
                Check(dates.Start >= Start, $"{steps}[{j}].start_date", $"must be on or after the engagement's start {Start:uuuu-MM-dd}");
                Check(End is not { } last || (dates.End is { } stepEnd && stepEnd <= last), $"{steps}[{j}].end_date", "must be on or before the engagement's end");
            }
        }

        return wrong.ToImmutable();

        void Check(bool right, string field, string rule)
        {
            if (!right)
            {
                wrong.Add(new FieldViolation(field, rule));
            }
        }
    }
}

/// <summary>How far a member's booking is.</summary>
public enum MemberPhase
{
    /// <summary>A hold placed by the activation.</summary>
    Placed,

    /// <summary>The proposal's hold, taken over by the activation.</summary>
    TakenOver,

    /// <summary>Confirmed.</summary>
    Booked,

    /// <summary>Shortened to the engagement's end.</summary>
    Ended,
}

/// <summary>A member's booking with their CMO.</summary>
/// <param name="Steps">All that is booked; null: a hold was taken over by a program that did not record its steps.</param>
[GenerateSerializer, Immutable, Alias("engagement.member-booking")]
public sealed record MemberBooking(BookingId Booking, MemberPhase Phase, ImmutableArray<BookingStep>? Steps = null);

/// <param name="Person">The decision maker whose signature of the current revision it is.</param>
/// <param name="By">The delegate who gave it in their place; null: they themselves.</param>
[GenerateSerializer, Immutable, Alias("engagement.signature")]
public sealed record Signature(PersonId Person, Instant At, PersonId? By = null);

/// <summary>An activation, an ending or another move under way.</summary>
/// <param name="Request">The request that started it and waits for its end.</param>
/// <param name="Refusal">Set when a CMO refused and the move is being taken back.</param>
/// <param name="End">Set when the engagement is being ended: the date.</param>
/// <param name="Move">Set when it is a move of the running engagement.</param>
[GenerateSerializer, Immutable, Alias("engagement.saga")]
public sealed record EngagementSaga(Guid Request, Instant StartedAt, Rejection? Refusal, LocalDate? End, RunningMove? Move = null);

/// <summary>How a move that is a saga came out: the request's remembered answer.</summary>
[GenerateSerializer, Immutable, Alias("engagement.saga-outcome")]
public sealed record SagaOutcome(Guid Request, Rejection? Refusal);

/// <summary>What is done next with one member; free is no saga's step, but what a proposal's end leaves to do.</summary>
public enum SagaAction { TakeOver, Place, GiveBack, Release, Confirm, End, Free }

[GenerateSerializer, Immutable, Alias("engagement.saga-step")]
public sealed record SagaStep(SagaAction Action, CmoId Cmo, BookingId Booking, Guid Request);

// ---- commands ----

[GenerateSerializer, Immutable, Alias("engagement.create")]
public sealed record CreateEngagement(EngagementId Id, ClientCompanyId Client, EngagementPlan Plan);

/// <summary>The whole plan, in place of the draft's.</summary>
[GenerateSerializer, Immutable, Alias("engagement.update")]
public sealed record UpdateEngagement(EngagementPlan Plan);

/// <param name="Labels">Null: as they are.</param>
/// <param name="ExternalIds">Null: as they are.</param>
[GenerateSerializer, Immutable, Alias("engagement.relabel")]
public sealed record RelabelEngagement(ImmutableSortedDictionary<string, string>? Labels, ImmutableSortedDictionary<string, string>? ExternalIds);

/// <param name="ExpiresAt">When the proposal lapses; null: never.</param>
/// <param name="FreesHolds">Whether the holds that its members name are released when it lapses, is declined or withdrawn; otherwise they stand until they expire themselves.</param>
[GenerateSerializer, Immutable, Alias("engagement.propose")]
public sealed record ProposeEngagement(Instant? ExpiresAt, bool FreesHolds = false);

/// <param name="Revision">The revision that was read; 0: whichever is current.</param>
/// <param name="By">The delegate who signs in the decision maker's place; null: they themselves.</param>
[GenerateSerializer, Immutable, Alias("engagement.sign")]
public sealed record SignEngagement(PersonId Person, int Revision, PersonId? By = null);

/// <summary>Why it is declined or withdrawn.</summary>
/// <param name="Reason">For the record; no personal data; may be empty.</param>
/// <param name="Person">The decision maker who declines; null: not said, and always when it is withdrawn.</param>
/// <param name="By">The delegate who declines in their place.</param>
/// <param name="Revision">The revision that was read; 0: whichever is current.</param>
[GenerateSerializer, Immutable, Alias("engagement.close-proposal")]
public sealed record CloseProposal(string Reason, PersonId? Person = null, PersonId? By = null, int Revision = 0);

/// <param name="Cmo">The member whose agreement is recorded.</param>
/// <param name="Revision">The revision that was read; 0: whichever is current.</param>
[GenerateSerializer, Immutable, Alias("engagement.agree")]
public sealed record AgreeAsCmo(CmoId Cmo, int Revision);

/// <param name="End">The first day that is no longer served.</param>
/// <param name="NoticeWaived">Why the term's notice is waived, no personal data; null: it is not.</param>
[GenerateSerializer, Immutable, Alias("engagement.end")]
public sealed record EndEngagement(LocalDate End, string? NoticeWaived = null);

// ---- events ----

[Event("engagement.created"), GenerateSerializer, Immutable, Alias("engagement.created")]
public sealed record EngagementCreated(EngagementId Id, ClientCompanyId Client, EngagementPlan Plan) : IEvent;

/// <param name="Before">The external ids that it had.</param>
/// <param name="MembersBefore">The members that it had.</param>
[Event("engagement.updated"), GenerateSerializer, Immutable, Alias("engagement.updated")]
public sealed record EngagementUpdated(EngagementPlan Plan, ImmutableSortedDictionary<string, string> Before, ImmutableArray<CmoId> MembersBefore) : IEvent;

/// <summary>The agency's own marks changed, in whatever state.</summary>
/// <param name="Before">The external ids that it had.</param>
[Event("engagement.relabelled"), GenerateSerializer, Immutable, Alias("engagement.relabelled")]
public sealed record EngagementRelabelled(
    ImmutableSortedDictionary<string, string> Labels, ImmutableSortedDictionary<string, string> ExternalIds, ImmutableSortedDictionary<string, string> Before) : IEvent;

/// <param name="DecisionMakers">How many the client company had: n of k of n.</param>
/// <param name="Need">Who must sign, by the client's rule as it was; null in journals of before: as many as the plan says.</param>
/// <param name="Monthly">The amount that the rule looked at.</param>
/// <param name="Changes">What is different from the revision before.</param>
/// <param name="TimeZone">The agency's.</param>
/// <param name="Holds">What the members' holds were for: what is signed, and what the activation must find.</param>
[Event("engagement.proposed"), GenerateSerializer, Immutable, Alias("engagement.proposed")]
public sealed record EngagementProposed(
    int Revision, Instant? ExpiresAt, int DecisionMakers, long ClientVersion, SignOffNeed? Need = null, Money? Monthly = null, ImmutableArray<FieldChange>? Changes = null,
    bool FreesHolds = false, string? TimeZone = null, ImmutableArray<BookedSteps>? Holds = null) : IEvent;

/// <summary>Taken back into a draft; signatures and agreements of the revision are void.</summary>
[Event("engagement.revised"), GenerateSerializer, Immutable, Alias("engagement.revised")]
public sealed record EngagementRevised(int Revision) : IEvent;

[Event("engagement.signed"), GenerateSerializer, Immutable, Alias("engagement.signed")]
public sealed record EngagementSigned(PersonId Person, int Revision, Instant At, long ClientVersion, PersonId? By = null) : IEvent;

[Event("engagement.accepted"), GenerateSerializer, Immutable, Alias("engagement.accepted")]
public sealed record EngagementAccepted(int Revision) : IEvent;

[Event("engagement.cmo-agreed"), GenerateSerializer, Immutable, Alias("engagement.cmo-agreed")]
public sealed record CmoAgreed(CmoId Cmo, int Revision, Instant At) : IEvent;

[Event("engagement.declined"), GenerateSerializer, Immutable, Alias("engagement.declined")]
public sealed record EngagementDeclined(string Reason, PersonId? Person = null, PersonId? By = null, long ClientVersion = 0, Instant? At = null) : IEvent;

[Event("engagement.withdrawn"), GenerateSerializer, Immutable, Alias("engagement.withdrawn")]
public sealed record EngagementWithdrawn(string Reason, Instant? At = null) : IEvent;

[Event("engagement.expired"), GenerateSerializer, Immutable, Alias("engagement.expired")]
public sealed record EngagementExpired(Instant At) : IEvent;

/// <param name="TimeZone">The seller's: when a period of the meter begins and ends; null in journals of before: UTC.</param>
/// <param name="Waived">The CMOs whose own terms waive their agreement, with the version that said so.</param>
[Event("engagement.activation-started"), GenerateSerializer, Immutable, Alias("engagement.activation-started")]
public sealed record ActivationStarted(Guid Request, Instant At, string? TimeZone = null, ImmutableSortedDictionary<CmoId, long>? Waived = null) : IEvent;

/// <summary>A member's capacity is held for the engagement, without expiry.</summary>
/// <param name="TakenOver">The proposal's hold was taken over; otherwise the activation placed one.</param>
/// <param name="Steps">Of a hold that was taken over; null in journals of before.</param>
[Event("engagement.member-held"), GenerateSerializer, Immutable, Alias("engagement.member-held")]
public sealed record MemberHeld(CmoId Cmo, BookingId Booking, bool TakenOver, ImmutableArray<BookingStep>? Steps = null) : IEvent;

/// <summary>A member's capacity was refused: what is held is taken back next.</summary>
[Event("engagement.member-refused"), GenerateSerializer, Immutable, Alias("engagement.member-refused")]
public sealed record MemberRefused(CmoId Cmo, Rejection Rejection) : IEvent;

/// <summary>A member's hold was released, or has its old expiry back.</summary>
[Event("engagement.member-freed"), GenerateSerializer, Immutable, Alias("engagement.member-freed")]
public sealed record MemberFreed(CmoId Cmo) : IEvent;

[Event("engagement.activation-refused"), GenerateSerializer, Immutable, Alias("engagement.activation-refused")]
public sealed record ActivationRefused(Guid Request, Rejection Rejection) : IEvent;

[Event("engagement.member-booked"), GenerateSerializer, Immutable, Alias("engagement.member-booked")]
public sealed record MemberBooked(CmoId Cmo) : IEvent;

[Event("engagement.activated"), GenerateSerializer, Immutable, Alias("engagement.activated")]
public sealed record EngagementActivated(Guid Request, LocalDate EffectiveFrom) : IEvent;

/// <param name="NoticeWaived">Why the term's notice was waived; null: it was not, or none was due.</param>
[Event("engagement.end-started"), GenerateSerializer, Immutable, Alias("engagement.end-started")]
public sealed record EndStarted(Guid Request, LocalDate End, Instant At, string? NoticeWaived = null) : IEvent;

[Event("engagement.member-ended"), GenerateSerializer, Immutable, Alias("engagement.member-ended")]
public sealed record MemberEnded(CmoId Cmo) : IEvent;

/// <summary>The day of the end is agreed and still to come: bookings are cut off there, and until then the engagement goes on.</summary>
[Event("engagement.end-agreed"), GenerateSerializer, Immutable, Alias("engagement.end-agreed")]
public sealed record EndAgreed(Guid Request, LocalDate End) : IEvent;

[Event("engagement.ended"), GenerateSerializer, Immutable, Alias("engagement.ended")]
public sealed record EngagementEnded(Guid Request, LocalDate End) : IEvent;

// ---- read models ----

/// <summary>The list of engagements.</summary>
[RowTable("engagements", nameof(Id), Indexes = [nameof(Client)])]
public sealed record EngagementRow(
    EngagementId Id, ClientCompanyId Client, CmoId Lead, EngagementState State, ServiceType ServiceType, string Title, LocalDate Start, LocalDate? End) : IRow;

/// <summary>The engagements of a CMO.</summary>
[RowTable("engagement_members", nameof(Cmo), nameof(Id))]
public sealed record EngagementMemberRow(CmoId Cmo, EngagementId Id, ClientCompanyId Client, EngagementState State) : IRow;
