using System.Collections.Immutable;
using System.Text.Json;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Cmos;
using CsCheck;
using NodaTime;
using static AgencyPlatform.Domain.Tests.Capacity.Given;

namespace AgencyPlatform.Domain.Tests.Capacity;

/// <summary>
/// The waitlist under generated sequences of whatever gives and frees capacity. Who is to be offered what is worked out anew after each step, from
/// the events alone: a list of its own, one question after the other, nothing kept.
/// </summary>
public class Generated_waitlist
{
    private static readonly LocalDate s_from = Day(3, 2);
    private static readonly string[] s_clients = ["acme", "bolt", "coil"];

    private delegate Decision Move(FractionalCmo cmo, Instant now);

    private static readonly Gen<DateRange> s_dates =
        Gen.Select(Gen.Int[0, 20], Gen.Int[1, 15], Gen.Bool).Select((start, days, open) => Dates(s_from.PlusDays(start), open && days > 12 ? null : s_from.PlusDays(start + days)));

    private static readonly Gen<BookingStep> s_step = Gen.Frequency(
        (4, Gen.Select(s_dates, Gen.Int[1, 1400]).Select(BookingStep (dates, minutes) => new FlexibleStep(dates, minutes))),
        (2, Gen.Select(s_dates, Gen.Int[1, 480], Gen.Int[1, 3]).Select(BookingStep (dates, minutes, n) => new FixedDaysStep(dates, new WeekdayMinutes(minutes, 0, minutes, 0, 0, 0, 0), n))),
        (1, Gen.Select(s_dates, Gen.Int[60, 4000], Gen.Int[1, 31]).Select(BookingStep (dates, minutes, day) => new PerPeriodStep(dates, minutes, new BillCycle(day, 1)))));

    private static readonly Gen<string> s_client = Gen.Int[0, 2].Select(i => s_clients[i]);
    private static readonly Gen<BookingId> s_id = Gen.Int[0, 9].Select(i => new BookingId($"b{i}"));
    private static readonly Gen<BookingSpec> s_spec = Gen.Select(s_client, s_step).Select((client, step) => Spec(client, step));

    /// <summary>A client and whom it names; of several versions, so that news may be old.</summary>
    private static readonly Gen<ClientFence> s_fence = Gen.Select(s_client, Gen.Int[1, 4], Gen.Int[0, 3]).Select((client, version, names) =>
        Fence(client, names < 3 && s_clients[names] != client ? [s_clients[names]] : null) with { Version = version });

    private static readonly Gen<Move> s_move = Gen.Frequency(
        (6, Gen.Select(s_id, s_spec, Gen.Int[0, 2], Gen.Int[1, 90]).Select<BookingId, BookingSpec, int, int, Move>((id, spec, priority, minutes) => (cmo, now) =>
            cmo.JoinWaitlist(new JoinWaitlist(id, spec, priority, Duration.FromMinutes(minutes)), Facts(Fence(spec.Client.Value)), now))),
        (3, Gen.Select(s_id, s_spec).Select<BookingId, BookingSpec, Move>((id, spec) => (cmo, now) => cmo.Book(new Book(id, spec), Facts(Fence(spec.Client.Value)), now))),
        (2, Gen.Select(s_id, s_spec, s_fence).Select<BookingId, BookingSpec, ClientFence, Move>((id, spec, fence) => (cmo, now) =>
            cmo.Hold(new HoldBooking(id, spec with { Client = fence.Client }, null), Facts(fence), now))),
        (2, Gen.Select(s_id, s_spec).Select<BookingId, BookingSpec, Move>((id, spec) => (cmo, now) =>
            cmo.Change(new ChangeBooking(id, spec.Steps), Facts(cmo.Bookings.GetValueOrDefault(id)?.Fence ?? Fence("acme")), now))),
        (4, s_id.Select<BookingId, Move>(id => (cmo, now) => cmo.Release(id, now))),
        (2, s_id.Select<BookingId, Move>(id => (cmo, now) => cmo.Confirm(id, now))),
        (1, s_id.Select<BookingId, Move>(id => (cmo, now) => cmo.LeaveWaitlist(id, now))),
        (1, s_id.Select<BookingId, Move>(id => (cmo, now) => cmo.TakeOver(new EngagementId("e"), id, now))),
        (1, s_id.Select<BookingId, Move>(id => (cmo, now) => cmo.GiveBack(new EngagementId("e"), id, now))),
        (1, s_id.Select<BookingId, Move>(id => (cmo, now) => cmo.ConfirmFor(new EngagementId("e"), id, now))),
        (1, Gen.Select(s_id, Gen.Int[0, 30]).Select<BookingId, int, Move>((id, days) => (cmo, now) => cmo.EndFor(new EngagementId("e"), id, s_from.PlusDays(days), now))),
        (1, Gen.Select(Gen.Int[0, 20], Gen.Int[1, 4], Gen.Int[0, 5]).Select<int, int, int, Move>((start, days, id) => (cmo, now) =>
            cmo.AddTimeOff(new TimeOff(new TimeOffId($"t{id}"), s_from.PlusDays(start), s_from.PlusDays(start + days), TimeOffKind.WholeDays), now))),
        (1, Gen.Int[0, 5].Select<int, Move>(id => (cmo, now) => cmo.CancelTimeOff(new TimeOffId($"t{id}"), now))),
        (1, Gen.Select(Gen.Int[0, 9], Gen.Int[0, 20]).Select<int, int, Move>((version, percent) => (cmo, now) =>
            cmo.NotePolicy(new AgencyPolicy(version, percent, 7, ImmutableSortedDictionary<string, ImmutableSortedSet<LocalDate>>.Empty), now))),
        (1, s_fence.Select<ClientFence, Move>(fence => (cmo, now) => cmo.NoteFacts(Facts(fence), now))),
        (1, Gen.Int[1, 3].Select<int, Move>(most => (cmo, now) => cmo.Update(new UpdateCmo(null, null, new CmoLimits(most, 0)), now))));

    [Fact]
    public void Whatever_happens_each_who_fits_is_offered_in_order_nobody_is_overtaken_and_nothing_is_promised_twice() =>
        Gen.Select(Gen.Select(s_move, Gen.Int[1, 240]).Array[5, 40], Gen.Int[1, 3]).Sample((moves, maxClients) =>
        {
            var (cmo, now) = (Cmo(MondayToFriday, maxClients: maxClients), Instant.FromUtc(2026, 3, 1, 12, 0));
            var list = new List<(BookingId Id, int Priority, long Arrival)>();
            var arrivals = 0;
            foreach (var (move, minutes) in moves)
            {
                now += Duration.FromMinutes(minutes);
                while (cmo.Settle(now) is { IsEmpty: false } due)
                {
                    cmo = Folded(cmo, due, now);
                }

                var decision = move(cmo, now);
                if (decision.Rejection is null)
                {
                    cmo = Folded(cmo, decision.Then(cmo.Following(decision.Events, now)).Events, now);
                }
            }

            FractionalCmo Folded(FractionalCmo before, ImmutableArray<IEvent> events, Instant at)
            {
                var state = before;
                for (var i = 0; i < events.Length; i++)
                {
                    if (events[i] is WaitlistOffered offer)
                    {
                        // The first in order that fits now, or as a part of the same pass one after the last offered: no earlier one fits either.
                        var next = Naive(state, at);
                        Assert.Equal(offer.Id, next);
                        var held = Assert.IsType<BookingHeld>(events[i + 1]);
                        Assert.Equal((offer.Id, at, offer.ExpiresAt), (held.Id, held.At, held.ExpiresAt!.Value));
                        Assert.Equal(at + state.Waitlist.Entries[offer.Id].OfferExpiry, offer.ExpiresAt);
                        list.RemoveAll(e => e.Id == offer.Id);
                    }

                    if (events[i] is BookingHeld or BookingBooked or BookingChanged)
                    {
                        var after = state.Apply(events[i]);
                        Assert.DoesNotContain(
                            Reports.Weeks(state.Facts, s_from.PlusWeeks(-1), 12).Zip(Reports.Weeks(after.Facts, s_from.PlusWeeks(-1), 12)), w => w.Second.ExcessMinutes > w.First.ExcessMinutes);
                        // A new request finds nobody waiting who fits.
                        if (!(i > 0 && events[i - 1] is WaitlistOffered))
                        {
                            Assert.Null(Naive(state, at));
                        }
                    }

                    switch (events[i])
                    {
                        case WaitlistJoined e:
                            list.Add((e.Id, e.Priority, arrivals++));
                            break;
                        case WaitlistLeft e:
                            list.RemoveAll(known => known.Id == e.Id);
                            break;
                    }

                    state = state.Apply(events[i]);
                }

                // Stable: nobody waits who fits, and the list is the one told by the events.
                Assert.Null(Naive(state, at));
                Assert.Equal(Ordered(), state.Waitlist.Waiting.ToArray().Select(e => e.Id));
                Assert.All(state.Waitlist.Entries.Values.Where(e => e.Offered), e => Assert.Equal(BookingState.Held, state.Bookings[e.Id].State));
                return state;
            }

            IEnumerable<BookingId> Ordered() => list.OrderByDescending(e => e.Priority).ThenBy(e => e.Arrival).Select(e => e.Id);

            // The first of the list that fits, asked as a caller would ask; who starts today or earlier is out of it.
            BookingId? Naive(FractionalCmo state, Instant at)
            {
                var fresh = state.Facts with { Calendar = state.Calendar with { }, Bookings = state.Bookings.ToImmutableSortedDictionary(b => b.Key, b => b.Value with { }) };
                foreach (var id in Ordered())
                {
                    var entry = state.Waitlist.Entries[id];
                    if (entry.Spec.Dates().Start > state.Today(at) && Feasibility.Check(fresh, entry.Spec, entry.Fence) is null)
                    {
                        return id;
                    }
                }

                return null;
            }
        }, iter: 400);

    [Fact]
    public void Replaying_the_stored_events_gives_the_live_state() =>
        Gen.Select(s_move, Gen.Int[1, 240]).Array[5, 40].Sample(moves =>
        {
            var start = Cmo(MondayToFriday, maxClients: 2);
            var (live, now, stored) = (start, Instant.FromUtc(2026, 3, 1, 12, 0), new List<IEvent>());
            foreach (var (move, minutes) in moves)
            {
                now += Duration.FromMinutes(minutes);
                while (live.Settle(now) is { IsEmpty: false } due)
                {
                    Fold(due);
                }

                var decision = move(live, now);
                if (decision.Rejection is null)
                {
                    Fold(decision.Then(live.Following(decision.Events, now)).Events);
                }
            }

            void Fold(ImmutableArray<IEvent> events)
            {
                stored.AddRange(events);
                live = events.Aggregate(live, (s, e) => s.Apply(e));
            }

            var replayed = stored.Aggregate(start, (s, e) => s.Apply(EventJson.Deserialize(EventJson.NameOf(e).Name, EventJson.NameOf(e).Version, EventJson.Serialize(e))));
            var snapshot = JsonSerializer.Deserialize<FractionalCmo>(Json(live), EventJson.Options)!;
            return Json(live) == Json(replayed) && Json(live) == Json(snapshot) && live.NextDue == snapshot.NextDue
                && snapshot.Waitlist.Waiting.ToArray().Select(e => e.Id).SequenceEqual(live.Waitlist.Waiting.ToArray().Select(e => e.Id));
        }, iter: 600);

    private static string Json(FractionalCmo cmo) => JsonSerializer.Serialize(cmo, EventJson.Options);
}
