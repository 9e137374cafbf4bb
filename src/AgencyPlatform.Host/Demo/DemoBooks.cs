using System.Globalization;
using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Billing.V1;
using AgencyPlatform.Protocol.Time.V1;
using Grpc.Core;
using NodaTime;
using Date = Google.Type.Date;

namespace AgencyPlatform.Host.Demo;

/// <summary>An engagement under way, as time is logged on it.</summary>
internal sealed record DemoWork(string Engagement, string Cmo, int MonthlyMinutes, LocalDate Start, LocalDate? End);

/// <summary>What the demo works and bills: timesheets week by week, invoices month by month, and whether the books are right.</summary>
internal sealed class DemoBooks(AgencyPlatformClient platform, string agency, CancellationToken cancellation)
{
    private readonly TimeService.TimeServiceClient _time = platform.Time;
    private readonly BillingService.BillingServiceClient _billing = platform.Billing;
    private readonly List<Invoice> _invoices = [];

    public long WorkedMinutes { get; private set; }

    public int Entries { get; private set; }

    public IReadOnlyList<Invoice> Invoices => _invoices;

    public IReadOnlyDictionary<LedgerAccount, long> Balances { get; private set; } = new Dictionary<LedgerAccount, long>();

    /// <summary>A week of everybody: logged, submitted and approved, a sheet a CMO.</summary>
    public async Task Work(LocalDate monday, IEnumerable<DemoWork> engagements)
    {
        foreach (var sheet in engagements.GroupBy(e => e.Cmo))
        {
            var week = IsoWeek(monday);
            var log = new LogTimeRequest { Name = $"{sheet.Key}/timesheets/{week}" };
            foreach (var work in sheet)
            {
                // A twelfth of a year's minutes in 52 weeks, on two days, now above and now below what is planned.
                var id = work.Engagement[(work.Engagement.LastIndexOf('/') + 1)..];
                var swing = 90 + ((monday.DayOfYear + id.Sum(c => c)) * 7 % 31);
                var minutes = Math.Max(15, work.MonthlyMinutes * 12 / 52 / 2 * swing / 100);
                foreach (var day in new[] { monday.PlusDays(id.Length % 2), monday.PlusDays(2 + (id.Length % 2)) })
                {
                    if (day >= work.Start && (work.End is not { } end || day < end))
                    {
                        log.Entries.Add(new TimeEntry
                        {
                            EntryId = $"{id}-{(int)day.DayOfWeek}",
                            Engagement = work.Engagement,
                            Date = Wire(day),
                            Minutes = minutes,
                            Category = "strategy",
                        });
                    }
                }
            }

            if (log.Entries.Count == 0)
            {
                continue;
            }

            await _time.LogTimeAsync(log, cancellationToken: cancellation);
            await _time.SubmitTimesheetAsync(new SubmitTimesheetRequest { Name = log.Name }, cancellationToken: cancellation);
            var approved = await _time.ApproveEntriesAsync(new ApproveEntriesRequest { Name = log.Name }, cancellationToken: cancellation);
            foreach (var result in approved.Results.Where(r => !r.Approved))
            {
                throw new DemoException($"{log.Name}: {result.EntryId} was not approved: {result.Message}");
            }

            Entries += log.Entries.Count;
            WorkedMinutes += log.Entries.Sum(e => e.Minutes);
        }
    }

    /// <summary>Bills clients to a date; gives how many had something to be billed.</summary>
    public async Task<int> Bill(LocalDate to, IEnumerable<string> clients)
    {
        var billed = 0;
        foreach (var client in clients)
        {
            try
            {
                var draft = await _billing.PrepareInvoiceAsync(
                    new PrepareInvoiceRequest { Parent = agency, ClientCompany = client, LegalEntity = agency + "/legalEntities/us", Currency = "USD", ToDate = Wire(to) },
                    cancellationToken: cancellation);
                _invoices.Add(await _billing.FinalizeInvoiceAsync(new FinalizeInvoiceRequest { Name = draft.Name, Etag = draft.Etag }, cancellationToken: cancellation));
                billed++;
            }
            catch (ApiException e) when (e.StatusCode == StatusCode.FailedPrecondition && e.Reason == Domain.Reasons.NothingToBill)
            {
                // A client who has nothing new this time.
            }
        }

        return billed;
    }

    /// <summary>Whether the books are right, by the public API alone.</summary>
    public async IAsyncEnumerable<(string What, bool Passed, string Detail)> Check(LocalDate to, IReadOnlyCollection<string> clients)
    {
        var trial = await _billing.GetTrialBalanceAsync(new GetTrialBalanceRequest { Parent = agency }, cancellationToken: cancellation);
        Balances = trial.Balances.ToDictionary(b => b.Account, b => b.Balance.MinorUnits);
        var (debits, credits) = (Balances.Values.Where(b => b > 0).Sum(), -Balances.Values.Where(b => b < 0).Sum());
        yield return ("the books balance", debits == credits && (debits > 0) == (Entries + _invoices.Count > 0), $"{Dollars(debits)} of debits, {Dollars(credits)} of credits");

        var (lines, sums) = (0, new Dictionary<string, long>(StringComparer.Ordinal));
        var byAccount = new Dictionary<LedgerAccount, long>();
        for (var token = ""; ;)
        {
            var page = await _billing.ListPostingsAsync(new ListPostingsRequest { Parent = agency, PageSize = 1000, PageToken = token }, cancellationToken: cancellation);
            foreach (var line in page.Lines)
            {
                lines++;
                sums[line.Source] = sums.GetValueOrDefault(line.Source) + line.Amount.MinorUnits;
                byAccount[line.Account] = byAccount.GetValueOrDefault(line.Account) + line.Amount.MinorUnits;
            }

            token = page.NextPageToken;
            if (token.Length == 0)
            {
                break;
            }
        }

        yield return ("every posting balances, and the balances are their sums",
            sums.Values.All(s => s == 0) && byAccount.OrderBy(b => b.Key).SequenceEqual(Balances.OrderBy(b => b.Key)), $"{lines} lines of {sums.Count} postings");

        var numbers = _invoices.Where(i => i.Kind == DocumentKind.Invoice).Select(i => i.Number).Order().ToList();
        yield return ("invoice numbers have no gap", numbers.Select((n, i) => n == i + 1).All(right => right), $"1 to {numbers.Count}");

        var receivable = Balances.GetValueOrDefault(LedgerAccount.Receivable);
        yield return ("what clients owe is what their invoices say", receivable == _invoices.Sum(i => i.TotalAmount.MinorUnits), Dollars(receivable));

        var twice = await Bill(to, clients);
        yield return ("billing again bills nothing", twice == 0, $"{clients.Count} clients asked");
    }

    public static string Dollars(long cents) => (cents / 100m).ToString("$#,##0.00", CultureInfo.InvariantCulture);

    private static string IsoWeek(LocalDate monday) => string.Create(
        CultureInfo.InvariantCulture, $"{NodaTime.Calendars.WeekYearRules.Iso.GetWeekYear(monday)}-w{NodaTime.Calendars.WeekYearRules.Iso.GetWeekOfWeekYear(monday):00}");

    private static Date Wire(LocalDate date) => new() { Year = date.Year, Month = date.Month, Day = date.Day };
}
