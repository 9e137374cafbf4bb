using System.Collections.Immutable;
using System.Globalization;
using System.Numerics;
using System.Text;
using AgencyPlatform.Domain.Time;
using NodaTime;

namespace AgencyPlatform.Domain.Billing;

/// <summary>Looks at every row of an import and names all that is wrong, row by row. Nothing is imported of books in which anything is wrong.</summary>
internal sealed class OpenBooksCheck(ImportOpenBooks import, OpenBooksFacts facts, LocalDate today)
{
    /// <summary>How many are told at once.</summary>
    private const int MostTold = 100;

    private const int MostMinutes = 600_000;

    private readonly ImmutableArray<FieldViolation>.Builder _wrong = ImmutableArray.CreateBuilder<FieldViolation>();

    public ImmutableArray<FieldViolation> Violations()
    {
        var books = import.Books;
        Check(import.On <= today, "cut_over_date", $"must not be after today, {Text(today)}");
        if (import.On <= facts.ClosedThrough)
        {
            Check(false, "cut_over_date", $"must be after {Text(facts.ClosedThrough.Value)}, through which the books of {import.LegalEntity} are closed");
        }

        if (books.Rows is 0 or > OpenBooks.MostRows)
        {
            Check(false, "invoices", books.Rows == 0 ? "must have a row, or another list must" : $"must be at most {OpenBooks.MostRows} with all other rows; they are {books.Rows}: import them in parts");
            return _wrong.ToImmutable();
        }

        var all = books.Invoices.Select(r => r.Open).Concat(books.Credits.Select(r => r.Amount)).Concat(books.Deferrals.Select(r => r.Amount)).Concat(books.Payables.Select(r => r.Amount))
            .Concat(books.Grants.Select(r => r.Deferred).OfType<Money>()).Aggregate(BigInteger.Zero, (sum, m) => sum + BigInteger.Abs(m.Minor));
        Check(all <= Money.MostMinor, "invoices", $"must come to at most {Text(Money.MostMinor)} minor units with all other rows; they come to {all.ToString(CultureInfo.InvariantCulture)}");
        for (var i = 0; i < books.Invoices.Length; i++)
        {
            Invoice($"invoices[{i}]", books.Invoices[i]);
        }

        Once("invoices", "number", books.Invoices.Select(r => r.NumberKey));
        for (var i = 0; i < books.Credits.Length; i++)
        {
            Client($"client_credits[{i}]", books.Credits[i].Client);
            Amount($"client_credits[{i}].amount", books.Credits[i].Amount);
        }

        Once("client_credits", "client_company", books.Credits.Select(r => r.Client));
        for (var i = 0; i < books.Deferrals.Length; i++)
        {
            Deferral($"deferred_revenue[{i}]", books.Deferrals[i]);
        }

        Once("deferred_revenue", "start_date", books.Deferrals.Select(r => (r.Engagement, r.Days)));
        for (var i = 0; i < books.Grants.Length; i++)
        {
            Grant($"grants[{i}]", books.Grants[i]);
        }

        Once("grants", "expire_date", books.Grants.Select(r => (r.Engagement, r.Origin, r.ExpiresAt)));
        for (var i = 0; i < books.Payables.Length; i++)
        {
            Check(facts.Cmos.Contains(books.Payables[i].Cmo), $"cmo_payables[{i}].cmo", $"must be a CMO of the agency; {books.Payables[i].Cmo} is none");
            Amount($"cmo_payables[{i}].amount", books.Payables[i].Amount);
        }

        Once("cmo_payables", "cmo", books.Payables.Select(r => r.Cmo));
        for (var i = 0; i < books.Series.Length; i++)
        {
            Check(books.Series[i].Next is >= 1 and <= 1_000_000_000, $"series[{i}].next_number", $"must be 1 to 1000000000; it is {Text(books.Series[i].Next)}");
            var why = books.Series[i].Next < 1 ? null : facts.Refused.GetValueOrDefault(books.Series[i].Series);
            Check(why is null, $"series[{i}].series", $"must be one that can go on with {Text(books.Series[i].Next)}. {why}");
        }

        Once("series", "series", books.Series.Select(r => r.Series));
        return [.. _wrong.Take(MostTold)];
    }

    private void Invoice(string path, OpenInvoice row)
    {
        Client(path, row.Client);
        Check(!facts.Taken.Contains(row.NumberKey), $"{path}.number", $"must be of an invoice that is not here yet; {row.Number} is");
        Check(IsPlain(row.NumberKey), $"{path}.number", "must have no characters that do not print, no blank in front or behind, and one at most between");
        Check(!IsYetToCome(row.NumberKey), $"{path}.number", $"must not be a number that a series here is yet to give, as {row.Number} is");
        Check(row.IssueDate <= import.On, $"{path}.issue_date", $"must not be after the cut-over, {Text(import.On)}");
        Check(row.DueDate >= row.IssueDate, $"{path}.due_date", $"must not be before the issue date, {Text(row.IssueDate)}");
        Amount($"{path}.total_amount", row.Total);
        Amount($"{path}.tax_amount", row.Tax, least: 0);
        Check(row.Tax.Minor < Math.Max(1, row.Total.Minor), $"{path}.tax_amount.minor_units", $"must be less than the total, {Text(row.Total.Minor)}");
        Amount($"{path}.open_amount", row.Open);
        Check(row.Open.Minor <= Math.Max(1, row.Total.Minor), $"{path}.open_amount.minor_units", $"must be at most the total, {Text(row.Total.Minor)}");
    }

    private void Deferral(string path, OpeningDeferral row)
    {
        Amount($"{path}.amount", row.Amount);
        Check(row.Days.Start >= import.On, $"{path}.start_date", $"must not be before the cut-over, {Text(import.On)}: what was earned by then is no longer deferred");
        Check(row.Days.End > row.Days.Start, $"{path}.end_date", $"must be after the start, {Text(row.Days.Start)} (the end is exclusive)");
        if (Engagement(path, row.Engagement) is { BillsAhead: true } engagement)
        {
            Check(
                row.Days.End <= engagement.BillingStartsOn, $"{path}.end_date",
                $"must not be after {Text(engagement.BillingStartsOn)}, the engagement's billing_start_date: from then on its fee is charged here");
        }
    }

    private void Grant(string path, OpeningGrant row)
    {
        var isBlock = row.Origin == GrantOrigin.Prepaid;
        Check(row.Minutes >= (isBlock ? 1 : 0) && row.Minutes <= MostMinutes, $"{path}.minutes", $"must be {(isBlock ? 1 : 0)} to {MostMinutes} minutes; it is {row.Minutes}");
        Check(row.ExpiresAt > import.On, $"{path}.expire_date", $"must be after the cut-over, {Text(import.On)}: what has expired is not left");
        if (row.Deferred is { } deferred)
        {
            Check(isBlock, $"{path}.deferred_amount", "must only be set of a prepaid block");
            Amount($"{path}.deferred_amount", deferred, least: 0);
        }

        if (Engagement(path, row.Engagement) is { } engagement)
        {
            Check(engagement.HasMeter, $"{path}.engagement", "must have a meter at the cut-over: a retainer or prepaid hours");
            Check(!engagement.HasTime, $"{path}.engagement", $"must have no approved time of {Text(import.On)} or later yet: what is left comes before what is drawn");
            Check(
                !isBlock || engagement.Blocks + import.Books.Grants.Count(g => g.Engagement == row.Engagement && g.Origin == GrantOrigin.Prepaid) <= Engagements.Engagement.MostBlocks,
                $"{path}.engagement", $"must have at most {Engagements.Engagement.MostBlocks} prepaid blocks over time");
            Check(
                row.Origin != GrantOrigin.Included || row.Minutes == 0 || engagement.BillingStartsOn > import.On, $"{path}.kind",
                "must be CARRIED or PREPAID of an engagement that is billed from the cut-over on: its own included minutes begin that day");
        }
    }

    private EngagementAtCutOver? Engagement(string path, EngagementId id)
    {
        if (facts.Engagements.GetValueOrDefault(id) is not { } engagement)
        {
            Check(false, $"{path}.engagement", $"must be an engagement of the agency; {id} is none");
            return null;
        }

        Check(engagement.Runs, $"{path}.engagement", $"must be activated and not over on {Text(import.On)}");
        Check(
            engagement.Seller == import.LegalEntity && engagement.Currency == import.Currency, $"{path}.engagement",
            $"must be charged by {import.LegalEntity} in {import.Currency}; {id} is charged by {engagement.Seller} in {engagement.Currency}");
        Check(
            !engagement.Runs || engagement.BillingStartsOn >= import.On, $"{path}.engagement",
            $"must have a billing_start_date of the cut-over or later, so that nothing earlier is billed again; {id} is billed from {Text(engagement.BillingStartsOn)}");
        return engagement;
    }

    private void Client(string path, ClientCompanyId client) =>
        Check(facts.Clients.Contains(client), $"{path}.client_company", $"must be a client company of the agency; {client} is none");

    private void Amount(string path, Money amount, long least = 1)
    {
        Check(amount.Currency == import.Currency, $"{path}.currency", $"must be the import's, {import.Currency}; it is {amount.Currency}");
        Check(amount.Minor >= least && amount.Minor <= Money.MostMinor, $"{path}.minor_units", $"must be {Text(least)} to {Text(Money.MostMinor)} minor units; it is {Text(amount.Minor)}");
    }

    private void Once<T>(string list, string field, IEnumerable<T> keys) where T : notnull
    {
        var (seen, i) = (new Dictionary<T, int>(), 0);
        foreach (var key in keys)
        {
            if (!seen.TryAdd(key, i))
            {
                Check(false, $"{list}[{i}].{field}", $"must be that of one row; row {seen[key]} has the same");
            }

            i++;
        }
    }

    private static bool IsPlain(string number) =>
        number.Trim() == number && !number.Contains("  ", StringComparison.Ordinal)
        && !number.EnumerateRunes().Any(r => Rune.GetUnicodeCategory(r) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);

    /// <summary>Whether it reads like a number that a series of the legal entity gives later on, from where this import lets it go on.</summary>
    private bool IsYetToCome(string number) => facts.Series.Any(s => import.Books.Series.FirstOrDefault(r => r.Series == s.Key) is { } row
        ? s.Value.Format.IsYetToGive(number, row.Next - 1, import.On.Year, today.Year)
        : s.Value.Format.IsYetToGive(number, s.Value.Last, s.Value.Year, today.Year));

    private void Check(bool right, string field, string rule)
    {
        if (!right)
        {
            _wrong.Add(new FieldViolation(field, rule));
        }
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Text(LocalDate date) => date.ToString("uuuu-MM-dd", CultureInfo.InvariantCulture);
}
