using System.Globalization;
using AgencyPlatform.Protocol.Type.V1;

namespace AgencyPlatform.Dashboard.Shared;

/// <summary>Amounts as they are typed: in the currency's main unit.</summary>
public static class Currencies
{
    /// <summary>How many decimals a currency has (ISO 4217).</summary>
    public static int Decimals(string currency) => currency switch
    {
        "BIF" or "CLP" or "DJF" or "GNF" or "ISK" or "JPY" or "KMF" or "KRW" or "PYG" or "RWF" or "UGX" or "VND" or "VUV" or "XAF" or "XOF" or "XPF" => 0,
        "BHD" or "IQD" or "JOD" or "KWD" or "LYD" or "OMR" or "TND" => 3,
        _ => 2,
    };

    /// <summary>As an input field has it: 8000.00.</summary>
    public static string Typed(this Money money) => (money.MinorUnits / Scale(money.Currency)).ToString($"F{Decimals(money.Currency)}", CultureInfo.InvariantCulture);

    /// <summary>Null: it is no amount of the currency, or too large.</summary>
    public static Money? Parse(string? text, string currency) =>
        decimal.TryParse(text, NumberStyles.Number, CultureInfo.InvariantCulture, out var amount) && Math.Abs(amount) < 1_000_000_000_000 && amount * Scale(currency) % 1 == 0
            ? new Money { Currency = currency, MinorUnits = (long)(amount * Scale(currency)) }
            : null;

    private static decimal Scale(string currency) => Decimals(currency) switch { 0 => 1, 3 => 1_000, _ => 100 };
}
