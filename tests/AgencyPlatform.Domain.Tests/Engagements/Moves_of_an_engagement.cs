using System.Collections.Immutable;
using System.Text.Json;
using System.Text.RegularExpressions;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Engagements;
using CsCheck;
using NodaTime;
using Xunit;

namespace AgencyPlatform.Domain.Tests.Engagements;

public sealed partial class Moves_of_an_engagement
{
    private static readonly Instant s_now = Instant.FromUtc(2026, 3, 2, 9, 0);
    private static readonly LocalDate s_start = new(2026, 4, 1);
    private static readonly ClientCompanyId s_client = new("acme");
    private static readonly CmoId s_ada = new("ada");
    private static readonly CmoId s_bob = new("bob");
    private static readonly PersonId s_ceo = new("ceo");
    private static readonly PersonId s_board = new("board");
    private static readonly DecisionMakers s_deciders = new(3, [s_ceo, s_board]);
    private static readonly ImmutableArray<BookingStep> s_slot = [new FlexibleStep(new DateRange(s_start, s_start.PlusYears(1)), 300)];
    private static readonly Rejection s_full = Rejection.Rule(Reasons.CapacityExceeded, "No room.");
    private static readonly EngagementState[] s_all = Enum.GetValues<EngagementState>();

    private static readonly ScopeProposal s_scope = new(s_start.PlusMonths(2), null, [], new RetainerTerms(
        s_start.PlusMonths(2), new LegalEntityId("main"), new Currency("USD"), new BillCycle(1, 1), 1_200_000, 3_000, 25_000, OverageGate.Consent), "");
    private static readonly StartTransition s_taper = new([new TaperStep(s_start.PlusMonths(6), 50)], [], "");

    /// <summary>Every command, and the states that allow it (domain §3).</summary>
    public static TheoryData<string> Commands => new(s_moves.Keys);

    private static readonly ImmutableSortedDictionary<string, (Func<Engagement, Decision> Decide, EngagementState[] Allowed)> s_lifecycle =
        new Dictionary<string, (Func<Engagement, Decision>, EngagementState[])>
        {
            ["update"] = (s => s.Update(new UpdateEngagement(Plan())), [EngagementState.Draft]),
            ["propose"] = (s => s.Propose(new ProposeEngagement(null), s_deciders, s_now), [EngagementState.Draft]),
            ["revise"] = (s => s.Revise(), [EngagementState.Proposed]),
            ["sign"] = (s => s.Sign(new SignEngagement(s_board, 0), s_deciders, s_now), [EngagementState.Proposed]),
            ["decline"] = (s => s.Decline(new CloseProposal("budget"), s_deciders, s_now), [EngagementState.Proposed]),
            ["withdraw"] = (s => s.Withdraw(new CloseProposal(""), s_now), [EngagementState.Draft, EngagementState.Proposed, EngagementState.Accepted]),
            ["agree"] = (s => s.Agree(new AgreeAsCmo(s_bob, 0), s_now), [EngagementState.Proposed, EngagementState.Accepted]),
            ["comment"] = (s => s.Comment(new CommentOnEngagement(null, "Later?"), ClientCompany.Initial, 3, s_now), [EngagementState.Draft, EngagementState.Proposed, EngagementState.Accepted]),
            ["request agreement"] = (s => s.AskToAgree(new RequestAgreement([s_bob], s_now + Duration.FromDays(3)), s_now), [EngagementState.Proposed, EngagementState.Accepted]),
            ["decline agreement"] = (s => s.DeclineAs(new DeclineAsCmo(s_bob, 0, "No time."), s_now), [EngagementState.Proposed, EngagementState.Accepted]),
            ["activate"] = (s => s.Activate(Request(9), "America/New_York", s_now), [EngagementState.Accepted]),
            ["sign renewal"] = (s => BySignature(s).SignRenewal(new SignRenewal(s_board, 0, null), s_deciders, s_now), [EngagementState.Active, EngagementState.Paused]),
            ["end"] = (s => s.EndOn(new EndEngagement(s_start.PlusDays(30)), Request(9), s_now), [EngagementState.Active, EngagementState.Paused, EngagementState.Transitioning]),
        }.ToImmutableSortedDictionary(StringComparer.Ordinal);

    /// <summary>Moves from the activation on, each decided on an engagement that has what it needs.</summary>
    private static readonly ImmutableSortedDictionary<string, (Func<Engagement, Decision> Decide, EngagementState[] Allowed)> s_moves = s_lifecycle.AddRange(
        new Dictionary<string, (Func<Engagement, Decision>, EngagementState[])>
        {
            ["pause"] = (s => Running(s).Pause(new PauseEngagement(s_start.PlusMonths(3), null, 0, ""), [], Request(9), s_now), [EngagementState.Active]),
            ["resume"] = (s => Running(s).Resume(new ResumeEngagement(s_start.PlusMonths(4)), Request(9), s_now), [EngagementState.Paused]),
            ["propose scope change"] = (s => Running(s).ProposeScope(new ProposeScope(s_scope, null), [], s_deciders, s_now), [EngagementState.Active]),
            ["apply scope change"] = (s => Running(s).ApplyScope(new ApplyScope(0), [], [], Request(9), s_now), [EngagementState.Active]),
            ["request cover"] = (s => Running(s).RequestCover(Cover("new", 13)), [EngagementState.Active, EngagementState.Paused, EngagementState.Transitioning]),
            ["book cover"] = (s => Running(s).BookCover(new BookCover(new("asked")), [], Request(9), s_now), [EngagementState.Active, EngagementState.Paused, EngagementState.Transitioning]),
            ["cancel cover"] = (s => Running(s).CancelCover(new CancelCover(new("booked"), s_start), Request(9), s_now), [EngagementState.Active, EngagementState.Paused, EngagementState.Transitioning]),
            ["start transition"] = (s => Running(s).StartTransition(s_taper, [], Request(9), s_now), [EngagementState.Active, EngagementState.Paused]),
            ["mark milestone"] = (s => ByMilestone(s).MarkMilestone(new MarkMilestone(new("launch"), s_start), "key:crm", s_later), [EngagementState.Active, EngagementState.Paused, EngagementState.Transitioning, EngagementState.Ended]),
            ["reopen milestone"] = (s => ByMilestone(s).ReopenMilestone(new ReopenMilestone(new("brand"), "Not yet."), "key:crm", s_later), [EngagementState.Active, EngagementState.Paused, EngagementState.Transitioning, EngagementState.Ended]),
            ["sell hours"] = (s => s.SellHours(new SellHours(null, 600, new Money(150_000, new Currency("USD")), s_start, s_start.PlusMonths(6)), s_later), [EngagementState.Active, EngagementState.Paused, EngagementState.Transitioning]),
            ["put handover item"] = (s => Running(s).PutHandoverItem(new PutHandoverItem(new("keys"), "Keys", false), "key:crm", s_now), [EngagementState.Transitioning]),
        });

    private static readonly Instant s_later = s_now + Duration.FromDays(60);

    /// <summary>With two milestones, one of them reached.</summary>
    private static Engagement ByMilestone(Engagement state) => state.Id.Value is null ? state : state with
    {
        Terms = [new MilestoneTerms(s_start, new LegalEntityId("main"), new Currency("USD"), new BillCycle(1, 1), [new(new("brand"), "Brand", 500_000), new(new("launch"), "Launch", 900_000)])],
        Milestones = [new ReachedMilestone(new("brand"), "Brand", 500_000, s_start)],
    };

    private static RequestCover Cover(string id, int day) =>
        new(new(id), s_ada, new("cy"), ImmutableSortedDictionary<LocalDate, int>.Empty.Add(new LocalDate(2026, 4, day), 60), true, "");

    /// <summary>What a running engagement has by the time of its moves: an accepted change of scope, a cover that may be booked and one that is, a pause, a taper.</summary>
    private static Engagement Running(Engagement state)
    {
        if (state.Id.Value is null)
        {
            return state;
        }

        var active = RunningEngagement.Active();
        foreach (var (id, day) in new[] { ("asked", 7), ("booked", 8) })
        {
            active = active.After(s => s.RequestCover(Cover(id, day)), s => s.ConsentToCover(new ConsentToCover(new(id), s_ceo), s_deciders, s_now));
        }

        active = active.Moved(s => s.BookCover(new BookCover(new("booked")), [], Request(2), s_now))
            .After(s => s.ProposeScope(new ProposeScope(s_scope, null), [], s_deciders, s_now), s => s.SignScope(new SignScope(s_ceo, 0), s_deciders, s_now));
        var moved = state.State switch
        {
            EngagementState.Paused => RunningEngagement.Active().Moved(s => s.Pause(new PauseEngagement(s_start.PlusMonths(3), null, 0, ""), [], Request(3), s_now)),
            EngagementState.Transitioning => RunningEngagement.Active().Moved(s => s.StartTransition(s_taper, [], Request(3), s_now)),
            _ => active,
        };
        return moved with { State = state.State, Saga = state.Saga, Running = moved.Running with { Covers = active.Running.Covers } };
    }

    [Theory, MemberData(nameof(Commands))]
    public void A_command_is_accepted_in_its_states_and_refused_in_all_others_with_the_states_that_allow_it(string move)
    {
        var (decide, allowed) = s_moves[move];
        foreach (var state in s_all)
        {
            var decision = decide(Accepted() with { State = state });
            if (allowed.Contains(state))
            {
                Assert.Null(decision.Rejection);
                Assert.NotEmpty(decision.Events);
                continue;
            }

            Assert.Equal(Reasons.MoveNotAllowed, decision.Rejection!.Reason);
            Assert.Equal(move, decision.Rejection.Metadata["move"]);
            Assert.Equal(state.ToString().ToUpperInvariant(), decision.Rejection.Metadata["state"]);
            Assert.Equal(string.Join(",", allowed.Select(a => a.ToString().ToUpperInvariant())), decision.Rejection.Metadata["allowed_states"]);
        }
    }

    /// <summary>The page that people read says the same, and misses no move that the code knows.</summary>
    [Fact]
    public void The_table_of_states_and_moves_is_what_the_code_does()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "AgencyPlatform.sln")))
        {
            root = root.Parent!;
        }

        var rows = File.ReadLines(Path.Combine(root.FullName, "docs", "engagement-life.md")).SkipWhile(l => !l.StartsWith("| move |", StringComparison.Ordinal))
            .TakeWhile(l => l.StartsWith('|')).Select(l => l.Split('|')[1..^1].Select(cell => cell.Trim()).ToArray()).ToList();
        var states = rows[0][1..^1].Select(name => Enum.Parse<EngagementState>(name, ignoreCase: true)).ToArray();
        Assert.Equal(s_all.Order(), states.Order());
        var table = rows.Skip(2).ToDictionary(r => r[0], r => states.Where((_, i) => r[i + 1] == "✓").Order().ToArray());
        Assert.Equal(s_moves.Keys, table.Keys.Order(StringComparer.Ordinal));
        Assert.All(s_moves, move => Assert.Equal(move.Value.Allowed.Order(), table[move.Key]));

        var known = Directory.GetFiles(Path.Combine(root.FullName, "src", "AgencyPlatform.Domain", "Engagements"), "*.cs")
            .SelectMany(file => MoveName().Matches(File.ReadAllText(file))).Select(m => m.Groups[1].Value).Distinct().Order(StringComparer.Ordinal);
        Assert.Equal(known, table.Keys.Order(StringComparer.Ordinal));
    }

    [GeneratedRegex(@"\bIn\(""([a-z ]+)"",")]
    private static partial Regex MoveName();

    [Theory, MemberData(nameof(Commands))]
    public void No_command_moves_an_engagement_that_is_not_there_or_whose_activation_is_under_way(string move)
    {
        var (decide, _) = s_moves[move];
        Assert.Equal(Reasons.NotFound, decide(Engagement.Initial).Rejection!.Reason);
        var running = After(Accepted(), s => s.Activate(Request(1), "America/New_York", s_now));
        foreach (var state in s_all)
        {
            Assert.Equal(Reasons.MoveUnderWay, decide(running with { State = state }).Rejection!.Reason);
        }
    }

    [Fact]
    public void The_signature_that_completes_k_accepts_the_engagement()
    {
        var proposed = Proposed(signatures: 2);
        var one = After(proposed, s => s.Sign(new SignEngagement(s_ceo, 1), s_deciders, s_now));
        Assert.Equal(EngagementState.Proposed, one.State);
        Assert.Empty(one.Sign(new SignEngagement(s_ceo, 1), s_deciders, s_now).Events);
        var two = After(one, s => s.Sign(new SignEngagement(s_board, 1), s_deciders, s_now));
        Assert.Equal(EngagementState.Accepted, two.State);
        Assert.Equal(Decision.Nothing.Events, two.Sign(new SignEngagement(s_board, 1), s_deciders, s_now).Events);
    }

    [Fact]
    public void Only_a_decision_maker_signs_and_only_the_revision_that_is_current()
    {
        var proposed = Proposed();
        Assert.Equal(Reasons.NotADecisionMaker, proposed.Sign(new SignEngagement(new PersonId("intern"), 1), s_deciders, s_now).Rejection!.Reason);
        Assert.Equal(Reasons.RevisionChanged, proposed.Sign(new SignEngagement(s_ceo, 2), s_deciders, s_now).Rejection!.Reason);
    }

    [Fact]
    public void A_new_revision_voids_signatures_and_agreements()
    {
        var signed = After(Proposed(signatures: 2), s => s.Sign(new SignEngagement(s_ceo, 1), s_deciders, s_now), s => s.Agree(new AgreeAsCmo(s_bob, 1), s_now));
        var again = After(signed, s => s.Revise(), s => s.Propose(new ProposeEngagement(null), s_deciders, s_now));
        Assert.Equal(2, again.Revision);
        Assert.Empty(again.Signatures);
        Assert.Empty(again.Agreements);
    }

    [Fact]
    public void A_proposal_needs_as_many_decision_makers_as_signatures() => Assert.Equal(
        Reasons.SignOffUnreachable, Draft(signatures: 3).Propose(new ProposeEngagement(null), s_deciders, s_now).Rejection!.Reason);

    [Fact]
    public void A_proposal_expires_by_time_alone_signed_or_not_but_not_while_its_activation_runs()
    {
        var due = s_now + Duration.FromDays(7);
        var proposed = After(Draft(), s => s.Propose(new ProposeEngagement(due), s_deciders, s_now));
        Assert.Equal(due, proposed.NextDue);
        Assert.Empty(proposed.Settle(due - Duration.FromSeconds(1)));
        Assert.Equal(EngagementState.Expired, Fold(proposed, proposed.Settle(due)).State);

        var accepted = After(proposed, s => s.Sign(new SignEngagement(s_ceo, 1), s_deciders, s_now), s => s.Agree(new AgreeAsCmo(s_bob, 1), s_now));
        Assert.Equal(EngagementState.Expired, Fold(accepted, accepted.Settle(due)).State);
        var running = After(accepted, s => s.Activate(Request(1), "America/New_York", s_now));
        Assert.Equal(s_now + Duration.FromSeconds(15), running.NextDue);
        Assert.Empty(running.Settle(due));
    }

    [Fact]
    public void Activation_waits_for_every_agreement_that_is_not_waived()
    {
        var signed = After(Proposed(), s => s.Sign(new SignEngagement(s_ceo, 1), s_deciders, s_now));
        var refusal = signed.Activate(Request(1), "America/New_York", s_now).Rejection!;
        Assert.Equal(Reasons.AgreementMissing, refusal.Reason);
        Assert.Equal("bob", refusal.Metadata["cmos"]);
    }

    [Fact]
    public void An_activation_holds_every_member_before_it_confirms_one()
    {
        var state = After(Accepted(), s => s.Activate(Request(1), "America/New_York", s_now));
        var actions = new List<string>();
        while (state.NextStep() is { } step)
        {
            actions.Add($"{step.Action} {step.Cmo} {step.Booking}");
            state = After(state, s => s.Record(step, null, new BookingSpec(s_client, null, s_slot)));
            Assert.Empty(state.Record(step).Events);
        }

        Assert.Equal(["Place ada launch-ada", "TakeOver bob slot", "Confirm ada launch-ada", "Confirm bob slot"], actions);
        Assert.Equal(EngagementState.Active, state.State);
        Assert.Equal(new SagaOutcome(Request(1), null), state.OutcomeOf(Request(1)));
    }

    [Fact]
    public void A_refused_member_frees_the_others_and_the_engagement_stays_accepted()
    {
        var state = After(Accepted(), s => s.Activate(Request(1), "America/New_York", s_now));
        state = After(state, s => s.Record(s.NextStep()!), s => s.Record(s.NextStep()!, s_full));
        Assert.Equal(SagaAction.Release, state.NextStep()!.Action);
        state = After(state, s => s.Record(s.NextStep()!));
        Assert.Null(state.NextStep());
        Assert.Equal(EngagementState.Accepted, state.State);
        Assert.Empty(state.Bookings);
        Assert.Equal(Reasons.CapacityExceeded, state.OutcomeOf(Request(1))!.Refusal!.Reason);
        Assert.Equal("bob", state.OutcomeOf(Request(1))!.Refusal!.Metadata["cmo"]);
        Assert.Null(state.Activate(Request(2), "America/New_York", s_now).Rejection);
    }

    [Fact]
    public void A_hold_for_another_client_is_given_back_and_the_activation_refused()
    {
        var state = After(Accepted(), s => s.Activate(Request(1), "America/New_York", s_now));
        state = After(state, s => s.Record(s.NextStep()!), s => s.Record(s.NextStep()!, null, new BookingSpec(new ClientCompanyId("other"), null, [])));
        Assert.Equal(SagaAction.Release, state.NextStep()!.Action);
        state = After(state, s => s.Record(s.NextStep()!));
        Assert.Equal((SagaAction.GiveBack, s_bob), (state.NextStep()!.Action, state.NextStep()!.Cmo));
        state = After(state, s => s.Record(s.NextStep()!));
        Assert.Equal(Reasons.HoldOfAnotherClient, state.OutcomeOf(Request(1))!.Refusal!.Reason);
    }

    /// <summary>What the client signed and the CMO agreed to is what gets booked.</summary>
    [Fact]
    public void A_hold_that_was_changed_after_it_was_proposed_is_given_back_and_the_activation_refused()
    {
        var accepted = After(Draft(), s => s.Propose(new ProposeEngagement(null), s_deciders, s_now, [new BookedSteps(s_bob, s_slot)]),
            s => s.Sign(new SignEngagement(s_ceo, 1), s_deciders, s_now), s => s.Agree(new AgreeAsCmo(s_bob, 1), s_now));
        Assert.Equal(EngagementState.Active, Taken(s_slot).State);
        var refused = Taken([new FlexibleStep(new DateRange(s_start, s_start.PlusYears(1)), 1)]);
        Assert.Equal((EngagementState.Accepted, Reasons.HoldChanged), (refused.State, refused.OutcomeOf(Request(1))!.Refusal!.Reason));
        Assert.Empty(refused.Bookings);

        Engagement Taken(ImmutableArray<BookingStep> found)
        {
            var state = After(accepted, s => s.Activate(Request(1), "America/New_York", s_now));
            while (state.NextStep() is { } step)
            {
                state = After(state, s => s.Record(step, null, new BookingSpec(s_client, null, found)));
            }

            return state;
        }
    }

    [Fact]
    public void Ending_shortens_every_booking_and_takes_a_date_within_the_engagement()
    {
        var active = Active();
        Assert.Equal(Reasons.EndOutOfRange, active.EndOn(new EndEngagement(s_start), Request(2), s_now).Rejection!.Reason);
        Assert.Equal(Reasons.EndOutOfRange, active.EndOn(new EndEngagement(s_start.PlusYears(3)), Request(2), s_now).Rejection!.Reason);
        var end = s_start.PlusMonths(2);
        var state = After(active, s => s.EndOn(new EndEngagement(end), Request(2), s_now));
        state = After(state, s => s.Record(s.NextStep()!), s => s.Record(s.NextStep()!));

        // Agreed: it goes on until the day, and nothing is booked behind it.
        Assert.Equal((EngagementState.Active, end), (state.State, state.End));
        Assert.All(state.Bookings.Values, b => Assert.Equal((MemberPhase.Booked, end), (b.Phase, b.Steps!.Value[^1].Dates.End)));
        Assert.True(state.AcceptsTimeOn(end.PlusDays(-1)));
        Assert.False(state.AcceptsTimeOn(end));
        Assert.Equal(Decision.Nothing, state.EndOn(new EndEngagement(end), Request(3), s_now));
        Assert.Equal(Reasons.EndOutOfRange, state.EndOn(new EndEngagement(end.PlusDays(1)), Request(3), s_now).Rejection!.Reason);

        var midnight = DateTimeZoneProviders.Tzdb["America/New_York"].AtStartOfDay(end).ToInstant();
        while (state.NextDue < midnight)
        {
            state = Fold(state, state.Settle(state.NextDue.Value));
        }

        Assert.Equal((EngagementState.Active, midnight), (state.State, state.NextDue));
        state = Fold(state, state.Settle(midnight));
        state = After(state, s => s.Record(s.NextStep()!), s => s.Record(s.NextStep()!));
        Assert.Equal((EngagementState.Ended, end), (state.State, state.End));
        Assert.All(state.Bookings.Values, b => Assert.Equal(MemberPhase.Ended, b.Phase));
        Assert.Equal(Reasons.MoveNotAllowed, state.EndOn(new EndEngagement(s_start.PlusMonths(1)), Request(3), s_now).Rejection!.Reason);
    }

    [Fact]
    public void An_end_that_is_not_to_come_is_at_once()
    {
        var active = Active();
        var state = After(active, s => s.EndOn(new EndEngagement(s_start.PlusDays(9)), Request(2), s_start.PlusDays(20).AtMidnight().InUtc().ToInstant()));
        state = After(state, s => s.Record(s.NextStep()!), s => s.Record(s.NextStep()!));
        Assert.Equal((EngagementState.Ended, s_start.PlusDays(9)), (state.State, state.End));
    }

    /// <summary>They are the agency's own marks: nobody has agreed to them, and no move is in their way.</summary>
    [Fact]
    public void Labels_and_external_ids_change_in_every_state_and_while_a_move_is_under_way()
    {
        var (labels, ids) = (ImmutableSortedDictionary<string, string>.Empty.Add("tier", "gold"), ImmutableSortedDictionary<string, string>.Empty.Add("crm", "42"));
        foreach (var state in s_all.Select(s => Accepted() with { State = s }).Append(After(Accepted(), s => s.Activate(Request(1), "UTC", s_now))))
        {
            var changed = After(state, s => s.Relabel(new RelabelEngagement(labels, null)), s => s.Relabel(new RelabelEngagement(null, ids)));
            Assert.Equal((labels, ids), (changed.Plan.Labels, changed.Plan.ExternalIds));
            Assert.Equal(state, changed with { Plan = state.Plan, DueBefore = state.DueBefore });
            Assert.Equal(Decision.Nothing, changed.Relabel(new RelabelEngagement(labels, ids)));
        }

        Assert.Equal(Reasons.NotFound, Engagement.Initial.Relabel(new RelabelEngagement(labels, null)).Rejection!.Reason);
    }

    [Fact]
    public void A_bad_plan_is_refused_with_every_bad_part()
    {
        var plan = Plan() with
        {
            Lead = new CmoId("nobody"),
            End = s_start,
            SignaturesNeeded = 0,
            BillingStartsOn = s_start.PlusDays(-1),
            Members = [new EngagementMember(s_ada, "", [new FlexibleStep(new DateRange(s_start.PlusDays(-3), null), 0)], null, true)],
        };
        var fields = Draft().Update(new UpdateEngagement(plan)).Rejection!.Fields.Select(f => f.Field);
        Assert.Equal(
            ["billing_start_date", "end_date", "lead", "members[0].steps[0].end_date", "members[0].steps[0].flexible.weekly_minutes", "members[0].steps[0].start_date", "signatures_needed"],
            fields.Select(f => f["engagement.".Length..]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_booking_id_is_the_same_each_time_and_never_too_long()
    {
        var named = Draft() with { Id = new EngagementId(new string('e', 60)) };
        Assert.True(IdSyntax.IsValid(named.BookingOf(s_ada).Value));
        Assert.Equal(named.BookingOf(s_ada), named.BookingOf(s_ada));
        Assert.NotEqual(named.BookingOf(s_ada), named.BookingOf(s_bob));
    }

    /// <summary>Any sequence of the moves up to the activation and of the end, and of saga steps, refused or not (those between are in Generated_moves): replaying the stored events gives the live state.</summary>
    [Fact]
    public void Replay_gives_the_live_state_after_any_sequence() =>
        Gen.Select(Gen.Int[0, s_lifecycle.Count + 3], Gen.Int[0, 3]).Array[1, 60].Sample(choices =>
        {
            var events = new List<IEvent>();
            var live = Take(Engagement.Initial, Engagement.Initial.Create(new CreateEngagement(new EngagementId("launch"), s_client, Plan())));
            for (var i = 0; i < choices.Length; i++)
            {
                var (which, how) = choices[i];
                var decision = which < s_lifecycle.Count
                    ? s_lifecycle.Values.ElementAt(which).Decide(live)
                    : live.NextStep() is { } step ? live.Record(step, how == 0 && step.Action is SagaAction.Place or SagaAction.TakeOver ? s_full : null, new BookingSpec(s_client, null, s_slot)) : Decision.Nothing;
                live = Take(live, decision);
                Assert.Equal(live.Saga is not null, live.NextStep() is not null);
                if (live.State is EngagementState.Active or EngagementState.Ended)
                {
                    Assert.Equal(live.Plan.Members.Length, live.Bookings.Count);
                }
            }

            var replayed = events.Select(Stored).Aggregate(Engagement.Initial, (s, e) => s.Apply(e));
            Assert.Equal(JsonSerializer.Serialize(live, EventJson.Options), JsonSerializer.Serialize(replayed, EventJson.Options));

            Engagement Take(Engagement state, Decision decision)
            {
                events.AddRange(decision.Events);
                return Fold(state, decision.Events);
            }
        });

    [Fact]
    public void Rows_follow_the_state_and_a_member_who_left_is_dropped()
    {
        var one = Plan() with { Members = [Plan().Members[0]] };
        var decision = Draft().Update(new UpdateEngagement(one));
        var rows = Fold(Draft(), decision.Events).Project(decision.Events[0], default).ToArray();
        Assert.Contains(rows, r => r is Drop { Row: EngagementMemberRow { Cmo.Value: "bob" } });
        Assert.Contains(rows, r => r is Put { Row: EngagementRow { State: EngagementState.Draft, Title: "Launch" } });
        Assert.Single(rows, r => r is Put { Row: EngagementMemberRow });
    }

    private static IEvent Stored(IEvent e)
    {
        var name = EventJson.NameOf(e);
        return EventJson.Deserialize(name.Name, name.Version, EventJson.Serialize(e));
    }

    private static Engagement BySignature(Engagement state) => state with { Plan = state.Plan with { Term = new TermRules(6, Renewal.BySignature, 6, 0), End = null }, End = null };

    private static Guid Request(byte n) => new([n, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);

    private static EngagementPlan Plan(int signatures = 1) => new(
        "Launch", ServiceType.FractionalCmo, s_ada,
        [
            new EngagementMember(s_ada, "lead", [new FlexibleStep(new DateRange(s_start, s_start.PlusYears(1)), 600)], null, AgreementWaived: true),
            new EngagementMember(s_bob, "content", [], new BookingId("slot"), AgreementWaived: false),
        ],
        new RetainerTerms(s_start, new LegalEntityId("main"), new Currency("USD"), new BillCycle(1, 1), 1_000_000, 2_400, 25_000, OverageGate.Consent),
        s_start, s_start.PlusYears(1), null, signatures, ImmutableSortedDictionary<string, string>.Empty, ImmutableSortedDictionary<string, string>.Empty);

    private static Engagement Draft(int signatures = 1) =>
        After(Engagement.Initial, s => s.Create(new CreateEngagement(new EngagementId("launch"), s_client, Plan(signatures))));

    private static Engagement Proposed(int signatures = 1) => After(Draft(signatures), s => s.Propose(new ProposeEngagement(null), s_deciders, s_now));

    /// <summary>Accepted, agreements waived, the signatures forgotten so that signing in another state is a new one.</summary>
    private static Engagement Accepted()
    {
        var waived = Plan() with { Members = [.. Plan().Members.Select(m => m with { AgreementWaived = true })] };
        return After(
            Engagement.Initial,
            s => s.Create(new CreateEngagement(new EngagementId("launch"), s_client, waived)),
            s => s.Propose(new ProposeEngagement(null), s_deciders, s_now),
            s => s.Sign(new SignEngagement(s_ceo, 1), s_deciders, s_now)) with
        { Signatures = [] };
    }

    private static Engagement Active()
    {
        var state = After(Accepted(), s => s.Activate(Request(1), "America/New_York", s_now));
        while (state.NextStep() is { } step)
        {
            state = After(state, s => s.Record(step, null, new BookingSpec(s_client, null, s_slot)));
        }

        return state;
    }

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
