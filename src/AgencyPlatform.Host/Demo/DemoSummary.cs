using System.Globalization;
using AgencyPlatform.Protocol.Billing.V1;
using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using Spectre.Console;
using static AgencyPlatform.Host.Demo.DemoWire;
using Margins = AgencyPlatform.Domain.Billing.Margins;

namespace AgencyPlatform.Host.Demo;

internal sealed record DemoResult(
    DemoStage Stage,
    int Weeks,
    IReadOnlyList<(string Name, IReadOnlyList<CapacityWeek> Weeks)> Capacity,
    IReadOnlyList<string> Unplaced,
    long LackingMinutes,
    DemoTime Time,
    DemoBooks Books,
    IReadOnlyList<DueItem> Due,
    IReadOnlyList<DemoMonth> Months,
    IReadOnlyList<TimeSpan> Outages,
    IReadOnlyList<DemoCheck> Checks);

/// <summary>What came of the demo, for people.</summary>
internal static class DemoSummary
{
    private const string Levels = "·▁▂▃▄▅▆▇█";
    private const int LifeColumns = 3;
    private const int MostOverdue = 3;
    private const int MostMargin = 5;

    private static readonly (DemoEvent What, string Text)[] s_life =
    [
        (DemoEvent.Revised, "proposals revised"), (DemoEvent.Declined, "proposals declined"), (DemoEvent.SignedByTwo, "signed by two of three"), (DemoEvent.AgreedByCmo, "agreed to by the CMO"),
        (DemoEvent.ScopeChanged, "changes of scope"), (DemoEvent.TimeOff, "weeks off"), (DemoEvent.FellIll, "ill today"), (DemoEvent.Covered, "covers"),
        (DemoEvent.Paused, "pauses"), (DemoEvent.Resumed, "resumes"), (DemoEvent.TaperStarted, "tapers begun"), (DemoEvent.TaperEnded, "tapers ended"),
        (DemoEvent.RenewedBySignature, "renewed by signature"), (DemoEvent.RenewedByTime, "renewed by themselves"), (DemoEvent.EndedByNotice, "ended by notice"), (DemoEvent.EndedByTime, "ended by time"),
        (DemoEvent.Waited, "waited for a CMO"), (DemoEvent.Offered, "offers to who waited"), (DemoEvent.OfferDeclined, "offers let go"), (DemoEvent.OfferTaken, "offers taken"),
        (DemoEvent.AsPlanned, "sheets as planned"), (DemoEvent.NothingWorked, "weeks without work"), (DemoEvent.SheetLate, "sheets that came late"), (DemoEvent.Disputed, "entries disputed"),
        (DemoEvent.Corrected, "entries corrected"), (DemoEvent.Consented, "consents to overage"),
        (DemoEvent.PaidOnTime, "invoices paid on time"), (DemoEvent.PaidLate, "paid late"), (DemoEvent.PaidInPart, "paid in part"), (DemoEvent.PaidTwice, "paid twice"),
        (DemoEvent.CreditUsed, "credits used"), (DemoEvent.Bounced, "wires bounced"), (DemoEvent.CmoPaid, "payouts to CMOs"), (DemoEvent.MonthClosed, "months closed"),
        (DemoEvent.PostedOpen, "posted into an open month"), (DemoEvent.PriceRaised, "prices raised"), (DemoEvent.Holiday, "holidays"),
        (DemoEvent.Asked, "intakes"), (DemoEvent.Matched, "placed from an intake"), (DemoEvent.Measured, "months measured"), (DemoEvent.Missed, "targets missed"),
        (DemoEvent.PromiseKept, "promises kept"),
    ];

    /// <summary>What only a year has.</summary>
    private static readonly DemoEvent[] s_ofAYear = [DemoEvent.PriceRaised, DemoEvent.Holiday, DemoEvent.Asked, DemoEvent.Matched, DemoEvent.Measured, DemoEvent.Missed, DemoEvent.PromiseKept];

    /// <param name="keys">Of each role, whose pages are worth a look.</param>
    public static void Print(DemoResult result, Uri http, string key, IReadOnlyList<(string Who, string Key)> keys)
    {
        Console.WriteLine();
        Console.WriteLine($"Capacity promised, by week from {Text(result.Stage.Start)} (· nothing, █ all of it, – no working day, ! more than there is after time off)");
        var width = result.Capacity.Max(r => r.Name.Length);
        foreach (var (name, weeks) in result.Capacity)
        {
            var (booked, available) = (weeks.Sum(w => w.ConfirmedMinutes + w.HeldMinutes), weeks.Sum(w => w.AvailableMinutes));
            AnsiConsole.MarkupInterpolated($"  {name.PadRight(width)}  ");
            foreach (var week in weeks)
            {
                var (text, colour) = Cell(week);
                AnsiConsole.Markup($"[{colour}]{text}[/]");
            }

            // A group's utilisation is the sum over the sum.
            Console.WriteLine(available == 0 ? "" : $"  {booked * 100 / available,3} %");
        }

        Console.WriteLine();
        var work = result.Stage.Work;
        var active = work.Count(w => w.IsActiveOn(result.Stage.Today));
        Console.WriteLine(
            $"Engagements: {active} active, {work.Count - active} paused or over; {result.Unplaced.Count} found no room{(result.Unplaced.Count == 0 ? "" : $" ({string.Join(", ", result.Unplaced)})")}; "
            + $"shortfall from absences {result.LackingMinutes / 60} h");
        Console.WriteLine(
            $"Time: {result.Time.WorkedMinutes / 60} h in {result.Time.Entries} entries, approved. Invoices and credit notes: {result.Books.Invoices.Count}, {Dollars(result.Books.Invoices.Sum(i => i.TotalAmount.MinorUnits))}, "
            + $"the last {result.Books.Invoices.Where(i => i.Kind == DocumentKind.Invoice).MaxBy(i => i.Number)?.DocumentNumber ?? "none"}");
        PrintMonths(result);
        Console.WriteLine("Their life:");
        foreach (var row in s_life.Where(c => !s_ofAYear.Contains(c.What) || result.Stage.IsYear).Chunk(LifeColumns))
        {
            Console.WriteLine("  " + string.Concat(row.Select(c => $"{result.Stage.Life.GetValueOrDefault(c.What),4} {c.Text,-26}")).TrimEnd());
        }

        Console.WriteLine("Next due:");
        foreach (var due in result.Due)
        {
            Console.WriteLine($"  {Text(FromWire(due.Date))}  {Last(due.Engagement),-16} {Told(due.Kind)}");
        }

        Console.WriteLine($"Trial balance as of {Text(result.Stage.Today)}:");
        foreach (var (account, balance) in result.Books.Balances.Where(b => b.Value != 0).OrderBy(b => b.Key))
        {
            Console.WriteLine($"  {account,-20} {(balance > 0 ? Dollars(balance) : ""),18} {(balance < 0 ? Dollars(-balance) : ""),18}");
        }

        PrintAging(result.Books);
        PrintMargin(result.Books);
        Console.WriteLine($"Refusals: {result.Stage.Refusals.Count}");
        foreach (var reason in result.Stage.Refusals.GroupBy(r => r.Reason).OrderByDescending(g => g.Count()))
        {
            Console.WriteLine($"  {reason.Count(),3} × {reason.Key}");
            foreach (var example in reason.Take(2))
            {
                Console.WriteLine($"        {example.What}: {example.Message}");
            }
        }

        Console.WriteLine("Checks:");
        foreach (var (what, passed, detail) in result.Checks)
        {
            AnsiConsole.MarkupLineInterpolated($"  {(passed ? "ok    " : "FAILED")}  {what} ({detail})");
        }

        Console.WriteLine(result.Checks.All(c => c.Passed) ? "All checks passed." : "SOME CHECKS FAILED.");
        Console.WriteLine();
        Console.WriteLine($"Open the dashboard, {http}, and sign in as");
        foreach (var (who, its) in keys)
        {
            Console.WriteLine($"  {who,-22} {its}");
        }

        Console.WriteLine("Or look around with the admin's key:");
        Console.WriteLine($"  curl -s '{http}v1/{result.Stage.Agency}/engagements?page_size=3' -H 'authorization: Bearer {key}'");
        Console.WriteLine($"  curl -s '{http}v1/{result.Stage.Agency}/trialBalance' -H 'authorization: Bearer {key}'");
        Console.WriteLine();
    }

    /// <summary>The months beside each other, and how often the server was killed meanwhile.</summary>
    private static void PrintMonths(DemoResult result)
    {
        if (result.Months.Count > 0)
        {
            var (hours, invoiced) = (result.Months.Max(m => m.WorkedMinutes), result.Months.Max(m => m.InvoicedCents));
            Console.WriteLine($"{"Month by month:",-18}{"engagements",12}{"promised",20}{"hours worked",22}{"invoiced",27}{"paid",15}{"overdue",9}");
            foreach (var m in result.Months)
            {
                Console.WriteLine(
                    $"  {DemoMonths.Name(m.Month),-16}{m.Active,12}{$"{DemoMonths.Bar(m.Utilization, 100)} {m.Utilization,3} %",20}{$"{DemoMonths.Bar(m.WorkedMinutes, hours)} {m.WorkedMinutes / 60,6}",22}"
                    + $"{$"{DemoMonths.Bar(m.InvoicedCents, invoiced)} {Dollars(m.InvoicedCents),14}",27}{Dollars(m.PaidCents),15}{m.Overdue,9}");
            }
        }

        if (result.Outages.Count > 0)
        {
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"The server was killed {result.Outages.Count} times meanwhile, and served again after {result.Outages.Max().TotalSeconds:0.0} s at most; then once more, before what follows was checked."));
        }
    }

    /// <summary>Those who owe most of what is overdue, the others, and all.</summary>
    private static void PrintAging(DemoBooks books)
    {
        Console.WriteLine($"Open invoices by days overdue:{"current",14}{"1–30",14}{"31–60",14}{"61–90",14}{">90",14}{"credit",14}");
        var overdue = books.Aging.OrderByDescending(a => a.Amounts.OpenAmount.MinorUnits - a.Amounts.CurrentAmount.MinorUnits).ThenBy(a => a.ClientCompany, StringComparer.Ordinal).ToList();
        foreach (var account in overdue.Take(MostOverdue))
        {
            Print(Last(account.ClientCompany), [account.Amounts]);
        }

        if (overdue.Count > MostOverdue)
        {
            Print($"{overdue.Count - MostOverdue} others", [.. overdue.Skip(MostOverdue).Select(a => a.Amounts)]);
        }

        Print("all", [books.AgingTotal]);

        static void Print(string who, IReadOnlyList<AgingAmounts> amounts)
        {
            Func<AgingAmounts, Protocol.Type.V1.Money>[] columns =
                [a => a.CurrentAmount, a => a.Overdue1To30Amount, a => a.Overdue31To60Amount, a => a.Overdue61To90Amount, a => a.OverdueOver90Amount, a => a.CreditAmount];
            Console.WriteLine(($"  {who,-28}" + string.Concat(columns.Select(c => amounts.Sum(a => c(a)?.MinorUnits ?? 0)).Select(c => $"{(c == 0 ? "" : Dollars(c)),14}"))).TrimEnd());
        }
    }

    /// <summary>By month; by client company those with the largest margin, and the others; the agency.</summary>
    private static void PrintMargin(DemoBooks books)
    {
        Console.WriteLine($"{"Margin:",-30}{"revenue",14}{"cost",14}{"margin",14}{"%",8}");
        foreach (var row in books.MarginByMonth.Rows)
        {
            Print($"{row.Month.Year:0000}-{row.Month.Month:00}", [row]);
        }

        var clients = books.MarginByClient.Rows.OrderByDescending(r => r.Margin.MinorUnits).ThenBy(r => r.Resource, StringComparer.Ordinal).ToList();
        foreach (var row in clients.Take(MostMargin))
        {
            Print(Last(row.Resource), [row]);
        }

        if (clients.Count > MostMargin)
        {
            Print($"{clients.Count - MostMargin} others", clients[MostMargin..]);
        }

        Print("agency", books.MarginByClient.Rows);

        static void Print(string of, IReadOnlyCollection<MarginRow> rows)
        {
            var (revenue, cost) = (rows.Sum(r => r.Revenue.MinorUnits), rows.Sum(r => r.Cost.MinorUnits));
            Console.WriteLine($"  {of,-28}{Dollars(revenue),14}{Dollars(cost),14}{Dollars(revenue - cost),14}{Margins.Percent(revenue, cost),8}");
        }
    }

    private static string Told(DueKind kind) => kind switch
    {
        DueKind.ProposalExpires => "the proposal lapses",
        DueKind.AgreementExpires => "the CMO's answer is due",
        DueKind.LastNotice => "last day of notice",
        DueKind.Renewal => "renewed by itself",
        DueKind.RenewalToSign => "ends unless the next term is signed",
        DueKind.End => "ends",
        DueKind.TaperEnds => "the taper to an in-house hire ends",
        _ => kind.ToString(),
    };

    private static (char Text, string Colour) Cell(CapacityWeek week)
    {
        var booked = week.ConfirmedMinutes + week.HeldMinutes;
        if (week.ExcessMinutes > 0)
        {
            return ('!', "red");
        }

        if (week.AvailableMinutes == 0)
        {
            return ('–', "grey");
        }

        var level = (int)Math.Min(8, ((booked * 8) + week.AvailableMinutes - 1) / week.AvailableMinutes);
        return (Levels[level], level switch { 0 => "grey", <= 4 => "green", <= 7 => "yellow", _ => "red" });
    }
}
