using System.Diagnostics;
using System.Text.Json;
using AgencyPlatform.Testing;

namespace AgencyPlatform.Host.Tests;

/// <summary>The benchmark commands, small: that they run and report every row. What they measure here means nothing.</summary>
public sealed class BenchmarkFacts
{
    [Fact]
    public async Task A_short_run_reports_every_row_and_no_call_fails()
    {
        var (report, text) = await ShortBenchmark.Throughput("echo,grain,unstored,sqlite");
        var lines = ShortBenchmark.Lines(report);
        Assert.Equal(
            [("gRPC echo", null), ("gRPC → grain, nothing stored", null), ("The same call, nothing stored", 2), ("The same call, nothing stored", 6), ("Sqlite", 2), ("Sqlite", 6)],
            lines.Select(ShortBenchmark.Row));
        Assert.All(lines, line => Assert.True(line.GetProperty("callsPerSecond").GetDouble() > 0));
        Assert.All(lines, line => Assert.True(line.GetProperty("ofEcho").GetDouble() > 0 && line.GetProperty("ofGrain").GetDouble() > 0));
        Assert.All(lines, line => Assert.True(line.GetProperty("p50").GetDouble() <= line.GetProperty("p99").GetDouble()));
        Assert.All(lines, line => Assert.True(line.GetProperty("p99").GetDouble() <= line.GetProperty("p999").GetDouble()));
        Assert.All(lines[4..], line => Assert.True(line.GetProperty("rowsPerCommit").GetDouble() > 0 && line.GetProperty("ofUnstored").GetDouble() > 0));
        Assert.Equal(1, lines[5].GetProperty("ofSpread").GetDouble());
        Assert.Contains("| gRPC echo | – | 8 |", text, StringComparison.Ordinal);
        Assert.DoesNotContain("old", text, StringComparison.Ordinal);
        Assert.EndsWith("<!-- throughput: end -->\nafter\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task At_half_load_times_count_from_when_a_call_was_due()
    {
        var (report, text) = await ShortBenchmark.Run(
            "latency", "--rounds", "1", "--seconds", "1", "--closed-seconds", "0.5", "--warm-up", "1", "--callers", "8", "--connections", "2", "--rows", "echo,sqlite", "--agencies", "2", "--cmos", "6");
        var rounds = report.GetProperty("rounds").EnumerateArray().ToArray();
        Assert.Equal([("gRPC echo", null), ("Sqlite", 6)], ShortBenchmark.Lines(report).Select(ShortBenchmark.Row));
        Assert.All(rounds, round => Assert.Equal(round.GetProperty("most").GetDouble() / 2, round.GetProperty("rate").GetDouble(), 0.01));
        Assert.All(rounds, round => Assert.True(round.GetProperty("window").GetProperty("calls").GetInt64() > 0));
        Assert.All(ShortBenchmark.Lines(report), line => Assert.True(line.GetProperty("ofEcho").GetDouble() > 0));
        Assert.Contains("| Sqlite | 6 |", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_watcher_gets_every_event_beside_a_broadcast_of_the_same_messages()
    {
        var (report, text) = await ShortBenchmark.Run(
            "fan-out", "--rounds", "1", "--seconds", "1", "--warm-up", "1", "--agencies", "1,2", "--watchers", "6", "--callers", "4", "--connections", "2");
        var lines = ShortBenchmark.Lines(report);
        Assert.Equal([1, 1, 1, 2, 2, 2], lines.Select(l => l.GetProperty("agencies").GetInt32()));
        Assert.All(lines, line => Assert.True(line.GetProperty("eventsPerSecond").GetDouble() > 0 && line.GetProperty("serverCpu").GetDouble() > 0 && line.GetProperty("ofBare").GetDouble() > 0));
        Assert.Contains("| Watch, catching up | 2 |", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ever_more_data_is_seeded_whole_and_measured_on_copies()
    {
        var (report, text) = await ShortBenchmark.Run(
            "growth", "--engines", "sqlite", "--sizes", "20,120", "--events", "3000", "--long-history", "300", "--rounds", "1", "--seconds", "2", "--warm-up", "1", "--callers", "4", "--connections", "1");
        Assert.Contains("| sqlite | 20 clients | 2 |", text, StringComparison.Ordinal);
        Assert.Contains("| sqlite | 120 clients, 3,000 events | 12 |", text, StringComparison.Ordinal);
        ShortBenchmark.EnsureGrowth(report);
    }
}

/// <summary>The rows that need PostgreSQL.</summary>
[NeedsPostgres]
public sealed class BenchmarkFacts_on_PostgreSQL
{
    [EngineTheory]
    [InlineData("Function")]
    [InlineData("Batch")]
    public async Task The_peer_is_correct_under_load_and_the_platform_is_compared_with_it(string style)
    {
        var (report, text) = await ShortBenchmark.Throughput("peer,postgres", "--peer-style", style);
        var lines = ShortBenchmark.Lines(report);
        Assert.Equal([("Peer", 2), ("Peer", 6), ("Postgres", 2), ("Postgres", 6)], lines.Select(ShortBenchmark.Row));
        Assert.All(lines, line => Assert.True(line.GetProperty("callsPerSecond").GetDouble() > 0));
        Assert.All(lines, line => Assert.True(line.GetProperty("ofPeer").GetDouble() > 0));
        Assert.All(lines, line => Assert.Equal(JsonValueKind.Null, line.GetProperty("ofEcho").ValueKind));
        Assert.All(lines[..2], line => Assert.Equal(1, line.GetProperty("ofPeer").GetDouble()));
        Assert.Contains("| Peer | 2 | 8 |", text, StringComparison.Ordinal);
    }

    [EngineFact]
    public async Task Two_silos_are_compared_with_one_through_a_gateway_and_without()
    {
        var (report, text) = await ShortBenchmark.Run(
            "silos", "--rounds", "1", "--seconds", "1", "--warm-up", "3", "--silos", "1,2", "--gateways", "0,1", "--callers", "8", "--connections", "1", "--agencies", "4", "--cmos", "8");
        Assert.Equal(
            [(1, 0), (2, 0), (1, 1), (2, 1)],
            ShortBenchmark.Lines(report).Select(l => (l.GetProperty("shape").GetProperty("silos").GetInt32(), l.GetProperty("shape").GetProperty("gateways").GetInt32())));
        Assert.All(ShortBenchmark.Lines(report), line => Assert.True(line.GetProperty("callsPerSecond").GetDouble() > 0 && line.GetProperty("rowsPerCommit").GetDouble() > 0));
        Assert.Contains("| 2 × silo, 1 × gateway |", text, StringComparison.Ordinal);
    }
}

internal static class ShortBenchmark
{
    /// <summary>The report, and the document with its table.</summary>
    public static Task<(JsonElement Report, string Document)> Throughput(string rows, params string[] more) => Run(
        "throughput",
        [
            "--rounds", "1", "--seconds", "1", "--warm-up", "1", "--callers", "8", "--connections", "2", "--rows", rows, "--agencies", "2", "--cmos", "2,6", .. more,
        ]);

    /// <summary>Every size, with a chain that was walked from end to end and figures of everything.</summary>
    public static void EnsureGrowth(JsonElement report)
    {
        var cold = report.GetProperty("cold").EnumerateArray().ToArray();
        Assert.Equal([(20, 0), (120, 0), (120, 3_000)], cold.Select(c => (c.GetProperty("size").GetProperty("clients").GetInt32(), c.GetProperty("size").GetProperty("events").GetInt32())));
        Assert.All(cold, c => Assert.Equal(c.GetProperty("seeded").GetProperty("events").GetInt64(), c.GetProperty("seeded").GetProperty("verified").GetInt64()));
        Assert.True(cold[2].GetProperty("seeded").GetProperty("events").GetInt64() >= 3_000);
        Assert.All(cold, c => Assert.True(c.GetProperty("start").GetDouble() > 0 && c.GetProperty("touched").GetDouble() > 0 && c.GetProperty("without").GetProperty("deepEvents").GetDouble() > 0));

        // The smallest has two CMOs, which are all and few; the others have twelve.
        Assert.Equal([2, 10, 10, 12, 12], Lines(report).Select(l => l.GetProperty("cmos").GetInt32()));
        Assert.All(Lines(report), line => Assert.True(line.GetProperty("ofSmallest").GetDouble() > 0 && line.GetProperty("rowsPerCommit").GetDouble() > 0));
    }

    public static JsonElement[] Lines(JsonElement report) => [.. report.GetProperty("lines").EnumerateArray()];

    /// <summary>Runs a command whose table goes between the marks of its name.</summary>
    public static async Task<(JsonElement Report, string Document)> Run(string command, params string[] arguments)
    {
        using var folder = new TempFolder();
        if (!OperatingSystem.IsWindows())
        {
            // The database's own user must reach its cluster in it.
            File.SetUnixFileMode(folder.Path, File.GetUnixFileMode(folder.Path) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        }

        var json = Path.Combine(folder.Path, "report.json");
        var document = Path.Combine(folder.Path, "benchmarks.md");
        File.WriteAllText(document, $"before\n<!-- {command}: begin -->\nold\n<!-- {command}: end -->\nafter\n");
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])[Path.Combine(AppContext.BaseDirectory, "AgencyPlatform.Benchmarks.dll"), command, .. arguments, "--data", folder.Path, "--json", json, "--markdown", document])
        {
            start.ArgumentList.Add(argument);
        }

        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(480));
        using var process = Process.Start(start)!;
        try
        {
            var error = process.StandardError.ReadToEndAsync(patience.Token);
            var output = await process.StandardOutput.ReadToEndAsync(patience.Token);
            await process.WaitForExitAsync(patience.Token);
            Assert.True(process.ExitCode == 0, output + await error);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }

        using var report = JsonDocument.Parse(File.ReadAllText(json));
        return (report.RootElement.Clone(), File.ReadAllText(document));
    }

    public static (string? Name, int? Cmos) Row(JsonElement line) =>
        (line.GetProperty("row").GetString(), line.GetProperty("cmos") is { ValueKind: JsonValueKind.Number } cmos ? cmos.GetInt32() : null);
}
