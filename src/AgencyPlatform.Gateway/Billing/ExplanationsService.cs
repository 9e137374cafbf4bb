using System.Globalization;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Billing;
using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Gateway.Billing.Explanations;
using ExplainedEntry = AgencyPlatform.Domain.Billing.ExplainedEntry;
using LineExplanation = AgencyPlatform.Domain.Billing.LineExplanation;
using PostingExplanation = AgencyPlatform.Domain.Billing.PostingExplanation;
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

    public override async Task<V1.PostingExplanation> ExplainPosting(V1.ExplainPostingRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var (kind, id, version) = Source(fields, request.Source);
        var read = await calls.Read(context, request, fields, agency);
        IAggregateGrain grain = kind switch
        {
            "engagement" => grains.Of<IEngagementGrain>(agency, id),
            "billing-account" => grains.Of<IBillingAccountGrain>(agency, id),
            "cmo-account" => grains.Of<ICmoAccountGrain>(agency, id),
            _ => grains.Of<IOpenBooksImportGrain>(agency, id),
        };
        var explained = (await grain.ExplainPosting(read, version)).Value;
        if (Calls.Caller(context) is { IsStaff: false } caller)
        {
            explained = caller.Cmo is { } cmo ? explained?.For(cmo) : null;
        }

        return explained is null ? throw Errors.NotFound("posting", request.Source) : (await Wire(read, explained, context)).ToWire(explained);
    }

    /// <summary>The event that a source names, of an aggregate that posts.</summary>
    private static (string Kind, string Id, long Version) Source(Fields fields, string source)
    {
        var parts = source.Split('/');
        var right = long.TryParse(parts[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var version) && version > 0 && parts[^1][0] != '0'
            && parts.Length == parts[0] switch { "engagement" or "open-books-import" => 3, "billing-account" or "cmo-account" => 5, _ => 0 }
            && parts[1..^1].All(IdSyntax.IsValid);
        fields.Require(right, "source", "must be the source of a line of the ledger or of a statement, for example engagement/{engagement}/{version}");
        return right ? (parts[0], string.Join('/', parts[1..^1]), version) : ("", "", 0);
    }

    /// <summary>What a posting's explanation is written with: in the words of the documents of its client.</summary>
    private async Task<ExplanationWire> Wire(Read read, PostingExplanation explained, ServerCallContext context)
    {
        var row = explained.Lines[0].Row;
        var currency = new Currency(row.Currency);
        var client = explained.Lines.Select(l => l.Row.Client).FirstOrDefault(c => c is not null) is { } id ? (await grains.Of<IClientCompanyGrain>(read.Agency, id.Value).Get(read)).Value : null;
        return await Wire(
            read, client?.Profile.Billing.For(row.LegalEntity, currency).Document?.Language ?? "", row.LegalEntity, currency, explained.Inputs.Entries, explained.Inputs.Terms, context);
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
    private Task<ExplanationWire> Wire(Read read, AccountId account, Invoice invoice, LineExplanation? explained, ServerCallContext context) =>
        Wire(read, invoice.Content.Document?.Language ?? "", account.LegalEntity, account.Currency, explained?.Entries ?? [], explained?.Terms ?? [], context);

    private async Task<ExplanationWire> Wire(
        Read read, string language, LegalEntityId entity, Currency currency, IReadOnlyList<ExplainedEntry> entries, IReadOnlyList<ExplainedTerms> terms, ServerCallContext context)
    {
        var words = ExplanationWords.For(language);
        var seller = (await grains.Agency(read.Agency).Get(read)).Value?.LegalEntities.GetValueOrDefault(entity);
        var rows = new Dictionary<CmoId, PersonId>();
        foreach (var cmo in entries.Select(e => e.Cmo).Distinct())
        {
            if (await readModels.Find<CmoRow>(read.Agency, [cmo], context.CancellationToken) is { } row)
            {
                rows[cmo] = row.Person;
            }
        }

        var signers = terms.SelectMany(t => t.Source?.Signatures ?? []).SelectMany(s => s.By is { } by ? new[] { s.Person, by } : [s.Person]);
        var people = await vault.Of(read.Agency, rows.Values.Concat(signers), context.CancellationToken);
        string Cmo(CmoId cmo) => rows.TryGetValue(cmo, out var person) ? people(person).DisplayName : People.Erased;
        var text = new ExplanationText(words, currency, DateTimeZoneProviders.Tzdb[seller?.TimeZone ?? "UTC"], p => people(p).DisplayName, Cmo);
        return new ExplanationWire(read.Agency, currency, words, text, people, Cmo);
    }

    private IBillingAccountGrain Grain(AgencyId agency, AccountId account) => grains.Of<IBillingAccountGrain>(agency, account.Key);
}
