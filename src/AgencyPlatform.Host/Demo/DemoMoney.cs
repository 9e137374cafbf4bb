using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Billing.V1;
using Grpc.Core;
using NodaTime;
using static AgencyPlatform.Host.Demo.DemoWire;

namespace AgencyPlatform.Host.Demo;

/// <summary>
/// The money that comes in and goes out, and the months that are closed. Most clients pay on the due date, every fifth one late; of the first invoices one is paid
/// by half, one twice, and one by a wire that bounces. Who that is follows from the roster.
/// </summary>
internal sealed class DemoMoney(DemoStage stage, DemoBooks books)
{
    /// <summary>Days from an invoice's issue to its due date.</summary>
    public const int TermDays = 21;

    private const int DaysLate = 20;
    private const int PaysHalf = 1;
    private const int PaysTwice = 2;
    private const int Bounces = 6;

    private readonly BillingService.BillingServiceClient _billing = stage.Platform.Billing;
    private readonly HashSet<string> _answered = [];
    private readonly List<Payment> _bouncing = [];
    private readonly HashSet<string> _hadCredit = [];
    private readonly List<PayoutRunItem> _payouts = [];
    private readonly Dictionary<LocalDate, IReadOnlyDictionary<LedgerAccount, long>> _closed = [];
    private int _wires;

    /// <summary>What came in, less what bounced.</summary>
    public long PaidCents { get; private set; }

    /// <summary>Invoices that were due before today and are open.</summary>
    public int Overdue => books.Invoices.Count(v => v.Kind == DocumentKind.Invoice && v.OpenAmount.MinorUnits > 0 && FromWire(v.DueDate) < stage.Today);

    /// <summary>What the bank tells of the week that is over: wires for what fell due, and one that did not stand.</summary>
    public async Task<IReadOnlyList<string>> Monday()
    {
        var (notes, wires, late, cents) = (new List<string>(), 0, 0, 0L);
        foreach (var wire in _bouncing)
        {
            await _billing.ReversePaymentAsync(new ReversePaymentRequest { Name = wire.Name, Reason = "The wire bounced." }, cancellationToken: stage.Cancellation);
            stage.Count(DemoEvent.Bounced);
            PaidCents -= wire.Amount.MinorUnits;
            notes.Add($"{Last(wire.ClientCompany)}'s wire of {Dollars(wire.Amount.MinorUnits)} bounces: its invoice is open again");
        }

        _bouncing.Clear();
        for (var i = 0; i < stage.Roster.Clients.Count; i++)
        {
            var (client, daysLate) = (stage.ClientName(stage.Roster.Clients[i].Id), i % 5 == 4 ? DaysLate : 0);
            var due = books.Invoices.Where(v => v.Kind == DocumentKind.Invoice && v.ClientCompany == client && FromWire(v.DueDate).PlusDays(daysLate) <= stage.Today).OrderBy(v => v.Number).ToList();
            foreach (var invoice in due)
            {
                var (open, first) = (invoice.OpenAmount.MinorUnits, invoice == due[0]);
                if (!_answered.Add(invoice.Name) || open == 0)
                {
                    continue;
                }

                var amount = (first, i) switch { (true, PaysHalf) => (open + 1) / 2, (true, PaysTwice) => open * 2, _ => open };
                var wire = await Pay(invoice, FromWire(invoice.DueDate).PlusDays(daysLate), amount);
                (wires, late, cents) = (wires + 1, late + (daysLate > 0 ? 1 : 0), cents + amount);
                if (daysLate > 0)
                {
                    stage.Count(DemoEvent.PaidLate);
                }
                else if (amount > open)
                {
                    _hadCredit.Add(client);
                    stage.Count(DemoEvent.PaidTwice);
                    notes.Add($"{Last(client)} pays twice: {Dollars(wire.CreditAmount.MinorUnits)} are its credit");
                }
                else if (amount < open)
                {
                    stage.Count(DemoEvent.PaidInPart);
                    notes.Add($"{Last(client)} pays half: {Dollars(open - amount)} stay open");
                }
                else if ((first, i) == (true, Bounces))
                {
                    _bouncing.Add(wire);
                }
                else
                {
                    stage.Count(DemoEvent.PaidOnTime);
                }
            }
        }

        return wires == 0 ? notes : [$"{wires} invoices are paid, {Dollars(cents)}{(late == 0 ? "" : $", {(late == wires ? "all" : $"{late}")} of them {DaysLate} days late")}", .. notes];
    }

    /// <summary>After a billing: credit that went into invoices is told, CMOs are paid for the month, and the month before is closed.</summary>
    /// <param name="month">The first day of the new month.</param>
    public async Task<IReadOnlyList<string>> MonthEnd(LocalDate month, IReadOnlyList<BillingRunResult> billed)
    {
        var notes = new List<string?>();
        foreach (var result in billed.Where(r => _hadCredit.Contains(r.ClientCompany)))
        {
            var invoice = await _billing.GetInvoiceAsync(new GetInvoiceRequest { Name = result.Invoice }, cancellationToken: stage.Cancellation);
            if (invoice.PrepaidAmount is { MinorUnits: > 0 and var used })
            {
                stage.Count(DemoEvent.CreditUsed);
                notes.Add($"{Dollars(used)} of {Last(result.ClientCompany)}'s credit go into its invoice");
            }
        }

        notes.Add(await PayCmos(month.PlusDays(-1)));
        notes.Add(await Close(month.PlusMonths(-1).PlusDays(-1)));
        return [.. notes.OfType<string>()];
    }

    /// <summary>Whether CMOs are owed what their statements say, and closed months stand as they were closed.</summary>
    public async Task<IReadOnlyList<DemoCheck>> Check()
    {
        var owed = 0L;
        foreach (var cmo in stage.Roster.Cmos)
        {
            owed += (await stage.Platform.Payables.GetCmoStatementAsync(
                new GetCmoStatementRequest
                {
                    Name = stage.CmoName(cmo.Id),
                    LegalEntity = stage.LegalEntity,
                    Currency = "USD",
                    StartDate = Wire(stage.Start),
                    EndDate = Wire(stage.Today.PlusDays(1)),
                    PageSize = 1,
                },
                cancellationToken: stage.Cancellation)).ClosingBalance.MinorUnits;
        }

        var unpaid = _payouts.Where(p => p.Payout.Length == 0).ToList();
        var (lines, off) = (await books.Postings(), new List<string>());
        var closings = (await stage.Platform.Books.ListClosingsAsync(new ListClosingsRequest { Parent = stage.LegalEntity, PageSize = 1000 }, cancellationToken: stage.Cancellation)).Closings;
        foreach (var closing in closings)
        {
            var through = FromWire(closing.ClosedThroughDate);
            var late = lines.Count(l => FromWire(l.PostingDate) <= through && l.PostTime.ToDateTimeOffset() > closing.CloseTime.ToDateTimeOffset());
            var now = await books.BalancesOn(through);
            if (late > 0 || !_closed[through].OrderBy(b => b.Key).SequenceEqual(now.OrderBy(b => b.Key)))
            {
                off.Add($"{Text(through)}: {late} lines came later");
            }
        }

        stage.Count(DemoEvent.PostedOpen, lines.Where(l => l.EffectiveDate is not null).Select(l => l.Source).Distinct().Count());
        return
        [
            new("CMOs are owed what their statements say", owed == -books.Balances.GetValueOrDefault(LedgerAccount.CmoPayable), Dollars(owed)),
            new("nobody was left out of a payout run", unpaid.Count == 0, unpaid.Count == 0 ? $"{_payouts.Count} payouts" : string.Join(", ", unpaid.Select(p => $"{Last(p.Cmo)}: {p.Reason}"))),
            new("closed months stand as they were closed", off.Count == 0 && closings.Count == _closed.Count, off.Count == 0 ? $"{closings.Count} closings" : string.Join(", ", off)),
        ];
    }

    private async Task<Payment> Pay(Invoice invoice, LocalDate received, long cents)
    {
        var open = Math.Min(cents, invoice.OpenAmount.MinorUnits);
        PaidCents += cents;
        return await _billing.RecordPaymentAsync(
            new RecordPaymentRequest
            {
                Parent = stage.Agency,
                ClientCompany = invoice.ClientCompany,
                LegalEntity = stage.LegalEntity,
                Currency = "USD",
                Amount = Usd(cents),
                ReceivedDate = Wire(received),
                PaymentId = $"wire-{++_wires:000}",
                Reference = $"WIRE {Last(invoice.ClientCompany)} {Text(FromWire(invoice.ToDate))}",
                Allocations = { new Allocation { Invoice = invoice.Name, Amount = Usd(open) } },
            },
            cancellationToken: stage.Cancellation);
    }

    private async Task<string?> PayCmos(LocalDate through)
    {
        try
        {
            var run = await stage.Platform.Payables.RunPayoutsAsync(
                new RunPayoutsRequest
                {
                    Parent = stage.Agency,
                    PayoutRunId = $"pay-{Text(through)}",
                    LegalEntity = stage.LegalEntity,
                    Currency = "USD",
                    ThroughDate = Wire(through),
                    PayDate = Wire(stage.Today),
                    Reference = $"PAY {Text(through)}",
                },
                cancellationToken: stage.Cancellation);
            _payouts.AddRange(run.Items);
            stage.Count(DemoEvent.CmoPaid, run.Items.Count);
            return $"{run.Items.Count} CMOs are paid what they have earned through {Text(through)}, {Dollars(run.Total.MinorUnits)}";
        }
        catch (ApiException e) when (e.StatusCode == StatusCode.FailedPrecondition && e.Reason == Domain.Reasons.NothingToPay)
        {
            return null;
        }
    }

    private async Task<string?> Close(LocalDate through)
    {
        if (through < stage.Start)
        {
            return null;
        }

        var open = (await stage.Platform.Books.GetClosingChecklistAsync(
            new GetClosingChecklistRequest { Name = stage.LegalEntity, ThroughDate = Wire(through) }, cancellationToken: stage.Cancellation)).OpenItems;
        await stage.Platform.Books.CloseBooksAsync(
            new CloseBooksRequest { Name = stage.LegalEntity, ThroughDate = Wire(through), AcceptOpenItems = true }, cancellationToken: stage.Cancellation);
        stage.ClosedThrough = through;
        _closed[through] = await books.BalancesOn(through);
        stage.Count(DemoEvent.MonthClosed);
        return $"the books are closed through {Text(through)}"
            + (open.Count == 0 ? "" : $", with {string.Join(" and ", open.Select(o => $"{o.Count} {Told(o.Kind)}"))} open");
    }

    private static string Told(OpenItemKind kind) => kind switch
    {
        OpenItemKind.UnsubmittedTime => "entries not submitted",
        OpenItemKind.UnapprovedTime => "entries not approved",
        OpenItemKind.ParkedTime => "entries parked",
        OpenItemKind.OpenDraft => "drafts",
        OpenItemKind.UnallocatedCredit => "accounts with credit",
        _ => kind.ToString(),
    };
}
