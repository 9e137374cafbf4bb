using System.Globalization;
using AgencyPlatform.Dashboard.Shared;

namespace AgencyPlatform.Dashboard.Pages.Time;

/// <summary>Weeks as the API names them.</summary>
internal static class Weeks
{
    /// <summary><c>2026-w14</c>, the last part of a timesheet's name.</summary>
    public static string WeekId(this DateOnly date) => date.IsoWeek().ToLowerInvariant();

    /// <summary>The Monday of <c>2026-w14</c>, or of the week of a date (<c>2026-03-31</c>); null: it is neither.</summary>
    public static DateOnly? Monday(string? text) =>
        DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date) ? date.Monday()
        : text?.Split("-w", StringSplitOptions.None) is [var y, var w] && int.TryParse(y, NumberStyles.None, CultureInfo.InvariantCulture, out var year) && int.TryParse(w, NumberStyles.None, CultureInfo.InvariantCulture, out var week)
            && year is >= 1900 and <= 9998 && week >= 1 && week <= ISOWeek.GetWeeksInYear(year) ? DateOnly.FromDateTime(ISOWeek.ToDateTime(year, week, DayOfWeek.Monday))
        : null;

    /// <summary>The CMO of a timesheet, <c>agencies/{agency}/cmos/{cmo}/timesheets/{week}</c>.</summary>
    public static string CmoOf(string timesheet) => timesheet[..timesheet.IndexOf("/timesheets/", StringComparison.Ordinal)];

    /// <summary>The address of a timesheet's page.</summary>
    public static string Address(string timesheet) => $"/time/{CmoOf(timesheet).Id()}/{timesheet.Id()}";
}
