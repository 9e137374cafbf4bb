using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Storage;
using AgencyPlatform.Storage.ReadModels;
using AgencyPlatform.Testing;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Storage;

namespace AgencyPlatform.Grains.Tests.Fixtures;

/// <summary>
/// A stored event is for ever: the journal of every release loads, folds and projects. The newest one has every event that exists, and is written
/// anew by <c>UPDATE_FIXTURES=1 dotnet test tests/AgencyPlatform.Grains.Tests --filter Story</c>.
/// </summary>
public abstract class Journals_of_every_release : IAsyncLifetime
{
    private PlatformSilo _silo = null!;

    public static TheoryData<string> Files => [.. FixtureJournal.Files];

    public static TheoryData<string> Kinds => [.. AggregateCatalogue.Kinds];

    protected abstract Task<StorageOptions> NewDatabase();

    public async Task InitializeAsync()
    {
        _silo = new PlatformSilo(await NewDatabase(), 1_000_000);
        await _silo.Start();
    }

    public virtual async Task DisposeAsync() => await _silo.DisposeAsync();

    [EngineFact]
    public async Task The_story_tells_every_event_that_exists()
    {
        await new Story(_silo.Grains).Tell();

        var lines = new StringWriter();
        await _silo.Services.GetRequiredService<IJournalMaintenance>().Export(lines);
        var told = lines.ToString();
        if (Environment.GetEnvironmentVariable(FixtureJournal.Update) == "1")
        {
            await File.WriteAllTextAsync(Path.Combine(FixtureJournal.Folder, FixtureJournal.Newest), told);
        }

        var events = told.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(JournalLines.Read).ToList();
        Assert.Empty(Missing(events));
        await WholeAndRebuilt();
    }

    [EngineFact]
    public void The_newest_journal_has_every_event_that_exists_and_every_kind_of_aggregate()
    {
        var events = FixtureJournal.Read(FixtureJournal.Newest);

        Assert.True(!Missing(events).Any(), $"Not in {FixtureJournal.Newest}: {string.Join(", ", Missing(events))}. Tell them in Story.cs, then: UPDATE_FIXTURES=1 dotnet test tests/AgencyPlatform.Grains.Tests --filter Story");
        Assert.Equal(AggregateCatalogue.Kinds, events.Select(e => e.Key.Kind).Distinct().Order(StringComparer.Ordinal));
    }

    [EngineTheory, MemberData(nameof(Files))]
    public void Every_event_is_read_and_nothing_of_it_is_lost(string file)
    {
        foreach (var stored in FixtureJournal.Read(file))
        {
            var read = EventJson.Deserialize(stored.Event.Name, stored.Event.SchemaVersion, stored.Event.Payload);
            AssertHas(JsonNode.Parse(stored.Event.Payload), JsonNode.Parse(EventJson.Serialize(read)), stored.Event.Name);
        }
    }

    [EngineTheory, MemberData(nameof(Files))]
    public async Task The_journal_loads_its_chain_is_whole_and_its_rows_are_projected(string file)
    {
        var events = FixtureJournal.Read(file);
        await FixtureJournal.Load(_silo.Services, events);

        var report = await _silo.Services.GetRequiredService<IJournalMaintenance>().VerifyChain();
        Assert.Empty(report.Breaks);
        Assert.Equal(events.Count, report.Events);
        foreach (var (name, rows) in await Rows())
        {
            Assert.True(rows.Count > 0 || file != FixtureJournal.Newest, $"No row of {name} comes out of {file}.");
        }

        // The same lines come out again.
        var lines = new StringWriter();
        await _silo.Services.GetRequiredService<IJournalMaintenance>().Export(lines);
        Assert.Equal((await File.ReadAllTextAsync(Path.Combine(FixtureJournal.Folder, file))).Split('\n').Order(), lines.ToString().Split('\n').Order());
    }

    [EngineTheory, MemberData(nameof(Files))]
    public async Task Every_posting_is_computed_again_from_its_history(string file)
    {
        var events = FixtureJournal.Read(file);
        await FixtureJournal.Load(_silo.Services, events);
        var postings = events.Where(e => EventJson.Deserialize(e.Event.Name, e.Event.SchemaVersion, e.Event.Payload) is IPosting { Posting.Lines.IsEmpty: false }).ToList();
        Assert.NotEmpty(postings);
        foreach (var stored in postings)
        {
            var explained = (await AggregateGrains.Get(_silo.Grains, stored.Key).ExplainPosting(new Read(stored.Key.Agency), stored.Version)).Value!;
            Assert.Equal((stored.Event.Name, stored.Event.Actor, ExplanationBasis.Computed), (explained.Event, explained.Made.By, explained.Basis));
            Assert.All(explained.Lines, l => Assert.Equal(Math.Abs(explained.Steps[l.Step - 1].Result), Math.Abs(l.Row.Amount)));
        }
    }

    /// <summary>By kind, on the newest journal: each aggregate from a snapshot at any of its versions, and the grain itself from one in the middle.</summary>
    [EngineTheory, MemberData(nameof(Kinds))]
    public async Task From_any_snapshot_on_the_state_is_that_of_the_whole_journal(string kind)
    {
        var events = FixtureJournal.Read(FixtureJournal.Newest);
        await FixtureJournal.Load(_silo.Services, events);
        var state = typeof(IEvent).Assembly.GetTypes().Single(t =>
            t.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IState<>)) && (string)t.GetProperty("Kind")!.GetValue(null)! == kind);
        var check = typeof(Journals_of_every_release).GetMethod(nameof(FromSnapshots), BindingFlags.NonPublic | BindingFlags.Instance)!.MakeGenericMethod(state);
        foreach (var aggregate in events.Where(e => e.Key.Kind == kind).GroupBy(e => e.Key))
        {
            await (Task)check.Invoke(this, [aggregate.Key, aggregate.OrderBy(e => e.Version).ToList()])!;
        }
    }

    private async Task FromSnapshots<TState>(AggregateKey key, List<StoredEvent> events) where TState : class, IState<TState>
    {
        var whole = events.Aggregate(Folded<TState>.Initial, (folded, e) => folded.Apply(e));
        for (var at = 1; at <= events.Count; at++)
        {
            var taken = Snapshot.Of(events.Take(at).Aggregate(Folded<TState>.Initial, (folded, e) => folded.Apply(e)));
            var stored = JsonSerializer.Deserialize<Snapshot>(JsonSerializer.Serialize(taken, EventJson.Options), EventJson.Options)!;
            var read = stored.Read<TState>();
            Assert.True(read is not null, $"The snapshot of {key} at {at} is not read back.");
            Assert.Equal(Json(whole), Json(events.Skip(at).Aggregate(read, (folded, e) => folded.Apply(e))));
            Assert.Equal(taken.Hash, Snapshot.Of(read).Hash);
        }

        var middle = (events.Count + 1) / 2;
        var grain = AggregateGrains.Get(_silo.Grains, key);
        var row = new GrainState<Snapshot>(Snapshot.Of(events.Take(middle).Aggregate(Folded<TState>.Initial, (folded, e) => folded.Apply(e))));
        await _silo.Services.GetRequiredKeyedService<IGrainStorage>("stored").WriteStateAsync(kind: key.Kind, grain, row);
        var now = events.Max(e => e.RecordedAt);
        if (grain.GetType().GetInterfaces().Select(i => i.GetMethod("Get", [typeof(Read)])).FirstOrDefault(m => m?.ReturnType == typeof(Task<Reply<TState>>)) is { } get)
        {
            var reply = await (Task<Reply<TState>>)get.Invoke(grain, [new Read(key.Agency, now)])!;
            if (whole.State is Domain.Webhooks.Webhook { Exists: false })
            {
                // What was deleted is answered as if it had never been.
                Assert.Null(reply.Value);
                return;
            }

            Assert.Equal(JsonSerializer.Serialize(whole.State, EventJson.Options), JsonSerializer.Serialize(reply.Value, EventJson.Options));
            Assert.Equal(whole.Meta, reply.Meta);
        }
        else
        {
            await grain.Settle(now);
        }

        Assert.Equal(middle - 1, _silo.Reads.LastReadAfter(key));
    }

    private static string Json<TState>(Folded<TState> folded) where TState : class, IState<TState> => JsonSerializer.Serialize(folded, EventJson.Options);

    private static IEnumerable<string> Missing(IReadOnlyList<StoredEvent> events) => EventJson.Catalogue.Values
        .Select(e => $"{e.Name} v{e.Version}")
        .Except(events.Select(e => $"{e.Event.Name} v{e.Event.SchemaVersion}"))
        .Order(StringComparer.Ordinal);

    private async Task WholeAndRebuilt()
    {
        var maintenance = _silo.Services.GetRequiredService<IJournalMaintenance>();
        Assert.Empty((await maintenance.VerifyChain()).Breaks);
        var live = await Rows();
        await maintenance.Rebuild();
        Assert.Equal(live.Select(r => (r.Table, string.Join("\n", r.Rows))), (await Rows()).Select(r => (r.Table, string.Join("\n", r.Rows))));
    }

    /// <summary>All rows of all tables of all agencies, as JSON.</summary>
    private async Task<List<(string Table, List<string> Rows)>> Rows()
    {
        var list = typeof(IReadModels).GetMethod(nameof(IReadModels.List))!;
        var tables = new List<(string, List<string>)>();
        foreach (var type in RowTables.OfDomain.OrderBy(t => t.Name, StringComparer.Ordinal))
        {
            var rows = new List<string>();
            foreach (var agency in await _silo.Services.GetRequiredService<IJournalMaintenance>().ListAgencies())
            {
                var read = (Task)list.MakeGenericMethod(type).Invoke(_silo.Services.GetRequiredService<IReadModels>(), [agency, Query.All(10_000), CancellationToken.None])!;
                await read;
                rows.AddRange(((IEnumerable<object>)read.GetType().GetProperty("Result")!.GetValue(read)!).Select(r => $"{agency}: {JsonSerializer.Serialize(r, type, EventJson.Options)}"));
            }

            tables.Add((type.Name, rows));
        }

        return tables;
    }

    /// <summary>All that was stored is there again; more may be (fields that are new).</summary>
    private static void AssertHas(JsonNode? stored, JsonNode? again, string path)
    {
        switch (stored)
        {
            case JsonObject fields:
                foreach (var (name, value) in fields)
                {
                    AssertHas(value, again is JsonObject other && other.TryGetPropertyValue(name, out var found) ? found : null, $"{path}.{name}");
                }

                break;
            case JsonArray items:
                Assert.True(again is JsonArray a && a.Count == items.Count, path);
                for (var i = 0; i < items.Count; i++)
                {
                    AssertHas(items[i], again![i], $"{path}[{i}]");
                }

                break;
            default:
                Assert.True(JsonNode.DeepEquals(stored, again), $"{path}: {stored?.ToJsonString()} is {again?.ToJsonString()}");
                break;
        }
    }
}

public sealed class Journals_of_every_release_on_SQLite : Journals_of_every_release
{
    private readonly string _folder = Directory.CreateTempSubdirectory("agencyplatform-fixture").FullName;

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    protected override Task<StorageOptions> NewDatabase() =>
        Task.FromResult(new StorageOptions { Provider = StorageProvider.Sqlite, ConnectionString = $"Data Source={Path.Combine(_folder, "journal.db")}" });
}

[NeedsPostgres]
public sealed class Journals_of_every_release_on_PostgreSQL : Journals_of_every_release
{
    protected override async Task<StorageOptions> NewDatabase() =>
        new() { Provider = StorageProvider.Postgres, ConnectionString = await PostgresServer.NewDatabase() };
}

file static class Storing
{
    public static Task WriteStateAsync<T>(this IGrainStorage storage, string kind, IAggregateGrain grain, GrainState<T> row) => storage.WriteStateAsync(kind, grain.GetGrainId(), row);
}
