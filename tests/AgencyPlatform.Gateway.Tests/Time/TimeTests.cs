using AgencyPlatform.Client;
using AgencyPlatform.Domain;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Cmos.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using AgencyPlatform.Protocol.Time.V1;
using Google.Type;
using Grpc.Core;
using Money = AgencyPlatform.Protocol.Type.V1.Money;

namespace AgencyPlatform.Gateway.Tests.Time;

/// <summary>Worked time through the public API. The sandbox's clock stands at Monday 5 January 2026, 09:00 UTC.</summary>
[Collection(PlatformFixture.Collection)]
public sealed class TimeTests(PlatformFixture platform)
{
    private static readonly Date s_monday = new() { Year = 2026, Month = 1, Day = 5 };

    [Fact]
    public async Task Logged_submitted_and_approved_time_draws_on_the_retainer_once()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, Retainer(OverageGate.Bill));
        var time = admin.Service<TimeService.TimeServiceClient>();
        var sheet = agency.Name + "/cmos/ada/timesheets/2026-w02";
        var own = (await agency.As(Role.Cmo, cmo: "ada")).Service<TimeService.TimeServiceClient>();
        var logged = await own.LogTimeAsync(Log(agency, sheet, ("a", 80), ("b", 40)));
        Assert.All(logged.Entries, e => Assert.Equal(TimeEntryState.Draft, e.State));
        await own.SubmitTimesheetAsync(new SubmitTimesheetRequest { Name = sheet });

        var request = new ApproveEntriesRequest { Name = sheet, RequestId = Guid.CreateVersion7().ToString() };
        var approved = await time.ApproveEntriesAsync(request);
        Assert.Equal(["a", "b"], approved.Results.Where(r => r.Approved).Select(r => r.EntryId));
        Assert.Equal(approved, await time.ApproveEntriesAsync(request));
        await time.ApproveEntriesAsync(new ApproveEntriesRequest { Name = sheet, EntryIds = { "a" } });

        var meter = await time.GetMeterAsync(new GetMeterRequest { Name = agency.Name + "/engagements/launch", Date = s_monday });
        Assert.Equal((100, 0, 20), (meter.Grants.Single().DrawnMinutes, meter.RemainingMinutes, meter.OverageMinutes));
        var list = await time.ListTimeEntriesAsync(new ListTimeEntriesRequest { Parent = agency.Name, State = TimeEntryState.Approved, StartDate = s_monday });
        Assert.Equal((100, 20), (list.Entries.Sum(e => e.Parts.DrawnMinutes), list.Entries.Sum(e => e.Parts.OverageMinutes)));
        Assert.Equal(sheet, list.Entries[0].Timesheet);
        Assert.Equal(2, (await time.GetTimesheetAsync(new GetTimesheetRequest { Name = sheet })).Entries.Count(e => e.State == TimeEntryState.Approved));
    }

    [Fact]
    public async Task An_entry_over_the_gate_stays_submitted_with_the_reason_and_the_others_are_approved()
    {
        var agency = await platform.NewAgency();
        var time = (await ActiveEngagement.Create(agency, Retainer(OverageGate.Block))).Service<TimeService.TimeServiceClient>();
        var sheet = agency.Name + "/cmos/ada/timesheets/2026-w02";
        await time.LogTimeAsync(Log(agency, sheet, ("a", 80), ("b", 40)));
        await time.SubmitTimesheetAsync(new SubmitTimesheetRequest { Name = sheet });
        var results = (await time.ApproveEntriesAsync(new ApproveEntriesRequest { Name = sheet })).Results;
        Assert.True(results[0].Approved);
        Assert.Equal((false, Reasons.MeterExhausted, "20"), (results[1].Approved, results[1].Reason, results[1].Metadata["missing_minutes"]));
    }

    [Fact]
    public async Task Hourly_time_is_charged()
    {
        var agency = await platform.NewAgency();
        var hourly = new Terms { Seller = agency.Name + "/legalEntities/main", Currency = "USD", BillCycleDay = 1, Hourly = new HourlyTerms { HourlyRate = new Money { MinorUnits = 25_000, Currency = "USD" } } };
        var time = (await ActiveEngagement.Create(agency, _ => hourly)).Service<TimeService.TimeServiceClient>();
        var sheet = agency.Name + "/cmos/ada/timesheets/2026-w02";
        await time.LogTimeAsync(Log(agency, sheet, ("a", 80)));
        await time.SubmitTimesheetAsync(new SubmitTimesheetRequest { Name = sheet });
        Assert.Equal(80, (await time.ApproveEntriesAsync(new ApproveEntriesRequest { Name = sheet })).Timesheet.Entries.Single().Parts.ChargedMinutes);
        Assert.Equal(80, (await time.GetMeterAsync(new GetMeterRequest { Name = agency.Name + "/engagements/launch", Date = s_monday })).ChargedMinutes);
    }

    [Fact]
    public async Task A_client_consents_to_parked_minutes_and_to_no_more()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, Retainer(OverageGate.Consent));
        var time = admin.Service<TimeService.TimeServiceClient>();
        var (sheet, engagement) = (agency.Name + "/cmos/ada/timesheets/2026-w02", agency.Name + "/engagements/launch");
        await time.LogTimeAsync(Log(agency, sheet, ("a", 80), ("b", 50)));
        await time.SubmitTimesheetAsync(new SubmitTimesheetRequest { Name = sheet });
        await time.ApproveEntriesAsync(new ApproveEntriesRequest { Name = sheet });
        Assert.Equal(30, (await time.GetMeterAsync(new GetMeterRequest { Name = engagement, Date = s_monday })).ParkedMinutesInAll);
        Assert.Equal(30, (await admin.Engagements.GetEngagementAsync(new() { Name = engagement })).ParkedMinutes);

        await (await agency.Admin()).Clients.CreateClientCompanyAsync(new CreateClientCompanyRequest
        {
            Parent = agency.Name,
            ClientCompanyId = "bolt",
            ClientCompany = new ClientCompany { DisplayName = "Bolt", TimeZone = "America/New_York" },
        });
        var stranger = (await agency.As(Role.ClientApprover, client: "bolt")).Service<TimeService.TimeServiceClient>();
        Assert.Equal(StatusCode.NotFound, (await Refused.By(stranger.ConsentToOverageAsync(new ConsentToOverageRequest { Name = engagement, Minutes = 10 }))).StatusCode);
        var approver = (await agency.As(Role.ClientApprover, client: "acme")).Service<TimeService.TimeServiceClient>();
        var tooMuch = await Refused.By(approver.ConsentToOverageAsync(new ConsentToOverageRequest { Name = engagement, Minutes = 31 }));
        Assert.Equal((Reasons.ConsentExceedsParked, "30"), (tooMuch.Reason, tooMuch.Metadata["parked_minutes"]));
        Assert.Equal(["minutes"], (await Refused.By(approver.ConsentToOverageAsync(new ConsentToOverageRequest { Name = engagement }))).FieldViolations.Select(f => f.Field));

        var request = new ConsentToOverageRequest { Name = engagement, Minutes = 20, Note = "As agreed", RequestId = Guid.CreateVersion7().ToString() };
        var consent = await approver.ConsentToOverageAsync(request);
        Assert.Equal((sheet, "b", 20, 10), (consent.Entries.Single().Timesheet, consent.Entries.Single().EntryId, consent.Entries.Single().Minutes, consent.ParkedMinutes));
        await approver.ConsentToOverageAsync(new ConsentToOverageRequest { Name = engagement, Minutes = 10 });
        Assert.Equal(consent, await approver.ConsentToOverageAsync(request));
        var meter = await time.GetMeterAsync(new GetMeterRequest { Name = engagement, Date = s_monday });
        Assert.Equal((30, 0, 0), (meter.OverageMinutes, meter.ParkedMinutes, meter.ParkedMinutesInAll));
        Assert.Equal(0, (await admin.Engagements.GetEngagementAsync(new() { Name = engagement })).ParkedMinutes);
    }

    [Fact]
    public async Task What_a_period_leaves_is_carried_when_time_has_come()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, a => With(Retainer(OverageGate.Consent)(a), new Rollover { CapMinutes = 60, Periods = 2, MaxCarriedMinutes = 90 }));
        var time = admin.Service<TimeService.TimeServiceClient>();
        var sheet = agency.Name + "/cmos/ada/timesheets/2026-w02";
        await time.LogTimeAsync(Log(agency, sheet, ("a", 80)));
        await time.SubmitTimesheetAsync(new SubmitTimesheetRequest { Name = sheet });
        await time.ApproveEntriesAsync(new ApproveEntriesRequest { Name = sheet });

        await agency.AdvanceTo(new System.DateTime(2026, 3, 6, 12, 0, 0, DateTimeKind.Utc));

        async Task<(string, int)[]> Grants(int month) =>
            [.. (await time.GetMeterAsync(new GetMeterRequest { Name = agency.Name + "/engagements/launch", Date = new Date { Year = 2026, Month = month, Day = 6 } })).Grants.Select(g => (g.GrantId, g.RemainingMinutes))];
        Assert.Equal([("carried-2026-02-05", 20), ("included-2026-02-05", 40), ("carried-2026-03-05", 60)], await Grants(2));
        Assert.Equal([("carried-2026-02-05", 20), ("carried-2026-03-05", 60), ("included-2026-03-05", 100)], await Grants(3));
        var events = await admin.Service<AgencyPlatform.Protocol.Events.V1.EventsService.EventsServiceClient>().ListEventsAsync(
            new AgencyPlatform.Protocol.Events.V1.ListEventsRequest { Parent = agency.Name, PageSize = 1000 });
        Assert.Equal(
            ["period-opened", "minutes-carried", "period-opened", "minutes-carried", "grant-expired", "period-opened"],
            events.Events.Select(e => e.Type.Split('.')[^1]).Where(t => t is "period-opened" or "minutes-carried" or "grant-expired"));
    }

    [Fact]
    public async Task A_rollover_that_cannot_be_is_named_field_by_field()
    {
        var agency = await platform.NewAgency();
        var refused = await Assert.ThrowsAsync<ApiException>(() => ActiveEngagement.Create(
            agency, a => With(Retainer(OverageGate.Consent)(a), new Rollover { CapMinutes = 0, Periods = 37, MaxCarriedMinutes = -1, Priority = 100 })));
        Assert.Equal(
            ["cap_minutes", "max_carried_minutes", "periods", "priority"],
            refused.FieldViolations.Select(f => f.Field["engagement.terms[0].retainer.rollover.".Length..]).Order(StringComparer.Ordinal));
    }

    private static Terms With(Terms terms, Rollover rollover)
    {
        terms.Retainer.Rollover = rollover;
        return terms;
    }

    [Fact]
    public async Task Every_bad_field_is_named_and_other_CMOs_time_is_not_there()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, Retainer(OverageGate.Bill));
        var time = admin.Service<TimeService.TimeServiceClient>();
        var bad = await Refused.By(time.LogTimeAsync(new LogTimeRequest
        {
            Name = agency.Name + "/cmos/ada/timesheets/2026-w02",
            Entries = { new TimeEntry { EntryId = "A", Engagement = "launch", Date = new Date { Year = 2026, Month = 2, Day = 1 }, Minutes = 1_441 } },
        }));
        Assert.Equal(StatusCode.InvalidArgument, bad.StatusCode);
        Assert.Equal(
            ["entries[0].date", "entries[0].engagement", "entries[0].entry_id", "entries[0].minutes"], bad.FieldViolations.Select(f => f.Field).Order(StringComparer.Ordinal));
        Assert.Equal(StatusCode.InvalidArgument, (await Refused.By(time.GetTimesheetAsync(new GetTimesheetRequest { Name = agency.Name + "/cmos/ada/timesheets/2026-w60" }))).StatusCode);

        var bob = (await agency.As(Role.Cmo, cmo: "bob")).Service<TimeService.TimeServiceClient>();
        Assert.Equal(StatusCode.NotFound, (await Refused.By(bob.LogTimeAsync(Log(agency, agency.Name + "/cmos/ada/timesheets/2026-w02", ("a", 80))))).StatusCode);
        Assert.Equal(StatusCode.NotFound, (await Refused.By(bob.GetMeterAsync(new GetMeterRequest { Name = agency.Name + "/engagements/launch", Date = s_monday }))).StatusCode);
    }

    private static Func<TestAgency, Terms> Retainer(OverageGate gate) => agency => new Terms
    {
        Seller = agency.Name + "/legalEntities/main",
        Currency = "USD",
        BillCycleDay = 5,
        Retainer = new RetainerTerms
        {
            Fee = new Money { MinorUnits = 800_000, Currency = "USD" },
            IncludedMinutes = 100,
            OverageHourlyRate = new Money { MinorUnits = 25_000, Currency = "USD" },
            OverageGate = gate,
            FeeTiming = FeeTiming.InAdvance,
        },
    };

    private static LogTimeRequest Log(TestAgency agency, string sheet, params (string Id, int Minutes)[] entries) => new()
    {
        Name = sheet,
        Entries = { entries.Select(e => new TimeEntry { EntryId = e.Id, Engagement = agency.Name + "/engagements/launch", Date = s_monday, Minutes = e.Minutes }) },
    };
}
