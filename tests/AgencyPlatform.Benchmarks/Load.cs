using System.Diagnostics;
using HdrHistogram;

namespace AgencyPlatform.Benchmarks;

/// <param name="PerSecond">Calls answered well, per second.</param>
/// <param name="P50">Microseconds.</param>
/// <param name="P99">Microseconds.</param>
/// <param name="ServerCpu">Microseconds of the server process's CPU per call.</param>
internal sealed record Round(double PerSecond, long P50, long P99, double ServerCpu, long Failures);

/// <summary>A closed loop of callers for a fixed time.</summary>
internal static class Load
{
    public static async Task<Round> Run(Process server, int callers, TimeSpan duration, Func<int, CancellationToken, Task> call)
    {
        var histograms = new LongHistogram[callers];
        var failures = 0L;
        server.Refresh();
        var cpuBefore = server.TotalProcessorTime;
        using var end = new CancellationTokenSource();
        var watch = Stopwatch.StartNew();
        var tasks = Enumerable.Range(0, callers).Select(caller => Task.Run(async () =>
        {
            var histogram = histograms[caller] = new LongHistogram(TimeSpan.FromMinutes(1).Ticks, 3);
            while (watch.Elapsed < duration)
            {
                var before = Stopwatch.GetTimestamp();
                try
                {
                    await call(caller, end.Token);
                    histogram.RecordValue(Math.Max(1, Stopwatch.GetElapsedTime(before).Ticks));
                }
                catch (Grpc.Core.RpcException)
                {
                    Interlocked.Increment(ref failures);
                }
            }
        })).ToArray();
        await Task.WhenAll(tasks);
        var elapsed = watch.Elapsed;
        server.Refresh();
        var cpu = server.TotalProcessorTime - cpuBefore;
        var all = histograms[0];
        foreach (var histogram in histograms.Skip(1))
        {
            all.Add(histogram);
        }

        var count = all.TotalCount;
        return new Round(
            count / elapsed.TotalSeconds,
            all.GetValueAtPercentile(50) / (TimeSpan.TicksPerMillisecond / 1000),
            all.GetValueAtPercentile(99) / (TimeSpan.TicksPerMillisecond / 1000),
            count == 0 ? 0 : cpu.TotalMicroseconds / count,
            failures);
    }
}
