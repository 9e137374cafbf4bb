using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using AgencyPlatform.Domain.Capacity;
using NodaTime;

namespace AgencyPlatform.Domain.Engagements;

/// <summary>
/// The one saga that every move of a running engagement is: bookings are placed, take other steps, or are cut off, all of them or none. Every hold comes
/// before the first booking that changes; a cut cannot be refused and needs none.
/// </summary>
public sealed partial record Engagement
{
    /// <summary>What the move under way does next; null when none is.</summary>
    public RebookingStep? NextRebooking()
    {
        if (Saga is not { Move: { } move } saga)
        {
            return null;
        }

        return saga.Refusal is not null
            ? Next(RebookingAction.Undo, r => r.Phase == RebookingPhase.Held)
            : Next(RebookingAction.Hold, r => r.Phase == RebookingPhase.Open && r.Form != RebookingForm.Cut)
                ?? Next(RebookingAction.Commit, r => r.Phase != RebookingPhase.Done);

        RebookingStep? Next(RebookingAction action, Func<Rebooking, bool> which)
        {
            for (var i = 0; i < move.Rebookings.Length; i++)
            {
                if (which(move.Rebookings[i]))
                {
                    return new RebookingStep(i, action, saga.Request);
                }
            }

            return null;
        }
    }

    /// <summary>Records what a step came to, and the move's end with its last one. A step that is not the next any more was recorded before.</summary>
    /// <param name="refusal">Why the CMO refused; only holds can be refused.</param>
    public Decision Record(RebookingStep step, Rejection? refusal)
    {
        if (NextRebooking() != step)
        {
            return Decision.Nothing;
        }

        IEvent @event = step.Action switch
        {
            RebookingAction.Hold when refusal is not null => new RebookingRefused(step.Index, Of(Saga!.Move!.Rebookings[step.Index].Cmo, refusal)),
            RebookingAction.Hold => new RebookingHeld(step.Index),
            RebookingAction.Undo => new RebookingUndone(step.Index),
            RebookingAction.Commit => new Rebooked(step.Index),
            _ => throw new ArgumentOutOfRangeException(nameof(step), step.Action, "Not a step."),
        };
        var after = Apply(@event);
        return after.NextRebooking() is not null ? Decision.Accept(@event)
            : after.Saga!.Refusal is { } why ? Decision.Accept(@event, new MoveRefused(step.Request, why))
            : Decision.Accept(after.EndMove().Insert(0, @event));
    }

    /// <summary>The state as if the move under way had ended, no CMO refusing: the answer to what if.</summary>
    public Engagement AsIfMoved()
    {
        var state = this;
        while (state.NextRebooking() is { } step)
        {
            state = state.Record(step, null).Events.Aggregate(state, (s, e) => s.Apply(e));
        }

        return state;
    }

    // ---- what time alone does ----

    /// <summary>What time alone does next to a running engagement, beside its meter; null when nothing.</summary>
    private Instant? NextOfRunning => FreedAt is { } freed && !(ScopeExpiresAt < freed) ? freed : ScopeExpiresAt;

    private ImmutableArray<IEvent> SettleRunning(Instant due) =>
        FreedAt == due ? FreeKept(due) : [new ScopeClosed(Running.Scope!.Number, ScopeState.Expired, "")];

    /// <summary>Begins a move; one that changes no booking is done at once.</summary>
    private Decision StartMove(ImmutableArray<Rebooking> rebookings, MoveEnd end, Instant now)
    {
        var started = new MoveStarted(end.Request, now, rebookings, end);
        return rebookings.IsEmpty ? Decision.Accept(Apply(started).EndMove().Insert(0, started)) : Decision.Accept(started);
    }

    /// <summary>The end of the move under way, with what it means for parked time and for the meter's thresholds.</summary>
    private ImmutableArray<IEvent> EndMove()
    {
        // The end comes last: with it the request is answered, and a repeat of it is answered with the state then.
        var end = Saga!.Move!.End;
        var moved = Apply(end);
        var served = ServedAfter(moved);
        return [.. served, .. served.Aggregate(moved, (state, e) => state.Apply(e)).ReachedNow(), end];
    }

    /// <summary>What is booked with each member now: as the engagement knows it, or as it was asked for.</summary>
    /// <param name="asked">Of members whose hold was taken over by a program that did not record its steps.</param>
    private ImmutableArray<BookedSteps> Booked(ImmutableArray<BookedSteps> asked) =>
        [.. Bookings.Select(b => b.Value.Steps is { } steps ? new BookedSteps(b.Key, steps) : asked.First(a => a.Cmo == b.Key))];

    /// <summary>Members whose bookings' steps the engagement does not know.</summary>
    public IEnumerable<CmoId> UnknownSteps() => Bookings.Where(b => b.Value.Steps is null).Select(b => b.Key);

    /// <summary>Everything that is booked on or after a date is given up.</summary>
    private ImmutableArray<Rebooking> CutAt(LocalDate date, ImmutableArray<BookedSteps> booked) =>
        [.. booked.Where(b => !b.Steps.From(date).IsEmpty).Select(b => new Rebooking(b.Cmo, Bookings[b.Cmo].Booking, RebookingForm.Cut, b.Steps.Until(date), CutAt: date))];

    /// <summary>A member's booking with these steps: a new one, or the one that stands with other steps.</summary>
    private Rebooking Rebook(CmoId cmo, ImmutableArray<BookingStep> steps, Guid request) => Bookings.TryGetValue(cmo, out var booking)
        ? new Rebooking(cmo, booking.Booking, RebookingForm.Swap, steps, Swap: SwapOf(cmo, request))
        : new Rebooking(cmo, BookingOf(cmo), RebookingForm.Place, steps);

    /// <summary>The id of the hold beside a booking: always the same for a request, so that a repeat finds it.</summary>
    private BookingId SwapOf(CmoId cmo, Guid request) =>
        new(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{Id}/{cmo}/{request}")))[..32]);

    /// <summary>The id of a move that time alone starts: always the same.</summary>
    private Guid RequestOf(string move, LocalDate date) => IdSyntax.GuidOf($"{Id}/{move}/{Text(date)}");

    /// <summary>Why approved time stands in the way of a move from a date; null when none does.</summary>
    /// <param name="cmo">Only this one's; null: anybody's.</param>
    private Rejection? ApprovedTimeFrom(LocalDate date, CmoId? cmo = null) =>
        Time.Approved.Values.Where(a => a.Date >= date && (cmo is null || a.Cmo == cmo)).Select(a => (LocalDate?)a.Date).Max() is { } last
            ? Rejection.Rule(
                Reasons.ApprovedTimeStands, $"Approved time is dated up to {Text(last)}: choose a later date than that, or have it reversed first.",
                ("date", Text(date)), ("last_approved_date", Text(last)))
            : null;

    private Rejection OutOfRange(string what, LocalDate date, LocalDate first) => Rejection.Rule(
        Reasons.MoveDateOutOfRange,
        $"The {what} {Text(date)} is not one of the days from {Text(first)} to the engagement's end ({(End is { } e ? Text(e) : "open")}, exclusive).",
        ("date", Text(date)), ("first_date", Text(first)), ("end", End is { } end ? Text(end) : "open"));

    private Engagement Moved(IRunningEvent @event) => @event switch
    {
        MoveStarted e => this with { Saga = new EngagementSaga(e.Request, e.At, null, null, new RunningMove(e.Rebookings, e.End)) },
        RebookingHeld e => InPhase(e.Index, RebookingPhase.Held),
        RebookingRefused e => this with { Saga = Saga! with { Refusal = e.Rejection } },
        RebookingUndone e => InPhase(e.Index, RebookingPhase.Open),
        Rebooked e => InPhase(e.Index, RebookingPhase.Done).WithBooking(Saga!.Move!.Rebookings[e.Index]),
        MoveRefused e => WithOutcome(e.Request, e.Rejection),
        EngagementPaused e => WithOutcome(e.Request, null).Paused(e),
        KeptCapacityFreed e => WithOutcome(e.Request, null) with { Running = Running.WithLastPause(p => p with { FreedFrom = e.From }) },
        EngagementResumed e => WithOutcome(e.Request, null).Resumed(e),
        ScopeProposed e => this with
        {
            Running = Running with
            {
                Scope = new ScopeChange(e.Number, e.Proposal, ScopeState.Proposed, e.ExpiresAt, [], e.MustAgree, ImmutableSortedDictionary<CmoId, Instant>.Empty, "", e.Need, e.Monthly),
            },
        },
        ScopeSigned e => WithScope(c => c with { Signatures = c.Signatures.Add(new Signature(e.Person, e.At, e.By)) }),
        ScopeAccepted => WithScope(c => c with { State = ScopeState.Accepted }),
        ScopeAgreed e => WithScope(c => c with { Agreements = c.Agreements.SetItem(e.Cmo, e.At) }),
        ScopeClosed e => WithScope(c => c with { State = e.State, CloseReason = e.Reason }),
        ScopeChanged e => WithOutcome(e.Request, null).Changed(e),
        CoverRequested e => this with
        {
            Running = Running with
            {
                Covers = Running.Covers.SetItem(e.Id, new Cover(e.Id, e.Away, e.Covering, e.Minutes, e.AgreementWaived, e.Reason, CoverState.Requested, null, null, null, "")),
            },
        },
        CoverConsented e => WithCover(e.Id, c => c with { ConsentOf = new Signature(e.Person, e.At) }),
        CoverAgreed e => WithCover(e.Id, c => c with { AgreedAt = e.At }),
        CoverDeclined e => WithCover(e.Id, c => c with { State = CoverState.Declined, CloseReason = e.Reason }),
        CoverBooked e => WithOutcome(e.Request, null),
        CoverCancelled e => WithOutcome(e.Request, null),
        CoverEnded e => WithCover(e.Id, c => c.CutAt(e.End)),
        TransitionStarted e => WithOutcome(e.Request, null).Transitioning(e),
        HandoverItemPut e => WithItem(e.Item),
        _ => throw new InvalidOperationException($"A running engagement does not know {@event.GetType().Name}."),
    };

    private Engagement InPhase(int index, RebookingPhase phase)
    {
        var move = Saga!.Move!;
        return this with { Saga = Saga with { Move = move with { Rebookings = move.Rebookings.SetItem(index, move.Rebookings[index] with { Phase = phase }) } } };
    }

    private Engagement WithBooking(Rebooking rebooking) => rebooking is { Cover: { } cover }
        ? WithCover(cover, c => rebooking.CutAt is { } date ? c.CutAt(date) : c with { State = CoverState.Booked, Booking = rebooking.Booking })
        : this with
        {
            Bookings = rebooking.Steps.IsEmpty
                ? Bookings.Remove(rebooking.Cmo)
                : Bookings.SetItem(rebooking.Cmo, new MemberBooking(rebooking.Booking, MemberPhase.Booked, rebooking.Steps)),
        };
}
