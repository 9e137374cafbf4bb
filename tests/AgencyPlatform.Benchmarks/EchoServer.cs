using AgencyPlatform.Benchmarks.Protocol;
using Grpc.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Orleans.Concurrency;

namespace AgencyPlatform.Benchmarks;

/// <summary>A grain that stores nothing: the ceiling of any durable grain call.</summary>
[Alias("IEchoGrain")]
public interface IEchoGrain : IGrainWithStringKey
{
    [Alias("Echo")]
    Task<string> Echo(string text);
}

[Reentrant]
internal sealed class EchoGrain : Grain, IEchoGrain
{
    public Task<string> Echo(string text) => Task.FromResult(text);
}

internal sealed class EchoEndpoint(IGrainFactory grains) : EchoService.EchoServiceBase
{
    public override Task<EchoResponse> Echo(EchoRequest request, ServerCallContext context) =>
        Task.FromResult(new EchoResponse { Text = request.Text });

    public override async Task<EchoResponse> EchoThroughGrain(EchoRequest request, ServerCallContext context) =>
        new() { Text = await grains.GetGrain<IEchoGrain>(request.Name).Echo(request.Text) };
}

/// <summary>The floor: a gRPC service on the same Kestrel and an Orleans silo, and nothing else.</summary>
internal static class EchoServer
{
    public static async Task Run(int port, int siloPort, int gatewayPort, CancellationToken cancellation)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenLocalhost(port, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Host.UseOrleans(silo => silo.UseLocalhostClustering(siloPort, gatewayPort));
        builder.Services.AddGrpc();
        var app = builder.Build();
        app.MapGrpcService<EchoEndpoint>();
        await app.RunAsync(cancellation);
    }
}
