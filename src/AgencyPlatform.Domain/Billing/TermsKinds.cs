using System.Collections.Immutable;
using System.Text.Json.Serialization;
using NodaTime;

namespace AgencyPlatform.Domain.Billing;

/// <summary>A fee per period with included minutes; what exceeds them goes through the overage gate.</summary>
/// <param name="Fee">Per period, minor units of the terms' currency, ≥ 0.</param>
/// <param name="IncludedMinutes">Granted at each period's start, ≥ 0.</param>
/// <param name="OverageHourlyRate">Minor units an hour; null: no overage is ever charged.</param>
/// <param name="Gate">What an approval beyond the grants does.</param>
/// <param name="Rollover">What a period leaves to those after it; null: nothing.</param>
[GenerateSerializer, Immutable, Alias("billing.retainer")]
public sealed record RetainerTerms(
    LocalDate EffectiveFrom, LegalEntityId Seller, Currency Currency, BillCycle Cycle,
    long Fee, int IncludedMinutes, long? OverageHourlyRate, OverageGate Gate, FeeTiming Timing = FeeTiming.InAdvance, Rollover? Rollover = null)
    : Terms(EffectiveFrom, Seller, Currency, Cycle)
{
    public override bool HasMeter => true;

    [JsonIgnore]
    public override OverageGate? Beyond => Gate;

    [JsonIgnore]
    public override TimeRate TimeRate => new(OverageHourlyRate);

    protected override Money? Charges => Monthly(Fee);

    public override Terms Scaled(int percent) => (RetainerTerms)base.Scaled(percent) with
    {
        Fee = Part(Fee, percent),
        IncludedMinutes = (int)Rounding.HalfUp((System.Numerics.BigInteger)IncludedMinutes * percent, 100),
    };

    public override Terms AtRest(int percent) => (RetainerTerms)Scaled(percent) with { IncludedMinutes = 0 };
}

/// <summary>
/// What of a period's included minutes is carried when it ends. By the terms in force on its last day; nothing is carried beyond the engagement, or
/// into terms without a meter. Source: domain §4.
/// </summary>
/// <param name="CapMinutes">The most that one period carries, 1–600,000.</param>
/// <param name="Periods">How many periods a carry is alive for, 1–36.</param>
/// <param name="MaxCarriedMinutes">The most that all carries alive together may hold, at least 1; null: no bound.</param>
/// <param name="FromProrated">Whether a period that is cut at its start or end carries too.</param>
/// <param name="CarriesAgain">Whether what is left of a carry that ends with the period is carried on with the included minutes.</param>
/// <param name="Priority">Of a carry in the burn order, 1–99: below 20 it is used before the period's own minutes, above after them.</param>
[GenerateSerializer, Immutable, Alias("billing.rollover")]
public sealed record Rollover(
    int CapMinutes, int Periods, int? MaxCarriedMinutes = null, bool FromProrated = false, bool CarriesAgain = false, int Priority = Time.Grant.CarriedPriority);

/// <summary>Approved minutes × rate ÷ 60, in arrears.</summary>
/// <param name="HourlyRate">Minor units an hour, ≥ 0.</param>
/// <param name="EstimatedMonthly">Minor units that a month is expected to come to, ≥ 0: for the client's sign-off, charged it is not; null: not stated.</param>
/// <param name="IncrementMinutes">Each entry is rounded up to a multiple of it, 1–1,440; null: charged as worked.</param>
/// <param name="MinimumMinutes">What an entry is charged at least, 1–1,440; null: no such minimum.</param>
/// <param name="Cap">Minor units: the most that the hours of a full period come to, prorated by days, ≥ 0; null: no bound.</param>
[GenerateSerializer, Immutable, Alias("billing.hourly")]
public sealed record HourlyTerms(
    LocalDate EffectiveFrom, LegalEntityId Seller, Currency Currency, BillCycle Cycle, long HourlyRate, long? EstimatedMonthly = null,
    int? IncrementMinutes = null, int? MinimumMinutes = null, long? Cap = null)
    : Terms(EffectiveFrom, Seller, Currency, Cycle)
{
    public override bool HasMeter => false;

    [JsonIgnore]
    public override TimeRate TimeRate => new(HourlyRate, IncrementMinutes ?? 0, MinimumMinutes ?? 0);

    /// <summary>What is estimated, and never more than the cap; without an estimate the cap.</summary>
    protected override Money? Charges => (EstimatedMonthly, Cap is { } cap ? Monthly(cap).Minor : (long?)null) switch
    {
        ({ } estimate, { } most) => new Money(Math.Min(estimate, most), Currency),
        ({ } estimate, null) => new Money(estimate, Currency),
        (null, { } most) => new Money(most, Currency),
        _ => null,
    };

    /// <summary>What an entry of so many approved minutes is charged for.</summary>
    public int BilledMinutes(int approved)
    {
        var increment = IncrementMinutes ?? 1;
        return approved == 0 ? 0 : Math.Max((approved + increment - 1) / increment * increment, MinimumMinutes ?? 0);
    }

    public override Terms Scaled(int percent) => (HourlyTerms)base.Scaled(percent) with { Cap = Cap is { } cap ? Part(cap, percent) : null };
}

/// <summary>
/// Interim work by the day, in arrears: a CMO's date with a full day's minutes approved is 1 day, with half of them or more ½, with less none. Source: domain §5,
/// docs/billing.md.
/// </summary>
/// <param name="DayRate">Minor units a day, ≥ 0.</param>
/// <param name="FullDayMinutes">1–1,440.</param>
/// <param name="EstimatedMonthly">Minor units that a month is expected to come to, ≥ 0: for the client's sign-off, charged it is not; null: not stated.</param>
[GenerateSerializer, Immutable, Alias("billing.day-rate")]
public sealed record DayRateTerms(
    LocalDate EffectiveFrom, LegalEntityId Seller, Currency Currency, BillCycle Cycle, long DayRate, int FullDayMinutes, long? EstimatedMonthly = null)
    : Terms(EffectiveFrom, Seller, Currency, Cycle)
{
    public override bool HasMeter => false;

    [JsonIgnore]
    public override TimeRate TimeRate => new(DayRate, FullDay: FullDayMinutes);

    protected override Money? Charges => EstimatedMonthly is { } estimate ? new Money(estimate, Currency) : null;

    /// <summary>Half days that a CMO's approved minutes of one date come to: 0, 1 or 2.</summary>
    public int HalfDays(long approved) => approved >= FullDayMinutes ? 2 : 2 * approved >= FullDayMinutes ? 1 : 0;
}

/// <summary>Named amounts, each due when it is marked as reached. Time is charged nothing for.</summary>
/// <param name="Milestones">1–100, each id once.</param>
[GenerateSerializer, Immutable, Alias("billing.milestones")]
public sealed record MilestoneTerms(LocalDate EffectiveFrom, LegalEntityId Seller, Currency Currency, BillCycle Cycle, ImmutableArray<Milestone> Milestones)
    : Terms(EffectiveFrom, Seller, Currency, Cycle)
{
    public const int Most = 100;

    public override bool HasMeter => false;

    [JsonIgnore]
    public override TimeRate TimeRate => new(null);

    /// <summary>All of them: they may be reached in one month.</summary>
    protected override Money? Charges => Milestones.Aggregate(Money.Zero(Currency), (sum, m) => sum + new Money(m.Amount, Currency));
}

/// <summary>
/// Blocks of hours sold up front, which expire: the first with the activation, more by hand, or by themselves at a threshold. What exceeds them goes through the
/// overage gate. Source: domain §5.
/// </summary>
/// <param name="BlockPrice">Minor units a block, ≥ 0.</param>
/// <param name="BlockMinutes">60–600,000.</param>
/// <param name="ValidMonths">How long a block may be drawn, 1–60 months from its first day.</param>
/// <param name="OverageHourlyRate">Minor units an hour; null: no overage is ever charged.</param>
/// <param name="Gate">What an approval beyond the grants does.</param>
/// <param name="TopUpBelowMinutes">An approval that would leave less than this is preceded by the sale of another block, 0 to the block's minutes; null: no block is sold by itself.</param>
/// <param name="Priority">Of a block in the burn order, 1–99.</param>
[GenerateSerializer, Immutable, Alias("billing.prepaid")]
public sealed record PrepaidTerms(
    LocalDate EffectiveFrom, LegalEntityId Seller, Currency Currency, BillCycle Cycle,
    long BlockPrice, int BlockMinutes, int ValidMonths, long? OverageHourlyRate, OverageGate Gate, int? TopUpBelowMinutes = null, int Priority = Time.Grant.PrepaidPriority)
    : Terms(EffectiveFrom, Seller, Currency, Cycle)
{
    public override bool HasMeter => true;

    [JsonIgnore]
    public override OverageGate? Beyond => Gate;

    [JsonIgnore]
    public override TimeRate TimeRate => new(OverageHourlyRate);

    /// <summary>A block: more may be sold in a month, and none in others.</summary>
    protected override Money? Charges => new Money(BlockPrice, Currency);
}
