using System.Collections.Immutable;
using System.Text.Json.Serialization;
using NodaTime;

namespace AgencyPlatform.Domain.Capacity;

/// <summary>A working pattern, from a date on. What came before stands.</summary>
[GenerateSerializer, Immutable, Alias("capacity.pattern")]
public sealed record WorkingPattern(LocalDate EffectiveFrom, WeekdayMinutes Minutes);

/// <summary>The holiday region that applies from a date on; null: none.</summary>
[GenerateSerializer, Immutable, Alias("capacity.holiday-region")]
public sealed record HolidayRegion(LocalDate EffectiveFrom, string? Region);

/// <summary>Time off: a half-open range of days, each taken off whole, half (pattern ÷ 2, rounded down), or by minutes. Two never overlap.</summary>
/// <param name="MinutesPerDay">With <see cref="TimeOffKind.Minutes"/>: minutes off on each day, 1–1,440.</param>
[GenerateSerializer, Immutable, Alias("capacity.time-off")]
public sealed record TimeOff(TimeOffId Id, LocalDate Start, LocalDate End, TimeOffKind Kind, int MinutesPerDay = 0)
{
    [JsonIgnore]
    public DateRange Dates => new(Start, End);
}

public enum TimeOffKind { WholeDays, HalfDays, Minutes }

/// <summary>
/// When a CMO works: <c>availability(day) = pattern(day) − holidays − time off</c>, never below 0; and how much of it may be promised. Source: domain §2.
/// </summary>
/// <param name="Patterns">In order of date.</param>
/// <param name="Regions">In order of date.</param>
/// <param name="WorkedAnyway">Holidays that are worked all the same.</param>
[GenerateSerializer, Immutable, Alias("capacity.calendar")]
public sealed record WorkCalendar(
    ImmutableArray<WorkingPattern> Patterns,
    ImmutableArray<HolidayRegion> Regions,
    ImmutableSortedSet<LocalDate> WorkedAnyway,
    ImmutableSortedDictionary<TimeOffId, TimeOff> TimeOff)
{
    public static WorkCalendar Empty { get; } = new([], [], [], ImmutableSortedDictionary<TimeOffId, TimeOff>.Empty);

    public int Pattern(LocalDate day)
    {
        for (var i = Patterns.Length - 1; i >= 0; i--)
        {
            if (Patterns[i].EffectiveFrom <= day)
            {
                return Patterns[i].Minutes.On(day.DayOfWeek);
            }
        }

        return 0;
    }

    public int Available(LocalDate day, Agencies.AgencyPolicy policy, bool withoutTimeOff = false)
    {
        var pattern = Pattern(day);
        if (pattern == 0 || IsHoliday(day, policy))
        {
            return 0;
        }

        return withoutTimeOff ? pattern : Math.Max(0, pattern - Off(day, pattern));
    }

    private bool IsHoliday(LocalDate day, Agencies.AgencyPolicy policy)
    {
        for (var i = Regions.Length - 1; i >= 0; i--)
        {
            if (Regions[i].EffectiveFrom <= day)
            {
                return Regions[i].Region is { } region && policy.HolidayCalendars.TryGetValue(region, out var days) && days.Contains(day) && !WorkedAnyway.Contains(day);
            }
        }

        return false;
    }

    private int Off(LocalDate day, int pattern)
    {
        var off = 0;
        foreach (var (_, entry) in TimeOff)
        {
            if (entry.Start <= day && day < entry.End)
            {
                off += entry.Kind switch
                {
                    TimeOffKind.WholeDays => pattern,
                    TimeOffKind.HalfDays => pattern / 2,
                    TimeOffKind.Minutes => entry.MinutesPerDay,
                    _ => throw new InvalidOperationException($"Unknown kind of time off {entry.Kind}."),
                };
            }
        }

        return off;
    }
}
