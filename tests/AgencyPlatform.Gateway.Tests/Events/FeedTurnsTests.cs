using AgencyPlatform.Domain;
using AgencyPlatform.Gateway.Events;

namespace AgencyPlatform.Gateway.Tests.Events;

public sealed class FeedTurnsTests
{
    private static readonly AgencyId s_north = new("north");

    [Fact]
    public async Task An_agency_waits_for_its_own_turns_and_for_nobody_elses()
    {
        using var turns = new FeedTurns();
        var first = await turns.Take(s_north, CancellationToken.None);
        using var second = await turns.Take(s_north, CancellationToken.None);
        var third = turns.Take(s_north, CancellationToken.None);
        Assert.False(third.IsCompleted);

        using var other = await turns.Take(new("south"), CancellationToken.None);

        first.Dispose();
        using var next = await third;
    }

    [Fact]
    public async Task Who_goes_away_while_it_waits_takes_no_turn()
    {
        using var turns = new FeedTurns();
        var first = await turns.Take(s_north, CancellationToken.None);
        using var second = await turns.Take(s_north, CancellationToken.None);
        using var gone = new CancellationTokenSource();
        var third = turns.Take(s_north, gone.Token);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => third);

        first.Dispose();
        using var next = await turns.Take(s_north, CancellationToken.None);
    }
}
