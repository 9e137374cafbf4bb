using System.Globalization;
using AgencyPlatform.Protocol.Capacity.V1;
using NodaTime;
using Spectre.Console;

namespace AgencyPlatform.Host.Demo;

internal sealed record DemoRefusal(string Reason, string What, string Message);

internal sealed record DemoResult(
    string Agency,
    LocalDate Start,
    int Weeks,
    IReadOnlyList<(string Name, IReadOnlyList<CapacityWeek> Weeks)> Capacity,
    int Active,
    IReadOnlyList<string> Unplaced,
    IReadOnlyList<DemoRefusal> Refusals,
    long ShortfallMinutes,
    DemoBooks Books,
    IReadOnlyList<(string What, bool Passed, string Detail)> Checks);

/// <summary>What came of the demo, for people.</summary>
internal static class DemoSummary
{
    private const string Levels = "·▁▂▃▄▅▆▇█";

    public static void Print(DemoResult result, Uri http, string key)
    {
        Console.WriteLine();
        Console.WriteLine($"Capacity promised, by week from {result.Start.ToString("uuuu-MM-dd", CultureInfo.InvariantCulture)} (· nothing, █ all of it, – no working day, ! more than there is after time off)");
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
        Console.WriteLine($"Engagements: {result.Active} active; {result.Unplaced.Count} found no room{(result.Unplaced.Count == 0 ? "" : $" ({string.Join(", ", result.Unplaced)})")}; shortfall from time off {result.ShortfallMinutes / 60} h");
        Console.WriteLine(
            $"Time: {result.Books.WorkedMinutes / 60} h in {result.Books.Entries} entries, approved. Invoices: {result.Books.Invoices.Count}, {DemoBooks.Dollars(result.Books.Invoices.Sum(i => i.TotalAmount.MinorUnits))}, "
            + $"the last {result.Books.Invoices.LastOrDefault()?.DocumentNumber ?? "none"}");
        Console.WriteLine("Trial balance:");
        foreach (var (account, balance) in result.Books.Balances.Where(b => b.Value != 0).OrderBy(b => b.Key))
        {
            Console.WriteLine($"  {account,-20} {(balance > 0 ? DemoBooks.Dollars(balance) : ""),18} {(balance < 0 ? DemoBooks.Dollars(-balance) : ""),18}");
        }

        Console.WriteLine($"Refusals: {result.Refusals.Count}");
        foreach (var reason in result.Refusals.GroupBy(r => r.Reason).OrderByDescending(g => g.Count()))
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
        Console.WriteLine($"  curl -s '{http}v1/{result.Agency}/engagements?page_size=3' -H 'authorization: Bearer {key}'");
        Console.WriteLine($"  curl -s '{http}v1/{result.Agency}/trialBalance' -H 'authorization: Bearer {key}'");
        Console.WriteLine();
    }

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
