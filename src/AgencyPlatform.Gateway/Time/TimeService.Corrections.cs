using System.Collections.Immutable;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Domain.Time;
using V1 = AgencyPlatform.Protocol.Time.V1;

namespace AgencyPlatform.Gateway.Time;

/// <summary>Reversals and disputes.</summary>
internal sealed partial class TimeService
{
    public override async Task<V1.ReverseEntriesResponse> ReverseEntries(V1.ReverseEntriesRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, cmo, week) = Name(request.Name, fields);
        var ids = Ids(request.EntryIds, fields, required: true);
        var reason = fields.LongText("reason", request.Reason, Timesheet.LongestReason, required: true);
        var call = await calls.Mutation(context, request, fields, agency);
        var (result, meta) = (await Sheet(agency, cmo, week).Reverse(call, new ReverseEntries(ids, reason))).OrThrow();
        var response = new V1.ReverseEntriesResponse { Timesheet = ToWire(agency, Reply<Timesheet>.Ok(result.Timesheet, meta)) };
        foreach (var outcome in result.Outcomes.OrderBy(o => o.Entry))
        {
            var wire = new V1.ReversalResult { EntryId = outcome.Entry.Value, Reversed = outcome.Refusal is null, Reason = outcome.Refusal?.Reason ?? "", Message = outcome.Refusal?.Message ?? "" };
            wire.Metadata.Put(outcome.Refusal?.Metadata ?? ImmutableSortedDictionary<string, string>.Empty);
            response.Results.Add(wire);
        }

        return response;
    }

    public override async Task<V1.TimeEntry> DisputeTimeEntry(V1.DisputeTimeEntryRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, cmo, week) = Name(request.Name, fields);
        var id = fields.Id<TimeEntryId>("entry_id", request.EntryId);
        var reason = fields.LongText("reason", request.Reason, Timesheet.LongestReason, required: true);
        var call = await calls.Mutation(context, request, fields, agency);
        var byClient = !Calls.Caller(context).IsStaff;
        if (byClient)
        {
            await EnsureClientsEntry(context, call, cmo, week, id);
        }

        var sheet = (await Sheet(agency, cmo, week).Dispute(call, new DisputeEntry(id, reason, byClient))).OrThrow().Value;
        var entry = ToWire(agency, SheetName(agency, cmo, week.ToString()), sheet.Entries[id]);
        return byClient ? ForClient(entry) : entry;
    }

    public override async Task<V1.Timesheet> ResolveDispute(V1.ResolveDisputeRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, cmo, week) = Name(request.Name, fields);
        var id = fields.Id<TimeEntryId>("entry_id", request.EntryId);
        var resolution = fields.Enum<V1.DisputeResolution, DisputeResolution>("resolution", request.Resolution);
        var note = fields.LongText("note", request.Note, Timesheet.LongestReason, required: true);
        var call = await calls.Mutation(context, request, fields, agency);
        return ToWire(agency, await Sheet(agency, cmo, week).Resolve(call, new ResolveDispute(id, resolution, note)));
    }

    /// <summary>An entry that is not of an engagement of the caller's company, or was never submitted, is answered as if it were not there; a repeat as it was.</summary>
    private async Task EnsureClientsEntry(ServerCallContext context, Call call, CmoId cmo, IsoWeek week, TimeEntryId id)
    {
        var (read, grain) = (new Read(call.Agency, call.SandboxNow), Sheet(call.Agency, cmo, week));
        var seen = (await grain.Get(read)).Value?.Entries.GetValueOrDefault(id) is { State: not (TimeEntryState.Draft or TimeEntryState.Rejected), Work.Engagement: { } engagement }
            && (await grains.Of<IEngagementGrain>(read.Agency, engagement.Value).Get(read)).Value?.Client == Calls.Caller(context).Client;
        if (!seen && !await grain.HasAnswered(call))
        {
            throw Errors.NotFound("time_entry", id.Value);
        }
    }
}
