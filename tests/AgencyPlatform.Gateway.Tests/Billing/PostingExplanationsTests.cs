using System.Text.Json;
using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Billing.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Cmos.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using AgencyPlatform.Protocol.Time.V1;
using AgencyPlatform.Protocol.Type.V1;
using Google.Type;
using Grpc.Core;
using BillingClient = AgencyPlatform.Protocol.Billing.V1.BillingService.BillingServiceClient;
using DateTime = System.DateTime;
using EngagementsClient = AgencyPlatform.Protocol.Engagements.V1.EngagementsService.EngagementsServiceClient;
using ExplanationsClient = AgencyPlatform.Protocol.Billing.V1.ExplanationsService.ExplanationsServiceClient;
using Money = AgencyPlatform.Protocol.Type.V1.Money;
using PayablesClient = AgencyPlatform.Protocol.Billing.V1.PayablesService.PayablesServiceClient;
using TimeClient = AgencyPlatform.Protocol.Time.V1.TimeService.TimeServiceClient;

namespace AgencyPlatform.Gateway.Tests.Billing;

/// <summary>Why the ledger's postings are what they are, through the public API. The sandbox's clock begins on Monday 5 January 2026, 09:00 UTC.</summary>
[Collection(PlatformFixture.Collection)]
public sealed class PostingExplanationsTests(PlatformFixture platform)
{
    private static readonly Date s_monday = ActiveEngagement.Monday;

    [Fact]
    public async Task Three_approvals_of_ten_minutes_post_what_they_add_to_all_time_so_far()
    {
        var agency = await platform.NewAgency();
        var admin = await Hourly(agency);
        foreach (var entry in new[] { "a", "b", "c" })
        {
            await Worked(agency, admin, "ada", "launch", (entry, 10));
        }

        var explained = await All(agency, admin);

        Assert.Equal(3, explained.Count);
        Assert.Equal([4_167L, 4_166, 4_167], explained.Select(e => Amount(e, LedgerAccount.UnbilledReceivable)));
        Assert.Equal([1_833L, 1_834, 1_833], explained.Select(e => Amount(e, LedgerAccount.CostOfService)));
        var last = explained[^1];
        Assert.Equal(
            [
                "Time in all: 20 min + 10 min = 30 min", "Amount: 30 min × 110.00 ÷ 60 min = 55.00 USD", "Posted before: 20 min × 110.00 ÷ 60 min = 36.67 USD, rounded once",
                "Posted now: 55.00 – 36.67 = 18.33 USD",
                "Time in all: 20 min + 10 min = 30 min", "Amount: 30 min × 250.00 ÷ 60 min = 125.00 USD", "Posted before: 20 min × 250.00 ÷ 60 min = 83.33 USD, rounded once",
                "Posted now: 125.00 – 83.33 = 41.67 USD",
            ],
            last.Steps.Select(s => s.Text));
        Assert.Equal("ada/2026-w02/c", last.Steps[4].Parts[1].Factors.Single().TimeEntry);
        Assert.Equal(["USD"], last.Steps.Select(s => s.Currency).Distinct());
        Assert.Equal((s_monday, 11_000), (last.CostRate.EffectiveDate, last.CostRate.Hourly.MinorUnits));
        var worked = last.Entries.Single();
        Assert.Equal(("ada/2026-w02/c", 10, 10, 10L, EntryChange.Gained, "ada"), (worked.TimeEntry, worked.ApprovedMinutes, worked.ChargedMinutes, worked.BilledQuantity, worked.Change, worked.CmoDisplayName));
        Assert.StartsWith("key:", worked.ApprovedBy, StringComparison.Ordinal);
        Assert.Equal((25_000, s_monday, "Chief"), (last.Terms.Single().Terms.Hourly.HourlyRate.MinorUnits, last.Terms.Single().Terms.EffectiveDate, last.Terms.Single().Signatures.Single().DisplayName));
        Assert.Equal(("engagement.time-posted", s_monday, null, new DateTimeOffset(2026, 1, 5, 9, 0, 0, TimeSpan.Zero)), (last.EventType, last.PostingDate, last.EffectiveDate, last.PostTime.ToDateTimeOffset()));
        Assert.Contains("5 January 2026, ada: 10 min worked; 10 min of it charged here; approved on 5 January 2026.", last.Text);
        Assert.Contains("The work of ada costs 110.00 USD an hour since 5 January 2026.", last.Text);
        Assert.Contains("Credit owed to the CMO: 18.33 USD.", last.Text);
        Assert.DoesNotContain(last.Text, t => t.Contains("key:", StringComparison.Ordinal) || t.Contains("agencies/", StringComparison.Ordinal));

        // What is taken back is what all of it comes to without the entry, and the old explanation stays.
        await admin.Service<TimeClient>().ReverseEntriesAsync(new ReverseEntriesRequest { Name = Sheet(agency, "ada"), EntryIds = { "a" }, Reason = "Another client's." });
        var after = await All(agency, admin);
        Assert.Equal([.. explained, after[^1]], after);
        Assert.Equal((-4_167, -1_833, EntryChange.Lost, "Another client's."), (Amount(after[^1], LedgerAccount.UnbilledReceivable), Amount(after[^1], LedgerAccount.CostOfService), after[^1].Entries.Single().Change, after[^1].Reason));
        Assert.Equal("Posted now: 83.33 – 125.00 = –41.67 USD", after[^1].Steps[^1].Text);
    }

    [Fact]
    public async Task A_CMO_is_told_of_what_they_are_owed_and_of_nothing_else()
    {
        var agency = await platform.NewAgency();
        var admin = await Hourly(agency);
        await Worked(agency, admin, "ada", "launch", ("a", 10), ("b", 10));
        var payout = await admin.Service<PayablesClient>().RecordPayoutAsync(Payout(agency, "p1", 2_000));
        await ActiveEngagement.CreateCmo(agency, "bob");
        var (ada, bob) = ((await agency.As(Role.Cmo, cmo: "ada")), (await agency.As(Role.Cmo, cmo: "bob")));
        var statement = await ada.Service<PayablesClient>().GetCmoStatementAsync(new GetCmoStatementRequest
        {
            Name = agency.Name + "/cmos/ada",
            LegalEntity = agency.Name + "/legalEntities/main",
            Currency = "USD",
            StartDate = Day(1, 1),
            EndDate = Day(2, 1),
        });
        Assert.Equal(3, statement.Lines.Count);
        foreach (var line in statement.Lines)
        {
            var explained = await Explained(ada, agency, line.Source);
            AddsUp(explained);
            var own = Assert.Single(explained.Lines).Line;
            Assert.Equal((LedgerAccount.CmoPayable, agency.Name + "/cmos/ada", -line.Amount.MinorUnits), (own.Account, own.Cmo, own.Amount.MinorUnits));
            Assert.DoesNotContain("250.00", explained.ToString(), StringComparison.Ordinal);
            Assert.DoesNotContain("25000", explained.ToString(), StringComparison.Ordinal);
            Assert.Empty(explained.Terms);
            Assert.Equal(StatusCode.NotFound, (await Refused.By(bob.Service<ExplanationsClient>().ExplainPostingAsync(Of(agency, line.Source)))).StatusCode);
        }

        var second = await Explained(ada, agency, statement.Lines.Where(l => l.Amount.MinorUnits > 0).Last().Source);
        Assert.Equal(["Time in all: 10 min + 10 min = 20 min", "Amount: 20 min × 110.00 ÷ 60 min = 36.67 USD, rounded once", "Posted before: 10 min × 110.00 ÷ 60 min = 18.33 USD, rounded once", "Posted now: 36.67 – 18.33 = 18.34 USD"], second.Steps.Select(s => s.Text));
        Assert.Equal([3], second.Lines.Select(l => l.Step - 1));
        var paid = await Explained(ada, agency, statement.Lines.Single(l => l.Amount.MinorUnits < 0).Source);
        Assert.Equal((payout.Name, "bank-p1"), (paid.Documents.Single().Name, paid.Documents.Single().Reference));

        // Another's, another agency's, and one that never was, are the same.
        var source = statement.Lines[0].Source;
        var none = await Refused.By(bob.Service<ExplanationsClient>().ExplainPostingAsync(Of(agency, source[..(source.LastIndexOf('/') + 1)] + "999")));
        var foreign = await Refused.By(bob.Service<ExplanationsClient>().ExplainPostingAsync(Of(agency, source)));
        var elsewhere = await platform.NewAgency();
        var other = await Refused.By((await elsewhere.Admin()).Service<ExplanationsClient>().ExplainPostingAsync(Of(elsewhere, source)));
        Assert.All([none, foreign, other], e => Assert.Equal((StatusCode.NotFound, none.Reason), (e.StatusCode, e.Reason)));
        Assert.Equal(foreign.Message, other.Message);
        Assert.Equal(StatusCode.NotFound, (await Refused.By((await elsewhere.Admin()).Service<ExplanationsClient>().ExplainPostingAsync(Of(agency, source)))).StatusCode);
        foreach (var (role, client) in new[] { (Role.ClientApprover, "acme"), (Role.ClientViewer, "acme"), (Role.Operations, "") })
        {
            Assert.Equal(StatusCode.PermissionDenied, (await Refused.By((await agency.As(role, client: client)).Service<ExplanationsClient>().ExplainPostingAsync(Of(agency, source)))).StatusCode);
        }
    }

    [Fact]
    public async Task Every_posting_of_a_rich_story_adds_up()
    {
        var agency = await platform.NewAgency();
        var admin = await Hourly(agency);
        var (billing, engagements, time, payables) = (admin.Service<BillingClient>(), admin.Service<EngagementsClient>(), admin.Service<TimeClient>(), admin.Service<PayablesClient>());
        await ActiveEngagement.Create(
            agency, a => Retainer(a, FeeTiming.InAdvance), "bolt", "bob", "ahead",
            billing: new BillingDetails { LegalName = "Bolt GmbH", Country = "DE", PaymentTermDays = 30, TaxCategory = TaxCategory.Standard, TaxRatePercent = "19", Language = "de-DE" });
        await ActiveEngagement.Create(agency, a => Retainer(a, FeeTiming.InArrears), "core", "cat", "behind");
        await ActiveEngagement.Create(
            agency,
            a => Terms(a, t => t.Prepaid = new PrepaidTerms { BlockPrice = Usd(100_000), BlockMinutes = 600, ValidMonths = 1, OverageGate = OverageGate.Block }),
            "dune", "dan", "blocks");
        await ActiveEngagement.Create(
            agency, a => Terms(a, t => t.Milestones = new MilestoneTerms { Milestones = { new Milestone { MilestoneId = "brand", DisplayName = "Brand book", Amount = Usd(500_000) } } }), "echo", "eve", "marked");
        await ActiveEngagement.Create(agency, a => Terms(a, t => t.DayRate = new DayRateTerms { DayRate = Usd(120_000), FullDayMinutes = 480, EstimatedMonthly = Usd(2_000_000) }), "fern", "fay", "daily");
        await ActiveEngagement.Create(
            agency,
            a => Terms(a, t => t.Hourly = new HourlyTerms { HourlyRate = Usd(25_000), IncrementMinutes = 15, MinimumMinutes = 30 }), "gulf", "gus", "rounded");
        await Worked(agency, admin, "ada", "launch", ("a", 50), ("b", 20));
        await Worked(agency, admin, "bob", "ahead", ("a", 120));
        await time.ConsentToOverageAsync(new ConsentToOverageRequest { Name = agency.Name + "/engagements/ahead", Minutes = 20, Note = "By phone." });
        await Worked(agency, admin, "dan", "blocks", ("a", 70), ("b", 100));
        await time.ReverseEntriesAsync(new ReverseEntriesRequest { Name = Sheet(agency, "dan"), EntryIds = { "a" }, Reason = "Not theirs." });
        await engagements.MarkMilestoneReachedAsync(new MarkMilestoneReachedRequest { Name = agency.Name + "/engagements/marked", MilestoneId = "brand", ReachDate = s_monday });
        await engagements.ReopenMilestoneAsync(new ReopenMilestoneRequest { Name = agency.Name + "/engagements/marked", MilestoneId = "brand", Reason = "Not accepted." });
        await Worked(agency, admin, "fay", "daily", ("a", 200), ("b", 100));
        await Worked(agency, admin, "fay", "daily", ("c", 200));
        await time.ReverseEntriesAsync(new ReverseEntriesRequest { Name = Sheet(agency, "fay"), EntryIds = { "b" }, Reason = "Not theirs." });
        await Worked(agency, admin, "gus", "rounded", ("a", 20), ("b", 50));
        foreach (var (client, id) in new[] { ("bolt", "fee"), ("dune", "block") })
        {
            await Finalized(agency, billing, client, s_monday, id);
        }

        await agency.AdvanceTo(new DateTime(2026, 1, 20, 12, 0, 0, DateTimeKind.Utc));
        await billing.CreditInvoiceAsync(new CreditInvoiceRequest { Name = agency.Name + "/invoices/fee", InvoiceId = "note", Lines = { new LineCredit { Line = 1, Amount = Usd(100_000) } } });
        var paid = await Paid(agency, billing, "bolt", 1_000_000, "w-1");
        await billing.RefundCreditAsync(new RefundCreditRequest
        {
            Parent = agency.Name,
            ClientCompany = agency.Name + "/clientCompanies/bolt",
            LegalEntity = agency.Name + "/legalEntities/main",
            Currency = "USD",
            Amount = Usd(10_000),
            Reference = "back-1",
        });
        await billing.ReversePaymentAsync(new ReversePaymentRequest { Name = paid.Name, Reason = "Bounced." });
        await Paid(agency, billing, "dune", 30_000, "w-2");
        await Paid(agency, billing, "acme", 5_000, "w-3");
        await payables.RecordPayoutAsync(Payout(agency, "p1", 5_000));
        await payables.ReversePayoutAsync(new ReversePayoutRequest { Name = agency.Name + "/payouts/p1", ReverseDate = Day(1, 20), Reason = "Account closed." });
        await agency.AdvanceTo(new DateTime(2026, 2, 10, 12, 0, 0, DateTimeKind.Utc));
        await Finalized(agency, billing, "acme", Day(2, 5), "hours");
        await Finalized(agency, billing, "bolt", Day(2, 5), "next");
        await billing.WriteOffInvoiceAsync(new WriteOffInvoiceRequest { Name = agency.Name + "/invoices/block", Reason = "Insolvent." });
        await admin.Service<CutOverService.CutOverServiceClient>().ImportOpenBooksAsync(new ImportOpenBooksRequest
        {
            Parent = agency.Name,
            OpenBooksImportId = "late",
            LegalEntity = agency.Name + "/legalEntities/main",
            Currency = "USD",
            CutOverDate = s_monday,
            ClientCredits = { new OpeningCredit { ClientCompany = agency.Name + "/clientCompanies/bolt", Amount = Usd(20_000) } },
            DeferredRevenue = { new OpeningDeferral { Engagement = agency.Name + "/engagements/launch", Amount = Usd(20_000), StartDate = Day(2, 1), EndDate = Day(3, 1) } },
            CmoPayables = { new OpeningPayable { Cmo = agency.Name + "/cmos/ada", Amount = Usd(7_000) } },
        });
        await billing.AllocateCreditAsync(new AllocateCreditRequest
        {
            Parent = agency.Name,
            ClientCompany = agency.Name + "/clientCompanies/bolt",
            LegalEntity = agency.Name + "/legalEntities/main",
            Currency = "USD",
        });

        var all = await All(agency, admin);

        Assert.All(all, e => Assert.Equal(ExplanationBasis.Computed, e.Basis));
        Assert.Equal(
            [
                "billing-account.credit-allocated", "billing-account.credit-refunded", "billing-account.fees-recognized", "billing-account.invoice-finalized", "billing-account.invoice-written-off",
                "billing-account.payment-recorded", "billing-account.payment-reversed", "cmo-account.payout-recorded", "cmo-account.payout-reversed", "engagement.fees-accrued",
                "engagement.milestone-reached", "engagement.milestone-reopened", "engagement.prepaid-earned", "engagement.time-posted", "open-books-import.posted",
            ],
            all.Select(e => e.EventType).Distinct().Order(StringComparer.Ordinal));

        // $8,000 from 5 January to 4 February: on 20 January 15 of 31 days are over, and all days of January on the last of them.
        string[] Steps(string @event, string engagement = "") =>
        [
            .. all.Where(e => e.EventType == @event && e.Lines.Any(l => l.Line.Engagement.EndsWith(engagement, StringComparison.Ordinal))).SelectMany(e => e.Steps).Select(s => s.Text),
        ];
        Assert.Equal("Bisher verdient: 8.000,00 × 15 Tage ÷ 31 Tage (MAIN-000001, Position 1) = 3.870,97 USD, einmal gerundet", Steps("billing-account.fees-recognized", "ahead")[0]);

        // What an import brings late of days that are posted already for all others.
        Assert.Equal(["Earned so far: 200.00 × 9 days ÷ 28 days (retainer) = 64.29 USD, rounded once", "Posted now: 64.29 USD"], Steps("billing-account.fees-recognized", "launch"));
        Assert.Equal(
            [
                "Amount: 8,000.00 × 31 days ÷ 31 days = 8,000.00 USD", "Earned so far: 8,000.00 × 27 days ÷ 31 days = 6,967.74 USD, rounded once",
                "Amount: 8,000.00 × 31 days ÷ 31 days = 8,000.00 USD", "Earned so far: 8,000.00 USD", "Posted now: 8,000.00 – 6,967.74 = 1,032.26 USD",
            ],
            Steps("engagement.fees-accrued", "behind"));
        var days = all.First(e => e.EventType == "engagement.fees-accrued");
        Assert.Equal((s_monday, Day(2, 5)), (days.Terms.Single().StartDate, days.Terms.Single().EndDate));
        Assert.Contains("8,000.00", days.Text.Single(t => t.StartsWith("For ", StringComparison.Ordinal)), StringComparison.Ordinal);

        // 70 of 600 minutes of $1,000, then 170, then 100; the rest when the block expires.
        Assert.Equal(
            [
                "Earned so far: 1,000.00 × 70 min ÷ 600 min = 116.67 USD, rounded once",
                "Earned so far: 1,000.00 × 170 min ÷ 600 min = 283.33 USD, rounded once", "Posted before: 1,000.00 × 70 min ÷ 600 min = 116.67 USD, rounded once", "Posted now: 283.33 – 116.67 = 166.66 USD",
                "Earned so far: 1,000.00 × 100 min ÷ 600 min = 166.67 USD, rounded once", "Posted before: 1,000.00 × 170 min ÷ 600 min = 283.33 USD, rounded once", "Posted now: 166.67 – 283.33 = –116.66 USD",
                "Earned so far: 1,000.00 USD", "Posted before: 1,000.00 × 100 min ÷ 600 min = 166.67 USD, rounded once", "Posted now: 1,000.00 – 166.67 = 833.33 USD",
            ],
            Steps("engagement.prepaid-earned"));
        Assert.Equal(
            [("a", EntryChange.Gained, ""), ("b", EntryChange.Gained, ""), ("a", EntryChange.Lost, "Not theirs."), ("", EntryChange.Unspecified, "")],
            all.Where(e => e.EventType == "engagement.prepaid-earned").Select(e => (e.Entries.SingleOrDefault()?.TimeEntry.Split('/')[^1] ?? "", e.Entries.SingleOrDefault()?.Change ?? EntryChange.Unspecified, e.Reason)));
        Assert.Equal(
            [
                "Worked: 5 January 2026: 500 min, a full day is 480 min = 1 day", "Worked: 5 January 2026: 300 min, a full day is 480 min = 0.5 days", "Added by this entry: 1 day – 0.5 days = 0.5 days",
                "Days in all: 0.5 days + 0.5 days = 1 day", "Amount: 1 day × 1,200.00 = 1,200.00 USD", "Posted before: 0.5 days × 1,200.00 = 600.00 USD", "Posted now: 1,200.00 – 600.00 = 600.00 USD",
            ],
            Steps("engagement.time-posted", "daily").Skip(2).Take(7));
        Assert.Contains("Time billed: 5 January 2026: 20 min, in steps of 15 min, at least 30 min = 30 min", Steps("engagement.time-posted", "rounded"));
        var consented = all.Single(e => e.EventType == "engagement.time-posted" && e.Lines[0].Line.Engagement.EndsWith("ahead", StringComparison.Ordinal));
        Assert.Equal((120, 20, 20), (consented.Entries.Single().ApprovedMinutes, consented.Entries.Single().ChargedMinutes, consented.Entries.Single().Consents.Single().Minutes));

        // Documents and money name what they are of, in the words of the client's documents.
        var fee = all.Single(e => e.Documents.Any(d => d.Name == agency.Name + "/invoices/fee") && e.EventType == "billing-account.invoice-finalized" && e.Documents.Count == 1);
        Assert.Equal(("MAIN-000001", "de"), (fee.Documents.Single().Reference, fee.Language));
        Assert.Contains("Jetzt gebucht: 8.000,00 + 1.520,00 = 9.520,00 USD", fee.Steps.Select(s => s.Text));
        var bounced = all.Single(e => e.EventType == "billing-account.payment-reversed");
        Assert.Equal(("Bounced.", "w-1"), (bounced.Reason, bounced.Documents[0].Reference));
        Assert.Equal(agency.Name + "/openBooksImports/late", all.Single(e => e.EventType == "open-books-import.posted").Documents.Single().Name);
        var reopened = all.Single(e => e.EventType == "engagement.milestone-reopened");
        Assert.Equal(("brand", "Not accepted.", -500_000), (reopened.Milestone.MilestoneId, reopened.Reason, Amount(reopened, LedgerAccount.UnbilledReceivable)));
    }

    [Fact]
    public async Task What_comes_after_its_month_is_closed_says_so()
    {
        var agency = await platform.NewAgency();
        var admin = await Hourly(agency);
        await agency.AdvanceTo(new DateTime(2026, 2, 2, 12, 0, 0, DateTimeKind.Utc));
        await admin.Service<BooksService.BooksServiceClient>().CloseBooksAsync(new CloseBooksRequest { Name = agency.Name + "/legalEntities/main", ThroughDate = Day(1, 31), AcceptOpenItems = true });
        await Worked(agency, admin, "ada", "launch", ("a", 60));

        var late = Assert.Single(await All(agency, admin));

        Assert.Equal((Day(2, 1), s_monday, 25_000), (late.PostingDate, late.EffectiveDate, Amount(late, LedgerAccount.UnbilledReceivable)));
        Assert.Contains("The books of 5 January 2026 were closed: it belongs to that day, and is posted on the first open day, 1 February 2026.", late.Text);
    }

    [Fact]
    public async Task A_source_that_is_none_is_told_what_is_one()
    {
        var agency = await platform.NewAgency();
        var admin = await Hourly(agency);
        await Worked(agency, admin, "ada", "launch", ("a", 60));
        var explanations = admin.Service<ExplanationsClient>();
        foreach (var source in new[] { "", "engagement", "engagement/launch", "engagement/launch/0", "engagement/launch/01", "engagement/launch/x", "engagement/launch/-1", "engagement/launch/99999999999999999999", "engagement/a/b/1", "timesheet/ada/2026-W02/1", "billing-account/acme/main/1", "engagement/UP/1", "//" })
        {
            var refused = await Refused.By(explanations.ExplainPostingAsync(Of(agency, source)));
            Assert.Equal((StatusCode.InvalidArgument, "source", "must be the source of a line of the ledger or of a statement, for example engagement/{engagement}/{version}"), (refused.StatusCode, refused.FieldViolations.Single().Field, refused.FieldViolations.Single().Description));
        }

        // The first event of an engagement posts nothing.
        foreach (var source in new[] { "engagement/launch/1", "engagement/none/1", "billing-account/acme/main/usd/1", "cmo-account/ada/main/usd/1", "open-books-import/none/1" })
        {
            Assert.Equal(StatusCode.NotFound, (await Refused.By(explanations.ExplainPostingAsync(Of(agency, source)))).StatusCode);
        }

        using var json = platform.Json(await agency.Key(Role.AgencyAdmin));
        var posted = (await admin.Service<BillingClient>().ListPostingsAsync(new ListPostingsRequest { Parent = agency.Name })).Lines[0].Source;
        using var explained = JsonDocument.Parse(await json.GetStringAsync($"/v1/{agency.Name}/postings:explain?source={posted}"));
        Assert.Equal("Amount: 60 min × 110.00 ÷ 60 min = 110.00 USD", explained.RootElement.GetProperty("steps")[0].GetProperty("text").GetString());
    }

    // ---- what the tests are built of ----

    /// <summary>Explains every posting of an agency, in the order of the ledger, and checks that each is what the ledger has and adds up.</summary>
    private static async Task<List<PostingExplanation>> All(TestAgency agency, AgencyPlatformClient client)
    {
        var lines = new List<PostingLine>();
        var page = new ListPostingsResponse();
        do
        {
            page = await client.Service<BillingClient>().ListPostingsAsync(new ListPostingsRequest { Parent = agency.Name, PageSize = 1_000, PageToken = page.NextPageToken });
            lines.AddRange(page.Lines);
        }
        while (page.NextPageToken.Length > 0);
        var all = new List<PostingExplanation>();
        foreach (var posted in lines.GroupBy(l => l.Source).OrderBy(g => g.First().PostTime).ThenBy(g => g.Key.Length).ThenBy(g => g.Key, StringComparer.Ordinal))
        {
            var explained = await Explained(client, agency, posted.Key);
            Assert.Equal(posted.OrderBy(l => l.Line), explained.Lines.Select(l => l.Line));
            AddsUp(explained);
            all.Add(explained);
        }

        return all;
    }

    /// <summary>Each line's amount is what its step comes to, those that share a step cancel out, and sums are what their figures come to, as a reader of the answer counts them.</summary>
    private static void AddsUp(PostingExplanation explained)
    {
        Assert.NotEmpty(explained.Lines);
        foreach (var of in explained.Lines.GroupBy(l => l.Step))
        {
            var result = explained.Steps[of.Key - 1].Result;
            Assert.All(of, l => Assert.Equal(Math.Abs(result), Math.Abs(l.Line.Amount.MinorUnits)));
            Assert.Equal(of.Count() == 2 ? 0 : of.Single().Line.Amount.MinorUnits, of.Sum(l => l.Line.Amount.MinorUnits));
        }

        Recounted.Steps(explained.Steps);
    }

    private static long Amount(PostingExplanation explained, LedgerAccount account) => explained.Lines.Where(l => l.Line.Account == account).Sum(l => l.Line.Amount.MinorUnits);

    private static async Task<PostingExplanation> Explained(AgencyPlatformClient client, TestAgency agency, string source) => await client.Service<ExplanationsClient>().ExplainPostingAsync(Of(agency, source));

    private static ExplainPostingRequest Of(TestAgency agency, string source) => new() { Parent = agency.Name, Source = source };

    /// <summary>Ada works for $110 an hour, and her hours are sold to Acme at $250.</summary>
    private static async Task<AgencyPlatformClient> Hourly(TestAgency agency)
    {
        var admin = await ActiveEngagement.Create(agency, ActiveEngagement.Hourly);
        await admin.Service<CmosService.CmosServiceClient>().SetCostRateAsync(new SetCostRateRequest
        {
            Name = agency.Name + "/cmos/ada",
            CostRate = new CostRate { EffectiveDate = s_monday, Hourly = Usd(11_000) },
        });
        return admin;
    }

    private static Terms Retainer(TestAgency agency, FeeTiming timing) => Terms(
        agency, t => t.Retainer = new RetainerTerms { Fee = Usd(800_000), IncludedMinutes = 100, OverageHourlyRate = Usd(25_000), OverageGate = OverageGate.Consent, FeeTiming = timing });

    private static Terms Terms(TestAgency agency, Action<Terms> kind)
    {
        var terms = new Terms { Seller = agency.Name + "/legalEntities/main", Currency = "USD", BillCycleDay = 5 };
        kind(terms);
        return terms;
    }

    private static async Task Worked(TestAgency agency, AgencyPlatformClient admin, string cmo, string engagement, params (string Id, int Minutes)[] entries)
    {
        var time = admin.Service<TimeClient>();
        await time.LogTimeAsync(new LogTimeRequest
        {
            Name = Sheet(agency, cmo),
            Entries = { entries.Select(e => new TimeEntry { EntryId = e.Id, Engagement = $"{agency.Name}/engagements/{engagement}", Date = s_monday, Minutes = e.Minutes }) },
        });
        await time.SubmitTimesheetAsync(new SubmitTimesheetRequest { Name = Sheet(agency, cmo) });
        Assert.All((await time.ApproveEntriesAsync(new ApproveEntriesRequest { Name = Sheet(agency, cmo) })).Results, r => Assert.True(r.Approved));
    }

    private static async Task<Invoice> Finalized(TestAgency agency, BillingClient billing, string client, Date to, string id) => await billing.FinalizeInvoiceAsync(new FinalizeInvoiceRequest
    {
        Name = (await billing.PrepareInvoiceAsync(new PrepareInvoiceRequest
        {
            Parent = agency.Name,
            ClientCompany = $"{agency.Name}/clientCompanies/{client}",
            LegalEntity = agency.Name + "/legalEntities/main",
            Currency = "USD",
            ToDate = to,
            InvoiceId = id,
        })).Name,
    });

    private static async Task<Payment> Paid(TestAgency agency, BillingClient billing, string client, long amount, string reference) => await billing.RecordPaymentAsync(new RecordPaymentRequest
    {
        Parent = agency.Name,
        ClientCompany = $"{agency.Name}/clientCompanies/{client}",
        LegalEntity = agency.Name + "/legalEntities/main",
        Currency = "USD",
        Amount = Usd(amount),
        ReceivedDate = Day(1, 20),
        Reference = reference,
    });

    private static RecordPayoutRequest Payout(TestAgency agency, string id, long amount) => new()
    {
        Parent = agency.Name,
        PayoutId = id,
        Payout = new Payout { Cmo = agency.Name + "/cmos/ada", LegalEntity = agency.Name + "/legalEntities/main", Amount = Usd(amount), PayDate = s_monday, Reference = "bank-" + id },
    };

    private static string Sheet(TestAgency agency, string cmo) => $"{agency.Name}/cmos/{cmo}/timesheets/2026-w02";

    private static Date Day(int month, int day) => new() { Year = 2026, Month = month, Day = day };

    private static Money Usd(long minor) => new() { MinorUnits = minor, Currency = "USD" };
}
