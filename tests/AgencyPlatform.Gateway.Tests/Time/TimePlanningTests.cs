using AgencyPlatform.Client;
using AgencyPlatform.Domain;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using AgencyPlatform.Protocol.Events.V1;
using AgencyPlatform.Protocol.Time.V1;
using Google.Protobuf.WellKnownTypes;
using Google.Type;
using Grpc.Core;
using Money = AgencyPlatform.Protocol.Type.V1.Money;

namespace AgencyPlatform.Gateway.Tests.Time;

/// <summary>Weeks as booked, rows and files, reports, and the meter ahead and before, through the public API. The sandbox's clock stands at Monday 5 January 2026, 09:00 UTC.</summary>
[Collection(PlatformFixture.Collection)]
public sealed class TimePlanningTests(PlatformFixture platform)
{
    private static readonly System.DateTime s_friday = new(2026, 1, 9, 22, 0, 0, DateTimeKind.Utc);

    /// <summary>Ada works 8 h on Mondays and Tuesdays; 600 a week are booked for Acme and 100 for Bolt.</summary>
    [Fact]
    public async Task A_week_of_several_clients_is_proposed_from_bookings_and_logged_as_planned_in_one_call()
    {
        var agency = await platform.NewAgency();
        var time = (await ActiveEngagement.Create(agency, Retainer)).Service<TimeService.TimeServiceClient>();
        await ActiveEngagement.Create(agency, Retainer, client: "bolt", engagement: "advice", weeklyMinutes: 101);
        var ada = (await agency.As(Role.Cmo, cmo: "ada")).Service<TimeService.TimeServiceClient>();
        var sheet = agency.Name + "/cmos/ada/timesheets/2026-w02";

        var proposed = (await ada.PrefillTimesheetAsync(new PrefillTimesheetRequest { Name = sheet })).Entries;
        Assert.Equal([("advice", 5, 51), ("launch", 5, 300), ("advice", 6, 50), ("launch", 6, 300)], proposed.Select(e => (e.Engagement.Split('/')[^1], e.Date.Day, e.Minutes)));
        using (var json = platform.Json(await agency.Key(Role.AgencyAdmin)))
        {
            Assert.Contains("planned-1-launch", await json.GetStringAsync($"/v1/{sheet}:prefill"), StringComparison.Ordinal);
        }

        Assert.Equal(StatusCode.NotFound, (await Refused.By(ada.GetTimesheetAsync(new GetTimesheetRequest { Name = sheet }))).StatusCode);
        Assert.Equal(Reasons.TimeInFuture, (await Refused.By(ada.LogAsPlannedAsync(new LogAsPlannedRequest { Name = sheet }))).Reason);

        await agency.AdvanceTo(s_friday);
        await ada.LogTimeAsync(new LogTimeRequest { Name = sheet, Entries = { new TimeEntry { EntryId = "own", Engagement = agency.Name + "/engagements/launch", Date = ActiveEngagement.Monday, Minutes = 200 } } });
        var request = new LogAsPlannedRequest { Name = sheet, RequestId = Guid.CreateVersion7().ToString() };
        var logged = await ada.LogAsPlannedAsync(request);
        Assert.Equal(
            [("own", TimeEntryState.Draft, 200), ("planned-1-advice", TimeEntryState.Submitted, 51), ("planned-2-advice", TimeEntryState.Submitted, 50), ("planned-2-launch", TimeEntryState.Submitted, 300)],
            logged.Entries.Select(e => (e.EntryId, e.State, e.Minutes)));
        Assert.Equal(logged, await ada.LogAsPlannedAsync(request));
        Assert.Equal(logged.Entries, (await ada.LogAsPlannedAsync(new LogAsPlannedRequest { Name = sheet })).Entries);
        Assert.Empty((await ada.PrefillTimesheetAsync(new PrefillTimesheetRequest { Name = sheet })).Entries);
        Assert.All((await time.ApproveEntriesAsync(new ApproveEntriesRequest { Name = sheet })).Results, r => Assert.True(r.Approved));

        var bob = (await agency.As(Role.Cmo, cmo: "bob")).Service<TimeService.TimeServiceClient>();
        Assert.Equal(StatusCode.NotFound, (await Refused.By(bob.PrefillTimesheetAsync(new PrefillTimesheetRequest { Name = sheet }))).StatusCode);
        Assert.Equal(StatusCode.NotFound, (await Refused.By(bob.LogAsPlannedAsync(new LogAsPlannedRequest { Name = sheet }))).StatusCode);
        Assert.Equal(Reasons.NothingPlanned, (await Refused.By(bob.LogAsPlannedAsync(new LogAsPlannedRequest { Name = agency.Name + "/cmos/bob/timesheets/2026-w02" }))).Reason);
        Assert.Equal(StatusCode.NotFound, (await Refused.By(time.LogAsPlannedAsync(new LogAsPlannedRequest { Name = agency.Name + "/cmos/nobody/timesheets/2026-w02" }))).StatusCode);
        Assert.Equal(StatusCode.InvalidArgument, (await Refused.By(time.PrefillTimesheetAsync(new PrefillTimesheetRequest { Name = agency.Name + "/cmos/ada/timesheets/2025-w53" }))).StatusCode);
    }

    [Fact]
    public async Task Missing_sheets_and_worked_against_booked_are_listed_page_by_page()
    {
        var agency = await platform.NewAgency();
        var time = (await ActiveEngagement.Create(agency, Retainer)).Service<TimeService.TimeServiceClient>();
        await ActiveEngagement.Create(agency, Retainer, client: "bolt", cmo: "bob", engagement: "advice", weeklyMinutes: 120);
        await ActiveEngagement.CreateCmo(agency, "cy");
        await agency.AdvanceTo(new System.DateTime(2026, 2, 2, 4, 0, 0, DateTimeKind.Utc)); // Sunday evening in New York: week 5 is not over

        string Sheet(string cmo, int week) => $"{agency.Name}/cmos/{cmo}/timesheets/2026-w{week:00}";
        await time.LogAsPlannedAsync(new LogAsPlannedRequest { Name = Sheet("ada", 2) });
        await time.ReportNothingWorkedAsync(new ReportNothingWorkedRequest { Name = Sheet("ada", 3) });
        await time.LogTimeAsync(new LogTimeRequest
        {
            Name = Sheet("bob", 2),
            Entries = { new TimeEntry { EntryId = "a", Engagement = agency.Name + "/engagements/advice", Date = ActiveEngagement.Monday, Minutes = 45 } },
        });
        await time.LogTimeAsync(new LogTimeRequest { Name = Sheet("cy", 2), Entries = { Internal("pitch") } });
        await time.SubmitTimesheetAsync(new SubmitTimesheetRequest { Name = Sheet("cy", 2) });
        Assert.True((await time.ApproveEntriesAsync(new ApproveEntriesRequest { Name = Sheet("cy", 2) })).Results.Single().Approved);

        var missing = await Paged<MissingTimesheet>(async token =>
        {
            var page = await time.ListMissingTimesheetsAsync(new ListMissingTimesheetsRequest { Parent = agency.Name, StartWeek = "2026-w01", EndWeek = "2026-w06", PageSize = 2, PageToken = token });
            return (page.Timesheets, page.NextPageToken);
        });
        Assert.Equal(
            [(Sheet("ada", 4), 600, 0), (Sheet("bob", 2), 120, 45), (Sheet("bob", 3), 120, 0), (Sheet("bob", 4), 120, 0)],
            missing.Select(m => (m.Timesheet, m.BookedMinutes, m.UnsubmittedMinutes)));

        var compared = await Paged<WorkedAgainstBooked>(async token =>
        {
            var page = await time.ListWorkedAgainstBookedAsync(new ListWorkedAgainstBookedRequest { Parent = agency.Name, StartWeek = "2026-w02", EndWeek = "2026-w02", PageSize = 1, PageToken = token });
            return (page.Rows, page.NextPageToken);
        });
        Assert.Equal(
            [(Sheet("ada", 2), "launch", 600, 600, 0), (Sheet("bob", 2), "advice", 120, 0, 0), (Sheet("cy", 2), "", 0, 30, 30)],
            compared.Select(r => (r.Timesheet, r.Engagement.Split('/')[^1], r.BookedMinutes, r.WorkedMinutes, r.ApprovedMinutes)));

        var idle = await time.ReportNothingWorkedAsync(new ReportNothingWorkedRequest { Name = Sheet("ada", 4) });
        Assert.True(idle.NothingWorked);
        Assert.Equal((Reasons.WeekHasEntries, "1"), await Why(time.ReportNothingWorkedAsync(new ReportNothingWorkedRequest { Name = Sheet("bob", 2) }), "entries"));
        Assert.Equal(Reasons.TimeInFuture, (await Refused.By(time.ReportNothingWorkedAsync(new ReportNothingWorkedRequest { Name = Sheet("ada", 6) }))).Reason);
        Assert.Equal(
            ["end_week", "start_week"],
            Fields(await Refused.By(time.ListMissingTimesheetsAsync(new ListMissingTimesheetsRequest { Parent = agency.Name, StartWeek = "2026-02", EndWeek = "2026-w54" }))));
        Assert.Equal(
            ["end_week", "page_size"],
            Fields(await Refused.By(time.ListWorkedAgainstBookedAsync(new ListWorkedAgainstBookedRequest { Parent = agency.Name, StartWeek = "2026-w02", EndWeek = "2026-w01", PageSize = 1_001 }))));
        var cmo = (await agency.As(Role.Cmo, cmo: "ada")).Service<TimeService.TimeServiceClient>();
        Assert.Equal(
            StatusCode.PermissionDenied, (await Refused.By(cmo.ListMissingTimesheetsAsync(new ListMissingTimesheetsRequest { Parent = agency.Name, StartWeek = "2026-w02", EndWeek = "2026-w02" }))).StatusCode);
    }

    [Fact]
    public async Task Rows_are_logged_each_for_itself_or_all_or_none_and_may_be_sent_again()
    {
        var agency = await platform.NewAgency();
        var time = (await ActiveEngagement.Create(agency, Retainer)).Service<TimeService.TimeServiceClient>();
        await ActiveEngagement.CreateCmo(agency, "bob");
        var request = new BatchLogTimeRequest
        {
            Parent = agency.Name,
            AllOrNone = true,
            Rows =
            {
                Row(agency, "ada", "a", 60), Row(agency, "ada", "b", 1_381), Row(agency, "bob", "a", 60), Row(agency, "nobody", "a", 60),
                new TimeRow { Cmo = agency.Name + "/cmos/ada", Entry = new TimeEntry { EntryId = "next", Engagement = agency.Name + "/engagements/launch", Date = new Date { Year = 2026, Month = 1, Day = 12 }, Minutes = 60 } },
                new TimeRow { Cmo = agency.Name + "/cmos/bob", Entry = Internal("pitch") },
            },
        };
        string[] reasons = ["", Reasons.DayOverfull, Reasons.NotAMember, Reasons.NotFound, Reasons.TimeInFuture, ""];

        var none = await time.BatchLogTimeAsync(request);
        Assert.Equal(reasons, none.Results.Select(r => r.Reason));
        Assert.Equal((0, 0), (none.LoggedRows, (await time.ListTimeEntriesAsync(new ListTimeEntriesRequest { Parent = agency.Name })).Entries.Count));

        request.AllOrNone = false;
        request.RequestId = Guid.CreateVersion7().ToString();
        request.ValidateOnly = true;
        Assert.Equal(2, (await time.BatchLogTimeAsync(request)).LoggedRows);
        Assert.Empty((await time.ListTimeEntriesAsync(new ListTimeEntriesRequest { Parent = agency.Name })).Entries);
        request.ValidateOnly = false;
        var some = await time.BatchLogTimeAsync(request);
        Assert.Equal(reasons, some.Results.Select(r => r.Reason));
        Assert.Equal((2, agency.Name + "/cmos/bob/timesheets/2026-w02"), (some.LoggedRows, some.Results[5].Timesheet));
        Assert.Equal(some, await time.BatchLogTimeAsync(request));

        // Under another request id too, and after the entries went on their way.
        await time.SubmitTimesheetAsync(new SubmitTimesheetRequest { Name = agency.Name + "/cmos/ada/timesheets/2026-w02" });
        request.RequestId = "";
        Assert.Equal(some, await time.BatchLogTimeAsync(request));
        Assert.Equal(2, (await time.ListTimeEntriesAsync(new ListTimeEntriesRequest { Parent = agency.Name })).Entries.Count);

        var all = await time.BatchLogTimeAsync(new BatchLogTimeRequest { Parent = agency.Name, AllOrNone = true, Rows = { Row(agency, "ada", "a", 60), Row(agency, "ada", "c", 15) } });
        Assert.Equal(2, all.LoggedRows);
    }

    [Fact]
    public async Task Malformed_rows_of_a_batch_are_named_and_a_CMO_logs_only_their_own()
    {
        var agency = await platform.NewAgency();
        var time = (await ActiveEngagement.Create(agency, Retainer)).Service<TimeService.TimeServiceClient>();
        var bad = Row(agency, "ada", "A", 0);
        bad.Entry.Date = null;
        Assert.Equal(
            ["rows[0].entry.date", "rows[0].entry.entry_id", "rows[0].entry.minutes", "rows[1].cmo", "rows[1].entry", "rows[3].entry.entry_id"],
            Fields(await Refused.By(time.BatchLogTimeAsync(new BatchLogTimeRequest { Parent = agency.Name, Rows = { bad, new TimeRow { Cmo = "ada" }, Row(agency, "ada", "b", 5), Row(agency, "ada", "b", 6) } })))
                .Where(f => !f.StartsWith("rows[1].entry.", StringComparison.Ordinal)));
        Assert.Equal(["rows"], Fields(await Refused.By(time.BatchLogTimeAsync(new BatchLogTimeRequest { Parent = agency.Name }))));
        var bob = (await agency.As(Role.Cmo, cmo: "bob")).Service<TimeService.TimeServiceClient>();
        Assert.Equal(StatusCode.NotFound, (await Refused.By(bob.BatchLogTimeAsync(new BatchLogTimeRequest { Parent = agency.Name, Rows = { Row(agency, "ada", "a", 5) } }))).StatusCode);
    }

    [Fact]
    public async Task A_file_is_imported_with_its_errors_by_row_and_column()
    {
        var agency = await platform.NewAgency();
        var time = (await ActiveEngagement.Create(agency, Retainer)).Service<TimeService.TimeServiceClient>();
        const string File = """
            CMO,entry_id,engagement,date,minutes,category,billable,note
            ada,a,launch,2026-01-05,60,strategy,,"Positioning, ""first"" draft"
            ada,b,launch,2026-02-30,x,,maybe,
            Ada,c!,launch,2026-01-05,0,,,
            ada,d,launch,2026-01-05,1400,,,
            ada,e,,2026-01-05,30,sales,,
            ada,a,launch,2026-01-05,60,,,
            ada,f,gone,2026-01-05,60,,,
            """;
        var request = new ImportTimeRequest { Parent = agency.Name, Csv = File, AllOrNone = true };

        var none = await time.ImportTimeAsync(request);
        Assert.Equal(0, none.LoggedRows);
        Assert.Equal(
            [
                "2  ", "3 billable,date,minutes ", "4 cmo,entry_id,minutes ", "5  DAY_OVERFULL", "6  ", "7 entry_id ", "8  NOT_FOUND",
            ],
            none.Results.Select(r => $"{r.Row} {string.Join(',', r.Errors.Select(e => e.Column))} {r.Reason}"));
        Assert.Empty((await time.ListTimeEntriesAsync(new ListTimeEntriesRequest { Parent = agency.Name })).Entries);

        request.AllOrNone = false;
        request.RequestId = Guid.CreateVersion7().ToString();
        var some = await time.ImportTimeAsync(request);
        Assert.Equal([2, 6], some.Results.Where(r => r.Logged).Select(r => r.Row));
        Assert.Equal(some, await time.ImportTimeAsync(request));
        var entries = (await time.ListTimeEntriesAsync(new ListTimeEntriesRequest { Parent = agency.Name })).Entries;
        Assert.Equal([("a", "Positioning, \"first\" draft", false), ("e", "", true)], entries.Select(e => (e.EntryId, e.Note, e.NonBillable)));

        Assert.Equal(["csv"], Fields(await Refused.By(time.ImportTimeAsync(new ImportTimeRequest { Parent = agency.Name }))).Distinct());
        var header = await Refused.By(time.ImportTimeAsync(new ImportTimeRequest { Parent = agency.Name, Csv = "cmo,entry_id,date,hours\nada,a,2026-01-05,1" }));
        Assert.Equal(2, header.FieldViolations.Count(f => f.Field == "csv"));
        Assert.Equal(
            ["csv"], Fields(await Refused.By(time.ImportTimeAsync(new ImportTimeRequest { Parent = agency.Name, Csv = "cmo,entry_id,date,minutes\n" + string.Join('\n', Enumerable.Repeat("ada,a,2026-01-05,1", 1_001)) }))));
    }

    [Fact]
    public async Task Internal_time_and_time_ahead_are_logged_as_far_as_they_may()
    {
        var agency = await platform.NewAgency(change: r => r.Agency.TimeAheadDays = 2);
        var admin = await ActiveEngagement.Create(agency, Retainer);
        var time = admin.Service<TimeService.TimeServiceClient>();
        var sheet = agency.Name + "/cmos/ada/timesheets/2026-w02";
        TimeEntry On(int day) => new() { EntryId = "d" + day, Engagement = agency.Name + "/engagements/launch", Date = new Date { Year = 2026, Month = 1, Day = day }, Minutes = 60 };
        await time.LogTimeAsync(new LogTimeRequest { Name = sheet, Entries = { On(7), Internal("pitch") } });
        Assert.Equal((Reasons.TimeInFuture, "2"), await Why(time.LogTimeAsync(new LogTimeRequest { Name = sheet, Entries = { On(8) } }), "days_ahead"));
        var forgotten = On(5);
        forgotten.Engagement = "";
        Assert.Equal(["entries[0].engagement"], Fields(await Refused.By(time.LogTimeAsync(new LogTimeRequest { Name = sheet, Entries = { forgotten } }))));

        await time.SubmitTimesheetAsync(new SubmitTimesheetRequest { Name = sheet, EntryIds = { "pitch" } });
        Assert.True((await time.ApproveEntriesAsync(new ApproveEntriesRequest { Name = sheet })).Results.Single().Approved);
        await time.DisputeTimeEntryAsync(new DisputeTimeEntryRequest { Name = sheet, EntryId = "pitch", Reason = "Which?" });
        await time.ResolveDisputeAsync(new ResolveDisputeRequest { Name = sheet, EntryId = "pitch", Resolution = DisputeResolution.Restored, Note = "That" });
        Assert.True((await time.ReverseEntriesAsync(new ReverseEntriesRequest { Name = sheet, EntryIds = { "pitch" }, Reason = "Not that" })).Results.Single().Reversed);
        Assert.Equal((2, 14), ((await admin.Agencies.GetAgencyAsync(new GetAgencyRequest { Name = agency.Name })).TimeAheadDays, (await admin.Agencies.GetAgencyAsync(new GetAgencyRequest { Name = agency.Name })).ClientDisputeDays));
    }

    /// <summary>Included 1,000 from 5 January to 5 February; 600 a week are booked, on Mondays and Tuesdays.</summary>
    [Fact]
    public async Task The_meter_is_read_at_a_past_moment_and_ahead_to_the_end_of_its_period()
    {
        var agency = await platform.NewAgency();
        var time = (await ActiveEngagement.Create(agency, Retainer)).Service<TimeService.TimeServiceClient>();
        var (engagement, sheet, tuesday) = (agency.Name + "/engagements/launch", agency.Name + "/cmos/ada/timesheets/2026-w02", new Date { Year = 2026, Month = 1, Day = 6 });
        await agency.AdvanceTo(s_friday);
        await time.LogAsPlannedAsync(new LogAsPlannedRequest { Name = sheet });
        var before = await time.ApproveEntriesAsync(new ApproveEntriesRequest { Name = sheet, EntryIds = { "planned-1-launch" } });
        var past = before.Timesheet.UpdateTime;
        await agency.AdvanceTo(s_friday.AddHours(1));
        await time.LogTimeAsync(new LogTimeRequest { Name = sheet, Entries = { new TimeEntry { EntryId = "more", Engagement = engagement, Date = tuesday, Minutes = 40 } } });

        // 300 drawn; 300 and 40 logged and not approved; Mondays and Tuesdays of four weeks to come: 2,400, of which 360 are covered: 300 on Monday 12, 60 on Tuesday 13.
        var ahead = (await time.GetMeterAsync(new GetMeterRequest { Name = engagement, Date = tuesday, Project = true })).Projection;
        Assert.Equal((340, 2_400, 0, 2_040, 13), (ahead.UnapprovedMinutes, ahead.BookedMinutes, ahead.RemainingMinutes, ahead.BeyondMinutes, ahead.ExhaustDate.Day));
        var after = (await time.GetMeterAsync(new GetMeterRequest { Name = engagement, Date = new Date { Year = 2026, Month = 2, Day = 3 }, Project = true })).Projection;
        Assert.Equal((340, 0, 360, 0), (after.UnapprovedMinutes, after.BookedMinutes, after.RemainingMinutes, after.BeyondMinutes));
        Assert.Null(after.ExhaustDate);

        await time.SubmitTimesheetAsync(new SubmitTimesheetRequest { Name = sheet });
        await time.ApproveEntriesAsync(new ApproveEntriesRequest { Name = sheet });
        Assert.Equal(640, (await time.GetMeterAsync(new GetMeterRequest { Name = engagement, Date = tuesday })).Grants.Single().DrawnMinutes);
        var events = await (await agency.Admin()).Service<EventsService.EventsServiceClient>().ListEventsAsync(new ListEventsRequest { Parent = agency.Name, PageSize = 1_000 });
        var recorded = events.Events.First(e => e.Type == "engagement.time-drawn").RecordTime;
        Assert.Equal(300, (await time.GetMeterAsync(new GetMeterRequest { Name = engagement, Date = tuesday, ReadTime = recorded })).Grants.Single().DrawnMinutes);
        Assert.Equal(["project"], Fields(await Refused.By(time.GetMeterAsync(new GetMeterRequest { Name = engagement, Date = tuesday, ReadTime = past, Project = true }))));
        Assert.Null((await time.GetMeterAsync(new GetMeterRequest { Name = engagement, Date = new Date { Year = 2025, Month = 1, Day = 1 }, Project = true })).Projection);
    }

    /// <summary>Ada has 600 a week on Mondays and Tuesdays; Bob covers 60 on Tuesday 20 January, and Ada leaves on 26 January, when Cy comes with 100 a week.</summary>
    [Fact]
    public async Task What_is_ahead_is_the_work_of_covers_and_of_those_who_come_and_leave_too()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, Retainer);
        var name = agency.Name + "/engagements/launch";
        await ActiveEngagement.CreateCmo(agency, "bob");
        await ActiveEngagement.CreateCmo(agency, "cy");
        await admin.Engagements.RequestCoverAsync(new RequestCoverRequest
        {
            Name = name,
            Cover = new Cover
            {
                CoverId = "away",
                AwayCmo = agency.Name + "/cmos/ada",
                CoveringCmo = agency.Name + "/cmos/bob",
                CmoAgreementWaived = true,
                Dates = { new CoverDate { Date = Day(1, 20), Minutes = 60 } },
            },
        });
        await admin.Engagements.ConsentToCoverAsync(new ConsentToCoverRequest { Name = name, CoverId = "away", PersonId = "ceo" });
        await admin.Engagements.BookCoverAsync(new BookCoverRequest { Name = name, CoverId = "away" });
        var cy = new ScopeMember { Cmo = agency.Name + "/cmos/cy", CmoAgreementWaived = true, Steps = { new BookingStep { StartDate = Day(1, 26), Flexible = new FlexibleForm { WeeklyMinutes = 100 } } } };
        await admin.Engagements.ProposeScopeChangeAsync(new ProposeScopeChangeRequest { Name = name, ScopeChange = new ScopeChange { EffectiveDate = Day(1, 26), Lead = cy.Cmo, Members = { cy } } });
        await admin.Engagements.SignScopeChangeAsync(new SignScopeChangeRequest { Name = name, PersonId = "ceo" });
        await admin.Engagements.ApplyScopeChangeAsync(new ApplyScopeChangeRequest { Name = name });

        // From 13 January (a Tuesday) on: Ada 300 that day and 600 in the week after, Bob 60, Cy 100 in the last full week and on 2 and 3 February.
        var ahead = (await admin.Time.GetMeterAsync(new GetMeterRequest { Name = name, Date = Day(1, 12), Project = true })).Projection;
        Assert.Equal(300 + 600 + 60 + 100 + 100, ahead.BookedMinutes);
    }

    /// <summary>The pause of two weeks keeps its capacity: it stays booked, and nobody may log time on it.</summary>
    [Fact]
    public async Task What_a_pause_keeps_booked_is_no_work_ahead_no_missing_sheet_and_not_compared()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, Retainer);
        var (name, sheets) = (agency.Name + "/engagements/launch", agency.Name + "/cmos/ada/timesheets/");
        await admin.Engagements.PauseEngagementAsync(new PauseEngagementRequest { Name = name, StartDate = Day(1, 12), KeepUntilDate = Day(3, 2) });
        await admin.Engagements.ResumeEngagementAsync(new ResumeEngagementRequest { Name = name, ResumeDate = Day(1, 27) });

        // Of 26 January, a Monday, nothing; Tuesday 27 January and Monday and Tuesday of the week after.
        var ahead = (await admin.Time.GetMeterAsync(new GetMeterRequest { Name = name, Date = Day(1, 6), Project = true })).Projection;
        Assert.Equal(300 + 600, ahead.BookedMinutes);

        await agency.AdvanceTo(new System.DateTime(2026, 2, 10, 12, 0, 0, DateTimeKind.Utc));
        var missing = await admin.Time.ListMissingTimesheetsAsync(new ListMissingTimesheetsRequest { Parent = agency.Name, StartWeek = "2026-w02", EndWeek = "2026-w06" });
        Assert.Equal([(sheets + "2026-w02", 600), (sheets + "2026-w05", 300), (sheets + "2026-w06", 600)], missing.Timesheets.Select(t => (t.Timesheet, t.BookedMinutes)));
        var compared = await admin.Time.ListWorkedAgainstBookedAsync(new ListWorkedAgainstBookedRequest { Parent = agency.Name, StartWeek = "2026-w02", EndWeek = "2026-w06" });
        Assert.Equal([600, 300, 600], compared.Rows.Select(r => r.BookedMinutes));
    }

    /// <summary>Ada's and Bob's sheets are different aggregates: the id is the batch's, not only a sheet's.</summary>
    [Fact]
    public async Task The_request_id_of_a_batch_is_good_for_no_other_batch_and_no_other_request()
    {
        var agency = await platform.NewAgency();
        var time = (await ActiveEngagement.Create(agency, Retainer)).Time;
        var request = new BatchLogTimeRequest { Parent = agency.Name, Rows = { Row(agency, "ada", "a", 60) }, RequestId = Guid.CreateVersion7().ToString() };
        var first = await time.BatchLogTimeAsync(request);
        var other = new BatchLogTimeRequest { Parent = agency.Name, Rows = { new TimeRow { Cmo = agency.Name + "/cmos/bob", Entry = Internal("pitch") } }, RequestId = request.RequestId };
        await ActiveEngagement.CreateCmo(agency, "bob");
        var import = new ImportTimeRequest { Parent = agency.Name, Csv = "cmo,entry_id,date,minutes,category\nbob,a,2026-01-05,60,sales", RequestId = request.RequestId };
        var logged = new LogTimeRequest { Name = agency.Name + "/cmos/bob/timesheets/2026-w02", Entries = { Internal("a") }, RequestId = request.RequestId };
        foreach (var refused in new[] { await Refused.By(time.BatchLogTimeAsync(other)), await Refused.By(time.ImportTimeAsync(import)), await Refused.By(time.LogTimeAsync(logged)) })
        {
            Assert.Equal((StatusCode.FailedPrecondition, Reasons.RequestIdReused), (refused.StatusCode, refused.Reason));
        }

        Assert.Single((await time.ListTimeEntriesAsync(new ListTimeEntriesRequest { Parent = agency.Name })).Entries);

        // And the other way round.
        logged.RequestId = Guid.CreateVersion7().ToString();
        await time.LogTimeAsync(logged);
        request.RequestId = logged.RequestId;
        request.Rows[0].Entry.EntryId = "b";
        Assert.Equal(Reasons.RequestIdReused, (await Refused.By(time.BatchLogTimeAsync(request))).Reason);
        Assert.Equal(1, first.LoggedRows);
        Assert.Equal(2, (await time.ListTimeEntriesAsync(new ListTimeEntriesRequest { Parent = agency.Name })).Entries.Count);
    }

    /// <summary>Two sandboxes of the same engagement: one goes through the year day by day, the other in one leap.</summary>
    [Fact]
    public async Task A_year_day_by_day_and_in_one_leap_comes_to_the_same_state_and_events()
    {
        var (daily, leap) = (await platform.NewAgency(), await platform.NewAgency());
        var seen = new List<(string Meter, string Events)>();
        foreach (var agency in new[] { daily, leap })
        {
            var admin = await ActiveEngagement.Create(agency, a =>
            {
                var terms = Retainer(a);
                terms.BillCycleDay = 31;
                terms.Retainer.Rollover = new Rollover { CapMinutes = 400, Periods = 3, MaxCarriedMinutes = 1_000 };
                return terms;
            });
            var end = new System.DateTime(2027, 1, 5, 12, 0, 0, DateTimeKind.Utc);
            for (var at = agency == daily ? new System.DateTime(2026, 1, 6, 12, 0, 0, DateTimeKind.Utc) : end; at <= end; at = at.AddDays(1))
            {
                await agency.AdvanceTo(at);
            }

            var meter = await admin.Service<TimeService.TimeServiceClient>().GetMeterAsync(new GetMeterRequest { Name = agency.Name + "/engagements/launch", Date = new Date { Year = 2027, Month = 1, Day = 5 } });
            var events = await admin.Service<EventsService.EventsServiceClient>().ListEventsAsync(new ListEventsRequest { Parent = agency.Name, Kind = "engagement", PageSize = 1_000 });
            var told = events.Events.SkipWhile(e => e.Type != "engagement.activated").Skip(1).Select(e => $"{e.Type} {e.OccurTime} {e.Payload}");
            seen.Add((meter.ToString().Replace(agency.Name, "", StringComparison.Ordinal), string.Join('\n', told).Replace(agency.Name, "", StringComparison.Ordinal)));
        }

        Assert.Equal(13, seen[0].Events.Split('\n').Count(e => e.StartsWith("engagement.period-opened", StringComparison.Ordinal)));
        Assert.Equal(seen[0].Events, seen[1].Events);
        Assert.Equal(seen[0].Meter, seen[1].Meter);
    }

    /// <summary>
    /// The same with all that time does by itself: a proposal and a question to a CMO lapse, a hold and offers of a waitlist expire and pass on, an entry's start comes, kept capacity is freed,
    /// a change of scope lapses, one engagement ends while paused, another while active, with the meters of both.
    /// </summary>
    [Fact]
    public async Task So_does_a_year_of_all_that_time_does_by_itself()
    {
        var (daily, leap) = (await platform.NewAgency(), await platform.NewAgency());
        var seen = new List<string>();
        foreach (var agency in new[] { daily, leap })
        {
            var admin = await ActiveEngagement.Create(agency, Retainer);
            var engagements = admin.Service<EngagementsService.EngagementsServiceClient>();
            var (launch, care, trial) = (agency.Name + "/engagements/launch", agency.Name + "/engagements/care", agency.Name + "/engagements/trial");
            await ActiveEngagement.Create(agency, Retainer, client: "bolt", cmo: "bob", engagement: "care");

            var draft = await engagements.GetEngagementAsync(new GetEngagementRequest { Name = launch });
            var plan = new Engagement
            {
                ClientCompany = draft.ClientCompany,
                Title = "Trial",
                ServiceType = draft.ServiceType,
                Lead = draft.Lead,
                Terms = { Retainer(agency) },
                StartDate = Day(3, 2),
                SignaturesNeeded = 1,
                Members = { new Member { Cmo = draft.Lead, Role = "lead", Steps = { new BookingStep { StartDate = Day(3, 2), Flexible = new FlexibleForm { WeeklyMinutes = 60 } } } } },
            };
            await engagements.CreateEngagementAsync(new CreateEngagementRequest { Parent = agency.Name, EngagementId = "trial", Engagement = plan });
            await engagements.ProposeEngagementAsync(new ProposeEngagementRequest { Name = trial, ExpireTime = At(2, 1) });
            await engagements.RequestAgreementAsync(new RequestAgreementRequest { Name = trial, ExpireTime = At(1, 20) });

            await admin.Capacity.HoldBookingAsync(new HoldBookingRequest { Parent = draft.Lead, BookingId = "rest", Booking = Rest(agency), Expiry = Duration.FromTimeSpan(TimeSpan.FromDays(10)) });
            foreach (var id in new[] { "first", "second", "third" })
            {
                await admin.Capacity.JoinWaitlistAsync(new JoinWaitlistRequest { Parent = draft.Lead, WaitlistEntryId = id, Booking = Rest(agency), OfferExpiry = Duration.FromTimeSpan(TimeSpan.FromDays(20)) });
            }

            await engagements.PauseEngagementAsync(new PauseEngagementRequest { Name = launch, StartDate = Day(3, 1), KeepUntilDate = Day(4, 15), FeePercent = 25 });
            await engagements.EndEngagementAsync(new EndEngagementRequest { Name = launch, EndDate = Day(10, 1) });
            await engagements.ProposeScopeChangeAsync(new ProposeScopeChangeRequest { Name = care, ScopeChange = new ScopeChange { EffectiveDate = Day(5, 4), Terms = Later(agency) }, ExpireTime = At(3, 3) });
            await engagements.EndEngagementAsync(new EndEngagementRequest { Name = care, EndDate = Day(7, 15) });

            var end = new System.DateTime(2027, 1, 5, 12, 0, 0, DateTimeKind.Utc);
            for (var at = agency == daily ? new System.DateTime(2026, 1, 6, 12, 0, 0, DateTimeKind.Utc) : end; at <= end; at = at.AddDays(1))
            {
                await agency.AdvanceTo(at);
            }

            Assert.Equal(EngagementState.Ended, (await engagements.GetEngagementAsync(new GetEngagementRequest { Name = launch })).State);
            var events = new List<Event>();
            for (var (cursor, page) = ("", new ListEventsResponse()); !page.EndOfFeed; cursor = page.NextCursor)
            {
                page = await admin.Service<EventsService.EventsServiceClient>().ListEventsAsync(new ListEventsRequest { Parent = agency.Name, After = cursor, PageSize = 1_000 });
                events.AddRange(page.Events);
            }

            // What came by itself, in its order, aggregate by aggregate.
            var began = events.FindLastIndex(e => e.Type == "engagement.end-agreed");
            seen.Add(string.Join('\n', events.Skip(began + 1).Where(e => e.Kind != "agency").OrderBy(e => $"{e.Kind}/{e.AggregateId}", StringComparer.Ordinal).ThenBy(e => e.Version)
                .Select(e => $"{e.Kind}/{e.AggregateId} {e.Type} {e.OccurTime} {e.Payload}")).Replace(agency.Name, "", StringComparison.Ordinal));
        }

        Assert.Equal(seen[0], seen[1]);
        foreach (var type in new[]
        {
            "engagement.agreement-lapsed", "engagement.expired", "cmo.hold-expired", "cmo.waitlist-offered", "cmo.waitlist-left", "engagement.kept-capacity-freed", "engagement.scope-closed",
            "engagement.ended", "engagement.meter-ended", "engagement.grant-expired",
        })
        {
            Assert.Contains($" {type} ", seen[0], StringComparison.Ordinal);
        }

        static Booking Rest(TestAgency agency) => new()
        {
            ClientCompany = $"{agency.Name}/clientCompanies/bolt",
            Steps = { new BookingStep { StartDate = Day(2, 16), EndDate = Day(3, 30), Flexible = new FlexibleForm { WeeklyMinutes = 360 } } },
        };

        static Terms Later(TestAgency agency)
        {
            var terms = Retainer(agency);
            (terms.EffectiveDate, terms.Retainer.IncludedMinutes) = (Day(5, 4), 1_200);
            return terms;
        }

        static Timestamp At(int month, int day) => Timestamp.FromDateTime(new System.DateTime(2026, month, day, 9, 0, 0, DateTimeKind.Utc));
    }

    private static async Task<(string, string)> Why<T>(AsyncUnaryCall<T> call, string metadata)
    {
        var refused = await Refused.By(call);
        return (refused.Reason, refused.Metadata[metadata]);
    }

    private static async Task<List<T>> Paged<T>(Func<string, Task<(IEnumerable<T> Rows, string Next)>> list)
    {
        var (rows, token) = (new List<T>(), "");
        do
        {
            var (page, next) = await list(token);
            rows.AddRange(page);
            token = next;
        }
        while (token.Length > 0);

        return rows;
    }

    private static Date Day(int month, int day) => new() { Year = 2026, Month = month, Day = day };

    private static string[] Fields(ApiException refused) => [.. refused.FieldViolations.Select(f => f.Field).Order(StringComparer.Ordinal)];

    private static TimeEntry Internal(string id) => new() { EntryId = id, Date = ActiveEngagement.Monday, Minutes = 30, Category = "sales", NonBillable = true };

    private static TimeRow Row(TestAgency agency, string cmo, string id, int minutes) => new()
    {
        Cmo = $"{agency.Name}/cmos/{cmo}",
        Entry = new TimeEntry { EntryId = id, Engagement = agency.Name + "/engagements/launch", Date = ActiveEngagement.Monday, Minutes = minutes },
    };

    private static Terms Retainer(TestAgency agency) => new()
    {
        Seller = agency.Name + "/legalEntities/main",
        Currency = "USD",
        BillCycleDay = 5,
        Retainer = new RetainerTerms
        {
            Fee = new Money { MinorUnits = 800_000, Currency = "USD" },
            IncludedMinutes = 1_000,
            OverageHourlyRate = new Money { MinorUnits = 25_000, Currency = "USD" },
            OverageGate = OverageGate.Consent,
            FeeTiming = FeeTiming.InAdvance,
        },
    };
}
