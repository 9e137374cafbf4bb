using System.Collections.Immutable;
using System.Text.Json.Serialization;
using NodaTime;

namespace AgencyPlatform.Domain.Billing;

/// <summary>What an engagement charges, from a date on; terms are effective-dated, a change never rewrites what came before. Source: domain §5.</summary>
/// <param name="EffectiveFrom">The first day on which these terms hold.</param>
/// <param name="Seller">The agency's legal entity that invoices.</param>
/// <param name="Cycle">Bill-cycle day and length of the period.</param>
/// <param name="Minimum">What the charges of each period come to at least; null: no such promise.</param>
/// <param name="Discounts">What is taken off, in order; null: nothing.</param>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(RetainerTerms), "retainer")]
[JsonDerivedType(typeof(HourlyTerms), "hourly")]
[JsonDerivedType(typeof(DayRateTerms), "day-rate")]
[JsonDerivedType(typeof(MilestoneTerms), "milestones")]
[JsonDerivedType(typeof(PrepaidTerms), "prepaid")]
[GenerateSerializer, Immutable, Alias("billing.terms")]
public abstract record Terms(
    LocalDate EffectiveFrom, LegalEntityId Seller, Currency Currency, BillCycle Cycle, MinimumCommitment? Minimum = null, ImmutableArray<Discount>? Discounts = null)
{
    /// <summary>Whether billable minutes draw on grants (retainer, prepaid) or are charged one by one.</summary>
    [JsonIgnore]
    public abstract bool HasMeter { get; }

    /// <summary>What a month comes to, rounded once: what a client's sign-off rule looks at; null when nobody has stated it. A minimum counts where it is more, a discount does not count.</summary>
    [JsonIgnore]
    public Money? MonthlyEquivalent =>
        Charges is { } charges && Minimum is { } least && Monthly(least.Amount) is { } promised && promised.Minor > charges.Minor ? promised : Charges;

    /// <summary>What happens beyond the meter; null under terms without one.</summary>
    [JsonIgnore]
    public virtual OverageGate? Beyond => null;

    /// <summary>What approved time is charged at: two terms of a kind that are alike in it charge the same entry alike.</summary>
    [JsonIgnore]
    public abstract TimeRate TimeRate { get; }

    /// <summary>What a month's charges are expected to come to; null: not known.</summary>
    protected abstract Money? Charges { get; }

    /// <summary>A share of every amount and of the minutes that belong to a period; a rate, a price and a percentage stay. A taper's step.</summary>
    /// <param name="percent">0–100.</param>
    public virtual Terms Scaled(int percent) => this with
    {
        Minimum = Minimum is { } least ? least with { Amount = Part(least.Amount, percent) } : null,
        Discounts = Discounts is { } all ? [.. all.Select(d => d.Amount is { } amount ? d with { Amount = Part(amount, percent) } : d)] : null,
    };

    /// <summary>The terms while nobody works: a share of what belongs to a period, and no included minutes.</summary>
    /// <param name="percent">0–100.</param>
    public virtual Terms AtRest(int percent) => Scaled(percent);

    /// <summary>An amount a period as one a month.</summary>
    protected Money Monthly(long perPeriod) => new Money(perPeriod, Currency).Times(1, Cycle.Months);

    private protected static long Part(long amount, int percent) => Rounding.HalfAwayFromZero((System.Numerics.BigInteger)amount * percent, 100);
}

/// <summary>What an entry is charged at, whatever else the terms say.</summary>
/// <param name="Rate">Minor units an hour or a day; null: nothing is charged for time.</param>
/// <param name="Increment">Minutes that an entry is rounded up to; 0: none.</param>
/// <param name="Minimum">Minutes that an entry is charged at least; 0: none.</param>
/// <param name="FullDay">Minutes of a full day; 0: no days are charged.</param>
public readonly record struct TimeRate(long? Rate, int Increment = 0, int Minimum = 0, int FullDay = 0);

/// <summary>Whether a period's fee falls due at its start or after its end.</summary>
public enum FeeTiming { InAdvance, InArrears }

/// <summary>What happens to an approval that exceeds the grants: refused, parked until the client consents, or charged at the overage rate.</summary>
public enum OverageGate { Block, Consent, Bill }
