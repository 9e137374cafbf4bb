using AgencyPlatform.Benchmarks.Load;
using AgencyPlatform.Benchmarks.Reporting;
using AgencyPlatform.Benchmarks.Servers;

namespace AgencyPlatform.Benchmarks;

/// <param name="ClosedLength">Of the closed loop before each open one, which tells what the row can do at most.</param>
/// <param name="Callers">Of the closed loop.</param>
/// <param name="Share">Of the most, at which calls arrive.</param>
internal sealed record LatencyOptions(int Rounds, TimeSpan Length, TimeSpan ClosedLength, int Callers, double Share, ContenderOptions Contenders);

/// <summary>One row in one round: what it did at most, and how fast it answered at a share of that.</summary>
internal sealed record LatencyRound(int Number, string Row, int? Cmos, double Most, double Rate, Window Window);

/// <summary>A row over all rounds: medians.</summary>
/// <param name="OfEcho">Its p99 ÷ the echo's in the same round; null where the echo was not measured.</param>
/// <param name="SentLate">Milliseconds by which the generator sent at most 99 % of the calls after they were due; part of the times before.</param>
internal sealed record LatencyLine(
    string Row, int? Cmos, double Most, double Rate, double P50, double P99, double P999, double? OfEcho, double? OfEchoLeast, double? OfEchoMost, double SentLate, double ServerCpu, double DatabaseCpu);

internal sealed record LatencyReport(DateTimeOffset At, Machine Machine, LatencyOptions Options, string LoadAverage, IReadOnlyList<LatencyLine> Lines, IReadOnlyList<LatencyRound> Rounds)
{
    private static readonly string[] s_columns =
        ["Row", "CMOs", "Most calls/s", "Arriving calls/s", "p50 ms", "p99 ms", "p99.9 ms", "p99 ÷ echo's (least–most)", "Sent late, p99 ms", "CPU µs a call: server", "database"];

    public static LatencyReport Of(LatencyOptions options, IReadOnlyList<LatencyRound> rounds)
    {
        var echo = rounds.Where(r => r.Row == Contenders.Echo).ToDictionary(r => r.Number, r => r.Window.P99);
        var lines = rounds.GroupBy(r => (r.Row, r.Cmos)).Select(group =>
        {
            double Median(Func<LatencyRound, double> figure) => Figures.Median(group.Select(figure));
            var ratios = group.Where(r => echo.ContainsKey(r.Number)).Select(r => r.Window.P99 / echo[r.Number]).ToArray();
            return new LatencyLine(
                group.Key.Row, group.Key.Cmos, Median(r => r.Most), Median(r => r.Rate), Median(r => r.Window.P50), Median(r => r.Window.P99), Median(r => r.Window.P999),
                ratios.Length > 0 ? Figures.Median(ratios) : null, ratios.Length > 0 ? ratios.Min() : null, ratios.Length > 0 ? ratios.Max() : null, Median(r => r.Window.SentLate),
                Median(r => r.Window.ServerCpu / Math.Max(1, r.Window.Calls)), Median(r => r.Window.DatabaseCpu / Math.Max(1, r.Window.Calls)));
        });
        return new LatencyReport(TimeProvider.System.GetUtcNow(), Machine.This, options, Machine.LoadAverage, [.. lines], rounds);
    }

    public ResultTable Table() => new(
        Machine.Heading(
            At,
            $"{Options.Rounds} rounds of {Figures.Text(Options.Length.TotalSeconds, "0.#")} s at {Figures.Text(100 * Options.Share, "0")} % of what {Options.Callers} callers in a closed loop did just before, {Options.Contenders.Connections} connections",
            LoadAverage),
        s_columns,
        [.. Lines.Select(Cells)]);

    private static string[] Cells(LatencyLine line)
    {
        static string N(double? value, string format) => Figures.Text(value, format);
        return
        [
            line.Row, N(line.Cmos, "N0"), N(line.Most, "N0"), N(line.Rate, "N0"), N(line.P50, "0.00"), N(line.P99, "0.0"), N(line.P999, "0.0"),
            line.OfEcho is null ? "–" : $"{N(line.OfEcho, "0.0")} ({N(line.OfEchoLeast, "0.0")}–{N(line.OfEchoMost, "0.0")})",
            N(line.SentLate, "0.00"), N(line.ServerCpu, "0"), N(line.DatabaseCpu > 0 ? line.DatabaseCpu : null, "0"),
        ];
    }
}

/// <summary>
/// How fast calls are answered at half load: each row's most is measured in a closed loop, and straight after it calls arrive at half of that rate in an open
/// loop, timed from when they were due.
/// </summary>
internal static class Latency
{
    private static readonly TimeSpan s_settle = TimeSpan.FromMilliseconds(500);

    public static async Task<LatencyReport> Run(LatencyOptions options, CancellationToken cancellation)
    {
        await using var scope = new RunScope(options.Contenders.Data);
        var rows = options.Contenders.Rows;
        var turns = rows.Sum(r => r is "echo" or "grain" ? 1 : options.Contenders.Cmos.Count);
        var expected = (rows.Count * (options.Contenders.WarmUp + TimeSpan.FromSeconds(10))) + (options.Rounds * turns * (options.Length + options.ClosedLength + (3 * s_settle)));
        Figures.Say($"{options.Rounds} rounds of {turns} turns of {options.ClosedLength.TotalSeconds:0.#} + {options.Length.TotalSeconds:0.#} s: about {Math.Ceiling(expected.TotalMinutes)} minutes");
        var contenders = await Contenders.Start(scope, options.Contenders, options.Callers, cancellation);
        var rounds = new List<LatencyRound>();
        for (var round = 1; round <= options.Rounds; round++)
        {
            foreach (var subject in contenders.All)
            {
                var closed = await LoadGenerator.Run(subject, options.Callers, s_settle, options.ClosedLength, cancellation);
                subject.Check(closed);
                var rate = Math.Max(1, closed.CallsPerSecond * options.Share);
                var window = await LoadGenerator.RunOpen(subject, rate, s_settle, options.Length, cancellation);
                subject.Check(window);
                rounds.Add(new LatencyRound(round, subject.Name, subject.Cmos, closed.CallsPerSecond, rate, window));
                Figures.Say($"round {round} of {options.Rounds}, {subject.Title}: at most {closed.CallsPerSecond:N0} calls/s; at {rate:N0} p50 {window.P50:N2}, p99 {window.P99:N1} ms, sent late p99 {window.SentLate:N2} ms");
            }
        }

        await contenders.Judge();
        return LatencyReport.Of(options, rounds);
    }
}
