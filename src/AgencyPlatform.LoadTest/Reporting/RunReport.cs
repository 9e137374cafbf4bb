using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using AgencyPlatform.LoadTest.Checking;
using AgencyPlatform.LoadTest.Load;
using AgencyPlatform.LoadTest.Scenarios;

namespace AgencyPlatform.LoadTest.Reporting;

/// <summary>What a run did and what the checker found, over all its agencies: as text for people, as JSON, as a page.</summary>
/// <param name="Load">Null when only the checker ran.</param>
internal sealed record RunReport(IReadOnlyList<string> Agencies, Scenario? Scenario, LoadFigures? Load, CheckReport Check)
{
    private static readonly JsonSerializerOptions s_json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    public string Subject => Agencies.Count == 1 ? Agencies[0] : $"{Agencies.Count:N0} agencies ({Agencies[0]} to {Agencies[^1]})";

    public string ToText()
    {
        var text = new StringBuilder();
        if (Load is { } load)
        {
            Line($"Load on {Subject}: {load.Sent:N0} calls sent in {load.Seconds:N1} s ({load.PerSecond:N0}/s), {load.Succeeded:N0} succeeded, {load.Refused:N0} refused, {load.Unknown:N0} of unknown outcome (repeated)");
            Line($"  prepared in {load.PreparedSeconds:N1} s; longest time without a success {load.LongestSilenceSeconds:N1} s");
            if (load.Open)
            {
                Line($"  open loop, latency from the intended time; sent at the latest {load.LatestMs:N1} ms after it; {load.Skipped:N0} calls were due and not sent");
            }

            foreach (var m in load.Operations)
            {
                Line($"  {m.Operation,-18} {m.Known,9:N0}   p50 {m.P50Ms,8:N1}   p90 {m.P90Ms,8:N1}   p99 {m.P99Ms,8:N1}   p99.9 {m.P999Ms,8:N1}   max {m.MaxMs,8:N1} ms");
            }

            foreach (var e in load.Errors.GroupBy(e => e.Code, StringComparer.Ordinal).OrderByDescending(g => g.Sum(e => e.Times)))
            {
                Line($"  {e.Sum(c => c.Times),9:N0} × {e.Key}");
            }
        }

        if (Load?.Neighbour is { } n)
        {
            Line($"Noisy neighbour: {n.Times:0.##} × the fair load of {n.FairPerSecond:0.##} calls a second of each of the others, in every other window of {n.WindowSeconds} s");
            foreach (var w in n.Windows)
            {
                Line($"  {(w.Noisy ? "noisy" : "quiet")} {w.Known,9:N0}   p50 {w.P50Ms,8:N1}   p99 {w.P99Ms,8:N1}   p99.9 {w.P999Ms,8:N1} ms{(w.Counted ? "" : "   (warming up, not counted)")}");
            }

            Line($"  p99 of the others: quiet {n.QuietP99Ms.Median:N1} ms ({n.QuietP99Ms.Least:N1} to {n.QuietP99Ms.Most:N1}), noisy {n.NoisyP99Ms.Median:N1} ms ({n.NoisyP99Ms.Least:N1} to {n.NoisyP99Ms.Most:N1})");
            Line($"  ratio, pair by pair: {n.Ratio.Median:N2} ({n.Ratio.Least:N2} to {n.Ratio.Most:N2}), {(n.Holds ? "within" : "NOT within")} {NeighbourFigures.MostRatio:N2}");
            Line($"  the noisy one: {n.Sent:N0} sent, {n.Succeeded:N0} succeeded, {n.Shed:N0} shed (RESOURCE_EXHAUSTED), {n.Refused:N0} refused by a rule, {n.Unknown:N0} of unknown outcome, {n.Skipped:N0} due and not sent; p99 of what was served {n.ServedP99Ms:N1} ms");
        }

        Line($"Checked {Subject}: {string.Join(", ", Check.Judged.OrderBy(j => j.Key, StringComparer.Ordinal).Select(j => string.Create(CultureInfo.InvariantCulture, $"{j.Value:N0} {j.Key}")))}");
        foreach (var (letter, meaning) in CheckReport.Invariants)
        {
            var violations = Check.Violations(letter);
            Line($"  {(violations == 0 ? "ok      " : "VIOLATED")} {letter}  {meaning}{(violations == 0 ? "" : $": {violations} times")}");
            foreach (var example in Check.Examples(letter))
            {
                Line($"             {example}");
            }
        }

        text.Append(Check.Holds ? "All invariants hold." : "Invariants are VIOLATED.");
        return text.ToString();

        void Line(FormattableString line) => text.AppendLine(line.ToString(CultureInfo.InvariantCulture));
    }

    public string ToJson() => JsonSerializer.Serialize(
        new
        {
            Agencies,
            Scenario,
            Arrivals = (object?)Scenario?.Arrivals,
            Load,
            Judged = Check.Judged.OrderBy(j => j.Key, StringComparer.Ordinal).ToDictionary(j => j.Key, j => j.Value),
            Invariants = CheckReport.Invariants.Select(i => new { i.Letter, i.Meaning, Violations = Check.Violations(i.Letter), Examples = Check.Examples(i.Letter) }),
            Check.Holds,
        },
        s_json);

    public string ToHtml() => ReportPage.Of(this);
}

/// <summary>The figures of a load.</summary>
/// <param name="LongestSilenceSeconds">The longest run of whole seconds in which no call succeeded.</param>
/// <param name="Skipped">Calls of an open loop that were due and not sent.</param>
/// <param name="Neighbour">What a noisy neighbour cost the others, whose figures the rest is.</param>
/// <param name="LatestMs">How long after its time the latest call of an open loop went out.</param>
internal sealed record LoadFigures(
    double PreparedSeconds, double Seconds, bool Open, long Sent, long Succeeded, long Refused, long Unknown, long Skipped, double LatestMs, double LongestSilenceSeconds,
    IReadOnlyList<OperationFigures> Operations, IReadOnlyList<ErrorFigures> Errors, IReadOnlyList<SecondOfLoad> OverTime, NeighbourFigures? Neighbour)
{
    public double PerSecond => Sent / Seconds;

    public static LoadFigures Of(Scenario scenario, LoadRun load, TimeSpan prepared, TimeSpan elapsed)
    {
        var measures = load.Measures;
        var (silence, longest, last) = (0.0, 0.0, 0.0);
        foreach (var second in measures.Seconds)
        {
            silence = second.Succeeded > 0 ? 0 : silence + second.At - last;
            (longest, last) = (Math.Max(longest, silence), second.At);
        }

        return new LoadFigures(
            prepared.TotalSeconds, elapsed.TotalSeconds, scenario.Arrivals is OpenLoop, measures.Sent, measures.Succeeded, measures.Refused, measures.Unknown, measures.Skipped,
            measures.LatestMicroseconds / 1e3, longest,
            [.. measures.Latency.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => new OperationFigures(l.Key, l.Value.TotalCount, At(l, 50), At(l, 90), At(l, 99), At(l, 99.9), At(l, 100)))],
            [.. measures.Codes.OrderBy(c => c.Key).Select(c => new ErrorFigures(c.Key.Operation, c.Key.Code, c.Value))],
            measures.Seconds,
            scenario is { Neighbour: { } neighbour, Arrivals: OpenLoop open } ? NeighbourFigures.Of(neighbour, load.FairPerSecond(open), load.Windows!, load.NeighbourMeasures!) : null);

        static double At(KeyValuePair<string, HdrHistogram.LongConcurrentHistogram> l, double percentile) => l.Value.GetValueAtPercentile(percentile) / 1e3;
    }
}

/// <summary>Latencies of one operation to its known outcome, in milliseconds.</summary>
internal sealed record OperationFigures(string Operation, long Known, double P50Ms, double P90Ms, double P99Ms, double P999Ms, double MaxMs);

/// <summary>How often an operation was answered with a refusal's reason or a status code.</summary>
internal sealed record ErrorFigures(string Operation, string Code, long Times);
