using System.Collections.Immutable;
using AgencyPlatform.Domain.Billing;
using CsCheck;
using NodaTime;
using static AgencyPlatform.Domain.Tests.Billing.WorkedExamples;

namespace AgencyPlatform.Domain.Tests.Billing;

/// <summary>Whatever is invoiced, paid, credited, refunded, reversed and written off in whatever order: the books balance and say what the account says.</summary>
public sealed class The_books_of_an_account
{
    private const string Zone = "America/New_York";

    private static readonly LocalDate s_start = new(2026, 1, 10);
    private static readonly AccountId s_account = new(new ClientCompanyId("acme"), new LegalEntityId("us"), new Currency("USD"));

    /// <summary>What happens next.</summary>
    /// <param name="Pick">Of the invoices or payments that there are.</param>
    private sealed record Turn(int Kind, int Pick, long Amount, bool Flag);

    private static readonly Gen<Turn[]> s_turns = Gen.Select(Gen.Int[0, 9], Gen.Int[0, 30], Gen.Long[1, 1_500_000], Gen.Bool)
        .Select((kind, pick, amount, flag) => new Turn(kind, pick, amount, flag)).Array[1, 30];

    [Fact]
    public void They_balance_and_say_what_the_account_says() => Gen.Select(s_turns, Gen.Bool, Gen.Bool).Sample((turns, arrears, brought) =>
    {
        var books = new Books(arrears);
        if (brought)
        {
            books.Bring();
            books.Check();
        }

        for (var i = 0; i < turns.Length; i++)
        {
            books.Take(turns[i], i);
            books.Check();
        }

        // When whatever is left of any line is credited, nothing was charged in the end.
        books.CreditAll();
        books.Check();
        var opened = (books.Account.Deferred ?? []).Sum(d => d.Amount);
        Assert.Equal((0, 0), (books.Own.Sum(i => i.Content.Net), books.Own.Sum(i => i.Content.Tax)));
        Assert.Equal(-opened, books.Ledger(LedgerAccount.TaxPayable) + books.Ledger(LedgerAccount.DeferredRevenue) + books.Ledger(LedgerAccount.Revenue) + books.Ledger(LedgerAccount.UnbilledReceivable));
    }, iter: 3_000);

    private sealed class Books(bool arrears)
    {
        private readonly List<PostingRow> _postings = [];
        private readonly List<AccountEntryRow> _entries = [];
        private readonly Dictionary<InvoiceId, InvoiceRow> _invoices = [];
        private readonly List<RecognitionRow> _fees = [];
        private readonly HashSet<IRow> _claimed = [];
        private ImmutableArray<Terms> _terms = [Retainer(s_start, 800_000) with { Timing = arrears ? FeeTiming.InArrears : FeeTiming.InAdvance }];
        private LocalDate? _end;
        private LocalDate _today = s_start;
        private long _version;
        private BillingAccountRow? _row;

        public BillingAccount Account { get; private set; } = BillingAccount.Initial;

        private Instant Now => _today.AtMidnight().InUtc().ToInstant() + Duration.FromHours(12);

        /// <summary>Without those that were brought from elsewhere.</summary>
        public IEnumerable<Invoice> Own => Account.Standing.Where(i => i.Imported is null);

        private List<Invoice> Final => [.. Account.Standing.Where(i => i.IsFinal)];

        public long Ledger(LedgerAccount account) => _postings.Where(p => p.Account == account).Sum(p => p.Amount);

        /// <summary>Open invoices and credit of a client that comes over from elsewhere; the entry is the import's.</summary>
        public void Bring()
        {
            ImmutableArray<BroughtInvoice> invoices =
            [
                new(new("old-1"), "old 1", s_start.PlusDays(-40), s_start.PlusDays(-10), 119_000, 19_000, 40_000), new(new("old-2"), "old 2", s_start, s_start.PlusDays(200), 700_000, 0, 700_000),
            ];
            ImmutableArray<OpeningDeferred> deferred =
                [new(new("growth"), 120_000, new DateRange(s_start, s_start.PlusDays(45))), new(new("growth"), 33_333, new DateRange(s_start.PlusDays(10), s_start.PlusDays(17)))];
            Assert.True(Decide(a => a.Import(new ImportOpening(s_account, new("cut-over"), s_start, invoices, 25_000, deferred, Zone), Now)));
            (LedgerAccount Account, long Amount)[] entry =
                [(LedgerAccount.Receivable, 740_000), (LedgerAccount.ClientCredit, -25_000), (LedgerAccount.DeferredRevenue, -153_333), (LedgerAccount.OpeningBalance, -561_667)];
            _postings.AddRange(entry.Select((l, i) => new PostingRow(s_account.LegalEntity, s_start, "open-books-import/cut-over/1", i, l.Account, "USD", l.Amount, s_account.Client, null, null)));
        }

        public void Take(Turn turn, int index)
        {
            var open = Account.Standing.Where(i => i.Open > 0).ToList();
            switch (turn.Kind)
            {
                case 0 or 1:
                    _today = _today.PlusDays(20);
                    Settle();
                    Bill($"run-{index}");
                    break;
                case 2 when _today > _terms[^1].EffectiveFrom:
                    // A change in the past: the next run has credit lines.
                    _terms = _terms.Add(((RetainerTerms)_terms[^1]) with { EffectiveFrom = LocalDate.Max(_terms[^1].EffectiveFrom.PlusDays(1), _today.PlusDays(-turn.Pick)), Fee = turn.Amount });
                    break;
                case 3:
                    _end = turn.Flag ? null : s_start.PlusDays(5 + turn.Pick * 4);
                    break;
                case 4 or 5:
                    ImmutableArray<Allocation> named = turn.Flag || open.Count == 0 ? [] : [new Allocation(open[turn.Pick % open.Count].Id, Math.Min(turn.Amount, open[turn.Pick % open.Count].Open))];
                    Decide(a => a.Record(new RecordPayment(s_account, new($"p-{index}"), turn.Amount, _today.PlusDays(-turn.Pick), $"p-{turn.Pick}", named), Zone, Now));
                    break;
                case 6 when !Account.Payments.IsEmpty:
                    Decide(a => a.Reverse(new ReversePayment(Account.Payments[turn.Pick % Account.Payments.Length].Id, "Bounced."), Zone, Now));
                    break;
                case 7 when Account.Exists:
                    Decide(a => turn.Flag ? a.Allocate(new AllocateCredit([]), Zone, Now) : a.Refund(new RefundCredit(s_account, new($"r-{index}"), Math.Max(1, Math.Min(turn.Amount, Account.Credit)), $"r-{index}"), Zone, Now));
                    break;
                case 8 when Final.Count > 0:
                    var invoice = Final[turn.Pick % Final.Count];
                    ImmutableArray<LineCredit> lines = turn.Flag ? [] : [new LineCredit(1 + turn.Pick % Math.Max(1, invoice.Content.Lines.Length), turn.Pick % 3 == 0 ? null : turn.Amount)];
                    Credit(new CreditInvoice(invoice.Id, new($"cn-{index}"), lines, turn.Amount % 2 == 0));
                    break;
                case 9 when open.Count > 0:
                    Decide(a => a.WriteOff(new WriteOffInvoice(open[turn.Pick % open.Count].Id, "Insolvent."), Zone, Now));
                    break;
            }
        }

        public void CreditAll()
        {
            foreach (var invoice in Final)
            {
                var credits = new LineCredits(Account.Standing);
                ImmutableArray<LineCredit> left =
                    [.. invoice.Content.Lines.Where(l => l is { Amount: > 0, Corrects: null } && credits.LeftOf(invoice.Id, l).Amount > 0).Select(l => new LineCredit(l.Number, null))];
                if (!left.IsEmpty)
                {
                    Credit(new CreditInvoice(invoice.Id, new($"all-{invoice.Id}"), left, false));
                }
            }
        }

        public void Check()
        {
            Assert.All(_postings.GroupBy(p => p.Source), p => Assert.Equal(0, p.Sum(l => l.Amount)));
            Assert.Equal(Account.OpenAmount, Ledger(LedgerAccount.Receivable));
            Assert.Equal(-Account.Credit, Ledger(LedgerAccount.ClientCredit));
            var moved = Account.Payments.Where(p => p.Reversal is null).ToLookup(p => p.Kind, p => p.Amount);
            Assert.Equal(moved[PaymentKind.Received].Sum() - moved[PaymentKind.Refund].Sum(), Ledger(LedgerAccount.Cash));
            Assert.Equal(Account.Standing.Sum(i => i.Settlement?.WrittenOff ?? 0), Ledger(LedgerAccount.BadDebt));
            Assert.Equal(-Final.Where(i => i.Imported is null).Sum(i => i.Content.Tax), Ledger(LedgerAccount.TaxPayable));

            // What was billed in advance is revenue by the days that have passed, and deferred for those to come; tax and what is not billed yet are the rest of what was invoiced.
            var (before, earned, charged) = (Account.Recognized?.Before ?? s_start, 0L, 0L);
            foreach (var fee in Final.SelectMany(i => i.Content.Lines).Where(l => l.Timing == FeeTiming.InAdvance).GroupBy(l => l.Item))
            {
                var days = (fee.LastOrDefault(l => !l.ByHand)?.KeyDates ?? []).SelectMany(d => Enumerable.Range(0, Period.DaysBetween(d.Start, d.End!.Value)).Select(d.Start.PlusDays)).ToList();
                var amount = fee.Sum(l => l.Amount);
                charged += amount;
                earned += days.All(d => d < before) ? amount : (long)Math.Round((decimal)amount * days.Count(d => d < before) / days.Count, MidpointRounding.AwayFromZero);
            }

            foreach (var brought in Account.Deferred ?? [])
            {
                var (days, passed) = (Period.DaysBetween(brought.Days.Start, brought.Days.End!.Value), Math.Max(0, Period.DaysBetween(brought.Days.Start, before)));
                charged += brought.Amount;
                earned += (long)Math.Round((decimal)brought.Amount * Math.Min(days, passed) / days, MidpointRounding.AwayFromZero);
            }

            Assert.Equal(earned - charged, Ledger(LedgerAccount.DeferredRevenue));
            Assert.Equal(
                Own.Where(i => i.IsFinal).Sum(i => i.Content.Total) + (Account.Deferred ?? []).Sum(d => d.Amount), -(Ledger(LedgerAccount.Revenue) + Ledger(LedgerAccount.DeferredRevenue) + Ledger(LedgerAccount.TaxPayable) + Ledger(LedgerAccount.UnbilledReceivable)));
            if (!arrears)
            {
                Assert.Equal(-earned, Ledger(LedgerAccount.Revenue));
                foreach (var date in new[] { before.PlusDays(-40), before.PlusDays(-1), before.PlusDays(11), before.PlusDays(400) })
                {
                    AsOf(date);
                }
            }

            // Nothing is negative that cannot be.
            Assert.InRange(Account.Credit, -moved[PaymentKind.Refund].Sum(), long.MaxValue);
            var credits = new LineCredits(Account.Standing);
            foreach (var i in Final)
            {
                Assert.InRange(i.Open, 0, Math.Max(0, i.Content.Total));
                Assert.True(i.Settlement is null or { Paid: >= 0, CreditApplied: >= 0, Credited: >= 0, WrittenOff: >= 0 });
                Assert.Equal(Account.Payments.Where(p => p.Reversal is null).SelectMany(p => p.Allocations).Where(a => a.Invoice == i.Id).Sum(a => a.Amount), i.Settlement?.Paid ?? 0);
                foreach (var left in i.Content.Lines.Where(l => l is { Amount: > 0, Corrects: null }).Select(l => (Of: l, credits.LeftOf(i.Id, l).Amount, credits.LeftOf(i.Id, l).Tax)))
                {
                    Assert.InRange(left.Amount, 0, left.Of.Amount);
                    Assert.InRange(left.Tax, 0, left.Of.Tax);
                }
            }

            // The rows say the same.
            Assert.All(_entries, e => Assert.Equal(e.Open - e.Credit, e.Change));
            Assert.Equal(Account.OpenAmount - Account.Credit, _entries.Sum(e => e.Change));
            var open = _entries.Where(e => e.Invoice is not null).GroupBy(e => e.Invoice!.Value).ToDictionary(g => g.Key, g => g.Sum(e => e.Open));
            Assert.All(Final, i => Assert.Equal((i.Open, i.Open, i.State), (open.GetValueOrDefault(i.Id), _invoices[i.Id].Open ?? 0, _invoices[i.Id].State)));
            Assert.True(_row is null || (_row.Open, _row.Credit) == (Account.OpenAmount, Account.Credit));

            // On no date was an invoice open by less than nothing.
            foreach (var entries in _entries.Where(e => e.Invoice is not null).GroupBy(e => e.Invoice))
            {
                var sum = 0L;
                Assert.All(entries.GroupBy(e => e.Date).OrderBy(d => d.Key), d => Assert.True((sum += d.Sum(e => e.Open)) >= 0));
            }
        }

        /// <summary>What a report as of a day adds is what makes its deferred revenue the days to come.</summary>
        private void AsOf(LocalDate date)
        {
            var pending = _fees.Where(r => r.From <= date).GroupBy(r => r.Item).Sum(i => i.MaxBy(r => r.Version)!.PendingOn(date));
            var posted = _postings.Where(p => p.Date <= date && p.Account == LedgerAccount.Revenue).Sum(p => p.Amount);
            var known = Final.Where(i => i.IssueDate <= date).SelectMany(i => i.Content.Lines).GroupBy(l => l.Item).Sum(fee =>
                new Earning(fee.Sum(l => l.Amount), fee.LastOrDefault(l => !l.ByHand)?.KeyDates ?? []).Before(date.PlusDays(1)));
            known += date < s_start ? 0 : (Account.Deferred ?? []).Sum(d => new Earning(d.Amount, [d.Days]).Before(date.PlusDays(1)));
            Assert.Equal(known, pending - posted);
        }

        /// <summary>Months end.</summary>
        private void Settle()
        {
            while (Account.Settle(Now) is { IsEmpty: false } due)
            {
                Take(due);
            }

            Assert.True(Account.NextDue is not { } next || next > Now);
        }

        private void Bill(string id)
        {
            var facts = Facts(Inputs(s_start, _end, [.. _terms])) with { Tax = new TaxTreatment(TaxCategory.Standard, 77_000) };
            if (Decide(a => a.Prepare(new PrepareInvoice(s_account, _today, null, new(id)), facts, Now)) && Account.Draft is { } draft && Decide(a => a.Finalize(draft.Id, facts, Now)))
            {
                Number(draft.Id);
            }
        }

        private void Credit(CreditInvoice command)
        {
            if (Decide(a => a.CreditByHand(command, new("main"), Now)))
            {
                Number(command.Id);
            }
        }

        private void Number(InvoiceId id) => Assert.True(Decide(a => a.Number(id, Account.Standing.Length, _today)));

        /// <summary>Whether it was accepted.</summary>
        private bool Decide(Func<BillingAccount, Decision> decide)
        {
            var decision = decide(Account);
            Take(decision.Events);
            return decision.Rejection is null;
        }

        private void Take(ImmutableArray<IEvent> events)
        {
            foreach (var @event in events)
            {
                // As it comes back from the journal.
                var name = EventJson.NameOf(@event);
                Account = Account.Apply(EventJson.Deserialize(name.Name, name.Version, EventJson.Serialize(@event)));
                foreach (var change in Account.Project(@event, new EventInfo(new("a"), s_account.Key, ++_version, Now)))
                {
                    switch (change)
                    {
                        case Claim { Row: InvoiceRow invoice }:
                            Assert.True(_invoices.TryAdd(invoice.Id, invoice));
                            break;
                        case Claim { Row: PaymentRow payment }:
                            Assert.True(_claimed.Add(payment));
                            break;
                        case Claim { Row: PaymentReferenceRow reference }:
                            Assert.True(_claimed.Add(reference));
                            break;
                        case Put { Row: InvoiceRow invoice }:
                            _invoices[invoice.Id] = invoice;
                            break;
                        case Put { Row: BillingAccountRow row }:
                            _row = row;
                            break;
                        case Put { Row: PostingRow posting }:
                            _postings.Add(posting);
                            break;
                        case Put { Row: AccountEntryRow entry }:
                            _entries.Add(entry);
                            break;
                        case Put { Row: RecognitionRow fee }:
                            _fees.Add(fee);
                            break;
                    }
                }
            }
        }
    }
}
