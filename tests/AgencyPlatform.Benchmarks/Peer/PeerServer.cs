using AgencyPlatform.Benchmarks.Servers;

namespace AgencyPlatform.Benchmarks.Peer;

/// <summary>
/// What a good engineer would write without the platform: ASP.NET Core gRPC and Npgsql, row locks, one transaction a call. It gives what the platform gives for
/// these two calls, and nothing of the rest: no hash chain, no deadlines, no row-level security, no competitor fence, no traces.
/// </summary>
internal static class PeerServer
{
    public static async Task<int> Run(string connectionString, int pool, PeerStyle style, CancellationToken cancellation)
    {
        var builder = BareServer.Builder();
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(TimeProvider.System).AddSingleton(new PeerStore(connectionString, pool, style)).AddSingleton<PeerKeys>().AddSingleton<PeerService>();
        await using var app = builder.Build();
        app.MapGrpcService<PeerService>();
        await BareServer.Serve(app, cancellation);
        return 0;
    }
}
