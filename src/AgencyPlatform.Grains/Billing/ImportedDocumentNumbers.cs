using System.Collections.Immutable;
using AgencyPlatform.Domain.Billing;

namespace AgencyPlatform.Grains.Billing;

/// <summary>The numbers that imports of open books have brought: whoever sets how documents are numbered asks for them.</summary>
internal static class ImportedDocumentNumbers
{
    private const int RowsAtOnce = 1_000;

    /// <summary>Those of a legal entity, by their keys, all of them.</summary>
    public static async Task<ImmutableArray<string>> ImportedNumbers(this IReadModels rows, AgencyId agency, LegalEntityId entity)
    {
        var numbers = ImmutableArray.CreateBuilder<string>();
        ImmutableArray<Filter> imported = [Filter.Eq(nameof(DocumentNumberRow.LegalEntity), entity), Filter.Eq(nameof(DocumentNumberRow.Imported), true)];
        IReadOnlyList<DocumentNumberRow> page;
        do
        {
            page = await rows.List<DocumentNumberRow>(agency, new Query(imported, numbers.Count == 0 ? [] : [entity, numbers[^1]], RowsAtOnce));
            numbers.AddRange(page.Select(r => r.Number));
        }
        while (page.Count == RowsAtOnce);
        return numbers.ToImmutable();
    }
}
