using System.Collections.Immutable;
using NodaTime;

namespace AgencyPlatform.Domain.Capacity;

/// <summary>
/// Demand that must be worked within some days of one week, as a multiple of 1 ÷ <see cref="Scale"/> minutes: the week's one denominator, so that sums are exact.
/// </summary>
/// <param name="First">Monday is 0.</param>
/// <param name="Last">Sunday is 6.</param>
public readonly record struct WeekAsk(LocalDate Monday, int First, int Last, long Scaled, long Scale);

/// <summary>
/// What the weeks of a CMO still hold, and what a booking would ask of them, exactly: for whoever weighs many bookings that are not made yet against each
/// other. A set of bookings that each fit alone fits together where, in every week, for every run of days, what they ask within it is at most its room.
/// Source: domain §2, "Feasible week".
/// </summary>
public static class Rooms
{
    /// <summary>What a booking would ask of each week, from its first day until a date, weeks in order.</summary>
    /// <param name="until">Where an open end is cut.</param>
    public static ImmutableArray<WeekAsk> Asked(CapacityFacts facts, BookingSpec spec, LocalDate until)
    {
        var demand = new Demand(spec, null, facts.Calendar, facts.Policy);
        var end = demand.Dates.End is { } e && e < until ? e : until;
        Span<long> space = stackalloc long[Week.Runs];
        Span<Demand.Part> parts = stackalloc Demand.Part[Demand.MostParts];
        var asked = ImmutableArray.CreateBuilder<WeekAsk>();
        for (var monday = Demand.MondayOf(demand.Dates.Start); monday < end; monday = monday.PlusDays(7))
        {
            var week = new Week(facts.Standing.WeekOf(monday).Days, space);
            foreach (var part in parts[..demand.Parts(week, parts)])
            {
                asked.Add(new WeekAsk(monday, part.First, part.Last, part.Scaled, week.Scale));
            }
        }

        return asked.ToImmutable();
    }

    /// <summary>
    /// For every run of days of a week, at the index first × 7 + last: its limit less what the bookings that stand ask within it, at least 0, in 1 ÷ scale
    /// minutes. In a run that is promised beyond its limit already there is no room.
    /// </summary>
    /// <param name="scale">As <see cref="WeekAsk.Scale"/> of the same week.</param>
    public static long[] Of(CapacityFacts facts, LocalDate monday, out long scale)
    {
        var standing = facts.Standing.WeekOf(monday);
        Span<long> space = stackalloc long[Week.Runs];
        var week = new Week(standing.Days, space, standing.ByRun);
        scale = week.Scale;
        var rooms = new long[Week.Runs];
        week.Rooms(rooms);
        return rooms;
    }
}
