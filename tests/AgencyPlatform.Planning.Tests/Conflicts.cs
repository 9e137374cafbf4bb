namespace AgencyPlatform.Planning.Tests;

public sealed class Conflicts
{
    private static readonly PlanOptions s_quick = new(TimeSpan.FromSeconds(20), 1);
    private static readonly Planner s_planner = new(TimeProvider.System);

    [Fact]
    public void Too_little_room_is_told_with_the_week_and_the_minutes()
    {
        PlanNeed[] needs = [.. Enumerable.Range(1, 4).Select(i => Problems.Need($"need-{i}", Problems.Option(0, 5, 600, 600), Problems.Option(1, 5, 600, 600)) with { Required = i < 4 })];

        var conflict = s_planner.Plan(Problems.Problem(needs, Problems.Cmo("ada", 1000, 900), Problems.Cmo("ben", 700, 1000), Problems.Cmo("cleo", 5000, 5000)), s_quick).Conflict!;

        Assert.True(conflict.IsSmallest);
        Assert.Equal(
            "These rules cannot be kept together: need-1 must be placed, and only ada and ben can take it. need-2 must be placed, and only ada and ben can take it. "
            + "need-3 must be placed, and only ada and ben can take it. "
            + "ada has 900 minutes free in week 2, where those of these needs that ada could take ask for 1,800 minutes. "
            + "ben has 700 minutes free in week 1, where those of these needs that ben could take ask for 1,800 minutes. Giving up any one of them ends this conflict.",
            conflict.ToString());
    }

    [Fact]
    public void Competitors_that_only_one_could_take_are_told()
    {
        PlanNeed[] needs = [Problems.Need("acme", Problems.Option(0, 5)) with { Required = true }, Problems.Need("apex", Problems.Option(0, 5)) with { Required = true }];
        var problem = Problems.Problem(needs, Problems.Cmo("ada")) with { Rivals = [new RivalNeeds(0, 1, "acme and apex are competitors")] };

        var conflict = s_planner.Plan(problem, s_quick).Conflict!;

        Assert.Equal([PlanRule.MustBePlaced, PlanRule.MustBePlaced, PlanRule.CompetitorFence], conflict.Rules.Select(r => r.Rule));
        Assert.Contains("One CMO does not take both acme and apex: acme and apex are competitors.", conflict.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_need_that_nobody_can_take_says_which_rules_took_whom_away()
    {
        var need = Problems.Need("acme", Problems.Option(0, 5, 300)) with
        {
            Required = true,
            RuledOut = [new RuledOut(1, PlanRule.Budget, "ben is too dear."), new RuledOut(2, PlanRule.Budget, "cleo is too dear.")],
        };

        var answer = s_planner.Plan(Problems.Problem([need], Problems.Cmo("ada", 200), Problems.Cmo("ben"), Problems.Cmo("cleo")), s_quick);

        Assert.Equal(PlanStatus.Infeasible, answer.Status);
        Assert.Equal(
            "This rule cannot be kept: acme must be placed, and nobody can take it: 1 ruled out by capacity (ada). 2 ruled out by the budget (ben and cleo).",
            answer.Conflict!.ToString());
    }

    [Fact]
    public void Without_time_more_rules_are_blamed_than_needed_and_that_is_said()
    {
        PlanNeed[] needs = [.. Enumerable.Range(1, 3).Select(i => Problems.Need($"need-{i}", Problems.Option(0, 5, 600)) with { Required = true })];

        var conflict = s_planner.Plan(Problems.Problem(needs, Problems.Cmo("ada", 1000)), s_quick with { ConflictTime = TimeSpan.Zero }).Conflict!;

        Assert.False(conflict.IsSmallest);
        Assert.Equal(4, conflict.Rules.Length);
        Assert.EndsWith("There was no time to find out whether all of them are needed for the conflict.", conflict.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_conflict_is_one_and_none_of_its_rules_is_too_many()
    {
        var seen = 0;
        for (var seed = 0; seed < 200; seed++)
        {
            var problem = PreparedProblem.Of(Problems.Of(seed, needs: 6, required: true)).Problem;
            if (problem.Needs.Any(n => n is { Required: true, Options.Length: 0 }) || Problems.Best(problem) is not null)
            {
                continue;
            }

            var conflict = s_planner.Plan(problem, s_quick).Conflict!;

            seen++;
            Assert.True(conflict.IsSmallest);
            Assert.Null(Problems.Best(Only(problem, conflict.Rules)));
            Assert.All(conflict.Rules, rule => Assert.NotNull(Problems.Best(Only(problem, [.. conflict.Rules.Where(r => r != rule)]))));
        }

        Assert.True(seen >= 10, $"Only {seen} problems had a conflict to look at.");
    }

    /// <summary>The problem with these of its rules and no others.</summary>
    private static PlanProblem Only(PlanProblem problem, IReadOnlyCollection<ConflictingRule> rules)
    {
        bool Has(PlanRule rule, Func<ConflictingRule, bool> about) => rules.Any(r => r.Rule == rule && about(r));
        return problem with
        {
            Needs = [.. problem.Needs.Select((n, i) => n with { Required = n.Required && Has(PlanRule.MustBePlaced, r => r.Needs[0] == i) })],
            Cmos =
            [
                .. problem.Cmos.Select((c, k) => c with
                {
                    Capacity = [.. c.Capacity.Select(row => Has(PlanRule.Capacity, r => r.Cmo == k) ? row : row with { Limit = 1_000_000 })],
                    Clients = Has(PlanRule.MaxClients, r => r.Cmo == k) ? c.Clients : [],
                }),
            ],
            Rivals = [.. problem.Rivals.Where(x => Has(PlanRule.CompetitorFence, r => r.Needs[0] == x.First && r.Needs[1] == x.Second))],
            Budgets = Has(PlanRule.Budget, _ => true) ? problem.Budgets : [],
        };
    }
}
