using System.Collections.Immutable;
using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Storage;
using NodaTime;

namespace AgencyPlatform.Grains.Tests.Writing;

/// <summary>What a caller is told, and what others are shown, is what stands in the journal: nothing more, nothing twice, nothing back in time.</summary>
public sealed class Answers_follow_the_journal : IAsyncLifetime
{
    private static readonly AgencyId s_agency = new("acme");
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);
    private readonly string _folder = Directory.CreateTempSubdirectory("agencyplatform-writing").FullName;
    private readonly SetClock _clock = new(new DateTimeOffset(2026, 3, 2, 9, 0, 0, TimeSpan.Zero));
    private readonly StorageOptions _storage;
    private readonly PlatformSilo _silo;

    public Answers_follow_the_journal()
    {
        _storage = new StorageOptions { Provider = StorageProvider.Sqlite, ConnectionString = $"Data Source={Path.Combine(_folder, "journal.db")}" };
        _silo = new PlatformSilo(_storage, clock: _clock);
    }

    public Task InitializeAsync() => _silo.Start();

    public async Task DisposeAsync()
    {
        await _silo.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task What_the_journal_did_not_take_is_neither_acknowledged_nor_shown_and_its_repeat_counts_once()
    {
        var (client, key) = await Created(_silo, "client");
        var lost = Called();
        _silo.Reads.Take(key, (_, _) => ValueTask.FromResult<AppendResult>(new AppendResult.Unavailable("The test has taken the journal away.")));

        await Assert.ThrowsAsync<UnavailableException>(() => client.Update(lost, Named("lost")));

        _silo.Reads.Release(key);
        var shown = await Answered(() => client.Get(new Read(s_agency)));
        Assert.Equal(("0", 1), (shown.Value!.Profile.DisplayName, shown.Meta!.Version));
        Assert.Equal(2, Version(await client.Update(lost, Named("lost"))));
        Assert.Equal(2, Version(await client.Update(lost, Named("lost"))));
        Assert.Equal(3, Version(await client.Update(Called(), Named("next"))));
        Assert.Equal([1L, 2L, 3L], await Versions(key));
    }

    [Fact]
    public async Task A_command_that_is_refused_by_the_journal_fails_alone_among_those_that_were_decided_with_it()
    {
        var used = Called();
        await Created(_silo, "other", used);
        var (client, key) = await Created(_silo, "client");
        var (reached, go) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource());
        var largest = 0;
        _silo.Reads.Take(key, async (item, append) =>
        {
            largest = Math.Max(largest, item.Events.Length);
            reached.TrySetResult();
            await go.Task;
            return await append();
        });
        var first = client.Update(Called(), Named("first"));
        await reached.Task;
        var together = Enumerable.Range(0, 6).Select(i => client.Update(i == 3 ? used with { RequestHash = "another" } : Called(), Named($"{i}"))).ToArray();

        // Messages to a grain keep their order: when this one is answered, all are decided and wait.
        await client.Get(new Read(s_agency));
        go.SetResult();

        Assert.Equal(2, Version(await first));
        var replies = await Task.WhenAll(together);
        Assert.Equal(6, largest);
        Assert.Equal([null, null, null, Reasons.RequestIdReused, null, null], replies.Select(r => r.Rejection?.Reason));
        Assert.Equal(Enumerable.Range(3, 5).Select(v => (long)v), replies.Where(r => r.Rejection is null).Select(r => r.Meta!.Version).Order());
        Assert.Equal(Enumerable.Range(1, 7).Select(v => (long)v), await Versions(key));
    }

    [Fact]
    public async Task Of_two_silos_that_do_not_know_of_each_other_the_stale_one_writes_and_refuses_nothing_on_what_it_remembers()
    {
        await using var other = new PlatformSilo(_storage, clock: _clock);
        await other.Start();
        var (here, key) = await Created(_silo, "client");
        var there = other.Grains.Of<IClientCompanyGrain>(s_agency, "client");
        Assert.Equal(2, Version(await there.Update(Called(), Named("there"))));
        var stale = Called();

        await Assert.ThrowsAsync<UnavailableException>(() => here.Update(stale, Named("here")));
        Assert.Equal(3, Version(await Answered(() => here.Update(stale, Named("here")))));

        // The other would refuse it by the version that it knows.
        Assert.Equal(4, Version(await there.Update(Called() with { ExpectedVersion = 3 }, Named("there again"))));

        // And what the one has done, the other does not do again.
        Assert.Equal(3, Version(await there.Update(stale, Named("here"))));
        Assert.Equal([1L, 2L, 3L, 4L], await Versions(key));
    }

    [Fact]
    public async Task A_repeat_counts_once_and_is_answered_alike_at_once_later_and_by_another_activation()
    {
        var (client, key) = await Created(_silo, "client");
        var call = Called();

        Assert.All(await Task.WhenAll(client.Update(call, Named("once")), client.Update(call, Named("once"))), r => Assert.Equal(2, Version(r)));

        // More than a grain remembers.
        for (var i = 0; i < 40; i++)
        {
            await client.Update(Called(), Named($"{i}"));
        }

        await Repeated();
        await PlatformSilo.Forget(client);
        await Repeated();
        Assert.Equal(42, (await Versions(key)).Count);

        async Task Repeated()
        {
            var reply = await client.Update(call, Named("once"));
            Assert.Equal(("once", 2), (reply.Value!.Profile.DisplayName, Version(reply)));
            Assert.Equal(Reasons.RequestIdReused, (await client.Update(call with { RequestHash = "another" }, Named("other"))).Rejection?.Reason);
        }
    }

    [Fact]
    public async Task When_the_clock_runs_back_neither_an_aggregates_time_nor_the_feeds_does()
    {
        var (client, _) = await Created(_silo, "client");
        _clock.Now += TimeSpan.FromMinutes(10);
        await client.Update(Called(), Named("late"));
        var late = Instant.FromDateTimeOffset(_clock.Now);
        _clock.Now -= TimeSpan.FromHours(1);

        await client.Update(Called(), Named("back"));
        await PlatformSilo.Forget(client);
        await client.Update(Called(), Named("back again"));
        await Created(_silo, "new");

        var feed = await _silo.Journal.ReadFeed(s_agency, 0, 10);
        Assert.Equal(5, feed.Count);
        Assert.Equal([late, late, late, late], feed.Skip(1).Select(e => e.RecordedAt));
        Assert.Equal([late, late, late], feed.Skip(1).Take(3).Select(e => e.Event.OccurredAt));

        // Who has no past goes by the clock.
        Assert.Equal(Instant.FromDateTimeOffset(_clock.Now), feed[4].Event.OccurredAt);
    }

    [Fact]
    public async Task A_hold_that_nobody_woke_is_expired_for_the_next_command()
    {
        // By a sandbox's clock, which no deadline follows by itself.
        var start = Instant.FromDateTimeOffset(_clock.Now);
        Call At(Duration later) => Called() with { SandboxNow = start + later };
        await Created(_silo, "client", At(Duration.Zero));
        var cmo = _silo.Grains.Of<IFractionalCmoGrain>(s_agency, "ada");
        var (none, week) = (ImmutableSortedDictionary<string, string>.Empty, new WeekdayMinutes(480, 480, 480, 480, 480, 0, 0));
        Assert.Null((await cmo.Create(At(Duration.Zero), new CreateCmo(
            new CmoId("ada"), new CmoProfile(new PersonId("p-ada"), "CMO", "Etc/UTC", none, none), new PersonDetails("Ada"), new CmoLimits(5, 0),
            new WorkingPattern(new LocalDate(2026, 1, 1), week), new CostRate(new LocalDate(2026, 1, 1), 12_000, new Currency("USD")), null))).Rejection);
        var monday = new LocalDate(2026, 3, 9);
        var all = new BookingSpec(new ClientCompanyId("client"), null, [new FlexibleStep(new DateRange(monday, monday.PlusWeeks(1)), 5 * 480)]);
        Assert.Null((await cmo.Hold(At(Duration.Zero), new HoldBooking(new BookingId("hold"), all, Duration.FromMinutes(10)))).Rejection);
        Assert.Equal(Reasons.CapacityExceeded, (await cmo.Book(At(Duration.FromMinutes(9)), new Book(new BookingId("early"), all))).Rejection?.Reason);

        Assert.Null((await cmo.Book(At(Duration.FromMinutes(10)), new Book(new BookingId("booked"), all))).Rejection);

        Assert.Equal(Reasons.HoldExpired, (await cmo.Confirm(At(Duration.FromMinutes(10)), new BookingId("hold"))).Rejection?.Reason);
    }

    private static async Task<(IClientCompanyGrain Grain, AggregateKey Key)> Created(PlatformSilo silo, string id, Call? call = null)
    {
        var client = silo.Grains.Of<IClientCompanyGrain>(s_agency, id);
        Assert.Equal(1, Version(await client.Create(call ?? Called(), new CreateClient(new ClientCompanyId(id), Profile("0")))));
        return (client, new AggregateKey(s_agency, ClientCompany.Kind, id));
    }

    /// <summary>Asks until it is answered: an activation that lost its place says so and goes.</summary>
    private static async Task<Reply<ClientCompany>> Answered(Func<Task<Reply<ClientCompany>>> ask)
    {
        using var patience = new CancellationTokenSource(s_patience);
        while (true)
        {
            try
            {
                return await ask();
            }
            catch (UnavailableException) when (!patience.IsCancellationRequested)
            {
            }
        }
    }

    private async Task<List<long>> Versions(AggregateKey key) => await _silo.Journal.ReadStream(key).Select(e => e.Version).ToListAsync();

    private static long Version(Reply<ClientCompany> reply)
    {
        Assert.True(reply.Rejection is null, $"{reply.Rejection?.Reason}: {reply.Rejection?.Message}");
        return reply.Meta!.Version;
    }

    private static Call Called() => new(s_agency, "key:test", Guid.CreateVersion7(), "hash");

    private static UpdateClient Named(string name) => new(Profile(name));

    private static ClientProfile Profile(string name) => new(
        name, "", "", "Etc/UTC", new BillingDetails("", "", "", "", 30), ImmutableSortedDictionary<string, string>.Empty, ImmutableSortedDictionary<string, string>.Empty);

    /// <summary>A clock that stands where a test sets it.</summary>
    private sealed class SetClock(DateTimeOffset now) : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = now;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
