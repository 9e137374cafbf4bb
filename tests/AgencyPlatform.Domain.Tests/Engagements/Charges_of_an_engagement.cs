using System.Collections.Immutable;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Engagements;
using AgencyPlatform.Domain.Time;
using CsCheck;
using NodaTime;
using static AgencyPlatform.Domain.Tests.Engagements.RunningEngagement;

namespace AgencyPlatform.Domain.Tests.Engagements;

/// <summary>What an engagement itself does for its terms: what time accrues, milestones, prepaid blocks on the meter, and a look at other terms. Source: domain §4, §5.</summary>
public sealed class Charges_of_an_engagement
{
    private static readonly LegalEntityId s_main = new("main");
    private static readonly Currency s_usd = new("USD");
    private static readonly BillCycle s_monthly = new(1, 1);
    private static readonly Instant s_may = Instant.FromUtc(2026, 5, 20, 12, 0);
    private static readonly PrepaidTerms s_prepaid = new(Start, s_main, s_usd, s_monthly, 150_000, 600, 6, 30_000, OverageGate.Consent);

    private static readonly MilestoneTerms s_milestones = new(
        Start, s_main, s_usd, s_monthly, [new Milestone(new("brand"), "Brand book", 500_000), new Milestone(new("launch"), "Launch", 900_000)]);

    [Fact]
    public void An_approved_hour_accrues_what_it_will_be_billed_for()
    {
        var state = By(new HourlyTerms(Start, s_main, s_usd, s_monthly, 25_000, null, 15)).After(Draw("a", 2, 10));

        // 15 minutes at $250 an hour; taken back, the same.
        Assert.Equal(6_250, Revenue(state, Draw("b", 3, 10)));
        Assert.Equal(-6_250, Revenue(state, s => s.Reverse(new ReverseTime(Key("a"), "Wrong client.", "key:x"), s_may)));
        Assert.Equal(10, state.BillingInputs().Entries.Single().Charged);
    }

    [Fact]
    public void Days_accrue_by_what_a_CMOs_date_comes_to_and_a_reversal_takes_back_what_the_date_loses()
    {
        var state = By(new DayRateTerms(Start, s_main, s_usd, s_monthly, 120_001, 480));
        Assert.Equal(0, Revenue(state, Draw("a", 2, 100)));
        state = state.After(Draw("a", 2, 100));

        // 240 of 480: a half day; the first entry, which accrued nothing, taken back: none.
        Assert.Equal(60_001, Revenue(state, Draw("b", 2, 140)));
        state = state.After(Draw("b", 2, 140));
        var reverse = new ReverseTime(Key("a"), "Wrong client.", "key:x");
        Assert.Equal(-60_001, Revenue(state, s => s.Reverse(reverse, s_may)));

        // Half days of a key are summed and then rounded; another CMO's date is another.
        Assert.Equal(60_000, Revenue(state, Draw("c", 3, 240)));
        Assert.Equal(60_000, Revenue(state, Draw("d", 2, 240, Bob)));
        Assert.Equal(0, Revenue(state.After(s => s.Reverse(reverse, s_may)), Draw("e", 2, 99)));
        Assert.Equal(Posted(state), Owed.Of(state.BillingInputs(), s_main, s_usd, Day(5, 1)).Single().Amount.Minor);
    }

    [Fact]
    public void A_milestone_is_marked_once_posts_what_it_earns_and_can_be_reopened()
    {
        var state = By(s_milestones);
        var reached = state.MarkMilestone(new MarkMilestone(new("brand"), Day(5, 4)), "user:ops", s_may);

        var @event = Assert.IsType<MilestoneReached>(Assert.Single(reached.Events));
        Assert.Equal((Day(5, 4), "user:ops"), (@event.PostingDate, @event.By));
        Assert.Equal([(LedgerAccount.UnbilledReceivable, 500_000L), (LedgerAccount.Revenue, -500_000L)], @event.Posting.Lines.Select(l => (l.Account, l.Amount.Minor)));

        state = state.With(reached.Events);
        Assert.Empty(state.MarkMilestone(new MarkMilestone(new("brand"), Day(5, 4)), "user:ops", s_may).Events);
        Assert.Equal(Reasons.MilestoneReached, state.MarkMilestone(new MarkMilestone(new("brand"), Day(5, 5)), "user:ops", s_may).Reason());
        Assert.Equal(new ReachedMilestone(new("brand"), "Brand book", 500_000, Day(5, 4)), Assert.Single(state.BillingInputs().Milestones!.Value));

        var reopened = state.ReopenMilestone(new ReopenMilestone(new("brand"), "The client wants another."), "user:ops", s_may);
        var reverse = Assert.IsType<MilestoneReopened>(Assert.Single(reopened.Events));
        Assert.Equal((Day(5, 20), 500_000), (reverse.PostingDate, reverse.Posting.Lines.Single(l => l.Account == LedgerAccount.Revenue).Amount.Minor));
        Assert.Null(state.With(reopened.Events).BillingInputs().Milestones);
        Assert.Empty(state.With(reopened.Events).ReopenMilestone(new ReopenMilestone(new("brand"), "Again."), "user:ops", s_may).Events);
    }

    [Theory]
    [InlineData("launch", 5, 21, Reasons.MilestoneDateOutOfRange)]
    [InlineData("launch", 3, 31, Reasons.MilestoneDateOutOfRange)]
    [InlineData("podcast", 5, 4, Reasons.NotFound)]
    public void A_milestone_is_reached_on_a_day_of_the_engagement_that_is_not_to_come(string id, int month, int day, string reason) =>
        Assert.Equal(reason, By(s_milestones).MarkMilestone(new MarkMilestone(new(id), Day(month, day)), "user:ops", s_may).Reason());

    [Fact]
    public void What_was_reached_or_sold_keeps_its_seller_and_currency()
    {
        var state = By(s_milestones).After(s => s.MarkMilestone(new MarkMilestone(new("brand"), Day(5, 4)), "user:ops", s_may));
        Decision Change(LocalDate from) => state.ProposeScope(
            new ProposeScope(new ScopeProposal(from, null, [], s_milestones with { EffectiveFrom = from, Currency = new Currency("EUR") }, ""), null), [], Deciders, s_may);

        Assert.Equal(Reasons.ChargesStand, Change(Day(5, 1)).Reason());
        Assert.Null(Change(Day(5, 5)).Rejection);
    }

    [Fact]
    public void A_prepaid_activation_sells_the_first_block_before_it_is_active()
    {
        var accepted = Engagement.Initial.After(
            s => s.Create(new CreateEngagement(new EngagementId("blocks"), new ClientCompanyId("acme"), Active().Plan with { Members = [Active().Plan.Members[0]], Terms = s_prepaid })),
            s => s.Propose(new ProposeEngagement(null), Deciders, Now), s => s.Sign(new SignEngagement(Ceo, 1), Deciders, Now), s => s.Activate(Request(1), "America/New_York", Now));
        while (accepted.State != EngagementState.Active)
        {
            accepted = accepted.After(s => s.Record(s.NextStep()!));
        }

        var block = Assert.Single(accepted.BillingInputs().Blocks!.Value);
        Assert.Equal(new PrepaidBlock(new("block-2026-04-01-1"), 600, 150_000, Start, Day(10, 1)), block);
        Assert.Equal(600, accepted.MeterOn(Start).RemainingOn(Start));
    }

    [Fact]
    public void A_block_beside_a_retainer_is_drawn_after_its_included_minutes_and_before_overage()
    {
        var state = Active().After(s => s.SellHours(new SellHours(new("extra"), 120, new Money(30_000, s_usd), Day(4, 10), Day(7, 1)), s_may));

        Assert.Equal([("included-2026-04-01", 2_400), ("extra", 120)], state.MeterOn(Day(4, 12)).BurnOrder(Day(4, 12)).Select(g => (g.Id.Value, g.Minutes)));
        for (var i = 0; i < 2; i++)
        {
            state = state.After(Draw($"a{i}", 12 + i, 1_200));
        }

        var parts = Assert.IsType<TimeDrawn>(Draw("b", 15, 200)(state).Events[0]).Parts;
        Assert.Equal((120, 80), (parts.DrawnMinutes(), parts.Parked));
        Assert.Equal(Reasons.AlreadyExists, state.SellHours(new SellHours(new("extra"), 60, new Money(1, s_usd), Day(4, 10), Day(7, 1)), s_may).Reason());
        Assert.Empty(state.SellHours(new SellHours(new("extra"), 120, new Money(30_000, s_usd), Day(4, 10), Day(7, 1)), s_may).Events);
    }

    [Fact]
    public void What_a_sale_leaves_out_is_as_the_prepaid_terms_say_and_beside_a_retainer_is_to_be_given()
    {
        var sold = By(s_prepaid).After(s => s.SellHours(new SellHours(null, 0, null, Day(4, 10), null), s_may));
        Assert.Equal(new PrepaidBlock(new("block-2026-04-10-1"), 600, 150_000, Day(4, 10), Day(10, 10)), sold.Time.Blocks!.Value[0]);

        var wrong = Active().SellHours(new SellHours(null, 0, null, Day(4, 10), null), s_may).Rejection!;
        Assert.Equal(["minutes", "price", "expire_date"], wrong.Fields.Select(f => f.Field));
        Assert.Equal(["effective_date"], By(s_milestones).SellHours(new SellHours(null, 60, new Money(1, s_usd), Day(4, 10), Day(5, 10)), s_may).Rejection!.Fields.Select(f => f.Field));
    }

    [Fact]
    public void A_threshold_sells_as_many_blocks_as_an_approval_needs_before_it_draws()
    {
        var state = By(s_prepaid with { TopUpBelowMinutes = 120 }).After(s => s.SellHours(new SellHours(null, 0, null, Start, null), s_may));
        Assert.DoesNotContain(Draw("a", 2, 480)(state).Events, e => e is BlockSold);
        state = state.After(Draw("a", 2, 480));

        // 120 are left and 1,300 are drawn: of two more blocks 20 would be left, of three 620.
        var decision = Draw("b", 3, 1_300)(state);
        Assert.Equal(["block-2026-04-03-1", "block-2026-04-03-2", "block-2026-04-03-3"], decision.Events.OfType<BlockSold>().Select(e => e.Block.Id.Value));
        var drawn = Assert.Single(decision.Events.OfType<TimeDrawn>());
        Assert.Equal([120, 600, 580], drawn.Parts.Drawn.Select(d => d.Minutes));
        Assert.Equal(620, state.With(decision.Events).MeterOn(Day(4, 3)).RemainingOn(Day(4, 3)));
        Assert.All(decision.Events.OfType<BlockSold>(), e => Assert.True(e.Block.ToppedUp));
    }

    [Fact]
    public void A_block_that_expires_with_minutes_left_says_so_once_and_what_comes_back_later_says_nothing()
    {
        var state = By(s_prepaid).After(s => s.SellHours(new SellHours(new("short"), 600, new Money(1, s_usd), Start, Day(4, 20)), s_may), Draw("a", 2, 500));
        var (expiry, lapsed) = (Instant.FromUtc(2026, 4, 20, 4, 0), new List<GrantExpired>());
        while (state.Settle(expiry) is { IsEmpty: false } events)
        {
            Assert.True(state.NextDue <= expiry);
            lapsed.AddRange(events.OfType<GrantExpired>());
            state = state.With(events);
        }

        Assert.Equal([new GrantExpired(new GrantId("short"), 100)], lapsed);
        state = state.With(state.Reverse(new ReverseTime(Key("a"), "Wrong client.", "key:x"), expiry).Events);
        Assert.DoesNotContain(state.Settle(expiry + Duration.FromHours(1)), e => e is GrantExpired { Grant.Value: "short" });
        Assert.Equal(600, state.MeterOn(Day(4, 19)).RemainingOn(Day(4, 19)));
        Assert.Equal(0, state.MeterOn(Day(4, 20)).RemainingOn(Day(4, 20)));
    }

    [Fact]
    public void A_block_that_is_sold_for_later_says_once_that_it_is_there_and_one_that_is_there_already_does_not()
    {
        var state = By(s_prepaid).After(s => s.SellHours(new SellHours(new("later"), 60, new Money(1, s_usd), Day(4, 10), Day(5, 1)), Now), s => s.SellHours(new SellHours(new("now"), 60, new Money(1, s_usd), Day(4, 10), Day(5, 1)), s_may));
        var (tenth, told) = (Instant.FromUtc(2026, 4, 10, 4, 0), new List<IEvent>());

        foreach (var until in new[] { tenth - Duration.FromHours(1), tenth })
        {
            Assert.DoesNotContain(told, e => e is BlockOpened);
            while (state.Settle(until) is { IsEmpty: false } events)
            {
                told.AddRange(events);
                state = state.With(events);
            }
        }

        Assert.Equal([new BlockOpened(new GrantId("later"), 60)], told.OfType<BlockOpened>());
    }

    [Fact]
    public void The_same_months_at_thirty_hours_at_sixty_and_by_the_hour()
    {
        // 50 hours in April and 20 in May, of 40 included a month: 10 are parked.
        var state = Active();
        for (var i = 0; i < 5; i++)
        {
            state = state.After(Draw($"a{i}", 2 + i, 600), Draw($"m{i}", 2 + i, 240, month: 5));
        }

        var retainer = (RetainerTerms)state.Terms[0];
        Assert.Equal(2_000_000, Total(state.BillingInputs()));
        Assert.Equal(2 * 800_000 + 20 * 25_000, Total(state.BillingInputs(retainer with { Fee = 800_000, IncludedMinutes = 1_800 })));
        Assert.Equal(2 * 1_400_000, Total(state.BillingInputs(retainer with { Fee = 1_400_000, IncludedMinutes = 3_600 })));
        Assert.Equal(70 * 25_000, Total(state.BillingInputs(new HourlyTerms(Start, s_main, s_usd, s_monthly, 25_000))));
        Assert.Equal(10 * 100_000, Total(state.BillingInputs(new DayRateTerms(Start, s_main, s_usd, s_monthly, 100_000, 240))));

        // Six hundred minutes a block, of which seven are needed: one to begin with and six that the threshold sells.
        Assert.Equal(7 * 150_000, Total(state.BillingInputs(s_prepaid with { TopUpBelowMinutes = 0 })));
    }

    [Fact]
    public void Under_hypothetical_terms_from_a_date_on_nothing_before_it_is_billed_rollover_counts_and_pauses_stay()
    {
        var state = Active().After(Draw("a", 2, 1_200), Draw("m", 4, 1_200, month: 5)).Moved(s => s.Pause(new PauseEngagement(Day(6, 1), null, 50, ""), [], Request(5), Now));
        var retainer = (RetainerTerms)Active().Terms[0];

        var inputs = state.BillingInputs(retainer with { EffectiveFrom = Day(5, 1), Fee = 600_000, IncludedMinutes = 600 });
        var items = Owed.Of(inputs, s_main, s_usd, Day(7, 1)).Where(i => i.Due && i.Key.Period < Day(7, 1));
        Assert.Equal([(Charge.Fee, 600_000L), (Charge.Overage, 250_000L), (Charge.Fee, 300_000L)], items.Select(i => (i.Key.Charge, i.Amount.Minor)));

        // What April leaves is carried into May.
        inputs = state.BillingInputs(retainer with { Fee = 600_000, IncludedMinutes = 1_200, Rollover = new Rollover(600, 1) });
        Assert.Equal([0], inputs.Entries.Select(e => e.Overage).DefaultIfEmpty(0));
    }

    /// <summary>Draws, reversals and sales of blocks in any order, under each kind of terms.</summary>
    [Fact]
    public void Every_minute_is_in_one_part_no_grant_gives_more_than_it_has_and_what_accrues_is_what_will_be_billed() =>
        Gen.Select(Gen.Int[0, 4], Gen.Select(Gen.Int[1, 28], Gen.Int[1, 700], Gen.Int[0, 6]).Array[1, 25]).Sample((kind, turns) =>
        {
            var state = By(kind switch
            {
                0 => new HourlyTerms(Start, s_main, s_usd, s_monthly, 25_001, null, 15, 20, 300_000),
                1 => new DayRateTerms(Start, s_main, s_usd, s_monthly, 120_001, 480),
                2 => s_prepaid with { TopUpBelowMinutes = 100 },
                3 => s_prepaid with { Gate = OverageGate.Bill },
                _ => (RetainerTerms)Active().Terms[0] with { Gate = OverageGate.Bill, IncludedMinutes = 900, OverageHourlyRate = 25_001 },
            });
            for (var i = 0; i < turns.Length; i++)
            {
                var (day, minutes, what) = turns[i];
                var decision = what switch
                {
                    0 when !state.Time.Approved.IsEmpty => state.Reverse(new ReverseTime(state.Time.Approved.Keys.ElementAt(minutes % state.Time.Approved.Count), "Wrong client.", "key:x"), s_may),
                    1 when state.Terms[0].HasMeter => state.SellHours(new SellHours(new($"b{i}"), minutes, new Money(minutes, s_usd), Day(4, day), Day(6, day)), s_may),
                    _ => Draw($"e{i}", day, minutes, minutes % 2 == 0 ? Ada : Bob)(state),
                };
                Assert.Null(decision.Rejection);
                state = state.With(decision.Events);
            }

            Assert.All(state.Time.Approved.Values, a => Assert.Equal(a.Minutes, a.Parts.DrawnMinutes() + a.Parts.Overage + a.Parts.Parked + a.Parts.Charged));
            Assert.All(state.Time.Blocks ?? [], b => Assert.InRange(state.Time.Drawn.GetValueOrDefault(b.Grant.Id), 0, b.Minutes));
            Assert.Equal(
                state.Time.Drawn.Values.Sum(), state.Time.Approved.Values.Sum(a => a.Parts.DrawnMinutes()));
            var items = Owed.Of(state.BillingInputs(), s_main, s_usd, Day(5, 1)).Where(i => i.Key.Charge is Charge.Hours or Charge.Days or Charge.Overage);
            Assert.Equal(items.Sum(i => (i.Uncapped ?? i.Amount).Minor), Posted(state));
        }, iter: 1_000);

    // ---- what the tests are built of ----

    /// <summary>Active under these terms from the start on.</summary>
    private static Engagement By(Terms terms) => Active() is var active ? active with { Terms = [terms], Plan = active.Plan with { Terms = terms } } : active;

    private static Func<Engagement, Decision> Draw(string id, int day, int minutes, CmoId? cmo = null, int month = 4) =>
        s => s.Draw(new DrawTime(Key(id), cmo ?? Ada, Day(month, day), minutes, true, true, "key:x"), null);

    private static TimeEntryKey Key(string id) => TimeEntryKey.Of(Ada, new IsoWeek(2026, 14), new TimeEntryId(id));

    /// <summary>What a decision adds to revenue.</summary>
    private static long Revenue(Engagement state, Func<Engagement, Decision> decide) =>
        -decide(state).Events.OfType<TimePosted>().SelectMany(e => e.Posting.Lines).Where(l => l.Account == LedgerAccount.Revenue).Sum(l => l.Amount.Minor);

    /// <summary>What the accrued keys come to.</summary>
    private static long Posted(Engagement state) => state.Time.Accrued.Where(a => !a.Key.IsCost).Sum(a => new Money(a.Key.Rate, s_usd).Times(a.Value, 60).Minor);

    private static long Total(BillingInputs inputs) => Owed.Of(inputs, s_main, s_usd, Day(6, 1)).Where(i => i.Due && i.Key.Period < Day(6, 1)).Sum(i => i.Amount.Minor);
}
