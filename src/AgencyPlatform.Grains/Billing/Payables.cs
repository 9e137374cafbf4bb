using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Domain.Billing;

namespace AgencyPlatform.Grains.Billing;

/// <summary>What a payout is decided on: the legal entity's day, and what the ledger says.</summary>
internal static class Payables
{
    /// <summary>The time zone by which a legal entity tells its day; or that it is not there.</summary>
    public static async Task<(DateTimeZone Zone, Rejection? Missing)> ZoneOf(IAgencyGrain agency, Call call, LegalEntityId id)
    {
        var known = await agency.Get(new Read(call.Agency, call.SandboxNow));
        return known.Value?.LegalEntities.GetValueOrDefault(id) is { } entity
            ? (DateTimeZoneProviders.Tzdb[entity.TimeZone], null)
            : (DateTimeZone.Utc, Rejection.NotFound("legal_entity", id.Value));
    }

    /// <summary>Minor units that each CMO was credited with up to and with a date, payouts left aside.</summary>
    public static async Task<IReadOnlyDictionary<CmoId, long>> Earned(
        IReadModels readModels, AgencyId agency, LegalEntityId entity, Currency currency, LocalDate through, CmoId? only = null)
    {
        // All but the payouts' own postings.
        var (from, until) = PostingRow.SourcesOf(CmoAccount.Kind);
        var (before, behind) = (
            await Credited(new Filter(nameof(PostingRow.Source), FilterOperator.Less, from)), await Credited(new Filter(nameof(PostingRow.Source), FilterOperator.GreaterOrEqual, until)));
        return before.Concat(behind).GroupBy(c => c.Key).ToDictionary(g => g.Key, g => g.Sum(c => c.Value));

        Task<Dictionary<CmoId, long>> Credited(Filter sources) => Sum(readModels, agency, entity, currency, through, only, sources);
    }

    /// <summary>Minor units that each CMO is still owed of what they earned up to and with a date.</summary>
    public static async Task<IReadOnlyDictionary<CmoId, long>> Owed(IReadModels readModels, AgencyId agency, LegalEntityId entity, Currency currency, LocalDate through)
    {
        var earned = await Earned(readModels, agency, entity, currency, through);
        var (from, until) = PostingRow.SourcesOf(CmoAccount.Kind);
        var paid = await Sum(
            readModels, agency, entity, currency, null, null, new Filter(nameof(PostingRow.Source), FilterOperator.GreaterOrEqual, from),
            new Filter(nameof(PostingRow.Source), FilterOperator.Less, until));
        return earned.ToDictionary(e => e.Key, e => e.Value + paid.GetValueOrDefault(e.Key));
    }

    private static async Task<Dictionary<CmoId, long>> Sum(
        IReadModels readModels, AgencyId agency, LegalEntityId entity, Currency currency, LocalDate? through, CmoId? only, params Filter[] sources)
    {
        List<Filter> filters =
        [
            Filter.Eq(nameof(PostingRow.LegalEntity), entity), Filter.Eq(nameof(PostingRow.Account), LedgerAccount.CmoPayable), Filter.Eq(nameof(PostingRow.Currency), currency.Code), .. sources,
        ];
        if (through is { } date)
        {
            filters.Add(new Filter(nameof(PostingRow.Date), FilterOperator.Less, date.PlusDays(1)));
        }

        if (only is { } cmo)
        {
            filters.Add(Filter.Eq(nameof(PostingRow.Cmo), cmo));
        }

        var sums = await readModels.Sum<PostingRow>(agency, [.. filters], nameof(PostingRow.Amount), [nameof(PostingRow.Cmo)]);
        return sums.ToDictionary(s => new CmoId((string)s.Group[0]!), s => -s.Sum);
    }
}
