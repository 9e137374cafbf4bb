using System.Collections.Immutable;
using NodaTime;

namespace AgencyPlatform.Domain.Time;

/// <summary>Reversals and disputes of entries: sagas like the approval, in which the engagement gives back, marks or clears what it drew.</summary>
public sealed partial record Timesheet
{
    /// <summary>
    /// Starts the reversal of approved entries, each of which comes out for itself: one reversed before counts as reversed, one in another state is refused,
    /// the others go to their engagements.
    /// </summary>
    public Decision Reverse(ReverseEntries command, Guid request, string actor, Instant now)
    {
        if (WrongReason("reason", command.Reason) is { } wrong)
        {
            return wrong;
        }

        if (Chosen(command.Entries, _ => false, out var entries) is { } unknown)
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
            if (entry.State == TimeEntryState.Reversed)
            {
                settled.Add(new EntryOutcome(entry.Id, null));
            }
            else if ((Refused(entry, TimeEntryState.Approved, TimeEntryState.Reversed) ?? UnderWay(entry.Id)) is { } refused)
            {
                settled.Add(new EntryOutcome(entry.Id, refused));
            }
            else
            {
                waiting.Add(entry.Id);
            }
        }

        var started = new CorrectionStarted(request, CorrectionKind.Reversal, actor, now, command.Reason, waiting.ToImmutable(), settled.ToImmutable());
        return waiting.Count > 0 ? Decision.Accept(started) : Decision.Accept(started, new CorrectionEnded(request));
    }

    /// <summary>Disputes a submitted entry at once, an approved one with its engagement, which bills it no more.</summary>
    /// <param name="deadline">Until when a client may.</param>
    public Decision Dispute(DisputeEntry command, DisputeDeadline deadline, Guid request, string actor, Instant now)
    {
        if (WrongReason("reason", command.Reason) is { } wrong)
        {
            return wrong;
        }

        if (Chosen([command.Entry], _ => false, out var entries) is { } unknown)
        {
            return unknown;
        }

        var entry = entries[0];
        if ((Refused(entry, TimeEntryState.Submitted, TimeEntryState.Approved) ?? UnderWay(entry.Id)) is { } refused)
        {
            return refused;
        }

        if (command.ByClient && entry.ApprovedAt is { } approved)
        {
            var zone = DateTimeZoneProviders.Tzdb[deadline.TimeZone];
            var last = approved.InZone(zone).Date.PlusDays(deadline.Days);
            if (now.InZone(zone).Date > last)
            {
                return Rejection.Rule(
                    Reasons.DisputeTooLate, $"A client disputes an entry within {deadline.Days} days of its approval: {entry.Id} until {Text(last)}. Ask the agency.",
                    ("entry", entry.Id.Value), ("last_date", Text(last)), ("days", Text(deadline.Days)));
            }
        }

        return entry.State == TimeEntryState.Approved
            ? Decision.Accept(new CorrectionStarted(request, CorrectionKind.Dispute, actor, now, command.Reason, [entry.Id], []))
            : AtOnce(CorrectionKind.Dispute, request, entry.Id, command.Reason, actor, now, new EntryDisputed(entry.Id, new Dispute(request, entry.State, command.Reason, actor, now)));
    }

    /// <summary>Ends a dispute: back to the state before, rejected (if it was not approved) or reversed (if it was).</summary>
    public Decision Resolve(ResolveDispute command, Guid request, string actor, Instant now)
    {
        if (WrongReason("note", command.Note) is { } wrong)
        {
            return wrong;
        }

        if (Chosen([command.Entry], _ => false, out var entries) is { } unknown)
        {
            return unknown;
        }

        if (Own(actor) is { } own)
        {
            return own;
        }

        var entry = entries[0];
        if ((Refused(entry, TimeEntryState.Disputed) ?? UnderWay(entry.Id)) is { } refused)
        {
            return refused;
        }

        return (command.Resolution, entry.Dispute!.Before) switch
        {
            (DisputeResolution.Restored, TimeEntryState.Approved) => WithEngagement(CorrectionKind.Restoration),
            (DisputeResolution.Restored, _) =>
                AtOnce(CorrectionKind.Restoration, request, entry.Id, command.Note, actor, now, new EntryRestored(request, entry.Id, entry.Dispute.Before, command.Note)),
            (DisputeResolution.Reversed, TimeEntryState.Approved) => WithEngagement(CorrectionKind.Reversal),
            (DisputeResolution.Rejected, TimeEntryState.Submitted) =>
                AtOnce(CorrectionKind.Rejection, request, entry.Id, command.Note, actor, now, new EntriesRejected([entry.Id], command.Note)),
            _ => Rejection.Rule(
                Reasons.ResolutionNotAllowed,
                $"The entry {entry.Id} was {Upper(entry.Dispute.Before)} before its dispute: it is {(entry.Dispute.Before == TimeEntryState.Approved ? "restored or reversed" : "restored or rejected")}.",
                ("entry", entry.Id.Value), ("state_before", Upper(entry.Dispute.Before))),
        };

        Decision WithEngagement(CorrectionKind kind) => Decision.Accept(new CorrectionStarted(request, kind, actor, now, command.Note, [entry.Id], []));
    }

    /// <summary>Records that the engagement did its step for one entry, which it cannot refuse, and the correction's end with its last.</summary>
    public Decision Record(Guid request, TimeEntryId id)
    {
        if (Corrections.FirstOrDefault(c => c.Request == request) is not { } correction || !correction.Waiting.Contains(id))
        {
            return Decision.Nothing;
        }

        IEvent recorded = correction.Kind switch
        {
            CorrectionKind.Reversal => new EntryReversed(request, id, new Reversal(correction.Reason, correction.Actor, correction.StartedAt)),
            CorrectionKind.Dispute => new EntryDisputed(id, new Dispute(request, Entries[id].State, correction.Reason, correction.Actor, correction.StartedAt)),
            CorrectionKind.Restoration => new EntryRestored(request, id, Entries[id].Dispute!.Before, correction.Reason),
            _ => throw new InvalidOperationException($"A {correction.Kind} has no step with an engagement."),
        };
        return correction.Waiting.Length == 1 ? Decision.Accept(recorded, new CorrectionEnded(request)) : Decision.Accept(recorded);
    }

    /// <summary>The entry that the oldest correction under way takes to its engagement next; null when none is under way.</summary>
    public (Correction Correction, TimeEntry Entry)? NextCorrection() => Corrections.IsEmpty ? null : (Corrections[0], Entries[Corrections[0].Waiting[0]]);

    private static Decision AtOnce(CorrectionKind kind, Guid request, TimeEntryId entry, string reason, string actor, Instant now, IEvent change) => Decision.Accept(
        new CorrectionStarted(request, kind, actor, now, reason, [], [new EntryOutcome(entry, null)]), change, new CorrectionEnded(request));

    /// <summary>Nobody decides on their own time.</summary>
    /// <param name="actor">As the call names them: <c>cmo:{id}</c> for a CMO.</param>
    private Rejection? Own(string actor) =>
        actor == $"cmo:{Cmo}" ? Rejection.Rule(Reasons.OwnTime, "Nobody approves or corrects their own time: let somebody else do it.", ("cmo", Cmo.Value)) : null;

    private static Rejection? WrongReason(string field, string reason) =>
        reason.Length is < 1 or > LongestReason ? Rejection.Invalid(new FieldViolation(field, $"must be 1 to {LongestReason} characters")) : null;

    // ---- fold ----

    private Timesheet ApplyCorrection(IEvent @event) => @event switch
    {
        CorrectionStarted e => this with { Corrections = Corrections.Add(new Correction(e.Request, e.Kind, e.Actor, e.At, e.Reason, e.Entries, e.Settled)) },
        EntryReversed e => With([e.Entry], x => x with { State = TimeEntryState.Reversed, Reversal = e.Reversal, Dispute = null }).Corrected(e.Request, e.Entry),
        EntryDisputed e => With([e.Entry], x => x with { State = TimeEntryState.Disputed, Dispute = e.Dispute }).Corrected(e.Dispute.Request, e.Entry),
        EntryRestored e => With([e.Entry], x => x with { State = e.State, Dispute = null }).Corrected(e.Request, e.Entry),
        CorrectionEnded e => this with
        {
            Corrections = Corrections.RemoveAll(c => c.Request == e.Request),
            Outcomes = Remembered(new ApprovalOutcome(e.Request, Corrections.First(c => c.Request == e.Request).Outcomes)),
        },
        _ => throw new InvalidOperationException($"A timesheet does not know {@event.GetType().Name}."),
    };

    private Timesheet Corrected(Guid request, TimeEntryId entry) => this with
    {
        Corrections =
        [
            .. Corrections.Select(c => c.Request != request || !c.Waiting.Contains(entry)
                ? c
                : c with { Waiting = c.Waiting.Remove(entry), Outcomes = c.Outcomes.Add(new EntryOutcome(entry, null)) }),
        ],
    };
}
