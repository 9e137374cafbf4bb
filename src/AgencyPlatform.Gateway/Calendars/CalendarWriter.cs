using System.Globalization;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Cmos;
using Ical.Net;
using Ical.Net.CalendarComponents;
using Ical.Net.DataTypes;
using Ical.Net.Serialization;
using Period = NodaTime.Period;

namespace AgencyPlatform.Gateway.Calendars;

/// <summary>
/// Writes what is booked, held and off as all-day events. A booking is minutes a week, a period or a day and has no times: an event says what days it is on,
/// or over which, and how much. It blocks nobody's day; time off and holidays do.
/// </summary>
/// <param name="now">By the agency's clock.</param>
/// <param name="ofAgency">The whole agency's: events name the CMO.</param>
/// <param name="nameOf">The CMO's name.</param>
/// <param name="clientOf">The client company as the reader may see it.</param>
/// <param name="policyAt">When the agency, and with it perhaps a holiday, last changed.</param>
internal sealed class CalendarWriter(
    Agency agency, Instant now, bool ofAgency, Func<FractionalCmo, string> nameOf, Func<ClientCompanyId, string> clientOf, Instant policyAt)
{
    /// <summary>Ends the UIDs of our own events: an import leaves them out.</summary>
    internal const string UidSuffix = ".agencyplatform";

    /// <summary>Of more, the first by date are shown, and the calendar says so.</summary>
    internal const int MostEvents = 10_000;

    internal const int MonthsBack = 3;
    internal const int MonthsAhead = 13;

    private readonly LocalDate _month = Month(agency, now);

    /// <summary>The days that are shown. They move with the month, so that a calendar changes by time alone once a month.</summary>
    public DateRange Range => new(_month.PlusMonths(-MonthsBack), _month.PlusMonths(MonthsAhead));

    /// <summary>When the range last moved.</summary>
    public Instant RangeSetAt => _month.AtStartOfDayInZone(DateTimeZoneProviders.Tzdb[agency.Settings.TimeZone]).ToInstant();

    private static LocalDate Month(Agency agency, Instant now) => now.InZone(DateTimeZoneProviders.Tzdb[agency.Settings.TimeZone]).Date.With(DateAdjusters.StartOfMonth);

    /// <param name="incomplete">There are CMOs besides these.</param>
    public string Write(string title, IReadOnlyList<(FractionalCmo Cmo, Instant UpdatedAt)> cmos, bool incomplete)
    {
        List<CalendarEvent> events = [.. cmos.SelectMany(c => Events(c.Cmo, c.UpdatedAt)), .. ofAgency ? Holidays() : []];
        events = [.. events.OrderBy(e => e.DtStart!.Value).ThenBy(e => e.Uid, StringComparer.Ordinal)];
        if (events.Count > MostEvents)
        {
            var from = LocalDate.FromDateTime(events[MostEvents].DtStart!.Value);
            events = [.. events.Take(MostEvents), Event("more", new DateRange(from, from.PlusDays(1)), $"More than the {MostEvents:N0} events that this calendar shows", policyAt)];
        }

        if (incomplete)
        {
            events.Add(Event("more-cmos", new DateRange(_month, _month.PlusDays(1)), $"This calendar shows {cmos.Count.ToString("N0", CultureInfo.InvariantCulture)} CMOs only", policyAt));
        }

        var calendar = new Ical.Net.Calendar { ProductId = "-//AgencyPlatform//Calendars//EN", Method = "PUBLISH" };
        calendar.AddProperty("X-WR-CALNAME", title);
        calendar.AddProperty("X-PUBLISHED-TTL", "PT1H");
        calendar.Events.AddRange(events);
        return new CalendarSerializer().SerializeToString(calendar)!;
    }

    private IEnumerable<CalendarEvent> Events(FractionalCmo cmo, Instant updatedAt)
    {
        var who = ofAgency ? nameOf(cmo) + ": " : "";
        foreach (var booking in cmo.Bookings.Values)
        {
            for (var i = 0; i < booking.Spec.Steps.Length; i++)
            {
                foreach (var @event in Booked(cmo, booking, booking.Spec.Steps[i], $"booking-{booking.Id}.{i}"))
                {
                    yield return @event;
                }
            }
        }

        foreach (var off in cmo.Calendar.TimeOff.Values.Where(t => t.Dates.Overlaps(Range)))
        {
            var how = off.Kind switch
            {
                TimeOffKind.WholeDays => "off",
                TimeOffKind.HalfDays => "half a day off",
                _ => $"{Text(off.MinutesPerDay)} off",
            };
            yield return Off(Event(Uid(cmo, $"time-off-{off.Id}-{off.End:uuuuMMdd}"), off.Dates, Summary(who, how), updatedAt), off.Kind == TimeOffKind.WholeDays);
        }

        foreach (var gone in cmo.Calendar.Gone.Select(g => g.Intersect(Range)).OfType<DateRange>())
        {
            yield return Off(Event(Uid(cmo, $"left-{gone.Start:uuuuMMdd}"), gone, Summary(who, "has left"), updatedAt), wholeDays: true);
        }

        if (!ofAgency)
        {
            foreach (var (day, region) in HolidaysOf(cmo))
            {
                yield return Off(Event(Uid(cmo, $"holiday-{day:uuuuMMdd}"), new DateRange(day, day.PlusDays(1)), $"Holiday ({region})", policyAt), wholeDays: true);
            }
        }
    }

    /// <summary>Events of a step of a booking: of named dates each run of days with the same minutes, of fixed days one that repeats, of others one over all of it.</summary>
    private IEnumerable<CalendarEvent> Booked(FractionalCmo cmo, Booking booking, BookingStep step, string id)
    {
        if (!step.Dates.Overlaps(Range))
        {
            yield break;
        }

        // The booking of a cover is named after it; of a long name only the digits of a hash are left.
        var cover = booking.Owner is { } engagement && booking.Spec.Steps.All(s => s is DatedStep)
            && (booking.Id.Value.StartsWith($"{engagement}-cover-", StringComparison.Ordinal) || (booking.Id.Value.Length == IdSyntax.MaxLength && booking.Id.Value.All(char.IsAsciiHexDigit)));
        var (who, what) = (ofAgency ? nameOf(cmo) + ": " : "", (booking.State == BookingState.Held ? "held for " : "") + (cover ? "cover for " : ""));
        switch (step)
        {
            case FlexibleStep s:
                yield return Of($"{Text(s.WeeklyMinutes)} a week", Closed(s.Dates));
                break;
            case PerPeriodStep s:
                yield return Of($"{Text(s.PeriodMinutes)} {(s.Cycle.Months == 1 ? "a month" : $"in {s.Cycle.Months} months")}", Closed(s.Dates));
                break;
            case FixedDaysStep s:
                IsoDayOfWeek[] days = [.. Enumerable.Range(1, 7).Select(d => (IsoDayOfWeek)d).Where(d => s.Weekdays.On(d) > 0)];
                var first = Enumerable.Range(0, 7 * (s.EveryWeeks + 1)).Select(s.Dates.Start.PlusDays).First(d => days.Contains(d.DayOfWeek) && WeeksFrom(s.Dates.Start, d) % s.EveryWeeks == 0);
                if (s.Dates.End is { } end && first >= end)
                {
                    break;
                }

                var repeating = Of(
                    string.Join(", ", days.Select(d => $"{d.ToString()[..3]} {Text(s.Weekdays.On(d))}")) + (s.EveryWeeks == 1 ? "" : $", every {s.EveryWeeks} weeks"),
                    new DateRange(first, first.PlusDays(1)));
                repeating.RecurrenceRule = new RecurrenceRule(FrequencyType.Weekly, s.EveryWeeks)
                {
                    FirstDayOfWeek = DayOfWeek.Monday,
                    ByDay = [.. days.Select(d => new WeekDay((DayOfWeek)((int)d % 7)))],
                    Until = s.Dates.End is { } last ? Day(last.PlusDays(-1)) : null,
                };
                yield return repeating;
                break;
            case DatedStep s:
                foreach (var (dates, minutes) in Runs(s))
                {
                    yield return Of($"{Text(minutes)}{(dates.End == dates.Start.PlusDays(1) ? "" : " a day")}", dates, $"-{dates.Start:uuuuMMdd}");
                }

                break;
        }

        CalendarEvent Of(string how, DateRange dates, string part = "")
        {
            var held = booking.State == BookingState.Held;
            var @event = Event(Uid(cmo, id + part), dates, $"{Summary(who, what)}{clientOf(booking.Spec.Client)}, {how}", booking.UpdatedAt);
            @event.Created = At(booking.CreatedAt);
            @event.Sequence = (int)Math.Clamp((booking.UpdatedAt - booking.CreatedAt).TotalSeconds, 0, int.MaxValue);
            @event.Status = held ? "TENTATIVE" : "CONFIRMED";
            @event.Description =
                (booking.Engagement is { } named ? $"Engagement {named}. " : "")
                + (!held ? "Booked." : booking.ExpiresAt is { } expires ? $"Held until {expires:uuuu-MM-dd HH:mm} UTC." : "Held until its engagement starts or lets it go.");
            @event.Transparency = "TRANSPARENT";
            @event.AddProperty("X-MICROSOFT-CDO-BUSYSTATUS", held ? "TENTATIVE" : "FREE");
            return @event;
        }
    }

    /// <summary>The agency's holidays by day, with the regions that have them.</summary>
    private IEnumerable<CalendarEvent> Holidays() =>
        agency.Policy.HolidayCalendars.SelectMany(c => c.Value.Where(Range.Contains).Select(day => (Day: day, Region: c.Key))).GroupBy(h => h.Day)
            .Select(h => Event(
                $"holiday-{h.Key:uuuuMMdd}@{agency.Id}{UidSuffix}", new DateRange(h.Key, h.Key.PlusDays(1)), $"Holiday ({string.Join(", ", h.Select(x => x.Region).Order(StringComparer.Ordinal))})", policyAt));

    private IEnumerable<(LocalDate Day, string Region)> HolidaysOf(FractionalCmo cmo)
    {
        foreach (var (region, days) in agency.Policy.HolidayCalendars)
        {
            foreach (var day in days.Where(Range.Contains))
            {
                if (!cmo.Calendar.WorkedAnyway.Contains(day) && cmo.Calendar.Regions.LastOrDefault(r => r.EffectiveFrom <= day)?.Region == region)
                {
                    yield return (day, region);
                }
            }
        }
    }

    private static IEnumerable<(DateRange Dates, int Minutes)> Runs(DatedStep step)
    {
        (LocalDate Start, LocalDate End, int Minutes)? run = null;
        foreach (var (day, minutes) in step.Minutes)
        {
            if (run is { } open && open.End == day && open.Minutes == minutes)
            {
                run = open with { End = day.PlusDays(1) };
                continue;
            }

            if (run is { } done)
            {
                yield return (new DateRange(done.Start, done.End), done.Minutes);
            }

            run = (day, day.PlusDays(1), minutes);
        }

        if (run is { } last)
        {
            yield return (new DateRange(last.Start, last.End), last.Minutes);
        }
    }

    private static int WeeksFrom(LocalDate start, LocalDate day) =>
        Period.DaysBetween(start.With(DateAdjusters.PreviousOrSame(IsoDayOfWeek.Monday)), day.With(DateAdjusters.PreviousOrSame(IsoDayOfWeek.Monday))) / 7;

    /// <summary>What has no end is shown as far as anything is.</summary>
    private DateRange Closed(DateRange dates) => dates with { End = dates.End ?? Range.End };

    private string Uid(FractionalCmo cmo, string id) => $"{id}@{cmo.Id}.{agency.Id}{UidSuffix}";

    private static CalendarEvent Event(string uid, DateRange dates, string summary, Instant changed) => new()
    {
        Uid = uid,
        DtStart = Day(dates.Start),
        DtEnd = Day(dates.End!.Value),
        Summary = summary,
        DtStamp = At(changed),
        LastModified = At(changed),
        Transparency = "TRANSPARENT",
    };

    private static CalendarEvent Off(CalendarEvent @event, bool wholeDays)
    {
        @event.Transparency = wholeDays ? "OPAQUE" : "TRANSPARENT";
        @event.AddProperty("X-MICROSOFT-CDO-BUSYSTATUS", wholeDays ? "OOF" : "FREE");
        return @event;
    }

    private static CalDateTime Day(LocalDate date) => new(date.Year, date.Month, date.Day);

    private static CalDateTime At(Instant instant) => new(instant.ToDateTimeUtc());

    /// <summary>Our own words begin a sentence where no name is in front of them.</summary>
    private static string Summary(string who, string words) => who.Length == 0 && words.Length > 0 ? char.ToUpperInvariant(words[0]) + words[1..] : who + words;

    private static string Text(int minutes) =>
        minutes % 60 == 0 ? $"{minutes / 60} h" : minutes < 60 ? $"{minutes} min" : $"{minutes / 60} h {minutes % 60} min";
}
