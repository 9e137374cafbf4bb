using System.Globalization;
using AgencyPlatform.Life.Tests.Driving;
using AgencyPlatform.Life.Tests.Moves;
using Xunit.Abstractions;

namespace AgencyPlatform.Life.Tests;

/// <summary>
/// Random sequences of all moves of engagements by several callers, with crashes and repeated requests: the same states, meter, bookings and events as a plain
/// model in memory. <c>tests/life.sh</c> runs any number of them.
/// </summary>
public sealed class Lives_follow_the_model(ITestOutputHelper output)
{
    [Fact]
    public async Task Two_hundred_lives_with_crashes_and_repeats_are_as_the_model_says() => await Run(200, seed: 1);

    [Fact]
    public async Task So_are_some_that_nobody_has_seen_before() => await Run(50, seed: Random.Shared.Next(1_000_000, 100_000_000));

    private async Task Run(int sequences, int seed)
    {
        var result = await LifeRun.Of(sequences, seed, rounds: 24);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{sequences} sequences from seed {seed} on"));
        output.WriteLine(result.Coverage.Table());
        Assert.True(result.Differences.Count == 0, string.Join("\n\n", result.Differences));
        Assert.Equal(sequences, result.Coverage.Of("sequences"));

        // Which of the rare ones come to be accepted is chance; that all of them can is what the ten thousand show.
        Assert.InRange(result.Coverage.NeverAccepted(Generator.Names).Count(), 0, sequences >= 200 ? 4 : 25);
    }
}
