using System.Collections.Immutable;
using NodaTime;

namespace AgencyPlatform.Domain.Capacity;

/// <summary>What a booking asks of a week. Source: domain §2, "Demand".</summary>
internal static class Demand
{
    public static LocalDate MondayOf(LocalDate day) => day.PlusDays(1 - (int)day.DayOfWeek);

    /// <summary>A part of a booking's demand in one week: minutes that must be worked within days [First, Last], in 1 ÷ the week's scale.</summary>
    public readonly record struct Part(int First, int Last, long Scaled);

    /// <summary>Asks of the week all that the booking wants of it.</summary>
    public static void Ask(ref Week week, BookingSpec spec, ImmutableSortedDictionary<LocalDate, int>? frozen, WorkCalendar calendar, Agencies.AgencyPolicy policy, bool withoutTimeOff = false)
    {
        Span<Part> parts = stackalloc Part[MostParts];
        foreach (var part in parts[..Parts(week, spec, frozen, calendar, policy, parts, withoutTimeOff)])
        {
            week.Ask(part.First, part.Last, part.Scaled);
        }
    }

    /// <summary>Each of a week's seven days at most begins one step or one period of it, and a fixed step asks of each day by itself.</summary>
    public const int MostParts = 16;

    public static int Parts(in Week week, BookingSpec spec, ImmutableSortedDictionary<LocalDate, int>? frozen, WorkCalendar calendar, Agencies.AgencyPolicy policy, Span<Part> parts, bool withoutTimeOff = false)
    {
        var count = 0;
        var sunday = week.Monday.PlusDays(6);
        foreach (var step in spec.Steps)
        {
            if (step.Dates.Start > sunday)
            {
                break;
            }

            if (step.Dates.End is { } end && end <= week.Monday)
            {
                continue;
            }

            var first = step.Dates.Start <= week.Monday ? 0 : Period.DaysBetween(week.Monday, step.Dates.Start);
            var last = step.Dates.End is { } e && e <= sunday ? Period.DaysBetween(week.Monday, e) - 1 : 6;
            switch (step)
            {
                case FlexibleStep flexible:
                    // weekly minutes × available minutes on covered days ÷ pattern minutes of the week: the division is the scale.
                    var asked = week.PatternMinutes == 0 ? 0 : (long)flexible.WeeklyMinutes * week.AvailableWithin(first, last);
                    if (asked > 0)
                    {
                        parts[count++] = new Part(first, last, asked);
                    }

                    break;
                case FixedDaysStep fixedDays:
                    if (Period.DaysBetween(MondayOf(step.Dates.Start), week.Monday) / 7 % fixedDays.EveryWeeks != 0)
                    {
                        break;
                    }

                    for (var d = first; d <= last; d++)
                    {
                        if (Math.Min(fixedDays.Weekdays.On((IsoDayOfWeek)(d + 1)), week.Available[d]) is > 0 and var minutes)
                        {
                            parts[count++] = new Part(d, d, minutes * week.Scale);
                        }
                    }

                    break;
                case DatedStep dated:
                    for (var d = first; d <= last; d++)
                    {
                        if (dated.Minutes.TryGetValue(week.Monday.PlusDays(d), out var stated) && Math.Min(stated, week.Available[d]) is > 0 and var minutes)
                        {
                            parts[count++] = new Part(d, d, minutes * week.Scale);
                        }
                    }

                    break;
                case PerPeriodStep perPeriod:
                    foreach (var period in perPeriod.Cycle.Periods(perPeriod.Dates))
                    {
                        if (period.Dates.Start > sunday)
                        {
                            break;
                        }

                        if (period.Dates.End <= week.Monday)
                        {
                            continue;
                        }

                        foreach (var share in Shares(perPeriod, period, frozen, calendar, policy, withoutTimeOff))
                        {
                            if (share.First >= week.Monday && share.First <= sunday && share.Minutes > 0)
                            {
                                parts[count++] = new Part(
                                    Period.DaysBetween(week.Monday, share.First), Period.DaysBetween(week.Monday, share.Last), share.Minutes * week.Scale);
                            }
                        }
                    }

                    break;
                default:
                    throw new InvalidOperationException($"Unknown form of step {step.GetType().Name}.");
            }
        }

        return count;
    }

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
}
