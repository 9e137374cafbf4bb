using System.Collections.Immutable;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Engagements;
using AgencyPlatform.Domain.Time;
using NodaTime;

namespace AgencyPlatform.Domain.Tests.Time;

/// <summary>What was left on a meter elsewhere is on it from the cut-over on, and nothing that the engagement would have given before.</summary>
public sealed class A_meter_that_is_taken_over
{
    private static readonly CmoId s_ada = new("ada");
    private static readonly LocalDate s_start = new(2024, 3, 1);
    private static readonly LegalEntityId s_seller = new("main");
    private static readonly Currency s_usd = new("USD");
    private static readonly RetainerTerms s_retainer =
        new(s_start, s_seller, s_usd, new BillCycle(1, 1), 800_000, 2_400, 25_000, OverageGate.Consent, Rollover: new Rollover(600, 3));

    [Fact]
    public void Running_since_2024_03_01_with_a_cut_over_on_2026_04_01_the_meter_has_what_was_brought_and_the_first_fee_covers_April_2026()
    {
        var state = Until(Active(s_retainer, new(2026, 4, 1)), new(2026, 4, 2));

        // Nothing was worked here, so that the engagement itself would carry 3 × 600.
        Assert.Equal(4_200, state.MeterView(new(2026, 4, 2)).Remaining);
        var decision = state.Import(new(new("cut-over"), new(2026, 4, 1), [new(new("opening-1"), GrantOrigin.Carried, 250, new(2026, 6, 1), 0)]));
        Assert.Equal([600, 600, 600], decision.Events.OfType<GrantExpired>().Select(e => e.Left));
        state = Fold(state, decision);
        Assert.Empty(state.Import(new(new("cut-over"), new(2026, 4, 1), [])).Events);

        Assert.Equal([("opening-1", 250), ("included-2026-04-01", 2_400)], Left(state, new(2026, 4, 2)));
        state = Fold(state, state.Draw(new DrawTime(new("ada/2026-W14/a"), s_ada, new(2026, 4, 2), 300, true, true, ""), null));
        Assert.Equal([("opening-1", 0), ("included-2026-04-01", 2_350)], Left(state, new(2026, 4, 2)));

        // From then on as ever: April leaves 600.
        Assert.Equal([("carried-2026-05-01", 600), ("included-2026-05-01", 2_400)], Left(Until(state, new(2026, 5, 1)), new(2026, 5, 1)).Where(g => g.Left > 0));

        var items = Owed.Of(state.BillingInputs(), s_seller, s_usd, new(2026, 4, 1));
        Assert.Equal((800_000, new LocalDate(2026, 4, 1)), (Assert.Single(items).Amount.Minor, items[0].Dates[0].Start));
    }

    [Fact]
    public void What_is_left_of_the_period_of_the_cut_over_is_its_included_minutes_and_rolls_over()
    {
        var state = Until(Active(s_retainer, new(2026, 5, 1)), new(2026, 4, 15));
        state = Fold(state, state.Import(new(new("cut-over"), new(2026, 4, 15), [new(new("opening-1"), GrantOrigin.Included, 700, new(2026, 5, 1), 0)])));

        Assert.Equal([("opening-1", 700)], Left(state, new(2026, 4, 15)).Where(g => g.Left > 0));
        state = Until(state, new(2026, 5, 1));
        Assert.Equal([("carried-2026-05-01", 600), ("included-2026-05-01", 2_400)], Left(state, new(2026, 5, 1)).Where(g => g.Left > 0));
    }

    [Fact]
    public void Nothing_left_leaves_the_periods_own_minutes()
    {
        var state = Until(Active(s_retainer, new(2026, 4, 1)), new(2026, 4, 1));
        state = Fold(state, state.Import(new(new("cut-over"), new(2026, 4, 1), [new(new("opening-1"), GrantOrigin.Carried, 0, new(2026, 6, 1), 0)])));
        Assert.Equal([("included-2026-04-01", 2_400)], Left(state, new(2026, 4, 1)));
    }

    [Fact]
    public void A_prepaid_block_is_drawn_and_never_charged_and_the_first_block_of_the_past_ends()
    {
        var terms = new PrepaidTerms(s_start, s_seller, s_usd, new BillCycle(1, 1), 150_000, 600, 60, 30_000, OverageGate.Block);
        var first = new PrepaidBlock(new("block-2024-03-01-1"), 600, 150_000, s_start, s_start.PlusMonths(60));
        var state = Until(Active(terms, new(2026, 4, 1)).Apply(new BlockSold(first)), new(2026, 4, 1));
        var decision = state.Import(new(new("cut-over"), new(2026, 4, 1), [new(new("opening-1"), GrantOrigin.Prepaid, 240, new(2026, 9, 1), 60_000)]));
        Assert.Equal(600, decision.Events.OfType<GrantExpired>().Single().Left);
        state = Fold(state, decision);

        Assert.Equal([("opening-1", 240)], Left(state, new(2026, 4, 1)).Where(g => g.Left > 0));
        Assert.Equal((0, 60_000), (state.Time.Blocks!.Value[1].Price, state.Time.Blocks.Value[1].Deferred));
        Assert.Empty(Owed.Of(state.BillingInputs(), s_seller, s_usd, new(2027, 1, 1)));

        // One that is sold here afterwards is charged; a second import adds to the first.
        state = Fold(state, state.SellHours(new(null, 0, null, new(2026, 4, 1), null), Noon(new(2026, 4, 1))));
        Assert.Equal(150_000, Owed.Of(state.BillingInputs(), s_seller, s_usd, new(2026, 4, 1)).Single().Amount.Minor);
        state = Fold(state, state.Import(new(new("more"), new(2026, 4, 1), [new(new("opening-2"), GrantOrigin.Prepaid, 10, new(2026, 8, 1), 0)])));
        Assert.Equal(240 + 600 + 10, state.MeterView(new(2026, 4, 1)).Remaining);

        // It expires like any other, and is told once.
        var (_, events) = Settled(state, new(2026, 9, 2));
        Assert.Equal(["opening-1", "opening-2"], events.OfType<GrantExpired>().Select(e => e.Grant.Value).Order());
    }

    [Fact]
    public void Under_hypothetical_terms_what_was_brought_counts_too()
    {
        var state = Until(Active(s_retainer, new(2026, 4, 1)), new(2026, 4, 2));
        state = Fold(state, state.Import(new(new("cut-over"), new(2026, 4, 1), [new(new("opening-1"), GrantOrigin.Carried, 250, new(2026, 6, 1), 0)])));
        state = Fold(state, state.Draw(new DrawTime(new("ada/2026-W14/a"), s_ada, new(2026, 4, 2), 300, true, true, ""), null));

        // 250 that were brought, nothing of the engagement's own past, and 50 beyond terms that include nothing.
        var instead = state.BillingInputs(s_retainer with { EffectiveFrom = new(2026, 4, 1), IncludedMinutes = 0 });
        Assert.Equal(50, instead.Entries.Single().Overage);
    }

    [Fact]
    public void An_engagement_says_of_itself_what_an_import_asks()
    {
        var state = Until(Active(s_retainer, new(2026, 4, 1)), new(2026, 4, 2));
        var at = state.AtCutOver(new(2026, 4, 1));
        Assert.Equal(new EngagementAtCutOver(new("e"), new("acme"), true, new(2026, 4, 1), s_seller, s_usd, true, true, false, 0), at);
        state = Fold(state, state.Draw(new DrawTime(new("ada/2026-W14/a"), s_ada, new(2026, 4, 2), 300, true, true, ""), null));
        Assert.True(state.AtCutOver(new(2026, 4, 2)).HasTime);
        Assert.False(state.AtCutOver(new(2026, 4, 3)).HasTime);
        Assert.False((state with { End = new(2026, 4, 1) }).AtCutOver(new(2026, 4, 1)).Runs);
    }

    // ---- what the facts are built of ----

    private static (string Grant, int Left)[] Left(Engagement state, LocalDate date) => [.. state.MeterView(date).Grants.Select(g => (g.Grant.Id.Value, g.Remaining))];

    private static Engagement Active(Terms terms, LocalDate billingStartsOn)
    {
        var plan = new EngagementPlan(
            "Growth", ServiceType.FractionalCmo, s_ada, [new EngagementMember(s_ada, "lead", [], null, true)], terms, s_start, null, billingStartsOn, 1,
            ImmutableSortedDictionary<string, string>.Empty, ImmutableSortedDictionary<string, string>.Empty);
        var request = new Guid("00000000-0000-0000-0000-000000000001");
        IEvent[] events =
        [
            new EngagementCreated(new EngagementId("e"), new ClientCompanyId("acme"), plan),
            new ActivationStarted(request, Instant.FromUtc(2024, 2, 1, 0, 0), "America/New_York"),
            new EngagementActivated(request, s_start),
        ];
        return events.Aggregate(Engagement.Initial, (state, e) => state.Apply(e));
    }

    private static Instant Noon(LocalDate date) => date.AtMidnight().InUtc().ToInstant() + Duration.FromHours(16);

    private static Engagement Until(Engagement state, LocalDate date) => Settled(state, date).State;

    private static (Engagement State, List<IEvent> Events) Settled(Engagement state, LocalDate date)
    {
        var events = new List<IEvent>();
        while (state.NextDue is { } due && due <= Noon(date))
        {
            foreach (var e in state.Settle(Noon(date)))
            {
                var name = EventJson.NameOf(e);
                state = state.Apply(EventJson.Deserialize(name.Name, name.Version, EventJson.Serialize(e)));
                events.Add(e);
            }
        }

        return (state, events);
    }

    private static Engagement Fold(Engagement state, Decision decision)
    {
        Assert.True(decision.Rejection is null, decision.Rejection?.Message);
        return decision.Events.Aggregate(state, (s, e) => s.Apply(EventJson.Deserialize(EventJson.NameOf(e).Name, EventJson.NameOf(e).Version, EventJson.Serialize(e))));
    }
}
