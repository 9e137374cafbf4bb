using System.Data.Common;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Storage.Journal;
using AgencyPlatform.Storage.ReadModels;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace AgencyPlatform.Storage.Engines;

/// <summary>SQLite in one file: WAL, synchronous=FULL, one writing connection, pooled reading ones.</summary>
internal sealed class SqliteDatabase : Database
{
    private readonly string _connectionString;
    private readonly SqliteSource _source;
    private readonly TimeSpan _lockTimeout;

    // Writers of this process queue here rather than in SQLite's busy handler, which sleeps.
    private readonly SemaphoreSlim _writing = new(1, 1);
    private SqliteWriter? _writer;

    public SqliteDatabase(StorageOptions options, RowTables tables) : base(tables)
    {
        var builder = new SqliteConnectionStringBuilder(options.ConnectionString) { DefaultTimeout = (int)Math.Ceiling(options.LockTimeout.TotalSeconds) };
        if (builder.Mode == SqliteOpenMode.Memory || builder.DataSource is "" or ":memory:")
        {
            throw new SchemaException("The journal needs a file: set 'Data Source' of the SQLite connection string to a path.");
        }

        _connectionString = builder.ConnectionString;
        _lockTimeout = options.LockTimeout;
        var folder = Path.GetDirectoryName(Path.GetFullPath(builder.DataSource));
        Directory.CreateDirectory(folder!);
        _source = new SqliteSource(_connectionString, "PRAGMA synchronous=FULL; PRAGMA cache_size=-16000;");
    }

    public override DbDataSource Source => _source;

    public override string TypeOf(StoredKind kind) => kind switch
    {
        StoredKind.Text => "TEXT",
        StoredKind.Long => "INTEGER",
        _ => "BLOB",
    };

    public override DbParameter Parameter(object? value) => new SqliteParameter
    {
        Value = value switch
        {
            null => DBNull.Value,
            Guid id => id.ToByteArray(bigEndian: true),
            _ => value,
        },
    };

    protected override void NameParameter(DbParameter parameter, int position) => parameter.ParameterName = $"${position}";

    public override Guid ReadGuid(DbDataReader reader, int column) => new(reader.GetFieldValue<byte[]>(column), bigEndian: true);

    public override string In(string column, IReadOnlyList<object> values, SqlArguments arguments) =>
        $"{column} IN ({string.Join(", ", values.Select(arguments.Add))})";

    public override async Task Commit(Batch batch)
    {
        await _writing.WaitAsync();
        try
        {
            _writer ??= SqliteWriter.Open(_connectionString, _lockTimeout, Tables, Hook?.Pragmas);
            if (Hook is { } before)
            {
                await before.BeforeCommit(batch);
            }

            _writer.Commit(batch);
            if (Hook is { } after)
            {
                await after.AfterCommit(batch);
            }
        }
        catch (Exception e) when (e is StorageTroubleException or SqliteException or IOException or UnauthorizedAccessException)
        {
            // A connection that met a full disk or a lost file is not trusted again.
            _writer?.Dispose();
            _writer = null;
            throw e as StorageTroubleException ?? new StorageTroubleException(e.Message, e);
        }
        finally
        {
            _writing.Release();
        }
    }

    public override async Task<FenceRead[]> ReadFences(IReadOnlyList<(AggregateKey Key, Guid? Request)> asked)
    {
        try
        {
            await using var connection = await Source.OpenConnectionAsync();
            await using var head = connection.CreateCommand();
            head.CommandText = "SELECT version FROM events WHERE agency = $1 AND kind = $2 AND id = $3 ORDER BY version DESC LIMIT 1";
            await using var request = connection.CreateCommand();
            request.CommandText = "SELECT kind, id, request_version, request_hash FROM events WHERE agency = $1 AND request_id = $2";
            var answers = new FenceRead[asked.Count];
            for (var i = 0; i < answers.Length; i++)
            {
                var (key, id) = asked[i];
                StoredOutcome? outcome = null;
                if (id is { } known)
                {
                    Bind(request, key.Agency.Value, known.ToByteArray(bigEndian: true));
                    using var reader = request.ExecuteReader();
                    if (reader.Read())
                    {
                        outcome = new StoredOutcome(new AggregateKey(key.Agency, reader.GetString(0), reader.GetString(1)), reader.GetInt64(2), reader.IsDBNull(3) ? "" : reader.GetString(3));
                    }
                }

                Bind(head, key.Agency.Value, key.Kind, key.Id);
                answers[i] = new FenceRead(head.ExecuteScalar() is long version ? version : 0, outcome);
            }

            return answers;
        }
        catch (Exception e) when (IsTrouble(e))
        {
            throw new UnavailableException($"The journal cannot be read: {e.Message}");
        }
    }

    public override async Task<IReadOnlyList<DueDeadline>> ClaimDeadlines(Instant now, Duration lease, int limit, int perAgency, CancellationToken cancellation)
    {
        var due = new List<DueDeadline>();
        await Write(async connection =>
        {
            due = await Query(
                connection,
                """
                UPDATE deadlines SET lease_until = $1 WHERE rowid IN (
                  SELECT row FROM (
                    SELECT rowid AS row, due_at, row_number() OVER (PARTITION BY agency ORDER BY due_at, kind, id) AS place
                    FROM deadlines WHERE sandbox = 0 AND due_at <= $2 AND lease_until <= $2)
                  WHERE place <= $3 ORDER BY due_at LIMIT $4)
                RETURNING agency, kind, id, due_at, attempts
                """,
                new SqlArguments((now + lease).ToUnixTimeTicks(), now.ToUnixTimeTicks(), (long)perAgency, (long)limit),
                DeadlineStore.Due,
                cancellation);
        }, lockJournal: false, cancellation);
        return due;
    }

    public override async Task Write(Func<DbConnection, Task> work, bool lockJournal, CancellationToken cancellation)
    {
        await _writing.WaitAsync(cancellation);
        try
        {
            await using var connection = await Source.OpenConnectionAsync(cancellation);
            // BEGIN IMMEDIATE, so that nothing is upgraded in the middle.
            await using var transaction = await connection.BeginTransactionAsync(cancellation);
            await work(connection);
            await transaction.CommitAsync(cancellation);
        }
        finally
        {
            _writing.Release();
        }
    }

    public override async Task Snapshot(Func<DbConnection, Task> work, CancellationToken cancellation)
    {
        await using var connection = (SqliteConnection)await Source.OpenConnectionAsync(cancellation);
        await using var transaction = connection.BeginTransaction(deferred: true);
        await work(connection);
    }

    public override IEnumerable<(string Subject, Func<CancellationToken, Task<Finding>> Look)> Checks(bool quick)
    {
        yield return ("database", async cancellation => new Finding(
            Health.Ok, $"{DatabaseFile}, {new FileInfo(DatabaseFile).Length:n0} bytes, SQLite {await One("SELECT sqlite_version()", r => r.GetString(0), cancellation)}"));
        yield return ("durability", async cancellation => await One("PRAGMA journal_mode", r => r.GetString(0), cancellation) is "wal"
            ? new Finding(Health.Ok, "write-ahead log, synced at each commit")
            : new Finding(Health.Failed, "the file is in no write-ahead mode: the next start of the host mends it"));
        yield return ("disk", _ => Task.FromResult(Disk()));
        if (!quick)
        {
            yield return ("pages", async cancellation => await One("PRAGMA quick_check(1)", r => r.GetString(0), cancellation) is not "ok" and var broken
                ? new Finding(Health.Failed, $"{broken}: restore a backup")
                : new Finding(Health.Ok, "every page of the file is as it must be"));
        }
    }

    private Finding Disk()
    {
        var (free, size) = (new DriveInfo(DatabaseFile).AvailableFreeSpace, new FileInfo(DatabaseFile).Length);
        return new Finding(free > Math.Max(size / 4, 1L << 30) ? Health.Ok : Health.Warning, $"{free >> 20:n0} MiB free beside a database of {size >> 20:n0} MiB");
    }

    private string DatabaseFile => Path.GetFullPath(new SqliteConnectionStringBuilder(_connectionString).DataSource);

    public override async Task Exclusively(Func<Task> work, CancellationToken cancellation)
    {
        await using (var connection = await Source.OpenConnectionAsync(cancellation))
        {
            await Execute(connection, "PRAGMA journal_mode=WAL", new SqlArguments(), cancellation);
        }

        await work();
    }

    public override async Task<bool> TableExists(DbConnection connection, string table, CancellationToken cancellation) =>
        (await Query(connection, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1", new SqlArguments(table), r => r.GetInt64(0), cancellation)).Count > 0;

    public override Task BackUp(string file, CancellationToken cancellation) => SqliteCopy.Take(_source, file, cancellation);

    public override Task PutCopy(string file, CancellationToken cancellation) => SqliteCopy.Put(file, DatabaseFile, cancellation);

    public override async Task<bool> IsCopy(CancellationToken cancellation)
    {
        await using var connection = await Source.OpenConnectionAsync(cancellation);
        return await TableExists(connection, SqliteCopy.Mark, cancellation);
    }

    public override async ValueTask DisposeAsync()
    {
        await _writing.WaitAsync();
        _writer?.Dispose();
        _writer = null;
        await _source.DisposeAsync();
        _writing.Dispose();
    }

    /// <summary>What a result code other than success means for the batch.</summary>
    public static Exception Failure(sqlite3 connection, int code)
    {
        var message = $"SQLite: {raw.sqlite3_errmsg(connection).utf8_to_string()} ({code})";
        return (code & 0xFF) is raw.SQLITE_CONSTRAINT or raw.SQLITE_TOOBIG or raw.SQLITE_MISMATCH or raw.SQLITE_RANGE
            ? new RefusedContentException(message)
            : new StorageTroubleException(message);
    }

    private static void Bind(DbCommand command, params ReadOnlySpan<object> values)
    {
        command.Parameters.Clear();
        for (var i = 0; i < values.Length; i++)
        {
            command.Parameters.Add(new SqliteParameter($"${i + 1}", values[i]));
        }
    }
}

/// <summary>Opens pooled connections with this process's pragmas.</summary>
internal sealed class SqliteSource(string connectionString, string pragmas) : DbDataSource
{
    public override string ConnectionString => connectionString;

    protected override DbConnection CreateDbConnection() => new SqliteConnection(connectionString);

    protected override DbConnection OpenDbConnection()
    {
        var connection = new SqliteConnection(connectionString);
        try
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = pragmas;
            command.ExecuteNonQuery();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Close();
        }
    }

    // DisposeAsync does not come by Dispose(true).
    protected override ValueTask DisposeAsyncCore()
    {
        Close();
        return ValueTask.CompletedTask;
    }

    /// <summary>The last connection to close checkpoints and removes the log.</summary>
    private void Close() => SqliteConnection.ClearPool(new SqliteConnection(connectionString));
}
