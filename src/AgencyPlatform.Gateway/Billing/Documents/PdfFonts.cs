using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using PdfSharp.Drawing;
using PdfSharp.Fonts;
using PdfSharp.Pdf;

namespace AgencyPlatform.Gateway.Billing.Documents;

/// <summary>
/// The fonts of PDF documents, which come with the program and are embedded, as far as a document uses them: Noto Sans (Latin, Greek, Cyrillic), and Droid
/// Sans Fallback for Chinese, Japanese and Korean. Scripts that want shaping (Arabic, Hebrew, Thai, the scripts of India) are not printed.
/// </summary>
internal static class PdfFonts
{
    private const string Sans = "NotoSans", EastAsian = "DroidSansFallback";

    private static readonly FrozenDictionary<string, byte[]> s_files = new[] { "NotoSans-Regular", "NotoSans-Bold", EastAsian }.ToFrozenDictionary(f => f, Load);
    private static readonly FrozenSet<int> s_sans = Characters(s_files["NotoSans-Regular"]);
    private static readonly FrozenSet<int> s_eastAsian = Characters(s_files[EastAsian]);
    private static readonly XPdfFontOptions s_unicode = new(PdfFontEncoding.Unicode);

    static PdfFonts() => GlobalFontSettings.FontResolver = new Resolver();

    /// <summary>A text in the parts that one font prints each.</summary>
    /// <param name="missing">Takes the characters that none prints.</param>
    public static IEnumerable<(string Text, bool EastAsian)> Runs(string text, ISet<Rune> missing)
    {
        var runs = new List<(string, bool)>();
        var (part, eastAsian) = (new StringBuilder(), false);
        foreach (var character in text.EnumerateRunes())
        {
            var rune = character;
            var other = !s_sans.Contains(rune.Value);
            if (other && !(IsEastAsian(rune.Value) && s_eastAsian.Contains(rune.Value)))
            {
                switch (Rune.GetUnicodeCategory(rune))
                {
                    case UnicodeCategory.SpaceSeparator or UnicodeCategory.Control:
                        (rune, other) = (new Rune(' '), false);
                        break;
                    case UnicodeCategory.OtherSymbol or UnicodeCategory.ModifierSymbol or UnicodeCategory.Format or UnicodeCategory.NonSpacingMark when IsPictorial(rune.Value):
                        // A picture in a title is left out: it says nothing that an invoice has to.
                        continue;
                    default:
                        missing.Add(rune);
                        continue;
                }
            }

            if (other != eastAsian && part.Length > 0)
            {
                runs.Add((part.ToString(), eastAsian));
                part.Clear();
            }

            eastAsian = other;
            part.Append(rune);
        }

        if (part.Length > 0)
        {
            runs.Add((part.ToString(), eastAsian));
        }

        return runs;
    }

    public static XFont Font(double size, bool bold, bool eastAsian) =>
        new(eastAsian ? EastAsian : Sans, size, bold && !eastAsian ? XFontStyleEx.Bold : XFontStyleEx.Regular, s_unicode);

    /// <summary>Symbols, kana, Hangul, Han and full-width forms: what the second font prints without shaping.</summary>
    public static bool IsEastAsian(int character) => character is >= 0x2E80 and <= 0x9FFF or >= 0xAC00 and <= 0xD7A3 or >= 0xF900 and <= 0xFAFF or >= 0xFF00 and <= 0xFFEF;

    /// <summary>Pictures with what joins and varies them, and marks that have no shape.</summary>
    private static bool IsPictorial(int character) =>
        character is >= 0x200B and <= 0x200F or >= 0x2060 and <= 0x206F or 0xFEFF or 0xAD or >= 0xFE00 and <= 0xFE0F or >= 0x2190 and <= 0x2BFF or >= 0x1F000 and <= 0x1FAFF or >= 0xE0020 and <= 0xE007F;

    private static byte[] Load(string name)
    {
        using var stream = typeof(PdfFonts).Assembly.GetManifestResourceStream(name + ".ttf") ?? throw new InvalidOperationException($"The font {name} is not in the program.");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>The characters that a TrueType file has glyphs for, by its table cmap in format 4.</summary>
    private static FrozenSet<int> Characters(ReadOnlySpan<byte> font)
    {
        var cmap = 0;
        for (var i = 0; i < UInt16(font, 4); i++)
        {
            if (font.Slice(12 + 16 * i, 4).SequenceEqual("cmap"u8))
            {
                cmap = (int)BinaryPrimitives.ReadUInt32BigEndian(font[(20 + 16 * i)..]);
            }
        }

        var characters = new HashSet<int>();
        for (var i = 0; i < UInt16(font, cmap + 2); i++)
        {
            var table = cmap + (int)BinaryPrimitives.ReadUInt32BigEndian(font[(cmap + 8 + 8 * i)..]);
            if (UInt16(font, table) != 4)
            {
                continue;
            }

            var segments = UInt16(font, table + 6);
            for (var s = 0; s < segments; s += 2)
            {
                var (last, first) = (UInt16(font, table + 14 + s), UInt16(font, table + 16 + segments + s));
                characters.UnionWith(Enumerable.Range(first, last - first + 1));
            }
        }

        // The table ends with a segment for a character that is none.
        characters.Remove(0xFFFF);
        return characters.ToFrozenSet();

        static int UInt16(ReadOnlySpan<byte> font, int at) => BinaryPrimitives.ReadUInt16BigEndian(font[at..]);
    }

    private sealed class Resolver : IFontResolver
    {
        public FontResolverInfo ResolveTypeface(string familyName, bool isBold, bool isItalic) => new(familyName == EastAsian ? EastAsian : isBold ? "NotoSans-Bold" : "NotoSans-Regular");

        public byte[] GetFont(string faceName) => s_files[faceName];
    }
}
