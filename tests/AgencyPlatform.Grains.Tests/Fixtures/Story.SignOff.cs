using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Domain.Engagements;
using NodaTime;

namespace AgencyPlatform.Grains.Tests.Fixtures;

/// <summary>Sign-off by the client's rule, the CMOs' agreement, and a term that is renewed once and then ends by itself.</summary>
internal sealed partial class Story
{
    private async Task ARuleOfSignOff()
    {
        var acme = grains.Of<IClientCompanyGrain>(s_agency, "acme");
        var assistant = new PersonId("p-acme-assistant");
        Ok(await acme.PutStakeholder(Next(), new PutStakeholder(new Stakeholder(assistant, "Assistant", false), new PersonDetails("Somebody"))));
        Ok(await acme.SetSignOffRules(Next(), new SetSignOffRules([
            new SignOffRule(SignOffSubject.Proposal, s_dollars, [new SignOffBand(500_000, 1, [], []), new SignOffBand(null, 2, [s_deciders.Ceo, s_deciders.Board], [s_deciders.Board])]),
        ])));
        foreach (var day in new[] { 12, 20 })
        {
            var dates = new DateRange(new LocalDate(2026, 1, day), new LocalDate(2026, 1, day + 7));
            Ok(await acme.DelegateSignOff(Next(), new DelegateSignOff(new Delegation(s_deciders.Board, assistant, dates))));
        }

        Ok(await acme.RevokeDelegation(Next(), new RevokeDelegation(s_deciders.Board, new LocalDate(2026, 1, 20))));
    }

    private async Task AProposalThatFreesItsHold()
    {
        Ok(await Cmo(s_cmos.Bob).Hold(Next(), new HoldBooking(new("trial"), new BookingSpec(s_clients.Acme, null, [new FlexibleStep(s_year, 60)]), Duration.FromDays(20))));
        var trial = grains.Of<IEngagementGrain>(s_agency, "trial");
        var plan = Hourly("Trial", s_cmos.Bob);
        Ok(await trial.Create(Next(), new CreateEngagement(new("trial"), s_clients.Acme, plan with { Members = [new EngagementMember(s_cmos.Bob, "", [], new BookingId("trial"), true)] })));
        Ok(await trial.Propose(Next(), new ProposeEngagement(_now + Duration.FromDays(1), FreesHolds: true)));
        Ok(await trial.Comment(Next(), new CommentOnEngagement(s_deciders.Board, "Rather in summer.")));
        await Until(new LocalDate(2026, 1, 14));
    }

    private async Task ATermThatIsRenewedOnce()
    {
        var start = new LocalDate(2026, 1, 19);
        var board = grains.Of<IEngagementGrain>(s_agency, "advice");
        var plan = Hourly("Advice", s_cmos.Bob) with
        {
            Start = start,
            End = null,
            Terms = Hourly("Advice", s_cmos.Bob).Terms with { EffectiveFrom = start },
            Members = [new EngagementMember(s_cmos.Bob, "", [new FlexibleStep(new DateRange(start, null), 60)], null, false)],
            Term = new TermRules(1, Renewal.BySignature, 1, 0),
        };
        Ok(await board.Create(Next(), new CreateEngagement(new("advice"), s_clients.Acme, plan)));
        Ok(await board.Propose(Next(), new ProposeEngagement(null)));
        Ok(await board.Revise(Next()));
        Ok(await board.Update(Next(), new UpdateEngagement(plan with { Title = "Board advice" })));
        Ok(await board.Propose(Next(), new ProposeEngagement(null)));
        Ok(await board.Sign(Next(), new SignEngagement(s_deciders.Board, 2, new PersonId("p-acme-assistant"))));
        Ok(await board.Sign(Next(), new SignEngagement(s_deciders.Ceo, 2)));
        Ok(await board.AskToAgree(Next(), new RequestAgreement([], _now + Duration.FromDays(1))));
        await Until(new LocalDate(2026, 1, 16));
        Ok(await board.AskToAgree(Next(), new RequestAgreement([s_cmos.Bob], null)));
        Ok(await board.DeclineAs(Next(), new DeclineAsCmo(s_cmos.Bob, 2, "Too soon.")));
        Ok(await board.AskToAgree(Next(), new RequestAgreement([s_cmos.Bob], null)));
        Ok(await board.Agree(Next(), new AgreeAsCmo(s_cmos.Bob, 2)));
        Ok(await board.Activate(Next()));
        Ok(await board.SignRenewal(Next(), new SignRenewal(s_deciders.Ceo, 1, null)));
        Ok(await board.SignRenewal(Next(), new SignRenewal(s_deciders.Board, 1, null)));
    }
}
