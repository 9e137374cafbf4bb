using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using AgencyPlatform.Domain.Cmos;
using Ical.Net.CalendarComponents;
using Ical.Net.DataTypes;
using Ical.Net.Evaluation;

namespace AgencyPlatform.Gateway.Calendars;

/// <summary>An event of a calendar file, or all of one UID, as time off.</summary>
/// <param name="Line">Where the first of them begins, from 1.</param>
/// <param name="Source">Hexadecimal digits made of the UID.</param>
/// <param name="Days">Minutes off by day; 1,440: the whole day.</param>
/// <param name="Remark">Why some or all of it makes no time off; null: all of it does, as far as it lies in the days looked at.</param>
internal sealed record FileEvent(int Line, string Uid, string Source, ImmutableSortedDictionary<LocalDate, int> Days, string? Remark);

/// <summary>
/// Reads the busy events of a calendar file (RFC 5545). The library reads values and expands what repeats; lines are looked at here first, so that what is
/// wrong is told by its line, and so that only what says when somebody is off is read at all.
/// </summary>
internal static class CalendarFile
{
    public const int MostBytes = 1 << 20;

    /// <summary>How many days are looked at.</summary>
    public const int Days = 731;

    internal const int MostEvents = 2_000;
    internal const int MostRepeating = 200;

    /// <summary>Times that the events of a file happen, from their starts on: what is older is counted too.</summary>
    internal const int MostOccurrences = 20_000;

    private const int MostViolations = 20;
    private const int MinutesOfDay = 1_440;

    private static readonly string[] s_read =
        ["UID", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "STATUS", "TRANSP", "X-MICROSOFT-CDO-BUSYSTATUS"];

    private static readonly string[] s_frequencies = ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"];

    /// <summary>A VEVENT's lines of those that are read.</summary>
    private sealed record Lines(int Line, List<(int Line, string Name, string Text)> Properties)
    {
        public IEnumerable<(int Line, string Name, string Text)> Of(string name) => Properties.Where(p => p.Name == name);

        public string Uid => Value(Of("UID").First().Text).Trim();
    }

    /// <param name="zone">The CMO's: in which days lie, and times that name no zone.</param>
    /// <param name="fields">Takes what is wrong, by line.</param>
    public static IReadOnlyList<FileEvent> Read(byte[] bytes, DateTimeZone zone, DateRange within, bool allDayOnly, Fields fields)
    {
        var wrong = new List<string>();
        var result = Text(bytes) is { } text ? Read(text, zone, within, allDayOnly, wrong) : [];
        if (wrong.Count == 0 && Text(bytes) is null)
        {
            wrong.Add("must be text in UTF-8");
        }

        foreach (var problem in wrong.Take(MostViolations))
        {
            fields.Add("ics", problem);
        }

        return wrong.Count == 0 ? result : [];
    }

    private static IReadOnlyList<FileEvent> Read(string text, DateTimeZone zone, DateRange within, bool allDayOnly, List<string> wrong)
    {
        var (events, cancelled) = Scan(text, wrong);
        if (wrong.Count > 0)
        {
            return [];
        }

        var groups = events.GroupBy(e => e.Uid, StringComparer.Ordinal).ToList();
        var remarks = new string?[groups.Count];
        var busy = new SortedDictionary<LocalDate, List<(int From, int To, int Group)>>();
        var left = MostOccurrences;
        for (var i = 0; i < groups.Count && left >= 0; i++)
        {
            var first = groups[i].First();
            try
            {
                remarks[i] = cancelled ? "It is cancelled." : Occurrences(groups[i], i, zone, within, allDayOnly, busy, ref left);
            }
            catch (Exception e) when (e is ArgumentException or FormatException or InvalidOperationException or EvaluationException or System.Runtime.Serialization.SerializationException or OverflowException)
            {
                wrong.Add($"line {first.Line}: the event '{Short(first.Uid)}' cannot be read: {Short(e.Message)}");
            }
        }

        if (left < 0)
        {
            wrong.Add($"must have events that happen at most {MostOccurrences:N0} times from their starts to {within.End:uuuu-MM-dd}: end what repeats, or begin it later");
        }

        var days = Assign(busy, groups.Count);
        return [.. groups.Select((g, i) => new FileEvent(
            g.First().Line, g.Key, SourceOf(g.Key), days[i].ToImmutable(),
            remarks[i] ?? (days[i].Count == 0 && busy.Values.Any(d => d.Exists(x => x.Group == i)) ? "Its time is part of other events' of the same days." : null)))];
    }

    /// <summary>Minutes of each day, whichever events have them, are one time off: that of the event which has most of the day, or comes first.</summary>
    private static ImmutableSortedDictionary<LocalDate, int>.Builder[] Assign(SortedDictionary<LocalDate, List<(int From, int To, int Group)>> busy, int groups)
    {
        var days = new ImmutableSortedDictionary<LocalDate, int>.Builder[groups];
        for (var i = 0; i < groups; i++)
        {
            days[i] = ImmutableSortedDictionary.CreateBuilder<LocalDate, int>();
        }

        foreach (var (day, parts) in busy)
        {
            var (minutes, until) = (0, 0);
            foreach (var (from, to, _) in parts.OrderBy(p => p.From))
            {
                minutes += Math.Max(0, to - Math.Max(from, until));
                until = Math.Max(until, to);
            }

            days[parts.OrderByDescending(p => p.To - p.From).ThenBy(p => p.Group).First().Group][day] = minutes;
        }

        return days;
    }

    /// <summary>Adds the busy times of one UID's events.</summary>
    /// <returns>Why some or all make no time off.</returns>
    private static string? Occurrences(
        IEnumerable<Lines> events, int group, DateTimeZone zone, DateRange within, bool allDayOnly, SortedDictionary<LocalDate, List<(int From, int To, int Group)>> busy, ref int left)
    {
        if (events.First().Uid.EndsWith(CalendarWriter.UidSuffix, StringComparison.Ordinal))
        {
            return "It comes from this platform's own calendar.";
        }

        var calendar = Ical.Net.Calendar.Load(
            string.Concat(["BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", .. events.Select(e => $"BEGIN:VEVENT\r\n{string.Concat(e.Properties.Select(p => p.Text + "\r\n"))}END:VEVENT\r\n"), "END:VCALENDAR\r\n"]))!;
        if (calendar.Events.Any(e => e.DtStart is null))
        {
            throw new FormatException("DTSTART must be a date such as 20260331 or a time such as 20260331T090000Z");
        }

        string? remark = null;
        var end = within.End!.Value.PlusDays(1).ToDateTimeUnspecified();
        foreach (var occurrence in calendar.GetOccurrences<CalendarEvent>(null, new EvaluationOptions { MaxUnmatchedIncrementsLimit = 1_500 }).TakeWhile(o => o.Period.StartTime.Value < end))
        {
            if (--left < 0)
            {
                return null;
            }

            var source = (CalendarEvent)occurrence.Source;
            if (WhyNot(source, allDayOnly) is { } why)
            {
                remark = why;
                continue;
            }

            var (from, to) = Local(occurrence.Period, zone);
            for (var day = LocalDate.Max(from.Date, within.Start); day <= to.Date && within.Contains(day); day = day.PlusDays(1))
            {
                var (first, last) = (day == from.Date ? MinuteOf(from) : 0, day == to.Date ? MinuteOf(to) : MinutesOfDay);
                if (last > first)
                {
                    if (!busy.TryGetValue(day, out var parts))
                    {
                        busy[day] = parts = [];
                    }

                    parts.Add((first, last, group));
                }
            }
        }

        return remark;
    }

    private static string? WhyNot(CalendarEvent source, bool allDayOnly)
    {
        var status = source.Properties["X-MICROSOFT-CDO-BUSYSTATUS"]?.Value?.ToString();
        return string.Equals(source.Status, "CANCELLED", StringComparison.OrdinalIgnoreCase) ? "It is cancelled."
            : string.Equals(source.Status, "TENTATIVE", StringComparison.OrdinalIgnoreCase) || string.Equals(status, "TENTATIVE", StringComparison.OrdinalIgnoreCase) ? "It is tentative."
            : string.Equals(source.Transparency, "TRANSPARENT", StringComparison.OrdinalIgnoreCase) || string.Equals(status, "FREE", StringComparison.OrdinalIgnoreCase) ? "It leaves the time free."
            : allDayOnly && source.DtStart!.HasTime ? "It has times of the day, and only whole days were asked for."
            : null;
    }

    /// <summary>From and to, by the CMO's own clock. An all-day event is the same days everywhere; a time without a zone is the CMO's.</summary>
    private static (LocalDateTime From, LocalDateTime To) Local(Ical.Net.DataTypes.Period period, DateTimeZone zone)
    {
        var start = period.StartTime;
        var end = period.EffectiveEndTime ?? (start.HasTime ? start : start.AddDays(1));
        return (LocalOf(start), LocalOf(end));

        LocalDateTime LocalOf(CalDateTime time) =>
            !time.HasTime || time.IsFloating ? LocalDateTime.FromDateTime(DateTime.SpecifyKind(time.Value, DateTimeKind.Unspecified)) : Instant.FromDateTimeUtc(time.AsUtc).InZone(zone).LocalDateTime;
    }

    private static int MinuteOf(LocalDateTime time) => time.Hour * 60 + time.Minute;

    /// <summary>The events' lines, and whether the file cancels them; what is no calendar file is told by line.</summary>
    private static (List<Lines> Events, bool Cancelled) Scan(string text, List<string> wrong)
    {
        var (events, open, cancelled, seen) = (new List<Lines>(), new Stack<(string Name, int Line)>(), false, false);
        Lines? current = null;
        foreach (var (line, content) in Unfolded(text))
        {
            var colon = content.IndexOf(':');
            var nameEnd = content.IndexOfAny([':', ';']);
            var name = nameEnd > 0 ? content[..nameEnd].ToUpperInvariant() : "";
            if (colon < 0 || name.Length == 0 || name.Any(c => !char.IsAsciiLetterOrDigit(c) && c != '-'))
            {
                wrong.Add($"line {line}: must be NAME:value; it is '{Short(content)}'");
                if (!seen || wrong.Count >= MostViolations)
                {
                    return ([], false);
                }

                continue;
            }

            var value = content[(colon + 1)..].Trim().ToUpperInvariant();
            if (!seen && (name != "BEGIN" || value != "VCALENDAR"))
            {
                wrong.Add($"line {line}: must be BEGIN:VCALENDAR, with which a calendar file begins; it is '{Short(content)}'");
                return ([], false);
            }

            seen = true;
            switch (name)
            {
                case "BEGIN":
                    if (value == "VEVENT" && open.Count == 1)
                    {
                        events.Add(current = new Lines(line, []));
                    }

                    open.Push((value, line));
                    break;
                case "END":
                    if (open.Count == 0 || open.Peek().Name != value)
                    {
                        wrong.Add($"line {line}: must end {(open.Count == 0 ? "nothing, since nothing is open" : $"{open.Peek().Name} of line {open.Peek().Line}")}; it is '{Short(content)}'");
                        return ([], false);
                    }

                    open.Pop();
                    current = open.Count > 1 ? current : null;
                    break;
                case "METHOD" when open.Count == 1:
                    cancelled = value == "CANCEL";
                    break;
                default:
                    if (current is not null && open.Count == 2 && s_read.Contains(name))
                    {
                        current.Properties.Add((line, name, content));
                    }

                    break;
            }
        }

        if (!seen)
        {
            wrong.Add("line 1: must be BEGIN:VCALENDAR, with which a calendar file begins; there is none");
        }
        else if (open.Count > 0)
        {
            wrong.Add($"line {open.Peek().Line}: BEGIN:{Short(open.Peek().Name)} has no END: the file is cut short");
        }

        Check(events, wrong);
        return (events, cancelled);
    }

    private static void Check(List<Lines> events, List<string> wrong)
    {
        if (events.Count > MostEvents)
        {
            wrong.Add($"must have at most {MostEvents} events; it has {events.Count}");
            return;
        }

        foreach (var e in events)
        {
            if (e.Of("UID").Count() != 1 || e.Uid.Length is 0 or > 1_000)
            {
                wrong.Add($"line {e.Line}: the event must have one UID of 1 to 1000 characters");
            }

            if (e.Of("DTSTART").Count() != 1)
            {
                wrong.Add($"line {e.Line}: the event must have one DTSTART");
            }

            if (e.Of("RRULE").Count() > 1)
            {
                wrong.Add($"line {e.Of("RRULE").ElementAt(1).Line}: an event must have at most one RRULE");
            }

            foreach (var (line, _, rule) in e.Of("RRULE"))
            {
                var frequency = Value(rule).ToUpperInvariant().Split(';').Select(p => p.Trim()).FirstOrDefault(p => p.StartsWith("FREQ=", StringComparison.Ordinal))?[5..] ?? "";
                if (!s_frequencies.Contains(frequency) || rule.Length > 500)
                {
                    wrong.Add($"line {line}: RRULE must have FREQ={string.Join(", ", s_frequencies)} and at most 500 characters; it is '{Short(rule)}'");
                }
            }

            foreach (var (line, _, time) in e.Properties.Where(p => p.Name is "DTSTART" or "DTEND" or "RECURRENCE-ID" or "EXDATE" or "RDATE"))
            {
                var zone = time[..time.IndexOf(':')].Split(';').FirstOrDefault(p => p.StartsWith("TZID=", StringComparison.OrdinalIgnoreCase))?[5..].Trim('"');
                if (zone is not null && !IsKnown(zone))
                {
                    wrong.Add($"line {line}: the time zone '{Short(zone)}' is not known: use an IANA id such as Europe/Berlin, or UTC");
                }
            }
        }

        if (events.Count(e => e.Of("RRULE").Any()) is > MostRepeating and var repeating)
        {
            wrong.Add($"must have at most {MostRepeating} events with an RRULE; it has {repeating}");
        }
    }

    /// <summary>Lines by their number, each with those that go on from it.</summary>
    private static IEnumerable<(int Line, string Text)> Unfolded(string text)
    {
        var (start, folded) = (0, new StringBuilder());
        var number = 0;
        foreach (var line in text.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n').Split('\n'))
        {
            number++;
            if (line.Length > 0 && line[0] is ' ' or '\t' && folded.Length > 0)
            {
                folded.Append(line.AsSpan(1));
                continue;
            }

            if (folded.Length > 0)
            {
                yield return (start, folded.ToString());
                folded.Clear();
            }

            if (!string.IsNullOrWhiteSpace(line))
            {
                start = number;
                folded.Append(line);
            }
        }

        if (folded.Length > 0)
        {
            yield return (start, folded.ToString());
        }
    }

    /// <summary>The file's text; null: it is no UTF-8 (or UTF-16 that says so).</summary>
    private static string? Text(byte[] bytes)
    {
        try
        {
            Encoding encoding = bytes.AsSpan() switch
            {
                [0xFF, 0xFE, ..] => new UnicodeEncoding(false, true, true),
                [0xFE, 0xFF, ..] => new UnicodeEncoding(true, true, true),
                _ => new UTF8Encoding(true, true),
            };
            var text = encoding.GetString(bytes);
            return text.StartsWith('\uFEFF') ? text[1..] : text;
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private static bool IsKnown(string zone)
    {
        try
        {
            return new CalDateTime(2026, 1, 1, 0, 0, 0, zone).AsUtc != default;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    internal static string SourceOf(string uid) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(uid)))[..FractionalCmo.SourceLength];

    private static string Value(string content) => content[(content.IndexOf(':') + 1)..];

    private static string Short(string text) => new([.. (text.Length <= 80 ? text : text[..80] + "…").Where(c => !char.IsControl(c))]);
}
