using System.Diagnostics;
using System.Text.Json;

namespace AgencyPlatform.Host.Tests;

/// <summary>The benchmark command, small: that it runs and reports every row. What it measures here means nothing.</summary>
public sealed class BenchmarkFacts
{
    [Fact]
    public async Task A_short_run_reports_every_row_and_no_call_fails()
    {
        using var folder = new TempFolder();
        var json = Path.Combine(folder.Path, "report.json");
        var document = Path.Combine(folder.Path, "benchmarks.md");
        File.WriteAllText(document, "before\n<!-- throughput: begin -->\nold\n<!-- throughput: end -->\nafter\n");
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in new[]
        {
            Path.Combine(AppContext.BaseDirectory, "AgencyPlatform.Benchmarks.dll"), "throughput", "--rounds", "1", "--seconds", "1", "--warm-up", "1", "--callers", "8", "--connections", "2",
            "--engines", "Sqlite", "--agencies", "2", "--cmos", "6", "--hot", "2", "--data", folder.Path, "--json", json, "--markdown", document,
        })
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
        var lines = report.RootElement.GetProperty("lines").EnumerateArray().ToArray();
        Assert.Equal(
            ["gRPC echo", "gRPC → grain, nothing stored", "Sqlite, hot (2 CMOs)", "Sqlite, spread (6 CMOs)"],
            lines.Select(l => l.GetProperty("row").GetString()));
        Assert.All(lines, line => Assert.True(line.GetProperty("callsPerSecond").GetDouble() > 0));
        Assert.All(lines[2..], line => Assert.True(line.GetProperty("rowsPerCommit").GetDouble() > 0));
        var text = File.ReadAllText(document);
        Assert.Contains("| gRPC echo | 8 |", text, StringComparison.Ordinal);
        Assert.DoesNotContain("old", text, StringComparison.Ordinal);
        Assert.EndsWith("<!-- throughput: end -->\nafter\n", text, StringComparison.Ordinal);
    }
}
