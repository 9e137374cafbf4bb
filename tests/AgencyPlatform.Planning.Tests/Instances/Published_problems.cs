using AgencyPlatform.Planning.Instances;

namespace AgencyPlatform.Planning.Tests.Instances;

public sealed class Published_problems
{
    private static readonly PlanOptions s_quick = new(TimeSpan.FromSeconds(20), 1);

    private const string One = " 2 3\n 5 7 3\n 4 6 9\n 3 5 2\n 4 2 3\n 6 6\n";

    [Fact]
    public void A_file_of_one_problem_is_read_and_solved()
    {
        var gap = Assert.Single(GapInstance.Parse("a05100", One));

        Assert.Equal((2, 3, false), (gap.Agents, gap.Jobs, gap.IsMaximum));
        Assert.Equal(13, Solved(gap));
    }

    [Fact]
    public void A_file_of_several_problems_is_read_and_its_name_says_which_way()
    {
        var profits = GapInstance.Parse("gap1", "2" + One + One);
        var costs = GapInstance.Parse("gapa", "2" + One + One);

        Assert.Equal(["gap1-1", "gap1-2"], profits.Select(g => g.Name));
        Assert.All(profits, gap => Assert.Equal(20, Solved(gap)));
        Assert.All(costs, gap => Assert.Equal(13, Solved(gap)));
        Assert.False(Assert.Single(GapInstance.Parse("gap1-0", One)).IsMaximum);
        Assert.True(Assert.Single(GapInstance.Parse("gap1-0", One, maximum: true)).IsMaximum);
    }

    [Theory]
    [InlineData("", "0 numbers")]
    [InlineData("2 3 x", "'x', is no whole number")]
    [InlineData("1 2 3 5 7 3", "problem 1")]
    [InlineData("2 2 3\n5 7 3\n4 6 9\n3 5 2\n4 2 3\n6 6", "2 problems and holds 1")]
    [InlineData("1 2 3\n5 7 3\n4 6 9\n3 5 2\n4 2 3\n6 6 8", "1 numbers left over")]
    [InlineData("2 3\n5 7 3\n4 6 9\n3 -5 2\n4 2 3\n6 6", "must not be below 0")]
    public void What_is_no_such_file_is_told(string text, string message) =>
        Assert.Contains(message, Assert.Throws<FormatException>(() => GapInstance.Parse("bad", text)).Message, StringComparison.Ordinal);

    /// <summary>Made like types A to C of the literature: uses 5–25 and costs 10–50, capacities from loose to tight.</summary>
    [Theory]
    [InlineData(1, 3, 8, 9)]
    [InlineData(2, 3, 8, 8)]
    [InlineData(3, 4, 7, 8)]
    [InlineData(4, 2, 10, 9)]
    [InlineData(5, 4, 7, 7)]
    public void Generated_problems_are_solved_to_the_best_of_all_assignments(int seed, int agents, int jobs, int tenths)
    {
        var random = new Random(seed);
        long[][] Rows(int from, int to) => [.. Enumerable.Range(0, agents).Select(_ => Enumerable.Range(0, jobs).Select(_ => (long)random.Next(from, to + 1)).ToArray())];
        var (costs, uses) = (Rows(10, 50), Rows(5, 25));
        var gap = new GapInstance("generated", costs, uses, [.. uses.Select(u => u.Sum() * tenths / (10 * agents) + 12)], false);

        var best = Problems.Best(gap.ToProblem());

        Assert.NotNull(best);
        Assert.Equal(gap.CostOf(best.Value), Solved(gap));
    }

    private static long Solved(GapInstance gap)
    {
        var answer = new Planner(TimeProvider.System).Plan(gap.ToProblem(), s_quick);
        Assert.Equal(PlanStatus.Optimal, answer.Status);
        Assert.Equal((gap.CostOf(answer.Points), (string?)null), gap.Check(answer.Assigned));
        return gap.CostOf(answer.Points);
    }
}
