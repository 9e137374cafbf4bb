using System.Collections.Concurrent;
using System.Collections.Immutable;
using AgencyPlatform.Domain.Clients;

namespace AgencyPlatform.Grains.Clients;

/// <summary>
/// Who names whom as a competitor, by agency: one reading for all its clients, shared by whoever asks meanwhile. Read client by client, thousands of them
/// that fall due while nobody asks would each take a connection at once.
/// </summary>
public sealed class Competitors(IReadModels readModels, ActiveFacts facts, TimeProvider system)
{
    private const int StandsSeconds = 60;
    private const int Page = 5_000;

    private readonly ConcurrentDictionary<AgencyId, Named> _agencies = new();

    /// <summary>
    /// A reading stands until a client of the agency changes here whom it names, and, for a change on another silo (while grains move), for so long: one to
    /// two minutes, other for each agency, so that a thousand of them do not fall due together.
    /// </summary>
    public static Duration Stands(AgencyId agency) => Duration.FromSeconds(StandsSeconds + (unchecked((uint)agency.GetHashCode()) % StandsSeconds));

    /// <summary>Who names each client of the agency.</summary>
    public async Task<Reading> Read(AgencyId agency)
    {
        var changes = facts.CompetitorChanges(agency);
        var now = Instant.FromDateTimeOffset(system.GetUtcNow());
        if (!_agencies.TryGetValue(agency, out var named) || named.Changes != changes || now - named.At > Stands(agency) || named.Reading.IsFaulted)
        {
            // Two may begin at once: the later one stays, and both are right.
            _agencies[agency] = named = new Named(changes, now, ReadAll(agency, changes, now));
        }

        return await named.Reading;
    }

    private async Task<Reading> ReadAll(AgencyId agency, long changes, Instant at)
    {
        var all = new List<CompetitorRow>();
        IReadOnlyList<CompetitorRow> page;
        do
        {
            page = await readModels.List<CompetitorRow>(agency, new Query([], all.Count == 0 ? [] : [all[^1].Competitor, all[^1].Client], Page));
            all.AddRange(page);
        }
        while (page.Count == Page);
        return new Reading(all.GroupBy(row => row.Competitor).ToImmutableDictionary(g => g.Key, g => g.Select(row => row.Client).ToImmutableSortedSet()), changes, at);
    }

    private sealed record Named(long Changes, Instant At, Task<Reading> Reading);

    /// <param name="NamedBy">By client; those whom nobody names are left out.</param>
    /// <param name="Changes"><see cref="ActiveFacts.CompetitorChanges"/> before it was read.</param>
    /// <param name="At">When it was begun, by the system's clock.</param>
    public sealed record Reading(ImmutableDictionary<ClientCompanyId, ImmutableSortedSet<ClientCompanyId>> NamedBy, long Changes, Instant At);
}
