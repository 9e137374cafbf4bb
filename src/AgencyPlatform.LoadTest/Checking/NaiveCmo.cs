using System.Globalization;
using System.Numerics;
using System.Text.Json;

namespace AgencyPlatform.LoadTest.Checking;

/// <summary>
/// A CMO folded from the feed, event by event, with every accepted booking recomputed: would it have made any run of days of any week more
/// overfull than it was, or broken another rule? Written from the rules of the specification, not from the product's code.
/// </summary>
internal sealed partial class NaiveCmo(string id, CheckReport report)
{
    private const int HorizonWeeks = 104;
    private const long LongestHold = 30L * 24 * 3600 * 1_000_000_000;

    private readonly Dictionary<(string Booking, long Version), string> _texts = [];
    private readonly HashSet<string> _confirmedEver = new(StringComparer.Ordinal);
    private readonly HashSet<string> _expired = new(StringComparer.Ordinal);

    public NaiveCalendar Calendar { get; private init; } = new();
    public SortedDictionary<string, NaiveBooking> Bookings { get; } = new(StringComparer.Ordinal);
    public long Version { get; private set; }

    /// <summary>The version of the agency's policy that was noted last.</summary>
    public long PolicyVersion => Policies.Count == 0 ? 0 : Policies[^1].Version;
    public bool Exists { get; private set; }
    public int MaxClients { get; private set; }
    public int MinBlock { get; private set; }
    public string TimeZone { get; private set; } = "";
    public string Role { get; private set; } = "";

    /// <summary>The policies noted, to be compared with the agency's own.</summary>
    public List<(long Version, int Percent, int CoolingOff, string Holidays)> Policies { get; } = [];

    /// <summary>The booking as it was right after a version; null when it was not touched there or was gone after it.</summary>
    public string? TextAt(string booking, long version) => _texts.GetValueOrDefault((booking, version));

    public bool WasConfirmed(string booking) => _confirmedEver.Contains(booking);

    public void Apply(FeedEvent e)
    {
        using var document = JsonDocument.Parse(e.Payload);
        var payload = document.RootElement;
        Version = e.Version;
        TimeActsFirst(e);
        if (payload.Maybe("today") is { } today)
        {
            Freeze(Json.ToDate(today.GetString()!));
        }

        switch (e.Type)
        {
            case "cmo.created":
                Exists = true;
                Limits(payload.GetProperty("limits"));
                Calendar.SetPattern(payload.GetProperty("pattern"));
                if (payload.Text("holidayRegion") is { Length: > 0 } region)
                {
                    Calendar.SetRegion(payload.GetProperty("pattern").Date("effectiveFrom"), region);
                }

                (TimeZone, Role) = (payload.GetProperty("profile").Text("timeZone"), payload.GetProperty("profile").Text("role"));
                break;
            case "cmo.profile-changed":
                (TimeZone, Role) = (payload.GetProperty("profile").Text("timeZone"), payload.GetProperty("profile").Text("role"));
                break;
            case "cmo.limits-changed":
                Limits(payload.GetProperty("limits"));
                break;
            case "cmo.pattern-set":
                Calendar.SetPattern(payload.GetProperty("pattern"));
                break;
            case "cmo.holidays-set":
                if (payload.Maybe("region") is { } from)
                {
                    Calendar.SetRegion(from.Date("effectiveFrom"), from.Text("region"));
                }

                if (payload.Maybe("workedAnyway") is not null)
                {
                    Calendar.SetWorked(payload.Strings("workedAnyway"));
                }

                break;
            case "cmo.time-off-added":
                Calendar.AddTimeOff(payload.GetProperty("timeOff"));
                break;
            case "cmo.time-off-cancelled":
                Calendar.CancelTimeOff(payload.Text("id"));
                break;
            case "cmo.time-off-imported":
                foreach (var removed in payload.Strings("removed"))
                {
                    Calendar.CancelTimeOff(removed);
                }

                foreach (var put in payload.GetProperty("put").EnumerateArray())
                {
                    Calendar.AddTimeOff(put);
                }

                break;
            case "cmo.policy-noted":
                var policy = payload.GetProperty("policy");
                Calendar.SetPolicy(policy);
                Policies.Add((policy.Long("version"), Calendar.OverbookingPercent, Calendar.CoolingOffDays, TextOf(Calendar.Holidays)));
                break;
            case "cmo.cost-rate-set":
                break;
            case "cmo.booking-held":
            case "cmo.booking-booked":
                New(e, NaiveBooking.New(payload, confirmed: e.Type == "cmo.booking-booked"), Bookings.GetValueOrDefault(payload.Text("replaces")));
                break;
            case "cmo.booking-swapped" when Known(e, payload) is { } b && Bookings.GetValueOrDefault(payload.Text("swap")) is { } held:
                // Judged when the new steps were held in its place.
                Bookings.Remove(held.Id);
                Put(e, b with { Demand = held.Demand, Names = held.Names, NamedBy = held.NamedBy, FenceVersion = held.FenceVersion, UpdatedAt = payload.Instant("at")!.Value });
                break;
            case "cmo.booking-confirmed" when Known(e, payload) is { } b:
                Put(e, b with { Confirmed = true, ExpiresAt = null, UpdatedAt = payload.Instant("at")!.Value });
                break;
            case "cmo.booking-changed" when Known(e, payload) is { } b:
                Change(e, b, payload);
                break;
            case "cmo.hold-moved" when Known(e, payload) is { } b:
                Put(e, b with { ExpiresAt = payload.Instant("expiresAt"), Owner = payload.Text("owner"), UpdatedAt = payload.Instant("at")!.Value });
                break;
            case "cmo.booking-ended" when Known(e, payload) is { } b:
                Put(e, b with { Demand = new NaiveDemand(NaiveBooking.StepsOf(payload.GetProperty("spec"))) { Frozen = b.Demand.Frozen }, UpdatedAt = payload.Instant("at")!.Value });
                break;
            case "cmo.booking-released" when Known(e, payload) is { } b:
                Bookings.Remove(b.Id);
                break;
            case "cmo.hold-expired" when Known(e, payload) is { } b:
                if (b.ExpiresAt is not { } due || due > payload.Instant("at"))
                {
                    report.Violated("O", $"{Where(e)}: the hold {b.Id} expired before its time.");
                }

                Bookings.Remove(b.Id);
                _expired.Add(b.Id);
                break;
            case "cmo.booking-confirmed" or "cmo.booking-changed" or "cmo.hold-moved" or "cmo.booking-ended" or "cmo.booking-released" or "cmo.booking-swapped" or "cmo.hold-expired":
                report.Violated("R", $"{Where(e)}: there is no booking {payload.Text("id")} that it could happen to.");
                break;
            case "cmo.fence-noted":
                var fence = payload.GetProperty("fence");
                foreach (var b in Bookings.Values.Where(b => b.Client == fence.Text("client")).ToList())
                {
                    Bookings[b.Id] = b with
                    {
                        FenceVersion = fence.Long("version"),
                        Names = fence.Strings("names").ToHashSet(StringComparer.Ordinal),
                        NamedBy = fence.Strings("namedBy").ToHashSet(StringComparer.Ordinal),
                    };
                }

                break;
            case "cmo.waitlist-joined" or "cmo.waitlist-reserved" or "cmo.waitlist-offered" or "cmo.waitlist-left":
                // What is reserved or offered is held, which is an event of its own.
                break;
            case "nothing-changed":
                break;
            default:
                throw new CannotJudgeException($"The feed has an event of the unknown type {e.Type}.");
        }
    }

    public static string TextOf(Dictionary<string, HashSet<DateOnly>> holidays) => string.Join("; ", holidays.Where(h => h.Value.Count > 0).OrderBy(h => h.Key, StringComparer.Ordinal).Select(
        h => $"{h.Key}: {string.Join(',', h.Value.Order().Select(d => d.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)))}"));

    /// <summary>A week's demand of some bookings beside what may be promised, for every run of its days: exact, in 1 ÷ pattern minutes.</summary>
    public (long Scale, long[,] Demand, long[] Limit) Week(DateOnly monday, IEnumerable<NaiveBooking> bookings)
    {
        var demand = new long[7, 7];
        var limit = new long[7];
        var pattern = 0;
        for (var d = 0; d < 7; d++)
        {
            limit[d] = Calendar.Limit(monday.AddDays(d));
            pattern += Calendar.Pattern(monday.AddDays(d));
        }

        foreach (var booking in bookings)
        {
            if (booking.Start > monday.AddDays(6) || booking.End <= monday)
            {
                continue;
            }

            foreach (var part in booking.Demand.Parts(monday, Calendar))
            {
                // It must be done within every run that holds all of its days.
                for (var i = 0; i <= part.First; i++)
                {
                    for (var j = part.Last; j < 7; j++)
                    {
                        demand[i, j] += part.Scaled;
                    }
                }
            }
        }

        return (Math.Max(1, pattern), demand, limit);
    }

    public static long Excess(long[,] demand, long[] limit, long scale, int i, int j)
    {
        var sum = 0L;
        for (var d = i; d <= j; d++)
        {
            sum += limit[d];
        }

        return Math.Max(0, demand[i, j] - sum * scale);
    }

    private void Limits(JsonElement limits) => (MaxClients, MinBlock) = (limits.Int("maxClients"), limits.Int("minBlockMinutes"));

    private string Where(FeedEvent e) => $"event {e.Sequence} ({e.Type} of CMO {id})";

    private NaiveBooking? Known(FeedEvent e, JsonElement payload) => Bookings.GetValueOrDefault(payload.Text("id"));

    /// <summary>Nothing happens while a hold stands that should have expired before.</summary>
    private void TimeActsFirst(FeedEvent e)
    {
        foreach (var booking in Bookings.Values)
        {
            if (booking.ExpiresAt is { } due && due <= e.OccurredAt && !(e.Type == "cmo.hold-expired" && due <= e.OccurredAt))
            {
                report.Violated("O", $"{Where(e)}: happened while the hold {booking.Id} stood that had expired.");
            }
        }
    }

    private void Freeze(DateOnly today)
    {
        foreach (var booking in Bookings.Values)
        {
            foreach (var step in booking.Steps.Where(s => s.Form == Form.PerPeriod && s.Start < today))
            {
                foreach (var (first, last, minutes) in booking.Demand.Shares(step, Calendar, today).ToArray())
                {
                    if (last < today)
                    {
                        booking.Demand.Frozen[first] = minutes;
                    }
                }
            }
        }
    }

    /// <param name="replaced">The booking in whose place an engagement's saga holds new steps.</param>
    private void New(FeedEvent e, NaiveBooking booking, NaiveBooking? replaced)
    {
        if (Bookings.ContainsKey(booking.Id))
        {
            report.Violated("C", $"{Where(e)}: there is a booking {booking.Id} already.");
        }

        if (booking.ExpiresAt is { } due && (due <= booking.CreatedAt || due - booking.CreatedAt > LongestHold))
        {
            report.Violated("O", $"{Where(e)}: the hold {booking.Id} expires at once or after more than 30 days.");
        }

        booking = replaced is null ? booking : booking with { Demand = replaced.Demand.ChangedTo(booking.Steps) };
        Judge(e, booking, replaced);
        Put(e, booking);
    }

    private void Change(FeedEvent e, NaiveBooking before, JsonElement payload)
    {
        var fence = payload.GetProperty("fence");
        var after = before with
        {
            Demand = before.Demand.ChangedTo(NaiveBooking.StepsOf(payload.GetProperty("spec"))),
            UpdatedAt = payload.Instant("at")!.Value,
            Names = fence.Strings("names").ToHashSet(StringComparer.Ordinal),
            NamedBy = fence.Strings("namedBy").ToHashSet(StringComparer.Ordinal),
        };
        Judge(e, after, before);
        Put(e, after);
    }

    private void Put(FeedEvent e, NaiveBooking booking)
    {
        Bookings[booking.Id] = booking;
        _texts[(booking.Id, e.Version)] = booking.Text;
        if (booking.Confirmed)
        {
            _confirmedEver.Add(booking.Id);
        }
    }

    /// <summary>Was it right to accept this?</summary>
    private void Judge(FeedEvent e, NaiveBooking booking, NaiveBooking? before)
    {
        report.Count("accepted bookings and changes recomputed");
        var others = Bookings.Values.Where(b => b.Id != booking.Id && b.Id != before?.Id).ToArray();
        var end = booking.End ?? Horizon(others, booking);
        Weeks(e, booking, before, others, end);
        MaximumClients(e, booking, others, end);
        SmallestBlock(e, booking);
        Fence(e, booking, others);
    }

    private void Weeks(FeedEvent e, NaiveBooking booking, NaiveBooking? before, NaiveBooking[] others, DateOnly end)
    {
        for (var monday = booking.Start.Monday(); monday < end; monday = monday.AddDays(7))
        {
            report.Count("weeks recomputed");
            Stated(e, booking, monday);
            var (scale, with, limit) = Week(monday, [.. others, booking]);
            var (_, without, _) = Week(monday, before is null ? others : [.. others, before]);
            for (var i = 0; i < 7; i++)
            {
                for (var j = i; j < 7; j++)
                {
                    var (now, then) = (Excess(with, limit, scale, i, j), Excess(without, limit, scale, i, j));
                    if (now > then)
                    {
                        report.Violated(
                            "O", $"{Where(e)}: {booking.Id} made the excess of {monday.AddDays(i):yyyy-MM-dd} to {monday.AddDays(j):yyyy-MM-dd} grow from {then}/{scale} to {now}/{scale} minutes.");
                        return;
                    }
                }
            }
        }
    }

    private void Stated(FeedEvent e, NaiveBooking booking, DateOnly monday)
    {
        var days = Enumerable.Range(0, 7).Select(monday.AddDays).ToArray();
        foreach (var step in booking.Steps.Where(s => days.Any(s.Covers)))
        {
            if (step.Form == Form.Flexible && days.All(d => Calendar.Pattern(d) == 0))
            {
                report.Violated("O", $"{Where(e)}: {booking.Id} has a flexible week without a working pattern, {monday:yyyy-MM-dd}.");
            }

            foreach (var day in days.Where(step.Covers))
            {
                var stated = step.Form switch
                {
                    Form.FixedDays when (monday.DayNumber - step.Start.Monday().DayNumber) / 7 % step.Every == 0 => step.Weekdays[day.Weekday()],
                    Form.Dated => step.Dates.GetValueOrDefault(day),
                    _ => 0,
                };
                if (stated > Calendar.Pattern(day))
                {
                    report.Violated("O", $"{Where(e)}: {booking.Id} states {stated} minutes on {day:yyyy-MM-dd}, whose pattern has {Calendar.Pattern(day)}.");
                }
            }
        }
    }

    private void MaximumClients(FeedEvent e, NaiveBooking booking, NaiveBooking[] others, DateOnly end)
    {
        for (var day = booking.Start; day < end; day = day.AddDays(1))
        {
            var clients = others.Where(b => b.Covers(day)).Select(b => b.Client).Append(booking.Client).Distinct(StringComparer.Ordinal).Count();
            if (clients > MaxClients)
            {
                report.Violated("O", $"{Where(e)}: with {booking.Id} there are {clients} clients on {day:yyyy-MM-dd}; {MaxClients} are allowed.");
                return;
            }
        }
    }

    private void SmallestBlock(FeedEvent e, NaiveBooking booking)
    {
        foreach (var step in booking.Steps)
        {
            var least = step.Form switch
            {
                Form.FixedDays => step.Weekdays.Where(m => m > 0).Min(),
                Form.Dated => step.Dates.Values.Min(),
                _ => step.Minutes,
            };
            if (least < MinBlock)
            {
                report.Violated("O", $"{Where(e)}: {booking.Id} agrees on {least} minutes; the smallest block is {MinBlock}.");
            }
        }
    }

    private void Fence(FeedEvent e, NaiveBooking booking, NaiveBooking[] others)
    {
        foreach (var other in others.Where(o => o.Client != booking.Client))
        {
            var compete = booking.Names.Contains(other.Client) || booking.NamedBy.Contains(other.Client) || other.Names.Contains(booking.Client) || other.NamedBy.Contains(booking.Client);
            if (compete && (other.End is not { } end || booking.Start < end.AddDays(Calendar.CoolingOffDays)) && (booking.End is not { } mine || other.Start < mine.AddDays(Calendar.CoolingOffDays)))
            {
                report.Violated("O", $"{Where(e)}: {booking.Id} for {booking.Client} meets {other.Id} of its competitor {other.Client}.");
            }
        }
    }

    /// <summary>An open end is checked to 104 weeks after the last date that any known fact names (the weeks of its fixed days come round before).</summary>
    private DateOnly Horizon(IEnumerable<NaiveBooking> others, NaiveBooking booking)
    {
        var last = Calendar.LastNamed();
        foreach (var step in others.Append(booking).SelectMany(b => b.Steps))
        {
            var named = step.End ?? step.Start;
            last = named > last ? named : last;
        }

        return last.AddDays(7 * HorizonWeeks);
    }

    /// <summary>A quotient rounded half up.</summary>
    public static long HalfUp(long numerator, long denominator) => (long)((2 * (BigInteger)numerator + denominator) / (2 * (BigInteger)denominator));
}
