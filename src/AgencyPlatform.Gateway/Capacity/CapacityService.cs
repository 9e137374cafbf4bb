using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Gateway.Clients;
using AgencyPlatform.Gateway.Cmos;
using Book = AgencyPlatform.Domain.Cmos.Book;
using V1 = AgencyPlatform.Protocol.Capacity.V1;

namespace AgencyPlatform.Gateway.Capacity;

/// <summary>The service of capacity.</summary>
internal sealed partial class CapacityService(Calls calls, IGrainFactory grains, IReadModels readModels) : V1.CapacityService.CapacityServiceBase
{
    private const int MostAlternatives = 20;
    private const int AtOnce = 16;

    public override async Task<V1.CheckBookingResponse> CheckBooking(V1.CheckBookingRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, cmo) = fields.Name<CmoId>("parent", request.Parent, CmosService.Collection);
        var spec = CapacityWire.Spec("booking", fields.Message("booking", request.Booking), agency, fields);
        var priority = fields.Number("priority", request.Priority, 0, Waitlist.HighestPriority);
        var call = await calls.Mutation(context, request, fields, agency);
        var result = (await Grain(agency, cmo).Check(call, spec, priority)).OrThrow().Value;
        var response = new V1.CheckBookingResponse
        {
            Fits = result.Refusal is null,
            CutOffs = { result.CutOffs.Select(CapacityWire.ToWire) },
            WaitlistPlace = result.WaitlistPlace ?? 0,
        };
        if (result.Refusal is { } refusal)
        {
            response.Refusal = CapacityWire.ToWire(agency, cmo, refusal);
            if (request.Alternatives)
            {
                var candidates = await Ask(call, agency, spec, "", context);
                response.Alternatives.Add(candidates.Where(c => c.Cmo != cmo && c.Result.Refusal is null).Take(MostAlternatives).Select(c => ResourceNames.Of(agency, CmosService.Collection, c.Cmo.Value)));
            }
        }

        return response;
    }

    public override async Task<V1.Booking> HoldBooking(V1.HoldBookingRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, cmo) = fields.Name<CmoId>("parent", request.Parent, CmosService.Collection);
        var id = fields.NewId<BookingId>("booking_id", request.BookingId, request.RequestId);
        var spec = CapacityWire.Spec("booking", fields.Message("booking", request.Booking), agency, fields);
        var command = new HoldBooking(id, spec, request.Expiry is null ? null : Expiry(request.Expiry, fields));
        var call = await calls.Mutation(context, request, fields, agency);
        return CapacityWire.ToWire(agency, cmo, (await Grain(agency, cmo).Hold(call, command)).OrThrow().Value);
    }

    public override async Task<V1.Booking> Book(V1.BookRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, cmo) = fields.Name<CmoId>("parent", request.Parent, CmosService.Collection);
        var id = fields.NewId<BookingId>("booking_id", request.BookingId, request.RequestId);
        var spec = CapacityWire.Spec("booking", fields.Message("booking", request.Booking), agency, fields);
        var call = await calls.Mutation(context, request, fields, agency);
        return CapacityWire.ToWire(agency, cmo, (await Grain(agency, cmo).Book(call, new Book(id, spec))).OrThrow().Value);
    }

    public override async Task<V1.Booking> ConfirmBooking(V1.ConfirmBookingRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, cmo, id) = Name(request.Name, fields);
        var call = await calls.Mutation(context, request, fields, agency);
        return CapacityWire.ToWire(agency, cmo, (await Grain(agency, cmo).Confirm(call, id)).OrThrow().Value);
    }

    public override async Task<V1.Booking> ExtendHold(V1.ExtendHoldRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, cmo, id) = Name(request.Name, fields);
        var expiry = Expiry(fields.Message("expiry", request.Expiry), fields);
        var call = await calls.Mutation(context, request, fields, agency);
        return CapacityWire.ToWire(agency, cmo, (await Grain(agency, cmo).ExtendHold(call, id, expiry)).OrThrow().Value);
    }

    public override async Task<V1.Booking> ChangeBooking(V1.ChangeBookingRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, cmo, id) = Name(request.Name, fields);
        var steps = CapacityWire.Steps("steps", request.Steps, fields);
        var call = await calls.Mutation(context, request, fields, agency);
        return CapacityWire.ToWire(agency, cmo, (await Grain(agency, cmo).Change(call, new ChangeBooking(id, steps))).OrThrow().Value);
    }

    public override async Task<V1.ReleaseBookingResponse> ReleaseBooking(V1.ReleaseBookingRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, cmo, id) = Name(request.Name, fields);
        var call = await calls.Mutation(context, request, fields, agency);
        (await Grain(agency, cmo).Release(call, id)).OrThrow();
        return new V1.ReleaseBookingResponse();
    }

    public override async Task<V1.Booking> GetBooking(V1.GetBookingRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, cmo, id) = Name(request.Name, fields);
        var read = await calls.Read(context, request, fields, agency);
        Calls.Caller(context).EnsureCmo(cmo);
        return CapacityWire.ToWire(agency, cmo, (await Grain(agency, cmo).GetBooking(read, id)).OrThrow().Value);
    }

    public override async Task<V1.ListBookingsResponse> ListBookings(V1.ListBookingsRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var all = request.Parent.EndsWith("/cmos/-", StringComparison.Ordinal);
        var (agency, cmo) = all ? (fields.Agency("parent", request.Parent[..^7]), default) : fields.Name<CmoId>("parent", request.Parent, CmosService.Collection);
        var client = fields.OptionalReference<ClientCompanyId>("client_company", request.ClientCompany, agency, ClientsService.Collection);
        var engagement = fields.OptionalReference<EngagementId>("engagement", request.Engagement, agency, "engagements");
        var filters = new List<Filter>();
        if (!all)
        {
            filters.Add(Filter.Eq(nameof(BookingRow.Cmo), cmo));
        }

        if (client is { } c)
        {
            filters.Add(Filter.Eq(nameof(BookingRow.Client), c));
        }

        if (engagement is { } e)
        {
            filters.Add(Filter.Eq(nameof(BookingRow.Engagement), e));
        }

        if (request.State != V1.Booking.Types.State.Unspecified)
        {
            filters.Add(Filter.Eq(nameof(BookingRow.State), fields.Enum<V1.Booking.Types.State, BookingState>("state", request.State)));
        }

        var page = Page.Of(context, request, fields);
        await calls.Read(context, request, fields, agency);
        var caller = Calls.Caller(context);
        if (all && !caller.IsStaff)
        {
            caller.EnsureCmo(default);
        }

        if (!all)
        {
            caller.EnsureCmo(cmo);
        }

        var (rows, next) = page.Cut(await readModels.List<BookingRow>(agency, page.Query<BookingRow>([.. filters]), context.CancellationToken));
        return new V1.ListBookingsResponse { Bookings = { rows.Select(r => CapacityWire.ToWire(agency, r)) }, NextPageToken = next };
    }

    public override async Task<V1.GetAvailabilityResponse> GetAvailability(V1.GetAvailabilityRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, cmo) = fields.Name<CmoId>("name", request.Name, CmosService.Collection);
        var start = fields.Date("start_date", request.StartDate);
        var weeks = request.Weeks == 0 ? 13 : fields.Number("weeks", request.Weeks, 1, Reports.MostWeeks, "weeks");
        var read = await calls.UnderPolicy(await calls.Read(context, request, fields, agency));
        Calls.Caller(context).EnsureCmo(cmo);
        var report = (await Grain(agency, cmo).GetWeeks(read, start, weeks)).OrThrow().Value;
        return new V1.GetAvailabilityResponse { Weeks = { report.Weeks.Select(w => CapacityWire.ToWire([w])) } };
    }

    public override async Task<V1.GetUtilizationResponse> GetUtilization(V1.GetUtilizationRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("name", request.Name);
        var start = fields.Date("start_date", request.StartDate);
        var weeks = request.Weeks == 0 ? 13 : fields.Number("weeks", request.Weeks, 1, 104, "weeks");
        var read = await calls.UnderPolicy(await calls.Read(context, request, fields, agency));
        var reports = await Each(agency, "", context, async cmo => (await Grain(agency, cmo).GetWeeks(read, start, weeks)).OrThrow().Value.Weeks);
        var response = new V1.GetUtilizationResponse { CmoCount = reports.Count };
        if (reports.Count > 0)
        {
            response.Weeks.Add(Enumerable.Range(0, weeks).Select(w => CapacityWire.ToWire([.. reports.Select(r => r.Result[w])])));
        }

        return response;
    }

    public override async Task<V1.FindCmosResponse> FindCmos(V1.FindCmosRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var spec = CapacityWire.Spec("booking", fields.Message("booking", request.Booking), agency, fields);
        var call = await calls.Mutation(context, request, fields, agency);
        (await grains.Of<IClientCompanyGrain>(agency, spec.Client.Value).Get(new Read(agency, call.SandboxNow))).OrThrow();
        var candidates = await Ask(call, agency, spec, request.Role, context);
        return new V1.FindCmosResponse
        {
            Candidates =
            {
                candidates.OrderBy(c => c.Result.Refusal is not null).ThenBy(c => c.Cmo).Select(c => new V1.FindCmosResponse.Types.Candidate
                {
                    Cmo = ResourceNames.Of(agency, CmosService.Collection, c.Cmo.Value),
                    Fits = c.Result.Refusal is null,
                    Refusal = c.Result.Refusal is { } refusal ? CapacityWire.ToWire(agency, c.Cmo, refusal) : null,
                }),
            },
        };
    }

    private IFractionalCmoGrain Grain(AgencyId agency, CmoId cmo) => grains.Of<IFractionalCmoGrain>(agency, cmo.Value);

    private Task<List<(CmoId Cmo, CheckResult Result)>> Ask(Call call, AgencyId agency, BookingSpec spec, string role, ServerCallContext context) =>
        Each(agency, role, context, async cmo => (await Grain(agency, cmo).Check(call, spec)).OrThrow().Value);

    /// <summary>Asks every CMO of the agency, a bounded number at once, in order of id.</summary>
    private async Task<List<(CmoId Cmo, T Result)>> Each<T>(AgencyId agency, string role, ServerCallContext context, Func<CmoId, Task<T>> ask)
    {
        var rows = await readModels.List<CmoRow>(
            agency, role.Length == 0 ? Query.All(CmosService.MostCmos) : Query.All(CmosService.MostCmos, Filter.Eq(nameof(CmoRow.Role), role)), context.CancellationToken);
        var results = new (CmoId, T)[rows.Count];
        await Parallel.ForAsync(0, rows.Count, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = context.CancellationToken }, async (i, _) =>
            results[i] = (rows[i].Id, await ask(rows[i].Id)));
        return [.. results];
    }

    private static (AgencyId Agency, CmoId Cmo, BookingId Booking) Name(string name, Fields fields) => fields.Name<CmoId, BookingId>("name", name, CmosService.Collection, "bookings");

    /// <summary>How long something is held.</summary>
    internal static Duration Expiry(Google.Protobuf.WellKnownTypes.Duration wire, Fields fields, string path = "expiry")
    {
        var good = wire.Seconds is >= 0 and <= 30 * 86_400 && wire.Nanos is >= 0 and <= 999_999_999;
        var expiry = good ? Duration.FromSeconds(wire.Seconds) + Duration.FromNanoseconds(wire.Nanos) : Duration.Zero;
        fields.Require(fields.Has(path) || (expiry > Duration.Zero && expiry <= FractionalCmo.LongestHold), path, "must be above 0 and at most 30 days");
        return expiry;
    }
}
