using System.Collections.Immutable;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Time;
using NodaTime;

namespace AgencyPlatform.Domain.Tests.Billing;

/// <summary>The examples of domain §5 that this slice has, and what follows from them.</summary>
public sealed class WorkedExamples
{
    private static readonly Currency s_usd = new("USD");
    private static readonly LegalEntityId s_seller = new("us");
    private static readonly AccountId s_account = new(new ClientCompanyId("acme"), s_seller, s_usd);
    private static readonly Instant s_now = Instant.FromUtc(2026, 6, 15, 12, 0);

    [Theory]
    [InlineData(2495, "2026-09-16", "2026-09-25", 25, 1, 724)]
    [InlineData(2495, "2026-09-03", "2026-09-25", 25, 1, 1771)]
    [InlineData(800_000, "2026-03-10", null, 1, 1, 567_742)]
    [InlineData(900_000, "2026-03-10", null, 1, 3, 220_000)]
    public void A_first_part_of_a_period_is_prorated_against_the_full_period_that_ends_at_the_next_bill_date(long fee, string start, string? end, int day, int months, long expected)
    {
        var items = Owed.Of(Inputs(Date(start), end is null ? null : Date(end), terms: Retainer(Date(start), fee, day, months)), s_seller, s_usd, Date(start));

        Assert.Equal(expected, Assert.Single(items, i => i.Due).Amount.Minor);
    }

    [Fact]
    public void A_fee_that_changes_its_bill_day_cuts_the_period_and_starts_a_new_chain()
    {
        // $24.95: 16 → 25 Sep with bill day 25 is 9 of 31 days; the next whole period ends on 25 Oct; 25 Sep → 17 Oct of a 30-day period is 22 of 30.
        var terms = ImmutableArray.Create<Terms>(Retainer(new(2026, 9, 16), 2495, 25), Retainer(new(2026, 10, 17), 2495, 1));
        var items = Owed.Of(Inputs(new(2026, 9, 16), null, [.. terms]), s_seller, s_usd, new(2026, 10, 20));

        Assert.Equal([724, 1830, 1207], items.Select(i => i.Amount.Minor));
        Assert.Equal([new LocalDate(2026, 9, 16), new LocalDate(2026, 9, 25), new LocalDate(2026, 10, 17)], items.Select(i => i.Key.Period));
    }

    [Fact]
    public void Included_minutes_are_prorated_half_up() =>
        Assert.Equal(1_703, new BillCycle(1, 1).Periods(new DateRange(new(2026, 3, 10), null)).First().ProrateMinutes(2_400));

    [Fact]
    public void An_engagement_running_before_its_cut_over_is_billed_from_the_cut_over_on()
    {
        var start = new LocalDate(2024, 3, 1);
        var items = Owed.Of(Inputs(start, null, Retainer(start, 800_000)) with { BillingStartsOn = new(2026, 4, 1) }, s_seller, s_usd, new(2026, 4, 1));

        var item = Assert.Single(items);
        Assert.Equal((new LocalDate(2026, 4, 1), 800_000), (item.Key.Period, item.Amount.Minor));
    }

    [Fact]
    public void A_fee_raised_inside_an_invoiced_month_credits_the_old_days_and_charges_the_new()
    {
        var start = new LocalDate(2026, 5, 1);
        var account = Invoiced(BillingAccount.Initial, Facts(Inputs(start, new(2026, 6, 1), Retainer(start, 800_000))), start, "may");
        var raised = Facts(Inputs(start, new(2026, 6, 1), Retainer(start, 800_000), Retainer(new(2026, 5, 16), 1_000_000)));

        var content = Prepared(account, raised, new(2026, 5, 20), "change").Draft!.Content;

        Assert.Equal([-412_903, 516_129], content.Lines.Select(l => l.Amount));
        Assert.Equal(103_226, content.Net);
        Assert.All(content.Lines, l => Assert.Equal(new DateRange(new(2026, 5, 16), new(2026, 6, 1)), l.Service));
        Assert.Equal(new LineReference(new InvoiceId("may"), 1), content.Lines[0].Corrects);
        Assert.Equal([-16, 16], content.Lines.Select(l => l.Quantity));
    }

    [Fact]
    public void Hours_changed_twice_at_an_unchanged_fee_bill_and_credit_nothing()
    {
        var start = new LocalDate(2026, 6, 1);
        var account = Invoiced(BillingAccount.Initial, Facts(Inputs(start, null, Retainer(start, 1_000_000))), start, "june");
        var changed = Facts(Inputs(
            start, null, Retainer(start, 1_000_000), Retainer(new(2026, 6, 10), 1_000_000) with { IncludedMinutes = 3_000 }, Retainer(new(2026, 6, 20), 1_000_000) with { IncludedMinutes = 1_200 }));

        Assert.Equal(Reasons.NothingToBill, account.Prepare(Command(new(2026, 6, 30), "again"), changed, s_now).Rejection!.Reason);
    }

    [Fact]
    public void Minutes_of_a_key_are_summed_and_then_rounded()
    {
        var start = new LocalDate(2026, 3, 1);
        var hourly = new HourlyTerms(start, s_seller, s_usd, new BillCycle(1, 1), 25_000);
        var one = Facts(Inputs(start, null, hourly) with { Entries = [Hours("a", 2, 10)] });
        var three = Facts(Inputs(start, null, hourly) with { Entries = [Hours("a", 2, 10), Hours("b", 3, 10), Hours("c", 4, 10)] });

        Assert.Equal([12_500], Prepared(BillingAccount.Initial, three, new(2026, 4, 1), "m").Draft!.Content.Lines.Select(l => l.Amount));

        // A later line of the key is the new total minus what was invoiced: 125.00 − 41.67.
        var account = Invoiced(BillingAccount.Initial, one, new(2026, 4, 1), "first");
        var later = Prepared(account, three, new(2026, 4, 1), "second").Draft!.Content.Lines.Single();
        Assert.Equal((8_333, 20, new DateRange(new(2026, 3, 3), new(2026, 3, 5))), (later.Amount, later.Quantity, later.Service));
        Assert.Equal(["cmo/2026-W10/b", "cmo/2026-W10/c"], later.Entries.Select(e => e.Value));
    }

    [Fact]
    public void To_a_date_takes_fees_in_advance_that_start_by_it_and_arrears_that_end_by_it()
    {
        var start = new LocalDate(2026, 3, 1);
        var facts = new BillingFacts(
            Us, "America/New_York", new InvoiceSeriesId("main"), Acme, 30, TaxTreatment.None,
            [
                Inputs(start, null, new HourlyTerms(start, s_seller, s_usd, new BillCycle(1, 1), 25_000)) with { Engagement = new("hourly"), Entries = [Hours("a", 2, 60)] },
                Inputs(start, null, Retainer(start, 800_000)) with { Engagement = new("retainer") },
            ]);
        var march = Invoiced(BillingAccount.Initial, facts, start, "march-fee");

        Assert.Equal(Reasons.NothingToBill, march.Prepare(Command(new(2026, 3, 31), "x"), facts, s_now).Rejection!.Reason);
        var april = Prepared(march, facts, new(2026, 4, 1), "x").Draft!.Content.Lines;
        Assert.Equal([(Charge.Hours, 25_000L), (Charge.Fee, 800_000L)], april.Select(l => (l.Item.Charge, l.Amount)));
        Assert.Equal(new LocalDate(2026, 4, 1), april[1].Item.Period);
    }

    [Fact]
    public void An_early_end_credits_the_days_not_served_with_a_credit_note_in_a_series_of_its_own()
    {
        var start = new LocalDate(2026, 6, 1);
        var account = Invoiced(BillingAccount.Initial, Facts(Inputs(start, null, Retainer(start, 900_000))), start, "june");
        var ended = Facts(Inputs(start, new(2026, 6, 11), Retainer(start, 900_000)));

        var drafted = Prepared(account, ended, new(2026, 6, 15), "credit");
        Assert.Equal((DocumentKind.CreditNote, -600_000), (drafted.Draft!.Content.Kind, drafted.Draft.Content.Total));
        var frozen = Folded(drafted, drafted.Finalize(new("credit"), ended, s_now));
        Assert.Equal("main-cn", frozen.NextStep()!.Value.Series.Value);
        var posted = frozen.Number(new("credit"), 1, new(2026, 6, 15)).Events.OfType<InvoiceFinalized>().Single().Posting.Lines;

        // 14 days of June were earned by the 15th, and 10 were served: four days of revenue go back, and the 16 that were to come.
        Assert.Equal(
            [(LedgerAccount.Receivable, -600_000L), (LedgerAccount.DeferredRevenue, 480_000L), (LedgerAccount.Revenue, 120_000L)], posted.Select(l => (l.Account, l.Amount.Minor)));
    }

    [Theory]
    [InlineData(190_000, 567_742, 107_871)]
    [InlineData(88_750, 567_742, 50_387)]
    public void Tax_is_of_the_taxable_sum_rounded_once(int ratePpm, long net, long tax)
    {
        var start = new LocalDate(2026, 3, 10);
        var facts = Facts(Inputs(start, null, Retainer(start, 800_000))) with { Tax = new TaxTreatment(TaxCategory.Standard, ratePpm) };
        var content = Prepared(BillingAccount.Initial, facts, start, "a").Draft!.Content;

        Assert.Equal((net, tax, net + tax), (content.Net, content.Tax, content.Total));
        Assert.Equal(new TaxSubtotal(facts.Tax, net, tax), Assert.Single(content.Taxes));
    }

    [Fact]
    public void Crediting_all_of_an_invoice_in_parts_leaves_exactly_zero()
    {
        var start = new LocalDate(2026, 6, 1);
        BillingFacts To(LocalDate? end) => Facts(Inputs(start, end, Retainer(start, 1_000_001))) with { Tax = new TaxTreatment(TaxCategory.Standard, 77_000) };
        var account = Invoiced(BillingAccount.Initial, To(null), start, "june");
        foreach (var last in new[] { 23, 17, 9, 2 })
        {
            account = Invoiced(account, To(new LocalDate(2026, 6, last)), new(2026, 6, 30), $"credit-{last}");
        }

        // Nothing served at all: an engagement whose billing starts after its end.
        account = Invoiced(account, Facts(Inputs(start, new(2026, 6, 2), Retainer(start, 1_000_001)) with { BillingStartsOn = new(2026, 7, 1) }), new(2026, 6, 30), "rest");

        Assert.Equal((0, 0), (account.Standing.Sum(i => i.Content.Net), account.Standing.Sum(i => i.Content.Tax)));
        Assert.Equal(0, account.Standing.Sum(i => i.Content.Lines.Sum(l => l.Quantity)));
    }

    [Fact]
    public void A_draft_whose_inputs_changed_is_not_finalized()
    {
        var start = new LocalDate(2026, 6, 1);
        var drafted = Prepared(BillingAccount.Initial, Facts(Inputs(start, null, Retainer(start, 900_000))), start, "june");
        var changed = Facts(Inputs(start, new(2026, 6, 11), Retainer(start, 900_000)));

        var refusal = drafted.Finalize(new("june"), changed, s_now).Rejection!;
        Assert.Equal((Reasons.DraftStale, "900000", "300000"), (refusal.Reason, refusal.Metadata["draft_total"], refusal.Metadata["current_total"]));
        var refreshed = Prepared(drafted, changed, start, null);
        Assert.Equal((new InvoiceId("june"), 300_000), (refreshed.Draft!.Id, refreshed.Draft.Content.Total));
        Assert.NotEmpty(refreshed.Finalize(new("june"), changed, s_now).Events);
    }

    [Fact]
    public void Running_twice_adds_nothing_and_a_second_draft_is_refused()
    {
        var start = new LocalDate(2026, 6, 1);
        var facts = Facts(Inputs(start, null, Retainer(start, 900_000)));
        var drafted = Prepared(BillingAccount.Initial, facts, start, "june");

        Assert.Empty(drafted.Prepare(Command(start, null), facts, s_now).Events);
        Assert.Null(drafted.Prepare(Command(start, null), facts, s_now).Rejection);
        Assert.Equal(Reasons.DraftOpen, drafted.Prepare(Command(start, "other"), facts, s_now).Rejection!.Reason);
        var account = Invoiced(BillingAccount.Initial, facts, start, "june");
        Assert.Equal(Reasons.NothingToBill, account.Prepare(Command(start, null), facts, s_now).Rejection!.Reason);
        Assert.Equal(RejectionKind.AlreadyExists, account.Prepare(Command(start, "june"), facts, s_now).Rejection!.Kind);
        Assert.Equal(Reasons.InvoiceFinal, account.Discard(new("june")).Rejection!.Reason);
    }

    [Fact]
    public void A_fee_in_arrears_is_due_when_its_period_has_ended_and_clears_what_its_days_accrued()
    {
        var start = new LocalDate(2026, 5, 1);
        var facts = Facts(Inputs(start, null, Retainer(start, 900_000) with { Timing = FeeTiming.InArrears }));

        Assert.Equal(Reasons.NothingToBill, BillingAccount.Initial.Prepare(Command(new(2026, 5, 31), "x"), facts, s_now).Rejection!.Reason);
        var drafted = Prepared(BillingAccount.Initial, facts, new(2026, 6, 1), "x");
        var frozen = Folded(drafted, drafted.Finalize(new("x"), facts, s_now));
        var posted = frozen.Number(new("x"), 1, new(2026, 6, 1)).Events.OfType<InvoiceFinalized>().Single().Posting.Lines;
        Assert.Equal([(LedgerAccount.Receivable, 900_000L), (LedgerAccount.UnbilledReceivable, -900_000L)], posted.Select(l => (l.Account, l.Amount.Minor)));
    }

    [Fact]
    public void A_series_gives_the_next_numbers_and_dates_that_never_decrease()
    {
        var (series, format) = (InvoiceSeries.Initial, SeriesFormat.Default(new("main")));
        series = series.Apply(Assert.Single(series.Assign(Assign("a", "b"), format, "America/New_York", null, Instant.FromUtc(2026, 6, 2, 3, 0)).Events));
        Assert.Equal([1, 2], series.Recent.Select(n => n.Number));
        Assert.Equal(new LocalDate(2026, 6, 1), series.LastIssueDate);

        // Its clock goes back (another silo's): the date stays.
        series = series.Apply(Assert.Single(series.Assign(Assign("c"), format, "America/New_York", null, Instant.FromUtc(2026, 5, 30, 12, 0)).Events));
        Assert.Equal((3, new LocalDate(2026, 6, 1)), (series.Last, series.LastIssueDate!.Value));
        Assert.Empty(series.Assign(Assign("a", "c"), format, "America/New_York", null, Instant.FromUtc(2026, 6, 30, 12, 0)).Events);
        Assert.Equal("MAIN-000003", series.Recent[^1].Printed);

        static AssignNumbers Assign(params string[] invoices) => new(s_seller, new InvoiceSeriesId("main"), [.. invoices.Select(i => new InvoiceId(i))]);
    }

    // ---- what the examples are built of ----

    internal static Party Us { get; } = new("Growth LLC", "1 Main St", "US", "12-345");

    internal static Party Acme { get; } = new("Acme Inc", "2 Oak St", "US", "");

    internal static LocalDate Date(string text) => NodaTime.Text.LocalDatePattern.Iso.Parse(text).Value;

    internal static RetainerTerms Retainer(LocalDate from, long fee, int day = 1, int months = 1) =>
        new(from, s_seller, s_usd, new BillCycle(day, months), fee, 2_400, 25_000, OverageGate.Bill);

    internal static BillableEntry Hours(string id, int dayOfMarch, int minutes) =>
        new(TimeEntryKey.Of(new CmoId("cmo"), new IsoWeek(2026, 10), new TimeEntryId(id)), new CmoId("cmo"), new LocalDate(2026, 3, dayOfMarch), 0, minutes);

    internal static BillingInputs Inputs(LocalDate start, LocalDate? end, params Terms[] terms) =>
        new(new EngagementId("growth"), new ClientCompanyId("acme"), "Growth", new DateRange(start, end), start, [.. terms], []);

    internal static BillingFacts Facts(BillingInputs inputs) => new(Us, "America/New_York", new InvoiceSeriesId("main"), Acme, 30, TaxTreatment.None, [inputs]);

    internal static PrepareInvoice Command(LocalDate to, string? id) => new(s_account, to, id is null ? null : new InvoiceId(id), new InvoiceId("new"));

    internal static BillingAccount Prepared(BillingAccount account, BillingFacts facts, LocalDate to, string? id) => Folded(account, account.Prepare(Command(to, id), facts, s_now));

    internal static BillingAccount Invoiced(BillingAccount account, BillingFacts facts, LocalDate to, string id)
    {
        account = Prepared(account, facts, to, id);
        account = Folded(account, account.Finalize(new InvoiceId(id), facts, s_now));
        return Folded(account, account.Number(new InvoiceId(id), account.Standing.Length, to));
    }

    internal static BillingAccount Folded(BillingAccount account, Decision decision)
    {
        Assert.True(decision.Rejection is null, decision.Rejection?.Message);
        return decision.Events.Aggregate(account, (state, @event) => state.Apply(@event));
    }
}
