using System.Collections.Immutable;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Time;
using NodaTime;

namespace AgencyPlatform.Domain.Engagements;

/// <summary>The meter at the end of a period, if everything logged is approved and everything booked is worked.</summary>
/// <param name="Unapproved">Billable minutes logged to the date and not approved yet.</param>
/// <param name="Booked">Minutes booked from the day after the date to the period's end.</param>
/// <param name="Remaining">What an entry of the period's last day could still draw then.</param>
/// <param name="Beyond">Minutes of both that no grant covers.</param>
/// <param name="ExhaustedOn">The day on which nothing is left, not before the date; null: something is left at the end, or the terms have no meter.</param>
[GenerateSerializer, Immutable, Alias("engagement.meter-projection")]
public sealed record MeterProjection(int Unapproved, int Booked, int Remaining, int Beyond, LocalDate? ExhaustedOn);

/// <summary>Looks ahead on the meter. Nothing is recorded.</summary>
public sealed partial record Engagement
{
    /// <summary>Projects the meter from a date to the end of its period; null outside the service.</summary>
    /// <param name="unapproved">Billable minutes of the period logged to the date and not approved yet.</param>
    /// <param name="booked">What is booked for this engagement; of other days than those after the date and within its period it takes no notice.</param>
    public MeterProjection? Project(LocalDate date, int unapproved, ImmutableArray<PlannedWork> booked)
    {
        if (!Service.Contains(date))
        {
            return null;
        }

        var period = PeriodOn(date).Dates;
        var ahead = booked.Where(b => b.Date > date && period.Contains(b.Date)).OrderBy(b => b.Date).Select(b => (b.Date, b.Minutes)).ToList();
        var (drawn, beyond, hasMeter) = (Time.Drawn, 0, TermsOn(date).HasMeter);
        LocalDate? exhausted = null;
        foreach (var (day, minutes) in ahead.Prepend((date, unapproved)))
        {
            var meter = MeterOn(day) with { Drawn = drawn };
            var draws = meter.Draw(day, minutes);
            drawn = Meter.Taken(drawn, draws);
            beyond += hasMeter ? minutes - draws.Sum(d => d.Minutes) : 0;
            if (exhausted is null && hasMeter && (meter with { Drawn = drawn }).RemainingOn(day) == 0)
            {
                exhausted = day;
            }
        }

        var last = period.End!.Value.PlusDays(-1);
        return new MeterProjection(unapproved, ahead.Sum(a => a.Minutes), (MeterOn(last) with { Drawn = drawn }).RemainingOn(last), beyond, exhausted);
    }
}
