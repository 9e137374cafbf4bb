using System.Collections.Immutable;
using NodaTime;

namespace AgencyPlatform.Domain.Billing;

/// <summary>The accounts of the double-entry ledger. The opening balance is equity: what imported open books come to beside their other accounts. Source: domain §5.</summary>
public enum LedgerAccount { Receivable, UnbilledReceivable, DeferredRevenue, Revenue, TaxPayable, Cash, ClientCredit, CostOfService, CmoPayable, BadDebt, OpeningBalance }

/// <summary>One line of a posting.</summary>
/// <param name="Amount">A debit is positive, a credit negative.</param>
public sealed record PostingLine(LedgerAccount Account, Money Amount, ClientCompanyId? Client = null, EngagementId? Engagement = null, CmoId? Cmo = null);

/// <summary>What an event posts. One that does not sum to zero per currency cannot be built.</summary>
public sealed record Posting(ImmutableArray<PostingLine> Lines)
{
    public ImmutableArray<PostingLine> Lines { get; } =
        Lines.GroupBy(l => l.Amount.Currency).All(c => c.Sum(l => l.Amount.Minor) == 0)
            ? Lines
            : throw new InvalidOperationException("A posting sums to zero in each currency.");

    /// <summary>The same amount to the debit of one account and the credit of another.</summary>
    public static ImmutableArray<PostingLine> Pair(LedgerAccount debit, LedgerAccount credit, Money amount, ClientCompanyId? client, EngagementId? engagement, CmoId? cmo) =>
        [new PostingLine(debit, amount, client, engagement, cmo), new PostingLine(credit, -amount, client, engagement, cmo)];

    /// <summary>The ledger's rows of this posting.</summary>
    public IEnumerable<RowChange> Rows(string kind, EventInfo info, IPosting @event) => RowsOf(kind, info, @event).Select(RowChange (row) => new Put(row));

    /// <inheritdoc cref="Rows"/>
    internal IEnumerable<PostingRow> RowsOf(string kind, EventInfo info, IPosting @event) => Lines.Select((line, i) => new PostingRow(
        @event.LegalEntity, @event.PostingDate, $"{kind}/{info.AggregateId}/{info.Version}", i, line.Account, line.Amount.Currency.Code, line.Amount.Minor, line.Client, line.Engagement, line.Cmo,
        @event.Effective, info.OccurredAt));
}

/// <summary>The ledger: every line of every posting.</summary>
/// <param name="Source">The event that posted: kind/aggregate/version.</param>
/// <param name="Amount">Minor units; a debit is positive, a credit negative.</param>
/// <param name="Effective">The day that it belongs to, where it corrects a closed month; null: its date.</param>
/// <param name="KnownAt">When it was posted, by the agency's clock.</param>
[RowTable("postings", nameof(LegalEntity), nameof(Date), nameof(Source), nameof(Line), Indexes = [nameof(Client), nameof(Engagement), nameof(Cmo)]), GenerateSerializer, Immutable, Alias("billing.posting-row")]
public sealed record PostingRow(
    LegalEntityId LegalEntity, LocalDate Date, string Source, int Line, LedgerAccount Account, string Currency, long Amount, ClientCompanyId? Client, EngagementId? Engagement, CmoId? Cmo,
    LocalDate? Effective = null, Instant? KnownAt = null) : IRow
{
    /// <summary>The sources of one kind of aggregate lie from the first of these to before the second: 0 comes right after the slash.</summary>
    public static (string From, string Until) SourcesOf(string kind) => ($"{kind}/", $"{kind}0");
}
