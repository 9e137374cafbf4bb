using System.Globalization;

namespace AgencyPlatform.Faults;

/// <summary>Runs faults one after another and makes the table of invariants and faults.</summary>
internal static class FaultTable
{
    private const string Begin = "<!-- faults: begin -->", End = "<!-- faults: end -->";
    private static readonly string[] s_invariants = ["L", "O", "Q", "C", "Z", "N", "F", "R", "S", "T"];

    /// <param name="document">Into whose table, between two marks, the rows go, each as soon as it is there; null: nowhere.</param>
    public static async Task<int> Run(IReadOnlyList<Fault> faults, Engine engine, TimeSpan length, string folder, FileInfo? document)
    {
        var (holds, rows) = (true, new List<string>());
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

            holds &= result.Holds;
            rows.Add(Row(result, engine));
            if (document is not null)
            {
                WriteInto(document.FullName, rows);
            }

            Say(string.Create(CultureInfo.InvariantCulture, $"{(result.Holds ? "holds" : $"DOES NOT HOLD: see {own}")}; A {result.After.TotalSeconds:N1} s, bound {fault.Bound.TotalSeconds:N0} s"));
            foreach (var said in result.Wrong.Concat(result.Load?.Examples ?? []).Concat(result.Notes))
            {
                Say($"  {said}");
            }
        }

        var table = Markdown(rows);
        Console.WriteLine(table);
        await File.WriteAllTextAsync(Path.Combine(folder, "faults.md"), table);

        return holds ? 0 : 1;
    }

    private static string Row(FaultResult r, Engine engine)
    {
        string Violations(string letter) => r.Load?.Violations.TryGetValue(letter, out var many) is true ? many.ToString(CultureInfo.InvariantCulture) : "?";
        var counts = r.Load is { } load
            ? string.Create(CultureInfo.InvariantCulture, $"{r.After.TotalSeconds:N1} ({r.Fault.Bound.TotalSeconds:N0}) | {r.Outage.TotalSeconds:N1} s | {load.Sent:N0} | {load.Acknowledged:N0} | {load.Refused:N0} | {load.Unknown:N0} | {r.NeverKnown:N0}")
            : string.Join(" | ", Enumerable.Repeat("?", 7));
        var held = r.Holds ? "holds" : $"**{string.Join("; ", r.Wrong.DefaultIfEmpty(r.InTime ? "violated" : "too late"))}**";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Key(r.Fault.Name, engine)} {string.Join(" | ", s_invariants.Select(Violations))} | {counts} | {(r.Verified ? "whole" : "no")} | {string.Join("; ", r.Notes.Prepend(held)).Replace('|', '/')} | {TimeProvider.System.GetUtcNow():MM-dd HH:mm}, {Kills.Machine()} |");
    }

    /// <summary>The beginning of a row, by which it is known: the fault and what it was made on.</summary>
    private static string Key(string fault, Engine engine) =>
        $"| `{fault}` | {(engine switch { Engine.Postgres => "cluster", Engine.PostgresAlone => "one process, PostgreSQL", _ => "one process, SQLite" })} |";

    /// <summary>The rows in the order of the list of faults: of those that are given for one fault on one engine, the last.</summary>
    private static string Markdown(IEnumerable<string> rows)
    {
        var byKey = new Dictionary<string, string>(StringComparer.Ordinal);
        var keys = Enum.GetValues<Engine>().SelectMany(engine => FaultList.All.Select(f => f.Name).Append(Calm.Title).Select(fault => Key(fault, engine))).ToList();
        foreach (var row in rows)
        {
            if (keys.Find(key => row.StartsWith(key, StringComparison.Ordinal)) is { } key)
            {
                byKey[key] = row;
            }
        }

        string[] head =
        [
            $"| fault | on | {string.Join(" | ", s_invariants)} | A (bound) | outage | sent | acknowledged | refused | unknown, then repeated | never known | `journal verify` | | when, load of the machine |",
            $"|---|---|{string.Concat(Enumerable.Repeat("---:|", s_invariants.Length + 7))}---|---|---|",
        ];
        return string.Concat(head.Concat(keys.Where(byKey.ContainsKey).Select(key => byKey[key])).Select(line => line + "\n"));
    }

    /// <summary>What the document has of other faults stays.</summary>
    private static void WriteInto(string document, IEnumerable<string> rows)
    {
        var text = File.ReadAllText(document);
        var begin = text.IndexOf(Begin, StringComparison.Ordinal);
        var end = text.IndexOf(End, StringComparison.Ordinal);
        if (begin < 0 || end < begin)
        {
            throw new InvalidOperationException($"{document} has no place for the table: it needs the lines {Begin} and {End}.");
        }

        // In one step: whoever ends this in the middle is not to lose the document.
        begin += Begin.Length;
        File.WriteAllText(document + ".new", $"{text[..begin]}\n{Markdown(text[begin..end].Split('\n').Concat(rows))}{text[end..]}");
        File.Move(document + ".new", document, overwrite: true);
    }
}
