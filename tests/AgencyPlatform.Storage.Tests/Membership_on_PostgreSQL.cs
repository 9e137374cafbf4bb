using System.Net;
using AgencyPlatform.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using Orleans.Configuration;
using Orleans.Runtime;
using Orleans.Runtime.MembershipService;

namespace AgencyPlatform.Storage.Tests;

/// <summary>Orleans' membership table over our own statements, as the application's role, once its rights were set again.</summary>
[NeedsPostgres]
public sealed class Membership_on_PostgreSQL : JournalTest
{
    private static readonly DateTime s_start = new(2026, 3, 1, 9, 0, 0, DateTimeKind.Utc);

    [EngineFact]
    public async Task Of_50_concurrent_inserts_on_one_version_one_is_stored_and_every_other_hears_of_it()
    {
        var table = await Table();
        var version = (await table.ReadAllAsync(CancellationToken.None)).Version;

        var inserted = await Race(50, i => table.InsertRowAsync(Member(i), version.Next(), CancellationToken.None));

        var now = await table.ReadAllAsync(CancellationToken.None);
        Assert.Equal(Member(inserted).SiloAddress, Assert.Single(now.Members).Item1.SiloAddress);
        Assert.Equal(version.Version + 1, now.Version.Version);

        // All others come in, each on the version that it has read last.
        await Task.WhenAll(Enumerable.Range(0, 20).Where(i => i != inserted).Select(i => Task.Run(async () =>
        {
            while (!await table.InsertRowAsync(Member(i), (await table.ReadAllAsync(CancellationToken.None)).Version.Next(), CancellationToken.None))
            {
            }
        })));
        now = await table.ReadAllAsync(CancellationToken.None);
        Assert.Equal(now.Members.Count, now.Version.Version);
        Assert.Equal(now.Members.Count, now.Members.Select(m => m.Item1.SiloAddress).Distinct().Count());
    }

    [EngineFact]
    public async Task Of_50_concurrent_updates_on_one_version_one_is_stored_whole_while_heartbeats_go_on()
    {
        var table = await Table();
        await Insert(table, Member(1));
        var read = await table.ReadAllAsync(CancellationToken.None);
        var (version, etag) = (read.Version, read.Members[0].Item2);
        var beats = Task.WhenAll(Enumerable.Range(1, 50).Select(i => Task.Run(() => table.UpdateIAmAliveAsync(Member(1, heard: i), CancellationToken.None))));

        var updated = await Race(50, i => table.UpdateRowAsync(Suspected(Member(1), by: i), etag, version.Next(), CancellationToken.None));

        await beats;
        var now = await table.ReadRowAsync(Member(1).SiloAddress, CancellationToken.None);
        var member = Assert.Single(now.Members).Item1;
        Assert.Equal(version.Version + 1, now.Version.Version);
        Assert.Equal(Member(updated).SiloAddress, Assert.Single(member.SuspectTimes!).Item1);
        Assert.Equal(s_start.AddSeconds(50), member.IAmAliveTime);
    }

    [EngineFact]
    public async Task A_write_on_an_old_version_or_of_a_row_that_is_not_there_changes_nothing()
    {
        var table = await Table();
        await Insert(table, Member(1));
        var read = await table.ReadAllAsync(CancellationToken.None);
        await Insert(table, Member(2));

        Assert.False(await table.InsertRowAsync(Member(3), read.Version.Next(), CancellationToken.None));
        Assert.False(await table.UpdateRowAsync(Suspected(Member(1), by: 2), read.Members[0].Item2, read.Version.Next(), CancellationToken.None));
        read = await table.ReadAllAsync(CancellationToken.None);
        Assert.False(await table.InsertRowAsync(Member(1), read.Version.Next(), CancellationToken.None));
        Assert.False(await table.UpdateRowAsync(Member(9), read.Members[0].Item2, read.Version.Next(), CancellationToken.None));

        var now = await table.ReadAllAsync(CancellationToken.None);
        Assert.Equal(read.Version.Version, now.Version.Version);
        Assert.Equal(2, now.Members.Count);
        Assert.All(now.Members, m => Assert.Null(m.Item1.SuspectTimes));
    }

    [EngineFact]
    public async Task A_cluster_sees_its_own_members_only_and_old_dead_ones_are_cleaned_away()
    {
        var table = await Table();
        var other = await Table("other");
        await Insert(table, Member(1));
        await Insert(table, Member(2));
        var dead = Member(3);
        dead.Status = SiloStatus.Dead;
        await Insert(table, dead);

        Assert.Empty((await other.ReadAllAsync(CancellationToken.None)).Members);
        Assert.Empty((await table.ReadRowAsync(Member(7).SiloAddress, CancellationToken.None)).Members);
        await table.CleanupDefunctSiloEntriesAsync(s_start.AddDays(1), CancellationToken.None);
        Assert.Equal([1, 2], (await table.ReadAllAsync(CancellationToken.None)).Members.Select(m => m.Item1.SiloAddress.Generation).Order());
        Assert.Equal(2L, await ((PostgresTestDatabase)Engine).Roles.Count("SELECT count(*) FROM orleansmembership"));
    }

    protected override async Task<EngineDatabase> NewDatabase() => await PostgresTestDatabase.New();

    private async Task<IMembershipTable> Table(string cluster = "test")
    {
        var postgres = (PostgresTestDatabase)Engine;
        await postgres.Roles.Set();
        var table = new AdoNetClusteringTable(
            new ServiceCollection().BuildServiceProvider(),
            Options.Create(new ClusterOptions { ClusterId = cluster, ServiceId = cluster }),
            Options.Create(new AdoNetClusteringSiloOptions { Invariant = "Npgsql", DataSource = NpgsqlDataSource.Create(postgres.Roles.Application) }),
            NullLogger<AdoNetClusteringTable>.Instance);
        await ((IMembershipTable)table).InitializeMembershipTableAsync(true, CancellationToken.None);
        return table;
    }

    private static async Task Insert(IMembershipTable table, MembershipEntry member) =>
        Assert.True(await table.InsertRowAsync(member, (await table.ReadAllAsync(CancellationToken.None)).Version.Next(), CancellationToken.None));

    private static MembershipEntry Member(int i, int heard = 0) => new()
    {
        SiloAddress = SiloAddress.New(IPAddress.Loopback, 11_000 + i, i),
        SiloName = $"silo-{i}",
        HostName = "here",
        Status = SiloStatus.Active,
        ProxyPort = 30_000 + i,
        StartTime = s_start,
        IAmAliveTime = s_start.AddSeconds(heard),
    };

    private static MembershipEntry Suspected(MembershipEntry member, int by)
    {
        member.SuspectTimes = [Tuple.Create(Member(by).SiloAddress, s_start)];
        return member;
    }

    /// <summary>Lets all go at once; the one that succeeded.</summary>
    private static async Task<int> Race(int writers, Func<int, Task<bool>> write)
    {
        using var go = new SemaphoreSlim(0);
        var all = Enumerable.Range(0, writers).Select(i => Task.Run(async () =>
        {
            await go.WaitAsync();
            return (Written: await write(i), Writer: i);
        })).ToArray();
        go.Release(writers);
        return Assert.Single(await Task.WhenAll(all), w => w.Written).Writer;
    }
}
