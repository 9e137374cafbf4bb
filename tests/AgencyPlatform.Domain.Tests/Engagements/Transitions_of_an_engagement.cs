using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Engagements;
using NodaTime;
using Xunit;
using static AgencyPlatform.Domain.Tests.Engagements.RunningEngagement;

namespace AgencyPlatform.Domain.Tests.Engagements;

public sealed class Transitions_of_an_engagement
{
    /// <summary>60 % from June, 25 % from August, nothing from October; 25 % of 2,400 minutes and $10,000.</summary>
    [Fact]
    public void A_taper_resizes_bookings_and_terms_from_each_date_on()
    {
        var state = Active().Moved(Taper((Day(6, 1), 60), (Day(8, 1), 25), (Day(10, 1), 0)));
        Assert.Equal(EngagementState.Transitioning, state.State);
        Assert.Equal(
            [
                "ada 600 [2026-04-01, 2026-06-01)", "ada 360 [2026-06-01, 2026-08-01)", "ada 150 [2026-08-01, 2026-10-01)",
                "bob 300 [2026-04-01, 2026-06-01)", "bob 180 [2026-06-01, 2026-08-01)", "bob 75 [2026-08-01, 2026-10-01)",
            ],
            state.BookedText());
        Assert.Equal(["2026-04-01 1000000 2400", "2026-06-01 600000 1440", "2026-08-01 250000 600", "2026-10-01 0 0"], state.TermsText());
        Assert.Null(state.RefuseTime(Ada, Day(8, 3)));
    }

    [Fact]
    public void A_taper_to_nothing_at_once_cuts_every_booking_and_a_refused_one_changes_nothing()
    {
        var started = Active().After(Taper((Day(6, 1), 0)));
        Assert.All(started.Saga!.Move!.Rebookings, r => Assert.Equal(RebookingForm.Cut, r.Form));
        var refused = Active().Moved(Taper((Day(6, 1), 50)), refusedAt: 1);
        Assert.Equal((EngagementState.Active, 1), (refused.State, refused.Terms.Length));
        Assert.Equal(Active().BookedText(), refused.BookedText());
    }

    [Fact]
    public void A_paused_engagement_tapers_from_what_was_agreed_before_the_pause()
    {
        var paused = Active().Moved(s => s.Pause(new PauseEngagement(Day(6, 1), null, 0, ""), [], Request(2), Now));
        var state = paused.Moved(Taper((Day(8, 1), 50)));
        Assert.Equal(
            ["ada 600 [2026-04-01, 2026-06-01)", "ada 300 [2026-08-01, 2027-04-01)", "bob 300 [2026-04-01, 2026-06-01)", "bob 150 [2026-08-01, 2027-04-01)"], state.BookedText());
        Assert.Equal(["2026-04-01 1000000 2400", "2026-06-01 0 0", "2026-08-01 500000 1200"], state.TermsText());
        Assert.Equal(Reasons.TimeOnPausedDay, state.RefuseTime(Ada, Day(7, 31))!.Reason);
        Assert.Null(state.RefuseTime(Ada, Day(8, 1)));
        Assert.Equal(Reasons.MoveDateOutOfRange, Taper((Day(6, 1), 50))(paused).Reason());
    }

    [Fact]
    public void The_checklist_tells_by_whom_and_when_each_item_was_done()
    {
        var state = Active().Moved(Taper((Day(6, 1), 50)));
        var later = Now + Duration.FromDays(1);
        var done = state.After(s => s.PutHandoverItem(new PutHandoverItem(new("ads"), null, true), "cmo:ada", later), s => s.PutHandoverItem(new PutHandoverItem(new("crm"), "CRM", false), "key:a", later));
        Assert.Equal([("ads", "Ad accounts", "cmo:ada", later), ("crm", "CRM", null, (Instant?)null)], done.Running.Transition!.Checklist.Select(i => (i.Id.Value, i.Title, i.DoneBy, i.DoneAt)));

        // Who did it first stays; marking it again changes nothing; it can be opened again.
        Assert.Empty(done.PutHandoverItem(new PutHandoverItem(new("ads"), null, true), "key:b", later).Events);
        Assert.Null(done.After(s => s.PutHandoverItem(new PutHandoverItem(new("ads"), null, false), "key:b", later)).Running.Transition!.Checklist[0].DoneBy);
        Assert.Equal(Reasons.NotFound, done.PutHandoverItem(new PutHandoverItem(new("none"), null, true), "key:b", later).Reason());
        Assert.Equal(Reasons.MoveNotAllowed, Active().PutHandoverItem(new PutHandoverItem(new("ads"), "Ads", true), "key:b", later).Reason());
    }

    [Fact]
    public void A_bad_taper_is_refused_with_every_bad_part()
    {
        Assert.Equal(
            ["transition.steps[0].percent", "transition.steps[1].effective_date", "transition.steps[1].percent"],
            Taper((Day(6, 1), -1), (Day(6, 1), 101))(Active()).Rejection!.Fields.Select(f => f.Field).Distinct().Order(StringComparer.Ordinal));
        Assert.Equal("transition.steps", Taper()(Active()).Rejection!.Fields.Single().Field);
        Assert.Equal(Reasons.MoveDateOutOfRange, Taper((Day(3, 1), 50))(Active()).Reason());
        Assert.Equal(Reasons.MoveDateOutOfRange, Taper((Day(6, 1), 50), (End, 20))(Active()).Reason());
    }

    [Fact]
    public void Every_move_but_the_handover_and_the_end_is_over_when_an_engagement_tapers()
    {
        var state = Active().Moved(Taper((Day(6, 1), 50)));
        Assert.Equal(Reasons.MoveNotAllowed, state.Pause(new PauseEngagement(Day(7, 1), null, 0, ""), [], Request(9), Now).Reason());
        Assert.Equal(Reasons.MoveNotAllowed, Taper((Day(7, 1), 40))(state).Reason());
        Assert.Equal("accepted", state.EndOn(new EndEngagement(Day(10, 1)), Request(9), Now).Reason());
    }

    private static Func<Engagement, Decision> Taper(params (LocalDate From, int Percent)[] steps) => s => s.StartTransition(
        new StartTransition([.. steps.Select(t => new TaperStep(t.From, t.Percent))], [new HandoverItem(new("ads"), "Ad accounts", null, null)], "Hired a head of marketing."), [], Request(6), Now);
}
