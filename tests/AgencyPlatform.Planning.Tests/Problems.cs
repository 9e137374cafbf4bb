using System.Collections.Immutable;

namespace AgencyPlatform.Planning.Tests;

/// <summary>Small problems with all rules, always the same of the same seed; and the best plan of one by trying all.</summary>
internal static class Problems
{
    public static PlanProblem Of(int seed, int needs = 5, int cmos = 3, bool required = false)
    {
        var random = new Random(seed);
        var planned = Enumerable.Range(0, cmos).Select(k => new PlanCmo(
            $"cmo-{k}",
            [.. Enumerable.Range(0, random.Next(1, 5)).Select(w => new CapacityRow($"week {w}", random.Next(0, 900), random.Next(1, 3)))],
            [.. Enumerable.Range(0, random.Next(0, 3)).Select(d => new ClientsRow($"day {d}", random.Next(0, 3), [.. Enumerable.Range(0, needs).Where(_ => random.Next(3) > 0)]))])).ToArray();
        var asked = Enumerable.Range(0, needs).Select(n =>
        {
            var options = Enumerable.Range(0, cmos).Where(_ => random.Next(6) > 0).Select(k => new PlanOption(
                k, random.Next(0, 1000),
                [.. Enumerable.Range(0, planned[k].Capacity.Length).Where(_ => random.Next(3) > 0).Select(r => new CapacityUse(r, random.Next(1, 500)))])).ToImmutableArray();
            int? today = random.Next(3) == 0 ? random.Next(cmos) : null;
            return new PlanNeed($"need-{n}", $"client-{n % 4}", required && random.Next(2) == 0, random.Next(0, 200), today, today is null ? 0 : random.Next(0, 600), options, []);
        }).ToArray();
        var rivals = from first in Enumerable.Range(0, needs)
                     from second in Enumerable.Range(0, needs)
                     where first < second && asked[first].Client != asked[second].Client && random.Next(4) == 0
                     select new RivalNeeds(first, second, $"{asked[first].Client} and {asked[second].Client} are competitors");
        var budget = new PlanBudget(
            "client-0", random.Next(0, 1500), "USD a month", 2,
            [.. asked.Index().Where(n => n.Item.Client == "client-0").SelectMany(n => n.Item.Options.Select(o => new BudgetCost(n.Index, o.Cmo, random.Next(1, 1000))))]);
        return new PlanProblem([.. asked], [.. planned], [.. rivals], [budget]);
    }

    /// <summary>A need that may be left out, of a client of its own.</summary>
    public static PlanNeed Need(string id, params PlanOption[] options) => new(id, id, false, 0, null, 0, [.. options], []);

    public static PlanOption Option(int cmo, long points, params long[] uses) => new(cmo, points, [.. uses.Select((u, r) => new CapacityUse(r, u)).Where(u => u.Amount > 0)]);

    public static PlanCmo Cmo(string id, params long[] weeks) => new(id, [.. weeks.Select((w, i) => new CapacityRow($"week {i + 1}", w, 1))], []);

    public static PlanProblem Problem(PlanNeed[] needs, params PlanCmo[] cmos) => new([.. needs], [.. cmos], [], []);

    /// <summary>The most points of any plan; null: there is no plan.</summary>
    public static long? Best(PlanProblem problem)
    {
        long? best = null;
        var assigned = new int?[problem.Needs.Length];
        Try(0);
        return best;

        void Try(int n)
        {
            if (n == problem.Needs.Length)
            {
                if (KeepsAll(problem, assigned) && Planner.PointsOf(problem, assigned) is var points && (best is null || points > best))
                {
                    best = points;
                }

                return;
            }

            assigned[n] = null;
            Try(n + 1);
            foreach (var option in problem.Needs[n].Options)
            {
                assigned[n] = option.Cmo;
                Try(n + 1);
            }

            assigned[n] = null;
        }
    }

    /// <summary>Written anew from what the rules say, without the ledger.</summary>
    public static bool KeepsAll(PlanProblem problem, IReadOnlyList<int?> assigned) =>
        !problem.Needs.Where((n, i) => n.Required && assigned[i] is null).Any()
        && !problem.Rivals.Any(r => assigned[r.First] is { } cmo && assigned[r.Second] == cmo)
        && problem.Budgets.All(b => b.Costs.Where(c => assigned[c.Need] == c.Cmo).Sum(c => c.Amount) <= b.Limit)
        && problem.Cmos.Select((cmo, k) => (cmo, k)).All(c =>
            c.cmo.Capacity.Select((row, r) => (row, r)).All(row => problem.Needs.Where((_, n) => assigned[n] == c.k).Sum(n => n.OptionOf(c.k)!.Uses.Where(u => u.Row == row.r).Sum(u => u.Amount)) <= row.row.Limit)
            && c.cmo.Clients.All(row => row.Needs.Where(n => assigned[n] == c.k).Select(n => problem.Needs[n].Client).Distinct().Count() <= row.Free));
}
