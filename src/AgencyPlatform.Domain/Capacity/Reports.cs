using System.Collections.Immutable;
using NodaTime;

namespace AgencyPlatform.Domain.Capacity;

/// <summary>One ISO week of a CMO in whole minutes. Held and confirmed are rounded half up from exact demand.</summary>
/// <param name="LimitMinutes">Σ over the days of availability × (100 + overbooking percent) ÷ 100, each rounded down.</param>
/// <param name="FreeMinutes">The largest flexible booking of the whole week that would still fit, before proration.</param>
/// <param name="ExcessMinutes">The largest excess of any run, rounded up; 0 in a feasible week.</param>
[GenerateSerializer, Immutable, Alias("capacity.week-report")]
public sealed record WeekReport(
    LocalDate Monday, int PatternMinutes, int AvailableMinutes, int LimitMinutes, long ConfirmedMinutes, long HeldMinutes, long FreeMinutes, long ExcessMinutes);

/// <summary>
/// What a booking lost in a week to time off and older bookings: demand as if there were no time off − what it keeps; half up. Of a per-period booking the
/// whole period's: minutes that were only moved to another week of it are not lost.
/// </summary>
[GenerateSerializer, Immutable, Alias("capacity.shortfall")]
public sealed record Shortfall(LocalDate Monday, BookingId Booking, EngagementId? Engagement, long Minutes);

/// <summary>What a booking lacks of what it is to do within some days: on a fixed or dated day, on a flexible step's days of one week, or in a bill-cycle period.</summary>
internal sealed record Lack(Booking Booking, DateRange Days, long Minutes);

/// <summary>Fixed or dated minutes that availability cuts off: stated − counted.</summary>
[GenerateSerializer, Immutable, Alias("capacity.cut-off")]
public sealed record CutOff(LocalDate Date, int Minutes);

/// <summary>What a new fact (time off, holidays, a smaller pattern, a lower limit, a competitor) did to standing bookings: never refused, always reported.</summary>
/// <param name="InfeasibleWeeks">Weeks in which an excess appeared or grew, at most <see cref="MostRows"/>.</param>
/// <param name="Shortfalls">By booking and week, at most <see cref="MostRows"/>.</param>
/// <param name="Broken">Bookings that now break the client limit or the competitor fence.</param>
[GenerateSerializer, Immutable, Alias("capacity.consequences")]
public sealed record Consequences(ImmutableArray<FailingWeek> InfeasibleWeeks, ImmutableArray<Shortfall> Shortfalls, ImmutableArray<BrokenRule> Broken)
{
    public const int MostRows = 104;
    public static Consequences None { get; } = new([], [], []);
}

[GenerateSerializer, Immutable, Alias("capacity.broken-rule")]
public sealed record BrokenRule(BookingId Booking, CapacityRule Rule, LocalDate Date);

/// <summary>Reports on a CMO's weeks. Source: domain §2.</summary>
public static class Reports
{
    public const int MostWeeks = 530;

    public static ImmutableArray<WeekReport> Weeks(CapacityFacts facts, LocalDate from, int weeks)
    {
        Span<long> space = stackalloc long[Week.Runs];
        Span<long> excess = stackalloc long[Week.Runs];
        var reports = ImmutableArray.CreateBuilder<WeekReport>(weeks);
        for (var w = 0; w < weeks; w++)
        {
            var standing = facts.Standing.WeekOf(Demand.MondayOf(from).PlusDays(7 * w));
            var days = standing.Days;
            var week = new Week(days, space);
            AskConfirmed(week, facts);
            var confirmed = week.Total;
            week = new Week(days, space, standing.ByRun);
            var held = week.Total - confirmed;
            week.Excess(excess);
            var limit = 0;
            foreach (var minutes in days.Limits)
            {
                limit += minutes;
            }

            reports.Add(new WeekReport(
                week.Monday, days.PatternMinutes, days.AvailableWithin(0, 6), limit,
                Rounding.HalfUp(confirmed, week.Scale), Rounding.HalfUp(held, week.Scale),
                week.Room(0, 6, limit * week.Scale) / week.Scale, Rounding.Up(Max(excess), week.Scale)));
        }

        return reports.MoveToImmutable();
    }

    /// <summary>What availability cuts off a booking's fixed and dated minutes, day by day, at most <see cref="Consequences.MostRows"/> days up to <paramref name="until"/>.</summary>
    public static ImmutableArray<CutOff> CutOffs(CapacityFacts facts, BookingSpec spec, LocalDate until)
    {
        var cut = ImmutableArray.CreateBuilder<CutOff>();
        foreach (var step in spec.Steps)
        {
            if (step is not (FixedDaysStep or DatedStep))
            {
                continue;
            }

            var end = step.Dates.End is { } e && e < until ? e : until;
            for (var day = step.Dates.Start; day < end && cut.Count < Consequences.MostRows; day = day.PlusDays(1))
            {
                var stated = step switch
                {
                    DatedStep dated => dated.Minutes.GetValueOrDefault(day),
                    FixedDaysStep f when Period.DaysBetween(Demand.MondayOf(f.Dates.Start), Demand.MondayOf(day)) / 7 % f.EveryWeeks == 0 => f.Weekdays.On(day.DayOfWeek),
                    _ => 0,
                };
                if (stated > 0 && stated - facts.Calendar.Available(day, facts.Policy) is > 0 and var minutes)
                {
                    cut.Add(new CutOff(day, minutes));
                }
            }
        }

        return cut.ToImmutable();
    }

    /// <summary>
    /// Shortfalls of [from, to): bookings keep oldest first, each as much of its present demand as every run allows. What a period lacks is told of the
    /// weeks that keep less of it than they would without time off, in proportion to that.
    /// </summary>
    public static ImmutableArray<Shortfall> Shortfalls(CapacityFacts facts, LocalDate from, LocalDate to) => [.. Lacking(facts, from, to).ByWeek.Values];

    /// <summary>The same by the days among which a booking may move its minutes, all of them.</summary>
    internal static IReadOnlyList<Lack> Lacks(CapacityFacts facts, LocalDate from, LocalDate to) => Lacking(facts, from, to).ByDays;

    /// <summary>Looks at the weeks of [from, to), and beyond them at all weeks of the periods that they belong to.</summary>
    private static (List<Lack> ByDays, SortedDictionary<(LocalDate Monday, long Age), Shortfall> ByWeek) Lacking(CapacityFacts facts, LocalDate from, LocalDate to)
    {
        Span<long> space = stackalloc long[Week.Runs];
        Span<long> otherSpace = stackalloc long[Week.Runs];
        Span<Demand.Part> parts = stackalloc Demand.Part[Demand.MostParts];
        Span<long> missing = stackalloc long[7];
        Span<int> lastDays = stackalloc int[7];
        var byDays = new List<Lack>();
        var byWeek = new SortedDictionary<(LocalDate Monday, long Age), Shortfall>();
        var (first, last) = (Demand.MondayOf(from), to);
        if (first >= last)
        {
            return (byDays, byWeek);
        }

        var weeks = new DateRange(first, Demand.MondayOf(to.PlusDays(6)));
        var byAge = facts.Bookings.Values.OrderBy(b => b.Age)
            .Select(b => (Booking: b, Wanted: new Demand(b.Spec, b.Frozen, facts.Calendar, facts.Policy, withoutTimeOff: true), Present: b.DemandUnder(facts.Calendar, facts.Policy)))
            .ToArray();
        foreach (var (_, wanted, _) in byAge)
        {
            first = wanted.PeriodOf(weeks.Start) is { } begun ? LocalDate.Min(first, Demand.MondayOf(begun.Start)) : first;
            last = wanted.PeriodOf(weeks.End!.Value.PlusDays(-1)) is { } unfinished ? LocalDate.Max(last, unfinished.End!.Value) : last;
        }

        var periods = new Dictionary<(BookingId, LocalDate), (Booking Booking, DateRange Dates, List<(LocalDate Monday, long Minutes)> Lost)>();
        for (var monday = first; monday < last; monday = monday.PlusDays(7))
        {
            var week = new Week(facts.Standing.WeekOf(monday).Days, space);
            var whole = new Week(new WeekDays(monday, facts.Calendar, facts.Policy, withoutTimeOff: true), otherSpace);
            foreach (var (booking, wanted, present) in byAge)
            {
                if (booking.Dates.Start > week.Days.Sunday || booking.Dates.End <= monday)
                {
                    continue;
                }

                // A part of the demand is known by its first day: no two of a booking share a day.
                missing.Clear();
                lastDays.Fill(-1);
                foreach (var part in parts[..wanted.Parts(whole, parts)])
                {
                    (missing[part.First], lastDays[part.First]) = (part.Scaled, part.Last);
                }

                foreach (var part in parts[..present.Parts(week, parts)])
                {
                    var keeps = week.Room(part.First, part.Last, part.Scaled);
                    week.Ask(part.First, part.Last, keeps);
                    (missing[part.First], lastDays[part.First]) = (missing[part.First] - keeps, part.Last);
                }

                var ofWeek = 0L;
                for (var d = 0; d < 7; d++)
                {
                    var day = monday.PlusDays(d);
                    if (lastDays[d] < 0)
                    {
                        continue;
                    }

                    if (wanted.PeriodOf(day) is { } period)
                    {
                        // Below 0 where minutes were moved to: what counts is the period's sum.
                        if (!periods.TryGetValue((booking.Id, period.Start), out var known))
                        {
                            periods[(booking.Id, period.Start)] = known = (booking, period, []);
                        }

                        known.Lost.Add((monday, Rounding.HalfUp(missing[d], week.Scale)));
                    }
                    else if (missing[d] > 0 && weeks.Contains(monday))
                    {
                        ofWeek += missing[d];
                        byDays.Add(new Lack(booking, new DateRange(day, monday.PlusDays(lastDays[d] + 1)), Rounding.HalfUp(missing[d], week.Scale)));
                    }
                }

                Report(monday, booking, Rounding.HalfUp(ofWeek, week.Scale));
            }
        }

        foreach (var (booking, dates, lost) in periods.Values.Where(p => p.Dates.Overlaps(weeks)))
        {
            var minutes = Math.Max(0, lost.Sum(l => l.Minutes));
            byDays.Add(new Lack(booking, dates, minutes));
            foreach (var (week, share) in lost.Zip(Rounding.Split(minutes, [.. lost.Select(l => Math.Max(0, l.Minutes))])))
            {
                Report(week.Monday, booking, share);
            }
        }

        return (byDays, byWeek);

        void Report(LocalDate monday, Booking booking, long minutes)
        {
            if (minutes > 0 && weeks.Contains(monday))
            {
                var known = byWeek.TryGetValue((monday, booking.Age), out var other) ? other.Minutes : 0;
                byWeek[(monday, booking.Age)] = new Shortfall(monday, booking.Id, booking.Engagement, known + minutes);
            }
        }
    }

    /// <summary>What changed for standing bookings between two sets of facts, from a date on.</summary>
    public static Consequences Compare(CapacityFacts before, CapacityFacts after, LocalDate from, LocalDate? to)
    {
        if (after.Bookings.Count == 0)
        {
            return Consequences.None;
        }

        Span<long> excess = stackalloc long[Week.Runs];
        var last = after.Bookings.Values.Select(b => b.Dates.End).Aggregate((LocalDate?)from, (a, b) => a is null || b is null ? null : LocalDate.Max(a.Value, b.Value));
        var end = last ?? Feasibility.Horizon(after, null);
        if (to is { } bound && bound < end)
        {
            end = bound;
        }

        var weeks = ImmutableArray.CreateBuilder<FailingWeek>();
        for (var monday = Demand.MondayOf(from); monday < end && weeks.Count < Consequences.MostRows; monday = monday.PlusDays(7))
        {
            if (Missing(after, monday, excess) is > 0 and var missing && missing > Missing(before, monday, excess))
            {
                weeks.Add(new FailingWeek(monday, missing));
            }
        }

        var known = Shortfalls(before, from, end).ToHashSet();
        return new Consequences(weeks.ToImmutable(), [.. Shortfalls(after, from, end).Where(s => !known.Contains(s)).Take(Consequences.MostRows)], Broken(after));
    }

    /// <summary>A week's largest excess, rounded up.</summary>
    private static long Missing(CapacityFacts facts, LocalDate monday, Span<long> excess)
    {
        Span<long> space = stackalloc long[Week.Runs];
        var standing = facts.Standing.WeekOf(monday);
        var week = new Week(standing.Days, space, standing.ByRun);
        week.Excess(excess);
        return Rounding.Up(Max(excess), week.Scale);
    }

    private static ImmutableArray<BrokenRule> Broken(CapacityFacts facts)
    {
        var broken = ImmutableArray.CreateBuilder<BrokenRule>();
        foreach (var (_, booking) in facts.Bookings.Take(Consequences.MostRows))
        {
            if (Feasibility.Standing(facts, booking) is { } refusal)
            {
                broken.Add(new BrokenRule(booking.Id, refusal.Rule, refusal.Date ?? booking.Dates.Start));
            }
        }

        return broken.ToImmutable();
    }

    private static void AskConfirmed(in Week week, CapacityFacts facts)
    {
        foreach (var booking in facts.Standing.All)
        {
            if (booking.State == BookingState.Confirmed && booking.Dates.Start <= week.Days.Sunday && !(booking.Dates.End <= week.Monday))
            {
                booking.DemandUnder(facts.Calendar, facts.Policy).Ask(week);
            }
        }
    }

    private static long Max(ReadOnlySpan<long> values)
    {
        var max = 0L;
        foreach (var value in values)
        {
            max = Math.Max(max, value);
        }

        return max;
    }
}
