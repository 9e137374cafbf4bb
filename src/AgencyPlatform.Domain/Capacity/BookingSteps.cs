using System.Collections.Immutable;
using NodaTime;

namespace AgencyPlatform.Domain.Capacity;

/// <summary>Cutting, joining and scaling a booking's steps: what the moves of a running engagement do to its bookings.</summary>
public static class BookingSteps
{
    /// <summary>What lies before a date; nothing when no step begins before it.</summary>
    public static ImmutableArray<BookingStep> Until(this ImmutableArray<BookingStep> steps, LocalDate end) =>
        new BookingSpec(default, null, steps).EndAt(end)?.Steps ?? [];

    /// <summary>What lies on or after a date. Fixed days keep their weeks: every second week stays the same second week.</summary>
    public static ImmutableArray<BookingStep> From(this ImmutableArray<BookingStep> steps, LocalDate start)
    {
        var from = ImmutableArray.CreateBuilder<BookingStep>();
        foreach (var step in steps)
        {
            if (step.Dates.Start >= start)
            {
                from.Add(step);
            }
            else if (step.Dates.End is not { } end || end > start)
            {
                var first = step is FixedDaysStep fixedDays ? InPhase(fixedDays, start) : start;
                if (step.Dates.End is { } last && first >= last)
                {
                    continue;
                }

                var cut = step with { Dates = step.Dates with { Start = first } };
                if (cut is DatedStep dated)
                {
                    var minutes = dated.Minutes.Where(p => p.Key >= start).ToImmutableSortedDictionary();
                    if (minutes.IsEmpty)
                    {
                        continue;
                    }

                    cut = dated with { Minutes = minutes };
                }

                from.Add(cut);
            }
        }

        return from.ToImmutable();
    }

    /// <summary>The same days with a share of the minutes, half up; what comes to no minute at all is left out.</summary>
    /// <param name="percent">0–100.</param>
    public static ImmutableArray<BookingStep> Scaled(this ImmutableArray<BookingStep> steps, int percent)
    {
        var scaled = ImmutableArray.CreateBuilder<BookingStep>();
        foreach (var step in steps)
        {
            BookingStep? part = step switch
            {
                FlexibleStep s => Share(s.WeeklyMinutes) is > 0 and var minutes ? s with { WeeklyMinutes = minutes } : null,
                PerPeriodStep s => Share(s.PeriodMinutes) is > 0 and var minutes ? s with { PeriodMinutes = minutes } : null,
                FixedDaysStep { Weekdays: var w } s => new WeekdayMinutes(
                    Share(w.Monday), Share(w.Tuesday), Share(w.Wednesday), Share(w.Thursday), Share(w.Friday), Share(w.Saturday), Share(w.Sunday)) is { Week: > 0 } days
                    ? s with { Weekdays = days }
                    : null,
                DatedStep s => s.Minutes.Select(d => (d.Key, Minutes: Share(d.Value))).Where(d => d.Minutes > 0).ToImmutableSortedDictionary(d => d.Key, d => d.Minutes) is { IsEmpty: false } dates
                    ? s with { Minutes = dates }
                    : null,
                _ => throw new InvalidOperationException($"Unknown form of step {step.GetType().Name}."),
            };
            if (part is not null)
            {
                scaled.Add(part);
            }
        }

        return scaled.ToImmutable();

        int Share(int minutes) => (int)Rounding.HalfUp((System.Numerics.BigInteger)minutes * percent, 100);
    }

    /// <summary>
    /// Whether some week of these steps asks for more than some week of the others, by the minutes of a year, exactly (named dates count as more than nothing only); or they begin
    /// earlier or go on longer.
    /// </summary>
    public static bool IsLargerThan(this ImmutableArray<BookingStep> steps, ImmutableArray<BookingStep> others) =>
        steps.Select(Yearly).DefaultIfEmpty(0).Max() > others.Select(Yearly).DefaultIfEmpty(0).Max()
        || (!steps.IsEmpty && (steps.Min(s => s.Dates.Start) < others.Min(s => s.Dates.Start) || LastDay(steps) > LastDay(others)));

    private static LocalDate LastDay(ImmutableArray<BookingStep> steps) => steps.Max(s => s.Dates.End ?? LocalDate.MaxIsoValue);

    /// <summary>Minutes of a year of 52 weeks in 1 ÷ 840, so that every n of weeks from 1 to 8 divides it.</summary>
    private static long Yearly(BookingStep step) => step switch
    {
        FlexibleStep s => 52L * 840 * s.WeeklyMinutes,
        FixedDaysStep s => 52L * 840 * s.Weekdays.Week / s.EveryWeeks,
        PerPeriodStep s => 12L / s.Cycle.Months * 840 * s.PeriodMinutes,
        DatedStep s => 840L * s.Minutes.Values.Sum(),
        _ => throw new InvalidOperationException($"Unknown form of step {step.GetType().Name}."),
    };

    /// <summary>The first day on or after a date in a week that the step covers.</summary>
    private static LocalDate InPhase(FixedDaysStep step, LocalDate start)
    {
        var weeks = Period.DaysBetween(Demand.MondayOf(step.Dates.Start), Demand.MondayOf(start)) / 7;
        return weeks % step.EveryWeeks == 0 ? start : Demand.MondayOf(start).PlusWeeks(step.EveryWeeks - weeks % step.EveryWeeks);
    }
}
