using System.Collections.Immutable;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Contracts.Matching;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Domain.Matching;
using AgencyPlatform.Gateway.Capacity;
using AgencyPlatform.Gateway.Clients;
using AgencyPlatform.Gateway.Cmos;
using Shortlist = AgencyPlatform.Domain.Matching.Shortlist;
using V1 = AgencyPlatform.Protocol.Matching.V1;

namespace AgencyPlatform.Gateway.Matching;

/// <summary>Several CMOs held as alternatives for one need.</summary>
internal sealed partial class MatchingService
{
    public override async Task<V1.Shortlist> CreateShortlist(V1.CreateShortlistRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var id = fields.NewId<ShortlistId>("shortlist_id", request.ShortlistId, request.RequestId);
        var wire = fields.Message("shortlist", request.Shortlist);
        var intake = fields.OptionalReference<IntakeId>("shortlist.intake", wire.Intake, agency, IntakeWire.Collection);
        var client = fields.OptionalReference<ClientCompanyId>("shortlist.client_company", wire.ClientCompany, agency, ClientsService.Collection);
        fields.Require(client is not null || intake is not null, "shortlist.client_company", "is required, or an intake that names it");
        var steps = wire.Steps.Count > 0 || intake is null ? CapacityWire.Steps("shortlist.steps", wire.Steps, fields) : [];
        fields.Require(request.Cmos.Count is >= 1 and <= Shortlist.MostOptions, "cmos", $"must be 1 to {Shortlist.MostOptions}; they are {request.Cmos.Count}");
        ImmutableArray<CmoId> cmos = [.. request.Cmos.Take(Shortlist.MostOptions).Select((name, i) => fields.Reference<CmoId>($"cmos[{i}]", name, agency, CmosService.Collection))];
        fields.Require(cmos.Distinct().Count() == cmos.Length, "cmos", "must be named once each");
        var expiry = request.HoldExpiry is null ? Shortlist.DefaultExpiry : CapacityService.Expiry(request.HoldExpiry, fields, "hold_expiry");
        var call = await calls.Mutation(context, request, fields, agency);

        var grain = grains.Of<IShortlistGrain>(agency, id.Value);
        if (await grain.HasAnswered(call))
        {
            // Of what was accepted the grain has the answer, whatever the intake and the CMOs say by now.
            var made = (await grain.Get(new Read(agency, call.SandboxNow))).OrThrow().Value;
            return ToWire(agency, await grain.Create(call, new CreateShortlist(id, made.Client, intake, made.Steps, [], expiry)), context);
        }

        if (intake is { } of)
        {
            var asked = (await grains.Of<IIntakeGrain>(agency, of.Value).Get(new Read(agency, call.SandboxNow))).OrThrow().Value;
            if (steps.IsEmpty)
            {
                steps = asked.NotReadyToMatch() is { } unready ? throw Errors.Refused(unready) : asked.Brief.Steps();
            }

            client ??= asked.Brief.Client ?? throw Errors.Invalid([new FieldViolation("shortlist.client_company", "is required: the intake names no client company")]);
        }

        var candidates = ImmutableArray.CreateBuilder<ShortlistCandidate>(cmos.Length);
        foreach (var cmo in cmos)
        {
            var known = (await grains.Of<IFractionalCmoGrain>(agency, cmo.Value).Get(new Read(agency, call.SandboxNow))).Value
                ?? throw Errors.NotFound("cmo", ResourceNames.Of(agency, CmosService.Collection, cmo.Value));
            candidates.Add(new ShortlistCandidate(cmo, (known.Profile.Expertise ?? CmoExpertise.None).Anonymous()));
        }

        return ToWire(agency, await grain.Create(call, new CreateShortlist(id, client!.Value, intake, steps, candidates.MoveToImmutable(), expiry)), context);
    }

    public override async Task<V1.Shortlist> GetShortlist(V1.GetShortlistRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<ShortlistId>("name", request.Name, MatchWire.Shortlists);
        var read = await calls.Read(context, request, fields, agency);
        var reply = await grains.Of<IShortlistGrain>(agency, id.Value).Get(read);
        return Sees(reply.Value, context) ? ToWire(agency, reply, context) : throw Errors.NotFound("shortlist", request.Name);
    }

    public override async Task<V1.ListShortlistsResponse> ListShortlists(V1.ListShortlistsRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var client = fields.OptionalReference<ClientCompanyId>("client_company", request.ClientCompany, agency, ClientsService.Collection);
        var page = Page.Of(context, request, fields);
        var read = await calls.Read(context, request, fields, agency);

        // A bound key sees its own: the filter is the key's.
        var caller = Calls.Caller(context);
        if (!caller.IsStaff)
        {
            caller.EnsureClient(client ??= caller.Client ?? default);
        }

        var (rows, next) = page.Cut(await readModels.List<ShortlistRow>(agency, page.Query<ShortlistRow>(new Filters().Equal(nameof(ShortlistRow.Client), client).All), context.CancellationToken));
        var replies = await Task.WhenAll(rows.Select(row => grains.Of<IShortlistGrain>(agency, row.Id.Value).Get(read)));
        return new V1.ListShortlistsResponse { Shortlists = { replies.Where(r => Sees(r.Value, context)).Select(r => ToWire(agency, r, context)) }, NextPageToken = next };
    }

    public override async Task<V1.Shortlist> ChooseFromShortlist(V1.ChooseFromShortlistRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<ShortlistId>("name", request.Name, MatchWire.Shortlists);
        var option = fields.Text("option_id", request.OptionId, 1);
        var call = await calls.Mutation(context, request, fields, agency);
        var grain = grains.Of<IShortlistGrain>(agency, id.Value);
        if (!Sees((await grain.Get(new Read(agency, call.SandboxNow))).Value, context) && !await grain.HasAnswered(call))
        {
            throw Errors.NotFound("shortlist", request.Name);
        }

        return ToWire(agency, await grain.Choose(call, option), context);
    }

    public override async Task<V1.Shortlist> WithdrawShortlist(V1.WithdrawShortlistRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<ShortlistId>("name", request.Name, MatchWire.Shortlists);
        var call = await calls.Mutation(context, request, fields, agency);
        return ToWire(agency, await grains.Of<IShortlistGrain>(agency, id.Value).Withdraw(call), context);
    }

    /// <summary>A client's key sees its own, once all are held: what is not whole is not there for it.</summary>
    private static bool Sees(Shortlist? shortlist, ServerCallContext context) =>
        shortlist is not null && (Calls.Caller(context) is var caller && caller.IsStaff
            || (shortlist.Client == caller.Client && shortlist.State is not (ShortlistState.Holding or ShortlistState.Refused)));

    private static V1.Shortlist ToWire(AgencyId agency, Reply<Shortlist> reply, ServerCallContext context)
    {
        var (shortlist, meta) = reply.OrThrow();
        return MatchWire.ToWire(agency, shortlist, meta, anonymous: !Calls.Caller(context).IsStaff);
    }
}
