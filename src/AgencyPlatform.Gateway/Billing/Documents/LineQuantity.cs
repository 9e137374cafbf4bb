using System.Numerics;
using AgencyPlatform.Domain.Billing;
using InvoiceLine = AgencyPlatform.Domain.Billing.InvoiceLine;

namespace AgencyPlatform.Gateway.Billing.Documents;

/// <summary>
/// A line's amount as quantity × price ÷ base quantity, such that it comes to the amount when it is rounded once: a reader recomputes it. A period's whole fee
/// is one month (quarter, half-year, year); a part of it days at the fee for the period's days; minutes are decimal hours where these end within two
/// decimals, else minutes at the rate for sixty; half days are days at the rate of one. What does not come to the amount so (the rest of a key that was rounded with others, a credit of a part)
/// is one piece at the amount.
/// </summary>
/// <param name="Hundredths">The quantity × 100; negative where the amount is.</param>
/// <param name="Unit">UNECE recommendation 20.</param>
/// <param name="Price">Minor units, never negative, for <paramref name="Base"/> units.</param>
internal sealed record LineQuantity(long Hundredths, string Unit, long Price, int Base)
{
    public const string Month = "MON", Quarter = "QAN", HalfYear = "SAN", Year = "ANN", Day = "DAY", Hour = "HUR", Minute = "MIN", Piece = "C62";

    private const int MinutesOfHour = 60;

    /// <summary>Decimals to which a reader of EN 16931 rounds, whatever the currency has.</summary>
    public const int ReadersDecimals = 2;

    /// <param name="decimals">Decimals of the currency.</param>
    /// <param name="roundedTo">Decimals to which the reader rounds the product, at least those.</param>
    /// <param name="sign">−1 on a credit note, whose amounts are stated as positive.</param>
    public static LineQuantity Of(InvoiceLine line, int decimals, int roundedTo, int sign = 1)
    {
        var finer = BigInteger.Pow(10, roundedTo - decimals);
        var (quantity, amount) = (sign * line.Quantity, sign * line.Amount);
        var stated = line switch
        {
            { Unit: LineUnit.Days, FullDays: > 0 } when Math.Abs(quantity) == line.FullDays => new LineQuantity(100 * Math.Sign(quantity), Period(line.FullDays), line.Item.Rate, 1),
            { Unit: LineUnit.Days, FullDays: > 0 } => new LineQuantity(100 * quantity, Day, line.Item.Rate, line.FullDays),
            { Unit: LineUnit.HalfDays } => new LineQuantity(50 * quantity, Day, line.Item.Rate, 1),
            { Unit: LineUnit.Minutes } when quantity % 3 == 0 => new LineQuantity(quantity * 100 / MinutesOfHour, Hour, line.Item.Rate, 1),
            { Unit: LineUnit.Minutes } => new LineQuantity(100 * quantity, Minute, line.Item.Rate, MinutesOfHour),
            _ => null,
        };
        return stated is { Hundredths: not 0, Price: >= 0 } && Rounding.HalfAwayFromZero(finer * stated.Hundredths * stated.Price, 100 * stated.Base) == finer * amount
            ? stated
            : new LineQuantity(amount < 0 ? -100 : 100, Piece, Math.Abs(amount), 1);
    }

    private static string Period(int days) => days switch
    {
        >= 28 and <= 31 => Month,
        >= 89 and <= 92 => Quarter,
        >= 181 and <= 184 => HalfYear,
        365 or 366 => Year,
        _ => Piece,
    };
}
