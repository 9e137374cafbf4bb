using AgencyPlatform.Domain.Performance;

namespace AgencyPlatform.Contracts.Performance;

/// <summary>A coaching programme. Its grain key is <c>{agency}/{programme}</c>. Calls the engagement when it is started.</summary>
[Alias("ICoachingProgrammeGrain")]
public interface ICoachingProgrammeGrain : IAggregateGrain
{
    /// <summary>NOT_FOUND when there is no such engagement.</summary>
    [Alias("Start")]
    Task<Reply<CoachingProgramme>> Start(Call call, CoachingProgrammeId id, EngagementId engagement, string title, string goal);

    [Alias("Put")]
    Task<Reply<CoachingProgramme>> Put(Call call, CoachingMaterial material);

    [Alias("Plan")]
    Task<Reply<CoachingProgramme>> Plan(Call call, PlanCoachingSession command);

    [Alias("Hold")]
    Task<Reply<CoachingProgramme>> Hold(Call call, HoldCoachingSession command);

    [Alias("Cancel")]
    Task<Reply<CoachingProgramme>> Cancel(Call call, CancelCoachingSession command);

    [Alias("FollowUp")]
    Task<Reply<CoachingProgramme>> FollowUp(Call call, ResolveCommitment command);

    [Alias("End")]
    Task<Reply<CoachingProgramme>> End(Call call);

    [Alias("Get")]
    Task<Reply<CoachingProgramme>> Get(Read read);
}
