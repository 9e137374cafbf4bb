using System.Globalization;
using CsvHelper;
using NodaTime.Text;
using V1 = AgencyPlatform.Protocol.Performance.V1;

namespace AgencyPlatform.Gateway.Performance;

/// <summary>Reads a CSV file of KPI values. Every wrong cell is named with its line and column.</summary>
internal static class KpiFile
{
    private const string Kpi = "kpi", Month = "month", Channel = "channel", Value = "value", Currency = "currency", Attribution = "attribution", Reason = "reason";

    private static readonly string[] s_required = [Kpi, Month, Value];
    private static readonly string[] s_columns = [Kpi, Month, Channel, Value, Currency, Attribution, Reason];

    /// <summary>The rows as RecordKpiValues takes them, each with its line (the header is line 1).</summary>
    public static IReadOnlyList<(int Line, V1.KpiEntry Entry)> Read(string text, int mostRows, Fields fields)
    {
        var rows = new List<(int, V1.KpiEntry)>();
        using var csv = CsvReader.Create(
            new StringReader(text),
            new CsvReaderOptions
            {
                TrimWhitespace = true,
                TrackLineNumbers = true,
                NormalizeHeaderName = Normal,
                // No cell has several lines, so that a quote that is not closed spoils its own row only.
                AllowLineBreaksInQuotes = false,
                MalformedData = CsvMalformedDataHandling.Skip,
                OnMalformedRecord = bad => fields.Add("csv", string.Create(CultureInfo.InvariantCulture, $"line {bad.LineNumber} must have its quotes in pairs and its cells on one line")),
            });
        csv.ReadHeader();
        var headers = csv.Headers.Select(Normal).ToList();
        foreach (var header in headers.Where(h => !s_columns.Contains(h)))
        {
            fields.Add("csv", $"must have the columns {string.Join(',', s_columns)} only; '{header}' is none of them");
        }

        foreach (var missing in s_required.Except(headers))
        {
            fields.Add("csv", $"must have the column {missing} in its first line");
        }

        fields.Require(headers.Distinct().Count() == headers.Count, "csv", "must have each column once");
        if (fields.Has("csv"))
        {
            return rows;
        }

        while (rows.Count <= mostRows && csv.Read())
        {
            rows.Add(((int)csv.LineNumber, Row(csv, headers.Count, fields)));
        }

        fields.Require(rows.Count > 0 && rows.Count <= mostRows, "csv", $"must have 1 to {mostRows} rows below its header");
        return rows;
    }

    /// <summary>A bad field of an entry, by the file's own name of its column.</summary>
    public static string Named(int line, string field, string description)
    {
        var column = field switch { "kpi_id" => Kpi, "value.amount.currency" => Currency, _ when field.StartsWith("value", StringComparison.Ordinal) => Value, _ => field };
        return string.Create(CultureInfo.InvariantCulture, $"line {line}, column {column}: {description}");
    }

    private static V1.KpiEntry Row(CsvReader csv, int columns, Fields fields)
    {
        var line = (int)csv.LineNumber;
        if (csv.FieldCount > columns)
        {
            fields.Add("csv", string.Create(CultureInfo.InvariantCulture, $"line {line} must have {columns} cells as the header; it has {csv.FieldCount} (a cell with a comma in it needs quotes)"));
        }

        var entry = new V1.KpiEntry { KpiId = Text(Kpi), Channel = Text(Channel), Reason = Text(Reason), Value = new V1.KpiNumber { Number = Text(Value) } };
        if (YearMonthPattern.Iso.Parse(Text(Month)) is { Success: true, Value: var month })
        {
            entry.Month = month.OnDayOfMonth(1).ToWire();
        }
        else
        {
            fields.Add("csv", Named(line, Month, $"must be a month such as 2026-03; it is '{Text(Month)}'"));
            entry.Month = new LocalDate(2000, 1, 1).ToWire();
        }

        switch (Text(Attribution).ToLowerInvariant())
        {
            case "":
                break;
            case "none":
                entry.Attribution = V1.AttributionRule.None;
                break;
            case "first_touch":
                entry.Attribution = V1.AttributionRule.FirstTouch;
                break;
            case "last_touch":
                entry.Attribution = V1.AttributionRule.LastTouch;
                break;
            default:
                fields.Add("csv", Named(line, Attribution, $"must be none, first_touch or last_touch; it is '{Text(Attribution)}'"));
                break;
        }

        if (Text(Currency) is { Length: > 0 } currency)
        {
            entry.Value = Money(line, Text(Value), currency, fields);
        }

        return entry;

        string Text(string column) => csv.TryGetFieldIndex(column, out var index) ? csv.GetString(index) : "";
    }

    /// <summary>An amount in whole units of a currency, as the file has it.</summary>
    private static V1.KpiNumber Money(int line, string text, string code, Fields fields)
    {
        if (!Domain.Currency.IsKnown(code))
        {
            fields.Add("csv", Named(line, Currency, $"must be an ISO 4217 code such as USD; it is '{code}'"));
        }
        else if (Domain.Performance.DecimalText.Read(text) is var (unscaled, scale) && new Domain.Currency(code).Decimals is var decimals && scale <= decimals)
        {
            return new V1.KpiNumber { Amount = new Protocol.Type.V1.Money { MinorUnits = unscaled * (long)Math.Pow(10, decimals - scale), Currency = code } };
        }
        else
        {
            fields.Add("csv", Named(line, Value, $"must be an amount in {code} such as 12{(new Domain.Currency(code).Decimals > 0 ? ".50" : "")}; it is '{text}'"));
        }

        return new V1.KpiNumber { Number = "0" };
    }

    private static string Normal(string header) => header.Trim().ToLowerInvariant();
}
