using AgencyPlatform.Contracts.Matching;
using AgencyPlatform.Domain.Matching;
using Orleans.Concurrency;

namespace AgencyPlatform.Grains.Matching;

/// <summary>See <see cref="IMatchWeightsGrain"/>.</summary>
[Reentrant]
public sealed class MatchWeightsGrain(GrainServices services) : AggregateGrain<AgencyMatchWeights>(services), IMatchWeightsGrain
{
    public Task<Reply<MatchWeights>> Set(Call call, MatchWeights weights) => Decide(call, (s, _) => s.Set(weights), s => s.Weights!);

    public Task<Reply<MatchWeights>> Get(Read read) => Query(read, (s, _) => s.Weights);
}
