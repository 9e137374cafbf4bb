using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Billing.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using Google.LongRunning;
using Google.Type;
using Grpc.Core;
using Money = AgencyPlatform.Protocol.Type.V1.Money;
using OperationsClient = Google.LongRunning.Operations.OperationsClient;
using RunsClient = AgencyPlatform.Protocol.Billing.V1.BillingRunsService.BillingRunsServiceClient;

namespace AgencyPlatform.Gateway.Tests.Billing;

/// <summary>Billing runs through the public API. The sandbox's clock stands at Monday 5 January 2026, 09:00 UTC.</summary>
[Collection(PlatformFixture.Collection)]
public sealed class BillingRunsTests(PlatformFixture platform)
{
    private static readonly Date s_februaryFifth = new() { Year = 2026, Month = 2, Day = 5 };

    [Fact]
    public async Task One_call_previews_drafts_or_finalizes_every_client()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, a => Retainer(a, "USD", 800_000), "acme", "ada", "launch");
        await ActiveEngagement.Create(agency, a => Retainer(a, "EUR", 500_000), "bolt", "bob", "growth");
        await ActiveEngagement.Create(agency, ActiveEngagement.Hourly, "cork", "cy", "advice");
        var (runs, invoices) = (admin.Service<RunsClient>(), admin.Service<BillingService.BillingServiceClient>());

        // January's and February's fee; nobody worked for Cork.
        var preview = await Ended(runs, await runs.RunBillingAsync(Run(agency, "preview", BillingRunMode.Preview)));
        Assert.Equal((BillingRunState.Done, 2, 1, 0), (preview.State, preview.BilledAccounts, preview.NothingToBillAccounts, preview.FailedAccounts));
        Assert.Equal([("EUR", 1, 1_000_000L), ("USD", 1, 1_600_000L)], preview.Totals.Select(t => (t.Total.Currency, t.Invoices, t.Total.MinorUnits)));
        Assert.Empty((await invoices.ListInvoicesAsync(new ListInvoicesRequest { Parent = agency.Name })).Invoices);

        var drafts = await Ended(runs, await runs.RunBillingAsync(Run(agency, "drafts", BillingRunMode.Draft)));
        Assert.Equal(preview.Totals, drafts.Totals);
        Assert.Equal([InvoiceState.Draft, InvoiceState.Draft], (await invoices.ListInvoicesAsync(new ListInvoicesRequest { Parent = agency.Name })).Invoices.Select(i => i.State));

        var request = Run(agency, "final", BillingRunMode.Finalize);
        request.RequestId = Guid.CreateVersion7().ToString();
        var started = await runs.RunBillingAsync(request);
        var final = await Ended(runs, started);
        Assert.Equal((preview.Totals, $"{agency.Name}/clientCompanies/cork"), (final.Totals, final.ThroughClientCompany));
        Assert.Equal(started.Name, (await runs.RunBillingAsync(request)).Name);
        Assert.Equal(["MAIN-000001", "MAIN-000002"], (await invoices.ListInvoicesAsync(new ListInvoicesRequest { Parent = agency.Name })).Invoices.Select(i => i.DocumentNumber).Order());

        // Again there is nothing left.
        var again = await Ended(runs, await runs.RunBillingAsync(Run(agency, "again", BillingRunMode.Finalize)));
        Assert.Equal((0, 3), (again.BilledAccounts, again.NothingToBillAccounts));
        Assert.Equal(["again", "drafts", "final", "preview"], (await runs.ListBillingRunsAsync(new ListBillingRunsRequest { Parent = agency.Name })).BillingRuns.Select(r => r.Name.Split('/')[^1]));

        var first = await runs.ListBillingRunResultsAsync(new ListBillingRunResultsRequest { Parent = final.Name, PageSize = 2 });
        Assert.Equal([("acme", BillingRunOutcome.Billed, 1_600_000L), ("bolt", BillingRunOutcome.Billed, 1_000_000L)], first.Results.Select(r => (r.ClientCompany.Split('/')[^1], r.Outcome, r.Total.MinorUnits)));
        Assert.Equal(InvoiceState.Finalized, (await invoices.GetInvoiceAsync(new GetInvoiceRequest { Name = first.Results[0].Invoice })).State);
        var second = await runs.ListBillingRunResultsAsync(new ListBillingRunResultsRequest { Parent = final.Name, PageSize = 2, PageToken = first.NextPageToken });
        Assert.Equal(("cork", BillingRunOutcome.NothingToBill, ""), second.Results.Select(r => (r.ClientCompany.Split('/')[^1], r.Outcome, r.Invoice)).Single());
        Assert.Empty((await runs.ListBillingRunResultsAsync(new ListBillingRunResultsRequest { Parent = final.Name, Outcome = BillingRunOutcome.Failed })).Results);

        // Ended is ended.
        Assert.Equal(BillingRunState.Done, (await runs.CancelBillingRunAsync(new CancelBillingRunRequest { Name = final.Name })).State);
    }

    [Fact]
    public async Task An_engagement_that_is_invoiced_apart_has_an_invoice_of_its_own()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, a => Retainer(a, "USD", 800_000), "acme", "ada", "launch");
        var (runs, engagements) = (admin.Service<RunsClient>(), admin.Service<EngagementsService.EngagementsServiceClient>());
        var apart = (await engagements.GetEngagementAsync(new GetEngagementRequest { Name = $"{agency.Name}/engagements/launch" })).Title;
        await ActiveEngagement.CreateCmo(agency, "bob");
        var name = (await engagements.CreateEngagementAsync(new CreateEngagementRequest
        {
            Parent = agency.Name,
            EngagementId = "apart",
            Engagement = new Engagement
            {
                ClientCompany = $"{agency.Name}/clientCompanies/acme",
                Title = apart,
                ServiceType = ServiceType.FractionalCmo,
                Lead = $"{agency.Name}/cmos/bob",
                StartDate = ActiveEngagement.Monday,
                InvoicedApart = true,
                Members =
                {
                    new Member
                    {
                        Cmo = $"{agency.Name}/cmos/bob",
                        CmoAgreementWaived = true,
                        Steps = { new Protocol.Capacity.V1.BookingStep { StartDate = ActiveEngagement.Monday, Flexible = new Protocol.Capacity.V1.FlexibleForm { WeeklyMinutes = 60 } } },
                    },
                },
                Terms = { Retainer(agency, "USD", 100_000) },
            },
        })).Name;
        await engagements.ProposeEngagementAsync(new ProposeEngagementRequest { Name = name });
        await engagements.SignEngagementAsync(new SignEngagementRequest { Name = name, PersonId = "ceo" });
        await engagements.ActivateEngagementAsync(new ActivateEngagementRequest { Name = name });

        // An account has one draft at a time; a preview does not mind.
        var drafts = await Ended(runs, await runs.RunBillingAsync(Run(agency, "drafts", BillingRunMode.Draft)));
        Assert.Equal((1, 1), (drafts.BilledAccounts, drafts.FailedAccounts));
        Assert.Equal("DRAFT_OPEN", (await runs.ListBillingRunResultsAsync(new ListBillingRunResultsRequest { Parent = drafts.Name, Outcome = BillingRunOutcome.Failed })).Results.Single().Reason);
        var preview = await Ended(runs, await runs.RunBillingAsync(Run(agency, "preview", BillingRunMode.Preview)));
        Assert.Equal((2, 1_800_000), (preview.BilledAccounts, preview.Totals.Single().Total.MinorUnits));

        var run = await Ended(runs, await runs.RunBillingAsync(Run(agency, "final", BillingRunMode.Finalize)));
        Assert.Equal((2, 2, 1_800_000), (run.BilledAccounts, run.Totals.Single().Invoices, run.Totals.Single().Total.MinorUnits));
        var results = (await runs.ListBillingRunResultsAsync(new ListBillingRunResultsRequest { Parent = run.Name })).Results;
        Assert.Equal([("", 1_600_000L), (name, 200_000L)], results.Select(r => (r.Engagement, r.Total.MinorUnits)));
        Assert.Equal(2, results.Select(r => r.Invoice).Distinct().Count());
    }

    [Fact]
    public async Task A_run_may_be_of_one_client_or_seller_and_says_what_is_wrong()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, a => Retainer(a, "USD", 800_000), "acme", "ada", "launch");
        await ActiveEngagement.Create(agency, a => Retainer(a, "USD", 500_000), "bolt", "bob", "growth");
        var runs = admin.Service<RunsClient>();
        var one = Run(agency, "one", BillingRunMode.Draft);
        (one.ClientCompany, one.LegalEntity) = ($"{agency.Name}/clientCompanies/bolt", $"{agency.Name}/legalEntities/main");
        Assert.Equal(1_000_000, (await Ended(runs, await runs.RunBillingAsync(one))).Totals.Single().Total.MinorUnits);

        var empty = await Refused.By(runs.RunBillingAsync(new RunBillingRequest { Parent = agency.Name, BillingRunId = "No 1", LegalEntity = "x" }));
        Assert.Equal(["billing_run_id", "legal_entity", "mode", "to_date"], empty.FieldViolations.Select(f => f.Field).Order());
        var far = Run(agency, "far", BillingRunMode.Draft);
        far.ToDate = new Date { Year = 2027, Month = 1, Day = 7 };
        Assert.Equal(["to_date"], (await Refused.By(runs.RunBillingAsync(far))).FieldViolations.Select(f => f.Field));
        Assert.Equal(StatusCode.AlreadyExists, (await Refused.By(runs.RunBillingAsync(Run(agency, "one", BillingRunMode.Draft)))).StatusCode);
        one.ClientCompany = $"{agency.Name}/clientCompanies/nobody";
        one.BillingRunId = "two";
        Assert.Equal(StatusCode.NotFound, (await Refused.By(runs.RunBillingAsync(one))).StatusCode);
        Assert.Equal(StatusCode.NotFound, (await Refused.By(runs.GetBillingRunAsync(new GetBillingRunRequest { Name = $"{agency.Name}/billingRuns/two" }))).StatusCode);
        Assert.Equal(StatusCode.NotFound, (await Refused.By(runs.ListBillingRunResultsAsync(new ListBillingRunResultsRequest { Parent = $"{agency.Name}/billingRuns/two" }))).StatusCode);
        var ops = (await agency.As(Role.Operations)).Service<RunsClient>();
        Assert.Equal(StatusCode.PermissionDenied, (await Refused.By(ops.RunBillingAsync(one))).StatusCode);
    }

    [Fact]
    public async Task A_run_is_followed_as_any_long_work_is()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, a => Retainer(a, "USD", 800_000), "acme", "ada", "launch");
        var (runs, operations) = (admin.Service<RunsClient>(), admin.Service<OperationsClient>());

        // As a client does that knows nothing of billing: until it is done.
        var operation = await runs.RunBillingAsync(Run(agency, "followed", BillingRunMode.Preview));
        Assert.Equal((agency.Name + "/operations/followed", false), (operation.Name, operation.Done));
        for (var i = 0; i < 10_000 && !operation.Done; i++)
        {
            operation = await operations.GetOperationAsync(new GetOperationRequest { Name = operation.Name });
        }

        var run = await runs.GetBillingRunAsync(new GetBillingRunRequest { Name = agency.Name + "/billingRuns/followed" });
        Assert.Equal((true, Operation.ResultOneofCase.Response, BillingRunState.Done), (operation.Done, operation.ResultCase, run.State));
        Assert.Equal((run, run), (operation.Response.Unpack<BillingRun>(), operation.Metadata.Unpack<BillingRun>()));

        using var http = platform.Json(await agency.Key(Role.Finance));
        using var json = System.Text.Json.JsonDocument.Parse(await http.GetStringAsync(new Uri($"/v1/{operation.Name}", UriKind.Relative)));
        Assert.True(json.RootElement.GetProperty("done").GetBoolean());
        Assert.Equal(("type.googleapis.com/agencyplatform.billing.v1.BillingRun", run.Name), (json.RootElement.GetProperty("response").GetProperty("@type").GetString(), json.RootElement.GetProperty("response").GetProperty("name").GetString()));
        Assert.Contains("/operations/{operation", await http.GetStringAsync(new Uri("/openapi/v1.json", UriKind.Relative)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cancelled_run_ends_with_that_and_what_is_no_run_or_another_agencys_is_not_found()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, a => Retainer(a, "USD", 800_000), "acme", "ada", "launch");
        var (runs, operations) = (admin.Service<RunsClient>(), admin.Service<OperationsClient>());

        // One that is over before it is cancelled stays as it is: some are tried.
        for (var i = 0; ; i++)
        {
            var name = (await runs.RunBillingAsync(Run(agency, $"cancelled-{i}", BillingRunMode.Preview))).Name;
            await runs.CancelBillingRunAsync(new CancelBillingRunRequest { Name = name.Replace("operations", "billingRuns", StringComparison.Ordinal) });
            Operation operation;
            do
            {
                operation = await operations.GetOperationAsync(new GetOperationRequest { Name = name });
            }
            while (!operation.Done);

            if (operation.ResultCase == Operation.ResultOneofCase.Error)
            {
                Assert.Equal(((int)StatusCode.Cancelled, BillingRunState.Cancelled), (operation.Error.Code, operation.Metadata.Unpack<BillingRun>().State));
                break;
            }

            Assert.True(i < 100);
        }

        var other = (await (await platform.NewAgency()).Admin()).Service<OperationsClient>();
        foreach (var (client, name) in new[] { (operations, agency.Name + "/operations/none"), (other, agency.Name + "/operations/cancelled-0"), (other, agency.Name + "/operations/none") })
        {
            Assert.Equal(StatusCode.NotFound, (await Refused.By(client.GetOperationAsync(new GetOperationRequest { Name = name }))).StatusCode);
        }

        var bad = await Refused.By(operations.GetOperationAsync(new GetOperationRequest { Name = agency.Name + "/operations/No 1" }));
        Assert.Equal((StatusCode.InvalidArgument, "name"), (bad.StatusCode, bad.FieldViolations.Single().Field));
    }

    private static RunBillingRequest Run(TestAgency agency, string id, BillingRunMode mode) => new() { Parent = agency.Name, BillingRunId = id, ToDate = s_februaryFifth, Mode = mode };

    /// <summary>The run when it has ended: asked for until then.</summary>
    private static async Task<BillingRun> Ended(RunsClient runs, Google.LongRunning.Operation operation)
    {
        var run = operation.Metadata.Unpack<BillingRun>();
        for (var i = 0; i < 10_000 && run.State == BillingRunState.Running; i++)
        {
            run = await runs.GetBillingRunAsync(new GetBillingRunRequest { Name = run.Name });
        }

        Assert.NotNull(run.EndTime);
        return run;
    }

    private static Terms Retainer(TestAgency agency, string currency, long fee) => new()
    {
        Seller = agency.Name + "/legalEntities/main",
        Currency = currency,
        BillCycleDay = 5,
        Retainer = new RetainerTerms { Fee = new Money { MinorUnits = fee, Currency = currency }, IncludedMinutes = 100 },
    };
}
