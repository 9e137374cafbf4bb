using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace AgencyPlatform.Life.Tests.Driving;

/// <summary>What a run has tried: every move by the state that it met, and what became of it; and what was made to fail.</summary>
internal sealed class Coverage
{
    private static readonly string[] s_states =
        ["none", "DRAFT", "PROPOSED", "ACCEPTED", "ACTIVE", "PAUSED", "TRANSITIONING", "ENDED", "DECLINED", "WITHDRAWN", "EXPIRED", "SUBMITTED", "APPROVED", "REJECTED", "DISPUTED", "REVERSED", "there", "under way", "any"];

    private readonly ConcurrentDictionary<(string Move, string State), int> _accepted = new();
    private readonly ConcurrentDictionary<(string Move, string State), int> _refused = new();
    private readonly ConcurrentDictionary<string, int> _reasons = new();
    private readonly ConcurrentDictionary<string, int> _counted = new();

    public void Accepted(string move, string state) => _accepted.AddOrUpdate((move, state), 1, (_, n) => n + 1);

    public void Refused(string move, string state, string reason)
    {
        _refused.AddOrUpdate((move, state), 1, (_, n) => n + 1);
        _reasons.AddOrUpdate(reason, 1, (_, n) => n + 1);
    }

    public void Count(string what, int by = 1) => _counted.AddOrUpdate(what, by, (_, n) => n + by);

    public int Of(string what) => _counted.GetValueOrDefault(what);

    public int AcceptedMoves => _accepted.Values.Sum();

    /// <summary>The moves that were never accepted, of all that there are.</summary>
    public IEnumerable<string> NeverAccepted(IEnumerable<string> moves) => moves.Except(_accepted.Keys.Select(k => k.Move)).Order(StringComparer.Ordinal);

    public string Table()
    {
        var text = new StringBuilder();
        text.AppendLine("| move | accepted : refused, by the state that it met |").AppendLine("|---|---|");
        foreach (var move in _accepted.Keys.Concat(_refused.Keys).Select(k => k.Move).Distinct().Order(StringComparer.Ordinal))
        {
            var states = s_states.Where(s => _accepted.ContainsKey((move, s)) || _refused.ContainsKey((move, s)))
                .Select(s => $"{s} {Number(_accepted.GetValueOrDefault((move, s)))} : {Number(_refused.GetValueOrDefault((move, s)))}");
            text.AppendLine(CultureInfo.InvariantCulture, $"| {move} | {string.Join(" · ", states)} |");
        }

        text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"Reasons: {string.Join(", ", _reasons.OrderByDescending(r => r.Value).Select(r => $"{r.Key} {Number(r.Value)}"))}");
        text.AppendLine(CultureInfo.InvariantCulture, $"Counts: {string.Join(", ", _counted.OrderBy(c => c.Key, StringComparer.Ordinal).Select(c => $"{c.Key} {Number(c.Value)}"))}");
        return text.ToString();
    }

    private static string Number(int number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
