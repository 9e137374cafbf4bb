using System.Collections.Immutable;
using System.Text.Json;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Engagements;
using CsCheck;
using NodaTime;
using NodaTime.Text;
using Xunit;

namespace AgencyPlatform.Domain.Tests.Engagements;

/// <summary>Terms, renewals and notice; what time alone does, however late it is asked.</summary>
public sealed class The_term_of_an_engagement
{
    private static readonly CmoId s_ada = new("ada");
    private static readonly Guid s_request = new(9, 0, 0, [0, 0, 0, 0, 0, 0, 0, 1]);
    private static readonly PersonId s_ceo = new("ceo");
    private static readonly PersonId s_vp = new("vp");
    private static readonly DecisionMakers s_client = new(3, [s_ceo, s_vp]);
    private static readonly TermRules s_automatic = new(6, Renewal.Automatic, 3, 30);

    /// <summary>Six months from 31 January, then three at a time: every end is counted from the start.</summary>
    [Theory]
    [InlineData("2026-01-31", 6, 3, 0, "2026-07-31")]
    [InlineData("2026-01-31", 6, 3, 1, "2026-10-31")]
    [InlineData("2025-08-31", 6, 1, 0, "2026-02-28")]
    [InlineData("2025-08-31", 6, 1, 1, "2026-03-31")]
    [InlineData("2023-08-31", 6, 12, 0, "2024-02-29")]
    [InlineData("2023-08-31", 6, 12, 1, "2025-02-28")]
    [InlineData("2023-08-31", 6, 12, 4, "2028-02-29")]
    public void A_terms_end_never_drifts(string start, int initial, int renewal, int renewals, string end) =>
        Assert.Equal(Date(end), new TermRules(initial, Renewal.Automatic, renewal, 0).EndOf(Date(start), renewals));

    /// <summary>From 1 January 2026: terms end on 1 July, 1 October, 1 January …; notice is due 30 days before.</summary>
    [Theory]
    [InlineData("2026-03-01", "2026-07-01")]
    [InlineData("2026-06-01", "2026-07-01")]
    [InlineData("2026-06-02", "2026-10-01")]
    [InlineData("2026-09-01", "2026-10-01")]
    [InlineData("2026-09-02", "2027-01-01")]
    public void Notice_reaches_the_first_term_end_that_is_far_enough(string today, string end)
    {
        var active = Settled(Active(s_automatic, Date("2026-01-01")), Noon(Date(today)));
        Assert.Equal(Date(end), active.EarliestEnd(Date(today)));
        Assert.Null(active.EndOn(new EndEngagement(Date(end)), s_request, Noon(Date(today))).Rejection);
        Assert.Null(active.EndOn(new EndEngagement(Date(end).PlusMonths(3)), s_request, Noon(Date(today))).Rejection);
        foreach (var other in new[] { Date(end).PlusDays(-1), Date(end).PlusDays(1), Date(end).PlusMonths(-3), Date(today).PlusDays(1) })
        {
            var refusal = active.EndOn(new EndEngagement(other), s_request, Noon(Date(today))).Rejection!;
            Assert.Equal((Reasons.NoticeTooShort, end, "30"), (refusal.Reason, refusal.Metadata["earliest_end"], refusal.Metadata["notice_days"]));
        }
    }

    [Fact]
    public void Notice_that_is_waived_says_why_and_any_day_of_the_engagement_will_do()
    {
        var active = Active(s_automatic, Date("2026-01-01"));
        var started = (EndStarted)active.EndOn(new EndEngagement(Date("2026-02-10"), "Bankrupt."), s_request, Noon(Date("2026-02-01"))).Events.Single();
        Assert.Equal("Bankrupt.", started.NoticeWaived);
        Assert.Equal(Reasons.EndOutOfRange, active.EndOn(new EndEngagement(Date("2026-01-01"), "Bankrupt."), s_request, Noon(Date("2026-02-01"))).Rejection!.Reason);
    }

    [Fact]
    public void The_last_day_of_notice_is_of_the_term_that_runs_and_moves_with_its_renewal()
    {
        var active = Active(s_automatic, Date("2026-01-01"));
        Assert.Equal((Date("2026-07-01"), Date("2026-06-01")), (active.TermEnd(), active.LastNoticeOn()));
        var renewed = Settled(active, Noon(Date("2026-07-01")));
        Assert.Equal((1, Date("2026-07-01"), Date("2026-10-01"), Date("2026-09-01")), (renewed.Term.Renewals, renewed.TermStart(), renewed.TermEnd(), renewed.LastNoticeOn()));
    }

    /// <summary>A term begins with the day of the legal entity that sells.</summary>
    [Theory]
    [InlineData("Pacific/Kiritimati", "2026-06-30T10:00:00Z")]
    [InlineData("Pacific/Pago_Pago", "2026-07-01T11:00:00Z")]
    [InlineData("America/New_York", "2026-07-01T04:00:00Z")]
    public void A_term_is_renewed_as_its_day_begins_at_the_sellers(string zone, string at)
    {
        var active = Active(s_automatic, Date("2026-01-01"), zone);
        var due = InstantPattern.General.Parse(at).Value;
        Assert.Equal(0, Settled(active, due - Duration.FromSeconds(1)).Term.Renewals);
        Assert.Equal(1, Settled(active, due).Term.Renewals);
    }

    [Fact]
    public void Without_a_renewal_the_engagement_ends_with_its_term_and_shortens_every_booking()
    {
        var active = Active(new TermRules(3, Renewal.None, 0, 0), Date("2026-01-01"));
        var before = Settled(active, Noon(Date("2026-03-31")));
        Assert.Equal(EngagementState.Active, before.State);
        var over = Settled(before, Noon(Date("2027-01-01")));
        Assert.Equal((EngagementState.Ended, Date("2026-04-01"), MemberPhase.Ended), (over.State, over.End, over.Bookings[s_ada].Phase));
        Assert.Null(over.Saga);
        Assert.Equal(Reasons.NoticeTooShort, active.EndOn(new EndEngagement(Date("2026-02-01")), s_request, Noon(Date("2026-01-15"))).Rejection!.Reason);
        Assert.Null(active.EndOn(new EndEngagement(Date("2026-04-01")), s_request, Noon(Date("2026-03-31"))).Rejection);
    }

    [Fact]
    public void By_signature_the_next_term_is_agreed_ahead_and_unsigned_the_engagement_ends()
    {
        var rules = new TermRules(6, Renewal.BySignature, 6, 0);
        var at = Noon(Date("2026-05-01"));
        var active = Active(rules, Date("2026-01-01"), signatures: 2);
        Assert.Equal(EngagementState.Ended, Settled(active, Noon(Date("2026-07-01"))).State);

        Assert.Equal(Reasons.NotADecisionMaker, active.SignRenewal(new SignRenewal(new PersonId("intern"), 1, null), s_client, at).Rejection!.Reason);
        Assert.Equal(Reasons.RenewalNotOpen, active.SignRenewal(new SignRenewal(s_ceo, 2, null), s_client, at).Rejection!.Reason);
        var one = After(active, s => s.SignRenewal(new SignRenewal(s_ceo, 0, null), s_client, at));
        Assert.Empty(one.SignRenewal(new SignRenewal(s_ceo, 1, null), s_client, at).Events);
        Assert.Equal(EngagementState.Ended, Settled(one, Noon(Date("2026-07-01"))).State);
        var two = After(one, s => s.SignRenewal(new SignRenewal(s_vp, 1, null), s_client, at));
        Assert.Equal((1, Date("2027-01-01")), (two.Term.Renewals, two.TermEnd()));
        Assert.Equal(Reasons.RenewalNotOpen, two.SignRenewal(new SignRenewal(s_vp, 0, null), s_client, at).Rejection!.Reason);

        var next = Settled(two, Noon(Date("2026-07-01")));
        Assert.Equal(EngagementState.Active, next.State);
        Assert.NotEmpty(next.SignRenewal(new SignRenewal(s_vp, 2, null), s_client, Noon(Date("2026-07-01"))).Events);
        Assert.Equal((EngagementState.Ended, Date("2027-01-01")), (Settled(next, Noon(Date("2027-01-01"))).State, Settled(next, Noon(Date("2027-01-01"))).End));
        Assert.Equal(Reasons.RenewalNotOpen, Active(s_automatic, Date("2026-01-01")).SignRenewal(new SignRenewal(s_ceo, 0, null), s_client, at).Rejection!.Reason);
    }

    [Fact]
    public void A_taper_ends_when_it_is_to_whatever_the_term()
    {
        var tapering = Active(new TermRules(6, Renewal.BySignature, 6, 0), Date("2026-01-01")) with { State = EngagementState.Transitioning };
        Assert.Null(Settled(tapering, Noon(Date("2026-08-01"))).End);
        Assert.Null(tapering.EndOn(new EndEngagement(Date("2026-09-01")), s_request, Noon(Date("2026-06-01"))).Rejection);
    }

    [Theory]
    [InlineData(EngagementState.Paused, 1)]
    [InlineData(EngagementState.Transitioning, 0)]
    public void A_term_goes_on_while_paused_and_not_while_tapering_off(EngagementState state, int renewals) =>
        Assert.Equal(renewals, Settled(Active(s_automatic, Date("2026-01-01")) with { State = state }, Noon(Date("2026-07-02"))).Term.Renewals);

    [Theory]
    [InlineData("2026-01-15", 0)]
    [InlineData("2026-02-27", 0)]
    [InlineData("2026-02-28", 1)]
    [InlineData("2029-05-31", 40)]
    [InlineData("2030-05-31", 52)]
    public void Tenure_is_counted_in_whole_months_served(string today, int months) =>
        Assert.Equal(months, Active(s_automatic, Date("2026-01-31")).TenureMonths(Date(today)));

    [Fact]
    public void Tenure_ends_with_the_engagement_and_a_draft_has_none()
    {
        Assert.Equal(2, (Active(s_automatic, Date("2026-01-01")) with { End = Date("2026-03-20") }).TenureMonths(Date("2030-01-01")));
        Assert.Null((Active(s_automatic, Date("2026-01-01")) with { State = EngagementState.Accepted }).TenureMonths(Date("2030-01-01")));
    }

    [Fact]
    public void Bad_terms_are_refused_with_every_bad_part()
    {
        Assert.Equal(["engagement.term.initial_months", "engagement.term.notice_days", "engagement.term.renewal_months"], Fields(new TermRules(0, Renewal.Automatic, 0, 999), null));
        Assert.Equal(["engagement.end_date", "engagement.term.notice_days", "engagement.term.renewal_months"], Fields(new TermRules(6, Renewal.Automatic, 0, 367), new LocalDate(2026, 7, 1)));
        Assert.Equal(["engagement.end_date", "engagement.term.notice_days", "engagement.term.renewal_months"], Fields(new TermRules(6, Renewal.None, 3, 30), new LocalDate(2026, 7, 2)));
        Assert.Empty(Fields(new TermRules(6, Renewal.None, 0, 0), new LocalDate(2026, 7, 1)));

        static IEnumerable<string> Fields(TermRules term, LocalDate? end) => term.Violations("engagement", new LocalDate(2026, 1, 1), end).Select(v => v.Field).Order(StringComparer.Ordinal);
    }

    /// <summary>Whether settled day by day, now and then, or once a year later: the same events, each at its own time, and the same state.</summary>
    [Fact]
    public void However_late_time_is_asked_it_has_done_the_same() =>
        Gen.Select(
            Gen.Int[1, 8], Gen.OneOf(Gen.Const(Renewal.None), Gen.Const(Renewal.Automatic), Gen.Const(Renewal.BySignature)), Gen.Int[1, 5], Gen.Int[0, 60], Gen.Int[0, 30],
            Gen.Int[1, 40].Array[1, 30], Gen.OneOf(Gen.Const("UTC"), Gen.Const("Pacific/Kiritimati"), Gen.Const("America/New_York"))).Sample((initial, renewal, months, notice, startDay, strides, zone) =>
        {
            var rules = new TermRules(initial, renewal, renewal == Renewal.None ? 0 : months, renewal == Renewal.Automatic ? notice : 0);
            var start = new LocalDate(2027, 12, 15).PlusDays(startDay);
            var active = Active(rules, start, zone);
            var last = Noon(start.PlusDays(strides.Sum()));
            var (leap, leapt) = (new List<(Instant, IEvent)>(), Settled(active, last));
            Settled(active, last, leap);
            var (steps, stepped, at) = (new List<(Instant, IEvent)>(), active, start);
            foreach (var stride in strides)
            {
                at = at.PlusDays(stride);
                stepped = Settled(stepped, Noon(at), steps);
            }

            Assert.Equal(leap.Select(Text), steps.Select(Text));
            Assert.Equal(JsonSerializer.Serialize(leapt, EventJson.Options), JsonSerializer.Serialize(stepped, EventJson.Options));
            if (renewal == Renewal.Automatic)
            {
                Assert.Equal(leap.Count(e => e.Item2 is TermRenewed), leapt.Term.Renewals);
                Assert.True(leapt.TermStart() <= leapt.DayOf(last) && leapt.DayOf(last) < leapt.TermEnd());
            }
            else
            {
                Assert.Equal(leapt.DayOf(last) >= rules.EndOf(start, 0), leapt.State == EngagementState.Ended);
            }

            static string Text((Instant At, IEvent Event) e) => $"{e.At} {e.Event}";
        });

    /// <summary>The rows of what falls due follow every event: kept as a table, they are what the state says.</summary>
    [Fact]
    public void The_list_of_what_falls_due_follows_every_event()
    {
        var table = new SortedSet<string>(StringComparer.Ordinal);
        var created = Noon(Date("2025-12-01"));
        var state = Engagement.Initial;
        Do(s => s.Create(new CreateEngagement(new EngagementId("launch"), new ClientCompanyId("acme"), Plan(s_automatic, Date("2026-01-01"), 1))));
        Assert.Empty(table);
        Do(s => s.Propose(new ProposeEngagement(Noon(Date("2025-12-20"))), s_client, created));
        Do(s => s.AskToAgree(new RequestAgreement([s_ada], Noon(Date("2025-12-10"))), created));
        Assert.Equal(["2025-12-10 AgreementExpires", "2025-12-20 ProposalExpires"], table);
        Do(s => s.Revise());
        Assert.Empty(table);
        Do(s => s.Propose(new ProposeEngagement(Noon(Date("2025-12-21"))), s_client, created));
        Do(s => s.Sign(new SignEngagement(s_ceo, 2), s_client, created));
        Assert.Equal(["2025-12-21 ProposalExpires"], table);
        Do(s => s.Activate(s_request, "UTC", created));
        Steps();
        Assert.Equal(["2026-06-01 LastNotice", "2026-07-01 Renewal"], table);
        Time(Noon(Date("2026-08-01")));
        Assert.Equal(["2026-09-01 LastNotice", "2026-10-01 Renewal"], table);
        Do(s => s.EndOn(new EndEngagement(Date("2026-10-01")), s_request, Noon(Date("2026-08-01"))));
        Steps();
        Assert.Equal(["2026-10-01 End"], table);

        void Do(Func<Engagement, Decision> command)
        {
            var decision = command(state);
            Assert.Null(decision.Rejection);
            foreach (var @event in decision.Events)
            {
                Fold(@event);
            }
        }

        void Steps()
        {
            while (state.NextStep() is { } step)
            {
                Do(s => s.Record(step));
            }
        }

        void Time(Instant now)
        {
            while (state.Settle(now) is { IsEmpty: false } events)
            {
                foreach (var @event in events)
                {
                    Fold(@event);
                }
            }
        }

        void Fold(IEvent @event)
        {
            state = state.Apply(@event);
            foreach (var change in state.Project(@event, default))
            {
                switch (change)
                {
                    case Put { Row: EngagementDueRow row }:
                        Assert.True(table.Add($"{row.Date:uuuu-MM-dd} {row.Kind}"));
                        break;
                    case Drop { Row: EngagementDueRow row }:
                        Assert.True(table.Remove($"{row.Date:uuuu-MM-dd} {row.Kind}"));
                        break;
                }
            }
        }
    }

    /// <summary>As the grain does: time settles what is due, each at its own instant, and a saga's steps follow at once.</summary>
    private static Engagement Settled(Engagement state, Instant now, List<(Instant, IEvent)>? events = null)
    {
        while (state.NextDue is { } due && due <= now && state.Settle(now) is { IsEmpty: false } settled)
        {
            Take(settled);
            while (state.NextStep() is { } step)
            {
                Take(state.Record(step).Events);
            }

            void Take(ImmutableArray<IEvent> more)
            {
                events?.AddRange(more.Select(e => (due, e)));
                state = more.Aggregate(state, (s, e) => s.Apply(e));
            }
        }

        return state;
    }

    private static Engagement Active(TermRules term, LocalDate start, string zone = "UTC", int signatures = 1)
    {
        var state = After(
            Engagement.Initial,
            s => s.Create(new CreateEngagement(new EngagementId("launch"), new ClientCompanyId("acme"), Plan(term, start, signatures))),
            s => s.Propose(new ProposeEngagement(null), s_client, Noon(start.PlusDays(-9))),
            s => s.Sign(new SignEngagement(s_ceo, 1), s_client, Noon(start.PlusDays(-9))));
        state = signatures == 1 ? state : After(state, s => s.Sign(new SignEngagement(s_vp, 1), s_client, Noon(start.PlusDays(-9))));
        state = After(state, s => s.Activate(new Guid(1, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0]), zone, Noon(start.PlusDays(-9))));
        while (state.NextStep() is { } step)
        {
            state = After(state, s => s.Record(step));
        }

        return state;
    }

    private static EngagementPlan Plan(TermRules term, LocalDate start, int signatures)
    {
        LocalDate? end = term.Renewal == Renewal.None ? term.EndOf(start, 0) : null;
        return new EngagementPlan(
            "Launch", ServiceType.FractionalCmo, s_ada,
            [new EngagementMember(s_ada, "lead", [new FlexibleStep(new DateRange(start, end), 600)], null, AgreementWaived: true)],
            new RetainerTerms(start, new LegalEntityId("main"), new Currency("USD"), new BillCycle(1, 1), 1_000_000, 2_400, 25_000, OverageGate.Consent),
            start, end, null, signatures, ImmutableSortedDictionary<string, string>.Empty, ImmutableSortedDictionary<string, string>.Empty, term);
    }

    private static Engagement After(Engagement state, params ReadOnlySpan<Func<Engagement, Decision>> commands)
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

    private static LocalDate Date(string text) => LocalDatePattern.Iso.Parse(text).Value;

    private static Instant Noon(LocalDate date) => date.At(new LocalTime(12, 0)).InUtc().ToInstant();
}
