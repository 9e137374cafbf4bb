using AgencyPlatform.Gateway.Capacity;
using AgencyPlatform.Gateway.Clients;
using AgencyPlatform.Gateway.Cmos;
using Match = AgencyPlatform.Domain.Matching.Match;
using MatchWeights = AgencyPlatform.Domain.Matching.MatchWeights;
using Shortlist = AgencyPlatform.Domain.Matching.Shortlist;
using Unmatched = AgencyPlatform.Domain.Matching.Unmatched;
using V1 = AgencyPlatform.Protocol.Matching.V1;

namespace AgencyPlatform.Gateway.Matching;

/// <summary>Matches and shortlists between the wire and the domain.</summary>
internal static class MatchWire
{
    public const string Shortlists = "shortlists";

    public static MatchWeights Weights(string path, V1.MatchWeights wire, Fields fields)
    {
        var weights = new MatchWeights(wire.Stage, wire.Headcount, wire.Industry, wire.Specialism, wire.Years, wire.Budget, wire.Timeline, wire.Style);
        foreach (var violation in weights.Violations(path).Where(v => !fields.Has(v.Field)))
        {
            fields.Add(violation.Field, violation.Description);
        }

        return weights;
    }

    public static V1.MatchWeights ToWire(MatchWeights weights) => new()
    {
        Stage = weights.Stage,
        Headcount = weights.Headcount,
        Industry = weights.Industry,
        Specialism = weights.Specialism,
        Years = weights.Years,
        Budget = weights.Budget,
        Timeline = weights.Timeline,
        Style = weights.Style,
    };

    public static V1.Match ToWire(AgencyId agency, Match match, string displayName) => new()
    {
        Cmo = ResourceNames.Of(agency, CmosService.Collection, match.Cmo.Value),
        DisplayName = displayName,
        Score = match.Score,
        Reasons =
        {
            match.Reasons.Select(r => new V1.Match.Types.Reason { Part = r.Part.ToWire<V1.MatchPart>(), Points = r.Points, MostPoints = r.MostPoints, Why = r.Why }),
        },
        MonthlyCost = match.MonthlyCost?.ToWire(),
    };

    public static V1.Unmatched ToWire(AgencyId agency, Unmatched unmatched, string displayName) => new()
    {
        Cmo = ResourceNames.Of(agency, CmosService.Collection, unmatched.Cmo.Value),
        DisplayName = displayName,
        Failures =
        {
            unmatched.Failures.Select(f => new V1.Unmatched.Types.Failure
            {
                Rule = f.Rule.ToWire<V1.MatchRule>(),
                Why = f.Why,
                Refusal = f.Refusal is { } refusal ? CapacityWire.ToWire(agency, unmatched.Cmo, refusal) : null,
            }),
        },
    };

    /// <param name="anonymous">For a client: not who the options are.</param>
    public static V1.Shortlist ToWire(AgencyId agency, Shortlist shortlist, Meta meta, bool anonymous) => new()
    {
        Name = ResourceNames.Of(agency, Shortlists, shortlist.Id.Value),
        Uid = meta.Uid.ToString(),
        Version = meta.Version,
        CreateTime = meta.CreatedAt.ToWire(),
        UpdateTime = meta.UpdatedAt.ToWire(),
        ClientCompany = ResourceNames.Of(agency, ClientsService.Collection, shortlist.Client.Value),
        Intake = shortlist.Intake is { } intake && !anonymous ? ResourceNames.Of(agency, IntakeWire.Collection, intake.Value) : "",
        Steps = { shortlist.Steps.Select(CapacityWire.ToWire) },
        Options =
        {
            shortlist.Options.Select(o => new V1.Shortlist.Types.Option
            {
                OptionId = o.Id,
                Cmo = anonymous ? "" : ResourceNames.Of(agency, CmosService.Collection, o.Cmo.Value),
                Booking = anonymous ? "" : CapacityWire.BookingName(agency, o.Cmo, o.Booking),
                State = o.State.ToWire<V1.Shortlist.Types.Option.Types.State>(),
                Expertise = ExpertiseWire.ToWire(o.Profile),
            }),
        },
        State = shortlist.State.ToWire<V1.Shortlist.Types.State>(),
        ExpireTime = shortlist.ExpiresAt.ToWire(),
    };
}
