using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using AgencyPlatform.Benchmarks.Load;
using Spectre.Console;

namespace AgencyPlatform.Benchmarks;

/// <summary>One window of one row.</summary>
internal sealed record Round(int Number, string Row, int? Cmos, int Callers, Window Window);

/// <summary>A row for one number of callers, over all rounds: medians, and the least and the most calls a second.</summary>
/// <param name="Cmos">How many CMOs the callers shared; null: none mattered.</param>
/// <param name="OfEcho">Calls a second ÷ the echo's in the same round, the median; null where the echo was not measured.</param>
/// <param name="OfGrain">The same against the grain without storage.</param>
/// <param name="OfPeer">The same against the peer with as many CMOs.</param>
/// <param name="ServerCpu">Microseconds a call; the database's and the generator's beside it.</param>
internal sealed record Line(
    string Row, int? Cmos, int Callers, double CallsPerSecond, double Least, double Most, double? OfEcho, double? OfGrain, double? OfPeer, double P50, double P99, double P999,
    double ServerCpu, double DatabaseCpu, double GeneratorCpu, double? RowsPerCommit);

internal sealed record Machine(string Processor, int Cores, double MemoryGigabytes, string System, string Runtime);

internal sealed record Report(DateTimeOffset At, Machine Machine, ThroughputOptions Options, string LoadAverage, IReadOnlyList<Line> Lines, IReadOnlyList<Round> Rounds)
{
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };
    private static readonly string[] s_columns =
        ["Row", "CMOs", "Callers", "Calls/s (least–most)", "÷ echo", "÷ grain", "÷ peer", "p50 ms", "p99 ms", "p99.9 ms", "CPU µs a call: server", "database", "generator", "Rows a commit"];

    public static Report Of(ThroughputOptions options, IReadOnlyList<Round> rounds)
    {
        var lines = rounds.GroupBy(r => (r.Callers, r.Row, r.Cmos)).Select(group =>
        {
            double? Of(string row, int? cmos)
            {
                var others = rounds.Where(o => o.Row == row && o.Cmos == cmos && o.Callers == group.Key.Callers).ToDictionary(o => o.Number, o => o.Window.CallsPerSecond);
                return others.Count == 0 ? null : Median(group.Select(r => r.Window.CallsPerSecond / others[r.Number]));
            }

            double PerCall(Func<Window, double> cpu) => Median(group.Select(r => cpu(r.Window) / Math.Max(1, r.Window.Calls)));
            var rates = group.Select(r => r.Window.CallsPerSecond).ToArray();
            return new Line(
                group.Key.Row, group.Key.Cmos, group.Key.Callers, Median(rates), rates.Min(), rates.Max(), Of(Throughput.Echo, null), Of(Throughput.Grain, null), Of(Throughput.Peer, group.Key.Cmos),
                Median(group.Select(r => r.Window.P50)), Median(group.Select(r => r.Window.P99)), Median(group.Select(r => r.Window.P999)),
                PerCall(w => w.ServerCpu), PerCall(w => w.DatabaseCpu), PerCall(w => w.GeneratorCpu),
                group.All(r => r.Window.Commits > 0) ? Median(group.Select(r => r.Window.Rows / r.Window.Commits)) : null);
        });
        return new Report(TimeProvider.System.GetUtcNow(), ThisMachine(), options, Load(), [.. lines], rounds);
    }

    public string Json() => JsonSerializer.Serialize(this, s_json);

    public void Print()
    {
        var table = new Table { Title = new TableTitle(Heading()) };
        foreach (var (column, i) in s_columns.Select((c, i) => (c, i)))
        {
            table.AddColumn(new TableColumn(Markup.Escape(column)) { Alignment = i == 0 ? Justify.Left : Justify.Right });
        }

        foreach (var line in Lines)
        {
            table.AddRow([.. Cells(line).Select(Markup.Escape)]);
        }

        AnsiConsole.Write(table);
    }

    public string Markdown()
    {
        var text = new StringBuilder();
        text.AppendLine(Heading()).AppendLine();
        text.AppendLine($"| {string.Join(" | ", s_columns)} |").AppendLine($"|---|{string.Concat(Enumerable.Repeat("---:|", s_columns.Length - 1))}");
        foreach (var line in Lines)
        {
            text.AppendLine($"| {string.Join(" | ", Cells(line))} |");
        }

        return text.ToString();
    }

    /// <summary>Puts the table into a document, between its two marks.</summary>
    public void WriteInto(string document)
    {
        const string Begin = "<!-- throughput: begin -->", End = "<!-- throughput: end -->";
        var text = File.ReadAllText(document);
        var begin = text.IndexOf(Begin, StringComparison.Ordinal);
        var end = text.IndexOf(End, StringComparison.Ordinal);
        if (begin < 0 || end < begin)
        {
            throw new Servers.BenchmarkException($"{document} has no place for the table: it needs the lines {Begin} and {End}.");
        }

        File.WriteAllText(document, $"{text[..(begin + Begin.Length)]}\n{Markdown().ReplaceLineEndings("\n")}{text[end..]}");
    }

    private string Heading() => string.Create(CultureInfo.InvariantCulture,
        $"{At:yyyy-MM-dd HH:mm} UTC, {Machine.Cores} × {Machine.Processor}, {Machine.MemoryGigabytes:N0} GB, {Machine.System}, {Machine.Runtime}; {Options.Rounds} rounds of {Options.Length.TotalSeconds:0.#} s, {Options.Connections} connections, load average at the end {LoadAverage}");

    private static string[] Cells(Line line)
    {
        string N(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
        string Ratio(double? ratio) => ratio is { } value ? N(value, "0.00") : "–";
        return
        [
            line.Row, line.Cmos is { } cmos ? N(cmos, "N0") : "–", N(line.Callers, "N0"), $"{N(line.CallsPerSecond, "N0")} ({N(line.Least, "N0")}–{N(line.Most, "N0")})",
            Ratio(line.OfEcho), Ratio(line.OfGrain), Ratio(line.OfPeer), N(line.P50, "0.0"), N(line.P99, "0.0"), N(line.P999, "0.0"),
            N(line.ServerCpu, "0"), line.DatabaseCpu > 0 ? N(line.DatabaseCpu, "0") : "–", N(line.GeneratorCpu, "0"), line.RowsPerCommit is { } rows ? N(rows, "0") : "–",
        ];
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;
    }

    private static Machine ThisMachine()
    {
        var processor = "processor";
        if (File.Exists("/proc/cpuinfo"))
        {
            processor = File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? processor;
        }

        return new Machine(processor, Environment.ProcessorCount, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1e9, RuntimeInformation.OSDescription, RuntimeInformation.FrameworkDescription);
    }

    private static string Load() => File.Exists("/proc/loadavg") ? string.Join(' ', File.ReadAllText("/proc/loadavg").Split(' ').Take(3)) : "unknown";
}
