using System.Globalization;

namespace AgencyPlatform.Planning;

/// <summary>How amounts are written in sentences.</summary>
internal static class PlanWords
{
    /// <summary>Whole minutes, half up.</summary>
    public static string Minutes(long scaled, long scale) => string.Create(CultureInfo.InvariantCulture, $"{(scaled + (scale / 2)) / scale:N0} minutes");

    /// <summary>An amount of minor units, without its currency.</summary>
    public static string Amount(long minor, int digits)
    {
        var factor = 1L;
        for (var i = 0; i < digits; i++)
        {
            factor *= 10;
        }

        return digits == 0
            ? minor.ToString("N0", CultureInfo.InvariantCulture)
            : string.Create(CultureInfo.InvariantCulture, $"{minor / factor:N0}.{(minor % factor).ToString(CultureInfo.InvariantCulture).PadLeft(digits, '0')}");
    }

    /// <summary>"a", "a and b", "a, b and c"; of many the first and how many more.</summary>
    public static string List(IReadOnlyList<string> items, int most = 12)
    {
        if (items.Count > most)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{string.Join(", ", items.Take(most))} and {items.Count - most} more");
        }

        return items.Count <= 1 ? string.Concat(items) : $"{string.Join(", ", items.Take(items.Count - 1))} and {items[^1]}";
    }
}
