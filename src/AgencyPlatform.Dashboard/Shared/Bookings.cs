using System.Globalization;
using AgencyPlatform.Protocol.Capacity.V1;

namespace AgencyPlatform.Dashboard.Shared;

/// <summary>Bookings in words.</summary>
internal static class Bookings
{
    /// <summary>How much a step is of: 12 h a week.</summary>
    public static string Amount(BookingStep step) => step.FormCase switch
    {
        BookingStep.FormOneofCase.Flexible => $"{step.Flexible.WeeklyMinutes.Hours()} a week",
        BookingStep.FormOneofCase.FixedDays => Days(step.FixedDays),
        BookingStep.FormOneofCase.Dated => $"{step.Dated.Dates.Sum(d => d.Minutes).Hours()} on {step.Dated.Dates.Count} {(step.Dated.Dates.Count == 1 ? "date" : "dates")}",
        BookingStep.FormOneofCase.PerPeriod => string.Create(
            CultureInfo.InvariantCulture, $"{step.PerPeriod.Minutes.Hours()} {(step.PerPeriod.PeriodMonths <= 1 ? "a month" : $"every {step.PerPeriod.PeriodMonths} months")} from day {step.PerPeriod.BillCycleDay}"),
        _ => "",
    };

    /// <summary>Whether any of it is on or after a day and before another.</summary>
    public static bool Touches(IEnumerable<BookingStep> steps, DateOnly from, DateOnly to) =>
        steps.Any(s => s.StartDate.ToDateOnly() < to && (s.EndDate.ToDateOnly() is not { } end || end > from));

    private static string Days(FixedDaysForm form)
    {
        var days = new[]
        {
            ("Mon", form.MondayMinutes), ("Tue", form.TuesdayMinutes), ("Wed", form.WednesdayMinutes), ("Thu", form.ThursdayMinutes), ("Fri", form.FridayMinutes), ("Sat", form.SaturdayMinutes),
            ("Sun", form.SundayMinutes),
        }.Where(d => d.Item2 > 0).Select(d => $"{d.Item1} {d.Item2.Hours()}");
        return string.Join(", ", days) + (form.EveryWeeks > 1 ? $", every {form.EveryWeeks} weeks" : "");
    }
}
