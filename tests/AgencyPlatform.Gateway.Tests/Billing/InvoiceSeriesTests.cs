using System.Text;
using AgencyPlatform.Domain;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Billing.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using Google.Type;
using Grpc.Core;
using PdfSharp.Pdf.IO;
using Money = AgencyPlatform.Protocol.Type.V1.Money;
using ServiceClient = AgencyPlatform.Protocol.Billing.V1.BillingService.BillingServiceClient;

namespace AgencyPlatform.Gateway.Tests.Billing;

/// <summary>How a legal entity's series print, through the public API. The sandbox's clock stands at Monday 5 January 2026, 09:00 UTC.</summary>
[Collection(PlatformFixture.Collection)]
public sealed class InvoiceSeriesTests(PlatformFixture platform)
{
    private static readonly InvoiceSeriesSettings s_yearly = new() { Prefix = "RE-{year}-", Digits = 4, RestartsYearly = true };

    [Fact]
    public async Task Documents_are_printed_as_the_series_was_set_and_begin_again_with_the_year()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, Retainer);
        var billing = admin.Service<ServiceClient>();
        var notes = new InvoiceSeriesSettings { Prefix = "GS{year}/", Digits = 3, RestartsYearly = true };
        Assert.Equal(s_yearly, await Set(billing, agency, "main", s_yearly));
        Assert.Equal(notes, await Set(billing, agency, "main-cn", notes));

        var first = await Final(billing, agency, "first", new Date { Year = 2026, Month = 1, Day = 5 });
        var second = await Final(billing, agency, "second", new Date { Year = 2026, Month = 2, Day = 5 });
        Assert.Equal(["RE-2026-0001", "RE-2026-0002"], [first.DocumentNumber, second.DocumentNumber]);
        var note = await billing.CreditInvoiceAsync(new CreditInvoiceRequest { Name = second.Name, InvoiceId = "note" });
        Assert.Equal("GS2026/001", note.DocumentNumber);

        // The last minute of the year in New York, and the first of the next.
        await agency.AdvanceTo(new System.DateTime(2027, 1, 1, 4, 59, 0, DateTimeKind.Utc));
        Assert.Equal("RE-2026-0003", (await Final(billing, agency, "third", new Date { Year = 2026, Month = 3, Day = 5 })).DocumentNumber);
        await agency.AdvanceTo(new System.DateTime(2027, 1, 1, 5, 0, 0, DateTimeKind.Utc));
        var fourth = await Final(billing, agency, "fourth", new Date { Year = 2026, Month = 4, Day = 5 });
        Assert.Equal((1, "RE-2027-0001", new Date { Year = 2027, Month = 1, Day = 1 }), (fourth.Number, fourth.DocumentNumber, fourth.IssueDate));

        // What was printed stays, also when the digits change.
        await Set(billing, agency, "main", new InvoiceSeriesSettings { Prefix = "RE-{year}-", RestartsYearly = true });
        Assert.Equal("RE-2027-000002", (await Final(billing, agency, "fifth", new Date { Year = 2026, Month = 5, Day = 5 })).DocumentNumber);
        Assert.Equal(fourth.DocumentNumber, (await billing.GetInvoiceAsync(new GetInvoiceRequest { Name = fourth.Name })).DocumentNumber);
        Assert.Equal(
            ["GS2026/001", "RE-2026-0001", "RE-2026-0002", "RE-2026-0003", "RE-2027-000002", "RE-2027-0001"],
            (await billing.ListInvoicesAsync(new ListInvoicesRequest { Parent = agency.Name })).Invoices.Select(i => i.DocumentNumber).Order(StringComparer.Ordinal));

        var series = await billing.GetInvoiceSeriesAsync(new GetInvoiceSeriesRequest { Name = Name(agency, "main") });
        Assert.Equal((2, 2027, 6, fourth.IssueDate), (series.LastNumber, series.LastYear, series.Settings.Digits, series.LastIssueDate));
        await Files(billing, note, "GS2026/001", second.DocumentNumber);
    }

    [Fact]
    public async Task A_series_in_use_is_not_renamed_and_no_two_print_the_same()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, Retainer);
        var billing = admin.Service<ServiceClient>();
        await Final(billing, agency, "first", new Date { Year = 2026, Month = 1, Day = 5 });

        var renamed = await Refused.By(Setting(billing, agency, "main", s_yearly));
        Assert.Equal((StatusCode.FailedPrecondition, Reasons.SeriesPrefixFixed, "MAIN-"), (renamed.StatusCode, renamed.Reason, renamed.Metadata["prefix"]));
        var taken = await Refused.By(Setting(billing, agency, "re", new InvoiceSeriesSettings { Prefix = "Main-" }));
        Assert.Equal((Reasons.SeriesPrefixTaken, "main"), (taken.Reason, taken.Metadata["other_series"]));

        // Another series takes over.
        await Set(billing, agency, "re", s_yearly);
        var entity = await admin.Agencies.GetLegalEntityAsync(new GetLegalEntityRequest { Name = agency.Name + "/legalEntities/main" });
        entity.DefaultInvoiceSeries = "re";
        await admin.Agencies.UpdateLegalEntityAsync(new UpdateLegalEntityRequest { LegalEntity = entity });
        Assert.Equal("RE-2026-0001", (await Final(billing, agency, "second", new Date { Year = 2026, Month = 2, Day = 5 })).DocumentNumber);

        await Set(billing, agency, "next", new InvoiceSeriesSettings { Prefix = "LATER-" });
        entity.DefaultInvoiceSeries = "later";
        Assert.Equal(Reasons.SeriesPrefixTaken, (await Refused.By(admin.Agencies.UpdateLegalEntityAsync(new UpdateLegalEntityRequest { LegalEntity = entity }))).Reason);

        var parent = agency.Name + "/legalEntities/main";
        var page = await billing.ListInvoiceSeriesAsync(new ListInvoiceSeriesRequest { Parent = parent, PageSize = 3 });
        Assert.Equal([("main", "MAIN-", 1L), ("main-cn", "MAIN-CN-", 0L), ("next", "LATER-", 0L)], page.InvoiceSeries.Select(s => (s.Name.Split('/')[^1], s.Settings.Prefix, s.LastNumber)));
        page = await billing.ListInvoiceSeriesAsync(new ListInvoiceSeriesRequest { Parent = parent, PageSize = 3, PageToken = page.NextPageToken });
        Assert.Equal([("re", "RE-{year}-", 1L), ("re-cn", "RE-CN-", 0L)], page.InvoiceSeries.Select(s => (s.Name.Split('/')[^1], s.Settings.Prefix, s.LastNumber)));
        Assert.Empty(page.NextPageToken);
    }

    [Fact]
    public async Task A_cut_over_says_the_last_number_with_its_year()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, Retainer);
        var billing = admin.Service<ServiceClient>();
        await Set(billing, agency, "main", s_yearly);
        ConfirmInvoiceSeriesRequest Last(long number, int year, string series = "main") => new() { Name = Name(agency, series), LastNumber = number, Year = year };
        Assert.Equal(["year"], (await Refused.By(billing.ConfirmInvoiceSeriesAsync(Last(41, 0)))).FieldViolations.Select(f => f.Field));
        Assert.Equal(["year"], (await Refused.By(billing.ConfirmInvoiceSeriesAsync(Last(41, 2027)))).FieldViolations.Select(f => f.Field));
        Assert.Equal(["year"], (await Refused.By(billing.ConfirmInvoiceSeriesAsync(Last(41, 2026, "main-cn")))).FieldViolations.Select(f => f.Field));
        Assert.Equal(["last_number", "year"], (await Refused.By(billing.ConfirmInvoiceSeriesAsync(Last(-1, 12)))).FieldViolations.Select(f => f.Field));
        Assert.Equal((41, 2026), await billing.ConfirmInvoiceSeriesAsync(Last(41, 2026)).ResponseAsync.ContinueWith(t => (t.Result.LastNumber, t.Result.LastYear), TaskScheduler.Default));
        Assert.Equal("RE-2026-0042", (await Final(billing, agency, "first", new Date { Year = 2026, Month = 1, Day = 5 })).DocumentNumber);
    }

    [Fact]
    public async Task Bad_settings_are_refused_by_field_and_other_series_are_not_there()
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();
        var billing = admin.Service<ServiceClient>();
        var bad = await Refused.By(Setting(billing, agency, "main", new InvoiceSeriesSettings { Prefix = "RE-{jahr}", Digits = 10 }));
        Assert.Equal((StatusCode.InvalidArgument, "settings.digits settings.prefix"), (bad.StatusCode, string.Join(' ', bad.FieldViolations.Select(f => f.Field).Order(StringComparer.Ordinal))));
        var year = await Refused.By(Setting(billing, agency, "main", new InvoiceSeriesSettings { Prefix = "RE-", RestartsYearly = true }));
        Assert.Contains("{year}", year.FieldViolations.Single(f => f.Field == "settings.prefix").Description, StringComparison.Ordinal);
        Assert.Equal(["settings"], (await Refused.By(billing.SetInvoiceSeriesSettingsAsync(new SetInvoiceSeriesSettingsRequest { Name = Name(agency, "main") }))).FieldViolations.Select(f => f.Field));

        Assert.Equal(StatusCode.NotFound, (await Refused.By(billing.GetInvoiceSeriesAsync(new GetInvoiceSeriesRequest { Name = Name(agency, "nothing") }))).StatusCode);
        Assert.Equal(StatusCode.NotFound, (await Refused.By(billing.ListInvoiceSeriesAsync(new ListInvoiceSeriesRequest { Parent = agency.Name + "/legalEntities/nobody" }))).StatusCode);
        Assert.Equal(StatusCode.NotFound, (await Refused.By(Setting(billing, agency, "main", s_yearly, "nobody"))).StatusCode);
        var ops = (await agency.As(Role.Operations)).Service<ServiceClient>();
        Assert.Equal(StatusCode.PermissionDenied, (await Refused.By(Setting(ops, agency, "main", s_yearly))).StatusCode);
    }

    [Fact]
    public async Task Settings_are_got_and_set_over_JSON()
    {
        var agency = await platform.NewAgency();
        using var http = platform.Json(await agency.Key(Role.Finance));
        using var body = new StringContent("""{"settings": {"prefix": "RE-{year}-", "digits": 5, "restartsYearly": true}}""", Encoding.UTF8, "application/json");
        using var set = await http.PostAsync(new Uri($"/v1/{Name(agency, "main")}:setSettings", UriKind.Relative), body);
        Assert.True(set.IsSuccessStatusCode);
        var got = await http.GetStringAsync(new Uri($"/v1/{Name(agency, "main")}", UriKind.Relative));
        Assert.Contains("RE-{year}-", got, StringComparison.Ordinal);
        Assert.Contains("main-cn", await http.GetStringAsync(new Uri($"/v1/{agency.Name}/legalEntities/main/invoiceSeries", UriKind.Relative)), StringComparison.Ordinal);
    }

    /// <summary>Every document has the number as printed, and that of what it corrects.</summary>
    private static async Task Files(ServiceClient billing, Invoice note, string number, string corrected)
    {
        async Task<byte[]> File(DocumentFormat format) => (await billing.ExportInvoiceAsync(new ExportInvoiceRequest { Name = note.Name, Format = format })).Data.ToByteArray();
        var csv = Encoding.UTF8.GetString(await File(DocumentFormat.Csv));
        Assert.Contains("\n" + number + ",credit_note", csv.ReplaceLineEndings("\n"), StringComparison.Ordinal);
        Assert.Contains(corrected, csv, StringComparison.Ordinal);
        Assert.Contains($"\"{number}\"", Encoding.UTF8.GetString(await File(DocumentFormat.Json)), StringComparison.Ordinal);
        using var pdf = PdfReader.Open(new MemoryStream(await File(DocumentFormat.Pdf)), PdfDocumentOpenMode.Import);
        Assert.EndsWith(number, pdf.Info.Title, StringComparison.Ordinal);
    }

    private static async Task<Invoice> Final(ServiceClient billing, TestAgency agency, string id, Date to)
    {
        var draft = await billing.PrepareInvoiceAsync(new PrepareInvoiceRequest
        {
            Parent = agency.Name,
            ClientCompany = agency.Name + "/clientCompanies/acme",
            LegalEntity = agency.Name + "/legalEntities/main",
            Currency = "USD",
            ToDate = to,
            InvoiceId = id,
        });
        return await billing.FinalizeInvoiceAsync(new FinalizeInvoiceRequest { Name = draft.Name });
    }

    private static string Name(TestAgency agency, string series, string entity = "main") => $"{agency.Name}/legalEntities/{entity}/invoiceSeries/{series}";

    private static AsyncUnaryCall<InvoiceSeriesSettings> Setting(ServiceClient billing, TestAgency agency, string series, InvoiceSeriesSettings settings, string entity = "main") =>
        billing.SetInvoiceSeriesSettingsAsync(new SetInvoiceSeriesSettingsRequest { Name = Name(agency, series, entity), Settings = settings });

    private static async Task<InvoiceSeriesSettings> Set(ServiceClient billing, TestAgency agency, string series, InvoiceSeriesSettings settings) => await Setting(billing, agency, series, settings);

    private static Terms Retainer(TestAgency agency) => new()
    {
        Seller = agency.Name + "/legalEntities/main",
        Currency = "USD",
        BillCycleDay = 5,
        Retainer = new RetainerTerms { Fee = new Money { MinorUnits = 800_000, Currency = "USD" }, IncludedMinutes = 100 },
    };
}
