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

    private static readonly Counter<long> s_deliveries = s_meter.CreateCounter<long>("agencyplatform.webhooks.requests", "{request}", "Requests to webhooks' endpoints, by outcome: taken, failed, or unsigned for want of a key");
    private static readonly Histogram<double> s_deliveryTime = s_meter.CreateHistogram<double>("agencyplatform.webhooks.request.duration", "s", "Time until an endpoint answered or was given up");

    /// <summary>A request to an endpoint; null: it could not be signed.</summary>
    public static void Delivered(Domain.Webhooks.WebhookAttempt? attempt)
    {
        s_deliveries.Add(1, new KeyValuePair<string, object?>("outcome", attempt switch { null => "unsigned", { Taken: true } => "taken", _ => "failed" }));
        if (attempt is not null)
        {
            s_deliveryTime.Record(attempt.Milliseconds / 1_000.0);
        }
    }

    public static void Activated(string kind, long events) => s_folded.Record(events, new KeyValuePair<string, object?>("kind", kind));

    public static void Decided(string kind, string? reason) =>
        s_decisions.Add(1, new KeyValuePair<string, object?>("kind", kind), new KeyValuePair<string, object?>("reason", reason ?? "accepted"));
}
