namespace AgencyPlatform.Domain.Billing;

/// <summary>How a supply is taxed, by EN 16931 (UNTDID 5305 codes in brackets).</summary>
public enum TaxCategory
{
    /// <summary>Not subject to tax (O): the default, where nothing else is said.</summary>
    OutOfScope,

    /// <summary>At a rate above zero (S).</summary>
    Standard,

    /// <summary>At a rate of zero (Z).</summary>
    ZeroRated,

    /// <summary>Exempt (E).</summary>
    Exempt,

    /// <summary>The buyer owes the tax (AE).</summary>
    ReverseCharge,
}

/// <summary>Category and rate together: tax is summed and rounded once for each such pair of a document. Source: domain §5, EN 16931 BG-23.</summary>
/// <param name="RatePpm">Parts per million: 19 % is 190,000; 8.875 % is 88,750. Above zero for <see cref="TaxCategory.Standard"/>, zero for all others.</param>
[GenerateSerializer, Immutable, Alias("billing.tax-treatment")]
public sealed record TaxTreatment(TaxCategory Category, int RatePpm)
{
    public const int WholePpm = 1_000_000;

    public static TaxTreatment None { get; } = new(TaxCategory.OutOfScope, 0);

    /// <summary>What is wrong with it, or null.</summary>
    public string? Violation() =>
        RatePpm is < 0 or > WholePpm ? "must be 0 to 100 percent"
        : Category == TaxCategory.Standard && RatePpm == 0 ? "must be above 0 for the standard category; take the zero-rated one for 0"
        : Category != TaxCategory.Standard && RatePpm != 0 ? "must be 0 in every category but the standard one"
        : null;

    /// <summary>The tax on a taxable amount, rounded once.</summary>
    public Money On(Money taxable) => taxable.Times(RatePpm, WholePpm);
}
