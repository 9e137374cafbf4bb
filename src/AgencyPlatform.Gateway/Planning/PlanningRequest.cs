using System.Collections.Immutable;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Gateway.Capacity;
using AgencyPlatform.Gateway.Clients;
using AgencyPlatform.Gateway.Cmos;
using AgencyPlatform.Planning.Portfolio;
using V1 = AgencyPlatform.Protocol.Planning.V1;

namespace AgencyPlatform.Gateway.Planning;

/// <summary>What a plan is asked for, before the facts are known.</summary>
/// <param name="Effort">The solver's own measure; null: only time ends the search.</param>
internal sealed record PlanningRequest(
    ImmutableArray<PlanningRequest.Need> Needs, ImmutableArray<WhatIf> WhatIfs, ImmutableArray<ClientBudget> Budgets, int MarkupPercent, TimeSpan Limit, int Seed, double? Effort)
{
    public const int MostNeeds = 500;
    private const int MostBudgets = 500;
    private const int MostEffort = 1_000_000;
    private const int MostSeconds = 60;
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    /// <param name="Spec">Null with <paramref name="Today"/>, whose booking's it is.</param>
    /// <param name="OtherScore">Null: only those who are named.</param>
    public sealed record Need(
        string Id, BookingSpec? Spec, StandingBooking? Today, int MovePoints, bool Required, int Priority, Money? MonthlyBudget, string Role, ImmutableSortedDictionary<CmoId, int> Scores,
        int? OtherScore, ImmutableSortedSet<CmoId> Excluded, bool FencesIndustry);

    /// <summary>Every CMO that the request names.</summary>
    public IEnumerable<CmoId> Cmos => Needs.SelectMany(n => n.Scores.Keys.Concat(n.Excluded)).Concat(WhatIfs.Select(w => w.Cmo)).Distinct().Order();

    public static PlanningRequest Read(V1.PlanPortfolioRequest request, AgencyId agency, Fields fields)
    {
        fields.Require(request.Needs.Count is >= 1 and <= MostNeeds, "needs", $"must be 1 to {MostNeeds}; they are {request.Needs.Count}");
        fields.Require(request.WhatIfs.Count <= MostNeeds, "what_ifs", $"must be at most {MostNeeds}; they are {request.WhatIfs.Count}");
        fields.Require(request.ClientBudgets.Count <= MostBudgets, "client_budgets", $"must be at most {MostBudgets}; they are {request.ClientBudgets.Count}");
        var (ids, changed, budgeted) = (new HashSet<string>(StringComparer.Ordinal), new HashSet<CmoId>(), new HashSet<(ClientCompanyId, Currency)>());
        return new PlanningRequest(
            [.. request.Needs.Take(MostNeeds).Select((need, i) => Read($"needs[{i}]", need, agency, ids, fields))],
            [.. request.WhatIfs.Take(MostNeeds).Select((whatIf, i) => Read($"what_ifs[{i}]", whatIf, agency, changed, fields))],
            [.. request.ClientBudgets.Take(MostBudgets).Select((budget, i) => Read($"client_budgets[{i}]", budget, agency, budgeted, fields))],
            fields.Number("markup_percent", request.MarkupPercent, 0, PortfolioInputs.MostMarkupPercent),
            TimeLimit("time_limit", request.TimeLimit, fields),
            fields.Number("seed", request.Seed, 0, int.MaxValue),
            fields.Number("effort_limit", request.EffortLimit, 0, MostEffort) is > 0 and var effort ? effort / 1e3 : null);
    }

    /// <summary>An id that this request has not had yet.</summary>
    public static string NeedId(string path, string id, HashSet<string> ids, Fields fields)
    {
        fields.Require(IdSyntax.IsValid(id), path, $"must be {IdSyntax.Rule}");
        fields.Require(fields.Has(path) || ids.Add(id), path, "must be there once");
        return id;
    }

    /// <summary>A booking that stands; null when empty.</summary>
    public static StandingBooking? Today(string path, string name, AgencyId agency, Fields fields)
    {
        if (name.Length == 0)
        {
            return null;
        }

        var (of, cmo, booking) = fields.Name<CmoId, BookingId>(path, name, CmosService.Collection, "bookings");
        fields.Require(fields.Has(path) || of == agency || string.IsNullOrEmpty(agency.Value), path, $"must be of the same agency, agencies/{agency}");
        return new StandingBooking(cmo, booking);
    }

    private static TimeSpan TimeLimit(string path, Google.Protobuf.WellKnownTypes.Duration? wire, Fields fields)
    {
        if (wire is null)
        {
            return s_limit;
        }

        var good = wire.Seconds is >= 0 and <= MostSeconds && wire.Nanos is >= 0 and <= 999_999_999;
        var limit = good ? wire.ToTimeSpan() : TimeSpan.Zero;
        fields.Require(limit > TimeSpan.Zero && limit <= TimeSpan.FromSeconds(MostSeconds), path, $"must be above 0 and at most {MostSeconds} seconds");
        return limit;
    }

    private static Need Read(string path, V1.Need wire, AgencyId agency, HashSet<string> ids, Fields fields)
    {
        var id = NeedId($"{path}.need_id", wire.NeedId, ids, fields);
        var today = Today($"{path}.today_booking", wire.TodayBooking, agency, fields);
        fields.Require(today is null || wire.Booking is null, $"{path}.booking", "must be left out with today_booking, whose steps are the need's");
        fields.Require(today is not null || wire.MovePoints == 0, $"{path}.move_points", "goes with today_booking only");
        var scores = ImmutableSortedDictionary.CreateBuilder<CmoId, int>();
        foreach (var (i, preference) in wire.Preferences.Index())
        {
            var cmo = fields.Reference<CmoId>($"{path}.preferences[{i}].cmo", preference.Cmo, agency, CmosService.Collection);
            var score = fields.Number($"{path}.preferences[{i}].score", preference.Score, 0, PortfolioNeed.MostScore);
            fields.Require(fields.Has($"{path}.preferences[{i}].cmo") || scores.TryAdd(cmo, score), $"{path}.preferences[{i}].cmo", "must be named once");
        }

        fields.Require(!wire.OnlyPreferred || wire.OtherScore == 0, $"{path}.other_score", "goes without only_preferred");
        return new Need(
            id,
            today is null ? CapacityWire.Spec($"{path}.booking", fields.Message($"{path}.booking", wire.Booking), agency, fields) : null,
            today,
            fields.Number($"{path}.move_points", wire.MovePoints, 0, PortfolioNeed.MostMovePoints),
            wire.Required,
            wire.Priority == 0 ? 1 : fields.Number($"{path}.priority", wire.Priority, 1, PortfolioNeed.MostPriority),
            wire.MonthlyBudget is null ? null : fields.Money($"{path}.monthly_budget", wire.MonthlyBudget),
            fields.Text($"{path}.role", wire.Role, 64, required: false),
            scores.ToImmutable(),
            wire.OnlyPreferred ? null : fields.Number($"{path}.other_score", wire.OtherScore, 0, PortfolioNeed.MostScore),
            [.. wire.ExcludedCmos.Select((cmo, i) => fields.Reference<CmoId>($"{path}.excluded_cmos[{i}]", cmo, agency, CmosService.Collection))],
            wire.FencesIndustry);
    }

    private static WhatIf Read(string path, V1.WhatIf wire, AgencyId agency, HashSet<CmoId> changed, Fields fields)
    {
        var cmo = fields.Reference<CmoId>($"{path}.cmo", wire.Cmo, agency, CmosService.Collection);
        fields.Require(fields.Has($"{path}.cmo") || changed.Add(cmo), $"{path}.cmo", "must be named once");
        return new WhatIf(
            cmo,
            wire.LeftOut,
            wire.WorkingPattern is null ? null : CmosService.Pattern($"{path}.working_pattern", wire.WorkingPattern, fields),
            wire.MaxClients == 0 ? null : fields.Number($"{path}.max_clients", wire.MaxClients, 1, 100),
            fields.OptionalDate($"{path}.leave_date", wire.LeaveDate));
    }

    private static ClientBudget Read(string path, V1.ClientBudget wire, AgencyId agency, HashSet<(ClientCompanyId, Currency)> budgeted, Fields fields)
    {
        var client = fields.Reference<ClientCompanyId>($"{path}.client_company", wire.ClientCompany, agency, ClientsService.Collection);
        var monthly = fields.Money($"{path}.monthly", wire.Monthly);
        fields.Require(fields.Has($"{path}.client_company") || budgeted.Add((client, monthly.Currency)), $"{path}.client_company", "must be named once a currency");
        return new ClientBudget(client, monthly);
    }
}
