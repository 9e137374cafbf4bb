using System.Collections.Immutable;
using AgencyPlatform.Domain.Performance;
using NodaTime;

namespace AgencyPlatform.Domain.Tests.Performance;

/// <summary>A scorecard in dollars and New York, on 10 April 2026.</summary>
internal static class Measured
{
    public static readonly Instant Now = Instant.FromUtc(2026, 4, 10, 12, 0);
    public static readonly LocalDate February = new(2026, 2, 1);
    public static readonly LocalDate March = new(2026, 3, 1);
    public static readonly LocalDate April = new(2026, 4, 1);
    public static readonly Currency Dollars = new("USD");

    public static Scorecard Card() => Scorecard.Initial.Then(Scorecard.Initial.Create(new CreateScorecard(new("launch"), new("acme"), "America/New_York", Dollars)));

    /// <summary>The state after a decision that was accepted, with what follows from it.</summary>
    public static Scorecard Then(this Scorecard card, Decision decision, Instant? now = null)
    {
        Assert.True(decision.Rejection is null, decision.Rejection?.Message);
        ImmutableArray<IEvent> events = [.. decision.Events, .. card.Following(decision.Events, now ?? Now)];
        return events.Aggregate(card, (state, e) => (Scorecard)Stored(e, state));

        // As it is read back from the journal.
        static object Stored(IEvent e, Scorecard state)
        {
            var name = EventJson.NameOf(e);
            return state.Apply(EventJson.Deserialize(name.Name, name.Version, EventJson.Serialize(e)));
        }
    }

    /// <summary>Values of March, in units of their KPIs.</summary>
    public static Scorecard Recorded(this Scorecard card, params (string Kpi, string Channel, long Value)[] values) => card.Recorded(March, "", values);

    public static Scorecard Recorded(this Scorecard card, LocalDate month, string reason, params (string Kpi, string Channel, long Value)[] values) =>
        card.Then(card.Record(new RecordKpiValues([.. values.Select(v => Entry(card, month, reason, v.Kpi, v.Channel, v.Value))]), Now));

    public static KpiEntry Entry(Scorecard card, LocalDate month, string reason, string id, string channel, long value)
    {
        var kpi = card.Kpis[new(id)];
        return new KpiEntry(kpi.Id, month, channel, new KpiNumber(value, kpi.Decimals, kpi.Currency), AttributionRule.Unstated, reason);
    }

    public static Kpi Made(string id, string formula) => new(new(id), id, KpiUnit.Number, 2, null, KpiDirection.HigherIsBetter, formula, false);

    public static long? Outcome(this Scorecard card, string kpi, LocalDate month) => new KpiOutcomes(card).Of(new(kpi), month).Value;
}
