using System.Data.Common;
using System.Globalization;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Storage.Engines;
using AgencyPlatform.Storage.Journal;
using AgencyPlatform.Storage.Membership;
using AgencyPlatform.Storage.Schema;
using AgencyPlatform.Storage.Snapshots;
using NodaTime.Text;

namespace AgencyPlatform.Storage.Maintenance;

internal sealed class JournalMaintenance(Database database, StorageSchema schema, SnapshotStore snapshots, IJournal journal, MembershipStore? membership = null) : IJournalMaintenance
{
    private const int Page = 1000;

    public Task EnsureSchema(CancellationToken cancellation = default) => Ensure(adopting: false, cancellation);

    private async Task Ensure(bool adopting, CancellationToken cancellation)
    {
        await schema.Ensure(cancellation, adopting);
        await snapshots.Ensure(cancellation);
        if (membership is not null)
        {
            await membership.Ensure(cancellation);
        }
    }

    public Task Rebuild(IProgress<MaintenanceProgress>? progress = null, CancellationToken cancellation = default) =>
        database.Exclusively(() => new ReadModelRebuild(database).Run(database.Tables.All, deadlines: true, progress, cancellation), cancellation);

    public Task BackUp(string file, CancellationToken cancellation = default) => database.BackUp(file, cancellation);

    public async Task<RestoreReport> Restore(string? file, CancellationToken cancellation = default)
    {
        if (file is not null)
        {
            await database.PutCopy(file, cancellation);
        }

        await Ensure(adopting: true, cancellation);
        var epoch = Guid.CreateVersion7();
        await database.Exclusively(() => database.Write(connection => Adopt(connection, epoch, cancellation), lockJournal: true, cancellation), cancellation);
        var numbers = database.Tables.Of(typeof(InvoiceNumberRow));
        string Column(string property) => numbers.Property(property).Quoted;
        var (entity, name) = (Column(nameof(InvoiceNumberRow.LegalEntity)), Column(nameof(InvoiceNumberRow.Series)));
        var (number, date) = (Column(nameof(InvoiceNumberRow.Number)), Column(nameof(InvoiceNumberRow.IssueDate)));
        var series = await database.Query(
            $"""
            SELECT agency, {entity}, {name}, {number}, {date} FROM (
              SELECT agency, {entity}, {name}, {number}, {date}, ROW_NUMBER() OVER (PARTITION BY agency, {entity}, {name} ORDER BY {date} DESC, {number} DESC) AS place FROM {numbers.Name}) n
            WHERE place = 1 ORDER BY 1, 2, 3
            """,
            new SqlArguments(),
            r => new RestoredSeries(new AgencyId(r.GetString(0)), $"{r.GetString(1)}/{r.GetString(2)}", r.GetInt64(3), LocalDatePattern.Iso.Parse(r.GetString(4)).Value),
            cancellation);
        return new RestoreReport(epoch, (await ListAgencies(cancellation)).Count, await CountEvents(null, cancellation), [.. series]);
    }

    private async Task Adopt(DbConnection connection, Guid epoch, CancellationToken cancellation)
    {
        if (await database.ServingSessions(connection, cancellation) is var sessions and > 0)
        {
            throw new SchemaException($"{sessions} sessions of a serving program are open on the database: stop every host, then adopt it.");
        }

        // A program that does not know of locked series must not serve them.
        await Run("UPDATE schema_info SET epoch = $1, oldest_program = CASE WHEN oldest_program < $2 THEN $2 ELSE oldest_program END", epoch, (long)Migrations.KnowsRestores);
        await Run("INSERT INTO restores (agency, epoch, sequence) SELECT agency, $1, sequence FROM heads", epoch);

        // Whoever had taken them is not of this database.
        await Run("UPDATE deadlines SET lease_until = 0");
        if (membership is not null)
        {
            await membership.Forget(connection, cancellation);
        }

        await Run($"DROP TABLE IF EXISTS {SqliteCopy.Mark}");

        Task Run(string sql, params ReadOnlySpan<object?> values) => database.Execute(connection, sql, new SqlArguments(values), cancellation);
    }

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

        var beyond = (await BeyondHeads(agency, cancellation)).Where(b => breaks.All(known => known.Agency != b.Agency)).ToList();
        breaks.AddRange(beyond);
        return new ChainReport(agencies.Union(beyond.Select(b => b.Agency)).Count(), events, breaks.ToImmutable());
    }

    /// <summary>The first event of each agency that its head does not know. One statement: events and heads of one moment.</summary>
    private async Task<IReadOnlyList<ChainBreak>> BeyondHeads(AgencyId? agency, CancellationToken cancellation)
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
            r => new ChainBreak(
                new AgencyId(r.GetString(0)), r.GetInt64(1),
                Convert.ToInt64(r.GetValue(2), CultureInfo.InvariantCulture) == 1 ? "the event is beyond the agency's head" : "the agency has events, but no head"),
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
