using System.Data.Common;
using AgencyPlatform.Storage.Engines;
using AgencyPlatform.Storage.Maintenance;
using AgencyPlatform.Storage.ReadModels;
using Microsoft.Extensions.Hosting;

namespace AgencyPlatform.Storage.Schema;

/// <summary>Creates and migrates the database, before anything of the host starts.</summary>
internal sealed class StorageSchema(Database database, StorageOptions options, TimeProvider clock) : IHostedLifecycleService
{
    /// <summary>Brings the database to this program's version, or refuses it.</summary>
    /// <param name="adopting">It may be a copy that is about to be adopted.</param>
    /// <exception cref="SchemaException">The database is of a newer version that this program may not run on, or cannot be used.</exception>
    public async Task Ensure(CancellationToken cancellation = default, bool adopting = false)
    {
        try
        {
            // Before anything is written to it.
            if (!adopting && await database.IsCopy(cancellation))
            {
                throw new SchemaException(
                    "This database is a backup. Restore it to another place with `restore --from FILE`, or make it the one that is served from now on with `restore --adopt`.");
            }

            await database.Exclusively(async () =>
            {
                var fill = new List<RowTable>();
                await database.Write(async connection =>
                {
                    await MigrateTo(connection, cancellation);
                    fill = await CreateReadModels(connection, cancellation);
                }, lockJournal: false, cancellation);
                if (fill.Count > 0)
                {
                    await new ReadModelRebuild(database).Run(fill, deadlines: false, null, cancellation);
                }
            }, cancellation);
        }
        catch (Exception e) when (database.IsTrouble(e))
        {
            throw new SchemaException($"The database cannot be prepared: {database.Describe(e)}");
        }
    }

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        await Ensure(cancellationToken);
        if (options.RequireRowSecurity && await database.BypassesRowSecurity(cancellationToken))
        {
            throw new SchemaException(
                "The database user is not bound by row-level security, as a superuser or the owner of the tables is not: connect as the application's role (deploy/postgresql/roles.sql).");
        }
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        StorageTelemetry.Begin();
        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task MigrateTo(DbConnection connection, CancellationToken cancellation)
    {
        var version = 0;
        if (await database.TableExists(connection, "schema_info", cancellation))
        {
            var row = (await database.Query(connection, "SELECT version, oldest_program FROM schema_info", new SqlArguments(), r => (Version: r.GetInt64(0), Oldest: r.GetInt64(1)), cancellation)).Single();
            if (row.Oldest > Migrations.Current)
            {
                throw new SchemaException(
                    $"The database is of version {row.Version}, which needs a program that knows at least version {row.Oldest}; this program knows version {Migrations.Current}: run a newer release.");
            }

            version = checked((int)row.Version);
        }
        else
        {
            await database.Execute(
                connection,
                $"CREATE TABLE schema_info (id {database.TypeOf(StoredKind.Long)} NOT NULL PRIMARY KEY CHECK (id = 1), version {database.TypeOf(StoredKind.Long)} NOT NULL, " +
                $"oldest_program {database.TypeOf(StoredKind.Long)} NOT NULL, epoch {database.TypeOf(StoredKind.Uuid)} NOT NULL)",
                new SqlArguments(),
                cancellation);
            await database.Execute(
                connection,
                "INSERT INTO schema_info (id, version, oldest_program, epoch) VALUES (1, 0, 0, $1)",
                new SqlArguments(Guid.CreateVersion7(clock.GetUtcNow())),
                cancellation);
        }

        foreach (var migration in Migrations.All.Where(m => m.Version > version))
        {
            foreach (var statement in migration.Statements(database))
            {
                await database.Execute(connection, statement, new SqlArguments(), cancellation);
            }

            await database.Execute(
                connection,
                "UPDATE schema_info SET version = $1, oldest_program = $2",
                new SqlArguments((long)migration.Version, (long)migration.OldestProgram),
                cancellation);
        }
    }

    /// <summary>
    /// Creates the read-model tables that are missing or defined otherwise; returns those that must be filled from the journal.
    /// A table that has all columns of this program's and more is a newer program's, and is left as it is.
    /// </summary>
    private async Task<List<RowTable>> CreateReadModels(DbConnection connection, CancellationToken cancellation)
    {
        var known = (await database.Query(connection, "SELECT name, definition FROM read_models", new SqlArguments(), r => (Name: r.GetString(0), Definition: r.GetString(1)), cancellation))
            .ToDictionary(r => r.Name, r => r.Definition);
        bool? anyEvent = null;
        var fill = new List<RowTable>();
        foreach (var table in database.Tables.All)
        {
            if (known.TryGetValue(table.Name, out var definition) && (definition == table.Definition || table.IsPartOf(definition)))
            {
                continue;
            }

            anyEvent ??= (await database.Query(connection, "SELECT 1 FROM heads LIMIT 1", new SqlArguments(), _ => 1, cancellation)).Count > 0;
            if (anyEvent is true || definition is not null)
            {
                fill.Add(table);
            }
            else
            {
                await ReadModelRebuild.Create(database, connection, table, cancellation);
            }
        }

        return fill;
    }
}
