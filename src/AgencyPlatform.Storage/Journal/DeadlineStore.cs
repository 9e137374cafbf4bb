using System.Data.Common;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Storage.Engines;

namespace AgencyPlatform.Storage.Journal;

/// <summary>The due aggregates, leased to one scanner at a time.</summary>
internal sealed class DeadlineStore(Database database) : IDeadlines
{
    public async Task<IReadOnlyList<DueDeadline>> Claim(Instant now, Duration lease, int limit, int perAgency, CancellationToken cancellation = default)
    {
        try
        {
            var due = await database.ClaimDeadlines(now, lease, limit, perAgency, cancellation);
            return [.. due.OrderBy(d => d.DueAt).ThenBy(d => d.Key.Agency).ThenBy(d => d.Key.Kind, StringComparer.Ordinal).ThenBy(d => d.Key.Id, StringComparer.Ordinal)];
        }
        catch (Exception e) when (database.IsTrouble(e))
        {
            throw new UnavailableException($"Deadlines cannot be claimed: {e.Message}");
        }
    }

    public async Task BackOff(AggregateKey key, Instant retryAt, CancellationToken cancellation = default)
    {
        try
        {
            await database.Execute(
                "UPDATE deadlines SET lease_until = $4, attempts = attempts + 1 WHERE agency = $1 AND kind = $2 AND id = $3",
                SqlArguments.Of(key.Agency, key.Kind, key.Id, retryAt.ToUnixTimeTicks()),
                cancellation);
        }
        catch (Exception e) when (database.IsTrouble(e))
        {
            throw new UnavailableException($"A deadline cannot be put back: {e.Message}");
        }
    }

    public async Task<IReadOnlyList<DueDeadline>> Due(AgencyId agency, Instant upTo, int limit, CancellationToken cancellation = default) =>
        await database.Query(
            $"SELECT agency, kind, id, due_at, attempts FROM deadlines WHERE agency = $1 AND due_at <= $2 AND {OfTheAgencysTime} ORDER BY due_at, kind, id LIMIT $3",
            SqlArguments.Of(agency, upTo.ToUnixTimeTicks(), (long)limit),
            Due,
            cancellation);

    /// <summary>Rows that say when time changes something of an agency, and are done then.</summary>
    internal static string OfTheAgencysTime { get; } = $"kind NOT IN ({string.Join(", ", AggregateCatalogue.WokenBySystemClock.Select(kind => $"'{kind}'"))})";

    internal static DueDeadline Due(DbDataReader r) =>
        new(new AggregateKey(new AgencyId(r.GetString(0)), r.GetString(1), r.GetString(2)), Instant.FromUnixTimeTicks(r.GetInt64(3)), checked((int)r.GetInt64(4)));
}
