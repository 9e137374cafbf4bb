using AgencyPlatform.Storage.Engines;
using AgencyPlatform.Storage.Schema;
using AgencyPlatform.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace AgencyPlatform.Storage.Tests;

/// <summary>A database that a newer program has migrated. The same on each engine.</summary>
public abstract class Schema_of_another_version
{
    protected abstract Task<StorageOptions> NewDatabase();

    [EngineFact]
    public async Task One_that_needs_a_newer_program_is_refused_with_a_sentence_and_left_as_it_is()
    {
        var options = await NewDatabase();
        await Set(options, Migrations.Current + 9, Migrations.Current + 8);

        var refused = await Assert.ThrowsAsync<SchemaException>(() => Started(options, _ => Task.CompletedTask));

        Assert.Equal(
            $"The database is of version {Migrations.Current + 9}, which needs a program that knows at least version {Migrations.Current + 8}; " +
            $"this program knows version {Migrations.Current}: run a newer release.",
            refused.Message);
        await Set(options, Migrations.Current, 1, was: Migrations.Current + 9);
        await Started(options, _ => Task.CompletedTask);
    }

    [EngineFact]
    public async Task One_that_this_program_may_still_run_on_is_served_and_keeps_its_version()
    {
        var options = await NewDatabase();
        await Set(options, Migrations.Current + 1, Migrations.Current);

        await Started(options, async database => Assert.Equal(Migrations.Current + 1L, await Version(database)));
    }

    private static async Task Set(StorageOptions options, int version, int oldest, long? was = null)
    {
        if (was is null)
        {
            await Started(options, database => Change(database));
            return;
        }

        // Nothing of the host runs on it: only its connections.
        await using var services = Services(options).BuildServiceProvider();
        var database = services.GetRequiredService<Database>();
        Assert.Equal(was.Value, await Version(database));
        await Change(database);

        Task Change(Database database) => database.Write(
            connection => database.Execute(connection, "UPDATE schema_info SET version = $1, oldest_program = $2", new SqlArguments((long)version, (long)oldest)),
            lockJournal: true,
            CancellationToken.None);
    }

    private static async Task<long> Version(Database database) => (await database.Query("SELECT version FROM schema_info", new SqlArguments(), r => r.GetInt64(0))).Single();

    private static ServiceCollection Services(StorageOptions options)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddAgencyPlatformStorage(options);
        return services;
    }

    private static async Task Started(StorageOptions options, Func<Database, Task> use)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Services.AddAgencyPlatformStorage(options);
        var host = builder.Build();
        try
        {
            await host.StartAsync();
            await use(host.Services.GetRequiredService<Database>());
            await host.StopAsync();
        }
        finally
        {
            await ((IAsyncDisposable)host).DisposeAsync();
        }
    }
}

public sealed class Schema_of_another_version_on_SQLite : Schema_of_another_version, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("agencyplatform-schema").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    protected override Task<StorageOptions> NewDatabase() =>
        Task.FromResult(new StorageOptions { Provider = StorageProvider.Sqlite, ConnectionString = $"Data Source={Path.Combine(_folder, "test.db")}" });
}

[NeedsPostgres]
public sealed class Schema_of_another_version_on_PostgreSQL : Schema_of_another_version
{
    protected override async Task<StorageOptions> NewDatabase() =>
        new() { Provider = StorageProvider.Postgres, ConnectionString = await PostgresServer.NewDatabase() };
}
