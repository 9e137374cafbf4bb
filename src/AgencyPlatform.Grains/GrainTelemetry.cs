using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace AgencyPlatform.Grains;

/// <summary>Traces and metrics of the grains, under the name <c>AgencyPlatform.Grains</c>.</summary>
internal static class GrainTelemetry
{
    private const string Name = "AgencyPlatform.Grains";
    private static readonly Meter s_meter = new(Name);
    private static readonly Counter<long> s_decisions = s_meter.CreateCounter<long>("agencyplatform.decisions", "{decision}", "Commands decided, by aggregate kind and reason of refusal");

    public static ActivitySource Source { get; } = new(Name);

    public static Counter<long> DeadlinesSettled { get; } = s_meter.CreateCounter<long>("agencyplatform.deadlines.settled", "{deadline}", "Due aggregates that were woken, by outcome");

    /// <summary>Snapshots by kind and what became of them: read outcomes <c>used</c>, <c>none</c>, <c>other-fold</c>, <c>unreadable</c>, <c>not-in-journal</c>; write outcomes <c>taken</c>, <c>conflict</c>, <c>failed</c>.</summary>
    private static readonly Counter<long> s_snapshots = s_meter.CreateCounter<long>("agencyplatform.snapshots", "{snapshot}", "Snapshots read and taken, by aggregate kind and outcome");
    private static readonly Histogram<long> s_folded = s_meter.CreateHistogram<long>("agencyplatform.activation.events", "{event}", "Events folded from the journal by an activation, by aggregate kind");

    public static void Snapshot(string kind, string outcome) =>
        s_snapshots.Add(1, new KeyValuePair<string, object?>("kind", kind), new KeyValuePair<string, object?>("outcome", outcome));

    public static void Activated(string kind, long events) => s_folded.Record(events, new KeyValuePair<string, object?>("kind", kind));

    public static void Decided(string kind, string? reason) =>
        s_decisions.Add(1, new KeyValuePair<string, object?>("kind", kind), new KeyValuePair<string, object?>("reason", reason ?? "accepted"));
}
