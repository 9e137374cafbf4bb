using System.Collections.Concurrent;

namespace AgencyPlatform.LoadTest.Checking;

/// <summary>What the checker found, by invariant, and how much it looked at.</summary>
internal sealed class CheckReport
{
    private const int MostExamples = 20;

    /// <summary>The invariants that this checker judges, in words.</summary>
    public static IReadOnlyList<(string Letter, string Meaning)> Invariants { get; } =
    [
        ("L", "no acknowledged operation is lost"),
        ("O", "no accepted booking or change made a run's excess appear or grow, or broke another rule of capacity"),
        ("C", "one effect per request id; a retry answers the same; other content is refused; a refusal leaves nothing"),
        ("Z", "every posting sums to zero per currency"),
        ("F", "the feed is contiguous from 1, in order, the same for two readers"),
        ("R", "lists, Get and availability are the fold of the feed"),
        ("S", "owned bookings stand exactly while their engagement does; no saga is stuck"),
        ("T", "another agency sees nothing"),
    ];

    private readonly ConcurrentDictionary<string, ConcurrentQueue<string>> _examples = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _violations = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _judged = new(StringComparer.Ordinal);

    public bool Holds => _violations.IsEmpty;

    public IReadOnlyDictionary<string, long> Judged => _judged;

    public void Violated(string invariant, string what)
    {
        if (_violations.AddOrUpdate(invariant, 1, static (_, n) => n + 1) <= MostExamples)
        {
            _examples.GetOrAdd(invariant, static _ => new()).Enqueue(what);
        }
    }

    public void Count(string what, long many = 1) => _judged.AddOrUpdate(what, many, (_, n) => n + many);

    public long Violations(string invariant) => _violations.GetValueOrDefault(invariant);

    /// <summary>The first violations of an invariant.</summary>
    public IReadOnlyList<string> Examples(string invariant) => _examples.TryGetValue(invariant, out var examples) ? [.. examples] : [];
}
