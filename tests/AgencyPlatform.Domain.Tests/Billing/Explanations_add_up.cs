using System.Collections.Immutable;
using System.Numerics;
using AgencyPlatform.Domain.Billing;
using NodaTime;
using static AgencyPlatform.Domain.Tests.Billing.WorkedExamples;

namespace AgencyPlatform.Domain.Tests.Billing;

/// <summary>
/// Every step of an explanation follows from its figures, by arithmetic that shares nothing with the engine, and the last one is the line's amount, or its tax. Asked
/// here of what no table has; of every case counted by hand in <see cref="Cases_counted_by_hand"/>, and of whole lives with corrections in <see cref="Bills_of_every_kind"/>.
/// </summary>
public sealed class Explanations_add_up
{
    private static readonly LocalDate s_june = new(2026, 6, 1);
    private static readonly Instant s_now = Instant.FromUtc(2026, 6, 15, 12, 0);
    private static readonly TaxTreatment s_tax = new(TaxCategory.Standard, 88_750);

    [Theory]
    [InlineData(null, false)]
    [InlineData(400_000L, false)]
    [InlineData(null, true)]
    [InlineData(400_000L, true)]
    public void A_credit_by_hand_says_what_was_left_of_the_line(long? amount, bool rebill)
    {
        var inputs = Inputs(s_june, new(2026, 7, 1), Retainer(s_june, 1_000_001));
        var facts = Facts(inputs) with { Tax = s_tax };
        var account = Invoiced(BillingAccount.Initial, facts, s_june, "june");
        foreach (var id in new[] { "first", "second" })
        {
            account = Folded(account, account.CreditByHand(new CreditInvoice(new("june"), new(id), [new LineCredit(1, id == "first" ? 250_000 : amount)], rebill), new("main"), s_now));
            account = Folded(account, account.Number(new(id), account.Standing.Length, s_june));
            AddsUp(account, new(id), inputs, byHand: true);
        }

        var june = AddsUp(account, new("june"), inputs).Single();
        Assert.Equal([(new LineReference(new("first"), 1), -250_000L, true), (new LineReference(new("second"), 1), -(amount ?? 750_001), true)], june.Later.Select(l => (l.Line, l.Amount, l.Corrects)));
        var second = account.Explain(new("second"), 1, true, null);
        Assert.Equal([StepKind.LeftOfLine, amount is null ? StepKind.Credit : StepKind.ByHand], second.Steps.Select(s => s.Kind));
        Assert.Equal(750_001, second.Steps[0].Result);

        // What is billed again after it is explained as any line.
        if (rebill)
        {
            account = Invoiced(account, facts, s_june, "again");
            Assert.Equal(StepKind.LessInvoiced, AddsUp(account, new("again"), inputs).Single().Steps[^1].Kind);
        }
    }

    /// <summary>An event of a version whose rules came to another amount.</summary>
    [Fact]
    public void A_posting_that_the_engine_does_not_come_to_again_is_told_by_its_amounts_alone()
    {
        var (account, paid) = (new CmoAccountId(new("ada"), new("main"), new("USD")), new Money(400, new("USD")));
        var posted = new PayoutRecorded(
            account, new Payout(new("p"), 500, new(2026, 1, 5), "ref", null), new(2026, 1, 5), new Posting(Posting.Pair(LedgerAccount.CmoPayable, LedgerAccount.Cash, paid, null, null, account.Cmo)));

        var why = CmoAccount.Initial.Why(posted);
        Assert.Equal(ExplanationBasis.AsFrozen, why.Basis);
        Assert.Equal([400L, -400], why.OfLines.Select(step => why.Steps[step - 1].Result));
        Assert.Equal(ExplanationBasis.Computed, CmoAccount.Initial.Why(posted with { Payout = posted.Payout with { Amount = 400 } }).Basis);
    }

    [Fact]
    public void A_raise_inside_an_invoiced_month_says_what_the_old_days_lost_and_by_which_line()
    {
        var account = Invoiced(BillingAccount.Initial, Facts(Inputs(s_june, null, Retainer(s_june, 800_000))), s_june, "june");
        var raised = Inputs(s_june, null, Retainer(s_june, 800_000), Retainer(new(2026, 6, 16), 1_000_000));
        account = Prepared(account, Facts(raised), s_june, "change");

        var (old, gained) = AddsUp(account, new("change"), raised) is [var a, var b] ? (a, b) : throw new InvalidOperationException("Two lines are expected.");

        Assert.Equal([(StepKind.Amount, 400_000L), (StepKind.LessInvoiced, -400_000L)], old.Steps.Select(s => (s.Kind, s.Result)));
        Assert.Equal(new LineReference(new("june"), 1), old.Steps[1].Parts[1].Factors.Single().Line);
        Assert.Equal([(800_000L, new DateRange(s_june, new(2026, 6, 16)))], old.Terms.Select(t => (((RetainerTerms)t.Terms).Fee, t.Dates)));
        Assert.Equal([(StepKind.Amount, 500_000L)], gained.Steps.Select(s => (s.Kind, s.Result)));
        Assert.Equal(ExplanationBasis.Computed, old.Basis);
    }

    [Fact]
    public void What_several_lines_take_back_together_is_told_of_each()
    {
        var march = new LocalDate(2026, 3, 1);
        var inputs = Inputs(march, null, new HourlyTerms(march, new("us"), new("USD"), new BillCycle(1, 1), 25_000));
        var account = Invoiced(BillingAccount.Initial, Facts(inputs with { Entries = [Hours("a", 2, 60)] }), new(2026, 4, 1), "first");
        account = Invoiced(account, Facts(inputs with { Entries = [Hours("a", 2, 60), Hours("b", 3, 30)] }), new(2026, 4, 1), "second");
        var rest = inputs with { Entries = [Hours("c", 4, 15)] };
        account = Invoiced(account, Facts(rest), new(2026, 4, 1), "credit");

        var lines = AddsUp(account, new("credit"), rest);

        // 62.50 instead of 375.00: the newest line goes whole, and of the one before it what is still missing.
        Assert.Equal([new LineReference(new("second"), 1), new LineReference(new("first"), 1)], lines.Select(l => l.Line.Corrects!));
        Assert.Equal(
            [(StepKind.LessInvoiced, -31_250L), (StepKind.ToTakeBack, 31_250), (StepKind.LeftOfLine, 12_500), (StepKind.TakenBack, 12_500), (StepKind.Credit, -12_500)],
            lines[0].Steps.Skip(2).Select(s => (s.Kind, s.Result)));
        Assert.Equal(
            [(StepKind.LessInvoiced, -31_250L), (StepKind.ToTakeBack, 18_750), (StepKind.LeftOfLine, 25_000), (StepKind.TakenBack, 18_750), (StepKind.Credit, -18_750)],
            lines[1].Steps.Skip(2).Select(s => (s.Kind, s.Result)));
    }

    [Fact]
    public void A_line_that_the_engine_does_not_come_to_again_says_what_it_says_itself()
    {
        var inputs = Inputs(s_june, null, Retainer(s_june, 800_000));
        var account = Prepared(BillingAccount.Initial, Facts(inputs), s_june, "stale");
        var changed = Inputs(s_june, null, Retainer(s_june, 900_000));

        var stale = account.Explain(new("stale"), 1, false, Sources(changed));
        var unknown = account.Explain(new("stale"), 1, false, null);

        Assert.All([stale, unknown], explanation =>
        {
            Assert.Equal(ExplanationBasis.AsFrozen, explanation.Basis);
            Assert.Equal([(StepKind.Amount, 800_000L)], explanation.Steps.Select(s => (s.Kind, s.Result)));
            Assert.Empty(explanation.Terms);
            Follow(explanation.Steps);
        });
    }

    [Fact]
    public void A_line_that_is_not_there_is_named()
    {
        var account = Prepared(BillingAccount.Initial, Facts(Inputs(s_june, null, Retainer(s_june, 800_000))), s_june, "june");

        Assert.Null(account.Unexplained(new("june"), 1));
        Assert.Equal("line", account.Unexplained(new("june"), 2)!.Fields.Single().Field);
        Assert.Equal("line", account.Unexplained(new("june"), 0)!.Fields.Single().Field);
        Assert.Equal(RejectionKind.NotFound, account.Unexplained(new("july"), 1)!.Kind);
    }

    // ---- asked of every line by the other tests ----

    /// <summary>Explains every line of a document and holds each against its figures.</summary>
    /// <param name="inputs">Of the engagement when it was frozen.</param>
    internal static ImmutableArray<LineExplanation> AddsUp(BillingAccount account, InvoiceId invoice, BillingInputs inputs, bool byHand = false)
    {
        var explanations = account.Find(invoice)!.Content.Lines.Select(l => account.Explain(invoice, l.Number, byHand, Sources(inputs))).ToImmutableArray();
        foreach (var (line, steps, taxes) in explanations.Select(e => (e.Line, e.Steps, e.TaxSteps)))
        {
            Assert.Equal(line.Amount, steps[^1].Result);
            Assert.Equal(line.Tax, taxes[^1].Result);
            Follow(steps);
            Follow(taxes);
        }

        Assert.All(explanations, e => Assert.Equal(ExplanationBasis.Computed, e.Basis));
        return explanations;
    }

    private static BillingSources Sources(BillingInputs inputs) => new(inputs, [], [], [], []);

    /// <summary>Each result is what its operation makes of its figures, and a figure that is an earlier result has its value.</summary>
    private static void Follow(ImmutableArray<Step> steps)
    {
        for (var i = 0; i < steps.Length; i++)
        {
            var step = steps[i];
            foreach (var figure in step.Parts.SelectMany(p => p.Factors.Concat(p.Divisors)).Where(f => f.Kind == FigureKind.Result))
            {
                Assert.InRange(figure.Step!.Value, 1, i);
                Assert.Equal((Math.Abs(steps[figure.Step.Value - 1].Result), steps[figure.Step.Value - 1].Unit), (Math.Abs(figure.Value), figure.Unit));
            }

            Assert.Equal(Result(step), step.Result);
        }
    }

    private static BigInteger Result(Step step) => step.Operation switch
    {
        StepOperation.Sum => Sum(step.Parts),
        StepOperation.SumNotBelowZero => BigInteger.Max(0, Sum(step.Parts)),
        StepOperation.Least => step.Parts.Min(p => p.Factors.Single().Value),
        StepOperation.BilledMinutes => Billed(step.Parts.Select(p => p.Factors.Single().Value).ToArray()),
        StepOperation.HalfDays => HalfDays(step.Parts.SkipLast(1).Sum(p => p.Factors.Single().Value), step.Parts[^1].Factors.Single().Value),
        _ => Share(step.Parts),
    };

    private static BigInteger Sum(ImmutableArray<StepPart> parts)
    {
        var (numerator, denominator) = (BigInteger.Zero, BigInteger.One);
        foreach (var part in parts)
        {
            var above = part.Factors.Aggregate(BigInteger.One, (product, f) => product * f.Value);
            var below = part.Divisors.Aggregate(BigInteger.One, (product, f) => product * f.Value);
            (numerator, denominator) = ((numerator * below) + (above * denominator), denominator * below);
        }

        // Half away from zero, by whole and rest.
        (numerator, denominator) = denominator < 0 ? (-numerator, -denominator) : (numerator, denominator);
        var whole = BigInteger.DivRem(BigInteger.Abs(numerator), denominator, out var rest) + (2 * rest >= denominator ? 1 : 0);
        return numerator < 0 ? -whole : whole;
    }

    private static long Billed(long[] figures)
    {
        var billed = figures[0];
        while (billed % figures[1] != 0)
        {
            billed++;
        }

        return Math.Max(billed, figures[2]);
    }

    private static int HalfDays(long minutes, long full) => minutes >= full ? 2 : 2 * minutes >= full ? 1 : 0;

    /// <summary>The first part is split over the others: this line has the whole part of its share, and one more when its rest is among the largest.</summary>
    private static BigInteger Share(ImmutableArray<StepPart> parts)
    {
        var (whole, weights) = (parts[0].Factors.Single().Value, parts.Skip(1).Select(p => p.Factors.Single()).ToList());
        var total = weights.Aggregate(BigInteger.Zero, (sum, w) => sum + w.Value);
        if (total == 0)
        {
            return 0;
        }

        var shares = weights.Select((w, i) => (w.Kind, Index: i, Whole: BigInteger.Abs(whole) * w.Value / total, Over: BigInteger.Abs(whole) * w.Value % total)).ToList();
        var left = BigInteger.Abs(whole) - shares.Aggregate(BigInteger.Zero, (sum, s) => sum + s.Whole);
        var own = shares.Single(s => s.Kind == FigureKind.ThisLine);
        var rank = shares.OrderByDescending(s => s.Over).ThenBy(s => s.Index).ToList().IndexOf(own);
        var share = own.Whole + (rank < left ? 1 : 0);
        return whole < 0 ? -share : share;
    }
}
