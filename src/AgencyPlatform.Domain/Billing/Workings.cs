using System.Collections.Immutable;

namespace AgencyPlatform.Domain.Billing;

/// <summary>
/// What the engine says of how it computes: the steps to each item, its lines and their taxes, in its own figures. Whoever only wants a bill passes none, and nothing is said.
/// </summary>
/// <param name="taxed">The number of the line whose tax is told: each tells all lines of its document, so that those of all would be too many.</param>
internal sealed class Workings(int taxed = 0)
{
    private readonly Dictionary<ItemKey, Steps> _items = [];
    private readonly Dictionary<int, ImmutableArray<Step>> _lines = [];
    private readonly Steps _tax = new();

    /// <summary>The steps to what an item comes to in all.</summary>
    public Steps Of(ItemKey item)
    {
        if (!_items.TryGetValue(item, out var steps))
        {
            _items[item] = steps = new Steps();
            steps.Add(StepKind.NotOwed, StepOperation.Sum, FigureUnit.Money, 0);
        }

        return steps;
    }

    /// <summary>The steps to a line's amount, by the number that it has among those that were told.</summary>
    public ImmutableArray<Step> OfLine(int line) => _lines[line];

    /// <summary>The steps to the tax of the one line.</summary>
    public ImmutableArray<Step> OfTax => _tax.All;

    public Item Fee(Item item)
    {
        var rate = Money(FigureKind.Fee, item.Key.Rate);
        Begin(item).Add(StepKind.Amount, StepOperation.Sum, FigureUnit.Money, item.Amount.Minor, item.Dates.Select(d => Prorated(rate, d, item.FullDays)));
        return item;
    }

    public Item Overage(Item item)
    {
        var steps = Begin(item);
        var minutes = steps.Add(StepKind.Minutes, StepOperation.Sum, FigureUnit.Minutes, item.Quantity, item.Entries.Select(Minutes));
        steps.Add(StepKind.Amount, StepOperation.Sum, FigureUnit.Money, item.Amount.Minor, [AtRate(minutes, item, 60)]);
        return item;
    }

    /// <param name="entries">What is charged for of each entry, and the terms of its date.</param>
    /// <param name="all">What all of it comes to.</param>
    /// <param name="open">What comes to those entries that no cap is for.</param>
    /// <param name="caps">The caps in force, each with its days; none: no cap.</param>
    /// <param name="cap">What they come to.</param>
    /// <param name="left">What lower rates have left of that.</param>
    /// <param name="capped">What is charged for the entries that the cap is for.</param>
    public Item Hours(
        Item item, IReadOnlyList<(TimeItem Item, int Approved, HourlyTerms Terms)> entries, Money all, Money open, IReadOnlyList<(long Amount, DateRange Dates)> caps, int fullDays, long cap, long left, long capped)
    {
        var steps = Begin(item);
        var billed = new List<(Figure Minutes, bool IsCapped)>();
        foreach (var (entry, approved, terms) in entries)
        {
            var minutes = Minutes(entry) with { Value = approved };
            if (terms.IncrementMinutes is not null || terms.MinimumMinutes is not null)
            {
                minutes = steps.Add(
                    StepKind.BilledMinutes, StepOperation.BilledMinutes, FigureUnit.Minutes, entry.Quantity,
                    minutes, new Figure(FigureKind.Increment, FigureUnit.Minutes, terms.IncrementMinutes ?? 1), new Figure(FigureKind.EntryMinimum, FigureUnit.Minutes, terms.MinimumMinutes ?? 0));
            }

            billed.Add((minutes, terms.Cap is not null));
        }

        var sum = steps.Add(StepKind.Minutes, StepOperation.Sum, FigureUnit.Minutes, item.Quantity, billed.Select(b => b.Minutes));
        var whole = steps.Add(StepKind.Amount, StepOperation.Sum, FigureUnit.Money, all.Minor, [AtRate(sum, item, 60)]);
        if (!billed.Any(b => b.IsCapped))
        {
            return item;
        }

        Figure? outside = null;
        if (billed.Any(b => !b.IsCapped))
        {
            var free = billed.Where(b => !b.IsCapped).Select(b => b.Minutes).ToList();
            sum = steps.Add(StepKind.Minutes, StepOperation.Sum, FigureUnit.Minutes, free.Sum(m => m.Value), free);
            outside = steps.Add(StepKind.Uncapped, StepOperation.Sum, FigureUnit.Money, open.Minor, [AtRate(sum, item, 60)]);
            whole = steps.Add(StepKind.ToCap, StepOperation.Sum, FigureUnit.Money, all.Minor - open.Minor, whole, outside.Negated);
        }

        var most = steps.Add(StepKind.Cap, StepOperation.Sum, FigureUnit.Money, cap, caps.Select(c => Prorated(Money(FigureKind.Cap, c.Amount), c.Dates, fullDays)));
        if (left < cap)
        {
            most = steps.Add(StepKind.CapLeft, StepOperation.Sum, FigureUnit.Money, left, most, Money(FigureKind.CapTaken, left - cap));
        }

        var charged = steps.Add(StepKind.Capped, StepOperation.Least, FigureUnit.Money, capped, whole, most);
        if (outside is not null)
        {
            steps.Add(StepKind.Amount, StepOperation.Sum, FigureUnit.Money, item.Amount.Minor, outside, charged);
        }

        return item;
    }

    /// <param name="entries">In the item's order, the minutes of each and those of a full day on its date.</param>
    public Item Days(Item item, IEnumerable<(TimeItem Item, BillableEntry Entry, int FullDay)> entries)
    {
        var steps = Begin(item);
        var halves = entries.GroupBy(e => (e.Entry.Date, e.Entry.Cmo)).Select(date => steps.Add(
            StepKind.DayParts, StepOperation.HalfDays, FigureUnit.HalfDays, date.Sum(e => (long)e.Item.Quantity),
            date.Select(e => Minutes(e.Item) with { Value = e.Entry.Charged }).Append(new Figure(FigureKind.FullDay, FigureUnit.Minutes, date.First().FullDay)))).ToList();
        var days = steps.Add(StepKind.HalfDays, StepOperation.Sum, FigureUnit.HalfDays, item.Quantity, halves);
        steps.Add(StepKind.Amount, StepOperation.Sum, FigureUnit.Money, item.Amount.Minor, [AtRate(days, item, 2)]);
        return item;
    }

    public Item Price(Item item)
    {
        Begin(item).Add(StepKind.Price, StepOperation.Sum, FigureUnit.Money, item.Amount.Minor, Money(FigureKind.Price, item.Amount.Minor) with { Dates = item.Dates[0] });
        return item;
    }

    /// <param name="amounts">The minimum's amounts, each with the days on which it holds.</param>
    /// <param name="charges">Of the period.</param>
    /// <param name="earlier">What minima before it have taken of them.</param>
    public Item Commitment(
        Item item, IEnumerable<(long Amount, DateRange Dates)> amounts, int fullDays, long promised, ImmutableArray<Item> charges, IReadOnlyList<(PartId Id, long Promised)> earlier, long rest)
    {
        var steps = Begin(item);
        var least = steps.Add(StepKind.Promised, StepOperation.Sum, FigureUnit.Money, promised, amounts.Select(a => Prorated(Money(FigureKind.Minimum, a.Amount), a.Dates, fullDays)));
        var charged = steps.Add(StepKind.Charged, StepOperation.Sum, FigureUnit.Money, charges.Sum(c => c.Amount.Minor), charges.Select(Charged));
        if (earlier.Count > 0)
        {
            charged = steps.Add(
                StepKind.ChargedLeft, StepOperation.SumNotBelowZero, FigureUnit.Money, rest,
                earlier.Select(e => Money(FigureKind.EarlierMinimum, -e.Promised) with { Item = item.Key with { Part = e.Id } }).Prepend(charged));
        }

        steps.Add(StepKind.Missing, StepOperation.SumNotBelowZero, FigureUnit.Money, item.Amount.Minor, least, charged.Negated);
        return item;
    }

    /// <param name="named">The discount as the terms have it, each with the days on which it holds.</param>
    /// <param name="charged">What it is of.</param>
    /// <param name="left">What earlier discounts have left of that.</param>
    /// <param name="given">What it took off in earlier periods.</param>
    public Item Discount(
        Item item, IReadOnlyList<(Discount Discount, DateRange Dates)> named, ImmutableArray<Item> charged, int fullDays, long percentage, long prorated, long left, long given)
    {
        var (steps, wanted) = (Begin(item), new List<Figure>());
        var shares = from term in named
                     where term.Discount.Ppm is not null
                     from charge in charged
                     let within = charge.Within(term.Dates)
                     where within.Part > 0
                     select Share(charge, within, term.Discount.Ppm!.Value, term.Dates);
        if (named.Any(d => d.Discount.Ppm is not null))
        {
            wanted.Add(steps.Add(StepKind.Percentage, StepOperation.Sum, FigureUnit.Money, percentage, shares));
        }

        if (named.Any(d => d.Discount.Amount is not null))
        {
            wanted.Add(steps.Add(
                StepKind.FixedDiscount, StepOperation.Sum, FigureUnit.Money, prorated,
                named.Where(d => d.Discount.Amount is not null).Select(d => Prorated(Money(FigureKind.DiscountAmount, d.Discount.Amount!.Value), d.Dates, fullDays))));
        }

        var taken = wanted.Count == 1 ? wanted[0] : steps.Add(StepKind.Wanted, StepOperation.Sum, FigureUnit.Money, percentage + prorated, wanted);
        if (named[^1].Discount.Cap is { } cap)
        {
            var rest = Math.Max(0, cap - given);
            var most = steps.Add(
                StepKind.DiscountCapLeft, StepOperation.SumNotBelowZero, FigureUnit.Money, rest, [Money(FigureKind.DiscountCap, cap), .. given == 0 ? [] : new[] { Money(FigureKind.GivenBefore, -given) }]);
            taken = steps.Add(StepKind.DiscountCapped, StepOperation.Least, FigureUnit.Money, Math.Min(taken.Value, rest), taken, most);
        }

        if (taken.Value > left)
        {
            var charges = steps.Add(StepKind.Charged, StepOperation.Sum, FigureUnit.Money, charged.Sum(c => c.Amount.Minor), charged.Select(Charged));
            var most = steps.Add(StepKind.ChargesLeft, StepOperation.Sum, FigureUnit.Money, left, charges, Money(FigureKind.EarlierDiscounts, left - charges.Value));
            taken = steps.Add(StepKind.DiscountBound, StepOperation.Least, FigureUnit.Money, left, taken, most);
        }

        steps.Add(StepKind.Discount, StepOperation.Sum, FigureUnit.Money, item.Amount.Minor, taken.Negated);
        return item;
    }

    /// <summary>What an item still needs, beside the lines that it has.</summary>
    public void Invoiced(ItemKey item, List<StandingLine> before, long amount)
    {
        var steps = Of(item);
        if (before.Count > 0)
        {
            steps.Add(
                StepKind.LessInvoiced, StepOperation.Sum, FigureUnit.Money, amount,
                before.Select(s => Money(FigureKind.InvoicedBefore, -s.Line.Amount) with { Line = new LineReference(s.Invoice, s.Line.Number) }).Prepend(steps.Last));
        }
    }

    /// <summary>A line that has all that its key gained.</summary>
    public void Charge(int line, ItemKey item) => _lines[line] = Of(item).All;

    /// <summary>A line that takes back nothing of what a key lost, since nothing is left of its lines.</summary>
    public void CreditedAlready(int line, ItemKey item, StandingLine of, LineCredits credits)
    {
        var steps = Copy(Of(item));
        var lost = steps.Last with { Value = Math.Abs(steps.Last.Value) };
        steps.Add(StepKind.TakenBack, StepOperation.Least, FigureUnit.Money, 0, lost, Left(steps, of, credits, 1));
        _lines[line] = steps.All;
    }

    /// <summary>A line that takes back what a key lost, or a part of it.</summary>
    /// <param name="amount">What the key lost or gained, as its line would have it.</param>
    /// <param name="earlier">What lines before it in the document take back of it.</param>
    /// <param name="taken">What this line takes back, above zero as the others.</param>
    /// <param name="gains">−1 of a discount, which gains downwards.</param>
    /// <param name="isOnly">Whether it takes back all.</param>
    public void Credit(int line, ItemKey item, StandingLine of, LineCredits credits, long amount, long earlier, long taken, int gains, bool isOnly)
    {
        if (isOnly)
        {
            Charge(line, item);
            return;
        }

        var steps = Copy(Of(item));
        var lost = steps.Last with { Value = Math.Abs(amount) };
        var rest = steps.Add(
            StepKind.ToTakeBack, StepOperation.Sum, FigureUnit.Money, Math.Abs(amount) - earlier, [lost, .. earlier == 0 ? [] : new[] { Money(FigureKind.TakenBackHere, -earlier) }]);
        var left = Left(steps, of, credits, gains);
        var back = steps.Add(StepKind.TakenBack, StepOperation.Least, FigureUnit.Money, taken, rest, left);
        steps.Add(StepKind.Credit, StepOperation.Sum, FigureUnit.Money, -taken * gains, back with { Value = -taken * gains });
        _lines[line] = steps.All;
    }

    private static Steps Copy(Steps of)
    {
        var steps = new Steps();
        foreach (var step in of.All)
        {
            steps.Add(step.Kind, step.Operation, step.Unit, step.Result, step.Parts);
        }

        return steps;
    }

    /// <summary>What is left of a line after what was credited of it.</summary>
    /// <param name="gains">−1 to have it of a discount's line above zero.</param>
    public static Figure Left(Steps steps, StandingLine of, LineCredits credits, int gains) => steps.Add(
        StepKind.LeftOfLine, StepOperation.Sum, FigureUnit.Money, credits.LeftOf(of.Invoice, of.Line).Amount * gains,
        credits.Of(of.Invoice, of.Line).Select(c => Money(FigureKind.CreditedBefore, credits.LeftOf(c.Invoice, c.Line).Amount * gains) with { Line = new LineReference(c.Invoice, c.Line.Number) })
            .Prepend(Money(FigureKind.CorrectedLine, of.Line.Amount * gains) with { Line = new LineReference(of.Invoice, of.Line.Number) }));

    /// <summary>The tax of the lines of a category and rate, if the one line is among them: it is summed and rounded once, and the share of each.</summary>
    /// <param name="charges">Lines above zero, or zero.</param>
    /// <param name="discounts">Lines below zero.</param>
    /// <param name="charged">The tax on the charges.</param>
    /// <param name="net">The tax on both.</param>
    public void Tax(TaxTreatment tax, IReadOnlyList<InvoiceLine> charges, long charged, IReadOnlyList<InvoiceLine> discounts, long net, Func<InvoiceLine, long> share)
    {
        if (charges.FirstOrDefault(l => l.Number == taxed) is { } charge)
        {
            Shared(charge, charges, OnAll(tax, charges, charged), share(charge), 1);
        }

        if (discounts.FirstOrDefault(l => l.Number == taxed) is { } discount)
        {
            var full = OnAll(tax, charges, charged);
            var less = OnAll(tax, charges.Concat(discounts), net);
            Shared(discount, discounts, _tax.Add(StepKind.TaxSaved, StepOperation.Sum, FigureUnit.Money, net - charged, less, full.Negated), share(discount), -1);
        }
    }

    /// <summary>The tax that goes with a part of a line that is taken back: its cumulative share, less what went with the parts before.</summary>
    /// <param name="taken">Of the corrected line's sign.</param>
    public void TaxTakenBack(StandingLine of, long leftAmount, long leftTax, long taken, long tax)
    {
        var reference = new LineReference(of.Invoice, of.Line.Number);
        var back = Money(FigureKind.CreditedBefore, of.Line.Amount - leftAmount + taken) with { Line = reference };
        var cumulative = _tax.Add(
            StepKind.Tax, StepOperation.Sum, FigureUnit.Money, Rounding.HalfAwayFromZero((System.Numerics.BigInteger)of.Line.Tax * back.Value, of.Line.Amount),
            [new StepPart([Money(FigureKind.CorrectedLine, of.Line.Tax) with { Line = reference }, back], [Money(FigureKind.CorrectedLine, of.Line.Amount) with { Line = reference }])]);
        var before = of.Line.Tax - leftTax;
        _tax.Add(
            StepKind.TaxShare, StepOperation.Sum, FigureUnit.Money, tax, [cumulative.Negated, .. before == 0 ? [] : new[] { Money(FigureKind.CreditedBefore, before) with { Line = reference } }]);
    }

    internal static Figure Money(FigureKind kind, long value) => new(kind, FigureUnit.Money, value);

    private Steps Begin(Item item) => _items[item.Key] = new Steps();

    private static Figure Minutes(TimeItem item) =>
        new(FigureKind.EntryMinutes, FigureUnit.Minutes, item.Quantity, Entry: item.Entry, Dates: new DateRange(item.Date, item.Date.PlusDays(1)));

    private static Figure Charged(Item charge) => Money(FigureKind.Charge, charge.Amount.Minor) with { Item = charge.Key };

    private static StepPart Prorated(Figure amount, DateRange dates, int fullDays) => new(
        [amount, new Figure(FigureKind.Days, FigureUnit.Days, dates.Days(), Dates: dates)], [new Figure(FigureKind.FullDays, FigureUnit.Days, fullDays)]);

    private static StepPart AtRate(Figure quantity, Item item, int units) => new(
        [quantity, Money(FigureKind.Rate, item.Key.Rate)], [new Figure(FigureKind.RateUnits, quantity.Unit, units)]);

    private static StepPart Share(Item charge, (long Part, long Whole) within, int ppm, DateRange dates)
    {
        var (percent, million) = (new Figure(FigureKind.Percent, FigureUnit.Ppm, ppm, Dates: dates), new Figure(FigureKind.Million, FigureUnit.Ppm, Billing.Discount.WholePpm));
        return within.Part == within.Whole
            ? new StepPart([Charged(charge), percent], [million])
            : new StepPart([Charged(charge), new Figure(FigureKind.Share, FigureUnit.Number, within.Part), percent], [new Figure(FigureKind.ShareOf, FigureUnit.Number, within.Whole), million]);
    }

    private Figure OnAll(TaxTreatment tax, IEnumerable<InvoiceLine> lines, long result)
    {
        var all = lines.ToList();
        var taxable = _tax.Add(StepKind.Taxable, StepOperation.Sum, FigureUnit.Money, all.Sum(l => l.Amount), all.Select(l => Money(FigureKind.OtherLine, l.Amount) with { Here = l.Number }));
        return _tax.Add(
            StepKind.Tax, StepOperation.Sum, FigureUnit.Money, result,
            [new StepPart([taxable, new Figure(FigureKind.TaxRate, FigureUnit.Ppm, tax.RatePpm)], [new Figure(FigureKind.Million, FigureUnit.Ppm, TaxTreatment.WholePpm)])]);
    }

    private void Shared(InvoiceLine line, IReadOnlyList<InvoiceLine> lines, Figure whole, long share, int sign)
    {
        if (lines.Count > 1)
        {
            _tax.Add(
                StepKind.TaxShare, StepOperation.Share, FigureUnit.Money, share,
                lines.Select(l => Money(l.Number == line.Number ? FigureKind.ThisLine : FigureKind.OtherLine, sign * l.Amount) with { Here = l.Number }).Prepend(whole));
        }
    }
}
