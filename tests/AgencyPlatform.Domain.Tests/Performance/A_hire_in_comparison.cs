using System.Numerics;
using AgencyPlatform.Domain.Engagements;
using AgencyPlatform.Domain.Performance;
using CsCheck;
using static AgencyPlatform.Domain.Tests.Performance.Measured;

namespace AgencyPlatform.Domain.Tests.Performance;

/// <summary>What a full-time CMO costs beside a fractional one, and which kind of service fits.</summary>
public class A_hire_in_comparison
{
    [Fact]
    public void Costs_by_default()
    {
        var comparison = CostComparison.Of(HireAssumptions.Average, []);
        Assert.Equal(
            [
                (HireCost.Salary, 17_400_000L), (HireCost.Benefits, 4_350_000L), (HireCost.Recruiting, 1_044_000L), (HireCost.SigningBonus, 0L),
                (HireCost.RampUp, 815_625L), (HireCost.Training, 150_000L),
            ],
            comparison.Lines.Select(l => (l.Cost, l.Yearly.Minor)));
        Assert.Equal(new Money(23_759_625, Dollars), comparison.HireYearly); // $237,596.25
        Assert.Equal(new Money(27_287_500, Dollars), CostComparison.Of(HireAssumptions.Senior, []).HireYearly); // $272,875.00
    }

    [Theory]
    [InlineData(false, 800_000, 40, 9_600_000, 20_000, RateBand.Within, 5_940)] // $8,000 a month for 40 h is $96,000 a year.
    [InlineData(true, 25_000, 40, 12_000_000, 25_000, RateBand.Within, 4_752)] // $250 × 40 h × 12 is $120,000.
    [InlineData(true, 19_999, 40, 9_599_520, 19_999, RateBand.Below, 5_941)]
    [InlineData(true, 35_000, 40, 16_800_000, 35_000, RateBand.Within, 3_395)]
    [InlineData(true, 35_001, 40, 16_800_480, 35_001, RateBand.Above, 3_395)]
    [InlineData(false, 799_999, 40, 9_599_988, 20_000, RateBand.Below, 5_940)] // $199.999975 an hour is below, though it is shown as $200.00.
    [InlineData(true, 100, 40, 48_000, 100, RateBand.Below, null)]
    public void Is_compared_with_a_price(bool byTheHour, long amount, int hours, long yearly, long hourly, RateBand band, int? breakEven)
    {
        var price = CostComparison.Of(HireAssumptions.Average, [new FractionalPrice(byTheHour, new Money(amount, Dollars), hours * 60)]).Prices.Single();
        Assert.Equal((yearly, hourly, band, breakEven, 23_759_625 - yearly), (price.Yearly.Minor, price.HourlyRate.Minor, price.Band, price.BreakEvenMinutes, price.Saving.Minor));
    }

    [Theory]
    [InlineData("4752 4752 9000", true)]
    [InlineData("4752 4751 9000", false)]
    [InlineData("0 0 0", false)]
    public void Is_cheaper_when_each_of_the_last_months_has_crossed_the_break_even(string minutes, bool crossed)
    {
        var price = CostComparison.Of(HireAssumptions.Average, [new FractionalPrice(true, new Money(25_000, Dollars), 2_400)]).Prices.Single();
        Assert.Equal(crossed, CostComparison.Crossed(price, [.. minutes.Split(' ').Select(long.Parse)]));
    }

    /// <summary>The lines sum to the total, which is the exact one rounded once; one minute less than the break-even costs no more than the hire, the break-even more.</summary>
    [Fact]
    public void Is_exact()
    {
        var money = Gen.Long[0, 100_000_000];
        Gen.Select(money, Gen.Int[0, 1_000_000], Gen.Int[0, 1_000_000], money, Gen.Int[0, 24], Gen.Int[1, 240]).Select(Gen.Int[1, 44_640], Gen.Long[1, 1_000_000], Gen.Bool).Sample((h, minutes, amount, byTheHour) =>
        {
            var (salary, benefits, recruiting, bonus, ramp, tenure) = h;
            var hire = new HireAssumptions(Of(salary), benefits, recruiting, Of(bonus), ramp, 500_000, Of(bonus / 3), tenure, Of(20_000), Of(35_000));
            var comparison = CostComparison.Of(hire, [new FractionalPrice(byTheHour, Of(amount), minutes)]);
            Assert.Equal(comparison.HireYearly.Minor, comparison.Lines.Sum(l => l.Yearly.Minor));

            // In units of 1 ÷ (2 × 10^12 × tenure).
            var scale = 2 * BigInteger.Pow(10, 12) * tenure;
            var exact = salary * scale + salary * scale * benefits / 1_000_000 + (BigInteger)salary * recruiting * 24 * 1_000_000
                + ((BigInteger)bonus + bonus / 3) * 24 * BigInteger.Pow(10, 12) + (BigInteger)salary * (1_000_000 + benefits) * ramp * 1_000_000;
            Assert.True(BigInteger.Abs(exact - comparison.HireYearly.Minor * scale) * 2 <= scale);

            var price = comparison.Prices.Single();
            var per = byTheHour ? 60 : minutes;
            bool CostsMore(BigInteger m) => m * 12 * amount > (BigInteger)comparison.HireYearly.Minor * per;
            Assert.True(price.BreakEvenMinutes is { } m ? CostsMore(m) && !CostsMore(m - 1) : !CostsMore(CostComparison.MostMinutesPerMonth));
        });

        static Money Of(long minor) => new(minor, Dollars);
    }

    [Theory]
    [InlineData(MarketingLead.Nobody, 10, 0, true, true, true, false, false, ServiceType.FractionalCmo)]
    [InlineData(MarketingLead.Nobody, 40, 6, true, false, true, false, false, ServiceType.InterimCmo)]
    [InlineData(MarketingLead.Experienced, 5, 0, true, true, false, false, false, ServiceType.Consultant)]
    [InlineData(MarketingLead.Junior, 2, 0, true, false, false, false, true, ServiceType.Coach)]
    [InlineData(MarketingLead.Experienced, 0, 0, false, false, false, true, false, ServiceType.AgencyExecution)]
    public void Or_which_service_fits(MarketingLead lead, int hours, int months, bool team, bool strategy, bool leadership, bool execution, bool learn, ServiceType best)
    {
        var suggestions = ServiceTypeGuide.Suggest(new ServiceNeed(lead, hours, months, team, strategy, leadership, execution, learn));
        Assert.Equal(best, suggestions[0].Type);
        Assert.True(suggestions[0].Points > suggestions[1].Points);
        Assert.NotEmpty(suggestions[0].Reasons);
        Assert.All(suggestions, s => Assert.Equal(s.Points, s.Reasons.Sum(r => r.Points)));
        Assert.Equal(5, suggestions.Select(s => s.Type).Distinct().Count());
    }

    [Fact]
    public void Of_level_services_the_one_that_commits_less_comes_first() =>
        Assert.Equal(
            [ServiceType.AgencyExecution, ServiceType.FractionalCmo, ServiceType.Consultant, ServiceType.Coach, ServiceType.InterimCmo],
            ServiceTypeGuide.Suggest(new ServiceNeed(MarketingLead.Nobody, 0, 0, false, false, false, false, false)).Select(s => s.Type));
}
