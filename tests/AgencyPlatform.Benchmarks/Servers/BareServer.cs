using System.Net.Sockets;
using System.Net;
using AgencyPlatform.Benchmarks.Protocol;
using AgencyPlatform.Protocol.Events.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Orleans.Concurrency;
using Orleans.Configuration;
using V1 = AgencyPlatform.Protocol.Capacity.V1;

namespace AgencyPlatform.Benchmarks.Servers;

/// <summary>
/// The server that the platform is measured against: the same Kestrel, gRPC and Orleans, and nothing of the platform. It also takes the
/// platform's traces and logs and drops them, so that exporting them costs what it costs.
/// </summary>
internal static class BareServer
{
    public static async Task<int> Run(CancellationToken cancellation)
    {
        var builder = Builder();
        builder.Services.AddGrpc();
        builder.Services.AddSingleton<KeptMessages>();
        builder.Host.UseOrleans(silo =>
        {
            silo.UseLocalhostClustering(FreePort(), gatewayPort: 0, primarySiloEndpoint: null, serviceId: "floor", clusterId: "floor");
            silo.Configure<EndpointOptions>(endpoint => endpoint.AdvertisedIPAddress = IPAddress.Loopback);
        });
        await using var app = builder.Build();
        app.MapGrpcService<FloorGateway>();
        app.MapPost("/opentelemetry.proto.collector.{service}/Export", DropTelemetry);
        await Serve(app, cancellation);
        return 0;
    }

    /// <summary>Kestrel on a free loopback port, HTTP/2 only.</summary>
    public static WebApplicationBuilder Builder()
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory, EnvironmentName = "Production" });
        builder.Logging.SetMinimumLevel(LogLevel.Error);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
        });
        return builder;
    }

    /// <summary>Serves until it is stopped, and says where as the platform does.</summary>
    public static async Task Serve(WebApplication app, CancellationToken cancellation)
    {
        await app.StartAsync(cancellation);
        Console.WriteLine($"gRPC (HTTP/2, reflection)   {new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Authority}");
        Console.WriteLine("Ctrl+C stops it.");
        await app.WaitForShutdownAsync(cancellation);
    }

    private static async Task DropTelemetry(HttpContext http)
    {
        await http.Request.Body.CopyToAsync(Stream.Null, http.RequestAborted);
        http.Response.ContentType = "application/grpc";
        http.Response.DeclareTrailer("grpc-status");
        await http.Response.Body.WriteAsync(new byte[5], http.RequestAborted);
        http.Response.AppendTrailer("grpc-status", "0");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

/// <summary>What is broadcast.</summary>
internal sealed class KeptMessages
{
    public IReadOnlyList<WatchResponse> All { get; set; } = [];
}

internal sealed class FloorGateway(IGrainFactory grains, KeptMessages kept) : FloorService.FloorServiceBase
{
    public override Task<V1.Booking> Echo(V1.BookRequest request, ServerCallContext context) => Task.FromResult(Answer(request));

    public override async Task<V1.Booking> Grain(V1.BookRequest request, ServerCallContext context)
    {
        var answer = await grains.GetGrain<IFloorGrain>(request.Parent).Book(new FloorBook(request.Parent, request.BookingId, request.Booking.ClientCompany, request.RequestId));
        var booking = Answer(request);
        booking.Name = answer.Name;
        return booking;
    }

    public override async Task<Empty> Keep(IAsyncStreamReader<WatchResponse> requestStream, ServerCallContext context)
    {
        var messages = new List<WatchResponse>();
        await foreach (var message in requestStream.ReadAllAsync(context.CancellationToken))
        {
            messages.Add(message);
        }

        kept.All = messages;
        return new Empty();
    }

    public override async Task Broadcast(Empty request, IServerStreamWriter<WatchResponse> responseStream, ServerCallContext context)
    {
        for (var messages = kept.All; !context.CancellationToken.IsCancellationRequested;)
        {
            foreach (var message in messages)
            {
                await responseStream.WriteAsync(message, context.CancellationToken);
            }
        }
    }

    private static V1.Booking Answer(V1.BookRequest request)
    {
        var booking = request.Booking;
        booking.Name = request.BookingId;
        booking.State = V1.Booking.Types.State.Confirmed;
        return booking;
    }
}

[GenerateSerializer, Immutable, Alias("benchmarks.floor-book")]
public sealed record FloorBook([property: Id(0)] string Parent, [property: Id(1)] string Id, [property: Id(2)] string Client, [property: Id(3)] string Request);

[GenerateSerializer, Immutable, Alias("benchmarks.floor-booked")]
public sealed record FloorBooked([property: Id(0)] string Name, [property: Id(1)] long Version);

/// <summary>A grain with a comparable message and no storage.</summary>
[Alias("IFloorGrain")]
public interface IFloorGrain : IGrainWithStringKey
{
    [Alias("Book")]
    Task<FloorBooked> Book(FloorBook command);
}

[Reentrant]
public sealed class FloorGrain : Grain, IFloorGrain
{
    private long _version;

    public Task<FloorBooked> Book(FloorBook command) => Task.FromResult(new FloorBooked(command.Id, ++_version));
}
