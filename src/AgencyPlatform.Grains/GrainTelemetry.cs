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

    public static void Decided(string kind, string? reason) =>
        s_decisions.Add(1, new KeyValuePair<string, object?>("kind", kind), new KeyValuePair<string, object?>("reason", reason ?? "accepted"));
}
