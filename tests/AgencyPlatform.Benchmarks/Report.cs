using AgencyPlatform.Benchmarks.Load;
using AgencyPlatform.Benchmarks.Reporting;
using AgencyPlatform.Benchmarks.Servers;

namespace AgencyPlatform.Benchmarks;

/// <summary>One window of one row.</summary>
internal sealed record Round(int Number, string Row, int? Cmos, int Callers, Window Window);

/// <summary>A row for one number of callers, over all rounds: medians, and the least and the most calls a second.</summary>
/// <param name="Cmos">How many CMOs the callers shared; null: none mattered.</param>
/// <param name="OfEcho">Calls a second ÷ the echo's in the same round, the median; null where the echo was not measured.</param>
/// <param name="OfGrain">The same against the grain without storage.</param>
/// <param name="OfUnstored">The same against the same call with nothing stored, with as many CMOs.</param>
/// <param name="OfPeer">The same against the peer with as many CMOs.</param>
/// <param name="OfSpread">The same against this row with the most CMOs that were measured.</param>
/// <param name="ServerCpu">Microseconds a call; the database's and the generator's beside it.</param>
internal sealed record Line(
    string Row, int? Cmos, int Callers, double CallsPerSecond, double Least, double Most, double? OfEcho, double? OfGrain, double? OfUnstored, double? OfPeer, double? OfSpread, double P50, double P99, double P999,
    double ServerCpu, double DatabaseCpu, double GeneratorCpu, double? RowsPerCommit);

internal sealed record Report(DateTimeOffset At, Machine Machine, ThroughputOptions Options, string LoadAverage, IReadOnlyList<Line> Lines, IReadOnlyList<Round> Rounds)
{
    private static readonly string[] s_columns =
        ["Row", "CMOs", "Callers", "Calls/s (least–most)", "÷ echo", "÷ grain", "÷ same call", "÷ peer", "÷ spread", "p50 ms", "p99 ms", "p99.9 ms", "CPU µs a call: server", "database", "generator", "Rows a commit"];

    public static Report Of(ThroughputOptions options, IReadOnlyList<Round> rounds)
    {
        var lines = rounds.GroupBy(r => (r.Callers, r.Row, r.Cmos)).Select(group =>
        {
            double? Of(string row, int? cmos)
            {
                var others = rounds.Where(o => o.Row == row && o.Cmos == cmos && o.Callers == group.Key.Callers).ToDictionary(o => o.Number, o => o.Window.CallsPerSecond);
                return others.Count == 0 ? null : Figures.Median(group.Select(r => r.Window.CallsPerSecond / others[r.Number]));
            }

            double PerCall(Func<Window, double> cpu) => Figures.Median(group.Select(r => cpu(r.Window) / Math.Max(1, r.Window.Calls)));
            var rates = group.Select(r => r.Window.CallsPerSecond).ToArray();
            return new Line(
                group.Key.Row, group.Key.Cmos, group.Key.Callers, Figures.Median(rates), rates.Min(), rates.Max(), Of(Contenders.Echo, null), Of(Contenders.Grain, null), Of(Contenders.Unstored, group.Key.Cmos), Of(Contenders.Peer, group.Key.Cmos),
                group.Key.Cmos is null ? null : Of(group.Key.Row, options.Contenders.Cmos.Max()),
                Figures.Median(group.Select(r => r.Window.P50)), Figures.Median(group.Select(r => r.Window.P99)), Figures.Median(group.Select(r => r.Window.P999)),
                PerCall(w => w.ServerCpu), PerCall(w => w.DatabaseCpu), PerCall(w => w.GeneratorCpu),
                group.All(r => r.Window.Commits > 0) ? Figures.Median(group.Select(r => r.Window.Rows / r.Window.Commits)) : null);
        });
        return new Report(TimeProvider.System.GetUtcNow(), Machine.This, options, Machine.LoadAverage, [.. lines], rounds);
    }

    public ResultTable Table() => new(
        Machine.Heading(At, $"{Options.Rounds} rounds of {Figures.Text(Options.Length.TotalSeconds, "0.#")} s, {Options.Contenders.Connections} connections", LoadAverage), s_columns, [.. Lines.Select(Cells)]);

    private static string[] Cells(Line line)
    {
        static string N(double? value, string format) => Figures.Text(value, format);
        return
        [
            line.Row, N(line.Cmos, "N0"), N(line.Callers, "N0"), $"{N(line.CallsPerSecond, "N0")} ({N(line.Least, "N0")}–{N(line.Most, "N0")})",
            N(line.OfEcho, "0.00"), N(line.OfGrain, "0.00"), N(line.OfUnstored, "0.00"), N(line.OfPeer, "0.00"), N(line.OfSpread, "0.00"), N(line.P50, "0.0"), N(line.P99, "0.0"), N(line.P999, "0.0"),
            N(line.ServerCpu, "0"), N(line.DatabaseCpu > 0 ? line.DatabaseCpu : null, "0"), N(line.GeneratorCpu, "0"), N(line.RowsPerCommit, "0"),
        ];
    }
}
