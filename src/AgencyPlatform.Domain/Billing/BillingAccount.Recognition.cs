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
        var earned = ImmutableArray.CreateBuilder<PostingLine>();
        AddRecognition(earned, RecognizedOf(Standing, Recognized?.Before), RecognizedOf(Standing, before));
        return new FeesRecognized(Account!, Recognized?.Before, before, postingDate, new Posting(earned.ToImmutable()));
    }

    /// <summary>What is posted before an invoice that is issued on a day: what was earned until then; null: nothing more is.</summary>
    private FeesRecognized? RecognizeBefore(LocalDate issueDate) =>
        Recognized is { } r && r.Before < issueDate && r.Before < r.Until ? Recognize(issueDate, issueDate) : null;

    /// <summary>The difference by engagement between two states of what is recognised.</summary>
    private void AddRecognition(ImmutableArray<PostingLine>.Builder lines, Dictionary<EngagementId, long> was, Dictionary<EngagementId, long> isNow)
    {
        foreach (var engagement in was.Keys.Union(isNow.Keys).Order())
        {
            var amount = isNow.GetValueOrDefault(engagement) - was.GetValueOrDefault(engagement);
            if (amount != 0)
            {
                lines.AddRange(Posting.Pair(LedgerAccount.DeferredRevenue, LedgerAccount.Revenue, new Money(amount, Account!.Currency), Account.Client, engagement, null));
            }
        }
    }

    private Dictionary<EngagementId, long> RecognizedOf(IEnumerable<Invoice> invoices, LocalDate? before) => before is not { } date ? []
        : Earnings(invoices).GroupBy(e => e.Item.Engagement).ToDictionary(g => g.Key, g => g.Sum(e => e.Earning.Before(date)));

    /// <summary>
    /// The fees of final invoices that were billed in advance, by item: what its lines come to, credits by hand among them, over the days that the last of its runs left it; and what imports
    /// have brought of such fees. Blocks are earned by the engagement.
    /// </summary>
    /// <remarks><c>Until</c>: the first day after the last that any of its runs gave it; null: it never had days.</remarks>
    private IEnumerable<(ItemKey Item, Earning Earning, LocalDate? Until)> Earnings(IEnumerable<Invoice> invoices) => invoices
        .Where(i => i.IsFinal).SelectMany(i => i.Content.Lines).Where(l => l is { Item.Charge: Charge.Fee, Timing: FeeTiming.InAdvance })
        .GroupBy(l => l.Item).Select(g => (g.Key, new Earning(g.Sum(l => l.Amount), g.LastOrDefault(l => !l.ByHand)?.KeyDates ?? []), g.SelectMany(l => l.KeyDates).Max(d => d.End)))
        .Concat((Deferred ?? []).Select((d, i) => (Of: d, Number: i + 1)).Where(d => d.Of.Block is null)
            .Select(d => (new ItemKey(d.Of.Engagement, d.Of.Days.Start, Charge.Fee, new PartId($"opening-{Text(d.Number)}")), new Earning(d.Of.Amount, [d.Of.Days]), d.Of.Days.End)));

    /// <summary>Of days that a late import brings and that are posted already for all others: what they have earned.</summary>
    private FeesRecognized? RecognizeImported(OpeningImported imported)
    {
        if (Recognized is not { } known || known.Before <= imported.Opening.On)
        {
            return null;
        }

        var (after, lines) = (Apply(imported), ImmutableArray.CreateBuilder<PostingLine>());
        AddRecognition(lines, RecognizedOf(Standing, known.Before), after.RecognizedOf(Standing, known.Before));
        return lines.Count == 0 ? null : new FeesRecognized(Account!, imported.Opening.On, known.Before, known.Before.PlusDays(-1), new Posting(lines.ToImmutable()));
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
