using System.Collections.Immutable;
using AgencyPlatform.Benchmarks.Planning;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Planning.Portfolio;
using NodaTime;

namespace AgencyPlatform.Planning.Tests.Portfolio;

public sealed class Portfolios
{
    private static readonly PlanOptions s_quick = new(TimeSpan.FromSeconds(20), 1);
    private static readonly Planner s_planner = new(TimeProvider.System);
    private static readonly LocalDate s_monday = new(2026, 3, 2);
    private static readonly Instant s_now = Instant.FromUtc(2026, 2, 27, 9, 0);
    private static readonly Currency s_usd = new("USD");

    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 12)];

    /// <summary>The rules that decide a booking are the planner's: what is planned is booked, every one of it, whatever the order.</summary>
    [Theory, MemberData(nameof(Seeds))]
    public void What_is_planned_is_booked_by_the_CMOs_themselves(int seed)
    {
        var inputs = GeneratedPortfolio.Of(24, 5, seed);
        var answer = s_planner.Plan(PortfolioProblem.Of(inputs), s_quick with { TimeLimit = TimeSpan.FromSeconds(3), Workers = 2 });

        Assert.True(answer.HasPlan);
        Assert.Equal(inputs.Needs.Count(n => n.Required), inputs.Needs.Where((n, i) => n.Required && answer.Assigned[i] is not null).Count());
        var cmos = inputs.Cmos.ToArray();
        foreach (var today in inputs.Needs.Select(n => n.Today).OfType<StandingBooking>())
        {
            var k = Array.FindIndex(cmos, c => c.Id == today.Cmo);
            cmos[k] = Fold(cmos[k], cmos[k].Release(today.Booking, s_now));
        }

        var random = new Random(seed);
        foreach (var (n, need) in inputs.Needs.Index().OrderBy(_ => random.Next()))
        {
            if (answer.Assigned[n] is { } k)
            {
                cmos[k] = Fold(cmos[k], cmos[k].Book(new Book(new BookingId(need.Id), need.Spec), new BookingFacts(need.Fence, null), s_now));
            }
        }
    }

    /// <summary>What is left out, and could be taken by somebody at a gain, is refused by everybody: the model forbids nothing that the CMOs would allow.</summary>
    [Theory, MemberData(nameof(Seeds))]
    public void What_is_left_out_is_refused_by_every_CMO_who_could_have_taken_it(int seed)
    {
        var inputs = GeneratedPortfolio.Of(24, 5, seed);
        var problem = PortfolioProblem.Of(inputs);
        var answer = s_planner.Plan(problem, s_quick with { TimeLimit = TimeSpan.FromSeconds(5), Workers = 2 });
        if (answer.Status != PlanStatus.Optimal)
        {
            return;
        }

        var cmos = inputs.Cmos.ToArray();
        foreach (var today in inputs.Needs.Select(n => n.Today).OfType<StandingBooking>())
        {
            var k = Array.FindIndex(cmos, c => c.Id == today.Cmo);
            cmos[k] = Fold(cmos[k], cmos[k].Release(today.Booking, s_now));
        }

        foreach (var (n, need) in inputs.Needs.Index().Where(n => answer.Assigned[n.Index] is not null))
        {
            var k = answer.Assigned[n]!.Value;
            cmos[k] = Fold(cmos[k], cmos[k].Book(new Book(new BookingId(need.Id), need.Spec), new BookingFacts(need.Fence, null), s_now));
        }

        foreach (var (n, need) in inputs.Needs.Index().Where(n => answer.Assigned[n.Index] is null))
        {
            Assert.All(
                problem.Needs[n].Options.Where(o => o.Points > 0 && !problem.Rivals.Any(r => (r.First == n && answer.Assigned[r.Second] == o.Cmo) || (r.Second == n && answer.Assigned[r.First] == o.Cmo))),
                o => Assert.NotNull(cmos[o.Cmo].Check(need.Spec, new BookingFacts(need.Fence, null), s_now).Refusal));
        }
    }

    [Theory, MemberData(nameof(Seeds))]
    public void Less_capacity_never_makes_a_better_plan(int seed)
    {
        var inputs = GeneratedPortfolio.Of(12, 3, seed) with { };
        inputs = inputs with { Needs = [.. inputs.Needs.Select(n => n with { Required = false })] };
        var less = inputs with { WhatIfs = [new WhatIf(inputs.Cmos[seed % 3].Id, seed % 4 == 0, seed % 2 == 0 ? new WorkingPattern(s_monday.PlusWeeks(-20), new WeekdayMinutes(240, 240, 0, 240, 0, 0, 0)) : null, 1, null)] };

        var (all, some) = (s_planner.Plan(PortfolioProblem.Of(inputs), s_quick), s_planner.Plan(PortfolioProblem.Of(less), s_quick));

        Assert.Equal((PlanStatus.Optimal, PlanStatus.Optimal), (all.Status, some.Status));
        Assert.True(some.Points <= all.Points, $"{some.Points} with less, {all.Points} with all.");
    }

    [Fact]
    public void The_order_of_needs_does_not_change_the_points()
    {
        var inputs = GeneratedPortfolio.Of(20, 4, 3);
        var turned = inputs with { Needs = [.. inputs.Needs.Reverse()] };

        Assert.Equal(s_planner.Plan(PortfolioProblem.Of(inputs), s_quick).Points, s_planner.Plan(PortfolioProblem.Of(turned), s_quick).Points);
    }

    [Fact]
    public void Each_who_is_ruled_out_has_the_reason()
    {
        var cmos = new[] { Cmo("ada", 100), Cmo("ben", 100), Cmo("cleo", 400), Cmo("dara", 100), Cmo("eli", 100, role: "CFO"), Cmo("fern", 100, maxClients: 1) };
        cmos[0] = Booked(cmos[0], "old", "apex", Flexible(300));
        cmos[1] = Booked(cmos[1], "old", "other", Flexible(1_520));
        cmos[5] = Booked(cmos[5], "old", "other", Flexible(60));
        var need = Need("acme", Flexible(600)) with
        {
            Fence = new ClientFence(new ClientCompanyId("acme"), 1, [new ClientCompanyId("apex")], []),
            MonthlyBudget = new Money(10_000_00, s_usd),
            Role = "CMO",
            Excluded = [new CmoId("dara")],
        };

        var planned = PortfolioProblem.Of(new PortfolioInputs([need], [.. cmos], [], ImmutableSortedDictionary<ClientCompanyId, string>.Empty, [], 20)).Needs[0];

        Assert.Empty(planned.Options);
        Assert.Equal(
            [
                (0, PlanRule.CompetitorFence, "ada: A competitor of the client is booked with this CMO (cooling-off included) around 2026-03-02: choose another CMO or another time."),
                (1, PlanRule.Capacity, "ben: The CMO lacks 200 minutes in the week of 2026-03-02."),
                (2, PlanRule.Budget, "cleo would cost 20,800.00 USD a month, above the 10,000.00 USD of acme."),
                (3, PlanRule.Preference, "acme does not want dara."),
                (4, PlanRule.Preference, "eli is a CFO; acme asks for a CMO."),
                (5, PlanRule.MaxClients, "fern: The CMO would have more clients than their limit on 2026-03-02: choose another CMO or another time."),
            ],
            planned.RuledOut.Select(r => (r.Cmo, r.Rule, r.Message)));
    }

    /// <summary>$100 an hour, 600 minutes a week of 52 in 12 months, 20 % on top: 100 × 10 × 52 ÷ 12 × 1.2 = 5,200.</summary>
    [Fact]
    public void A_month_costs_what_its_hours_cost_and_the_markup()
    {
        Assert.Equal(new Money(5_200_00, s_usd), PortfolioProblem.MonthlyPrice(Cmo("ada", 100), Need("acme", Flexible(600)).Spec, 20));
        Assert.Equal(new Money(4_800_00, s_usd), PortfolioProblem.MonthlyPrice(Cmo("ada", 100), Need("acme", new PerPeriodStep(s_weeks, 2_400, new Domain.Billing.BillCycle(1, 1))).Spec, 20));
        Assert.Null(PortfolioProblem.MonthlyPrice(Cmo("ada", null), Need("acme", Flexible(600)).Spec, 20));
    }

    [Fact]
    public void A_budget_of_all_needs_of_a_client_holds_together()
    {
        PortfolioNeed[] needs = [Need("brand", Flexible(600)), Need("growth", Flexible(600))];
        needs = [.. needs.Select(n => n with { Spec = n.Spec with { Client = new ClientCompanyId("acme") } })];
        var inputs = new PortfolioInputs([.. needs], [Cmo("ada", 100)], [], ImmutableSortedDictionary<ClientCompanyId, string>.Empty, [new ClientBudget(new ClientCompanyId("acme"), new Money(10_000_00, s_usd))], 20);

        var tight = s_planner.Plan(PortfolioProblem.Of(inputs), s_quick);
        var enough = s_planner.Plan(PortfolioProblem.Of(inputs with { Budgets = [new ClientBudget(new ClientCompanyId("acme"), new Money(10_400_00, s_usd))] }), s_quick);

        Assert.Equal((1, 2), (tight.Placed, enough.Placed));
    }

    [Fact]
    public void One_CMO_does_not_serve_two_of_an_industry_that_one_of_them_fences()
    {
        PortfolioNeed[] needs = [Need("acme", Flexible(300)) with { Industry = "Fintech", FencesIndustry = true }, Need("apex", Flexible(300)) with { Industry = "fintech" }, Need("other", Flexible(300)) with { Industry = "Retail" }];
        var inputs = new PortfolioInputs([.. needs], [Cmo("ada", 100)], [], ImmutableSortedDictionary<ClientCompanyId, string>.Empty, [], 0);

        var problem = PortfolioProblem.Of(inputs);

        Assert.Equal(new RivalNeeds(0, 1, "acme shares its CMO with no other client in Fintech"), Assert.Single(problem.Rivals));
        Assert.Equal(2, s_planner.Plan(problem, s_quick).Placed);
    }

    [Fact]
    public void A_what_if_changes_the_plan_and_nothing_else()
    {
        PortfolioNeed[] needs = [Need("acme", Flexible(1_200)), Need("apex", Flexible(1_200))];
        var ada = Cmo("ada", 100);
        var inputs = new PortfolioInputs([.. needs], [ada], [], ImmutableSortedDictionary<ClientCompanyId, string>.Empty, [], 0);
        var more = inputs with { WhatIfs = [new WhatIf(ada.Id, false, new WorkingPattern(s_monday, new WeekdayMinutes(480, 480, 480, 480, 480, 0, 0)), null, null)] };

        Assert.Equal((1, 2, 1), (Placed(inputs), Placed(more), Placed(inputs)));
        Assert.Equal(0, Placed(inputs with { WhatIfs = [new WhatIf(ada.Id, true, null, null, null)] }));
        Assert.Equal(0, Placed(inputs with { WhatIfs = [new WhatIf(ada.Id, false, null, null, s_monday.PlusDays(10))] }));

        int Placed(PortfolioInputs of) => s_planner.Plan(PortfolioProblem.Of(of), s_quick).Placed;
    }

    /// <summary>Mon–Thu 8 h; two that each ask for all of Monday and Tuesday fit into the week, not into the two days.</summary>
    [Fact]
    public void A_run_of_days_binds_where_its_week_does_not()
    {
        var dates = new DateRange(s_monday, s_monday.PlusDays(2));
        PortfolioNeed[] needs = [Need("acme", new FlexibleStep(dates, 1_920)), Need("apex", new FlexibleStep(dates, 1_920))];

        var problem = PortfolioProblem.Of(new PortfolioInputs([.. needs], [Cmo("ada", 100)], [], ImmutableSortedDictionary<ClientCompanyId, string>.Empty, [], 0));

        Assert.Equal(1, s_planner.Plan(problem, s_quick).Placed);
        Assert.Equal(["the days from 2026-03-02 to 2026-03-03"], problem.Cmos[0].Capacity.Select(c => c.When));
    }

    private static readonly DateRange s_weeks = new(s_monday, s_monday.PlusWeeks(12));

    private static FlexibleStep Flexible(int weekly) => new(s_weeks, weekly);

    private static PortfolioNeed Need(string id, BookingStep step) => new(
        id, new BookingSpec(new ClientCompanyId(id), null, [step]), new ClientFence(new ClientCompanyId(id), 1, [], []), "", false, false, 1, null, "",
        ImmutableSortedDictionary<CmoId, int>.Empty, 0, [], null, 0);

    /// <summary>Mon–Thu 8 h.</summary>
    private static FractionalCmo Cmo(string id, int? hourly, string role = "CMO", int maxClients = 8)
    {
        var none = ImmutableSortedDictionary<string, string>.Empty;
        return FractionalCmo.Initial.Apply(new CmoCreated(
            new CmoId(id), new CmoProfile(new PersonId(id), role, "Etc/UTC", none, none), new CmoLimits(maxClients, 0),
            new WorkingPattern(s_monday.PlusWeeks(-4), new WeekdayMinutes(480, 480, 480, 480, 0, 0, 0)), hourly is { } rate ? new CostRate(s_monday.PlusWeeks(-4), rate * 100L, s_usd) : null, null));
    }

    private static FractionalCmo Booked(FractionalCmo cmo, string id, string client, BookingStep step) => Fold(
        cmo, cmo.Book(new Book(new BookingId(id), new BookingSpec(new ClientCompanyId(client), null, [step])), new BookingFacts(new ClientFence(new ClientCompanyId(client), 1, [], []), null), s_now));

    private static FractionalCmo Fold(FractionalCmo cmo, Decision decision)
    {
        Assert.True(decision.Rejection is null, decision.Rejection?.Message);
        return decision.Events.Aggregate(cmo, (state, e) => state.Apply(e));
    }
}
