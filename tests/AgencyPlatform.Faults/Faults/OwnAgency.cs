using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Cmos.V1;
using Date = Google.Type.Date;

namespace AgencyPlatform.Faults;

/// <summary>An agency of a fault's own, beside those of the load: an administrator's key, a client company, a CMO.</summary>
internal sealed record OwnAgency(string Name, string Key)
{
    public string Id => Name["agencies/".Length..];

    public string ClientCompany => $"{Name}/clientCompanies/client";

    public string Cmo => $"{Name}/cmos/jane";

    public static async Task<OwnAgency> Make(Cluster cluster, string id)
    {
        using var platform = new AgencyPlatformClient(new() { Address = cluster.Addresses.First(), ApiKey = "apo_development" });
        var agency = await platform.Agencies.CreateAgencyAsync(new CreateAgencyRequest
        {
            AgencyId = id,
            Agency = new() { DisplayName = id, TimeZone = "America/New_York", DefaultCurrency = "USD" },
            LegalEntities = { new LegalEntity { Name = "us", LegalName = "Agency LLC", Country = "US", TimeZone = "America/New_York", Currency = "USD" } },
        });
        var key = await platform.Agencies.CreateApiKeyAsync(new CreateApiKeyRequest { Parent = agency.Name, ApiKey = new ApiKey { DisplayName = "Fault", Roles = { Role.AgencyAdmin } } });
        var own = new OwnAgency(agency.Name, key.Key);
        using var client = own.Client(cluster.Addresses.First());
        await client.Clients.CreateClientCompanyAsync(new CreateClientCompanyRequest
        {
            Parent = own.Name,
            ClientCompanyId = "client",
            ClientCompany = new ClientCompany { DisplayName = "Client", TimeZone = "America/New_York" },
        });
        await client.Cmos.CreateCmoAsync(new CreateCmoRequest
        {
            Parent = own.Name,
            CmoId = "jane",
            Cmo = new Cmo
            {
                DisplayName = "Jane",
                Role = "CMO",
                TimeZone = "America/New_York",
                MaxClients = 5,
                WorkingPatterns = { new WorkingPattern { EffectiveDate = Monday(weeks: 1), MondayMinutes = 480, TuesdayMinutes = 480 } },
            },
        });
        return own;
    }

    /// <summary>The Monday after today, and so many weeks later.</summary>
    public static Date Monday(int weeks)
    {
        var today = TimeProvider.System.GetUtcNow().Date;
        var monday = today.AddDays(7 - ((int)today.DayOfWeek + 6) % 7 + 7 * weeks);
        return new Date { Year = monday.Year, Month = monday.Month, Day = monday.Day };
    }

    /// <summary>A client of the agency at one gateway.</summary>
    /// <param name="retries">0: every answer is seen as it came.</param>
    public AgencyPlatformClient Client(Uri address, int retries = 5) => new(new() { Address = address, ApiKey = Key, Retries = retries });
}
