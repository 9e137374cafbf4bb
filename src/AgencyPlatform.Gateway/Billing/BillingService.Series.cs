using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Billing;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Billing;
using V1 = AgencyPlatform.Protocol.Billing.V1;

namespace AgencyPlatform.Gateway.Billing;

/// <summary>The series of document numbers: how they print is the agency's to say, what they gave their own.</summary>
internal sealed partial class BillingService
{
    private const string Series = "invoiceSeries";

    public override async Task<V1.InvoiceSeries> ConfirmInvoiceSeries(V1.ConfirmInvoiceSeriesRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, entity, id) = SeriesName(request.Name, fields);
        var last = fields.Number("last_number", request.LastNumber, 0, 999_999_999);
        var year = request.Year == 0 ? (int?)null : fields.Number("year", request.Year, 1900, 2199);
        var call = await calls.Mutation(context, request, fields, agency);
        var (series, meta) = (await Grain(agency, entity, id).Confirm(call, new ConfirmLastNumber(entity, id, last, year))).OrThrow();
        return ToWire(request.Name, null, series, meta);
    }

    public override async Task<V1.InvoiceSeriesSettings> SetInvoiceSeriesSettings(V1.SetInvoiceSeriesSettingsRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, entity, id) = SeriesName(request.Name, fields);
        var wire = fields.Message("settings", request.Settings);
        var format = new SeriesFormat(wire.Prefix, wire.Digits == 0 ? SeriesFormat.Default(id).Digits : wire.Digits, wire.RestartsYearly);
        foreach (var violation in request.Settings is null ? [] : format.Violations("settings"))
        {
            fields.Add(violation.Field, violation.Description);
        }

        var call = await calls.Mutation(context, request, fields, agency);
        var series = (await Grain(agency, entity, id).Get(new Read(agency, call.SandboxNow))).Value ?? InvoiceSeries.Initial;
        var set = new SetInvoiceSeries(entity, id, format, GivesNumbers: series.LastIssueDate is not null, series.Last, series.Year);
        return ToWire((await grains.Agency(agency).SetInvoiceSeries(call, set)).OrThrow().Value.FormatOf(entity, id));
    }

    public override async Task<V1.InvoiceSeries> GetInvoiceSeries(V1.GetInvoiceSeriesRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, entity, id) = SeriesName(request.Name, fields);
        var read = await calls.Read(context, request, fields, agency);
        var known = (await grains.Agency(agency).Get(read)).OrThrow().Value;
        return known.SeriesOf(entity).ContainsKey(id) ? await Of(read, known, entity, id) : throw Errors.NotFound("invoice_series", request.Name);
    }

    public override async Task<V1.ListInvoiceSeriesResponse> ListInvoiceSeries(V1.ListInvoiceSeriesRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, entity) = fields.Name<LegalEntityId>("parent", request.Parent, "legalEntities");
        var page = Page.Of(context, request, fields);
        var read = await calls.Read(context, request, fields, agency);
        var known = (await grains.Agency(agency).Get(read)).OrThrow().Value;
        if (!known.LegalEntities.ContainsKey(entity))
        {
            throw Errors.NotFound("legal_entity", request.Parent);
        }

        var (ids, next) = page.Cut(known.SeriesOf(entity).Keys, s => s.Value);
        return new V1.ListInvoiceSeriesResponse { InvoiceSeries = { await Task.WhenAll(ids.Select(id => Of(read, known, entity, id))) }, NextPageToken = next };
    }

    private async Task<V1.InvoiceSeries> Of(Read read, Agency agency, LegalEntityId entity, InvoiceSeriesId id)
    {
        var reply = await Grain(read.Agency, entity, id).Get(read);
        return ToWire($"{ResourceNames.Of(read.Agency, "legalEntities", entity.Value)}/{Series}/{id}", agency.FormatOf(entity, id), reply.Value, reply.Meta);
    }

    /// <param name="format">Null: left out.</param>
    /// <param name="series">Null before its first event.</param>
    private static V1.InvoiceSeries ToWire(string name, SeriesFormat? format, InvoiceSeries? series, Meta? meta) => new()
    {
        Name = name,
        Uid = meta?.Uid.ToString() ?? "",
        Etag = meta is null ? "" : Etags.Of(meta),
        Version = meta?.Version ?? 0,
        CreateTime = meta?.CreatedAt.ToWire(),
        UpdateTime = meta?.UpdatedAt.ToWire(),
        LastNumber = series?.Last ?? 0,
        LastIssueDate = series?.LastIssueDate.ToWire(),
        Settings = format is null ? null : ToWire(format),
        LastYear = series?.Year ?? 0,
    };

    private static V1.InvoiceSeriesSettings ToWire(SeriesFormat format) => new() { Prefix = format.Prefix, Digits = format.Digits, RestartsYearly = format.RestartsYearly };

    private static (AgencyId Agency, LegalEntityId Entity, InvoiceSeriesId Id) SeriesName(string name, Fields fields) =>
        fields.Name<LegalEntityId, InvoiceSeriesId>("name", name, "legalEntities", Series);

    private IInvoiceSeriesGrain Grain(AgencyId agency, LegalEntityId entity, InvoiceSeriesId id) => grains.Of<IInvoiceSeriesGrain>(agency, InvoiceSeries.Key(entity, id));
}
