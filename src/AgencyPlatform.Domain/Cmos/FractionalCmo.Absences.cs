using System.Collections.Immutable;
using AgencyPlatform.Domain.Capacity;
using NodaTime;

namespace AgencyPlatform.Domain.Cmos;

/// <summary>What a time off takes from engagements, day by day: what a cover would take over.</summary>
public sealed partial record FractionalCmo
{
    /// <summary>
    /// The minutes that engagements' bookings lack because of a time off, beyond what they lacked already. What a booking is to do on a fixed or dated day, on a
    /// flexible step's days of a week, or in a period, is spread over those of them that are off, in proportion to what it takes from each, largest
    /// remainder. Empty when there is no such time off.
    /// </summary>
    public ImmutableArray<LostTime> LostTo(TimeOffId id)
    {
        if (!Calendar.TimeOff.TryGetValue(id, out var timeOff))
        {
            return [];
        }

        var before = Facts with { Calendar = Calendar with { TimeOff = Calendar.TimeOff.Remove(id) } };
        var lacked = Reports.Lacks(before, timeOff.Start, timeOff.End).ToDictionary(l => (l.Booking.Id, l.Days.Start), l => l.Minutes);
        var lost = new SortedDictionary<EngagementId, ImmutableSortedDictionary<LocalDate, int>>();
        foreach (var lack in Reports.Lacks(Facts, timeOff.Start, timeOff.End))
        {
            var minutes = lack.Minutes - lacked.GetValueOrDefault((lack.Booking.Id, lack.Days.Start));
            if (lack.Booking.Owner is not { } engagement || minutes <= 0 || timeOff.Dates.Intersect(lack.Days) is not { } off)
            {
                continue;
            }

            var days = Enumerable.Range(0, Period.DaysBetween(off.Start, off.End!.Value)).Select(off.Start.PlusDays).ToArray();
            var taken = days.Select(day => (long)before.Calendar.Available(day, Policy) - Calendar.Available(day, Policy)).ToArray();
            var known = lost.GetValueOrDefault(engagement) ?? ImmutableSortedDictionary<LocalDate, int>.Empty;
            foreach (var (day, share) in days.Zip(Rounding.Split(minutes, taken)).Where(d => d.Second > 0))
            {
                known = known.SetItem(day, (int)Math.Min(1440, known.GetValueOrDefault(day) + share));
            }

            if (!known.IsEmpty)
            {
                lost[engagement] = known;
            }
        }

        return [.. lost.Select(l => new LostTime(l.Key, l.Value))];
    }
}

/// <summary>What an engagement lacks, by date.</summary>
[GenerateSerializer, Immutable, Alias("cmo.lost-time")]
public sealed record LostTime(EngagementId Engagement, ImmutableSortedDictionary<LocalDate, int> Minutes);
