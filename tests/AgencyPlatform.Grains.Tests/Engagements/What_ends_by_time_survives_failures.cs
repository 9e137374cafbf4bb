using System.Collections.Immutable;
using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Domain.Engagements;
using NodaTime;
using Orleans.Core.Internal;

namespace AgencyPlatform.Grains.Tests.Engagements;

/// <summary>
/// What nobody waits for: a proposal's end frees its holds, a term's end ends the engagement. At every step, before it or after it, the call fails and the
/// engagement's activation is thrown away; the deadline takes it up again.
/// </summary>
public sealed class What_ends_by_time_survives_failures(SagaSilo silo) : IClassFixture<SagaSilo>
{
    private static readonly CmoId[] s_cmos = [new("ada"), new("bob")];
    private static readonly PersonId s_ceo = new("ceo");
    private static readonly ClientCompanyId s_acme = new("acme");

    public static TheoryData<int, bool> Faults => new() { { 0, false }, { 0, true }, { 1, false }, { 1, true } };

    [Theory, MemberData(nameof(Faults))]
    public async Task Whatever_step_fails_every_hold_of_a_proposal_that_ended_is_freed_and_no_other_booking(int step, bool after)
    {
        var agency = new AgencyId($"free-{step}-{(after ? "after" : "before")}");
        var start = new LocalDate(2027, 1, 4);
        var members = s_cmos.Select(cmo => new EngagementMember(cmo, "", [], new BookingId("slot"), true));
        var engagement = await Proposed(agency, start, null, [.. members], freesHolds: true);
        silo.Faults.Arm(agency, [nameof(IFractionalCmoGrain.FreeFor)], step, after);

        Ok(await engagement.Decline(Called(agency), new CloseProposal("", s_ceo)));
        await Settled(engagement, agency, s => s.Proposal.ToFree.IsEmpty);

        Assert.True(silo.Faults.Fired(agency));
        foreach (var cmo in s_cmos)
        {
            Assert.Equal(["other"], (await Cmo(agency, cmo)).Bookings.Keys.Select(b => b.Value));
        }
    }

    [Theory, MemberData(nameof(Faults))]
    public async Task Whatever_step_fails_a_term_that_is_over_ends_the_engagement_once(int step, bool after)
    {
        var agency = new AgencyId($"term-{step}-{(after ? "after" : "before")}");
        var start = new LocalDate(2025, 1, 6);
        var members = s_cmos.Select(cmo => new EngagementMember(cmo, "", [new FlexibleStep(new DateRange(start, null), 60)], null, true));
        var engagement = await Proposed(agency, start, new TermRules(2, Renewal.BySignature, 2, 0), [.. members], freesHolds: false);
        silo.Faults.Arm(agency, [nameof(IFractionalCmoGrain.EndFor)], step, after);

        // Its term was over before it was activated: time ends it at once.
        Ok(await engagement.Sign(Called(agency), new SignEngagement(s_ceo, 0)));
        Ok(await engagement.Activate(Called(agency) with { Request = Guid.CreateVersion7() }));
        var ended = await Settled(engagement, agency, s => s.State == EngagementState.Ended);

        Assert.True(silo.Faults.Fired(agency));
        Assert.Equal(start.PlusMonths(2), ended.End);
        foreach (var cmo in s_cmos)
        {
            Assert.Equal(start.PlusMonths(2), (await Cmo(agency, cmo)).Bookings.Values.Single(b => b.Owner is not null).Dates.End);
        }
    }

    /// <summary>As the scanner of deadlines does, on an activation that has just begun, until all is done; and that nothing more happens then.</summary>
    private static async Task<Engagement> Settled(IEngagementGrain engagement, AgencyId agency, Func<Engagement, bool> done)
    {
        for (var attempt = 0; attempt < 4; attempt++)
        {
            await engagement.AsReference<IGrainManagementExtension>().DeactivateOnIdle();
            await engagement.Settle(null);
        }

        var state = await engagement.Get(new Read(agency));
        Assert.True(done(state.Value!));
        Assert.Null(state.Value!.NextStep());
        await engagement.Settle(null);
        Assert.Equal(state.Meta!.Version, (await engagement.Get(new Read(agency))).Meta!.Version);
        return state.Value!;
    }

    /// <summary>A proposal to Acme of two CMOs, each with a hold for it and a booking of somebody else.</summary>
    private async Task<IEngagementGrain> Proposed(AgencyId agency, LocalDate start, TermRules? term, ImmutableArray<EngagementMember> members, bool freesHolds)
    {
        var none = ImmutableSortedDictionary<string, string>.Empty;
        var entity = new LegalEntity(new LegalEntityId("main"), "Main Inc", "US", "America/New_York", new Currency("USD"), "", "", new InvoiceSeriesId("main"));
        Ok(await silo.Grains.Agency(agency).Create(
            Called(agency), new CreateAgency(agency, new AgencySettings("Agency", "America/New_York", new Currency("USD"), [], none, none), 0, 0, [entity], null)));
        foreach (var client in new[] { s_acme, new ClientCompanyId("other") })
        {
            var grain = silo.Grains.Of<IClientCompanyGrain>(agency, client.Value);
            Ok(await grain.Create(Called(agency), new CreateClient(client, new ClientProfile(client.Value, "", "", "America/New_York", new BillingDetails("", "", "", "", 30), none, none))));
            Ok(await grain.PutStakeholder(Called(agency), new PutStakeholder(new Stakeholder(s_ceo, "CEO", true), new PersonDetails("Chief"))));
        }

        foreach (var id in s_cmos)
        {
            var cmo = silo.Grains.Of<IFractionalCmoGrain>(agency, id.Value);
            Ok(await cmo.Create(Called(agency), new CreateCmo(
                id, new CmoProfile(new PersonId($"p-{id}"), "CMO", "America/New_York", none, none), new PersonDetails(id.Value), new CmoLimits(5, 0),
                new WorkingPattern(new LocalDate(2024, 1, 1), new WeekdayMinutes(480, 480, 480, 480, 480, 0, 0)), null, null)));
            var steps = ImmutableArray.Create<BookingStep>(new FlexibleStep(new DateRange(start, start.PlusYears(1)), 60));
            Ok(await cmo.Hold(Called(agency), new HoldBooking(new BookingId("slot"), new BookingSpec(s_acme, null, steps), Duration.FromDays(20))));
            Ok(await cmo.Book(Called(agency), new Book(new BookingId("other"), new BookingSpec(new ClientCompanyId("other"), null, steps))));
        }

        var engagement = silo.Grains.Of<IEngagementGrain>(agency, "launch");
        var plan = new EngagementPlan(
            "Launch", ServiceType.FractionalCmo, s_cmos[0], members, new HourlyTerms(start, entity.Id, entity.Currency, new BillCycle(1, 1), 20_000), start, null, null, 1, none, none, term);
        Ok(await engagement.Create(Called(agency), new CreateEngagement(new EngagementId("launch"), s_acme, plan)));
        Ok(await engagement.Propose(Called(agency), new ProposeEngagement(null, freesHolds)));
        return engagement;
    }

    private async Task<FractionalCmo> Cmo(AgencyId agency, CmoId cmo) => (await silo.Grains.Of<IFractionalCmoGrain>(agency, cmo.Value).Get(new Read(agency))).Value!;

    private static Call Called(AgencyId agency) => new(agency, "key:test");

    private static void Ok<T>(Reply<T> reply) => Assert.True(reply.Rejection is null, $"{reply.Rejection?.Reason}: {reply.Rejection?.Message}");
}
