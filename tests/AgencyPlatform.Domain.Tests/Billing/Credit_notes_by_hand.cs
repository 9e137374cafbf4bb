using AgencyPlatform.Domain.Billing;
using NodaTime;
using static AgencyPlatform.Domain.Tests.Billing.WorkedExamples;

namespace AgencyPlatform.Domain.Tests.Billing;

/// <summary>Credit notes by hand: of an invoice, of a line, of an amount; never beyond what is left, and never billed again by itself.</summary>
public sealed class Credit_notes_by_hand
{
    private const string Zone = "America/New_York";

    private static readonly TaxTreatment s_tax = new(TaxCategory.Standard, 77_000);
    private static readonly InvoiceSeriesId s_series = new("main");
    private static readonly LocalDate s_june = new(2026, 6, 1);
    private static readonly Instant s_now = Instant.FromUtc(2026, 6, 15, 12, 0);

    [Fact]
    public void A_whole_invoice_is_credited_and_no_run_bills_it_again()
    {
        var account = June();
        var (credited, final) = Credited(account, "credit", rebill: false);

        var note = credited.Find(new("credit"))!.Content;
        Assert.Equal((DocumentKind.CreditNote, -1_000_001, -77_000, -1_077_001), (note.Kind, note.Net, note.Tax, note.Total));
        Assert.Equal((new LineReference(new("june"), 1), -30, true), (note.Lines.Single().Corrects, note.Lines.Single().Quantity, note.Lines.Single().ByHand));
        Assert.Equal(new TaxSubtotal(s_tax, -1_000_001, -77_000), note.Taxes.Single());
        Assert.Equal((0, InvoiceState.Paid, 0), (credited.Find(new("june"))!.Open, credited.Find(new("june"))!.State, credited.Credit));
        Assert.Equal(
            [(LedgerAccount.Receivable, -1_077_001L), (LedgerAccount.DeferredRevenue, 533_334L), (LedgerAccount.Revenue, 466_667L), (LedgerAccount.TaxPayable, 77_000L)], final.Posting.Lines.Select(l => (l.Account, l.Amount.Minor)));
        Assert.Equal("main-cn", credited.Find(new("credit"))!.Series!.Value.Value);

        Assert.Equal(Reasons.NothingToBill, credited.Prepare(Command(s_june, "again"), InJune(), s_now).Rejection!.Reason);
        Assert.Equal(Reasons.NothingToCredit, credited.CreditByHand(Credit("x"), s_series, s_now).Rejection!.Reason);
        Assert.Equal(Reasons.NothingToCredit, credited.CreditByHand(Credit("x") with { Invoice = new("credit") }, s_series, s_now).Rejection!.Reason);
    }

    [Fact]
    public void One_that_asks_for_it_is_billed_again()
    {
        var (credited, _) = Credited(June(), "credit", rebill: true);
        Assert.False(credited.Find(new("credit"))!.Content.Lines.Single().ByHand);
        Assert.Empty(credited.Find(new("credit"))!.Content.Lines.Single().KeyDates);

        var (first, again) = (credited.Standing[0].Content.Lines.Single(), Prepared(credited, InJune(), s_june, "again").Draft!.Content.Lines.Single());
        Assert.Equal((first.Amount, first.Tax, first.Quantity, first.Service, first.Description, null), (again.Amount, again.Tax, again.Quantity, again.Service, again.Description, again.Corrects));
        var account = Invoiced(credited, InJune(), s_june, "again");
        Assert.Equal(Reasons.NothingToBill, account.Prepare(Command(s_june, "x"), InJune(), s_now).Rejection!.Reason);
    }

    [Fact]
    public void Amounts_of_a_line_take_cumulative_shares_of_its_tax_and_leave_exactly_zero()
    {
        var account = June();
        foreach (var (amount, i) in new[] { 333_333L, 1L, 333_334L, 77L }.Select((a, i) => (a, i)))
        {
            (account, _) = Credited(account, $"credit-{i}", false, new LineCredit(1, amount));
        }

        var refused = account.CreditByHand(Credit("x", new LineCredit(1, 333_257)), s_series, s_now).Rejection!;
        Assert.Equal((Reasons.CreditExceedsLine, "333256", "1"), (refused.Reason, refused.Metadata["left"], refused.Metadata["line"]));
        (account, _) = Credited(account, "rest", false, new LineCredit(1, null));

        Assert.Equal((0, 0, 0), (account.Standing.Sum(i => i.Content.Net), account.Standing.Sum(i => i.Content.Tax), account.Standing.Sum(i => i.Content.Lines.Sum(l => l.Quantity))));
        Assert.Equal((0, 0), (account.OpenAmount, account.Credit));
        Assert.Equal("0", account.CreditByHand(Credit("x", new LineCredit(1, null)), s_series, s_now).Rejection!.Metadata["left"]);
    }

    [Fact]
    public void What_is_more_than_open_becomes_account_credit()
    {
        var account = June();
        account = Folded(account, account.Record(new(account.Account!, new("p"), 1_000_000, s_june, "p", []), Zone, s_now));
        Assert.Equal(77_001, account.OpenAmount);

        var (credited, final) = Credited(account, "credit", false, new LineCredit(1, 100_000));
        Assert.Equal((0, 30_699), (credited.OpenAmount, credited.Credit));
        Assert.Equal(new Allocation(new("june"), 77_001), final.Credited!.Value.Single());
        Assert.Equal((-77_001, -30_699), (Sum(final, LedgerAccount.Receivable), Sum(final, LedgerAccount.ClientCredit)));
        Assert.Equal((new Settlement(1_000_000, 0, 77_001, 0), InvoiceState.Paid), (credited.Find(new("june"))!.Settlement, credited.Find(new("june"))!.State));
    }

    [Fact]
    public void A_run_credits_no_more_of_a_line_than_a_credit_by_hand_has_left()
    {
        var (account, _) = Credited(June(), "credit", false, new LineCredit(1, 600_000));

        // Ended on 11 June: 20 of 30 days, 666,667, are owed no more, but only 400,001 are left of the line.
        var ended = Facts(Inputs(s_june, new(2026, 6, 11), Retainer(s_june, 1_000_001))) with { Tax = s_tax };
        account = Invoiced(account, ended, s_june, "run");
        Assert.Equal((-400_001, new LineReference(new("june"), 1)), (account.Find(new("run"))!.Content.Net, account.Find(new("run"))!.Content.Lines.Single().Corrects));
        Assert.Equal((0, 0), (account.Standing.Sum(i => i.Content.Net), account.Standing.Sum(i => i.Content.Tax)));
        Assert.Equal(Reasons.NothingToBill, account.Prepare(Command(s_june, "x"), ended, s_now).Rejection!.Reason);
    }

    [Fact]
    public void Hours_credited_by_hand_take_back_revenue_and_those_to_be_billed_again_do_not()
    {
        var march = new LocalDate(2026, 3, 1);
        var facts = Facts(Inputs(march, null, new HourlyTerms(march, new("us"), new("USD"), new BillCycle(1, 1), 25_000)) with { Entries = [Hours("a", 2, 60), Hours("b", 3, 30)] });
        var account = Invoiced(BillingAccount.Initial, facts, new(2026, 4, 1), "june");

        Assert.Equal(37_500, Sum(Credited(account, "c", false).Final, LedgerAccount.Revenue));
        var (again, final) = Credited(account, "c", true);
        Assert.Equal((0, 37_500), (Sum(final, LedgerAccount.Revenue), Sum(final, LedgerAccount.UnbilledReceivable)));
        Assert.Equal(["cmo/2026-W10/a", "cmo/2026-W10/b"], Prepared(again, facts, new(2026, 4, 1), "again").Draft!.Content.Lines.Single().Entries.Select(e => e.Value));

        // Half of the line: its entries stay billed, its amount comes again.
        (again, _) = Credited(account, "half", true, new LineCredit(1, 10_000));
        Assert.Equal(10_000, Prepared(again, facts, new(2026, 4, 1), "again").Draft!.Content.Net);
    }

    [Fact]
    public void All_of_an_invoice_that_credits_something_itself_takes_that_back_too()
    {
        var raised = Facts(Inputs(s_june, new(2026, 7, 1), Retainer(s_june, 1_000_001), Retainer(new(2026, 6, 16), 1_200_000))) with { Tax = s_tax };
        var account = Invoiced(June(), raised, s_june, "raise");
        Assert.Equal([-500_000L, 600_000L], account.Find(new("raise"))!.Content.Lines.Select(l => l.Amount));

        var (credited, _) = Credited(account, "credit", Credit("credit") with { Invoice = new("raise") });
        Assert.Equal([500_000L, -600_000L], credited.Find(new("credit"))!.Content.Lines.Select(l => l.Amount));
        Assert.Equal((0, 0), (credited.Find(new("raise"))!.Open, credited.Credit));

        // So all of June's line is left again.
        (credited, _) = Credited(credited, "all", Credit("all"));
        Assert.Equal((-1_000_001, 0), (credited.Find(new("all"))!.Content.Net, credited.OpenAmount));
        Assert.Equal(Reasons.NothingToCredit, credited.CreditByHand(Credit("x") with { Invoice = new("raise") }, s_series, s_now).Rejection!.Reason);
    }

    [Fact]
    public void A_run_whose_document_is_a_credit_note_leaves_what_it_corrects_less_open()
    {
        var ended = Facts(Inputs(s_june, new(2026, 6, 11), Retainer(s_june, 1_000_001))) with { Tax = s_tax };
        var account = Invoiced(June(), ended, s_june, "credit");
        Assert.Equal((1_077_001 + account.Find(new("credit"))!.Content.Total, 0), (account.OpenAmount, account.Credit));

        // An invoice with a credit line beside a charge is owed as a whole.
        var raised = Facts(Inputs(s_june, new(2026, 7, 1), Retainer(s_june, 1_000_001), Retainer(new(2026, 6, 16), 1_200_000))) with { Tax = s_tax };
        account = Invoiced(June(), raised, s_june, "raise");
        Assert.Equal((1_077_001, account.Find(new("raise"))!.Content.Total), (account.Find(new("june"))!.Open, account.Find(new("raise"))!.Open));
    }

    [Fact]
    public void What_is_not_there_is_not_credited()
    {
        var account = June();
        Assert.Equal(RejectionKind.NotFound, account.CreditByHand(Credit("x") with { Invoice = new("no") }, s_series, s_now).Rejection!.Kind);
        Assert.Equal(RejectionKind.AlreadyExists, account.CreditByHand(Credit("june"), s_series, s_now).Rejection!.Kind);
        Assert.Equal("lines[0].line", account.CreditByHand(Credit("x", new LineCredit(2, null)), s_series, s_now).Rejection!.Fields.Single().Field);
        Assert.Equal("lines[1].line", account.CreditByHand(Credit("x", new LineCredit(1, 1), new LineCredit(1, 1)), s_series, s_now).Rejection!.Fields.Single().Field);
        var drafted = Prepared(BillingAccount.Initial, InJune(), s_june, "june");
        Assert.Equal(Reasons.InvoiceNotFinal, drafted.CreditByHand(Credit("x"), s_series, s_now).Rejection!.Reason);
    }

    // ---- what the facts are built of ----

    private static BillingFacts InJune() => Facts(Inputs(s_june, new(2026, 7, 1), Retainer(s_june, 1_000_001))) with { Tax = s_tax };

    private static BillingAccount June() => Invoiced(BillingAccount.Initial, InJune(), s_june, "june");

    private static CreditInvoice Credit(string id, params LineCredit[] lines) => new(new("june"), new(id), [.. lines], false);

    private static (BillingAccount Account, InvoiceFinalized Final) Credited(BillingAccount account, string id, bool rebill, params LineCredit[] lines) =>
        Credited(account, id, Credit(id, lines) with { Rebill = rebill });

    private static (BillingAccount Account, InvoiceFinalized Final) Credited(BillingAccount account, string id, CreditInvoice command)
    {
        var frozen = Folded(account, account.CreditByHand(command, s_series, s_now));
        var events = frozen.Number(new(id), frozen.Standing.Length, new(2026, 6, 15)).Events;
        return (events.Aggregate(frozen, (state, e) => state.Apply(e)), events.OfType<InvoiceFinalized>().Single());
    }

    private static long Sum(InvoiceFinalized final, LedgerAccount account) => final.Posting.Lines.Where(l => l.Account == account).Sum(l => l.Amount.Minor);
}
