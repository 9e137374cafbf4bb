namespace AgencyPlatform.Planning.Tests;

public sealed class Reasons_of_a_plan
{
    private static readonly PlanOptions s_quick = new(TimeSpan.FromSeconds(20), 1);
    private static readonly Planner s_planner = new(TimeProvider.System);

    [Fact]
    public void Who_is_passed_over_is_told_with_what_stood_in_the_way()
    {
        PlanNeed[] needs = [Problems.Need("acme", Problems.Option(0, 900, 600), Problems.Option(1, 100, 600)), Problems.Need("apex", Problems.Option(0, 800, 500), Problems.Option(1, 700, 500))];
        var problem = Problems.Problem(needs, Problems.Cmo("ada", 1000), Problems.Cmo("ben", 1000));

        var reasons = PlanReasons.Of(problem, s_planner.Plan(problem, s_quick));

        Assert.Equal("ada is the best of 2 who could take acme, with 900 points.", reasons[0].Message);
        Assert.Empty(reasons[0].PassedOver);
        Assert.Equal(("ben is number 2 of 2 who could take apex, with 700 points.", 2), (reasons[1].Message, reasons[1].Rank));
        var ada = Assert.Single(reasons[1].PassedOver);
        Assert.Equal((0, 800L, PlanRule.Capacity), (ada.Cmo, ada.Points, ada.Rule!.Value));
        Assert.Equal("ada has 1,000 minutes free in week 1, of which acme take 600 minutes; apex asks for 500 minutes.", ada.Message);
    }

    [Fact]
    public void The_reasons_add_up_to_the_points_of_the_plan()
    {
        for (var seed = 0; seed < 40; seed++)
        {
            var problem = Problems.Of(seed);
            var answer = s_planner.Plan(problem, s_quick);

            var reasons = PlanReasons.Of(problem, answer);

            Assert.Equal(answer.Points, reasons.Sum(r => r.Points));
            Assert.Equal(answer.Assigned, reasons.Select(r => r.Cmo));
            Assert.All(reasons.SelectMany(r => r.PassedOver), p => Assert.NotNull(p.Rule));
        }
    }

    [Fact]
    public void What_is_left_out_says_who_was_ruled_out_by_what()
    {
        var need = Problems.Need("acme") with { RuledOut = [new RuledOut(0, PlanRule.CompetitorFence, "ada serves apex.")] };
        var problem = Problems.Problem([need], Problems.Cmo("ada"));

        var reason = Assert.Single(PlanReasons.Of(problem, s_planner.Plan(problem, s_quick)));

        Assert.Equal("Nobody can take acme: 1 ruled out by the competitor fence (ada).", reason.Message);
    }
}
