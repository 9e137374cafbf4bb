using System.Collections.Immutable;
using System.Text.Json;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Engagements;
using AgencyPlatform.Domain.Time;
using CsCheck;
using NodaTime;
using Xunit;

namespace AgencyPlatform.Domain.Tests.Time;

/// <summary>What time alone does to a meter: periods open and close, carry and expire, each once.</summary>
public sealed class Rollover_of_a_retainer
{
    private static readonly CmoId s_ada = new("ada");

    private static Engagement Active(
        Rollover? rollover, LocalDate start, LocalDate? end = null, int included = 2_400, int billDay = 1, string zone = "America/New_York", OverageGate gate = OverageGate.Consent, int months = 1)
    {
        var terms = new RetainerTerms(start, new LegalEntityId("main"), new Currency("USD"), new BillCycle(billDay, months), 800_000, included, 25_000, gate, Rollover: rollover);
        var plan = new EngagementPlan(
            "Growth", ServiceType.FractionalCmo, s_ada, [new EngagementMember(s_ada, "lead", [], null, true)], terms, start, end, null, 1,
            ImmutableSortedDictionary<string, string>.Empty, ImmutableSortedDictionary<string, string>.Empty);
        var request = new Guid("00000000-0000-0000-0000-000000000001");
        IEvent[] events =
        [
            new EngagementCreated(new EngagementId("e"), new ClientCompanyId("acme"), plan),
            new ActivationStarted(request, Instant.FromUtc(2020, 1, 1, 0, 0), zone),
            new EngagementActivated(request, start),
        ];
        return events.Aggregate(Engagement.Initial, (state, e) => state.Apply(e));
    }

    /// <summary>The state when the date begins in the zone, and what happened on the way.</summary>
    private static (Engagement State, List<(Instant At, IEvent Event)> Events) Until(Engagement state, LocalDate date, string zone = "America/New_York")
    {
        var (now, events) = (DateTimeZoneProviders.Tzdb[zone].AtStartOfDay(date).ToInstant(), new List<(Instant, IEvent)>());
        while (state.NextDue is { } due && due <= now)
        {
            var settled = state.Settle(now);
            Assert.NotEmpty(settled);
            foreach (var e in settled)
            {
                var name = EventJson.NameOf(e);
                state = state.Apply(EventJson.Deserialize(name.Name, name.Version, EventJson.Serialize(e)));
                events.Add((due, e));
            }
        }

        return (state, events);
    }

    private static Engagement Fold(Engagement state, Decision decision)
    {
        Assert.Null(decision.Rejection);
        return decision.Events.Aggregate(state, (s, e) => s.Apply(e));
    }

    private static DrawTime Entry(string id, int minutes, LocalDate date) => new(new TimeEntryKey("ada/2026-W16/" + id), s_ada, date, minutes, true, true, "key:ops");

    private static Engagement Worked(Engagement state, string id, int minutes, LocalDate date) => Fold(state, state.Draw(Entry(id, minutes, date), null));

    private static int Carried(Engagement state, LocalDate date) => state.MeterView(date).Grants.Where(g => g.Grant.Origin == GrantOrigin.Carried).Sum(g => g.Remaining);

    [Fact]
    public void Included_2400_cap_600_for_3_periods_carries_600_then_1200_then_1800_and_1800_from_there_on()
    {
        var state = Active(new Rollover(600, 3), new LocalDate(2026, 1, 1));
        var seen = new List<int>();
        for (var month = 2; month <= 8; month++)
        {
            var first = new LocalDate(2026, month, 1);
            state = Until(state, first).State;
            seen.Add(Carried(state, first));
        }

        Assert.Equal([600, 1_200, 1_800, 1_800, 1_800, 1_800, 1_800], seen);
    }

    [Fact]
    public void A_carry_of_300_is_used_first_and_2400_remain_of_the_included()
    {
        var state = Until(Active(new Rollover(300, 3), new LocalDate(2026, 1, 1)), new LocalDate(2026, 2, 1)).State;
        var february = Worked(state, "a", 300, new LocalDate(2026, 2, 10)).MeterView(new LocalDate(2026, 2, 10));
        Assert.Equal([("carried-2026-02-01", 0), ("included-2026-02-01", 2_400)], february.Grants.Select(g => (g.Grant.Id.Value, g.Remaining)));
    }

    [Fact]
    public void Some_burn_the_months_own_hours_first()
    {
        var state = Until(Active(new Rollover(300, 3, Priority: 25), new LocalDate(2026, 1, 1)), new LocalDate(2026, 2, 1)).State;
        var february = Worked(state, "a", 300, new LocalDate(2026, 2, 10)).MeterView(new LocalDate(2026, 2, 10));
        Assert.Equal([("included-2026-02-01", 2_100), ("carried-2026-02-01", 300)], february.Grants.Select(g => (g.Grant.Id.Value, g.Remaining)));
    }

    /// <summary>February has 400 left, cap 100. On 3 March 250 minutes dated 26 February are approved: the 300 that did not carry cover them.</summary>
    [Theory]
    [InlineData(250, 2_500, 0)]
    [InlineData(300, 2_500, 0)]
    [InlineData(350, 2_450, 0)] // then the carry that came from it
    [InlineData(400, 2_400, 0)]
    [InlineData(430, 2_400, 30)] // then the gate; March's own minutes are March's
    public void A_late_approval_takes_what_did_not_carry_then_the_carry_from_its_period(int minutes, int march, int parked)
    {
        var state = Active(new Rollover(100, 3), new LocalDate(2026, 2, 1));
        state = Worked(state, "worked", 2_000, new LocalDate(2026, 2, 10));
        state = Until(state, new LocalDate(2026, 3, 3)).State;

        state = Worked(state, "late", minutes, new LocalDate(2026, 2, 26));

        Assert.Equal(march, state.MeterView(new LocalDate(2026, 3, 3)).Remaining);
        Assert.Equal(parked, state.MeterView(new LocalDate(2026, 2, 26)).Parked);
    }

    [Fact]
    public void Of_an_entry_before_the_close_and_one_after_it_both_draw_on_the_period_they_are_dated_in()
    {
        var before = Worked(Active(new Rollover(100, 3), new LocalDate(2026, 2, 1)), "a", 2_350, new LocalDate(2026, 2, 28));
        var state = Until(before, new LocalDate(2026, 3, 1)).State;
        Assert.Equal(50, Carried(state, new LocalDate(2026, 3, 1)));
        Assert.Equal(2_450, state.MeterView(new LocalDate(2026, 3, 1)).Remaining);
        Assert.Equal(50, state.MeterView(new LocalDate(2026, 2, 28)).Remaining);
    }

    [Fact]
    public void Nothing_is_carried_from_a_prorated_period_unless_the_terms_say_so()
    {
        var start = new LocalDate(2026, 3, 10);
        Assert.Equal(0, Carried(Until(Active(new Rollover(600, 3), start), new LocalDate(2026, 4, 1)).State, new LocalDate(2026, 4, 1)));
        Assert.Equal(600, Carried(Until(Active(new Rollover(600, 3, FromProrated: true), start), new LocalDate(2026, 4, 1)).State, new LocalDate(2026, 4, 1)));
    }

    [Fact]
    public void What_was_carried_does_not_roll_again_unless_the_terms_say_so()
    {
        var start = new LocalDate(2026, 1, 1);
        var march = new LocalDate(2026, 3, 1);
        Assert.Equal(500, Carried(Until(Active(new Rollover(500, 1), start, included: 500), march).State, march));
        Assert.Equal(900, Carried(Until(Active(new Rollover(900, 1, CarriesAgain: true), start, included: 500), march).State, march));
    }

    [Fact]
    public void Nothing_is_carried_beyond_the_engagement_and_its_last_minutes_expire()
    {
        var (state, events) = Until(Active(new Rollover(600, 3), new LocalDate(2026, 1, 1), new LocalDate(2026, 3, 1)), new LocalDate(2026, 6, 1));
        Assert.Null(state.NextDue);
        Assert.Equal(
            ["PeriodOpened", "MinutesCarried", "GrantExpired", "PeriodOpened", "EndStarted", "EngagementEnded", "GrantExpired", "GrantExpired", "MeterEnded"],
            events.Select(e => e.Event.GetType().Name));
        Assert.Equal([1_800, 2_400, 600], events.Select(e => e.Event).OfType<GrantExpired>().Select(e => e.Left));
    }

    /// <summary>
    /// Bill day 31, from 31 August 2027 through the leap year 2028: cap 500 of 2,400, alive for 3 periods, all together at most 1,200; worked by hand.
    /// Each row: the first day of a period, the minutes worked in it, and what is carried into it.
    /// </summary>
    [Fact]
    public void Over_24_periods_with_bill_day_31_through_a_leap_year_the_carry_is_as_worked_by_hand()
    {
        (string First, int Worked, int CarriedIn)[] table =
        [
// C(n) is the carry of the n-th period, alive in the three after it.
            ("2027-08-31", 2_400, 0),     // 1: all used, nothing carried
            ("2027-09-30", 2_000, 0),     // 2: 400 left, C2 = 400
            ("2027-10-31", 2_400, 400),   // 3: C2 and 2,000 of its own used; 400 left, C3 = 400
            ("2027-11-30", 0, 400),       // 4: C4 = 500
            ("2027-12-31", 0, 900),       // 5: C3 and C4 go on, room for 300: C5 = 300
            ("2028-01-31", 0, 1_200),     // 6: C3 ends; 500 + 300 go on, C6 = 400
            ("2028-02-29", 0, 1_200),     // 7: C4 ends; 300 + 400 go on, C7 = 500
            ("2028-03-31", 300, 1_200),   // 8: C5, the first to end, is used up; 400 + 500 go on, C8 = 300
            ("2028-04-30", 3_000, 1_200), // 9: C6, C7, C8 and 1,800 of its own used; 600 left, C9 = 500
            ("2028-05-31", 0, 500),       // 10: C10 = 500
            ("2028-06-30", 0, 1_000),     // 11: C9 and C10 go on, C11 = 200
            ("2028-07-31", 0, 1_200),     // 12: C9 ends; 500 + 200 go on, C12 = 500
            ("2028-08-31", 0, 1_200),     // 13: C10 ends; 200 + 500 go on, C13 = 500
            ("2028-09-30", 0, 1_200),     // 14: C11 ends; 500 + 500 go on, C14 = 200
            ("2028-10-31", 0, 1_200),     // 15: C12 ends; 500 + 200 go on, C15 = 500
            ("2028-11-30", 3_600, 1_200), // 16: everything used, nothing carried
            ("2028-12-31", 2_399, 0),     // 17: C17 = 1
            ("2029-01-31", 0, 1),         // 18: C18 = 500
            ("2029-02-28", 0, 501),       // 19: C17 and C18 go on, C19 = 500
            ("2029-03-31", 0, 1_001),     // 20: C17 ends; 500 + 500 go on, C20 = 200
            ("2029-04-30", 0, 1_200),     // 21: C18 ends; 500 + 200 go on, C21 = 500
            ("2029-05-31", 700, 1_200),   // 22: C19 and C20 used up; C21 goes on, C22 = 500
            ("2029-06-30", 0, 1_000),     // 23: C21 and C22 go on, C23 = 200
            ("2029-07-31", 0, 1_200),     // 24
        ];
        var state = Active(new Rollover(500, 3, 1_200), new LocalDate(2027, 8, 31), billDay: 31);
        var seen = new List<(string, int, int)>();
        foreach (var (first, worked, _) in table)
        {
            var date = NodaTime.Text.LocalDatePattern.Iso.Parse(first).Value;
            var (next, events) = Until(state, date);
            state = next;
            Assert.Equal(date, Assert.IsType<PeriodOpened>(events[^1].Event).Start);
            seen.Add((first, worked, Carried(state, date)));
            state = worked == 0 ? state : Worked(state, "w" + first, worked, date);
        }

        Assert.Equal(table, seen);
    }

    [Fact]
    public void Each_threshold_and_the_exhaustion_are_told_once()
    {
        var date = new LocalDate(2026, 1, 10);
        var state = Active(null, new LocalDate(2026, 1, 1), included: 1_000, gate: OverageGate.Bill);
        List<string> told = [];
        foreach (var (minutes, i) in new[] { 499, 1, 300, 50, 150, 100, 5 }.Select((m, i) => (m, i)))
        {
            var decision = state.Draw(Entry("e" + i, minutes, date), null);
            told.AddRange(decision.Events.Select(e => e switch { ThresholdReached t => $"{i}: {t.Percent} % ({t.Drawn} of {t.Drawable})", MeterExhausted => $"{i}: exhausted", _ => "" }).Where(t => t.Length > 0));
            state = Fold(state, decision);
        }

        Assert.Equal(["1: 50 % (500 of 1000)", "2: 75 % (800 of 1000)", "4: 90 % (1000 of 1000)", "4: 100 % (1000 of 1000)", "4: exhausted"], told);
    }

    [Theory]
    [InlineData("Pacific/Kiritimati", "2026-01-31T10:00:00Z")] // UTC+14
    [InlineData("Pacific/Niue", "2026-02-01T11:00:00Z")] // UTC−11
    [InlineData("Pacific/Pago_Pago", "2026-02-01T11:00:00Z")] // UTC−11
    [InlineData("America/New_York", "2026-02-01T05:00:00Z")]
    public void A_period_begins_when_its_first_day_does_where_the_seller_is(string zone, string expected)
    {
        var state = Until(Active(null, new LocalDate(2026, 1, 1), zone: zone), new LocalDate(2026, 1, 1), zone).State;
        Assert.Equal(NodaTime.Text.InstantPattern.ExtendedIso.Parse(expected).Value, state.NextDue);
    }

    [Fact]
    public void A_day_that_begins_at_one_o_clock_begins_then()
    {
        // Clocks go forward at midnight in Beirut on 29 March 2026.
        var state = Until(Active(null, new LocalDate(2026, 3, 1), billDay: 29, zone: "Asia/Beirut"), new LocalDate(2026, 3, 1), "Asia/Beirut").State;
        Assert.Equal(Instant.FromUtc(2026, 3, 28, 22, 0), state.NextDue);
    }

    [Theory, InlineData("Pacific/Kiritimati"), InlineData("Pacific/Niue"), InlineData("Pacific/Pago_Pago"), InlineData("Europe/Berlin"), InlineData("Asia/Beirut")]
    public void Day_by_day_or_in_one_leap_each_period_opens_once(string zone)
    {
        var (start, end) = (new LocalDate(2027, 12, 31), new LocalDate(2029, 1, 15));
        var leap = Until(Active(new Rollover(600, 2, 900), start, billDay: 31, zone: zone), end, zone);
        var (daily, events) = (Active(new Rollover(600, 2, 900), start, billDay: 31, zone: zone), new List<(Instant, IEvent)>());
        for (var date = start.PlusDays(-3); date <= end; date = date.PlusDays(1))
        {
            var (state, happened) = Until(daily, date, zone);
            daily = state;
            events.AddRange(happened);
        }

        Assert.Equal(13, events.Count(e => e.Item2 is PeriodOpened));
        Assert.Equal(Json(leap.Events), Json(events));
        Assert.Equal(JsonSerializer.Serialize(leap.State, EventJson.Options), JsonSerializer.Serialize(daily, EventJson.Options));

        static IEnumerable<string> Json(IEnumerable<(Instant At, IEvent Event)> all) => all.Select(e => $"{e.At} {EventJson.NameOf(e.Event).Name} {System.Text.Encoding.UTF8.GetString(EventJson.Serialize(e.Event))}");
    }

    [Fact]
    public void A_consent_makes_parked_minutes_overage_oldest_entry_first_and_no_more_than_it_names()
    {
        var state = Active(null, new LocalDate(2026, 1, 1), included: 100);
        state = Worked(state, "b", 160, new LocalDate(2026, 1, 12)); // 100 drawn, 60 parked
        state = Worked(state, "a", 30, new LocalDate(2026, 1, 20));
        state = Worked(state, "c", 40, new LocalDate(2026, 1, 5)); // approved last, dated first

        var consent = state.Consent(new ConsentToOverage(70, "by mail"));

        Assert.Equal(
            [("ada/2026-W16/c", 40), ("ada/2026-W16/b", 30)],
            consent.Events.OfType<OverageConsented>().Single().Entries.Select(e => (e.Entry.Value, e.Minutes)));
        state = Fold(state, consent);
        Assert.Equal((70, 60), (state.MeterView(new LocalDate(2026, 1, 20)).Overage, state.MeterView(new LocalDate(2026, 1, 20)).Parked));
        Assert.Equal(60, state.LastConsent().Parked);

        // $250 an hour: 70 minutes of one key are 291.67, whatever the entries.
        Assert.Equal(29_167, consent.Events.OfType<TimePosted>().Sum(p => p.Posting.Lines.Single(l => l.Account == LedgerAccount.UnbilledReceivable).Amount.Minor));

        var refused = state.Consent(new ConsentToOverage(61, "")).Rejection!;
        Assert.Equal((Reasons.ConsentExceedsParked, "61", "60"), (refused.Reason, refused.Metadata["minutes"], refused.Metadata["parked_minutes"]));
    }

    /// <summary>Whatever is worked, approved late and left over: no grant is overdrawn, no minute is carried twice, all carries together stay in their bound.</summary>
    [Fact]
    public void No_minute_is_drawn_or_carried_twice() =>
        Gen.Select(
            Gen.Select(Gen.Int[1, 900], Gen.Int[1, 4], Gen.Int[0, 1_500], Gen.Bool, Gen.Bool, Gen.Int[5, 25]),
            Gen.Select(Gen.Int[0, 300], Gen.Int[0, 60], Gen.Int[1, 700]).Array[1, 40]).Sample((rule, work) =>
        {
            var (cap, periods, most, prorated, again, priority) = rule;
            var start = new LocalDate(2026, 1, 14);
            var state = Active(new Rollover(cap, periods, most == 0 ? null : most, prorated, again, priority == 20 ? 21 : priority), start, included: 1_000);
            foreach (var ((day, late, minutes), i) in work.OrderBy(w => w.Item1 + w.Item2).Select((w, i) => (w, i)))
            {
                state = Until(state, start.PlusDays(day + late)).State;
                state = Worked(state, "e" + i, minutes, start.PlusDays(day));
                var view = state.MeterView(start.PlusDays(day + late));
                Assert.All(view.Grants, g => Assert.InRange(g.Drawn, 0, g.Grant.Minutes));
                Assert.True(most == 0 || Carried(state, start.PlusDays(day + late)) <= most);
            }

            // What was given is what the periods included: a carry gives nothing of its own.
            var included = BillPeriods.Of(state.Terms, state.Service).TakeWhile(p => p.Dates.Start <= state.Time.MeterAt!.Value.PlusMonths(2)).Sum(p => p.ProrateMinutes(1_000));
            Assert.InRange(state.Time.Drawn.Values.Sum(), 0, included);
            Assert.All(state.Time.Carried, g => Assert.InRange(state.Time.Drawn.GetValueOrDefault(g.Id) + state.Time.CarriedOut.GetValueOrDefault(g.Id), 0, g.Minutes));
        });
}
