using System.Collections.Immutable;
using System.Numerics;
using System.Text.Json.Serialization;
using NodaTime;

namespace AgencyPlatform.Domain.Performance;

/// <summary>Id of a KPI within its scorecard. It begins with a letter, so that formulas can name it.</summary>
[GenerateSerializer, Immutable, Alias("id.kpi")]
public readonly record struct KpiId([property: Id(0)] string Value) : IId<KpiId>, IComparable<KpiId>
{
    public static KpiId Of(string value) => new(value);
    public int CompareTo(KpiId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;

    /// <summary>As formulas name it: a hyphen would be a minus there.</summary>
    public string Symbol => Value.Replace('-', '_');

    /// <summary>The KPI that a formula names.</summary>
    public static KpiId OfSymbol(string symbol) => new(symbol.Replace('_', '-'));
}

/// <summary>Id of a commitment within its scorecard.</summary>
[GenerateSerializer, Immutable, Alias("id.commitment")]
public readonly record struct CommitmentId([property: Id(0)] string Value) : IId<CommitmentId>, IComparable<CommitmentId>
{
    public static CommitmentId Of(string value) => new(value);
    public int CompareTo(CommitmentId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

/// <summary>What a KPI is counted in.</summary>
public enum KpiUnit
{
    Number,

    /// <summary>50 is a half.</summary>
    Percent,

    /// <summary>Minor units of the KPI's currency.</summary>
    Money,
}

/// <summary>Which side of a target is the good one.</summary>
public enum KpiDirection { HigherIsBetter, LowerIsBetter }

/// <summary>How the client attributes revenue to marketing: a label that it states with its values. Nothing is computed by it.</summary>
public enum AttributionRule
{
    /// <summary>Nothing was said.</summary>
    Unstated,

    /// <summary>All revenue, whatever it came by.</summary>
    None,

    FirstTouch,
    LastTouch,
}

public enum CommitmentState { Open, Kept, Dropped }

/// <summary>A key performance indicator of an engagement: recorded month by month, or computed by a formula over others. Its definition never changes.</summary>
/// <param name="Decimals">Digits behind the point that its values have, 0 to 6; of money its currency's.</param>
/// <param name="Currency">Of money.</param>
/// <param name="Formula">Arithmetic over other KPIs; empty: its values are recorded.</param>
/// <param name="ByChannel">Its values are recorded for each channel, and it is their sum.</param>
/// <param name="BuiltIn">There from the beginning.</param>
[GenerateSerializer, Immutable, Alias("scorecard.kpi")]
public sealed record Kpi(KpiId Id, string DisplayName, KpiUnit Unit, int Decimals, Currency? Currency, KpiDirection Direction, string Formula, bool ByChannel, bool BuiltIn = false)
{
    public const int MostDecimals = 6;

    [JsonIgnore]
    public bool IsComputed => Formula.Length > 0;

    /// <summary>A stored value as it is, exactly.</summary>
    internal Ratio Exact(long value) => new(value, BigInteger.Pow(10, Decimals));

    /// <summary>A stored value for people: <c>12.50</c>.</summary>
    public string Text(long value) => DecimalText.Of(value, Decimals) + (Unit switch { KpiUnit.Percent => " %", KpiUnit.Money => " " + Currency, _ => "" });
}

/// <summary>A number as a caller gives it: <see cref="Unscaled"/> ÷ 10^<see cref="Scale"/>, in a currency or not.</summary>
[GenerateSerializer, Immutable, Alias("scorecard.number")]
public readonly record struct KpiNumber([property: Id(0)] long Unscaled, [property: Id(1)] int Scale, [property: Id(2)] Currency? Currency)
{
    public static KpiNumber Of(Money money) => new(money.Minor, money.Currency.Decimals, money.Currency);

    /// <summary>As a value of a KPI; or, when it cannot be one, what would be right.</summary>
    internal (long Value, string? Wrong) For(Kpi kpi)
    {
        if (Currency != kpi.Currency)
        {
            return (0, kpi.Currency is { } currency ? $"must be an amount in {currency}, the KPI's currency" : "must be a number, not an amount of money");
        }

        var value = Unscaled * BigInteger.Pow(10, Math.Max(0, kpi.Decimals - Scale));
        var cut = BigInteger.Pow(10, Math.Max(0, Scale - kpi.Decimals));
        return !(value % cut).IsZero ? (0, $"must have at most {kpi.Decimals} digits behind the point, as the KPI has")
            : BigInteger.Abs(value / cut) > Money.MostMinor ? (0, $"must be at most {DecimalText.Of(Money.MostMinor, kpi.Decimals)}, above or below zero")
            : ((long)(value / cut), null);
    }
}

/// <summary>What a KPI is to come to from a month on.</summary>
/// <param name="From">The first day of the month from which it holds, until the next one.</param>
/// <param name="Target">As the KPI's values; null: none from then on.</param>
/// <param name="Benchmark">What others come to; for comparison only.</param>
/// <param name="TolerancePpm">By how much of the target, in parts per million, a value may miss it before something follows.</param>
/// <param name="Owner">Whose the commitment is that follows from a miss: a role or an id, no personal data.</param>
/// <param name="DueDays">When that commitment is due, in days from the day of the miss.</param>
[GenerateSerializer, Immutable, Alias("scorecard.target")]
public sealed record KpiTarget(LocalDate From, long? Target, long? Benchmark, int TolerancePpm, string Owner, int DueDays)
{
    /// <summary>Whether a value is on the good side of the target, or on it; null: there is no target.</summary>
    public bool? IsMet(long value, KpiDirection direction) =>
        Target is { } target ? direction == KpiDirection.HigherIsBetter ? value >= target : value <= target : null;

    /// <summary>Whether a value misses the target by more than its tolerance.</summary>
    public bool IsMissed(long value, KpiDirection direction)
    {
        if (Target is not { } target)
        {
            return false;
        }

        var (missing, tolerated) = (direction == KpiDirection.HigherIsBetter ? (BigInteger)target - value : (BigInteger)value - target, BigInteger.Abs(target) * TolerancePpm);
        return missing * 1_000_000 > tolerated;
    }
}

/// <summary>One value of a series as it was recorded. The newest of a month counts; those before it were corrected and stay.</summary>
/// <param name="Value">In 10^-decimals of its KPI.</param>
/// <param name="Reason">Of a correction, why; no personal data.</param>
[GenerateSerializer, Immutable, Alias("scorecard.recorded-value")]
public sealed record RecordedValue(long Value, AttributionRule Attribution, string Reason, Instant At);

/// <summary>Something that somebody is to do by a day.</summary>
/// <param name="Owner">A role or an id, no personal data.</param>
/// <param name="Kpi">Of one that follows from a miss: the KPI that missed its target, and in which month.</param>
/// <param name="Note">What came of it.</param>
[GenerateSerializer, Immutable, Alias("scorecard.commitment")]
public sealed record Commitment(CommitmentId Id, string Text, string Owner, LocalDate Due, CommitmentState State = CommitmentState.Open, KpiId? Kpi = null, LocalDate? Month = null, string Note = "");

/// <summary>How the client feels about a quarter: one score, one sentence.</summary>
/// <param name="Quarter">Its first day.</param>
/// <param name="Score">1 to 10.</param>
/// <param name="Sentence">No personal data.</param>
[GenerateSerializer, Immutable, Alias("scorecard.pulse")]
public sealed record Pulse(LocalDate Quarter, int Score, string Sentence, Instant At);

// ---- commands ----

/// <param name="TimeZone">The client's: it says when a month is over.</param>
/// <param name="Currency">Of the built-in KPIs.</param>
[GenerateSerializer, Immutable, Alias("scorecard.create")]
public sealed record CreateScorecard(EngagementId Engagement, ClientCompanyId Client, string TimeZone, Currency Currency);

/// <summary>All of them or none; they may name each other.</summary>
[GenerateSerializer, Immutable, Alias("scorecard.define")]
public sealed record DefineKpis(ImmutableArray<Kpi> Kpis);

/// <param name="Month">The first day of the month from which it holds.</param>
[GenerateSerializer, Immutable, Alias("scorecard.set-target")]
public sealed record SetKpiTarget(KpiId Kpi, LocalDate Month, KpiNumber? Target, KpiNumber? Benchmark, int TolerancePpm, string Owner, int DueDays);

/// <param name="Month">Its first day.</param>
/// <param name="Channel">Where the KPI is recorded by channel: which; else empty.</param>
/// <param name="Reason">Why a value that is there already is another; empty: there is none yet.</param>
[GenerateSerializer, Immutable, Alias("scorecard.entry")]
public sealed record KpiEntry(KpiId Kpi, LocalDate Month, string Channel, KpiNumber Number, AttributionRule Attribution, string Reason);

/// <summary>All of them or none.</summary>
[GenerateSerializer, Immutable, Alias("scorecard.record")]
public sealed record RecordKpiValues(ImmutableArray<KpiEntry> Entries);

/// <param name="Month">The first day of the last month that is closed.</param>
[GenerateSerializer, Immutable, Alias("scorecard.close")]
public sealed record CloseKpiPeriod(LocalDate Month);

[GenerateSerializer, Immutable, Alias("scorecard.make-commitment")]
public sealed record MakeCommitment(CommitmentId Id, string Text, string Owner, LocalDate Due);

[GenerateSerializer, Immutable, Alias("scorecard.resolve-commitment")]
public sealed record ResolveCommitment(CommitmentId Id, CommitmentState State, string Note);

/// <summary>Once more for a quarter, it takes the place of what was said before; that stays in the history.</summary>
[GenerateSerializer, Immutable, Alias("scorecard.give-pulse")]
public sealed record GivePulse(LocalDate Quarter, int Score, string Sentence);

// ---- events ----

[Event("scorecard.created"), GenerateSerializer, Immutable, Alias("scorecard.created")]
public sealed record ScorecardCreated(EngagementId Engagement, ClientCompanyId Client, string TimeZone, Currency Currency, ImmutableArray<Kpi> Kpis) : IEvent;

[Event("scorecard.kpis-defined"), GenerateSerializer, Immutable, Alias("scorecard.kpis-defined")]
public sealed record KpisDefined(ImmutableArray<Kpi> Kpis) : IEvent;

[Event("scorecard.target-set"), GenerateSerializer, Immutable, Alias("scorecard.target-set")]
public sealed record KpiTargetSet(KpiId Kpi, KpiTarget Target) : IEvent;

/// <summary>One value of a recording.</summary>
[GenerateSerializer, Immutable, Alias("scorecard.value")]
public sealed record KpiValue(KpiId Kpi, LocalDate Month, string Channel, long Value, AttributionRule Attribution, string Reason);

[Event("scorecard.values-recorded"), GenerateSerializer, Immutable, Alias("scorecard.values-recorded")]
public sealed record KpiValuesRecorded(ImmutableArray<KpiValue> Values, Instant At) : IEvent;

/// <param name="Month">The first day of the last month that is closed.</param>
[Event("scorecard.period-closed"), GenerateSerializer, Immutable, Alias("scorecard.period-closed")]
public sealed record KpiPeriodClosed(LocalDate Month) : IEvent;

/// <summary>Somebody has promised something, or a KPI missed its target by more than the tolerance.</summary>
[Event("scorecard.commitment-made"), GenerateSerializer, Immutable, Alias("scorecard.commitment-made")]
public sealed record CommitmentMade(Commitment Commitment) : IEvent;

[Event("scorecard.commitment-resolved"), GenerateSerializer, Immutable, Alias("scorecard.commitment-resolved")]
public sealed record CommitmentResolved(CommitmentId Id, CommitmentState State, string Note) : IEvent;

[Event("scorecard.pulse-given"), GenerateSerializer, Immutable, Alias("scorecard.pulse-given")]
public sealed record PulseGiven(Pulse Pulse) : IEvent;

// ---- read models ----

/// <summary>The list of scorecards.</summary>
[RowTable("scorecards", nameof(Engagement), Indexes = [nameof(Client)])]
public sealed record ScorecardRow(EngagementId Engagement, ClientCompanyId Client) : IRow;

/// <summary>The list of commitments.</summary>
/// <param name="Responsible">The commitment's owner; every table has a column of that name itself.</param>
[RowTable("commitments", nameof(Engagement), nameof(Id))]
public sealed record CommitmentRow(
    EngagementId Engagement, CommitmentId Id, string Text, string Responsible, LocalDate Due, CommitmentState State, KpiId? Kpi, LocalDate? Month, string Note) : IRow;
