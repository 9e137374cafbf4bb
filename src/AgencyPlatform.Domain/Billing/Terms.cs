using System.Text.Json.Serialization;
using NodaTime;

namespace AgencyPlatform.Domain.Billing;

/// <summary>What an engagement charges, from a date on; terms are effective-dated, a change never rewrites what came before. Source: domain §5.</summary>
/// <param name="EffectiveFrom">The first day on which these terms hold.</param>
/// <param name="Seller">The agency's legal entity that invoices.</param>
/// <param name="Cycle">Bill-cycle day and length of the period.</param>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(RetainerTerms), "retainer")]
[JsonDerivedType(typeof(HourlyTerms), "hourly")]
[GenerateSerializer, Immutable, Alias("billing.terms")]
public abstract record Terms(LocalDate EffectiveFrom, LegalEntityId Seller, Currency Currency, BillCycle Cycle)
{
    /// <summary>Whether billable minutes draw on grants (retainer) or are charged one by one (hourly).</summary>
    [JsonIgnore]
    public abstract bool HasMeter { get; }

    /// <summary>What a month comes to, rounded once: what a client's sign-off rule looks at; null when nobody has stated it.</summary>
    [JsonIgnore]
    public abstract Money? MonthlyEquivalent { get; }
}

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
    public override Money? MonthlyEquivalent => new Money(Fee, Currency).Times(1, Cycle.Months);
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
[GenerateSerializer, Immutable, Alias("billing.hourly")]
public sealed record HourlyTerms(LocalDate EffectiveFrom, LegalEntityId Seller, Currency Currency, BillCycle Cycle, long HourlyRate, long? EstimatedMonthly = null)
    : Terms(EffectiveFrom, Seller, Currency, Cycle)
{
    public override bool HasMeter => false;

    [JsonIgnore]
    public override Money? MonthlyEquivalent => EstimatedMonthly is { } estimate ? new Money(estimate, Currency) : null;
}

/// <summary>Whether a period's fee falls due at its start or after its end.</summary>
public enum FeeTiming { InAdvance, InArrears }

/// <summary>What happens to an approval that exceeds the grants: refused, parked until the client consents, or charged at the overage rate.</summary>
public enum OverageGate { Block, Consent, Bill }
