using System.Data.Common;
using System.Globalization;
using System.Runtime.CompilerServices;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Storage.Engines;
using AgencyPlatform.Storage.Journal;
using AgencyPlatform.Storage.Schema;
using AgencyPlatform.Storage.Snapshots;

namespace AgencyPlatform.Storage.Maintenance;

internal sealed class DatabaseDoctor(Database database, IJournalMaintenance maintenance, SnapshotStore snapshots) : IDatabaseDoctor
{
    private static readonly Duration s_late = Duration.FromMinutes(10);

    public async IAsyncEnumerable<Finding> Examine(bool quick, IProgress<MaintenanceProgress>? progress = null, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        (string Subject, Func<CancellationToken, Task<Finding>> Look)[] checks =
        [
            .. database.Checks(quick), ("schema", Schema), ("feeds", Feeds), ("series", Series), ("closings", Closings), ("deadlines", Deadlines), ("snapshots", Snapshots),
        ];
        if (!quick)
        {
            checks = [.. checks, ("journal", c => Journal(progress, c)), ("read models", c => ReadModels(progress, c))];
        }

        foreach (var (subject, look) in checks)
        {
            var finding = await Guarded(look, cancellation);
            yield return finding with { Subject = subject };
            if (subject is "database" or "schema" && finding.Health == Health.Failed)
            {
                // What follows would only say the same.
                yield break;
            }
        }
    }

    private async Task<Finding> Guarded(Func<CancellationToken, Task<Finding>> look, CancellationToken cancellation)
    {
        try
        {
            return await look(cancellation);
        }
        catch (Exception e) when (database.IsForbidden(e))
        {
            return new Finding(Health.Warning, "not looked at: this role sees only the agencies that it names. Run it as the owner's role too");
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Whatever it is, it is a finding: the drivers throw of many kinds.
            return new Finding(Health.Failed, e.Message);
        }
    }

    private async Task<Finding> Schema(CancellationToken cancellation)
    {
        var there = false;
        await database.Snapshot(async connection => there = await database.TableExists(connection, "schema_info", cancellation), cancellation);
        if (!there)
        {
            return new Finding(Health.Failed, "the database has no tables of this program: run `migrate`");
        }

        var (version, oldest) = await database.One("SELECT version, oldest_program FROM schema_info", r => (r.GetInt64(0), r.GetInt64(1)), cancellation);
        if (oldest > Migrations.Current)
        {
            return new Finding(Health.Failed, $"version {version} needs a program that knows version {oldest}; this one knows {Migrations.Current}: run a newer release");
        }

        if (version < Migrations.Current)
        {
            return new Finding(Health.Failed, $"version {version}; this program needs {Migrations.Current}: run `migrate`");
        }

        if (await database.IsCopy(cancellation))
        {
            return new Finding(Health.Failed, "this is a backup: run `restore`");
        }

        var known = (await database.Ask("SELECT name, definition FROM read_models", r => (r.GetString(0), r.GetString(1)), cancellation)).ToDictionary();
        var other = database.Tables.All.Where(t => !known.TryGetValue(t.Name, out var definition) || (definition != t.Definition && !t.IsPartOf(definition))).Select(t => t.Name).ToList();
        return other.Count > 0
            ? new Finding(Health.Failed, $"read models are missing or of another shape: {string.Join(", ", other)}: run `migrate`")
            : new Finding(Health.Ok, $"version {version}, {known.Count} read models" + (version > Migrations.Current ? "; a newer release has migrated it" : ""));
    }

    /// <summary>Each head beside its agency's last event, without walking to it.</summary>
    private async Task<Finding> Feeds(CancellationToken cancellation)
    {
        var apart = await database.Ask(
            "SELECT h.agency, h.sequence, coalesce((SELECT max(e.sequence) FROM events e WHERE e.agency = h.agency), 0) FROM heads h ORDER BY h.agency",
            r => (Agency: r.GetString(0), Head: r.GetInt64(1), Last: r.GetInt64(2)),
            cancellation);
        var wrong = apart.Where(a => a.Head != a.Last).ToList();
        return wrong.Count == 0
            ? new Finding(Health.Ok, $"{apart.Count} {(apart.Count == 1 ? "agency" : "agencies")}, each head at its last event")
            : new Finding(Health.Failed, $"{wrong.Count} heads are not at their last event; {wrong[0].Agency}: head {wrong[0].Head}, last event {wrong[0].Last}");
    }

    /// <summary>Series that were restored and not confirmed since.</summary>
    private async Task<Finding> Series(CancellationToken cancellation)
    {
        var numbers = database.Tables.Of(typeof(InvoiceNumberRow));
        var (entity, series) = (numbers.Property(nameof(InvoiceNumberRow.LegalEntity)).Quoted, numbers.Property(nameof(InvoiceNumberRow.Series)).Quoted);
        var locked = await database.Ask(
            $"""
            SELECT DISTINCT n.agency, n.{entity}, n.{series} FROM {numbers.Name} n JOIN restores r ON r.agency = n.agency JOIN schema_info s ON s.epoch = r.epoch
            WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.agency = n.agency AND e.kind = 'invoice-series' AND e.id = n.{entity} || '/' || n.{series}
              AND e.sequence > r.sequence AND e.name = 'invoice-series.last-number-confirmed')
            ORDER BY 1, 2, 3
            """,
            r => $"{r.GetString(0)} {r.GetString(1)}/{r.GetString(2)}",
            cancellation);
        return locked.Count == 0
            ? new Finding(Health.Ok, "none waits for a confirmation after a restore")
            : new Finding(Health.Warning, $"{locked.Count} wait for the confirmation of their last number after a restore, the first is {locked[0]}");
    }

    /// <summary>What keeps postings out of closed months, beside what the closings say.</summary>
    private async Task<Finding> Closings(CancellationToken cancellation)
    {
        var closings = database.Tables.Of(typeof(ClosingRow));
        var (entity, through) = (closings.Property(nameof(ClosingRow.LegalEntity)).Quoted, closings.Property(nameof(ClosingRow.ClosedThrough)).Quoted);
        var told = await database.Ask($"SELECT agency, {entity}, max({through}) FROM {closings.Name} GROUP BY agency, {entity}", Row, cancellation);
        var kept = await database.Ask("SELECT agency, legal_entity, closed_through FROM closed_periods", Row, cancellation);
        var apart = told.Except(kept).Union(kept.Except(told)).OrderBy(c => c.Books, StringComparer.Ordinal).ToList();
        return apart.Count == 0
            ? new Finding(Health.Ok, $"{kept.Count} books are closed through the days that their closings say")
            : new Finding(Health.Failed, $"the books of {apart[0].Books} are not closed through the day that their closings say ({apart[0].Through}): restore a backup, and tell us");

        static (string Books, string Through) Row(DbDataReader r) => ($"{r.GetString(0)} {r.GetString(1)}", r.GetString(2));
    }

    private async Task<Finding> Deadlines(CancellationToken cancellation)
    {
        var due = (Instant.FromDateTimeOffset(TimeProvider.System.GetUtcNow()) - s_late).ToUnixTimeTicks();
        var (late, worst) = await database.One(
            $"SELECT count(*), coalesce(max(attempts), 0) FROM deadlines WHERE sandbox = 0 AND {DeadlineStore.OfTheAgencysTime} AND due_at < {due.ToString(CultureInfo.InvariantCulture)}",
            r => (r.GetInt64(0), r.GetInt64(1)),
            cancellation);
        return late == 0
            ? new Finding(Health.Ok, "none is late")
            : new Finding(Health.Warning, $"{late} are more than {s_late.TotalMinutes:0} minutes late (up to {worst} attempts): no silo runs, or what they wake fails; see its log");
    }

    private async Task<Finding> Snapshots(CancellationToken cancellation)
    {
        try
        {
            await using var connection = await snapshots.Source.OpenConnectionAsync(cancellation);
            var count = (await database.Query(connection, "SELECT count(*) FROM OrleansStorage", new SqlArguments(), r => r.GetInt64(0), cancellation)).Single();
            return new Finding(Health.Ok, $"{count}, readable");
        }
        catch (DbException e)
        {
            return new Finding(Health.Warning, $"cannot be read, so that aggregates are folded from their first event: {e.Message}");
        }
    }

    private async Task<Finding> Journal(IProgress<MaintenanceProgress>? progress, CancellationToken cancellation)
    {
        await EveryAgencyMayBeSeen(cancellation);
        var report = await maintenance.VerifyChain(null, progress, cancellation);
        return report.Breaks is [var first, ..]
            ? new Finding(Health.Failed, $"{report.Breaks.Length} chains are broken; {first.Agency} at {first.Sequence}: {first.Problem}")
            : new Finding(Health.Ok, $"{report.Events} events, sequences without a gap, every hash as computed");
    }

    private async Task<Finding> ReadModels(IProgress<MaintenanceProgress>? progress, CancellationToken cancellation)
    {
        await EveryAgencyMayBeSeen(cancellation);
        var compared = await new ReadModelRebuild(database).Compare(progress, cancellation);
        return compared.First is { } first
            ? new Finding(Health.Failed, $"{compared.Differences} differences from the journal; {first}: run `journal rebuild`")
            : new Finding(Health.Ok, $"{compared.Rows} rows, as the journal gives them");
    }

    private Task EveryAgencyMayBeSeen(CancellationToken cancellation) => database.Ask("SELECT 1 FROM heads LIMIT 1", _ => 1, cancellation);
}
