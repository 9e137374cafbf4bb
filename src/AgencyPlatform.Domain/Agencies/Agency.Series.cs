using System.Collections.Immutable;
using AgencyPlatform.Domain.Billing;
using NodaTime;

namespace AgencyPlatform.Domain.Agencies;

/// <summary>What an agency knows of a series: the one place that sees all of a legal entity, so that no two ever print the same number.</summary>
/// <param name="Format">As it was set; null: the default of its id.</param>
/// <param name="InUse">It gives numbers, and keeps its prefix.</param>
[GenerateSerializer, Immutable, Alias("agency.known-series")]
public sealed record KnownSeries(SeriesFormat? Format, bool InUse);

/// <param name="GivesNumbers">What the series itself says: it may have given numbers before the agency was told of such.</param>
/// <param name="Last">Its last number, of <paramref name="Year"/>.</param>
/// <param name="Year">0: not known.</param>
[GenerateSerializer, Immutable, Alias("agency.set-invoice-series")]
public sealed record SetInvoiceSeries(LegalEntityId LegalEntity, InvoiceSeriesId Series, SeriesFormat Format, bool GivesNumbers, long Last = 0, int Year = 0);

[Event("agency.invoice-series-set"), GenerateSerializer, Immutable, Alias("agency.invoice-series-set")]
public sealed record InvoiceSeriesSet(LegalEntityId LegalEntity, InvoiceSeriesId Series, SeriesFormat Format) : IEvent;

/// <summary>The series is about to give its first number: its prefix stands from here on.</summary>
[Event("agency.invoice-series-used"), GenerateSerializer, Immutable, Alias("agency.invoice-series-used")]
public sealed record InvoiceSeriesUsed(LegalEntityId LegalEntity, InvoiceSeriesId Series) : IEvent;

/// <summary>How the series of its legal entities print. Source: domain §5, docs/billing.md.</summary>
public sealed partial record Agency
{
    public const int MaxSeries = 200;

    /// <summary>The series of a legal entity: those that it has or had as its default with those of their credit notes, and those that were set or used.</summary>
    public ImmutableSortedDictionary<InvoiceSeriesId, KnownSeries> SeriesOf(LegalEntityId entity) =>
        Series?.GetValueOrDefault(entity) ?? ImmutableSortedDictionary<InvoiceSeriesId, KnownSeries>.Empty;

    public SeriesFormat FormatOf(LegalEntityId entity, InvoiceSeriesId series) => SeriesOf(entity).GetValueOrDefault(series)?.Format ?? SeriesFormat.Default(series);

    /// <summary>Sets how a series prints. One that gives numbers keeps its prefix; what it has printed stays as it was.</summary>
    /// <param name="imported">The numbers of the legal entity's imported invoices.</param>
    public Decision SetInvoiceSeries(SetInvoiceSeries command, IEnumerable<string> imported, Instant now)
    {
        var (entity, series, format, given, last, year) = command;
        if (!LegalEntities.TryGetValue(entity, out var seller))
        {
            return Rejection.NotFound("legal_entity", entity.Value);
        }

        var (known, current) = (SeriesOf(entity).GetValueOrDefault(series), FormatOf(entity, series));
        if (known is not null && current == format)
        {
            return Decision.Nothing;
        }

        if ((given || known?.InUse == true) && current.Prefix != format.Prefix)
        {
            return Rejection.Rule(
                Reasons.SeriesPrefixFixed,
                $"The series {series} of {entity} gives numbers and is not renamed: its prefix stays {current.Prefix}. For another, make another series the legal entity's default.",
                ("legal_entity", entity.Value), ("series", series.Value), ("prefix", current.Prefix));
        }

        return Clash(entity, series, format) is { } taken ? taken
            : InvoiceSeries.PrintsAgain(entity, series, format, last, year, seller.TimeZone, imported, known is null || given ? null : current, now) is { } again ? again
            : known is null && SeriesOf(entity).Count >= MaxSeries
                ? Rejection.Rule(Reasons.TooManySeries, $"A legal entity has at most {MaxSeries} series.", ("legal_entity", entity.Value), ("maximum", Text(MaxSeries)))
            : Decision.Accept(new InvoiceSeriesSet(entity, series, format));
    }

    /// <summary>Told before a series gives its first number.</summary>
    public Decision UseInvoiceSeries(LegalEntityId entity, InvoiceSeriesId series) =>
        !LegalEntities.ContainsKey(entity) ? Rejection.NotFound("legal_entity", entity.Value)
        : SeriesOf(entity).GetValueOrDefault(series)?.InUse == true ? Decision.Nothing
        : Decision.Accept(new InvoiceSeriesUsed(entity, series));

    /// <summary>Why a legal entity cannot have its default series, or null.</summary>
    private Rejection? RefusedDefault(LegalEntity entity, ImmutableArray<string> imported, Instant now)
    {
        ImmutableArray<InvoiceSeriesId> fresh = [.. new[] { entity.DefaultSeries, InvoiceSeries.ForCreditNotes(entity.DefaultSeries) }.Where(s => !SeriesOf(entity.Id).ContainsKey(s))];
        return fresh.Select(s => Clash(entity.Id, s, SeriesFormat.Default(s)) ?? InvoiceSeries.PrintsAgain(entity.Id, s, SeriesFormat.Default(s), 0, 0, entity.TimeZone, imported, null, now)).FirstOrDefault(c => c is not null)
            ?? (SeriesOf(entity.Id).Count + fresh.Length > MaxSeries
                ? Rejection.Rule(Reasons.TooManySeries, $"A legal entity has at most {MaxSeries} series.", ("legal_entity", entity.Id.Value), ("maximum", Text(MaxSeries)))
                : null);
    }

    /// <summary>That another series of the legal entity might print the same numbers; null when none does.</summary>
    private Rejection? Clash(LegalEntityId entity, InvoiceSeriesId series, SeriesFormat format) =>
        SeriesOf(entity).Keys.Where(other => other != series && FormatOf(entity, other).Clashes(format)).Take(1)
            .Select(other => Rejection.Rule(
                Reasons.SeriesPrefixTaken,
                $"The series {series} of {entity} would print the same numbers with the prefix {format.Prefix} as the series {other} does with {FormatOf(entity, other).Prefix}.",
                ("legal_entity", entity.Value), ("series", series.Value), ("prefix", format.Prefix), ("other_series", other.Value)))
            .FirstOrDefault();

    private static ImmutableSortedDictionary<LegalEntityId, ImmutableSortedDictionary<InvoiceSeriesId, KnownSeries>> With(
        ImmutableSortedDictionary<LegalEntityId, ImmutableSortedDictionary<InvoiceSeriesId, KnownSeries>>? all, LegalEntityId entity, InvoiceSeriesId series, Func<KnownSeries, KnownSeries> change)
    {
        var known = all ?? ImmutableSortedDictionary<LegalEntityId, ImmutableSortedDictionary<InvoiceSeriesId, KnownSeries>>.Empty;
        var of = known.GetValueOrDefault(entity) ?? ImmutableSortedDictionary<InvoiceSeriesId, KnownSeries>.Empty;
        return known.SetItem(entity, of.SetItem(series, change(of.GetValueOrDefault(series) ?? new KnownSeries(null, false))));
    }

    /// <summary>With a legal entity's default series and that of its credit notes.</summary>
    private static ImmutableSortedDictionary<LegalEntityId, ImmutableSortedDictionary<InvoiceSeriesId, KnownSeries>> WithDefault(
        ImmutableSortedDictionary<LegalEntityId, ImmutableSortedDictionary<InvoiceSeriesId, KnownSeries>>? all, LegalEntity entity) =>
        With(With(all, entity.Id, entity.DefaultSeries, s => s), entity.Id, InvoiceSeries.ForCreditNotes(entity.DefaultSeries), s => s);
}
