using AgencyPlatform.Domain.Billing;

namespace AgencyPlatform.Contracts.Billing;

/// <summary>Payments, account credit and credit notes. They ask the agency for the legal entity's calendar, and the series for numbers.</summary>
public partial interface IBillingAccountGrain
{
    /// <summary>Records a payment, of an account that has none yet too. A known reference with the same content is answered as it was. NOT_FOUND when the client or the legal entity is not there.</summary>
    [Alias("RecordPayment")]
    Task<Reply<Payment>> RecordPayment(Call call, RecordPayment command);

    /// <summary>Undoes a payment or refund.</summary>
    [Alias("ReversePayment")]
    Task<Reply<Payment>> ReversePayment(Call call, ReversePayment command);

    /// <summary>Pays account credit back. A known reference with the same content is answered as it was.</summary>
    [Alias("RefundCredit")]
    Task<Reply<Payment>> RefundCredit(Call call, RefundCredit command);

    [Alias("AllocateCredit")]
    Task<Reply<AccountBalance>> AllocateCredit(Call call, AllocateCredit command);

    /// <summary>Answers when the credit note has its number and is posted.</summary>
    [Alias("CreditInvoice")]
    Task<Reply<Invoice>> CreditInvoice(Call call, CreditInvoice command);

    [Alias("WriteOff")]
    Task<Reply<Invoice>> WriteOff(Call call, WriteOffInvoice command);

    [Alias("MarkSent")]
    Task<Reply<Invoice>> MarkSent(Call call, MarkInvoiceSent command);

    /// <summary>A payment or refund, however old.</summary>
    [Alias("GetPayment")]
    Task<Reply<Payment>> GetPayment(Read read, PaymentId payment);
}
