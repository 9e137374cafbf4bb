using System.Collections.Immutable;
using NodaTime;

namespace AgencyPlatform.Domain.Time;

/// <summary>What is done to a submitted or approved entry after the fact. Source: domain §4; nothing approved is edited or deleted.</summary>
public enum CorrectionKind
{
    /// <summary>An approved entry is taken back: its minutes go back to the grants, and what it posted is posted in reverse.</summary>
    Reversal,

    /// <summary>The agency or the client doubts an entry.</summary>
    Dispute,

    /// <summary>A dispute ends with the entry as it was before.</summary>
    Restoration,

    /// <summary>A dispute ends with an entry that was not approved sent back.</summary>
    Rejection,
}

/// <summary>How a dispute ends.</summary>
public enum DisputeResolution
{
    /// <summary>The entry stands as before.</summary>
    Restored,

    /// <summary>Sent back; only of an entry that was not approved.</summary>
    Rejected,

    /// <summary>Reversed; only of an entry that was approved.</summary>
    Reversed,
}

/// <param name="Request">The request that disputed it: the dispute's id with the engagement.</param>
/// <param name="Before">Submitted or approved: where it returns to.</param>
/// <param name="By">The actor who disputed it.</param>
[GenerateSerializer, Immutable, Alias("time.dispute")]
public sealed record Dispute(Guid Request, TimeEntryState Before, string Reason, string By, Instant At);

/// <param name="By">The actor who reversed it.</param>
[GenerateSerializer, Immutable, Alias("time.reversal")]
public sealed record Reversal(string Reason, string By, Instant At);

/// <summary>A correction of some entries under way: each goes to its engagement, one after the other.</summary>
[GenerateSerializer, Immutable, Alias("time.correction")]
public sealed record Correction(
    Guid Request, CorrectionKind Kind, string Actor, Instant StartedAt, string Reason, ImmutableArray<TimeEntryId> Waiting, ImmutableArray<EntryOutcome> Outcomes);

// ---- commands ----

/// <summary>Reverses approved entries, each for itself.</summary>
/// <param name="Reason">1–500 characters.</param>
[GenerateSerializer, Immutable, Alias("time.reverse")]
public sealed record ReverseEntries(ImmutableArray<TimeEntryId> Entries, string Reason);

/// <param name="Reason">1–500 characters.</param>
/// <param name="ByClient">Whether the client disputes it, who may only do so for some days after the approval.</param>
[GenerateSerializer, Immutable, Alias("time.dispute-entry")]
public sealed record DisputeEntry(TimeEntryId Entry, string Reason, bool ByClient);

/// <summary>How long a client may dispute, by the agency's settings.</summary>
/// <param name="Days">Calendar days after the day of the approval, that of the agency.</param>
[GenerateSerializer, Immutable, Alias("time.dispute-deadline")]
public sealed record DisputeDeadline(int Days, string TimeZone);

/// <param name="Note">For the CMO and the client, 1–500 characters.</param>
[GenerateSerializer, Immutable, Alias("time.resolve-dispute")]
public sealed record ResolveDispute(TimeEntryId Entry, DisputeResolution Resolution, string Note);

// ---- events ----

/// <param name="Entries">Those that go to their engagements one by one.</param>
/// <param name="Settled">Those whose outcome is known at once.</param>
[Event("timesheet.correction-started"), GenerateSerializer, Immutable, Alias("timesheet.correction-started")]
public sealed record CorrectionStarted(
    Guid Request, CorrectionKind Kind, string Actor, Instant At, string Reason, ImmutableArray<TimeEntryId> Entries, ImmutableArray<EntryOutcome> Settled) : IEvent;

/// <summary>The reversal of an approved entry, which it names.</summary>
[Event("timesheet.entry-reversed"), GenerateSerializer, Immutable, Alias("timesheet.entry-reversed")]
public sealed record EntryReversed(Guid Request, TimeEntryId Entry, Reversal Reversal) : IEvent;

[Event("timesheet.entry-disputed"), GenerateSerializer, Immutable, Alias("timesheet.entry-disputed")]
public sealed record EntryDisputed(TimeEntryId Entry, Dispute Dispute) : IEvent;

/// <summary>The dispute is over and the entry as it was before.</summary>
[Event("timesheet.entry-restored"), GenerateSerializer, Immutable, Alias("timesheet.entry-restored")]
public sealed record EntryRestored(Guid Request, TimeEntryId Entry, TimeEntryState State, string Note) : IEvent;

[Event("timesheet.correction-ended"), GenerateSerializer, Immutable, Alias("timesheet.correction-ended")]
public sealed record CorrectionEnded(Guid Request) : IEvent;
