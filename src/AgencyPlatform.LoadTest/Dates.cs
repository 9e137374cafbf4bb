using Google.Protobuf.WellKnownTypes;
using Date = Google.Type.Date;

namespace AgencyPlatform.LoadTest;

/// <summary>Between the wire's dates and .NET's.</summary>
internal static class Dates
{
    public static Date ToWire(this DateOnly date) => new() { Year = date.Year, Month = date.Month, Day = date.Day };

    public static DateOnly ToDate(this Date date) => new(date.Year, date.Month, date.Day);

    public static DateOnly? ToDateOrNull(this Date? date) => date?.ToDate();

    public static DateOnly Monday(this DateOnly date) => date.AddDays(-date.Weekday());

    /// <summary>0 on Monday, 6 on Sunday.</summary>
    public static int Weekday(this DateOnly date) => ((int)date.DayOfWeek + 6) % 7;

    /// <summary>An instant as the number of nanoseconds since 1970, exact.</summary>
    public static Int128 ToNanos(this Timestamp at) => (Int128)at.Seconds * 1_000_000_000 + at.Nanos;
}
