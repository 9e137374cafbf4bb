using System.Collections.Immutable;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Gateway.Billing.Documents;
using NodaTime;

namespace AgencyPlatform.Gateway.Tests.Billing.Documents;

/// <summary>Final invoices and credit notes of many kinds, as their documents are made of.</summary>
internal static class DocumentSamples
{
    private static readonly LocalDate s_june = new(2026, 6, 1), s_july = new(2026, 7, 1);
    private static readonly TaxTreatment s_none = TaxTreatment.None, s_nineteen = new(TaxCategory.Standard, 190_000), s_seven = new(TaxCategory.Standard, 70_000);
    private static readonly TaxTreatment s_zero = new(TaxCategory.ZeroRated, 0), s_exempt = new(TaxCategory.Exempt, 0), s_reverse = new(TaxCategory.ReverseCharge, 0);

    private static readonly Party s_berlin = new(
        "Hafen Marketing GmbH", "Kanalstraße 12\n10997 Berlin", "DE", "37/123/45678",
        new PartyDetails(
            new PostalAddress("Kanalstraße 12", "", "Berlin", "10997", ""), "DE123456788", "HRB 98765 B, Amtsgericht Charlottenburg",
            new ElectronicAddress("9930", "DE123456788"), new ContactPoint("Buchhaltung", "+49 30 1234567", "buchhaltung@hafen.example")));

    private static readonly Party s_newYork = new(
        "Harbor Marketing LLC", "1 Pier Street\nNew York, NY 10004", "US", "12-3456789",
        new PartyDetails(new PostalAddress("1 Pier Street", "Suite 400", "New York", "10004", "NY"), "", "", null, new ContactPoint("Accounts receivable", "+1 212 555 0100", "billing@harbor.example")));

    private static readonly Party s_munich = new(
        "Isar Werke AG", "Isarweg 3\n80331 München", "DE", "",
        new PartyDetails(new PostalAddress("Isarweg 3", "Gebäude B", "München", "80331", "Bayern"), "DE987654321", "", new ElectronicAddress("0204", "991-33333TEST-33"), new ContactPoint("Rechnungseingang", "", "rechnung@isar.example")));

    private static readonly Party s_boston = new(
        "Acme Inc", "5 Main Street\nBoston, MA 02101", "US", "98-7654321", new PartyDetails(new PostalAddress("5 Main Street", "", "Boston", "02101", "MA"), "", "", null, null));

    private static readonly Party s_paris = new(
        "Société Générale d’Épicerie SARL", "", "FR", "", new PartyDetails(new PostalAddress("12 rue de l’Église", "", "Paris", "75001", ""), "FR12345678901", "", null, null));

    private static readonly BankAccount s_iban = new("", "DE89370400440532013000", "", "COBADEFFXXX", "Commerzbank");
    private static readonly BankAccount s_number = new("Harbor Marketing LLC", "", "021000021 123456789", "CHASUS33", "Chase");

    /// <summary>All of them by name.</summary>
    public static IReadOnlyDictionary<string, DocumentSource> All { get; } = new Dictionary<string, DocumentSource>
    {
        ["standard rate, everything said"] = Document("EUR", s_berlin, s_munich, [Fee(s_nineteen, 800_000)], new DocumentTerms("04011000-1234512345-06", "PO-2026-0042", "Zahlbar ohne Abzug.", "de", ""), s_iban),
        ["two rates"] = Document("EUR", s_berlin, s_munich, [Fee(s_nineteen, 800_000), Hours(s_seven, 90, 25_000), Hours(s_nineteen, 615, 18_050)], null, s_iban),
        ["zero rated"] = Document("EUR", s_berlin, s_munich, [Fee(s_zero, 123_456)]),
        ["exempt with a reason"] = Document("EUR", s_berlin, s_munich, [Fee(s_exempt, 250_000)], new DocumentTerms("", "", "", "en", "Exempt by article 132 (1) (i), directive 2006/112/EC")),
        ["exempt without one"] = Document("EUR", s_berlin, s_munich, [Fee(s_exempt, 250_000)]),
        ["reverse charge abroad"] = Document("EUR", s_berlin, s_paris, [Fee(s_reverse, 450_000), Hours(s_reverse, 125, 21_000)], null, s_iban),
        ["not subject to tax"] = Document("USD", s_newYork, s_boston, [Fee(s_none, 800_000), Hours(s_none, 20, 25_000)], null, s_number),
        ["buyer with a VAT id, not subject to tax"] = Document("USD", s_berlin, s_paris, [Fee(s_none, 800_000)]),
        ["credit note"] = Credit("EUR", s_berlin, s_munich, [Credited(s_nineteen, 800_000, 20)], new DocumentTerms("Einkauf", "PO-1", "30 Tage", "de", ""), s_iban),
        ["credit note, reverse charge"] = Credit("EUR", s_berlin, s_paris, [Credited(s_reverse, 450_000, 10)]),
        ["credit note, not subject to tax"] = Credit("USD", s_newYork, s_boston, [Credited(s_none, 800_000, 7)]),
        ["credit note with a charge"] = Credit("EUR", s_berlin, s_munich, [Credited(s_nineteen, 800_000, 30), Hours(s_nineteen, 47, 25_000), Credited(s_seven, 90_001, 11)]),
        ["charges and a credit"] = Document("EUR", s_berlin, s_munich, [Credited(s_nineteen, 800_000, 15), Fee(s_nineteen, 1_000_000, 15)], null, s_iban),
        ["yen"] = Document("JPY", s_berlin with { Country = "JP", LegalName = "港マーケティング株式会社" }, s_munich with { Country = "JP", LegalName = "株式会社テスト" }, [Fee(new(TaxCategory.Standard, 100_000), 1_200_000), Hours(new(TaxCategory.Standard, 100_000), 50, 12_345)], null, s_number),
        ["won"] = Document("KRW", s_newYork, s_boston with { Country = "KR", LegalName = "테스트 주식회사" }, [Fee(s_none, 9_000_000, 17)]),
        ["many lines"] = Document("EUR", s_berlin, s_munich, [.. Enumerable.Range(1, 70).Select(i => Hours(i % 3 == 0 ? s_seven : s_nineteen, 7 * i, 9_950 + i))], null, s_iban),
        ["minutes of no whole hundredth"] = Document("EUR", s_berlin, s_munich, [Hours(s_nineteen, 10, 25_000), Hours(s_nineteen, 1, 25_000), Hours(s_nineteen, 61, 99)]),
        ["the rest of a key"] = Document("EUR", s_berlin, s_munich, [Hours(s_nineteen, 20, 25_000) with { Amount = 8_334 }, Hours(s_nineteen, 0, 25_000) with { Amount = 1 }]),
        ["part of a period"] = Document("EUR", s_berlin, s_munich, [Fee(s_nineteen, 800_000, 22)]),
        ["a quarter, half a year, a year"] = Document("EUR", s_berlin, s_munich, [Fee(s_nineteen, 2_400_000, 92, 92), Fee(s_nineteen, 4_800_000, 184, 184), Fee(s_nineteen, 9_600_000, 365, 365)]),
        ["nothing optional"] = Document("EUR", new Party("Klein UG", "Weg 1", "DE", "11/222/33333"), new Party("Ohne Angaben", "", "DE", ""), [Fee(s_nineteen, 10_000)]),
        ["address in lines only"] = Document("USD", s_newYork with { Details = null }, s_boston with { Details = null, Address = "Attn. Purchasing\nTower 2\n5 Main Street\nBoston, MA 02101" }, [Fee(s_none, 10_000)]),
        ["names of everywhere"] = Document("EUR", s_berlin, s_munich with { LegalName = "Łódź & Søn <Ελλάδα> “Žižkov” ООО \"Пример\"", Country = "PL" }, [Fee(s_nineteen, 99_999)], new DocumentTerms("Größe & <Maß>", "№ 42", "", "en", "")),
        ["a discount"] = Document("EUR", s_berlin, s_munich, [Fee(s_nineteen, 800_000), Line(s_nineteen, Charge.Fee, 0, LineUnit.Minutes, 0, 0, -80_000)]),
        ["every category but one"] = Document("EUR", s_berlin, s_paris, [Fee(s_nineteen, 100_000), Fee(s_seven, 33_333), Fee(s_zero, 5_000), Fee(s_exempt, 7_000), Fee(s_reverse, 11_111)]),
        ["a rate with three decimals"] = Document("USD", s_newYork, s_boston, [Fee(new(TaxCategory.Standard, 88_750), 800_000), Hours(new(TaxCategory.Standard, 88_750), 20, 25_000)], null, s_number),
        ["nothing to pay"] = Document("EUR", s_berlin, s_munich, [Credited(s_nineteen, 800_000, 15), Fee(s_nineteen, 800_000, 15)]),
        ["amounts of a billion"] = Document("EUR", s_berlin, s_munich, [Fee(s_nineteen, 999_999_999_999), Hours(s_nineteen, 1_000_001, 99_999_999)]),
        ["days and parts"] = Document(
            "EUR", s_berlin, s_munich,
            [Line(s_nineteen, Charge.Days, 3, LineUnit.HalfDays, 0, 120_000, 180_000), Line(s_nineteen, Charge.Milestone, 1, LineUnit.Each, 0, 0, 500_000), Line(s_nineteen, Charge.Discount, 1, LineUnit.Each, 0, 0, -68_000)]),
        ["account credit used"] = Prepaid(Document("EUR", s_berlin, s_munich, [Fee(s_nineteen, 800_000)], null, s_iban), 52_000),
        ["paid with account credit"] = Prepaid(Document("EUR", s_berlin, s_munich, [Fee(s_nineteen, 800_000)], null, s_iban), 952_000),
        ["a sandbox's"] = Document("EUR", s_berlin, s_munich, [Fee(s_nineteen, 800_000)]) with { Sandbox = true },
    };

    public static DocumentSource Document(string currency, Party seller, Party buyer, InvoiceLine[] lines, DocumentTerms? terms = null, BankAccount? payTo = null) =>
        Source(DocumentKind.Invoice, currency, seller, buyer, lines, terms, payTo);

    public static DocumentSource Credit(string currency, Party seller, Party buyer, InvoiceLine[] lines, DocumentTerms? terms = null, BankAccount? payTo = null) =>
        Source(DocumentKind.CreditNote, currency, seller, buyer, lines, terms, payTo);

    private static DocumentSource Prepaid(DocumentSource source, long prepaid) => source with { Invoice = source.Invoice with { Prepaid = prepaid } };

    /// <summary>Days of a fee whose whole period is June, or as long as said.</summary>
    public static InvoiceLine Fee(TaxTreatment tax, long fee, int days = 30, int fullDays = 30) =>
        Line(tax, Charge.Fee, days, LineUnit.Days, fullDays, fee, Rounding.HalfAwayFromZero((System.Numerics.BigInteger)fee * days, fullDays));

    public static InvoiceLine Hours(TaxTreatment tax, int minutes, long rate) =>
        Line(tax, Charge.Hours, minutes, LineUnit.Minutes, 0, rate, Rounding.HalfAwayFromZero((System.Numerics.BigInteger)rate * minutes, 60));

    /// <summary>Days of June given back.</summary>
    public static InvoiceLine Credited(TaxTreatment tax, long fee, int days)
    {
        var line = Fee(tax, fee, days);
        return line with { Amount = -line.Amount, Quantity = -days, Corrects = new LineReference(new InvoiceId("june"), 1) };
    }

    public static InvoiceLine Line(TaxTreatment tax, Charge charge, long quantity, LineUnit unit, int fullDays, long rate, long amount) => new(
        0, new ItemKey(new EngagementId("launch"), s_june, charge, rate), "Launch: as described", new DateRange(s_june, s_june.PlusDays(Math.Max(1, unit == LineUnit.Days ? (int)quantity : 5))),
        new DateRange(s_june, s_july), [], FeeTiming.InArrears, quantity, unit, fullDays, amount, tax, 0, [], null);

    private static DocumentSource Source(DocumentKind kind, string currency, Party seller, Party buyer, InvoiceLine[] lines, DocumentTerms? terms, BankAccount? payTo)
    {
        var code = new Currency(currency);
        var numbered = lines.Select((l, i) => l with { Number = i + 1 }).ToImmutableArray();
        var taxes = numbered.GroupBy(l => l.TaxTreatment)
            .Select(g => new TaxSubtotal(g.Key, g.Sum(l => l.Amount), g.Key.On(new Money(g.Sum(l => l.Amount), code)).Minor)).ToImmutableArray();
        var (net, tax) = (numbered.Sum(l => l.Amount), taxes.Sum(t => t.Tax));
        var content = new InvoiceContent(
            kind, s_july, seller, buyer, 30, numbered, taxes, net, tax, net + tax, terms, payTo, ImmutableSortedDictionary<EngagementId, string>.Empty.Add(new EngagementId("launch"), "Markteintritt & Aufbau"));
        var series = new InvoiceSeriesId(kind == DocumentKind.CreditNote ? "main-cn" : "main");
        var account = new AccountId(new ClientCompanyId("acme"), new LegalEntityId("main"), code);
        return new DocumentSource(
            new AgencyId("harbor"), account, new Invoice(new InvoiceId("sample"), InvoiceState.Finalized, content, default, default(Instant), series, 42, s_july, s_july.PlusDays(30)),
            lines.Any(l => l.Corrects is not null)
                ? ImmutableSortedDictionary<InvoiceId, CorrectedDocument>.Empty.Add(new InvoiceId("june"), new CorrectedDocument("MAIN-000041", s_june))
                : ImmutableSortedDictionary<InvoiceId, CorrectedDocument>.Empty, false);
    }
}
