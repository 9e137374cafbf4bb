using System.Collections.Concurrent;
using System.Collections.Immutable;
using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Domain.Clients;
using Orleans.Concurrency;

namespace AgencyPlatform.Grains.Clients;

/// <summary>See <see cref="IClientCompanyGrain"/>.</summary>
[Reentrant]
public sealed class ClientCompanyGrain(GrainServices services) : AggregateGrain<ClientCompany>(services), IClientCompanyGrain
{
    /// <summary>
    /// Who names this client is read again when a client of the agency changed whom it names here, and, for a change on another silo
    /// (while grains move), after so long.
    /// </summary>
    private static readonly Duration s_namedByStands = Duration.FromSeconds(1);

    private static readonly ConcurrentDictionary<AgencyId, long> s_changes = new();

    private ImmutableSortedSet<ClientCompanyId> _namedBy = [];
    private Instant _namedByRead = Instant.MinValue;
    private long _changesRead;

    public Task<Reply<ClientCompany>> Create(Call call, CreateClient c) => Decide(call, (s, _) => s.Create(c), s => s);

    public Task<Reply<ClientCompany>> Update(Call call, UpdateClient c) => Decide(call, (s, _) => s.Update(c), s => s);

    public async Task<Reply<ClientCompany>> SetCompetitors(Call call, SetCompetitors c)
    {
        var reply = await Decide(call, (s, _) => s.SetCompetitors(c), s => s);
        s_changes.AddOrUpdate(Key.Agency, 1, (_, changes) => changes + 1);
        return reply;
    }

    public Task<Reply<ClientCompany>> PutStakeholder(Call call, PutStakeholder c) => Decide(call, (s, _) => s.PutStakeholder(c), s => s);

    public Task<Reply<ClientCompany>> RemoveStakeholder(Call call, RemoveStakeholder c) => Decide(call, (s, _) => s.RemoveStakeholder(c), s => s);

    public Task<Reply<ClientCompany>> Get(Read read) => Query(read, (s, _) => s);

    public async Task<Reply<ClientFence>> GetFence(Read read)
    {
        var changes = s_changes.GetValueOrDefault(Key.Agency);
        if (changes != _changesRead || SystemNow - _namedByRead > s_namedByStands)
        {
            var rows = await ReadModels.List<CompetitorRow>(Key.Agency, Contracts.Journal.Query.All(1_000, Filter.Eq(nameof(CompetitorRow.Competitor), new ClientCompanyId(Key.Id))));
            _namedBy = [.. rows.Select(row => row.Client)];
            _namedByRead = SystemNow;
            _changesRead = changes;
        }

        var reply = await Query(read, (s, _) => s);
        return reply.Rejection is { } unknown
            ? Reply<ClientFence>.No(unknown)
            : Reply<ClientFence>.Ok(new ClientFence(reply.Value!.Id, reply.Meta!.Version, reply.Value.Competitors, _namedBy), reply.Meta);
    }
}
