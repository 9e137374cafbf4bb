using V1 = AgencyPlatform.Protocol.Time.V1;

namespace AgencyPlatform.Gateway.Time;

/// <summary>A week as it is booked, and a week without work.</summary>
internal sealed partial class TimeService
{
    public override async Task<V1.PrefillTimesheetResponse> PrefillTimesheet(V1.PrefillTimesheetRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, cmo, week) = Name(request.Name, fields);
        var read = await calls.UnderPolicy(await calls.Read(context, request, fields, agency));
        Calls.Caller(context).EnsureCmo(cmo);
        var proposed = (await Sheet(agency, cmo, week).Prefill(read, cmo, week)).OrThrow().Value;
        var name = SheetName(agency, cmo, week.ToString());
        return new V1.PrefillTimesheetResponse { Entries = { proposed.Entries.Select(e => ToWire(agency, name, e.Id, e.Work)) } };
    }

    public override async Task<V1.Timesheet> LogAsPlanned(V1.LogAsPlannedRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, cmo, week) = Name(request.Name, fields);
        var call = await calls.Mutation(context, request, fields, agency);
        Calls.Caller(context).EnsureCmo(cmo);
        return ToWire(agency, await Sheet(agency, cmo, week).LogAsPlanned(call, cmo, week));
    }

    public override async Task<V1.Timesheet> ReportNothingWorked(V1.ReportNothingWorkedRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, cmo, week) = Name(request.Name, fields);
        var call = await calls.Mutation(context, request, fields, agency);
        Calls.Caller(context).EnsureCmo(cmo);
        return ToWire(agency, await Sheet(agency, cmo, week).ReportNothingWorked(call, cmo, week));
    }
}
