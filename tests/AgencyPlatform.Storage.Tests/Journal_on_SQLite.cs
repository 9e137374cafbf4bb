using System.Collections.Immutable;
using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Storage.Maintenance;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using NodaTime;

namespace AgencyPlatform.Storage.Tests;

/// <summary>The journal's contract on an SQLite file.</summary>
public sealed class Journal_on_SQLite : IAsyncLifetime
{
    private static readonly AgencyId s_agency = new("acme-agency");
    private static readonly ImmutableSortedDictionary<string, string> s_none = ImmutableSortedDictionary<string, string>.Empty;
    private readonly string _folder = Directory.CreateTempSubdirectory("journal").FullName;
    private IHost _host = null!;

    private IJournal Journal => _host.Services.GetRequiredService<IJournal>();

    private IReadModels ReadModels => _host.Services.GetRequiredService<IReadModels>();

    private IJournalMaintenance Maintenance => _host.Services.GetRequiredService<IJournalMaintenance>();

    public Task InitializeAsync() => Start();

    public async Task DisposeAsync()
    {
        await Stop();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Events_of_an_agency_are_contiguous_chained_and_still_there_after_a_restart()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Journal.Append(Create($"c{i}")).AsTask()));

        Assert.All(results, r => Assert.IsType<AppendResult.Appended>(r));
        await Stop();
        await Start();
        var feed = await Journal.ReadFeed(s_agency, 0, 1000);
        Assert.Equal(Enumerable.Range(1, 100).Select(i => (long)i), feed.Select(e => e.Sequence));
        Assert.All(feed.Zip(feed.Skip(1)), pair => Assert.Equal(pair.First.Hash, pair.Second.PreviousHash));
        Assert.All(feed.Zip(feed.Skip(1)), pair => Assert.True(pair.First.RecordedAt <= pair.Second.RecordedAt));
        Assert.Equal(100, (await Journal.ReadHead(s_agency)).Sequence);
        Assert.Empty((await Maintenance.VerifyChain()).Breaks);
    }

    [Fact]
    public async Task A_changed_payload_breaks_the_chain_where_it_stands()
    {
        foreach (var i in Enumerable.Range(0, 5))
        {
            await Journal.Append(Create($"c{i}"));
        }

        using (var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={Path.Combine(_folder, "test.db")}"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "UPDATE events SET payload = CAST(replace(CAST(payload AS TEXT), 'Name of', 'name of') AS BLOB) WHERE sequence = 3";
            Assert.Equal(1, command.ExecuteNonQuery());
        }

        Assert.Equal(3, (await Maintenance.VerifyChain()).Breaks[0].Sequence);
    }

    [Fact]
    public async Task The_second_of_two_writers_of_one_version_loses_the_fence()
    {
        Assert.IsType<AppendResult.Appended>(await Journal.Append(Create("c1")));

        Assert.IsType<AppendResult.FenceLost>(await Journal.Append(Create("c1")));
        Assert.Equal(1, (await Journal.ReadFence(Key("c1"), null)).HeadVersion);
    }

    [Fact]
    public async Task A_request_id_counts_once_and_tells_its_outcome()
    {
        var request = Guid.CreateVersion7();
        await Journal.Append(Create("c1", request));

        var taken = Assert.IsType<AppendResult.RequestIdTaken>(await Journal.Append(Create("c2", request)));

        Assert.Equal((request, Key("c1"), 1L, "hash"), (taken.Request, taken.Outcome.Key, taken.Outcome.Version, taken.Outcome.RequestHash));
        Assert.Equal(taken.Outcome, (await Journal.ReadFence(Key("c2"), request)).Outcome);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(7)]
    public async Task Whichever_item_of_a_batch_is_bad_fails_alone(int bad)
    {
        await Journal.Append(Create("taken", externalId: "crm-1"));
        var items = Enumerable.Range(0, 8).Select(i => i == bad ? Create("bad", externalId: "crm-1") : Create($"c{i}")).ToArray();

        var results = await Task.WhenAll(items.Select(i => Journal.Append(i).AsTask()));

        for (var i = 0; i < items.Length; i++)
        {
            if (i == bad)
            {
                Assert.IsType<AppendResult.KeyTaken>(results[i]);
            }
            else
            {
                Assert.IsType<AppendResult.Appended>(results[i]);
            }
        }

        Assert.Equal(8, (await Journal.ReadHead(s_agency)).Sequence);
        Assert.Null(await ReadModels.Find<ClientRow>(s_agency, [new ClientCompanyId("bad")]));
    }

    [Fact]
    public async Task A_zero_character_is_refused_alone()
    {
        var results = await Task.WhenAll(Journal.Append(Create("good")).AsTask(), Journal.Append(Create("poison", name: "a\0b")).AsTask());

        Assert.IsType<AppendResult.Appended>(results[0]);
        Assert.IsType<AppendResult.Unstorable>(results[1]);
    }

    [Fact]
    public async Task A_list_shows_what_was_just_written_of_its_agency_only_page_by_page()
    {
        foreach (var i in Enumerable.Range(0, 5))
        {
            await Journal.Append(Create($"c{i}"));
        }

        await Journal.Append(Create("other", agency: "bolt-agency"));

        var first = await ReadModels.List<ClientRow>(s_agency, Query.All(3));
        var second = await ReadModels.List<ClientRow>(s_agency, new Query([], [first[^1].Id], 3));
        Assert.Equal(["c0", "c1", "c2"], first.Select(r => r.Id.Value));
        Assert.Equal(["c3", "c4"], second.Select(r => r.Id.Value));
    }

    [Fact]
    public async Task A_rebuild_gives_the_live_rows()
    {
        foreach (var i in Enumerable.Range(0, 20))
        {
            await Journal.Append(Create($"c{i}", externalId: $"crm-{i}"));
        }

        var (clients, ids) = (await ReadModels.List<ClientRow>(s_agency, Query.All(100)), await ReadModels.List<ExternalIdRow>(s_agency, Query.All(100)));
        await Maintenance.Rebuild();

        Assert.Equal(clients, await ReadModels.List<ClientRow>(s_agency, Query.All(100)));
        Assert.Equal(ids, await ReadModels.List<ExternalIdRow>(s_agency, Query.All(100)));
    }

    [Fact]
    public async Task People_are_in_the_vault_and_erased_from_it()
    {
        var vault = _host.Services.GetRequiredService<IPeopleVault>();
        var ada = new PersonId("ada");
        await Journal.Append(Create("c1") with { People = [new PersonWrite(ada, new PersonDetails("Ada", "ada@example.com"))] });
        Assert.Equal("Ada", (await vault.Read(s_agency, [ada]))[ada].DisplayName);

        await Journal.Append(Create("c2") with { People = [new PersonWrite(ada, null)] });

        Assert.Empty(await vault.Read(s_agency, [ada]));
        Assert.Empty(await vault.Read(new AgencyId("bolt-agency"), [ada]));
    }

    [Fact]
    public async Task A_due_row_is_leased_to_one_and_comes_back_after_its_lease()
    {
        var deadlines = _host.Services.GetRequiredService<IDeadlines>();
        var due = Instant.FromUtc(2026, 3, 1, 0, 0);
        await Journal.Append(Create("c1") with { Deadline = new DeadlineChange(due, Sandbox: false) });
        await Journal.Append(Create("c2") with { Deadline = new DeadlineChange(due, Sandbox: true) });
        var lease = Duration.FromSeconds(30);

        Assert.Empty(await deadlines.Claim(due - Duration.FromSeconds(1), lease, 10, 10));
        Assert.Equal(Key("c1"), Assert.Single(await deadlines.Claim(due, lease, 10, 10)).Key);
        Assert.Empty(await deadlines.Claim(due + Duration.FromSeconds(29), lease, 10, 10));
        Assert.Single(await deadlines.Claim(due + Duration.FromSeconds(31), lease, 10, 10));
        Assert.Equal(2, (await deadlines.Due(s_agency, due, 10)).Count);
    }

    private static AggregateKey Key(string id, string agency = "acme-agency") => new(new AgencyId(agency), "client", id);

    private static AppendItem Create(string id, Guid? request = null, string? externalId = null, string? name = null, string agency = "acme-agency")
    {
        var at = Instant.FromUtc(2026, 1, 1, 0, 0);
        var profile = new ClientProfile(
            name ?? $"Name of {id}", "", "", "Etc/UTC", new BillingDetails("", "", "", "", 30), s_none, externalId is null ? s_none : s_none.Add("crm", externalId));
        var @event = new ClientCreated(new ClientCompanyId(id), profile);
        var state = ClientCompany.Initial.Apply(@event);
        var key = Key(id, agency);
        return new AppendItem(
            key, 0,
            [new NewEvent(Guid.CreateVersion7(), "client.created", 1, EventJson.Serialize(@event), at, null, null, "key:test", request, request is null ? null : "hash", request is null ? 0 : 1, null, null)],
            [.. state.Project(@event, new EventInfo(key.Agency, id, 1, at))], null, [], null);
    }

    private async Task Start()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Services.AddAgencyPlatformStorage(new StorageOptions { Provider = StorageProvider.Sqlite, ConnectionString = $"Data Source={Path.Combine(_folder, "test.db")}" });
        _host = builder.Build();
        await _host.StartAsync();
    }

    private async Task Stop()
    {
        await _host.StopAsync();
        _host.Dispose();
    }
}
