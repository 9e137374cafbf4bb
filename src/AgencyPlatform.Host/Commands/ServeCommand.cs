using System.Net.Sockets;
using AgencyPlatform.Gateway;
using AgencyPlatform.Host.Configuration;
using AgencyPlatform.Host.Demo;
using AgencyPlatform.Storage;

namespace AgencyPlatform.Host.Commands;

/// <summary>Starts the host, says where it answers, and serves until it is stopped.</summary>
internal static class ServeCommand
{
    public static async Task<int> Run(IReadOnlyDictionary<string, string?> overrides, string? environment, CancellationToken cancellation)
    {
        await using var app = PlatformHost.Build(overrides, environment);
        using var sole = Claim(app);
        await Start(app, cancellation);
        Welcome(app);
        await app.WaitForShutdownAsync(cancellation);
        return app.Services.GetService<ClockGuard>() is { RanBack: true } ? 1 : 0;
    }

    /// <summary>The demo lives through its time in a server that can be killed, where it is to be, and ends in this process.</summary>
    public static async Task<int> RunDemo(IReadOnlyDictionary<string, string?> overrides, string? environment, DemoOptions options, CancellationToken cancellation)
    {
        environment ??= "Development";
        DemoRun? run = null;
        if (options.Kills > 0)
        {
            await using var server = await DemoServer.Start(overrides, environment, cancellation);
            run = await DemoRun.Live((server.Grpc, server.Http), server.Kill, options, cancellation);
            overrides = await server.Stop(cancellation);
        }

        await using var app = PlatformHost.Build(overrides, environment);
        using var sole = Claim(app);
        await Start(app, cancellation);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellation, app.Lifetime.ApplicationStopping);
        run ??= await DemoRun.Live(app.Addresses(), null, options, stopping.Token);
        using (run)
        {
            var passed = await run.End(app.Addresses().Http, app.Services.GetRequiredService<IJournalMaintenance>());
            if (!options.Exit)
            {
                Welcome(app);
                await app.WaitForShutdownAsync(cancellation);
            }

            await app.StopAsync(CancellationToken.None);
            return passed ? 0 : 1;
        }
    }

    /// <summary>
    /// Takes what one host alone may have: the two ports, which would otherwise be missed only after the grains have started, and the embedded database.
    /// </summary>
    /// <exception cref="HostInUseException">Another process has one of them.</exception>
    private static IDisposable? Claim(WebApplication app)
    {
        var settings = app.Services.GetRequiredService<HostSettings>();
        (int Port, string Option)[] ports = settings.Role == HostRole.Silo ? [(settings.HttpPort, "--http-port")] : [(settings.GrpcPort, "--grpc-port"), (settings.HttpPort, "--http-port")];
        foreach (var (port, option) in ports)
        {
            try
            {
                using var probe = new TcpListener(settings.Address, port);
                probe.Start();
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                throw new HostInUseException($"Another process has port {port} of {settings.Address}: stop it, or choose another with {option}.");
            }
            catch (SocketException e)
            {
                throw new HostInUseException($"Port {port} of {settings.Address} cannot be opened: {e.Message}. Choose another with {option}, or another Listen:Address.");
            }
        }

        return DatabaseLock.Take(settings.Storage);
    }

    /// <summary>The database first: one that cannot be used is refused in a sentence, before the host logs that it did not start.</summary>
    private static async Task Start(WebApplication app, CancellationToken cancellation)
    {
        await app.Services.GetRequiredService<IJournalMaintenance>().EnsureSchema(cancellation);
        await app.StartAsync(cancellation);
    }

    /// <summary>Where the data is, as it was set; nothing secret.</summary>
    internal static string Place(StorageOptions storage) =>
        storage.Provider == StorageProvider.Sqlite
            ? $" in {Path.GetFullPath(new Microsoft.Data.Sqlite.SqliteConnectionStringBuilder(storage.ConnectionString).DataSource)}"
            : new Npgsql.NpgsqlConnectionStringBuilder(storage.ConnectionString) is var postgres ? $" {postgres.Database} at {postgres.Host}" : "";

    private static void Welcome(WebApplication app)
    {
        var (grpc, http) = app.Addresses();
        var settings = app.Services.GetRequiredService<HostSettings>();
        if (settings.Role == HostRole.Silo)
        {
            Console.WriteLine(
                $"""
                AgencyPlatform hosts grains ({app.Environment.EnvironmentName}; {settings.Storage.Provider}{Place(settings.Storage)}; cluster {settings.ClusterId})
                  silo                        {app.Services.GetRequiredService<ILocalSiloDetails>().SiloAddress.Endpoint}
                  health · metrics            {http}health · {http}metrics

                Ctrl+C stops it.
                """);
            return;
        }

        Console.WriteLine(
            $"""
            AgencyPlatform serves ({app.Environment.EnvironmentName}; {settings.Storage.Provider}{Place(settings.Storage)})
              gRPC (HTTP/2, reflection)   {grpc.Authority}
              dashboard                   {http}
              JSON, gRPC-Web              {http}
              API page                    {http}docs
              health · metrics            {http}health · {http}metrics
            """);
        if (settings.IsDevelopment)
        {
            Console.WriteLine(
                $$"""

                Ready to paste (a development key of the platform's operator; refused outside Development):
                  curl -s {{http}}v1/agencies -H 'authorization: Bearer {{GatewayOptions.DevelopmentOperatorKey}}'
                  buf curl --http2-prior-knowledge --protocol grpc -H 'authorization: Bearer {{GatewayOptions.DevelopmentOperatorKey}}' -d '{}' http://{{grpc.Authority}}/agencyplatform.agencies.v1.AgenciesService/ListAgencies
                """);
        }

        Console.WriteLine();
        Console.WriteLine("Ctrl+C stops it.");
    }
}
