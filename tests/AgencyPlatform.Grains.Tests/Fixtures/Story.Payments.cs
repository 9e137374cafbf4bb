using AgencyPlatform.Contracts.Billing;
using AgencyPlatform.Domain.Billing;
using NodaTime;

namespace AgencyPlatform.Grains.Tests.Fixtures;

/// <summary>What becomes of an invoice after it is final.</summary>
internal sealed partial class Story
{
    private async Task PaymentsAndCredits(IBillingAccountGrain grain, AccountId account, Invoice invoice)
    {
        var today = _now.InZone(DateTimeZoneProviders.Tzdb["America/New_York"]).Date;
        Ok(await grain.MarkSent(Next(), new MarkInvoiceSent(invoice.Id, "email", null)));
        Ok(await grain.RecordPayment(Next(), new RecordPayment(account, new("wire-1"), invoice.Content.Total + 50_000, today, "WIRE-1", [])));
        Ok(await grain.RefundCredit(Next(), new RefundCredit(account, new("back-1"), 20_000, "BACK-1")));

        // The wire is called back; Acme pays half, and some on account.
        Ok(await grain.ReversePayment(Next(), new ReversePayment(new("wire-1"), "Called back.")));
        Ok(await grain.RecordPayment(Next(), new RecordPayment(account, new("wire-2"), 200_000, today, "WIRE-2", [new Allocation(invoice.Id, 100_000)])));
        Ok(await grain.AllocateCredit(Next(), new AllocateCredit([])));
        Ok(await grain.CreditInvoice(Next(), new CreditInvoice(invoice.Id, new("cn-1"), [new LineCredit(1, 50_000)], false)));
        Ok(await grain.WriteOff(Next(), new WriteOffInvoice(invoice.Id, "Agreed to let it go.")));
    }
}
