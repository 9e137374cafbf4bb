using System.Globalization;
using System.Text;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Gateway.Billing.Documents;
using CsvHelper;
using PdfSharp.Pdf.IO;
using static AgencyPlatform.Gateway.Tests.Billing.Documents.DocumentSamples;

namespace AgencyPlatform.Gateway.Tests.Billing.Documents;

/// <summary>Invoices for people and for sheets.</summary>
public sealed class Invoices_as_PDF_and_CSV
{
    public static TheoryData<string> Samples => [.. All.Keys];

    [Theory]
    [MemberData(nameof(Samples))]
    public void Every_document_has_a_PDF_with_its_fonts_and_the_same_bytes_each_time(string sample)
    {
        var (file, refused) = PdfInvoice.Write(All[sample]);
        Assert.Null(refused);
        Assert.Equal(file!, PdfInvoice.Write(All[sample]).File!);
        var text = Encoding.Latin1.GetString(file!);
        Assert.Equal(text.Split("/Type/FontDescriptor").Length, text.Split("/FontFile2").Length);
        using var pdf = PdfReader.Open(new MemoryStream(file!), PdfDocumentOpenMode.Import);
        Assert.EndsWith("-000042", pdf.Info.Title, StringComparison.Ordinal);
        Assert.Equal(sample switch { "many lines" => 5, "credit note with a charge" or "every category but one" => 1, _ => pdf.PageCount }, pdf.PageCount);
    }

    [Fact]
    public void The_paper_is_the_buyer_s_country_s()
    {
        Assert.Equal((612, 792), Paper("not subject to tax"));
        Assert.Equal((595, 842), Paper("two rates"));

        static (double, double) Paper(string sample)
        {
            using var pdf = PdfReader.Open(new MemoryStream(PdfInvoice.Write(All[sample]).File!), PdfDocumentOpenMode.Import);
            return (Math.Round(pdf.Pages[0].Width.Point), Math.Round(pdf.Pages[0].Height.Point));
        }
    }

    /// <summary>A milestone is called by its own name, in whatever language the document is.</summary>
    [Theory]
    [InlineData("Credit: Brand book", true, "Korrektur: Brand book")]
    [InlineData("Credit: a campaign", false, "Credit: a campaign")]
    public void A_line_that_is_taken_back_says_so_in_the_documents_language(string description, bool corrects, string line)
    {
        var reached = Fee(All["two rates"].Content.Lines[0].TaxTreatment, 1) with { Item = new ItemKey(new("e"), new(2026, 7, 1), Charge.Milestone, new PartId("m")), Description = description };
        Assert.Equal(line, Words.German.Line(reached with { Corrects = corrects ? new LineReference(new("june"), 1) : null }, "Growth"));
    }

    [Theory]
    [InlineData(120, 1, 1)]
    [InlineData(3, 250, 6)]
    public void However_many_lines_a_text_has_none_is_off_the_page(int addressLines, int termsLines, int pages)
    {
        var source = All["two rates"];
        var content = source.Content with
        {
            Buyer = source.Content.Buyer with { Address = string.Join('\n', Enumerable.Repeat("a", addressLines)) },
            Document = DocumentTerms.None with { PaymentTerms = string.Join('\n', Enumerable.Repeat("a", termsLines)) },
        };
        using var pdf = PdfReader.Open(new MemoryStream(PdfInvoice.Write(source with { Invoice = source.Invoice with { Content = content } }).File!), PdfDocumentOpenMode.Import);
        Assert.Equal(pages, pdf.PageCount);
    }

    [Fact]
    public void Characters_that_no_font_prints_are_named_and_no_box_is_printed()
    {
        var source = All["two rates"];
        var (file, refused) = PdfInvoice.Write(source with { Invoice = source.Invoice with { Content = source.Content with { Buyer = source.Content.Buyer with { LegalName = "شركة" } } } });
        Assert.Null(file);
        Assert.Equal((Reasons.PdfUnprintable, "شركة"), (refused!.Reason, refused.Metadata["characters"]));
    }

    [Fact]
    public void Pictures_are_left_out_and_every_space_is_one()
    {
        var missing = new HashSet<Rune>();
        Assert.Equal([("Launch now", false)], PdfFonts.Runs("Launch\t🚀🏽\u2B50now", missing));
        Assert.Equal([("A ", false), ("株式", true), (" B", false)], PdfFonts.Runs("A 株式 B", missing));
        Assert.Empty(missing);
    }

    [Fact]
    public void A_text_is_broken_where_a_reader_would()
    {
        var pages = new PdfPages(600, 800);
        Assert.Equal(["one two", "three"], pages.Wrap("one two three", pages.Measure("one two t", 10), 10));
        Assert.Equal(["株式会", "社"], pages.Wrap("株式会社", pages.Measure("株式会", 10) + 1, 10));
        Assert.All(pages.Wrap(new string('x', 400), 100, 10), l => Assert.InRange(pages.Measure(l, 10), 1, 100));
        Assert.Equal(400, pages.Wrap(new string('x', 400), 100, 10).Sum(l => l.Length));
        Assert.Equal(["first", "second"], pages.Wrap("first\nsecond", 300, 10));
    }

    [Theory]
    [InlineData("en", "1,234,567.80", "5 January 2026 – 4 February 2026", "8.875 %")]
    [InlineData("de-AT", "1.234.567,80", "5. Januar 2026 – 4. Februar 2026", "8,875 %")]
    [InlineData("fr", "1,234,567.80", "5 January 2026 – 4 February 2026", "8.875 %")]
    public void Numbers_and_dates_are_written_as_the_language_does(string language, string number, string dates, string percent)
    {
        var words = Words.For(language);
        Assert.Equal(number, words.Number(new Money(123_456_780, new Currency("EUR"))));
        Assert.Equal(dates, words.Dates(new DateRange(new(2026, 1, 5), new(2026, 2, 5))));
        Assert.Equal(percent, words.Percent(new(TaxCategory.Standard, 88_750)));
    }

    [Fact]
    public void A_sheet_has_a_row_for_each_line_and_sums_to_what_is_owed()
    {
        var sources = new[] { All["two rates"], All["credit note"], All["yen"] };
        var rows = Rows(CsvInvoices.Write(sources));
        Assert.Equal(sources.Sum(s => s.Content.Lines.Length), rows.Count);
        Assert.Equal("10225.13", rows.Take(3).Sum(r => decimal.Parse(r["net_amount"], CultureInfo.InvariantCulture)).ToString("F2", CultureInfo.InvariantCulture));
        Assert.Equal(("credit_note", "-5333.33", "-20", "days", "MAIN-000041", "1"), (rows[3]["kind"], rows[3]["net_amount"], rows[3]["quantity"], rows[3]["unit"], rows[3]["corrected_document"], rows[3]["corrected_line"]));
        Assert.Equal(("10288", "JPY", "株式会社テスト", "standard", "10", "2026-06-05"), (rows[5]["net_amount"], rows[5]["currency"], rows[5]["buyer_name"], rows[5]["tax_category"], rows[5]["tax_rate_percent"], rows[5]["service_last_day"]));
    }

    [Fact]
    public void A_cell_that_a_sheet_would_run_is_escaped()
    {
        var source = All["two rates"];
        var hostile = source with { Invoice = source.Invoice with { Content = source.Content with { Buyer = source.Content.Buyer with { LegalName = "=HYPERLINK(\"x\",\"y\")" } } } };
        Assert.Equal("'=HYPERLINK(\"x\",\"y\")", Rows(CsvInvoices.Write([hostile]))[0]["buyer_name"]);
    }

    private static List<Dictionary<string, string>> Rows(byte[] file)
    {
        using var csv = CsvReader.Create(new StreamReader(new MemoryStream(file)), new CsvReaderOptions());
        csv.ReadHeader();
        var rows = new List<Dictionary<string, string>>();
        while (csv.Read())
        {
            rows.Add(CsvInvoices.Columns.Select((c, i) => (c, i)).ToDictionary(c => c.c, c => csv.GetString(c.i)));
        }

        Assert.Equal(CsvInvoices.Columns, csv.Headers.ToArray());
        return rows;
    }
}
