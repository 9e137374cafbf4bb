using AgencyPlatform.Planning.Instances;
using Google.OrTools.Sat;

namespace AgencyPlatform.Benchmarks.Planning;

/// <summary>What one would write without the planner: the textbook model of a Generalized Assignment problem on the solver's own API.</summary>
internal static class RawCpSat
{
    public static (long? Cost, bool IsProven) Solve(GapInstance gap, TimeSpan limit, int workers, int seed)
    {
        var model = new CpModel();
        var x = new BoolVar[gap.Agents, gap.Jobs];
        for (var i = 0; i < gap.Agents; i++)
        {
            for (var j = 0; j < gap.Jobs; j++)
            {
                x[i, j] = model.NewBoolVar($"x_{i}_{j}");
            }
        }

        for (var j = 0; j < gap.Jobs; j++)
        {
            model.AddExactlyOne(Enumerable.Range(0, gap.Agents).Select(i => x[i, j]));
        }

        for (var i = 0; i < gap.Agents; i++)
        {
            model.Add(LinearExpr.WeightedSum(Enumerable.Range(0, gap.Jobs).Select(j => x[i, j]), gap.Uses[i]) <= gap.Capacities[i]);
        }

        var all = Enumerable.Range(0, gap.Agents).SelectMany(i => Enumerable.Range(0, gap.Jobs).Select(j => (i, j))).ToArray();
        var cost = LinearExpr.WeightedSum(all.Select(p => x[p.i, p.j]), all.Select(p => gap.Costs[p.i][p.j]));
        if (gap.IsMaximum)
        {
            model.Maximize(cost);
        }
        else
        {
            model.Minimize(cost);
        }

        using var solver = new CpSolver { StringParameters = FormattableString.Invariant($"max_time_in_seconds:{limit.TotalSeconds:0.###} num_workers:{workers} random_seed:{seed}") };
        var status = solver.Solve(model);
        return (status is CpSolverStatus.Optimal or CpSolverStatus.Feasible ? (long)Math.Round(solver.ObjectiveValue) : null, status is CpSolverStatus.Optimal);
    }
}
