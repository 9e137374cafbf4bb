using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace AgencyPlatform.Grains.Placement;

/// <summary>The aggregates that are active on this silo.</summary>
public sealed class ActiveAggregates
{
    private readonly ConcurrentDictionary<IGrainContext, string> _agencies = new();

    internal IEnumerable<KeyValuePair<IGrainContext, string>> All => _agencies;

    internal void Add(IGrainContext grain, AgencyId agency) => _agencies[grain] = agency.Value;

    internal void Remove(IGrainContext grain) => _agencies.TryRemove(grain, out _);
}

/// <summary>
/// After the cluster's members have changed, lets every aggregate of this silo whose agency is at home elsewhere now move there, once it is idle.
/// What this silo's aggregates told each other is asked anew, since another silo may speak for them by now.
/// </summary>
internal sealed partial class HomeComing(
    IClusterMembershipService membership, ILocalSiloDetails local, ActiveAggregates active, ActiveFacts facts, TimeProvider system, ILogger<HomeComing> log) : BackgroundService
{
    // Members that stay the same for a round: a rolling restart moves nothing twice in a second.
    private static readonly TimeSpan s_round = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var rounds = new PeriodicTimer(s_round, system);
        SiloAddress[] seen = [], done = [];
        try
        {
            while (await rounds.WaitForNextTickAsync(stoppingToken))
            {
                SiloAddress[] now = [.. membership.CurrentSnapshot.Members.Values.Where(m => m.Status == SiloStatus.Active).Select(m => m.SiloAddress).Order()];
                if (now.SequenceEqual(seen) && !now.SequenceEqual(done) && now.Contains(local.SiloAddress))
                {
                    facts.Forget();
                    Move(now);
                    done = now;
                }

                seen = now;
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping.
        }
    }

    private void Move(SiloAddress[] silos)
    {
        var homes = new Dictionary<string, bool>(StringComparer.Ordinal);
        var moved = 0;
        foreach (var (grain, agency) in active.All)
        {
            if (!homes.TryGetValue(agency, out var here))
            {
                homes[agency] = here = local.SiloAddress.Equals(AgencyPlacementDirector.Home(agency, silos));
            }

            if (!here)
            {
                // What is under way ends here first; who calls meanwhile is sent on.
                grain.Migrate(null);
                moved++;
            }
        }

        if (moved > 0)
        {
            LogMoved(log, moved);
        }
    }

    [LoggerMessage(LogLevel.Information, "The cluster's members have changed: {Count} aggregates move to their agencies' silos")]
    private static partial void LogMoved(ILogger log, int count);
}
