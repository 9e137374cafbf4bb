using System.Collections.Immutable;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Contracts.Matching;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Engagements;
using AgencyPlatform.Domain.Matching;
using Orleans.Concurrency;

namespace AgencyPlatform.Grains.Matching;

/// <summary>See <see cref="IIntakeGrain"/>.</summary>
[Reentrant]
public sealed class IntakeGrain(GrainServices services) : AggregateGrain<Intake>(services), IIntakeGrain
{
    /// <summary>Days from the issue date to the due date of a client company that an intake makes, until its billing details say otherwise.</summary>
    private const int PaymentTermDays = 30;

    private readonly TimeProvider _system = services.System;

    public async Task<Reply<Intake>> Create(Call call, CreateIntake c) =>
        await Decide(call, (s, _) => s.Create(c), s => s, await UnknownClient(call, c.Brief));

    public async Task<Reply<Intake>> Update(Call call, UpdateIntake c)
    {
        var unknown = await UnknownClient(call, c.Brief);

        // First whether it may be changed at all.
        return await Decide(call, (s, _) => s.Update(c) is var decision && decision.Rejection is null && unknown is not null ? unknown : decision, s => s);
    }

    public Task<Reply<Intake>> Close(Call call, CloseIntake c) => Decide(call, (s, _) => s.Close(c), s => s);

    public async Task<Reply<Intake>> Convert(Call call, ConvertIntake c)
    {
        var known = await Get(new Read(Key.Agency, call.SandboxNow));
        if (known.Rejection is not null)
        {
            return known;
        }

        var unready = await Unready(call, known.Value!, c);
        var request = call.Request ?? Guid.CreateVersion7(_system.GetUtcNow());
        return await RunSaga(
            call with { Request = request }, (s, now) => s.Convert(c, request, now) is var decision && decision.Rejection is null && unready is not null ? unready : decision,
            (s, id) => s.OutcomeOf(id) is (true, var refusal) ? new SagaEnd(refusal) : null, s => s);
    }

    public Task<Reply<Intake>> Get(Read read) => Query(read, (s, _) => s);

    /// <summary>The next step with the client company or the engagement, then its record; idempotent by the step's request.</summary>
    protected override async Task<bool> Step(Intake committed)
    {
        if (committed.NextStep() is not { } step)
        {
            return false;
        }

        var (conversion, brief) = (committed.Conversion!, committed.Brief);
        var call = StepCall() with { Request = IdSyntax.GuidOf($"{Key.Agency}/intake/{committed.Id}/{conversion.Request}/{step}") };
        var client = Grain<IClientCompanyGrain>(conversion.Client.Value);
        var engagement = Grain<IEngagementGrain>(conversion.Engagement.Value);
        var refusal = step switch
        {
            ConversionStep.CreateClient => (await client.Create(call, new CreateClient(conversion.Client, ProfileOf(brief)))).Rejection,
            ConversionStep.NameCompetitors => (await client.SetCompetitors(call, new SetCompetitors(brief.Competitors))).Rejection,
            ConversionStep.PutContact => (await client.PutStakeholder(call, new PutStakeholder(await ContactOf(committed, client), null))).Rejection,
            ConversionStep.CreateEngagement => (await engagement.Create(call, new CreateEngagement(conversion.Engagement, conversion.Client, conversion.Plan))).Rejection,
            ConversionStep.Propose => (await engagement.Propose(call, new ProposeEngagement(null))).Rejection,
            _ => throw new InvalidOperationException($"Unknown step {step}."),
        };
        await Decide(StepCall(), (s, _) => s.Record(step, refusal), s => s);
        return true;
    }

    /// <summary>The contact decides where nobody does yet; at a client that was there before, those who decide stay.</summary>
    private async Task<Stakeholder> ContactOf(Intake intake, IClientCompanyGrain client)
    {
        var known = (await client.Get(new Read(Key.Agency, StepCall().SandboxNow))).Value;
        return new Stakeholder(intake.Contact, intake.Brief.ContactTitle!, known is null || known.Stakeholders.Values.All(s => !s.DecisionMaker));
    }

    private static ClientProfile ProfileOf(IntakeBrief brief) => new(
        brief.Company, brief.Website, brief.Industry, brief.TimeZone, new BillingDetails("", "", "", "", PaymentTermDays),
        ImmutableSortedDictionary<string, string>.Empty, ImmutableSortedDictionary<string, string>.Empty);

    /// <summary>What others would refuse of a conversion, asked before anything is made.</summary>
    private async Task<Rejection?> Unready(Call call, Intake intake, ConvertIntake c)
    {
        var read = new Read(Key.Agency, call.SandboxNow);
        var agency = await Grain<IAgencyGrain>(Key.Agency.Value).Get(read);
        if (agency.Rejection is { } noAgency)
        {
            return noAgency;
        }

        if (!agency.Value!.LegalEntities.ContainsKey(c.Seller))
        {
            return Rejection.NotFound("legal_entity", c.Seller.Value);
        }

        if (intake.Brief.Client is null && (await Grain<IClientCompanyGrain>(c.Client.Value).Get(read)).Rejection is null)
        {
            return Rejection.AlreadyExists("client_company", c.Client.Value);
        }

        if ((await Grain<IEngagementGrain>(c.Engagement.Value).Get(read)).Rejection is null)
        {
            return Rejection.AlreadyExists("engagement", c.Engagement.Value);
        }

        var lead = Grain<IFractionalCmoGrain>(c.Lead.Value);
        if ((await lead.Get(read)).Rejection is not null)
        {
            return Rejection.NotFound("cmo", c.Lead.Value);
        }

        if (c.Hold is not { } hold)
        {
            return null;
        }

        var held = await lead.GetBooking(read, hold);
        return held.Rejection is { } missing ? missing
            : held.Value!.Spec.Client is var client && client != intake.Brief.Client
                ? Rejection.Rule(
                    Reasons.HoldOfAnotherClient, $"The hold '{hold}' of '{c.Lead}' is for the client '{client}', not for '{intake.Brief.Client?.Value ?? "a new one"}'.",
                    ("booking", hold.Value), ("client", client.Value), ("cmo", c.Lead.Value))
            : null;
    }

    /// <summary>The first client company that is named and is not there.</summary>
    private async Task<Rejection?> UnknownClient(Call call, IntakeBrief brief)
    {
        foreach (var client in brief.Client is { } own ? brief.Competitors.Add(own) : brief.Competitors)
        {
            if ((await Grain<IClientCompanyGrain>(client.Value).Get(new Read(Key.Agency, call.SandboxNow))).Rejection is not null)
            {
                return Rejection.NotFound("client_company", client.Value);
            }
        }

        return null;
    }
}
