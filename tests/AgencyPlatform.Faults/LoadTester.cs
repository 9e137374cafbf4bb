using System.Globalization;
using System.Text.Json;

namespace AgencyPlatform.Faults;

/// <summary>The load tester as a process, on all addresses of a cluster: its load, its log, its checker.</summary>
internal sealed class LoadTester : IDisposable
{
    public const int Holds = 0;

    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(10);
    private readonly Member _process;
    private readonly Cluster _cluster;
    private readonly string _folder;

    private LoadTester(Member process, Cluster cluster, string folder) =>
        (_process, _cluster, _folder, Calls) = (process, cluster, folder, new CallTimes(Path.Combine(folder, "calls.jsonl")));

    /// <summary>When its calls were sent and answered.</summary>
    public CallTimes Calls { get; }

    /// <summary>Starts a load, and ends when its agencies are prepared.</summary>
    public static async Task<LoadTester> Start(Cluster cluster, string folder)
    {
        var process = Member.Start(
            "AgencyPlatform.LoadTest", "load", folder, programs: null,
            ["run", Path.Combine(AppContext.BaseDirectory, "faults.json"), .. Reached(cluster, folder), "--report", Path.Combine(folder, "load.json"), "--html", Path.Combine(folder, "load.html")]);
        var tester = new LoadTester(process, cluster, folder);
        if (await tester.Calls.Until(s_patience, calls => process.HasEnded || calls.Any()) && !process.HasEnded)
        {
            return tester;
        }

        tester.Dispose();
        throw new InvalidOperationException($"The load does not start: see {folder}");
    }

    /// <summary>Until every agency has had so many successes of what was sent after this began; false when that takes longer than the patience.</summary>
    public Task<bool> Answered(int times, TimeSpan patience)
    {
        var begin = TimeProvider.System.GetUtcNow();
        return Calls.Until(patience, calls => _process.HasEnded || calls.Successes(since: begin).All(a => a >= times));
    }

    /// <summary>Ends the load; the load tester judges what is there. Its exit code.</summary>
    public async Task<int> Stop()
    {
        // Not SIGINT, which whatever a shell starts in the background ignores.
        _process.Signal(Member.SigTerm);
        return await _process.Ended(s_patience);
    }

    /// <summary>Judges once more, from the log. The exit code.</summary>
    public Task<int> Check() => Check(_cluster, _folder);

    /// <summary>Judges by a log and its keys that are in a folder. The exit code; the report goes there too.</summary>
    public static async Task<int> Check(Cluster cluster, string folder)
    {
        using var check = Member.Start("AgencyPlatform.LoadTest", "check", folder, programs: null, ["check", .. Reached(cluster, folder), "--report", Path.Combine(folder, "check.json")]);
        return await check.Ended(s_patience);
    }

    /// <summary>What the load tester reported; null when it wrote nothing.</summary>
    public LoadReport? Report() => LoadReport.Read(Path.Combine(_folder, "load.json"));

    public void Dispose() => _process.Dispose();

    private static string[] Reached(Cluster cluster, string folder) =>
        [.. cluster.Addresses.SelectMany(a => new[] { "--address", a.ToString() }), "--log", Path.Combine(folder, "calls.jsonl")];
}

/// <summary>What is taken from a report of the load tester.</summary>
/// <param name="Unknown">Sendings after which it was not known what had become of them; they were repeated.</param>
/// <param name="Violations">By the letter of the invariant.</param>
internal sealed record LoadReport(long Sent, long Acknowledged, long Refused, long Unknown, IReadOnlyDictionary<string, long> Violations, IReadOnlyList<string> Examples)
{
    public static LoadReport? Read(string file)
    {
        if (!File.Exists(file))
        {
            return null;
        }

        using var document = JsonDocument.Parse(File.ReadAllText(file));
        var root = document.RootElement;
        var load = root.GetProperty("load");
        long Of(string name) => load.ValueKind == JsonValueKind.Object ? load.GetProperty(name).GetInt64() : 0;
        var invariants = root.GetProperty("invariants").EnumerateArray().ToList();
        return new LoadReport(
            Of("sent"), Of("succeeded"), Of("refused"), Of("unknown"),
            invariants.ToDictionary(i => i.GetProperty("letter").GetString()!, i => i.GetProperty("violations").GetInt64()),
            [.. invariants.SelectMany(i => i.GetProperty("examples").EnumerateArray().Take(3).Select(e => string.Create(CultureInfo.InvariantCulture, $"{i.GetProperty("letter").GetString()}: {e.GetString()}")))]);
    }
}
