using System.Collections.Immutable;
using NodaTime;

namespace AgencyPlatform.Domain.Time;

/// <summary>How time comes onto a sheet: logged by hand or by the row, as planned, or told that there was none.</summary>
public sealed partial record Timesheet
{
    /// <param name="timeZone">The CMO's: what today is for them.</param>
    /// <param name="daysAhead">How many days after today may be logged: the agency's tolerance.</param>
    public Decision Log(LogTime command, string timeZone, Instant now, int daysAhead = 0)
    {
        if (Violations(command) is { Length: > 0 } wrong)
        {
            return Rejection.Invalid(wrong.AsSpan());
        }

        var today = Today(timeZone, now);
        var entries = Entries;
        foreach (var row in command.Entries)
        {
            if (RefusedRow(row, today, daysAhead) is { } refused)
            {
                return refused;
            }

            entries = entries.SetItem(row.Id, Draft(row));
        }

        var full = TooMany(entries.Count) ?? command.Entries.Select(e => e.Work.Date).Distinct().Order().Select(d => Overfull(entries, d)).FirstOrDefault(r => r is not null);
        return full is not null ? full
            : command.Entries.All(Stands) ? Decision.Nothing
            : Decision.Accept(Logged(command.Cmo, command.Week, command.Entries));
    }

    /// <summary>
    /// Logs the rows that can be, in their order, each for itself; <see cref="OutcomesOf"/> tells how each came out. A row that stands already, in whatever
    /// state it is by now, counts as logged: the same rows sent again change nothing.
    /// </summary>
    /// <param name="refused">Rows that their engagement refuses.</param>
    public Decision LogEach(LogTime command, ImmutableDictionary<TimeEntryId, Rejection> refused, string timeZone, Instant now, int daysAhead)
    {
        if (Violations(command) is { Length: > 0 } wrong)
        {
            return Rejection.Invalid(wrong.AsSpan());
        }

        var (sheet, logged, refusals) = (this, ImmutableArray.CreateBuilder<LoggedEntry>(), ImmutableArray.CreateBuilder<EntryOutcome>());
        foreach (var row in command.Entries.Where(r => !IsThere(r)))
        {
            if ((refused.GetValueOrDefault(row.Id) ?? sheet.RefusedOf(row, Today(timeZone, now), daysAhead)) is { } refusal)
            {
                refusals.Add(new EntryOutcome(row.Id, refusal));
            }
            else
            {
                sheet = sheet with { Entries = sheet.Entries.SetItem(row.Id, Draft(row)) };
                logged.Add(row);
            }
        }

        ImmutableArray<IEvent> events = logged.Count == 0 ? [] : Logged(command.Cmo, command.Week, logged.ToImmutable());
        return Decision.Accept(refusals.Count == 0 ? events : events.Add(new RowsRefused(refusals.ToImmutable())));
    }

    /// <summary>How the rows of the batch that was the last command came out, in their order: no refusal is logged.</summary>
    public ImmutableArray<EntryOutcome> OutcomesOf(LogTime command)
    {
        var refused = RefusedRows.ToDictionary(r => r.Entry);
        return
        [
            .. command.Entries.Select(row => IsThere(row) ? new EntryOutcome(row.Id, null)
                : refused.GetValueOrDefault(row.Id) ?? new EntryOutcome(row.Id, Rejection.NotFound("time_entry", row.Id.Value))),
        ];
    }

    /// <summary>Logs and submits, in one go, what is booked and has no entry yet.</summary>
    /// <param name="planned">What is booked: see <see cref="Planned"/>.</param>
    public Decision LogAsPlanned(LogTime planned, string timeZone, Instant now, int daysAhead)
    {
        if (planned.Entries.IsEmpty)
        {
            return Rejection.Rule(
                Reasons.NothingPlanned, $"Nothing is booked for {planned.Cmo} in {planned.Week} that takes time: log what was worked, or report that nothing was.",
                ("cmo", planned.Cmo.Value), ("week", planned.Week.ToString()));
        }

        if (NotYetLogged(planned.Entries) is not { IsEmpty: false } open)
        {
            return Decision.Nothing;
        }

        var logged = Log(planned with { Entries = open }, timeZone, now, daysAhead);
        return logged.Rejection is { } refused ? refused : Decision.Accept(logged.Events.Add(new EntriesSubmitted([.. open.Select(e => e.Id)])));
    }

    /// <summary>
    /// The planned entries whose engagement has no entry on their date; one that was sent back is none, and is replaced. An id under which another entry stands
    /// (one that was moved to another day) is left to that: the planned one takes the next.
    /// </summary>
    public ImmutableArray<LoggedEntry> NotYetLogged(ImmutableArray<LoggedEntry> planned) =>
    [
        .. planned.Where(p => !Entries.Values.Any(e => e.Work.Engagement == p.Work.Engagement && e.Work.Date == p.Work.Date && e.State != TimeEntryState.Rejected))
            .Select(p => Enumerable.Range(1, Entries.Count + 1).Select(n => Planned(p.Work.Engagement!.Value, p.Work.Date, p.Work.Minutes, n))
                .First(free => !Entries.TryGetValue(free.Id, out var known) || (known.Work.Engagement, known.Work.Date) == (p.Work.Engagement, p.Work.Date))),
    ];

    /// <summary>The entry that stands for what is booked on a day: its id is always the same, so that a repeat finds it.</summary>
    /// <param name="number">Above 1 where the ids before it are taken.</param>
    public static LoggedEntry Planned(EngagementId engagement, LocalDate date, int minutes, int number = 1)
    {
        var id = $"planned-{Text((int)date.DayOfWeek)}{(number == 1 ? "" : $"x{Text(number)}")}-{engagement}";
        return new LoggedEntry(
            new TimeEntryId(IdSyntax.Fitting(id)),
            new Work(engagement, date, minutes, "", true, true, ""));
    }

    /// <summary>Tells that the week has no work, of a week without entries that count; logging takes it back.</summary>
    public Decision ReportNothingWorked(CmoId cmo, IsoWeek week, string timeZone, Instant now)
    {
        if (NothingWorked)
        {
            return Decision.Nothing;
        }

        if (Today(timeZone, now) < week.Monday())
        {
            return Rejection.Rule(
                Reasons.TimeInFuture, $"The week {week} has not begun for the CMO, whose today is {Text(Today(timeZone, now))}: report it then.",
                ("date", Text(week.Monday())), ("today", Text(Today(timeZone, now))));
        }

        return Entries.Values.Count(Counts) is > 0 and var entries
            ? Rejection.Rule(Reasons.WeekHasEntries, $"The week {week} has {entries} entries: remove them first.", ("week", week.ToString()), ("entries", Text(entries)))
            : Decision.Accept(new NothingWorkedReported(cmo, week));
    }

    // ---- rows ----

    private ImmutableArray<IEvent> Logged(CmoId cmo, IsoWeek week, ImmutableArray<LoggedEntry> entries) =>
        NothingWorked ? [new NothingWorkedWithdrawn(), new TimeLogged(cmo, week, entries)] : [new TimeLogged(cmo, week, entries)];

    private static TimeEntry Draft(LoggedEntry row) => new(row.Id, row.Work, TimeEntryState.Draft, null, null, null);

    /// <summary>A draft with this content stands.</summary>
    private bool Stands(LoggedEntry row) => Entries.TryGetValue(row.Id, out var known) && known.State == TimeEntryState.Draft && known.Work == row.Work;

    /// <summary>An entry with this content stands, whatever became of it but a rejection.</summary>
    private bool IsThere(LoggedEntry row) => Entries.TryGetValue(row.Id, out var known) && known.State != TimeEntryState.Rejected && known.Work == row.Work;

    private static ImmutableArray<FieldViolation> Violations(LogTime command)
    {
        var wrong = ImmutableArray.CreateBuilder<FieldViolation>();
        Check(!command.Entries.IsEmpty, "entries", "must be at least one");
        Check(command.Entries.Select(e => e.Id).Distinct().Count() == command.Entries.Length, "entries", "must have each id once");
        for (var i = 0; i < command.Entries.Length; i++)
        {
            var work = command.Entries[i].Work;
            Check(work.Minutes is >= 1 and <= MinutesOfDay, $"entries[{i}].minutes", $"must be 1 to {MinutesOfDay} minutes");
            Check(IsoWeek.Of(work.Date) == command.Week, $"entries[{i}].date", $"must be a date of the week {command.Week}");
            Check(work.Note.Length <= LongestNote, $"entries[{i}].note", $"must be at most {LongestNote} characters");
            Check(work.Category.Length <= LongestCategory, $"entries[{i}].category", $"must be at most {LongestCategory} characters");
            Check(work.Engagement is not null || work.Category.Length > 0, $"entries[{i}].category", "must say what kind of internal time it is, such as sales or training");
            Check(work.Engagement is not null || !work.Billable, $"entries[{i}].non_billable", "must be true: internal time is never billable");
        }

        return wrong.ToImmutable();

        void Check(bool right, string field, string rule)
        {
            if (!right)
            {
                wrong.Add(new FieldViolation(field, rule));
            }
        }
    }

    /// <summary>Why one row cannot be logged onto this sheet as it is, its day's minutes included; null when it can.</summary>
    private Rejection? RefusedOf(LoggedEntry row, LocalDate today, int daysAhead)
    {
        var entries = Entries.SetItem(row.Id, Draft(row));
        return RefusedRow(row, today, daysAhead) ?? TooMany(entries.Count) ?? Overfull(entries, row.Work.Date);
    }

    private Rejection? RefusedRow(LoggedEntry row, LocalDate today, int daysAhead)
    {
        var (id, work) = row;
        if (work.Date > today.PlusDays(daysAhead))
        {
            return Rejection.Rule(
                Reasons.TimeInFuture,
                daysAhead == 0
                    ? $"{Text(work.Date)} has not come for the CMO, whose today is {Text(today)}: log it then."
                    : $"{Text(work.Date)} is too far ahead for the CMO, whose today is {Text(today)}: at most {daysAhead} days after it may be logged.",
                ("date", Text(work.Date)), ("today", Text(today)), ("days_ahead", Text(daysAhead)));
        }

        if (Entries.TryGetValue(id, out var known))
        {
            if (Refused(known, TimeEntryState.Draft, TimeEntryState.Rejected) is { } refused)
            {
                return refused;
            }

            if (known.Work.Engagement != work.Engagement)
            {
                return Rejection.Rule(
                    Reasons.EntryEngagementFixed,
                    $"The entry {id} is {(known.Work.Engagement is { } engagement ? $"of the engagement {engagement}" : "internal time")}: remove it and log another.",
                    ("entry", id.Value), ("engagement", known.Work.Engagement?.Value ?? ""));
            }
        }

        return work.Corrects is { } corrects && Entries.GetValueOrDefault(corrects)?.State != TimeEntryState.Reversed
            ? Rejection.Rule(
                Reasons.NothingToCorrect, $"The entry {id} is to correct {corrects}, which is no reversed entry of this week: reverse it first.", ("entry", id.Value), ("corrects", corrects.Value))
            : null;
    }

    private static Rejection? TooMany(int entries) =>
        entries > MostEntries ? Rejection.Rule(Reasons.TooManyEntries, $"A timesheet has at most {MostEntries} entries.", ("maximum", Text(MostEntries))) : null;

    private static Rejection? Overfull(ImmutableSortedDictionary<TimeEntryId, TimeEntry> entries, LocalDate day) =>
        entries.Values.Where(e => e.Work.Date == day && Counts(e)).Sum(e => e.Work.Minutes) is > MinutesOfDay and var minutes
            ? Rejection.Rule(
                Reasons.DayOverfull, $"{Text(day)} would have {minutes} minutes over all engagements; a day has at most {MinutesOfDay}.",
                ("date", Text(day)), ("minutes", Text(minutes)), ("maximum", Text(MinutesOfDay)))
            : null;

    private static LocalDate Today(string timeZone, Instant now) => now.InZone(DateTimeZoneProviders.Tzdb[timeZone]).Date;
}

/// <summary>The CMO had no work in the week.</summary>
[Event("timesheet.nothing-worked-reported"), GenerateSerializer, Immutable, Alias("timesheet.nothing-worked-reported")]
public sealed record NothingWorkedReported(CmoId Cmo, IsoWeek Week) : IEvent;

/// <summary>There was work after all: it is logged.</summary>
[Event("timesheet.nothing-worked-withdrawn"), GenerateSerializer, Immutable, Alias("timesheet.nothing-worked-withdrawn")]
public sealed record NothingWorkedWithdrawn : IEvent;

/// <summary>Rows of a batch that could not be logged; the others were. It is the answer to the batch, also to its repeat.</summary>
[Event("timesheet.rows-refused"), GenerateSerializer, Immutable, Alias("timesheet.rows-refused")]
public sealed record RowsRefused(ImmutableArray<EntryOutcome> Rows) : IEvent;

/// <summary>Weeks of which a CMO told that nothing was worked.</summary>
[RowTable("idle_weeks", nameof(Cmo), nameof(Week))]
public sealed record IdleWeekRow(CmoId Cmo, string Week) : IRow;
