using System.Collections.Immutable;
using NodaTime;

namespace AgencyPlatform.Domain.Billing;

public enum PaymentKind
{
    /// <summary>Money that came in.</summary>
    Received,

    /// <summary>Account credit that was paid back.</summary>
    Refund,
}

/// <summary>A part of a payment or of the account's credit that goes to an invoice.</summary>
/// <param name="Amount">Minor units, above zero.</param>
[GenerateSerializer, Immutable, Alias("billing.allocation")]
public sealed record Allocation(InvoiceId Invoice, long Amount);

/// <summary>A payment did not stand (it bounced), or a refund came back.</summary>
/// <param name="Reason">For people; no personal data.</param>
[GenerateSerializer, Immutable, Alias("billing.reversal")]
public sealed record Reversal(LocalDate Date, string Reason, Instant At);

/// <summary>Money that came in or, as a refund, went out. It never changes; a reversal undoes it.</summary>
/// <param name="Amount">Minor units, above zero.</param>
/// <param name="Date">When the money moved, by the seller's calendar.</param>
/// <param name="Reference">The bank's or the payment provider's: it counts once per account and kind.</param>
/// <param name="Requested">The allocations that the caller asked for; empty: oldest due first.</param>
/// <param name="Allocations">What of it went to which invoices.</param>
/// <param name="Credit">Minor units that it added to the account's credit; negative of a refund.</param>
[GenerateSerializer, Immutable, Alias("billing.payment")]
public sealed record Payment(
    PaymentId Id, PaymentKind Kind, long Amount, LocalDate Date, string Reference, ImmutableArray<Allocation> Requested, ImmutableArray<Allocation> Allocations, long Credit, Instant At,
    LocalDate PostingDate, Reversal? Reversal)
{
    /// <summary>Whether somebody tells of the same money again.</summary>
    public bool SameAs(PaymentKind kind, long amount, LocalDate? date, ImmutableArray<Allocation> requested) =>
        Kind == kind && Amount == amount && (date is null || date == Date) && requested.Order(s_byInvoice).SequenceEqual(Requested.Order(s_byInvoice));

    private static readonly Comparer<Allocation> s_byInvoice = Comparer<Allocation>.Create((a, b) => a.Invoice.CompareTo(b.Invoice));
}

/// <summary>The agency's payments and refunds.</summary>
/// <param name="Version">Of its account, when it was recorded or reversed.</param>
[RowTable("payments", nameof(Id), Indexes = [nameof(Client)], Claimed = "payment")]
public sealed record PaymentRow(
    PaymentId Id, ClientCompanyId Client, LegalEntityId LegalEntity, string Currency, PaymentKind Kind, long Amount, LocalDate Date, string Reference, long Credit, Instant At, LocalDate? Reversed,
    long Version) : IRow;

/// <summary>Which payment has a reference. A second payment with it is refused by the key.</summary>
[RowTable("payment_references", nameof(Client), nameof(LegalEntity), nameof(Currency), nameof(Kind), nameof(Reference), Claimed = "payment_reference")]
public sealed record PaymentReferenceRow(ClientCompanyId Client, LegalEntityId LegalEntity, string Currency, PaymentKind Kind, string Reference, PaymentId Payment) : IRow;

/// <summary>The billing accounts of an agency that money has moved on.</summary>
/// <param name="Open">Minor units that are open on invoices.</param>
/// <param name="Credit">Minor units of account credit.</param>
[RowTable("billing_accounts", nameof(Client), nameof(LegalEntity), nameof(Currency))]
public sealed record BillingAccountRow(ClientCompanyId Client, LegalEntityId LegalEntity, string Currency, long Open, long Credit) : IRow;

/// <summary>Why an account's balance changed.</summary>
public enum AccountEntryKind
{
    Invoice,
    CreditNote,
    Payment,
    PaymentReversal,
    CreditApplied,

    /// <summary>Credit that had gone to an invoice is taken back, since the payment that it came from was reversed.</summary>
    CreditTakenBack,
    Refund,
    RefundReversal,
    WriteOff,

    /// <summary>An import of open books has brought an invoice, or credit.</summary>
    BroughtOver,
}

/// <summary>
/// The accounts' entries, by date: each changes what is open on one invoice, or the account's credit, or moves credit to an invoice. What is open to a date, and what
/// was owed then, are sums of them.
/// </summary>
/// <param name="Version">Of the account: the event that made the entry.</param>
/// <param name="Document">The invoice or credit note that makes the entry.</param>
/// <param name="Invoice">Whose open amount it changes.</param>
/// <param name="DueDate">Of that invoice.</param>
/// <param name="Open">Minor units by which the invoice is more open.</param>
/// <param name="Credit">Minor units by which the account's credit grows.</param>
/// <param name="Change">Minor units by which the client owes more: <paramref name="Open"/> − <paramref name="Credit"/>.</param>
/// <param name="KnownAt">When it was made, by the agency's clock.</param>
[RowTable("account_entries", nameof(Date), nameof(Client), nameof(LegalEntity), nameof(Currency), nameof(Version), nameof(Line), Indexes = [nameof(Client)])]
public sealed record AccountEntryRow(
    LocalDate Date, ClientCompanyId Client, LegalEntityId LegalEntity, string Currency, long Version, int Line, AccountEntryKind Kind, InvoiceId? Document, InvoiceId? Invoice, PaymentId? Payment,
    LocalDate? DueDate, long Open, long Credit, long Change, Instant? KnownAt = null) : IRow;
