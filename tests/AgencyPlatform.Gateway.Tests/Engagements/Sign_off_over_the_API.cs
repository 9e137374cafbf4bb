using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Cmos.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Date = Google.Type.Date;
using Money = AgencyPlatform.Protocol.Type.V1.Money;
using Reasons = AgencyPlatform.Domain.Reasons;

namespace AgencyPlatform.Gateway.Tests.Engagements;

/// <summary>The way to an agreed engagement over the public API. The sandbox's clock stands on Monday, 5 January 2026.</summary>
[Collection(PlatformFixture.Collection)]
public sealed class Sign_off_over_the_API(PlatformFixture platform)
{
    private static readonly Date s_start = new() { Year = 2026, Month = 3, Day = 2 };
    private static readonly Date s_end = new() { Year = 2027, Month = 3, Day = 1 };

    [Fact]
    public async Task Two_of_three_sign_above_5000_a_month_one_of_them_by_a_delegate()
    {
        var (agency, acme) = await Prepared();
        var staff = await agency.As(Role.Operations);
        var approver = await agency.As(Role.ClientApprover, client: "acme");
        var engagements = staff.Service<EngagementsService.EngagementsServiceClient>();
        var theirs = approver.Service<EngagementsService.EngagementsServiceClient>();
        var company = await staff.Service<ClientsService.ClientsServiceClient>().SetSignOffRulesAsync(new SetSignOffRulesRequest { Name = acme, Rules = { Rule() } });
        Assert.Equal(Rule(), company.SignOffRules.Single());

        var name = (await engagements.CreateEngagementAsync(new CreateEngagementRequest { Parent = agency.Name, EngagementId = "launch", Engagement = Draft(agency, 800_000) })).Name;
        var proposed = await engagements.ProposeEngagementAsync(new ProposeEngagementRequest { Name = name });
        Assert.Equal((2, 0, 800_000), (proposed.SignOff.Needed, proposed.SignOff.Signed, proposed.SignOff.MonthlyAmount.MinorUnits));

        var intern = await Refused.By(theirs.SignEngagementAsync(new SignEngagementRequest { Name = name, PersonId = "assistant" }));
        Assert.Equal((StatusCode.FailedPrecondition, Reasons.NotADecisionMaker), (intern.StatusCode, intern.Reason));
        Assert.Equal(EngagementState.Proposed, (await theirs.SignEngagementAsync(new SignEngagementRequest { Name = name, PersonId = "ceo", Revision = 1 })).State);
        Assert.Single((await theirs.SignEngagementAsync(new SignEngagementRequest { Name = name, PersonId = "ceo", Revision = 1 })).Signatures);

        var undelegated = await Refused.By(theirs.SignEngagementAsync(new SignEngagementRequest { Name = name, PersonId = "board", SignedBy = "assistant" }));
        Assert.Equal(Reasons.NotDelegated, undelegated.Reason);
        var away = new DelegateSignOffRequest { Name = acme, PersonId = "board", DelegateId = "assistant", StartDate = Day(1, 5), EndDate = Day(1, 6) };
        Assert.Equal("assistant", (await approver.Service<ClientsService.ClientsServiceClient>().DelegateSignOffAsync(away)).Delegations.Single().DelegateId);
        var signed = await theirs.SignEngagementAsync(new SignEngagementRequest { Name = name, PersonId = "board", SignedBy = "assistant" });
        Assert.Equal((EngagementState.Accepted, "assistant", 2), (signed.State, signed.Signatures.Single(s => s.PersonId == "board").SignedBy, signed.SignOff.Signed));
    }

    [Fact]
    public async Task A_awayoutside_the_dates_or_of_a_revoked_delegation_does_not_sign()
    {
        var (agency, acme) = await Prepared();
        var staff = await agency.As(Role.Operations);
        var clients = staff.Service<ClientsService.ClientsServiceClient>();
        var engagements = staff.Service<EngagementsService.EngagementsServiceClient>();
        var name = (await engagements.CreateEngagementAsync(new CreateEngagementRequest { Parent = agency.Name, Engagement = Draft(agency, 1) })).Name;
        await engagements.ProposeEngagementAsync(new ProposeEngagementRequest { Name = name });
        await clients.DelegateSignOffAsync(new DelegateSignOffRequest { Name = acme, PersonId = "ceo", DelegateId = "assistant", StartDate = Day(1, 6), EndDate = Day(1, 8) });
        var sign = new SignEngagementRequest { Name = name, PersonId = "ceo", SignedBy = "assistant" };
        Assert.Equal(Reasons.NotDelegated, (await Refused.By(engagements.SignEngagementAsync(sign))).Reason);

        var overlap = await Refused.By(clients.DelegateSignOffAsync(new DelegateSignOffRequest { Name = acme, PersonId = "ceo", DelegateId = "vp", StartDate = Day(1, 7), EndDate = Day(1, 9) }));
        Assert.Equal(Reasons.DelegationOverlaps, overlap.Reason);
        await agency.AdvanceTo(new DateTime(2026, 1, 6, 12, 0, 0, DateTimeKind.Utc));
        await clients.RevokeDelegationAsync(new RevokeDelegationRequest { Name = acme, PersonId = "ceo", StartDate = Day(1, 6) });
        Assert.Equal(Reasons.NotDelegated, (await Refused.By(engagements.SignEngagementAsync(sign))).Reason);
        Assert.Equal(StatusCode.NotFound, (await Refused.By(clients.RevokeDelegationAsync(new RevokeDelegationRequest { Name = acme, PersonId = "ceo", StartDate = Day(1, 6) }))).StatusCode);
    }

    [Fact]
    public async Task A_new_revision_voids_the_signatures_and_says_what_changed()
    {
        var (agency, _) = await Prepared();
        var staff = (await agency.As(Role.Operations)).Service<EngagementsService.EngagementsServiceClient>();
        var approver = (await agency.As(Role.ClientApprover, client: "acme")).Service<EngagementsService.EngagementsServiceClient>();
        var draft = Draft(agency, 1);
        draft.SignaturesNeeded = 2;
        var name = (await staff.CreateEngagementAsync(new CreateEngagementRequest { Parent = agency.Name, Engagement = draft })).Name;
        await staff.ProposeEngagementAsync(new ProposeEngagementRequest { Name = name });
        await approver.SignEngagementAsync(new SignEngagementRequest { Name = name, PersonId = "ceo", Revision = 1 });
        var commented = await approver.CommentOnEngagementAsync(new CommentOnEngagementRequest { Name = name, PersonId = "vp", Text = "Call it relaunch." });
        Assert.Equal(("Vic", "Call it relaunch.", 1), (commented.Comments.Single().DisplayName, commented.Comments.Single().Text, commented.Comments.Single().Revision));

        await staff.ReviseEngagementAsync(new ReviseEngagementRequest { Name = name });
        await staff.UpdateEngagementAsync(new UpdateEngagementRequest { Engagement = new Engagement { Name = name, Title = "Relaunch" } });
        var again = await staff.ProposeEngagementAsync(new ProposeEngagementRequest { Name = name });
        Assert.Empty(again.Signatures);
        Assert.Equal(new FieldChange { Field = "title", Before = "Launch", After = "Relaunch" }, again.Changes.Single());
        Assert.Single(again.Comments);
        Assert.Equal(Reasons.RevisionChanged, (await Refused.By(approver.SignEngagementAsync(new SignEngagementRequest { Name = name, PersonId = "ceo", Revision = 1 }))).Reason);
        Assert.Equal(EngagementState.Proposed, (await approver.SignEngagementAsync(new SignEngagementRequest { Name = name, PersonId = "ceo", Revision = 2 })).State);
        var declined = await approver.DeclineEngagementAsync(new DeclineEngagementRequest { Name = name, PersonId = "vp", Revision = 2, Reason = "Too late." });
        Assert.Equal(EngagementState.Declined, declined.State);
        Assert.Equal(Reasons.MoveNotAllowed, (await Refused.By(approver.SignEngagementAsync(new SignEngagementRequest { Name = name, PersonId = "vp" }))).Reason);
    }

    [Theory]
    [InlineData(HoldsAtProposalEnd.Free, 0)]
    [InlineData(HoldsAtProposalEnd.Keep, 1)]
    [InlineData(HoldsAtProposalEnd.Unspecified, 1)]
    public async Task A_proposal_that_lapses_frees_its_holds_or_keeps_them_as_asked(HoldsAtProposalEnd what, int left)
    {
        var (agency, acme) = await Prepared();
        var client = await agency.As(Role.Operations);
        var (staff, capacity) = (client.Service<EngagementsService.EngagementsServiceClient>(), client.Service<CapacityService.CapacityServiceClient>());
        var hold = await capacity.HoldBookingAsync(new HoldBookingRequest
        {
            Parent = $"{agency.Name}/cmos/ada",
            BookingId = "slot",
            Booking = new Booking { ClientCompany = acme, Steps = { Weekly() } },
            Expiry = Duration.FromTimeSpan(TimeSpan.FromDays(30)),
        });
        var draft = Draft(agency, 1);
        draft.Members[0].Steps.Clear();
        draft.Members[0].Hold = hold.Name;
        var name = (await staff.CreateEngagementAsync(new CreateEngagementRequest { Parent = agency.Name, Engagement = draft })).Name;
        await staff.ProposeEngagementAsync(new ProposeEngagementRequest { Name = name, ExpireTime = At(1, 12), HoldsAtProposalEnd = what });
        await agency.AdvanceTo(new DateTime(2026, 1, 13, 12, 0, 0, DateTimeKind.Utc));
        Assert.Equal(EngagementState.Expired, (await staff.GetEngagementAsync(new GetEngagementRequest { Name = name })).State);
        Assert.Equal(left, (await capacity.ListBookingsAsync(new ListBookingsRequest { Parent = $"{agency.Name}/cmos/ada" })).Bookings.Count);
    }

    [Fact]
    public async Task A_CMO_is_asked_does_not_answer_is_asked_again_declines_and_may_waive_it_for_good()
    {
        var (agency, _) = await Prepared();
        var client = await agency.As(Role.Operations);
        var staff = client.Service<EngagementsService.EngagementsServiceClient>();
        var ada = (await agency.As(Role.Cmo, cmo: "ada")).Service<EngagementsService.EngagementsServiceClient>();
        var viewer = (await agency.As(Role.ClientViewer, client: "acme")).Service<EngagementsService.EngagementsServiceClient>();
        var cmo = $"{agency.Name}/cmos/ada";
        var name = (await staff.CreateEngagementAsync(new CreateEngagementRequest { Parent = agency.Name, Engagement = Draft(agency, 1) })).Name;
        await staff.ProposeEngagementAsync(new ProposeEngagementRequest { Name = name });
        await staff.SignEngagementAsync(new SignEngagementRequest { Name = name, PersonId = "ceo" });

        var asked = await staff.RequestAgreementAsync(new RequestAgreementRequest { Name = name, ExpireTime = At(1, 8) });
        Assert.Equal((AgreementState.Asked, At(1, 8)), (asked.Members[0].AgreementState, asked.Members[0].AgreementExpireTime));
        await agency.AdvanceTo(new DateTime(2026, 1, 9, 12, 0, 0, DateTimeKind.Utc));
        Assert.Equal(AgreementState.Lapsed, (await staff.GetEngagementAsync(new GetEngagementRequest { Name = name })).Members[0].AgreementState);
        Assert.Equal(Reasons.AgreementClosed, (await Refused.By(ada.AgreeToEngagementAsync(new AgreeToEngagementRequest { Name = name, Cmo = cmo }))).Reason);

        await staff.RequestAgreementAsync(new RequestAgreementRequest { Name = name, Cmos = { cmo } });
        var declined = await ada.DeclineAgreementAsync(new DeclineAgreementRequest { Name = name, Cmo = cmo, Reason = "A clash." });
        Assert.Equal((AgreementState.Declined, "A clash."), (declined.Members[0].AgreementState, declined.Members[0].AgreementDeclineReason));
        Assert.Equal("", (await viewer.GetEngagementAsync(new GetEngagementRequest { Name = name })).Members[0].AgreementDeclineReason);
        Assert.Equal(Reasons.AgreementMissing, (await Refused.By(staff.ActivateEngagementAsync(new ActivateEngagementRequest { Name = name }))).Reason);

        var changed = await client.Service<CmosService.CmosServiceClient>().UpdateCmoAsync(new UpdateCmoRequest { Cmo = new Cmo { Name = cmo, WaivesAgreement = true } });
        Assert.True(changed.Cmo.WaivesAgreement);
        Assert.Equal(EngagementState.Active, (await staff.ActivateEngagementAsync(new ActivateEngagementRequest { Name = name })).State);
    }

    [Fact]
    public async Task Bad_rules_are_answered_with_every_bad_field_at_once()
    {
        var (agency, acme) = await Prepared();
        var rule = Rule();
        rule.Subject = SignOffSubject.Unspecified;
        rule.Currency = "EURO";
        rule.Bands[0].Needed = 0;
        rule.Bands[1].Signers[0] = "Not An Id";
        rule.Bands[1].BelowMinorUnits = 5;
        var error = await Refused.By((await agency.As(Role.Operations)).Service<ClientsService.ClientsServiceClient>().SetSignOffRulesAsync(new SetSignOffRulesRequest { Name = acme, Rules = { rule } }));
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        foreach (var field in new[] { "rules[0].subject", "rules[0].currency", "rules[0].bands[0].needed", "rules[0].bands[1].signers[0]", "rules[0].bands[1].below_minor_units" })
        {
            Assert.Contains(field + ":", error.Message, StringComparison.Ordinal);
        }
    }

    /// <summary>Any 1 below $5,000 a month, else 2 of 3.</summary>
    private static SignOffRule Rule() => new()
    {
        Subject = SignOffSubject.Proposal,
        Currency = "USD",
        Bands = { new SignOffBand { BelowMinorUnits = 500_000, Needed = 1 }, new SignOffBand { Needed = 2, Signers = { "board", "ceo", "vp" } } },
    };

    private async Task<(TestAgency Agency, string Acme)> Prepared()
    {
        var agency = await platform.NewAgency();
        var clients = (await agency.As(Role.Operations)).Service<ClientsService.ClientsServiceClient>();
        var acme = await clients.CreateClientCompanyAsync(new CreateClientCompanyRequest
        {
            Parent = agency.Name,
            ClientCompanyId = "acme",
            ClientCompany = new ClientCompany { DisplayName = "Acme", TimeZone = "America/New_York", Billing = new BillingDetails { PaymentTermDays = 30 } },
        });
        foreach (var (id, display, decides) in new[] { ("ceo", "Carla", true), ("vp", "Vic", true), ("board", "Bea", true), ("assistant", "Al", false) })
        {
            await clients.PutStakeholderAsync(new PutStakeholderRequest
            {
                Name = acme.Name,
                Stakeholder = new Stakeholder { PersonId = id, DisplayName = display, Title = id, DecisionMaker = decides },
            });
        }

        await ActiveEngagement.CreateCmo(agency, "ada");
        return (agency, acme.Name);
    }

    private static Engagement Draft(TestAgency agency, long fee) => new()
    {
        ClientCompany = $"{agency.Name}/clientCompanies/acme",
        Title = "Launch",
        ServiceType = ServiceType.FractionalCmo,
        Lead = $"{agency.Name}/cmos/ada",
        StartDate = s_start,
        EndDate = s_end,
        Members = { new Member { Cmo = $"{agency.Name}/cmos/ada", Role = "lead", Steps = { Weekly() } } },
        Terms =
        {
            new Terms
            {
                Seller = $"{agency.Name}/legalEntities/main",
                Currency = "USD",
                BillCycleDay = 1,
                Retainer = new RetainerTerms { Fee = new Money { MinorUnits = fee, Currency = "USD" }, IncludedMinutes = 2_400 },
            },
        },
    };

    private static BookingStep Weekly() => new() { StartDate = s_start, EndDate = s_end, Flexible = new FlexibleForm { WeeklyMinutes = 600 } };

    private static Date Day(int month, int day) => new() { Year = 2026, Month = month, Day = day };

    private static Timestamp At(int month, int day) => Timestamp.FromDateTimeOffset(new DateTimeOffset(2026, month, day, 12, 0, 0, TimeSpan.Zero));
}
