using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Billing;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Gateway.Billing.Explanations;
using LineExplanation = AgencyPlatform.Domain.Billing.LineExplanation;
using V1 = AgencyPlatform.Protocol.Billing.V1;

namespace AgencyPlatform.Gateway.Billing;

/// <summary>The service of why an invoice's amounts are what they are.</summary>
internal sealed class ExplanationsService(Calls calls, IGrainFactory grains, IReadModels readModels, IPeopleVault vault) : V1.ExplanationsService.ExplanationsServiceBase
{
    public override async Task<V1.LineExplanation> ExplainInvoiceLine(V1.ExplainInvoiceLineRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<InvoiceId>("name", request.Name, BillingService.Collection);
        fields.Require(request.Line >= 1, "line", $"must be the number of a line, from 1; it is {request.Line}");
        var read = await calls.Read(context, request, fields, agency);
        var (account, _) = await Seen(read, id, request.Name, context);
        var explained = (await Grain(agency, account).Explain(read, id, request.Line)).OrThrow().Value;
        if (!Calls.Caller(context).IsStaff)
        {
            // What is not numbered yet is the agency's.
            explained = explained with { Later = [.. explained.Later.Where(l => explained.Documents[l.Line.Invoice].Length > 0)] };
        }

        return (await Wire(read, account, explained.Invoice, explained, context)).ToWire(explained);
    }

    public override async Task<V1.InvoiceExplanation> ExplainInvoice(V1.ExplainInvoiceRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<InvoiceId>("name", request.Name, BillingService.Collection);
        var read = await calls.Read(context, request, fields, agency);
        var (account, invoice) = await Seen(read, id, request.Name, context);
        return (await Wire(read, account, invoice, null, context)).ToWire(invoice);
    }

    /// <summary>The invoice, as far as the caller may see it; any other is answered as if it were not there.</summary>
    private async Task<(AccountId Account, Invoice Invoice)> Seen(Read read, InvoiceId id, string name, ServerCallContext context)
    {
        var account = await BillingService.AccountOf(readModels, read.Agency, id, name, context);
        var caller = Calls.Caller(context);
        return (await Grain(read.Agency, account).Get(read, id)).Value is { } invoice && (caller.IsStaff || (caller.Client == account.Client && invoice.IsFinal))
            ? (account, invoice)
            : throw Errors.NotFound("invoice", name);
    }

    /// <summary>What an explanation is written with: the words of the buyer's documents, the seller's calendar, and the names of people.</summary>
    private async Task<ExplanationWire> Wire(Read read, AccountId account, Invoice invoice, LineExplanation? explained, ServerCallContext context)
    {
        var words = ExplanationWords.For(invoice.Content.Document?.Language ?? "");
        var seller = (await grains.Agency(read.Agency).Get(read)).Value?.LegalEntities.GetValueOrDefault(account.LegalEntity);
        var rows = new Dictionary<CmoId, PersonId>();
        foreach (var cmo in (explained?.Entries ?? []).Select(e => e.Cmo).Distinct())
        {
            if (await readModels.Find<CmoRow>(read.Agency, [cmo], context.CancellationToken) is { } row)
            {
                rows[cmo] = row.Person;
            }
        }

        var signers = (explained?.Terms ?? []).SelectMany(t => t.Source?.Signatures ?? []).SelectMany(s => s.By is { } by ? new[] { s.Person, by } : [s.Person]);
        var people = await vault.Of(read.Agency, rows.Values.Concat(signers), context.CancellationToken);
        string Cmo(CmoId cmo) => rows.TryGetValue(cmo, out var person) ? people(person).DisplayName : People.Erased;
        var text = new ExplanationText(words, account.Currency, DateTimeZoneProviders.Tzdb[seller?.TimeZone ?? "UTC"], p => people(p).DisplayName, Cmo);
        return new ExplanationWire(read.Agency, account.Currency, words, text, people, Cmo);
    }

    private IBillingAccountGrain Grain(AgencyId agency, AccountId account) => grains.Of<IBillingAccountGrain>(agency, account.Key);
}
