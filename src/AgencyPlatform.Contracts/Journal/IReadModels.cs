namespace AgencyPlatform.Contracts.Journal;

/// <summary>Lists, always of one agency, in key order, by keyset.</summary>
public interface IReadModels
{
    /// <summary>
    /// Rows of <typeparamref name="TRow"/>'s table whose columns equal the filters, in key order, after the given key
    /// (<see cref="Query.After"/>), at most <see cref="Query.Limit"/>.
    /// </summary>
    Task<IReadOnlyList<TRow>> List<TRow>(AgencyId agency, Query query, CancellationToken cancellation = default) where TRow : class, IRow;

    /// <summary>The row with this key, given in the order of the table's key columns, or null.</summary>
    Task<TRow?> Find<TRow>(AgencyId agency, ImmutableArray<object> key, CancellationToken cancellation = default) where TRow : class, IRow;

    /// <summary>Sums a long column over the rows that match the filters, grouped by columns (as stored: strings, longs) and months of dates (<c>2026-03</c>).</summary>
    Task<IReadOnlyList<(ImmutableArray<object?> Group, long Sum)>> Sum<TRow>(AgencyId agency, ImmutableArray<Filter> filters, string sumProperty, ImmutableArray<GroupBy> groups, CancellationToken cancellation = default) where TRow : class, IRow;
}

/// <param name="Property">A property (column) of the row's record.</param>
/// <param name="Month">Of a date: rows of one calendar month are together.</param>
public readonly record struct GroupBy(string Property, bool Month = false)
{
    public static GroupBy MonthOf(string property) => new(property, true);

    public static implicit operator GroupBy(string property) => new(property);
}

/// <param name="After">Values of the key columns of the last row already seen; empty for the first page.</param>
public sealed record Query(ImmutableArray<Filter> Filters, ImmutableArray<object> After, int Limit)
{
    public static Query All(int limit, params ReadOnlySpan<Filter> filters) => new([.. filters], [], limit);
}

public enum FilterOperator { Equal, NotEqual, GreaterOrEqual, Less, In }

/// <param name="Property">A property (column) of the row's record.</param>
/// <param name="Value">A value of the property's type; for <see cref="FilterOperator.In"/> an array of them. Null with Equal: is null.</param>
public readonly record struct Filter(string Property, FilterOperator Operator, object? Value)
{
    public static Filter Eq(string property, object? value) => new(property, FilterOperator.Equal, value);
}

/// <summary>Names and addresses of people, joined into views when these are answered. Writes go with appends.</summary>
public interface IPeopleVault
{
    /// <summary>What the vault holds of these people; an erased or unknown person is missing from the answer.</summary>
    Task<ImmutableDictionary<PersonId, PersonDetails>> Read(AgencyId agency, IReadOnlyCollection<PersonId> people, CancellationToken cancellation = default);
}

/// <summary>The due aggregates. Correctness never depends on them: every decision settles time first.</summary>
public interface IDeadlines
{
    /// <summary>
    /// Leases due rows of ordinary agencies until <paramref name="now"/> + <paramref name="lease"/>: at most <paramref name="limit"/>,
    /// a fair share per agency. A row leased and not rewritten comes back after its lease.
    /// </summary>
    Task<IReadOnlyList<DueDeadline>> Claim(Instant now, Duration lease, int limit, int perAgency, CancellationToken cancellation = default);

    /// <summary>A failed row waits until <paramref name="retryAt"/>; its attempts are counted.</summary>
    Task BackOff(AggregateKey key, Instant retryAt, CancellationToken cancellation = default);

    /// <summary>The first rows of one agency due at or before an instant, in order (due time, aggregate): what advancing a sandbox works through. Without those that are by the system's clock.</summary>
    Task<IReadOnlyList<DueDeadline>> Due(AgencyId agency, Instant upTo, int limit, CancellationToken cancellation = default);
}

public sealed record DueDeadline(AggregateKey Key, Instant DueAt, int Attempts);
