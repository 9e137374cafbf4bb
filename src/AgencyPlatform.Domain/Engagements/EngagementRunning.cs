using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Capacity;
using NodaTime;

namespace AgencyPlatform.Domain.Engagements;

/// <summary>What the moves of a running engagement have made of it. Source: domain §3, docs/running-engagements.md.</summary>
/// <param name="Pauses">In order of their dates; only the last may be open.</param>
/// <param name="Scope">The latest proposed change of scope; null before the first.</param>
/// <param name="ScopeFrom">The day from which the latest applied one holds; null before the first.</param>
/// <param name="Former">Members who left.</param>
/// <param name="Joined">Since when members work who came after the start.</param>
/// <param name="Transition">The taper to an in-house hire; null when there is none.</param>
[GenerateSerializer, Immutable, Alias("engagement.running")]
public sealed record EngagementRunning(
    ImmutableArray<Pause> Pauses, ScopeChange? Scope, LocalDate? ScopeFrom, ImmutableArray<FormerMember> Former, ImmutableSortedDictionary<CmoId, LocalDate> Joined,
    ImmutableSortedDictionary<CoverId, Cover> Covers, Transition? Transition)
{
    public const int MostPauses = 100;
    public const int MostCovers = 500;

    public static EngagementRunning Initial { get; } = new([], null, null, [], ImmutableSortedDictionary<CmoId, LocalDate>.Empty, ImmutableSortedDictionary<CoverId, Cover>.Empty, null);

    /// <summary>The pause that a date lies in; null when none.</summary>
    public Pause? PauseOn(LocalDate date) => Pauses.FirstOrDefault(p => p.Dates.Contains(date));

    /// <summary>The pause that was not resumed yet.</summary>
    [JsonIgnore]
    public Pause? OpenPause => Pauses is [.., { Dates.End: null } open] ? open : null;

    /// <summary>Everybody of the client who signed or consented.</summary>
    public IEnumerable<Signature> People() => [.. Scope?.Signatures ?? [], .. Covers.Values.Select(c => c.ConsentOf).OfType<Signature>()];

    /// <summary>The same with the last pause changed.</summary>
    public EngagementRunning WithLastPause(Func<Pause, Pause> change) => this with { Pauses = Pauses.SetItem(Pauses.Length - 1, change(Pauses[^1])) };
}

/// <summary>No time is accepted on these days.</summary>
/// <param name="Dates">From the pause to its resume; open until then.</param>
/// <param name="KeptUntil">Capacity is kept until this day and freed from it on; null: freed from the pause on.</param>
/// <param name="FreedFrom">The day from which capacity is free; null while it is kept.</param>
/// <param name="Suspended">What was booked at the pause, all of it; empty once resumed.</param>
/// <param name="Agreed">The terms as they are agreed from the pause on, the one in force first; empty once resumed.</param>
[GenerateSerializer, Immutable, Alias("engagement.pause")]
public sealed record Pause(
    DateRange Dates, LocalDate? KeptUntil, LocalDate? FreedFrom, int FeePercent, string Reason, ImmutableArray<BookedSteps> Suspended, ImmutableArray<Terms> Agreed);

/// <summary>What is booked with one member.</summary>
[GenerateSerializer, Immutable, Alias("engagement.booked-steps")]
public sealed record BookedSteps(CmoId Cmo, ImmutableArray<BookingStep> Steps)
{
    /// <summary>Whether the steps are the same, whatever made them.</summary>
    public bool IsFor(ImmutableArray<BookingStep> steps) => JsonSerializer.Serialize(Steps, EventJson.Options) == JsonSerializer.Serialize(steps, EventJson.Options);
}

// ---- the saga that every move of a running engagement is ----

/// <summary>What is done with one booking.</summary>
public enum RebookingForm
{
    /// <summary>There is none yet: one is placed.</summary>
    Place,

    /// <summary>It takes other steps.</summary>
    Swap,

    /// <summary>It is cut off at a date; this cannot be refused.</summary>
    Cut,
}

/// <summary>How far it is.</summary>
public enum RebookingPhase { Open, Held, Done }

/// <summary>One booking that a move changes.</summary>
/// <param name="Steps">All that is booked afterwards; empty: nothing.</param>
/// <param name="CutAt">With <see cref="RebookingForm.Cut"/>: the first day that is free.</param>
/// <param name="Swap">With <see cref="RebookingForm.Swap"/>: the id of the hold that stands beside it meanwhile.</param>
/// <param name="Cover">The cover whose booking it is; null: the member's own.</param>
[GenerateSerializer, Immutable, Alias("engagement.rebooking")]
public sealed record Rebooking(
    CmoId Cmo, BookingId Booking, RebookingForm Form, ImmutableArray<BookingStep> Steps, LocalDate? CutAt = null, BookingId? Swap = null, CoverId? Cover = null,
    RebookingPhase Phase = RebookingPhase.Open);

/// <summary>A move of a running engagement under way.</summary>
/// <param name="End">What has happened when every booking is changed.</param>
[GenerateSerializer, Immutable, Alias("engagement.running-move")]
public sealed record RunningMove(ImmutableArray<Rebooking> Rebookings, MoveEnd End);

public enum RebookingAction { Hold, Undo, Commit }

/// <summary>What the saga does next with one booking.</summary>
public sealed record RebookingStep(int Index, RebookingAction Action, Guid Request);

// ---- commands ----

/// <param name="From">The first day without work.</param>
/// <param name="KeepUntil">Keep the capacity until this day; null: free it from the pause on.</param>
/// <param name="FeePercent">How much of a retainer's fee is charged meanwhile, 0–100.</param>
/// <param name="Reason">For the record; no personal data; may be empty.</param>
[GenerateSerializer, Immutable, Alias("engagement.pause-command")]
public sealed record PauseEngagement(LocalDate From, LocalDate? KeepUntil, int FeePercent, string Reason);

/// <param name="On">The first day with work again.</param>
[GenerateSerializer, Immutable, Alias("engagement.resume-command")]
public sealed record ResumeEngagement(LocalDate On);

// ---- events ----

/// <summary>An event of a running engagement's moves.</summary>
public interface IRunningEvent : IEvent;

/// <summary>A move has begun: no other until it ends.</summary>
[Event("engagement.move-started"), GenerateSerializer, Immutable, Alias("engagement.move-started")]
public sealed record MoveStarted(Guid Request, Instant At, ImmutableArray<Rebooking> Rebookings, MoveEnd End) : IRunningEvent;

/// <summary>The CMO holds what is to be booked.</summary>
/// <param name="Index">Of the move's bookings.</param>
[Event("engagement.rebooking-held"), GenerateSerializer, Immutable, Alias("engagement.rebooking-held")]
public sealed record RebookingHeld(int Index) : IRunningEvent;

/// <summary>The CMO refused what is to be booked: what is held is released next.</summary>
[Event("engagement.rebooking-refused"), GenerateSerializer, Immutable, Alias("engagement.rebooking-refused")]
public sealed record RebookingRefused(int Index, Rejection Rejection) : IRunningEvent;

/// <summary>What was held is released.</summary>
[Event("engagement.rebooking-undone"), GenerateSerializer, Immutable, Alias("engagement.rebooking-undone")]
public sealed record RebookingUndone(int Index) : IRunningEvent;

/// <summary>The booking is as the move wants it.</summary>
[Event("engagement.rebooked"), GenerateSerializer, Immutable, Alias("engagement.rebooked")]
public sealed record Rebooked(int Index) : IRunningEvent;

/// <summary>A CMO refused: nothing has changed.</summary>
[Event("engagement.move-refused"), GenerateSerializer, Immutable, Alias("engagement.move-refused")]
public sealed record MoveRefused(Guid Request, Rejection Rejection) : IRunningEvent;

/// <summary>How a move ends when no CMO refuses.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "move")]
[JsonDerivedType(typeof(EngagementPaused), "pause")]
[JsonDerivedType(typeof(KeptCapacityFreed), "free")]
[JsonDerivedType(typeof(EngagementResumed), "resume")]
[JsonDerivedType(typeof(ScopeChanged), "scope")]
[JsonDerivedType(typeof(CoverBooked), "cover")]
[JsonDerivedType(typeof(CoverCancelled), "cancel-cover")]
[JsonDerivedType(typeof(TransitionStarted), "transition")]
[GenerateSerializer, Immutable, Alias("engagement.move-end")]
public abstract record MoveEnd(Guid Request) : IRunningEvent;

/// <param name="Suspended">What was booked.</param>
[Event("engagement.paused"), GenerateSerializer, Immutable, Alias("engagement.paused")]
public sealed record EngagementPaused(Guid Request, LocalDate From, LocalDate? KeepUntil, int FeePercent, string Reason, ImmutableArray<BookedSteps> Suspended) : MoveEnd(Request);

/// <summary>The day came until which a pause kept its capacity.</summary>
[Event("engagement.kept-capacity-freed"), GenerateSerializer, Immutable, Alias("engagement.kept-capacity-freed")]
public sealed record KeptCapacityFreed(Guid Request, LocalDate From) : MoveEnd(Request);

[Event("engagement.resumed"), GenerateSerializer, Immutable, Alias("engagement.resumed")]
public sealed record EngagementResumed(Guid Request, LocalDate On) : MoveEnd(Request);
