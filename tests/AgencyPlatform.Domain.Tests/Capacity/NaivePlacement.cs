using System.Numerics;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Cmos;
using NodaTime;

namespace AgencyPlatform.Domain.Tests.Capacity;

/// <summary>
/// Written apart from the product: places the minutes of every booking of a week on days by maximum flow. The week is feasible when all of them
/// find a place within the days' limits. Demand is worked out anew here, with fractions.
/// </summary>
internal static class NaivePlacement
{
    public static bool Fits(FractionalCmo cmo, IReadOnlyCollection<BookingSpec> specs, LocalDate monday)
    {
        var days = Enumerable.Range(0, 7).Select(monday.PlusDays).ToArray();
        var pattern = days.Select(day => cmo.Calendar.Patterns.Last(p => p.EffectiveFrom <= day).Minutes.On(day.DayOfWeek)).ToArray();
        var available = days.Select((day, d) => Math.Max(0, pattern[d] - Off(cmo, day, pattern[d]))).ToArray();
        BigInteger week = Math.Max(1, pattern.Sum());
        var limits = available.Select(a => a * (100 + cmo.Policy.OverbookingPercent) / 100 * week).ToArray();
        var demands = new List<(int First, int Last, BigInteger Minutes)>();
        foreach (var step in specs.SelectMany(s => s.Steps))
        {
            var covered = Enumerable.Range(0, 7).Where(d => step.Dates.Contains(days[d])).ToArray();
            if (covered.Length == 0)
            {
                continue;
            }

            switch (step)
            {
                case FlexibleStep f:
                    demands.Add((covered[0], covered[^1], f.WeeklyMinutes * (BigInteger)covered.Sum(d => available[d])));
                    break;
                case FixedDaysStep f:
                    var since = Period.Between(Monday(step.Dates.Start), monday, PeriodUnits.Days).Days / 7;
                    demands.AddRange(covered.Where(_ => since % f.EveryWeeks == 0).Select(d => (d, d, Math.Min(f.Weekdays.On(days[d].DayOfWeek), available[d]) * week)));
                    break;
                case DatedStep f:
                    demands.AddRange(covered.Where(d => f.Minutes.ContainsKey(days[d])).Select(d => (d, d, Math.Min(f.Minutes[days[d]], available[d]) * week)));
                    break;
            }
        }

        return MaxFlow(demands, limits) == demands.Aggregate(BigInteger.Zero, (sum, d) => sum + d.Minutes);
    }

    private static LocalDate Monday(LocalDate day) => day.DayOfWeek == IsoDayOfWeek.Monday ? day : day.Previous(IsoDayOfWeek.Monday);

    private static int Off(FractionalCmo cmo, LocalDate day, int pattern) => cmo.Calendar.TimeOff.Values.Where(t => t.Start <= day && day < t.End)
        .Sum(t => t.Kind == TimeOffKind.WholeDays ? pattern : t.Kind == TimeOffKind.HalfDays ? pattern / 2 : t.MinutesPerDay);

    /// <summary>Augmenting paths, demand → day → sink.</summary>
    private static BigInteger MaxFlow(List<(int First, int Last, BigInteger Minutes)> demands, BigInteger[] limits)
    {
        var n = demands.Count;
        var sink = n + 8;
        var residual = new BigInteger[sink + 1, sink + 1];
        for (var i = 0; i < n; i++)
        {
            residual[n + 7, i] = demands[i].Minutes;
            for (var d = demands[i].First; d <= demands[i].Last; d++)
            {
                residual[i, n + d] = demands[i].Minutes;
            }
        }

        for (var d = 0; d < 7; d++)
        {
            residual[n + d, sink] = limits[d];
        }

        var flow = BigInteger.Zero;
        while (true)
        {
            var from = Enumerable.Repeat(-1, sink + 1).ToArray();
            var queue = new Queue<int>([n + 7]);
            from[n + 7] = n + 7;
            while (queue.TryDequeue(out var node))
            {
                for (var next = 0; next <= sink; next++)
                {
                    if (from[next] < 0 && residual[node, next] > 0)
                    {
                        from[next] = node;
                        queue.Enqueue(next);
                    }
                }
            }

            if (from[sink] < 0)
            {
                return flow;
            }

            var path = BigInteger.Pow(10, 30);
            for (var node = sink; node != n + 7; node = from[node])
            {
                path = BigInteger.Min(path, residual[from[node], node]);
            }

            for (var node = sink; node != n + 7; node = from[node])
            {
                residual[from[node], node] -= path;
                residual[node, from[node]] += path;
            }

            flow += path;
        }
    }
}
