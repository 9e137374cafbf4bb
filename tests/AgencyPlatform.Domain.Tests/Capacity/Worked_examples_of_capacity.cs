using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Cmos;
using NodaTime;
using static AgencyPlatform.Domain.Tests.Capacity.Given;

namespace AgencyPlatform.Domain.Tests.Capacity;

/// <summary>The worked examples of the capacity rules, and one fact for each rule beside them.</summary>
public class Worked_examples_of_capacity
{
    private static readonly LocalDate s_wednesday = Day(3, 4);
    private static readonly LocalDate s_monday = Day(3, 2);

    [Fact]
    public void A_month_of_2400_minutes_is_spread_over_its_weeks_by_their_days()
    {
        var cmo = Cmo(MondayToFriday).Booked("b", Spec("acme", Monthly(2400, Day(6, 1), Day(7, 1))));

        var weeks = Reports.Weeks(cmo.Facts, Day(6, 1), 5).Select(w => w.ConfirmedMinutes);

        Assert.Equal([546L, 546, 545, 545, 218], weeks);
    }

    [Fact]
    public void Time_off_moves_a_months_minutes_to_its_other_weeks_that_are_not_over()
    {
        var cmo = Cmo(MondayToFriday).Booked("b", Spec("acme", Monthly(2400, Day(6, 1), Day(7, 1))));

        // Recorded on Wednesday of the second week: the first week is over and keeps its 546.
        cmo = cmo.Off("sick", Day(6, 15), Day(6, 20), now: Instant.FromUtc(2026, 6, 10, 9, 0));

        var weeks = Reports.Weeks(cmo.Facts, Day(6, 1), 5).Select(w => w.ConfirmedMinutes).ToArray();
        Assert.Equal(546, weeks[0]);
        Assert.Equal(0, weeks[2]);
        Assert.Equal(2400, weeks.Sum());
    }

    [Fact]
    public void A_flexible_week_that_begins_on_Wednesday_asks_for_the_covered_days_share() =>
        Assert.Equal(300, Cmo(MondayToThursday).Booked("b", Flexible(600, s_wednesday, null)).Week(s_wednesday).ConfirmedMinutes);

    [Fact]
    public void With_Thursday_off_it_asks_for_half_of_that_and_the_other_half_is_shortfall()
    {
        var cmo = Cmo(MondayToThursday).Booked("b", Flexible(600, s_wednesday, null));

        var decision = cmo.AddTimeOff(new TimeOff(new TimeOffId("off"), Day(3, 5), Day(3, 6), TimeOffKind.WholeDays), Now);

        Assert.Equal(150, cmo.Then(decision).Week(s_wednesday).ConfirmedMinutes);
        var consequences = Assert.IsType<TimeOffAdded>(Assert.Single(decision.Events)).Consequences;
        Assert.Equal(new Shortfall(s_monday, new BookingId("b"), null, 150), Assert.Single(consequences.Shortfalls));
        Assert.Empty(consequences.InfeasibleWeeks);
    }

    [Fact]
    public void Two_halves_that_share_an_odd_minute_fit_exactly()
    {
        var cmo = Cmo(new WeekdayMinutes(450, 450, 450, 450, 450, 0, 0)).Off("half", Day(3, 6), Day(3, 7), TimeOffKind.HalfDays)
            .Booked("a", Flexible(1125, s_monday, Day(3, 9)))
            .Booked("b", Flexible(1125, s_monday, Day(3, 9), "bolt"));

        Assert.Equal(2025, cmo.Week(s_monday).AvailableMinutes);
        Assert.Equal(0, cmo.Week(s_monday).FreeMinutes);
        Assert.Equal(Reasons.CapacityExceeded, cmo.Refused(Flexible(1, s_monday, Day(3, 9), "coil")).Reason);
    }

    [Fact]
    public void A_second_full_booking_of_the_same_two_days_is_refused_though_the_week_has_room()
    {
        var cmo = Cmo(MondayToThursday).Booked("a", Flexible(1920, s_monday, s_wednesday));

        var rejection = cmo.Refused(Flexible(1920, s_monday, s_wednesday, "bolt"));

        Assert.Equal(Reasons.CapacityExceeded, rejection.Reason);
        Assert.Equal("960", rejection.Metadata["missing_minutes"]);
        Assert.Equal("2026-03-02", rejection.Metadata["week"]);
        Assert.Equal("2026-03-02", rejection.Metadata["run_start"]);
        Assert.Equal("2026-03-04", rejection.Metadata["run_end"]);
        // On Wednesday and Thursday of the same week there is room.
        Assert.Equal("2026-03-04", rejection.Metadata["earliest_start"]);
    }

    [Fact]
    public void Fixed_days_ask_every_other_week_and_are_cut_off_by_availability()
    {
        var spec = Spec("acme", new FixedDaysStep(Dates(s_monday, null), new WeekdayMinutes(480, 0, 0, 0, 0, 0, 0), 2));
        var cmo = Cmo(MondayToThursday).Off("half", Day(3, 16), Day(3, 17), TimeOffKind.HalfDays).Booked("b", spec);

        Assert.Equal([480L, 0, 240, 0, 480], Reports.Weeks(cmo.Facts, s_monday, 5).Select(w => w.ConfirmedMinutes));
        Assert.Equal(new CutOff(Day(3, 16), 240), Assert.Single(Reports.CutOffs(cmo.Facts, spec, Day(6, 1))));
    }

    [Fact]
    public void Fixed_minutes_above_the_pattern_of_their_day_are_refused() =>
        Assert.Equal(Reasons.AbovePattern, Cmo(MondayToThursday).Refused(Spec("acme", new FixedDaysStep(Dates(s_monday, null), new WeekdayMinutes(0, 0, 0, 0, 60, 0, 0), 1))).Reason);

    [Fact]
    public void A_flexible_week_without_any_pattern_is_refused() =>
        Assert.Equal(Reasons.NoPattern, Cmo(MondayToThursday).Refused(Flexible(60, new LocalDate(2025, 12, 1), new LocalDate(2025, 12, 8))).Reason);

    [Fact]
    public void Overbooking_raises_each_days_limit_rounded_down()
    {
        var cmo = Cmo(new WeekdayMinutes(333, 0, 0, 0, 0, 0, 0), overbooking: 10);

        Assert.Equal(366, cmo.Week(s_monday).LimitMinutes);
        cmo.Booked("a", Flexible(366, s_monday, Day(3, 9)));
        Assert.Equal("1", cmo.Refused(Flexible(367, s_monday, Day(3, 9))).Metadata["missing_minutes"]);
    }

    [Fact]
    public void A_client_more_than_the_CMO_takes_is_refused_on_the_first_such_day()
    {
        var cmo = Cmo(MondayToThursday, maxClients: 1).Booked("a", Flexible(60, Day(3, 16), Day(3, 23)));

        var rejection = cmo.Refused(Flexible(60, s_monday, null, "bolt"));

        Assert.Equal((Reasons.MaxClients, "2026-03-16"), (rejection.Reason, rejection.Metadata["date"]));
        cmo.Booked("b", Flexible(60, s_monday, Day(3, 16), "bolt"));
        cmo.Booked("c", Flexible(60, s_monday, null));
    }

    [Fact]
    public void Less_than_the_smallest_block_is_refused_before_proration()
    {
        var cmo = Cmo(MondayToThursday, minBlock: 240);

        Assert.Equal(Reasons.BelowSmallestBlock, cmo.Refused(Flexible(239, s_monday, null)).Reason);
        // 240 a week is enough, though the first week covers one day only.
        cmo.Booked("b", Flexible(240, Day(3, 5), null));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Competitors_do_not_meet_whichever_names_the_other_and_whichever_comes_first(bool newcomerNames)
    {
        var cmo = Cmo(MondayToThursday, coolingOff: 14)
            .Booked("a", Flexible(60, s_monday, Day(3, 16)), newcomerNames ? Fence("acme") : Fence("acme", names: ["bolt"]));
        var fence = newcomerNames ? Fence("bolt", names: ["acme"]) : Fence("bolt");

        Assert.Equal(Reasons.CompetitorFence, cmo.Refused(Flexible(60, Day(3, 29), null, "bolt"), fence).Reason);
        cmo.Booked("b", Flexible(60, Day(3, 30), null, "bolt"), fence);
    }

    [Fact]
    public void A_hold_counts_until_it_expires_and_is_told_so_when_confirmed_late()
    {
        var id = new BookingId("h");
        var cmo = Cmo(MondayToThursday);
        cmo = cmo.Then(cmo.Hold(new HoldBooking(id, Flexible(1920, s_monday, null), null), Facts(Fence("acme")), Now));
        Assert.Equal(Now + Duration.FromMinutes(15), cmo.NextDue);
        Assert.Equal(1920, cmo.Week(s_monday).HeldMinutes);

        var later = cmo.Then(Decision.Accept(cmo.Settle(Now + Duration.FromMinutes(15))));

        Assert.Empty(later.Bookings);
        Assert.Equal(Reasons.HoldExpired, later.Confirm(id, Now + Duration.FromMinutes(15)).Rejection!.Reason);
        Assert.Empty(cmo.Settle(Now + Duration.FromMinutes(15) - Duration.Epsilon));
    }

    [Fact]
    public void A_refused_change_leaves_the_old_booking_and_an_accepted_one_keeps_its_age()
    {
        var cmo = Cmo(MondayToThursday).Booked("a", Flexible(960, s_monday, null)).Booked("b", Flexible(960, s_monday, null, "bolt"));
        var id = new BookingId("a");

        var refused = cmo.Change(new ChangeBooking(id, Flexible(961, s_monday, null).Steps), Facts(Fence("acme")), Now);
        var changed = cmo.Then(cmo.Change(new ChangeBooking(id, Flexible(480, Day(4, 6), null).Steps), Facts(Fence("acme")), Now));

        Assert.Equal(Reasons.CapacityExceeded, refused.Rejection!.Reason);
        Assert.Equal(0, changed.Bookings[id].Age);
        Assert.Equal(960, changed.Week(s_monday).ConfirmedMinutes);
    }

    [Fact]
    public void A_ramp_is_checked_as_one()
    {
        var ramp = Spec("acme", new FlexibleStep(Dates(s_monday, Day(3, 30)), 480), new FlexibleStep(Dates(Day(3, 30), null), 1921));

        var rejection = Cmo(MondayToThursday).Refused(ramp);

        Assert.Equal("2026-03-30", rejection.Metadata["week"]);
        Assert.Equal("none within 104 weeks", rejection.Metadata["earliest_start"]);
    }

    [Fact]
    public void An_open_end_meets_a_booking_that_begins_in_two_years()
    {
        var cmo = Cmo(MondayToThursday).Booked("far", Flexible(1920, new LocalDate(2028, 3, 6), new LocalDate(2028, 3, 13)));

        Assert.Equal("2028-03-06", cmo.Refused(Flexible(60, s_monday, null, "bolt")).Metadata["week"]);
    }

    [Fact]
    public void Only_its_engagement_moves_a_booking_that_it_owns()
    {
        var (engagement, id) = (new EngagementId("e"), new BookingId("b"));
        var cmo = Cmo(MondayToThursday);
        cmo = cmo.Then(cmo.Hold(new HoldBooking(id, Flexible(60, s_monday, null), null), Facts(Fence("acme")), Now));
        var taken = cmo.Then(cmo.TakeOver(engagement, id, Now));

        Assert.Null(taken.NextDue);
        Assert.Equal(Reasons.OwnedByEngagement, taken.Release(id, Now).Rejection!.Reason);
        Assert.Equal(Reasons.OwnedByEngagement, taken.Confirm(id, Now).Rejection!.Reason);
        Assert.Equal(cmo.NextDue, taken.Then(taken.GiveBack(engagement, id, Now)).NextDue);
        Assert.Equal(BookingState.Confirmed, taken.Then(taken.ConfirmFor(engagement, id, Now)).Bookings[id].State);
        Assert.Equal(Dates(s_monday, Day(4, 1)), taken.Then(taken.EndFor(engagement, id, Day(4, 1), Now)).Bookings[id].Dates);
    }

    [Fact]
    public void Overlapping_time_off_is_refused_and_adjoining_is_not()
    {
        var cmo = Cmo(MondayToThursday).Off("a", s_monday, s_wednesday);

        Assert.Equal(Reasons.TimeOffOverlaps, cmo.AddTimeOff(new TimeOff(new TimeOffId("b"), Day(3, 3), Day(3, 5), TimeOffKind.HalfDays), Now).Rejection!.Reason);
        cmo.Off("c", s_wednesday, Day(3, 5));
    }

    [Fact]
    public void Older_bookings_keep_first_when_there_is_no_longer_room_for_all()
    {
        var cmo = Cmo(MondayToThursday).Booked("old", Flexible(960, s_monday, Day(3, 9))).Booked("new", Flexible(960, s_monday, Day(3, 9), "bolt"));

        // A smaller pattern from that week on: 960 remain; flexible demand is stated against the week's pattern.
        var decision = cmo.SetWorkingPattern(new WorkingPattern(s_monday, new WeekdayMinutes(240, 240, 240, 240, 0, 0, 0)), Now);

        var fact = Assert.IsType<WorkingPatternSet>(Assert.Single(decision.Events));
        Assert.Equal(new FailingWeek(s_monday, 960), Assert.Single(fact.Consequences.InfeasibleWeeks));
        Assert.Equal(new Shortfall(s_monday, new BookingId("new"), null, 960), Assert.Single(fact.Consequences.Shortfalls));
    }
}
