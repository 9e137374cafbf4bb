using System.Text;
using System.Text.RegularExpressions;
using PdfSharp.Drawing;
using PdfSharp.Pdf;

namespace AgencyPlatform.Gateway.Billing.Documents;

/// <summary>
/// Pages that are laid out before they are drawn, so that each can say how many there are. Measures are points (1/72 inch) from the top left corner.
/// </summary>
internal sealed partial class PdfPages(double width, double height)
{
    /// <summary>Height of a line of text ÷ size of its font.</summary>
    public const double Leading = 1.38;

    private static readonly XGraphics s_measure = XGraphics.CreateMeasureContext(new XSize(1000, 1000), XGraphicsUnit.Point, XPageDirection.Downwards);

    private readonly List<List<Action<XGraphics>>> _pages = [[]];
    private readonly HashSet<Rune> _missing = [];

    public double Width => width;

    public double Height => height;

    public int Count => _pages.Count;

    /// <summary>Characters of what was written that no font prints.</summary>
    public IReadOnlyCollection<Rune> Missing => _missing;

    /// <summary>What is written from now on is on a new page.</summary>
    public void Break() => _pages.Add([]);

    /// <param name="x">The left end, or the right one where <paramref name="right"/> is set.</param>
    /// <param name="y">The top of the line.</param>
    /// <param name="page">From 0; the last where left out.</param>
    public void Text(double x, double y, string text, double size, XColor color, bool bold = false, bool right = false, int? page = null)
    {
        var runs = PdfFonts.Runs(text, _missing).Select(r => (r.Text, Font: PdfFonts.Font(size, bold, r.EastAsian))).Select(r => (r.Text, r.Font, s_measure.MeasureString(r.Text, r.Font).Width)).ToList();
        var at = right ? x - runs.Sum(r => r.Width) : x;
        foreach (var (part, font, wide) in runs)
        {
            var (left, baseline) = (at, y + size * 1.07);
            Add(page, g => g.DrawString(part, font, new XSolidBrush(color), left, baseline));
            at += wide;
        }
    }

    /// <summary>Several lines; gives the bottom of the last.</summary>
    public double Texts(double x, double y, IEnumerable<string> lines, double size, XColor color, bool bold = false, bool right = false)
    {
        foreach (var line in lines)
        {
            Text(x, y, line, size, color, bold, right);
            y += size * Leading;
        }

        return y;
    }

    public void Rule(double x1, double x2, double y, double thickness, XColor color, int? page = null) => Add(page, g => g.DrawLine(new XPen(color, thickness), x1, y, x2, y));

    public void Box(double x, double y, double wide, double high, XColor color) => Add(null, g => g.DrawRectangle(new XSolidBrush(color), x, y, wide, high));

    /// <summary>Large and slanted beneath all that a page has.</summary>
    public void Watermark(string text, XColor color)
    {
        var font = PdfFonts.Font(60, bold: true, eastAsian: false);
        foreach (var page in _pages)
        {
            page.Insert(0, g =>
            {
                var state = g.Save();
                g.TranslateTransform(width / 2, height / 2);
                g.RotateTransform(-52);
                g.DrawString(text, font, new XSolidBrush(color), 0, 0, XStringFormats.Center);
                g.Restore(state);
            });
        }
    }

    public double Measure(string text, double size, bool bold = false) =>
        PdfFonts.Runs(text, _missing).Sum(r => s_measure.MeasureString(r.Text, PdfFonts.Font(size, bold, r.EastAsian)).Width);

    /// <summary>A text in lines that are at most so wide: broken at spaces and between East Asian characters, a longer word anywhere.</summary>
    public List<string> Wrap(string text, double wide, double size, bool bold = false)
    {
        var lines = new List<string>();
        foreach (var paragraph in text.Split('\n'))
        {
            var line = "";
            foreach (var word in Words().Matches(paragraph).Select(m => m.Value))
            {
                var rest = word;
                if (line.Length > 0 && Measure((line + rest).TrimEnd(), size, bold) > wide)
                {
                    lines.Add(line.TrimEnd());
                    line = "";
                }

                while (Measure(rest.TrimEnd(), size, bold) > wide && rest.Length > 1)
                {
                    var fits = Enumerable.Range(1, rest.Length - 1).TakeWhile(n => n == 1 || Measure(rest[..n], size, bold) <= wide).Last();
                    fits += char.IsLowSurrogate(rest[fits]) ? 1 : 0;
                    lines.Add(rest[..fits]);
                    rest = rest[fits..];
                }

                line += rest;
            }

            lines.Add(line.TrimEnd());
        }

        return lines;
    }

    /// <param name="seed">Of which the document's ids are made: the same seed, the same bytes.</param>
    public byte[] Draw(string title, string author, string language, LocalDate date, byte[] seed)
    {
        using var document = new PdfDocument { Language = language };
        var at = date.AtStartOfDayInZone(DateTimeZone.Utc).ToDateTimeUtc();
        (document.Info.Title, document.Info.Author, document.Info.Creator, document.Info.CreationDate, document.Info.ModificationDate) = (title, author, "AgencyPlatform", at, at);
        foreach (var actions in _pages)
        {
            var page = document.AddPage();
            (page.Width, page.Height) = (XUnit.FromPoint(width), XUnit.FromPoint(height));
            using var graphics = XGraphics.FromPdfPage(page);
            actions.ForEach(draw => draw(graphics));
        }

        using var buffer = new MemoryStream();
        document.Save(buffer, closeStream: false);
        return Repeatable(buffer.ToArray(), seed);
    }

    /// <summary>
    /// PDFsharp names documents and font subsets at random. The names, all in plain text and of one length, are put in again as made of the seed, so that
    /// the same document has the same bytes.
    /// </summary>
    private static byte[] Repeatable(byte[] pdf, byte[] seed)
    {
        var (uuid, id) = (new Guid(seed.AsSpan(0, 16)).ToString("d"), Convert.ToHexString(seed.AsSpan(0, 16)));
        var text = Encoding.Latin1.GetString(pdf);
        text = Uuids().Replace(text, "uuid:" + uuid);
        text = Ids().Replace(text, $"/ID[<{id}><{id}>]");
        var subsets = new Dictionary<string, string>();
        text = Subsets().Replace(text, m =>
        {
            var found = m.Groups["tag"].Value;
            if (!subsets.TryGetValue(found, out var tag))
            {
                subsets[found] = tag = "AAAAA" + (char)('A' + subsets.Count);
            }

            return tag + m.Groups["font"].Value;
        });
        return Encoding.Latin1.GetBytes(text);
    }

    private void Add(int? page, Action<XGraphics> draw) => _pages[page ?? ^1].Add(draw);

    [GeneratedRegex(@"[\u2E80-\u9FFF\uAC00-\uD7A3\uF900-\uFAFF\uFF00-\uFFEF]|[^\s\u2E80-\u9FFF\uAC00-\uD7A3\uF900-\uFAFF\uFF00-\uFFEF]+\s*|\s+")]
    private static partial Regex Words();

    [GeneratedRegex("uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")]
    private static partial Regex Uuids();

    [GeneratedRegex("/ID ?\\[<[0-9A-F]{32}> ?<[0-9A-F]{32}>\\]")]
    private static partial Regex Ids();

    [GeneratedRegex(@"(?<=/(FontName|BaseFont)/)(?<tag>[A-Z]{6})(?<font>\+)")]
    private static partial Regex Subsets();
}
