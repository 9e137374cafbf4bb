using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Billing;
using AgencyPlatform.Domain.Billing;
using Google.LongRunning;

namespace AgencyPlatform.Gateway.Billing;

/// <summary>Follows long work: billing runs, the only work that goes on by itself.</summary>
internal sealed class OperationsService(Calls calls, IGrainFactory grains) : Operations.OperationsBase
{
    internal const string Collection = "operations";

    public override async Task<Operation> GetOperation(GetOperationRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<BillingRunId>("name", request.Name, Collection);
        var reply = await grains.Of<IBillingRunGrain>(agency, id.Value).Get(await calls.Read(context, request, fields, agency));
        return reply.Rejection is null ? BillingRunsService.ToOperation(agency, reply) : throw Errors.NotFound("operation", request.Name);
    }
}
