using System.Collections.Immutable;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Billing;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Cmos;
using Orleans.Concurrency;

namespace AgencyPlatform.Grains.Billing;

/// <summary>See <see cref="IOpenBooksImportGrain"/>.</summary>
[Reentrant]
public sealed class OpenBooksImportGrain(GrainServices services) : AggregateGrain<OpenBooksImport>(services), IOpenBooksImportGrain
{
    private const int PartsAtOnce = 32;
    private const int KeysAtOnce = 500;

    public async Task<Reply<OpenBooksImport>> Import(Call call, ImportOpenBooks c)
    {
        var agency = (await Grain<IAgencyGrain>(Key.Agency.Value).Get(new Read(Key.Agency, call.SandboxNow))).Value;
        var (facts, missing) = agency?.LegalEntities.GetValueOrDefault(c.LegalEntity) is { } entity
            ? (await Facts(call, c, agency, entity), (Rejection?)null)
            : (null, Rejection.NotFound("legal_entity", c.LegalEntity.Value));
        return await RunSaga(call, (s, now) => s.Start(c, facts!, now), (s, _) => s.EndedAt is null ? null : new SagaEnd(null), s => s, missing);
    }

    public async Task<Reply<OpenBooksImport>> Get(Read read)
    {
        var reply = await Query(read, (s, _) => s, Rejection.NotFound("open_books_import", Key.Id));
        CarryOn();
        return reply;
    }

    protected override IPostingHistory Postings() => new PostingHistory<OpenBooksImport>((_, _, posting) => OpenBooksImport.Why(posting));

    /// <summary>Tells the series first, then brings the next parts to their aggregates. Each takes what it has not taken yet.</summary>
    protected override async Task<bool> Step(OpenBooksImport committed)
    {
        if (!committed.IsUnderWay)
        {
            return false;
        }

        var agency = (await Grain<IAgencyGrain>(Key.Agency.Value).Get(new Read(Key.Agency, StepCall().SandboxNow))).Value
            ?? throw new UnavailableException("The agency did not answer.");
        if (committed.Series is null)
        {
            var results = ImmutableArray.CreateBuilder<OpeningSeriesResult>();
            foreach (var row in committed.Import!.Books.Series)
            {
                results.Add(new OpeningSeriesResult(row.Series, row.Next, await Confirm(StepCall(), agency, committed.Import, row)));
            }

            await Decide(StepCall(), (s, now) => s.TellSeries(results.ToImmutable(), now), s => s);
            return true;
        }

        var parts = committed.Next(PartsAtOnce);
        var zone = agency.LegalEntities[committed.Import!.LegalEntity].TimeZone;
        foreach (var refusal in await Task.WhenAll(parts.Select(p => Bring(p, zone))))
        {
            if (refusal is not null)
            {
                throw new InvalidOperationException($"A part that cannot be refused was: {refusal.Reason}: {refusal.Message}");
            }
        }

        await Decide(StepCall(), (s, now) => s.Record(committed.Done + parts.Length, now), s => s);
        return true;
    }

    private async Task<Rejection?> Bring(OpeningPart part, string zone) => part switch
    {
        { Account: { } account } => (await Grain<IBillingAccountGrain>(account.Account.Key).ImportOpening(StepCall(), account with { TimeZone = zone })).Rejection,
        { Engagement: { } engagement } => (await Grain<IEngagementGrain>(engagement.Id.Value).ImportGrants(StepCall(), engagement.Grants)).Rejection,
        _ => throw new InvalidOperationException("A part of an import is of nobody."),
    };

    /// <summary>Why a series does not go on with a number; null: it does.</summary>
    private async Task<Rejection?> Confirm(Call call, Agency agency, ImportOpenBooks import, OpeningSeries row)
    {
        // One that begins again each year goes on in the year of the cut-over.
        int? year = agency.FormatOf(import.LegalEntity, row.Series).RestartsYearly ? import.On.Year : null;
        return (await Grain<IInvoiceSeriesGrain>(InvoiceSeries.Key(import.LegalEntity, row.Series)).Confirm(call, new ConfirmLastNumber(import.LegalEntity, row.Series, row.Next - 1, year))).Rejection;
    }

    /// <summary>What the rows name, as far as it is there.</summary>
    private async Task<OpenBooksFacts> Facts(Call call, ImportOpenBooks c, Agency agency, LegalEntity entity)
    {
        var books = c.Books.Rows <= OpenBooks.MostRows ? c.Books : OpenBooks.Empty;
        var clients = await Found<ClientRow, ClientCompanyId>(nameof(ClientRow.Id), books.Invoices.Select(r => r.Client).Concat(books.Credits.Select(r => r.Client)), r => r.Id);
        var cmos = await Found<CmoRow, CmoId>(nameof(CmoRow.Id), books.Payables.Select(r => r.Cmo), r => r.Id);
        var taken = await Found<DocumentNumberRow, string>(nameof(DocumentNumberRow.Number), books.Invoices.Select(r => r.NumberKey), r => r.Number, Filter.Eq(nameof(DocumentNumberRow.LegalEntity), c.LegalEntity));

        var engagements = ImmutableDictionary.CreateBuilder<EngagementId, EngagementAtCutOver>();
        foreach (var ids in books.Deferrals.Select(r => r.Engagement).Concat(books.Grants.Select(r => r.Engagement)).Distinct().Chunk(PartsAtOnce))
        {
            foreach (var found in await Task.WhenAll(ids.Select(id => Grain<IEngagementGrain>(id.Value).GetAtCutOver(new Read(Key.Agency, call.SandboxNow), c.On))))
            {
                if (found.Value is { } engagement)
                {
                    engagements[engagement.Engagement] = engagement;
                }
            }
        }

        var series = ImmutableDictionary.CreateBuilder<InvoiceSeriesId, (SeriesFormat, long, int)>();
        foreach (var ids in agency.SeriesOf(c.LegalEntity).Keys.Chunk(PartsAtOnce))
        {
            foreach (var (id, known) in await Task.WhenAll(ids.Select(async id => (id, (await Grain<IInvoiceSeriesGrain>(InvoiceSeries.Key(c.LegalEntity, id)).Get(new Read(Key.Agency, call.SandboxNow))).Value))))
            {
                series[id] = (agency.FormatOf(c.LegalEntity, id), known?.Last ?? 0, known?.Year ?? 0);
            }
        }

        var refused = ImmutableDictionary.CreateBuilder<InvoiceSeriesId, string>();
        foreach (var row in books.Series)
        {
            if (await Confirm(call.AsStep() with { ValidateOnly = true }, agency, c, row) is { } refusal)
            {
                refused[row.Series] = refusal.Message;
            }
        }

        return new OpenBooksFacts(entity.TimeZone, clients, cmos, engagements.ToImmutable(), taken, series.ToImmutable(), refused.ToImmutable(),
            (await Grain<IBooksGrain>(c.LegalEntity.Value).Get(new Read(Key.Agency, call.SandboxNow), c.LegalEntity)).Value?.ClosedThrough);
    }

    /// <summary>Those of the keys that have a row.</summary>
    private async Task<ImmutableHashSet<TKey>> Found<TRow, TKey>(string property, IEnumerable<TKey> keys, Func<TRow, TKey> key, params Filter[] filters) where TRow : class, IRow
    {
        var found = ImmutableHashSet.CreateBuilder<TKey>();
        foreach (var some in keys.Distinct().Chunk(KeysAtOnce))
        {
            found.UnionWith((await ReadModels.List<TRow>(Key.Agency, new Query([.. filters, new Filter(property, FilterOperator.In, some)], [], KeysAtOnce))).Select(key));
        }

        return found.ToImmutable();
    }
}
