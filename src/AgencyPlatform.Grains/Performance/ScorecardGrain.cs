using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Contracts.Performance;
using AgencyPlatform.Domain.Performance;
using Orleans.Concurrency;

namespace AgencyPlatform.Grains.Performance;

/// <summary>See <see cref="IScorecardGrain"/>.</summary>
[Reentrant]
public sealed class ScorecardGrain(GrainServices services) : AggregateGrain<Scorecard>(services), IScorecardGrain
{
    public async Task<Reply<Scorecard>> Create(Call call, EngagementId engagement, string timeZone, Currency? currency)
    {
        var read = new Read(Key.Agency, call.SandboxNow);
        var found = await Grain<IEngagementGrain>(engagement.Value).Get(read);
        if (found.Value is not { } of)
        {
            return await Decide(call, (_, _) => found.Rejection!, s => s, found.Rejection);
        }

        var client = (await Grain<IClientCompanyGrain>(of.Client.Value).Get(read)).Value!;
        return await Decide(
            call, (s, _) => s.Create(new CreateScorecard(engagement, of.Client, timeZone.Length > 0 ? timeZone : client.Profile.TimeZone, currency ?? of.Plan.Terms.Currency)), s => s);
    }

    public Task<Reply<Scorecard>> Define(Call call, DefineKpis c) => Decide(call, (s, _) => s.Define(c), s => s);

    public Task<Reply<Scorecard>> SetTarget(Call call, SetKpiTarget c) => Decide(call, (s, _) => s.SetTarget(c), s => s);

    public Task<Reply<Scorecard>> Record(Call call, RecordKpiValues c) => Decide(call, (s, now) => s.Record(c, now), s => s);

    public Task<Reply<Scorecard>> Close(Call call, CloseKpiPeriod c) => Decide(call, (s, now) => s.Close(c, now), s => s);

    public Task<Reply<Scorecard>> Make(Call call, MakeCommitment c) => Decide(call, (s, _) => s.Make(c), s => s);

    public Task<Reply<Scorecard>> Resolve(Call call, ResolveCommitment c) => Decide(call, (s, _) => s.Resolve(c), s => s);

    public Task<Reply<Scorecard>> Give(Call call, GivePulse c) => Decide(call, (s, now) => s.Give(c, now), s => s);

    public Task<Reply<Scorecard>> Get(Read read) => Query(read, (s, _) => s);
}
