using System.Globalization;
using AgencyPlatform.Domain.Billing;
using InvoiceLine = AgencyPlatform.Domain.Billing.InvoiceLine;

namespace AgencyPlatform.Gateway.Billing.Documents;

/// <summary>The printed words of a language.</summary>
internal sealed record Words
{
    public static Words English { get; } = new()
    {
        Language = "en",
        Invoice = "Invoice",
        CreditNote = "Credit note",
        BillTo = "Bill to",
        InvoiceNumber = "Invoice number",
        CreditNoteNumber = "Credit note number",
        IssueDate = "Issue date",
        DueDate = "Due date",
        ServicePeriod = "Service period",
        PurchaseOrder = "Purchase order",
        BuyerReference = "Your reference",
        CorrectsInvoice = "Corrects",
        TaxId = "Tax number",
        VatId = "VAT ID",
        RegistrationNumber = "Registration",
        Description = "Description",
        Quantity = "Quantity",
        Price = "Price",
        Tax = "Tax",
        Amount = "Amount",
        Carried = "Continued on the next page",
        NetTotal = "Total without tax",
        Total = "Total",
        AmountDue = "Amount due",
        CreditUsed = "Account credit used",
        AmountCredited = "Amount credited",
        TaxRate = "Tax rate",
        Taxable = "Taxable amount",
        TaxAmount = "Tax amount",
        Payment = "Payment",
        PayBy = "Please pay {0} by {1} to:",
        PayByDate = "Please pay {0} by {1}.",
        NothingToPay = "Nothing is to be paid.",
        CreditTerms = "This amount is credited: it is set off against open invoices or paid back.",
        AccountHolder = "Account holder",
        AccountNumber = "Account number",
        Bank = "Bank",
        Reference = "Reference",
        Page = "Page {0} of {1}",
        Corrects = "Corrects {0}, line {1}",
        Credit = "Credit: ",
        Retainer = "retainer",
        Overage = "hours beyond the retainer",
        Hours = "hours",
        DayRate = "days",
        Prepaid = "prepaid hours",
        Minimum = "minimum",
        Discount = "discount",
        PerHour = "{0} / h",
        HoursAndMinutes = "{0} h {1:00} min",
        WholeHours = "{0} h",
        Minutes = "{0} min",
        Days = "{0} of {1} days",
        WorkedDays = "{0} d",
        Periods = ["1 month", "1 quarter", "1 half-year", "1 year"],
        Months = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"],
        DatePattern = "{0} {1} {2}",
        DecimalPoint = ".",
        Thousands = ",",
        OutOfScope = "Not subject to tax",
        Exempt = "Exempt from tax",
        ReverseCharge = "Reverse charge: the buyer owes the tax",
        ZeroRated = "Zero rated",
    };

    /// <summary>What corrects an invoice is a <i>Rechnungskorrektur</i>: in German tax law a <i>Gutschrift</i> is an invoice that the buyer writes.</summary>
    public static Words German { get; } = new()
    {
        Language = "de",
        Invoice = "Rechnung",
        CreditNote = "Rechnungskorrektur",
        BillTo = "Rechnung an",
        InvoiceNumber = "Rechnungsnummer",
        CreditNoteNumber = "Belegnummer",
        IssueDate = "Rechnungsdatum",
        DueDate = "Fällig am",
        ServicePeriod = "Leistungszeitraum",
        PurchaseOrder = "Bestellnummer",
        BuyerReference = "Ihr Zeichen",
        CorrectsInvoice = "Korrigiert",
        TaxId = "Steuernummer",
        VatId = "USt-IdNr.",
        RegistrationNumber = "Register",
        Description = "Leistung",
        Quantity = "Menge",
        Price = "Preis",
        Tax = "Steuer",
        Amount = "Betrag",
        Carried = "Fortsetzung auf der nächsten Seite",
        NetTotal = "Summe ohne Steuer",
        Total = "Gesamtbetrag",
        AmountDue = "Zu zahlen",
        CreditUsed = "Guthaben verrechnet",
        AmountCredited = "Gutgeschrieben",
        TaxRate = "Steuersatz",
        Taxable = "Bemessungsgrundlage",
        TaxAmount = "Steuerbetrag",
        Payment = "Zahlung",
        PayBy = "Bitte zahlen Sie {0} bis zum {1} auf dieses Konto:",
        PayByDate = "Bitte zahlen Sie {0} bis zum {1}.",
        NothingToPay = "Es ist nichts zu zahlen.",
        CreditTerms = "Dieser Betrag wird gutgeschrieben: er wird mit offenen Rechnungen verrechnet oder erstattet.",
        AccountHolder = "Kontoinhaber",
        AccountNumber = "Kontonummer",
        Bank = "Bank",
        Reference = "Verwendungszweck",
        Page = "Seite {0} von {1}",
        Corrects = "Korrigiert {0}, Position {1}",
        Credit = "Korrektur: ",
        Retainer = "Pauschale",
        Overage = "Stunden über die Pauschale hinaus",
        Hours = "Stunden",
        DayRate = "Tage",
        Prepaid = "Stunden im Voraus",
        Minimum = "Mindestbetrag",
        Discount = "Rabatt",
        PerHour = "{0} / Std.",
        HoursAndMinutes = "{0} Std. {1:00} Min.",
        WholeHours = "{0} Std.",
        Minutes = "{0} Min.",
        Days = "{0} von {1} Tagen",
        WorkedDays = "{0} Tage",
        Periods = ["1 Monat", "1 Quartal", "1 Halbjahr", "1 Jahr"],
        Months = ["Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"],
        DatePattern = "{0}. {1} {2}",
        DecimalPoint = ",",
        Thousands = ".",
        OutOfScope = "Nicht steuerbar",
        Exempt = "Steuerbefreit",
        ReverseCharge = "Steuerschuldnerschaft des Leistungsempfängers",
        ZeroRated = "Steuersatz 0 %",
    };

    public required string Language { get; init; }
    public required string Invoice { get; init; }
    public required string CreditNote { get; init; }
    public required string BillTo { get; init; }
    public required string InvoiceNumber { get; init; }
    public required string CreditNoteNumber { get; init; }
    public required string IssueDate { get; init; }
    public required string DueDate { get; init; }
    public required string ServicePeriod { get; init; }
    public required string PurchaseOrder { get; init; }
    public required string BuyerReference { get; init; }
    public required string CorrectsInvoice { get; init; }
    public required string TaxId { get; init; }
    public required string VatId { get; init; }
    public required string RegistrationNumber { get; init; }
    public required string Description { get; init; }
    public required string Quantity { get; init; }
    public required string Price { get; init; }
    public required string Tax { get; init; }
    public required string Amount { get; init; }
    public required string Carried { get; init; }
    public required string NetTotal { get; init; }
    public required string Total { get; init; }
    public required string AmountDue { get; init; }
    public required string CreditUsed { get; init; }
    public required string AmountCredited { get; init; }
    public required string TaxRate { get; init; }
    public required string Taxable { get; init; }
    public required string TaxAmount { get; init; }
    public required string Payment { get; init; }

    /// <summary>{0} the amount, {1} the due date.</summary>
    public required string PayBy { get; init; }

    /// <summary>The same where no account is named.</summary>
    public required string PayByDate { get; init; }
    public required string NothingToPay { get; init; }
    public required string CreditTerms { get; init; }
    public required string AccountHolder { get; init; }
    public required string AccountNumber { get; init; }
    public required string Bank { get; init; }
    public required string Reference { get; init; }

    /// <summary>{0} the page, {1} their count.</summary>
    public required string Page { get; init; }

    /// <summary>{0} the document's number, {1} the line's.</summary>
    public required string Corrects { get; init; }
    public required string Credit { get; init; }
    public required string Retainer { get; init; }
    public required string Overage { get; init; }
    public required string Hours { get; init; }
    public required string DayRate { get; init; }
    public required string Prepaid { get; init; }
    public required string Minimum { get; init; }
    public required string Discount { get; init; }
    public required string WorkedDays { get; init; }
    public required string PerHour { get; init; }
    public required string HoursAndMinutes { get; init; }
    public required string WholeHours { get; init; }
    public required string Minutes { get; init; }

    /// <summary>{0} the days billed, {1} those of the whole period.</summary>
    public required string Days { get; init; }

    /// <summary>A month, a quarter, half a year, a year.</summary>
    public required IReadOnlyList<string> Periods { get; init; }
    public required IReadOnlyList<string> Months { get; init; }

    /// <summary>{0} the day, {1} the month's name, {2} the year.</summary>
    public required string DatePattern { get; init; }
    public required string DecimalPoint { get; init; }
    public required string Thousands { get; init; }
    public required string OutOfScope { get; init; }
    public required string Exempt { get; init; }
    public required string ReverseCharge { get; init; }
    public required string ZeroRated { get; init; }

    /// <param name="language">BCP 47; one that nothing is printed in gives English.</param>
    public static Words For(string language) => language.Split('-')[0] == German.Language ? German : English;

    public string Date(LocalDate date) => string.Format(CultureInfo.InvariantCulture, DatePattern, date.Day, Months[date.Month - 1], date.Year);

    /// <summary>From the first to the last day, which a period leaves out.</summary>
    public string Dates(DateRange range)
    {
        var last = range.End!.Value.PlusDays(-1);
        return range.Start == last ? Date(last) : $"{Date(range.Start)} – {Date(last)}";
    }

    /// <summary>An amount with the language's signs, without its currency.</summary>
    public string Number(Money money)
    {
        var format = new NumberFormatInfo { NumberDecimalSeparator = DecimalPoint, NumberGroupSeparator = Thousands, NegativeSign = "–" };
        return (money.Minor / (decimal)System.Numerics.BigInteger.Pow(10, money.Currency.Decimals)).ToString("N" + money.Currency.Decimals, format);
    }

    public string Percent(TaxTreatment tax) => tax.ToPercent().Replace(".", DecimalPoint, StringComparison.Ordinal) + " %";

    /// <summary>What a line is for, without its dates; where the engagement's title is not known, its description.</summary>
    public string Line(InvoiceLine line, string? title)
    {
        var charge = line.Item.Charge switch
        {
            Charge.Fee => Retainer,
            Charge.Overage => Overage,
            Charge.Hours => Hours,
            Charge.Days => DayRate,
            Charge.Block => Prepaid,
            Charge.Commitment => Minimum,
            Charge.Discount => Discount,

            // A milestone is called by its own name, which the description has.
            _ => null,
        };
        var name = !string.IsNullOrEmpty(title) && charge is not null ? $"{title}: {charge}"
            : line.Corrects is null ? line.Description
            : line.Description[InvoiceLine.Credit.Length..];
        return (line.Corrects is null ? "" : Credit) + name;
    }

    /// <summary>Why a category charges no tax; null where no reason is asked for.</summary>
    public string? ExemptionReason(TaxCategory category) => category switch
    {
        TaxCategory.OutOfScope => OutOfScope,
        TaxCategory.Exempt => Exempt,
        TaxCategory.ReverseCharge => ReverseCharge,
        _ => null,
    };
}
