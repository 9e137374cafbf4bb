using System.Collections.Immutable;
using NodaTime;

namespace AgencyPlatform.Domain.Capacity;

/// <summary>Whole minutes that are booked for an engagement on one day.</summary>
[GenerateSerializer, Immutable, Alias("capacity.planned-work")]
public sealed record PlannedWork(EngagementId Engagement, LocalDate Date, int Minutes);

/// <summary>
/// What confirmed bookings come to, day by day. A booking promises days, weeks or periods; a plan spreads what it asks of a week over the days it may be worked
/// on, in proportion to what is available, by largest remainder.
/// </summary>
public static class WorkPlan
{
    /// <summary>By date, then engagement; days without minutes are left out.</summary>
    /// <param name="to">Exclusive.</param>
    public static ImmutableArray<PlannedWork> Of(CapacityFacts facts, LocalDate from, LocalDate to)
    {
        var planned = new SortedDictionary<(LocalDate Date, EngagementId Engagement), int>();
        Span<long> space = stackalloc long[Week.Runs];
        Span<Demand.Part> parts = stackalloc Demand.Part[Demand.MostParts];
        for (var monday = Demand.MondayOf(from); monday < to; monday = monday.PlusDays(7))
        {
            var week = new Week(facts.Standing.WeekOf(monday).Days, space);
            foreach (var booking in facts.Standing.All)
            {
                if (booking is not { State: BookingState.Confirmed, Engagement: { } engagement } || booking.Dates.Start > week.Days.Sunday || booking.Dates.End <= monday)
                {
                    continue;
                }

                foreach (var part in parts[..booking.DemandUnder(facts.Calendar, facts.Policy).Parts(week, parts)])
                {
                    var available = new long[part.Last - part.First + 1];
                    for (var i = 0; i < available.Length; i++)
                    {
                        available[i] = week.Days.Available[part.First + i];
                    }

                    var minutes = Rounding.Split(Rounding.HalfUp(part.Scaled, week.Scale), available);
                    for (var i = 0; i < minutes.Length; i++)
                    {
                        var date = monday.PlusDays(part.First + i);
                        if (minutes[i] > 0 && date >= from && date < to)
                        {
                            planned[(date, engagement)] = planned.GetValueOrDefault((date, engagement)) + (int)minutes[i];
                        }
                    }
                }
            }
        }

        return [.. planned.Select(p => new PlannedWork(p.Key.Engagement, p.Key.Date, p.Value))];
    }
}
