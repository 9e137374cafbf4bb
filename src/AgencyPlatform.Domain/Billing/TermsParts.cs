using NodaTime;

namespace AgencyPlatform.Domain.Billing;

/// <summary>
/// What the client commits to: the charges of a period come to so much at least, prorated by the days on which it holds; what is missing is charged in arrears.
/// Source: domain §5.
/// </summary>
/// <param name="Id">The same in later terms: one commitment, whose amount has changed.</param>
/// <param name="Amount">Minor units a full period, ≥ 0.</param>
[GenerateSerializer, Immutable, Alias("billing.minimum-commitment")]
public sealed record MinimumCommitment(PartId Id, long Amount);

/// <summary>
/// What is taken off the charges and the minimum of the days on which it holds, before tax. Exactly one of percent and amount is set. Source: domain §5.
/// </summary>
/// <param name="Id">The same in later terms: one discount, with one cap.</param>
/// <param name="Dates">The days of charges that it is for; those of the terms that name it, when they end earlier.</param>
/// <param name="Ppm">Parts per million of what is charged, 1–1,000,000: 10 % is 100,000.</param>
/// <param name="Amount">Minor units a full period, prorated by days, and never more than what is charged.</param>
/// <param name="Cap">Minor units: the most that it takes off over all periods; null: no bound.</param>
[GenerateSerializer, Immutable, Alias("billing.discount")]
public sealed record Discount(PartId Id, DateRange Dates, int? Ppm, long? Amount, long? Cap)
{
    /// <summary>How many an engagement's terms may have.</summary>
    public const int Most = 20;

    public const int WholePpm = 1_000_000;
}

/// <summary>A named amount that falls due when it is marked as reached. Source: domain §5.</summary>
/// <param name="Name">For people, 1–200 characters; no personal data.</param>
/// <param name="Amount">Minor units of the terms' currency, ≥ 1.</param>
[GenerateSerializer, Immutable, Alias("billing.milestone")]
public sealed record Milestone(PartId Id, string Name, long Amount);

/// <summary>A milestone that was reached, as the terms had it then.</summary>
/// <param name="On">The day on which it was reached.</param>
[GenerateSerializer, Immutable, Alias("billing.reached-milestone")]
public sealed record ReachedMilestone(PartId Id, string Name, long Amount, LocalDate On);

/// <summary>A block of hours that was sold up front. What of it is not drawn when it expires is the agency's.</summary>
/// <param name="Id">Its grant's id too.</param>
/// <param name="Minutes">1 or more.</param>
/// <param name="Price">Minor units of the terms' currency, ≥ 0: charged on the first day.</param>
/// <param name="EffectiveAt">The first date of entries that may draw on it.</param>
/// <param name="ExpiresAt">The first date that no longer may.</param>
/// <param name="Priority">In the burn order, 1–99.</param>
/// <param name="ToppedUp">Sold by the terms' own threshold, not by anybody's hand.</param>
/// <param name="Deferred">
/// Of an imported block, which was sold and charged elsewhere and has no price here: minor units of its price that were not earned at the cut-over. Null: it was sold here.
/// </param>
[GenerateSerializer, Immutable, Alias("billing.prepaid-block")]
public sealed record PrepaidBlock(
    PartId Id, int Minutes, long Price, LocalDate EffectiveAt, LocalDate ExpiresAt, int Priority = Time.Grant.PrepaidPriority, bool ToppedUp = false, long? Deferred = null)
{
    /// <summary>The minutes that it puts on the meter.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public Time.Grant Grant => new(new Time.GrantId(Id.Value), Minutes, EffectiveAt, ExpiresAt, Priority, Time.GrantOrigin.Prepaid);
}
