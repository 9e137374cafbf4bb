using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace AgencyPlatform.Storage.Snapshots;

public static class SnapshotRegistration
{
    /// <summary>
    /// Adds Orleans' AdoNet grain storage under a name, in the database that <see cref="StorageServices.AddAgencyPlatformStorage"/> was given: on
    /// SQLite in a file beside the journal, on PostgreSQL in tables of the same database.
    /// </summary>
    public static ISiloBuilder AddAgencyPlatformSnapshots(this ISiloBuilder silo, string name) =>
        silo.AddAdoNetGrainStorage(name, (OptionsBuilder<AdoNetGrainStorageOptions> options) =>
            options.Configure<SnapshotStore, ILogger<SnapshotJson>>((o, store, log) =>
            {
                o.Invariant = store.Invariant;
                o.DataSource = store.Source;
                o.GrainStorageSerializer = new SnapshotJson(log);
            }));
}
