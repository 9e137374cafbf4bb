using AgencyPlatform.Client;
using AgencyPlatform.Domain;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Billing.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using AgencyPlatform.Protocol.Time.V1;
using Google.Protobuf.WellKnownTypes;
using Google.Type;
using Grpc.Core;
using DateTime = System.DateTime;
using LedgerAccount = AgencyPlatform.Protocol.Billing.V1.LedgerAccount;
using Money = AgencyPlatform.Protocol.Type.V1.Money;
using Books = AgencyPlatform.Protocol.Billing.V1.BooksService.BooksServiceClient;
using ServiceClient = AgencyPlatform.Protocol.Billing.V1.BillingService.BillingServiceClient;

namespace AgencyPlatform.Gateway.Tests.Billing;

/// <summary>Revenue by its days, reports as of a day and as known at a time, and closed months, through the public API. The sandbox's clock begins on Monday 5 January 2026, 09:00 UTC.</summary>
[Collection(PlatformFixture.Collection)]
public sealed class BooksTests(PlatformFixture platform)
{
    [Fact]
    public async Task A_fee_in_advance_is_revenue_by_its_days_on_any_date()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, a => Retainer(a, FeeTiming.InAdvance));
        var (billing, books) = (admin.Service<ServiceClient>(), admin.Service<Books>());
        await Invoice(agency, billing, Day(1, 5), "fee");

        // $8,000 for the 31 days from 5 January: day by day before anything is posted, and the same after the month's end was posted.
        (Date Date, long Revenue)[] expected = [(Day(1, 4), 0), (Day(1, 5), 25_806), (Day(1, 20), 412_903), (Day(1, 31), 696_774), (Day(2, 4), 800_000), (Day(12, 31), 800_000)];
        foreach (var (date, revenue) in expected)
        {
            await Earned(agency, billing, books, date, revenue, date.Equals(Day(1, 4)) ? 0 : 800_000 - revenue, 0);
        }

        await agency.AdvanceTo(new DateTime(2026, 2, 1, 12, 0, 0, DateTimeKind.Utc));
        var posted = await billing.ListPostingsAsync(new ListPostingsRequest { Parent = agency.Name, Account = LedgerAccount.Revenue });
        Assert.Equal((-696_774, Day(1, 31)), (Assert.Single(posted.Lines).Amount.MinorUnits, posted.Lines[0].PostingDate));
        foreach (var (date, revenue) in expected)
        {
            await Earned(agency, billing, books, date, revenue, date.Equals(Day(1, 4)) ? 0 : 800_000 - revenue, 0);
        }
    }

    [Fact]
    public async Task A_fee_in_arrears_is_revenue_by_its_days_before_it_is_billed()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, a => Retainer(a, FeeTiming.InArrears));
        var (billing, books) = (admin.Service<ServiceClient>(), admin.Service<Books>());

        // 6 of 31 days, and nothing is posted before the month's end.
        await agency.AdvanceTo(new DateTime(2026, 1, 10, 12, 0, 0, DateTimeKind.Utc));
        await Earned(agency, billing, books, Day(1, 10), 154_839, 0, 154_839);
        await agency.AdvanceTo(new DateTime(2026, 2, 10, 12, 0, 0, DateTimeKind.Utc));

        // 27 of 31 days by the end of January, all on 4 February; 28 days from 5 February, of which nothing is posted yet.
        await Earned(agency, billing, books, Day(1, 31), 696_774, 0, 696_774);
        await Earned(agency, billing, books, Day(2, 4), 800_000, 0, 800_000);
        await Earned(agency, billing, books, Day(2, 5), 800_000 + 28_571, 0, 800_000 + 28_571);
        await Invoice(agency, billing, Day(2, 5), "fee");
        await Earned(agency, billing, books, Day(2, 10), 800_000 + 171_429, 0, 171_429);
    }

    [Fact]
    public async Task A_report_is_as_it_was_known_at_a_time()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, a => Retainer(a, FeeTiming.InAdvance));
        var billing = admin.Service<ServiceClient>();
        await Invoice(agency, billing, Day(1, 5), "fee");
        await agency.AdvanceTo(new DateTime(2026, 1, 20, 12, 0, 0, DateTimeKind.Utc));
        await billing.RecordPaymentAsync(new RecordPaymentRequest
        {
            Parent = agency.Name,
            ClientCompany = agency.Name + "/clientCompanies/acme",
            LegalEntity = agency.Name + "/legalEntities/main",
            Currency = "USD",
            Amount = new Money { MinorUnits = 300_000, Currency = "USD" },
            ReceivedDate = Day(1, 7),
            Reference = "WIRE-1",
        });

        // Received on the 7th, told on the 20th: on the 10th nobody knew.
        var then = Timestamp.FromDateTime(new DateTime(2026, 1, 10, 12, 0, 0, DateTimeKind.Utc));
        Assert.Equal((500_000, 800_000), (await Receivable(null), await Receivable(then)));
        Assert.Equal((500_000, 800_000), (await Open(null), await Open(then)));
        Assert.Equal((2, 1), ((await billing.GetAccountStatementAsync(Statement(null))).Entries.Count, (await billing.GetAccountStatementAsync(Statement(then))).Entries.Count));
        Assert.Equal((500_000, 800_000), (await History(null), await History(then)));
        var future = await Refused.By(billing.GetTrialBalanceAsync(new GetTrialBalanceRequest { Parent = agency.Name, ReadTime = Timestamp.FromDateTime(new DateTime(2026, 3, 1, 0, 0, 0, DateTimeKind.Utc)) }));
        Assert.Equal("read_time", Assert.Single(future.FieldViolations).Field);

        async Task<long> Receivable(Timestamp? at) => (await billing.GetTrialBalanceAsync(new GetTrialBalanceRequest { Parent = agency.Name, AsOfDate = Day(1, 10), ReadTime = at }))
            .Balances.Single(b => b.Account == LedgerAccount.Receivable).Balance.MinorUnits;

        async Task<long> Open(Timestamp? at) => (await billing.GetAgingAsync(new GetAgingRequest { Parent = agency.Name, AsOfDate = Day(1, 10), ReadTime = at })).Totals.Single().OpenAmount.MinorUnits;

        async Task<long> History(Timestamp? at) => (await billing.GetAccountHistoryAsync(new GetAccountHistoryRequest
        {
            Parent = agency.Name,
            LegalEntity = agency.Name + "/legalEntities/main",
            Account = LedgerAccount.Receivable,
            Currency = "USD",
            StartDate = Day(1, 1),
            EndDate = Day(2, 1),
            ReadTime = at,
        })).ClosingBalance.MinorUnits;

        GetAccountStatementRequest Statement(Timestamp? at) => new() { Parent = agency.Name, StartDate = Day(1, 1), EndDate = Day(2, 1), ReadTime = at };
    }

    [Fact]
    public async Task A_month_is_closed_with_a_checklist_and_what_comes_late_lands_in_the_open_month()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, ActiveEngagement.Hourly);
        var (billing, books, time) = (admin.Service<ServiceClient>(), admin.Service<Books>(), admin.Service<TimeService.TimeServiceClient>());
        var (entity, sheet) = (agency.Name + "/legalEntities/main", agency.Name + "/cmos/ada/timesheets/2026-w02");
        Assert.Equal(new Protocol.Billing.V1.Books { LegalEntity = entity }, await books.GetBooksAsync(new GetBooksRequest { Name = entity }));
        await time.LogTimeAsync(new LogTimeRequest { Name = sheet, Entries = { new TimeEntry { EntryId = "a", Engagement = agency.Name + "/engagements/launch", Date = Day(1, 5), Minutes = 60 } } });
        var close = new CloseBooksRequest { Name = entity, ThroughDate = Day(1, 31), RequestId = Guid.CreateVersion7().ToString() };

        // Bad input: the field, the reason, and nothing changed.
        var early = await Refused.By(books.CloseBooksAsync(close));
        Assert.Equal(("through_date", "must be before today, 2026-01-05: a month is closed when it is over"), (Assert.Single(early.FieldViolations).Field, early.FieldViolations[0].Description));
        Assert.Equal("through_date", Assert.Single((await Refused.By(books.CloseBooksAsync(new CloseBooksRequest { Name = entity, ThroughDate = Day(1, 3) }))).FieldViolations).Field);
        Assert.Equal(StatusCode.NotFound, (await Refused.By(books.CloseBooksAsync(new CloseBooksRequest { Name = agency.Name + "/legalEntities/none", ThroughDate = Day(1, 31) }))).StatusCode);
        Assert.Equal(["name", "through_date"], (await Refused.By(books.CloseBooksAsync(new CloseBooksRequest()))).FieldViolations.Select(v => v.Field));

        await agency.AdvanceTo(new DateTime(2026, 2, 2, 12, 0, 0, DateTimeKind.Utc));
        Assert.Equal((Reasons.OpenItems, "1"), ((await Refused.By(books.CloseBooksAsync(close))).Reason, (await Refused.By(books.CloseBooksAsync(close))).Metadata["open_items"]));
        var open = Assert.Single((await books.GetClosingChecklistAsync(new GetClosingChecklistRequest { Name = entity, ThroughDate = Day(1, 31) })).OpenItems);
        Assert.Equal((OpenItemKind.UnsubmittedTime, 1, "ada/2026-W02/a"), (open.Kind, open.Count, open.Resources.Single()));
        var accepted = new CloseBooksRequest(close) { AcceptOpenItems = true, RequestId = Guid.CreateVersion7().ToString() };
        Assert.Equal(Day(1, 31), (await books.CloseBooksAsync(new CloseBooksRequest(accepted) { ValidateOnly = true, RequestId = "" })).ClosingThroughDate);
        Assert.Null((await books.GetBooksAsync(new GetBooksRequest { Name = entity })).ClosedThroughDate);
        var closed = await books.CloseBooksAsync(accepted);
        Assert.Equal((Day(1, 31), null), (closed.ClosedThroughDate, closed.ClosingThroughDate));
        Assert.Equal(closed, await books.CloseBooksAsync(accepted));
        var listed = Assert.Single((await books.ListClosingsAsync(new ListClosingsRequest { Parent = entity })).Closings);
        Assert.Equal((Day(1, 31), 1), (listed.ClosedThroughDate, listed.OpenItems));

        // Submitted and approved afterwards: it is posted on the first open day, and says that it is of 5 January.
        await time.SubmitTimesheetAsync(new SubmitTimesheetRequest { Name = sheet });
        await time.ApproveEntriesAsync(new ApproveEntriesRequest { Name = sheet });
        var lines = (await billing.ListPostingsAsync(new ListPostingsRequest { Parent = agency.Name })).Lines;
        Assert.All(lines, l => Assert.Equal((Day(2, 1), Day(1, 5)), (l.PostingDate, l.EffectiveDate)));
        Assert.Equal([25_000, -25_000], lines.Select(l => l.Amount.MinorUnits).OrderDescending());

        // So does a payment that was received in January, and the invoice that is billed to it.
        await billing.RecordPaymentAsync(new RecordPaymentRequest
        {
            Parent = agency.Name,
            ClientCompany = agency.Name + "/clientCompanies/acme",
            LegalEntity = entity,
            Currency = "USD",
            Amount = new Money { MinorUnits = 100, Currency = "USD" },
            ReceivedDate = Day(1, 30),
            Reference = "WIRE-1",
        });
        var cash = Assert.Single((await billing.ListPostingsAsync(new ListPostingsRequest { Parent = agency.Name, Account = LedgerAccount.Cash })).Lines);
        Assert.Equal((Day(2, 1), Day(1, 30)), (cash.PostingDate, cash.EffectiveDate));
        Assert.Empty((await billing.ListPostingsAsync(new ListPostingsRequest { Parent = agency.Name, EndDate = Day(2, 1) })).Lines);
    }

    private static Date Day(int month, int day) => new() { Year = 2026, Month = month, Day = day };

    /// <summary>What the trial balance and the engagement's balance say as of a date.</summary>
    private static async Task Earned(TestAgency agency, ServiceClient billing, Books books, Date date, long revenue, long deferred, long unbilled)
    {
        var balances = (await billing.GetTrialBalanceAsync(new GetTrialBalanceRequest { Parent = agency.Name, AsOfDate = date })).Balances.ToDictionary(b => b.Account, b => b.Balance.MinorUnits);
        Assert.Equal(0, balances.Values.Sum());
        Assert.Equal(
            (-revenue, -deferred, unbilled),
            (balances.GetValueOrDefault(LedgerAccount.Revenue), balances.GetValueOrDefault(LedgerAccount.DeferredRevenue), balances.GetValueOrDefault(LedgerAccount.UnbilledReceivable)));
        var listed = (await books.ListEngagementBalancesAsync(new ListEngagementBalancesRequest { Parent = agency.Name, AsOfDate = date })).Balances.SingleOrDefault();
        Assert.Equal((revenue, deferred, unbilled), (listed?.Revenue.MinorUnits ?? 0, listed?.DeferredRevenue.MinorUnits ?? 0, listed?.UnbilledReceivable.MinorUnits ?? 0));
    }

    private static async Task Invoice(TestAgency agency, ServiceClient billing, Date to, string id)
    {
        await billing.PrepareInvoiceAsync(new PrepareInvoiceRequest
        {
            Parent = agency.Name,
            ClientCompany = agency.Name + "/clientCompanies/acme",
            LegalEntity = agency.Name + "/legalEntities/main",
            Currency = "USD",
            ToDate = to,
            InvoiceId = id,
        });
        await billing.FinalizeInvoiceAsync(new FinalizeInvoiceRequest { Name = $"{agency.Name}/invoices/{id}" });
    }

    private static Terms Retainer(TestAgency agency, FeeTiming timing) => new()
    {
        Seller = agency.Name + "/legalEntities/main",
        Currency = "USD",
        BillCycleDay = 5,
        Retainer = new RetainerTerms { Fee = new Money { MinorUnits = 800_000, Currency = "USD" }, IncludedMinutes = 100, OverageGate = OverageGate.Block, FeeTiming = timing },
    };
}
