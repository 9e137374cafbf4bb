using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Serialization;
using NodaTime;

namespace AgencyPlatform.Domain.Time;

/// <summary>
/// A CMO's ISO week of worked time. It owns its entries; their approval is a saga that draws each on its engagement, and stands in this
/// aggregate's events. Source: domain §4.
/// </summary>
/// <param name="Approvals">Under way, oldest first.</param>
/// <param name="Outcomes">The latest approvals' and corrections' results, for repeats.</param>
/// <param name="Corrections">Reversals and disputes under way, oldest first.</param>
/// <param name="NothingWorked">The CMO has told that the week has no work: its sheet is not missing.</param>
/// <param name="RefusedRows">Rows that the last command refused, each for itself; empty after any other.</param>
[GenerateSerializer, Immutable, Alias("timesheet")]
public sealed partial record Timesheet(
    CmoId Cmo, IsoWeek Week, ImmutableSortedDictionary<TimeEntryId, TimeEntry> Entries, ImmutableArray<Approval> Approvals, ImmutableArray<ApprovalOutcome> Outcomes,
    ImmutableArray<Correction> Corrections, bool NothingWorked, ImmutableArray<EntryOutcome> RefusedRows)
    : IState<Timesheet>
{
    public const int MinutesOfDay = 1_440;
    public const int MostEntries = 500;
    public const int LongestNote = 2_000;
    public const int LongestCategory = 100;
    public const int LongestReason = 500;
    private const int MostOutcomes = 256;

    /// <summary>How long after its start an unfinished approval or correction is taken up again when nobody carries it on.</summary>
    private static readonly Duration s_sagaPatience = Duration.FromSeconds(15);

    public static string Kind => "timesheet";

    public static int FoldVersion => 3;

    public static Timesheet Initial { get; } = new(default, default, ImmutableSortedDictionary<TimeEntryId, TimeEntry>.Empty, [], [], [], false, []);

    [JsonIgnore]
    public bool Exists => Cmo.Value is not null;

    /// <summary>The wake-up of an unfinished approval or correction; nothing else of a timesheet changes by time alone.</summary>
    [JsonIgnore]
    public Instant? NextDue => (Approvals.IsEmpty, Corrections.IsEmpty) switch
    {
        (true, true) => null,
        (false, true) => Approvals[0].StartedAt + s_sagaPatience,
        (true, false) => Corrections[0].StartedAt + s_sagaPatience,
        _ => Instant.Min(Approvals[0].StartedAt, Corrections[0].StartedAt) + s_sagaPatience,
    };

    public ImmutableArray<IEvent> Settle(Instant now) => [];

    // ---- decisions ----

    /// <summary>Removes drafts and rejected entries; one that is gone already is no error.</summary>
    public Decision Remove(RemoveEntries command)
    {
        if (!Exists)
        {
            return NotFound();
        }

        var there = command.Entries.Distinct().Where(Entries.ContainsKey).ToImmutableArray();
        return there.Select(id => Refused(Entries[id], TimeEntryState.Draft, TimeEntryState.Rejected)).FirstOrDefault(r => r is not null) is { } refused ? refused
            : there.IsEmpty ? Decision.Nothing
            : Decision.Accept(new EntriesRemoved(there));
    }

    /// <summary>Submits drafts; what is submitted or approved already stays as it is.</summary>
    public Decision Submit(SubmitEntries command)
    {
        if (Chosen(command.Entries, e => e.State == TimeEntryState.Draft, out var entries) is { } unknown)
        {
            return unknown;
        }

        if (entries.Select(e => Refused(e, TimeEntryState.Draft, TimeEntryState.Submitted, TimeEntryState.Approved)).FirstOrDefault(r => r is not null) is { } refused)
        {
            return refused;
        }

        var drafts = entries.Where(e => e.State == TimeEntryState.Draft).Select(e => e.Id).ToImmutableArray();
        return drafts.IsEmpty ? Decision.Nothing : Decision.Accept(new EntriesSubmitted(drafts));
    }

    public Decision Reject(RejectEntries command)
    {
        if (command.Reason.Length is < 1 or > LongestReason)
        {
            return Rejection.Invalid(new FieldViolation("reason", $"must be 1 to {LongestReason} characters"));
        }

        if (Chosen(command.Entries, _ => false, out var entries) is { } unknown)
        {
            return unknown;
        }

        if (entries.Select(e => Refused(e, TimeEntryState.Submitted, TimeEntryState.Rejected) ?? UnderWay(e.Id)).FirstOrDefault(r => r is not null) is { } refused)
        {
            return refused;
        }

        var submitted = entries.Where(e => e.State == TimeEntryState.Submitted).Select(e => e.Id).ToImmutableArray();
        return submitted.IsEmpty ? Decision.Nothing : Decision.Accept(new EntriesRejected(submitted, command.Reason));
    }

    /// <summary>
    /// Starts the approval of entries, each of which comes out for itself: one approved before counts as approved, one in another state is
    /// refused, the others go to their engagements.
    /// </summary>
    /// <param name="actor">Who approves, as the call names them: <c>cmo:{id}</c> for a CMO, who never approves their own time.</param>
    public Decision Approve(ApproveEntries command, Guid request, string actor, Instant now)
    {
        if (Chosen(command.Entries, e => e.State == TimeEntryState.Submitted && UnderWay(e.Id) is null, out var entries) is { } unknown)
        {
            return unknown;
        }

        if (Own(actor) is { } own)
        {
            return own;
        }

        var waiting = ImmutableArray.CreateBuilder<TimeEntryId>();
        var settled = ImmutableArray.CreateBuilder<EntryOutcome>();
        foreach (var entry in entries)
        {
            if (entry.State == TimeEntryState.Approved)
            {
                settled.Add(new EntryOutcome(entry.Id, null));
            }
            else if ((Refused(entry, TimeEntryState.Submitted, TimeEntryState.Approved) ?? UnderWay(entry.Id)) is { } refused)
            {
                settled.Add(new EntryOutcome(entry.Id, refused));
            }
            else
            {
                waiting.Add(entry.Id);
            }
        }

        var started = new ApprovalStarted(request, actor, now, waiting.ToImmutable(), settled.ToImmutable());
        return waiting.Count > 0 ? Decision.Accept(started) : Decision.Accept(started, new ApprovalEnded(request));
    }

    /// <summary>Records what the engagement answered of one entry, and the approval's end with its last.</summary>
    public Decision Record(Guid request, TimeEntryId entry, TimeParts? parts, Rejection? refusal)
    {
        if (Approvals.FirstOrDefault(a => a.Request == request) is not { } approval || !approval.Waiting.Contains(entry))
        {
            return Decision.Nothing;
        }

        IEvent recorded = refusal is null ? new EntryApproved(request, entry, parts!) : new EntryApprovalRefused(request, entry, refusal);
        return approval.Waiting.Length == 1 ? Decision.Accept(recorded, new ApprovalEnded(request)) : Decision.Accept(recorded);
    }

    // ---- questions ----

    /// <summary>The entry that the oldest approval under way asks its engagement for next; null when none is under way.</summary>
    public (Approval Approval, TimeEntry Entry)? NextStep() =>
        Approvals.IsEmpty ? null : (Approvals[0], Entries[Approvals[0].Waiting[0]]);

    /// <summary>How the approval that a request started came out; null before.</summary>
    public ApprovalOutcome? OutcomeOf(Guid request) => Outcomes.FirstOrDefault(o => o.Request == request);

    private Rejection? Chosen(ImmutableArray<TimeEntryId> ids, Func<TimeEntry, bool> byDefault, out ImmutableArray<TimeEntry> entries)
    {
        entries = [];
        if (!Exists)
        {
            return NotFound();
        }

        if (ids.IsEmpty)
        {
            entries = [.. Entries.Values.Where(byDefault)];
            return null;
        }

        foreach (var id in ids.Distinct())
        {
            if (!Entries.TryGetValue(id, out var entry))
            {
                return Rejection.NotFound("time_entry", id.Value);
            }

            entries = entries.Add(entry);
        }

        return null;
    }

    private static Rejection? Refused(TimeEntry entry, params ReadOnlySpan<TimeEntryState> allowed)
    {
        if (allowed.Contains(entry.State))
        {
            return null;
        }

        var states = string.Join(",", allowed.ToArray().Select(Upper));
        return Rejection.Rule(
            Reasons.EntryStateNotAllowed, $"The entry {entry.Id} is {Upper(entry.State)}; it must be one of {states}.",
            ("entry", entry.Id.Value), ("state", Upper(entry.State)), ("allowed_states", states));
    }

    private Rejection? UnderWay(TimeEntryId entry) =>
        Approvals.Any(a => a.Waiting.Contains(entry)) ? Rejection.Rule(Reasons.ApprovalUnderWay, $"An approval of the entry {entry} is under way: repeat shortly.", ("entry", entry.Value))
        : Corrections.Any(c => c.Waiting.Contains(entry)) ? Rejection.Rule(Reasons.CorrectionUnderWay, $"A correction of the entry {entry} is under way: repeat shortly.", ("entry", entry.Value))
        : null;

    // ---- fold ----

    public Timesheet Apply(IEvent @event) => Folded(@event) with { RefusedRows = @event is RowsRefused refused ? refused.Rows : [] };

    private Timesheet Folded(IEvent @event) => @event switch
    {
        TimeLogged e => this with
        {
            Cmo = e.Cmo,
            Week = e.Week,
            Entries = Entries.SetItems(e.Entries.Select(x => KeyValuePair.Create(x.Id, new TimeEntry(x.Id, x.Work, TimeEntryState.Draft, null, null, null)))),
        },
        EntriesRemoved e => this with { Entries = Entries.RemoveRange(e.Entries) },
        EntriesSubmitted e => With(e.Entries, x => x with { State = TimeEntryState.Submitted }),
        EntriesRejected e => With(e.Entries, x => x with { State = TimeEntryState.Rejected, RejectedFor = e.Reason, Refusal = null, Dispute = null }),
        ApprovalStarted e => this with { Approvals = Approvals.Add(new Approval(e.Request, e.Actor, e.At, e.Entries, e.Settled)) },
        EntryApproved e => With([e.Entry], x => x with
        {
            State = TimeEntryState.Approved,
            Parts = e.Parts,
            Refusal = null,
            ApprovedAt = Approvals.First(a => a.Request == e.Request).StartedAt,
        }).Answered(e.Request, e.Entry, null),
        EntryApprovalRefused e => With([e.Entry], x => x with { Refusal = e.Rejection }).Answered(e.Request, e.Entry, e.Rejection),
        ApprovalEnded e => this with
        {
            Approvals = Approvals.RemoveAll(a => a.Request == e.Request),
            Outcomes = Remembered(new ApprovalOutcome(e.Request, Approvals.First(a => a.Request == e.Request).Outcomes)),
        },
        NothingWorkedReported e => this with { Cmo = e.Cmo, Week = e.Week, NothingWorked = true },
        NothingWorkedWithdrawn => this with { NothingWorked = false },
        RowsRefused or NothingChanged => this,
        _ => ApplyCorrection(@event),
    };

    private ImmutableArray<ApprovalOutcome> Remembered(ApprovalOutcome outcome) => [.. Outcomes.Skip(Math.Max(0, Outcomes.Length + 1 - MostOutcomes)), outcome];

    private Timesheet With(ImmutableArray<TimeEntryId> entries, Func<TimeEntry, TimeEntry> change) =>
        this with { Entries = Entries.SetItems(entries.Select(id => KeyValuePair.Create(id, change(Entries[id])))) };

    private Timesheet Answered(Guid request, TimeEntryId entry, Rejection? refusal) => this with
    {
        Approvals = [.. Approvals.Select(a => a.Request != request ? a : a with { Waiting = a.Waiting.Remove(entry), Outcomes = a.Outcomes.Add(new EntryOutcome(entry, refusal)) })],
    };

    // ---- read models ----

    public IEnumerable<RowChange> Project(IEvent @event, EventInfo info) => @event switch
    {
        TimeLogged e => e.Entries.Select(x => Row(x.Id)),
        EntriesSubmitted e => e.Entries.Select(Row),
        EntriesRejected e => e.Entries.Select(Row),
        EntryApproved e => [Row(e.Entry)],
        EntryApprovalRefused e => [Row(e.Entry)],
        EntryReversed e => [Row(e.Entry)],
        EntryDisputed e => [Row(e.Entry)],
        EntryRestored e => [Row(e.Entry)],
        NothingWorkedReported e => [new Put(new IdleWeekRow(e.Cmo, e.Week.ToString()))],
        NothingWorkedWithdrawn => [new Drop(new IdleWeekRow(Cmo, Week.ToString()))],
        EntriesRemoved e => e.Entries.Select(RowChange (id) => new Drop(RowOf(new TimeEntry(id, new Work(null, default, 0, "", false, false, ""), TimeEntryState.Draft, null, null, null)))),
        _ => [],
    };

    private RowChange Row(TimeEntryId id) => new Put(RowOf(Entries[id]));

    private TimeEntryRow RowOf(TimeEntry e) => new(
        Cmo, Week.ToString(), e.Id, e.Work.Engagement, e.Work.Date, e.Work.Minutes, e.Work.Category, e.Work.Billable, e.Work.Paid, e.Work.Note, e.State,
        e.Parts?.DrawnMinutes() ?? 0, e.Parts?.Overage ?? 0, e.Parts?.Parked ?? 0, e.Parts?.Charged ?? 0, e.RejectedFor, e.Refusal?.Reason,
        e.Dispute?.Reason, e.Reversal?.Reason, e.Work.Corrects);

    private static Rejection NotFound() => Rejection.NotFound(Kind, "");

    private static string Upper(TimeEntryState state) => state.ToString().ToUpperInvariant();

    /// <summary>Entries that count as worked or to be worked: all but what was sent back or taken back.</summary>
    private static bool Counts(TimeEntry entry) => entry.State is not (TimeEntryState.Rejected or TimeEntryState.Reversed);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Text(LocalDate date) => date.ToString("uuuu-MM-dd", CultureInfo.InvariantCulture);
}
