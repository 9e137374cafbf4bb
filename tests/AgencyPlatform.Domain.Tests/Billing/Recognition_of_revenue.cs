using System.Collections.Immutable;
using AgencyPlatform.Domain.Billing;
using CsCheck;
using NodaTime;
using static AgencyPlatform.Domain.Tests.Billing.WorkedExamples;

namespace AgencyPlatform.Domain.Tests.Billing;

/// <summary>Fees that were billed in advance become revenue by their days. Source: domain §5, ledger.</summary>
public sealed class Recognition_of_revenue
{
    private static readonly LocalDate s_may = new(2026, 5, 1);
    private static readonly Instant s_now = Instant.FromUtc(2026, 5, 1, 16, 0);

    [Theory]
    [InlineData(930_000, "2026-05-01", 0)]
    [InlineData(930_000, "2026-05-02", 30_000)]
    [InlineData(930_000, "2026-06-01", 930_000)]
    [InlineData(930_000, "2030-01-01", 930_000)]
    [InlineData(100, "2026-05-11", 32)]
    [InlineData(-100, "2026-05-11", -32)]
    public void Recognised_is_amount_times_days_elapsed_by_days(long amount, string date, long earned) =>
        Assert.Equal(earned, new Earning(amount, [new DateRange(s_may, s_may.PlusMonths(1))]).Before(Date(date)));

    [Fact]
    public void The_parts_of_any_cut_of_the_days_sum_to_the_amount() => Gen.Select(Gen.Long[-10_000_000, 10_000_000], Gen.Int[1, 400], Gen.Int[0, 450].Array[0, 9]).Sample((amount, days, cuts) =>
    {
        var earning = new Earning(amount, [new DateRange(s_may, s_may.PlusDays(days))]);
        var (posted, last) = (0L, 0L);
        foreach (var cut in cuts.Order().Append(days))
        {
            posted += earning.Before(s_may.PlusDays(cut)) - last;
            last = earning.Before(s_may.PlusDays(cut));
            Assert.InRange(Math.Abs(last), 0, Math.Abs(amount));
        }

        Assert.Equal(amount, posted);
    });

    [Fact]
    public void A_quarters_fee_is_posted_month_by_month_and_its_sum_is_exact_at_the_end()
    {
        var facts = Facts(Inputs(s_may, null, Retainer(s_may, 1_000_000, months: 3)));
        var account = Invoiced(BillingAccount.Initial, facts, s_may, "quarter");
        Assert.Equal(Instant.FromUtc(2026, 6, 1, 4, 0), account.NextDue);
        Assert.Empty(account.Settle(Instant.FromUtc(2026, 6, 1, 3, 59)));

        var months = new List<FeesRecognized>();
        while (account.Settle(Instant.FromUtc(2027, 1, 1, 0, 0)) is { IsEmpty: false } due)
        {
            months.Add(Assert.IsType<FeesRecognized>(Assert.Single(due)));
            account = account.Apply(due[0]);
        }

        // 31, 30 and 31 of 92 days.
        Assert.Equal(
            [(new LocalDate(2026, 5, 31), 336_957L), (new LocalDate(2026, 6, 30), 326_086L), (new LocalDate(2026, 7, 31), 336_957L)],
            months.Select(m => (m.PostingDate, -m.Posting.Lines.Single(l => l.Account == LedgerAccount.Revenue).Amount.Minor)));
        Assert.Null(account.NextDue);
    }

    [Fact]
    public void A_change_in_the_past_takes_back_what_was_recognised_of_its_days_and_defers_the_rest()
    {
        // $8,000 becomes $10,000 on 16 May inside an invoiced [1 May, 1 Jun): −4,129.03 and +5,161.29.
        var account = Invoiced(BillingAccount.Initial, Facts(Inputs(s_may, null, Retainer(s_may, 800_000))), s_may, "may");
        var changed = Facts(Inputs(s_may, null, Retainer(s_may, 800_000), Retainer(new(2026, 5, 16), 1_000_000)));
        account = Prepared(account, changed, new(2026, 5, 20), "change");
        account = Folded(account, account.Finalize(new("change"), changed, s_now));
        var events = account.Number(new("change"), 2, new(2026, 5, 20)).Events;

        // Before it 19 of 31 days were earned of the old fee. After it, all of its 15 days, and 4 of the new fee's 16.
        var earned = Assert.IsType<FeesRecognized>(events[0]);
        Assert.Equal((490_323, new LocalDate(2026, 5, 20)), (Of(earned.Posting, LedgerAccount.DeferredRevenue), earned.PostingDate));
        var posted = Assert.IsType<InvoiceFinalized>(events[1]).Posting;
        Assert.Equal((103_226, 387_097 + 129_032 - 490_323), (Of(posted, LedgerAccount.Receivable), -Of(posted, LedgerAccount.Revenue)));
        Assert.Equal(-(516_129 - 129_032), -800_000 + 490_323 + Of(posted, LedgerAccount.DeferredRevenue));
    }

    [Fact]
    public void An_invoice_that_comes_late_recognises_the_days_that_have_passed_at_once()
    {
        var facts = Facts(Inputs(s_may, null, Retainer(s_may, 930_000)));
        var account = Prepared(BillingAccount.Initial, facts, s_may, "late");
        account = Folded(account, account.Finalize(new("late"), facts, s_now));
        var posted = Assert.IsType<InvoiceFinalized>(Assert.Single(account.Number(new("late"), 1, new(2026, 5, 11)).Events)).Posting;

        Assert.Equal((-630_000, -300_000), (Of(posted, LedgerAccount.DeferredRevenue), Of(posted, LedgerAccount.Revenue)));
    }

    [Fact]
    public void What_posts_into_a_closed_month_posts_later_and_says_where_it_belongs()
    {
        var account = Invoiced(BillingAccount.Initial, Facts(Inputs(s_may, null, Retainer(s_may, 930_000, months: 3))), s_may, "quarter");
        var month = Assert.IsType<FeesRecognized>(Assert.Single(account.Settle(Instant.FromUtc(2026, 6, 1, 4, 0))));
        var moved = month.PostedOn(new(2026, 7, 1));

        Assert.Equal((new LocalDate(2026, 7, 1), new LocalDate(2026, 5, 31)), (moved.PostingDate, moved.Effective));
        Assert.Equal(new LocalDate(2026, 5, 31), moved.PostedOn(new(2026, 8, 1)).Effective);
        var row = account.Apply(moved).Project(moved, new EventInfo(new("a"), "x", 9, s_now)).OfType<Put>().Select(p => p.Row).OfType<PostingRow>().First();
        Assert.Equal((new LocalDate(2026, 7, 1), new LocalDate(2026, 5, 31), s_now), (row.Date, row.Effective, row.KnownAt));
    }

    private static long Of(Posting posting, LedgerAccount account) => posting.Lines.Where(l => l.Account == account).Sum(l => l.Amount.Minor);
}
