using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Billing;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Engagements;
using NodaTime;
using Orleans.Core.Internal;

namespace AgencyPlatform.Grains.Tests.Billing;

/// <summary>A credit note by hand of a prepaid block on a real silo with a SQLite file: the engagement is told of it, whatever fails on the way, and once.</summary>
public sealed class Credits_of_blocks_survive_failures(SagaSilo silo) : IClassFixture<SagaSilo>
{
    private static readonly AccountId s_account = new(new ClientCompanyId("acme"), new LegalEntityId("main"), new Currency("USD"));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_was_earned_of_the_block_is_taken_back_once(bool after)
    {
        var agency = new AgencyId($"block-{(after ? "after" : "before")}");
        var (sheet, engagement) = await WorkedWeek.Submitted(silo, agency, OverageGate.Bill);
        WorkedWeek.Ok(await engagement.SellHours(WorkedWeek.Called(agency), new SellHours(new("b"), 600, new Money(60_000, s_account.Currency), WorkedWeek.Monday, WorkedWeek.Monday.PlusYears(1))));
        WorkedWeek.Ok(await sheet.Approve(WorkedWeek.Called(agency), new([])));
        var account = silo.Grains.Of<IBillingAccountGrain>(agency, s_account.Key);
        WorkedWeek.Ok(await account.Prepare(WorkedWeek.Called(agency), new PrepareInvoice(s_account, new LocalDate(2026, 4, 3), new InvoiceId("first"), new InvoiceId("first"))));
        var invoice = await account.Finalize(WorkedWeek.Called(agency), new InvoiceId("first"));
        var block = invoice.Value!.Content.Lines.Single(l => l.Item.Charge == Charge.Block);

        // 600 minutes are included; of 750, 150 are drawn of the block: a quarter of $600 is earned.
        var before = await Balances(agency);
        silo.Faults.Arm(agency, [nameof(IEngagementGrain.CreditBlock)], 0, after);
        var (call, credit) = (WorkedWeek.Called(agency, Guid.CreateVersion7(), "hash"), new CreditInvoice(new("first"), new("cn"), [new LineCredit(block.Number, null)], false));
        await Assert.ThrowsAsync<UnavailableException>(() => account.CreditInvoice(call, credit));
        await account.AsReference<IGrainManagementExtension>().DeactivateOnIdle();
        await account.Settle(WorkedWeek.Friday + Duration.FromSeconds(20));

        Assert.True(silo.Faults.Fired(agency));
        var now = await Balances(agency);
        Assert.Equal(15_000, now[LedgerAccount.Revenue] - before[LedgerAccount.Revenue]);
        Assert.Equal(60_000 - 15_000, now[LedgerAccount.DeferredRevenue] - before[LedgerAccount.DeferredRevenue]);
        Assert.Null((await account.Get(new Read(agency, WorkedWeek.Friday), new InvoiceId("first"))).Rejection);
        WorkedWeek.Ok(await account.CreditInvoice(call, credit));
        await account.Settle(WorkedWeek.Friday + Duration.FromSeconds(60));
        Assert.Equal(now, await Balances(agency));
    }

    private async Task<Dictionary<LedgerAccount, long>> Balances(AgencyId agency) =>
        (await silo.ReadModels.List<PostingRow>(agency, Query.All(1_000))).GroupBy(p => p.Account).ToDictionary(g => g.Key, g => g.Sum(p => p.Amount));
}
