using AgencyPlatform.Benchmarks.Load;
using AgencyPlatform.Benchmarks.Reporting;
using AgencyPlatform.Benchmarks.Servers;

namespace AgencyPlatform.Benchmarks;

internal sealed record ThroughputOptions(int Rounds, TimeSpan Length, IReadOnlyList<int> Callers, ContenderOptions Contenders);

/// <summary>
/// Durable calls a second beside a bare echo, a grain without storage and a row-lock service, in one run: the rows take turns, round by round.
/// </summary>
internal static class Throughput
{
    private static readonly TimeSpan s_settle = TimeSpan.FromMilliseconds(300);

    public static async Task<Report> Run(ThroughputOptions options, CancellationToken cancellation)
    {
        await using var scope = new RunScope(options.Contenders.Data);
        var rows = options.Contenders.Rows;
        var turns = rows.Sum(r => r is "echo" or "grain" ? 1 : options.Contenders.Cmos.Count) * options.Callers.Count;
        var expected = (rows.Count * (options.Contenders.WarmUp + TimeSpan.FromSeconds(10))) + (options.Rounds * turns * (options.Length + (2 * s_settle)));
        Figures.Say($"{options.Rounds} rounds of {turns} turns of {options.Length.TotalSeconds:0.#} s: about {Math.Ceiling(expected.TotalMinutes)} minutes");
        var contenders = await Contenders.Start(scope, options.Contenders, options.Callers.Max(), cancellation);
        var rounds = new List<Round>();
        for (var round = 1; round <= options.Rounds; round++)
        {
            foreach (var callers in options.Callers)
            {
                foreach (var subject in contenders.All)
                {
                    var window = await LoadGenerator.Run(subject, callers, s_settle, options.Length, cancellation);
                    subject.Check(window);
                    rounds.Add(new Round(round, subject.Name, subject.Cmos, callers, window));
                    Figures.Say($"round {round} of {options.Rounds}, {callers} callers, {subject.Title}: {window.CallsPerSecond:N0} calls/s, p99 {window.P99:N1} ms");
                }
            }
        }

        await contenders.Judge();
        return Report.Of(options, rounds);
    }
}
