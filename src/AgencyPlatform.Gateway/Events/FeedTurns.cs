using System.Threading.RateLimiting;

namespace AgencyPlatform.Gateway.Events;

/// <summary>
/// Pages of an agency's events are read a few at a time: each costs as much processor time as dozens of other calls, and hundreds of them at once would leave every other agency waiting for
/// its turn.
/// </summary>
internal sealed class FeedTurns : IDisposable
{
    /// <summary>Of one agency in this process.</summary>
    private const int AtOnce = 2;

    /// <summary>Those that wait are bounded by the agency's calls at the same time; this only keeps a mistake there from growing.</summary>
    private const int MostWaiting = 100_000;

    private readonly PartitionedRateLimiter<AgencyId> _turns = PartitionedRateLimiter.Create<AgencyId, AgencyId>(agency => RateLimitPartition.GetConcurrencyLimiter(
        agency, _ => new ConcurrencyLimiterOptions { PermitLimit = AtOnce, QueueLimit = MostWaiting, QueueProcessingOrder = QueueProcessingOrder.OldestFirst }));

    /// <summary>Waits for a turn, which lasts until what is returned is disposed.</summary>
    public async Task<IDisposable> Take(AgencyId agency, CancellationToken cancellation)
    {
        var lease = await _turns.AcquireAsync(agency, cancellationToken: cancellation);
        return lease.IsAcquired ? lease : throw Errors.Exhausted("agency", "pages of events that wait", MostWaiting, TimeSpan.FromSeconds(1));
    }

    public void Dispose() => _turns.Dispose();
}
