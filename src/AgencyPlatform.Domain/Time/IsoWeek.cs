using System.Globalization;
using NodaTime;
using NodaTime.Calendars;

namespace AgencyPlatform.Domain.Time;

/// <summary>An ISO 8601 week, Monday first, written <c>2026-W14</c>.</summary>
[GenerateSerializer, Immutable, Alias("time.iso-week")]
public readonly record struct IsoWeek([property: Id(0)] int Year, [property: Id(1)] int Week)
{
    public static IsoWeek Of(LocalDate date) => new(WeekYearRules.Iso.GetWeekYear(date), WeekYearRules.Iso.GetWeekOfWeekYear(date));

    /// <summary>Reads <c>2026-W14</c>, the W in either case; null when it is no week of 1900 to 2199.</summary>
    public static IsoWeek? Parse(string text) =>
        text.Length == 8 && text[4] == '-' && text[5] is 'W' or 'w'
        && int.TryParse(text.AsSpan(0, 4), NumberStyles.None, CultureInfo.InvariantCulture, out var year)
        && int.TryParse(text.AsSpan(6, 2), NumberStyles.None, CultureInfo.InvariantCulture, out var week)
        && year is >= 1900 and <= 2199 && week >= 1 && week <= WeekYearRules.Iso.GetWeeksInWeekYear(year)
            ? new IsoWeek(year, week)
            : null;

    public LocalDate Monday() => WeekYearRules.Iso.GetLocalDate(Year, Week, IsoDayOfWeek.Monday);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Year:0000}-W{Week:00}");
}
