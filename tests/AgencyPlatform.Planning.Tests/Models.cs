using AgencyPlatform.Planning.Instances;

namespace AgencyPlatform.Planning.Tests;

/// <summary>What the solver is given: nothing that cannot matter, and nothing less than the problem.</summary>
public sealed class Models
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 60)];

    [Fact]
    public void Of_a_generalized_assignment_problem_nothing_is_left_but_its_pairs_and_a_row_an_agent()
    {
        var gap = new GapInstance("small", [[5, 7, 3], [4, 6, 9]], [[3, 5, 2], [4, 2, 3]], [6, 6], false);

        var model = PlanModel.Of(PreparedProblem.Of(gap.ToProblem()));

        Assert.Equal(6, model.Model.Model.Variables.Count);
        Assert.Equal(3, model.Model.Model.Constraints.Count(c => c.ExactlyOne is not null));
        Assert.Equal(2, model.Model.Model.Constraints.Count(c => c.Linear is not null));
        Assert.Equal(5, model.Model.Model.Constraints.Count);
    }

    [Fact]
    public void Weeks_that_ask_the_same_are_one_row_and_the_tightest_stands()
    {
        PlanNeed[] needs = [Problems.Need("a", Problems.Option(0, 1, 300, 300, 600)), Problems.Need("b", Problems.Option(0, 1, 500, 500, 1000))];

        var prepared = PreparedProblem.Of(Problems.Problem(needs, Problems.Cmo("ada", 750, 600, 1410)));

        // 300 and 500 of 600; 600 and 1,000 of 1,410 is the same with room for 705.
        var row = Assert.Single(prepared.Capacity[0]);
        Assert.Equal((1, 6L), (row.Original, row.Limit));
        Assert.Equal([(0, 3L), (1, 5L)], row.Uses);
    }

    [Fact]
    public void Rows_that_all_together_keep_are_left_out()
    {
        PlanNeed[] needs = [Problems.Need("a", Problems.Option(0, 1, 300)), Problems.Need("b", Problems.Option(0, 1, 400))];

        Assert.Empty(PreparedProblem.Of(Problems.Problem(needs, Problems.Cmo("ada", 700))).Capacity[0]);
    }

    [Fact]
    public void A_pair_that_alone_is_too_much_has_no_variable_and_its_reason()
    {
        var need = Problems.Need("a", Problems.Option(0, 1, 300), Problems.Option(1, 1, 300));

        var problem = PreparedProblem.Of(Problems.Problem([need], Problems.Cmo("ada", 299), Problems.Cmo("ben", 300))).Problem;

        Assert.Equal([1], problem.Needs[0].Options.Select(o => o.Cmo));
        var out_ = Assert.Single(problem.Needs[0].RuledOut);
        Assert.Equal((0, PlanRule.Capacity, "ada has 299 minutes free in week 1, where a alone asks for 300 minutes."), (out_.Cmo, out_.Rule, out_.Message));
    }

    [Theory, MemberData(nameof(Seeds))]
    public void What_is_left_of_the_rows_allows_what_all_of_them_allow(int seed)
    {
        var random = new Random(seed);
        var rows = random.Next(1, 8);
        PlanNeed[] needs = [.. Enumerable.Range(0, 8).Select(n => Problems.Need($"n{n}", Problems.Option(0, 1, [.. Enumerable.Range(0, rows).Select(_ => random.Next(3) == 0 ? 0 : random.Next(1, 6) * 60L)])))];
        var problem = PreparedProblem.Of(Problems.Problem(needs, Problems.Cmo("ada", [.. Enumerable.Range(0, rows).Select(_ => random.Next(5, 20) * 60L)])));

        for (var chosen = 0; chosen < 1 << needs.Length; chosen++)
        {
            var set = Enumerable.Range(0, needs.Length).Where(n => (chosen >> n & 1) == 1 && problem.Problem.Needs[n].Options.Length > 0).ToHashSet();
            var fits = Enumerable.Range(0, rows).All(r => set.Sum(n => needs[n].Options[0].Uses.Where(u => u.Row == r).Sum(u => u.Amount)) <= problem.Problem.Cmos[0].Capacity[r].Limit);
            Assert.Equal(fits, problem.Capacity[0].All(row => row.Uses.Where(u => set.Contains(u.Need)).Sum(u => u.Amount) <= row.Limit));
        }
    }

    [Theory, MemberData(nameof(Seeds))]
    public void Groups_of_rivals_hold_every_pair_and_no_others(int seed)
    {
        var random = new Random(seed);
        (int, int)[] pairs = [.. from a in Enumerable.Range(0, 12) from b in Enumerable.Range(0, 12) where a < b && random.Next(3) == 0 select (a, b)];

        var cliques = FenceCliques.Of(12, pairs);

        var held = cliques.SelectMany(c => from a in c from b in c where a < b select (a, b)).ToHashSet();
        Assert.Equal(pairs.Order(), held.Order());
        Assert.All(cliques, c => Assert.Equal(c.Distinct().Order(), c));
    }

    [Fact]
    public void An_industry_is_one_group() =>
        Assert.Equal([[0, 1, 2, 3]], FenceCliques.Of(4, [(0, 1), (2, 0), (0, 3), (1, 2), (3, 1), (2, 3)]));
}
