using System.Text.RegularExpressions;
using AgencyPlatform.Domain.Billing;
using BankAccount = AgencyPlatform.Domain.Billing.BankAccount;
using ContactPoint = AgencyPlatform.Domain.Billing.ContactPoint;
using ElectronicAddress = AgencyPlatform.Domain.Billing.ElectronicAddress;
using PostalAddress = AgencyPlatform.Domain.Billing.PostalAddress;
using Types = AgencyPlatform.Protocol.Type.V1;

namespace AgencyPlatform.Gateway.Billing;

/// <summary>What documents say of sellers and buyers, between the wire and the domain. Every bad field is named.</summary>
internal static partial class PartyWire
{
    public static string Country(string path, string code, Fields fields, bool required)
    {
        fields.Require(code.Length == 0 ? !required : Countries.IsKnown(code), path, "must be two capitals of ISO 3166-1 such as US" + (required ? "" : ", or empty"));
        return code;
    }

    /// <param name="path">Of the message that has these fields.</param>
    public static PartyDetails? Details(
        string path, Types.PostalAddress? address, string vatId, string registrationNumber, Types.ElectronicAddress? electronic, Types.ContactPoint? contact, Fields fields)
    {
        fields.Require(vatId.Length == 0 || PartyDetails.IsVatId(vatId), $"{path}.vat_id", "must be a VAT id with its country's letters in front, such as DE123456788, or empty");
        fields.Require(electronic is null || ElectronicAddress.IsScheme(electronic.Scheme), $"{path}.electronic_address.scheme", "must be a code of the list EAS, such as 0088 or 9930");
        return new PartyDetails(
            address is null ? null : new PostalAddress(
                fields.Text($"{path}.postal_address.street", address.Street, 150),
                fields.Text($"{path}.postal_address.additional_street", address.AdditionalStreet, 150, required: false),
                fields.Text($"{path}.postal_address.city", address.City, 100),
                fields.Text($"{path}.postal_address.post_code", address.PostCode, 20, required: false),
                fields.Text($"{path}.postal_address.subdivision", address.Subdivision, 100, required: false)),
            vatId,
            fields.Text($"{path}.registration_number", registrationNumber, 100, required: false),
            electronic is null ? null : new ElectronicAddress(electronic.Scheme, fields.Text($"{path}.electronic_address.id", electronic.Id, 100)),
            contact is null ? null : new ContactPoint(
                fields.Text($"{path}.contact.department", contact.Department, 100, required: false),
                fields.Text($"{path}.contact.phone", contact.Phone, 50, required: false),
                fields.Email($"{path}.contact.email", contact.Email) ?? "")).OrNull();
    }

    public static BankAccount? Bank(string path, Types.BankAccount? wire, Fields fields)
    {
        if (wire is null)
        {
            return null;
        }

        var iban = wire.Iban.Replace(" ", "", StringComparison.Ordinal);
        fields.Require(iban.Length == 0 || BankAccount.IsIban(iban), path + ".iban", "must be an IBAN with right check digits, such as DE89 3704 0044 0532 0130 00");
        fields.Require(wire.Bic.Length == 0 || BankAccount.IsBic(wire.Bic), path + ".bic", "must be a BIC of 8 or 11 capitals and digits, such as COBADEFFXXX, or empty");
        fields.Require(iban.Length == 0 != (wire.AccountNumber.Length == 0), path + ".account_number", "is needed without an IBAN, and only then");
        return new BankAccount(
            fields.Text(path + ".account_name", wire.AccountName, 70, required: false), iban, fields.Text(path + ".account_number", wire.AccountNumber, 50, required: false),
            wire.Bic, fields.Text(path + ".bank_name", wire.BankName, 70, required: false));
    }

    /// <param name="path">Of the message that has these fields.</param>
    public static DocumentTerms? Document(string path, string buyerReference, string purchaseOrder, string paymentTerms, string language, string exemptionReason, Fields fields)
    {
        fields.Require(language.Length == 0 || (language.Length <= 35 && LanguageTag().IsMatch(language)), $"{path}.language", "must be a language of BCP 47, such as de or en-GB, or empty");
        return new DocumentTerms(
            fields.Text($"{path}.buyer_reference", buyerReference, 100, required: false),
            fields.Text($"{path}.purchase_order", purchaseOrder, 100, required: false),
            fields.LongText($"{path}.payment_terms", paymentTerms, 500),
            language,
            fields.Text($"{path}.tax_exemption_reason", exemptionReason, 200, required: false)).OrNull();
    }

    /// <summary>Category and rate, or null where neither is set.</summary>
    public static TaxTreatment? Tax(string path, Types.TaxCategory category, string ratePercent, Fields fields)
    {
        var rate = ratePercent.Length == 0 ? 0 : fields.Percent($"{path}.tax_rate_percent", ratePercent);
        if (category == Types.TaxCategory.Unspecified && rate == 0)
        {
            return null;
        }

        var tax = new TaxTreatment(fields.Enum<Types.TaxCategory, TaxCategory>($"{path}.tax_category", category), rate);
        fields.Require(fields.Has($"{path}.tax_category") || tax.Violation() is null, $"{path}.tax_rate_percent", tax.Violation() ?? "");
        return tax;
    }

    public static Types.PostalAddress? ToWire(this PostalAddress? address) => address is null ? null : new Types.PostalAddress
    {
        Street = address.Street,
        AdditionalStreet = address.Additional,
        City = address.City,
        PostCode = address.PostCode,
        Subdivision = address.Subdivision,
    };

    public static Types.ElectronicAddress? ToWire(this ElectronicAddress? address) => address is null ? null : new Types.ElectronicAddress { Scheme = address.Scheme, Id = address.Id };

    public static Types.ContactPoint? ToWire(this ContactPoint? contact) =>
        contact is null ? null : new Types.ContactPoint { Department = contact.Department, Phone = contact.Phone, Email = contact.Email };

    public static Types.BankAccount? ToWire(this BankAccount? account) => account is null ? null : new Types.BankAccount
    {
        AccountName = account.AccountName,
        Iban = account.Iban,
        AccountNumber = account.AccountNumber,
        Bic = account.Bic,
        BankName = account.BankName,
    };

    /// <summary>The shape of BCP 47: a language of 2 or 3 letters, and script, region and variants behind it.</summary>
    [GeneratedRegex("^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
    private static partial Regex LanguageTag();
}
