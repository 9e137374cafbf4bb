using System.Globalization;
using System.Net;
using System.Text;
using System.Xml.Linq;
using AgencyPlatform.Client;
using AgencyPlatform.Domain;
using AgencyPlatform.Gateway.Tests.Billing.Documents;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Billing.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using AgencyPlatform.Protocol.Type.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Type;
using Grpc.Core;
using BillingAccountDetails = AgencyPlatform.Protocol.Clients.V1.BillingAccountDetails;
using Money = AgencyPlatform.Protocol.Type.V1.Money;
using PostalAddress = AgencyPlatform.Protocol.Type.V1.PostalAddress;
using ServiceClient = AgencyPlatform.Protocol.Billing.V1.BillingService.BillingServiceClient;

namespace AgencyPlatform.Gateway.Tests.Billing;

/// <summary>What invoices carry, and the files made of them, through the public API. The sandbox's clock stands at Monday 5 January 2026, 09:00 UTC.</summary>
[Collection(PlatformFixture.Collection)]
public sealed class DocumentsTests(PlatformFixture platform)
{
    private static readonly Date s_february = new() { Year = 2026, Month = 2, Day = 1 };

    [Fact]
    public async Task A_final_invoice_is_a_file_of_every_format_and_keeps_what_it_was_issued_with()
    {
        var (agency, admin) = await Berlin();
        var billing = admin.Service<ServiceClient>();
        var invoice = await Finalized(billing, agency, "first");
        var files = new Dictionary<DocumentFormat, ByteString>();
        foreach (var (format, type) in new[] { (DocumentFormat.Ubl, "application/xml"), (DocumentFormat.Pdf, "application/pdf"), (DocumentFormat.Csv, "text/csv; charset=utf-8"), (DocumentFormat.Json, "application/json") })
        {
            var file = await billing.ExportInvoiceAsync(new ExportInvoiceRequest { Name = invoice.Name, Format = format });
            Assert.Equal(type, file.ContentType);
            files[format] = file.Data;
        }

        var ubl = XDocument.Load(new MemoryStream(files[DocumentFormat.Ubl].ToByteArray())).Root!;
        Assert.Empty(En16931Reader.Read(ubl));
        Assert.All(
            ["DE123456788", "HRB 98765 B", "PO-7", "Einkauf", "DE89370400440532013000", "buchhaltung@hafen.example", "SANDBOX – NOT VALID", "Launch: Pauschale", "Isarweg 3"],
            said => Assert.Contains(said, ubl.Value, StringComparison.Ordinal));
        Assert.StartsWith("%PDF-", files[DocumentFormat.Pdf].ToStringUtf8(), StringComparison.Ordinal);
        Assert.Contains("MAIN-000001,invoice,2026-01-05,2026-01-19,EUR,main,acme,", files[DocumentFormat.Csv].ToStringUtf8(), StringComparison.Ordinal);
        var json = JsonParser.Default.Parse<Invoice>(files[DocumentFormat.Json].ToStringUtf8());
        Assert.Equal(("SANDBOX – NOT VALID", invoice.TotalAmount, invoice.Lines), (json.Watermark, json.TotalAmount, json.Lines));
        Assert.Equal(("PO-7", "Einkauf", "de-DE", "DE123456788", "Isarweg 3\n80331 München", "Launch"), (json.PurchaseOrder, json.BuyerReference, json.Language, json.Seller.VatId, json.Buyer.Address, json.Lines[0].EngagementTitle));
        Assert.Equal("DE89370400440532013000", json.BankAccount.Iban);

        // Everything changes afterwards, and the documents stay.
        await admin.Service<ClientsService.ClientsServiceClient>().UpdateClientCompanyAsync(new UpdateClientCompanyRequest
        {
            ClientCompany = new ClientCompany { Name = agency.Name + "/clientCompanies/acme", Billing = new BillingDetails { LegalName = "Another AG", Country = "AT", TaxCategory = TaxCategory.ZeroRated } },
            UpdateMask = new FieldMask { Paths = { "billing" } },
        });
        await admin.Agencies.UpdateLegalEntityAsync(new UpdateLegalEntityRequest { LegalEntity = Seller(agency, e => (e.LegalName, e.VatId, e.BankAccount) = ("Other GmbH", "", null)) });
        foreach (var (format, before) in files)
        {
            Assert.Equal(before, (await billing.ExportInvoiceAsync(new ExportInvoiceRequest { Name = invoice.Name, Format = format })).Data);
        }
    }

    [Fact]
    public async Task A_credit_note_names_what_it_corrects_and_a_sheet_has_the_month()
    {
        var (agency, admin) = await Berlin();
        var billing = admin.Service<ServiceClient>();
        await billing.SetInvoiceSeriesSettingsAsync(new SetInvoiceSeriesSettingsRequest
        {
            Name = agency.Name + "/legalEntities/main/invoiceSeries/main",
            Settings = new InvoiceSeriesSettings { Prefix = "RE-{year}-", Digits = 4, RestartsYearly = true },
        });
        var invoice = await Finalized(billing, agency, "first");
        await admin.Service<EngagementsService.EngagementsServiceClient>().EndEngagementAsync(new EndEngagementRequest { Name = agency.Name + "/engagements/launch", EndDate = new Date { Year = 2026, Month = 1, Day = 20 } });
        var note = await Finalized(billing, agency, "credit");
        Assert.Equal(DocumentKind.CreditNote, note.Kind);

        var ubl = XDocument.Load(new MemoryStream((await billing.ExportInvoiceAsync(new ExportInvoiceRequest { Name = note.Name, Format = DocumentFormat.Ubl })).Data.ToByteArray())).Root!;
        Assert.Empty(En16931Reader.Read(ubl));
        Assert.Equal(["RE-2026-0001"], ubl.Descendants().Where(e => e.Name.LocalName == "InvoiceDocumentReference").Select(e => e.Elements().First().Value));

        var month = await Sheet(billing, new ExportInvoicesRequest { Parent = agency.Name, StartDate = ActiveEngagement.Monday, EndDate = s_february });
        Assert.Equal(["RE-2026-0001", "MAIN-CN-000001"], month.Select(r => r.Split(',')[0]).Distinct());
        Assert.Equal(invoice.Lines.Count + note.Lines.Count, month.Count);
        Assert.All(await Sheet(billing, new ExportInvoicesRequest { Parent = agency.Name, StartDate = ActiveEngagement.Monday, EndDate = s_february, Series = "main-cn" }), r => Assert.StartsWith("MAIN-CN-", r, StringComparison.Ordinal));
        Assert.Empty(await Sheet(billing, new ExportInvoicesRequest { Parent = agency.Name, StartDate = s_february, EndDate = new Date { Year = 2026, Month = 3, Day = 1 } }));

        var others = (await agency.As(Role.ClientViewer, client: "zenith")).Service<ServiceClient>();
        Assert.Empty(await Sheet(others, new ExportInvoicesRequest { Parent = agency.Name, StartDate = ActiveEngagement.Monday, EndDate = s_february }));
        var own = (await agency.As(Role.ClientViewer, client: "acme")).Service<ServiceClient>();
        Assert.Equal(month, await Sheet(own, new ExportInvoicesRequest { Parent = agency.Name, StartDate = ActiveEngagement.Monday, EndDate = s_february }));
        Assert.Equal(StatusCode.NotFound, (await Refused.By(others.ExportInvoiceAsync(new ExportInvoiceRequest { Name = note.Name, Format = DocumentFormat.Pdf }))).StatusCode);
        Assert.NotEmpty((await own.ExportInvoiceAsync(new ExportInvoiceRequest { Name = note.Name, Format = DocumentFormat.Pdf })).Data);
    }

    [Fact]
    public async Task A_draft_has_no_documents()
    {
        var (agency, admin) = await Berlin();
        var billing = admin.Service<ServiceClient>();
        var draft = await Prepared(billing, agency, "draft");
        var refused = await Refused.By(billing.ExportInvoiceAsync(new ExportInvoiceRequest { Name = draft.Name, Format = DocumentFormat.Pdf }));
        Assert.Equal((StatusCode.FailedPrecondition, Reasons.InvoiceNotFinal, "DRAFT"), (refused.StatusCode, refused.Reason, refused.Metadata["state"]));
        var viewer = (await agency.As(Role.ClientViewer, client: "acme")).Service<ServiceClient>();
        Assert.Equal(StatusCode.NotFound, (await Refused.By(viewer.ExportInvoiceAsync(new ExportInvoiceRequest { Name = draft.Name, Format = DocumentFormat.Pdf }))).StatusCode);
    }

    [Fact]
    public async Task An_account_has_what_it_has_otherwise_and_the_rest_as_the_client()
    {
        var (agency, admin) = await Berlin();
        var clients = admin.Service<ClientsService.ClientsServiceClient>();
        var client = await clients.GetClientCompanyAsync(new GetClientCompanyRequest { Name = agency.Name + "/clientCompanies/acme" });
        client.Billing.Accounts.Add(new BillingAccountDetails
        {
            LegalEntity = agency.Name + "/legalEntities/main",
            Currency = "EUR",
            TaxCategory = TaxCategory.ReverseCharge,
            TaxRatePercent = "0",
            PaymentTermDays = 0,
            PurchaseOrder = "PO-8",
        });
        client.Billing.Accounts.Add(new BillingAccountDetails { LegalEntity = agency.Name + "/legalEntities/main", Currency = "USD", PurchaseOrder = "PO-9" });
        var changed = await clients.UpdateClientCompanyAsync(new UpdateClientCompanyRequest { ClientCompany = client, UpdateMask = new FieldMask { Paths = { "billing" } } });
        Assert.Equal(client.Billing, changed.Billing);

        var invoice = await Finalized(admin.Service<ServiceClient>(), agency, "first");
        Assert.Equal(("PO-8", "Einkauf", "de-DE", TaxCategory.ReverseCharge), (invoice.PurchaseOrder, invoice.BuyerReference, invoice.Language, invoice.TaxSubtotals.Single().Category));
        Assert.Equal((ActiveEngagement.Monday, ""), (invoice.DueDate, invoice.TaxExemptionReason));
    }

    [Fact]
    public async Task A_file_is_got_over_HTTP_as_it_is()
    {
        var (agency, admin) = await Berlin();
        var invoice = await Finalized(admin.Service<ServiceClient>(), agency, "first");
        using var http = platform.Json(await agency.Key(Role.Finance));
        using var answer = await http.GetAsync(new Uri($"/v1/{invoice.Name}:export?format=DOCUMENT_FORMAT_PDF", UriKind.Relative));
        Assert.Equal((HttpStatusCode.OK, "application/pdf"), (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
        Assert.StartsWith("%PDF-", Encoding.Latin1.GetString(await answer.Content.ReadAsByteArrayAsync()), StringComparison.Ordinal);
        using var sheet = await http.GetAsync(new Uri($"/v1/{agency.Name}/invoices:export?startDate.year=2026&startDate.month=1&startDate.day=1&endDate.year=2026&endDate.month=2&endDate.day=1", UriKind.Relative));
        Assert.StartsWith("document_number,", await sheet.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_bad_field_of_what_an_invoice_carries_is_named()
    {
        var (agency, admin) = await Berlin();
        var seller = await Refused.By(admin.Agencies.UpdateLegalEntityAsync(new UpdateLegalEntityRequest
        {
            LegalEntity = Seller(agency, e =>
            {
                (e.Country, e.VatId, e.PostalAddress) = ("XX", "123", new PostalAddress { PostCode = new string('1', 21) });
                e.ElectronicAddress = new ElectronicAddress { Scheme = "9999" };
                e.Contact = new ContactPoint { Email = "nobody" };
                e.BankAccount = new BankAccount { Iban = "DE89370400440532013001", Bic = "COBA", AccountNumber = "1" };
            }),
        }));
        Assert.Equal(
            [
                "bank_account.account_number", "bank_account.bic", "bank_account.iban", "contact.email", "country", "electronic_address.id", "electronic_address.scheme",
                "postal_address.city", "postal_address.post_code", "postal_address.street", "vat_id",
            ],
            seller.FieldViolations.Select(f => f.Field["legal_entity.".Length..]).Order(StringComparer.Ordinal));

        var buyer = await Refused.By(admin.Service<ClientsService.ClientsServiceClient>().UpdateClientCompanyAsync(new UpdateClientCompanyRequest
        {
            ClientCompany = new ClientCompany
            {
                Name = agency.Name + "/clientCompanies/acme",
                Billing = new BillingDetails
                {
                    Country = "Germany",
                    Language = "Deutsch!",
                    PurchaseOrder = new string('x', 101),
                    Accounts =
                    {
                        new BillingAccountDetails { LegalEntity = agency.Name + "/legalEntities/main", Currency = "EUR", TaxCategory = TaxCategory.Exempt, TaxRatePercent = "7" },
                        new BillingAccountDetails { LegalEntity = agency.Name + "/legalEntities/main", Currency = "EUR", PaymentTermDays = 366 },
                        new BillingAccountDetails { Currency = "EURO" },
                    },
                },
            },
            UpdateMask = new FieldMask { Paths = { "billing" } },
        }));
        Assert.Equal(
            [
                "accounts[0].tax_rate_percent", "accounts[1].legal_entity", "accounts[1].payment_term_days", "accounts[2].currency", "accounts[2].legal_entity",
                "country", "language", "purchase_order",
            ],
            buyer.FieldViolations.Select(f => f.Field["client_company.billing.".Length..]).Order(StringComparer.Ordinal));

        var export = await Refused.By(admin.Service<ServiceClient>().ExportInvoicesAsync(new ExportInvoicesRequest
        {
            Parent = agency.Name,
            StartDate = s_february,
            EndDate = new Date { Year = 2027, Month = 2, Day = 3 },
            LegalEntity = "main",
            Series = "Main!",
        }));
        Assert.Equal(["end_date", "legal_entity", "series"], export.FieldViolations.Select(f => f.Field).Order(StringComparer.Ordinal));
    }

    // ---- what the tests are built of ----

    /// <summary>A seller and a client in Germany of whom all is said, and an engagement in euros.</summary>
    private async Task<(TestAgency Agency, AgencyPlatformClient Admin)> Berlin()
    {
        var agency = await platform.NewAgency(change: r =>
        {
            r.LegalEntities.Clear();
            r.LegalEntities.Add(Seller(null, _ => { }));
        });
        var admin = await ActiveEngagement.Create(agency, EuroRetainer, billing: new BillingDetails
        {
            LegalName = "Isar Werke AG",
            Country = "DE",
            PostalAddress = new PostalAddress { Street = "Isarweg 3", City = "München", PostCode = "80331" },
            VatId = "DE987654321",
            ElectronicAddress = new ElectronicAddress { Scheme = "9930", Id = "DE987654321" },
            Contact = new ContactPoint { Department = "Rechnungseingang" },
            PaymentTermDays = 14,
            TaxCategory = TaxCategory.Standard,
            TaxRatePercent = "19",
            BuyerReference = "Einkauf",
            PurchaseOrder = "PO-7",
            PaymentTerms = "Zahlbar ohne Abzug.",
            Language = "de-DE",
        });
        return (agency, admin);
    }

    private static LegalEntity Seller(TestAgency? agency, Action<LegalEntity> change)
    {
        var entity = new LegalEntity
        {
            Name = agency is null ? "main" : agency.Name + "/legalEntities/main",
            LegalName = "Hafen Marketing GmbH",
            Country = "DE",
            TimeZone = "Europe/Berlin",
            Currency = "EUR",
            TaxId = "37/123/45678",
            PostalAddress = new PostalAddress { Street = "Kanalstraße 12", City = "Berlin", PostCode = "10997" },
            VatId = "DE123456788",
            RegistrationNumber = "HRB 98765 B",
            ElectronicAddress = new ElectronicAddress { Scheme = "9930", Id = "DE123456788" },
            Contact = new ContactPoint { Department = "Buchhaltung", Phone = "+49 30 1234567", Email = "buchhaltung@hafen.example" },
            BankAccount = new BankAccount { Iban = "DE89 3704 0044 0532 0130 00", Bic = "COBADEFFXXX", BankName = "Commerzbank" },
        };
        change(entity);
        return entity;
    }

    private static Terms EuroRetainer(TestAgency agency) => new()
    {
        Seller = agency.Name + "/legalEntities/main",
        Currency = "EUR",
        BillCycleDay = 5,
        Retainer = new RetainerTerms { Fee = new Money { MinorUnits = 800_000, Currency = "EUR" }, IncludedMinutes = 100, OverageGate = OverageGate.Block, FeeTiming = FeeTiming.InAdvance },
    };

    private static async Task<Invoice> Prepared(ServiceClient billing, TestAgency agency, string id) => await billing.PrepareInvoiceAsync(new PrepareInvoiceRequest
    {
        Parent = agency.Name,
        ClientCompany = agency.Name + "/clientCompanies/acme",
        LegalEntity = agency.Name + "/legalEntities/main",
        Currency = "EUR",
        ToDate = s_february,
        InvoiceId = id,
    });

    private static async Task<Invoice> Finalized(ServiceClient billing, TestAgency agency, string id) =>
        await billing.FinalizeInvoiceAsync(new FinalizeInvoiceRequest { Name = (await Prepared(billing, agency, id)).Name });

    /// <summary>The rows below the header.</summary>
    private static async Task<List<string>> Sheet(ServiceClient billing, ExportInvoicesRequest request) =>
        [.. (await billing.ExportInvoicesAsync(request)).Data.ToStringUtf8().Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Skip(1)];
}
