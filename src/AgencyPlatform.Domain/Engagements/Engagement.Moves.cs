using System.Collections.Immutable;
using System.Globalization;
using AgencyPlatform.Domain.Capacity;
using NodaTime;

namespace AgencyPlatform.Domain.Engagements;

/// <summary>The moves of an engagement, and the steps of the two that are sagas.</summary>
public sealed partial record Engagement
{
    public Decision Create(CreateEngagement command) =>
        Exists ? Rejection.AlreadyExists(Kind, command.Id.Value)
        : command.Plan.Violations() is { Length: > 0 } wrong ? Rejection.Invalid(wrong.AsSpan())
        : Decision.Accept(new EngagementCreated(command.Id, command.Client, command.Plan));

    public Decision Update(UpdateEngagement command) => In("update", [EngagementState.Draft], () =>
        command.Plan.Violations() is { Length: > 0 } wrong
            ? Rejection.Invalid(wrong.AsSpan())
            : Decision.Accept(new EngagementUpdated(command.Plan, Plan.ExternalIds, [.. Plan.Members.Select(m => m.Cmo)])));

    /// <summary>Labels and external ids are the agency's own marks: they change in every state, also while a move is under way.</summary>
    public Decision Relabel(RelabelEngagement command)
    {
        if (!Exists)
        {
            return Rejection.NotFound(Kind, "");
        }

        var (labels, ids) = (command.Labels ?? Plan.Labels, command.ExternalIds ?? Plan.ExternalIds);
        return labels.SequenceEqual(Plan.Labels) && ids.SequenceEqual(Plan.ExternalIds)
            ? Decision.Nothing
            : Decision.Accept(new EngagementRelabelled(labels, ids, Plan.ExternalIds));
    }

    // ---- activation: every step that can be refused comes before the first that cannot be taken back ----

    /// <param name="timeZone">The seller's.</param>
    /// <param name="waiving">The CMOs whose own terms waive their agreement, with the version that says so; null: none.</param>
    public Decision Activate(Guid request, string timeZone, Instant now, ImmutableSortedDictionary<CmoId, long>? waiving = null) => In("activate", [EngagementState.Accepted], () =>
        Plan.Members.Where(m => !m.AgreementWaived && waiving?.ContainsKey(m.Cmo) != true && !Agreements.ContainsKey(m.Cmo)).Select(m => m.Cmo.Value).ToArray() is { Length: > 0 } missing
            ? Rejection.Rule(
                Reasons.AgreementMissing, $"Not agreed yet: {string.Join(", ", missing)}. Record their agreement first.", ("cmos", string.Join(",", missing)))
            : Decision.Accept(new ActivationStarted(request, now, timeZone, waiving is { IsEmpty: false } ? waiving : null)));

    /// <summary>
    /// Shortens every member's booking to the date, which is exclusive. Until then the engagement goes on as it is, and time alone ends it; on a date that is not to come it ends
    /// at once.
    /// </summary>
    public Decision EndOn(EndEngagement command, Guid request, Instant now) =>
        EndsOn(command.End) ? Decision.Nothing : In("end", [EngagementState.Active, EngagementState.Paused, EngagementState.Transitioning], () =>
            command.End <= Plan.Start || (End is { } agreed && command.End > agreed)
                ? Rejection.Rule(
                    Reasons.EndOutOfRange, $"The end {command.End:uuuu-MM-dd} does not lie within the engagement's days {Service}.",
                    ("start", $"{Plan.Start:uuuu-MM-dd}"), ("end", End is { } end ? $"{end:uuuu-MM-dd}" : "open"))
                : (RefuseNotice(command, now) ?? ApprovedTimeFrom(command.End) ?? MilestoneReachedFrom(command.End)) is { } refused ? refused
                : Decision.Accept(StartEnd(new EndStarted(request, command.End, now, command.NoticeWaived))));

    /// <summary>Whether the date is the end already that is agreed, or that it had.</summary>
    private bool EndsOn(LocalDate end) =>
        Saga is null && End == end && State is EngagementState.Active or EngagementState.Paused or EngagementState.Transitioning or EngagementState.Ended;

    /// <summary>Begins the end; with nobody booked any more there is no step, and it is done at once.</summary>
    private ImmutableArray<IEvent> StartEnd(EndStarted started)
    {
        var after = Apply(started);
        return after.NextStep() is null ? [started, .. after.EndOfEnding(started.Request)] : [started];
    }

    private ImmutableArray<IEvent> EndOfEnding(Guid request)
    {
        IEvent end = Saga!.End!.Value > DayOf(Saga.StartedAt) ? new EndAgreed(request, Saga.End.Value) : new EngagementEnded(request, Saga.End.Value);
        return [.. Apply(end).ReachedNow(), end];
    }

    /// <summary>What the saga under way does next; null when none is.</summary>
    public SagaStep? NextStep()
    {
        if (Saga is not { Move: null } saga)
        {
            return Proposal.ToFree.IsEmpty ? null : Free(Proposal.ToFree.First());
        }

        if (saga.End is not null)
        {
            return Next(SagaAction.End, MemberPhase.Booked)
                ?? (CoversFrom(saga.End.Value).FirstOrDefault() is { } cover ? new SagaStep(SagaAction.End, cover.Covering, cover.Booking!.Value, saga.Request) : null);
        }

        if (saga.Refusal is not null)
        {
            return Next(SagaAction.Release, MemberPhase.Placed) ?? Next(SagaAction.GiveBack, MemberPhase.TakenOver);
        }

        return Plan.Members.FirstOrDefault(m => !Bookings.ContainsKey(m.Cmo)) is { } open
            ? new SagaStep(open.Hold is null ? SagaAction.Place : SagaAction.TakeOver, open.Cmo, open.Hold ?? BookingOf(open.Cmo), saga.Request)
            : Next(SagaAction.Confirm, MemberPhase.Placed) ?? Next(SagaAction.Confirm, MemberPhase.TakenOver);

        static SagaStep Free(KeyValuePair<CmoId, BookingId> hold) => new(SagaAction.Free, hold.Key, hold.Value, Guid.Empty);

        SagaStep? Next(SagaAction action, MemberPhase phase)
        {
            foreach (var (cmo, booking) in Bookings)
            {
                if (booking.Phase == phase)
                {
                    return new SagaStep(action, cmo, booking.Booking, saga.Request);
                }
            }

            return null;
        }
    }

    /// <summary>
    /// Records what a step came to, and the saga's end with its last one. A step that is not the next any more was recorded before:
    /// nothing to record.
    /// </summary>
    /// <param name="refusal">Why the CMO refused the capacity; only holds can be refused.</param>
    /// <param name="hold">What a hold which was taken over is for.</param>
    public Decision Record(SagaStep step, Rejection? refusal = null, BookingSpec? hold = null)
    {
        if (NextStep() != step)
        {
            return Decision.Nothing;
        }

        if (step.Action == SagaAction.Free)
        {
            return Decision.Accept(new HoldFreed(step.Cmo, step.Booking));
        }

        ImmutableArray<IEvent> events = step.Action switch
        {
            SagaAction.Place or SagaAction.TakeOver when refusal is not null => [new MemberRefused(step.Cmo, Of(step.Cmo, refusal))],
            SagaAction.TakeOver when hold?.Client is { } client && client != Client =>
            [
                new MemberHeld(step.Cmo, step.Booking, TakenOver: true, hold.Steps),
                new MemberRefused(step.Cmo, Rejection.Rule(
                    Reasons.HoldOfAnotherClient, $"The hold '{step.Booking}' of '{step.Cmo}' is for the client '{client}', not for '{Client}'.",
                    ("booking", step.Booking.Value), ("client", client.Value), ("cmo", step.Cmo.Value))),
            ],
            SagaAction.TakeOver when hold is not null && Proposal.Holds.FirstOrDefault(h => h.Cmo == step.Cmo) is { } signed && !signed.IsFor(hold.Steps) =>
            [
                new MemberHeld(step.Cmo, step.Booking, TakenOver: true, hold.Steps),
                new MemberRefused(step.Cmo, Rejection.Rule(
                    Reasons.HoldChanged, $"The hold '{step.Booking}' of '{step.Cmo}' was changed after it was proposed: it is not what was signed. Change it back, or revise the proposal.",
                    ("booking", step.Booking.Value), ("cmo", step.Cmo.Value))),
            ],
            SagaAction.Place => [new MemberHeld(step.Cmo, step.Booking, TakenOver: false)],
            SagaAction.TakeOver => [new MemberHeld(step.Cmo, step.Booking, TakenOver: true, hold?.Steps)],
            SagaAction.Release or SagaAction.GiveBack => [new MemberFreed(step.Cmo)],
            SagaAction.Confirm => [new MemberBooked(step.Cmo)],
            SagaAction.End when CoversFrom(Saga!.End!.Value).FirstOrDefault(c => c.Booking == step.Booking) is { } cover => [new CoverEnded(cover.Id, Saga.End.Value)],
            SagaAction.End => [new MemberEnded(step.Cmo)],
            _ => throw new ArgumentOutOfRangeException(nameof(step), step.Action, "Not a step."),
        };
        var after = events.Aggregate(this, (state, @event) => state.Apply(@event));
        if (after.NextStep() is not null)
        {
            return Decision.Accept(events);
        }

        return Decision.Accept(after.Saga! switch
        {
            { End: not null } => events.AddRange(after.EndOfEnding(step.Request)),
            { Refusal: { } why } => events.Add(new ActivationRefused(step.Request, why)),
            _ => [.. events, .. FirstBlock(), new EngagementActivated(step.Request, Plan.Start)],
        });
    }

    /// <summary>The id of the booking that the activation places with a CMO: always the same, so that a repeat finds it.</summary>
    public BookingId BookingOf(CmoId cmo)
    {
        var id = $"{Id}-{cmo}";
        return new BookingId(IdSyntax.Fitting(id));
    }

    // ---- guards ----

    private Decision In(string move, ImmutableArray<EngagementState> states, Func<Decision> decide) =>
        !Exists ? Rejection.NotFound(Kind, Id.Value ?? "")
        : Saga is not null ? UnderWay
        : !states.Contains(State) ? Rejection.Rule(
            Reasons.MoveNotAllowed,
            $"The move '{move}' is not allowed in the state {Name(State)}, only in {string.Join(", ", states.Select(Name))}.",
            ("move", move), ("state", Name(State)), ("allowed_states", string.Join(",", states.Select(Name))))
        : decide();

    private Rejection UnderWay => Rejection.Rule(
        Reasons.MoveUnderWay, $"A move of the engagement '{Id}' is under way: no other until it is done.", ("engagement", Id.Value));

    private Decision? Other(int revision) => revision == 0 || revision == Revision
        ? (Decision?)null
        : Decision.Reject(Rejection.Rule(
            Reasons.RevisionChanged, $"Revision {revision} is not the current one, {Revision}: read again and decide again.",
            ("revision", Text(revision)), ("current_revision", Text(Revision))));

    private static Rejection Of(CmoId cmo, Rejection rejection) => rejection with { Metadata = rejection.Metadata.SetItem("cmo", cmo.Value) };

    private static string Name(EngagementState state) => state.ToString().ToUpperInvariant();

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
