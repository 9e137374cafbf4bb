using NodaTime;

namespace AgencyPlatform.Domain.Capacity;

/// <summary>The days of one ISO week of a CMO, Monday first: when they work, and how much of that may be promised.</summary>
internal sealed class WeekDays
{
    private readonly int[] _days = new int[21];

    public WeekDays(LocalDate monday, WorkCalendar calendar, Agencies.AgencyPolicy policy, bool withoutTimeOff = false)
    {
        Monday = monday;
        for (var d = 0; d < 7; d++)
        {
            var day = monday.PlusDays(d);
            _days[d] = calendar.Pattern(day);
            _days[7 + d] = calendar.Available(day, policy, withoutTimeOff);
            _days[14 + d] = _days[7 + d] * (100 + policy.OverbookingPercent) / 100;
            PatternMinutes += _days[d];
        }
    }

    public LocalDate Monday { get; }
    public LocalDate Sunday => Monday.PlusDays(6);
    public int PatternMinutes { get; }

    public ReadOnlySpan<int> Pattern => _days.AsSpan(0, 7);
    public ReadOnlySpan<int> Available => _days.AsSpan(7, 7);

    /// <summary>availability × (100 + overbooking percent) ÷ 100, rounded down, in whole minutes.</summary>
    public ReadOnlySpan<int> Limits => _days.AsSpan(14, 7);

    public int AvailableWithin(int first, int last)
    {
        var sum = 0;
        for (var d = first; d <= last; d++)
        {
            sum += _days[7 + d];
        }

        return sum;
    }
}

/// <summary>
/// One ISO week of a CMO and what is asked of it. Minutes are kept exact as multiples of 1 ÷ <see cref="Scale"/>, the week's one denominator
/// (its pattern minutes).
/// </summary>
internal readonly ref struct Week
{
    /// <summary>Every run of days [first, last] has the index first × 7 + last.</summary>
    public const int Runs = 49;

    /// <summary>Demand that must lie within a run of days, by the run's index.</summary>
    private readonly Span<long> _within;

    /// <param name="days">The week.</param>
    /// <param name="space">Room for <see cref="Runs"/> longs.</param>
    /// <param name="asked">What is asked of it already; empty: nothing.</param>
    public Week(WeekDays days, Span<long> space, ReadOnlySpan<long> asked = default)
    {
        Days = days;
        _within = space[..Runs];
        if (asked.IsEmpty)
        {
            _within.Clear();
        }
        else
        {
            asked.CopyTo(_within);
        }
    }

    public WeekDays Days { get; }
    public LocalDate Monday => Days.Monday;
    public long Scale => Math.Max(1, Days.PatternMinutes);

    /// <summary>Adds demand of days [first, last], in 1 ÷ Scale minutes.</summary>
    public void Ask(int first, int last, long scaled) => _within[first * 7 + last] += scaled;

    /// <summary>All that is asked of the week, in 1 ÷ Scale minutes.</summary>
    public long Total
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

    /// <summary>For every run of days: what must be done within it less its limit, at least 0, in 1 ÷ Scale minutes.</summary>
    public void Excess(Span<long> excess)
    {
        Span<long> contained = stackalloc long[Runs];
        var limits = Days.Limits;
        var scale = Scale;
        for (var i = 6; i >= 0; i--)
        {
            var limit = 0L;
            for (var j = i; j < 7; j++)
            {
                limit += limits[j];
                excess[i * 7 + j] = Math.Max(0, Contained(contained, i, j) - limit * scale);
            }
        }
    }

    /// <summary>For every run of days: its limit less what must be done within it, at least 0, in 1 ÷ Scale minutes.</summary>
    public void Rooms(Span<long> rooms)
    {
        Span<long> contained = stackalloc long[Runs];
        var limits = Days.Limits;
        var scale = Scale;
        for (var i = 6; i >= 0; i--)
        {
            var limit = 0L;
            for (var j = i; j < 7; j++)
            {
                limit += limits[j];
                rooms[i * 7 + j] = Math.Max(0, limit * scale - Contained(contained, i, j));
            }
        }
    }

    /// <summary>How much of <paramref name="wanted"/> within [first, last] every run still allows beside what is asked already.</summary>
    public long Room(int first, int last, long wanted)
    {
        Span<long> contained = stackalloc long[Runs];
        var limits = Days.Limits;
        var scale = Scale;
        var room = wanted;
        for (var i = 6; i >= 0; i--)
        {
            var limit = 0L;
            for (var j = i; j < 7; j++)
            {
                limit += limits[j];
                var sum = Contained(contained, i, j);
                if (i <= first && last <= j)
                {
                    room = Math.Min(room, Math.Max(0, limit * scale - sum));
                }
            }
        }

        return room;
    }

    /// <summary>What must be done within [i, j], from the shorter runs in it.</summary>
    private long Contained(Span<long> contained, int i, int j)
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

        return contained[i * 7 + j] = sum;
    }
}
