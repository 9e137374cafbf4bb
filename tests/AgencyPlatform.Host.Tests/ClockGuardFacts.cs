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
        await wall.Set(first);
        Assert.False(lifetime.ApplicationStopping.IsCancellationRequested);

        await wall.Set(then);

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
            await wall.Set(minutes);
        }

        await guard.StopAsync(CancellationToken.None);
        Assert.False(lifetime.ApplicationStopping.IsCancellationRequested);
        Assert.False(guard.RanBack);
    }

    /// <summary>The system's clock, wrong by as much as it is set.</summary>
    private sealed class SetClock : TimeProvider
    {
        private TimeSpan _wrong;
        private TaskCompletionSource _looked = new();

        public override DateTimeOffset GetUtcNow()
        {
            var now = System.GetUtcNow() + _wrong;
            _looked.TrySetResult();
            return now;
        }

        /// <summary>Returns when somebody has looked at it since, and acted on it: at the second look.</summary>
        public async Task Set(int minutes)
        {
            _wrong = TimeSpan.FromMinutes(minutes);
            for (var look = 0; look < 2; look++)
            {
                _looked = new TaskCompletionSource();
                if (await Task.WhenAny(_looked.Task, Task.Delay(TimeSpan.FromSeconds(5), System)) != _looked.Task)
                {
                    return;
                }
            }
        }
    }
}
