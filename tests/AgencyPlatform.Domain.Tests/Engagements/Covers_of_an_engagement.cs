using System.Collections.Immutable;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Domain.Engagements;
using AgencyPlatform.Domain.Time;
using NodaTime;
using Xunit;
using static AgencyPlatform.Domain.Tests.Engagements.RunningEngagement;

namespace AgencyPlatform.Domain.Tests.Engagements;

public sealed class Covers_of_an_engagement
{
    private static readonly CmoId s_cy = new("cy");
    private static readonly CoverId s_sick = new("sick");
    private static readonly (LocalDate First, LocalDate Last) s_days = (Day(6, 2), Day(6, 4));

    [Fact]
    public void A_cover_is_booked_on_its_dates_once_the_client_consents_and_the_covering_CMO_agrees()
    {
        var requested = Active().After(Requested());
        Assert.Equal(Reasons.ConsentMissing, Book(requested).Reason());
        var consented = requested.After(s => s.ConsentToCover(new ConsentToCover(s_sick, Ceo), Deciders, Now));
        Assert.Equal(Reasons.AgreementMissing, Book(consented).Reason());
        var agreed = consented.After(s => s.AgreeToCover(new AgreeToCover(s_sick, s_cy), Now));
        var started = agreed.After(Book);
        var step = Assert.IsType<DatedStep>(Assert.Single(Assert.Single(started.Saga!.Move!.Rebookings).Steps));
        Assert.Equal((new DateRange(Day(6, 2), Day(6, 5)), 360), (step.Dates, step.Minutes.Values.Sum()));

        var booked = agreed.Moved(Book);
        Assert.Equal((CoverState.Booked, new BookingId("launch-cover-sick")), (booked.Running.Covers[s_sick].State, booked.Running.Covers[s_sick].Booking!.Value));
        Assert.Equal(EngagementState.Active, booked.State);

        var refused = agreed.Moved(Book, refusedAt: 0);
        Assert.Equal((CoverState.Requested, Reasons.CapacityExceeded), (refused.Running.Covers[s_sick].State, refused.OutcomeOf(Request(7))!.Refusal!.Reason));
    }

    [Fact]
    public void The_covering_CMOs_hours_are_accepted_on_the_covered_dates_only_and_draw_the_same_meter()
    {
        var booked = Booked();
        Assert.Null(booked.RefuseTime(s_cy, s_days.First));
        Assert.Equal(Reasons.NotAMemberOnDate, booked.RefuseTime(s_cy, Day(6, 3))!.Reason);
        var drawn = booked.After(s => s.Draw(
            new DrawTime(TimeEntryKey.Of(s_cy, IsoWeek.Of(s_days.First), new TimeEntryId("a")), s_cy, s_days.First, 120, true, true, "key:test"),
            new CostRate(Day(1, 1), 12_000, new Currency("USD"))));
        Assert.Equal(2_280, drawn.MeterOn(s_days.First).RemainingOn(s_days.First));
        Assert.Equal(Reasons.NotAMember, Active().After(Requested(), s => s.DeclineCover(new DeclineCover(s_sick, ""))).RefuseTime(s_cy, s_days.First)!.Reason);
    }

    [Fact]
    public void A_cover_is_asked_for_once_and_declined_by_either_side()
    {
        var requested = Active().After(Requested());
        Assert.Empty(Requested()(requested).Events);
        Assert.Null(Requested()(requested).Rejection);
        Assert.Equal(Reasons.AlreadyExists, Requested(60)(requested).Reason());
        var declined = requested.After(s => s.DeclineCover(new DeclineCover(s_sick, "not needed")));
        Assert.Equal((CoverState.Declined, "not needed"), (declined.Running.Covers[s_sick].State, declined.Running.Covers[s_sick].CloseReason));
        Assert.Equal(Reasons.MoveNotAllowed, declined.ConsentToCover(new ConsentToCover(s_sick, Ceo), Deciders, Now).Reason());
        Assert.Equal(Reasons.NotADecisionMaker, requested.ConsentToCover(new ConsentToCover(s_sick, new PersonId("intern")), Deciders, Now).Reason());
        Assert.Equal(Reasons.NotFound, requested.AgreeToCover(new AgreeToCover(s_sick, Bob), Now).Reason());
        Assert.Equal(Reasons.NotFound, requested.DeclineCover(new DeclineCover(new CoverId("other"), "")).Reason());
    }

    [Fact]
    public void Nobody_consents_agrees_or_declines_while_a_move_takes_its_steps()
    {
        var underWay = Active().After(
            Requested(), s => s.ConsentToCover(new ConsentToCover(s_sick, Ceo), Deciders, Now), s => s.AgreeToCover(new AgreeToCover(s_sick, s_cy), Now), Book);
        Assert.Equal(Reasons.MoveUnderWay, underWay.DeclineCover(new DeclineCover(s_sick, "")).Reason());
        Assert.Equal(Reasons.MoveUnderWay, underWay.ConsentToCover(new ConsentToCover(s_sick, Ceo), Deciders, Now).Reason());
        Assert.Equal(Reasons.MoveUnderWay, underWay.AgreeToCover(new AgreeToCover(s_sick, s_cy), Now).Reason());
        Assert.Equal(CoverState.Booked, underWay.Carried().Running.Covers[s_sick].State);
    }

    [Fact]
    public void A_CMO_whose_own_terms_waive_it_is_not_asked()
    {
        var consented = Active().After(Requested(), s => s.ConsentToCover(new ConsentToCover(s_sick, Ceo), Deciders, Now));
        Assert.Equal(CoverState.Booked, consented.Moved(s => s.BookCover(new BookCover(s_sick), [s_cy], Request(7), Now)).Running.Covers[s_sick].State);
    }

    /// <summary>A pause that was announced for later does not keep anybody from being ill before it.</summary>
    [Fact]
    public void A_cover_before_a_pause_is_booked_and_one_within_it_is_refused()
    {
        var announced = Active().Moved(s => s.Pause(new PauseEngagement(Day(6, 3), null, 0, ""), [], Request(2), Now));
        Assert.Null(announced.RequestCover(Command([(Day(6, 2), 240)])).Rejection);
        Assert.Equal(Reasons.TimeOnPausedDay, announced.RequestCover(Command([(Day(6, 2), 240), (Day(6, 3), 60)])).Reason());
    }

    [Fact]
    public void A_cancelled_cover_frees_its_dates_from_one_on()
    {
        var shorter = Booked().Moved(s => s.CancelCover(new CancelCover(s_sick, s_days.Last), Request(8), Now));
        Assert.Equal((CoverState.Booked, s_days.First), (shorter.Running.Covers[s_sick].State, Assert.Single(shorter.Running.Covers[s_sick].Minutes).Key));
        var gone = Booked().Moved(s => s.CancelCover(new CancelCover(s_sick, s_days.First), Request(8), Now));
        Assert.Equal((CoverState.Cancelled, (BookingId?)null), (gone.Running.Covers[s_sick].State, gone.Running.Covers[s_sick].Booking));
        Assert.Equal("start_date", Booked().CancelCover(new CancelCover(s_sick, Day(6, 5)), Request(8), Now).Rejection!.Fields.Single().Field);
    }

    [Fact]
    public void A_pause_and_an_end_cut_covers_too()
    {
        var paused = Booked().Moved(s => s.Pause(new PauseEngagement(Day(6, 3), null, 0, ""), [], Request(2), Now));
        Assert.Equal(s_days.First, Assert.Single(paused.Running.Covers[s_sick].Minutes).Key);

        var ended = Booked().After(s => s.EndOn(new EndEngagement(Day(6, 1)), Request(2), Now));
        while (ended.NextStep() is { } step)
        {
            ended = ended.After(s => s.Record(step));
        }

        Assert.Equal((EngagementState.Active, CoverState.Cancelled), (ended.State, ended.Running.Covers[s_sick].State));
    }

    [Fact]
    public void Dates_on_which_the_member_does_not_work_are_refused()
    {
        Assert.Equal(Reasons.TimeOutsideEngagement, Active().RequestCover(Command([(Start.PlusDays(-1), 60)])).Reason());
        Assert.Equal(Reasons.NotAMember, Active().RequestCover(Command([(Day(6, 2), 60)]) with { Away = new CmoId("dan") }).Reason());
        var paused = Active().Moved(s => s.Pause(new PauseEngagement(Day(6, 1), null, 0, ""), [], Request(2), Now)).Moved(s => s.Resume(new ResumeEngagement(Day(7, 1)), Request(3), Now));
        Assert.Equal(Reasons.TimeOnPausedDay, Requested()(paused).Reason());
        Assert.Equal(
            ["cover.covering_cmo", "cover.dates"],
            Active().RequestCover(Command([(Day(6, 2), 1_441)]) with { Covering = Ada }).Rejection!.Fields.Select(f => f.Field));
        Assert.Equal("cover.dates", Active().RequestCover(Command([])).Rejection!.Fields.Single().Field);
    }

    private static RequestCover Command((LocalDate Date, int Minutes)[] dates) => new(s_sick, Ada, s_cy, dates.ToImmutableSortedDictionary(d => d.Date, d => d.Minutes), false, "flu");

    private static Func<Engagement, Decision> Requested(int minutes = 240) => s => s.RequestCover(Command([(s_days.First, minutes), (s_days.Last, 120)]));

    private static Engagement Booked() => Active().After(
        Requested(), s => s.ConsentToCover(new ConsentToCover(s_sick, Ceo), Deciders, Now), s => s.AgreeToCover(new AgreeToCover(s_sick, s_cy), Now)).Moved(Book);

    private static Decision Book(Engagement s) => s.BookCover(new BookCover(s_sick), [], Request(7), Now);
}
