using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Billing;
using AgencyPlatform.Domain.Billing;
using Orleans.Concurrency;

namespace AgencyPlatform.Grains.Billing;

/// <summary>See <see cref="IPayoutRunGrain"/>.</summary>
[Reentrant]
public sealed class PayoutRunGrain(GrainServices services) : AggregateGrain<PayoutRun>(services), IPayoutRunGrain
{
    private const int AtOnce = 32;

    private readonly TimeProvider _system = services.System;

    public async Task<Reply<PayoutRun>> Run(Call call, StartPayoutRun c)
    {
        var (zone, missing) = await Payables.ZoneOf(Grain<IAgencyGrain>(Key.Agency.Value), call, c.LegalEntity);
        var owed = await Payables.Owed(ReadModels, Key.Agency, c.LegalEntity, c.Currency, c.Through);
        var request = call.Request ?? Guid.CreateVersion7(_system.GetUtcNow());
        return await RunSaga(
            call with { Request = request }, (s, now) => s.Start(c, request, owed, now.InZone(zone).Date, now), (s, _) => s.Ended ? new SagaEnd(null) : null, s => s, missing);
    }

    public async Task<Reply<PayoutRun>> Get(Read read)
    {
        var reply = await Query(read, (s, _) => s, Rejection.NotFound("payout_run", Key.Id));
        CarryOn();
        return reply;
    }

    /// <summary>Pays the next CMOs. A payout has always the same id: who was paid before a crash is not paid again.</summary>
    protected override async Task<bool> Step(PayoutRun committed)
    {
        if (committed.Next(AtOnce) is not { IsEmpty: false } next)
        {
            return false;
        }

        var run = committed.Run!;
        var paid = await Task.WhenAll(next.Select(async item =>
        {
            var account = new CmoAccountId(item.Cmo, run.LegalEntity, run.Currency);
            var reply = await Grain<ICmoAccountGrain>(account.Key).Record(
                StepCall() with { Request = Guid.ParseExact(item.Payout.Value, "n") },
                new RecordPayout(item.Payout, account, item.Amount, run.Through, run.Date, $"{run.Reference}-{item.Cmo}"));
            return item with { Paid = reply.Rejection is null, Refusal = reply.Rejection };
        }));
        await Decide(StepCall(), (s, _) => s.Record([.. paid]), s => s);
        return true;
    }
}
