using System.Globalization;

namespace AgencyPlatform.Domain.Billing;

/// <summary>
/// How a series prints its numbers, and whether it begins again at 1 with each year of the issue date. A printed number is prefix and number; as no prefix ends with a
/// digit, two are the same only when both are.
/// </summary>
/// <param name="Prefix">As printed in front of the number; <see cref="Year"/> in it stands for the issue date's year, four digits.</param>
/// <param name="Digits">Shorter numbers have zeros in front, 1–9.</param>
/// <param name="RestartsYearly">The prefix then has the year.</param>
[GenerateSerializer, Immutable, Alias("billing.series-format")]
public sealed record SeriesFormat(string Prefix, int Digits, bool RestartsYearly)
{
    public const string Year = "{year}";
    public const int LongestPrefix = 30;
    public const int MostDigits = 9;

    private const char AnyDigit = '#';

    /// <summary>That of a series whose format nobody has set: <c>MAIN-000042</c>.</summary>
    public static SeriesFormat Default(InvoiceSeriesId series) => new(series.Value.ToUpperInvariant() + "-", 6, false);

    /// <summary>A number as printed.</summary>
    public string Print(long number, int year) =>
        Prefix.Replace(Year, year.ToString("0000", CultureInfo.InvariantCulture), StringComparison.Ordinal) + number.ToString("D" + Digits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    /// <summary>Reads a number back that is printed so, in capitals or not.</summary>
    /// <param name="year">Null: the prefix has none.</param>
    public bool TryRead(string printed, out long number, out int? year)
    {
        var (at, digits) = (Prefix.IndexOf(Year, StringComparison.Ordinal), printed.Reverse().TakeWhile(char.IsAsciiDigit).Count());
        year = at >= 0 && printed.Length >= at + 4 && int.TryParse(printed.AsSpan(at, 4), NumberStyles.None, CultureInfo.InvariantCulture, out var y) ? y : null;
        return long.TryParse(printed.AsSpan(printed.Length - digits), NumberStyles.None, CultureInfo.InvariantCulture, out number)
            && year is null == at < 0
            && string.Equals(Print(number, year ?? 0), printed, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Whether a series that prints so is yet to give a number that reads like this one.</summary>
    /// <param name="last">The last number that it gave, in <paramref name="lastYear"/>.</param>
    /// <param name="lastYear">0: not known.</param>
    /// <param name="thisYear">Its next number is not dated before.</param>
    public bool IsYetToGive(string printed, long last, int lastYear, int thisYear) =>
        TryRead(printed, out var number, out var year)
        && (year is null || year >= Math.Max(lastYear, thisYear))
        && number > (RestartsYearly && year > lastYear ? 0 : last);

    /// <summary>What is wrong with it, by field.</summary>
    public IEnumerable<FieldViolation> Violations(string path)
    {
        // The year as a letter, so that what is left is read as it stands.
        var rest = Prefix.Replace(Year, "Y", StringComparison.Ordinal);
        var wrong =
            Prefix.Length is 0 or > LongestPrefix ? $"must have 1 to {LongestPrefix} characters; it has {Prefix.Length.ToString(CultureInfo.InvariantCulture)}"
            : Prefix.Split(Year).Length > 2 ? $"must have {Year} once at most"
            : rest.FirstOrDefault(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '/' or '.' or '_')) is var odd and not '\0' ? $"must only have A-Z, a-z, 0-9, '-', '/', '.', '_' and {Year}; it has '{odd}'"
            : !char.IsAsciiLetterOrDigit(rest[0]) ? $"must begin with a letter, a digit or {Year}"
            : char.IsAsciiDigit(rest[^1]) || Prefix.EndsWith(Year, StringComparison.Ordinal) ? $"must not end with a digit or {Year}: nobody could tell where the number begins"
            : RestartsYearly && !Prefix.Contains(Year, StringComparison.Ordinal) ? $"must have {Year} in it, since the series begins again each year: the same number would be printed twice otherwise"
            : null;
        if (wrong is not null)
        {
            yield return new FieldViolation(path + ".prefix", wrong);
        }

        if (Digits is < 1 or > MostDigits)
        {
            yield return new FieldViolation(path + ".digits", $"must be 1 to {MostDigits}; it is {Digits.ToString(CultureInfo.InvariantCulture)}");
        }
    }

    /// <summary>Whether this and another series might print the same, in capitals or not, in any year.</summary>
    public bool Clashes(SeriesFormat other)
    {
        var (mine, others) = (Shape, other.Shape);
        return mine.Length == others.Length && mine.Zip(others).All(p => p.First == p.Second || (IsDigit(p.First) && IsDigit(p.Second) && (p.First == AnyDigit || p.Second == AnyDigit)));

        static bool IsDigit(char c) => c == AnyDigit || char.IsAsciiDigit(c);
    }

    private string Shape => Prefix.Replace(Year, new string(AnyDigit, 4), StringComparison.Ordinal).ToUpperInvariant();
}
