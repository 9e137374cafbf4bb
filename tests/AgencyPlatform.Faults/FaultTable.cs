using System.Globalization;
using System.Text;

namespace AgencyPlatform.Faults;

/// <summary>Runs faults one after another and makes the table of invariants and faults.</summary>
internal static class FaultTable
{
    private const string Begin = "<!-- faults: begin -->", End = "<!-- faults: end -->";
    private static readonly string[] s_invariants = ["L", "O", "Q", "C", "Z", "N", "F", "R", "S", "T"];

    /// <param name="document">Into which the table goes, between its two marks; null: nowhere.</param>
    public static async Task<int> Run(IReadOnlyList<Fault> faults, Engine engine, TimeSpan length, string folder, FileInfo? document)
    {
        var results = new List<FaultResult>();
        foreach (var (fault, i) in faults.Where(f => f.Engines.Contains(engine)).Select((f, i) => (f, i)))
        {
            var own = Path.Combine(folder, fault.Name);
            void Say(string what) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{TimeProvider.System.GetLocalNow():HH:mm:ss} [{i + 1}] {fault.Name}: {what}"));
            Say(fault.What);
            FaultResult result;
            try
            {
                result = await FaultRun.Run(fault, engine, length, own, Say);
            }
            catch (Exception e)
            {
                // One fault that cannot be judged does not keep the others from it.
                result = new FaultResult(fault, null, TimeSpan.Zero, TimeSpan.Zero, 0, Verified: false, [$"not judged: {e.Message}"], []);
                await File.WriteAllTextAsync(Path.Combine(Directory.CreateDirectory(own).FullName, "exception.txt"), e.ToString());
            }

            results.Add(result);
            Say(string.Create(CultureInfo.InvariantCulture, $"{(result.Holds ? "holds" : $"DOES NOT HOLD: see {own}")}; A {result.After.TotalSeconds:N1} s, bound {fault.Bound.TotalSeconds:N0} s"));
            foreach (var said in result.Wrong.Concat(result.Load?.Examples ?? []).Concat(result.Notes))
            {
                Say($"  {said}");
            }
        }

        var table = Markdown(results, engine, length);
        Console.WriteLine(table);
        await File.WriteAllTextAsync(Path.Combine(folder, "faults.md"), table);
        if (document is not null)
        {
            WriteInto(document.FullName, table);
        }

        return results.All(r => r.Holds) ? 0 : 1;
    }

    private static string Markdown(IReadOnlyList<FaultResult> results, Engine engine, TimeSpan length)
    {
        var text = new StringBuilder();
        Line($"{TimeProvider.System.GetUtcNow():yyyy-MM-dd HH:mm} UTC, {(engine switch { Engine.Postgres => "three silos and two gateways on PostgreSQL", Engine.PostgresAlone => "one process on PostgreSQL", _ => "one process on SQLite" })}, {length.TotalSeconds:N0} s of load at least, load of the machine at the end {Kills.Machine()}. Violations by invariant; A in seconds, with its bound.");
        Line($"");
        Line($"| fault | {string.Join(" | ", s_invariants)} | A (bound) | outage | sent | acknowledged | refused | unknown, then repeated | never known | `journal verify` | |");
        Line($"|---|{string.Concat(Enumerable.Repeat("---:|", s_invariants.Length + 7))}---|---|");
        foreach (var r in results)
        {
            string Violations(string letter) => r.Load?.Violations.TryGetValue(letter, out var many) is true ? many.ToString(CultureInfo.InvariantCulture) : "?";
            var counts = r.Load is { } load
                ? string.Create(CultureInfo.InvariantCulture, $"{r.After.TotalSeconds:N1} ({r.Fault.Bound.TotalSeconds:N0}) | {r.Outage.TotalSeconds:N1} s | {load.Sent:N0} | {load.Acknowledged:N0} | {load.Refused:N0} | {load.Unknown:N0} | {r.NeverKnown:N0}")
                : string.Join(" | ", Enumerable.Repeat("?", 7));
            Line($"| `{r.Fault.Name}` | {string.Join(" | ", s_invariants.Select(Violations))} | {counts} | {(r.Verified ? "whole" : "no")} | {(r.Holds ? "holds" : $"**{string.Join("; ", r.Wrong.DefaultIfEmpty(r.InTime ? "violated" : "too late"))}**")} |");
        }

        return text.ToString();

        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }

    private static void WriteInto(string document, string table)
    {
        var text = File.ReadAllText(document);
        var begin = text.IndexOf(Begin, StringComparison.Ordinal);
        var end = text.IndexOf(End, StringComparison.Ordinal);
        if (begin < 0 || end < begin)
        {
            throw new InvalidOperationException($"{document} has no place for the table: it needs the lines {Begin} and {End}.");
        }

        File.WriteAllText(document, $"{text[..(begin + Begin.Length)]}\n{table}{text[end..]}");
    }
}
