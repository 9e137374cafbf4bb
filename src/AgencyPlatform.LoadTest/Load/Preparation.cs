using System.Globalization;
using AgencyPlatform.LoadTest.Scenarios;

namespace AgencyPlatform.LoadTest.Load;

/// <summary>Makes the agencies of a scenario, many at the same time. Their clients and CMOs are known by number: memory does not grow with them.</summary>
internal static class Preparation
{
    private const int CallsAtATime = 64;

    /// <param name="progress">Client companies made, and how many there will be.</param>
    public static async Task<IReadOnlyList<LoadAgency>> Prepare(
        Connection connection, Scenario scenario, (string Name, string Key)? named, Action<long, long> progress, TimeProvider time)
    {
        using var gate = new SemaphoreSlim(CallsAtATime);
        var stamp = time.GetUtcNow().ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture);
        var agencies = new LoadAgency[scenario.Agencies];
        var (made, all) = (0L, (long)scenario.Agencies * scenario.Clients);
        await Parallel.ForEachAsync(Enumerable.Range(0, agencies.Length), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) =>
            agencies[i] = await LoadAgency.Prepare(
                connection, scenario, string.Create(CultureInfo.InvariantCulture, $"load-{stamp}-{scenario.Seed}-{i}"), i, named, gate, () => progress(Interlocked.Increment(ref made), all), time));
        return agencies;
    }
}
