using System.Data.Common;
using AgencyPlatform.Storage.Engines;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using SQLitePCL;

namespace AgencyPlatform.Storage.Snapshots;

/// <summary>Snapshots in a file of their own beside the journal's: <c>agencyplatform.db</c> has <c>agencyplatform.snapshots.db</c>. It may be deleted while the program is stopped.</summary>
internal sealed partial class SqliteSnapshots : SnapshotStore, IAsyncDisposable
{
    private readonly string _path;
    private readonly TimeSpan _lockTimeout;
    private readonly SqliteSource _source;
    private readonly ILogger<SqliteSnapshots> _log;

    public SqliteSnapshots(StorageOptions options, ILogger<SqliteSnapshots> log)
    {
        _path = PathOf(options);
        _lockTimeout = options.LockTimeout;
        _log = log;

        // Derived data: a lost last commit is replayed. A deleted file is not made anew empty behind the schema's back, hence ReadWrite.
        _source = new SqliteSource(Connection(SqliteOpenMode.ReadWrite, pooling: true), $"PRAGMA busy_timeout={(int)options.LockTimeout.TotalMilliseconds}; PRAGMA synchronous=NORMAL;");
    }

    /// <summary>Orleans knows Microsoft.Data.Sqlite under this name.</summary>
    public override string Invariant => "System.Data.SQLite";

    public override DbDataSource Source => _source;

    /// <summary>The file beside the journal's.</summary>
    public static string PathOf(StorageOptions options)
    {
        var journal = Path.GetFullPath(new SqliteConnectionStringBuilder(options.ConnectionString).DataSource);
        return Path.Combine(Path.GetDirectoryName(journal)!, Path.GetFileNameWithoutExtension(journal) + ".snapshots.db");
    }

    public override async Task Ensure(CancellationToken cancellation = default)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
            try
            {
                await Create(cancellation);
            }
            catch (SqliteException e) when (e.SqliteErrorCode is raw.SQLITE_NOTADB or raw.SQLITE_CORRUPT)
            {
                LogUnreadable(_log, _path, e.Message);
                SetAside();
                await Create(cancellation);
            }
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException)
        {
            throw new SchemaException($"The file of the snapshots, {_path}, cannot be prepared: {e.Message}");
        }
    }

    public ValueTask DisposeAsync() => _source.DisposeAsync();

    protected override string Number(string parameter) => parameter;

    protected override string Text(string parameter) => parameter;

    private async Task Create(CancellationToken cancellation)
    {
        await using var connection = new SqliteConnection(Connection(SqliteOpenMode.ReadWriteCreate, pooling: false));
        await connection.OpenAsync(cancellation);
        await Run("PRAGMA journal_mode=WAL");
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        foreach (var table in Tables(kind => kind switch { StoredKind.Text => "TEXT", StoredKind.Long => "INTEGER", _ => "BLOB" }, "INTEGER"))
        {
            await Run(table);
        }

        foreach (var (key, text) in Statements())
        {
            await Run("INSERT INTO OrleansQuery (querykey, querytext) VALUES ($1, $2) ON CONFLICT (querykey) DO UPDATE SET querytext = excluded.querytext", key, text);
        }

        await transaction.CommitAsync(cancellation);

        async Task Run(string sql, params string[] values)
        {
            await using var command = connection.CreateCommand();
            command.CommandText = sql;
            for (var i = 0; i < values.Length; i++)
            {
                command.Parameters.AddWithValue($"${i + 1}", values[i]);
            }

            await command.ExecuteNonQueryAsync(cancellation);
        }
    }

    private void SetAside()
    {
        File.Move(_path, _path + ".unreadable", overwrite: true);
        File.Delete(_path + "-wal");
        File.Delete(_path + "-shm");
    }

    private string Connection(SqliteOpenMode mode, bool pooling) => new SqliteConnectionStringBuilder
    {
        DataSource = _path,
        Mode = mode,
        Pooling = pooling,
        DefaultTimeout = (int)Math.Ceiling(_lockTimeout.TotalSeconds),
    }.ConnectionString;

    [LoggerMessage(LogLevel.Warning, "The file of the snapshots, {Path}, cannot be read and is set aside; aggregates are folded from the journal instead: {Error}")]
    private static partial void LogUnreadable(ILogger log, string path, string error);
}
