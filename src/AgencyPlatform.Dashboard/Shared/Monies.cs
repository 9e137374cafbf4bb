using System.Globalization;
using AgencyPlatform.Protocol.Type.V1;

namespace AgencyPlatform.Dashboard.Shared;

/// <summary>Amounts of money, as pages add them up and ask for them. How they are written is the browser's to say: <see cref="Amount"/>.</summary>
internal static class Monies
{
    private static readonly HashSet<string> s_noDecimals = [.. "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".Split(' ')];
    private static readonly HashSet<string> s_threeDecimals = [.. "BHD IQD JOD KWD LYD OMR TND".Split(' ')];

    /// <summary>By ISO 4217.</summary>
    public static int Decimals(string currency) => s_noDecimals.Contains(currency) ? 0 : s_threeDecimals.Contains(currency) ? 3 : 2;

    /// <summary>As a field has it: 1234.50.</summary>
    public static string Plain(long minor, string currency) => (minor / Unit(currency)).ToString($"F{Decimals(currency)}", CultureInfo.InvariantCulture);

    /// <summary>What a field has, in minor units; null: it is no amount of the currency.</summary>
    public static long? Parse(string? text, string currency) =>
        decimal.TryParse(text, NumberStyles.Number, CultureInfo.InvariantCulture, out var major) && Math.Abs(major) <= 10_000_000_000_000m && decimal.IsInteger(major * Unit(currency))
            ? (long)(major * Unit(currency))
            : null;

    /// <summary>For a chart: near enough.</summary>
    public static double Major(this Money money) => (double)(money.MinorUnits / Unit(money.Currency));

    public static Money With(this Money money, long minor) => new() { Currency = money.Currency, MinorUnits = minor };

    /// <summary>Sums, one for each currency.</summary>
    public static IEnumerable<Money> ByCurrency(this IEnumerable<Money> amounts) =>
        amounts.GroupBy(a => a.Currency, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => new Money { Currency = g.Key, MinorUnits = g.Sum(a => a.MinorUnits) });

    private static decimal Unit(string currency) => Decimals(currency) switch { 0 => 1m, 3 => 1000m, _ => 100m };
}
