using System.Collections.Concurrent;
using HdrHistogram;

namespace AgencyPlatform.LoadTest.Load;

/// <summary>What a second of a load was.</summary>
/// <param name="Waiting">Calls under way at its end.</param>
internal sealed record SecondOfLoad(double At, long Succeeded, long Refused, long Unknown, double P50Ms, double P99Ms, double P999Ms, double MaxMs, int Waiting)
{
    public long Answered => Succeeded + Refused + Unknown;
}

/// <summary>Counts and latencies of a load, by operation and over time. Memory does not grow with the number of calls.</summary>
internal sealed class Measures
{
    private const long MostMicroseconds = 3_600_000_000;
    private const int Digits = 3;

    private readonly ConcurrentDictionary<string, LongConcurrentHistogram> _latency = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string Operation, string Code), long> _codes = new();
    private readonly ConcurrentDictionary<string, (long Refused, long Unknown)> _failures = new(StringComparer.Ordinal);
    private readonly List<SecondOfLoad> _seconds = [];
    private readonly Recorder _second = new(1, MostMicroseconds, Digits, (id, low, high, digits) => new LongConcurrentHistogram(id, low, high, digits));
    private HistogramBase? _recycled;
    private (long Succeeded, long Refused, long Unknown) _before;
    private long _sent, _succeeded, _refused, _unknown, _skipped, _latest;
    private int _waiting;

    public long Sent => Interlocked.Read(ref _sent);
    public long Succeeded => Interlocked.Read(ref _succeeded);
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Sendings after which it was not known what had become of them.</summary>
    public long Unknown => Interlocked.Read(ref _unknown);

    /// <summary>Calls of an open loop that were due and never sent, since the load was ended first.</summary>
    public long Skipped => Interlocked.Read(ref _skipped);

    /// <summary>By how much the latest call of an open loop went out after its time, in microseconds.</summary>
    public long LatestMicroseconds => Interlocked.Read(ref _latest);

    public int Waiting => _waiting;

    public IReadOnlyList<SecondOfLoad> Seconds => _seconds;

    /// <summary>Latency of known outcomes in microseconds, by operation.</summary>
    public IReadOnlyDictionary<string, LongConcurrentHistogram> Latency => _latency;

    /// <summary>How often each operation was answered otherwise than with success, by reason or status code.</summary>
    public IReadOnlyDictionary<(string Operation, string Code), long> Codes => _codes;

    /// <summary>Of microseconds up to an hour, to three digits.</summary>
    public static LongConcurrentHistogram NewHistogram() => new(1, MostMicroseconds, Digits);

    public void Sending()
    {
        Interlocked.Increment(ref _sent);
        Interlocked.Increment(ref _waiting);
    }

    public void Answered(string operation, Calls.Outcome outcome)
    {
        Interlocked.Decrement(ref _waiting);
        if (outcome.Succeeded)
        {
            Interlocked.Increment(ref _succeeded);
            return;
        }

        Interlocked.Increment(ref outcome.Unknown ? ref _unknown : ref _refused);
        _failures.AddOrUpdate(
            operation, static (_, unknown) => unknown ? (0, 1) : (1, 0), static (_, n, unknown) => unknown ? (n.Refused, n.Unknown + 1) : (n.Refused + 1, n.Unknown), outcome.Unknown);
        _codes.AddOrUpdate((operation, outcome.Reason.Length > 0 ? outcome.Reason : outcome.Code.ToString()), 1, static (_, n) => n + 1);
    }

    /// <summary>An operation came to its known outcome, repeats of unknown ones included.</summary>
    public void Done(string operation, TimeSpan latency)
    {
        var micros = Microseconds(latency);
        _latency.GetOrAdd(operation, static _ => NewHistogram()).RecordValue(micros);
        _second.RecordValue(micros);
    }

    /// <summary>What a histogram takes.</summary>
    public static long Microseconds(TimeSpan latency) => Math.Clamp((long)latency.TotalMicroseconds, 1, MostMicroseconds);

    public void Behind(TimeSpan late)
    {
        var micros = (long)late.TotalMicroseconds;
        while (Interlocked.Read(ref _latest) is var known && micros > known && Interlocked.CompareExchange(ref _latest, micros, known) != known)
        {
        }
    }

    public void Skip() => Interlocked.Increment(ref _skipped);

    /// <summary>Answers other than success, by operation: refused for a reason, and of unknown outcome.</summary>
    public IReadOnlyDictionary<string, (long Refused, long Unknown)> Failures => _failures;

    /// <summary>Closes a second. One caller.</summary>
    public SecondOfLoad Tick(TimeSpan at)
    {
        var interval = _recycled = _second.GetIntervalHistogram(_recycled);
        var now = (Succeeded, Refused, Unknown);
        var some = interval.TotalCount > 0;
        var second = new SecondOfLoad(
            at.TotalSeconds, now.Succeeded - _before.Succeeded, now.Refused - _before.Refused, now.Unknown - _before.Unknown,
            some ? interval.GetValueAtPercentile(50) / 1e3 : 0, some ? interval.GetValueAtPercentile(99) / 1e3 : 0, some ? interval.GetValueAtPercentile(99.9) / 1e3 : 0, some ? interval.GetValueAtPercentile(100) / 1e3 : 0, _waiting);
        _before = now;
        _seconds.Add(second);
        return second;
    }
}
