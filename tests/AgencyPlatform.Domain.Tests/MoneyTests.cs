using AgencyPlatform.Domain.Billing;
using CsCheck;
using NodaTime;

namespace AgencyPlatform.Domain.Tests;

public class Money_and_rounding
{
    private static readonly Currency s_usd = new("USD");

    [Theory]
    [InlineData(-62574354, 25, 100, -15643589)]
    [InlineData(2495, 9, 31, 724)]
    [InlineData(2495, 22, 30, 1830)]
    [InlineData(800000, 22, 31, 567742)]
    [InlineData(25000, 30, 60, 12500)]
    public void An_amount_is_multiplied_exactly_and_rounded_once_half_away_from_zero(long amount, long numerator, long denominator, long expected) =>
        Assert.Equal(expected, new Money(amount, s_usd).Times(numerator, denominator).Minor);

    [Theory]
    [InlineData("JPY", 0)]
    [InlineData("USD", 2)]
    [InlineData("KWD", 3)]
    public void Currencies_have_their_decimals(string code, int decimals)
    {
        Assert.True(Currency.IsKnown(code));
        Assert.Equal(decimals, new Currency(code).Decimals);
    }

    [Fact]
    public void Two_currencies_never_add_and_overflow_is_an_error()
    {
        Assert.Throws<InvalidOperationException>(() => new Money(1, s_usd) + new Money(1, new Currency("EUR")));
        Assert.Throws<OverflowException>(() => new Money(long.MaxValue, s_usd) + new Money(1, s_usd));
    }

    [Fact]
    public void A_split_sums_to_the_whole_and_no_part_is_off_by_one_or_more() =>
        Gen.Select(Gen.Long[-1_000_000, 1_000_000], Gen.Long[0, 1000].Array[1, 12]).Sample((whole, weights) =>
        {
            var parts = Rounding.Split(whole, weights);
            var total = weights.Sum();
            return total == 0
                ? parts.All(p => p == 0)
                : parts.Sum() == whole && parts.Zip(weights).All(p => Math.Abs((decimal)whole * p.Second / total - p.First) < 1);
        });

    [Fact]
    public void A_tie_goes_to_the_earlier_part() => Assert.Equal([1L, 0], Rounding.Split(1, [1L, 1]));

    [Fact]
    public void A_bill_day_is_clamped_to_the_months_end_and_never_drifts() =>
        Assert.Equal(
            [new LocalDate(2026, 1, 31), new LocalDate(2026, 2, 28), new LocalDate(2026, 3, 31), new LocalDate(2026, 4, 30)],
            new BillCycle(31, 1).Periods(new DateRange(new LocalDate(2026, 1, 31), null)).Take(4).Select(p => p.Dates.Start));

    [Theory]
    [InlineData(1, 3, "2026-04-01", "2026-07-01")]
    [InlineData(1, 12, "2026-01-01", "2027-01-01")]
    [InlineData(1, 1, "2026-04-01", "2026-05-01")]
    [InlineData(31, 3, "2026-02-28", "2026-05-31")]
    [InlineData(31, 3, "2026-02-27", "2026-02-28")]
    [InlineData(15, 6, "2026-04-01", "2026-04-15")]
    public void A_start_on_a_bill_day_opens_a_whole_period_and_any_other_one_that_ends_at_the_next(int day, int months, string start, string end)
    {
        var first = new BillCycle(day, months).Periods(new DateRange(Date(start), null)).First();

        Assert.Equal(new DateRange(Date(start), Date(end)), first.Dates);
        Assert.Equal(DateIs(Date(start), day), first.IsWhole);

        static LocalDate Date(string text) => NodaTime.Text.LocalDatePattern.Iso.Parse(text).Value;
        static bool DateIs(LocalDate date, int day) => date.Day == Math.Min(day, CalendarSystem.Iso.GetDaysInMonth(date.Year, date.Month));
    }

    [Fact]
    public void Short_periods_are_prorated_against_the_full_period_that_ends_at_the_next_bill_date()
    {
        var march = new BillCycle(1, 1).Periods(new DateRange(new LocalDate(2026, 3, 10), null)).First();
        var quarter = new BillCycle(1, 3).Periods(new DateRange(new LocalDate(2026, 3, 10), null)).First();
        var september = new BillCycle(25, 1).Periods(new DateRange(new LocalDate(2026, 9, 16), new LocalDate(2026, 10, 17))).ToArray();

        Assert.Equal(567742, march.Prorate(new Money(800000, s_usd)).Minor);
        Assert.Equal(1703, march.ProrateMinutes(2400));
        Assert.Equal(220000, quarter.Prorate(new Money(900000, s_usd)).Minor);
        Assert.Equal([724L, 1830], september.Select(p => p.Prorate(new Money(2495, s_usd)).Minor));
    }
}
