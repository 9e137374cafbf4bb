using System.Collections.Immutable;
using NodaTime;

namespace AgencyPlatform.Domain.Time;

/// <summary>Where an entry stands. Source: domain §4; the state is the entry's, not the sheet's.</summary>
public enum TimeEntryState
{
    /// <summary>Being written.</summary>
    Draft,

    /// <summary>Before those who approve.</summary>
    Submitted,

    /// <summary>Drawn on the engagement; changed by a reversal only.</summary>
    Approved,

    /// <summary>Sent back with a reason; logging it again makes it a draft.</summary>
    Rejected,

    /// <summary>Under dispute; returns to the state before, is rejected, or is reversed.</summary>
    Disputed,

    /// <summary>Approved once and taken back: what it drew is given back, and it stays as it was told. For ever.</summary>
    Reversed,
}

/// <summary>An entry of worked time across an agency: <c>{cmo}/{ISO week}/{entry}</c>.</summary>
[GenerateSerializer, Immutable, Alias("id.time-entry-key")]
public readonly record struct TimeEntryKey([property: Id(0)] string Value) : IId<TimeEntryKey>, IComparable<TimeEntryKey>
{
    public static TimeEntryKey Of(string value) => new(value);
    public static TimeEntryKey Of(CmoId cmo, IsoWeek week, TimeEntryId entry) => new($"{cmo}/{week}/{entry}");
    public int CompareTo(TimeEntryKey other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

/// <summary>What is logged.</summary>
/// <param name="Engagement">Null: internal time, such as sales or training, which is never billable.</param>
/// <param name="Date">The CMO's calendar label of the day; within the timesheet's week.</param>
/// <param name="Minutes">1–1,440.</param>
/// <param name="Category">What kind of work, up to 100 characters; may be empty.</param>
/// <param name="Billable">Whether it counts against the client's meter or charge.</param>
/// <param name="Paid">Whether the CMO is paid for it.</param>
/// <param name="Note">Up to 2,000 characters.</param>
/// <param name="Corrects">The reversed entry of the same week that this one stands in for; null: none.</param>
[GenerateSerializer, Immutable, Alias("time.work")]
public sealed record Work(EngagementId? Engagement, LocalDate Date, int Minutes, string Category, bool Billable, bool Paid, string Note, TimeEntryId? Corrects = null);

/// <summary>How approved billable minutes are split; the four sum to the billable minutes. Source: domain §4.</summary>
/// <param name="Drawn">Covered by grants.</param>
/// <param name="Overage">Beyond the grants, at the overage rate.</param>
/// <param name="Parked">Beyond the grants, waiting for a consent.</param>
/// <param name="Charged">Under terms without a meter.</param>
[GenerateSerializer, Immutable, Alias("time.parts")]
public sealed record TimeParts(ImmutableArray<GrantDraw> Drawn, int Overage, int Parked, int Charged)
{
    public static TimeParts None { get; } = new([], 0, 0, 0);

    public int DrawnMinutes() => Drawn.Sum(d => d.Minutes);

    public int Total() => DrawnMinutes() + Overage + Parked + Charged;
}

/// <param name="Parts">Once approved; of a reversed entry what was given back.</param>
/// <param name="Refusal">Why it was last rejected, or its approval refused.</param>
/// <param name="ApprovedAt">When the approval that it came through was asked for.</param>
/// <param name="Dispute">While it is disputed.</param>
/// <param name="Reversal">Once it is reversed.</param>
[GenerateSerializer, Immutable, Alias("time.entry")]
public sealed record TimeEntry(
    TimeEntryId Id, Work Work, TimeEntryState State, TimeParts? Parts, Rejection? Refusal, string? RejectedFor,
    Instant? ApprovedAt = null, Dispute? Dispute = null, Reversal? Reversal = null);

/// <summary>How the approval of one entry came out: no refusal is approved.</summary>
[GenerateSerializer, Immutable, Alias("time.entry-outcome")]
public sealed record EntryOutcome(TimeEntryId Entry, Rejection? Refusal);

/// <summary>An approval of some entries under way.</summary>
[GenerateSerializer, Immutable, Alias("time.approval")]
public sealed record Approval(Guid Request, string Actor, Instant StartedAt, ImmutableArray<TimeEntryId> Waiting, ImmutableArray<EntryOutcome> Outcomes);

/// <summary>How an approval came out, entry by entry: the request's remembered answer.</summary>
[GenerateSerializer, Immutable, Alias("time.approval-outcome")]
public sealed record ApprovalOutcome(Guid Request, ImmutableArray<EntryOutcome> Outcomes);

// ---- commands ----

[GenerateSerializer, Immutable, Alias("time.logged-entry")]
public sealed record LoggedEntry(TimeEntryId Id, Work Work);

/// <summary>Creates drafts, or replaces drafts and rejected entries by their id; all or none.</summary>
[GenerateSerializer, Immutable, Alias("time.log")]
public sealed record LogTime(CmoId Cmo, IsoWeek Week, ImmutableArray<LoggedEntry> Entries);

[GenerateSerializer, Immutable, Alias("time.remove")]
public sealed record RemoveEntries(ImmutableArray<TimeEntryId> Entries);

/// <param name="Entries">Empty: every draft of the week.</param>
[GenerateSerializer, Immutable, Alias("time.submit")]
public sealed record SubmitEntries(ImmutableArray<TimeEntryId> Entries);

/// <param name="Reason">1–500 characters, for the CMO.</param>
[GenerateSerializer, Immutable, Alias("time.reject")]
public sealed record RejectEntries(ImmutableArray<TimeEntryId> Entries, string Reason);

/// <param name="Entries">Empty: every submitted entry of the week.</param>
[GenerateSerializer, Immutable, Alias("time.approve")]
public sealed record ApproveEntries(ImmutableArray<TimeEntryId> Entries);

/// <summary>A timesheet after an approval, and how each entry's approval came out.</summary>
[GenerateSerializer, Immutable, Alias("time.approval-result")]
public sealed record ApprovalResult(Timesheet Timesheet, ImmutableArray<EntryOutcome> Outcomes);

// ---- events ----

[Event("timesheet.time-logged"), GenerateSerializer, Immutable, Alias("timesheet.time-logged")]
public sealed record TimeLogged(CmoId Cmo, IsoWeek Week, ImmutableArray<LoggedEntry> Entries) : IEvent;

[Event("timesheet.entries-removed"), GenerateSerializer, Immutable, Alias("timesheet.entries-removed")]
public sealed record EntriesRemoved(ImmutableArray<TimeEntryId> Entries) : IEvent;

[Event("timesheet.entries-submitted"), GenerateSerializer, Immutable, Alias("timesheet.entries-submitted")]
public sealed record EntriesSubmitted(ImmutableArray<TimeEntryId> Entries) : IEvent;

[Event("timesheet.entries-rejected"), GenerateSerializer, Immutable, Alias("timesheet.entries-rejected")]
public sealed record EntriesRejected(ImmutableArray<TimeEntryId> Entries, string Reason) : IEvent;

/// <param name="Entries">Those that go to their engagements one by one.</param>
/// <param name="Settled">Those whose outcome is known at once: approved before, or in no state to be approved.</param>
[Event("timesheet.approval-started"), GenerateSerializer, Immutable, Alias("timesheet.approval-started")]
public sealed record ApprovalStarted(Guid Request, string Actor, Instant At, ImmutableArray<TimeEntryId> Entries, ImmutableArray<EntryOutcome> Settled) : IEvent;

/// <summary>The engagement drew the entry.</summary>
[Event("timesheet.entry-approved"), GenerateSerializer, Immutable, Alias("timesheet.entry-approved")]
public sealed record EntryApproved(Guid Request, TimeEntryId Entry, TimeParts Parts) : IEvent;

/// <summary>The engagement refused the entry: it stays submitted, with the reason.</summary>
[Event("timesheet.entry-approval-refused"), GenerateSerializer, Immutable, Alias("timesheet.entry-approval-refused")]
public sealed record EntryApprovalRefused(Guid Request, TimeEntryId Entry, Rejection Rejection) : IEvent;

[Event("timesheet.approval-ended"), GenerateSerializer, Immutable, Alias("timesheet.approval-ended")]
public sealed record ApprovalEnded(Guid Request) : IEvent;

// ---- read models ----

/// <summary>The list of time entries.</summary>
/// <param name="RefusedFor">Reason code of the last refused approval.</param>
[RowTable("time_entries", nameof(Cmo), nameof(Week), nameof(Id), Indexes = [nameof(Engagement)])]
public sealed record TimeEntryRow(
    CmoId Cmo, string Week, TimeEntryId Id, EngagementId? Engagement, LocalDate Date, int Minutes, string Category, bool Billable, bool Paid, string Note,
    TimeEntryState State, int Drawn, int Overage, int Parked, int Charged, string? RejectedFor, string? RefusedFor,
    string? DisputedFor, string? ReversedFor, TimeEntryId? Corrects) : IRow;
