using System.Collections.Immutable;
using System.Numerics;
using NodaTime;

namespace AgencyPlatform.Domain.Billing;

/// <param name="Line">Number of a line that charges.</param>
/// <param name="Amount">Minor units without tax, above zero, before the discounts on it; null: all that is left of it.</param>
[GenerateSerializer, Immutable, Alias("billing.line-credit")]
public sealed record LineCredit(int Line, long? Amount);

/// <param name="Id">Of the credit note.</param>
/// <param name="Lines">None: all that is left of the invoice.</param>
/// <param name="Rebill">What is credited is billed again by the next run, as far as it is owed.</param>
[GenerateSerializer, Immutable, Alias("billing.credit-invoice")]
public sealed record CreditInvoice(InvoiceId Invoice, InvoiceId Id, ImmutableArray<LineCredit> Lines, bool Rebill);

/// <summary>A credit note made by hand is checked and frozen: from here nothing can refuse, and it is numbered as any other document.</summary>
[Event("billing-account.credit-note-started"), GenerateSerializer, Immutable, Alias("billing-account.credit-note-started")]
public sealed record CreditNoteStarted(InvoiceId CreditNote, InvoiceId Corrects, InvoiceContent Content, InvoiceSeriesId Series, Instant At) : IEvent;

/// <summary>Credit notes by hand, and what a credit note does to the invoices that it corrects. Source: domain §5.</summary>
public sealed partial record BillingAccount
{
    /// <summary>
    /// Freezes a credit note of a whole invoice, of lines, or of amounts of lines; never more than is left of a line. The invoice's discounts on what is credited are
    /// taken back with it.
    /// </summary>
    /// <param name="series">The seller's series of invoices; the credit note is numbered beside it.</param>
    public Decision CreditByHand(CreditInvoice command, InvoiceSeriesId series, Instant now)
    {
        if (Find(command.Invoice) is not { } invoice)
        {
            return Rejection.NotFound("invoice", command.Invoice.Value);
        }

        if (!invoice.IsFinal)
        {
            return NotFinal(invoice);
        }

        if (invoice.Imported is not null)
        {
            return IsImported(invoice);
        }

        if (Find(command.Id) is not null)
        {
            return Rejection.AlreadyExists("invoice", command.Id.Value);
        }

        if (invoice.Content.Kind == DocumentKind.CreditNote && command.Lines.IsEmpty)
        {
            return NothingToCredit(invoice.Id);
        }

        var credits = new LineCredits(Standing);
        var lines = ImmutableArray.CreateBuilder<InvoiceLine>();
        foreach (var line in command.Lines.IsEmpty ? invoice.Content.Lines : [])
        {
            // Of the whole, what the invoice itself credits is taken back too.
            if (credits.LeftOf(invoice.Id, line).Amount is not 0 and var left)
            {
                lines.Add(Taken(line, left));
            }
        }

        var credited = new Dictionary<int, long>();
        for (var i = 0; i < command.Lines.Length; i++)
        {
            var (number, amount) = command.Lines[i];
            if (command.Lines.Take(i).Any(l => l.Line == number))
            {
                return Rejection.Invalid(new FieldViolation($"lines[{i}].line", $"must be named once; {number} is named before"));
            }

            if (invoice.Content.Lines.FirstOrDefault(l => l.Number == number) is not { Amount: > 0, Corrects: null } line)
            {
                return Rejection.Invalid(new FieldViolation($"lines[{i}].line", $"must be a line of the invoice {invoice.Id} that charges something; {number} is none"));
            }

            var left = credits.LeftOf(invoice.Id, line).Amount;
            if (left == 0 || amount > left)
            {
                return Rejection.Rule(
                    Reasons.CreditExceedsLine, $"Of line {number} of the invoice {invoice.Id} {Amount(left)} are left to credit{(amount is { } asked ? $", less than {Amount(asked)}" : "")}.",
                    ("invoice", invoice.Id.Value), ("line", Text(number)), ("left", Text(left)), ("currency", Account!.Currency.Code));
            }

            credited[number] = amount ?? left;
            lines.Add(Taken(line, amount ?? left));
        }

        foreach (var (discount, amount) in credited.Count == 0 ? [] : new DiscountShares(invoice).TakenBack(l => credits.LeftOf(invoice.Id, l).Amount, credited))
        {
            lines.Add(Taken(discount, -amount));
        }

        var (net, tax) = (lines.Sum(l => l.Amount), lines.Sum(l => l.Tax));
        if (net + tax >= 0)
        {
            return NothingToCredit(invoice.Id);
        }

        var content = invoice.Content with
        {
            Kind = DocumentKind.CreditNote,
            Lines = lines.ToImmutable(),
            Taxes = TaxSubtotal.Of(lines),
            Net = net,
            Tax = tax,
            Total = net + tax,
        };
        return Decision.Accept(new CreditNoteStarted(command.Id, invoice.Id, content, InvoiceSeries.For(content.Kind, series), now));

        InvoiceLine Taken(InvoiceLine line, long amount)
        {
            var left = credits.LeftOf(invoice.Id, line);
            var all = amount == left.Amount;
            var toCome = command.Rebill ? [] : DaysToCome(line, Today(TimeZone!, now));
            return line with
            {
                Number = lines.Count + 1,
                Description = InvoiceLine.Credit + line.Description,
                KeyDates = command.Rebill ? KeyDatesWithout(line, all) : toCome,
                Timing = toCome.IsEmpty ? line.Timing : FeeTiming.InAdvance,
                Quantity = -(all ? left.Quantity : Rounding.HalfAwayFromZero((BigInteger)left.Quantity * amount, left.Amount)),
                Amount = -amount,
                Uncapped = line.Uncapped is { } uncapped ? -Rounding.HalfAwayFromZero((BigInteger)uncapped * amount, line.Amount) : null,
                Tax = -LineCredits.TaxOf(line, left.Amount, left.Tax, amount),
                Entries = command.Rebill && all ? StillBilled(line) : [],
                Corrects = new LineReference(invoice.Id, line.Number),
                ByHand = !command.Rebill,
            };
        }
    }

    private static Rejection NothingToCredit(InvoiceId invoice) =>
        Rejection.Rule(Reasons.NothingToCredit, $"Nothing is left to credit of the invoice {invoice}.", ("invoice", invoice.Value));

    /// <summary>Of a line's entries those that its key bills, in sum of all its lines.</summary>
    private ImmutableArray<Time.TimeEntryKey> StillBilled(InvoiceLine line)
    {
        var named = LinesOf(line.Item).SelectMany(l => l.Entries).CountBy(e => e).ToDictionary();
        return [.. line.Entries.Where(e => named[e] % 2 == 1)];
    }

    /// <summary>The days of a line's key, without those of the line when all of it is credited.</summary>
    private ImmutableArray<DateRange> KeyDatesWithout(InvoiceLine line, bool all)
    {
        var dates = LinesOf(line.Item).Last().KeyDates;
        return !all ? dates
            :
            [
                .. from range in dates
                   from rest in new DateRange[] { new(range.Start, LocalDate.Min(range.End!.Value, line.Service.Start)), new(LocalDate.Max(range.Start, line.Service.End!.Value), range.End) }
                   where rest.Start < rest.End
                   select rest,
            ];
    }

    /// <summary>
    /// All days of a fee in arrears that was invoiced before they are over. Their revenue comes day by day all the same, and so what a credit by hand takes back of it: as of a fee in advance.
    /// None: of everything else.
    /// </summary>
    private ImmutableArray<DateRange> DaysToCome(InvoiceLine line, LocalDate today) =>
        line is { Item.Charge: Charge.Fee, Timing: FeeTiming.InArrears } && LinesOf(line.Item).Last().KeyDates is [.., { End: var end }] dates && end > today ? dates : [];

    private IEnumerable<InvoiceLine> LinesOf(ItemKey key) => Standing.SelectMany(i => i.Content.Lines).Where(l => l.Item == key && !l.ByHand);

    /// <summary>
    /// The invoices that a credit note leaves less open: those that it corrects, each by what it credits of it and no more than is open. An invoice that has credit lines
    /// beside charges is owed as a whole, and leaves the others as they are.
    /// </summary>
    private static ImmutableArray<Allocation> Corrected(InvoiceContent content, Func<InvoiceId, long> open)
    {
        var credited = ImmutableArray.CreateBuilder<Allocation>();
        var rest = -content.Total;
        foreach (var corrected in content.Lines.Where(l => l.Corrects is not null).GroupBy(l => l.Corrects!.Invoice).TakeWhile(_ => rest > 0))
        {
            var part = Math.Min(Math.Min(rest, -corrected.Sum(l => l.Amount + l.Tax)), open(corrected.Key));
            if (part > 0)
            {
                credited.Add(new Allocation(corrected.Key, part));
                rest -= part;
            }
        }

        return credited.ToImmutable();
    }

    /// <summary>What a credit note left less open. Before payments were known an invoice was open by all that was left of it.</summary>
    private static ImmutableArray<Allocation> Corrected(InvoiceFinalized e, InvoiceContent content) => e.Credited ?? Corrected(content, _ => long.MaxValue);

    /// <summary>What of a credit note becomes the account's credit; 0 of an invoice.</summary>
    private static long Excess(InvoiceContent content, ImmutableArray<Allocation> credited) => Math.Max(0, -content.Total) - credited.Sum(a => a.Amount);
}
