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

/// <summary>What an engagement does when an approved entry is reversed or disputed.</summary>
public sealed class Reversals_and_disputes
{
    private static readonly LocalDate s_start = new(2026, 1, 1);
    private static readonly Currency s_dollars = new("USD");
    private static readonly CmoId s_ada = new("ada");
    private static readonly CostRate s_cost = new(s_start, 12_345, s_dollars);
    private static readonly Instant s_now = Instant.FromUtc(2026, 3, 20, 12, 0);

    private static RetainerTerms Retainer(OverageGate gate, int included = 600, Rollover? rollover = null) =>
        new(s_start, new LegalEntityId("main"), s_dollars, new BillCycle(1, 1), 800_000, included, 25_000, gate, Rollover: rollover);

    private static HourlyTerms Hourly(long rate = 25_000) => new(s_start, new LegalEntityId("main"), s_dollars, new BillCycle(1, 1), rate);

    private static Engagement Active(Terms terms)
    {
        var plan = new EngagementPlan(
            "Growth", ServiceType.FractionalCmo, s_ada, [new EngagementMember(s_ada, "lead", [], null, true)], terms, s_start, null, null, 1,
            ImmutableSortedDictionary<string, string>.Empty, ImmutableSortedDictionary<string, string>.Empty);
        return Engagement.Initial.Apply(new EngagementCreated(new EngagementId("e"), new ClientCompanyId("acme"), plan)) with { State = EngagementState.Active };
    }

    private static TimeEntryKey Key(string id) => new("ada/2026-W03/" + id);

    private static Engagement Worked(Engagement state, string id, int minutes, LocalDate date) =>
        Fold(state, state.Draw(new DrawTime(Key(id), s_ada, date, minutes, true, true, "key:ops"), s_cost));

    private static Decision Reverse(Engagement state, string id) => state.Reverse(new ReverseTime(Key(id), "Wrong client", "key:ops"), s_now);

    private static Engagement Until(Engagement state, LocalDate date)
    {
        var now = date.AtStartOfDayInZone(DateTimeZone.Utc).ToInstant();
        while (state.NextDue is { } due && due <= now)
        {
            state = state.Settle(now).Aggregate(state, (s, e) => s.Apply(e));
        }

        return state;
    }

    private static Engagement Fold(Engagement state, Decision decision)
    {
        Assert.Null(decision.Rejection);
        return decision.Events.Aggregate(state, (s, e) => s.Apply(EventJson.Deserialize(EventJson.NameOf(e).Name, EventJson.NameOf(e).Version, EventJson.Serialize(e))));
    }

    private static string Json(object value) => JsonSerializer.Serialize(value, EventJson.Options);

    private static (string, int)[] Left(Engagement state, LocalDate date) => [.. state.MeterView(date).Grants.Select(g => (g.Grant.Id.Value, g.Remaining))];

    /// <summary>Included 600, cap 100. February: 450 worked, of which 100 from January's carry. Reversed after February has closed.</summary>
    [Fact]
    public void A_reversal_gives_minutes_back_to_the_grants_they_came_from_also_of_a_closed_period_and_the_carry_is_not_computed_again()
    {
        var (february, march) = (new LocalDate(2026, 2, 10), new LocalDate(2026, 3, 10));
        var state = Until(Active(Retainer(OverageGate.Consent, rollover: new Rollover(100, 3))), new LocalDate(2026, 2, 1));
        state = Worked(state, "a", 450, february);
        state = Until(state, new LocalDate(2026, 3, 1));
        Assert.Equal([("carried-2026-02-01", 0), ("included-2026-02-01", 150), ("carried-2026-03-01", 100)], Left(state, february));

        var reversed = Fold(state, Reverse(state, "a"));

        Assert.Equal([("carried-2026-02-01", 100), ("included-2026-02-01", 500), ("carried-2026-03-01", 100)], Left(reversed, february));
        Assert.Equal([("carried-2026-02-01", 100), ("carried-2026-03-01", 100), ("included-2026-03-01", 600)], Left(reversed, march));
        Assert.Empty(reversed.Time.Drawn);
    }

    [Fact]
    public void Parked_and_overage_minutes_of_a_reversed_entry_are_no_more_and_nothing_else_moves()
    {
        var date = new LocalDate(2026, 1, 12);
        var state = Worked(Worked(Active(Retainer(OverageGate.Consent, 100)), "a", 80, date), "b", 70, date); // b: 20 drawn, 50 parked
        state = Worked(state, "c", 10, date); // parked
        state = Fold(state, state.Consent(new ConsentToOverage(30, "")));
        Assert.Equal((30, 30), (state.MeterView(date).Overage, state.MeterView(date).Parked));

        state = Fold(state, Reverse(state, "b"));

        var meter = state.MeterView(date);
        Assert.Equal((20, 0, 10), (meter.Remaining, meter.Overage, meter.Parked));
        Assert.Equal(10, state.Time.Approved[Key("c")].Parts.Parked);
        Assert.Empty(state.BillingInputs().Entries);
        Assert.DoesNotContain(state.Time.Accrued, a => !a.Key.IsCost && a.Value != 0);
    }

    [Fact]
    public void A_reversal_posts_the_reverse_of_what_its_key_still_comes_to_on_the_sellers_today()
    {
        var date = new LocalDate(2026, 1, 12);
        var state = Worked(Worked(Worked(Active(Hourly()), "a", 10, date), "b", 10, date), "c", 10, date); // 41.67, 41.66, 41.67

        var posted = Reverse(state, "a").Events.OfType<TimePosted>().Single();

        // 20 minutes at $250 are 83.33: of 125.00 the reversal takes 41.67; of 61.73 of cost it takes 20.58.
        Assert.Equal(
            [(LedgerAccount.CostOfService, -2_058L), (LedgerAccount.CmoPayable, 2_058L), (LedgerAccount.UnbilledReceivable, -4_167L), (LedgerAccount.Revenue, 4_167L)],
            posted.Posting.Lines.Select(l => (l.Account, l.Amount.Minor)));
        Assert.Equal((new LocalDate(2026, 3, 20), new LegalEntityId("main")), (posted.PostingDate, posted.LegalEntity));
    }

    [Fact]
    public void A_reversal_takes_back_what_was_posted_though_the_terms_say_otherwise_by_then()
    {
        var date = new LocalDate(2026, 1, 12);
        var state = Worked(Active(Hourly()), "a", 60, date) with { Terms = [Hourly(), Hourly(30_000) with { EffectiveFrom = new LocalDate(2026, 1, 10) }] };

        var posted = Reverse(state, "a").Events.OfType<TimePosted>().Single();

        Assert.Equal(25_000, posted.Posting.Lines.Single(l => l.Account == LedgerAccount.Revenue).Amount.Minor);
        Assert.All(Fold(state, Reverse(state, "a")).Time.Accrued, a => Assert.Equal(0, a.Value));
    }

    [Fact]
    public void An_entry_is_reversed_once_and_never_drawn_again()
    {
        var date = new LocalDate(2026, 1, 12);
        var state = Worked(Active(Retainer(OverageGate.Block)), "a", 60, date);
        var reversed = Fold(state, Reverse(state, "a"));
        Assert.Equal((Decision.Nothing, Decision.Nothing), (Reverse(reversed, "a"), reversed.Draw(new DrawTime(Key("a"), s_ada, date, 60, true, true, "key:ops"), s_cost)));
        Assert.Equal(RejectionKind.NotFound, Reverse(reversed, "b").Rejection!.Kind);
        Assert.Equal(RejectionKind.NotFound, Reverse(Engagement.Initial, "a").Rejection!.Kind);
    }

    [Fact]
    public void A_disputed_entry_stays_drawn_and_takes_part_in_no_consent_and_late_repeats_of_its_dispute_begin_none()
    {
        var (date, first, second) = (new LocalDate(2026, 1, 12), new Guid(1, 0, 0, new byte[8]), new Guid(2, 0, 0, new byte[8]));
        var state = Worked(Worked(Active(Retainer(OverageGate.Consent, 100)), "a", 120, date), "b", 30, date);
        var disputed = Fold(state, state.Dispute(new DisputeTime(Key("a"), first)));

        Assert.Equal(Left(state, date), Left(disputed, date));
        Assert.Equal((50, 30), (disputed.MeterView(date).Parked, disputed.MeterView(date).ParkedInAll));
        Assert.Equal(Reasons.ConsentExceedsParked, disputed.Consent(new ConsentToOverage(31, "")).Rejection!.Reason);
        Assert.Equal([Key("b")], disputed.Consent(new ConsentToOverage(30, "")).Events.OfType<OverageConsented>().Single().Entries.Select(e => e.Entry));

        Assert.Equal(Decision.Nothing, disputed.Dispute(new DisputeTime(Key("a"), first)));
        Assert.Equal(Decision.Nothing, disputed.EndDispute(new DisputeTime(Key("a"), second)));
        var ended = Fold(disputed, disputed.EndDispute(new DisputeTime(Key("a"), first)));
        Assert.Equal(Decision.Nothing, ended.Dispute(new DisputeTime(Key("a"), first)));
        Assert.Equal(50, ended.MeterView(date).ParkedInAll);
        Assert.NotEmpty(ended.Dispute(new DisputeTime(Key("a"), second)).Events);
        Assert.Equal(RejectionKind.NotFound, ended.Dispute(new DisputeTime(Key("z"), second)).Rejection!.Kind);
    }

    /// <summary>Whatever is worked, consented to, disputed and reversed: the books and the meter say what the entries that stand say.</summary>
    [Fact]
    public void Meter_and_accruals_are_those_of_the_entries_that_stand() =>
        Gen.Select(
            Gen.Int[0, 3].Select(i => new Terms[] { Retainer(OverageGate.Bill), Retainer(OverageGate.Consent, rollover: new Rollover(200, 2)), Hourly(), Hourly(33_333) }[i]),
            Gen.Select(Gen.Int[0, 4], Gen.Int[0, 9], Gen.Int[1, 300], Gen.Int[0, 100]).Array[1, 40]).Sample((terms, moves) =>
        {
            var (state, postings) = (Active(terms), new List<PostingLine>());
            foreach (var (kind, id, minutes, day) in moves)
            {
                var request = new Guid(id, 0, 0, new byte[8]);
                var decision = kind switch
                {
                    0 or 1 => state.Draw(new DrawTime(Key("e" + id), s_ada, s_start.PlusDays(day), minutes, true, id % 3 > 0, "key:ops"), s_cost),
                    2 => state.Reverse(new ReverseTime(Key("e" + id), "", "key:ops"), s_now),
                    3 => state.Consent(new ConsentToOverage(minutes, "")),
                    _ => state.Dispute(new DisputeTime(Key("e" + id), request)),
                };
                postings.AddRange(decision.Events.OfType<TimePosted>().SelectMany(p => p.Posting.Lines));
                state = Until(decision.Rejection is null ? Fold(state, decision) : state, s_start.PlusDays(day));
            }

            var stands = state.Time.Approved.Values.ToList();
            Assert.Equal(
                stands.SelectMany(a => a.Parts.Drawn).GroupBy(d => d.Grant).OrderBy(g => g.Key).Select(g => (g.Key, g.Sum(d => d.Minutes))),
                state.Time.Drawn.Select(d => (d.Key, d.Value)));
            Assert.Equal(
                stands.SelectMany(a => a.Accruals).GroupBy(a => a.Key).OrderBy(g => g.Key).Select(g => (g.Key, g.Sum(a => (long)a.Minutes))),
                state.Time.Accrued.Where(a => a.Value != 0).Select(a => (a.Key, a.Value)));
            Assert.Equal(
                state.Time.Accrued.Where(a => !a.Key.IsCost).Sum(a => new Money(a.Key.Rate, s_dollars).Times(a.Value, 60).Minor),
                -postings.Where(l => l.Account == LedgerAccount.Revenue).Sum(l => l.Amount.Minor));
            Assert.Equal(
                state.Time.Accrued.Where(a => a.Key.IsCost).Sum(a => new Money(a.Key.Rate, s_dollars).Times(a.Value, 60).Minor),
                postings.Where(l => l.Account == LedgerAccount.CostOfService).Sum(l => l.Amount.Minor));
            Assert.Equal(Json(state), Json(JsonSerializer.Deserialize<Engagement>(Json(state), EventJson.Options)!));
        }, iter: 2_000);
}
