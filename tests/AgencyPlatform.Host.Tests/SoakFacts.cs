using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using AgencyPlatform.Grains;
using AgencyPlatform.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace AgencyPlatform.Host.Tests;

/// <summary>Short forms of tests/soak.sh: the real host, the real load tester, one fault, and the checker's word on what is left.</summary>
public sealed partial class SoakFacts
{
    [Fact]
    public async Task Ten_seconds_of_load_with_a_kill_9_in_the_middle_leave_every_invariant_whole()
    {
        using var folder = new TempFolder();
        var data = Path.Combine(folder.Path, "data");
        using var host = await HostProcess.Serve(data);
        var load = Load(folder, 10, host.Grpc);

        // Its first figures come in the middle.
        await Says(load, Figures());
        await host.Kill();
        using (await HostProcess.Serve(data, at: host))
        {
            await AllHolds(load);
        }

        await Verified("--data", data);
    }

    [Fact]
    public async Task A_disk_that_refuses_writes_in_the_middle_of_the_load_leaves_every_invariant_whole()
    {
        if (!OperatingSystem.IsLinux())
        {
            // No other system changes the limits of a process that runs.
            return;
        }

        using var folder = new TempFolder();
        var data = Path.Combine(folder.Path, "data");
        using (var host = await HostProcess.Serve(data, limitable: true))
        {
            var load = Load(folder, 15, host.Grpc);
            await Says(load, Figures());
            host.LimitFiles(4_096);
            await Says(load, Figures());
            host.LimitFiles(null);
            await AllHolds(load);
        }

        await Verified("--data", data);
    }

    [Fact]
    public async Task A_clock_that_runs_back_in_the_middle_of_the_load_leaves_every_invariant_whole()
    {
        using var folder = new TempFolder();
        var clock = new ClockAhead { By = TimeSpan.FromMinutes(1) };
        var settings = new Dictionary<string, string?>
        {
            ["AgencyPlatform:Listen:GrpcPort"] = "0",
            ["AgencyPlatform:Listen:HttpPort"] = "0",
            ["AgencyPlatform:Data:Directory"] = Path.Combine(folder.Path, "data"),
        };
        await using (var host = PlatformHost.Build(settings, "Development", services => services.AddKeyedSingleton<TimeProvider>(GrainServices.ProductClock, clock)))
        {
            await host.StartAsync();
            var load = Load(folder, 10, host.Addresses().Grpc);
            await Says(load, Figures());
            clock.By = TimeSpan.Zero;
            await AllHolds(load);
            await host.StopAsync();
        }

        await Verified("--data", Path.Combine(folder.Path, "data"));
    }

    /// <summary>The load tester with the scenario of capacity; calls go to all addresses in turn.</summary>
    internal static Process Load(TempFolder folder, int seconds, Uri address, params string[] more) => HostProcess.StartProgram(
        typeof(LoadTest.LoadTestCommands).Assembly,
        ["run", "capacity", "--address", address.ToString(), "--seconds", $"{seconds}", "--callers", "60", "--cmos", "16", "--log", Path.Combine(folder.Path, "calls.jsonl"), .. more]);

    /// <summary>Reads what a load says up to a line; one that ends before it fails, with what it said.</summary>
    internal static async Task Says(Process load, Regex line)
    {
        var before = new StringBuilder();
        while (await load.StandardOutput.ReadLineAsync() is { } said)
        {
            if (line.IsMatch(said))
            {
                return;
            }

            before.AppendLine(said);
        }

        Assert.Fail($"The load ended early: {before}{await load.StandardError.ReadToEndAsync()}");
    }

    internal static async Task AllHolds(Process load)
    {
        var (code, output, error) = await HostProcess.Ended(load);
        Assert.True(code == 0, output + error);
        Assert.Contains("All invariants hold.", output, StringComparison.Ordinal);
    }

    internal static async Task Verified(params string[] storage)
    {
        var (verified, verify, wrong) = await HostProcess.Run(["journal", "verify", .. storage]);
        Assert.True(verified == 0, verify + wrong);
    }

    /// <summary>The figures that a load gives every five seconds.</summary>
    [GeneratedRegex(@"\d s .* sent ")]
    internal static partial Regex Figures();

    /// <summary>The line with which the load begins.</summary>
    [GeneratedRegex("prepared in ")]
    internal static partial Regex Prepared();

    private sealed class ClockAhead : TimeProvider
    {
        private long _ticks;

        public TimeSpan By { set => Volatile.Write(ref _ticks, value.Ticks); }

        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + TimeSpan.FromTicks(Volatile.Read(ref _ticks));
    }
}

/// <summary>The same against clusters that do not know of each other: each has activations of its own, and only the fence in the database stands between them.</summary>
[NeedsPostgres]
public sealed class SoakFacts_on_PostgreSQL
{
    [EngineFact]
    public async Task Two_clusters_that_serve_the_same_agencies_at_once_leave_every_invariant_whole()
    {
        using var folder = new TempFolder();
        var roles = await PostgresRoles.NewDatabase();
        string[] As(string connection, string cluster) => ["--set", "Storage:Provider=Postgres", "--set", $"Storage:ConnectionString={connection}", "--set", $"Cluster:Id={cluster}"];
        var (code, output, error) = await HostProcess.Run(["migrate", .. As(roles.Owner, "one")]);
        Assert.True(code == 0, output + error);

        // The other comes when all is prepared, where it said that it would be.
        var other = await HostProcess.Serve(folder.Path, null, false, As(roles.Application, "other"));
        await other.Kill();
        using var one = await HostProcess.Serve(folder.Path, null, false, As(roles.Application, "one"));
        var load = SoakFacts.Load(folder, 20, one.Grpc, "--address", other.Grpc.ToString());
        await SoakFacts.Says(load, SoakFacts.Prepared());
        using (await HostProcess.Serve(folder.Path, other, false, As(roles.Application, "other")))
        {
            // A view of one cluster may be older than what the other has written: the checker asks one that has read everything anew.
            await SoakFacts.Says(load, SoakFacts.Figures());
            await SoakFacts.Says(load, SoakFacts.Figures());
            await SoakFacts.Says(load, SoakFacts.Figures());
            await one.Kill();
        }

        using (await HostProcess.Serve(folder.Path, one, false, As(roles.Application, "one")))
        {
            await SoakFacts.AllHolds(load);
        }

        await SoakFacts.Verified(As(roles.Owner, "one"));
    }
}
