using System.Collections.Immutable;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Billing;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Billing;
using Orleans.Concurrency;

namespace AgencyPlatform.Grains.Billing;

/// <summary>See <see cref="IBooksGrain"/>.</summary>
[Reentrant]
internal sealed class BooksGrain(GrainServices services, IDeadlines deadlines) : AggregateGrain<Books>(services), IBooksGrain
{
    private const int AtOnce = 32;

    public async Task<Reply<Books>> Close(Call call, CloseBooks c)
    {
        var (entity, missing) = await Entity(new Read(Key.Agency, call.SandboxNow), c.LegalEntity);
        var checklist = missing is null ? await Checklist(new Read(Key.Agency, call.SandboxNow), c.LegalEntity, c.Through) : null;
        return await RunSaga(
            call, (s, now) => s.Close(c, checklist!, now.InZone(DateTimeZoneProviders.Tzdb[entity!.TimeZone]).Date, call.Actor, now),
            (s, _) => s.ClosedThrough >= c.Through ? new SagaEnd(null) : null, s => s, missing);
    }

    public async Task<Reply<ClosingChecklist>> GetChecklist(Read read, LegalEntityId entity, LocalDate through)
    {
        var (_, missing) = await Entity(read, entity);
        return missing is not null ? Reply<ClosingChecklist>.No(missing) : Reply<ClosingChecklist>.Ok(await Checklist(read, entity, through), new Meta(0, default, default, default));
    }

    public async Task<Reply<Books>> Get(Read read, LegalEntityId entity)
    {
        var (_, missing) = await Entity(read, entity);
        var reply = await Query(read, (s, _) => s);
        CarryOn();
        return missing is not null ? Reply<Books>.No(missing)
            : reply.Rejection is null ? reply
            : Reply<Books>.Ok(Books.Initial with { LegalEntity = entity }, new Meta(0, default, default, default));
    }

    /// <summary>Makes everything ready and closes. Each step may be done again.</summary>
    protected override async Task<bool> Step(Books committed)
    {
        if (committed.UnderWay is not { } closing)
        {
            return false;
        }

        var sandboxNow = StepCall().SandboxNow;
        var agency = (await Grain<IAgencyGrain>(Key.Agency.Value).Get(new Read(Key.Agency, sandboxNow))).Value;
        var entity = agency!.LegalEntities[closing.LegalEntity];

        // From here on no number is dated in the month; those that were given before become final.
        var unnumbered = await ReadModels.List<InvoiceRow>(
            Key.Agency, new Query([Filter.Eq(nameof(InvoiceRow.LegalEntity), entity.Id), Filter.Eq(nameof(InvoiceRow.State), InvoiceState.Finalizing)], [], int.MaxValue));
        foreach (var series in agency.SeriesOf(entity.Id).Keys.Union(unnumbered.Select(i => i.Series).OfType<InvoiceSeriesId>()))
        {
            var told = await Grain<IInvoiceSeriesGrain>(InvoiceSeries.Key(entity.Id, series)).CloseThrough(StepCall(), entity.Id, series, closing.Through);
            if (told.Rejection is { } refused)
            {
                throw new UnavailableException($"The series {series} did not take the closing: {refused.Message}");
            }
        }

        foreach (var account in unnumbered.Select(i => new AccountId(i.Client, i.LegalEntity, new Currency(i.Currency))).Distinct())
        {
            await Grain<IBillingAccountGrain>(account.Key).Settle(sandboxNow);
        }

        await SettleDue(DateTimeZoneProviders.Tzdb[entity.TimeZone].AtStartOfDay(closing.Through.PlusDays(1)).ToInstant(), sandboxNow);
        await Decide(StepCall(), (s, now) => s.End(now), s => s);
        return true;
    }

    /// <summary>Has everything settle that is due by the month's end: what its days have earned is posted then. A saga that waits for something else is no reason to wait.</summary>
    private async Task SettleDue(Instant monthEnd, Instant? sandboxNow)
    {
        var tried = new HashSet<(AggregateKey, Instant)>();
        while (true)
        {
            var due = await deadlines.Due(Key.Agency, monthEnd, tried.Count + AtOnce);
            ImmutableArray<DueDeadline> next = [.. due.Where(d => d.Key != Key && !tried.Contains((d.Key, d.DueAt)))];
            if (next.IsEmpty)
            {
                return;
            }

            await Task.WhenAll(next.Select(d => AggregateGrains.Get(GrainFactory, d.Key).Settle(sandboxNow)));
            tried.UnionWith(next.Select(d => (d.Key, d.DueAt)));
        }
    }

    private async Task<ClosingChecklist> Checklist(Read read, LegalEntityId entity, LocalDate through) => await new ClosingChecklists(
        ReadModels, Key.Agency, async id => (await Grain<IEngagementGrain>(id.Value).Get(new Read(Key.Agency, read.SandboxNow))).Value?.Terms.AsEnumerable() ?? []).Of(entity, through);

    private async Task<(LegalEntity? Entity, Rejection? Missing)> Entity(Read read, LegalEntityId id) =>
        (await Grain<IAgencyGrain>(Key.Agency.Value).Get(new Read(Key.Agency, read.SandboxNow))).Value?.LegalEntities.GetValueOrDefault(id) is { } entity
            ? (entity, null)
            : (null, Rejection.NotFound("legal_entity", id.Value));
}
