using System.Globalization;
using System.Numerics;
using System.Text;
using CsvHelper;
using InvoiceLine = AgencyPlatform.Domain.Billing.InvoiceLine;

namespace AgencyPlatform.Gateway.Billing.Documents;

/// <summary>Invoices for a sheet: one row a line, with the document's facts repeated. A credit note's amounts are negative, so that a column sums to what is owed.</summary>
internal sealed class CsvInvoices
{
    /// <summary>The columns in their order; docs/invoice-documents.md says what each has.</summary>
    public static readonly string[] Columns =
    [
        "document_number", "kind", "issue_date", "due_date", "currency", "legal_entity", "client_company", "buyer_name", "buyer_country", "purchase_order", "buyer_reference",
        "line", "description", "engagement", "charge", "service_first_day", "service_last_day", "quantity", "unit", "rate", "tax_category", "tax_rate_percent",
        "net_amount", "tax_amount", "corrected_document", "corrected_line", "document_net", "document_tax", "document_total", "watermark",
    ];

    private readonly CsvWriter _csv;

    private CsvInvoices(CsvWriter csv) => _csv = csv;

    public static byte[] Write(IEnumerable<DocumentSource> sources)
    {
        using var buffer = new MemoryStream();
        // A text that a sheet would take for a formula is escaped; numbers are written as such.
        using (var csv = CsvWriter.Create(buffer, new CsvWriterOptions { Injection = CsvInjection.Escape }, true))
        {
            csv.WriteHeader(Columns);
            var rows = new CsvInvoices(csv);
            foreach (var source in sources)
            {
                foreach (var line in source.Content.Lines)
                {
                    rows.Write(source, line);
                }
            }
        }

        return buffer.ToArray();
    }

    private void Write(DocumentSource source, InvoiceLine line)
    {
        var (content, account) = (source.Content, source.Account);
        Text(source.Number, source.IsCreditNote ? "credit_note" : "invoice", Date(source.IssueDate), Date(source.Invoice.DueDate!.Value), account.Currency.Code);
        Text(account.LegalEntity.Value, account.Client.Value, content.Buyer.LegalName, content.Buyer.Country, source.Terms.PurchaseOrder, source.Terms.BuyerReference);
        Number(line.Number);
        Text(line.Description, line.Item.Engagement.Value, Lower(line.Item.Charge), Date(line.Service.Start), Date(line.Service.End!.Value.PlusDays(-1)));
        Number(line.Quantity);
        Text(Lower(line.Unit));
        Amount(line.Item.Rate);
        Text(Lower(line.TaxTreatment.Category), line.TaxTreatment.ToPercent());
        Amount(line.Amount, line.Tax);
        Text(line.Corrects is { } of ? source.Corrected[of.Invoice].Number : "");
        if (line.Corrects is { } corrected)
        {
            Number(corrected.Line);
        }
        else
        {
            Text("");
        }

        Amount(content.Net, content.Tax, content.Total);
        Text(source.Sandbox ? DocumentSource.Watermark : "");
        _csv.EndRecord();

        void Amount(params ReadOnlySpan<long> minor)
        {
            foreach (var amount in minor)
            {
                _csv.WriteField(amount / (decimal)BigInteger.Pow(10, account.Currency.Decimals), "F" + account.Currency.Decimals, CultureInfo.InvariantCulture);
            }
        }
    }

    private void Text(params ReadOnlySpan<string> values)
    {
        foreach (var value in values)
        {
            _csv.WriteField(value);
        }
    }

    private void Number(long number) => _csv.WriteField(number, "D", CultureInfo.InvariantCulture);

    /// <summary>As the API spells it, in lower case: <c>ZeroRated</c> is <c>zero_rated</c>.</summary>
    private static string Lower(Enum value)
    {
        var text = new StringBuilder();
        foreach (var c in value.ToString())
        {
            text.Append(char.IsUpper(c) && text.Length > 0 ? "_" : "").Append(char.ToLowerInvariant(c));
        }

        return text.ToString();
    }

    private static string Date(LocalDate date) => date.ToString("uuuu-MM-dd", CultureInfo.InvariantCulture);
}
