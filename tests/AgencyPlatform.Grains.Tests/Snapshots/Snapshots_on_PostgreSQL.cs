using AgencyPlatform.Storage;
using AgencyPlatform.Testing;

namespace AgencyPlatform.Grains.Tests.Snapshots;

/// <summary>Snapshots in tables of the journal's own database.</summary>
[NeedsPostgres]
public sealed class Snapshots_on_PostgreSQL : Snapshots_cost_time_never_truth
{
    protected override async Task<StorageOptions> NewDatabase() =>
        new() { Provider = StorageProvider.Postgres, ConnectionString = await PostgresServer.NewDatabase() };
}
