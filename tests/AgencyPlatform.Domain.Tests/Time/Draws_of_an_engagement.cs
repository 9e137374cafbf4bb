using System.Collections.Immutable;
using System.Text.Json;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Domain.Engagements;
using AgencyPlatform.Domain.Time;
using CsCheck;
using NodaTime;
using Xunit;

namespace AgencyPlatform.Domain.Tests.Time;

public sealed class Draws_of_an_engagement
{
    private static readonly LocalDate s_start = new(2026, 4, 1);
    private static readonly LocalDate s_day = new(2026, 4, 15);
    private static readonly Currency s_dollars = new("USD");
    private static readonly CmoId s_ada = new("ada");
    private static readonly CostRate s_cost = new(new LocalDate(2026, 1, 1), 10_000, s_dollars);
    private static readonly BillCycle s_monthly = new(1, 1);

    private static RetainerTerms Retainer(OverageGate gate, int included = 600, LocalDate? start = null) =>
        new(start ?? s_start, new LegalEntityId("main"), s_dollars, s_monthly, 800_000, included, 25_000, gate);

    private static HourlyTerms Hourly(long rate = 25_000) => new(s_start, new LegalEntityId("main"), s_dollars, s_monthly, rate);

    private static Engagement Active(Terms terms, LocalDate? end = null, LocalDate? billing = null)
    {
        var plan = new EngagementPlan(
            "Growth", ServiceType.FractionalCmo, s_ada, [new EngagementMember(s_ada, "lead", [], null, true)], terms, terms.EffectiveFrom, end, billing, 1,
            ImmutableSortedDictionary<string, string>.Empty, ImmutableSortedDictionary<string, string>.Empty);
        return Engagement.Initial.Apply(new EngagementCreated(new EngagementId("e"), new ClientCompanyId("acme"), plan)) with { State = EngagementState.Active };
    }

    private static DrawTime Entry(string id, int minutes, LocalDate? date = null, bool billable = true, bool paid = true, CmoId? cmo = null) =>
        new(new TimeEntryKey("ada/2026-W16/" + id), cmo ?? s_ada, date ?? s_day, minutes, billable, paid, "key:ops");

    private static Engagement Fold(Engagement state, Decision decision)
    {
        Assert.Null(decision.Rejection);
        return decision.Events.Aggregate(state, (s, e) => s.Apply(EventJson.Deserialize(EventJson.NameOf(e).Name, EventJson.NameOf(e).Version, EventJson.Serialize(e))));
    }

    private static TimeParts Parts(Decision decision) => decision.Events.OfType<TimeDrawn>().Single().Parts;

    [Fact]
    public void Included_minutes_are_drawn_first_and_the_gate_decides_on_the_rest()
    {
        var full = Fold(Active(Retainer(OverageGate.Bill)), Active(Retainer(OverageGate.Bill)).Draw(Entry("a", 590), s_cost));
        var over = Parts(full.Draw(Entry("b", 30), s_cost));
        Assert.Equal((10, 20, 0, 0), (over.DrawnMinutes(), over.Overage, over.Parked, over.Charged));

        var consent = Active(Retainer(OverageGate.Consent));
        var parked = Parts(Fold(consent, consent.Draw(Entry("a", 590), s_cost)).Draw(Entry("b", 30), s_cost));
        Assert.Equal((10, 0, 20, 0), (parked.DrawnMinutes(), parked.Overage, parked.Parked, parked.Charged));

        var block = Active(Retainer(OverageGate.Block));
        var refused = Fold(block, block.Draw(Entry("a", 590), s_cost)).Draw(Entry("b", 30), s_cost).Rejection!;
        Assert.Equal((Reasons.MeterExhausted, "10", "20"), (refused.Reason, refused.Metadata["remaining_minutes"], refused.Metadata["missing_minutes"]));
    }

    [Fact]
    public void A_short_period_grants_its_share_of_the_included_minutes()
    {
        var meter = Active(Retainer(OverageGate.Block, 2_400, new LocalDate(2026, 3, 10))).MeterView(new LocalDate(2026, 3, 20));
        Assert.Equal(1_703, meter.Remaining);
        Assert.Equal(new DateRange(new LocalDate(2026, 3, 10), s_start), meter.Period);
        Assert.Equal(2_400, Active(Retainer(OverageGate.Block, 2_400, new LocalDate(2026, 3, 10))).MeterView(s_day).Remaining);
    }

    [Fact]
    public void A_period_cut_short_later_is_never_below_what_is_drawn_of_it()
    {
        var engagement = Active(Retainer(OverageGate.Block));
        var drawn = Fold(engagement, engagement.Draw(Entry("a", 500, new LocalDate(2026, 4, 2)), s_cost)) with { End = new LocalDate(2026, 4, 16) };
        var grant = Assert.Single(drawn.MeterView(s_day).Grants);
        Assert.Equal((500, 500, 0), (grant.Grant.Minutes, grant.Drawn, grant.Remaining));
    }

    [Fact]
    public void The_same_entry_draws_once()
    {
        var engagement = Active(Retainer(OverageGate.Bill));
        var drawn = Fold(engagement, engagement.Draw(Entry("a", 60), s_cost));
        Assert.Empty(drawn.Draw(Entry("a", 60), s_cost).Events);
        Assert.Null(drawn.Draw(Entry("a", 60), s_cost).Rejection);
    }

    [Fact]
    public void Time_is_accepted_from_the_start_until_before_the_end_also_when_it_is_over()
    {
        var ended = Active(Hourly(), new LocalDate(2026, 5, 1)) with { State = EngagementState.Ended };
        Assert.Equal(Reasons.TimeOutsideEngagement, ended.Draw(Entry("a", 60, new LocalDate(2026, 3, 31)), s_cost).Rejection!.Reason);
        Assert.Null(ended.Draw(Entry("a", 60, s_start), s_cost).Rejection);
        Assert.Null(ended.Draw(Entry("a", 60, new LocalDate(2026, 4, 30)), s_cost).Rejection);
        Assert.Equal(Reasons.TimeOutsideEngagement, ended.Draw(Entry("a", 60, new LocalDate(2026, 5, 1)), s_cost).Rejection!.Reason);
    }

    [Theory]
    [InlineData(EngagementState.Draft), InlineData(EngagementState.Proposed), InlineData(EngagementState.Accepted), InlineData(EngagementState.Declined)]
    [InlineData(EngagementState.Withdrawn), InlineData(EngagementState.Expired)]
    public void An_engagement_that_was_never_active_accepts_no_time(EngagementState state) =>
        Assert.Equal(Reasons.TimeOutsideEngagement, (Active(Hourly()) with { State = state }).Draw(Entry("a", 60), s_cost).Rejection!.Reason);

    [Fact]
    public void A_stranger_draws_nothing() =>
        Assert.Equal(Reasons.NotAMember, Active(Hourly()).Draw(Entry("a", 60, cmo: new CmoId("bob")), s_cost).Rejection!.Reason);

    [Fact]
    public void Three_approvals_of_ten_minutes_at_250_an_hour_accrue_41_67_and_41_66_and_41_67()
    {
        var engagement = Active(Hourly());
        var amounts = new List<long>();
        foreach (var id in (string[])["a", "b", "c"])
        {
            var decision = engagement.Draw(Entry(id, 10), null);
            amounts.Add(decision.Events.OfType<TimePosted>().Single().Posting.Lines.Single(l => l.Account == LedgerAccount.UnbilledReceivable).Amount.Minor);
            engagement = Fold(engagement, decision);
        }

        Assert.Equal([4167, 4166, 4167], amounts);
    }

    [Fact]
    public void Approved_time_costs_the_CMOs_rate_also_when_it_is_not_billable_unless_it_is_unpaid()
    {
        var engagement = Active(Hourly());
        var posted = engagement.Draw(Entry("a", 90, billable: false), s_cost).Events.OfType<TimePosted>().Single();
        Assert.Equal([(LedgerAccount.CostOfService, 15_000L), (LedgerAccount.CmoPayable, -15_000L)], posted.Posting.Lines.Select(l => (l.Account, l.Amount.Minor)));
        Assert.Equal((new LegalEntityId("main"), s_day), (posted.LegalEntity, posted.PostingDate));
        Assert.Empty(engagement.Draw(Entry("a", 90, billable: false, paid: false), s_cost).Events.OfType<TimePosted>());
        Assert.Empty(engagement.Draw(Entry("a", 90, billable: false), null).Events.OfType<TimePosted>());
    }

    [Fact]
    public void Nothing_accrues_before_the_first_billed_day()
    {
        var posted = Active(Hourly(), billing: new LocalDate(2026, 4, 16)).Draw(Entry("a", 60), s_cost).Events.OfType<TimePosted>().Single();
        Assert.DoesNotContain(posted.Posting.Lines, l => l.Account == LedgerAccount.UnbilledReceivable);
    }

    [Fact]
    public void An_unbalanced_posting_cannot_be_built() =>
        Assert.Throws<InvalidOperationException>(() => new Posting([new PostingLine(LedgerAccount.Cash, new Money(1, s_dollars))]));

    [Fact]
    public void Bills_are_computed_from_charged_and_overage_minutes()
    {
        var engagement = Active(Retainer(OverageGate.Bill));
        engagement = Fold(engagement, engagement.Draw(Entry("b", 590), s_cost));
        engagement = Fold(engagement, engagement.Draw(Entry("a", 30), s_cost));
        var inputs = engagement.BillingInputs();
        Assert.Equal(new BillableEntry(Entry("a", 0).Entry, s_ada, s_day, 20, 0), Assert.Single(inputs.Entries));
    }

    [Fact]
    public void Every_billable_minute_is_in_exactly_one_part_and_postings_balance_and_replay_equals_live() =>
        Gen.Select(
            Gen.Int[0, 4].Select(i => new Terms[] { Retainer(OverageGate.Bill), Retainer(OverageGate.Consent), Retainer(OverageGate.Block), Hourly(), Hourly(33_333) }[i]),
            Gen.Select(Gen.Int[0, 8], Gen.Int[1, 400], Gen.Int[-3, 70], Gen.Bool, Gen.Bool).Array[1, 40]).Sample((terms, entries) =>
        {
            var live = Active(terms);
            var replayed = live;
            foreach (var (id, minutes, day, billable, paid) in entries)
            {
                var before = live;
                var decision = live.Draw(Entry("e" + id, minutes, s_start.PlusDays(day), billable, paid), s_cost);
                live = decision.Events.Aggregate(live, (s, e) => s.Apply(e));
                replayed = decision.Events.Aggregate(replayed, (s, e) => s.Apply(EventJson.Deserialize(EventJson.NameOf(e).Name, EventJson.NameOf(e).Version, EventJson.Serialize(e))));
                foreach (var drawn in decision.Events.OfType<TimeDrawn>())
                {
                    Assert.Equal(drawn.Billable ? drawn.Minutes : 0, drawn.Parts.Total());
                }

                foreach (var posted in decision.Events.OfType<TimePosted>())
                {
                    Assert.Equal(0, posted.Posting.Lines.Sum(l => l.Amount.Minor));
                }

                Assert.All(live.MeterView(s_day).Grants, g => Assert.InRange(g.Drawn, 0, g.Grant.Minutes));
                Assert.True(decision.Rejection is null || ReferenceEquals(before, live));
            }

            Assert.Equal(JsonSerializer.Serialize(live, EventJson.Options), JsonSerializer.Serialize(replayed, EventJson.Options));
            var read = JsonSerializer.Deserialize<Engagement>(JsonSerializer.Serialize(live, EventJson.Options), EventJson.Options)!;
            Assert.Equal(JsonSerializer.Serialize(live, EventJson.Options), JsonSerializer.Serialize(read, EventJson.Options));
        });
}
