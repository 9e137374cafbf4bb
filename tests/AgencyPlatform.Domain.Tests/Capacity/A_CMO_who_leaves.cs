using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Cmos;
using NodaTime;
using static AgencyPlatform.Domain.Tests.Capacity.Given;

namespace AgencyPlatform.Domain.Tests.Capacity;

/// <summary>From the leave on nothing is available, and nothing new is promised; what is booked stands. The CMO works 1,920 minutes a week, Monday to Thursday.</summary>
public class A_CMO_who_leaves
{
    private static readonly LocalDate s_monday = Day(3, 2);

    /// <summary>A Wednesday.</summary>
    private static readonly LocalDate s_leave = Day(6, 3);

    [Fact]
    public void Has_nothing_available_from_the_date_on_and_what_is_booked_stands_and_is_told()
    {
        var cmo = Cmo(MondayToThursday).Booked("b", Flexible(600, s_monday, Day(6, 15)));

        var decision = cmo.Leave(s_leave, Now);
        cmo = cmo.Then(decision);

        Assert.Equal((s_leave, 960, 300L), (cmo.Calendar.LeaveDate, cmo.Week(s_leave).AvailableMinutes, cmo.Week(s_leave).ConfirmedMinutes));
        Assert.Equal((0, 0L), (cmo.Week(Day(6, 8)).AvailableMinutes, cmo.Week(Day(6, 8)).ConfirmedMinutes));
        Assert.Equal(Day(6, 15), Assert.Single(cmo.Bookings).Value.Dates.End);
        Assert.Equal(
            [(Day(6, 1), 300), (Day(6, 8), 600)],
            Assert.IsType<LeaveSet>(Assert.Single(decision.Events)).Consequences.Shortfalls.Select(s => (s.Monday, s.Minutes)));
        Assert.Empty(cmo.Leave(s_leave, Now).Events);
    }

    [Fact]
    public void Is_promised_to_nobody_beyond_the_date()
    {
        var cmo = Leaving(Cmo(MondayToThursday));

        var refused = cmo.Refused(Flexible(60, Day(6, 1), null));
        Assert.Equal((Reasons.CmoLeaves, "2026-06-03"), (refused.Reason, refused.Metadata["date"]));
        Assert.Equal(Reasons.CmoLeaves, cmo.Hold(new HoldBooking(new BookingId("h"), Flexible(60, Day(7, 1), Day(8, 1)), null), Facts(Fence("acme")), Now).Rejection!.Reason);
        Assert.Equal(Reasons.CmoLeaves, cmo.JoinWaitlist(new JoinWaitlist(new BookingId("w"), Flexible(60, Day(7, 1), null), 0, Duration.FromDays(1)), Facts(Fence("acme")), Now).Rejection!.Reason);
        var check = cmo.Check(Flexible(60, Day(6, 1), null), Facts(Fence("acme")), Now);
        Assert.Equal((CapacityRule.CmoLeaves, (int?)null, (LocalDate?)null), (check.Refusal!.Rule, check.WaitlistPlace, check.Refusal.EarliestStart));
        cmo.Booked("until", Flexible(60, Day(6, 1), s_leave));
    }

    [Fact]
    public void A_caller_changes_a_booking_beyond_the_date_only_if_it_was_there_before()
    {
        var cmo = Leaving(Cmo(MondayToThursday).Booked("short", Flexible(60, s_monday, Day(6, 1))).Booked("long", Flexible(60, s_monday, Day(7, 1))));

        Assert.Equal(Reasons.CmoLeaves, Changed("short", 60).Rejection!.Reason);
        Assert.Null(Changed("long", 30).Rejection);

        Decision Changed(string id, int minutes) => cmo.Change(new ChangeBooking(new BookingId(id), Flexible(minutes, s_monday, Day(7, 1)).Steps), Facts(Fence("acme")), Now);
    }

    [Fact]
    public void An_engagement_takes_its_booking_up_again_after_a_pause()
    {
        var (engagement, id) = (new EngagementId("e"), new BookingId("e-ada"));
        var cmo = Cmo(MondayToThursday);
        cmo = cmo.Then(cmo.PlaceFor(engagement, new Book(id, Flexible(60, s_monday, Day(7, 1))), Facts(Fence("acme")), Now));
        cmo = Leaving(cmo.Then(cmo.EndFor(engagement, id, Day(4, 1), Now)));

        Assert.Null(cmo.HoldSwapFor(engagement, new HoldSwap(new BookingId("swap"), id, Flexible(60, s_monday, Day(7, 1)).Steps), Facts(Fence("acme")), Now).Rejection);
    }

    [Fact]
    public void Who_waits_for_days_beyond_the_date_is_told_and_nobody_else()
    {
        var cmo = Cmo(MondayToThursday).Booked("all", Flexible(1_920, s_monday, null));
        foreach (var (id, start, end) in new[] { ("before", Day(5, 4), (LocalDate?)Day(6, 1)), ("across", Day(5, 4), null), ("after", Day(6, 8), null) })
        {
            cmo = cmo.Then(cmo.JoinWaitlist(new JoinWaitlist(new BookingId(id), Flexible(60, start, end, "bolt"), 0, Duration.FromDays(1)), Facts(Fence("bolt")), Now));
        }

        var decision = cmo.Leave(s_leave, Now);

        Assert.Equal([("across", WaitlistExit.CmoLeaves), ("after", WaitlistExit.CmoLeaves)], decision.Events.OfType<WaitlistLeft>().Select(e => (e.Id.Value, e.Why)));
        cmo = cmo.Then(decision);
        Assert.Equal(["before"], cmo.Waits());
        Assert.Equal(["before"], cmo.Does(c => c.Release(new BookingId("all"), Now)).Offers);
    }

    [Fact]
    public void Minutes_of_the_months_last_weeks_go_to_those_before_the_date()
    {
        var cmo = Cmo(MondayToFriday).Booked("b", Spec("acme", Monthly(2_400, Day(6, 1), Day(7, 1))));

        cmo = cmo.Then(cmo.Leave(Day(6, 15), Instant.FromUtc(2026, 6, 10, 9, 0)));

        Assert.Equal([546L, 1_854, 0, 0, 0], Reports.Weeks(cmo.Facts, Day(6, 1), 5).Select(w => w.ConfirmedMinutes));
    }

    [Fact]
    public void The_date_moves_until_it_has_come_and_a_later_pattern_is_the_return()
    {
        var cmo = Leaving(Leaving(Cmo(MondayToThursday)), Day(6, 10));
        Assert.Equal((Day(6, 10), 1_920), (cmo.Calendar.LeaveDate, cmo.Week(s_leave).AvailableMinutes));

        cmo = cmo.Then(cmo.SetWorkingPattern(new WorkingPattern(Day(9, 7), MondayToThursday), Now));

        Assert.Null(cmo.Calendar.LeaveDate);
        Assert.Equal((0, 1_920), (cmo.Week(Day(8, 31)).AvailableMinutes, cmo.Week(Day(9, 7)).AvailableMinutes));
        Assert.Equal("2026-09-07", cmo.Refused(Flexible(60, Day(8, 31), null)).Metadata["earliest_start"]);

        // Gone again, the first time stays as it was.
        cmo = Leaving(cmo, Day(10, 5));
        Assert.Equal((0, 1_920, 0), (cmo.Week(Day(8, 31)).AvailableMinutes, cmo.Week(Day(9, 28)).AvailableMinutes, cmo.Week(Day(10, 5)).AvailableMinutes));

        // A leave that was a mistake.
        cmo = cmo.Then(cmo.SetWorkingPattern(new WorkingPattern(Day(10, 5), MondayToThursday), Now));
        Assert.Equal(((LocalDate?)null, 1_920), (cmo.Calendar.LeaveDate, cmo.Week(Day(10, 5)).AvailableMinutes));
    }

    private static FractionalCmo Leaving(FractionalCmo cmo, LocalDate? date = null) => cmo.Then(cmo.Leave(date ?? s_leave, Now));
}
