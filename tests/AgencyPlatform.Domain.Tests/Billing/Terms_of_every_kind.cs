using System.Collections.Immutable;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Time;
using NodaTime;
using static AgencyPlatform.Domain.Tests.Billing.WorkedExamples;

namespace AgencyPlatform.Domain.Tests.Billing;

/// <summary>What each kind of terms puts on an invoice. The sums of many more cases are in cases.csv.</summary>
public sealed class Terms_of_every_kind
{
    private static readonly Currency s_usd = new("USD");
    private static readonly LegalEntityId s_seller = new("us");
    private static readonly Instant s_now = Instant.FromUtc(2026, 6, 15, 12, 0);
    private static readonly LocalDate s_march = new(2026, 3, 1);
    private static readonly LocalDate s_april = new(2026, 4, 1);
    private static readonly HourlyTerms s_hourly = new(s_march, s_seller, s_usd, new BillCycle(1, 1), 25_000);

    [Fact]
    public void A_line_of_hours_says_the_billed_minutes_each_entry_rounded_up_and_no_less_than_the_minimum()
    {
        var lines = Lines(s_april, Inputs(s_march, null, s_hourly with { IncrementMinutes = 15, MinimumMinutes = 30 }) with { Entries = [Hours("a", 2, 1), Hours("b", 3, 30), Hours("c", 4, 31)] });

        var line = Assert.Single(lines);
        Assert.Equal((30 + 30 + 45, LineUnit.Minutes, 43_750), (line.Quantity, line.Unit, line.Amount));
        Assert.Equal(["cmo/2026-W10/a", "cmo/2026-W10/b", "cmo/2026-W10/c"], line.Entries.Select(e => e.Value));
    }

    [Fact]
    public void Hours_beyond_the_cap_are_on_the_line_and_charged_nothing_for_and_what_they_accrued_goes_back()
    {
        var facts = Facts(Inputs(s_march, null, s_hourly with { Cap = 60_000 }) with { Entries = [Hours("a", 2, 120), Hours("b", 3, 60)] });
        var drafted = Prepared(BillingAccount.Initial, facts, s_april, "march");

        var line = Assert.Single(drafted.Draft!.Content.Lines);
        Assert.Equal((180, 60_000, 75_000), (line.Quantity, line.Amount, line.Uncapped));
        Assert.Equal(
            [(LedgerAccount.Receivable, 60_000L), (LedgerAccount.UnbilledReceivable, -75_000L), (LedgerAccount.Revenue, 15_000L)], Posted(drafted, facts, "march"));

        // One hour more changes nothing that is owed: it is on a line of nothing, and its accrual goes back with it.
        var more = facts with { Engagements = [facts.Engagements[0] with { Entries = [.. facts.Engagements[0].Entries, Hours("c", 4, 60)] }] };
        var later = Prepared(Invoiced(BillingAccount.Initial, facts, s_april, "march"), more, s_april, "later").Draft!.Content.Lines.Single();
        Assert.Equal((60, 0, 25_000), (later.Quantity, later.Amount, later.Uncapped));
    }

    [Fact]
    public void An_invoice_has_charges_then_what_is_missing_to_the_minimum_then_discounts_then_tax()
    {
        var terms = Retainer(s_march, 800_000) with
        {
            Timing = FeeTiming.InArrears,
            Minimum = new MinimumCommitment(new PartId("minimum"), 900_000),
            Discounts = [new Discount(new PartId("launch"), new DateRange(s_march, null), 100_000, null, null)],
        };
        var facts = Facts(Inputs(s_march, null, terms)) with { Tax = new TaxTreatment(TaxCategory.Standard, 190_000) };
        var drafted = Prepared(BillingAccount.Initial, facts, s_april, "march");

        var content = drafted.Draft!.Content;
        Assert.Equal([(Charge.Fee, 800_000L), (Charge.Commitment, 100_000L), (Charge.Discount, -90_000L)], content.Lines.Select(l => (l.Item.Charge, l.Amount)));
        Assert.Equal([null, "minimum", "launch"], content.Lines.Select(l => l.Item.Part?.Value));
        Assert.Equal((810_000, 153_900, 963_900), (content.Net, content.Tax, content.Total));
        Assert.Equal([152_000L, 19_000L, -17_100L], content.Lines.Select(l => l.Tax));

        // The fee was accrued by its days; minimum and discount are revenue now.
        Assert.Equal(-10_000, Posted(drafted, facts, "march").Where(p => p.Account == LedgerAccount.Revenue).Sum(p => p.Amount));
    }

    [Fact]
    public void Crediting_a_discounted_invoice_in_parts_takes_the_discount_and_its_tax_back_to_exactly_zero()
    {
        var terms = Retainer(s_march, 1_000_001) with { Discounts = [new Discount(new PartId("launch"), new DateRange(s_march, null), 333_333, null, null)] };
        BillingFacts To(LocalDate? end) => Facts(Inputs(s_march, end, terms)) with { Tax = new TaxTreatment(TaxCategory.Standard, 77_000) };
        var account = Invoiced(BillingAccount.Initial, To(null), s_march, "march");
        foreach (var last in new[] { 23, 17, 9, 2 })
        {
            account = Invoiced(account, To(new LocalDate(2026, 3, last)), new(2026, 3, 30), $"credit-{last}");
            var (fee, discount) = (Sum(account, Charge.Fee), Sum(account, Charge.Discount));
            Assert.Equal(-Rounding.HalfAwayFromZero((System.Numerics.BigInteger)fee * 333_333, 1_000_000), discount);
        }

        account = Invoiced(account, Facts(To(new(2026, 3, 2)).Engagements[0] with { BillingStartsOn = s_april }), new(2026, 3, 30), "rest");

        Assert.All(account.Standing.SelectMany(i => i.Content.Lines).GroupBy(l => l.Item.Charge), c => Assert.Equal((0, 0), (c.Sum(l => l.Amount), c.Sum(l => l.Tax))));
        var taken = account.Standing[1].Content.Lines.Single(l => l.Item.Charge == Charge.Discount);
        Assert.True(taken.Amount > 0);
        Assert.Equal(new LineReference(new InvoiceId("march"), 2), taken.Corrects);
    }

    [Fact]
    public void A_cap_of_a_discount_is_of_all_periods_together()
    {
        var terms = Retainer(s_march, 100_000) with { Discounts = [new Discount(new PartId("launch"), new DateRange(s_march, null), 100_000, null, 25_000)] };

        Assert.Equal([-10_000L, -10_000L, -5_000L], Lines(new(2026, 6, 1), Inputs(s_march, null, terms)).Where(l => l.Item.Charge == Charge.Discount).Select(l => l.Amount));
    }

    [Fact]
    public void A_dispute_is_no_reason_to_charge_what_is_disputed_as_missing_to_the_minimum()
    {
        var terms = s_hourly with { Minimum = new MinimumCommitment(new PartId("minimum"), 60_000) };
        var inputs = Inputs(s_march, null, terms) with { Entries = [Hours("a", 2, 60), Hours("b", 3, 60) with { Disputed = true }] };
        var account = Invoiced(BillingAccount.Initial, Facts(inputs), s_april, "march");

        Assert.Equal([25_000L, 10_000L], account.Standing[0].Content.Lines.Select(l => l.Amount));
        var stands = Prepared(account, Facts(inputs with { Entries = [Hours("a", 2, 60), Hours("b", 3, 60)] }), s_april, "x").Draft!.Content.Lines;
        Assert.Equal([(Charge.Hours, 25_000L)], stands.Select(l => (l.Item.Charge, l.Amount)));
    }

    [Fact]
    public void A_full_day_is_one_half_of_it_a_half_and_less_is_on_the_line_for_nothing()
    {
        var inputs = Inputs(s_march, null, new DayRateTerms(s_march, s_seller, s_usd, new BillCycle(1, 1), 120_001, 480)) with
        {
            Entries = [Hours("a", 2, 480), Hours("b", 3, 240), Hours("c", 4, 239), Hours("d", 5, 100), Hours("e", 5, 140), Hours("f", 6, 900)],
        };

        var line = Assert.Single(Lines(s_april, inputs));
        Assert.Equal((6, LineUnit.HalfDays, 360_003, 6), (line.Quantity, line.Unit, line.Amount, line.Entries.Length));
        Assert.Equal("Growth: days at 1,200.01 USD a day, 2026-03-02 to 2026-03-06", line.Description);
    }

    [Fact]
    public void A_milestone_is_due_on_its_day_credited_when_it_is_reopened_and_due_again()
    {
        var terms = new MilestoneTerms(s_march, s_seller, s_usd, new BillCycle(1, 1), [new Milestone(new PartId("brand"), "Brand book", 500_000)]);
        BillingFacts Reached(params int[] days) => Facts(Inputs(s_march, null, terms) with
        {
            Milestones = [.. days.Select(d => new ReachedMilestone(new PartId("brand"), "Brand book", 500_000, new LocalDate(2026, 3, d)))],
        });

        Assert.Equal(Reasons.NothingToBill, BillingAccount.Initial.Prepare(Command(new(2026, 3, 9), "x"), Reached(10), s_now).Rejection!.Reason);
        var account = Invoiced(BillingAccount.Initial, Reached(10), new(2026, 3, 10), "reached");
        var line = account.Standing[0].Content.Lines.Single();
        Assert.Equal(("Growth: Brand book, 2026-03-10", 500_000, new DateRange(new(2026, 3, 10), new(2026, 3, 11))), (line.Description, line.Amount, line.Service));

        account = Invoiced(account, Reached(), new(2026, 3, 12), "reopened");
        Assert.Equal((-500_000, new LineReference(new InvoiceId("reached"), 1)), (account.Standing[1].Content.Lines[0].Amount, account.Standing[1].Content.Lines[0].Corrects!));
        Assert.Equal(Reasons.NothingToBill, account.Prepare(Command(new(2026, 5, 1), "x"), Reached(), s_now).Rejection!.Reason);
        Assert.Equal([500_000L], Prepared(account, Reached(20), new(2026, 3, 20), "again").Draft!.Content.Lines.Select(l => l.Amount));
    }

    [Fact]
    public void A_prepaid_block_is_charged_on_its_first_day_to_deferred_revenue()
    {
        var inputs = Inputs(s_march, null, new PrepaidTerms(s_march, s_seller, s_usd, new BillCycle(1, 1), 150_000, 600, 6, null, OverageGate.Block)) with
        {
            Blocks = [new PrepaidBlock(new PartId("block-1"), 600, 150_000, new(2026, 3, 5), new(2026, 9, 5))],
        };
        var drafted = Prepared(BillingAccount.Initial, Facts(inputs), new(2026, 3, 5), "x");

        Assert.Equal(("Growth: prepaid hours, 2026-03-05 to 2026-09-04", 150_000), (drafted.Draft!.Content.Lines[0].Description, drafted.Draft.Content.Net));
        Assert.Equal([(LedgerAccount.Receivable, 150_000L), (LedgerAccount.DeferredRevenue, -150_000L)], Posted(drafted, Facts(inputs), "x"));
    }

    [Fact]
    public void The_clients_engagements_share_an_invoice_and_one_that_is_invoiced_apart_has_its_own()
    {
        var (one, two) = (Inputs(s_march, null, Retainer(s_march, 800_000)), Inputs(s_march, null, Retainer(s_march, 300_000)) with { Engagement = new("second") });
        var apart = Inputs(s_march, null, Retainer(s_march, 500_000)) with { Engagement = new("third"), Apart = true };
        var facts = Facts(one) with { Engagements = [one, two, apart] };

        var account = Invoiced(BillingAccount.Initial, facts, s_march, "together");
        Assert.Equal([800_000L, 300_000L], account.Standing[0].Content.Lines.Select(l => l.Amount));
        var own = Folded(account, account.Prepare(Command(s_march, "own") with { Only = new("third") }, facts, s_now));
        Assert.Equal((500_000, new EngagementId("third")), (own.Draft!.Content.Net, own.Draft.Content.Only!.Value));
        Assert.Equal(Reasons.DraftOpen, own.Prepare(Command(new(2026, 4, 1), null), facts, s_now).Rejection!.Reason);

        account = Folded(own, own.Finalize(new("own"), facts, s_now));
        Assert.Equal(Reasons.NothingToBill, account.Prepare(Command(s_march, "x"), facts, s_now).Rejection!.Reason);
        Assert.Equal(Reasons.NothingToBill, account.Prepare(Command(s_march, "x") with { Only = new("third") }, facts, s_now).Rejection!.Reason);
    }

    [Fact]
    public void A_bill_of_absurdly_many_periods_or_lines_is_refused_with_the_numbers()
    {
        var since = new LocalDate(1926, 1, 1);
        var long_ = BillingAccount.Initial.Prepare(Command(s_march, "x"), Facts(Inputs(since, null, Retainer(since, 800_000))), s_now).Rejection!;
        Assert.Equal((Reasons.BillTooLarge, "growth", "1926-01-01", "600"), (long_.Reason, long_.Metadata["engagement"], long_.Metadata["start_date"], long_.Metadata["most_periods"]));

        var many = Enumerable.Range(0, 30).Select(i => Inputs(new(2020, 1, 1), null, Retainer(new(2020, 1, 1), 800_000)) with { Engagement = new($"e{i}") });
        var wide = BillingAccount.Initial.Prepare(Command(s_march, "x"), Facts(Inputs(s_march, null, s_hourly)) with { Engagements = [.. many] }, s_now).Rejection!;
        Assert.Equal((Reasons.BillTooLarge, "2250", "2000"), (wide.Reason, wide.Metadata["lines"], wide.Metadata["most_lines"]));

        // What was before the cut-over is not looked at.
        Assert.Null(BillingAccount.Initial.Prepare(Command(s_march, "x"), Facts(Inputs(since, null, Retainer(since, 800_000)) with { BillingStartsOn = s_march }), s_now).Rejection);
    }

    [Theory]
    [InlineData(long.MaxValue, 1)]
    [InlineData(long.MaxValue / 2, 3)]
    [InlineData(Money.MostMinor / 2 + 1, 2)]
    public void An_amount_beyond_the_bound_is_a_clear_refusal(long fee, int engagements)
    {
        var all = Enumerable.Range(0, engagements).Select(i => Inputs(s_march, null, Retainer(s_march, fee)) with { Engagement = new($"e{i}") });
        var facts = Facts(Inputs(s_march, null, s_hourly)) with { Engagements = [.. all], Tax = new TaxTreatment(TaxCategory.Standard, 190_000) };

        var refusal = BillingAccount.Initial.Prepare(Command(s_march, "x"), facts, s_now).Rejection!;

        Assert.Equal((Reasons.AmountTooLarge, "1000000000000000"), (refusal.Reason, refusal.Metadata["most_minor_units"]));
    }

    [Fact]
    public void Days_of_no_length_and_fees_of_nothing_are_no_lines()
    {
        // Two changes on one day, a cut-over on the end's eve, and a fee of a cent for one of 31 days.
        Assert.Equal([800_000L], Lines(s_march, Inputs(s_march, null, Retainer(s_march, 700_000), Retainer(s_march, 800_000))).Select(l => l.Amount));
        Assert.Equal(Reasons.NothingToBill, Refusal(Inputs(s_march, s_april, Retainer(s_march, 800_000)) with { BillingStartsOn = s_april }));
        Assert.Equal(Reasons.NothingToBill, Refusal(Inputs(new(2026, 3, 31), s_april, Retainer(new(2026, 3, 31), 1))));

        static string Refusal(BillingInputs inputs) => BillingAccount.Initial.Prepare(Command(s_april, "x"), Facts(inputs), s_now).Rejection!.Reason;
    }

    [Fact]
    public void Eight_thousand_a_month_are_ninety_six_thousand_a_year_and_forty_hours_a_month_at_250_are_120_000()
    {
        var january = new LocalDate(2026, 1, 1);
        var end = new LocalDate(2027, 1, 1);
        Assert.Equal(9_600_000, Lines(new(2026, 12, 1), Inputs(january, end, Retainer(january, 800_000))).Sum(l => l.Amount));

        var hours = Enumerable.Range(1, 12).Select(m => new BillableEntry(
            TimeEntryKey.Of(new CmoId("cmo"), new IsoWeek(2026, 10), new TimeEntryId($"m{m}")), new CmoId("cmo"), new LocalDate(2026, m, 3), 0, 2_400));
        Assert.Equal(12_000_000, Lines(end, Inputs(january, end, s_hourly with { EffectiveFrom = january }) with { Entries = [.. hours] }).Sum(l => l.Amount));
    }

    [Fact]
    public void Each_kind_has_a_monthly_equivalent_that_a_sign_off_rule_can_look_at()
    {
        var cycle = new BillCycle(1, 3);
        var minimum = new MinimumCommitment(new PartId("minimum"), 3_000_000);
        var days = new DayRateTerms(s_march, s_seller, s_usd, cycle, 120_000, 480);

        Assert.Equal(
            [500_000L, 400_000L, 300_000L, null, null, 2_000_000L, 650_000L, 150_000L, 1_000_000L, null],
            new Terms[]
            {
                s_hourly with { EstimatedMonthly = 500_000 }, s_hourly with { EstimatedMonthly = 500_000, Cap = 400_000 }, s_hourly with { Cap = 900_000, Cycle = cycle }, s_hourly,
                days, days with { EstimatedMonthly = 2_000_000, Minimum = minimum },
                new MilestoneTerms(s_march, s_seller, s_usd, cycle, [new(new("a"), "A", 400_000), new(new("b"), "B", 250_000)]),
                new PrepaidTerms(s_march, s_seller, s_usd, cycle, 150_000, 600, 6, null, OverageGate.Block),
                Retainer(s_march, 900_000, months: 3) with { Minimum = minimum }, s_hourly with { Minimum = minimum },
            }.Select(t => SignOff.Amount([t])?.Minor));
    }

    private static ImmutableArray<InvoiceLine> Lines(LocalDate to, BillingInputs inputs) => Prepared(BillingAccount.Initial, Facts(inputs), to, "x").Draft!.Content.Lines;

    private static long Sum(BillingAccount account, Charge charge) => account.Standing.SelectMany(i => i.Content.Lines).Where(l => l.Item.Charge == charge).Sum(l => l.Amount);

    private static List<(LedgerAccount Account, long Amount)> Posted(BillingAccount drafted, BillingFacts facts, string id)
    {
        var frozen = Folded(drafted, drafted.Finalize(new InvoiceId(id), facts, s_now));
        return [.. frozen.Number(new InvoiceId(id), 1, s_april).Events.OfType<InvoiceFinalized>().Single().Posting.Lines.Select(l => (l.Account, l.Amount.Minor))];
    }
}
