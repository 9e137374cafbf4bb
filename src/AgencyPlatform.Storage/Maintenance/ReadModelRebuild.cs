using System.Data.Common;
using AgencyPlatform.Storage.Engines;
using AgencyPlatform.Storage.Journal;
using AgencyPlatform.Storage.ReadModels;

namespace AgencyPlatform.Storage.Maintenance;

/// <summary>
/// Fills read-model tables from the journal alone, beside the live ones, and swaps them in. Aggregates are replayed one after
/// the other, so memory stays flat. What is appended meanwhile is caught up with under a short lock of the journal.
/// </summary>
internal sealed partial class ReadModelRebuild(Database database)
{
    private const int Page = 1000;

    public async Task Run(IReadOnlyList<RowTable> tables, bool deadlines, IProgress<MaintenanceProgress>? progress, CancellationToken cancellation)
    {
        var chosen = tables.Select(t => t.Type).ToHashSet();
        var before = new Dictionary<string, long>(StringComparer.Ordinal);
        await database.Write(async connection =>
        {
            foreach (var table in tables)
            {
                await database.Execute(connection, $"DROP TABLE IF EXISTS {Filling(table)}", new SqlArguments(), cancellation);
                foreach (var statement in table.Ddl(database, Filling(table)))
                {
                    await database.Execute(connection, statement, new SqlArguments(), cancellation);
                }
            }
        }, lockJournal: false, cancellation);
        foreach (var (agency, sequence) in await Heads(null, cancellation))
        {
            before[agency] = sequence;
        }

        long events = 0;
        AggregateKey? last = null;
        while (true)
        {
            var page = await Aggregates(null, last, cancellation);
            foreach (var chunk in page.Chunk(100))
            {
                var replayed = new List<(AggregateKey, IReplay, List<RowWrite>)>();
                foreach (var key in chunk)
                {
                    var (replay, rows, count) = await Replay(null, key, chosen, cancellation);
                    replayed.Add((key, replay, rows));
                    events += count;
                }

                await database.Write(async connection =>
                {
                    foreach (var (key, _, rows) in replayed)
                    {
                        await Insert(connection, key, rows, cancellation);
                    }
                }, lockJournal: false, cancellation);
                progress?.Report(new MaintenanceProgress(events, chunk[^1].ToString()));
            }

            if (page.Count < Page)
            {
                break;
            }

            last = page[^1];
        }

        await database.Write(async connection =>
        {
            foreach (var (agency, sequence) in await Heads(connection, cancellation))
            {
                var from = before.GetValueOrDefault(agency);
                if (sequence == from)
                {
                    continue;
                }

                var moved = await database.Query(
                    connection,
                    "SELECT DISTINCT kind, id FROM events WHERE agency = $1 AND sequence > $2",
                    new SqlArguments(agency, from),
                    r => new AggregateKey(new AgencyId(agency), r.GetString(0), r.GetString(1)),
                    cancellation);
                var again = new List<(AggregateKey Key, List<RowWrite> Rows)>();
                foreach (var key in moved)
                {
                    foreach (var table in tables)
                    {
                        await database.Execute(connection, $"DELETE FROM {Filling(table)} WHERE agency = $1 AND owner = $2", new SqlArguments(agency, $"{key.Kind}/{key.Id}"), cancellation);
                    }

                    again.Add((key, (await Replay(connection, key, chosen, cancellation)).Rows));
                }

                foreach (var (key, rows) in again)
                {
                    await Insert(connection, key, rows, cancellation);
                }
            }

            foreach (var table in tables)
            {
                await database.Execute(connection, $"DROP TABLE IF EXISTS {table.Name}", new SqlArguments(), cancellation);
                await database.Execute(connection, $"ALTER TABLE {Filling(table)} RENAME TO {table.Name}", new SqlArguments(), cancellation);
                await Finish(database, connection, table, cancellation);
            }

            if (deadlines)
            {
                await RebuildDeadlines(connection, cancellation);
            }
        }, lockJournal: true, cancellation);
    }

    /// <summary>Creates a table that has nothing to be filled with.</summary>
    public static async Task Create(Database database, DbConnection connection, RowTable table, CancellationToken cancellation)
    {
        foreach (var statement in table.Ddl(database, table.Name))
        {
            await database.Execute(connection, statement, new SqlArguments(), cancellation);
        }

        await Finish(database, connection, table, cancellation);
    }

    private static async Task Finish(Database database, DbConnection connection, RowTable table, CancellationToken cancellation)
    {
        foreach (var statement in table.IndexDdl())
        {
            await database.Execute(connection, statement, new SqlArguments(), cancellation);
        }

        await database.Execute(
            connection,
            "INSERT INTO read_models (name, definition) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET definition = excluded.definition",
            new SqlArguments(table.Name, table.Definition),
            cancellation);
    }

    private static string Filling(RowTable table) => $"{table.Name}__filling";

    private async Task RebuildDeadlines(DbConnection connection, CancellationToken cancellation)
    {
        await database.Execute(connection, "DELETE FROM deadlines", new SqlArguments(), cancellation);
        AggregateKey? last = null;
        while (true)
        {
            var page = await Aggregates(connection, last, cancellation);
            foreach (var key in page)
            {
                var (replay, _, _) = await Replay(connection, key, [], cancellation);
                if (replay.NextDue is { } due)
                {
                    await database.Execute(
                        connection,
                        "INSERT INTO deadlines (agency, kind, id, due_at, lease_until, attempts, sandbox) SELECT $1, $2, $3, $4, 0, 0, sandbox * $5 FROM heads WHERE agency = $1",
                        new SqlArguments(key.Agency.Value, key.Kind, key.Id, due.ToUnixTimeTicks(), replay.WakesBySystemClock ? 0L : 1L),
                        cancellation);
                }
            }

            if (page.Count < Page)
            {
                return;
            }

            last = page[^1];
        }
    }

    private async Task Insert(DbConnection connection, AggregateKey key, List<RowWrite> rows, CancellationToken cancellation)
    {
        foreach (var row in rows)
        {
            var arguments = new SqlArguments(key.Agency.Value, $"{key.Kind}/{key.Id}");
            var values = string.Join(", ", row.Values.Select(arguments.Add));
            await database.Execute(
                connection,
                $"INSERT INTO {Filling(row.Table)} (agency, owner, {row.Table.QuotedColumns}) VALUES ($1, $2, {values}) ON CONFLICT ({row.Table.QuotedKey}) DO UPDATE SET {row.Table.Replacement}",
                arguments,
                cancellation);
        }
    }

    /// <summary>The aggregate's last state and the rows that stand after its last event.</summary>
    private async Task<(IReplay Replay, List<RowWrite> Rows, long Events)> Replay(DbConnection? connection, AggregateKey key, HashSet<Type> chosen, CancellationToken cancellation)
    {
        var replay = AggregateCatalogue.Replay(key.Kind);
        var rows = new Dictionary<(string, string), RowWrite>();
        long version = 0;
        while (true)
        {
            var arguments = new SqlArguments(key.Agency.Value, key.Kind, key.Id, version, (long)Page);
            var page = await Read(
                connection,
                $"SELECT {EventColumns.List} FROM events WHERE agency = $1 AND kind = $2 AND id = $3 AND version > $4 ORDER BY version LIMIT $5",
                arguments,
                r => EventColumns.Read(database, r),
                cancellation);
            foreach (var stored in page)
            {
                version = stored.Version;
                var e = EventJson.Deserialize(stored.Event.Name, stored.Event.SchemaVersion, stored.Event.Payload);
                foreach (var change in replay.Apply(e, new EventInfo(key.Agency, key.Id, stored.Version, stored.Event.OccurredAt)))
                {
                    var row = change switch
                    {
                        Put put => put.Row,
                        Claim claim => claim.Row,
                        Drop drop => drop.Row,
                        _ => throw new InvalidOperationException($"{change.GetType().Name} is no row change that storage knows."),
                    };
                    if (!chosen.Contains(row.GetType()))
                    {
                        continue;
                    }

                    var table = database.Tables.Of(row.GetType());
                    var values = table.Read(row);
                    if (change is Drop)
                    {
                        rows.Remove((table.Name, table.KeyOf(values)));
                    }
                    else
                    {
                        rows[(table.Name, table.KeyOf(values))] = new RowWrite(table, RowOperation.Put, values);
                    }
                }
            }

            if (page.Count < Page)
            {
                return (replay, [.. rows.Values], version);
            }
        }
    }

    private async Task<List<(string Agency, long Sequence)>> Heads(DbConnection? connection, CancellationToken cancellation) =>
        await Read(connection, "SELECT agency, sequence FROM heads ORDER BY agency", new SqlArguments(), r => (r.GetString(0), r.GetInt64(1)), cancellation);

    private async Task<List<AggregateKey>> Aggregates(DbConnection? connection, AggregateKey? after, CancellationToken cancellation)
    {
        var arguments = new SqlArguments();
        var where = after is { } key ? $"AND (agency, kind, id) > ({arguments.Add(key.Agency.Value)}, {arguments.Add(key.Kind)}, {arguments.Add(key.Id)})" : "";
        return await Read(
            connection,
            $"SELECT agency, kind, id FROM events WHERE version = 1 {where} ORDER BY agency, kind, id LIMIT {Page}",
            arguments,
            r => new AggregateKey(new AgencyId(r.GetString(0)), r.GetString(1), r.GetString(2)),
            cancellation);
    }

    private Task<List<T>> Read<T>(DbConnection? connection, string sql, SqlArguments arguments, Func<DbDataReader, T> map, CancellationToken cancellation) =>
        connection is null ? database.Query(sql, arguments, map, cancellation) : database.Query(connection, sql, arguments, map, cancellation);
}
