using NodaTime;

namespace AgencyPlatform.Domain.Performance;

/// <summary>What a KPI comes to in a month, in 10^-decimals of it; or why it comes to nothing.</summary>
public readonly record struct KpiOutcome(long? Value, NoValue Why);

/// <summary>What the KPIs of a scorecard come to, month by month: recorded values, sums over channels, and formulas, exact until they are rounded once for the answer.</summary>
public sealed class KpiOutcomes
{
    private readonly Scorecard _scorecard;
    private readonly Dictionary<(KpiId, LocalDate), long> _recorded = [];
    private readonly Dictionary<(KpiId, LocalDate), (Ratio? Value, NoValue Why)> _exact = [];
    private readonly Dictionary<KpiId, Formula> _formulas = [];

    public KpiOutcomes(Scorecard scorecard)
    {
        _scorecard = scorecard;
        foreach (var (key, values) in scorecard.Values)
        {
            // No sum overflows: each value is at most 10^15, and there are 5,000 at most.
            var (kpi, month, _) = Scorecard.Parts(key);
            _recorded[(kpi, month)] = _recorded.GetValueOrDefault((kpi, month)) + values[^1].Value;
        }
    }

    /// <summary>Months for which something was recorded.</summary>
    public IEnumerable<LocalDate> Months => _recorded.Keys.Select(k => k.Item2).Distinct();

    /// <summary>What a KPI of the scorecard comes to in the month that begins on a day.</summary>
    public KpiOutcome Of(KpiId kpi, LocalDate month)
    {
        var (value, why) = Exact(kpi, month);
        return value is not { } exact ? new KpiOutcome(null, why)
            : exact.Rounded(_scorecard.Kpis[kpi].Decimals) is { } rounded ? new KpiOutcome(rounded, NoValue.None)
            : new KpiOutcome(null, NoValue.OutOfRange);
    }

    private (Ratio? Value, NoValue Why) Exact(KpiId id, LocalDate month)
    {
        if (_exact.TryGetValue((id, month), out var known))
        {
            return known;
        }

        var kpi = _scorecard.Kpis[id];
        return _exact[(id, month)] =
            kpi.IsComputed ? FormulaOf(kpi).Evaluate(name => Exact(name, month))
            : _recorded.TryGetValue((id, month), out var recorded) ? (kpi.Exact(recorded), NoValue.None)
            : (null, NoValue.NotRecorded);
    }

    private Formula FormulaOf(Kpi kpi)
    {
        if (!_formulas.TryGetValue(kpi.Id, out var formula))
        {
            formula = Formula.Parse(kpi.Formula).Formula!;
            _formulas[kpi.Id] = formula;
        }

        return formula;
    }
}
