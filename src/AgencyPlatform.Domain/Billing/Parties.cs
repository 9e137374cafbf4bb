using System.Collections.Frozen;
using System.Numerics;

namespace AgencyPlatform.Domain.Billing;

/// <summary>A postal address in its parts. The country is the party's own.</summary>
/// <param name="Street">Street and number, or a post box.</param>
/// <param name="Additional">Floor, building and the like.</param>
/// <param name="Subdivision">State, province or region, as printed.</param>
[GenerateSerializer, Immutable, Alias("billing.postal-address")]
public sealed record PostalAddress(string Street, string Additional, string City, string PostCode, string Subdivision)
{
    /// <summary>Line by line as letters to that country carry it, without the country.</summary>
    public IEnumerable<string> Lines(string country)
    {
        var town = country switch
        {
            "US" or "CA" or "AU" => Joined(", ", City, Joined(" ", Subdivision, PostCode)),
            "GB" or "IE" or "IN" or "SG" or "NZ" or "ZA" => Joined(" ", Joined(", ", City, Subdivision), PostCode),
            _ => Joined(", ", Joined(" ", PostCode, City), Subdivision),
        };
        return new[] { Street, Additional, town }.Where(l => l.Length > 0);
    }

    private static string Joined(string separator, params string[] parts) => string.Join(separator, parts.Where(p => p.Length > 0));
}

/// <summary>Where a party takes electronic invoices.</summary>
/// <param name="Scheme">What kind of id it is: a code of the list EAS, such as 0088 (GLN) or 9930 (German VAT id).</param>
[GenerateSerializer, Immutable, Alias("billing.electronic-address")]
public sealed record ElectronicAddress(string Scheme, string Id)
{
    // The list EAS (electronic address scheme) as EN 16931 has it.
    private static readonly FrozenSet<string> s_schemes = (
        "0002 0007 0009 0037 0060 0088 0096 0097 0106 0130 0135 0142 0147 0151 0154 0158 0170 0177 0183 0184 0188 0190 0191 0192 0193 0194 0195 0196 0198 0199 " +
        "0200 0201 0202 0203 0204 0205 0208 0209 0210 0211 0212 0213 0215 0216 0217 0218 0219 0220 0221 0225 0230 0235 0240 0242 0244 0245 0246 0248 9910 9913 " +
        "9914 9915 9918 9919 9920 9922 9923 9924 9925 9926 9927 9928 9929 9930 9931 9932 9933 9934 9935 9936 9937 9938 9939 9940 9941 9942 9943 9944 9945 9946 " +
        "9947 9948 9949 9950 9951 9952 9953 9957 9959 AN AQ AS AU EM").Split(' ').ToFrozenSet(StringComparer.Ordinal);

    public static bool IsScheme(string scheme) => s_schemes.Contains(scheme);
}

/// <summary>Whom to ask about an invoice: a function, never a person. Names of people are in the people vault and on no document.</summary>
/// <param name="Department">Such as "Accounts receivable".</param>
[GenerateSerializer, Immutable, Alias("billing.contact-point")]
public sealed record ContactPoint(string Department, string Phone, string Email);

/// <summary>The account that a document asks to pay to.</summary>
/// <param name="AccountName">Its holder; empty: the seller.</param>
/// <param name="Iban">Without spaces; empty where the country has none.</param>
/// <param name="AccountNumber">National number, with the bank's where one is needed; only without an IBAN.</param>
/// <param name="Bic">8 or 11 characters; may be empty.</param>
[GenerateSerializer, Immutable, Alias("billing.bank-account")]
public sealed record BankAccount(string AccountName, string Iban, string AccountNumber, string Bic, string BankName)
{
    /// <summary>Whether it is an IBAN whose check digits are right (ISO 13616: rearranged and read as a number, it leaves 1 when divided by 97).</summary>
    public static bool IsIban(string text)
    {
        if (text.Length is < 15 or > 34 || !char.IsAsciiLetterUpper(text[0]) || !char.IsAsciiLetterUpper(text[1]) || !char.IsAsciiDigit(text[2]) || !char.IsAsciiDigit(text[3])
            || !text.All(c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c)) || !Countries.IsKnown(text[..2]))
        {
            return false;
        }

        var number = BigInteger.Zero;
        foreach (var c in text[4..] + text[..4])
        {
            number = char.IsAsciiDigit(c) ? number * 10 + (c - '0') : number * 100 + (c - 'A' + 10);
        }

        return number % 97 == 1;
    }

    /// <summary>Whether it has the shape of a BIC (ISO 9362): four letters or digits, a country, two, and three more for a branch.</summary>
    public static bool IsBic(string text) =>
        text.Length is 8 or 11 && text.All(c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c)) && text[..4].All(char.IsAsciiLetterUpper) && Countries.IsKnown(text[4..6]);
}

/// <summary>What electronic invoices say of a seller or buyer besides names, country and tax number. Null or empty: not said.</summary>
/// <param name="VatId">With its country's letters in front, such as DE123456788.</param>
/// <param name="RegistrationNumber">Of the company's register.</param>
[GenerateSerializer, Immutable, Alias("billing.party-details")]
public sealed record PartyDetails(PostalAddress? Address, string VatId, string RegistrationNumber, ElectronicAddress? Electronic, ContactPoint? Contact)
{
    /// <summary>These, or null where nothing is said.</summary>
    public PartyDetails? OrNull() => this == new PartyDetails(null, "", "", null, null) ? null : this;

    /// <summary>Whether it has the shape of a VAT id: the country's letters (EL for Greece) and 2 to 13 capitals and digits.</summary>
    public static bool IsVatId(string text) =>
        text.Length is >= 4 and <= 15 && (Countries.IsKnown(text[..2]) || text[..2] == "EL") && text[2..].All(c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c) || c is '+' or '*');
}

/// <summary>What a buyer wants to find on documents. Empty: not said.</summary>
/// <param name="BuyerReference">Routes the document at the buyer's; in Germany the Leitweg-ID of an authority.</param>
/// <param name="PurchaseOrder">The buyer's order number.</param>
/// <param name="PaymentTerms">For people, besides the due date.</param>
/// <param name="Language">BCP 47; of the printed words. Empty: English.</param>
/// <param name="TaxExemptionReason">Why no tax is charged, in the categories that need a reason; empty: the category's usual words.</param>
[GenerateSerializer, Immutable, Alias("billing.document-terms")]
public sealed record DocumentTerms(string BuyerReference, string PurchaseOrder, string PaymentTerms, string Language, string TaxExemptionReason)
{
    public static DocumentTerms None { get; } = new("", "", "", "", "");

    /// <summary>These, or null where nothing is said.</summary>
    public DocumentTerms? OrNull() => this == None ? null : this;
}
