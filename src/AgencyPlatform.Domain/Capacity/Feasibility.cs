using System.Collections.Immutable;
using NodaTime;

namespace AgencyPlatform.Domain.Capacity;

/// <summary>What a CMO's capacity is decided on.</summary>
/// <param name="Bookings">Every hold that has not expired and every confirmed booking.</param>
/// <param name="MaxClients">At most so many distinct client companies on any day.</param>
/// <param name="MinBlockMinutes">The least that is agreed per week (flexible), per day (fixed, dated) or per period.</param>
public sealed record CapacityFacts(
    WorkCalendar Calendar, Agencies.AgencyPolicy Policy, ImmutableSortedDictionary<BookingId, Booking> Bookings, int MaxClients, int MinBlockMinutes)
{
    private Kept<Standing> _standing;

    /// <summary>The same with what a state has kept of its bookings.</summary>
    internal CapacityFacts(WorkCalendar calendar, Agencies.AgencyPolicy policy, ImmutableSortedDictionary<BookingId, Booking> bookings, int maxClients, int minBlockMinutes, Standing standing)
        : this(calendar, policy, bookings, maxClients, minBlockMinutes) => _standing.Value = standing;

    /// <summary>What the bookings ask of the weeks.</summary>
    internal Standing Standing =>
        _standing.Value is { } kept && kept.IsOf(Calendar, Policy, Bookings) ? kept : _standing.Value = new Standing(Calendar, Policy, Bookings);
}

/// <summary>
/// Decides whether a booking fits. A booking or change is accepted only if no run's excess appears or grows, and on every day of it the client limit,
/// the smallest block and the competitor fence hold. Source: domain §2.
/// </summary>
public static class Feasibility
{
    /// <summary>How far ahead an open end is checked at the least, and how far a start that fits is looked for.</summary>
    public const int HorizonWeeks = 104;

    /// <summary>Null when the booking fits; else why not, explained.</summary>
    /// <param name="replacing">The booking that this one takes the place of, if it is a change.</param>
    /// <param name="seekStart">Whether to look for a later start of the whole booking. Of no use to a move that leaves the booking's past as it is.</param>
    public static CapacityRefusal? Check(CapacityFacts facts, BookingSpec spec, Clients.ClientFence fence, Booking? replacing = null, bool seekStart = true)
    {
        if (SmallestBlock(facts, spec) is { } block)
        {
            return block;
        }

        var question = new Question(facts, spec, fence, replacing);
        return question.Refusal() is { } refusal ? refusal with { EarliestStart = seekStart ? question.EarliestStart() : null, StartSought = seekStart } : null;
    }

    /// <summary>Whether an entry of the waitlist fits. The week that refused it last is asked first: most often it refuses again.</summary>
    internal static bool Fits(CapacityFacts facts, Cmos.WaitlistEntry entry) =>
        SmallestBlock(facts, entry.Spec) is null && new Question(facts, entry.Spec, entry.Fence, null).Fits(entry);

    /// <summary>The client limit and the competitor fence of a booking that stands: broken by a later fact or not.</summary>
    internal static CapacityRefusal? Standing(CapacityFacts facts, Booking booking)
    {
        var question = new Question(facts, booking.Spec, booking.Fence, booking);
        return question.Competitors(booking.Dates) ?? question.Clients(booking.Dates);
    }

    private static CapacityRefusal? SmallestBlock(CapacityFacts facts, BookingSpec spec)
    {
        foreach (var step in spec.Steps)
        {
            var least = step switch
            {
                FlexibleStep flexible => flexible.WeeklyMinutes,
                FixedDaysStep { Weekdays: var w } => Enumerable.Range(1, 7).Select(d => w.On((IsoDayOfWeek)d)).Where(m => m > 0).DefaultIfEmpty(0).Min(),
                DatedStep dated => dated.Minutes.Values.Min(),
                PerPeriodStep perPeriod => perPeriod.PeriodMinutes,
                _ => throw new InvalidOperationException($"Unknown form of step {step.GetType().Name}."),
            };
            if (least < facts.MinBlockMinutes)
            {
                return CapacityRefusal.Of(CapacityRule.SmallestBlock, missing: facts.MinBlockMinutes - least);
            }
        }

        return null;
    }

    /// <summary>One booking asked for at one or more starts: what does not depend on the start is found once.</summary>
    private sealed class Question
    {
        private readonly CapacityFacts _facts;
        private readonly Standing _standing;
        private readonly BookingSpec _spec;
        private readonly Clients.ClientFence _fence;
        private readonly Booking? _replacing;
        private List<Booking>? _competitors;
        private (LocalDate Last, int Weeks)? _named;

        // The booking by id: a fact noted in the same decision may have frozen weeks of it.
        public Question(CapacityFacts facts, BookingSpec spec, Clients.ClientFence fence, Booking? replacing) =>
            (_facts, _standing, _spec, _fence, _replacing) = (facts, facts.Standing, spec, fence, replacing is null ? null : facts.Bookings.GetValueOrDefault(replacing.Id));

        /// <summary>Why it does not fit as asked for, all failing weeks (bounded) named.</summary>
        public CapacityRefusal? Refusal()
        {
            var asked = Asked(0);
            return Leaves(asked.Dates) ?? Competitors(asked.Dates) ?? Clients(asked.Dates) ?? Weeks(asked, CapacityRefusal.MostWeeks, out _);
        }

        /// <summary>The earliest later start at which it would fit.</summary>
        public LocalDate? EarliestStart()
        {
            LocalDate? failed = null;
            for (var days = 1; days <= HorizonWeeks * 7; days++)
            {
                var asked = Asked(days);
                var dates = asked.Dates;
                if (Leaves(dates) is not null || Competitors(dates) is not null || Clients(dates) is not null)
                {
                    continue;
                }

                // The week that refused a day ago most often refuses again.
                if (failed is { } monday && monday >= Demand.MondayOf(dates.Start) && !(dates.End <= monday) && Refuses(asked, monday))
                {
                    continue;
                }

                if (Weeks(asked, 1, out failed) is null)
                {
                    return dates.Start;
                }
            }

            return null;
        }

        /// <summary>Whether what waits fits.</summary>
        public bool Fits(Cmos.WaitlistEntry entry)
        {
            var asked = entry.DemandUnder(_facts.Calendar, _facts.Policy);
            var dates = asked.Dates;
            if (entry.RefusedIn is { } monday && monday < (dates.End ?? dates.Start.PlusWeeks(HorizonWeeks)) && Refuses(asked, monday))
            {
                return false;
            }

            if (Leaves(dates) is not null || Competitors(dates) is not null || Clients(dates) is not null)
            {
                return false;
            }

            var fits = Weeks(asked, 1, out var failed) is null;
            entry.RefusedIn = failed;
            return fits;
        }

        /// <summary>
        /// Days on which the CMO has left are promised to nobody anew. What is booked on them stands, and may be changed: an engagement's booking at any rate,
        /// since it was agreed.
        /// </summary>
        private CapacityRefusal? Leaves(DateRange asked) =>
            _facts.Calendar.FirstGone(asked) is { } first && (_replacing is not { } stands || (stands.Owner is null && _facts.Calendar.FirstGone(stands.Dates) is null))
                ? CapacityRefusal.Of(CapacityRule.CmoLeaves, first)
                : null;

        public CapacityRefusal? Competitors(DateRange asked)
        {
            _competitors ??= FindCompetitors();
            if (_competitors.Count == 0)
            {
                return null;
            }

            var dates = Lengthened(asked, _facts.Policy.CoolingOffDays);
            foreach (var other in _competitors)
            {
                if (Lengthened(other.Dates, _facts.Policy.CoolingOffDays).Overlaps(dates))
                {
                    return CapacityRefusal.Of(CapacityRule.CompetitorFence, LocalDate.Max(other.Dates.Start, asked.Start), clashes: other.Id);
                }
            }

            return null;
        }

        private List<Booking> FindCompetitors()
        {
            var competitors = new List<Booking>();
            foreach (var other in _standing.All)
            {
                if (other.Spec.Client != _spec.Client && other.Id != _replacing?.Id && AreCompetitors(_spec.Client, _fence, other))
                {
                    competitors.Add(other);
                }
            }

            return competitors;
        }

        public CapacityRefusal? Clients(DateRange dates)
        {
            if (_facts.Bookings.Count < _facts.MaxClients)
            {
                return _facts.MaxClients < 1 ? CapacityRefusal.Of(CapacityRule.MaxClients, dates.Start) : null;
            }

            var others = new List<Booking>();
            var clients = new HashSet<ClientCompanyId> { _spec.Client };
            foreach (var other in _standing.All)
            {
                if (other.Id != _replacing?.Id && other.Dates.Overlaps(dates))
                {
                    others.Add(other);
                    clients.Add(other.Spec.Client);
                }
            }

            if (clients.Count <= _facts.MaxClients)
            {
                return null;
            }

            // The clients of a day change only where a booking starts.
            foreach (var day in others.Select(b => b.Dates.Start).Where(dates.Contains).Append(dates.Start).Distinct().Order())
            {
                if (others.Where(b => b.Dates.Contains(day)).Select(b => b.Spec.Client).Append(_spec.Client).Distinct().Count() > _facts.MaxClients)
                {
                    return CapacityRefusal.Of(CapacityRule.MaxClients, day);
                }
            }

            return null;
        }

        private Demand Asked(int shift) => new(
            _spec, shift == 0 && _replacing is not null ? Demand.StillFrozen(_replacing, _spec) : null, _facts.Calendar, _facts.Policy, shift: shift);

        private CapacityRefusal? Weeks(Demand asked, int mostWeeks, out LocalDate? failed)
        {
            Span<long> space = stackalloc long[3 * Week.Runs];
            var dates = asked.Dates;
            var end = dates.End ?? End(dates.Start);
            List<FailingWeek>? failing = null;
            DateRange? firstRun = null;
            failed = null;
            for (var monday = Demand.MondayOf(dates.Start); monday < end; monday = monday.PlusDays(7))
            {
                var standing = _standing.WeekOf(monday);
                if (asked.AgainstPattern(standing.Days) is { } wrong)
                {
                    failed = monday;
                    return wrong;
                }

                var (excess, run) = Excess(asked, standing, space);
                if (run is null)
                {
                    continue;
                }

                failed = monday;
                firstRun ??= run;
                (failing ??= []).Add(new FailingWeek(monday, Rounding.Up(excess, Math.Max(1, standing.Days.PatternMinutes))));
                if (failing.Count == mostWeeks)
                {
                    break;
                }
            }

            return failing is null
                ? null
                : new CapacityRefusal(CapacityRule.Capacity, failing[0].Monday, failing[0].MissingMinutes, firstRun, [.. failing], null, null);
        }

        private bool Refuses(Demand asked, LocalDate monday)
        {
            Span<long> space = stackalloc long[3 * Week.Runs];
            var standing = _standing.WeekOf(monday);
            return asked.AgainstPattern(standing.Days) is not null || Excess(asked, standing, space).Run is not null;
        }

        /// <summary>The largest excess that appears or grows in a week, and its run.</summary>
        private (long Excess, DateRange? Run) Excess(Demand asked, Standing.Asked standing, Span<long> space)
        {
            var week = new Week(standing.Days, space, standing.ByRun);
            _replacing?.DemandUnder(_facts.Calendar, _facts.Policy).Ask(week, takeBack: true);
            asked.Ask(week);
            var after = space.Slice(Week.Runs, Week.Runs);
            week.Excess(after);
            if (!after.ContainsAnyExcept(0L))
            {
                return (0, null);
            }

            var before = space.Slice(2 * Week.Runs, Week.Runs);
            new Week(standing.Days, space, standing.ByRun).Excess(before);
            return Worst(after, before, standing.Days.Monday);
        }

        /// <summary>How far an open end is checked from a start on or after the one asked for: see <see cref="Horizon"/>.</summary>
        private LocalDate End(LocalDate start)
        {
            var (last, weeks) = _named ??= Named(_facts, _spec);
            var shift = Period.DaysBetween(_spec.Steps[0].Dates.Start, start);
            foreach (var step in _spec.Steps)
            {
                last = LocalDate.Max(last, (step.Dates.End ?? step.Dates.Start).PlusDays(shift));
            }

            return last.PlusWeeks(weeks);
        }
    }

    /// <summary>The largest excess among the runs where it appears or grows; of equals the shortest, then the earliest run.</summary>
    private static (long Excess, DateRange? Run) Worst(ReadOnlySpan<long> after, ReadOnlySpan<long> before, LocalDate monday)
    {
        var worst = 0L;
        DateRange? run = null;
        for (var length = 1; length <= 7; length++)
        {
            for (var first = 0; first + length <= 7; first++)
            {
                var index = first * 7 + first + length - 1;
                if (after[index] > before[index] && after[index] > worst)
                {
                    worst = after[index];
                    run = new DateRange(monday.PlusDays(first), monday.PlusDays(first + length));
                }
            }
        }

        return (worst, run);
    }

    /// <summary>Whether either names the other, by what the command brought or by what came with the other booking.</summary>
    private static bool AreCompetitors(ClientCompanyId client, Clients.ClientFence fence, Booking other) =>
        fence.Names.Contains(other.Spec.Client) || fence.NamedBy.Contains(other.Spec.Client)
        || other.Fence.Names.Contains(client) || other.Fence.NamedBy.Contains(client);

    private static DateRange Lengthened(DateRange dates, int days) => dates with { End = dates.End?.PlusDays(days) };

    /// <summary>
    /// How far an open end is checked: the later of 104 weeks and one least common multiple of the n in use, after the last date that any known fact names.
    /// </summary>
    internal static LocalDate Horizon(CapacityFacts facts, BookingSpec? spec)
    {
        var (last, weeks) = Named(facts, spec);
        return last.PlusWeeks(weeks);
    }

    /// <summary>The last date that any known fact names, and how many weeks after it an open end is checked.</summary>
    private static (LocalDate Last, int Weeks) Named(CapacityFacts facts, BookingSpec? spec)
    {
        var last = spec?.Steps[0].Dates.Start ?? LocalDate.MinIsoValue;
        var cycle = 1;
        foreach (var pattern in facts.Calendar.Patterns)
        {
            last = LocalDate.Max(last, pattern.EffectiveFrom);
        }

        foreach (var region in facts.Calendar.Regions)
        {
            last = LocalDate.Max(last, region.EffectiveFrom);
            if (region.Region is { } name && facts.Policy.HolidayCalendars.TryGetValue(name, out var days) && days.Count > 0)
            {
                last = LocalDate.Max(last, days.Max);
            }
        }

        foreach (var (_, off) in facts.Calendar.TimeOff)
        {
            last = LocalDate.Max(last, off.End);
        }

        foreach (var gone in facts.Calendar.Gone)
        {
            last = LocalDate.Max(last, gone.End ?? gone.Start);
        }

        foreach (var booking in facts.Standing.All)
        {
            Name(booking.Spec);
        }

        if (spec is not null)
        {
            Name(spec);
        }

        return (last, Math.Max(HorizonWeeks, cycle));

        void Name(BookingSpec named)
        {
            foreach (var step in named.Steps)
            {
                last = LocalDate.Max(last, step.Dates.End ?? step.Dates.Start);
                if (step is FixedDaysStep { EveryWeeks: var n })
                {
                    cycle = cycle / Gcd(cycle, n) * n;
                }
            }
        }

        static int Gcd(int a, int b) => b == 0 ? a : Gcd(b, a % b);
    }
}
