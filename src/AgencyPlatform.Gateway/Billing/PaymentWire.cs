using AgencyPlatform.Domain.Billing;
using Allocation = AgencyPlatform.Domain.Billing.Allocation;
using Payment = AgencyPlatform.Domain.Billing.Payment;
using V1 = AgencyPlatform.Protocol.Billing.V1;

namespace AgencyPlatform.Gateway.Billing;

/// <summary>Payments and accounts on the wire.</summary>
internal static class PaymentWire
{
    internal const string Collection = "payments";

    public static V1.Payment ToWire(AgencyId agency, AccountId account, Payment payment, Meta meta) => new()
    {
        Name = ResourceNames.Of(agency, Collection, payment.Id.Value),
        Uid = InvoiceWire.Uid(meta, $"payment/{payment.Id}").ToString(),
        Etag = Etags.Of(meta),
        Version = meta.Version,
        CreateTime = payment.At.ToWire(),
        UpdateTime = meta.UpdatedAt.ToWire(),
        ClientCompany = ResourceNames.Of(agency, "clientCompanies", account.Client.Value),
        LegalEntity = ResourceNames.Of(agency, "legalEntities", account.LegalEntity.Value),
        Kind = payment.Kind.ToWire<V1.PaymentKind>(),
        Amount = new Money(payment.Amount, account.Currency).ToWire(),
        PaymentDate = payment.Date.ToWire(),
        Reference = payment.Reference,
        Allocations = { payment.Allocations.Select(a => ToWire(agency, account.Currency, a)) },
        CreditAmount = new Money(payment.Credit, account.Currency).ToWire(),
        ReversalDate = payment.Reversal?.Date.ToWire(),
        ReversalReason = payment.Reversal?.Reason ?? "",
    };

    /// <summary>A payment in a list.</summary>
    public static V1.Payment ToWire(AgencyId agency, PaymentRow row)
    {
        var currency = new Currency(row.Currency);
        return new V1.Payment
        {
            Name = ResourceNames.Of(agency, Collection, row.Id.Value),
            CreateTime = row.At.ToWire(),
            ClientCompany = ResourceNames.Of(agency, "clientCompanies", row.Client.Value),
            LegalEntity = ResourceNames.Of(agency, "legalEntities", row.LegalEntity.Value),
            Kind = row.Kind.ToWire<V1.PaymentKind>(),
            Amount = new Money(row.Amount, currency).ToWire(),
            PaymentDate = row.Date.ToWire(),
            Reference = row.Reference,
            CreditAmount = new Money(row.Credit, currency).ToWire(),
            ReversalDate = row.Reversed.ToWire(),
        };
    }

    public static V1.BillingAccount ToWire(AgencyId agency, AccountId account, long open, long credit) => new()
    {
        ClientCompany = ResourceNames.Of(agency, "clientCompanies", account.Client.Value),
        LegalEntity = ResourceNames.Of(agency, "legalEntities", account.LegalEntity.Value),
        OpenAmount = new Money(open, account.Currency).ToWire(),
        CreditAmount = new Money(credit, account.Currency).ToWire(),
    };

    public static V1.AccountEntry ToWire(AgencyId agency, AccountEntryRow row)
    {
        var currency = new Currency(row.Currency);
        return new V1.AccountEntry
        {
            Date = row.Date.ToWire(),
            ClientCompany = ResourceNames.Of(agency, "clientCompanies", row.Client.Value),
            LegalEntity = ResourceNames.Of(agency, "legalEntities", row.LegalEntity.Value),
            Kind = row.Kind.ToWire<V1.AccountEntryKind>(),
            Amount = new Money(row.Change, currency).ToWire(),
            OpenChange = new Money(row.Open, currency).ToWire(),
            CreditChange = new Money(row.Credit, currency).ToWire(),
            Document = row.Document is { } document ? ResourceNames.Of(agency, BillingService.Collection, document.Value) : "",
            Invoice = row.Invoice is { } invoice ? ResourceNames.Of(agency, BillingService.Collection, invoice.Value) : "",
            Payment = row.Payment is { } payment ? ResourceNames.Of(agency, Collection, payment.Value) : "",
        };
    }

    private static V1.Allocation ToWire(AgencyId agency, Currency currency, Allocation allocation) => new()
    {
        Invoice = ResourceNames.Of(agency, BillingService.Collection, allocation.Invoice.Value),
        Amount = new Money(allocation.Amount, currency).ToWire(),
    };
}
