using System.Globalization;
using System.Text.RegularExpressions;

namespace AgencyPlatform.Dashboard.Pages.Time;

/// <summary>Hours of a day as people type them: 1.5, 1,5, 1:30, 1h30, 90m.</summary>
internal static partial class HoursText
{
    private const int Day = 1_440;

    /// <summary>Minutes, 0 to 1,440; nothing typed is 0; null: it is not hours of a day.</summary>
    public static int? Minutes(string text)
    {
        text = text.Trim();
        decimal? minutes = text.Length == 0 ? 0
            : Decimal().Match(text) is { Success: true } hours ? Number(hours.Groups[1].Value.Replace(',', '.')) * 60
            : Both().Match(text) is { Success: true } both ? Number(both.Groups[1].Value) * 60 + Number(both.Groups[2].Value)
            : OnlyMinutes().Match(text) is { Success: true } only ? Number(only.Groups[1].Value)
            : null;
        return minutes is { } exact && Math.Round(exact, MidpointRounding.AwayFromZero) is >= 0 and <= Day and var whole ? (int)whole : null;
    }

    /// <summary>As it may be typed: 1.5; where that is not exact, 1:07.</summary>
    public static string Text(int minutes) => minutes * 100 % 60 == 0
        ? (minutes / 60m).ToString("0.##", CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"{minutes / 60}:{minutes % 60:00}");

    private static decimal Number(string text) => decimal.Parse(text, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^(\d{1,4}(?:[.,]\d{1,6})?)\s*h?$", RegexOptions.CultureInvariant)]
    private static partial Regex Decimal();

    [GeneratedRegex(@"^(\d{1,2})\s*(?::|h)\s*([0-5]?\d)\s*(?:m|min)?$", RegexOptions.CultureInvariant)]
    private static partial Regex Both();

    [GeneratedRegex(@"^(\d{1,4})\s*(?:m|min)$", RegexOptions.CultureInvariant)]
    private static partial Regex OnlyMinutes();
}
