using System.Collections.Immutable;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Gateway.Billing;
using BillingAccountDetails = AgencyPlatform.Domain.Clients.BillingAccountDetails;
using BillingDetails = AgencyPlatform.Domain.Clients.BillingDetails;
using TaxCategory = AgencyPlatform.Protocol.Type.V1.TaxCategory;
using V1 = AgencyPlatform.Protocol.Clients.V1;

namespace AgencyPlatform.Gateway.Clients;

/// <summary>A client's billing details between the wire and the domain.</summary>
internal static class BillingWire
{
    public static BillingDetails Details(string path, V1.BillingDetails wire, AgencyId agency, Fields fields) => new(
        fields.Text($"{path}.legal_name", wire.LegalName, 200, required: false),
        fields.LongText($"{path}.address", wire.Address, 500),
        PartyWire.Country($"{path}.country", wire.Country, fields, required: false),
        fields.Text($"{path}.tax_id", wire.TaxId, 50, required: false),
        fields.Number($"{path}.payment_term_days", wire.PaymentTermDays, 0, 365, "days"),
        PartyWire.Tax(path, wire.TaxCategory, wire.TaxRatePercent, fields),
        PartyWire.Details(path, wire.PostalAddress, wire.VatId, wire.RegistrationNumber, wire.ElectronicAddress, wire.Contact, fields),
        PartyWire.Document(path, wire.BuyerReference, wire.PurchaseOrder, wire.PaymentTerms, wire.Language, wire.TaxExemptionReason, fields),
        Accounts($"{path}.accounts", wire.Accounts, agency, fields));

    public static V1.BillingDetails ToWire(AgencyId agency, BillingDetails billing)
    {
        var (details, document) = (billing.Details, billing.Document ?? DocumentTerms.None);
        return new V1.BillingDetails
        {
            LegalName = billing.LegalName,
            Address = billing.Address,
            Country = billing.Country,
            TaxId = billing.TaxId,
            PaymentTermDays = billing.PaymentTermDays,
            TaxCategory = billing.Tax?.Category.ToWire<TaxCategory>() ?? TaxCategory.Unspecified,
            TaxRatePercent = billing.Tax?.ToPercent() ?? "",
            PostalAddress = details?.Address.ToWire(),
            VatId = details?.VatId ?? "",
            RegistrationNumber = details?.RegistrationNumber ?? "",
            ElectronicAddress = details?.Electronic.ToWire(),
            Contact = details?.Contact.ToWire(),
            BuyerReference = document.BuyerReference,
            PurchaseOrder = document.PurchaseOrder,
            PaymentTerms = document.PaymentTerms,
            Language = document.Language,
            TaxExemptionReason = document.TaxExemptionReason,
            Accounts = { (billing.Accounts ?? ImmutableSortedDictionary<string, BillingAccountDetails>.Empty).Select(a => ToWire(agency, a.Key, a.Value)) },
        };
    }

    private static ImmutableSortedDictionary<string, BillingAccountDetails>? Accounts(string path, IReadOnlyList<V1.BillingAccountDetails> wire, AgencyId agency, Fields fields)
    {
        fields.Require(wire.Count <= BillingDetails.MostAccounts, path, $"must be at most {BillingDetails.MostAccounts}; they are {wire.Count}");
        var accounts = ImmutableSortedDictionary.CreateBuilder<string, BillingAccountDetails>(StringComparer.Ordinal);
        for (var i = 0; i < Math.Min(wire.Count, BillingDetails.MostAccounts); i++)
        {
            var (at, account) = ($"{path}[{i}]", wire[i]);
            var key = BillingDetails.AccountKey(
                fields.Reference<LegalEntityId>($"{at}.legal_entity", account.LegalEntity, agency, "legalEntities"), fields.Currency($"{at}.currency", account.Currency));
            fields.Require(!accounts.ContainsKey(key), $"{at}.legal_entity", "must be there once with each currency");
            accounts[key] = new BillingAccountDetails(
                PartyWire.Tax(at, account.TaxCategory, account.TaxRatePercent, fields),
                account.HasPaymentTermDays ? fields.Number($"{at}.payment_term_days", account.PaymentTermDays, 0, 365, "days") : null,
                PartyWire.Document(at, account.BuyerReference, account.PurchaseOrder, account.PaymentTerms, account.Language, account.TaxExemptionReason, fields));
        }

        return accounts.Count == 0 ? null : accounts.ToImmutable();
    }

    private static V1.BillingAccountDetails ToWire(AgencyId agency, string key, BillingAccountDetails account)
    {
        var (at, document) = (key.Split('/'), account.Document ?? DocumentTerms.None);
        var wire = new V1.BillingAccountDetails
        {
            LegalEntity = ResourceNames.Of(agency, "legalEntities", at[0]),
            Currency = at[1],
            TaxCategory = account.Tax?.Category.ToWire<TaxCategory>() ?? TaxCategory.Unspecified,
            TaxRatePercent = account.Tax?.ToPercent() ?? "",
            TaxExemptionReason = document.TaxExemptionReason,
            PaymentTerms = document.PaymentTerms,
            BuyerReference = document.BuyerReference,
            PurchaseOrder = document.PurchaseOrder,
            Language = document.Language,
        };
        if (account.PaymentTermDays is { } days)
        {
            wire.PaymentTermDays = days;
        }

        return wire;
    }
}
