using System.Collections.Immutable;
using System.Text.Json;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Cmos;
using CsCheck;
using NodaTime;
using static AgencyPlatform.Domain.Tests.Capacity.Given;

namespace AgencyPlatform.Domain.Tests.Capacity;

/// <summary>Capacity under generated sequences of commands.</summary>
public class Generated_capacity
{
    private static readonly LocalDate s_from = Day(3, 2);

    private static readonly Gen<WeekdayMinutes> s_weekdays =
        OneOf(0, 0, 60, 90, 100, 480).Array[7].Select(m => new WeekdayMinutes(m[0], m[1], m[2], m[3], m[4], m[5], m[6]));

    private static readonly Gen<DateRange> s_dates =
        Gen.Select(Gen.Int[0, 20], Gen.Int[1, 15], Gen.Bool).Select((start, days, open) => Dates(s_from.PlusDays(start), open && days > 12 ? null : s_from.PlusDays(start + days)));

    private static readonly Gen<BookingStep> s_daily = Gen.OneOf(
        Gen.Select(s_dates, Gen.Int[1, 700]).Select(BookingStep (dates, minutes) => new FlexibleStep(dates, minutes)),
        Gen.Select(s_dates, s_weekdays, Gen.Int[1, 3]).Select(BookingStep (dates, days, n) => new FixedDaysStep(dates, days.Week == 0 ? days with { Monday = 60 } : days, n)),
        Gen.Select(Gen.Int[0, 20], Gen.Int[1, 3], Gen.Int[1, 480]).Select(BookingStep (start, count, minutes) => new DatedStep(
            Dates(s_from.PlusDays(start), s_from.PlusDays(start + count)),
            Enumerable.Range(0, count).ToImmutableSortedDictionary(i => s_from.PlusDays(start + i), _ => minutes))));

    private static readonly Gen<BookingStep> s_any = Gen.OneOf(
        s_daily, Gen.Select(s_dates, Gen.Int[60, 4000], Gen.Int[1, 31]).Select(BookingStep (dates, minutes, day) => new PerPeriodStep(dates, minutes, new BillCycle(day, 1))));

    private static readonly Gen<TimeOff> s_off = Gen.Select(Gen.Int[0, 20], Gen.Int[1, 4], Gen.Enum<TimeOffKind>(), Gen.Int[1, 300], Gen.Int[0, 1000])
        .Select((start, days, kind, minutes, id) => new TimeOff(new TimeOffId($"t{id}"), s_from.PlusDays(start), s_from.PlusDays(start + days), kind, kind == TimeOffKind.Minutes ? minutes : 0));

    private static Gen<Func<FractionalCmo, Instant, Decision>> Command(Gen<BookingStep> steps, bool facts)
    {
        var id = Gen.Int[0, 5].Select(i => new BookingId($"b{i}"));
        var client = OneOf("acme", "bolt", "coil");
        var spec = Gen.Select(client, steps).Select((c, step) => Spec(c, step));
        var moves = new List<Gen<Func<FractionalCmo, Instant, Decision>>>
        {
            Gen.Select(id, spec).Select<BookingId, BookingSpec, Func<FractionalCmo, Instant, Decision>>((i, s) => (cmo, now) => cmo.Book(new Book(i, s), Facts(Fence(s.Client.Value)), now)),
            Gen.Select(id, spec).Select<BookingId, BookingSpec, Func<FractionalCmo, Instant, Decision>>((i, s) => (cmo, now) => cmo.Hold(new HoldBooking(i, s, null), Facts(Fence(s.Client.Value)), now)),
            Gen.Select(id, spec).Select<BookingId, BookingSpec, Func<FractionalCmo, Instant, Decision>>((i, s) => (cmo, now) => cmo.Change(new ChangeBooking(i, s.Steps), Facts(Fence("acme")), now)),
            id.Select<BookingId, Func<FractionalCmo, Instant, Decision>>(i => (cmo, now) => cmo.Confirm(i, now)),
            id.Select<BookingId, Func<FractionalCmo, Instant, Decision>>(i => (cmo, now) => cmo.Release(i, now)),
            id.Select<BookingId, Func<FractionalCmo, Instant, Decision>>(i => (cmo, now) => cmo.TakeOver(new EngagementId("e"), i, now)),
            id.Select<BookingId, Func<FractionalCmo, Instant, Decision>>(i => (cmo, now) => cmo.ReleaseFor(new EngagementId("e"), i, now)),
        };
        if (facts)
        {
            moves.Add(s_off.Select<TimeOff, Func<FractionalCmo, Instant, Decision>>(off => (cmo, now) => cmo.AddTimeOff(off, now)));
            moves.Add(s_weekdays.Select<WeekdayMinutes, Func<FractionalCmo, Instant, Decision>>(days => (cmo, now) => cmo.SetWorkingPattern(new WorkingPattern(s_from.PlusDays(7), days), now)));
        }

        return Gen.OneOf([.. moves]);
    }

    [Fact]
    public void The_fast_check_accepts_exactly_what_can_be_placed_day_by_day() =>
        Gen.Select(s_weekdays, s_off.Array[0, 2], Gen.Int[0, 20], s_daily.Array[1, 6]).Sample((pattern, off, overbooking, steps) =>
        {
            var cmo = Cmo(pattern, overbooking: overbooking);
            foreach (var timeOff in off)
            {
                cmo = cmo.AddTimeOff(timeOff, Now) is { Rejection: null } accepted ? accepted.Events.Aggregate(cmo, (s, e) => s.Apply(e)) : cmo;
            }

            for (var i = 0; i < steps.Length; i++)
            {
                var spec = Spec("acme", steps[i]);
                var decision = cmo.Book(new Book(new BookingId($"b{i}"), spec), Facts(Fence("acme")), Now);
                if (decision.Rejection is { Reason: not Reasons.CapacityExceeded })
                {
                    continue;
                }

                var all = cmo.Bookings.Values.Select(b => b.Spec).Append(spec).ToArray();
                var fits = Enumerable.Range(0, 8).All(w => NaivePlacement.Fits(cmo, all, s_from.PlusDays(7 * w)));
                if (fits != decision.Rejection is null)
                {
                    return false;
                }

                cmo = decision.Events.Aggregate(cmo, (s, e) => s.Apply(e));
            }

            return true;
        }, iter: 3_000);

    [Fact]
    public void No_sequence_of_commands_without_facts_makes_a_week_infeasible() =>
        Gen.Select(s_weekdays, Command(s_any, facts: false).Array[1, 25]).Sample((pattern, commands) =>
        {
            var cmo = Run(Cmo(pattern, maxClients: 2), commands).State;
            return Reports.Weeks(cmo.Facts, s_from.PlusWeeks(-1), 20).All(w => w.ExcessMinutes == 0)
                && Enumerable.Range(0, 60).All(d => cmo.Bookings.Values.Where(b => b.Dates.Contains(s_from.PlusDays(d))).Select(b => b.Spec.Client).Distinct().Count() <= 2);
        }, iter: 2_000);

    /// <summary>An engagement's booking is to take other steps, and the saga is not over yet.</summary>
    [Fact]
    public void Whatever_is_booked_while_a_swap_is_held_the_old_booking_fits_and_so_does_the_new_one() =>
        Gen.Select(s_weekdays, s_any, s_any, Command(s_any, facts: false).Array[0, 8], Command(s_any, facts: false).Array[0, 8]).Sample((pattern, old, changed, before, between) =>
        {
            var (owner, booking, swap) = (new EngagementId("launch"), new BookingId("launch-ada"), new BookingId("swap"));
            var cmo = Cmo(pattern);
            var placed = cmo.PlaceFor(owner, new Book(booking, Spec("acme", old)), Facts(Fence("acme")), Now);
            if (placed.Rejection is not null)
            {
                return true;
            }

            cmo = cmo.Then(placed);
            cmo = Run(cmo.Then(cmo.ConfirmFor(owner, booking, Now)), before).State;
            var held = cmo.HoldSwapFor(owner, new HoldSwap(swap, booking, [changed]), Facts(Fence("acme")), Now);
            if (held.Rejection is not null)
            {
                return true;
            }

            cmo = Run(cmo.Then(held), between).State;
            var (taken, undone) = (cmo.Then(cmo.SwapFor(owner, booking, swap, Now)), cmo.Then(cmo.ReleaseFor(owner, swap, Now)));
            return taken.Bookings[booking].Spec.Steps[0] == changed && taken.Bookings[booking].State == BookingState.Confirmed && undone.Bookings[booking].Spec.Steps[0] == old
                && !taken.Bookings.ContainsKey(swap) && taken.SwapFor(owner, booking, swap, Now).Events.IsEmpty
                && new[] { taken, undone }.All(c => Reports.Weeks(c.Facts, s_from.PlusWeeks(-1), 20).All(w => w.ExcessMinutes == 0));
        }, iter: 2_000);

    [Fact]
    public void An_accepted_booking_or_change_never_makes_an_excess_appear_or_grow() =>
        Gen.Select(s_weekdays, Command(s_any, facts: true).Array[1, 20]).Sample((pattern, commands) =>
        {
            var cmo = Cmo(pattern);
            var now = Now;
            foreach (var command in commands)
            {
                now += Duration.FromMinutes(1);
                var decision = command(cmo, now);
                var after = decision.Events.IsDefaultOrEmpty ? cmo : decision.Events.Aggregate(cmo, (s, e) => s.Apply(e));
                if (!decision.Events.Any(e => e is ICmoFact))
                {
                    var grew = Reports.Weeks(cmo.Facts, s_from, 12).Zip(Reports.Weeks(after.Facts, s_from, 12)).Any(w => w.Second.ExcessMinutes > w.First.ExcessMinutes);
                    if (grew)
                    {
                        return false;
                    }
                }

                cmo = after;
            }

            return true;
        }, iter: 2_000);

    [Fact]
    public void What_is_kept_beside_the_state_is_what_a_fresh_look_finds() =>
        Gen.Select(s_weekdays, Command(s_any, facts: true).Array[1, 20], s_any).Sample((pattern, commands, asked) =>
        {
            var cmo = Cmo(pattern);
            var now = Now;
            foreach (var command in commands)
            {
                now += Duration.FromMinutes(4);
                cmo = cmo.Settle(now).Aggregate(cmo, (state, e) => state.Apply(e));
                cmo = command(cmo, now).Events.Aggregate(cmo, (state, e) => state.Apply(e));
                var fresh = cmo.Facts with { Calendar = cmo.Calendar with { }, Bookings = cmo.Bookings.ToImmutableSortedDictionary(b => b.Key, b => b.Value with { }) };
                var spec = Spec("acme", asked);
                if (!Reports.Weeks(cmo.Facts, s_from.PlusWeeks(-1), 16).SequenceEqual(Reports.Weeks(fresh, s_from.PlusWeeks(-1), 16))
                    || JsonSerializer.Serialize(Feasibility.Check(cmo.Facts, spec, Fence("acme")), EventJson.Options) != JsonSerializer.Serialize(Feasibility.Check(fresh, spec, Fence("acme")), EventJson.Options))
                {
                    return false;
                }
            }

            return true;
        }, iter: 300);

    [Fact]
    public void Replaying_the_stored_events_gives_the_live_state() =>
        Gen.Select(s_weekdays, Command(s_any, facts: true).Array[1, 25]).Sample((pattern, commands) =>
        {
            var start = Cmo(pattern);
            var (live, events) = Run(start, commands);
            var replayed = events.Aggregate(start, (state, e) => state.Apply(EventJson.Deserialize(EventJson.NameOf(e).Name, EventJson.NameOf(e).Version, EventJson.Serialize(e))));
            var snapshot = JsonSerializer.Deserialize<FractionalCmo>(Json(live), EventJson.Options)!;
            return Json(live) == Json(replayed) && Json(live) == Json(snapshot);
        }, iter: 1_000);

    [Fact]
    public void The_earliest_start_that_a_refusal_names_fits_and_no_earlier_one_does() =>
        Gen.Select(s_weekdays, s_daily.Array[1, 4], s_daily).Sample((pattern, steps, asked) =>
        {
            var cmo = Cmo(pattern);
            foreach (var (step, i) in steps.Select((s, i) => (s, i)))
            {
                var booked = cmo.Book(new Book(new BookingId($"b{i}"), Spec("acme", step)), Facts(Fence("acme")), Now);
                cmo = booked.Rejection is null ? booked.Events.Aggregate(cmo, (s, e) => s.Apply(e)) : cmo;
            }

            var spec = Spec("acme", asked);
            var refusal = cmo.Check(spec, Facts(Fence("acme")), Now).Refusal;
            if (refusal?.EarliestStart is not { } start)
            {
                return true;
            }

            var days = Period.DaysBetween(spec.Steps[0].Dates.Start, start);
            return Feasibility.Check(cmo.Facts, spec.Shift(days), Fence("acme")) is null
                && Enumerable.Range(0, days).All(d => Feasibility.Check(cmo.Facts, spec.Shift(d), Fence("acme")) is not null);
        }, iter: 300);

    private static (FractionalCmo State, List<IEvent> Events) Run(FractionalCmo cmo, IEnumerable<Func<FractionalCmo, Instant, Decision>> commands)
    {
        var events = new List<IEvent>();
        var now = Now;
        foreach (var command in commands)
        {
            now += Duration.FromMinutes(4);
            foreach (var @event in cmo.Settle(now))
            {
                cmo = cmo.Apply(@event);
                events.Add(@event);
            }

            var decision = command(cmo, now);
            foreach (var @event in decision.Events)
            {
                cmo = cmo.Apply(@event);
                events.Add(@event);
            }
        }

        return (cmo, events);
    }

    private static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static string Json(FractionalCmo cmo) => JsonSerializer.Serialize(cmo, EventJson.Options);
}
