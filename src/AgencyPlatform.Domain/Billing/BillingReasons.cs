namespace AgencyPlatform.Domain;

public static partial class Reasons
{
    /// <summary>Nothing is owed to the date that was not invoiced before, and nothing is to be credited. Metadata: client, legal_entity, currency, to_date. Bill to a later date.</summary>
    public const string NothingToBill = "NOTHING_TO_BILL";

    /// <summary>The account has another open draft. Metadata: invoice. Leave the id out to refresh it, or finalize or discard it first.</summary>
    public const string DraftOpen = "DRAFT_OPEN";

    /// <summary>What the draft was computed from has changed since. Metadata: invoice, draft_total, current_total, currency. Prepare it again, look at it and finalize it then.</summary>
    public const string DraftStale = "DRAFT_STALE";

    /// <summary>The invoice is frozen or final and never changes. Metadata: invoice, state.</summary>
    public const string InvoiceFinal = "INVOICE_FINAL";

    /// <summary>The agency was restored from a backup: the series gives no number until its last issued one is confirmed. Metadata: legal_entity, series, last_number. Look up the last number on paper and confirm it.</summary>
    public const string SeriesUnconfirmed = "SERIES_UNCONFIRMED";

    /// <summary>The series gives numbers and goes on without a gap; its last number is confirmed only after a restore, or before its first. Metadata: legal_entity, series, last_number.</summary>
    public const string SeriesInUse = "SERIES_IN_USE";

    /// <summary>The series would print the number of an imported invoice a second time. Metadata: legal_entity, series, document_number. Confirm that or a later one as its last number first, or give it another prefix.</summary>
    public const string NumberImported = "NUMBER_IMPORTED";

    /// <summary>The invoice is a draft or waits for its number. Metadata: invoice, state. Finalize it first.</summary>
    public const string InvoiceNotFinal = "INVOICE_NOT_FINAL";

    /// <summary>The reference is that of another payment or refund of the account. Metadata: payment, amount, currency, date. Mend the reference or the content.</summary>
    public const string PaymentReferenceUsed = "PAYMENT_REFERENCE_USED";

    /// <summary>An account's newest payments and refunds can be reversed, and this one is older. Metadata: payment, newest. Record a refund or a payment.</summary>
    public const string PaymentTooOld = "PAYMENT_TOO_OLD";

    /// <summary>More is allocated to an invoice than is open of it. Metadata: invoice, amount, open, currency. Allocate at most what is open.</summary>
    public const string AllocationExceedsOpen = "ALLOCATION_EXCEEDS_OPEN";

    /// <summary>The account has less credit than is to be refunded or allocated. Metadata: credit, amount, currency. Ask for at most the credit.</summary>
    public const string CreditTooLow = "CREDIT_TOO_LOW";

    /// <summary>The account has no credit, or no invoice of it is open. Metadata: credit, open, currency.</summary>
    public const string NothingToAllocate = "NOTHING_TO_ALLOCATE";

    /// <summary>Something is open in the months that are to be closed. Metadata: legal_entity, through_date, open_items. Get the closing checklist and see to it, or close with accept_open_items.</summary>
    public const string OpenItems = "OPEN_ITEMS";

    /// <summary>The books are being closed through another day. Metadata: legal_entity, through_date. Wait until that is done.</summary>
    public const string ClosingUnderWay = "CLOSING_UNDER_WAY";

    /// <summary>Nothing of the invoice is open. Metadata: invoice.</summary>
    public const string NothingOpen = "NOTHING_OPEN";

    /// <summary>Less is left of the line than is to be credited. Metadata: invoice, line, left, currency. Credit at most what is left.</summary>
    public const string CreditExceedsLine = "CREDIT_EXCEEDS_LINE";

    /// <summary>The invoice was issued elsewhere before the cut-over: it has no lines here, and no document. Metadata: invoice, number. Take its document from where it was issued; write off here what will not be paid.</summary>
    public const string InvoiceImported = "INVOICE_IMPORTED";

    /// <summary>Nothing is left to credit of the invoice, or it is a credit note. Metadata: invoice.</summary>
    public const string NothingToCredit = "NOTHING_TO_CREDIT";

    /// <summary>In the results of a billing run: the account could not be billed because of an error of the service's own; the others were. Metadata: incident. Quote it to the operator, and run again for this client.</summary>
    public const string BillingFailed = "BILLING_FAILED";

    /// <summary>A payout is more than the CMO has earned and was not paid yet, through the date. Metadata: cmo, legal_entity, currency, amount, payable, through_date. Pay at most what is payable.</summary>
    public const string PayoutExceedsPayable = "PAYOUT_EXCEEDS_PAYABLE";

    /// <summary>The payout was reversed before, or is too old to be reversed. Metadata: payout.</summary>
    public const string PayoutNotReversible = "PAYOUT_NOT_REVERSIBLE";

    /// <summary>No CMO is owed anything in the currency through the date. Metadata: legal_entity, currency, through_date. Nothing is to be done.</summary>
    public const string NothingToPay = "NOTHING_TO_PAY";

    /// <summary>A payout run would pay more CMOs than one run takes. Metadata: cmos, most. Pay some of them one by one first.</summary>
    public const string TooManyToPay = "TOO_MANY_TO_PAY";
    /// <summary>The bill would have absurdly many periods or lines. Metadata: to_date, and engagement, start_date, most_periods, or lines, most_lines. Look at the dates; bill to an earlier date first.</summary>
    public const string BillTooLarge = "BILL_TOO_LARGE";

    /// <summary>An amount of the bill exceeds what is billed at most, 10^15 minor units. Metadata: to_date, most_minor_units, currency. Look at the fees and rates.</summary>
    public const string AmountTooLarge = "AMOUNT_TOO_LARGE";
}
