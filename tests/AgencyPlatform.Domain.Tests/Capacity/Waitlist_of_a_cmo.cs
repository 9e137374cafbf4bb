using System.Collections.Immutable;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Cmos;
using NodaTime;
using static AgencyPlatform.Domain.Tests.Capacity.Given;

namespace AgencyPlatform.Domain.Tests.Capacity;

/// <summary>The waitlist of a CMO, rule by rule. The CMO works 1,920 minutes a week.</summary>
public class Waitlist_of_a_cmo
{
    private static readonly LocalDate s_monday = Day(3, 2);
    private static readonly LocalDate s_nextMonday = Day(3, 9);
    private static readonly Duration s_day = Duration.FromDays(1);

    [Fact]
    public void What_is_released_goes_once_down_the_list_and_a_smaller_one_passes_a_larger_one_that_does_not_fit()
    {
        var cmo = Cmo(MondayToThursday).Booked("half", Week(960, "acme")).Booked("other", Week(960, "bolt"))
            .Joins("large", Week(1_200, "coil")).Joins("small", Week(600, "dell")).Joins("tiny", Week(360, "echo")).Joins("late", Week(1, "fern"));

        var (after, offers) = cmo.Does(c => c.Release(Id("half"), Now));

        Assert.Equal(["small", "tiny"], offers);
        Assert.Equal(["large", "late"], after.Waits());
        Assert.Equal((BookingState.Held, Now + s_day), (after.Bookings[Id("small")].State, after.Bookings[Id("small")].ExpiresAt));
    }

    [Fact]
    public void A_higher_priority_comes_before_an_earlier_arrival()
    {
        var cmo = Cmo(MondayToThursday).Booked("all", Week(1_920, "acme"))
            .Joins("first", Week(1_920, "bolt")).Joins("second", Week(1_920, "coil"), priority: 10).Joins("third", Week(1_920, "dell"), priority: 10);

        Assert.Equal(["second", "third", "first"], cmo.Waits());
        Assert.Equal([1, 2, 3], cmo.Places().Select(p => p.Place));
        Assert.Equal(["second"], cmo.Does(c => c.Release(Id("all"), Now)).Offers);
    }

    [Fact]
    public void A_request_that_fits_is_offered_at_once()
    {
        var (cmo, offers) = Cmo(MondayToThursday).Does(c => c.JoinWaitlist(new JoinWaitlist(Id("fits"), Week(600, "acme"), 0, s_day), Facts(Fence("acme")), Now));

        Assert.Equal(["fits"], offers);
        Assert.Equal((0, Now + s_day), (cmo.PlaceOf(Id("fits"))!.Place, cmo.PlaceOf(Id("fits"))!.Offer!.ExpiresAt));
    }

    public static TheoryData<string> Freeing => [.. s_freeing.Keys];

    private static readonly Dictionary<string, Func<FractionalCmo, Decision>> s_freeing = new()
    {
        ["a release"] = c => c.Release(Id("all"), Now),
        ["a release by its engagement"] = c => c.ReleaseFor(new EngagementId("e"), Id("owned"), Now),
        ["an end by its engagement"] = c => c.EndFor(new EngagementId("e"), Id("owned"), s_monday, Now),
        ["a smaller booking"] = c => c.Change(new ChangeBooking(Id("all"), On(Day(3, 3), 240).Steps), Facts(Fence("acme")), Now),
        ["a moved booking"] = c => c.Change(new ChangeBooking(Id("all"), On(Day(4, 7), 480).Steps), Facts(Fence("acme")), Now),
        ["more hours in the pattern"] = c => c.SetWorkingPattern(new WorkingPattern(Day(2, 1), new WeekdayMinutes(720, 720, 720, 720, 0, 0, 0)), Now),
        ["cancelled time off"] = c => c.CancelTimeOff(new TimeOffId("off"), Now),
        ["a holiday that is worked"] = c => c.SetHolidays(new SetHolidays(null, [Day(3, 5)]), Now),
        ["a holiday that is no more"] = c => c.NotePolicy(Policy(2), Now),
        ["overbooking"] = c => c.NotePolicy(Policy(2, overbooking: 100, holiday: true), Now),
    };

    [Theory, MemberData(nameof(Freeing))]
    public void Whatever_frees_capacity_offers(string what)
    {
        var cmo = Cmo(MondayToThursday);
        cmo = cmo.Then(cmo.NotePolicy(Policy(1, holiday: true), Now));
        cmo = cmo.Then(cmo.SetHolidays(new SetHolidays(new HolidayRegion(Day(1, 1), "de"), null), Now)).Off("off", s_monday, Day(3, 3));
        // Tuesday and Wednesday are left, and both are full.
        cmo = cmo.Booked("all", On(Day(3, 3), 480));
        cmo = cmo.Then(cmo.PlaceFor(new EngagementId("e"), new Book(Id("owned"), On(Day(3, 4), 480)), Facts(Fence("acme")), Now));
        cmo = cmo.Joins("waits", Week(60, "bolt"));
        Assert.Equal(["waits"], cmo.Waits());

        Assert.Equal(["waits"], cmo.Does(s_freeing[what]).Offers);
    }

    [Fact]
    public void A_raised_client_limit_offers()
    {
        var cmo = Cmo(MondayToThursday, maxClients: 1).Booked("one", Week(60, "acme")).Joins("two", Week(60, "bolt"));

        Assert.Equal(["two"], cmo.Does(c => c.Update(new UpdateCmo(null, null, new CmoLimits(2, 0)), Now)).Offers);
    }

    [Fact]
    public void A_competitor_that_is_no_longer_named_offers_before_the_command_that_brings_the_news_is_decided()
    {
        var cmo = Cmo(MondayToThursday).Booked("one", Week(60, "acme"), Fence("acme", names: ["bolt"])).Joins("waits", Week(1_860, "bolt"), fence: Fence("bolt", namedBy: ["acme"]));

        // News of the one client, then of the other: the second frees, and what brings it finds the capacity given.
        var (halfway, none) = cmo.Does(c => c.NoteFacts(Facts(Fence("acme") with { Version = 2 }), Now));
        var refused = halfway.Hold(new HoldBooking(Id("new"), Week(60, "bolt"), null), Facts(Fence("bolt")), Now);
        var (after, offers) = halfway.Does(c => c.NoteFacts(Facts(Fence("bolt")), Now));

        Assert.Empty(none);
        Assert.Equal(Reasons.CapacityExceeded, refused.Rejection!.Reason);
        Assert.Equal(["waits"], offers);
        Assert.Empty(after.Bookings[Id("one")].Fence.Names);
        Assert.Empty(after.NoteFacts(Facts(Fence("bolt")), Now).Events);
    }

    [Fact]
    public void Older_news_of_a_fence_is_passed_by()
    {
        var cmo = Cmo(MondayToThursday).Booked("one", Week(60, "acme"), Fence("acme", names: ["bolt"]) with { Version = 7 }).Joins("waits", Week(60, "bolt"));

        Assert.Empty(cmo.NoteFacts(Facts(Fence("acme") with { Version = 6 }), Now).Events);
    }

    [Fact]
    public void A_newer_policy_that_comes_with_a_request_serves_those_who_wait_first()
    {
        var cmo = Cmo(MondayToThursday).Booked("all", Week(1_920, "acme")).Joins("waits", Week(1_920, "bolt"));
        var facts = new BookingFacts(Fence("coil"), new AgencyPolicy(2, 100, 0, cmo.Policy.HolidayCalendars));

        var hold = cmo.Hold(new HoldBooking(Id("new"), Week(60, "coil"), null), facts, Now);
        var check = cmo.Check(Week(60, "coil"), facts, Now);

        Assert.Equal(Reasons.CapacityExceeded, hold.Rejection!.Reason);
        Assert.Equal(CapacityRule.Capacity, check.Refusal!.Rule);
        Assert.True(cmo.Awaits(facts));
        Assert.Equal(["waits"], cmo.Does(c => c.NoteFacts(facts, Now)).Offers);
    }

    [Fact]
    public void An_expiry_offers_and_the_offer_counts_from_then_on_however_late_it_is_noticed()
    {
        var cmo = Cmo(MondayToThursday);
        cmo = cmo.Then(cmo.Hold(new HoldBooking(Id("held"), Week(1_920, "acme"), null), Facts(Fence("acme")), Now)).Joins("waits", Week(1_920, "bolt"));
        var late = Now + Duration.FromHours(30);

        var after = cmo.Then(Decision.Accept(cmo.Settle(late)));

        Assert.Equal(late + s_day, after.Bookings[Id("waits")].ExpiresAt);
        Assert.Equal(late + s_day, after.NextDue);
    }

    [Fact]
    public void Two_expiries_offer_in_due_order()
    {
        var cmo = Cmo(MondayToThursday);
        foreach (var (id, minutes) in new[] { ("a", 10), ("b", 20) })
        {
            cmo = cmo.Then(cmo.Hold(new HoldBooking(Id(id), Week(960, id), Duration.FromMinutes(minutes)), Facts(Fence(id)), Now));
        }

        cmo = cmo.Joins("large", Week(1_920, "coil")).Joins("small", Week(960, "dell"));
        var (first, offers) = cmo.Settles(Now + Duration.FromHours(1));

        Assert.Equal(["small"], offers);
        Assert.Equal(["large"], first.Waits());
        Assert.Empty(first.Settles(Now + Duration.FromHours(1)).Offers);
    }

    [Fact]
    public void An_entry_leaves_when_its_offer_is_confirmed_declined_or_unanswered()
    {
        var cmo = Cmo(MondayToThursday).Booked("all", Week(1_920, "acme")).Joins("a", Week(960, "bolt")).Joins("b", Week(960, "coil")).Joins("c", Week(960, "dell"));
        (cmo, _) = cmo.Does(c => c.Release(Id("all"), Now));
        Assert.Equal(["a", "b", "c"], cmo.Waitlist.Entries.Keys.Select(k => k.Value));

        var (confirmed, none) = cmo.Does(c => c.Confirm(Id("a"), Now));
        var (declined, toC) = confirmed.Does(c => c.LeaveWaitlist(Id("b"), Now));
        var (unanswered, nobody) = declined.Settles(Now + s_day);

        Assert.Empty(none);
        Assert.Equal(["c"], toC);
        Assert.Empty(nobody);
        Assert.Empty(unanswered.Waitlist.Entries);
        Assert.Equal(["a"], unanswered.Bookings.Keys.Select(k => k.Value));
        Assert.Equal(Reasons.HoldExpired, unanswered.Confirm(Id("c"), Now + s_day).Rejection!.Reason);
    }

    [Fact]
    public void One_who_waits_leaves_when_asked_to_or_when_the_day_of_the_start_has_come_for_the_CMO()
    {
        var cmo = Cmo(MondayToThursday).Booked("all", Week(1_920, "acme"));
        cmo = cmo.Then(Decision.Accept(new CmoProfileChanged(cmo.Profile with { TimeZone = "America/New_York" }, cmo.Profile.ExternalIds)));
        cmo = cmo.Joins("a", Week(60, "bolt")).Joins("b", Week(60, "coil"));

        (cmo, _) = cmo.Does(c => c.LeaveWaitlist(Id("a"), Now));
        Assert.Equal(["b"], cmo.Waits());
        Assert.Equal(RejectionKind.NotFound, cmo.LeaveWaitlist(Id("a"), Now).Rejection!.Kind);

        // Midnight in New York.
        var start = Instant.FromUtc(2026, 3, 2, 5, 0);
        Assert.Equal(start, cmo.NextDue);
        Assert.Empty(cmo.Settle(start - Duration.Epsilon));
        var left = Assert.IsType<WaitlistLeft>(Assert.Single(cmo.Settle(start)));
        Assert.Equal((Id("b"), WaitlistExit.StartCame), (left.Id, left.Why));
        Assert.Null(cmo.Settles(start).State.NextDue);
    }

    [Fact]
    public void One_whose_start_has_come_by_the_time_of_the_append_is_not_offered()
    {
        var cmo = Cmo(MondayToThursday);
        cmo = cmo.Then(cmo.Hold(new HoldBooking(Id("held"), Week(1_920, "acme"), Duration.FromDays(20)), Facts(Fence("acme")), Now)).Joins("waits", Week(60, "bolt"));
        var late = Instant.FromUtc(2026, 3, 2, 0, 0);

        // The host was down over the expiry and the start: both are noticed then.
        var (expired, offers) = cmo.Settles(late);

        Assert.Empty(offers);
        Assert.Empty(expired.Settles(late).State.Waitlist.Entries);
        Assert.Equal(["waits"], cmo.Settles(late - Duration.Epsilon).Offers);
    }

    [Fact]
    public void An_offer_is_answered_until_it_expires_its_start_come_or_not()
    {
        var cmo = Cmo(MondayToThursday).Booked("all", Week(1_920, "acme")).Joins("waits", Week(60, "bolt"));
        var eve = Instant.FromUtc(2026, 3, 1, 20, 0);
        var decision = cmo.Release(Id("all"), eve);
        cmo = cmo.Then(decision.Then(cmo.Following(decision.Events, eve)));

        Assert.Equal(eve + s_day, cmo.NextDue);
        Assert.Null(cmo.Confirm(Id("waits"), eve + s_day - Duration.Epsilon).Rejection);
    }

    [Fact]
    public void A_saga_that_takes_an_offer_over_and_gives_it_back_leaves_it_an_offer()
    {
        var engagement = new EngagementId("e");
        var cmo = Cmo(MondayToThursday).Joins("offer", Week(60, "acme"));
        var given = cmo.Then(cmo.TakeOver(engagement, Id("offer"), Now));
        Assert.Equal(Reasons.OwnedByEngagement, given.LeaveWaitlist(Id("offer"), Now).Rejection!.Reason);

        var confirmed = given.Then(given.ConfirmFor(engagement, Id("offer"), Now));
        given = given.Then(given.GiveBack(engagement, Id("offer"), Now));

        Assert.True(given.Waitlist.Entries[Id("offer")].Offered);
        Assert.Empty(confirmed.Waitlist.Entries);
    }

    [Fact]
    public void An_id_is_given_once_to_a_booking_or_an_entry()
    {
        var cmo = Cmo(MondayToThursday).Booked("all", Week(1_920, "acme")).Joins("waits", Week(60, "bolt"));

        Assert.Equal(RejectionKind.AlreadyExists, cmo.JoinWaitlist(new JoinWaitlist(Id("waits"), Week(60, "coil"), 0, s_day), Facts(Fence("coil")), Now).Rejection!.Kind);
        Assert.Equal(RejectionKind.AlreadyExists, cmo.JoinWaitlist(new JoinWaitlist(Id("all"), Week(60, "coil"), 0, s_day), Facts(Fence("coil")), Now).Rejection!.Kind);
        Assert.Equal(RejectionKind.AlreadyExists, cmo.Hold(new HoldBooking(Id("waits"), Week(60, "bolt", Day(6, 1)), null), Facts(Fence("bolt")), Now).Rejection!.Kind);
    }

    [Fact]
    public void A_check_says_at_which_place_a_refused_booking_would_wait()
    {
        var cmo = Cmo(MondayToThursday).Booked("all", Week(1_920, "acme")).Joins("a", Week(60, "bolt")).Joins("b", Week(60, "coil"), priority: 5);

        Assert.Equal(3, cmo.Check(Week(60, "dell"), Facts(Fence("dell")), Now).WaitlistPlace);
        Assert.Equal(2, cmo.Check(Week(60, "dell"), Facts(Fence("dell")), Now, priority: 5).WaitlistPlace);
        Assert.Null(cmo.Check(Week(60, "dell", Day(6, 1)), Facts(Fence("dell")), Now).WaitlistPlace);
        Assert.Null(cmo.Check(Week(60, "dell"), Facts(Fence("dell")), Instant.FromUtc(2026, 3, 2, 0, 0)).WaitlistPlace);
    }

    [Theory]
    [InlineData(-1, 1, "priority")]
    [InlineData(101, 1, "priority")]
    [InlineData(0, 0, "offer_expiry")]
    [InlineData(0, 31, "offer_expiry")]
    public void What_is_out_of_range_is_named(int priority, int days, string field) =>
        Assert.Equal(field, Assert.Single(Cmo(MondayToThursday).JoinWaitlist(
            new JoinWaitlist(Id("x"), Week(60, "acme"), priority, Duration.FromDays(days)), Facts(Fence("acme")), Now).Rejection!.Fields).Field);

    [Fact]
    public void Nobody_waits_for_a_start_that_has_come() =>
        Assert.Equal(Reasons.StartHasCome, Cmo(MondayToThursday).JoinWaitlist(
            new JoinWaitlist(Id("x"), Week(60, "acme"), 0, s_day), Facts(Fence("acme")), Instant.FromUtc(2026, 3, 2, 0, 0)).Rejection!.Reason);

    [Fact]
    public void The_list_has_a_thousand_entries_and_not_one_more()
    {
        var cmo = Cmo(MondayToThursday).Booked("all", Week(1_920, "acme"));
        for (var i = 0; i < Waitlist.MostEntries; i++)
        {
            cmo = cmo.Joins($"e{i}", Week(60, "bolt"));
        }

        var decision = cmo.JoinWaitlist(new JoinWaitlist(Id("x"), Week(60, "acme"), 0, s_day), Facts(Fence("acme")), Now);

        Assert.Equal((Reasons.WaitlistFull, "1000"), (decision.Rejection!.Reason, decision.Rejection.Metadata["maximum"]));
        Assert.Null(cmo.Check(Week(60, "acme"), Facts(Fence("acme")), Now).WaitlistPlace);
        Assert.Equal(32, cmo.Does(c => c.Release(Id("all"), Now)).Offers.Length);
    }

    private static BookingId Id(string id) => new(id);

    private static BookingSpec Week(int minutes, string client, LocalDate? monday = null) => Flexible(minutes, monday ?? s_monday, (monday ?? s_monday).PlusWeeks(1), client);

    private static BookingSpec On(LocalDate day, int minutes) =>
        Spec("acme", new DatedStep(Dates(day, day.PlusDays(1)), ImmutableSortedDictionary<LocalDate, int>.Empty.Add(day, minutes)));

    private static AgencyPolicy Policy(long version, int overbooking = 0, bool holiday = false) => new(
        version + 1, overbooking, 0,
        ImmutableSortedDictionary<string, ImmutableSortedSet<LocalDate>>.Empty.Add("de", holiday ? [Day(3, 5)] : []));
}

/// <summary>Decisions with what follows them.</summary>
internal static class WaitlistSteps
{
    /// <summary>Puts on the list, with the offer that may follow.</summary>
    public static FractionalCmo Joins(this FractionalCmo cmo, string id, BookingSpec spec, int priority = 0, ClientFence? fence = null) =>
        cmo.Does(c => c.JoinWaitlist(new JoinWaitlist(new BookingId(id), spec, priority, Duration.FromDays(1)), Facts(fence ?? Fence(spec.Client.Value)), Now)).State;

    /// <summary>The state after a decision and what follows it, and who was offered a hold, in order.</summary>
    public static (FractionalCmo State, string[] Offers) Does(this FractionalCmo cmo, Func<FractionalCmo, Decision> decide)
    {
        var decision = decide(cmo);
        Assert.Null(decision.Rejection);
        return cmo.Folds(decision.Then(cmo.Following(decision.Events, Now)).Events);
    }

    /// <summary>The same after the first thing that is due.</summary>
    public static (FractionalCmo State, string[] Offers) Settles(this FractionalCmo cmo, Instant now) => cmo.Folds(cmo.Settle(now));

    public static string[] Waits(this FractionalCmo cmo) => [.. cmo.Waitlist.Waiting.ToArray().Select(e => e.Id.Value)];

    private static (FractionalCmo State, string[] Offers) Folds(this FractionalCmo cmo, ImmutableArray<IEvent> events) =>
        (events.Aggregate(cmo, (s, e) => s.Apply(e)), [.. events.OfType<WaitlistOffered>().Select(e => e.Id.Value)]);
}
