using System.Globalization;
using AgencyPlatform.LoadTest.Calls;
using AgencyPlatform.LoadTest.Load;

namespace AgencyPlatform.LoadTest.Checking;

/// <summary>Judges the agencies of a log one after another; what is in memory is one agency's feed and the calls of a group of agencies.</summary>
internal static class Judgement
{
    /// <summary>The log is read once for so many agencies.</summary>
    private const int AgenciesAtATime = 250;

    /// <param name="progress">Agencies judged, and how many there are.</param>
    public static async Task<CheckReport> Of(Connection connection, string log, IReadOnlyList<(string Name, string Key)> agencies, Action<long, long> progress, TimeProvider time)
    {
        var all = new CheckReport();
        var others = agencies;
        if (agencies.Count == 1 && connection.HasOperator)
        {
            var stranger = await LoadAgency.CreateAgency(connection.Operator, string.Create(CultureInfo.InvariantCulture, $"stranger-{time.GetUtcNow():yyyyMMddHHmmssfff}"), overbookingPercent: 0);
            others = [agencies[0], stranger];
        }

        var done = 0L;
        foreach (var group in Enumerable.Range(0, agencies.Count).Chunk(AgenciesAtATime))
        {
            var (runs, records) = CallLog.Read(log, group.Select(i => agencies[i].Name).ToHashSet(StringComparer.Ordinal));
            var calls = records.ToLookup(r => r.Agency, StringComparer.Ordinal);
            foreach (var i in group)
            {
                var (name, key) = agencies[i];
                using var platform = connection.As(key, retries: 10);
                var (otherName, otherKey) = others[(i + 1) % others.Count];
                using var other = others.Count > 1 ? connection.As(otherKey, retries: 10) : null;
                var own = runs.Any(r => r.Own && r.Agencies.Contains(name, StringComparer.Ordinal));
                all.Add(Checker.Check(await new Observer(platform, name, time).Observe(own, [.. calls[name]], other, otherName)));
                progress(++done, agencies.Count);
            }
        }

        all.Count("agencies", agencies.Count);
        return all;
    }
}
