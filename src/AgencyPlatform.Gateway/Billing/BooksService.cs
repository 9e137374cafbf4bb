using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Billing;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Engagements;
using Books = AgencyPlatform.Domain.Billing.Books;
using LedgerAccount = AgencyPlatform.Domain.Billing.LedgerAccount;
using V1 = AgencyPlatform.Protocol.Billing.V1;

namespace AgencyPlatform.Gateway.Billing;

/// <summary>The service of the books of legal entities: closing months, and what engagements have earned.</summary>
internal sealed class BooksService(Calls calls, IGrainFactory grains, IReadModels readModels, TimeProvider system) : V1.BooksService.BooksServiceBase
{
    private const string Entities = "legalEntities";

    public override async Task<V1.Books> GetBooks(V1.GetBooksRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, entity) = fields.Name<LegalEntityId>("name", request.Name, Entities);
        return ToWire(agency, await Grain(agency, entity).Get(await calls.Read(context, request, fields, agency), entity));
    }

    public override async Task<V1.ClosingChecklist> GetClosingChecklist(V1.GetClosingChecklistRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, entity) = fields.Name<LegalEntityId>("name", request.Name, Entities);
        var through = fields.Date("through_date", request.ThroughDate);
        var checklist = (await Grain(agency, entity).GetChecklist(await calls.Read(context, request, fields, agency), entity, through)).OrThrow().Value;
        return new V1.ClosingChecklist
        {
            OpenItems =
            {
                checklist.Counts.Select(c => new V1.OpenItems
                {
                    Kind = c.Key.ToWire<V1.OpenItemKind>(),
                    Count = c.Value,
                    Resources = { checklist.Items.Where(i => i.Kind == c.Key).Select(i => i.Kind >= OpenItemKind.OpenDraft ? $"agencies/{agency}/{i.Resource}" : i.Resource) },
                }),
            },
        };
    }

    public override async Task<V1.Books> CloseBooks(V1.CloseBooksRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, entity) = fields.Name<LegalEntityId>("name", request.Name, Entities);
        var command = new CloseBooks(entity, fields.Date("through_date", request.ThroughDate), request.AcceptOpenItems);
        var call = await calls.Mutation(context, request, fields, agency);
        return ToWire(agency, await Grain(agency, entity).Close(call, command));
    }

    public override async Task<V1.ListClosingsResponse> ListClosings(V1.ListClosingsRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, entity) = fields.Name<LegalEntityId>("parent", request.Parent, Entities);
        var page = Page.Of(context, request, fields);
        await Grain(agency, entity).Get(await calls.Read(context, request, fields, agency), entity);
        var filters = new Filters().Equal(nameof(ClosingRow.LegalEntity), (LegalEntityId?)entity);
        var (rows, next) = page.Cut(await readModels.List<ClosingRow>(agency, page.Query<ClosingRow>(filters.All), context.CancellationToken));
        return new V1.ListClosingsResponse
        {
            Closings = { rows.Select(r => new V1.Closing { ClosedThroughDate = r.ClosedThrough.ToWire(), CloseTime = r.At.ToWire(), ClosedBy = r.By, OpenItems = r.OpenItems }) },
            NextPageToken = next,
        };
    }

    public override async Task<V1.ListEngagementBalancesResponse> ListEngagementBalances(V1.ListEngagementBalancesRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var date = fields.Date("as_of_date", request.AsOfDate);
        var entity = fields.OptionalReference<LegalEntityId>("legal_entity", request.LegalEntity, agency, Entities);
        var client = fields.OptionalReference<ClientCompanyId>("client_company", request.ClientCompany, agency, "clientCompanies");
        var page = Page.Of(context, request, fields);
        var read = await calls.Read(context, request, fields, agency);
        var listed = new Filters().Equal(nameof(EngagementRow.Client), client);
        var (rows, next) = page.Cut(await readModels.List<EngagementRow>(agency, page.Query<EngagementRow>(listed.All), context.CancellationToken));
        var response = new V1.ListEngagementBalancesResponse { NextPageToken = next };
        if (rows.Count == 0)
        {
            return response;
        }

        var engagements = rows.Select(r => r.Id).ToArray();
        var posted = new Filters().In(nameof(PostingRow.Engagement), engagements).Equal(nameof(PostingRow.LegalEntity), entity).Between(nameof(PostingRow.Date), null, date.PlusDays(1))
            .In(nameof(PostingRow.Account), new[] { LedgerAccount.Revenue, LedgerAccount.DeferredRevenue, LedgerAccount.UnbilledReceivable }).Known(nameof(PostingRow.KnownAt), read.ReadTime);
        var balances = new SortedDictionary<(string Engagement, string Currency, LedgerAccount Account), long>();
        foreach (var (group, sum) in await readModels.Sum<PostingRow>(
            agency, [.. posted.All], nameof(PostingRow.Amount), [nameof(PostingRow.Engagement), nameof(PostingRow.Currency), nameof(PostingRow.Account)], context.CancellationToken))
        {
            balances[((string)group[0]!, (string)group[1]!, Enum.Parse<LedgerAccount>((string)group[2]!))] = sum;
        }

        await foreach (var earned in DaysSince.Of(readModels, agency, date, entity, engagements, read.ReadTime, read.ReadTime ?? read.SandboxNow ?? Instant.FromDateTimeOffset(system.GetUtcNow()), context.CancellationToken))
        {
            Add(earned.Account, earned.Amount);
            Add(LedgerAccount.Revenue, -earned.Amount);

            void Add(LedgerAccount account, long amount) =>
                balances[(earned.Engagement.Value, earned.Currency, account)] = balances.GetValueOrDefault((earned.Engagement.Value, earned.Currency, account)) + amount;
        }

        foreach (var (engagement, code) in balances.Keys.Select(k => (k.Engagement, k.Currency)).Distinct())
        {
            Protocol.Type.V1.Money Of(LedgerAccount account, int sign) => new Money(sign * balances.GetValueOrDefault((engagement, code, account)), new Currency(code)).ToWire();
            response.Balances.Add(new V1.EngagementBalance
            {
                Engagement = ResourceNames.Of(agency, "engagements", engagement),
                Revenue = Of(LedgerAccount.Revenue, -1),
                DeferredRevenue = Of(LedgerAccount.DeferredRevenue, -1),
                UnbilledReceivable = Of(LedgerAccount.UnbilledReceivable, 1),
            });
        }

        return response;
    }

    private IBooksGrain Grain(AgencyId agency, LegalEntityId entity) => grains.Of<IBooksGrain>(agency, entity.Value);

    private static V1.Books ToWire(AgencyId agency, Reply<Books> reply)
    {
        var books = reply.OrThrow().Value;
        return new V1.Books
        {
            LegalEntity = ResourceNames.Of(agency, Entities, books.LegalEntity.Value),
            ClosedThroughDate = books.ClosedThrough.ToWire(),
            ClosingThroughDate = books.UnderWay?.Through.ToWire(),
        };
    }
}
