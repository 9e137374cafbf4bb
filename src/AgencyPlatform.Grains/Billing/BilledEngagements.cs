using System.Collections.Immutable;
using AgencyPlatform.Domain.Engagements;

namespace AgencyPlatform.Grains.Billing;

/// <summary>The engagements of a client that may have something to bill: those that were activated.</summary>
internal static class BilledEngagements
{
    private const int AtOnce = 200;

    /// <summary>Asks each of them, some at a time; what is not there is left out.</summary>
    public static async IAsyncEnumerable<T> Ask<T>(IReadModels readModels, AgencyId agency, ClientCompanyId client, Func<EngagementId, Task<Reply<T>>> ask) where T : class
    {
        for (var after = ImmutableArray<object>.Empty; ;)
        {
            var rows = await readModels.List<EngagementRow>(agency, new Query([Filter.Eq(nameof(EngagementRow.Client), client)], after, AtOnce));
            var activated = rows.Where(r => r.State is EngagementState.Active or EngagementState.Paused or EngagementState.Transitioning or EngagementState.Ended);
            foreach (var found in (await Task.WhenAll(activated.Select(r => ask(r.Id)))).Select(r => r.Value).OfType<T>())
            {
                yield return found;
            }

            if (rows.Count < AtOnce)
            {
                yield break;
            }

            after = [rows[^1].Id];
        }
    }
}
