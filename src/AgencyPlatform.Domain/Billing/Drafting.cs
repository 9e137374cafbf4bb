using System.Collections.Immutable;
using System.Globalization;
using NodaTime;

namespace AgencyPlatform.Domain.Billing;

/// <summary>All that an account's bill is computed from, besides what stands invoiced.</summary>
/// <param name="SellerTimeZone">What today is for the seller.</param>
/// <param name="Engagements">Every activated engagement of the client.</param>
/// <param name="Series">The seller's series of invoices; credit notes have <c>{series}-cn</c>.</param>
/// <param name="Document">What the buyer wants to find on documents; null: nothing.</param>
/// <param name="PayTo">The seller's account; null: documents name none.</param>
public sealed record BillingFacts(
    Party Seller, string SellerTimeZone, InvoiceSeriesId Series, Party Buyer, int PaymentTermDays, TaxTreatment Tax, ImmutableArray<BillingInputs> Engagements,
    DocumentTerms? Document = null, BankAccount? PayTo = null);

/// <summary>What a bill would say, or why there can be none.</summary>
internal readonly record struct Drafted(InvoiceContent? Content, Rejection? Refusal);

/// <summary>
/// Makes an invoice's content: desired items − items already invoiced = new lines. The one code for previews, drafts and invoices.
/// Source: domain §5.
/// </summary>
internal static class Drafting
{
    /// <summary>The most bill-cycle periods of one engagement that a bill looks at: 50 years of months. More is a mistyped year.</summary>
    public const int MostPeriods = 600;

    /// <summary>The most lines of a bill. What is above is billed in parts, to earlier dates.</summary>
    public const int MostLines = 2_000;

    /// <param name="only">The one engagement that is billed; null: all that are not invoiced apart.</param>
    /// <param name="standing">Frozen and final invoices of the account, oldest first.</param>
    public static Drafted Draft(BillingFacts facts, LegalEntityId seller, Currency currency, LocalDate to, EngagementId? only, ImmutableArray<Invoice> standing)
    {
        var engagements = facts.Engagements.Where(e => only is { } one ? e.Engagement == one : !e.Apart).ToList();
        foreach (var engagement in engagements)
        {
            var periods = Owed.BilledPeriods(engagement, to).Take(MostPeriods + 1).Count();
            if (periods > MostPeriods)
            {
                return new(null, Rejection.Rule(
                    Reasons.BillTooLarge,
                    $"The engagement {engagement.Engagement} would be billed for more than {MostPeriods} periods from {Text(engagement.BillingStartsOn)} to {Text(to)}: look at the dates.",
                    ("engagement", engagement.Engagement.Value), ("start_date", Text(engagement.BillingStartsOn)), ("to_date", Text(to)), ("most_periods", Text(MostPeriods))));
            }
        }

        try
        {
            var content = Content(facts, engagements, seller, currency, to, only, standing);
            return content.Lines.Length <= MostLines ? new(content, null) : new(null, Rejection.Rule(
                Reasons.BillTooLarge,
                $"The bill to {Text(to)} would have {content.Lines.Length} lines, and at most {MostLines} are allowed: bill to an earlier date first.",
                ("to_date", Text(to)), ("lines", Text(content.Lines.Length)), ("most_lines", Text(MostLines))));
        }
        catch (OverflowException)
        {
            return new(null, Rejection.Rule(
                Reasons.AmountTooLarge, $"An amount of the bill to {Text(to)} exceeds what is billed at most: {Money.MostMinor} minor units of {currency}. Look at the fees and rates.",
                ("to_date", Text(to)), ("most_minor_units", Text(Money.MostMinor)), ("currency", currency.Code)));
        }
    }

    private static InvoiceContent Content(
        BillingFacts facts, List<BillingInputs> engagements, LegalEntityId seller, Currency currency, LocalDate to, EngagementId? only, ImmutableArray<Invoice> standing)
    {
        var credits = new LineCredits(standing);
        var scope = engagements.Select(e => e.Engagement).ToHashSet();
        var billed = standing.SelectMany(i => i.Content.Lines.Where(l => !l.ByHand).Select(l => new StandingLine(i.Id, l))).Where(s => scope.Contains(s.Line.Item.Engagement))
            .GroupBy(s => s.Line.Item).ToDictionary(g => g.Key, g => g.ToList());
        var (keys, entries) = (billed.Keys.ToHashSet(), billed.Values.SelectMany(KeyLines.Entries).ToHashSet());
        var desired = engagements.SelectMany(e => Owed.Of(NewlyDisputed(e, entries), seller, currency, to, keys)).ToDictionary(i => i.Key);
        var lines = ImmutableArray.CreateBuilder<InvoiceLine>();
        foreach (var key in desired.Keys.Union(billed.Keys).Order())
        {
            var before = billed.GetValueOrDefault(key) ?? [];
            var item = desired.GetValueOrDefault(key) ?? Vanished(before[^1].Line, currency, to);
            if (item.Due)
            {
                KeyLines.Add(lines, item, before, credits, facts.Tax, currency);
            }
        }

        return Totals(facts, to, currency, only, lines.ToImmutable());
    }

    /// <summary>A disputed entry that an invoice has stays on it until the dispute ends: here it is none.</summary>
    internal static BillingInputs NewlyDisputed(BillingInputs inputs, HashSet<Time.TimeEntryKey> invoiced) =>
        inputs.Entries.Any(e => e.Disputed) ? inputs with { Entries = [.. inputs.Entries.Select(e => e with { Disputed = e.Disputed && !invoiced.Contains(e.Entry) })] } : inputs;

    /// <summary>A key that is owed no more: nothing of it is desired, from the date on that had made it due.</summary>
    internal static Item Vanished(InvoiceLine line, Currency currency, LocalDate to)
    {
        var due = line.Item.Charge switch
        {
            Charge.Milestone or Charge.Block => line.Service.Start <= to,
            Charge.Discount => line.Period.Start <= to,
            _ => line.Timing == FeeTiming.InAdvance ? line.Period.Start <= to : line.Period.End <= to,
        };
        return new Item(line.Item, "", line.Period, line.FullDays, line.Timing, due, [], 0, [], Money.Zero(currency));
    }

    /// <summary>
    /// Tax by category and rate: charges less discounts are summed and rounded once, and the tax split over them; what corrects a line brings its share.
    /// </summary>
    /// <param name="workings">Is told how each tax is computed; null: nobody wants to know.</param>
    internal static ImmutableArray<InvoiceLine> Taxed(ImmutableArray<InvoiceLine> lines, Currency currency, Workings? workings = null)
    {
        var taxed = lines.ToBuilder();
        foreach (var group in lines.Where(l => l.Corrects is null).GroupBy(l => l.TaxTreatment))
        {
            // Apart, so that no weight is below zero; together they are the tax of the sum.
            var (charges, discounts) = (group.Where(l => l.Amount >= 0).ToList(), group.Where(l => l.Amount < 0).ToList());
            var charged = group.Key.On(new Money(charges.Sum(l => l.Amount), currency)).Minor;
            var saved = charged - group.Key.On(new Money(group.Sum(l => l.Amount), currency)).Minor;
            Spread(charges, charged);
            Spread(discounts, -saved);
            workings?.Tax(group.Key, charges, charged, discounts, charged - saved, l => taxed[l.Number - 1].Tax);
        }

        return taxed.ToImmutable();

        void Spread(List<InvoiceLine> over, long tax)
        {
            var parts = Rounding.Split(tax, [.. over.Select(l => Math.Abs(l.Amount))]);
            for (var i = 0; i < over.Count; i++)
            {
                taxed[over[i].Number - 1] = over[i] with { Tax = parts[i] };
            }
        }
    }

    private static InvoiceContent Totals(BillingFacts facts, LocalDate to, Currency currency, EngagementId? only, ImmutableArray<InvoiceLine> untaxed)
    {
        var lines = Taxed(untaxed, currency);
        var taxes = TaxSubtotal.Of(lines);
        var (net, taxTotal) = (lines.Sum(l => l.Amount), lines.Sum(l => l.Tax));
        var total = checked(net + taxTotal);
        if (Math.Abs(total) > Money.MostMinor || lines.Any(l => Math.Abs(l.Amount) > Money.MostMinor))
        {
            throw new OverflowException();
        }

        return new InvoiceContent(
            total < 0 ? DocumentKind.CreditNote : DocumentKind.Invoice, to, facts.Seller, facts.Buyer, facts.PaymentTermDays, lines, taxes, net, taxTotal, total,
            Document: facts.Document, PayTo: facts.PayTo, Titles: Titles(facts, lines), Only: only);
    }

    private static ImmutableSortedDictionary<EngagementId, string> Titles(BillingFacts facts, ImmutableArray<InvoiceLine> lines)
    {
        var billed = lines.Select(l => l.Item.Engagement).ToHashSet();
        return facts.Engagements.Where(e => billed.Contains(e.Engagement)).ToImmutableSortedDictionary(e => e.Engagement, e => e.Title);
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Text(LocalDate date) => date.ToString("uuuu-MM-dd", CultureInfo.InvariantCulture);
}
