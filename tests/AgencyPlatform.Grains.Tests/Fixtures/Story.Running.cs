using System.Collections.Immutable;
using AgencyPlatform.Contracts.Absences;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Absences;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Engagements;
using NodaTime;

namespace AgencyPlatform.Grains.Tests.Fixtures;

/// <summary>The moves of a running engagement.</summary>
internal sealed partial class Story
{
    private IEngagementGrain Run => grains.Of<IEngagementGrain>(s_agency, "run");

    private async Task AnEngagementThatChanges()
    {
        Ok(await Run.Create(Next(), new CreateEngagement(new("run"), s_clients.Acme, Hourly("Run", s_cmos.Bob))));
        Ok(await Run.Propose(Next(), new ProposeEngagement(null)));
        Ok(await Run.Sign(Next(), new SignEngagement(s_deciders.Board, 0)));
        Ok(await Run.Sign(Next(), new SignEngagement(s_deciders.Ceo, 0)));
        Ok(await Run.Activate(Next()));

        // Ada joins and Bob does more from March on; the first proposal was a mistake.
        var march = new LocalDate(2026, 3, 2);
        ScopeMember Member(CmoId cmo, int minutes, LocalDate from) => new(cmo, "", [new FlexibleStep(new DateRange(from, s_year.End), minutes)], cmo == s_cmos.Cy);
        var more = new ScopeProposal(march, null, [Member(s_cmos.Bob, 240, march), Member(s_cmos.Ada, 120, march)], null, "More content.");
        Ok(await Run.ProposeScope(Next(), new ProposeScope(more with { Note = "Too early." }, null)));
        Ok(await Run.CloseScope(Next(), new CloseScope(1, false, "Wrong date.")));
        Ok(await Run.ProposeScope(Next(), new ProposeScope(more, _now + Duration.FromDays(7))));
        Ok(await Run.SignScope(Next(), new SignScope(s_deciders.Ceo, 2)));
        Ok(await Run.SignScope(Next(), new SignScope(s_deciders.Board, 2)));
        Ok(await Run.AgreeToScope(Next(), new AgreeToScope(s_cmos.Ada, 2)));
        Ok(await Run.ApplyScope(Next(), new ApplyScope(2)));

        // Cy works for Acme's competitor: Bob's new hours are given up again.
        var april = new LocalDate(2026, 4, 13);
        Ok(await Run.ProposeScope(Next(), new ProposeScope(
            new ScopeProposal(april, null, [Member(s_cmos.Bob, 200, april), new ScopeMember(s_cmos.Ada, "", [], false), Member(s_cmos.Cy, 60, april)], null, ""), null)));
        Ok(await Run.SignScope(Next(), new SignScope(s_deciders.Ceo, 3)));
        Ok(await Run.SignScope(Next(), new SignScope(s_deciders.Board, 3)));
        Assert.NotNull((await Run.ApplyScope(Next(), new ApplyScope(3))).Rejection);

        await Covered("fair", new LocalDate(2026, 2, 10));
        await Covered("launch", new LocalDate(2026, 2, 24));
        Ok(await Run.CancelCover(Next(), new CancelCover(new("launch"), new LocalDate(2026, 2, 24))));
        Ok(await Run.RequestCover(Next(), Cover("holiday", new LocalDate(2026, 2, 17))));
        Ok(await Run.DeclineCover(Next(), new DeclineCover(new("holiday"), "Not needed.")));

        // Bob is ill: Ada may cover what she does not work for already, and nobody else can.
        var ill = new DateRange(new LocalDate(2026, 3, 4), new LocalDate(2026, 3, 6));
        Ok(await grains.Of<IAbsenceGrain>(s_agency, "flu").Report(Next(), new ReportAbsence(new("flu"), s_cmos.Bob, ill, "Flu.")));
        Assert.NotNull((await grains.Of<IAbsenceGrain>(s_agency, "again").Report(Next(), new ReportAbsence(new("again"), s_cmos.Bob, ill, ""))).Rejection);
        Ok(await Run.Pause(Next(), new PauseEngagement(new LocalDate(2026, 3, 16), new LocalDate(2026, 3, 25), 0, "Budget.")));
    }

    /// <summary>By now the pause's capacity was freed.</summary>
    private async Task AnEngagementThatTapersOff()
    {
        Ok(await Run.Resume(Next(), new ResumeEngagement(new LocalDate(2026, 4, 6))));
        Ok(await Run.StartTransition(Next(), new StartTransition(
            [new TaperStep(new LocalDate(2026, 4, 13), 50)], [new HandoverItem(new("ads"), "Ad accounts", null, null)], "A head of marketing starts in May.")));
        Ok(await Run.PutHandoverItem(Next(), new PutHandoverItem(new("ads"), null, true)));
        await Covered("last", new LocalDate(2026, 4, 28));
        Ok(await Run.End(Next(), new EndEngagement(new LocalDate(2026, 4, 27))));

        // Cy moves on.
        Ok(await grains.Of<IAbsenceGrain>(s_agency, "leaves").Report(Next(), new ReportAbsence(new("leaves"), s_cmos.Cy, new DateRange(new LocalDate(2026, 6, 1), null), "")));
    }

    private async Task Covered(string id, LocalDate date)
    {
        Ok(await Run.RequestCover(Next(), Cover(id, date)));
        Ok(await Run.ConsentToCover(Next(), new ConsentToCover(new(id), s_deciders.Ceo)));
        Ok(await Run.AgreeToCover(Next(), new AgreeToCover(new(id), s_cmos.Ada)));
        Ok(await Run.BookCover(Next(), new BookCover(new(id))));
    }

    private static RequestCover Cover(string id, LocalDate date) =>
        new(new(id), s_cmos.Bob, s_cmos.Ada, ImmutableSortedDictionary<LocalDate, int>.Empty.Add(date, 60), false, "Trade fair.");
}
