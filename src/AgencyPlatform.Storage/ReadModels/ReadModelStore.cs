using System.Data.Common;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Storage.Engines;

namespace AgencyPlatform.Storage.ReadModels;

/// <summary>Lists, look-ups and sums over read-model tables, of one agency each.</summary>
internal sealed class ReadModelStore(Database database) : IReadModels
{
    public async Task<IReadOnlyList<TRow>> List<TRow>(AgencyId agency, Query query, CancellationToken cancellation = default) where TRow : class, IRow
    {
        var table = database.Tables.Of(typeof(TRow));
        var arguments = SqlArguments.Of(agency);
        var where = Where(table, query.Filters, arguments);
        if (!query.After.IsDefaultOrEmpty)
        {
            if (query.After.Length != table.Key.Length)
            {
                throw new ArgumentException($"The key of {table.Name} has {table.Key.Length} parts, {query.After.Length} were given.", nameof(query));
            }

            var key = string.Join(", ", table.Key.Select(k => table.Columns[k].Quoted));
            var after = string.Join(", ", table.Key.Select((k, i) => arguments.Add(Stored(table.Columns[k], query.After[i]))));
            where += $" AND ({key}) > ({after})";
        }

        var sql = $"SELECT {table.QuotedColumns} FROM {table.Name} WHERE {where} ORDER BY {table.QuotedKey} LIMIT {arguments.Add((long)query.Limit)}";
        return await database.Query(sql, arguments, reader => (TRow)Row(table, reader), cancellation);
    }

    public async Task<TRow?> Find<TRow>(AgencyId agency, ImmutableArray<object> key, CancellationToken cancellation = default) where TRow : class, IRow
    {
        var table = database.Tables.Of(typeof(TRow));
        if (key.Length != table.Key.Length)
        {
            throw new ArgumentException($"The key of {table.Name} has {table.Key.Length} parts, {key.Length} were given.", nameof(key));
        }

        var arguments = SqlArguments.Of(agency);
        var where = string.Join(" AND ", table.Key.Select((k, i) => $"{table.Columns[k].Quoted} = {arguments.Add(Stored(table.Columns[k], key[i]))}").Prepend("agency = $1"));
        var rows = await database.Query($"SELECT {table.QuotedColumns} FROM {table.Name} WHERE {where}", arguments, reader => (TRow)Row(table, reader), cancellation);
        return rows.SingleOrDefault();
    }

    public async Task<IReadOnlyList<(ImmutableArray<object?> Group, long Sum)>> Sum<TRow>(
        AgencyId agency, ImmutableArray<Filter> filters, string sumProperty, ImmutableArray<GroupBy> groups, CancellationToken cancellation = default) where TRow : class, IRow
    {
        var table = database.Tables.Of(typeof(TRow));
        var arguments = SqlArguments.Of(agency);
        var where = Where(table, filters, arguments);
        var sum = $"CAST(COALESCE(SUM({table.Property(sumProperty).Quoted}), 0) AS {database.TypeOf(StoredKind.Long)})";
        var by = groups.Select(g => table.Property(g.Property)).ToArray();
        var columns = string.Join(", ", by.Select((column, i) => Grouped(column, groups[i])));
        var sql = groups.Length == 0
            ? $"SELECT {sum} FROM {table.Name} WHERE {where}"
            : $"SELECT {sum}, {columns} FROM {table.Name} WHERE {where} GROUP BY {columns} ORDER BY {columns}";
        return await database.Query(sql, arguments, reader =>
        {
            var group = ImmutableArray.CreateBuilder<object?>(groups.Length);
            for (var i = 0; i < groups.Length; i++)
            {
                group.Add(StoredValue(by[i], reader, i + 1));
            }

            return (group.MoveToImmutable(), reader.GetInt64(0));
        }, cancellation);
    }

    /// <summary>Dates are stored as ISO texts, whose first seven characters are year and month.</summary>
    private static string Grouped(RowColumn column, GroupBy group) =>
        !group.Month ? column.Quoted
        : column.Type == typeof(LocalDate) ? $"substr({column.Quoted}, 1, 7)"
        : throw new ArgumentException($"{column.Property} is a {column.Type.Name}, which is in no month.");

    /// <summary>A row whose columns are the reader's first.</summary>
    internal static IRow Row(RowTable table, DbDataReader reader) => table.Create(i => StoredValue(table.Columns[i], reader, i));

    internal static object? StoredValue(RowColumn column, DbDataReader reader, int position) =>
        reader.IsDBNull(position) ? null : column.Kind switch
        {
            StoredKind.Text => reader.GetString(position),
            StoredKind.Long => reader.GetInt64(position),
            StoredKind.Blob => reader.GetFieldValue<byte[]>(position),
            _ => throw new InvalidOperationException($"{column.Name} is a {column.Kind}."),
        };

    /// <summary>The stored form of a filter's value: of the column's type, or already as stored (a page token's).</summary>
    private static object Stored(RowColumn column, object value) =>
        column.Type.IsInstanceOfType(value) ? column.ToStored(value) : value switch
        {
            string when column.Kind == StoredKind.Text => value,
            long when column.Kind == StoredKind.Long => value,
            int number when column.Kind == StoredKind.Long => (long)number,
            _ => throw new ArgumentException($"{column.Property} is a {column.Type.Name}, not a {value.GetType().Name}."),
        };

    private string Where(RowTable table, ImmutableArray<Filter> filters, SqlArguments arguments)
    {
        var conditions = new List<string> { "agency = $1" };
        foreach (var filter in filters.IsDefault ? [] : filters)
        {
            var column = table.Property(filter.Property);
            conditions.Add(filter switch
            {
                { Value: null, Operator: FilterOperator.Equal } => $"{column.Quoted} IS NULL",
                { Value: null, Operator: FilterOperator.NotEqual } => $"{column.Quoted} IS NOT NULL",
                { Value: null } => throw new ArgumentException($"{filter.Operator} needs a value for {filter.Property}."),
                { Operator: FilterOperator.In, Value: System.Collections.IEnumerable values } =>
                    database.In(column.Quoted, [.. values.Cast<object>().Select(v => Stored(column, v))], arguments),
                { Operator: FilterOperator.Equal } => $"{column.Quoted} = {arguments.Add(Stored(column, filter.Value))}",
                { Operator: FilterOperator.NotEqual } => $"{column.Quoted} IS DISTINCT FROM {arguments.Add(Stored(column, filter.Value))}",
                { Operator: FilterOperator.GreaterOrEqual } => $"{column.Quoted} >= {arguments.Add(Stored(column, filter.Value))}",
                { Operator: FilterOperator.Less } => $"{column.Quoted} < {arguments.Add(Stored(column, filter.Value))}",
                _ => throw new ArgumentException($"{filter.Operator} does not take {filter.Value}."),
            });
        }

        return string.Join(" AND ", conditions);
    }
}
