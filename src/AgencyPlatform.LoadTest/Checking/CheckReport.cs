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
        ("Q", "every refusal was right at a moment between its sending and its answer"),
        ("C", "one effect per request id; a retry answers the same; other content is refused; a refusal leaves nothing"),
        ("Z", "postings sum to zero per currency; the ledger and its balances are the sums of the feed's postings; what is receivable is open on invoices"),
        ("N", "invoice numbers have no gap and no duplicate; each is on one final invoice, dates do not decrease"),
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

    /// <summary>Adds what was found elsewhere.</summary>
    public void Add(CheckReport other)
    {
        foreach (var (what, many) in other._judged)
        {
            Count(what, many);
        }

        foreach (var (letter, many) in other._violations)
        {
            _violations.AddOrUpdate(letter, many, (_, n) => n + many);
            foreach (var example in other.Examples(letter).Take(Math.Max(0, MostExamples - Examples(letter).Count)))
            {
                _examples.GetOrAdd(letter, static _ => new()).Enqueue(example);
            }
        }
    }

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
