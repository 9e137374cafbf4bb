using DayRateTerms = AgencyPlatform.Domain.Billing.DayRateTerms;
using Engagement = AgencyPlatform.Domain.Engagements.Engagement;
using Discount = AgencyPlatform.Domain.Billing.Discount;
using HourlyTerms = AgencyPlatform.Domain.Billing.HourlyTerms;
using MilestoneTerms = AgencyPlatform.Domain.Billing.MilestoneTerms;
using PrepaidTerms = AgencyPlatform.Domain.Billing.PrepaidTerms;
using RetainerTerms = AgencyPlatform.Domain.Billing.RetainerTerms;
using Rollover = AgencyPlatform.Domain.Billing.Rollover;
using Terms = AgencyPlatform.Domain.Billing.Terms;
using V1 = AgencyPlatform.Protocol.Engagements.V1;
using WireMoney = AgencyPlatform.Protocol.Type.V1.Money;

namespace AgencyPlatform.Gateway.Engagements;

/// <summary>Terms as they are answered, and what was reached and sold under them.</summary>
internal static partial class TermsWire
{
    public static V1.Terms ToWire(AgencyId agency, Terms terms)
    {
        var wire = new V1.Terms
        {
            EffectiveDate = terms.EffectiveFrom.ToWire(),
            Seller = ResourceNames.Of(agency, "legalEntities", terms.Seller.Value),
            Currency = terms.Currency.Code,
            BillCycleDay = terms.Cycle.Day,
            PeriodMonths = terms.Cycle.Months,
            MinimumCommitment = terms.Minimum is { } least ? new V1.MinimumCommitment { CommitmentId = least.Id.Value, Amount = Wire(least.Amount) } : null,
            Discounts = { (terms.Discounts ?? []).Select(OneOf) },
        };
        switch (terms)
        {
            case RetainerTerms r:
                wire.Retainer = new V1.RetainerTerms
                {
                    Fee = Wire(r.Fee),
                    IncludedMinutes = r.IncludedMinutes,
                    OverageHourlyRate = Wire(r.OverageHourlyRate),
                    OverageGate = r.Gate.ToWire<V1.OverageGate>(),
                    FeeTiming = r.Timing.ToWire<V1.FeeTiming>(),
                    Rollover = r.Rollover is { } rollover ? ToWire(rollover) : null,
                };
                break;
            case HourlyTerms h:
                wire.Hourly = new V1.HourlyTerms
                {
                    HourlyRate = Wire(h.HourlyRate),
                    EstimatedMonthly = Wire(h.EstimatedMonthly),
                    IncrementMinutes = h.IncrementMinutes ?? 0,
                    MinimumMinutes = h.MinimumMinutes ?? 0,
                    Cap = Wire(h.Cap),
                };
                break;
            case DayRateTerms d:
                wire.DayRate = new V1.DayRateTerms { DayRate = Wire(d.DayRate), FullDayMinutes = d.FullDayMinutes, EstimatedMonthly = Wire(d.EstimatedMonthly) };
                break;
            case MilestoneTerms m:
                wire.Milestones = new V1.MilestoneTerms
                {
                    Milestones = { m.Milestones.Select(x => new V1.Milestone { MilestoneId = x.Id.Value, DisplayName = x.Name, Amount = Wire(x.Amount) }) },
                };
                break;
            case PrepaidTerms p:
                wire.Prepaid = new V1.PrepaidTerms
                {
                    BlockPrice = Wire(p.BlockPrice),
                    BlockMinutes = p.BlockMinutes,
                    ValidMonths = p.ValidMonths,
                    OverageHourlyRate = Wire(p.OverageHourlyRate),
                    OverageGate = p.Gate.ToWire<V1.OverageGate>(),
                    TopsUp = p.TopUpBelowMinutes is not null,
                    TopUpBelowMinutes = p.TopUpBelowMinutes ?? 0,
                    Priority = p.Priority,
                };
                break;
            default:
                throw new InvalidOperationException($"{terms.GetType().Name} has no form on the wire.");
        }

        return wire;

        WireMoney? Wire(long? amount) => amount is { } minor ? new Money(minor, terms.Currency).ToWire() : null;

        V1.Discount OneOf(Discount discount)
        {
            var to = new V1.Discount
            {
                DiscountId = discount.Id.Value,
                StartDate = discount.Dates.Start.ToWire(),
                EndDate = discount.Dates.End.ToWire(),
                Cap = Wire(discount.Cap),
            };
            if (discount.Ppm is { } ppm)
            {
                to.Percent = Gateway.Wire.Percent(ppm);
            }
            else
            {
                to.Amount = Wire(discount.Amount);
            }

            return to;
        }
    }

    /// <summary>The milestones that are reached.</summary>
    public static IEnumerable<V1.ReachedMilestone> Reached(Engagement engagement) => (engagement.Milestones ?? []).Select(m => new V1.ReachedMilestone
    {
        MilestoneId = m.Id.Value,
        DisplayName = m.Name,
        Amount = new Money(m.Amount, engagement.TermsOn(m.On).Currency).ToWire(),
        ReachDate = m.On.ToWire(),
    });

    /// <summary>The blocks that were sold.</summary>
    public static IEnumerable<V1.PrepaidBlock> Blocks(Engagement engagement) => (engagement.Time.Blocks ?? []).Select(b => new V1.PrepaidBlock
    {
        BlockId = b.Id.Value,
        Minutes = b.Minutes,
        Price = new Money(b.Price, engagement.TermsOn(b.EffectiveAt).Currency).ToWire(),
        EffectiveDate = b.EffectiveAt.ToWire(),
        ExpireDate = b.ExpiresAt.ToWire(),
        ToppedUp = b.ToppedUp,
        DrawnMinutes = engagement.Time.Drawn.GetValueOrDefault(b.Grant.Id),
        DeferredAmount = b.Deferred is { } deferred ? new Money(deferred, engagement.TermsOn(b.EffectiveAt).Currency).ToWire() : null,
    });

    private static V1.Rollover ToWire(Rollover rollover) => new()
    {
        CapMinutes = rollover.CapMinutes,
        Periods = rollover.Periods,
        MaxCarriedMinutes = rollover.MaxCarriedMinutes ?? 0,
        FromProratedPeriods = rollover.FromProrated,
        CarriesAgain = rollover.CarriesAgain,
        Priority = rollover.Priority,
    };
}
