using AgencyPlatform.LoadTest.Load;
using AgencyPlatform.LoadTest.Reporting;
using AgencyPlatform.LoadTest.Scenarios;

namespace AgencyPlatform.LoadTest.Tests;

public sealed class A_noisy_neighbour
{
    [Fact]
    public void Sends_in_every_second_window_and_its_rate_in_it()
    {
        var times = new NeighbourWindows(new NoisyNeighbour(10, 10), seconds: 45).Arrivals(500, seed: 1).Select(t => t.TotalSeconds).ToList();

        Assert.Equal(times.Order(), times);
        Assert.All(times, t => Assert.Equal(1, (int)(t / 10) % 2));
        Assert.InRange(times.Count(t => t < 20), 4_750, 5_250);
        Assert.InRange(times.Count(t => t > 20), 4_750, 5_250);
    }

    [Fact]
    public void Costs_the_others_what_came_due_in_its_windows_whenever_it_was_answered()
    {
        var windows = new NeighbourWindows(new NoisyNeighbour(10, 10), seconds: 40);
        Done(10.0, 5_000);
        Done(19.9, 5_000);
        // What the noisy window left behind: not the quiet one's.
        Done(20.1, 5_000);
        Done(22.0, 10);
        Done(30.0, 11);
        // Behind the last whole pair.
        Done(41.0, 7);

        var figures = windows.Figures();
        Assert.Equal([(false, false, 0), (true, false, 2), (false, true, 1), (true, true, 1)], figures.Select(w => (w.Noisy, w.Counted, w.Known)));
        Assert.InRange(figures[1].P50Ms, 4_990, 5_010);
        Assert.InRange(figures[2].P99Ms, 9.99, 10.02);

        void Done(double due, double milliseconds) => windows.Done(TimeSpan.FromSeconds(due), TimeSpan.FromMilliseconds(milliseconds));
    }

    [Theory]
    [InlineData(11, 12, 24, true)]
    [InlineData(12, 13, 14, false)]
    public void Is_judged_by_the_median_of_pairs(double first, double second, double third, bool holds)
    {
        var figures = Of([(99, 1), (10, first), (10, second), (10, third)]);

        Assert.Equal(holds, figures.Holds);
        Assert.Equal(new Spread(Math.Max(Math.Min(first, second), Math.Min(Math.Max(first, second), third)) / 10, Math.Min(first, third) / 10, Math.Max(first, third) / 10), figures.Ratio);
        Assert.Equal(new Spread(10, 10, 10), figures.QuietP99Ms);
    }

    private static NeighbourFigures Of((double Quiet, double Noisy)[] pairs) => new(
        10, 25, 15,
        [.. pairs.SelectMany((p, i) => new[] { new WindowFigures(2 * i, false, i > 0, 100, 1, p.Quiet, p.Quiet), new WindowFigures(2 * i + 1, true, i > 0, 100, 1, p.Noisy, p.Noisy) })],
        1, 1, 0, 0, 0, 0, 1);
}
