using System.Net;
using System.Text;
using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Calendars.V1;
using AgencyPlatform.Protocol.Cmos.V1;
using AgencyPlatform.Protocol.Events.V1;
using Google.Protobuf;
using Grpc.Core;
using Outcome = AgencyPlatform.Protocol.Cmos.V1.ImportedEvent.Types.Outcome;

namespace AgencyPlatform.Gateway.Tests.Calendars;

/// <summary>A CMO's time off from a calendar file, over the API. The CMO works Mondays and Tuesdays in New York, 600 minutes a week of them for acme.</summary>
[Collection(PlatformFixture.Collection)]
public sealed class ImportTimeOffTests(PlatformFixture platform)
{
    private const string Skiing = "BEGIN:VEVENT\r\nUID:skiing\r\nSUMMARY:Skiing\\, Alps\r\nDTSTART;VALUE=DATE:20260202\r\nDTEND;VALUE=DATE:20260204\r\nEND:VEVENT\r\n";
    private const string Dentist = "BEGIN:VEVENT\r\nUID:dentist\r\nDTSTART;TZID=Europe/Berlin:20260309T150000\r\nDTEND;TZID=Europe/Berlin:20260309T163000\r\nEND:VEVENT\r\n";
    private const string School = "BEGIN:VEVENT\r\nUID:school\r\nDTSTART;TZID=America/New_York:20260406T080000\r\nDURATION:PT1H\r\nRRULE:FREQ=WEEKLY;COUNT=3\r\nEND:VEVENT\r\n";
    private const string Birthday = "BEGIN:VEVENT\r\nUID:birthday\r\nDTSTART;VALUE=DATE:20260310\r\nTRANSP:TRANSPARENT\r\nEND:VEVENT\r\n";

    [Fact]
    public async Task Busy_events_of_a_file_are_time_off_and_bookings_stand()
    {
        var (agency, ada, name) = await Ada();

        var imported = await ada.Cmos.ImportTimeOffAsync(Request(name, Skiing, Dentist, School, Birthday));

        Assert.Equal(
            [(2, "skiing", Outcome.Added, "", 1), (8, "dentist", Outcome.Added, "", 1), (13, "school", Outcome.Added, "", 3), (19, "birthday", Outcome.Skipped, "It leaves the time free.", 0)],
            imported.Events.Select(e => (e.Line, e.Uid, e.Outcome, e.Message, e.TimeOff.Count)));
        string[] off =
        [
            "2026-02-02 2026-02-04 WholeDays 0", "2026-03-09 2026-03-10 Minutes 90", "2026-04-06 2026-04-07 Minutes 60", "2026-04-13 2026-04-14 Minutes 60", "2026-04-20 2026-04-21 Minutes 60",
        ];
        Assert.Equal(off, Shown(imported.Change.Cmo));
        Assert.Equal(off, Shown(await ada.Cmos.GetCmoAsync(new GetCmoRequest { Name = name })));

        // Of the week of skiing no day is left, and all 600 are lost; of the others what the minutes off are of their days.
        Assert.Equal((600L, $"{agency.Name}/engagements/launch"), imported.Change.Shortfalls.Where(s => s.Monday.Month == 2).Select(s => (s.Minutes, s.Engagement)).Single());
        Assert.Equal((long)(600 * 90.0 / 960 + .5), imported.Change.Shortfalls.Single(s => s.Monday.Month == 3).Minutes);
        Assert.Empty(imported.Change.InfeasibleWeeks);
    }

    [Fact]
    public async Task The_same_file_again_changes_nothing_and_a_changed_one_replaces_what_it_made()
    {
        var (_, ada, name) = await Ada();
        await ada.Cmos.ImportTimeOffAsync(Request(name, Skiing, Dentist, School));

        var again = await ada.Cmos.ImportTimeOffAsync(Request(name, Skiing, Dentist, School));
        Assert.All(again.Events, e => Assert.Equal((Outcome.Unchanged, ""), (e.Outcome, e.Message)));
        Assert.Empty(again.Change.Shortfalls);

        var cancelled = Dentist.Replace("END:VEVENT", "STATUS:CANCELLED\r\nEND:VEVENT", StringComparison.Ordinal);
        var changed = await ada.Cmos.ImportTimeOffAsync(Request(name, Skiing.Replace("DTEND;VALUE=DATE:20260204", "DTEND;VALUE=DATE:20260203", StringComparison.Ordinal), cancelled));
        Assert.Equal([(Outcome.Changed, ""), (Outcome.Removed, "It is cancelled.")], changed.Events.Select(e => (e.Outcome, e.Message)));

        // What the file no longer has stays.
        Assert.Equal(["2026-02-02 2026-02-03 WholeDays 0", "2026-04-06 2026-04-07 Minutes 60", "2026-04-13 2026-04-14 Minutes 60", "2026-04-20 2026-04-21 Minutes 60"], Shown(changed.Change.Cmo));
    }

    [Fact]
    public async Task Days_that_are_off_already_stay_and_that_is_said()
    {
        var (_, ada, name) = await Ada();
        await ada.Cmos.AddTimeOffAsync(new AddTimeOffRequest { Name = name, TimeOff = new TimeOff { TimeOffId = "move", StartDate = Day(2, 3), EndDate = Day(2, 4), Kind = TimeOff.Types.Kind.HalfDays } });
        await ada.Cmos.AddTimeOffAsync(new AddTimeOffRequest { Name = name, TimeOff = new TimeOff { TimeOffId = "trip", StartDate = Day(3, 9), EndDate = Day(3, 10), Kind = TimeOff.Types.Kind.WholeDays } });

        var imported = await ada.Cmos.ImportTimeOffAsync(Request(name, Skiing, Dentist, Skiing.Replace("UID:skiing", "UID:long ago", StringComparison.Ordinal).Replace("2026", "2016", StringComparison.Ordinal)));

        Assert.Equal(
            [(Outcome.Added, "Some of its days are off already."), (Outcome.Skipped, "Its days are off already."), (Outcome.Skipped, "It has no day among those that are looked at.")],
            imported.Events.Select(e => (e.Outcome, e.Message)));
        Assert.Equal(["2026-02-02 2026-02-03 WholeDays 0", "2026-02-03 2026-02-04 HalfDays 0", "2026-03-09 2026-03-10 WholeDays 0"], Shown(imported.Change.Cmo));
    }

    [Fact]
    public async Task A_repeated_request_counts_once()
    {
        var (agency, ada, name) = await Ada();
        var request = Request(name, Skiing, Dentist);
        request.RequestId = Guid.CreateVersion7().ToString();

        var first = await ada.Cmos.ImportTimeOffAsync(request);
        await ada.Cmos.CancelTimeOffAsync(new CancelTimeOffRequest { Name = name, TimeOffId = first.Events[0].TimeOff[0].TimeOffId });
        await ada.Cmos.ImportTimeOffAsync(Request(name, School));

        // As it was then, whatever has happened since.
        Assert.Equal(first, await ada.Cmos.ImportTimeOffAsync(request));
        var events = await (await agency.Admin()).Events.ListEventsAsync(new ListEventsRequest { Parent = agency.Name, Type = "cmo.time-off-imported" });
        Assert.Equal(2, events.Events.Count);
        request.AllDayOnly = true;
        Assert.Equal(Domain.Reasons.RequestIdReused, (await Refused.By(ada.Cmos.ImportTimeOffAsync(request))).Reason);
    }

    [Fact]
    public async Task What_would_be_is_told_without_doing_it()
    {
        var (_, ada, name) = await Ada();
        var request = Request(name, Skiing, Dentist);
        (request.ValidateOnly, request.AllDayOnly) = (true, true);

        var would = await ada.Cmos.ImportTimeOffAsync(request);

        Assert.Equal([(Outcome.Added, 1), (Outcome.Skipped, 0)], would.Events.Select(e => (e.Outcome, e.TimeOff.Count)));
        Assert.NotEmpty(would.Change.Shortfalls);
        Assert.Empty((await ada.Cmos.GetCmoAsync(new GetCmoRequest { Name = name })).TimeOff);
    }

    [Fact]
    public async Task Of_a_bad_file_every_wrong_event_is_named_and_nothing_changes()
    {
        var (_, ada, name) = await Ada();
        var before = await ada.Cmos.GetCmoAsync(new GetCmoRequest { Name = name });

        var refused = await Refused.By(ada.Cmos.ImportTimeOffAsync(Request(
            name, Skiing, "BEGIN:VEVENT\r\nUID:no start\r\nEND:VEVENT\r\n", Dentist.Replace("Europe/Berlin:20260309T15", "Nowhere:20260309T15", StringComparison.Ordinal),
            School.Replace("WEEKLY", "HOURLY", StringComparison.Ordinal))));

        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
        Assert.All(refused.FieldViolations, v => Assert.Equal("ics", v.Field));
        Assert.Equal(["line 8", "line 13", "line 20"], refused.FieldViolations.Select(v => v.Description.Split(':')[0]));
        Assert.Equal(before, await ada.Cmos.GetCmoAsync(new GetCmoRequest { Name = name }));
    }

    [Fact]
    public async Task A_file_that_is_too_large_or_none_is_refused_with_what_else_is_wrong()
    {
        var (agency, ada, name) = await Ada();

        var large = await Refused.By(ada.Cmos.ImportTimeOffAsync(new ImportTimeOffRequest { Name = name, Ics = ByteString.CopyFrom(new byte[(1 << 20) + 1]) }));
        Assert.Equal(
            [("start_date", "is required"), ("ics", "must have 1 to 1048576 bytes; it has 1048577")],
            large.FieldViolations.Select(v => (v.Field, v.Description)));
        Assert.Equal(["ics"], (await Refused.By(ada.Cmos.ImportTimeOffAsync(new ImportTimeOffRequest { Name = name, StartDate = Day(1, 1) }))).FieldViolations.Select(v => v.Field));

        // A file of just the most that it may have is read, however it comes.
        var file = Skiing + Dentist;
        var padded = Request(name, Skiing, $"X-PAD:{new string('x', (1 << 20) - Encoding.UTF8.GetByteCount(File(file)) - "X-PAD:\r\n".Length)}\r\n", Dentist);
        Assert.Equal(1 << 20, padded.Ics.Length);
        using var json = platform.Json(await agency.Key(Role.Cmo, cmo: "ada"));
        using var content = new StringContent($$"""{"ics":"{{padded.Ics.ToBase64()}}","startDate":{"year":2026,"month":1,"day":1},"validateOnly":true}""", Encoding.UTF8, "application/json");
        using var answer = await json.PostAsync($"/v1/{name}:importTimeOff", content);
        Assert.True(answer.StatusCode == HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
        Assert.Equal(2, (await ada.Cmos.ImportTimeOffAsync(padded)).Events.Count);
    }

    [Fact]
    public async Task A_CMO_imports_its_own_time_off_only()
    {
        var (agency, ada, _) = await Ada();
        await ActiveEngagement.CreateCmo(agency, "bob");
        var bob = $"{agency.Name}/cmos/bob";

        Assert.Equal(StatusCode.NotFound, (await Refused.By(ada.Cmos.ImportTimeOffAsync(Request(bob, Skiing)))).StatusCode);
        Assert.Equal(StatusCode.NotFound, (await Refused.By(ada.Cmos.ImportTimeOffAsync(Request(bob, "nothing")))).StatusCode);
        Assert.Equal(Outcome.Added, (await (await agency.As(Role.Operations)).Cmos.ImportTimeOffAsync(Request(bob, Skiing))).Events.Single().Outcome);
    }

    [Fact]
    public async Task The_platforms_own_calendar_makes_no_time_off()
    {
        var (agency, ada, name) = await Ada();
        await ada.Cmos.ImportTimeOffAsync(Request(name, Skiing));
        var link = await ada.Calendars.CreateCalendarLinkAsync(new CreateCalendarLinkRequest { Parent = agency.Name, CalendarLink = new CalendarLink { DisplayName = "Phone", Cmo = name } });
        using var http = platform.Json("");

        var imported = await ada.Cmos.ImportTimeOffAsync(new ImportTimeOffRequest { Name = name, StartDate = Day(1, 1), Ics = ByteString.CopyFrom(await http.GetByteArrayAsync(link.Path)) });

        Assert.NotEmpty(imported.Events);
        Assert.All(imported.Events, e => Assert.Equal((Outcome.Skipped, "It comes from this platform's own calendar."), (e.Outcome, e.Message)));
        Assert.Equal(["2026-02-02 2026-02-04 WholeDays 0"], Shown(imported.Change.Cmo));
    }

    private async Task<(TestAgency Agency, AgencyPlatformClient Ada, string Name)> Ada()
    {
        var agency = await platform.NewAgency();
        await ActiveEngagement.Create(agency, ActiveEngagement.Hourly);
        return (agency, await agency.As(Role.Cmo, cmo: "ada"), $"{agency.Name}/cmos/ada");
    }

    private static string File(params string[] events) => $"BEGIN:VCALENDAR\r\n{string.Concat(events)}END:VCALENDAR\r\n";

    private static ImportTimeOffRequest Request(string name, params string[] events) => new() { Name = name, StartDate = Day(1, 1), Ics = ByteString.CopyFromUtf8(File(events)) };

    private static IEnumerable<string> Shown(Cmo cmo) =>
        cmo.TimeOff.Select(t => $"{Text(t.StartDate)} {Text(t.EndDate)} {t.Kind} {t.MinutesPerDay}").Order(StringComparer.Ordinal);

    private static string Text(Google.Type.Date date) => $"{date.Year:0000}-{date.Month:00}-{date.Day:00}";

    private static Google.Type.Date Day(int month, int day) => new() { Year = 2026, Month = month, Day = day };
}
