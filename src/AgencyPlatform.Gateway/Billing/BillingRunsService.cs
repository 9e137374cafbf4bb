using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Billing;
using AgencyPlatform.Domain.Billing;
using Google.LongRunning;
using Google.Protobuf.WellKnownTypes;
using BillingRun = AgencyPlatform.Domain.Billing.BillingRun;
using BillingRunMode = AgencyPlatform.Domain.Billing.BillingRunMode;
using BillingRunOutcome = AgencyPlatform.Domain.Billing.BillingRunOutcome;
using V1 = AgencyPlatform.Protocol.Billing.V1;

namespace AgencyPlatform.Gateway.Billing;

/// <summary>The service of billing runs.</summary>
internal sealed class BillingRunsService(Calls calls, IGrainFactory grains, IReadModels readModels) : V1.BillingRunsService.BillingRunsServiceBase
{
    private const string Collection = "billingRuns";

    public override async Task<Operation> RunBilling(V1.RunBillingRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var command = new StartBillingRun(
            fields.NewId<BillingRunId>("billing_run_id", request.BillingRunId, request.RequestId),
            fields.Date("to_date", request.ToDate),
            fields.Enum<V1.BillingRunMode, BillingRunMode>("mode", request.Mode),
            fields.OptionalReference<LegalEntityId>("legal_entity", request.LegalEntity, agency, "legalEntities"),
            fields.OptionalReference<ClientCompanyId>("client_company", request.ClientCompany, agency, "clientCompanies"));
        var call = await calls.Mutation(context, request, fields, agency);
        return ToOperation(agency, await Grain(agency, command.Id).Start(call, command));
    }

    public override async Task<V1.BillingRun> GetBillingRun(V1.GetBillingRunRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<BillingRunId>("name", request.Name, Collection);
        return ToWire(agency, await Grain(agency, id).Get(await calls.Read(context, request, fields, agency)));
    }

    public override async Task<V1.ListBillingRunsResponse> ListBillingRuns(V1.ListBillingRunsRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var page = Page.Of(context, request, fields);
        var read = await calls.Read(context, request, fields, agency);
        var (rows, next) = page.Cut(await readModels.List<BillingRunRow>(agency, page.Query<BillingRunRow>(), context.CancellationToken));
        var runs = await Task.WhenAll(rows.Select(r => Grain(agency, r.Id).Get(read)));
        return new V1.ListBillingRunsResponse { BillingRuns = { runs.Select(r => ToWire(agency, r)) }, NextPageToken = next };
    }

    public override async Task<V1.ListBillingRunResultsResponse> ListBillingRunResults(V1.ListBillingRunResultsRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<BillingRunId>("parent", request.Parent, Collection);
        BillingRunOutcome? outcome = request.Outcome == 0 ? null : fields.Enum<V1.BillingRunOutcome, BillingRunOutcome>("outcome", request.Outcome);
        var page = Page.Of(context, request, fields);
        (await Grain(agency, id).Get(await calls.Read(context, request, fields, agency))).OrThrow();
        var filters = new Filters().Equal(nameof(BillingRunResultRow.Run), (BillingRunId?)id).Equal(nameof(BillingRunResultRow.Outcome), outcome);
        var (rows, next) = page.Cut(await readModels.List<BillingRunResultRow>(agency, page.Query<BillingRunResultRow>(filters.All), context.CancellationToken));
        return new V1.ListBillingRunResultsResponse { Results = { rows.Select(r => ToWire(agency, r)) }, NextPageToken = next };
    }

    public override async Task<V1.BillingRun> CancelBillingRun(V1.CancelBillingRunRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<BillingRunId>("name", request.Name, Collection);
        return ToWire(agency, await Grain(agency, id).Cancel(await calls.Mutation(context, request, fields, agency)));
    }

    private IBillingRunGrain Grain(AgencyId agency, BillingRunId id) => grains.Of<IBillingRunGrain>(agency, id.Value);

    /// <summary>The run as long work: its id is the operation's too.</summary>
    internal static Operation ToOperation(AgencyId agency, Reply<BillingRun> reply)
    {
        var run = ToWire(agency, reply);
        var operation = new Operation
        {
            Name = ResourceNames.Of(agency, OperationsService.Collection, reply.Value!.Id.Value),
            Done = run.State != V1.BillingRunState.Running,
            Metadata = Any.Pack(run),
        };
        switch (run.State)
        {
            case V1.BillingRunState.Done:
                operation.Response = Any.Pack(run);
                break;
            case V1.BillingRunState.Cancelled:
                operation.Error = new Google.Rpc.Status { Code = (int)Google.Rpc.Code.Cancelled, Message = $"The run was cancelled; it went as far as {run.ThroughClientCompany}." };
                break;
        }

        return operation;
    }

    private static V1.BillingRun ToWire(AgencyId agency, Reply<BillingRun> reply)
    {
        var (run, meta) = reply.OrThrow();
        return new V1.BillingRun
        {
            Name = ResourceNames.Of(agency, Collection, run.Id.Value),
            Uid = meta.Uid.ToString(),
            Version = meta.Version,
            CreateTime = meta.CreatedAt.ToWire(),
            UpdateTime = meta.UpdatedAt.ToWire(),
            ToDate = run.To.ToWire(),
            Mode = run.Mode.ToWire<V1.BillingRunMode>(),
            LegalEntity = run.LegalEntity is { } entity ? ResourceNames.Of(agency, "legalEntities", entity.Value) : "",
            ClientCompany = run.Client is { } client ? ResourceNames.Of(agency, "clientCompanies", client.Value) : "",
            State = run.IsUnderWay ? V1.BillingRunState.Running : run.Cancelled ? V1.BillingRunState.Cancelled : V1.BillingRunState.Done,
            ThroughClientCompany = run.Through is { } through ? ResourceNames.Of(agency, "clientCompanies", through.Value) : "",
            BilledAccounts = run.Billed,
            NothingToBillAccounts = run.NothingToBill,
            FailedAccounts = run.Failed,
            Totals =
            {
                run.Totals.Select(t => new V1.BillingRunTotal { Invoices = t.Value.Invoices, CreditNotes = t.Value.CreditNotes, Total = new Money(t.Value.Total, new Currency(t.Key)).ToWire() }),
            },
            EndTime = run.EndedAt?.ToWire(),
        };
    }

    private static V1.BillingRunResult ToWire(AgencyId agency, BillingRunResultRow row) => new()
    {
        ClientCompany = ResourceNames.Of(agency, "clientCompanies", row.Client.Value),
        LegalEntity = row.LegalEntity.Length > 0 ? ResourceNames.Of(agency, "legalEntities", row.LegalEntity) : "",
        Currency = row.Currency,
        Outcome = row.Outcome.ToWire<V1.BillingRunOutcome>(),
        Invoice = row.Invoice is { } invoice ? ResourceNames.Of(agency, BillingService.Collection, invoice.Value) : "",
        Kind = row.Kind is { } kind ? kind.ToWire<V1.DocumentKind>() : 0,
        Total = row.Outcome == BillingRunOutcome.Billed ? new Money(row.Total, new Currency(row.Currency)).ToWire() : null,
        Reason = row.Reason,
        Message = row.Message,
        Engagement = row.Engagement.Length > 0 ? ResourceNames.Of(agency, "engagements", row.Engagement) : "",
    };
}
