using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Cmos;
using Orleans.Concurrency;

namespace AgencyPlatform.Grains.Cmos;

/// <summary>See <see cref="ICapacityRequestGrain"/>.</summary>
[Reentrant]
public sealed class CapacityRequestGrain(GrainServices services) : AggregateGrain<CapacityRequest>(services), ICapacityRequestGrain
{
    public async Task<Reply<CapacityRequest>> Create(Call call, CreateCapacityRequest c)
    {
        var read = new Read(Key.Agency, call.SandboxNow);
        var unknown = (await Grain<IClientCompanyGrain>(c.Spec.Client.Value).Get(read)).Rejection;
        foreach (var cmo in c.Cmos)
        {
            unknown ??= (await Grain<IFractionalCmoGrain>(cmo.Value).Get(read)).Rejection is null ? null : Rejection.NotFound("cmo", cmo.Value);
        }

        return await Decide(call, (s, now) => s.Create(c, now), s => s, unknown);
    }

    public Task<Reply<CapacityRequest>> Withdraw(Call call) => Decide(call, (s, now) => s.Withdraw(now), s => s);

    public Task<Reply<CapacityRequest>> Get(Read read) => Query(read, (s, _) => s);

    public Task<Reply<FirstCmo>> Offer(Call call, CmoId cmo) => Decide(call, (s, now) => s.Offer(cmo, now), s => new FirstCmo(s.Offering));

    /// <summary>Puts the entry on the next CMO's list, or takes it off there, then records it.</summary>
    protected override async Task<bool> Step(CapacityRequest committed)
    {
        if (!committed.Exists || committed.NextStep() is not { } step)
        {
            return false;
        }

        var call = StepCall();
        var cmo = Grain<IFractionalCmoGrain>(step.Cmo.Value);
        Rejection? refusal = null;
        if (step.Join)
        {
            var agency = await Grain<IAgencyGrain>(Key.Agency.Value).GetContext();
            var entry = new JoinWaitlist(committed.Id.Booking, committed.Spec, committed.Priority, committed.OfferExpiry, committed.Id);
            refusal = (await cmo.JoinFor(call with { PolicyVersion = agency?.PolicyVersion ?? 0 }, entry)).Rejection;
        }
        else
        {
            await cmo.LeaveFor(call, committed.Id);
        }

        await Decide(call, (s, _) => s.Record(step, refusal), s => s);
        return true;
    }
}
