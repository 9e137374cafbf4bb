using System.Collections.Immutable;
using System.Text.Json.Serialization;
using NodaTime;

namespace AgencyPlatform.Domain.Billing;

// ---- commands ----

/// <param name="Amount">Minor units of the account's currency, above zero.</param>
/// <param name="Received">By the seller's calendar.</param>
/// <param name="Allocations">To these invoices, the rest is account credit; none: oldest due first.</param>
[GenerateSerializer, Immutable, Alias("billing.record-payment")]
public sealed record RecordPayment(AccountId Account, PaymentId Id, long Amount, LocalDate Received, string Reference, ImmutableArray<Allocation> Allocations);

[GenerateSerializer, Immutable, Alias("billing.reverse-payment")]
public sealed record ReversePayment(PaymentId Id, string Reason);

/// <param name="Amount">Minor units of the account's currency, above zero.</param>
[GenerateSerializer, Immutable, Alias("billing.refund-credit")]
public sealed record RefundCredit(AccountId Account, PaymentId Id, long Amount, string Reference);

/// <param name="Allocations">None: all credit, oldest due first.</param>
[GenerateSerializer, Immutable, Alias("billing.allocate-credit")]
public sealed record AllocateCredit(ImmutableArray<Allocation> Allocations);

[GenerateSerializer, Immutable, Alias("billing.write-off")]
public sealed record WriteOffInvoice(InvoiceId Invoice, string Reason);

/// <param name="At">Null: now.</param>
[GenerateSerializer, Immutable, Alias("billing.mark-sent")]
public sealed record MarkInvoiceSent(InvoiceId Invoice, string Channel, Instant? At);

/// <summary>What an account comes to.</summary>
/// <param name="Open">Minor units that are open on its invoices.</param>
/// <param name="Credit">Minor units of its credit.</param>
[GenerateSerializer, Immutable, Alias("billing.account-balance")]
public sealed record AccountBalance(AccountId Account, long Open, long Credit);

// ---- events ----

/// <param name="Requested">The allocations that were asked for.</param>
/// <param name="Credit">Minor units of it that no invoice took.</param>
[Event("billing-account.payment-recorded"), GenerateSerializer, Immutable, Alias("billing-account.payment-recorded")]
public sealed record PaymentRecorded(
    AccountId Account, PaymentId Payment, long Amount, LocalDate Received, string Reference, ImmutableArray<Allocation> Requested, ImmutableArray<Allocation> Allocations, long Credit,
    Instant At, LocalDate PostingDate, Posting Posting, LocalDate? Effective = null) : IPosting
{
    [JsonIgnore]
    public LegalEntityId LegalEntity => Account.LegalEntity;

    public IPosting PostedOn(LocalDate date) => this with { PostingDate = date, Effective = Effective ?? PostingDate };
}

[Event("billing-account.credit-refunded"), GenerateSerializer, Immutable, Alias("billing-account.credit-refunded")]
public sealed record CreditRefunded(AccountId Account, PaymentId Payment, long Amount, string Reference, Instant At, LocalDate PostingDate, Posting Posting, LocalDate? Effective = null) : IPosting
{
    [JsonIgnore]
    public LegalEntityId LegalEntity => Account.LegalEntity;

    public IPosting PostedOn(LocalDate date) => this with { PostingDate = date, Effective = Effective ?? PostingDate };
}

/// <summary>A payment or refund did not stand: its allocations are undone, and its credit is taken back.</summary>
/// <param name="Reopened">Its own allocations.</param>
/// <param name="TakenBack">Credit that had gone to other invoices meanwhile, taken back as far as the account has none left.</param>
/// <param name="Credit">Minor units by which the account's credit falls, before what was taken back; negative of a refund.</param>
[Event("billing-account.payment-reversed"), GenerateSerializer, Immutable, Alias("billing-account.payment-reversed")]
public sealed record PaymentReversed(
    AccountId Account, PaymentId Payment, PaymentKind Kind, string Reason, ImmutableArray<Allocation> Reopened, ImmutableArray<Allocation> TakenBack, long Credit, Instant At, LocalDate PostingDate,
    Posting Posting, LocalDate? Effective = null) : IPosting
{
    [JsonIgnore]
    public LegalEntityId LegalEntity => Account.LegalEntity;

    public IPosting PostedOn(LocalDate date) => this with { PostingDate = date, Effective = Effective ?? PostingDate };
}

[Event("billing-account.credit-allocated"), GenerateSerializer, Immutable, Alias("billing-account.credit-allocated")]
public sealed record CreditAllocated(AccountId Account, ImmutableArray<Allocation> Allocations, LocalDate PostingDate, Posting Posting, LocalDate? Effective = null) : IPosting
{
    [JsonIgnore]
    public LegalEntityId LegalEntity => Account.LegalEntity;

    public IPosting PostedOn(LocalDate date) => this with { PostingDate = date, Effective = Effective ?? PostingDate };
}

/// <summary>What is open of an invoice will not be paid.</summary>
[Event("billing-account.invoice-written-off"), GenerateSerializer, Immutable, Alias("billing-account.invoice-written-off")]
public sealed record InvoiceWrittenOff(AccountId Account, InvoiceId Invoice, long Amount, string Reason, LocalDate PostingDate, Posting Posting, LocalDate? Effective = null) : IPosting
{
    [JsonIgnore]
    public LegalEntityId LegalEntity => Account.LegalEntity;

    public IPosting PostedOn(LocalDate date) => this with { PostingDate = date, Effective = Effective ?? PostingDate };
}

[Event("billing-account.invoice-sent"), GenerateSerializer, Immutable, Alias("billing-account.invoice-sent")]
public sealed record InvoiceSent(InvoiceId Invoice, SentMark Sent) : IEvent;

/// <summary>Payments, account credit, refunds, reversals, write-offs. Nothing is edited or deleted. Source: domain §5.</summary>
public sealed partial record BillingAccount
{
    /// <summary>How many payments and refunds the state knows: those can be reversed.</summary>
    public const int MostPayments = 256;

    /// <summary>The most invoices that one call allocates to by name.</summary>
    public const int MostAllocations = 200;

    // ---- decisions ----

    /// <summary>A payment with a known reference and the same content is the known one: nothing to do.</summary>
    public Decision Record(RecordPayment command, string timeZone, Instant now)
    {
        if (Known(PaymentKind.Received, command.Id, command.Reference, command.Amount, command.Received, command.Allocations) is { } known)
        {
            return known;
        }

        var today = Today(timeZone, now);
        if (command.Received > today)
        {
            return Rejection.Invalid(new FieldViolation("received_date", $"must not be after today, {Text(today)}"));
        }

        if (Refusal(command.Account, command.Allocations, command.Amount) is { } refused)
        {
            return refused;
        }

        var allocations = command.Allocations.IsEmpty ? OldestDueFirst(command.Amount) : command.Allocations;
        var allocated = allocations.Sum(a => a.Amount);
        var excess = command.Amount - allocated;
        return Decision.Accept(new PaymentRecorded(
            command.Account, command.Id, command.Amount, command.Received, command.Reference, command.Allocations, allocations, excess, now, Posted(command.Received, allocations),
            PostingOfPayment(command.Account, command.Amount, allocations, excess)));
    }

    /// <summary>
    /// Undoes a payment: what it was allocated to is open again, and its excess leaves the account's credit. Where that was used meanwhile, it is taken back from the
    /// newest invoices that it went to; where it was refunded, the client owes it: the credit falls below zero. A reversed one: nothing to do.
    /// </summary>
    public Decision Reverse(ReversePayment command, string timeZone, Instant now)
    {
        if (FindPayment(command.Id) is not { } payment)
        {
            return Rejection.Rule(
                Reasons.PaymentTooOld, $"The payment {command.Id} is not among the newest {MostPayments} of its account, which can be reversed: record a refund or a payment.",
                ("payment", command.Id.Value), ("newest", Text(MostPayments)));
        }

        if (payment.Reversal is not null)
        {
            return Decision.Nothing;
        }

        var missing = Math.Max(0, payment.Credit - Math.Max(0, Credit));
        var taken = ImmutableArray.CreateBuilder<Allocation>();
        foreach (var invoice in Standing.Where(i => i.Settlement is { CreditApplied: > 0 }).OrderByDescending(i => i.IssueDate).ThenByDescending(i => i.Number).TakeWhile(_ => missing > 0))
        {
            var part = Math.Min(missing, invoice.Settlement!.CreditApplied);
            taken.Add(new Allocation(invoice.Id, part));
            missing -= part;
        }

        return Decision.Accept(new PaymentReversed(
            Account!, payment.Id, payment.Kind, command.Reason, payment.Allocations, taken.ToImmutable(), payment.Credit, now,
            LocalDate.Max(Posted(Today(timeZone, now), [.. payment.Allocations, .. taken]), payment.PostingDate),
            PostingOfReversal(payment, taken)));
    }

    /// <summary>Pays account credit back. A refund with a known reference and the same content is the known one: nothing to do.</summary>
    public Decision Refund(RefundCredit command, string timeZone, Instant now) =>
        Known(PaymentKind.Refund, command.Id, command.Reference, command.Amount, null, []) is { } known ? known
        : command.Amount > Credit ? CreditTooLow(command.Amount)
        : Decision.Accept(new CreditRefunded(
            Account!, command.Id, command.Amount, command.Reference, now, Today(timeZone, now), PostingOfRefund(Account!, command.Amount)));

    public Decision Allocate(AllocateCredit command, string timeZone, Instant now)
    {
        var allocations = command.Allocations.IsEmpty ? OldestDueFirst(Math.Max(0, Credit)) : command.Allocations;
        var amount = allocations.Sum(a => a.Amount);
        return Refusal(Account!, command.Allocations, long.MaxValue) is { } refused ? refused
            : amount > Credit ? CreditTooLow(amount)
            : amount == 0 ? Rejection.Rule(
                Reasons.NothingToAllocate, $"The account has a credit of {Amount(Credit)}, and {Amount(OpenAmount)} are open on its invoices: there is nothing to allocate.",
                ("credit", Text(Credit)), ("open", Text(OpenAmount)), ("currency", Account!.Currency.Code))
            : Decision.Accept(new CreditAllocated(
                Account!, allocations, Posted(Today(timeZone, now), allocations), PostingOfCredit(Account!, allocations)));
    }

    /// <summary>Writes off all that is open of an invoice.</summary>
    public Decision WriteOff(WriteOffInvoice command, string timeZone, Instant now) =>
        Find(command.Invoice) is not { } invoice ? Rejection.NotFound("invoice", command.Invoice.Value)
        : !invoice.IsFinal ? NotFinal(invoice)
        : invoice.Open == 0 ? Rejection.Rule(Reasons.NothingOpen, $"Nothing is open of the invoice {invoice.Id}.", ("invoice", invoice.Id.Value))
        : Decision.Accept(new InvoiceWrittenOff(
            Account!, invoice.Id, invoice.Open, command.Reason, Posted(Today(timeZone, now), [new Allocation(invoice.Id, invoice.Open)]),
            PostingOfWriteOff(Account!, new Allocation(invoice.Id, invoice.Open))));

    /// <summary>Notes that a final invoice was sent. The same again: nothing to do.</summary>
    public Decision MarkSent(MarkInvoiceSent command, Instant now) =>
        Find(command.Invoice) is not { } invoice ? Rejection.NotFound("invoice", command.Invoice.Value)
        : !invoice.IsFinal ? NotFinal(invoice)
        : command.At > now ? Rejection.Invalid(new FieldViolation("send_time", "must not be in the future"))
        : command.At is { } at && invoice.Sent == new SentMark(command.Channel, at) ? Decision.Nothing
        : Decision.Accept(new InvoiceSent(invoice.Id, new SentMark(command.Channel, command.At ?? now)));

    // ---- questions ----

    /// <summary>One of the newest payments and refunds.</summary>
    public Payment? FindPayment(PaymentId id) => Payments.FirstOrDefault(p => p.Id == id);

    /// <inheritdoc cref="FindPayment(PaymentId)"/>
    public Payment? FindPayment(PaymentKind kind, string reference) => Payments.FirstOrDefault(p => p.Kind == kind && p.Reference == reference);

    [JsonIgnore]
    public long OpenAmount => Standing.Sum(i => i.Open);

    [JsonIgnore]
    public AccountBalance Balance => new(Account!, OpenAmount, Credit);

    /// <summary>What is told of a reference again: nothing to do when the content is the same, else a refusal; null when it is new.</summary>
    private Decision? Known(PaymentKind kind, PaymentId id, string reference, long amount, LocalDate? date, ImmutableArray<Allocation> requested)
    {
        if (FindPayment(kind, reference) is { } known)
        {
            return known.SameAs(kind, amount, date, requested) ? Decision.Nothing : ReferenceUsed(known, Account!);
        }

        if (FindPayment(id) is not null)
        {
            return Rejection.AlreadyExists("payment", id.Value);
        }

        return null;
    }

    /// <summary>That a reference is another payment's.</summary>
    public static Rejection ReferenceUsed(Payment known, AccountId account) => Rejection.Rule(
        Reasons.PaymentReferenceUsed,
        $"The reference {known.Reference} is that of {known.Id}, {new Money(known.Amount, account.Currency)} on {Text(known.Date)}: it does not count twice. Mend the reference or the content.",
        ("payment", known.Id.Value), ("amount", Text(known.Amount)), ("currency", account.Currency.Code), ("date", Text(known.Date)));

    /// <summary>What is wrong with allocations that a caller asks for.</summary>
    /// <param name="amount">Minor units that there are to allocate.</param>
    private Rejection? Refusal(AccountId account, ImmutableArray<Allocation> allocations, long amount)
    {
        for (var i = 0; i < allocations.Length; i++)
        {
            var (id, part) = allocations[i];
            if (Find(id) is not { } invoice)
            {
                return Rejection.NotFound("invoice", id.Value);
            }

            if (allocations.Take(i).Any(a => a.Invoice == id))
            {
                return Rejection.Invalid(new FieldViolation($"allocations[{i}].invoice", $"must be named once; {id} is named before"));
            }

            if (!invoice.IsFinal)
            {
                return NotFinal(invoice);
            }

            if (part > invoice.Open)
            {
                return Rejection.Rule(
                    Reasons.AllocationExceedsOpen, $"Of the invoice {id} {new Money(invoice.Open, account.Currency)} are open, less than {new Money(part, account.Currency)}.",
                    ("invoice", id.Value), ("amount", Text(part)), ("open", Text(invoice.Open)), ("currency", account.Currency.Code));
            }
        }

        return allocations.Sum(a => a.Amount) <= amount ? null : Rejection.Invalid(new FieldViolation("allocations", $"must sum to at most the payment, {Text(amount)} minor units"));
    }

    private ImmutableArray<Allocation> OldestDueFirst(long amount)
    {
        var allocations = ImmutableArray.CreateBuilder<Allocation>();
        foreach (var invoice in Standing.Where(i => i.Open > 0).OrderBy(i => i.DueDate).ThenBy(i => i.IssueDate).ThenBy(i => i.Number).TakeWhile(_ => amount > 0))
        {
            var part = Math.Min(amount, invoice.Open);
            allocations.Add(new Allocation(invoice.Id, part));
            amount -= part;
        }

        return allocations.ToImmutable();
    }

    /// <summary>The date, or a later one on which all of the invoices were open.</summary>
    private LocalDate Posted(LocalDate date, IEnumerable<Allocation> allocations) =>
        allocations.Select(a => Find(a.Invoice)!).Select(i => i.Settlement?.Reopened ?? i.Imported?.On ?? i.IssueDate!.Value).Append(date).Max();

    private static Posting PostingOfPayment(AccountId account, long amount, ImmutableArray<Allocation> allocations, long excess, PostingWorkings? workings = null) => Post(
        account, workings, (LedgerAccount.Cash, [Moved(amount)]), (LedgerAccount.Receivable, Allocated(allocations, -1)), (LedgerAccount.ClientCredit, [FromCredit(-excess)]));

    private static Posting PostingOfRefund(AccountId account, long amount, PostingWorkings? workings = null) =>
        Post(account, workings, (LedgerAccount.ClientCredit, [FromCredit(amount)]), (LedgerAccount.Cash, [Moved(-amount)]));

    /// <param name="taken">Credit that is taken back from invoices that it had gone to.</param>
    private Posting PostingOfReversal(Payment payment, IEnumerable<Allocation> taken, PostingWorkings? workings = null) => Post(
        Account!, workings, (LedgerAccount.Receivable, Allocated([.. payment.Allocations, .. taken], 1)), (LedgerAccount.ClientCredit, [FromCredit(payment.Credit), .. Allocated(taken, -1)]),
        (LedgerAccount.Cash, [Moved(payment.Kind == PaymentKind.Received ? -payment.Amount : payment.Amount)]));

    private static Posting PostingOfCredit(AccountId account, ImmutableArray<Allocation> allocations, PostingWorkings? workings = null) =>
        Post(account, workings, (LedgerAccount.ClientCredit, Allocated(allocations, 1)), (LedgerAccount.Receivable, Allocated(allocations, -1)));

    private static Posting PostingOfWriteOff(AccountId account, Allocation written, PostingWorkings? workings = null) =>
        Post(account, workings, (LedgerAccount.BadDebt, Allocated([written], 1)), (LedgerAccount.Receivable, Allocated([written], -1)));

    private static Figure Moved(long amount) => Workings.Money(FigureKind.Moved, amount);

    private static Figure FromCredit(long amount) => Workings.Money(FigureKind.ClientCredit, amount);

    /// <summary>What of invoices is settled or open again; these name no line.</summary>
    private static IEnumerable<Figure> Allocated(IEnumerable<Allocation> allocations, int sign) =>
        allocations.Select(a => Workings.Money(FigureKind.Allocated, sign * a.Amount) with { Line = new LineReference(a.Invoice, 0) });

    private static Posting Post(AccountId account, PostingWorkings? workings, params ReadOnlySpan<(LedgerAccount Account, IEnumerable<Figure> Of)> lines)
    {
        var posted = ImmutableArray.CreateBuilder<PostingLine>();
        foreach (var (on, of) in lines)
        {
            if (of.Sum(f => f.Value) is not 0 and var amount)
            {
                posted.Add(new PostingLine(on, new Money(amount, account.Currency), account.Client));
                workings?.Lines(1, workings.Posted(of.Where(f => f.Value != 0)));
            }
        }

        return new Posting(posted.ToImmutable());
    }

    private Rejection CreditTooLow(long amount) => Rejection.Rule(
        Reasons.CreditTooLow, $"The account has a credit of {Amount(Credit)}, less than {Amount(amount)}.",
        ("credit", Text(Credit)), ("amount", Text(amount)), ("currency", Account!.Currency.Code));

    private static Rejection NotFinal(Invoice invoice) => Rejection.Rule(
        Reasons.InvoiceNotFinal, $"The invoice {invoice.Id} is {Upper(invoice.State)}: finalize it first.", ("invoice", invoice.Id.Value), ("state", Upper(invoice.State)));

    private string Amount(long minor) => new Money(minor, Account!.Currency).ToString();

    // ---- fold ----

    /// <summary>The state after an event of money; null for one that is none.</summary>
    private BillingAccount? AfterMoney(IEvent @event) => @event switch
    {
        PaymentRecorded e => (this with { Account = e.Account, Credit = Credit + e.Credit })
            .Settled(e.Allocations, (s, amount) => s with { Paid = s.Paid + amount })
            .With(new Payment(e.Payment, PaymentKind.Received, e.Amount, e.Received, e.Reference, e.Requested, e.Allocations, e.Credit, e.At, e.PostingDate, null)),
        CreditRefunded e => (this with { Credit = Credit - e.Amount })
            .With(new Payment(e.Payment, PaymentKind.Refund, e.Amount, e.PostingDate, e.Reference, [], [], -e.Amount, e.At, e.PostingDate, null)),
        PaymentReversed e => (this with
        {
            Credit = Credit - e.Credit + e.TakenBack.Sum(a => a.Amount),
            Payments = [.. Payments.Select(p => p.Id == e.Payment ? p with { Reversal = new Reversal(e.PostingDate, e.Reason, e.At) } : p)],
        }).Settled(e.Reopened, (s, amount) => s with { Paid = s.Paid - amount, Reopened = e.PostingDate })
            .Settled(e.TakenBack, (s, amount) => s with { CreditApplied = s.CreditApplied - amount, Reopened = e.PostingDate }),
        CreditAllocated e => (this with { Credit = Credit - e.Allocations.Sum(a => a.Amount) }).Settled(e.Allocations, (s, amount) => s with { CreditApplied = s.CreditApplied + amount }),
        InvoiceWrittenOff e => Settled([new Allocation(e.Invoice, e.Amount)], (s, amount) => s with { WrittenOff = s.WrittenOff + amount }),
        InvoiceSent e => this with { Standing = [.. Standing.Select(i => i.Id == e.Invoice ? i with { Sent = e.Sent } : i)] },
        FeesRecognized e => AfterRecognition(e.Before),
        CreditNoteStarted e => this with { Standing = Standing.Add(new Invoice(e.CreditNote, InvoiceState.Finalizing, e.Content, e.At, e.At, e.Series, null, null, null)) },
        _ => null,
    };

    /// <summary>The invoice is numbered; the account's credit has gone into it, or, if it is a credit note, it into what it corrects.</summary>
    private BillingAccount AfterFinalizing(InvoiceFinalized e)
    {
        var content = Find(e.Invoice)!.Content;
        var credited = Corrected(e, content);
        var final = this with
        {
            Credit = Credit - e.CreditUsed + Excess(content, credited),
            Standing =
            [
                .. Standing.Select(i => i.Id != e.Invoice ? i
                    : (i with { State = InvoiceState.Finalized, Number = e.Number, IssueDate = e.IssueDate, DueDate = e.DueDate, Prepaid = e.CreditUsed, Printed = e.Printed }).With(Settlement.None with { CreditApplied = e.CreditUsed })),
            ],
        };
        final = final.Settled(credited, (s, amount) => s with { Credited = s.Credited + amount });
        if (e.RecognizedBefore is not { } before)
        {
            return final;
        }

        return (BlockCredits(final.Find(e.Invoice)!).Any() ? final with { Untold = [.. Untold ?? [], e.Invoice] } : final).AfterRecognition(before);
    }

    private BillingAccount Settled(ImmutableArray<Allocation> allocations, Func<Settlement, long, Settlement> change)
    {
        if (allocations.IsEmpty)
        {
            return this;
        }

        var amounts = allocations.ToDictionary(a => a.Invoice, a => a.Amount);
        return this with { Standing = [.. Standing.Select(i => amounts.TryGetValue(i.Id, out var amount) ? i.With(change(i.Settlement ?? Settlement.None, amount)) : i)] };
    }

    private BillingAccount With(Payment payment) => this with { Payments = [.. Payments.Append(payment).TakeLast(MostPayments)] };

    // ---- read models ----

    private IEnumerable<RowChange> MoneyRows(IEvent @event, EventInfo info) => @event switch
    {
        InvoiceFinalized e => [new Put(Row(Find(e.Invoice)!)), .. Changed(Corrected(e, Find(e.Invoice)!.Content)), .. RecognitionRows(e.PostingDate, info, e.RecognizedBefore, Find(e.Invoice)!.Content.Lines), .. Books(e, e.Posting, info, FinalEntries(e))],
        FeesRecognized e => [.. e.Posting.Rows(Kind, info, e), .. RecognitionRows(e.PostingDate, info, e.Since, [])],
        PaymentRecorded e =>
        [
            new Claim(Row(FindPayment(e.Payment)!, info)), Reference(PaymentKind.Received, e.Reference, e.Payment), .. Changed(e.Allocations),
            .. Books(e, e.Posting, info, Entries(AccountEntryKind.Payment, e.Payment, e.Allocations, -1, 0), CreditEntry(AccountEntryKind.Payment, e.Payment, e.Credit)),
        ],
        CreditRefunded e =>
        [
            new Claim(Row(FindPayment(e.Payment)!, info)), Reference(PaymentKind.Refund, e.Reference, e.Payment), .. Books(e, e.Posting, info, CreditEntry(AccountEntryKind.Refund, e.Payment, -e.Amount)),
        ],
        PaymentReversed e =>
        [
            new Put(Row(FindPayment(e.Payment)!, info)), .. Changed([.. e.Reopened, .. e.TakenBack]),
            .. Books(
                e, e.Posting, info, Entries(Reversed(e.Kind), e.Payment, e.Reopened, 1, 0), Entries(AccountEntryKind.CreditTakenBack, e.Payment, e.TakenBack, 1, 1),
                CreditEntry(Reversed(e.Kind), e.Payment, -e.Credit)),
        ],
        CreditAllocated e => [.. Changed(e.Allocations), .. Books(e, e.Posting, info, Entries(AccountEntryKind.CreditApplied, null, e.Allocations, -1, -1))],
        InvoiceWrittenOff e =>
        [
            .. Changed([new Allocation(e.Invoice, e.Amount)]),
            .. Books(e, e.Posting, info, Entries(AccountEntryKind.WriteOff, null, [new Allocation(e.Invoice, e.Amount)], -1, 0)),
        ],
        CreditNoteStarted e => [new Claim(Row(Find(e.CreditNote)!))],
        _ => [],
    };

    private readonly record struct Entry(AccountEntryKind Kind, InvoiceId? Document, InvoiceId? Invoice, PaymentId? Payment, long Open, long Credit);

    private IEnumerable<Entry> FinalEntries(InvoiceFinalized e)
    {
        var invoice = Find(e.Invoice)!;
        if (invoice.Content.Total >= 0)
        {
            yield return new Entry(AccountEntryKind.Invoice, e.Invoice, e.Invoice, null, invoice.Content.Total, 0);
            if (e.CreditUsed > 0)
            {
                yield return new Entry(AccountEntryKind.CreditApplied, null, e.Invoice, null, -e.CreditUsed, -e.CreditUsed);
            }

            yield break;
        }

        var credited = Corrected(e, invoice.Content);
        foreach (var (corrected, amount) in credited)
        {
            yield return new Entry(AccountEntryKind.CreditNote, e.Invoice, corrected, null, -amount, 0);
        }

        if (Excess(invoice.Content, credited) is > 0 and var excess)
        {
            yield return new Entry(AccountEntryKind.CreditNote, e.Invoice, null, null, 0, excess);
        }
    }

    private static IEnumerable<Entry> Entries(AccountEntryKind kind, PaymentId? payment, ImmutableArray<Allocation> allocations, int open, int credit) =>
        allocations.Select(a => new Entry(kind, null, a.Invoice, payment, open * a.Amount, credit * a.Amount));

    private static IEnumerable<Entry> CreditEntry(AccountEntryKind kind, PaymentId payment, long credit) => credit == 0 ? [] : [new Entry(kind, null, null, payment, 0, credit)];

    private static AccountEntryKind Reversed(PaymentKind kind) => kind == PaymentKind.Received ? AccountEntryKind.PaymentReversal : AccountEntryKind.RefundReversal;

    /// <summary>The ledger's rows, the account's entries and what the account comes to.</summary>
    private IEnumerable<RowChange> Books(IPosting @event, Posting posting, EventInfo info, params IEnumerable<Entry>[] entries) =>
        [.. posting.Rows(Kind, info, @event), .. AccountRows(@event.PostingDate, info, entries)];

    private IEnumerable<RowChange> AccountRows(LocalDate date, EventInfo info, params IEnumerable<Entry>[] entries)
    {
        var account = Account!;
        return
        [
            .. entries.SelectMany(e => e).Select((e, i) => new Put(new AccountEntryRow(
                date, account.Client, account.LegalEntity, account.Currency.Code, info.Version, i, e.Kind, e.Document, e.Invoice, e.Payment,
                e.Invoice is { } invoice ? Find(invoice)!.DueDate : null, e.Open, e.Credit, e.Open - e.Credit, info.OccurredAt))),
            new Put(new BillingAccountRow(account.Client, account.LegalEntity, account.Currency.Code, OpenAmount, Credit)),
        ];
    }

    /// <summary>The rows of invoices that are more or less open.</summary>
    private IEnumerable<RowChange> Changed(IEnumerable<Allocation> allocations) => allocations.Select(a => a.Invoice).Distinct().Select(i => new Put(Row(Find(i)!)));

    private PaymentRow Row(Payment payment, EventInfo info) => new(
        payment.Id, Account!.Client, Account.LegalEntity, Account.Currency.Code, payment.Kind, payment.Amount, payment.Date, payment.Reference, payment.Credit, payment.At, payment.Reversal?.Date,
        info.Version);

    private Claim Reference(PaymentKind kind, string reference, PaymentId payment) =>
        new(new PaymentReferenceRow(Account!.Client, Account.LegalEntity, Account.Currency.Code, kind, reference, payment));
}
