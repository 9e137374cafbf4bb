using System.Collections.Immutable;

namespace AgencyPlatform.Planning;

public enum PlanStatus
{
    /// <summary>No plan is better: proven.</summary>
    Optimal,

    /// <summary>A plan that keeps all rules; whether there is a better one is open, up to its bound.</summary>
    Feasible,

    /// <summary>No plan keeps all rules: proven. <see cref="PlanAnswer.Conflict"/> says which of them cannot stand together.</summary>
    Infeasible,

    /// <summary>The time ran out, or the search was stopped, before there was a plan or the proof that there is none.</summary>
    NotFound,
}

/// <summary>What came of a search.</summary>
/// <param name="Assigned">By need: the CMO; null: left out. Empty where there is no plan.</param>
/// <param name="Points">Of the plan; 0 where there is none.</param>
/// <param name="Bound">Proven: no plan has more.</param>
/// <param name="Conflict">Only with <see cref="PlanStatus.Infeasible"/>.</param>
/// <param name="Stopped">Whether the caller ended the search.</param>
public sealed record PlanAnswer(
    PlanStatus Status, ImmutableArray<int?> Assigned, long Points, long Bound, TimeSpan Elapsed, PlanConflict? Conflict, bool Stopped, PlanModelSize Model)
{
    public bool HasPlan => Status is PlanStatus.Optimal or PlanStatus.Feasible;

    /// <summary>How much better a plan could still be: (bound − points) ÷ |points|, and of no points 1 unless the bound is 0 too. 0 is proven best.</summary>
    public double Gap => GapOf(Points, Bound);

    public int Placed => Assigned.Count(a => a is not null);

    internal static double GapOf(long points, long bound) => bound <= points ? 0 : points == 0 ? 1 : (double)(bound - points) / Math.Abs((double)points);
}

/// <summary>What the solver was given, after what cannot matter was left out.</summary>
/// <param name="Pairs">Pairs of need and CMO that were looked at.</param>
/// <param name="Variables">Of which had a variable, with those that count clients.</param>
/// <param name="CapacityRows">Week rows of all CMOs as they came.</param>
/// <param name="KeptRows">Of which were left when equal, dominated and never binding ones were dropped.</param>
public sealed record PlanModelSize(int Pairs, int Variables, int CapacityRows, int KeptRows, int FenceCliques);

/// <summary>
/// Rules that cannot stand together, none of them too many: without any one of them these rules would not conflict any more (others still might).
/// </summary>
/// <param name="IsSmallest">Whether that is proven; not when the time ran out while it was looked for.</param>
public sealed record PlanConflict(ImmutableArray<ConflictingRule> Rules, bool IsSmallest)
{
    /// <summary>All of it in words.</summary>
    public override string ToString() =>
        (Rules.Length == 1 ? "This rule cannot be kept: " : "These rules cannot be kept together: ")
        + string.Join(" ", Rules.Select(r => r.Message))
        + (Rules.Length == 1 ? "" : IsSmallest ? " Giving up any one of them ends this conflict." : " There was no time to find out whether all of them are needed for the conflict.");
}

/// <param name="Needs">Those that it is about.</param>
/// <param name="Cmo">The one that it is about; null: none in particular.</param>
/// <param name="Message">A sentence.</param>
public sealed record ConflictingRule(PlanRule Rule, ImmutableArray<int> Needs, int? Cmo, string Message);
