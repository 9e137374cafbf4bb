using System.Text.Json;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Time;
using NodaTime;
using Xunit.Abstractions;
using static AgencyPlatform.Domain.Tests.Billing.WorkedExamples;

namespace AgencyPlatform.Domain.Tests.Billing;

/// <summary>
/// What years of use do to an account's state. Its lines stay, since a change in the past may credit each of them; payments are bounded.
/// </summary>
public sealed class Years_of_an_account(ITestOutputHelper output)
{
    [Fact]
    public void Five_years_of_monthly_invoices_with_twenty_entries_and_two_payments_each_are_less_than_half_a_megabyte()
    {
        var start = new LocalDate(2026, 1, 1);
        var entries = Enumerable.Range(0, 1_200).Select(i => start.PlusMonths(i / 20).PlusDays(i % 20) is var date
            ? new BillableEntry(TimeEntryKey.Of(new CmoId("cmo"), IsoWeek.Of(date), new TimeEntryId($"entry-{i}")), new CmoId("cmo"), date, 60, 0) : null!);
        var inputs = Inputs(start, null, Retainer(start, 800_000)) with { Entries = [.. entries] };
        var (account, facts) = (BillingAccount.Initial, Facts(inputs) with { Tax = new TaxTreatment(TaxCategory.Standard, 77_000) });
        for (var month = 0; month < 60; month++)
        {
            var date = start.PlusMonths(month);
            var (id, now) = (new InvoiceId($"invoice-{month}"), date.AtMidnight().InUtc().ToInstant() + Duration.FromHours(12));
            var known = facts with { Engagements = [inputs with { Entries = [.. inputs.Entries.Where(e => e.Date < date)] }] };
            account = Folded(account, account.Prepare(Command(date, id.Value), known, now));
            account = Folded(account, account.Finalize(id, known, now));
            account = Folded(account, account.Number(id, month + 1, date));
            foreach (var part in new[] { "a", "b" })
            {
                var payment = new RecordPayment(account.Account!, new($"pay-{month}{part}"), 400_000, date, $"wire {month}{part}", []);
                account = Folded(account, account.Record(payment, "America/New_York", now));
            }
        }

        Assert.Equal((60, 120), (account.Standing.Length, account.Payments.Length));
        var bytes = JsonSerializer.SerializeToUtf8Bytes(account, EventJson.Options).Length;
        output.WriteLine($"{bytes} bytes of snapshot.");
        Assert.InRange(bytes, 50_000, 500_000);
    }
}
