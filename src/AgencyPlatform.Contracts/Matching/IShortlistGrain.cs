using AgencyPlatform.Domain.Matching;

namespace AgencyPlatform.Contracts.Matching;

/// <summary>A shortlist. Its grain key is <c>{agency}/{shortlist}</c>. Its sagas call the CMOs; none of them calls it.</summary>
[Alias("IShortlistGrain")]
public interface IShortlistGrain : IAggregateGrain
{
    /// <summary>Answers when every CMO is held, or none is and it is refused.</summary>
    [Alias("Create")]
    Task<Reply<Shortlist>> Create(Call call, CreateShortlist command);

    /// <summary>Answers when the chosen CMO is booked and the others are released, or nothing has changed and it is refused.</summary>
    [Alias("Choose")]
    Task<Reply<Shortlist>> Choose(Call call, string option);

    /// <summary>Answers when all are released.</summary>
    [Alias("Withdraw")]
    Task<Reply<Shortlist>> Withdraw(Call call);

    [Alias("Get")]
    Task<Reply<Shortlist>> Get(Read read);
}
