using System.Collections.Concurrent;
using System.Diagnostics;
using AgencyPlatform.Benchmarks.Servers;
using Grpc.Core;
using HdrHistogram;

namespace AgencyPlatform.Benchmarks.Load;

/// <summary>What the callers report to: counts and times while a window is open.</summary>
internal sealed class Recorder
{
    private readonly Lock _lock = new();
    private readonly LongHistogram _times = new(1, 60_000_000, 3);
    private readonly LongHistogram _late = new(1, 60_000_000, 3);
    private readonly ConcurrentDictionary<string, long> _failures = new();
    private bool _open;

    public long Calls => _times.TotalCount;

    public IReadOnlyDictionary<string, long> Failures => _failures;

    /// <summary>Whether calls count. Once it is closed nothing changes any more.</summary>
    public bool Open
    {
        set
        {
            lock (_lock)
            {
                _open = value;
            }
        }
    }

    /// <summary>Milliseconds; 0 when nothing was counted.</summary>
    public double Percentile(double percent) => _times.TotalCount == 0 ? 0 : _times.GetValueAtPercentile(percent) / 1000.0;

    /// <summary>Milliseconds below which 99 % of the calls were sent after they were due.</summary>
    public double SentLate => _late.TotalCount == 0 ? 0 : _late.GetValueAtPercentile(99) / 1000.0;

    /// <param name="started">When the call was begun or, in an open loop, due.</param>
    public void Done(long started) => Record(_times, started);

    /// <summary>A call that was due then is being sent.</summary>
    public void Sent(long due) => Record(_late, due);

    private void Record(LongHistogram histogram, long since)
    {
        var microseconds = Math.Clamp((long)Stopwatch.GetElapsedTime(since).TotalMicroseconds, 1, 60_000_000);
        lock (_lock)
        {
            if (_open)
            {
                histogram.RecordValue(microseconds);
            }
        }
    }

    public void Failed(RpcException e) => _failures.AddOrUpdate($"{e.StatusCode}: {e.Status.Detail}", 1, (_, n) => n + 1);
}

/// <summary>What one window came to.</summary>
/// <param name="Seconds">Length of the window.</param>
/// <param name="P50">Milliseconds.</param>
internal sealed record Window(
    long Calls, double Seconds, double P50, double P99, double P999, double ServerCpu, double DatabaseCpu, double GeneratorCpu, double Commits, double Rows,
    IReadOnlyDictionary<string, long> Failures)
{
    public double CallsPerSecond => Calls / Seconds;

    /// <summary>Open loop: by how many milliseconds 99 % of the calls were at most sent later than due. It is part of their times.</summary>
    public double SentLate { get; init; }
}

/// <summary>Load on a subject, and what a window of it came to.</summary>
internal static class LoadGenerator
{
    /// <summary>A closed loop: so many callers, each with one call under way at a time. They settle, are measured for a while, and end what they began.</summary>
    public static async Task<Window> Run(Subject subject, int callers, TimeSpan settle, TimeSpan length, CancellationToken cancellation)
    {
        var recorder = new Recorder();
        var stop = false;
        var running = Enumerable.Range(0, callers).Select(caller => Task.Run(
            async () =>
            {
                var random = new Random(caller);
                for (var turn = Stopwatch.GetTimestamp(); !Volatile.Read(ref stop); turn++)
                {
                    await subject.Work.Once(caller, turn, random, recorder);
                }
            },
            cancellation)).ToArray();
        try
        {
            return await Measure(subject, recorder, settle, length, cancellation);
        }
        finally
        {
            Volatile.Write(ref stop, true);
            await Task.WhenAll(running);
        }
    }

    /// <summary>
    /// An open loop: calls arrive at a fixed rate, whether those before are answered or not. Their times count from when they were due, so that a server
    /// (or this generator) that stalls does not hide the calls that should have been made meanwhile.
    /// </summary>
    /// <param name="rate">Calls a second.</param>
    /// <exception cref="BenchmarkException">The server falls ever further behind.</exception>
    public static async Task<Window> RunOpen(Subject subject, double rate, TimeSpan settle, TimeSpan length, CancellationToken cancellation)
    {
        var recorder = new Recorder();
        using var arrivals = new Arrivals(subject.Work, recorder, rate);
        try
        {
            return await Measure(subject, recorder, settle, length, cancellation);
        }
        finally
        {
            await arrivals.Stop();
            if (arrivals.Overrun)
            {
                throw new BenchmarkException($"{subject.Title} does not keep up with {rate:N0} calls a second: {Arrivals.MostUnderWay:N0} were under way at the same time.");
            }
        }
    }

    private static async Task<Window> Measure(Subject subject, Recorder recorder, TimeSpan settle, TimeSpan length, CancellationToken cancellation)
    {
        await Task.Delay(settle, TimeProvider.System, cancellation);
        var before = await Read(subject, cancellation);
        var started = Stopwatch.GetTimestamp();
        recorder.Open = true;
        await Task.Delay(length, TimeProvider.System, cancellation);
        recorder.Open = false;
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        var after = await Read(subject, cancellation);
        return new Window(
            recorder.Calls, seconds, recorder.Percentile(50), recorder.Percentile(99), recorder.Percentile(99.9),
            (after.Server - before.Server).TotalMicroseconds, (after.Database - before.Database).TotalMicroseconds, (after.Generator - before.Generator).TotalMicroseconds,
            after.Journal.Commits - before.Journal.Commits, after.Journal.Rows - before.Journal.Rows, recorder.Failures)
        {
            SentLate = recorder.SentLate,
        };
    }

    private static async Task<(TimeSpan Server, TimeSpan Database, TimeSpan Generator, (double Commits, double Rows) Journal)> Read(Subject subject, CancellationToken cancellation)
    {
        var journal = (Commits: 0.0, Rows: 0.0);
        if (subject.Written is { } written)
        {
            journal = await written(cancellation);
        }
        else
        {
            foreach (var server in subject.Servers)
            {
                var (commits, rows) = await server.Journal(cancellation);
                journal = (journal.Commits + commits, journal.Rows + rows);
            }
        }

        var servers = TimeSpan.FromTicks(subject.Servers.Sum(s => s.Cpu.Ticks));
        return (servers, subject.Database?.Invoke() ?? TimeSpan.Zero, Environment.CpuUsage.TotalTime, journal);
    }
}
