using System.Collections.Immutable;
using System.Text.Json.Serialization;
using NodaTime;

namespace AgencyPlatform.Domain.Capacity;

public enum CapacityRequestState
{
    /// <summary>It waits on the lists of its CMOs.</summary>
    Waiting,

    /// <summary>One CMO was first; what becomes of that hold is between its caller and the CMO.</summary>
    Offered,

    /// <summary>Its caller withdrew it.</summary>
    Withdrawn,

    /// <summary>Its start has come, wherever on earth.</summary>
    Lapsed,
}

public enum CandidateState
{
    /// <summary>To be put on the CMO's list.</summary>
    Joining,

    /// <summary>On the CMO's list.</summary>
    Waiting,

    /// <summary>The CMO's list refused it.</summary>
    Refused,

    /// <summary>This CMO offers the hold.</summary>
    Offering,

    /// <summary>Off the CMO's list again.</summary>
    Left,
}

/// <param name="Refusal">Why the CMO's list refused it, as a word of <see cref="Reasons"/>.</param>
[GenerateSerializer, Immutable, Alias("capacity-request.candidate")]
public sealed record Candidate(CandidateState State, string? Refusal);

/// <summary>
/// A booking that any of several CMOs may take: it waits on the list of each, and whichever is the first to have room offers it. The request decides
/// who was first, since it alone hears of all. Source: domain §2, "any CMO who fits".
/// </summary>
/// <param name="Cmos">In the order in which they are asked, 1 to <see cref="MostCmos"/>.</param>
/// <param name="Offering">The CMO who was first.</param>
/// <param name="Since">When it was made, or was over.</param>
[GenerateSerializer, Immutable, Alias("capacity-request")]
public sealed record CapacityRequest(
    CapacityRequestId Id,
    BookingSpec Spec,
    ImmutableArray<CmoId> Cmos,
    int Priority,
    Duration OfferExpiry,
    CapacityRequestState State,
    ImmutableSortedDictionary<CmoId, Candidate> Candidates,
    CmoId? Offering,
    Instant Since) : IState<CapacityRequest>
{
    public const int MostCmos = 50;

    /// <summary>How long a step may take before it is tried anew.</summary>
    private static readonly Duration s_sagaPatience = Duration.FromSeconds(30);

    public static string Kind => "capacity-request";

    public static int FoldVersion => 1;

    public static CapacityRequest Initial { get; } = new(
        default, new BookingSpec(default, null, []), [], 0, Duration.Zero, CapacityRequestState.Waiting, ImmutableSortedDictionary<CmoId, Candidate>.Empty, null, default);

    [JsonIgnore]
    public bool Exists => Id.Value is not null;

    /// <summary>The start of its first day has come in every time zone: each CMO's list has taken its entry off by then.</summary>
    private Instant LapsesAt => Spec.Steps[0].Dates.Start.AtMidnight().InUtc().ToInstant() + Duration.FromHours(12);

    [JsonIgnore]
    public Instant? NextDue => !Exists ? null
        : NextStep() is not null ? Since + s_sagaPatience
        : State == CapacityRequestState.Waiting ? LapsesAt
        : null;

    public ImmutableArray<IEvent> Settle(Instant now) =>
        Exists && State == CapacityRequestState.Waiting && LapsesAt <= now ? [new CapacityRequestOver(CapacityRequestState.Lapsed, LapsesAt)] : [];

    // ---- decisions ----

    public Decision Create(CreateCapacityRequest c, Instant now)
    {
        if (Exists)
        {
            return Rejection.AlreadyExists("capacity_request", c.Id.Value);
        }

        return c.Spec.Violations() is { Length: > 0 } wrong
            ? Rejection.Invalid(wrong.AsSpan())
            : Decision.Accept(new CapacityRequested(c.Id, c.Spec, c.Cmos, c.Priority, c.OfferExpiry, now));
    }

    public Decision Withdraw(Instant now) =>
        !Exists ? Rejection.NotFound("capacity_request", Id.Value ?? "")
        : State == CapacityRequestState.Withdrawn ? Decision.Nothing
        : State == CapacityRequestState.Waiting ? Decision.Accept(new CapacityRequestOver(CapacityRequestState.Withdrawn, now))
        : Rejection.Rule(
            Reasons.CapacityRequestOver, $"The request '{Id}' is over: it is {State}. Decline its offer instead, or make a new request.",
            ("capacity_request", Id.Value), ("state", State.ToString()));

    /// <summary>A CMO has room and asks whether it is the first. It is when nobody was before, also when it asks again.</summary>
    public Decision Offer(CmoId cmo, Instant now) =>
        Exists && State == CapacityRequestState.Waiting && Cmos.Contains(cmo) ? Decision.Accept(new CapacityRequestOffered(cmo, now)) : Decision.Nothing;

    /// <summary>What is to be done next with one CMO; null: nothing.</summary>
    public CapacityRequestStep? NextStep()
    {
        foreach (var cmo in Cmos)
        {
            switch (Candidates[cmo].State)
            {
                case CandidateState.Joining when State == CapacityRequestState.Waiting:
                    return new CapacityRequestStep(cmo, Join: true);

                // One that was to join may have: the answer can have been lost.
                case CandidateState.Joining or CandidateState.Waiting when State is CapacityRequestState.Offered or CapacityRequestState.Withdrawn:
                    return new CapacityRequestStep(cmo, Join: false);
            }
        }

        return null;
    }

    public Decision Record(CapacityRequestStep step, Rejection? refusal) =>
        NextStep() != step ? Decision.Nothing
        : step.Join ? Decision.Accept(new CandidateJoined(step.Cmo, refusal?.Reason))
        : Decision.Accept(new CandidateLeft(step.Cmo));

    // ---- fold ----

    public CapacityRequest Apply(IEvent @event) => @event switch
    {
        CapacityRequested e => this with
        {
            Id = e.Id,
            Spec = e.Spec,
            Cmos = e.Cmos,
            Priority = e.Priority,
            OfferExpiry = e.OfferExpiry,
            Candidates = e.Cmos.ToImmutableSortedDictionary(cmo => cmo, _ => new Candidate(CandidateState.Joining, null)),
            Since = e.At,
        },
        CandidateJoined e => With(e.Cmo, new Candidate(e.Refusal is null ? CandidateState.Waiting : CandidateState.Refused, e.Refusal)),
        CandidateLeft e => With(e.Cmo, new Candidate(CandidateState.Left, null)),
        CapacityRequestOffered e => With(e.Cmo, new Candidate(CandidateState.Offering, null)) with { State = CapacityRequestState.Offered, Offering = e.Cmo, Since = e.At },
        CapacityRequestOver e => this with { State = e.State, Since = e.At },
        NothingChanged => this,
        _ => throw new InvalidOperationException($"A capacity request does not know {@event.GetType().Name}."),
    };

    private CapacityRequest With(CmoId cmo, Candidate candidate) => this with { Candidates = Candidates.SetItem(cmo, candidate) };

    public IEnumerable<RowChange> Project(IEvent @event, EventInfo info) => [];
}

/// <summary>One step of a request's saga with one CMO: put its entry on the list, or take it off.</summary>
public sealed record CapacityRequestStep(CmoId Cmo, bool Join);

// ---- commands ----

/// <param name="Cmos">1 to <see cref="CapacityRequest.MostCmos"/>, each once.</param>
/// <param name="Priority">0–100, the highest first, on each list.</param>
/// <param name="OfferExpiry">How long the offer stands, above 0 and at most 30 days.</param>
[GenerateSerializer, Immutable, Alias("capacity-request.create")]
public sealed record CreateCapacityRequest(CapacityRequestId Id, BookingSpec Spec, ImmutableArray<CmoId> Cmos, int Priority, Duration OfferExpiry);

// ---- events ----

[Event("capacity-request.created"), GenerateSerializer, Immutable, Alias("capacity-request.created")]
public sealed record CapacityRequested(CapacityRequestId Id, BookingSpec Spec, ImmutableArray<CmoId> Cmos, int Priority, Duration OfferExpiry, Instant At) : IEvent;

/// <param name="Refusal">Why the CMO's list refused it; null: it is on the list.</param>
[Event("capacity-request.candidate-joined"), GenerateSerializer, Immutable, Alias("capacity-request.candidate-joined")]
public sealed record CandidateJoined(CmoId Cmo, string? Refusal) : IEvent;

[Event("capacity-request.candidate-left"), GenerateSerializer, Immutable, Alias("capacity-request.candidate-left")]
public sealed record CandidateLeft(CmoId Cmo) : IEvent;

/// <summary>The first CMO to have room.</summary>
[Event("capacity-request.offered"), GenerateSerializer, Immutable, Alias("capacity-request.offered")]
public sealed record CapacityRequestOffered(CmoId Cmo, Instant At) : IEvent;

/// <summary>Over without an offer: withdrawn or lapsed.</summary>
[Event("capacity-request.over"), GenerateSerializer, Immutable, Alias("capacity-request.over")]
public sealed record CapacityRequestOver(CapacityRequestState State, Instant At) : IEvent;
