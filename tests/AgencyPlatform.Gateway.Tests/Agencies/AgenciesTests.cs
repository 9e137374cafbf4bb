using AgencyPlatform.Protocol.Agencies.V1;
using Google.LongRunning;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Date = Google.Type.Date;

namespace AgencyPlatform.Gateway.Tests.Agencies;

[Collection(PlatformFixture.Collection)]
public sealed class AgenciesTests(PlatformFixture platform)
{
    [Fact]
    public async Task A_create_repeated_with_its_request_id_is_one_agency()
    {
        var request = new CreateAgencyRequest
        {
            Agency = new Agency { DisplayName = "Twice", TimeZone = "Europe/Berlin", DefaultCurrency = "EUR" },
            LegalEntities = { new LegalEntity { Name = "gmbh", LegalName = "Twice GmbH", Country = "DE", TimeZone = "Europe/Berlin", Currency = "EUR" } },
            RequestId = Guid.CreateVersion7().ToString(),
        };
        var first = await platform.Operator.Agencies.CreateAgencyAsync(request);
        var again = await platform.Operator.Agencies.CreateAgencyAsync(request);
        Assert.Equal(first, again);
        request.Agency.DisplayName = "Other";
        var reused = await Refused.By(platform.Operator.Agencies.CreateAgencyAsync(request));
        Assert.Equal((StatusCode.FailedPrecondition, "REQUEST_ID_REUSED"), (reused.StatusCode, reused.Reason));
        request.RequestId = "";
        request.AgencyId = first.Name["agencies/".Length..];
        Assert.Equal(StatusCode.AlreadyExists, (await Refused.By(platform.Operator.Agencies.CreateAgencyAsync(request))).StatusCode);
    }

    [Fact]
    public async Task The_operators_list_pages_over_every_agency()
    {
        var made = new[] { (await platform.NewAgency()).Name, (await platform.NewAgency()).Name, (await platform.NewAgency()).Name };
        var seen = new List<string>();
        var token = "";
        do
        {
            var page = await platform.Operator.Agencies.ListAgenciesAsync(new ListAgenciesRequest { PageSize = 2, PageToken = token });
            Assert.InRange(page.Agencies.Count, 1, 2);
            Assert.All(page.Agencies, a => Assert.Empty(a.DisplayName));
            seen.AddRange(page.Agencies.Select(a => a.Name));
            token = page.NextPageToken;
        }
        while (token.Length > 0);

        Assert.Equal(seen.Distinct().Order(StringComparer.Ordinal), seen);
        Assert.Subset(seen.ToHashSet(), made.ToHashSet());
    }

    [Fact]
    public async Task An_update_changes_what_the_mask_names_and_a_stale_etag_is_aborted()
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();
        var before = await admin.Agencies.GetAgencyAsync(new GetAgencyRequest { Name = agency.Name });
        var update = new UpdateAgencyRequest
        {
            Agency = new Agency { Name = agency.Name, OverbookingPercent = 25, DisplayName = "Ignored", Etag = before.Etag },
            UpdateMask = new FieldMask { Paths = { "overbooking_percent" } },
        };
        var after = await admin.Agencies.UpdateAgencyAsync(update);
        Assert.Equal((before.DisplayName, 25, before.Version + 1), (after.DisplayName, after.OverbookingPercent, after.Version));
        update.Agency.OverbookingPercent = 30;
        var stale = await Refused.By(admin.Agencies.UpdateAgencyAsync(update));
        Assert.Equal((StatusCode.Aborted, "ETAG_MISMATCH"), (stale.StatusCode, stale.Reason));
        update.Agency.Etag = "";
        update.Agency.OverbookingPercent = 101;
        Assert.Equal(["agency.overbooking_percent"], (await Refused.By(admin.Agencies.UpdateAgencyAsync(update))).FieldViolations.Select(v => v.Field));
    }

    [Fact]
    public async Task Validate_only_changes_nothing()
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();
        var tried = await admin.Agencies.UpdateAgencyAsync(new UpdateAgencyRequest { Agency = new Agency { Name = agency.Name, DisplayName = "Tried" }, ValidateOnly = true });
        Assert.Equal("Tried", tried.DisplayName);
        Assert.NotEqual("Tried", (await admin.Agencies.GetAgencyAsync(new GetAgencyRequest { Name = agency.Name })).DisplayName);
    }

    [Fact]
    public async Task A_legal_entitys_currency_stands()
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();
        var made = await admin.Agencies.CreateLegalEntityAsync(new CreateLegalEntityRequest
        {
            Parent = agency.Name,
            LegalEntityId = "kk",
            LegalEntity = new LegalEntity { LegalName = "K.K.", Country = "JP", TimeZone = "Asia/Tokyo", Currency = "JPY", AddressLines = { "1-1", "Tokyo" } },
        });
        Assert.Equal("main", made.DefaultInvoiceSeries);
        made.TaxId = "T1";
        Assert.Equal("T1", (await admin.Agencies.UpdateLegalEntityAsync(new UpdateLegalEntityRequest { LegalEntity = made })).TaxId);
        made.Currency = "USD";
        var refused = await Refused.By(admin.Agencies.UpdateLegalEntityAsync(new UpdateLegalEntityRequest { LegalEntity = made }));
        Assert.Equal(("LEGAL_ENTITY_FIXED", "currency"), (refused.Reason, refused.Metadata["field"]));
        var list = await admin.Agencies.ListLegalEntitiesAsync(new ListLegalEntitiesRequest { Parent = agency.Name, PageSize = 1 });
        Assert.Equal(made.Name, Assert.Single(list.LegalEntities).Name);
        Assert.NotEmpty(list.NextPageToken);
    }

    [Fact]
    public async Task A_page_token_of_another_list_is_refused()
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();
        foreach (var region in new[] { "us", "de" })
        {
            await admin.Agencies.SetHolidayCalendarAsync(new SetHolidayCalendarRequest
            {
                Name = $"{agency.Name}/holidayCalendars/{region}",
                Days = { new Date { Year = 2026, Month = 12, Day = 25 } },
            });
        }

        var page = await admin.Agencies.ListHolidayCalendarsAsync(new ListHolidayCalendarsRequest { Parent = agency.Name, PageSize = 1 });
        Assert.Equal($"{agency.Name}/holidayCalendars/de", Assert.Single(page.HolidayCalendars).Name);
        var rest = await admin.Agencies.ListHolidayCalendarsAsync(new ListHolidayCalendarsRequest { Parent = agency.Name, PageToken = page.NextPageToken });
        Assert.Equal($"{agency.Name}/holidayCalendars/us", Assert.Single(rest.HolidayCalendars).Name);
        Assert.Empty(rest.NextPageToken);
        var other = await Refused.By(admin.Agencies.ListLegalEntitiesAsync(new ListLegalEntitiesRequest { Parent = agency.Name, PageToken = page.NextPageToken }));
        Assert.Equal(StatusCode.InvalidArgument, other.StatusCode);
        Assert.Equal("page_token", Assert.Single(other.FieldViolations).Field);
        var second = await platform.NewAgency();
        var foreign = await Refused.By((await second.Admin()).Agencies.ListHolidayCalendarsAsync(new ListHolidayCalendarsRequest { Parent = second.Name, PageToken = page.NextPageToken }));
        Assert.Equal("page_token", Assert.Single(foreign.FieldViolations).Field);
    }

    [Fact]
    public async Task A_sandboxes_clock_moves_forward_only()
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();
        var to = Timestamp.FromDateTimeOffset(new DateTimeOffset(2026, 2, 1, 0, 0, 0, TimeSpan.Zero));
        var request = new AdvanceClockRequest { Name = agency.Name, To = to, RequestId = Guid.CreateVersion7().ToString() };
        Operation operation = await admin.Agencies.AdvanceClockAsync(request);
        Assert.True(operation.Done);
        Assert.Equal(to, operation.Response.Unpack<AdvanceClockResponse>().Clock);
        Assert.Equal(to, (await admin.Agencies.AdvanceClockAsync(request)).Response.Unpack<AdvanceClockResponse>().Clock);
        Assert.Equal(to, (await admin.Agencies.GetAgencyAsync(new GetAgencyRequest { Name = agency.Name })).Clock);
        var back = await Refused.By(admin.Agencies.AdvanceClockAsync(new AdvanceClockRequest { Name = agency.Name, To = to - Duration.FromTimeSpan(TimeSpan.FromSeconds(1)) }));
        Assert.Equal("CLOCK_ONLY_FORWARD", back.Reason);
        var real = await platform.NewAgency(sandbox: false);
        var refused = await Refused.By((await real.Admin()).Agencies.AdvanceClockAsync(new AdvanceClockRequest { Name = real.Name, To = to }));
        Assert.Equal("NOT_A_SANDBOX", refused.Reason);
    }

    [Fact]
    public async Task Read_time_answers_what_was_recorded_by_then()
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();
        var before = await admin.Agencies.GetAgencyAsync(new GetAgencyRequest { Name = agency.Name });
        await admin.Agencies.AdvanceClockAsync(new AdvanceClockRequest { Name = agency.Name, To = before.Clock + Duration.FromTimeSpan(TimeSpan.FromDays(2)) });
        await admin.Agencies.UpdateAgencyAsync(new UpdateAgencyRequest { Agency = new Agency { Name = agency.Name, DisplayName = "Later" } });
        var then = await admin.Agencies.GetAgencyAsync(new GetAgencyRequest { Name = agency.Name, ReadTime = before.Clock + Duration.FromTimeSpan(TimeSpan.FromDays(1)) });
        Assert.Equal(before.DisplayName, then.DisplayName);
        Assert.Equal("Later", (await admin.Agencies.GetAgencyAsync(new GetAgencyRequest { Name = agency.Name })).DisplayName);
    }

    [Fact]
    public async Task Every_bad_field_of_an_agency_is_reported()
    {
        var error = await Refused.By(platform.Operator.Agencies.CreateAgencyAsync(new CreateAgencyRequest
        {
            AgencyId = "ACME",
            Agency = new Agency { DisplayName = "a\u0007", TimeZone = "New York", DefaultCurrency = "EURO", OverbookingPercent = -1, CoolingOffDays = 3651 },
            LegalEntities = { new LegalEntity { Name = "x!", Country = "usa" } },
            SandboxStartTime = new Timestamp(),
            RequestId = "7",
        }));
        Assert.Equal(
            [
                "agency.cooling_off_days", "agency.default_currency", "agency.display_name", "agency.overbooking_percent", "agency.time_zone", "agency_id",
                "legal_entities[0].country", "legal_entities[0].currency", "legal_entities[0].legal_name", "legal_entities[0].name", "legal_entities[0].time_zone",
                "request_id", "sandbox_start_time",
            ],
            error.FieldViolations.Select(v => v.Field).Order(StringComparer.Ordinal));
    }
}
