using System.Collections.Immutable;
using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Absences;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Absences;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Domain.Engagements;
using NodaTime;
using Orleans.Core.Internal;
using static AgencyPlatform.Grains.Tests.Engagements.RunningAgency;

namespace AgencyPlatform.Grains.Tests.Engagements;

/// <summary>Ada is ill, or leaves: at every step the call fails and the absence's activation is thrown away; the caller repeats with the same request id.</summary>
public sealed class Absences_survive_failures(SagaSilo silo) : IClassFixture<SagaSilo>
{
    private static readonly AbsenceId s_flu = new("flu");

    /// <summary>Wednesday to the next Tuesday: 300 of the first week's 600 minutes, Monday to Thursday, and 150 of the second's.</summary>
    private static readonly DateRange s_ill = new(new LocalDate(2027, 2, 3), new LocalDate(2027, 2, 9));

    [Theory]
    [InlineData(nameof(IFractionalCmoGrain.AddTimeOff), false)]
    [InlineData(nameof(IFractionalCmoGrain.AddTimeOff), true)]
    [InlineData(nameof(IFractionalCmoGrain.GetLostTo), false)]
    [InlineData(nameof(IFractionalCmoGrain.Check), true)]
    [InlineData(nameof(IEngagementGrain.RequestCover), false)]
    [InlineData(nameof(IEngagementGrain.RequestCover), true)]
    public async Task Ill_today_is_one_call_that_asks_for_covers_once(string method, bool after)
    {
        var agency = await new RunningAgency(silo, $"ill-{method.ToLowerInvariant()}-{(after ? "after" : "before")}").Activated();
        silo.Faults.Arm(agency.Agency, [method], 0, after);
        var request = Guid.CreateVersion7();
        var reply = await Reported(agency, request, s_ill);
        Assert.True(silo.Faults.Fired(agency.Agency));
        Assert.Null(reply.Rejection);

        var need = Assert.Single(reply.Value!.Needs!.Value);
        Assert.Equal((new EngagementId("launch"), true, (Rejection?)null), (need.Engagement, need.Asked, need.Refusal));
        Assert.Equal([(new LocalDate(2027, 2, 3), 150), (new LocalDate(2027, 2, 4), 150), (new LocalDate(2027, 2, 8), 150)], need.Minutes.Select(m => (m.Key, m.Value)));

        // Bob works for the engagement already.
        Assert.Equal([Cy], need.Candidates.Select(c => c));
        Assert.Equal(new TimeOffId("flu"), Assert.Single((await agency.Cmo(Ada).Get(agency.Read)).Value!.Calendar.TimeOff).Key);
        var cover = Assert.Single((await agency.Engagement.Get(agency.Read)).Value!.Running.Covers.Values);
        Assert.Equal((Ada, Cy, CoverState.Requested, 450), (cover.Away, cover.Covering, cover.State, cover.Minutes.Values.Sum()));

        var again = await Absence(agency).Report(agency.Called(request, "absence"), new ReportAbsence(s_flu, Ada, s_ill, "Flu."));
        Assert.Equal(reply.Meta!.Version, again.Meta!.Version);
        Assert.Equal(Reasons.AlreadyExists, (await Absence(agency).Report(agency.Called(), new ReportAbsence(s_flu, Ada, s_ill, ""))).Rejection!.Reason);
    }

    [Theory]
    [InlineData(nameof(IFractionalCmoGrain.Leave), false)]
    [InlineData(nameof(IFractionalCmoGrain.Leave), true)]
    [InlineData(nameof(IEngagementGrain.ProposeScope), false)]
    [InlineData(nameof(IEngagementGrain.ProposeScope), true)]
    public async Task A_CMO_who_leaves_is_replaced_by_a_proposal_that_is_a_saga_of_its_own(string method, bool after)
    {
        var agency = await new RunningAgency(silo, $"leaves-{method.ToLowerInvariant()}-{(after ? "after" : "before")}").Activated();
        silo.Faults.Arm(agency.Agency, [method], 0, after);
        var from = new LocalDate(2027, 6, 1);
        var reply = await Reported(agency, Guid.CreateVersion7(), new DateRange(from, null));
        Assert.True(silo.Faults.Fired(agency.Agency));
        var need = Assert.Single(reply.Value!.Needs!.Value);
        Assert.True(need.Asked, need.Refusal?.Message);

        var scope = (await agency.Engagement.Get(agency.Read)).Value!.Running.Scope!;
        Assert.Equal((1, ScopeState.Proposed, (CmoId?)Cy), (scope.Number, scope.State, scope.Proposal.Lead));
        Ok(await agency.Engagement.SignScope(agency.Called(), new SignScope(Ceo, 1)));
        Ok(await agency.Engagement.AgreeToScope(agency.Called(), new AgreeToScope(Cy, 1)));
        Ok(await agency.Engagement.ApplyScope(agency.Called(), new ApplyScope(1)));
        Assert.Equal(
            ["ada owned Confirmed 600 [2027-01-04, 2027-06-01)", "bob owned Confirmed 300 [2027-01-04, 2028-01-04)", "cy owned Confirmed 600 [2027-06-01, 2028-01-04)"],
            await agency.Booked());
        var ada = await agency.Cmo(Ada).Get(agency.Read);
        Assert.Equal(from, ada.Value!.Calendar.LeaveDate);
        Assert.Equal(1, await Events(agency, Ada, "cmo.leave-set"));
    }

    [Fact]
    public async Task Who_has_left_is_offered_to_nobody_and_asked_for_nothing()
    {
        var agency = await new RunningAgency(silo, "gone").Activated();
        var from = new LocalDate(2027, 6, 1);
        await agency.Taken(Ada, "full", Weekly(1_320));
        var waits = new BookingSpec(new ClientCompanyId("other"), null, Weekly(60, from));
        Assert.Equal(1, (await agency.Cmo(Ada).JoinWaitlist(agency.Called(), new JoinWaitlist(new BookingId("waits"), waits, 0, Duration.FromDays(1)))).Value!.Place);
        Assert.True(Assert.Single((await Reported(agency, Guid.CreateVersion7(), new DateRange(from, null))).Value!.Needs!.Value).Asked);
        Ok(await agency.Engagement.SignScope(agency.Called(), new SignScope(Ceo, 1)));
        Ok(await agency.Engagement.AgreeToScope(agency.Called(), new AgreeToScope(Cy, 1)));
        Ok(await agency.Engagement.ApplyScope(agency.Called(), new ApplyScope(1)));

        // Her June is free, and nobody's.
        Assert.Empty((await agency.Cmo(Ada).GetWaitlist(agency.Read)).Value!.Places);
        Assert.Equal(1, await Events(agency, Ada, "cmo.waitlist-left"));
        Assert.Equal(Reasons.CmoLeaves, (await agency.Cmo(Ada).Book(agency.Called(), new Book(new BookingId("new"), waits))).Rejection!.Reason);

        var bob = new ReportAbsence(new AbsenceId("bob"), Bob, new DateRange(from.PlusDays(6), from.PlusDays(8)), "");
        var need = Assert.Single((await silo.Grains.Of<IAbsenceGrain>(agency.Agency, "bob").Report(agency.Called(), bob)).Value!.Needs!.Value);
        Assert.Equal((Reasons.NobodyFits, 0), (need.Refusal!.Reason, need.Candidates.Length));
    }

    [Theory]
    [InlineData(nameof(IEngagementGrain.CancelCover), false)]
    [InlineData(nameof(IEngagementGrain.CancelCover), true)]
    [InlineData(nameof(IEngagementGrain.RequestCover), false)]
    [InlineData(nameof(IEngagementGrain.RequestCover), true)]
    public async Task A_cover_of_a_CMO_who_leaves_is_cancelled_from_the_date_and_asked_for_anew(string method, bool after)
    {
        var agency = await new RunningAgency(silo, $"cover-{method.ToLowerInvariant()}-{(after ? "after" : "before")}").Activated();
        await Hired(agency, "dan");
        var (may, june) = (new LocalDate(2027, 5, 27), new LocalDate(2027, 6, 2));
        await Covered(agency, "fair", Bob, Cy, may, june);
        silo.Faults.Arm(agency.Agency, [method], 0, after);

        var need = Assert.Single((await Reported(agency, Guid.CreateVersion7(), new DateRange(new LocalDate(2027, 6, 1), null), Cy)).Value!.Needs!.Value);

        Assert.True(silo.Faults.Fired(agency.Agency));
        Assert.Equal((true, new CoverId("fair"), 0), (need.Asked, need.Cover!.Value, need.Steps.Length));
        Assert.Equal([(june, 60)], need.Minutes.Select(m => (m.Key, m.Value)));
        Assert.Equal(["dan"], need.Candidates.Select(c => c.Value));
        var running = (await agency.Engagement.Get(agency.Read)).Value!.Running;
        Assert.Null(running.Scope);
        Assert.Equal(["fair", "flu-fair"], running.Covers.Keys.Select(c => c.Value));
        Assert.Equal((CoverState.Booked, may), (running.Covers[new CoverId("fair")].State, running.Covers[new CoverId("fair")].Minutes.Keys.Single()));
        var anew = running.Covers[new CoverId("flu-fair")];
        Assert.Equal((CoverState.Requested, Bob, "dan", june), (anew.State, anew.Away, anew.Covering.Value, anew.Minutes.Keys.Single()));
        var booked = Assert.Single((await agency.Cmo(Cy).Get(agency.Read)).Value!.Bookings.Values).Spec.Steps;
        Assert.Equal([may], Assert.IsType<DatedStep>(Assert.Single(booked)).Minutes.Keys);
    }

    [Fact]
    public async Task A_member_who_leaves_and_covers_a_colleague_is_replaced_in_both()
    {
        var agency = await new RunningAgency(silo, "both").Activated();
        var (from, june) = (new LocalDate(2027, 6, 1), new LocalDate(2027, 6, 2));
        await Covered(agency, "fair", Ada, Bob, june);

        var needs = (await Reported(agency, Guid.CreateVersion7(), new DateRange(from, null), Bob)).Value!.Needs!.Value;

        Assert.Equal([(true, (string?)null), (true, "fair")], needs.Select(n => (n.Asked, n.Cover?.Value)));
        var running = (await agency.Engagement.Get(agency.Read)).Value!.Running;
        Assert.Equal(Weekly(300, from).AsEnumerable(), Assert.Single(running.Scope!.Proposal.Members, m => m.Cmo == Cy).Steps);
        Assert.Equal((CoverState.Cancelled, CoverState.Requested), (running.Covers[new CoverId("fair")].State, running.Covers[new CoverId("flu-fair")].State));
    }

    /// <summary>600 a week are 150 a day. The pause takes Monday and Tuesday.</summary>
    [Fact]
    public async Task Dates_on_which_the_engagement_takes_no_time_are_left_out_of_a_cover()
    {
        var agency = await new RunningAgency(silo, "paused-days").Activated();
        var monday = new LocalDate(2027, 2, 8);
        Ok(await agency.Engagement.Pause(agency.Called(), new PauseEngagement(monday, monday.PlusDays(20), 0, "")));
        Ok(await agency.Engagement.Resume(agency.Called(), new ResumeEngagement(monday.PlusDays(2))));

        var need = Assert.Single((await Reported(agency, Guid.CreateVersion7(), new DateRange(monday, monday.PlusDays(4)))).Value!.Needs!.Value);
        var paused = new ReportAbsence(new AbsenceId("paused"), Bob, new DateRange(monday, monday.PlusDays(2)), "");
        var none = Assert.Single((await silo.Grains.Of<IAbsenceGrain>(agency.Agency, "paused").Report(agency.Called(), paused)).Value!.Needs!.Value);

        Assert.Equal((4, true), (need.Minutes.Count, need.Asked));
        var cover = Assert.Single((await agency.Engagement.Get(agency.Read)).Value!.Running.Covers.Values);
        Assert.Equal([(monday.PlusDays(2), 150), (monday.PlusDays(3), 150)], cover.Minutes.Select(m => (m.Key, m.Value)));
        Assert.Equal(Reasons.TimeOnPausedDay, none.Refusal!.Reason);
    }

    [Fact]
    public async Task A_member_of_a_paused_engagement_who_leaves_is_named_though_nothing_is_booked()
    {
        var agency = await new RunningAgency(silo, "leaves-paused").Activated();
        Ok(await agency.Engagement.Pause(agency.Called(), new PauseEngagement(new LocalDate(2027, 3, 1), null, 0, "")));

        var from = new LocalDate(2027, 6, 1);
        var need = Assert.Single((await Reported(agency, Guid.CreateVersion7(), new DateRange(from, null))).Value!.Needs!.Value);

        Assert.Equal((Reasons.MoveNotAllowed, "PAUSED"), (need.Refusal!.Reason, need.Refusal.Metadata["state"]));
        Assert.Equal(Weekly(600, from).AsEnumerable(), need.Steps);
        Ok(await agency.Engagement.Resume(agency.Called(), new ResumeEngagement(new LocalDate(2027, 4, 1))));
    }

    [Fact]
    public async Task Who_is_off_on_one_of_the_dates_is_not_asked()
    {
        var agency = await new RunningAgency(silo, "off-too").Activated();
        Ok(await agency.Cmo(Cy).AddTimeOff(agency.Called(), new TimeOff(new TimeOffId("off"), new LocalDate(2027, 2, 4), new LocalDate(2027, 2, 5), TimeOffKind.WholeDays)));

        Assert.Equal(Reasons.NobodyFits, Assert.Single((await Reported(agency, Guid.CreateVersion7(), s_ill)).Value!.Needs!.Value).Refusal!.Reason);
    }

    [Fact]
    public async Task Who_cannot_be_asked_for_is_said_by_engagement_and_a_CMO_who_is_off_already_is_refused()
    {
        var agency = await new RunningAgency(silo, "nobody").Activated();
        await agency.Taken(Cy, "full", Weekly(1_920));
        var reply = await Reported(agency, Guid.CreateVersion7(), s_ill);
        Assert.Equal(Reasons.NobodyFits, Assert.Single(reply.Value!.Needs!.Value).Refusal!.Reason);

        var overlapping = await silo.Grains.Of<IAbsenceGrain>(agency.Agency, "other").Report(agency.Called(), new ReportAbsence(new AbsenceId("other"), Ada, s_ill, ""));
        Assert.Equal(Reasons.TimeOffOverlaps, overlapping.Rejection!.Reason);
        var unknown = await silo.Grains.Of<IAbsenceGrain>(agency.Agency, "none").Report(agency.Called(), new ReportAbsence(new AbsenceId("none"), new CmoId("dan"), s_ill, ""));
        Assert.Equal(Reasons.NotFound, unknown.Rejection!.Reason);
        var tooLong = await silo.Grains.Of<IAbsenceGrain>(agency.Agency, "long").Report(
            agency.Called(), new ReportAbsence(new AbsenceId("long"), Bob, new DateRange(Start, Start.PlusDays(93)), ""));
        Assert.Equal("absence.end_date", tooLong.Rejection!.Fields.Single().Field);
    }

    [Fact]
    public async Task An_open_change_of_scope_is_not_replaced()
    {
        var agency = await new RunningAgency(silo, "open-change").Activated();
        var from = new LocalDate(2027, 6, 1);
        Ok(await agency.Engagement.ProposeScope(agency.Called(), new ProposeScope(
            new ScopeProposal(from, null, [new ScopeMember(Ada, "", Weekly(500, from), true), new ScopeMember(Bob, "", [], true)], null, "less"), null)));
        var need = Assert.Single((await Reported(agency, Guid.CreateVersion7(), new DateRange(from, null))).Value!.Needs!.Value);
        Assert.Equal((Reasons.ScopeChangeOpen, "1"), (need.Refusal!.Reason, need.Refusal.Metadata["number"]));
        Assert.Equal("less", (await agency.Engagement.Get(agency.Read)).Value!.Running.Scope!.Proposal.Note);
    }

    private static async Task Hired(RunningAgency agency, string id)
    {
        var none = ImmutableSortedDictionary<string, string>.Empty;
        Ok(await agency.Cmo(new CmoId(id)).Create(agency.Called(), new CreateCmo(
            new CmoId(id), new CmoProfile(new PersonId($"p-{id}"), "CMO", "America/New_York", none, none), new PersonDetails(id), new CmoLimits(5, 0),
            new WorkingPattern(new LocalDate(2026, 1, 1), new WeekdayMinutes(480, 480, 480, 480, 0, 0, 0)), null, null)));
    }

    /// <summary>A cover that is booked, of an hour a day.</summary>
    private static async Task Covered(RunningAgency agency, string id, CmoId away, CmoId covering, params LocalDate[] dates)
    {
        var cover = new CoverId(id);
        Ok(await agency.Engagement.RequestCover(agency.Called(), new RequestCover(cover, away, covering, dates.ToImmutableSortedDictionary(d => d, _ => 60), true, "")));
        Ok(await agency.Engagement.ConsentToCover(agency.Called(), new ConsentToCover(cover, Ceo)));
        Ok(await agency.Engagement.BookCover(agency.Called(), new BookCover(cover)));
    }

    private async Task<int> Events(RunningAgency agency, CmoId cmo, string name) =>
        await silo.Journal.ReadStream(new AggregateKey(agency.Agency, FractionalCmo.Kind, cmo.Value)).CountAsync(e => e.Event.Name == name);

    private IAbsenceGrain Absence(RunningAgency agency) => silo.Grains.Of<IAbsenceGrain>(agency.Agency, s_flu.Value);

    /// <summary>Calls until answered; after a failure the absence's activation is thrown away.</summary>
    private async Task<Reply<Absence>> Reported(RunningAgency agency, Guid request, DateRange dates, CmoId? cmo = null)
    {
        var absence = Absence(agency);
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await absence.Report(agency.Called(request, "absence"), new ReportAbsence(s_flu, cmo ?? Ada, dates, "Flu."));
            }
            catch (UnavailableException) when (attempt < 3)
            {
                await absence.AsReference<IGrainManagementExtension>().DeactivateOnIdle();
            }
        }
    }
}
