using System.Globalization;
using AgencyPlatform.Faults.Hostility;

namespace AgencyPlatform.Faults;

/// <summary>All kinds of requests that are none.</summary>
internal sealed class HostileRequests : HostileFault
{
    private const int Silent = 1_000;
    private const int Slow = 100;
    private const int Rounds = 5;
    private const string Path = "/agencyplatform.clients.v1.ClientsService/UpdateClientCompany";
    private static readonly TimeSpan s_drip = TimeSpan.FromSeconds(1);

    public override string Name => "hostile-requests";

    public override string What => "At a gateway's two ports: 1,000 connections that say nothing, 100 that send a header a byte a second, random bytes, frames cut short, endless headers, floods of resets and pings, messages that are no protobuf, of 4 GB, or too deep, JSON without end. Memory stays within 512 MB of what it was.";

    public override TimeSpan Bound => TimeSpan.FromSeconds(5);

    protected override async Task Attack(Scene scene, Member gateway)
    {
        var agency = await OwnAgency.Make(scene.Cluster, "hostile");
        var (grpc, http) = (gateway.Grpc!, gateway.Http!);
        var silent = await Task.WhenAll(Enumerable.Range(0, Silent).Select(i => Stranger.Connect(i % 2 == 0 ? grpc : http)));
        using var over = new CancellationTokenSource();
        var dripping = Task.WhenAll(Enumerable.Range(0, Slow).Select(i => Drip(i % 2 == 0 ? http : grpc, over.Token)));
        for (var round = 0; round < Rounds; round++)
        {
            await Task.WhenAll(RawBytes(grpc), RawBytes(http), CutShort(grpc), EndlessHeaders(grpc, agency.Key), Resets(grpc, agency.Key), Pings(grpc), Huge(grpc, agency.Key), EndlessLine(http));
            await Malformed(scene, grpc, http, agency.Key);
        }

        await over.CancelAsync();
        await dripping;
        foreach (var stranger in silent)
        {
            stranger.Dispose();
        }
    }

    private static async Task RawBytes(Uri address)
    {
        for (var i = 0; i < 50; i++)
        {
            using var stranger = await Stranger.Connect(address);
            var bytes = new byte[Random.Shared.Next(1, 65_536)];
            Random.Shared.NextBytes(bytes);
            await stranger.Send(bytes);
        }
    }

    /// <summary>A frame that says it is longer than what comes, then silence, then the end.</summary>
    private static async Task CutShort(Uri address)
    {
        for (var i = 0; i < 50; i++)
        {
            using var stranger = await Stranger.Connect(address);
            await stranger.Send(Frames.Hello());
            await stranger.Send(Frames.Of((byte)(i % 10), 0, 1, new byte[i], says: 10_000));
        }
    }

    /// <summary>A header block of up to 64 MB, in frames of which none is the last.</summary>
    private static async Task EndlessHeaders(Uri address, string key)
    {
        using var stranger = await Stranger.Connect(address);
        await stranger.Send(Frames.Hello());
        await stranger.Send(Frames.Of(Frames.Headers, 0, 1, Frames.Call(Path, key)));
        var more = Frames.Of(Frames.Continuation, 0, 1, Frames.Field("x", new string('x', 16_000)));
        for (var i = 0; i < 4_000 && await stranger.Send(more); i++)
        {
        }
    }

    /// <summary>Calls that are taken back as soon as they are made (CVE-2023-44487).</summary>
    private static async Task Resets(Uri address, string key)
    {
        using var stranger = await Stranger.Connect(address);
        await stranger.Send(Frames.Hello());
        for (var stream = 1u; stream < 20_000; stream += 2)
        {
            byte[] call = [.. Frames.Of(Frames.Headers, Frames.EndHeaders, stream, Frames.Call(Path, key)), .. Frames.Of(Frames.Reset, 0, stream, new byte[4])];
            if (!await stranger.Send(call))
            {
                return;
            }
        }
    }

    /// <summary>Questions whose answers are never read.</summary>
    private static async Task Pings(Uri address)
    {
        using var stranger = await Stranger.Connect(address);
        await stranger.Send(Frames.Hello());
        byte[] many = [.. Enumerable.Repeat(Frames.Of(Frames.Ping, 0, 0, new byte[8]), 1_000).SelectMany(p => p)];
        for (var i = 0; i < 500 && await stranger.Send(many); i++)
        {
        }
    }

    /// <summary>A message that says it has 4 GB, and as much of it as is taken, up to 64 MB.</summary>
    private static async Task Huge(Uri address, string key)
    {
        using var stranger = await Stranger.Connect(address);
        await stranger.Send(Frames.Hello());
        await stranger.Send(Frames.Of(Frames.Headers, Frames.EndHeaders, 1, Frames.Call(Path, key)));
        await stranger.Send(Frames.Of(Frames.Data, 0, 1, Frames.Message([], uint.MaxValue)));
        var more = Frames.Of(Frames.Data, 0, 1, new byte[16_384]);
        for (var i = 0; i < 4_000 && await stranger.Send(more); i++)
        {
        }
    }

    private static async Task EndlessLine(Uri address)
    {
        using var stranger = await Stranger.Connect(address);
        await stranger.Send("GET /"u8.ToArray());
        var more = new byte[65_536];
        Array.Fill(more, (byte)'a');
        for (var i = 0; i < 1_000 && await stranger.Send(more); i++)
        {
        }
    }

    /// <summary>A request line, then a byte of a header each second, for as long as it is let.</summary>
    private static async Task Drip(Uri address, CancellationToken over)
    {
        using var stranger = await Stranger.Connect(address);
        await stranger.Send("POST /v1/agencies HTTP/1.1\r\nhost: x\r\nx: "u8.ToArray());
        try
        {
            while (await stranger.Send("a"u8.ToArray()))
            {
                await Task.Delay(s_drip, TimeProvider.System, over);
            }
        }
        catch (OperationCanceledException)
        {
            // It is over.
        }
    }

    /// <summary>Well-formed HTTP around what is no request of the API: what is answered blames the caller.</summary>
    private static async Task Malformed(Scene scene, Uri grpc, Uri http, string key)
    {
        using var calls = new RawCalls(grpc, http, key);
        var random = new byte[1_000];
        Random.Shared.NextBytes(random);
        byte[] deep = [.. Enumerable.Repeat<byte[]>([0x0a, 0x7f], 10_000).SelectMany(b => b)];
        foreach (var message in new[] { Frames.Message(random), Frames.Message(deep), Frames.Message(random, says: 10), Frames.Message([], says: 5 * 1024 * 1024), random, [] })
        {
            Blames(scene, await calls.Grpc(Path, message), string.Create(CultureInfo.InvariantCulture, $"a gRPC message of {message.Length} bytes"));
        }

        foreach (var json in new[] { new string('[', 100_000), "{\"displayName\":\"" + new string('x', 5 * 1024 * 1024) + "\"}", "{\"displayName\":", "\0\0\0\0", "nonsense" })
        {
            Blames(scene, await calls.Json(HttpMethod.Post, "v1/agencies/hostile/clientCompanies", json), string.Create(CultureInfo.InvariantCulture, $"JSON of {json.Length} letters"));
        }
    }

    /// <summary>No success, nothing that asks for a repeat, no error of the server's own.</summary>
    private static void Blames(Scene scene, string? answer, string what)
    {
        if (answer is "gRPC 0" or "gRPC 2" or "gRPC 13" or "gRPC 14" or "HTTP 200" || answer?.StartsWith("HTTP 5", StringComparison.Ordinal) is true)
        {
            scene.Wrong($"{what} was answered {answer}");
        }
    }
}
