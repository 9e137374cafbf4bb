using AgencyPlatform.Domain.Billing;

namespace AgencyPlatform.Contracts.Billing;

/// <summary>
/// What one client company is invoiced by one legal entity in one currency. Its grain key is
/// <c>{agency}/{client}/{legal entity}/{currency in lower case}</c>. It asks the agency, the client company and their engagements for what a bill
/// is computed from, and the invoice series for numbers.
/// </summary>
[Alias("IBillingAccountGrain")]
public partial interface IBillingAccountGrain : IAggregateGrain
{
    /// <summary>Computes the bill and keeps it as the open draft; with <see cref="Call.ValidateOnly"/> it is a preview. NOT_FOUND when the client or the legal entity is not there.</summary>
    [Alias("Prepare")]
    Task<Reply<Invoice>> Prepare(Call call, PrepareInvoice command);

    /// <summary>
    /// What <see cref="Prepare"/> would draft if there were no draft, by the same code; with <paramref name="hypothetical"/> terms of the command's engagement, what
    /// these would come to as if nothing had been invoiced. Never recorded.
    /// </summary>
    [Alias("Preview")]
    Task<Reply<Invoice>> Preview(Call call, PrepareInvoice command, Terms? hypothetical);

    /// <summary>Answers with what was discarded.</summary>
    [Alias("Discard")]
    Task<Reply<InvoiceId>> Discard(Call call, InvoiceId invoice);

    /// <summary>Answers when the invoice has its number and is posted.</summary>
    [Alias("Finalize")]
    Task<Reply<Invoice>> Finalize(Call call, InvoiceId invoice);

    [Alias("Get")]
    Task<Reply<Invoice>> Get(Read read, InvoiceId invoice);

    /// <summary>Why a line of a draft or of an invoice has its amount. INVALID_ARGUMENT when the invoice has no such line.</summary>
    [Alias("Explain")]
    Task<Reply<LineExplanation>> Explain(Read read, InvoiceId invoice, int line);

    /// <summary>The step of an import of open books: takes the account's part of it, once. Of an account that has nothing yet too.</summary>
    [Alias("ImportOpening")]
    Task<Reply<AccountBalance>> ImportOpening(Call call, ImportOpening command);
}
