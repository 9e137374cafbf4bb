using System.Collections.Immutable;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Engagements;
using AgencyPlatform.Domain.Time;
using CsCheck;
using NodaTime;
using static AgencyPlatform.Domain.Tests.Engagements.RunningEngagement;

namespace AgencyPlatform.Domain.Tests.Engagements;

/// <summary>Revenue of an engagement that no invoice makes: the days of a fee in arrears, and prepaid hours as they are used or expire. Source: domain §5, ledger.</summary>
public sealed class What_an_engagement_earns
{
    private static readonly LegalEntityId s_main = new("main");
    private static readonly Currency s_usd = new("USD");
    private static readonly RetainerTerms s_arrears = (RetainerTerms)Active().Terms[0] with { Timing = FeeTiming.InArrears, Fee = 900_000, Cycle = new BillCycle(1, 3) };
    private static readonly PrepaidTerms s_prepaid = new(Start, s_main, s_usd, new BillCycle(1, 1), 150_000, 600, 6, 30_000, OverageGate.Consent);
    private static readonly Instant s_may = Instant.FromUtc(2026, 5, 20, 12, 0);

    [Fact]
    public void A_fee_in_arrears_accrues_month_by_month_and_the_sum_is_exact_when_it_is_billed()
    {
        var (_, posted) = Settled(By(s_arrears), Day(7, 1));

        // 30, 31 and 30 of 91 days.
        Assert.Equal([(Day(4, 30), 296_703L), (Day(5, 31), 306_594L), (Day(6, 30), 296_703L)], posted.Select(p => (p.PostingDate, Revenue(p.Posting))));
        Assert.All(posted, p => Assert.Equal(0, p.Posting.Lines.Sum(l => l.Amount.Minor)));
    }

    [Fact]
    public void A_period_that_ends_within_a_month_is_accrued_to_its_end_before_it_is_billed()
    {
        var (state, posted) = Settled(By(s_arrears with { Cycle = new BillCycle(10, 1) }), Day(5, 10));

        // 9 of the 31 days before the first bill day, then 21 of 30, then its last 9 days.
        Assert.Equal([Day(4, 9), Day(4, 30), Day(5, 9)], posted.Select(p => p.PostingDate));
        var billed = Owed.Of(state.BillingInputs(), s_main, s_usd, Day(5, 10)).Where(i => i.Due).Sum(i => i.Amount.Minor);
        Assert.Equal(billed, posted.Sum(p => Revenue(p.Posting)));
    }

    [Fact]
    public void A_change_in_the_past_corrects_itself_at_the_next_months_end()
    {
        var (state, _) = Settled(By(s_arrears with { Cycle = new BillCycle(1, 1) }), Day(5, 15));
        state = state with { Terms = [state.Terms[0], (RetainerTerms)state.Terms[0] with { EffectiveFrom = Day(4, 16), Fee = 1_200_000 }] };
        var (_, posted) = Settled(state, Day(6, 1));

        // April: half at 9,000 and half at 12,000, of which 9,000 was posted; May at 12,000.
        Assert.Equal((Day(5, 31), 450_000 + 600_000 - 900_000 + 1_200_000), (Assert.Single(posted).PostingDate, Revenue(posted[0].Posting)));
    }

    [Fact]
    public void Nothing_accrues_before_the_first_billed_day_or_of_a_fee_in_advance()
    {
        var state = By(s_arrears with { Cycle = new BillCycle(1, 1) });
        var (_, posted) = Settled(state with { Plan = state.Plan with { BillingStartsOn = Day(5, 1) } }, Day(6, 1));
        Assert.Equal((Day(5, 31), 900_000L), (Assert.Single(posted).PostingDate, Revenue(posted[0].Posting)));
        Assert.Empty(Settled(By(s_arrears with { Timing = FeeTiming.InAdvance }), Day(6, 1)).Posted);
    }

    [Fact]
    public void Prepaid_minutes_are_earned_as_they_are_drawn_given_back_and_expire()
    {
        var state = By(s_prepaid).After(s => s.SellHours(new SellHours(new("b"), 600, new Money(100_001, s_usd), Start, Day(5, 10)), s_may));
        var drawn = Draw("a", 2, 100)(state);

        // 100 of 600 minutes of 1,000.01.
        Assert.Equal((16_667, Day(4, 2)), (Earned(drawn), drawn.Events.OfType<PrepaidEarned>().Single().PostingDate));
        Assert.Equal([LedgerAccount.DeferredRevenue, LedgerAccount.Revenue], drawn.Events.OfType<PrepaidEarned>().Single().Posting.Lines.Select(l => l.Account));
        state = state.With(drawn.Events).After(Draw("b", 3, 50));
        var reversed = state.Reverse(new ReverseTime(Key("a"), "Wrong client.", "key:x"), s_may);
        Assert.Equal((-16_667, Day(5, 20)), (Earned(reversed), reversed.Events.OfType<PrepaidEarned>().Single().PostingDate));

        // What expires is earned too, once; the block has earned exactly its price.
        var before = 25_000;
        var events = ImmutableArray<IEvent>.Empty;
        while (state.Settle(Instant.FromUtc(2026, 5, 10, 5, 0)) is { IsEmpty: false } due)
        {
            events = events.AddRange(due);
            state = state.With(due);
        }

        Assert.Equal((100_001 - before, Day(5, 10)), (Earned(events), events.OfType<PrepaidEarned>().Single().PostingDate));
        Assert.Equal(0, Earned(Draw("late", 4, 60)(state)));
        Assert.Equal(0, Earned(state.Reverse(new ReverseTime(Key("b"), "Wrong client.", "key:x"), s_may)));
    }

    [Fact]
    public void What_is_credited_of_a_block_by_hand_is_earned_no_more_and_taken_back_once()
    {
        var state = By(s_prepaid).After(s => s.SellHours(new SellHours(new("b"), 600, new Money(100_000, s_usd), Start, Day(5, 10)), s_may), Draw("a", 2, 150));
        var credit = new CreditBlock(new("cn"), new("b"), 40_000);
        var credited = state.Credit(credit, s_may);

        // A quarter of $1,000 was earned; of the $600 that are left of the price it is $150.
        Assert.Equal((-10_000, Day(5, 20)), (Earned(credited), credited.Events.OfType<PrepaidEarned>().Single().PostingDate));
        state = state.With(credited.Events);
        Assert.Empty(state.Credit(credit, s_may).Events);
        Assert.Equal(Reasons.NotFound, state.Credit(credit with { Block = new("none") }, s_may).Reason());
        Assert.Equal(15_000, Earned(Draw("b", 3, 150)(state)));
        var (events, before) = (ImmutableArray<IEvent>.Empty, 15_000);
        while (state.Settle(Instant.FromUtc(2026, 5, 10, 5, 0)) is { IsEmpty: false } due)
        {
            events = events.AddRange(due);
            state = state.With(due);
        }

        Assert.Equal(60_000 - before, Earned(events));
        Assert.Equal(-60_000, Earned(state.Credit(credit with { CreditNote = new("cn-2"), Amount = 60_000 }, s_may)));
    }

    [Fact]
    public void A_block_before_the_first_billed_day_earns_nothing_since_it_is_never_billed()
    {
        var state = By(s_prepaid).After(s => s.SellHours(new SellHours(new("b"), 600, new Money(100_001, s_usd), Start, Day(5, 10)), s_may));
        Assert.Equal(0, Earned(Draw("a", 2, 100)(state with { Plan = state.Plan with { BillingStartsOn = Day(4, 2) } })));
    }

    [Fact]
    public void Whatever_is_drawn_and_taken_back_a_block_has_earned_its_minutes_share_of_the_price() =>
        Gen.Select(Gen.Int[0, 3], Gen.Int[1, 400], Gen.Int[1, 28]).Array[1, 20].Sample(turns =>
        {
            var (state, earned) = (By(s_prepaid with { TopUpBelowMinutes = 30 }), 0L);
            for (var i = 0; i < turns.Length; i++)
            {
                var (what, minutes, day) = turns[i];
                var decision = what switch
                {
                    0 when !state.Time.Approved.IsEmpty => state.Reverse(new ReverseTime(state.Time.Approved.Keys.ElementAt(minutes % state.Time.Approved.Count), "Wrong client.", "key:x"), s_may),
                    1 => state.SellHours(new SellHours(new($"b{i}"), minutes, new Money(minutes * 7, s_usd), Day(4, day), Day(5, day)), s_may),
                    _ => Draw($"e{i}", day, minutes)(state),
                };
                Assert.Null(decision.Rejection);
                earned += Earned(decision);
                state = state.With(decision.Events);
                Assert.Equal(
                    (state.Time.Blocks ?? []).Sum(b => (long)Math.Round((decimal)b.Price * state.Time.Drawn.GetValueOrDefault(b.Grant.Id) / b.Minutes, MidpointRounding.AwayFromZero)), earned);
            }

            // When all have expired, they have earned what they cost.
            while (state.Settle(Instant.FromUtc(2027, 3, 31, 0, 0)) is { IsEmpty: false } due)
            {
                earned += Earned(due);
                state = state.With(due);
            }

            Assert.Equal((state.Time.Blocks ?? []).Sum(b => b.Price), earned);
        }, iter: 500);

    // ---- what the tests are built of ----

    private static Engagement By(Terms terms) => Active() is var active ? active with { Terms = [terms], Plan = active.Plan with { Terms = terms } } : active;

    private static Func<Engagement, Decision> Draw(string id, int day, int minutes) => s => s.Draw(new DrawTime(Key(id), Ada, Day(4, day), minutes, true, true, "key:x"), null);

    private static TimeEntryKey Key(string id) => TimeEntryKey.Of(Ada, new IsoWeek(2026, 14), new TimeEntryId(id));

    private static long Earned(Decision decision) => Earned(decision.Events);

    private static long Earned(ImmutableArray<IEvent> events) => events.OfType<PrepaidEarned>().Sum(e => Revenue(e.Posting));

    private static long Revenue(Posting posting) => -posting.Lines.Where(l => l.Account == LedgerAccount.Revenue).Sum(l => l.Amount.Minor);

    /// <summary>After time has come to a day of the seller's, with what it posted of fees.</summary>
    private static (Engagement State, List<FeesAccrued> Posted) Settled(Engagement state, LocalDate day)
    {
        var (now, posted) = (DateTimeZoneProviders.Tzdb["America/New_York"].AtStartOfDay(day).ToInstant(), new List<FeesAccrued>());
        while (state.Settle(now) is { IsEmpty: false } due)
        {
            foreach (var @event in due)
            {
                // As it comes back from the journal.
                var name = EventJson.NameOf(@event);
                var stored = EventJson.Deserialize(name.Name, name.Version, EventJson.Serialize(@event));
                state = state.Apply(stored);
                if (stored is FeesAccrued { Posting.Lines.IsEmpty: false } accrued)
                {
                    posted.Add(accrued);
                }
            }
        }

        return (state, posted);
    }
}
