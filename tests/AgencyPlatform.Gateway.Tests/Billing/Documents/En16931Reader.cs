using System.Globalization;
using System.Xml.Linq;

namespace AgencyPlatform.Gateway.Tests.Billing.Documents;

/// <summary>
/// Reads a UBL invoice or credit note as a receiver would, by EN 16931's rules and the sequences of the UBL 2.1 schema alone, and says which rules it breaks.
/// It knows nothing of how the platform writes one.
/// </summary>
internal sealed class En16931Reader
{
    private static readonly XNamespace s_cac = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2";
    private static readonly XNamespace s_cbc = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2";

    /// <summary>The children that UBL 2.1 allows, in their order, as far as EN 16931 uses them. Those with a star may be there more than once.</summary>
    private static readonly Dictionary<string, string[]> s_sequences = new Dictionary<string, string>
    {
        ["Invoice"] =
            "UBLExtensions UBLVersionID CustomizationID ProfileID ProfileExecutionID ID CopyIndicator UUID IssueDate IssueTime DueDate InvoiceTypeCode Note* TaxPointDate DocumentCurrencyCode " +
            "TaxCurrencyCode AccountingCostCode AccountingCost LineCountNumeric BuyerReference InvoicePeriod* OrderReference BillingReference* DespatchDocumentReference* ReceiptDocumentReference* " +
            "StatementDocumentReference* OriginatorDocumentReference* ContractDocumentReference* AdditionalDocumentReference* ProjectReference* AccountingSupplierParty AccountingCustomerParty " +
            "PayeeParty TaxRepresentativeParty Delivery* DeliveryTerms PaymentMeans* PaymentTerms* PrepaidPayment* AllowanceCharge* TaxExchangeRate TaxTotal* WithholdingTaxTotal* LegalMonetaryTotal InvoiceLine*",
        ["CreditNote"] =
            "UBLExtensions UBLVersionID CustomizationID ProfileID ProfileExecutionID ID CopyIndicator UUID IssueDate IssueTime TaxPointDate CreditNoteTypeCode Note* DocumentCurrencyCode " +
            "TaxCurrencyCode AccountingCostCode AccountingCost LineCountNumeric BuyerReference InvoicePeriod* DiscrepancyResponse* OrderReference BillingReference* DespatchDocumentReference* " +
            "ReceiptDocumentReference* ContractDocumentReference* AdditionalDocumentReference* StatementDocumentReference* OriginatorDocumentReference* AccountingSupplierParty AccountingCustomerParty " +
            "PayeeParty TaxRepresentativeParty Delivery* DeliveryTerms PaymentMeans* PaymentTerms* TaxExchangeRate AllowanceCharge* TaxTotal* LegalMonetaryTotal CreditNoteLine*",
        ["InvoicePeriod"] = "StartDate StartTime EndDate EndTime DurationMeasure DescriptionCode* Description*",
        ["OrderReference"] = "ID SalesOrderID CopyIndicator UUID IssueDate IssueTime CustomerReference",
        ["BillingReference"] = "InvoiceDocumentReference",
        ["InvoiceDocumentReference"] = "ID CopyIndicator UUID IssueDate",
        ["AccountingSupplierParty"] = "Party",
        ["AccountingCustomerParty"] = "Party",
        ["Party"] = "WebsiteURI LogoReferenceID EndpointID IndustryClassificationCode PartyIdentification* PartyName* Language PostalAddress PhysicalLocation PartyTaxScheme* PartyLegalEntity* Contact",
        ["PartyIdentification"] = "ID",
        ["PartyName"] = "Name",
        ["PostalAddress"] = "ID AddressTypeCode Postbox Floor Room StreetName AdditionalStreetName BlockName CitySubdivisionName CityName PostalZone CountrySubentity CountrySubentityCode Region District AddressLine* Country",
        ["AddressLine"] = "Line",
        ["Country"] = "IdentificationCode Name",
        ["PartyTaxScheme"] = "RegistrationName CompanyID TaxLevelCode ExemptionReasonCode ExemptionReason* RegistrationAddress TaxScheme",
        ["TaxScheme"] = "ID Name TaxTypeCode CurrencyCode",
        ["PartyLegalEntity"] = "RegistrationName CompanyID RegistrationDate RegistrationExpirationDate CompanyLegalFormCode CompanyLegalForm",
        ["Contact"] = "ID Name Telephone Telefax ElectronicMail Note*",
        ["PaymentMeans"] = "ID PaymentMeansCode PaymentDueDate PaymentChannelCode InstructionID InstructionNote* PaymentID* CardAccount PayerFinancialAccount PayeeFinancialAccount",
        ["PayeeFinancialAccount"] = "ID Name AliasName AccountTypeCode AccountFormatCode CurrencyCode PaymentNote* FinancialInstitutionBranch Country",
        ["FinancialInstitutionBranch"] = "ID Name",
        ["PaymentTerms"] = "ID PaymentMeansID* PrepaidPaymentReferenceID Note*",
        ["TaxTotal"] = "TaxAmount RoundingAmount TaxEvidenceIndicator TaxIncludedIndicator TaxSubtotal*",
        ["TaxSubtotal"] = "TaxableAmount TaxAmount CalculationSequenceNumeric TransactionCurrencyTaxAmount Percent TaxCategory",
        ["TaxCategory"] = "ID Name Percent BaseUnitMeasure PerUnitAmount TaxExemptionReasonCode TaxExemptionReason* TierRange TierRatePercent TaxScheme",
        ["ClassifiedTaxCategory"] = "ID Name Percent BaseUnitMeasure PerUnitAmount TaxExemptionReasonCode TaxExemptionReason* TierRange TierRatePercent TaxScheme",
        ["LegalMonetaryTotal"] = "LineExtensionAmount TaxExclusiveAmount TaxInclusiveAmount AllowanceTotalAmount ChargeTotalAmount PrepaidAmount PayableRoundingAmount PayableAmount",
        ["InvoiceLine"] = "ID UUID Note* InvoicedQuantity LineExtensionAmount TaxPointDate AccountingCostCode AccountingCost InvoicePeriod* OrderLineReference* AllowanceCharge* Item Price",
        ["CreditNoteLine"] = "ID UUID Note* CreditedQuantity LineExtensionAmount TaxPointDate AccountingCostCode AccountingCost InvoicePeriod* OrderLineReference* AllowanceCharge* Item Price",
        ["Item"] = "Description* PackQuantity PackSizeNumeric CatalogueIndicator Name ClassifiedTaxCategory*",
        ["Price"] = "PriceAmount BaseQuantity AllowanceCharge*",
        ["AllowanceCharge"] = "ID ChargeIndicator AllowanceChargeReasonCode AllowanceChargeReason* MultiplierFactorNumeric PrepaidIndicator SequenceNumeric Amount BaseAmount AccountingCostCode AccountingCost TaxCategory*",
    }.ToDictionary(s => s.Key, s => s.Value.Split(' '));

    private static readonly HashSet<string> s_documentTypes = [.. "80 82 84 130 202 203 204 211 218 219 261 262 295 296 308 325 326 331 380 381 382 383 384 385 386 387 388 389 390 393 394 395 396 420 456 457 458 527 532 553 575 623 633 751 780 817 870 875 876 877 935".Split(' ')];
    private static readonly HashSet<string> s_currencies = [.. "AED AUD BHD BRL CAD CHF CLP CNY CZK DKK EUR GBP HKD HUF INR ISK JPY KRW KWD MXN NOK NZD PLN RON SEK SGD TND TRY USD ZAR".Split(' ')];
    private static readonly HashSet<string> s_countries = [.. "AT AU BE BG CA CH CN CY CZ DE DK EE ES FI FR GB GR HR HU IE IN IS IT JP KR LT LU LV MT NL NO PL PT RO SE SG SI SK US XI".Split(' ')];
    private static readonly HashSet<string> s_units = [.. "ANN C62 DAY HUR MIN MON QAN SAN WEE".Split(' ')];
    private static readonly HashSet<string> s_categories = [.. "S Z E AE K G O L M B".Split(' ')];
    private static readonly HashSet<string> s_addressSchemes = [.. "0002 0007 0009 0060 0088 0106 0184 0190 0192 0204 0208 9925 9930 9931 9957 9959 EM".Split(' ')];

    private readonly SortedSet<string> _broken = new(StringComparer.Ordinal);
    private readonly XElement _document;
    private readonly bool _credit;

    private En16931Reader(XElement document) => (_document, _credit) = (document, document.Name.LocalName == "CreditNote");

    /// <summary>The ids of the rules that the document breaks; of the schema's sequences as <c>UBL-ORDER parent/child</c>.</summary>
    public static IReadOnlyCollection<string> Read(XElement document)
    {
        var reader = new En16931Reader(document);
        reader.Sequences();
        reader.Document();
        reader.Parties();
        reader.Payment();
        reader.Lines();
        reader.Totals();
        reader.Breakdown();
        reader.Categories();
        return reader._broken;
    }

    private void Sequences()
    {
        var schema = "urn:oasis:names:specification:ubl:schema:xsd:" + (_credit ? "CreditNote-2" : "Invoice-2");
        Rule("UBL-ORDER root", _document.Name.NamespaceName == schema);
        foreach (var parent in _document.DescendantsAndSelf().Where(e => e.HasElements))
        {
            if (!s_sequences.TryGetValue(parent.Name.LocalName, out var sequence))
            {
                _broken.Add($"UBL-ORDER {parent.Name.LocalName}");
                continue;
            }

            var at = 0;
            foreach (var child in parent.Elements())
            {
                var place = Array.FindIndex(sequence, s => s.TrimEnd('*') == child.Name.LocalName);
                var again = place >= 0 && place + 1 == at && sequence[place].EndsWith('*');
                Rule($"UBL-ORDER {parent.Name.LocalName}/{child.Name.LocalName}", place >= at || again);
                Rule($"UBL-ORDER {parent.Name.LocalName}/{child.Name.LocalName}", child.Name.Namespace == (child.HasElements ? s_cac : s_cbc));
                at = Math.Max(at, place + 1);
            }
        }

        Rule("UBL-EMPTY", _document.DescendantsAndSelf().All(e => e.HasElements || e.Value.Trim().Length > 0));
    }

    private void Document()
    {
        Rule("BR-01", Text(_document, "CustomizationID") == "urn:cen.eu:en16931:2017");
        Rule("BR-02", Text(_document, "ID") is not null);
        Rule("BR-03", DateOf(_document, "IssueDate") is not null);
        var type = Text(_document, _credit ? "CreditNoteTypeCode" : "InvoiceTypeCode");
        Rule("BR-04", type is not null);
        Rule("BR-CL-01", type is null || (s_documentTypes.Contains(type) && (type == "381") == _credit));
        Rule("BR-05", Currency is not null);
        Rule("BR-CL-04", Currency is null || s_currencies.Contains(Currency));
        Rule("BR-CL-03", _document.Descendants().Where(e => e.Attribute("currencyID") is not null).All(e => e.Attribute("currencyID")!.Value == Currency));
        Rule("BR-16", AllLines.Any());
        Rule("BR-55", _document.Elements(s_cac + "BillingReference").All(r => Text(r, "InvoiceDocumentReference", "ID") is not null));
        Rule("BR-CO-03", Text(_document, "TaxPointDate") is null || Text(_document, "InvoicePeriod", "DescriptionCode") is null);
        foreach (var period in _document.Elements(s_cac + "InvoicePeriod"))
        {
            Rule("BR-CO-19", DateOf(period, "StartDate") is not null || DateOf(period, "EndDate") is not null);
            Rule("BR-29", DateOf(period, "StartDate") is not { } start || DateOf(period, "EndDate") is not { } end || end >= start);
        }
    }

    private void Parties()
    {
        foreach (var (role, name, address, country, endpoint) in new[] { ("AccountingSupplierParty", "BR-06", "BR-08", "BR-09", "BR-62"), ("AccountingCustomerParty", "BR-07", "BR-10", "BR-11", "BR-63") })
        {
            var party = Part(_document, role, "Party");
            Rule(name, Text(party, "PartyLegalEntity", "RegistrationName") is not null);
            Rule(address, Part(party, "PostalAddress") is not null);
            var code = Text(party, "PostalAddress", "Country", "IdentificationCode");
            Rule(country, code is not null);
            Rule("BR-CL-14", code is null || s_countries.Contains(code));
            var id = party?.Element(s_cbc + "EndpointID");
            Rule(endpoint, id is null || id.Attribute("schemeID") is not null);
            Rule("BR-CL-25", id?.Attribute("schemeID") is not { } scheme || s_addressSchemes.Contains(scheme.Value));
            Rule("BR-CO-09", TaxIds(party, vat: true).All(v => v.Length > 2 && (s_countries.Contains(v[..2]) || v[..2] == "EL")));
        }

        Rule("BR-CO-26", TaxIds(Seller, vat: true).Any() || Text(Seller, "PartyIdentification", "ID") is not null || Text(Seller, "PartyLegalEntity", "CompanyID") is not null);
    }

    private void Payment()
    {
        foreach (var means in _document.Elements(s_cac + "PaymentMeans"))
        {
            var code = Text(means, "PaymentMeansCode");
            Rule("BR-49", code is not null);
            Rule("BR-CL-16", code is null || (int.TryParse(code, out var number) && number is >= 1 and <= 98));
            Rule("BR-50", Part(means, "PayeeFinancialAccount") is not { } account || Text(account, "ID") is not null);
            Rule("BR-61", code is not ("30" or "58") || Text(means, "PayeeFinancialAccount", "ID") is not null);
            // SEPA moves euros only, to an IBAN.
            Rule("SEPA", code != "58" || (Currency == "EUR" && Text(means, "PayeeFinancialAccount", "ID") is not ['0' or '1' or '2' or '3', ..]));
        }

        Rule("BR-CO-25", (Number(Total, "PayableAmount") ?? 0) <= 0 || Text(_document, "DueDate") is not null || Text(_document, "PaymentTerms", "Note") is not null);
    }

    private void Lines()
    {
        Rule("LINE-IDS", AllLines.Select(l => Text(l, "ID")).Distinct().Count() == AllLines.Count());
        foreach (var line in AllLines)
        {
            var quantity = line.Element(s_cbc + (_credit ? "CreditedQuantity" : "InvoicedQuantity"));
            var (amount, price) = (Number(line, "LineExtensionAmount"), Number(Part(line, "Price"), "PriceAmount"));
            Rule("BR-21", Text(line, "ID") is not null);
            Rule("BR-22", quantity is not null);
            Rule("BR-23", quantity?.Attribute("unitCode") is not null);
            Rule("BR-CL-23", line.Descendants().Attributes("unitCode").All(u => s_units.Contains(u.Value)));
            Rule("BR-24", amount is not null);
            Rule("BR-25", Text(line, "Item", "Name") is not null);
            Rule("BR-26", price is not null);
            Rule("BR-27", price is null or >= 0);
            Rule("BR-DEC-23", Decimals(line, "LineExtensionAmount") <= 2);
            var tax = Part(line, "Item", "ClassifiedTaxCategory");
            Rule("BR-CO-04", Text(tax, "ID") is not null && Text(tax, "TaxScheme", "ID") == "VAT");
            Rule("BR-CL-18", Text(tax, "ID") is not { } category || s_categories.Contains(category));
            foreach (var period in line.Elements(s_cac + "InvoicePeriod"))
            {
                Rule("BR-CO-20", DateOf(period, "StartDate") is not null || DateOf(period, "EndDate") is not null);
                Rule("BR-30", DateOf(period, "StartDate") is not { } start || DateOf(period, "EndDate") is not { } end || end >= start);
                // What a line covers lies within what the document covers.
                var whole = Part(_document, "InvoicePeriod");
                Rule("LINE-PERIOD", whole is null || (DateOf(period, "StartDate") >= DateOf(whole, "StartDate") && DateOf(period, "EndDate") <= DateOf(whole, "EndDate")));
            }

            // The network's rule PEPPOL-EN16931-R120, exact: net amount = quantity × (price ÷ base quantity), rounded to two decimals; R121, R130: base above 0, of the same unit.
            var baseQuantity = Part(line, "Price")?.Element(s_cbc + "BaseQuantity");
            Rule("PEPPOL-EN16931-R121", baseQuantity is null || Of(baseQuantity) > 0);
            Rule("PEPPOL-EN16931-R130", baseQuantity is null || baseQuantity.Attribute("unitCode")?.Value == quantity?.Attribute("unitCode")?.Value);
            if (quantity is not null && amount is { } net && price is { } unit)
            {
                Rule("PEPPOL-EN16931-R120", Rounded(Of(quantity) * unit / (baseQuantity is null ? 1 : Of(baseQuantity))) == net);
            }
        }
    }

    private void Totals()
    {
        var lines = AllLines.Sum(l => Number(l, "LineExtensionAmount") ?? 0);
        var (net, without, with, due) = (Number(Total, "LineExtensionAmount"), Number(Total, "TaxExclusiveAmount"), Number(Total, "TaxInclusiveAmount"), Number(Total, "PayableAmount"));
        Rule("BR-12", net is not null);
        Rule("BR-13", without is not null);
        Rule("BR-14", with is not null);
        Rule("BR-15", due is not null);
        Rule("BR-CO-10", net is null || net == lines);
        var (allowances, charges) = (OfDocument(false), OfDocument(true));
        Rule("BR-CO-11", (Number(Total, "AllowanceTotalAmount") ?? 0) == allowances);
        Rule("BR-CO-12", (Number(Total, "ChargeTotalAmount") ?? 0) == charges);
        Rule("BR-CO-13", without is null || without == net - allowances + charges);
        var tax = _document.Elements(s_cac + "TaxTotal").Sum(t => Number(t, "TaxAmount") ?? 0);
        Rule("BR-CO-15", with is null || (_document.Elements(s_cac + "TaxTotal").Count() == 1 && with == without + tax));
        Rule("BR-CO-16", due is null || due == with - (Number(Total, "PrepaidAmount") ?? 0) + (Number(Total, "PayableRoundingAmount") ?? 0));
        foreach (var (rule, name) in new[]
        {
            ("BR-DEC-09", "LineExtensionAmount"), ("BR-DEC-10", "AllowanceTotalAmount"), ("BR-DEC-11", "ChargeTotalAmount"), ("BR-DEC-12", "TaxExclusiveAmount"),
            ("BR-DEC-14", "TaxInclusiveAmount"), ("BR-DEC-16", "PrepaidAmount"), ("BR-DEC-17", "PayableRoundingAmount"), ("BR-DEC-18", "PayableAmount"),
        })
        {
            Rule(rule, Decimals(Total, name) <= 2);
        }

        decimal OfDocument(bool charge) =>
            _document.Elements(s_cac + "AllowanceCharge").Where(a => Text(a, "ChargeIndicator") == (charge ? "true" : "false")).Sum(a => Number(a, "Amount") ?? 0);
    }

    private void Breakdown()
    {
        Rule("BR-CO-18", Subtotals.Any());
        Rule("BR-CO-14", Number(Part(_document, "TaxTotal"), "TaxAmount") == Subtotals.Sum(s => Number(s, "TaxAmount") ?? 0));
        Rule("BR-DEC-13", Decimals(Part(_document, "TaxTotal"), "TaxAmount") <= 2);
        foreach (var subtotal in Subtotals)
        {
            var category = Part(subtotal, "TaxCategory");
            var (taxable, tax, rate) = (Number(subtotal, "TaxableAmount"), Number(subtotal, "TaxAmount"), Number(category, "Percent"));
            Rule("BR-45", taxable is not null);
            Rule("BR-46", tax is not null);
            Rule("BR-47", Text(category, "ID") is not null && Text(category, "TaxScheme", "ID") == "VAT");
            Rule("BR-48", rate is not null || Text(category, "ID") == "O");
            Rule("BR-CL-17", Text(category, "ID") is not { } code || s_categories.Contains(code));
            Rule("BR-CL-22", Text(category, "TaxExemptionReasonCode") is not { } reason || reason is "VATEX-EU-AE" or "VATEX-EU-O" or "VATEX-EU-IC" or "VATEX-EU-G" or "VATEX-EU-132");
            Rule("BR-DEC-19", Decimals(subtotal, "TaxableAmount") <= 2);
            Rule("BR-DEC-20", Decimals(subtotal, "TaxAmount") <= 2);
            // The rule rounds to two decimals and allows less than one unit of difference: a credit brings its share of the tax that it takes back.
            Rule("BR-CO-17", Math.Abs((tax ?? 0) - Rounded((taxable ?? 0) * (rate ?? 0) / 100)) < 1);
        }
    }

    private void Categories()
    {
        foreach (var code in s_categories)
        {
            var lines = AllLines.Where(l => Text(l, "Item", "ClassifiedTaxCategory", "ID") == code).ToList();
            var subtotals = Subtotals.Where(s => Text(s, "TaxCategory", "ID") == code).ToList();
            if (lines.Count + subtotals.Count == 0)
            {
                continue;
            }

            var rule = $"BR-{code}-";
            Rule(rule + "01", lines.Count == 0 || (code == "S" ? subtotals.Count > 0 : subtotals.Count == 1));
            var (sellerVat, sellerTax, buyerVat) = (TaxIds(Seller, vat: true).Any(), TaxIds(Seller, vat: false).Any(), TaxIds(Buyer, vat: true).Any());
            Rule(rule + "02", lines.Count == 0 || code switch
            {
                "O" => !sellerVat && !buyerVat,
                "AE" => (sellerVat || sellerTax) && (buyerVat || Text(Buyer, "PartyLegalEntity", "CompanyID") is not null),
                _ => sellerVat || sellerTax,
            });
            foreach (var rate in lines.Select(l => Number(Part(l, "Item", "ClassifiedTaxCategory"), "Percent")))
            {
                Rule(rule + "05", code switch { "S" => rate > 0, "O" => rate is null, _ => rate == 0 });
            }

            foreach (var subtotal in subtotals)
            {
                var category = Part(subtotal, "TaxCategory");
                var rate = Number(category, "Percent");
                var sum = lines.Where(l => code != "S" || Number(Part(l, "Item", "ClassifiedTaxCategory"), "Percent") == rate).Sum(l => Number(l, "LineExtensionAmount") ?? 0);
                Rule(rule + "08", Number(subtotal, "TaxableAmount") == sum);
                var tax = Number(subtotal, "TaxAmount") ?? 0;
                Rule(rule + "09", code == "S" ? Math.Abs(tax - Rounded((Number(subtotal, "TaxableAmount") ?? 0) * (rate ?? 0) / 100)) < 1 : tax == 0);
                var reasoned = Text(category, "TaxExemptionReason") is not null || Text(category, "TaxExemptionReasonCode") is not null;
                Rule(rule + "10", code is "S" or "Z" ? !reasoned : reasoned);
                if (code == "S")
                {
                    Rule("BR-S-08", Subtotals.Count(s => Text(s, "TaxCategory", "ID") == "S" && Number(Part(s, "TaxCategory"), "Percent") == rate) == 1);
                }
            }

            if (code == "O")
            {
                Rule("BR-O-11", Subtotals.Count() == subtotals.Count);
                Rule("BR-O-12", AllLines.Count() == lines.Count);
            }
        }

        // A line whose rate has no breakdown is in none (BR-S-08).
        Rule("BR-S-08", AllLines.Where(l => Text(l, "Item", "ClassifiedTaxCategory", "ID") == "S").All(l => Subtotals.Any(s =>
            Text(s, "TaxCategory", "ID") == "S" && Number(Part(s, "TaxCategory"), "Percent") == Number(Part(l, "Item", "ClassifiedTaxCategory"), "Percent"))));
    }

    private string? Currency => Text(_document, "DocumentCurrencyCode");

    private XElement? Seller => Part(_document, "AccountingSupplierParty", "Party");

    private XElement? Buyer => Part(_document, "AccountingCustomerParty", "Party");

    private XElement? Total => Part(_document, "LegalMonetaryTotal");

    private IEnumerable<XElement> AllLines => _document.Elements(s_cac + (_credit ? "CreditNoteLine" : "InvoiceLine"));

    private IEnumerable<XElement> Subtotals => _document.Elements(s_cac + "TaxTotal").Elements(s_cac + "TaxSubtotal");

    private static IEnumerable<string> TaxIds(XElement? party, bool vat) =>
        (party?.Elements(s_cac + "PartyTaxScheme") ?? []).Where(s => Text(s, "TaxScheme", "ID") == "VAT" == vat).Select(s => Text(s, "CompanyID")).OfType<string>();

    private static XElement? Part(XElement? parent, params string[] path) => path.Aggregate(parent, (e, name) => e?.Element(s_cac + name));

    private static string? Text(XElement? parent, params string[] path) =>
        Part(parent, path[..^1])?.Element(s_cbc + path[^1])?.Value.Trim() is { Length: > 0 } text ? text : null;

    private static decimal? Number(XElement? parent, string name) => Text(parent, name) is { } text ? decimal.Parse(text, CultureInfo.InvariantCulture) : null;

    private static decimal Of(XElement element) => decimal.Parse(element.Value, CultureInfo.InvariantCulture);

    private static DateOnly? DateOf(XElement? parent, string name) => DateOnly.TryParseExact(Text(parent, name), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date) ? date : null;

    private static int Decimals(XElement? parent, string name) => Text(parent, name) is { } text && text.Contains('.') ? text.Length - text.IndexOf('.') - 1 : 0;

    private static decimal Rounded(decimal value) => Math.Round(value, 2, MidpointRounding.AwayFromZero);

    private void Rule(string id, bool holds)
    {
        if (!holds)
        {
            _broken.Add(id);
        }
    }
}
