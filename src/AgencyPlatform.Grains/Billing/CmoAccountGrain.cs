using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Billing;
using AgencyPlatform.Domain.Billing;
using Orleans.Concurrency;

namespace AgencyPlatform.Grains.Billing;

/// <summary>See <see cref="ICmoAccountGrain"/>.</summary>
[Reentrant]
public sealed class CmoAccountGrain(GrainServices services) : AggregateGrain<CmoAccount>(services), ICmoAccountGrain
{
    public async Task<Reply<CmoAccount>> Record(Call call, RecordPayout c)
    {
        var (zone, missing) = await Payables.ZoneOf(Grain<IAgencyGrain>(Key.Agency.Value), call, c.Account.LegalEntity);
        var earned = await Payables.Earned(ReadModels, Key.Agency, c.Account.LegalEntity, c.Account.Currency, c.Through, c.Account.Cmo);
        return await Decide(call, (s, now) => s.Record(c, new PayoutFacts(earned.GetValueOrDefault(c.Account.Cmo), now.InZone(zone).Date)), s => s, missing);
    }

    protected override IPostingHistory Postings() => new PostingHistory<CmoAccount>((state, _, posting) => state.Why(posting));

    public async Task<Reply<CmoAccount>> Reverse(Call call, ReversePayout c)
    {
        var (zone, missing) = await Payables.ZoneOf(Grain<IAgencyGrain>(Key.Agency.Value), call, c.Account.LegalEntity);
        return await Decide(call, (s, now) => s.Reverse(c, now.InZone(zone).Date), s => s, missing);
    }
}
