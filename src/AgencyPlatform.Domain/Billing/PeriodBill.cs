using System.Collections.Immutable;
using System.Numerics;
using NodaTime;

namespace AgencyPlatform.Domain.Billing;

/// <summary>What one bill-cycle period of an engagement comes to, for one seller and currency. Source: domain §5.</summary>
internal sealed class PeriodBill
{
    private readonly BillingInputs _inputs;
    private readonly Currency _currency;
    private readonly LocalDate _to;

    /// <param name="workings">Is told how each item is computed; null: nobody wants to know.</param>
    public PeriodBill(BillingInputs inputs, BillPeriod period, LegalEntityId seller, Currency currency, LocalDate to, Workings? workings = null)
    {
        Workings = workings;
        (_inputs, _currency, _to, Period) = (inputs, currency, to, period);
        Billed = period.Dates.Intersect(new DateRange(inputs.BillingStartsOn, null))!.Value;
        InForce = [.. TermsOver(inputs.Terms, Billed).Where(t => t.Terms.Seller == seller && t.Terms.Currency == currency)];
    }

    public Workings? Workings { get; }

    public BillPeriod Period { get; }

    /// <summary>The period's days that are billed at all.</summary>
    public DateRange Billed { get; }

    /// <summary>The seller's terms in the currency, each with its billed days of the period, in order.</summary>
    public ImmutableArray<(Terms Terms, DateRange Dates)> InForce { get; }

    private bool HasEnded => Period.Dates.End <= _to;

    /// <summary>Everything that is charged, before minimum and discount.</summary>
    public ImmutableArray<Item> Charges(ImmutableArray<BillableEntry> entries)
    {
        var own = entries.Where(e => Billed.Contains(e.Date)).ToList();
        return [.. Fees(), .. Overage(own), .. Hours(own), .. Days(own), .. Milestones(), .. Blocks()];
    }

    /// <summary>What the charges of the period miss to each minimum, in order: what one has taken is not there for the next.</summary>
    public ImmutableArray<Item> Commitments(ImmutableArray<Item> charges)
    {
        var (items, rest, earlier) = (ImmutableArray.CreateBuilder<Item>(), charges.Sum(c => c.Amount.Minor), new List<(PartId Id, long Promised)>());
        foreach (var least in InForce.Where(t => t.Terms.Minimum is not null).GroupBy(t => t.Terms.Minimum!.Id))
        {
            var promised = Prorated(least.Select(t => (t.Terms.Minimum!.Amount, t.Dates)));
            var missing = Math.Max(0, promised - rest);
            if (missing > 0)
            {
                var item = Part(Charge.Commitment, least.Key, _inputs.Title, Joined(least.Select(t => t.Dates)), FeeTiming.InArrears, HasEnded, missing);
                items.Add(Workings?.Commitment(item, least.Select(t => (t.Terms.Minimum!.Amount, t.Dates)), Period.FullDays, promised, charges, earlier, rest) ?? item);
            }

            rest = Math.Max(0, rest - promised);
            earlier.Add((least.Key, promised));
        }

        return items.ToImmutable();
    }

    /// <summary>An item with an id of its own in place of the rate.</summary>
    public Item Part(Charge charge, PartId id, string title, ImmutableArray<DateRange> dates, FeeTiming timing, bool due, long amount) => new(
        new ItemKey(_inputs.Engagement, Period.Dates.Start, charge, id), title, Period.Dates, 0, timing, due, dates, 1, [], new Money(amount, _currency));

    /// <summary>A discount, whose title is the engagement's.</summary>
    public Item Discounted(PartId id, ImmutableArray<DateRange> dates, long amount) =>
        Part(Charge.Discount, id, _inputs.Title, dates, FeeTiming.InAdvance, true, -amount);

    /// <summary>Σ amount × days ÷ days of the full period, rounded once.</summary>
    public long Prorated(IEnumerable<(long Amount, DateRange Dates)> parts) =>
        Rounding.HalfAwayFromZero(parts.Aggregate(BigInteger.Zero, (sum, p) => sum + (BigInteger)p.Amount * p.Dates.Days()), Period.FullDays);

    private IEnumerable<Item> Fees()
    {
        foreach (var fee in InForce.Where(t => t.Terms is RetainerTerms { Fee: > 0 }).GroupBy(t => ((RetainerTerms)t.Terms).Fee))
        {
            var dates = Joined(fee.Select(t => t.Dates));
            var timing = ((RetainerTerms)fee.Last().Terms).Timing;
            var item = new Item(
                new ItemKey(_inputs.Engagement, Period.Dates.Start, Charge.Fee, fee.Key), _inputs.Title, Period.Dates, Period.FullDays, timing,
                timing == FeeTiming.InAdvance ? Billed.Start <= _to : HasEnded,
                dates, dates.Sum(d => d.Days()), [], new Money(Prorated(dates.Select(d => (fee.Key, d))), _currency));
            yield return Workings?.Fee(item) ?? item;
        }
    }

    private IEnumerable<Item> Overage(List<BillableEntry> entries) =>
        from entry in entries
        where entry.Overage > 0
        let rate = TermsOn(entry.Date) is { HasMeter: true } terms ? terms.TimeRate.Rate ?? 0 : 0
        where rate > 0
        group new TimeItem(entry.Entry, entry.Date, entry.Overage) by rate into key
        let minutes = key.Sum(e => (long)e.Quantity)
        let item = Worked(Charge.Overage, key.Key, [.. key], new Money(key.Key, _currency).Times(minutes, 60))
        select Workings?.Overage(item) ?? item;

    /// <summary>Hours, and their cap over the days whose terms have one: what exceeds it is on the line and charged nothing for. The lower rate is charged first.</summary>
    private IEnumerable<Item> Hours(List<BillableEntry> entries)
    {
        var caps = InForce.Where(t => t.Terms is HourlyTerms { Cap: not null }).Select(t => (((HourlyTerms)t.Terms).Cap!.Value, t.Dates)).ToList();
        var cap = Prorated(caps);
        var left = cap;
        var charged = from entry in entries
                      where entry.Charged > 0 && TermsOn(entry.Date) is HourlyTerms { HourlyRate: > 0 }
                      let terms = (HourlyTerms)TermsOn(entry.Date)!
                      group (Item: new TimeItem(entry.Entry, entry.Date, terms.BilledMinutes(entry.Charged)), Approved: entry.Charged, Terms: terms) by terms.HourlyRate into key
                      orderby key.Key
                      select key;
        foreach (var key in charged)
        {
            var all = Amount(key.Select(e => e.Item));
            var open = Amount(key.Where(e => e.Terms.Cap is null).Select(e => e.Item));
            var capped = Math.Min(all.Minor - open.Minor, left);
            var amount = open + new Money(capped, _currency);
            var item = Worked(Charge.Hours, key.Key, [.. key.Select(e => e.Item)], amount) with { Uncapped = amount == all ? null : all };
            yield return Workings?.Hours(item, [.. key], all, open, caps, Period.FullDays, cap, left, capped) ?? item;
            left -= capped;

            Money Amount(IEnumerable<TimeItem> items) => new Money(key.Key, _currency).Times(items.Sum(i => (long)i.Quantity), 60);
        }
    }

    private IEnumerable<Item> Days(List<BillableEntry> entries) =>
        from entry in entries
        where entry.Charged > 0 && TermsOn(entry.Date) is DayRateTerms { DayRate: > 0 }
        group entry by (entry.Date, entry.Cmo) into date
        let terms = (DayRateTerms)TermsOn(date.Key.Date)!
        let halves = terms.HalfDays(date.Sum(e => (long)e.Charged))
        from worked in date.Select((e, i) => (Item: new TimeItem(e.Entry, e.Date, i == 0 ? halves : 0), Entry: e, FullDay: terms.FullDayMinutes))
        group worked by terms.DayRate into key
        let days = key.Sum(e => (long)e.Item.Quantity)
        let item = Worked(Charge.Days, key.Key, [.. key.Select(e => e.Item)], new Money(key.Key, _currency).Times(days, 2))
        select Workings?.Days(item, key) ?? item;

    private IEnumerable<Item> Milestones() =>
        from reached in _inputs.Milestones ?? []
        where Billed.Contains(reached.On) && TermsOn(reached.On) is not null
        let item = Part(Charge.Milestone, reached.Id, $"{_inputs.Title}: {reached.Name}", [new DateRange(reached.On, reached.On.PlusDays(1))], FeeTiming.InArrears, reached.On <= _to, reached.Amount)
        select Workings?.Price(item) ?? item;

    private IEnumerable<Item> Blocks() =>
        from block in _inputs.Blocks ?? []
        where block.Price > 0 && Billed.Contains(block.EffectiveAt) && TermsOn(block.EffectiveAt) is not null
        let item = Part(Charge.Block, block.Id, _inputs.Title, [new DateRange(block.EffectiveAt, block.ExpiresAt)], FeeTiming.InAdvance, block.EffectiveAt <= _to, block.Price)
        select Workings?.Price(item) ?? item;

    private Item Worked(Charge charge, long rate, ImmutableArray<TimeItem> entries, Money amount) => new(
        new ItemKey(_inputs.Engagement, Period.Dates.Start, charge, rate), _inputs.Title, Period.Dates, 0, FeeTiming.InArrears, HasEnded,
        [Owed.Hull(entries.Select(e => e.Date))], entries.Sum(e => (long)e.Quantity), entries, amount);

    private Terms? TermsOn(LocalDate date)
    {
        foreach (var (terms, dates) in InForce)
        {
            if (dates.Contains(date))
            {
                return terms;
            }
        }

        return null;
    }

    private static IEnumerable<(Terms Terms, DateRange Dates)> TermsOver(ImmutableArray<Terms> terms, DateRange dates)
    {
        for (var i = 0; i < terms.Length; i++)
        {
            var start = i == 0 ? dates.Start : LocalDate.Max(terms[i].EffectiveFrom, dates.Start);
            var end = i + 1 < terms.Length ? LocalDate.Min(terms[i + 1].EffectiveFrom, dates.End!.Value) : dates.End!.Value;
            if (start < end)
            {
                yield return (terms[i], new DateRange(start, end));
            }
        }
    }

    /// <summary>The ranges in order, adjacent ones as one.</summary>
    internal static ImmutableArray<DateRange> Joined(IEnumerable<DateRange> ranges)
    {
        var joined = ImmutableArray.CreateBuilder<DateRange>();
        foreach (var range in ranges.OrderBy(r => r.Start))
        {
            if (joined.Count > 0 && joined[^1].End == range.Start)
            {
                joined[^1] = joined[^1] with { End = range.End };
            }
            else
            {
                joined.Add(range);
            }
        }

        return joined.ToImmutable();
    }
}
