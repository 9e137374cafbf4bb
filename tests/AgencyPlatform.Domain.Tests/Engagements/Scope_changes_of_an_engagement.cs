using System.Collections.Immutable;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Engagements;
using AgencyPlatform.Domain.Time;
using NodaTime;
using Xunit;
using static AgencyPlatform.Domain.Tests.Engagements.RunningEngagement;

namespace AgencyPlatform.Domain.Tests.Engagements;

public sealed class Scope_changes_of_an_engagement
{
    private static readonly CmoId s_cy = new("cy");
    private static readonly LocalDate s_june = Day(6, 1);

    /// <summary>Ada works more, Bob leaves, Cy comes and leads, and the fee goes up.</summary>
    private static ScopeProposal Larger => new(
        s_june, s_cy, [new ScopeMember(Ada, "", Weekly(900, s_june), false), new ScopeMember(s_cy, "lead", Weekly(300, s_june), false)],
        ((RetainerTerms)Active().Terms[0]) with { EffectiveFrom = s_june, Fee = 1_500_000, IncludedMinutes = 3_600 }, "growth");

    [Fact]
    public void An_applied_change_swaps_the_bookings_and_the_terms_from_its_date_on()
    {
        var changed = Accepted(Larger).Moved(Apply);
        Assert.Equal(
            ["ada 600 [2026-04-01, 2026-06-01)", "ada 900 [2026-06-01, 2027-04-01)", "bob 300 [2026-04-01, 2026-06-01)", "cy 300 [2026-06-01, 2027-04-01)"], changed.BookedText());
        Assert.Equal(["2026-04-01 1000000 2400", "2026-06-01 1500000 3600"], changed.TermsText());
        Assert.Equal((s_cy, ScopeState.Applied), (changed.Plan.Lead, changed.Running.Scope!.State));
        Assert.Equal([Ada, s_cy], changed.Plan.Members.Select(m => m.Cmo));
        Assert.Equal(EngagementState.Active, changed.State);
    }

    /// <summary>2,400 minutes a month; 3,300 of June are approved, 900 of them parked. The included minutes grow by as many as are said.</summary>
    [Theory]
    [InlineData(2_400, 0, 0, 900)]
    [InlineData(2_900, 400, 100, 400)]
    [InlineData(3_600, 400, 500, 0)]
    [InlineData(2_000, 0, 0, 900)]
    public void What_the_included_minutes_grow_by_serves_parked_time_first_oldest_entry_first(int included, int older, int younger, int parked)
    {
        var state = Active();
        state = state.After(s => s.Draw(Worked("whole", Day(6, 2), 1_440), null), s => s.Draw(Worked("most", Day(6, 3), 960), null));
        state = state.After(s => s.Draw(Worked("younger", Day(6, 9), 500), null), s => s.Draw(Worked("older", Day(6, 8), 400), null));
        Assert.Equal((0, 900), (state.MeterView(s_june).Remaining, state.MeterView(s_june).ParkedInAll));

        var terms = ((RetainerTerms)state.Terms[0]) with { EffectiveFrom = s_june, IncludedMinutes = included };
        var proposal = new ScopeProposal(s_june, null, [], terms, "");
        state = state.After(Proposed(proposal), s => s.SignScope(new SignScope(Ceo, 0), Deciders, Now)).Moved(Apply);

        Assert.Equal((older, younger), (Served("older"), Served("younger")));
        Assert.Equal((Math.Max(0, included - 3_300), parked), (state.MeterView(s_june).Remaining, state.MeterView(s_june).ParkedInAll));
        Assert.Equal(parked, state.Time.Approved.Values.Sum(a => a.Minutes - a.Parts.DrawnMinutes()));

        int Served(string entry) => state.Time.Approved.Single(a => a.Key.Value.EndsWith(entry, StringComparison.Ordinal)).Value.Parts.DrawnMinutes();
    }

    private static DrawTime Worked(string id, LocalDate date, int minutes) =>
        new(TimeEntryKey.Of(Ada, IsoWeek.Of(date), new TimeEntryId(id)), Ada, date, minutes, true, true, "key:test");

    [Fact]
    public void Every_hold_comes_before_the_first_booking_that_changes()
    {
        var state = Accepted(Larger).After(Apply);
        var actions = new List<string>();
        while (state.NextRebooking() is { } step)
        {
            actions.Add($"{step.Action} {state.Saga!.Move!.Rebookings[step.Index].Form} {state.Saga.Move.Rebookings[step.Index].Cmo}");
            state = state.After(s => s.Record(step, null));
        }

        Assert.Equal(["Hold Swap ada", "Hold Place cy", "Commit Cut bob", "Commit Swap ada", "Commit Place cy"], actions);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_CMO_who_refuses_leaves_everything_as_it_was_and_the_change_accepted(int refusedAt)
    {
        var accepted = Accepted(Larger);
        var refused = accepted.Moved(Apply, refusedAt);
        Assert.Equal(accepted.BookedText(), refused.BookedText());
        Assert.Equal(accepted.TermsText(), refused.TermsText());
        Assert.Equal((ScopeState.Accepted, Ada), (refused.Running.Scope!.State, refused.Plan.Lead));
        Assert.Equal(Reasons.CapacityExceeded, refused.OutcomeOf(Request(5))!.Refusal!.Reason);
    }

    [Fact]
    public void Those_who_come_and_those_of_whom_more_is_asked_must_agree_unless_it_is_waived()
    {
        // Ada's own terms waive it.
        Assert.Equal([s_cy], Active().After(Proposed(Larger)).Running.Scope!.MustAgree.Select(c => c));
        var waived = Larger with { Members = [.. Larger.Members.Select(m => m with { AgreementWaived = true })] };
        Assert.Empty(Active().After(Proposed(waived)).Running.Scope!.MustAgree);

        var strict = Active() with { Plan = Active().Plan with { Members = [.. Active().Plan.Members.Select(m => m with { AgreementWaived = false })] } };
        Assert.Equal([Ada, s_cy], strict.After(Proposed(Larger)).Running.Scope!.MustAgree.Select(c => c));
        var smaller = Larger with { Lead = null, Members = [new ScopeMember(Ada, "", Weekly(600, s_june), false), new ScopeMember(Bob, "", Weekly(299, s_june), false)] };
        Assert.Empty(strict.After(Proposed(smaller)).Running.Scope!.MustAgree);

        var signed = strict.After(Proposed(Larger), s => s.SignScope(new SignScope(Ceo, 1), Deciders, Now), s => s.AgreeToScope(new AgreeToScope(Ada, 1), Now));
        Assert.Equal("cy", Apply(signed).Rejection!.Metadata["cmos"]);
        Assert.Equal(Reasons.NotFound, signed.AgreeToScope(new AgreeToScope(Bob, 1), Now).Reason());
    }

    [Fact]
    public void A_change_needs_the_clients_signatures_and_a_new_proposal_voids_them()
    {
        var two = Active() with { Plan = Active().Plan with { SignaturesNeeded = 2 } };
        var proposed = two.After(Proposed(Larger));
        Assert.Equal(Reasons.MoveNotAllowed, Apply(proposed).Reason());
        var one = proposed.After(s => s.SignScope(new SignScope(Ceo, 1), Deciders, Now));
        Assert.Equal(ScopeState.Proposed, one.Running.Scope!.State);
        Assert.Empty(one.SignScope(new SignScope(Ceo, 1), Deciders, Now).Events);
        Assert.Equal(ScopeState.Accepted, one.After(s => s.SignScope(new SignScope(new PersonId("board"), 0), Deciders, Now)).Running.Scope!.State);

        Assert.Equal(Reasons.NotADecisionMaker, proposed.SignScope(new SignScope(new PersonId("intern"), 1), Deciders, Now).Reason());
        var again = one.After(Proposed(Larger));
        Assert.Equal((2, 0), (again.Running.Scope!.Number, again.Running.Scope.Signatures.Length));
        Assert.Equal(Reasons.RevisionChanged, again.SignScope(new SignScope(Ceo, 1), Deciders, Now).Reason());
        Assert.Equal(Reasons.SignOffUnreachable, Proposed(Larger)(Active() with { Plan = Active().Plan with { SignaturesNeeded = 3 } }).Reason());
    }

    /// <summary>$10,000 becomes $4,000 in June: from then on any one signs, below $5,000 a month.</summary>
    [Fact]
    public void The_client_signs_for_what_a_month_will_cost_from_the_date_on()
    {
        var rule = new SignOffRule(SignOffSubject.Proposal, new Currency("USD"), [new SignOffBand(500_000, 1, [], []), new SignOffBand(null, 2, [], [])]);
        var client = Deciders with { Policy = new SignOffPolicy([rule], []) };
        Func<Engagement, Decision> Asked(ScopeProposal proposal) => s => s.ProposeScope(new ProposeScope(proposal, null), [], client, Now);
        var lead = new ScopeProposal(Day(7, 1), Bob, [], null, "");
        Assert.Equal(2, Active().After(Asked(lead)).Running.Scope!.Need!.Needed);

        var cheaper = new ScopeProposal(s_june, null, [], ((RetainerTerms)Active().Terms[0]) with { EffectiveFrom = s_june, Fee = 400_000 }, "");
        var changed = Active().After(Asked(cheaper), s => s.SignScope(new SignScope(Ceo, 1), client, Now)).Moved(Apply);
        Assert.Equal(1, changed.After(Asked(lead)).Running.Scope!.Need!.Needed);
    }

    [Fact]
    public void A_change_is_declined_withdrawn_or_expires_by_time_alone()
    {
        var proposed = Active().After(Proposed(Larger));
        Assert.Equal(ScopeState.Declined, proposed.After(s => s.CloseScope(new CloseScope(1, true, "too dear"))).Running.Scope!.State);
        var busy = Accepted(Larger).After(s => s.CloseScope(new CloseScope(1, false, "no room", s_cy)));
        Assert.Equal((ScopeState.Declined, "no room"), (busy.Running.Scope!.State, busy.Running.Scope.CloseReason));
        Assert.Equal(Reasons.NotFound, proposed.CloseScope(new CloseScope(1, false, "", Bob)).Reason());
        var withdrawn = Accepted(Larger).After(s => s.CloseScope(new CloseScope(0, false, "")));
        Assert.Equal(ScopeState.Withdrawn, withdrawn.Running.Scope!.State);
        Assert.Equal(Reasons.MoveNotAllowed, Apply(withdrawn).Reason());
        Assert.Equal(Reasons.MoveNotAllowed, Accepted(Larger).CloseScope(new CloseScope(1, true, "")).Reason());

        var due = Now + Duration.FromDays(3);
        var expiring = Active().After(s => s.ProposeScope(new ProposeScope(Larger, due), [], Deciders, Now));
        Assert.Equal(due, expiring.NextDue);
        Assert.Equal(ScopeState.Expired, expiring.With(expiring.Settle(due)).Running.Scope!.State);
        Assert.Equal("expire_time", Active().ProposeScope(new ProposeScope(Larger, Now), [], Deciders, Now).Rejection!.Fields.Single().Field);
    }

    [Fact]
    public void Nobody_signs_agrees_to_or_takes_back_a_change_while_a_move_takes_its_steps()
    {
        var underWay = Accepted(Larger).After(Apply);
        Assert.Equal(Reasons.MoveUnderWay, underWay.CloseScope(new CloseScope(1, false, "")).Reason());
        Assert.Equal(Reasons.MoveUnderWay, underWay.SignScope(new SignScope(new PersonId("board"), 1), Deciders, Now).Reason());
        Assert.Equal(Reasons.MoveUnderWay, underWay.AgreeToScope(new AgreeToScope(s_cy, 1), Now).Reason());
        Assert.Equal(ScopeState.Applied, underWay.Carried().Running.Scope!.State);
    }

    [Fact]
    public void Time_is_accepted_of_those_who_work_on_the_date()
    {
        var changed = Accepted(Larger).Moved(Apply);
        Assert.Null(changed.RefuseTime(Bob, Day(5, 31)));
        Assert.Equal(Reasons.NotAMemberOnDate, changed.RefuseTime(Bob, s_june)!.Reason);
        Assert.Equal(Reasons.NotAMemberOnDate, changed.RefuseTime(s_cy, Day(5, 31))!.Reason);
        Assert.Null(changed.RefuseTime(s_cy, s_june));
        Assert.Equal(Reasons.NotAMember, changed.RefuseTime(new CmoId("dan"), s_june)!.Reason);
    }

    /// <summary>$10,000 becomes $15,000 and 2,400 minutes 3,600 on 16 June: 15 of 30 days each.</summary>
    [Fact]
    public void The_periods_included_minutes_are_prorated_and_the_fee_is_owed_by_days()
    {
        var from = Day(6, 16);
        var changed = Accepted(new ScopeProposal(from, null, [], ((RetainerTerms)Active().Terms[0]) with { EffectiveFrom = from, Fee = 1_500_000, IncludedMinutes = 3_600 }, "")).Moved(Apply);
        Assert.Equal(3_000, changed.MeterOn(Day(6, 1)).RemainingOn(Day(6, 1)));
        Assert.Equal(3_000, changed.MeterOn(Day(6, 30)).RemainingOn(Day(6, 30)));
        Assert.Equal(3_600, changed.MeterOn(Day(7, 1)).RemainingOn(Day(7, 1)));
        var june = Owed.Of(changed.BillingInputs(), new LegalEntityId("main"), new Currency("USD"), Day(6, 1)).Where(i => i.Key.Period == Day(6, 1)).Select(i => i.Amount.Minor);
        Assert.Equal([500_000, 750_000], june);
        Assert.Equal(["ada 600 [2026-04-01, 2027-04-01)", "bob 300 [2026-04-01, 2027-04-01)"], changed.BookedText());
    }

    [Fact]
    public void A_member_who_left_may_come_back()
    {
        var left = Accepted(Larger).Moved(Apply);
        var back = new ScopeProposal(Day(9, 1), Ada, [new ScopeMember(Ada, "", [], true), new ScopeMember(Bob, "", Weekly(120, Day(9, 1)), true)], null, "");
        var state = left.After(Proposed(back), s => s.SignScope(new SignScope(Ceo, 2), Deciders, Now)).Moved(s => s.ApplyScope(new ApplyScope(2), [], [], Request(6), Now));
        Assert.Equal(["bob 300 [2026-04-01, 2026-06-01)", "bob 120 [2026-09-01, 2027-04-01)"], state.BookedText().Where(b => b.StartsWith("bob", StringComparison.Ordinal)));
        Assert.Null(state.RefuseTime(Bob, Day(5, 1)));
        Assert.Equal(Reasons.NotAMemberOnDate, state.RefuseTime(Bob, Day(8, 31))!.Reason);
        Assert.Null(state.RefuseTime(Bob, Day(9, 1)));
    }

    [Fact]
    public void A_date_that_rewrites_the_past_or_lies_outside_is_refused()
    {
        var changed = Accepted(Larger).Moved(Apply);
        var only = new ScopeProposal(Day(5, 31), null, [new ScopeMember(Ada, "", Weekly(700, Day(6, 2)), true), new ScopeMember(s_cy, "", [], true)], null, "");
        Assert.Equal("2026-06-01", Proposed(only)(changed).Rejection!.Metadata["first_date"]);
        Assert.Equal(Reasons.MoveDateOutOfRange, Proposed(only with { From = Start.PlusDays(-1) })(Active()).Reason());
        Assert.Equal(Reasons.MoveDateOutOfRange, Proposed(only with { From = End })(Active()).Reason());

        var drawn = Active().After(s => s.Draw(new DrawTime(TimeEntryKey.Of(Bob, IsoWeek.Of(s_june), new TimeEntryId("a")), Bob, s_june, 60, true, true, "key:test"), null));
        Assert.Equal(Reasons.ApprovedTimeStands, Proposed(Larger)(drawn).Reason());
    }

    [Fact]
    public void Nobody_withdraws_a_change_that_is_being_applied()
    {
        var applying = Accepted(Larger).After(Apply);
        Assert.Equal(Reasons.MoveUnderWay, applying.CloseScope(new CloseScope(0, false, "")).Reason());
        Assert.Equal(ScopeState.Applied, applying.Carried().Running.Scope!.State);
    }

    /// <summary>Approved time was split and posted by the terms of its day: a fee may change in the past, who charges how may not.</summary>
    [Fact]
    public void Terms_that_charge_otherwise_do_not_reach_back_over_approved_time()
    {
        var drawn = Active().After(s => s.Draw(Worked("a", Day(6, 10), 60), null));
        var retainer = (RetainerTerms)drawn.Terms[0] with { EffectiveFrom = s_june };
        Assert.Equal("accepted", Proposed(New(retainer with { Fee = 1_200_000, OverageHourlyRate = 30_000 }))(drawn).Reason());
        Terms[] others =
        [
            retainer with { Currency = new Currency("EUR") }, retainer with { Seller = new LegalEntityId("other") }, retainer with { Cycle = new BillCycle(15, 1) },
            new HourlyTerms(s_june, retainer.Seller, retainer.Currency, retainer.Cycle, 25_000),
        ];
        foreach (var other in others)
        {
            Assert.Equal(Reasons.ApprovedTimeStands, Proposed(New(other))(drawn).Reason());
            Assert.Equal("accepted", Proposed(New(other with { EffectiveFrom = Day(6, 11) }))(drawn).Reason());
        }

        // Charged at a rate already.
        var over = drawn.After(s => s.Draw(Worked("b", Day(6, 12), 2_400), null), s => s.Consent(new ConsentToOverage(60, "")));
        Assert.Equal(Reasons.ApprovedTimeStands, Proposed(New(retainer with { OverageHourlyRate = 30_000 }))(over).Reason());

        static ScopeProposal New(Terms terms) => new(terms.EffectiveFrom, null, [], terms, "");
    }

    /// <summary>$9,000 a month until June, $3,000 from then on: a change in July is signed as one of $3,000.</summary>
    [Fact]
    public void The_amount_to_be_signed_is_that_of_a_month_from_the_change_on()
    {
        var terms = (RetainerTerms)Active().Terms[0];
        var state = Active() with { Terms = [terms with { Fee = 900_000 }, terms with { Fee = 300_000, EffectiveFrom = s_june }] };
        var hours = new ScopeProposal(Day(7, 1), null, [new ScopeMember(Ada, "", Weekly(700, Day(7, 1)), true), new ScopeMember(Bob, "", Weekly(300, Day(7, 1)), true)], null, "");
        Assert.Equal(new Money(300_000, terms.Currency), state.After(Proposed(hours)).Running.Scope!.Monthly);
        Assert.Equal(new Money(900_000, terms.Currency), state.After(Proposed(hours with { From = Day(5, 1) })).Running.Scope!.Monthly);
    }

    [Fact]
    public void A_CMO_whose_own_terms_waive_it_is_not_asked()
    {
        var signed = Active().After(Proposed(Larger), s => s.SignScope(new SignScope(Ceo, 1), Deciders, Now));
        Assert.Equal(Reasons.AgreementMissing, Apply(signed).Reason());
        Assert.Equal(ScopeState.Applied, signed.Moved(s => s.ApplyScope(new ApplyScope(1), [], [s_cy], Request(5), Now)).Running.Scope!.State);
    }

    [Fact]
    public void A_bad_proposal_is_refused_with_every_bad_part()
    {
        var bad = new ScopeProposal(
            s_june, new CmoId("nobody"), [new ScopeMember(s_cy, "", [], true), new ScopeMember(Ada, "", Weekly(0, Day(5, 1), End.PlusDays(1)), true)],
            Active().Terms[0], "");
        Assert.Equal(
            [
                "scope_change.lead", "scope_change.members[0].steps", "scope_change.members[1].steps[0].end_date", "scope_change.members[1].steps[0].flexible.weekly_minutes",
                "scope_change.members[1].steps[0].start_date", "scope_change.terms.effective_date",
            ],
            Proposed(bad)(Active()).Rejection!.Fields.Select(f => f.Field).Order(StringComparer.Ordinal));
        Assert.Equal("scope_change.members", Proposed(new ScopeProposal(s_june, null, [], null, ""))(Active()).Rejection!.Fields.Single().Field);
    }

    private static Func<Engagement, Decision> Proposed(ScopeProposal proposal) => s => s.ProposeScope(new ProposeScope(proposal, null), [], Deciders, Now);

    private static Engagement Accepted(ScopeProposal proposal) => Active().After(
        [Proposed(proposal), s => s.SignScope(new SignScope(Ceo, 1), Deciders, Now), .. proposal.Members.Any(m => m.Cmo == s_cy) ? [(Engagement s) => s.AgreeToScope(new AgreeToScope(s_cy, 1), Now)] : Array.Empty<Func<Engagement, Decision>>()]);

    private static Decision Apply(Engagement s) => s.ApplyScope(new ApplyScope(1), [], [], Request(5), Now);
}
