using System.Collections.Immutable;
using System.Globalization;
using Google.OrTools.Sat;

namespace AgencyPlatform.Planning;

/// <summary>
/// Which rules cannot stand together. Rules are left out of the model and put back, by halves (QuickXplain), until what is left has no plan and has one without
/// any single rule of it. Each question is a model of its own: the solver's assumptions are not used (docs/adr/0013).
/// </summary>
internal static class PlanConflicts
{
    /// <summary>A need that must be placed and that nobody can take: no search is needed for it.</summary>
    public static PlanConflict? Impossible(PlanProblem problem)
    {
        ImmutableArray<ConflictingRule> rules =
        [
            .. problem.Needs.Index().Where(n => n.Item is { Required: true, Options.Length: 0 }).Take(1).Select(n => new ConflictingRule(
                PlanRule.MustBePlaced, [n.Index], null, $"{n.Item.Id} must be placed, and nobody can take it: {PlanReasons.RuledOutInWords(problem, n.Item)}")),
        ];
        return rules.IsEmpty ? null : new PlanConflict(rules, true);
    }

    /// <summary>The conflict of a problem that has no plan.</summary>
    public static PlanConflict Of(PreparedProblem prepared, PlanOptions options, TimeProvider time, TimeSpan limit, CancellationToken cancellation)
    {
        var rules = Rules(prepared);
        var search = new Search(prepared, options.Seed, time, limit, cancellation);
        // What is asked for is blamed before what the agency has: the rules are tried in this order, and the last to be needed is named.
        var found = search.Smallest(rules);
        var needs = found.Where(r => r.Rule == PlanRule.MustBePlaced).Select(r => r.At).Order().ToArray();
        return new PlanConflict([.. found.Order().Select(r => InWords(prepared.Problem, r, needs))], search.IsSure);
    }

    private static List<RuleKey> Rules(PreparedProblem prepared)
    {
        var problem = prepared.Problem;
        List<RuleKey> rules =
        [
            .. problem.Cmos.Index().Where(c => prepared.Capacity[c.Index].Count > 0).Select(c => new RuleKey(PlanRule.Capacity, c.Index, 0)),
            .. problem.Cmos.Index().Where(c => prepared.Clients[c.Index].Count > 0).Select(c => new RuleKey(PlanRule.MaxClients, c.Index, 0)),
            .. problem.Rivals.Select(r => new RuleKey(PlanRule.CompetitorFence, Math.Min(r.First, r.Second), Math.Max(r.First, r.Second))).Distinct(),
            .. problem.Budgets.Index().Select(b => new RuleKey(PlanRule.Budget, b.Index, 0)),
            .. problem.Needs.Index().Where(n => n.Item.Required).Select(n => new RuleKey(PlanRule.MustBePlaced, n.Index, 0)),
        ];
        return rules;
    }

    private static ConflictingRule InWords(PlanProblem problem, RuleKey rule, int[] needs)
    {
        switch (rule.Rule)
        {
            case PlanRule.MustBePlaced:
                var need = problem.Needs[rule.At];
                var who = PlanWords.List([.. need.Options.Select(o => problem.Cmos[o.Cmo].Id)]);
                return new ConflictingRule(rule.Rule, [rule.At], null, $"{need.Id} must be placed, and only {who} can take it.");
            case PlanRule.Capacity:
                var cmo = problem.Cmos[rule.At];
                var asked = cmo.Capacity.Select((row, r) => (Row: row, Sum: needs.Sum(n => problem.Needs[n].OptionOf(rule.At)?.Uses.Where(u => u.Row == r).Sum(u => u.Amount) ?? 0))).ToArray();
                // The week that is the furthest from holding all of them.
                var (worst, sum) = asked.MaxBy(a => (double)(a.Sum - a.Row.Limit) / a.Row.Scale);
                return new ConflictingRule(
                    rule.Rule, [.. needs.Where(n => problem.Needs[n].OptionOf(rule.At) is not null)], rule.At,
                    $"{cmo.Id} has {PlanWords.Minutes(worst.Limit, worst.Scale)} free in {worst.When}, where those of these needs that {cmo.Id} could take ask for {PlanWords.Minutes(sum, worst.Scale)}.");
            case PlanRule.MaxClients:
                var (taker, row) = (problem.Cmos[rule.At], problem.Cmos[rule.At].Clients.MaxBy(c => c.Needs.Intersect(needs).Count() - c.Free)!);
                return new ConflictingRule(
                    rule.Rule, [.. row.Needs.Intersect(needs)], rule.At, string.Create(CultureInfo.InvariantCulture, $"{taker.Id} takes {row.Free:N0} more {(row.Free == 1 ? "client" : "clients")} on {row.When}."));
            case PlanRule.CompetitorFence:
                var rival = problem.Rivals.First(r => Math.Min(r.First, r.Second) == rule.At && Math.Max(r.First, r.Second) == rule.Other);
                return new ConflictingRule(rule.Rule, [rule.At, rule.Other], null, $"One CMO does not take both {problem.Needs[rule.At].Id} and {problem.Needs[rule.Other].Id}: {rival.Why}.");
            case PlanRule.Budget:
                var budget = problem.Budgets[rule.At];
                return new ConflictingRule(
                    rule.Rule, [.. budget.Costs.Select(c => c.Need).Distinct().Order()], null,
                    $"{budget.Client} pays at most {PlanWords.Amount(budget.Limit, budget.Digits)} {budget.Unit} for all its needs.");
            default:
                throw new InvalidOperationException($"{rule.Rule} is no rule of a model.");
        }
    }

    /// <param name="At">The need, CMO or budget.</param>
    /// <param name="Other">With the fence: the other need.</param>
    private readonly record struct RuleKey(PlanRule Rule, int At, int Other) : IComparable<RuleKey>
    {
        public int CompareTo(RuleKey other) => (Rule, At, Other).CompareTo((other.Rule, other.At, other.Other));
    }

    private sealed class Choice(IEnumerable<RuleKey> rules) : IRuleChoice
    {
        private readonly HashSet<RuleKey> _rules = [.. rules];

        public bool MustBePlaced(int need) => _rules.Contains(new RuleKey(PlanRule.MustBePlaced, need, 0));
        public bool Capacity(int cmo) => _rules.Contains(new RuleKey(PlanRule.Capacity, cmo, 0));
        public bool MaxClients(int cmo) => _rules.Contains(new RuleKey(PlanRule.MaxClients, cmo, 0));
        public bool Fence(int first, int second) => _rules.Contains(new RuleKey(PlanRule.CompetitorFence, Math.Min(first, second), Math.Max(first, second)));
        public bool Budget(int budget) => _rules.Contains(new RuleKey(PlanRule.Budget, budget, 0));
    }

    /// <summary>Halves the rules until none is too many.</summary>
    private sealed class Search(PreparedProblem prepared, int seed, TimeProvider time, TimeSpan limit, CancellationToken cancellation)
    {
        private readonly long _begun = time.GetTimestamp();

        /// <summary>Whether every question was answered: else the rules may be more than needed.</summary>
        public bool IsSure { get; private set; } = true;

        /// <summary>A smallest part of these rules, which all together have no plan, that has none.</summary>
        public List<RuleKey> Smallest(List<RuleKey> rules) => HasPlan([]) ? Needed([], false, rules) : [];

        /// <param name="kept">Rules that stand anyway.</param>
        /// <param name="isNew">Whether any of them has been added since it was last asked.</param>
        private List<RuleKey> Needed(List<RuleKey> kept, bool isNew, List<RuleKey> rules)
        {
            if (isNew && !HasPlan(kept))
            {
                return [];
            }

            if (rules.Count <= 1)
            {
                return rules;
            }

            var half = rules.Count / 2;
            var (first, second) = (rules[..half], rules[half..]);
            var ofSecond = Needed([.. kept, .. first], true, second);
            var ofFirst = Needed([.. kept, .. ofSecond], ofSecond.Count > 0, first);
            return [.. ofFirst, .. ofSecond];
        }

        /// <summary>Where there is no time for the answer, it counts as yes: more rules are blamed then, never too few.</summary>
        private bool HasPlan(List<RuleKey> rules)
        {
            var left = limit - time.GetElapsedTime(_begun);
            if (left <= TimeSpan.Zero || cancellation.IsCancellationRequested)
            {
                IsSure = false;
                return true;
            }

            using var solver = new CpSolver { StringParameters = Planner.Parameters(left, 1, seed) };
            using var stop = cancellation.Register(solver.StopSearch);
            var status = solver.Solve(PlanModel.Of(prepared, new Choice(rules)).Model);
            IsSure &= status is not CpSolverStatus.Unknown;
            return status is not CpSolverStatus.Infeasible;
        }
    }
}
