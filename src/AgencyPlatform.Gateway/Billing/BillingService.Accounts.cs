using System.Collections.Immutable;
using System.Globalization;
using AgencyPlatform.Domain.Billing;
using NodaTime.Text;
using LedgerAccount = AgencyPlatform.Domain.Billing.LedgerAccount;
using V1 = AgencyPlatform.Protocol.Billing.V1;

namespace AgencyPlatform.Gateway.Billing;

/// <summary>What accounts come to: statements, aging, and the history of an account of the ledger. All are sums and pages of rows.</summary>
internal sealed partial class BillingService
{
    public override async Task<V1.ListBillingAccountsResponse> ListBillingAccounts(V1.ListBillingAccountsRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var page = Page.Of(context, request, fields);
        var filters = OfAccounts(request.ClientCompany, request.LegalEntity, agency, fields);
        await calls.Read(context, request, fields, agency);
        var (rows, next) = page.Cut(await readModels.List<BillingAccountRow>(agency, page.Query<BillingAccountRow>(filters.All), context.CancellationToken));
        return new V1.ListBillingAccountsResponse
        {
            NextPageToken = next,
            BillingAccounts = { rows.Select(r => PaymentWire.ToWire(agency, new AccountId(r.Client, r.LegalEntity, new Currency(r.Currency)), r.Open, r.Credit)) },
        };
    }

    public override async Task<V1.AccountStatement> GetAccountStatement(V1.GetAccountStatementRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var page = Page.Of(context, request, fields);
        var dates = fields.Range("start_date", request.StartDate, "end_date", request.EndDate);
        var currency = request.Currency.Length == 0 ? null : fields.Currency("currency", request.Currency).Code;
        var of = OfAccounts(request.ClientCompany, request.LegalEntity, agency, fields).Equal(nameof(AccountEntryRow.Currency), currency);
        var read = await calls.Read(context, request, fields, agency);
        of.Known(nameof(AccountEntryRow.KnownAt), read.ReadTime);
        Filters Of() => new(of);
        var filters = Of().Between(nameof(AccountEntryRow.Date), dates.Start, dates.End);
        var closing = await Balances(Of().Between(nameof(AccountEntryRow.Date), null, dates.End));
        var opening = await Balances(Of().Between(nameof(AccountEntryRow.Date), null, dates.Start));
        var (rows, next) = page.Cut(await readModels.List<AccountEntryRow>(agency, page.Query<AccountEntryRow>(filters.All), context.CancellationToken));
        return new V1.AccountStatement
        {
            OpeningBalances = { closing.Keys.Select(c => new Money(opening.GetValueOrDefault(c), c).ToWire()) },
            Entries = { rows.Select(r => PaymentWire.ToWire(agency, r)) },
            ClosingBalances = { closing.Select(b => new Money(b.Value, b.Key).ToWire()) },
            NextPageToken = next,
        };

        async Task<Dictionary<Currency, long>> Balances(Filters of) =>
            (await readModels.Sum<AccountEntryRow>(agency, [.. of.All], nameof(AccountEntryRow.Change), [nameof(AccountEntryRow.Currency)], context.CancellationToken))
                .ToDictionary(s => new Currency((string)s.Group[0]!), s => s.Sum);
    }

    public override async Task<V1.Aging> GetAging(V1.GetAgingRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var page = Page.Of(context, request, fields);
        var date = fields.Date("as_of_date", request.AsOfDate);
        var filters = OfAccounts(request.ClientCompany, request.LegalEntity, agency, fields);
        var read = await calls.Read(context, request, fields, agency);
        Filters Of() => new Filters(filters).Known(nameof(AccountEntryRow.KnownAt), read.ReadTime);
        var (rows, next) = page.Cut(await readModels.List<BillingAccountRow>(agency, page.Query<BillingAccountRow>(filters.All), context.CancellationToken));
        var clients = rows.Select(r => r.Client).Distinct().ToArray();
        ImmutableArray<GroupBy> account = [nameof(AccountEntryRow.Client), nameof(AccountEntryRow.LegalEntity), nameof(AccountEntryRow.Currency)];
        var byAccount = clients.Length == 0 ? [] : await Aged(() => Of().In(nameof(AccountEntryRow.Client), clients), account);
        var totals = await Aged(Of, [nameof(AccountEntryRow.Currency)]);
        return new V1.Aging
        {
            Accounts =
            {
                from row in rows
                let amounts = byAccount.GetValueOrDefault($"{row.Client}/{row.LegalEntity}/{row.Currency}")
                where amounts is not null && amounts.Any(a => a != 0)
                select new V1.AccountAging
                {
                    ClientCompany = ResourceNames.Of(agency, "clientCompanies", row.Client.Value),
                    LegalEntity = ResourceNames.Of(agency, "legalEntities", row.LegalEntity.Value),
                    Amounts = Amounts(amounts, new Currency(row.Currency)),
                },
            },
            Totals = { totals.OrderBy(t => t.Key, StringComparer.Ordinal).Select(t => Amounts(t.Value, new Currency(t.Key))) },
            NextPageToken = next,
        };

        // What is open of invoices by when they were due, and last the credit.
        async Task<Dictionary<string, long[]>> Aged(Func<Filters> of, ImmutableArray<GroupBy> group)
        {
            (LocalDate? From, LocalDate? Before)[] due =
                [(date, null), (date.PlusDays(-30), date), (date.PlusDays(-60), date.PlusDays(-30)), (date.PlusDays(-90), date.PlusDays(-60)), (null, date.PlusDays(-90))];
            var aged = new Dictionary<string, long[]>();
            for (var i = 0; i <= due.Length; i++)
            {
                var of1 = of().Between(nameof(AccountEntryRow.Date), null, date.PlusDays(1));
                if (i < due.Length)
                {
                    of1.Between(nameof(AccountEntryRow.DueDate), due[i].From, due[i].Before);
                }

                var sum = i < due.Length ? nameof(AccountEntryRow.Open) : nameof(AccountEntryRow.Credit);
                foreach (var (key, amount) in await readModels.Sum<AccountEntryRow>(agency, [.. of1.All], sum, group, context.CancellationToken))
                {
                    var name = string.Join('/', key);
                    (aged.GetValueOrDefault(name) ?? (aged[name] = new long[due.Length + 1]))[i] = amount;
                }
            }

            return aged;
        }

        static V1.AgingAmounts Amounts(long[] amounts, Currency currency)
        {
            Protocol.Type.V1.Money Of(long minor) => new Money(minor, currency).ToWire();
            return new V1.AgingAmounts
            {
                CurrentAmount = Of(amounts[0]),
                Overdue1To30Amount = Of(amounts[1]),
                Overdue31To60Amount = Of(amounts[2]),
                Overdue61To90Amount = Of(amounts[3]),
                OverdueOver90Amount = Of(amounts[4]),
                OpenAmount = Of(amounts[..5].Sum()),
                CreditAmount = Of(amounts[5]),
            };
        }
    }

    public override async Task<V1.AccountHistory> GetAccountHistory(V1.GetAccountHistoryRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var page = Page.Of(context, request, fields);
        var entity = fields.Reference<LegalEntityId>("legal_entity", request.LegalEntity, agency, "legalEntities");
        var account = fields.Enum<V1.LedgerAccount, LedgerAccount>("account", request.Account);
        var currency = fields.Currency("currency", request.Currency);
        var client = fields.OptionalReference<ClientCompanyId>("client_company", request.ClientCompany, agency, "clientCompanies");
        var dates = fields.Range("start_date", request.StartDate, "end_date", request.EndDate);

        // The page before says its last entry's key and the balance after it.
        var carried = 0L;
        fields.Require(
            page.After.Count == 0 || (page.After.Count == 5 && long.TryParse(page.After[4], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out carried)),
            "page_token", "must be the next_page_token of the same history");
        var read = await calls.Read(context, request, fields, agency);
        Filters Of() => new Filters().Known(nameof(PostingRow.KnownAt), read.ReadTime).Equal(nameof(PostingRow.LegalEntity), entity).Equal(nameof(PostingRow.Account), account)
            .Equal(nameof(PostingRow.Currency), currency.Code).Equal(nameof(PostingRow.Client), client);
        var opening = page.After.Count > 0 ? carried
            : (await readModels.Sum<PostingRow>(agency, [.. Of().Between(nameof(PostingRow.Date), null, dates.Start).All], nameof(PostingRow.Amount), [], context.CancellationToken)).Single().Sum;
        var rows = await readModels.List<PostingRow>(agency, page.Query<PostingRow>(Of().Between(nameof(PostingRow.Date), dates.Start, dates.End).All), context.CancellationToken);
        var history = new V1.AccountHistory { OpeningBalance = new Money(opening, currency).ToWire() };
        var balance = opening;
        foreach (var row in rows.Take(page.Size))
        {
            balance += row.Amount;
            history.Entries.Add(new V1.AccountHistoryEntry { Line = ToWire(agency, row), Balance = new Money(balance, currency).ToWire() });
        }

        if (rows.Count > page.Size)
        {
            var last = rows[page.Size - 1];
            history.NextPageToken = page.TokenAfter(
                last.LegalEntity.Value, LocalDatePattern.Iso.Format(last.Date), last.Source, last.Line.ToString(CultureInfo.InvariantCulture), balance.ToString(CultureInfo.InvariantCulture));
        }

        history.ClosingBalance = new Money(balance, currency).ToWire();
        return history;
    }

    private static Filters OfAccounts(string client, string entity, AgencyId agency, Fields fields) => new Filters()
        .Equal(nameof(BillingAccountRow.Client), fields.OptionalReference<ClientCompanyId>("client_company", client, agency, "clientCompanies"))
        .Equal(nameof(BillingAccountRow.LegalEntity), fields.OptionalReference<LegalEntityId>("legal_entity", entity, agency, "legalEntities"));
}
