using System.Collections.Immutable;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace AgencyPlatform.Gateway;

/// <summary>From the domain's values to the wire's.</summary>
public static class Wire
{
    public static Protocol.Type.V1.Money ToWire(this Money money) => new() { MinorUnits = money.Minor, Currency = money.Currency.Code };

    public static Google.Type.Date ToWire(this LocalDate date) => new() { Year = date.Year, Month = date.Month, Day = date.Day };

    public static Timestamp ToWire(this Instant instant) => Timestamp.FromDateTimeOffset(instant.ToDateTimeOffset());

    public static Timestamp? ToWire(this Instant? instant) => instant?.ToWire();

    public static Google.Type.Date? ToWire(this LocalDate? date) => date?.ToWire();

    /// <summary>The wire's value of the same name: <c>Role.AgencyAdmin</c> is <c>ROLE_AGENCY_ADMIN</c>.</summary>
    public static TWire ToWire<TWire>(this System.Enum value) where TWire : struct, System.Enum => System.Enum.Parse<TWire>(value.ToString());

    /// <summary>A rate in parts per million as a percentage: 88,750 is <c>8.875</c>.</summary>
    public static string ToPercent(this Domain.Billing.TaxTreatment tax) => Percent(tax.RatePpm);

    /// <summary>Parts per million as percent.</summary>
    public static string Percent(int ppm) => (ppm / 10_000m).ToString("0.####", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Fills a wire map.</summary>
    public static void Put(this Google.Protobuf.Collections.MapField<string, string> map, ImmutableSortedDictionary<string, string> values)
    {
        foreach (var (key, value) in values)
        {
            map[key] = value;
        }
    }

    /// <summary>The proto name of a C# enum value.</summary>
    internal static string NameOf<TWire>(TWire value) where TWire : struct, System.Enum =>
        typeof(TWire).GetField(value.ToString())?.GetCustomAttributes(typeof(OriginalNameAttribute), false).Cast<OriginalNameAttribute>().FirstOrDefault()?.Name ?? value.ToString();
}
