using AgencyPlatform.Client;
using AgencyPlatform.Testing;
using Grpc.Health.V1;
using Grpc.Net.Client;

namespace AgencyPlatform.Host.Tests;

/// <summary>Processes of a cluster that find nobody, or nobody any more.</summary>
[NeedsPostgres]
public sealed class AloneFacts
{
    [EngineFact]
    public async Task One_process_that_was_killed_serves_again_on_other_ports()
    {
        using var folder = new TempFolder();
        var storage = await LoopbackCluster.NewStorage();
        string key;
        using (var host = await HostProcess.Serve(folder.Path, null, false, storage))
        {
            key = await HostFacts.Prepare(host);
            await host.Kill();
        }

        using var again = await HostProcess.Serve(folder.Path, null, false, storage);
        using var platform = new AgencyPlatformClient(new() { Address = again.Grpc, ApiKey = key });
        await HostFacts.Book(platform, (Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString(), "agencies/acme/cmos/cmo-0"));
    }

    [EngineFact]
    public async Task A_gateway_that_finds_no_silo_says_so_and_ends()
    {
        var storage = await LoopbackCluster.NewStorage();

        var (code, _, error) = await HostProcess.Run(
            ["--environment", "Development", "--role", "gateway", "--grpc-port", "0", "--http-port", "0", "--set", "Cluster:ConnectSeconds=1", .. storage]);

        Assert.Equal(1, code);
        Assert.Contains("No silo of the cluster agencyplatform could be reached in 1 s", error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    [EngineFact]
    public async Task A_gateway_whose_silos_are_all_gone_says_so_and_serves_again_with_the_next()
    {
        using var folder = new TempFolder();
        var storage = await LoopbackCluster.NewStorage();
        using var silo = await HostProcess.Serve(folder.Path, null, false, ["--role", "silo", .. storage]);
        using var gateway = await HostProcess.Serve(folder.Path, null, false, ["--role", "gateway", .. storage]);
        using var channel = GrpcChannel.ForAddress(gateway.Grpc);
        var health = new Health.HealthClient(channel);
        async Task Says(HealthCheckResponse.Types.ServingStatus status)
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(90));
            using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
            while ((await health.CheckAsync(new HealthCheckRequest(), cancellationToken: patience.Token)).Status != status)
            {
                await pace.WaitForNextTickAsync(patience.Token);
            }
        }

        await Says(HealthCheckResponse.Types.ServingStatus.Serving);
        await silo.Kill();
        await Says(HealthCheckResponse.Types.ServingStatus.NotServing);
        using var next = await HostProcess.Serve(folder.Path, null, false, ["--role", "silo", .. storage]);
        await Says(HealthCheckResponse.Types.ServingStatus.Serving);
    }
}
