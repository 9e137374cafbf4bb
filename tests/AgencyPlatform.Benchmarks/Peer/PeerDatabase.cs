using System.Globalization;
using AgencyPlatform.Benchmarks.Load;
using AgencyPlatform.Benchmarks.Servers;
using AgencyPlatform.Protocol.Capacity.V1;
using Grpc.Core;
using Npgsql;

namespace AgencyPlatform.Benchmarks.Peer;

/// <summary>The peer's tables: made, filled with the same agencies and CMOs as the platform's rows, and judged at the end.</summary>
internal static class PeerDatabase
{
    /// <summary>Five days of 480 minutes, as the platform's CMOs have.</summary>
    private const int WeeklyLimit = 2400;

    private const string Secret = "0123456789abcdef0123456789abcdef0123456789a";

    public static async Task Create(PostgresCluster cluster, int agencies, int cmos, CancellationToken cancellation)
    {
        await cluster.Execute(await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "peer.sql"), cancellation), cancellation);
        await cluster.Execute(
            string.Create(CultureInfo.InvariantCulture, $"""
                INSERT INTO heads SELECT 'bench-' || a, 0, 0 FROM generate_series(0, {agencies} - 1) a;
                INSERT INTO api_keys SELECT sha256(convert_to('apk_bench-' || a || '_admin_{Secret}', 'UTF8')), 'bench-' || a FROM generate_series(0, {agencies} - 1) a;
                INSERT INTO cmos SELECT 'bench-' || a, 'c' || c, {WeeklyLimit}
                  FROM generate_series(0, {agencies} - 1) a, generate_series(a * {cmos} / {agencies}, (a + 1) * {cmos} / {agencies} - 1) c;
                """),
            cancellation);
        await cluster.Execute("VACUUM ANALYZE", cancellation);
    }

    public static IReadOnlyList<Target> Targets(int agencies, int cmos) =>
        [.. Enumerable.Range(0, agencies).SelectMany(a =>
        {
            var agency = $"agencies/bench-{a}";
            var headers = new Metadata { { "authorization", $"Bearer apk_bench-{a}_admin_{Secret}" } };
            return Enumerable.Range(a * cmos / agencies, ((a + 1) * cmos / agencies) - (a * cmos / agencies)).Select(c => new Target($"{agency}/cmos/c{c}", [$"{agency}/clientCompanies/acme"], headers));
        })];

    /// <summary>
    /// Replays the feed: contiguous from 1 to each agency's head, no CMO promised beyond the limit in any week at any time, the booking rows those that the feed
    /// leaves standing, and as many events as calls were acknowledged.
    /// </summary>
    /// <exception cref="BenchmarkException">It does not hold.</exception>
    public static async Task Judge(PostgresCluster cluster, long acknowledged, CancellationToken cancellation)
    {
        await using var connection = new NpgsqlConnection(cluster.AdminConnectionString + ";Pooling=false");
        await connection.OpenAsync(cancellation);
        var heads = new Dictionary<string, long>();
        await Read("SELECT agency, sequence FROM heads", r => heads[r.GetString(0)] = r.GetInt64(1));

        var events = 0L;
        var last = new Dictionary<string, long>();
        var weeks = new Dictionary<(string Cmo, DateOnly Monday), int>();
        var standing = new Dictionary<string, (string Cmo, DateOnly Start, DateOnly End, int Minutes)>();
        await Read(
            "SELECT agency, sequence, type, cmo, booking, answer FROM feed ORDER BY agency, sequence",
            r =>
            {
                var (agency, sequence, cmo) = (r.GetString(0), r.GetInt64(1), $"{r.GetString(0)}/{r.GetString(3)}");
                var name = $"{cmo}/{r.GetString(4)}";
                Ensure(sequence == last.GetValueOrDefault(agency) + 1, $"the feed of {agency} has {sequence} after {last.GetValueOrDefault(agency)}");
                last[agency] = sequence;
                events++;
                if (r.GetString(2) == "booked")
                {
                    var step = Booking.Parser.ParseFrom(r.GetFieldValue<byte[]>(5)).Steps[0];
                    var (start, end) = (new DateOnly(step.StartDate.Year, step.StartDate.Month, step.StartDate.Day), new DateOnly(step.EndDate.Year, step.EndDate.Month, step.EndDate.Day));
                    Ensure(standing.TryAdd(name, (cmo, start, end, step.Flexible.WeeklyMinutes)), $"{name} was booked twice");
                    Promise(cmo, start, end, step.Flexible.WeeklyMinutes);
                }
                else
                {
                    Ensure(standing.Remove(name, out var gone), $"{name} was released without standing");
                    Promise(gone.Cmo, gone.Start, gone.End, -gone.Minutes);
                }
            });
        Ensure(heads.All(h => h.Value == last.GetValueOrDefault(h.Key)), "a head is not at the end of its feed");
        Ensure(events == acknowledged, $"{acknowledged:N0} calls were acknowledged, and {events:N0} events stand");
        var rows = new HashSet<string>();
        await Read("SELECT agency, cmo, booking FROM bookings", r => rows.Add($"{r.GetString(0)}/{r.GetString(1)}/{r.GetString(2)}"));
        Ensure(rows.SetEquals(standing.Keys), "the booking rows are not those that the feed leaves standing");

        void Promise(string cmo, DateOnly start, DateOnly end, int minutes)
        {
            for (var monday = start; monday < end; monday = monday.AddDays(7))
            {
                var promised = weeks[(cmo, monday)] = weeks.GetValueOrDefault((cmo, monday)) + minutes;
                Ensure(promised <= WeeklyLimit, $"{cmo} was promised {promised:N0} minutes in the week of {monday:yyyy-MM-dd}");
            }
        }

        async Task Read(string sql, Action<NpgsqlDataReader> row)
        {
            await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            while (await reader.ReadAsync(cancellation))
            {
                row(reader);
            }
        }

        static void Ensure(bool holds, string otherwise)
        {
            if (!holds)
            {
                throw new BenchmarkException($"The peer is not correct, so its figures mean nothing: {otherwise}.");
            }
        }
    }
}
