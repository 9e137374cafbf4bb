using System.Globalization;
using AgencyPlatform.Faults.Hostility;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Events.V1;
using Google.Protobuf;

namespace AgencyPlatform.Faults;

/// <summary>A client that asks for much and reads nothing.</summary>
internal sealed class ReaderStops : HostileFault
{
    private const int Events = 1_000;
    private const int Connections = 20;
    private const uint Calls = 200;
    private const string Path = "/agencyplatform.events.v1.EventsService/ListEvents";
    private static readonly TimeSpan s_stands = TimeSpan.FromSeconds(20);

    public override string Name => "reader-stops";

    public override string What => "Beside the load, 20 connections each send 200 calls for a page of 1,000 events, give no room for a reply (an HTTP/2 window of 0) and read nothing, for twenty seconds. Memory stays within 512 MB of what it was.";

    public override TimeSpan Bound => TimeSpan.FromSeconds(5);

    protected override async Task Attack(Scene scene, Member gateway)
    {
        var agency = await OwnAgency.Make(scene.Cluster, "reader");
        using (var client = agency.Client(scene.Cluster.Addresses.First()))
        {
            await Parallel.ForAsync(0, Events, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) => await client.Clients.CreateClientCompanyAsync(new CreateClientCompanyRequest
            {
                Parent = agency.Name,
                ClientCompanyId = string.Create(CultureInfo.InvariantCulture, $"client-{i}"),
                ClientCompany = new ClientCompany { DisplayName = "A name that is not short, so that a page of them is no small thing to keep", TimeZone = "America/New_York" },
            }));
            var page = await client.Events.ListEventsAsync(new ListEventsRequest { Parent = agency.Name, PageSize = 1000 });
            scene.Note(string.Create(CultureInfo.InvariantCulture, $"a page has {page.Events.Count} events and {page.CalculateSize():N0} bytes; {Connections * Calls} are asked for"));
        }

        var message = Frames.Message(new ListEventsRequest { Parent = agency.Name, PageSize = 1000 }.ToByteArray());
        var readers = new List<Stranger>();
        for (var i = 0; i < Connections; i++)
        {
            var reader = await Stranger.Connect(gateway.Grpc!);
            readers.Add(reader);
            await reader.Send(Frames.Hello(window: 0));
            for (var call = 0u; call < Calls; call++)
            {
                var stream = 2 * call + 1;
                byte[] frames = [.. Frames.Of(Frames.Headers, Frames.EndHeaders, stream, Frames.Call(Path, agency.Key)), .. Frames.Of(Frames.Data, Frames.EndStream, stream, message)];
                if (!await reader.Send(frames))
                {
                    break;
                }
            }
        }

        await Task.Delay(s_stands, TimeProvider.System);
        readers.ForEach(r => r.Dispose());
    }
}
