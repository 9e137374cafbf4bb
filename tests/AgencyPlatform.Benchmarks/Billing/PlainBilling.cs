using System.Data.Common;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace AgencyPlatform.Benchmarks.Billing;

/// <summary>
/// What the run is measured against: a plain program on the same engine with the same durability. Each invoice is one transaction: sum the client's open entries, take the
/// next number, write invoice, lines and postings, mark the entries. It keeps no history, answers no repeat, freezes no parties and tells nobody.
/// </summary>
internal static class PlainBilling
{
    private const int AtOnce = 16;

    private const string Tables =
        """
        CREATE TABLE entries (id BIGINT PRIMARY KEY, client BIGINT NOT NULL, engagement BIGINT NOT NULL, month BIGINT NOT NULL, minutes BIGINT NOT NULL, rate BIGINT NOT NULL, invoice BIGINT);
        CREATE INDEX entries_of_client ON entries (client);
        CREATE TABLE series (id BIGINT PRIMARY KEY, last BIGINT NOT NULL);
        CREATE TABLE invoices (number BIGINT PRIMARY KEY, client BIGINT NOT NULL, total BIGINT NOT NULL);
        CREATE TABLE lines (invoice BIGINT NOT NULL, line BIGINT NOT NULL, engagement BIGINT NOT NULL, month BIGINT NOT NULL, minutes BIGINT NOT NULL, amount BIGINT NOT NULL, PRIMARY KEY (invoice, line));
        CREATE TABLE postings (invoice BIGINT NOT NULL, line BIGINT NOT NULL, account TEXT NOT NULL, amount BIGINT NOT NULL, PRIMARY KEY (invoice, line));
        INSERT INTO series VALUES (1, 0);
        """;

    /// <param name="postgres">Where it makes its tables; null: in an SQLite file.</param>
    /// <returns>How long all invoices took; making the entries is not counted.</returns>
    public static async Task<TimeSpan> Run(BilledAgency agency, BilledSize size, string? postgres, string file, CancellationToken cancellation)
    {
        await using DbDataSource source = postgres is not null
            ? NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(postgres) { MaxPoolSize = AtOnce, MaxAutoPrepare = 20, AutoPrepareMinUsages = 2 })
            : SqliteFactory.Instance.CreateDataSource($"Data Source={file};Default Timeout=60");
        await using (var connection = await Open(source, postgres is null, cancellation))
        {
            await Execute(connection, Tables, cancellation);
            await Fill(connection, agency, size, cancellation);
        }

        var begun = Stopwatch.GetTimestamp();
        await Parallel.ForEachAsync(Enumerable.Range(0, size.Clients), new ParallelOptions { MaxDegreeOfParallelism = postgres is null ? 1 : AtOnce, CancellationToken = cancellation }, async (client, _) =>
        {
            await using var connection = await Open(source, postgres is null, cancellation);
            await using var transaction = await connection.BeginTransactionAsync(cancellation);
            var lines = new List<(long Engagement, long Month, long Minutes, long Amount)>();
            await using (var read = Command(connection, $"SELECT engagement, month, sum(minutes), max(rate) FROM entries WHERE client = {client} AND invoice IS NULL GROUP BY engagement, month ORDER BY engagement, month"))
            await using (var rows = await read.ExecuteReaderAsync(cancellation))
            {
                while (await rows.ReadAsync(cancellation))
                {
                    var minutes = Convert.ToInt64(rows.GetValue(2), CultureInfo.InvariantCulture);
                    lines.Add((rows.GetInt64(0), rows.GetInt64(1), minutes, ((2 * minutes * rows.GetInt64(3)) + 60) / 120));
                }
            }

            await using var next = Command(connection, $"UPDATE series SET last = last + 1 WHERE id = 1 RETURNING last");
            var number = (long)(await next.ExecuteScalarAsync(cancellation))!;
            var total = lines.Sum(l => l.Amount);
            await Execute(connection, Text($"INSERT INTO invoices VALUES ({number}, {client}, {total})"), cancellation);
            await Execute(connection, "INSERT INTO lines VALUES " + string.Join(", ", lines.Select((l, i) => Text($"({number}, {i}, {l.Engagement}, {l.Month}, {l.Minutes}, {l.Amount})"))), cancellation);
            await Execute(connection, Text($"INSERT INTO postings VALUES ({number}, 0, 'receivable', {total}), ") + string.Join(", ", lines.Select((l, i) => Text($"({number}, {i + 1}, 'unbilled', {-l.Amount})"))), cancellation);
            await Execute(connection, Text($"UPDATE entries SET invoice = {number} WHERE client = {client} AND invoice IS NULL"), cancellation);
            await transaction.CommitAsync(cancellation);
        });
        return Stopwatch.GetElapsedTime(begun);
    }

    private static async Task Fill(DbConnection connection, BilledAgency agency, BilledSize size, CancellationToken cancellation)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        var id = 0L;
        for (var client = 0; client < size.Clients; client++)
        {
            var rows = agency.Lines(client).SelectMany(l => Enumerable.Repeat((l.Engagement, Month: (l.Month.Year * 12) + l.Month.Month), l.Minutes / 30)).ToList();
            await Execute(
                connection, "INSERT INTO entries VALUES " + string.Join(", ", rows.Select(r => Text($"({++id}, {client}, {r.Engagement}, {r.Month}, 30, {BilledAgency.Rate(r.Engagement)}, NULL)"))), cancellation);
        }

        await transaction.CommitAsync(cancellation);
    }

    private static async Task<DbConnection> Open(DbDataSource source, bool sqlite, CancellationToken cancellation)
    {
        var connection = await source.OpenConnectionAsync(cancellation);
        if (sqlite)
        {
            await Execute(connection, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL", cancellation);
        }

        return connection;
    }

    private static DbCommand Command(DbConnection connection, FormattableString text)
    {
        var command = connection.CreateCommand();
        command.CommandText = Text(text);
        return command;
    }

    private static async Task Execute(DbConnection connection, string text, CancellationToken cancellation)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = text;
        await command.ExecuteNonQueryAsync(cancellation);
    }

    // All of it is numbers of the benchmark's own.
    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
