using System.Collections.Immutable;

namespace AgencyPlatform.Domain.Billing;

/// <summary>
/// Why a line has its amount: the engine computes it again from what stood then, and says its steps. Source: domain §5, docs/billing.md.
/// </summary>
/// <param name="standing">The account's frozen and final invoices, in the order in which they were frozen.</param>
internal sealed class Explaining(AccountId account, Invoice invoice, ImmutableArray<Invoice> standing)
{
    /// <summary>What stood invoiced when the invoice was frozen; of a draft, what stands.</summary>
    private readonly ImmutableArray<Invoice> _before = [.. standing.TakeWhile(i => i.Id != invoice.Id)];

    /// <param name="byHand">Whether the invoice is a credit note made by hand.</param>
    /// <param name="sources">Of the line's engagement when the invoice was frozen; null: nobody knows.</param>
    public LineExplanation Of(InvoiceLine line, bool byHand, BillingSources? sources)
    {
        var (credits, taxes) = (new LineCredits(_before), TaxSteps(line));
        var computed = byHand ? ByHand(line, credits) : sources is null ? null : Computed(line, sources, credits);
        var steps = computed ?? (Steps: Frozen(line), Entries: []);
        var (period, inputs) = (computed is null || byHand ? null : PeriodOf(line, sources!.Inputs), sources?.Inputs);
        var milestone = line.Item.Charge == Charge.Milestone ? inputs?.Milestones?.FirstOrDefault(m => m.Id == line.Item.Part) : null;
        var block = line.Item.Charge == Charge.Block ? inputs?.Blocks?.FirstOrDefault(b => b.Id == line.Item.Part) : null;
        ImmutableArray<LaterLine> later =
        [
            .. standing.Skip(_before.Length + 1).SelectMany(i => i.Content.Lines.Select(l => (i.Id, Line: l)))
                .Where(l => (l.Line.Item == line.Item && !l.Line.ByHand) || IsOf(l.Line, line))
                .Select(l => new LaterLine(new LineReference(l.Id, l.Line.Number), l.Line.Amount, IsOf(l.Line, line))),
        ];
        var named = steps.Steps.Concat(taxes).SelectMany(s => s.Parts).SelectMany(p => p.Factors.Concat(p.Divisors)).Select(f => f.Line?.Invoice)
            .Append(line.Corrects?.Invoice).Concat(later.Select(l => (InvoiceId?)l.Line.Invoice)).OfType<InvoiceId>().ToHashSet();
        return new LineExplanation(
            invoice, line, computed is null ? ExplanationBasis.AsFrozen : ExplanationBasis.Computed,
            period is null ? [] : [.. period.InForce.Where(t => IsBy(line, t.Terms, t.Dates, block)).Select(t => new ExplainedTerms(t.Terms, t.Dates, sources!.Terms.FirstOrDefault(s => s.EffectiveFrom == t.Terms.EffectiveFrom)))],
            steps.Steps, taxes, steps.Entries, milestone, block,
            milestone is not null ? sources!.Milestones.FirstOrDefault(m => m.Part == milestone.Id) : block is not null ? sources!.Blocks.FirstOrDefault(b => b.Part == block.Id) : null,
            byHand, later, computed is not null && !byHand && inputs?.Service.End <= line.Period.End ? inputs!.Service.End : null, standing.Where(i => named.Contains(i.Id)).ToImmutableSortedDictionary(i => i.Id, i => i.DocumentNumber));
    }

    /// <summary>The steps and entries of a line as the engine computes it now; null when it does not come to the same line.</summary>
    private (ImmutableArray<Step> Steps, ImmutableArray<ExplainedEntry> Entries)? Computed(InvoiceLine line, BillingSources sources, LineCredits credits)
    {
        var engagement = line.Item.Engagement;
        var billed = _before.SelectMany(i => i.Content.Lines.Where(l => !l.ByHand && l.Item.Engagement == engagement).Select(l => new StandingLine(i.Id, l))).ToLookup(s => s.Line.Item);
        var (keys, known) = (billed.Select(k => k.Key).ToHashSet(), billed.SelectMany(k => KeyLines.Entries([.. k])).ToHashSet());
        var (workings, before, lines) = (new Workings(), billed[line.Item].ToList(), ImmutableArray.CreateBuilder<InvoiceLine>());
        Item? item;
        try
        {
            item = Owed.Items(Drafting.NewlyDisputed(sources.Inputs, known), account.LegalEntity, account.Currency, invoice.Content.To, keys, workings).FirstOrDefault(i => i.Key == line.Item)
                ?? (before.Count > 0 ? Drafting.Vanished(before[^1].Line, account.Currency, invoice.Content.To) : null);
            if (item is not null)
            {
                KeyLines.Add(lines, item, before, credits, line.TaxTreatment, account.Currency, workings);
            }
        }
        catch (OverflowException)
        {
            // Terms of a draft that were changed to what no bill can be made of.
            return null;
        }

        return lines.FirstOrDefault(l => l.Amount == line.Amount && l.Quantity == line.Quantity && l.Corrects == line.Corrects && l.Entries.SequenceEqual(line.Entries)) is { } same
            ? (workings.OfLine(same.Number), Entries(line, item!, sources))
            : null;
    }

    /// <summary>The entries of an item as it is, and those that the line takes back.</summary>
    private static ImmutableArray<ExplainedEntry> Entries(InvoiceLine line, Item item, BillingSources sources)
    {
        var (named, wanted) = (line.Entries.ToHashSet(), item.Entries.Select(e => e.Entry).ToHashSet());
        var (origins, inputs) = (sources.Entries.ToDictionary(e => e.Entry), sources.Inputs.Entries.ToDictionary(e => e.Entry));
        return
        [
            .. item.Entries.Select(e => new ExplainedEntry(
                e.Entry, inputs[e.Entry].Cmo, e.Date, origins.GetValueOrDefault(e.Entry)?.Minutes ?? ChargedOf(e.Entry), ChargedOf(e.Entry), e.Quantity,
                named.Contains(e.Entry) ? EntryChange.Gained : EntryChange.Kept, origins.GetValueOrDefault(e.Entry))),
            .. line.Entries.Where(e => !wanted.Contains(e)).Select(e => origins.GetValueOrDefault(e)).OfType<EntrySource>()
                .Select(e => new ExplainedEntry(e.Entry, e.Cmo, e.Date, e.Minutes, 0, 0, EntryChange.Lost, e)),
        ];

        int ChargedOf(Time.TimeEntryKey entry) => item.Key.Charge == Charge.Overage ? inputs[entry].Overage : inputs[entry].Charged;
    }

    private (ImmutableArray<Step> Steps, ImmutableArray<ExplainedEntry> Entries)? ByHand(InvoiceLine line, LineCredits credits)
    {
        if (Corrected(line) is not { } of)
        {
            return null;
        }

        var steps = new Steps();
        var left = Workings.Left(steps, of, credits, 1);
        if (left.Value == -line.Amount)
        {
            steps.Add(StepKind.Credit, StepOperation.Sum, FigureUnit.Money, line.Amount, left.Negated);
        }
        else
        {
            steps.Add(StepKind.ByHand, StepOperation.Sum, FigureUnit.Money, line.Amount, Workings.Money(FigureKind.ByHand, line.Amount));
        }

        return (steps.All, []);
    }

    /// <summary>The steps to a line's tax, from the document's lines alone.</summary>
    private ImmutableArray<Step> TaxSteps(InvoiceLine line)
    {
        var workings = new Workings(line.Number);
        if (Corrected(line) is { } of)
        {
            var left = new LineCredits(_before).LeftOf(of.Invoice, of.Line);
            workings.TaxTakenBack(of, left.Amount, left.Tax, -line.Amount, line.Tax);
        }
        else
        {
            Drafting.Taxed(invoice.Content.Lines, account.Currency, workings);
        }

        return workings.OfTax;
    }

    private StandingLine? Corrected(InvoiceLine line) =>
        line.Corrects is { } of && _before.FirstOrDefault(i => i.Id == of.Invoice) is { } corrected ? new StandingLine(corrected.Id, corrected.Content.Lines[of.Line - 1]) : null;

    private PeriodBill? PeriodOf(InvoiceLine line, BillingInputs inputs) =>
        Owed.BilledPeriods(inputs, invoice.Content.To).Where(p => p.Dates.Start == line.Item.Period)
            .Select(p => new PeriodBill(inputs, p, account.LegalEntity, account.Currency, invoice.Content.To)).FirstOrDefault();

    private bool IsOf(InvoiceLine later, InvoiceLine line) => later.Corrects == new LineReference(invoice.Id, line.Number);

    /// <summary>Whether terms are what a line charges by.</summary>
    private static bool IsBy(InvoiceLine line, Terms terms, DateRange dates, PrepaidBlock? block) => line.Item.Charge switch
    {
        Charge.Fee => terms is RetainerTerms retainer && retainer.Fee == line.Item.Rate,
        Charge.Overage => terms.HasMeter && terms.TimeRate.Rate == line.Item.Rate,
        Charge.Hours => terms is HourlyTerms hourly && hourly.HourlyRate == line.Item.Rate,
        Charge.Days => terms is DayRateTerms days && days.DayRate == line.Item.Rate,
        Charge.Milestone => dates.Contains(line.Service.Start) && terms is MilestoneTerms milestones && milestones.Milestones.Any(m => m.Id == line.Item.Part),

        // One that was sold otherwise than the terms say was agreed by itself.
        Charge.Block => dates.Contains(line.Service.Start) && terms is PrepaidTerms prepaid && (prepaid.BlockPrice, prepaid.BlockMinutes) == (block?.Price, block?.Minutes),
        Charge.Commitment => terms.Minimum?.Id == line.Item.Part,
        Charge.Discount => terms.Discounts?.Any(d => d.Id == line.Item.Part) == true,
        _ => throw new InvalidOperationException($"{line.Item.Charge} is charged by no terms."),
    };

    /// <summary>What the line itself says: quantity × rate, where that comes to its amount; else its amount alone.</summary>
    private static ImmutableArray<Step> Frozen(InvoiceLine line)
    {
        var (steps, unit, units) = (new Steps(), Unit(line.Unit), line.Unit switch { LineUnit.Days => line.FullDays, LineUnit.Minutes => 60, LineUnit.HalfDays => 2, _ => 0 });
        if (units > 0 && Rounding.HalfAwayFromZero((System.Numerics.BigInteger)line.Quantity * line.Item.Rate, units) == line.Amount)
        {
            steps.Add(
                StepKind.Amount, StepOperation.Sum, FigureUnit.Money, line.Amount,
                [new StepPart(
                    [new Figure(FigureKind.Frozen, unit, line.Quantity), Workings.Money(line.Unit == LineUnit.Days ? FigureKind.Fee : FigureKind.Rate, line.Item.Rate)],
                    [new Figure(line.Unit == LineUnit.Days ? FigureKind.FullDays : FigureKind.RateUnits, unit, units)])]);
        }
        else
        {
            steps.Add(StepKind.Frozen, StepOperation.Sum, FigureUnit.Money, line.Amount, Workings.Money(FigureKind.Frozen, line.Amount));
        }

        return steps.All;
    }

    private static FigureUnit Unit(LineUnit unit) => unit switch
    {
        LineUnit.Days => FigureUnit.Days,
        LineUnit.Minutes => FigureUnit.Minutes,
        LineUnit.HalfDays => FigureUnit.HalfDays,
        _ => FigureUnit.Number,
    };
}
