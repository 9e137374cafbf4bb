using System.Collections.Immutable;
using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Domain.Clients;
using Orleans.Concurrency;

namespace AgencyPlatform.Grains.Clients;

/// <summary>See <see cref="IClientCompanyGrain"/>.</summary>
[Reentrant]
public sealed class ClientCompanyGrain(GrainServices services) : AggregateGrain<ClientCompany>(services), IClientCompanyGrain
{
    private const int Stands = 60;

    private ImmutableSortedSet<ClientCompanyId> _namedBy = [];
    private Instant _namedByRead = Instant.MinValue;
    private long _changesRead;
    private (Task Done, long Changes)? _reading;

    /// <summary>
    /// Who names a client is read again when a client of the agency changed whom it names here, and, for a change on another silo (while grains move),
    /// after so long: one to two minutes, other for each client, so that a thousand of them do not become due together.
    /// </summary>
    internal static Duration NamedByStands(ClientCompanyId client) => Duration.FromSeconds(Stands + (unchecked((uint)client.GetHashCode()) % Stands));

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
        var changes = ActiveFacts.CompetitorChanges(Key.Agency);
        if (changes != _changesRead || SystemNow - _namedByRead > NamedByStands(new ClientCompanyId(Key.Id)))
        {
            // All that ask at the same time share one reading: hundreds of them would each take a connection, every time that it is due.
            if (_reading is not { Done.IsCompleted: false } under || under.Changes != changes)
            {
                _reading = under = (ReadNamedBy(changes), changes);
            }

            await under.Done;
        }

        var reply = await Query(read, (s, _) => s);
        if (reply.Rejection is { } unknown)
        {
            return Reply<ClientFence>.No(unknown);
        }

        var fence = new ClientFence(reply.Value!.Id, reply.Meta!.Version, reply.Value.Competitors, _namedBy);
        if (read.ReadTime is null && reply.Meta.Version == CommittedVersion)
        {
            ActiveFacts.Tell(Key.Agency, fence, _changesRead, _namedByRead);
        }

        return Reply<ClientFence>.Ok(fence, reply.Meta);
    }

    private async Task ReadNamedBy(long changes)
    {
        var rows = await ReadModels.List<CompetitorRow>(Key.Agency, Contracts.Journal.Query.All(1_000, Filter.Eq(nameof(CompetitorRow.Competitor), new ClientCompanyId(Key.Id))));
        if (changes >= _changesRead)
        {
            (_namedBy, _namedByRead, _changesRead) = ([.. rows.Select(row => row.Client)], SystemNow, changes);
        }
    }

    // What was told is of the state before: the next to ask hears anew.
    protected override void Tell() => TakeBack();

    protected override void TakeBack() => ActiveFacts.TakeBack(Key.Agency, new ClientCompanyId(Key.Id));
}
