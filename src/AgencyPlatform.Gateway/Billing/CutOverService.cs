using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Billing;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Time;
using ImportOpenBooks = AgencyPlatform.Domain.Billing.ImportOpenBooks;
using OpenBooksImport = AgencyPlatform.Domain.Billing.OpenBooksImport;
using OpenInvoice = AgencyPlatform.Domain.Billing.OpenInvoice;
using OpeningCredit = AgencyPlatform.Domain.Billing.OpeningCredit;
using OpeningDeferral = AgencyPlatform.Domain.Billing.OpeningDeferral;
using OpeningGrant = AgencyPlatform.Domain.Billing.OpeningGrant;
using OpeningPayable = AgencyPlatform.Domain.Billing.OpeningPayable;
using OpeningSeries = AgencyPlatform.Domain.Billing.OpeningSeries;
using V1 = AgencyPlatform.Protocol.Billing.V1;

namespace AgencyPlatform.Gateway.Billing;

/// <summary>The service that brings a running agency's open books over. Here is told what cannot be read; what is wrong of a row the domain tells, of all rows at once.</summary>
internal sealed class CutOverService(Calls calls, IGrainFactory grains, IReadModels readModels) : V1.CutOverService.CutOverServiceBase
{
    internal const string Collection = "openBooksImports";

    /// <summary>Amounts are the domain's to judge.</summary>
    private const long AnyAmount = -Money.MostMinor;

    public override async Task<V1.OpenBooksImport> ImportOpenBooks(V1.ImportOpenBooksRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var currency = fields.Currency("currency", request.Currency);
        var command = new ImportOpenBooks(
            fields.NewId<OpenBooksImportId>("open_books_import_id", request.OpenBooksImportId, request.RequestId),
            fields.Reference<LegalEntityId>("legal_entity", request.LegalEntity, agency, "legalEntities"),
            currency,
            fields.Date("cut_over_date", request.CutOverDate),
            Books(request, agency, currency, fields));
        var call = await calls.Mutation(context, request, fields, agency);
        return ToWire(agency, await grains.Of<IOpenBooksImportGrain>(agency, command.Id.Value).Import(call, command));
    }

    public override async Task<V1.OpenBooksImport> GetOpenBooksImport(V1.GetOpenBooksImportRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<OpenBooksImportId>("name", request.Name, Collection);
        return ToWire(agency, await grains.Of<IOpenBooksImportGrain>(agency, id.Value).Get(await calls.Read(context, request, fields, agency)));
    }

    public override async Task<V1.ListOpenBooksImportsResponse> ListOpenBooksImports(V1.ListOpenBooksImportsRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var page = Page.Of(context, request, fields);
        var read = await calls.Read(context, request, fields, agency);
        var (rows, next) = page.Cut(await readModels.List<OpenBooksImportRow>(agency, page.Query<OpenBooksImportRow>(), context.CancellationToken));
        var imports = await Task.WhenAll(rows.Select(r => grains.Of<IOpenBooksImportGrain>(agency, r.Id.Value).Get(read)));
        return new V1.ListOpenBooksImportsResponse { OpenBooksImports = { imports.Select(r => ToWire(agency, r)) }, NextPageToken = next };
    }

    private static OpenBooks Books(V1.ImportOpenBooksRequest request, AgencyId agency, Currency currency, Fields fields)
    {
        return new OpenBooks(
            [.. request.Invoices.Select((r, i) => Invoice($"invoices[{i}]", r))],
            [.. request.ClientCredits.Select((r, i) => new OpeningCredit(Client($"client_credits[{i}]", r.ClientCompany), fields.Money($"client_credits[{i}].amount", r.Amount, AnyAmount)))],
            [
                .. request.DeferredRevenue.Select((r, i) => new OpeningDeferral(
                    Engagement($"deferred_revenue[{i}]", r.Engagement), fields.Money($"deferred_revenue[{i}].amount", r.Amount, AnyAmount),
                    new DateRange(fields.Date($"deferred_revenue[{i}].start_date", r.StartDate), fields.Date($"deferred_revenue[{i}].end_date", r.EndDate)))),
            ],
            [
                .. request.Grants.Select((r, i) => new OpeningGrant(
                    Engagement($"grants[{i}]", r.Engagement), fields.Enum<V1.OpeningGrantKind, GrantOrigin>($"grants[{i}].kind", r.Kind), r.Minutes,
                    fields.Date($"grants[{i}].expire_date", r.ExpireDate), r.DeferredAmount is null ? null : fields.Money($"grants[{i}].deferred_amount", r.DeferredAmount, AnyAmount))),
            ],
            [
                .. request.CmoPayables.Select((r, i) => new OpeningPayable(
                    fields.Reference<CmoId>($"cmo_payables[{i}].cmo", r.Cmo, agency, "cmos"), fields.Money($"cmo_payables[{i}].amount", r.Amount, AnyAmount))),
            ],
            [.. request.Series.Select((r, i) => new OpeningSeries(fields.Id<InvoiceSeriesId>($"series[{i}].series", r.Series), r.NextNumber))]);

        ClientCompanyId Client(string path, string name) => fields.Reference<ClientCompanyId>(path + ".client_company", name, agency, "clientCompanies");

        EngagementId Engagement(string path, string name) => fields.Reference<EngagementId>(path + ".engagement", name, agency, "engagements");

        OpenInvoice Invoice(string path, V1.OpenInvoice row)
        {
            return new OpenInvoice(
                Client(path, row.ClientCompany), fields.Text(path + ".number", row.Number, OpenBooks.LongestNumber), fields.Date(path + ".issue_date", row.IssueDate),
                fields.Date(path + ".due_date", row.DueDate), fields.Money(path + ".total_amount", row.TotalAmount, AnyAmount),
                row.TaxAmount is null ? Money.Zero(currency) : fields.Money(path + ".tax_amount", row.TaxAmount, AnyAmount),
                fields.Money(path + ".open_amount", row.OpenAmount, AnyAmount));
        }
    }

    private static V1.OpenBooksImport ToWire(AgencyId agency, Reply<OpenBooksImport> reply)
    {
        var (state, meta) = reply.OrThrow();
        var import = state.Import!;
        return new V1.OpenBooksImport
        {
            Name = ResourceNames.Of(agency, Collection, import.Id.Value),
            CreateTime = meta.CreatedAt.ToWire(),
            LegalEntity = ResourceNames.Of(agency, "legalEntities", import.LegalEntity.Value),
            Currency = import.Currency.Code,
            CutOverDate = import.On.ToWire(),
            Done = state.EndedAt is not null,
            Rows = state.Rows,
            OpeningBalances = { state.Balances.Select(b => new V1.AccountBalance { Account = b.Account.ToWire<V1.LedgerAccount>(), Balance = new Money(b.Amount, import.Currency).ToWire() }) },
            Series =
            {
                (state.Series ?? []).Select(s => new V1.OpeningSeriesResult { Series = s.Series.Value, NextNumber = s.Next, Reason = s.Refusal?.Reason ?? "", Message = s.Refusal?.Message ?? "" }),
            },
        };
    }
}
