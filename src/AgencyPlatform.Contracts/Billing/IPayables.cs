using AgencyPlatform.Domain.Billing;

namespace AgencyPlatform.Contracts.Billing;

/// <summary>
/// What one legal entity has paid one CMO in one currency. Its grain key is <c>{agency}/{cmo}/{legal entity}/{currency in lower case}</c>. It asks the agency for the
/// legal entity and the ledger for what was earned.
/// </summary>
[Alias("ICmoAccountGrain")]
public interface ICmoAccountGrain : IAggregateGrain
{
    [Alias("Record")]
    Task<Reply<CmoAccount>> Record(Call call, RecordPayout command);

    [Alias("Reverse")]
    Task<Reply<CmoAccount>> Reverse(Call call, ReversePayout command);
}

/// <summary>A run that pays every CMO what a legal entity owes them in one currency. Its grain key is <c>{agency}/{run}</c>.</summary>
[Alias("IPayoutRunGrain")]
public interface IPayoutRunGrain : IAggregateGrain
{
    /// <summary>Answers when everybody is paid, or was refused. With <see cref="Call.ValidateOnly"/> it says who would be paid how much.</summary>
    [Alias("Run")]
    Task<Reply<PayoutRun>> Run(Call call, StartPayoutRun command);

    [Alias("Get")]
    Task<Reply<PayoutRun>> Get(Read read);
}
