using AgencyPlatform.Client;
using AgencyPlatform.Domain;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Billing.V1;
using AgencyPlatform.Protocol.Cmos.V1;
using AgencyPlatform.Protocol.Time.V1;
using Google.Type;
using Grpc.Core;
using Money = AgencyPlatform.Protocol.Type.V1.Money;
using PayablesClient = AgencyPlatform.Protocol.Billing.V1.PayablesService.PayablesServiceClient;

namespace AgencyPlatform.Gateway.Tests.Billing;

/// <summary>
/// What CMOs have earned and are paid, through the public API. The sandbox's clock stands at Monday 5 January 2026; Ada works for $110 an hour, and her hours are sold at $250.
/// </summary>
[Collection(PlatformFixture.Collection)]
public sealed class PayablesTests(PlatformFixture platform)
{
    [Fact]
    public async Task What_was_earned_is_paid_once_and_the_statement_says_so()
    {
        var agency = await platform.NewAgency();
        var admin = await Worked(agency, minutes: 150);
        var payables = admin.Service<PayablesClient>();

        // 150 minutes at $110 an hour.
        var before = await payables.GetCmoStatementAsync(Statement(agency));
        Assert.Equal((0, 27_500, 0, 27_500), Sums(before));
        Assert.Equal(($"{agency.Name}/engagements/launch", 27_500), before.Engagements.Select(e => (e.Engagement, e.EarnedAmount.MinorUnits)).Single());

        var tooMuch = await Refused.By(payables.RecordPayoutAsync(Payout(agency, "p0", 27_501)));
        Assert.Equal((Reasons.PayoutExceedsPayable, "27500"), (tooMuch.Reason, tooMuch.Metadata["payable"]));
        var request = Payout(agency, "p1", 20_000);
        request.RequestId = Guid.CreateVersion7().ToString();
        var paid = await payables.RecordPayoutAsync(request);
        Assert.Equal(paid, await payables.RecordPayoutAsync(request));
        Assert.Equal((20_000, "bank-p1"), (paid.Amount.MinorUnits, paid.Reference));
        Assert.Equal(paid, await payables.GetPayoutAsync(new GetPayoutRequest { Name = paid.Name }));

        // Several at once share what is left, and no more.
        var many = await Task.WhenAll(Enumerable.Range(0, 8).Select(async i =>
        {
            try
            {
                await payables.RecordPayoutAsync(Payout(agency, $"m{i}", 5_000));
                return 1;
            }
            catch (ApiException e) when (e.Reason == Reasons.PayoutExceedsPayable)
            {
                return 0;
            }
        }));
        Assert.Equal(1, many.Sum());
        Assert.Equal((0, 27_500, 25_000, 2_500), Sums(await payables.GetCmoStatementAsync(Statement(agency))));

        // The bank sends one back.
        var reversed = await payables.ReversePayoutAsync(new ReversePayoutRequest { Name = paid.Name, ReverseDate = ActiveEngagement.Monday, Reason = "Account closed." });
        Assert.Equal(ActiveEngagement.Monday, reversed.ReverseDate);
        Assert.Equal(Reasons.PayoutNotReversible, (await Refused.By(payables.ReversePayoutAsync(new ReversePayoutRequest { Name = paid.Name, ReverseDate = ActiveEngagement.Monday, Reason = "Again." }))).Reason);
        var after = await payables.GetCmoStatementAsync(Statement(agency));
        Assert.Equal((0, 27_500, 5_000, 22_500), Sums(after));
        Assert.Equal([27_500L, 20_000L, -5_000L, -20_000L], after.Lines.Select(l => l.Amount.MinorUnits).OrderDescending());
        Assert.Equal((22_500, 0, 0, 22_500), Sums(await payables.GetCmoStatementAsync(Statement(agency, 6))));

        var balances = (await admin.Service<BillingService.BillingServiceClient>().GetTrialBalanceAsync(new GetTrialBalanceRequest { Parent = agency.Name })).Balances.ToDictionary(b => b.Account, b => b.Balance.MinorUnits);
        Assert.Equal((0, -22_500, -5_000), (balances.Values.Sum(), balances[LedgerAccount.CmoPayable], balances[LedgerAccount.Cash]));
        Assert.Equal(StatusCode.AlreadyExists, (await Refused.By(payables.RecordPayoutAsync(Payout(agency, "p1", 100)))).StatusCode);
        var sameReference = Payout(agency, "p9", 100);
        sameReference.Payout.Reference = "bank-p1";
        Assert.Equal(StatusCode.AlreadyExists, (await Refused.By(payables.RecordPayoutAsync(sameReference))).StatusCode);
    }

    [Fact]
    public async Task A_run_pays_everybody_what_they_are_owed_and_repeated_nothing_more()
    {
        var agency = await platform.NewAgency();
        var admin = await Worked(agency, minutes: 150);
        var payables = admin.Service<PayablesClient>();
        var request = new RunPayoutsRequest
        {
            Parent = agency.Name,
            PayoutRunId = "january",
            LegalEntity = agency.Name + "/legalEntities/main",
            Currency = "USD",
            ThroughDate = ActiveEngagement.Monday,
            PayDate = ActiveEngagement.Monday,
            Reference = "jan-2026",
            ValidateOnly = true,
        };
        var whatIf = await payables.RunPayoutsAsync(request);
        Assert.Equal((27_500, ""), (whatIf.Total.MinorUnits, whatIf.Items.Single().Payout));
        Assert.Empty((await payables.ListPayoutsAsync(new ListPayoutsRequest { Parent = agency.Name })).Payouts);

        (request.ValidateOnly, request.RequestId) = (false, Guid.CreateVersion7().ToString());
        var run = await payables.RunPayoutsAsync(request);
        Assert.Equal((true, 27_500), (run.Done, run.Total.MinorUnits));
        Assert.Equal(run, await payables.RunPayoutsAsync(request));
        Assert.Equal([run], (await payables.ListPayoutRunsAsync(new ListPayoutRunsRequest { Parent = agency.Name })).PayoutRuns);
        Assert.Equal(run, await payables.GetPayoutRunAsync(new GetPayoutRunRequest { Name = run.Name }));
        var payout = (await payables.ListPayoutsAsync(new ListPayoutsRequest { Parent = agency.Name })).Payouts.Single();
        Assert.Equal((run.Items.Single().Payout, "jan-2026-ada", 27_500), (payout.Name, payout.Reference, payout.Amount.MinorUnits));

        (request.PayoutRunId, request.RequestId) = ("again", "");
        Assert.Equal(Reasons.NothingToPay, (await Refused.By(payables.RunPayoutsAsync(request))).Reason);

        // Ada sees what is hers; Bob does not.
        var ada = (await agency.As(Role.Cmo, cmo: "ada")).Service<PayablesClient>();
        Assert.Equal(payout, (await ada.ListPayoutsAsync(new ListPayoutsRequest { Parent = agency.Name })).Payouts.Single());
        Assert.Equal(payout, await ada.GetPayoutAsync(new GetPayoutRequest { Name = payout.Name }));
        await ActiveEngagement.CreateCmo(agency, "bob");
        var bob = (await agency.As(Role.Cmo, cmo: "bob")).Service<PayablesClient>();
        Assert.Equal(StatusCode.NotFound, (await Refused.By(bob.GetPayoutAsync(new GetPayoutRequest { Name = payout.Name }))).StatusCode);
        Assert.Equal(StatusCode.NotFound, (await Refused.By(bob.GetCmoStatementAsync(Statement(agency)))).StatusCode);
        Assert.Empty((await bob.ListPayoutsAsync(new ListPayoutsRequest { Parent = agency.Name })).Payouts);
    }

    [Theory]
    [InlineData(MarginGroup.Engagement, "engagements/launch")]
    [InlineData(MarginGroup.ClientCompany, "clientCompanies/acme")]
    [InlineData(MarginGroup.Cmo, "cmos/ada")]
    public async Task Margin_is_revenue_less_cost(MarginGroup by, string resource)
    {
        var agency = await platform.NewAgency();
        var payables = (await Worked(agency, minutes: 150)).Service<PayablesClient>();
        var margin = await payables.GetMarginAsync(new GetMarginRequest { Parent = agency.Name, GroupBy = by, StartDate = ActiveEngagement.Monday, EndDate = Day(6) });

        // 150 minutes at $250 less 150 at $110: 625 − 275 = 350, 56 %.
        var row = margin.Rows.Single();
        Assert.Equal(($"{agency.Name}/{resource}", 62_500, 27_500, 35_000, "56.0"), (row.Resource, row.Revenue.MinorUnits, row.Cost.MinorUnits, row.Margin.MinorUnits, row.MarginPercent));
        Assert.Equal(35_000, margin.Totals.Single().Margin.MinorUnits);
        Assert.Empty((await payables.GetMarginAsync(new GetMarginRequest { Parent = agency.Name, GroupBy = by, StartDate = Day(6), EndDate = Day(7) })).Rows);
    }

    [Fact]
    public async Task Margin_by_month_is_that_of_each_month_alone_and_sums_to_the_whole()
    {
        var agency = await platform.NewAgency();
        var admin = await Worked(agency, minutes: 150);
        var (payables, time) = (admin.Service<PayablesClient>(), admin.Service<TimeService.TimeServiceClient>());
        await ActiveEngagement.Create(agency, ActiveEngagement.Hourly, "bolt", "bob", "growth");
        await agency.AdvanceTo(new System.DateTime(2026, 3, 3, 15, 0, 0, DateTimeKind.Utc));
        foreach (var (cmo, engagement, day, minutes) in new[] { ("ada", "launch", 2, 60), ("bob", "growth", 3, 30) })
        {
            await Approved(time, $"{agency.Name}/cmos/{cmo}/timesheets/2026-w10", $"{agency.Name}/engagements/{engagement}", new Date { Year = 2026, Month = 3, Day = day }, minutes);
        }

        GetMarginRequest Margin(MarginGroup by, bool months, int from = 1, int to = 4) => new()
        {
            Parent = agency.Name,
            GroupBy = by,
            ByMonth = months,
            StartDate = new Date { Year = 2026, Month = from, Day = 1 },
            EndDate = new Date { Year = 2026, Month = to, Day = 1 },
        };
        (string, int, long, long)[] Of(Margin margin) => [.. margin.Rows.Select(r => (r.Resource.Split('/')[^1], r.Month?.Month ?? 0, r.Revenue.MinorUnits, r.Cost.MinorUnits))];

        // Nothing was posted in February.
        var alone = await payables.GetMarginAsync(Margin(MarginGroup.Unspecified, true));
        Assert.Equal([("", 1, 62_500, 27_500), ("", 3, 37_500, 11_000)], Of(alone));
        Assert.Equal((100_000, 38_500, null), (alone.Totals.Single().Revenue.MinorUnits, alone.Totals.Single().Cost.MinorUnits, alone.Totals.Single().Month));
        Assert.Equal([("growth", 3, 12_500, 0), ("launch", 1, 62_500, 27_500), ("launch", 3, 25_000, 11_000)], Of(await payables.GetMarginAsync(Margin(MarginGroup.Engagement, true))));

        // Bob's work has cost nothing: its revenue is nobody's.
        Assert.Equal([("", 3, 12_500, 0), ("ada", 1, 62_500, 27_500), ("ada", 3, 25_000, 11_000)], Of(await payables.GetMarginAsync(Margin(MarginGroup.Cmo, true))));
        foreach (var by in new[] { MarginGroup.Engagement, MarginGroup.ClientCompany, MarginGroup.Cmo })
        {
            var months = await payables.GetMarginAsync(Margin(by, true));
            var whole = await payables.GetMarginAsync(Margin(by, false));
            Assert.Equal(whole.Totals, months.Totals);
            Assert.All(whole.Rows, r => Assert.Null(r.Month));
            foreach (var month in new[] { 1, 2, 3 })
            {
                var only = await payables.GetMarginAsync(Margin(by, false, month, month + 1));
                Assert.Equal(only.Rows.Select(r => (r.Resource, r.Revenue, r.Cost, r.Margin, r.MarginPercent)), months.Rows.Where(r => r.Month.Month == month).Select(r => (r.Resource, r.Revenue, r.Cost, r.Margin, r.MarginPercent)));
            }
        }
    }

    [Fact]
    public async Task Every_bad_field_is_named()
    {
        var agency = await platform.NewAgency();
        var payables = (await agency.Admin()).Service<PayablesClient>();
        var payout = await Refused.By(payables.RecordPayoutAsync(new RecordPayoutRequest { Parent = agency.Name, Payout = new Payout { Cmo = "x", Amount = new Money { MinorUnits = 0, Currency = "USD" } } }));
        Assert.Equal(["payout.amount.minor_units", "payout.cmo", "payout.legal_entity", "payout.pay_date", "payout.reference"], payout.FieldViolations.Select(f => f.Field).Order());
        var run = await Refused.By(payables.RunPayoutsAsync(new RunPayoutsRequest { Parent = agency.Name, Currency = "XXX" }));
        Assert.Equal(["currency", "legal_entity", "pay_date", "reference", "through_date"], run.FieldViolations.Select(f => f.Field).Order());
        var margin = await Refused.By(payables.GetMarginAsync(new GetMarginRequest { Parent = agency.Name }));
        Assert.Equal(["end_date", "group_by", "start_date"], margin.FieldViolations.Select(f => f.Field).Order());
        var tomorrow = Payout(agency, "late", 1);
        tomorrow.Payout.PayDate = Day(6);
        Assert.Equal(["payout.pay_date"], (await Refused.By(payables.RecordPayoutAsync(tomorrow))).FieldViolations.Select(f => f.Field));
    }

    // ---- what the tests are built of ----

    private static (long, long, long, long) Sums(CmoStatement s) => (s.OpeningBalance.MinorUnits, s.EarnedAmount.MinorUnits, s.PaidAmount.MinorUnits, s.ClosingBalance.MinorUnits);

    private static GetCmoStatementRequest Statement(TestAgency agency, int from = 1) => new()
    {
        Name = agency.Name + "/cmos/ada",
        LegalEntity = agency.Name + "/legalEntities/main",
        Currency = "USD",
        StartDate = Day(from),
        EndDate = Day(31),
    };

    private static RecordPayoutRequest Payout(TestAgency agency, string id, long amount) => new()
    {
        Parent = agency.Name,
        PayoutId = id,
        Payout = new Payout
        {
            Cmo = agency.Name + "/cmos/ada",
            LegalEntity = agency.Name + "/legalEntities/main",
            Amount = new Money { MinorUnits = amount, Currency = "USD" },
            PayDate = ActiveEngagement.Monday,
            Reference = "bank-" + id,
        },
    };

    private static async Task<AgencyPlatformClient> Worked(TestAgency agency, int minutes)
    {
        var admin = await ActiveEngagement.Create(agency, ActiveEngagement.Hourly);
        await admin.Service<CmosService.CmosServiceClient>().SetCostRateAsync(new SetCostRateRequest
        {
            Name = agency.Name + "/cmos/ada",
            CostRate = new CostRate { EffectiveDate = ActiveEngagement.Monday, Hourly = new Money { MinorUnits = 11_000, Currency = "USD" } },
        });
        await Approved(admin.Service<TimeService.TimeServiceClient>(), agency.Name + "/cmos/ada/timesheets/2026-w02", agency.Name + "/engagements/launch", ActiveEngagement.Monday, minutes);
        return admin;
    }

    private static async Task Approved(TimeService.TimeServiceClient time, string sheet, string engagement, Date date, int minutes)
    {
        await time.LogTimeAsync(new LogTimeRequest { Name = sheet, Entries = { new TimeEntry { EntryId = "a", Engagement = engagement, Date = date, Minutes = minutes } } });
        await time.SubmitTimesheetAsync(new SubmitTimesheetRequest { Name = sheet });
        Assert.True((await time.ApproveEntriesAsync(new ApproveEntriesRequest { Name = sheet })).Results.Single().Approved);
    }

    private static Date Day(int day) => new() { Year = 2026, Month = 1, Day = day };
}
