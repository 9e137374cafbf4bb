using System.Security.Cryptography;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Domain.Agencies;
using V1 = AgencyPlatform.Protocol.Calendars.V1;

namespace AgencyPlatform.Gateway.Calendars;

/// <summary>The service of calendar links: API keys with the role calendar, made, hashed, checked and revoked as all keys are.</summary>
internal sealed class CalendarsService(Calls calls, IGrainFactory grains, TimeProvider system) : V1.CalendarsService.CalendarsServiceBase
{
    private const string Collection = "calendarLinks";

    public override async Task<V1.CalendarLink> CreateCalendarLink(V1.CreateCalendarLinkRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var id = fields.NewId<ApiKeyId>("calendar_link_id", request.CalendarLinkId, request.RequestId);
        var wire = fields.Message("calendar_link", request.CalendarLink);
        var now = Instant.FromDateTimeOffset(system.GetUtcNow());
        var secret = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        var link = new ApiKey(
            id, fields.Text("calendar_link.display_name", wire.DisplayName, 200), Convert.ToHexStringLower(Authenticator.Hash(secret)), [Role.Calendar], null,
            fields.OptionalReference<CmoId>("calendar_link.cmo", wire.Cmo, agency, "cmos"), now, null, false);
        var call = await calls.Mutation(context, request, fields, agency);
        EnsureMay(Calls.Caller(context), link);
        if (link.Cmo is { } cmo)
        {
            (await grains.Of<IFractionalCmoGrain>(agency, cmo.Value).Get(new Read(agency, call.SandboxNow))).OrThrow();
        }

        var made = (await grains.Agency(agency).CreateApiKey(call, new CreateApiKey(link, now))).OrThrow().Value;
        var answer = ToWire(agency, made);

        // A repeat finds the link of the first time, whose secret nobody has any more.
        answer.Path = made.SecretHash == link.SecretHash ? CalendarFeed.Path(Authenticator.KeyText(agency, id, secret)) : "";
        return answer;
    }

    public override async Task<V1.ListCalendarLinksResponse> ListCalendarLinks(V1.ListCalendarLinksRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var cmo = fields.OptionalReference<CmoId>("cmo", request.Cmo, agency, "cmos");
        var page = Page.Of(context, request, fields);
        var read = await calls.Read(context, request, fields, agency);
        var caller = Calls.Caller(context);
        var state = (await grains.Agency(agency).Get(read)).OrThrow().Value;
        var (items, next) = page.Cut(
            state.ApiKeys.Values.Where(k => k.IsCalendarLink && (cmo is null || k.Cmo == cmo) && (caller.IsStaff || k.Cmo == caller.Cmo)), k => k.Id.Value);
        return new V1.ListCalendarLinksResponse { CalendarLinks = { items.Select(k => ToWire(agency, k)) }, NextPageToken = next };
    }

    public override async Task<V1.CalendarLink> RevokeCalendarLink(V1.RevokeCalendarLinkRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<ApiKeyId>("name", request.Name, Collection);
        var call = await calls.Mutation(context, request, fields, agency);
        var state = (await grains.Agency(agency).Get(new Read(agency, call.SandboxNow))).OrThrow().Value;
        var caller = Calls.Caller(context);
        if (!state.ApiKeys.TryGetValue(id, out var link) || !link.IsCalendarLink || (!caller.IsStaff && link.Cmo != caller.Cmo))
        {
            throw Errors.NotFound("calendar_link", request.Name);
        }

        EnsureMay(caller, link);
        return ToWire(agency, (await grains.Agency(agency).RevokeApiKey(call, new RevokeApiKey(id))).OrThrow().Value);
    }

    /// <summary>A CMO has links to its own calendar; that of the whole agency is for who runs the agency.</summary>
    private static void EnsureMay(Caller caller, ApiKey link)
    {
        if (link.Cmo is { } cmo)
        {
            caller.EnsureCmo(cmo);
        }
        else if (!caller.Is(Role.AgencyAdmin) && !caller.Is(Role.Operations))
        {
            throw Errors.Denied("A link to the whole agency's calendar needs one of the roles ROLE_AGENCY_ADMIN, ROLE_OPERATIONS; name a cmo for one of its calendar.");
        }
    }

    private static V1.CalendarLink ToWire(AgencyId agency, ApiKey link) => new()
    {
        Name = ResourceNames.Of(agency, Collection, link.Id.Value),
        DisplayName = link.DisplayName,
        Cmo = link.Cmo is { } cmo ? ResourceNames.Of(agency, "cmos", cmo.Value) : "",
        CreateTime = link.CreatedAt.ToWire(),
        Revoked = link.Revoked,
    };
}
