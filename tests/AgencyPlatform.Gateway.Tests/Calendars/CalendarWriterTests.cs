using System.Collections.Immutable;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Gateway.Calendars;
using NodaTime;

namespace AgencyPlatform.Gateway.Tests.Calendars;

/// <summary>What the calendar says of what seldom happens, and of more than it shows. It is July 2026.</summary>
public sealed class CalendarWriterTests
{
    private static readonly Instant s_now = Instant.FromUtc(2026, 7, 15, 9, 0);
    private static readonly ImmutableSortedDictionary<string, string> s_none = ImmutableSortedDictionary<string, string>.Empty;

    [Fact]
    public void A_cover_whose_long_name_is_a_hash_is_told_as_one()
    {
        var engagement = new string('e', 60);
        var dates = ImmutableSortedDictionary<LocalDate, int>.Empty.Add(Day(7, 20), 240).Add(Day(7, 21), 240).Add(Day(7, 22), 60).Add(Day(7, 24), 60);
        var step = new DatedStep(new DateRange(Day(7, 20), Day(7, 25)), dates);

        var cover = Events(Booked(Cmo("ada"), IdSyntax.Fitting($"{engagement}-cover-flu"), engagement, step));
        var dated = Events(Booked(Cmo("ada"), $"{engagement}-ada", engagement, step));

        Assert.Equal(["2026-07-20 2026-07-22 Cover for acme, 4 h a day", "2026-07-22 2026-07-23 Cover for acme, 1 h", "2026-07-24 2026-07-25 Cover for acme, 1 h"], cover);
        Assert.Equal("2026-07-20 2026-07-22 acme, 4 h a day", dated[0]);
    }

    [Fact]
    public void Steps_that_follow_each_other_are_events_of_their_own()
    {
        var cmo = Booked(
            Cmo("ada"), "launch", "launch",
            new FlexibleStep(new DateRange(Day(1, 5), Day(7, 6)), 605), new PerPeriodStep(new DateRange(Day(7, 6), Day(10, 1)), 3_000, new BillCycle(1, 3)),
            new FixedDaysStep(new DateRange(Day(10, 1), null), new WeekdayMinutes(0, 0, 30, 0, 0, 0, 90), 1));

        Assert.Equal(
            ["2026-01-05 2026-07-06 acme, 10 h 5 min a week", "2026-07-06 2026-10-01 acme, 50 h in 3 months", "2026-10-04 2026-10-05 acme, Wed 30 min, Sun 1 h 30 min"],
            Events(cmo));
        Assert.Contains("RRULE:FREQ=WEEKLY;BYDAY=WE,SU\r\n", Text(cmo).Replace(";WKST=MO", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public void A_CMO_who_has_left_is_away() =>
        Assert.Equal(["2026-09-01 2027-08-01 Has left"], Events(Cmo("ada").Apply(new LeaveSet(Day(9, 1), Day(7, 15), Consequences.None))));

    [Fact]
    public void Of_more_events_than_it_shows_the_calendar_has_the_first_and_says_so()
    {
        var calendar = Ical.Net.Calendar.Load(Text([.. Enumerable.Range(0, 60).Select(i => Off(Cmo($"cmo-{i:00}"), 200))], incomplete: true))!;

        Assert.Equal(CalendarWriter.MostEvents + 2, calendar.Events.Count);
        Assert.Contains(calendar.Events, e => e.Summary == "More than the 10,000 events that this calendar shows");
        Assert.Contains(calendar.Events, e => e.Summary == "This calendar shows 60 CMOs only");
        Assert.Equal(calendar.Events.Count, calendar.Events.Select(e => e.Uid).Distinct().Count());
    }

    [Fact]
    public void What_is_written_is_the_same_while_nothing_changes()
    {
        var cmo = Off(Cmo("ada"), 3);
        Assert.Equal(Text(cmo), Text(cmo));
    }

    private static LocalDate Day(int month, int day) => new(2026, month, day);

    private static Agency Agency() => Domain.Agencies.Agency.Initial.Apply(new AgencyCreated(
        new AgencyId("acme"), new AgencySettings("Agency", "Europe/Berlin", new Currency("EUR"), [], s_none, s_none), 0, 0, [], null));

    private static FractionalCmo Cmo(string id) => FractionalCmo.Initial.Apply(new CmoCreated(
        new CmoId(id), new CmoProfile(new PersonId(id), "CMO", "Etc/UTC", s_none, s_none), new CmoLimits(10, 0), new WorkingPattern(Day(1, 1), new WeekdayMinutes(480, 480, 480, 480, 480, 0, 0)), null, null));

    private static FractionalCmo Booked(FractionalCmo cmo, string id, string engagement, params ImmutableArray<BookingStep> steps)
    {
        var client = new ClientCompanyId("acme");
        var held = new BookingHeld(new BookingId(id), new BookingSpec(client, new EngagementId(engagement), steps), s_now, null, new EngagementId(engagement), new ClientFence(client, 1, [], []));
        return cmo.Apply(held).Apply(new BookingConfirmed(held.Id, s_now));
    }

    /// <summary>Off every other day.</summary>
    private static FractionalCmo Off(FractionalCmo cmo, int days) => cmo.Apply(new TimeOffImported(
        [.. Enumerable.Range(0, days).Select(i => new TimeOff(new TimeOffId($"off-{i}"), Day(4, 2).PlusDays(2 * i), Day(4, 3).PlusDays(2 * i), TimeOffKind.WholeDays))], [],
        ImmutableSortedDictionary<string, ImportOutcome>.Empty, Day(7, 15), Consequences.None));

    private static string Text(params FractionalCmo[] cmos) => Text(cmos, incomplete: false);

    private static string Text(FractionalCmo[] cmos, bool incomplete) =>
        new CalendarWriter(Agency(), s_now, ofAgency: false, c => c.Id.Value, c => c.Value, s_now).Write("Calendar", [.. cmos.Select(c => (c, s_now))], incomplete);

    private static string[] Events(FractionalCmo cmo) =>
        [.. Ical.Net.Calendar.Load(Text(cmo))!.Events.Select(e => $"{e.DtStart!.Value:yyyy-MM-dd} {e.DtEnd!.Value:yyyy-MM-dd} {e.Summary}").Order(StringComparer.Ordinal)];
}
