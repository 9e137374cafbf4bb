using System.Collections.Immutable;
using AgencyPlatform.Domain.Billing;
using DayRateTerms = AgencyPlatform.Domain.Billing.DayRateTerms;
using Discount = AgencyPlatform.Domain.Billing.Discount;
using FeeTiming = AgencyPlatform.Domain.Billing.FeeTiming;
using Grant = AgencyPlatform.Domain.Time.Grant;
using HourlyTerms = AgencyPlatform.Domain.Billing.HourlyTerms;
using Milestone = AgencyPlatform.Domain.Billing.Milestone;
using MilestoneTerms = AgencyPlatform.Domain.Billing.MilestoneTerms;
using MinimumCommitment = AgencyPlatform.Domain.Billing.MinimumCommitment;
using OverageGate = AgencyPlatform.Domain.Billing.OverageGate;
using PrepaidTerms = AgencyPlatform.Domain.Billing.PrepaidTerms;
using RetainerTerms = AgencyPlatform.Domain.Billing.RetainerTerms;
using Rollover = AgencyPlatform.Domain.Billing.Rollover;
using Terms = AgencyPlatform.Domain.Billing.Terms;
using V1 = AgencyPlatform.Protocol.Engagements.V1;
using WireMoney = AgencyPlatform.Protocol.Type.V1.Money;

namespace AgencyPlatform.Gateway.Engagements;

/// <summary>Terms of every kind between the wire and the domain.</summary>
internal static partial class TermsWire
{
    private const int MostMinutes = 600_000;

    /// <summary>Terms that name a date name the one from which they are to hold.</summary>
    public static void EnsureTermsHoldFrom(string path, V1.Terms? terms, LocalDate from, Fields fields)
    {
        if (terms?.EffectiveDate is { } date)
        {
            fields.Require(fields.Date($"{path}.effective_date", date) == from, $"{path}.effective_date", $"must be left out, or {from:uuuu-MM-dd}, from when they hold");
        }
    }

    /// <param name="start">The first day on which they hold.</param>
    public static Terms Terms(string path, V1.Terms? given, LocalDate start, AgencyId agency, Fields fields)
    {
        if (given is not { } wire)
        {
            return new HourlyTerms(start, default, default, new BillCycle(1, 1), 0);
        }

        var seller = fields.Reference<LegalEntityId>($"{path}.seller", wire.Seller, agency, "legalEntities");
        var currency = fields.Currency($"{path}.currency", wire.Currency);
        fields.Require(wire.PeriodMonths is 0 or 1 or 3 or 6 or 12, $"{path}.period_months", $"must be 1, 3, 6 or 12; it is {wire.PeriodMonths}");
        var cycle = new BillCycle(fields.Number($"{path}.bill_cycle_day", wire.BillCycleDay, 1, 31), wire.PeriodMonths == 0 ? 1 : wire.PeriodMonths);
        return Form() with { Minimum = Minimum(), Discounts = Discounts() };

        Terms Form()
        {
            switch (wire.FormCase)
            {
                case V1.Terms.FormOneofCase.Retainer:
                    var r = wire.Retainer;
                    return new RetainerTerms(
                        start, seller, currency, cycle,
                        Amount($"{path}.retainer.fee", r.Fee),
                        fields.Number($"{path}.retainer.included_minutes", r.IncludedMinutes, 0, MostMinutes, "minutes"),
                        Optional($"{path}.retainer.overage_hourly_rate", r.OverageHourlyRate),
                        Gate($"{path}.retainer.overage_gate", r.OverageGate, fields),
                        r.FeeTiming == 0 ? FeeTiming.InAdvance : fields.Enum<V1.FeeTiming, FeeTiming>($"{path}.retainer.fee_timing", r.FeeTiming),
                        r.Rollover is null ? null : Rollover($"{path}.retainer.rollover", r.Rollover, fields));
                case V1.Terms.FormOneofCase.Hourly:
                    var h = wire.Hourly;
                    return new HourlyTerms(
                        start, seller, currency, cycle, Amount($"{path}.hourly.hourly_rate", h.HourlyRate), Optional($"{path}.hourly.estimated_monthly", h.EstimatedMonthly),
                        h.IncrementMinutes == 0 ? null : fields.Number($"{path}.hourly.increment_minutes", h.IncrementMinutes, 1, 1_440, "minutes"),
                        h.MinimumMinutes == 0 ? null : fields.Number($"{path}.hourly.minimum_minutes", h.MinimumMinutes, 1, 1_440, "minutes"),
                        Optional($"{path}.hourly.cap", h.Cap));
                case V1.Terms.FormOneofCase.DayRate:
                    return new DayRateTerms(
                        start, seller, currency, cycle, Amount($"{path}.day_rate.day_rate", wire.DayRate.DayRate),
                        fields.Number($"{path}.day_rate.full_day_minutes", wire.DayRate.FullDayMinutes, 1, 1_440, "minutes"),
                        Optional($"{path}.day_rate.estimated_monthly", wire.DayRate.EstimatedMonthly));
                case V1.Terms.FormOneofCase.Milestones:
                    return new MilestoneTerms(start, seller, currency, cycle, Milestones($"{path}.milestones.milestones", wire.Milestones.Milestones));
                case V1.Terms.FormOneofCase.Prepaid:
                    return Prepaid($"{path}.prepaid", wire.Prepaid);
                default:
                    fields.Add(path, "must have one of retainer, hourly, day_rate, milestones, prepaid");
                    return new HourlyTerms(start, seller, currency, cycle, 0);
            }
        }

        PrepaidTerms Prepaid(string at, V1.PrepaidTerms p)
        {
            var minutes = fields.Number($"{at}.block_minutes", p.BlockMinutes, 60, MostMinutes, "minutes");
            fields.Require(p.TopsUp || p.TopUpBelowMinutes == 0, $"{at}.top_up_below_minutes", "must be 0 without tops_up");
            return new PrepaidTerms(
                start, seller, currency, cycle, Amount($"{at}.block_price", p.BlockPrice), minutes,
                fields.Number($"{at}.valid_months", p.ValidMonths, 1, 60, "months"), Optional($"{at}.overage_hourly_rate", p.OverageHourlyRate),
                Gate($"{at}.overage_gate", p.OverageGate, fields),
                p.TopsUp ? fields.Number($"{at}.top_up_below_minutes", p.TopUpBelowMinutes, 0, minutes, "minutes") : null,
                p.Priority == 0 ? Grant.PrepaidPriority : fields.Number($"{at}.priority", p.Priority, 1, 99));
        }

        ImmutableArray<Milestone> Milestones(string at, IReadOnlyList<V1.Milestone> all)
        {
            fields.Require(all.Count is >= 1 and <= MilestoneTerms.Most, at, $"must be 1 to {MilestoneTerms.Most}; they are {all.Count}");
            Unique(at, all.Select(m => m.MilestoneId));
            return
            [
                .. all.Take(MilestoneTerms.Most).Select((m, i) => new Milestone(
                    fields.Id<PartId>($"{at}[{i}].milestone_id", m.MilestoneId), fields.Text($"{at}[{i}].display_name", m.DisplayName, 200), Amount($"{at}[{i}].amount", m.Amount, 1))),
            ];
        }

        MinimumCommitment? Minimum() => wire.MinimumCommitment is not { } least ? null : new MinimumCommitment(
            least.CommitmentId.Length == 0 ? new PartId("minimum") : fields.Id<PartId>($"{path}.minimum_commitment.commitment_id", least.CommitmentId),
            Amount($"{path}.minimum_commitment.amount", least.Amount, 1));

        ImmutableArray<Discount>? Discounts()
        {
            var at = $"{path}.discounts";
            fields.Require(wire.Discounts.Count <= Discount.Most, at, $"must be at most {Discount.Most}; they are {wire.Discounts.Count}");
            Unique(at, wire.Discounts.Select(d => d.DiscountId));
            return wire.Discounts.Count == 0 ? null : [.. wire.Discounts.Take(Discount.Most).Select((d, i) => OneOf($"{at}[{i}]", d))];
        }

        Discount OneOf(string at, V1.Discount d)
        {
            var (from, end) = (fields.OptionalDate($"{at}.start_date", d.StartDate) ?? start, fields.OptionalDate($"{at}.end_date", d.EndDate));
            fields.Require(end is null || end > from, $"{at}.end_date", "must be after the start (the end is exclusive)");
            fields.Require(d.FormCase != V1.Discount.FormOneofCase.None, at, "must have one of percent, amount");
            int? ppm = d.FormCase == V1.Discount.FormOneofCase.Percent ? fields.Percent($"{at}.percent", d.Percent) : null;
            fields.Require(ppm is not 0 || fields.Has($"{at}.percent"), $"{at}.percent", "must be above 0");
            return new Discount(
                fields.Id<PartId>($"{at}.discount_id", d.DiscountId), new DateRange(from, end > from ? end : null), ppm,
                d.FormCase == V1.Discount.FormOneofCase.Amount ? Amount($"{at}.amount", d.Amount, 1) : null, Optional($"{at}.cap", d.Cap));
        }

        void Unique(string at, IEnumerable<string> ids) =>
            fields.Require(!ids.Where(i => i.Length > 0).GroupBy(i => i).Any(g => g.Count() > 1), at, "must have each id once");

        long? Optional(string at, WireMoney? money) => money is null ? null : Amount(at, money);

        long Amount(string at, WireMoney? money, long least = 0)
        {
            var amount = fields.Money(at, money, least);
            fields.Require(money is null || money.Currency == wire.Currency, $"{at}.currency", $"must be the terms' currency, {wire.Currency}");
            return amount.Minor;
        }
    }

    private static OverageGate Gate(string path, V1.OverageGate gate, Fields fields) => gate == 0 ? OverageGate.Consent : fields.Enum<V1.OverageGate, OverageGate>(path, gate);

    private static Rollover Rollover(string path, V1.Rollover wire, Fields fields) => new(
        fields.Number($"{path}.cap_minutes", wire.CapMinutes, 1, MostMinutes, "minutes"),
        fields.Number($"{path}.periods", wire.Periods, 1, 36, "periods"),
        wire.MaxCarriedMinutes == 0 ? null : fields.Number($"{path}.max_carried_minutes", wire.MaxCarriedMinutes, 1, MostMinutes, "minutes"),
        wire.FromProratedPeriods,
        wire.CarriesAgain,
        wire.Priority == 0 ? Grant.CarriedPriority : fields.Number($"{path}.priority", wire.Priority, 1, 99));
}
