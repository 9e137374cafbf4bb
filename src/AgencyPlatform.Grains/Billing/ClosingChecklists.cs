using System.Collections.Immutable;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Time;

namespace AgencyPlatform.Grains.Billing;

/// <summary>Looks for what is open in the months of a legal entity, page by page of the agency's lists.</summary>
internal sealed class ClosingChecklists(IReadModels readModels, AgencyId agency, Func<EngagementId, Task<IEnumerable<Terms>>> termsOf)
{
    private const int AtOnce = 500;

    private readonly Dictionary<OpenItemKind, int> _counts = [];
    private readonly List<OpenItem> _items = [];
    private readonly Dictionary<EngagementId, ImmutableArray<Terms>> _terms = [];

    public async Task<ClosingChecklist> Of(LegalEntityId entity, LocalDate through)
    {
        await foreach (var entry in All<TimeEntryRow>(
            e => [e.Cmo, e.Week, e.Id], new Filter(nameof(TimeEntryRow.State), FilterOperator.In, new[] { TimeEntryState.Draft, TimeEntryState.Submitted }), Upto(nameof(TimeEntryRow.Date), through)))
        {
            if (await IsOf(entry, entity))
            {
                Add(entry.State == TimeEntryState.Draft ? OpenItemKind.UnsubmittedTime : OpenItemKind.UnapprovedTime, KeyOf(entry));
            }
        }

        await foreach (var entry in All<TimeEntryRow>(e => [e.Cmo, e.Week, e.Id], new Filter(nameof(TimeEntryRow.Parked), FilterOperator.GreaterOrEqual, 1), Upto(nameof(TimeEntryRow.Date), through)))
        {
            if (entry.State == TimeEntryState.Approved && await IsOf(entry, entity))
            {
                Add(OpenItemKind.ParkedTime, KeyOf(entry));
            }
        }

        await foreach (var draft in All<InvoiceRow>(i => [i.Id], Filter.Eq(nameof(InvoiceRow.LegalEntity), entity), Filter.Eq(nameof(InvoiceRow.State), InvoiceState.Draft), Upto(nameof(InvoiceRow.To), through)))
        {
            Add(OpenItemKind.OpenDraft, $"invoices/{draft.Id}");
        }

        await foreach (var account in All<BillingAccountRow>(
            a => [a.Client, a.LegalEntity, a.Currency],
            Filter.Eq(nameof(BillingAccountRow.LegalEntity), entity), new Filter(nameof(BillingAccountRow.Credit), FilterOperator.GreaterOrEqual, 1L), new Filter(nameof(BillingAccountRow.Open), FilterOperator.GreaterOrEqual, 1L)))
        {
            Add(OpenItemKind.UnallocatedCredit, $"clientCompanies/{account.Client}");
        }

        return new ClosingChecklist(_counts.ToImmutableSortedDictionary(), [.. _items.OrderBy(i => i.Kind)]);
    }

    private static string KeyOf(TimeEntryRow entry) => $"{entry.Cmo}/{entry.Week}/{entry.Id}";

    private static Filter Upto(string property, LocalDate through) => new(property, FilterOperator.Less, through.PlusDays(1));

    private void Add(OpenItemKind kind, string resource)
    {
        if ((_counts[kind] = _counts.GetValueOrDefault(kind) + 1) <= ClosingChecklist.MostItems)
        {
            _items.Add(new OpenItem(kind, resource));
        }
    }

    /// <summary>Whether the time is charged, or would be, by the legal entity. Time for no engagement is nobody's.</summary>
    private async Task<bool> IsOf(TimeEntryRow entry, LegalEntityId entity)
    {
        if (entry.Engagement is not { } id)
        {
            return false;
        }

        if (!_terms.TryGetValue(id, out var terms))
        {
            _terms[id] = terms = [.. await termsOf(id)];
        }

        return (terms.LastOrDefault(t => t.EffectiveFrom <= entry.Date) ?? terms.FirstOrDefault())?.Seller == entity;
    }

    private async IAsyncEnumerable<TRow> All<TRow>(Func<TRow, ImmutableArray<object>> key, params Filter[] filters) where TRow : class, IRow
    {
        for (var after = ImmutableArray<object>.Empty; ;)
        {
            var rows = await readModels.List<TRow>(agency, new Query([.. filters], after, AtOnce));
            foreach (var row in rows)
            {
                yield return row;
            }

            if (rows.Count < AtOnce)
            {
                yield break;
            }

            after = key(rows[^1]);
        }
    }
}
