using System.Globalization;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Storage.Engines;
using AgencyPlatform.Storage.Journal;
using AgencyPlatform.Storage.Membership;
using AgencyPlatform.Storage.Schema;
using AgencyPlatform.Storage.Snapshots;

namespace AgencyPlatform.Storage.Maintenance;

internal sealed class JournalMaintenance(Database database, StorageSchema schema, SnapshotStore snapshots, IJournal journal, MembershipStore? membership = null) : IJournalMaintenance
{
    private const int Page = 1000;

    public async Task EnsureSchema(CancellationToken cancellation = default)
    {
        await schema.Ensure(cancellation);
        await snapshots.Ensure(cancellation);
        if (membership is not null)
        {
            await membership.Ensure(cancellation);
        }
    }

    public Task Rebuild(IProgress<MaintenanceProgress>? progress = null, CancellationToken cancellation = default) =>
        database.Exclusively(() => new ReadModelRebuild(database).Run(database.Tables.All, deadlines: true, progress, cancellation), cancellation);

    public async Task<ChainReport> VerifyChain(AgencyId? agency = null, IProgress<MaintenanceProgress>? progress = null, CancellationToken cancellation = default)
    {
        var agencies = agency is { } one ? [one] : await ListAgencies(cancellation);
        var breaks = ImmutableArray.CreateBuilder<ChainBreak>();
        long events = 0;
        foreach (var each in agencies)
        {
            // The head first: what is appended while the chain is walked lies beyond it.
            var head = await journal.ReadHead(each, cancellation);
            var (count, found) = await Walk(each, head, cancellation);
            events += count;
            if (found is not null)
            {
                breaks.Add(found);
            }

            progress?.Report(new MaintenanceProgress(events, each.Value));
        }

        var beyond = await BeyondHeads(agency, cancellation);
        var headless = beyond.Where(b => !b.HasHead).ToList();
        breaks.AddRange(beyond.Where(b => b.HasHead || agency is null).Select(b => new ChainBreak(
            b.Agency, b.Sequence, b.HasHead ? "the event is beyond the agency's head" : "the agency has events, but no head")));
        return new ChainReport(agencies.Count + (agency is null ? headless.Count : 0), events, breaks.ToImmutable());
    }

    /// <summary>The first event of each agency that its head does not know. One statement: events and heads of one moment.</summary>
    private async Task<IReadOnlyList<(AgencyId Agency, long Sequence, bool HasHead)>> BeyondHeads(AgencyId? agency, CancellationToken cancellation)
    {
        var (arguments, where) = agency is { } one ? (SqlArguments.Of(one), " AND e.agency = $1") : (new SqlArguments(), "");
        return await database.Query(
            $"""
            SELECT e.agency, min(e.sequence), max(CASE WHEN h.agency IS NULL THEN 0 ELSE 1 END)
            FROM events e LEFT JOIN heads h ON h.agency = e.agency
            WHERE (h.agency IS NULL OR e.sequence > h.sequence){where}
            GROUP BY e.agency ORDER BY e.agency
            """,
            arguments,
            r => (new AgencyId(r.GetString(0)), r.GetInt64(1), Convert.ToInt64(r.GetValue(2), CultureInfo.InvariantCulture) == 1),
            cancellation);
    }

    public async Task<IReadOnlyList<AgencyId>> ListAgencies(CancellationToken cancellation = default) =>
        await database.Query("SELECT agency FROM heads ORDER BY agency", new SqlArguments(), r => new AgencyId(r.GetString(0)), cancellation);

    public async Task<long> CountEvents(AgencyId? agency = null, CancellationToken cancellation = default)
    {
        var (arguments, where) = agency is { } one ? (SqlArguments.Of(one), " WHERE agency = $1") : (new SqlArguments(), "");
        return (await database.Query($"SELECT count(*) FROM events{where}", arguments, r => r.GetInt64(0), cancellation)).Single();
    }

    public async Task<long> Export(TextWriter to, AgencyId? agency = null, CancellationToken cancellation = default)
    {
        long events = 0;
        foreach (var each in agency is { } one ? [one] : await ListAgencies(cancellation))
        {
            long sequence = 0;
            while (await journal.ReadFeed(each, sequence, Page, null, cancellation) is { Count: > 0 } page)
            {
                foreach (var e in page)
                {
                    await to.WriteAsync(JournalLines.Write(e) + "\n");
                }

                events += page.Count;
                sequence = page[^1].Sequence;
            }
        }

        return events;
    }

    private async Task<(long Events, ChainBreak? Break)> Walk(AgencyId agency, FeedHead head, CancellationToken cancellation)
    {
        var chain = new ChainHash();
        byte[] previous = [];
        var recordedAt = Instant.MinValue;
        long sequence = 0;
        while (sequence < head.Sequence)
        {
            var page = await journal.ReadFeed(agency, sequence, Page, null, cancellation);
            foreach (var e in page)
            {
                if (e.Sequence > head.Sequence)
                {
                    break;
                }

                ChainBreak Broken(string problem) => new(agency, e.Sequence, problem);
                if (e.Sequence != sequence + 1)
                {
                    return (sequence, Broken($"sequence {sequence + 1} is missing"));
                }

                if (!e.PreviousHash.AsSpan().SequenceEqual(previous))
                {
                    return (sequence, Broken($"event {e.Event.Id} does not continue the event before it"));
                }

                if (!chain.Of(e.Key, e.Event, e.Version, e.Sequence, e.RecordedAt.ToUnixTimeTicks(), previous).AsSpan().SequenceEqual(e.Hash))
                {
                    return (sequence, Broken($"event {e.Event.Id} is not what was hashed"));
                }

                if (e.RecordedAt < recordedAt)
                {
                    return (sequence, Broken($"event {e.Event.Id} was recorded before the event before it"));
                }

                (previous, recordedAt, sequence) = (e.Hash, e.RecordedAt, e.Sequence);
            }

            if (page.Count == 0)
            {
                return (sequence, new ChainBreak(agency, sequence + 1, $"the head says {head.Sequence} events, the last found is {sequence}"));
            }
        }

        if (!head.Hash.AsSpan().SequenceEqual(previous))
        {
            return (sequence, new ChainBreak(agency, sequence, "the head's hash is not the last event's"));
        }

        var gap = (await database.Query(
            "SELECT kind, id, max(version), count(*) FROM events WHERE agency = $1 AND sequence <= $2 GROUP BY kind, id HAVING max(version) <> count(*) ORDER BY kind, id LIMIT 1",
            SqlArguments.Of(agency, head.Sequence),
            r => $"{r.GetString(0)}/{r.GetString(1)} has {r.GetInt64(3)} events but version {r.GetInt64(2)}",
            cancellation)).SingleOrDefault();
        return (sequence, gap is null ? null : new ChainBreak(agency, sequence, gap));
    }
}
