using NodaTime;

namespace AgencyPlatform.Domain.Billing;

/// <summary>
/// When bill periods begin: on a day of the month (1–31, clamped to the month's end, never drifting), every 1, 3, 6 or 12 months
/// counted from the first bill date. Source: domain §5.
/// </summary>
[GenerateSerializer, Immutable, Alias("billing.cycle")]
public sealed record BillCycle(int Day, int Months)
{
    /// <summary>
    /// The periods of something that runs over <paramref name="service"/>. From a start on a bill-cycle day each is whole; from any other the
    /// first ends at the first bill-cycle day after it, whatever the period's length (domain §5; docs/adr/0009). The last is cut at the end.
    /// Endless when the end is open: take what you need.
    /// </summary>
    public IEnumerable<BillPeriod> Periods(DateRange service)
    {
        var month = new YearMonth(service.Start.Year, service.Start.Month);
        var firstBillMonth = DayIn(month) >= service.Start ? month : month.PlusMonths(1);
        for (var i = DayIn(firstBillMonth) == service.Start ? 1 : 0; ; i++)
        {
            var full = new DateRange(DayIn(firstBillMonth.PlusMonths((i - 1) * Months)), DayIn(firstBillMonth.PlusMonths(i * Months)));
            if (service.End is { } end && full.Start >= end)
            {
                yield break;
            }

            yield return new BillPeriod(full.Intersect(service)!.Value, full);
        }
    }

    private LocalDate DayIn(YearMonth month) =>
        month.OnDayOfMonth(Math.Min(Day, CalendarSystem.Iso.GetDaysInMonth(month.Year, month.Month)));
}

/// <param name="Dates">The days served in the period.</param>
/// <param name="Full">The full period that ends at the next bill date: what an amount is prorated against.</param>
[GenerateSerializer, Immutable, Alias("billing.period")]
public readonly record struct BillPeriod(DateRange Dates, DateRange Full)
{
    public int Days => NodaTime.Period.DaysBetween(Dates.Start, Dates.End!.Value);
    public int FullDays => NodaTime.Period.DaysBetween(Full.Start, Full.End!.Value);
    public bool IsWhole => Days == FullDays;

    /// <summary>The amount × days ÷ days of the full period, rounded once.</summary>
    public Money Prorate(Money amount) => IsWhole ? amount : amount.Times(Days, FullDays);

    /// <summary>Included minutes × days ÷ days of the full period, half up.</summary>
    public int ProrateMinutes(int minutes) => IsWhole ? minutes : (int)Rounding.HalfUp((System.Numerics.BigInteger)minutes * Days, FullDays);
}
