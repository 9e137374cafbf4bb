using System.Collections.Immutable;
using Google.OrTools.Sat;

namespace AgencyPlatform.Planning;

/// <summary>One run of the solver, watched.</summary>
internal sealed class SolverRun : CpSolverSolutionCallback
{
    private readonly TimeProvider _time;
    private readonly long _begun;
    private readonly PlanProblem _problem;
    private readonly PlanModel _model;
    private readonly PlanOptions _options;
    private readonly Action<PlanProgress>? _progress;
    private readonly Lock _lock = new();
    private (long Points, int Placed)? _best;
    private CancellationToken _cancellation;

    public SolverRun(TimeProvider time, long begun, PlanProblem problem, PlanModel model, PlanOptions options, Action<PlanProgress>? progress)
    {
        (_time, _begun, _problem, _model, _options, _progress) = (time, begun, problem, model, options, progress);
        Bound = Planner.EasyBound(problem);
    }

    /// <summary>No plan has more points.</summary>
    public long Bound { get; private set; }

    /// <summary>The best plan; null: none was found.</summary>
    public ImmutableArray<int?>? Assigned { get; private set; }

    public CpSolverStatus Solve(CancellationToken cancellation)
    {
        using var solver = new CpSolver();
        var left = _options.TimeLimit - _time.GetElapsedTime(_begun);
        solver.StringParameters = Planner.Parameters(left, _options.Workers, _options.Seed, _options.EffortLimit, _options.GoodEnough);
        if (cancellation.IsCancellationRequested || left <= TimeSpan.Zero)
        {
            return CpSolverStatus.Unknown;
        }

        _cancellation = cancellation;
        solver.SetBestBoundCallback(NewBound);
        using var stop = cancellation.Register(solver.StopSearch);
        var status = solver.Solve(_model.Model, _progress is null ? null : this);
        if (status is CpSolverStatus.ModelInvalid)
        {
            throw new InvalidOperationException($"The solver does not take the model: {solver.Response!.SolutionInfo}");
        }

        if (status is CpSolverStatus.Optimal or CpSolverStatus.Feasible)
        {
            var chosen = solver.Response!.Solution;
            Assigned = _model.Read(_problem, v => chosen[v] != 0);
            Tighten(solver.BestObjectiveBound);
        }
        // Without a plan the answer's own bound may be none: what the search told of its bounds counts.
        return status;
    }

    /// <inheritdoc/>
    public override void OnSolutionCallback()
    {
        var (points, bound) = (Whole(ObjectiveValue()), BestObjectiveBound());
        var placed = 0;
        for (var v = 0; v < _model.Pairs.Length; v++)
        {
            placed += SolutionIntegerValue(v) != 0 ? 1 : 0;
        }

        lock (_lock)
        {
            if (_best is not { } best || points > best.Points)
            {
                _best = (points, placed);
            }

            Tighten(bound);
        }

        Tell();
        if (_cancellation.IsCancellationRequested)
        {
            // It was asked to stop just before it had begun.
            StopSearch();
        }
    }

    private void NewBound(double bound)
    {
        lock (_lock)
        {
            Tighten(bound);
        }

        Tell();
    }

    private void Tell()
    {
        PlanProgress told;
        lock (_lock)
        {
            told = new PlanProgress(_time.GetElapsedTime(_begun), _best?.Points, Math.Max(Bound, _best?.Points ?? long.MinValue), _best?.Placed ?? 0);
        }

        Tell(_progress, told);
    }

    /// <summary>Who listens fails alone: the search goes on, and no exception runs into the solver, which is not of this runtime.</summary>
    public static void Tell(Action<PlanProgress>? progress, PlanProgress told)
    {
        try
        {
            progress?.Invoke(told);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // See above.
        }
    }

    /// <summary>Points are whole: a bound between two of them is the lower one. Bounds that are none yet, infinite or none at all, change nothing.</summary>
    private void Tighten(double bound)
    {
        if (double.IsFinite(bound) && Math.Abs(bound) < 1L << 53 && Whole(bound) is var whole && whole < Bound)
        {
            Bound = whole;
        }
    }

    private static long Whole(double value) => (long)Math.Floor(value + 1e-6);
}
