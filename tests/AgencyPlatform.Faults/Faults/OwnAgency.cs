using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Cmos.V1;
using Google.Type;

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
                WorkingPatterns = { new WorkingPattern { EffectiveDate = new Date { Year = 2027, Month = 1, Day = 4 }, MondayMinutes = 480, TuesdayMinutes = 480 } },
            },
        });
        return own;
    }

    /// <summary>A client of the agency at one gateway.</summary>
    /// <param name="retries">0: every answer is seen as it came.</param>
    public AgencyPlatformClient Client(Uri address, int retries = 5) => new(new() { Address = address, ApiKey = Key, Retries = retries });
}
