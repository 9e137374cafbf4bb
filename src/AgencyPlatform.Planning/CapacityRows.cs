using System.Numerics;

namespace AgencyPlatform.Planning;

/// <summary>One row that the solver is given: Σ use × chosen ≤ limit.</summary>
/// <param name="Original">The place in <see cref="PlanCmo.Capacity"/>: what answers name.</param>
/// <param name="Uses">By need, in order; above 0.</param>
internal sealed record KeptRow(int Original, long Limit, (int Need, long Amount)[] Uses);

/// <summary>What of a CMO's capacity can matter: most weeks of a plan ask the same of a CMO, and of a week's many runs of days few can bind.</summary>
internal static class CapacityRows
{
    /// <summary>
    /// The rows without those that are equal to another, that another implies, or that all needs together keep.
    /// </summary>
    /// <param name="uses">By row of <see cref="PlanCmo.Capacity"/>: which need takes how much of it, in order of need. An option that alone takes more than the limit is none and must not be here.</param>
    public static List<KeptRow> Reduce(PlanCmo cmo, IReadOnlyList<List<(int Need, long Amount)>> uses)
    {
        var byShape = new Dictionary<Shape, KeptRow>();
        for (var r = 0; r < uses.Count; r++)
        {
            var (row, limit) = (uses[r], cmo.Capacity[r].Limit);
            if (row.Count == 0 || IsSlack(row, limit))
            {
                continue;
            }

            // Equal but for a factor: the same row. The factor goes out of both sides, and the limit down to what sums of the uses can reach.
            var factor = row.Aggregate(0L, (g, use) => (long)BigInteger.GreatestCommonDivisor(g, use.Amount));
            var kept = new KeptRow(r, limit / factor, [.. row.Select(use => (use.Need, use.Amount / factor))]);
            var shape = new Shape(kept.Uses);
            if (!byShape.TryGetValue(shape, out var other) || kept.Limit < other.Limit)
            {
                byShape[shape] = kept;
            }
        }

        // The longest first: a row is implied by one with at least its needs only.
        var ordered = byShape.Values.OrderByDescending(k => k.Uses.Length).ThenBy(k => k.Original).ToList();
        var left = new List<KeptRow>();
        foreach (var row in ordered)
        {
            if (!left.Exists(other => Implies(other, row)))
            {
                left.Add(row);
            }
        }

        return [.. left.OrderBy(k => k.Original)];
    }

    private static bool IsSlack(List<(int Need, long Amount)> row, long limit)
    {
        var sum = (Int128)0;
        foreach (var (_, amount) in row)
        {
            sum += amount;
            if (sum > limit)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether every use is at most as large a part of the one's limit as of the other's.</summary>
    private static bool Implies(KeptRow other, KeptRow row)
    {
        if (other.Limit == 0)
        {
            return false;
        }

        var at = 0;
        foreach (var (need, amount) in row.Uses)
        {
            while (at < other.Uses.Length && other.Uses[at].Need < need)
            {
                at++;
            }

            if (at == other.Uses.Length || other.Uses[at].Need != need || (Int128)amount * other.Limit > (Int128)other.Uses[at].Amount * row.Limit)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Uses compared by what they say.</summary>
    private readonly struct Shape((int Need, long Amount)[] uses) : IEquatable<Shape>
    {
        private readonly (int Need, long Amount)[] _uses = uses;

        public bool Equals(Shape other) => _uses.AsSpan().SequenceEqual(other._uses);

        public override bool Equals(object? obj) => obj is Shape other && Equals(other);

        public override int GetHashCode()
        {
            var hash = new HashCode();
            foreach (var (need, amount) in _uses)
            {
                hash.Add(need);
                hash.Add(amount);
            }

            return hash.ToHashCode();
        }
    }
}
