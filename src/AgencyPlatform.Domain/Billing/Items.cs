using System.Collections.Immutable;
using NodaTime;

namespace AgencyPlatform.Domain.Billing;

/// <summary>What an item charges for.</summary>
public enum Charge
{
    /// <summary>A retainer's fee for the days of a period.</summary>
    Fee,

    /// <summary>Approved minutes beyond the meter, at the overage rate.</summary>
    Overage,

    /// <summary>Approved minutes under hourly terms.</summary>
    Hours,
}

/// <summary>
/// What makes two amounts one item, to be summed and then rounded once: (engagement, charge, bill-cycle period, rate). Source: domain §5.
/// </summary>
/// <param name="Period">First day of the bill-cycle period.</param>
/// <param name="Rate">Minor units: the fee of a full period, or the rate of an hour.</param>
[GenerateSerializer, Immutable, Alias("billing.item-key")]
public readonly record struct ItemKey(
    [property: Id(0)] EngagementId Engagement, [property: Id(1)] LocalDate Period, [property: Id(2)] Charge Charge, [property: Id(3)] long Rate) : IComparable<ItemKey>
{
    public int CompareTo(ItemKey other) =>
        Engagement.CompareTo(other.Engagement) is not 0 and var engagement ? engagement
        : Period.CompareTo(other.Period) is not 0 and var period ? period
        : Charge.CompareTo(other.Charge) is not 0 and var charge ? charge
        : Rate.CompareTo(other.Rate);
}

/// <summary>An item as it ought to be invoiced in all, whatever was invoiced of it before.</summary>
/// <param name="Period">The served days of the bill-cycle period.</param>
/// <param name="FullDays">Days of the full period that a fee is prorated against; 0 for minutes.</param>
/// <param name="Due">Whether a bill to the date in question takes it.</param>
/// <param name="Dates">A fee's days in order, apart from each other; of minutes, from the first entry's date to the last's.</param>
/// <param name="Quantity">Days of a fee; minutes otherwise.</param>
/// <param name="Entries">The entries whose minutes these are, in order.</param>
public sealed record Item(
    ItemKey Key, string Title, DateRange Period, int FullDays, FeeTiming Timing, bool Due, ImmutableArray<DateRange> Dates, long Quantity, ImmutableArray<TimeItem> Entries, Money Amount);

/// <summary>Minutes of an entry within an item.</summary>
public readonly record struct TimeItem(Time.TimeEntryKey Entry, LocalDate Date, int Minutes);

/// <summary>What is owed is computed, not accumulated. Source: domain §5.</summary>
public static class Owed
{
    /// <summary>
    /// The items of an engagement for one seller and currency, of every period that begins on or before <paramref name="to"/>. A fee in advance
    /// is due when its first billed day is on or before it; what is charged in arrears when its period's exclusive end is.
    /// </summary>
    public static ImmutableArray<Item> Of(BillingInputs inputs, LegalEntityId seller, Currency currency, LocalDate to)
    {
        var items = ImmutableArray.CreateBuilder<Item>();
        foreach (var period in BillPeriods.Of(inputs.Terms, inputs.Service).TakeWhile(p => p.Dates.Start <= to))
        {
            if (period.Dates.Intersect(new DateRange(inputs.BillingStartsOn, null)) is not { } billed)
            {
                continue;
            }

            var inForce = InForce(inputs.Terms, billed).Where(t => t.Terms.Seller == seller && t.Terms.Currency == currency).ToList();
            foreach (var fee in inForce.Where(t => t.Terms is RetainerTerms { Fee: > 0 }).GroupBy(t => ((RetainerTerms)t.Terms).Fee))
            {
                var dates = Joined(fee.Select(t => t.Dates));
                var days = dates.Sum(d => NodaTime.Period.DaysBetween(d.Start, d.End!.Value));
                var timing = ((RetainerTerms)fee.Last().Terms).Timing;
                var whole = new Money(fee.Key, currency);
                items.Add(new Item(
                    new ItemKey(inputs.Engagement, period.Dates.Start, Charge.Fee, fee.Key), inputs.Title, period.Dates, period.FullDays, timing,
                    timing == FeeTiming.InAdvance ? billed.Start <= to : period.Dates.End <= to,
                    dates, days, [], days == period.FullDays ? whole : whole.Times(days, period.FullDays)));
            }

            AddMinutes(Charge.Overage, e => e.Overage, t => (t as RetainerTerms)?.OverageHourlyRate);
            AddMinutes(Charge.Hours, e => e.Charged, t => (t as HourlyTerms)?.HourlyRate);

            void AddMinutes(Charge charge, Func<BillableEntry, int> minutesOf, Func<Terms, long?> rateOf)
            {
                var charged = from entry in inputs.Entries
                              where minutesOf(entry) > 0 && billed.Contains(entry.Date)
                              from terms in inForce
                              where terms.Dates.Contains(entry.Date)
                              let rate = rateOf(terms.Terms) ?? 0
                              where rate > 0
                              group new TimeItem(entry.Entry, entry.Date, minutesOf(entry)) by rate;
                foreach (var key in charged)
                {
                    var (entries, minutes) = (key.ToImmutableArray(), key.Sum(e => (long)e.Minutes));
                    items.Add(new Item(
                        new ItemKey(inputs.Engagement, period.Dates.Start, charge, key.Key), inputs.Title, period.Dates, 0, FeeTiming.InArrears, period.Dates.End <= to,
                        [Hull(entries.Select(e => e.Date))], minutes, entries, new Money(key.Key, currency).Times(minutes, 60)));
                }
            }
        }

        return items.ToImmutable();
    }

    /// <summary>From the first of the dates to the day after the last.</summary>
    internal static DateRange Hull(IEnumerable<LocalDate> dates)
    {
        var all = dates.ToList();
        return new DateRange(all.Min(), all.Max().PlusDays(1));
    }

    /// <summary>Days in <paramref name="dates"/> and not in <paramref name="without"/>, one by one.</summary>
    internal static IEnumerable<LocalDate> DaysOf(ImmutableArray<DateRange> dates, ImmutableArray<DateRange> without) =>
        from range in dates
        from day in Enumerable.Range(0, NodaTime.Period.DaysBetween(range.Start, range.End!.Value)).Select(range.Start.PlusDays)
        where !without.Any(w => w.Contains(day))
        select day;

    private static IEnumerable<(Terms Terms, DateRange Dates)> InForce(ImmutableArray<Terms> terms, DateRange dates)
    {
        for (var i = 0; i < terms.Length; i++)
        {
            var start = i == 0 ? dates.Start : LocalDate.Max(terms[i].EffectiveFrom, dates.Start);
            var end = i + 1 < terms.Length ? LocalDate.Min(terms[i + 1].EffectiveFrom, dates.End!.Value) : dates.End!.Value;
            if (start < end)
            {
                yield return (terms[i], new DateRange(start, end));
            }
        }
    }

    /// <summary>The ranges in order, adjacent ones as one.</summary>
    private static ImmutableArray<DateRange> Joined(IEnumerable<DateRange> ranges)
    {
        var joined = ImmutableArray.CreateBuilder<DateRange>();
        foreach (var range in ranges.OrderBy(r => r.Start))
        {
            if (joined.Count > 0 && joined[^1].End == range.Start)
            {
                joined[^1] = joined[^1] with { End = range.End };
            }
            else
            {
                joined.Add(range);
            }
        }

        return joined.ToImmutable();
    }
}
