using System.Collections.Concurrent;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Domain.Clients;

namespace AgencyPlatform.Contracts;

/// <summary>
/// What aggregates that are active in this process tell the rest of it, so that what nearly every call wants to know of them does not cost a
/// grain call. An aggregate tells when it is loaded and with each commit, before anybody is answered, and takes it back when it goes; what is
/// not told here is asked of its grain.
/// </summary>
public sealed class ActiveFacts
{
    private readonly ConcurrentDictionary<AgencyId, AgencyContext> _contexts = new();
    private readonly ConcurrentDictionary<(AgencyId, ClientCompanyId), (ClientFence Fence, long Changes, Instant ReadAt)> _fences = new();
    private readonly ConcurrentDictionary<AgencyId, long> _competitorChanges = new();

    /// <summary>An ordinary agency's context; null: not active here, or a sandbox.</summary>
    public AgencyContext? Context(AgencyId agency) => _contexts.GetValueOrDefault(agency);

    /// <summary>A sandbox's clock is asked of its grain: its settling comes before the answer.</summary>
    public void Tell(AgencyId agency, AgencyContext context)
    {
        if (context.SandboxNow is null)
        {
            _contexts[agency] = context;
        }
    }

    public void TakeBack(AgencyId agency) => _contexts.TryRemove(agency, out _);

    /// <summary>Forgets everything: what is asked of an aggregate is told again.</summary>
    public void Forget()
    {
        _contexts.Clear();
        _fences.Clear();
    }

    /// <summary>How often a client of the agency has changed here whom it names as competitors.</summary>
    public long CompetitorChanges(AgencyId agency) => _competitorChanges.GetValueOrDefault(agency);

    public void CompetitorsChanged(AgencyId agency) => _competitorChanges.AddOrUpdate(agency, 1, (_, changes) => changes + 1);

    /// <summary>A client's fence, if it was told after the newest change of competitors here and not before <paramref name="since"/>.</summary>
    public ClientFence? Fence(AgencyId agency, ClientCompanyId client, Instant since) =>
        _fences.TryGetValue((agency, client), out var told) && told.Changes == CompetitorChanges(agency) && told.ReadAt >= since ? told.Fence : null;

    /// <param name="changes"><see cref="CompetitorChanges"/> before who names the client was read.</param>
    /// <param name="readAt">When that was read, by the system's clock.</param>
    public void Tell(AgencyId agency, ClientFence fence, long changes, Instant readAt) => _fences[(agency, fence.Client)] = (fence, changes, readAt);

    public void TakeBack(AgencyId agency, ClientCompanyId client) => _fences.TryRemove((agency, client), out _);
}
