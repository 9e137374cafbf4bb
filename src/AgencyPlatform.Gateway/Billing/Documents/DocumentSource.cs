using System.Collections.Immutable;
using System.Globalization;
using System.Numerics;
using AgencyPlatform.Domain.Billing;
using Invoice = AgencyPlatform.Domain.Billing.Invoice;
using InvoiceLine = AgencyPlatform.Domain.Billing.InvoiceLine;

namespace AgencyPlatform.Gateway.Billing.Documents;

/// <summary>A file's format.</summary>
internal enum DocumentFormat
{
    Ubl,
    Pdf,
    Csv,
    Json,
}

/// <summary>The printed number and date of a document that another corrects.</summary>
internal sealed record CorrectedDocument(string Number, LocalDate IssueDate);

/// <summary>
/// All that a document is made of: a final invoice, whose content was frozen, and the numbers of those that it corrects. Making a document of it is pure:
/// the same source gives the same bytes.
/// </summary>
/// <param name="Corrected">Each invoice that a line refers to.</param>
/// <param name="Sandbox">Whether the agency is a sandbox: then every document says that it is none.</param>
internal sealed record DocumentSource(
    AgencyId Agency, AccountId Account, Invoice Invoice, ImmutableSortedDictionary<InvoiceId, CorrectedDocument> Corrected, bool Sandbox)
{
    public const string Watermark = "SANDBOX – NOT VALID";

    public InvoiceContent Content => Invoice.Content;

    public string Number => Invoice.DocumentNumber;

    public LocalDate IssueDate => Invoice.IssueDate!.Value;

    public bool IsCreditNote => Content.Kind == DocumentKind.CreditNote;

    /// <summary>A credit note states what is given back as positive amounts.</summary>
    public int Sign => IsCreditNote ? -1 : 1;

    /// <summary>Minor units that are to be paid: the total less the account credit that went into it when it was numbered (BT-115).</summary>
    public long Due => Content.Total - Invoice.Prepaid;

    public DocumentTerms Terms => Content.Document ?? DocumentTerms.None;

    public Words Words => Words.For(Terms.Language);

    /// <summary>From the first service day to the day after the last.</summary>
    public DateRange Service => new(Content.Lines.Min(l => l.Service.Start), Content.Lines.Max(l => l.Service.End!.Value));

    /// <summary>Minor units as a decimal number with the currency's decimals, such as 1234.50.</summary>
    public string Amount(long minor) => (minor / (decimal)BigInteger.Pow(10, Account.Currency.Decimals)).ToString("F" + Account.Currency.Decimals, CultureInfo.InvariantCulture);

    /// <summary>Why no tax is charged, or null in the categories that need no reason.</summary>
    public string? ExemptionReason(TaxCategory category)
    {
        if (Words.ExemptionReason(category) is not { } usual)
        {
            return null;
        }

        // The client's own reason explains one category; beside another, which a credit may bring, it would explain both.
        return Terms.TaxExemptionReason.Length > 0 && Content.Taxes.Count(t => Words.ExemptionReason(t.Treatment.Category) is not null) == 1 ? Terms.TaxExemptionReason : usual;
    }

    /// <summary>What a line is for, in the document's language.</summary>
    public string Text(InvoiceLine line) => Words.Line(line, Content.Titles?.GetValueOrDefault(line.Item.Engagement));

    /// <summary>The line that another document's line is a credit of, in words; empty for a charge.</summary>
    public string Correction(InvoiceLine line) =>
        line.Corrects is { } of && Corrected.GetValueOrDefault(of.Invoice) is { } document ? string.Format(CultureInfo.InvariantCulture, Words.Corrects, document.Number, of.Line) : "";
}
