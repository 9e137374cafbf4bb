using System.Collections.Immutable;

namespace AgencyPlatform.Planning;

/// <summary>
/// A bound that needs no solver: the rows that needs share are given prices, each need takes its best choice at these prices, and what that comes to is a bound
/// whatever the prices are (Lagrange). The prices are moved towards the least bound, and at good prices a plan is put together greedily.
/// </summary>
internal sealed class PlanDuals
{
    private const int PlanEvery = 4;
    private const int Patience = 25;

    private readonly PlanProblem _problem;
    private readonly int[] _first;
    private readonly double[] _points;
    private readonly double _constant;
    private readonly int[] _columns;
    private readonly int[] _rowOf;
    private readonly double[] _amount;
    private readonly double[] _limit;

    public PlanDuals(PreparedProblem prepared)
    {
        _problem = prepared.Problem;
        var needs = _problem.Needs;
        _first = new int[needs.Length + 1];
        var byCmo = _problem.Cmos.Select(_ => new Dictionary<int, int>()).ToArray();
        for (var n = 0; n < needs.Length; n++)
        {
            _first[n + 1] = _first[n] + needs[n].Options.Length;
            for (var o = 0; o < needs[n].Options.Length; o++)
            {
                byCmo[needs[n].Options[o].Cmo][n] = _first[n] + o;
            }
        }

        _points = new double[_first[^1]];
        for (var n = 0; n < needs.Length; n++)
        {
            var leftOut = needs[n].Required ? 0 : needs[n].PointsLeftOut;
            _constant += leftOut;
            for (var o = 0; o < needs[n].Options.Length; o++)
            {
                _points[_first[n] + o] = needs[n].PointsOf(needs[n].Options[o]) - leftOut;
            }
        }

        var rows = new List<(double Limit, List<(int Variable, double Amount)> Uses)>();
        for (var k = 0; k < byCmo.Length; k++)
        {
            foreach (var row in prepared.Capacity[k])
            {
                rows.Add((1, [.. row.Uses.Select(u => (byCmo[k][u.Need], (double)u.Amount / row.Limit))]));
            }

            foreach (var row in prepared.Clients[k])
            {
                // A client's needs share its one place: a weaker row than the rule, and so still a bound.
                rows.Add((row.Free, [.. row.Needs.GroupBy(n => needs[n].Client).SelectMany(g => g.Select(n => (byCmo[k][n], 1.0 / g.Count())))]));
            }

            foreach (var clique in prepared.Cliques)
            {
                var rivals = clique.Where(byCmo[k].ContainsKey).Select(n => (byCmo[k][n], 1.0)).ToList();
                if (rivals.Count > 1)
                {
                    rows.Add((1, rivals));
                }
            }
        }

        foreach (var budget in _problem.Budgets.Where(b => b.Limit > 0))
        {
            rows.Add((1, [.. budget.Costs.Where(c => byCmo[c.Cmo].ContainsKey(c.Need)).Select(c => (byCmo[c.Cmo][c.Need], (double)c.Amount / budget.Limit))]));
        }

        _limit = [.. rows.Select(r => r.Limit)];
        _columns = new int[_points.Length + 1];
        foreach (var (variable, _) in rows.SelectMany(r => r.Uses))
        {
            _columns[variable + 1]++;
        }

        for (var v = 0; v < _points.Length; v++)
        {
            _columns[v + 1] += _columns[v];
        }

        var next = _columns.ToArray();
        (_rowOf, _amount) = (new int[_columns[^1]], new double[_columns[^1]]);
        foreach (var (r, row) in rows.Index())
        {
            foreach (var (variable, amount) in row.Uses)
            {
                (_rowOf[next[variable]], _amount[next[variable]]) = (r, amount);
                next[variable]++;
            }
        }

        Bound = Planner.EasyBound(_problem);
    }

    /// <summary>No plan has more points.</summary>
    public long Bound { get; private set; }

    /// <summary>The best plan that has all that must be placed; null: none was found.</summary>
    public ImmutableArray<int?>? Best { get; private set; }

    public long BestPoints { get; private set; } = long.MinValue;

    /// <summary>Takes a plan if it is whole and better.</summary>
    public bool Offer(ImmutableArray<int?> plan)
    {
        if (!Planner.IsWhole(_problem, plan) || Planner.PointsOf(_problem, plan) is var points && points <= BestPoints)
        {
            return false;
        }

        (Best, BestPoints) = (plan, points);
        return true;
    }

    /// <summary>Moves the prices.</summary>
    /// <param name="steps">How often at most.</param>
    /// <param name="goesOn">Asked before each.</param>
    /// <param name="better">Told of each better plan or bound.</param>
    public void Run(int steps, Func<bool> goesOn, Action better)
    {
        var (prices, worth, chosen, slack) = (new double[_limit.Length], new double[_points.Length], new int[_problem.Needs.Length], new double[_limit.Length]);
        var (least, since, pace) = (double.PositiveInfinity, 0, 1.0);
        for (var step = 0; step < steps && pace > 1e-3 && Bound > BestPoints && goesOn(); step++)
        {
            var sum = _constant;
            for (var r = 0; r < prices.Length; r++)
            {
                (sum, slack[r]) = (sum + prices[r] * _limit[r], -_limit[r]);
            }

            for (var n = 0; n < chosen.Length; n++)
            {
                var (best, at) = (_problem.Needs[n].Required ? double.NegativeInfinity : 0, -1);
                for (var v = _first[n]; v < _first[n + 1]; v++)
                {
                    var value = _points[v];
                    for (var i = _columns[v]; i < _columns[v + 1]; i++)
                    {
                        value -= prices[_rowOf[i]] * _amount[i];
                    }

                    worth[v] = value;
                    if (value > best)
                    {
                        (best, at) = (value, v);
                    }
                }

                sum += best;
                chosen[n] = at;
                for (var i = at < 0 ? 0 : _columns[at]; at >= 0 && i < _columns[at + 1]; i++)
                {
                    slack[_rowOf[i]] += _amount[i];
                }
            }

            var isBetter = false;
            if (sum < least - Math.Abs(least) * 1e-6 || double.IsInfinity(least))
            {
                (least, since) = (sum, 0);
                // Rounding errors of the sums are far below this.
                if ((long)Math.Floor(sum + 1e-3) is var bound && bound < Bound)
                {
                    (Bound, isBetter) = (bound, true);
                }
            }
            else if (++since >= Patience)
            {
                (pace, since) = (pace / 2, 0);
            }

            if (step % PlanEvery == 0)
            {
                isBetter |= Offer(Greedy(worth));
            }

            if (isBetter)
            {
                better();
            }

            var length = 0.0;
            for (var r = 0; r < slack.Length; r++)
            {
                slack[r] = prices[r] == 0 && slack[r] < 0 ? 0 : slack[r];
                length += slack[r] * slack[r];
            }

            if (length < 1e-12)
            {
                return;
            }

            var stride = pace * Math.Max(1, sum - Math.Max(BestPoints, least - Math.Abs(least) * 0.1)) / length;
            for (var r = 0; r < prices.Length; r++)
            {
                prices[r] = Math.Max(0, prices[r] + stride * slack[r]);
            }
        }
    }

    /// <summary>A plan by what choices are worth at the prices: the clearest ones first; then what still fits, by points.</summary>
    private ImmutableArray<int?> Greedy(double[] worth)
    {
        var ledger = new PlanLedger(_problem);
        var needs = _problem.Needs;
        var order = Enumerable.Range(0, needs.Length).Where(n => needs[n].Options.Length > 0).Select(n =>
        {
            var sorted = Enumerable.Range(0, needs[n].Options.Length).OrderByDescending(o => worth[_first[n] + o]).ToArray();
            var (first, second) = (worth[_first[n] + sorted[0]], sorted.Length > 1 ? worth[_first[n] + sorted[1]] : double.NegativeInfinity);
            return (Need: n, Sorted: sorted, Regret: first - (needs[n].Required ? second : Math.Max(0, second)));
        }).OrderByDescending(n => needs[n.Need].Required).ThenByDescending(n => n.Regret).ThenBy(n => n.Need).ToArray();
        foreach (var (n, sorted, _) in order)
        {
            foreach (var o in sorted)
            {
                var option = needs[n].Options[o];
                if ((needs[n].Required || worth[_first[n] + o] > 0) && ledger.InTheWay(n, option) is null)
                {
                    ledger.Place(n, option);
                    break;
                }
            }
        }

        foreach (var n in order.Select(o => o.Need).Where(n => ledger.Assigned[n] is null).OrderByDescending(n => needs[n].Options.Max(needs[n].PointsOf)).ToArray())
        {
            if (needs[n].Options.Where(o => needs[n].PointsOf(o) > needs[n].PointsLeftOut && ledger.InTheWay(n, o) is null).MaxBy(needs[n].PointsOf) is { } fits)
            {
                ledger.Place(n, fits);
            }
        }

        return [.. ledger.Assigned];
    }
}
