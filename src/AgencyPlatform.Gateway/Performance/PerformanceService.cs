using System.Collections.Immutable;
using System.Globalization;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Contracts.Performance;
using AgencyPlatform.Domain.Performance;
using AgencyPlatform.Gateway.Engagements;
using V1 = AgencyPlatform.Protocol.Performance.V1;

namespace AgencyPlatform.Gateway.Performance;

/// <summary>The service of scorecards, results and comparisons.</summary>
internal sealed partial class PerformanceService(Calls calls, IGrainFactory grains, IReadModels readModels, TimeProvider system) : V1.PerformanceService.PerformanceServiceBase
{
    private const int MostDefined = 50;

    public override async Task<V1.Scorecard> CreateScorecard(V1.CreateScorecardRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var wire = fields.Message("scorecard", request.Scorecard);
        fields.Require(wire.Name.Length == 0, "scorecard.name", "must be left out: the engagement names it");
        fields.Require(wire.Etag.Length == 0, "scorecard.etag", "must be left out: there is none yet");
        var engagement = fields.Reference<EngagementId>("scorecard.engagement", wire.Engagement, agency, "engagements");
        var zone = wire.TimeZone.Length == 0 ? "" : fields.TimeZone("scorecard.time_zone", wire.TimeZone);
        Currency? currency = wire.Currency.Length == 0 ? null : fields.Currency("scorecard.currency", wire.Currency);
        var call = await calls.Mutation(context, request, fields, agency);
        return PerformanceWire.ToWire(agency, await Grain(agency, engagement).Create(call, engagement, zone, currency));
    }

    public override async Task<V1.Scorecard> GetScorecard(V1.GetScorecardRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = Name("name", request.Name, fields);
        var read = await calls.Read(context, request, fields, agency);
        await EnsureSeen(context, read, id);
        return PerformanceWire.ToWire(agency, await Grain(agency, id).Get(read));
    }

    public override async Task<V1.ListScorecardsResponse> ListScorecards(V1.ListScorecardsRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var page = Page.Of(context, request, fields);
        await calls.Read(context, request, fields, agency);
        var (rows, next) = page.Cut(await readModels.List<ScorecardRow>(agency, page.Query<ScorecardRow>(), context.CancellationToken));
        return new V1.ListScorecardsResponse { Scorecards = { rows.Select(r => ResourceNames.Of(agency, PerformanceWire.Collection, r.Engagement.Value)) }, NextPageToken = next };
    }

    public override async Task<V1.Scorecard> DefineKpis(V1.DefineKpisRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = Name("name", request.Name, fields);
        fields.Require(request.Kpis.Count is >= 1 and <= MostDefined, "kpis", $"must be 1 to {MostDefined}; they are {request.Kpis.Count}");
        var kpis = request.Kpis.Take(MostDefined).Select((k, i) => fields.Definition($"kpis[{i}]", k)).ToImmutableArray();
        var call = await calls.Mutation(context, request, fields, agency);
        return PerformanceWire.ToWire(agency, await Grain(agency, id).Define(call, new DefineKpis(kpis)));
    }

    public override async Task<V1.Scorecard> SetKpiTarget(V1.SetKpiTargetRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = Name("name", request.Name, fields);
        var command = new SetKpiTarget(
            fields.Id<KpiId>("kpi_id", request.KpiId), fields.Month("month", request.Month), fields.Number("target", request.Target), fields.Number("benchmark", request.Benchmark),
            request.TolerancePercent.Length == 0 ? 0 : fields.Percent("tolerance_percent", request.TolerancePercent),
            request.Owner.Length == 0 ? Scorecard.DefaultOwner : fields.Text("owner", request.Owner, Scorecard.LongestName),
            request.DueDays == 0 ? Scorecard.DefaultDueDays : fields.Number("due_days", request.DueDays, 1, 366, "days"));
        var call = await calls.Mutation(context, request, fields, agency);
        return PerformanceWire.ToWire(agency, await Grain(agency, id).SetTarget(call, command));
    }

    public override async Task<V1.RecordKpiValuesResponse> RecordKpiValues(V1.RecordKpiValuesRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = Name("name", request.Name, fields);
        fields.Require(request.Values.Count is >= 1 and <= Scorecard.MostAtOnce, "values", $"must be 1 to {Scorecard.MostAtOnce}; they are {request.Values.Count}");
        var entries = request.Values.Take(Scorecard.MostAtOnce).Select((v, i) => fields.Entry($"values[{i}]", v)).ToImmutableArray();
        var call = await calls.Mutation(context, request, fields, agency);
        await EnsureSeen(context, call, id);
        return new V1.RecordKpiValuesResponse { Scorecard = PerformanceWire.ToWire(agency, await Grain(agency, id).Record(call, new RecordKpiValues(entries))) };
    }

    public override async Task<V1.RecordKpiValuesResponse> ImportKpiValues(V1.ImportKpiValuesRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = Name("name", request.Name, fields);
        var (lines, entries) = (new List<int>(), ImmutableArray.CreateBuilder<KpiEntry>());
        foreach (var (line, wire) in KpiFile.Read(request.Csv, Scorecard.MostAtOnce, fields))
        {
            // The API's own rules of a field, by the file's own names of its columns.
            var cells = new Fields();
            entries.Add(cells.Entry("row", wire));
            lines.Add(line);
            foreach (var wrong in cells.Violations)
            {
                fields.Add("csv", KpiFile.Named(line, wrong.Field["row.".Length..], wrong.Description));
            }
        }

        var call = await calls.Mutation(context, request, fields, agency);
        await EnsureSeen(context, call, id);
        var reply = await Grain(agency, id).Record(call, new RecordKpiValues(entries.ToImmutable()));
        return reply.Rejection is { Kind: RejectionKind.Invalid } invalid
            ? throw Errors.Invalid([.. invalid.Fields.Select(v => new FieldViolation("csv", InFile(v)))])
            : new V1.RecordKpiValuesResponse { Scorecard = PerformanceWire.ToWire(agency, reply) };

        string InFile(FieldViolation violation)
        {
            var end = violation.Field.IndexOf(']', StringComparison.Ordinal);
            return KpiFile.Named(lines[int.Parse(violation.Field["values[".Length..end], CultureInfo.InvariantCulture)], violation.Field[(end + 2)..], violation.Description);
        }
    }

    public override async Task<V1.ListKpiValuesResponse> ListKpiValues(V1.ListKpiValuesRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = Name("parent", request.Parent, fields);
        var page = Page.Of(context, request, fields);
        KpiId? kpi = request.KpiId.Length == 0 ? null : fields.Id<KpiId>("kpi_id", request.KpiId);
        LocalDate? start = request.StartMonth is null ? null : fields.Month("start_month", request.StartMonth);
        LocalDate? end = request.EndMonth is null ? null : fields.Month("end_month", request.EndMonth);
        var read = await calls.Read(context, request, fields, agency);
        await EnsureSeen(context, read, id);
        var scorecard = (await Grain(agency, id).Get(read)).OrThrow().Value;
        var keys = scorecard.Values.Keys.Where(k => Scorecard.Parts(k) is var (of, month, _) && (kpi is null || of == kpi) && !(month < start) && !(month >= end));
        var (items, next) = page.Cut(keys, k => k);
        return new V1.ListKpiValuesResponse { Values = { items.Select(k => PerformanceWire.ToWire(scorecard, k)) }, NextPageToken = next };
    }

    public override async Task<V1.Scorecard> CloseKpiPeriod(V1.CloseKpiPeriodRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = Name("name", request.Name, fields);
        var month = fields.Month("month", request.Month);
        var call = await calls.Mutation(context, request, fields, agency);
        return PerformanceWire.ToWire(agency, await Grain(agency, id).Close(call, new CloseKpiPeriod(month)));
    }

    public override async Task<V1.Commitment> CreateCommitment(V1.CreateCommitmentRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = Name("parent", request.Parent, fields);
        var commitment = fields.NewId<CommitmentId>("commitment_id", request.CommitmentId, request.RequestId);
        var wire = fields.Message("commitment", request.Commitment);
        fields.Require(wire.Name.Length == 0, "commitment.name", "must be left out: commitment_id says it");
        var command = new MakeCommitment(
            commitment, fields.LongText("commitment.text", wire.Text, Scorecard.LongestText, required: true), fields.Text("commitment.owner", wire.Owner, Scorecard.LongestName),
            fields.Date("commitment.due_date", wire.DueDate));
        var call = await calls.Mutation(context, request, fields, agency);
        await EnsureSeen(context, call, id);
        return Commitment(agency, id, commitment, await Grain(agency, id).Make(call, command));
    }

    public override async Task<V1.Commitment> ResolveCommitment(V1.ResolveCommitmentRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id, commitment) = fields.Name<EngagementId, CommitmentId>("name", request.Name, PerformanceWire.Collection, "commitments");
        var state = fields.Enum<V1.CommitmentState, CommitmentState>("state", request.State);
        fields.Require(fields.Has("state") || state != CommitmentState.Open, "state", "must be COMMITMENT_STATE_KEPT or COMMITMENT_STATE_DROPPED");
        var note = fields.LongText("note", request.Note, Scorecard.LongestText);
        var call = await calls.Mutation(context, request, fields, agency);
        await EnsureSeen(context, call, id);
        return Commitment(agency, id, commitment, await Grain(agency, id).Resolve(call, new ResolveCommitment(commitment, state, note)));
    }

    public override async Task<V1.Scorecard> GivePulse(V1.GivePulseRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = Name("name", request.Name, fields);
        var wire = fields.Message("pulse", request.Pulse);
        var quarter = fields.Month("pulse.quarter", wire.Quarter);
        fields.Require(fields.Has("pulse.quarter") || quarter.Month % 3 == 1, "pulse.quarter", $"must be the first day of January, April, July or October; it is {quarter:uuuu-MM-dd}");
        var command = new GivePulse(
            quarter, fields.Number("pulse.score", wire.Score, 1, 10), fields.Text("pulse.sentence", wire.Sentence, Scorecard.LongestSentence));
        var call = await calls.Mutation(context, request, fields, agency);
        await EnsureSeen(context, call, id);
        return PerformanceWire.ToWire(agency, await Grain(agency, id).Give(call, command));
    }

    public override async Task<V1.ListCommitmentsResponse> ListCommitments(V1.ListCommitmentsRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var page = Page.Of(context, request, fields);
        var engagement = fields.OptionalReference<EngagementId>("engagement", request.Engagement, agency, "engagements");
        CommitmentState? state = request.State == V1.CommitmentState.Unspecified ? null : fields.Enum<V1.CommitmentState, CommitmentState>("state", request.State);
        var due = fields.OptionalDate("due_before_date", request.DueBeforeDate);
        fields.Require(Calls.Caller(context).IsStaff || engagement is not null, "engagement", "must be named with a key of a client company or CMO");
        var read = await calls.Read(context, request, fields, agency);
        if (engagement is { } one)
        {
            await grains.Of<IEngagementGrain>(agency, one.Value).EnsureSeen(context, read, request.Engagement);
        }

        var filters = new Filters().Equal(nameof(CommitmentRow.Engagement), engagement).Equal(nameof(CommitmentRow.State), state).Between(nameof(CommitmentRow.Due), null, due);
        var (rows, next) = page.Cut(await readModels.List<CommitmentRow>(agency, page.Query<CommitmentRow>(filters.All), context.CancellationToken));
        return new V1.ListCommitmentsResponse
        {
            Commitments = { rows.Select(r => PerformanceWire.ToWire(agency, r.Engagement, new Domain.Performance.Commitment(r.Id, r.Text, r.Responsible, r.Due, r.State, r.Kpi, r.Month, r.Note))) },
            NextPageToken = next,
        };
    }

    private IScorecardGrain Grain(AgencyId agency, EngagementId id) => grains.Of<IScorecardGrain>(agency, id.Value);

    private static (AgencyId Agency, EngagementId Id) Name(string path, string name, Fields fields) => fields.Name<EngagementId>(path, name, PerformanceWire.Collection);

    private static V1.Commitment Commitment(AgencyId agency, EngagementId id, CommitmentId commitment, Reply<Scorecard> reply) =>
        PerformanceWire.ToWire(agency, id, reply.OrThrow().Value.Commitments[commitment]);

    /// <summary>Of an engagement that the caller does not see there is no scorecard.</summary>
    /// <exception cref="RpcException">NOT_FOUND.</exception>
    private async Task EnsureSeen(ServerCallContext context, Read read, EngagementId id, Call? call = null)
    {
        var caller = Calls.Caller(context);
        if (!caller.IsStaff && ((await grains.Of<IEngagementGrain>(read.Agency, id.Value).Get(read with { MinVersion = null })).Value is not { } engagement || !caller.Sees(engagement))
            && !(call is not null && await Grain(read.Agency, id).HasAnswered(call)))
        {
            throw Errors.NotFound(Scorecard.Kind, id.Value);
        }
    }

    private Task EnsureSeen(ServerCallContext context, Call call, EngagementId id) => EnsureSeen(context, new Read(call.Agency, call.SandboxNow), id, call);
}
