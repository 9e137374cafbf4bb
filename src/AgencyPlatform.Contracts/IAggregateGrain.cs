using AgencyPlatform.Domain.Billing;

namespace AgencyPlatform.Contracts;

/// <summary>What every aggregate's grain answers.</summary>
[Alias("IAggregateGrain")]
public interface IAggregateGrain : IGrainWithStringKey
{
    /// <summary>
    /// Settles what time alone has done up to now (a sandbox's: up to <paramref name="sandboxNow"/>) and carries unfinished sagas on;
    /// completes when nothing that is due is left.
    /// </summary>
    [Alias("Settle")]
    Task Settle(Instant? sandboxNow);

    /// <summary>
    /// Whether this very request of this actor was accepted here before: what else would be looked at first no longer matters, since its repeat is answered as it was.
    /// </summary>
    [Alias("HasAnswered")]
    Task<bool> HasAnswered(Call call);

    /// <summary>Why one of its events posts what it does, computed again from its history. NOT_FOUND when it has no such event, or one that posts nothing.</summary>
    /// <param name="version">The event's number within the aggregate, from 1.</param>
    [Alias("ExplainPosting")]
    Task<Reply<PostingExplanation>> ExplainPosting(Read read, long version);
}

/// <summary>How a saga ended: well (no rejection), or refused.</summary>
[GenerateSerializer, Immutable, Alias("saga-end")]
public sealed record SagaEnd(Rejection? Rejection);
