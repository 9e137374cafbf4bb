using System.Text;
using AgencyPlatform.Benchmarks.Servers;
using Spectre.Console;

namespace AgencyPlatform.Benchmarks.Reporting;

/// <summary>A table of results, for the screen and for a document.</summary>
/// <param name="Heading">When, where and how it was measured.</param>
internal sealed record ResultTable(string Heading, IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string>> Rows)
{
    public void Print()
    {
        var table = new Table { Title = new TableTitle(Markup.Escape(Heading)) };
        foreach (var (column, i) in Columns.Select((c, i) => (c, i)))
        {
            table.AddColumn(new TableColumn(Markup.Escape(column)) { Alignment = i == 0 ? Justify.Left : Justify.Right });
        }

        foreach (var row in Rows)
        {
            table.AddRow([.. row.Select(Markup.Escape)]);
        }

        AnsiConsole.Write(table);
    }

    public string Markdown()
    {
        var text = new StringBuilder();
        text.AppendLine(Heading).AppendLine();
        text.AppendLine($"| {string.Join(" | ", Columns)} |").AppendLine($"|---|{string.Concat(Enumerable.Repeat("---:|", Columns.Count - 1))}");
        foreach (var row in Rows)
        {
            text.AppendLine($"| {string.Join(" | ", row)} |");
        }

        return text.ToString();
    }

    /// <summary>Puts tables into a document, between the two marks of this name.</summary>
    /// <exception cref="BenchmarkException">It has no such marks.</exception>
    public static void WriteInto(string document, string mark, IEnumerable<ResultTable> tables)
    {
        var (first, last) = ($"<!-- {mark}: begin -->", $"<!-- {mark}: end -->");
        var text = File.ReadAllText(document);
        var begin = text.IndexOf(first, StringComparison.Ordinal);
        var end = text.IndexOf(last, StringComparison.Ordinal);
        if (begin < 0 || end < begin)
        {
            throw new BenchmarkException($"{document} has no place for the table: it needs the lines {first} and {last}.");
        }

        File.WriteAllText(document, $"{text[..(begin + first.Length)]}\n{string.Join("\n", tables.Select(t => t.Markdown())).ReplaceLineEndings("\n")}{text[end..]}");
    }
}
