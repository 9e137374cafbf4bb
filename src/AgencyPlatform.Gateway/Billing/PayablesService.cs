using System.Collections.Immutable;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Billing;
using AgencyPlatform.Domain.Billing;
using NodaTime.Text;
using LedgerAccount = AgencyPlatform.Domain.Billing.LedgerAccount;
using PayoutRun = AgencyPlatform.Domain.Billing.PayoutRun;
using V1 = AgencyPlatform.Protocol.Billing.V1;

namespace AgencyPlatform.Gateway.Billing;

/// <summary>The service of what CMOs are owed and paid, and of the agency's margin.</summary>
internal sealed class PayablesService(Calls calls, IGrainFactory grains, IReadModels readModels, TimeProvider system) : V1.PayablesService.PayablesServiceBase
{
    internal const string Payouts = "payouts";
    private const string Runs = "payoutRuns";

    public override async Task<V1.CmoStatement> GetCmoStatement(V1.GetCmoStatementRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, cmo) = fields.Name<CmoId>("name", request.Name, "cmos");
        var entity = fields.Reference<LegalEntityId>("legal_entity", request.LegalEntity, agency, "legalEntities");
        var currency = fields.Currency("currency", request.Currency);
        var dates = fields.Range("start_date", request.StartDate, "end_date", request.EndDate);
        var page = Page.Of(context, request, fields);
        var read = await calls.Read(context, request, fields, agency);
        Calls.Caller(context).EnsureCmo(cmo);
        (await grains.Of<Contracts.Cmos.IFractionalCmoGrain>(agency, cmo.Value).Get(read)).OrThrow();

        var opening = -(await Sums([.. Payable(null, dates.Start).All])).Sum(s => s.Sum);
        var within = await Sums([.. Payable(dates.Start, dates.End).All], nameof(PostingRow.Engagement));
        var paid = (await Sums([.. Payable(dates.Start, dates.End).All, .. OfPayouts()])).Sum(s => s.Sum);
        var engagements = within.Select(s => (Engagement: s.Group[0] as string ?? "", Sum: s.Group[0] is null ? -s.Sum + paid : -s.Sum)).Where(e => e.Sum != 0).OrderBy(e => e.Engagement, StringComparer.Ordinal).ToList();
        var earned = engagements.Sum(e => e.Sum);
        var (rows, next) = page.Cut(await readModels.List<PostingRow>(agency, page.Query<PostingRow>(Payable(dates.Start, dates.End).All), context.CancellationToken));
        return new V1.CmoStatement
        {
            OpeningBalance = Wire(opening),
            EarnedAmount = Wire(earned),
            PaidAmount = Wire(paid),
            ClosingBalance = Wire(opening + earned - paid),
            Engagements =
            {
                engagements.Select(e => new V1.EarnedOfEngagement { Engagement = e.Engagement.Length > 0 ? ResourceNames.Of(agency, "engagements", e.Engagement) : "", EarnedAmount = Wire(e.Sum) }),
            },
            Lines =
            {
                rows.Select(r => new V1.StatementLine
                {
                    Date = r.Date.ToWire(),
                    Source = r.Source,
                    Engagement = r.Engagement is { } e ? ResourceNames.Of(agency, "engagements", e.Value) : "",
                    Amount = Wire(-r.Amount),
                }),
            },
            NextPageToken = next,
        };

        Protocol.Type.V1.Money Wire(long minor) => new Money(minor, currency).ToWire();

        Filters Payable(LocalDate? start, LocalDate? end) => new Filters()
            .Equal(nameof(PostingRow.Cmo), (CmoId?)cmo).Equal(nameof(PostingRow.LegalEntity), (LegalEntityId?)entity).Equal(nameof(PostingRow.Account), LedgerAccount.CmoPayable)
            .Equal(nameof(PostingRow.Currency), currency.Code).Between(nameof(PostingRow.Date), start, end);

        Task<IReadOnlyList<(ImmutableArray<object?> Group, long Sum)>> Sums(ImmutableArray<Filter> filters, params GroupBy[] by) =>
            readModels.Sum<PostingRow>(agency, filters, nameof(PostingRow.Amount), [.. by], context.CancellationToken);
    }

    public override async Task<V1.Payout> RecordPayout(V1.RecordPayoutRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var id = fields.NewId<PayoutId>("payout_id", request.PayoutId, request.RequestId);
        var wire = fields.Message("payout", request.Payout);
        var amount = fields.Money("payout.amount", wire.Amount, min: 1);
        var date = fields.Date("payout.pay_date", wire.PayDate);
        var account = new CmoAccountId(
            fields.Reference<CmoId>("payout.cmo", wire.Cmo, agency, "cmos"), fields.Reference<LegalEntityId>("payout.legal_entity", wire.LegalEntity, agency, "legalEntities"), amount.Currency);
        var command = new RecordPayout(
            id, account, amount.Minor, fields.OptionalDate("through_date", request.ThroughDate) ?? date, date, fields.BankReference("payout.reference", wire.Reference, CmoAccount.LongestReference));
        var call = await calls.Mutation(context, request, fields, agency);
        return ToWire(agency, account, (await Grain(agency, account).Record(call, command)).OrThrow().Value, id);
    }

    public override async Task<V1.Payout> ReversePayout(V1.ReversePayoutRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<PayoutId>("name", request.Name, Payouts);
        var (date, reason) = (fields.Date("reverse_date", request.ReverseDate), fields.LongText("reason", request.Reason, 1000, required: true));
        var call = await calls.Mutation(context, request, fields, agency);
        var row = await Row(agency, id, request.Name, context);
        var account = new CmoAccountId(row.Cmo, row.LegalEntity, new Currency(row.Currency));
        return ToWire(agency, account, (await Grain(agency, account).Reverse(call, new ReversePayout(id, account, date, reason))).OrThrow().Value, id);
    }

    public override async Task<V1.Payout> GetPayout(V1.GetPayoutRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<PayoutId>("name", request.Name, Payouts);
        await calls.Read(context, request, fields, agency);
        var row = await Row(agency, id, request.Name, context);
        if (Calls.Caller(context) is { IsStaff: false } caller && caller.Cmo != row.Cmo)
        {
            throw Errors.NotFound("payout", request.Name);
        }

        return ToWire(agency, row);
    }

    public override async Task<V1.ListPayoutsResponse> ListPayouts(V1.ListPayoutsRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var cmo = fields.OptionalReference<CmoId>("cmo", request.Cmo, agency, "cmos");
        var page = Page.Of(context, request, fields);
        await calls.Read(context, request, fields, agency);
        if (Calls.Caller(context) is { IsStaff: false, Cmo: { } own } caller)
        {
            caller.EnsureCmo(cmo ??= own);
        }

        var filters = new Filters().Equal(nameof(PayoutRow.Cmo), cmo);
        var (rows, next) = page.Cut(await readModels.List<PayoutRow>(agency, page.Query<PayoutRow>(filters.All), context.CancellationToken));
        return new V1.ListPayoutsResponse { Payouts = { rows.Select(r => ToWire(agency, r)) }, NextPageToken = next };
    }

    public override async Task<V1.PayoutRun> RunPayouts(V1.RunPayoutsRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var command = new StartPayoutRun(
            fields.NewId<PayoutRunId>("payout_run_id", request.PayoutRunId, request.RequestId),
            fields.Reference<LegalEntityId>("legal_entity", request.LegalEntity, agency, "legalEntities"),
            fields.Currency("currency", request.Currency),
            fields.Date("through_date", request.ThroughDate),
            fields.Date("pay_date", request.PayDate),
            fields.BankReference("reference", request.Reference, 70));
        var call = await calls.Mutation(context, request, fields, agency);
        return ToWire(agency, await grains.Of<IPayoutRunGrain>(agency, command.Id.Value).Run(call, command));
    }

    public override async Task<V1.PayoutRun> GetPayoutRun(V1.GetPayoutRunRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<PayoutRunId>("name", request.Name, Runs);
        return ToWire(agency, await grains.Of<IPayoutRunGrain>(agency, id.Value).Get(await calls.Read(context, request, fields, agency)));
    }

    public override async Task<V1.ListPayoutRunsResponse> ListPayoutRuns(V1.ListPayoutRunsRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var page = Page.Of(context, request, fields);
        var read = await calls.Read(context, request, fields, agency);
        var (rows, next) = page.Cut(await readModels.List<PayoutRunRow>(agency, page.Query<PayoutRunRow>(), context.CancellationToken));
        var runs = await Task.WhenAll(rows.Select(r => grains.Of<IPayoutRunGrain>(agency, r.Id.Value).Get(read)));
        return new V1.ListPayoutRunsResponse { PayoutRuns = { runs.Select(r => ToWire(agency, r)) }, NextPageToken = next };
    }

    public override async Task<V1.Margin> GetMargin(V1.GetMarginRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        fields.Require(
            request.GroupBy is V1.MarginGroup.Engagement or V1.MarginGroup.ClientCompany or V1.MarginGroup.Cmo || (request.GroupBy == V1.MarginGroup.Unspecified && request.ByMonth), "group_by",
            "must be one of MARGIN_GROUP_ENGAGEMENT, MARGIN_GROUP_CLIENT_COMPANY, MARGIN_GROUP_CMO; it may be left out with by_month");
        var dates = fields.Range("start_date", request.StartDate, "end_date", request.EndDate);
        var entity = fields.OptionalReference<LegalEntityId>("legal_entity", request.LegalEntity, agency, "legalEntities");
        var read = await calls.Read(context, request, fields, agency);
        var (property, collection) = request.GroupBy switch
        {
            V1.MarginGroup.ClientCompany => (nameof(PostingRow.Client), "clientCompanies"),
            V1.MarginGroup.Cmo => (nameof(PostingRow.Cmo), "cmos"),
            V1.MarginGroup.Engagement => (nameof(PostingRow.Engagement), "engagements"),
            _ => (null, ""),
        };
        var cost = await Sums(LedgerAccount.CostOfService, property);
        var revenue = request.GroupBy == V1.MarginGroup.Cmo
            ? Margins.Shared(await Sums(LedgerAccount.Revenue, nameof(PostingRow.Engagement)), await Sums(LedgerAccount.CostOfService, nameof(PostingRow.Engagement), nameof(PostingRow.Cmo)))
            : await Sums(LedgerAccount.Revenue, property);
        var rows = Margins.Rows(revenue, cost);
        return new V1.Margin
        {
            Rows = { rows.Select(r => ToWire(r.Of.Length > 0 ? ResourceNames.Of(agency, collection, r.Of) : "", r.Month, r.Currency, r.Revenue, r.Cost)) },
            Totals = { rows.GroupBy(r => r.Currency).OrderBy(c => c.Key, StringComparer.Ordinal).Select(c => ToWire("", null, c.Key, c.Sum(r => r.Revenue), c.Sum(r => r.Cost))) },
        };

        async Task<IReadOnlyList<MarginSum>> Sums(LedgerAccount account, string? property, string? second = null)
        {
            var filters = new Filters().Equal(nameof(PostingRow.Account), account).Equal(nameof(PostingRow.LegalEntity), entity).Between(nameof(PostingRow.Date), dates.Start, dates.End);
            List<GroupBy> by = [nameof(PostingRow.Currency)];
            var (of, cmo) = (property is null ? 0 : Place(property), second is null ? 0 : Place(second));
            var month = request.ByMonth ? Place(GroupBy.MonthOf(nameof(PostingRow.Date))) : 0;
            return
            [
                .. (await readModels.Sum<PostingRow>(agency, [.. filters.All], nameof(PostingRow.Amount), [.. by], context.CancellationToken)).Select(s => new MarginSum(
                    Text(s.Group, of), (string)s.Group[0]!, Text(s.Group, cmo), account == LedgerAccount.Revenue ? -s.Sum : s.Sum,
                    month > 0 ? YearMonthPattern.Iso.Parse(Text(s.Group, month)).Value : null)),
                .. account == LedgerAccount.Revenue ? await Unposted(property) : [],
            ];

            // Where a sum is told apart by it; 0 where it is not.
            int Place(GroupBy group)
            {
                by.Add(group);
                return by.Count - 1;
            }

            // What the days within have earned that is posted behind them, less what is posted within of days before.
            async Task<List<MarginSum>> Unposted(string? property)
            {
                var (now, sums) = (read.ReadTime ?? read.SandboxNow ?? Instant.FromDateTimeOffset(system.GetUtcNow()), new List<MarginSum>());
                var cuts = new SortedSet<LocalDate> { dates.Start, dates.End!.Value };
                for (var month = RecognitionDates.NextMonth(LocalDate.Max(dates.Start, now.InUtc().Date.PlusDays(-62))); request.ByMonth && month < dates.End; month = month.PlusMonths(1))
                {
                    cuts.Add(month);
                }

                foreach (var cut in cuts)
                {
                    await foreach (var earned in DaysSince.Of(readModels, agency, cut.PlusDays(-1), entity, null, null, now, context.CancellationToken))
                    {
                        Add(cut > dates.Start, cut.PlusDays(-1), earned.Amount);
                        Add(cut < dates.End, cut, -earned.Amount);

                        void Add(bool within, LocalDate date, long amount)
                        {
                            if (within)
                            {
                                sums.Add(new MarginSum(
                                    property switch { nameof(PostingRow.Engagement) => earned.Engagement.Value, nameof(PostingRow.Client) => earned.Client.Value, _ => "" }, earned.Currency, "", amount,
                                    request.ByMonth ? new YearMonth(date.Year, date.Month) : null));
                            }
                        }
                    }
                }

                return sums;
            }

            static string Text(ImmutableArray<object?> group, int place) => place > 0 ? group[place] as string ?? "" : "";
        }
    }

    private ICmoAccountGrain Grain(AgencyId agency, CmoAccountId account) => grains.Of<ICmoAccountGrain>(agency, account.Key);

    private async Task<PayoutRow> Row(AgencyId agency, PayoutId id, string name, ServerCallContext context) =>
        await readModels.Find<PayoutRow>(agency, [id], context.CancellationToken) ?? throw Errors.NotFound("payout", name);

    private static Filter[] OfPayouts()
    {
        var (from, until) = PostingRow.SourcesOf(CmoAccount.Kind);
        return [new(nameof(PostingRow.Source), FilterOperator.GreaterOrEqual, from), new(nameof(PostingRow.Source), FilterOperator.Less, until)];
    }

    private static V1.Payout ToWire(AgencyId agency, CmoAccountId account, CmoAccount state, PayoutId id)
    {
        var p = state.Payouts.Last(p => p.Id == id);
        return ToWire(agency, new PayoutRow(p.Id, account.Cmo, account.LegalEntity, account.Currency.Code, p.Amount, p.Date, p.Reference, p.ReversedOn));
    }

    private static V1.Payout ToWire(AgencyId agency, PayoutRow row) => new()
    {
        Name = ResourceNames.Of(agency, Payouts, row.Id.Value),
        Cmo = ResourceNames.Of(agency, "cmos", row.Cmo.Value),
        LegalEntity = ResourceNames.Of(agency, "legalEntities", row.LegalEntity.Value),
        Amount = new Money(row.Amount, new Currency(row.Currency)).ToWire(),
        PayDate = row.Date.ToWire(),
        Reference = row.Reference,
        ReverseDate = row.ReversedOn.ToWire(),
    };

    private static V1.PayoutRun ToWire(AgencyId agency, Reply<PayoutRun> reply)
    {
        var (state, meta) = reply.OrThrow();
        var currency = state.Run!.Currency;
        return new V1.PayoutRun
        {
            Name = ResourceNames.Of(agency, Runs, state.Run.Id.Value),
            CreateTime = meta.CreatedAt.ToWire(),
            Done = state.Ended,
            Items =
            {
                state.Items.Select(i => new V1.PayoutRunItem
                {
                    Cmo = ResourceNames.Of(agency, "cmos", i.Cmo.Value),
                    Amount = new Money(i.Amount, currency).ToWire(),
                    Payout = i.Paid ? ResourceNames.Of(agency, Payouts, i.Payout.Value) : "",
                    Reason = i.Refusal?.Reason ?? "",
                    Message = i.Refusal?.Message ?? "",
                }),
            },
            Total = new Money(state.Items.Sum(i => i.Amount), currency).ToWire(),
        };
    }

    private static V1.MarginRow ToWire(string resource, YearMonth? month, string currency, long revenue, long cost) => new()
    {
        Resource = resource,
        Month = month?.OnDayOfMonth(1).ToWire(),
        Revenue = new Money(revenue, new Currency(currency)).ToWire(),
        Cost = new Money(cost, new Currency(currency)).ToWire(),
        Margin = new Money(revenue - cost, new Currency(currency)).ToWire(),
        MarginPercent = Margins.Percent(revenue, cost),
    };
}
