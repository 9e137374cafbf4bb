using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Billing;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Gateway.Engagements;
using InvoiceState = AgencyPlatform.Domain.Billing.InvoiceState;
using LedgerAccount = AgencyPlatform.Domain.Billing.LedgerAccount;
using V1 = AgencyPlatform.Protocol.Billing.V1;

namespace AgencyPlatform.Gateway.Billing;

/// <summary>The service of invoices and the ledger.</summary>
internal sealed partial class BillingService(Calls calls, IGrainFactory grains, IReadModels readModels, TimeProvider system) : V1.BillingService.BillingServiceBase
{
    internal const string Collection = "invoices";

    /// <summary>An id that no invoice can have.</summary>
    private static readonly InvoiceId s_preview = new("~preview");

    public override async Task<V1.Invoice> PreviewInvoice(V1.PreviewInvoiceRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var account = Account(request.ClientCompany, request.LegalEntity, request.Currency, agency, fields);
        var to = fields.Date("to_date", request.ToDate);
        var only = fields.OptionalReference<EngagementId>("engagement", request.Engagement, agency, "engagements");
        var hypothetical = Hypothetical(request, account, agency, fields);
        var call = await calls.Mutation(context, request, fields, agency);
        var (invoice, meta) = (await Grain(agency, account).Preview(call, new PrepareInvoice(account, to, null, s_preview, only), hypothetical)).OrThrow();
        var wire = InvoiceWire.ToWire(agency, account, invoice, meta);
        (wire.Name, wire.Uid, wire.Etag, wire.Version, wire.CreateTime, wire.UpdateTime) = ("", "", "", 0, null, null);
        return wire;
    }

    public override async Task<V1.Invoice> PrepareInvoice(V1.PrepareInvoiceRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var account = Account(request.ClientCompany, request.LegalEntity, request.Currency, agency, fields);
        var to = fields.Date("to_date", request.ToDate);
        InvoiceId? id = request.InvoiceId.Length == 0 ? null : fields.Id<InvoiceId>("invoice_id", request.InvoiceId);
        var fresh = id ?? fields.NewId<InvoiceId>("invoice_id", "", request.RequestId);
        var only = fields.OptionalReference<EngagementId>("engagement", request.Engagement, agency, "engagements");
        var call = await calls.Mutation(context, request, fields, agency);
        var (invoice, meta) = (await Grain(agency, account).Prepare(call, new PrepareInvoice(account, to, id, fresh, only))).OrThrow();
        return InvoiceWire.ToWire(agency, account, invoice, meta);
    }

    public override async Task<V1.Invoice> FinalizeInvoice(V1.FinalizeInvoiceRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<InvoiceId>("name", request.Name, Collection);
        var call = await calls.Mutation(context, request, fields, agency);
        var account = await AccountOf(agency, id, request.Name, context);
        var (invoice, meta) = (await Grain(agency, account).Finalize(call, id)).OrThrow();
        return InvoiceWire.ToWire(agency, account, invoice, meta);
    }

    public override async Task<V1.DiscardInvoiceResponse> DiscardInvoice(V1.DiscardInvoiceRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<InvoiceId>("name", request.Name, Collection);
        var call = await calls.Mutation(context, request, fields, agency);
        var account = await AccountOf(agency, id, request.Name, context);
        (await Grain(agency, account).Discard(call, id)).OrThrow();
        return new V1.DiscardInvoiceResponse();
    }

    public override async Task<V1.Invoice> GetInvoice(V1.GetInvoiceRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<InvoiceId>("name", request.Name, Collection);
        var read = await calls.Read(context, request, fields, agency);
        var account = await AccountOf(agency, id, request.Name, context);
        var reply = await Grain(agency, account).Get(read, id);
        var caller = Calls.Caller(context);
        if (reply.Value is not { } invoice || (!caller.IsStaff && (caller.Client != account.Client || !invoice.IsFinal)))
        {
            throw Errors.NotFound("invoice", request.Name);
        }

        return InvoiceWire.ToWire(agency, account, invoice, reply.Meta!, await Today(read, account.LegalEntity, Now(read)));
    }

    public override async Task<V1.ListInvoicesResponse> ListInvoices(V1.ListInvoicesRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var page = Page.Of(context, request, fields);
        var client = fields.OptionalReference<ClientCompanyId>("client_company", request.ClientCompany, agency, "clientCompanies");
        var entity = fields.OptionalReference<LegalEntityId>("legal_entity", request.LegalEntity, agency, "legalEntities");
        InvoiceState? state = request.State == V1.InvoiceState.Unspecified ? null : fields.Enum<V1.InvoiceState, InvoiceState>("state", request.State);
        var number = request.DocumentNumber.Length == 0 ? null : fields.Text("document_number", request.DocumentNumber, DocumentNumberRow.Longest);
        var read = await calls.Read(context, request, fields, agency);
        var caller = Calls.Caller(context);
        var filters = new Filters().NotEqual(nameof(InvoiceRow.State), InvoiceState.Discarded).Equal(nameof(InvoiceRow.State), state);
        if (number is not null)
        {
            // One of each legal entity at most.
            var numbered = await readModels.List<DocumentNumberRow>(agency, Query.All(Domain.Agencies.Agency.MaxLegalEntities, Filter.Eq(nameof(DocumentNumberRow.Number), DocumentNumberRow.KeyOf(number))), context.CancellationToken);
            filters.In(nameof(InvoiceRow.Id), numbered.Select(r => r.Invoice).ToArray());
        }

        if (!caller.IsStaff && caller.Client is { } own)
        {
            caller.EnsureClient(client ??= own);
            filters.In(nameof(InvoiceRow.State), InvoiceStates.Final);
        }

        filters.Equal(nameof(InvoiceRow.Client), client).Equal(nameof(InvoiceRow.LegalEntity), entity);
        var (rows, next) = page.Cut(await readModels.List<InvoiceRow>(agency, page.Query<InvoiceRow>(filters.All), context.CancellationToken));
        var todays = await Todays(read, rows.Where(r => r.Open > 0).Select(r => r.LegalEntity));
        return new V1.ListInvoicesResponse { NextPageToken = next, Invoices = { rows.Select(r => InvoiceWire.ToWire(agency, r, todays.GetValueOrDefault(r.LegalEntity))) } };
    }

    public override async Task<V1.ListPostingsResponse> ListPostings(V1.ListPostingsRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var page = Page.Of(context, request, fields);
        var entity = fields.OptionalReference<LegalEntityId>("legal_entity", request.LegalEntity, agency, "legalEntities");
        var client = fields.OptionalReference<ClientCompanyId>("client_company", request.ClientCompany, agency, "clientCompanies");
        var engagement = fields.OptionalReference<EngagementId>("engagement", request.Engagement, agency, "engagements");
        LedgerAccount? account = request.Account == V1.LedgerAccount.Unspecified ? null : fields.Enum<V1.LedgerAccount, LedgerAccount>("account", request.Account);
        var (start, end) = (fields.OptionalDate("start_date", request.StartDate), fields.OptionalDate("end_date", request.EndDate));
        fields.Require(start is null || end is null || end > start, "end_date", "must be after start_date (the end is exclusive)");
        var read = await calls.Read(context, request, fields, agency);
        var filters = new Filters()
            .Equal(nameof(PostingRow.LegalEntity), entity).Equal(nameof(PostingRow.Client), client).Equal(nameof(PostingRow.Engagement), engagement)
            .Equal(nameof(PostingRow.Account), account).Between(nameof(PostingRow.Date), start, end).Known(nameof(PostingRow.KnownAt), read.ReadTime);
        var (rows, next) = page.Cut(await readModels.List<PostingRow>(agency, page.Query<PostingRow>(filters.All), context.CancellationToken));
        return new V1.ListPostingsResponse
        {
            NextPageToken = next,
            Lines = { rows.Select(r => ToWire(agency, r)) },
        };
    }

    public override async Task<V1.TrialBalance> GetTrialBalance(V1.GetTrialBalanceRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var entity = fields.OptionalReference<LegalEntityId>("legal_entity", request.LegalEntity, agency, "legalEntities");
        var asOf = fields.OptionalDate("as_of_date", request.AsOfDate);
        var read = await calls.Read(context, request, fields, agency);
        var filters = new Filters().Equal(nameof(PostingRow.LegalEntity), entity).Between(nameof(PostingRow.Date), null, asOf?.PlusDays(1)).Known(nameof(PostingRow.KnownAt), read.ReadTime);
        var balances = new SortedDictionary<(string Currency, LedgerAccount Account), long>();
        foreach (var (group, sum) in await readModels.Sum<PostingRow>(
            agency, [.. filters.All], nameof(PostingRow.Amount), [nameof(PostingRow.Account), nameof(PostingRow.Currency)], context.CancellationToken))
        {
            Add((string)group[1]!, Enum.Parse<LedgerAccount>((string)group[0]!), sum);
        }

        if (asOf is { } date)
        {
            await foreach (var earned in DaysSince.Of(readModels, agency, date, entity, null, read.ReadTime, Now(read), context.CancellationToken))
            {
                Add(earned.Currency, earned.Account, earned.Amount);
                Add(earned.Currency, LedgerAccount.Revenue, -earned.Amount);
            }
        }

        return new V1.TrialBalance
        {
            Balances =
            {
                balances.Select(b => new V1.AccountBalance { Account = b.Key.Account.ToWire<V1.LedgerAccount>(), Balance = new Money(b.Value, new Currency(b.Key.Currency)).ToWire() }),
            },
        };

        void Add(string currency, LedgerAccount account, long amount) => balances[(currency, account)] = balances.GetValueOrDefault((currency, account)) + amount;
    }

    private static Terms? Hypothetical(V1.PreviewInvoiceRequest request, AccountId account, AgencyId agency, Fields fields)
    {
        if (request.HypotheticalTerms is not { } wire)
        {
            return null;
        }

        var from = fields.OptionalDate("hypothetical_terms.effective_date", wire.EffectiveDate);
        fields.Require(request.Engagement.Length > 0, "engagement", "is required with hypothetical_terms");
        var terms = TermsWire.Terms("hypothetical_terms", wire, from ?? LocalDate.MinIsoValue, agency, fields);
        fields.Require(fields.Has("hypothetical_terms.seller") || terms.Seller == account.LegalEntity, "hypothetical_terms.seller", "must be the account's legal entity");
        fields.Require(fields.Has("hypothetical_terms.currency") || terms.Currency == account.Currency, "hypothetical_terms.currency", "must be the account's currency");
        return terms;
    }

    internal static V1.PostingLine ToWire(AgencyId agency, PostingRow row) => new()
    {
        LegalEntity = ResourceNames.Of(agency, "legalEntities", row.LegalEntity.Value),
        PostingDate = row.Date.ToWire(),
        Source = row.Source,
        Line = row.Line,
        Account = row.Account.ToWire<V1.LedgerAccount>(),
        Amount = new Money(row.Amount, new Currency(row.Currency)).ToWire(),
        ClientCompany = row.Client is { } c ? ResourceNames.Of(agency, "clientCompanies", c.Value) : "",
        Engagement = row.Engagement is { } e ? ResourceNames.Of(agency, "engagements", e.Value) : "",
        Cmo = row.Cmo is { } m ? ResourceNames.Of(agency, "cmos", m.Value) : "",
        EffectiveDate = row.Effective.ToWire(),
        PostTime = row.KnownAt?.ToWire(),
    };

    private Instant Now(Read read) => read.ReadTime ?? read.SandboxNow ?? Instant.FromDateTimeOffset(system.GetUtcNow());

    /// <summary>What an instant's date is for a legal entity.</summary>
    private async Task<LocalDate?> Today(Read read, LegalEntityId entity, Instant now) =>
        (await grains.Agency(read.Agency).Get(read with { ReadTime = null, MinVersion = null })).Value?.LegalEntities.GetValueOrDefault(entity) is { } seller
            ? now.InZone(DateTimeZoneProviders.Tzdb[seller.TimeZone]).Date
            : null;

    /// <summary>What today is for each of these legal entities.</summary>
    private async Task<Dictionary<LegalEntityId, LocalDate?>> Todays(Read read, IEnumerable<LegalEntityId> entities)
    {
        var todays = new Dictionary<LegalEntityId, LocalDate?>();
        foreach (var entity in entities.Distinct())
        {
            todays[entity] = await Today(read, entity, Now(read));
        }

        return todays;
    }

    private static AccountId Account(string client, string entity, string currency, AgencyId agency, Fields fields) => new(
        fields.Reference<ClientCompanyId>("client_company", client, agency, "clientCompanies"),
        fields.Reference<LegalEntityId>("legal_entity", entity, agency, "legalEntities"),
        fields.Currency("currency", currency));

    /// <summary>The account of an invoice, whose row tells it.</summary>
    private Task<AccountId> AccountOf(AgencyId agency, InvoiceId id, string name, ServerCallContext context) => AccountOf(readModels, agency, id, name, context);

    internal static async Task<AccountId> AccountOf(IReadModels readModels, AgencyId agency, InvoiceId id, string name, ServerCallContext context) =>
        await readModels.Find<InvoiceRow>(agency, [id], context.CancellationToken) is { } row
            ? new AccountId(row.Client, row.LegalEntity, new Currency(row.Currency))
            : throw Errors.NotFound("invoice", name);

    private IBillingAccountGrain Grain(AgencyId agency, AccountId account) => grains.Of<IBillingAccountGrain>(agency, account.Key);
}
