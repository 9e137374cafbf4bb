using System.Numerics;

namespace AgencyPlatform.Domain.Billing;

/// <summary>
/// What an invoice's discounts take off each line that charges something, so that a credit of the line is of what was charged. A discount line is of the charges of its
/// engagement and bill-cycle period, by their amounts on its days; of none more than is left of it after other discounts. What these cannot bear is of other charges of
/// the period, then of the engagement, then of the invoice. Source: docs/billing.md.
/// </summary>
internal sealed class DiscountShares
{
    private readonly List<InvoiceLine> _charges;
    private readonly List<InvoiceLine> _discounts;

    /// <summary>Minor units of a discount that are of a charge, by their places.</summary>
    private readonly long[,] _shares;

    public DiscountShares(Invoice invoice)
    {
        _charges = [.. invoice.Content.Lines.Where(l => l is { Amount: > 0, Corrects: null } && l.Item.Charge != Charge.Discount)];
        _discounts = [.. invoice.Content.Lines.Where(l => l is { Amount: < 0, Corrects: null, Item.Charge: Charge.Discount })];
        _shares = new long[_discounts.Count, _charges.Count];
        var room = _charges.Select(c => c.Amount).ToArray();
        for (var d = 0; d < _discounts.Count; d++)
        {
            var (discount, rest) = (_discounts[d], -_discounts[d].Amount);
            bool SamePeriod(InvoiceLine charge) => SameEngagement(charge) && charge.Item.Period == discount.Item.Period;
            bool SameEngagement(InvoiceLine charge) => charge.Item.Engagement == discount.Item.Engagement;
            Func<InvoiceLine, long>[] nearness = [c => SamePeriod(c) ? Within(c, discount) : 0, c => SamePeriod(c) ? c.Amount : 0, c => SameEngagement(c) ? c.Amount : 0, c => c.Amount];
            foreach (var weightOf in nearness)
            {
                rest = Spread(d, rest, room, weightOf);
            }
        }
    }

    /// <summary>How much of each discount is to be taken back with credits of charges, so that what is credited of each in all is its part of what was charged.</summary>
    /// <param name="left">Minor units that were left of a line before.</param>
    /// <param name="credited">Minor units that are credited of each charge now.</param>
    public IEnumerable<(InvoiceLine Discount, long Amount)> TakenBack(Func<InvoiceLine, long> left, IReadOnlyDictionary<int, long> credited)
    {
        if (_discounts.Count == 0)
        {
            return [];
        }

        // Rounded once for each charge, and so never above what was charged; the discounts get it by their own parts.
        var (owed, wanted) = (0L, new long[_discounts.Count]);
        for (var c = 0; c < _charges.Count; c++)
        {
            var (amount, off) = (_charges[c].Amount, Off(c));
            var gone = amount - left(_charges[c]) + credited.GetValueOrDefault(_charges[c].Number);
            owed += gone - Rounding.HalfAwayFromZero((BigInteger)(amount - off) * gone, amount);
            for (var d = 0; d < wanted.Length; d++)
            {
                wanted[d] += Rounding.HalfAwayFromZero((BigInteger)_shares[d, c] * gone, amount);
            }
        }

        var rest = Math.Min(owed - _discounts.Sum(d => left(d) - d.Amount), credited.Values.Sum());
        var parts = new long[_discounts.Count];
        for (var d = 0; d < parts.Length; d++)
        {
            Give(d, wanted[d] - (left(_discounts[d]) - _discounts[d].Amount));
        }

        for (var d = 0; d < parts.Length; d++)
        {
            Give(d, long.MaxValue);
        }

        return parts.Select((amount, d) => (_discounts[d], amount)).Where(p => p.amount > 0);

        void Give(int d, long most)
        {
            var part = Math.Max(0, Math.Min(Math.Min(rest, most), -left(_discounts[d]) - parts[d]));
            (parts[d], rest) = (parts[d] + part, rest - part);
        }
    }

    /// <summary>What all discounts take off a charge.</summary>
    private long Off(int charge) => Enumerable.Range(0, _discounts.Count).Sum(d => _shares[d, charge]);

    /// <summary>Spreads what is left of a discount over the charges that have room for it, and gives what they have none for.</summary>
    private long Spread(int discount, long rest, long[] room, Func<InvoiceLine, long> weightOf)
    {
        while (rest > 0)
        {
            var parts = Rounding.Split(rest, [.. _charges.Select((c, i) => room[i] > 0 ? weightOf(c) : 0)]);
            if (parts.All(p => p == 0))
            {
                return rest;
            }

            for (var c = 0; c < parts.Length; c++)
            {
                var part = Math.Min(parts[c], room[c]);
                (_shares[discount, c], room[c], rest) = (_shares[discount, c] + part, room[c] - part, rest - part);
            }
        }

        return 0;
    }

    /// <summary>How much of a charge is on the days of a discount. Where the line does not say what is on which day, all of it when any of its days is.</summary>
    private static long Within(InvoiceLine charge, InvoiceLine discount)
    {
        var own = charge.KeyDates.Select(k => k.Intersect(charge.Service)).OfType<DateRange>().ToList();
        var (days, both) = (own.Sum(d => (long)d.Days()), own.Sum(k => discount.KeyDates.Sum(d => k.Intersect(d) is { } met ? (long)met.Days() : 0L)));
        return charge.Item.Charge switch
        {
            Charge.Fee or Charge.Commitment when days > 0 => Rounding.HalfAwayFromZero((BigInteger)charge.Amount * both, days),
            Charge.Milestone or Charge.Block => discount.KeyDates.Any(d => d.Contains(charge.Service.Start)) ? charge.Amount : 0,
            _ => discount.KeyDates.Any(d => d.Intersect(charge.Service) is not null) ? charge.Amount : 0,
        };
    }
}
