using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Cmos;
using NodaTime;
using static AgencyPlatform.Domain.Tests.Capacity.Given;

namespace AgencyPlatform.Domain.Tests.Capacity;

/// <summary>What engagements lack because of a time off, day by day, and what becomes of a month's minutes. The CMO works 8 hours a day.</summary>
public class What_a_time_off_takes
{
    private static readonly EngagementId s_launch = new("launch");
    private static readonly Instant s_tenthOfJune = Instant.FromUtc(2026, 6, 10, 9, 0);
    private static readonly LocalDate s_monday = Day(3, 2);

    /// <summary>600 a week, Monday to Thursday: off from Wednesday to the next Tuesday takes 300 and 150.</summary>
    [Fact]
    public void A_time_off_takes_minutes_of_engagements_day_by_day()
    {
        var cmo = Owned(Cmo(MondayToThursday), "launch", Flexible(600, s_monday, null)).Booked("own", Flexible(120, s_monday, null)).Off("flu", Day(3, 4), Day(3, 10));

        Assert.Equal(s_launch, Assert.Single(cmo.LostTo(new TimeOffId("flu"))).Engagement);
        Assert.Equal([(Day(3, 4), 150), (Day(3, 5), 150), (Day(3, 9), 150)], Lost(cmo, "flu"));
        Assert.Empty(cmo.LostTo(new TimeOffId("none")));
    }

    [Fact]
    public void A_second_time_off_in_a_week_takes_only_what_the_first_has_left()
    {
        var cmo = Owned(Cmo(MondayToThursday), "launch", Flexible(600, s_monday, null)).Off("flu", s_monday, Day(3, 4)).Off("still", Day(3, 4), Day(3, 6));

        Assert.Equal([(Day(3, 2), 150), (Day(3, 3), 150)], Lost(cmo, "flu"));
        Assert.Equal([(Day(3, 4), 150), (Day(3, 5), 150)], Lost(cmo, "still"));
    }

    [Fact]
    public void Minutes_of_a_month_that_were_only_moved_are_not_lost()
    {
        var cmo = Owned(Cmo(MondayToFriday), "launch", Spec("acme", Monthly(2_400, Day(6, 1), Day(7, 1))));

        var decision = cmo.AddTimeOff(new TimeOff(new TimeOffId("flu"), Day(6, 15), Day(6, 20), TimeOffKind.WholeDays), s_tenthOfJune);

        Assert.Empty(Assert.IsType<TimeOffAdded>(Assert.Single(decision.Events)).Consequences.Shortfalls);
        Assert.Empty(cmo.Then(decision).LostTo(new TimeOffId("flu")));
    }

    /// <summary>1,854 of 2,400 are not worked yet on the tenth. The week of the 8th holds 1,200 of them beside an older booking, and the others are off.</summary>
    [Fact]
    public void What_the_other_weeks_of_a_month_cannot_hold_is_lost_on_the_days_off()
    {
        var cmo = Cmo(MondayToFriday).Booked("older", Flexible(1_200, Day(6, 8), Day(6, 15), "bolt"));
        cmo = Owned(cmo, "launch", Spec("acme", Monthly(2_400, Day(6, 1), Day(7, 1))));

        var decision = cmo.AddTimeOff(new TimeOff(new TimeOffId("flu"), Day(6, 15), Day(7, 1), TimeOffKind.WholeDays), s_tenthOfJune);

        var shortfalls = Assert.IsType<TimeOffAdded>(Assert.Single(decision.Events)).Consequences.Shortfalls;
        Assert.Equal([Day(6, 15), Day(6, 22), Day(6, 29)], shortfalls.Select(s => s.Monday));
        Assert.Equal(654, shortfalls.Sum(s => s.Minutes));
        var lost = Lost(cmo.Then(decision), "flu");
        Assert.Equal((Day(6, 15), Day(6, 30), 12, 654), (lost[0].Day, lost[^1].Day, lost.Length, lost.Sum(l => l.Minutes)));
    }

    [Fact]
    public void A_month_without_any_day_left_has_lost_all_that_was_not_over()
    {
        var cmo = Owned(Cmo(MondayToFriday), "launch", Spec("acme", Monthly(2_400, Day(6, 1), Day(7, 1)))).Off("flu", Day(6, 8), Day(7, 1), now: Instant.FromUtc(2026, 6, 8, 9, 0));

        Assert.Equal(2_400 - 546, Lost(cmo, "flu").Sum(l => l.Minutes));
    }

    [Fact]
    public void A_month_that_was_short_already_lacks_only_what_a_second_time_off_adds()
    {
        // Of the 1,854 that are left on the eighth, the last three working days hold 1,440, and then one 480.
        var eighth = Instant.FromUtc(2026, 6, 8, 9, 0);
        var cmo = Owned(Cmo(MondayToFriday), "launch", Spec("acme", Monthly(2_400, Day(6, 1), Day(7, 1)))).Off("flu", Day(6, 8), Day(6, 26), now: eighth);
        Assert.Equal(414, Lost(cmo, "flu").Sum(l => l.Minutes));

        cmo = cmo.Off("still", Day(6, 29), Day(7, 1), now: eighth);

        Assert.Equal([(Day(6, 29), 480), (Day(6, 30), 480)], Lost(cmo, "still"));
    }

    [Fact]
    public void Minutes_are_lost_on_the_days_on_which_the_booking_has_them()
    {
        var thursdays = Spec("acme", new FixedDaysStep(Dates(s_monday, null), new WeekdayMinutes(0, 0, 0, 480, 0, 0, 0), 1));
        Assert.Equal([(Day(3, 5), 480)], Lost(Owned(Cmo(MondayToFriday), "launch", thursdays).Off("flu", Day(3, 4), Day(3, 6)), "flu"));

        // It begins on Thursday, and ends with the next Tuesday.
        var midweek = Owned(Cmo(MondayToFriday), "launch", Flexible(600, Day(3, 5), Day(3, 11)));
        Assert.Equal([(Day(3, 5), 120), (Day(3, 6), 120)], Lost(midweek.Off("flu", Day(3, 4), Day(3, 7)), "flu"));
        Assert.Equal([(Day(3, 9), 120), (Day(3, 10), 120)], Lost(midweek.Off("flu", Day(3, 9), Day(3, 14)), "flu"));
    }

    [Fact]
    public void However_many_bookings_there_are_all_weeks_of_a_long_time_off_are_looked_at()
    {
        var cmo = Cmo(MondayToThursday, maxClients: 20);
        for (var i = 0; i < 12; i++)
        {
            cmo = Owned(cmo, $"e{i}", Flexible(120, s_monday, null, $"client{i}"));
        }

        cmo = cmo.Off("sabbatical", s_monday, s_monday.PlusWeeks(10));

        Assert.Equal(Enumerable.Repeat(10 * 120, 12), cmo.LostTo(new TimeOffId("sabbatical")).Select(l => l.Minutes.Values.Sum()));
    }

    /// <summary>A finished week keeps its share whatever is changed for the weeks and months to come.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_change_of_a_booking_leaves_the_weeks_of_its_months_that_are_over(bool swapped)
    {
        var id = new BookingId("launch");
        var cmo = swapped
            ? Owned(Cmo(MondayToFriday), "launch", Spec("acme", Monthly(2_400, Day(6, 1), null)))
            : Cmo(MondayToFriday).Booked("launch", Spec("acme", Monthly(2_400, Day(6, 1), null)));
        cmo = cmo.Off("flu", Day(6, 15), Day(6, 20), now: s_tenthOfJune);
        var june = Minutes(cmo);
        Assert.Equal(546, june[0]);

        var steps = Spec("acme", Monthly(2_400, Day(6, 1), Day(7, 1)), Monthly(1_200, Day(7, 1), null)).Steps;
        if (swapped)
        {
            cmo = cmo.Then(cmo.HoldSwapFor(s_launch, new HoldSwap(new BookingId("swap"), id, steps), Facts(Fence("acme")), s_tenthOfJune));
            cmo = cmo.Then(cmo.SwapFor(s_launch, id, new BookingId("swap"), s_tenthOfJune));
        }
        else
        {
            cmo = cmo.Then(cmo.Change(new ChangeBooking(id, steps), Facts(Fence("acme")), s_tenthOfJune));
        }

        Assert.Equal(june, Minutes(cmo));
    }

    [Fact]
    public void A_month_that_is_to_have_other_minutes_is_spread_anew()
    {
        var cmo = Cmo(MondayToFriday).Booked("b", Spec("acme", Monthly(2_400, Day(6, 1), null))).Off("flu", Day(6, 15), Day(6, 20), now: s_tenthOfJune);

        cmo = cmo.Then(cmo.Change(new ChangeBooking(new BookingId("b"), [Monthly(1_700, Day(6, 1), null)]), Facts(Fence("acme")), s_tenthOfJune));

        Assert.Equal([500, 500, 0, 500], Minutes(cmo));
    }

    /// <summary>The first week has 546 of the month and 1,854 of others. Spread anew over the ten days that are not off, the month would ask it for 1,200.</summary>
    [Fact]
    public void A_change_is_not_refused_for_a_week_that_is_over_and_stays_as_it_is()
    {
        var id = new BookingId("launch");
        var cmo = Owned(Cmo(MondayToFriday), "launch", Spec("acme", Monthly(2_400, Day(6, 1), Day(7, 1)))).Booked("other", Flexible(1_854, Day(6, 1), Day(6, 8), "bolt"));
        cmo = cmo.Off("flu", Day(6, 15), Day(7, 1), now: s_tenthOfJune);

        cmo = cmo.Then(cmo.HoldSwapFor(s_launch, new HoldSwap(new BookingId("swap"), id, Spec("acme", Monthly(2_400, Day(6, 1), Day(7, 1)), Monthly(60, Day(7, 1), null)).Steps), Facts(Fence("acme")), s_tenthOfJune));

        Assert.Equal([546, 1_854, 0, 0], Minutes(cmo.Then(cmo.SwapFor(s_launch, id, new BookingId("swap"), s_tenthOfJune)), without: "other"));
    }

    private static FractionalCmo Owned(FractionalCmo cmo, string id, BookingSpec spec)
    {
        var (engagement, booking) = (new EngagementId(id), new BookingId(id));
        cmo = cmo.Then(cmo.PlaceFor(engagement, new Book(booking, spec), Facts(Fence(spec.Client.Value)), Now));
        return cmo.Then(cmo.ConfirmFor(engagement, booking, Now));
    }

    private static (LocalDate Day, int Minutes)[] Lost(FractionalCmo cmo, string timeOff) =>
        [.. cmo.LostTo(new TimeOffId(timeOff)).SelectMany(l => l.Minutes).Select(m => (m.Key, m.Value))];

    /// <summary>What the whole weeks of June ask for, without a booking.</summary>
    private static long[] Minutes(FractionalCmo cmo, string without = "") =>
        [.. Reports.Weeks(cmo.Facts with { Bookings = cmo.Bookings.Remove(new BookingId(without)) }, Day(6, 1), 4).Select(w => w.ConfirmedMinutes)];
}
