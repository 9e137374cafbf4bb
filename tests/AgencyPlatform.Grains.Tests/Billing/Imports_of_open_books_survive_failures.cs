using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Billing;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Time;
using NodaTime;
using Orleans.Core.Internal;

namespace AgencyPlatform.Grains.Tests.Billing;

/// <summary>
/// Imports of open books on a real silo with a SQLite file: a call of a step fails before or after it is done, and the import's activation is thrown away. The engagement starts with
/// the cut-over.
/// </summary>
public sealed class Imports_of_open_books_survive_failures(SagaSilo silo) : IClassFixture<SagaSilo>
{
    private static readonly LocalDate s_cutOver = new(2026, 3, 9);
    private static readonly Currency s_usd = new("USD");
    private static readonly AccountId s_account = new(new ClientCompanyId("acme"), new LegalEntityId("main"), s_usd);
    private static readonly InvoiceId s_old = OpenBooksImport.InvoiceOf(new("cut-over"), "2026-117");

    [Theory]
    [InlineData(nameof(IInvoiceSeriesGrain.Confirm), 1, false)]
    [InlineData(nameof(IInvoiceSeriesGrain.Confirm), 1, true)]
    [InlineData(nameof(IBillingAccountGrain.ImportOpening), 0, false)]
    [InlineData(nameof(IBillingAccountGrain.ImportOpening), 0, true)]
    [InlineData(nameof(IEngagementGrain.ImportGrants), 0, false)]
    [InlineData(nameof(IEngagementGrain.ImportGrants), 0, true)]
    public async Task Whatever_step_fails_the_import_goes_on_by_itself_and_brings_everything_once(string method, int step, bool after)
    {
        var (agency, import) = await Agency($"open-{method.ToLowerInvariant()}-{(after ? "after" : "before")}");
        silo.Faults.Arm(agency, [method], step, after);
        var request = Guid.CreateVersion7();
        await Assert.ThrowsAsync<UnavailableException>(() => import.Import(WorkedWeek.Called(agency, request, "import"), Books("cut-over")));
        Assert.True(silo.Faults.Fired(agency));
        await import.AsReference<IGrainManagementExtension>().DeactivateOnIdle();

        // Nobody asks again: its deadline takes it up.
        await import.Settle(WorkedWeek.Friday + Duration.FromSeconds(20));
        var ended = await import.Get(new Read(agency, WorkedWeek.Friday));
        Assert.Equal((true, 2, 5), (ended.Value!.EndedAt is not null, ended.Value.Done, ended.Value.Rows));
        Assert.Null(ended.Value.Series!.Value.Single().Refusal);
        await BroughtOnce(agency);

        // The same request, and the same books of another, are answered as it is; other books are not its.
        foreach (var (id, hash) in new[] { (request, "import"), (Guid.CreateVersion7(), "again") })
        {
            var again = await import.Import(WorkedWeek.Called(agency, id, hash), Books("cut-over"));
            WorkedWeek.Ok(again);
            Assert.Equal(ended.Value.EndedAt, again.Value!.EndedAt);
            Assert.Equal(ended.Value.Balances.AsEnumerable(), again.Value.Balances);
        }

        Assert.Equal(RejectionKind.AlreadyExists, (await import.Import(WorkedWeek.Called(agency), Books("cut-over") with { On = s_cutOver.PlusDays(1) })).Rejection!.Kind);
        await BroughtOnce(agency);
    }

    [Fact]
    public async Task Nothing_is_changed_when_anything_is_wrong_nor_when_it_is_only_asked()
    {
        var (agency, import) = await Agency("open-wrong");
        var books = Books("cut-over");
        var wrong = await import.Import(WorkedWeek.Called(agency), books with { Books = books.Books with { Payables = [new(new("nobody"), Usd(1))] } });
        Assert.Equal("cmo_payables[0].cmo", Assert.Single(wrong.Rejection!.Fields).Field);
        var asked = await import.Import(WorkedWeek.Called(agency) with { ValidateOnly = true }, books);
        WorkedWeek.Ok(asked);
        Assert.Equal(0, asked.Value!.Balances.Sum(b => b.Amount));
        Assert.Equal(RejectionKind.NotFound, (await import.Import(WorkedWeek.Called(agency), books with { LegalEntity = new("nothing") })).Rejection!.Kind);

        Assert.Empty(await silo.ReadModels.List<PostingRow>(agency, Query.All(10)));
        Assert.Empty(await silo.ReadModels.List<InvoiceRow>(agency, Query.All(10)));
        Assert.Equal(RejectionKind.NotFound, (await import.Get(new Read(agency, WorkedWeek.Friday))).Rejection!.Kind);
        Assert.Equal(0, (await silo.Grains.Of<IInvoiceSeriesGrain>(agency, "main/main").Last(WorkedWeek.Called(agency), new("main"), new("main"))).Value);
    }

    [Fact]
    public async Task Two_imports_at_once_bring_an_old_number_once()
    {
        var (agency, _) = await Agency("open-twice");
        var replies = await Task.WhenAll(Enumerable.Range(0, 6).Select(i =>
        {
            var books = Books($"part-{i}");
            return silo.Grains.Of<IOpenBooksImportGrain>(agency, $"part-{i}").Import(WorkedWeek.Called(agency), books with { Books = OpenBooks.Empty with { Invoices = books.Books.Invoices } });
        }));

        var refused = replies.Where(r => r.Rejection is not null).ToList();
        Assert.Equal(5, refused.Count);
        Assert.All(refused, r => Assert.True(r.Rejection!.Kind is RejectionKind.AlreadyExists or RejectionKind.Invalid, r.Rejection.Message));
        Assert.Single(await silo.ReadModels.List<InvoiceRow>(agency, Query.All(10)));
        Assert.Equal(50_000, (await silo.ReadModels.List<PostingRow>(agency, Query.All(10))).Where(p => p.Account == LedgerAccount.Receivable).Sum(p => p.Amount));
    }

    [Fact]
    public async Task A_series_that_is_used_between_the_check_and_the_step_is_reported_and_the_rest_is_brought()
    {
        var (agency, import) = await Agency("open-series");
        silo.Faults.Arm(agency, [nameof(IInvoiceSeriesGrain.Confirm)], 1, after: false);
        var request = Guid.CreateVersion7();
        await Assert.ThrowsAsync<UnavailableException>(() => import.Import(WorkedWeek.Called(agency, request, "import"), Books("cut-over")));
        await import.AsReference<IGrainManagementExtension>().DeactivateOnIdle();
        WorkedWeek.Ok(await silo.Grains.Of<IInvoiceSeriesGrain>(agency, "main/main").Assign(WorkedWeek.Called(agency), new AssignNumbers(new("main"), new("main"), [new("early")])));

        var ended = await import.Import(WorkedWeek.Called(agency, request, "import"), Books("cut-over"));
        WorkedWeek.Ok(ended);
        Assert.Equal(Reasons.SeriesInUse, ended.Value!.Series!.Value.Single().Refusal!.Reason);
        Assert.Equal((true, 2), (ended.Value.EndedAt is not null, ended.Value.Done));
    }

    /// <summary>A series that nobody had set when the import was checked, as if it had been set in that moment: the number's key is taken.</summary>
    [Fact]
    public async Task A_series_that_comes_to_an_imported_number_goes_on_behind_it()
    {
        var (agency, import) = await Agency("open-behind");
        var books = Books("cut-over");
        WorkedWeek.Ok(await import.Import(WorkedWeek.Called(agency), books with { Books = books.Books with { Invoices = [books.Books.Invoices[0] with { Number = "late-000002" }] } }));

        var given = await silo.Grains.Of<IInvoiceSeriesGrain>(agency, "main/late").Assign(WorkedWeek.Called(agency), new AssignNumbers(new("main"), new("late"), [new("a"), new("b")]));
        WorkedWeek.Ok(given);
        Assert.Equal(["LATE-000001", "LATE-000003"], given.Value.Select(n => n.Printed));
    }

    [Fact]
    public async Task As_many_rows_as_an_import_takes_are_brought_in_one_entry()
    {
        var (agency, import) = await Agency("open-many");
        var one = Books("cut-over").Books.Invoices[0];
        var books = Books("cut-over") with { Books = OpenBooks.Empty with { Invoices = [.. Enumerable.Range(0, OpenBooks.MostRows).Select(i => one with { Number = $"old-{i}", Open = Usd(i + 1) })] } };
        WorkedWeek.Ok(await import.Import(WorkedWeek.Called(agency), books));

        const long Open = OpenBooks.MostRows * (OpenBooks.MostRows + 1L) / 2;
        Assert.Equal(Open, (await silo.ReadModels.List<BillingAccountRow>(agency, Query.All(10))).Single().Open);
        Assert.Equal([(LedgerAccount.Receivable, Open), (LedgerAccount.OpeningBalance, -Open)], (await silo.ReadModels.List<PostingRow>(agency, Query.All(10))).Select(p => (p.Account, p.Amount)));
        Assert.Equal(OpenBooks.MostRows, (await silo.ReadModels.List<InvoiceRow>(agency, Query.All(OpenBooks.MostRows + 1))).Count);
    }

    // ---- what the facts are built of ----

    private static Money Usd(long minor) => new(minor, s_usd);

    private static ImportOpenBooks Books(string id) => new(new(id), s_account.LegalEntity, s_usd, s_cutOver, new OpenBooks(
        [new(s_account.Client, "2026-117", new(2026, 2, 1), new(2026, 3, 3), Usd(119_000), Usd(19_000), Usd(50_000))],
        [new(s_account.Client, Usd(30_000))], [],
        [new(new("launch"), GrantOrigin.Prepaid, 120, new(2026, 6, 1), Usd(40_000))],
        [new(new("ada"), Usd(70_000))], [new(new("main"), 118)]));

    private async Task<(AgencyId Agency, IOpenBooksImportGrain Import)> Agency(string id)
    {
        var agency = new AgencyId(id);
        await WorkedWeek.Submitted(silo, agency, OverageGate.Bill);
        return (agency, silo.Grains.Of<IOpenBooksImportGrain>(agency, "cut-over"));
    }

    /// <summary>The ledger has the entry once, and the account, the meter and the series what is theirs of it.</summary>
    private async Task BroughtOnce(AgencyId agency)
    {
        var postings = await silo.ReadModels.List<PostingRow>(agency, Query.All(100));
        Assert.Equal(
            [
                (LedgerAccount.Receivable, 50_000L), (LedgerAccount.ClientCredit, -30_000L), (LedgerAccount.DeferredRevenue, -40_000L), (LedgerAccount.CmoPayable, -70_000L),
                (LedgerAccount.OpeningBalance, 90_000L),
            ],
            postings.OrderBy(p => p.Line).Select(p => (p.Account, p.Amount)));
        Assert.All(postings, p => Assert.Equal((s_cutOver, postings[0].Source), (p.Date, p.Source)));
        var row = (await silo.ReadModels.List<BillingAccountRow>(agency, Query.All(10))).Single();
        Assert.Equal((50_000, 30_000), (row.Open, row.Credit));
        Assert.Equal([(50_000L, 0L), (0L, 30_000L)], (await silo.ReadModels.List<AccountEntryRow>(agency, Query.All(10))).Select(e => (e.Open, e.Credit)));
        var invoice = (await silo.Grains.Of<IBillingAccountGrain>(agency, s_account.Key).Get(new Read(agency, WorkedWeek.Friday), s_old)).Value!;
        Assert.Equal((InvoiceState.PartiallyPaid, 50_000, "2026-117"), (invoice.State, invoice.Open, invoice.Imported!.Number));
        var meter = (await silo.Grains.Of<IEngagementGrain>(agency, "launch").GetMeter(new Read(agency, WorkedWeek.Friday), new(2026, 4, 3))).Value!;
        Assert.Equal(600 + 120, meter.Remaining);
        Assert.Equal(117, (await silo.Grains.Of<IInvoiceSeriesGrain>(agency, "main/main").Last(WorkedWeek.Called(agency), new("main"), new("main"))).Value);
    }
}
