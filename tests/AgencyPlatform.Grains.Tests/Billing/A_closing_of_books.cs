using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Billing;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Billing;
using NodaTime;
using Orleans.Core.Internal;

namespace AgencyPlatform.Grains.Tests.Billing;

/// <summary>The closing of a month on a real silo with a SQLite file, and what comes for the month afterwards.</summary>
public sealed class A_closing_of_books(SagaSilo silo) : IClassFixture<SagaSilo>
{
    private static readonly LegalEntityId s_main = new("main");
    private static readonly AccountId s_account = new(new ClientCompanyId("acme"), s_main, new Currency("USD"));
    private static readonly LocalDate s_march = new(2026, 3, 31);

    [Fact]
    public async Task What_is_approved_late_posts_into_the_open_month_and_says_where_it_belongs()
    {
        var agency = new AgencyId("late");
        var (sheet, _) = await WorkedWeek.Submitted(silo, agency, OverageGate.Bill);
        var books = silo.Grains.Of<IBooksGrain>(agency, "main");

        // Two of the three entries are of March, and not approved.
        var refused = await books.Close(WorkedWeek.Called(agency), new CloseBooks(s_main, s_march, false));
        Assert.Equal((Reasons.OpenItems, "2"), (refused.Rejection!.Reason, refused.Rejection.Metadata["open_items"]));
        var checklist = (await books.GetChecklist(new Read(agency, WorkedWeek.Friday), s_main, s_march)).Value!;
        Assert.Equal([(OpenItemKind.UnapprovedTime, "ada/2026-W14/a"), (OpenItemKind.UnapprovedTime, "ada/2026-W14/b")], checklist.Items.Select(i => (i.Kind, i.Resource)));
        WorkedWeek.Ok(await books.Close(WorkedWeek.Called(agency), new CloseBooks(s_main, s_march, true)));

        WorkedWeek.Ok(await sheet.Approve(WorkedWeek.Called(agency), new([])));
        var postings = await silo.ReadModels.List<PostingRow>(agency, Query.All(100));
        Assert.All(postings, p => Assert.Equal(new LocalDate(2026, 4, 1), p.Date));
        Assert.Equal(
            [null, new LocalDate(2026, 3, 30), s_march], postings.Where(p => p.Account == LedgerAccount.CostOfService).Select(p => p.Effective).Order());

        // Closed through the day: asked again, nothing happens; nothing opens it again.
        Assert.Equal(s_march, (await books.Close(WorkedWeek.Called(agency), new CloseBooks(s_main, s_march, false))).Value!.ClosedThrough);
        Assert.Equal(s_march, (await books.Close(WorkedWeek.Called(agency), new CloseBooks(s_main, new LocalDate(2026, 2, 28), false))).Value!.ClosedThrough);
        Assert.Equal("through_date", (await books.Close(WorkedWeek.Called(agency), new CloseBooks(s_main, new LocalDate(2026, 4, 30), true))).Rejection!.Fields.Single().Field);
        Assert.Equal("through_date", (await books.Close(WorkedWeek.Called(agency), new CloseBooks(s_main, new LocalDate(2026, 4, 2), true))).Rejection!.Fields.Single().Field);
    }

    [Theory]
    [InlineData(0, false, true)]
    [InlineData(0, true, true)]
    [InlineData(1, false, false)]
    [InlineData(1, true, false)]
    public async Task Whatever_step_fails_the_books_are_closed_once_and_the_series_date_later(int step, bool after, bool repeats)
    {
        var agency = new AgencyId($"close-{step}-{(after ? "after" : "before")}");
        await WorkedWeek.Submitted(silo, agency, OverageGate.Bill);
        var books = silo.Grains.Of<IBooksGrain>(agency, "main");
        silo.Faults.Arm(agency, [nameof(IInvoiceSeriesGrain.CloseThrough)], step, after);

        var request = Guid.CreateVersion7();
        await Assert.ThrowsAsync<UnavailableException>(() => books.Close(WorkedWeek.Called(agency, request, "close"), new CloseBooks(s_main, s_march, true)));
        Assert.True(silo.Faults.Fired(agency));
        await books.AsReference<IGrainManagementExtension>().DeactivateOnIdle();
        if (!repeats)
        {
            await books.Settle(WorkedWeek.Friday + Duration.FromSeconds(20));
        }

        Assert.Equal(s_march, (await books.Close(WorkedWeek.Called(agency, request, "close"), new CloseBooks(s_main, s_march, true))).Value!.ClosedThrough);
        Assert.Equal(s_march, Assert.Single(await silo.ReadModels.List<ClosingRow>(agency, Query.All(10))).ClosedThrough);

        // A silo whose clock is still in March dates no number there.
        var number = await silo.Grains.Of<IInvoiceSeriesGrain>(agency, "main/main").Assign(
            WorkedWeek.Called(agency) with { SandboxNow = Instant.FromUtc(2026, 3, 31, 12, 0) }, new AssignNumbers(s_main, new InvoiceSeriesId("main"), [new InvoiceId("x")]));
        Assert.True(number.Value.Single().IssueDate > s_march);
    }

    [Fact]
    public async Task What_was_numbered_in_the_month_is_final_before_it_is_closed_and_what_its_days_earned_is_posted()
    {
        var agency = new AgencyId("numbered");
        var (sheet, _) = await WorkedWeek.Submitted(silo, agency, OverageGate.Bill);
        var early = WorkedWeek.Called(agency) with { SandboxNow = Instant.FromUtc(2026, 3, 9, 20, 0) };
        var account = silo.Grains.Of<IBillingAccountGrain>(agency, s_account.Key);
        WorkedWeek.Ok(await account.Prepare(early, new PrepareInvoice(s_account, new LocalDate(2026, 3, 9), new InvoiceId("fee"), new InvoiceId("fee"))));

        // The number is given on a day of March, and its answer is lost.
        silo.Faults.Arm(agency, [nameof(IInvoiceSeriesGrain.Assign)], 0, after: true);
        await Assert.ThrowsAsync<UnavailableException>(() => account.Finalize(early, new InvoiceId("fee")));
        WorkedWeek.Ok(await silo.Grains.Of<IBooksGrain>(agency, "main").Close(WorkedWeek.Called(agency), new CloseBooks(s_main, s_march, true)));

        Assert.Equal(InvoiceState.Finalized, (await account.Get(new Read(agency, WorkedWeek.Friday), new InvoiceId("fee"))).Value!.State);
        var postings = await silo.ReadModels.List<PostingRow>(agency, Query.All(100));
        Assert.All(postings, p => Assert.Null(p.Effective));

        // $8,000 for 31 days from 9 March: 23 of them are in March.
        Assert.Equal(-593_548, postings.Where(p => p.Account == LedgerAccount.Revenue && p.Date <= s_march).Sum(p => p.Amount));
        Assert.Equal(593_548 - 800_000, postings.Where(p => p.Account == LedgerAccount.DeferredRevenue && p.Date <= s_march).Sum(p => p.Amount));
        WorkedWeek.Ok(await sheet.Approve(WorkedWeek.Called(agency), new([])));
    }
}
