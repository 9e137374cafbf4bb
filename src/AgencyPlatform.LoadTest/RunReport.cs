using System.Globalization;
using System.Text;
using System.Text.Json;
using AgencyPlatform.LoadTest.Calls;
using AgencyPlatform.LoadTest.Checking;

namespace AgencyPlatform.LoadTest;

/// <summary>What a run did and what the checker found, as text for people and as JSON.</summary>
/// <param name="Load">Null when only the checker ran.</param>
internal sealed record RunReport(string Agency, LoadFigures? Load, CheckReport Check)
{
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    public string ToText()
    {
        var text = new StringBuilder();
        if (Load is { } load)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"Load on {Agency}: {load.Sent:N0} calls sent in {load.Seconds:N1} s ({load.PerSecond:N0}/s), {load.Succeeded:N0} succeeded, {load.Refused:N0} refused, {load.Unknown:N0} of unknown outcome (repeated)");
            text.AppendLine(CultureInfo.InvariantCulture, $"  longest time without an answer: {load.LongestSilenceSeconds:N1} s");
            foreach (var m in load.Methods)
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"  {m.Method,-18} {m.Succeeded,9:N0}   p50 {m.P50Ms,8:N1} ms   p99 {m.P99Ms,8:N1} ms   p99.9 {m.P999Ms,8:N1} ms   max {m.MaxMs,8:N1} ms");
            }

            text.AppendLine(CultureInfo.InvariantCulture, $"  refusals: {string.Join(", ", load.Refusals.Select(r => string.Create(CultureInfo.InvariantCulture, $"{r.Value:N0} × {r.Key}")))}");
        }

        text.AppendLine(CultureInfo.InvariantCulture, $"Checked {Agency}: {string.Join(", ", Check.Judged.OrderBy(j => j.Key, StringComparer.Ordinal).Select(j => string.Create(CultureInfo.InvariantCulture, $"{j.Value:N0} {j.Key}")))}");
        foreach (var (letter, meaning) in CheckReport.Invariants)
        {
            var violations = Check.Violations(letter);
            text.AppendLine(CultureInfo.InvariantCulture, $"  {(violations == 0 ? "ok      " : "VIOLATED")} {letter}  {meaning}{(violations == 0 ? "" : $": {violations} times")}");
            foreach (var example in Check.Examples(letter))
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"             {example}");
            }
        }

        text.Append(Check.Holds ? "All invariants hold." : "Invariants are VIOLATED.");
        return text.ToString();
    }

    public string ToJson() => JsonSerializer.Serialize(
        new
        {
            Agency,
            Load,
            Judged = Check.Judged.OrderBy(j => j.Key, StringComparer.Ordinal).ToDictionary(j => j.Key, j => j.Value),
            Invariants = CheckReport.Invariants.Select(i => new { i.Letter, i.Meaning, Violations = Check.Violations(i.Letter), Examples = Check.Examples(i.Letter) }),
            Check.Holds,
        },
        s_json);
}

/// <summary>The figures of a load.</summary>
/// <param name="LongestSilenceSeconds">The longest time in which no call succeeded.</param>
internal sealed record LoadFigures(
    double Seconds, long Sent, long Succeeded, long Refused, long Unknown, double LongestSilenceSeconds, IReadOnlyList<MethodFigures> Methods, IReadOnlyDictionary<string, long> Refusals)
{
    public double PerSecond => Sent / Seconds;

    public static LoadFigures Of(LoggedCalls calls, TimeSpan elapsed, IEnumerable<CallRecord> records)
    {
        var (silence, last) = (0L, (long?)null);
        foreach (var end in records.Where(r => r.Succeeded).Select(r => r.End!.Value).Order())
        {
            silence = Math.Max(silence, end - (last ?? end));
            last = end;
        }

        return new LoadFigures(
            elapsed.TotalSeconds, calls.Sent, calls.Succeeded, calls.Refusals.Values.Sum(), calls.Unknown, silence / 1e6,
            [.. calls.Latency.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => new MethodFigures(
                l.Key, l.Value.TotalCount, l.Value.GetValueAtPercentile(50) / 1e3, l.Value.GetValueAtPercentile(99) / 1e3, l.Value.GetValueAtPercentile(99.9) / 1e3, l.Value.GetValueAtPercentile(100) / 1e3))],
            calls.Refusals.OrderByDescending(r => r.Value).ToDictionary(r => r.Key, r => r.Value));
    }
}

/// <summary>Latencies of the successes of one method, in milliseconds.</summary>
internal sealed record MethodFigures(string Method, long Succeeded, double P50Ms, double P99Ms, double P999Ms, double MaxMs);
