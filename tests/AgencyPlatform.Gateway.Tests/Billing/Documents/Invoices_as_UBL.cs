using System.Xml.Linq;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Gateway.Billing.Documents;
using static AgencyPlatform.Gateway.Tests.Billing.Documents.DocumentSamples;

namespace AgencyPlatform.Gateway.Tests.Billing.Documents;

/// <summary>UBL by EN 16931, read back by a reader that knows the rules and nothing of the writer.</summary>
public sealed class Invoices_as_UBL
{
    private static readonly XNamespace s_cac = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2";
    private static readonly XNamespace s_cbc = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2";

    public static TheoryData<string> Samples => [.. All.Keys];

    [Theory]
    [MemberData(nameof(Samples))]
    public void Every_document_keeps_every_rule(string sample)
    {
        Assert.Null(UblDocument.Refusal(All[sample]));
        Assert.Empty(En16931Reader.Read(Written(All[sample])));
        Assert.Equal(UblDocument.Write(All[sample]), UblDocument.Write(All[sample]));
    }

    [Theory]
    [InlineData("BR-01", "two rates", "CustomizationID", null)]
    [InlineData("BR-02", "two rates", "ID", null)]
    [InlineData("BR-03", "two rates", "IssueDate", null)]
    [InlineData("BR-04", "two rates", "InvoiceTypeCode", null)]
    [InlineData("BR-CL-01", "two rates", "InvoiceTypeCode", "381")]
    [InlineData("BR-05", "two rates", "DocumentCurrencyCode", null)]
    [InlineData("BR-CL-04", "two rates", "DocumentCurrencyCode", "EURO")]
    [InlineData("BR-CL-03", "two rates", "DocumentCurrencyCode", "USD")]
    [InlineData("BR-06", "two rates", "AccountingSupplierParty/Party/PartyLegalEntity/RegistrationName", null)]
    [InlineData("BR-07", "two rates", "AccountingCustomerParty/Party/PartyLegalEntity/RegistrationName", null)]
    [InlineData("BR-08", "two rates", "AccountingSupplierParty/Party/PostalAddress", null)]
    [InlineData("BR-09", "two rates", "AccountingSupplierParty/Party/PostalAddress/Country/IdentificationCode", null)]
    [InlineData("BR-10", "two rates", "AccountingCustomerParty/Party/PostalAddress", null)]
    [InlineData("BR-11", "two rates", "AccountingCustomerParty/Party/PostalAddress/Country/IdentificationCode", null)]
    [InlineData("BR-CL-14", "two rates", "AccountingCustomerParty/Party/PostalAddress/Country/IdentificationCode", "XX")]
    [InlineData("BR-CL-25", "two rates", "AccountingCustomerParty/Party/EndpointID@schemeID", "9999")]
    [InlineData("BR-62", "two rates", "AccountingSupplierParty/Party/EndpointID@schemeID", null)]
    [InlineData("BR-63", "two rates", "AccountingCustomerParty/Party/EndpointID@schemeID", null)]
    [InlineData("BR-12", "two rates", "LegalMonetaryTotal/LineExtensionAmount", null)]
    [InlineData("BR-13", "two rates", "LegalMonetaryTotal/TaxExclusiveAmount", null)]
    [InlineData("BR-14", "two rates", "LegalMonetaryTotal/TaxInclusiveAmount", null)]
    [InlineData("BR-15", "two rates", "LegalMonetaryTotal/PayableAmount", null)]
    [InlineData("BR-21", "two rates", "InvoiceLine/ID", null)]
    [InlineData("BR-22", "two rates", "InvoiceLine/InvoicedQuantity", null)]
    [InlineData("BR-23", "two rates", "InvoiceLine/InvoicedQuantity@unitCode", null)]
    [InlineData("BR-CL-23", "two rates", "InvoiceLine/InvoicedQuantity@unitCode", "HOUR")]
    [InlineData("BR-24", "two rates", "InvoiceLine/LineExtensionAmount", null)]
    [InlineData("BR-25", "two rates", "InvoiceLine/Item/Name", null)]
    [InlineData("BR-26", "two rates", "InvoiceLine/Price/PriceAmount", null)]
    [InlineData("BR-27", "two rates", "InvoiceLine/Price/PriceAmount", "-8000")]
    [InlineData("BR-29", "two rates", "InvoicePeriod/EndDate", "2026-05-01")]
    [InlineData("BR-30", "two rates", "InvoiceLine/InvoicePeriod/EndDate", "2026-05-01")]
    [InlineData("BR-45", "two rates", "TaxTotal/TaxSubtotal/TaxableAmount", null)]
    [InlineData("BR-46", "two rates", "TaxTotal/TaxSubtotal/TaxAmount", null)]
    [InlineData("BR-47", "two rates", "TaxTotal/TaxSubtotal/TaxCategory/ID", null)]
    [InlineData("BR-48", "two rates", "TaxTotal/TaxSubtotal/TaxCategory/Percent", null)]
    [InlineData("BR-49", "two rates", "PaymentMeans/PaymentMeansCode", null)]
    [InlineData("BR-50", "two rates", "PaymentMeans/PayeeFinancialAccount/ID", null)]
    [InlineData("BR-61", "two rates", "PaymentMeans/PayeeFinancialAccount", null)]
    [InlineData("BR-CL-16", "two rates", "PaymentMeans/PaymentMeansCode", "99")]
    [InlineData("BR-55", "credit note", "BillingReference/InvoiceDocumentReference/ID", null)]
    [InlineData("BR-CO-04", "two rates", "InvoiceLine/Item/ClassifiedTaxCategory/ID", null)]
    [InlineData("BR-CL-18", "two rates", "InvoiceLine/Item/ClassifiedTaxCategory/ID", "X")]
    [InlineData("BR-CO-09", "two rates", "AccountingSupplierParty/Party/PartyTaxScheme/CompanyID", "123456789")]
    [InlineData("BR-CO-10", "two rates", "LegalMonetaryTotal/LineExtensionAmount", "10226.18")]
    [InlineData("BR-CO-13", "two rates", "LegalMonetaryTotal/TaxExclusiveAmount", "10226.18")]
    [InlineData("BR-CO-14", "two rates", "TaxTotal/TaxAmount", "1.00")]
    [InlineData("BR-CO-15", "two rates", "LegalMonetaryTotal/TaxInclusiveAmount", "1.00")]
    [InlineData("BR-CO-16", "two rates", "LegalMonetaryTotal/PayableAmount", "1.00")]
    [InlineData("BR-CO-17", "two rates", "TaxTotal/TaxSubtotal/TaxAmount", "1.00")]
    [InlineData("BR-CO-18", "not subject to tax", "TaxTotal/TaxSubtotal", null)]
    [InlineData("BR-CO-19", "two rates", "InvoicePeriod/*", null)]
    [InlineData("BR-CO-20", "two rates", "InvoiceLine/InvoicePeriod/*", null)]
    [InlineData("BR-CO-25", "two rates", "DueDate", null)]
    [InlineData("BR-CO-25", "credit note", "PaymentTerms", null)]
    [InlineData("BR-CO-26", "not subject to tax", "AccountingSupplierParty/Party/PartyIdentification", null)]
    [InlineData("BR-DEC-09", "two rates", "LegalMonetaryTotal/LineExtensionAmount", "10226.170")]
    [InlineData("BR-DEC-13", "two rates", "TaxTotal/TaxAmount", "1898.000")]
    [InlineData("BR-DEC-18", "two rates", "LegalMonetaryTotal/PayableAmount", "12124.175")]
    [InlineData("BR-DEC-19", "two rates", "TaxTotal/TaxSubtotal/TaxableAmount", "9850.125")]
    [InlineData("BR-DEC-20", "two rates", "TaxTotal/TaxSubtotal/TaxAmount", "1871.522")]
    [InlineData("BR-DEC-23", "two rates", "InvoiceLine/LineExtensionAmount", "8000.000")]
    [InlineData("BR-S-01", "standard rate, everything said", "TaxTotal/TaxSubtotal/TaxCategory/ID", "Z")]
    [InlineData("BR-S-02", "two rates", "AccountingSupplierParty/Party/PartyTaxScheme", null)]
    [InlineData("BR-S-05", "two rates", "InvoiceLine/Item/ClassifiedTaxCategory/Percent", "0")]
    [InlineData("BR-S-08", "two rates", "InvoiceLine/Item/ClassifiedTaxCategory/Percent", "7")]
    [InlineData("BR-S-09", "two rates", "TaxTotal/TaxSubtotal/TaxAmount", "1900.00")]
    [InlineData("BR-S-10", "two rates", "TaxTotal/TaxSubtotal/TaxCategory+TaxExemptionReason", "because")]
    [InlineData("BR-Z-01", "zero rated", "TaxTotal/TaxSubtotal", null)]
    [InlineData("BR-Z-02", "zero rated", "AccountingSupplierParty/Party/PartyTaxScheme", null)]
    [InlineData("BR-Z-05", "zero rated", "InvoiceLine/Item/ClassifiedTaxCategory/Percent", "7")]
    [InlineData("BR-Z-08", "zero rated", "TaxTotal/TaxSubtotal/TaxableAmount", "1.00")]
    [InlineData("BR-Z-09", "zero rated", "TaxTotal/TaxSubtotal/TaxAmount", "1.00")]
    [InlineData("BR-Z-10", "zero rated", "TaxTotal/TaxSubtotal/TaxCategory+TaxExemptionReason", "because")]
    [InlineData("BR-E-01", "exempt with a reason", "TaxTotal/TaxSubtotal", null)]
    [InlineData("BR-E-02", "exempt with a reason", "AccountingSupplierParty/Party/PartyTaxScheme", null)]
    [InlineData("BR-E-05", "exempt with a reason", "InvoiceLine/Item/ClassifiedTaxCategory/Percent", "7")]
    [InlineData("BR-E-08", "exempt with a reason", "TaxTotal/TaxSubtotal/TaxableAmount", "1.00")]
    [InlineData("BR-E-09", "exempt with a reason", "TaxTotal/TaxSubtotal/TaxAmount", "1.00")]
    [InlineData("BR-E-10", "exempt with a reason", "TaxTotal/TaxSubtotal/TaxCategory/TaxExemptionReason", null)]
    [InlineData("BR-AE-01", "reverse charge abroad", "TaxTotal/TaxSubtotal", null)]
    [InlineData("BR-AE-02", "reverse charge abroad", "AccountingCustomerParty/Party/PartyTaxScheme", null)]
    [InlineData("BR-AE-05", "reverse charge abroad", "InvoiceLine/Item/ClassifiedTaxCategory/Percent", "7")]
    [InlineData("BR-AE-08", "reverse charge abroad", "TaxTotal/TaxSubtotal/TaxableAmount", "1.00")]
    [InlineData("BR-AE-09", "reverse charge abroad", "TaxTotal/TaxSubtotal/TaxAmount", "1.00")]
    [InlineData("BR-AE-10", "reverse charge abroad", "TaxTotal/TaxSubtotal/TaxCategory/TaxExemptionReason*", null)]
    [InlineData("BR-O-01", "not subject to tax", "TaxTotal/TaxSubtotal", null)]
    [InlineData("BR-O-02", "not subject to tax", "AccountingSupplierParty/Party/PartyTaxScheme/TaxScheme/ID", "VAT")]
    [InlineData("BR-O-05", "not subject to tax", "InvoiceLine/Item/ClassifiedTaxCategory+Percent", "0")]
    [InlineData("BR-O-08", "not subject to tax", "TaxTotal/TaxSubtotal/TaxableAmount", "1.00")]
    [InlineData("BR-O-09", "not subject to tax", "TaxTotal/TaxSubtotal/TaxAmount", "1.00")]
    [InlineData("BR-O-10", "not subject to tax", "TaxTotal/TaxSubtotal/TaxCategory/TaxExemptionReason*", null)]
    [InlineData("BR-O-11", "not subject to tax", "TaxTotal&TaxSubtotal/TaxCategory/ID", "Z")]
    [InlineData("BR-O-12", "not subject to tax", "InvoiceLine/Item/ClassifiedTaxCategory/ID", "Z")]
    [InlineData("BR-CL-22", "not subject to tax", "TaxTotal/TaxSubtotal/TaxCategory/TaxExemptionReasonCode", "VATEX-NONE")]
    [InlineData("PEPPOL-EN16931-R120", "minutes of no whole hundredth", "InvoiceLine/Price/BaseQuantity", null)]
    [InlineData("PEPPOL-EN16931-R130", "minutes of no whole hundredth", "InvoiceLine/Price/BaseQuantity@unitCode", "HUR")]
    [InlineData("UBL-ORDER Invoice/Note", "two rates", "+Note", "late")]
    [InlineData("UBL-ORDER Price/Discount", "two rates", "InvoiceLine/Price+Discount", "1")]
    [InlineData("UBL-EMPTY", "two rates", "AccountingSupplierParty/Party/Contact/Name", "")]
    public void The_reader_finds_a_broken_rule(string rule, string sample, string path, string? value)
    {
        var document = Written(All[sample]);
        Spoil(document, path, value);
        Assert.Contains(rule, En16931Reader.Read(document));
    }

    [Theory]
    [InlineData("account credit used", "520.00", "9000.00")]
    [InlineData("paid with account credit", "9520.00", "0.00")]
    public void Account_credit_that_went_into_an_invoice_is_prepaid(string sample, string prepaid, string due)
    {
        var total = Written(All[sample]).Element(s_cac + "LegalMonetaryTotal")!;
        Assert.Equal(("9520.00", prepaid, due), (Of("TaxInclusiveAmount"), Of("PrepaidAmount"), Of("PayableAmount")));

        string Of(string name) => total.Element(s_cbc + name)!.Value;
    }

    [Fact]
    public void A_credit_note_states_what_is_given_back_and_of_which_invoice()
    {
        var note = Written(All["credit note with a charge"]);
        Assert.Equal(["MAIN-000041"], note.Elements(s_cac + "BillingReference").Select(r => r.Value[..11]));
        Assert.Equal(["8000.00", "-195.83", "330.00"], note.Elements(s_cac + "CreditNoteLine").Select(l => l.Element(s_cbc + "LineExtensionAmount")!.Value));
        Assert.Equal(["1", "-47", "11"], note.Elements(s_cac + "CreditNoteLine").Select(l => l.Element(s_cbc + "CreditedQuantity")!.Value));
        Assert.Equal("Korrigiert MAIN-000041, Position 1", Written(All["credit note"]).Element(s_cac + "CreditNoteLine")!.Element(s_cbc + "Note")!.Value);
        Assert.Empty(note.Elements(s_cac + "PaymentMeans"));
    }

    [Fact]
    public void A_quantity_is_what_people_count_in_as_far_as_it_comes_to_the_amount()
    {
        Assert.Equal(["1 MON 8000.00", "1.5 HUR 250.00", "10.25 HUR 180.50"], Quantities("two rates"));
        Assert.Equal(["10 MIN 250.00/60", "1 MIN 250.00/60", "61 MIN 0.99/60"], Quantities("minutes of no whole hundredth"));
        Assert.Equal(["22 DAY 8000.00/30"], Quantities("part of a period"));
        Assert.Equal(["1 QAN 24000.00", "1 SAN 48000.00", "1 ANN 96000.00"], Quantities("a quarter, half a year, a year"));
        Assert.Equal(["1 C62 83.34", "1 C62 0.01"], Quantities("the rest of a key"));
        Assert.Equal(["1 MON 8000.00", "-1 C62 800.00"], Quantities("a discount"));
        Assert.Equal(["1.5 DAY 1200.00", "1 C62 5000.00", "-1 C62 680.00"], Quantities("days and parts"));
        // 50 minutes at 12,345 yen are 10,287.5: a reader who rounds to two decimals would not find 10,288.
        Assert.Equal(["1 MON 1200000", "1 C62 10288"], Quantities("yen"));
    }

    [Fact]
    public void A_bank_transfer_in_euros_to_an_IBAN_is_a_SEPA_one()
    {
        Assert.Equal(("58", "DE89370400440532013000"), Means("two rates"));
        Assert.Equal(("30", "021000021 123456789"), Means("not subject to tax"));

        static (string, string) Means(string sample)
        {
            var means = Written(All[sample]).Element(s_cac + "PaymentMeans")!;
            return (means.Element(s_cbc + "PaymentMeansCode")!.Value, means.Element(s_cac + "PayeeFinancialAccount")!.Element(s_cbc + "ID")!.Value);
        }
    }

    [Fact]
    public void A_sandbox_s_document_says_that_it_is_none()
    {
        Assert.Equal("SANDBOX – NOT VALID", Written(All["a sandbox's"]).Element(s_cbc + "Note")!.Value);
        Assert.Null(Written(All["two rates"]).Element(s_cbc + "Note"));
    }

    [Fact]
    public void What_cannot_be_told_in_EN_16931_is_refused_with_the_reason()
    {
        var (whole, plain) = (All["two rates"], All["nothing optional"]);
        var (seller, buyer) = (whole.Content.Seller, whole.Content.Buyer);
        var standard = new TaxTreatment(TaxCategory.Standard, 190_000);
        var reverse = new TaxTreatment(TaxCategory.ReverseCharge, 0);

        Refused(Reasons.UblThreeDecimals, "currency", "KWD", Document("KWD", seller, buyer, [Fee(standard, 10_000)]));
        Refused(Reasons.UblMixedTax, "categories", "O, S", Document("EUR", seller, buyer, [Fee(TaxTreatment.None, 10_000), Fee(standard, 10_000)]));
        Refused(Reasons.UblIncomplete, "missing", "buyer.country,seller.vat_id", Document("EUR", seller with { TaxId = "", Details = null }, buyer with { Country = "" }, [Fee(standard, 10_000)]));
        Refused(Reasons.UblIncomplete, "missing", "seller.registration_number", Document("EUR", seller with { TaxId = "", Details = null }, buyer, [Fee(TaxTreatment.None, 10_000)]));
        Refused(Reasons.UblIncomplete, "missing", "buyer.vat_id", Document("EUR", seller, plain.Content.Buyer, [Fee(reverse, 10_000)]));

        static void Refused(string reason, string key, string value, DocumentSource source)
        {
            var refusal = UblDocument.Refusal(source);
            Assert.Equal((reason, value), (refusal?.Reason, refusal?.Metadata.GetValueOrDefault(key)));
        }
    }

    private static IEnumerable<string> Quantities(string sample) => Written(All[sample]).Elements(s_cac + "InvoiceLine").Select(l =>
    {
        var (quantity, price) = (l.Element(s_cbc + "InvoicedQuantity")!, l.Element(s_cac + "Price")!);
        return $"{quantity.Value} {quantity.Attribute("unitCode")!.Value} {price.Element(s_cbc + "PriceAmount")!.Value}{(price.Element(s_cbc + "BaseQuantity") is { } of ? "/" + of.Value : "")}";
    });

    private static XElement Written(DocumentSource source) => XDocument.Load(new MemoryStream(UblDocument.Write(source))).Root!;

    /// <summary>Takes the elements of a path out, or gives the first another value. <c>a@b</c> is an attribute, <c>a+b</c> a new last child, <c>a&amp;b/c</c> a copy of b with another c, <c>a/b*</c> all whose names begin so.</summary>
    private static void Spoil(XElement document, string path, string? value)
    {
        if (path.Split('&') is [var whole, var part])
        {
            var copy = new XElement(At(document, $"{whole}/{part.Split('/')[0]}").First());
            At(document, whole).First().Add(copy);
            At(copy, part[(part.IndexOf('/') + 1)..]).First().Value = value!;
            return;
        }

        var (where, attribute) = path.Split('@') is [var e, var a] ? (e, a) : (path, null);
        if (where.Split('+') is [var parent, var child])
        {
            At(document, parent).First().Add(new XElement(s_cbc + child, value));
            return;
        }

        var found = At(document, where).ToList();
        Assert.NotEmpty(found);
        if (attribute is not null)
        {
            found[0].SetAttributeValue(attribute, value);
        }
        else if (value is not null)
        {
            found[0].Value = value;
        }
        else
        {
            found.Where(f => f.Parent == found[0].Parent || path.EndsWith('*')).ToList().ForEach(f => f.Remove());
        }
    }

    private static IEnumerable<XElement> At(XElement document, string path)
    {
        IEnumerable<XElement> at = [document];
        foreach (var step in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            at = at.Elements().Where(c => step.EndsWith('*') ? c.Name.LocalName.StartsWith(step[..^1], StringComparison.Ordinal) : c.Name.LocalName == step).ToList();
        }

        return at;
    }
}
