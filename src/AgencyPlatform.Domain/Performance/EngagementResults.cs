using System.Collections.Immutable;
using NodaTime;

namespace AgencyPlatform.Domain.Performance;

/// <summary>What was planned and spent for one channel; null: nothing was recorded.</summary>
public sealed record ChannelSpend(string Channel, long? Budget, long? Spend);

/// <summary>A KPI in a month.</summary>
/// <param name="OnTarget">Null where there is no value or no target.</param>
public sealed record KpiResult(Kpi Kpi, KpiOutcome Outcome, KpiTarget? Target, bool? OnTarget);

/// <summary>What a month, or several, came to. Amounts are minor units of the scorecard's currency; null: there is no value.</summary>
/// <param name="Channels">By name.</param>
/// <param name="Fees">Revenue that the agency's books have from the engagement, by currency.</param>
/// <param name="Revenue">What the client attributes to marketing, by the rules that it stated.</param>
/// <param name="RoiPercent">(Revenue − cost) ÷ cost in hundredths of a percent, where cost is spend + fees; and why there is none.</param>
public sealed record ResultsOf(
    ImmutableArray<ChannelSpend> Channels, long? Budget, long? Spend, ImmutableArray<Money> Fees, long? Revenue, ImmutableArray<AttributionRule> Attributions, KpiOutcome RoiPercent);

/// <param name="Month">Its first day.</param>
public sealed record MonthResults(LocalDate Month, ResultsOf Results, ImmutableArray<KpiResult> Kpis);

/// <summary>The results of an engagement over months, for its board. Source: domain §6, docs/performance.md.</summary>
public sealed record EngagementResults(ImmutableArray<MonthResults> Months, ResultsOf Total)
{
    /// <param name="fees">Revenue of the engagement by month and currency.</param>
    /// <param name="first">First day of the first month.</param>
    /// <param name="count">How many months.</param>
    public static EngagementResults Of(Scorecard scorecard, ILookup<LocalDate, Money> fees, LocalDate first, int count)
    {
        var (outcomes, spend, attributions) = (new KpiOutcomes(scorecard), new Dictionary<(LocalDate, string), ChannelSpend>(), new HashSet<(LocalDate, AttributionRule)>());
        foreach (var (key, values) in scorecard.Values)
        {
            var (kpi, month, channel) = Scorecard.Parts(key);
            var known = spend.GetValueOrDefault((month, channel)) ?? new ChannelSpend(channel, null, null);
            if (kpi == BuiltInKpis.Budget)
            {
                spend[(month, channel)] = known with { Budget = values[^1].Value };
            }
            else if (kpi == BuiltInKpis.Spend)
            {
                spend[(month, channel)] = known with { Spend = values[^1].Value };
            }
            else if (kpi == BuiltInKpis.AttributedRevenue)
            {
                attributions.Add((month, values[^1].Attribution));
            }
        }

        ImmutableArray<LocalDate> months = [.. Enumerable.Range(0, count).Select(first.PlusMonths)];
        return new EngagementResults(
            [.. months.Select(m => new MonthResults(m, Over([m]), [.. scorecard.Kpis.Values.Select(k => Result(k, m))]))], Over(months));

        ResultsOf Over(ImmutableArray<LocalDate> of)
        {
            var paid = of.SelectMany(m => fees[m]).GroupBy(f => f.Currency).OrderBy(f => f.Key.Code, StringComparer.Ordinal).Select(f => f.Aggregate((a, b) => a + b)).ToImmutableArray();
            var (revenue, spent) = (Sum(of, BuiltInKpis.AttributedRevenue), Sum(of, BuiltInKpis.Spend));
            return new ResultsOf(
                [
                    .. spend.Where(s => of.Contains(s.Key.Item1)).GroupBy(s => s.Key.Item2).OrderBy(c => c.Key, StringComparer.Ordinal)
                        .Select(c => new ChannelSpend(c.Key, Known(c.Select(s => s.Value.Budget)), Known(c.Select(s => s.Value.Spend)))),
                ],
                Sum(of, BuiltInKpis.Budget).Known, spent.Known, paid, revenue.Known,
                [.. attributions.Where(a => of.Contains(a.Item1)).Select(a => a.Item2).Distinct().Order()],
                Roi(revenue.Whole, spent.Whole, paid));
        }

        KpiOutcome Roi(long? revenue, long? spent, ImmutableArray<Money> paid)
        {
            if (paid.Any(f => f.Currency != scorecard.Currency && f.Minor != 0))
            {
                return new KpiOutcome(null, NoValue.OtherCurrency);
            }

            if (revenue is null || spent is null)
            {
                return new KpiOutcome(null, NoValue.NotRecorded);
            }

            var cost = spent.Value + paid.Where(f => f.Currency == scorecard.Currency).Sum(f => f.Minor);
            return cost == 0 ? new KpiOutcome(null, NoValue.ZeroDenominator)
                : new Ratio(((System.Numerics.BigInteger)revenue.Value - cost) * 100, cost).Rounded(2) is { } percent ? new KpiOutcome(percent, NoValue.None)
                : new KpiOutcome(null, NoValue.OutOfRange);
        }

        // What is known of months, and that of all of them, which there is only where each has one.
        (long? Known, long? Whole) Sum(ImmutableArray<LocalDate> of, KpiId kpi)
        {
            var values = of.Select(m => outcomes.Of(kpi, m).Value).ToList();
            return (Known(values), values.Contains(null) ? null : values.Sum());
        }

        KpiResult Result(Kpi kpi, LocalDate month)
        {
            var (outcome, target) = (outcomes.Of(kpi.Id, month), scorecard.TargetIn(kpi.Id, month));
            return new KpiResult(kpi, outcome, target, outcome.Value is { } value ? target?.IsMet(value, kpi.Direction) : null);
        }

        static long? Known(IEnumerable<long?> values) => values.Any(v => v is not null) ? values.Sum() : null;
    }
}
