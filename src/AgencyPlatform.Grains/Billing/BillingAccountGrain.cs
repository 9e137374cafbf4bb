using System.Collections.Immutable;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Billing;
using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Domain.Billing;
using Orleans.Concurrency;

namespace AgencyPlatform.Grains.Billing;

/// <summary>See <see cref="IBillingAccountGrain"/>.</summary>
[Reentrant]
public sealed partial class BillingAccountGrain(GrainServices services) : AggregateGrain<BillingAccount>(services), IBillingAccountGrain
{
    public async Task<Reply<Invoice>> Prepare(Call call, PrepareInvoice c)
    {
        var (facts, missing) = await Facts(call.SandboxNow, c.Account);
        return missing is not null ? Reply<Invoice>.No(missing) : await Decide(call, (s, now) => s.Prepare(c, facts!, now), s => s.Draft!);
    }

    public async Task<Reply<Invoice>> Preview(Call call, PrepareInvoice c, Terms? hypothetical)
    {
        var (facts, missing) = await Facts(call.SandboxNow, c.Account);
        if (missing is null && hypothetical is not null && c.Only is { } only)
        {
            var inputs = await Grain<IEngagementGrain>(only.Value).GetHypotheticalInputs(new Read(Key.Agency, call.SandboxNow), hypothetical);
            missing = facts!.Engagements.Any(e => e.Engagement == only) ? inputs.Rejection : Rejection.NotFound("engagement", only.Value);
            facts = missing is null ? facts with { Engagements = [inputs.Value!] } : facts;
        }

        return missing is not null
            ? Reply<Invoice>.No(missing)
            : await Decide(call with { ValidateOnly = true }, (s, now) => s.Preview(c, hypothetical is not null, facts!, now), s => s.Draft!);
    }

    public Task<Reply<InvoiceId>> Discard(Call call, InvoiceId invoice) => Decide(call, (s, _) => s.Discard(invoice), _ => invoice);

    public async Task<Reply<Invoice>> Finalize(Call call, InvoiceId invoice)
    {
        var found = await Query(new Read(Key.Agency, call.SandboxNow), (s, _) => s.Find(invoice) is null ? null : s);
        if (found.Rejection is not null)
        {
            return Reply<Invoice>.No(Rejection.NotFound("invoice", invoice.Value));
        }

        var account = found.Value!;
        var (facts, missing) = await Facts(call.SandboxNow, account.Account!);
        if ((missing ?? await Locked(call, account, account.Find(invoice)!, facts!.Series)) is { } refused)
        {
            return Reply<Invoice>.No(refused);
        }

        return await RunSaga(
            call,
            (s, now) => s.Finalize(invoice, facts!, now),
            (s, _) => s.Find(invoice)?.IsFinal == true ? new SagaEnd(null) : null,
            s => s.Find(invoice)!);
    }

    public Task<Reply<Invoice>> Get(Read read, InvoiceId invoice) => Query(read, (s, _) => s.Find(invoice), Rejection.NotFound("invoice", invoice.Value));

    public Task<Reply<AccountBalance>> ImportOpening(Call call, ImportOpening c) => Decide(call, (s, now) => s.Import(c, now), s => s.Balance);

    /// <summary>Gets the numbers of frozen invoices from their series and records them; then tells engagements what was credited of their blocks.</summary>
    protected override async Task<bool> Step(BillingAccount committed)
    {
        if (committed.NextStep() is not var (series, invoices))
        {
            return await TellBlocks(committed);
        }

        var entity = committed.Account!.LegalEntity;
        var reply = await Grain<IInvoiceSeriesGrain>(InvoiceSeries.Key(entity, series)).Assign(StepCall(), new AssignNumbers(entity, series, invoices));
        if (reply.Rejection is { } refused)
        {
            throw new UnavailableException($"The series {series} gave no number: {refused.Message}");
        }

        foreach (var number in reply.Value)
        {
            var recorded = await Decide(StepCall(), (s, _) => s.Number(number), s => s);
            if (recorded.Rejection is { } closed)
            {
                throw new UnavailableException($"The invoice {number.Invoice} could not be posted: {closed.Message}");
            }
        }

        return true;
    }

    private async Task<bool> TellBlocks(BillingAccount committed)
    {
        if (committed.NextToTell() is not var (creditNote, credits))
        {
            return false;
        }

        foreach (var (engagement, credit) in credits)
        {
            if ((await Grain<IEngagementGrain>(engagement.Value).CreditBlock(StepCall(), credit)).Rejection is { } refused)
            {
                throw new UnavailableException($"The engagement {engagement} did not take the credit of {credit.Block}: {refused.Message}");
            }
        }

        await Decide(StepCall(), (s, _) => s.TellBlocks(creditNote), s => s);
        return true;
    }

    /// <summary>
    /// After a restore from a backup: that the invoice's series gives no number yet. Asked before the invoice is frozen; one that was frozen before the
    /// backup waits for the confirmation.
    /// </summary>
    private async Task<Rejection?> Locked(Call call, BillingAccount account, Invoice invoice, InvoiceSeriesId defaultSeries)
    {
        if (invoice.IsFinal || !(await ReadFeedHead()).Restored)
        {
            return null;
        }

        var (entity, series) = (account.Account!.LegalEntity, invoice.Series ?? InvoiceSeries.For(invoice.Content.Kind, defaultSeries));
        return (await Grain<IInvoiceSeriesGrain>(InvoiceSeries.Key(entity, series)).Last(call.AsStep(), entity, series)).Rejection;
    }

    /// <summary>What the account's bill is computed from, or what is not there.</summary>
    private async Task<(BillingFacts? Facts, Rejection? Missing)> Facts(Instant? sandboxNow, AccountId account)
    {
        var read = new Read(Key.Agency, sandboxNow);
        var (agency, client) = (Grain<IAgencyGrain>(Key.Agency.Value).Get(read), Grain<IClientCompanyGrain>(account.Client.Value).Get(read));
        if ((await agency).Value?.LegalEntities.GetValueOrDefault(account.LegalEntity) is not { } entity)
        {
            return (null, Rejection.NotFound("legal_entity", account.LegalEntity.Value));
        }

        if ((await client).Value is not { } buyer)
        {
            return (null, Rejection.NotFound("client_company", account.Client.Value));
        }

        var inputs = ImmutableArray.CreateBuilder<BillingInputs>();
        await foreach (var found in BilledEngagements.Ask(ReadModels, Key.Agency, account.Client, id => Grain<IEngagementGrain>(id.Value).GetBillingInputs(read)))
        {
            inputs.Add(found);
        }

        var billing = buyer.Profile.Billing.For(account.LegalEntity, account.Currency);
        return (new BillingFacts(
            entity.AsSeller(), entity.TimeZone, entity.DefaultSeries, billing.AsBuyer(buyer.Profile.DisplayName), billing.PaymentTermDays, billing.Tax ?? TaxTreatment.None,
            inputs.ToImmutable(), billing.Document, entity.PayTo), null);
    }
}
