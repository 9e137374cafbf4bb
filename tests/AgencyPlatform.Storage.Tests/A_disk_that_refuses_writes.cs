using System.Collections.Immutable;
using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Storage.Engines;
using AgencyPlatform.Storage.Journal;
using AgencyPlatform.Storage.Schema;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using NodaTime;

namespace AgencyPlatform.Storage.Tests;

/// <summary>The journal on SQLite when its file may not grow: SQLite itself answers SQLITE_FULL in the middle of a batch.</summary>
public sealed class A_disk_that_refuses_writes : IAsyncLifetime
{
    private static readonly AgencyId s_agency = new("acme-agency");
    private static readonly ImmutableSortedDictionary<string, string> s_none = ImmutableSortedDictionary<string, string>.Empty;
    private readonly string _folder = Directory.CreateTempSubdirectory("agencyplatform-full").FullName;
    private readonly FullDisk _disk = new();
    private IHost _host = null!;

    private IJournal Journal => _host.Services.GetRequiredService<IJournal>();

    private Database Database => _host.Services.GetRequiredService<Database>();

    public async Task InitializeAsync()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Services.AddAgencyPlatformStorage(new StorageOptions
        {
            Provider = StorageProvider.Sqlite,
            ConnectionString = $"Data Source={Path.Combine(_folder, "test.db")}",
            MaxBatch = 8,
            Retries = [TimeSpan.FromMilliseconds(5), TimeSpan.FromMilliseconds(5)],
        });
        _host = builder.Build();
        Database.Hook = _disk;
        await _host.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await _host.StopAsync();
        await ((IAsyncDisposable)_host).DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task What_was_acknowledged_stands_what_was_refused_does_not_and_afterwards_the_same_requests_count_once()
    {
        var items = Enumerable.Range(0, 60).Select(i => Create($"c{i}", Guid.CreateVersion7())).ToArray();
        Assert.All(await Task.WhenAll(items[..10].Select(i => Journal.Append(i).AsTask())), r => Assert.IsType<AppendResult.Appended>(r));

        _disk.Fill(await Pages() + 40, reopen: true);
        var results = await Task.WhenAll(items[10..].Select(i => Journal.Append(i).AsTask()));

        Assert.All(results, r => Assert.True(r is AppendResult.Appended or AppendResult.Unavailable, r.ToString()));
        Assert.Contains(results, r => r is AppendResult.Unavailable { Error: var error } && error.Contains("full", StringComparison.Ordinal));
        var stored = await Stored();
        for (var i = 10; i < items.Length; i++)
        {
            var fence = await Journal.ReadFence(items[i].Key, items[i].Events[0].Request);
            Assert.Equal(results[i - 10] is AppendResult.Appended, stored.Contains(items[i].Key.Id));
            Assert.Equal(results[i - 10] is AppendResult.Appended ? 1 : 0, fence.HeadVersion);
            Assert.Equal(results[i - 10] is AppendResult.Appended, fence.Outcome is not null);
        }

        // Asked again while not a page is left, the answer is the same.
        _disk.Fill(await Pages());
        Assert.IsType<AppendResult.Unavailable>(await Journal.Append(items[Array.FindIndex(results, r => r is AppendResult.Unavailable) + 10]));

        _disk.Fill(null);
        var again = await Task.WhenAll(items[10..].Select(i => Journal.Append(i).AsTask()));

        // An item that stands already at its version with its event's id is a success too, and stands once.
        Assert.All(again, r => Assert.IsType<AppendResult.Appended>(r));
        Assert.Equal(items.Select(i => i.Key.Id).Order(StringComparer.Ordinal), (await Stored()).Order(StringComparer.Ordinal));
        Assert.Equal(items.Length, (await _host.Services.GetRequiredService<IReadModels>().List<ClientRow>(s_agency, Query.All(1000))).Count);
        Assert.Empty((await _host.Services.GetRequiredService<IJournalMaintenance>().VerifyChain()).Breaks);
    }

    private async Task<long> Pages() => (await Database.Query("PRAGMA page_count", new SqlArguments(), r => r.GetInt64(0))).Single();

    private async Task<List<string>> Stored() => [.. (await Journal.ReadFeed(s_agency, 0, 1000)).Select(e => e.Key.Id)];

    private static AppendItem Create(string id, Guid request)
    {
        var at = Instant.FromUtc(2026, 1, 1, 0, 0);
        var labels = Enumerable.Range(0, 60).Aggregate(s_none, (all, i) => all.Add($"label-{i}", new string('x', 200)));
        var @event = new ClientCreated(new ClientCompanyId(id), new ClientProfile(id, "", "", "Etc/UTC", new BillingDetails("", "", "", "", 30), labels, s_none));
        var state = ClientCompany.Initial.Apply(@event);
        return new AppendItem(
            new AggregateKey(s_agency, ClientCompany.Kind, id), 0,
            [new NewEvent(Guid.CreateVersion7(), "client.created", 1, EventJson.Serialize(@event), at, null, null, "key:test", request, "hash", 1, null, null)],
            [.. state.Project(@event, new EventInfo(s_agency, id, 1, at))], null, [], null);
    }

    /// <summary>Limits the pages of the file for the connection that writes.</summary>
    private sealed class FullDisk : CommitHook
    {
        private volatile bool _reopen;
        private long? _pages;

        public override string Pragmas => _pages is { } pages ? $"PRAGMA max_page_count={pages};" : "";

        /// <param name="reopen">The writing connection is open; after trouble the next commit opens it by itself.</param>
        public void Fill(long? pages, bool reopen = false)
        {
            _pages = pages;
            _reopen = reopen;
        }

        public override Task BeforeCommit(Batch batch)
        {
            if (!_reopen)
            {
                return Task.CompletedTask;
            }

            _reopen = false;
            throw new StorageTroubleException("The test opens the writing connection anew.");
        }
    }
}
