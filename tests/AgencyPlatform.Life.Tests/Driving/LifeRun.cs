using System.Globalization;
using AgencyPlatform.Life.Tests.Model;

namespace AgencyPlatform.Life.Tests.Driving;

/// <param name="Differences">Each with the seed of its sequence and what was sent and answered in it.</param>
internal sealed record LifeResult(Coverage Coverage, IReadOnlyList<string> Differences);

/// <summary>Many sequences, some at a time, on one silo that is stopped and started among them.</summary>
internal static class LifeRun
{
    /// <param name="rounds">Of a sequence.</param>
    /// <param name="perStart">After so many sequences the silo is stopped, whatever it is at, and started again.</param>
    /// <param name="tell">Called after each sequence, with how many are done.</param>
    public static async Task<LifeResult> Of(int sequences, int seed, int rounds = 16, int atOnce = 8, int perStart = 100, Action<int, Coverage>? tell = null)
    {
        var coverage = new Coverage();
        var differences = new List<string>();
        await using var life = new LifeSilo();
        await life.Start();
        var (next, done) = (0, 0);
        var stopping = new SemaphoreSlim(1);
        await Task.WhenAll(Enumerable.Range(0, atOnce).Select(async _ =>
        {
            for (int n; (n = Interlocked.Increment(ref next)) <= sequences && differences.Count < 5;)
            {
                var sequence = new Sequence(life, coverage, seed + n);
                try
                {
                    await Task.Run(() => sequence.Run(rounds));
                }
                catch (DifferenceException e)
                {
                    lock (differences)
                    {
                        differences.Add(string.Create(CultureInfo.InvariantCulture, $"Sequence of seed {seed + n}: {e.Message}\n{sequence.Story}"));
                    }
                }

                var finished = Interlocked.Increment(ref done);
                tell?.Invoke(finished, coverage);
                if (finished % perStart == 0)
                {
                    await stopping.WaitAsync();
                    try
                    {
                        await life.Restart();
                        coverage.Count("silo stopped and started");
                    }
                    finally
                    {
                        stopping.Release();
                    }
                }
            }
        }));
        return new LifeResult(coverage, differences);
    }
}
