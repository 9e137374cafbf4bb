using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace AgencyPlatform.Domain.Engagements;

/// <summary>What one revision of a plan differs in from the one before: every field that is agreed, whichever a later version of the plan adds.</summary>
public static class PlanChanges
{
    /// <summary>So many are listed; what is beyond is counted in the last one.</summary>
    public const int Most = 200;

    /// <summary>The agency's own marks are nobody's agreement.</summary>
    private static readonly ImmutableHashSet<string> s_notAgreed = [Snake(nameof(EngagementPlan.Labels)), Snake(nameof(EngagementPlan.ExternalIds))];

    /// <summary>The fields by path, in the plan's order; members by their CMO, steps by their place.</summary>
    public static ImmutableArray<FieldChange> Between(EngagementPlan before, EngagementPlan after)
    {
        var changes = new List<FieldChange>();
        Compare("", Node(before), Node(after), changes);
        return changes.Count <= Most
            ? [.. changes]
            : [.. changes.Take(Most - 1), new FieldChange("…", "", $"and {changes.Count - Most + 1} more fields")];
    }

    private static void Compare(string path, JsonNode? before, JsonNode? after, List<FieldChange> changes)
    {
        if (before is not JsonObject and not JsonArray && after is not JsonObject and not JsonArray)
        {
            var (old, now) = (before?.ToString() ?? "", after?.ToString() ?? "");
            if (old != now)
            {
                changes.Add(new FieldChange(path, old, now));
            }

            return;
        }

        var (olds, news) = (Parts(before), Parts(after));
        foreach (var part in olds.Keys.Union(news.Keys))
        {
            Compare(path.Length == 0 ? part.TrimStart('.') : path + part, olds.GetValueOrDefault(part), news.GetValueOrDefault(part), changes);
        }
    }

    private static Dictionary<string, JsonNode?> Parts(JsonNode? node) => node switch
    {
        JsonObject fields => fields.Where(f => !s_notAgreed.Contains(Snake(f.Key))).ToDictionary(f => "." + Snake(f.Key), f => f.Value),
        JsonArray items => items.Select((item, i) => (Key: (string?)item?["cmo"] ?? $"{i}", item)).ToDictionary(p => $"[{p.Key}]", p => p.item),
        _ => [],
    };

    private static JsonNode Node(EngagementPlan plan) => JsonSerializer.SerializeToNode(plan, EventJson.Options)!;

    private static string Snake(string name) => JsonNamingPolicy.SnakeCaseLower.ConvertName(name);
}
