using System.Collections.Immutable;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Time;
using CsCheck;
using NodaTime;
using static AgencyPlatform.Domain.Tests.Billing.WorkedExamples;

namespace AgencyPlatform.Domain.Tests.Billing;

/// <summary>
/// Terms of every kind with minimums, discounts and caps, which change while time is approved, reversed and disputed, milestones are reached and reopened, blocks are sold and the
/// end moves: however often and to whatever dates it is billed meanwhile, the same holds.
/// </summary>
public sealed class Bills_of_every_kind
{
    private static readonly LocalDate s_start = new(2026, 3, 10);
    private static readonly LocalDate s_last = new(2026, 9, 1);
    private static readonly Instant s_now = Instant.FromUtc(2026, 6, 15, 0, 0);
    private static readonly TaxTreatment s_tax = new(TaxCategory.Standard, 88_750);

    /// <summary>What happens between two bills, and the date to which the next one is.</summary>
    private sealed record Turn(int Kind, int Day, long Amount, int Minutes, int BillTo);

    private sealed record Life(int Kind, int Anchor, int Months, long Extra, Turn[] Turns);

    private static readonly Gen<Life> s_lives =
        from kind in Gen.Int[0, 4]
        from anchor in Gen.Int[1, 31]
        from months in Gen.OneOf(Gen.Const(1), Gen.Const(3), Gen.Const(6))
        from extra in Gen.Long[0, 1_000_000]
        from turns in Gen.Select(Gen.Int[0, 9], Gen.Int[1, 170], Gen.Long[1, 2_000_000], Gen.Int[1, 600], Gen.Int[0, 175])
            .Select((what, day, amount, minutes, to) => new Turn(what, day, amount, minutes, to)).Array[1, 14]
        select new Life(kind, anchor, months, extra, turns);

    [Fact]
    public void Any_split_into_runs_comes_to_what_one_run_comes_to() => s_lives.Sample(life =>
    {
        var (account, facts) = Lived(life);
        var once = Billed(BillingAccount.Initial, facts, s_last, 0);

        Assert.Equal(ByKey(once), ByKey(account));
        Assert.Equal(once.Standing.Sum(i => i.Content.Net), account.Standing.Sum(i => i.Content.Net));
    }, iter: 2_000);

    [Fact]
    public void Every_line_is_explained_to_the_cent() => s_lives.Sample(life =>
    {
        var bills = new List<(InvoiceId Invoice, BillingInputs Inputs)>();
        var (account, _) = Lived(life, (invoice, inputs) => bills.Add((invoice, inputs)));

        // Of the account at its end: an explanation is of what stood when the line was frozen, whatever came later.
        var explained = bills.SelectMany(b => Explanations_add_up.AddsUp(account, b.Invoice, b.Inputs)).ToList();
        var lines = account.Standing.SelectMany(i => i.Content.Lines.Select(l => (Of: new LineReference(i.Id, l.Number), l.Item))).ToList();
        Assert.Equal(lines.Count, explained.Count);
        Assert.All(explained, e =>
        {
            var own = new LineReference(e.Invoice.Id, e.Line.Number);
            Assert.Equal(lines.SkipWhile(l => l.Of.Invoice != own.Invoice).Where(l => l.Of.Invoice != own.Invoice && l.Item == e.Line.Item).Select(l => l.Of), e.Later.Select(l => l.Line));
        });
    }, iter: 1_000);

    [Fact]
    public void Running_twice_is_running_once() => s_lives.Sample(life =>
    {
        var (account, facts) = Lived(life);

        Assert.Equal(Reasons.NothingToBill, account.Prepare(Command(s_last, "again"), facts, s_now).Rejection?.Reason);
    }, iter: 500);

    [Fact]
    public void Credits_never_exceed_what_they_correct_and_a_period_is_never_less_than_nothing() => s_lives.Sample(life =>
    {
        var (account, _) = Lived(life);
        var lines = account.Standing.SelectMany(i => i.Content.Lines.Select(l => (Of: new LineReference(i.Id, l.Number), Line: l))).ToDictionary(l => l.Of, l => l.Line);

        foreach (var credits in lines.Values.Where(l => l.Corrects is not null).GroupBy(l => l.Corrects!))
        {
            var (charged, taken) = (lines[credits.Key], (Amount: credits.Sum(c => c.Amount), Tax: credits.Sum(c => c.Tax)));
            Assert.Equal(charged.Item, credits.First().Item);
            Assert.True(Math.Abs(taken.Amount) <= Math.Abs(charged.Amount) && Math.Sign(taken.Amount) != Math.Sign(charged.Amount));
            Assert.True(Math.Abs(taken.Tax) <= Math.Abs(charged.Tax));
            Assert.True(taken.Amount + charged.Amount != 0 || taken.Tax + charged.Tax == 0);
        }

        Assert.All(lines.Values.GroupBy(l => l.Item.Period), period => Assert.True(period.Sum(l => l.Amount) >= 0));
        Assert.All(account.Standing, i => Assert.Equal(i.Content.Taxes.Sum(t => t.Tax), i.Content.Lines.Sum(l => l.Tax)));
    }, iter: 1_000);

    [Fact]
    public void Every_charged_entry_is_on_exactly_one_key() => s_lives.Sample(life =>
    {
        var (account, facts) = Lived(life);
        var inputs = facts.Engagements[0];
        var charged = from entry in inputs.Entries
                      where inputs.Service.Contains(entry.Date) && entry.Date >= inputs.BillingStartsOn
                      let terms = inputs.Terms.LastOrDefault(t => t.EffectiveFrom <= entry.Date) ?? inputs.Terms[0]
                      where terms.TimeRate.Rate > 0 && (terms.HasMeter ? entry.Overage : entry.Charged) > 0
                      select entry.Entry.Value;

        // A line names what its key gained or lost: an odd number of times is on it.
        var billed = account.Standing.SelectMany(i => i.Content.Lines).SelectMany(l => l.Entries.Select(e => (l.Item, e.Value))).GroupBy(e => e).Where(e => e.Count() % 2 == 1).Select(e => e.Key.Value);
        Assert.Equal(charged.Order(StringComparer.Ordinal), billed.Order(StringComparer.Ordinal));
    }, iter: 1_000);

    [Fact]
    public void A_preview_says_what_the_draft_and_the_invoice_say() => s_lives.Sample(life =>
    {
        var (account, facts) = Lived(life with { Turns = life.Turns[..^1] });
        facts = facts with { Engagements = [After(facts.Engagements[0], life, life.Turns[^1], 99)] };
        if (account.Preview(Command(s_last, "x"), hypothetical: false, facts, s_now) is not { Rejection: null } preview)
        {
            return;
        }

        var invoiced = Invoiced(account, facts, s_last, "x").Find(new InvoiceId("x"))!;
        Assert.True(((DraftCreated)Assert.Single(preview.Events)).Content.SameAs(invoiced.Content));
    }, iter: 500);

    [Fact]
    public void When_nothing_is_owed_any_more_all_is_credited_to_the_last_cent() => s_lives.Sample(life =>
    {
        var (account, facts) = Lived(life);
        var nothing = facts with { Engagements = [facts.Engagements[0] with { BillingStartsOn = s_last.PlusYears(1) }] };

        account = Billed(account, nothing, s_last, 1_000);

        Assert.Equal((0, 0), (account.Standing.Sum(i => i.Content.Net), account.Standing.Sum(i => i.Content.Tax)));
        Assert.All(account.Standing.SelectMany(i => i.Content.Lines).GroupBy(l => l.Item), key => Assert.Equal((0, 0), (key.Sum(l => l.Amount), key.Sum(l => l.Quantity))));
    }, iter: 1_000);

    [Fact]
    public void What_is_posted_for_a_bill_sums_to_zero_and_has_the_receivable_of_its_total() => s_lives.Sample(life =>
    {
        var (account, facts) = Lived(life with { Turns = life.Turns[..^1] });
        if (account.Prepare(Command(s_last, "x"), facts, s_now) is not { Rejection: null } prepared)
        {
            return;
        }

        account = Folded(account, prepared);
        account = Folded(account, account.Finalize(new InvoiceId("x"), facts, s_now));
        var posted = account.Number(new InvoiceId("x"), 1, s_last).Events.OfType<InvoiceFinalized>().Single().Posting.Lines;
        var content = account.Find(new InvoiceId("x"))!.Content;

        Assert.Equal(0, posted.Sum(l => l.Amount.Minor));
        Assert.Equal(content.Total, posted.Where(l => l.Account == LedgerAccount.Receivable).Sum(l => l.Amount.Minor));
        Assert.Equal(-content.Tax, posted.Where(l => l.Account == LedgerAccount.TaxPayable).Sum(l => l.Amount.Minor));
    }, iter: 300);

    /// <summary>The account after all turns, each with a bill, and a bill of everything at the end.</summary>
    /// <param name="billed">Is told each invoice, and what it was computed from.</param>
    private static (BillingAccount Account, BillingFacts Facts) Lived(Life life, Action<InvoiceId, BillingInputs>? billed = null)
    {
        var inputs = Inputs(s_start, null, Terms(life, s_start, life.Extra));
        var account = BillingAccount.Initial;
        for (var i = 0; i < life.Turns.Length; i++)
        {
            inputs = After(inputs, life, life.Turns[i], i);
            account = Billed(account, Facts(inputs) with { Tax = s_tax }, s_start.PlusDays(life.Turns[i].BillTo), i, billed);
        }

        // All is over by the last bill and no dispute is left, so that everything owed is due.
        inputs = inputs with
        {
            Service = inputs.Service with { End = inputs.Service.End ?? s_start.PlusDays(172) },
            Entries = [.. inputs.Entries.Select(e => e with { Disputed = false })],
        };
        var facts = Facts(inputs) with { Tax = s_tax };
        return (Billed(account, facts, s_last, life.Turns.Length, billed), facts);
    }

    /// <summary>Terms of the life's kind, whose amounts, parts and bounds are drawn from one number.</summary>
    private static Terms Terms(Life life, LocalDate from, long amount)
    {
        var (seller, usd, cycle) = (new LegalEntityId("us"), new Currency("USD"), new BillCycle(life.Anchor, life.Months));
        Terms terms = life.Kind switch
        {
            0 => new RetainerTerms(from, seller, usd, cycle, amount, 2_400, 25_001, OverageGate.Bill, amount % 2 == 0 ? FeeTiming.InAdvance : FeeTiming.InArrears),
            1 => new HourlyTerms(from, seller, usd, cycle, 25_001, null, (int)(amount % 16) + 1, (int)(amount % 31) + 1, amount % 3 == 0 ? amount / 3 : null),
            2 => new DayRateTerms(from, seller, usd, cycle, 120_001, 480),
            3 => new MilestoneTerms(from, seller, usd, cycle, []),
            _ => new PrepaidTerms(from, seller, usd, cycle, 150_000, 600, 6, 26_001, OverageGate.Bill),
        };
        return terms with
        {
            Minimum = amount % 5 == 0 ? new MinimumCommitment(new PartId("minimum"), amount + 1) : null,
            Discounts = (amount % 4) switch
            {
                0 => [new Discount(new PartId("launch"), new DateRange(s_start.PlusDays(20), s_start.PlusDays(90)), 100_000, null, amount % 8 == 0 ? 50_000 : null)],
                1 => [new Discount(new PartId("friend"), new DateRange(s_start, null), null, 40_000, 90_000), new Discount(new PartId("launch"), new DateRange(s_start, null), 333_333, null, null)],
                _ => null,
            },
        };
    }

    private static BillingInputs After(BillingInputs inputs, Life life, Turn turn, int index)
    {
        var date = s_start.PlusDays(turn.Day);
        var (milestones, entries) = (inputs.Milestones ?? [], inputs.Entries);
        var part = new PartId($"p{turn.Minutes % 3}");
        switch (turn.Kind)
        {
            case 0 when date > inputs.Terms[^1].EffectiveFrom:
                return inputs with { Terms = inputs.Terms.Add(Terms(life, date, turn.Amount)) };
            case 1:
                // An end may come, move in either direction, and go.
                return inputs with { Service = inputs.Service with { End = turn.Minutes % 3 == 0 ? null : date } };
            case 2 when entries.Length > 0:
                // Reversed.
                return inputs with { Entries = entries.RemoveAt(turn.Minutes % entries.Length) };
            case 3 when entries.Length > 0:
                // Disputed, or the dispute is over.
                var disputed = entries[turn.Minutes % entries.Length];
                return inputs with { Entries = entries.Replace(disputed, disputed with { Disputed = !disputed.Disputed }) };
            case 4 when life.Kind == 3:
                // Reached; reached on another day after it was reopened; or reopened only.
                return inputs with
                {
                    Milestones = [.. milestones.Where(m => m.Id != part), .. turn.Minutes % 4 == 0 ? [] : new[] { new ReachedMilestone(part, "Launch", turn.Amount, date) }],
                };
            case 4 when life.Kind is 0 or 4 && (inputs.Blocks ?? []).All(b => b.Id != part):
                return inputs with { Blocks = [.. inputs.Blocks ?? [], new PrepaidBlock(part, 600, turn.Amount, date, date.PlusMonths(6))] };
            default:
                var cmo = new CmoId(turn.Amount % 2 == 0 ? "ada" : "bob");
                var metered = life.Kind is 0 or 4;
                var entry = new BillableEntry(
                    TimeEntryKey.Of(cmo, new IsoWeek(2026, 10), new TimeEntryId($"e{index}")), cmo, date, metered ? turn.Minutes : 0, metered ? 0 : turn.Minutes);
                return inputs with { Entries = [.. entries.Add(entry).OrderBy(e => e.Date).ThenBy(e => e.Entry)] };
        }
    }

    private static BillingAccount Billed(BillingAccount account, BillingFacts facts, LocalDate to, int index, Action<InvoiceId, BillingInputs>? billed = null)
    {
        var id = $"invoice-{index}";
        if (account.Prepare(Command(to, id), facts, s_now).Rejection is { } refused)
        {
            Assert.Equal(Reasons.NothingToBill, refused.Reason);
            return account;
        }

        billed?.Invoke(new InvoiceId(id), facts.Engagements[0]);
        return Invoiced(account, facts, to, id);
    }

    private static List<(ItemKey, long, long)> ByKey(BillingAccount account) =>
    [
        .. account.Standing.SelectMany(i => i.Content.Lines).GroupBy(l => l.Item).Select(g => (g.Key, g.Sum(l => l.Amount), g.Sum(l => l.Quantity)))
            .Where(k => k.Item2 != 0).OrderBy(k => k.Key),
    ];
}
