using AgencyPlatform.Client;
using AgencyPlatform.Domain;
using AgencyPlatform.Protocol.Billing.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using AgencyPlatform.Protocol.Time.V1;
using Google.Type;
using BillingClient = AgencyPlatform.Protocol.Billing.V1.BillingService.BillingServiceClient;
using EngagementsClient = AgencyPlatform.Protocol.Engagements.V1.EngagementsService.EngagementsServiceClient;
using Money = AgencyPlatform.Protocol.Type.V1.Money;

namespace AgencyPlatform.Gateway.Tests.Billing;

/// <summary>What was invoiced, credited by hand, and then is owed no more: the books come to nothing, whatever the charge and the order.</summary>
[Collection(PlatformFixture.Collection)]
public sealed class OwedNoMoreTests(PlatformFixture platform)
{
    private static readonly Date s_january = new() { Year = 2026, Month = 2, Day = 5 };

    [Theory]
    [InlineData("hours", true)]
    [InlineData("hours", false)]
    [InlineData("days", true)]
    [InlineData("milestone", true)]
    [InlineData("milestone", false)]
    [InlineData("fee", true)]
    [InlineData("fee", false)]
    public async Task A_charge_in_arrears_that_was_credited_by_hand_leaves_nothing_when_it_is_owed_no_more(string charge, bool creditedFirst)
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, a => Terms(a, charge));
        var billing = admin.Service<BillingClient>();
        await Deliver(agency, admin, charge);
        await agency.AdvanceTo(new System.DateTime(2026, 2, 6, 12, 0, 0, DateTimeKind.Utc));
        var invoice = await Finalized(agency, billing, "january");
        Assert.True(invoice.TotalAmount.MinorUnits > 0);
        if (creditedFirst)
        {
            await Credit(billing, invoice);
            await TakeBack(agency, admin, charge);
        }
        else
        {
            await TakeBack(agency, admin, charge);
            await Credit(billing, invoice);
        }

        var preview = await billing.PreviewInvoiceAsync(new PreviewInvoiceRequest { Parent = agency.Name, ClientCompany = Client(agency), LegalEntity = Seller(agency), Currency = "USD", ToDate = s_january });
        var after = await Finalized(agency, billing, "after");
        Assert.Equal((preview.TotalAmount, 0), (after.TotalAmount, after.TotalAmount.MinorUnits));
        var balances = (await billing.GetTrialBalanceAsync(new GetTrialBalanceRequest { Parent = agency.Name })).Balances;
        Assert.DoesNotContain(balances, b => b.Account is LedgerAccount.UnbilledReceivable or LedgerAccount.Revenue or LedgerAccount.Receivable && b.Balance.MinorUnits != 0);
        Assert.Equal(Reasons.NothingToBill, (await Assert.ThrowsAsync<ApiException>(() => Finalized(agency, billing, "again"))).Reason);
        foreach (var line in after.Lines)
        {
            var why = await admin.Service<ExplanationsService.ExplanationsServiceClient>().ExplainInvoiceLineAsync(new ExplainInvoiceLineRequest { Name = after.Name, Line = line.Number });
            Assert.Equal((ExplanationBasis.Computed, line.Amount.MinorUnits), (why.Basis, why.Steps[^1].Result));
        }
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData(null, true)]
    [InlineData(300_000L, false)]
    [InlineData(300_000L, true)]
    public async Task A_fee_in_arrears_that_was_invoiced_ahead_and_credited_by_hand_is_on_every_day_the_revenue_that_was_not_given_away(long? amount, bool ended)
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, a => Terms(a, "fee"));
        var billing = admin.Service<BillingClient>();
        await agency.AdvanceTo(new System.DateTime(2026, 1, 8, 12, 0, 0, DateTimeKind.Utc));
        var invoice = await Finalized(agency, billing, "ahead", s_january);
        Assert.Equal(800_000, invoice.TotalAmount.MinorUnits);

        // 11 of 31 days are over with this one: 8,000.00 × 11 / 31, of which the part that was credited is given away.
        await agency.AdvanceTo(new System.DateTime(2026, 1, 15, 12, 0, 0, DateTimeKind.Utc));
        var credit = new CreditInvoiceRequest { Name = invoice.Name, InvoiceId = "note" };
        if (amount is { } part)
        {
            credit.Lines.Add(new LineCredit { Line = 1, Amount = Usd(part) });
        }

        await billing.CreditInvoiceAsync(credit);
        var kept = 800_000 - (amount ?? 800_000);
        Assert.Equal(-(Rounded(800_000L * 11, 31) - Rounded((amount ?? 800_000) * 11, 31)), await Balance(billing, agency, LedgerAccount.Revenue, Day(1, 15)));
        if (ended)
        {
            // 12 days are owed of 31, and what is owed no more is credited as far as it was not given away.
            await admin.Service<EngagementsClient>().EndEngagementAsync(new EndEngagementRequest { Name = Launch(agency), EndDate = Day(1, 17), NoticeWaiverReason = "Agreed." });
            await Finalized(agency, billing, "less");
            kept = amount is null ? 0 : Math.Max(0, kept - (800_000 - Rounded(800_000L * 12, 31)));
        }

        await agency.AdvanceTo(new System.DateTime(2026, 2, 6, 12, 0, 0, DateTimeKind.Utc));
        foreach (var (account, expected) in new[] { (LedgerAccount.Receivable, kept), (LedgerAccount.Revenue, -kept), (LedgerAccount.UnbilledReceivable, 0), (LedgerAccount.DeferredRevenue, 0) })
        {
            Assert.Equal((account, expected), (account, await Balance(billing, agency, account, Day(2, 4))));
        }

        Assert.Equal(Reasons.NothingToBill, (await Assert.ThrowsAsync<ApiException>(() => Finalized(agency, billing, "again"))).Reason);
        foreach (var source in (await billing.ListPostingsAsync(new ListPostingsRequest { Parent = agency.Name, PageSize = 1_000 })).Lines.Select(l => l.Source).Distinct())
        {
            Assert.Equal(ExplanationBasis.Computed, (await admin.Service<ExplanationsService.ExplanationsServiceClient>().ExplainPostingAsync(new ExplainPostingRequest { Parent = agency.Name, Source = source })).Basis);
        }

        static long Rounded(long dividend, long divisor) => (long)Math.Round((decimal)dividend / divisor, MidpointRounding.AwayFromZero);
    }

    [Theory]
    [InlineData("milestone")]
    [InlineData("block")]
    public async Task What_was_credited_to_be_billed_again_and_is_owed_no_more_stops_no_bill(string charge)
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, a => Terms(a, charge));
        var billing = admin.Service<BillingClient>();
        await agency.AdvanceTo(new System.DateTime(2026, 1, 10, 12, 0, 0, DateTimeKind.Utc));
        if (charge == "block")
        {
            await admin.Service<EngagementsClient>().SellPrepaidHoursAsync(new SellPrepaidHoursRequest { Name = Launch(agency), BlockId = "later", EffectiveDate = Day(1, 20) });
            await agency.AdvanceTo(new System.DateTime(2026, 1, 21, 12, 0, 0, DateTimeKind.Utc));
        }
        else
        {
            await Deliver(agency, admin, charge);
        }

        var invoice = await Finalized(agency, billing, "january");
        await billing.CreditInvoiceAsync(new CreditInvoiceRequest { Name = invoice.Name, InvoiceId = "note", Lines = { new LineCredit { Line = invoice.Lines[^1].Number } }, Rebill = true });
        await TakeBack(agency, admin, charge);

        Assert.Equal(Reasons.NothingToBill, (await Assert.ThrowsAsync<ApiException>(() => Finalized(agency, billing, "again"))).Reason);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_block_whose_first_day_an_end_leaves_out_is_never_earned(bool creditedByHand)
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, a => Terms(a, "block"));
        var (billing, engagements) = (admin.Service<BillingClient>(), admin.Service<EngagementsClient>());
        await engagements.SellPrepaidHoursAsync(new SellPrepaidHoursRequest { Name = Launch(agency), BlockId = "later", EffectiveDate = Day(1, 20), ExpireDate = Day(1, 25) });
        await agency.AdvanceTo(new System.DateTime(2026, 1, 27, 12, 0, 0, DateTimeKind.Utc));

        // It has expired, and is earned; then it never was of the engagement.
        var invoice = creditedByHand ? await Finalized(agency, billing, "january") : null;
        Assert.Equal(-100_000, await Balance(billing, agency, LedgerAccount.Revenue));
        await engagements.EndEngagementAsync(new EndEngagementRequest { Name = Launch(agency), EndDate = Day(1, 15), NoticeWaiverReason = "Agreed." });
        Assert.Equal(0, await Balance(billing, agency, LedgerAccount.Revenue));
        if (creditedByHand)
        {
            await billing.CreditInvoiceAsync(new CreditInvoiceRequest { Name = invoice!.Name, InvoiceId = "note", Lines = { new LineCredit { Line = 2, Amount = Usd(98_000) } } });
        }

        await agency.AdvanceTo(new System.DateTime(2026, 4, 1, 12, 0, 0, DateTimeKind.Utc));
        await Finalized(agency, billing, "all", Day(4, 1));

        // The first block alone, which was the engagement's.
        Assert.Equal((0, -100_000), (await Balance(billing, agency, LedgerAccount.DeferredRevenue), await Balance(billing, agency, LedgerAccount.Revenue)));
        var postings = (await billing.ListPostingsAsync(new ListPostingsRequest { Parent = agency.Name, PageSize = 1_000 })).Lines.Select(l => l.Source).Distinct();
        foreach (var source in postings)
        {
            Assert.Equal(ExplanationBasis.Computed, (await admin.Service<ExplanationsService.ExplanationsServiceClient>().ExplainPostingAsync(new ExplainPostingRequest { Parent = agency.Name, Source = source })).Basis);
        }
    }

    [Fact]
    public async Task An_engagement_does_not_end_before_a_milestone_that_was_reached()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, a => Terms(a, "milestone"));
        var engagements = admin.Service<EngagementsClient>();
        await agency.AdvanceTo(new System.DateTime(2026, 1, 12, 12, 0, 0, DateTimeKind.Utc));
        await Deliver(agency, admin, "milestone", Day(1, 10));
        foreach (var day in new[] { 8, 10 })
        {
            var refused = await Refused.By(engagements.EndEngagementAsync(new EndEngagementRequest { Name = Launch(agency), EndDate = Day(1, day), NoticeWaiverReason = "Agreed." }));
            Assert.Equal((Reasons.ChargesStand, "2026-01-10"), (refused.Reason, refused.Metadata["charged_date"]));
        }

        await engagements.EndEngagementAsync(new EndEngagementRequest { Name = Launch(agency), EndDate = Day(1, 11), NoticeWaiverReason = "Agreed." });
        Assert.Equal(500_000, (await Finalized(agency, admin.Service<BillingClient>(), "january")).TotalAmount.MinorUnits);
    }

    [Fact]
    public async Task A_run_s_credit_that_one_by_hand_has_bounded_is_explained_as_it_is()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, a => Terms(a, "fee in advance"));
        var billing = admin.Service<BillingClient>();
        var invoice = await Finalized(agency, billing, "january", Day(1, 5));
        await billing.CreditInvoiceAsync(new CreditInvoiceRequest { Name = invoice.Name, InvoiceId = "note", Lines = { new LineCredit { Line = 1, Amount = Usd(300_000) } } });
        await agency.AdvanceTo(new System.DateTime(2026, 1, 15, 12, 0, 0, DateTimeKind.Utc));
        await admin.Service<EngagementsClient>().EndEngagementAsync(new EndEngagementRequest { Name = Launch(agency), EndDate = Day(1, 12), NoticeWaiverReason = "Agreed." });

        var credit = await Finalized(agency, billing, "credit", Day(1, 15));

        Assert.Equal(-500_000, credit.Lines.Single().Amount.MinorUnits);
        var why = await admin.Service<ExplanationsService.ExplanationsServiceClient>().ExplainInvoiceLineAsync(new ExplainInvoiceLineRequest { Name = credit.Name, Line = 1 });
        Assert.Equal((ExplanationBasis.Computed, -500_000), (why.Basis, why.Steps[^1].Result));
        Recounted.Steps(why.Steps);
    }

    [Fact]
    public async Task A_payment_whose_reference_has_other_blanks_is_the_same_payment()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, a => Terms(a, "hours"));
        var payment = new RecordPaymentRequest { Parent = agency.Name, ClientCompany = Client(agency), LegalEntity = Seller(agency), Currency = "USD", Amount = Usd(1_000), ReceivedDate = Day(1, 5), Reference = "wire 1" };
        var first = await admin.Service<BillingClient>().RecordPaymentAsync(payment);
        foreach (var reference in new[] { " wire 1", "wire 1 ", "wire  1", "wire\u00a01" })
        {
            payment.Reference = reference;
            Assert.Equal(first.Name, (await admin.Service<BillingClient>().RecordPaymentAsync(payment)).Name);
        }

        payment.Amount = Usd(2_000);
        Assert.Equal(Reasons.PaymentReferenceUsed, (await Refused.By(admin.Service<BillingClient>().RecordPaymentAsync(payment))).Reason);
    }

    // ---- what the facts are built of ----

    private static Terms Terms(TestAgency agency, string charge)
    {
        var terms = new Terms { Seller = Seller(agency), Currency = "USD", BillCycleDay = 5 };
        switch (charge)
        {
            case "hours":
                terms.Hourly = new HourlyTerms { HourlyRate = Usd(25_000) };
                break;
            case "days":
                terms.DayRate = new DayRateTerms { DayRate = Usd(100_000), FullDayMinutes = 240, EstimatedMonthly = Usd(1_000_000) };
                break;
            case "milestone":
                terms.Milestones = new MilestoneTerms { Milestones = { new Milestone { MilestoneId = "brand", DisplayName = "Brand book", Amount = Usd(500_000) } } };
                break;
            case "block":
                terms.Prepaid = new PrepaidTerms { BlockPrice = Usd(100_000), BlockMinutes = 600, ValidMonths = 1, OverageGate = OverageGate.Block };
                break;
            default:
                terms.Retainer = new RetainerTerms { Fee = Usd(800_000), IncludedMinutes = 600, OverageHourlyRate = Usd(25_000), OverageGate = OverageGate.Consent, FeeTiming = charge == "fee" ? FeeTiming.InArrears : FeeTiming.InAdvance };
                break;
        }

        return terms;
    }

    private static async Task Deliver(TestAgency agency, AgencyPlatformClient admin, string charge, Date? on = null)
    {
        switch (charge)
        {
            case "milestone":
                await admin.Service<EngagementsClient>().MarkMilestoneReachedAsync(new MarkMilestoneReachedRequest { Name = Launch(agency), MilestoneId = "brand", ReachDate = on ?? Day(1, 5) });
                break;
            case "hours" or "days":
                await admin.Time.LogTimeAsync(new LogTimeRequest { Name = Sheet(agency), Entries = { new TimeEntry { EntryId = "a", Engagement = Launch(agency), Date = Day(1, 5), Minutes = 240 } } });
                await admin.Time.SubmitTimesheetAsync(new SubmitTimesheetRequest { Name = Sheet(agency) });
                await admin.Time.ApproveEntriesAsync(new ApproveEntriesRequest { Name = Sheet(agency) });
                break;
        }
    }

    /// <summary>The work was none, the milestone not reached, the engagement over before its first charged day.</summary>
    private static async Task TakeBack(TestAgency agency, AgencyPlatformClient admin, string charge)
    {
        switch (charge)
        {
            case "milestone":
                await admin.Service<EngagementsClient>().ReopenMilestoneAsync(new ReopenMilestoneRequest { Name = Launch(agency), MilestoneId = "brand", Reason = "Not accepted." });
                break;
            case "hours" or "days":
                await admin.Time.ReverseEntriesAsync(new ReverseEntriesRequest { Name = Sheet(agency), EntryIds = { "a" }, Reason = "Another client's." });
                break;
            case "block":
                await admin.Service<EngagementsClient>().EndEngagementAsync(new EndEngagementRequest { Name = Launch(agency), EndDate = Day(1, 15), NoticeWaiverReason = "Agreed." });
                break;
            default:
                await admin.Service<EngagementsClient>().EndEngagementAsync(new EndEngagementRequest { Name = Launch(agency), EndDate = Day(1, 6), NoticeWaiverReason = "Agreed." });
                break;
        }
    }

    private static async Task<Invoice> Finalized(TestAgency agency, BillingClient billing, string id, Date? to = null) => await billing.FinalizeInvoiceAsync(new FinalizeInvoiceRequest
    {
        Name = (await billing.PrepareInvoiceAsync(
            new PrepareInvoiceRequest { Parent = agency.Name, ClientCompany = Client(agency), LegalEntity = Seller(agency), Currency = "USD", ToDate = to ?? s_january, InvoiceId = id })).Name,
    });

    private static async Task Credit(BillingClient billing, Invoice invoice) => await billing.CreditInvoiceAsync(new CreditInvoiceRequest { Name = invoice.Name, InvoiceId = "note" });

    private static async Task<long> Balance(BillingClient billing, TestAgency agency, LedgerAccount account, Date? on = null) =>
        (await billing.GetTrialBalanceAsync(new GetTrialBalanceRequest { Parent = agency.Name, AsOfDate = on })).Balances.SingleOrDefault(b => b.Account == account)?.Balance.MinorUnits ?? 0;

    private static Date Day(int month, int day) => new() { Year = 2026, Month = month, Day = day };

    private static Money Usd(long minor) => new() { MinorUnits = minor, Currency = "USD" };

    private static string Seller(TestAgency agency) => agency.Name + "/legalEntities/main";

    private static string Client(TestAgency agency) => agency.Name + "/clientCompanies/acme";

    private static string Launch(TestAgency agency) => agency.Name + "/engagements/launch";

    private static string Sheet(TestAgency agency) => agency.Name + "/cmos/ada/timesheets/2026-w02";
}
