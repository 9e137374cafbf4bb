using System.Data.Common;
using AgencyPlatform.Storage.Engines;
using AgencyPlatform.Storage.Journal;

namespace AgencyPlatform.Storage.Maintenance;

/// <summary>What comparing read models with the journal came to.</summary>
/// <param name="First">The first difference, for people; null: there is none.</param>
internal sealed record ReadModelComparison(long Events, long Rows, long Differences, string? First);

/// <summary>The same replay, compared with the rows that stand instead of written.</summary>
internal sealed partial class ReadModelRebuild
{
    /// <summary>
    /// Compares the rows that the journal alone gives with those that stand, agency by agency, each in a snapshot of its own, so that what is appended
    /// meanwhile is seen in both or in neither.
    /// </summary>
    public async Task<ReadModelComparison> Compare(IProgress<MaintenanceProgress>? progress, CancellationToken cancellation)
    {
        var tables = database.Tables.All;
        var chosen = tables.Select(t => t.Type).ToHashSet();
        long events = 0, rows = 0, differences = 0;
        string? first = null;
        foreach (var (agency, _) in await Heads(null, cancellation))
        {
            await database.Snapshot(async connection =>
            {
                var expected = tables.ToDictionary(t => t.Name, _ => 0L);
                var start = new AggregateKey(new AgencyId(agency), "", "");
                for (var last = start; ;)
                {
                    var page = (await Aggregates(connection, last, cancellation)).TakeWhile(k => k.Agency == start.Agency).ToList();
                    foreach (var key in page)
                    {
                        var (_, replayed, count) = await Replay(connection, key, chosen, cancellation);
                        events += count;
                        foreach (var row in replayed)
                        {
                            rows++;
                            expected[row.Table.Name]++;
                            if (await Difference(connection, key, row, cancellation) is { } difference)
                            {
                                differences++;
                                first ??= difference;
                            }
                        }
                    }

                    if (page.Count < Page)
                    {
                        break;
                    }

                    last = page[^1];
                }

                // Every expected row was found by its key: more rows than those are nobody's.
                foreach (var (table, count) in expected)
                {
                    var standing = (await database.Query(connection, $"SELECT count(*) FROM {table} WHERE agency = $1", new SqlArguments(agency), r => r.GetInt64(0), cancellation)).Single();
                    if (standing > count)
                    {
                        differences += standing - count;
                        first ??= $"{table} has {standing} rows of {agency}, the journal gives {count}";
                    }
                }
            }, cancellation);
            progress?.Report(new MaintenanceProgress(events, agency));
        }

        return new ReadModelComparison(events, rows, differences, first);
    }

    private async Task<string?> Difference(DbConnection connection, AggregateKey key, RowWrite row, CancellationToken cancellation)
    {
        var table = row.Table;
        var arguments = new SqlArguments(key.Agency.Value);
        var where = string.Join(" AND ", table.Key.Select(k => $"{table.Columns[k].Quoted} = {arguments.Add(row.Values[k])}"));
        var standing = (await database.Query(
            connection, $"SELECT owner, {table.QuotedColumns} FROM {table.Name} WHERE agency = $1 AND {where}", arguments,
            r => (Owner: r.GetString(0), Values: table.Columns.Select((c, i) => Stored(r, i + 1, c.Kind)).ToArray()), cancellation)).SingleOrDefault();
        var name = $"{table.Name} {key.Agency}/{table.KeyOf(row.Values)}";
        if (standing.Values is null)
        {
            return $"{name} is missing";
        }

        for (var i = 0; i < row.Values.Length; i++)
        {
            if (!Same(row.Values[i], standing.Values[i]))
            {
                return $"{name}: the column {table.Columns[i].Name} is not what the journal gives";
            }
        }

        return standing.Owner == $"{key.Kind}/{key.Id}" ? null : $"{name} is said to be of {standing.Owner}";
    }

    private object? Stored(DbDataReader reader, int column, StoredKind kind) => reader.IsDBNull(column)
        ? null
        : kind switch
        {
            StoredKind.Text => reader.GetString(column),
            StoredKind.Long => reader.GetInt64(column),
            StoredKind.Blob => reader.GetFieldValue<byte[]>(column),
            _ => database.ReadGuid(reader, column),
        };

    private static bool Same(object? one, object? other) => one is byte[] a && other is byte[] b ? a.AsSpan().SequenceEqual(b) : Equals(one, other);
}
