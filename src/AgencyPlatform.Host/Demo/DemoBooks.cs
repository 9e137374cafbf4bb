using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Billing.V1;
using Grpc.Core;
using NodaTime;
using static AgencyPlatform.Host.Demo.DemoWire;

namespace AgencyPlatform.Host.Demo;

/// <summary>What the demo bills, month by month, and whether the books are right.</summary>
internal sealed class DemoBooks(DemoStage stage)
{
    private readonly BillingService.BillingServiceClient _billing = stage.Platform.Billing;
    private readonly List<Invoice> _invoices = [];
    private LocalDate _billedTo = stage.Start;

    public IReadOnlyList<Invoice> Invoices => _invoices;

    public IReadOnlyDictionary<LedgerAccount, long> Balances { get; private set; } = new Dictionary<LedgerAccount, long>();

    /// <summary>Bills every client to a date: the month's fees, and the hours of the month before. Gives how many had something to be billed.</summary>
    public async Task<int> Bill(LocalDate to)
    {
        _billedTo = to;
        var billed = 0;
        foreach (var client in stage.Roster.Clients.Select(c => stage.ClientName(c.Id)))
        {
            try
            {
                var draft = await _billing.PrepareInvoiceAsync(
                    new PrepareInvoiceRequest { Parent = stage.Agency, ClientCompany = client, LegalEntity = stage.Agency + "/legalEntities/us", Currency = "USD", ToDate = Wire(to) },
                    cancellationToken: stage.Cancellation);
                _invoices.Add(await _billing.FinalizeInvoiceAsync(new FinalizeInvoiceRequest { Name = draft.Name, Etag = draft.Etag }, cancellationToken: stage.Cancellation));
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
    public async IAsyncEnumerable<DemoCheck> Check()
    {
        // What has changed of billed months since they were billed is billed or credited first.
        await Bill(_billedTo);
        var trial = await _billing.GetTrialBalanceAsync(new GetTrialBalanceRequest { Parent = stage.Agency }, cancellationToken: stage.Cancellation);
        Balances = trial.Balances.ToDictionary(b => b.Account, b => b.Balance.MinorUnits);
        var (debits, credits) = (Balances.Values.Where(b => b > 0).Sum(), -Balances.Values.Where(b => b < 0).Sum());
        yield return new("the books balance", debits == credits && (debits > 0 || _invoices.Count == 0), $"{Dollars(debits)} of debits, {Dollars(credits)} of credits");

        var (lines, sums) = (0, new Dictionary<string, long>(StringComparer.Ordinal));
        var byAccount = new Dictionary<LedgerAccount, long>();
        for (var token = ""; ;)
        {
            var page = await _billing.ListPostingsAsync(new ListPostingsRequest { Parent = stage.Agency, PageSize = 1000, PageToken = token }, cancellationToken: stage.Cancellation);
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

        yield return new("every posting balances, and the balances are their sums",
            sums.Values.All(s => s == 0) && byAccount.OrderBy(b => b.Key).SequenceEqual(Balances.OrderBy(b => b.Key)), $"{lines} lines of {sums.Count} postings");

        var numbers = _invoices.Where(i => i.Kind == DocumentKind.Invoice).Select(i => i.Number).Order().ToList();
        yield return new("invoice numbers have no gap", numbers.Select((n, i) => n == i + 1).All(right => right), $"1 to {numbers.Count}");

        // Less the credit that credit notes have left them with.
        var owed = Balances.GetValueOrDefault(LedgerAccount.Receivable) + Balances.GetValueOrDefault(LedgerAccount.ClientCredit);
        yield return new("what clients owe is what their invoices say", owed == _invoices.Sum(i => i.TotalAmount.MinorUnits), Dollars(owed));

        var twice = await Bill(_billedTo);
        yield return new("billing again bills nothing", twice == 0, $"{stage.Roster.Clients.Count} clients asked");
    }
}
