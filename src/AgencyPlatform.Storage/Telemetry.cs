using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace AgencyPlatform.Storage;

/// <summary>Names of the storage's traces and metrics, for OpenTelemetry's configuration.</summary>
public static class StorageTelemetry
{
    public const string Name = "AgencyPlatform.Storage";

    internal static readonly ActivitySource Source = new(Name);
    private static readonly Meter s_meter = new(Name);

    internal static readonly Histogram<int> ItemsPerCommit = s_meter.CreateHistogram<int>("agencyplatform.storage.commit.items", "{item}", "Items (grains' appends) in one transaction.");
    internal static readonly Histogram<int> RowsPerCommit = s_meter.CreateHistogram<int>("agencyplatform.storage.commit.rows", "{row}", "Rows written by one transaction: events, heads, read models, deadlines, people.");
    internal static readonly Histogram<double> CommitDuration = s_meter.CreateHistogram<double>("agencyplatform.storage.commit.duration", "s", "Time of one transaction.");
    internal static readonly UpDownCounter<int> Waiting = s_meter.CreateUpDownCounter<int>("agencyplatform.storage.queue.length", "{item}", "Items that wait for the writer.");
    /// <summary>Says that nothing failed yet: a counter that comes with its first failure has no increase then, and no alarm.</summary>
    internal static void Begin()
    {
        foreach (var reason in new[] { "stale_head", "content", "trouble", "unavailable" })
        {
            Failures.Add(0, new KeyValuePair<string, object?>("reason", reason));
        }
    }

    internal static readonly Counter<long> Failures = s_meter.CreateCounter<long>("agencyplatform.storage.commit.failures", "{failure}", "Transactions that failed, by reason: stale_head, content, trouble, unavailable.");
}
