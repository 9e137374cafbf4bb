using System.Globalization;
using System.Numerics;

namespace AgencyPlatform.Domain;

/// <summary>An ISO 4217 currency in use, with its number of decimals (0, 2 or 3).</summary>
[GenerateSerializer, Immutable, Alias("currency")]
public readonly record struct Currency([property: Id(0)] string Code)
{
    // ISO 4217:2015 list one, active codes; all not named here have two decimals.
    private static readonly HashSet<string> s_twoDecimals = [.. (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP " +
        "DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD " +
        "LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD " +
        "SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW ZWG").Split(' ')];

    private static readonly HashSet<string> s_noDecimals = [.. "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".Split(' ')];
    private static readonly HashSet<string> s_threeDecimals = [.. "BHD IQD JOD KWD LYD OMR TND".Split(' ')];

    public static bool IsKnown(string? code) =>
        code is not null && (s_twoDecimals.Contains(code) || s_noDecimals.Contains(code) || s_threeDecimals.Contains(code));

    /// <summary>How many digits follow the decimal point: 100 minor units are one dollar, 1 is one yen.</summary>
    public int Decimals => s_noDecimals.Contains(Code) ? 0 : s_threeDecimals.Contains(Code) ? 3 : 2;

    public override string ToString() => Code;
}

/// <summary>An amount in minor units of a currency. Two currencies never add; overflow throws, never wraps.</summary>
[GenerateSerializer, Immutable, Alias("money")]
public readonly record struct Money([property: Id(0)] long Minor, [property: Id(1)] Currency Currency)
{
    /// <summary>The most minor units that a request may name.</summary>
    public const long MostMinor = 1_000_000_000_000_000;

    public static Money Zero(Currency currency) => new(0, currency);

    public static Money operator +(Money a, Money b) => a with { Minor = checked(a.Minor + Same(a, b).Minor) };

    public static Money operator -(Money a, Money b) => a with { Minor = checked(a.Minor - Same(a, b).Minor) };

    public static Money operator -(Money a) => a with { Minor = checked(-a.Minor) };

    /// <summary>The amount × numerator ÷ denominator, exact until it is rounded once, half away from zero.</summary>
    public Money Times(BigInteger numerator, BigInteger denominator) =>
        this with { Minor = Rounding.HalfAwayFromZero(Minor * numerator, denominator) };

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{(Minor / (decimal)Math.Pow(10, Currency.Decimals)).ToString("N" + Currency.Decimals, CultureInfo.InvariantCulture)} {Currency}");

    private static Money Same(Money a, Money b) =>
        a.Currency == b.Currency ? b : throw new InvalidOperationException($"{a.Currency} and {b.Currency} do not add.");
}

/// <summary>The product's roundings: a value is multiplied exactly and rounded once.</summary>
public static class Rounding
{
    /// <summary>Money: half away from zero (25 % of −625,743.54 is −156,435.89).</summary>
    public static long HalfAwayFromZero(BigInteger numerator, BigInteger denominator)
    {
        if (denominator.Sign < 0)
        {
            (numerator, denominator) = (-numerator, -denominator);
        }

        var twice = 2 * BigInteger.Abs(numerator) + denominator;
        return (long)(numerator.Sign * BigInteger.Divide(twice, 2 * denominator));
    }

    /// <summary>Minutes of a non-negative fraction: half up.</summary>
    public static long HalfUp(BigInteger numerator, BigInteger denominator) =>
        (long)FloorDivide(2 * numerator + denominator, 2 * denominator);

    /// <inheritdoc cref="HalfUp(BigInteger, BigInteger)"/>
    public static long HalfUp(long numerator, long denominator)
    {
        Int128 n = numerator;
        return checked((long)FloorDivide(2 * n + denominator, 2 * (Int128)denominator));
    }

    /// <summary>The smallest whole number not below the fraction.</summary>
    public static long Up(BigInteger numerator, BigInteger denominator) => (long)-FloorDivide(-numerator, denominator);

    /// <inheritdoc cref="Up(BigInteger, BigInteger)"/>
    public static long Up(long numerator, long denominator) => checked((long)-FloorDivide(-(Int128)numerator, denominator));

    /// <summary>
    /// Splits a whole in proportion to weights by largest remainder, ties to the earlier part; the parts sum to the whole.
    /// All weights zero: the whole goes nowhere (all parts zero).
    /// </summary>
    public static long[] Split(long whole, IReadOnlyList<long> weights)
    {
        var parts = new long[weights.Count];
        if (SplitSmall(whole, weights, parts))
        {
            return parts;
        }

        BigInteger total = 0;
        foreach (var weight in weights)
        {
            total += weight;
        }

        if (total.IsZero)
        {
            return parts;
        }

        var negative = whole < 0;
        BigInteger amount = BigInteger.Abs(whole);
        var remainders = new (BigInteger Remainder, int Index)[weights.Count];
        BigInteger given = 0;
        for (var i = 0; i < weights.Count; i++)
        {
            var quotient = BigInteger.DivRem(amount * weights[i], total, out var remainder);
            parts[i] = (long)quotient;
            remainders[i] = (remainder, i);
            given += quotient;
        }

        Array.Sort(remainders, (a, b) => a.Remainder != b.Remainder ? b.Remainder.CompareTo(a.Remainder) : a.Index.CompareTo(b.Index));
        var rest = (int)(amount - given);
        for (var i = 0; i < rest; i++)
        {
            parts[remainders[i].Index]++;
        }

        if (negative)
        {
            for (var i = 0; i < parts.Length; i++)
            {
                parts[i] = -parts[i];
            }
        }

        return parts;
    }

    /// <summary>The same in 64 bits, where whole and weights are not negative and small enough: minutes over weeks.</summary>
    private static bool SplitSmall(long whole, IReadOnlyList<long> weights, long[] parts)
    {
        if (whole is < 0 or > int.MaxValue || weights.Count > 64)
        {
            return false;
        }

        var total = 0L;
        for (var i = 0; i < weights.Count; i++)
        {
            if (weights[i] is < 0 or > int.MaxValue)
            {
                return false;
            }

            total += weights[i];
        }

        if (total == 0)
        {
            return true;
        }

        Span<long> remainders = stackalloc long[64];
        var rest = whole;
        for (var i = 0; i < parts.Length; i++)
        {
            (parts[i], remainders[i]) = Math.DivRem(whole * weights[i], total);
            rest -= parts[i];
        }

        for (; rest > 0; rest--)
        {
            var largest = 0;
            for (var i = 1; i < parts.Length; i++)
            {
                if (remainders[i] > remainders[largest])
                {
                    largest = i;
                }
            }

            parts[largest]++;
            remainders[largest] = -1;
        }

        return true;
    }

    private static Int128 FloorDivide(Int128 numerator, Int128 denominator)
    {
        var (quotient, remainder) = Int128.DivRem(numerator, denominator);
        return remainder != 0 && remainder < 0 != denominator < 0 ? quotient - 1 : quotient;
    }

    private static BigInteger FloorDivide(BigInteger numerator, BigInteger denominator)
    {
        var quotient = BigInteger.DivRem(numerator, denominator, out var remainder);
        return !remainder.IsZero && remainder.Sign < 0 != denominator.Sign < 0 ? quotient - 1 : quotient;
    }
}
