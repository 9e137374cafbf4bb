using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using AgencyPlatform.Domain.Billing;
using PdfSharp.Drawing;
using InvoiceLine = AgencyPlatform.Domain.Billing.InvoiceLine;
using Party = AgencyPlatform.Domain.Billing.Party;

namespace AgencyPlatform.Gateway.Billing.Documents;

/// <summary>An invoice or credit note for people: on Letter paper or A4 by the buyer's country, in the document's language.</summary>
internal sealed class PdfInvoice
{
    private const int MostAddressLines = 8;
    private const double Margin = 54, FooterHeight = 46, Body = 9.5, Small = 8, Gap = 14;

    private static readonly XColor s_ink = XColor.FromArgb(0x1E, 0x24, 0x2C);
    private static readonly XColor s_soft = XColor.FromArgb(0x5E, 0x68, 0x74);
    private static readonly XColor s_accent = XColor.FromArgb(0x1F, 0x3F, 0x66);
    private static readonly XColor s_rule = XColor.FromArgb(0xC9, 0xD0, 0xD8);
    private static readonly XColor s_band = XColor.FromArgb(0xEE, 0xF2, 0xF6);
    private static readonly XColor s_watermark = XColor.FromArgb(0xF3, 0xDD, 0xDD);

    // PDFsharp keeps fonts in statics that are not all made for several threads; a document takes some milliseconds.
    private static readonly Lock s_one = new();

    private readonly DocumentSource _source;
    private readonly Words _words;
    private readonly PdfPages _pages;
    private readonly double _left, _right;
    private double _y;

    private PdfInvoice(DocumentSource source)
    {
        _source = source;
        _words = source.Words;
        var country = source.Content.Buyer.Country.Length > 0 ? source.Content.Buyer.Country : source.Content.Seller.Country;
        _pages = Countries.UsesLetterPaper(country) ? new PdfPages(612, 792) : new PdfPages(595.28, 841.89);
        (_left, _right) = (Margin, _pages.Width - Margin);
    }

    private double Bottom => _pages.Height - Margin - FooterHeight;

    /// <summary>The file, or why there is none.</summary>
    public static (byte[]? File, Rejection? Refused) Write(DocumentSource source)
    {
        lock (s_one)
        {
            var invoice = new PdfInvoice(source);
            invoice.Head();
            invoice.Table();
            invoice.Totals();
            invoice.Payment();
            invoice.Margins();
            if (invoice._pages.Missing is { Count: > 0 } missing)
            {
                var characters = string.Concat(missing.Take(20));
                return (null, Rejection.Rule(Reasons.PdfUnprintable, $"The PDF's fonts lack these characters: {characters}. Take the UBL, CSV or JSON.", ("characters", characters)));
            }

            if (source.Sandbox)
            {
                invoice._pages.Watermark(DocumentSource.Watermark, s_watermark);
            }

            var seed = SHA256.HashData(Encoding.UTF8.GetBytes($"{source.Agency}/{source.Account.Key}/{source.Invoice.Id}"));
            return (invoice._pages.Draw($"{invoice.Title} {source.Number}", source.Content.Seller.LegalName, invoice._words.Language, source.IssueDate, seed), null);
        }
    }

    private string Title => _source.IsCreditNote ? _words.CreditNote : _words.Invoice;

    private string Signed(long minor) => _words.Number(new Money(_source.Sign * minor, _source.Account.Currency));

    private string WithCurrency(long minor) => $"{Signed(minor)} {_source.Account.Currency}";

    /// <summary>Seller, title, the document's facts and the buyer.</summary>
    private void Head()
    {
        var (seller, buyer, terms) = (_source.Content.Seller, _source.Content.Buyer, _source.Terms);
        var half = (_right - _left) / 2 - 12;
        var abroad = buyer.Country.Length > 0 && buyer.Country != seller.Country;

        var y = _pages.Texts(_left, Margin, _pages.Wrap(seller.LegalName, half, 13, bold: true), 13, s_ink, bold: true) + 2;
        foreach (var line in AddressLines(seller, abroad).SelectMany(l => _pages.Wrap(l, half, Body)))
        {
            y = _pages.Texts(_left, y, [line], Body, s_soft);
        }

        y += 3;
        foreach (var (label, value) in Numbers(seller))
        {
            y = _pages.Texts(_left, y, _pages.Wrap($"{label} {value}", half, Small), Small, s_soft);
        }

        var left = y + 2 * Gap;
        left = _pages.Texts(_left, left, [_words.BillTo], Small, s_soft) + 2;
        left = _pages.Texts(_left, left, _pages.Wrap(buyer.LegalName, half, 10.5, bold: true), 10.5, s_ink, bold: true);
        if (buyer.Details?.Contact is { Department.Length: > 0 } contact)
        {
            left = _pages.Texts(_left, left, _pages.Wrap(contact.Department, half, Body), Body, s_ink);
        }

        foreach (var line in AddressLines(buyer, abroad).SelectMany(l => _pages.Wrap(l, half, Body)))
        {
            left = _pages.Texts(_left, left, [line], Body, s_ink);
        }

        left += 3;
        foreach (var (label, value) in Numbers(buyer))
        {
            left = _pages.Texts(_left, left, _pages.Wrap($"{label} {value}", half, Small), Small, s_soft);
        }

        var size = Math.Min(24, 24 * half / _pages.Measure(Title, 24, bold: true));
        _pages.Text(_right, Margin - 6, Title, size, s_accent, bold: true, right: true);
        y = Margin + 40;
        var facts = new List<(string Label, string Value)>
        {
            (_source.IsCreditNote ? _words.CreditNoteNumber : _words.InvoiceNumber, _source.Number),
            (_words.IssueDate, _words.Date(_source.IssueDate)),
        };
        if (!_source.IsCreditNote)
        {
            facts.Add((_words.DueDate, _words.Date(_source.Invoice.DueDate!.Value)));
        }

        facts.Add((_words.ServicePeriod, _words.Dates(_source.Service)));
        facts.AddRange(_source.Corrected.Values.OrderBy(c => c.Number, StringComparer.Ordinal).Select(c => (_words.CorrectsInvoice, $"{c.Number}, {_words.Date(c.IssueDate)}")));
        AddFact(_words.PurchaseOrder, terms.PurchaseOrder);
        AddFact(_words.BuyerReference, terms.BuyerReference);
        foreach (var (label, value) in facts)
        {
            _pages.Text(_right - half, y, label, Body, s_soft);
            y = _pages.Texts(_right, y, _pages.Wrap(value, half - 104, Body), Body, s_ink, right: true) + 2;
        }

        _y = Math.Max(left, y) + 2 * Gap;

        void AddFact(string label, string value)
        {
            if (value.Length > 0)
            {
                facts.Add((label, value));
            }
        }
    }

    private static IEnumerable<string> AddressLines(Party party, bool withCountry)
    {
        // More lines than an address has would push what follows off the page.
        var lines = party.Address.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        foreach (var line in lines.Length > MostAddressLines ? [string.Join(", ", lines)] : lines)
        {
            yield return line;
        }

        if (withCountry && party.Country.Length > 0)
        {
            yield return Countries.NameOf(party.Country).ToUpperInvariant();
        }
    }

    private IEnumerable<(string Label, string Value)> Numbers(Party party)
    {
        if (party.Details is { VatId.Length: > 0 } details)
        {
            yield return (_words.VatId, details.VatId);
        }

        if (party.TaxId.Length > 0)
        {
            yield return (_words.TaxId, party.TaxId);
        }

        if (party.Details is { RegistrationNumber.Length: > 0 } registered)
        {
            yield return (_words.RegistrationNumber, registered.RegistrationNumber);
        }
    }

    // ---- lines ----

    private double AmountRight => _right - 6;

    private double TaxRight => AmountRight - 86;

    private double PriceRight => TaxRight - 48;

    private double QuantityRight => PriceRight - 84;

    private double DescriptionWidth => QuantityRight - 84 - _left - 6;

    private void Table()
    {
        TableHead();
        foreach (var line in _source.Content.Lines)
        {
            var description = _pages.Wrap(_source.Text(line), DescriptionWidth, Body);
            var notes = new[] { _words.Dates(line.Service), _source.Correction(line) }.Where(n => n.Length > 0).SelectMany(n => _pages.Wrap(n, DescriptionWidth, Small)).ToList();
            var high = description.Count * Body * PdfPages.Leading + notes.Count * Small * PdfPages.Leading + 10;
            if (_y + high > Bottom - Small * PdfPages.Leading)
            {
                _pages.Text(_left + 6, _y + 5, _words.Carried, Small, s_soft);
                NewPage();
                TableHead();
            }

            var quantity = LineQuantity.Of(line, _source.Account.Currency.Decimals, _source.Account.Currency.Decimals, _source.Sign);
            var top = _y + 5;
            _pages.Text(QuantityRight, top, Quantity(line, quantity), Body, s_ink, right: true);
            _pages.Text(PriceRight, top, Price(quantity), Body, s_ink, right: true);
            _pages.Text(TaxRight, top, line.TaxTreatment.Category == TaxCategory.OutOfScope ? "–" : _words.Percent(line.TaxTreatment), Body, s_ink, right: true);
            _pages.Text(AmountRight, top, Signed(line.Amount), Body, s_ink, right: true);
            var bottom = _pages.Texts(_left + 6, top, description, Body, s_ink);
            bottom = _pages.Texts(_left + 6, bottom, notes, Small, s_soft);
            _y = bottom + 5;
            _pages.Rule(_left, _right, _y, 0.4, s_rule);
        }

        _y += Gap;
    }

    private void TableHead()
    {
        _pages.Box(_left, _y, _right - _left, 20, s_band);
        var y = _y + 4;
        _pages.Text(_left + 6, y, _words.Description, Small + 0.5, s_accent, bold: true);
        _pages.Text(QuantityRight, y, _words.Quantity, Small + 0.5, s_accent, bold: true, right: true);
        _pages.Text(PriceRight, y, _words.Price, Small + 0.5, s_accent, bold: true, right: true);
        _pages.Text(TaxRight, y, _words.Tax, Small + 0.5, s_accent, bold: true, right: true);
        _pages.Text(AmountRight, y, $"{_words.Amount} ({_source.Account.Currency})", Small + 0.5, s_accent, bold: true, right: true);
        _y += 20;
    }

    private string Quantity(InvoiceLine line, LineQuantity quantity)
    {
        var minus = quantity.Hundredths < 0 ? "–" : "";
        var minutes = Math.Abs(line.Quantity);
        return quantity.Unit switch
        {
            LineQuantity.Month => minus + _words.Periods[0],
            LineQuantity.Quarter => minus + _words.Periods[1],
            LineQuantity.HalfYear => minus + _words.Periods[2],
            LineQuantity.Year => minus + _words.Periods[3],
            LineQuantity.Day when line.Unit == LineUnit.HalfDays => minus + Format(_words.WorkedDays, (Math.Abs(quantity.Hundredths) / 100m).ToString("0.#", CultureInfo.InvariantCulture).Replace(".", _words.DecimalPoint, StringComparison.Ordinal)),
            LineQuantity.Day => minus + Format(_words.Days, minutes, line.FullDays),
            LineQuantity.Hour or LineQuantity.Minute => minus + Time(minutes),
            // The rest of a key: its price says nothing, what was worked does.
            _ => line.Unit == LineUnit.Minutes && minutes > 0 ? minus + Time(minutes) : minus + "1",
        };
    }

    private string Time(long minutes) =>
        minutes < 60 ? Format(_words.Minutes, minutes) : minutes % 60 == 0 ? Format(_words.WholeHours, minutes / 60) : Format(_words.HoursAndMinutes, minutes / 60, minutes % 60);

    private string Price(LineQuantity quantity)
    {
        var price = _words.Number(new Money(quantity.Price, _source.Account.Currency));
        return quantity.Unit switch
        {
            LineQuantity.Hour or LineQuantity.Minute => Format(_words.PerHour, price),
            LineQuantity.Piece => "",
            _ => price,
        };
    }

    // ---- totals, payment ----

    private void Totals()
    {
        var content = _source.Content;
        var taxed = content.Taxes.Any(t => t.Treatment.Category != TaxCategory.OutOfScope);
        const double TableWidth = 236, TotalsWidth = 210, Row = 15;
        var names = content.Taxes.Select(t => _pages.Wrap(Name(t), 118, Small)).ToList();
        var tableHeight = 16 + names.Sum(n => n.Count * Small * PdfPages.Leading + 4);
        var totalsHeight = (content.Taxes.Length + (_source.Invoice.Prepaid > 0 ? 3 : 1)) * Row + 36;
        Keep(Math.Max(tableHeight, totalsHeight) + Gap);

        var top = _y;
        if (taxed)
        {
            var (taxableRight, taxRight) = (_left + 182, _left + TableWidth);
            _pages.Text(_left + 6, top, _words.TaxRate, Small, s_soft);
            _pages.Text(taxableRight, top, _words.Taxable, Small, s_soft, right: true);
            _pages.Text(taxRight, top, _words.Tax, Small, s_soft, right: true);
            var y = top + 14;
            _pages.Rule(_left, taxRight, y, 0.4, s_rule);
            for (var i = 0; i < names.Count; i++)
            {
                _pages.Text(taxableRight, y + 3, Signed(content.Taxes[i].Taxable), Small, s_ink, right: true);
                _pages.Text(taxRight, y + 3, Signed(content.Taxes[i].Tax), Small, s_ink, right: true);
                y = _pages.Texts(_left + 6, y + 3, names[i], Small, s_ink) + 1;
            }

            _y = Math.Max(_y, y);
        }
        else
        {
            _y = Math.Max(_y, _pages.Texts(_left + 6, top, names.SelectMany(n => n), Small, s_soft));
        }

        var (labels, at) = (_right - TotalsWidth, top);
        Total(_words.NetTotal, Signed(content.Net));
        foreach (var tax in content.Taxes.Where(t => t.Treatment.RatePpm > 0))
        {
            Total($"{_words.Tax} {_words.Percent(tax.Treatment)}", Signed(tax.Tax));
        }

        if (_source.Invoice.Prepaid > 0)
        {
            Total(_words.Total, Signed(content.Total));
            Total(_words.CreditUsed, Signed(-_source.Invoice.Prepaid));
        }

        at += 3;
        _pages.Box(labels - 8, at, TotalsWidth + 8, 24, s_band);
        _pages.Text(labels, at + 4.5, _source.IsCreditNote ? _words.AmountCredited : _words.AmountDue, 11, s_accent, bold: true);
        _pages.Text(AmountRight, at + 4.5, WithCurrency(_source.Due), 11, s_accent, bold: true, right: true);
        _y = Math.Max(_y, at + 24) + 2 * Gap;

        void Total(string label, string amount)
        {
            _pages.Text(labels, at, label, Body, s_soft);
            _pages.Text(AmountRight, at, amount, Body, s_ink, right: true);
            at += Row;
        }
    }

    private string Name(TaxSubtotal tax)
    {
        var rate = tax.Treatment.Category == TaxCategory.OutOfScope ? "" : _words.Percent(tax.Treatment);
        var reason = _source.ExemptionReason(tax.Treatment.Category) ?? (tax.Treatment.Category == TaxCategory.ZeroRated ? _words.ZeroRated : "");
        return string.Join(" · ", new[] { rate, reason }.Where(t => t.Length > 0));
    }

    private void Payment()
    {
        var (content, account) = (_source.Content, _source.Content.PayTo);
        var wide = _right - _left;
        var lines = new List<(string Label, string Value)>();
        string sentence;
        if (_source.IsCreditNote)
        {
            sentence = _words.CreditTerms;
        }
        else if (_source.Due == 0)
        {
            sentence = _words.NothingToPay;
        }
        else
        {
            sentence = Format(account is null ? _words.PayByDate : _words.PayBy, WithCurrency(_source.Due), _words.Date(_source.Invoice.DueDate!.Value));
            if (account is not null)
            {
                lines.Add((_words.AccountHolder, account.AccountName.Length > 0 ? account.AccountName : content.Seller.LegalName));
                lines.Add(account.Iban.Length > 0 ? ("IBAN", string.Join(' ', account.Iban.Chunk(4).Select(c => new string(c)))) : (_words.AccountNumber, account.AccountNumber));
                lines.Add(("BIC", account.Bic));
                lines.Add((_words.Bank, account.BankName));
                lines.Add((_words.Reference, _source.Number));
            }
        }

        var text = _pages.Wrap(sentence, wide, Body);
        var terms = _source.IsCreditNote || _source.Terms.PaymentTerms.Length == 0 ? [] : _pages.Wrap(_source.Terms.PaymentTerms, wide, Body);
        lines.RemoveAll(l => l.Value.Length == 0);
        Keep(20 + (text.Count + lines.Count) * (Body * PdfPages.Leading + 1) + 12);
        _y = _pages.Texts(_left, _y, [_words.Payment], 10.5, s_accent, bold: true) + 2;
        _y = _pages.Texts(_left, _y, text, Body, s_ink) + 2;
        foreach (var (label, value) in lines)
        {
            _pages.Text(_left, _y, label, Body, s_soft);
            _y = _pages.Texts(_left + 110, _y, _pages.Wrap(value, wide - 110, Body), Body, s_ink) + 1;
        }

        _y += 4;
        foreach (var line in terms)
        {
            Keep(Body * PdfPages.Leading);
            _y = _pages.Texts(_left, _y, [line], Body, s_ink);
        }
    }

    // ---- pages ----

    /// <summary>A new page unless so much fits on this one.</summary>
    private void Keep(double high)
    {
        if (_y + high > Bottom)
        {
            NewPage();
        }
    }

    private void NewPage()
    {
        _pages.Break();
        _pages.Text(_left, Margin - 6, $"{Title} {_source.Number}", Body, s_soft);
        _pages.Text(_right, Margin - 6, _source.Content.Seller.LegalName, Body, s_soft, right: true);
        _y = Margin + 16;
    }

    /// <summary>What each page has at its foot.</summary>
    private void Margins()
    {
        var seller = _source.Content.Seller;
        var contact = seller.Details?.Contact;
        var lines = new[]
        {
            string.Join("  ·  ", [seller.LegalName, .. seller.Address.Split('\n', StringSplitOptions.RemoveEmptyEntries)]),
            string.Join("  ·  ", new[] { contact?.Department ?? "", contact?.Phone ?? "", contact?.Email ?? "" }.Where(p => p.Length > 0)),
        }.SelectMany(l => _pages.Wrap(l, _right - _left - 80, 7.5).Take(1)).ToList();
        for (var page = 0; page < _pages.Count; page++)
        {
            var y = _pages.Height - Margin - 16;
            _pages.Rule(_left, _right, y - 6, 0.4, s_rule, page);
            for (var i = 0; i < lines.Count; i++)
            {
                _pages.Text(_left, y + i * 7.5 * PdfPages.Leading, lines[i], 7.5, s_soft, page: page);
            }

            _pages.Text(_right, y, Format(_words.Page, page + 1, _pages.Count), 7.5, s_soft, right: true, page: page);
        }
    }

    private static string Format(string format, params object[] values) => string.Format(CultureInfo.InvariantCulture, format, values);
}
