using System.Globalization;

namespace AgencyPlatform.Faults;

/// <summary>kill -9 of a silo, again and again, while agencies of all silos are loaded: for how long nobody answers them.</summary>
internal static class Kills
{
    private static readonly TimeSpan s_noticeable = TimeSpan.FromSeconds(1);

    /// <param name="bound">For how long an agency may be without an answer after a kill, the killed silo's return included.</param>
    public static async Task<int> Run(int kills, int agencies, TimeSpan bound, string folder)
    {
        await using var cluster = await Cluster.Start(folder);
        using var load = await ConstantLoad.Prepare(cluster, agencies);
        load.Start();
        await load.Answered(times: 10);
        Say($"{agencies} agencies loaded; load of the machine {Machine()}");
        Say($"{"kill",4}  {"longest silence",15}  {"longest call",12}  {"interrupted",11}  {"failed",6}  {"serves again",12}  {"bound",6}  machine");
        var (worst, longest) = (TimeSpan.Zero, new List<TimeSpan>());
        for (var kill = 1; kill <= kills; kill++)
        {
            var (i, failed, begin) = (kill % cluster.Silos.Length, load.Failed.Count, TimeProvider.System.GetTimestamp());
            await cluster.Silos[i].Kill();
            await load.Answered(times: 10);
            var restart = TimeProvider.System.GetTimestamp();
            await cluster.StartSilo(i);
            var served = TimeProvider.System.GetElapsedTime(restart);

            // What its return costs is counted too: agencies move home.
            await load.Answered(times: 30);
            var seen = load.Longest(begin);
            var (silence, call) = (seen.Max(s => s.Silence), seen.Max(s => s.Call));
            Say($"{kill,4}  {silence.TotalSeconds,13:N2} s  {call.TotalSeconds,10:N2} s  {seen.Count(s => s.Silence >= s_noticeable),5} of {agencies,2}  {load.Failed.Count - failed,6}  {served.TotalSeconds,10:N1} s  {(silence <= bound ? "met" : "missed"),6}  {Machine()}");
            longest.Add(silence);
            worst = silence > worst ? silence : worst;
        }

        await load.Stop();
        var different = await load.Differences();
        var evicted = cluster.EndedByThemselves.ToList();
        var verified = await cluster.Command("journal", "verify");
        longest.Sort();
        Say($"Bound: no agency without an answer for more than {bound.TotalSeconds:0.##} s: met {longest.Count(l => l <= bound)} of {kills} times. Longest silence: {worst.TotalSeconds:N2} s at most, {longest[longest.Count / 2].TotalSeconds:N2} s in the middle");
        Say($"{load.Acknowledged} calls acknowledged, {load.Failed.Count} failed after the library's repeats; {(different.Count == 0 ? "each acknowledged one is found once" : string.Join("; ", different))}");
        foreach (var failed in load.Failed.Take(5))
        {
            Say($"  {failed}");
        }

        Say($"Processes that ended by themselves: {(evicted.Count == 0 ? "none" : string.Join(", ", evicted))}; journal verify: exit code {verified}; logs in {cluster.Folder}");
        return different.Count == 0 && load.Failed.Count == 0 && evicted.Count == 0 && verified == 0 && worst <= bound ? 0 : 1;
    }

    /// <summary>How many want to run, over the last minute.</summary>
    public static string Machine() => File.Exists("/proc/loadavg") ? $"{File.ReadAllText("/proc/loadavg").Split(' ')[0]} on {Environment.ProcessorCount} cores" : "?";

    private static void Say(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
