using AgencyPlatform.Client;
using AgencyPlatform.Domain;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Billing.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using AgencyPlatform.Protocol.Time.V1;
using Google.Type;
using Grpc.Core;
using CutOverClient = AgencyPlatform.Protocol.Billing.V1.CutOverService.CutOverServiceClient;
using Money = AgencyPlatform.Protocol.Type.V1.Money;
using ServiceClient = AgencyPlatform.Protocol.Billing.V1.BillingService.BillingServiceClient;

namespace AgencyPlatform.Gateway.Tests.Billing;

/// <summary>
/// A running agency comes over, through the public API. It is 3 April 2026; the books are kept here from 1 April on. Growth, a retainer of $8,000 with 2,400 minutes, runs since
/// 1 March 2024; so does Hours, prepaid.
/// </summary>
[Collection(PlatformFixture.Collection)]
public sealed class CutOverTests(PlatformFixture platform)
{
    [Fact]
    public async Task A_running_agency_comes_over_and_goes_on()
    {
        var agency = await Agency();
        var admin = await agency.Admin();
        var (cutOver, billing) = (admin.Service<CutOverClient>(), admin.Service<ServiceClient>());
        var request = Books(agency);

        // What if: nothing is recorded.
        request.ValidateOnly = true;
        var asked = await cutOver.ImportOpenBooksAsync(request);
        Assert.Equal(
            [
                (LedgerAccount.Receivable, 650_000L), (LedgerAccount.DeferredRevenue, -260_000L), (LedgerAccount.ClientCredit, -30_000L), (LedgerAccount.CmoPayable, -70_000L),
                (LedgerAccount.OpeningBalance, -290_000L),
            ],
            asked.OpeningBalances.Select(b => (b.Account, b.Balance.MinorUnits)));
        Assert.Empty((await billing.GetTrialBalanceAsync(new GetTrialBalanceRequest { Parent = agency.Name })).Balances);
        Assert.Equal(StatusCode.NotFound, (await Refused.By(cutOver.GetOpenBooksImportAsync(new GetOpenBooksImportRequest { Name = asked.Name }))).StatusCode);

        // Done, and done once: the trial balance is the opening balances.
        (request.ValidateOnly, request.RequestId) = (false, Guid.CreateVersion7().ToString());
        var import = await cutOver.ImportOpenBooksAsync(request);
        Assert.Equal((true, 8, "", asked.OpeningBalances), (import.Done, import.Rows, import.Series.Single().Reason, import.OpeningBalances));
        Assert.Equal(import, await cutOver.ImportOpenBooksAsync(request));
        request.RequestId = Guid.CreateVersion7().ToString();
        Assert.Equal(import, await cutOver.ImportOpenBooksAsync(request));
        Assert.Equal(import, await cutOver.GetOpenBooksImportAsync(new GetOpenBooksImportRequest { Name = import.Name }));
        Assert.Equal([import], (await cutOver.ListOpenBooksImportsAsync(new ListOpenBooksImportsRequest { Parent = agency.Name })).OpenBooksImports);
        var trial = await billing.GetTrialBalanceAsync(new GetTrialBalanceRequest { Parent = agency.Name });
        Assert.Equal(import.OpeningBalances.OrderBy(b => b.Account), trial.Balances.OrderBy(b => b.Account));
        Assert.Empty((await billing.GetTrialBalanceAsync(new GetTrialBalanceRequest { Parent = agency.Name, AsOfDate = Day(3, 31) })).Balances);
        (request.OpenBooksImportId, request.RequestId) = ("again", "");
        Assert.Equal(
            ["invoices[0].number", "invoices[1].number"], (await Refused.By(cutOver.ImportOpenBooksAsync(request))).FieldViolations.Select(v => v.Field));

        await OldInvoices(agency, import.Name);
        await Meters(agency);
        await WhatAdaIsOwed(agency);

        // The first fee here covers April 2026, its number goes on, and the client's credit goes into it.
        var preview = await billing.PreviewInvoiceAsync(new PreviewInvoiceRequest { Parent = agency.Name, ClientCompany = Name(agency, "clientCompanies/acme"), LegalEntity = Seller(agency), Currency = "USD", ToDate = Day(4, 1) });
        Assert.Equal((Charge.Fee, Day(4, 1), Day(5, 1), 800_000), preview.Lines.Select(l => (l.Charge, l.ServiceStartDate, l.ServiceEndDate, l.Amount.MinorUnits)).Single());
        var draft = await billing.PrepareInvoiceAsync(new PrepareInvoiceRequest { Parent = agency.Name, ClientCompany = Name(agency, "clientCompanies/acme"), LegalEntity = Seller(agency), Currency = "USD", ToDate = Day(4, 1), InvoiceId = "april" });
        var april = await billing.FinalizeInvoiceAsync(new FinalizeInvoiceRequest { Name = draft.Name });
        Assert.Equal([april.Name], (await billing.ListInvoicesAsync(new ListInvoicesRequest { Parent = agency.Name, DocumentNumber = "main-000118" })).Invoices.Select(i => i.Name));
        Assert.Empty((await billing.ListInvoicesAsync(new ListInvoicesRequest { Parent = agency.Name, DocumentNumber = "MAIN-000119" })).Invoices);
        Assert.Empty((await billing.ListInvoicesAsync(new ListInvoicesRequest { Parent = agency.Name, DocumentNumber = "main-000118", ClientCompany = Name(agency, "clientCompanies/bolt") })).Invoices);
        Assert.Equal(("MAIN-000118", 30_000, 770_000), (april.DocumentNumber, april.PrepaidAmount.MinorUnits, april.OpenAmount.MinorUnits));
        Assert.Equal(Reasons.NothingToBill, (await Refused.By(billing.PreviewInvoiceAsync(new PreviewInvoiceRequest
        {
            Parent = agency.Name,
            ClientCompany = Name(agency, "clientCompanies/bolt"),
            LegalEntity = Seller(agency),
            Currency = "USD",
            ToDate = Day(12, 31),
        }))).Reason);
        Assert.Equal(0, (await billing.GetTrialBalanceAsync(new GetTrialBalanceRequest { Parent = agency.Name })).Balances.Sum(b => b.Balance.MinorUnits));

        // What came deferred is earned: $2,000 by its 61 days, $600 by 90 of 240 minutes; all of it when the block has expired.
        Assert.Equal((98_361 + 22_500, 260_000 - 98_361 - 22_500), await Earned(Day(4, 30)));
        await agency.AdvanceTo(new System.DateTime(2026, 9, 2, 12, 0, 0, DateTimeKind.Utc));
        Assert.Equal((98_361 + 22_500, 260_000 - 98_361 - 22_500), await Earned(Day(4, 30)));
        Assert.Equal((200_000 + 22_500, 60_000 - 22_500), await Earned(Day(8, 31)));
        Assert.Equal((260_000, 0), await Earned(Day(9, 1)));

        // A month that is closed takes no import.
        await admin.Service<BooksService.BooksServiceClient>().CloseBooksAsync(new CloseBooksRequest { Name = Seller(agency), ThroughDate = Day(8, 31), AcceptOpenItems = true });
        var late = await Refused.By(cutOver.ImportOpenBooksAsync(new ImportOpenBooksRequest
        {
            Parent = agency.Name,
            LegalEntity = Seller(agency),
            Currency = "USD",
            CutOverDate = Day(8, 31),
            ClientCredits = { new OpeningCredit { ClientCompany = Name(agency, "clientCompanies/acme"), Amount = Dollars(1) } },
        }));
        Assert.Equal("cut_over_date", Assert.Single(late.FieldViolations).Field);

        async Task<(long Revenue, long Deferred)> Earned(Date date)
        {
            var hours = (await admin.Service<BooksService.BooksServiceClient>().ListEngagementBalancesAsync(
                new ListEngagementBalancesRequest { Parent = agency.Name, AsOfDate = date, ClientCompany = Name(agency, "clientCompanies/bolt") })).Balances.Single();
            return (hours.Revenue.MinorUnits, hours.DeferredRevenue.MinorUnits);
        }
    }

    [Fact]
    public async Task Every_bad_row_is_named_at_once_and_nothing_is_imported()
    {
        var agency = await Agency();
        var admin = await agency.Admin();
        var cutOver = admin.Service<CutOverClient>();
        var request = Books(agency);
        request.Invoices[0].DueDate = Day(1, 1);
        request.Invoices[1].Number = request.Invoices[0].Number;
        request.Invoices[1].OpenAmount = Dollars(-5);
        request.Invoices[1].ClientCompany = Name(agency, "clientCompanies/nobody");
        request.ClientCredits[0].Amount = new Money { MinorUnits = 5, Currency = "EUR" };
        request.DeferredRevenue[0].Engagement = Name(agency, "engagements/unknown");
        request.Grants[1].ExpireDate = Day(4, 1);
        request.Grants[1].DeferredAmount.MinorUnits = -1;
        request.CmoPayables[0].Cmo = Name(agency, "cmos/nobody");
        request.Series[0].Series = "other";
        var error = await Refused.By(cutOver.ImportOpenBooksAsync(request));
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        Assert.Equal(
            [
                "client_credits[0].amount.currency", "cmo_payables[0].cmo", "deferred_revenue[0].engagement", "grants[1].deferred_amount.minor_units", "grants[1].expire_date",
                "invoices[0].due_date", "invoices[1].client_company", "invoices[1].number", "invoices[1].open_amount.minor_units", "series[0].series",
            ],
            error.FieldViolations.Select(v => v.Field).Order(StringComparer.Ordinal));

        // What cannot be read is told before.
        request.Invoices[0].IssueDate = null;
        request.Grants[0].Kind = OpeningGrantKind.Unspecified;
        Assert.Equal(["grants[0].kind", "invoices[0].issue_date"], (await Refused.By(cutOver.ImportOpenBooksAsync(request))).FieldViolations.Select(v => v.Field).Order());

        Assert.Empty((await admin.Service<ServiceClient>().GetTrialBalanceAsync(new GetTrialBalanceRequest { Parent = agency.Name })).Balances);
        var elsewhere = Books(agency);
        elsewhere.LegalEntity = Name(agency, "legalEntities/nothing");
        var missing = await Refused.By(cutOver.ImportOpenBooksAsync(elsewhere));
        Assert.Equal((StatusCode.NotFound, elsewhere.LegalEntity), (missing.StatusCode, missing.Metadata["resource_name"]));
    }

    [Fact]
    public async Task A_number_of_an_imported_invoice_is_printed_by_no_series_whatever_is_set_afterwards()
    {
        var agency = await Agency();
        var admin = await agency.Admin();
        var (cutOver, billing) = (admin.Service<CutOverClient>(), admin.Service<ServiceClient>());
        var main = $"{Seller(agency)}/invoiceSeries/main";
        await billing.SetInvoiceSeriesSettingsAsync(new SetInvoiceSeriesSettingsRequest { Name = main, Settings = new InvoiceSeriesSettings { Prefix = "{year}-", Digits = 3, RestartsYearly = true } });
        var request = Books(agency);
        request.Invoices.Add(new OpenInvoice(request.Invoices[0]) { Number = "OLD-000007" });
        request.Invoices.Add(new OpenInvoice(request.Invoices[0]) { Number = "2041-001" });
        var yetToCome = (await Refused.By(cutOver.ImportOpenBooksAsync(request))).FieldViolations.Single();
        Assert.Equal("invoices[3].number", yetToCome.Field);
        request.Invoices.RemoveAt(3);
        await cutOver.ImportOpenBooksAsync(request);

        // Neither is a series set back, nor does another one print what is out.
        foreach (var (last, year) in new[] { (116, 2026), (500, 2025) })
        {
            var back = await Refused.By(billing.ConfirmInvoiceSeriesAsync(new ConfirmInvoiceSeriesRequest { Name = main, LastNumber = last, Year = year }));
            Assert.Equal((StatusCode.FailedPrecondition, Reasons.NumberImported, "2026-117"), (back.StatusCode, back.Reason, back.Metadata["document_number"]));
        }

        var laterImport = new ImportOpenBooksRequest(Books(agency)) { OpenBooksImportId = "later" };
        laterImport.Series[0].NextNumber = 2;
        laterImport.Invoices.Clear();
        Assert.Contains("2026-117", (await Refused.By(cutOver.ImportOpenBooksAsync(laterImport))).FieldViolations.Single(v => v.Field == "series[0].series").Description, StringComparison.Ordinal);

        var entity = await admin.Agencies.GetLegalEntityAsync(new GetLegalEntityRequest { Name = Seller(agency) });
        entity.DefaultInvoiceSeries = "old";
        Assert.Equal(Reasons.NumberImported, (await Refused.By(admin.Agencies.UpdateLegalEntityAsync(new UpdateLegalEntityRequest { LegalEntity = entity }))).Reason);
        var old = new SetInvoiceSeriesSettingsRequest { Name = $"{Seller(agency)}/invoiceSeries/other", Settings = new InvoiceSeriesSettings { Prefix = "old-", Digits = 6 } };
        Assert.Equal(Reasons.NumberImported, (await Refused.By(billing.SetInvoiceSeriesSettingsAsync(old))).Reason);
        old.Settings.Digits = 5;
        await billing.SetInvoiceSeriesSettingsAsync(old);

        // What a series has given is imported no more.
        var draft = await billing.PrepareInvoiceAsync(new PrepareInvoiceRequest { Parent = agency.Name, ClientCompany = Name(agency, "clientCompanies/acme"), LegalEntity = Seller(agency), Currency = "USD", ToDate = Day(4, 1), InvoiceId = "april" });
        Assert.Equal("2026-118", (await billing.FinalizeInvoiceAsync(new FinalizeInvoiceRequest { Name = draft.Name })).DocumentNumber);
        var given = new ImportOpenBooksRequest { Parent = agency.Name, OpenBooksImportId = "given", LegalEntity = Seller(agency), Currency = "USD", CutOverDate = Day(4, 1), Invoices = { new OpenInvoice(request.Invoices[0]) { Number = "2026-118" } } };
        Assert.Equal("invoices[0].number", (await Refused.By(cutOver.ImportOpenBooksAsync(given))).FieldViolations.Single().Field);
    }

    [Fact]
    public async Task An_engagement_that_would_be_billed_for_the_time_before_is_refused()
    {
        var agency = await platform.NewAgency(start: s_now);
        var admin = await ActiveEngagement.Create(agency, Retainer, start: Day(1, 5), billingStart: Day(3, 1));
        var request = new ImportOpenBooksRequest
        {
            Parent = agency.Name,
            LegalEntity = Seller(agency),
            Currency = "USD",
            CutOverDate = Day(4, 1),
            Grants = { new OpeningGrant { Engagement = Name(agency, "engagements/launch"), Kind = OpeningGrantKind.Carried, Minutes = 10, ExpireDate = Day(6, 1) } },
        };
        var refused = await Refused.By(admin.Service<CutOverClient>().ImportOpenBooksAsync(request));
        Assert.Equal("grants[0].engagement", refused.FieldViolations.Single().Field);
        Assert.Contains("2026-03-01", refused.FieldViolations.Single().Description, StringComparison.Ordinal);
    }

    // ---- the parts of the story ----

    private static async Task OldInvoices(TestAgency agency, string import)
    {
        var billing = (await agency.As(Role.Finance)).Service<ServiceClient>();
        var old = (await billing.ListInvoicesAsync(new ListInvoicesRequest { Parent = agency.Name, DocumentNumber = "2026-117" })).Invoices.Single();
        Assert.Equal(("2026-117", import, InvoiceState.PartiallyPaid, 50_000, true), (old.DocumentNumber, old.OpenBooksImport, old.State, old.OpenAmount.MinorUnits, old.Overdue));
        var whole = await billing.GetInvoiceAsync(new GetInvoiceRequest { Name = old.Name });
        Assert.Equal(("2026-117", import, 100_000, 19_000, 69_000, 0), (
            whole.DocumentNumber, whole.OpenBooksImport, whole.NetAmount.MinorUnits, whole.TaxAmount.MinorUnits, whole.SettledBeforeAmount.MinorUnits, whole.Number));

        var why = await (await agency.As(Role.Finance)).Service<ExplanationsService.ExplanationsServiceClient>().ExplainInvoiceAsync(new ExplainInvoiceRequest { Name = old.Name });
        Assert.Equal(why.OpenAmount.MinorUnits, why.TotalAmount.MinorUnits + why.Settlements.Sum(s => s.Amount.MinorUnits));
        Assert.Equal(
            ["This invoice was issued before the books were taken over: its lines are on it. Without tax: 1,000.00 USD.", "Total: 1,000.00 + 190.00 = 1,190.00 USD.", "Settled before the books were taken over: –690.00 USD."],
            why.Text.SkipLast(1));

        // It has no document here.
        foreach (var format in new[] { DocumentFormat.Ubl, DocumentFormat.Pdf, DocumentFormat.Csv, DocumentFormat.Json })
        {
            Assert.Equal(Reasons.InvoiceImported, (await Refused.By(billing.ExportInvoiceAsync(new ExportInvoiceRequest { Name = old.Name, Format = format }))).Reason);
        }

        Assert.Single((await billing.ExportInvoicesAsync(new ExportInvoicesRequest { Parent = agency.Name, StartDate = Day(1, 1), EndDate = Day(5, 1) })).Data.ToStringUtf8().Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(Reasons.InvoiceImported, (await Refused.By(billing.CreditInvoiceAsync(new CreditInvoiceRequest { Name = old.Name }))).Reason);

        // The client sees it; aging and statement have it from the cut-over on.
        var viewer = (await agency.As(Role.ClientViewer, client: "acme")).Service<ServiceClient>();
        Assert.Equal("2026-117", (await viewer.GetInvoiceAsync(new GetInvoiceRequest { Name = old.Name })).DocumentNumber);
        var aging = (await billing.GetAgingAsync(new GetAgingRequest { Parent = agency.Name, AsOfDate = Day(4, 3) })).Totals.Single();
        Assert.Equal((600_000, 50_000, 30_000), (aging.CurrentAmount.MinorUnits, aging.Overdue31To60Amount.MinorUnits, aging.CreditAmount.MinorUnits));
        Assert.Empty((await billing.GetAgingAsync(new GetAgingRequest { Parent = agency.Name, AsOfDate = Day(3, 31) })).Accounts);
        var statement = await billing.GetAccountStatementAsync(Statement());
        Assert.Equal(
            [(AccountEntryKind.BroughtOver, 50_000L), (AccountEntryKind.BroughtOver, -30_000L)], statement.Entries.Select(e => (e.Kind, e.Amount.MinorUnits)));
        Assert.Equal(20_000, statement.ClosingBalances.Single().MinorUnits);

        // It is paid like any other, and one that will not be paid is written off.
        var paid = await billing.RecordPaymentAsync(new RecordPaymentRequest
        {
            Parent = agency.Name,
            ClientCompany = Name(agency, "clientCompanies/acme"),
            LegalEntity = Seller(agency),
            Currency = "USD",
            Amount = Dollars(50_000),
            ReceivedDate = Day(4, 2),
            Reference = "WIRE-1",
        });
        Assert.Equal((old.Name, 50_000), paid.Allocations.Select(a => (a.Invoice, a.Amount.MinorUnits)).Single());
        Assert.Equal(InvoiceState.Paid, (await billing.GetInvoiceAsync(new GetInvoiceRequest { Name = old.Name })).State);
        var bolt = (await billing.ListInvoicesAsync(new ListInvoicesRequest { Parent = agency.Name, DocumentNumber = "2026-101" })).Invoices.Single();
        Assert.Equal(600_000, (await billing.WriteOffInvoiceAsync(new WriteOffInvoiceRequest { Name = bolt.Name, Reason = "Insolvent." })).WrittenOffAmount.MinorUnits);

        GetAccountStatementRequest Statement() => new()
        {
            Parent = agency.Name,
            ClientCompany = Name(agency, "clientCompanies/acme"),
            LegalEntity = Seller(agency),
            Currency = "USD",
            StartDate = Day(4, 1),
            EndDate = Day(5, 1),
        };
    }

    private static async Task Meters(TestAgency agency)
    {
        var time = (await agency.Admin()).Service<TimeService.TimeServiceClient>();
        var growth = await time.GetMeterAsync(new GetMeterRequest { Name = Name(agency, "engagements/growth"), Date = Day(4, 3) });
        Assert.Equal([(GrantOrigin.Carried, 250), (GrantOrigin.Included, 2_400)], growth.Grants.Select(g => (g.Origin, g.RemainingMinutes)));
        var hours = await time.GetMeterAsync(new GetMeterRequest { Name = Name(agency, "engagements/hours"), Date = Day(4, 3) });
        Assert.Equal([(GrantOrigin.Prepaid, 240)], hours.Grants.Where(g => g.RemainingMinutes > 0).Select(g => (g.Origin, g.RemainingMinutes)));
        var block = (await (await agency.Admin()).Service<EngagementsService.EngagementsServiceClient>().GetEngagementAsync(new GetEngagementRequest { Name = Name(agency, "engagements/hours") })).PrepaidBlocks[^1];
        Assert.Equal((0, 60_000), (block.Price.MinorUnits, block.DeferredAmount.MinorUnits));

        // They are drawn.
        var sheet = Name(agency, "cmos/bob/timesheets/2026-w14");
        await time.LogTimeAsync(new LogTimeRequest { Name = sheet, Entries = { new TimeEntry { EntryId = "a", Engagement = Name(agency, "engagements/hours"), Date = Day(4, 1), Minutes = 90 } } });
        await time.SubmitTimesheetAsync(new SubmitTimesheetRequest { Name = sheet });
        Assert.True((await time.ApproveEntriesAsync(new ApproveEntriesRequest { Name = sheet })).Results.Single().Approved);
        Assert.Equal(150, (await time.GetMeterAsync(new GetMeterRequest { Name = Name(agency, "engagements/hours"), Date = Day(4, 3) })).RemainingMinutes);
    }

    private static async Task WhatAdaIsOwed(TestAgency agency)
    {
        var payables = (await agency.Admin()).Service<PayablesService.PayablesServiceClient>();
        var statement = await payables.GetCmoStatementAsync(new GetCmoStatementRequest { Name = Name(agency, "cmos/ada"), LegalEntity = Seller(agency), Currency = "USD", StartDate = Day(4, 1), EndDate = Day(5, 1) });
        Assert.Equal((0, 70_000, 0, 70_000), (statement.OpeningBalance.MinorUnits, statement.EarnedAmount.MinorUnits, statement.PaidAmount.MinorUnits, statement.ClosingBalance.MinorUnits));
        Assert.Equal((Day(4, 1), "", 70_000), statement.Lines.Select(l => (l.Date, l.Engagement, l.Amount.MinorUnits)).Single());
        var run = await payables.RunPayoutsAsync(new RunPayoutsRequest
        {
            Parent = agency.Name,
            PayoutRunId = "april",
            LegalEntity = Seller(agency),
            Currency = "USD",
            ThroughDate = Day(4, 1),
            PayDate = Day(4, 3),
            Reference = "april",
        });
        Assert.Equal((Name(agency, "cmos/ada"), 70_000, ""), run.Items.Select(i => (i.Cmo, i.Amount.MinorUnits, i.Reason)).Single());
        statement = await payables.GetCmoStatementAsync(new GetCmoStatementRequest { Name = Name(agency, "cmos/ada"), LegalEntity = Seller(agency), Currency = "USD", StartDate = Day(4, 1), EndDate = Day(5, 1) });
        Assert.Equal((70_000, 70_000, 0), (statement.EarnedAmount.MinorUnits, statement.PaidAmount.MinorUnits, statement.ClosingBalance.MinorUnits));
    }

    // ---- what the tests are built of ----

    private static readonly DateTimeOffset s_now = new(2026, 4, 3, 16, 0, 0, TimeSpan.Zero);
    private static readonly Date s_since = new() { Year = 2024, Month = 3, Day = 1 };

    private async Task<TestAgency> Agency()
    {
        var agency = await platform.NewAgency(start: s_now);
        await ActiveEngagement.Create(agency, Retainer, "acme", "ada", "growth", start: s_since, billingStart: Day(4, 1));
        await ActiveEngagement.Create(agency, Prepaid, "bolt", "bob", "hours", start: s_since, billingStart: Day(4, 1));
        return agency;
    }

    private static ImportOpenBooksRequest Books(TestAgency agency) => new()
    {
        Parent = agency.Name,
        OpenBooksImportId = "cut-over",
        LegalEntity = Seller(agency),
        Currency = "USD",
        CutOverDate = Day(4, 1),
        Invoices =
        {
            new OpenInvoice
            {
                ClientCompany = Name(agency, "clientCompanies/acme"), Number = "2026-117", IssueDate = Day(2, 1), DueDate = Day(3, 3), TotalAmount = Dollars(119_000), TaxAmount = Dollars(19_000), OpenAmount = Dollars(50_000),
            },
            new OpenInvoice { ClientCompany = Name(agency, "clientCompanies/bolt"), Number = "2026-101", IssueDate = Day(3, 20), DueDate = Day(4, 19), TotalAmount = Dollars(600_000), OpenAmount = Dollars(600_000) },
        },
        ClientCredits = { new OpeningCredit { ClientCompany = Name(agency, "clientCompanies/acme"), Amount = Dollars(30_000) } },
        DeferredRevenue = { new OpeningDeferral { Engagement = Name(agency, "engagements/hours"), Amount = Dollars(200_000), StartDate = Day(4, 1), EndDate = Day(6, 1) } },
        Grants =
        {
            new OpeningGrant { Engagement = Name(agency, "engagements/growth"), Kind = OpeningGrantKind.Carried, Minutes = 250, ExpireDate = Day(6, 1) },
            new OpeningGrant { Engagement = Name(agency, "engagements/hours"), Kind = OpeningGrantKind.Prepaid, Minutes = 240, ExpireDate = Day(9, 1), DeferredAmount = Dollars(60_000) },
        },
        CmoPayables = { new OpeningPayable { Cmo = Name(agency, "cmos/ada"), Amount = Dollars(70_000) } },
        Series = { new OpeningSeries { Series = "main", NextNumber = 118 } },
    };

    private static Terms Retainer(TestAgency agency) => new()
    {
        Seller = Seller(agency),
        Currency = "USD",
        BillCycleDay = 1,
        Retainer = new RetainerTerms
        {
            Fee = Dollars(800_000),
            IncludedMinutes = 2_400,
            OverageHourlyRate = Dollars(25_000),
            OverageGate = OverageGate.Consent,
            Rollover = new Rollover { CapMinutes = 600, Periods = 3 },
        },
    };

    private static Terms Prepaid(TestAgency agency) => new()
    {
        Seller = Seller(agency),
        Currency = "USD",
        BillCycleDay = 1,
        Prepaid = new PrepaidTerms { BlockPrice = Dollars(150_000), BlockMinutes = 600, ValidMonths = 60, OverageHourlyRate = Dollars(30_000), OverageGate = OverageGate.Block },
    };

    private static string Name(TestAgency agency, string below) => $"{agency.Name}/{below}";

    private static string Seller(TestAgency agency) => agency.Name + "/legalEntities/main";

    private static Money Dollars(long minor) => new() { MinorUnits = minor, Currency = "USD" };

    private static Date Day(int month, int day) => new() { Year = 2026, Month = month, Day = day };
}
