using System.Collections.Immutable;

namespace AgencyPlatform.Domain;

/// <summary>Another system's id of a resource, unique per agency and system: a look-up, and a claim that refuses a second holder.</summary>
[RowTable("external_ids", nameof(System), nameof(ExternalId), Claimed = "external_id")]
public sealed record ExternalIdRow(string System, string ExternalId, string Kind, string ResourceId) : IRow
{
    /// <summary>The row changes that take a resource from one set of external ids to another.</summary>
    public static IEnumerable<RowChange> Changes(
        string kind, string id, ImmutableSortedDictionary<string, string> before, ImmutableSortedDictionary<string, string> after)
    {
        foreach (var (system, externalId) in before)
        {
            if (after.GetValueOrDefault(system) != externalId)
            {
                yield return new Drop(new ExternalIdRow(system, externalId, kind, id));
            }
        }

        foreach (var (system, externalId) in after)
        {
            if (before.GetValueOrDefault(system) != externalId)
            {
                yield return new Claim(new ExternalIdRow(system, externalId, kind, id));
            }
        }
    }
}
