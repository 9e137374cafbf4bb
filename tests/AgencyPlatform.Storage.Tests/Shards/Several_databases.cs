using System.Diagnostics;
using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Storage.Engines;
using AgencyPlatform.Storage.Journal;
using AgencyPlatform.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using NodaTime;
using Npgsql;
using Xunit.Abstractions;

namespace AgencyPlatform.Storage.Tests.Shards;

/// <summary>
/// The proof of docs/adr/0010-several-databases.md: agencies on two PostgreSQL databases, east (the home of the map) and west, served by two processes; one
/// is moved while it is written.
/// </summary>
[NeedsPostgres]
public sealed class Several_databases(ITestOutputHelper output) : IAsyncLifetime
{
    internal static readonly Instant Due = Instant.FromUtc(2026, 3, 1, 0, 0);
    private static readonly AgencyId s_acme = new("acme-agency");
    private static readonly AgencyId s_bolt = new("bolt-agency");
    private static readonly AgencyId s_cork = new("cork-agency");
    private readonly Dictionary<string, PostgresTestDatabase> _databases = [];
    private readonly Dictionary<string, NpgsqlDataSource> _owners = [];
    private readonly Dictionary<string, IHost> _maintenance = [];
    private readonly List<IHost> _hosts = [];
    private readonly List<NpgsqlDataSource> _maps = [];
    private Process _one = null!;
    private Process _other = null!;

    private sealed record Process(RoutedJournal Journal, IReadOnlyDictionary<string, Place> Places);

    private sealed class Crash : Exception;

    private sealed class Stall(Task until) : CommitHook
    {
        public override Task BeforeCommit(Batch batch) => until;
    }

    public async Task InitializeAsync()
    {
        foreach (var name in new[] { "east", "west" })
        {
            var database = _databases[name] = await PostgresTestDatabase.New();
            _maintenance[name] = JournalTest.Build(database.Owner);
            await Maintenance(name).EnsureSchema();
            _owners[name] = AgencyMove.Connect(database.Owner.ConnectionString);
            await using var schema = _owners[name].CreateCommand(name == "east" ? PlacementSchema.Place + PlacementSchema.Home : PlacementSchema.Place);
            await schema.ExecuteNonQueryAsync();
        }

        (_one, _other) = (await Start(), await Start());
        await Move().Admit(s_acme, "east");
        await Move().Admit(s_bolt, "east");
        await Move().Admit(s_cork, "west");
    }

    public async Task DisposeAsync()
    {
        foreach (var host in _hosts)
        {
            await host.StopAsync();
        }

        foreach (var host in _hosts.Concat(_maintenance.Values))
        {
            await ((IAsyncDisposable)host).DisposeAsync();
        }

        foreach (var source in _owners.Values.Concat(_maps))
        {
            await source.DisposeAsync();
        }

        foreach (var database in _databases.Values)
        {
            await database.DisposeAsync();
        }
    }

    [EngineFact]
    public async Task An_agency_moves_under_load_and_nothing_acknowledged_is_lost_or_doubled()
    {
        var callers = Enumerable.Range(0, 18).Select(i => new Caller(i % 2 == 0 ? _one.Journal : _other.Journal, (i % 3) switch { 0 => s_acme, 1 => s_bolt, _ => s_cork }, $"c{i}")).ToList();
        var running = callers.Select(c => Task.Run(c.Run)).ToList();
        await Task.WhenAll(callers.Select(c => c.More(20)));
        var pause = new Stopwatch();

        await Move(step =>
        {
            switch (step)
            {
                case MoveStep.Fenced:
                    pause.Start();
                    break;
                case MoveStep.Opened:
                    pause.Stop();
                    break;
            }

            return Task.CompletedTask;
        }).Run(s_acme, "west");
        await End(callers, running, more: 20);

        await Judge(callers, s_acme, "west");
        await Judge(callers, s_bolt, "east");
        await Judge(callers, s_cork, "west");
        await Examine();
        Assert.Equal(0, callers.Where(c => c.Agency != s_acme).Sum(c => c.Unavailable));
        Assert.True(callers.Where(c => c.Agency == s_acme).Sum(c => c.Unavailable) > 0, "Nobody wrote while the agency was fenced.");
        foreach (var each in callers.GroupBy(c => c.Agency))
        {
            output.WriteLine($"{each.Key}: {each.Sum(c => c.Acknowledged.Count)} events, longest append {each.Max(c => c.Longest).TotalMilliseconds:F0} ms");
        }

        output.WriteLine($"fenced for {pause.Elapsed.TotalMilliseconds:F0} ms");
    }

    [EngineFact]
    public async Task A_move_that_dies_at_any_step_is_taken_up_again()
    {
        foreach (var step in Enum.GetValues<MoveStep>())
        {
            var agency = new AgencyId($"dies-{step.ToString().ToLowerInvariant()}");
            await Move().Admit(agency, "east");
            var (callers, running) = await Load(agency);

            await Assert.ThrowsAsync<Crash>(() => Move(DieAt(step)).Run(agency, "west"));
            await Move().Resume(agency);
            await End(callers, running, more: 5);

            await Move().Resume(agency);
            await Judge(callers, agency, "west");
        }

        await Examine();
    }

    [EngineFact]
    public async Task A_move_that_is_not_decided_is_taken_back_and_begun_again()
    {
        foreach (var step in Enum.GetValues<MoveStep>().Where(s => s < MoveStep.Decided))
        {
            var agency = new AgencyId($"back-{step.ToString().ToLowerInvariant()}");
            await Move().Admit(agency, "east");
            var (callers, running) = await Load(agency);

            await Assert.ThrowsAsync<Crash>(() => Move(DieAt(step)).Run(agency, "west"));
            await Assert.ThrowsAsync<Crash>(() => Move(DieAt(MoveStep.Opened)).Undo(agency));
            await Move().Resume(agency);
            await Task.WhenAll(callers.Select(c => c.More(5)));
            Assert.True(await _one.Places["east"].Serves(agency));
            Assert.Equal(0, await _databases["west"].Roles.Count($"SELECT count(*) FROM events WHERE agency = '{agency}'"));

            await Move().Run(agency, "west");
            await End(callers, running, more: 5);
            await Judge(callers, agency, "west");
        }

        await Examine();
    }

    [EngineFact]
    public async Task A_move_that_is_decided_only_goes_on()
    {
        await Assert.ThrowsAsync<Crash>(() => Move(DieAt(MoveStep.Decided)).Run(s_acme, "west"));

        await Assert.ThrowsAsync<InvalidOperationException>(() => Move().Undo(s_acme));
        await Assert.ThrowsAsync<InvalidOperationException>(() => Move().Run(s_acme, "east"));
        await Move().Resume(s_acme);

        Assert.IsType<AppendResult.Appended>(await _one.Journal.Append(JournalTest.Create("c1")));
        Assert.Equal(1, (await _one.Places["west"].Journal.ReadHead(s_acme)).Sequence);
    }

    [EngineFact]
    public async Task A_mover_that_comes_back_late_changes_nothing()
    {
        var (callers, running) = await Load(s_acme);
        var (stopped, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        var late = Move(async step =>
        {
            if (step == MoveStep.Copied && stopped.TrySetResult())
            {
                await goOn.Task;
            }
        }).Run(s_acme, "west");
        await stopped.Task;

        await Move().Resume(s_acme);
        await Task.WhenAll(callers.Select(c => c.More(5)));
        goOn.SetResult();
        await Assert.ThrowsAsync<InvalidOperationException>(() => late);
        await End(callers, running, more: 5);

        await Judge(callers, s_acme, "west");
        await Examine();
    }

    [EngineFact]
    public async Task The_old_place_refuses_whoever_has_not_heard_of_the_move_and_stores_his_neighbours()
    {
        var east = _one.Places["east"];
        foreach (var id in new[] { "c1", "c2" })
        {
            Assert.IsType<AppendResult.Appended>(await east.Journal.Append(JournalTest.Create(id)));
        }

        Assert.IsType<AppendResult.Appended>(await east.Journal.Append(JournalTest.Create("c1", agency: s_bolt)));
        var commits = new ScriptedCommits(_databases["east"]);
        east.Database.Hook = commits;
        async Task<AppendResult[]> Batch(long version) => await commits.InOneBatch(
            east.Journal,
            JournalTest.Update("c1", version, "Plug", agency: s_bolt),
            [
                JournalTest.Update("c1", 1, "Too late"), JournalTest.Update("c1", version + 1, "In time", agency: s_bolt), JournalTest.Create("c9"),
                JournalTest.Update("c1", version + 2, "In time", agency: s_bolt),
            ],
            _ => Loss.None);
        AppendResult[] fenced = [];

        await Move(async step => fenced = step == MoveStep.Fenced ? await Batch(1) : fenced).Run(s_acme, "west");
        var moved = await Batch(4);

        foreach (var results in new[] { fenced, moved })
        {
            Assert.All([results[1], results[3]], r => Assert.IsType<AppendResult.Appended>(r));
            Assert.IsType<AppendResult.Unstorable>(results[2]);
        }

        Assert.IsType<AppendResult.Unstorable>(fenced[0]);
        Assert.IsType<AppendResult.FenceLost>(moved[0]);
        Assert.Equal(2, (await _other.Journal.ReadHead(s_acme)).Sequence);
    }

    [EngineFact]
    public async Task A_process_that_has_not_heard_of_the_move_answers_nothing_old()
    {
        var request = Guid.CreateVersion7();
        await Acknowledged(_one, JournalTest.Create("c1"));
        await _other.Journal.ReadHead(s_acme);
        await Move().Run(s_acme, "west");
        await Acknowledged(_one, JournalTest.Create("c2", request));

        // Each of them finds out by itself: the entry of the map is forgotten, and what is asked again is answered by the new place.
        await Assert.ThrowsAsync<UnavailableException>(async () => await _other.Journal.ReadFence(JournalTest.Key("c2"), request));
        var fence = await _other.Journal.ReadFence(JournalTest.Key("c2"), request);
        Assert.Equal((1L, 1L), (fence.HeadVersion, fence.Outcome!.Version));
        await Move().Run(s_acme, "east");
        await Assert.ThrowsAsync<UnavailableException>(async () => await _other.Journal.ReadStream(JournalTest.Key("c1")).ToListAsync());
        Assert.Single(await _other.Journal.ReadStream(JournalTest.Key("c1")).ToListAsync());
        await Move().Run(s_acme, "west");
        await Assert.ThrowsAsync<UnavailableException>(() => _other.Journal.ReadFeed(s_acme, 0, 10));
        Assert.Equal(2, (await _other.Journal.ReadFeed(s_acme, 0, 10)).Count);
        await Move().Run(s_acme, "east");
        Assert.IsType<AppendResult.Unavailable>(await _other.Journal.Append(JournalTest.Update("c1", 1, "Repeated")));
        Assert.IsType<AppendResult.Appended>(await _other.Journal.Append(JournalTest.Update("c1", 1, "Repeated")));
    }

    [EngineFact]
    public async Task A_request_id_of_before_the_move_counts_once()
    {
        var (request, first) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var stored = JournalTest.Create("c1", first);
        await _one.Journal.Append(stored);
        AppendResult? refused = null;
        await Move(async step => refused = step == MoveStep.Fenced ? await _one.Journal.Append(JournalTest.Create("c2", request)) : refused).Run(s_acme, "west");

        // The item itself, as after a lost answer; its request under another event; and one that was refused while the agency was fenced.
        Assert.IsType<AppendResult.Appended>(await _other.Journal.Append(stored));
        Assert.Equal(first, Assert.IsType<AppendResult.RequestIdTaken>(await _other.Journal.Append(JournalTest.Create("c3", first))).Request);
        Assert.IsType<AppendResult.Unavailable>(refused);
        Assert.IsType<AppendResult.Appended>(await _other.Journal.Append(JournalTest.Create("c2", request)));
        Assert.Equal(2, (await _other.Journal.ReadHead(s_acme)).Sequence);
    }

    [EngineFact]
    public async Task A_place_takes_no_agency_that_was_not_admitted_there()
    {
        var west = _one.Places["west"];
        await _one.Journal.Append(JournalTest.Create("c1"));
        Assert.IsType<AppendResult.FenceLost>(await west.Journal.Append(JournalTest.Update("c1", 1, "Elsewhere")));
        Assert.IsType<AppendResult.Unstorable>(await west.Journal.Append(JournalTest.Create("c1", agency: new AgencyId("nowhere"))));
        AppendResult? half = null;

        await Move(async step => half = step == MoveStep.Copied ? await west.Journal.Append(JournalTest.Update("c1", 1, "Half there")) : half).Run(s_acme, "west");

        Assert.IsType<AppendResult.Unstorable>(half);
        Assert.IsType<AppendResult.Appended>(await west.Journal.Append(JournalTest.Update("c1", 1, "There")));
    }

    [EngineFact]
    public async Task Deadlines_are_claimed_at_the_new_place_only()
    {
        var item = JournalTest.Create("c1") with { Deadline = new DeadlineChange(Due, Sandbox: false) };
        await _one.Journal.Append(item);
        await _one.Journal.Append(item with { Key = JournalTest.Key("c1", s_bolt), Events = [item.Events[0] with { Id = Guid.CreateVersion7() }], Rows = [] });
        var lease = Duration.FromMinutes(1);
        Assert.Equal(2, (await _one.Places["east"].Deadlines.Claim(Due, lease, 10, 10)).Count);

        await Move().Run(s_acme, "west");

        Assert.Equal(s_acme, Assert.Single(await _one.Places["west"].Deadlines.Claim(Due, lease, 10, 10)).Key.Agency);
        Assert.Equal(s_bolt, Assert.Single(await _one.Places["east"].Deadlines.Claim(Due + lease, lease, 10, 10)).Key.Agency);
    }

    [EngineFact]
    public async Task The_feeds_epoch_and_what_a_restore_has_locked_move_too()
    {
        await _one.Journal.Append(JournalTest.Create("c1"));
        var before = await _one.Journal.ReadHead(s_acme);
        await Move().Run(s_acme, "west");
        Assert.Equal((before.Epoch, before.Sequence), (await _other.Journal.ReadHead(s_acme)) is var moved ? (moved.Epoch, moved.Sequence) : default);
        Assert.NotEqual(before.Epoch, (await _other.Journal.ReadHead(s_cork)).Epoch);

        // As a restore of the one place does.
        var restored = Guid.CreateVersion7();
        await _databases["west"].Execute($"UPDATE heads SET epoch = '{restored}' WHERE agency = '{s_acme}'; INSERT INTO restores (agency, epoch, sequence) VALUES ('{s_acme}', '{restored}', 1)");
        await Move().Run(s_acme, "east");

        var head = await Head(s_acme);
        Assert.Equal((restored, true), (head.Epoch, head.Restored));
        Assert.False((await Head(s_bolt)).Restored);
    }

    [EngineFact]
    public async Task An_agency_moves_there_and_back_under_load()
    {
        var (callers, running) = await Load(s_acme);
        foreach (var destination in new[] { "west", "east", "west", "east" })
        {
            await Move().Run(s_acme, destination);
            await Task.WhenAll(callers.Select(c => c.More(5)));
        }

        await End(callers, running, more: 5);
        await Judge(callers, s_acme, "east");
        await Examine();
    }

    [EngineFact]
    public async Task What_stalls_in_one_database_holds_up_nothing_in_another()
    {
        var goOn = new TaskCompletionSource();
        _one.Places["east"].Database.Hook = new Stall(goOn.Task);

        var stalled = _one.Journal.Append(JournalTest.Create("c1", agency: s_bolt)).AsTask();
        var others = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => _one.Journal.Append(JournalTest.Create($"c{i}", agency: s_cork)).AsTask()));

        Assert.All(others, r => Assert.IsType<AppendResult.Appended>(r));
        Assert.False(stalled.IsCompleted);
        goOn.SetResult();
        Assert.IsType<AppendResult.Appended>(await stalled);
    }

    private static Func<MoveStep, Task> DieAt(MoveStep step) => reached => reached == step ? throw new Crash() : Task.CompletedTask;

    private static async Task End(List<Caller> callers, List<Task> running, int more)
    {
        await Task.WhenAll(callers.Select(c => c.More(more)));
        callers.ForEach(c => c.Stop());
        await Task.WhenAll(running);
    }

    /// <summary>Appends, and repeats it where the process has not heard of a move.</summary>
    private static async Task Acknowledged(Process process, AppendItem item)
    {
        var result = await process.Journal.Append(item);
        Assert.IsType<AppendResult.Appended>(result is AppendResult.Unavailable ? await process.Journal.Append(item) : result);
    }

    /// <summary>The head, asked again where the process has not heard of a move.</summary>
    private async Task<FeedHead> Head(AgencyId agency)
    {
        try
        {
            return await _one.Journal.ReadHead(agency);
        }
        catch (UnavailableException)
        {
            return await _one.Journal.ReadHead(agency);
        }
    }

    private async Task<(List<Caller> Callers, List<Task> Running)> Load(AgencyId agency)
    {
        List<Caller> callers = [new(_one.Journal, agency, "c0"), new(_other.Journal, agency, "c1"), new(_one.Journal, agency, "c2")];
        var running = callers.Select(c => Task.Run(c.Run)).ToList();
        await Task.WhenAll(callers.Select(c => c.More(5)));
        return (callers, running);
    }

    /// <summary>That the place has what was acknowledged to the agency's callers, once, whole, in order, with all that is derived, and that the other has nothing.</summary>
    private async Task Judge(List<Caller> all, AgencyId agency, string name)
    {
        var callers = all.Where(c => c.Agency == agency).ToList();
        var process = _other with { Journal = new RoutedJournal(new AgencyMap(_maps[0]), _other.Places) };
        var place = await process.Journal.PlaceOf(agency);
        Assert.Same(process.Places[name], place);

        // The feed: contiguous, chained, each acknowledged event once and no other.
        var feed = await process.Journal.ReadFeed(agency, 0, 1_000_000);
        Assert.Equal(Enumerable.Range(1, feed.Count).Select(i => (long)i), feed.Select(e => e.Sequence));
        var head = await process.Journal.ReadHead(agency);
        Assert.Equal(feed.Count, head.Sequence);
        Assert.Equal(feed[^1].Hash, head.Hash);
        var chain = await Maintenance(name).VerifyChain(agency);
        Assert.Equal((feed.Count, 0), (chain.Events, chain.Breaks.Length));
        foreach (var caller in callers)
        {
            Assert.Equal(caller.Acknowledged.Select(e => e.Id), feed.Where(e => e.Key.Id == caller.Id).Select(e => e.Event.Id));
        }

        Assert.Equal(callers.Sum(c => c.Acknowledged.Count), feed.Count);

        // Each request id tells its outcome, and a repeat under another event is refused.
        var fences = await Task.WhenAll(callers.SelectMany(c => c.Acknowledged.Select((e, i) => (Caller: c, Event: e, Version: i + 1L))).Select(async a =>
            (a.Caller, a.Version, Read: await place.Journal.ReadFence(JournalTest.Key(a.Caller.Id, agency), a.Event.Request))));
        Assert.All(fences, f => Assert.Equal((f.Caller.Acknowledged.Count, f.Caller.Id, f.Version), (f.Read.HeadVersion, f.Read.Outcome!.Key.Id, f.Read.Outcome.Version)));
        Assert.IsType<AppendResult.RequestIdTaken>(await process.Journal.Append(JournalTest.Create("doubled", callers[0].Acknowledged[^1].Request, agency: agency)));

        // Lists, external ids, people, deadlines.
        Assert.Equal(
            callers.OrderBy(c => c.Id, StringComparer.Ordinal).Select(c => $"{c.Id}: Name {c.Acknowledged.Count - 1} of {c.Id}"),
            (await place.ReadModels.List<ClientRow>(agency, Query.All(100))).Select(r => $"{r.Id}: {r.DisplayName}"));
        Assert.Equal(
            callers.Select(c => $"crm-{c.Id}").Order(StringComparer.Ordinal), (await place.ReadModels.List<ExternalIdRow>(agency, Query.All(100))).Select(r => r.ExternalId));
        Assert.Equal(callers.Count, (await place.Vault.Read(agency, [.. callers.Select(c => c.Person)])).Count);
        Assert.Equal(callers.Select(c => c.Id).Order(StringComparer.Ordinal), (await place.Deadlines.Due(agency, Due, 100)).Select(d => d.Key.Id));

        // Elsewhere there is nothing of it, and nothing is taken.
        var elsewhere = name == "east" ? "west" : "east";
        foreach (var table in new[] { "events", "rm_clients", "rm_external_ids", "people", "deadlines", "restores", "heads WHERE fence IS NULL" })
        {
            Assert.Equal(0, await _databases[elsewhere].Roles.Count($"SELECT count(*) FROM (SELECT * FROM {table}) t WHERE agency = '{agency}'"));
        }

        Assert.IsType<AppendResult.Unstorable>(await process.Places[elsewhere].Journal.Append(JournalTest.Create("elsewhere", agency: agency)));
    }

    /// <summary>That in both databases each head is at its last event, each chain whole, and every row what the journal gives.</summary>
    private async Task Examine()
    {
        foreach (var name in _maintenance.Keys)
        {
            var findings = await _maintenance[name].Services.GetRequiredService<IDatabaseDoctor>().Examine(quick: false).Where(f => f.Subject is "feeds" or "journal" or "read models").ToListAsync();
            Assert.Equal(3, findings.Count);
            Assert.All(findings, f => Assert.True(f.Health == Health.Ok, $"{name}: {f.Subject}: {f.Sentence}"));
        }
    }

    private IJournalMaintenance Maintenance(string place) => _maintenance[place].Services.GetRequiredService<IJournalMaintenance>();

    private AgencyMove Move(Func<MoveStep, Task>? reached = null) => new(_owners["east"], _owners, _one.Places["east"].Database, reached);

    /// <summary>A process on both databases, as the application's role, with a map of its own.</summary>
    private async Task<Process> Start()
    {
        var places = new Dictionary<string, Place>();
        foreach (var (name, database) in _databases)
        {
            var host = JournalTest.Build(database.Options);
            await host.StartAsync();
            _hosts.Add(host);
            places[name] = new Place(host);
        }

        var home = NpgsqlDataSource.Create(_databases["east"].Options.ConnectionString);
        _maps.Add(home);
        return new Process(new RoutedJournal(new AgencyMap(home), places), places);
    }
}
