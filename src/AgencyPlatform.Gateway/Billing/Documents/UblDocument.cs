using System.Globalization;
using System.Text;
using System.Xml;
using System.Xml.Linq;
using AgencyPlatform.Domain.Billing;
using InvoiceLine = AgencyPlatform.Domain.Billing.InvoiceLine;
using Party = AgencyPlatform.Domain.Billing.Party;

namespace AgencyPlatform.Gateway.Billing.Documents;

/// <summary>
/// An invoice or credit note as UBL 2.1 by EN 16931. Elements stand in the order of the UBL schema; BT and BG numbers are EN 16931's.
/// A credit note states amounts as positive. Charges and credits are lines, never allowances of the document.
/// </summary>
internal static class UblDocument
{
    public const string Customization = "urn:cen.eu:en16931:2017";

    private const string Vat = "VAT";

    private static readonly XNamespace s_invoice = "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2";
    private static readonly XNamespace s_creditNote = "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2";
    private static readonly XNamespace s_cac = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2";
    private static readonly XNamespace s_cbc = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2";

    /// <summary>Why the invoice cannot be told in EN 16931, or null.</summary>
    public static Rejection? Refusal(DocumentSource source)
    {
        var (content, currency) = (source.Content, source.Account.Currency);
        if (currency.Decimals > 2)
        {
            return Rejection.Rule(Reasons.UblThreeDecimals, $"EN 16931 knows amounts of at most two decimals, and {currency} has {currency.Decimals}: take the PDF, CSV or JSON.", ("currency", currency.Code));
        }

        var categories = content.Taxes.Select(t => t.Treatment.Category).Distinct().ToList();
        if (categories.Contains(TaxCategory.OutOfScope) && categories.Count > 1)
        {
            var codes = string.Join(", ", categories.Select(Code));
            return Rejection.Rule(
                Reasons.UblMixedTax, $"EN 16931 does not allow lines that are not subject to tax (O) beside others, and this document has {codes}: take the PDF, CSV or JSON.", ("categories", codes));
        }

        var (seller, buyer) = (content.Seller, content.Buyer);
        var (taxed, reverse) = (!categories.Contains(TaxCategory.OutOfScope), categories.Contains(TaxCategory.ReverseCharge));
        var missing = new List<string>();
        Need(seller.Country.Length > 0, "seller.country");
        Need(buyer.Country.Length > 0, "buyer.country");
        // BR-S-02, BR-Z-02, BR-E-02, BR-AE-02; otherwise BR-CO-26.
        Need(seller.TaxId.Length > 0 || (taxed ? VatId(seller) : RegistrationNumber(seller)).Length > 0, taxed ? "seller.vat_id" : "seller.registration_number");
        Need(!reverse || VatId(buyer).Length > 0 || RegistrationNumber(buyer).Length > 0, "buyer.vat_id");
        var all = string.Join(",", missing);
        return missing.Count == 0
            ? null
            : Rejection.Rule(Reasons.UblIncomplete, $"The invoice {source.Number} was issued without what EN 16931 asks for: {all}.", ("missing", all));

        void Need(bool there, string field)
        {
            if (!there)
            {
                missing.Add(field);
            }
        }
    }

    public static byte[] Write(DocumentSource source)
    {
        using var buffer = new MemoryStream();
        using (var writer = XmlWriter.Create(buffer, new XmlWriterSettings { Encoding = new UTF8Encoding(false), Indent = true, NewLineChars = "\n" }))
        {
            new XDocument(Root(source)).Save(writer);
        }

        return buffer.ToArray();
    }

    private static XElement Root(DocumentSource source)
    {
        var (content, terms, credit) = (source.Content, source.Terms, source.IsCreditNote);
        var currency = source.Account.Currency.Code;
        return new XElement(
            (credit ? s_creditNote : s_invoice) + (credit ? "CreditNote" : "Invoice"),
            new XAttribute(XNamespace.Xmlns + "cac", s_cac), new XAttribute(XNamespace.Xmlns + "cbc", s_cbc),
            Basic("CustomizationID", Customization), // BT-24
            Basic("ID", source.Number), // BT-1
            Basic("IssueDate", Text(source.IssueDate)), // BT-2
            credit ? null : Basic("DueDate", Text(source.Invoice.DueDate!.Value)), // BT-9
            credit ? Basic("CreditNoteTypeCode", "381") : Basic("InvoiceTypeCode", "380"), // BT-3, UNTDID 1001
            source.Sandbox ? Basic("Note", DocumentSource.Watermark) : null, // BT-22
            Basic("DocumentCurrencyCode", currency), // BT-5
            Optional("BuyerReference", terms.BuyerReference), // BT-10
            Period(source.Service), // BG-14
            terms.PurchaseOrder.Length > 0 ? Aggregate("OrderReference", Basic("ID", terms.PurchaseOrder)) : null, // BT-13
            source.Corrected.Values.OrderBy(c => c.Number, StringComparer.Ordinal).Select(c => Aggregate(
                "BillingReference", Aggregate("InvoiceDocumentReference", Basic("ID", c.Number), Basic("IssueDate", Text(c.IssueDate))))), // BG-3
            Aggregate("AccountingSupplierParty", Party(source, content.Seller, seller: true)), // BG-4
            Aggregate("AccountingCustomerParty", Party(source, content.Buyer, seller: false)), // BG-7
            credit || content.PayTo is not { } account ? null : Means(source, account), // BG-16
            PaymentTerms(source) is { Length: > 0 } text ? Aggregate("PaymentTerms", Basic("Note", text)) : null, // BT-20
            Aggregate("TaxTotal", Amount(source, "TaxAmount", content.Tax), content.Taxes.Select(t => Subtotal(source, t))), // BT-110, BG-23
            Aggregate(
                "LegalMonetaryTotal", // BG-22
                Amount(source, "LineExtensionAmount", content.Net), Amount(source, "TaxExclusiveAmount", content.Net), Amount(source, "TaxInclusiveAmount", content.Total),
                source.Invoice.Prepaid > 0 ? Amount(source, "PrepaidAmount", source.Invoice.Prepaid) : null, // BT-113
                Amount(source, "PayableAmount", source.Due)), // BT-115
            content.Lines.Select(l => Line(source, l)));
    }

    /// <summary>A credit note has no due date, but says what becomes of the amount.</summary>
    private static string PaymentTerms(DocumentSource source) => source.IsCreditNote ? source.Words.CreditTerms : source.Terms.PaymentTerms;

    private static XElement Means(DocumentSource source, Domain.Billing.BankAccount account) => Aggregate(
        "PaymentMeans",
        // UNTDID 4461: a SEPA credit transfer (58) is in euros to an IBAN; any other credit transfer is 30.
        Basic("PaymentMeansCode", account.Iban.Length > 0 && source.Account.Currency.Code == "EUR" ? "58" : "30"), // BT-81
        Basic("PaymentID", source.Number), // BT-83
        Aggregate(
            "PayeeFinancialAccount", // BG-17
            Basic("ID", account.Iban.Length > 0 ? account.Iban : account.AccountNumber), // BT-84
            Basic("Name", account.AccountName.Length > 0 ? account.AccountName : source.Content.Seller.LegalName), // BT-85
            account.Bic.Length > 0 ? Aggregate("FinancialInstitutionBranch", Basic("ID", account.Bic)) : null)); // BT-86

    private static XElement Party(DocumentSource source, Party party, bool seller)
    {
        // With O no VAT id may be there (BR-O-02), neither the seller's nor the buyer's.
        var vat = source.Content.Taxes.Any(t => t.Treatment.Category == TaxCategory.OutOfScope) ? "" : VatId(party);
        var registration = RegistrationNumber(party);
        return Aggregate(
            "Party",
            party.Details?.Electronic is { } electronic ? new XElement(s_cbc + "EndpointID", new XAttribute("schemeID", electronic.Scheme), Clean(electronic.Id)) : null, // BT-34, BT-49
            seller && vat.Length + registration.Length == 0 ? Aggregate("PartyIdentification", Basic("ID", party.TaxId)) : null, // BT-29: where neither VAT id nor registration number identifies the seller (BR-CO-26)
            Address(party), // BG-5, BG-8
            TaxScheme(vat, Vat), // BT-31, BT-48
            seller ? TaxScheme(party.TaxId, "TAX") : null, // BT-32
            Aggregate("PartyLegalEntity", Basic("RegistrationName", party.LegalName), Optional("CompanyID", registration)), // BT-27, BT-44; BT-30, BT-47
            party.Details?.Contact is { } contact
                ? Aggregate("Contact", Optional("Name", contact.Department), Optional("Telephone", contact.Phone), Optional("ElectronicMail", contact.Email)) // BG-6, BG-9
                : null);
    }

    private static XElement Address(Party party)
    {
        var country = Aggregate("Country", Basic("IdentificationCode", party.Country)); // BT-40, BT-55
        if (party.Details?.Address is { } address)
        {
            return Aggregate(
                "PostalAddress", Basic("StreetName", address.Street), Optional("AdditionalStreetName", address.Additional), Basic("CityName", address.City),
                Optional("PostalZone", address.PostCode), Optional("CountrySubentity", address.Subdivision), country);
        }

        var lines = party.Address.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return Aggregate(
            "PostalAddress", Optional("StreetName", lines.ElementAtOrDefault(0) ?? ""), Optional("AdditionalStreetName", lines.ElementAtOrDefault(1) ?? ""),
            lines.Length > 2 ? Aggregate("AddressLine", Basic("Line", string.Join(", ", lines.Skip(2)))) : null, country);
    }

    private static XElement? TaxScheme(string id, string scheme) =>
        id.Length == 0 ? null : Aggregate("PartyTaxScheme", Basic("CompanyID", id), Aggregate("TaxScheme", Basic("ID", scheme)));

    private static XElement Subtotal(DocumentSource source, TaxSubtotal subtotal)
    {
        var category = subtotal.Treatment.Category;
        return Aggregate(
            "TaxSubtotal",
            Amount(source, "TaxableAmount", subtotal.Taxable), // BT-116
            Amount(source, "TaxAmount", subtotal.Tax), // BT-117
            Aggregate(
                "TaxCategory",
                Basic("ID", Code(category)), // BT-118
                Percent(subtotal.Treatment), // BT-119
                category switch // BT-121
                {
                    TaxCategory.OutOfScope => Basic("TaxExemptionReasonCode", "VATEX-EU-O"),
                    TaxCategory.ReverseCharge => Basic("TaxExemptionReasonCode", "VATEX-EU-AE"),
                    _ => null,
                },
                source.ExemptionReason(category) is { } reason ? Basic("TaxExemptionReason", reason) : null, // BT-120
                Aggregate("TaxScheme", Basic("ID", Vat))));
    }

    private static XElement Line(DocumentSource source, InvoiceLine line)
    {
        var quantity = LineQuantity.Of(line, source.Account.Currency.Decimals, LineQuantity.ReadersDecimals, source.Sign);
        return Aggregate(
            source.IsCreditNote ? "CreditNoteLine" : "InvoiceLine", // BG-25
            Basic("ID", line.Number.ToString(CultureInfo.InvariantCulture)), // BT-126
            Optional("Note", source.Correction(line)), // BT-127
            new XElement(
                s_cbc + (source.IsCreditNote ? "CreditedQuantity" : "InvoicedQuantity"), new XAttribute("unitCode", quantity.Unit),
                (quantity.Hundredths / 100m).ToString("0.##", CultureInfo.InvariantCulture)), // BT-129, BT-130
            Amount(source, "LineExtensionAmount", line.Amount), // BT-131
            Period(line.Service), // BG-26
            Aggregate(
                "Item", // BG-31
                Basic("Name", source.Text(line)), // BT-153
                Aggregate(
                    "ClassifiedTaxCategory", Basic("ID", Code(line.TaxTreatment.Category)), Percent(line.TaxTreatment), Aggregate("TaxScheme", Basic("ID", Vat)))), // BG-30
            Aggregate(
                "Price", // BG-29
                Stated(source, "PriceAmount", quantity.Price), // BT-146
                quantity.Base == 1
                    ? null
                    : new XElement(s_cbc + "BaseQuantity", new XAttribute("unitCode", quantity.Unit), quantity.Base.ToString(CultureInfo.InvariantCulture)))); // BT-149
    }

    /// <summary>Both days are inside the period in UBL.</summary>
    private static XElement Period(DateRange range) =>
        Aggregate("InvoicePeriod", Basic("StartDate", Text(range.Start)), Basic("EndDate", Text(range.End!.Value.PlusDays(-1))));

    /// <summary>With O there is no rate (BR-O-05, BR-48).</summary>
    private static XElement? Percent(TaxTreatment treatment) => treatment.Category == TaxCategory.OutOfScope ? null : Basic("Percent", treatment.ToPercent());

    /// <summary>UNTDID 5305.</summary>
    private static string Code(TaxCategory category) => category switch
    {
        TaxCategory.OutOfScope => "O",
        TaxCategory.Standard => "S",
        TaxCategory.ZeroRated => "Z",
        TaxCategory.Exempt => "E",
        TaxCategory.ReverseCharge => "AE",
        _ => throw new InvalidOperationException($"{category} has no code."),
    };

    /// <summary>An amount of the content, which a credit note states with the other sign.</summary>
    private static XElement Amount(DocumentSource source, string name, long minor) => Stated(source, name, source.Sign * minor);

    private static XElement Stated(DocumentSource source, string name, long minor) =>
        new(s_cbc + name, new XAttribute("currencyID", source.Account.Currency.Code), source.Amount(minor));

    private static string VatId(Party party) => party.Details?.VatId ?? "";

    private static string RegistrationNumber(Party party) => party.Details?.RegistrationNumber ?? "";

    private static XElement Aggregate(string name, params object?[] content) => new(s_cac + name, content);

    private static XElement Basic(string name, string value) => new(s_cbc + name, Clean(value));

    private static XElement? Optional(string name, string value) => value.Length == 0 ? null : Basic(name, value);

    /// <summary>Without the few characters that XML cannot carry.</summary>
    private static string Clean(string value)
    {
        var clean = new StringBuilder(value.Length);
        foreach (var rune in value.EnumerateRunes().Where(r => !r.IsBmp || XmlConvert.IsXmlChar((char)r.Value)))
        {
            clean.Append(rune);
        }

        return clean.ToString();
    }

    private static string Text(LocalDate date) => date.ToString("uuuu-MM-dd", CultureInfo.InvariantCulture);
}
