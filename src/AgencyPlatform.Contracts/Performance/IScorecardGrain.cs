using AgencyPlatform.Domain.Performance;

namespace AgencyPlatform.Contracts.Performance;

/// <summary>What an engagement is measured by. Its grain key is <c>{agency}/{engagement}</c>. Calls the engagement and its client when it is made.</summary>
[Alias("IScorecardGrain")]
public interface IScorecardGrain : IAggregateGrain
{
    /// <summary>NOT_FOUND when there is no such engagement.</summary>
    /// <param name="timeZone">Empty: the client's.</param>
    [Alias("Create")]
    Task<Reply<Scorecard>> Create(Call call, EngagementId engagement, string timeZone, Currency? currency);

    [Alias("Define")]
    Task<Reply<Scorecard>> Define(Call call, DefineKpis command);

    [Alias("SetTarget")]
    Task<Reply<Scorecard>> SetTarget(Call call, SetKpiTarget command);

    /// <summary>All values or none. What misses its target by more than its tolerance is a commitment of the same append.</summary>
    [Alias("Record")]
    Task<Reply<Scorecard>> Record(Call call, RecordKpiValues command);

    [Alias("Close")]
    Task<Reply<Scorecard>> Close(Call call, CloseKpiPeriod command);

    [Alias("Make")]
    Task<Reply<Scorecard>> Make(Call call, MakeCommitment command);

    [Alias("Resolve")]
    Task<Reply<Scorecard>> Resolve(Call call, ResolveCommitment command);

    [Alias("Give")]
    Task<Reply<Scorecard>> Give(Call call, GivePulse command);

    [Alias("Get")]
    Task<Reply<Scorecard>> Get(Read read);
}
