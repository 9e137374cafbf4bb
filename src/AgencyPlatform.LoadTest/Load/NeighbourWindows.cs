using AgencyPlatform.LoadTest.Scenarios;
using HdrHistogram;

namespace AgencyPlatform.LoadTest.Load;

/// <summary>
/// The windows of a load with a noisy neighbour, and in each the latencies of the others' calls that came due in it. Windows come in pairs, quiet and
/// noisy; the first pair warms up and is not counted.
/// </summary>
internal sealed class NeighbourWindows
{
    private readonly TimeSpan _window;

    // What a noisy window left behind is not the quiet one's: its beginning is not counted. A noisy window counts from its first call on.
    private readonly TimeSpan _settling;
    private readonly LongConcurrentHistogram[] _latency;

    public NeighbourWindows(NoisyNeighbour neighbour, int seconds)
    {
        _window = TimeSpan.FromSeconds(neighbour.WindowSeconds);
        _settling = TimeSpan.FromSeconds(Math.Min(2, neighbour.WindowSeconds / 5.0));
        _latency = [.. Enumerable.Range(0, seconds / neighbour.WindowSeconds / 2 * 2).Select(_ => Measures.NewHistogram())];
    }

    /// <summary>When the noisy one is to send, in order: its rate of Poisson arrivals in every second window.</summary>
    public IEnumerable<TimeSpan> Arrivals(double callsPerSecond, int seed) => Enumerable.Range(0, _latency.Length / 2).SelectMany(pair =>
        ArrivalTimes.Of(new OpenLoop(callsPerSecond, Poisson: true, RampSeconds: 0, MostInFlight: 1), _window, seed + pair).Select(at => _window * (2 * pair + 1) + at));

    /// <summary>A call of the others that was to be sent at this time came to its known outcome.</summary>
    public void Done(TimeSpan intended, TimeSpan latency)
    {
        var window = (int)(intended / _window);
        if (window < _latency.Length && (window % 2 == 1 || intended - window * _window >= _settling))
        {
            _latency[window].RecordValue(Measures.Microseconds(latency));
        }
    }

    public IReadOnlyList<WindowFigures> Figures() =>
        [.. _latency.Select((l, i) => new WindowFigures(i, i % 2 == 1, i >= 2, l.TotalCount, At(l, 50), At(l, 99), At(l, 99.9)))];

    private static double At(LongConcurrentHistogram latency, double percentile) => latency.TotalCount == 0 ? 0 : latency.GetValueAtPercentile(percentile) / 1e3;
}

/// <summary>The others' calls in one window, in milliseconds from the intended time.</summary>
/// <param name="Counted">Whether it is one of those that are compared.</param>
internal sealed record WindowFigures(int Number, bool Noisy, bool Counted, long Known, double P50Ms, double P99Ms, double P999Ms);
