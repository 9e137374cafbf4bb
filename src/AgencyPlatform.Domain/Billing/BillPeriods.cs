using System.Collections.Immutable;

namespace AgencyPlatform.Domain.Billing;

/// <summary>The bill-cycle periods of an engagement under terms that change over time. Source: domain §5.</summary>
public static class BillPeriods
{
    /// <summary>
    /// In order, over the service. A change of fee or rate leaves them as they are; a change of the cycle cuts the period that it falls into
    /// and begins a chain of its own. Endless when the service is open: take what you need.
    /// </summary>
    /// <param name="terms">Effective-dated, in order; the first holds from the start of the service.</param>
    public static IEnumerable<BillPeriod> Of(ImmutableArray<Terms> terms, DateRange service)
    {
        for (var first = 0; first < terms.Length;)
        {
            var next = first + 1;
            while (next < terms.Length && terms[next].Cycle == terms[first].Cycle)
            {
                next++;
            }

            var start = first == 0 ? service.Start : terms[first].EffectiveFrom;
            var end = next < terms.Length ? terms[next].EffectiveFrom : service.End;
            if ((end is null || end > start) && new DateRange(start, end).Intersect(service) is { } dates)
            {
                foreach (var period in terms[first].Cycle.Periods(dates))
                {
                    yield return period;
                }
            }

            first = next;
        }
    }
}
