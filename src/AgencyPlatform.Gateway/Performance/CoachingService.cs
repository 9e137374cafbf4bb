using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Contracts.Performance;
using AgencyPlatform.Domain.Performance;
using AgencyPlatform.Gateway.Engagements;
using V1 = AgencyPlatform.Protocol.Performance.V1;

namespace AgencyPlatform.Gateway.Performance;

/// <summary>The service of coaching programmes.</summary>
internal sealed class CoachingService(Calls calls, IGrainFactory grains, IReadModels readModels) : V1.CoachingService.CoachingServiceBase
{
    private const string Collection = "coachingProgrammes";

    public override async Task<V1.CoachingProgramme> CreateCoachingProgramme(V1.CreateCoachingProgrammeRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var id = fields.NewId<CoachingProgrammeId>("coaching_programme_id", request.CoachingProgrammeId, request.RequestId);
        var wire = fields.Message("coaching_programme", request.CoachingProgramme);
        fields.Require(wire.Name.Length == 0, "coaching_programme.name", "must be left out: coaching_programme_id says it");
        var engagement = fields.Reference<EngagementId>("coaching_programme.engagement", wire.Engagement, agency, "engagements");
        var title = fields.Text("coaching_programme.title", wire.Title, Scorecard.LongestName);
        var goal = fields.LongText("coaching_programme.goal", wire.Goal, CoachingProgramme.LongestText);
        var call = await calls.Mutation(context, request, fields, agency);
        await grains.Of<IEngagementGrain>(agency, engagement.Value).EnsureSeen(context, call, wire.Engagement);
        return ToWire(agency, await Grain(agency, id).Start(call, id, engagement, title, goal));
    }

    public override async Task<V1.CoachingProgramme> GetCoachingProgramme(V1.GetCoachingProgrammeRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = Name(request.Name, fields);
        var read = await calls.Read(context, request, fields, agency);
        await EnsureSeen(context, read, id);
        return ToWire(agency, await Grain(agency, id).Get(read));
    }

    public override async Task<V1.ListCoachingProgrammesResponse> ListCoachingProgrammes(V1.ListCoachingProgrammesRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var page = Page.Of(context, request, fields);
        var engagement = fields.OptionalReference<EngagementId>("engagement", request.Engagement, agency, "engagements");
        fields.Require(Calls.Caller(context).IsStaff || engagement is not null, "engagement", "must be named with a key of a client company or CMO");
        var read = await calls.Read(context, request, fields, agency);
        if (engagement is { } one)
        {
            await grains.Of<IEngagementGrain>(agency, one.Value).EnsureSeen(context, read, request.Engagement);
        }

        var filters = new Filters().Equal(nameof(CoachingProgrammeRow.Engagement), engagement);
        var (rows, next) = page.Cut(await readModels.List<CoachingProgrammeRow>(agency, page.Query<CoachingProgrammeRow>(filters.All), context.CancellationToken));
        return new V1.ListCoachingProgrammesResponse { CoachingProgrammes = { rows.Select(r => ResourceNames.Of(agency, Collection, r.Id.Value)) }, NextPageToken = next };
    }

    public override async Task<V1.CoachingProgramme> PutCoachingMaterial(V1.PutCoachingMaterialRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = Name(request.Name, fields);
        var wire = fields.Message("material", request.Material);
        var material = new CoachingMaterial(
            fields.Id<CoachingMaterialId>("material.material_id", wire.MaterialId), fields.Text("material.title", wire.Title, Scorecard.LongestName),
            fields.Text("material.location", wire.Location, Scorecard.LongestText, required: false));
        var call = await calls.Mutation(context, request, fields, agency);
        await EnsureSeen(context, call, id);
        return ToWire(agency, await Grain(agency, id).Put(call, material));
    }

    public override async Task<V1.CoachingProgramme> PlanCoachingSession(V1.PlanCoachingSessionRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = Name(request.Name, fields);
        var wire = fields.Message("session", request.Session);
        var command = new PlanCoachingSession(
            fields.Id<CoachingSessionId>("session.session_id", wire.SessionId), fields.Date("session.date", wire.Date), fields.MinutesOfDay("session.minutes", wire.Minutes, 1),
            fields.Text("session.topic", wire.Topic, Scorecard.LongestName));
        var call = await calls.Mutation(context, request, fields, agency);
        await EnsureSeen(context, call, id);
        return ToWire(agency, await Grain(agency, id).Plan(call, command));
    }

    public override async Task<V1.CoachingProgramme> HoldCoachingSession(V1.HoldCoachingSessionRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = Name(request.Name, fields);
        var session = fields.Id<CoachingSessionId>("session_id", request.SessionId);
        fields.Require(request.Commitments.Count <= CoachingProgramme.MostAtOnce, "commitments", $"must be at most {CoachingProgramme.MostAtOnce}; they are {request.Commitments.Count}");
        var command = new HoldCoachingSession(
            session, fields.LongText("notes", request.Notes, CoachingProgramme.LongestText),
            [.. request.Commitments.Take(CoachingProgramme.MostAtOnce).Select((c, i) => Commitment($"commitments[{i}]", c, session, fields))]);
        var call = await calls.Mutation(context, request, fields, agency);
        await EnsureSeen(context, call, id);
        return ToWire(agency, await Grain(agency, id).Hold(call, command));
    }

    public override async Task<V1.CoachingProgramme> CancelCoachingSession(V1.CancelCoachingSessionRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = Name(request.Name, fields);
        var command = new CancelCoachingSession(fields.Id<CoachingSessionId>("session_id", request.SessionId), fields.LongText("reason", request.Reason, Scorecard.LongestText));
        var call = await calls.Mutation(context, request, fields, agency);
        await EnsureSeen(context, call, id);
        return ToWire(agency, await Grain(agency, id).Cancel(call, command));
    }

    public override async Task<V1.CoachingProgramme> FollowUpCommitment(V1.FollowUpCommitmentRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = Name(request.Name, fields);
        var commitment = fields.Id<CommitmentId>("commitment_id", request.CommitmentId);
        var state = fields.Enum<V1.CommitmentState, CommitmentState>("state", request.State);
        fields.Require(fields.Has("state") || state != CommitmentState.Open, "state", "must be COMMITMENT_STATE_KEPT or COMMITMENT_STATE_DROPPED");
        var command = new ResolveCommitment(commitment, state, fields.LongText("note", request.Note, Scorecard.LongestText));
        var call = await calls.Mutation(context, request, fields, agency);
        await EnsureSeen(context, call, id);
        return ToWire(agency, await Grain(agency, id).FollowUp(call, command));
    }

    public override async Task<V1.CoachingProgramme> EndCoachingProgramme(V1.EndCoachingProgrammeRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = Name(request.Name, fields);
        var call = await calls.Mutation(context, request, fields, agency);
        await EnsureSeen(context, call, id);
        return ToWire(agency, await Grain(agency, id).End(call));
    }

    private ICoachingProgrammeGrain Grain(AgencyId agency, CoachingProgrammeId id) => grains.Of<ICoachingProgrammeGrain>(agency, id.Value);

    private static (AgencyId Agency, CoachingProgrammeId Id) Name(string name, Fields fields) => fields.Name<CoachingProgrammeId>("name", name, Collection);

    private static SessionCommitment Commitment(string path, V1.SessionCommitment wire, CoachingSessionId session, Fields fields) => new(
        fields.Id<CommitmentId>(path + ".commitment_id", wire.CommitmentId), session, fields.LongText(path + ".text", wire.Text, Scorecard.LongestText, required: true),
        fields.Text(path + ".owner", wire.Owner, Scorecard.LongestName), fields.Date(path + ".due_date", wire.DueDate));

    /// <summary>Of an engagement that the caller does not see there is no programme.</summary>
    /// <exception cref="RpcException">NOT_FOUND.</exception>
    private async Task EnsureSeen(ServerCallContext context, Read read, CoachingProgrammeId id, Call? call = null)
    {
        var caller = Calls.Caller(context);
        if (!caller.IsStaff
            && ((await Grain(read.Agency, id).Get(read)).Value is not { } programme
                || (await grains.Of<IEngagementGrain>(read.Agency, programme.Engagement.Value).Get(read)).Value is not { } engagement || !caller.Sees(engagement))
            && !(call is not null && await Grain(read.Agency, id).HasAnswered(call)))
        {
            throw Errors.NotFound(CoachingProgramme.Kind, id.Value);
        }
    }

    private Task EnsureSeen(ServerCallContext context, Call call, CoachingProgrammeId id) => EnsureSeen(context, new Read(call.Agency, call.SandboxNow), id, call);

    private static V1.CoachingProgramme ToWire(AgencyId agency, Reply<CoachingProgramme> reply)
    {
        var (p, meta) = reply.OrThrow();
        return new V1.CoachingProgramme
        {
            Name = ResourceNames.Of(agency, Collection, p.Id.Value),
            Uid = meta.Uid.ToString(),
            Etag = Etags.Of(meta),
            Version = meta.Version,
            CreateTime = meta.CreatedAt.ToWire(),
            UpdateTime = meta.UpdatedAt.ToWire(),
            Engagement = ResourceNames.Of(agency, "engagements", p.Engagement.Value),
            Title = p.Title,
            Goal = p.Goal,
            Material = { p.Material.Values.Select(m => new V1.CoachingMaterial { MaterialId = m.Id.Value, Title = m.Title, Location = m.Location }) },
            Sessions =
            {
                p.Sessions.Values.OrderBy(s => s.Date).ThenBy(s => s.Id).Select(s => new V1.CoachingSession
                {
                    SessionId = s.Id.Value,
                    Date = s.Date.ToWire(),
                    Minutes = s.Minutes,
                    Topic = s.Topic,
                    State = s.State.ToWire<V1.CoachingSessionState>(),
                    Notes = s.Notes,
                }),
            },
            Commitments =
            {
                p.Commitments.Values.Select(c => new V1.SessionCommitment
                {
                    CommitmentId = c.Id.Value,
                    Text = c.Text,
                    Owner = c.Owner,
                    DueDate = c.Due.ToWire(),
                    SessionId = c.Session.Value,
                    State = c.State.ToWire<V1.CommitmentState>(),
                    Note = c.Note,
                }),
            },
            ToFollowUp = { p.ToFollowUp().Select(c => c.Id.Value) },
            Ended = p.Ended,
        };
    }
}
