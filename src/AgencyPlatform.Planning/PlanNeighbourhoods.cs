using System.Collections.Immutable;
using Google.OrTools.Sat;

namespace AgencyPlatform.Planning;

/// <summary>
/// Betters a plan a few CMOs at a time: all that they have, and what is left out, is placed anew as well as it can be, with all rules, while the rest stays.
/// Several such parts that share no CMO are solved at the same time.
/// </summary>
internal sealed class PlanNeighbourhoods
{
    private const int FewestCmos = 3;
    private const int MostCmos = 16;
    private const int MostLeftOut = 40;
    private const double PartEffort = 0.15;

    private readonly PlanProblem _problem;
    private readonly PlanOptions _options;
    private readonly Random _random;
    private readonly HashSet<string> _budgeted;
    private int _cmos = FewestCmos;

    public PlanNeighbourhoods(PreparedProblem prepared, PlanOptions options)
    {
        // Rows that cannot bind would be looked at again in each part.
        var problem = prepared.Problem;
        var kept = prepared.Capacity.Select(rows => rows.Index().ToDictionary(r => r.Item.Original, r => r.Index)).ToArray();
        _problem = problem with
        {
            Needs = [.. problem.Needs.Select(n => n with { Options = [.. n.Options.Select(o => o with { Uses = [.. o.Uses.Where(u => kept[o.Cmo].ContainsKey(u.Row)).Select(u => new CapacityUse(kept[o.Cmo][u.Row], u.Amount))] })] })],
            Cmos = [.. problem.Cmos.Select((c, k) => c with { Capacity = [.. prepared.Capacity[k].Select(r => c.Capacity[r.Original])], Clients = [.. prepared.Clients[k]] })],
        };
        (_options, _random, _budgeted) = (options, new Random(options.Seed), [.. problem.Budgets.Select(b => b.Client)]);
    }

    /// <summary>The solver's measure of all that was done.</summary>
    public double Effort { get; private set; }

    /// <summary>One round.</summary>
    /// <returns>A plan that is at least as good.</returns>
    public ImmutableArray<int?> Better(ImmutableArray<int?> plan, TimeSpan left, CancellationToken cancellation)
    {
        var order = Enumerable.Range(0, _problem.Cmos.Length).ToArray();
        _random.Shuffle(order);
        var parts = Math.Min(_options.Workers, Math.Max(1, order.Length / _cmos));
        var leftOut = Enumerable.Range(0, plan.Length).Where(n => plan[n] is null && _problem.Needs[n].Options.Length > 0).ToArray();
        _random.Shuffle(leftOut);
        var results = new (bool IsBest, double Effort, int[] Needs, ImmutableArray<int?> Assigned)[parts];
        Parallel.For(0, parts, new ParallelOptions { MaxDegreeOfParallelism = parts }, p =>
        {
            int[] cmos = [.. order.Skip(p * _cmos).Take(_cmos).Order()];
            // A budget that two parts would spend is spent by the first only.
            int[] needs =
            [
                .. Enumerable.Range(0, plan.Length).Where(n => plan[n] is { } k && cmos.Contains(k)).Concat(leftOut.Where((_, i) => i % parts == p).Take(MostLeftOut))
                    .Where(n => p == 0 || !_budgeted.Contains(_problem.Needs[n].Client)).Order(),
            ];
            results[p] = Solve(plan, cmos, needs, p, left, cancellation);
        });
        var better = plan.ToBuilder();
        foreach (var (_, effort, needs, assigned) in results)
        {
            Effort += effort;
            for (var i = 0; i < needs.Length; i++)
            {
                better[needs[i]] = assigned[i];
            }
        }

        _cmos = results.All(r => r.IsBest) ? Math.Min(MostCmos, _cmos + 1) : Math.Max(FewestCmos, _cmos - 1);
        return better.ToImmutable();
    }

    private (bool IsBest, double Effort, int[] Needs, ImmutableArray<int?> Assigned) Solve(ImmutableArray<int?> plan, int[] cmos, int[] needs, int part, TimeSpan left, CancellationToken cancellation)
    {
        ImmutableArray<int?> today = [.. needs.Select(n => plan[n])];
        var problem = Part(plan, cmos, needs);
        var prepared = PreparedProblem.Of(problem);
        var model = PlanModel.Of(prepared);
        model.Hint(prepared.Problem, [.. today.Select(k => k is { } cmo ? Array.IndexOf(cmos, cmo) : (int?)null)]);
        using var solver = new CpSolver { StringParameters = Planner.Parameters(left, 1, _options.Seed + part, PartEffort) };
        using var stop = cancellation.Register(solver.StopSearch);
        var status = solver.Solve(model.Model);
        if (status is not (CpSolverStatus.Optimal or CpSolverStatus.Feasible))
        {
            return (false, solver.Response!.DeterministicTime, needs, today);
        }

        var chosen = solver.Response!.Solution;
        var assigned = model.Read(prepared.Problem, v => chosen[v] != 0);
        return Planner.PointsOf(problem, assigned) > Planner.PointsOf(problem, [.. today.Select(k => k is { } cmo ? Array.IndexOf(cmos, cmo) : (int?)null)])
            ? (status == CpSolverStatus.Optimal, solver.Response.DeterministicTime, needs, [.. assigned.Select(k => k is { } at ? cmos[at] : (int?)null)])
            : (status == CpSolverStatus.Optimal, solver.Response.DeterministicTime, needs, today);
    }

    /// <summary>These needs and CMOs alone. What needs of these CMOs are not among them keep their room.</summary>
    private PlanProblem Part(ImmutableArray<int?> plan, int[] cmos, int[] needs)
    {
        var (place, seat) = (needs.Index().ToDictionary(n => n.Item, n => n.Index), cmos.Index().ToDictionary(c => c.Item, c => c.Index));
        var stay = Enumerable.Range(0, plan.Length).Where(n => plan[n] is { } k && seat.ContainsKey(k) && !place.ContainsKey(n)).ToArray();
        return new PlanProblem(
            [
                .. needs.Select(n => _problem.Needs[n]).Select((need, i) => new PlanNeed(
                    need.Id, need.Client, need.Required, -need.PointsLeftOut, null, 0,
                    [
                        .. need.Options.Where(o => seat.ContainsKey(o.Cmo) && !stay.Any(s => plan[s] == o.Cmo && AreRivals(needs[i], s)))
                            .Select(o => new PlanOption(seat[o.Cmo], need.PointsOf(o), o.Uses)),
                    ],
                    [])),
            ],
            [
                .. cmos.Select(k => _problem.Cmos[k] with
                {
                    Capacity = [.. _problem.Cmos[k].Capacity.Select((row, r) => row with { Limit = row.Limit - stay.Where(s => plan[s] == k).Sum(s => _problem.Needs[s].OptionOf(k)!.Uses.Where(u => u.Row == r).Sum(u => u.Amount)) })],
                    Clients = [.. _problem.Cmos[k].Clients.Select(row => Without(row, [.. stay.Where(s => plan[s] == k && row.Needs.Contains(s)).Select(s => _problem.Needs[s].Client)]))],
                }),
            ],
            [.. _problem.Rivals.Where(r => place.ContainsKey(r.First) && place.ContainsKey(r.Second)).Select(r => r with { First = place[r.First], Second = place[r.Second] })],
            [
                .. _problem.Budgets.Select(b => b with
                {
                    Limit = b.Limit - b.Costs.Where(c => !place.ContainsKey(c.Need) && plan[c.Need] == c.Cmo).Sum(c => c.Amount),
                    Costs = [.. b.Costs.Where(c => place.ContainsKey(c.Need) && seat.ContainsKey(c.Cmo)).Select(c => new BudgetCost(place[c.Need], seat[c.Cmo], c.Amount))],
                }).Where(b => b.Costs.Length > 0),
            ]);

        ClientsRow Without(ClientsRow row, HashSet<string> served) => row with
        {
            Free = row.Free - served.Count,
            Needs = [.. row.Needs.Where(n => place.ContainsKey(n) && !served.Contains(_problem.Needs[n].Client)).Select(n => place[n])],
        };

        bool AreRivals(int first, int second) => _problem.Rivals.Any(r => (r.First == first && r.Second == second) || (r.First == second && r.Second == first));
    }
}
