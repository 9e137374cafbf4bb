using System.Collections.Immutable;
using System.Text.Json;
using AgencyPlatform.Domain.Performance;
using CsCheck;
using NodaTime;
using static AgencyPlatform.Domain.Tests.Performance.Measured;

namespace AgencyPlatform.Domain.Tests.Performance;

/// <summary>Values month by month, their corrections, targets, closed months, and what follows from a miss. It is 10 April 2026 in New York.</summary>
public class A_scorecard
{
    [Fact]
    public void Has_the_built_in_KPIs_and_no_value_where_a_denominator_is_0()
    {
        var card = Card().Recorded(("qualified-leads", "", 80), ("sign-ups", "", 20), ("new-customers", "", 3), ("spend", "search", 100_000), ("spend", "events", 20_001));
        Assert.Equal((2_500L, 375L, 1_500L), (card.Outcome("lead-conversion", March), card.Outcome("lead-to-customer", March), card.Outcome("cost-per-lead", March))); // 25 %, 3.75 %, $15.00
        Assert.Equal(120_001, card.Outcome("spend", March));
        Assert.Null(card.Outcome("mrr", March));

        var none = Card().Recorded(("qualified-leads", "", 0), ("sign-ups", "", 0), ("spend", "search", 0));
        Assert.Equal(new KpiOutcome(null, NoValue.ZeroDenominator), new KpiOutcomes(none).Of(BuiltInKpis.CostPerLead, March));
        Assert.Equal(new KpiOutcome(null, NoValue.ZeroDenominator), new KpiOutcomes(none).Of(BuiltInKpis.LeadConversion, March));
        Assert.Equal(new KpiOutcome(null, NoValue.NotRecorded), new KpiOutcomes(none).Of(BuiltInKpis.LeadToCustomer, March));
    }

    [Fact]
    public void Keeps_what_was_corrected_and_asks_why()
    {
        var card = Card().Recorded(("qualified-leads", "", 80));
        var refused = card.Record(new RecordKpiValues([Entry(card, March, "", "qualified-leads", "", 90)]), Now).Rejection!;
        Assert.Equal((Reasons.KpiValueExists, "80", "2026-03"), (refused.Reason, refused.Metadata["value"], refused.Metadata["month"]));

        // The same again is no correction.
        Assert.Empty(card.Record(new RecordKpiValues([Entry(card, March, "", "qualified-leads", "", 80)]), Now).Events);

        card = card.Recorded(March, "Ten were missed.", ("qualified-leads", "", 90));
        Assert.Equal([(80L, ""), (90L, "Ten were missed.")], card.Values["qualified-leads/2026-03/"].Select(v => (v.Value, v.Reason)));
        Assert.Equal(90, card.Outcome("qualified-leads", March));
    }

    [Theory]
    [InlineData("no-such", "", 1, "values[0].kpi_id")]
    [InlineData("cost-per-lead", "", 1, "values[0].kpi_id")] // Computed.
    [InlineData("spend", "", 1, "values[0].channel")]
    [InlineData("mrr", "search", 1, "values[0].channel")]
    public void Refuses_a_value_of_another_KPI_or_channel(string kpi, string channel, long value, string field)
    {
        var entry = new KpiEntry(new(kpi), March, channel, new KpiNumber(value, 2, kpi is "no-such" ? null : Dollars), AttributionRule.Unstated, "");
        Assert.Equal([field], Card().Record(new RecordKpiValues([entry]), Now).Rejection!.Fields.Select(f => f.Field));
    }

    [Fact]
    public void Refuses_another_currency_more_decimals_and_a_month_that_is_to_come()
    {
        Assert.Equal(["values[0].value.amount"], Fields(new KpiEntry(BuiltInKpis.Mrr, March, "", KpiNumber.Of(new Money(100, new Currency("EUR"))), AttributionRule.None, "")));
        Assert.Equal(["values[0].value.number"], Fields(new KpiEntry(BuiltInKpis.Mrr, March, "", new KpiNumber(100, 0, null), AttributionRule.None, "")));
        Assert.Equal(["values[0].value.amount"], Fields(new KpiEntry(BuiltInKpis.SignUps, March, "", KpiNumber.Of(new Money(100, Dollars)), AttributionRule.None, "")));
        Assert.Equal(["values[0].value.number"], Fields(new KpiEntry(BuiltInKpis.SignUps, March, "", new KpiNumber(15, 1, null), AttributionRule.None, "")));
        Assert.Equal(["values[0].month"], Fields(new KpiEntry(BuiltInKpis.SignUps, new LocalDate(2026, 5, 1), "", new KpiNumber(15, 0, null), AttributionRule.None, "")));
        Assert.Equal(["values[1].kpi_id"], Fields([.. Enumerable.Repeat(new KpiEntry(BuiltInKpis.SignUps, April, "", new KpiNumber(150, 1, null), AttributionRule.None, ""), 2)]));

        static IEnumerable<string> Fields(params ImmutableArray<KpiEntry> entries) => Card().Record(new RecordKpiValues(entries), Now).Rejection!.Fields.Select(f => f.Field);
    }

    [Fact]
    public void Takes_nothing_for_a_closed_month_and_closes_none_that_is_not_over()
    {
        var card = Card().Recorded(("qualified-leads", "", 80));
        var early = card.Close(new CloseKpiPeriod(April), Now).Rejection!;
        Assert.Equal((Reasons.KpiPeriodNotOver, "2026-04-10"), (early.Reason, early.Metadata["today"]));

        // The month ends at midnight in New York, four hours later than in London.
        Assert.Equal(Reasons.KpiPeriodNotOver, card.Close(new CloseKpiPeriod(March), Instant.FromUtc(2026, 4, 1, 3, 59)).Rejection!.Reason);
        Assert.Null(card.Close(new CloseKpiPeriod(March), Instant.FromUtc(2026, 4, 1, 4, 0)).Rejection);

        card = card.Then(card.Close(new CloseKpiPeriod(March), Now));
        Assert.Empty(card.Close(new CloseKpiPeriod(February), Now).Events);
        foreach (var month in new[] { February, March })
        {
            var refused = card.Record(new RecordKpiValues([Entry(card, month, "Why not.", "qualified-leads", "", 90)]), Now).Rejection!;
            Assert.Equal((Reasons.KpiPeriodClosed, "2026-03"), (refused.Reason, refused.Metadata["closed_through"]));
        }

        Assert.Equal(Reasons.KpiPeriodClosed, card.SetTarget(Target("qualified-leads", March, 100)).Rejection!.Reason);
        Assert.Null(card.SetTarget(Target("qualified-leads", April, 100)).Rejection);
        card.Recorded(April, "", ("qualified-leads", "", 90));
    }

    [Theory]
    [InlineData("qualified-leads", 100, 0, 100, false)]
    [InlineData("qualified-leads", 100, 0, 99, true)]
    [InlineData("qualified-leads", 100, 100_000, 90, false)] // 10 %.
    [InlineData("qualified-leads", 100, 100_000, 89, true)]
    [InlineData("qualified-leads", 100, 0, 500, false)]
    [InlineData("qualified-leads", 3, 333_333, 2, true)] // Less than a third is tolerated.
    [InlineData("qualified-leads", 3, 333_334, 2, false)]
    public void Makes_a_commitment_of_a_miss_by_more_than_the_tolerance(string kpi, long target, int tolerancePpm, long value, bool missed)
    {
        var card = Card();
        card = card.Then(card.SetTarget(Target(kpi, February, target) with { TolerancePpm = tolerancePpm })).Recorded((kpi, "", value));
        Assert.Equal(missed, card.Commitments.Count == 1);
        if (missed)
        {
            var made = card.Commitments.Values.Single();
            Assert.Equal(($"missed-{kpi}-2026-03", "lead", new LocalDate(2026, 4, 24), CommitmentState.Open, March), (made.Id.Value, made.Owner, made.Due, made.State, made.Month));
        }
    }

    [Fact]
    public void Makes_it_for_what_is_computed_where_less_is_better_and_never_twice()
    {
        var card = Card();
        card = card.Then(card.SetTarget(Target("cost-per-lead", February, 1_000) with { Owner = "growth", DueDays = 3 }));
        card = card.Recorded(("spend", "search", 100_000));
        Assert.Empty(card.Commitments);
        card = card.Recorded(("qualified-leads", "", 80)); // $12.50 a lead.
        Assert.Equal(("missed-cost-per-lead-2026-03", "growth", new LocalDate(2026, 4, 13)), (card.Commitments.Single().Key.Value, card.Commitments.Single().Value.Owner, card.Commitments.Single().Value.Due));

        // Worse, better, worse again, resolved or not: once.
        card = card.Recorded(March, "1", ("qualified-leads", "", 40)).Recorded(March, "2", ("qualified-leads", "", 200));
        card = card.Then(card.Resolve(new ResolveCommitment(card.Commitments.Single().Key, CommitmentState.Dropped, "On target after all.")));
        card = card.Recorded(March, "3", ("qualified-leads", "", 50));
        Assert.Equal(CommitmentState.Dropped, card.Commitments.Values.Single().State);
        Assert.Equal(Reasons.CommitmentClosed, card.Resolve(new ResolveCommitment(card.Commitments.Single().Key, CommitmentState.Kept, "")).Rejection!.Reason);

        // Another month is another.
        card = card.Recorded(February, "", ("qualified-leads", "", 10), ("spend", "search", 100_000));
        Assert.Equal(2, card.Commitments.Count);
    }

    [Fact]
    public void Judges_a_running_month_when_it_is_closed()
    {
        var card = Card();
        card = card.Then(card.SetTarget(Target("qualified-leads", February, 100))).Recorded(April, "", ("qualified-leads", "", 5));
        Assert.Empty(card.Commitments);
        var may = Instant.FromUtc(2026, 5, 2, 12, 0);
        card = card.Then(card.Close(new CloseKpiPeriod(April), may), may);
        Assert.Equal("missed-qualified-leads-2026-04", card.Commitments.Single().Key.Value);
    }

    [Fact]
    public void Takes_the_target_of_the_month()
    {
        var card = Card();
        card = card.Then(card.SetTarget(Target("sign-ups", April, 30))).Then(card.SetTarget(Target("sign-ups", February, 10)));
        Assert.Equal((null, 10L, 10L, 30L), (card.TargetIn(new("sign-ups"), new LocalDate(2026, 1, 1))?.Target, card.TargetIn(new("sign-ups"), February)?.Target, card.TargetIn(new("sign-ups"), March)?.Target, card.TargetIn(new("sign-ups"), April)?.Target));
        Assert.Equal(["target.amount"], card.SetTarget(new SetKpiTarget(new("sign-ups"), April, KpiNumber.Of(new Money(1, Dollars)), null, 0, "lead", 1)).Rejection!.Fields.Select(f => f.Field));
        Assert.Equal(["benchmark.number"], card.SetTarget(new SetKpiTarget(new("sign-ups"), April, null, new KpiNumber(15, 1, null), 0, "lead", 1)).Rejection!.Fields.Select(f => f.Field));
    }

    [Fact]
    public void Keeps_a_commitment_of_its_own_apart_from_those_that_follow_from_a_miss()
    {
        var card = Card();
        Assert.Equal(["commitment_id"], card.Make(new MakeCommitment(new("missed-sign-ups-2026-03"), "Mine.", "lead", April)).Rejection!.Fields.Select(f => f.Field));
        card = card.Then(card.Make(new MakeCommitment(new("page"), "A page.", "lead", April)));
        Assert.Equal(RejectionKind.AlreadyExists, card.Make(new MakeCommitment(new("page"), "A page.", "lead", April)).Rejection!.Kind);
        card = card.Then(card.SetTarget(Target("sign-ups", February, 10))).Recorded(("sign-ups", "", 1));
        Assert.Equal(["missed-sign-ups-2026-03", "page"], card.Commitments.Keys.Select(c => c.Value));
        card = card.Then(card.Resolve(new ResolveCommitment(new("page"), CommitmentState.Kept, "Live.")));
        Assert.Equal((CommitmentState.Kept, "Live."), (card.Commitments[new("page")].State, card.Commitments[new("page")].Note));
        Assert.Equal(RejectionKind.NotFound, card.Resolve(new ResolveCommitment(new("none"), CommitmentState.Kept, "")).Rejection!.Kind);
    }

    [Fact]
    public void Has_the_clients_pulse_of_each_quarter()
    {
        var card = Card();
        card = card.Then(card.Give(new GivePulse(new LocalDate(2026, 1, 1), 7, "Good."), Now)).Then(card.Give(new GivePulse(April, 9, "Better."), Now));
        card = card.Then(card.Give(new GivePulse(April, 8, "Nearly."), Now));
        Assert.Equal([7, 8], card.Pulses.Values.Select(p => p.Score));
        Assert.Empty(card.Give(new GivePulse(April, 8, "Nearly."), Now).Events);
        Assert.Equal(["pulse.quarter"], card.Give(new GivePulse(new LocalDate(2026, 7, 1), 8, "Soon."), Now).Rejection!.Fields.Select(f => f.Field));
    }

    [Fact]
    public void Defines_a_KPI_once()
    {
        var card = Card();
        Assert.Equal(RejectionKind.AlreadyExists, card.Define(new DefineKpis([Made("mrr", "1")])).Rejection!.Kind);
        Assert.Equal(["kpis[1].kpi_id"], card.Define(new DefineKpis([Made("a", "1"), Made("a", "2")])).Rejection!.Fields.Select(f => f.Field));
        Assert.Equal(["kpis[0].kpi_id"], card.Define(new DefineKpis([Made("1a", "")])).Rejection!.Fields.Select(f => f.Field));
        Assert.Equal(Reasons.ScorecardFull, card.Define(new DefineKpis([.. Enumerable.Range(0, 91).Select(i => Made($"k{i}", ""))])).Rejection!.Reason);
    }

    /// <summary>Whatever is recorded, corrected, aimed at and closed in whatever order: what was said stays said.</summary>
    [Fact]
    public void Never_loses_what_was_recorded()
    {
        var kpis = new[] { "qualified-leads", "sign-ups", "spend", "mrr" };
        var step = Gen.Select(Gen.Int[0, 9], Gen.Int[0, 3], Gen.Int[1, 4], Gen.Long[0, 50], Gen.Bool);
        step.Array[1, 40].Sample(steps =>
        {
            var (card, events) = (Card(), new List<IEvent>());
            foreach (var (what, k, m, value, reason) in steps)
            {
                var (kpi, month) = (kpis[k], new LocalDate(2026, m, 1));
                var decision = what switch
                {
                    0 => card.Close(new CloseKpiPeriod(month), Now),
                    1 or 2 => card.SetTarget(Target(kpi, month, value)),
                    _ => card.Record(new RecordKpiValues([Entry(card, month, reason ? "Because." : "", kpi, kpi == "spend" ? "search" : "", value)]), Now),
                };
                if (decision.Rejection is not null)
                {
                    continue;
                }

                var after = card.Then(decision);
                events.AddRange([.. decision.Events, .. card.Following(decision.Events, Now)]);
                Assert.All(card.Values, v =>
                {
                    Assert.Equal(v.Value, after.Values[v.Key].Take(v.Value.Length));
                    Assert.True(!(Scorecard.Parts(v.Key).Month < card.OpenFrom) || after.Values[v.Key].Length == v.Value.Length, "A closed month has changed.");
                });
                Assert.True(!(after.OpenFrom < card.OpenFrom), "A closed month is open again.");
                card = after;
            }

            var missed = card.Commitments.Values.Select(c => (c.Kpi, c.Month)).ToList();
            Assert.Equal(missed.Distinct().Count(), missed.Count);
            Assert.Equal(JsonSerializer.Serialize(card, EventJson.Options), JsonSerializer.Serialize(events.Aggregate(Card(), (s, e) => s.Apply(e)), EventJson.Options));
            Assert.Equal(
                JsonSerializer.Serialize(card, EventJson.Options),
                JsonSerializer.Serialize(JsonSerializer.Deserialize<Scorecard>(JsonSerializer.Serialize(card, EventJson.Options), EventJson.Options), EventJson.Options));
        }, iter: 300);
    }

    private static SetKpiTarget Target(string kpi, LocalDate month, long target)
    {
        var of = Card().Kpis[new(kpi)];
        return new SetKpiTarget(of.Id, month, new KpiNumber(target, of.Decimals, of.Currency), null, 0, Scorecard.DefaultOwner, Scorecard.DefaultDueDays);
    }
}
