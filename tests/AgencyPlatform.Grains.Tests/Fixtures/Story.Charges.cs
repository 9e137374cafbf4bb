using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Billing;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Engagements;
using NodaTime;

namespace AgencyPlatform.Grains.Tests.Fixtures;

/// <summary>Terms by milestones, and hours that are sold up front.</summary>
internal sealed partial class Story
{
    private async Task MilestonesAndBlocks()
    {
        var (seller, cycle) = (s_seller, new BillCycle(1, 1));
        var rebrand = await Running("rebrand", new MilestoneTerms(s_year.Start, seller, s_dollars, cycle, [new(new("brand"), "Brand book", 500_000), new(new("site"), "Web site", 900_000)])
        {
            Minimum = new MinimumCommitment(new("minimum"), 100_000),
            Discounts = [new Discount(new("launch"), s_year, 100_000, null, 75_000), new Discount(new("friend"), s_year, null, 10_000, null)],
        });
        Ok(await rebrand.MarkMilestone(Next(), new MarkMilestone(new("brand"), new LocalDate(2026, 2, 9))));
        Ok(await rebrand.MarkMilestone(Next(), new MarkMilestone(new("site"), new LocalDate(2026, 2, 9))));
        Ok(await rebrand.ReopenMilestone(Next(), new ReopenMilestone(new("site"), "The client wants another.")));

        // The activation has sold a block; the one for a month expires with minutes left.
        var counsel = await Running("counsel", new PrepaidTerms(s_year.Start, seller, s_dollars, cycle, 150_000, 600, 6, 30_000, OverageGate.Consent, 60));
        Ok(await counsel.SellHours(Next(), new SellHours(new("month"), 120, new Money(30_000, s_dollars), new LocalDate(2026, 2, 9), new LocalDate(2026, 3, 9))));
        Ok(await counsel.SellHours(Next(), new SellHours(new("spring"), 120, new Money(30_000, s_dollars), new LocalDate(2026, 3, 20), new LocalDate(2026, 9, 20))));

        // Its days are accrued month by month.
        await Running("arrears", new RetainerTerms(s_year.Start, seller, s_dollars, cycle, 90_000, 60, null, OverageGate.Block, FeeTiming.InArrears));
        var account = new AccountId(s_clients.Acme, seller, s_dollars);
        var grain = grains.Of<IBillingAccountGrain>(s_agency, account.Key);
        Ok(await grain.Prepare(Next(), new PrepareInvoice(account, new LocalDate(2026, 3, 1), null, new("inv-2"), new("counsel"))));
        Ok(await grain.Finalize(Next(), new("inv-2")));
        Ok(await grain.CreditInvoice(Next(), new CreditInvoice(new("inv-2"), new("cn-2"), [new LineCredit(1, 10_000)], false)));
        Ok(await grain.Prepare(Next(), new PrepareInvoice(account, new LocalDate(2026, 3, 1), null, new("inv-3"))));
        Ok(await grain.Finalize(Next(), new("inv-3")));
    }

    private async Task<IEngagementGrain> Running(string id, Terms terms)
    {
        var engagement = grains.Of<IEngagementGrain>(s_agency, id);
        var week = new FlexibleStep(new DateRange(s_year.Start, s_year.Start.PlusDays(7)), 30);
        Ok(await engagement.Create(Next(), new CreateEngagement(
            new(id), s_clients.Acme, Hourly(id, s_cmos.Bob) with { Terms = terms, InvoicedApart = id == "counsel", Members = [new EngagementMember(s_cmos.Bob, "", [week], null, true)] })));
        Ok(await engagement.Propose(Next(), new ProposeEngagement(null)));
        var signed = await engagement.Sign(Next(), new SignEngagement(s_deciders.Ceo, 1));
        if (signed.Value!.State == EngagementState.Proposed)
        {
            Ok(await engagement.Sign(Next(), new SignEngagement(s_deciders.Board, 1)));
        }

        Ok(await engagement.Activate(Next()));
        return engagement;
    }
}
