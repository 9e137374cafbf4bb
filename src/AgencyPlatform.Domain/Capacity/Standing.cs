using System.Collections.Immutable;
using NodaTime;

namespace AgencyPlatform.Domain.Capacity;

/// <summary>
/// What all standing bookings of a CMO ask of each week, kept beside the state so that a decision need not work it out anew: weeks are filled in
/// when they are first looked at, and a booking that comes, changes or goes touches its own weeks only. Another calendar or policy begins afresh.
/// Safe for concurrent use: what is kept is immutable, and filling it in twice comes to the same.
/// </summary>
internal sealed class Standing
{
    /// <summary>Weeks beyond this many from the first one kept are worked out each time.</summary>
    private const int MostKept = 530;

    private static readonly long[] s_nothing = new long[Week.Runs];

    private readonly WorkCalendar _calendar;
    private readonly Agencies.AgencyPolicy _policy;
    private readonly ImmutableSortedDictionary<BookingId, Booking> _bookings;
    private Booking[]? _all;
    private Window _window;

    private Standing(WorkCalendar calendar, Agencies.AgencyPolicy policy, ImmutableSortedDictionary<BookingId, Booking> bookings, Booking[]? all, Window window) =>
        (_calendar, _policy, _bookings, _all, _window) = (calendar, policy, bookings, all, window);

    public Standing(WorkCalendar calendar, Agencies.AgencyPolicy policy, ImmutableSortedDictionary<BookingId, Booking> bookings)
        : this(calendar, policy, bookings, null, Window.Empty)
    {
    }

    /// <summary>One week and what is asked of it in all, by run (see <see cref="Week"/>).</summary>
    public sealed record Asked(WeekDays Days, long[] ByRun);

    private sealed record Window(LocalDate First, Asked?[] Weeks)
    {
        public static Window Empty { get; } = new(default, []);
    }

    /// <summary>Every booking, in the order of the ids.</summary>
    public ReadOnlySpan<Booking> All => _all ??= [.. _bookings.Values];

    /// <summary>Whether it is of exactly these.</summary>
    public bool IsOf(WorkCalendar calendar, Agencies.AgencyPolicy policy, ImmutableSortedDictionary<BookingId, Booking> bookings) =>
        ReferenceEquals(_bookings, bookings) && ReferenceEquals(_calendar, calendar) && ReferenceEquals(_policy, policy);

    /// <summary>The same after a booking came, went or was replaced.</summary>
    /// <param name="bookings">With the change.</param>
    public Standing After(ImmutableSortedDictionary<BookingId, Booking> bookings, Booking? before, Booking? after)
    {
        var window = _window;
        if (window.Weeks.Length > 0 && (before is null || after is null || !ReferenceEquals(before.Spec, after.Spec) || !ReferenceEquals(before.Frozen, after.Frozen)))
        {
            var weeks = (Asked?[])window.Weeks.Clone();
            var (low, high) = Touched(window, before, after);
            for (var i = low; i < high; i++)
            {
                if (weeks[i] is { } kept)
                {
                    var byRun = new long[Week.Runs];
                    var week = new Week(kept.Days, byRun, kept.ByRun);
                    before?.DemandUnder(_calendar, _policy).Ask(week, takeBack: true);
                    after?.DemandUnder(_calendar, _policy).Ask(week);
                    weeks[i] = kept with { ByRun = byRun.AsSpan().ContainsAnyExcept(0L) ? byRun : s_nothing };
                }
            }

            window = new Window(window.First, weeks);
        }

        return new Standing(_calendar, _policy, bookings, Replaced(before, after), window);
    }

    /// <summary>The week that begins on a Monday.</summary>
    public Asked WeekOf(LocalDate monday)
    {
        var window = _window;
        var index = window.Weeks.Length == 0 ? 0 : Period.DaysBetween(window.First, monday) / 7;
        if (index >= 0 && index < window.Weeks.Length)
        {
            return window.Weeks[index] ??= Work(monday);
        }

        var asked = Work(monday);
        var first = window.Weeks.Length == 0 ? monday : LocalDate.Min(window.First, monday);
        var needed = index < 0 ? window.Weeks.Length - index : index + 1;
        if (needed <= MostKept)
        {
            // Some weeks more than asked for: the next ones are looked at next.
            var weeks = new Asked?[Math.Min(MostKept, Math.Max(needed + 8, needed * 3 / 2))];
            window.Weeks.CopyTo(weeks, index < 0 ? -index : 0);
            weeks[Period.DaysBetween(first, monday) / 7] = asked;
            _window = new Window(first, weeks);
        }

        return asked;
    }

    private Asked Work(LocalDate monday)
    {
        var days = new WeekDays(monday, _calendar, _policy);
        var sunday = days.Sunday;
        long[]? byRun = null;
        foreach (var booking in All)
        {
            var dates = booking.Dates;
            if (dates.Start <= sunday && !(dates.End <= monday))
            {
                booking.DemandUnder(_calendar, _policy).Ask(new Week(days, byRun ??= new long[Week.Runs], byRun));
            }
        }

        return new Asked(days, byRun ?? s_nothing);
    }

    private static (int Low, int High) Touched(Window window, Booking? before, Booking? after)
    {
        var (low, high) = (window.Weeks.Length, 0);
        foreach (var booking in new ReadOnlySpan<Booking?>([before, after]))
        {
            if (booking is not null)
            {
                var dates = booking.Dates;
                low = Math.Min(low, Math.Max(0, WeeksBetween(window.First, dates.Start)));
                high = Math.Max(high, dates.End is { } end ? Math.Min(window.Weeks.Length, WeeksBetween(window.First, end.PlusDays(-1)) + 1) : window.Weeks.Length);
            }
        }

        return (low, high);
    }

    private static int WeeksBetween(LocalDate monday, LocalDate day) => Period.DaysBetween(monday, Demand.MondayOf(day)) / 7;

    private Booking[]? Replaced(Booking? before, Booking? after)
    {
        if (_all is not { } all)
        {
            return null;
        }

        var id = (before ?? after)!.Id;
        var (low, high) = (0, all.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (all[middle].Id.CompareTo(id) < 0)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        var replaced = new Booking[all.Length + (before is null ? 1 : 0) - (after is null ? 1 : 0)];
        all.AsSpan(0, low).CopyTo(replaced);
        if (after is not null)
        {
            replaced[low] = after;
        }

        all.AsSpan(low + (before is null ? 0 : 1)).CopyTo(replaced.AsSpan(low + (after is null ? 0 : 1)));
        return replaced;
    }
}
