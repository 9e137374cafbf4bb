using System.Globalization;

namespace AgencyPlatform.Faults;

/// <summary>One silo whose clock is told by a file, through libfaketime; its timers run on.</summary>
internal sealed class FakedClock(string file) : Surroundings
{
    /// <summary>How many seconds the clock is ahead.</summary>
    public void Set(int seconds)
    {
        // In one step: half a file is no time.
        File.WriteAllText(file + ".new", string.Create(CultureInfo.InvariantCulture, $"{seconds:+0;-0;+0}\n"));
        File.Move(file + ".new", file, overwrite: true);
    }

    public override Launch Silo(int i) => i > 0 ? Launch.Plain : new Launch([], [], new Dictionary<string, string>
    {
        ["LD_PRELOAD"] = Library,
        ["FAKETIME_TIMESTAMP_FILE"] = file,
        ["FAKETIME_CACHE_DURATION"] = "1",
        ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
        ["NO_FAKE_STAT"] = "1",
    });

    /// <summary>For programs of several threads.</summary>
    private static string Library =>
        new[] { "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib" }
            .Select(folder => Path.Combine(folder, "faketime", "libfaketimeMT.so.1")).FirstOrDefault(File.Exists)
        ?? throw new InvalidOperationException("A clock cannot be made to jump: libfaketime (Debian's package) is not installed.");
}

/// <summary>The wall clock of one machine is set wrong, and right again.</summary>
internal sealed class ClockJump : Fault
{
    private const int Hour = 3_600;

    /// <summary>Beside those of the load: with so many, some are that silo's.</summary>
    private const int Agencies = 12;

    private static readonly TimeSpan s_noticed = TimeSpan.FromSeconds(5);

    public override string Name => "clock-jump";

    public override string What => "The clock of one silo jumps an hour ahead, then to an hour behind, whereupon it ends itself; then it is right again, and the silo is started again (libfaketime). No aggregate's time runs back, and recorded_at decreases in no feed.";

    public override TimeSpan Bound => TimeSpan.FromSeconds(15);

    /// <summary>Ahead, behind, right.</summary>
    public override int Times => 3;

    public override async Task<Cluster> Start(string folder, Engine engine)
    {
        var clock = new FakedClock(Path.Combine(folder, "clock"));
        clock.Set(0);
        return await Cluster.Start(folder, engine, surroundings: clock);
    }

    public override async Task Strike(Scene scene, int time)
    {
        var silo = scene.Cluster.Silos[0];
        if (time == 1)
        {
            silo.MayEnd();
        }

        ((FakedClock)scene.Cluster.Surroundings).Set(time switch { 0 => Hour, 1 => -Hour, _ => 0 });

        // It looks into the file every second.
        await Task.Delay(s_noticed, TimeProvider.System);
        if (time == 1)
        {
            if (await silo.Ended() == 0)
            {
                scene.Wrong($"{silo.Name} was set back by two hours and ended without an error");
            }
        }

        // Not before: with a clock behind theirs the others take it for an old one that is dead, and it ends.
        if (time == 2)
        {
            await scene.Cluster.StartSilo(0);
        }

        if (time == 0)
        {
            await Task.WhenAll(Enumerable.Range(0, Agencies).Select(i => OwnAgency.Make(scene.Cluster, string.Create(CultureInfo.InvariantCulture, $"clock-{i}"))));
        }
    }

    public override async Task Judge(Scene scene)
    {
        var roles = scene.Cluster.Roles;
        async Task<long> Backward(string time, string of, string by) => await roles.Count(
            $"SELECT count(*) FROM (SELECT {time} < lag({time}) OVER (PARTITION BY {of} ORDER BY {by}) AS back FROM events) AS e WHERE back");
        if (await Backward("recorded_at", "agency", "sequence") is > 0 and var feeds)
        {
            scene.Wrong($"recorded_at decreases {feeds} times in a feed");
        }

        if (await Backward("occurred_at", "agency, kind, id", "version") is > 0 and var aggregates)
        {
            scene.Wrong($"an aggregate's time ran back {aggregates} times");
        }

        // Instants are stored in ticks of 100 ns since 1970; that a clock was believed shows that it was set at all.
        var now = TimeProvider.System.GetUtcNow().Subtract(DateTimeOffset.UnixEpoch).Ticks;
        var ahead = await roles.Count(string.Create(CultureInfo.InvariantCulture, $"SELECT count(*) FROM events WHERE occurred_at > {now}"));
        scene.Note($"{ahead} events occurred in the hour to come");
        if (ahead == 0)
        {
            scene.Wrong("no event has the wrong clock's time: the clock did not jump");
        }
    }
}
