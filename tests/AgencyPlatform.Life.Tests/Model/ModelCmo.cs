using System.Collections.Immutable;
using NodaTime;

namespace AgencyPlatform.Life.Tests.Model;

internal sealed class ModelBooking(string id, string client, string? owner, ImmutableArray<Step> steps)
{
    public string Id { get; } = id;
    public string Client { get; } = client;
    public string? Owner { get; set; } = owner;
    public ImmutableArray<Step> Steps { get; set; } = steps;
    public bool Confirmed { get; set; }
    public Instant? ExpiresAt { get; set; }

    /// <summary>What an engagement that took it over gives back.</summary>
    public Instant? OldExpiry { get; set; }

    public LocalDate Start => Steps[0].From;
    public LocalDate? End => Steps[^1].Until;

    public override string ToString() => $"{Id} for {Client}{(Owner is null ? "" : $" of {Owner}")} {(Confirmed ? "confirmed" : ExpiresAt is { } at ? $"held until {at}" : "held")} {Steps.Text()}";
}

internal sealed record ModelTimeOff(string Id, LocalDate Start, LocalDate End);

/// <summary>A CMO and what is promised of them: a booking fits when no run of days of any week is asked for more than before beyond its limit (domain §2).</summary>
internal sealed class ModelCmo(string id, string zone, int[] pattern, int maxClients, int minBlock, bool waives)
{
    public string Id { get; } = id;
    public string Zone { get; } = zone;

    /// <summary>Minutes by weekday, Monday first.</summary>
    public int[] Pattern { get; } = pattern;

    public int MaxClients { get; } = maxClients;
    public int MinBlock { get; } = minBlock;

    /// <summary>Their own terms waive their agreement.</summary>
    public bool Waives { get; } = waives;

    /// <summary>Oldest first.</summary>
    public List<ModelBooking> Bookings { get; } = [];

    public List<ModelTimeOff> TimeOff { get; } = [];
    public HashSet<string> Expired { get; } = [];

    /// <summary>Time off came after bookings: weeks may be promised beyond their limit.</summary>
    public bool WasOff { get; private set; }

    /// <summary>How often anything of it changed.</summary>
    public int Changes { get; set; }

    public int PatternOf(LocalDate day) => Pattern[(int)day.DayOfWeek - 1];

    public ModelBooking? Find(string booking) => Bookings.FirstOrDefault(b => b.Id == booking);

    // ---- moves of callers ----

    public Verdict Hold(string booking, string client, ImmutableArray<Step> steps, Duration expiry, Instant now) =>
        expiry <= Duration.Zero || expiry > Duration.FromDays(30) ? Verdict.No("INVALID_ARGUMENT")
        : New(booking, client, null, steps, b => b.ExpiresAt = now + expiry, "cmo.booking-held");

    public Verdict Book(string booking, string client, ImmutableArray<Step> steps) => New(booking, client, null, steps, b => b.Confirmed = true, "cmo.booking-booked");

    public Verdict Confirm(string booking) => OfCaller(booking, b => b.Confirmed ? Verdict.Nothing : Verdict.Yes(() => Confirm(b), "cmo.booking-confirmed"));

    public Verdict Extend(string booking, Duration expiry, Instant now) => OfCaller(booking, b =>
        b.Confirmed ? Verdict.No("ALREADY_CONFIRMED") : Verdict.Yes(() => b.ExpiresAt = now + expiry, "cmo.hold-moved"));

    public Verdict Change(string booking, ImmutableArray<Step> steps) => OfCaller(booking, b =>
        Refuses(b.Client, steps, b) is { } why ? Verdict.No(why) : Verdict.Yes(() => b.Steps = steps, "cmo.booking-changed"));

    public Verdict Release(string booking) => OfCaller(booking, b => Verdict.Yes(() => Bookings.Remove(b), "cmo.booking-released"));

    public Verdict AddTimeOff(ModelTimeOff off) =>
        TimeOff.FirstOrDefault(t => t.Id == off.Id) is { } same ? same == off ? Verdict.Nothing : Verdict.No("ALREADY_EXISTS")
        : TimeOff.Any(t => t.Start < off.End && off.Start < t.End) ? Verdict.No("TIME_OFF_OVERLAPS")
        : Verdict.Yes(
            () =>
            {
                WasOff = true;
                TimeOff.Add(off);
            },
            "cmo.time-off-added");

    public Verdict CancelTimeOff(string off) =>
        TimeOff.FirstOrDefault(t => t.Id == off) is { } there ? Verdict.Yes(() => TimeOff.Remove(there), "cmo.time-off-cancelled") : Verdict.No("NOT_FOUND");

    // ---- steps of engagements ----

    public Verdict New(string booking, string client, string? owner, ImmutableArray<Step> steps, Action<ModelBooking> set, string @event) =>
        Find(booking) is not null ? Verdict.No("ALREADY_EXISTS")
        : Refuses(client, steps) is { } why ? Verdict.No(why)
        : Verdict.Yes(
            () =>
            {
                var made = new ModelBooking(booking, client, owner, steps);
                set(made);
                Bookings.Add(made);
            },
            @event);

    public Verdict TakeOver(string booking, string engagement) =>
        Find(booking) is not { } b ? Verdict.No(Missing(booking))
        : b.Owner is not null ? Verdict.No("OWNED_BY_ENGAGEMENT")
        : Verdict.Yes(() => (b.Owner, b.OldExpiry, b.ExpiresAt) = (engagement, b.ExpiresAt, null), "cmo.hold-moved");

    public Verdict GiveBack(ModelBooking b) => Verdict.Yes(() => (b.Owner, b.ExpiresAt, b.OldExpiry) = (null, b.OldExpiry, null), "cmo.hold-moved");

    public static void Confirm(ModelBooking b) => (b.Confirmed, b.ExpiresAt, b.OldExpiry) = (true, null, null);

    /// <summary>Cuts a booking off at a date: the event, or null where it changes nothing.</summary>
    public (string? Event, Action Apply) Cut(ModelBooking? b, LocalDate at) =>
        b is null ? (null, () => { }
    )
        : b.Steps.Before(at) is { IsEmpty: false } left
            ? left[0].From == b.Start && left[^1].Until == b.End ? (null, () => { }
    ) : ("cmo.booking-ended", () => b.Steps = left)
            : ("cmo.booking-released", () => Bookings.Remove(b));

    // ---- time ----

    public Instant? NextDue => Bookings.Min(b => b.ExpiresAt);

    public Verdict Expire(Instant due)
    {
        var over = Bookings.Where(b => b.ExpiresAt == due).ToList();
        return Verdict.Yes(
            () =>
            {
                Bookings.RemoveAll(over.Contains);
                Expired.UnionWith(over.Select(b => b.Id));
            },
            over.Select(_ => "cmo.hold-expired"));
    }

    // ---- capacity ----

    /// <summary>Every rule that refuses the booking; null: it fits.</summary>
    /// <param name="inPlaceOf">The booking that it is a change of.</param>
    public string? Refuses(string client, ImmutableArray<Step> steps, ModelBooking? inPlaceOf = null)
    {
        var asked = new ModelBooking("asked", client, null, steps);
        var others = Bookings.Where(b => b != inPlaceOf).ToList();
        var reasons = new SortedSet<string>(StringComparer.Ordinal);
        if (steps.Any(s => s.Least < MinBlock))
        {
            reasons.Add("BELOW_SMALLEST_BLOCK");
        }

        if (steps.Any(s => s.Dates?.Any(d => d.Value > PatternOf(d.Key)) == true))
        {
            reasons.Add("ABOVE_PATTERN");
        }

        var end = asked.End ?? Bookings.Append(asked).SelectMany(b => b.Steps).Select(s => s.Until ?? s.From).Concat(TimeOff.Select(t => t.End)).Max().PlusWeeks(2);
        for (var day = asked.Start; day < end; day = day.PlusDays(1))
        {
            if (others.Where(b => b.Start <= day && !(b.End <= day)).Select(b => b.Client).Append(client).Distinct().Count() > MaxClients)
            {
                reasons.Add("MAX_CLIENTS");
                break;
            }
        }

        for (var monday = MondayOf(asked.Start); monday < end; monday = monday.PlusDays(7))
        {
            var after = Excess(monday, [.. others, asked]);
            if (after.Any(e => e > 0) && after.Zip(Excess(monday, Bookings)).Any(e => e.First > e.Second))
            {
                reasons.Add("CAPACITY_EXCEEDED");
                break;
            }
        }

        return reasons.Count == 0 ? null : string.Join("|", reasons);
    }

    /// <summary>Confirmed, held and free to promise minutes of a week, rounded, and its largest excess.</summary>
    public string Week(LocalDate monday)
    {
        var scale = (long)Pattern.Sum();
        long Of(IEnumerable<ModelBooking> bookings) => bookings.Sum(b => Demand(b, monday).Sum(p => p.Scaled));
        return $"{monday:uuuu-MM-dd} confirmed {Whole.HalfUp(Of(Bookings.Where(b => b.Confirmed)), scale)} held {Whole.HalfUp(Of(Bookings.Where(b => !b.Confirmed)), scale)} "
            + $"available {Enumerable.Range(0, 7).Sum(d => Available(monday.PlusDays(d)))} excess {(Excess(monday, Bookings).Max() + scale - 1) / scale}";
    }

    /// <summary>
    /// What engagements lack because of a time off, by date: bookings keep oldest first, each as much as every run of days allows; what is lacking of a week is
    /// spread over the days off in proportion to what the time off takes from each.
    /// </summary>
    public SortedDictionary<string, ImmutableSortedDictionary<LocalDate, int>> LostTo(ModelTimeOff off)
    {
        var lost = new SortedDictionary<string, ImmutableSortedDictionary<LocalDate, int>>(StringComparer.Ordinal);
        for (var monday = MondayOf(off.Start); monday < off.End; monday = monday.PlusDays(7))
        {
            var after = Lacking(monday);
            TimeOff.Remove(off);
            var before = Lacking(monday);
            var taken = Enumerable.Range(0, 7).Select(d => (long)Available(monday.PlusDays(d))).ToList();
            TimeOff.Add(off);
            foreach (var ((booking, first), (last, lacks)) in after)
            {
                // Beyond what was lacking already, on those of the booking's own days that are off.
                var minutes = lacks - before.GetValueOrDefault((booking, first)).Minutes;
                var days = Enumerable.Range(first, last - first + 1).Where(d => off.Start <= monday.PlusDays(d) && monday.PlusDays(d) < off.End).ToList();
                if (Find(booking)!.Owner is not { } engagement || minutes <= 0 || days.Sum(d => taken[d]) == 0)
                {
                    continue;
                }

                var known = lost.GetValueOrDefault(engagement) ?? ImmutableSortedDictionary<LocalDate, int>.Empty;
                foreach (var (day, share) in days.Zip(Split(minutes, [.. days.Select(d => taken[d])])).Where(d => d.Second > 0))
                {
                    known = known.SetItem(monday.PlusDays(day), (int)Math.Min(1440, known.GetValueOrDefault(monday.PlusDays(day)) + share));
                }

                lost[engagement] = known;
            }
        }

        return lost;
    }

    /// <summary>What each booking lacks of each part of a week's demand, which is known by its first day: the last day of the part, and the minutes.</summary>
    private Dictionary<(string Booking, int First), (int Last, int Minutes)> Lacking(LocalDate monday)
    {
        var scale = (long)Pattern.Sum();
        var kept = new List<(int First, int Last, long Scaled)>();
        var lacking = new Dictionary<(string Booking, int First), (int Last, int Minutes)>();
        foreach (var booking in Bookings)
        {
            var missing = Demand(booking, monday, withoutTimeOff: true).ToDictionary(p => p.First, p => (p.Last, Minutes: p.Scaled));
            foreach (var part in Demand(booking, monday))
            {
                var room = part.Scaled;
                foreach (var (i, j) in s_runs.Where(r => r.I <= part.First && part.Last <= r.J))
                {
                    var limit = scale * Enumerable.Range(i, j - i + 1).Sum(d => Available(monday.PlusDays(d)));
                    room = Math.Min(room, Math.Max(0, limit - kept.Where(k => i <= k.First && k.Last <= j).Sum(k => k.Scaled)));
                }

                kept.Add((part.First, part.Last, room));
                missing[part.First] = (part.Last, missing.GetValueOrDefault(part.First).Minutes - room);
            }

            foreach (var (first, (last, minutes)) in missing.Where(m => m.Value.Minutes > 0))
            {
                lacking[(booking.Id, first)] = (last, Whole.HalfUp(minutes, scale));
            }
        }

        return lacking;
    }

    /// <summary>Largest remainder, ties to the earlier part.</summary>
    private static long[] Split(long whole, long[] weights)
    {
        var sum = weights.Sum();
        var parts = weights.Select(w => whole * w / sum).ToArray();
        foreach (var i in Enumerable.Range(0, weights.Length).OrderByDescending(i => whole * weights[i] % sum).ThenBy(i => i).Take((int)(whole - parts.Sum())))
        {
            parts[i]++;
        }

        return parts;
    }

    public int Available(LocalDate day) => TimeOff.Any(t => t.Start <= day && day < t.End) ? 0 : PatternOf(day);

    /// <summary>Of each run of days: what must be done within it beyond its limit, in minutes × the week's pattern minutes.</summary>
    private long[] Excess(LocalDate monday, IReadOnlyList<ModelBooking> bookings)
    {
        var scale = (long)Pattern.Sum();
        var parts = bookings.SelectMany(b => Demand(b, monday)).ToList();
        var limits = Enumerable.Range(0, 7).Select(d => Available(monday.PlusDays(d)) * scale).ToArray();
        var excess = new long[s_runs.Length];
        for (var run = 0; run < s_runs.Length; run++)
        {
            var (i, j) = s_runs[run];
            var within = 0L;
            foreach (var (first, last, scaled) in parts)
            {
                within += i <= first && last <= j ? scaled : 0;
            }

            for (var d = i; d <= j; d++)
            {
                within -= limits[d];
            }

            excess[run] = Math.Max(0, within);
        }

        return excess;
    }

    /// <summary>What a booking asks of a week: minutes × the week's pattern minutes, by the days that they must lie in.</summary>
    private IEnumerable<(int First, int Last, long Scaled)> Demand(ModelBooking booking, LocalDate monday, bool withoutTimeOff = false)
    {
        foreach (var step in booking.Steps)
        {
            if (step.From >= monday.PlusDays(7) || step.Until <= monday)
            {
                continue;
            }

            var days = Enumerable.Range(0, 7).Where(d => step.Covers(monday.PlusDays(d))).ToList();
            int On(int d) => withoutTimeOff ? PatternOf(monday.PlusDays(d)) : Available(monday.PlusDays(d));
            if (step.Dates is null)
            {
                yield return (days[0], days[^1], (long)step.Weekly * days.Sum(On));
                continue;
            }

            foreach (var d in days)
            {
                if (step.Dates.TryGetValue(monday.PlusDays(d), out var minutes))
                {
                    yield return (d, d, (long)Math.Min(minutes, On(d)) * Pattern.Sum());
                }
            }
        }
    }

    /// <summary>Every run of consecutive days of a week.</summary>
    private static readonly (int I, int J)[] s_runs = [.. from i in Enumerable.Range(0, 7) from j in Enumerable.Range(i, 7 - i) select (i, j)];

    public static LocalDate MondayOf(LocalDate day) => day.PlusDays(1 - (int)day.DayOfWeek);

    private Verdict OfCaller(string booking, Func<ModelBooking, Verdict> decide) =>
        Find(booking) is not { } b ? Verdict.No(Missing(booking)) : b.Owner is not null ? Verdict.No("OWNED_BY_ENGAGEMENT") : decide(b);

    private string Missing(string booking) => Expired.Contains(booking) ? "HOLD_EXPIRED" : "NOT_FOUND";
}
