using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace AgencyPlatform.Grains.Deadlines;

/// <summary>
/// Wakes due aggregates: claims rows with a lease, so that silos share them, and lets each aggregate settle. Nothing depends on it having run,
/// since every decision settles time first; it makes lists, feeds and sagas move without a caller.
/// </summary>
internal sealed class DeadlineScanner(
    IDeadlines deadlines,
    IGrainFactory grains,
    [FromKeyedServices(GrainServices.ProductClock)] TimeProvider clock,
    TimeProvider system,
    ILogger<DeadlineScanner> log) : BackgroundService
{
    private static readonly TimeSpan s_round = TimeSpan.FromSeconds(1);
    private static readonly Duration s_lease = Duration.FromSeconds(30);
    private static readonly Duration s_longestBackOff = Duration.FromMinutes(10);
    private const int Limit = 256;
    private const int PerAgency = 32;
    private const int Parallel = 16;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        foreach (var outcome in new[] { "settled", "failed" })
        {
            // Without a first value the first failure is no increase, and no alarm.
            GrainTelemetry.DeadlinesSettled.Add(0, new KeyValuePair<string, object?>("outcome", outcome));
        }

        using var rounds = new PeriodicTimer(s_round, system);
        try
        {
            while (await rounds.WaitForNextTickAsync(stoppingToken))
            {
                try
                {
                    while (await Round(stoppingToken) == Limit)
                    {
                    }
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    log.LogWarning(e, "A round of the deadline scanner failed; the next one tries again");
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping.
        }
    }

    private async Task<int> Round(CancellationToken cancellation)
    {
        var due = await deadlines.Claim(Instant.FromDateTimeOffset(clock.GetUtcNow()), s_lease, Limit, PerAgency, cancellation);
        await System.Threading.Tasks.Parallel.ForEachAsync(
            due,
            new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = cancellation },
            async (row, _) => await Settle(row, cancellation));
        return due.Count;
    }

    private async Task Settle(DueDeadline row, CancellationToken cancellation)
    {
        try
        {
            CallerAgency.Set(row.Key.Agency);
            await AggregateGrains.Get(grains, row.Key).Settle(null);
            GrainTelemetry.DeadlinesSettled.Add(1, new KeyValuePair<string, object?>("outcome", "settled"));
        }
        catch (Exception e)
        {
            GrainTelemetry.DeadlinesSettled.Add(1, new KeyValuePair<string, object?>("outcome", "failed"));
            log.LogWarning(e, "{Aggregate}, due at {Due}, could not settle (attempt {Attempt}); it waits", row.Key, row.DueAt, row.Attempts + 1);
            var wait = Duration.FromSeconds(1L << Math.Min(row.Attempts + 1, 10));
            await deadlines.BackOff(row.Key, Instant.FromDateTimeOffset(clock.GetUtcNow()) + Duration.Min(wait, s_longestBackOff), cancellation);
        }
    }
}
