using System.Collections.Immutable;
using System.Globalization;
using NodaTime;

namespace AgencyPlatform.Domain.Billing;

/// <summary>All that an account's bill is computed from, besides what stands invoiced.</summary>
/// <param name="SellerTimeZone">What today is for the seller.</param>
/// <param name="Engagements">Every activated engagement of the client.</param>
/// <param name="Series">The seller's series of invoices; credit notes have <c>{series}-cn</c>.</param>
public sealed record BillingFacts(
    Party Seller, string SellerTimeZone, InvoiceSeriesId Series, Party Buyer, int PaymentTermDays, TaxTreatment Tax, ImmutableArray<BillingInputs> Engagements);

/// <summary>
/// Makes an invoice's content: desired items − items already invoiced = new lines. The one code for previews, drafts and invoices.
/// Source: domain §5.
/// </summary>
internal static class Drafting
{
    /// <param name="standing">Frozen and final invoices of the account, oldest first.</param>
    public static InvoiceContent Content(BillingFacts facts, LegalEntityId seller, Currency currency, LocalDate to, ImmutableArray<Invoice> standing)
    {
        var credits = new LineCredits(standing);
        var billed = standing.SelectMany(i => i.Content.Lines.Where(l => !l.ByHand).Select(l => new Standing(i.Id, l))).GroupBy(s => s.Line.Item).ToDictionary(g => g.Key, g => g.ToList());
        var invoiced = billed.Values.SelectMany(Billed).ToHashSet();
        var desired = facts.Engagements.SelectMany(e => Owed.Of(Undisputed(e, invoiced), seller, currency, to)).ToDictionary(i => i.Key);
        var lines = ImmutableArray.CreateBuilder<InvoiceLine>();
        foreach (var key in desired.Keys.Union(billed.Keys).Order())
        {
            var before = billed.GetValueOrDefault(key) ?? [];
            var item = desired.GetValueOrDefault(key) ?? Vanished(before[^1].Line, currency, to);
            if (item.Due)
            {
                AddLines(lines, item, before, credits, facts.Tax, currency);
            }
        }

        return Totals(facts, to, currency, lines.ToImmutable());
    }

    /// <summary>Without the disputed entries that no invoice has yet; those that one has stay on it until the dispute ends.</summary>
    private static BillingInputs Undisputed(BillingInputs inputs, HashSet<Time.TimeEntryKey> invoiced) =>
        inputs.Entries.Any(e => e.Disputed) ? inputs with { Entries = [.. inputs.Entries.Where(e => !e.Disputed || invoiced.Contains(e.Entry))] } : inputs;

    private readonly record struct Standing(InvoiceId Invoice, InvoiceLine Line);

    /// <summary>A key that is owed no more: nothing of it is desired, from the date on that had made it due.</summary>
    private static Item Vanished(InvoiceLine line, Currency currency, LocalDate to) => new(
        line.Item, "", line.Period, line.FullDays, line.Timing, line.Timing == FeeTiming.InAdvance ? line.Period.Start <= to : line.Period.End <= to,
        [], 0, [], Money.Zero(currency));

    private static void AddLines(ImmutableArray<InvoiceLine>.Builder lines, Item item, List<Standing> before, LineCredits credits, TaxTreatment tax, Currency currency)
    {
        var amount = item.Amount.Minor - before.Sum(s => s.Line.Amount);
        var unit = item.Key.Charge == Charge.Fee ? LineUnit.Days : LineUnit.Minutes;
        var quantity = item.Quantity - before.Sum(s => s.Line.Quantity);
        var known = Billed(before);
        var wanted = item.Entries.Select(e => e.Entry).ToHashSet();
        var (gained, lost) = (item.Entries.Where(e => !known.Contains(e.Entry)).ToList(), known.Except(wanted).Order().ToList());
        if (amount == 0 && gained.Count + lost.Count == 0)
        {
            return;
        }

        var keyDates = before.Count > 0 ? before[^1].Line.KeyDates : [];
        var changed = unit == LineUnit.Minutes && lost.Count == 0
            ? [.. gained.Select(e => e.Date)]
            : Owed.DaysOf(item.Dates, keyDates).Concat(Owed.DaysOf(keyDates, item.Dates)).ToList();
        var service = changed.Count > 0 ? Owed.Hull(changed) : item.Period;
        var line = new InvoiceLine(
            0, item.Key, Describe(item.Key.Charge, item.Title, service, currency, item.Key.Rate), service, item.Period, item.Dates, item.Timing,
            quantity, unit, item.FullDays, amount, tax, 0, [.. gained.Select(e => e.Entry), .. lost], null);
        if (amount >= 0)
        {
            lines.Add(line with { Number = lines.Count + 1 });
            return;
        }

        // A credit names the newest lines of its key first, none beyond what is left of it.
        var parts = new List<(Standing Of, long Amount, long Tax)>();
        var rest = -amount;
        foreach (var standing in before.Where(s => s.Line is { Amount: > 0, Corrects: null }).Reverse())
        {
            var left = credits.LeftOf(standing.Invoice, standing.Line);
            var part = Math.Min(rest, left.Amount);
            if (part > 0)
            {
                parts.Add((standing, part, LineCredits.TaxOf(standing.Line, left.Amount, left.Tax, part)));
                rest -= part;
            }
        }

        var quantities = Rounding.Split(quantity, [.. parts.Select(p => p.Amount)]);
        for (var i = 0; i < parts.Count; i++)
        {
            var (of, part, share) = parts[i];
            lines.Add(line with
            {
                Number = lines.Count + 1,
                Description = "Credit: " + of.Line.Description,
                Quantity = quantities[i],
                Amount = -part,
                TaxTreatment = of.Line.TaxTreatment,
                Tax = -share,
                Entries = i == 0 ? line.Entries : [],
                Corrects = new LineReference(of.Invoice, of.Line.Number),
            });
        }
    }

    /// <summary>The entries that a key's lines bill in sum: a line names those that its key gained or lost, each time one of the two.</summary>
    private static HashSet<Time.TimeEntryKey> Billed(List<Standing> lines)
    {
        var billed = new HashSet<Time.TimeEntryKey>();
        foreach (var entry in lines.SelectMany(s => s.Line.Entries))
        {
            if (!billed.Remove(entry))
            {
                billed.Add(entry);
            }
        }

        return billed;
    }

    /// <summary>Tax by category and rate: charges are summed and rounded once, and the tax split over them; credits bring their shares.</summary>
    private static InvoiceContent Totals(BillingFacts facts, LocalDate to, Currency currency, ImmutableArray<InvoiceLine> lines)
    {
        var taxed = lines.ToBuilder();
        foreach (var group in lines.Where(l => l.Amount > 0).GroupBy(l => l.TaxTreatment))
        {
            var charges = group.ToList();
            var tax = group.Key.On(new Money(charges.Sum(l => l.Amount), currency)).Minor;
            var parts = Rounding.Split(tax, [.. charges.Select(l => l.Amount)]);
            for (var i = 0; i < charges.Count; i++)
            {
                taxed[charges[i].Number - 1] = charges[i] with { Tax = parts[i] };
            }
        }

        lines = taxed.ToImmutable();
        var taxes = TaxSubtotal.Of(lines);
        var (net, taxTotal) = (lines.Sum(l => l.Amount), lines.Sum(l => l.Tax));
        return new InvoiceContent(
            net + taxTotal < 0 ? DocumentKind.CreditNote : DocumentKind.Invoice, to, facts.Seller, facts.Buyer, facts.PaymentTermDays, lines, taxes, net, taxTotal, net + taxTotal);
    }

    private static string Describe(Charge charge, string title, DateRange service, Currency currency, long rate)
    {
        var last = service.End!.Value.PlusDays(-1);
        var dates = service.Start == last ? Text(last) : $"{Text(service.Start)} to {Text(last)}";
        return charge switch
        {
            Charge.Fee => $"{title}: retainer, {dates}",
            Charge.Overage => $"{title}: hours beyond the retainer at {new Money(rate, currency)} an hour, {dates}",
            Charge.Hours => $"{title}: hours at {new Money(rate, currency)} an hour, {dates}",
            _ => throw new InvalidOperationException($"{charge} has no description."),
        };

        static string Text(LocalDate date) => date.ToString("uuuu-MM-dd", CultureInfo.InvariantCulture);
    }
}
