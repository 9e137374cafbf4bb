using System.Net;
using System.Net.Http.Headers;
using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Calendars.V1;
using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Cmos.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using Grpc.Core;
using Ical.Net.CalendarComponents;
using Date = Google.Type.Date;
using Duration = Google.Protobuf.WellKnownTypes.Duration;

namespace AgencyPlatform.Gateway.Tests.Calendars;

/// <summary>What a calendar program gets at a link, over HTTP, read with a library of its own.</summary>
[Collection(PlatformFixture.Collection)]
public sealed class CalendarFeedTests(PlatformFixture platform)
{
    [Fact]
    public async Task A_CMOs_calendar_has_its_bookings_holds_and_time_off_and_nothing_of_anybody_else()
    {
        var agency = await Told();
        var calendar = await Read(await Link(await agency.As(Role.Cmo, cmo: "ada"), agency, "ada"));

        Assert.Equal($"ada – Agency {agency.Id}", calendar.Properties["X-WR-CALNAME"]!.Value);
        Assert.Equal(
            [
                "2026-01-05 2027-02-01 acme, 10 h a week CONFIRMED TRANSPARENT",
                "2026-01-06 2026-01-07 bolt, Tue 1 h, every 2 weeks CONFIRMED TRANSPARENT",
                "2026-01-20 2026-01-21 Holiday (us)  OPAQUE",
                "2026-02-02 2026-02-04 Off  OPAQUE",
                "2026-02-10 2026-02-11 Held for bolt, 2 h TENTATIVE TRANSPARENT",
                "2026-03-09 2026-03-10 1 h 30 min off  TRANSPARENT",
            ],
            Shown(calendar));
        Assert.DoesNotContain(calendar.Events, e => $"{e.Uid}{e.Summary}{e.Description}".Contains("bob", StringComparison.OrdinalIgnoreCase));
        Assert.Equal("Held until 2026-01-06 09:00 UTC.", Of(calendar, "Held").Description);
        Assert.Equal("Engagement launch. Booked.", Of(calendar, "acme").Description);
        Assert.Equal("OOF", Of(calendar, "Off").Properties["X-MICROSOFT-CDO-BUSYSTATUS"]!.Value);

        // Every second week, to the day before the end.
        var fixedDays = Of(calendar, "bolt, Tue");
        Assert.Equal(["01-06", "01-20", "02-03", "02-17"], fixedDays.GetOccurrences().Select(o => o.Period.StartTime.Value.ToString("MM-dd", null)));
    }

    [Fact]
    public async Task The_CMO_who_covers_has_the_days_of_the_cover()
    {
        var agency = await Told();
        var calendar = await Read(await Link(await agency.Admin(), agency, "bob"));

        Assert.Equal(
            [
                "2026-01-06 2026-01-07 Cover for acme, 4 h CONFIRMED TRANSPARENT",
                "2026-02-01 2027-02-01 bolt, 10 h a month CONFIRMED TRANSPARENT",
                "2026-02-16 2026-02-17 Half a day off  TRANSPARENT",
            ],
            Shown(calendar));
    }

    [Fact]
    public async Task The_agencys_calendar_has_all_of_them_by_name_and_nothing_of_another_agency()
    {
        var (agency, other) = (await Told(), await Told());
        var calendar = await Read(await Link(await agency.As(Role.Operations), agency));

        Assert.Equal($"Agency {agency.Id}", calendar.Properties["X-WR-CALNAME"]!.Value);
        Assert.Equal(
            [
                "2026-01-05 2027-02-01 ada: acme, 10 h a week CONFIRMED TRANSPARENT",
                "2026-01-06 2026-01-07 ada: Bolt, Jr.; \"B\", Tue 1 h, every 2 weeks CONFIRMED TRANSPARENT",
                "2026-01-06 2026-01-07 bob: cover for acme, 4 h CONFIRMED TRANSPARENT",
                "2026-01-20 2026-01-21 Holiday (us)  TRANSPARENT",
                "2026-02-01 2027-02-01 bob: Bolt, Jr.; \"B\", 10 h a month CONFIRMED TRANSPARENT",
                "2026-02-02 2026-02-04 ada: off  OPAQUE",
                "2026-02-10 2026-02-11 ada: held for Bolt, Jr.; \"B\", 2 h TENTATIVE TRANSPARENT",
                "2026-02-16 2026-02-17 bob: half a day off  TRANSPARENT",
                "2026-03-09 2026-03-10 ada: 1 h 30 min off  TRANSPARENT",
            ],
            Shown(calendar));
        Assert.All(calendar.Events, e => Assert.EndsWith($"{agency.Id}.agencyplatform", e.Uid, StringComparison.Ordinal));
        Assert.DoesNotContain(calendar.Events, e => e.Uid!.Contains(other.Id + ".", StringComparison.Ordinal));
        Assert.Equal(calendar.Events.Count, calendar.Events.Select(e => e.Uid).Distinct().Count());
    }

    [Fact]
    public async Task What_has_ended_goes_and_months_that_are_long_over_too()
    {
        var agency = await Told();
        var link = await Link(await agency.Admin(), agency, "ada");

        // The hold is over after its day, settled by nobody before the calendar is asked for.
        await agency.AdvanceTo(new DateTime(2026, 1, 6, 9, 0, 1, DateTimeKind.Utc));
        Assert.DoesNotContain(Shown(await Read(link)), e => e.Contains("Held", StringComparison.Ordinal));
        await agency.AdvanceTo(new DateTime(2026, 6, 2, 12, 0, 0, DateTimeKind.Utc));

        Assert.Equal(
            ["2026-01-05 2027-07-01 acme, 10 h a week CONFIRMED TRANSPARENT", "2026-01-06 2026-01-07 bolt, Tue 1 h, every 2 weeks CONFIRMED TRANSPARENT", "2026-03-09 2026-03-10 1 h 30 min off  TRANSPARENT"],
            Shown(await Read(link)));
    }

    [Fact]
    public async Task Only_a_link_that_stands_is_found_and_nothing_tells_why_another_is_not()
    {
        var agency = await Told();
        var admin = await agency.Admin();
        var (link, gone) = (await Link(admin, agency, "ada"), await Link(admin, agency, "ada"));
        Assert.Equal(HttpStatusCode.OK, (await Get(gone.Path)).Status);
        await admin.Calendars.RevokeCalendarLinkAsync(new RevokeCalendarLinkRequest { Name = gone.Name });

        var secret = Secret(link);
        string[] others =
        [
            gone.Path, $"/calendars/{secret[..^1]}{(secret[^1] == '0' ? '1' : '0')}.ics", $"/calendars/{secret}0.ics", "/calendars/x.ics", $"/calendars/apk_{agency.Id}_nothing_{secret.Split('_')[^1]}.ics",
            $"/calendars/apk_no-such-agency_x_y.ics", $"/calendars/{await agency.Key(Role.AgencyAdmin)}.ics", $"/calendars/{await agency.Key(Role.Cmo, cmo: "ada")}.ics",
            $"/calendars/{GatewayOptions.DevelopmentOperatorKey}.ics", $"/calendars/{new string('a', 2_000)}.ics",
        ];
        foreach (var path in others)
        {
            var answer = await Get(path);
            Assert.Equal((HttpStatusCode.NotFound, ""), (answer.Status, answer.Body));
        }

        // The one beside it stands.
        Assert.Equal(HttpStatusCode.OK, (await Get(link.Path)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await Get($"/calendars/{secret}")).Status);
        Assert.True((await admin.Calendars.ListCalendarLinksAsync(new ListCalendarLinksRequest { Parent = agency.Name })).CalendarLinks.Single(l => l.Name == gone.Name).Revoked);
    }

    /// <summary>That it is denied every method is in TwoAgenciesTests, for each of them.</summary>
    [Fact]
    public async Task A_links_secret_opens_its_calendar_only()
    {
        var agency = await Told();
        var link = await Link(await agency.Admin(), agency);
        using var json = platform.Json(Secret(link));

        using var answer = await json.GetAsync($"/v1/{agency.Name}");

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Equal(StatusCode.PermissionDenied, (await Refused.By(platform.Client(Secret(link)).Agencies.GetCallerAsync(new GetCallerRequest()))).StatusCode);
    }

    [Fact]
    public async Task What_has_not_changed_is_not_sent_again()
    {
        var agency = await Told();
        var admin = await agency.Admin();
        var link = await Link(admin, agency, "ada");
        using var http = platform.Json("");
        using var first = await http.GetAsync(link.Path);
        Assert.Equal(("text/calendar", "utf-8"), (first.Content.Headers.ContentType!.MediaType, first.Content.Headers.ContentType.CharSet));
        Assert.Equal((true, true), (first.Headers.CacheControl!.Private, first.Headers.CacheControl.NoCache));
        Assert.Equal(["nosniff", "no-referrer"], [first.Headers.GetValues("X-Content-Type-Options").Single(), first.Headers.GetValues("Referrer-Policy").Single()]);

        using var again = await Ask(HttpMethod.Get, first.Headers.ETag);
        Assert.Equal((HttpStatusCode.NotModified, ""), (again.StatusCode, await again.Content.ReadAsStringAsync()));
        using var head = await Ask(HttpMethod.Head, null);
        Assert.Equal((HttpStatusCode.OK, first.Content.Headers.ContentLength, first.Headers.ETag), (head.StatusCode, head.Content.Headers.ContentLength, head.Headers.ETag));
        using var post = await http.PostAsync(link.Path, null);
        Assert.Equal(HttpStatusCode.NotFound, post.StatusCode);

        await admin.Cmos.CancelTimeOffAsync(new CancelTimeOffRequest { Name = $"{agency.Name}/cmos/ada", TimeOffId = "ski" });
        using var changed = await Ask(HttpMethod.Get, first.Headers.ETag);
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
        Assert.NotEqual(first.Headers.ETag, changed.Headers.ETag);

        Task<HttpResponseMessage> Ask(HttpMethod method, EntityTagHeaderValue? tag)
        {
            var request = new HttpRequestMessage(method, link.Path);
            if (tag is not null)
            {
                request.Headers.IfNoneMatch.Add(tag);
            }

            return http.SendAsync(request);
        }
    }

    [Fact]
    public async Task Whoever_tries_many_secrets_has_to_wait_and_a_good_link_goes_on()
    {
        var own = new PlatformFixture(null, ("Gateway:FailedKeysPerMinute", "3"));
        await own.InitializeAsync();
        try
        {
            var agency = await own.NewAgency();
            await ActiveEngagement.CreateCmo(agency, "ada");
            var link = await Link(await agency.Admin(), agency, "ada");
            using var http = own.Json("");
            Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(link.Path)).StatusCode);
            for (var i = 0; i < 3; i++)
            {
                Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync($"/calendars/guess{i}.ics")).StatusCode);
            }

            using var refused = await http.GetAsync("/calendars/guess.ics");
            Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
            Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60));
            Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(link.Path)).StatusCode);
        }
        finally
        {
            await own.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_path_is_shown_once()
    {
        var agency = await Told();
        var admin = await agency.Admin();
        var request = new CreateCalendarLinkRequest
        {
            Parent = agency.Name,
            CalendarLinkId = "outlook",
            CalendarLink = new CalendarLink { DisplayName = "Outlook", Cmo = $"{agency.Name}/cmos/ada" },
            RequestId = Guid.CreateVersion7().ToString(),
        };
        var (first, again) = (await admin.Calendars.CreateCalendarLinkAsync(request), await admin.Calendars.CreateCalendarLinkAsync(request));

        Assert.Equal(($"{agency.Name}/calendarLinks/outlook", "Outlook", $"{agency.Name}/cmos/ada", false), (first.Name, first.DisplayName, first.Cmo, first.Revoked));
        Assert.Matches("^/calendars/apk_.+\\.ics$", first.Path);
        first.Path = "";
        Assert.Equal(first, again);
        Assert.Equal(first, Assert.Single((await admin.Calendars.ListCalendarLinksAsync(new ListCalendarLinksRequest { Parent = agency.Name })).CalendarLinks));

        // The admin sees it among the keys, and revokes it there as well; keys themselves are no links.
        Assert.Equal([Role.Calendar], (await admin.Agencies.ListApiKeysAsync(new ListApiKeysRequest { Parent = agency.Name })).ApiKeys.Single(k => k.Name.EndsWith("/outlook", StringComparison.Ordinal)).Roles);
        Assert.Equal("api_key.roles", Assert.Single((await Refused.By(admin.Agencies.CreateApiKeyAsync(new CreateApiKeyRequest
        {
            Parent = agency.Name,
            ApiKey = new ApiKey { DisplayName = "By hand", Roles = { Role.Calendar } },
        }))).FieldViolations).Field);
        await admin.Agencies.CreateApiKeyAsync(new CreateApiKeyRequest { Parent = agency.Name, ApiKeyId = "ci", ApiKey = new ApiKey { DisplayName = "CI", Roles = { Role.Service } } });
        Assert.Equal(StatusCode.NotFound, (await Refused.By(admin.Calendars.RevokeCalendarLinkAsync(new RevokeCalendarLinkRequest { Name = $"{agency.Name}/calendarLinks/ci" }))).StatusCode);
    }

    [Fact]
    public async Task A_CMO_has_links_to_its_own_calendar_and_sees_no_others()
    {
        var agency = await Told();
        var (admin, ada) = (await agency.Admin(), await agency.As(Role.Cmo, cmo: "ada"));
        var (own, bobs, all) = (await Link(ada, agency, "ada"), await Link(admin, agency, "bob"), await Link(admin, agency));

        Assert.Equal([own.Name], (await ada.Calendars.ListCalendarLinksAsync(new ListCalendarLinksRequest { Parent = agency.Name })).CalendarLinks.Select(l => l.Name));
        Assert.Empty((await ada.Calendars.ListCalendarLinksAsync(new ListCalendarLinksRequest { Parent = agency.Name, Cmo = $"{agency.Name}/cmos/bob" })).CalendarLinks);
        Assert.Equal([bobs.Name], (await admin.Calendars.ListCalendarLinksAsync(new ListCalendarLinksRequest { Parent = agency.Name, Cmo = $"{agency.Name}/cmos/bob" })).CalendarLinks.Select(l => l.Name));
        Assert.Equal(StatusCode.NotFound, (await Refused.By(Create(ada, agency, "bob"))).StatusCode);
        Assert.Equal(StatusCode.PermissionDenied, (await Refused.By(Create(ada, agency, ""))).StatusCode);
        Assert.Equal(StatusCode.PermissionDenied, (await Refused.By(Create(await agency.As(Role.Service), agency, ""))).StatusCode);
        Assert.Equal(StatusCode.NotFound, (await Refused.By(Create(admin, agency, "nobody"))).StatusCode);

        // What is another's is answered as what is not there.
        var theirs = await Refused.By(ada.Calendars.RevokeCalendarLinkAsync(new RevokeCalendarLinkRequest { Name = bobs.Name }));
        var nothing = await Refused.By(ada.Calendars.RevokeCalendarLinkAsync(new RevokeCalendarLinkRequest { Name = $"{agency.Name}/calendarLinks/nothing" }));
        Assert.Equal((StatusCode.NotFound, theirs.Message.Replace(bobs.Name, "*", StringComparison.Ordinal)), (nothing.StatusCode, nothing.Message.Replace($"{agency.Name}/calendarLinks/nothing", "*", StringComparison.Ordinal)));
        Assert.Equal(StatusCode.NotFound, (await Refused.By(ada.Calendars.RevokeCalendarLinkAsync(new RevokeCalendarLinkRequest { Name = all.Name }))).StatusCode);
        Assert.True((await ada.Calendars.RevokeCalendarLinkAsync(new RevokeCalendarLinkRequest { Name = own.Name })).Revoked);
        Assert.Equal(HttpStatusCode.NotFound, (await Get(own.Path)).Status);

        // A page after the other.
        var page = await admin.Calendars.ListCalendarLinksAsync(new ListCalendarLinksRequest { Parent = agency.Name, PageSize = 2 });
        var next = await admin.Calendars.ListCalendarLinksAsync(new ListCalendarLinksRequest { Parent = agency.Name, PageSize = 2, PageToken = page.NextPageToken });
        Assert.Equal((2, 1, ""), (page.CalendarLinks.Count, next.CalendarLinks.Count, next.NextPageToken));
    }

    /// <summary>
    /// Ada leads acme's launch from 5 January 2026 on and works every second Tuesday for bolt to March; a day is held for bolt; she is off for two days and some hours. Bob covers a day of
    /// hers, and works for bolt by the month.
    /// </summary>
    private async Task<TestAgency> Told()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, ActiveEngagement.Hourly);
        await ActiveEngagement.CreateCmo(agency, "bob");
        var (ada, bob, launch) = ($"{agency.Name}/cmos/ada", $"{agency.Name}/cmos/bob", $"{agency.Name}/engagements/launch");
        await admin.Clients.CreateClientCompanyAsync(new CreateClientCompanyRequest
        {
            Parent = agency.Name,
            ClientCompanyId = "bolt",
            ClientCompany = new ClientCompany { DisplayName = "Bolt, Jr.; \"B\"", TimeZone = "America/New_York" },
        });
        var bolt = $"{agency.Name}/clientCompanies/bolt";
        await admin.Capacity.BookAsync(new BookRequest
        {
            Parent = ada,
            BookingId = "fortnightly",
            Booking = new Booking { ClientCompany = bolt, Steps = { new BookingStep { StartDate = Day(1, 5), EndDate = Day(3, 3), FixedDays = new FixedDaysForm { TuesdayMinutes = 60, EveryWeeks = 2 } } } },
        });
        await admin.Capacity.HoldBookingAsync(new HoldBookingRequest
        {
            Parent = ada,
            BookingId = "workshop",
            Booking = new Booking { ClientCompany = bolt, Steps = { new BookingStep { StartDate = Day(2, 10), EndDate = Day(2, 11), Dated = new DatedForm { Dates = { new DatedForm.Types.DateMinutes { Date = Day(2, 10), Minutes = 120 } } } } } },
            Expiry = Duration.FromTimeSpan(TimeSpan.FromDays(1)),
        });
        await admin.Capacity.BookAsync(new BookRequest
        {
            Parent = bob,
            BookingId = "monthly",
            Booking = new Booking { ClientCompany = bolt, Steps = { new BookingStep { StartDate = Day(2, 1), PerPeriod = new PerPeriodForm { Minutes = 600, BillCycleDay = 1, PeriodMonths = 1 } } } },
        });
        await admin.Cmos.AddTimeOffAsync(new AddTimeOffRequest { Name = ada, TimeOff = new TimeOff { TimeOffId = "ski", StartDate = Day(2, 2), EndDate = Day(2, 4), Kind = TimeOff.Types.Kind.WholeDays } });
        await admin.Cmos.AddTimeOffAsync(new AddTimeOffRequest { Name = ada, TimeOff = new TimeOff { TimeOffId = "dentist", StartDate = Day(3, 9), EndDate = Day(3, 10), Kind = TimeOff.Types.Kind.Minutes, MinutesPerDay = 90 } });
        await admin.Cmos.AddTimeOffAsync(new AddTimeOffRequest { Name = bob, TimeOff = new TimeOff { TimeOffId = "move", StartDate = Day(2, 16), EndDate = Day(2, 17), Kind = TimeOff.Types.Kind.HalfDays } });
        await admin.Agencies.SetHolidayCalendarAsync(new SetHolidayCalendarRequest { Name = $"{agency.Name}/holidayCalendars/us", Days = { Day(1, 20) } });
        await admin.Cmos.SetHolidaysAsync(new SetHolidaysRequest { Name = ada, HolidayRegion = new HolidayRegion { EffectiveDate = Day(1, 5), Region = "us" } });
        await admin.Engagements.RequestCoverAsync(new RequestCoverRequest
        {
            Name = launch,
            Cover = new Cover { CoverId = "flu", AwayCmo = ada, CoveringCmo = bob, Dates = { new CoverDate { Date = Day(1, 6), Minutes = 240 } } },
        });
        await (await agency.As(Role.ClientApprover, client: "acme")).Engagements.ConsentToCoverAsync(new ConsentToCoverRequest { Name = launch, CoverId = "flu", PersonId = "ceo" });
        await admin.Engagements.AgreeToCoverAsync(new AgreeToCoverRequest { Name = launch, CoverId = "flu", Cmo = bob });
        await admin.Engagements.BookCoverAsync(new BookCoverRequest { Name = launch, CoverId = "flu" });
        return agency;
    }

    private async Task<(HttpStatusCode Status, string Body)> Get(string path)
    {
        using var http = platform.Json("");
        using var answer = await http.GetAsync(path);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    private async Task<Ical.Net.Calendar> Read(CalendarLink link)
    {
        var (status, body) = await Get(link.Path);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.All(body.Split("\r\n"), line => Assert.InRange(System.Text.Encoding.UTF8.GetByteCount(line), 0, 75));
        return Ical.Net.Calendar.Load(body)!;
    }

    private static AsyncUnaryCall<CalendarLink> Create(AgencyPlatformClient client, TestAgency agency, string cmo) => client.Calendars.CreateCalendarLinkAsync(new CreateCalendarLinkRequest
    {
        Parent = agency.Name,
        CalendarLink = new CalendarLink { DisplayName = "Phone", Cmo = cmo.Length > 0 ? $"{agency.Name}/cmos/{cmo}" : "" },
    });

    private static async Task<CalendarLink> Link(AgencyPlatformClient client, TestAgency agency, string cmo = "") => await Create(client, agency, cmo);

    private static string Secret(CalendarLink link) => link.Path["/calendars/".Length..^".ics".Length];

    private static CalendarEvent Of(Ical.Net.Calendar calendar, string summary) => calendar.Events.Single(e => e.Summary!.StartsWith(summary, StringComparison.Ordinal));

    /// <summary>First day, the day after the last, and what is said of them.</summary>
    private static IEnumerable<string> Shown(Ical.Net.Calendar calendar) => calendar.Events
        .Select(e => $"{e.DtStart!.Value:yyyy-MM-dd} {e.DtEnd!.Value:yyyy-MM-dd} {e.Summary} {e.Status} {e.Transparency}").Order(StringComparer.Ordinal);

    private static Date Day(int month, int day) => new() { Year = 2026, Month = month, Day = day };
}
