using System.Collections.Immutable;
using AgencyPlatform.Domain.Capacity;
using NodaTime;

namespace AgencyPlatform.Domain.Cmos;

/// <summary>Time off from calendar files: docs/calendars.md.</summary>
public sealed partial record FractionalCmo
{
    private const string ImportPrefix = "ical-";
    private const int WholeDay = 1_440;

    /// <summary>How many digits an imported event's source has.</summary>
    public const int SourceLength = 16;

    /// <summary>The imported event that time off comes from; null: it comes from no file.</summary>
    public static string? SourceOf(TimeOffId id) =>
        id.Value.Length == ImportPrefix.Length + SourceLength + 9 && id.Value.StartsWith(ImportPrefix, StringComparison.Ordinal) ? id.Value.Substring(ImportPrefix.Length, SourceLength) : null;

    /// <summary>
    /// Puts the days of a file's events in place of what the same events made before. Days that are off by anything else stay as they are, and so does all
    /// that lies outside the days looked at.
    /// </summary>
    public Decision ImportTimeOff(ImportTimeOff command, Instant now) => Known(() =>
    {
        var within = command.Within;
        var sources = command.Events.Select(e => e.Source).ToHashSet(StringComparer.Ordinal);
        var known = Calendar.TimeOff.Values.ToLookup(t => SourceOf(t.Id) is { } source && sources.Contains(source) ? source : "");
        var off = known[""].SelectMany(t => t.Dates.Intersect(within) is { } both ? Days(both) : []).ToHashSet();
        var put = ImmutableArray.CreateBuilder<TimeOff>();
        var removed = ImmutableArray.CreateBuilder<TimeOffId>();
        var outcomes = ImmutableSortedDictionary.CreateBuilder<string, ImportOutcome>(StringComparer.Ordinal);
        foreach (var (source, days) in command.Events)
        {
            var before = known[source].ToDictionary(t => t.Id);
            var wanted = days.Where(d => within.Contains(d.Key) && !off.Contains(d.Key)).ToList();
            var after = Joined(
                source,
                [
                    .. before.Values.SelectMany(t => new[] { t with { End = LocalDate.Min(t.End, within.Start) }, t with { Start = LocalDate.Max(t.Start, within.End!.Value) } }).Where(t => t.Start < t.End),
                    .. wanted.Select(d => new TimeOff(default, d.Key, d.Key.PlusDays(1), d.Value == WholeDay ? TimeOffKind.WholeDays : TimeOffKind.Minutes, d.Value == WholeDay ? 0 : d.Value)),
                ]);
            TimeOff[] changed = [.. after.Where(t => !before.TryGetValue(t.Id, out var same) || same != t)];
            TimeOffId[] gone = [.. before.Keys.Except(after.Select(t => t.Id))];
            put.AddRange(changed);
            removed.AddRange(gone);
            var outcome =
                changed.Length + gone.Length > 0 ? before.Count == 0 ? ImportOutcome.Added : wanted.Count == 0 ? ImportOutcome.Removed : ImportOutcome.Changed
                : wanted.Count > 0 ? ImportOutcome.Unchanged
                : days.IsEmpty ? ImportOutcome.Nothing
                : ImportOutcome.AlreadyOff;
            if (outcome != ImportOutcome.Nothing)
            {
                outcomes[source] = outcome;
            }
        }

        if (Calendar.TimeOff.Count - removed.Count + put.Count(t => !Calendar.TimeOff.ContainsKey(t.Id)) > MostTimeOff)
        {
            return Rejection.Invalid(new FieldViolation("ics", $"must leave the CMO with at most {MostTimeOff} entries of time off over time"));
        }

        LocalDate[] touched = [.. put.Concat(removed.Select(id => Calendar.TimeOff[id])).Concat(put.Where(t => Calendar.TimeOff.ContainsKey(t.Id)).Select(t => Calendar.TimeOff[t.Id])).SelectMany(t => new[] { t.Start, t.End })];
        return Fact(
            new TimeOffImported(put.ToImmutable(), removed.ToImmutable(), outcomes.ToImmutable(), Today(now), Consequences.None),
            touched.DefaultIfEmpty(within.Start).Min(), touched.DefaultIfEmpty(within.Start.PlusDays(1)).Max());
    });

    /// <summary>Days on end that are off alike are one, whose id has its first day.</summary>
    private static List<TimeOff> Joined(string source, IEnumerable<TimeOff> parts)
    {
        var joined = new List<TimeOff>();
        foreach (var part in parts.OrderBy(t => t.Start))
        {
            if (joined is [.., var last] && last.End == part.Start && last.Kind == part.Kind && last.MinutesPerDay == part.MinutesPerDay)
            {
                joined[^1] = last with { End = part.End };
            }
            else
            {
                joined.Add(part with { Id = new TimeOffId($"{ImportPrefix}{source}-{part.Start:uuuuMMdd}") });
            }
        }

        return joined;
    }

    private static IEnumerable<LocalDate> Days(DateRange dates) => Enumerable.Range(0, Period.DaysBetween(dates.Start, dates.End!.Value)).Select(dates.Start.PlusDays);
}
