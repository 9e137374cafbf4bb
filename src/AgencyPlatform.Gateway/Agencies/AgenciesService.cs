using System.Collections.Immutable;
using System.Security.Cryptography;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Gateway.Cmos;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Protocol.Agencies.V1;
using Google.LongRunning;
using Google.Protobuf.WellKnownTypes;
using Duration = NodaTime.Duration;
using Agency = AgencyPlatform.Domain.Agencies.Agency;
using ApiKey = AgencyPlatform.Domain.Agencies.ApiKey;
using LegalEntity = AgencyPlatform.Domain.Agencies.LegalEntity;
using Role = AgencyPlatform.Domain.Agencies.Role;
using V1 = AgencyPlatform.Protocol.Agencies.V1;

namespace AgencyPlatform.Gateway.Agencies;

/// <summary>
/// The service of agencies, and the pattern of all services: read the request's fields (every bad one is gathered), ask <see cref="Calls"/> for
/// the call (which refuses bad fields and other agencies), call the grain, map its answer. No decisions here.
/// </summary>
internal sealed class AgenciesService(Calls calls, IGrainFactory grains, IReadModels readModels, TimeProvider system) : V1.AgenciesService.AgenciesServiceBase
{
    private static readonly Duration s_farthestAdvance = Duration.FromDays(3660);

    public override async Task<V1.Agency> CreateAgency(CreateAgencyRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var id = fields.NewId<AgencyId>("agency_id", request.AgencyId, request.RequestId);
        fields.Require(id != AgencyListing.Platform, "agency_id", "must not be 'platform', which is reserved");
        var wire = fields.Message("agency", request.Agency);
        var settings = AgencyWire.Settings("agency", wire, fields);
        fields.Require(request.LegalEntities.Count is >= 1 and <= Agency.MaxLegalEntities, "legal_entities", $"must be 1 to {Agency.MaxLegalEntities}; they are {request.LegalEntities.Count}");
        ImmutableArray<LegalEntity> entities =
        [
            .. request.LegalEntities.Take(Agency.MaxLegalEntities).Select((e, i) =>
                AgencyWire.LegalEntity($"legal_entities[{i}]", e, fields.Id<LegalEntityId>($"legal_entities[{i}].name", e.Name[(e.Name.LastIndexOf('/') + 1)..]), fields)),
        ];
        fields.Require(entities.Select(e => e.Id).Distinct().Count() == entities.Length, "legal_entities", "must have different ids");
        var start = fields.OptionalTime("sandbox_start_time", request.SandboxStartTime);
        fields.Require(start is null || request.Sandbox, "sandbox_start_time", "is only for a sandbox");
        var command = new CreateAgency(
            id, settings, fields.Number("agency.overbooking_percent", wire.OverbookingPercent, 0, 100, "percent"),
            fields.Number("agency.cooling_off_days", wire.CoolingOffDays, 0, 3650, "days"), entities,
            request.Sandbox ? start ?? Instant.FromDateTimeOffset(system.GetUtcNow()) : null);
        var call = await calls.Mutation(context, request, fields, id);

        // The listing first: one without its agency is passed over by ListAgencies, an agency without one would never be seen.
        var listing = grains.GetGrain<IAgencyListingGrain>($"{AgencyListing.Platform}/{id}");
        (await listing.List(new Call(AgencyListing.Platform, call.Actor, TraceId: call.TraceId), id)).OrThrow();
        return AgencyWire.ToWire(await grains.Agency(id).Create(call with { SandboxNow = command.SandboxClock }, command));
    }

    public override async Task<ListAgenciesResponse> ListAgencies(ListAgenciesRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var page = Page.Of(context, request, fields);
        fields.ThrowIfAny();
        var (rows, next) = page.Cut(await readModels.List<AgencyListingRow>(AgencyListing.Platform, page.Query<AgencyListingRow>(), context.CancellationToken));
        var response = new ListAgenciesResponse { NextPageToken = next };
        foreach (var row in rows)
        {
            var reply = await grains.Agency(row.Listed).Get(new Read(row.Listed));
            if (reply is { Value: { } agency, Meta: { } meta })
            {
                response.Agencies.Add(new V1.Agency
                {
                    Name = ResourceNames.Of(agency.Id),
                    Uid = meta.Uid.ToString(),
                    CreateTime = meta.CreatedAt.ToWire(),
                    Sandbox = agency.IsSandbox,
                });
            }
        }

        return response;
    }

    public override async Task<V1.Agency> GetAgency(GetAgencyRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("name", request.Name);
        var read = await calls.Read(context, request, fields, agency);
        return AgencyWire.ToWire(await grains.Agency(agency).Get(read));
    }

    public override async Task<V1.Agency> UpdateAgency(UpdateAgencyRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var wire = fields.Message("agency", request.Agency);
        var agency = fields.Agency("agency.name", wire.Name);
        var mask = fields.Mask(
            "update_mask", request.UpdateMask, wire,
            "display_name", "time_zone", "default_currency", "address_lines", "labels", "external_ids", "overbooking_percent", "cooling_off_days", "client_dispute_days", "time_ahead_days");
        fields.ThrowIfAny();

        // What the mask leaves out stays as it is: read, put over, and write at the version that was read; when another change came between, again.
        for (var attempt = 0; ; attempt++)
        {
            var (current, meta) = (await grains.Agency(agency).Get(await calls.Read(context, request, fields, agency))).OrThrow();
            var merged = Masked(AgencyWire.ToWire(Reply<Agency>.Ok(current, meta)), wire, mask);
            var command = new UpdateAgency(
                AgencyWire.Settings("agency", merged, fields),
                fields.Number("agency.overbooking_percent", merged.OverbookingPercent, 0, 100, "percent"),
                fields.Number("agency.cooling_off_days", merged.CoolingOffDays, 0, 3650, "days"));
            var call = await calls.Mutation(context, request, fields, agency, wire.Etag, "agency.etag");
            var reply = await grains.Agency(agency).Update(call with { ExpectedVersion = call.ExpectedVersion ?? meta.Version }, command);
            if (reply.Rejection is not { Kind: RejectionKind.Stale } || call.ExpectedVersion is not null || attempt == 4)
            {
                if (!call.ValidateOnly && reply.Value is { } changed && changed.Policy.Version != current.Policy.Version)
                {
                    await TellCmos(call, changed, context.CancellationToken);
                }

                return AgencyWire.ToWire(reply);
            }
        }
    }

    /// <summary>
    /// Every CMO notes a changed policy, so that the feed says what it did to standing bookings. A CMO that is not reached (the caller has gone, the host
    /// was stopped) notes it with its next command, which decides under it all the same.
    /// </summary>
    private async Task TellCmos(Call call, Agency agency, CancellationToken cancellation)
    {
        var told = call.AsStep() with { PolicyVersion = agency.Policy.Version };
        var cmos = await readModels.List<CmoRow>(agency.Id, Query.All(CmosService.MostCmos), cancellation);
        await Parallel.ForEachAsync(cmos, new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = cancellation }, async (cmo, _) =>
            (await grains.Of<IFractionalCmoGrain>(agency.Id, cmo.Id.Value).NotePolicy(told)).OrThrow());
    }

    private static V1.Agency Masked(V1.Agency current, V1.Agency wire, IReadOnlySet<string> mask)
    {
        var merged = current;
        foreach (var path in mask)
        {
            var field = V1.Agency.Descriptor.FindFieldByName(path);
            field.Accessor.Clear(merged);
            switch (path)
            {
                case "labels":
                    merged.Labels.Add(wire.Labels);
                    break;
                case "external_ids":
                    merged.ExternalIds.Add(wire.ExternalIds);
                    break;
                case "address_lines":
                    merged.AddressLines.Add(wire.AddressLines);
                    break;
                default:
                    field.Accessor.SetValue(merged, field.Accessor.GetValue(wire));
                    break;
            }
        }

        return merged;
    }

    public override async Task<V1.LegalEntity> CreateLegalEntity(CreateLegalEntityRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var id = fields.NewId<LegalEntityId>("legal_entity_id", request.LegalEntityId, request.RequestId);
        var entity = AgencyWire.LegalEntity("legal_entity", fields.Message("legal_entity", request.LegalEntity), id, fields);
        var call = await calls.Mutation(context, request, fields, agency);
        return AgencyWire.ToWire(agency, (await grains.Agency(agency).PutLegalEntity(call, new PutLegalEntity(entity, Create: true))).OrThrow().Value.LegalEntities[id]);
    }

    public override async Task<V1.LegalEntity> UpdateLegalEntity(UpdateLegalEntityRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var wire = fields.Message("legal_entity", request.LegalEntity);
        var (agency, id) = fields.Name<LegalEntityId>("legal_entity.name", wire.Name, "legalEntities");
        var entity = AgencyWire.LegalEntity("legal_entity", wire, id, fields);
        var call = await calls.Mutation(context, request, fields, agency);
        return AgencyWire.ToWire(agency, (await grains.Agency(agency).PutLegalEntity(call, new PutLegalEntity(entity, Create: false))).OrThrow().Value.LegalEntities[id]);
    }

    public override async Task<V1.LegalEntity> GetLegalEntity(GetLegalEntityRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<LegalEntityId>("name", request.Name, "legalEntities");
        var state = (await grains.Agency(agency).Get(await calls.Read(context, request, fields, agency))).OrThrow().Value;
        return state.LegalEntities.TryGetValue(id, out var entity) ? AgencyWire.ToWire(agency, entity) : throw Errors.NotFound("legal_entity", request.Name);
    }

    public override async Task<ListLegalEntitiesResponse> ListLegalEntities(ListLegalEntitiesRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var page = Page.Of(context, request, fields);
        var state = (await grains.Agency(agency).Get(await calls.Read(context, request, fields, agency))).OrThrow().Value;
        var (items, next) = page.Cut(state.LegalEntities.Values, e => e.Id.Value);
        return new ListLegalEntitiesResponse { LegalEntities = { items.Select(e => AgencyWire.ToWire(agency, e)) }, NextPageToken = next };
    }

    public override async Task<HolidayCalendar> SetHolidayCalendar(SetHolidayCalendarRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, region) = fields.Name<HolidayRegionId>("name", request.Name, "holidayCalendars");
        fields.Require(request.Days.Count <= 2000, "days", $"must be at most 2000; they are {request.Days.Count}");
        var days = request.Days.Take(2000).Select((d, i) => fields.Date($"days[{i}]", d)).ToImmutableSortedSet();
        var call = await calls.Mutation(context, request, fields, agency);
        var state = (await grains.Agency(agency).SetHolidayCalendar(call, new SetHolidayCalendar(region.Value, days))).OrThrow().Value;
        if (!call.ValidateOnly)
        {
            await TellCmos(call, state, context.CancellationToken);
        }

        return AgencyWire.ToWire(agency, region.Value, state.Policy.HolidayCalendars[region.Value]);
    }

    public override async Task<HolidayCalendar> GetHolidayCalendar(GetHolidayCalendarRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, region) = fields.Name<HolidayRegionId>("name", request.Name, "holidayCalendars");
        var policy = (await grains.Agency(agency).GetPolicy(await calls.Read(context, request, fields, agency))).OrThrow().Value;
        return policy.HolidayCalendars.TryGetValue(region.Value, out var days)
            ? AgencyWire.ToWire(agency, region.Value, days)
            : throw Errors.NotFound("holiday_calendar", request.Name);
    }

    public override async Task<ListHolidayCalendarsResponse> ListHolidayCalendars(ListHolidayCalendarsRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var page = Page.Of(context, request, fields);
        var policy = (await grains.Agency(agency).GetPolicy(await calls.Read(context, request, fields, agency))).OrThrow().Value;
        var (items, next) = page.Cut(policy.HolidayCalendars, c => c.Key);
        return new ListHolidayCalendarsResponse { HolidayCalendars = { items.Select(c => AgencyWire.ToWire(agency, c.Key, c.Value)) }, NextPageToken = next };
    }

    public override async Task<V1.ApiKey> CreateApiKey(CreateApiKeyRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var id = fields.NewId<ApiKeyId>("api_key_id", request.ApiKeyId, request.RequestId);
        var wire = fields.Message("api_key", request.ApiKey);
        var now = Instant.FromDateTimeOffset(system.GetUtcNow());
        var secret = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        var key = new ApiKey(
            id, fields.Text("api_key.display_name", wire.DisplayName, 200), Convert.ToHexStringLower(Authenticator.Hash(secret)),
            [.. wire.Roles.Take(16).Select((r, i) => fields.Enum<V1.Role, Role>($"api_key.roles[{i}]", r)).Distinct()],
            fields.OptionalReference<ClientCompanyId>("api_key.client_company", wire.ClientCompany, agency, "clientCompanies"),
            fields.OptionalReference<CmoId>("api_key.cmo", wire.Cmo, agency, "cmos"),
            now, fields.OptionalFutureTime("api_key.expire_time", wire.ExpireTime), false);
        fields.Require(key.Roles.Length > 0, "api_key.roles", "must name at least one role");
        fields.Require(
            key.Roles.Any(r => r is Role.ClientApprover or Role.ClientViewer) == key.Client is not null, "api_key.client_company",
            "is needed with, and only with, the roles ROLE_CLIENT_APPROVER and ROLE_CLIENT_VIEWER");
        fields.Require(key.Roles.Contains(Role.Cmo) == key.Cmo is not null, "api_key.cmo", "is needed with, and only with, the role ROLE_CMO");
        fields.Require(!key.IsCalendarLink, "api_key.roles", "must not have ROLE_CALENDAR: CreateCalendarLink gives it");
        fields.Require(
            (key.Client is null && key.Cmo is null) || !key.Roles.Any(r => r is Role.AgencyAdmin or Role.Operations or Role.Finance or Role.Service), "api_key.roles",
            "must not join a role of the whole agency with one that is bound to a client company or CMO");
        var call = await calls.Mutation(context, request, fields, agency);
        await EnsureThere(key, agency, call.SandboxNow);
        var made = (await grains.Agency(agency).CreateApiKey(call, new CreateApiKey(key, now, HandOver: Calls.Caller(context).Agency is null))).OrThrow().Value;
        var answer = AgencyWire.ToWire(agency, made);

        // A repeat finds the key of the first time, whose secret nobody has any more.
        answer.Key = made.SecretHash == key.SecretHash ? Authenticator.KeyText(agency, id, secret) : "";
        return answer;
    }

    /// <summary>A key of a CMO or client company that is not there would be good for whoever takes that id later.</summary>
    private async Task EnsureThere(ApiKey key, AgencyId agency, Instant? now)
    {
        if (key.Cmo is { } cmo)
        {
            (await grains.Of<IFractionalCmoGrain>(agency, cmo.Value).Get(new Read(agency, now))).OrThrow();
        }

        if (key.Client is { } client)
        {
            (await grains.Of<IClientCompanyGrain>(agency, client.Value).Get(new Read(agency, now))).OrThrow();
        }
    }

    public override async Task<V1.ApiKey> RevokeApiKey(RevokeApiKeyRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<ApiKeyId>("name", request.Name, "apiKeys");
        var call = await calls.Mutation(context, request, fields, agency);
        return AgencyWire.ToWire(agency, (await grains.Agency(agency).RevokeApiKey(call, new RevokeApiKey(id))).OrThrow().Value);
    }

    public override async Task<ListApiKeysResponse> ListApiKeys(ListApiKeysRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var page = Page.Of(context, request, fields);
        var state = (await grains.Agency(agency).Get(await calls.Read(context, request, fields, agency))).OrThrow().Value;
        var (items, next) = page.Cut(state.ApiKeys.Values, k => k.Id.Value);
        return new ListApiKeysResponse { ApiKeys = { items.Select(k => AgencyWire.ToWire(agency, k)) }, NextPageToken = next };
    }

    public override Task<V1.Caller> GetCaller(GetCallerRequest request, ServerCallContext context) => Task.FromResult(AgencyWire.ToWire(Calls.Caller(context)));

    public override async Task<Operation> AdvanceClock(AdvanceClockRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("name", request.Name);
        var to = fields.Time("to", request.To);
        var call = await calls.Mutation(context, request, fields, agency);
        if (call.SandboxNow is { } clock && to - clock > s_farthestAdvance)
        {
            throw Errors.Invalid([new FieldViolation("to", $"must be at most 10 years ahead of the clock, {clock}")]);
        }

        var settled = 0;
        var unsettled = new SortedSet<string>(StringComparer.Ordinal);
        while (true)
        {
            context.CancellationToken.ThrowIfCancellationRequested();
            var progress = (await grains.Agency(agency).AdvanceClock(call, to)).OrThrow().Value;
            settled += progress.Settled;
            unsettled.UnionWith(progress.Unsettled);
            if (progress.Done)
            {
                return new Operation
                {
                    Name = ResourceNames.Of(agency, "operations", (call.Request ?? Guid.CreateVersion7(system.GetUtcNow())).ToString()),
                    Done = true,
                    Metadata = Any.Pack(new AdvanceClockMetadata { Clock = progress.Clock.ToWire(), Settled = settled }),
                    Response = Any.Pack(new AdvanceClockResponse { Clock = progress.Clock.ToWire(), Settled = settled, Unsettled = { unsettled } }),
                };
            }
        }
    }

    /// <summary>A holiday calendar's region has an id's syntax.</summary>
    private readonly record struct HolidayRegionId(string Value) : IId<HolidayRegionId>
    {
        public static HolidayRegionId Of(string value) => new(value);
    }
}
