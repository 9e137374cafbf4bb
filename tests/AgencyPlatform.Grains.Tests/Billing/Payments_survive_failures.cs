using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Billing;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Billing;
using NodaTime;
using Orleans.Core.Internal;

namespace AgencyPlatform.Grains.Tests.Billing;

/// <summary>
/// Payments and credit notes on a real silo with a SQLite file: many at once, told again, with the account's activation thrown away in between, and with the series' answer lost.
/// The account has one draft of 1,662,500: two fees and 150 minutes.
/// </summary>
public sealed class Payments_survive_failures(SagaSilo silo) : IClassFixture<SagaSilo>
{
    private const long Total = 1_662_500;

    private static readonly AccountId s_account = new(new ClientCompanyId("acme"), new LegalEntityId("main"), new Currency("USD"));
    private static readonly InvoiceId s_first = new("first");
    private static readonly LocalDate s_received = new(2026, 4, 2);

    [Fact]
    public async Task A_reference_told_by_many_at_once_counts_once_and_all_are_answered_alike()
    {
        var agency = new AgencyId("pay-many");
        var account = await Finalized(agency);
        var replies = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => account.RecordPayment(
            WorkedWeek.Called(agency, i % 2 == 0 ? Guid.CreateVersion7() : null, $"payment {i}"), Payment("wire", 1_000_000) with { Id = new($"p-{i}") })));

        Assert.All(replies, WorkedWeek.Ok);
        Assert.Single(replies.Select(r => r.Value!.Id).Distinct());
        Assert.Equal(1_000_000, await Balance(agency, LedgerAccount.Cash));
        Assert.Equal(Reasons.PaymentReferenceUsed, (await account.RecordPayment(WorkedWeek.Called(agency), Payment("wire", 999_999))).Rejection!.Reason);
        await BooksAgree(agency, account);
    }

    [Fact]
    public async Task A_repeat_is_answered_as_it_was_whatever_was_lost_and_paid_since()
    {
        var agency = new AgencyId("pay-again");
        var account = await Finalized(agency);
        var (pay, refund, reverse) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        var paid = await account.RecordPayment(WorkedWeek.Called(agency, pay, "pay"), Payment("wire", 2_000_000));
        var refunded = await account.RefundCredit(WorkedWeek.Called(agency, refund, "refund"), new RefundCredit(s_account, new("back"), 100_000, "back"));
        var reversed = await account.ReversePayment(WorkedWeek.Called(agency, reverse, "reverse"), new ReversePayment(new("wire"), "Bounced."));
        WorkedWeek.Ok(await account.RecordPayment(WorkedWeek.Called(agency), Payment("next", 5)));
        await account.AsReference<IGrainManagementExtension>().DeactivateOnIdle();

        Same(paid, await account.RecordPayment(WorkedWeek.Called(agency, pay, "pay"), Payment("wire", 2_000_000)));
        Same(refunded, await account.RefundCredit(WorkedWeek.Called(agency, refund, "refund"), new RefundCredit(s_account, new("back"), 100_000, "back")));
        Same(reversed, await account.ReversePayment(WorkedWeek.Called(agency, reverse, "reverse"), new ReversePayment(new("wire"), "Bounced.")));
        Assert.Equal((Total - 5, -100_000), ((await account.Get(new Read(agency, WorkedWeek.Friday), s_first)).Value!.Open, -await Balance(agency, LedgerAccount.ClientCredit)));
        await BooksAgree(agency, account);
    }

    [Fact]
    public async Task Payments_and_a_finalization_at_the_same_time_leave_books_that_agree()
    {
        var agency = new AgencyId("pay-while");
        var account = await Drafted(agency);
        var payments = Enumerable.Range(0, 30).Select(i => account.RecordPayment(WorkedWeek.Called(agency, Guid.CreateVersion7(), $"p{i}"), Payment($"p-{i}", 50_000)));
        var (request, finalized) = (Guid.CreateVersion7(), new List<Task<Reply<Invoice>>>());
        var calls = new List<Task<Reply<Payment>>>();
        foreach (var payment in payments)
        {
            calls.Add(payment);
            if (calls.Count is 8 or 16)
            {
                finalized.Add(account.Finalize(WorkedWeek.Called(agency, request, "finalize"), s_first));
            }
        }

        Assert.All(await Task.WhenAll(calls), WorkedWeek.Ok);
        var answers = await Task.WhenAll(finalized);
        await account.AsReference<IGrainManagementExtension>().DeactivateOnIdle();
        var again = await account.Finalize(WorkedWeek.Called(agency, request, "finalize"), s_first);
        Assert.All(answers.Append(again), WorkedWeek.Ok);
        Assert.All(answers, a => Assert.Equal((again.Meta, again.Value!.State, again.Value.Settlement), (a.Meta, a.Value!.State, a.Value.Settlement)));
        var invoice = (await account.Get(new Read(agency, WorkedWeek.Friday), s_first)).Value!;
        Assert.Equal((InvoiceState.PartiallyPaid, Total - 1_500_000), (invoice.State, invoice.Open));
        Assert.Equal(0, await Balance(agency, LedgerAccount.ClientCredit));
        await BooksAgree(agency, account);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_paid_while_an_invoice_waits_for_its_number_goes_into_it_when_it_has_it(bool after)
    {
        var agency = new AgencyId($"pay-between-{(after ? "after" : "before")}");
        var account = await Drafted(agency);
        silo.Faults.Arm(agency, [nameof(IInvoiceSeriesGrain.Assign)], 0, after);
        var request = Guid.CreateVersion7();
        await Assert.ThrowsAsync<UnavailableException>(() => account.Finalize(WorkedWeek.Called(agency, request, "finalize"), s_first));
        await account.AsReference<IGrainManagementExtension>().DeactivateOnIdle();

        // The commit of the payment takes the saga up again.
        var paid = await account.RecordPayment(WorkedWeek.Called(agency), Payment("wire", 2_000_000));
        Assert.Equal((0, 2_000_000), (paid.Value!.Allocations.Length, paid.Value.Credit));
        var final = await account.Finalize(WorkedWeek.Called(agency, request, "finalize"), s_first);
        Assert.Equal((InvoiceState.Paid, new Settlement(0, Total, 0, 0)), (final.Value!.State, final.Value.Settlement));
        Assert.Equal(-(2_000_000 - Total), await Balance(agency, LedgerAccount.ClientCredit));
        await BooksAgree(agency, account);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Whatever_step_fails_a_credit_note_gets_one_number_and_is_posted_once(bool after)
    {
        var agency = new AgencyId($"credit-{(after ? "after" : "before")}");
        var account = await Finalized(agency);
        var credit = new CreditInvoice(s_first, new("note"), [new LineCredit(1, 100_000)], false);
        silo.Faults.Arm(agency, [nameof(IInvoiceSeriesGrain.Assign)], 0, after);
        var request = Guid.CreateVersion7();
        await Assert.ThrowsAsync<UnavailableException>(() => account.CreditInvoice(WorkedWeek.Called(agency, request, "credit"), credit));
        Assert.True(silo.Faults.Fired(agency));
        await account.AsReference<IGrainManagementExtension>().DeactivateOnIdle();

        var note = await account.CreditInvoice(WorkedWeek.Called(agency, request, "credit"), credit);
        WorkedWeek.Ok(note);
        Assert.Equal(("main-cn", 1L, -100_000), (note.Value!.Series!.Value.Value, note.Value.Number!.Value, note.Value.Content.Total));
        Assert.Equal(note.Meta, (await account.CreditInvoice(WorkedWeek.Called(agency, request, "credit"), credit)).Meta);
        Assert.Equal(RejectionKind.AlreadyExists, (await account.CreditInvoice(WorkedWeek.Called(agency), credit)).Rejection!.Kind);
        Assert.Equal(Total - 100_000, await Balance(agency, LedgerAccount.Receivable));
        await BooksAgree(agency, account);
    }

    [Fact]
    public async Task A_reference_counts_once_for_ever_and_its_payment_is_found_however_old()
    {
        var agency = new AgencyId("pay-old");
        var account = await Finalized(agency);
        var first = await account.RecordPayment(WorkedWeek.Called(agency), Payment("first", 1_000));
        Assert.All(await Task.WhenAll(Enumerable.Range(0, BillingAccount.MostPayments).Select(i => account.RecordPayment(WorkedWeek.Called(agency), Payment($"p-{i}", 1)))), WorkedWeek.Ok);

        var request = Guid.CreateVersion7();
        var again = await account.RecordPayment(WorkedWeek.Called(agency, request, "again"), Payment("first", 1_000) with { Id = new("another") });
        Same(again, await account.RecordPayment(WorkedWeek.Called(agency, request, "again"), Payment("first", 1_000) with { Id = new("another") }));
        Assert.Equal((first.Value!.Id, first.Value.At), (again.Value!.Id, again.Value.At));
        Assert.Equal(first.Value.Allocations, again.Value.Allocations.AsEnumerable());
        Assert.Equal(Reasons.PaymentReferenceUsed, (await account.RecordPayment(WorkedWeek.Called(agency), Payment("first", 1_001))).Rejection!.Reason);
        Assert.Equal(RejectionKind.AlreadyExists, (await account.RecordPayment(WorkedWeek.Called(agency), Payment("other", 1) with { Id = new("first") })).Rejection!.Kind);
        Assert.Equal(1_000, (await account.GetPayment(new Read(agency, WorkedWeek.Friday), new("first"))).Value!.Amount);
        Assert.Equal(RejectionKind.NotFound, (await account.GetPayment(new Read(agency, WorkedWeek.Friday), new("never"))).Rejection!.Kind);
        Assert.Equal(Reasons.PaymentTooOld, (await account.ReversePayment(WorkedWeek.Called(agency), new ReversePayment(new("first"), "Bounced."))).Rejection!.Reason);
        await BooksAgree(agency, account);
    }

    [Fact]
    public async Task A_payment_of_nobody_or_to_nobody_is_not_recorded()
    {
        var agency = new AgencyId("pay-nobody");
        var account = await Drafted(agency);
        foreach (var other in new[] { s_account with { Client = new("nobody") }, s_account with { LegalEntity = new("nothing") } })
        {
            var none = silo.Grains.Of<IBillingAccountGrain>(agency, other.Key);
            Assert.Equal(RejectionKind.NotFound, (await none.RecordPayment(WorkedWeek.Called(agency), Payment("x", 1) with { Account = other })).Rejection!.Kind);
            Assert.Equal(RejectionKind.NotFound, (await none.RefundCredit(WorkedWeek.Called(agency), new RefundCredit(other, new("x"), 1, "x"))).Rejection!.Kind);
            Assert.Equal(RejectionKind.NotFound, (await none.AllocateCredit(WorkedWeek.Called(agency), new AllocateCredit([]))).Rejection!.Kind);
        }

        Assert.Equal(Reasons.InvoiceNotFinal, (await account.CreditInvoice(WorkedWeek.Called(agency), new CreditInvoice(s_first, new("x"), [], false))).Rejection!.Reason);
        Assert.Empty(await silo.ReadModels.List<PaymentRow>(agency, Query.All(10)));
    }

    // ---- what the facts are built of ----

    private static RecordPayment Payment(string reference, long amount) => new(s_account, new(reference), amount, s_received, reference, []);

    private static void Same(Reply<Payment> first, Reply<Payment> again)
    {
        WorkedWeek.Ok(first);
        WorkedWeek.Ok(again);
        Assert.Equal((first.Meta, first.Value!.Id, first.Value.Credit, first.Value.Reversal), (again.Meta, again.Value!.Id, again.Value.Credit, again.Value.Reversal));
        Assert.Equal(first.Value.Allocations.AsEnumerable(), again.Value.Allocations);
    }

    private async Task<long> Balance(AgencyId agency, LedgerAccount account) =>
        (await silo.ReadModels.Sum<PostingRow>(agency, [Filter.Eq(nameof(PostingRow.Account), account)], nameof(PostingRow.Amount), [])).Single().Sum;

    /// <summary>The ledger, the entries of the account, its row, and its invoices' rows say the same.</summary>
    private async Task BooksAgree(AgencyId agency, IBillingAccountGrain account)
    {
        Assert.Equal(0, (await silo.ReadModels.Sum<PostingRow>(agency, [], nameof(PostingRow.Amount), [])).Single().Sum);
        var row = (await silo.ReadModels.List<BillingAccountRow>(agency, Query.All(10))).Single();
        var (receivable, credit) = (await Balance(agency, LedgerAccount.Receivable), -await Balance(agency, LedgerAccount.ClientCredit));
        Assert.Equal((receivable, credit), (row.Open, row.Credit));
        Assert.Equal(receivable, (await silo.ReadModels.Sum<AccountEntryRow>(agency, [], nameof(AccountEntryRow.Open), [])).Single().Sum);
        Assert.Equal(credit, (await silo.ReadModels.Sum<AccountEntryRow>(agency, [], nameof(AccountEntryRow.Credit), [])).Single().Sum);
        Assert.Equal(receivable, (await silo.ReadModels.Sum<InvoiceRow>(agency, [], nameof(InvoiceRow.Open), [])).Single().Sum);
        Assert.Equal((await account.Get(new Read(agency, WorkedWeek.Friday), s_first)).Value!.Open, (await silo.ReadModels.Find<InvoiceRow>(agency, [s_first]))!.Open ?? -1);
    }

    private async Task<IBillingAccountGrain> Finalized(AgencyId agency)
    {
        var account = await Drafted(agency);
        WorkedWeek.Ok(await account.Finalize(WorkedWeek.Called(agency), s_first));
        return account;
    }

    private async Task<IBillingAccountGrain> Drafted(AgencyId agency)
    {
        var (sheet, _) = await WorkedWeek.Submitted(silo, agency, OverageGate.Bill);
        WorkedWeek.Ok(await sheet.Approve(WorkedWeek.Called(agency), new([])));
        var account = silo.Grains.Of<IBillingAccountGrain>(agency, s_account.Key);
        WorkedWeek.Ok(await account.Prepare(WorkedWeek.Called(agency), new PrepareInvoice(s_account, new LocalDate(2026, 4, 9), s_first, s_first)));
        return account;
    }
}
