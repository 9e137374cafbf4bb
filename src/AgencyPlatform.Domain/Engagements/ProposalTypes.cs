using System.Collections.Immutable;
using AgencyPlatform.Domain.Clients;
using NodaTime;

namespace AgencyPlatform.Domain.Engagements;

/// <summary>What is known of the current proposal besides its state, signatures and agreements. A revision starts it anew, but for the comments.</summary>
/// <param name="Need">Who must sign it; null: as many as the plan says, any decision makers.</param>
/// <param name="Monthly">The amount that the client's rule looked at; null: nobody has stated one.</param>
/// <param name="Plan">The plan as it was last proposed; null: never yet.</param>
/// <param name="Changes">What that differs in from the revision before.</param>
/// <param name="Comments">The newest, oldest first.</param>
/// <param name="Asked">The CMOs who were asked to agree, or declined.</param>
/// <param name="FreesHolds">Whether the members' holds are released when it ends without an activation.</param>
/// <param name="ToFree">The holds that are still to be released, since <paramref name="ClosedAt"/>.</param>
/// <param name="TimeZone">The agency's, by which it falls due on a date.</param>
/// <param name="Holds">What the members' holds were for when it was proposed; of holds that were not there, and in journals of before, nothing.</param>
[GenerateSerializer, Immutable, Alias("engagement.proposal")]
public sealed record Proposal(
    SignOffNeed? Need,
    Money? Monthly,
    EngagementPlan? Plan,
    ImmutableArray<FieldChange> Changes,
    ImmutableArray<Comment> Comments,
    ImmutableSortedDictionary<CmoId, AgreementRequest> Asked,
    bool FreesHolds,
    ImmutableSortedDictionary<CmoId, BookingId> ToFree,
    Instant? ClosedAt,
    string TimeZone,
    ImmutableArray<BookedSteps> Holds)
{
    public const int MostComments = 100;

    public static Proposal None { get; } = new(
        null, null, null, [], [], ImmutableSortedDictionary<CmoId, AgreementRequest>.Empty, false, ImmutableSortedDictionary<CmoId, BookingId>.Empty, null, "UTC", []);

    /// <summary>The same, over without an activation: what is to be freed now.</summary>
    public Proposal Closed(EngagementPlan plan, Instant? at) => FreesHolds && at is not null
        ? this with { ToFree = plan.Members.Where(m => m.Hold is not null).ToImmutableSortedDictionary(m => m.Cmo, m => m.Hold!.Value), ClosedAt = at }
        : this;

    public Proposal Answered(CmoId cmo, AgreementAnswer answer, string reason) => this with
    {
        Asked = Asked.SetItem(cmo, (Asked.GetValueOrDefault(cmo) ?? new AgreementRequest(null, null, AgreementAnswer.None, "")) with { Answer = answer, Reason = reason }),
    };

    public Proposal With(Comment comment) => this with { Comments = [.. Comments.Skip(Math.Max(0, Comments.Length + 1 - MostComments)), comment] };
}

/// <summary>One field that a revision changed.</summary>
/// <param name="Field">Its path in the plan, for example <c>terms.fee</c> or <c>members[ada].role</c>.</param>
/// <param name="Before">As text; empty: it was not there.</param>
/// <param name="After">As text; empty: it is not there any more.</param>
[GenerateSerializer, Immutable, Alias("engagement.field-change")]
public sealed record FieldChange(string Field, string Before, string After);

/// <param name="Person">The stakeholder who says it; null: somebody of the agency.</param>
/// <param name="Revision">The revision that it is about; 0: a draft that was never proposed.</param>
[GenerateSerializer, Immutable, Alias("engagement.comment")]
public sealed record Comment(PersonId? Person, int Revision, string Text, Instant At);

/// <summary>What became of asking a CMO.</summary>
public enum AgreementAnswer
{
    /// <summary>Not answered yet.</summary>
    None,

    /// <summary>Agreed: see the agreements.</summary>
    Agreed,

    /// <summary>Declined, with a reason.</summary>
    Declined,

    /// <summary>Not answered in time.</summary>
    Lapsed,
}

/// <summary>A CMO was asked to agree to the current revision.</summary>
/// <param name="AskedAt">Null: declined unasked.</param>
/// <param name="ExpiresAt">From then on there is no answering it; null: it does not lapse.</param>
/// <param name="Reason">Why the CMO declined; empty otherwise.</param>
[GenerateSerializer, Immutable, Alias("engagement.agreement-request")]
public sealed record AgreementRequest(Instant? AskedAt, Instant? ExpiresAt, AgreementAnswer Answer, string Reason);

// ---- commands ----

/// <param name="Person">The stakeholder who says it; null: somebody of the agency.</param>
/// <param name="Text">1–1,000 characters; no personal data, it stays in the history.</param>
[GenerateSerializer, Immutable, Alias("engagement.comment-on")]
public sealed record CommentOnEngagement(PersonId? Person, string Text);

/// <summary>Asks members to agree to the current revision; asking again replaces the question before.</summary>
/// <param name="Cmos">Empty: all who have not agreed and whose agreement the plan does not waive.</param>
/// <param name="ExpiresAt">By when they must answer; null: no matter when.</param>
[GenerateSerializer, Immutable, Alias("engagement.request-agreement")]
public sealed record RequestAgreement(ImmutableArray<CmoId> Cmos, Instant? ExpiresAt);

/// <param name="Revision">The revision that was read; 0: whichever is current.</param>
/// <param name="Reason">1–1,000 characters; no personal data.</param>
[GenerateSerializer, Immutable, Alias("engagement.decline-as-cmo")]
public sealed record DeclineAsCmo(CmoId Cmo, int Revision, string Reason);

// ---- events ----

[Event("engagement.commented"), GenerateSerializer, Immutable, Alias("engagement.commented")]
public sealed record EngagementCommented(PersonId? Person, int Revision, string Text, Instant At, long ClientVersion) : IEvent;

[Event("engagement.agreement-requested"), GenerateSerializer, Immutable, Alias("engagement.agreement-requested")]
public sealed record AgreementRequested(CmoId Cmo, int Revision, Instant? ExpiresAt, Instant At) : IEvent;

/// <summary>The CMO does not agree, or no longer.</summary>
[Event("engagement.cmo-declined"), GenerateSerializer, Immutable, Alias("engagement.cmo-declined")]
public sealed record CmoDeclined(CmoId Cmo, int Revision, string Reason, Instant At) : IEvent;

/// <summary>The CMO did not answer in time.</summary>
[Event("engagement.agreement-lapsed"), GenerateSerializer, Immutable, Alias("engagement.agreement-lapsed")]
public sealed record AgreementLapsed(CmoId Cmo, int Revision, Instant At) : IEvent;

/// <summary>A hold of a proposal that ended is released, or was gone already.</summary>
[Event("engagement.hold-freed"), GenerateSerializer, Immutable, Alias("engagement.hold-freed")]
public sealed record HoldFreed(CmoId Cmo, BookingId Booking) : IEvent;
