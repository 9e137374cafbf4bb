namespace AgencyPlatform.Planning.Tests;

public sealed class Best_plans
{
    private static readonly PlanOptions s_quick = new(TimeSpan.FromSeconds(20), 1, ConflictTime: TimeSpan.FromSeconds(20));
    private static readonly Planner s_planner = new(TimeProvider.System);

    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 120)];

    [Theory, MemberData(nameof(Seeds))]
    public void A_plan_is_as_good_as_the_best_of_all_that_there_are(int seed)
    {
        var problem = Problems.Of(seed, required: seed % 3 == 0);

        var answer = s_planner.Plan(problem, s_quick);

        if (Problems.Best(problem) is not { } best)
        {
            Assert.Equal(PlanStatus.Infeasible, answer.Status);
            return;
        }

        Assert.Equal((PlanStatus.Optimal, best, best, 0d), (answer.Status, answer.Points, answer.Bound, answer.Gap));
        Assert.Equal(best, Planner.PointsOf(problem, answer.Assigned));
        Assert.True(Problems.KeepsAll(problem, answer.Assigned));
        Assert.Null(Planner.Broken(problem, answer.Assigned));
    }

    [Theory, MemberData(nameof(Seeds))]
    public void A_beginning_keeps_all_rules_but_those_that_something_must_be_placed(int seed)
    {
        var problem = PreparedProblem.Of(Problems.Of(seed)).Problem;

        var start = PlanStart.Of(problem);

        Assert.True(Problems.KeepsAll(problem, start));
    }

    [Theory, MemberData(nameof(Seeds))]
    public void Whatever_breaks_a_rule_is_told(int seed)
    {
        var problem = Problems.Of(seed);
        var random = new Random(seed);
        int?[] assigned = [.. problem.Needs.Select(n => n.Options.Length == 0 || random.Next(5) == 0 ? null : (int?)n.Options[random.Next(n.Options.Length)].Cmo)];

        Assert.Equal(Problems.KeepsAll(problem, assigned), Planner.Broken(problem, assigned) is null);
    }

    [Fact]
    public void Needs_of_one_client_count_once_against_the_maximum()
    {
        var one = Problems.Need("one", Problems.Option(0, 10)) with { Client = "acme" };
        var two = Problems.Need("two", Problems.Option(0, 10)) with { Client = "acme" };
        var other = Problems.Need("other", Problems.Option(0, 15));
        var problem = Problems.Problem([one, two, other], new PlanCmo("ada", [], [new ClientsRow("2026-03-02", 1, [0, 1, 2])]));

        var answer = s_planner.Plan(problem, s_quick);

        Assert.Equal((int?[])[0, 0, null], answer.Assigned);
        Assert.Equal(20, answer.Points);
    }

    [Fact]
    public void A_move_is_made_only_where_it_is_worth_its_price()
    {
        var need = Problems.Need("need", Problems.Option(0, 100), Problems.Option(1, 150)) with { Current = 0, MovePoints = 60 };
        PlanCmo[] cmos = [Problems.Cmo("ada"), Problems.Cmo("ben")];

        var stays = s_planner.Plan(Problems.Problem([need], cmos), s_quick);
        var goes = s_planner.Plan(Problems.Problem([need with { MovePoints = 40 }], cmos), s_quick);

        Assert.Equal((0, 100L), (stays.Assigned[0], stays.Points));
        Assert.Equal((1, 110L), (goes.Assigned[0], goes.Points));
    }

    [Fact]
    public void The_same_seed_effort_and_one_worker_give_the_same_plan()
    {
        var problem = Problems.Of(7, needs: 40, cmos: 8);
        var options = s_quick with { EffortLimit = 0.02 };

        var first = s_planner.Plan(problem, options);

        Assert.All(Enumerable.Range(0, 3), _ =>
        {
            var again = s_planner.Plan(problem, options);
            Assert.Equal(first.Assigned.AsEnumerable(), again.Assigned);
            Assert.Equal((first.Status, first.Points, first.Bound), (again.Status, again.Points, again.Bound));
        });
    }

    [Fact]
    public void Out_of_time_the_best_so_far_is_told_with_its_bound()
    {
        var problem = Problems.Of(11, needs: 200, cmos: 30);

        var answer = s_planner.Plan(problem, s_quick with { EffortLimit = 0.000001 });

        Assert.Equal(PlanStatus.Feasible, answer.Status);
        Assert.True(answer.Bound > answer.Points && answer.Gap > 0, $"{answer.Points} of {answer.Bound}");
        Assert.True(Problems.KeepsAll(problem, answer.Assigned));
    }

    [Fact]
    public void A_search_that_is_stopped_answers_with_what_it_has()
    {
        using var stopped = new CancellationTokenSource();
        var problem = Problems.Of(11, needs: 200, cmos: 30);
        stopped.Cancel();

        var answer = s_planner.Plan(problem, s_quick, cancellation: stopped.Token);

        Assert.True(answer.Stopped);
        Assert.Equal(PlanStatus.Feasible, answer.Status);
        Assert.True(Problems.KeepsAll(problem, answer.Assigned));
    }

    [Fact]
    public void A_search_can_be_stopped_while_it_is_under_way()
    {
        using var stopped = new CancellationTokenSource();
        var problem = Problems.Of(3, needs: 300, cmos: 40);

        var answer = s_planner.Plan(problem, s_quick with { TimeLimit = TimeSpan.FromMinutes(5) }, _ => stopped.Cancel(), stopped.Token);

        Assert.True(answer.HasPlan);
        Assert.True(answer.Elapsed < TimeSpan.FromMinutes(1), $"It went on for {answer.Elapsed}.");
    }

    [Fact]
    public void Progress_only_gets_better()
    {
        var told = new List<PlanProgress>();
        var problem = Problems.Of(5, needs: 60, cmos: 10);

        var answer = s_planner.Plan(problem, s_quick with { EffortLimit = 0.3 }, p =>
        {
            lock (told)
            {
                told.Add(p);
            }
        });

        Assert.NotEmpty(told);
        Assert.Equal(told.Select(p => p.Points ?? long.MinValue).Order(), told.Select(p => p.Points ?? long.MinValue));
        Assert.Equal(told.Select(p => p.Bound).OrderDescending(), told.Select(p => p.Bound));
        Assert.All(told, p => Assert.True(p.Bound >= answer.Points));
    }

    /// <summary>The way of problems that are too large for the solver at once, on small ones.</summary>
    [Theory, MemberData(nameof(Seeds))]
    public void Bounded_by_prices_and_bettered_in_parts_a_plan_keeps_all_rules_and_its_bound_holds(int seed)
    {
        var prepared = PreparedProblem.Of(Problems.Of(seed));
        var best = Problems.Best(prepared.Problem)!.Value;
        var duals = new PlanDuals(prepared);

        duals.Offer(PlanStart.Of(prepared.Problem));
        duals.Run(60, () => true, () => { });
        var plan = new PlanNeighbourhoods(prepared, s_quick).Better(duals.Best!.Value, TimeSpan.FromSeconds(5), CancellationToken.None);

        Assert.True(duals.Bound >= best, $"{duals.Bound} is said to be the most, and {best} is possible.");
        Assert.True(Problems.KeepsAll(prepared.Problem, duals.Best.Value) && Problems.KeepsAll(prepared.Problem, plan));
        Assert.True(Planner.PointsOf(prepared.Problem, plan) >= duals.BestPoints);
        // Three CMOs are one part: all of it, as well as it can be.
        Assert.Equal(best, Planner.PointsOf(prepared.Problem, plan));
    }

    [Fact]
    public void A_listener_that_fails_does_not_end_the_search() =>
        Assert.Equal(PlanStatus.Optimal, s_planner.Plan(Problems.Of(1), s_quick, _ => throw new InvalidOperationException("no")).Status);

    [Fact]
    public void A_problem_that_contradicts_itself_is_refused_in_words()
    {
        var need = Problems.Need("need", Problems.Option(1, 5));

        var e = Assert.Throws<ArgumentException>(() => s_planner.Plan(Problems.Problem([need], Problems.Cmo("ada")), s_quick));

        Assert.Contains("need 0 must name CMOs of the list", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_to_plan_is_a_plan()
    {
        var answer = s_planner.Plan(Problems.Problem([]), s_quick);

        Assert.Equal((PlanStatus.Optimal, 0L, 0L), (answer.Status, answer.Points, answer.Bound));
    }
}
