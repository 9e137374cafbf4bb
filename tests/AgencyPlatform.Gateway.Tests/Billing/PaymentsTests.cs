using AgencyPlatform.Client;
using AgencyPlatform.Domain;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Billing.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using Google.Type;
using Grpc.Core;
using Money = AgencyPlatform.Protocol.Type.V1.Money;
using ServiceClient = AgencyPlatform.Protocol.Billing.V1.BillingService.BillingServiceClient;

namespace AgencyPlatform.Gateway.Tests.Billing;

/// <summary>Payments, credit notes, statements and aging through the public API. Acme pays $8,000 a month in advance; the first invoice is of 5 January 2026, due on 4 February.</summary>
[Collection(PlatformFixture.Collection)]
public sealed class PaymentsTests(PlatformFixture platform)
{
    [Fact]
    public async Task An_invoice_is_paid_in_parts_is_overdue_is_credited_and_the_rest_is_credit_of_the_next()
    {
        var agency = await platform.NewAgency();
        var billing = await Invoiced(agency, "acme", "first");

        var pay = Pay(agency, 300_000, "WIRE-1");
        var paid = await billing.RecordPaymentAsync(pay);
        Assert.Equal(paid, await billing.RecordPaymentAsync(pay));
        Assert.Equal((300_000, "WIRE-1", PaymentKind.Received, Invoice(agency, "first"), 0), (
            paid.Allocations.Single().Amount.MinorUnits, paid.Reference, paid.Kind, paid.Allocations.Single().Invoice, paid.CreditAmount.MinorUnits));
        Assert.Equal(paid.Name, (await billing.RecordPaymentAsync(Pay(agency, 300_000, "WIRE-1"))).Name);
        var other = await Refused.By(billing.RecordPaymentAsync(Pay(agency, 300_001, "WIRE-1")));
        Assert.Equal((StatusCode.FailedPrecondition, Reasons.PaymentReferenceUsed, "300000"), (other.StatusCode, other.Reason, other.Metadata["amount"]));
        var first = await billing.GetInvoiceAsync(new GetInvoiceRequest { Name = Invoice(agency, "first") });
        Assert.Equal((InvoiceState.PartiallyPaid, 500_000, 300_000, false), (first.State, first.OpenAmount.MinorUnits, first.PaidAmount.MinorUnits, first.Overdue));

        await agency.AdvanceTo(new System.DateTime(2026, 2, 10, 12, 0, 0, DateTimeKind.Utc));
        Assert.True((await billing.GetInvoiceAsync(new GetInvoiceRequest { Name = first.Name })).Overdue);
        Assert.True((await billing.ListInvoicesAsync(new ListInvoicesRequest { Parent = agency.Name, State = InvoiceState.PartiallyPaid })).Invoices.Single().Overdue);
        var sent = await billing.MarkInvoiceSentAsync(new MarkInvoiceSentRequest { Name = first.Name, Channel = "email" });
        Assert.Equal(("email", true), (sent.SendChannel, sent.Overdue));
        var exported = await billing.ExportInvoiceAsync(new ExportInvoiceRequest { Name = first.Name, Format = DocumentFormat.Json });
        Assert.True(Google.Protobuf.JsonParser.Default.Parse<Invoice>(exported.Data.ToStringUtf8()).Overdue);

        var credit = new CreditInvoiceRequest { Name = first.Name, InvoiceId = "note", Lines = { new LineCredit { Line = 1, Amount = Dollars(100_000) } }, RequestId = Guid.CreateVersion7().ToString() };
        var note = await billing.CreditInvoiceAsync(credit);
        Assert.Equal(note, await billing.CreditInvoiceAsync(credit));
        Assert.Equal(("MAIN-CN-000001", DocumentKind.CreditNote, -100_000, true), (note.DocumentNumber, note.Kind, note.TotalAmount.MinorUnits, note.Lines.Single().ByHand));
        var beyond = await Refused.By(billing.CreditInvoiceAsync(new CreditInvoiceRequest { Name = first.Name, Lines = { new LineCredit { Line = 1, Amount = Dollars(700_001) } } }));
        Assert.Equal((Reasons.CreditExceedsLine, "700000"), (beyond.Reason, beyond.Metadata["left"]));

        var rest = await billing.RecordPaymentAsync(Pay(agency, 450_000, "WIRE-2"));
        Assert.Equal(50_000, rest.CreditAmount.MinorUnits);
        Assert.Equal(InvoiceState.Paid, (await billing.GetInvoiceAsync(new GetInvoiceRequest { Name = first.Name })).State);
        Assert.Equal((0, 50_000), await Account(billing, agency));

        await Finalized(billing, agency, "acme", "second", new Date { Year = 2026, Month = 2, Day = 5 });
        var second = await billing.GetInvoiceAsync(new GetInvoiceRequest { Name = Invoice(agency, "second") });
        Assert.Equal(
            (InvoiceState.PartiallyPaid, 750_000, 50_000, 50_000), (second.State, second.OpenAmount.MinorUnits, second.CreditAppliedAmount.MinorUnits, second.PrepaidAmount.MinorUnits));
        var written = await billing.WriteOffInvoiceAsync(new WriteOffInvoiceRequest { Name = second.Name, Reason = "Insolvent." });
        Assert.Equal((InvoiceState.Paid, 0, 750_000), (written.State, written.OpenAmount.MinorUnits, written.WrittenOffAmount.MinorUnits));
        Assert.Equal(Reasons.NothingOpen, (await Refused.By(billing.WriteOffInvoiceAsync(new WriteOffInvoiceRequest { Name = second.Name, Reason = "Again." }))).Reason);
    }

    [Fact]
    public async Task Credit_is_allocated_refunded_and_goes_when_its_payment_bounces()
    {
        var agency = await platform.NewAgency();
        var billing = await Invoiced(agency, "acme", "first");
        var named = Pay(agency, 500_000, "WIRE-1");
        named.Allocations.Add(new Allocation { Invoice = Invoice(agency, "first"), Amount = Dollars(100_000) });
        var paid = await billing.RecordPaymentAsync(named);
        Assert.Equal((700_000, 400_000), await Account(billing, agency));

        var allocate = new AllocateCreditRequest
        {
            Parent = agency.Name,
            ClientCompany = agency.Name + "/clientCompanies/acme",
            LegalEntity = agency.Name + "/legalEntities/main",
            Currency = "USD",
            Allocations = { new Allocation { Invoice = Invoice(agency, "first"), Amount = Dollars(150_000) } },
        };
        Assert.Equal(250_000, (await billing.AllocateCreditAsync(allocate)).CreditAmount.MinorUnits);
        var refunded = await billing.RefundCreditAsync(Refund(agency, 200_000, "BACK-1"));
        Assert.Equal((PaymentKind.Refund, -200_000), (refunded.Kind, refunded.CreditAmount.MinorUnits));
        Assert.Equal(refunded.Name, (await billing.RefundCreditAsync(Refund(agency, 200_000, "BACK-1"))).Name);
        Assert.Equal((Reasons.CreditTooLow, "50000"), await ReasonAndCredit(billing.RefundCreditAsync(Refund(agency, 50_001, "BACK-2"))));

        var reverse = new ReversePaymentRequest { Name = paid.Name, Reason = "Bounced.", RequestId = Guid.CreateVersion7().ToString() };
        var reversed = await billing.ReversePaymentAsync(reverse);
        Assert.Equal(reversed, await billing.ReversePaymentAsync(reverse));
        Assert.Equal((ActiveEngagement.Monday, "Bounced."), (reversed.ReversalDate, reversed.ReversalReason));
        Assert.Equal(reversed, await billing.GetPaymentAsync(new GetPaymentRequest { Name = paid.Name }));

        // All is open again, and what was refunded is owed.
        Assert.Equal((800_000, -200_000), await Account(billing, agency));
        var listed = (await billing.ListPaymentsAsync(new ListPaymentsRequest { Parent = agency.Name, Kind = PaymentKind.Received })).Payments.Single();
        Assert.Equal((paid.Name, reversed.ReversalDate), (listed.Name, listed.ReversalDate));
        Assert.Equal(2, (await billing.ListPaymentsAsync(new ListPaymentsRequest { Parent = agency.Name, ClientCompany = agency.Name + "/clientCompanies/acme" })).Payments.Count);
        var cash = (await billing.GetTrialBalanceAsync(new GetTrialBalanceRequest { Parent = agency.Name })).Balances.Single(b => b.Account == LedgerAccount.Cash);
        Assert.Equal(-200_000, cash.Balance.MinorUnits);

        static async Task<(string, string)> ReasonAndCredit(AsyncUnaryCall<Payment> call) => await Refused.By(call) is var refused ? (refused.Reason, refused.Metadata["credit"]) : default;
    }

    [Fact]
    public async Task A_statement_an_aging_and_a_history_add_up_page_by_page()
    {
        var agency = await platform.NewAgency();
        var billing = await Invoiced(agency, "acme", "first");
        await Invoiced(agency, "zenith", "others", "bob", "other");
        await billing.RecordPaymentAsync(Pay(agency, 300_000, "WIRE-1"));
        await agency.AdvanceTo(new System.DateTime(2026, 3, 6, 12, 0, 0, DateTimeKind.Utc));
        await Finalized(billing, agency, "acme", "second", new Date { Year = 2026, Month = 3, Day = 5 });
        await billing.RecordPaymentAsync(Pay(agency, 600_000, "WIRE-2"));
        await billing.CreditInvoiceAsync(new CreditInvoiceRequest { Name = Invoice(agency, "others") });

        // Acme: 800,000 on 5 January, 1,600,000 on 6 March, 900,000 paid by 6 March.
        var statement = new GetAccountStatementRequest
        {
            Parent = agency.Name,
            ClientCompany = agency.Name + "/clientCompanies/acme",
            StartDate = new Date { Year = 2026, Month = 1, Day = 6 },
            EndDate = new Date { Year = 2026, Month = 3, Day = 7 },
            PageSize = 1,
        };
        var entries = new List<AccountEntry>();
        AccountStatement page;
        do
        {
            page = await billing.GetAccountStatementAsync(statement);
            Assert.Equal((500_000, 1_500_000), (page.OpeningBalances.Single().MinorUnits, page.ClosingBalances.Single().MinorUnits));
            entries.AddRange(page.Entries);
            statement.PageToken = page.NextPageToken;
        }
        while (page.NextPageToken.Length > 0);

        Assert.Equal(
            [(AccountEntryKind.Invoice, "second", 1_600_000L), (AccountEntryKind.Payment, "first", -500_000L), (AccountEntryKind.Payment, "second", -100_000L)],
            entries.Select(e => (e.Kind, e.Invoice.Split('/')[^1], e.Amount.MinorUnits)));
        Assert.Equal(1_000_000, entries.Sum(e => e.Amount.MinorUnits));
        var all = await billing.GetAccountStatementAsync(new GetAccountStatementRequest { Parent = agency.Name, StartDate = ActiveEngagement.Monday, EndDate = statement.EndDate, Currency = "USD" });
        Assert.Equal((0, 1_500_000, 7), (all.OpeningBalances.Single().MinorUnits, all.ClosingBalances.Single().MinorUnits, all.Entries.Count));

        // What was open then: on 5 February two invoices were a day overdue. The second of Acme is due on 5 April, 90 days before 4 July.
        var march = await Aging(new Date { Year = 2026, Month = 3, Day = 6 });
        Assert.Equal([1_500_000, 0, 0, 0, 0, 1_500_000, 0], Amounts(march.Totals.Single()));
        var february = await billing.GetAgingAsync(new GetAgingRequest { Parent = agency.Name, AsOfDate = new Date { Year = 2026, Month = 2, Day = 5 }, PageSize = 1 });
        Assert.Equal([0, 500_000, 0, 0, 0, 500_000, 0], Amounts(february.Accounts.Single().Amounts));
        Assert.Equal([0, 1_300_000, 0, 0, 0, 1_300_000, 0], Amounts(february.Totals.Single()));
        var zenith = await billing.GetAgingAsync(new GetAgingRequest { Parent = agency.Name, AsOfDate = new Date { Year = 2026, Month = 2, Day = 5 }, PageSize = 1, PageToken = february.NextPageToken });
        Assert.Equal(("zenith", 800_000, ""), (zenith.Accounts.Single().ClientCompany.Split('/')[^1], zenith.Accounts.Single().Amounts.OpenAmount.MinorUnits, zenith.NextPageToken));
        await agency.AdvanceTo(new System.DateTime(2026, 7, 5, 12, 0, 0, DateTimeKind.Utc));
        var (before, after) = (await Aging(new Date { Year = 2026, Month = 7, Day = 4 }), await Aging(new Date { Year = 2026, Month = 7, Day = 5 }));
        Assert.Equal([0, 0, 0, 1_500_000, 0, 1_500_000, 0], Amounts(before.Accounts.Single().Amounts));
        Assert.Equal([0, 0, 0, 0, 1_500_000, 1_500_000, 0], Amounts(after.Accounts.Single().Amounts));

        var history = new GetAccountHistoryRequest
        {
            Parent = agency.Name,
            LegalEntity = agency.Name + "/legalEntities/main",
            Account = LedgerAccount.Receivable,
            Currency = "USD",
            StartDate = new Date { Year = 2026, Month = 1, Day = 6 },
            EndDate = new Date { Year = 2026, Month = 7, Day = 1 },
            PageSize = 1,
        };
        var (balance, seen) = (1_300_000L, 0);
        AccountHistory part;
        do
        {
            part = await billing.GetAccountHistoryAsync(history);
            Assert.Equal(balance, part.OpeningBalance.MinorUnits);
            balance += part.Entries.Single().Line.Amount.MinorUnits;
            Assert.Equal((balance, balance), (part.Entries.Single().Balance.MinorUnits, part.ClosingBalance.MinorUnits));
            (history.PageToken, seen) = (part.NextPageToken, seen + 1);
        }
        while (part.NextPageToken.Length > 0);

        var trial = (await billing.GetTrialBalanceAsync(new GetTrialBalanceRequest { Parent = agency.Name })).Balances.Single(b => b.Account == LedgerAccount.Receivable);
        Assert.Equal((3, 1_500_000, 1_500_000), (seen, balance, trial.Balance.MinorUnits));

        async Task<Aging> Aging(Date date) => await billing.GetAgingAsync(new GetAgingRequest { Parent = agency.Name, AsOfDate = date });
        static long[] Amounts(AgingAmounts a) =>
        [
            a.CurrentAmount.MinorUnits, a.Overdue1To30Amount.MinorUnits, a.Overdue31To60Amount.MinorUnits, a.Overdue61To90Amount.MinorUnits, a.OverdueOver90Amount.MinorUnits,
            a.OpenAmount.MinorUnits, a.CreditAmount.MinorUnits,
        ];
    }

    [Fact]
    public async Task Every_bad_field_of_a_payment_is_named()
    {
        var agency = await platform.NewAgency();
        var billing = await Invoiced(agency, "acme", "first");
        var bad = Pay(agency, 0, "");
        bad.ReceivedDate = new Date { Year = 2026, Month = 2, Day = 30 };
        bad.Allocations.Add(new Allocation { Invoice = "first", Amount = new Money { MinorUnits = -1, Currency = "EUR" } });
        Assert.Equal(
            ["allocations[0].amount.currency", "allocations[0].amount.minor_units", "allocations[0].invoice", "amount.minor_units", "received_date", "reference"],
            (await Refused.By(billing.RecordPaymentAsync(bad))).FieldViolations.Select(f => f.Field).Order());

        var euros = Pay(agency, 5, "X");
        euros.Amount.Currency = "EUR";
        Assert.Equal(("amount.currency", "must be the account's, USD"), await Only(billing.RecordPaymentAsync(euros)));
        Assert.Equal("amount.minor_units", (await Only(billing.RecordPaymentAsync(Pay(agency, 1_000_000_000_000_001, "X")))).Field);
        var early = Pay(agency, 5, "X");
        early.ReceivedDate = new Date { Year = 2026, Month = 1, Day = 6 };
        Assert.Equal(("received_date", "must not be after today, 2026-01-05"), await Only(billing.RecordPaymentAsync(early)));
        Assert.Equal("lines[0].amount.currency", (await Only(billing.CreditInvoiceAsync(
            new CreditInvoiceRequest { Name = Invoice(agency, "first"), Lines = { new LineCredit { Line = 1, Amount = new Money { MinorUnits = 1, Currency = "EUR" } } } }))).Field);
        Assert.Equal("channel", (await Only(billing.MarkInvoiceSentAsync(new MarkInvoiceSentRequest { Name = Invoice(agency, "first"), Channel = "ada@acme.example" }))).Field);
        Assert.Equal(StatusCode.NotFound, (await Refused.By(billing.RecordPaymentAsync(Pay(agency, 5, "X", "nobody")))).StatusCode);
        Assert.Equal(StatusCode.NotFound, (await Refused.By(billing.GetPaymentAsync(new GetPaymentRequest { Name = agency.Name + "/payments/none" }))).StatusCode);

        static async Task<(string Field, string Description)> Only<T>(AsyncUnaryCall<T> call) =>
            (await Refused.By(call)).FieldViolations.Single() is var violation ? (violation.Field, violation.Description) : default;
    }

    [Fact]
    public async Task A_line_is_credited_with_its_share_of_the_discounts_and_all_lines_are_the_whole()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, a =>
        {
            var terms = Retainer(a);
            terms.Discounts.Add(new Discount { DiscountId = "launch", StartDate = ActiveEngagement.Monday, Percent = "10" });
            return terms;
        });
        var billing = admin.Service<ServiceClient>();
        var invoice = await Finalized(billing, agency, "acme", "first", new Date { Year = 2026, Month = 2, Day = 5 });
        Assert.Equal([800_000, 800_000, -80_000, -80_000], invoice.Lines.Select(l => l.Amount.MinorUnits));

        // A quarter of January's fee takes a quarter of January's discount back.
        var part = await billing.CreditInvoiceAsync(new CreditInvoiceRequest { Name = invoice.Name, Lines = { new LineCredit { Line = 1, Amount = Dollars(200_000) } } });
        Assert.Equal([(1, -200_000L), (3, 20_000L)], part.Lines.Select(l => (l.CorrectedLine, l.Amount.MinorUnits)));
        Assert.Equal(-180_000, part.TotalAmount.MinorUnits);
        var february = await billing.CreditInvoiceAsync(new CreditInvoiceRequest { Name = invoice.Name, Lines = { new LineCredit { Line = 2 } } });
        Assert.Equal([(2, -800_000L), (4, 80_000L)], february.Lines.Select(l => (l.CorrectedLine, l.Amount.MinorUnits)));
        var rest = await billing.CreditInvoiceAsync(new CreditInvoiceRequest { Name = invoice.Name, Lines = { new LineCredit { Line = 1 } } });
        Assert.Equal(-540_000, rest.TotalAmount.MinorUnits);
        var paid = await billing.GetInvoiceAsync(new GetInvoiceRequest { Name = invoice.Name });
        Assert.Equal((InvoiceState.Paid, 0, 1_440_000), (paid.State, paid.OpenAmount.MinorUnits, paid.CreditedAmount.MinorUnits));
        Assert.Equal(Reasons.NothingToCredit, (await Refused.By(billing.CreditInvoiceAsync(new CreditInvoiceRequest { Name = invoice.Name }))).Reason);
        var discount = await Refused.By(billing.CreditInvoiceAsync(new CreditInvoiceRequest { Name = invoice.Name, Lines = { new LineCredit { Line = 3 } } }));
        Assert.Equal((StatusCode.InvalidArgument, "lines[0].line"), (discount.StatusCode, discount.FieldViolations.Single().Field));
    }

    // ---- what the tests are built of ----

    private static Money Dollars(long minor) => new() { MinorUnits = minor, Currency = "USD" };

    private static string Invoice(TestAgency agency, string id) => $"{agency.Name}/invoices/{id}";

    private static RecordPaymentRequest Pay(TestAgency agency, long amount, string reference, string client = "acme") => new()
    {
        Parent = agency.Name,
        ClientCompany = $"{agency.Name}/clientCompanies/{client}",
        LegalEntity = agency.Name + "/legalEntities/main",
        Currency = "USD",
        Amount = Dollars(amount),
        ReceivedDate = ActiveEngagement.Monday,
        Reference = reference,
        RequestId = Guid.CreateVersion7().ToString(),
    };

    private static RefundCreditRequest Refund(TestAgency agency, long amount, string reference) => new()
    {
        Parent = agency.Name,
        ClientCompany = agency.Name + "/clientCompanies/acme",
        LegalEntity = agency.Name + "/legalEntities/main",
        Currency = "USD",
        Amount = Dollars(amount),
        Reference = reference,
    };

    private static async Task<(long Open, long Credit)> Account(ServiceClient billing, TestAgency agency)
    {
        var account = (await billing.ListBillingAccountsAsync(new ListBillingAccountsRequest { Parent = agency.Name, ClientCompany = agency.Name + "/clientCompanies/acme" })).BillingAccounts.Single();
        return (account.OpenAmount.MinorUnits, account.CreditAmount.MinorUnits);
    }

    private static async Task<ServiceClient> Invoiced(TestAgency agency, string client, string invoice, string cmo = "ada", string engagement = "launch")
    {
        var admin = await ActiveEngagement.Create(agency, Retainer, client, cmo, engagement);
        var billing = admin.Service<ServiceClient>();
        await Finalized(billing, agency, client, invoice, ActiveEngagement.Monday);
        return billing;
    }

    private static async Task<Invoice> Finalized(ServiceClient billing, TestAgency agency, string client, string invoice, Date to)
    {
        var draft = await billing.PrepareInvoiceAsync(new PrepareInvoiceRequest
        {
            Parent = agency.Name,
            ClientCompany = $"{agency.Name}/clientCompanies/{client}",
            LegalEntity = agency.Name + "/legalEntities/main",
            Currency = "USD",
            ToDate = to,
            InvoiceId = invoice,
        });
        return await billing.FinalizeInvoiceAsync(new FinalizeInvoiceRequest { Name = draft.Name });
    }

    private static Terms Retainer(TestAgency agency) => new()
    {
        Seller = agency.Name + "/legalEntities/main",
        Currency = "USD",
        BillCycleDay = 5,
        Retainer = new RetainerTerms
        {
            Fee = Dollars(800_000),
            IncludedMinutes = 100,
            OverageHourlyRate = Dollars(25_000),
            OverageGate = OverageGate.Bill,
            FeeTiming = FeeTiming.InAdvance,
        },
    };
}
