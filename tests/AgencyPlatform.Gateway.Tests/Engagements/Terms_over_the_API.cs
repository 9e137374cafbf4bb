using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Date = Google.Type.Date;
using Money = AgencyPlatform.Protocol.Type.V1.Money;
using Reasons = AgencyPlatform.Domain.Reasons;

namespace AgencyPlatform.Gateway.Tests.Engagements;

/// <summary>Terms, renewals, notice and what falls due over the public API. The sandbox's clock stands on Monday, 5 January 2026.</summary>
[Collection(PlatformFixture.Collection)]
public sealed class Terms_over_the_API(PlatformFixture platform)
{
    private static readonly TermRules s_automatic = new() { InitialMonths = 6, Renewal = TermRules.Types.Renewal.Automatic, RenewalMonths = 3, NoticeDays = 30 };

    [Fact]
    public async Task An_automatic_renewal_happens_by_time_alone_and_notice_is_due_before_the_next()
    {
        var agency = await platform.NewAgency();
        var staff = (await agency.As(Role.Operations)).Service<EngagementsService.EngagementsServiceClient>();
        var name = await Active(agency, s_automatic);
        var active = await staff.GetEngagementAsync(new GetEngagementRequest { Name = name });
        Assert.Equal((Day(2026, 7, 5), Day(2026, 6, 5), 0), (active.TermStatus.EndDate, active.TermStatus.LastNoticeDate, active.TermStatus.Renewals));
        Assert.Equal((0, 40), (active.TenureMonths, active.TenureYardstickMonths));
        Assert.Equal([(Day(2026, 6, 5), DueKind.LastNotice), (Day(2026, 7, 5), DueKind.Renewal)], await Due(agency));

        // A year in one call: two renewals, at their own dates.
        await agency.AdvanceTo(new DateTime(2026, 11, 6, 12, 0, 0, DateTimeKind.Utc));
        var renewed = await staff.GetEngagementAsync(new GetEngagementRequest { Name = name });
        Assert.Equal((2, Day(2026, 10, 5), Day(2027, 1, 5), Day(2026, 12, 6)), (renewed.TermStatus.Renewals, renewed.TermStatus.StartDate, renewed.TermStatus.EndDate, renewed.TermStatus.LastNoticeDate));
        Assert.Equal((EngagementState.Active, 10), (renewed.State, renewed.TenureMonths));

        var early = await Refused.By(staff.EndEngagementAsync(new EndEngagementRequest { Name = name, EndDate = Day(2026, 12, 1) }));
        Assert.Equal((StatusCode.FailedPrecondition, Reasons.NoticeTooShort, "2027-01-05"), (early.StatusCode, early.Reason, early.Metadata["earliest_end"]));
        await agency.AdvanceTo(new DateTime(2026, 12, 7, 12, 0, 0, DateTimeKind.Utc));
        Assert.Equal("2027-04-05", (await Refused.By(staff.EndEngagementAsync(new EndEngagementRequest { Name = name, EndDate = Day(2027, 1, 5) }))).Metadata["earliest_end"]);
        var ended = await staff.EndEngagementAsync(new EndEngagementRequest { Name = name, EndDate = Day(2027, 4, 5) });
        Assert.Equal((EngagementState.Active, Day(2027, 4, 5)), (ended.State, ended.EndDate));
        Assert.Equal([(Day(2027, 4, 5), DueKind.End)], await Due(agency));
    }

    [Fact]
    public async Task Notice_is_waived_with_a_reason()
    {
        var agency = await platform.NewAgency();
        var staff = (await agency.As(Role.Operations)).Service<EngagementsService.EngagementsServiceClient>();
        var name = await Active(agency, s_automatic);
        var ended = await staff.EndEngagementAsync(new EndEngagementRequest { Name = name, EndDate = Day(2026, 2, 1), NoticeWaiverReason = "By mutual consent." });
        Assert.Equal((EngagementState.Active, Day(2026, 2, 1)), (ended.State, ended.EndDate));
    }

    [Fact]
    public async Task By_signature_the_next_term_is_signed_and_unsigned_it_ends_and_frees_the_capacity()
    {
        var agency = await platform.NewAgency();
        var staff = await agency.As(Role.Operations);
        var name = await Active(agency, new TermRules { InitialMonths = 3, Renewal = TermRules.Types.Renewal.BySignature, RenewalMonths = 3 });
        var approver = (await agency.As(Role.ClientApprover, client: "acme")).Service<EngagementsService.EngagementsServiceClient>();
        Assert.Equal([(Day(2026, 4, 5), DueKind.RenewalToSign)], await Due(agency));

        Assert.Equal(Reasons.NotADecisionMaker, (await Refused.By(approver.SignRenewalAsync(new SignRenewalRequest { Name = name, PersonId = "nobody" }))).Reason);
        var signed = await approver.SignRenewalAsync(new SignRenewalRequest { Name = name, PersonId = "ceo", Renewal = 1 });
        Assert.Equal((1, Day(2026, 7, 5)), (signed.TermStatus.Renewals, signed.TermStatus.EndDate));
        Assert.Equal(Reasons.RenewalNotOpen, (await Refused.By(approver.SignRenewalAsync(new SignRenewalRequest { Name = name, PersonId = "ceo" }))).Reason);

        await agency.AdvanceTo(new DateTime(2026, 7, 6, 12, 0, 0, DateTimeKind.Utc));
        var over = await staff.Service<EngagementsService.EngagementsServiceClient>().GetEngagementAsync(new GetEngagementRequest { Name = name });
        Assert.Equal((EngagementState.Ended, Day(2026, 7, 5), 6), (over.State, over.EndDate, over.TenureMonths));
        var booking = await staff.Service<CapacityService.CapacityServiceClient>().GetBookingAsync(new GetBookingRequest { Name = over.Members[0].Booking });
        Assert.Equal(Day(2026, 7, 5), booking.Steps.Single().EndDate);
    }

    [Fact]
    public async Task Without_a_renewal_the_end_date_is_filled_in_and_bad_terms_are_refused_with_every_bad_field()
    {
        var agency = await platform.NewAgency();
        await Client(agency);
        var staff = (await agency.As(Role.Operations)).Service<EngagementsService.EngagementsServiceClient>();
        var draft = await staff.CreateEngagementAsync(new CreateEngagementRequest
        {
            Parent = agency.Name,
            Engagement = Draft(agency, new TermRules { InitialMonths = 6, Renewal = TermRules.Types.Renewal.None }, Day(2026, 7, 5)),
        });
        Assert.Equal(Day(2026, 7, 5), draft.EndDate);
        var bad = Draft(agency, new TermRules { InitialMonths = 6, Renewal = TermRules.Types.Renewal.Automatic, RenewalMonths = 121, NoticeDays = -1 }, Day(2026, 7, 5));
        bad.EndDate = Day(2026, 7, 5);
        var error = await Refused.By(staff.CreateEngagementAsync(new CreateEngagementRequest { Parent = agency.Name, Engagement = bad }));
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        foreach (var field in new[] { "engagement.term.renewal_months", "engagement.term.notice_days", "engagement.end_date" })
        {
            Assert.Contains(field + ":", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task What_falls_due_is_listed_by_date_kind_and_client_page_by_page()
    {
        var agency = await platform.NewAgency();
        var staff = (await agency.As(Role.Operations)).Service<EngagementsService.EngagementsServiceClient>();
        var name = await Active(agency, s_automatic);
        var proposed = await staff.CreateEngagementAsync(new CreateEngagementRequest { Parent = agency.Name, Engagement = Draft(agency, s_automatic, null) });
        var expires = Timestamp.FromDateTime(new DateTime(2026, 1, 20, 12, 0, 0, DateTimeKind.Utc));
        await staff.ProposeEngagementAsync(new ProposeEngagementRequest { Name = proposed.Name, ExpireTime = expires });
        await staff.RequestAgreementAsync(new RequestAgreementRequest { Name = proposed.Name, Cmos = { $"{agency.Name}/cmos/ada" }, ExpireTime = Timestamp.FromDateTime(new DateTime(2026, 1, 12, 12, 0, 0, DateTimeKind.Utc)) });

        var first = await staff.ListDueAsync(new ListDueRequest { Parent = agency.Name, PageSize = 2 });
        Assert.Equal([(proposed.Name, DueKind.AgreementExpires), (proposed.Name, DueKind.ProposalExpires)], first.Items.Select(i => (i.Engagement, i.Kind)));
        var second = await staff.ListDueAsync(new ListDueRequest { Parent = agency.Name, PageSize = 2, PageToken = first.NextPageToken });
        Assert.Equal([(name, DueKind.LastNotice), (name, DueKind.Renewal)], second.Items.Select(i => (i.Engagement, i.Kind)));
        Assert.Equal("", second.NextPageToken);
        Assert.Equal(name, (await staff.ListDueAsync(new ListDueRequest { Parent = agency.Name, Kind = DueKind.Renewal })).Items.Single().Engagement);
        Assert.Equal(2, (await staff.ListDueAsync(new ListDueRequest { Parent = agency.Name, EndDate = Day(2026, 2, 1) })).Items.Count);
        Assert.Empty((await staff.ListDueAsync(new ListDueRequest { Parent = agency.Name, StartDate = Day(2026, 7, 6) })).Items);
        Assert.Empty((await staff.ListDueAsync(new ListDueRequest { Parent = agency.Name, ClientCompany = $"{agency.Name}/clientCompanies/other" })).Items);

        // What is past is not due any more, unless it is asked for.
        await agency.AdvanceTo(new DateTime(2026, 6, 7, 12, 0, 0, DateTimeKind.Utc));
        Assert.Equal([DueKind.Renewal], (await staff.ListDueAsync(new ListDueRequest { Parent = agency.Name })).Items.Select(i => i.Kind));
        Assert.Equal(2, (await staff.ListDueAsync(new ListDueRequest { Parent = agency.Name, StartDate = Day(2026, 1, 1) })).Items.Count);
    }

    private static async Task<(Date, DueKind)[]> Due(TestAgency agency) =>
        [.. (await (await agency.As(Role.Operations)).Service<EngagementsService.EngagementsServiceClient>().ListDueAsync(new ListDueRequest { Parent = agency.Name })).Items.Select(i => (i.Date, i.Kind))];

    private static async Task<AgencyPlatformClient> Client(TestAgency agency)
    {
        var staff = await agency.As(Role.Operations);
        var clients = staff.Service<ClientsService.ClientsServiceClient>();
        var acme = await clients.CreateClientCompanyAsync(new CreateClientCompanyRequest
        {
            Parent = agency.Name,
            ClientCompanyId = "acme",
            ClientCompany = new ClientCompany { DisplayName = "Acme", TimeZone = "America/New_York", Billing = new BillingDetails { PaymentTermDays = 30 } },
        });
        await clients.PutStakeholderAsync(new PutStakeholderRequest { Name = acme.Name, Stakeholder = new Stakeholder { PersonId = "ceo", DisplayName = "Carla", DecisionMaker = true } });
        await ActiveEngagement.CreateCmo(agency, "ada");
        return staff;
    }

    private static async Task<string> Active(TestAgency agency, TermRules term)
    {
        var engagements = (await Client(agency)).Service<EngagementsService.EngagementsServiceClient>();
        var name = (await engagements.CreateEngagementAsync(new CreateEngagementRequest { Parent = agency.Name, EngagementId = "launch", Engagement = Draft(agency, term, null) })).Name;
        await engagements.ProposeEngagementAsync(new ProposeEngagementRequest { Name = name });
        await engagements.SignEngagementAsync(new SignEngagementRequest { Name = name, PersonId = "ceo" });
        Assert.Equal(EngagementState.Active, (await engagements.ActivateEngagementAsync(new ActivateEngagementRequest { Name = name })).State);
        return name;
    }

    /// <summary>From Monday, 5 January 2026.</summary>
    private static Engagement Draft(TestAgency agency, TermRules term, Date? stepEnd) => new()
    {
        ClientCompany = $"{agency.Name}/clientCompanies/acme",
        Title = "Launch",
        ServiceType = ServiceType.FractionalCmo,
        Lead = $"{agency.Name}/cmos/ada",
        StartDate = ActiveEngagement.Monday,
        Term = term,
        Members =
        {
            new Member
            {
                Cmo = $"{agency.Name}/cmos/ada",
                CmoAgreementWaived = true,
                Steps = { new BookingStep { StartDate = ActiveEngagement.Monday, EndDate = stepEnd, Flexible = new FlexibleForm { WeeklyMinutes = 60 } } },
            },
        },
        Terms =
        {
            new Terms
            {
                Seller = $"{agency.Name}/legalEntities/main",
                Currency = "USD",
                BillCycleDay = 1,
                Retainer = new RetainerTerms { Fee = new Money { MinorUnits = 100_000, Currency = "USD" }, IncludedMinutes = 240 },
            },
        },
    };

    private static Date Day(int year, int month, int day) => new() { Year = year, Month = month, Day = day };
}
