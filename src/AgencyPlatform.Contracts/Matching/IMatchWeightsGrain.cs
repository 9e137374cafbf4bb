using AgencyPlatform.Domain.Matching;

namespace AgencyPlatform.Contracts.Matching;

/// <summary>The weights that an agency scores matches by. Its grain key is <c>{agency}/weights</c>. It calls nobody.</summary>
[Alias("IMatchWeightsGrain")]
public interface IMatchWeightsGrain : IAggregateGrain
{
    [Alias("Set")]
    Task<Reply<MatchWeights>> Set(Call call, MatchWeights weights);

    /// <summary>NOT_FOUND: none were set.</summary>
    [Alias("Get")]
    Task<Reply<MatchWeights>> Get(Read read);
}
