using AgencyPlatform.Domain.Clients;

namespace AgencyPlatform.Contracts.Clients;

/// <summary>A client company. Its grain key is <c>{agency}/{client}</c>. It calls nobody.</summary>
[Alias("IClientCompanyGrain")]
public interface IClientCompanyGrain : IAggregateGrain
{
    [Alias("Create")]
    Task<Reply<ClientCompany>> Create(Call call, CreateClient command);

    [Alias("Update")]
    Task<Reply<ClientCompany>> Update(Call call, UpdateClient command);

    [Alias("SetCompetitors")]
    Task<Reply<ClientCompany>> SetCompetitors(Call call, SetCompetitors command);

    [Alias("PutStakeholder")]
    Task<Reply<ClientCompany>> PutStakeholder(Call call, PutStakeholder command);

    [Alias("RemoveStakeholder")]
    Task<Reply<ClientCompany>> RemoveStakeholder(Call call, RemoveStakeholder command);

    [Alias("SetSignOffRules")]
    Task<Reply<ClientCompany>> SetSignOffRules(Call call, SetSignOffRules command);

    [Alias("DelegateSignOff")]
    Task<Reply<ClientCompany>> DelegateSignOff(Call call, DelegateSignOff command);

    [Alias("RevokeDelegation")]
    Task<Reply<ClientCompany>> RevokeDelegation(Call call, RevokeDelegation command);

    [Alias("Get")]
    Task<Reply<ClientCompany>> Get(Read read);

    /// <summary>Whom the client names and who names it: what a booking is decided on.</summary>
    [Alias("GetFence")]
    Task<Reply<ClientFence>> GetFence(Read read);
}
