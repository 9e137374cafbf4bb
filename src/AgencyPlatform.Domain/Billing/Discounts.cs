using System.Collections.Immutable;
using System.Numerics;

namespace AgencyPlatform.Domain.Billing;

/// <summary>
/// What is taken off an engagement's charges, period by period in order: a cap is of all of them. A discount never makes a period less than nothing.
/// Source: domain §5, docs/billing.md.
/// </summary>
internal sealed class Discounts
{
    private readonly Dictionary<PartId, long> _given = [];

    /// <param name="charged">What the period is charged, as far as it is due or stands invoiced: charges and what was missing to a minimum.</param>
    public IEnumerable<Item> Of(PeriodBill bill, ImmutableArray<Item> charged)
    {
        var left = charged.Sum(i => i.Amount.Minor);
        var named = from term in bill.InForce
                    from discount in term.Terms.Discounts ?? []
                    let dates = discount.Dates.Intersect(term.Dates)
                    where dates is not null
                    group (Discount: discount, Dates: dates.Value) by discount.Id;
        foreach (var discount in named)
        {
            // Percentages of shares are exact, over one denominator for each item, and rounded once.
            var (numerator, denominator) = (BigInteger.Zero, BigInteger.One);
            foreach (var (ppm, days) in discount.Where(d => d.Discount.Ppm is not null).Select(d => (d.Discount.Ppm!.Value, d.Dates)))
            {
                foreach (var item in charged)
                {
                    if (item.Within(days) is ( > 0 and var part, var whole))
                    {
                        var of = (BigInteger)whole * Discount.WholePpm;
                        (numerator, denominator) = Reduced(numerator * of + (BigInteger)item.Amount.Minor * part * ppm * denominator, denominator * of);
                    }
                }
            }

            var percentage = Rounding.HalfAwayFromZero(numerator, denominator);
            var prorated = bill.Prorated(discount.Where(d => d.Discount.Amount is not null).Select(d => (d.Discount.Amount!.Value, d.Dates)));
            var (wanted, given) = (percentage + prorated, _given.GetValueOrDefault(discount.Key));
            if (discount.Last().Discount.Cap is { } cap)
            {
                wanted = Math.Min(wanted, Math.Max(0, cap - given));
            }

            wanted = Math.Min(wanted, left);
            if (wanted > 0)
            {
                var item = bill.Discounted(discount.Key, PeriodBill.Joined(discount.Select(d => d.Dates)), wanted);
                yield return bill.Workings?.Discount(item, [.. discount], charged, bill.Period.FullDays, percentage, prorated, left, given) ?? item;
                left -= wanted;
                _given[discount.Key] = given + wanted;
            }
        }
    }

    private static (BigInteger, BigInteger) Reduced(BigInteger numerator, BigInteger denominator)
    {
        var divisor = BigInteger.GreatestCommonDivisor(numerator, denominator);
        return (numerator / divisor, denominator / divisor);
    }
}
