using System.Text;
using AgencyPlatform.Domain;
using AgencyPlatform.Gateway.Calendars;
using NodaTime;

namespace AgencyPlatform.Gateway.Tests.Calendars;

/// <summary>What becomes of a calendar file's events, and what is said of one that is wrong. The CMO is in New York; March and what follows it is looked at.</summary>
public sealed class CalendarFileTests
{
    private static readonly DateTimeZone s_newYork = DateTimeZoneProviders.Tzdb["America/New_York"];
    private static readonly DateRange s_within = new(new LocalDate(2026, 3, 1), new LocalDate(2026, 3, 1).PlusDays(CalendarFile.Days));

    [Theory]
    [InlineData("one day", "DTSTART;VALUE=DATE:20260302", "03-02 1440")]
    [InlineData("to an end that is not off", "DTSTART;VALUE=DATE:20260302\r\nDTEND;VALUE=DATE:20260304", "03-02 1440, 03-03 1440")]
    [InlineData("for a duration", "DTSTART;VALUE=DATE:20260302\r\nDURATION:P2D", "03-02 1440, 03-03 1440")]
    [InlineData("folded", "DTSTART;VALUE=DA\r\n TE:2026\r\n\t0302", "03-02 1440")]
    [InlineData("by the CMO's own clock", "DTSTART:20260302T090000\r\nDTEND:20260302T103000", "03-02 90")]
    [InlineData("in another zone", "DTSTART;TZID=Europe/Berlin:20260302T150000\r\nDTEND;TZID=Europe/Berlin:20260302T160000", "03-02 60")]
    [InlineData("in a zone as Windows calls it", "DTSTART;TZID=W. Europe Standard Time:20260302T150000\r\nDTEND;TZID=W. Europe Standard Time:20260302T160000", "03-02 60")]
    [InlineData("in UTC, over the CMO's midnight", "DTSTART:20260303T040000Z\r\nDTEND:20260303T060000Z", "03-02 60, 03-03 60")]
    [InlineData("over days", "DTSTART:20260302T180000\r\nDTEND:20260304T060000", "03-02 360, 03-03 1440, 03-04 360")]
    [InlineData("to another zone", "DTSTART;TZID=America/New_York:20260302T090000\r\nDTEND;TZID=America/Chicago:20260302T090000", "03-02 60")]
    [InlineData("no longer than a moment", "DTSTART:20260302T090000", "")]
    [InlineData("over the change of the clock", "DTSTART;TZID=America/New_York:20260308T000000\r\nDTEND;TZID=America/New_York:20260309T000000", "03-08 1440")]
    [InlineData("before the days looked at and into them", "DTSTART;VALUE=DATE:20260225\r\nDTEND;VALUE=DATE:20260302", "03-01 1440")]
    [InlineData("before the days looked at", "DTSTART;VALUE=DATE:20260225", "")]
    [InlineData("after the days looked at", "DTSTART;VALUE=DATE:20280301", "")]
    [InlineData("weekly", "DTSTART;VALUE=DATE:20260302\r\nRRULE:FREQ=WEEKLY;COUNT=3", "03-02 1440, 03-09 1440, 03-16 1440")]
    [InlineData("every other week to a day", "DTSTART;VALUE=DATE:20260302\r\nRRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR;UNTIL=20260320", "03-02 1440, 03-06 1440, 03-16 1440, 03-20 1440")]
    [InlineData("from long ago", "DTSTART;VALUE=DATE:20000306\r\nRRULE:FREQ=YEARLY;UNTIL=20270101", "03-06 1440")]
    [InlineData("the last Friday of the month", "DTSTART:20260227T090000\r\nDURATION:PT1H\r\nRRULE:FREQ=MONTHLY;BYDAY=-1FR;UNTIL=20260430T000000", "03-27 60, 04-24 60")]
    [InlineData("but for some days", "DTSTART;VALUE=DATE:20260302\r\nRRULE:FREQ=WEEKLY;COUNT=3\r\nEXDATE;VALUE=DATE:20260309", "03-02 1440, 03-16 1440")]
    [InlineData("but for a time in another zone", "DTSTART;TZID=Europe/Berlin:20260302T150000\r\nDURATION:PT1H\r\nRRULE:FREQ=WEEKLY;COUNT=2\r\nEXDATE:20260302T140000Z", "03-09 60")]
    [InlineData("and on some days besides", "DTSTART;VALUE=DATE:20260302\r\nRDATE;VALUE=DATE:20260305,20260310", "03-02 1440, 03-05 1440, 03-10 1440")]
    [InlineData("at the hour of its own zone, before and after that changes its clock", "DTSTART;TZID=Europe/Berlin:20260327T150000\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY;COUNT=4", "03-27 60, 03-28 60, 03-29 60, 03-30 60")]
    public void A_busy_event_is_the_minutes_of_the_days_that_it_touches(string how, string lines, string days)
    {
        var read = Assert.Single(Read(File(Event("a", lines))));
        Assert.True(days == DaysOf(read), $"{how}: {DaysOf(read)}");
        Assert.Equal(("a", 2), (read.Uid, read.Line));
        Assert.Null(read.Remark);
    }

    [Theory]
    [InlineData("STATUS:CANCELLED", "It is cancelled.")]
    [InlineData("STATUS:TENTATIVE", "It is tentative.")]
    [InlineData("X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE", "It is tentative.")]
    [InlineData("X-MICROSOFT-CDO-BUSYSTATUS:FREE", "It leaves the time free.")]
    [InlineData("TRANSP:TRANSPARENT", "It leaves the time free.")]
    public void An_event_that_is_not_busy_makes_no_time_off(string line, string remark)
    {
        var read = Assert.Single(Read(File(Event("a", $"DTSTART;VALUE=DATE:20260302\r\n{line}"))));
        Assert.Equal(("", remark), (DaysOf(read), read.Remark));
    }

    [Theory]
    [InlineData("TRANSP:OPAQUE\r\nSTATUS:CONFIRMED")]
    [InlineData("X-MICROSOFT-CDO-BUSYSTATUS:OOF")]
    [InlineData("SUMMARY:TRANSP:TRANSPARENT")]
    [InlineData("BEGIN:VALARM\r\nTRIGGER:-PT15M\r\nSTATUS:CANCELLED\r\nDTSTART:nothing\r\nEND:VALARM")]
    public void What_is_busy_or_does_not_matter_makes_it(string lines) =>
        Assert.Equal("03-02 1440", DaysOf(Assert.Single(Read(File(Event("a", $"DTSTART;VALUE=DATE:20260302\r\n{lines}"))))));

    [Fact]
    public void Only_whole_days_are_taken_where_these_are_asked_for()
    {
        var read = Read(File(Event("a", "DTSTART;VALUE=DATE:20260302"), Event("b", "DTSTART:20260303T090000\r\nDTEND:20260303T100000")), allDayOnly: true);

        Assert.Equal(["03-02 1440", ""], read.Select(DaysOf));
        Assert.Equal([null, "It has times of the day, and only whole days were asked for."], read.Select(e => e.Remark));
    }

    [Fact]
    public void A_file_that_cancels_takes_its_events_back()
    {
        var read = Assert.Single(Read(File("METHOD:CANCEL\r\n", Event("a", "DTSTART;VALUE=DATE:20260302"))));
        Assert.Equal(("", "It is cancelled."), (DaysOf(read), read.Remark));
    }

    [Fact]
    public void Minutes_of_a_day_count_once_and_are_those_of_the_event_that_has_most_of_them()
    {
        var read = Read(File(
            Event("a", "DTSTART:20260302T090000\r\nDTEND:20260302T110000"), Event("b", "DTSTART:20260302T100000\r\nDTEND:20260302T123000"), Event("c", "DTSTART:20260302T150000\r\nDTEND:20260302T153000"),
            Event("d", "DTSTART:20260303T090000\r\nDTEND:20260303T100000"), Event("e", "DTSTART;VALUE=DATE:20260303")));

        Assert.Equal(["", "03-02 240", "", "", "03-03 1440"], read.Select(DaysOf));
        Assert.Equal(["a", "c", "d"], read.Where(e => e.Remark == "Its time is part of other events' of the same days.").Select(e => e.Uid));
    }

    /// <summary>One time of a series in another's place is in the zone of its own, in UTC, or cancelled.</summary>
    [Theory]
    [InlineData("RECURRENCE-ID;TZID=Europe/Berlin:20260309T150000\r\nDTSTART;TZID=Europe/Berlin:20260310T150000\r\nDURATION:PT2H", "03-02 60, 03-10 120, 03-16 60")]
    [InlineData("RECURRENCE-ID:20260309T140000Z\r\nDTSTART:20260310T140000Z\r\nDURATION:PT2H", "03-02 60, 03-10 120, 03-16 60")]
    [InlineData("RECURRENCE-ID:20260309T140000Z\r\nDTSTART:20260309T140000Z\r\nSTATUS:CANCELLED", "03-02 60, 03-16 60")]
    public void A_time_of_a_series_may_be_another(string changed, string days)
    {
        var read = Assert.Single(Read(File(Event("a", "DTSTART;TZID=Europe/Berlin:20260302T150000\r\nDURATION:PT1H\r\nRRULE:FREQ=WEEKLY;COUNT=3"), Event("a", changed))));
        Assert.Equal(days, DaysOf(read));
        Assert.Equal(changed.Contains("CANCELLED", StringComparison.Ordinal) ? "It is cancelled." : null, read.Remark);
    }

    [Fact]
    public void Events_of_this_platform_are_left_out() =>
        Assert.Equal("It comes from this platform's own calendar.", Assert.Single(Read(File(Event("time-off-x@ada.acme.agencyplatform", "DTSTART;VALUE=DATE:20260302")))).Remark);

    [Fact]
    public void Sixteen_digits_of_a_hash_stand_for_a_UID()
    {
        var read = Read(File(Event("a", "DTSTART;VALUE=DATE:20260302"), Event("A", "DTSTART;VALUE=DATE:20260303")));
        Assert.Equal(2, read.Select(e => e.Source).Distinct().Count());
        Assert.All(read, e => Assert.Matches("^[0-9a-f]{16}$", e.Source));
    }

    [Fact]
    public void Text_may_be_UTF_8_or_UTF_16_that_says_so()
    {
        var file = "\uFEFF" + File(Event("Ärzte", "DTSTART;VALUE=DATE:20260302"));
        Assert.Equal("Ärzte", Assert.Single(Read(Encoding.UTF8.GetBytes(file))).Uid);
        Assert.Equal("Ärzte", Assert.Single(Read(Encoding.Unicode.GetBytes(file))).Uid);
        Assert.Equal(["must be text in UTF-8"], Problems([.. Encoding.UTF8.GetBytes(File()), 0xC3, 0x28]));
    }

    [Theory]
    [InlineData("", "line 1: must be BEGIN:VCALENDAR, with which a calendar file begins; the file is empty")]
    [InlineData("\r\n\r\n", "line 1: must be BEGIN:VCALENDAR, with which a calendar file begins; the file is empty")]
    [InlineData("<html>", "line 1: must be BEGIN:VCALENDAR, with which a calendar file begins; it is '<html>'")]
    [InlineData("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:a\r\n", "line 2: BEGIN:VEVENT has no END: the file is cut short", "line 2: the event must have one DTSTART")]
    [InlineData("BEGIN:VCALENDAR\r\nEND:VEVENT\r\n", "line 2: must end VCALENDAR of line 1; it is 'END:VEVENT'")]
    [InlineData("BEGIN:VCALENDAR\r\nno colon\r\n1;2\r\nEND:VCALENDAR\r\n", "line 2: must be NAME:value; it is 'no colon'", "line 3: must be NAME:value; it is '1;2'")]
    public void A_file_that_is_no_calendar_is_told_by_line(string file, params string[] problems) => Assert.Equal(problems, Problems(Encoding.UTF8.GetBytes(file)));

    /// <summary>Every event that is wrong is named, whoever finds it, in the file's order; none of the file is read then.</summary>
    [Fact]
    public void Every_wrong_event_is_named_at_once()
    {
        var file = File(
            Event("good", "DTSTART;VALUE=DATE:20260302"),
            "BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20260302\r\nEND:VEVENT\r\n",
            Event("b", "SUMMARY:no start"),
            Event("c", "DTSTART;VALUE=DATE:20260231"),
            Event("d", "DTSTART;TZID=Mars/Olympus:20260302T090000"),
            Event("e", "DTSTART;VALUE=DATE:20260302\r\nRRULE:FREQ=HOURLY"),
            Event("f", "DTSTART;VALUE=DATE:20260302\r\nDTEND;VALUE=DATE:20260301"),
            Event("g", "DTSTART;VALUE=DATE:20260302\r\nDURATION:two days"),
            Event("h", "DTSTART;VALUE=DATE:20260302\r\nEXDATE;VALUE=DATE:20260302,soon"),
            Event("i", "DTSTART;VALUE=DATE:20260302\r\nRRULE:FREQ=DAILY;BYDAY=XX"),
            Event("j", "DTSTART;VALUE=DATE:20260302\r\nRECURRENCE-ID;RANGE=THISANDFUTURE;VALUE=DATE:20260302"));
        var problems = Problems(Encoding.UTF8.GetBytes(file));

        Assert.Equal(
            [
                "line 6: the event must have one UID, of 1 to 1,000 characters",
                "line 9: the event must have one DTSTART",
                "line 15: must be a date such as 20260331 or a time such as 20260331T090000Z; it is '20260231'",
                "line 19: must have a time zone that is known, an IANA id such as Europe/Berlin; it is 'Mars/Olympus'",
            ],
            problems.Take(4));
        Assert.StartsWith("line 24: must have FREQ=DAILY, WEEKLY, MONTHLY or YEARLY", problems[4], StringComparison.Ordinal);
        Assert.StartsWith("line 26: the event 'f' cannot be read: ", problems[5], StringComparison.Ordinal);
        Assert.Equal("line 34: must be a duration such as P1D or PT1H30M; it is 'two days'", problems[6]);
        Assert.Equal("line 39: must be a date such as 20260331 or a time such as 20260331T090000Z, each; it is '20260302,soon'", problems[7]);
        Assert.StartsWith("line 41: the event 'i' cannot be read: ", problems[8], StringComparison.Ordinal);
        Assert.Equal("line 49: must have no RANGE: put a series of its own in the file for what comes after a date", problems[9]);
        Assert.Equal(10, problems.Count);
    }

    /// <summary>What would take long, or never end, is refused before it is tried, or given up.</summary>
    [Theory]
    [InlineData("RRULE:FREQ=SECONDLY")]
    [InlineData("RRULE:FREQ=DAILY;BYHOUR=1,2,3")]
    [InlineData("RRULE:FREQ=DAILY;FREQ=SECONDLY")]
    [InlineData("RRULE:FREQ=DAILY;INTERVAL=0")]
    [InlineData("RRULE:FREQ=DAILY;INTERVAL=-1")]
    [InlineData("RRULE:FREQ=DAILY;COUNT=0")]
    [InlineData("RRULE:INTERVAL=1")]
    [InlineData("RRULE:")]
    [InlineData("RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30")]
    [InlineData("RRULE:FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=400")]
    public void A_repetition_that_cannot_be_followed_is_refused(string rule) =>
        Assert.Single(Problems(Encoding.UTF8.GetBytes(File(Event("a", $"DTSTART:20260302T090000\r\n{rule}")))));

    [Fact]
    public void A_file_has_an_end()
    {
        Assert.Contains("at most 2,000 events; it has 2,001", Only(Enumerable.Range(0, 2_001).Select(i => Event($"e{i}", "DTSTART;VALUE=DATE:20260302"))), StringComparison.Ordinal);
        Assert.Contains("at most 200 events with an RRULE; it has 201", Only(Enumerable.Range(0, 201).Select(i => Event($"e{i}", "DTSTART;VALUE=DATE:20260302\r\nRRULE:FREQ=YEARLY"))), StringComparison.Ordinal);
        Assert.Contains("on at most 20,000 days", Only([Event("a", "DTSTART;VALUE=DATE:19000101\r\nRRULE:FREQ=DAILY")]), StringComparison.Ordinal);
        Assert.Contains("on at most 20,000 days", Only([Event("a", "DTSTART;VALUE=DATE:20260302\r\nDURATION:P500D\r\nRRULE:FREQ=DAILY")]), StringComparison.Ordinal);

        static string Only(IEnumerable<string> events) => Assert.Single(Problems(Encoding.UTF8.GetBytes(File([.. events]))));
    }

    [Fact]
    public void A_file_of_nothing_but_faults_names_a_hundred() =>
        Assert.Equal(100, Problems(Encoding.UTF8.GetBytes("BEGIN:VCALENDAR\r\n" + string.Concat(Enumerable.Repeat("nothing\r\n", 5_000)))).Count);

    private static string Event(string uid, string lines) => $"BEGIN:VEVENT\r\nUID:{uid}\r\n{lines}\r\nEND:VEVENT\r\n";

    private static string File(params string[] events) => $"BEGIN:VCALENDAR\r\n{string.Concat(events)}END:VCALENDAR\r\n";

    private static string DaysOf(FileEvent e) => string.Join(", ", e.Days.Select(d => $"{d.Key:MM-dd} {d.Value}"));

    private static IReadOnlyList<FileEvent> Read(string file, bool allDayOnly = false) => Read(Encoding.UTF8.GetBytes(file), allDayOnly);

    private static IReadOnlyList<FileEvent> Read(byte[] file, bool allDayOnly = false)
    {
        var fields = new Fields();
        var read = CalendarFile.Read(file, s_newYork, s_within, allDayOnly, fields);
        Assert.Empty(fields.Violations);
        return read;
    }

    private static List<string> Problems(byte[] file)
    {
        var fields = new Fields();
        Assert.Empty(CalendarFile.Read(file, s_newYork, s_within, false, fields));
        Assert.All(fields.Violations, v => Assert.Equal("ics", v.Field));
        return [.. fields.Violations.Select(v => v.Description)];
    }
}
