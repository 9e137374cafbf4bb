using System.Collections.Immutable;
using AgencyPlatform.Domain.Billing;
using Allocation = AgencyPlatform.Domain.Billing.Allocation;
using LineCredit = AgencyPlatform.Domain.Billing.LineCredit;
using PaymentKind = AgencyPlatform.Domain.Billing.PaymentKind;
using V1 = AgencyPlatform.Protocol.Billing.V1;

namespace AgencyPlatform.Gateway.Billing;

/// <summary>Payments, account credit, and what happens to an invoice after it is final.</summary>
internal sealed partial class BillingService
{
    private const int MostReference = 128;
    private const int MostReason = 500;
    private const int MostCreditLines = 500;

    public override async Task<V1.Payment> RecordPayment(V1.RecordPaymentRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var account = Account(request.ClientCompany, request.LegalEntity, request.Currency, agency, fields);
        var amount = InCurrency("amount", request.Amount, account.Currency, fields);
        var received = fields.Date("received_date", request.ReceivedDate);
        var reference = fields.BankReference("reference", request.Reference, MostReference);
        var allocations = Allocations(request.Allocations, agency, account.Currency, fields);
        var id = fields.NewId<PaymentId>("payment_id", request.PaymentId, request.RequestId);
        var call = await calls.Mutation(context, request, fields, agency);
        var (payment, meta) = (await Grain(agency, account).RecordPayment(call, new RecordPayment(account, id, amount, received, reference, allocations))).OrThrow();
        return PaymentWire.ToWire(agency, account, payment, meta);
    }

    public override async Task<V1.Payment> ReversePayment(V1.ReversePaymentRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<PaymentId>("name", request.Name, PaymentWire.Collection);
        var reason = fields.Text("reason", request.Reason, MostReason);
        var call = await calls.Mutation(context, request, fields, agency);
        var account = await AccountOf(agency, id, request.Name, context);
        var (payment, meta) = (await Grain(agency, account).ReversePayment(call, new ReversePayment(id, reason))).OrThrow();
        return PaymentWire.ToWire(agency, account, payment, meta);
    }

    public override async Task<V1.Payment> GetPayment(V1.GetPaymentRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<PaymentId>("name", request.Name, PaymentWire.Collection);
        var read = await calls.Read(context, request, fields, agency);
        var account = await AccountOf(agency, id, request.Name, context);
        var reply = await Grain(agency, account).GetPayment(read, id);
        return reply.Value is { } payment ? PaymentWire.ToWire(agency, account, payment, reply.Meta!) : throw Errors.NotFound("payment", request.Name);
    }

    public override async Task<V1.ListPaymentsResponse> ListPayments(V1.ListPaymentsRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var page = Page.Of(context, request, fields);
        var client = fields.OptionalReference<ClientCompanyId>("client_company", request.ClientCompany, agency, "clientCompanies");
        var entity = fields.OptionalReference<LegalEntityId>("legal_entity", request.LegalEntity, agency, "legalEntities");
        PaymentKind? kind = request.Kind == V1.PaymentKind.Unspecified ? null : fields.Enum<V1.PaymentKind, PaymentKind>("kind", request.Kind);
        await calls.Read(context, request, fields, agency);
        var filters = new Filters().Equal(nameof(PaymentRow.Client), client).Equal(nameof(PaymentRow.LegalEntity), entity).Equal(nameof(PaymentRow.Kind), kind);
        var (rows, next) = page.Cut(await readModels.List<PaymentRow>(agency, page.Query<PaymentRow>(filters.All), context.CancellationToken));
        return new V1.ListPaymentsResponse { NextPageToken = next, Payments = { rows.Select(r => PaymentWire.ToWire(agency, r)) } };
    }

    public override async Task<V1.BillingAccount> AllocateCredit(V1.AllocateCreditRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var account = Account(request.ClientCompany, request.LegalEntity, request.Currency, agency, fields);
        var allocations = Allocations(request.Allocations, agency, account.Currency, fields);
        var call = await calls.Mutation(context, request, fields, agency);
        var (balance, _) = (await Grain(agency, account).AllocateCredit(call, new AllocateCredit(allocations))).OrThrow();
        return PaymentWire.ToWire(agency, account, balance.Open, balance.Credit);
    }

    public override async Task<V1.Payment> RefundCredit(V1.RefundCreditRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var account = Account(request.ClientCompany, request.LegalEntity, request.Currency, agency, fields);
        var amount = InCurrency("amount", request.Amount, account.Currency, fields);
        var reference = fields.BankReference("reference", request.Reference, MostReference);
        var id = fields.NewId<PaymentId>("payment_id", request.PaymentId, request.RequestId);
        var call = await calls.Mutation(context, request, fields, agency);
        var (refund, meta) = (await Grain(agency, account).RefundCredit(call, new RefundCredit(account, id, amount, reference))).OrThrow();
        return PaymentWire.ToWire(agency, account, refund, meta);
    }

    public override async Task<V1.Invoice> CreditInvoice(V1.CreditInvoiceRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<InvoiceId>("name", request.Name, Collection);
        fields.Require(request.Lines.Count <= MostCreditLines, "lines", $"must be at most {MostCreditLines}; they are {request.Lines.Count}");
        var lines = request.Lines.Take(MostCreditLines).Select((l, i) =>
            (Line: fields.Number($"lines[{i}].line", l.Line, 1, int.MaxValue), Amount: l.Amount is null ? (Money?)null : fields.Money($"lines[{i}].amount", l.Amount, 1))).ToList();
        var note = fields.NewId<InvoiceId>("invoice_id", request.InvoiceId, request.RequestId);
        var call = await calls.Mutation(context, request, fields, agency);
        var account = await AccountOf(agency, id, request.Name, context);
        for (var i = 0; i < lines.Count; i++)
        {
            fields.Require(lines[i].Amount is not { } amount || amount.Currency == account.Currency, $"lines[{i}].amount.currency", $"must be the invoice's, {account.Currency}");
        }

        fields.ThrowIfAny();
        var (invoice, meta) = (await Grain(agency, account).CreditInvoice(
            call, new CreditInvoice(id, note, [.. lines.Select(l => new LineCredit(l.Line, l.Amount?.Minor))], request.Rebill))).OrThrow();
        return InvoiceWire.ToWire(agency, account, invoice, meta);
    }

    public override async Task<V1.Invoice> WriteOffInvoice(V1.WriteOffInvoiceRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<InvoiceId>("name", request.Name, Collection);
        var reason = fields.Text("reason", request.Reason, MostReason);
        var call = await calls.Mutation(context, request, fields, agency);
        var account = await AccountOf(agency, id, request.Name, context);
        var (invoice, meta) = (await Grain(agency, account).WriteOff(call, new WriteOffInvoice(id, reason))).OrThrow();
        return InvoiceWire.ToWire(agency, account, invoice, meta);
    }

    public override async Task<V1.Invoice> MarkInvoiceSent(V1.MarkInvoiceSentRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<InvoiceId>("name", request.Name, Collection);
        fields.Require(IdSyntax.IsValid(request.Channel), "channel", $"must be a word such as email or portal: {IdSyntax.Rule}");
        var at = fields.OptionalTime("send_time", request.SendTime);
        var call = await calls.Mutation(context, request, fields, agency);
        var account = await AccountOf(agency, id, request.Name, context);
        var (invoice, meta) = (await Grain(agency, account).MarkSent(call, new MarkInvoiceSent(id, request.Channel, at))).OrThrow();
        return InvoiceWire.ToWire(agency, account, invoice, meta, await Today(new Read(agency, call.SandboxNow), account.LegalEntity, meta.UpdatedAt));
    }

    /// <summary>Minor units, above zero, in the account's currency.</summary>
    private static long InCurrency(string path, Protocol.Type.V1.Money? money, Currency currency, Fields fields)
    {
        var amount = fields.Money(path, money, min: 1);
        fields.Require(money is null || fields.Has("currency") || fields.Has(path + ".currency") || amount.Currency == currency, path + ".currency", $"must be the account's, {currency}");
        return amount.Minor;
    }

    private static ImmutableArray<Allocation> Allocations(IReadOnlyList<V1.Allocation> allocations, AgencyId agency, Currency currency, Fields fields)
    {
        fields.Require(
            allocations.Count <= BillingAccount.MostAllocations, "allocations", $"must be at most {BillingAccount.MostAllocations}; they are {allocations.Count}");
        return
        [
            .. allocations.Take(BillingAccount.MostAllocations).Select((a, i) => new Allocation(
                fields.Reference<InvoiceId>($"allocations[{i}].invoice", a.Invoice, agency, Collection), InCurrency($"allocations[{i}].amount", a.Amount, currency, fields))),
        ];
    }

    /// <summary>The account of a payment, whose row tells it.</summary>
    private async Task<AccountId> AccountOf(AgencyId agency, PaymentId id, string name, ServerCallContext context) =>
        await readModels.Find<PaymentRow>(agency, [id], context.CancellationToken) is { } row
            ? new AccountId(row.Client, row.LegalEntity, new Currency(row.Currency))
            : throw Errors.NotFound("payment", name);
}
