using AgencyPlatform.Gateway;
using AgencyPlatform.Host.Configuration;
using AgencyPlatform.Host.Demo;

namespace AgencyPlatform.Host.Commands;

/// <summary>Starts the host, says where it answers, and serves until it is stopped.</summary>
internal static class ServeCommand
{
    public static async Task<int> Run(IReadOnlyDictionary<string, string?> overrides, string? environment, CancellationToken cancellation)
    {
        await using var app = PlatformHost.Build(overrides, environment);
        await app.StartAsync(cancellation);
        Welcome(app);
        await app.WaitForShutdownAsync(cancellation);
        return 0;
    }

    public static async Task<int> RunDemo(IReadOnlyDictionary<string, string?> overrides, string? environment, DemoOptions options, CancellationToken cancellation)
    {
        await using var app = PlatformHost.Build(overrides, environment ?? "Development");
        await app.StartAsync(cancellation);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellation, app.Lifetime.ApplicationStopping);
        var passed = await DemoRun.Run(app.Addresses(), app.Services, options, stopping.Token);
        if (!options.Exit)
        {
            Welcome(app);
            await app.WaitForShutdownAsync(cancellation);
        }

        await app.StopAsync(CancellationToken.None);
        return passed ? 0 : 1;
    }

    private static void Welcome(WebApplication app)
    {
        var (grpc, http) = app.Addresses();
        var settings = app.Services.GetRequiredService<HostSettings>();
        Console.WriteLine(
            $"""
            AgencyPlatform serves ({app.Environment.EnvironmentName}; {settings.Storage.Provider}{(settings.Storage.Provider == Storage.StorageProvider.Sqlite ? $" in {settings.DataDirectory}" : "")})
              gRPC (HTTP/2, reflection)   {grpc.Authority}
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
