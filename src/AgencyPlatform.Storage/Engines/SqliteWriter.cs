using AgencyPlatform.Storage.Journal;
using AgencyPlatform.Storage.ReadModels;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace AgencyPlatform.Storage.Engines;

/// <summary>The connection that appends: its statements are prepared once and reused, a statement a row.</summary>
internal sealed class SqliteWriter : BatchWriter, IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly sqlite3 _handle;
    private readonly List<SqliteStatement> _prepared = [];

    // By the table's ordinal and the operation.
    private readonly SqliteStatement?[] _statements;
    private readonly SqliteStatement _begin;
    private readonly SqliteStatement _commit;
    private readonly SqliteStatement _rollback;
    private readonly SqliteStatement _moveHead;
    private readonly SqliteStatement _addHead;

    private SqliteWriter(SqliteConnection connection, RowTables tables) : base(tables)
    {
        _connection = connection;
        _handle = connection.Handle!;
        _statements = new SqliteStatement?[Tables.Length * 3];
        _begin = Prepare("BEGIN IMMEDIATE");
        _commit = Prepare("COMMIT");
        _rollback = Prepare("ROLLBACK");
        _moveHead = Prepare("UPDATE heads SET sequence = ?, hash = ?, recorded_at = ?, sandbox = max(sandbox, ?), closings = ? WHERE agency = ? AND sequence = ? AND closings = ?");
        _addHead = Prepare("INSERT INTO heads (sequence, hash, recorded_at, sandbox, closings, agency) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING");
    }

    public static SqliteWriter Open(string connectionString, TimeSpan lockTimeout, RowTables tables, string? more)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder(connectionString) { Pooling = false, Mode = SqliteOpenMode.ReadWrite }.ConnectionString);
        try
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = $"PRAGMA busy_timeout={(int)lockTimeout.TotalMilliseconds}; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000; PRAGMA cache_size=-128000;{more}";
            command.ExecuteNonQuery();
            return new SqliteWriter(connection, tables);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public void Commit(Batch batch)
    {
        _begin.Run();
        try
        {
            Write(batch);
            _commit.Run();
        }
        catch
        {
            if (raw.sqlite3_get_autocommit(_handle) == 0)
            {
                _rollback.Run();
            }

            throw;
        }
    }

    public void Dispose()
    {
        foreach (var statement in _prepared)
        {
            statement.Dispose();
        }

        _connection.Dispose();
    }

    protected override void Move(HeadMove move)
    {
        var statement = move.From.Exists ? _moveHead : _addHead;
        statement.Long(move.Sequence).Blob(move.Hash).Long(move.RecordedAt).Long(move.Sandbox ? 1 : 0).Long(move.Closings).Text(move.Agency);
        if (move.From.Exists)
        {
            statement.Long(move.From.Sequence).Long(move.From.Closings);
        }

        statement.Run();
        if (statement.Changes != 1)
        {
            throw new StaleHeadException();
        }
    }

    protected override Statement Statement(StoredTable table, RowOperation operation) =>
        _statements[(table.Ordinal * 3) + (int)operation] ??= Prepare(operation == RowOperation.Drop
            ? $"DELETE FROM {table.Name} WHERE {string.Join(" AND ", table.Drop.Select(k => $"{table.Columns[k].Name} = ?"))}"
            : $"INSERT INTO {table.Name} ({table.ColumnList}) VALUES ({string.Join(", ", table.Columns.Select(_ => "?"))}){(operation == RowOperation.Put ? table.Replacing : "")}");

    private SqliteStatement Prepare(string sql)
    {
        var code = raw.sqlite3_prepare_v3(_handle, sql, raw.SQLITE_PREPARE_PERSISTENT, out var prepared);
        if (code != raw.SQLITE_OK)
        {
            throw SqliteDatabase.Failure(_handle, code);
        }

        var statement = new SqliteStatement(_handle, prepared);
        _prepared.Add(statement);
        return statement;
    }
}
