using System.Collections.Immutable;
using System.Data.Common;
using System.Text;
using System.Text.Json;
using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Storage;
using AgencyPlatform.Storage.Snapshots;
using AgencyPlatform.Testing;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Storage;

namespace AgencyPlatform.Grains.Tests.Snapshots;

/// <summary>What may become of snapshots, and that it never shows in an answer. The same on each engine.</summary>
public abstract class Snapshots_cost_time_never_truth : IAsyncLifetime
{
    private const int Every = 4;
    private static readonly AgencyId s_agency = new("acme-agency");
    private static readonly ImmutableSortedDictionary<string, string> s_none = ImmutableSortedDictionary<string, string>.Empty;

    protected PlatformSilo Silo { get; private set; } = null!;

    protected abstract Task<StorageOptions> NewDatabase();

    public virtual async Task InitializeAsync()
    {
        Silo = new PlatformSilo(await NewDatabase(), Every);
        await Silo.Start();
    }

    public virtual async Task DisposeAsync() => await Silo.DisposeAsync();

    [EngineFact]
    public async Task Of_300_concurrent_first_writes_one_is_stored_and_every_other_hears_of_it()
    {
        var storage = Silo.Services.GetRequiredKeyedService<IGrainStorage>("stored");
        var id = GrainId.Create("probe", "acme-agency/one");
        GrainState<Snapshot> Row(int i, string? etag) => new(new Snapshot(i, "", JsonSerializer.SerializeToElement(i)), etag);

        var first = await Race(i => Row(i, null));
        var stored = new GrainState<Snapshot>(new Snapshot());
        await storage.ReadStateAsync("probe", id, stored);
        Assert.Equal(first, stored.State!.FoldVersion);

        var second = await Race(i => Row(1000 + i, stored.ETag));
        await storage.ReadStateAsync("probe", id, stored);
        Assert.Equal(second, stored.State!.FoldVersion);

        // Another kind under the same key, and another key of the same kind, are rows of their own.
        await storage.WriteStateAsync("other", id, Row(1, null));
        await storage.WriteStateAsync("probe", GrainId.Create("probe", "acme-agency/0one"), Row(1, null));

        // Clearing counts as a write; what was cleared is no record, and is written on with its ETag.
        await storage.ClearStateAsync("probe", id, stored);
        var cleared = new GrainState<Snapshot>(new Snapshot());
        await storage.ReadStateAsync("probe", id, cleared);
        Assert.False(cleared.RecordExists);
        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.WriteStateAsync("probe", id, Row(1, null)));
        await storage.WriteStateAsync("probe", id, Row(1, cleared.ETag));

        async Task<int> Race(Func<int, GrainState<Snapshot>> row)
        {
            using var go = new SemaphoreSlim(0);
            var writers = Enumerable.Range(0, 300).Select(i => Task.Run(async () =>
            {
                await go.WaitAsync();
                try
                {
                    await storage.WriteStateAsync("probe", id, row(i));
                    return (true, row(i).State!.FoldVersion);
                }
                catch (InconsistentStateException)
                {
                    return (false, 0);
                }
            })).ToArray();
            go.Release(writers.Length);
            return Assert.Single(await Task.WhenAll(writers), w => w.Item1).Item2;
        }
    }

    [EngineFact]
    public async Task An_activation_starts_from_the_snapshot_and_the_events_after_it()
    {
        var (client, key) = await Written("started");

        await SameAsReplay(client, key);

        Assert.InRange(Silo.Reads.LastReadAfter(key), 3, 9);
    }

    [EngineTheory]
    [InlineData("gone")]
    [InlineData("not JSON")]
    [InlineData("not text")]
    [InlineData("another object")]
    [InlineData("changed in one place")]
    [InlineData("another fold version")]
    [InlineData("of another aggregate")]
    [InlineData("its last event is not in the journal")]
    [InlineData("ahead of the journal")]
    [InlineData("does not fold on")]
    public async Task A_bad_snapshot_is_ignored_and_the_next_one_takes_its_place(string what)
    {
        var (client, key) = await Written("bad-" + what.Replace(' ', '-').ToLowerInvariant());
        var (_, other) = await Written("other-of-" + key.Id);
        var forged = await Silo.Replayed<ClientCompany>(key);
        forged = forged with { State = forged.State with { Profile = forged.State.Profile with { DisplayName = "Forged" } } };
        var stored = Encoding.UTF8.GetString(await Payload(key));
        byte[]? payload = what switch
        {
            "gone" => null,
            "not JSON" => "{\"foldVersion\":1,"u8.ToArray(),
            "not text" => [0, 255, 254, 7],
            "another object" => "{\"x\":[1]}"u8.ToArray(),
            "changed in one place" => Encoding.UTF8.GetBytes(stored.Replace("Name ", "Nome ", StringComparison.Ordinal)),
            "another fold version" => Json(Snapshot.Of(forged) with { FoldVersion = ClientCompany.FoldVersion + 1 }),
            "of another aggregate" => await Payload(other),
            "its last event is not in the journal" => Json(Snapshot.Of(forged with { LastEvent = Guid.CreateVersion7() })),
            "ahead of the journal" => Json(Snapshot.Of(forged with { Version = 1000 })),
            "does not fold on" => Json(Snapshot.Of(await Headless(key))),
            _ => throw new ArgumentOutOfRangeException(nameof(what)),
        };
        if (payload is not null)
        {
            Assert.NotEqual(stored, Encoding.UTF8.GetString(payload));
        }

        await Damage(key, payload);
        Silo.Snapshots.Forget();

        await SameAsReplay(client, key);
        Assert.Equal(0, Silo.Reads.LastReadAfter(key));

        // Commands go on; a snapshot is taken again, and is started from.
        for (var i = 0; i < 3 * Every; i++)
        {
            Ok(await client.Update(Called(), new UpdateClient(Profile($"Name after {i}"))));
        }

        while (!await Silo.Snapshots.NextWrite())
        {
        }

        await SameAsReplay(client, key);
        Assert.NotEqual(0, Silo.Reads.LastReadAfter(key));
    }

    [EngineFact]
    public async Task Without_any_snapshot_storage_commands_are_answered_and_an_activation_folds_the_journal()
    {
        var (client, key) = await Written("down");
        Silo.Snapshots.Down = true;

        await SameAsReplay(client, key);
        Assert.Equal(0, Silo.Reads.LastReadAfter(key));
        for (var i = 0; i < 2 * Every; i++)
        {
            Ok(await client.Update(Called(), new UpdateClient(Profile($"Name while down {i}"))));
        }

        await SameAsReplay(client, key);
        Silo.Snapshots.Down = false;
        await SameAsReplay(client, key);
        Assert.NotEqual(0, Silo.Reads.LastReadAfter(key));
    }

    protected static void Ok<T>(Reply<T> reply) => Assert.True(reply.Rejection is null, $"{reply.Rejection?.Reason}: {reply.Rejection?.Message}");

    /// <summary>A client company with ten events and two snapshots.</summary>
    protected async Task<(IClientCompanyGrain Grain, AggregateKey Key)> Written(string id)
    {
        var client = Silo.Grains.Of<IClientCompanyGrain>(s_agency, id);
        Ok(await client.Create(Called(), new CreateClient(new ClientCompanyId(id), Profile("Name 0"))));
        for (var i = 1; i < 10; i++)
        {
            Ok(await client.Update(Called(), new UpdateClient(Profile($"Name {i}"))));
            if ((i + 1) % Every == 0)
            {
                // While one is being written, no other is taken.
                Assert.True(await Silo.Snapshots.NextWrite());
            }
        }

        return (client, new AggregateKey(s_agency, ClientCompany.Kind, id));
    }

    /// <summary>A fresh activation answers as the journal replayed from its first event.</summary>
    protected async Task SameAsReplay(IClientCompanyGrain client, AggregateKey key)
    {
        await PlatformSilo.Forget(client);
        var reply = await client.Get(new Read(s_agency));
        var after = Silo.Reads.LastReadAfter(key);
        var replayed = await Silo.Replayed<ClientCompany>(key);
        Assert.Equal(JsonSerializer.Serialize(replayed.State, EventJson.Options), JsonSerializer.Serialize(reply.Value, EventJson.Options));
        Assert.Equal(replayed.Meta, reply.Meta);
        Silo.Reads.Note(key, after);
    }

    protected static Call Called() => new(s_agency, "key:test");

    protected static ClientProfile Profile(string name) => new(name, "", "", "Etc/UTC", new BillingDetails("", "", "", "", 30), s_none, s_none);

    /// <summary>A state that an event after the snapshot's cannot be folded on.</summary>
    private async Task<Folded<ClientCompany>> Headless(AggregateKey key)
    {
        var folded = Folded<ClientCompany>.Initial;
        await foreach (var stored in Silo.Journal.ReadStream(key, upTo: Every))
        {
            folded = folded.Apply(stored);
        }

        return folded with { State = null! };
    }

    private static byte[] Json(Snapshot snapshot) => JsonSerializer.SerializeToUtf8Bytes(snapshot, EventJson.Options);

    private async Task<byte[]> Payload(AggregateKey key) =>
        (byte[])(await Run($"SELECT payloadbinary FROM OrleansStorage {Where(key)}", null))!;

    private async Task Damage(AggregateKey key, byte[]? payload) =>
        await Run(payload is null ? $"DELETE FROM OrleansStorage {Where(key)}" : $"UPDATE OrleansStorage SET payloadbinary = @payload {Where(key)}", payload);

    private static string Where(AggregateKey key) => $"WHERE graintypestring = '{key.Kind}' AND grainidextensionstring = '{key.GrainKey}'";

    private async Task<object?> Run(string sql, byte[]? payload)
    {
        await using DbConnection connection = await Silo.Services.GetRequiredService<SnapshotStore>().Source.OpenConnectionAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        if (payload is not null)
        {
            var parameter = command.CreateParameter();
            (parameter.ParameterName, parameter.Value) = ("payload", payload);
            command.Parameters.Add(parameter);
        }

        return await command.ExecuteScalarAsync();
    }
}
