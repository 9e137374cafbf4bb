using AgencyPlatform.Storage.ReadModels;

namespace AgencyPlatform.Storage.Engines;

internal sealed record StoredColumn(string Name, StoredKind Kind, bool Nullable = false);

/// <summary>A table that appends write row by row.</summary>
/// <param name="Ordinal">Position among all of them.</param>
/// <param name="Columns">In the order in which a written row is bound.</param>
/// <param name="Key">Positions of the columns by which a row is found; empty where rows are only added.</param>
/// <param name="Drop">Positions of the columns that name the row to be dropped, in the order in which they are bound.</param>
internal sealed record StoredTable(int Ordinal, string Name, ImmutableArray<StoredColumn> Columns, ImmutableArray<int> Key, ImmutableArray<int> Drop)
{
    public string ColumnList => string.Join(", ", Columns.Select(c => c.Name));

    /// <summary>What follows an INSERT that replaces the row of the same key.</summary>
    public string Replacing =>
        $" ON CONFLICT ({string.Join(", ", Key.Select(k => Columns[k].Name))}) DO UPDATE SET " +
        string.Join(", ", Columns.Where((_, i) => !Key.Contains(i)).Select(c => $"{c.Name} = excluded.{c.Name}"));

    public static StoredTable Of(RowTable table, int ordinal) => new(
        ordinal,
        table.Name,
        [new("agency", StoredKind.Text), new("owner", StoredKind.Text), .. table.Columns.Select(c => new StoredColumn(c.Quoted, c.Kind, c.Nullable))],
        [0, .. table.Key.Select(k => k + 2)],
        [0, 1, .. table.Key.Select(k => k + 2)]);
}
