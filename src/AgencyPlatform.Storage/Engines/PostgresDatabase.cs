using System.Data.Common;
using System.Diagnostics;
using System.Text;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Storage.Journal;
using AgencyPlatform.Storage.ReadModels;
using Npgsql;
using NpgsqlTypes;

namespace AgencyPlatform.Storage.Engines;

/// <summary>
/// PostgreSQL 15 or later: one connection that appends, a pool that reads, another for the cluster's membership, another for migrations and maintenance. Every table
/// of tenants has a row-level policy; what the first two do is bound to the agencies that they name.
/// </summary>
internal sealed partial class PostgresDatabase : Database
{
    /// <summary>Names, for the rest of the transaction, the agencies whose rows may be seen and written.</summary>
    public const string SetScope = "SELECT set_config('app.agencies', CAST($1 AS text), true)";

    /// <summary>
    /// How many sessions of a process read, unless the connection string says it (<c>Maximum Pool Size</c>). Few, so that five processes have room in a server's
    /// default of 100, three of which it keeps for itself. Each session costs the server a process that learns every table anew, and more of them than it has
    /// processors for answer nothing sooner.
    /// </summary>
    public const int Readers = 12;

    // How long a read waits for a session, and for how long a place stays empty whose session the server has refused.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan s_rest = TimeSpan.FromSeconds(5);

    // Any number that no other program uses in this database: one migration or rebuild at a time.
    private const long MaintenanceLock = 0x4167_656e_6379_0001;

    private readonly NpgsqlDataSource _reading;
    private readonly NpgsqlDataSource _writing;
    private readonly NpgsqlDataSource _maintaining;
    private readonly NpgsqlDataSource _members;

    // One for each session that may read. The driver empties its whole pool whenever the server refuses it one more session, and so must not ask for more than there are.
    private readonly SemaphoreSlim _places;
    private PostgresWriter? _writer;

    public PostgresDatabase(StorageOptions options, RowTables tables) : base(tables)
    {
        var statements = (tables.All.Length * 3) + 40;

        // The writer's plans are made once. Heads are locked in the order of the arrays only by a nested loop, and no statement of an append has a
        // better plan; tables that were just created have no statistics that would tell.
        _writing = Source("writer", "-c statement_timeout=30000 -c plan_cache_mode=force_generic_plan -c enable_hashjoin=off -c enable_mergejoin=off -c enable_seqscan=off", b =>
        {
            (b.MaxPoolSize, b.MinPoolSize, b.MaxAutoPrepare, b.AutoPrepareMinUsages) = (2, 0, statements, 2);
            b.WriteBufferSize = Math.Max(b.WriteBufferSize, 1 << 20);
        });
        _reading = Source("reader", "-c statement_timeout=30000", b =>
        {
            b.MaxAutoPrepare = Math.Max(b.MaxAutoPrepare, 60);
            if (!Says(b, "Maximum Pool Size"))
            {
                b.MaxPoolSize = Math.Max(Readers, b.MinPoolSize);
            }
        });
        _places = new SemaphoreSlim(new NpgsqlConnectionStringBuilder(_reading.ConnectionString).MaxPoolSize);

        // A silo that is slow to say that it lives is voted out: that does not stand in line with reads.
        _members = Source("members", "-c statement_timeout=30000", b => (b.MaxPoolSize, b.MinPoolSize) = (2, 0));

        // What would silently see less than everything must fail instead.
        _maintaining = Source("maintenance", "-c statement_timeout=0 -c row_security=off", b => (b.MaxPoolSize, b.MinPoolSize, b.CommandTimeout) = (8, 0, 0));

        NpgsqlDataSource Source(string purpose, string settings, Action<NpgsqlConnectionStringBuilder> set)
        {
            try
            {
                // A frozen or lost process must not hold locks: the server ends its session.
                var common = $"-c jit=off -c lock_timeout={(long)options.LockTimeout.TotalMilliseconds} -c idle_in_transaction_session_timeout=10000 -c tcp_user_timeout=15000";
                var builder = new NpgsqlConnectionStringBuilder(options.ConnectionString) { TcpKeepAlive = true, TcpKeepAliveTime = 10, TcpKeepAliveInterval = 5 };
                builder.Options = $"{builder.Options} {common} {settings}".Trim();
                builder.ApplicationName = $"{builder.ApplicationName ?? "agencyplatform"} {purpose}";
                set(builder);
                return new NpgsqlDataSourceBuilder(builder.ConnectionString).Build();
            }
            catch (ArgumentException e)
            {
                throw new SchemaException($"PostgreSQL's connection string cannot be used: {e.Message}");
            }
        }
    }

    public override DbDataSource Source => _reading;

    public override DbDataSource ClusterSource => _members;

    public override string TypeOf(StoredKind kind) => kind switch
    {
        // By bytes, as on the other engine, whatever the database's locale is.
        StoredKind.Text => "text COLLATE \"C\"",
        StoredKind.Long => "bigint",
        StoredKind.Blob => "bytea",
        _ => "uuid",
    };

    public override IEnumerable<string> Protect(string table)
    {
        yield return $"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY";

        // The sub-query makes it one look a statement, not one a row, and the array must be made in it: outside it would be read anew for every row.
        // The outer cast only says that it is an array and no row set. Nothing named: nothing seen.
        yield return $"CREATE POLICY agencies ON {table} USING (agency = ANY ((SELECT nullif(current_setting('app.agencies', true), '')::text[])::text[]))";
    }

    public override IEnumerable<string> Functions()
    {
        // Runs as its owner, and is all that looks at rows of agencies that nobody named: keys and due times.
        yield return
            """
            DO $do$ BEGIN EXECUTE format($create$
              CREATE FUNCTION claim_deadlines(claim_now bigint, claim_until bigint, claim_per_agency bigint, claim_limit bigint)
              RETURNS TABLE (agency text, kind text, id text, due_at bigint, attempts bigint)
              LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, %I, pg_temp
              AS $body$
                WITH due AS (
                  SELECT d.agency, d.kind, d.id, d.due_at, row_number() OVER (PARTITION BY d.agency ORDER BY d.due_at, d.kind, d.id) AS place
                  FROM deadlines d WHERE d.sandbox = 0 AND d.due_at <= claim_now AND d.lease_until <= claim_now),
                chosen AS (SELECT * FROM due WHERE place <= claim_per_agency ORDER BY due_at LIMIT claim_limit),
                free AS (
                  SELECT d.agency, d.kind, d.id FROM chosen c JOIN deadlines d ON d.agency = c.agency AND d.kind = c.kind AND d.id = c.id
                  WHERE d.due_at <= claim_now AND d.lease_until <= claim_now FOR UPDATE OF d SKIP LOCKED)
                UPDATE deadlines d SET lease_until = claim_until FROM free f WHERE d.agency = f.agency AND d.kind = f.kind AND d.id = f.id
                RETURNING d.agency, d.kind, d.id, d.due_at, d.attempts
              $body$ $create$, current_schema()); END $do$
            """;
    }

    public override DbParameter Parameter(object? value) => value switch
    {
        null => new NpgsqlParameter { Value = DBNull.Value },
        string text => new NpgsqlParameter<string> { TypedValue = text, NpgsqlDbType = NpgsqlDbType.Text },
        long number => new NpgsqlParameter<long> { TypedValue = number, NpgsqlDbType = NpgsqlDbType.Bigint },
        byte[] bytes => new NpgsqlParameter<byte[]> { TypedValue = bytes, NpgsqlDbType = NpgsqlDbType.Bytea },
        Guid id => new NpgsqlParameter<Guid> { TypedValue = id, NpgsqlDbType = NpgsqlDbType.Uuid },
        string?[] texts => new NpgsqlParameter<string?[]> { TypedValue = texts, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
        long[] numbers => new NpgsqlParameter<long[]> { TypedValue = numbers, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint },
        Guid?[] ids => new NpgsqlParameter<Guid?[]> { TypedValue = ids, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid },
        _ => throw new ArgumentException($"A {value.GetType().Name} is no parameter."),
    };

    public override Guid ReadGuid(DbDataReader reader, int column) => reader.GetGuid(column);

    public override string In(string column, IReadOnlyList<object> values, SqlArguments arguments) => values switch
    {
        [] => "FALSE",
        [string, ..] => $"{column} = ANY ({arguments.Add(values.Cast<string>().ToArray())})",
        _ => $"{column} = ANY ({arguments.Add(values.Cast<long>().ToArray())})",
    };

    public override async Task Commit(Batch batch)
    {
        try
        {
            _writer ??= await PostgresWriter.Open(_writing, Tables);
            if (Hook is { } before)
            {
                await before.BeforeCommit(batch);
            }

            await _writer.Commit(batch);
            if (Hook is { } after)
            {
                await after.AfterCommit(batch);
            }
        }
        catch (Exception e)
        {
            var failure = Failure(e);
            if (_writer is { } writer && !(e is PostgresException && failure is StaleHeadException or RefusedContentException))
            {
                // What met trouble is not trusted again, nor kept in the pool: a session begun while the database was read-only stays so.
                _writer = null;
                _writing.Clear();
                await writer.DisposeAsync();
            }

            throw ReferenceEquals(failure, e) ? e : failure;
        }
    }

    public override async Task<FenceRead[]> ReadFences(IReadOnlyList<(AggregateKey Key, Guid? Request)> asked)
    {
        var arguments = SqlArguments.Within(
            [.. asked.Select(a => a.Key.Agency.Value).Distinct()],
            asked.Select(a => a.Key.Agency.Value).ToArray(),
            asked.Select(a => a.Key.Kind).ToArray(),
            asked.Select(a => a.Key.Id).ToArray(),
            asked.Select(a => a.Request).ToArray());
        var answers = new FenceRead[asked.Count];
        await Query(
            """
            SELECT a.n, h.version, r.kind, r.id, r.request_version, r.request_hash
            FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS a (agency, kind, id, request, n)
            LEFT JOIN LATERAL (SELECT e.version FROM events e WHERE e.agency = a.agency AND e.kind = a.kind AND e.id = a.id ORDER BY e.version DESC LIMIT 1) h ON true
            LEFT JOIN LATERAL (SELECT e.kind, e.id, e.request_version, e.request_hash FROM events e WHERE e.agency = a.agency AND e.request_id = a.request LIMIT 1) r ON true
            """,
            arguments,
            r =>
            {
                var n = checked((int)r.GetInt64(0)) - 1;
                var outcome = r.IsDBNull(2)
                    ? null
                    : new StoredOutcome(new AggregateKey(asked[n].Key.Agency, r.GetString(2), r.GetString(3)), r.GetInt64(4), r.IsDBNull(5) ? "" : r.GetString(5));
                answers[n] = new FenceRead(r.IsDBNull(1) ? 0 : r.GetInt64(1), outcome);
                return n;
            });
        return answers;
    }

    public override async Task<IReadOnlyList<DueDeadline>> ClaimDeadlines(Instant now, Duration lease, int limit, int perAgency, CancellationToken cancellation)
    {
        await using var connection = await _reading.OpenConnectionAsync(cancellation);
        return await Query(
            connection,
            "SELECT agency, kind, id, due_at, attempts FROM claim_deadlines($1, $2, $3, $4)",
            new SqlArguments(now.ToUnixTimeTicks(), (now + lease).ToUnixTimeTicks(), (long)perAgency, (long)limit),
            DeadlineStore.Due,
            cancellation);
    }

    public override Task Execute(string sql, SqlArguments arguments, CancellationToken cancellation = default) => Read(sql, arguments, _ => 0, cancellation);

    public override async Task Write(Func<DbConnection, Task> work, bool lockJournal, CancellationToken cancellation)
    {
        await using var connection = await _maintaining.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (lockJournal)
        {
            // Every append moves a head: it waits here, and readers do not.
            await Execute(connection, "LOCK TABLE heads IN EXCLUSIVE MODE", new SqlArguments(), cancellation);
        }

        await work(connection);
        await transaction.CommitAsync(cancellation);
    }

    public override async Task Snapshot(Func<DbConnection, Task> work, CancellationToken cancellation)
    {
        await using var connection = await _maintaining.OpenConnectionAsync(cancellation);

        // A long replay is not idle in the transaction for longer than between two of its reads.
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellation);
        await work(connection);
    }

    public override async Task Exclusively(Func<Task> work, CancellationToken cancellation)
    {
        await using var connection = await _maintaining.OpenConnectionAsync(cancellation);
        await Execute(connection, "SET lock_timeout = 0", new SqlArguments(), cancellation);
        await Execute(connection, "SELECT pg_advisory_lock($1)", new SqlArguments(MaintenanceLock), cancellation);
        try
        {
            await work();
        }
        finally
        {
            await Unlock();
        }

        async Task Unlock()
        {
            try
            {
                await Execute(connection, "SELECT pg_advisory_unlock_all()", new SqlArguments(), CancellationToken.None);
            }
            catch (DbException)
            {
                // The session is lost, and the lock with it.
            }
        }
    }

    public override async Task<bool> TableExists(DbConnection connection, string table, CancellationToken cancellation) =>
        (await Query(connection, "SELECT 1 WHERE to_regclass($1) IS NOT NULL", new SqlArguments(table), _ => 1, cancellation)).Count > 0;

    public override Task BackUp(string file, CancellationToken cancellation) => throw new SchemaException(
        "PostgreSQL is backed up by its own tools: `pg_dump --format=custom --file=FILE DATABASE` as the owner's role, or pg_basebackup with WAL archiving (docs/operations.md).");

    public override Task PutCopy(string file, CancellationToken cancellation) => throw new SchemaException(
        "PostgreSQL is restored by its own tools (pg_restore, or a base backup with its WAL). Then run `restore --adopt` as the owner's role (docs/operations.md).");

    // By the names that this program gives its sessions; everybody may see those.
    public override async Task<long> ServingSessions(DbConnection connection, CancellationToken cancellation) => (await Query(
        connection,
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND (application_name LIKE '% writer' OR application_name LIKE '% reader' OR application_name LIKE '% members')",
        new SqlArguments(),
        r => r.GetInt64(0),
        cancellation)).Single();

    public override async Task<bool> BypassesRowSecurity(CancellationToken cancellation) =>
        (await Read("SELECT 1 WHERE NOT row_security_active('events')", new SqlArguments(), _ => 1, cancellation)).Count > 0;

    public override string Describe(Exception exception) =>
        exception is PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege }
            ? $"{exception.Message}. It must be created or migrated by its owner: run `migrate` with the connection string of the owner's role."
            : exception.Message;

    public override async ValueTask DisposeAsync()
    {
        if (_writer is { } writer)
        {
            _writer = null;
            await writer.DisposeAsync();
        }

        await _writing.DisposeAsync();
        await _reading.DisposeAsync();
        await _members.DisposeAsync();
        await _maintaining.DisposeAsync();
    }

    protected override void NameParameter(DbParameter parameter, int position)
    {
        // Parameters without a name are positional.
    }

    protected override async Task<List<T>> Read<T>(string sql, SqlArguments arguments, Func<DbDataReader, T> map, CancellationToken cancellation)
    {
        if (arguments.Agencies is not { } agencies)
        {
            await using var all = await _maintaining.OpenConnectionAsync(cancellation);
            return await Query(all, sql, arguments, map, cancellation);
        }

        try
        {
            return await Read(agencies, sql, arguments, map, cancellation);
        }
        catch (NpgsqlException e) when (e is not PostgresException { InvariantSeverity: "ERROR" } && !IsRefused(e) && e.InnerException is not TimeoutException)
        {
            // A pooled connection was lost while it was idle, and the others with it: once more on a new one.
            _reading.Clear();
            return await Read(agencies, sql, arguments, map, cancellation);
        }
    }

    /// <summary>
    /// Reads once a place is free. Nothing in here waits for the caller's turn, a grain's: a session that is held while thousands of grains start serves nobody.
    /// </summary>
    private async Task<List<T>> Read<T>(string[] agencies, string sql, SqlArguments arguments, Func<DbDataReader, T> map, CancellationToken cancellation)
    {
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            var left = s_patience - Stopwatch.GetElapsedTime(began);
            if (left <= TimeSpan.Zero || !await _places.WaitAsync(left, cancellation).ConfigureAwait(false))
            {
                throw new TimeoutException($"No session was free to read within {s_patience.TotalSeconds:0} s.");
            }

            var refused = false;
            try
            {
                return await ReadInPlace(agencies, sql, arguments, map, cancellation).ConfigureAwait(false);
            }
            catch (NpgsqlException e) when (IsRefused(e))
            {
                // Others have the sessions: this process makes do with those that it has.
                refused = true;
            }
            finally
            {
                _ = Leave(refused);
            }
        }

        async Task Leave(bool refused)
        {
            if (refused)
            {
                await Task.Delay(s_rest, TimeProvider.System, CancellationToken.None).ConfigureAwait(false);
            }

            _places.Release();
        }
    }

    private async Task<List<T>> ReadInPlace<T>(string[] agencies, string sql, SqlArguments arguments, Func<DbDataReader, T> map, CancellationToken cancellation)
    {
        var connection = await _reading.OpenConnectionAsync(cancellation).ConfigureAwait(false);
        await using var closing = connection.ConfigureAwait(false);
        using var batch = new NpgsqlBatch(connection) { BatchCommands = { Command(SetScope, [agencies]), Command(sql, arguments.Values) } };
        var reader = await batch.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
        await using var ending = reader.ConfigureAwait(false);
        await reader.NextResultAsync(cancellation).ConfigureAwait(false);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellation).ConfigureAwait(false))
        {
            rows.Add(map(reader));
        }

        return rows;
    }

    private NpgsqlBatchCommand Command(string sql, List<object?> values)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var value in values)
        {
            command.Parameters.Add(Parameter(value));
        }

        return command;
    }

    /// <summary>Whether the server, the database or the role has as many sessions as it may have.</summary>
    private static bool IsRefused(NpgsqlException e) => e is PostgresException { SqlState: PostgresErrorCodes.TooManyConnections };

    /// <summary>Whether a setting stands in the connection string, and is not the driver's own default.</summary>
    private static bool Says(NpgsqlConnectionStringBuilder builder, string setting) => new DbConnectionStringBuilder { ConnectionString = builder.ConnectionString }.ContainsKey(setting);

    /// <summary>What an exception of a commit means for the batch.</summary>
    private static Exception Failure(Exception e) => e switch
    {
        StorageTroubleException or RefusedContentException or StaleHeadException => e,
        PostgresException { SqlState: PostgresErrorCodes.DivisionByZero } => new StaleHeadException(),

        // Integrity, data and limits (an index entry too long): nothing of these passes by repeating.
        PostgresException { SqlState: ['2', '2' or '3', ..] or ['5', '4', ..] or ['2', '1', ..] } refused => new RefusedContentException($"PostgreSQL: {refused.MessageText} ({refused.SqlState})", refused),
        DbException or IOException or TimeoutException or System.Net.Sockets.SocketException => new StorageTroubleException($"PostgreSQL: {e.Message}", e),
        EncoderFallbackException or InvalidCastException or OverflowException => new RefusedContentException($"PostgreSQL's driver: {e.Message}", e),
        _ => e,
    };
}
