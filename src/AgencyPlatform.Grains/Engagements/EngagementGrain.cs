using System.Collections.Immutable;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Domain.Engagements;
using AgencyPlatform.Domain.Time;
using Orleans.Concurrency;

namespace AgencyPlatform.Grains.Engagements;

/// <summary>See <see cref="IEngagementGrain"/>.</summary>
[Reentrant]
public sealed partial class EngagementGrain(GrainServices services) : AggregateGrain<Engagement>(services), IEngagementGrain
{
    private readonly TimeProvider _system = services.System;

    public async Task<Reply<Engagement>> Create(Call call, CreateEngagement c)
    {
        var client = await Grain<IClientCompanyGrain>(c.Client.Value).Get(new Read(Key.Agency, call.SandboxNow));
        return await Decide(call, (s, _) => s.Create(c), s => s, client.Rejection ?? await Unknown(call, c.Plan));
    }

    public async Task<Reply<Engagement>> Update(Call call, UpdateEngagement c)
    {
        var unknown = await Unknown(call, c.Plan);

        // First whether it may be changed at all.
        return await Decide(call, (s, _) => s.Update(c) is var decision && decision.Rejection is null && unknown is not null ? unknown : decision, s => s);
    }

    public Task<Reply<Engagement>> Relabel(Call call, RelabelEngagement c) => Decide(call, (s, _) => s.Relabel(c), s => s);

    public async Task<Reply<Engagement>> Propose(Call call, ProposeEngagement c)
    {
        await Settle(call.SandboxNow);
        var (read, holds) = (new Read(Key.Agency, call.SandboxNow), ImmutableArray.CreateBuilder<BookedSteps>());
        foreach (var member in Committed.Plan.Members)
        {
            if (member.Hold is { } hold && (await Grain<IFractionalCmoGrain>(member.Cmo.Value).GetBooking(read, hold)).Value is { } held)
            {
                holds.Add(new BookedSteps(member.Cmo, held.Spec.Steps));
            }
        }

        return await WithDecisionMakers(call, client => Decide(call, (s, now) => s.Propose(c, client, now, holds.ToImmutable()), s => s));
    }

    public Task<Reply<Engagement>> Revise(Call call) => Decide(call, (s, _) => s.Revise(), s => s);

    public Task<Reply<Engagement>> Sign(Call call, SignEngagement c) => WithDecisionMakers(call, client => Decide(call, (s, now) => s.Sign(c, client, now), s => s));

    public Task<Reply<Engagement>> Decline(Call call, CloseProposal c) => WithDecisionMakers(call, client => Decide(call, (s, now) => s.Decline(c, client, now), s => s));

    public Task<Reply<Engagement>> Withdraw(Call call, CloseProposal c) => Decide(call, (s, now) => s.Withdraw(c, now), s => s);

    public Task<Reply<Engagement>> Comment(Call call, CommentOnEngagement c) =>
        WithClient(call, (client, version) => Decide(call, (s, now) => s.Comment(c, client, version, now), s => s));

    public Task<Reply<Engagement>> AskToAgree(Call call, RequestAgreement c) => Decide(call, (s, now) => s.AskToAgree(c, now), s => s);

    public Task<Reply<Engagement>> DeclineAs(Call call, DeclineAsCmo c) => Decide(call, (s, now) => s.DeclineAs(c, now), s => s);

    public Task<Reply<Engagement>> Agree(Call call, AgreeAsCmo c) => Decide(call, (s, now) => s.Agree(c, now), s => s);

    public Task<Reply<Engagement>> SignRenewal(Call call, SignRenewal c) => WithDecisionMakers(call, client => Decide(call, (s, now) => s.SignRenewal(c, client, now), s => s));

    public async Task<Reply<Engagement>> Activate(Call call)
    {
        var known = await Get(new Read(Key.Agency, call.SandboxNow));
        if (known.Rejection is not null)
        {
            return known;
        }

        var agency = await Grain<IAgencyGrain>(Key.Agency.Value).Get(new Read(Key.Agency, call.SandboxNow));
        if (agency.Rejection is { } unknown)
        {
            return Reply<Engagement>.No(unknown);
        }

        var zone = agency.Value!.LegalEntities[known.Value!.Terms[0].Seller].TimeZone;
        var waiving = await Waiving(call, known.Value.Plan.Members.Select(m => m.Cmo));
        var (named, request) = Named(call);
        var reply = await RunSaga(named, (s, now) => s.Activate(request, zone, now, waiving), EndOf, s => s);
        return call.ValidateOnly && reply.Value is { } state && await WouldRefuse(call, state) is { } refusal ? Reply<Engagement>.No(refusal) : reply;
    }

    public async Task<Reply<Engagement>> End(Call call, EndEngagement c)
    {
        var (named, request) = Named(call);
        return await RunSaga(named, (s, now) => s.EndOn(c, request, now), EndOf, s => s);
    }

    public Task<Reply<Engagement>> Get(Read read) => Query(read, (s, _) => s);

    public async Task<Reply<TimeParts>> Draw(Call call, DrawTime c)
    {
        var rate = await Grain<IFractionalCmoGrain>(c.Cmo.Value).GetCostRate(new Read(Key.Agency, call.SandboxNow), c.Date);
        return rate.Rejection is { } unknown ? Reply<TimeParts>.No(unknown) : await Decide(call, (s, _) => s.Draw(c, rate.Value!.Rate), s => (s.Time.Approved.GetValueOrDefault(c.Entry) ?? s.Time.Reversed[c.Entry]).Parts);
    }

    public Task<Reply<TimeEntryKey>> Reverse(Call call, ReverseTime c) => Decide(call, (s, now) => s.Reverse(c, now), _ => c.Entry);

    public Task<Reply<TimeEntryKey>> Dispute(Call call, DisputeTime c) => Decide(call, (s, _) => s.Dispute(c), _ => c.Entry);

    public Task<Reply<TimeEntryKey>> EndDispute(Call call, DisputeTime c) => Decide(call, (s, _) => s.EndDispute(c), _ => c.Entry);

    public Task<Reply<ConsentResult>> Consent(Call call, ConsentToOverage c) => Decide(call, (s, _) => s.Consent(c), s => s.LastConsent());

    public Task<Reply<MeterView>> GetMeter(Read read, LocalDate date) => Query(read, (s, _) => s.MeterView(date));

    public async Task<Reply<MeterProjection>> ProjectMeter(Read read, LocalDate date)
    {
        var known = await Get(read);
        if (known.Value is not { } engagement || !engagement.Service.Contains(date))
        {
            return Reply<MeterProjection>.No(known.Rejection ?? Rejection.NotFound("meter", $"{Key.Id} on {date:uuuu-MM-dd}"));
        }

        var (period, next) = (engagement.PeriodOn(date).Dates, date.PlusDays(1));
        var plans = await Task.WhenAll(engagement.Involved().Select(async cmo => (Cmo: cmo, Reply: await Grain<IFractionalCmoGrain>(cmo.Value).GetPlan(read, next, period.End!.Value))));
        var booked = plans.SelectMany(p => (p.Reply.Value?.Work ?? []).Where(w => engagement.IsWork(p.Cmo, w))).ToImmutableArray();
        var logged = await ReadModels.Sum<TimeEntryRow>(
            Key.Agency,
            [
                Filter.Eq(nameof(TimeEntryRow.Engagement), engagement.Id), Filter.Eq(nameof(TimeEntryRow.Billable), true),
                new Filter(nameof(TimeEntryRow.Date), FilterOperator.GreaterOrEqual, period.Start), new Filter(nameof(TimeEntryRow.Date), FilterOperator.Less, next),
                new Filter(nameof(TimeEntryRow.State), FilterOperator.In, new[] { TimeEntryState.Draft, TimeEntryState.Submitted }),
            ],
            nameof(TimeEntryRow.Minutes), []);
        return await Query(read, (s, _) => s.Project(date, checked((int)logged[0].Sum), booked));
    }

    public Task<Reply<EngagementAtCutOver>> GetAtCutOver(Read read, LocalDate on) => Query(read, (s, _) => s.AtCutOver(on));

    public Task<Reply<EngagementId>> ImportGrants(Call call, ImportGrants c) => Decide(call, (s, _) => s.Import(c), s => s.Id);

    public Task<Reply<EngagementId>> CreditBlock(Call call, CreditBlock c) => Decide(call, (s, now) => s.Credit(c, now), s => s.Id);

    public Task<Reply<BillingInputs>> GetBillingInputs(Read read) => Query(read, (s, _) => s.BillingInputs());

    public async Task<Reply<BillingSources>> GetBillingSources(Read read, long before)
    {
        var known = await Get(read);
        if (known.Rejection is { } missing)
        {
            return Reply<BillingSources>.No(missing);
        }

        var sources = new EngagementSources();
        await foreach (var (stored, @event) in History())
        {
            if (stored.Sequence >= before)
            {
                break;
            }

            sources.Apply(@event, stored.Event.Actor, stored.Event.OccurredAt);
        }

        return Reply<BillingSources>.Ok(sources.All(), known.Meta!);
    }

    protected override IPostingHistory Postings() => new EngagementSources();

    public Task<Reply<BillingInputs>> GetHypotheticalInputs(Read read, Terms terms) => Query(read, (s, _) => s.BillingInputs(terms));

    /// <summary>The saga's next step with one member's CMO, then its record. What a CMO refuses is recorded; what it does not answer is tried again.</summary>
    protected override async Task<bool> Step(Engagement committed)
    {
        if (committed.NextRebooking() is { } rebooking)
        {
            return await Step(committed, rebooking);
        }

        if (committed.NextStep() is not { } step)
        {
            return false;
        }

        var call = StepCall();
        var cmo = Grain<IFractionalCmoGrain>(step.Cmo.Value);
        switch (step.Action)
        {
            case SagaAction.Place:
                var steps = committed.Plan.Members.First(m => m.Cmo == step.Cmo).Steps;
                var agency = await Grain<IAgencyGrain>(Key.Agency.Value).GetContext();
                var placed = await cmo.PlaceFor(call with { PolicyVersion = agency?.PolicyVersion ?? 0 }, committed.Id, new Book(step.Booking, new BookingSpec(committed.Client, committed.Id, steps)));
                return await Recorded(call, step, placed.Rejection);
            case SagaAction.TakeOver:
                var taken = await cmo.TakeOver(call, committed.Id, step.Booking);
                return await Recorded(call, step, taken.Rejection, taken.Value?.Spec);
            case SagaAction.Release:
                return await Recorded(call, step, Never(await cmo.ReleaseFor(call, committed.Id, step.Booking)));
            case SagaAction.GiveBack:
                return await Recorded(call, step, Never(await cmo.GiveBack(call, committed.Id, step.Booking)));
            case SagaAction.Confirm:
                return await Recorded(call, step, Never(await cmo.ConfirmFor(call, committed.Id, step.Booking)));
            case SagaAction.End:
                return await Recorded(call, step, Never(await cmo.EndFor(call, committed.Id, step.Booking, committed.Saga!.End!.Value)));
            case SagaAction.Free:
                return await Recorded(call, step, Never(await cmo.FreeFor(call, committed.Client, step.Booking)));
            default:
                throw new InvalidOperationException($"Unknown step {step.Action}.");
        }
    }

    private async Task<bool> Recorded(Call call, SagaStep step, Rejection? refusal, BookingSpec? hold = null)
    {
        await Decide(call, (s, _) => s.Record(step, refusal, hold), s => s);
        return true;
    }

    /// <summary>These steps cannot be refused; one that is stops the saga with an error in the log instead of passing by unseen.</summary>
    private static Rejection? Never<T>(Reply<T> reply) =>
        reply.Rejection is { } impossible ? throw new InvalidOperationException($"A step that cannot be refused was: {impossible.Reason}: {impossible.Message}") : null;

    /// <summary>A request that found nothing to do started no saga.</summary>
    private static SagaEnd? EndOf(Engagement state, Guid request) =>
        state.OutcomeOf(request) is { } outcome ? new SagaEnd(outcome.Refusal) : state.Saga?.Request == request ? null : new SagaEnd(null);

    /// <summary>The call with a request id, by which the saga's end is told.</summary>
    private (Call Call, Guid Request) Named(Call call)
    {
        var request = call.Request ?? Guid.CreateVersion7(_system.GetUtcNow());
        return (call with { Request = request }, request);
    }

    /// <summary>What the activation would be refused for, asked without holding anything; members with a hold have their capacity.</summary>
    private async Task<Rejection?> WouldRefuse(Call call, Engagement state)
    {
        foreach (var member in state.Plan.Members.Where(m => m.Hold is null))
        {
            var check = await Grain<IFractionalCmoGrain>(member.Cmo.Value).Check(call, new BookingSpec(state.Client, state.Id, member.Steps));
            if ((check.Rejection ?? check.Value!.Refusal?.ToRejection()) is { } refusal)
            {
                return refusal with { Metadata = refusal.Metadata.SetItem("cmo", member.Cmo.Value) };
            }
        }

        return null;
    }

    /// <summary>The first of the plan's references that is not there.</summary>
    private Task<Rejection?> Unknown(Call call, EngagementPlan plan) => Unknown(call, plan.Terms.Seller, [.. plan.Members.Select(m => m.Cmo)]);

    private async Task<Rejection?> Unknown(Call call, LegalEntityId? seller, ImmutableArray<CmoId> members)
    {
        var read = new Read(Key.Agency, call.SandboxNow);
        var agency = await Grain<IAgencyGrain>(Key.Agency.Value).Get(read);
        if (agency.Rejection is { } noAgency)
        {
            return noAgency;
        }

        if (seller is { } sells && !agency.Value!.LegalEntities.ContainsKey(sells))
        {
            return Rejection.NotFound("legal_entity", sells.Value);
        }

        var cmos = await Task.WhenAll(members.Select(m => Grain<IFractionalCmoGrain>(m.Value).Get(read)));
        for (var i = 0; i < cmos.Length; i++)
        {
            if (cmos[i].Rejection is not null)
            {
                return Rejection.NotFound("cmo", members[i].Value);
            }
        }

        return null;
    }

    /// <summary>Those whose own terms waive their agreement, with the version of the CMO that says so.</summary>
    private async Task<ImmutableSortedDictionary<CmoId, long>> Waiving(Call call, IEnumerable<CmoId> asked)
    {
        var read = new Read(Key.Agency, call.SandboxNow);
        var cmos = await Task.WhenAll(asked.Select(async cmo => (Cmo: cmo, Reply: await Grain<IFractionalCmoGrain>(cmo.Value).Get(read))));
        return cmos.Where(c => c.Reply.Value is { Profile.WaivesAgreement: true }).ToImmutableSortedDictionary(c => c.Cmo, c => c.Reply.Meta!.Version);
    }

    private Task<Reply<Engagement>> WithDecisionMakers(Call call, Func<DecisionMakers, Task<Reply<Engagement>>> decide) => WithClient(call, async (client, version) =>
    {
        var agency = await Grain<IAgencyGrain>(Key.Agency.Value).Get(new Read(Key.Agency, call.SandboxNow));
        return agency.Rejection is { } unknown
            ? Reply<Engagement>.No(unknown)
            : await decide(new DecisionMakers(
                version, [.. client.Stakeholders.Values.Where(s => s.DecisionMaker).Select(s => s.Person)], client.SignOff, agency.Value!.Settings.TimeZone));
    });

    private async Task<Reply<Engagement>> WithClient(Call call, Func<ClientCompany, long, Task<Reply<Engagement>>> decide)
    {
        var read = new Read(Key.Agency, call.SandboxNow);
        var known = await Get(read);
        if (known.Rejection is not null)
        {
            return known;
        }

        var client = await Grain<IClientCompanyGrain>(known.Value!.Client.Value).Get(read);
        return client.Rejection is { } unknown ? Reply<Engagement>.No(unknown) : await decide(client.Value!, client.Meta!.Version);
    }
}
