using System.Globalization;
using AgencyPlatform.Domain.Time;
using CsvHelper;
using NodaTime.Text;
using V1 = AgencyPlatform.Protocol.Time.V1;

namespace AgencyPlatform.Gateway.Time;

/// <summary>A row of a file of worked time: whose, and as LogTime takes it; or what is wrong with it, by column.</summary>
/// <param name="Line">In the file, whose header is line 1.</param>
internal sealed record TimeFileRow(int Line, string Cmo, V1.TimeEntry Entry, IReadOnlyList<FieldViolation> Errors);

/// <summary>Reads a CSV file of worked time. Every wrong cell is named.</summary>
internal static class TimeFile
{
    private const string Cmo = "cmo", EntryId = "entry_id", Engagement = "engagement", Date = "date", Minutes = "minutes", Category = "category", Billable = "billable", Paid = "paid", Note = "note", Corrects = "corrects";

    private static readonly string[] s_required = [Cmo, EntryId, Date, Minutes];
    private static readonly string[] s_columns = [Cmo, EntryId, Engagement, Date, Minutes, Category, Billable, Paid, Note, Corrects];

    /// <param name="fields">Takes what is wrong with the file as a whole.</param>
    /// <param name="mostRows">Reading ends after one row more.</param>
    public static IReadOnlyList<TimeFileRow> Read(string text, AgencyId agency, int mostRows, Fields fields)
    {
        var rows = new List<TimeFileRow>();
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
                OnMalformedRecord = bad => rows.Add(new TimeFileRow(
                    (int)bad.LineNumber, "", new V1.TimeEntry(), [new FieldViolation("", "must have its quotes in pairs and its cells on one line: a cell in quotes ends with one, a quote within is doubled, and no cell has a line break")])),
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
        while (!fields.Any && rows.Count <= mostRows && csv.Read())
        {
            rows.Add(Row(csv, headers.Count, agency));
        }

        fields.Require(fields.Any || rows.Count is > 0 && rows.Count <= mostRows, "csv", $"must have 1 to {mostRows} rows below its header");
        return [.. rows.OrderBy(r => r.Line)];
    }

    private static TimeFileRow Row(CsvReader csv, int columns, AgencyId agency)
    {
        var wrong = new List<FieldViolation>();
        if (csv.FieldCount > columns)
        {
            wrong.Add(new FieldViolation("", $"must have {columns} cells as the header; it has {csv.FieldCount} (a cell with a comma in it needs quotes)"));
        }

        var engagement = Text(Engagement);
        var entry = new V1.TimeEntry
        {
            EntryId = Text(EntryId),
            Engagement = engagement.Length == 0 ? "" : ResourceNames.Of(agency, "engagements", engagement),
            Category = Text(Category),
            Note = Text(Note),
            Corrects = Text(Corrects),
            NonBillable = !YesNo(Billable, engagement.Length > 0),
            Unpaid = !YesNo(Paid, true),
        };
        if (LocalDatePattern.Iso.Parse(Text(Date)) is { Success: true, Value: var date })
        {
            entry.Date = date.ToWire();
        }
        else
        {
            wrong.Add(new FieldViolation(Date, $"must be a date such as 2026-03-31; it is '{Text(Date)}'"));
        }

        if (int.TryParse(Text(Minutes), NumberStyles.None, CultureInfo.InvariantCulture, out var minutes))
        {
            entry.Minutes = minutes;
        }
        else
        {
            wrong.Add(new FieldViolation(Minutes, $"must be a whole number from 1 to {Timesheet.MinutesOfDay}; it is '{Text(Minutes)}'"));
        }

        return new TimeFileRow((int)csv.LineNumber, Text(Cmo), entry, wrong);

        string Text(string column) => csv.TryGetFieldIndex(column, out var index) ? csv.GetString(index) : "";

        bool YesNo(string column, bool otherwise)
        {
            switch (Text(column).ToLowerInvariant())
            {
                case "":
                    return otherwise;
                case "yes" or "true":
                    return true;
                case "no" or "false":
                    return false;
                default:
                    wrong.Add(new FieldViolation(column, $"must be yes or no; it is '{Text(column)}'"));
                    return otherwise;
            }
        }
    }

    private static string Normal(string header) => header.Trim().ToLowerInvariant();
}
