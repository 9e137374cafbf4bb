using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Storage.Engines;
using AgencyPlatform.Testing;
using Npgsql;

namespace AgencyPlatform.Storage.Tests;

/// <summary>A session keeps what its database said when it began: one that was refused is not used again.</summary>
[NeedsPostgres]
public sealed class A_PostgreSQL_that_was_read_only : JournalTest
{
    private PostgresTestDatabase Postgres => (PostgresTestDatabase)Engine;

    [EngineFact]
    public async Task Takes_appends_again_as_soon_as_it_may()
    {
        Assert.IsType<AppendResult.Appended>(await Journal.Append(Create("c1")));
        var database = new NpgsqlConnectionStringBuilder(Postgres.Roles.Superuser).Database;

        // The session of the writer is begun anew while the database is read-only, and again after it is not.
        await Engine.Execute($"ALTER DATABASE \"{database}\" SET default_transaction_read_only = on");
        await Engine.Execute($"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}' AND pid <> pg_backend_pid()");
        Assert.IsType<AppendResult.Unavailable>(await Journal.Append(Create("c2")));
        await Engine.Execute($"SET default_transaction_read_only = off; ALTER DATABASE \"{database}\" RESET default_transaction_read_only");

        Assert.IsType<AppendResult.Appended>(await Journal.Append(Create("c3")));
    }

    protected override async Task<EngineDatabase> NewDatabase() => await PostgresTestDatabase.New();
}
