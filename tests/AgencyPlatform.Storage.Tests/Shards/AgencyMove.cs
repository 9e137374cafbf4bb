using System.Data;
using AgencyPlatform.Domain;
using AgencyPlatform.Storage.Engines;
using AgencyPlatform.Storage.Journal;
using Npgsql;

namespace AgencyPlatform.Storage.Tests.Shards;

/// <summary>What of a move is durable; <see cref="Copying"/> and <see cref="Retiring"/> are right before the commit.</summary>
public enum MoveStep
{
    Noted,
    Expected,
    Copying,
    Copied,
    Fenced,
    CaughtUp,
    Decided,
    Opened,
    Retiring,
    Retired,
}

/// <summary>
/// Moves an agency to another database while it is served, as the owner's role of each. At every moment at most one place takes its appends. All that a
/// move knows stands in the databases (the map's row, and the fences in the two head rows, which name the move): whoever resumes it goes on where it is,
/// and every step compares and sets, so that one who comes late changes nothing.
/// </summary>
/// <param name="owners">The places, by name.</param>
/// <param name="events">Reads events as they are stored; of any place.</param>
/// <param name="reached">Called at every step; what it throws is a crash of the move there.</param>
internal sealed class AgencyMove(NpgsqlDataSource home, IReadOnlyDictionary<string, NpgsqlDataSource> owners, Database events, Func<MoveStep, Task>? reached = null)
{
    /// <summary>So few events are copied while appends are refused.</summary>
    private const long Few = 64;

    /// <summary>An agency that is written faster than it is copied is fenced all the same after so many passes.</summary>
    private const int Passes = 20;

    private sealed record Noted(Guid Move, string Place, string Source, string Destination);

    private sealed record HeadRow(long Sequence, byte[] Hash, long RecordedAt, long Closings, long Sandbox, Guid? Epoch, Guid? Fence);

    /// <summary>Connections of a place's owner. What is copied must be on the destination's disk before the source is retired, whatever the server's default is.</summary>
    public static NpgsqlDataSource Connect(string owner) =>
        NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(owner) { Options = "-c synchronous_commit=on" });

    /// <summary>Puts a new agency on the map and admits it at its place; repeated, it changes nothing.</summary>
    public async Task Admit(AgencyId agency, string place)
    {
        await using (var connection = await home.OpenConnectionAsync())
        {
            await Execute(connection, "INSERT INTO agency_places (agency, place) VALUES ($1, $2) ON CONFLICT DO NOTHING", agency.Value, place);
            place = await One(connection, "SELECT place FROM agency_places WHERE agency = $1", r => r.GetString(0), agency.Value) ?? place;
        }

        await using var at = await owners[place].OpenConnectionAsync();
        await Execute(at, "INSERT INTO heads (agency, sequence, hash, recorded_at, closings, sandbox) VALUES ($1, 0, '', 0, 0, 0) ON CONFLICT DO NOTHING", agency.Value);
    }

    /// <summary>Begins a move and takes it to its end.</summary>
    public async Task Run(AgencyId agency, string destination)
    {
        await using (var connection = await home.OpenConnectionAsync())
        {
            if (await Execute(
                connection,
                "UPDATE agency_places SET move = $2, source = place, destination = $3 WHERE agency = $1 AND move IS NULL AND place <> $3",
                agency.Value, Guid.CreateVersion7(), destination) == 0)
            {
                throw new InvalidOperationException($"{agency} is not on the map, is at {destination} already, or is being moved.");
            }
        }

        await Reached(MoveStep.Noted);
        await Resume(agency);
    }

    /// <summary>Takes a move that was begun to its end; without one it does nothing.</summary>
    public async Task Resume(AgencyId agency)
    {
        if (await Note(agency) is not { } move)
        {
            return;
        }

        if (move.Place != move.Destination)
        {
            await Expect(agency, move);
            for (var pass = 1; await Copy(agency, move) > Few && pass < Passes; pass++)
            {
                await Reached(MoveStep.Copied);
            }

            await Reached(MoveStep.Copied);
            await Fence(agency, move);
            await Reached(MoveStep.Fenced);
            await Copy(agency, move);
            await Reached(MoveStep.CaughtUp);
            await Decide(agency, "UPDATE agency_places SET place = destination WHERE agency = $1 AND move = $2 AND place = source", move);
            await Reached(MoveStep.Decided);
        }

        await End(agency, move);
    }

    /// <summary>Takes back a move that is not decided yet: the agency is served where it was.</summary>
    public async Task Undo(AgencyId agency)
    {
        if (await Note(agency) is not { } move)
        {
            return;
        }

        // The same row that would decide for the destination decides for the source: one of the two.
        await Decide(agency, "UPDATE agency_places SET source = destination, destination = source WHERE agency = $1 AND move = $2 AND place = source", move);
        await End(agency, (await Note(agency))!);
    }

    private async Task End(AgencyId agency, Noted move)
    {
        await using (var at = await owners[move.Destination].OpenConnectionAsync())
        {
            await Execute(at, "UPDATE heads SET fence = NULL WHERE agency = $1 AND fence = $2", agency.Value, move.Move);
        }

        await Reached(MoveStep.Opened);
        await Retire(agency, move);
        await Reached(MoveStep.Retired);
        await using var connection = await home.OpenConnectionAsync();
        await Execute(connection, "UPDATE agency_places SET move = NULL, source = NULL, destination = NULL WHERE agency = $1 AND move = $2", agency.Value, move.Move);
    }

    /// <summary>An empty, fenced head at the destination, which no append can move; what an earlier stay has left goes.</summary>
    private async Task Expect(AgencyId agency, Noted move)
    {
        await using var source = await owners[move.Source].OpenConnectionAsync();
        await using var target = await owners[move.Destination].OpenConnectionAsync();
        if (await Shape(source) is var shape && shape != await Shape(target))
        {
            throw new InvalidOperationException($"{move.Source} and {move.Destination} are not of one shape: migrate both.");
        }

        await using (var transaction = await target.BeginTransactionAsync())
        {
            if (await Head(target, agency, lockIt: true) is { } head)
            {
                if (head.Fence == move.Move)
                {
                    return;
                }

                if (head.Fence is null)
                {
                    throw new InvalidOperationException($"{move.Destination} serves {agency}.");
                }
            }

            await Clear(target, agency, move);
            await transaction.CommitAsync();
        }

        await Reached(MoveStep.Expected);
    }

    /// <summary>
    /// Brings the destination to the source's state of one moment: new events, and of what is derived the rows of the aggregates that these belong to. Their
    /// chain is computed again from what then stands there. Tells how many events were new.
    /// </summary>
    private async Task<long> Copy(AgencyId agency, Noted move)
    {
        await using var source = await owners[move.Source].OpenConnectionAsync();
        await using var target = await owners[move.Destination].OpenConnectionAsync();
        await using var moment = await source.BeginTransactionAsync(IsolationLevel.RepeatableRead);
        await using var transaction = await target.BeginTransactionAsync();
        var arrived = await Head(target, agency, lockIt: true);
        if (arrived?.Fence != move.Move)
        {
            throw new InvalidOperationException($"{move.Destination} does not wait for {agency} by this move: somebody else went on with it.");
        }

        var head = await Head(source, agency, lockIt: false) ?? throw new InvalidOperationException($"{move.Source} has no {agency}.");
        if (head.Sequence == arrived.Sequence)
        {
            return 0;
        }

        var mine = $"agency = {Literal(agency.Value)}";
        var news = $"{mine} AND sequence > {arrived.Sequence} AND sequence <= {head.Sequence}";
        await CopyRows(source, target, "events", EventColumns.All.Select(c => c.Name), news);
        await Verify(target, agency, arrived, head);
        foreach (var (table, columns) in await Tables(target))
        {
            // A row belongs to one aggregate, and changes with an event of it. Whose changes no column tells (people, closed periods) is copied whole.
            var changed = columns switch
            {
                _ when columns.Contains("owner") => $"{mine} AND owner IN (SELECT kind || '/' || id FROM events WHERE {news})",
                _ when columns.Contains("kind") => $"{mine} AND (kind, id) IN (SELECT kind, id FROM events WHERE {news})",
                _ => mine,
            };
            await Execute(target, $"DELETE FROM {table} WHERE {changed}");
            await CopyRows(source, target, table, columns, changed);
        }

        // Whoever had claimed them did so at the other place.
        await Execute(target, $"UPDATE deadlines SET lease_until = 0 WHERE {mine} AND lease_until > 0");
        await PutHead(target, agency, head with { Fence = move.Move });
        await Reached(MoveStep.Copying);
        await transaction.CommitAsync();
        return head.Sequence - arrived.Sequence;
    }

    /// <summary>From here on the source takes no append of the agency. What commits before it is copied after it.</summary>
    private async Task Fence(AgencyId agency, Noted move)
    {
        await using var source = await owners[move.Source].OpenConnectionAsync();
        await Execute(source, "UPDATE heads SET fence = $2 WHERE agency = $1 AND fence IS NULL", agency.Value, move.Move);
        if ((await Head(source, agency, lockIt: false))?.Fence != move.Move)
        {
            throw new InvalidOperationException($"{agency} at {move.Source} is fenced by another move.");
        }
    }

    private async Task Decide(AgencyId agency, string how, Noted move)
    {
        await using var connection = await home.OpenConnectionAsync();
        if (await Execute(connection, how, agency.Value, move.Move) == 0)
        {
            throw new InvalidOperationException($"The move of {agency} is decided already.");
        }
    }

    /// <summary>Leaves nothing but a fenced head, which refuses those who have not heard of the move.</summary>
    private async Task Retire(AgencyId agency, Noted move)
    {
        await using var source = await owners[move.Source].OpenConnectionAsync();
        await using var transaction = await source.BeginTransactionAsync();
        if ((await Head(source, agency, lockIt: true))?.Fence == move.Move)
        {
            await Clear(source, agency, move);
            await Reached(MoveStep.Retiring);
            await transaction.CommitAsync();
        }
    }

    private static async Task Clear(NpgsqlConnection at, AgencyId agency, Noted move)
    {
        foreach (var table in (await Tables(at)).Keys.Append("events"))
        {
            await Execute(at, $"DELETE FROM {table} WHERE agency = $1", agency.Value);
        }

        await PutHead(at, agency, new HeadRow(0, [], 0, 0, 0, null, move.Move));
    }

    /// <summary>Computes the chain of the new events from what is stored at the destination.</summary>
    private async Task Verify(NpgsqlConnection target, AgencyId agency, HeadRow from, HeadRow to)
    {
        var chain = new ChainHash();
        var (sequence, hash) = (from.Sequence, from.Hash);
        await using var command = Command(target, $"SELECT {EventColumns.List} FROM events WHERE agency = $1 AND sequence > $2 ORDER BY sequence", agency.Value, from.Sequence);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            var e = EventColumns.Read(events, reader);
            hash = chain.Of(e.Key, e.Event, e.Version, ++sequence, e.RecordedAt.ToUnixTimeTicks(), hash);
            if (e.Sequence != sequence || !hash.AsSpan().SequenceEqual(e.Hash))
            {
                throw new InvalidOperationException($"Event {sequence} of {agency} does not continue the chain: `journal verify` the source.");
            }
        }

        if (sequence != to.Sequence || !hash.AsSpan().SequenceEqual(to.Hash))
        {
            throw new InvalidOperationException($"The copied events of {agency} end at {sequence}, the head at {to.Sequence}, or by another hash.");
        }
    }

    private async Task<Noted?> Note(AgencyId agency)
    {
        await using var connection = await home.OpenConnectionAsync();
        return await One(
            connection, "SELECT move, place, source, destination FROM agency_places WHERE agency = $1 AND move IS NOT NULL",
            r => new Noted(r.GetGuid(0), r.GetString(1), r.GetString(2), r.GetString(3)), agency.Value);
    }

    private static Task<HeadRow?> Head(NpgsqlConnection at, AgencyId agency, bool lockIt) => One(
        at,
        $"""
        SELECT h.sequence, h.hash, h.recorded_at, h.closings, h.sandbox, coalesce(h.epoch, s.epoch), h.fence
        FROM heads h CROSS JOIN schema_info s WHERE h.agency = $1{(lockIt ? " FOR UPDATE OF h" : "")}
        """,
        r => new HeadRow(r.GetInt64(0), r.GetFieldValue<byte[]>(1), r.GetInt64(2), r.GetInt64(3), r.GetInt64(4), r.GetGuid(5), r.IsDBNull(6) ? null : r.GetGuid(6)),
        agency.Value);

    /// <summary>Put anew, since the trigger lets nobody move a fenced one.</summary>
    private static async Task PutHead(NpgsqlConnection at, AgencyId agency, HeadRow head)
    {
        await Execute(at, "DELETE FROM heads WHERE agency = $1", agency.Value);
        await Execute(
            at,
            "INSERT INTO heads (agency, sequence, hash, recorded_at, closings, sandbox, epoch, fence) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            agency.Value, head.Sequence, head.Hash, head.RecordedAt, head.Closings, head.Sandbox, (object?)head.Epoch ?? DBNull.Value, head.Fence!);
    }

    /// <summary>The schema's version and every column of every table: the two places must be alike.</summary>
    private static async Task<string> Shape(NpgsqlConnection at) =>
        await One(at, "SELECT version::text FROM schema_info", r => r.GetString(0)) +
        string.Join(';', (await Tables(at)).OrderBy(t => t.Key, StringComparer.Ordinal).Select(t => $"{t.Key}({string.Join(',', t.Value.Order(StringComparer.Ordinal))})"));

    /// <summary>Every table of tenants but events and heads, with its columns: what a later release adds moves too.</summary>
    private static async Task<Dictionary<string, List<string>>> Tables(NpgsqlConnection at)
    {
        var columns = new List<(string Table, string Column)>();
        await using var command = Command(
            at, "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT IN ('events', 'heads', 'agency_places') ORDER BY ordinal_position");
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            columns.Add((reader.GetString(0), reader.GetString(1)));
        }

        return columns.GroupBy(c => c.Table).Where(t => t.Any(c => c.Column == "agency")).ToDictionary(t => t.Key, t => t.Select(c => c.Column).ToList());
    }

    private static async Task CopyRows(NpgsqlConnection source, NpgsqlConnection target, string table, IEnumerable<string> columns, string where)
    {
        var list = string.Join(", ", columns.Select(c => $"\"{c}\""));
        await using var from = await source.BeginRawBinaryCopyAsync($"COPY (SELECT {list} FROM {table} WHERE {where}) TO STDOUT (FORMAT BINARY)");
        await using var to = await target.BeginRawBinaryCopyAsync($"COPY {table} ({list}) FROM STDIN (FORMAT BINARY)");
        await from.CopyToAsync(to);
    }

    private static async Task<int> Execute(NpgsqlConnection at, string sql, params object[] values)
    {
        await using var command = Command(at, sql, values);
        return await command.ExecuteNonQueryAsync();
    }

    private static async Task<T?> One<T>(NpgsqlConnection at, string sql, Func<NpgsqlDataReader, T> map, params object[] values) where T : class
    {
        await using var command = Command(at, sql, values);
        await using var reader = await command.ExecuteReaderAsync();
        return await reader.ReadAsync() ? map(reader) : null;
    }

    private static NpgsqlCommand Command(NpgsqlConnection at, string sql, params object[] values)
    {
        var command = new NpgsqlCommand(sql, at);
        foreach (var value in values)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        return command;
    }

    // COPY takes no parameters.
    private static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    private Task Reached(MoveStep step) => reached?.Invoke(step) ?? Task.CompletedTask;
}
