using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Contracts.Performance;
using AgencyPlatform.Domain.Performance;
using Orleans.Concurrency;

namespace AgencyPlatform.Grains.Performance;

/// <summary>See <see cref="ICoachingProgrammeGrain"/>.</summary>
[Reentrant]
public sealed class CoachingProgrammeGrain(GrainServices services) : AggregateGrain<CoachingProgramme>(services), ICoachingProgrammeGrain
{
    public async Task<Reply<CoachingProgramme>> Start(Call call, CoachingProgrammeId id, EngagementId engagement, string title, string goal)
    {
        var found = await Grain<IEngagementGrain>(engagement.Value).Get(new Read(Key.Agency, call.SandboxNow));
        return await Decide(call, (s, _) => s.Start(new StartCoachingProgramme(id, engagement, found.Value!.Client, title, goal)), s => s, found.Rejection);
    }

    public Task<Reply<CoachingProgramme>> Put(Call call, CoachingMaterial material) => Decide(call, (s, _) => s.Put(material), s => s);

    public Task<Reply<CoachingProgramme>> Plan(Call call, PlanCoachingSession c) => Decide(call, (s, _) => s.Plan(c), s => s);

    public Task<Reply<CoachingProgramme>> Hold(Call call, HoldCoachingSession c) => Decide(call, (s, _) => s.Hold(c), s => s);

    public Task<Reply<CoachingProgramme>> Cancel(Call call, CancelCoachingSession c) => Decide(call, (s, _) => s.Cancel(c), s => s);

    public Task<Reply<CoachingProgramme>> FollowUp(Call call, ResolveCommitment c) => Decide(call, (s, _) => s.FollowUp(c), s => s);

    public Task<Reply<CoachingProgramme>> End(Call call) => Decide(call, (s, _) => s.End(), s => s);

    public Task<Reply<CoachingProgramme>> Get(Read read) => Query(read, (s, _) => s);
}
