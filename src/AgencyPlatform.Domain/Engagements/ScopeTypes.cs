using System.Collections.Immutable;
using System.Text.Json.Serialization;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using NodaTime;

namespace AgencyPlatform.Domain.Engagements;

/// <summary>Where a change of scope stands.</summary>
public enum ScopeState
{
    /// <summary>Before the client's decision makers.</summary>
    Proposed,

    /// <summary>Signed by as many as needed.</summary>
    Accepted,

    /// <summary>Every booking is changed.</summary>
    Applied,

    /// <summary>Refused by the client.</summary>
    Declined,

    /// <summary>Taken back by the agency.</summary>
    Withdrawn,

    /// <summary>Its time ran out.</summary>
    Expired,
}

/// <summary>Who works from a date on.</summary>
/// <param name="Steps">All that is booked from the date on; empty: as it is.</param>
/// <param name="AgreementWaived">The CMO's own terms waive their agreement.</param>
[GenerateSerializer, Immutable, Alias("engagement.scope-member")]
public sealed record ScopeMember(CmoId Cmo, string Role, ImmutableArray<BookingStep> Steps, bool AgreementWaived);

/// <summary>What an engagement is to be from a date on.</summary>
/// <param name="From">The first day of the new scope.</param>
/// <param name="Lead">Null: as it is.</param>
/// <param name="Members">Everybody who works from the date on; empty: as they are.</param>
/// <param name="Terms">Effective from the date; null: as they are.</param>
/// <param name="Note">For the record; no personal data; may be empty.</param>
[GenerateSerializer, Immutable, Alias("engagement.scope-proposal")]
public sealed record ScopeProposal(LocalDate From, CmoId? Lead, ImmutableArray<ScopeMember> Members, Terms? Terms, string Note);

/// <summary>A change of scope, from its proposal on.</summary>
/// <param name="Number">Of the engagement's proposals of a change, from 1.</param>
/// <param name="MustAgree">CMOs whose agreement it needs: those who come, and those of whom more is asked.</param>
/// <param name="Need">Who must sign; null in changes of before there were rules: as many as the engagement asks for.</param>
/// <param name="Monthly">The highest monthly equivalent that the rule looked at; null: nobody has stated it.</param>
[GenerateSerializer, Immutable, Alias("engagement.scope-change")]
public sealed record ScopeChange(
    int Number, ScopeProposal Proposal, ScopeState State, Instant? ExpiresAt, ImmutableArray<Signature> Signatures, ImmutableArray<CmoId> MustAgree,
    ImmutableSortedDictionary<CmoId, Instant> Agreements, string CloseReason, SignOffNeed? Need = null, Money? Monthly = null)
{
    [JsonIgnore]
    public bool IsOpen => State is ScopeState.Proposed or ScopeState.Accepted;

    /// <summary>Who must sign.</summary>
    public SignOffNeed SignOffNeed(EngagementPlan plan) => Need ?? Clients.SignOffNeed.Any(plan.SignaturesNeeded);
}

/// <summary>Somebody who worked for the engagement and left.</summary>
[GenerateSerializer, Immutable, Alias("engagement.former-member")]
public sealed record FormerMember(CmoId Cmo, string Role, DateRange Dates);

// ---- commands ----

/// <param name="ExpiresAt">When the proposal lapses; null: never.</param>
[GenerateSerializer, Immutable, Alias("engagement.propose-scope")]
public sealed record ProposeScope(ScopeProposal Proposal, Instant? ExpiresAt);

/// <param name="Person">The decision maker whose signature it is.</param>
/// <param name="Number">The change that was read; 0: whichever is the latest.</param>
/// <param name="By">Who signs in their place; null: they themselves.</param>
[GenerateSerializer, Immutable, Alias("engagement.sign-scope")]
public sealed record SignScope(PersonId Person, int Number, PersonId? By = null);

/// <param name="Number">The change that was read; 0: whichever is the latest.</param>
[GenerateSerializer, Immutable, Alias("engagement.agree-scope")]
public sealed record AgreeToScope(CmoId Cmo, int Number);

/// <param name="ByClient">Declined by the client; otherwise withdrawn by the agency.</param>
/// <param name="Reason">For the record; no personal data; may be empty.</param>
/// <param name="Cmo">Declined by this CMO, who is asked to agree; null: by the client or the agency.</param>
[GenerateSerializer, Immutable, Alias("engagement.close-scope")]
public sealed record CloseScope(int Number, bool ByClient, string Reason, CmoId? Cmo = null);

/// <param name="Number">The change that was read; 0: whichever is the latest.</param>
[GenerateSerializer, Immutable, Alias("engagement.apply-scope")]
public sealed record ApplyScope(int Number);

// ---- events ----

/// <param name="ClientVersion">The client company's, whose decision makers were counted.</param>
[Event("engagement.scope-proposed"), GenerateSerializer, Immutable, Alias("engagement.scope-proposed")]
public sealed record ScopeProposed(int Number, ScopeProposal Proposal, Instant? ExpiresAt, ImmutableArray<CmoId> MustAgree, int DecisionMakers, long ClientVersion, SignOffNeed? Need = null, Money? Monthly = null) : IRunningEvent;

[Event("engagement.scope-signed"), GenerateSerializer, Immutable, Alias("engagement.scope-signed")]
public sealed record ScopeSigned(PersonId Person, int Number, Instant At, long ClientVersion, PersonId? By = null) : IRunningEvent;

[Event("engagement.scope-accepted"), GenerateSerializer, Immutable, Alias("engagement.scope-accepted")]
public sealed record ScopeAccepted(int Number) : IRunningEvent;

[Event("engagement.scope-agreed"), GenerateSerializer, Immutable, Alias("engagement.scope-agreed")]
public sealed record ScopeAgreed(CmoId Cmo, int Number, Instant At) : IRunningEvent;

/// <param name="State">Declined, withdrawn or expired.</param>
/// <param name="Cmo">The CMO who declined; null: the client did, or it was not declined.</param>
[Event("engagement.scope-closed"), GenerateSerializer, Immutable, Alias("engagement.scope-closed")]
public sealed record ScopeClosed(int Number, ScopeState State, string Reason, CmoId? Cmo = null) : IRunningEvent;

/// <summary>The new scope is booked.</summary>
[Event("engagement.scope-changed"), GenerateSerializer, Immutable, Alias("engagement.scope-changed")]
public sealed record ScopeChanged(Guid Request, int Number, ScopeProposal Proposal) : MoveEnd(Request);
