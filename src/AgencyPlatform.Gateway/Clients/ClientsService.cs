using System.Collections.Immutable;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Cmos;
using ClientCompany = AgencyPlatform.Domain.Clients.ClientCompany;
using Stakeholder = AgencyPlatform.Domain.Clients.Stakeholder;
using V1 = AgencyPlatform.Protocol.Clients.V1;

namespace AgencyPlatform.Gateway.Clients;

/// <summary>The service of client companies.</summary>
internal sealed partial class ClientsService(Calls calls, IGrainFactory grains, IReadModels readModels, IPeopleVault vault) : V1.ClientsService.ClientsServiceBase
{
    internal const string Collection = "clientCompanies";

    public override async Task<V1.ClientCompany> CreateClientCompany(V1.CreateClientCompanyRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var id = fields.NewId<ClientCompanyId>("client_company_id", request.ClientCompanyId, request.RequestId);
        var profile = Profile("client_company", fields.Message("client_company", request.ClientCompany), agency, fields);
        var call = await calls.Mutation(context, request, fields, agency);
        return await ToWire(agency, await Grain(agency, id).Create(call, new CreateClient(id, profile)), context);
    }

    public override async Task<V1.ClientCompany> GetClientCompany(V1.GetClientCompanyRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<ClientCompanyId>("name", request.Name, Collection);
        var read = await calls.Read(context, request, fields, agency);
        Calls.Caller(context).EnsureClient(id);
        return await ToWire(agency, await Grain(agency, id).Get(read), context);
    }

    public override async Task<V1.ListClientCompaniesResponse> ListClientCompanies(V1.ListClientCompaniesRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        fields.Require(request.ExternalId.Length == 0 == (request.ExternalSystem.Length == 0), "external_id", "goes with external_system: both or none");
        var page = Page.Of(context, request, fields);
        var read = await calls.Read(context, request, fields, agency);
        ImmutableArray<ClientCompanyId> ids;
        var next = "";
        if (request.ExternalId.Length > 0)
        {
            var found = await readModels.Find<ExternalIdRow>(agency, [request.ExternalSystem, request.ExternalId], context.CancellationToken);
            ids = found is { Kind: "client" } ? [new ClientCompanyId(found.ResourceId)] : [];
        }
        else
        {
            var (rows, token) = page.Cut(await readModels.List<ClientRow>(agency, page.Query<ClientRow>(), context.CancellationToken));
            (ids, next) = ([.. rows.Select(r => r.Id)], token);
        }

        var response = new V1.ListClientCompaniesResponse { NextPageToken = next };
        foreach (var reply in await Task.WhenAll(ids.Select(id => Grain(agency, id).Get(read))))
        {
            response.ClientCompanies.Add(await ToWire(agency, reply, context));
        }

        return response;
    }

    public override async Task<V1.ClientCompany> UpdateClientCompany(V1.UpdateClientCompanyRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var wire = fields.Message("client_company", request.ClientCompany);
        var (agency, id) = fields.Name<ClientCompanyId>("client_company.name", wire.Name, Collection);
        var mask = fields.Mask("update_mask", request.UpdateMask, wire, "display_name", "website", "industry", "time_zone", "billing", "labels", "external_ids");
        fields.ThrowIfAny();
        var read = await calls.Read(context, request, fields, agency);
        return await ToWire(agency, await Masks.Update<ClientCompany, ClientCompany>(
            () => Grain(agency, id).Get(read),
            async (state, meta) =>
            {
                var profile = Profile("client_company", Masks.Merged(Wire(agency, state, meta, _ => new PersonDetails("")), wire, mask), agency, fields);
                var call = await calls.Mutation(context, request, fields, agency, wire.Etag, "client_company.etag");
                return (call, c => Grain(agency, id).Update(c, new UpdateClient(profile)));
            }), context);
    }

    public override async Task<V1.ClientCompany> SetCompetitors(V1.SetCompetitorsRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<ClientCompanyId>("name", request.Name, Collection);
        fields.Require(request.Competitors.Count <= ClientCompany.MostCompetitors, "competitors", $"must be at most {ClientCompany.MostCompetitors}");
        var competitors = request.Competitors.Take(ClientCompany.MostCompetitors)
            .Select((name, i) => fields.Reference<ClientCompanyId>($"competitors[{i}]", name, agency, Collection)).ToImmutableSortedSet();
        var call = await calls.Mutation(context, request, fields, agency);
        foreach (var competitor in competitors)
        {
            (await Grain(agency, competitor).Get(new Read(agency, call.SandboxNow))).OrThrow();
        }

        var known = (await Grain(agency, id).Get(new Read(agency, call.SandboxNow))).OrThrow().Value.Competitors;
        var reply = await Grain(agency, id).SetCompetitors(call, new SetCompetitors(competitors));
        if (reply.Rejection is null && !call.ValidateOnly && known.Except(competitors) is { IsEmpty: false } dropped)
        {
            await TellCmos(call, [id, .. dropped], context.CancellationToken);
        }

        return await ToWire(agency, reply, context);
    }

    /// <summary>
    /// CMOs who are booked for one of these clients note that they are no competitors any more: one of the others may wait there for that. A CMO that is not
    /// reached (the caller has gone, the host was stopped) notes it with the next commands for these clients.
    /// </summary>
    private async Task TellCmos(Call call, ImmutableArray<ClientCompanyId> clients, CancellationToken cancellation)
    {
        var cmos = new HashSet<CmoId>();
        foreach (var client in clients)
        {
            cmos.UnionWith((await readModels.List<BookingRow>(call.Agency, Query.All(Page.MaxSize, Filter.Eq(nameof(BookingRow.Client), client)), cancellation)).Select(row => row.Cmo));
        }

        await Parallel.ForEachAsync(cmos, new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = cancellation }, async (cmo, _) =>
            (await grains.Of<IFractionalCmoGrain>(call.Agency, cmo.Value).NoteFences(call.AsStep(), clients)).OrThrow());
    }

    public override async Task<V1.ClientCompany> PutStakeholder(V1.PutStakeholderRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<ClientCompanyId>("name", request.Name, Collection);
        var wire = fields.Message("stakeholder", request.Stakeholder);
        var command = new PutStakeholder(
            new Stakeholder(fields.Id<PersonId>("stakeholder.person_id", wire.PersonId), fields.Text("stakeholder.title", wire.Title, 100, required: false), wire.DecisionMaker),
            new PersonDetails(fields.Text("stakeholder.display_name", wire.DisplayName, 200), fields.Email("stakeholder.email", wire.Email)));
        var call = await calls.Mutation(context, request, fields, agency);
        return await ToWire(agency, await Grain(agency, id).PutStakeholder(call, command), context);
    }

    public override async Task<V1.ClientCompany> RemoveStakeholder(V1.RemoveStakeholderRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<ClientCompanyId>("name", request.Name, Collection);
        var person = fields.Id<PersonId>("person_id", request.PersonId);
        var call = await calls.Mutation(context, request, fields, agency);
        return await ToWire(agency, await Grain(agency, id).RemoveStakeholder(call, new RemoveStakeholder(person)), context);
    }

    private IClientCompanyGrain Grain(AgencyId agency, ClientCompanyId id) => grains.Of<IClientCompanyGrain>(agency, id.Value);

    private static ClientProfile Profile(string path, V1.ClientCompany wire, AgencyId agency, Fields fields) => new(
        fields.Text($"{path}.display_name", wire.DisplayName, 200),
        fields.Text($"{path}.website", wire.Website, 300, required: false),
        fields.Text($"{path}.industry", wire.Industry, 100, required: false),
        fields.TimeZone($"{path}.time_zone", wire.TimeZone),
        BillingWire.Details($"{path}.billing", wire.Billing ?? new V1.BillingDetails(), agency, fields),
        fields.Labels($"{path}.labels", wire.Labels),
        fields.ExternalIds($"{path}.external_ids", wire.ExternalIds));

    private async Task<V1.ClientCompany> ToWire(AgencyId agency, Reply<ClientCompany> reply, ServerCallContext context)
    {
        var (client, meta) = reply.OrThrow();
        return Wire(agency, client, meta, await vault.Of(agency, client.Stakeholders.Keys, context.CancellationToken));
    }

    private static V1.ClientCompany Wire(AgencyId agency, ClientCompany client, Meta meta, Func<PersonId, PersonDetails> people)
    {
        var wire = new V1.ClientCompany
        {
            Name = ResourceNames.Of(agency, Collection, client.Id.Value),
            Uid = meta.Uid.ToString(),
            Etag = Etags.Of(meta),
            Version = meta.Version,
            CreateTime = meta.CreatedAt.ToWire(),
            UpdateTime = meta.UpdatedAt.ToWire(),
            DisplayName = client.Profile.DisplayName,
            Website = client.Profile.Website,
            Industry = client.Profile.Industry,
            TimeZone = client.Profile.TimeZone,
            Billing = BillingWire.ToWire(agency, client.Profile.Billing),
            Competitors = { client.Competitors.Select(c => ResourceNames.Of(agency, Collection, c.Value)) },
            Stakeholders =
            {
                client.Stakeholders.Values.Select(s => new V1.Stakeholder
                {
                    PersonId = s.Person.Value,
                    DisplayName = people(s.Person).DisplayName,
                    Email = people(s.Person).Email ?? "",
                    Title = s.Title,
                    DecisionMaker = s.DecisionMaker,
                }),
            },
            SignOffRules = { client.SignOff.Rules.Select(ToWire) },
            Delegations = { client.SignOff.Delegations.Select(ToWire) },
        };
        wire.Labels.Put(client.Profile.Labels);
        wire.ExternalIds.Put(client.Profile.ExternalIds);
        return wire;
    }
}
