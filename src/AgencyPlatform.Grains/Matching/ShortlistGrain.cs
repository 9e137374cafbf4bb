using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Contracts.Matching;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Domain.Matching;
using Orleans.Concurrency;

namespace AgencyPlatform.Grains.Matching;

/// <summary>See <see cref="IShortlistGrain"/>.</summary>
[Reentrant]
public sealed class ShortlistGrain(GrainServices services) : AggregateGrain<Shortlist>(services), IShortlistGrain
{
    private readonly TimeProvider _system = services.System;

    public async Task<Reply<Shortlist>> Create(Call call, CreateShortlist c)
    {
        var unknown = (await Grain<IClientCompanyGrain>(c.Client.Value).Get(new Read(Key.Agency, call.SandboxNow))).Rejection;
        var (named, request) = Named(call);
        return await RunSaga(named, (s, now) => s.Create(c, request, now), EndOf, s => s, unknown);
    }

    public async Task<Reply<Shortlist>> Choose(Call call, string option)
    {
        var (named, request) = Named(call);
        return await RunSaga(named, (s, now) => s.Choose(option, request, now), (s, id) => EndOf(s, id) ?? Unchanged(s, option), s => s);
    }

    public async Task<Reply<Shortlist>> Withdraw(Call call)
    {
        var (named, request) = Named(call);
        return await RunSaga(named, (s, now) => s.Withdraw(request, now), (s, id) => EndOf(s, id) ?? (s.State == ShortlistState.Withdrawn && s.NextStep() is null ? new SagaEnd(null) : null), s => s);
    }

    public Task<Reply<Shortlist>> Get(Read read) => Query(read, (s, _) => s);

    /// <summary>The next step with one option's CMO, then its record; idempotent by the hold's id and the step's request.</summary>
    protected override async Task<bool> Step(Shortlist committed)
    {
        if (committed.NextStep() is not { } step)
        {
            return false;
        }

        var call = StepCall();
        var (cmo, booking) = (Grain<IFractionalCmoGrain>(step.Option.Cmo.Value), step.Option.Booking);
        Rejection? refusal = null;
        Instant? expiresAt = null;
        switch (step.Action)
        {
            case ShortlistAction.Hold:
                var agency = await Grain<IAgencyGrain>(Key.Agency.Value).GetContext();
                var request = IdSyntax.GuidOf($"{Key.Agency}/shortlist/{committed.Id}/{committed.Request}/{step.Option.Id}");
                var held = await cmo.Hold(call with { Request = request, PolicyVersion = agency?.PolicyVersion ?? 0 }, new HoldBooking(booking, committed.Spec, committed.Expiry));
                (refusal, expiresAt) = (held.Rejection, held.Value?.ExpiresAt);
                break;
            case ShortlistAction.Confirm:
                refusal = (await cmo.Confirm(call, booking)).Rejection;
                break;
            default:
                // What is no hold of the client any more is let be.
                await cmo.FreeFor(call, committed.Client, booking);
                break;
        }

        await Decide(call, (s, _) => s.Record(step, expiresAt, refusal), s => s);
        return true;
    }

    private static SagaEnd? EndOf(Shortlist state, Guid request) => state.OutcomeOf(request) is (true, var refusal) ? new SagaEnd(refusal) : null;

    /// <summary>It was chosen already.</summary>
    private static SagaEnd? Unchanged(Shortlist state, string option) => state.State == ShortlistState.Chosen && state.Choice == option && state.NextStep() is null ? new SagaEnd(null) : null;

    private (Call Call, Guid Request) Named(Call call)
    {
        var request = call.Request ?? Guid.CreateVersion7(_system.GetUtcNow());
        return (call with { Request = request }, request);
    }
}
