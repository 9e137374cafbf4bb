using System.Collections.Immutable;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Engagements;
using CsCheck;
using NodaTime;
using Xunit;

namespace AgencyPlatform.Domain.Tests.Engagements;

/// <summary>Sign-off by the client's rule, revisions, comments, and the CMOs' agreement.</summary>
public sealed class The_way_to_an_agreed_engagement
{
    private static readonly Instant s_now = Instant.FromUtc(2026, 3, 2, 9, 0);
    private static readonly LocalDate s_start = new(2026, 4, 1);
    private static readonly CmoId s_ada = new("ada");
    private static readonly CmoId s_bob = new("bob");
    private static readonly Guid s_request = new(9, 0, 0, [0, 0, 0, 0, 0, 0, 0, 1]);
    private static readonly PersonId s_ceo = new("ceo");
    private static readonly PersonId s_vp = new("vp");
    private static readonly PersonId s_board = new("board");
    private static readonly Currency s_usd = new("USD");
    private static readonly ImmutableSortedSet<PersonId> s_nobody = [];

    /// <summary>Any 1 below $5,000 a month, else 2 of 3, the board among them.</summary>
    private static readonly SignOffRule s_rule = new(
        SignOffSubject.Proposal, s_usd, [new SignOffBand(500_000, 1, s_nobody, s_nobody), new SignOffBand(null, 2, [s_ceo, s_vp, s_board], [s_board])]);

    private static readonly DecisionMakers s_client = new(3, [s_ceo, s_vp, s_board], new SignOffPolicy([s_rule], []), "America/New_York");

    [Fact]
    public void The_clients_rule_for_the_amount_says_when_a_proposal_is_accepted()
    {
        var cheap = After(Draft(fee: 499_999), s => s.Propose(new ProposeEngagement(null), s_client, s_now), s => s.Sign(new SignEngagement(s_vp, 1), s_client, s_now));
        Assert.Equal(EngagementState.Accepted, cheap.State);

        var proposed = After(Draft(fee: 500_000), s => s.Propose(new ProposeEngagement(null), s_client, s_now));
        Assert.Equal(new Money(500_000, s_usd), proposed.Proposal.Monthly);
        var two = After(proposed, s => s.Sign(new SignEngagement(s_vp, 1), s_client, s_now), s => s.Sign(new SignEngagement(s_ceo, 1), s_client, s_now));
        Assert.Equal(EngagementState.Proposed, two.State);
        Assert.Equal(EngagementState.Accepted, After(two, s => s.Sign(new SignEngagement(s_board, 1), s_client, s_now)).State);
    }

    [Fact]
    public void A_rule_that_changes_after_the_proposal_counts_for_the_next_revision()
    {
        var proposed = After(Draft(fee: 100_000), s => s.Propose(new ProposeEngagement(null), s_client, s_now));
        var stricter = s_client with { Version = 4, Policy = new SignOffPolicy([s_rule with { Bands = [new SignOffBand(null, 3, s_nobody, s_nobody)] }], []) };
        Assert.Equal(EngagementState.Accepted, After(proposed, s => s.Sign(new SignEngagement(s_vp, 1), stricter, s_now)).State);
        var again = After(proposed, s => s.Revise(), s => s.Propose(new ProposeEngagement(null), stricter, s_now), s => s.Sign(new SignEngagement(s_vp, 2), stricter, s_now));
        Assert.Equal((EngagementState.Proposed, 3), (again.State, again.SignOffNeed().Needed));
    }

    [Fact]
    public void A_delegates_signature_is_the_decision_makers_and_counts_once()
    {
        var assistant = new PersonId("assistant");
        var away = new Delegation(s_board, assistant, new DateRange(new LocalDate(2026, 3, 1), new LocalDate(2026, 3, 8)));
        var client = s_client with { Policy = s_client.Policy! with { Delegations = [away] } };
        var proposed = After(Draft(fee: 900_000), s => s.Propose(new ProposeEngagement(null), client, s_now), s => s.Sign(new SignEngagement(s_ceo, 1), client, s_now));
        Assert.Equal(Reasons.NotDelegated, proposed.Sign(new SignEngagement(s_vp, 1, assistant), client, s_now).Rejection!.Reason);
        Assert.Equal(Reasons.NotDelegated, proposed.Sign(new SignEngagement(s_board, 1, assistant), client, s_now + Duration.FromDays(7)).Rejection!.Reason);
        var signed = After(proposed, s => s.Sign(new SignEngagement(s_board, 1, assistant), client, s_now));
        Assert.Equal((EngagementState.Accepted, assistant), (signed.State, signed.Signatures[^1].By));
        Assert.Empty(signed.Sign(new SignEngagement(s_board, 1), client, s_now).Events);
    }

    /// <summary>Any rule, anybody signing in any order, again and again: accepted with the signature that completes it, and neither before nor after.</summary>
    [Fact]
    public void In_whatever_order_they_sign_it_is_accepted_with_the_signature_that_completes_the_rule()
    {
        PersonId[] people = [s_ceo, s_vp, s_board, new("intern")];
        Gen.Select(Gen.Int[1, 3], Gen.Int[0, 7], Gen.Int[0, 7], Gen.Int[0, 3].Array[0, 12]).Sample((needed, ofBits, requiredBits, order) =>
        {
            var of = Some(ofBits);
            var required = of.IsEmpty ? Some(requiredBits) : Some(requiredBits & ofBits);
            var client = s_client with { Policy = new SignOffPolicy([new SignOffRule(SignOffSubject.Proposal, s_usd, [new SignOffBand(null, needed, of, required)])], []) };
            var most = Math.Max(needed, required.Count);
            var proposal = Draft(fee: 1).Propose(new ProposeEngagement(null), client, s_now);
            Assert.Equal(most > (of.IsEmpty ? 3 : of.Count), proposal.Rejection?.Reason == Reasons.SignOffUnreachable);
            var (state, signed) = (Fold(Draft(fee: 1), proposal.Rejection is null ? proposal.Events : []), new HashSet<PersonId>());
            foreach (var person in order.Select(i => people[i]).TakeWhile(_ => proposal.Rejection is null))
            {
                var before = state.State;
                var decision = state.Sign(new SignEngagement(person, 1), client, s_now);
                Assert.Equal(
                    signed.Contains(person) ? null
                    : before == EngagementState.Accepted ? Reasons.MoveNotAllowed
                    : person == people[3] ? Reasons.NotADecisionMaker
                    : !of.IsEmpty && !of.Contains(person) ? Reasons.NotASigner
                    : null,
                    decision.Rejection?.Reason);
                Assert.Equal(decision.Rejection is null && signed.Add(person), !decision.Events.IsDefaultOrEmpty);
                state = Fold(state, decision.Rejection is null ? decision.Events : []);
                Assert.Equal(signed.Count >= most && required.IsSubsetOf(signed), state.State == EngagementState.Accepted);
            }
        });

        ImmutableSortedSet<PersonId> Some(int bits) => [.. people[..3].Where((_, i) => (bits >> i & 1) == 1)];
    }

    [Fact]
    public void A_revision_says_what_it_changed()
    {
        var proposed = After(Draft(fee: 400_000), s => s.Propose(new ProposeEngagement(null), s_client, s_now));
        Assert.Empty(proposed.Proposal.Changes);
        var plan = Plan(fee: 450_000) with
        {
            Title = "Relaunch",
            End = s_start.PlusYears(2),
            Labels = ImmutableSortedDictionary<string, string>.Empty.Add("tier", "gold"),
            Members = [Plan(0).Members[0] with { Steps = [new FlexibleStep(new DateRange(s_start, s_start.PlusYears(2)), 900)] }],
        };
        var again = After(proposed, s => s.Revise(), s => s.Update(new UpdateEngagement(plan)), s => s.Propose(new ProposeEngagement(null), s_client, s_now));
        Assert.Equal(
            [
                new FieldChange("title", "Launch", "Relaunch"),
                new FieldChange("members[ada].steps[0].weekly_minutes", "600", "900"),
                new FieldChange("members[ada].steps[0].dates.end", "2027-04-01", "2028-04-01"),
                new FieldChange("members[bob].cmo", "bob", ""),
                new FieldChange("members[bob].role", "content", ""),
                new FieldChange("members[bob].hold", "slot", ""),
                new FieldChange("members[bob].agreement_waived", "false", ""),
                new FieldChange("terms.fee", "400000", "450000"),
                new FieldChange("end", "2027-04-01", "2028-04-01"),
            ],
            again.Proposal.Changes.Order(Comparer<FieldChange>.Create((a, b) => Order(a).CompareTo(Order(b)))));

        static int Order(FieldChange change) => Array.IndexOf(
            ["title", "members[ada].steps[0].weekly_minutes", "members[ada].steps[0].dates.end", "members[bob].cmo", "members[bob].role", "members[bob].hold", "members[bob].agreement_waived", "terms.fee", "end"],
            change.Field);
    }

    [Fact]
    public void Changes_beyond_the_most_are_counted()
    {
        var dates = Enumerable.Range(0, 300).ToImmutableSortedDictionary(i => s_start.PlusDays(i), i => 60);
        var many = Plan(0) with { Members = [Plan(0).Members[0] with { Steps = [new DatedStep(new DateRange(s_start, s_start.PlusYears(1)), dates)] }] };
        var changes = PlanChanges.Between(Plan(0), many);
        Assert.Equal(PlanChanges.Most, changes.Length);
        Assert.StartsWith("and ", changes[^1].After, StringComparison.Ordinal);
    }

    [Fact]
    public void Only_a_decision_maker_or_their_delegate_declines_and_only_the_revision_that_was_read()
    {
        var proposed = After(Draft(fee: 1), s => s.Propose(new ProposeEngagement(null), s_client, s_now));
        Assert.Equal(Reasons.NotADecisionMaker, proposed.Decline(new CloseProposal("no", new PersonId("intern")), s_client, s_now).Rejection!.Reason);
        Assert.Equal(Reasons.NotDelegated, proposed.Decline(new CloseProposal("no", s_ceo, new PersonId("intern")), s_client, s_now).Rejection!.Reason);
        Assert.Equal(Reasons.RevisionChanged, proposed.Decline(new CloseProposal("no", s_ceo, Revision: 2), s_client, s_now).Rejection!.Reason);
        Assert.Equal(EngagementState.Declined, After(proposed, s => s.Decline(new CloseProposal("no", s_ceo, Revision: 1), s_client, s_now)).State);
    }

    [Fact]
    public void Comments_stay_over_revisions_and_the_oldest_beyond_the_most_go()
    {
        var company = ClientCompany.Initial with { Stakeholders = ImmutableSortedDictionary<PersonId, Stakeholder>.Empty.Add(s_vp, new Stakeholder(s_vp, "VP", true)) };
        var state = Draft(fee: 1);
        Assert.Equal(Reasons.NotFound, state.Comment(new CommentOnEngagement(s_ceo, "?"), company, 3, s_now).Rejection!.Reason);
        state = After(state, s => s.Comment(new CommentOnEngagement(null, "first"), company, 3, s_now), s => s.Propose(new ProposeEngagement(null), s_client, s_now));
        state = After(state, s => s.Comment(new CommentOnEngagement(s_vp, "Fewer hours?"), company, 3, s_now), s => s.Revise());
        Assert.Equal([(null, 0, "first"), (s_vp, 1, "Fewer hours?")], state.Proposal.Comments.Select(c => (c.Person, c.Revision, c.Text)));
        for (var i = 0; i < Proposal.MostComments; i++)
        {
            state = After(state, s => s.Comment(new CommentOnEngagement(null, $"{i}"), company, 3, s_now));
        }

        Assert.Equal(("0", Proposal.MostComments), (state.Proposal.Comments[0].Text, state.Proposal.Comments.Length));
    }

    // ---- what becomes of the holds ----

    [Theory]
    [InlineData("lapse", true)]
    [InlineData("decline", true)]
    [InlineData("withdraw", true)]
    [InlineData("lapse", false)]
    [InlineData("decline", false)]
    [InlineData("withdraw", false)]
    public void A_proposal_that_ends_frees_its_holds_or_keeps_them_as_asked(string how, bool frees)
    {
        var due = s_now + Duration.FromDays(7);
        var proposed = After(Draft(fee: 1), s => s.Propose(new ProposeEngagement(due, frees), s_client, s_now));
        var over = how switch
        {
            "lapse" => Fold(proposed, proposed.Settle(due)),
            "decline" => After(proposed, s => s.Decline(new CloseProposal(""), s_client, due)),
            _ => After(proposed, s => s.Withdraw(new CloseProposal(""), due)),
        };
        if (!frees)
        {
            Assert.Equal((null, null), (over.NextStep(), over.NextDue));
            return;
        }

        Assert.Equal(new SagaStep(SagaAction.Free, s_bob, new BookingId("slot"), Guid.Empty), over.NextStep());
        Assert.Equal(due + Duration.FromSeconds(15), over.NextDue);
        Assert.Empty(over.Settle(due + Duration.FromDays(1)));
        over = After(over, s => s.Record(s.NextStep()!));
        Assert.Equal((null, null), (over.NextStep(), over.NextDue));
    }

    // ---- the CMOs' agreement ----

    [Fact]
    public void A_question_that_is_not_answered_in_time_lapses_once_and_must_be_asked_again()
    {
        var until = s_now + Duration.FromDays(3);
        var asked = After(Accepted(), s => s.AskToAgree(new RequestAgreement([], until), s_now));
        Assert.Equal([s_bob], asked.Proposal.Asked.Keys);
        Assert.Equal(until, asked.NextDue);
        Assert.Empty(asked.Settle(until - Duration.FromSeconds(1)));

        var lapsed = Fold(asked, asked.Settle(until + Duration.FromDays(365)));
        Assert.Equal((AgreementAnswer.Lapsed, (Instant?)null), (lapsed.Proposal.Asked[s_bob].Answer, lapsed.NextDue));
        var late = lapsed.Agree(new AgreeAsCmo(s_bob, 1), until).Rejection!;
        Assert.Equal((Reasons.AgreementClosed, "LAPSED"), (late.Reason, late.Metadata["answer"]));
        var agreed = After(lapsed, s => s.AskToAgree(new RequestAgreement([s_bob], null), until), s => s.Agree(new AgreeAsCmo(s_bob, 1), until));
        Assert.Null(agreed.Activate(s_request, "UTC", until).Rejection);
        Assert.Empty(agreed.AskToAgree(new RequestAgreement([s_bob], null), until).Events);
    }

    [Fact]
    public void A_CMO_declines_with_a_reason_even_after_agreeing_and_the_activation_waits()
    {
        var agreed = After(Accepted(), s => s.Agree(new AgreeAsCmo(s_bob, 1), s_now));
        var declined = After(agreed, s => s.DeclineAs(new DeclineAsCmo(s_bob, 1, "A clash."), s_now));
        Assert.Equal("A clash.", declined.Proposal.Asked[s_bob].Reason);
        Assert.Equal(Reasons.AgreementMissing, declined.Activate(s_request, "UTC", s_now).Rejection!.Reason);
        Assert.Equal("DECLINED", declined.Agree(new AgreeAsCmo(s_bob, 1), s_now).Rejection!.Metadata["answer"]);
        Assert.Empty(declined.DeclineAs(new DeclineAsCmo(s_bob, 1, "Again."), s_now).Events);
        Assert.Equal(Reasons.RevisionChanged, agreed.DeclineAs(new DeclineAsCmo(s_bob, 2, "Old."), s_now).Rejection!.Reason);
        Assert.Equal(Reasons.NotFound, agreed.DeclineAs(new DeclineAsCmo(new CmoId("zoe"), 1, "Me?"), s_now).Rejection!.Reason);
        Assert.Equal(Reasons.NotFound, agreed.AskToAgree(new RequestAgreement([new CmoId("zoe")], null), s_now).Rejection!.Reason);
    }

    [Fact]
    public void A_CMOs_own_terms_waive_the_agreement_and_the_activation_records_their_version()
    {
        var waiving = ImmutableSortedDictionary<CmoId, long>.Empty.Add(s_bob, 12);
        Assert.Equal(Reasons.AgreementMissing, Accepted().Activate(s_request, "UTC", s_now).Rejection!.Reason);
        Assert.Equal(waiving, Assert.IsType<ActivationStarted>(Accepted().Activate(s_request, "UTC", s_now, waiving).Events.Single()).Waived);
    }

    private static EngagementPlan Plan(long fee) => new(
        "Launch", ServiceType.FractionalCmo, s_ada,
        [
            new EngagementMember(s_ada, "lead", [new FlexibleStep(new DateRange(s_start, s_start.PlusYears(1)), 600)], null, AgreementWaived: true),
            new EngagementMember(s_bob, "content", [], new BookingId("slot"), AgreementWaived: false),
        ],
        new RetainerTerms(s_start, new LegalEntityId("main"), s_usd, new BillCycle(1, 1), fee, 2_400, 25_000, OverageGate.Consent),
        s_start, s_start.PlusYears(1), null, 1, ImmutableSortedDictionary<string, string>.Empty, ImmutableSortedDictionary<string, string>.Empty);

    private static Engagement Draft(long fee) => After(Engagement.Initial, s => s.Create(new CreateEngagement(new EngagementId("launch"), new ClientCompanyId("acme"), Plan(fee))));

    private static Engagement Accepted() => After(
        Draft(fee: 1), s => s.Propose(new ProposeEngagement(null), s_client, s_now), s => s.Sign(new SignEngagement(s_ceo, 1), s_client, s_now));

    private static Engagement After(Engagement state, params ReadOnlySpan<Func<Engagement, Decision>> commands)
    {
        foreach (var command in commands)
        {
            var decision = command(state);
            Assert.Null(decision.Rejection);
            Assert.NotEmpty(decision.Events);
            state = Fold(state, decision.Events);
        }

        return state;
    }

    private static Engagement Fold(Engagement state, ImmutableArray<IEvent> events) => events.Aggregate(state, (s, e) => s.Apply(e));
}
