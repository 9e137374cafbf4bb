using System.Collections.Immutable;
using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Contracts.Matching;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Domain.Engagements;
using AgencyPlatform.Domain.Matching;
using NodaTime;

namespace AgencyPlatform.Grains.Tests.Matching;

/// <summary>
/// An intake becomes a client company and a proposal, on a real silo with a real SQLite file: at every step, before it or after it (its answer lost), the call fails and the
/// intake's activation is thrown away; the caller repeats with the same request id.
/// </summary>
public sealed class Conversions_survive_failures(SagaSilo silo) : IClassFixture<SagaSilo>
{
    private static readonly string[] s_steps =
    [
        nameof(IClientCompanyGrain.SetCompetitors), nameof(IClientCompanyGrain.PutStakeholder), nameof(IEngagementGrain.Propose), "Create",
    ];

    private static readonly Instant s_begin = Instant.FromUtc(2026, 6, 1, 9, 0);
    private static readonly ImmutableSortedDictionary<string, string> s_none = ImmutableSortedDictionary<string, string>.Empty;
    private static readonly LegalEntity s_seller = new(new LegalEntityId("main"), "Main Inc", "US", "America/New_York", new Currency("USD"), "", "", new InvoiceSeriesId("main"));
    private static readonly ConvertIntake s_convert = new(new("harbor"), new("harbor-cmo"), new("ada"), null, s_seller.Id, new Money(800_000, s_seller.Currency), null, "Harbor", true);

    private static readonly IntakeBrief s_brief = IntakeBrief.Empty with
    {
        Company = "Harbor Foods",
        TimeZone = "America/New_York",
        MonthlyMinutes = 2_400,
        Start = new LocalDate(2026, 7, 1),
        Months = 6,
        ContactTitle = "CEO",
        Competitors = [new("rival")],
    };

    /// <summary>The client company, its competitors, its contact, the draft, the proposal.</summary>
    public static TheoryData<int, bool> Faults
    {
        get
        {
            var data = new TheoryData<int, bool>();
            for (var step = 0; step < 5; step++)
            {
                data.Add(step, false);
                data.Add(step, true);
            }

            return data;
        }
    }

    [Theory, MemberData(nameof(Faults))]
    public async Task Whatever_step_fails_there_is_one_client_company_and_one_proposal(int step, bool after)
    {
        var agency = new AgencyId($"convert-{step}-{(after ? "after" : "before")}");
        var intake = await Asked(agency, s_brief);
        silo.Faults.Arm(agency, s_steps, step, after);
        var call = Called(agency, "convert");

        var reply = await Repeated(intake, () => intake.Convert(call, s_convert));

        Assert.True(silo.Faults.Fired(agency), "The fault did not happen: the saga has fewer steps than the test thinks.");
        var state = Ok(reply);
        Assert.Equal((IntakeState.Converted, new ClientCompanyId("harbor"), null), (state.State, state.Brief.Client!.Value, state.Conversion!.NotProposed));
        var client = Ok(await silo.Grains.Of<IClientCompanyGrain>(agency, "harbor").Get(new Read(agency, s_begin)));
        Assert.Equal(("Harbor Foods", new ClientCompanyId("rival")), (client.Profile.DisplayName, Assert.Single(client.Competitors)));
        Assert.Equal(new Stakeholder(new PersonId("ask-contact"), "CEO", true), Assert.Single(client.Stakeholders.Values));
        var engagement = Ok(await silo.Grains.Of<IEngagementGrain>(agency, "harbor-cmo").Get(new Read(agency, s_begin)));
        Assert.Equal((EngagementState.Proposed, 1, client.Id), (engagement.State, engagement.Revision, engagement.Client));
        foreach (var (kind, id, name) in new[] { ("client", "harbor", "client.created"), ("client", "harbor", "client.stakeholder-put"), ("engagement", "harbor-cmo", "engagement.proposed") })
        {
            var count = 0;
            await foreach (var stored in silo.Journal.ReadStream(new AggregateKey(agency, kind, id)))
            {
                count += stored.Event.Name == name ? 1 : 0;
            }

            Assert.Equal(1, count);
        }

        // A repeat answers the same and changes nothing.
        var version = (await intake.Get(new Read(agency, s_begin))).Meta!.Version;
        var again = await intake.Convert(call, s_convert);
        Assert.Equal((reply.Value!.State, reply.Meta!.Version), (again.Value!.State, again.Meta!.Version));
        Assert.Equal(version, (await intake.Get(new Read(agency, s_begin))).Meta!.Version);
        Assert.Equal(Reasons.IntakeState, (await intake.Convert(Called(agency, "other"), s_convert)).Rejection!.Reason);
    }

    [Fact]
    public async Task What_others_would_refuse_is_refused_before_anything_is_made()
    {
        var agency = new AgencyId("convert-refused");
        var intake = await Asked(agency, s_brief);
        foreach (var (command, kind, what) in new[]
        {
            (s_convert with { Seller = new("none") }, RejectionKind.NotFound, "legal_entity"), (s_convert with { Lead = new("none") }, RejectionKind.NotFound, "cmo"),
            (s_convert with { Hold = new("none") }, RejectionKind.NotFound, "booking"), (s_convert with { Client = new("rival") }, RejectionKind.AlreadyExists, "client_company"),
        })
        {
            var refused = (await intake.Convert(Called(agency, what), command)).Rejection!;
            Assert.Equal((kind, what), (refused.Kind, refused.Metadata["resource_type"]));
        }

        var steps = new BookingSpec(new("rival"), null, [new FlexibleStep(new DateRange(new LocalDate(2026, 7, 1), null), 60)]);
        Ok(await silo.Grains.Of<IFractionalCmoGrain>(agency, "ada").Hold(Called(agency, "hold"), new HoldBooking(new("slot"), steps, null)));
        Assert.Equal(Reasons.HoldOfAnotherClient, (await intake.Convert(Called(agency, "slot"), s_convert with { Hold = new("slot") })).Rejection!.Reason);
        Assert.Equal(IntakeState.Open, Ok(await intake.Get(new Read(agency, s_begin))).State);
        Assert.NotNull((await silo.Grains.Of<IClientCompanyGrain>(agency, "harbor").Get(new Read(agency, s_begin))).Rejection);
        Assert.Equal(RejectionKind.NotFound, (await silo.Grains.Of<IIntakeGrain>(agency, "nobody").Convert(Called(agency, "nobody"), s_convert)).Rejection!.Kind);
    }

    /// <summary>Nobody decides for that client yet, and no contact is known: the draft stands, and says why it is one.</summary>
    [Fact]
    public async Task Of_a_client_that_is_there_a_proposal_that_nobody_can_sign_stays_a_draft()
    {
        var agency = new AgencyId("convert-draft");
        var intake = await Asked(agency, s_brief with { Client = new("rival"), Competitors = [], ContactTitle = null });

        var state = Ok(await intake.Convert(Called(agency, "convert"), s_convert));

        Assert.Equal((IntakeState.Converted, Reasons.SignOffUnreachable), (state.State, state.Conversion!.NotProposed!.Reason));
        var engagement = Ok(await silo.Grains.Of<IEngagementGrain>(agency, "harbor-cmo").Get(new Read(agency, s_begin)));
        Assert.Equal((EngagementState.Draft, new ClientCompanyId("rival")), (engagement.State, engagement.Client));
    }

    private static async Task<Reply<Intake>> Repeated(IIntakeGrain intake, Func<Task<Reply<Intake>>> call)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await call();
            }
            catch (UnavailableException) when (attempt < 3)
            {
                await PlatformSilo.Forget(intake);
            }
        }
    }

    /// <summary>An agency with a CMO, a client company and an intake.</summary>
    private async Task<IIntakeGrain> Asked(AgencyId agency, IntakeBrief brief)
    {
        Ok(await silo.Grains.Agency(agency).Create(
            Called(agency, "agency"), new CreateAgency(agency, new AgencySettings("Agency", "America/New_York", s_seller.Currency, [], s_none, s_none), 0, 0, [s_seller], s_begin)));
        Ok(await silo.Grains.Of<IClientCompanyGrain>(agency, "rival").Create(Called(agency, "client"), new CreateClient(
            new ClientCompanyId("rival"), new ClientProfile("Rival", "", "", "Etc/UTC", new BillingDetails("", "", "", "", 30), s_none, s_none))));
        Ok(await silo.Grains.Of<IFractionalCmoGrain>(agency, "ada").Create(Called(agency, "cmo"), new CreateCmo(
            new CmoId("ada"), new CmoProfile(new PersonId("ada"), "CMO", "Etc/UTC", s_none, s_none), new PersonDetails("Ada"), new CmoLimits(5, 0),
            new WorkingPattern(new LocalDate(2026, 1, 1), new WeekdayMinutes(480, 480, 480, 480, 480, 0, 0)), null, null)));
        var intake = silo.Grains.Of<IIntakeGrain>(agency, "ask");
        Ok(await intake.Create(Called(agency, "intake"), new CreateIntake(new("ask"), brief, brief.ContactTitle is null ? null : new PersonDetails("Bea"))));
        return intake;
    }

    private static Call Called(AgencyId agency, string hash) => new(agency, "key:test", Guid.CreateVersion7(), hash, s_begin);

    private static T Ok<T>(Reply<T> reply)
    {
        Assert.True(reply.Rejection is null, $"{reply.Rejection?.Reason}: {reply.Rejection?.Message}");
        return reply.Value!;
    }
}
