using System.Collections.Immutable;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Domain.Engagements;
using Engagement = AgencyPlatform.Domain.Engagements.Engagement;
using EngagementState = AgencyPlatform.Domain.Engagements.EngagementState;
using V1 = AgencyPlatform.Protocol.Engagements.V1;

namespace AgencyPlatform.Gateway.Engagements;

/// <summary>The service of engagements.</summary>
internal sealed partial class EngagementsService(Calls calls, IGrainFactory grains, IReadModels readModels, IPeopleVault vault, TimeProvider system) : V1.EngagementsService.EngagementsServiceBase
{
    private const string Collection = EngagementWire.Collection;

    public override async Task<V1.Engagement> CreateEngagement(V1.CreateEngagementRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var id = fields.NewId<EngagementId>("engagement_id", request.EngagementId, request.RequestId);
        var wire = fields.Message("engagement", request.Engagement);
        var client = fields.Reference<ClientCompanyId>("engagement.client_company", wire.ClientCompany, agency, "clientCompanies");
        var plan = EngagementWire.Plan("engagement", wire, agency, fields);
        EngagementWire.EnsureTermsHoldFrom("engagement.terms[0]", wire.Terms.FirstOrDefault(), plan.Start, fields);
        var call = await calls.Mutation(context, request, fields, agency);
        return await ToWire(agency, await Grain(agency, id).Create(call, new CreateEngagement(id, client, plan)), context);
    }

    public override async Task<V1.Engagement> GetEngagement(V1.GetEngagementRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<EngagementId>("name", request.Name, Collection);
        var read = await calls.Read(context, request, fields, agency);
        var reply = await Grain(agency, id).Get(read);
        if (reply.Value is not { } found || !Calls.Caller(context).Sees(found))
        {
            throw Errors.NotFound("engagement", request.Name);
        }

        return await ToWire(agency, reply, context, Now(read));
    }

    public override async Task<V1.ListEngagementsResponse> ListEngagements(V1.ListEngagementsRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var client = fields.OptionalReference<ClientCompanyId>("client_company", request.ClientCompany, agency, "clientCompanies");
        var cmo = fields.OptionalReference<CmoId>("cmo", request.Cmo, agency, "cmos");
        EngagementState? state = request.State == 0 ? null : fields.Enum<V1.EngagementState, EngagementState>("state", request.State);
        fields.Require(request.ExternalId.Length == 0 == (request.ExternalSystem.Length == 0), "external_id", "goes with external_system: both or none");
        var page = Page.Of(context, request, fields);
        var read = await calls.Read(context, request, fields, agency);

        // A bound key sees its own: the filter is the key's.
        var caller = Calls.Caller(context);
        if (!caller.IsStaff)
        {
            if (caller.Cmo is not null)
            {
                caller.EnsureCmo(cmo ??= caller.Cmo.Value);
            }
            else if (caller.Client is not null)
            {
                caller.EnsureClient(client ??= caller.Client.Value);
            }
        }

        ImmutableArray<EngagementId> ids;
        var next = "";
        if (request.ExternalId.Length > 0)
        {
            var found = await readModels.Find<ExternalIdRow>(agency, [request.ExternalSystem, request.ExternalId], context.CancellationToken);
            ids = found is { Kind: "engagement" } ? [new EngagementId(found.ResourceId)] : [];
        }
        else
        {
            var filters = new Filters().Equal(nameof(EngagementRow.Client), client).Equal(nameof(EngagementRow.State), state);
            if (!caller.IsStaff && caller.Client is not null)
            {
                // Not even by a page that is shorter than it was asked to be.
                filters.NotEqual(nameof(EngagementRow.State), EngagementState.Draft);
            }

            if (cmo is { } ofCmo)
            {
                filters.Equal(nameof(EngagementMemberRow.Cmo), ofCmo);
                var (rows, token) = page.Cut(await readModels.List<EngagementMemberRow>(agency, page.Query<EngagementMemberRow>(filters.All), context.CancellationToken));
                (ids, next) = ([.. rows.Select(r => r.Id)], token);
            }
            else
            {
                var (rows, token) = page.Cut(await readModels.List<EngagementRow>(agency, page.Query<EngagementRow>(filters.All), context.CancellationToken));
                (ids, next) = ([.. rows.Select(r => r.Id)], token);
            }
        }

        var response = new V1.ListEngagementsResponse { NextPageToken = next };
        foreach (var reply in await Task.WhenAll(ids.Select(id => Grain(agency, id).Get(read))))
        {
            var found = reply.OrThrow().Value;
            if (caller.Sees(found) && (client is null || found.Client == client) && (cmo is null || found.Involved().Contains(cmo.Value)) && (state is null || found.State == state))
            {
                response.Engagements.Add(await ToWire(agency, reply, context, Now(read)));
            }
        }

        return response;
    }

    public override async Task<V1.Engagement> UpdateEngagement(V1.UpdateEngagementRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var wire = fields.Message("engagement", request.Engagement);
        var (agency, id) = fields.Name<EngagementId>("engagement.name", wire.Name, Collection);
        var mask = fields.Mask(
            "update_mask", request.UpdateMask, wire,
            "title", "service_type", "lead", "members", "terms", "start_date", "end_date", "billing_start_date", "signatures_needed", "term", "labels", "external_ids");
        fields.ThrowIfAny();
        var grain = Grain(agency, id);
        if (mask.All(path => path is "labels" or "external_ids"))
        {
            var command = new RelabelEngagement(
                mask.Contains("labels") ? fields.Labels("engagement.labels", wire.Labels) : null,
                mask.Contains("external_ids") ? fields.ExternalIds("engagement.external_ids", wire.ExternalIds) : null);
            return await ToWire(agency, await grain.Relabel(await calls.Mutation(context, request, fields, agency, wire.Etag, "engagement.etag"), command), context);
        }

        var read = await calls.Read(context, request, fields, agency);
        return await ToWire(agency, await Masks.Update<Engagement, Engagement>(
            () => grain.Get(read),
            async (state, meta) =>
            {
                var call = await calls.Mutation(context, request, fields, agency, wire.Etag, "engagement.etag");
                var plan = state.Plan;
                if (state.State == EngagementState.Draft)
                {
                    var merged = Masks.Merged(EngagementWire.ToWire(agency, state, meta, _ => new PersonDetails(""), _ => false, meta.UpdatedAt), wire, mask);
                    var bad = new Fields();
                    plan = EngagementWire.Plan("engagement", merged, agency, bad);
                    if (bad.Any && !await grain.HasAnswered(call))
                    {
                        bad.ThrowIfAny();
                    }
                }

                // Of what is no draft any more, or was changed by this very request before, the grain has the answer: whatever the fields would come to now.
                return (call, c => grain.Update(c, new UpdateEngagement(plan)));
            }), context);
    }

    public override Task<V1.Engagement> ProposeEngagement(V1.ProposeEngagementRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        fields.Require(System.Enum.IsDefined(request.HoldsAtProposalEnd), "holds_at_proposal_end", "must be one of HOLDS_AT_PROPOSAL_END_KEEP, HOLDS_AT_PROPOSAL_END_FREE");
        var command = new ProposeEngagement(fields.OptionalTime("expire_time", request.ExpireTime), request.HoldsAtProposalEnd == V1.HoldsAtProposalEnd.Free);
        return Move(request, request.Name, fields, context, (grain, call) => grain.Propose(call, command));
    }

    public override Task<V1.Engagement> ReviseEngagement(V1.ReviseEngagementRequest request, ServerCallContext context) =>
        Move(request, request.Name, new Fields(), context, (grain, call) => grain.Revise(call));

    public override Task<V1.Engagement> SignEngagement(V1.SignEngagementRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var command = new SignEngagement(
            fields.Id<PersonId>("person_id", request.PersonId), fields.Number("revision", request.Revision, 0, int.MaxValue), Person(fields, "signed_by", request.SignedBy));
        return Move(request, request.Name, fields, context, (grain, call) => grain.Sign(call, command));
    }

    public override Task<V1.Engagement> DeclineEngagement(V1.DeclineEngagementRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        fields.Require(request.DeclinedBy.Length == 0 || request.PersonId.Length > 0, "person_id", "is required with declined_by");
        var command = new CloseProposal(
            fields.LongText("reason", request.Reason, 1000), Person(fields, "person_id", request.PersonId), Person(fields, "declined_by", request.DeclinedBy),
            fields.Number("revision", request.Revision, 0, int.MaxValue));
        return Move(request, request.Name, fields, context, (grain, call) => grain.Decline(call, command));
    }

    public override Task<V1.Engagement> WithdrawEngagement(V1.WithdrawEngagementRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var command = new CloseProposal(fields.LongText("reason", request.Reason, 1000));
        return Move(request, request.Name, fields, context, (grain, call) => grain.Withdraw(call, command));
    }

    public override Task<V1.Engagement> AgreeToEngagement(V1.AgreeToEngagementRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = ResourceNames.AgencyOf(request.Name) ?? default;
        var command = new AgreeAsCmo(fields.Reference<CmoId>("cmo", request.Cmo, agency, "cmos"), fields.Number("revision", request.Revision, 0, int.MaxValue));
        return Move(request, request.Name, fields, context, (grain, call) =>
        {
            Calls.Caller(context).EnsureCmo(command.Cmo);
            return grain.Agree(call, command);
        });
    }

    public override Task<V1.Engagement> ActivateEngagement(V1.ActivateEngagementRequest request, ServerCallContext context) =>
        Move(request, request.Name, new Fields(), context, (grain, call) => grain.Activate(call));

    public override Task<V1.Engagement> EndEngagement(V1.EndEngagementRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var waiver = fields.LongText("notice_waiver_reason", request.NoticeWaiverReason, 1000);
        var command = new EndEngagement(fields.Date("end_date", request.EndDate), waiver.Length == 0 ? null : waiver);
        return Move(request, request.Name, fields, context, (grain, call) => grain.End(call, command));
    }

    /// <summary>A move of an engagement that the caller sees.</summary>
    private async Task<V1.Engagement> Move(
        Google.Protobuf.IMessage request, string name, Fields fields, ServerCallContext context, Func<IEngagementGrain, Call, Task<Reply<Engagement>>> move)
    {
        var (agency, id) = fields.Name<EngagementId>("name", name, Collection);
        var call = await calls.Mutation(context, request, fields, agency);
        var grain = Grain(agency, id);
        await grain.EnsureSeen(context, call, name);
        return await ToWire(agency, await move(grain, call), context);
    }

    private IEngagementGrain Grain(AgencyId agency, EngagementId id) => grains.Of<IEngagementGrain>(agency, id.Value);

    /// <param name="at">As of when it is read; null: as of its last change, so that a repeat is answered the same.</param>
    private async Task<V1.Engagement> ToWire(AgencyId agency, Reply<Engagement> reply, ServerCallContext context, Instant? at = null)
    {
        var (engagement, meta) = reply.OrThrow();
        var people = engagement.Signatures.Concat(engagement.Term.Signatures).Concat(engagement.Running.People()).Select(s => s.Person).Concat(engagement.Proposal.Comments.Where(c => c.Person is not null).Select(c => c.Person!.Value));
        var caller = Calls.Caller(context);
        return EngagementWire.ToWire(agency, engagement, meta, await vault.Of(agency, people, context.CancellationToken), cmo => caller.IsStaff || caller.Cmo == cmo, at ?? meta.UpdatedAt);
    }
}
