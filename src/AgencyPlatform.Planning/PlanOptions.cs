namespace AgencyPlatform.Planning;

/// <summary>How long and how a plan is looked for.</summary>
/// <param name="TimeLimit">When it runs out, the best plan so far is the answer, with its bound.</param>
/// <param name="Workers">Threads of the solver, ≥ 1. With one, the same problem, seed and effort give the same plan.</param>
/// <param name="Seed">Of the solver's random choices, ≥ 0.</param>
/// <param name="EffortLimit">The solver's own count of work, which does not depend on the machine: with one worker the answer that it ends in is always the same. Null: only time ends the search.</param>
/// <param name="GoodEnough">Parts in a million: a plan within so much of its bound is good enough. 0: only the best is.</param>
/// <param name="ConflictTime">How long the rules that conflict are looked for, when there is no plan.</param>
public sealed record PlanOptions(TimeSpan TimeLimit, int Workers, int Seed = 1, double? EffortLimit = null, int GoodEnough = 0, TimeSpan? ConflictTime = null)
{
    public static PlanOptions Default { get; } = new(TimeSpan.FromSeconds(60), Environment.ProcessorCount);
}

/// <summary>How far the search is.</summary>
/// <param name="Points">Of the best plan so far; null: none yet.</param>
/// <param name="Bound">No plan has more.</param>
/// <param name="Placed">Needs placed in the best plan so far.</param>
public sealed record PlanProgress(TimeSpan Elapsed, long? Points, long Bound, int Placed)
{
    /// <summary>See <see cref="PlanAnswer.Gap"/>.</summary>
    public double? Gap => Points is { } points ? PlanAnswer.GapOf(points, Bound) : null;
}
