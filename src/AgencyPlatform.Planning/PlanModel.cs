using System.Collections.Immutable;
using Google.OrTools.Sat;

namespace AgencyPlatform.Planning;

/// <summary>Which rules a model has: all, or some of them when a conflict is looked for.</summary>
internal interface IRuleChoice
{
    bool MustBePlaced(int need);
    bool Capacity(int cmo);
    bool MaxClients(int cmo);
    bool Fence(int first, int second);
    bool Budget(int budget);
}

/// <summary>
/// The problem as the solver is given it: one Boolean for each possible pair of need and CMO; "exactly one" or "at most one" for each need; a linear row for
/// each capacity, maximum of clients and budget that can bind; "at most one" for each CMO and group of rivals. Of a Generalized Assignment problem nothing is
/// left but its Booleans, its "exactly one" and one row an agent.
/// </summary>
internal sealed class PlanModel
{
    private readonly CpModelProto _proto;

    private PlanModel(CpModel model, (int Need, int Option)[] pairs, List<(int Variable, int[] Any)> counters, PlanModelSize size) =>
        (Model, _proto, Pairs, Counters, Size) = (model, model.Model, pairs, counters, size);

    public CpModel Model { get; }

    /// <summary>By variable: the need, and the place of the option in it. Variables that count clients come behind.</summary>
    public (int Need, int Option)[] Pairs { get; }

    /// <summary>Variables that say whether a client is served: true where any of these are.</summary>
    private List<(int Variable, int[] Any)> Counters { get; }

    public PlanModelSize Size { get; }

    /// <param name="choice">Null: all rules, and the points; else these rules, and any plan is good.</param>
    public static PlanModel Of(PreparedProblem prepared, IRuleChoice? choice = null)
    {
        var problem = prepared.Problem;
        var model = new CpModel();
        var proto = model.Model;
        var variables = problem.Needs.Select(n => new int[n.Options.Length]).ToArray();
        var byCmo = problem.Cmos.Select(_ => new SortedDictionary<int, int>()).ToArray();
        var pairs = new (int Need, int Option)[prepared.Size.Variables];
        // CMO by CMO, as the textbook has it: the solver's search depends on the order.
        var takes = problem.Cmos.Select(_ => new List<(int Need, int Option)>()).ToArray();
        for (var n = 0; n < problem.Needs.Length; n++)
        {
            for (var o = 0; o < variables[n].Length; o++)
            {
                takes[problem.Needs[n].Options[o].Cmo].Add((n, o));
            }
        }

        foreach (var (v, (n, o)) in takes.SelectMany(t => t).Index())
        {
            pairs[v] = (n, o);
            byCmo[problem.Needs[n].Options[o].Cmo][n] = v;
            variables[n][o] = v;
            proto.Variables.Add(Boolean());
        }

        for (var n = 0; n < problem.Needs.Length; n++)
        {
            if (problem.Needs[n].Required && choice?.MustBePlaced(n) is not false)
            {
                proto.Constraints.Add(new ConstraintProto { ExactlyOne = Any(variables[n]) });
            }
            else if (variables[n].Length > 1)
            {
                proto.Constraints.Add(new ConstraintProto { AtMostOne = Any(variables[n]) });
            }
        }

        var counters = new List<(int Variable, int[] Any)>();
        var cliques = choice is null ? prepared.Cliques : FenceCliques.Of(problem.Needs.Length, problem.Rivals.Where(r => choice.Fence(r.First, r.Second)).Select(r => (r.First, r.Second)));
        for (var k = 0; k < problem.Cmos.Length; k++)
        {
            if (choice?.Capacity(k) is not false)
            {
                foreach (var row in prepared.Capacity[k])
                {
                    proto.Constraints.Add(AtMost(row.Uses.Select(u => (byCmo[k][u.Need], u.Amount)), row.Limit));
                }
            }

            if (choice?.MaxClients(k) is not false)
            {
                var known = new Dictionary<string, int>(StringComparer.Ordinal);
                foreach (var row in prepared.Clients[k])
                {
                    proto.Constraints.Add(AtMost(row.Needs.GroupBy(n => problem.Needs[n].Client).Select(g => (Served(proto, counters, known, [.. g.Select(n => byCmo[k][n])]), 1L)), row.Free));
                }
            }

            foreach (var clique in cliques)
            {
                int[] rivals = [.. clique.Where(byCmo[k].ContainsKey).Select(n => byCmo[k][n])];
                if (rivals.Length > 1)
                {
                    proto.Constraints.Add(new ConstraintProto { AtMostOne = Any(rivals) });
                }
            }
        }

        for (var b = 0; b < problem.Budgets.Length; b++)
        {
            var budget = problem.Budgets[b];
            var costs = budget.Costs.Where(c => byCmo[c.Cmo].ContainsKey(c.Need)).Select(c => (byCmo[c.Cmo][c.Need], c.Amount)).ToList();
            // A need costs once: its dearest option.
            var dearest = budget.Costs.Where(c => byCmo[c.Cmo].ContainsKey(c.Need)).GroupBy(c => c.Need).Sum(g => g.Max(c => c.Amount));
            if (choice?.Budget(b) is not false && dearest > budget.Limit)
            {
                proto.Constraints.Add(AtMost(costs, budget.Limit));
            }
        }

        if (choice is null)
        {
            proto.Objective = Objective(problem, pairs);
        }

        return new PlanModel(model, pairs, counters, prepared.Size with { Variables = proto.Variables.Count });
    }

    /// <summary>Tells the solver where to begin.</summary>
    public void Hint(PlanProblem problem, IReadOnlyList<int?> assigned)
    {
        var hint = new PartialVariableAssignment();
        for (var v = 0; v < Pairs.Length; v++)
        {
            var (need, option) = Pairs[v];
            hint.Vars.Add(v);
            hint.Values.Add(problem.Needs[need].Options[option].Cmo == assigned[need] ? 1 : 0);
        }

        foreach (var (variable, any) in Counters)
        {
            hint.Vars.Add(variable);
            hint.Values.Add(any.Any(v => hint.Values[v] == 1) ? 1 : 0);
        }

        _proto.SolutionHint = hint;
    }

    /// <summary>By need: who has it.</summary>
    /// <param name="isChosen">Of each variable.</param>
    public ImmutableArray<int?> Read(PlanProblem problem, Func<int, bool> isChosen)
    {
        var assigned = new int?[problem.Needs.Length];
        for (var v = 0; v < Pairs.Length; v++)
        {
            if (isChosen(v))
            {
                assigned[Pairs[v].Need] = problem.Needs[Pairs[v].Need].Options[Pairs[v].Option].Cmo;
            }
        }

        return [.. assigned];
    }

    /// <summary>The variable itself where the client has one need, else one that is true when any of them is.</summary>
    private static int Served(CpModelProto proto, List<(int Variable, int[] Any)> counters, Dictionary<string, int> known, int[] any)
    {
        if (any.Length == 1)
        {
            return any[0];
        }

        var key = string.Join(',', any);
        if (!known.TryGetValue(key, out var served))
        {
            served = proto.Variables.Count;
            known[key] = served;
            proto.Variables.Add(Boolean());
            counters.Add((served, any));
            foreach (var variable in any)
            {
                proto.Constraints.Add(new ConstraintProto { BoolOr = Any([~variable, served]) });
            }
        }

        return served;
    }

    /// <summary>The solver minimises; what is left out counts as a constant.</summary>
    private static CpObjectiveProto Objective(PlanProblem problem, (int Need, int Option)[] pairs)
    {
        var objective = new CpObjectiveProto { ScalingFactor = -1 };
        foreach (var need in problem.Needs.Where(n => !n.Required))
        {
            objective.Offset -= need.PointsLeftOut;
        }

        foreach (var (v, (n, o)) in pairs.Index())
        {
            var need = problem.Needs[n];
            if ((need.Required ? 0 : need.PointsLeftOut) - need.PointsOf(need.Options[o]) is not 0 and var coefficient)
            {
                objective.Vars.Add(v);
                objective.Coeffs.Add(coefficient);
            }
        }

        return objective;
    }

    private static IntegerVariableProto Boolean() => new() { Domain = { 0, 1 } };

    private static BoolArgumentProto Any(int[] literals) => new() { Literals = { literals } };

    private static ConstraintProto AtMost(IEnumerable<(int Variable, long Amount)> terms, long limit)
    {
        var linear = new LinearConstraintProto { Domain = { long.MinValue, limit } };
        foreach (var (variable, amount) in terms)
        {
            linear.Vars.Add(variable);
            linear.Coeffs.Add(amount);
        }

        return new ConstraintProto { Linear = linear };
    }
}
