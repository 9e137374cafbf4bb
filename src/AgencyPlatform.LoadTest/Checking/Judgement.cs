using System.Globalization;
using AgencyPlatform.LoadTest.Calls;
using AgencyPlatform.LoadTest.Load;

namespace AgencyPlatform.LoadTest.Checking;

/// <summary>Judges the agencies of a log, some at a time; what is in memory is the feeds of those and the calls of a group of agencies.</summary>
internal static class Judgement
{
    /// <summary>The log is read once for so many agencies.</summary>
    private const int AgenciesOfAReading = 250;

    /// <summary>An agency is mostly waited for: many small reads, one after another.</summary>
    private const int AgenciesAtATime = 8;

    /// <summary>Readers wait as long as the agency's limits make them: a check that gave up half read would have judged nothing.</summary>
    private const int ReadingRetries = 40;

    /// <param name="progress">Agencies judged, and how many there are.</param>
    public static async Task<CheckReport> Of(Connection connection, string log, IReadOnlyList<(string Name, string Key)> agencies, Action<long, long> progress, TimeProvider time)
    {
        var all = new CheckReport();
        var others = agencies;
        if (agencies.Count == 1 && connection.HasOperator)
        {
            var stranger = string.Create(CultureInfo.InvariantCulture, $"agencies/stranger-{time.GetUtcNow():yyyyMMddHHmmssfff}");
            var key = await LoadAgency.Create(connection.Operator, stranger, overbookingPercent: 0) ?? throw new CannotJudgeException($"The key of {stranger} was lost: check again.");
            others = [agencies[0], (stranger, key)];
        }

        var (done, gate) = (0L, new Lock());
        foreach (var group in Enumerable.Range(0, agencies.Count).Chunk(AgenciesOfAReading))
        {
            var (runs, records) = CallLog.Read(log, group.Select(i => agencies[i].Name).ToHashSet(StringComparer.Ordinal));
            var calls = records.ToLookup(r => r.Agency, StringComparer.Ordinal);
            var own = runs.Where(r => r.Own).SelectMany(r => r.Agencies).ToHashSet(StringComparer.Ordinal);
            await Parallel.ForEachAsync(group, new ParallelOptions { MaxDegreeOfParallelism = AgenciesAtATime }, async (i, _) =>
            {
                var (name, key) = agencies[i];
                using var platform = connection.As(key, ReadingRetries);
                var (otherName, otherKey) = others[(i + 1) % others.Count];
                using var other = others.Count > 1 ? connection.As(otherKey, ReadingRetries) : null;
                var observer = new Observer(platform, name, time);
                var report = Checker.Check(await observer.Observe(own.Contains(name), [.. calls[name]], other, otherName));
                lock (gate)
                {
                    all.Add(report);
                    progress(++done, agencies.Count);
                }
            });
        }

        all.Count("agencies", agencies.Count);
        return all;
    }
}
