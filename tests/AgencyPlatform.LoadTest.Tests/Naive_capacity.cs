using System.Text.Json;
using AgencyPlatform.LoadTest.Checking;

namespace AgencyPlatform.LoadTest.Tests;

/// <summary>The specification's worked examples, by the checker's own arithmetic.</summary>
public sealed class Naive_capacity
{
    [Fact]
    public void A_month_of_2400_minutes_is_spread_by_largest_remainder()
    {
        var demand = new NaiveDemand([Step("""{"form":"per-period","periodMinutes":2400,"cycle":{"day":1,"months":1},"dates":{"start":"2026-06-01","end":"2026-07-01"}}""")]);

        Assert.Equal([546, 546, 545, 545, 218], demand.Shares(demand.Steps[0], Calendar("""{"monday":480,"tuesday":480,"wednesday":480,"thursday":480,"friday":480}"""), new DateOnly(2026, 7, 1)).Select(s => s.Minutes));
    }

    [Theory]
    [InlineData("", 300)]
    [InlineData("2026-03-05", 150)]
    public void A_week_in_part_asks_for_its_share_of_what_is_available(string off, int minutes)
    {
        var calendar = Calendar("""{"monday":480,"tuesday":480,"wednesday":480,"thursday":480}""");
        if (off.Length > 0)
        {
            calendar.AddTimeOff(Parse($$"""{"id":"off","start":"{{off}}","end":"2026-03-06","kind":"WholeDays"}"""));
        }

        var demand = new NaiveDemand([Step("""{"form":"flexible","weeklyMinutes":600,"dates":{"start":"2026-03-04"}}""")]);

        Assert.Equal(minutes, demand.Parts(new DateOnly(2026, 3, 2), calendar).Sum(p => p.Scaled) / 1_920);
    }

    [Fact]
    public void Half_of_a_Friday_off_leaves_exactly_room_for_two_bookings_of_1125()
    {
        var calendar = Calendar("""{"monday":450,"tuesday":450,"wednesday":450,"thursday":450,"friday":450}""");
        calendar.AddTimeOff(Parse("""{"id":"off","start":"2026-03-06","end":"2026-03-07","kind":"HalfDays"}"""));
        var demand = new NaiveDemand([Step("""{"form":"flexible","weeklyMinutes":1125,"dates":{"start":"2026-03-02","end":"2026-03-09"}}""")]);

        Assert.Equal(2_025L * 2_250, 2 * demand.Parts(new DateOnly(2026, 3, 2), calendar).Sum(p => p.Scaled));
    }

    [Theory]
    [InlineData("2026-01-31", 31, "2026-01-31 2026-02-28 2026-03-31 2026-04-30")]
    [InlineData("2026-01-15", 1, "2026-01-15 2026-02-01 2026-03-01 2026-04-01")]
    [InlineData("2026-02-01", 1, "2026-02-01 2026-03-01 2026-04-01 2026-05-01")]
    public void Periods_begin_on_the_bill_cycle_day(string start, int day, string starts)
    {
        var demand = new NaiveDemand([Step($$$"""{"form":"per-period","periodMinutes":600,"cycle":{"day":{{{day}}},"months":1},"dates":{"start":"{{{start}}}"}}""")]);
        var calendar = Calendar("""{"monday":480,"tuesday":480,"wednesday":480,"thursday":480,"friday":480,"saturday":480,"sunday":480}""");
        var firsts = demand.Shares(demand.Steps[0], calendar, new DateOnly(2026, 5, 1)).Select(s => s.First.ToString("yyyy-MM-dd", null)).ToHashSet();

        Assert.Superset(starts.Split(' ').ToHashSet(), firsts);
    }

    private static NaiveCalendar Calendar(string minutes)
    {
        var calendar = new NaiveCalendar();
        calendar.SetPattern(Parse($$"""{"effectiveFrom":"2026-01-01","minutes":{{minutes}}}"""));
        return calendar;
    }

    private static Step Step(string json) => Checking.Step.From(Parse(json));

    private static JsonElement Parse(string json) => JsonDocument.Parse(json).RootElement;
}
