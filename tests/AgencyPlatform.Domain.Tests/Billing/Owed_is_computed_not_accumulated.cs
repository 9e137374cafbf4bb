using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Time;
using CsCheck;
using NodaTime;
using static AgencyPlatform.Domain.Tests.Billing.WorkedExamples;

namespace AgencyPlatform.Domain.Tests.Billing;

/// <summary>However often an account is billed while its engagement changes, it comes to what one bill at the end would have come to.</summary>
public sealed class Owed_is_computed_not_accumulated
{
    private static readonly LocalDate s_start = new(2026, 3, 10);
    private static readonly LocalDate s_last = new(2026, 9, 1);

    /// <summary>What happens between two bills: a change of terms, an end, or time approved; then a bill to a day.</summary>
    private sealed record Turn(int Kind, int Day, long Fee, int Minutes, int BillTo);

    private static readonly Gen<Turn[]> s_turns = Gen.Select(Gen.Int[0, 3], Gen.Int[1, 170], Gen.Long[1, 2_000_000], Gen.Int[1, 600], Gen.Int[0, 175])
        .Select((kind, day, fee, minutes, to) => new Turn(kind, day, fee, minutes, to)).Array[1, 12];

    [Fact]
    public void Many_bills_come_to_what_one_would_have_come_to() =>
        Gen.Select(s_turns, Gen.Int[1, 31], Gen.OneOf(Gen.Const(1), Gen.Const(3), Gen.Const(6)), Gen.Bool, Gen.Bool).Sample((turns, day, months, hourly, arrears) =>
        {
            var inputs = Inputs(s_start, null, hourly
                ? new HourlyTerms(s_start, new("us"), new("USD"), new BillCycle(day, months), 25_001)
                : Retainer(s_start, 800_000, day, months) with { Timing = arrears ? FeeTiming.InArrears : FeeTiming.InAdvance });
            var (account, tax) = (BillingAccount.Initial, new TaxTreatment(TaxCategory.Standard, 77_000));
            for (var i = 0; i < turns.Length; i++)
            {
                inputs = After(inputs, turns[i], i);
                account = Billed(account, Facts(inputs) with { Tax = tax }, s_start.PlusDays(turns[i].BillTo), i);
            }

            // All is over by the last bill, so that everything owed is due.
            inputs = inputs with { Service = inputs.Service with { End = inputs.Service.End ?? s_start.PlusDays(172) } };
            var facts = Facts(inputs) with { Tax = tax };
            account = Billed(account, facts, s_last, turns.Length);
            var once = Billed(BillingAccount.Initial, facts, s_last, 0);

            Assert.Equal(once.Standing.Sum(i => i.Content.Net), account.Standing.Sum(i => i.Content.Net));
            Assert.Equal(ByKey(once), ByKey(account));
            Assert.Equal(Reasons.NothingToBill, account.Prepare(Command(s_last, "again"), facts, Instant.FromUtc(2026, 6, 15, 0, 0)).Rejection?.Reason);
            Assert.All(account.Standing.SelectMany(i => i.Content.Lines).Where(l => l.Amount > 0), l => Assert.Null(l.Corrects));
            Assert.All(
                account.Standing.SelectMany(i => i.Content.Lines).Where(l => l.Amount < 0).GroupBy(l => l.Corrects!),
                credits => Assert.True(-credits.Sum(c => c.Amount) <= account.Find(credits.Key.Invoice)!.Content.Lines[credits.Key.Line - 1].Amount));

            // An entry is billed by one key, and by exactly those that it is owed by.
            Assert.Equal(Entries(once), Entries(account));
        }, iter: 2_000);

    private static List<(ItemKey, long, long)> ByKey(BillingAccount account) =>
    [
        .. account.Standing.SelectMany(i => i.Content.Lines).GroupBy(l => l.Item).Select(g => (g.Key, g.Sum(l => l.Amount), g.Sum(l => l.Quantity)))
            .Where(k => k.Item2 != 0).OrderBy(k => k.Key),
    ];

    private static List<(ItemKey, string)> Entries(BillingAccount account) =>
    [
        .. account.Standing.SelectMany(i => i.Content.Lines).SelectMany(l => l.Entries.Select(e => (l.Item, e.Value))).GroupBy(e => e)
            .Where(e => e.Count() % 2 == 1).Select(e => e.Key).Order(),
    ];

    private static BillingInputs After(BillingInputs inputs, Turn turn, int index)
    {
        var date = s_start.PlusDays(turn.Day);
        switch (turn.Kind)
        {
            case 0 when inputs.Terms[^1] is RetainerTerms last && date > last.EffectiveFrom:
                return inputs with { Terms = inputs.Terms.Add(last with { EffectiveFrom = date, Fee = turn.Fee }) };
            case 1:
                // An end may come, move in either direction, and go.
                return inputs with { Service = inputs.Service with { End = turn.Minutes % 3 == 0 ? null : date } };
            default:
                var entry = new BillableEntry(
                    TimeEntryKey.Of(new CmoId("cmo"), new IsoWeek(2026, 10), new TimeEntryId($"e{index}")), new CmoId("cmo"), date,
                    inputs.Terms[0] is RetainerTerms ? turn.Minutes : 0, inputs.Terms[0] is HourlyTerms ? turn.Minutes : 0);
                return inputs with { Entries = [.. inputs.Entries.Add(entry).OrderBy(e => e.Date).ThenBy(e => e.Entry)] };
        }
    }

    private static BillingAccount Billed(BillingAccount account, BillingFacts facts, LocalDate to, int index)
    {
        var now = Instant.FromUtc(2026, 6, 15, 0, 0);
        var id = $"invoice-{index}";
        var prepared = account.Prepare(Command(to, id), facts, now);
        if (prepared.Rejection is { } refused)
        {
            Assert.Equal(Reasons.NothingToBill, refused.Reason);
            return account;
        }

        return Invoiced(account, facts, to, id);
    }
}
