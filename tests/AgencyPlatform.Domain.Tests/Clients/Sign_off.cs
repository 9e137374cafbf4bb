using System.Collections.Immutable;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Clients;
using CsCheck;
using NodaTime;
using Xunit;

namespace AgencyPlatform.Domain.Tests.Clients;

/// <summary>Who must sign what for an amount on a date, and whether it is signed.</summary>
public sealed class Sign_off
{
    private static readonly Currency s_usd = new("USD");
    private static readonly PersonId s_ceo = new("ceo");
    private static readonly PersonId s_vp = new("vp");
    private static readonly PersonId s_board = new("board");
    private static readonly PersonId s_assistant = new("assistant");
    private static readonly ClientCompanyId s_acme = new("acme");
    private static readonly ImmutableSortedSet<PersonId> s_nobody = [];
    private static readonly Instant s_now = Instant.FromUtc(2026, 3, 2, 9, 0);

    /// <summary>Domain §3: any 1 below $5,000 a month, else 2 of 3.</summary>
    private static readonly SignOffRule s_rule = new(
        SignOffSubject.Proposal, s_usd, [new SignOffBand(500_000, 1, s_nobody, s_nobody), new SignOffBand(null, 2, [s_ceo, s_vp, s_board], s_nobody)]);

    [Theory]
    [InlineData(0L, 1)]
    [InlineData(499_999L, 1)]
    [InlineData(500_000L, 2)]
    [InlineData(9_000_000L, 2)]
    [InlineData(null, 2)]
    public void Any_one_signs_below_5000_a_month_and_two_of_three_from_there_on_or_when_nobody_stated_an_amount(long? monthly, int needed)
    {
        var need = SignOff.Needed(Policy(s_rule), SignOffSubject.Proposal, s_usd, monthly is { } m ? new Money(m, s_usd) : null, atLeast: 1);
        Assert.Equal(needed, need.Needed);
        Assert.True(need.IsSatisfiedBy([s_ceo, s_board]));
        Assert.Equal(needed == 1, need.IsSatisfiedBy([s_vp]));
        Assert.Equal(needed == 1, need.IsSatisfiedBy([s_vp, s_vp, s_assistant]));
    }

    [Fact]
    public void The_amount_is_the_highest_monthly_equivalent_of_the_terms()
    {
        Assert.Equal(new Money(300_000, s_usd), SignOff.Amount([Retainer(900_000, 3)]));
        Assert.Equal(new Money(66_667, s_usd), SignOff.Amount([Retainer(800_000, 12), Retainer(150_000, 3)]));
        Assert.Equal(new Money(400_000, s_usd), SignOff.Amount([Retainer(300_000, 1), Hourly(400_000)]));
        Assert.Null(SignOff.Amount([Retainer(300_000, 1), Hourly(null)]));
    }

    [Fact]
    public void The_rule_of_the_subject_and_currency_counts_that_of_proposals_stands_in_for_scope_changes_and_the_agency_may_ask_for_more()
    {
        var scope = s_rule with { Subject = SignOffSubject.ScopeChange, Bands = [new SignOffBand(null, 3, s_nobody, s_nobody)] };
        var low = new Money(100, s_usd);
        Assert.Equal(1, SignOff.Needed(Policy(s_rule), SignOffSubject.ScopeChange, s_usd, low, 1).Needed);
        Assert.Equal(3, SignOff.Needed(Policy(s_rule, scope), SignOffSubject.ScopeChange, s_usd, low, 1).Needed);
        Assert.Equal(1, SignOff.Needed(Policy(s_rule, scope), SignOffSubject.Proposal, s_usd, low, 1).Needed);
        Assert.Equal(2, SignOff.Needed(Policy(s_rule), SignOffSubject.Proposal, s_usd, low, 2).Needed);
        Assert.Equal(SignOffNeed.Any(4), SignOff.Needed(Policy(s_rule), SignOffSubject.Proposal, new Currency("EUR"), new Money(100, new Currency("EUR")), 4));
        Assert.Equal(SignOffNeed.Any(1), SignOff.Needed(null, SignOffSubject.Proposal, s_usd, low, 1));
    }

    [Fact]
    public void A_required_signer_is_waited_for_whoever_else_signs()
    {
        var rule = s_rule with { Bands = [new SignOffBand(null, 1, s_nobody, [s_board, s_ceo])] };
        var need = SignOff.Needed(Policy(rule), SignOffSubject.Proposal, s_usd, null, 1);
        Assert.Equal(2, need.Needed);
        Assert.False(need.IsSatisfiedBy([s_ceo, s_vp, s_assistant]));
        Assert.True(need.IsSatisfiedBy([s_ceo, s_board]));
    }

    [Fact]
    public void What_can_never_be_signed_is_refused_with_who_is_missing()
    {
        var client = Client(s_ceo, s_vp);
        Assert.Null(SignOff.Unreachable(SignOffNeed.Any(2), client));
        Assert.Equal("2", SignOff.Unreachable(SignOffNeed.Any(3), client)!.Metadata["decision_makers"]);
        Assert.Equal("1", SignOff.Unreachable(new SignOffNeed(2, [s_ceo, s_board], []), client)!.Metadata["decision_makers"]);
        var refusal = SignOff.Unreachable(new SignOffNeed(1, [], [s_board]), client)!;
        Assert.Equal((Reasons.SignOffUnreachable, "board"), (refusal.Reason, refusal.Metadata["missing_signers"]));
    }

    [Fact]
    public void Only_a_decision_maker_whom_the_rule_counts_signs()
    {
        var need = new SignOffNeed(1, [s_ceo], []);
        Assert.Null(SignOff.Refuse(need, Client(s_ceo, s_vp), s_acme, s_ceo, null, s_now));
        Assert.Equal(Reasons.NotASigner, SignOff.Refuse(need, Client(s_ceo, s_vp), s_acme, s_vp, null, s_now)!.Reason);
        Assert.Equal(Reasons.NotADecisionMaker, SignOff.Refuse(need, Client(s_vp), s_acme, s_ceo, null, s_now)!.Reason);
    }

    /// <summary>Delegated over [2 March, 4 March) by the calendar of New York, which is five hours behind UTC.</summary>
    [Theory]
    [InlineData("2026-03-02T04:59:59Z", false)]
    [InlineData("2026-03-02T05:00:00Z", true)]
    [InlineData("2026-03-04T04:59:59Z", true)]
    [InlineData("2026-03-04T05:00:00Z", false)]
    public void A_delegate_signs_on_the_dates_of_the_delegation_and_on_no_other(string at, bool signs)
    {
        var delegation = new Delegation(s_ceo, s_assistant, new DateRange(new LocalDate(2026, 3, 2), new LocalDate(2026, 3, 4)));
        var client = Client(s_ceo, s_vp) with { Policy = new SignOffPolicy([], [delegation]), TimeZone = "America/New_York" };
        var now = NodaTime.Text.InstantPattern.General.Parse(at).Value;
        Assert.Equal(signs ? null : Reasons.NotDelegated, SignOff.Refuse(SignOffNeed.Any(1), client, s_acme, s_ceo, s_assistant, now)?.Reason);
        Assert.Null(SignOff.Refuse(SignOffNeed.Any(1), client, s_acme, s_ceo, null, now));
        Assert.Equal(Reasons.NotDelegated, SignOff.Refuse(SignOffNeed.Any(1), client, s_acme, s_vp, s_assistant, now)!.Reason);
    }

    /// <summary>More signatures are never less, and their order and repetition do not matter.</summary>
    [Fact]
    public void Signing_is_monotone_and_its_order_does_not_matter()
    {
        var people = Enumerable.Range(0, 6).Select(i => new PersonId($"p{i}")).ToArray();
        var some = Gen.Int[0, 63].Select(bits => people.Where((_, i) => (bits >> i & 1) == 1).ToImmutableSortedSet());
        Gen.Select(Gen.Int[1, 6], some, some, Gen.Shuffle(people), Gen.Int[0, 6]).Sample((needed, of, required, order, repeat) =>
        {
            var need = new SignOffNeed(needed, of, required);
            var signed = false;
            for (var n = 0; n <= order.Length; n++)
            {
                var now = need.IsSatisfiedBy(order.Take(n));
                Assert.True(now || !signed, "A further signature took the sign-off away.");
                Assert.Equal(now, need.IsSatisfiedBy(order.Take(n).Reverse()));
                Assert.Equal(now, need.IsSatisfiedBy(order.Take(n).Concat(order.Take(Math.Min(n, repeat)))));
                signed = now;
            }

            // Signed by all, it is satisfied exactly when it can be reached at all.
            Assert.Equal(SignOff.Unreachable(need, Client(people)) is null && required.All(need.Counts), signed);
        });
    }

    [Fact]
    public void A_higher_amount_never_takes_fewer_signatures_than_its_band_says_and_every_amount_has_a_band() =>
        Gen.Select(Gen.Long[1, 1_000_000].Array[0, 8], Gen.Long[0, 2_000_000]).Sample((bounds, amount) =>
        {
            var below = bounds.Distinct().Order().ToArray();
            var rule = new SignOffRule(
                SignOffSubject.Proposal, s_usd,
                [.. below.Select((b, i) => new SignOffBand(b, i + 1, s_nobody, s_nobody)), new SignOffBand(null, below.Length + 1, s_nobody, s_nobody)]);
            Assert.Empty(rule.Violations("rule"));
            Assert.Equal(below.Count(b => b <= amount) + 1, SignOff.Needed(Policy(rule), SignOffSubject.Proposal, s_usd, new Money(amount, s_usd), 1).Needed);
        });

    // ---- the client company's part ----

    [Fact]
    public void A_bad_rule_is_refused_with_every_bad_part()
    {
        var rule = new SignOffRule(SignOffSubject.Proposal, s_usd, [
            new SignOffBand(null, 0, s_nobody, s_nobody), new SignOffBand(-5, 1, [s_ceo], [s_vp]), new SignOffBand(100, 1, s_nobody, s_nobody)]);
        var refusal = Company().SetSignOffRules(new SetSignOffRules([rule, rule with { Bands = [] }])).Rejection!;
        Assert.Equal(
            ["rules", "rules[0].bands[0].below_minor_units", "rules[0].bands[0].needed", "rules[0].bands[1].below_minor_units", "rules[0].bands[1].required_signers", "rules[0].bands[2].below_minor_units", "rules[1].bands"],
            refusal.Fields.Select(f => f.Field).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_rule_names_decision_makers_only()
    {
        var rule = s_rule with { Bands = [new SignOffBand(null, 1, s_nobody, [s_assistant])] };
        var refusal = Company().SetSignOffRules(new SetSignOffRules([rule])).Rejection!;
        Assert.Equal((Reasons.NotADecisionMaker, "assistant"), (refusal.Reason, refusal.Metadata["person"]));
        Assert.Same(s_rule, Assert.Single(After(Company(), c => c.SetSignOffRules(new SetSignOffRules([s_rule]))).SignOff.Rules));
    }

    [Fact]
    public void A_decision_maker_delegates_to_one_stakeholder_at_a_time_and_may_take_it_back()
    {
        var (from, until) = (new LocalDate(2026, 3, 2), new LocalDate(2026, 3, 9));
        var given = new DelegateSignOff(new Delegation(s_ceo, s_assistant, new DateRange(from, until)));
        var company = After(Company(), c => c.DelegateSignOff(given));
        Assert.Empty(company.DelegateSignOff(given).Events);
        var overlap = company.DelegateSignOff(new DelegateSignOff(new Delegation(s_ceo, s_vp, new DateRange(until.PlusDays(-1), until.PlusDays(1))))).Rejection!;
        Assert.Equal((Reasons.DelegationOverlaps, "assistant"), (overlap.Reason, overlap.Metadata["delegate"]));
        Assert.Null(company.DelegateSignOff(new DelegateSignOff(new Delegation(s_ceo, s_vp, new DateRange(until, until.PlusDays(1))))).Rejection);
        Assert.Empty(After(company, c => c.RevokeDelegation(new RevokeDelegation(s_ceo, from))).SignOff.Delegations);
        Assert.Equal(Reasons.NotFound, company.RevokeDelegation(new RevokeDelegation(s_ceo, until)).Rejection!.Reason);
    }

    [Theory]
    [InlineData("assistant", "ceo", Reasons.NotADecisionMaker)]
    [InlineData("ceo", "stranger", Reasons.NotFound)]
    [InlineData("ceo", "ceo", Reasons.InvalidArgument)]
    public void A_delegation_is_from_a_decision_maker_to_another_stakeholder(string from, string to, string reason) => Assert.Equal(
        reason,
        Company().DelegateSignOff(new DelegateSignOff(new Delegation(new PersonId(from), new PersonId(to), new DateRange(new LocalDate(2026, 3, 2), new LocalDate(2026, 3, 3))))).Rejection!.Reason);

    private static SignOffPolicy Policy(params SignOffRule[] rules) => new([.. rules], []);

    private static DecisionMakers Client(params PersonId[] people) => new(7, [.. people]);

    private static RetainerTerms Retainer(long fee, int months) =>
        new(new LocalDate(2026, 4, 1), new LegalEntityId("main"), s_usd, new BillCycle(1, months), fee, 0, null, OverageGate.Block);

    private static HourlyTerms Hourly(long? estimate) => new(new LocalDate(2026, 4, 1), new LegalEntityId("main"), s_usd, new BillCycle(1, 1), 25_000, estimate);

    /// <summary>Three decision makers and an assistant who is none.</summary>
    private static ClientCompany Company() => After(
        ClientCompany.Initial,
        c => c.Create(new CreateClient(s_acme, new ClientProfile("Acme", "", "", "America/New_York", new BillingDetails("", "", "", "", 30), ImmutableSortedDictionary<string, string>.Empty, ImmutableSortedDictionary<string, string>.Empty))),
        c => c.PutStakeholder(new PutStakeholder(new Stakeholder(s_ceo, "CEO", true), new PersonDetails("Carla"))),
        c => c.PutStakeholder(new PutStakeholder(new Stakeholder(s_vp, "VP", true), new PersonDetails("Vic"))),
        c => c.PutStakeholder(new PutStakeholder(new Stakeholder(s_board, "Board", true), new PersonDetails("Bea"))),
        c => c.PutStakeholder(new PutStakeholder(new Stakeholder(s_assistant, "Assistant", false), new PersonDetails("Al"))));

    private static ClientCompany After(ClientCompany state, params ReadOnlySpan<Func<ClientCompany, Decision>> commands)
    {
        foreach (var command in commands)
        {
            var decision = command(state);
            Assert.Null(decision.Rejection);
            Assert.NotEmpty(decision.Events);
            state = decision.Events.Aggregate(state, (s, e) => s.Apply(e));
        }

        return state;
    }
}
