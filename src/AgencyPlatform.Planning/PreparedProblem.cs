using System.Collections.Immutable;
using System.Globalization;

namespace AgencyPlatform.Planning;

/// <summary>A problem checked, without pairs that are impossible by themselves and rows that cannot bind.</summary>
internal sealed class PreparedProblem
{
    /// <summary>Sums of points stay exact in the solver's floating-point answers.</summary>
    private const long MostPoints = 1L << 52;

    private PreparedProblem(PlanProblem problem, List<KeptRow>[] capacity, List<ClientsRow>[] clients, List<int[]> cliques, PlanModelSize size) =>
        (Problem, Capacity, Clients, Cliques, Size) = (problem, capacity, clients, cliques, size);

    /// <summary>With what alone is too much for a CMO among the ruled out.</summary>
    public PlanProblem Problem { get; }

    /// <summary>By CMO.</summary>
    public List<KeptRow>[] Capacity { get; }

    /// <summary>By CMO.</summary>
    public List<ClientsRow>[] Clients { get; }

    /// <summary>Groups of needs of which a CMO takes at most one.</summary>
    public List<int[]> Cliques { get; }

    /// <summary>Variables still without those that count clients.</summary>
    public PlanModelSize Size { get; }

    /// <exception cref="ArgumentException">The problem contradicts itself: a place that is not there, an amount below 0, points that are too large.</exception>
    public static PreparedProblem Of(PlanProblem problem)
    {
        Check(problem);
        var tooDear = problem.Budgets.SelectMany(b => b.Costs.Where(c => c.Amount > b.Limit).Select(c => (Pair: (c.Need, c.Cmo), Budget: b))).DistinctBy(t => t.Pair).ToDictionary(t => t.Pair, t => t.Budget);
        var possible = problem with { Needs = [.. problem.Needs.Select((need, n) => WithoutTooMuch(problem, need, n, tooDear))] };
        var uses = problem.Cmos.Select(c => c.Capacity.Select(_ => new List<(int, long)>()).ToArray()).ToArray();
        var takes = problem.Cmos.Select(_ => new HashSet<int>()).ToArray();
        for (var n = 0; n < possible.Needs.Length; n++)
        {
            foreach (var option in possible.Needs[n].Options)
            {
                takes[option.Cmo].Add(n);
                foreach (var use in option.Uses)
                {
                    uses[option.Cmo][use.Row].Add((n, use.Amount));
                }
            }
        }

        var capacity = problem.Cmos.Select((cmo, k) => CapacityRows.Reduce(cmo, uses[k])).ToArray();
        var clients = problem.Cmos.Select((cmo, k) => Reduced(possible, cmo, takes[k])).ToArray();
        var cliques = FenceCliques.Of(possible.Needs.Length, problem.Rivals.Select(r => (r.First, r.Second)));
        return new PreparedProblem(
            possible, capacity, clients, cliques,
            new PlanModelSize(
                problem.Needs.Sum(n => n.Options.Length + n.RuledOut.Length), possible.Needs.Sum(n => n.Options.Length), problem.Cmos.Sum(c => c.Capacity.Length), capacity.Sum(c => c.Count), cliques.Count));
    }

    private static PlanNeed WithoutTooMuch(PlanProblem problem, PlanNeed need, int n, Dictionary<(int Need, int Cmo), PlanBudget> tooDear)
    {
        var (options, ruledOut) = (ImmutableArray.CreateBuilder<PlanOption>(), need.RuledOut.ToBuilder());
        foreach (var option in need.Options)
        {
            var cmo = problem.Cmos[option.Cmo];
            if (option.Uses.FirstOrDefault(u => u.Amount > cmo.Capacity[u.Row].Limit) is { Amount: > 0 } over)
            {
                var row = cmo.Capacity[over.Row];
                ruledOut.Add(new RuledOut(option.Cmo, PlanRule.Capacity, $"{cmo.Id} has {PlanWords.Minutes(row.Limit, row.Scale)} free in {row.When}, where {need.Id} alone asks for {PlanWords.Minutes(over.Amount, row.Scale)}."));
            }
            else if (cmo.Clients.FirstOrDefault(c => c.Free == 0 && c.Needs.Contains(n)) is { } full)
            {
                ruledOut.Add(new RuledOut(option.Cmo, PlanRule.MaxClients, $"{cmo.Id} takes no further client on {full.When}."));
            }
            else if (tooDear.TryGetValue((n, option.Cmo), out var budget))
            {
                ruledOut.Add(new RuledOut(option.Cmo, PlanRule.Budget, $"{cmo.Id} alone would cost more than the {PlanWords.Amount(budget.Limit, budget.Digits)} {budget.Unit} of {budget.Client}."));
            }
            else
            {
                options.Add(option);
            }
        }

        return options.Count == need.Options.Length ? need : need with { Options = options.ToImmutable(), RuledOut = [.. ruledOut.OrderBy(r => r.Cmo)] };
    }

    /// <summary>Without those that cannot bind, and those that another implies.</summary>
    private static List<ClientsRow> Reduced(PlanProblem problem, PlanCmo cmo, HashSet<int> takes)
    {
        var rows = cmo.Clients
            .Select(row => row with { Needs = [.. row.Needs.Where(takes.Contains).Order()] })
            .Where(row => row.Needs.Select(n => problem.Needs[n].Client).Distinct().Count() > row.Free)
            .OrderByDescending(row => row.Needs.Length).ThenBy(row => row.Free)
            .ToList();
        var left = new List<(ClientsRow Row, HashSet<int> Needs)>();
        foreach (var row in rows)
        {
            if (!left.Exists(other => other.Row.Free <= row.Free && other.Needs.IsSupersetOf(row.Needs)))
            {
                left.Add((row, [.. row.Needs]));
            }
        }

        return [.. left.Select(l => l.Row)];
    }

    private static void Check(PlanProblem problem)
    {
        var (needs, cmos, points) = (problem.Needs.Length, problem.Cmos.Length, (Int128)0);
        foreach (var (n, need) in problem.Needs.Index())
        {
            Require(need.LeftOutPoints >= 0 && need.MovePoints >= 0, $"the prices of need {n} must not be below 0");
            Require(need.Current is null || (need.Current >= 0 && need.Current < cmos), $"need {n} has a CMO today who is not in the list");
            var (last, most) = (-1, (Int128)need.LeftOutPoints);
            foreach (var option in need.Options)
            {
                Require(option.Cmo > last && option.Cmo < cmos, $"the options of need {n} must name CMOs of the list, each once, in order");
                last = option.Cmo;
                most = Int128.Max(most, Int128.Abs(option.Points));
                var rows = problem.Cmos[option.Cmo].Capacity.Length;
                foreach (var use in option.Uses)
                {
                    Require(use.Row >= 0 && use.Row < rows && use.Amount > 0, $"need {n} must use rows of its CMOs with amounts above 0");
                }

                Require(option.Uses.Length < 2 || option.Uses.DistinctBy(u => u.Row).Count() == option.Uses.Length, $"need {n} must use a row once");
            }

            points += most + need.MovePoints;
        }

        Require(points <= MostPoints, string.Create(CultureInfo.InvariantCulture, $"the points of all needs must sum to at most {MostPoints}"));
        foreach (var cmo in problem.Cmos)
        {
            Require(cmo.Capacity.All(r => r is { Limit: >= 0, Scale: >= 1 }) && cmo.Clients.All(c => c.Free >= 0 && c.Needs.All(Known)), $"what {cmo.Id} takes must not be below 0");
        }

        Require(problem.Rivals.All(r => Known(r.First) && Known(r.Second)), "rivals must be needs of the list");
        Require(problem.Budgets.All(b => b.Limit >= 0 && b.Costs.All(c => Known(c.Need) && c.Cmo >= 0 && c.Cmo < cmos && c.Amount > 0)), "budgets must be of needs and CMOs of the lists, costs above 0");

        bool Known(int need) => need >= 0 && need < needs;

        static void Require(bool condition, string otherwise)
        {
            if (!condition)
            {
                throw new ArgumentException($"Not a problem to plan: {otherwise}.");
            }
        }
    }
}
