using System.Collections.Immutable;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Contracts.Matching;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Domain.Matching;
using AgencyPlatform.Gateway.Cmos;
using MatchWeights = AgencyPlatform.Domain.Matching.MatchWeights;
using V1 = AgencyPlatform.Protocol.Matching.V1;

namespace AgencyPlatform.Gateway.Matching;

/// <summary>The service of matching.</summary>
internal sealed partial class MatchingService(Calls calls, IGrainFactory grains, IReadModels readModels, IPeopleVault vault, TimeProvider system) : V1.MatchingService.MatchingServiceBase
{
    private const int MostAsked = 1_000;
    private const int AtOnce = 16;
    private const int DefaultMatches = 20;

    /// <summary>Who is no client yet: no id is like it.</summary>
    private static readonly ClientCompanyId s_nobody = new("-");

    public override async Task<V1.MatchWeights> GetMatchWeights(V1.GetMatchWeightsRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("name", request.Name);
        var read = await calls.Read(context, request, fields, agency);
        return MatchWire.ToWire(await Weights(read));
    }

    public override async Task<V1.MatchWeights> SetMatchWeights(V1.SetMatchWeightsRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("name", request.Name);
        var weights = request.Weights is null ? null : MatchWire.Weights("weights", request.Weights, fields);
        fields.Message("weights", request.Weights);
        var call = await calls.Mutation(context, request, fields, agency);
        return MatchWire.ToWire((await grains.Of<IMatchWeightsGrain>(agency, AgencyMatchWeights.TheOne).Set(call, weights!)).OrThrow().Value);
    }

    public override async Task<V1.FindMatchesResponse> FindMatches(V1.FindMatchesRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<IntakeId>("name", request.Name, IntakeWire.Collection);
        var role = request.Role.Length == 0 ? "CMO" : fields.Text("role", request.Role, 50);
        var tried = request.Weights is null ? null : MatchWire.Weights("weights", request.Weights, fields);
        var most = request.MaxMatches == 0 ? DefaultMatches : fields.Number("max_matches", request.MaxMatches, 1, MostAsked);
        var call = await calls.Mutation(context, request, fields, agency);
        var read = new Read(agency, call.SandboxNow);
        var intake = (await grains.Of<IIntakeGrain>(agency, id.Value).Get(read)).OrThrow().Value;
        var weights = tried ?? await Weights(read);
        if ((intake.NotReadyToMatch() ?? Matcher.Refuse(intake.Brief, weights)) is { } refusal)
        {
            throw Errors.Refused(refusal);
        }

        var fence = await Fence(read, intake.Brief);
        return await Find(call, intake.Brief, weights, new BookingSpec(fence.Client, null, intake.Brief.Steps()), fence, role, [], most, await Today(read), context);
    }

    public override async Task<V1.FindMatchesResponse> FindMembers(V1.FindMembersRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<EngagementId>("name", request.Name, "engagements");
        var role = fields.Text("role", request.Role, 50);
        var brief = IntakeBrief.Empty with
        {
            Specialisms = ExpertiseWire.Words("specialisms", request.Specialisms, fields),
            MonthlyBudget = request.MonthlyBudget is null ? null : fields.Money("monthly_budget", request.MonthlyBudget, 1),
            MonthlyMinutes = fields.Number("monthly_minutes", request.MonthlyMinutes, 1, IntakeBrief.MostMonthlyMinutes, "minutes"),
            Start = fields.OptionalDate("start_date", request.StartDate),
        };
        var most = request.MaxMatches == 0 ? DefaultMatches : fields.Number("max_matches", request.MaxMatches, 1, MostAsked);
        var call = await calls.Mutation(context, request, fields, agency);
        var read = new Read(agency, call.SandboxNow);
        var engagement = (await grains.Of<IEngagementGrain>(agency, id.Value).Get(read)).OrThrow().Value;
        var today = await Today(read);
        var start = brief.Start ?? LocalDate.Max(today, engagement.Service.Start);
        if (!engagement.Service.Contains(start))
        {
            throw Errors.Invalid([new FieldViolation("start_date", $"must be a day of the engagement, {engagement.Service}; it is {start:uuuu-MM-dd}")]);
        }

        var weights = await Weights(read);
        if (Matcher.Refuse(brief, weights) is { } refusal)
        {
            throw Errors.Refused(refusal);
        }

        var fence = (await grains.Of<IClientCompanyGrain>(agency, engagement.Client.Value).GetFence(read)).OrThrow().Value;
        var spec = new BookingSpec(engagement.Client, id, [new PerPeriodStep(new DateRange(start, engagement.End), brief.MonthlyMinutes.Value, new BillCycle(start.Day, 1))]);
        return await Find(call, brief with { Start = start }, weights, spec, fence, role, [.. engagement.Plan.Members.Select(m => m.Cmo)], most, today, context);
    }

    /// <summary>Asks the CMOs of a role, a bounded number at once, and ranks them.</summary>
    /// <param name="without">Who is not asked.</param>
    private async Task<V1.FindMatchesResponse> Find(
        Call call, IntakeBrief brief, MatchWeights weights, BookingSpec spec, ClientFence fence, string role, ImmutableArray<CmoId> without, int most, LocalDate today, ServerCallContext context)
    {
        var agency = call.Agency;
        var rows = await readModels.List<CmoRow>(agency, Query.All(MostAsked + 1, Filter.Eq(nameof(CmoRow.Role), role)), context.CancellationToken);
        var asked = rows.Take(MostAsked).Where(row => !without.Contains(row.Id)).ToList();
        var candidates = new CmoCandidate[asked.Count];
        await Parallel.ForAsync(0, asked.Count, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = context.CancellationToken }, async (i, _) =>
            candidates[i] = (await grains.Of<IFractionalCmoGrain>(agency, asked[i].Id.Value).AsCandidate(call, spec, fence)).OrThrow().Value);
        var result = Matcher.Rank(brief, weights, today, candidates);

        var people = await vault.Of(agency, candidates.Select(c => c.Profile.Person), context.CancellationToken);
        var names = candidates.ToDictionary(c => c.Cmo, c => people(c.Profile.Person).DisplayName);
        return new V1.FindMatchesResponse
        {
            Matches = { result.Matches.Take(most).Select(m => MatchWire.ToWire(agency, m, names[m.Cmo])) },
            MatchCount = result.Matches.Length,
            Unmatched = { result.Unmatched.Select(u => MatchWire.ToWire(agency, u, names[u.Cmo])) },
            Removed = { result.Removed.Select(r => new V1.FindMatchesResponse.Types.Removed { Rule = r.Rule.ToWire<V1.MatchRule>(), Count = r.Count }) },
            AskedCount = asked.Count,
            MoreCmos = rows.Count > MostAsked,
            Weights = MatchWire.ToWire(weights),
        };
    }

    /// <summary>The agency's weights, or those that hold where it has set none.</summary>
    private async Task<MatchWeights> Weights(Read read) =>
        await grains.Of<IMatchWeightsGrain>(read.Agency, AgencyMatchWeights.TheOne).Get(read) switch
        {
            { Value: { } set } => set,
            { Rejection.Kind: RejectionKind.NotFound } => MatchWeights.Default,
            { Rejection: var refused } => throw Errors.Refused(refused!),
        };

    /// <summary>Whom the company names and who names it, a client or not.</summary>
    private async Task<ClientFence> Fence(Read read, IntakeBrief brief)
    {
        if (brief.Client is not { } client)
        {
            return new ClientFence(s_nobody, 0, brief.Competitors, []);
        }

        var fence = (await grains.Of<IClientCompanyGrain>(read.Agency, client.Value).GetFence(read)).OrThrow().Value;
        return fence with { Names = fence.Names.Union(brief.Competitors) };
    }

    /// <summary>The agency's today.</summary>
    private async Task<LocalDate> Today(Read read)
    {
        var agency = (await grains.Agency(read.Agency).Get(read)).OrThrow().Value;
        return (read.SandboxNow ?? Instant.FromDateTimeOffset(system.GetUtcNow())).InZone(DateTimeZoneProviders.Tzdb[agency.Settings.TimeZone]).Date;
    }
}
