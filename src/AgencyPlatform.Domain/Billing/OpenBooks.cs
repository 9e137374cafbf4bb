using System.Collections.Immutable;
using AgencyPlatform.Domain.Time;
using NodaTime;

namespace AgencyPlatform.Domain.Billing;

/// <summary>Id of an import of open books within its agency.</summary>
[GenerateSerializer, Immutable, Alias("id.open-books-import")]
public readonly record struct OpenBooksImportId([property: Id(0)] string Value) : IId<OpenBooksImportId>, IComparable<OpenBooksImportId>
{
    public static OpenBooksImportId Of(string value) => new(value);
    public int CompareTo(OpenBooksImportId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

/// <summary>An invoice that was issued elsewhere and of which something is open at the cut-over.</summary>
/// <param name="Number">As printed on it; of one invoice of the legal entity.</param>
/// <param name="Total">With tax.</param>
/// <param name="Tax">Part of the total. It was reported elsewhere and is not posted again.</param>
/// <param name="Open">What of it is still to be paid.</param>
[GenerateSerializer, Immutable, Alias("open-books.invoice")]
public sealed record OpenInvoice(ClientCompanyId Client, string Number, LocalDate IssueDate, LocalDate DueDate, Money Total, Money Tax, Money Open)
{
    /// <summary>By which it is known, see <see cref="DocumentNumberRow.KeyOf"/>.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public string NumberKey => DocumentNumberRow.KeyOf(Number);
}

/// <summary>What a client has paid or is credited beyond its invoices.</summary>
[GenerateSerializer, Immutable, Alias("open-books.credit")]
public sealed record OpeningCredit(ClientCompanyId Client, Money Amount);

/// <summary>What was invoiced elsewhere, in advance, for days from the cut-over on.</summary>
[GenerateSerializer, Immutable, Alias("open-books.deferral")]
public sealed record OpeningDeferral(EngagementId Engagement, Money Amount, DateRange Days);

/// <summary>Minutes that an engagement had left at the cut-over.</summary>
/// <param name="Minutes">0: nothing of this origin is left.</param>
/// <param name="ExpiresAt">The first date that no longer may draw on them.</param>
/// <param name="Deferred">Of a prepaid block: what of its price is not earned yet; null: nothing, or of another origin.</param>
[GenerateSerializer, Immutable, Alias("open-books.grant")]
public sealed record OpeningGrant(EngagementId Engagement, GrantOrigin Origin, int Minutes, LocalDate ExpiresAt, Money? Deferred);

/// <summary>What a CMO was owed at the cut-over.</summary>
[GenerateSerializer, Immutable, Alias("open-books.payable")]
public sealed record OpeningPayable(CmoId Cmo, Money Amount);

/// <summary>With which number a series goes on.</summary>
[GenerateSerializer, Immutable, Alias("open-books.series")]
public sealed record OpeningSeries(InvoiceSeriesId Series, long Next);

/// <summary>The open books of a running agency, row by row. Source: domain §5.</summary>
[GenerateSerializer, Immutable, Alias("open-books")]
public sealed record OpenBooks(
    ImmutableArray<OpenInvoice> Invoices, ImmutableArray<OpeningCredit> Credits, ImmutableArray<OpeningDeferral> Deferrals, ImmutableArray<OpeningGrant> Grants,
    ImmutableArray<OpeningPayable> Payables, ImmutableArray<OpeningSeries> Series)
{
    /// <summary>The most rows of one import. Larger books come in parts, each of which is balanced by itself.</summary>
    public const int MostRows = 2_000;

    public const int LongestNumber = 35;

    public static OpenBooks Empty { get; } = new([], [], [], [], [], []);

    [System.Text.Json.Serialization.JsonIgnore]
    public int Rows => Invoices.Length + Credits.Length + Deferrals.Length + Grants.Length + Payables.Length + Series.Length;
}

/// <param name="On">The cut-over: the first day whose books are kept here, and the posting date of the opening entry.</param>
[GenerateSerializer, Immutable, Alias("open-books-import.import")]
public sealed record ImportOpenBooks(OpenBooksImportId Id, LegalEntityId LegalEntity, Currency Currency, LocalDate On, OpenBooks Books);

/// <summary>What an engagement says of itself for an import.</summary>
/// <param name="Runs">It is activated and not over at the cut-over.</param>
/// <param name="Seller">By the terms at the cut-over, or at its start when that comes later; so are the next three.</param>
/// <param name="BillsAhead">Its fee is charged in advance.</param>
/// <param name="HasTime">Time of the cut-over's day or later is approved already.</param>
/// <param name="Blocks">How many prepaid blocks it has.</param>
[GenerateSerializer, Immutable, Alias("open-books.engagement")]
public sealed record EngagementAtCutOver(
    EngagementId Engagement, ClientCompanyId Client, bool Runs, LocalDate BillingStartsOn, LegalEntityId Seller, Currency Currency, bool HasMeter, bool BillsAhead, bool HasTime, int Blocks);

/// <summary>What an import is checked against.</summary>
/// <param name="TimeZone">The legal entity's.</param>
/// <param name="Clients">Those of the named ones that are there; so with the CMOs and the engagements.</param>
/// <param name="Taken">The keys of those of the old numbers that another document of the legal entity has.</param>
/// <param name="Series">The legal entity's series as they stand, and how they print.</param>
/// <param name="Refused">Why a series does not go on with the number that is named.</param>
/// <param name="ClosedThrough">Through which day the legal entity's books are closed; null: no month is.</param>
[GenerateSerializer, Immutable, Alias("open-books.facts")]
public sealed record OpenBooksFacts(
    string TimeZone, ImmutableHashSet<ClientCompanyId> Clients, ImmutableHashSet<CmoId> Cmos, ImmutableDictionary<EngagementId, EngagementAtCutOver> Engagements,
    ImmutableHashSet<string> Taken, ImmutableDictionary<InvoiceSeriesId, (SeriesFormat Format, long Last, int Year)> Series,
    ImmutableDictionary<InvoiceSeriesId, string> Refused, LocalDate? ClosedThrough = null);
