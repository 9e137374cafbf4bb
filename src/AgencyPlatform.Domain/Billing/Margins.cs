using System.Globalization;
using System.Numerics;
using NodaTime;

namespace AgencyPlatform.Domain.Billing;

/// <summary>A sum of the ledger.</summary>
/// <param name="Of">Id of what it is told apart by; empty: of nothing in particular.</param>
/// <param name="Cmo">Id of the CMO where it is told apart by that too.</param>
/// <param name="Amount">Minor units; revenue and cost are both positive.</param>
/// <param name="Month">Where it is told apart by that too.</param>
public readonly record struct MarginSum(string Of, string Currency, string Cmo, long Amount, YearMonth? Month = null);

/// <summary>What remains of one thing in one currency, and in one month where it is told apart by that.</summary>
public readonly record struct MarginOf(string Of, YearMonth? Month, string Currency, long Revenue, long Cost);

/// <summary>Revenue less cost of service, from sums of the ledger. Source: domain §5, docs/billing.md.</summary>
public static class Margins
{
    /// <summary>Revenue and cost side by side, by what they are of, by month and by currency; months without either are left out.</summary>
    public static IReadOnlyList<MarginOf> Rows(IReadOnlyList<MarginSum> revenue, IReadOnlyList<MarginSum> cost) =>
    [
        .. revenue.Select(r => (r.Of, r.Month, r.Currency, Revenue: r.Amount, Cost: 0L)).Concat(cost.Select(c => (c.Of, c.Month, c.Currency, Revenue: 0L, Cost: c.Amount)))
            .GroupBy(r => (r.Of, r.Month, r.Currency))
            .Select(g => new MarginOf(g.Key.Of, g.Key.Month, g.Key.Currency, g.Sum(r => r.Revenue), g.Sum(r => r.Cost)))
            .Where(m => m.Revenue != 0 || m.Cost != 0)
            .OrderBy(m => m.Of, StringComparer.Ordinal).ThenBy(m => m.Month).ThenBy(m => m.Currency, StringComparer.Ordinal),
    ];

    /// <summary>
    /// Revenue by CMO: an engagement's goes to those whose work has cost something, by their shares of that, the parts summing to the whole. Revenue of an
    /// engagement whose work has cost nothing is nobody's; by month, each month's revenue goes by that month's costs. Costs in several currencies count each CMO once, by the engagement's largest.
    /// </summary>
    /// <param name="revenue">By engagement and currency, or month too.</param>
    /// <param name="cost">By engagement, currency and CMO, or month too.</param>
    public static IReadOnlyList<MarginSum> Shared(IReadOnlyList<MarginSum> revenue, IReadOnlyList<MarginSum> cost)
    {
        var shared = new List<MarginSum>();
        foreach (var of in revenue.GroupBy(r => r with { Amount = 0 }).Select(g => g.Key with { Amount = g.Sum(r => r.Amount) }))
        {
            var shares = cost.Where(c => c.Of == of.Of && c.Month == of.Month && c.Amount > 0).GroupBy(c => c.Currency).OrderByDescending(c => c.Key == of.Currency).ThenByDescending(c => c.Sum(s => (decimal)s.Amount))
                .FirstOrDefault()?.OrderBy(s => s.Cmo, StringComparer.Ordinal).ToList() ?? [];
            if (shares.Count == 0)
            {
                shared.Add(of with { Of = "" });
                continue;
            }

            var parts = Rounding.Split(of.Amount, [.. shares.Select(s => s.Amount)]);
            shared.AddRange(shares.Select((s, i) => new MarginSum(s.Cmo, of.Currency, "", parts[i], of.Month)));
        }

        return shared;
    }

    /// <summary>Margin ÷ revenue in percent with one decimal, half away from zero; empty where there is no revenue.</summary>
    public static string Percent(long revenue, long cost)
    {
        if (revenue == 0)
        {
            return "";
        }

        // A negative divisor would turn the rounding's side, not its distance.
        var tenths = Rounding.HalfAwayFromZero(((BigInteger)revenue - cost) * 1_000 * Math.Sign(revenue), BigInteger.Abs(revenue));
        return ((decimal)tenths / 10).ToString("0.0", CultureInfo.InvariantCulture);
    }
}
