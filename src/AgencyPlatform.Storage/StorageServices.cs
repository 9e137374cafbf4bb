using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Storage.Engines;
using AgencyPlatform.Storage.Journal;
using AgencyPlatform.Storage.Maintenance;
using AgencyPlatform.Storage.Membership;
using AgencyPlatform.Storage.ReadModels;
using AgencyPlatform.Storage.Schema;
using AgencyPlatform.Storage.Snapshots;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace AgencyPlatform.Storage;

/// <summary>Composition of the storage.</summary>
public static class StorageServices
{
    /// <summary>The key of the product's clock among the services; the system's is used when there is none.</summary>
    public const string ProductClock = "product";

    /// <summary>
    /// Registers <see cref="IJournal"/>, <see cref="IReadModels"/>, <see cref="IPeopleVault"/>, <see cref="IDeadlines"/> and
    /// <see cref="IJournalMaintenance"/>. The database is created and migrated before any service of the host starts.
    /// </summary>
    /// <param name="rows">The read-model row types; every [RowTable] of the domain when null.</param>
    public static IServiceCollection AddAgencyPlatformStorage(this IServiceCollection services, StorageOptions options, IEnumerable<Type>? rows = null)
    {
        services.AddSingleton(options);
        services.AddSingleton(_ => new RowTables(rows ?? RowTables.OfDomain));
        services.AddSingleton<Database>(sp => options.Provider switch
        {
            StorageProvider.Sqlite => new SqliteDatabase(options, sp.GetRequiredService<RowTables>()),
            _ => new PostgresDatabase(options, sp.GetRequiredService<RowTables>()),
        });
        services.AddSingleton<FeedSignal>();
        services.AddSingleton(sp => new JournalWriter(sp.GetRequiredService<Database>(), options, Clock(sp), sp.GetRequiredService<FeedSignal>(), sp.GetRequiredService<ILogger<JournalWriter>>()));
        services.AddSingleton<FenceReader>();
        services.AddSingleton<IJournal, EventJournal>();
        services.AddSingleton<IReadModels, ReadModelStore>();
        services.AddSingleton<IDeadlines, DeadlineStore>();
        services.AddSingleton<IPeopleVault, PeopleVault>();
        services.AddSingleton<IJournalMaintenance, JournalMaintenance>();
        services.AddSingleton<IDatabaseDoctor, DatabaseDoctor>();
        services.AddSingleton(sp => new StorageSchema(sp.GetRequiredService<Database>(), options, Clock(sp)));
        services.AddSingleton<IHostedService>(sp => sp.GetRequiredService<StorageSchema>());
        services.AddSingleton<SnapshotStore>(sp => options.Provider switch
        {
            StorageProvider.Sqlite => new SqliteSnapshots(options, sp.GetRequiredService<ILogger<SqliteSnapshots>>()),
            _ => new PostgresSnapshots(sp.GetRequiredService<Database>()),
        });
        services.AddSingleton<IHostedService>(sp => sp.GetRequiredService<SnapshotStore>());
        if (options.Provider == StorageProvider.Postgres)
        {
            services.AddSingleton<MembershipStore>();
            services.AddSingleton<IHostedService>(sp => sp.GetRequiredService<MembershipStore>());
        }

        return services;
    }

    private static TimeProvider Clock(IServiceProvider services) => services.GetKeyedService<TimeProvider>(ProductClock) ?? TimeProvider.System;
}
