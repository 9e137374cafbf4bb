using System.Collections.Immutable;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Engagements;
using AgencyPlatform.Domain.Time;
using NodaTime;
using Xunit;
using static AgencyPlatform.Domain.Tests.Engagements.RunningEngagement;

namespace AgencyPlatform.Domain.Tests.Engagements;

public sealed class Pauses_of_an_engagement
{
    [Fact]
    public void A_pause_frees_capacity_from_its_date_on_and_the_resume_takes_it_again()
    {
        var paused = Active().Moved(s => Pause(s, Day(6, 1)));
        Assert.Equal(EngagementState.Paused, paused.State);
        Assert.Equal(["ada 600 [2026-04-01, 2026-06-01)", "bob 300 [2026-04-01, 2026-06-01)"], paused.BookedText());

        var resumed = paused.Moved(s => Resume(s, Day(8, 1)));
        Assert.Equal(EngagementState.Active, resumed.State);
        Assert.Equal(
            [
                "ada 600 [2026-04-01, 2026-06-01)", "ada 600 [2026-08-01, 2027-04-01)",
                "bob 300 [2026-04-01, 2026-06-01)", "bob 300 [2026-08-01, 2027-04-01)",
            ],
            resumed.BookedText());
        Assert.Equal(new SagaOutcome(Request(3), null), resumed.OutcomeOf(Request(3)));
    }

    /// <summary>What a pause or an end was let begin for must still be so when it is done, however long its CMOs take to answer.</summary>
    [Fact]
    public void Time_that_a_move_under_way_would_refuse_waits_for_its_end()
    {
        var pausing = Active().After(s => Pause(s, Day(6, 1)));
        Assert.Equal(Reasons.MoveUnderWay, pausing.Draw(Worked(Day(6, 1), 60), null).Reason());
        Assert.Null(pausing.Draw(Worked(Day(5, 31), 60), null).Rejection);
        Assert.Equal(Reasons.TimeOnPausedDay, pausing.Carried().Draw(Worked(Day(6, 1), 60), null).Reason());

        var ending = Active().After(s => s.EndOn(new EndEngagement(Day(6, 1)), Request(4), Now));
        Assert.Equal(Reasons.MoveUnderWay, ending.Draw(Worked(Day(6, 1), 60), null).Reason());
        Assert.Null(ending.Draw(Worked(Day(5, 31), 60), null).Rejection);
        Assert.Equal(Reasons.ApprovedTimeStands, Active().After(s => s.Draw(Worked(Day(6, 1), 60), null)).EndOn(new EndEngagement(Day(6, 1)), Request(4), Now).Reason());
    }

    /// <summary>2,400 minutes in June, 800 drawn: with 10 of 30 days left of it, that is all there is.</summary>
    [Fact]
    public void A_pause_that_leaves_no_more_than_is_drawn_says_so()
    {
        var state = Active();
        for (var now = Instant.FromUtc(2026, 6, 8, 12, 0); state.NextDue <= now;)
        {
            state = state.With(state.Settle(now));
        }

        state = state.After(s => s.Draw(Worked(Day(6, 2), 800), null));
        Assert.Equal(0, state.Time.Thresholds.GetValueOrDefault(Day(6, 1)));
        var paused = state.Moved(s => Pause(s, Day(6, 11)));
        Assert.Equal((100, 0), (paused.Time.Thresholds[Day(6, 1)], paused.MeterView(Day(6, 2)).Remaining));
    }

    /// <summary>Nobody is booked any more: there is no step to wait for.</summary>
    [Fact]
    public void What_was_paused_from_the_first_day_on_ends_at_once()
    {
        var ended = Active().Moved(s => Pause(s, Start)).After(s => s.EndOn(new EndEngagement(Day(6, 1)), Request(4), Now));
        Assert.Equal((EngagementState.Paused, Day(6, 1), (EngagementSaga?)null), (ended.State, ended.End, ended.Saga));
        Assert.Equal(Reasons.MoveDateOutOfRange, Resume(ended, Day(6, 1)).Reason());
        Assert.Equal(["ada 600 [2026-05-01, 2026-06-01)", "bob 300 [2026-05-01, 2026-06-01)"], ended.Moved(s => Resume(s, Day(5, 1))).BookedText());
    }

    private static DrawTime Worked(LocalDate date, int minutes) =>
        new(TimeEntryKey.Of(Ada, IsoWeek.Of(date), new TimeEntryId("a")), Ada, date, minutes, true, true, "key:test");

    [Fact]
    public void A_resume_that_a_CMO_refuses_changes_nothing()
    {
        var paused = Active().Moved(s => Pause(s, Day(6, 1)));
        var refused = paused.Moved(s => Resume(s, Day(8, 1)), refusedAt: 1);
        Assert.Equal(EngagementState.Paused, refused.State);
        Assert.Equal(paused.BookedText(), refused.BookedText());
        Assert.Equal((Reasons.CapacityExceeded, "bob"), (refused.OutcomeOf(Request(3))!.Refusal!.Reason, refused.OutcomeOf(Request(3))!.Refusal!.Metadata["cmo"]));
        Assert.Equal(EngagementState.Active, refused.Moved(s => s.Resume(new ResumeEngagement(Day(9, 1)), Request(4), Now)).State);
    }

    [Fact]
    public void A_pause_from_the_first_day_on_leaves_no_booking_and_the_resume_places_it_anew()
    {
        var paused = Active().Moved(s => Pause(s, Start));
        Assert.Empty(paused.Bookings);
        var started = paused.After(s => Resume(s, Day(5, 1)));
        Assert.All(started.Saga!.Move!.Rebookings, r => Assert.Equal(RebookingForm.Place, r.Form));
        Assert.Equal(["ada 600 [2026-05-01, 2027-04-01)", "bob 300 [2026-05-01, 2027-04-01)"], paused.Moved(s => Resume(s, Day(5, 1))).BookedText());
    }

    [Fact]
    public void An_engagement_of_which_nothing_is_booked_ends_at_once()
    {
        var paused = Active().Moved(s => Pause(s, Start));
        var ended = paused.After(s => s.EndOn(new EndEngagement(Day(6, 1)), Request(4), Instant.FromUtc(2026, 6, 2, 12, 0)));
        Assert.Equal((EngagementState.Ended, Day(6, 1), (EngagementSaga?)null), (ended.State, ended.End, ended.Saga));
        Assert.Equal(new SagaOutcome(Request(4), null), ended.OutcomeOf(Request(4)));

        // By time alone too.
        var termed = paused with { Plan = paused.Plan with { Term = new TermRules(12, Renewal.None, 0, 0) } };
        var due = Instant.FromUtc(2027, 4, 1, 4, 0);
        while (termed.State != EngagementState.Ended)
        {
            Assert.NotEmpty(termed.Settle(due));
            termed = termed.With(termed.Settle(due));
        }

        Assert.Null(termed.Saga);
    }

    [Fact]
    public void Kept_capacity_stands_until_its_day_and_is_freed_then_by_time_alone()
    {
        var paused = Active().Moved(s => Pause(s, Day(6, 1), keepUntil: Day(7, 1)));
        Assert.Equal(["ada 600 [2026-04-01, 2027-04-01)", "bob 300 [2026-04-01, 2027-04-01)"], paused.BookedText());
        Assert.Null(paused.After(s => Resume(s, Day(6, 20))).Saga);

        // The meter's periods come in between, each in its turn; the day begins in New York.
        var due = Instant.FromUtc(2026, 7, 1, 4, 0);
        var state = paused;
        while (state.NextDue <= due)
        {
            state = state.With(state.Settle(due));
        }

        Assert.Equal(due, state.Saga!.StartedAt);
        state = state.Carried();
        Assert.Equal(["ada 600 [2026-04-01, 2026-07-01)", "bob 300 [2026-04-01, 2026-07-01)"], state.BookedText());
        Assert.Equal(Day(7, 1), state.Running.OpenPause!.FreedFrom);
        Assert.Equal(
            ["ada 600 [2026-04-01, 2026-07-01)", "ada 600 [2026-08-01, 2027-04-01)", "bob 300 [2026-04-01, 2026-07-01)", "bob 300 [2026-08-01, 2027-04-01)"],
            state.Moved(s => Resume(s, Day(8, 1))).BookedText());
    }

    [Fact]
    public void No_time_is_accepted_from_the_pause_to_its_resume_also_when_it_is_logged_later()
    {
        var resumed = Active().Moved(s => Pause(s, Day(6, 1))).Moved(s => Resume(s, Day(8, 1)));
        Assert.Null(resumed.RefuseTime(Ada, Day(5, 31)));
        Assert.Equal(Reasons.TimeOnPausedDay, resumed.RefuseTime(Ada, Day(6, 1))!.Reason);
        Assert.Equal(("2026-06-01", "2026-08-01"), (resumed.RefuseTime(Ada, Day(7, 31))!.Metadata["pause_start"], resumed.RefuseTime(Ada, Day(7, 31))!.Metadata["pause_end"]));
        Assert.Null(resumed.RefuseTime(Ada, Day(8, 1)));
    }

    [Fact]
    public void The_fee_rests_from_the_pause_to_the_resume_and_what_was_agreed_for_later_comes_back()
    {
        var raised = Active() with { Terms = [.. Active().Terms, ((RetainerTerms)Active().Terms[0]) with { EffectiveFrom = Day(7, 1), Fee = 1_200_000, IncludedMinutes = 3_000 }] };
        var paused = raised.Moved(s => s.Pause(new PauseEngagement(Day(6, 1), null, 25, ""), [], Request(2), Now));
        Assert.Equal(["2026-04-01 1000000 2400", "2026-06-01 250000 0", "2026-07-01 300000 0"], paused.TermsText());
        Assert.Equal(
            ["2026-04-01 1000000 2400", "2026-06-01 250000 0", "2026-07-01 300000 0", "2026-08-01 1200000 3000"], paused.Moved(s => Resume(s, Day(8, 1))).TermsText());
        Assert.Equal(["2026-04-01 1000000 2400", "2026-06-01 250000 0", "2026-06-20 1000000 2400", "2026-07-01 1200000 3000"], paused.Moved(s => Resume(s, Day(6, 20))).TermsText());
    }

    /// <summary>June has 30 days: 2,400 minutes × 10 ÷ 30 until the 11th, nothing until the 21st, and 10 days more.</summary>
    [Fact]
    public void A_pause_prorates_the_periods_included_minutes_but_never_below_what_is_drawn()
    {
        var paused = Active().Moved(s => Pause(s, Day(6, 11)));
        Assert.Equal(800, paused.MeterOn(Day(6, 1)).RemainingOn(Day(6, 1)));
        Assert.Equal(1_600, paused.Moved(s => Resume(s, Day(6, 21))).MeterOn(Day(6, 25)).RemainingOn(Day(6, 25)));

        var drawn = Active().After(s => s.Draw(new DrawTime(TimeEntryKey.Of(Ada, IsoWeek.Of(Day(6, 1)), new TimeEntryId("a")), Ada, Day(6, 1), 1_000, true, true, "key:test"), null));
        var grant = Assert.Single(drawn.Moved(s => Pause(s, Day(6, 11))).MeterOn(Day(6, 1)).Grants);
        Assert.Equal(1_000, grant.Minutes);
    }

    [Fact]
    public void Dates_outside_the_engagement_overlaps_and_approved_time_are_refused()
    {
        Assert.Equal(Reasons.MoveDateOutOfRange, Pause(Active(), Start.PlusDays(-1)).Reason());
        Assert.Equal(Reasons.MoveDateOutOfRange, Pause(Active(), End).Reason());
        Assert.Equal("keep_until_date", Pause(Active(), Day(6, 1), keepUntil: Day(6, 1)).Rejection!.Fields.Single().Field);
        Assert.Equal("keep_until_date", Pause(Active(), Day(6, 1), keepUntil: End.PlusDays(1)).Rejection!.Fields.Single().Field);

        var paused = Active().Moved(s => Pause(s, Day(6, 1)));
        Assert.Equal(Reasons.MoveDateOutOfRange, Resume(paused, Day(6, 1)).Reason());
        Assert.Equal(Reasons.MoveDateOutOfRange, Resume(paused, End).Reason());
        Assert.Equal(Reasons.PauseOverlaps, Pause(paused.Moved(s => Resume(s, Day(8, 1))), Day(7, 31)).Reason());
        Assert.Equal("accepted", Pause(paused.Moved(s => Resume(s, Day(8, 1))), Day(8, 1)).Reason());

        var drawn = Active().After(s => s.Draw(new DrawTime(TimeEntryKey.Of(Ada, IsoWeek.Of(Day(6, 1)), new TimeEntryId("a")), Ada, Day(6, 1), 60, true, true, "key:test"), null));
        Assert.Equal("2026-06-01", Pause(drawn, Day(6, 1)).Rejection!.Metadata["last_approved_date"]);
        Assert.Equal("accepted", Pause(drawn, Day(6, 2)).Reason());
    }

    [Fact]
    public void No_other_move_while_one_is_under_way()
    {
        var running = Active().After(s => Pause(s, Day(6, 1)));
        Assert.Equal(Now + Duration.FromSeconds(15), running.NextDue);
        Assert.Equal(Reasons.MoveUnderWay, Pause(running, Day(6, 1)).Reason());
        Assert.Equal(Reasons.MoveUnderWay, running.EndOn(new EndEngagement(Day(6, 1)), Request(9), Now).Reason());
    }

    private static Decision Pause(Engagement s, LocalDate from, LocalDate? keepUntil = null) => s.Pause(new PauseEngagement(from, keepUntil, 0, "hiring freeze"), [], Request(2), Now);

    private static Decision Resume(Engagement s, LocalDate on) => s.Resume(new ResumeEngagement(on), Request(3), Now);
}
