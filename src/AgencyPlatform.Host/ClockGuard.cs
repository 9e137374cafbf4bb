namespace AgencyPlatform.Host;

/// <summary>
/// Ends a process that hosts grains when the machine's clock is set back by more than <see cref="Bound"/>. Orleans schedules the collection of every new activation
/// by the wall clock (15 minutes from now), and refuses to activate anything while that lies before what it has collected already: after a clock that was an hour
/// ahead such a process refuses every grain for an hour, while its neighbours take it for healthy. A new process does not remember.
/// </summary>
internal sealed partial class ClockGuard(TimeProvider system, IHostApplicationLifetime lifetime, ILogger<ClockGuard> log) : BackgroundService
{
    /// <summary>Well below the 15 minutes from which on it does harm, and far above what keeping a clock right takes.</summary>
    public static readonly TimeSpan Bound = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(100);
    private readonly long _begun = system.GetTimestamp();

    /// <summary>Whether this is why the process ends; then its exit code is 1, so that it is started again.</summary>
    public bool RanBack { get; private set; }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var look = new PeriodicTimer(s_look, TimeProvider.System);
        var latest = Offset();
        try
        {
            while (await look.WaitForNextTickAsync(stoppingToken))
            {
                var offset = Offset();
                if (latest - offset > Bound)
                {
                    RanBack = true;
                    LogRanBack(log, latest - offset);
                    lifetime.StopApplication();
                    return;
                }

                latest = offset > latest ? offset : latest;
            }
        }
        catch (OperationCanceledException)
        {
            // The host stops.
        }
    }

    /// <summary>The wall clock less the time that really passed: constant while nobody sets the clock.</summary>
    private TimeSpan Offset() => system.GetUtcNow() - DateTimeOffset.UnixEpoch - system.GetElapsedTime(_begun);

    [LoggerMessage(LogLevel.Critical, "The machine's clock was set back by {Back}. Grains cannot be activated by this process any more: it ends, and is to be started again.")]
    private static partial void LogRanBack(ILogger log, TimeSpan back);
}
