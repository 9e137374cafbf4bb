using System.Collections.Immutable;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Cmos;
using CsCheck;
using NodaTime;
using static AgencyPlatform.Domain.Tests.Capacity.Given;

namespace AgencyPlatform.Domain.Tests.Capacity;

/// <summary>Cutting, scaling and comparing steps; and what a time off takes, day by day.</summary>
public sealed class Steps_of_a_booking
{
    /// <summary>Every second week from Monday 2 March: 2, 16 and 30 March.</summary>
    [Theory]
    [InlineData(3, 2, 3, 2)]
    [InlineData(3, 4, 3, 4)]
    [InlineData(3, 9, 3, 16)]
    [InlineData(3, 15, 3, 16)]
    [InlineData(3, 18, 3, 18)]
    public void Fixed_days_cut_at_their_start_keep_their_weeks(int month, int day, int firstMonth, int firstDay)
    {
        var step = new FixedDaysStep(Dates(Day(3, 2), Day(6, 1)), MondayToThursday, 2);
        Assert.Equal(Day(firstMonth, firstDay), Assert.Single(Of(step).From(Day(month, day))).Dates.Start);
    }

    [Fact]
    public void What_is_cut_at_a_date_is_the_same_days_before_and_after()
    {
        var steps = Of(
            new FlexibleStep(Dates(Day(3, 2), Day(4, 1)), 600),
            new DatedStep(Dates(Day(4, 1), Day(4, 30)), ImmutableSortedDictionary<LocalDate, int>.Empty.Add(Day(4, 2), 60).Add(Day(4, 20), 90)),
            Monthly(2_400, Day(5, 1), null));
        Assert.Equal([Dates(Day(3, 2), Day(3, 16))], steps.Until(Day(3, 16)).Select(s => s.Dates));
        Assert.Equal([Day(3, 16), Day(4, 1), Day(5, 1)], steps.From(Day(3, 16)).Select(s => s.Dates.Start));
        Assert.Equal(90, Assert.IsType<DatedStep>(steps.From(Day(4, 10))[0]).Minutes.Values.Single());
        Assert.Equal([Day(5, 1)], steps.From(Day(4, 21)).Select(s => s.Dates.Start));
        Assert.Equal([Day(6, 1)], steps.From(Day(6, 1)).Select(s => s.Dates.Start));
        Assert.Empty(steps.Until(Day(3, 2)));
    }

    [Fact]
    public void A_share_is_rounded_half_up_and_what_comes_to_nothing_is_left_out()
    {
        Assert.Equal(75, Assert.IsType<FlexibleStep>(Assert.Single(Of(new FlexibleStep(Dates(Day(3, 2), null), 150)).Scaled(50))).WeeklyMinutes);
        Assert.Equal(3, Assert.IsType<FlexibleStep>(Assert.Single(Of(new FlexibleStep(Dates(Day(3, 2), null), 5)).Scaled(50))).WeeklyMinutes);
        Assert.Empty(Of(new FlexibleStep(Dates(Day(3, 2), null), 600)).Scaled(0));
        Assert.Empty(Of(new FlexibleStep(Dates(Day(3, 2), null), 4)).Scaled(10));
        Assert.Equal(new WeekdayMinutes(120, 120, 120, 120, 0, 0, 0), Assert.IsType<FixedDaysStep>(Assert.Single(Of(new FixedDaysStep(Dates(Day(3, 2), null), MondayToThursday, 1)).Scaled(25))).Weekdays);
    }

    [Fact]
    public void Larger_is_more_minutes_over_a_year_whatever_the_form()
    {
        var weekly = Of(new FlexibleStep(Dates(Day(3, 2), null), 240));
        Assert.False(Of(new FlexibleStep(Dates(Day(3, 2), null), 240)).IsLargerThan(weekly));
        Assert.True(Of(new FlexibleStep(Dates(Day(3, 2), null), 241)).IsLargerThan(weekly));
        Assert.False(Of(new FixedDaysStep(Dates(Day(3, 2), null), new WeekdayMinutes(480, 0, 0, 0, 0, 0, 0), 2)).IsLargerThan(weekly));
        Assert.True(Of(new FixedDaysStep(Dates(Day(3, 2), null), new WeekdayMinutes(481, 0, 0, 0, 0, 0, 0), 2)).IsLargerThan(weekly));

        // 1,040 a month and 240 a week are 12,480 a year.
        Assert.False(Of(Monthly(1_040, Day(3, 2), null)).IsLargerThan(weekly));
        Assert.True(Of(Monthly(1_041, Day(3, 2), null)).IsLargerThan(weekly));
        Assert.True(weekly.IsLargerThan([]));
    }

    [Fact]
    public void Longer_or_earlier_is_larger_too()
    {
        var spring = Of(new FlexibleStep(Dates(Day(3, 2), Day(6, 1)), 240));
        Assert.True(Of(new FlexibleStep(Dates(Day(3, 2), null), 240)).IsLargerThan(spring));
        Assert.True(Of(new FlexibleStep(Dates(Day(3, 2), Day(6, 2)), 120)).IsLargerThan(spring));
        Assert.True(Of(new FlexibleStep(Dates(Day(3, 1), Day(6, 1)), 240)).IsLargerThan(spring));
        Assert.False(Of(new FlexibleStep(Dates(Day(3, 3), Day(5, 31)), 240)).IsLargerThan(spring));
        Assert.False(Of().IsLargerThan(spring));
    }

    /// <summary>600 a week, Monday to Thursday: off from Wednesday to the next Tuesday takes 300 and 150.</summary>
    [Fact]
    public void A_time_off_takes_minutes_of_engagements_day_by_day()
    {
        var (engagement, id) = (new EngagementId("launch"), new BookingId("launch-ada"));
        var cmo = Cmo(MondayToThursday);
        cmo = cmo.Then(cmo.PlaceFor(engagement, new Book(id, Flexible(600, Day(3, 2), null)), Facts(Fence("acme")), Now)).Booked("own", Flexible(120, Day(3, 2), null));
        cmo = cmo.Off("flu", Day(3, 4), Day(3, 10));
        var lost = Assert.Single(cmo.LostTo(new TimeOffId("flu")));
        Assert.Equal(engagement, lost.Engagement);
        Assert.Equal([(Day(3, 4), 150), (Day(3, 5), 150), (Day(3, 9), 150)], lost.Minutes.Select(m => (m.Key, m.Value)));
        Assert.Empty(cmo.LostTo(new TimeOffId("none")));
    }

    private static ImmutableArray<BookingStep> Of(params BookingStep[] steps) => [.. steps];
}
