using System.Collections.Immutable;
using System.Text.Json.Serialization;
using NodaTime;

namespace AgencyPlatform.Domain.Capacity;

/// <summary>A working pattern, from a date on. What came before stands.</summary>
/// <param name="Hours">Hours of the day, for matching and calendars: capacity does not look at them. Null: not said.</param>
[GenerateSerializer, Immutable, Alias("capacity.pattern")]
public sealed record WorkingPattern(LocalDate EffectiveFrom, WeekdayMinutes Minutes, WorkingHours? Hours = null);

/// <summary>Hours of the day, in minutes after midnight of their own time zone: [start, end), 0–1,440.</summary>
[GenerateSerializer, Immutable, Alias("capacity.working-hours")]
public sealed record WorkingHours(int StartMinute, int EndMinute)
{
    /// <summary>9 to 17 o'clock: where nothing else is said.</summary>
    public static WorkingHours Usual { get; } = new(9 * 60, 17 * 60);
}

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
/// When a CMO works: <c>availability(day) = pattern(day) − holidays − time off</c>, never below 0, and 0 once they have left; and how much of it may be
/// promised. Source: domain §2.
/// </summary>
/// <param name="Patterns">In order of date.</param>
/// <param name="Regions">In order of date.</param>
/// <param name="WorkedAnyway">Holidays that are worked all the same.</param>
/// <param name="Gone">From each leave to the first day of a pattern that was set for a return; only the last may be open. To what is booked it is like time off.</param>
[GenerateSerializer, Immutable, Alias("capacity.calendar")]
public sealed record WorkCalendar(
    ImmutableArray<WorkingPattern> Patterns,
    ImmutableArray<HolidayRegion> Regions,
    ImmutableSortedSet<LocalDate> WorkedAnyway,
    ImmutableSortedDictionary<TimeOffId, TimeOff> TimeOff,
    ImmutableArray<DateRange> Gone)
{
    private Kept<ByStart> _byStart;
    private Kept<KnownDays> _days;
    private Kept<KnownDays> _daysWithoutTimeOff;

    public static WorkCalendar Empty { get; } = new([], [], [], ImmutableSortedDictionary<TimeOffId, TimeOff>.Empty, []);

    /// <summary>The first day on which the CMO is there no more, as far as no return is known; null: they do not leave.</summary>
    [JsonIgnore]
    public LocalDate? LeaveDate => Gone is [.., { End: null } open] ? open.Start : null;

    /// <summary>The first of the days on which the CMO has left; null: they are there on all of them.</summary>
    public LocalDate? FirstGone(DateRange dates)
    {
        foreach (var gone in Gone)
        {
            if (gone.Intersect(dates) is { } both)
            {
                return both.Start;
            }
        }

        return null;
    }

    /// <summary>The same with a leave from a date on. One that has not ended is moved.</summary>
    public WorkCalendar WithLeave(LocalDate from) => this with { Gone = [.. Gone.Where(g => g.End <= from), new DateRange(from, null)] };

    /// <summary>The same with a pattern; of two from the same date the newer counts. Who has left is back from its date on.</summary>
    public WorkCalendar WithPattern(WorkingPattern pattern) => this with
    {
        Patterns = [.. Patterns.Where(p => p.EffectiveFrom != pattern.EffectiveFrom).Append(pattern).OrderBy(p => p.EffectiveFrom)],
        Gone = [.. Gone.Where(g => g.Start != pattern.EffectiveFrom).Select(g => g.Contains(pattern.EffectiveFrom) ? g with { End = pattern.EffectiveFrom } : g)],
    };

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

    public int Available(LocalDate day, Agencies.AgencyPolicy policy, bool withoutTimeOff = false) => Days(policy, withoutTimeOff).Available(day);

    private int Work(LocalDate day, Agencies.AgencyPolicy policy, bool withoutTimeOff)
    {
        var pattern = Pattern(day);
        if (pattern == 0 || IsHoliday(day, policy))
        {
            return 0;
        }

        return withoutTimeOff ? pattern : FirstGone(new DateRange(day, day.PlusDays(1))) is not null ? 0 : Math.Max(0, pattern - Off(day, pattern));
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
        if (TimeOff.IsEmpty || On(day) is not { } entry)
        {
            return 0;
        }

        return entry.Kind switch
        {
            TimeOffKind.WholeDays => pattern,
            TimeOffKind.HalfDays => pattern / 2,
            TimeOffKind.Minutes => entry.MinutesPerDay,
            _ => throw new InvalidOperationException($"Unknown kind of time off {entry.Kind}."),
        };
    }

    /// <summary>The time off of a day: at most one, since two never overlap.</summary>
    private TimeOff? On(LocalDate day)
    {
        var kept = _byStart.Value;
        if (kept is null || !ReferenceEquals(kept.Of, TimeOff))
        {
            _byStart.Value = kept = new ByStart(TimeOff, [.. TimeOff.Values.OrderBy(t => t.Start)]);
        }

        var (low, high) = (0, kept.Entries.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (kept.Entries[middle].Start <= day)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low > 0 && day < kept.Entries[low - 1].End ? kept.Entries[low - 1] : null;
    }

    private KnownDays Days(Agencies.AgencyPolicy policy, bool withoutTimeOff)
    {
        ref var place = ref withoutTimeOff ? ref _daysWithoutTimeOff : ref _days;
        return place.Value is { } kept && kept.IsOf(this, policy) ? kept : place.Value = new KnownDays(this, policy, withoutTimeOff);
    }

    /// <summary>Days whose availability was asked for: a booking's shares and weeks ask for the same ones again. Safe for concurrent use.</summary>
    private sealed class KnownDays(WorkCalendar calendar, Agencies.AgencyPolicy policy, bool withoutTimeOff)
    {
        private const int MostKept = 8 * 366;
        private const int Margin = 62;

        private Window? _window;

        public bool IsOf(WorkCalendar other, Agencies.AgencyPolicy otherPolicy) => ReferenceEquals(calendar, other) && ReferenceEquals(policy, otherPolicy);

        public int Available(LocalDate day)
        {
            var kept = Volatile.Read(ref _window);
            var index = kept is null ? 0 : Period.DaysBetween(kept.First, day);
            if (kept is null || index < 0 || index >= kept.MinutesPlusOne.Length)
            {
                kept = Widened(kept, day, index);
                if (kept is null)
                {
                    return calendar.Work(day, policy, withoutTimeOff);
                }

                Volatile.Write(ref _window, kept);
                index = Period.DaysBetween(kept.First, day);
            }

            ref var minutes = ref kept.MinutesPlusOne[index];
            if (minutes == 0)
            {
                minutes = calendar.Work(day, policy, withoutTimeOff) + 1;
            }

            return minutes - 1;
        }

        private static Window? Widened(Window? kept, LocalDate day, int index)
        {
            if (kept is null)
            {
                return new Window(day, new int[Margin]);
            }

            var before = index < 0 ? Math.Min(MostKept, -(long)index) : 0;
            var length = Math.Max(kept.MinutesPlusOne.Length, index + 1L) + before + Margin;
            if (length > MostKept)
            {
                return null;
            }

            var minutes = new int[length];
            kept.MinutesPlusOne.CopyTo(minutes, before);
            return new Window(kept.First.PlusDays(-(int)before), minutes);
        }

        private sealed record Window(LocalDate First, int[] MinutesPlusOne);
    }

    private sealed record ByStart(ImmutableSortedDictionary<TimeOffId, TimeOff> Of, TimeOff[] Entries);
}
