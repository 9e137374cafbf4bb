using AgencyPlatform.Protocol.Billing.V1;
using AgencyPlatform.Protocol.Capacity.V1;
using NodaTime;
using static AgencyPlatform.Host.Demo.DemoWire;

namespace AgencyPlatform.Host.Demo;

/// <summary>What a month came to. Shares are of 100; of the capacity of its whole weeks.</summary>
internal sealed record DemoMonth(LocalDate Month, int Active, long WorkedMinutes, int Utilization, long InvoicedCents, long PaidCents, int Overdue);

/// <summary>The months as they end, each on a line with small bars.</summary>
internal sealed class DemoMonths(DemoStage stage, DemoTime time, DemoMoney money)
{
    private const int BarWidth = 10;
    private const string Eighths = " ▏▎▍▌▋▊▉█";

    private readonly List<DemoMonth> _all = [];
    private long _worked;
    private long _paid;

    public IReadOnlyList<DemoMonth> All => _all;

    /// <summary>The month that has ended, in a line.</summary>
    /// <param name="to">The first day of the new month.</param>
    public async Task<string> Close(LocalDate to, IReadOnlyList<BillingRunResult> billed)
    {
        var month = to.PlusMonths(-1);
        var monday = month.DayOfWeek == IsoDayOfWeek.Monday ? month : month.Next(IsoDayOfWeek.Monday);
        var weeks = (await stage.Platform.Capacity.GetUtilizationAsync(
            new GetUtilizationRequest { Name = stage.Agency, StartDate = Wire(monday), Weeks = Period.DaysBetween(monday, to) / 7 }, cancellationToken: stage.Cancellation)).Weeks;
        var (promised, available) = (weeks.Sum(w => w.ConfirmedMinutes), weeks.Sum(w => w.AvailableMinutes));
        var (worked, paid) = (time.WorkedMinutes - _worked, money.PaidCents - _paid);
        (_worked, _paid) = (time.WorkedMinutes, money.PaidCents);
        var ended = new DemoMonth(
            month, stage.Work.Count(w => w.Start < to && w.IsActiveOn(to.PlusDays(-1))), worked, available == 0 ? 0 : (int)(promised * 100 / available),
            billed.Sum(r => r.Total.MinorUnits), paid, money.Overdue);
        _all.Add(ended);
        return $"── {Name(month)}: {ended.Active} engagements, {Hours(worked)} worked; {Bar(ended.Utilization, 100)} {ended.Utilization} % of capacity promised; "
            + $"{Dollars(ended.InvoicedCents)} invoiced, {Dollars(paid)} paid, {ended.Overdue} overdue";
    }

    public static string Name(LocalDate month) => month.ToString("MMM uuuu", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>A bar of ten characters for all of it.</summary>
    public static string Bar(long value, long all)
    {
        var eighths = (int)(Math.Clamp(value, 0, all) * BarWidth * 8 / Math.Max(1, all));
        return (new string('█', eighths / 8) + (eighths % 8 == 0 ? "" : Eighths[eighths % 8])).PadRight(BarWidth, '·');
    }
}
