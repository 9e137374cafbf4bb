using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Domain;
using AgencyPlatform.Storage.Engines;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using NodaTime;

namespace AgencyPlatform.Storage.Tests.Shards;

/// <summary>One process's storage on one of the databases: a journal writer, readers, a deadline store, as a host on one database has them.</summary>
internal sealed class Place(IHost host)
{
    public IJournal Journal => host.Services.GetRequiredService<IJournal>();

    public IReadModels ReadModels => host.Services.GetRequiredService<IReadModels>();

    public IDeadlines Deadlines => host.Services.GetRequiredService<IDeadlines>();

    public IPeopleVault Vault => host.Services.GetRequiredService<IPeopleVault>();

    internal Database Database => host.Services.GetRequiredService<Database>();

    /// <summary>Whether appends of the agency are taken here.</summary>
    public async Task<bool> Serves(AgencyId agency, CancellationToken cancellation = default) =>
        (await Database.Query("SELECT 1 FROM heads WHERE agency = $1 AND fence IS NULL", SqlArguments.Of(agency), _ => 1, cancellation)).Count > 0;

    /// <summary>The head with the epoch of the agency's own feed, by which a restore is told too.</summary>
    public async Task<FeedHead> ReadHead(AgencyId agency, CancellationToken cancellation) => (await Database.Query(
        """
        SELECT coalesce(h.epoch, s.epoch), h.sequence, h.hash, h.recorded_at, r.sequence
        FROM schema_info s JOIN heads h ON h.agency = $1 LEFT JOIN restores r ON r.agency = h.agency AND r.epoch = coalesce(h.epoch, s.epoch)
        """,
        SqlArguments.Of(agency),
        r => new FeedHead(Database.ReadGuid(r, 0), r.GetInt64(1), r.GetFieldValue<byte[]>(2), Instant.FromUnixTimeTicks(r.GetInt64(3)), !r.IsDBNull(4)),
        cancellation)).Single();
}
