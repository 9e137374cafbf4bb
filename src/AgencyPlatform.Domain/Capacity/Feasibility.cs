using System.Collections.Immutable;
using NodaTime;

namespace AgencyPlatform.Domain.Capacity;

/// <summary>What a CMO's capacity is decided on.</summary>
/// <param name="Bookings">Every hold that has not expired and every confirmed booking.</param>
/// <param name="MaxClients">At most so many distinct client companies on any day.</param>
/// <param name="MinBlockMinutes">The least that is agreed per week (flexible), per day (fixed, dated) or per period.</param>
public sealed record CapacityFacts(
    WorkCalendar Calendar, Agencies.AgencyPolicy Policy, ImmutableSortedDictionary<BookingId, Booking> Bookings, int MaxClients, int MinBlockMinutes);

/// <summary>
/// Decides whether a booking fits. A booking or change is accepted only if no run's excess appears or grows, and on every day of it the client limit,
/// the smallest block and the competitor fence hold. Source: domain §2.
/// </summary>
public static class Feasibility
{
    /// <summary>How far ahead an open end is checked at the least, and how far a start that fits is looked for.</summary>
    public const int HorizonWeeks = 104;

    /// <summary>Null when the booking fits; else why not, explained.</summary>
    /// <param name="replacing">The booking that this one takes the place of, if it is a change.</param>
    public static CapacityRefusal? Check(CapacityFacts facts, BookingSpec spec, Clients.ClientFence fence, Booking? replacing = null)
    {
        var refusal = FirstRefusal(facts, spec, fence, replacing, CapacityRefusal.MostWeeks);
        return refusal is null or { Rule: CapacityRule.SmallestBlock } ? refusal : refusal with { EarliestStart = EarliestStart(facts, spec, fence, replacing) };
    }

    /// <summary>The client limit and the competitor fence of a booking that stands: broken by a later fact or not.</summary>
    internal static CapacityRefusal? Standing(CapacityFacts facts, Booking booking) =>
        Competitors(facts, booking.Spec, booking.Fence, booking) ?? Clients(facts, booking.Spec, booking);

    private static CapacityRefusal? FirstRefusal(CapacityFacts facts, BookingSpec spec, Clients.ClientFence fence, Booking? replacing, int mostWeeks) =>
        SmallestBlock(facts, spec)
        ?? Competitors(facts, spec, fence, replacing)
        ?? Clients(facts, spec, replacing)
        ?? Weeks(facts, spec, replacing, mostWeeks);

    private static LocalDate? EarliestStart(CapacityFacts facts, BookingSpec spec, Clients.ClientFence fence, Booking? replacing)
    {
        for (var days = 1; days <= HorizonWeeks * 7; days++)
        {
            if (FirstRefusal(facts, spec.Shift(days), fence, replacing, mostWeeks: 1) is null)
            {
                return spec.Steps[0].Dates.Start.PlusDays(days);
            }
        }

        return null;
    }

    private static CapacityRefusal? SmallestBlock(CapacityFacts facts, BookingSpec spec)
    {
        foreach (var step in spec.Steps)
        {
            var least = step switch
            {
                FlexibleStep flexible => flexible.WeeklyMinutes,
                FixedDaysStep { Weekdays: var w } => Enumerable.Range(1, 7).Select(d => w.On((IsoDayOfWeek)d)).Where(m => m > 0).DefaultIfEmpty(0).Min(),
                DatedStep dated => dated.Minutes.Values.Min(),
                PerPeriodStep perPeriod => perPeriod.PeriodMinutes,
                _ => throw new InvalidOperationException($"Unknown form of step {step.GetType().Name}."),
            };
            if (least < facts.MinBlockMinutes)
            {
                return CapacityRefusal.Of(CapacityRule.SmallestBlock, missing: facts.MinBlockMinutes - least);
            }
        }

        return null;
    }

    private static CapacityRefusal? Competitors(CapacityFacts facts, BookingSpec spec, Clients.ClientFence fence, Booking? replacing)
    {
        if (facts.Bookings.Count == 0)
        {
            return null;
        }

        var dates = Lengthened(spec.Dates(), facts.Policy.CoolingOffDays);
        foreach (var (id, other) in facts.Bookings)
        {
            if (id != replacing?.Id && other.Spec.Client != spec.Client && AreCompetitors(spec.Client, fence, other)
                && Lengthened(other.Dates, facts.Policy.CoolingOffDays).Overlaps(dates))
            {
                return CapacityRefusal.Of(CapacityRule.CompetitorFence, LocalDate.Max(other.Dates.Start, spec.Steps[0].Dates.Start), clashes: id);
            }
        }

        return null;
    }

    /// <summary>Whether either names the other, by what the command brought or by what came with the other booking.</summary>
    private static bool AreCompetitors(ClientCompanyId client, Clients.ClientFence fence, Booking other) =>
        fence.Names.Contains(other.Spec.Client) || fence.NamedBy.Contains(other.Spec.Client)
        || other.Fence.Names.Contains(client) || other.Fence.NamedBy.Contains(client);

    private static DateRange Lengthened(DateRange dates, int days) => dates with { End = dates.End?.PlusDays(days) };

    private static CapacityRefusal? Clients(CapacityFacts facts, BookingSpec spec, Booking? replacing)
    {
        if (facts.Bookings.Count < facts.MaxClients)
        {
            return facts.MaxClients < 1 ? CapacityRefusal.Of(CapacityRule.MaxClients, spec.Steps[0].Dates.Start) : null;
        }

        // The clients of a day change only where a booking starts.
        var dates = spec.Dates();
        var starts = facts.Bookings.Values.Where(b => b.Id != replacing?.Id).Select(b => b.Dates.Start).Where(dates.Contains).Append(dates.Start).Distinct().Order();
        foreach (var day in starts)
        {
            var clients = facts.Bookings.Values.Where(b => b.Id != replacing?.Id && b.Dates.Contains(day)).Select(b => b.Spec.Client).Append(spec.Client).Distinct().Count();
            if (clients > facts.MaxClients)
            {
                return CapacityRefusal.Of(CapacityRule.MaxClients, day);
            }
        }

        return null;
    }

    private static CapacityRefusal? Weeks(CapacityFacts facts, BookingSpec spec, Booking? replacing, int mostWeeks)
    {
        Span<long> space = stackalloc long[Week.Space];
        Span<long> after = stackalloc long[49];
        Span<long> before = stackalloc long[49];
        var end = spec.Dates().End ?? Horizon(facts, spec);
        List<FailingWeek>? failing = null;
        DateRange? firstRun = null;
        for (var monday = Demand.MondayOf(spec.Steps[0].Dates.Start); monday < end; monday = monday.PlusDays(7))
        {
            var week = new Week(space, monday, facts.Calendar, facts.Policy);
            if (Stated(week, spec, facts.Calendar) is { } wrong)
            {
                return wrong;
            }

            AskAll(ref week, facts, replacing);
            Demand.Ask(ref week, spec, null, facts.Calendar, facts.Policy);
            week.Excess(after);
            if (!after.ContainsAnyExcept(0L))
            {
                continue;
            }

            week.Clear();
            AskAll(ref week, facts, except: null);
            week.Excess(before);
            var (excess, run) = Worst(after, before, week.Monday);
            if (run is null)
            {
                continue;
            }

            firstRun ??= run;
            (failing ??= []).Add(new FailingWeek(monday, Rounding.Up(excess, week.Scale)));
            if (failing.Count == mostWeeks)
            {
                break;
            }
        }

        return failing is null
            ? null
            : new CapacityRefusal(CapacityRule.Capacity, failing[0].Monday, failing[0].MissingMinutes, firstRun, [.. failing], null, null);
    }

    /// <summary>The largest excess among the runs where it appears or grows; of equals the shortest, then the earliest run.</summary>
    private static (long Excess, DateRange? Run) Worst(ReadOnlySpan<long> after, ReadOnlySpan<long> before, LocalDate monday)
    {
        var worst = 0L;
        DateRange? run = null;
        for (var length = 1; length <= 7; length++)
        {
            for (var first = 0; first + length <= 7; first++)
            {
                var index = first * 7 + first + length - 1;
                if (after[index] > before[index] && after[index] > worst)
                {
                    worst = after[index];
                    run = new DateRange(monday.PlusDays(first), monday.PlusDays(first + length));
                }
            }
        }

        return (worst, run);
    }

    private static void AskAll(ref Week week, CapacityFacts facts, Booking? except)
    {
        foreach (var (id, booking) in facts.Bookings)
        {
            if (id != except?.Id)
            {
                Demand.Ask(ref week, booking.Spec, booking.Frozen, facts.Calendar, facts.Policy);
            }
        }
    }

    /// <summary>Fixed and dated minutes are refused above the pattern of their day; a flexible week and a period without any pattern are refused.</summary>
    private static CapacityRefusal? Stated(in Week week, BookingSpec spec, WorkCalendar calendar)
    {
        var sunday = week.Monday.PlusDays(6);
        foreach (var step in spec.Steps)
        {
            if (step.Dates.Start > sunday || step.Dates.End <= week.Monday)
            {
                continue;
            }

            switch (step)
            {
                case FlexibleStep when week.PatternMinutes == 0:
                    return CapacityRefusal.Of(CapacityRule.NoPattern, week.Monday);
                case FixedDaysStep fixedDays when Period.DaysBetween(Demand.MondayOf(step.Dates.Start), week.Monday) / 7 % fixedDays.EveryWeeks == 0:
                    for (var d = 0; d < 7; d++)
                    {
                        var day = week.Monday.PlusDays(d);
                        var stated = fixedDays.Weekdays.On((IsoDayOfWeek)(d + 1));
                        if (stated > week.Pattern[d] && step.Dates.Contains(day))
                        {
                            return CapacityRefusal.Of(CapacityRule.AbovePattern, day, stated - week.Pattern[d]);
                        }
                    }

                    break;
                case DatedStep dated:
                    for (var d = 0; d < 7; d++)
                    {
                        var day = week.Monday.PlusDays(d);
                        if (dated.Minutes.TryGetValue(day, out var stated) && stated > week.Pattern[d])
                        {
                            return CapacityRefusal.Of(CapacityRule.AbovePattern, day, stated - week.Pattern[d]);
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

                        if (period.Dates.Start >= week.Monday && !AnyPattern(calendar, period.Dates))
                        {
                            return CapacityRefusal.Of(CapacityRule.NoPattern, period.Dates.Start);
                        }
                    }

                    break;
            }
        }

        return null;
    }

    private static bool AnyPattern(WorkCalendar calendar, DateRange dates)
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

    /// <summary>
    /// How far an open end is checked: the later of 104 weeks and one least common multiple of the n in use, after the last date that any known fact names.
    /// </summary>
    internal static LocalDate Horizon(CapacityFacts facts, BookingSpec? spec)
    {
        var last = spec?.Steps[0].Dates.Start ?? LocalDate.MinIsoValue;
        var cycle = 1;
        foreach (var pattern in facts.Calendar.Patterns)
        {
            last = LocalDate.Max(last, pattern.EffectiveFrom);
        }

        foreach (var region in facts.Calendar.Regions)
        {
            last = LocalDate.Max(last, region.EffectiveFrom);
            if (region.Region is { } name && facts.Policy.HolidayCalendars.TryGetValue(name, out var days) && days.Count > 0)
            {
                last = LocalDate.Max(last, days.Max);
            }
        }

        foreach (var (_, off) in facts.Calendar.TimeOff)
        {
            last = LocalDate.Max(last, off.End);
        }

        foreach (var (_, booking) in facts.Bookings)
        {
            Name(booking.Spec);
        }

        if (spec is not null)
        {
            Name(spec);
        }

        return last.PlusWeeks(Math.Max(HorizonWeeks, cycle));

        void Name(BookingSpec named)
        {
            foreach (var step in named.Steps)
            {
                last = LocalDate.Max(last, step.Dates.End ?? step.Dates.Start);
                if (step is FixedDaysStep { EveryWeeks: var n })
                {
                    cycle = cycle / Gcd(cycle, n) * n;
                }
            }
        }

        static int Gcd(int a, int b) => b == 0 ? a : Gcd(b, a % b);
    }
}
