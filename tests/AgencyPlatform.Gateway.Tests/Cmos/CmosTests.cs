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
    public async Task What_a_CMO_has_led_is_told_in_words_of_one_spelling_and_changed_by_mask()
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();
        var expertise = new Expertise
        {
            GrowthStages = { GrowthStage.Growth, GrowthStage.Early, GrowthStage.Growth },
            HeadcountFrom = 20,
            HeadcountTo = 200,
            Industries = { "retail", "e-commerce", "retail" },
            Specialisms = { "demand-generation" },
            YearsLeading = 12,
            Languages = { "en" },
            HourlyRates = { new Money { MinorUnits = 25_000, Currency = "USD" } },
            WorkModes = { WorkMode.Remote },
            Styles = { "hands-on" },
            NoticeDays = 14,
            Summary = "Retail",
            History = { new Position { Company = "Quay Foods", Title = "CMO", StartDate = ActiveEngagement.Monday } },
            Cases = { new Case { Title = "From shop to web", Industry = "food", GrowthStage = GrowthStage.Scale, Summary = "A brand", Outcome = "Leads doubled" } },
        };
        var made = await admin.Cmos.CreateCmoAsync(new CreateCmoRequest
        {
            Parent = agency.Name,
            CmoId = "ada",
            Cmo = new Cmo
            {
                DisplayName = "Ada",
                TimeZone = "Etc/UTC",
                MaxClients = 5,
                Expertise = expertise,
                WorkingPatterns = { new WorkingPattern { EffectiveDate = ActiveEngagement.Monday, MondayMinutes = 480, WorkingHours = new WorkingHours { StartMinute = 480, EndMinute = 960 } } },
            },
        });
        var told = expertise.Clone();
        told.GrowthStages.Clear();
        told.GrowthStages.AddRange([GrowthStage.Early, GrowthStage.Growth]);
        told.Industries.Clear();
        told.Industries.AddRange(["e-commerce", "retail"]);
        Assert.Equal(told, made.Expertise);
        Assert.Equal(960, Assert.Single(made.WorkingPatterns).WorkingHours.EndMinute);

        // By mask the whole of it; a change of something else leaves it.
        var renamed = await admin.Cmos.UpdateCmoAsync(new UpdateCmoRequest { Cmo = new Cmo { Name = made.Name, Role = "CFO" } });
        Assert.Equal(told, renamed.Cmo.Expertise);
        var changed = await admin.Cmos.UpdateCmoAsync(new UpdateCmoRequest { Cmo = new Cmo { Name = made.Name, Expertise = new Expertise { YearsLeading = 13 } } });
        Assert.Equal(new Expertise { YearsLeading = 13 }, changed.Cmo.Expertise);

        var wrong = await Refused.By(admin.Cmos.UpdateCmoAsync(new UpdateCmoRequest
        {
            Cmo = new Cmo
            {
                Name = made.Name,
                Expertise = new Expertise
                {
                    HeadcountFrom = 9,
                    HeadcountTo = 3,
                    Industries = { "Retail" },
                    Languages = { "English" },
                    YearsLeading = 61,
                    HourlyRates = { new Money { MinorUnits = 1, Currency = "USD" }, new Money { MinorUnits = 2, Currency = "USD" } },
                },
            },
        }));
        Assert.Equal(
            ["cmo.expertise.headcount_to", "cmo.expertise.hourly_rates", "cmo.expertise.industries[0]", "cmo.expertise.languages[0]", "cmo.expertise.years_leading"],
            wrong.FieldViolations.Select(v => v.Field).Order());
    }

    [Fact]
    public async Task A_reference_is_a_person_of_the_vault_and_is_erased_with_it()
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();
        await ActiveEngagement.CreateCmo(agency, "ada");
        var name = $"{agency.Name}/cmos/ada";
        var reference = new Reference { ReferenceId = "boss", DisplayName = "Bea Boss", Email = "bea@example.com", Company = "Quay Foods", Relation = "CEO", Note = "Again at once.", MayBeContacted = true };

        var put = await admin.Cmos.PutReferenceAsync(new PutReferenceRequest { Name = name, Reference = reference });
        var events = await admin.Events.ListEventsAsync(new Protocol.Events.V1.ListEventsRequest { Parent = agency.Name, PageSize = 1_000 });
        var removed = await admin.Cmos.RemoveReferenceAsync(new RemoveReferenceRequest { Name = name, ReferenceId = "boss" });

        Assert.Equal(reference, Assert.Single(put.References));
        Assert.DoesNotContain("Bea Boss", events.ToString(), StringComparison.Ordinal);
        Assert.Contains("Quay Foods", events.ToString(), StringComparison.Ordinal);
        Assert.Empty(removed.References);
        Assert.Equal(StatusCode.NotFound, (await Refused.By(admin.Cmos.RemoveReferenceAsync(new RemoveReferenceRequest { Name = name, ReferenceId = "boss" }))).StatusCode);
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
