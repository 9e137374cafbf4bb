using System.Collections.Immutable;
using System.Text.Json.Serialization;
using AgencyPlatform.Domain.Time;
using NodaTime;

namespace AgencyPlatform.Domain.Billing;

public enum InvoiceState
{
    /// <summary>Prepared; a later preparation refreshes it.</summary>
    Draft,

    /// <summary>Frozen and about to get its number: nothing can refuse it any more.</summary>
    Finalizing,

    /// <summary>Numbered and posted, and nothing paid of it yet. What it says never changes from here on.</summary>
    Finalized,

    /// <summary>A draft that was dropped. Only its row stays, so that its id is never used again and a repeat finds its account.</summary>
    Discarded,

    /// <summary>Final, and some of it paid.</summary>
    PartiallyPaid,

    /// <summary>Final, and nothing of it open any more: paid, credited or written off.</summary>
    Paid,
}

public enum DocumentKind
{
    Invoice,

    /// <summary>A document with a negative total.</summary>
    CreditNote,
}

/// <summary>Unit of a line's quantity.</summary>
public enum LineUnit
{
    Days,
    Minutes,

    /// <summary>Of a day rate: 3 are a day and a half.</summary>
    HalfDays,

    /// <summary>A milestone, a block, a minimum, a discount: one, or none where only its amount changes.</summary>
    Each,
}

/// <summary>A line of another invoice that this one corrects.</summary>
[GenerateSerializer, Immutable, Alias("billing.line-reference")]
public sealed record LineReference(InvoiceId Invoice, int Line);

/// <param name="Number">From 1.</param>
/// <param name="Service">From the first to the last day that its key gained or lost.</param>
/// <param name="Period">The served days of the key's bill-cycle period.</param>
/// <param name="KeyDates">All days of the key after this line; they tell the next bill what is new. Of a line by hand: those that its amount comes to revenue by, if it does by days.</param>
/// <param name="Timing">In advance: its amount is deferred, and comes to revenue by its days or minutes.</param>
/// <param name="Quantity">In its unit; negative in a credit.</param>
/// <param name="FullDays">Days of the full period that a fee is prorated against; 0 for everything else.</param>
/// <param name="Amount">Minor units without tax; negative in a credit and in a discount, above zero where a discount is taken back.</param>
/// <param name="Tax">Minor units: the line's part of the document's tax.</param>
/// <param name="Entries">The time entries whose minutes its key gained, or in a credit lost.</param>
/// <param name="Corrects">Of a credit: the line whose amount it takes back.</param>
/// <param name="Uncapped">Minor units: what the line would come to without a cap; null: its amount.</param>
/// <param name="ByHand">
/// It stands on a credit note made by hand that is not billed again: its key is its own, and no run counts it as invoiced of <paramref name="Item"/>.
/// </param>
[GenerateSerializer, Immutable, Alias("billing.invoice-line")]
public sealed record InvoiceLine(
    int Number, ItemKey Item, string Description, DateRange Service, DateRange Period, ImmutableArray<DateRange> KeyDates, FeeTiming Timing,
    long Quantity, LineUnit Unit, int FullDays, long Amount, TaxTreatment TaxTreatment, long Tax, ImmutableArray<TimeEntryKey> Entries, LineReference? Corrects,
    long? Uncapped = null, bool ByHand = false)
{
    /// <summary>In front of the description of a line that corrects another.</summary>
    public const string Credit = "Credit: ";
}

/// <summary>A document's tax of one category and rate.</summary>
/// <param name="Taxable">Minor units: the sum of its lines.</param>
[GenerateSerializer, Immutable, Alias("billing.tax-subtotal")]
public sealed record TaxSubtotal(TaxTreatment Treatment, long Taxable, long Tax)
{
    /// <summary>Those of a document's lines, whose taxes are known.</summary>
    public static ImmutableArray<TaxSubtotal> Of(IEnumerable<InvoiceLine> lines) =>
    [
        .. lines.GroupBy(l => l.TaxTreatment).Select(g => new TaxSubtotal(g.Key, g.Sum(l => l.Amount), g.Sum(l => l.Tax)))
            .OrderBy(t => t.Treatment.Category).ThenBy(t => t.Treatment.RatePpm),
    ];
}

/// <summary>Seller or buyer as printed.</summary>
/// <param name="Address">Lines separated by a line feed, without the country.</param>
/// <param name="TaxId">As printed; may be empty.</param>
/// <param name="Details">Null: nothing more is said.</param>
[GenerateSerializer, Immutable, Alias("billing.party")]
public sealed record Party(string LegalName, string Address, string Country, string TaxId, PartyDetails? Details = null)
{
    /// <param name="address">As it is to be printed; empty: made of the address's parts.</param>
    internal static Party Of(string legalName, string address, string country, string taxId, PartyDetails? details) => new(
        legalName, address.Length > 0 || details?.Address is not { } parts ? address : string.Join('\n', parts.Lines(country)), country, taxId, details);
}

/// <summary>All that an invoice says besides its number and dates. A preview, a draft and the invoice have the same.</summary>
/// <param name="To">Billed to this date.</param>
/// <param name="Net">Minor units, the sum of the lines.</param>
/// <param name="Total">Net and tax; negative for a credit note.</param>
/// <param name="Document">What the buyer wants to find on it; null: nothing.</param>
/// <param name="PayTo">The account that it asks to pay to; null: it names none.</param>
/// <param name="Titles">What the engagements of its lines are called, for documents in other languages than the descriptions'; null on documents of before it was kept.</param>
/// <param name="Only">The one engagement that it bills; null: all that are not invoiced apart.</param>
[GenerateSerializer, Immutable, Alias("billing.invoice-content")]
public sealed record InvoiceContent(
    DocumentKind Kind, LocalDate To, Party Seller, Party Buyer, int PaymentTermDays, ImmutableArray<InvoiceLine> Lines, ImmutableArray<TaxSubtotal> Taxes, long Net, long Tax, long Total,
    DocumentTerms? Document = null, BankAccount? PayTo = null, ImmutableSortedDictionary<EngagementId, string>? Titles = null, EngagementId? Only = null)
{
    /// <summary>Whether two contents say the same to the last cent.</summary>
    public bool SameAs(InvoiceContent other) =>
        System.Text.Json.JsonSerializer.Serialize(this, EventJson.Options) == System.Text.Json.JsonSerializer.Serialize(other, EventJson.Options);
}

/// <summary>What a final invoice was settled with, in minor units. None is negative; together they are at most its total.</summary>
/// <param name="Paid">Allocated to it of payments that stand.</param>
/// <param name="CreditApplied">Of the account's credit.</param>
/// <param name="Credited">By credit notes, as far as it was open.</param>
/// <param name="WrittenOff">As bad debt.</param>
/// <param name="Before">Of an imported invoice: settled before the cut-over, in whatever way.</param>
/// <param name="Reopened">When a reversal last opened it again. Nothing is allocated to it on an earlier date, so that on no date less than nothing was open.</param>
[GenerateSerializer, Immutable, Alias("billing.settlement")]
public sealed record Settlement(long Paid, long CreditApplied, long Credited, long WrittenOff, LocalDate? Reopened = null, long Before = 0)
{
    public static Settlement None { get; } = new(0, 0, 0, 0);

    [JsonIgnore]
    public long Total => Paid + CreditApplied + Credited + WrittenOff + Before;
}

/// <summary>An invoice was sent to its buyer.</summary>
/// <param name="Channel">How, in one word of the agency's own such as <c>email</c> or <c>portal</c>: no address.</param>
[GenerateSerializer, Immutable, Alias("billing.sent-mark")]
public sealed record SentMark(string Channel, Instant At);

/// <param name="PreparedAt">When it became a draft.</param>
/// <param name="Series">Its series, from the moment it is frozen.</param>
/// <param name="Sent">When it was sent last.</param>
/// <param name="Prepaid">Minor units of account credit that went into it when it was numbered: it says that its total less this is due.</param>
/// <param name="Printed">Its number as printed when it was given; null: before that was kept.</param>
/// <param name="Imported">Where it comes from; null: it was issued here.</param>
[GenerateSerializer, Immutable, Alias("billing.invoice")]
public sealed record Invoice(
    InvoiceId Id, InvoiceState State, InvoiceContent Content, Instant PreparedAt, Instant? FrozenAt, InvoiceSeriesId? Series, long? Number, LocalDate? IssueDate, LocalDate? DueDate,
    Settlement? Settlement = null, SentMark? Sent = null, long Prepaid = 0, string? Printed = null, ImportedFrom? Imported = null)
{
    /// <summary>Numbered and posted: what it says never changes.</summary>
    [JsonIgnore]
    public bool IsFinal => State.IsFinal();

    /// <summary>Its number as printed; empty before it is final.</summary>
    [JsonIgnore]
    public string DocumentNumber => Imported?.Number ?? (Series is { } series && Number is { } number ? InvoiceSeries.Printed(series, number, Printed) : "");

    /// <summary>What is still to be paid, in minor units: 0 before it is final, and of a credit note.</summary>
    [JsonIgnore]
    public long Open => IsFinal && Content.Total > 0 ? Content.Total - (Settlement?.Total ?? 0) : 0;

    /// <summary>The same, settled otherwise; its state follows.</summary>
    public Invoice With(Settlement settlement)
    {
        var settled = this with { Settlement = settlement };
        return Content.Total < 0 ? settled
            : settled with
            {
                State = settled.Open == 0 ? InvoiceState.Paid : settlement.Paid + settlement.CreditApplied + settlement.Before > 0 ? InvoiceState.PartiallyPaid : InvoiceState.Finalized,
            };
    }
}

public static class InvoiceStates
{
    /// <summary>The states of a final invoice.</summary>
    public static ImmutableArray<InvoiceState> Final { get; } = [InvoiceState.Finalized, InvoiceState.PartiallyPaid, InvoiceState.Paid];

    public static bool IsFinal(this InvoiceState state) => Final.Contains(state);
}

/// <summary>The agency's list of invoices.</summary>
/// <param name="Number">Null before it is final.</param>
/// <param name="Open">Minor units: what is still to be paid. A program from before payments leaves it out.</param>
/// <param name="Printed">See <see cref="Invoice.Printed"/>.</param>
/// <param name="OldNumber">Of an imported invoice, as printed on it; null: it was issued here.</param>
/// <param name="Import">That brought it.</param>
[RowTable("invoices", nameof(Id), Indexes = [nameof(Client)], Claimed = "invoice")]
public sealed record InvoiceRow(
    InvoiceId Id, ClientCompanyId Client, LegalEntityId LegalEntity, string Currency, InvoiceState State, DocumentKind Kind, LocalDate To,
    InvoiceSeriesId? Series, long? Number, LocalDate? IssueDate, LocalDate? DueDate, long Net, long Tax, long Total, long? Open = null,
    string? Printed = null, string? OldNumber = null, OpenBooksImportId? Import = null) : IRow;
