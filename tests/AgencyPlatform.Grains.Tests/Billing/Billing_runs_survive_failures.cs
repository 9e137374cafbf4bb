using System.Collections.Immutable;
using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Billing;
using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Clients;
using NodaTime;
using Orleans.Core.Internal;

namespace AgencyPlatform.Grains.Tests.Billing;

/// <summary>Billing runs on a real silo with a SQLite file: calls fail before or after they are done, the run's activation is thrown away, one client is broken.</summary>
public sealed class Billing_runs_survive_failures(SagaSilo silo) : IClassFixture<SagaSilo>
{
    private static readonly LocalDate s_to = new(2026, 4, 9);
    private static readonly ImmutableSortedDictionary<string, string> s_none = ImmutableSortedDictionary<string, string>.Empty;

    [Theory]
    [InlineData(nameof(IBillingAccountGrain.Prepare), false)]
    [InlineData(nameof(IBillingAccountGrain.Prepare), true)]
    [InlineData(nameof(IBillingAccountGrain.Finalize), false)]
    [InlineData(nameof(IBillingAccountGrain.Finalize), true)]
    [InlineData(nameof(IInvoiceSeriesGrain.Assign), false)]
    [InlineData(nameof(IInvoiceSeriesGrain.Assign), true)]
    public async Task Whatever_call_fails_the_run_is_taken_up_again_and_bills_once(string method, bool after)
    {
        var agency = await Worked($"run-{method.ToLowerInvariant()}-{(after ? "after" : "before")}");
        silo.Faults.Arm(agency, [method], 0, after);

        var run = silo.Grains.Of<IBillingRunGrain>(agency, "april");
        var request = Guid.CreateVersion7();
        WorkedWeek.Ok(await run.Start(WorkedWeek.Called(agency, request, "start"), Finalizing("april")));
        await run.Settle(WorkedWeek.Friday);
        Assert.True(silo.Faults.Fired(agency));
        await run.AsReference<IGrainManagementExtension>().DeactivateOnIdle();
        await run.Settle(WorkedWeek.Friday + Duration.FromSeconds(20));

        var ended = (await run.Get(new Read(agency, WorkedWeek.Friday))).Value!;
        Assert.Equal((1, 0, 0), (ended.Billed, ended.NothingToBill, ended.Failed));
        Assert.NotNull(ended.EndedAt);
        Assert.Equal(new BillingRunTotals(1, 0, 1_662_500), ended.Totals["USD"]);
        var result = (await silo.ReadModels.List<BillingRunResultRow>(agency, Query.All(10))).Single();
        Assert.Equal((BillingRunOutcome.Billed, 1_662_500), (result.Outcome, result.Total));
        Assert.Equal((result.Invoice!.Value, 1L), (await silo.ReadModels.List<InvoiceNumberRow>(agency, Query.All(10))).Select(n => (n.Invoice, n.Number)).Single());
        Assert.Equal(0, (await silo.ReadModels.List<PostingRow>(agency, Query.All(100))).Sum(p => p.Amount));

        // The start repeated starts nothing again.
        Assert.Equal(ended.StartedAt, (await run.Start(WorkedWeek.Called(agency, request, "start"), Finalizing("april"))).Value!.StartedAt);
    }

    [Fact]
    public async Task One_client_that_is_broken_is_in_the_report_and_the_others_are_billed()
    {
        var agency = await Worked("run-broken");
        foreach (var client in new[] { "aaa", "zzz" })
        {
            WorkedWeek.Ok(await silo.Grains.Of<IClientCompanyGrain>(agency, client).Create(
                WorkedWeek.Called(agency), new CreateClient(new(client), new ClientProfile(client, "", "", "UTC", new BillingDetails("", "", "", "", 30), s_none, s_none))));
        }

        silo.Faults.Break(agency, nameof(IBillingAccountGrain.Prepare), "/acme/");
        var run = silo.Grains.Of<IBillingRunGrain>(agency, "april");
        WorkedWeek.Ok(await run.Start(WorkedWeek.Called(agency), Finalizing("april")));
        await run.Settle(WorkedWeek.Friday);
        var ended = (await run.Get(new Read(agency, WorkedWeek.Friday))).Value!;
        Assert.Equal((0, 0, 1, "zzz"), (ended.Billed, ended.NothingToBill, ended.Failed, ended.Through!.Value.Value));
        var failed = (await silo.ReadModels.List<BillingRunResultRow>(agency, Query.All(10))).Single();
        Assert.Equal(("acme", BillingRunOutcome.Failed, Reasons.BillingFailed), (failed.Client.Value, failed.Outcome, failed.Reason));
        Assert.Empty(await silo.ReadModels.List<InvoiceNumberRow>(agency, Query.All(10)));

        // Mended, a new run bills it.
        silo.Faults.Break(agency, "", "");
        var again = silo.Grains.Of<IBillingRunGrain>(agency, "april-again");
        WorkedWeek.Ok(await again.Start(WorkedWeek.Called(agency), Finalizing("april-again")));
        await again.Settle(WorkedWeek.Friday);
        Assert.Equal(1, (await again.Get(new Read(agency, WorkedWeek.Friday))).Value!.Billed);
    }

    [Fact]
    public async Task Two_runs_at_once_bill_an_account_once()
    {
        var agency = await Worked("run-twice");
        var runs = new[] { "one", "two", "three" }.Select(id => (Id: id, Grain: silo.Grains.Of<IBillingRunGrain>(agency, id))).ToList();
        await Task.WhenAll(runs.Select(async r =>
        {
            WorkedWeek.Ok(await r.Grain.Start(WorkedWeek.Called(agency), Finalizing(r.Id)));
            await r.Grain.Settle(WorkedWeek.Friday);
        }));
        var ended = await Task.WhenAll(runs.Select(async r => (await r.Grain.Get(new Read(agency, WorkedWeek.Friday))).Value!));
        Assert.All(ended, r => Assert.Equal((0, 1), (r.Failed, r.Billed + r.NothingToBill)));
        Assert.Single(await silo.ReadModels.List<InvoiceNumberRow>(agency, Query.All(10)));
        Assert.Equal(1_662_500, (await silo.ReadModels.List<PostingRow>(agency, Query.All(100))).Where(p => p.Account == LedgerAccount.Receivable).Sum(p => p.Amount));
    }

    private static StartBillingRun Finalizing(string id) => new(new(id), s_to, BillingRunMode.Finalize, null, null);

    /// <summary>Acme with a fee and 150 minutes beyond it.</summary>
    private async Task<AgencyId> Worked(string id)
    {
        var agency = new AgencyId(id);
        var (sheet, _) = await WorkedWeek.Submitted(silo, agency, OverageGate.Bill);
        WorkedWeek.Ok(await sheet.Approve(WorkedWeek.Called(agency), new([])));
        return agency;
    }
}
