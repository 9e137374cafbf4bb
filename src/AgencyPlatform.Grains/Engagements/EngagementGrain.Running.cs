using System.Collections.Immutable;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Domain.Engagements;

namespace AgencyPlatform.Grains.Engagements;

/// <summary>The moves of a running engagement: each is decided, then carried on booking by booking.</summary>
public sealed partial class EngagementGrain
{
    public Task<Reply<Engagement>> Pause(Call call, PauseEngagement c) => Move(call, (s, asked, request, now) => s.Pause(c, asked, request, now));

    public Task<Reply<Engagement>> Resume(Call call, ResumeEngagement c) => Move(call, (s, _, request, now) => s.Resume(c, request, now));

    public async Task<Reply<Engagement>> ProposeScope(Call call, ProposeScope c)
    {
        var unknown = await Unknown(call, c.Proposal.Terms?.Seller, [.. c.Proposal.Members.Select(m => m.Cmo)]);
        await Settle(call.SandboxNow);
        var asked = await AskedSteps(call);
        var reply = await WithDecisionMakers(call, client => Decide(call, (s, now) => s.ProposeScope(c, asked, client, now), s => s, unknown));
        return call.ValidateOnly && reply.Value is { } state && await WouldRefuse(call, state, state.ScopeRebookings(c.Proposal, asked, Guid.Empty)) is { } refusal
            ? Reply<Engagement>.No(refusal)
            : reply;
    }

    public Task<Reply<Engagement>> SignScope(Call call, SignScope c) => WithDecisionMakers(call, client => Decide(call, (s, now) => s.SignScope(c, client, now), s => s));

    public Task<Reply<Engagement>> AgreeToScope(Call call, AgreeToScope c) => Decide(call, (s, now) => s.AgreeToScope(c, now), s => s);

    public Task<Reply<Engagement>> CloseScope(Call call, CloseScope c) => Decide(call, (s, _) => s.CloseScope(c), s => s);

    public async Task<Reply<Engagement>> ApplyScope(Call call, ApplyScope c)
    {
        await Settle(call.SandboxNow);
        ImmutableArray<CmoId> waiving = [.. (await Waiving(call, Committed.Running.Scope?.MustAgree ?? [])).Keys];
        return await Move(call, (s, asked, request, now) => s.ApplyScope(c, asked, waiving, request, now));
    }

    public async Task<Reply<Engagement>> RequestCover(Call call, RequestCover c) =>
        await Decide(call, (s, _) => s.RequestCover(c), s => s, await Unknown(call, null, [c.Covering]));

    public Task<Reply<Engagement>> ConsentToCover(Call call, ConsentToCover c) => WithDecisionMakers(call, client => Decide(call, (s, now) => s.ConsentToCover(c, client, now), s => s));

    public Task<Reply<Engagement>> AgreeToCover(Call call, AgreeToCover c) => Decide(call, (s, now) => s.AgreeToCover(c, now), s => s);

    public Task<Reply<Engagement>> DeclineCover(Call call, DeclineCover c) => Decide(call, (s, _) => s.DeclineCover(c), s => s);

    public async Task<Reply<Engagement>> BookCover(Call call, BookCover c)
    {
        await Settle(call.SandboxNow);
        ImmutableArray<CmoId> waiving = [.. (await Waiving(call, Committed.Running.Covers.TryGetValue(c.Id, out var cover) ? [cover.Covering] : [])).Keys];
        return await Move(call, (s, _, request, now) => s.BookCover(c, waiving, request, now));
    }

    public Task<Reply<Engagement>> CancelCover(Call call, CancelCover c) => Move(call, (s, _, request, now) => s.CancelCover(c, request, now));

    public Task<Reply<Engagement>> StartTransition(Call call, StartTransition c) => Move(call, (s, asked, request, now) => s.StartTransition(c, asked, request, now));

    public Task<Reply<Engagement>> MarkMilestone(Call call, MarkMilestone c) => Decide(call, (s, now) => s.MarkMilestone(c, call.Actor, now), s => s);

    public Task<Reply<Engagement>> ReopenMilestone(Call call, ReopenMilestone c) => Decide(call, (s, now) => s.ReopenMilestone(c, call.Actor, now), s => s);

    public Task<Reply<Engagement>> SellHours(Call call, SellHours c) => Decide(call, (s, now) => s.SellHours(c, now), s => s);

    public Task<Reply<Engagement>> PutHandoverItem(Call call, PutHandoverItem c) => Decide(call, (s, now) => s.PutHandoverItem(c, call.Actor, now), s => s);

    /// <summary>
    /// Decides a move and answers when it has ended. What time alone has started is ended first. With validate_only every CMO is asked whether the booking
    /// would fit, and nothing changes.
    /// </summary>
    private async Task<Reply<Engagement>> Move(Call call, Func<Engagement, ImmutableArray<BookedSteps>, Guid, Instant, Decision> move)
    {
        await Settle(call.SandboxNow);
        var (named, request) = Named(call);
        var asked = await AskedSteps(call);
        var reply = await RunSaga(named, (s, now) => move(s, asked, request, now), EndOf, s => s);
        return !call.ValidateOnly || reply.Value is not { } state ? reply
            : await WouldRefuse(call, state, state.Saga?.Move?.Rebookings ?? []) is { } refusal ? Reply<Engagement>.No(refusal)
            : Reply<Engagement>.Ok(state.AsIfMoved(), reply.Meta!);
    }

    /// <summary>The saga's next step with one booking's CMO, then its record. What a CMO refuses is recorded; what it does not answer is tried again.</summary>
    private async Task<bool> Step(Engagement committed, RebookingStep step)
    {
        var call = StepCall();
        var rebooking = committed.Saga!.Move!.Rebookings[step.Index];
        var cmo = Grain<IFractionalCmoGrain>(rebooking.Cmo.Value);
        Rejection? refusal = null;
        switch (step.Action, rebooking.Form)
        {
            case (RebookingAction.Hold, _):
                var agency = await Grain<IAgencyGrain>(Key.Agency.Value).GetContext();
                refusal = await Hold(call with { PolicyVersion = agency?.PolicyVersion ?? 0 }, committed, rebooking);
                break;
            case (RebookingAction.Undo, _):
                Never(await cmo.ReleaseFor(call, committed.Id, rebooking.Swap ?? rebooking.Booking));
                break;
            case (RebookingAction.Commit, RebookingForm.Place):
                Never(await cmo.ConfirmFor(call, committed.Id, rebooking.Booking));
                break;
            case (RebookingAction.Commit, RebookingForm.Swap):
                Never(await cmo.SwapFor(call, committed.Id, rebooking.Booking, rebooking.Swap!.Value));
                break;
            case (RebookingAction.Commit, RebookingForm.Cut):
                Never(await cmo.EndFor(call, committed.Id, rebooking.Booking, rebooking.CutAt!.Value));
                break;
            default:
                throw new InvalidOperationException($"Unknown step {step.Action} of {rebooking.Form}.");
        }

        await Decide(call, (s, _) => s.Record(step, refusal), s => s);
        return true;
    }

    private async Task<Rejection?> Hold(Call call, Engagement engagement, Rebooking rebooking)
    {
        var cmo = Grain<IFractionalCmoGrain>(rebooking.Cmo.Value);
        return (rebooking.Swap is { } swap
            ? await cmo.HoldSwapFor(call, engagement.Id, new HoldSwap(swap, rebooking.Booking, rebooking.Steps))
            : await cmo.PlaceFor(call, engagement.Id, new Book(rebooking.Booking, new BookingSpec(engagement.Client, engagement.Id, rebooking.Steps)))).Rejection;
    }

    /// <summary>What these would be refused for, asked without holding anything.</summary>
    private async Task<Rejection?> WouldRefuse(Call call, Engagement state, ImmutableArray<Rebooking> rebookings)
    {
        foreach (var rebooking in rebookings.Where(r => r.Form != RebookingForm.Cut))
        {
            if (await Hold(call.AsStep() with { ValidateOnly = true }, state, rebooking) is { } refusal)
            {
                return refusal with { Metadata = refusal.Metadata.SetItem("cmo", rebooking.Cmo.Value) };
            }
        }

        return null;
    }

    /// <summary>What is booked where the engagement does not know it.</summary>
    private async Task<ImmutableArray<BookedSteps>> AskedSteps(Call call)
    {
        var asked = ImmutableArray.CreateBuilder<BookedSteps>();
        foreach (var cmo in Committed.UnknownSteps())
        {
            var booking = await Grain<IFractionalCmoGrain>(cmo.Value).GetBooking(new Read(Key.Agency, call.SandboxNow), Committed.Bookings[cmo].Booking);
            asked.Add(new BookedSteps(cmo, booking.Value?.Spec.Steps ?? []));
        }

        return asked.ToImmutable();
    }
}
