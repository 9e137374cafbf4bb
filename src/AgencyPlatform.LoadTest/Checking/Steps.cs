using System.Globalization;
using System.Text.Json;
using AgencyPlatform.Protocol.Capacity.V1;

namespace AgencyPlatform.LoadTest.Checking;

/// <summary>The form of a step.</summary>
internal enum Form { Flexible, FixedDays, Dated, PerPeriod }

/// <summary>A step of a booking as the checker reads it: from an event or from the wire, with the same text for the same step.</summary>
/// <param name="Minutes">Weekly (flexible) or per period.</param>
/// <param name="Weekdays">Minutes from Monday to Sunday (fixed days).</param>
/// <param name="Every">Weeks (fixed days) or months (per period).</param>
/// <param name="Day">The bill-cycle day (per period).</param>
internal sealed record Step(DateOnly Start, DateOnly? End, Form Form, int Minutes, int[] Weekdays, SortedDictionary<DateOnly, int> Dates, int Every, int Day)
{
    private static readonly SortedDictionary<DateOnly, int> s_none = [];

    public bool Covers(DateOnly day) => day >= Start && (End is not { } end || day < end);

    public string Text => string.Create(CultureInfo.InvariantCulture, $"{Start:yyyy-MM-dd}..{End:yyyy-MM-dd} {Form} {Form switch
    {
        Form.Flexible => $"{Minutes}",
        Form.FixedDays => $"{string.Join(',', Weekdays)}/{Every}",
        Form.Dated => string.Join(',', Dates.Select(d => string.Create(CultureInfo.InvariantCulture, $"{d.Key:yyyy-MM-dd}={d.Value}"))),
        _ => $"{Minutes} on {Day}/{Every}",
    }}");

    public static Step From(JsonElement step)
    {
        var dates = step.GetProperty("dates");
        var (start, end) = (dates.Date("start"), dates.Maybe("end") is { } e ? Json.ToDate(e.GetString()!) : (DateOnly?)null);
        return step.Text("form") switch
        {
            "flexible" => new Step(start, end, Form.Flexible, step.Int("weeklyMinutes"), [], s_none, 1, 0),
            "fixed-days" => new Step(start, end, Form.FixedDays, 0, NaiveCalendar.Weekdays(step.GetProperty("weekdays")), s_none, step.Int("everyWeeks"), 0),
            "dated" => new Step(start, end, Form.Dated, 0, [], new(step.GetProperty("minutes").EnumerateObject().ToDictionary(p => Json.ToDate(p.Name), p => p.Value.Whole())), 1, 0),
            "per-period" => new Step(start, end, Form.PerPeriod, step.Int("periodMinutes"), [], s_none, step.GetProperty("cycle").Int("months"), step.GetProperty("cycle").Int("day")),
            var other => throw new CannotJudgeException($"The feed has a step of the unknown form '{other}'."),
        };
    }

    public static Step From(BookingStep step)
    {
        var (start, end) = (step.StartDate.ToDate(), step.EndDate.ToDateOrNull());
        return step.FormCase switch
        {
            BookingStep.FormOneofCase.Flexible => new Step(start, end, Form.Flexible, step.Flexible.WeeklyMinutes, [], s_none, 1, 0),
            BookingStep.FormOneofCase.FixedDays => new Step(
                start, end, Form.FixedDays, 0,
                [
                    step.FixedDays.MondayMinutes, step.FixedDays.TuesdayMinutes, step.FixedDays.WednesdayMinutes, step.FixedDays.ThursdayMinutes, step.FixedDays.FridayMinutes,
                    step.FixedDays.SaturdayMinutes, step.FixedDays.SundayMinutes,
                ],
                s_none, Math.Max(1, step.FixedDays.EveryWeeks), 0),
            BookingStep.FormOneofCase.Dated => new Step(start, end, Form.Dated, 0, [], new(step.Dated.Dates.ToDictionary(d => d.Date.ToDate(), d => d.Minutes)), 1, 0),
            _ => new Step(start, end, Form.PerPeriod, step.PerPeriod.Minutes, [], s_none, Math.Max(1, step.PerPeriod.PeriodMonths), step.PerPeriod.BillCycleDay),
        };
    }

    public static string TextOf(IEnumerable<Step> steps) => string.Join("; ", steps.Select(s => s.Text));
}
