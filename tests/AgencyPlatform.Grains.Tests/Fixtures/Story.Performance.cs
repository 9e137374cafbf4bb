using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Performance;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Performance;
using NodaTime;

namespace AgencyPlatform.Grains.Tests.Fixtures;

/// <summary>The growth engagement is measured: a KPI of the agency's own, a correction, a target that is missed, a month that is closed.</summary>
internal sealed partial class Story
{
    private async Task AScorecard()
    {
        var month = new LocalDate(2026, 2, 1);
        var growth = grains.Of<IScorecardGrain>(s_agency, "growth");
        Ok(await growth.Create(Next(), new("growth"), "", null));
        Ok(await growth.Define(Next(), new DefineKpis([new Kpi(new("revenue-per-lead"), "Revenue per lead", KpiUnit.Money, 2, s_dollars, KpiDirection.HigherIsBetter, "attributed_revenue / qualified_leads", false)])));
        Ok(await growth.SetTarget(Next(), new SetKpiTarget(BuiltInKpis.QualifiedLeads, month, new KpiNumber(100, 0, null), new KpiNumber(80, 0, null), 100_000, Scorecard.DefaultOwner, Scorecard.DefaultDueDays)));
        Ok(await growth.Record(Next(), new RecordKpiValues(
        [
            new KpiEntry(BuiltInKpis.QualifiedLeads, month, "", new KpiNumber(70, 0, null), AttributionRule.Unstated, ""),
            new KpiEntry(BuiltInKpis.Spend, month, "search", KpiNumber.Of(new Money(250_000, s_dollars)), AttributionRule.Unstated, ""),
            new KpiEntry(BuiltInKpis.AttributedRevenue, month, "", KpiNumber.Of(new Money(2_000_000, s_dollars)), AttributionRule.FirstTouch, ""),
        ])));
        var corrected = await growth.Record(Next(), new RecordKpiValues([new KpiEntry(BuiltInKpis.QualifiedLeads, month, "", new KpiNumber(75, 0, null), AttributionRule.Unstated, "Five came by telephone.")]));
        Ok(corrected);
        Ok(await growth.Make(Next(), new MakeCommitment(new("landing-page"), "A new landing page.", "growth lead", new LocalDate(2026, 4, 15))));
        Ok(await growth.Resolve(Next(), new ResolveCommitment(corrected.Value!.Commitments.Single().Key, CommitmentState.Kept, "A second campaign.")));
        Ok(await growth.Give(Next(), new GivePulse(new LocalDate(2026, 1, 1), 8, "Steady, and easy to reach.")));
        Ok(await growth.Close(Next(), new CloseKpiPeriod(month)));
    }

    private async Task ACoachingProgramme()
    {
        var founder = grains.Of<ICoachingProgrammeGrain>(s_agency, "founder");
        Ok(await founder.Start(Next(), new("founder"), new("growth"), "Founder-led marketing", "The team runs campaigns by itself."));
        Ok(await founder.Put(Next(), new CoachingMaterial(new("handbook"), "Handbook", "https://example.com/handbook")));
        foreach (var (id, day) in new[] { ("first", 1), ("second", 8), ("third", 15) })
        {
            Ok(await founder.Plan(Next(), new PlanCoachingSession(new(id), new LocalDate(2026, 4, day), 60, "Campaigns")));
        }

        Ok(await founder.Hold(Next(), new HoldCoachingSession(new("first"), "Began with the audience.", [new SessionCommitment(new("personas"), new("first"), "Three personas.", "founder", new LocalDate(2026, 4, 8))])));
        Ok(await founder.FollowUp(Next(), new ResolveCommitment(new("personas"), CommitmentState.Kept, "Two of them are good.")));
        Ok(await founder.Cancel(Next(), new CancelCoachingSession(new("second"), "Holidays.")));
        Ok(await founder.End(Next()));
    }
}
