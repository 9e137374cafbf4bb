using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using Spectre.Console;
using static AgencyPlatform.Host.Demo.DemoWire;

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
    IReadOnlyList<DemoCheck> Checks);

/// <summary>What came of the demo, for people.</summary>
internal static class DemoSummary
{
    private const string Levels = "·▁▂▃▄▅▆▇█";
    private const int LifeColumns = 3;

    private static readonly (DemoEvent What, string Text)[] s_life =
    [
        (DemoEvent.Revised, "proposals revised"), (DemoEvent.Declined, "proposals declined"), (DemoEvent.SignedByTwo, "signed by two of three"), (DemoEvent.AgreedByCmo, "agreed to by the CMO"),
        (DemoEvent.ScopeChanged, "changes of scope"), (DemoEvent.TimeOff, "weeks off"), (DemoEvent.FellIll, "ill today"), (DemoEvent.Covered, "covers"),
        (DemoEvent.Paused, "pauses"), (DemoEvent.Resumed, "resumes"), (DemoEvent.TaperStarted, "tapers begun"), (DemoEvent.TaperEnded, "tapers ended"),
        (DemoEvent.RenewedBySignature, "renewed by signature"), (DemoEvent.RenewedByTime, "renewed by themselves"), (DemoEvent.EndedByNotice, "ended by notice"), (DemoEvent.EndedByTime, "ended by time"),
        (DemoEvent.Waited, "waited for a CMO"), (DemoEvent.Offered, "offers to who waited"), (DemoEvent.OfferDeclined, "offers let go"), (DemoEvent.OfferTaken, "offers taken"),
        (DemoEvent.AsPlanned, "sheets as planned"), (DemoEvent.NothingWorked, "weeks without work"), (DemoEvent.SheetLate, "sheets that came late"), (DemoEvent.Disputed, "entries disputed"),
        (DemoEvent.Corrected, "entries corrected"), (DemoEvent.Consented, "consents to overage"),
    ];

    public static void Print(DemoResult result, Uri http, string key)
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
            + $"the last {result.Books.Invoices.LastOrDefault()?.DocumentNumber ?? "none"}");
        Console.WriteLine("Their life:");
        foreach (var row in s_life.Chunk(LifeColumns))
        {
            Console.WriteLine("  " + string.Concat(row.Select(c => $"{result.Stage.Life.GetValueOrDefault(c.What),4} {c.Text,-26}")).TrimEnd());
        }

        Console.WriteLine("Next due:");
        foreach (var due in result.Due)
        {
            Console.WriteLine($"  {Text(FromWire(due.Date))}  {Last(due.Engagement),-16} {Told(due.Kind)}");
        }

        Console.WriteLine("Trial balance:");
        foreach (var (account, balance) in result.Books.Balances.Where(b => b.Value != 0).OrderBy(b => b.Key))
        {
            Console.WriteLine($"  {account,-20} {(balance > 0 ? Dollars(balance) : ""),18} {(balance < 0 ? Dollars(-balance) : ""),18}");
        }

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
        Console.WriteLine("Look around with the sandbox's key:");
        Console.WriteLine($"  curl -s '{http}v1/{result.Stage.Agency}/engagements?page_size=3' -H 'authorization: Bearer {key}'");
        Console.WriteLine($"  curl -s '{http}v1/{result.Stage.Agency}/trialBalance' -H 'authorization: Bearer {key}'");
        Console.WriteLine();
    }

    private static string Told(DueKind kind) => kind switch
    {
        DueKind.ProposalExpires => "the proposal lapses",
        DueKind.AgreementExpires => "the CMO's answer is due",
        DueKind.LastNotice => "last day of notice",
        DueKind.Renewal => "renewed by itself",
        DueKind.RenewalToSign => "ends unless the next term is signed",
        DueKind.End => "ends",
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
