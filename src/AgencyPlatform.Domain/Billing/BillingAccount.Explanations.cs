using System.Globalization;

namespace AgencyPlatform.Domain.Billing;

/// <summary>Why an amount of the account's documents is what it is. Nothing is recorded.</summary>
public sealed partial record BillingAccount
{
    /// <summary>Why a line cannot be explained; null: it is there.</summary>
    public Rejection? Unexplained(InvoiceId id, int line) =>
        Find(id) is not { } invoice ? Rejection.NotFound("invoice", id.Value)
        : line >= 1 && line <= invoice.Content.Lines.Length ? null
        : Rejection.Invalid(new FieldViolation(
            "line", string.Create(CultureInfo.InvariantCulture, $"must be a line of the invoice {id}, which has {invoice.Content.Lines.Length}; {line} is none")));

    /// <summary>Why a line of a draft or of an invoice has its amount. The line is there.</summary>
    /// <param name="byHand">Whether the invoice is a credit note made by hand.</param>
    /// <param name="sources">Of the line's engagement when the invoice was frozen; of a draft, as they are; null: not known.</param>
    public LineExplanation Explain(InvoiceId id, int line, bool byHand, BillingSources? sources) =>
        new Explaining(Account!, Find(id)!, Standing).Of(Find(id)!.Content.Lines[line - 1], byHand, sources);
}
