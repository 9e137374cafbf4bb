using AgencyPlatform.Client;
using AgencyPlatform.Domain;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Billing.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Cmos.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using AgencyPlatform.Protocol.Time.V1;
using AgencyPlatform.Protocol.Type.V1;
using Google.Type;
using Grpc.Core;
using Money = AgencyPlatform.Protocol.Type.V1.Money;
using ServiceClient = AgencyPlatform.Protocol.Billing.V1.BillingService.BillingServiceClient;

namespace AgencyPlatform.Gateway.Tests.Billing;

/// <summary>Invoices and the ledger through the public API. The sandbox's clock stands at Monday 5 January 2026, 09:00 UTC.</summary>
[Collection(PlatformFixture.Collection)]
public sealed class BillingTests(PlatformFixture platform)
{
    private static readonly Date s_monday = ActiveEngagement.Monday;
    private static readonly Date s_februaryFifth = new() { Year = 2026, Month = 2, Day = 5 };

    [Fact]
    public async Task A_retainer_with_overage_is_previewed_prepared_finalized_and_posted()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(
            agency, Retainer, billing: new BillingDetails { LegalName = "Acme Inc", Country = "US", PaymentTermDays = 30, TaxCategory = TaxCategory.Standard, TaxRatePercent = "8.875" });
        await Worked(agency, admin, minutes: 120);
        var billing = admin.Service<ServiceClient>();

        var preview = await billing.PreviewInvoiceAsync(Preview(agency, s_februaryFifth));
        var prepare = Prepare(agency, s_februaryFifth, "first");
        var draft = await billing.PrepareInvoiceAsync(prepare);
        Assert.Equal(draft, await billing.PrepareInvoiceAsync(prepare));
        Assert.Equal((preview.Lines, preview.TotalAmount, preview.TaxSubtotals, preview.Buyer), (draft.Lines, draft.TotalAmount, draft.TaxSubtotals, draft.Buyer));
        Assert.Equal(("", 0, InvoiceState.Draft), (preview.Name, preview.Version, draft.State));

        // Two fees in advance, and 20 minutes beyond 100 at $250: 83.33; 8.875 % of 16,083.33 is 1,427.40.
        Assert.Equal([(Charge.Fee, 800_000L), (Charge.Overage, 8_333L), (Charge.Fee, 800_000L)], draft.Lines.Select(l => (l.Charge, l.Amount.MinorUnits)));
        Assert.Equal(["ada/2026-w02/a"], draft.Lines[1].TimeEntries);
        Assert.Equal((1_608_333, 142_740, 1_751_073), (draft.NetAmount.MinorUnits, draft.TaxAmount.MinorUnits, draft.TotalAmount.MinorUnits));
        Assert.Equal(142_740, draft.Lines.Sum(l => l.TaxAmount.MinorUnits));

        var finalize = new FinalizeInvoiceRequest { Name = draft.Name, RequestId = Guid.CreateVersion7().ToString() };
        var final = await billing.FinalizeInvoiceAsync(finalize);
        Assert.Equal(final, await billing.FinalizeInvoiceAsync(finalize));
        Assert.Equal((1, "MAIN-000001", s_monday, new Date { Year = 2026, Month = 2, Day = 4 }), (final.Number, final.DocumentNumber, final.IssueDate, final.DueDate));
        Assert.Equal((draft.Lines, draft.TotalAmount, draft.Uid), (final.Lines, final.TotalAmount, final.Uid));
        Assert.Equal(final, await billing.GetInvoiceAsync(new GetInvoiceRequest { Name = final.Name }));
        Assert.Equal(final.DocumentNumber, (await billing.ListInvoicesAsync(new ListInvoicesRequest { Parent = agency.Name, State = InvoiceState.Finalized })).Invoices.Single().DocumentNumber);

        var balances = (await billing.GetTrialBalanceAsync(new GetTrialBalanceRequest { Parent = agency.Name })).Balances.ToDictionary(b => b.Account, b => b.Balance.MinorUnits);
        Assert.Equal(0, balances.Values.Sum());
        Assert.Equal(
            (1_751_073, -1_600_000, 0, -8_333, -142_740),
            (balances[LedgerAccount.Receivable], balances[LedgerAccount.DeferredRevenue], balances[LedgerAccount.UnbilledReceivable], balances[LedgerAccount.Revenue], balances[LedgerAccount.TaxPayable]));
        var postings = (await billing.ListPostingsAsync(new ListPostingsRequest { Parent = agency.Name, Account = LedgerAccount.Receivable })).Lines;
        Assert.Equal((agency.Name + "/clientCompanies/acme", 1_751_073), (postings.Single().ClientCompany, postings.Single().Amount.MinorUnits));
        Assert.Empty((await billing.ListPostingsAsync(new ListPostingsRequest { Parent = agency.Name, StartDate = new Date { Year = 2026, Month = 1, Day = 6 } })).Lines);
    }

    [Fact]
    public async Task A_draft_is_refreshed_goes_stale_and_is_discarded_for_good()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, Retainer);
        var billing = admin.Service<ServiceClient>();
        var draft = await billing.PrepareInvoiceAsync(Prepare(agency, s_februaryFifth, "draft"));
        await Worked(agency, admin, minutes: 160);

        var stale = await Refused.By(billing.FinalizeInvoiceAsync(new FinalizeInvoiceRequest { Name = draft.Name }));
        Assert.Equal((StatusCode.FailedPrecondition, Reasons.DraftStale, "1600000", "1625000"), (stale.StatusCode, stale.Reason, stale.Metadata["draft_total"], stale.Metadata["current_total"]));
        Assert.Equal(Reasons.DraftOpen, (await Refused.By(billing.PrepareInvoiceAsync(Prepare(agency, s_februaryFifth, "other")))).Reason);
        var refreshed = await billing.PrepareInvoiceAsync(Prepare(agency, s_februaryFifth, ""));
        Assert.Equal((draft.Name, draft.Uid, 1_625_000), (refreshed.Name, refreshed.Uid, refreshed.TotalAmount.MinorUnits));
        Assert.Equal(StatusCode.Aborted, (await Refused.By(billing.FinalizeInvoiceAsync(new FinalizeInvoiceRequest { Name = draft.Name, Etag = draft.Etag }))).StatusCode);

        var discard = new DiscardInvoiceRequest { Name = draft.Name, RequestId = Guid.CreateVersion7().ToString() };
        await billing.DiscardInvoiceAsync(discard);
        await billing.DiscardInvoiceAsync(discard);
        Assert.Equal(StatusCode.NotFound, (await Refused.By(billing.GetInvoiceAsync(new GetInvoiceRequest { Name = draft.Name }))).StatusCode);
        Assert.Empty((await billing.ListInvoicesAsync(new ListInvoicesRequest { Parent = agency.Name })).Invoices);
        Assert.Equal(StatusCode.AlreadyExists, (await Refused.By(billing.PrepareInvoiceAsync(Prepare(agency, s_februaryFifth, "draft")))).StatusCode);
        Assert.Equal(
            Reasons.NothingToBill, (await Refused.By(billing.PreviewInvoiceAsync(Preview(agency, new Date { Year = 2026, Month = 1, Day = 4 })))).Reason);
    }

    [Fact]
    public async Task Fifty_parallel_finalizations_number_one_to_fifty()
    {
        const int Count = 50;
        var agency = await platform.NewAgency();
        await Parallel.ForEachAsync(Enumerable.Range(0, Count), new ParallelOptions { MaxDegreeOfParallelism = 10 }, async (i, _) =>
            await ActiveEngagement.Create(agency, Retainer, $"client-{i}", $"cmo-{i % 5}", $"engagement-{i}", weeklyMinutes: 60));
        var billing = platform.Client(await agency.Key(Role.Finance), retries: 10).Service<ServiceClient>();
        await Parallel.ForEachAsync(Enumerable.Range(0, Count), async (i, _) => await billing.PrepareInvoiceAsync(Prepare(agency, s_monday, $"invoice-{i}", $"client-{i}")));

        // Every one is asked for twice at once, with the same request id.
        var requests = Enumerable.Range(0, Count).Select(i => new FinalizeInvoiceRequest { Name = $"{agency.Name}/invoices/invoice-{i}", RequestId = Guid.CreateVersion7().ToString() }).ToList();
        var invoices = await Task.WhenAll(requests.Concat(requests).Select(async r => await billing.FinalizeInvoiceAsync(r)));

        Assert.Equal(Enumerable.Range(1, Count).Select(n => (long)n), invoices.Take(Count).Select(i => i.Number).Order());
        Assert.All(Enumerable.Range(0, Count), i => Assert.Equal(invoices[i], invoices[Count + i]));
        var balances = (await billing.GetTrialBalanceAsync(new GetTrialBalanceRequest { Parent = agency.Name })).Balances;
        Assert.Equal(Count * 800_000, balances.Single(b => b.Account == LedgerAccount.Receivable).Balance.MinorUnits);
        Assert.Equal(0, balances.Sum(b => b.Balance.MinorUnits));
    }

    [Fact]
    public async Task A_client_sees_its_own_final_invoices_only()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, Retainer);
        await ActiveEngagement.Create(agency, Retainer, "zenith", "bob", "other");
        var billing = admin.Service<ServiceClient>();
        var own = await billing.PrepareInvoiceAsync(Prepare(agency, s_monday, "own"));
        var other = await billing.PrepareInvoiceAsync(Prepare(agency, s_monday, "others", "zenith"));
        await billing.FinalizeInvoiceAsync(new FinalizeInvoiceRequest { Name = other.Name });
        var viewer = (await agency.As(Role.ClientViewer, client: "acme")).Service<ServiceClient>();

        Assert.Equal(StatusCode.NotFound, (await Refused.By(viewer.GetInvoiceAsync(new GetInvoiceRequest { Name = own.Name }))).StatusCode);
        Assert.Equal(StatusCode.NotFound, (await Refused.By(viewer.GetInvoiceAsync(new GetInvoiceRequest { Name = other.Name }))).StatusCode);
        Assert.Empty((await viewer.ListInvoicesAsync(new ListInvoicesRequest { Parent = agency.Name })).Invoices);
        await billing.FinalizeInvoiceAsync(new FinalizeInvoiceRequest { Name = own.Name });
        Assert.Equal(own.Name, (await viewer.GetInvoiceAsync(new GetInvoiceRequest { Name = own.Name })).Name);
        Assert.Equal(own.Name, (await viewer.ListInvoicesAsync(new ListInvoicesRequest { Parent = agency.Name })).Invoices.Single().Name);
        Assert.Equal(StatusCode.PermissionDenied, (await Refused.By(viewer.GetTrialBalanceAsync(new GetTrialBalanceRequest { Parent = agency.Name }))).StatusCode);
    }

    [Fact]
    public async Task Every_bad_field_is_named()
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();
        var bad = await Refused.By(admin.Service<ServiceClient>().PrepareInvoiceAsync(new PrepareInvoiceRequest
        {
            Parent = agency.Name,
            ClientCompany = "acme",
            LegalEntity = "agencies/another/legalEntities/main",
            Currency = "XXX",
            ToDate = new Date { Year = 2026, Month = 2, Day = 30 },
            InvoiceId = "Nr 1",
        }));
        Assert.Equal(["client_company", "currency", "invoice_id", "legal_entity", "to_date"], bad.FieldViolations.Select(f => f.Field).Order());
        Assert.Equal(StatusCode.NotFound, (await Refused.By(admin.Service<ServiceClient>().PrepareInvoiceAsync(Prepare(agency, s_monday, "x", "nobody")))).StatusCode);

        var tax = await Refused.By(admin.Service<ClientsService.ClientsServiceClient>().CreateClientCompanyAsync(new CreateClientCompanyRequest
        {
            Parent = agency.Name,
            ClientCompanyId = "c",
            ClientCompany = new ClientCompany { DisplayName = "C", TimeZone = "America/New_York", Billing = new BillingDetails { TaxCategory = TaxCategory.ReverseCharge, TaxRatePercent = "19" } },
        }));
        Assert.Equal(["client_company.billing.tax_rate_percent"], tax.FieldViolations.Select(f => f.Field));
        await ActiveEngagement.Create(agency, Retainer);
        var far = await Refused.By(admin.Service<ServiceClient>().PreviewInvoiceAsync(Preview(agency, new Date { Year = 2027, Month = 1, Day = 7 })));
        Assert.Equal(("to_date", "must be at most 366 days after today: up to 2027-01-06"), (far.FieldViolations.Single().Field, far.FieldViolations.Single().Description));
    }

    // ---- what the tests are built of ----

    private static Terms Retainer(TestAgency agency) => new()
    {
        Seller = agency.Name + "/legalEntities/main",
        Currency = "USD",
        BillCycleDay = 5,
        Retainer = new RetainerTerms
        {
            Fee = new Money { MinorUnits = 800_000, Currency = "USD" },
            IncludedMinutes = 100,
            OverageHourlyRate = new Money { MinorUnits = 25_000, Currency = "USD" },
            OverageGate = OverageGate.Bill,
            FeeTiming = FeeTiming.InAdvance,
        },
    };

    private static PreviewInvoiceRequest Preview(TestAgency agency, Date to) =>
        new() { Parent = agency.Name, ClientCompany = agency.Name + "/clientCompanies/acme", LegalEntity = agency.Name + "/legalEntities/main", Currency = "USD", ToDate = to };

    private static PrepareInvoiceRequest Prepare(TestAgency agency, Date to, string id, string client = "acme") => new()
    {
        Parent = agency.Name,
        ClientCompany = $"{agency.Name}/clientCompanies/{client}",
        LegalEntity = agency.Name + "/legalEntities/main",
        Currency = "USD",
        ToDate = to,
        InvoiceId = id,
        RequestId = Guid.CreateVersion7().ToString(),
    };

    private static async Task Worked(TestAgency agency, AgencyPlatformClient admin, int minutes)
    {
        var time = admin.Service<TimeService.TimeServiceClient>();
        var sheet = agency.Name + "/cmos/ada/timesheets/2026-w02";
        await time.LogTimeAsync(new LogTimeRequest
        {
            Name = sheet,
            Entries = { new TimeEntry { EntryId = "a", Engagement = agency.Name + "/engagements/launch", Date = s_monday, Minutes = minutes } },
        });
        await time.SubmitTimesheetAsync(new SubmitTimesheetRequest { Name = sheet });
        Assert.True((await time.ApproveEntriesAsync(new ApproveEntriesRequest { Name = sheet })).Results.Single().Approved);
    }
}
