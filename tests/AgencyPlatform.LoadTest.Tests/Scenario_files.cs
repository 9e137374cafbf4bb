using AgencyPlatform.LoadTest.Load;
using AgencyPlatform.LoadTest.Scenarios;

namespace AgencyPlatform.LoadTest.Tests;

public sealed class Scenario_files
{
    public static TheoryData<string> Shipped => [.. ScenarioFile.Shipped];

    [Fact]
    public void There_are_five() => Assert.Equal(["agencies", "capacity", "hotspot", "mixed", "neighbour"], ScenarioFile.Shipped);

    [Theory]
    [MemberData(nameof(Shipped))]
    public void All_that_are_shipped_can_be_read(string name)
    {
        var scenario = ScenarioFile.Load(name);

        Assert.Equal(name, scenario.Name);
        Assert.True(scenario.Mix.Values.Sum() > 0);
    }

    [Fact]
    public void Agencies_has_100_000_clients_in_1_000_agencies()
    {
        var scenario = ScenarioFile.Load("agencies");

        Assert.Equal((1_000, 100_000), (scenario.Agencies, scenario.Agencies * scenario.Clients));
    }

    [Fact]
    public void Every_wrong_field_is_named_at_once_with_what_would_be_right()
    {
        var wrong = Assert.Throws<WrongScenarioException>(() => ScenarioFile.Parse("x.json", """
            { "agencies": 0, "clientz": 3, "seconds": "long", "mix": { "check": 1, "chek": 2 }, "skew": 3,
              "arrivals": { "loop": "open", "callsPerSecond": -1, "callers": 5 }, "repeats": { "latePercent": 90, "concurrentPercent": 90 } }
            """)).Wrong;

        string[] expected =
        [
            "agencies: must be a whole number from 1 to 10000, not 0", "clientz: is unknown; there are ", "seconds: must be a whole number from 1 to 86400, not \"long\"", "mix.chek: is unknown; there are check, hold",
            "skew: must be an object, not number", "arrivals.callsPerSecond: must be a number from 0.01 to 100000, not -1", "arrivals.callers: is unknown; there are loop, callsPerSecond", "repeats: must sum to 100 at most",
        ];
        Assert.All(expected, e => Assert.Contains(wrong, w => w.StartsWith(e, StringComparison.Ordinal)));
        Assert.Equal(expected.Length, wrong.Count);
    }

    [Theory]
    [InlineData("""{ "loop": "closed" }""", 60, 15, "needs arrivals in an open loop")]
    [InlineData("""{ "loop": "open" }""", 60, 16, "needs four windows at least")]
    [InlineData("""{ "loop": "open" }""", 60, 15, null)]
    public void A_neighbour_needs_an_open_loop_and_four_windows(string arrivals, int seconds, int window, string? wrong)
    {
        var json = $$"""{ "seconds": {{seconds}}, "arrivals": {{arrivals}}, "mix": { "check": 1 }, "neighbour": { "windowSeconds": {{window}} } }""";
        if (wrong is null)
        {
            var scenario = ScenarioFile.Parse("x.json", json);
            Assert.Equal((new NoisyNeighbour(10, 15), 2), (scenario.Neighbour, scenario.AgenciesInAll));
            return;
        }

        Assert.StartsWith($"neighbour: {wrong}", Assert.Single(Assert.Throws<WrongScenarioException>(() => ScenarioFile.Parse("x.json", json)).Wrong), StringComparison.Ordinal);
    }
}

public sealed class Open_loop_arrivals
{
    [Fact]
    public void Even_gaps_are_even_and_do_not_depend_on_anything() =>
        Assert.Equal([0.1, 0.2, 0.3, 0.4], ArrivalTimes.Of(new OpenLoop(10, Poisson: false, 0, 1), TimeSpan.FromSeconds(0.45), 1).Select(t => Math.Round(t.TotalSeconds, 6)));

    [Fact]
    public void A_ramp_grows_to_the_rate()
    {
        // 100 a second after a ramp of 4 s: 200 calls in it, 600 behind it; half the rate in the middle of it.
        var times = ArrivalTimes.Of(new OpenLoop(100, Poisson: false, 4, 1), TimeSpan.FromSeconds(10), 1).Select(t => t.TotalSeconds).ToList();

        Assert.InRange(times.Count(t => t < 4), 199, 201);
        Assert.InRange(times.Count(t => t >= 4), 598, 601);
        Assert.InRange(times.Count(t => t is >= 1.5 and < 2.5), 49, 51);
        Assert.Equal(times.Order(), times);
    }

    [Fact]
    public void Poisson_gaps_are_as_uneven_as_exponential_ones_and_the_same_for_the_same_seed()
    {
        var loop = new OpenLoop(1_000, Poisson: true, 0, 1);
        var times = ArrivalTimes.Of(loop, TimeSpan.FromSeconds(20), 7).Select(t => t.TotalSeconds).ToList();
        var gaps = times.Zip(times.Skip(1), (a, b) => b - a).ToList();
        var mean = gaps.Average();
        var deviation = Math.Sqrt(gaps.Average(g => (g - mean) * (g - mean)));

        Assert.InRange(times.Count, 19_400, 20_600);
        Assert.InRange(deviation / mean, 0.95, 1.05);
        Assert.Equal(times, ArrivalTimes.Of(loop, TimeSpan.FromSeconds(20), 7).Select(t => t.TotalSeconds));
    }
}
