using System.Collections.Immutable;
using AgencyPlatform.Gateway.Capacity;
using AgencyPlatform.Gateway.Cmos;
using AgencyPlatform.Planning;
using AgencyPlatform.Planning.Portfolio;
using Google.Protobuf.WellKnownTypes;
using PassedOver = AgencyPlatform.Planning.PassedOver;
using V1 = AgencyPlatform.Protocol.Planning.V1;

namespace AgencyPlatform.Gateway.Planning;

/// <summary>Plans on the wire.</summary>
internal static class PlanningWire
{
    private const int MostRuledOut = 20;
    private const int MostRules = 100;

    public static V1.PlanProgress ToWire(PlanProgress progress) => new()
    {
        Elapsed = progress.Elapsed.ToDuration(),
        HasPlan = progress.Points is not null,
        Points = progress.Points ?? 0,
        Bound = progress.Bound,
        Gap = Gap(progress.Gap),
        Placed = progress.Placed,
    };

    public static V1.PortfolioPlan ToWire(AgencyId agency, PortfolioInputs inputs, PlanProblem problem, PlanAnswer answer, ImmutableArray<PlanReason> reasons, TimeSpan elapsed)
    {
        var plan = new V1.PortfolioPlan
        {
            Status = answer.Status.ToWire<V1.PortfolioPlan.Types.Status>(),
            Points = answer.Points,
            Bound = answer.Bound,
            Gap = answer.HasPlan ? Gap(answer.Gap) : "",
            Elapsed = elapsed.ToDuration(),
        };
        foreach (var reason in reasons)
        {
            if (reason.Cmo is { } cmo)
            {
                plan.Assignments.Add(Assignment(agency, inputs, reason, cmo));
            }
            else
            {
                plan.LeftOut.Add(LeftOut(agency, inputs, problem.Needs[reason.Need], reason));
            }
        }

        if (answer.Conflict is { } conflict)
        {
            plan.Conflict = new V1.Conflict
            {
                Message = conflict.ToString(),
                Rules =
                {
                    conflict.Rules.Take(MostRules).Select(r => new V1.ConflictingRule
                    {
                        Rule = ToWire(r.Rule),
                        NeedIds = { r.Needs.Select(n => inputs.Needs[n].Id) },
                        Cmo = r.Cmo is { } k ? CmoName(agency, inputs, k) : "",
                        Message = r.Message,
                    }),
                },
                Smallest = conflict.IsSmallest,
            };
        }

        return plan;
    }

    private static V1.Assignment Assignment(AgencyId agency, PortfolioInputs inputs, PlanReason reason, int cmo)
    {
        var need = inputs.Needs[reason.Need];
        return new V1.Assignment
        {
            NeedId = need.Id,
            Cmo = CmoName(agency, inputs, cmo),
            Booking = new Protocol.Capacity.V1.Booking
            {
                ClientCompany = ResourceNames.Of(agency, "clientCompanies", need.Spec.Client.Value),
                Engagement = need.Spec.Engagement is { } engagement ? ResourceNames.Of(agency, "engagements", engagement.Value) : "",
                Steps = { need.Spec.Steps.Select(CapacityWire.ToWire) },
            },
            TodayBooking = need.Today is { } today ? CapacityWire.BookingName(agency, today.Cmo, today.Booking) : "",
            Points = reason.Points,
            Rank = reason.Rank,
            Message = reason.Message,
            PassedOver = { reason.PassedOver.Select(p => ToWire(agency, inputs, p)) },
        };
    }

    private static V1.LeftOut LeftOut(AgencyId agency, PortfolioInputs inputs, PlanNeed need, PlanReason reason) => new()
    {
        NeedId = need.Id,
        Message = reason.Message,
        PassedOver = { reason.PassedOver.Select(p => ToWire(agency, inputs, p)) },
        RuledOut = { need.RuledOut.Take(MostRuledOut).Select(r => new V1.RuledOut { Cmo = CmoName(agency, inputs, r.Cmo), Rule = ToWire(r.Rule), Message = r.Message }) },
        RuledOutCounts = { need.RuledOut.GroupBy(r => r.Rule).OrderBy(g => g.Key).Select(g => new V1.RuledOutCount { Rule = ToWire(g.Key), Cmos = g.Count() }) },
        Points = reason.Points,
    };

    private static V1.PassedOver ToWire(AgencyId agency, PortfolioInputs inputs, PassedOver passed) => new()
    {
        Cmo = CmoName(agency, inputs, passed.Cmo),
        Points = passed.Points,
        Rule = passed.Rule is { } rule ? ToWire(rule) : V1.PlanRule.Unspecified,
        Message = passed.Message,
    };

    private static V1.PlanRule ToWire(PlanRule rule) => rule.ToWire<V1.PlanRule>();

    private static string CmoName(AgencyId agency, PortfolioInputs inputs, int cmo) => ResourceNames.Of(agency, CmosService.Collection, inputs.Cmos[cmo].Id.Value);

    private static string Gap(double? gap) => gap is { } known ? known.ToString("0.000000", System.Globalization.CultureInfo.InvariantCulture) : "";
}
