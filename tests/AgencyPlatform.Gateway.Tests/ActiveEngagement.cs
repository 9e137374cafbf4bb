using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Cmos.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using Google.Type;
using Money = AgencyPlatform.Protocol.Type.V1.Money;

namespace AgencyPlatform.Gateway.Tests;

/// <summary>An active engagement and all that it needs, made through the public API.</summary>
internal static class ActiveEngagement
{
    /// <summary>Monday 5 January 2026, where the sandbox's clock stands.</summary>
    public static Date Monday { get; } = new() { Year = 2026, Month = 1, Day = 5 };

    /// <summary>By the hour: nothing is ever refused by a meter.</summary>
    public static Terms Hourly(TestAgency agency) => new()
    {
        Seller = agency.Name + "/legalEntities/main",
        Currency = "USD",
        BillCycleDay = 5,
        Hourly = new HourlyTerms { HourlyRate = new Money { MinorUnits = 25_000, Currency = "USD" } },
    };

    /// <summary>An engagement of a CMO for a client from Monday on; gives the admin's client.</summary>
    /// <param name="start">When it began otherwise; it is booked from <paramref name="billingStart"/> on then, and billed.</param>
    public static async Task<AgencyPlatformClient> Create(
        TestAgency agency, Func<TestAgency, Terms> terms, string client = "acme", string cmo = "ada", string engagement = "launch", int weeklyMinutes = 600, BillingDetails? billing = null,
        Date? start = null, Date? billingStart = null)
    {
        var admin = await agency.Admin();
        var clients = admin.Service<ClientsService.ClientsServiceClient>();
        var engagements = admin.Service<EngagementsService.EngagementsServiceClient>();
        await clients.CreateClientCompanyAsync(new CreateClientCompanyRequest
        {
            Parent = agency.Name,
            ClientCompanyId = client,
            ClientCompany = new ClientCompany
            {
                DisplayName = client,
                TimeZone = "America/New_York",
                Billing = billing ?? new BillingDetails { LegalName = "Acme Inc", Country = "US", PaymentTermDays = 30 },
            },
        });
        await clients.PutStakeholderAsync(new PutStakeholderRequest
        {
            Name = $"{agency.Name}/clientCompanies/{client}",
            Stakeholder = new Stakeholder { PersonId = "ceo", DisplayName = "Chief", Title = "CEO", DecisionMaker = true },
        });
        await CreateCmo(agency, cmo);
        var name = $"{agency.Name}/engagements/{engagement}";
        await engagements.CreateEngagementAsync(new CreateEngagementRequest
        {
            Parent = agency.Name,
            EngagementId = engagement,
            Engagement = new Engagement
            {
                ClientCompany = $"{agency.Name}/clientCompanies/{client}",
                Title = "Launch",
                ServiceType = ServiceType.FractionalCmo,
                Lead = $"{agency.Name}/cmos/{cmo}",
                Members =
                {
                    new Member
                    {
                        Cmo = $"{agency.Name}/cmos/{cmo}",
                        Role = "lead",
                        CmoAgreementWaived = true,
                        Steps = { new BookingStep { StartDate = billingStart ?? Monday, Flexible = new FlexibleForm { WeeklyMinutes = weeklyMinutes } } },
                    },
                },
                Terms = { terms(agency) },
                StartDate = start ?? Monday,
                BillingStartDate = billingStart,
                SignaturesNeeded = 1,
            },
        });
        await engagements.ProposeEngagementAsync(new ProposeEngagementRequest { Name = name });
        await engagements.SignEngagementAsync(new SignEngagementRequest { Name = name, PersonId = "ceo" });
        await engagements.ActivateEngagementAsync(new ActivateEngagementRequest { Name = name });
        return admin;
    }

    internal static async Task CreateCmo(TestAgency agency, string cmo)
    {
        var cmos = (await agency.Admin()).Service<CmosService.CmosServiceClient>();
        try
        {
            await cmos.CreateCmoAsync(new CreateCmoRequest
            {
                Parent = agency.Name,
                CmoId = cmo,
                Cmo = new Cmo
                {
                    DisplayName = cmo,
                    Role = "CMO",
                    TimeZone = "America/New_York",
                    MaxClients = 20,
                    WorkingPatterns = { new WorkingPattern { EffectiveDate = new Date { Year = 2025, Month = 1, Day = 1 }, MondayMinutes = 480, TuesdayMinutes = 480 } },
                },
            });
        }
        catch (ApiException e) when (e.StatusCode == Grpc.Core.StatusCode.AlreadyExists)
        {
            // Several engagements share a CMO.
        }
    }
}
