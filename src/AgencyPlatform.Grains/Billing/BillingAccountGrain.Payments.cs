using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Billing;
using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Billing;

namespace AgencyPlatform.Grains.Billing;

/// <summary>Payments, account credit and credit notes.</summary>
public sealed partial class BillingAccountGrain
{
    public async Task<Reply<Payment>> RecordPayment(Call call, RecordPayment c)
    {
        var (seller, missing) = await Seller(call, c.Account.LegalEntity);
        if (missing is null && (await Grain<IClientCompanyGrain>(c.Account.Client.Value).Get(new Read(Key.Agency, call.SandboxNow))).Value is null)
        {
            missing = Rejection.NotFound("client_company", c.Account.Client.Value);
        }

        return await Once(
            call, c.Account, PaymentKind.Received, c.Reference, (s, now) => s.Record(c, seller!.TimeZone, now), p => p.SameAs(PaymentKind.Received, c.Amount, c.Received, c.Allocations), missing);
    }

    public async Task<Reply<Payment>> RefundCredit(Call call, RefundCredit c)
    {
        var (seller, missing) = await Seller(call);
        return await Once(
            call, c.Account, PaymentKind.Refund, c.Reference, (s, now) => s.Refund(c, seller!.TimeZone, now), p => p.SameAs(PaymentKind.Refund, c.Amount, null, []), missing);
    }

    public async Task<Reply<Payment>> ReversePayment(Call call, ReversePayment c)
    {
        var (seller, missing) = await Seller(call);
        return await Decide(call, (s, now) => s.Reverse(c, seller!.TimeZone, now), s => s.FindPayment(c.Id)!, missing);
    }

    public async Task<Reply<AccountBalance>> AllocateCredit(Call call, AllocateCredit c)
    {
        var (seller, missing) = await Seller(call);
        return await Decide(call, (s, now) => s.Allocate(c, seller!.TimeZone, now), s => s.Balance, missing);
    }

    public async Task<Reply<Invoice>> CreditInvoice(Call call, CreditInvoice c)
    {
        var (seller, refusal) = await Seller(call);
        if (refusal is null && (await ReadFeedHead()).Restored)
        {
            // As before a finalization: after a restore the series gives no number until its last one is confirmed.
            var series = InvoiceSeries.ForCreditNotes(seller!.DefaultSeries);
            refusal = (await Grain<IInvoiceSeriesGrain>(InvoiceSeries.Key(seller.Id, series)).Last(call.AsStep(), seller.Id, series)).Rejection;
        }

        return await RunSaga(
            call,
            (s, now) => s.CreditByHand(c, seller!.DefaultSeries, now),
            (s, _) => s.IsCredited(c.Id) ? new SagaEnd(null) : null,
            s => s.Find(c.Id)!,
            refusal);
    }

    public async Task<Reply<Invoice>> WriteOff(Call call, WriteOffInvoice c)
    {
        var (seller, missing) = await Seller(call);
        return await Decide(call, (s, now) => s.WriteOff(c, seller!.TimeZone, now), s => s.Find(c.Invoice)!, missing);
    }

    public Task<Reply<Invoice>> MarkSent(Call call, MarkInvoiceSent c) => Decide(call, (s, now) => s.MarkSent(c, now), s => s.Find(c.Invoice)!);

    public async Task<Reply<Payment>> GetPayment(Read read, PaymentId payment)
    {
        var reply = await Query(read, (s, _) => s.FindPayment(payment), Rejection.NotFound("payment", payment.Value));
        return reply.Rejection is null || await Older(payment) is not { } older || older.At > read.ReadTime ? reply : await Query(read, (_, _) => older);
    }

    /// <summary>Records what has a reference, once: who tells of it again is answered with the first, or refused when the content is another.</summary>
    /// <param name="same">Whether a known payment has the content that is told.</param>
    private async Task<Reply<Payment>> Once(
        Call call, AccountId account, PaymentKind kind, string reference, Func<BillingAccount, Instant, Decision> decide, Func<Payment, bool> same, Rejection? missing)
    {
        var reply = await Decide(call, decide, s => s.FindPayment(kind, reference)!, missing);
        if (reply.Rejection is { Kind: not RejectionKind.AlreadyExists } || reply.Value is not null)
        {
            return reply;
        }

        // The reference's row is taken by a payment that the state does not know any more; or the id is another payment's.
        return await ReadModels.Find<PaymentReferenceRow>(Key.Agency, [account.Client, account.LegalEntity, account.Currency.Code, kind, reference]) is not { } row
            || await Older(row.Payment) is not { } known
            ? reply
            : await Decide(call, (_, _) => same(known) ? Decision.Nothing : BillingAccount.ReferenceUsed(known, account), _ => known);
    }

    /// <summary>A payment of this account as its row says, from the journal.</summary>
    private async Task<Payment?> Older(PaymentId payment) =>
        await ReadModels.Find<PaymentRow>(Key.Agency, [payment]) is { } row && new AccountId(row.Client, row.LegalEntity, new Currency(row.Currency)).Key == Key.Id
            ? (await StateAt(row.Version)).FindPayment(payment)
            : null;

    private Rejection NoAccount() => Rejection.NotFound("billing_account", Key.Id);

    /// <summary>The account's legal entity, or that it is not there.</summary>
    private async Task<(LegalEntity? Seller, Rejection? Missing)> Seller(Call call, LegalEntityId? named = null)
    {
        var read = new Read(Key.Agency, call.SandboxNow);
        if ((named ?? (await Query(read, (s, _) => s.Account)).Value?.LegalEntity) is not { } id)
        {
            return (null, NoAccount());
        }

        return (await Grain<IAgencyGrain>(Key.Agency.Value).Get(read)).Value?.LegalEntities.GetValueOrDefault(id) is { } entity ? (entity, null) : (null, Rejection.NotFound("legal_entity", id.Value));
    }
}
