using System.Collections.Immutable;
using System.Text.Json;
using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Cmos;
using NodaTime;

namespace AgencyPlatform.Grains.Tests.Capacity;

/// <summary>
/// A thousand wait at one CMO while two hundred callers at the same time release, shorten, move, let expire, and ask anew. The journal is then judged
/// by a count of its own: every booking here is of whole weeks, so that a week is full at 2,400 minutes and a sum says who fits.
/// </summary>
public sealed class A_waitlist_under_load(SagaSilo silo) : IClassFixture<SagaSilo>
{
    private const int Capacity = 2_400;
    private const int Weeks = 40;
    private const int Entries = 1_000;
    private const int Callers = 200;

    private static readonly LocalDate s_first = new(2027, 1, 4);
    private static readonly Instant s_begin = Instant.FromUtc(2026, 6, 1, 9, 0);
    private static readonly ImmutableSortedDictionary<string, string> s_none = ImmutableSortedDictionary<string, string>.Empty;
    private static readonly string[] s_clients = [.. Enumerable.Range(0, 8).Select(i => $"client-{i}")];

    [Fact]
    public async Task Every_freed_minute_is_offered_once_in_order_and_nobody_is_overtaken()
    {
        var agency = new AgencyId("crowd");
        var cmo = await Cmo(agency);
        await FillUp(agency, cmo);
        var draw = new Random(20260601);
        var joins = Enumerable.Range(0, Entries).Select(i =>
        {
            var weeks = draw.Next(1, 4);
            return new JoinWaitlist(new BookingId($"w{i:000}"), Spec(s_clients[i % 8], draw.Next(0, Weeks - weeks), weeks, 60 * draw.Next(1, 16)), draw.Next(0, 3), Duration.FromDays(draw.Next(1, 30)));
        }).ToArray();
        await Task.WhenAll(joins.Select(async join => Ok(await cmo.JoinWaitlist(Called(agency, s_begin), join))));
        Assert.Equal(Entries, (await cmo.GetWaitlist(new Read(agency, s_begin))).Value!.Places.Count(p => p.Place > 0));

        // Each at a time of its own, so that holds expire between them; requests without a place on the list try their luck.
        await Task.WhenAll(Enumerable.Range(0, Callers).SelectMany(i =>
        {
            var at = s_begin + Duration.FromMinutes(i);
            var id = new BookingId($"b{i:000}");
            var luck = new BookingId($"luck-{i}");
            var spec = Spec(s_clients[i % 8], i % Weeks, 1, 480);
            Task freed = (i % 5) switch
            {
                0 => cmo.Release(Called(agency, at), id),
                1 => cmo.Change(Called(agency, at), new ChangeBooking(id, Spec("", i % Weeks, 1, 60 * (i % 7 + 1)).Steps)),
                2 => cmo.Change(Called(agency, at), new ChangeBooking(id, Spec("", Weeks + i, 1, 480).Steps)),
                3 => cmo.Confirm(Called(agency, at), new BookingId($"w{i:000}")),
                _ => cmo.Get(new Read(agency, at)),
            };
            Task asks = i % 2 == 0 ? cmo.Hold(Called(agency, at), new HoldBooking(luck, spec, null)) : cmo.Book(Called(agency, at), new Book(luck, spec));
            return new[] { freed, asks };
        }));

        var events = await Events(agency);
        var offers = Judge(events);
        Assert.All(
            new[] { offers, events.Count(e => e is BookingReleased), events.Count(e => e is BookingChanged), events.Count(e => e is HoldExpired) },
            happened => Assert.True(happened >= Callers / 5, $"It happened {happened} times only."));

        // Replaying gives the live state.
        var live = Ok(await cmo.Get(new Read(agency)));
        await PlatformSilo.Forget(cmo);
        var replayed = await cmo.Get(new Read(agency));
        Assert.Equal(JsonSerializer.Serialize(live, EventJson.Options), JsonSerializer.Serialize(replayed.Value, EventJson.Options));
    }

    [Fact]
    public async Task A_request_that_comes_twice_joins_leaves_and_offers_once()
    {
        var agency = new AgencyId("twice");
        var cmo = await Cmo(agency);
        Ok(await cmo.Book(Called(agency, s_begin), new Book(new BookingId("all"), Spec(s_clients[0], 0, 1, Capacity))));
        var joining = Called(agency, s_begin);
        var join = new JoinWaitlist(new BookingId("waits"), Spec(s_clients[1], 0, 1, 60), 0, Duration.FromDays(1));
        var joined = await cmo.JoinWaitlist(joining, join);
        var releasing = Called(agency, s_begin);
        await cmo.Release(releasing, new BookingId("all"));
        var version = (await cmo.Get(new Read(agency, s_begin))).Meta!.Version;
        await PlatformSilo.Forget(cmo);

        var again = await cmo.JoinWaitlist(joining, join);
        Ok(await cmo.Release(releasing, new BookingId("all")));

        Assert.Equal((1, joined.Meta!.Version), (again.Value!.Place, again.Meta!.Version));
        Assert.Equal(0, (await cmo.GetWaitlistEntry(new Read(agency, s_begin), join.Id)).Value!.Place);
        var leaving = Called(agency, s_begin);
        Ok(await cmo.LeaveWaitlist(leaving, join.Id));
        Ok(await cmo.LeaveWaitlist(leaving, join.Id));
        Assert.Equal(version + 1, (await cmo.Get(new Read(agency, s_begin))).Meta!.Version);
    }

    [Fact]
    public async Task News_that_a_refused_request_brings_serves_those_who_wait_all_the_same()
    {
        var agency = new AgencyId("news");
        var cmo = await Cmo(agency);
        var acme = silo.Grains.Of<IClientCompanyGrain>(agency, s_clients[0]);
        Ok(await acme.SetCompetitors(Called(agency, s_begin), new SetCompetitors([new ClientCompanyId(s_clients[1])])));
        Ok(await cmo.Book(Called(agency, s_begin), new Book(new BookingId("named"), Spec(s_clients[0], 0, 1, 60))));
        var waits = new JoinWaitlist(new BookingId("waits"), Spec(s_clients[1], 0, 1, Capacity - 60), 0, Duration.FromDays(1));
        Assert.Equal(1, Ok(await cmo.JoinWaitlist(Called(agency, s_begin), waits)).Place);

        Ok(await acme.SetCompetitors(Called(agency, s_begin), new SetCompetitors([])));
        Assert.Equal(1, (await cmo.GetWaitlistEntry(new Read(agency, s_begin), waits.Id)).Value!.Place);
        await PlatformSilo.Forget(cmo);
        var refused = await cmo.Hold(Called(agency, s_begin), new HoldBooking(new BookingId("new"), Spec(s_clients[0], 0, 1, Capacity), null));
        var late = await cmo.Hold(Called(agency, s_begin), new HoldBooking(new BookingId("late"), Spec(s_clients[1], 0, 1, 60), null));

        Assert.Equal((Reasons.CapacityExceeded, Reasons.CapacityExceeded), (refused.Rejection!.Reason, late.Rejection!.Reason));
        Assert.Equal(0, (await cmo.GetWaitlistEntry(new Read(agency, s_begin), waits.Id)).Value!.Place);
    }

    /// <summary>
    /// Recounts every event: who fits by sums of weeks, who comes first by priority and arrival. Returns how many offers were made.
    /// </summary>
    private static int Judge(IReadOnlyList<IEvent> events)
    {
        var used = new Dictionary<int, int>();
        var bookings = new Dictionary<BookingId, (int From, int To, int Minutes)>();
        var waiting = new List<(BookingId Id, int Priority, int Arrival, (int From, int To, int Minutes) Asks)>();
        var (offers, arrivals, unsettled) = (0, 0, false);
        foreach (var @event in events)
        {
            // Whatever came before is followed by all the offers that it allows: else the next event finds one waiting who fits.
            if (@event is not (WaitlistOffered or BookingHeld) && unsettled)
            {
                Assert.Null(First());
                unsettled = false;
            }

            switch (@event)
            {
                case WaitlistJoined e:
                    waiting.Add((e.Id, e.Priority, arrivals++, Of(e.Spec)));
                    break;
                case WaitlistOffered e:
                    Assert.Equal(e.Id, First());
                    waiting.RemoveAll(w => w.Id == e.Id);
                    offers++;
                    break;
                case BookingHeld e:
                    if (!e.Id.Value.StartsWith('w'))
                    {
                        Assert.Null(First());
                    }

                    Put(e.Id, Of(e.Spec));
                    break;
                case BookingBooked e:
                    Assert.Null(First());
                    Put(e.Id, Of(e.Spec));
                    break;
                case BookingChanged e:
                    Assert.Null(First());
                    Take(e.Id);
                    Put(e.Id, Of(e.Spec));
                    unsettled = true;
                    break;
                case BookingReleased e:
                    Take(e.Id);
                    unsettled = true;
                    break;
                case HoldExpired e:
                    Take(e.Id);
                    unsettled = true;
                    break;
                case BookingConfirmed or CmoCreated or PolicyNoted:
                    break;
                default:
                    Assert.Fail($"{@event.GetType().Name} is not of this story.");
                    break;
            }
        }

        Assert.Null(First());
        return offers;

        BookingId? First()
        {
            foreach (var (id, _, _, asks) in waiting.OrderByDescending(w => w.Priority).ThenBy(w => w.Arrival))
            {
                if (Enumerable.Range(asks.From, asks.To - asks.From).All(week => used.GetValueOrDefault(week) + asks.Minutes <= Capacity))
                {
                    return id;
                }
            }

            return null;
        }

        void Put(BookingId id, (int From, int To, int Minutes) asks)
        {
            bookings.Add(id, asks);
            for (var week = asks.From; week < asks.To; week++)
            {
                used[week] = used.GetValueOrDefault(week) + asks.Minutes;
                Assert.True(used[week] <= Capacity, $"Week {week} has {used[week]} minutes promised.");
            }
        }

        void Take(BookingId id)
        {
            Assert.True(bookings.Remove(id, out var asks));
            for (var week = asks.From; week < asks.To; week++)
            {
                used[week] -= asks.Minutes;
            }
        }

        static (int From, int To, int Minutes) Of(BookingSpec spec)
        {
            var step = Assert.IsType<FlexibleStep>(Assert.Single(spec.Steps));
            return (Period.DaysBetween(s_first, step.Dates.Start) / 7, Period.DaysBetween(s_first, step.Dates.End!.Value) / 7, step.WeeklyMinutes);
        }
    }

    /// <summary>Five bookings fill each week: three confirmed, one hold that expires among the callers' times, one that expires after them.</summary>
    private static async Task FillUp(AgencyId agency, IFractionalCmoGrain cmo) => await Task.WhenAll(Enumerable.Range(0, Weeks * 5).Select(async i =>
    {
        var (id, spec) = (new BookingId($"b{i:000}"), Spec(s_clients[i % 8], i % Weeks, 1, Capacity / 5));
        Ok(i % 5 < 3
            ? await cmo.Book(Called(agency, s_begin), new Book(id, spec))
            : await cmo.Hold(Called(agency, s_begin), new HoldBooking(id, spec, Duration.FromMinutes(i % 5 == 3 ? i + 1 : 24 * 60))));
    }));

    private async Task<IReadOnlyList<IEvent>> Events(AgencyId agency)
    {
        var events = new List<IEvent>();
        await foreach (var stored in silo.Journal.ReadStream(new AggregateKey(agency, FractionalCmo.Kind, "ada")))
        {
            events.Add(EventJson.Deserialize(stored.Event.Name, stored.Event.SchemaVersion, stored.Event.Payload));
        }

        return events;
    }

    private async Task<IFractionalCmoGrain> Cmo(AgencyId agency)
    {
        foreach (var client in s_clients)
        {
            Ok(await silo.Grains.Of<IClientCompanyGrain>(agency, client).Create(Called(agency, s_begin), new CreateClient(
                new ClientCompanyId(client), new ClientProfile(client, "", "", "Etc/UTC", new BillingDetails("", "", "", "", 30), s_none, s_none))));
        }

        var cmo = silo.Grains.Of<IFractionalCmoGrain>(agency, "ada");
        Ok(await cmo.Create(Called(agency, s_begin), new CreateCmo(
            new CmoId("ada"), new CmoProfile(new PersonId("ada"), "CMO", "Etc/UTC", s_none, s_none), new PersonDetails("Ada"), new CmoLimits(100, 0),
            new WorkingPattern(new LocalDate(2026, 1, 1), new WeekdayMinutes(480, 480, 480, 480, 480, 0, 0)), null, null)));
        return cmo;
    }

    private static BookingSpec Spec(string client, int week, int weeks, int minutes) => new(
        new ClientCompanyId(client), null, [new FlexibleStep(new DateRange(s_first.PlusWeeks(week), s_first.PlusWeeks(week + weeks)), minutes)]);

    private static Call Called(AgencyId agency, Instant at) => new(agency, "key:test", Guid.CreateVersion7(), "hash", at);

    private static T Ok<T>(Reply<T> reply)
    {
        Assert.True(reply.Rejection is null, $"{reply.Rejection?.Reason}: {reply.Rejection?.Message}");
        return reply.Value!;
    }
}
