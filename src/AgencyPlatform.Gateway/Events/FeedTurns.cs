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

    private readonly PartitionedRateLimiter<AgencyId> _turns = PartitionedRateLimiter.Create<AgencyId, AgencyId>(agency => RateLimitPartition.GetConcurrencyLimiter(
        agency, _ => new ConcurrencyLimiterOptions { PermitLimit = AtOnce, QueueLimit = int.MaxValue, QueueProcessingOrder = QueueProcessingOrder.OldestFirst }));

    /// <summary>Waits for a turn, which lasts until what is returned is disposed. How many wait is bounded by the agency's calls at the same time.</summary>
    public async Task<IDisposable> Take(AgencyId agency, CancellationToken cancellation) => await _turns.AcquireAsync(agency, cancellationToken: cancellation);

    public void Dispose() => _turns.Dispose();
}
