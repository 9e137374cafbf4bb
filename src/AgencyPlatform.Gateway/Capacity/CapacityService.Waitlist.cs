using System.Collections.Immutable;
using System.Globalization;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Gateway.Clients;
using AgencyPlatform.Gateway.Cmos;
using V1 = AgencyPlatform.Protocol.Capacity.V1;

namespace AgencyPlatform.Gateway.Capacity;

/// <summary>The waitlist of a CMO, and requests for any of several.</summary>
internal sealed partial class CapacityService
{
    private const string Entries = "waitlistEntries";
    private const string Requests = "capacityRequests";

    public override async Task<V1.WaitlistEntry> JoinWaitlist(V1.JoinWaitlistRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, cmo) = fields.Name<CmoId>("parent", request.Parent, CmosService.Collection);
        var id = fields.NewId<BookingId>("waitlist_entry_id", request.WaitlistEntryId, request.RequestId);
        var spec = CapacityWire.Spec("booking", fields.Message("booking", request.Booking), agency, fields);
        var priority = fields.Number("priority", request.Priority, 0, Waitlist.HighestPriority);
        var expiry = Expiry(fields.Message("offer_expiry", request.OfferExpiry), fields, "offer_expiry");
        var call = await calls.Mutation(context, request, fields, agency);
        return CapacityWire.ToWire(agency, cmo, (await Grain(agency, cmo).JoinWaitlist(call, new JoinWaitlist(id, spec, priority, expiry))).OrThrow().Value);
    }

    public override async Task<V1.LeaveWaitlistResponse> LeaveWaitlist(V1.LeaveWaitlistRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, cmo, id) = fields.Name<CmoId, BookingId>("name", request.Name, CmosService.Collection, Entries);
        var call = await calls.Mutation(context, request, fields, agency);
        (await Grain(agency, cmo).LeaveWaitlist(call, id)).OrThrow();
        return new V1.LeaveWaitlistResponse();
    }

    public override async Task<V1.WaitlistEntry> GetWaitlistEntry(V1.GetWaitlistEntryRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, cmo, id) = fields.Name<CmoId, BookingId>("name", request.Name, CmosService.Collection, Entries);
        var read = await calls.Read(context, request, fields, agency);
        Calls.Caller(context).EnsureCmo(cmo);
        return CapacityWire.ToWire(agency, cmo, (await Grain(agency, cmo).GetWaitlistEntry(read, id)).OrThrow().Value);
    }

    public override async Task<V1.ListWaitlistEntriesResponse> ListWaitlistEntries(V1.ListWaitlistEntriesRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, cmo) = fields.Name<CmoId>("parent", request.Parent, CmosService.Collection);
        var client = fields.OptionalReference<ClientCompanyId>("client_company", request.ClientCompany, agency, ClientsService.Collection);
        fields.Require(Enum.IsDefined(request.State), "state", "must be one of STATE_WAITING, STATE_OFFERED, STATE_RESERVED");
        var page = Page.Of(context, request, fields);
        var read = await calls.Read(context, request, fields, agency);
        Calls.Caller(context).EnsureCmo(cmo);
        var places = (await Grain(agency, cmo).GetWaitlist(read)).OrThrow().Value.Places
            .Where(place => client is null || place.Entry.Spec.Client == client)
            .Where(place => request.State == V1.WaitlistEntry.Types.State.Unspecified || request.State == CapacityWire.StateOf(place));
        var (items, next) = page.Cut(places, Position);
        return new V1.ListWaitlistEntriesResponse { WaitlistEntries = { items.Select(place => CapacityWire.ToWire(agency, cmo, place)) }, NextPageToken = next };
    }

    public override async Task<V1.CapacityRequest> CreateCapacityRequest(V1.CreateCapacityRequestRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var id = fields.NewId<CapacityRequestId>("capacity_request_id", request.CapacityRequestId, request.RequestId);
        var spec = CapacityWire.Spec("booking", fields.Message("booking", request.Booking), agency, fields);
        fields.Require(request.Cmos.Count is >= 1 and <= CapacityRequest.MostCmos, "cmos", $"must be 1 to {CapacityRequest.MostCmos}; they are {request.Cmos.Count}");
        ImmutableArray<CmoId> cmos = [.. request.Cmos.Take(CapacityRequest.MostCmos).Select((name, i) => fields.Reference<CmoId>($"cmos[{i}]", name, agency, CmosService.Collection))];
        fields.Require(cmos.Distinct().Count() == cmos.Length, "cmos", "must be named once each");
        var priority = fields.Number("priority", request.Priority, 0, Waitlist.HighestPriority);
        var expiry = Expiry(fields.Message("offer_expiry", request.OfferExpiry), fields, "offer_expiry");
        var call = await calls.Mutation(context, request, fields, agency);
        return CapacityWire.ToWire(agency, (await Request(agency, id).Create(call, new CreateCapacityRequest(id, spec, cmos, priority, expiry))).OrThrow());
    }

    public override async Task<V1.CapacityRequest> GetCapacityRequest(V1.GetCapacityRequestRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<CapacityRequestId>("name", request.Name, Requests);
        var read = await calls.Read(context, request, fields, agency);
        return CapacityWire.ToWire(agency, (await Request(agency, id).Get(read)).OrThrow());
    }

    public override async Task<V1.CapacityRequest> WithdrawCapacityRequest(V1.WithdrawCapacityRequestRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<CapacityRequestId>("name", request.Name, Requests);
        var call = await calls.Mutation(context, request, fields, agency);
        return CapacityWire.ToWire(agency, (await Request(agency, id).Withdraw(call)).OrThrow());
    }

    private ICapacityRequestGrain Request(AgencyId agency, CapacityRequestId id) => grains.Of<ICapacityRequestGrain>(agency, id.Value);

    /// <summary>Where an entry stands in the list, whatever comes and goes before it: as a text that sorts so.</summary>
    private static string Position(WaitlistPlace place) => string.Create(
        CultureInfo.InvariantCulture, $"{(place.Entry.Offered ? 0 : 1 + Waitlist.HighestPriority - place.Entry.Priority):000}.{place.Entry.Arrival:0000000000000000000}");
}
