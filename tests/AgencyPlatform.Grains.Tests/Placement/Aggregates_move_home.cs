using System.Collections.Immutable;
using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Grains.Placement;
using AgencyPlatform.Storage;
using AgencyPlatform.Testing;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;

namespace AgencyPlatform.Grains.Tests.Placement;

/// <summary>A silo that joins and goes while every agency works.</summary>
[NeedsPostgres]
public sealed class Aggregates_move_home
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_pace = TimeSpan.FromMilliseconds(20);

    [EngineFact]
    public async Task When_a_silo_joins_its_agencies_move_there_under_load_and_every_update_counts_once()
    {
        var storage = new StorageOptions { Provider = StorageProvider.Postgres, ConnectionString = await PostgresServer.NewDatabase() };
        await using var first = new PlatformSilo(storage);
        await first.Start();
        AgencyId[] agencies = [.. Enumerable.Range(0, 24).Select(i => new AgencyId($"agency-{i}"))];
        foreach (var agency in agencies)
        {
            var created = await first.Grains.Of<IClientCompanyGrain>(agency, "client").Create(Called(agency), new CreateClient(new ClientCompanyId("client"), Profile("0")));
            Assert.Null(created.Rejection);
        }

        using var done = new CancellationTokenSource();
        var working = agencies.Select(a => Task.Run(() => Rename(first, a, done.Token))).ToArray();
        await using var second = new PlatformSilo(storage);
        await second.Start(first);

        // All are with the first. At home with the second are those that the hash says.
        SiloAddress[] silos = [first.Address, second.Address];
        var moving = agencies.Where(a => second.Address.Equals(AgencyPlacementDirector.Home(a.Value, silos))).Select(a => a.Value).ToHashSet();
        Assert.NotEmpty(moving);
        await Until(() => second.ActiveAgencies.SetEquals(moving) && first.ActiveAgencies.SetEquals(agencies.Select(a => a.Value).Except(moving)));
        await done.CancelAsync();
        var renamed = await Task.WhenAll(working);

        for (var i = 0; i < agencies.Length; i++)
        {
            var client = await second.Grains.Of<IClientCompanyGrain>(agencies[i], "client").Get(new Read(agencies[i]));
            Assert.Equal((renamed[i].ToString(), renamed[i] + 1), (client.Value!.Profile.DisplayName, client.Meta!.Version));
            Assert.Equal(renamed[i] + 1, (await first.Replayed<ClientCompany>(new AggregateKey(agencies[i], "client", "client"))).Version);
        }

        // And back, when it goes.
        await second.Stop();
        await Until(() => first.Services.GetRequiredService<IClusterMembershipService>().CurrentSnapshot.Members[silos[1]].Status == SiloStatus.Dead);
        foreach (var (agency, before) in agencies.Zip(renamed))
        {
            Assert.Equal(before + 2, await RenameOnce(first, agency, before + 1));
        }

        Assert.Superset(agencies.Select(a => a.Value).ToHashSet(), first.ActiveAgencies.ToHashSet());
    }

    private static async Task<long> Rename(PlatformSilo silo, AgencyId agency, CancellationToken done)
    {
        using var pace = new PeriodicTimer(s_pace);
        var times = 0L;
        while (!done.IsCancellationRequested && await pace.WaitForNextTickAsync(CancellationToken.None))
        {
            Assert.Equal(times + 2, await RenameOnce(silo, agency, times + 1));
            times++;
        }

        return times;
    }

    /// <summary>Until it is known, with the same id; the version after it.</summary>
    private static async Task<long> RenameOnce(PlatformSilo silo, AgencyId agency, long name)
    {
        var call = Called(agency);
        while (true)
        {
            try
            {
                var reply = await silo.Grains.Of<IClientCompanyGrain>(agency, "client").Update(call, new UpdateClient(Profile(name.ToString(null as IFormatProvider))));
                Assert.True(reply.Rejection is null, reply.Rejection?.Message);
                return reply.Meta!.Version;
            }
            catch (Exception e) when (e is UnavailableException or OrleansException or TimeoutException)
            {
                // What a gateway answers with UNAVAILABLE.
            }
        }
    }

    private static async Task Until(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(s_patience);
        using var pace = new PeriodicTimer(s_pace);
        while (!condition())
        {
            await pace.WaitForNextTickAsync(patience.Token);
        }
    }

    private static Call Called(AgencyId agency) => new(agency, "key:test", Guid.CreateVersion7(), "hash");

    private static ClientProfile Profile(string name) => new(
        name, "", "", "Etc/UTC", new BillingDetails("", "", "", "", 30), ImmutableSortedDictionary<string, string>.Empty, ImmutableSortedDictionary<string, string>.Empty);
}
