using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Cmos.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using AgencyPlatform.Protocol.Time.V1;
using AgencyPlatform.Protocol.Type.V1;
using Google.Type;
using Grpc.Core;
using Money = AgencyPlatform.Protocol.Type.V1.Money;

namespace AgencyPlatform.Gateway.Tests.Cmos;

[Collection(PlatformFixture.Collection)]
public sealed class CmosTests(PlatformFixture platform)
{
    [Fact]
    public async Task A_CMO_is_found_by_an_external_id_which_is_taken_once()
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();
        await Create("ada", "42");
        await Create("ben", "43");

        var found = await admin.Cmos.ListCmosAsync(new ListCmosRequest { Parent = agency.Name, ExternalSystem = "hr", ExternalId = "43" });
        var none = await admin.Cmos.ListCmosAsync(new ListCmosRequest { Parent = agency.Name, ExternalSystem = "hr", ExternalId = "44" });
        var half = await Refused.By(admin.Cmos.ListCmosAsync(new ListCmosRequest { Parent = agency.Name, ExternalId = "43" }));
        var taken = await Assert.ThrowsAsync<Client.ApiException>(() => Create("cy", "42"));

        Assert.Equal($"{agency.Name}/cmos/ben", Assert.Single(found.Cmos).Name);
        Assert.Empty(none.Cmos);
        Assert.Equal(["external_id"], half.FieldViolations.Select(v => v.Field));
        Assert.Equal(StatusCode.AlreadyExists, taken.StatusCode);
        Assert.Contains("external_id 'hr/42'", taken.Message, StringComparison.Ordinal);

        async Task<Cmo> Create(string id, string external) => await admin.Cmos.CreateCmoAsync(new CreateCmoRequest
        {
            Parent = agency.Name,
            CmoId = id,
            Cmo = new Cmo
            {
                DisplayName = id,
                TimeZone = "Etc/UTC",
                MaxClients = 5,
                ExternalIds = { ["hr"] = external },
                WorkingPatterns = { new WorkingPattern { EffectiveDate = ActiveEngagement.Monday, MondayMinutes = 480 } },
            },
        });
    }

    [Fact]
    public async Task A_read_that_waits_for_a_version_in_vain_speaks_of_no_outcome()
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();

        var error = await Refused.By(admin.Agencies.GetAgencyAsync(new GetAgencyRequest { Name = agency.Name, MinVersion = 999 }));

        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
        Assert.DoesNotContain("request_id", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_CMO_does_not_learn_of_an_engagement_that_another_has()
    {
        var agency = await platform.NewAgency();
        await ActiveEngagement.Create(agency, a => new Terms
        {
            Seller = $"{a.Name}/legalEntities/main",
            Currency = "USD",
            BillCycleDay = 1,
            Hourly = new HourlyTerms { HourlyRate = new Money { MinorUnits = 25_000, Currency = "USD" } },
        });
        await ActiveEngagement.CreateCmo(agency, "eve");
        var eve = await agency.As(Role.Cmo, cmo: "eve");

        var theirs = await Log("launch");
        var nobodys = await Log("nothing");

        Assert.Equal((StatusCode.NotFound, StatusCode.NotFound), (theirs.StatusCode, nobodys.StatusCode));
        Assert.Equal(theirs.Message.Replace("launch", "*", StringComparison.Ordinal), nobodys.Message.Replace("nothing", "*", StringComparison.Ordinal));

        async Task<Client.ApiException> Log(string engagement) => await Refused.By(eve.Time.LogTimeAsync(new LogTimeRequest
        {
            Name = $"{agency.Name}/cmos/eve/timesheets/2026-w02",
            Entries = { new TimeEntry { EntryId = "one", Engagement = $"{agency.Name}/engagements/{engagement}", Date = ActiveEngagement.Monday, Minutes = 60, Category = "strategy" } },
        }));
    }
}
