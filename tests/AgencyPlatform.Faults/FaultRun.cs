namespace AgencyPlatform.Faults;

/// <summary>What came of one fault.</summary>
/// <param name="Outage">The longest time in which an agency had no success, from the first strike to the end of the load.</param>
/// <param name="After">The same, counted from the end of each strike (and to the next one): what the bound is for.</param>
/// <param name="NeverKnown">Changing calls of whose outcome nobody was told, in spite of all repeats.</param>
/// <param name="Verified">Whether <c>journal verify</c> found it whole.</param>
/// <param name="Wrong">What else must not be.</param>
internal sealed record FaultResult(Fault Fault, LoadReport? Load, TimeSpan Outage, TimeSpan After, int NeverKnown, bool Verified, IReadOnlyList<string> Wrong, IReadOnlyList<string> Notes)
{
    public bool InTime => After <= Fault.Bound;

    public bool Holds => Load is { } load && load.Violations.Values.All(v => v == 0) && InTime && NeverKnown == 0 && Verified && Wrong.Count == 0;
}

/// <summary>One fault: the processes, the load on them, the fault in its middle, the end of the load, and what the load tester's checker and <c>journal verify</c> say to it.</summary>
internal static class FaultRun
{
    /// <summary>For an answer after a fault, before it is given up: well beyond every bound, so that it is measured by how much a bound is missed.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(180);

    /// <summary>Successes of each agency before a fault strikes, and after it.</summary>
    private const int Successes = 10;

    /// <param name="length">How long the load lasts at least; it lasts until the fault is over and mended.</param>
    public static async Task<FaultResult> Run(Fault fault, Engine engine, TimeSpan length, string folder, Action<string> say)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }

        Directory.CreateDirectory(folder);
        await using var cluster = await fault.Start(folder, engine);
        say("the processes serve");
        using var load = await LoadTester.Start(cluster, folder);
        var scene = new Scene(cluster, load, folder);
        var begun = TimeProvider.System.GetTimestamp();
        await Answered("before the fault");
        say("the load is answered");
        var strikes = new List<(DateTimeOffset Begin, DateTimeOffset Over)>();
        for (var time = 0; time < fault.Times; time++)
        {
            var begin = TimeProvider.System.GetUtcNow();
            await fault.Strike(scene, time);
            strikes.Add((begin, TimeProvider.System.GetUtcNow()));
            say(fault.Times == 1 ? "the fault has struck" : $"the fault has struck, {time + 1} of {fault.Times}");
            await Answered("after the fault");
            await fault.Mend(scene, time);
            await Answered("after what was done about it");
        }

        if (length - TimeProvider.System.GetElapsedTime(begun) is var left && left > TimeSpan.Zero)
        {
            await Task.Delay(left, TimeProvider.System);
        }

        var end = TimeProvider.System.GetUtcNow();
        var outage = load.Calls.LongestOutage(strikes[0].Begin, end);
        var after = strikes.Select((s, i) => load.Calls.LongestOutage(s.Over, i + 1 < strikes.Count ? strikes[i + 1].Begin : end)).Max();
        say("the load ends and is judged");
        if (await load.Stop() is not LoadTester.Holds and var code)
        {
            scene.Wrong($"the load tester ended with {code}");
        }

        if (await load.Check() is not LoadTester.Holds and var again)
        {
            scene.Wrong($"the second check ended with {again}");
        }

        await fault.Judge(scene);
        foreach (var name in cluster.EndedByThemselves)
        {
            scene.Wrong($"{name} ended though nobody told it to");
        }

        var verified = await cluster.Command("journal", "verify") == 0;
        return new FaultResult(fault, load.Report(), outage, after, load.Calls.NeverKnown(), verified, scene.Wrongs, scene.Notes);

        async Task Answered(string when)
        {
            if (!await load.Answered(Successes, s_patience))
            {
                scene.Wrong($"not every agency was answered {Successes} times within {s_patience.TotalSeconds:N0} s {when}");
            }
        }
    }
}
