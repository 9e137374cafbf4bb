using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Providers;
using Orleans.Serialization;
using Orleans.Storage;

namespace AgencyPlatform.Storage.Snapshots;

public static class SnapshotRegistration
{
    /// <summary>
    /// Adds Orleans' AdoNet grain storage under a name, in the database that <see cref="StorageServices.AddAgencyPlatformStorage"/> was given: on
    /// SQLite in a file beside the journal, on PostgreSQL in tables of the same database.
    /// </summary>
    public static ISiloBuilder AddAgencyPlatformSnapshots(this ISiloBuilder silo, string name) =>
        silo.AddStorage(name, services => new SnapshotJson(services.GetRequiredService<ILogger<SnapshotJson>>()));

    /// <summary>Adds the grain storage of who subscribes to which stream, in the same place: a silo that ends takes no subscription with it.</summary>
    public static ISiloBuilder AddAgencyPlatformSubscriptions(this ISiloBuilder silo) =>
        silo.AddStorage(ProviderConstants.DEFAULT_PUBSUB_PROVIDER_NAME, services => new OrleansGrainStorageSerializer(services.GetRequiredService<Serializer>()));

    private static ISiloBuilder AddStorage(this ISiloBuilder silo, string name, Func<IServiceProvider, IGrainStorageSerializer> serializer) =>
        silo.AddAdoNetGrainStorage(name, (OptionsBuilder<AdoNetGrainStorageOptions> options) =>
            options.Configure<SnapshotStore, IServiceProvider>((o, store, services) => (o.Invariant, o.DataSource, o.GrainStorageSerializer) = (store.Invariant, store.Source, serializer(services))));
}
