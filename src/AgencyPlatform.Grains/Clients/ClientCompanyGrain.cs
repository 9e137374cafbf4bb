using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Domain.Clients;
using Orleans.Concurrency;

namespace AgencyPlatform.Grains.Clients;

/// <summary>See <see cref="IClientCompanyGrain"/>.</summary>
[Reentrant]
public sealed class ClientCompanyGrain(GrainServices services) : AggregateGrain<ClientCompany>(services), IClientCompanyGrain
{
    public Task<Reply<ClientCompany>> Create(Call call, CreateClient c) => Decide(call, (s, _) => s.Create(c), s => s);

    public Task<Reply<ClientCompany>> Update(Call call, UpdateClient c) => Decide(call, (s, _) => s.Update(c), s => s);

    public async Task<Reply<ClientCompany>> SetCompetitors(Call call, SetCompetitors c)
    {
        var reply = await Decide(call, (s, _) => s.SetCompetitors(c), s => s);
        ActiveFacts.CompetitorsChanged(Key.Agency);
        return reply;
    }

    public Task<Reply<ClientCompany>> PutStakeholder(Call call, PutStakeholder c) => Decide(call, (s, _) => s.PutStakeholder(c), s => s);

    public Task<Reply<ClientCompany>> RemoveStakeholder(Call call, RemoveStakeholder c) => Decide(call, (s, _) => s.RemoveStakeholder(c), s => s);

    public Task<Reply<ClientCompany>> SetSignOffRules(Call call, SetSignOffRules c) => Decide(call, (s, _) => s.SetSignOffRules(c), s => s);

    public Task<Reply<ClientCompany>> DelegateSignOff(Call call, DelegateSignOff c) => Decide(call, (s, _) => s.DelegateSignOff(c), s => s);

    public Task<Reply<ClientCompany>> RevokeDelegation(Call call, RevokeDelegation c) => Decide(call, (s, _) => s.RevokeDelegation(c), s => s);

    public Task<Reply<ClientCompany>> Get(Read read) => Query(read, (s, _) => s);

    public async Task<Reply<ClientFence>> GetFence(Read read)
    {
        var named = await Competitors.Read(Key.Agency);
        var reply = await Query(read, (s, _) => s);
        if (reply.Rejection is { } unknown)
        {
            return Reply<ClientFence>.No(unknown);
        }

        var fence = new ClientFence(reply.Value!.Id, reply.Meta!.Version, reply.Value.Competitors, named.NamedBy.GetValueOrDefault(reply.Value.Id, []));
        if (read.ReadTime is null && reply.Meta.Version == CommittedVersion)
        {
            ActiveFacts.Tell(Key.Agency, fence, named.Changes, named.At);
        }

        return Reply<ClientFence>.Ok(fence, reply.Meta);
    }

    // What was told is of the state before: the next to ask hears anew.
    protected override void Tell() => TakeBack();

    protected override void TakeBack() => ActiveFacts.TakeBack(Key.Agency, new ClientCompanyId(Key.Id));
}
