using System.Collections.Immutable;
using NodaTime;

namespace AgencyPlatform.Domain.Billing;

/// <summary>An invoice that was issued elsewhere, as its account takes it.</summary>
/// <param name="Number">As printed on it.</param>
/// <param name="Total">Minor units with tax.</param>
/// <param name="Open">Minor units that are still to be paid.</param>
[GenerateSerializer, Immutable, Alias("billing.brought-invoice")]
public sealed record BroughtInvoice(InvoiceId Id, string Number, LocalDate IssueDate, LocalDate DueDate, long Total, long Tax, long Open);

/// <summary>What was invoiced elsewhere, in advance, and was not earned at the cut-over.</summary>
/// <param name="Amount">Minor units, above zero.</param>
/// <param name="Days">The days over which it is earned, in equal parts; of a prepaid block, on which its minutes may be drawn.</param>
/// <param name="Block">The prepaid block with whose minutes it is earned; null: it is earned with the days.</param>
[GenerateSerializer, Immutable, Alias("billing.opening-deferred")]
public sealed record OpeningDeferred(EngagementId Engagement, long Amount, DateRange Days, PartId? Block = null);

/// <summary>Where an imported invoice comes from.</summary>
/// <param name="Number">The one that is printed on it: it has none of a series here.</param>
/// <param name="On">The cut-over: nothing of it is open here, or allocated to it, on an earlier date.</param>
[GenerateSerializer, Immutable, Alias("billing.imported-from")]
public sealed record ImportedFrom(OpenBooksImportId Import, string Number, LocalDate On);

/// <summary>Takes a client's part of an import. It cannot be refused; the same again changes nothing.</summary>
/// <param name="Credit">Minor units, ≥ 0.</param>
/// <param name="TimeZone">The seller's, by which its months end; null in events from before revenue was recognised.</param>
[GenerateSerializer, Immutable, Alias("billing.import-opening")]
public sealed record ImportOpening(
    AccountId Account, OpenBooksImportId Import, LocalDate On, ImmutableArray<BroughtInvoice> Invoices, long Credit, ImmutableArray<OpeningDeferred> Deferred,
    string? TimeZone = null);

/// <summary>An import has brought open invoices, credit and deferred revenue. Its entry in the ledger is the import's own.</summary>
[Event("billing-account.opening-imported"), GenerateSerializer, Immutable, Alias("billing-account.opening-imported")]
public sealed record OpeningImported(ImportOpening Opening, Instant At) : IEvent;

/// <summary>What an import of a running agency's open books brings to an account. Source: domain §5, docs/cut-over.md.</summary>
public sealed partial record BillingAccount
{
    public Decision Import(ImportOpening command, Instant now)
    {
        var imported = new OpeningImported(command, now);
        return Imports?.Contains(command.Import) == true ? Decision.Nothing
            : RecognizeImported(imported) is { } earned ? Decision.Accept(imported, earned)
            : Decision.Accept(imported);
    }

    private BillingAccount AfterImport(OpeningImported e) => (this with
    {
        TimeZone = e.Opening.TimeZone ?? TimeZone,
        Account = e.Opening.Account,
        Standing = [.. Standing, .. e.Opening.Invoices.Select(i => Brought(i, e))],
        Credit = Credit + e.Opening.Credit,
        Deferred = [.. Deferred ?? [], .. e.Opening.Deferred],
        Imports = (Imports ?? []).Add(e.Opening.Import),
    }).AfterRecognition(Recognized?.Before ?? e.Opening.On);

    /// <summary>It has no lines: nothing of it is billed or credited here, and nothing of it is in our series.</summary>
    private static Invoice Brought(BroughtInvoice of, OpeningImported e) => new Invoice(
        of.Id, InvoiceState.Finalized,
        Nothing with { To = of.IssueDate, PaymentTermDays = Period.DaysBetween(of.IssueDate, of.DueDate), Net = of.Total - of.Tax, Tax = of.Tax, Total = of.Total },
        e.At, e.At, null, null, of.IssueDate, of.DueDate, Imported: new ImportedFrom(e.Opening.Import, of.Number, e.Opening.On))
        .With(Settlement.None with { Before = of.Total - of.Open });

    private IEnumerable<RowChange> OpeningRows(OpeningImported e, EventInfo info) =>
    [
        .. e.Opening.Invoices.Select(i => new Claim(Row(Find(i.Id)!))),
        .. AccountRows(e.Opening.On, info, OpeningEntries(e.Opening)), .. RecognitionRows(e.Opening.On, info, null, []),
    ];

    private static IEnumerable<Entry> OpeningEntries(ImportOpening opening)
    {
        foreach (var invoice in opening.Invoices)
        {
            yield return new Entry(AccountEntryKind.BroughtOver, invoice.Id, invoice.Id, null, invoice.Open, 0);
        }

        if (opening.Credit > 0)
        {
            yield return new Entry(AccountEntryKind.BroughtOver, null, null, null, 0, opening.Credit);
        }
    }

    /// <summary>That what is asked for is not to be had of an imported invoice.</summary>
    public static Rejection IsImported(Invoice invoice) => Rejection.Rule(
        Reasons.InvoiceImported, $"The invoice {invoice.Imported!.Number} was issued elsewhere before the cut-over: its lines and its document are there. Here it is paid or written off.",
        ("invoice", invoice.Id.Value), ("number", invoice.Imported.Number));
}
