using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Storage.Engines;
using AgencyPlatform.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace AgencyPlatform.Storage.Tests;

/// <summary>How many of the server's sessions a process takes when very much is read at once, as after its start.</summary>
[NeedsPostgres]
public sealed class Sessions_on_PostgreSQL : JournalTest
{
    private const int AtOnce = 400;

    private PostgresTestDatabase Postgres => (PostgresTestDatabase)Engine;

    [EngineFact]
    public async Task However_many_aggregates_are_read_at_once_no_more_sessions_are_opened_than_there_are_readers()
    {
        await Append(AtOnce);
        var before = Postgres.Connections;

        await ReadAll(Journal);

        Assert.InRange(Postgres.Connections - before, 1, PostgresDatabase.Readers);
    }

    [EngineFact]
    public async Task The_connection_string_says_how_many_readers_there_are()
    {
        await Append(AtOnce);
        var host = Build(Engine.Options with { ConnectionString = Engine.Options.ConnectionString + ";Maximum Pool Size=3" });
        await host.StartAsync();
        var before = Postgres.Connections;

        await ReadAll(host.Services.GetRequiredService<IJournal>());

        Assert.InRange(Postgres.Connections - before, 1, 3);
        await host.StopAsync();
        await ((IAsyncDisposable)host).DisposeAsync();
    }

    [EngineFact]
    public async Task Where_the_server_has_no_session_for_every_reader_those_that_have_one_read_it_all()
    {
        await Append(AtOnce);
        var database = new NpgsqlConnectionStringBuilder(Postgres.Roles.Superuser).Database;
        var taken = await Postgres.Roles.Count("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename <> current_user");
        await Engine.Execute($"ALTER DATABASE \"{database}\" CONNECTION LIMIT {taken + 3}");

        await ReadAll(Journal);
    }

    [EngineFact]
    public async Task A_silo_can_say_that_it_lives_while_every_reader_is_busy()
    {
        var busy = await Task.WhenAll(Enumerable.Range(0, PostgresDatabase.Readers).Select(_ => Database.Source.OpenConnectionAsync().AsTask()));

        await using (var member = await Database.ClusterSource.OpenConnectionAsync())
        {
            Assert.Empty(await Database.Query(member, "SELECT 1 FROM OrleansStorage", new SqlArguments(), _ => 1));
        }

        foreach (var connection in busy)
        {
            await connection.DisposeAsync();
        }
    }

    protected override async Task<EngineDatabase> NewDatabase() => await PostgresTestDatabase.New();

    private async Task Append(int count) =>
        Assert.All(await Task.WhenAll(Enumerable.Range(0, count).Select(i => Journal.Append(Create($"c{i}")).AsTask())), result => Assert.IsType<AppendResult.Appended>(result));

    private static Task ReadAll(IJournal journal) => Task.WhenAll(Enumerable.Range(0, AtOnce).Select(async i =>
    {
        var events = 0;
        await foreach (var stored in journal.ReadStream(Key($"c{i}")))
        {
            Assert.Equal(Key($"c{i}"), stored.Key);
            events++;
        }

        Assert.Equal(1, events);
    }));
}
