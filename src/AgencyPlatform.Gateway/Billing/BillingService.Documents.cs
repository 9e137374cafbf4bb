using System.Collections.Immutable;
using System.Globalization;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Gateway.Billing.Documents;
using Google.Api;
using Google.Protobuf;
using DocumentFormat = AgencyPlatform.Gateway.Billing.Documents.DocumentFormat;
using Invoice = AgencyPlatform.Domain.Billing.Invoice;
using V1 = AgencyPlatform.Protocol.Billing.V1;

namespace AgencyPlatform.Gateway.Billing;

/// <summary>Invoices as files. What a file is made of is gathered here; making it is pure.</summary>
internal sealed partial class BillingService
{
    private const int MostExported = 2_000;
    private const int MostDaysExported = 366;

    private static readonly JsonFormatter s_json = new(JsonFormatter.Settings.Default.WithIndentation());

    public override async Task<HttpBody> ExportInvoice(V1.ExportInvoiceRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<InvoiceId>("name", request.Name, Collection);
        var format = fields.Enum<V1.DocumentFormat, DocumentFormat>("format", request.Format);
        var read = await calls.Read(context, request, fields, agency);
        var account = await AccountOf(agency, id, request.Name, context);
        var reply = await Grain(agency, account).Get(read, id);
        var caller = Calls.Caller(context);
        if (reply.Value is not { } invoice || (!caller.IsStaff && (caller.Client != account.Client || !invoice.IsFinal)))
        {
            throw Errors.NotFound("invoice", request.Name);
        }

        if (invoice.Imported is not null)
        {
            throw Errors.Refused(BillingAccount.IsImported(invoice));
        }

        if (invoice.Number is null)
        {
            throw Errors.Refused(Rejection.Rule(
                Reasons.InvoiceNotFinal, $"The invoice {id} is no document before it is final.", ("invoice", id.Value), ("state", invoice.State.ToString().ToUpperInvariant())));
        }

        var source = await Source(read, account, invoice);
        switch (format)
        {
            case DocumentFormat.Ubl:
                return UblDocument.Refusal(source) is { } refused ? throw Errors.Refused(refused) : Body("application/xml", UblDocument.Write(source));
            case DocumentFormat.Pdf:
                var (file, unprintable) = PdfInvoice.Write(source);
                return unprintable is null ? Body("application/pdf", file!) : throw Errors.Refused(unprintable);
            case DocumentFormat.Csv:
                return Body("text/csv; charset=utf-8", CsvInvoices.Write([source]));
            default:
                var wire = InvoiceWire.ToWire(agency, account, invoice, reply.Meta!, await Today(read, account.LegalEntity, Now(read)));

                // What depends on the account's other invoices is no part of the document.
                (wire.Etag, wire.Version, wire.UpdateTime) = ("", 0, null);
                wire.Watermark = source.Sandbox ? DocumentSource.Watermark : "";
                return Body("application/json", System.Text.Encoding.UTF8.GetBytes(s_json.Format(wire)));
        }
    }

    public override async Task<HttpBody> ExportInvoices(V1.ExportInvoicesRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var dates = fields.Range("start_date", request.StartDate, "end_date", request.EndDate);
        fields.Require(fields.Any || dates.End!.Value <= dates.Start.PlusDays(MostDaysExported), "end_date", $"must be at most {MostDaysExported} days after start_date");
        var entity = fields.OptionalReference<LegalEntityId>("legal_entity", request.LegalEntity, agency, "legalEntities");
        InvoiceSeriesId? series = request.Series.Length == 0 ? null : fields.Id<InvoiceSeriesId>("series", request.Series);
        var client = fields.OptionalReference<ClientCompanyId>("client_company", request.ClientCompany, agency, "clientCompanies");
        var read = await calls.Read(context, request, fields, agency);
        var caller = Calls.Caller(context);
        if (!caller.IsStaff && caller.Client is { } own)
        {
            caller.EnsureClient(client ??= own);
        }

        var filters = new Filters()
            .Between(nameof(InvoiceRow.IssueDate), dates.Start, dates.End).Equal(nameof(InvoiceRow.LegalEntity), entity).Equal(nameof(InvoiceRow.Series), series).Equal(nameof(InvoiceRow.Client), client);

        // What was issued elsewhere is no document here.
        var rows = await readModels.List<InvoiceRow>(agency, Query.All(MostExported + 1, [.. filters.All, Filter.Eq(nameof(InvoiceRow.Import), null)]), context.CancellationToken);
        if (rows.Count > MostExported)
        {
            var most = MostExported.ToString(CultureInfo.InvariantCulture);
            throw Errors.Refused(Rejection.Rule(
                Reasons.ExportTooLarge, $"More than {most} invoices were issued from {dates.Start:uuuu-MM-dd} on, before {dates.End:uuuu-MM-dd}: take a shorter period, or one series or client.", ("maximum", most)));
        }

        var sources = new DocumentSource[rows.Count];
        var ordered = rows.OrderBy(r => r.IssueDate).ThenBy(r => r.LegalEntity.Value, StringComparer.Ordinal).ThenBy(r => r.Series?.Value, StringComparer.Ordinal).ThenBy(r => r.Number).ToList();
        await Parallel.ForEachAsync(
            Enumerable.Range(0, ordered.Count), new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = context.CancellationToken }, async (i, _) =>
            {
                var account = new AccountId(ordered[i].Client, ordered[i].LegalEntity, new Currency(ordered[i].Currency));
                sources[i] = await Source(read, account, (await Grain(agency, account).Get(read, ordered[i].Id)).OrThrow().Value);
            });
        return Body("text/csv; charset=utf-8", CsvInvoices.Write(sources));
    }

    /// <summary>With the numbers and dates of the invoices that it corrects, which are of the same account and final before it.</summary>
    private async Task<DocumentSource> Source(Read read, AccountId account, Invoice invoice)
    {
        var corrected = ImmutableSortedDictionary.CreateBuilder<InvoiceId, CorrectedDocument>();
        foreach (var id in invoice.Content.Lines.Select(l => l.Corrects?.Invoice).OfType<InvoiceId>().Distinct())
        {
            var found = (await Grain(read.Agency, account).Get(read, id)).OrThrow().Value;
            corrected[id] = new CorrectedDocument(found.DocumentNumber, found.IssueDate!.Value);
        }

        return new DocumentSource(read.Agency, account, invoice, corrected.ToImmutable(), read.SandboxNow is not null);
    }

    private static HttpBody Body(string contentType, byte[] file) => new() { ContentType = contentType, Data = ByteString.CopyFrom(file) };
}
