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
}

/// <summary>A fee per period with included minutes; what exceeds them goes through the overage gate.</summary>
/// <param name="Fee">Per period, minor units of the terms' currency, ≥ 0.</param>
/// <param name="IncludedMinutes">Granted at each period's start, ≥ 0.</param>
/// <param name="OverageHourlyRate">Minor units an hour; null: no overage is ever charged.</param>
/// <param name="Gate">What an approval beyond the grants does.</param>
[GenerateSerializer, Immutable, Alias("billing.retainer")]
public sealed record RetainerTerms(
    LocalDate EffectiveFrom, LegalEntityId Seller, Currency Currency, BillCycle Cycle,
    long Fee, int IncludedMinutes, long? OverageHourlyRate, OverageGate Gate, FeeTiming Timing = FeeTiming.InAdvance)
    : Terms(EffectiveFrom, Seller, Currency, Cycle)
{
    public override bool HasMeter => true;
}

/// <summary>Approved minutes × rate ÷ 60, in arrears.</summary>
/// <param name="HourlyRate">Minor units an hour, ≥ 0.</param>
[GenerateSerializer, Immutable, Alias("billing.hourly")]
public sealed record HourlyTerms(LocalDate EffectiveFrom, LegalEntityId Seller, Currency Currency, BillCycle Cycle, long HourlyRate)
    : Terms(EffectiveFrom, Seller, Currency, Cycle)
{
    public override bool HasMeter => false;
}

/// <summary>Whether a period's fee falls due at its start or after its end.</summary>
public enum FeeTiming { InAdvance, InArrears }

/// <summary>What happens to an approval that exceeds the grants: refused, parked until the client consents, or charged at the overage rate.</summary>
public enum OverageGate { Block, Consent, Bill }
