using System.Globalization;
using AgencyPlatform.Dashboard.Shared;
using AgencyPlatform.Protocol.Billing.V1;

namespace AgencyPlatform.Dashboard.Pages.Billing;

/// <summary>Billing in words.</summary>
internal static class BillingWords
{
    public static string Of(BillingRunMode mode) => mode switch
    {
        BillingRunMode.Preview => "Preview",
        BillingRunMode.Draft => "Drafts",
        _ => "Billing run",
    };

    public static string Of(LedgerAccount account) => account switch
    {
        LedgerAccount.CmoPayable => "Payable to CMOs",
        LedgerAccount.ClientCredit => "Clients’ credit",
        _ => account.Words(),
    };

    public static string Of(OpenItemKind kind) => kind switch
    {
        OpenItemKind.UnsubmittedTime => "time entries that are not submitted",
        OpenItemKind.UnapprovedTime => "time entries that wait for approval",
        OpenItemKind.ParkedTime => "time entries with minutes that wait for the client’s consent to overage",
        OpenItemKind.OpenDraft => "drafts of invoices",
        OpenItemKind.UnallocatedCredit => "accounts with credit that open invoices could take",
        _ => kind.Words(),
    };

    public static string Of(AccountEntryKind kind) => kind switch
    {
        AccountEntryKind.PaymentReversal => "Payment reversed",
        AccountEntryKind.CreditApplied => "Account credit used",
        AccountEntryKind.CreditTakenBack => "Account credit taken back",
        AccountEntryKind.RefundReversal => "Refund reversed",
        _ => kind.Words(),
    };

    /// <summary>How much of what: 20 of 31 days.</summary>
    public static string Quantity(InvoiceLine line) => line.Unit switch
    {
        LineUnit.Days when line.FullPeriodDays > 0 => $"{Number(line.Quantity)} of {line.FullPeriodDays} days",
        LineUnit.Days => $"{Number(line.Quantity)} days",
        LineUnit.Minutes => line.Quantity.Hours(),
        LineUnit.HalfDays => $"{(line.Quantity < 0 ? "−" : "")}{(Math.Abs(line.Quantity) / 2m).ToString("0.#", CultureInfo.InvariantCulture)} days",
        _ => Number(line.Quantity),
    };

    private static string Number(long quantity) => quantity < 0 ? $"−{-quantity}" : quantity.ToString(CultureInfo.InvariantCulture);
}
