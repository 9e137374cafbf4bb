using System.Collections.Immutable;
using System.Globalization;
using Google.OrTools.Sat;

namespace AgencyPlatform.Planning;

/// <summary>Looks for the best joint assignment with CP-SAT, and proves how good it is. Safe for concurrent use.</summary>
/// <remarks>Blocks its thread until it is done: hours of processor time may be asked for in <see cref="PlanOptions"/>.</remarks>
public sealed class Planner(TimeProvider time)
{
    public static readonly TimeSpan DefaultConflictTime = TimeSpan.FromSeconds(20);

    /// <summary>With more rows of weeks the solver's own preparation takes longer than a plan may.</summary>
    internal const int MostRowsAtOnce = 1_500;

    private const int PriceSteps = 1_500;

    /// <param name="progress">Told of each better plan and bound, on the solver's threads; must be quick.</param>
    /// <param name="cancellation">Ends the search: the best plan so far is the answer.</param>
    /// <exception cref="ArgumentException">The problem contradicts itself.</exception>
    public PlanAnswer Plan(PlanProblem problem, PlanOptions options, Action<PlanProgress>? progress = null, CancellationToken cancellation = default)
    {
        var begun = time.GetTimestamp();
        var prepared = PreparedProblem.Of(problem);
        problem = prepared.Problem;
        if (PlanConflicts.Impossible(problem) is { } impossible)
        {
            return new PlanAnswer(PlanStatus.Infeasible, [], 0, 0, time.GetElapsedTime(begun), impossible, false, prepared.Size);
        }

        if (prepared.Size.KeptRows > MostRowsAtOnce && InParts(prepared, options, begun, progress, cancellation) is { } inParts)
        {
            return inParts;
        }

        var model = PlanModel.Of(prepared);
        // What is so today is where the search begins; with nobody placed yet the solver finds a beginning of its own.
        var today = problem.Needs.Any(n => n.Current is not null) ? PlanStart.Of(problem) : (ImmutableArray<int?>?)null;
        if (today is { } start)
        {
            model.Hint(problem, start);
        }

        using var run = new SolverRun(time, begun, problem, model, options, progress);
        var status = run.Solve(cancellation);
        var (assigned, bound) = (run.Assigned, run.Bound);
        if (status == CpSolverStatus.Infeasible)
        {
            var left = options.ConflictTime ?? DefaultConflictTime;
            var conflict = PlanConflicts.Of(prepared, options, time, left, cancellation);
            return new PlanAnswer(PlanStatus.Infeasible, [], 0, 0, time.GetElapsedTime(begun), conflict, cancellation.IsCancellationRequested, model.Size);
        }

        if (assigned is null && (today ?? PlanStart.Of(problem)) is var first && IsWhole(problem, first))
        {
            // Better than none: the solver had no time for a plan of its own.
            assigned = first;
        }

        if (assigned is not { } found)
        {
            return new PlanAnswer(PlanStatus.NotFound, [], 0, bound, time.GetElapsedTime(begun), null, cancellation.IsCancellationRequested, model.Size);
        }

        var points = PointsOf(problem, found);
        return new PlanAnswer(
            status == CpSolverStatus.Optimal && bound <= points ? PlanStatus.Optimal : PlanStatus.Feasible, found, points, Math.Max(points, bound), time.GetElapsedTime(begun), null,
            cancellation.IsCancellationRequested, model.Size);
    }

    /// <summary>
    /// A problem that is too large for the solver at once: bounded by prices of its rows, and solved a few CMOs at a time. Null: no plan has all that must be placed, and
    /// whether there is one is the solver's to say.
    /// </summary>
    private PlanAnswer? InParts(PreparedProblem prepared, PlanOptions options, long begun, Action<PlanProgress>? progress, CancellationToken cancellation)
    {
        var (problem, duals) = (prepared.Problem, new PlanDuals(prepared));
        duals.Offer(PlanStart.Of(problem));
        Tell();
        duals.Run(PriceSteps, () => !cancellation.IsCancellationRequested && time.GetElapsedTime(begun) < options.TimeLimit / 5, Tell);
        if (duals.Best is not { } plan)
        {
            return null;
        }

        var parts = new PlanNeighbourhoods(prepared, options);
        while (duals.Bound > duals.BestPoints && PlanAnswer.GapOf(duals.BestPoints, duals.Bound) * 1e6 > options.GoodEnough
            && !cancellation.IsCancellationRequested && !(parts.Effort >= options.EffortLimit) && options.TimeLimit - time.GetElapsedTime(begun) is var left && left > TimeSpan.Zero)
        {
            plan = parts.Better(plan, left, cancellation);
            if (duals.Offer(plan))
            {
                Tell();
            }
        }

        var bound = Math.Max(duals.Bound, duals.BestPoints);
        return new PlanAnswer(
            bound == duals.BestPoints ? PlanStatus.Optimal : PlanStatus.Feasible, duals.Best.Value, duals.BestPoints, bound, time.GetElapsedTime(begun), null, cancellation.IsCancellationRequested,
            prepared.Size);

        void Tell() => SolverRun.Tell(
            progress,
            new PlanProgress(
                time.GetElapsedTime(begun), duals.Best is null ? null : duals.BestPoints, Math.Max(duals.Bound, duals.BestPoints), duals.Best is { } best ? best.Count(k => k is not null) : 0));
    }

    /// <summary>What a plan comes to.</summary>
    public static long PointsOf(PlanProblem problem, IReadOnlyList<int?> assigned) =>
        problem.Needs.Index().Sum(n => assigned[n.Index] is { } cmo ? n.Item.PointsOf(n.Item.OptionOf(cmo)!) : n.Item.PointsLeftOut);

    /// <summary>The first rule that a plan breaks, as a sentence; null: it keeps all. By the problem itself, without any solver.</summary>
    public static string? Broken(PlanProblem problem, IReadOnlyList<int?> assigned)
    {
        var ledger = new PlanLedger(problem);
        for (var n = 0; n < problem.Needs.Length; n++)
        {
            var need = problem.Needs[n];
            if (assigned[n] is not { } cmo)
            {
                if (need.Required)
                {
                    return $"{need.Id} must be placed.";
                }

                continue;
            }

            if (need.OptionOf(cmo) is not { } option)
            {
                return $"{problem.Cmos[cmo].Id} is no option for {need.Id}.";
            }

            if (ledger.InTheWay(n, option) is { } obstacle)
            {
                return PlanReasons.Sentence(problem, n, option, obstacle, ledger);
            }

            ledger.Place(n, option);
        }

        return null;
    }

    /// <summary>What no plan can have more than: each need's best, whatever the others do.</summary>
    internal static long EasyBound(PlanProblem problem) =>
        problem.Needs.Sum(n => n.Options.Select(n.PointsOf).Concat(n.Required ? [] : [n.PointsLeftOut]).DefaultIfEmpty(n.PointsLeftOut).Max());

    internal static bool IsWhole(PlanProblem problem, ImmutableArray<int?> assigned) => problem.Needs.Index().All(n => !n.Item.Required || assigned[n.Index] is not null);

    /// <summary>The solver's settings in its own language.</summary>
    internal static string Parameters(TimeSpan limit, int workers, int seed, double? effort = null, int goodEnough = 0)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"max_time_in_seconds:{Math.Max(0.001, limit.TotalSeconds):0.###} num_workers:{Math.Max(1, workers)} random_seed:{seed}");
        if (effort is { } most)
        {
            text += string.Create(CultureInfo.InvariantCulture, $" max_deterministic_time:{most:0.######}");
        }

        return goodEnough > 0 ? text + string.Create(CultureInfo.InvariantCulture, $" relative_gap_limit:{goodEnough / 1e6:0.######}") : text;
    }
}
