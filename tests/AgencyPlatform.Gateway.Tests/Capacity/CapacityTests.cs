using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Cmos.V1;
using AgencyPlatform.Protocol.Events.V1;
using Google.Type;
using Grpc.Core;

namespace AgencyPlatform.Gateway.Tests.Capacity;

/// <summary>What the agency says of holidays and overbooking is what every report and decision goes by, at once.</summary>
[Collection(PlatformFixture.Collection)]
public sealed class CapacityTests(PlatformFixture platform)
{
    private static readonly Date s_monday = Day(2026, 5, 11);

    [Fact]
    public async Task A_CMO_nobody_has_asked_yet_reports_under_the_agencys_holidays_and_overbooking()
    {
        var agency = await platform.NewAgency(change: r => r.Agency.OverbookingPercent = 10);
        var admin = await agency.Admin();
        await Holidays(agency, admin);
        await Cmo(agency, admin);

        var week = await Week(agency, admin);

        Assert.Equal((1920, 2112, 2112), (week.AvailableMinutes, week.LimitMinutes, week.FreeMinutes));
        var all = await admin.Capacity.GetUtilizationAsync(new GetUtilizationRequest { Name = agency.Name, StartDate = s_monday, Weeks = 1 });
        Assert.Equal((1920, 2112), (all.Weeks[0].AvailableMinutes, all.Weeks[0].LimitMinutes));
    }

    [Fact]
    public async Task A_changed_policy_holds_in_the_next_report_and_the_feed_says_what_it_did()
    {
        var agency = await platform.NewAgency(change: r => r.Agency.OverbookingPercent = 50);
        var admin = await agency.Admin();
        await Cmo(agency, admin);
        await Client(agency, admin);
        await admin.Capacity.BookAsync(new BookRequest
        {
            Parent = $"{agency.Name}/cmos/ada",
            BookingId = "much",
            Booking = new Booking
            {
                ClientCompany = $"{agency.Name}/clientCompanies/acme",
                Steps = { new BookingStep { StartDate = s_monday, EndDate = Day(2026, 5, 18), Flexible = new FlexibleForm { WeeklyMinutes = 3000 } } },
            },
        });

        await admin.Agencies.UpdateAgencyAsync(new UpdateAgencyRequest { Agency = new Agency { Name = agency.Name, OverbookingPercent = 10 }, UpdateMask = new() { Paths = { "overbooking_percent" } } });

        var week = await Week(agency, admin);
        Assert.Equal((2640, 360), (week.LimitMinutes, week.ExcessMinutes));
        var feed = await admin.Events.ListEventsAsync(new ListEventsRequest { Parent = agency.Name, Kind = "cmo", AggregateId = "ada", Type = "cmo.policy-noted" });
        var infeasible = feed.Events[^1].Payload.Fields["consequences"].StructValue.Fields["infeasibleWeeks"].ListValue.Values;
        Assert.Equal(360, Assert.Single(infeasible).StructValue.Fields["missingMinutes"].NumberValue);
    }

    [Fact]
    public async Task A_fact_is_weighed_under_the_newest_policy()
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();
        await Cmo(agency, admin);
        await Holidays(agency, admin);

        var change = await admin.Cmos.SetHolidaysAsync(new SetHolidaysRequest
        {
            Name = $"{agency.Name}/cmos/ada",
            ReplaceWorkedHolidays = true,
            WorkedHolidays = { Day(2026, 5, 14) },
        });

        Assert.Equal([Day(2026, 5, 14)], change.Cmo.WorkedHolidays);
        Assert.Equal(2400, (await Week(agency, admin)).AvailableMinutes);
    }

    [Fact]
    public async Task Holidays_on_create_are_kept_as_they_were_said()
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();
        await Holidays(agency, admin);

        var cmo = await Cmo(agency, admin, c =>
        {
            c.HolidayRegions.Clear();
            c.HolidayRegions.Add(new HolidayRegion { EffectiveDate = Day(2026, 5, 15), Region = "de" });
            c.WorkedHolidays.Add(Day(2026, 5, 25));
        });

        Assert.Equal(Day(2026, 5, 15), Assert.Single(cmo.HolidayRegions).EffectiveDate);
        Assert.Equal([Day(2026, 5, 25)], cmo.WorkedHolidays);
        // The holiday of the 14th is before the region's date; the one of the 25th is worked.
        Assert.Equal((2400, 2400), ((await Week(agency, admin)).AvailableMinutes, (await Week(agency, admin, Day(2026, 5, 25))).AvailableMinutes));
    }

    [Fact]
    public async Task Time_off_on_create_is_refused_rather_than_left_out()
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();

        var error = await Assert.ThrowsAsync<ApiException>(() => Cmo(agency, admin, c => c.TimeOff.Add(new TimeOff { TimeOffId = "x" })));

        Assert.Equal(["cmo.time_off"], error.FieldViolations.Select(v => v.Field));
    }

    [Fact]
    public async Task A_success_that_changed_nothing_is_remembered_too()
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();
        await Client(agency, admin);
        var nobody = new SetCompetitorsRequest { Name = $"{agency.Name}/clientCompanies/acme", RequestId = Guid.CreateVersion7().ToString() };
        var first = await admin.Clients.SetCompetitorsAsync(nobody);
        await admin.Clients.CreateClientCompanyAsync(new CreateClientCompanyRequest
        {
            Parent = agency.Name,
            ClientCompanyId = "bolt",
            ClientCompany = new ClientCompany { DisplayName = "Bolt", TimeZone = "Europe/Berlin" },
        });
        var named = await admin.Clients.SetCompetitorsAsync(new SetCompetitorsRequest { Name = nobody.Name, Competitors = { $"{agency.Name}/clientCompanies/bolt" } });

        var again = await admin.Clients.SetCompetitorsAsync(nobody);

        Assert.Equal(first, again);
        Assert.Equal(named, await admin.Clients.GetClientCompanyAsync(new GetClientCompanyRequest { Name = nobody.Name }));
        var feed = await admin.Events.ListEventsAsync(new ListEventsRequest { Parent = agency.Name, Type = "nothing-changed" });
        Assert.Equal(nobody.RequestId, Assert.Single(feed.Events).RequestId);
    }

    [Fact]
    public async Task A_booking_that_is_not_there_is_named_as_what_is_missing()
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();
        await Cmo(agency, admin);

        var error = await Refused.By(admin.Capacity.GetBookingAsync(new GetBookingRequest { Name = $"{agency.Name}/cmos/ada/bookings/none" }));

        Assert.Equal(StatusCode.NotFound, error.StatusCode);
        Assert.Contains("booking 'none'", error.Message, StringComparison.Ordinal);
    }

    private static async Task<CapacityWeek> Week(TestAgency agency, AgencyPlatformClient admin, Date? monday = null) =>
        (await admin.Capacity.GetAvailabilityAsync(new GetAvailabilityRequest { Name = $"{agency.Name}/cmos/ada", StartDate = monday ?? s_monday, Weeks = 1 })).Weeks[0];

    /// <summary>Two holidays: a Thursday in the week that is asked for, and a Monday two weeks later.</summary>
    private static async Task Holidays(TestAgency agency, AgencyPlatformClient admin) => await admin.Agencies.SetHolidayCalendarAsync(
        new SetHolidayCalendarRequest { Name = $"{agency.Name}/holidayCalendars/de", Days = { Day(2026, 5, 14), Day(2026, 5, 25) } });

    private static async Task<Cmo> Cmo(TestAgency agency, AgencyPlatformClient admin, Action<Cmo>? change = null)
    {
        var cmo = new Cmo
        {
            DisplayName = "Ada",
            TimeZone = "Europe/Berlin",
            MaxClients = 5,
            WorkingPatterns = { new WorkingPattern { EffectiveDate = Day(2020, 1, 1), MondayMinutes = 480, TuesdayMinutes = 480, WednesdayMinutes = 480, ThursdayMinutes = 480, FridayMinutes = 480 } },
            HolidayRegions = { new HolidayRegion { EffectiveDate = Day(2020, 1, 1), Region = "de" } },
        };
        change?.Invoke(cmo);
        return await admin.Cmos.CreateCmoAsync(new CreateCmoRequest { Parent = agency.Name, CmoId = "ada", Cmo = cmo });
    }

    private static async Task Client(TestAgency agency, AgencyPlatformClient admin) => await admin.Clients.CreateClientCompanyAsync(new CreateClientCompanyRequest
    {
        Parent = agency.Name,
        ClientCompanyId = "acme",
        ClientCompany = new ClientCompany { DisplayName = "Acme", TimeZone = "Europe/Berlin" },
    });

    private static Date Day(int year, int month, int day) => new() { Year = year, Month = month, Day = day };
}
