using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Absences;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Absences;
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
    [InlineData(nameof(IEngagementGrain.ProposeScope), false)]
    [InlineData(nameof(IEngagementGrain.ProposeScope), true)]
    public async Task A_CMO_who_leaves_is_replaced_by_a_proposal_that_is_a_saga_of_its_own(string method, bool after)
    {
        var agency = await new RunningAgency(silo, $"leaves-{(after ? "after" : "before")}").Activated();
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

    private IAbsenceGrain Absence(RunningAgency agency) => silo.Grains.Of<IAbsenceGrain>(agency.Agency, s_flu.Value);

    /// <summary>Calls until answered; after a failure the absence's activation is thrown away.</summary>
    private async Task<Reply<Absence>> Reported(RunningAgency agency, Guid request, DateRange dates)
    {
        var absence = Absence(agency);
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await absence.Report(agency.Called(request, "absence"), new ReportAbsence(s_flu, Ada, dates, "Flu."));
            }
            catch (UnavailableException) when (attempt < 3)
            {
                await absence.AsReference<IGrainManagementExtension>().DeactivateOnIdle();
            }
        }
    }
}
