using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using AgencyPlatform.Domain.Cmos;
using Ical.Net;
using Ical.Net.CalendarComponents;
using Ical.Net.DataTypes;
using Ical.Net.Evaluation;
using NodaTime.Text;

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
internal static partial class CalendarFile
{
    public const int MostBytes = 1 << 20;

    /// <summary>How many days are looked at.</summary>
    public const int Days = 731;

    internal const int MostEvents = 2_000;
    internal const int MostRepeating = 200;

    /// <summary>Days on which the events of a file happen, from their starts on: what is older is counted too.</summary>
    internal const int MostDays = 20_000;

    private const int MinutesOfDay = 1_440;

    /// <summary>A refusal has a hundred bad fields at most.</summary>
    private const int MostProblems = 100;

    private static readonly string[] s_read =
        ["UID", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "STATUS", "TRANSP", "X-MICROSOFT-CDO-BUSYSTATUS"];

    private static readonly string[] s_times = ["DTSTART", "DTEND", "RECURRENCE-ID", "RDATE", "EXDATE"];
    private static readonly LocalDatePattern s_date = LocalDatePattern.CreateWithInvariantCulture("uuuuMMdd");
    private static readonly LocalDateTimePattern s_time = LocalDateTimePattern.CreateWithInvariantCulture("uuuuMMdd'T'HHmmss");

    /// <summary>A VEVENT's lines of those that are read.</summary>
    private sealed record Component(int Line, List<(int Line, string Name, string Text)> Properties)
    {
        public IEnumerable<(int Line, string Name, string Text)> Of(string name) => Properties.Where(p => p.Name == name);

        /// <summary>Empty: it has none.</summary>
        public string Uid => Value(Of("UID").Select(p => p.Text).FirstOrDefault("")).Trim();
    }

    /// <param name="zone">The CMO's: in which days lie, and times that name no zone.</param>
    /// <param name="fields">Takes what is wrong, by line.</param>
    public static IReadOnlyList<FileEvent> Read(byte[] bytes, DateTimeZone zone, DateRange within, bool allDayOnly, Fields fields)
    {
        if (Text(bytes) is not { } text)
        {
            fields.Add("ics", "must be text in UTF-8");
            return [];
        }

        var problems = new List<(int Line, string Problem)>();
        var events = Read(text, zone, within, allDayOnly, problems);
        foreach (var (line, problem) in problems.OrderBy(p => p.Line))
        {
            fields.Add("ics", line == 0 ? problem : string.Create(CultureInfo.InvariantCulture, $"line {line}: {problem}"));
        }

        return problems.Count == 0 ? events : [];
    }

    /// <param name="problems">Takes what is wrong; line 0: with the file as a whole.</param>
    private static IReadOnlyList<FileEvent> Read(string text, DateTimeZone zone, DateRange within, bool allDayOnly, List<(int Line, string Problem)> problems)
    {
        var (events, cancelled) = Scan(text, problems);
        if (events.Count > MostEvents)
        {
            problems.Add((0, string.Create(CultureInfo.InvariantCulture, $"must have at most {MostEvents:N0} events; it has {events.Count:N0}")));
            return [];
        }

        if (events.Count(e => e.Of("RRULE").Any()) is > MostRepeating and var repeating)
        {
            problems.Add((0, string.Create(CultureInfo.InvariantCulture, $"must have at most {MostRepeating} events with an RRULE; it has {repeating:N0}")));
            return [];
        }

        // Of what is right so far the library may still find what is wrong: all is told at once.
        var groups = events.Where(e => IsRight(e, problems)).GroupBy(e => e.Uid, StringComparer.Ordinal).ToList();
        var remarks = new string?[groups.Count];
        var busy = new SortedDictionary<LocalDate, List<(int From, int To, int Group)>>();
        var left = MostDays;
        for (var i = 0; i < groups.Count && left >= 0; i++)
        {
            try
            {
                remarks[i] = cancelled ? "It is cancelled." : Occurrences([.. groups[i]], i, zone, within, allDayOnly, busy, ref left);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // The library has no one kind of exception for what it cannot read.
                problems.Add((groups[i].First().Line, $"the event '{Short(groups[i].Key)}' cannot be read: {Short(e.Message, 200)}"));
            }
        }

        if (left < 0)
        {
            problems.Add((0, string.Create(CultureInfo.InvariantCulture, $"must have events on at most {MostDays:N0} days in all, counted from their starts to {within.End:uuuu-MM-dd}: end what repeats, or begin it later")));
        }

        var days = Assign(busy, groups.Count);
        var seen = busy.Values.SelectMany(parts => parts).Select(p => p.Group).ToHashSet();
        return [.. groups.Select((g, i) => new FileEvent(
            g.First().Line, g.Key, SourceOf(g.Key), days[i].ToImmutable(), remarks[i] ?? (days[i].Count == 0 && seen.Contains(i) ? "Its time is part of other events' of the same days." : null)))];
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
    /// <param name="left">How many days may still come; below 0: there are too many.</param>
    /// <returns>Why some or all make no time off.</returns>
    private static string? Occurrences(
        IReadOnlyList<Component> events, int group, DateTimeZone zone, DateRange within, bool allDayOnly, SortedDictionary<LocalDate, List<(int From, int To, int Group)>> busy, ref int left)
    {
        if (events[0].Uid.EndsWith(CalendarWriter.UidSuffix, StringComparison.Ordinal))
        {
            return "It comes from this platform's own calendar.";
        }

        string? remark = null;
        var end = within.End!.Value.PlusDays(1).ToDateTimeUnspecified();
        var calendar = Loaded(events);
        var options = new EvaluationOptions { MaxUnmatchedIncrementsLimit = calendar.Events.Select(e => StepsInVain(e.RecurrenceRule)).Max() };
        foreach (var occurrence in calendar.GetOccurrences<CalendarEvent>(null, options).TakeWhile(o => o.Period.StartTime.Value < end))
        {
            left--;
            var (from, to) = Local(occurrence.Period, zone);
            if (to.Date < within.Start)
            {
                // It is over.
            }
            else if (WhyNot((CalendarEvent)occurrence.Source, allDayOnly) is { } why)
            {
                remark = why;
            }
            else
            {
                for (var day = LocalDate.Max(from.Date, within.Start); day <= to.Date && within.Contains(day); day = day.PlusDays(1))
                {
                    left--;
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

            if (left < 0)
            {
                return null;
            }
        }

        return remark;
    }

    /// <summary>Steps of a repetition without any day, after which it is taken to have none. A leap day comes in 8 years at the latest, on a certain weekday in 40.</summary>
    private static int StepsInVain(RecurrenceRule? rule) => rule?.Frequency switch
    {
        null => 0,
        FrequencyType.Yearly => 50,
        FrequencyType.Monthly or FrequencyType.Weekly => 600,
        _ => 3_000,
    };

    private static Ical.Net.Calendar Loaded(IReadOnlyList<Component> events)
    {
        var text = new StringBuilder("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n");
        foreach (var e in events)
        {
            text.Append("BEGIN:VEVENT\r\n");
            foreach (var (_, _, line) in e.Properties)
            {
                text.Append(line).Append("\r\n");
            }

            text.Append("END:VEVENT\r\n");
        }

        var calendar = Ical.Net.Calendar.Load(text.Append("END:VCALENDAR\r\n").ToString())!;

        // An event in another's place is known by its time as the series writes it; in the file it may be in another zone.
        if (calendar.Events.FirstOrDefault(e => e.RecurrenceIdentifier is null)?.DtStart is { HasTime: true, TzId: { } series })
        {
            foreach (var e in calendar.Events.Where(e => e.RecurrenceIdentifier is { StartTime: { HasTime: true, TzId: { } zone } } && zone != series))
            {
                e.RecurrenceIdentifier = new RecurrenceIdentifier(e.RecurrenceIdentifier!.StartTime.ToTimeZone(series), e.RecurrenceIdentifier.Range);
            }
        }

        return calendar;
    }

    private static string? WhyNot(CalendarEvent source, bool allDayOnly)
    {
        var busy = source.Properties["X-MICROSOFT-CDO-BUSYSTATUS"]?.Value?.ToString();
        return Is(source.Status, "CANCELLED") ? "It is cancelled."
            : Is(source.Status, "TENTATIVE") || Is(busy, "TENTATIVE") ? "It is tentative."
            : Is(source.Transparency, "TRANSPARENT") || Is(busy, "FREE") ? "It leaves the time free."
            : allDayOnly && source.DtStart!.HasTime ? "It has times of the day, and only whole days were asked for."
            : null;

        static bool Is(string? value, string other) => string.Equals(value, other, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>From and to, by the CMO's own clock. An all-day event is the same days everywhere; a time without a zone is the CMO's.</summary>
    private static (LocalDateTime From, LocalDateTime To) Local(Ical.Net.DataTypes.Period period, DateTimeZone zone)
    {
        var start = period.StartTime;
        return (LocalOf(start), LocalOf(period.EffectiveEndTime ?? (start.HasTime ? start : start.AddDays(1))));

        LocalDateTime LocalOf(CalDateTime time) =>
            !time.HasTime || time.IsFloating ? LocalDateTime.FromDateTime(time.Value) : Instant.FromDateTimeUtc(time.AsUtc).InZone(zone).LocalDateTime;
    }

    private static int MinuteOf(LocalDateTime time) => time.Hour * 60 + time.Minute;

    /// <summary>The file's events, and whether it cancels them; what is no calendar file is told by line.</summary>
    private static (List<Component> Events, bool Cancelled) Scan(string text, List<(int Line, string Problem)> problems)
    {
        var (events, open, cancelled, begun) = (new List<Component>(), new Stack<(string Name, int Line)>(), false, false);
        Component? current = null;
        foreach (var (line, content) in Unfolded(text))
        {
            var nameEnd = content.IndexOfAny([':', ';']);
            var name = nameEnd > 0 ? content[..nameEnd].ToUpperInvariant() : "";
            var value = Value(content).Trim().ToUpperInvariant();
            if (!begun && (name != "BEGIN" || value != "VCALENDAR"))
            {
                problems.Add((line, $"must be BEGIN:VCALENDAR, with which a calendar file begins; it is '{Short(content)}'"));
                return ([], false);
            }

            begun = true;
            if (!content.Contains(':') || name.Length == 0 || name.Any(c => !char.IsAsciiLetterOrDigit(c) && c != '-'))
            {
                problems.Add((line, $"must be NAME:value; it is '{Short(content)}'"));
                if (problems.Count >= MostProblems)
                {
                    return ([], false);
                }

                continue;
            }

            switch (name)
            {
                case "BEGIN":
                    if (value == "VEVENT" && open.Count == 1)
                    {
                        events.Add(current = new Component(line, []));
                    }

                    open.Push((value, line));
                    break;
                case "END" when open.Count == 0 || open.Peek().Name != value:
                    problems.Add((line, $"must end {(open.Count == 0 ? "nothing, since nothing is open" : $"{Short(open.Peek().Name)} of line {open.Peek().Line}")}; it is '{Short(content)}'"));
                    return ([], false);
                case "END":
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

        if (!begun)
        {
            problems.Add((1, "must be BEGIN:VCALENDAR, with which a calendar file begins; the file is empty"));
        }
        else if (open.Count > 0)
        {
            problems.Add((open.Peek().Line, $"BEGIN:{Short(open.Peek().Name)} has no END: the file is cut short"));
        }

        return (events, cancelled);
    }

    /// <summary>Whether an event's lines are right, as far as that is seen without the others.</summary>
    private static bool IsRight(Component e, List<(int Line, string Problem)> problems)
    {
        var before = problems.Count;
        Require(e.Of("UID").Count() == 1 && e.Uid.Length is > 0 and <= 1_000, e.Line, "the event must have one UID, of 1 to 1,000 characters");
        Require(e.Of("DTSTART").Count() == 1, e.Line, "the event must have one DTSTART");
        foreach (var name in new[] { "DTEND", "DURATION", "RRULE", "RECURRENCE-ID" })
        {
            Require(e.Of(name).Count() <= 1, e.Line, $"the event must have at most one {name}");
        }

        foreach (var (line, name, text) in e.Properties)
        {
            switch (name)
            {
                case "RRULE":
                    Require(
                        text.Length <= 500 && RuleSyntax().IsMatch(Value(text).Trim()), line,
                        $"must have FREQ=DAILY, WEEKLY, MONTHLY or YEARLY, INTERVAL and COUNT of 1 or more if any, nothing else but UNTIL, WKST and BY parts of days, weeks and months, and at most 500 characters; it is '{Short(text)}'");
                    break;
                case "DURATION":
                    Require(DurationSyntax().IsMatch(Value(text).Trim()), line, $"must be a duration such as P1D or PT1H30M; it is '{Short(Value(text))}'");
                    break;
                case "RECURRENCE-ID" when Parameter(text, "RANGE") is not null:
                    problems.Add((line, "must have no RANGE: put a series of its own in the file for what comes after a date"));
                    break;
            }

            if (s_times.Contains(name))
            {
                var times = name is "RDATE" or "EXDATE" ? Value(text).Split(',') : [Value(text)];
                Require(
                    Array.TrueForAll(times, t => IsTime(t.Split('/')[0].Trim())), line,
                    $"must be a date such as 20260331 or a time such as 20260331T090000Z{(times.Length > 1 ? ", each" : "")}; it is '{Short(Value(text))}'");
                Require(Parameter(text, "TZID") is not { } zone || IsKnown(zone), line, $"must have a time zone that is known, an IANA id such as Europe/Berlin; it is '{Short(Parameter(text, "TZID") ?? "")}'");
            }
        }

        return problems.Count == before;

        void Require(bool holds, int line, string problem)
        {
            if (!holds)
            {
                problems.Add((line, problem));
            }
        }
    }

    private static bool IsTime(string value) => s_date.Parse(value).Success || s_time.Parse(value.EndsWith('Z') ? value[..^1] : value).Success;

    /// <summary>Lines by their number, each with those that go on from it.</summary>
    private static IEnumerable<(int Line, string Text)> Unfolded(string text)
    {
        var (start, number, folded) = (0, 0, new StringBuilder());
        foreach (var line in text.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n').Split('\n'))
        {
            number++;
            if (line is [' ' or '\t', ..] && folded.Length > 0)
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
            Encoding encoding = bytes switch
            {
                [0xFF, 0xFE, ..] => new UnicodeEncoding(bigEndian: false, byteOrderMark: true, throwOnInvalidBytes: true),
                [0xFE, 0xFF, ..] => new UnicodeEncoding(bigEndian: true, byteOrderMark: true, throwOnInvalidBytes: true),
                _ => new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true),
            };
            return encoding.GetString(bytes).TrimStart('\uFEFF');
        }
        catch (ArgumentException)
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

    /// <summary>A parameter of a line, as in <c>DTSTART;TZID=Europe/Berlin:20260331T090000</c>; null: it has none.</summary>
    private static string? Parameter(string content, string name) =>
        content[..Math.Max(0, content.IndexOf(':'))].Split(';').Skip(1).FirstOrDefault(p => p.StartsWith(name + "=", StringComparison.OrdinalIgnoreCase))?[(name.Length + 1)..].Trim('"');

    private static string Short(string text, int most = 80) =>
        string.Concat((text.Length <= most ? text : text[..(char.IsHighSurrogate(text[most - 1]) ? most - 1 : most)] + "…").Where(c => !char.IsControl(c)));

    [GeneratedRegex(@"^\+?P([0-9]{1,6}W|[0-9]{1,6}D|([0-9]{1,6}D)?T([0-9]{1,9}H)?([0-9]{1,9}M)?([0-9]{1,9}S)?)$", RegexOptions.CultureInvariant)]
    private static partial Regex DurationSyntax();

    /// <summary>Parts in any order, each NAME=value; those that would make a repetition more frequent than daily, or never go on, are none.</summary>
    [GeneratedRegex(
        @"^(?=(.*;)?FREQ=)((FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)|(INTERVAL|COUNT)=0*[1-9][0-9]{0,5}|(UNTIL|WKST|BYDAY|BYMONTHDAY|BYYEARDAY|BYWEEKNO|BYMONTH|BYSETPOS)=[0-9A-Z,+-]+)(;|$))+$",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex RuleSyntax();
}
