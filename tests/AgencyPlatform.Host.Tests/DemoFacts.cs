using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace AgencyPlatform.Host.Tests;

public sealed partial class DemoFacts
{
    [Fact]
    public async Task The_demo_lives_through_every_chapter_and_ends_with_all_checks_passed()
    {
        using var folder = new TempFolder();

        var (code, output, error) = await HostProcess.Run("demo", "--exit", "--data", folder.Path, "--grpc-port", "0", "--http-port", "0");

        Assert.True(code == 0, output + error);
        Assert.Contains("All checks passed.", output, StringComparison.Ordinal);
        Assert.DoesNotContain("FAILED", output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);

        // The table of the life: everything that the demo can tell of has happened.
        var life = output[output.IndexOf("Their life:", StringComparison.Ordinal)..output.IndexOf("Next due:", StringComparison.Ordinal)];
        var counts = Count().Matches(life).Select(m => (What: m.Groups[2].Value.Trim(), Times: int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture))).ToList();
        Assert.Equal(35, counts.Count);
        Assert.All(counts, c => Assert.True(c.Times > 0, c.What));
    }

    [Theory]
    [InlineData("--clients", "1", "--cmos", "1", "--months", "1")]
    [InlineData("--clients", "7", "--cmos", "2", "--months", "5")]
    public async Task A_small_agency_lives_through_what_it_has_engagements_for(params string[] options)
    {
        using var folder = new TempFolder();

        var (code, output, error) = await HostProcess.Run(["demo", "--exit", "--data", folder.Path, "--grpc-port", "0", "--http-port", "0", .. options]);

        Assert.True(code == 0, output + error);
        Assert.Contains("All checks passed.", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_seed_gives_the_same_year_also_where_the_server_is_killed_meanwhile()
    {
        var undisturbed = await Year("--seed", "7", "--kills", "0");
        var killed = await Year("--seed", "7", "--kills", "2");
        var other = await Year("--seed", "8", "--kills", "0");

        Assert.Contains("The server was killed 2 times meanwhile", killed, StringComparison.Ordinal);
        Assert.Equal(Story(undisturbed), Story(killed));
        Assert.NotEqual(Story(undisturbed), Story(other));

        static async Task<string> Year(params string[] options)
        {
            using var folder = new TempFolder();
            var (code, output, error) = await HostProcess.Run(
                ["demo", "--year", "--clients", "8", "--cmos", "3", "--months", "3", .. options, "--exit", "--data", folder.Path, "--grpc-port", "0", "--http-port", "0"]);
            Assert.True(code == 0, output + error);
            Assert.Contains("All checks passed.", output, StringComparison.Ordinal);
            return output;
        }

        // All but keys, addresses and the kills themselves.
        static IReadOnlyList<string> Story(string output) =>
            [.. output.Split('\n').SkipWhile(l => !l.Contains("week of", StringComparison.Ordinal)).TakeWhile(l => !l.StartsWith("Open the dashboard", StringComparison.Ordinal)).Where(l => !l.Contains("killed", StringComparison.Ordinal))];
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

    [GeneratedRegex("(\\d+) ([A-Za-z ]+)")]
    private static partial Regex Count();
}
