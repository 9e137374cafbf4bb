using System.Collections.Immutable;
using System.Globalization;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Time;
using NodaTime;
using static AgencyPlatform.Domain.Tests.Billing.WorkedExamples;

namespace AgencyPlatform.Domain.Tests.Billing;

/// <summary>
/// A table of invoices whose lines, sums and taxes were counted day by day by cases.py, which shares nothing with the engine. To change it: change the script from
/// docs/billing.md, not from the code, and write cases.csv anew.
/// </summary>
public sealed class Cases_counted_by_hand
{
    private static readonly LegalEntityId s_seller = new("us");

    public static TheoryData<string> Names => [.. Rows().Select(r => r[0])];

    [Theory, MemberData(nameof(Names))]
    public void An_invoice_comes_to_what_was_counted(string name)
    {
        var row = Rows().Single(r => r[0] == name);
        var (currency, tax, to) = (new Currency(row[1]), int.Parse(row[2], CultureInfo.InvariantCulture), Date(row[3]));
        var inputs = new BillingInputs(
            new EngagementId("growth"), new ClientCompanyId("acme"), "Growth", new DateRange(Date(row[4]), row[5].Length == 0 ? null : Date(row[5])), Date(row[6]),
            [.. Parts(row[7]).Select(t => Terms(t, currency))], [.. Parts(row[8]).Select(Entry).OrderBy(e => e.Date).ThenBy(e => e.Entry)],
            [.. Parts(row[9]).Select(p => new ReachedMilestone(new PartId(p[0]), p[0], Number(p[1]), Date(p[2])))],
            [.. Parts(row[10]).Select(p => new PrepaidBlock(new PartId(p[0]), (int)Number(p[1]), Number(p[2]), Date(p[3]), Date(p[4])))]);
        var facts = Facts(inputs) with { Tax = tax == 0 ? TaxTreatment.None : new TaxTreatment(TaxCategory.Standard, tax) };
        var command = new PrepareInvoice(new AccountId(new ClientCompanyId("acme"), s_seller, currency), to, null, new InvoiceId("new"));

        var decision = BillingAccount.Initial.Prepare(command, facts, to.AtMidnight().InUtc().ToInstant());

        if (row[11].Length == 0)
        {
            Assert.Equal(Reasons.NothingToBill, decision.Rejection?.Reason);
            return;
        }

        var content = ((DraftCreated)Assert.Single(decision.Events)).Content;
        Assert.Equal(
            Parts(row[11]).Select(p => string.Join(' ', p)),
            content.Lines.Select(l => string.Create(
                CultureInfo.InvariantCulture,
                $"{l.Item.Charge} {l.Item.Period:uuuu-MM-dd} {l.Item.Part?.Value ?? l.Item.Rate.ToString(CultureInfo.InvariantCulture)} {l.Quantity} {l.Amount}")).Order(StringComparer.Ordinal));
        Assert.Equal((Number(row[12]), Number(row[13])), (content.Net, content.Tax));
        Assert.Equal(content.Tax, content.Lines.Sum(l => l.Tax));
        Explanations_add_up.AddsUp(Folded(BillingAccount.Initial, decision), new InvoiceId("new"), inputs);
    }

    [Fact]
    public void There_are_cases_of_every_kind_in_every_number_of_decimals()
    {
        var rows = Rows();

        Assert.True(rows.Count >= 200);
        Assert.Equal(rows.Count, rows.Select(r => r[0]).Distinct().Count());
        Assert.All(Enum.GetNames<Charge>(), charge => Assert.Contains(rows, r => r[11].Contains(charge + " ", StringComparison.Ordinal)));
        Assert.All(["JPY", "USD", "KWD"], currency => Assert.Contains(rows, r => r[1] == currency && r[11].Length > 0));
    }

    private static List<string[]> Rows()
    {
        using var file = new StreamReader(typeof(Cases_counted_by_hand).Assembly.GetManifestResourceStream("cases.csv")!);
        return [.. file.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(line => Cells(line).ToArray())];
    }

    /// <summary>The cells of a line; one with a comma is quoted, and none has a quote.</summary>
    private static IEnumerable<string> Cells(string line)
    {
        var quoted = line.Split('"');
        var cell = "";
        for (var i = 0; i < quoted.Length; i++)
        {
            if (i % 2 == 1)
            {
                cell += quoted[i];
                continue;
            }

            var plain = quoted[i].Split(',');
            for (var j = 0; j < plain.Length; j++)
            {
                cell += plain[j];
                if (j + 1 < plain.Length)
                {
                    yield return cell;
                    cell = "";
                }
            }
        }

        yield return cell;
    }

    private static IEnumerable<string[]> Parts(string cell) => cell.Split(" | ", StringSplitOptions.RemoveEmptyEntries).Select(p => p.Split(' '));

    private static BillableEntry Entry(string[] parts, int index)
    {
        var minutes = (int)Number(parts[3]);
        return new BillableEntry(
            TimeEntryKey.Of(new CmoId(parts[1]), new IsoWeek(2026, 10), new TimeEntryId($"e{index}")), new CmoId(parts[1]), Date(parts[0]),
            parts[2] == "over" ? minutes : 0, parts[2] == "charged" ? minutes : 0);
    }

    private static Terms Terms(string[] parts, Currency currency)
    {
        var named = parts.Skip(2).Select(p => p.Split('=')).ToLookup(p => p[0], p => p[1]);
        var (from, cycle) = (Date(parts[0]), new BillCycle((int)Of("day"), (int)Of("months")));
        Terms terms = parts[1] switch
        {
            "retainer" => new RetainerTerms(
                from, s_seller, currency, cycle, Of("fee"), 2_400, Of("overage"), OverageGate.Bill, named["timing"].Single() == "advance" ? FeeTiming.InAdvance : FeeTiming.InArrears),
            "hourly" => new HourlyTerms(from, s_seller, currency, cycle, Of("rate"), null, (int)Of("increment"), (int)Of("least"), named["cap"].Select(Number).Cast<long?>().SingleOrDefault()),
            "days" => new DayRateTerms(from, s_seller, currency, cycle, Of("rate"), (int)Of("full")),
            "milestones" => new MilestoneTerms(from, s_seller, currency, cycle, []),
            "prepaid" => new PrepaidTerms(from, s_seller, currency, cycle, 0, 60, 6, Of("overage"), OverageGate.Bill),
            _ => throw new ArgumentException($"No terms are {parts[1]}."),
        };
        return terms with
        {
            Minimum = named["commit"].Select(c => c.Split(':')).Select(c => new MinimumCommitment(new PartId(c[0]), Number(c[1]))).SingleOrDefault(),
            Discounts = named["discount"].Select(d => d.Split(':')).Select(Discount).ToImmutableArray(),
        };

        long Of(string name) => Number(named[name].Single());
    }

    private static Discount Discount(string[] parts)
    {
        var percent = parts[3].EndsWith("ppm", StringComparison.Ordinal);
        return new Discount(
            new PartId(parts[0]), new DateRange(Date(parts[1]), parts[2].Length == 0 ? null : Date(parts[2])), percent ? (int)Number(parts[3][..^3]) : null,
            percent ? null : Number(parts[3]), parts[4].Length == 0 ? null : Number(parts[4]));
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
