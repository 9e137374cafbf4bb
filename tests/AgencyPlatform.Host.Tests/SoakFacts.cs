using System.Text.RegularExpressions;

namespace AgencyPlatform.Host.Tests;

/// <summary>The short form of tests/soak.sh: the real host, the real load tester, one kill.</summary>
public sealed partial class SoakFacts
{
    [Fact]
    public async Task Ten_seconds_of_load_with_a_kill_9_in_the_middle_leave_every_invariant_whole()
    {
        using var folder = new TempFolder();
        var data = Path.Combine(folder.Path, "data");
        using var host = await HostProcess.Serve(data);
        var load = HostProcess.StartProgram(
            typeof(LoadTest.LoadTestCommands).Assembly,
            "run", "capacity", "--address", host.Grpc.ToString(), "--seconds", "10", "--callers", "60", "--cmos", "16", "--log", Path.Combine(folder.Path, "calls.jsonl"));
        while (await load.StandardOutput.ReadLineAsync() is { } line)
        {
            // Its first figures come in the middle.
            if (Figures().IsMatch(line))
            {
                break;
            }
        }

        await host.Kill();
        using (await HostProcess.Serve(data, at: host))
        {
            var (code, output, error) = await HostProcess.Ended(load);

            Assert.True(code == 0, output + error);
            Assert.Contains("All invariants hold.", output, StringComparison.Ordinal);
        }

        var (verified, verify, wrong) = await HostProcess.Run("journal", "verify", "--data", data);
        Assert.True(verified == 0, verify + wrong);
    }

    [GeneratedRegex(@"\d s .* sent ")]
    private static partial Regex Figures();
}
