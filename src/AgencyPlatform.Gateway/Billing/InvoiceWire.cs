using AgencyPlatform.Domain.Billing;
using Invoice = AgencyPlatform.Domain.Billing.Invoice;
using InvoiceLine = AgencyPlatform.Domain.Billing.InvoiceLine;
using Party = AgencyPlatform.Domain.Billing.Party;
using TaxSubtotal = AgencyPlatform.Domain.Billing.TaxSubtotal;
using TaxCategory = AgencyPlatform.Protocol.Type.V1.TaxCategory;
using V1 = AgencyPlatform.Protocol.Billing.V1;

namespace AgencyPlatform.Gateway.Billing;

/// <summary>Invoices on the wire.</summary>
internal static class InvoiceWire
{
    /// <param name="today">For the seller: what is overdue. Null where nothing can be.</param>
    public static V1.Invoice ToWire(AgencyId agency, AccountId account, Invoice invoice, Meta meta, LocalDate? today = null)
    {
        var content = invoice.Content;
        var settlement = invoice.Settlement ?? Settlement.None;
        return new V1.Invoice
        {
            Name = ResourceNames.Of(agency, BillingService.Collection, invoice.Id.Value),
            Uid = Uid(meta, invoice.Id).ToString(),
            Etag = Etags.Of(meta),
            Version = meta.Version,
            CreateTime = invoice.PreparedAt.ToWire(),
            UpdateTime = meta.UpdatedAt.ToWire(),
            ClientCompany = ResourceNames.Of(agency, "clientCompanies", account.Client.Value),
            LegalEntity = ResourceNames.Of(agency, "legalEntities", account.LegalEntity.Value),
            Currency = account.Currency.Code,
            State = invoice.State.ToWire<V1.InvoiceState>(),
            Kind = content.Kind.ToWire<V1.DocumentKind>(),
            ToDate = content.To.ToWire(),
            Series = invoice.Series?.Value ?? "",
            Number = invoice.Number ?? 0,
            DocumentNumber = invoice.DocumentNumber,
            IssueDate = invoice.IssueDate.ToWire(),
            DueDate = invoice.DueDate.ToWire(),
            Seller = ToWire(content.Seller),
            Buyer = ToWire(content.Buyer),
            Lines = { content.Lines.Select(l => ToWire(agency, account.Currency, content, l)) },
            TaxSubtotals = { content.Taxes.Select(t => ToWire(t, account.Currency)) },
            NetAmount = new Money(content.Net, account.Currency).ToWire(),
            TaxAmount = new Money(content.Tax, account.Currency).ToWire(),
            TotalAmount = new Money(content.Total, account.Currency).ToWire(),
            BuyerReference = content.Document?.BuyerReference ?? "",
            PurchaseOrder = content.Document?.PurchaseOrder ?? "",
            PaymentTerms = content.Document?.PaymentTerms ?? "",
            Language = content.Document?.Language ?? "",
            TaxExemptionReason = content.Document?.TaxExemptionReason ?? "",
            BankAccount = content.PayTo.ToWire(),
            OnlyEngagement = content.Only is { } only ? ResourceNames.Of(agency, "engagements", only.Value) : "",
            PrepaidAmount = new Money(invoice.Prepaid, account.Currency).ToWire(),
            OpenAmount = new Money(invoice.Open, account.Currency).ToWire(),
            PaidAmount = new Money(settlement.Paid, account.Currency).ToWire(),
            CreditAppliedAmount = new Money(settlement.CreditApplied, account.Currency).ToWire(),
            CreditedAmount = new Money(settlement.Credited, account.Currency).ToWire(),
            WrittenOffAmount = new Money(settlement.WrittenOff, account.Currency).ToWire(),
            Overdue = invoice.Open > 0 && invoice.DueDate < today,
            SendTime = invoice.Sent?.At.ToWire(),
            SendChannel = invoice.Sent?.Channel ?? "",
            OpenBooksImport = Import(agency, invoice.Imported?.Import),
            SettledBeforeAmount = invoice.Imported is null ? null : new Money(settlement.Before, account.Currency).ToWire(),
        };
    }

    public static V1.TaxSubtotal ToWire(TaxSubtotal tax, Currency currency) => new()
    {
        Category = tax.Treatment.Category.ToWire<TaxCategory>(),
        RatePercent = tax.Treatment.ToPercent(),
        TaxableAmount = new Money(tax.Taxable, currency).ToWire(),
        TaxAmount = new Money(tax.Tax, currency).ToWire(),
    };

    /// <summary>An invoice in a list.</summary>
    public static V1.Invoice ToWire(AgencyId agency, InvoiceRow row, LocalDate? today)
    {
        var currency = new Currency(row.Currency);
        return new V1.Invoice
        {
            Name = ResourceNames.Of(agency, BillingService.Collection, row.Id.Value),
            ClientCompany = ResourceNames.Of(agency, "clientCompanies", row.Client.Value),
            LegalEntity = ResourceNames.Of(agency, "legalEntities", row.LegalEntity.Value),
            Currency = row.Currency,
            State = row.State.ToWire<V1.InvoiceState>(),
            Kind = row.Kind.ToWire<V1.DocumentKind>(),
            ToDate = row.To.ToWire(),
            Series = row.Series?.Value ?? "",
            Number = row.Number ?? 0,
            DocumentNumber = row.OldNumber ?? (row.Series is { } series && row.Number is { } number ? InvoiceSeries.Printed(series, number, row.Printed) : ""),
            IssueDate = row.IssueDate.ToWire(),
            DueDate = row.DueDate.ToWire(),
            NetAmount = new Money(row.Net, currency).ToWire(),
            TaxAmount = new Money(row.Tax, currency).ToWire(),
            TotalAmount = new Money(row.Total, currency).ToWire(),
            OpenAmount = new Money(row.Open ?? 0, currency).ToWire(),
            Overdue = row.Open > 0 && row.DueDate < today,
            OpenBooksImport = Import(agency, row.Import),
        };
    }

    private static string Import(AgencyId agency, OpenBooksImportId? id) => id is { } import ? ResourceNames.Of(agency, CutOverService.Collection, import.Value) : "";

    private static V1.Party ToWire(Party party) => new()
    {
        LegalName = party.LegalName,
        Address = party.Address,
        Country = party.Country,
        TaxId = party.TaxId,
        PostalAddress = party.Details?.Address.ToWire(),
        VatId = party.Details?.VatId ?? "",
        RegistrationNumber = party.Details?.RegistrationNumber ?? "",
        ElectronicAddress = party.Details?.Electronic.ToWire(),
        Contact = party.Details?.Contact.ToWire(),
    };

    public static V1.InvoiceLine ToWire(AgencyId agency, Currency currency, InvoiceContent content, InvoiceLine line) => new()
    {
        Number = line.Number,
        Description = line.Description,
        Engagement = ResourceNames.Of(agency, "engagements", line.Item.Engagement.Value),
        Charge = line.Item.Charge.ToWire<V1.Charge>(),
        ServiceStartDate = line.Service.Start.ToWire(),
        ServiceEndDate = line.Service.End.ToWire(),
        PeriodStartDate = line.Period.Start.ToWire(),
        PeriodEndDate = line.Period.End.ToWire(),
        Quantity = line.Quantity,
        Unit = line.Unit.ToWire<V1.LineUnit>(),
        FullPeriodDays = line.FullDays,
        Rate = new Money(line.Item.Rate, currency).ToWire(),
        Amount = new Money(line.Amount, currency).ToWire(),
        TaxCategory = line.TaxTreatment.Category.ToWire<TaxCategory>(),
        TaxRatePercent = line.TaxTreatment.ToPercent(),
        TaxAmount = new Money(line.Tax, currency).ToWire(),
        TimeEntries = { line.Entries.Select(TimeEntry) },
        CorrectedInvoice = line.Corrects is { } of ? ResourceNames.Of(agency, BillingService.Collection, of.Invoice.Value) : "",
        CorrectedLine = line.Corrects?.Line ?? 0,
        EngagementTitle = content.Titles?.GetValueOrDefault(line.Item.Engagement) ?? "",
        PartId = line.Item.Part?.Value ?? "",
        UncappedAmount = line.Uncapped is { } uncapped ? new Money(uncapped, currency).ToWire() : null,
        ByHand = line.ByHand,
    };

    /// <summary>Weeks are lower case in names.</summary>
    internal static string TimeEntry(Domain.Time.TimeEntryKey entry) => entry.Value.ToLowerInvariant();

    /// <summary>An invoice's id is never used again in its agency, so that account and id make a uid.</summary>
    private static Guid Uid(Meta account, InvoiceId invoice) => Uid(account, invoice.Value);

    /// <summary>Of a part of an account whose id is never used again.</summary>
    internal static Guid Uid(Meta account, string id) => IdSyntax.GuidOf($"{account.Uid:n}/{id}");
}
