using System.Numerics;

namespace AgencyPlatform.Domain.Billing;

/// <summary>What is left of invoice lines after all that was credited of them, by runs and by hand. Source: domain §5.</summary>
/// <param name="invoices">Frozen and final invoices of an account.</param>
public sealed class LineCredits(IEnumerable<Invoice> invoices)
{
    private readonly ILookup<LineReference, (InvoiceId Invoice, InvoiceLine Line)> _credits =
        invoices.SelectMany(i => i.Content.Lines.Where(l => l.Corrects is not null).Select(l => (i.Id, l))).ToLookup(c => c.l.Corrects!);

    /// <summary>Amount, tax and quantity that are left of a line. A credit that was itself taken back takes nothing from it.</summary>
    public (long Amount, long Tax, long Quantity) LeftOf(InvoiceId invoice, InvoiceLine line)
    {
        var (amount, tax, quantity) = (line.Amount, line.Tax, line.Quantity);
        foreach (var credit in _credits[new LineReference(invoice, line.Number)])
        {
            var left = LeftOf(credit.Invoice, credit.Line);
            (amount, tax, quantity) = (amount + left.Amount, tax + left.Tax, quantity + left.Quantity);
        }

        return (amount, tax, quantity);
    }

    /// <summary>The lines that credit a line.</summary>
    public IEnumerable<(InvoiceId Invoice, InvoiceLine Line)> Of(InvoiceId invoice, InvoiceLine line) => _credits[new LineReference(invoice, line.Number)];

    /// <summary>The tax that goes with a part of what is left: cumulative shares, so that crediting all of a line leaves exactly zero.</summary>
    public static long TaxOf(InvoiceLine line, long leftAmount, long leftTax, long part) =>
        Rounding.HalfAwayFromZero((BigInteger)line.Tax * (line.Amount - leftAmount + part), line.Amount) - (line.Tax - leftTax);
}
