using System.Collections.Immutable;
using System.Globalization;
using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Absences;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Domain.Engagements;
using AgencyPlatform.Domain.Time;
using AgencyPlatform.Life.Tests.Model;
using AgencyPlatform.Life.Tests.Moves;
using NodaTime;

namespace AgencyPlatform.Life.Tests.Driving;

/// <summary>One sending of a move, and its answer.</summary>
internal sealed class Attempt(Move move, Answer answer)
{
    public Move Move { get; } = move;
    public Answer Answer { get; } = answer;

    /// <summary>The model agreed with the answer at some moment between the sending and the answer.</summary>
    public bool IsJustified { get; set; }
}

/// <summary>
/// Reads the agency's feed, which tells in which order concurrent moves were decided, and has the model make the same moves in the same order. Whatever the model
/// does not expect there, or expects and does not find, is a difference.
/// </summary>
internal sealed class Witness(ModelAgency model, Coverage coverage)
{
    private readonly Dictionary<AggregateKey, Queue<string>> _expected = [];
    private readonly Dictionary<Guid, Move> _moves = [];
    private readonly HashSet<Guid> _accepted = [];
    private readonly HashSet<Guid> _factsHeld = [];
    private readonly Dictionary<(object, object), int> _asked = [];

    /// <summary>The last event that was read.</summary>
    public long Sequence { get; private set; }

    public int Events { get; private set; }

    /// <summary>What came before is no matter of the model.</summary>
    public void Begin(long sequence) => Sequence = sequence;

    public void Sent(Move move) => _moves[move.Request] = move;

    public bool IsAccepted(Guid request) => _accepted.Contains(request);

    /// <summary>Has the model follow the events, and judges the answers that were given meanwhile.</summary>
    public void Follow(IReadOnlyList<StoredEvent> events, IReadOnlyList<Attempt> attempts)
    {
        Watch(attempts);
        foreach (var stored in events)
        {
            if (stored.Sequence != Sequence + 1)
            {
                throw new DifferenceException($"The feed goes on from {Sequence} with {stored.Sequence}.");
            }

            (Sequence, Events) = (stored.Sequence, Events + 1);
            Follow(stored);
            if (_expected.Count == 0)
            {
                Watch(attempts);
            }
        }

        if (_expected.Count > 0)
        {
            throw new DifferenceException($"The feed ends, and the model expects {string.Join("; ", _expected.Select(e => $"{e.Key}: {string.Join(", ", e.Value)}"))}.");
        }
    }

    /// <summary>Judges answers once all that they led to is done.</summary>
    public void Judge(IReadOnlyList<Attempt> attempts)
    {
        foreach (var (move, answer, justified) in attempts.Select(a => (a.Move, a.Answer, a.IsJustified)))
        {
            var accepted = _accepted.Contains(move.Request);
            var outcome = accepted ? move.Outcome?.Invoke(model) : null;
            if (outcome is { Known: false })
            {
                throw new DifferenceException($"{move.Name} {move.Text} was answered with {answer}, and the model has not seen its end.");
            }

            var right = (accepted && answer.Refused == outcome?.Refused && (outcome?.Outcomes is not { } outcomes || outcomes == answer.Outcomes))
                || (justified && answer.Refused is not null);
            if (!right)
            {
                throw new DifferenceException(
                    $"{move.Name} {move.Text} was answered with {answer}; the model {(accepted ? $"saw it accepted{(outcome is { } o ? $", with the outcome {o.Refused ?? o.Outcomes ?? "done"}" : "")}" : $"says now: {move.Decide(model).Refused ?? "accepted"}")}.");
            }
        }
    }

    private void Follow(StoredEvent stored)
    {
        var (key, name) = (stored.Key, stored.Event.Name);
        if (_expected.TryGetValue(key, out var expected))
        {
            if (expected.Dequeue() is var next && next != name)
            {
                throw new DifferenceException($"{key} has the event {name} where the model expects {next}.");
            }

            if (expected.Count == 0)
            {
                _expected.Remove(key);
            }

            if (stored.Event.Request is not null)
            {
                throw new DifferenceException($"{key}: the event {name} carries a request id, and the model counts it to the move before.");
            }

            return;
        }

        var @event = EventJson.Deserialize(name, stored.Event.SchemaVersion, stored.Event.Payload);
        var verdict = stored.Event.Request is { } request && _moves.TryGetValue(request, out var move) ? Moved(move, key) : ByItself(key, @event);
        if (verdict.Refused is not null || verdict.Events[0] != name)
        {
            throw new DifferenceException($"{key} has the event {name}; the model {(verdict.Refused is { } why ? $"refuses this: {why}" : $"expects {string.Join(", ", verdict.Events)}")}. {Payload(stored)}");
        }

        verdict.Apply();
        if (verdict.Events.Skip(1).Concat(verdict.Later).ToList() is { Count: > 0 } more)
        {
            _expected[key] = new Queue<string>(more);
        }

        if (@event is EngagementProposed { Holds: { } holds })
        {
            model.Engagement(key.Id).SignedHolds = holds.ToDictionary(h => h.Cmo.Value, h => AllMoves.Text(h.Steps));
        }

        if (@event is MoveStarted started)
        {
            Match(key.Id, started);
        }

        Touch(key);
    }

    private Verdict Moved(Move move, AggregateKey key)
    {
        if (!_accepted.Add(move.Request))
        {
            throw new DifferenceException($"{move.Name} {move.Text} counts twice.");
        }

        if (move.Facts is not null && !_factsHeld.Contains(move.Request))
        {
            throw new DifferenceException($"{move.Name} {move.Text} is recorded; the model refuses it: {move.Facts(model)}.");
        }

        if (key.Kind == "engagement" && model.Engagement(key.Id).Due().FirstOrDefault(d => d.At <= model.Clock) is { Does: not null } due)
        {
            throw new DifferenceException($"{move.Name} {move.Text} is recorded before what time did at {due.At}: {string.Join(", ", due.Does.Events)}.");
        }

        var where = move.Where(model);
        var verdict = move.Decide(model);
        if (verdict.Refused is { } why)
        {
            throw new DifferenceException($"{move.Name} {move.Text} is recorded for {key}; the model refuses it: {why}.");
        }

        coverage.Accepted(move.Name, where);
        return verdict;
    }

    // ---- what nobody asked for: steps and time ----

    private Verdict ByItself(AggregateKey key, IEvent @event) => (key.Kind, @event) switch
    {
        ("agency", SandboxClockAdvanced e) => Verdict.Yes(() => model.Clock = e.To, "agency.sandbox-clock-advanced"),
        ("engagement", _) => OfEngagement(model.Engagement(key.Id), @event),
        ("cmo", _) => OfCmo(model.Cmo(key.Id), @event),
        ("timesheet", _) => OfSheet(Sheet(key.Id), @event),
        ("absence", _) => OfAbsence(model.Absence(key.Id), @event),
        _ => throw new DifferenceException($"{key} has the event {EventJson.NameOf(@event).Name}, which nobody asked for."),
    };

    private Verdict OfEngagement(ModelEngagement e, IEvent @event)
    {
        switch (@event)
        {
            case MemberHeld held:
                var part = PartOf(e, p => p.Cmo == held.Cmo.Value, PartPhase.HeldAtCmo);
                if (part.Form == PartForm.TakeOver)
                {
                    var hold = model.Cmo(part.Cmo).Find(part.Booking)!;
                    part.Steps = hold.Steps;
                    if (hold.Client != e.Client.Id)
                    {
                        part.Phase = PartPhase.Held;
                        return e.RecordedRefusal("HOLD_OF_ANOTHER_CLIENT", "engagement.member-held", "engagement.member-refused");
                    }

                    if (e.SignedHolds.TryGetValue(part.Cmo, out var signed) && signed != hold.Steps.Text())
                    {
                        part.Phase = PartPhase.Held;
                        return e.RecordedRefusal("HOLD_CHANGED", "engagement.member-held", "engagement.member-refused");
                    }
                }

                return e.Recorded(part, PartPhase.Held, "engagement.member-held");
            case MemberRefused refused:
                return Refused(e, p => p.Cmo == refused.Cmo.Value, refused.Rejection, "engagement.member-refused");
            case MemberFreed freed:
                return e.Recorded(PartOf(e, p => p.Cmo == freed.Cmo.Value, PartPhase.UndoneAtCmo), PartPhase.Undone, "engagement.member-freed");
            case MemberBooked booked:
                return Done(e, PartOf(e, p => p.Cmo == booked.Cmo.Value, PartPhase.Held, PartPhase.DoneAtCmo), "engagement.member-booked");
            case MemberEnded ended:
                return Done(e, PartOf(e, p => p.Cmo == ended.Cmo.Value && p.Cover is null, PartPhase.Held, PartPhase.DoneAtCmo), "engagement.member-ended");
            case CoverEnded ended:
                return Done(e, PartOf(e, p => p.Cover == ended.Id.Value, PartPhase.Held, PartPhase.DoneAtCmo), "engagement.cover-ended");
            case RebookingHeld held:
                return e.Recorded(PartOf(e, p => e.Saga!.Parts.IndexOf(p) == held.Index, PartPhase.HeldAtCmo), PartPhase.Held, "engagement.rebooking-held");
            case RebookingRefused refused:
                return Refused(e, p => e.Saga!.Parts.IndexOf(p) == refused.Index, refused.Rejection, "engagement.rebooking-refused");
            case RebookingUndone undone:
                return e.Recorded(PartOf(e, p => e.Saga!.Parts.IndexOf(p) == undone.Index, PartPhase.UndoneAtCmo), PartPhase.Undone, "engagement.rebooking-undone");
            case Rebooked rebooked:
                return Done(e, PartOf(e, p => e.Saga!.Parts.IndexOf(p) == rebooked.Index, PartPhase.Held, PartPhase.DoneAtCmo), "engagement.rebooked");
            case HoldFreed freed:
                return e.ToFree.TryGetValue(freed.Cmo.Value, out var free) && free.Hold == freed.Booking.Value && (free.Freed || !Frees(e, freed.Cmo.Value, free.Hold))
                    ? Verdict.Yes(() => e.ToFree.Remove(freed.Cmo.Value), "engagement.hold-freed")
                    : throw new DifferenceException($"{e.Id} says that the hold {freed.Booking} is freed, and it is not.");
            case TimeDrawn drawn:
                var (sheet, round, entry) = Waiting(drawn.Entry, "approve");
                var verdict = e.Draw(drawn.Entry.Value, sheet.Cmo, entry.Date, entry.Minutes, entry.Billable, entry.Paid);
                round.WithEngagement.Add(entry.Id);
                return verdict;
            case TimeReversed reversed:
                return WithEngagement(Waiting(reversed.Entry, "reverse"), e.Reverse(reversed.Entry.Value));
            case TimeDisputed disputed:
                var doubted = Waiting(disputed.Entry, "dispute");
                return WithEngagement(doubted, e.Dispute(disputed.Entry.Value, doubted.Round.Request));
            case TimeDisputeEnded over:
                var restored = Waiting(over.Entry, "restore");
                return WithEngagement(restored, e.EndDispute(over.Entry.Value, restored.Entry.Dispute!.Value.Id));
            case CoverRequested cover:
                return AskedBy(e, cover);
            default:
                return Time(e.Id, e.Due(), @event);
        }
    }

    private Verdict OfCmo(ModelCmo cmo, IEvent @event)
    {
        switch (@event)
        {
            case BookingHeld { Owner: { } owner } held:
                var engagement = model.Engagement(owner.Value);
                var part = PartOf(engagement, p => p.Cmo == cmo.Id && (p.Form == PartForm.Swap ? p.Swap : p.Form == PartForm.Place ? p.Booking : null) == held.Id.Value, PartPhase.Open);
                if (engagement.Saga!.Refusal is not null || AllMoves.Text(held.Spec.Steps) != part.Steps.Text() || held.Spec.Client.Value != engagement.Client.Id || held.ExpiresAt is not null)
                {
                    throw new DifferenceException($"{cmo.Id} holds {AllMoves.Text(held.Spec.Steps)} for {held.Spec.Client}; the model expects {part}{(engagement.Saga.Refusal is { } no ? $", refused for {no}" : "")}.");
                }

                var why = part.Form == PartForm.Swap
                    ? cmo.Refuses(engagement.Client.Id, part.Steps, cmo.Find(part.Booking) ?? throw new DifferenceException($"{cmo.Id} has no booking {part.Booking} to swap."))
                    : cmo.New(part.Booking, engagement.Client.Id, owner.Value, part.Steps, _ => { }, "").Refused;
                return why is not null ? Verdict.No(why) : Verdict.Yes(
                    () =>
                    {
                        cmo.Bookings.Add(new ModelBooking(held.Id.Value, engagement.Client.Id, owner.Value, part.Steps));
                        part.Phase = PartPhase.HeldAtCmo;
                    },
                    "cmo.booking-held");
            case HoldMoved { Owner: { } owner } moved:
                var taken = PartOf(model.Engagement(owner.Value), p => p.Cmo == cmo.Id && p.Form == PartForm.TakeOver && p.Booking == moved.Id.Value, PartPhase.Open);
                return cmo.TakeOver(taken.Booking, owner.Value).And(() => taken.Phase = PartPhase.HeldAtCmo);
            case HoldMoved moved:
                var (of, given) = OwnPart(cmo, moved.Id.Value, p => p.Form == PartForm.TakeOver, PartPhase.Held);
                return of.Saga!.Refusal is null
                    ? throw new DifferenceException($"{cmo.Id} gives {moved.Id} back, and nothing was refused.")
                    : cmo.GiveBack(cmo.Find(given.Booking)!).And(() => given.Phase = PartPhase.UndoneAtCmo);
            case BookingConfirmed confirmed:
                var (by, toConfirm) = OwnPart(cmo, confirmed.Id.Value, p => p.Form is PartForm.Place or PartForm.TakeOver, PartPhase.Held);
                MayChange(by);
                return Verdict.Yes(() => ModelCmo.Confirm(cmo.Find(confirmed.Id.Value)!), "cmo.booking-confirmed").And(() => toConfirm.Phase = PartPhase.DoneAtCmo);
            case BookingSwapped swapped:
                var (mover, swap) = OwnPart(cmo, swapped.Id.Value, p => p.Swap == swapped.Swap.Value, PartPhase.Held);
                MayChange(mover);
                return Verdict.Yes(
                    () =>
                    {
                        cmo.Bookings.Remove(cmo.Find(swapped.Swap.Value)!);
                        cmo.Find(swapped.Id.Value)!.Steps = swap.Steps;
                        swap.Phase = PartPhase.DoneAtCmo;
                    },
                    "cmo.booking-swapped");
            case BookingEnded ended:
                return Cut(cmo, ended.Id.Value);
            case BookingReleased released:
                return Released(cmo, released.Id.Value);
            case TimeOffAdded added:
                var absence = model.Absences.Values.FirstOrDefault(a => a.IsUnderWay && a.Id == added.TimeOff.Id.Value && !a.IsOff)
                    ?? throw new DifferenceException($"{cmo.Id} is off by {added.TimeOff.Id}, and nobody asked for it.");
                return cmo.AddTimeOff(absence.Off).And(() => absence.IsOff = true);
            default:
                return Time(cmo.Id, cmo.NextDue is { } due ? [(due, cmo.Expire(due))] : [], @event);
        }
    }

    private Verdict OfSheet(ModelSheet sheet, IEvent @event)
    {
        switch (@event)
        {
            case EntryApproved approved:
                var round = RoundOf(sheet, approved.Request, approved.Entry.Value);
                var key = sheet.EntryKey(approved.Entry.Value);
                var engagement = model.Engagement(sheet.Entries[approved.Entry.Value].Engagement);
                var drawn = engagement.Approved.GetValueOrDefault(key) ?? engagement.Reversed.GetValueOrDefault(key);
                var parts = $"drawn {approved.Parts.DrawnMinutes()} overage {approved.Parts.Overage} parked {approved.Parts.Parked} charged {approved.Parts.Charged}";
                if (parts != drawn?.ToString())
                {
                    throw new DifferenceException($"{key} is approved as {parts}; the model has {drawn?.ToString() ?? "nothing drawn"}.");
                }

                sheet.Entries[approved.Entry.Value].Parts = parts;
                return sheet.Recorded(round, approved.Entry.Value, null, "timesheet.entry-approved");
            case EntryApprovalRefused refused:
                var refusing = RoundOf(sheet, refused.Request, refused.Entry.Value);
                return refusing.Refusals.GetValueOrDefault(refused.Entry.Value)?.Contains(refused.Rejection.Reason) == true
                    ? sheet.Recorded(refusing, refused.Entry.Value, refused.Rejection.Reason, "timesheet.entry-approval-refused")
                    : throw new DifferenceException($"{sheet.EntryKey(refused.Entry.Value)} is refused for {refused.Rejection.Reason}; the model never refused it for that.");
            case EntryReversed reversed:
                return Corrected(sheet, reversed.Request, reversed.Entry.Value, "timesheet.entry-reversed");
            case EntryDisputed disputed:
                return Corrected(sheet, disputed.Dispute.Request, disputed.Entry.Value, "timesheet.entry-disputed");
            case EntryRestored restored:
                return Corrected(sheet, restored.Request, restored.Entry.Value, "timesheet.entry-restored");
            default:
                throw new DifferenceException($"timesheet {sheet.Key} has the event {EventJson.NameOf(@event).Name}, which nobody asked for.");
        }
    }

    private Verdict OfAbsence(ModelAbsence absence, IEvent @event)
    {
        switch (@event)
        {
            case AbsenceRefused refused:
                return absence.IsUnderWay && !absence.IsOff && absence.Refusals.Contains(refused.Rejection.Reason)
                    ? Verdict.Yes(() => absence.End(refused.Rejection.Reason), "absence.refused")
                    : throw new DifferenceException($"The absence {absence.Id} is refused for {refused.Rejection.Reason}; the model does not.");
            case NeedsFound found:
                var needs = new SortedDictionary<string, System.Collections.Immutable.ImmutableSortedDictionary<LocalDate, int>>(
                    found.Needs.ToDictionary(n => n.Engagement.Value, n => n.Minutes), StringComparer.Ordinal);
                if (!absence.IsOff || !absence.LackedEver.Contains(Text(needs)))
                {
                    throw new DifferenceException($"By the absence {absence.Id} engagements lack {Text(needs)}; the model has {string.Join(" or ", absence.LackedEver)}.");
                }

                return Verdict.Yes(
                    () =>
                    {
                        absence.Needs = needs;
                        if (needs.Count == 0)
                        {
                            absence.End(null);
                        }
                    },
                    needs.Count == 0 ? ["absence.needs-found", "absence.settled"] : ["absence.needs-found"]);
            case NeedAnswered answered:
                return Answered(absence, answered);
            default:
                throw new DifferenceException($"The absence {absence.Id} has the event {EventJson.NameOf(@event).Name}, which nobody asked for.");
        }
    }

    private Verdict Answered(ModelAbsence absence, NeedAnswered answered)
    {
        var engagement = answered.Engagement.Value;
        if (absence.Needs?.ContainsKey(engagement) != true)
        {
            throw new DifferenceException($"The absence {absence.Id} looks after {engagement}, which needs nothing.");
        }

        foreach (var cmo in model.Cmos.Where(c => c.Id != absence.Cmo && model.Engagement(engagement).Members.All(m => m.Cmo != c.Id)))
        {
            var (fitted, refused) = absence.Fits.GetValueOrDefault((engagement, cmo.Id));
            if (answered.Candidates.Contains(new CmoId(cmo.Id)) ? !fitted : !refused)
            {
                throw new DifferenceException($"The absence {absence.Id} asks {string.Join(",", answered.Candidates)} for {engagement}; the model disagrees about {cmo.Id}.");
            }
        }

        var ever = absence.AskedEver.GetValueOrDefault(engagement) ?? [];
        var asked = answered.Candidates.IsEmpty ? [.. ever, "NOBODY_FITS"] : ever;
        if (!asked.Contains(answered.Refusal?.Reason ?? ""))
        {
            throw new DifferenceException($"The cover by {absence.Id} for {engagement} came to {answered.Refusal?.Reason ?? "a request"}; the model has {string.Join(" or ", asked)}.");
        }

        var last = absence.Needs.Count == 1;
        return Verdict.Yes(
            () =>
            {
                absence.Needs.Remove(engagement);
                absence.Fits.Clear();
                if (last)
                {
                    absence.End(null);
                }
            },
            last ? ["absence.need-answered", "absence.settled"] : ["absence.need-answered"]);
    }

    /// <summary>A cover that an absence asks for.</summary>
    private Verdict AskedBy(ModelEngagement e, CoverRequested cover)
    {
        var absence = model.Absences.Values.FirstOrDefault(a => a.IsUnderWay && a.Id == cover.Id.Value && a.Needs?.ContainsKey(e.Id) == true)
            ?? throw new DifferenceException($"{e.Id} has the cover {cover.Id}, which nobody asked for.");
        return cover.Away.Value != absence.Cmo || cover.Minutes.Except(absence.Needs![e.Id]).Any()
            ? throw new DifferenceException($"{e.Id}: the cover {cover.Id} is {Step.Named(cover.Minutes)}; the model expects {Step.Named(absence.Needs![e.Id])}.")
            : e.RequestCover(cover.Id.Value, absence.Cmo, cover.Covering.Value, cover.Minutes, waived: false)
                .And(() => (absence.AskedEver.TryGetValue(e.Id, out var asked) ? asked : absence.AskedEver[e.Id] = []).Add(""));
    }

    /// <summary>The first thing that time does, at its time and not before.</summary>
    private Verdict Time(string what, IEnumerable<(Instant At, Verdict Does)> due, IEvent @event)
    {
        var name = EventJson.NameOf(@event).Name;
        var open = due.Where(d => d.At <= model.Clock).ToList();
        var first = open.Count == 0 ? default : open.Min(d => d.At);
        return open.FirstOrDefault(d => d.At == first && d.Does.Events[0] == name).Does
            ?? throw new DifferenceException($"{what} has the event {name} at {model.Clock}; the model expects {(open.Count == 0 ? "nothing" : string.Join(" or ", open.Select(d => $"{string.Join(", ", d.Does.Events)} ({d.At})")))}.");
    }

    // ---- sagas ----

    private static ModelPart PartOf(ModelEngagement e, Func<ModelPart, bool> which, params PartPhase[] phases) =>
        e.Saga?.Parts.FirstOrDefault(p => which(p) && phases.Contains(p.Phase))
        ?? throw new DifferenceException($"{e.Id}: no booking of the move under way ({e.Saga?.Move ?? "none"}: {string.Join("; ", e.Saga?.Parts.Select(p => $"{p} {p.Phase}") ?? [])}) is at that step.");

    private (ModelEngagement Engagement, ModelPart Part) OwnPart(ModelCmo cmo, string booking, Func<ModelPart, bool> which, PartPhase phase)
    {
        var owner = cmo.Find(booking)?.Owner ?? throw new DifferenceException($"{cmo.Id} has no booking {booking} of an engagement.");
        var engagement = model.Engagement(owner);
        return (engagement, PartOf(engagement, p => p.Cmo == cmo.Id && (p.Booking == booking || p.Swap == booking) && which(p), phase));
    }

    /// <summary>Every booking that can be refused is held before the first is changed.</summary>
    private static void MayChange(ModelEngagement e)
    {
        if (e.Saga!.Refusal is not null || !e.Saga.AllHeld)
        {
            throw new DifferenceException($"{e.Id} changes a booking before all are held: {string.Join("; ", e.Saga.Parts.Select(p => $"{p} {p.Phase}"))}.");
        }
    }

    private Verdict Cut(ModelCmo cmo, string booking)
    {
        var (engagement, part) = OwnPart(cmo, booking, p => p.Form == PartForm.Cut, PartPhase.Held);
        MayChange(engagement);
        var (@event, apply) = cmo.Cut(cmo.Find(booking), part.CutAt);
        return @event is null
            ? throw new DifferenceException($"{cmo.Id}: {booking} is cut at {part.CutAt:R}; the model has nothing to cut.")
            : Verdict.Yes(apply, @event).And(() => part.Phase = PartPhase.DoneAtCmo);
    }

    private Verdict Released(ModelCmo cmo, string booking)
    {
        var there = cmo.Find(booking) ?? throw new DifferenceException($"{cmo.Id} releases {booking}, which is not there.");
        if (there.Owner is null)
        {
            var of = model.Engagements.Values.FirstOrDefault(e => e.ToFree.TryGetValue(cmo.Id, out var free) && free.Hold == booking && !free.Freed && Frees(e, cmo.Id, booking))
                ?? throw new DifferenceException($"{cmo.Id} releases {booking}, and nobody asked for it.");
            return Verdict.Yes(
                () =>
                {
                    cmo.Bookings.Remove(there);
                    of.ToFree[cmo.Id] = (booking, true);
                },
                "cmo.booking-released");
        }

        var engagement = model.Engagement(there.Owner);
        if (engagement.Saga?.Refusal is null)
        {
            return Cut(cmo, booking);
        }

        var part = PartOf(engagement, p => p.Cmo == cmo.Id && (p.Form == PartForm.Swap ? p.Swap : p.Form == PartForm.Place ? p.Booking : null) == booking, PartPhase.Held);
        return Verdict.Yes(
            () =>
            {
                cmo.Bookings.Remove(there);
                part.Phase = PartPhase.UndoneAtCmo;
            },
            "cmo.booking-released");
    }

    /// <summary>Only a hold for the same client that no engagement owns is freed.</summary>
    private bool Frees(ModelEngagement e, string cmo, string hold) => model.Cmo(cmo).Find(hold) is { Owner: null, Confirmed: false } held && held.Client == e.Client.Id;

    private Verdict Done(ModelEngagement e, ModelPart part, string @event)
    {
        if (part.Phase == PartPhase.Held)
        {
            // Nothing to change with the CMO: confirmed by somebody before, or over on that date already.
            var booking = model.Cmo(part.Cmo).Find(part.Booking);
            MayChange(e);
            if (part.Form == PartForm.Swap || (part.Form == PartForm.Cut ? model.Cmo(part.Cmo).Cut(booking, part.CutAt).Event is not null : booking is not { Confirmed: true }))
            {
                throw new DifferenceException($"{e.Id} records {part} as done, and the CMO has not changed it.");
            }
        }

        return e.Recorded(part, PartPhase.Done, @event);
    }

    private static Verdict Refused(ModelEngagement e, Func<ModelPart, bool> which, Rejection rejection, string @event)
    {
        var part = PartOf(e, which, PartPhase.Open);
        return e.Saga!.Refusals.GetValueOrDefault(part)?.Contains(rejection.Reason) == true
            ? e.RecordedRefusal(rejection.Reason, @event)
            : throw new DifferenceException($"{e.Id}: {part} is refused for {rejection.Reason}; the model has {string.Join(" or ", e.Saga.Refusals.GetValueOrDefault(part) ?? ["no refusal"])}.");
    }

    /// <summary>The bookings that a move changes are the model's; their order, and the ids of the holds beside them, are told.</summary>
    private void Match(string engagement, MoveStarted started)
    {
        if (model.Engagement(engagement).Saga is not { } saga)
        {
            if (started.Rebookings.Length > 0)
            {
                throw new DifferenceException($"{engagement} changes {started.Rebookings.Length} bookings; the model changes none.");
            }

            return;
        }

        string Told(Rebooking r) =>
            $"{r.Form} {r.Cmo} {r.Booking}{(r.Cover is { } cover ? $" of {cover}" : "")} {AllMoves.Text(r.Steps)}{(r.Form == RebookingForm.Cut ? $" at {r.CutAt:uuuu-MM-dd}" : "")}";
        var parts = saga.Parts.ToDictionary(p => p.ToString());
        if (!parts.Keys.Order(StringComparer.Ordinal).SequenceEqual(started.Rebookings.Select(Told).Order(StringComparer.Ordinal)))
        {
            throw new DifferenceException($"{engagement} changes {string.Join("; ", started.Rebookings.Select(Told))}; the model changes {string.Join("; ", parts.Keys)}.");
        }

        saga.Parts.Clear();
        foreach (var rebooking in started.Rebookings)
        {
            var part = parts[Told(rebooking)];
            part.Swap = rebooking.Swap?.Value;
            saga.Parts.Add(part);
        }
    }

    // ---- time entries ----

    private ModelSheet Sheet(string key)
    {
        var (cmo, week) = (key[..key.IndexOf('/', StringComparison.Ordinal)], key[(key.IndexOf('/', StringComparison.Ordinal) + 1)..]);
        return model.Sheet(cmo, IsoWeek.Parse(week)!.Value);
    }

    private (ModelSheet Sheet, ModelRound Round, ModelEntry Entry) Waiting(TimeEntryKey key, string what)
    {
        var id = key.Value[(key.Value.LastIndexOf('/') + 1)..];
        var sheet = Sheet(key.Value[..key.Value.LastIndexOf('/')]);
        var round = sheet.Rounds.FirstOrDefault(r => r.What == what && r.Waiting.Contains(id) && !r.WithEngagement.Contains(id))
            ?? throw new DifferenceException($"The engagement has done its part of {what} for {key}, and nobody asked for it.");
        return (sheet, round, sheet.Entries[id]);
    }

    private static Verdict WithEngagement((ModelSheet Sheet, ModelRound Round, ModelEntry Entry) waiting, Verdict verdict) => verdict.And(() => waiting.Round.WithEngagement.Add(waiting.Entry.Id));

    private static ModelRound RoundOf(ModelSheet sheet, Guid request, string entry) =>
        sheet.Rounds.FirstOrDefault(r => r.Request == request && r.Waiting.Contains(entry))
        ?? throw new DifferenceException($"{sheet.EntryKey(entry)}: nothing under way waits for this entry.");

    private static Verdict Corrected(ModelSheet sheet, Guid request, string entry, string @event)
    {
        var round = RoundOf(sheet, request, entry);
        return round.WithEngagement.Contains(entry)
            ? sheet.Recorded(round, entry, null, @event)
            : throw new DifferenceException($"{sheet.EntryKey(entry)} is recorded as done, and its engagement has not done its part.");
    }

    // ---- what is said no to, at whatever moment ----

    /// <summary>Looks, at this moment, what the model would refuse: whatever was refused must have been so at some moment.</summary>
    private void Watch(IReadOnlyList<Attempt> attempts)
    {
        foreach (var e in model.Engagements.Values.Where(e => e.Saga is { Refusal: null }))
        {
            foreach (var part in e.Saga!.Parts.Where(p => p.Phase == PartPhase.Open))
            {
                var cmo = model.Cmo(part.Cmo);
                if (IsNews(part, cmo, cmo.Changes)
                    && (part.Form == PartForm.TakeOver ? cmo.TakeOver(part.Booking, e.Id).Refused
                        : part.Form == PartForm.Swap ? cmo.Refuses(e.Client.Id, part.Steps, cmo.Find(part.Booking))
                        : cmo.New(part.Booking, e.Client.Id, e.Id, part.Steps, _ => { }, "").Refused) is { } why)
                {
                    (e.Saga.Refusals.TryGetValue(part, out var known) ? known : e.Saga.Refusals[part] = []).UnionWith(why.Split('|'));
                }
            }
        }

        foreach (var sheet in model.Sheets.Values)
        {
            foreach (var round in sheet.Rounds.Where(r => r.What == "approve"))
            {
                foreach (var entry in round.Waiting.Where(w => !round.WithEngagement.Contains(w)).Select(w => sheet.Entries[w]))
                {
                    var engagement = model.Engagement(entry.Engagement);
                    if (IsNews((round.Request, entry.Id), engagement, engagement.Changes)
                        && engagement.Draw(sheet.EntryKey(entry.Id), sheet.Cmo, entry.Date, entry.Minutes, entry.Billable, entry.Paid).Refused is { } why)
                    {
                        (round.Refusals.TryGetValue(entry.Id, out var known) ? known : round.Refusals[entry.Id] = []).Add(why);
                    }
                }
            }
        }

        foreach (var absence in model.Absences.Values.Where(a => a.IsUnderWay))
        {
            Watch(absence);
        }

        foreach (var attempt in attempts)
        {
            var move = attempt.Move;
            if (_accepted.Contains(move.Request))
            {
                continue;
            }

            if (move.Facts is { } facts)
            {
                if (facts(model) is not { } missing)
                {
                    _factsHeld.Add(move.Request);
                }
                else if (!attempt.IsJustified && missing == attempt.Answer.Refused)
                {
                    attempt.IsJustified = true;
                    coverage.Refused(move.Name, move.Where(model), missing);
                }
            }

            if (!attempt.IsJustified && attempt.Answer.Refused is { } reason && move.Decide(model).IsRefusedFor(reason))
            {
                attempt.IsJustified = true;
                if (attempt.Answer.Refused is { } refused)
                {
                    coverage.Refused(move.Name, move.Where(model), refused);
                }
            }
        }
    }

    private void Watch(ModelAbsence absence)
    {
        var away = model.Cmo(absence.Cmo);
        if (!absence.IsOff)
        {
            if (away.AddTimeOff(absence.Off).Refused is { } why)
            {
                absence.Refusals.Add(why);
            }
        }
        else if (absence.Needs is not { } needs)
        {
            absence.LackedEver.Add(Text(away.LostTo(away.TimeOff.First(t => t.Id == absence.Id))));
        }
        else
        {
            foreach (var (id, minutes) in needs)
            {
                var engagement = model.Engagement(id);
                foreach (var cmo in model.Cmos.Where(c => c.Id != absence.Cmo && engagement.Members.All(m => m.Cmo != c.Id)))
                {
                    // Only dates on which the engagement takes time, and nobody who is off on one of them.
                    var open = minutes.Where(m => engagement.RefusesTime(absence.Cmo, m.Key) is null).ToImmutableSortedDictionary();
                    var asks = absence.AskedEver.TryGetValue(id, out var known) ? known : absence.AskedEver[id] = [];
                    if (open.IsEmpty)
                    {
                        asks.Add(engagement.RefusesTime(absence.Cmo, minutes.Keys.First())!);
                        absence.Fits[(id, cmo.Id)] = (absence.Fits.GetValueOrDefault((id, cmo.Id)).Fitted, true);
                        continue;
                    }

                    var fits = cmo.Refuses(engagement.Client.Id, [Step.Named(open)]) is null && open.All(m => cmo.Available(m.Key) >= m.Value);
                    var (fitted, refused) = absence.Fits.GetValueOrDefault((id, cmo.Id));
                    absence.Fits[(id, cmo.Id)] = (fitted || fits, refused || !fits);
                    if (engagement.RequestCover(absence.Id, absence.Cmo, cmo.Id, open, waived: false) is { } asked)
                    {
                        // Repeated after a crash it is there already.
                        asks.Add(asked.Refused ?? (asked == Verdict.Nothing ? "" : "not yet"));
                    }
                }
            }
        }
    }

    private bool IsNews(object what, object of, int changes)
    {
        if (_asked.TryGetValue((what, of), out var seen) && seen == changes)
        {
            return false;
        }

        _asked[(what, of)] = changes;
        return true;
    }

    private void Touch(AggregateKey key)
    {
        switch (key.Kind)
        {
            case "cmo":
                model.Cmo(key.Id).Changes++;
                break;
            case "engagement":
                model.Engagement(key.Id).Changes++;
                break;
            case "timesheet":
                Sheet(key.Id).Changes++;
                break;
        }
    }

    private static string Text(SortedDictionary<string, System.Collections.Immutable.ImmutableSortedDictionary<LocalDate, int>> lost) =>
        string.Join("; ", lost.Select(l => $"{l.Key} {Step.Named(l.Value)}"));

    private static string Payload(StoredEvent stored) => string.Create(CultureInfo.InvariantCulture, $"({stored.Sequence}: {System.Text.Encoding.UTF8.GetString(stored.Event.Payload)})");
}
