using System.Collections.Immutable;
using System.Text.Json.Serialization;
using NodaTime;

namespace AgencyPlatform.Domain.Capacity;

public enum BookingState { Held, Confirmed }

/// <summary>A promise of a CMO's capacity: held (until it expires) or confirmed. What is released or expired is no booking any more.</summary>
/// <param name="ExpiresAt">A hold counts in full until then and for nothing from then on; null: no clock expiry (a saga's hold, a confirmed booking).</param>
/// <param name="Owner">The engagement that alone may confirm, change or release it; null: its caller's.</param>
/// <param name="Age">Order of first booking within the CMO; a change keeps it. Oldest first when capacity no longer suffices for all.</param>
/// <param name="Fence">Whom the client names and who names it, as the booking command brought it.</param>
/// <param name="Frozen">Per-period shares of weeks that were over when the calendar changed, by their first day: they move no more.</param>
/// <param name="GiveBackTo">The expiry that an engagement which took the hold over gives back when its activation is refused.</param>
[GenerateSerializer, Immutable, Alias("capacity.booking")]
public sealed record Booking(
    BookingId Id,
    BookingSpec Spec,
    BookingState State,
    Instant? ExpiresAt,
    EngagementId? Owner,
    long Age,
    Instant CreatedAt,
    Instant UpdatedAt,
    Clients.ClientFence Fence,
    ImmutableSortedDictionary<LocalDate, int>? Frozen = null,
    Instant? GiveBackTo = null)
{
    private Kept<Demand> _demand;

    [JsonIgnore]
    public DateRange Dates => Spec.Dates();

    /// <summary>The engagement that it is for: the one that owns it (a hold may be made before there is any), or else the one that its caller named.</summary>
    [JsonIgnore]
    public EngagementId? Engagement => Owner ?? Spec.Engagement;

    /// <summary>What it asks of any week.</summary>
    internal Demand DemandUnder(WorkCalendar calendar, Agencies.AgencyPolicy policy) =>
        _demand.Value is { } kept && kept.IsOf(Spec, Frozen, calendar, policy) ? kept : _demand.Value = new Demand(Spec, Frozen, calendar, policy);
}

/// <summary>Questions of form about a booking's steps, answered before any calendar is looked at.</summary>
public static class BookingSpecs
{
    public const int MostSteps = 64;
    public const int MostNamedDates = 366;

    /// <summary>From the first step's start to the last one's end.</summary>
    public static DateRange Dates(this BookingSpec spec) => new(spec.Steps[0].Dates.Start, spec.Steps[^1].Dates.End);

    /// <summary>The same booking some days later.</summary>
    public static BookingSpec Shift(this BookingSpec spec, int days) => spec with { Steps = [.. spec.Steps.Select(step => step.Shift(days))] };

    private static BookingStep Shift(this BookingStep step, int days)
    {
        var dates = new DateRange(step.Dates.Start.PlusDays(days), step.Dates.End?.PlusDays(days));
        return step is DatedStep dated
            ? dated with { Dates = dates, Minutes = dated.Minutes.ToImmutableSortedDictionary(p => p.Key.PlusDays(days), p => p.Value) }
            : step with { Dates = dates };
    }

    /// <summary>The same booking cut off at an end; null when nothing is left of it.</summary>
    public static BookingSpec? EndAt(this BookingSpec spec, LocalDate end)
    {
        var steps = ImmutableArray.CreateBuilder<BookingStep>();
        foreach (var step in spec.Steps)
        {
            if (step.Dates.Start >= end)
            {
                break;
            }

            if (step.Dates.End is { } stepEnd && stepEnd <= end)
            {
                steps.Add(step);
                continue;
            }

            var cut = step with { Dates = step.Dates with { End = end } };
            if (cut is DatedStep dated)
            {
                var minutes = dated.Minutes.Where(p => p.Key < end).ToImmutableSortedDictionary();
                if (minutes.IsEmpty)
                {
                    break;
                }

                cut = dated with { Minutes = minutes };
            }

            steps.Add(cut);
        }

        return steps.Count == 0 ? null : spec with { Steps = steps.ToImmutable() };
    }

    /// <summary>Every field that is wrong in itself, by path below <paramref name="path"/>.</summary>
    public static ImmutableArray<FieldViolation> Violations(this BookingSpec spec, string path = "steps")
    {
        var wrong = ImmutableArray.CreateBuilder<FieldViolation>();
        if (spec.Steps.Length is 0 or > MostSteps)
        {
            wrong.Add(new FieldViolation(path, $"must be 1 to {MostSteps} steps"));
        }

        for (var i = 0; i < spec.Steps.Length; i++)
        {
            var step = spec.Steps[i];
            var at = $"{path}[{i}]";
            if (step.Dates.End is { } end && end <= step.Dates.Start)
            {
                wrong.Add(new FieldViolation($"{at}.end_date", $"must be after the start {step.Dates.Start:uuuu-MM-dd} (the end is exclusive)"));
            }

            if (step.Dates.End is null && i < spec.Steps.Length - 1)
            {
                wrong.Add(new FieldViolation($"{at}.end_date", "must have an end: only the last step may be open"));
            }

            if (i > 0 && (spec.Steps[i - 1].Dates.End is not { } previous || step.Dates.Start < previous))
            {
                wrong.Add(new FieldViolation($"{at}.start_date", "must be on or after the end of the step before it: steps are in order and do not overlap"));
            }

            switch (step)
            {
                case FlexibleStep flexible:
                    Between(flexible.WeeklyMinutes, 1, 7 * 1440, $"{at}.flexible.weekly_minutes");
                    break;
                case FixedDaysStep { Weekdays: var w } fixedDays:
                    Between(fixedDays.EveryWeeks, 1, 8, $"{at}.fixed_days.every_weeks");
                    foreach (var day in Enumerable.Range(1, 7).Select(d => (IsoDayOfWeek)d))
                    {
                        Between(w.On(day), 0, 1440, $"{at}.fixed_days.{day.ToString().ToLowerInvariant()}_minutes");
                    }

                    if (Enumerable.Range(1, 7).All(d => w.On((IsoDayOfWeek)d) <= 0))
                    {
                        wrong.Add(new FieldViolation($"{at}.fixed_days", "must have minutes on at least one weekday"));
                    }

                    break;
                case DatedStep dated:
                    if (dated.Minutes.Count is 0 or > MostNamedDates)
                    {
                        wrong.Add(new FieldViolation($"{at}.dated.dates", $"must be 1 to {MostNamedDates} dates"));
                    }

                    // By its date, not by its place: the request may name dates in any order.
                    foreach (var (date, minutes) in dated.Minutes)
                    {
                        if (minutes is < 1 or > 1440)
                        {
                            wrong.Add(new FieldViolation($"{at}.dated.dates", $"must be 1 to 1440 minutes a date; on {date:uuuu-MM-dd} they are {minutes}"));
                        }

                        if (!step.Dates.Contains(date))
                        {
                            wrong.Add(new FieldViolation($"{at}.dated.dates", $"must be dates within the step; {date:uuuu-MM-dd} is none"));
                        }
                    }

                    break;
                case PerPeriodStep period:
                    Between(period.PeriodMinutes, 1, 366 * 1440, $"{at}.per_period.minutes");
                    Between(period.Cycle.Day, 1, 31, $"{at}.per_period.bill_cycle_day");
                    if (period.Cycle.Months is not (1 or 3 or 6 or 12))
                    {
                        wrong.Add(new FieldViolation($"{at}.per_period.period_months", "must be 1, 3, 6 or 12"));
                    }

                    break;
            }
        }

        return wrong.ToImmutable();

        void Between(int value, int least, int most, string field)
        {
            if (value < least || value > most)
            {
                wrong.Add(new FieldViolation(field, $"must be {least} to {most}"));
            }
        }
    }
}
