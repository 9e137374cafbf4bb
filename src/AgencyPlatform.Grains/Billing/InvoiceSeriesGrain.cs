using System.Collections.Immutable;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Billing;
using AgencyPlatform.Domain.Billing;
using Orleans.Concurrency;

namespace AgencyPlatform.Grains.Billing;

/// <summary>See <see cref="IInvoiceSeriesGrain"/>.</summary>
[Reentrant]
public sealed class InvoiceSeriesGrain(GrainServices services) : AggregateGrain<InvoiceSeries>(services), IInvoiceSeriesGrain
{
    private const int MostAttempts = 8;

    public async Task<Reply<ImmutableArray<AssignedNumber>>> Assign(Call call, AssignNumbers c)
    {
        var agency = await Grain<IAgencyGrain>(Key.Agency.Value).Get(new Read(Key.Agency, call.SandboxNow));
        if (agency.Value?.LegalEntities.GetValueOrDefault(c.LegalEntity) is not { } entity)
        {
            return Reply<ImmutableArray<AssignedNumber>>.No(Rejection.NotFound("legal_entity", c.LegalEntity.Value));
        }

        var (restored, format) = (await Restored(), agency.Value.FormatOf(c.LegalEntity, c.Series));
        var known = (await Get(new Read(Key.Agency, call.SandboxNow))).Value ?? InvoiceSeries.Initial;
        if (known.LastIssueDate is null && known.Locked(c.LegalEntity, c.Series, restored) is null)
        {
            // Before its first number: from then on the agency does not let it be renamed.
            format = (await Grain<IAgencyGrain>(Key.Agency.Value).UseInvoiceSeries(call.AsStep(), c.LegalEntity, c.Series)).Value
                ?? throw new UnavailableException($"The agency does not know the series {c.Series}.");
        }

        // Who else asks for the same invoice at the same time gets its row's key first: then it has its number. An import may take a number at the same time, too.
        ImmutableHashSet<string>? imported = null;
        for (var attempt = 0; attempt < MostAttempts; attempt++)
        {
            var rows = await Task.WhenAll(c.Invoices.Select(i => ReadModels.Find<InvoiceNumberRow>(Key.Agency, [i])));
            var numbered = rows.Where(r => r is not null).Select(r => new AssignedNumber(r!.Invoice, r.Number, r.IssueDate, r.Printed)).ToImmutableArray();
            var missing = c.Invoices.Except(numbered.Select(k => k.Invoice)).ToImmutableArray();
            if (missing.IsEmpty)
            {
                return new Reply<ImmutableArray<AssignedNumber>>(numbered, null, null);
            }

            var reply = await Decide(call, (s, now) => s.Assign(c with { Invoices = missing }, format, entity.TimeZone, restored, now, imported), s => s.NumbersOf(missing));
            if (reply.Rejection is null)
            {
                return Reply<ImmutableArray<AssignedNumber>>.Ok([.. numbered, .. reply.Value], reply.Meta!);
            }

            if (reply.Rejection.Kind != RejectionKind.AlreadyExists)
            {
                return reply;
            }

            imported = [.. await ReadModels.ImportedNumbers(Key.Agency, c.LegalEntity)];
        }

        throw new UnavailableException("The series is asked for the same numbers too often at once.");
    }

    public async Task<Reply<InvoiceSeries>> Confirm(Call call, ConfirmLastNumber c)
    {
        var agency = await Grain<IAgencyGrain>(Key.Agency.Value).Get(new Read(Key.Agency, call.SandboxNow));
        if (agency.Value?.LegalEntities.GetValueOrDefault(c.LegalEntity) is not { } entity)
        {
            return Reply<InvoiceSeries>.No(Rejection.NotFound("legal_entity", c.LegalEntity.Value));
        }

        // A series that nothing is numbered in would be a slip of the pen.
        var (used, format) = (agency.Value.SeriesOf(entity.Id).ContainsKey(c.Series), agency.Value.FormatOf(entity.Id, c.Series));
        var (head, imported) = (await ReadFeedHead(), await ReadModels.ImportedNumbers(Key.Agency, c.LegalEntity));
        return await Decide(
            call, (s, now) => used || s.Exists ? s.Confirm(c, format, entity.TimeZone, head.Epoch, head.Restored, imported, now) : Rejection.NotFound("invoice_series", c.Series.Value), s => s);
    }

    public Task<Reply<InvoiceSeries>> CloseThrough(Call call, LegalEntityId entity, InvoiceSeriesId series, LocalDate through) =>
        Decide(call, (s, _) => s.CloseThrough(entity, series, through), s => s);

    public Task<Reply<InvoiceSeries>> Get(Read read) => Query(read, (s, _) => s);

    public async Task<Reply<long>> Last(Call call, LegalEntityId entity, InvoiceSeriesId series)
    {
        var restored = await Restored();
        return await Decide(call, (s, _) => s.Locked(entity, series, restored) is { } locked ? locked : Decision.Nothing, s => s.Last);
    }

    private async Task<Guid?> Restored() => await ReadFeedHead() is { Restored: true } head ? head.Epoch : null;
}
