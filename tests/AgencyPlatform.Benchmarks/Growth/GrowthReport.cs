using AgencyPlatform.Benchmarks.Load;
using AgencyPlatform.Benchmarks.Reporting;

namespace AgencyPlatform.Benchmarks.Growth;

/// <summary>One window of one size.</summary>
internal sealed record GrowthRound(int Number, string Engine, GrowthSize Size, int Cmos, Window Window);

/// <summary>What one size told before the load.</summary>
/// <param name="Start">Seconds from the start of the process until it served.</param>
/// <param name="Idle">MiB resident then.</param>
/// <param name="Touched">MiB resident after every aggregate was activated.</param>
/// <param name="TouchSeconds">How long that took.</param>
/// <param name="Without">Without snapshots.</param>
/// <param name="With">With snapshots.</param>
internal sealed record ColdFigures(string Engine, GrowthSize Size, SeededFacts Seeded, double Start, double Idle, double Touched, double TouchSeconds, ColdTimes Without, ColdTimes With);

/// <summary>A size under load over all rounds: medians.</summary>
/// <param name="Cpu">Microseconds a call, the database's included.</param>
/// <param name="OfSmallest">Its <paramref name="Cpu"/> ÷ the smallest size's in the same round, the callers sharing as much of the CMOs.</param>
internal sealed record GrowthLine(
    string Engine, GrowthSize Size, int Cmos, bool AllCmos, double CallsPerSecond, double Least, double Most, double Cpu, double ServerCpu, double DatabaseCpu, double OfSmallest, double P50, double P99, double P999,
    double RowsPerCommit);

internal sealed record GrowthReport(
    DateTimeOffset At, Machine Machine, GrowthOptions Options, string LoadAverage, IReadOnlyList<GrowthLine> Lines, IReadOnlyList<ColdFigures> Cold, IReadOnlyList<GrowthRound> Rounds)
{
    private static readonly string[] s_underLoad =
        ["Engine", "Size", "CMOs", "Calls/s (least–most)", "CPU µs a call", "÷ smallest", "server", "database", "p50 ms", "p99 ms", "p99.9 ms", "Rows a commit"];

    private static readonly string[] s_cold =
    [
        "Engine", "Size", "Agencies", "CMOs", "Events", "Start s", "Idle MiB", "All active MiB", "CMO cold ms: journal", "snapshot", "Agency cold ms: journal", "snapshot",
        "Clients page ms: first", "deep", "Events page ms: first", "deep", "Bytes an event: all", "journal",
    ];

    public static GrowthReport Of(GrowthOptions options, IReadOnlyList<GrowthRound> rounds, IReadOnlyList<ColdFigures> cold)
    {
        static double Cpu(GrowthRound r) => (r.Window.ServerCpu + r.Window.DatabaseCpu) / Math.Max(1, r.Window.Calls);
        var smallest = options.All[0];
        var lines = rounds.GroupBy(r => (r.Engine, r.Cmos, r.Size)).Select(group =>
        {
            double Median(Func<GrowthRound, double> figure) => Figures.Median(group.Select(figure));
            var all = group.Key.Cmos == group.Key.Size.Cmos && group.Key.Cmos > GrowthRun.FewCmos;
            var first = rounds.Where(r => r.Engine == group.Key.Engine && r.Size == smallest).GroupBy(r => r.Number).ToDictionary(g => g.Key, g => Cpu(all ? g.Last() : g.First()));
            var rates = group.Select(r => r.Window.CallsPerSecond).ToArray();
            return new GrowthLine(
                group.Key.Engine, group.Key.Size, group.Key.Cmos, all, Figures.Median(rates), rates.Min(), rates.Max(), Median(Cpu),
                Median(r => r.Window.ServerCpu / Math.Max(1, r.Window.Calls)), Median(r => r.Window.DatabaseCpu / Math.Max(1, r.Window.Calls)), Median(r => Cpu(r) / first[r.Number]),
                Median(r => r.Window.P50), Median(r => r.Window.P99), Median(r => r.Window.P999), Median(r => r.Window.Rows / Math.Max(1, r.Window.Commits)));
        });
        return new GrowthReport(
            TimeProvider.System.GetUtcNow(), Machine.This, options, Machine.LoadAverage, [.. lines.OrderBy(l => options.Engines.ToList().IndexOf(l.Engine)).ThenBy(l => l.AllCmos)], cold, rounds);
    }

    public IReadOnlyList<ResultTable> Tables() =>
    [
        new ResultTable(
            Machine.Heading(At, $"{Options.Rounds} rounds of {Figures.Text(Options.Length.TotalSeconds, "0.#")} s, {Options.Callers} callers, {Options.Connections} connections", LoadAverage),
            s_underLoad,
            [.. Lines.Select(Cells)]),
        new ResultTable(
            $"The same run, before the load. Cold: the first answer of each of {(GrowthSize.Veterans - 1) * GrowthSize.VeteranCmos} CMOs with {Figures.Text(Options.LongHistory, "N0")} events and of {GrowthSize.Veterans - 1} agencies with "
            + $"{Figures.Text(Options.All[0].VeteranSettings, "N0")}, medians. Pages of 50, at the beginning and far in: of {Figures.Text(Options.All[0].Listed, "N0")} client companies, and of the events of the same agency.",
            s_cold,
            [.. Cold.Select(Cells)]),
    ];

    private static string N(double? value, string format) => Figures.Text(value, format);

    private static string[] Cells(GrowthLine line) =>
    [
        line.Engine, line.Size.Title, N(line.Cmos, "N0"), $"{N(line.CallsPerSecond, "N0")} ({N(line.Least, "N0")}–{N(line.Most, "N0")})", N(line.Cpu, "0"), N(line.OfSmallest, "0.00"),
        N(line.ServerCpu, "0"), N(line.DatabaseCpu > 0 ? line.DatabaseCpu : null, "0"), N(line.P50, "0.0"), N(line.P99, "0.0"), N(line.P999, "0.0"), N(line.RowsPerCommit, "0"),
    ];

    private string[] Cells(ColdFigures cold)
    {
        // Where the engine does not tell: what a history adds is the journal alone, since it leaves no rows of lists behind.
        var before = Cold.FirstOrDefault(c => c.Engine == cold.Engine && c.Size == cold.Size with { Events = 0 });
        var journal = cold.Seeded.JournalBytes is { } bytes ? (double)bytes / cold.Seeded.Events
            : before is not null && before != cold ? (double)(cold.Seeded.Bytes - before.Seeded.Bytes) / (cold.Seeded.Events - before.Seeded.Events)
            : (double?)null;
        return
        [
            cold.Engine, cold.Size.Title, N(cold.Size.Agencies, "N0"), N(cold.Size.Cmos, "N0"), N(cold.Seeded.Events, "N0"), N(cold.Start, "0.0"), N(cold.Idle, "N0"), N(cold.Touched, "N0"),
            N(cold.Without.Cmo, "0.0"), N(cold.With.Cmo, "0.0"), N(cold.Without.Agency, "0.0"), N(cold.With.Agency, "0.0"),
            N(cold.Without.FirstPage, "0.0"), N(cold.Without.DeepPage, "0.0"), N(cold.Without.FirstEvents, "0.0"), N(cold.Without.DeepEvents, "0.0"),
            N((double)cold.Seeded.Bytes / cold.Seeded.Events, "N0"), N(journal, "N0"),
        ];
    }
}
