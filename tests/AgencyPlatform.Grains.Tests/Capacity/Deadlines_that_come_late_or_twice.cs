using System.Collections.Immutable;
using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Storage;
using NodaTime;

namespace AgencyPlatform.Grains.Tests.Capacity;

/// <summary>
/// A hold and an offer of a waitlist that expire, on a real silo with its scanner of deadlines: whenever and however often the deadline fires, each expires
/// once and the capacity goes to the next of the list once.
/// </summary>
public sealed class Deadlines_that_come_late_or_twice : IAsyncLifetime
{
    private static readonly AgencyId s_agency = new("late");
    private static readonly ImmutableSortedDictionary<string, string> s_none = ImmutableSortedDictionary<string, string>.Empty;
    private readonly string _folder = Directory.CreateTempSubdirectory("agencyplatform-deadlines").FullName;
    private readonly SetClock _clock = new(new DateTimeOffset(2026, 3, 2, 9, 0, 0, TimeSpan.Zero));
    private readonly PlatformSilo _silo;

    public Deadlines_that_come_late_or_twice() => _silo = new PlatformSilo(
        new StorageOptions { Provider = StorageProvider.Sqlite, ConnectionString = $"Data Source={Path.Combine(_folder, "journal.db")}" }, clock: _clock);

    private IFractionalCmoGrain Ada => _silo.Grains.Of<IFractionalCmoGrain>(s_agency, "ada");

    public async Task InitializeAsync()
    {
        await _silo.Start();
        Ok(await _silo.Grains.Of<IClientCompanyGrain>(s_agency, "acme").Create(Called(), new CreateClient(
            new ClientCompanyId("acme"), new ClientProfile("Acme", "", "", "Etc/UTC", new BillingDetails("", "", "", "", 30), s_none, s_none))));
        Ok(await Ada.Create(Called(), new CreateCmo(
            new CmoId("ada"), new CmoProfile(new PersonId("p-ada"), "CMO", "Etc/UTC", s_none, s_none), new PersonDetails("Ada"), new CmoLimits(5, 0),
            new WorkingPattern(new LocalDate(2026, 1, 1), new WeekdayMinutes(480, 480, 480, 480, 480, 0, 0)), null, null)));
        Ok(await Ada.Hold(Called(), new HoldBooking(new BookingId("held"), Week, Duration.FromHours(1))));
        foreach (var id in new[] { "first", "second" })
        {
            Ok(await Ada.JoinWaitlist(Called(), new JoinWaitlist(new BookingId(id), Week, 0, Duration.FromHours(1))));
        }
    }

    public async Task DisposeAsync()
    {
        await _silo.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_deadline_that_fires_again_and_again_has_its_effect_once()
    {
        _clock.Now += TimeSpan.FromHours(1);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Ada.Settle(null)));
        await PlatformSilo.Forget(Ada);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Ada.Settle(null)));

        Assert.Equal(["cmo.hold-expired", "cmo.waitlist-offered", "cmo.booking-held"], await ByTime());
        await Offered("first", since: Now);
    }

    [Fact]
    public async Task A_deadline_that_came_a_day_ago_while_the_host_was_down_has_its_effect_once_when_it_is_up()
    {
        // Nobody asks the CMO anything.
        var up = await DownForADay();
        await Until(3);
        await Offered("first", since: up);

        // And the offer itself, of which the next one hears a day late: its own time counts from then.
        up = await DownForADay();
        await Until(6);
        await Ada.Settle(null);

        Assert.Equal(
            ["cmo.hold-expired", "cmo.waitlist-offered", "cmo.booking-held", "cmo.hold-expired", "cmo.waitlist-offered", "cmo.booking-held"], await ByTime());
        await Offered("second", since: up);
    }

    private static BookingSpec Week { get; } = new(
        new ClientCompanyId("acme"), null, [new FlexibleStep(new DateRange(new LocalDate(2026, 6, 1), new LocalDate(2026, 6, 8)), 2_400)]);

    private Instant Now => Instant.FromDateTimeOffset(_clock.Now);

    /// <summary>What has happened to Ada since all of it was asked for.</summary>
    private async Task<List<string>> ByTime() =>
        await _silo.Journal.ReadStream(new AggregateKey(s_agency, FractionalCmo.Kind, "ada")).Select(e => e.Event.Name).Skip(4).ToListAsync();

    private async Task<Instant> DownForADay()
    {
        await _silo.Stop();
        _clock.Now += TimeSpan.FromDays(1);
        await _silo.Start();
        return Now;
    }

    /// <summary>Waits until so many events have been written by time alone. Some seconds pass meanwhile, so that a scanner that failed tries again.</summary>
    private async Task Until(int events)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while ((await ByTime()).Count < events)
        {
            _clock.Now += TimeSpan.FromSeconds(1);
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, patience.Token);
        }
    }

    /// <summary>One hold stands: the entry's, which has had its hour since it was given.</summary>
    private async Task Offered(string id, Instant since)
    {
        var hold = Assert.Single((await Ada.Get(new Read(s_agency))).Value!.Bookings.Values);
        Assert.Equal((new BookingId(id), hold.CreatedAt + Duration.FromHours(1)), (hold.Id, hold.ExpiresAt!.Value));
        Assert.True(hold.CreatedAt >= since, $"Given at {hold.CreatedAt}, before {since}.");
    }

    private static Call Called() => new(s_agency, "key:test", Guid.CreateVersion7(), "hash");

    private static void Ok<T>(Reply<T> reply) => Assert.True(reply.Rejection is null, $"{reply.Rejection?.Reason}: {reply.Rejection?.Message}");

    /// <summary>A clock that stands where a test sets it.</summary>
    private sealed class SetClock(DateTimeOffset now) : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = now;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
