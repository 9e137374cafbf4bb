using System.Collections.Immutable;

namespace AgencyPlatform.Planning;

/// <summary>
/// Keeps count of what a plan takes while it is put together, by the problem's own rules and not by the solver's model: where a search begins, what stands in
/// the way of another choice, and whether a plan keeps all rules.
/// </summary>
internal sealed class PlanLedger
{
    private readonly PlanProblem _problem;
    private readonly long[][] _used;
    private readonly long[] _spent;
    private readonly Dictionary<(int Need, int Cmo), List<(int Budget, long Amount)>> _costs = [];
    private readonly Dictionary<(int Need, int Cmo), List<int>> _clientRows = [];
    private readonly List<int>?[] _rivals;
    private readonly int?[] _assigned;

    public PlanLedger(PlanProblem problem)
    {
        _problem = problem;
        _used = [.. problem.Cmos.Select(c => new long[c.Capacity.Length])];
        _spent = new long[problem.Budgets.Length];
        _assigned = new int?[problem.Needs.Length];
        _rivals = new List<int>?[problem.Needs.Length];
        foreach (var (b, budget) in problem.Budgets.Index())
        {
            foreach (var cost in budget.Costs)
            {
                if (!_costs.TryGetValue((cost.Need, cost.Cmo), out var costs))
                {
                    _costs[(cost.Need, cost.Cmo)] = costs = [];
                }

                costs.Add((b, cost.Amount));
            }
        }

        foreach (var (k, cmo) in problem.Cmos.Index())
        {
            foreach (var (r, row) in cmo.Clients.Index())
            {
                foreach (var need in row.Needs)
                {
                    if (!_clientRows.TryGetValue((need, k), out var rows))
                    {
                        _clientRows[(need, k)] = rows = [];
                    }

                    rows.Add(r);
                }
            }
        }

        foreach (var rival in problem.Rivals)
        {
            (_rivals[rival.First] ??= []).Add(rival.Second);
            (_rivals[rival.Second] ??= []).Add(rival.First);
        }
    }

    public IReadOnlyList<int?> Assigned => _assigned;

    public void Place(int need, PlanOption option)
    {
        Count(need, option, 1);
        _assigned[need] = option.Cmo;
    }

    public void TakeOut(int need)
    {
        if (_assigned[need] is { } cmo)
        {
            Count(need, _problem.Needs[need].OptionOf(cmo)!, -1);
            _assigned[need] = null;
        }
    }

    /// <summary>The first rule that forbids an option beside what is placed; null: none does.</summary>
    public Obstacle? InTheWay(int need, PlanOption option)
    {
        var cmo = _problem.Cmos[option.Cmo];
        foreach (var use in option.Uses)
        {
            if (_used[option.Cmo][use.Row] > cmo.Capacity[use.Row].Limit - use.Amount)
            {
                return new Obstacle(PlanRule.Capacity, use.Row, null);
            }
        }

        foreach (var rival in _rivals[need] ?? [])
        {
            if (_assigned[rival] == option.Cmo)
            {
                return new Obstacle(PlanRule.CompetitorFence, 0, rival);
            }
        }

        foreach (var r in _clientRows.GetValueOrDefault((need, option.Cmo)) ?? [])
        {
            var row = cmo.Clients[r];
            var clients = row.Needs.Where(n => n != need && _assigned[n] == option.Cmo).Select(n => _problem.Needs[n].Client).Append(_problem.Needs[need].Client).Distinct().Count();
            if (clients > row.Free)
            {
                return new Obstacle(PlanRule.MaxClients, r, null);
            }
        }

        foreach (var (budget, amount) in _costs.GetValueOrDefault((need, option.Cmo)) ?? [])
        {
            if (_spent[budget] > _problem.Budgets[budget].Limit - amount)
            {
                return new Obstacle(PlanRule.Budget, budget, null);
            }
        }

        return null;
    }

    private void Count(int need, PlanOption option, int sign)
    {
        foreach (var use in option.Uses)
        {
            _used[option.Cmo][use.Row] += sign * use.Amount;
        }

        foreach (var (budget, amount) in _costs.GetValueOrDefault((need, option.Cmo)) ?? [])
        {
            _spent[budget] += sign * amount;
        }
    }
}

/// <param name="Row">The row of the CMO's capacity or clients, or the budget.</param>
/// <param name="Rival">With the fence: the need that is in the way.</param>
internal sealed record Obstacle(PlanRule Rule, int Row, int? Rival);

/// <summary>
/// A plan to begin with: what is so today as far as it keeps the rules, then what must be placed, then the rest; each with the best CMO whom it still fits, and
/// first the needs whose second choice is the furthest behind their first.
/// </summary>
internal static class PlanStart
{
    public static ImmutableArray<int?> Of(PlanProblem problem)
    {
        var ledger = new PlanLedger(problem);
        foreach (var (n, need) in problem.Needs.Index())
        {
            if (need.Current is { } current && need.OptionOf(current) is { } stay && ledger.InTheWay(n, stay) is null)
            {
                ledger.Place(n, stay);
            }
        }

        var order = problem.Needs.Index().Where(n => ledger.Assigned[n.Index] is null)
            .Select(n => (n.Index, n.Item, Choices: n.Item.Options.OrderByDescending(n.Item.PointsOf).ThenBy(o => o.Cmo).ToArray()))
            .OrderByDescending(n => n.Item.Required)
            .ThenByDescending(n => n.Choices.Length > 1 ? n.Item.PointsOf(n.Choices[0]) - n.Item.PointsOf(n.Choices[1]) : long.MaxValue)
            .ThenBy(n => n.Index);
        foreach (var (n, need, choices) in order)
        {
            if (choices.FirstOrDefault(o => (need.Required || need.PointsOf(o) >= need.PointsLeftOut) && ledger.InTheWay(n, o) is null) is { } best)
            {
                ledger.Place(n, best);
            }
        }

        return [.. ledger.Assigned];
    }
}
