using System.Globalization;
using System.Text.Json;
using Spectre.Console;

namespace AgencyPlatform.Benchmarks.Reporting;

/// <summary>How figures are condensed and written.</summary>
internal static class Figures
{
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }

    public static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    /// <summary>A dash where there is none.</summary>
    public static string Text(double? value, string format) => value is { } known ? Text(known, format) : "–";

    public static string Json<T>(T report) => JsonSerializer.Serialize(report, s_json);

    /// <summary>A line of progress.</summary>
    public static void Say(FormattableString line) => AnsiConsole.MarkupLineInterpolated($"[grey]{TimeProvider.System.GetUtcNow():HH:mm:ss} {line.ToString(CultureInfo.InvariantCulture)}[/]");
}
