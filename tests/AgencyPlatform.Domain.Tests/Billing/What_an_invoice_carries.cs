using System.Collections.Immutable;
using System.Text.Json;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Clients;

namespace AgencyPlatform.Domain.Tests.Billing;

/// <summary>Addresses, accounts and numbers of sellers and buyers, and what a frozen content keeps of them.</summary>
public sealed class What_an_invoice_carries
{
    [Theory]
    [InlineData("DE89370400440532013000", true)]
    [InlineData("GB82WEST12345698765432", true)]
    [InlineData("NO9386011117947", true)]
    [InlineData("MT84MALT011000012345MTLCAST001S", true)]
    [InlineData("DE89370400440532013001", false)]
    [InlineData("DE98370400440532013000", false)]
    [InlineData("QQ89370400440532013000", false)]
    [InlineData("DE89 3704 0044 0532 0130 00", false)]
    [InlineData("de89370400440532013000", false)]
    [InlineData("DE89", false)]
    [InlineData("", false)]
    public void An_IBAN_has_right_check_digits(string text, bool valid) => Assert.Equal(valid, BankAccount.IsIban(text));

    [Theory]
    [InlineData("COBADEFF", true)]
    [InlineData("COBADEFFXXX", true)]
    [InlineData("CHASUS33", true)]
    [InlineData("COBADEF", false)]
    [InlineData("COBAXXFF", false)]
    [InlineData("C0BADEFF", false)]
    [InlineData("cobadeff", false)]
    public void A_BIC_has_its_shape(string text, bool valid) => Assert.Equal(valid, BankAccount.IsBic(text));

    [Theory]
    [InlineData("DE123456788", true)]
    [InlineData("EL123456789", true)]
    [InlineData("XI123456789", true)]
    [InlineData("ATU12345678", true)]
    [InlineData("NL123456789B01", true)]
    [InlineData("123456789", false)]
    [InlineData("ZZ123456789", false)]
    [InlineData("DE", false)]
    [InlineData("DE 12345", false)]
    public void A_VAT_id_begins_with_its_country(string text, bool valid) => Assert.Equal(valid, PartyDetails.IsVatId(text));

    [Theory]
    [InlineData("US", "5 Main Street|Suite 4|Boston, MA 02101")]
    [InlineData("DE", "5 Main Street|Suite 4|02101 Boston, MA")]
    [InlineData("GB", "5 Main Street|Suite 4|Boston, MA 02101")]
    public void An_address_is_printed_as_its_country_writes_it(string country, string lines) =>
        Assert.Equal(lines.Split('|'), new PostalAddress("5 Main Street", "Suite 4", "Boston", "02101", "MA").Lines(country));

    [Fact]
    public void What_is_left_out_of_an_address_leaves_no_gap() => Assert.Equal(["Weg 1", "Bonn"], new PostalAddress("Weg 1", "", "Bonn", "", "").Lines("DE"));

    [Fact]
    public void There_are_the_countries_of_ISO_3166_and_Northern_Ireland()
    {
        Assert.Equal(250, Enumerable.Range('A', 26).SelectMany(a => Enumerable.Range('A', 26).Select(b => $"{(char)a}{(char)b}")).Count(Countries.IsKnown));
        Assert.Equal(("Germany", "Northern Ireland", "QQ"), (Countries.NameOf("DE"), Countries.NameOf("XI"), Countries.NameOf("QQ")));
    }

    [Fact]
    public void An_account_has_its_own_terms_before_the_client_s()
    {
        var (us, de, euro) = (new LegalEntityId("us"), new LegalEntityId("de"), new Currency("EUR"));
        var client = new BillingDetails(
            "Acme", "", "DE", "", 30, new TaxTreatment(TaxCategory.Exempt, 0), null, new DocumentTerms("ref", "po", "", "de", "a school"),
            ImmutableSortedDictionary<string, BillingAccountDetails>.Empty
                .Add(BillingDetails.AccountKey(de, euro), new BillingAccountDetails(new TaxTreatment(TaxCategory.ReverseCharge, 0), 0, new DocumentTerms("", "po-de", "", "", "")))
                .Add(BillingDetails.AccountKey(us, euro), new BillingAccountDetails(null, null, null)));

        // The reason belongs to the category: an account with its own category does not inherit it.
        var own = client.For(de, euro);
        Assert.Equal((TaxCategory.ReverseCharge, 0, new DocumentTerms("ref", "po-de", "", "de", "")), (own.Tax!.Category, own.PaymentTermDays, own.Document));
        Assert.Equal((client.Tax, 30, client.Document), (client.For(us, euro).Tax, client.For(us, euro).PaymentTermDays, client.For(us, euro).Document));
        Assert.Same(client, client.For(de, new Currency("USD")));
    }

    [Fact]
    public void A_content_that_was_frozen_before_any_of_this_still_loads_and_says_nothing_of_it()
    {
        const string Old = """
            {"kind":"Invoice","to":"2026-01-05","seller":{"legalName":"A","address":"X","country":"US","taxId":"1"},"buyer":{"legalName":"B","address":"","country":"","taxId":""},
             "paymentTermDays":30,"lines":[],"taxes":[],"net":0,"tax":0,"total":0}
            """;
        var content = JsonSerializer.Deserialize<InvoiceContent>(Old, EventJson.Options)!;
        Assert.Equal((null, null, null, null), (content.Document, content.PayTo, content.Titles, content.Seller.Details));

        var full = content with
        {
            Seller = content.Seller with { Details = new PartyDetails(new PostalAddress("S", "", "C", "P", ""), "DE1", "HRB", new ElectronicAddress("0088", "1"), new ContactPoint("D", "", "")) },
            Document = new DocumentTerms("r", "p", "t", "de", "e"),
            PayTo = new BankAccount("", "DE89370400440532013000", "", "", ""),
            Titles = ImmutableSortedDictionary<EngagementId, string>.Empty.Add(new EngagementId("e"), "Launch"),
        };
        var loaded = JsonSerializer.Deserialize<InvoiceContent>(JsonSerializer.Serialize(full, EventJson.Options), EventJson.Options)!;
        Assert.True(full.SameAs(loaded));
        Assert.Equal((full.Seller, full.Document, full.PayTo, "Launch"), (loaded.Seller, loaded.Document, loaded.PayTo, loaded.Titles![new EngagementId("e")]));
        Assert.False(full.SameAs(content));
    }

    [Fact]
    public void What_is_recorded_of_a_seller_and_a_client_is_read_back()
    {
        var details = new PartyDetails(new PostalAddress("S", "", "C", "P", ""), "DE1", "HRB", new ElectronicAddress("0088", "1"), new ContactPoint("D", "", ""));
        var seller = new LegalEntityPut(new LegalEntity(
            new LegalEntityId("de"), "A GmbH", "DE", "Europe/Berlin", new Currency("EUR"), "", "", new InvoiceSeriesId("main"), details, new BankAccount("", "DE89370400440532013000", "", "", "")));
        Assert.Equal(seller, EventJson.Deserialize("agency.legal-entity-put", 1, EventJson.Serialize(seller)));
        Assert.Equal("S\nP C", seller.LegalEntity.AsSeller().Address);

        var none = ImmutableSortedDictionary<string, string>.Empty;
        var billing = new BillingDetails("B", "as printed", "DE", "", 30, null, details, new DocumentTerms("r", "", "", "", ""), ImmutableSortedDictionary<string, BillingAccountDetails>.Empty.Add(
            "de/EUR", new BillingAccountDetails(new TaxTreatment(TaxCategory.ReverseCharge, 0), 7, null)));
        var client = new ClientCreated(new ClientCompanyId("b"), new ClientProfile("Display", "", "", "Etc/UTC", billing, none, none));
        var read = ((ClientCreated)EventJson.Deserialize("client.created", 1, EventJson.Serialize(client))).Profile.Billing;
        Assert.Equal((details, billing.Document, billing.Accounts!["de/EUR"]), (read.Details, read.Document, read.Accounts!["de/EUR"]));
        Assert.Equal(("B", "as printed"), (read.AsBuyer("Display").LegalName, read.AsBuyer("Display").Address));
        Assert.Equal("Display", (read with { LegalName = "" }).AsBuyer("Display").LegalName);
    }
}
