using System.Text.Json;
using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Events.V1;
using Grpc.Core;

namespace AgencyPlatform.Faults;

/// <summary>
/// A backup beside the load, restored elsewhere. What is judged twice: the service that went on, as after every fault; and what was restored, by a log that
/// ends where the backup began. What was sent until the backup ended and not answered before it began may be in it or not.
/// </summary>
internal sealed class BackupRestored : Fault
{
    private const string Parent = "agencies/reader";
    private string _key = "", _cursor = "";
    private DateTimeOffset _begin, _end;

    public override string Name => "backup-restored";

    public override string What => "A backup while the load runs (pg_dump; on SQLite the host's own), restored elsewhere with a cluster of its own: it holds all that was acknowledged before, and refuses the cursors from before.";

    public override TimeSpan Bound => TimeSpan.FromSeconds(5);

    public override IReadOnlyList<Engine> Engines => [Engine.Postgres, Engine.PostgresAlone, Engine.Sqlite];

    public override async Task Strike(Scene scene, int time)
    {
        using var platform = Client(scene.Cluster, "apo_development");
        await platform.Agencies.CreateAgencyAsync(new CreateAgencyRequest
        {
            AgencyId = "reader",
            Agency = new() { DisplayName = "Reader", TimeZone = "America/New_York", DefaultCurrency = "USD" },
            LegalEntities = { new LegalEntity { Name = "us", LegalName = "Agency LLC", Country = "US", TimeZone = "America/New_York", Currency = "USD" } },
        });
        _key = (await platform.Agencies.CreateApiKeyAsync(new CreateApiKeyRequest { Parent = Parent, ApiKey = new ApiKey { DisplayName = "Reader", Roles = { Role.AgencyAdmin } } })).Key;
        using var reader = Client(scene.Cluster, _key);
        _cursor = (await reader.Events.ListEventsAsync(new ListEventsRequest { Parent = Parent, PageSize = 1 })).NextCursor;
        _begin = TimeProvider.System.GetUtcNow();
        await scene.Cluster.BackUp(File(scene));
        _end = TimeProvider.System.GetUtcNow();
    }

    public override async Task Judge(Scene scene)
    {
        var elsewhere = Path.Combine(scene.Folder, "restored");
        await scene.Cluster.KillAll();
        await using var restored = await scene.Cluster.Restore(File(scene), elsewhere);
        var acknowledged = await CutLog(Path.Combine(scene.Folder, "calls.jsonl"), Path.Combine(elsewhere, "calls.jsonl"));
        System.IO.File.Copy(Path.Combine(scene.Folder, "calls.jsonl.keys"), Path.Combine(elsewhere, "calls.jsonl.keys"));
        var code = await LoadTester.Check(restored, elsewhere);
        if (code != LoadTester.Holds)
        {
            scene.Wrong($"what was restored is judged with {code}: {string.Join("; ", LoadReport.Read(Path.Combine(elsewhere, "check.json"))?.Examples ?? [])}");
        }

        try
        {
            using var reader = Client(restored, _key);
            await reader.Events.ListEventsAsync(new ListEventsRequest { Parent = Parent, After = _cursor });
            scene.Wrong("a cursor from before the restore is taken");
        }
        catch (ApiException e) when (e is { StatusCode: StatusCode.OutOfRange, Reason: "CURSOR_OUT_OF_RANGE" })
        {
            // As it must be: the reader begins anew.
        }

        if (await restored.Command("journal", "verify") != 0)
        {
            scene.Wrong("the restored journal is not whole");
        }

        scene.Note($"restored: the backup took {(_end - _begin).TotalSeconds:N1} s; {acknowledged} sendings were answered with success before it began, and what they did is there");
    }

    private static string File(Scene scene) => Path.Combine(scene.Folder, "backup");

    private static AgencyPlatformClient Client(Cluster cluster, string key) => new(new() { Address = cluster.Addresses.First(), OtherAddresses = [.. cluster.Addresses.Skip(1)], ApiKey = key });

    /// <summary>The log as it was, for a checker that is to know of nothing that was answered after the backup began. How many successes are in it.</summary>
    private async Task<int> CutLog(string log, string cut)
    {
        var successes = 0;
        await using var writer = new StreamWriter(cut);
        await foreach (var line in System.IO.File.ReadLinesAsync(log))
        {
            using var document = JsonDocument.Parse(line);
            var root = document.RootElement;
            var kind = root.GetProperty("t").GetString();
            if (kind == "run" || DateTimeOffset.UnixEpoch.AddMicroseconds(root.GetProperty("at").GetInt64()) is var at && at < (kind == "end" ? _begin : _end))
            {
                await writer.WriteLineAsync(line);
                successes += kind == "end" && root.GetProperty("code").GetString() == "OK" ? 1 : 0;
            }
        }

        return successes;
    }
}
