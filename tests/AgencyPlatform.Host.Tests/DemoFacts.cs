using System.Diagnostics;

namespace AgencyPlatform.Host.Tests;

public sealed class DemoFacts
{
    [Fact]
    public async Task The_demo_ends_with_all_checks_passed()
    {
        using var folder = new TempFolder();

        var (code, output, error) = await HostProcess.Run("demo", "--exit", "--data", folder.Path, "--grpc-port", "0", "--http-port", "0");

        Assert.True(code == 0, output + error);
        Assert.Contains("All checks passed.", output, StringComparison.Ordinal);
        Assert.DoesNotContain("FAILED", output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_host_serves_within_seconds_of_its_start()
    {
        using var folder = new TempFolder();
        var start = Stopwatch.GetTimestamp();
        using var host = await HostProcess.Serve(folder.Path);
        using var http = new HttpClient { BaseAddress = host.Http };

        Assert.Equal("serving\n", await http.GetStringAsync("health"));
        // Two to four seconds on a machine of its own; here others run beside it.
        Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromSeconds(20));
    }
}
