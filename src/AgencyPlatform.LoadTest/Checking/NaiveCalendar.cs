using System.Text.Json;

namespace AgencyPlatform.LoadTest.Checking;

/// <summary>
/// A CMO's working time, from public events alone, day by day: pattern less holidays less time off, and how much of it may be promised.
/// Written from the rules of the specification, not from the product's code.
/// </summary>
internal sealed class NaiveCalendar
{
    public SortedDictionary<DateOnly, int[]> Patterns { get; } = [];
    public SortedDictionary<DateOnly, string> Regions { get; } = [];
    public HashSet<DateOnly> Worked { get; private set; } = [];
    public SortedDictionary<string, TimeOff> Off { get; } = new(StringComparer.Ordinal);
    public Dictionary<string, HashSet<DateOnly>> Holidays { get; private set; } = new(StringComparer.Ordinal);
    public int OverbookingPercent { get; set; }
    public int CoolingOffDays { get; set; }

    /// <summary>Grows with every change: what was computed before is no longer so.</summary>
    public int Stamp { get; private set; }

    public sealed record TimeOff(DateOnly Start, DateOnly End, string Kind, int Minutes);

    public static int[] Weekdays(JsonElement minutes) =>
        [minutes.Int("monday"), minutes.Int("tuesday"), minutes.Int("wednesday"), minutes.Int("thursday"), minutes.Int("friday"), minutes.Int("saturday"), minutes.Int("sunday")];

    public void SetPattern(JsonElement pattern)
    {
        Patterns[pattern.Date("effectiveFrom")] = Weekdays(pattern.GetProperty("minutes"));
        Stamp++;
    }

    public void SetRegion(DateOnly from, string region)
    {
        Regions[from] = region;
        Stamp++;
    }

    public void SetWorked(IEnumerable<string> days)
    {
        Worked = [.. days.Select(Json.ToDate)];
        Stamp++;
    }

    public void AddTimeOff(JsonElement off)
    {
        Off[off.Text("id")] = new TimeOff(off.Date("start"), off.Date("end"), off.Text("kind"), off.Int("minutesPerDay"));
        Stamp++;
    }

    public void CancelTimeOff(string id)
    {
        Off.Remove(id);
        Stamp++;
    }

    public void SetPolicy(JsonElement policy) => SetPolicy(policy.Int("overbookingPercent"), policy.Int("coolingOffDays"), HolidaysOf(policy));

    public void SetPolicy(int overbookingPercent, int coolingOffDays, Dictionary<string, HashSet<DateOnly>> holidays)
    {
        (OverbookingPercent, CoolingOffDays, Holidays) = (overbookingPercent, coolingOffDays, holidays);
        Stamp++;
    }

    public static Dictionary<string, HashSet<DateOnly>> HolidaysOf(JsonElement policy) =>
        policy.Maybe("holidayCalendars") is { } calendars
            ? calendars.EnumerateObject().ToDictionary(c => c.Name, c => c.Value.EnumerateArray().Select(d => Json.ToDate(d.GetString()!)).ToHashSet(), StringComparer.Ordinal)
            : new(StringComparer.Ordinal);

    public int Pattern(DateOnly day)
    {
        int[]? minutes = null;
        foreach (var (from, pattern) in Patterns)
        {
            minutes = from <= day ? pattern : minutes;
        }

        return minutes?[day.Weekday()] ?? 0;
    }

    public int Available(DateOnly day)
    {
        var region = "";
        foreach (var (from, name) in Regions)
        {
            region = from <= day ? name : region;
        }

        if (region.Length > 0 && Holidays.TryGetValue(region, out var holidays) && holidays.Contains(day) && !Worked.Contains(day))
        {
            return 0;
        }

        var left = Pattern(day);
        foreach (var off in Off.Values)
        {
            if (off.Start <= day && day < off.End)
            {
                left -= off.Kind switch { "WholeDays" => Pattern(day), "HalfDays" => Pattern(day) / 2, _ => off.Minutes };
            }
        }

        return Math.Max(0, left);
    }

    public int Limit(DateOnly day) => Available(day) * (100 + OverbookingPercent) / 100;

    /// <summary>The last date that any fact of the calendar names.</summary>
    public DateOnly LastNamed()
    {
        var last = DateOnly.MinValue;
        foreach (var day in Patterns.Keys.Concat(Regions.Keys).Concat(Off.Values.Select(o => o.End)).Concat(Holidays.Values.SelectMany(h => h)))
        {
            last = day > last ? day : last;
        }

        return last;
    }
}
