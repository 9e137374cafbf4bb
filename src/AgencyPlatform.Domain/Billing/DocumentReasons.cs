namespace AgencyPlatform.Domain;

public static partial class Reasons
{
    /// <summary>EN 16931 knows amounts of at most two decimals. Metadata: currency. Take the PDF, CSV or JSON.</summary>
    public const string UblThreeDecimals = "UBL_THREE_DECIMALS";

    /// <summary>The invoice was issued without something that EN 16931 asks for. Metadata: missing, fields separated by commas. Set them at the legal entity and the client company; what is billed then has them. Take the PDF meanwhile.</summary>
    public const string UblIncomplete = "UBL_INCOMPLETE";

    /// <summary>The document has lines that are not subject to tax beside others, which EN 16931 does not allow. Metadata: categories. Take the PDF, CSV or JSON.</summary>
    public const string UblMixedTax = "UBL_MIXED_TAX";

    /// <summary>The PDF's fonts lack characters of the document. Metadata: characters. Take the UBL, CSV or JSON.</summary>
    public const string PdfUnprintable = "PDF_UNPRINTABLE";

    /// <summary>More invoices than one file takes. Metadata: maximum. Ask for a shorter period, or one series or client.</summary>
    public const string ExportTooLarge = "EXPORT_TOO_LARGE";
}
