using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Time;
using CsCheck;
using NodaTime;
using static AgencyPlatform.Domain.Tests.Billing.WorkedExamples;

namespace AgencyPlatform.Domain.Tests.Billing;

/// <summary>A line that is credited by hand takes its share of the invoice's discounts with it: what was charged is given back, and all lines are the whole.</summary>
public sealed class Credits_of_discounted_lines
{
    private static readonly TaxTreatment s_tax = new(TaxCategory.Standard, 88_750);
    private static readonly InvoiceSeriesId s_series = new("main");
    private static readonly LocalDate s_march = new(2026, 3, 1);
    private static readonly LocalDate s_april = new(2026, 4, 1);
    private static readonly Instant s_now = Instant.FromUtc(2026, 4, 15, 12, 0);

    [Fact]
    public void Half_of_a_line_takes_half_of_its_discount_back_and_the_rest_the_rest()
    {
        var account = March(Retainer(s_march, 1_000_001) with { Discounts = [Percent("launch", s_march, null, 333_333)] });
        Assert.Equal([1_000_001L, -333_333L], account.Standing[0].Content.Lines.Select(l => l.Amount));

        account = Credited(account, "half", new LineCredit(1, 500_000));
        Assert.Equal([(1, -500_000L), (2, 166_666L)], Credit(account, "half"));
        account = Credited(account, "rest", new LineCredit(1, null));
        Assert.Equal([(1, -500_001L), (2, 166_667L)], Credit(account, "rest"));
        AllGone(account);
        Assert.Equal("0", account.CreditByHand(Command("x", new LineCredit(1, null)), s_series, s_now).Rejection!.Metadata["left"]);
    }

    [Fact]
    public void A_discount_is_of_the_charges_on_its_days()
    {
        // Two fees, and a discount of the first's days; the hours of the second half are none of its.
        var terms = Retainer(s_march, 620_000) with { Discounts = [Percent("launch", s_march, new(2026, 3, 17), 100_000)] };
        var account = March(terms, Retainer(new(2026, 3, 17), 310_000));
        Assert.Equal([(Charge.Fee, 150_000L), (Charge.Fee, 320_000L), (Charge.Discount, -32_000L)], account.Standing[0].Content.Lines.Select(l => (l.Item.Charge, l.Amount)));
        Assert.Equal([(1, -150_000L)], Credit(Credited(account, "second", new LineCredit(1, null)), "second"));
        Assert.Equal([(2, -160_000L), (3, 16_000L)], Credit(Credited(account, "first", new LineCredit(2, 160_000)), "first"));
    }

    [Fact]
    public void A_discount_of_one_engagement_is_none_of_anothers()
    {
        var other = Inputs(s_march, null, Retainer(s_march, 200_000)) with { Engagement = new("other") };
        var facts = Facts(Inputs(s_march, null, Retainer(s_march, 400_000) with { Discounts = [Percent("launch", s_march, null, 250_000)] })) with { Tax = s_tax };
        var account = Invoiced(BillingAccount.Initial, facts with { Engagements = [facts.Engagements[0], other] }, s_march, "march");
        Assert.Equal([400_000L, 200_000L, -100_000L], account.Standing[0].Content.Lines.Select(l => l.Amount));
        account = Credited(account, "other", new LineCredit(2, null));
        Assert.Equal([(2, -200_000L)], Credit(account, "other"));
        account = Credited(account, "own", new LineCredit(1, null));
        Assert.Equal([(1, -400_000L), (3, 100_000L)], Credit(account, "own"));
        AllGone(account);
    }

    [Fact]
    public void What_a_discount_s_own_charge_cannot_bear_is_of_the_others_and_what_is_free_has_nothing_to_credit()
    {
        // $5,000 a month for the first half of the month, in which a fee of 1,600 falls; the other 900 are the second fee's.
        var terms = Retainer(s_march, 310_000) with { Discounts = [new Discount(new PartId("launch"), new DateRange(s_march, new(2026, 3, 17)), null, 484_375, null)] };
        var account = March(terms, Retainer(new(2026, 3, 17), 620_000));
        Assert.Equal([160_000L, 300_000L, -250_000L], account.Standing[0].Content.Lines.Select(l => l.Amount));
        Assert.Equal(Reasons.NothingToCredit, account.CreditByHand(Command("x", new LineCredit(1, null)), s_series, s_now).Rejection!.Reason);

        account = Credited(account, "second", new LineCredit(2, null));
        Assert.Equal([(2, -300_000L), (3, 90_000L)], Credit(account, "second"));
        Assert.Equal(0, account.Standing.Sum(i => i.Content.Net));
    }

    [Fact]
    public void What_is_to_be_billed_again_comes_again_with_its_discount()
    {
        var terms = Retainer(s_march, 1_000_001) with { Discounts = [Percent("launch", s_march, null, 333_333)] };
        var facts = Facts(Inputs(s_march, null, terms)) with { Tax = s_tax };
        var account = March(terms);
        account = Credited(account, Command("again", new LineCredit(1, null)) with { Rebill = true });
        account = Invoiced(account, facts, s_march, "second");
        var (first, second) = (account.Find(new("march"))!.Content, account.Find(new("second"))!.Content);
        Assert.Equal((first.Net, first.Tax), (second.Net, second.Tax));
        Assert.Equal(first.Lines.Select(l => (l.Item, l.Amount)), second.Lines.Select(l => (l.Item, l.Amount)));
        Assert.Equal(Reasons.NothingToBill, account.Prepare(WorkedExamples.Command(s_march, "x"), facts, s_now).Rejection!.Reason);
    }

    [Fact]
    public void What_a_run_took_back_is_not_taken_back_again()
    {
        var terms = Retainer(s_march, 310_000) with { Discounts = [Percent("launch", s_march, null, 100_000)] };
        var account = March(terms);

        // It ends on 11 March: the run credits 21 of 31 days with their discount.
        account = Invoiced(account, Facts(Inputs(s_march, new(2026, 3, 11), terms)) with { Tax = s_tax }, s_march, "run");
        Assert.Equal([-210_000L, 21_000L], account.Find(new("run"))!.Content.Lines.Select(l => l.Amount));
        account = Credited(account, "rest", new LineCredit(1, null));
        Assert.Equal([(1, -100_000L), (2, 10_000L)], Credit(account, "rest"));
        AllGone(account);
    }

    /// <summary>Invoices of two engagements with fees, hours, minimums and discounts of every kind; their lines are credited one by one, in any order and in any parts.</summary>
    [Fact]
    public void Whatever_lines_are_credited_in_whatever_parts_no_more_is_credited_than_charged_and_in_the_end_all_of_it()
    {
        var discount = Gen.Select(Gen.Int[0, 30], Gen.Int[1, 31], Gen.OneOf(Gen.Int[1, 1_000_000], Gen.Const(1_000_000), Gen.Const(0)), Gen.Long[1, 900_000], Gen.Bool);
        var engagement = Gen.Select(Gen.Long[1, 900_000], Gen.Long[0, 900_000], Gen.Int[1, 30], Gen.Int[0, 600], discount.Array[0, 3], Gen.Bool);
        var (credits, discounts, whole) = (0, 0, 0);
        Gen.Select(engagement, engagement, Gen.Shuffle(Enumerable.Range(0, 12).ToArray()), Gen.Int[0, 1_000].Array[12], Gen.Bool).Sample((one, two, order, parts, twice) =>
        {
            var facts = Facts(Engagement("one", one)) with { Tax = s_tax };
            facts = facts with { Engagements = [facts.Engagements[0], Engagement("two", two)] };
            var account = twice && BillingAccount.Initial.Prepare(WorkedExamples.Command(s_march, "early"), facts, s_now).Rejection is null
                ? Invoiced(BillingAccount.Initial, facts, s_march, "early")
                : BillingAccount.Initial;
            if (account.Prepare(WorkedExamples.Command(s_april.PlusDays(-1), "march"), facts, s_now).Rejection is not null && account.Standing.IsEmpty)
            {
                return;
            }

            account = account.Prepare(WorkedExamples.Command(s_april, "march"), facts, s_now).Rejection is null ? Invoiced(account, facts, s_april, "march") : account;
            var invoice = account.Standing[^1];
            var charges = invoice.Content.Lines.Where(l => l is { Amount: > 0, Corrects: null } && l.Item.Charge != Charge.Discount).ToList();
            if (invoice.Content.Net < 0 || invoice.Content.Lines.Any(l => l.Corrects is not null) || charges.Count == 0)
            {
                return;
            }

            var (others, othersInAll) = (account.Standing.Where(i => i.Id != invoice.Id).Sum(i => i.Content.Net), account.Standing.Where(i => i.Id != invoice.Id).Sum(i => i.Content.Total));
            var number = 0;
            foreach (var place in order.Where(o => o < charges.Count))
            {
                var line = charges[place];
                foreach (var amount in new long?[] { line.Amount * parts[place] / 1_000, null })
                {
                    if (amount == 0 || account.CreditByHand(new(invoice.Id, new($"c{number}"), [new LineCredit(line.Number, amount)], false), s_series, s_now) is not { Rejection: null } decided)
                    {
                        continue;
                    }

                    account = Numbered(Folded(account, decided), $"c{number++}");
                    Interlocked.Increment(ref credits);
                    Interlocked.Add(ref discounts, account.Standing[^1].Content.Lines.Length - 1);
                    var left = new LineCredits(account.Standing);
                    Assert.True(account.Standing.Sum(i => i.Content.Net) - others >= 0);
                    Assert.All(invoice.Content.Lines, l => Assert.True(Math.Abs(left.LeftOf(invoice.Id, l).Amount) <= Math.Abs(l.Amount) && left.LeftOf(invoice.Id, l).Amount * Math.Sign(l.Amount) >= 0));
                    Assert.All(account.Standing, i => Assert.Equal((i.Content.Net, i.Content.Tax), (i.Content.Lines.Sum(l => l.Amount), i.Content.Lines.Sum(l => l.Tax))));
                }
            }

            // A line that came to nothing has nothing to credit; it and its discounts are nothing together.
            // What roundings have left between lines that are each nothing by themselves is in the credit of the whole.
            var between = account.Standing.Sum(i => i.Content.Net) - others;
            Assert.InRange(between, 0, charges.Count);
            if (account.CreditByHand(new(invoice.Id, new("whole"), [], false), s_series, s_now) is { Rejection: null } rests)
            {
                account = Numbered(Folded(account, rests), "whole");
            }

            // Nor has one of whose net and tax the roundings make nothing in money: its net may stay against its tax.
            var (net, total) = (account.Standing.Sum(i => i.Content.Net) - others, account.Standing.Sum(i => i.Content.Total) - othersInAll);
            Assert.True(net == 0 || total == 0, $"{net} net and {total} in all are left");
            var rest = new LineCredits(account.Standing);
            if (invoice.Content.Lines.All(l => rest.LeftOf(invoice.Id, l).Amount == 0))
            {
                Interlocked.Increment(ref whole);
                Assert.All(invoice.Content.Lines, l => Assert.Equal((0, 0, 0), rest.LeftOf(invoice.Id, l)));
            }
        }, iter: 2_000);
        Assert.True(credits > 2_000 && discounts > 1_000 && whole > 500, $"{credits} credits with {discounts} of discounts, {whole} invoices to the last line");

        static BillingInputs Engagement(string id, (long Fee, long Minimum, int Change, int Minutes, (int From, int Days, int Ppm, long Amount, bool Capped)[] Discounts, bool Arrears) of)
        {
            var terms = Retainer(s_march, of.Fee) with
            {
                Timing = of.Arrears ? FeeTiming.InArrears : FeeTiming.InAdvance,
                Minimum = of.Minimum % 3 == 0 ? new MinimumCommitment(new PartId("minimum"), of.Minimum + 1) : null,
                Discounts =
                [
                    .. of.Discounts.Select((d, i) => new Discount(
                        new PartId($"d{i}"), new DateRange(s_march.PlusDays(d.From), s_march.PlusDays(d.From + d.Days)), d.Ppm > 0 ? d.Ppm : null, d.Ppm > 0 ? null : d.Amount, d.Capped ? d.Amount / 2 : null)),
                ],
            };
            return Inputs(s_march, s_april, terms, Retainer(s_march.PlusDays(of.Change), of.Fee / 2 + 1) with { Timing = terms.Timing, Discounts = terms.Discounts, Minimum = terms.Minimum }) with
            {
                Engagement = new(id),
                Entries = of.Minutes == 0 ? [] : [new BillableEntry(TimeEntryKey.Of(new CmoId(id), new IsoWeek(2026, 10), new TimeEntryId("e")), new CmoId(id), new(2026, 3, 4), of.Minutes, 0)],
            };
        }
    }

    private static Discount Percent(string id, LocalDate from, LocalDate? end, int ppm) => new(new PartId(id), new DateRange(from, end), ppm, null, null);

    private static BillingAccount March(params Terms[] terms) => Invoiced(BillingAccount.Initial, Facts(Inputs(s_march, null, terms)) with { Tax = s_tax }, s_march, "march");

    private static CreditInvoice Command(string id, params LineCredit[] lines) => new(new("march"), new(id), [.. lines], false);

    private static BillingAccount Credited(BillingAccount account, string id, params LineCredit[] lines) => Credited(account, Command(id, lines));

    private static BillingAccount Credited(BillingAccount account, CreditInvoice command) => Numbered(Folded(account, account.CreditByHand(command, s_series, s_now)), command.Id.Value);

    private static BillingAccount Numbered(BillingAccount account, string id) => Folded(account, account.Number(new InvoiceId(id), account.Standing.Length, s_april));

    private static IEnumerable<(int Line, long Amount)> Credit(BillingAccount account, string id) => account.Find(new(id))!.Content.Lines.Select(l => (l.Corrects!.Line, l.Amount));

    private static void AllGone(BillingAccount account) =>
        Assert.Equal((0, 0, 0), (account.Standing.Sum(i => i.Content.Net), account.Standing.Sum(i => i.Content.Tax), account.OpenAmount));
}
