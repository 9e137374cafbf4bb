using AgencyPlatform.Domain.Performance;
using NodaTime;
using static AgencyPlatform.Domain.Tests.Performance.Measured;

namespace AgencyPlatform.Domain.Tests.Performance;

/// <summary>Spend by channel against budget, fees, revenue, return on investment, KPIs against targets.</summary>
public class Results_of_an_engagement
{
    [Fact]
    public void Are_the_worked_example_of_the_docs()
    {
        var card = Card();
        card = card.Then(card.SetTarget(new SetKpiTarget(BuiltInKpis.CostPerLead, February, new KpiNumber(5_000, 2, Dollars), new KpiNumber(6_000, 2, Dollars), 100_000, "lead", 14)))
            .Recorded(February, "", ("budget", "search", 300_000), ("spend", "search", 320_000), ("budget", "events", 100_000), ("spend", "events", 80_000), ("qualified-leads", "", 80), ("attributed-revenue", "", 3_000_000))
            .Recorded(March, "", ("budget", "search", 300_000), ("spend", "search", 280_000), ("qualified-leads", "", 100), ("attributed-revenue", "", 2_160_000));
        var results = EngagementResults.Of(card, Fees((February, 800_000), (March, 800_000)), February, 2);

        var (february, march) = (results.Months[0], results.Months[1]);
        Assert.Equal([("events", 100_000L, 80_000L), ("search", 300_000L, 320_000L)], february.Results.Channels.Select(c => (c.Channel, c.Budget!.Value, c.Spend!.Value)));
        Assert.Equal((400_000L, 400_000L, 800_000L, 3_000_000L), (february.Results.Budget, february.Results.Spend, february.Results.Fees.Single().Minor, february.Results.Revenue));
        Assert.Equal(15_000, february.Results.RoiPercent.Value); // (30,000 − 12,000) ÷ 12,000.
        Assert.Equal(10_000, march.Results.RoiPercent.Value); // (21,600 − 10,800) ÷ 10,800.
        Assert.Equal(12_632, results.Total.RoiPercent.Value); // (51,600 − 22,800) ÷ 22,800 = 126.3157… %
        var cost = february.Kpis.Single(k => k.Kpi.Id == BuiltInKpis.CostPerLead);
        Assert.Equal((5_000L, true, 6_000L), (cost.Outcome.Value, cost.OnTarget, cost.Target!.Benchmark));
        Assert.Equal((2_800L, true), (march.Kpis.Single(k => k.Kpi.Id == BuiltInKpis.CostPerLead).Outcome.Value, march.Kpis.Single(k => k.Kpi.Id == BuiltInKpis.CostPerLead).OnTarget));
        Assert.Equal((700_000L, 680_000L), (results.Total.Budget, results.Total.Spend));
    }

    [Fact]
    public void Have_no_return_where_nothing_was_paid_or_something_is_not_known()
    {
        var card = Card().Recorded(("attributed-revenue", "", 100), ("spend", "search", 0)).Recorded(April, "", ("attributed-revenue", "", 100));
        Assert.Equal(new KpiOutcome(null, NoValue.ZeroDenominator), Of(card, Fees(), March).RoiPercent);
        Assert.Equal(new KpiOutcome(null, NoValue.ZeroDenominator), Of(card, Fees((March, 0)), March).RoiPercent);
        Assert.Equal(new KpiOutcome(9_900, NoValue.None) with { Value = -9_900 }, Of(card, Fees((March, 10_000)), March).RoiPercent);
        Assert.Equal(new KpiOutcome(null, NoValue.NotRecorded), Of(card, Fees((April, 10_000)), April).RoiPercent);
        Assert.Equal(new KpiOutcome(null, NoValue.NotRecorded), Of(card, Fees(), February).RoiPercent);
        Assert.Null(Of(card, Fees(), February).Spend);
        Assert.Equal(0, Of(card, Fees(), March).Spend);

        // Of several months: all of them, or none.
        Assert.Equal(new KpiOutcome(null, NoValue.NotRecorded), EngagementResults.Of(card, Fees((March, 10_000)), March, 2).Total.RoiPercent);
        Assert.Equal(200, EngagementResults.Of(card, Fees((March, 10_000)), March, 2).Total.Revenue);

        // Two currencies never add.
        var euros = new[] { (March, new Money(5, new Currency("EUR"))) }.ToLookup(f => f.Item1, f => f.Item2);
        Assert.Equal(new KpiOutcome(null, NoValue.OtherCurrency), Of(card, euros, March).RoiPercent);
    }

    private static ResultsOf Of(Scorecard card, ILookup<LocalDate, Money> fees, LocalDate month) => EngagementResults.Of(card, fees, month, 1).Months.Single().Results;

    private static ILookup<LocalDate, Money> Fees(params (LocalDate Month, long Minor)[] fees) => fees.ToLookup(f => f.Month, f => new Money(f.Minor, Dollars));
}
