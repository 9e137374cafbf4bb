using AgencyPlatform.Domain.Billing;

namespace AgencyPlatform.Contracts.Billing;

/// <summary>
/// A run that bills an agency's clients to a date. Its grain key is <c>{agency}/{run}</c>. It lists the clients, asks their engagements for whom and in what they
/// are charged, and has each of these accounts prepare, and finalize, its invoice.
/// </summary>
[Alias("IBillingRunGrain")]
public interface IBillingRunGrain : IAggregateGrain
{
    /// <summary>Starts the run and answers at once; it goes on by itself.</summary>
    [Alias("Start")]
    Task<Reply<BillingRun>> Start(Call call, StartBillingRun command);

    [Alias("Cancel")]
    Task<Reply<BillingRun>> Cancel(Call call);

    /// <summary>How far it is. Whoever asks also carries on a run that a crash has interrupted.</summary>
    [Alias("Get")]
    Task<Reply<BillingRun>> Get(Read read);
}
