using System.Text.Json;
using AgencyPlatform.Client;
using AgencyPlatform.Gateway.Billing.Explanations;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Billing.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using AgencyPlatform.Protocol.Time.V1;
using AgencyPlatform.Protocol.Type.V1;
using Google.Type;
using Grpc.Core;
using BillingClient = AgencyPlatform.Protocol.Billing.V1.BillingService.BillingServiceClient;
using ExplanationsClient = AgencyPlatform.Protocol.Billing.V1.ExplanationsService.ExplanationsServiceClient;
using Money = AgencyPlatform.Protocol.Type.V1.Money;

namespace AgencyPlatform.Gateway.Tests.Billing;

/// <summary>Why an invoice's amounts are what they are, through the public API. The sandbox's clock stands at Monday 5 January 2026, 09:00 UTC.</summary>
[Collection(PlatformFixture.Collection)]
public sealed class ExplanationsTests(PlatformFixture platform)
{
    private static readonly Date s_monday = ActiveEngagement.Monday;
    private static readonly Date s_february = Day(2, 5);

    [Fact]
    public async Task Three_entries_are_summed_and_rounded_once_and_a_fourth_is_the_difference()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, ActiveEngagement.Hourly);
        await Worked(agency, admin, ("a", 10), ("b", 10), ("c", 10));
        await Finalized(agency, admin, s_february, "first");

        var first = await Explained(admin, agency, "first", 1);

        Assert.Equal((ExplanationBasis.Computed, Charge.Hours, 12_500), (first.Basis, first.Rule.Charge, first.Line.Amount.MinorUnits));
        Assert.Equal([(StepKind.Minutes, 30L), (StepKind.Amount, 12_500)], first.Steps.Select(s => (s.Kind, s.Result)));
        Assert.Equal(["Time in all: 10 min + 10 min + 10 min = 30 min", "Amount: 30 min × 250.00 ÷ 60 min = 125.00 USD"], first.Steps.Select(s => s.Text));
        Assert.Equal(["ada/2026-w02/a", "ada/2026-w02/b", "ada/2026-w02/c"], first.Steps[0].Parts.Select(p => p.Factors.Single().TimeEntry));
        Assert.All(first.Entries, e =>
        {
            Assert.Equal((s_monday, 10, 10, 10L, EntryChange.Gained, "ada"), (e.Date, e.ApprovedMinutes, e.ChargedMinutes, e.BilledQuantity, e.Change, e.CmoDisplayName));
            Assert.StartsWith("key:", e.ApprovedBy, StringComparison.Ordinal);
            Assert.Equal(new DateTimeOffset(2026, 1, 5, 9, 0, 0, TimeSpan.Zero), e.ApproveTime.ToDateTimeOffset());
        });

        // The terms, who signed them, and when they came.
        var terms = Assert.Single(first.Rule.Terms);
        Assert.Equal((25_000, s_monday, s_monday, s_february, TermsOrigin.Proposal), (terms.Terms.Hourly.HourlyRate.MinorUnits, terms.Terms.EffectiveDate, terms.StartDate, terms.EndDate, terms.Origin));
        Assert.Equal("Chief", Assert.Single(terms.Signatures).DisplayName);

        await Worked(agency, admin, ("d", 10));
        await Finalized(agency, admin, s_february, "second");
        var second = await Explained(admin, agency, "second", 1);

        Assert.Equal([(StepKind.Minutes, 40L), (StepKind.Amount, 16_667), (StepKind.LessInvoiced, 4_167)], second.Steps.Select(s => (s.Kind, s.Result)));
        Assert.Equal("Amount: 40 min × 250.00 ÷ 60 min = 166.67 USD, rounded once", second.Steps[1].Text);
        Assert.Equal("Less what was invoiced before: 166.67 – 125.00 (MAIN-000001, line 1) = 41.67 USD", second.Steps[2].Text);
        Assert.Equal((agency.Name + "/invoices/first", "MAIN-000001", 1), (second.Steps[2].Parts[1].Factors[0].Line.Invoice, second.Steps[2].Parts[1].Factors[0].Line.DocumentNumber, second.Steps[2].Parts[1].Factors[0].Line.Line));
        Assert.Equal([EntryChange.Kept, EntryChange.Kept, EntryChange.Kept, EntryChange.Gained], second.Entries.Select(e => e.Change));

        // The first line stays as it was, and says what came after it.
        var again = await Explained(admin, agency, "first", 1);
        Assert.Equal((agency.Name + "/invoices/second", 1, 4_167, false), again.LaterLines.Select(l => (l.Invoice, l.Line, l.Amount.MinorUnits, l.Corrects)).Single());
        again.LaterLines.Clear();
        Assert.Equal(first.Steps, again.Steps);
        Assert.Contains("Later changed by MAIN-000002, line 1: 41.67 USD.", again.Text);
    }

    [Fact]
    public async Task What_was_approved_and_then_taken_back_is_a_credit_that_says_so()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, ActiveEngagement.Hourly);
        await Worked(agency, admin, ("a", 60), ("b", 30));
        await Finalized(agency, admin, s_february, "first");
        var sheet = agency.Name + "/cmos/ada/timesheets/2026-w02";
        await admin.Service<TimeService.TimeServiceClient>().ReverseEntriesAsync(new ReverseEntriesRequest { Name = sheet, EntryIds = { "b" }, Reason = "Another client's." });
        await Finalized(agency, admin, s_february, "credit");

        var credit = await Explained(admin, agency, "credit", 1);

        Assert.Equal((-12_500, agency.Name + "/invoices/first", 1), (credit.Line.Amount.MinorUnits, credit.Line.CorrectedInvoice, credit.Line.CorrectedLine));
        Assert.Equal([(StepKind.Minutes, 60L), (StepKind.Amount, 25_000), (StepKind.LessInvoiced, -12_500)], credit.Steps.Select(s => (s.Kind, s.Result)));
        Assert.Equal([("ada/2026-w02/a", EntryChange.Kept), ("ada/2026-w02/b", EntryChange.Lost)], credit.Entries.Select(e => (e.TimeEntry, e.Change)));
        Assert.NotNull(credit.Entries[1].ReverseTime);
        Assert.Contains("Corrects MAIN-000001, line 1.", credit.Text);
        Assert.Contains("5 January 2026, ada: 30 min worked; approved on 5 January 2026; taken back on 5 January 2026.", credit.Text);

        // The line as it was frozen still has both entries, although one of them is gone since.
        var first = await Explained(admin, agency, "first", 1);
        Assert.Equal((ExplanationBasis.Computed, 37_500, true), (first.Basis, first.Steps[^1].Result, first.LaterLines.Single().Corrects));
        Assert.Equal(2, first.Entries.Count);
        Assert.Contains("Later corrected by MAIN-CN-000001, line 1: –125.00 USD.", first.Text);
    }

    [Fact]
    public async Task A_part_of_a_period_is_prorated_and_a_raise_within_it_takes_the_old_days_back()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, a => Retainer(a, 800_000));
        await Finalized(agency, admin, s_monday, "first");
        var fee = await Explained(admin, agency, "first", 1);

        Assert.Equal("Amount: 8,000.00 × 27 days ÷ 31 days = 6,967.74 USD, rounded once", fee.Steps.Single().Text);
        Assert.Contains(
            "For 5 January 2026 – 31 January 2026 the terms hold that are in force since 5 January 2026 (as proposed on 5 January 2026): 8,000.00 USD for a full period.", fee.Text);
        Assert.Contains("Chief signed on 5 January 2026.", fee.Text);

        var engagements = admin.Service<EngagementsService.EngagementsServiceClient>();
        await engagements.ProposeScopeChangeAsync(new ProposeScopeChangeRequest { Name = Launch(agency), ScopeChange = new ScopeChange { EffectiveDate = Day(1, 12), Terms = Retainer(agency, 1_000_000) } });
        await engagements.SignScopeChangeAsync(new SignScopeChangeRequest { Name = Launch(agency), PersonId = "ceo", Number = 1 });
        await engagements.ApplyScopeChangeAsync(new ApplyScopeChangeRequest { Name = Launch(agency), Number = 1 });
        await Finalized(agency, admin, s_monday, "second");
        var (credit, raise) = (await Explained(admin, agency, "second", 1), await Explained(admin, agency, "second", 2));

        Assert.Equal(
            [
                "Amount: 8,000.00 × 7 days ÷ 31 days = 1,806.45 USD, rounded once",
                "Less what was invoiced before: 1,806.45 – 6,967.74 (MAIN-000001, line 1) = –5,161.29 USD",
            ],
            credit.Steps.Select(s => s.Text));
        Assert.Equal(("Amount: 10,000.00 × 20 days ÷ 31 days = 6,451.61 USD, rounded once", TermsOrigin.ScopeChange), (raise.Steps.Single().Text, raise.Rule.Terms.Single().Origin));
        Assert.Equal("ceo", raise.Rule.Terms.Single().Signatures.Single().PersonId);

        // The change of the past leaves the old explanation as it was, at the clock that stands still too, and is told as what corrects it.
        var before = await Explained(admin, agency, "first", 1);
        Assert.Equal((fee.Steps, fee.Rule), (before.Steps, before.Rule));
        Assert.Equal([(agency.Name + "/invoices/second", 1, true)], before.LaterLines.Select(l => (l.Invoice, l.Line, l.Corrects)));
    }

    [Fact]
    public async Task A_credit_of_days_after_the_end_says_when_the_work_ends()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, a => Retainer(a, 800_000, day: 5));
        await Finalized(agency, admin, s_monday, "first");
        Assert.Null((await Explained(admin, agency, "first", 1)).EngagementEndDate);
        await admin.Service<EngagementsService.EngagementsServiceClient>().EndEngagementAsync(new EndEngagementRequest { Name = Launch(agency), EndDate = Day(1, 20) });
        await Finalized(agency, admin, s_monday, "credit");

        var credit = await Explained(admin, agency, "credit", 1);

        Assert.Equal(Day(1, 20), credit.EngagementEndDate);
        Assert.Contains("The last day of the work is 19 January 2026.", credit.Text);
        AddsUp(credit);
    }

    [Fact]
    public async Task Increments_minimum_cap_commitment_discount_and_tax_say_their_steps()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(
            agency,
            a =>
            {
                var terms = ActiveEngagement.Hourly(a);
                (terms.Hourly.IncrementMinutes, terms.Hourly.MinimumMinutes, terms.Hourly.Cap) = (15, 30, Usd(40_000));
                terms.MinimumCommitment = new MinimumCommitment { CommitmentId = "floor", Amount = Usd(100_000) };
                terms.Discounts.Add(new Discount { DiscountId = "launch", StartDate = s_monday, Percent = "12.5", Cap = Usd(90_000) });
                return terms;
            },
            billing: new BillingDetails { LegalName = "Acme Inc", Country = "US", PaymentTermDays = 30, TaxCategory = TaxCategory.Standard, TaxRatePercent = "8.875" });
        await Worked(agency, admin, ("a", 50), ("b", 20), ("c", 80));
        await Draft(agency, admin, s_february, "draft");

        var lines = await Task.WhenAll(Enumerable.Range(1, 3).Select(n => Explained(admin, agency, "draft", n)));

        // Of a draft too. 60 + 30 + 90 minutes are 750.00, and no more than 400.00 are charged.
        Assert.Equal([Charge.Hours, Charge.Commitment, Charge.Discount], lines.Select(l => l.Rule.Charge));
        Assert.Equal(
            [
                "Time billed: 5 January 2026: 50 min, in steps of 15 min, at least 30 min = 60 min",
                "Time billed: 5 January 2026: 20 min, in steps of 15 min, at least 30 min = 30 min",
                "Time billed: 5 January 2026: 80 min, in steps of 15 min, at least 30 min = 90 min",
                "Time in all: 60 min + 30 min + 90 min = 180 min",
                "Amount: 180 min × 250.00 ÷ 60 min = 750.00 USD",
                "Cap for these days: 400.00 × 31 days ÷ 31 days = 400.00 USD",
                "No more than the cap: the lesser of 750.00 and 400.00 = 400.00 USD",
            ],
            lines[0].Steps.Select(s => s.Text));
        Assert.Equal(
            ["Minimum for these days: 1,000.00 × 31 days ÷ 31 days = 1,000.00 USD", "Charges of the period: 400.00 (hours) = 400.00 USD", "Missing to the minimum: 1,000.00 – 400.00 = 600.00 USD"],
            lines[1].Steps.Select(s => s.Text));
        Assert.Equal(
            [
                "Percentage of the charges: 400.00 × 12.5 % (hours) + 600.00 × 12.5 % (minimum) = 125.00 USD", "Left of the discount's limit: 900.00 USD",
                "No more than the limit: the lesser of 125.00 and 900.00 = 125.00 USD", "Taken off: –125.00 USD",
            ],
            lines[2].Steps.Select(s => s.Text));

        // 8.875 % of 1,000.00 are 88.75, and of 875.00 77.66; the line has its share.
        Assert.Equal(
            [
                "Taxable amount: 400.00 (line 1) + 600.00 (line 2) = 1,000.00 USD", "Tax: 1,000.00 × 8.875 % = 88.75 USD",
                "Tax of this line: of 88.75 the share of 400.00 in 1,000.00 = 35.50 USD",
            ],
            lines[0].TaxSteps.Select(s => s.Text));
        Assert.Equal("Less tax because of discounts: 77.66 – 88.75 = –11.09 USD", lines[2].TaxSteps[^1].Text);
        Assert.Equal(["launch", "floor"], [lines[2].Rule.Terms.Single().Terms.Discounts.Single().DiscountId, lines[1].Rule.Terms.Single().Terms.MinimumCommitment.CommitmentId]);
        Assert.All(lines, AddsUp);
    }

    [Fact]
    public async Task Overage_names_the_consent_and_a_client_sees_its_own_invoices_only()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, a => Retainer(a, 800_000, day: 5));
        await Worked(agency, admin, ("a", 120));
        var approver = await agency.As(Role.ClientApprover, client: "acme");
        await approver.Service<TimeService.TimeServiceClient>().ConsentToOverageAsync(new ConsentToOverageRequest { Name = Launch(agency), Minutes = 20, Note = "Told by phone." });
        await Draft(agency, admin, s_february, "first");
        var (viewer, others) = (await agency.As(Role.ClientViewer, client: "acme"), await agency.As(Role.ClientViewer, client: "zenith"));
        await NotFound(viewer, "first");
        await admin.Service<BillingClient>().FinalizeInvoiceAsync(new FinalizeInvoiceRequest { Name = agency.Name + "/invoices/first" });

        var overage = await Explained(viewer, agency, "first", 2);

        var entry = Assert.Single(overage.Entries);
        Assert.Equal((120, 20, 20L, "client:acme", 20), (entry.ApprovedMinutes, entry.ChargedMinutes, entry.BilledQuantity, entry.Consents.Single().ConsentedBy, entry.Consents.Single().Minutes));
        Assert.Contains("5 January 2026, ada: 120 min worked; 20 min of it charged here; approved on 5 January 2026; overage of 20 min consented to on 5 January 2026.", overage.Text);
        Assert.Equal("Amount: 20 min × 250.00 ÷ 60 min = 83.33 USD, rounded once", overage.Steps[^1].Text);
        Assert.Contains(overage.Text, t => t.EndsWith(": 250.00 USD an hour, 100 min included in a full period, and in a part of one by its days.", StringComparison.Ordinal));
        AddsUp(overage);

        // What is for people has no ids of the platform, and nothing that the client or the agency noted for itself.
        Assert.DoesNotContain(overage.Text, t => t.Contains("key:", StringComparison.Ordinal) || t.Contains("agencies/", StringComparison.Ordinal) || t.Contains("2026-W02", StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain("Told by phone", overage.ToString(), StringComparison.Ordinal);
        await NotFound(others, "first");
        Assert.Equal(StatusCode.PermissionDenied, (await Refused.By((await agency.As(Role.Cmo, cmo: "ada")).Service<ExplanationsClient>().ExplainInvoiceLineAsync(Line(agency, "first", 1)))).StatusCode);

        async Task NotFound(AgencyPlatformClient client, string invoice)
        {
            var explanations = client.Service<ExplanationsClient>();

            // A line that is not there tells no more.
            Assert.Equal(StatusCode.NotFound, (await Refused.By(explanations.ExplainInvoiceLineAsync(Line(agency, invoice, 99)))).StatusCode);
            Assert.Equal(StatusCode.NotFound, (await Refused.By(explanations.ExplainInvoiceAsync(new ExplainInvoiceRequest { Name = $"{agency.Name}/invoices/{invoice}" }))).StatusCode);
        }
    }

    [Fact]
    public async Task Half_a_day_and_a_pause_are_told()
    {
        var daily = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(daily, a => new Terms
        {
            Seller = a.Name + "/legalEntities/main",
            Currency = "USD",
            BillCycleDay = 5,
            DayRate = new DayRateTerms { DayRate = Usd(120_000), FullDayMinutes = 480, EstimatedMonthly = Usd(2_000_000) },
        });
        await Worked(daily, admin, ("a", 200), ("b", 100));
        await Draft(daily, admin, s_february, "draft");
        var days = await Explained(admin, daily, "draft", 1);

        Assert.Equal(
            ["Worked: 5 January 2026: 300 min, a full day is 480 min = 0.5 days", "Days in all: 0.5 days", "Amount: 0.5 days × 1,200.00 = 600.00 USD"], days.Steps.Select(s => s.Text));
        Assert.Equal([(100, 0L), (200, 1L)], days.Entries.Select(e => (e.ApprovedMinutes, e.BilledQuantity)).Order());
        AddsUp(days);

        var paused = await platform.NewAgency();
        admin = await ActiveEngagement.Create(paused, a => Retainer(a, 800_000));
        await admin.Service<EngagementsService.EngagementsServiceClient>().PauseEngagementAsync(new PauseEngagementRequest { Name = Launch(paused), StartDate = Day(1, 12), FeePercent = 25 });
        await Draft(paused, admin, s_monday, "draft");
        var rest = await Explained(admin, paused, "draft", 1);

        Assert.Equal(("Amount: 2,000.00 × 20 days ÷ 31 days = 1,290.32 USD, rounded once", TermsOrigin.Pause), (rest.Steps.Single().Text, rest.Rule.Terms.Single().Origin));
        Assert.Empty(rest.Rule.Terms.Single().Signatures);
        Assert.Contains(
            "For 12 January 2026 – 31 January 2026 the terms hold that are in force since 12 January 2026 (because of a pause, since 5 January 2026): 2,000.00 USD for a full period.", rest.Text);
    }

    [Fact]
    public void Everything_that_an_explanation_says_has_words_in_each_language_and_a_name_on_the_wire()
    {
        foreach (var words in new[] { ExplanationWords.English, ExplanationWords.German })
        {
            Assert.Equal(Enum.GetValues<Domain.Billing.StepKind>(), words.Steps.Keys.Order());
            Assert.Equal(Enum.GetValues<Domain.Billing.Charge>(), words.Rules.Keys.Order());
            Assert.Equal(Enum.GetValues<Domain.Billing.TermsOrigin>(), words.Origins.Keys.Order());
            Assert.Equal(Enum.GetValues<Domain.Billing.PostingKind>(), words.Postings.Keys.Order());
            Assert.Equal(Enum.GetValues<Domain.Billing.LedgerAccount>(), words.Accounts.Keys.Order());
        }

        Named<Domain.Billing.StepKind, StepKind>();
        Named<Domain.Billing.StepOperation, StepOperation>();
        Named<Domain.Billing.FigureKind, FigureKind>();
        Named<Domain.Billing.FigureUnit, FigureUnit>();
        Named<Domain.Billing.TermsOrigin, TermsOrigin>();
        Named<Domain.Billing.EntryChange, EntryChange>();
        Named<Domain.Billing.ExplanationBasis, ExplanationBasis>();

        static void Named<TOwn, TWire>() where TOwn : struct, Enum where TWire : struct, Enum =>
            Assert.Equal(Enum.GetNames<TOwn>().Order(StringComparer.Ordinal), Enum.GetNames<TWire>().Where(n => n != "Unspecified").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_milestone_and_a_block_name_who_marked_and_sold_them()
    {
        var marked = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(marked, a => new Terms
        {
            Seller = a.Name + "/legalEntities/main",
            Currency = "USD",
            BillCycleDay = 5,
            Milestones = new MilestoneTerms { Milestones = { new Milestone { MilestoneId = "brand", DisplayName = "Brand book", Amount = Usd(500_000) } } },
        });
        await admin.Service<EngagementsService.EngagementsServiceClient>().MarkMilestoneReachedAsync(new MarkMilestoneReachedRequest { Name = Launch(marked), MilestoneId = "brand", ReachDate = s_monday });
        await Finalized(marked, admin, s_monday, "first");
        var milestone = await Explained(admin, marked, "first", 1);

        Assert.Equal(("brand", "Brand book", s_monday), (milestone.Milestone.MilestoneId, milestone.Milestone.DisplayName, milestone.Milestone.ReachDate));
        Assert.StartsWith("key:", milestone.Milestone.MarkedBy, StringComparison.Ordinal);
        Assert.Contains("The milestone “Brand book” was reached on 5 January 2026 and marked so on 5 January 2026.", milestone.Text);
        Assert.Contains("For 5 January 2026 – 4 February 2026 the terms hold that are in force since 5 January 2026 (as proposed on 5 January 2026): 5,000.00 USD.", milestone.Text);
        Assert.Equal("Agreed amount: 5,000.00 USD", milestone.Steps.Single().Text);

        // Reopened it is credited, and the terms do not say that.
        await admin.Service<EngagementsService.EngagementsServiceClient>().ReopenMilestoneAsync(new ReopenMilestoneRequest { Name = Launch(marked), MilestoneId = "brand", Reason = "Not accepted." });
        await Finalized(marked, admin, s_monday, "credit");
        var credit = await Explained(admin, marked, "credit", 1);
        Assert.Equal(-500_000, credit.Line.Amount.MinorUnits);
        Assert.DoesNotContain(credit.Text, t => t.Contains("–5,000.00 USD.", StringComparison.Ordinal) && t.StartsWith("For", StringComparison.Ordinal));

        var sold = await platform.NewAgency();
        admin = await ActiveEngagement.Create(sold, a => new Terms
        {
            Seller = a.Name + "/legalEntities/main",
            Currency = "USD",
            BillCycleDay = 5,
            Prepaid = new PrepaidTerms { BlockPrice = Usd(150_000), BlockMinutes = 600, ValidMonths = 6, OverageGate = OverageGate.Block },
        });
        await Finalized(sold, admin, s_monday, "first");
        var block = await Explained(admin, sold, "first", 1);

        Assert.Equal((600, s_monday, Day(7, 5), false), (block.Block.Minutes, block.Block.EffectiveDate, block.Block.ExpireDate, block.Block.ToppedUp));
        Assert.NotNull(block.Block.SellTime);
        Assert.Contains("10 hours, to be used from 5 January 2026 up to 4 July 2026; sold on 5 January 2026.", block.Text);
        Assert.Contains(block.Text, t => t.EndsWith(": 1,500.00 USD for a block of 10 hours.", StringComparison.Ordinal));

        // One that was sold at another price was agreed by itself: the terms do not say it, and nobody signed it with them.
        await admin.Service<EngagementsService.EngagementsServiceClient>().SellPrepaidHoursAsync(new SellPrepaidHoursRequest { Name = Launch(sold), BlockId = "special", Price = Usd(99_000), EffectiveDate = s_monday });
        await Finalized(sold, admin, s_monday, "second");
        var special = await Explained(admin, sold, "second", 1);
        Assert.Equal((0, 99_000), (special.Rule.Terms.Count, special.Line.Amount.MinorUnits));
        Assert.DoesNotContain(special.Text, t => t.Contains("terms hold", StringComparison.Ordinal) || t.Contains("signed", StringComparison.Ordinal));
        AddsUp(milestone);
        AddsUp(block);
    }

    [Fact]
    public async Task An_invoice_is_explained_to_what_is_due_in_the_language_of_the_buyers_documents()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(
            agency, a => Retainer(a, 800_000),
            billing: new BillingDetails { LegalName = "Acme GmbH", Country = "DE", PaymentTermDays = 30, TaxCategory = TaxCategory.Standard, TaxRatePercent = "19", Language = "de-DE" });
        var billing = admin.Service<BillingClient>();
        await Finalized(agency, admin, s_monday, "first");
        await billing.RecordPaymentAsync(new RecordPaymentRequest
        {
            Parent = agency.Name,
            ClientCompany = agency.Name + "/clientCompanies/acme",
            LegalEntity = agency.Name + "/legalEntities/main",
            Currency = "USD",
            Amount = Usd(300_000),
            ReceivedDate = s_monday,
            Reference = "w-1",
        });
        await billing.CreditInvoiceAsync(new CreditInvoiceRequest { Name = agency.Name + "/invoices/first", InvoiceId = "credit", Lines = { new LineCredit { Line = 1, Amount = Usd(100_000) } } });

        var explained = await admin.Service<ExplanationsClient>().ExplainInvoiceAsync(new ExplainInvoiceRequest { Name = agency.Name + "/invoices/first" });

        Assert.Equal((696_774, 132_387, 829_161, 410_161), (explained.NetAmount.MinorUnits, explained.TaxAmount.MinorUnits, explained.TotalAmount.MinorUnits, explained.OpenAmount.MinorUnits));
        Assert.Equal(explained.NetAmount.MinorUnits, explained.Lines.Sum(l => l.Amount.MinorUnits));
        Assert.Equal(explained.OpenAmount.MinorUnits, explained.TotalAmount.MinorUnits + explained.Settlements.Sum(s => s.Amount.MinorUnits));
        Assert.Equal(
            [
                "Summe der Positionen: 6.967,74 USD.", "Steuer von 19 % auf 6.967,74 USD: 1.323,87 USD.", "Gesamtbetrag: 6.967,74 + 1.323,87 = 8.291,61 USD.", "Bezahlt: –3.000,00 USD.",
                "Gutgeschrieben: –1.190,00 USD.", "Fällig am 4. Februar 2026: 4.101,61 USD.",
            ],
            explained.Text);

        var line = await Explained(admin, agency, "first", 1);
        Assert.Equal(("de", "Betrag: 8.000,00 × 27 Tage ÷ 31 Tage = 6.967,74 USD, einmal gerundet"), (line.Language, line.Steps.Single().Text));
        var credit = await Explained(admin, agency, "credit", 1);
        Assert.Equal((true, -100_000, -19_000), (credit.ByHand, credit.Line.Amount.MinorUnits, credit.TaxSteps[^1].Result));
        Assert.Contains("Das wurde von Hand gutgeschrieben.", credit.Text);
        AddsUp(credit);
    }

    [Fact]
    public async Task A_draft_that_something_changed_since_says_so()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, ActiveEngagement.Hourly);
        await Worked(agency, admin, ("a", 60));
        await Draft(agency, admin, s_february, "draft");
        Assert.Equal(ExplanationBasis.Computed, (await Explained(admin, agency, "draft", 1)).Basis);
        await Worked(agency, admin, ("b", 30));

        var stale = await Explained(admin, agency, "draft", 1);

        Assert.Equal((ExplanationBasis.AsFrozen, 25_000), (stale.Basis, stale.Steps.Single().Result));
        Assert.Contains("Something has changed since this draft was prepared. This is what the draft says; it is to be prepared again.", stale.Text);
        AddsUp(stale);
    }

    [Fact]
    public async Task What_is_not_there_is_named_by_its_field()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, a => Retainer(a, 800_000));
        await Draft(agency, admin, s_monday, "draft");
        var explanations = admin.Service<ExplanationsClient>();

        Assert.Equal(["line"], (await Refused.By(explanations.ExplainInvoiceLineAsync(Line(agency, "draft", 0)))).FieldViolations.Select(v => v.Field));
        var two = await Refused.By(explanations.ExplainInvoiceLineAsync(Line(agency, "draft", 2)));
        Assert.Equal((StatusCode.InvalidArgument, "line", "must be a line of the invoice draft, which has 1; 2 is none"), (two.StatusCode, two.FieldViolations.Single().Field, two.FieldViolations.Single().Description));
        Assert.Equal(["name", "line"], (await Refused.By(explanations.ExplainInvoiceLineAsync(new ExplainInvoiceLineRequest { Name = "invoices/draft", Line = -1 }))).FieldViolations.Select(v => v.Field));
        Assert.Equal(StatusCode.NotFound, (await Refused.By(explanations.ExplainInvoiceLineAsync(Line(agency, "none", 1)))).StatusCode);

        using var json = platform.Json(await agency.Key(Role.AgencyAdmin));
        using var over = JsonDocument.Parse(await json.GetStringAsync($"/v1/{agency.Name}/invoices/draft:explainLine?line=1"));
        Assert.Equal("696774", over.RootElement.GetProperty("steps")[0].GetProperty("result").GetString());
        using var whole = JsonDocument.Parse(await json.GetStringAsync($"/v1/{agency.Name}/invoices/draft:explain"));
        Assert.Equal("This is a draft: nothing is due yet.", whole.RootElement.GetProperty("text").EnumerateArray().Last().GetString());

        await admin.Service<BillingClient>().DiscardInvoiceAsync(new DiscardInvoiceRequest { Name = agency.Name + "/invoices/draft" });
        Assert.Equal(StatusCode.NotFound, (await Refused.By(explanations.ExplainInvoiceLineAsync(Line(agency, "draft", 1)))).StatusCode);
        Assert.Equal(StatusCode.NotFound, (await Refused.By(explanations.ExplainInvoiceAsync(new ExplainInvoiceRequest { Name = agency.Name + "/invoices/draft" }))).StatusCode);
        var other = await (await platform.NewAgency()).Admin();
        Assert.Equal(StatusCode.NotFound, (await Refused.By(other.Service<ExplanationsClient>().ExplainInvoiceLineAsync(Line(agency, "draft", 1)))).StatusCode);
    }

    // ---- what the tests are built of ----

    /// <summary>The last results are the line's amount and tax, and sums are what their figures come to, as a reader of the answer counts them.</summary>
    private static void AddsUp(LineExplanation explained)
    {
        Assert.Equal((explained.Line.Amount.MinorUnits, explained.Line.TaxAmount.MinorUnits), (explained.Steps[^1].Result, explained.TaxSteps[^1].Result));
        Recounted.Steps(explained.Steps);
        Recounted.Steps(explained.TaxSteps);
    }

    private static Terms Retainer(TestAgency agency, long fee, int day = 1) => new()
    {
        Seller = agency.Name + "/legalEntities/main",
        Currency = "USD",
        BillCycleDay = day,
        Retainer = new RetainerTerms { Fee = Usd(fee), IncludedMinutes = 100, OverageHourlyRate = Usd(25_000), OverageGate = OverageGate.Consent, FeeTiming = FeeTiming.InAdvance },
    };

    private static Date Day(int month, int day) => new() { Year = 2026, Month = month, Day = day };

    private static Money Usd(long minor) => new() { MinorUnits = minor, Currency = "USD" };

    private static string Launch(TestAgency agency) => agency.Name + "/engagements/launch";

    private static ExplainInvoiceLineRequest Line(TestAgency agency, string invoice, int line) => new() { Name = $"{agency.Name}/invoices/{invoice}", Line = line };

    private static async Task<LineExplanation> Explained(AgencyPlatformClient client, TestAgency agency, string invoice, int line) =>
        await client.Service<ExplanationsClient>().ExplainInvoiceLineAsync(Line(agency, invoice, line));

    private static async Task<Invoice> Draft(TestAgency agency, AgencyPlatformClient admin, Date to, string id) => await admin.Service<BillingClient>().PrepareInvoiceAsync(new PrepareInvoiceRequest
    {
        Parent = agency.Name,
        ClientCompany = agency.Name + "/clientCompanies/acme",
        LegalEntity = agency.Name + "/legalEntities/main",
        Currency = "USD",
        ToDate = to,
        InvoiceId = id,
    });

    private static async Task<Invoice> Finalized(TestAgency agency, AgencyPlatformClient admin, Date to, string id) =>
        await admin.Service<BillingClient>().FinalizeInvoiceAsync(new FinalizeInvoiceRequest { Name = (await Draft(agency, admin, to, id)).Name });

    private static async Task Worked(TestAgency agency, AgencyPlatformClient admin, params (string Id, int Minutes)[] entries)
    {
        var time = admin.Service<TimeService.TimeServiceClient>();
        var sheet = agency.Name + "/cmos/ada/timesheets/2026-w02";
        await time.LogTimeAsync(new LogTimeRequest
        {
            Name = sheet,
            Entries = { entries.Select(e => new TimeEntry { EntryId = e.Id, Engagement = Launch(agency), Date = s_monday, Minutes = e.Minutes }) },
        });
        await time.SubmitTimesheetAsync(new SubmitTimesheetRequest { Name = sheet });
        Assert.All((await time.ApproveEntriesAsync(new ApproveEntriesRequest { Name = sheet })).Results, r => Assert.True(r.Approved));
    }
}
