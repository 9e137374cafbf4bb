using System.Globalization;
using Google.Type;

namespace AgencyPlatform.Dashboard.Shared;

/// <summary>Between the API's words and what pages show and ask for.</summary>
internal static class Wire
{
    public static DateOnly? ToDateOnly(this Date? date) => date is null ? null : new DateOnly(date.Year, date.Month, date.Day);

    /// <summary>2026-01-12; null: it is no date.</summary>
    public static DateOnly? ToDateOnly(this string? iso) => DateOnly.TryParseExact(iso, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date) ? date : null;

    public static string ToIso(this DateOnly date) => date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    public static Date ToWire(this DateOnly date) => new() { Year = date.Year, Month = date.Month, Day = date.Day };

    /// <summary>The id, the last part of a resource name.</summary>
    public static string Id(this string name) => name[(name.LastIndexOf('/') + 1)..];

    /// <summary>Minutes as hours: 12 h 30.</summary>
    public static string Hours(this long minutes)
    {
        var sign = minutes < 0 ? "−" : "";
        var (hours, rest) = Math.DivRem(Math.Abs(minutes), 60);
        return rest == 0 ? $"{sign}{hours} h" : string.Create(CultureInfo.InvariantCulture, $"{sign}{hours} h {rest:00}");
    }

    public static string Hours(this int minutes) => ((long)minutes).Hours();

    /// <summary>The Monday of a date's ISO week.</summary>
    public static DateOnly Monday(this DateOnly date) => date.AddDays(-(((int)date.DayOfWeek + 6) % 7));

    /// <summary>2026-W05.</summary>
    public static string IsoWeek(this DateOnly date)
    {
        var day = date.ToDateTime(TimeOnly.MinValue);
        return string.Create(CultureInfo.InvariantCulture, $"{ISOWeek.GetYear(day)}-W{ISOWeek.GetWeekOfYear(day):00}");
    }

    /// <summary><c>TIME_ENTRY_STATE_APPROVED</c>, as code has it (<c>Approved</c>), in words: Approved.</summary>
    public static string Words(this Enum value)
    {
        var name = value.ToString();
        return string.Concat(name.Select((c, i) => i > 0 && char.IsUpper(c) ? $" {char.ToLowerInvariant(c)}" : c.ToString()));
    }
}
