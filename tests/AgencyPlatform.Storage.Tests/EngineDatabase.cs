using AgencyPlatform.Storage.Engines;
using AgencyPlatform.Storage.Journal;
using AgencyPlatform.Testing;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace AgencyPlatform.Storage.Tests;

/// <summary>When, in a commit, the connection is lost.</summary>
public enum Loss
{
    None,

    /// <summary>Nothing of the batch takes effect.</summary>
    BeforeCommit,

    /// <summary>The batch is stored, and the writer does not hear of it.</summary>
    AfterCommit,
}

/// <summary>An empty database of one engine, and what the tests do to it from outside.</summary>
public abstract class EngineDatabase : IAsyncDisposable
{
    /// <summary>What the serving program connects with.</summary>
    public abstract StorageOptions Options { get; }

    /// <summary>What migrations and maintenance connect with.</summary>
    public virtual StorageOptions Owner => Options;

    public abstract Task<int> Execute(string sql);

    /// <summary>Changes a text within the stored payload of the events with this sequence number.</summary>
    public abstract Task<int> Tamper(long sequence, string from, string to);

    public abstract ValueTask DisposeAsync();

    /// <summary>Called right before a batch is sent. <paramref name="place"/> varies where in it the connection is lost.</summary>
    internal abstract void Lose(Loss loss, int place);

    /// <summary>Called when the writer has heard that the batch is stored.</summary>
    internal abstract void Heard(Loss loss);
}

/// <summary>A file in a folder of its own.</summary>
public sealed class SqliteTestDatabase : EngineDatabase
{
    private readonly string _folder = Directory.CreateTempSubdirectory("agencyplatform-journal-").FullName;

    public override StorageOptions Options => new() { Provider = StorageProvider.Sqlite, ConnectionString = $"Data Source={Path.Combine(_folder, "test.db")}" };

    public override async Task<int> Execute(string sql)
    {
        await using var connection = new SqliteConnection(Options.ConnectionString);
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return await command.ExecuteNonQueryAsync();
    }

    public override Task<int> Tamper(long sequence, string from, string to) =>
        Execute($"UPDATE events SET payload = CAST(replace(CAST(payload AS TEXT), '{from}', '{to}') AS BLOB) WHERE sequence = {sequence}");

    public override ValueTask DisposeAsync()
    {
        SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    internal override void Lose(Loss loss, int place)
    {
        if (loss == Loss.BeforeCommit)
        {
            throw new IOException("The test has taken the file away.");
        }
    }

    internal override void Heard(Loss loss)
    {
        if (loss == Loss.AfterCommit)
        {
            throw new IOException("The test has taken the answer away.");
        }
    }
}

/// <summary>
/// A database with the roles of deploy/postgresql: the program under test is the application's role, bound by row-level security, and reaches the
/// server by a proxy that loses connections; migrations and maintenance are the owner's.
/// </summary>
public sealed class PostgresTestDatabase : EngineDatabase
{
    private readonly CuttingProxy _proxy;

    private PostgresTestDatabase(PostgresRoles roles, CuttingProxy proxy) => (Roles, _proxy) = (roles, proxy);

    public PostgresRoles Roles { get; }

    /// <summary>How many connections the program under test has opened so far.</summary>
    public int Connections => _proxy.Accepted;

    public override StorageOptions Options => new()
    {
        Provider = StorageProvider.Postgres,
        ConnectionString = new NpgsqlConnectionStringBuilder(Roles.Application) { Port = _proxy.Port }.ConnectionString,
    };

    public override StorageOptions Owner => new() { Provider = StorageProvider.Postgres, ConnectionString = Roles.Owner };

    public static async Task<PostgresTestDatabase> New() => new(await PostgresRoles.NewDatabase(), new CuttingProxy((await PostgresServer.Shared).Port));

    public override Task<int> Execute(string sql) => Roles.Execute(sql);

    public override Task<int> Tamper(long sequence, string from, string to) =>
        Execute($"UPDATE events SET payload = convert_to(replace(convert_from(payload, 'UTF8'), '{from}', '{to}'), 'UTF8') WHERE sequence = {sequence}");

    /// <summary>A connection of the application's role, past the program.</summary>
    public async Task<NpgsqlConnection> Application()
    {
        var connection = new NpgsqlConnection(Options.ConnectionString + ";Pooling=false");
        await connection.OpenAsync();
        return connection;
    }

    public override async ValueTask DisposeAsync()
    {
        await _proxy.DisposeAsync();
        NpgsqlConnection.ClearPool(new NpgsqlConnection(Roles.Superuser));
    }

    internal override void Lose(Loss loss, int place)
    {
        switch (loss)
        {
            case Loss.BeforeCommit:
                _proxy.CutRequest(after: place * 60);
                break;
            case Loss.AfterCommit:
                _proxy.CutAnswer();
                break;
        }
    }

    internal override void Heard(Loss loss) => Assert.Equal(Loss.None, loss);
}
