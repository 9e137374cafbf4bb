using System.Collections.Immutable;
using AgencyPlatform.Domain.Billing;
using LedgerAccount = AgencyPlatform.Domain.Billing.LedgerAccount;

namespace AgencyPlatform.Gateway.Billing;

/// <summary>What days have earned of a fee since its revenue was posted last.</summary>
internal readonly record struct Earned(EngagementId Engagement, ClientCompanyId Client, string Currency, FeeTiming Timing, long Amount)
{
    /// <summary>The account whose balance it raises, with revenue's falling by the same.</summary>
    public LedgerAccount Account => Timing == FeeTiming.InArrears ? LedgerAccount.UnbilledReceivable : LedgerAccount.DeferredRevenue;
}

/// <summary>
/// Recognition is posted at months' ends and before invoices: a report as of another day adds what the days since have earned, from the rows of fees. Source: domain §5.
/// </summary>
internal static class DaysSince
{
    private const int AtOnce = 1_000;

    /// <summary>Fees that ended so long ago are posted: a month's end has passed since, and the time to work it off.</summary>
    private const int WindowDays = 62;

    /// <param name="engagements">Only of these; null: of all.</param>
    /// <param name="knownAt">As it was known then; null: now.</param>
    /// <param name="now">By the agency's clock: up to then months' ends have been posted.</param>
    public static async IAsyncEnumerable<Earned> Of(
        IReadModels readModels, AgencyId agency, LocalDate date, LegalEntityId? entity, EngagementId[]? engagements, Instant? knownAt, Instant now,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        var posted = LocalDate.Min(date, now.InUtc().Date).PlusDays(-WindowDays);
        var filters = new Filters().Equal(nameof(RecognitionRow.LegalEntity), entity).Between(nameof(RecognitionRow.From), null, date.PlusDays(1))
            .Between(nameof(RecognitionRow.Until), posted, null).Known(nameof(RecognitionRow.KnownAt), knownAt);
        if (engagements is not null)
        {
            filters.In(nameof(RecognitionRow.Engagement), engagements);
        }

        // A fee's rows lie together. What was written last counts.
        RecognitionRow? last = null;
        for (var after = ImmutableArray<object>.Empty; ;)
        {
            var rows = await readModels.List<RecognitionRow>(agency, new Query([.. filters.All], after, AtOnce), cancellation);
            foreach (var row in rows)
            {
                if (last is { } known && (known.LegalEntity, known.Engagement, known.Currency, known.Item) == (row.LegalEntity, row.Engagement, row.Currency, row.Item))
                {
                    last = row.Version > known.Version ? row : known;
                    continue;
                }

                if (last is not null && On(last) is { Amount: not 0 } earned)
                {
                    yield return earned;
                }

                last = row;
            }

            if (rows.Count < AtOnce)
            {
                break;
            }

            after = [rows[^1].LegalEntity, rows[^1].Engagement, rows[^1].Currency, rows[^1].Item, rows[^1].From, rows[^1].Version];
        }

        if (last is { } end && On(end) is { Amount: not 0 } ended)
        {
            yield return ended;
        }

        Earned On(RecognitionRow row) => new(row.Engagement, row.Client, row.Currency, row.Timing, row.PendingOn(date));
    }
}
