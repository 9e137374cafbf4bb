using AgencyPlatform.LoadTest.Load;
using AgencyPlatform.LoadTest.Scenarios;

namespace AgencyPlatform.LoadTest.Reporting;

/// <summary>A median and between which values it stands.</summary>
internal sealed record Spread(double Median, double Least, double Most)
{
    public static Spread Of(IEnumerable<double> values)
    {
        double[] all = [.. values.Order()];
        return all.Length == 0 ? new Spread(0, 0, 0) : new Spread((all[(all.Length - 1) / 2] + all[all.Length / 2]) / 2, all[0], all[^1]);
    }
}

/// <summary>What a noisy neighbour cost the others, and what it was answered.</summary>
/// <param name="FairPerSecond">Calls a second of each of the others: the fair load.</param>
/// <param name="Sent">By the noisy one; each once, none is repeated.</param>
/// <param name="Shed">Of them answered with RESOURCE_EXHAUSTED.</param>
/// <param name="Refused">Refused for another reason.</param>
/// <param name="ServedP99Ms">Of what was not shed.</param>
internal sealed record NeighbourFigures(
    double Times, double FairPerSecond, int WindowSeconds, IReadOnlyList<WindowFigures> Windows, long Sent, long Succeeded, long Shed, long Refused, long Unknown, long Skipped, double ServedP99Ms)
{
    /// <summary>How much of its p99 an agency may lose to a neighbour.</summary>
    public const double MostRatio = 1.2;

    public Spread QuietP99Ms => Spread.Of(Windows.Where(w => w is { Counted: true, Noisy: false }).Select(w => w.P99Ms));

    public Spread NoisyP99Ms => Spread.Of(Windows.Where(w => w is { Counted: true, Noisy: true }).Select(w => w.P99Ms));

    /// <summary>Of a noisy window's p99 to that of the quiet one before it.</summary>
    public Spread Ratio => Spread.Of(Windows.Where(w => w.Counted).Chunk(2).Where(p => p[0].P99Ms > 0).Select(p => p[1].P99Ms / p[0].P99Ms));

    public bool Holds => Ratio.Median is > 0 and <= MostRatio;

    public static NeighbourFigures Of(NoisyNeighbour neighbour, double fairPerSecond, NeighbourWindows windows, Measures noisy)
    {
        var shed = noisy.Codes.Where(c => c.Key.Code is "RATE_LIMITED" or "ResourceExhausted").Sum(c => c.Value);
        return new NeighbourFigures(
            neighbour.Times, fairPerSecond, neighbour.WindowSeconds, windows.Figures(), noisy.Sent, noisy.Succeeded, shed, noisy.Refused - shed, noisy.Unknown, noisy.Skipped,
            noisy.Latency.Count == 0 ? 0 : noisy.Latency.Values.Max(l => l.GetValueAtPercentile(99)) / 1e3);
    }
}
