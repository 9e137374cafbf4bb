using AgencyPlatform.Host.Commands;

namespace AgencyPlatform.Benchmarks.Servers;

/// <summary>The platform's roles and tables in a cluster, as an operator makes them.</summary>
internal static class PlatformTables
{
    public static async Task Create(PostgresCluster cluster, CancellationToken cancellation)
    {
        await cluster.Execute(await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "roles.sql"), cancellation), cancellation);
        if (await HostCommands.Run(["migrate", "--set", "Storage:Provider=Postgres", "--set", $"Storage:ConnectionString={cluster.OwnerConnectionString}"]) != 0)
        {
            throw new BenchmarkException("The tables cannot be made: see the messages above.");
        }
    }
}
