using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Storage;

namespace AgencyPlatform.Grains;

/// <summary>What the base class needs of its silo.</summary>
/// <param name="clock">The product's clock; everything dated of an agency that is no sandbox.</param>
/// <param name="system">The system's clock: event ids, timeouts.</param>
public sealed class GrainServices(
    IJournal journal,
    IReadModels readModels,
    [FromKeyedServices(GrainServices.SnapshotStorage)] IGrainStorage snapshots,
    [FromKeyedServices(GrainServices.ProductClock)] TimeProvider clock,
    TimeProvider system,
    SnapshotOptions snapshotting,
    ILoggerFactory loggers,
    ActiveFacts activeFacts,
    Clients.Competitors competitors,
    Placement.ActiveAggregates active)
{
    /// <summary>Name of the Orleans grain storage that keeps snapshots.</summary>
    public const string SnapshotStorage = "snapshots";

    /// <summary>Service key of the product's one clock.</summary>
    public const string ProductClock = "product";

    public IJournal Journal { get; } = journal;
    public IReadModels ReadModels { get; } = readModels;
    public IGrainStorage Snapshots { get; } = snapshots;
    public SnapshotOptions Snapshotting { get; } = snapshotting;
    public TimeProvider Clock { get; } = clock;
    public TimeProvider System { get; } = system;
    public ILoggerFactory Loggers { get; } = loggers;
    public ActiveFacts ActiveFacts { get; } = activeFacts;
    public Clients.Competitors Competitors { get; } = competitors;
    public Placement.ActiveAggregates Active { get; } = active;

    public Instant Now => Instant.FromDateTimeOffset(Clock.GetUtcNow());
}
