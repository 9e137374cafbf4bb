using System.Text;
using AgencyPlatform.Client;
using AgencyPlatform.Domain;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Billing.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using AgencyPlatform.Protocol.Performance.V1;
using AgencyPlatform.Protocol.Time.V1;
using Google.Protobuf.WellKnownTypes;
using Google.Type;
using Grpc.Core;
using Money = AgencyPlatform.Protocol.Type.V1.Money;

namespace AgencyPlatform.Gateway.Tests.Performance;

/// <summary>Scorecards, results and comparisons through the public API. The sandbox's clock stands at Monday 5 January 2026, 09:00 UTC, until it is moved.</summary>
[Collection(PlatformFixture.Collection)]
public sealed class PerformanceTests(PlatformFixture platform)
{
    private static readonly Date s_january = Month(2026, 1);
    private static readonly Date s_february = Month(2026, 2);

    [Fact]
    public async Task A_value_is_recorded_corrected_missed_and_closed()
    {
        var agency = await platform.NewAgency();
        var performance = await Card(agency);
        var name = agency.Name + "/scorecards/launch";
        var card = await performance.GetScorecardAsync(new GetScorecardRequest { Name = name });
        Assert.Equal(("America/New_York", "USD", agency.Name + "/clientCompanies/acme", 10), (card.TimeZone, card.Currency, card.ClientCompany, card.Kpis.Count));
        await performance.SetKpiTargetAsync(new SetKpiTargetRequest
        {
            Name = name,
            KpiId = "cost-per-lead",
            Month = s_january,
            Target = Dollars(1_000),
            Benchmark = Dollars(1_200),
            TolerancePercent = "10",
        });
        await agency.AdvanceTo(new System.DateTime(2026, 2, 3, 12, 0, 0, DateTimeKind.Utc));
        await performance.RecordKpiValuesAsync(new RecordKpiValuesRequest { Name = name, Values = { Entry("qualified-leads", "80"), Spend("search", 80_000) } });
        var before = (await performance.GetScorecardAsync(new GetScorecardRequest { Name = name })).UpdateTime;

        await agency.AdvanceTo(new System.DateTime(2026, 2, 4, 12, 0, 0, DateTimeKind.Utc));
        var again = Entry("qualified-leads", "50");
        Assert.Equal(Reasons.KpiValueExists, (await Refused.By(performance.RecordKpiValuesAsync(new RecordKpiValuesRequest { Name = name, Values = { again } }))).Reason);
        again.Reason = "Thirty were not qualified.";
        var request = new RecordKpiValuesRequest { Name = name, Values = { again }, RequestId = Guid.CreateVersion7().ToString() };
        var recorded = await performance.RecordKpiValuesAsync(request);
        Assert.Equal(recorded, await performance.RecordKpiValuesAsync(request));

        // $16.00 a lead is more than $10.00 and a tenth.
        var missed = Assert.Single(recorded.Scorecard.Commitments);
        Assert.Equal((name + "/commitments/missed-cost-per-lead-2026-01", "lead", CommitmentState.Open, "cost-per-lead"), (missed.Name, missed.Owner, missed.State, missed.KpiId));
        Assert.Contains("16.00 USD", missed.Text, StringComparison.Ordinal);
        var open = await performance.ListCommitmentsAsync(new ListCommitmentsRequest { Parent = agency.Name, State = CommitmentState.Open, DueBeforeDate = Month(2026, 3) });
        Assert.Equal(missed, Assert.Single(open.Commitments));
        await performance.ResolveCommitmentAsync(new ResolveCommitmentRequest { Name = missed.Name, State = CommitmentState.Kept, Note = "Another channel." });
        Assert.Empty((await performance.ListCommitmentsAsync(new ListCommitmentsRequest { Parent = agency.Name, State = CommitmentState.Open })).Commitments);

        // Both are in sight; what was known before is known still.
        var values = await performance.ListKpiValuesAsync(new ListKpiValuesRequest { Parent = name, KpiId = "qualified-leads" });
        Assert.Equal(("50", "80", "Thirty were not qualified."), (values.Values.Single().Current.Value.Number, values.Values.Single().Earlier.Single().Value.Number, values.Values.Single().Current.Reason));
        var past = await performance.ListKpiValuesAsync(new ListKpiValuesRequest { Parent = name, KpiId = "qualified-leads", ReadTime = before });
        Assert.Equal(("80", 0), (past.Values.Single().Current.Value.Number, past.Values.Single().Earlier.Count));

        Assert.Equal(Reasons.KpiPeriodNotOver, (await Refused.By(performance.CloseKpiPeriodAsync(new CloseKpiPeriodRequest { Name = name, Month = s_february }))).Reason);
        Assert.Equal(s_january, (await performance.CloseKpiPeriodAsync(new CloseKpiPeriodRequest { Name = name, Month = s_january })).ClosedThrough);
        again.Value.Number = "51";
        var closed = await Refused.By(performance.RecordKpiValuesAsync(new RecordKpiValuesRequest { Name = name, Values = { again } }));
        Assert.Equal((Reasons.KpiPeriodClosed, "2026-01"), (closed.Reason, closed.Metadata["closed_through"]));
    }

    [Fact]
    public async Task A_formula_that_is_none_is_refused_with_its_field()
    {
        var agency = await platform.NewAgency();
        var performance = await Card(agency);
        var request = new DefineKpisRequest { Name = agency.Name + "/scorecards/launch", Kpis = { Own("a", "b + 1"), Own("b", "a * 2"), Own("c", "no_such / 2"), Own("d", "mrr +") } };
        var error = await Refused.By(performance.DefineKpisAsync(request));
        Assert.Equal(
            [
                ("kpis[0].formula", "must not be made of itself: a → b → a"), ("kpis[1].formula", "must not be made of itself: b → a → b"),
                ("kpis[2].formula", "must name KPIs of the scorecard only; there is no no_such"), ("kpis[3].formula", "must have a name, a number or '(' at its end"),
            ],
            error.FieldViolations.Select(v => (v.Field, v.Description)));
        var defined = await performance.DefineKpisAsync(new DefineKpisRequest { Name = request.Name, Kpis = { Own("arr", "mrr * 12") } });
        Assert.Equal("mrr * 12", defined.Kpis.Single(k => k.KpiId == "arr").Formula);
        Assert.Equal(StatusCode.AlreadyExists, (await Refused.By(performance.DefineKpisAsync(new DefineKpisRequest { Name = request.Name, Kpis = { Own("arr", "mrr") } }))).StatusCode);
    }

    [Fact]
    public async Task A_file_is_taken_whole_or_its_wrong_cells_are_named()
    {
        var agency = await platform.NewAgency();
        var performance = await Card(agency);
        var import = new ImportKpiValuesRequest
        {
            Name = agency.Name + "/scorecards/launch",
            Csv = "kpi,month,channel,value,currency,attribution,reason\nqualified-leads,2026-01,,80,,,\nspend,2026-01,search,100.5,EUR,,\nspend,2026-13,search,x,USD,,\nmrr,2026-01,,1,USD,guess,\n",
        };
        var error = await Refused.By(performance.ImportKpiValuesAsync(import));
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        Assert.All(error.FieldViolations, v => Assert.Equal("csv", v.Field));
        Assert.Equal(["line 4, column month", "line 4, column value", "line 5, column attribution"], error.FieldViolations.Select(v => v.Description.Split(':')[0]));

        import.Csv = "kpi,month,channel,value,currency,attribution\nqualified-leads,2026-01,,80,,\nspend,2026-01,search,100.5,EUR,\nno-such,2026-01,,1,,\n";
        Assert.Equal(
            ["line 3, column value: must be an amount in USD, the KPI's currency", "line 4, column kpi: must be a KPI of the scorecard"],
            (await Refused.By(performance.ImportKpiValuesAsync(import))).FieldViolations.Select(v => v.Description));
        Assert.Empty((await performance.ListKpiValuesAsync(new ListKpiValuesRequest { Parent = import.Name })).Values);

        import.Csv = "Kpi , Month,Channel,Value,Currency,Attribution\nqualified-leads,2026-01,,80,,\nspend,2026-01,search,100.5,USD,\nattributed-revenue,2026-01,,2000,USD,first_touch\n";
        await performance.ImportKpiValuesAsync(import);
        var values = (await performance.ListKpiValuesAsync(new ListKpiValuesRequest { Parent = import.Name })).Values;
        Assert.Equal(["attributed-revenue", "qualified-leads", "spend"], values.Select(v => v.KpiId));
        Assert.Equal((10_050, AttributionRule.FirstTouch), (values[2].Current.Value.Amount.MinorUnits, values[0].Current.Attribution));
        foreach (var broken in new[] { "", "kpi,month\n", "kpi,month,value\n", "kpi,month,value,colour\nmrr,2026-01,1,red\n", "kpi,month,value\n\"mrr,2026-01,1\n" })
        {
            import.Csv = broken;
            Assert.Equal(StatusCode.InvalidArgument, (await Refused.By(performance.ImportKpiValuesAsync(import))).StatusCode);
        }
    }

    [Fact]
    public async Task The_board_sees_spend_fees_revenue_and_return()
    {
        var agency = await platform.NewAgency();
        var performance = await Card(agency);
        var name = agency.Name + "/scorecards/launch";
        var time = (await agency.Admin()).Service<TimeService.TimeServiceClient>();
        var sheet = agency.Name + "/cmos/ada/timesheets/2026-w02";
        await agency.AdvanceTo(new System.DateTime(2026, 1, 6, 12, 0, 0, DateTimeKind.Utc));
        await time.LogTimeAsync(new LogTimeRequest { Name = sheet, Entries = { new TimeEntry { EntryId = "a", Engagement = agency.Name + "/engagements/launch", Date = ActiveEngagement.Monday, Minutes = 240 } } });
        await time.SubmitTimesheetAsync(new SubmitTimesheetRequest { Name = sheet });
        await time.ApproveEntriesAsync(new ApproveEntriesRequest { Name = sheet });
        await agency.AdvanceTo(new System.DateTime(2026, 3, 2, 12, 0, 0, DateTimeKind.Utc));
        var revenue = Entry("attributed-revenue", "");
        (revenue.Value, revenue.Attribution) = (Dollars(600_000), AttributionRule.LastTouch);
        var budget = Spend("search", 150_000);
        budget.KpiId = "budget";
        await performance.RecordKpiValuesAsync(new RecordKpiValuesRequest { Name = name, Values = { Spend("search", 100_000), budget, revenue, Entry("qualified-leads", "0") } });

        var request = new GetResultsRequest { Name = name, StartMonth = s_january, EndMonth = Month(2026, 3) };
        var results = await performance.GetResultsAsync(request);
        var january = results.Months[0].Summary;
        Assert.Equal((100_000, 100_000, 600_000), (january.Fees.Single().MinorUnits, january.Spend.MinorUnits, january.AttributedRevenue.MinorUnits));
        Assert.Equal(("search", 50_000), (january.Channels.Single().Channel, january.Channels.Single().Left.MinorUnits));
        Assert.Equal(("200.00", AttributionRule.LastTouch), (january.RoiPercent, january.Attributions.Single())); // (6,000 − 2,000) ÷ 2,000.
        var cost = results.Months[0].Kpis.Single(k => k.KpiId == "cost-per-lead");
        Assert.Equal((null, NoValue.ZeroDenominator, false), (cost.Value, cost.NoValue, cost.HasOnTarget));
        Assert.Equal(("", NoValue.NotRecorded), (results.Total.RoiPercent, results.Total.RoiNoValue));

        // The client sees its own, others nothing.
        var client = (await agency.As(Role.ClientViewer, client: "acme")).Performance;
        Assert.Equal(results, await client.GetResultsAsync(request));
        var stranger = (await agency.As(Role.ClientViewer, client: "bolt")).Performance;
        Assert.Equal(StatusCode.NotFound, (await Refused.By(stranger.GetResultsAsync(request))).StatusCode);
        Assert.Equal(StatusCode.NotFound, (await Refused.By(stranger.GetScorecardAsync(new GetScorecardRequest { Name = name }))).StatusCode);
        Assert.Equal(["engagement"], (await Refused.By(stranger.ListCommitmentsAsync(new ListCommitmentsRequest { Parent = agency.Name }))).FieldViolations.Select(f => f.Field));

        var file = await performance.ExportResultsAsync(new ExportResultsRequest { Name = name, StartMonth = s_january, EndMonth = s_february });
        var lines = Encoding.UTF8.GetString(file.Data.Span).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Trim()).ToList();
        Assert.Equal("month,figure,channel,value,unit,budget,target,benchmark,on_target,no_value", lines[0]);
        Assert.Contains("2026-01,spend,search,1000.00,USD,1500.00,,,,", lines);
        Assert.Contains("2026-01,roi,,200.00,%,,,,,", lines);
        Assert.Contains("2026-01,cost-per-lead,,,USD,,,,,ZeroDenominator", lines);
        Assert.Equal(["end_month"], (await Refused.By(performance.GetResultsAsync(new GetResultsRequest { Name = name, StartMonth = s_january, EndMonth = s_january }))).FieldViolations.Select(f => f.Field));
    }

    [Fact]
    public async Task A_hire_is_compared_and_a_service_suggested()
    {
        var agency = await platform.NewAgency();
        var performance = await Card(agency);
        var request = new CompareCostsRequest
        {
            Parent = agency.Name,
            Prices =
            {
                new FractionalPrice { HourlyRate = new Money { MinorUnits = 25_000, Currency = "USD" }, MinutesPerMonth = 2_400 },
                new FractionalPrice { MonthlyFee = new Money { MinorUnits = 800_000, Currency = "USD" }, MinutesPerMonth = 2_400 },
            },
            Engagement = agency.Name + "/engagements/launch",
        };
        var compared = await performance.CompareCostsAsync(request);
        Assert.Equal((23_759_625, 12_000_000, 9_600_000), (compared.HireYearly.MinorUnits, compared.Prices[0].Yearly.MinorUnits, compared.Prices[1].Yearly.MinorUnits));
        Assert.Equal((4_752, RateBand.Within, false), (compared.Prices[0].BreakEvenMinutes, compared.Prices[0].Band, compared.HiringIsCheaper));
        Assert.Equal([Month(2025, 10), Month(2025, 11), Month(2025, 12)], compared.Months.Select(m => m.Month));

        request.Hire = new HireAssumptions { Salary = new Money { MinorUnits = 1, Currency = "EUR" }, BenefitsPercent = "101" };
        Assert.Equal(["hire.benefits_percent"], (await Refused.By(performance.CompareCostsAsync(request))).FieldViolations.Select(f => f.Field).Except(["hire.salary"]));
        request.Hire = null;
        request.Engagement = agency.Name + "/engagements/none";
        Assert.Equal(StatusCode.NotFound, (await Refused.By(performance.CompareCostsAsync(request))).StatusCode);

        var suggested = await performance.SuggestServiceTypeAsync(new SuggestServiceTypeRequest { Parent = agency.Name, Lead = MarketingLead.Nobody, HoursPerWeek = 10, NeedsLeadership = true, HasTeam = true });
        Assert.Equal((ServiceType.FractionalCmo, 8, 5), (suggested.Suggestions[0].ServiceType, suggested.Suggestions[0].Points, suggested.Suggestions.Count));
        Assert.Contains(suggested.Suggestions[0].Reasons, r => r.Rule == "LEADS_PART_TIME");
    }

    [Fact]
    public async Task There_is_one_scorecard_for_each_engagement()
    {
        var agency = await platform.NewAgency();
        var performance = await Card(agency);
        Assert.Equal([agency.Name + "/scorecards/launch"], (await performance.ListScorecardsAsync(new ListScorecardsRequest { Parent = agency.Name })).Scorecards);
        Assert.Equal(StatusCode.AlreadyExists, (await Refused.By(Create(performance, agency, "launch"))).StatusCode);
        Assert.Equal(StatusCode.NotFound, (await Refused.By(Create(performance, agency, "none"))).StatusCode);
        Assert.Equal(StatusCode.NotFound, (await Refused.By(performance.GetScorecardAsync(new GetScorecardRequest { Name = agency.Name + "/scorecards/none" }))).StatusCode);

        // The CMO records for its own only.
        var ada = (await agency.As(Role.Cmo, cmo: "ada")).Performance;
        await ada.RecordKpiValuesAsync(new RecordKpiValuesRequest { Name = agency.Name + "/scorecards/launch", Values = { Entry("sign-ups", "5") } });
        var bob = (await agency.As(Role.Cmo, cmo: "bob")).Performance;
        Assert.Equal(
            StatusCode.NotFound, (await Refused.By(bob.RecordKpiValuesAsync(new RecordKpiValuesRequest { Name = agency.Name + "/scorecards/launch", Values = { Entry("sign-ups", "5") } }))).StatusCode);
    }

    private static async Task<PerformanceService.PerformanceServiceClient> Card(TestAgency agency)
    {
        var performance = (await ActiveEngagement.Create(agency, ActiveEngagement.Hourly)).Performance;
        await Create(performance, agency, "launch");
        return performance;
    }

    private static AsyncUnaryCall<Scorecard> Create(PerformanceService.PerformanceServiceClient performance, TestAgency agency, string engagement) =>
        performance.CreateScorecardAsync(new CreateScorecardRequest { Parent = agency.Name, Scorecard = new Scorecard { Engagement = $"{agency.Name}/engagements/{engagement}" } });

    private static Kpi Own(string id, string formula) =>
        new() { KpiId = id, DisplayName = id, Unit = KpiUnit.Number, Direction = KpiDirection.HigherIsBetter, Formula = formula };

    /// <summary>Of January.</summary>
    private static KpiEntry Entry(string kpi, string number) => new() { KpiId = kpi, Month = s_january, Value = new KpiNumber { Number = number } };

    private static KpiEntry Spend(string channel, long minor) => new() { KpiId = "spend", Month = s_january, Channel = channel, Value = Dollars(minor) };

    private static KpiNumber Dollars(long minor) => new() { Amount = new Money { MinorUnits = minor, Currency = "USD" } };

    private static Date Month(int year, int month) => new() { Year = year, Month = month, Day = 1 };
}
