using System.Collections.Immutable;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Time;
using NodaTime;
using Xunit;

namespace AgencyPlatform.Domain.Tests.Time;

/// <summary>What bookings come to by the day, a sheet as planned, one without work, and rows each for itself.</summary>
public sealed class Weeks_as_planned
{
    private static readonly IsoWeek s_week = new(2026, 14);
    private static readonly LocalDate s_monday = new(2026, 3, 30);
    private static readonly Instant s_now = Instant.FromUtc(2026, 4, 4, 12, 0);
    private static readonly CmoId s_ada = new("ada");
    private static readonly ImmutableDictionary<TimeEntryId, Rejection> s_none = ImmutableDictionary<TimeEntryId, Rejection>.Empty;

    private static TimeEntryId Id(string id) => new(id);

    private static LoggedEntry Entry(string id, int minutes = 60, int day = 0, string? engagement = "acme") =>
        new(Id(id), new Work(engagement is null ? null : new EngagementId(engagement), s_monday.PlusDays(day), minutes, engagement is null ? "sales" : "", engagement is not null, true, ""));

    private static Timesheet Fold(Timesheet sheet, Decision decision)
    {
        Assert.Null(decision.Rejection);
        return decision.Events.Aggregate(sheet, (s, e) => s.Apply(EventJson.Deserialize(EventJson.NameOf(e).Name, EventJson.NameOf(e).Version, EventJson.Serialize(e))));
    }

    private static Decision Log(Timesheet sheet, params LoggedEntry[] entries) => sheet.Log(new LogTime(s_ada, s_week, [.. entries]), "UTC", s_now);

    private static CapacityFacts Facts(params (string Engagement, BookingState State, BookingStep Step)[] bookings)
    {
        var calendar = WorkCalendar.Empty with
        {
            Patterns = [new WorkingPattern(new LocalDate(2026, 1, 1), new WeekdayMinutes(480, 480, 480, 480, 0, 0, 0))],
            TimeOff = ImmutableSortedDictionary<TimeOffId, TimeOff>.Empty.Add(new("day"), new TimeOff(new("day"), s_monday.PlusDays(3), s_monday.PlusDays(4), TimeOffKind.WholeDays)),
        };
        return new CapacityFacts(
            calendar, AgencyPolicy.None,
            bookings.Select((b, i) => new Booking(
                new BookingId("b" + i), new BookingSpec(new ClientCompanyId("c"), new EngagementId(b.Engagement), [b.Step]), b.State, null, null, i, s_now, s_now,
                new ClientFence(new ClientCompanyId("c"), 0, [], []))).ToImmutableSortedDictionary(b => b.Id, b => b),
            10, 0);
    }

    private static string[] Plan(CapacityFacts facts, int days = 7) =>
        [.. WorkPlan.Of(facts, s_monday, s_monday.PlusDays(days)).Select(p => $"{p.Date.DayOfWeek} {p.Engagement} {p.Minutes}")];

    /// <summary>Mon–Thu 8 h, Thursday off.</summary>
    [Fact]
    public void What_a_booking_asks_of_a_week_is_spread_over_the_days_it_may_be_worked_on()
    {
        var year = new DateRange(new LocalDate(2026, 1, 1), new LocalDate(2027, 1, 1));

        // 500 a week, prorated for the day off: 500 × 1,440 ÷ 1,920 = 375 on three days.
        Assert.Equal(["Monday acme 125", "Tuesday acme 125", "Wednesday acme 125"], Plan(Facts(("acme", BookingState.Confirmed, new FlexibleStep(year, 500)))));

        // From Wednesday on: 400 × 480 ÷ 1,920 = 100, all on Wednesday, since Thursday is off.
        Assert.Equal(["Wednesday acme 100"], Plan(Facts(("acme", BookingState.Confirmed, new FlexibleStep(new DateRange(s_monday.PlusDays(2), year.End), 400)))));
        Assert.Equal(
            ["Monday acme 60", "Wednesday acme 90"],
            Plan(Facts(("acme", BookingState.Confirmed, new FixedDaysStep(year, new WeekdayMinutes(60, 0, 90, 120, 0, 0, 0), 1)))));
        Assert.Equal(
            ["Tuesday acme 200", "Tuesday bolt 30"],
            Plan(Facts(
                ("bolt", BookingState.Confirmed, new DatedStep(year, ImmutableSortedDictionary<LocalDate, int>.Empty.Add(s_monday.PlusDays(1), 30))),
                ("acme", BookingState.Confirmed, new DatedStep(year, ImmutableSortedDictionary<LocalDate, int>.Empty.Add(s_monday.PlusDays(1), 200))))));
        Assert.Empty(Plan(Facts(("acme", BookingState.Held, new FlexibleStep(year, 500)))));
        Assert.Equal(["Monday acme 125"], Plan(Facts(("acme", BookingState.Confirmed, new FlexibleStep(year, 500))), days: 1));
    }

    /// <summary>A proposal's hold is made before there is an engagement.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData("somebody-else")]
    public void A_booking_that_an_engagement_took_over_is_planned_for_it(string? asked)
    {
        var facts = Facts(("bolt", BookingState.Confirmed, new FlexibleStep(new DateRange(s_monday, null), 500)));
        var hold = facts.Bookings.Values.Single();
        hold = hold with { Owner = new("acme"), Spec = hold.Spec with { Engagement = asked is null ? null : new EngagementId(asked) } };

        Assert.Equal(["Monday acme 125", "Tuesday acme 125", "Wednesday acme 125"], Plan(facts with { Bookings = facts.Bookings.SetItem(hold.Id, hold) }));
    }

    [Fact]
    public void As_planned_logs_and_submits_what_has_no_entry_yet_and_again_changes_nothing()
    {
        var planned = new LogTime(s_ada, s_week, [Timesheet.Planned(new("acme"), s_monday, 125), Timesheet.Planned(new("acme"), s_monday.PlusDays(1), 125), Timesheet.Planned(new("bolt"), s_monday, 30)]);
        var sheet = Fold(Timesheet.Initial, Log(Timesheet.Initial, Entry("by-hand", 200)));
        sheet = Fold(sheet, sheet.LogAsPlanned(planned, "UTC", s_now, 0));

        Assert.Equal(
            [("by-hand", 200, TimeEntryState.Draft), ("planned-1-bolt", 30, TimeEntryState.Submitted), ("planned-2-acme", 125, TimeEntryState.Submitted)],
            sheet.Entries.Values.Select(e => (e.Id.Value, e.Work.Minutes, e.State)));
        Assert.Equal(Decision.Nothing, sheet.LogAsPlanned(planned, "UTC", s_now, 0));
        Assert.Equal(Reasons.NothingPlanned, sheet.LogAsPlanned(planned with { Entries = [] }, "UTC", s_now, 0).Rejection!.Reason);
        Assert.Equal(Reasons.TimeInFuture, Timesheet.Initial.LogAsPlanned(planned, "UTC", Instant.FromUtc(2026, 3, 30, 12, 0), 0).Rejection!.Reason);
        Assert.Null(Timesheet.Initial.LogAsPlanned(planned, "UTC", Instant.FromUtc(2026, 3, 30, 12, 0), 1).Rejection);
        Assert.Equal(63, Timesheet.Planned(new EngagementId(new string('e', 63)), s_monday, 1).Id.Value.Length);
    }

    /// <summary>An entry of the plan that was moved to another day keeps its id and its minutes; so does an entry that has the plan's id by chance.</summary>
    [Fact]
    public void As_planned_writes_over_no_entry_that_was_moved_to_another_day()
    {
        var planned = new LogTime(s_ada, s_week, [Timesheet.Planned(new("acme"), s_monday, 125), Timesheet.Planned(new("bolt"), s_monday, 30)]);
        var sheet = Fold(Timesheet.Initial, Log(Timesheet.Initial, Entry("planned-1-acme", 99, day: 1), Entry("planned-1-bolt", 10, day: 1, engagement: null)));
        (string, int, TimeEntryState)[] moved = [("planned-1-acme", 99, TimeEntryState.Draft), ("planned-1-bolt", 10, TimeEntryState.Draft)];
        Assert.Equal(["planned-1x2-acme", "planned-1x2-bolt"], sheet.NotYetLogged(planned.Entries).Select(e => e.Id.Value));

        sheet = Fold(sheet, sheet.LogAsPlanned(planned, "UTC", s_now, 0));
        Assert.Equal(
            [.. moved, ("planned-1x2-acme", 125, TimeEntryState.Submitted), ("planned-1x2-bolt", 30, TimeEntryState.Submitted)],
            sheet.Entries.Values.Select(e => (e.Id.Value, e.Work.Minutes, e.State)));
        Assert.Equal(Decision.Nothing, sheet.LogAsPlanned(planned, "UTC", s_now, 0));

        // Sent back and left there, it is replaced under its own id.
        sheet = Fold(sheet, sheet.Reject(new RejectEntries([Id("planned-1x2-acme")], "Too much")));
        Assert.Equal(["planned-1x2-acme"], sheet.NotYetLogged(planned.Entries).Select(e => e.Id.Value));
    }

    [Fact]
    public void A_week_without_work_is_told_of_an_empty_sheet_and_taken_back_by_what_is_logged()
    {
        var sheet = Fold(Timesheet.Initial, Timesheet.Initial.ReportNothingWorked(s_ada, s_week, "UTC", s_now));
        Assert.True(sheet is { NothingWorked: true, Exists: true });
        Assert.Equal(Decision.Nothing, sheet.ReportNothingWorked(s_ada, s_week, "UTC", s_now));

        sheet = Fold(sheet, Log(sheet, Entry("a")));
        Assert.False(sheet.NothingWorked);
        Assert.Equal(Reasons.WeekHasEntries, sheet.ReportNothingWorked(s_ada, s_week, "UTC", s_now).Rejection!.Reason);
        sheet = Fold(sheet, sheet.Remove(new RemoveEntries([Id("a")])));
        Assert.True(Fold(sheet, sheet.ReportNothingWorked(s_ada, s_week, "UTC", s_now)).NothingWorked);

        // The CMO's Monday has come in Kiritimati when it has not in Niue.
        var sunday = Instant.FromUtc(2026, 3, 29, 10, 0);
        Assert.Null(Timesheet.Initial.ReportNothingWorked(s_ada, s_week, "Pacific/Kiritimati", sunday).Rejection);
        Assert.Equal(Reasons.TimeInFuture, Timesheet.Initial.ReportNothingWorked(s_ada, s_week, "Pacific/Niue", sunday).Rejection!.Reason);
    }

    [Fact]
    public void Rows_come_out_each_for_itself_and_the_same_rows_again_change_nothing()
    {
        var sheet = Fold(Timesheet.Initial, Log(Timesheet.Initial, Entry("sent", 10)));
        sheet = Fold(sheet, sheet.Submit(new SubmitEntries([])));
        var rows = new LogTime(s_ada, s_week, [Entry("a", 1_000), Entry("b", 440), Entry("c", 430), Entry("sent", 10), Entry("d", 60, 6), Entry("e"), Entry("s", 15, 1, null)]);
        var refused = s_none.Add(Id("e"), Rejection.Rule(Reasons.NotAMember, "No."));
        var decision = sheet.LogEach(rows, refused, "UTC", s_now, 0);
        sheet = Fold(sheet, decision);

        Assert.Equal(["a", "c", "s"], decision.Events.OfType<TimeLogged>().Single().Entries.Select(e => e.Id.Value));
        (string, string?)[] expected =
            [("a", null), ("b", Reasons.DayOverfull), ("c", null), ("sent", null), ("d", Reasons.TimeInFuture), ("e", Reasons.NotAMember), ("s", null)];
        Assert.Equal(expected, sheet.OutcomesOf(rows).Select(o => (o.Entry.Value, o.Refusal?.Reason)));

        var again = sheet.LogEach(rows, refused, "UTC", s_now, 0);
        Assert.IsType<RowsRefused>(Assert.Single(again.Events));
        Assert.Equal(expected, Fold(sheet, again).OutcomesOf(rows).Select(o => (o.Entry.Value, o.Refusal?.Reason)));

        // Another content under an id that was submitted is refused, not taken for what stands.
        var other = new LogTime(s_ada, s_week, [Entry("sent", 11)]);
        sheet = Fold(sheet, sheet.LogEach(other, s_none, "UTC", s_now, 0));
        Assert.Equal(Reasons.EntryStateNotAllowed, sheet.OutcomesOf(other).Single().Refusal!.Reason);

        // What stands is no news, and the refusals are those of the last command only.
        var standing = sheet.LogEach(new LogTime(s_ada, s_week, [Entry("sent", 10)]), s_none, "UTC", s_now, 0);
        Assert.Empty(standing.Events);
        Assert.Null(sheet.OutcomesOf(new LogTime(s_ada, s_week, [Entry("sent", 10)])).Single().Refusal);
        Assert.Empty(Fold(sheet, sheet.Submit(new SubmitEntries([]))).RefusedRows);
    }

    [Fact]
    public void Internal_time_has_a_category_and_is_never_billable()
    {
        var entry = Entry("a", engagement: null);
        Assert.Null(Log(Timesheet.Initial, entry).Rejection);
        var bad = Log(Timesheet.Initial, entry with { Work = entry.Work with { Billable = true, Category = "" } }).Rejection!;
        Assert.Equal(["entries[0].category", "entries[0].non_billable"], bad.Fields.Select(f => f.Field));
        var sheet = Fold(Timesheet.Initial, Log(Timesheet.Initial, entry));
        Assert.Equal(Reasons.EntryEngagementFixed, Log(sheet, Entry("a")).Rejection!.Reason);
    }

    [Theory]
    [InlineData("Pacific/Kiritimati", "2026-03-30", true)] // UTC+14: Monday since 10:00 UTC on Sunday
    [InlineData("Pacific/Pago_Pago", "2026-03-29", true)] // UTC−11: still Saturday until 11:00 UTC on Sunday
    [InlineData("Pacific/Pago_Pago", "2026-03-30", false)]
    [InlineData("Europe/Berlin", "2026-03-29", true)] // the day on which clocks go forward
    [InlineData("Europe/Berlin", "2026-03-30", false)]
    public void What_is_the_future_is_the_CMOs_calendars_matter(string zone, string date, bool accepted)
    {
        var day = NodaTime.Text.LocalDatePattern.Iso.Parse(date).Value;
        var command = new LogTime(s_ada, IsoWeek.Of(day), [new LoggedEntry(Id("a"), new Work(new("acme"), day, 60, "", true, true, ""))]);
        Assert.Equal(accepted ? null : Reasons.TimeInFuture, Timesheet.Initial.Log(command, zone, Instant.FromUtc(2026, 3, 29, 11, 0)).Rejection?.Reason);
    }
}
