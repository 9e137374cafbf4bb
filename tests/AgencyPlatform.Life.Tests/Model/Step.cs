using System.Collections.Immutable;
using NodaTime;

namespace AgencyPlatform.Life.Tests.Model;

/// <summary>One dated step of a booking: minutes a week over some days, or minutes on named dates.</summary>
/// <param name="Until">Exclusive; null: open.</param>
internal sealed record Step(LocalDate From, LocalDate? Until, int Weekly, ImmutableSortedDictionary<LocalDate, int>? Dates = null)
{
    public static Step Named(ImmutableSortedDictionary<LocalDate, int> dates) => new(dates.Keys.First(), dates.Keys.Last().PlusDays(1), 0, dates);

    /// <summary>The least that is agreed for a week or day.</summary>
    public int Least => Dates is null ? Weekly : Dates.Values.Min();

    public bool Covers(LocalDate day) => day >= From && (Until is not { } until || day < until);

    public override string ToString() =>
        $"{(Dates is null ? $"{Weekly}" : string.Join("+", Dates.Select(d => $"{d.Key:MM-dd}:{d.Value}")))} [{From:uuuu-MM-dd}, {Until:uuuu-MM-dd})";
}

internal static class Steps
{
    /// <summary>What lies before a date.</summary>
    public static ImmutableArray<Step> Before(this IEnumerable<Step> steps, LocalDate end) =>
    [
        .. steps.Where(s => s.From < end)
            .Select(s => s with { Until = s.Until is { } until && until < end ? until : end, Dates = s.Dates?.Where(d => d.Key < end).ToImmutableSortedDictionary() })
            .Where(s => s.Dates is not { IsEmpty: true }),
    ];

    /// <summary>What lies on or after a date.</summary>
    public static ImmutableArray<Step> After(this IEnumerable<Step> steps, LocalDate start) =>
    [
        .. steps.Where(s => s.Until is not { } until || until > start)
            .Select(s => s with { From = LocalDate.Max(s.From, start), Dates = s.Dates?.Where(d => d.Key >= start).ToImmutableSortedDictionary() })
            .Where(s => s.Dates is not { IsEmpty: true }),
    ];

    /// <summary>A share of the minutes, half up; what comes to nothing is left out.</summary>
    public static ImmutableArray<Step> Share(this IEnumerable<Step> steps, int percent) =>
        [.. steps.Select(s => s with { Weekly = Whole.HalfUp((long)s.Weekly * percent, 100) }).Where(s => s.Weekly > 0)];

    public static string Text(this IEnumerable<Step> steps) => string.Join(" ", steps);
}

internal static class Whole
{
    /// <summary>a ÷ b, half up, of numbers that are not negative.</summary>
    public static int HalfUp(long a, long b) => (int)((2 * a + b) / (2 * b));
}
