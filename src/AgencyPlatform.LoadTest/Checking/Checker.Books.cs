using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using AgencyPlatform.Protocol.Billing.V1;

namespace AgencyPlatform.LoadTest.Checking;

/// <summary>N, the ledger's part of Z, and T between the agencies of one run.</summary>
internal sealed partial class Checker
{
    private sealed record Numbered(string Series, long Number, string Date);

    /// <summary>N: judged by series, which may begin again at 1 with a year, unless a finalization is under way (then that is found under S).</summary>
    private void Numbers()
    {
        var given = new Dictionary<string, Numbered>(StringComparer.Ordinal);
        var last = new Dictionary<string, Numbered>(StringComparer.Ordinal);
        var final = new Dictionary<string, (long Number, string Date)>(StringComparer.Ordinal);
        var frozen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var e in _seen.Feed)
        {
            if (e.Type is not ("invoice-series.numbers-assigned" or "billing-account.finalization-started" or "billing-account.credit-note-started" or "billing-account.invoice-finalized"))
            {
                continue;
            }

            using var document = JsonDocument.Parse(e.Payload);
            var payload = document.RootElement;
            switch (e.Type)
            {
                case "invoice-series.numbers-assigned":
                    foreach (var number in payload.GetProperty("numbers").EnumerateArray())
                    {
                        var mine = new Numbered($"{payload.Text("legalEntity")}/{payload.Text("series")}", number.Long("number"), number.Text("issueDate"));
                        var before = last.GetValueOrDefault(mine.Series) ?? new Numbered(mine.Series, 0, "");
                        _report.Count("invoice numbers");
                        if (mine.Number != before.Number + 1 && !(mine.Number == 1 && string.CompareOrdinal(mine.Date, 0, before.Date, 0, 4) > 0))
                        {
                            _report.Violated("N", $"In the series {mine.Series} number {before.Number} is followed by {mine.Number} (event {e.Sequence}).");
                        }

                        if (string.CompareOrdinal(mine.Date, before.Date) < 0)
                        {
                            _report.Violated("N", $"In the series {mine.Series} number {mine.Number} is of {mine.Date}, before {before.Date} of the number in front of it.");
                        }

                        last[mine.Series] = mine;
                        if (!given.TryAdd(number.Text("invoice"), mine))
                        {
                            _report.Violated("N", $"Invoice {number.Text("invoice")} was given {mine.Series} {mine.Number}, and {given[number.Text("invoice")].Number} before.");
                        }
                    }

                    break;
                case "billing-account.finalization-started":
                    frozen.Add(payload.Text("invoice"));
                    break;
                case "billing-account.credit-note-started":
                    frozen.Add(payload.Text("creditNote"));
                    break;
                default:
                    if (!final.TryAdd(payload.Text("invoice"), (payload.Long("number"), payload.Text("issueDate"))))
                    {
                        _report.Violated("N", $"Invoice {payload.Text("invoice")} became final twice (event {e.Sequence}).");
                    }

                    break;
            }
        }

        foreach (var stuck in frozen.Where(f => !final.ContainsKey(f)))
        {
            _report.Violated("S", $"The finalization of invoice {stuck} is stuck.");
        }

        foreach (var (invoice, its) in given)
        {
            if (final.TryGetValue(invoice, out var became) ? became != (its.Number, its.Date) : !frozen.Contains(invoice))
            {
                _report.Violated("N", $"{its.Series} {its.Number} of {its.Date} was given to invoice {invoice}, which has {(final.ContainsKey(invoice) ? $"{became.Number} of {became.Date}" : "no number")}.");
            }
        }

        foreach (var (invoice, _) in final.Where(f => !given.ContainsKey(f.Key)))
        {
            _report.Violated("N", $"Invoice {invoice} is final with a number that its series never gave.");
        }

        Listed(given, final);
    }

    private static bool IsFinal(InvoiceState state) => state is InvoiceState.Finalized or InvoiceState.PartiallyPaid or InvoiceState.Paid;

    private void Listed(Dictionary<string, Numbered> given, Dictionary<string, (long Number, string Date)> final)
    {
        var printed = new HashSet<string>(StringComparer.Ordinal);
        var listed = new HashSet<string>(StringComparer.Ordinal);
        foreach (var invoice in _seen.Invoices.Where(i => IsFinal(i.State)))
        {
            _report.Count("final invoices");
            var id = NaiveBooking.Last(invoice.Name);
            listed.Add(id);
            if (!printed.Add($"{invoice.LegalEntity} {invoice.DocumentNumber}"))
            {
                _report.Violated("N", $"Two invoices are printed as {invoice.DocumentNumber}.");
            }

            if (given.GetValueOrDefault(id) is not { } its || its.Number != invoice.Number || NaiveBooking.Last(its.Series) != invoice.Series || !final.ContainsKey(id))
            {
                _report.Violated("N", $"{invoice.Name} is listed as {invoice.Series} {invoice.Number}; by the feed it is {given.GetValueOrDefault(id)?.ToString() ?? "nothing"}.");
            }
        }

        foreach (var missing in final.Keys.Where(f => !listed.Contains(f)))
        {
            _report.Violated("R", $"Invoice {missing} is final by the feed and not listed so.");
        }

        foreach (var call in _seen.Calls.Where(c => c is { Succeeded: true, Method: "Finalize" }))
        {
            var answer = (Invoice)call.ResponseMessage();
            if (!IsFinal(answer.State) || !final.TryGetValue(NaiveBooking.Last(answer.Name), out var its) || its.Number != answer.Number)
            {
                _report.Violated("L", $"Finalize {call.Id} was answered {answer.State} {answer.DocumentNumber}; the feed does not say so.");
            }
        }
    }

    /// <summary>Z: the ledger is the postings of the feed, its balances their sums, and nothing comes out of nothing.</summary>
    private void Ledger()
    {
        var fed = new Dictionary<(string Account, string Currency), long>();
        foreach (var e in _seen.Feed.Where(e => e.Payload.Contains("\"posting\"", StringComparison.Ordinal)))
        {
            using var document = JsonDocument.Parse(e.Payload);
            foreach (var line in document.RootElement.Maybe("posting")?.Maybe("lines")?.EnumerateArray() ?? default)
            {
                var amount = line.GetProperty("amount");
                var key = (line.GetProperty("account").ToString().ToUpperInvariant(), amount.GetProperty("currency") is { ValueKind: JsonValueKind.Object } currency ? currency.Text("code") : amount.Text("currency"));
                fed[key] = fed.GetValueOrDefault(key) + amount.Long("minor");
            }
        }

        var listed = new Dictionary<(string Account, string Currency), long>();
        foreach (var line in _seen.Ledger)
        {
            _report.Count("lines of the ledger");
            var key = (line.Account.ToString().ToUpperInvariant(), line.Amount.Currency);
            listed[key] = listed.GetValueOrDefault(key) + line.Amount.MinorUnits;
        }

        var balances = _seen.Balances.GroupBy(b => (b.Account.ToString().ToUpperInvariant(), b.Balance.Currency)).ToDictionary(g => g.Key, g => g.Sum(b => b.Balance.MinorUnits));
        foreach (var key in fed.Keys.Union(listed.Keys).Union(balances.Keys))
        {
            var (a, b, c) = (fed.GetValueOrDefault(key), listed.GetValueOrDefault(key), balances.GetValueOrDefault(key));
            if (a != b || b != c)
            {
                _report.Violated("Z", $"{key}: the feed posts {a}, the ledger has {b}, the balance is {c}.");
            }
        }

        foreach (var currency in balances.GroupBy(b => b.Key.Currency, StringComparer.Ordinal))
        {
            if (currency.Sum(b => b.Value) is not 0 and var sum)
            {
                _report.Violated("Z", $"The balances in {currency.Key} sum to {sum}.");
            }
        }
    }

    /// <summary>Z: what clients owe by the ledger is what is open on their invoices.</summary>
    private void OpenInvoices()
    {
        var open = _seen.Invoices.Where(i => i.OpenAmount is not null).GroupBy(i => i.OpenAmount.Currency, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Sum(i => i.OpenAmount.MinorUnits));
        var receivable = _seen.Balances.Where(b => b.Account == LedgerAccount.Receivable).ToDictionary(b => b.Balance.Currency, b => b.Balance.MinorUnits);
        foreach (var currency in open.Keys.Union(receivable.Keys))
        {
            var (a, b) = (open.GetValueOrDefault(currency), receivable.GetValueOrDefault(currency));
            if (a != b)
            {
                _report.Violated("Z", $"In {currency} {a} are open on invoices, and the ledger has {b} receivable.");
            }
        }
    }

    /// <summary>T: nothing that this agency's callers and readers were shown names another agency, or what a run made in another.</summary>
    private void Isolation()
    {
        var own = NaiveBooking.Last(_seen.Agency);
        var tag = own.StartsWith("load-", StringComparison.Ordinal) ? $"a{NaiveBooking.Last(own.Replace('-', '/'))}-" : "";
        foreach (var e in _seen.Feed)
        {
            Foreign(e.Aggregate, $"event {e.Sequence}");
            Foreign(e.Payload, $"event {e.Sequence}");
        }

        foreach (var call in _seen.Calls.Where(c => c.End is not null))
        {
            Foreign(call.Message, $"the answer to {call.Method} {call.Id}");
            Foreign(Encoding.UTF8.GetString(call.Response.Span), $"the answer to {call.Method} {call.Id}");
        }

        void Foreign(string text, string where)
        {
            foreach (Match name in Names().Matches(text))
            {
                if (name.Groups["agency"] is { Success: true } agency ? agency.Value != own : tag.Length > 0 && name.Groups["tag"].Value != tag)
                {
                    _report.Violated("T", string.Create(CultureInfo.InvariantCulture, $"{_seen.Agency} was shown '{name.Value}' in {where}."));
                }
            }
        }
    }

    [GeneratedRegex("agencies/(?<agency>[a-z0-9][a-z0-9-]*[a-z0-9])|\\b(?<tag>a[0-9]+-)(client|cmo|e|b|i)-", RegexOptions.ExplicitCapture)]
    private static partial Regex Names();
}
