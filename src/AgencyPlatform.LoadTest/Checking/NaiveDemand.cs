namespace AgencyPlatform.LoadTest.Checking;

/// <summary>What a booking's steps ask of each week: exact, from the rules of the specification, day by day.</summary>
internal sealed class NaiveDemand(IReadOnlyList<Step> steps)
{
    private readonly Dictionary<DateOnly, Part[]> _parts = [];
    private int _stamp = -1;

    /// <summary>Demand that must be worked within days first to last of a week (0 is Monday), in 1 ÷ the week's pattern minutes.</summary>
    public readonly record struct Part(int First, int Last, long Scaled);

    public IReadOnlyList<Step> Steps { get; } = steps;

    /// <summary>Per-period shares of weeks that were over when the calendar changed, by their first day.</summary>
    public Dictionary<DateOnly, long> Frozen { get; init; } = [];

    /// <summary>Other steps in its place: what is frozen stays where a period begins on the same day and asks for the same by the same cycle.</summary>
    public NaiveDemand ChangedTo(IReadOnlyList<Step> changed) => new(changed)
    {
        Frozen = Frozen.Where(f => PeriodOf(Steps, f.Key) is { } period && period == PeriodOf(changed, f.Key)).ToDictionary(),
    };

    /// <summary>What is asked of a week.</summary>
    public Part[] Parts(DateOnly monday, NaiveCalendar calendar)
    {
        if (_stamp != calendar.Stamp)
        {
            _parts.Clear();
            _stamp = calendar.Stamp;
        }

        if (!_parts.TryGetValue(monday, out var parts))
        {
            _parts[monday] = parts = [.. Ask(monday, calendar)];
        }

        return parts;
    }

    private IEnumerable<Part> Ask(DateOnly monday, NaiveCalendar calendar)
    {
        var days = Enumerable.Range(0, 7).Select(monday.AddDays).ToArray();
        var pattern = days.Sum(calendar.Pattern);
        var scale = Math.Max(1, pattern);
        foreach (var step in Steps)
        {
            var covered = Enumerable.Range(0, 7).Where(d => step.Covers(days[d])).ToArray();
            if (covered.Length == 0)
            {
                continue;
            }

            switch (step.Form)
            {
                case Form.Flexible when pattern > 0:
                    yield return new Part(covered[0], covered[^1], (long)step.Minutes * covered.Sum(d => calendar.Available(days[d])));
                    break;
                case Form.FixedDays when (monday.DayNumber - step.Start.Monday().DayNumber) / 7 % step.Every == 0:
                    foreach (var d in covered)
                    {
                        yield return new Part(d, d, (long)Math.Min(step.Weekdays[d], calendar.Available(days[d])) * scale);
                    }

                    break;
                case Form.Dated:
                    foreach (var d in covered)
                    {
                        yield return new Part(d, d, (long)Math.Min(step.Dates.GetValueOrDefault(days[d]), calendar.Available(days[d])) * scale);
                    }

                    break;
                case Form.PerPeriod:
                    foreach (var (first, last, minutes) in Shares(step, calendar, until: days[6]))
                    {
                        if (first >= monday && first <= days[6])
                        {
                            yield return new Part(first.Weekday(), last.Weekday(), minutes * scale);
                        }
                    }

                    break;
            }
        }
    }

    /// <summary>A per-period step's minutes by part of a week within a period, for all periods that begin by a day.</summary>
    public IEnumerable<(DateOnly First, DateOnly Last, long Minutes)> Shares(Step step, NaiveCalendar calendar, DateOnly until)
    {
        foreach (var (start, end, full) in Periods(step))
        {
            if (start > until)
            {
                yield break;
            }

            var weeks = new List<(DateOnly First, DateOnly Last)>();
            for (var first = start; first < end;)
            {
                var next = first.Monday().AddDays(7);
                next = next < end ? next : end;
                weeks.Add((first, next.AddDays(-1)));
                first = next;
            }

            var length = end.DayNumber - start.DayNumber;
            // Half up.
            long rest = length == full ? step.Minutes : (2L * step.Minutes * length + full) / (2L * full);
            var shares = new long[weeks.Count];
            var weights = new long[weeks.Count];
            for (var w = 0; w < weeks.Count; w++)
            {
                if (Frozen.TryGetValue(weeks[w].First, out var kept))
                {
                    shares[w] = kept;
                    rest -= kept;
                }
                else
                {
                    for (var day = weeks[w].First; day <= weeks[w].Last; day = day.AddDays(1))
                    {
                        weights[w] += calendar.Available(day);
                    }
                }
            }

            var all = weights.Sum();
            if (all > 0 && rest > 0)
            {
                // Largest remainder, ties to the earlier week.
                var order = Enumerable.Range(0, weeks.Count).OrderByDescending(w => rest * weights[w] % all).ThenBy(w => w).ToArray();
                var left = rest;
                for (var w = 0; w < weeks.Count; w++)
                {
                    shares[w] += rest * weights[w] / all;
                    left -= rest * weights[w] / all;
                }

                for (var i = 0; i < left; i++)
                {
                    shares[order[i]]++;
                }
            }

            for (var w = 0; w < weeks.Count; w++)
            {
                yield return (weeks[w].First, weeks[w].Last, shares[w]);
            }
        }
    }

    private static (DateOnly Start, int Minutes, int Day, int Months)? PeriodOf(IReadOnlyList<Step> steps, DateOnly day) =>
        steps.FirstOrDefault(s => s.Form == Form.PerPeriod && s.Covers(day)) is { } step
            ? (Periods(step).TakeWhile(p => p.Start <= day).Last().Start, step.Minutes, step.Day, step.Every)
            : null;

    /// <summary>The periods of a step: the days in it, and how many days the full period has that ends at the next bill date.</summary>
    private static IEnumerable<(DateOnly Start, DateOnly End, int FullDays)> Periods(Step step)
    {
        // From a bill-cycle day periods are whole; from any other day the first ends at the next bill-cycle day, whatever the period's length.
        var month = step.Start.Year * 12 + step.Start.Month - 1;
        var day = BillDay(month, step.Day);
        var next = day == step.Start ? month + step.Every : day > step.Start ? month : month + 1;
        for (var start = step.Start; step.End is not { } end || start < end; next += step.Every)
        {
            var bill = BillDay(next, step.Day);
            var full = bill.DayNumber - BillDay(next - step.Every, step.Day).DayNumber;
            yield return (start, step.End is { } e && e < bill ? e : bill, full);
            start = bill;
        }
    }

    private static DateOnly BillDay(int month, int day) => new(month / 12, month % 12 + 1, Math.Min(day, DateTime.DaysInMonth(month / 12, month % 12 + 1)));
}
