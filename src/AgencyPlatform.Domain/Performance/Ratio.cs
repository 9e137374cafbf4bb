using System.Globalization;
using System.Numerics;

namespace AgencyPlatform.Domain.Performance;

/// <summary>An exact fraction, in lowest terms, its denominator above zero.</summary>
internal readonly record struct Ratio
{
    public Ratio(BigInteger numerator, BigInteger denominator)
    {
        var divisor = BigInteger.GreatestCommonDivisor(numerator, denominator) * denominator.Sign;
        (Numerator, Denominator) = (numerator / divisor, denominator / divisor);
    }

    public BigInteger Numerator { get; }

    public BigInteger Denominator { get; }

    public bool IsZero => Numerator.IsZero;

    public static Ratio operator +(Ratio a, Ratio b) => new(a.Numerator * b.Denominator + b.Numerator * a.Denominator, a.Denominator * b.Denominator);

    public static Ratio operator -(Ratio a, Ratio b) => a + -b;

    public static Ratio operator -(Ratio a) => new(-a.Numerator, a.Denominator);

    public static Ratio operator *(Ratio a, Ratio b) => new(a.Numerator * b.Numerator, a.Denominator * b.Denominator);

    /// <summary>The divisor is not zero.</summary>
    public static Ratio operator /(Ratio a, Ratio b) => new(a.Numerator * b.Denominator, a.Denominator * b.Numerator);

    /// <summary>Whether it has at most so many bits above and below the line.</summary>
    public bool Fits(int bits) => Numerator.GetBitLength() <= bits && Denominator.GetBitLength() <= bits;

    /// <summary>In 10^-decimals, rounded once, half away from zero; null: beyond what a value may be.</summary>
    public long? Rounded(int decimals)
    {
        var (scaled, most) = (Numerator * BigInteger.Pow(10, decimals), Money.MostMinor * Denominator);
        return BigInteger.Abs(scaled) > most ? null : Rounding.HalfAwayFromZero(scaled, Denominator);
    }
}

/// <summary>Numbers of whole units of a power of ten, as text.</summary>
public static class DecimalText
{
    /// <summary>−1,250 with 2 decimals is <c>-12.50</c>.</summary>
    public static string Of(long value, int decimals) => (value / (decimal)BigInteger.Pow(10, decimals)).ToString("F" + decimals, CultureInfo.InvariantCulture);

    /// <summary>A number of at most 15 digits, 6 of them behind the point, with its scale; null: it is none.</summary>
    public static (long Unscaled, int Scale)? Read(string text)
    {
        var digits = text.StartsWith('-') ? text[1..] : text;
        var point = digits.IndexOf('.', StringComparison.Ordinal);
        var (whole, fraction) = point < 0 ? (digits, "") : (digits[..point], digits[(point + 1)..]);
        return whole.Length == 0 || whole.Length + fraction.Length > 15 || fraction.Length > Kpi.MostDecimals || (point >= 0 && fraction.Length == 0) || !(whole + fraction).All(char.IsAsciiDigit) ? null
            : (long.Parse(text.Replace(".", "", StringComparison.Ordinal), CultureInfo.InvariantCulture), fraction.Length);
    }
}
