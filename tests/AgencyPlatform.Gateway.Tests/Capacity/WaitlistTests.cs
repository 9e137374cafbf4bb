using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Cmos.V1;
using AgencyPlatform.Protocol.Events.V1;
using Google.Protobuf.WellKnownTypes;
using Google.Type;
using Grpc.Core;

namespace AgencyPlatform.Gateway.Tests.Capacity;

/// <summary>The waitlist over the API. The sandbox's clock starts at 2026-01-05; the CMO works 2,400 minutes a week.</summary>
[Collection(PlatformFixture.Collection)]
public sealed class WaitlistTests(PlatformFixture platform)
{
    private static readonly Date s_monday = Day(5, 11);

    [Fact]
    public async Task A_refused_request_waits_is_offered_what_is_released_and_is_confirmed()
    {
        var (agency, admin) = await Full();
        var check = await admin.Capacity.CheckBookingAsync(new CheckBookingRequest { Parent = Cmo(agency), Booking = Week(agency, "bolt", 600) });
        Assert.Equal((false, 1), (check.Fits, check.WaitlistPlace));

        var first = await admin.Capacity.JoinWaitlistAsync(Join(agency, "first", "bolt", 600));
        var second = await admin.Capacity.JoinWaitlistAsync(Join(agency, "second", "coil", 900, priority: 7));
        Assert.Equal((WaitlistEntry.Types.State.Waiting, 1, null), (first.State, first.Place, first.Offer));
        Assert.Equal(1, second.Place);
        Assert.Equal(second, await admin.Capacity.GetWaitlistEntryAsync(new GetWaitlistEntryRequest { Name = second.Name }));
        Assert.Equal(["second", "first"], await List(agency, admin));

        await admin.Capacity.ReleaseBookingAsync(new ReleaseBookingRequest { Name = $"{Cmo(agency)}/bookings/all" });

        var offered = await admin.Capacity.GetWaitlistEntryAsync(new GetWaitlistEntryRequest { Name = first.Name });
        Assert.Equal((WaitlistEntry.Types.State.Offered, 0), (offered.State, offered.Place));
        Assert.Equal($"{Cmo(agency)}/bookings/first", offered.Offer.Name);
        Assert.Equal(Timestamp.FromDateTime(new System.DateTime(2026, 1, 6, 9, 0, 0, DateTimeKind.Utc)), offered.Offer.ExpireTime);
        Assert.Equal(Booking.Types.State.Confirmed, (await admin.Capacity.ConfirmBookingAsync(new ConfirmBookingRequest { Name = offered.Offer.Name })).State);
        Assert.Equal(StatusCode.NotFound, (await Refused.By(admin.Capacity.GetWaitlistEntryAsync(new GetWaitlistEntryRequest { Name = first.Name }))).StatusCode);
        var feed = await admin.Events.ListEventsAsync(new ListEventsRequest { Parent = agency.Name, Type = "cmo.waitlist-offered" });
        Assert.Equal(["second", "first"], feed.Events.Select(e => e.Payload.Fields["id"].StringValue));
    }

    [Fact]
    public async Task Time_alone_offers_lets_offers_lapse_and_takes_off_those_whose_start_has_come()
    {
        var (agency, admin) = await Full(hold: Duration.FromTimeSpan(TimeSpan.FromDays(2)));
        await admin.Capacity.JoinWaitlistAsync(Join(agency, "first", "bolt", 2400));
        await admin.Capacity.JoinWaitlistAsync(Join(agency, "second", "coil", 2400));
        await admin.Capacity.JoinWaitlistAsync(Join(agency, "never", "coil", 2401));

        // Nobody asks this CMO anything: its deadlines wake it.
        await agency.AdvanceTo(new System.DateTime(2026, 5, 12, 0, 0, 0, DateTimeKind.Utc));

        var feed = await admin.Events.ListEventsAsync(new ListEventsRequest { Parent = agency.Name, Kind = "cmo", AggregateId = "ada", PageSize = 100 });
        Assert.Equal(
            [
                ("cmo.hold-expired", "all", "2026-01-07T09:00:00Z"), ("cmo.waitlist-offered", "first", "2026-01-07T09:00:00Z"), ("cmo.booking-held", "first", "2026-01-07T09:00:00Z"),
                ("cmo.hold-expired", "first", "2026-01-08T09:00:00Z"), ("cmo.waitlist-offered", "second", "2026-01-08T09:00:00Z"), ("cmo.booking-held", "second", "2026-01-08T09:00:00Z"),
                ("cmo.hold-expired", "second", "2026-01-09T09:00:00Z"), ("cmo.waitlist-left", "never", "2026-05-10T22:00:00Z"),
            ],
            feed.Events.SkipWhile(e => e.Type != "cmo.hold-expired").Select(e => (e.Type, e.Payload.Fields["id"].StringValue, e.OccurTime.ToDateTime().ToString("yyyy-MM-ddTHH:mm:ssZ", null))));
        Assert.Empty(await List(agency, admin));
    }

    [Fact]
    public async Task A_competitor_that_is_dropped_lets_in_who_waits_for_that()
    {
        var (agency, admin) = await Full(minutes: 60);
        var acme = $"{agency.Name}/clientCompanies/acme";
        await admin.Clients.SetCompetitorsAsync(new SetCompetitorsRequest { Name = acme, Competitors = { $"{agency.Name}/clientCompanies/bolt" } });
        Assert.Equal(1, (await admin.Capacity.JoinWaitlistAsync(Join(agency, "waits", "bolt", 60))).Place);

        await admin.Clients.SetCompetitorsAsync(new SetCompetitorsRequest { Name = acme });

        Assert.Equal(WaitlistEntry.Types.State.Offered, (await admin.Capacity.GetWaitlistEntryAsync(new GetWaitlistEntryRequest { Name = $"{Cmo(agency)}/waitlistEntries/waits" })).State);
    }

    [Fact]
    public async Task A_list_is_paged_in_its_order_and_filtered()
    {
        var (agency, admin) = await Full();
        for (var i = 0; i < 12; i++)
        {
            await admin.Capacity.JoinWaitlistAsync(Join(agency, $"e{i}", i % 2 == 0 ? "bolt" : "coil", 60, priority: i == 11 ? 100 : 0));
        }

        Assert.Equal(["e11", "e0", "e1", "e2", "e3", "e4", "e5", "e6", "e7", "e8", "e9", "e10"], await List(agency, admin, size: 5));
        Assert.Equal(["e0", "e2", "e4", "e6", "e8", "e10"], await List(agency, admin, size: 5, client: "bolt"));
        var own = await agency.As(Role.Cmo, cmo: "ada");
        Assert.Equal(12, (await List(agency, own)).Count);
    }

    [Fact]
    public async Task Every_bad_field_is_named_at_once()
    {
        var (agency, admin) = await Full();

        var error = await Refused.By(admin.Capacity.JoinWaitlistAsync(new JoinWaitlistRequest
        {
            Parent = Cmo(agency),
            WaitlistEntryId = "No!",
            Booking = new Booking { ClientCompany = "acme", Steps = { new BookingStep { StartDate = s_monday, EndDate = s_monday, Flexible = new FlexibleForm { WeeklyMinutes = 0 } } } },
            Priority = 101,
            OfferExpiry = Duration.FromTimeSpan(TimeSpan.FromDays(31)),
            RequestId = "x",
        }));

        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        Assert.Equal(
            ["booking.client_company", "booking.steps[0].end_date", "booking.steps[0].flexible.weekly_minutes", "offer_expiry", "priority", "request_id", "waitlist_entry_id"],
            error.FieldViolations.Select(v => v.Field).Order(StringComparer.Ordinal));
        Assert.Equal("offer_expiry", Assert.Single((await Refused.By(admin.Capacity.JoinWaitlistAsync(Join(agency, "x", "bolt", 60, expiry: TimeSpan.Zero)))).FieldViolations).Field);
        var bare = Join(agency, "x", "bolt", 60);
        bare.OfferExpiry = null;
        Assert.Contains("offer_expiry", (await Refused.By(admin.Capacity.JoinWaitlistAsync(bare))).FieldViolations.Select(v => v.Field));
        Assert.Equal("state", Assert.Single((await Refused.By(admin.Capacity.ListWaitlistEntriesAsync(
            new ListWaitlistEntriesRequest { Parent = Cmo(agency), State = (WaitlistEntry.Types.State)9 }))).FieldViolations).Field);
        Assert.Equal("priority", Assert.Single((await Refused.By(admin.Capacity.CheckBookingAsync(
            new CheckBookingRequest { Parent = Cmo(agency), Booking = Week(agency, "bolt", 60), Priority = -1 }))).FieldViolations).Field);
    }

    [Fact]
    public async Task What_cannot_wait_is_refused_with_its_reason()
    {
        var (agency, admin) = await Full();
        var past = Join(agency, "past", "bolt", 60);
        past.Booking.Steps[0] = new BookingStep { StartDate = Day(1, 5), EndDate = Day(1, 12), Flexible = new FlexibleForm { WeeklyMinutes = 60 } };
        await admin.Capacity.JoinWaitlistAsync(Join(agency, "there", "bolt", 60));

        Assert.Equal("START_HAS_COME", (await Refused.By(admin.Capacity.JoinWaitlistAsync(past))).Reason);
        var twice = await Refused.By(admin.Capacity.JoinWaitlistAsync(Join(agency, "there", "bolt", 60)));
        Assert.Equal((StatusCode.AlreadyExists, true), (twice.StatusCode, twice.Message.Contains("waitlist_entry 'there'", StringComparison.Ordinal)));
        Assert.Equal(StatusCode.AlreadyExists, (await Refused.By(admin.Capacity.JoinWaitlistAsync(Join(agency, "all", "bolt", 60)))).StatusCode);
        Assert.Equal(StatusCode.NotFound, (await Refused.By(admin.Capacity.JoinWaitlistAsync(Join(agency, "x", "nobody", 60)))).StatusCode);
        Assert.Equal(StatusCode.NotFound, (await Refused.By(admin.Capacity.LeaveWaitlistAsync(new LeaveWaitlistRequest { Name = $"{Cmo(agency)}/waitlistEntries/x" }))).StatusCode);
        await admin.Capacity.LeaveWaitlistAsync(new LeaveWaitlistRequest { Name = $"{Cmo(agency)}/waitlistEntries/there" });
        Assert.Empty(await List(agency, admin));
    }

    [Fact]
    public async Task Asking_whether_one_could_join_changes_nothing_and_a_repeat_counts_once()
    {
        var (agency, admin) = await Full();
        var join = Join(agency, "", "bolt", 60);
        join.RequestId = Guid.CreateVersion7().ToString();
        join.ValidateOnly = true;
        Assert.Equal(1, (await admin.Capacity.JoinWaitlistAsync(join)).Place);
        Assert.Empty(await List(agency, admin));

        join.ValidateOnly = false;
        var joined = await admin.Capacity.JoinWaitlistAsync(join);
        Assert.Equal(joined, await admin.Capacity.JoinWaitlistAsync(join));
        Assert.Single(await List(agency, admin));
    }

    [Fact]
    public async Task A_request_for_any_of_two_CMOs_is_offered_by_the_first_to_have_room()
    {
        var (agency, admin) = await Full();
        await admin.Cmos.CreateCmoAsync(new CreateCmoRequest { Parent = agency.Name, CmoId = "bob", Cmo = Person("Bob") });
        await admin.Capacity.BookAsync(new BookRequest { Parent = $"{agency.Name}/cmos/bob", BookingId = "all", Booking = Week(agency, "acme", 2400) });
        var create = new CreateCapacityRequestRequest
        {
            Parent = agency.Name,
            CapacityRequestId = "either",
            Booking = Week(agency, "bolt", 600),
            Cmos = { Cmo(agency), $"{agency.Name}/cmos/bob" },
            OfferExpiry = Duration.FromTimeSpan(TimeSpan.FromDays(1)),
        };
        var made = await admin.Capacity.CreateCapacityRequestAsync(create);
        Assert.Equal((CapacityRequest.Types.State.Waiting, ""), (made.State, made.Offer));
        await agency.AdvanceTo(new System.DateTime(2026, 1, 5, 10, 0, 0, DateTimeKind.Utc));
        var entry = await admin.Capacity.GetWaitlistEntryAsync(new GetWaitlistEntryRequest { Name = $"{Cmo(agency)}/waitlistEntries/either" });
        Assert.Equal((made.Name, 1), (entry.CapacityRequest, entry.Place));

        await admin.Capacity.ReleaseBookingAsync(new ReleaseBookingRequest { Name = $"{agency.Name}/cmos/bob/bookings/all" });
        await agency.AdvanceTo(new System.DateTime(2026, 1, 5, 11, 0, 0, DateTimeKind.Utc));

        var offered = await admin.Capacity.GetCapacityRequestAsync(new GetCapacityRequestRequest { Name = made.Name });
        Assert.Equal((CapacityRequest.Types.State.Offered, $"{agency.Name}/cmos/bob/bookings/either"), (offered.State, offered.Offer));
        Assert.Equal(
            [CapacityRequest.Types.Candidate.Types.State.Left, CapacityRequest.Types.Candidate.Types.State.Offering], offered.Candidates.Select(c => c.State));
        Assert.Empty(await List(agency, admin));
        Assert.Equal(Booking.Types.State.Confirmed, (await admin.Capacity.ConfirmBookingAsync(new ConfirmBookingRequest { Name = offered.Offer })).State);
        Assert.Equal("CAPACITY_REQUEST_OVER", (await Refused.By(admin.Capacity.WithdrawCapacityRequestAsync(new WithdrawCapacityRequestRequest { Name = made.Name }))).Reason);
        Assert.Equal(StatusCode.AlreadyExists, (await Refused.By(admin.Capacity.CreateCapacityRequestAsync(create))).StatusCode);
    }

    [Fact]
    public async Task Bad_fields_of_a_request_for_any_of_several_CMOs_are_named_at_once()
    {
        var (agency, admin) = await Full();

        var error = await Refused.By(admin.Capacity.CreateCapacityRequestAsync(new CreateCapacityRequestRequest
        {
            Parent = agency.Name,
            CapacityRequestId = "-",
            Booking = Week(agency, "bolt", 0),
            Cmos = { Cmo(agency), Cmo(agency), "ada" },
            Priority = -1,
        }));

        Assert.Equal(
            ["booking.steps[0].flexible.weekly_minutes", "capacity_request_id", "cmos", "cmos[2]", "offer_expiry", "priority"],
            error.FieldViolations.Select(v => v.Field).Distinct().Order(StringComparer.Ordinal));
        var none = new CreateCapacityRequestRequest { Parent = agency.Name, Booking = Week(agency, "bolt", 60), OfferExpiry = Duration.FromTimeSpan(TimeSpan.FromDays(1)) };
        Assert.Equal("cmos", Assert.Single((await Refused.By(admin.Capacity.CreateCapacityRequestAsync(none))).FieldViolations).Field);
        none.Cmos.Add($"{agency.Name}/cmos/nobody");
        Assert.Equal(StatusCode.NotFound, (await Refused.By(admin.Capacity.CreateCapacityRequestAsync(none))).StatusCode);
        Assert.Equal(StatusCode.NotFound, (await Refused.By(admin.Capacity.GetCapacityRequestAsync(new GetCapacityRequestRequest { Name = $"{agency.Name}/capacityRequests/none" }))).StatusCode);
    }

    private static string Cmo(TestAgency agency) => $"{agency.Name}/cmos/ada";

    private static Booking Week(TestAgency agency, string client, int minutes) => new()
    {
        ClientCompany = $"{agency.Name}/clientCompanies/{client}",
        Steps = { new BookingStep { StartDate = s_monday, EndDate = Day(5, 18), Flexible = new FlexibleForm { WeeklyMinutes = minutes } } },
    };

    private static JoinWaitlistRequest Join(TestAgency agency, string id, string client, int minutes, int priority = 0, TimeSpan? expiry = null) => new()
    {
        Parent = Cmo(agency),
        WaitlistEntryId = id,
        Booking = Week(agency, client, minutes),
        Priority = priority,
        OfferExpiry = Duration.FromTimeSpan(expiry ?? TimeSpan.FromDays(1)),
    };

    /// <summary>The ids of the list, page by page.</summary>
    private static async Task<List<string>> List(TestAgency agency, AgencyPlatformClient caller, int size = 0, string client = "")
    {
        var ids = new List<string>();
        var request = new ListWaitlistEntriesRequest { Parent = Cmo(agency), PageSize = size, ClientCompany = client.Length == 0 ? "" : $"{agency.Name}/clientCompanies/{client}" };
        do
        {
            var page = await caller.Capacity.ListWaitlistEntriesAsync(request);
            ids.AddRange(page.WaitlistEntries.Select(e => e.Name[(e.Name.LastIndexOf('/') + 1)..]));
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        return ids;
    }

    /// <summary>A CMO whose week is promised to acme, confirmed or held.</summary>
    private async Task<(TestAgency Agency, AgencyPlatformClient Admin)> Full(Duration? hold = null, int minutes = 2400)
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();
        await admin.Cmos.CreateCmoAsync(new CreateCmoRequest
        {
            Parent = agency.Name,
            CmoId = "ada",
            Cmo = Person("Ada"),
        });
        foreach (var client in new[] { "acme", "bolt", "coil" })
        {
            await admin.Clients.CreateClientCompanyAsync(new CreateClientCompanyRequest
            {
                Parent = agency.Name,
                ClientCompanyId = client,
                ClientCompany = new ClientCompany { DisplayName = client, TimeZone = "Europe/Berlin" },
            });
        }

        var booking = Week(agency, "acme", minutes);
        _ = hold is null
            ? await admin.Capacity.BookAsync(new BookRequest { Parent = Cmo(agency), BookingId = "all", Booking = booking })
            : await admin.Capacity.HoldBookingAsync(new HoldBookingRequest { Parent = Cmo(agency), BookingId = "all", Booking = booking, Expiry = hold });
        return (agency, admin);
    }

    private static Cmo Person(string name) => new()
    {
        DisplayName = name,
        TimeZone = "Europe/Berlin",
        MaxClients = 5,
        WorkingPatterns = { new WorkingPattern { EffectiveDate = new Date { Year = 2020, Month = 1, Day = 1 }, MondayMinutes = 480, TuesdayMinutes = 480, WednesdayMinutes = 480, ThursdayMinutes = 480, FridayMinutes = 480 } },
    };

    private static Date Day(int month, int day) => new() { Year = 2026, Month = month, Day = day };
}
