using System.Collections.Immutable;
using System.Numerics;

namespace AgencyPlatform.Domain.Performance;

/// <summary>What a full-time CMO is assumed to cost. Percentages are parts per million.</summary>
/// <param name="Salary">A year.</param>
/// <param name="BenefitsPpm">Of the salary: insurance, pension, payroll tax.</param>
/// <param name="RecruitingPpm">Of a year's salary, once a hire.</param>
/// <param name="SigningBonus">Once a hire.</param>
/// <param name="RampUpMonths">How long a new hire takes to full strength.</param>
/// <param name="RampUpLossPpm">The part of pay that comes to nothing meanwhile.</param>
/// <param name="Training">Once a hire.</param>
/// <param name="TenureMonths">How long a hire stays: then all that is paid once is paid again.</param>
/// <param name="LowestRate">An hour, of the usual band.</param>
/// <param name="HighestRate">An hour, of the usual band.</param>
public sealed record HireAssumptions(
    Money Salary, int BenefitsPpm, int RecruitingPpm, Money SigningBonus, int RampUpMonths, int RampUpLossPpm, Money Training, int TenureMonths, Money LowestRate, Money HighestRate)
{
    private static readonly Currency s_dollars = new("USD");

    /// <summary>In US dollars: a full-time CMO of average seniority.</summary>
    public static HireAssumptions Average { get; } = new(
        Dollars(174_000), 250_000, 200_000, Dollars(0), 3, 500_000, Dollars(5_000), 40, Dollars(200), Dollars(350));

    /// <summary>The same of a senior one.</summary>
    public static HireAssumptions Senior { get; } = Average with { Salary = Dollars(200_000) };

    private static Money Dollars(long whole) => new(whole * 100, s_dollars);
}

/// <summary>What a fractional engagement costs: by the hour, or a fee a month.</summary>
/// <param name="Amount">An hour's rate, or a month's fee.</param>
/// <param name="MinutesPerMonth">That are worked, or that the fee includes.</param>
public sealed record FractionalPrice(bool ByTheHour, Money Amount, int MinutesPerMonth);

/// <summary>A part of what a full-time hire costs a year.</summary>
public enum HireCost { Salary, Benefits, Recruiting, SigningBonus, RampUp, Training }

public enum RateBand { Within, Below, Above }

/// <summary>A price beside the hire.</summary>
/// <param name="Yearly">Twelve months.</param>
/// <param name="Saving">What the hire costs more; below zero: less.</param>
/// <param name="HourlyRate">Of a fee: what an hour of it comes to, rounded once.</param>
/// <param name="BreakEvenMinutes">The fewest minutes a month at which this price costs more than the hire; null: none below a month's 44,640.</param>
public sealed record PriceComparison(FractionalPrice Price, Money Yearly, Money Saving, Money HourlyRate, RateBand Band, int? BreakEvenMinutes);

/// <summary>A fractional engagement beside a full-time hire. Source: domain §6, docs/performance.md.</summary>
/// <param name="Lines">They sum to the yearly cost.</param>
public sealed record CostComparison(ImmutableArray<(HireCost Cost, Money Yearly)> Lines, Money HireYearly, ImmutableArray<PriceComparison> Prices)
{
    /// <summary>Of a month of 31 days, every minute.</summary>
    public const int MostMinutesPerMonth = 44_640;

    private const int Ppm = 1_000_000;

    /// <summary>All amounts are of one currency. What is paid once a hire is spread over the tenure. Exact until each amount is rounded once; the lines are rounded so that they sum to their total.</summary>
    public static CostComparison Of(HireAssumptions hire, IEnumerable<FractionalPrice> prices)
    {
        // A year's cost is a fraction over 12 × 10^12 × tenure: months, two percentages, and what is paid once.
        BigInteger denominator = BigInteger.Pow(Ppm, 2) * hire.TenureMonths, paid = hire.Salary.Minor;
        var once = BigInteger.Pow(Ppm, 2) * 12;
        (HireCost Cost, BigInteger Numerator)[] parts =
        [
            (HireCost.Salary, paid * denominator),
            (HireCost.Benefits, paid * hire.BenefitsPpm * Ppm * hire.TenureMonths),
            (HireCost.Recruiting, paid * hire.RecruitingPpm * Ppm * 12),
            (HireCost.SigningBonus, hire.SigningBonus.Minor * once),
            // A twelfth of a year's pay for each month of twelve that is spread over the tenure.
            (HireCost.RampUp, paid * (Ppm + hire.BenefitsPpm) * hire.RampUpMonths * hire.RampUpLossPpm),
            (HireCost.Training, hire.Training.Minor * once),
        ];
        var (lines, sum, rounded) = (ImmutableArray.CreateBuilder<(HireCost, Money)>(), BigInteger.Zero, 0L);
        foreach (var (cost, numerator) in parts)
        {
            sum += numerator;
            var upTo = Rounding.HalfAwayFromZero(sum, denominator);
            lines.Add((cost, hire.Salary with { Minor = upTo - rounded }));
            rounded = upTo;
        }

        var yearly = hire.Salary with { Minor = rounded };
        return new CostComparison(lines.ToImmutable(), yearly, [.. prices.Select(p => Compare(p, hire, yearly))]);
    }

    /// <summary>Whether an engagement has taken more than the break-even of its price in each of its last months.</summary>
    /// <param name="minutes">Worked in each.</param>
    public static bool Crossed(PriceComparison price, IReadOnlyCollection<long> minutes) => price.BreakEvenMinutes is { } breakEven && minutes.Count > 0 && minutes.All(m => m >= breakEven);

    private static PriceComparison Compare(FractionalPrice price, HireAssumptions hire, Money hireYearly)
    {
        // An hour costs amount × 60 ÷ per: of a rate the hour itself, of a fee its included minutes.
        var per = price.ByTheHour ? 60 : price.MinutesPerMonth;
        var yearly = price.ByTheHour ? price.Amount.Times((BigInteger)price.MinutesPerMonth * 12, 60) : price.Amount.Times(12, 1);
        var hour = (BigInteger)price.Amount.Minor * 60;
        var band = hour < (BigInteger)hire.LowestRate.Minor * per ? RateBand.Below : hour > (BigInteger)hire.HighestRate.Minor * per ? RateBand.Above : RateBand.Within;

        // The fewest whole minutes m with m × 12 × amount ÷ per above the hire's cost.
        var breakEven = price.Amount.Minor == 0 ? MostMinutesPerMonth + 1 : BigInteger.Divide((BigInteger)hireYearly.Minor * per, (BigInteger)price.Amount.Minor * 12) + 1;
        return new PriceComparison(price, yearly, hireYearly - yearly, price.Amount.Times(60, per), band, breakEven <= MostMinutesPerMonth ? (int)breakEven : null);
    }
}
