using System.Collections.Immutable;
using NodaTime;

namespace AgencyPlatform.Domain.Billing;

/// <summary>What is owed is computed, not accumulated. Source: domain §5.</summary>
public static class Owed
{
    /// <summary>
    /// The items of an engagement for one seller and currency, of every period that begins on or before <paramref name="to"/>. What is charged in advance
    /// is due when its first billed day is on or before it, a milestone on its day; what is charged in arrears when its period's exclusive end is.
    /// </summary>
    /// <param name="invoiced">Keys that stand on invoices: a discount is of what is due and of those. Null: none.</param>
    public static ImmutableArray<Item> Of(BillingInputs inputs, LegalEntityId seller, Currency currency, LocalDate to, IReadOnlySet<ItemKey>? invoiced = null) =>
        Items(inputs, seller, currency, to, invoiced, null);

    /// <param name="workings">Is told how each item is computed; null: nobody wants to know.</param>
    internal static ImmutableArray<Item> Items(
        BillingInputs inputs, LegalEntityId seller, Currency currency, LocalDate to, IReadOnlySet<ItemKey>? invoiced, Workings? workings)
    {
        var (items, discounts) = (ImmutableArray.CreateBuilder<Item>(), new Discounts());
        foreach (var period in BilledPeriods(inputs, to))
        {
            var bill = new PeriodBill(inputs, period, seller, currency, to, workings);
            var charges = bill.Charges(inputs.Entries.Any(e => e.Disputed) ? [.. inputs.Entries.Where(e => !e.Disputed)] : inputs.Entries);

            // A dispute is no reason to charge what is disputed as missing to the minimum.
            var commitments = bill.Commitments(inputs.Entries.Any(e => e.Disputed) ? new PeriodBill(inputs, period, seller, currency, to).Charges(inputs.Entries) : charges);
            items.AddRange(charges);
            items.AddRange(commitments);
            items.AddRange(discounts.Of(bill, [.. charges.Concat(commitments).Where(i => i.Due || invoiced?.Contains(i.Key) == true)]));
        }

        return items.ToImmutable();
    }

    /// <summary>The periods that a bill to a date looks at: nothing before the first billed day.</summary>
    internal static IEnumerable<BillPeriod> BilledPeriods(BillingInputs inputs, LocalDate to) => BillPeriods.Of(inputs.Terms, inputs.Service)
        .TakeWhile(p => p.Dates.Start <= to).Where(p => p.Dates.End > inputs.BillingStartsOn);

    /// <summary>From the first of the dates to the day after the last.</summary>
    internal static DateRange Hull(IEnumerable<LocalDate> dates)
    {
        var all = dates.ToList();
        return new DateRange(all.Min(), all.Max().PlusDays(1));
    }

    /// <summary>Days in <paramref name="dates"/> and not in <paramref name="without"/>, one by one.</summary>
    internal static IEnumerable<LocalDate> DaysOf(ImmutableArray<DateRange> dates, ImmutableArray<DateRange> without) =>
        from range in dates
        from day in Enumerable.Range(0, range.Days()).Select(range.Start.PlusDays)
        where !without.Any(w => w.Contains(day))
        select day;

    /// <summary>The number of days; the range has an end.</summary>
    internal static int Days(this DateRange range) => NodaTime.Period.DaysBetween(range.Start, range.End!.Value);
}
