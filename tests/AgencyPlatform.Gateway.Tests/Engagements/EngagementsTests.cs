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

/// <summary>Engagements over the public API: the whole life, and what is refused.</summary>
[Collection(PlatformFixture.Collection)]
public sealed class EngagementsTests(PlatformFixture platform)
{
    private static readonly Date s_start = new() { Year = 2026, Month = 3, Day = 2 };
    private static readonly Date s_end = new() { Year = 2027, Month = 3, Day = 1 };

    [Fact]
    public async Task An_engagement_lives_from_its_draft_to_its_end()
    {
        var agency = await Prepared();
        var staff = (await agency.As(Role.Operations)).Service<EngagementsService.EngagementsServiceClient>();
        var approver = (await agency.As(Role.ClientApprover, client: "acme")).Service<EngagementsService.EngagementsServiceClient>();
        var viewer = (await agency.As(Role.ClientViewer, client: "acme")).Service<EngagementsService.EngagementsServiceClient>();
        var ada = (await agency.As(Role.Cmo, cmo: "ada")).Service<EngagementsService.EngagementsServiceClient>();
        var name = $"{agency.Name}/engagements/launch";

        var draft = await staff.CreateEngagementAsync(new CreateEngagementRequest { Parent = agency.Name, EngagementId = "launch", Engagement = Draft(agency) });
        Assert.Equal((name, EngagementState.Draft, 1), (draft.Name, draft.State, draft.SignaturesNeeded));
        Assert.Equal("launch-1", draft.ExternalIds["crm"]);

        var renamed = await staff.UpdateEngagementAsync(new UpdateEngagementRequest { Engagement = new Engagement { Name = name, Title = "Relaunch", Etag = draft.Etag } });
        Assert.Equal(("Relaunch", 600), (renamed.Title, renamed.Members[0].Steps[0].Flexible.WeeklyMinutes));
        var stale = await Refused.By(staff.UpdateEngagementAsync(new UpdateEngagementRequest { Engagement = new Engagement { Name = name, Title = "Late", Etag = draft.Etag } }));
        Assert.Equal(StatusCode.Aborted, stale.StatusCode);

        Assert.Equal(EngagementState.Proposed, (await staff.ProposeEngagementAsync(new ProposeEngagementRequest { Name = name })).State);
        var early = await Refused.By(staff.ActivateEngagementAsync(new ActivateEngagementRequest { Name = name }));
        Assert.Equal((StatusCode.FailedPrecondition, Reasons.MoveNotAllowed), (early.StatusCode, early.Reason));

        var signed = await approver.SignEngagementAsync(new SignEngagementRequest { Name = name, PersonId = "ceo", Revision = 1 });
        Assert.Equal((EngagementState.Accepted, "Carla Chief"), (signed.State, signed.Signatures.Single().DisplayName));
        Assert.NotNull((await ada.AgreeToEngagementAsync(new AgreeToEngagementRequest { Name = name, Cmo = $"{agency.Name}/cmos/ada", Revision = 1 })).Members[0].AgreeTime);

        var request = new ActivateEngagementRequest { Name = name, RequestId = Guid.CreateVersion7().ToString() };
        var active = await staff.ActivateEngagementAsync(request);
        Assert.Equal((EngagementState.Active, $"{agency.Name}/cmos/ada/bookings/launch-ada"), (active.State, active.Members[0].Booking));
        Assert.Equal(active, await staff.ActivateEngagementAsync(request));

        Assert.Equal("Relaunch", (await viewer.GetEngagementAsync(new GetEngagementRequest { Name = name })).Title);
        Assert.Single((await staff.ListEngagementsAsync(new ListEngagementsRequest { Parent = agency.Name, ClientCompany = $"{agency.Name}/clientCompanies/acme", State = EngagementState.Active })).Engagements);
        Assert.Single((await ada.ListEngagementsAsync(new ListEngagementsRequest { Parent = agency.Name })).Engagements);
        Assert.Single((await staff.ListEngagementsAsync(new ListEngagementsRequest { Parent = agency.Name, ExternalSystem = "crm", ExternalId = "launch-1" })).Engagements);
        Assert.Empty((await staff.ListEngagementsAsync(new ListEngagementsRequest { Parent = agency.Name, State = EngagementState.Draft })).Engagements);

        var ended = await staff.EndEngagementAsync(new EndEngagementRequest { Name = name, EndDate = new Date { Year = 2026, Month = 6, Day = 1 } });
        Assert.Equal((EngagementState.Active, 6), (ended.State, ended.EndDate.Month));
        var capacity = (await agency.As(Role.Operations)).Service<CapacityService.CapacityServiceClient>();
        var booking = await capacity.GetBookingAsync(new GetBookingRequest { Name = active.Members[0].Booking });
        Assert.Equal((Booking.Types.State.Confirmed, name, ended.EndDate), (booking.State, booking.Owner, booking.Steps.Single().EndDate));
        var theirs = await Refused.By(capacity.ReleaseBookingAsync(new ReleaseBookingRequest { Name = booking.Name }));
        Assert.Equal(Reasons.OwnedByEngagement, theirs.Reason);
    }

    [Fact]
    public async Task Another_companys_or_cmos_key_does_not_see_it()
    {
        var agency = await Prepared();
        var staff = (await agency.As(Role.Operations)).Service<EngagementsService.EngagementsServiceClient>();
        var draft = await staff.CreateEngagementAsync(new CreateEngagementRequest { Parent = agency.Name, EngagementId = "launch", Engagement = Draft(agency) });
        foreach (var other in new[] { await agency.As(Role.ClientViewer, client: "other"), await agency.As(Role.Cmo, cmo: "bob") })
        {
            var engagements = other.Service<EngagementsService.EngagementsServiceClient>();
            Assert.Equal(StatusCode.NotFound, (await Refused.By(engagements.GetEngagementAsync(new GetEngagementRequest { Name = draft.Name }))).StatusCode);
            Assert.Empty((await engagements.ListEngagementsAsync(new ListEngagementsRequest { Parent = agency.Name })).Engagements);
        }
    }

    [Fact]
    public async Task Bad_input_is_answered_with_every_bad_field_at_once()
    {
        var agency = await Prepared();
        var staff = (await agency.As(Role.Operations)).Service<EngagementsService.EngagementsServiceClient>();
        var bad = Draft(agency);
        bad.Title = "";
        bad.ServiceType = ServiceType.Unspecified;
        bad.EndDate = s_start;
        bad.SignaturesNeeded = 21;
        bad.Lead = $"{agency.Name}/cmos/bob";
        bad.Members[0].Steps[0].Flexible.WeeklyMinutes = 0;
        bad.Terms[0].Currency = "EURO";
        bad.Terms[0].BillCycleDay = 32;
        var error = await Refused.By(staff.CreateEngagementAsync(new CreateEngagementRequest { Parent = agency.Name, EngagementId = "Bad Id", Engagement = bad }));
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        foreach (var field in new[]
                 {
                     "engagement_id", "engagement.title", "engagement.service_type", "engagement.end_date", "engagement.signatures_needed", "engagement.lead",
                     "engagement.members[0].steps[0].flexible.weekly_minutes", "engagement.terms[0].currency", "engagement.terms[0].bill_cycle_day",
                 })
        {
            Assert.Contains(field + ":", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task An_activation_that_clashes_is_refused_with_the_reason_and_changes_nothing()
    {
        var agency = await Prepared();
        var client = await agency.As(Role.Operations);
        var staff = client.Service<EngagementsService.EngagementsServiceClient>();
        var capacity = client.Service<CapacityService.CapacityServiceClient>();
        var engagement = Draft(agency);
        engagement.Members[0].CmoAgreementWaived = true;
        engagement.Members.Add(new Member { Cmo = $"{agency.Name}/cmos/bob", CmoAgreementWaived = true, Steps = { Weekly(600) } });
        var draft = await staff.CreateEngagementAsync(new CreateEngagementRequest { Parent = agency.Name, EngagementId = "launch", Engagement = engagement });
        await staff.ProposeEngagementAsync(new ProposeEngagementRequest { Name = draft.Name });
        await staff.SignEngagementAsync(new SignEngagementRequest { Name = draft.Name, PersonId = "ceo" });
        await capacity.BookAsync(new BookRequest
        {
            Parent = $"{agency.Name}/cmos/bob",
            BookingId = "full",
            Booking = new Booking { ClientCompany = $"{agency.Name}/clientCompanies/other", Steps = { Weekly(1_800) } },
        });

        var request = new ActivateEngagementRequest { Name = draft.Name, RequestId = Guid.CreateVersion7().ToString() };
        var refused = await Refused.By(staff.ActivateEngagementAsync(request));
        Assert.Equal((StatusCode.FailedPrecondition, Reasons.CapacityExceeded), (refused.StatusCode, refused.Reason));
        Assert.Equal(refused.Message, (await Refused.By(staff.ActivateEngagementAsync(request))).Message);
        Assert.Equal(EngagementState.Accepted, (await staff.GetEngagementAsync(new GetEngagementRequest { Name = draft.Name })).State);
        Assert.Empty((await capacity.ListBookingsAsync(new ListBookingsRequest { Parent = $"{agency.Name}/cmos/ada" })).Bookings);

        await capacity.ReleaseBookingAsync(new ReleaseBookingRequest { Name = $"{agency.Name}/cmos/bob/bookings/full" });
        Assert.Equal(EngagementState.Active, (await staff.ActivateEngagementAsync(new ActivateEngagementRequest { Name = draft.Name })).State);
    }

    [Fact]
    public async Task A_proposal_expires_on_a_sandboxs_clock()
    {
        var agency = await Prepared();
        var staff = (await agency.As(Role.Operations)).Service<EngagementsService.EngagementsServiceClient>();
        var draft = await staff.CreateEngagementAsync(new CreateEngagementRequest { Parent = agency.Name, Engagement = Draft(agency) });
        var due = Timestamp.FromDateTimeOffset(new DateTimeOffset(2026, 1, 20, 0, 0, 0, TimeSpan.Zero));
        await staff.ProposeEngagementAsync(new ProposeEngagementRequest { Name = draft.Name, ExpireTime = due });
        await (await agency.Admin()).Agencies.AdvanceClockAsync(new AdvanceClockRequest { Name = agency.Name, To = due });
        Assert.Single((await staff.ListEngagementsAsync(new ListEngagementsRequest { Parent = agency.Name, State = EngagementState.Expired })).Engagements);
    }

    /// <summary>A sandbox agency with two client companies, each with a decision maker, and two CMOs.</summary>
    private async Task<TestAgency> Prepared()
    {
        var agency = await platform.NewAgency();
        var staff = await agency.As(Role.Operations);
        var clients = staff.Service<ClientsService.ClientsServiceClient>();
        foreach (var id in new[] { "acme", "other" })
        {
            var client = await clients.CreateClientCompanyAsync(new CreateClientCompanyRequest
            {
                Parent = agency.Name,
                ClientCompanyId = id,
                ClientCompany = new ClientCompany { DisplayName = id, TimeZone = "America/New_York", Billing = new BillingDetails { PaymentTermDays = 30 } },
            });
            await clients.PutStakeholderAsync(new PutStakeholderRequest
            {
                Name = client.Name,
                Stakeholder = new Stakeholder { PersonId = "ceo", DisplayName = "Carla Chief", Title = "CEO", DecisionMaker = true },
            });
        }

        foreach (var id in new[] { "ada", "bob" })
        {
            await staff.Service<CmosService.CmosServiceClient>().CreateCmoAsync(new CreateCmoRequest
            {
                Parent = agency.Name,
                CmoId = id,
                Cmo = new Cmo
                {
                    DisplayName = id,
                    TimeZone = "America/New_York",
                    MaxClients = 5,
                    WorkingPatterns =
                    {
                        new WorkingPattern
                        {
                            EffectiveDate = new Date { Year = 2026, Month = 1, Day = 1 },
                            MondayMinutes = 480,
                            TuesdayMinutes = 480,
                            WednesdayMinutes = 480,
                            ThursdayMinutes = 480,
                        },
                    },
                },
            });
        }

        return agency;
    }

    private static Engagement Draft(TestAgency agency) => new()
    {
        ClientCompany = $"{agency.Name}/clientCompanies/acme",
        Title = "Launch",
        ServiceType = ServiceType.FractionalCmo,
        Lead = $"{agency.Name}/cmos/ada",
        StartDate = s_start,
        EndDate = s_end,
        ExternalIds = { ["crm"] = "launch-1" },
        Members = { new Member { Cmo = $"{agency.Name}/cmos/ada", Role = "lead", Steps = { Weekly(600) } } },
        Terms =
        {
            new Terms
            {
                Seller = $"{agency.Name}/legalEntities/main",
                Currency = "USD",
                BillCycleDay = 1,
                Retainer = new RetainerTerms { Fee = new Money { MinorUnits = 1_000_000, Currency = "USD" }, IncludedMinutes = 2_400, OverageGate = OverageGate.Bill },
            },
        },
    };

    private static BookingStep Weekly(int minutes) => new() { StartDate = s_start, EndDate = s_end, Flexible = new FlexibleForm { WeeklyMinutes = minutes } };
}
