using Npgsql;
using NpgsqlTypes;

namespace AgencyPlatform.Benchmarks.Peer;

/// <summary>How a call's statements reach the database; one round trip either way.</summary>
internal enum PeerStyle
{
    /// <summary>A function of the database does all of a call.</summary>
    Function,

    /// <summary>A batch of statements.</summary>
    Batch,
}

/// <summary>What a call came to.</summary>
internal enum PeerOutcome
{
    Done = 0,
    TooMuch = 1,
    Missing = 2,

    /// <summary>The booking or the request is there already.</summary>
    Exists = 3,
}

/// <param name="Answer">What is answered, now and to every repetition.</param>
/// <param name="Now">Unix microseconds.</param>
internal readonly record struct PeerCall(string Agency, string Cmo, string Booking, Guid Request, byte[] Hash, byte[] Answer, long Now);

/// <summary>
/// A row-lock service's storage in the usual style: each call a transaction of its own in one round trip (an implicit one, without BEGIN), prepared statements,
/// pooled connections without multiplexing.
/// </summary>
internal sealed class PeerStore : IAsyncDisposable
{
    private const string BookFunction = "SELECT book($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    private const string ReleaseFunction = "SELECT release($1, $2, $3, $4, $5, $6, $7)";
    private const string LockCmo = "SELECT 1 FROM cmos WHERE agency = $1 AND cmo = $2 FOR UPDATE";

    // What does not fit moves no head, and without a head's new place there is no booking and no event.
    private const string BookStatement =
        """
        WITH head AS (
          UPDATE heads SET sequence = sequence + 1, recorded_at = greatest(recorded_at, $11)
          WHERE agency = $1 AND (SELECT weekly_limit FROM cmos WHERE agency = $1 AND cmo = $2) >= $7 + (
            SELECT coalesce(max(weeks.minutes), 0) FROM (
              SELECT sum(b.weekly_minutes) AS minutes
              FROM bookings b JOIN generate_series(0, $6 - $5 - 1, 7) AS day ON b.start_date < $5 + day + 7 AND b.end_date > $5 + day
              WHERE b.agency = $1 AND b.cmo = $2
              GROUP BY day) weeks)
          RETURNING sequence, recorded_at),
        booked AS (INSERT INTO bookings SELECT $1, $2, $3, $4, $5, $6, $7, $11 FROM head)
        INSERT INTO feed SELECT $1, sequence, recorded_at, 'booked', $2, $3, $8, $9, $10 FROM head RETURNING 1
        """;

    private const string ReleaseStatement =
        """
        WITH gone AS (DELETE FROM bookings WHERE agency = $1 AND cmo = $2 AND booking = $3 RETURNING 1),
        head AS (UPDATE heads SET sequence = sequence + 1, recorded_at = greatest(recorded_at, $7) WHERE agency = $1 AND EXISTS (SELECT FROM gone) RETURNING sequence, recorded_at)
        INSERT INTO feed SELECT $1, sequence, recorded_at, 'released', $2, $3, $4, $5, $6 FROM head RETURNING 1
        """;

    private readonly NpgsqlDataSource _source;
    private readonly PeerStyle _style;

    public PeerStore(string connectionString, int pool, PeerStyle style)
    {
        _style = style;
        // The plans are made once, and none is better than by index: as the platform's own writer.
        _source = new NpgsqlDataSourceBuilder(new NpgsqlConnectionStringBuilder(connectionString)
        {
            MaxPoolSize = pool,
            MinPoolSize = pool,
            Timeout = 60,
            MaxAutoPrepare = 20,
            AutoPrepareMinUsages = 2,
            NoResetOnClose = true,
            ApplicationName = "peer",
            Options = "-c jit=off -c plan_cache_mode=force_generic_plan -c enable_hashjoin=off -c enable_mergejoin=off -c enable_seqscan=off -c lock_timeout=30000",
        }.ConnectionString).Build();
    }

    public async Task<PeerOutcome> Book(PeerCall call, string client, DateOnly start, DateOnly end, int minutes)
    {
        try
        {
            await using var connection = await _source.OpenConnectionAsync();
            if (_style == PeerStyle.Function)
            {
                await using var command = new NpgsqlCommand(BookFunction, connection);
                Bind(command.Parameters);
                return (PeerOutcome)(int)(await command.ExecuteScalarAsync())!;
            }

            await using var batch = new NpgsqlBatch(connection) { BatchCommands = { new NpgsqlBatchCommand(LockCmo), new NpgsqlBatchCommand(BookStatement) } };
            batch.BatchCommands[0].Parameters.Add(Text(call.Agency));
            batch.BatchCommands[0].Parameters.Add(Text(call.Cmo));
            Bind(batch.BatchCommands[1].Parameters);
            await using var reader = await batch.ExecuteReaderAsync();
            if (!await reader.ReadAsync())
            {
                return PeerOutcome.Missing;
            }

            await reader.NextResultAsync();
            return await reader.ReadAsync() ? PeerOutcome.Done : PeerOutcome.TooMuch;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            return PeerOutcome.Exists;
        }

        void Bind(NpgsqlParameterCollection parameters)
        {
            parameters.Add(Text(call.Agency));
            parameters.Add(Text(call.Cmo));
            parameters.Add(Text(call.Booking));
            parameters.Add(Text(client));
            parameters.Add(new NpgsqlParameter<DateOnly> { TypedValue = start, NpgsqlDbType = NpgsqlDbType.Date });
            parameters.Add(new NpgsqlParameter<DateOnly> { TypedValue = end, NpgsqlDbType = NpgsqlDbType.Date });
            parameters.Add(new NpgsqlParameter<int> { TypedValue = minutes, NpgsqlDbType = NpgsqlDbType.Integer });
            BindRequest(parameters, call);
        }
    }

    public async Task<PeerOutcome> Release(PeerCall call)
    {
        try
        {
            await using var connection = await _source.OpenConnectionAsync();
            await using var command = new NpgsqlCommand(_style == PeerStyle.Function ? ReleaseFunction : ReleaseStatement, connection);
            command.Parameters.Add(Text(call.Agency));
            command.Parameters.Add(Text(call.Cmo));
            command.Parameters.Add(Text(call.Booking));
            BindRequest(command.Parameters, call);
            var answer = await command.ExecuteScalarAsync();
            return _style == PeerStyle.Function ? (PeerOutcome)(int)answer! : answer is null ? PeerOutcome.Missing : PeerOutcome.Done;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            return PeerOutcome.Exists;
        }
    }

    /// <summary>What was answered to a request; null: it was never done.</summary>
    public async Task<(byte[] Hash, byte[] Answer)?> Recall(string agency, Guid request)
    {
        await using var connection = await _source.OpenConnectionAsync();
        await using var command = new NpgsqlCommand("SELECT request_hash, answer FROM feed WHERE agency = $1 AND request_id = $2", connection);
        command.Parameters.Add(Text(agency));
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = request, NpgsqlDbType = NpgsqlDbType.Uuid });
        await using var reader = await command.ExecuteReaderAsync();
        return await reader.ReadAsync() ? (reader.GetFieldValue<byte[]>(0), reader.GetFieldValue<byte[]>(1)) : null;
    }

    /// <summary>Whose key has this hash; null: nobody's.</summary>
    public async Task<string?> AgencyOf(byte[] keyHash)
    {
        await using var connection = await _source.OpenConnectionAsync();
        await using var command = new NpgsqlCommand("SELECT agency FROM api_keys WHERE hash = $1", connection);
        command.Parameters.Add(Bytes(keyHash));
        return (string?)await command.ExecuteScalarAsync();
    }

    public ValueTask DisposeAsync() => _source.DisposeAsync();

    private static void BindRequest(NpgsqlParameterCollection parameters, PeerCall call)
    {
        parameters.Add(new NpgsqlParameter<Guid> { TypedValue = call.Request, NpgsqlDbType = NpgsqlDbType.Uuid });
        parameters.Add(Bytes(call.Hash));
        parameters.Add(Bytes(call.Answer));
        parameters.Add(new NpgsqlParameter<long> { TypedValue = call.Now, NpgsqlDbType = NpgsqlDbType.Bigint });
    }

    private static NpgsqlParameter<string> Text(string value) => new() { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Text };

    private static NpgsqlParameter<byte[]> Bytes(byte[] value) => new() { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Bytea };
}
