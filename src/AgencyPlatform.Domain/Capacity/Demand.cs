using System.Collections.Immutable;
using NodaTime;

namespace AgencyPlatform.Domain.Capacity;

/// <summary>
/// What one booking asks of any week, under one calendar and policy. Source: domain §2, "Demand". A per-period step's shares are worked out once
/// a period and kept. Safe for concurrent use.
/// </summary>
internal sealed class Demand
{
    /// <summary>Each of a week's seven days at most begins one step or one period of it, and a fixed step asks of each day by itself.</summary>
    public const int MostParts = 16;

    private readonly BookingSpec _spec;
    private readonly ImmutableSortedDictionary<LocalDate, int>? _frozen;
    private readonly WorkCalendar _calendar;
    private readonly Agencies.AgencyPolicy _policy;
    private readonly int _shift;
    private readonly BookingStep[] _steps;
    private readonly Periods?[]? _periods;

    /// <param name="frozen">The booking's frozen weeks: see <see cref="Booking.Frozen"/>.</param>
    /// <param name="withoutTimeOff">As if there were no time off.</param>
    /// <param name="shift">The same booking so many days later.</param>
    public Demand(
        BookingSpec spec, ImmutableSortedDictionary<LocalDate, int>? frozen, WorkCalendar calendar, Agencies.AgencyPolicy policy, bool withoutTimeOff = false, int shift = 0)
    {
        (_spec, _frozen, _calendar, _policy, _shift) = (spec, frozen, calendar, policy, shift);
        _steps = new BookingStep[spec.Steps.Length];
        for (var i = 0; i < _steps.Length; i++)
        {
            var step = spec.Steps[i];
            // A dated step's own dates are not moved: they are looked up so many days earlier.
            _steps[i] = shift == 0 ? step : step with { Dates = new DateRange(step.Dates.Start.PlusDays(shift), step.Dates.End?.PlusDays(shift)) };
            if (_steps[i] is PerPeriodStep perPeriod)
            {
                (_periods ??= new Periods?[_steps.Length])[i] = new Periods(perPeriod, frozen, calendar, policy, withoutTimeOff);
            }
        }
    }

    /// <summary>From the first step's start to the last one's end.</summary>
    public DateRange Dates => new(_steps[0].Dates.Start, _steps[^1].Dates.End);

    /// <summary>Whether it is of exactly these.</summary>
    public bool IsOf(BookingSpec spec, ImmutableSortedDictionary<LocalDate, int>? frozen, WorkCalendar calendar, Agencies.AgencyPolicy policy) =>
        ReferenceEquals(_spec, spec) && ReferenceEquals(_frozen, frozen) && ReferenceEquals(_calendar, calendar) && ReferenceEquals(_policy, policy);

    public static LocalDate MondayOf(LocalDate day) => day.PlusDays(1 - (int)day.DayOfWeek);

    /// <summary>A part of a booking's demand in one week: minutes that must be worked within days [First, Last], in 1 ÷ the week's scale.</summary>
    public readonly record struct Part(int First, int Last, long Scaled);

    /// <summary>Asks of the week all that the booking wants of it; or takes it back.</summary>
    public void Ask(in Week week, bool takeBack = false)
    {
        Span<Part> parts = stackalloc Part[MostParts];
        foreach (var part in parts[..Parts(week, parts)])
        {
            week.Ask(part.First, part.Last, takeBack ? -part.Scaled : part.Scaled);
        }
    }

    public int Parts(in Week week, Span<Part> parts)
    {
        var count = 0;
        var days = week.Days;
        var sunday = days.Sunday;
        for (var i = 0; i < _steps.Length; i++)
        {
            var step = _steps[i];
            if (step.Dates.Start > sunday)
            {
                break;
            }

            if (step.Dates.End is { } end && end <= days.Monday)
            {
                continue;
            }

            var first = step.Dates.Start <= days.Monday ? 0 : Period.DaysBetween(days.Monday, step.Dates.Start);
            var last = step.Dates.End is { } e && e <= sunday ? Period.DaysBetween(days.Monday, e) - 1 : 6;
            switch (step)
            {
                case FlexibleStep flexible:
                    // weekly minutes × available minutes on covered days ÷ pattern minutes of the week: the division is the scale.
                    var asked = days.PatternMinutes == 0 ? 0 : (long)flexible.WeeklyMinutes * days.AvailableWithin(first, last);
                    if (asked > 0)
                    {
                        parts[count++] = new Part(first, last, asked);
                    }

                    break;
                case FixedDaysStep fixedDays:
                    if (!IsTurnOf(fixedDays, days.Monday))
                    {
                        break;
                    }

                    for (var d = first; d <= last; d++)
                    {
                        if (Math.Min(fixedDays.Weekdays.On((IsoDayOfWeek)(d + 1)), days.Available[d]) is > 0 and var minutes)
                        {
                            parts[count++] = new Part(d, d, minutes * week.Scale);
                        }
                    }

                    break;
                case DatedStep dated:
                    for (var d = first; d <= last; d++)
                    {
                        if (StatedOn(dated, days.Monday.PlusDays(d)) is > 0 and var stated && Math.Min(stated, days.Available[d]) is > 0 and var minutes)
                        {
                            parts[count++] = new Part(d, d, minutes * week.Scale);
                        }
                    }

                    break;
                case PerPeriodStep:
                    count = _periods![i]!.Parts(week, parts, count);
                    break;
                default:
                    throw new InvalidOperationException($"Unknown form of step {step.GetType().Name}.");
            }
        }

        return count;
    }

    /// <summary>
    /// What the booking states that the week's pattern cannot bear: fixed and dated minutes above the pattern of their day, a flexible week or a period
    /// (in the week that it begins in) without any pattern.
    /// </summary>
    public CapacityRefusal? AgainstPattern(WeekDays days)
    {
        var sunday = days.Sunday;
        for (var i = 0; i < _steps.Length; i++)
        {
            var step = _steps[i];
            if (step.Dates.Start > sunday || step.Dates.End <= days.Monday)
            {
                continue;
            }

            switch (step)
            {
                case FlexibleStep when days.PatternMinutes == 0:
                    return CapacityRefusal.Of(CapacityRule.NoPattern, days.Monday);
                case FixedDaysStep fixedDays when IsTurnOf(fixedDays, days.Monday):
                    for (var d = 0; d < 7; d++)
                    {
                        var stated = fixedDays.Weekdays.On((IsoDayOfWeek)(d + 1));
                        if (stated > days.Pattern[d] && step.Dates.Contains(days.Monday.PlusDays(d)))
                        {
                            return CapacityRefusal.Of(CapacityRule.AbovePattern, days.Monday.PlusDays(d), stated - days.Pattern[d]);
                        }
                    }

                    break;
                case DatedStep dated:
                    for (var d = 0; d < 7; d++)
                    {
                        var day = days.Monday.PlusDays(d);
                        if (StatedOn(dated, day) is var stated && stated > days.Pattern[d])
                        {
                            return CapacityRefusal.Of(CapacityRule.AbovePattern, day, stated - days.Pattern[d]);
                        }
                    }

                    break;
                case PerPeriodStep when _periods![i]!.WithoutPatternFrom(days) is { } start:
                    return CapacityRefusal.Of(CapacityRule.NoPattern, start);
            }
        }

        return null;
    }

    /// <summary>The bill-cycle period of a per-period step that covers the day, within which its minutes may move from week to week; null where no such step does.</summary>
    public DateRange? PeriodOf(LocalDate day)
    {
        for (var i = 0; _periods is not null && i < _steps.Length; i++)
        {
            if (_steps[i].Dates.Contains(day))
            {
                return _periods[i]?.Of(day);
            }
        }

        return null;
    }

    private int StatedOn(DatedStep dated, LocalDate day) => dated.Minutes.GetValueOrDefault(_shift == 0 ? day : day.PlusDays(-_shift));

    private static bool IsTurnOf(FixedDaysStep step, LocalDate monday) =>
        step.EveryWeeks == 1 || Period.DaysBetween(MondayOf(step.Dates.Start), monday) / 7 % step.EveryWeeks == 0;

    /// <summary>A per-period step's minutes in the part of one ISO week that lies in one period.</summary>
    public readonly record struct WeekShare(LocalDate First, LocalDate Last, long Minutes);

    /// <summary>
    /// A period's minutes over its weeks, in proportion to the available minutes, by largest remainder. Frozen weeks keep what they had; the rest
    /// goes to the others.
    /// </summary>
    public static WeekShare[] Shares(PerPeriodStep step, Billing.BillPeriod period, ImmutableSortedDictionary<LocalDate, int>? frozen, WorkCalendar calendar, Agencies.AgencyPolicy policy, bool withoutTimeOff)
    {
        var weeks = new List<WeekShare>(7);
        for (var first = period.Dates.Start; first < period.Dates.End;)
        {
            var next = LocalDate.Min(MondayOf(first).PlusDays(7), period.Dates.End!.Value);
            weeks.Add(new WeekShare(first, next.PlusDays(-1), 0));
            first = next;
        }

        var shares = weeks.ToArray();
        long rest = period.ProrateMinutes(step.PeriodMinutes);
        var available = new long[shares.Length];
        for (var i = 0; i < shares.Length; i++)
        {
            if (!withoutTimeOff && frozen is not null && frozen.TryGetValue(shares[i].First, out var kept))
            {
                shares[i] = shares[i] with { Minutes = kept };
                rest -= kept;
                continue;
            }

            for (var day = shares[i].First; day <= shares[i].Last; day = day.PlusDays(1))
            {
                available[i] += calendar.Available(day, policy, withoutTimeOff);
            }
        }

        var split = Rounding.Split(Math.Max(0, rest), available);
        for (var i = 0; i < shares.Length; i++)
        {
            if (split[i] > 0)
            {
                shares[i] = shares[i] with { Minutes = split[i] };
            }
        }

        return shares;
    }

    /// <summary>The per-period shares of weeks that are over on <paramref name="today"/>: what a change of the calendar leaves where it was.</summary>
    public static ImmutableSortedDictionary<LocalDate, int>? Freeze(Booking booking, LocalDate today, WorkCalendar calendar, Agencies.AgencyPolicy policy)
    {
        var frozen = booking.Frozen;
        foreach (var step in booking.Spec.Steps.OfType<PerPeriodStep>())
        {
            foreach (var period in step.Cycle.Periods(step.Dates))
            {
                if (period.Dates.Start >= today)
                {
                    break;
                }

                foreach (var share in Shares(step, period, booking.Frozen, calendar, policy, withoutTimeOff: false))
                {
                    if (share.Last < today)
                    {
                        frozen = (frozen ?? ImmutableSortedDictionary<LocalDate, int>.Empty).SetItem(share.First, (int)share.Minutes);
                    }
                }
            }
        }

        return frozen;
    }

    /// <summary>
    /// The frozen weeks that a booking keeps under other steps: those of periods that begin on the same day and ask for the same minutes by the same cycle.
    /// </summary>
    public static ImmutableSortedDictionary<LocalDate, int>? StillFrozen(Booking booking, BookingSpec changed) =>
        booking.Frozen?.RemoveRange(booking.Frozen.Keys.Where(first => Asked(booking.Spec, first) is not { } period || period != Asked(changed, first)));

    /// <summary>What is asked of the period that a day is in, whatever its end; null where no per-period step covers the day.</summary>
    private static (LocalDate Start, int Minutes, Billing.BillCycle Cycle)? Asked(BookingSpec spec, LocalDate day) =>
        spec.Steps.OfType<PerPeriodStep>().FirstOrDefault(step => step.Dates.Contains(day)) is { } step
            ? (step.Cycle.Periods(step.Dates).First(period => period.Dates.Contains(day)).Dates.Start, step.PeriodMinutes, step.Cycle)
            : null;

    /// <summary>The periods of one step with their shares, worked out as far as weeks were asked for.</summary>
    private sealed class Periods(
        PerPeriodStep step, ImmutableSortedDictionary<LocalDate, int>? frozen, WorkCalendar calendar, Agencies.AgencyPolicy policy, bool withoutTimeOff)
    {
        private readonly Lock _lock = new();
        private readonly List<Billing.BillPeriod> _periods = [];
        private readonly List<WeekShare> _shares = [];
        private IEnumerator<Billing.BillPeriod>? _next;
        private bool _all;

        public int Parts(in Week week, Span<Part> parts, int count)
        {
            var (monday, sunday) = (week.Days.Monday, week.Days.Sunday);
            lock (_lock)
            {
                Reach(sunday);
                for (var i = FirstFrom(_shares, monday, s => s.First); i < _shares.Count && _shares[i].First <= sunday; i++)
                {
                    var share = _shares[i];
                    parts[count++] = new Part(Period.DaysBetween(monday, share.First), Period.DaysBetween(monday, share.Last), share.Minutes * week.Scale);
                }
            }

            return count;
        }

        /// <summary>The period that a day of the step is in.</summary>
        public DateRange Of(LocalDate day)
        {
            lock (_lock)
            {
                Reach(day);
                return _periods[FirstFrom(_periods, day.PlusDays(1), p => p.Dates.Start) - 1].Dates;
            }
        }

        /// <summary>The start of the first period that begins in the week and has no day with a pattern.</summary>
        public LocalDate? WithoutPatternFrom(WeekDays days)
        {
            lock (_lock)
            {
                Reach(days.Sunday);
                for (var i = FirstFrom(_periods, days.Monday, p => p.Dates.Start); i < _periods.Count && _periods[i].Dates.Start <= days.Sunday; i++)
                {
                    if (!AnyPattern(_periods[i].Dates))
                    {
                        return _periods[i].Dates.Start;
                    }
                }
            }

            return null;
        }

        /// <summary>Works out all periods that begin on or before a day. A share lies within one week and one period, so they come in order.</summary>
        private void Reach(LocalDate day)
        {
            while (!_all && (_periods.Count == 0 || _periods[^1].Dates.End <= day))
            {
                _next ??= step.Cycle.Periods(step.Dates).GetEnumerator();
                if (!_next.MoveNext())
                {
                    _all = true;
                    return;
                }

                _periods.Add(_next.Current);
                foreach (var share in Shares(step, _next.Current, frozen, calendar, policy, withoutTimeOff))
                {
                    if (share.Minutes > 0)
                    {
                        _shares.Add(share);
                    }
                }
            }
        }

        private bool AnyPattern(DateRange dates)
        {
            for (var day = dates.Start; day < dates.End; day = day.PlusDays(1))
            {
                if (calendar.Pattern(day) > 0)
                {
                    return true;
                }
            }

            return false;
        }

        private static int FirstFrom<T>(List<T> list, LocalDate day, Func<T, LocalDate> date)
        {
            var (low, high) = (0, list.Count);
            while (low < high)
            {
                var middle = (low + high) / 2;
                if (date(list[middle]) < day)
                {
                    low = middle + 1;
                }
                else
                {
                    high = middle;
                }
            }

            return low;
        }
    }
}
