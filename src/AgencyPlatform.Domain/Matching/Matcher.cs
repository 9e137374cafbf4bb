using System.Collections.Immutable;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Cmos;
using NodaTime;

namespace AgencyPlatform.Domain.Matching;

/// <summary>What a CMO must pass to be scored at all, in the order in which those who fall out are counted.</summary>
public enum MatchRule
{
    /// <summary>Lacks something that the intake must have.</summary>
    MustHaves,

    /// <summary>A month would cost more than the budget, or nobody knows what it costs in its currency.</summary>
    Budget,

    /// <summary>Does not work at the same time for long enough.</summary>
    WorkingHours,

    /// <summary>A competitor is booked with the CMO within the cooling-off time.</summary>
    CompetitorFence,

    /// <summary>Would have more clients than they take.</summary>
    MaxClients,

    /// <summary>Has no room over the period.</summary>
    Capacity,
}

/// <summary>What one part gives to a score.</summary>
/// <param name="Points">In 1/10,000, 0 to <paramref name="MostPoints"/>.</param>
/// <param name="Why">For people.</param>
public sealed record MatchReason(MatchPart Part, int Points, int MostPoints, string Why);

/// <summary>A CMO who comes into question.</summary>
/// <param name="Score">In 1/10,000: the sum of the reasons' points.</param>
/// <param name="MonthlyCost">What a month is asked for, in the budget's currency; null: no budget is stated.</param>
public sealed record Match(CmoId Cmo, int Score, ImmutableArray<MatchReason> Reasons, Money? MonthlyCost);

/// <summary>A rule that a CMO does not pass.</summary>
/// <param name="Refusal">Of the capacity's own rules: what it says.</param>
public sealed record MatchFailure(MatchRule Rule, string Why, CapacityRefusal? Refusal);

/// <summary>A CMO who does not come into question, with every rule that they do not pass, in order.</summary>
public sealed record Unmatched(CmoId Cmo, ImmutableArray<MatchFailure> Failures);

/// <param name="Matches">The highest score first, ties by id.</param>
/// <param name="Unmatched">By id.</param>
/// <param name="Removed">How many each rule has removed, each CMO counted by the first that they do not pass: with the matches they sum to all who were asked.</param>
public sealed record MatchResult(ImmutableArray<Match> Matches, ImmutableArray<Unmatched> Unmatched, ImmutableArray<(MatchRule Rule, int Count)> Removed);

/// <summary>
/// Who fits an intake: hard rules take those out who do not come into question, and the rest are scored by stated weights, each part explained. Whole numbers only; the same
/// input gives the same order, whatever order the CMOs come in. Source: docs/matching.md.
/// </summary>
public static class Matcher
{
    /// <summary>A score of all.</summary>
    public const int AllPoints = 10_000;

    /// <summary>From so many years of leading marketing on, more add nothing.</summary>
    public const int FullYears = 15;

    /// <summary>Who would begin later than this many days after the start has no points for it.</summary>
    public const int LatestDays = 30;

    private static readonly ImmutableArray<MatchPart> s_parts = [.. Enum.GetValues<MatchPart>()];

    /// <summary>Why nobody could be put before anybody; null: they can.</summary>
    public static Rejection? Refuse(IntakeBrief brief, MatchWeights weights) => s_parts.Any(part => weights.Of(part) > 0 && Says(brief, part))
        ? null
        : Rejection.Rule(
            Reasons.NothingToScore, "All that has weight is something that the intake does not say: fill one of those in, or give weight to something else.",
            ("weighed", string.Join(",", s_parts.Where(part => weights.Of(part) > 0).Select(part => part.ToString().ToLowerInvariant()))));

    /// <param name="brief">Says when, and for how many minutes a month.</param>
    /// <param name="today">For who needs notice.</param>
    public static MatchResult Rank(IntakeBrief brief, MatchWeights weights, LocalDate today, IEnumerable<CmoCandidate> candidates)
    {
        // What the intake does not say is weighed by nothing: all points are of what it says.
        var most = Rounding.Split(AllPoints, [.. s_parts.Select(part => Says(brief, part) ? (long)weights.Of(part) : 0)]);
        var (matches, unmatched) = (new List<Match>(), new List<Unmatched>());
        foreach (var candidate in candidates.DistinctBy(c => c.Cmo))
        {
            var failures = Failures(brief, candidate);
            if (failures.IsEmpty)
            {
                matches.Add(Scored(brief, today, candidate, most));
            }
            else
            {
                unmatched.Add(new Unmatched(candidate.Cmo, failures));
            }
        }

        return new MatchResult(
            [.. matches.OrderByDescending(m => m.Score).ThenBy(m => m.Cmo)], [.. unmatched.OrderBy(u => u.Cmo)],
            [.. Enum.GetValues<MatchRule>().Select(rule => (rule, unmatched.Count(u => u.Failures[0].Rule == rule)))]);
    }

    /// <summary>Minutes of a day at which two work at the same time, each by the clocks of their own zone, on a date of the first's.</summary>
    public static int Overlap(WorkingHours one, DateTimeZone zone, WorkingHours other, DateTimeZone otherZone, LocalDate date)
    {
        var (start, end) = Span(one, zone, date);
        var minutes = 0L;
        foreach (var days in (ReadOnlySpan<int>)[-1, 0, 1])
        {
            var (from, to) = Span(other, otherZone, date.PlusDays(days));
            minutes += Math.Max(0, (long)(Instant.Min(end, to) - Instant.Max(start, from)).TotalMinutes);
        }

        return (int)minutes;

        static (Instant, Instant) Span(WorkingHours hours, DateTimeZone zone, LocalDate date)
        {
            // Of the day's clock, so that a day on which clocks are changed is like any other.
            var noon = zone.AtLeniently(date.At(LocalTime.Noon)).ToInstant();
            return (noon + Duration.FromMinutes(hours.StartMinute - 720), noon + Duration.FromMinutes(hours.EndMinute - 720));
        }
    }

    // ---- rules ----

    private static ImmutableArray<MatchFailure> Failures(IntakeBrief brief, CmoCandidate candidate)
    {
        var failures = ImmutableArray.CreateBuilder<MatchFailure>();
        var expertise = candidate.Profile.Expertise ?? CmoExpertise.None;
        if (Lacking(brief, expertise) is { Count: > 0 } lacking)
        {
            failures.Add(new MatchFailure(MatchRule.MustHaves, $"Lacks {string.Join(", ", lacking)}.", null));
        }

        if (brief.MonthlyBudget is { } budget)
        {
            if (Cost(brief, expertise) is not { } cost)
            {
                failures.Add(new MatchFailure(MatchRule.Budget, $"States no rate in {budget.Currency}: nothing is converted.", null));
            }
            else if (cost.Minor > budget.Minor)
            {
                failures.Add(new MatchFailure(MatchRule.Budget, $"A month would cost {Shown(cost)}, {Shown(new Money(cost.Minor - budget.Minor, cost.Currency))} more than the budget.", null));
            }
        }

        if (brief.OverlapMinutes > 0)
        {
            var overlap = Overlap(brief.Hours ?? WorkingHours.Usual, Zone(brief.TimeZone), candidate.Hours, Zone(candidate.Profile.TimeZone), brief.Start!.Value);
            if (overlap < brief.OverlapMinutes)
            {
                failures.Add(new MatchFailure(MatchRule.WorkingHours, $"Works {overlap} minutes of the day at the same time; {brief.OverlapMinutes} are asked for.", null));
            }
        }

        if (candidate.Refusal is { } refusal)
        {
            var rule = refusal.Rule switch
            {
                CapacityRule.CompetitorFence => MatchRule.CompetitorFence,
                CapacityRule.MaxClients => MatchRule.MaxClients,
                _ => MatchRule.Capacity,
            };
            failures.Add(new MatchFailure(rule, refusal.Message, refusal));
        }

        return failures.ToImmutable();
    }

    private static List<string> Lacking(IntakeBrief brief, CmoExpertise expertise)
    {
        var must = brief.MustHaves;
        List<string> lacking =
        [
            .. must.Specialisms.Where(s => !expertise.Specialisms.Contains(s)).Select(s => $"the specialism {s}"),
            .. must.Industries.Where(i => !expertise.Knows(i)).Select(i => $"the industry {i}"),
            .. must.Languages.Where(l => !expertise.Languages.Contains(l)).Select(l => $"the language {l}"),
        ];
        if (expertise.YearsLeading < must.YearsLeading)
        {
            lacking.Add($"{must.YearsLeading - expertise.YearsLeading} of {must.YearsLeading} years of leading marketing");
        }

        if (must.WorkMode && brief.WorkMode is { } mode && !expertise.Works(mode))
        {
            lacking.Add(mode switch { WorkMode.OnSite => "work on site", WorkMode.Hybrid => "hybrid work", _ => "remote work" });
        }

        return lacking;
    }

    /// <summary>What a month is asked for in the budget's currency.</summary>
    private static Money? Cost(IntakeBrief brief, CmoExpertise expertise) =>
        brief.MonthlyBudget is { } budget && expertise.RateIn(budget.Currency) is { } rate ? rate.Times(brief.MonthlyMinutes!.Value, 60) : null;

    // ---- score ----

    /// <summary>Whether the intake says what this part compares.</summary>
    private static bool Says(IntakeBrief brief, MatchPart part) => part switch
    {
        MatchPart.Stage => brief.Stage is not null,
        MatchPart.Headcount => brief.Headcount is not null,
        MatchPart.Industry => brief.Industry.Length > 0,
        MatchPart.Specialism => brief.Specialisms.Length > 0,
        MatchPart.Budget => brief.MonthlyBudget is not null,
        MatchPart.Style => brief.Styles.Length > 0,
        _ => true,
    };

    private static Match Scored(IntakeBrief brief, LocalDate today, CmoCandidate candidate, long[] most)
    {
        var expertise = candidate.Profile.Expertise ?? CmoExpertise.None;
        var reasons = ImmutableArray.CreateBuilder<MatchReason>();
        var score = 0;
        for (var i = 0; i < s_parts.Length; i++)
        {
            if (most[i] == 0)
            {
                continue;
            }

            var (fit, why) = Fit(s_parts[i], brief, today, expertise);
            var points = (int)Rounding.HalfUp(most[i] * fit, AllPoints);
            score += points;
            reasons.Add(new MatchReason(s_parts[i], points, (int)most[i], why));
        }

        return new Match(candidate.Cmo, score, reasons.ToImmutable(), Cost(brief, expertise));
    }

    /// <summary>How well a part fits, 0 to <see cref="AllPoints"/>.</summary>
    private static (long Fit, string Why) Fit(MatchPart part, IntakeBrief brief, LocalDate today, CmoExpertise expertise) => part switch
    {
        MatchPart.Stage => Stage(brief.Stage!.Value, expertise),
        MatchPart.Headcount => Headcount(brief.Headcount!.Value, expertise.Headcounts),
        MatchPart.Industry => expertise.Knows(brief.Industry) ? (AllPoints, $"Knows {brief.Industry}.") : (0, $"Has not worked in {brief.Industry}."),
        MatchPart.Specialism => Shared(brief.Specialisms, expertise.Specialisms),
        MatchPart.Years => (Math.Min(expertise.YearsLeading, FullYears) * (long)AllPoints / FullYears, $"Has led marketing for {expertise.YearsLeading} years; {FullYears} are enough for all points."),
        MatchPart.Budget => Budget(brief.MonthlyBudget!.Value, Cost(brief, expertise)!.Value),
        MatchPart.Timeline => Timeline(brief.Start!.Value, today.PlusDays(expertise.NoticeDays)),
        MatchPart.Style => Shared(brief.Styles, expertise.Styles),
        _ => throw new ArgumentOutOfRangeException(nameof(part), part, "No part of a match."),
    };

    private static (long, string) Stage(GrowthStage asked, CmoExpertise expertise)
    {
        var nearest = expertise.Stages.IsEmpty ? int.MaxValue : expertise.Stages.Min(stage => Math.Abs(stage - asked));
        return nearest switch
        {
            0 => (AllPoints, $"Has led at the stage {Word(asked)}."),
            1 => (AllPoints / 2, $"Has led at a stage beside {Word(asked)}."),
            _ => (0, $"Has not led at the stage {Word(asked)}, nor beside it."),
        };
    }

    private static (long, string) Headcount(int asked, HeadcountRange? led) => led is null ? (0, "States no headcounts.")
        : asked < led.From ? ((long)asked * AllPoints / led.From, $"Has led from {led.From} people on; there are {asked}.")
        : asked > led.To ? ((long)led.To * AllPoints / asked, $"Has led up to {led.To} people; there are {asked}.")
        : (AllPoints, $"Has led {led.From} to {led.To} people; there are {asked}.");

    private static (long, string) Shared(ImmutableArray<string> wanted, ImmutableArray<string> has)
    {
        var shared = wanted.Where(w => has.Contains(w)).ToList();
        return ((long)shared.Count * AllPoints / wanted.Length, $"{shared.Count} of {wanted.Length}{(shared.Count > 0 ? ": " + string.Join(", ", shared) : "")}.");
    }

    /// <summary>All points when a quarter of the budget is left.</summary>
    private static (long, string) Budget(Money budget, Money cost)
    {
        var left = budget.Minor - cost.Minor;
        var fit = budget.Minor == 0 ? AllPoints : (long)System.Numerics.BigInteger.Min(AllPoints, (System.Numerics.BigInteger)left * 4 * AllPoints / budget.Minor);
        return (fit, $"A month costs {Shown(cost)}, {Shown(new Money(left, budget.Currency))} of the budget are left; a quarter is enough for all points.");
    }

    private static (long, string) Timeline(LocalDate start, LocalDate ready)
    {
        var late = Math.Max(0, Period.DaysBetween(start, ready));
        return late == 0
            ? (AllPoints, $"Can begin on {start:uuuu-MM-dd}.")
            : ((long)Math.Max(0, LatestDays - late) * AllPoints / LatestDays, $"Can begin on {ready:uuuu-MM-dd}, {late} days after the start.");
    }

    private static string Word(GrowthStage stage) => stage.ToString().ToLowerInvariant();

    private static string Shown(Money money) => money.ToString();

    private static DateTimeZone Zone(string id) => DateTimeZoneProviders.Tzdb[id];
}
