using AgencyPlatform.Storage.Journal;
using AgencyPlatform.Storage.ReadModels;
using Npgsql;

namespace AgencyPlatform.Storage.Engines;

/// <summary>
/// The connection that appends. A commit is one batch without an explicit BEGIN: one round trip and one implicit transaction. Its commands are
/// prepared by the driver once a connection and reused; a statement a table takes all rows as arrays.
/// </summary>
internal sealed class PostgresWriter : BatchWriter, IAsyncDisposable
{
    // The heads must be where the writer knows them: otherwise the division fails the batch from within (22012).
    private const string Moved = "SELECT 1 / (CASE WHEN (SELECT count(*) FROM moved) = cardinality($1) THEN 1 ELSE 0 END)";

    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlBatch _batch;
    private readonly PostgresStatement _scope;
    private readonly PostgresStatement _moveHeads;
    private readonly PostgresStatement _addHeads;
    private readonly Dictionary<int, int>[] _seen;

    // By round, then by the table's ordinal and the operation.
    private readonly List<PostgresStatement?[]> _statements = [];

    private PostgresWriter(NpgsqlConnection connection, RowTables tables) : base(tables)
    {
        _connection = connection;
        _batch = new NpgsqlBatch(connection);
        StoredColumn agency = new("agency", StoredKind.Text);
        StoredColumn[] head = [agency, new("sequence", StoredKind.Long), new("hash", StoredKind.Blob), new("recorded_at", StoredKind.Long), new("sandbox", StoredKind.Long), new("closings", StoredKind.Long)];
        _scope = new PostgresStatement(PostgresDatabase.SetScope, [agency], []);
        _moveHeads = new PostgresStatement(
            $"""
            WITH moved AS (
              UPDATE heads h SET sequence = m.sequence, hash = m.hash, recorded_at = m.recorded_at, sandbox = greatest(h.sandbox, m.sandbox), closings = m.closings
              FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) AS m (agency, sequence, hash, recorded_at, sandbox, closings, known, known_closings)
              WHERE h.agency = m.agency AND h.sequence = m.known AND h.closings = m.known_closings
              RETURNING 1)
            {Moved}
            """,
            [.. head, new("known", StoredKind.Long), new("known_closings", StoredKind.Long)],
            []);
        _addHeads = new PostgresStatement(
            $"""
            WITH moved AS (
              INSERT INTO heads (agency, sequence, hash, recorded_at, sandbox, closings)
              SELECT * FROM unnest($1, $2, $3, $4, $5, $6)
              ON CONFLICT DO NOTHING
              RETURNING 1)
            {Moved}
            """,
            head,
            []);
        _seen = [.. Tables.Select(_ => new Dictionary<int, int>())];
    }

    public static async Task<PostgresWriter> Open(NpgsqlDataSource source, RowTables tables)
    {
        var connection = await source.OpenConnectionAsync();
        try
        {
            // Whatever the server's default is: what is acknowledged must be on its disk.
            await using var command = new NpgsqlCommand("SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'", connection);
            await command.ExecuteNonQueryAsync();
            return new PostgresWriter(connection, tables);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    public async Task Commit(Batch batch)
    {
        try
        {
            foreach (var move in batch.Heads)
            {
                _scope.Text(move.Agency).Run();
            }

            Write(batch);
            _batch.BatchCommands.Clear();
            Add(_scope);
            Add(_moveHeads);
            Add(_addHeads);
            foreach (var round in _statements)
            {
                foreach (var statement in round)
                {
                    Add(statement);
                }
            }

            await _batch.ExecuteNonQueryAsync();
        }
        finally
        {
            Clear();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _batch.DisposeAsync();
        await _connection.DisposeAsync();
    }

    protected override void Move(HeadMove move)
    {
        var statement = (move.From.Exists ? _moveHeads : _addHeads)
            .Text(move.Agency).Long(move.Sequence).Blob(move.Hash).Long(move.RecordedAt).Long(move.Sandbox ? 1 : 0).Long(move.Closings);
        if (move.From.Exists)
        {
            statement.Long(move.From.Sequence).Long(move.From.Closings);
        }

        statement.Run();
    }

    protected override Statement Statement(StoredTable table, RowOperation operation) => Statement(table, operation, 0);

    private PostgresStatement Statement(StoredTable table, RowOperation operation, int round)
    {
        while (_statements.Count <= round)
        {
            _statements.Add(new PostgresStatement?[Tables.Length * 3]);
        }

        // Drops first: within a round no two changes are of one key.
        var place = (table.Ordinal * 3) + operation switch { RowOperation.Drop => 0, RowOperation.Claim => 1, _ => 2 };
        return _statements[round][place] ??= Create(table, operation);
    }

    private PostgresStatement Create(StoredTable table, RowOperation operation)
    {
        PostgresStatement Of(string sql, StoredColumn[] columns, int[] key) => table.Key.IsEmpty
            ? new PostgresStatement(sql, columns, key)
            : new PostgresStatement(sql, columns, key, _seen[table.Ordinal], round => Statement(table, operation, round));

        if (operation == RowOperation.Drop)
        {
            var drop = table.Drop.Select(k => table.Columns[k]).ToArray();
            var same = string.Join(" AND ", drop.Select(c => $"t.{c.Name} = gone.{c.Name}"));
            return Of(
                $"DELETE FROM {table.Name} t USING unnest({Parameters(drop.Length)}) AS gone ({string.Join(", ", drop.Select(c => c.Name))}) WHERE {same}",
                drop,
                [.. table.Key.Select(k => table.Drop.IndexOf(k))]);
        }

        return Of(
            $"INSERT INTO {table.Name} ({table.ColumnList}) SELECT * FROM unnest({Parameters(table.Columns.Length)}){(operation == RowOperation.Put ? table.Replacing : "")}",
            [.. table.Columns],
            [.. table.Key]);
    }

    private static string Parameters(int count) => string.Join(", ", Enumerable.Range(1, count).Select(i => $"${i}"));

    private void Add(PostgresStatement? statement)
    {
        if (statement is { Count: > 0 })
        {
            _batch.BatchCommands.Add(statement.Command);
        }
    }

    private void Clear()
    {
        _scope.Clear();
        _moveHeads.Clear();
        _addHeads.Clear();
        foreach (var round in _statements)
        {
            foreach (var statement in round)
            {
                statement?.Clear();
            }
        }

        foreach (var seen in _seen)
        {
            seen.Clear();
        }
    }
}
