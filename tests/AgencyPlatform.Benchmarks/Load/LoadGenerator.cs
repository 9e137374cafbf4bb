using System.Collections.Concurrent;
using System.Diagnostics;
using Grpc.Core;
using HdrHistogram;

namespace AgencyPlatform.Benchmarks.Load;

/// <summary>What the callers report to: counts and times while a window is open.</summary>
internal sealed class Recorder
{
    private readonly Lock _lock = new();
    private readonly LongHistogram _times = new(1, 60_000_000, 3);
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

    public long Start() => Stopwatch.GetTimestamp();

    public void Done(long started)
    {
        var microseconds = Math.Clamp((long)Stopwatch.GetElapsedTime(started).TotalMicroseconds, 1, 60_000_000);
        lock (_lock)
        {
            if (_open)
            {
                _times.RecordValue(microseconds);
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
}

/// <summary>A closed loop: so many callers, each with one call under way at a time.</summary>
internal static class LoadGenerator
{
    /// <summary>Runs the callers, lets them settle, measures for a while, and lets each end what it began.</summary>
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
                after.Journal.Commits - before.Journal.Commits, after.Journal.Rows - before.Journal.Rows, recorder.Failures);
        }
        finally
        {
            Volatile.Write(ref stop, true);
            await Task.WhenAll(running);
        }
    }

    private static async Task<(TimeSpan Server, TimeSpan Database, TimeSpan Generator, (double Commits, double Rows) Journal)> Read(Subject subject, CancellationToken cancellation)
    {
        var journal = subject.Written is { } written ? await written(cancellation) : await subject.Server.Journal(cancellation);
        return (subject.Server.Cpu, subject.Database?.Invoke() ?? TimeSpan.Zero, Environment.CpuUsage.TotalTime, journal);
    }
}
