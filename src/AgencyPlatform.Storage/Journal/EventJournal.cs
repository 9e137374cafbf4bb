using System.Runtime.CompilerServices;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Storage.Engines;

namespace AgencyPlatform.Storage.Journal;

/// <summary>The journal: appends go to the one writer, reads to pooled connections.</summary>
internal sealed class EventJournal(Database database, JournalWriter writer, FenceReader fences) : IJournal
{
    private const int Page = 500;

    public ValueTask<AppendResult> Append(AppendItem item) => writer.Append(item);

    public ValueTask<FenceRead> ReadFence(AggregateKey key, Guid? request) => fences.Read(key, request);

    public async IAsyncEnumerable<StoredEvent> ReadStream(
        AggregateKey key, long after = 0, long upTo = long.MaxValue, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        while (after < upTo)
        {
            var page = await database.Query(
                $"SELECT {EventColumns.List} FROM events WHERE agency = $1 AND kind = $2 AND id = $3 AND version > $4 AND version <= $5 ORDER BY version LIMIT $6",
                SqlArguments.Of(key.Agency, key.Kind, key.Id, after, upTo, (long)Page),
                r => EventColumns.Read(database, r),
                cancellation);
            foreach (var e in page)
            {
                yield return e;
            }

            if (page.Count < Page)
            {
                yield break;
            }

            after = page[^1].Version;
        }
    }

    public async Task<IReadOnlyList<StoredEvent>> ReadFeed(AgencyId agency, long after, int limit, FeedFilter? filter = null, CancellationToken cancellation = default, long bytes = long.MaxValue)
    {
        var arguments = SqlArguments.Of(agency, after);
        var where = "agency = $1 AND sequence > $2";
        foreach (var (column, value) in new[] { ("kind", filter?.Kind), ("id", filter?.AggregateId), ("name", filter?.EventName) })
        {
            if (!string.IsNullOrEmpty(value))
            {
                where += $" AND {column} = {arguments.Add(value)}";
            }
        }

        var page = $"SELECT {EventColumns.List} FROM events WHERE {where} ORDER BY sequence LIMIT {arguments.Add((long)limit)}";
        return await database.Query(
            bytes == long.MaxValue ? page : $"""
                SELECT {EventColumns.List} FROM (
                  SELECT {EventColumns.List}, sum(length(payload)) OVER (ORDER BY sequence) - length(payload) AS ahead FROM ({page}) AS page) AS counted
                WHERE ahead < {arguments.Add(bytes)} ORDER BY sequence
                """,
            arguments,
            r => EventColumns.Read(database, r),
            cancellation);
    }

    public async Task<FeedHead> ReadHead(AgencyId agency, CancellationToken cancellation = default)
    {
        var heads = await database.Query(
            """
            SELECT s.epoch, h.sequence, h.hash, h.recorded_at, r.sequence
            FROM schema_info s LEFT JOIN heads h ON h.agency = $1 LEFT JOIN restores r ON r.agency = $1 AND r.epoch = s.epoch
            """,
            SqlArguments.Of(agency),
            r => r.IsDBNull(1)
                ? new FeedHead(database.ReadGuid(r, 0), 0, [], Instant.FromUnixTimeTicks(0), !r.IsDBNull(4))
                : new FeedHead(database.ReadGuid(r, 0), r.GetInt64(1), r.GetFieldValue<byte[]>(2), Instant.FromUnixTimeTicks(r.GetInt64(3)), !r.IsDBNull(4)),
            cancellation);
        return heads.Single();
    }
}
