using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;

namespace AgencyPlatform.Host.Tests;

public sealed class ClockGuardFacts
{
    [Theory]
    [InlineData(0, -11)]
    [InlineData(60, 45)]
    public async Task A_process_ends_when_its_clock_is_set_back_by_more_than_ten_minutes(int first, int then)
    {
        var wall = new SetClock();
        var lifetime = new ApplicationLifetime(NullLogger<ApplicationLifetime>.Instance);
        using var guard = new ClockGuard(wall, lifetime, NullLogger<ClockGuard>.Instance);
        await guard.StartAsync(CancellationToken.None);
        wall.Set(first);
        await wall.Looked();
        Assert.False(lifetime.ApplicationStopping.IsCancellationRequested);

        wall.Set(then);

        await guard.ExecuteTask!.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.True(lifetime.ApplicationStopping.IsCancellationRequested);
        Assert.True(guard.RanBack);
    }

    [Fact]
    public async Task It_serves_on_when_the_clock_is_set_ahead_or_back_by_less()
    {
        var wall = new SetClock();
        var lifetime = new ApplicationLifetime(NullLogger<ApplicationLifetime>.Instance);
        using var guard = new ClockGuard(wall, lifetime, NullLogger<ClockGuard>.Instance);
        await guard.StartAsync(CancellationToken.None);
        foreach (var minutes in new[] { -9, 120, 111 })
        {
            wall.Set(minutes);
            await wall.Looked();
        }

        await guard.StopAsync(CancellationToken.None);
        Assert.False(lifetime.ApplicationStopping.IsCancellationRequested);
        Assert.False(guard.RanBack);
    }

    /// <summary>The system's clock, wrong by as much as it is set.</summary>
    private sealed class SetClock : TimeProvider
    {
        private readonly SemaphoreSlim _looks = new(0);
        private long _wrong;

        public override DateTimeOffset GetUtcNow()
        {
            var now = System.GetUtcNow() + TimeSpan.FromTicks(Volatile.Read(ref _wrong));
            _looks.Release();
            return now;
        }

        public void Set(int minutes) => Volatile.Write(ref _wrong, TimeSpan.FromMinutes(minutes).Ticks);

        /// <summary>Until it was looked at and that was acted on: at the third look from now, since the first may have begun before. Nobody looks: fails.</summary>
        public async Task Looked()
        {
            while (_looks.Wait(0))
            {
            }

            for (var look = 0; look < 3; look++)
            {
                Assert.True(await _looks.WaitAsync(TimeSpan.FromSeconds(30)), "The clock is not looked at.");
            }
        }
    }
}
