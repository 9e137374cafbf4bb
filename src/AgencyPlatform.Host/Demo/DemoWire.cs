using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using NodaTime;
using NodaTime.Calendars;
using Date = Google.Type.Date;
using Money = AgencyPlatform.Protocol.Type.V1.Money;

namespace AgencyPlatform.Host.Demo;

/// <summary>Dates, money and names as the API and people write them.</summary>
internal static class DemoWire
{
    public static Date Wire(LocalDate date) => new() { Year = date.Year, Month = date.Month, Day = date.Day };

    public static LocalDate FromWire(Date date) => new(date.Year, date.Month, date.Day);

    public static Timestamp Midday(LocalDate date) => Timestamp.FromDateTimeOffset(date.At(new LocalTime(12, 0)).InUtc().ToDateTimeOffset());

    public static Money Usd(long cents) => new() { MinorUnits = cents, Currency = "USD" };

    public static Google.Protobuf.WellKnownTypes.Duration Days(int days) => new() { Seconds = days * 86_400L };

    public static string Text(LocalDate date) => date.ToString("uuuu-MM-dd", CultureInfo.InvariantCulture);

    public static string Dollars(long cents) => (cents / 100m).ToString("$#,##0.00", CultureInfo.InvariantCulture);

    /// <summary>Whole hours; of less than one the minutes.</summary>
    public static string Hours(long minutes) => minutes < 60 ? $"{minutes} min" : $"{minutes / 60} h";

    public static string IsoWeek(LocalDate date) => string.Create(
        CultureInfo.InvariantCulture, $"{WeekYearRules.Iso.GetWeekYear(date)}-w{WeekYearRules.Iso.GetWeekOfWeekYear(date):00}");

    /// <summary>All pages of a list.</summary>
    public static async Task<List<T>> All<T>(Func<string, Task<(IEnumerable<T> Items, string Next)>> page)
    {
        var all = new List<T>();
        for (var token = ""; ;)
        {
            var (items, next) = await page(token);
            all.AddRange(items);
            if (next.Length == 0)
            {
                return all;
            }

            token = next;
        }
    }

    /// <summary>The id at the end of a name.</summary>
    public static string Last(string name) => name[(name.LastIndexOf('/') + 1)..];

    public static string Names(IEnumerable<string> names) => string.Join(", ", names.Select(Last).Distinct().Order(StringComparer.Ordinal));
}
