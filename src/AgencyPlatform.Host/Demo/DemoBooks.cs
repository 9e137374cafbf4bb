using AgencyPlatform.Protocol.Billing.V1;
using NodaTime;
using static AgencyPlatform.Host.Demo.DemoWire;

namespace AgencyPlatform.Host.Demo;

/// <summary>What the demo bills, month by month, and whether the books are right.</summary>
internal sealed class DemoBooks(DemoStage stage)
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(50);

    private readonly BillingService.BillingServiceClient _billing = stage.Platform.Billing;
    private readonly List<BillingRunResult> _failures = [];
    private LocalDate _billedTo = stage.Start;
    private int _runs;

    /// <summary>All invoices and credit notes, as they were after the last billing.</summary>
    public IReadOnlyList<Invoice> Invoices { get; private set; } = [];

    /// <summary>The ledger as of today, with what the days since the last postings have earned.</summary>
    public IReadOnlyDictionary<LedgerAccount, long> Balances { get; private set; } = new Dictionary<LedgerAccount, long>();

    /// <summary>What is open as of today, by account.</summary>
    public IReadOnlyList<AccountAging> Aging { get; private set; } = [];

    /// <summary>The same of all accounts.</summary>
    public AgingAmounts AgingTotal { get; private set; } = new();

    public Margin MarginByMonth { get; private set; } = new();

    public Margin MarginByClient { get; private set; } = new();

    /// <summary>Bills the agency to a date with one run: the month's fees, and the hours of the month before. Gives what was billed.</summary>
    public async Task<IReadOnlyList<BillingRunResult>> Bill(LocalDate to)
    {
        _billedTo = to;
        var runs = stage.Platform.BillingRuns;
        var name = $"{stage.Agency}/billingRuns/run-{++_runs}";
        await runs.RunBillingAsync(
            new RunBillingRequest { Parent = stage.Agency, BillingRunId = Last(name), LegalEntity = stage.LegalEntity, ToDate = Wire(to), Mode = BillingRunMode.Finalize }, cancellationToken: stage.Cancellation);
        while ((await runs.GetBillingRunAsync(new GetBillingRunRequest { Name = name }, cancellationToken: stage.Cancellation)).State == BillingRunState.Running)
        {
            await Task.Delay(s_pause, TimeProvider.System, stage.Cancellation);
        }

        var results = await All<BillingRunResult>(async token =>
        {
            var page = await runs.ListBillingRunResultsAsync(new ListBillingRunResultsRequest { Parent = name, PageSize = 1000, PageToken = token }, cancellationToken: stage.Cancellation);
            return (page.Results, page.NextPageToken);
        });
        _failures.AddRange(results.Where(r => r.Outcome == BillingRunOutcome.Failed));
        await Refresh();
        return [.. results.Where(r => r.Outcome == BillingRunOutcome.Billed)];
    }

    /// <summary>The ledger as of a day.</summary>
    public async Task<IReadOnlyDictionary<LedgerAccount, long>> BalancesOn(LocalDate? date) =>
        (await _billing.GetTrialBalanceAsync(new GetTrialBalanceRequest { Parent = stage.Agency, AsOfDate = date is { } d ? Wire(d) : null }, cancellationToken: stage.Cancellation))
        .Balances.ToDictionary(b => b.Account, b => b.Balance.MinorUnits);

    public Task<List<PostingLine>> Postings() => All<PostingLine>(async token =>
    {
        var page = await _billing.ListPostingsAsync(new ListPostingsRequest { Parent = stage.Agency, PageSize = 1000, PageToken = token }, cancellationToken: stage.Cancellation);
        return (page.Lines, page.NextPageToken);
    });

    /// <summary>Whether the books are right, by the public API alone.</summary>
    public async Task<IReadOnlyList<DemoCheck>> Check()
    {
        // What has changed of billed months since they were billed is billed or credited first.
        await Bill(_billedTo);
        var twice = await Bill(_billedTo);
        Balances = await BalancesOn(stage.Today);
        await Report();
        var posted = await BalancesOn(null);
        var lines = await Postings();
        var sums = lines.GroupBy(l => l.Source).Select(s => s.Sum(l => l.Amount.MinorUnits)).ToList();
        var byAccount = lines.GroupBy(l => l.Account).ToDictionary(a => a.Key, a => a.Sum(l => l.Amount.MinorUnits));
        var (debits, credits) = (Balances.Values.Where(b => b > 0).Sum(), -Balances.Values.Where(b => b < 0).Sum());
        var numbers = Invoices.Where(i => i.Kind == DocumentKind.Invoice).Select(i => i.Number).Order().ToList();

        // A debit is positive, a credit negative.
        long Posted(LedgerAccount account) => posted.GetValueOrDefault(account);
        var (receivable, credit) = (Posted(LedgerAccount.Receivable), -Posted(LedgerAccount.ClientCredit));
        var invoiced = Invoices.Sum(i => i.TotalAmount.MinorUnits);
        var paid = (await All<Payment>(async token =>
        {
            var page = await _billing.ListPaymentsAsync(new ListPaymentsRequest { Parent = stage.Agency, PageSize = 1000, PageToken = token }, cancellationToken: stage.Cancellation);
            return (page.Payments, page.NextPageToken);
        })).Where(p => p.ReversalDate is null).Sum(p => p.Amount.MinorUnits);
        var open = Invoices.Sum(i => i.OpenAmount.MinorUnits);
        var aged = Aging.Sum(a => Buckets(a.Amounts));
        var accounts = await All<BillingAccount>(async token =>
        {
            var page = await _billing.ListBillingAccountsAsync(new ListBillingAccountsRequest { Parent = stage.Agency, PageSize = 1000, PageToken = token }, cancellationToken: stage.Cancellation);
            return (page.BillingAccounts, page.NextPageToken);
        });
        var accountCredit = accounts.Sum(a => a.CreditAmount.MinorUnits);
        var earned = -Posted(LedgerAccount.Revenue) - Posted(LedgerAccount.DeferredRevenue) - Posted(LedgerAccount.TaxPayable) - Posted(LedgerAccount.UnbilledReceivable);
        var (margin, expected) = (
            new[] { MarginByMonth, MarginByClient }.Select(m => m.Totals.Sum(t => t.Margin.MinorUnits)).ToList(),
            -Balances.GetValueOrDefault(LedgerAccount.Revenue) - Balances.GetValueOrDefault(LedgerAccount.CostOfService));
        return
        [
            new("no account failed in a billing run", _failures.Count == 0, _failures.Count == 0 ? $"{_runs} runs" : string.Join(", ", _failures.Select(f => $"{Last(f.ClientCompany)}: {f.Reason}"))),
            new("billing again bills nothing", twice.Count == 0, $"{stage.Roster.Clients.Count} clients asked"),
            new("the books balance", debits == credits && (debits > 0 || Invoices.Count == 0), $"{Dollars(debits)} of debits, {Dollars(credits)} of credits"),
            new("every posting balances, and the balances are their sums",
                sums.TrueForAll(s => s == 0) && byAccount.OrderBy(b => b.Key).SequenceEqual(posted.OrderBy(b => b.Key)), $"{lines.Count} lines of {sums.Count} postings"),
            new("invoice numbers have no gap", numbers.Select((n, i) => n == i + 1).All(right => right), $"1 to {numbers.Count}"),
            new("what was invoiced is paid or owed", invoiced + credit == paid + receivable, $"{Dollars(invoiced)} and {Dollars(credit)} of credit; {Dollars(paid)} paid, {Dollars(receivable)} owed"),
            new("what was invoiced is earned, deferred or tax", invoiced == earned, Dollars(earned)),
            new("what clients owe is what is open of their invoices", receivable == open, $"{Dollars(receivable)} in the books, {Dollars(open)} on invoices"),
            new("the aging sums to what clients owe", aged == receivable && Buckets(AgingTotal) == receivable && (AgingTotal.OpenAmount?.MinorUnits ?? 0) == receivable, Dollars(aged)),
            new("the credit in the books is that of the accounts", credit == accountCredit && credit == (AgingTotal.CreditAmount?.MinorUnits ?? 0), $"{Dollars(accountCredit)} of {accounts.Count(a => a.CreditAmount.MinorUnits != 0)} accounts"),
            new("margins sum to revenue less cost", margin.TrueForAll(m => m == expected), Dollars(expected)),
        ];
    }

    private static long Buckets(AgingAmounts a) =>
        new[] { a.CurrentAmount, a.Overdue1To30Amount, a.Overdue31To60Amount, a.Overdue61To90Amount, a.OverdueOver90Amount }.Sum(b => b?.MinorUnits ?? 0);

    private async Task Refresh() => Invoices = await All<Invoice>(async token =>
    {
        var page = await _billing.ListInvoicesAsync(new ListInvoicesRequest { Parent = stage.Agency, PageSize = 1000, PageToken = token }, cancellationToken: stage.Cancellation);
        return (page.Invoices, page.NextPageToken);
    });

    /// <summary>Aging and margin, as of today.</summary>
    private async Task Report()
    {
        Aging = await All<AccountAging>(async token =>
        {
            var page = await _billing.GetAgingAsync(new GetAgingRequest { Parent = stage.Agency, AsOfDate = Wire(stage.Today), PageSize = 1000, PageToken = token }, cancellationToken: stage.Cancellation);
            AgingTotal = page.Totals.SingleOrDefault() ?? new AgingAmounts();
            return (page.Accounts, page.NextPageToken);
        });
        var request = new GetMarginRequest { Parent = stage.Agency, StartDate = Wire(stage.Start), EndDate = Wire(stage.Today.PlusDays(1)) };
        MarginByMonth = await stage.Platform.Payables.GetMarginAsync(new GetMarginRequest(request) { ByMonth = true }, cancellationToken: stage.Cancellation);
        MarginByClient = await stage.Platform.Payables.GetMarginAsync(new GetMarginRequest(request) { GroupBy = MarginGroup.ClientCompany }, cancellationToken: stage.Cancellation);
    }
}
