using AgencyPlatform.Client;
using AgencyPlatform.Domain;
using AgencyPlatform.Protocol.Billing.V1;
using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using AgencyPlatform.Protocol.Time.V1;
using Google.Type;
using Grpc.Core;
using Money = AgencyPlatform.Protocol.Type.V1.Money;
using ServiceClient = AgencyPlatform.Protocol.Billing.V1.BillingService.BillingServiceClient;

namespace AgencyPlatform.Gateway.Tests.Billing;

/// <summary>Terms of every kind, milestones, prepaid hours and previews of what is not agreed, through the public API. The sandbox's clock stands at Monday 5 January 2026, 09:00 UTC.</summary>
[Collection(PlatformFixture.Collection)]
public sealed class Terms_of_every_kind_over_the_API(PlatformFixture platform)
{
    private static readonly Date s_monday = ActiveEngagement.Monday;
    private static readonly Date s_februaryFifth = Day(2, 5);

    public static TheoryData<string> Kinds => ["retainer", "hourly", "day rate", "milestones", "prepaid"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task They_come_back_as_they_were_given(string kind)
    {
        var agency = await platform.NewAgency();
        var terms = Terms(agency, kind);
        terms.MinimumCommitment = new MinimumCommitment { CommitmentId = "floor", Amount = Usd(500_000) };
        terms.Discounts.Add(new Discount { DiscountId = "launch", StartDate = s_monday, EndDate = Day(3, 1), Percent = "12.5", Cap = Usd(90_000) });
        terms.Discounts.Add(new Discount { DiscountId = "friend", StartDate = s_monday, Amount = Usd(10_000) });
        var admin = await ActiveEngagement.Create(agency, _ => terms);

        var found = await Engagements(admin).GetEngagementAsync(new GetEngagementRequest { Name = Launch(agency) });

        terms.EffectiveDate = s_monday;
        terms.PeriodMonths = 1;
        Assert.Equal(terms, found.Terms.Single());
    }

    [Fact]
    public async Task A_milestone_is_marked_billed_reopened_and_credited()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, a => Terms(a, "milestones"));
        var (engagements, billing) = (Engagements(admin), admin.Service<ServiceClient>());
        var mark = new MarkMilestoneReachedRequest { Name = Launch(agency), MilestoneId = "brand", ReachDate = s_monday };
        Assert.Equal(Reasons.NothingToBill, (await Refused.By(billing.PreviewInvoiceAsync(Preview(agency, s_monday)))).Reason);

        var reached = await engagements.MarkMilestoneReachedAsync(mark);

        Assert.Equal(new ReachedMilestone { MilestoneId = "brand", DisplayName = "Brand book", Amount = Usd(500_000), ReachDate = s_monday }, reached.ReachedMilestones.Single());
        Assert.Equal(reached.ReachedMilestones, (await engagements.MarkMilestoneReachedAsync(mark)).ReachedMilestones);
        var tomorrow = await Refused.By(engagements.MarkMilestoneReachedAsync(new MarkMilestoneReachedRequest { Name = Launch(agency), MilestoneId = "launch", ReachDate = Day(1, 6) }));
        Assert.Equal((Reasons.MilestoneDateOutOfRange, "2026-01-05"), (tomorrow.Reason, tomorrow.Metadata["today"]));

        var invoice = await Finalized(agency, billing, s_monday, "first");
        Assert.Equal((Charge.Milestone, "brand", LineUnit.Each, 500_000), (invoice.Lines.Single().Charge, invoice.Lines.Single().PartId, invoice.Lines.Single().Unit, invoice.TotalAmount.MinorUnits));
        var reopened = await engagements.ReopenMilestoneAsync(new ReopenMilestoneRequest { Name = Launch(agency), MilestoneId = "brand", Reason = "The client wants another." });
        Assert.Empty(reopened.ReachedMilestones);
        var credit = await Finalized(agency, billing, s_monday, "second");
        Assert.Equal((DocumentKind.CreditNote, -500_000, invoice.Name, 1), (credit.Kind, credit.TotalAmount.MinorUnits, credit.Lines.Single().CorrectedInvoice, credit.Lines.Single().CorrectedLine));

        var balances = (await billing.GetTrialBalanceAsync(new GetTrialBalanceRequest { Parent = agency.Name })).Balances;
        Assert.All(balances, b => Assert.Equal(0, b.Balance.MinorUnits));
        Assert.Contains(balances, b => b.Account == LedgerAccount.UnbilledReceivable);
    }

    [Fact]
    public async Task Prepaid_hours_are_sold_with_the_activation_by_hand_and_by_their_threshold()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, a => Terms(a, "prepaid"));
        var (engagements, billing) = (Engagements(admin), admin.Service<ServiceClient>());
        Assert.Equal(150_000, (await billing.PreviewInvoiceAsync(Preview(agency, s_monday))).NetAmount.MinorUnits);

        var sold = await engagements.SellPrepaidHoursAsync(new SellPrepaidHoursRequest { Name = Launch(agency), BlockId = "small", Minutes = 60, Price = Usd(20_000), EffectiveDate = s_monday });
        Assert.Equal([("block-2026-01-05-1", 600, 150_000L), ("small", 60, 20_000L)], sold.PrepaidBlocks.Select(b => (b.BlockId, b.Minutes, b.Price.MinorUnits)));
        Assert.Equal(Day(7, 5), sold.PrepaidBlocks[1].ExpireDate);

        // 660 are there, and 610 are drawn: less than 60 would be left, so that another block is sold first.
        await Worked(agency, admin, 610);
        var drawn = await engagements.GetEngagementAsync(new GetEngagementRequest { Name = Launch(agency) });
        Assert.Equal([false, false, true], drawn.PrepaidBlocks.Select(b => b.ToppedUp));
        Assert.Equal(610, drawn.PrepaidBlocks.Sum(b => b.DrawnMinutes));
        var meter = await admin.Service<TimeService.TimeServiceClient>().GetMeterAsync(new GetMeterRequest { Name = Launch(agency), Date = s_monday });
        Assert.Equal(650, meter.RemainingMinutes);
        var invoice = await Finalized(agency, billing, s_monday, "first");
        Assert.Equal([150_000L, 150_000L, 20_000L], invoice.Lines.Select(l => l.Amount.MinorUnits));
        Assert.All(invoice.Lines, l => Assert.Equal(Charge.Block, l.Charge));
    }

    [Fact]
    public async Task The_same_month_at_other_terms_is_previewed_and_never_stored()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, a => Terms(a, "retainer"));
        var billing = admin.Service<ServiceClient>();
        await Worked(agency, admin, 610);
        await Finalized(agency, billing, s_februaryFifth, "real");
        var before = await Engagements(admin).GetEngagementAsync(new GetEngagementRequest { Name = Launch(agency) });

        var hourly = await billing.PreviewInvoiceAsync(Hypothetical("hourly"));
        var days = await billing.PreviewInvoiceAsync(Hypothetical("day rate"));
        var more = Hypothetical("retainer");
        more.HypotheticalTerms.Retainer.IncludedMinutes = 600;

        // 610 minutes by 15 are 615; more than a full day is a day; ten minutes are beyond 600.
        Assert.Equal((615, 256_250, ""), (hourly.Lines.Single().Quantity, hourly.NetAmount.MinorUnits, hourly.Name));
        Assert.Equal((2, LineUnit.HalfDays, 120_000), (days.Lines.Single().Quantity, days.Lines.Single().Unit, days.NetAmount.MinorUnits));
        Assert.Equal([(Charge.Fee, 800_000L), (Charge.Overage, 4_167L), (Charge.Fee, 800_000L)], (await billing.PreviewInvoiceAsync(more)).Lines.Select(l => (l.Charge, l.Amount.MinorUnits)));
        Assert.Equal(before, await Engagements(admin).GetEngagementAsync(new GetEngagementRequest { Name = Launch(agency) }));
        Assert.Equal(Reasons.NothingToBill, (await Refused.By(billing.PreviewInvoiceAsync(Preview(agency, s_februaryFifth)))).Reason);

        var bad = Hypothetical("hourly");
        (bad.Engagement, bad.HypotheticalTerms.Currency, bad.HypotheticalTerms.Hourly.HourlyRate.Currency) = ("", "EUR", "EUR");
        Assert.Equal(
            ["engagement", "hypothetical_terms.currency", "hypothetical_terms.hourly.cap.currency", "hypothetical_terms.hourly.estimated_monthly.currency"],
            (await Refused.By(billing.PreviewInvoiceAsync(bad))).FieldViolations.Select(v => v.Field).Order());

        PreviewInvoiceRequest Hypothetical(string kind)
        {
            var preview = Preview(agency, s_februaryFifth);
            (preview.Engagement, preview.HypotheticalTerms) = (Launch(agency), Terms(agency, kind));
            return preview;
        }
    }

    [Fact]
    public async Task An_engagement_that_is_invoiced_apart_is_billed_by_naming_it()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, a => Terms(a, "retainer"));
        var (engagements, billing) = (Engagements(admin), admin.Service<ServiceClient>());
        var apart = Draft(agency, Terms(agency, "retainer"));
        apart.InvoicedApart = true;
        var name = (await engagements.CreateEngagementAsync(new CreateEngagementRequest { Parent = agency.Name, EngagementId = "apart", Engagement = apart })).Name;
        await engagements.ProposeEngagementAsync(new ProposeEngagementRequest { Name = name });
        await engagements.SignEngagementAsync(new SignEngagementRequest { Name = name, PersonId = "ceo" });
        await engagements.ActivateEngagementAsync(new ActivateEngagementRequest { Name = name });

        var together = await Finalized(agency, billing, s_monday, "together");
        var own = await Finalized(agency, billing, s_monday, "own", name);

        Assert.Equal((Launch(agency), ""), (together.Lines.Single().Engagement, together.OnlyEngagement));
        Assert.Equal((name, name), (own.Lines.Single().Engagement, own.OnlyEngagement));
        Assert.Equal(Reasons.NothingToBill, (await Refused.By(billing.PreviewInvoiceAsync(Preview(agency, s_monday)))).Reason);
    }

    [Fact]
    public async Task Every_bad_field_of_terms_is_named()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, a => Terms(a, "retainer"));
        var terms = Terms(agency, "prepaid");
        (terms.Prepaid.TopsUp, terms.Prepaid.BlockMinutes) = (false, 59);
        terms.MinimumCommitment = new MinimumCommitment { Amount = Usd(0) };
        terms.Discounts.Add(new Discount { DiscountId = "d", Percent = "0" });
        terms.Discounts.Add(new Discount { DiscountId = "d", StartDate = Day(2, 1), EndDate = Day(2, 1) });

        var bad = await Refused.By(Engagements(admin).CreateEngagementAsync(new CreateEngagementRequest { Parent = agency.Name, Engagement = Draft(agency, terms) }));

        Assert.Equal(
            [
                "engagement.terms[0].discounts", "engagement.terms[0].discounts[0].percent", "engagement.terms[0].discounts[1]", "engagement.terms[0].discounts[1].end_date",
                "engagement.terms[0].minimum_commitment.amount.minor_units", "engagement.terms[0].prepaid.block_minutes", "engagement.terms[0].prepaid.top_up_below_minutes",
            ],
            bad.FieldViolations.Select(v => v.Field).Order(StringComparer.Ordinal));
    }

    // ---- what the tests are built of ----

    private static EngagementsService.EngagementsServiceClient Engagements(AgencyPlatformClient client) => client.Service<EngagementsService.EngagementsServiceClient>();

    private static string Launch(TestAgency agency) => agency.Name + "/engagements/launch";

    private static Date Day(int month, int day) => new() { Year = 2026, Month = month, Day = day };

    private static Money Usd(long minor) => new() { MinorUnits = minor, Currency = "USD" };

    private static Terms Terms(TestAgency agency, string kind)
    {
        var terms = new Terms { Seller = agency.Name + "/legalEntities/main", Currency = "USD", BillCycleDay = 5 };
        switch (kind)
        {
            case "hourly":
                terms.Hourly = new HourlyTerms { HourlyRate = Usd(25_000), EstimatedMonthly = Usd(400_000), IncrementMinutes = 15, MinimumMinutes = 30, Cap = Usd(900_000) };
                break;
            case "day rate":
                terms.DayRate = new DayRateTerms { DayRate = Usd(120_000), FullDayMinutes = 480, EstimatedMonthly = Usd(2_000_000) };
                break;
            case "milestones":
                terms.Milestones = new MilestoneTerms
                {
                    Milestones = { new Milestone { MilestoneId = "brand", DisplayName = "Brand book", Amount = Usd(500_000) }, new Milestone { MilestoneId = "launch", DisplayName = "Launch", Amount = Usd(900_000) } },
                };
                break;
            case "prepaid":
                terms.Prepaid = new PrepaidTerms
                {
                    BlockPrice = Usd(150_000),
                    BlockMinutes = 600,
                    ValidMonths = 6,
                    OverageHourlyRate = Usd(30_000),
                    OverageGate = OverageGate.Consent,
                    TopsUp = true,
                    TopUpBelowMinutes = 60,
                    Priority = 30,
                };
                break;
            default:
                terms.Retainer = new RetainerTerms { Fee = Usd(800_000), IncludedMinutes = 1_200, OverageHourlyRate = Usd(25_000), OverageGate = OverageGate.Consent, FeeTiming = FeeTiming.InAdvance };
                break;
        }

        return terms;
    }

    /// <summary>Beside the engagement that is there, with the same CMO.</summary>
    private static Engagement Draft(TestAgency agency, Terms terms) => new()
    {
        ClientCompany = agency.Name + "/clientCompanies/acme",
        Title = "Beside it",
        ServiceType = ServiceType.FractionalCmo,
        Lead = agency.Name + "/cmos/ada",
        Members = { new Member { Cmo = agency.Name + "/cmos/ada", CmoAgreementWaived = true, Steps = { new BookingStep { StartDate = s_monday, Flexible = new FlexibleForm { WeeklyMinutes = 60 } } } } },
        Terms = { terms },
        StartDate = s_monday,
        SignaturesNeeded = 1,
    };

    private static PreviewInvoiceRequest Preview(TestAgency agency, Date to) =>
        new() { Parent = agency.Name, ClientCompany = agency.Name + "/clientCompanies/acme", LegalEntity = agency.Name + "/legalEntities/main", Currency = "USD", ToDate = to };

    private static async Task<Invoice> Finalized(TestAgency agency, ServiceClient billing, Date to, string id, string engagement = "")
    {
        var draft = await billing.PrepareInvoiceAsync(new PrepareInvoiceRequest
        {
            Parent = agency.Name,
            ClientCompany = agency.Name + "/clientCompanies/acme",
            LegalEntity = agency.Name + "/legalEntities/main",
            Currency = "USD",
            ToDate = to,
            InvoiceId = id,
            Engagement = engagement,
        });
        return await billing.FinalizeInvoiceAsync(new FinalizeInvoiceRequest { Name = draft.Name });
    }

    private static async Task Worked(TestAgency agency, AgencyPlatformClient admin, int minutes)
    {
        var time = admin.Service<TimeService.TimeServiceClient>();
        var sheet = agency.Name + "/cmos/ada/timesheets/2026-w02";
        await time.LogTimeAsync(new LogTimeRequest { Name = sheet, Entries = { new TimeEntry { EntryId = "a", Engagement = Launch(agency), Date = s_monday, Minutes = minutes } } });
        await time.SubmitTimesheetAsync(new SubmitTimesheetRequest { Name = sheet });
        Assert.True((await time.ApproveEntriesAsync(new ApproveEntriesRequest { Name = sheet })).Results.Single().Approved);
    }
}
