using System.Collections.Immutable;
using System.Text.Json.Serialization;
using NodaTime;

namespace AgencyPlatform.Domain.Billing;

/// <summary>How far what was billed in advance is revenue. What is posted follows from the final invoices and this alone.</summary>
/// <param name="Before">What the days before it have earned is posted.</param>
/// <param name="Until">Nothing is earned from this day on.</param>
[GenerateSerializer, Immutable, Alias("billing.recognized")]
public sealed record Recognized(LocalDate Before, LocalDate Until);

/// <summary>What days have earned of fees that were billed in advance goes from deferred revenue to revenue.</summary>
/// <param name="Since">It was posted up to this day before; null: never.</param>
/// <param name="Before">What the days before it have earned is posted now.</param>
[Event("billing-account.fees-recognized"), GenerateSerializer, Immutable, Alias("billing-account.fees-recognized")]
public sealed record FeesRecognized(AccountId Account, LocalDate? Since, LocalDate Before, LocalDate PostingDate, Posting Posting, LocalDate? Effective = null) : IPosting
{
    [JsonIgnore]
    public LegalEntityId LegalEntity => Account.LegalEntity;

    public IPosting PostedOn(LocalDate date) => this with { PostingDate = date, Effective = Effective ?? PostingDate };
}

/// <summary>
/// Revenue of fees that were billed in advance: posted at each month's end, and before an invoice is final. What was recognised of a key is never stored: it is what the days so far have
/// earned of all that its lines come to, so that a credit takes back what was recognised of its days, and deferred revenue for the rest. Source: domain §5.
/// </summary>
public sealed partial record BillingAccount
{
    /// <summary>When the month ends in which something is earned that is not posted yet.</summary>
    private Instant? NextRecognition => Recognized is { } r && r.Before < r.Until && TimeZone is { } zone
        ? DateTimeZoneProviders.Tzdb[zone].AtStartOfDay(RecognitionDates.NextMonth(r.Before)).ToInstant()
        : null;

    /// <summary>The month's end has come.</summary>
    private FeesRecognized RecognizeMonth()
    {
        var next = RecognitionDates.NextMonth(Recognized!.Before);
        return Recognize(next, next.PlusDays(-1));
    }

    private FeesRecognized Recognize(LocalDate before, LocalDate postingDate)
    {
        var fees = Earnings(Standing).ToList();
        return new FeesRecognized(Account!, Recognized?.Before, before, postingDate, PostingOf(fees, Recognized?.Before, fees, before));
    }

    /// <summary>What is posted before an invoice that is issued on a day: what was earned until then; null: nothing more is.</summary>
    private FeesRecognized? RecognizeBefore(LocalDate issueDate) =>
        Recognized is { } r && r.Before < issueDate && r.Before < r.Until ? Recognize(issueDate, issueDate) : null;

    private Posting PostingOf(IReadOnlyList<FeeInAdvance> was, LocalDate? since, IReadOnlyList<FeeInAdvance> isNow, LocalDate before, PostingWorkings? workings = null)
    {
        var lines = ImmutableArray.CreateBuilder<PostingLine>();
        foreach (var (engagement, amount, told) in Recognition(was, since, isNow, before, workings))
        {
            lines.AddRange(Posting.Pair(LedgerAccount.DeferredRevenue, LedgerAccount.Revenue, new Money(amount, Account!.Currency), Account.Client, engagement, null));
            workings?.Lines(2, told!);
        }

        return new Posting(lines.ToImmutable());
    }

    /// <summary>The difference by engagement between two states of what is recognised, and the step that comes to it where workings are told.</summary>
    /// <param name="since">Up to which day it was recognised; null: it was not.</param>
    private static IEnumerable<(EngagementId Engagement, long Amount, Figure? Told)> Recognition(
        IReadOnlyList<FeeInAdvance> was, LocalDate? since, IReadOnlyList<FeeInAdvance> isNow, LocalDate before, PostingWorkings? workings)
    {
        var (earlier, now) = ((since is null ? [] : was).ToLookup(f => f.Item.Engagement), isNow.ToLookup(f => f.Item.Engagement));
        foreach (var engagement in earlier.Concat(now).Select(f => f.Key).Distinct().Order())
        {
            var amount = now[engagement].Sum(f => f.Earning.Before(before)) - earlier[engagement].Sum(f => f.Earning.Before(since!.Value));
            if (amount != 0)
            {
                yield return (engagement, amount, workings is null ? null : Told(earlier[engagement].ToDictionary(f => f.Item), since, now[engagement].ToDictionary(f => f.Item), before, workings));
            }
        }
    }

    /// <summary>The steps to what an engagement's fees have earned, less what they had; fees of which both are the same are left out.</summary>
    private static Figure Told(Dictionary<ItemKey, FeeInAdvance> was, LocalDate? since, Dictionary<ItemKey, FeeInAdvance> isNow, LocalDate before, PostingWorkings workings)
    {
        var parts = new List<Figure>();
        foreach (var item in was.Keys.Union(isNow.Keys).Order())
        {
            var (fee, had) = (isNow.GetValueOrDefault(item), was.GetValueOrDefault(item));
            var (earned, posted) = (fee?.Earning.Before(before) ?? 0, had?.Earning.Before(since!.Value) ?? 0);
            if (earned != posted && earned != 0)
            {
                parts.Add(workings.Earned(StepKind.Earned, Figure(fee!), fee!.Earning, before));
            }

            if (earned != posted && posted != 0)
            {
                parts.Add(workings.Earned(StepKind.PostedBefore, Figure(had!), had!.Earning, since!.Value).Negated);
            }
        }

        return workings.Posted(parts);

        static Figure Figure(FeeInAdvance fee) => Workings.Money(FigureKind.Charge, fee.Earning.Amount) with { Item = fee.Item, Line = fee.Line };
    }

    /// <summary>A fee that was billed in advance.</summary>
    /// <param name="Until">The first day after the last that any of its runs gave it; null: it never had days.</param>
    /// <param name="Line">The first line that bills it; null: it was brought over.</param>
    private sealed record FeeInAdvance(ItemKey Item, Earning Earning, LocalDate? Until, LineReference? Line);

    /// <summary>
    /// The fees of final invoices that were billed in advance, by item: what its lines come to, credits by hand among them, over the days that the last of its runs left it; what was credited by
    /// hand of days to come of fees in arrears; and what imports have brought of fees in advance. Blocks are earned by the engagement.
    /// </summary>
    private IEnumerable<FeeInAdvance> Earnings(IEnumerable<Invoice> invoices) => invoices
        .Where(i => i.IsFinal).SelectMany(i => i.Content.Lines.Select(l => new StandingLine(i.Id, l))).Where(s => s.Line is { Item.Charge: Charge.Fee, Timing: FeeTiming.InAdvance })
        .GroupBy(s => s.Line.Item).Select(g => new FeeInAdvance(
            g.Key, new Earning(g.Sum(s => s.Line.Amount), (g.Select(s => s.Line).LastOrDefault(l => !l.ByHand) ?? g.Last().Line).KeyDates), g.SelectMany(s => s.Line.KeyDates).Max(d => d.End),
            new LineReference(g.First().Invoice, g.First().Line.Number)))
        .Concat((Deferred ?? []).Select((d, i) => (Of: d, Number: i + 1)).Where(d => d.Of.Block is null)
            .Select(d => new FeeInAdvance(new ItemKey(d.Of.Engagement, d.Of.Days.Start, Charge.Fee, new PartId($"opening-{Text(d.Number)}")), new Earning(d.Of.Amount, [d.Of.Days]), d.Of.Days.End, null)));

    /// <summary>Of days that a late import brings and that are posted already for all others: what they have earned.</summary>
    private FeesRecognized? RecognizeImported(OpeningImported imported)
    {
        if (Recognized is not { } known || known.Before <= imported.Opening.On)
        {
            return null;
        }

        var posting = PostingOf([.. Earnings(Standing)], known.Before, [.. Apply(imported).Earnings(Standing)], known.Before);
        return posting.Lines.IsEmpty ? null : new FeesRecognized(Account!, imported.Opening.On, known.Before, known.Before.PlusDays(-1), posting);
    }

    private BillingAccount AfterRecognition(LocalDate before) => this with
    {
        Recognized = new Recognized(before, Earnings(Standing).Select(e => e.Earning.End).Append(before).Max()!.Value),
    };

    /// <summary>The rows of fees that an event has changed: those that it names, or of which something was not recognised before.</summary>
    /// <param name="from">The posting date.</param>
    private IEnumerable<RowChange> RecognitionRows(LocalDate from, EventInfo info, LocalDate? since, ImmutableArray<InvoiceLine> lines)
    {
        if (Recognized is null)
        {
            return [];
        }

        var named = lines.Select(l => l.Item).ToHashSet();
        return Earnings(Standing).Where(e => named.Contains(e.Item) || since is null || e.Earning.End > since)
            .Select(e => new Put(RecognitionRow.Of(
                Account!.LegalEntity, e.Item.Engagement, Account.Currency, e.Item.Part is { } part ? $"{Text(e.Item.Period)}/{part}" : RecognitionRow.ItemOf(e.Item.Period, e.Item.Rate), from, Account.Client,
                FeeTiming.InAdvance, e.Earning, Recognized.Before, e.Until ?? from, info)));
    }
}
