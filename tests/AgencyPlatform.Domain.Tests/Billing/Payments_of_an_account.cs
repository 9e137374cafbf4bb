using AgencyPlatform.Domain.Billing;
using NodaTime;
using static AgencyPlatform.Domain.Tests.Billing.WorkedExamples;

namespace AgencyPlatform.Domain.Tests.Billing;

/// <summary>Payments, account credit, refunds, reversals and write-offs. Acme's account has invoices of 9,000 for May, June and July, due on the 31st, the 1st and the 31st.</summary>
public sealed class Payments_of_an_account
{
    private const string Zone = "America/New_York";

    private static readonly AccountId s_account = new(new ClientCompanyId("acme"), new LegalEntityId("us"), new Currency("USD"));
    private static readonly Instant s_now = Instant.FromUtc(2026, 7, 20, 12, 0);
    private static readonly LocalDate s_today = new(2026, 7, 20);

    [Fact]
    public void A_payment_goes_to_the_oldest_due_first_and_the_excess_becomes_credit()
    {
        var (account, posting) = Paid(ThreeInvoices(), "wire", 2_000_000);
        Assert.Equal([("may", 900_000L), ("june", 900_000L), ("july", 200_000L)], account.FindPayment(new("wire"))!.Allocations.Select(a => (a.Invoice.Value, a.Amount)));
        Assert.Equal([InvoiceState.Paid, InvoiceState.Paid, InvoiceState.PartiallyPaid], account.Standing.Select(i => i.State));
        Assert.Equal((700_000, 0), (account.OpenAmount, account.Credit));
        Assert.Equal("PARTIALLY_PAID", account.Discard(new("july")).Rejection!.Metadata["state"]);
        Assert.Equal([(LedgerAccount.Cash, 2_000_000L), (LedgerAccount.Receivable, -2_000_000L)], Lines(posting));

        (account, posting) = Paid(account, "more", 1_000_000);
        Assert.Equal((0, 300_000, InvoiceState.Paid), (account.OpenAmount, account.Credit, account.Standing[2].State));
        Assert.Equal([(LedgerAccount.Cash, 1_000_000L), (LedgerAccount.Receivable, -700_000L), (LedgerAccount.ClientCredit, -300_000L)], Lines(posting));
    }

    [Fact]
    public void A_payment_may_say_what_it_is_for_and_the_rest_is_credit()
    {
        var (account, _) = Paid(ThreeInvoices(), "wire", 1_000_000, ("july", 900_000));
        Assert.Equal([900_000, 900_000, 0], account.Standing.Select(i => i.Open));
        Assert.Equal(100_000, account.Credit);

        Assert.Equal(Reasons.AllocationExceedsOpen, account.Record(Payment("x", 5, ("july", 1)), Zone, s_now).Rejection!.Reason);
        Assert.Equal(RejectionKind.NotFound, account.Record(Payment("x", 5, ("another", 1)), Zone, s_now).Rejection!.Kind);
        Assert.Equal("allocations[1].invoice", account.Record(Payment("x", 5, ("may", 1), ("may", 1)), Zone, s_now).Rejection!.Fields.Single().Field);
        Assert.Equal("allocations", account.Record(Payment("x", 5, ("may", 3), ("june", 3)), Zone, s_now).Rejection!.Fields.Single().Field);
        var drafted = Prepared(account, ThreeMonths(4), new(2026, 8, 1), "august");
        Assert.Equal(Reasons.InvoiceNotFinal, drafted.Record(Payment("x", 5, ("august", 1)), Zone, s_now).Rejection!.Reason);
    }

    [Fact]
    public void The_same_reference_never_counts_twice()
    {
        var (account, _) = Paid(ThreeInvoices(), "wire", 2_000_000);

        var again = account.Record(Payment("wire", 2_000_000) with { Id = new("other-id") }, Zone, s_now);
        Assert.Equal((null, 0), (again.Rejection?.Reason, again.Events.Length));
        foreach (var other in new[] { Payment("wire", 2_000_001), Payment("wire", 2_000_000, ("july", 1)), Payment("wire", 2_000_000) with { Received = s_today } })
        {
            var refused = account.Record(other, Zone, s_now).Rejection!;
            Assert.Equal((Reasons.PaymentReferenceUsed, "wire", "2000000"), (refused.Reason, refused.Metadata["payment"], refused.Metadata["amount"]));
        }

        Assert.Equal(RejectionKind.AlreadyExists, account.Record(Payment("new", 1) with { Id = new("wire") }, Zone, s_now).Rejection!.Kind);
    }

    [Fact]
    public void A_payment_is_posted_when_it_was_received_and_not_before_what_it_pays_was_issued()
    {
        var account = ThreeInvoices();
        Assert.Equal("received_date", account.Record(Payment("x", 5) with { Received = s_today.PlusDays(1) }, Zone, s_now).Rejection!.Fields.Single().Field);
        Assert.Equal(new LocalDate(2026, 7, 10), Event<PaymentRecorded>(account.Record(Payment("x", 5) with { Received = new(2026, 7, 10) }, Zone, s_now)).PostingDate);
        Assert.Equal(new LocalDate(2026, 7, 1), Event<PaymentRecorded>(account.Record(Payment("x", 2_700_000) with { Received = new(2026, 6, 15) }, Zone, s_now)).PostingDate);
    }

    [Fact]
    public void Credit_goes_into_the_next_invoice_by_itself_and_into_open_ones_when_asked()
    {
        var account = Folded(BillingAccount.Initial, BillingAccount.Initial.Record(Payment("deposit", 1_000_000) with { Received = new(2026, 4, 20) }, Zone, s_now));
        Assert.Equal((0, 1_000_000), (account.OpenAmount, account.Credit));

        var frozen = Prepared(account, ThreeMonths(1), new(2026, 5, 1), "may");
        frozen = Folded(frozen, frozen.Finalize(new("may"), ThreeMonths(1), s_now));
        var final = Event<InvoiceFinalized>(frozen.Number(new("may"), 1, new(2026, 5, 1)));
        account = frozen.Apply(final);
        Assert.Equal((900_000, 100_000, InvoiceState.Paid), (final.CreditUsed, account.Credit, account.Standing[0].State));
        Assert.Equal(0, final.Posting.Lines.Where(l => l.Account == LedgerAccount.Receivable).Sum(l => l.Amount.Minor));
        Assert.Equal(900_000, final.Posting.Lines.Where(l => l.Account == LedgerAccount.ClientCredit).Sum(l => l.Amount.Minor));

        account = Invoiced(account, ThreeMonths(2), new(2026, 6, 1), "june");
        Assert.Equal((800_000, 0, InvoiceState.PartiallyPaid), (account.OpenAmount, account.Credit, account.Standing[1].State));
        Assert.Equal(Reasons.NothingToAllocate, account.Allocate(new([]), Zone, s_now).Rejection!.Reason);
        Assert.Equal(Reasons.CreditTooLow, account.Allocate(new([new(new("june"), 5)]), Zone, s_now).Rejection!.Reason);

        (account, _) = Paid(account, "named", 500_000, ("june", 100_000));
        var allocated = Event<CreditAllocated>(account.Allocate(new([]), Zone, s_now));
        Assert.Equal((new Allocation(new("june"), 400_000), s_today), (allocated.Allocations.Single(), allocated.PostingDate));
        Assert.Equal([(LedgerAccount.ClientCredit, 400_000L), (LedgerAccount.Receivable, -400_000L)], Lines(allocated.Posting));
        account = account.Apply(allocated);
        Assert.Equal((300_000, 0, new Settlement(100_000, 500_000, 0, 0)), (account.OpenAmount, account.Credit, account.Standing[1].Settlement));
    }

    [Fact]
    public void Credit_is_refunded_as_far_as_there_is_any()
    {
        var (account, _) = Paid(ThreeInvoices(), "wire", 3_000_000);
        Assert.Equal(Reasons.CreditTooLow, account.Refund(new(s_account, new("back"), 300_001, "back"), Zone, s_now).Rejection!.Reason);
        var refunded = Event<CreditRefunded>(account.Refund(new(s_account, new("back"), 300_000, "back"), Zone, s_now));
        Assert.Equal([(LedgerAccount.ClientCredit, 300_000L), (LedgerAccount.Cash, -300_000L)], Lines(refunded.Posting));
        account = account.Apply(refunded);
        Assert.Equal(0, account.Credit);
        Assert.Empty(account.Refund(new(s_account, new("again"), 300_000, "back"), Zone, s_now).Events);
        Assert.Equal(Reasons.PaymentReferenceUsed, account.Refund(new(s_account, new("again"), 1, "back"), Zone, s_now).Rejection!.Reason);

        // It came back.
        var reversed = Event<PaymentReversed>(account.Reverse(new(new("back"), "Account closed."), Zone, s_now));
        Assert.Equal([(LedgerAccount.ClientCredit, -300_000L), (LedgerAccount.Cash, 300_000L)], Lines(reversed.Posting));
        Assert.Equal(300_000, account.Apply(reversed).Credit);
    }

    [Fact]
    public void A_bounced_payment_opens_again_what_it_paid()
    {
        var (account, _) = Paid(ThreeInvoices(), "wire", 2_000_000);
        var reversed = Event<PaymentReversed>(account.Reverse(new(new("wire"), "Bounced."), Zone, s_now));
        Assert.Equal([(LedgerAccount.Receivable, 2_000_000L), (LedgerAccount.Cash, -2_000_000L)], Lines(reversed.Posting));
        account = account.Apply(reversed);
        Assert.Equal([900_000, 900_000, 900_000], account.Standing.Select(i => i.Open));
        Assert.All(account.Standing, i => Assert.Equal(InvoiceState.Finalized, i.State));
        Assert.Equal("Bounced.", account.FindPayment(new("wire"))!.Reversal!.Reason);
        Assert.Empty(account.Reverse(new(new("wire"), "Again."), Zone, s_now).Events);
        Assert.Empty(account.Record(Payment("wire", 2_000_000), Zone, s_now).Events);
    }

    [Fact]
    public void Its_excess_that_was_used_is_taken_back_and_what_was_refunded_is_owed()
    {
        var (account, _) = Paid(ThreeInvoices(), "wire", 3_500_000);
        account = Invoiced(account, ThreeMonths(4), new(2026, 8, 1), "august");
        Assert.Equal((100_000, 0), (account.OpenAmount, account.Credit));
        (account, _) = Paid(account, "next", 400_000);
        account = Folded(account, account.Refund(new(s_account, new("back"), 300_000, "back"), Zone, s_now));

        var reversed = Event<PaymentReversed>(account.Reverse(new(new("wire"), "Bounced."), Zone, s_now));
        Assert.Equal(new Allocation(new("august"), 800_000), reversed.TakenBack.Single());
        Assert.Equal([(LedgerAccount.Receivable, 3_500_000L), (LedgerAccount.Cash, -3_500_000L)], Lines(reversed.Posting));
        account = account.Apply(reversed);
        Assert.Equal((3_500_000, 0, 800_000), (account.OpenAmount, account.Credit, account.Standing[3].Open));

        // The other payment bounces too: its refunded part is owed.
        account = Folded(account, account.Reverse(new(new("next"), "Bounced."), Zone, s_now));
        Assert.Equal((3_600_000, -300_000), (account.OpenAmount, account.Credit));
        (account, _) = Paid(account, "last", 3_900_000);
        Assert.Equal((0, 0), (account.OpenAmount, account.Credit));
    }

    [Fact]
    public void What_is_open_is_written_off_as_bad_debt()
    {
        var (account, _) = Paid(ThreeInvoices(), "wire", 400_000);
        var written = Event<InvoiceWrittenOff>(account.WriteOff(new(new("may"), "Insolvent."), Zone, s_now));
        Assert.Equal([(LedgerAccount.BadDebt, 500_000L), (LedgerAccount.Receivable, -500_000L)], Lines(written.Posting));
        account = account.Apply(written);
        Assert.Equal((0, InvoiceState.Paid), (account.Standing[0].Open, account.Standing[0].State));
        Assert.Equal(Reasons.NothingOpen, account.WriteOff(new(new("may"), "Again."), Zone, s_now).Rejection!.Reason);
    }

    [Fact]
    public void Sending_is_noted_of_final_invoices_only()
    {
        var account = Prepared(ThreeInvoices(), ThreeMonths(4), new(2026, 8, 1), "august");
        Assert.Equal(Reasons.InvoiceNotFinal, account.MarkSent(new(new("august"), "email", null), s_now).Rejection!.Reason);
        Assert.Equal("send_time", account.MarkSent(new(new("may"), "email", s_now + Duration.FromSeconds(1)), s_now).Rejection!.Fields.Single().Field);
        account = Folded(account, account.MarkSent(new(new("may"), "email", null), s_now));
        Assert.Equal(new SentMark("email", s_now), account.Standing[0].Sent);
        Assert.Empty(account.MarkSent(new(new("may"), "email", s_now), s_now + Duration.FromDays(1)).Events);
    }

    [Fact]
    public void The_state_knows_the_newest_payments_and_an_older_one_is_not_reversed()
    {
        var account = ThreeInvoices();
        for (var i = 0; i <= BillingAccount.MostPayments; i++)
        {
            (account, _) = Paid(account, $"p-{i}", 1);
        }

        Assert.Equal(BillingAccount.MostPayments, account.Payments.Length);
        Assert.Equal(Reasons.PaymentTooOld, account.Reverse(new(new("p-0"), "Bounced."), Zone, s_now).Rejection!.Reason);
        Assert.NotEmpty(account.Reverse(new(new("p-1"), "Bounced."), Zone, s_now).Events);
    }

    // ---- what the facts are built of ----

    /// <summary>May to July are invoiced on their first days; from the 4th month on to bill.</summary>
    private static BillingAccount ThreeInvoices()
    {
        var account = BillingAccount.Initial;
        foreach (var (month, id) in new[] { (5, "may"), (6, "june"), (7, "july") })
        {
            account = Invoiced(account, ThreeMonths(month - 4), new(2026, month, 1), id);
        }

        return account;
    }

    private static BillingFacts ThreeMonths(int months) =>
        Facts(Inputs(new(2026, 5, 1), new LocalDate(2026, 5, 1).PlusMonths(months), Retainer(new(2026, 5, 1), 900_000)));

    private static RecordPayment Payment(string reference, long amount, params (string Invoice, long Amount)[] allocations) =>
        new(s_account, new(reference), amount, new(2026, 7, 15), reference, [.. allocations.Select(a => new Allocation(new(a.Invoice), a.Amount))]);

    private static (BillingAccount Account, Posting Posting) Paid(BillingAccount account, string reference, long amount, params (string, long)[] allocations)
    {
        var recorded = Event<PaymentRecorded>(account.Record(Payment(reference, amount, allocations), Zone, s_now));
        return (account.Apply(recorded), recorded.Posting);
    }

    private static T Event<T>(Decision decision)
    {
        Assert.True(decision.Rejection is null, decision.Rejection?.Message);
        return Assert.IsType<T>(Assert.Single(decision.Events));
    }

    private static IEnumerable<(LedgerAccount, long)> Lines(Posting posting) => posting.Lines.Select(l => (l.Account, l.Amount.Minor));
}
