using NodaTime;

namespace AgencyPlatform.Domain.Capacity;

/// <summary>
/// One ISO week of a CMO, Monday first, and what is asked of it. Minutes are kept exact as multiples of 1 ÷ <see cref="Scale"/>, the week's
/// one denominator (its pattern minutes).
/// </summary>
internal ref struct Week
{
    /// <summary>Demand that must lie within days [first, last] of the week: index first × 7 + last.</summary>
    private readonly Span<long> _within;
    private readonly Span<int> _pattern;
    private readonly Span<int> _available;

    /// <param name="space"><see cref="Space"/> longs: 49 for demand, the rest for the days.</param>
    public Week(Span<long> space, LocalDate monday, WorkCalendar calendar, Agencies.AgencyPolicy policy, bool withoutTimeOff = false)
    {
        Monday = monday;
        _within = space[..49];
        _within.Clear();
        var days = System.Runtime.InteropServices.MemoryMarshal.Cast<long, int>(space[49..56]);
        _pattern = days[..7];
        _available = days[7..14];
        var total = 0;
        for (var d = 0; d < 7; d++)
        {
            var day = monday.PlusDays(d);
            _pattern[d] = calendar.Pattern(day);
            _available[d] = calendar.Available(day, policy, withoutTimeOff);
            total += _pattern[d];
        }

        PatternMinutes = total;
        Percent = 100 + policy.OverbookingPercent;
    }

    public const int Space = 56;

    public LocalDate Monday { get; }
    public int PatternMinutes { get; }
    public readonly long Scale => Math.Max(1, PatternMinutes);
    private int Percent { get; }

    public readonly ReadOnlySpan<int> Pattern => _pattern;
    public readonly ReadOnlySpan<int> Available => _available;

    /// <summary>availability × (100 + overbooking percent) ÷ 100, rounded down, in whole minutes.</summary>
    public readonly int Limit(int day) => _available[day] * Percent / 100;

    /// <summary>Adds demand of days [first, last], in 1 ÷ Scale minutes.</summary>
    public readonly void Ask(int first, int last, long scaled) => _within[first * 7 + last] += scaled;

    public readonly void Clear() => _within.Clear();

    public readonly int AvailableWithin(int first, int last)
    {
        var sum = 0;
        for (var d = first; d <= last; d++)
        {
            sum += _available[d];
        }

        return sum;
    }

    /// <summary>All that is asked of the week, in 1 ÷ Scale minutes.</summary>
    public readonly long Total
    {
        get
        {
            var sum = 0L;
            foreach (var part in _within)
            {
                sum += part;
            }

            return sum;
        }
    }

    /// <summary>
    /// For every run of days [i, j] (index i × 7 + j): what must be done within it less its limit, at least 0, in 1 ÷ Scale minutes.
    /// </summary>
    public readonly void Excess(Span<long> excess)
    {
        Span<long> contained = stackalloc long[49];
        for (var i = 6; i >= 0; i--)
        {
            var limit = 0L;
            for (var j = i; j < 7; j++)
            {
                var sum = _within[i * 7 + j];
                if (i < j)
                {
                    sum += contained[(i + 1) * 7 + j] + contained[i * 7 + j - 1];
                    if (i + 1 < j)
                    {
                        sum -= contained[(i + 1) * 7 + j - 1];
                    }
                }

                contained[i * 7 + j] = sum;
                limit += Limit(j);
                excess[i * 7 + j] = Math.Max(0, sum - limit * Scale);
            }
        }
    }

    /// <summary>How much of <paramref name="wanted"/> within [first, last] every run still allows beside what is asked already.</summary>
    public readonly long Room(int first, int last, long wanted)
    {
        Span<long> contained = stackalloc long[49];
        var room = wanted;
        for (var i = 6; i >= 0; i--)
        {
            var limit = 0L;
            for (var j = i; j < 7; j++)
            {
                var sum = _within[i * 7 + j];
                if (i < j)
                {
                    sum += contained[(i + 1) * 7 + j] + contained[i * 7 + j - 1];
                    if (i + 1 < j)
                    {
                        sum -= contained[(i + 1) * 7 + j - 1];
                    }
                }

                contained[i * 7 + j] = sum;
                limit += Limit(j);
                if (i <= first && last <= j)
                {
                    room = Math.Min(room, Math.Max(0, limit * Scale - sum));
                }
            }
        }

        return room;
    }
}
