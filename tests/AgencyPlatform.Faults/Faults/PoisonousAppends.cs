using System.Globalization;
using AgencyPlatform.Client;
using AgencyPlatform.Faults.Hostility;
using AgencyPlatform.Protocol.Clients.V1;
using Google.Protobuf;
using Grpc.Core;
using FieldMask = Google.Protobuf.WellKnownTypes.FieldMask;

namespace AgencyPlatform.Faults;

/// <summary>Content that a database cannot hold, and an agency for which nothing can be appended, among others' appends.</summary>
internal sealed class PoisonousAppends : Fault
{
    private const int Rounds = 100;
    private const int AtOnce = 4;
    private const string Path = "/agencyplatform.clients.v1.ClientsService/UpdateClientCompany";

    public override string Name => "poisonous-appends";

    public override string What => "Beside the load, U+0000, half a surrogate pair and bytes that are no UTF-8 in names, by gRPC and JSON, which are refused as the caller's mistake or stored as something that can be; and changes of an agency whose head in the database is wrong, so that each of its appends fails. The others, in the same commits, are answered as usual.";

    public override TimeSpan Bound => TimeSpan.FromSeconds(5);

    public override IReadOnlyList<Engine> Engines => [Engine.Postgres, Engine.PostgresAlone];

    public override async Task Strike(Scene scene, int time)
    {
        var poisoned = await OwnAgency.Make(scene.Cluster, "poisoned");
        var (bad, roles, gateway) = (await OwnAgency.Make(scene.Cluster, "bad"), scene.Cluster.Roles, scene.Cluster.Gateways[0]);
        using var calls = new RawCalls(gateway.Grpc!, gateway.Http!, bad.Key);
        using var client = poisoned.Client(scene.Cluster.Addresses.First(), retries: 0);
        var (answers, refusals) = (new SortedDictionary<string, int>(StringComparer.Ordinal), new SortedDictionary<string, int>(StringComparer.Ordinal));

        // Its next event would take the number of its last.
        await roles.Execute($"UPDATE heads SET sequence = sequence - 1 WHERE agency = '{poisoned.Id}'");
        await Parallel.ForAsync(0, Rounds, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (i, _) =>
        {
            Count(answers, "U+0000: " + await calls.Grpc(Path, Named(bad, "A\0A", "A\0A"u8)));
            Count(answers, "no UTF-8: " + await calls.Grpc(Path, Named(bad, "AAA", [0xed, 0xa0, 0x80])));
            Count(answers, "U+0000 in JSON: " + await calls.Json(HttpMethod.Patch, $"v1/{bad.ClientCompany}", Renaming("\\u0000")));
            Count(answers, "half a pair in JSON: " + await calls.Json(HttpMethod.Patch, $"v1/{bad.ClientCompany}", Renaming("\\ud800")));
            try
            {
                await client.Clients.UpdateClientCompanyAsync(Rename(poisoned, string.Create(CultureInfo.InvariantCulture, $"Name {i}")));
                Count(refusals, "OK");
            }
            catch (ApiException e)
            {
                Count(refusals, e.StatusCode.ToString());
            }
        });
        await roles.Execute($"UPDATE heads SET sequence = sequence + 1 WHERE agency = '{poisoned.Id}'");
        scene.Note($"bad content: {string.Join(", ", answers.Select(a => $"{a.Key} × {a.Value}"))}");
        scene.Note($"the poisoned agency: {string.Join(", ", refusals.Select(a => $"{a.Key} × {a.Value}"))}");
        if (answers.Keys.FirstOrDefault(a => a.EndsWith("gRPC 2", StringComparison.Ordinal) || a.EndsWith("gRPC 13", StringComparison.Ordinal) || a.Contains("HTTP 5", StringComparison.Ordinal)) is { } failed)
        {
            scene.Wrong($"bad content fails inside: {failed}");
        }

        if (refusals.ContainsKey("OK"))
        {
            scene.Wrong("the poisoned agency's appends were taken: nothing was poisoned");
        }

        // Mended, it goes on as if nothing had been.
        using var patient = poisoned.Client(scene.Cluster.Addresses.First());
        await patient.Clients.UpdateClientCompanyAsync(Rename(poisoned, "Name"));
    }

    private static UpdateClientCompanyRequest Rename(OwnAgency agency, string name) => new()
    {
        ClientCompany = new ClientCompany { Name = agency.ClientCompany, DisplayName = name },
        UpdateMask = new FieldMask { Paths = { "display_name" } },
        RequestId = Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString(),
    };

    private static string Renaming(string escaped) => $$"""{"clientCompany":{"displayName":"A{{escaped}}A"},"updateMask":"displayName"}""";

    /// <summary>A request in which other bytes stand for a name.</summary>
    private static byte[] Named(OwnAgency agency, string name, ReadOnlySpan<byte> bytes)
    {
        var message = Rename(agency, name).ToByteArray();
        bytes.CopyTo(message.AsSpan(message.AsSpan().IndexOf(ByteString.CopyFromUtf8(name).Span)));
        return Frames.Message(message);
    }

    private static void Count(SortedDictionary<string, int> counts, string what)
    {
        lock (counts)
        {
            counts[what] = counts.GetValueOrDefault(what) + 1;
        }
    }
}
