using System.Collections.Immutable;
using System.Globalization;

namespace AgencyPlatform.Planning.Instances;

/// <summary>
/// A published Generalized Assignment problem: every job goes to exactly one agent, an agent's use stays within its capacity. Read from files of two formats,
/// whole numbers parted by blanks or line ends: one problem a file ("m n", m rows of n costs, m rows of n uses, m capacities), or several
/// ("number of problems", then each of them).
/// </summary>
/// <param name="Costs">By agent and job.</param>
/// <param name="Uses">By agent and job.</param>
/// <param name="Capacities">By agent.</param>
/// <param name="IsMaximum">Whether the costs are profits, and the most is sought.</param>
public sealed record GapInstance(string Name, long[][] Costs, long[][] Uses, long[] Capacities, bool IsMaximum)
{
    private const int MostNumbers = 4_000_000;

    public int Agents => Capacities.Length;

    public int Jobs => Costs[0].Length;

    /// <summary>The problems of a file.</summary>
    /// <param name="maximum">Null: as published. Of the files with several problems, gap1 to gap12 are maxima; all others are minima.</param>
    /// <exception cref="FormatException">It is no such file; the message says where.</exception>
    public static ImmutableArray<GapInstance> Read(string path, bool? maximum = null) => Parse(Path.GetFileNameWithoutExtension(path), File.ReadAllText(path), maximum);

    /// <inheritdoc cref="Read"/>
    public static ImmutableArray<GapInstance> Parse(string name, string text, bool? maximum = null)
    {
        var words = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (words.Length is < 3 or > MostNumbers)
        {
            throw new FormatException($"{name} has {words.Length} numbers: not a Generalized Assignment problem.");
        }

        var numbers = new long[words.Length];
        for (var i = 0; i < words.Length; i++)
        {
            if (!long.TryParse(words[i], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out numbers[i]))
            {
                throw new FormatException($"{name}: the {i + 1}th word, '{words[i][..Math.Min(20, words[i].Length)]}', is no whole number.");
            }
        }

        // One problem fills its file exactly; else the first number says how many there are.
        if (SizeOf(numbers, 0) == numbers.Length)
        {
            return [Take(name, numbers, 0, maximum ?? false)];
        }

        var problems = ImmutableArray.CreateBuilder<GapInstance>();
        var isMaximum = maximum ?? (name.StartsWith("gap", StringComparison.OrdinalIgnoreCase) && name.Length > 3 && name.AsSpan(3).IndexOfAnyExceptInRange('0', '9') < 0);
        var at = 1L;
        for (var p = 1; p <= numbers[0] && at < numbers.Length; p++)
        {
            var size = SizeOf(numbers, at);
            if (size == 0 || at + size > numbers.Length)
            {
                throw new FormatException($"{name}: problem {p}, from the {at + 1}th number on, is cut short or has no size of 1 or more.");
            }

            problems.Add(Take($"{name}-{p}", numbers, at, isMaximum));
            at += size;
        }

        return problems.Count == numbers[0] && at == numbers.Length
            ? problems.ToImmutable()
            : throw new FormatException($"{name} says {numbers[0]} problems and holds {problems.Count}, with {numbers.Length - at} numbers left over.");
    }

    /// <summary>The same as a problem to plan: agents are CMOs with one row of capacity, jobs are needs that must be placed.</summary>
    public PlanProblem ToProblem()
    {
        var needs = ImmutableArray.CreateBuilder<PlanNeed>(Jobs);
        for (var j = 0; j < Jobs; j++)
        {
            needs.Add(new PlanNeed(
                $"job-{j + 1}", $"job-{j + 1}", true, 0, null, 0,
                [.. Enumerable.Range(0, Agents).Select(i => new PlanOption(i, IsMaximum ? Costs[i][j] : -Costs[i][j], Uses[i][j] > 0 ? [new CapacityUse(0, Uses[i][j])] : []))], []));
        }

        return new PlanProblem(needs.MoveToImmutable(), [.. Capacities.Select((c, i) => new PlanCmo($"agent-{i + 1}", [new CapacityRow("all", c, 1)], []))], [], []);
    }

    /// <summary>A plan's points as the problem counts.</summary>
    public long CostOf(long points) => IsMaximum ? points : -points;

    /// <summary>The total of an assignment, or why it is none: by the problem alone.</summary>
    public (long Cost, string? Wrong) Check(IReadOnlyList<int?> assigned)
    {
        var (cost, used) = (0L, new long[Agents]);
        for (var j = 0; j < Jobs; j++)
        {
            if (assigned[j] is not { } agent)
            {
                return (0, $"job {j + 1} goes to nobody");
            }

            cost += Costs[agent][j];
            used[agent] += Uses[agent][j];
        }

        for (var i = 0; i < Agents; i++)
        {
            if (used[i] > Capacities[i])
            {
                return (0, $"agent {i + 1} has {Capacities[i]} and is used {used[i]}");
            }
        }

        return (cost, null);
    }

    /// <summary>How many numbers a problem at a place has; 0: it is none.</summary>
    private static long SizeOf(long[] numbers, long at) =>
        at + 1 < numbers.Length && numbers[at] is >= 1 and <= 10_000 && numbers[at + 1] is >= 1 and <= 100_000 ? 2 + (2 * numbers[at] * numbers[at + 1]) + numbers[at] : 0;

    private static GapInstance Take(string name, long[] numbers, long at, bool isMaximum)
    {
        var (m, n) = ((int)numbers[at], (int)numbers[at + 1]);
        var next = at + 2;
        var instance = new GapInstance(name, Rows(), Rows(), Row(m), isMaximum);
        return instance.Uses.All(r => r.All(u => u >= 0)) && instance.Capacities.All(c => c >= 0) ? instance : throw new FormatException($"{name}: uses and capacities must not be below 0.");

        long[][] Rows() => [.. Enumerable.Range(0, m).Select(_ => Row(n))];

        long[] Row(int length)
        {
            var row = numbers.AsSpan((int)next, length).ToArray();
            next += length;
            return row;
        }
    }
}
