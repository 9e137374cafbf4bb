using System.Diagnostics;
using System.Text.Json;
using AgencyPlatform.Testing;

namespace AgencyPlatform.Host.Tests;

/// <summary>The benchmark command, small: that it runs and reports every row. What it measures here means nothing.</summary>
public sealed class BenchmarkFacts
{
    [Fact]
    public async Task A_short_run_reports_every_row_and_no_call_fails()
    {
        var (lines, text) = await ShortBenchmark.Run("echo,grain,sqlite");
        Assert.Equal(
            [("gRPC echo", null), ("gRPC → grain, nothing stored", null), ("Sqlite", 2), ("Sqlite", 6)],
            lines.Select(ShortBenchmark.Row));
        Assert.All(lines, line => Assert.True(line.GetProperty("callsPerSecond").GetDouble() > 0));
        Assert.All(lines, line => Assert.True(line.GetProperty("ofEcho").GetDouble() > 0 && line.GetProperty("ofGrain").GetDouble() > 0));
        Assert.All(lines, line => Assert.True(line.GetProperty("p50").GetDouble() <= line.GetProperty("p99").GetDouble()));
        Assert.All(lines, line => Assert.True(line.GetProperty("p99").GetDouble() <= line.GetProperty("p999").GetDouble()));
        Assert.All(lines[2..], line => Assert.True(line.GetProperty("rowsPerCommit").GetDouble() > 0));
        Assert.Contains("| gRPC echo | – | 8 |", text, StringComparison.Ordinal);
        Assert.DoesNotContain("old", text, StringComparison.Ordinal);
        Assert.EndsWith("<!-- throughput: end -->\nafter\n", text, StringComparison.Ordinal);
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
        var (lines, text) = await ShortBenchmark.Run("peer,postgres", "--peer-style", style);
        Assert.Equal([("Peer", 2), ("Peer", 6), ("Postgres", 2), ("Postgres", 6)], lines.Select(ShortBenchmark.Row));
        Assert.All(lines, line => Assert.True(line.GetProperty("callsPerSecond").GetDouble() > 0));
        Assert.All(lines, line => Assert.True(line.GetProperty("ofPeer").GetDouble() > 0));
        Assert.All(lines, line => Assert.Equal(JsonValueKind.Null, line.GetProperty("ofEcho").ValueKind));
        Assert.All(lines[..2], line => Assert.Equal(1, line.GetProperty("ofPeer").GetDouble()));
        Assert.Contains("| Peer | 2 | 8 |", text, StringComparison.Ordinal);
    }
}

internal static class ShortBenchmark
{
    /// <summary>The report's lines, and the document with its table.</summary>
    public static async Task<(JsonElement[] Lines, string Document)> Run(string rows, params string[] more)
    {
        using var folder = new TempFolder();
        if (!OperatingSystem.IsWindows())
        {
            // The database's own user must reach its cluster in it.
            File.SetUnixFileMode(folder.Path, File.GetUnixFileMode(folder.Path) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        }

        var json = Path.Combine(folder.Path, "report.json");
        var document = Path.Combine(folder.Path, "benchmarks.md");
        File.WriteAllText(document, "before\n<!-- throughput: begin -->\nold\n<!-- throughput: end -->\nafter\n");
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in new[]
        {
            Path.Combine(AppContext.BaseDirectory, "AgencyPlatform.Benchmarks.dll"), "throughput", "--rounds", "1", "--seconds", "1", "--warm-up", "1", "--callers", "8", "--connections", "2",
            "--rows", rows, "--agencies", "2", "--cmos", "2,6", "--data", folder.Path, "--json", json, "--markdown", document,
        }.Concat(more))
        {
            start.ArgumentList.Add(argument);
        }

        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(120));
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
        return ([.. report.RootElement.GetProperty("lines").EnumerateArray().Select(l => l.Clone())], File.ReadAllText(document));
    }

    public static (string? Name, int? Cmos) Row(JsonElement line) =>
        (line.GetProperty("row").GetString(), line.GetProperty("cmos") is { ValueKind: JsonValueKind.Number } cmos ? cmos.GetInt32() : null);
}
