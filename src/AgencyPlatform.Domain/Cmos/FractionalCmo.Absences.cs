using System.Collections.Immutable;
using AgencyPlatform.Domain.Capacity;
using NodaTime;

namespace AgencyPlatform.Domain.Cmos;

/// <summary>What a time off takes from engagements, day by day: what a cover would take over.</summary>
public sealed partial record FractionalCmo
{
    /// <summary>
    /// The minutes that engagements' bookings lack because of a time off, spread over its days of the week in proportion to what it takes from each,
    /// largest remainder. Empty when there is no such time off.
    /// </summary>
    public ImmutableArray<LostTime> LostTo(TimeOffId id)
    {
        if (!Calendar.TimeOff.TryGetValue(id, out var timeOff))
        {
            return [];
        }

        var before = Facts with { Calendar = Calendar with { TimeOff = Calendar.TimeOff.Remove(id) } };
        var lost = new SortedDictionary<EngagementId, ImmutableSortedDictionary<LocalDate, int>>();
        foreach (var week in Reports.Compare(before, Facts, timeOff.Start, timeOff.End).Shortfalls
                     .Select(s => (s.Monday, Engagement: Bookings[s.Booking].Owner, s.Minutes)).Where(s => s.Engagement is not null)
                     .GroupBy(s => (Engagement: s.Engagement!.Value, s.Monday), s => s.Minutes))
        {
            var days = Enumerable.Range(0, 7).Select(week.Key.Monday.PlusDays).Where(timeOff.Dates.Contains).ToArray();
            var taken = days.Select(day => (long)before.Calendar.Available(day, Policy) - Calendar.Available(day, Policy)).ToArray();
            if (taken.Sum() == 0)
            {
                continue;
            }

            var shares = Rounding.Split(week.Sum(), taken);
            var known = lost.GetValueOrDefault(week.Key.Engagement) ?? ImmutableSortedDictionary<LocalDate, int>.Empty;
            lost[week.Key.Engagement] = known.AddRange(days.Zip(shares).Where(d => d.Second > 0).Select(d => KeyValuePair.Create(d.First, (int)Math.Min(1440, d.Second))));
        }

        return [.. lost.Select(l => new LostTime(l.Key, l.Value))];
    }
}

/// <summary>What an engagement lacks, by date.</summary>
[GenerateSerializer, Immutable, Alias("cmo.lost-time")]
public sealed record LostTime(EngagementId Engagement, ImmutableSortedDictionary<LocalDate, int> Minutes);
