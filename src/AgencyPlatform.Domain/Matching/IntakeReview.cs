using System.Collections.Immutable;
using AgencyPlatform.Domain.Clients;

namespace AgencyPlatform.Domain.Matching;

/// <summary>What others tell of an intake: clients that it may be of, and how much like companies took. Source: docs/matching.md.</summary>
public static class IntakeReview
{
    public const int MostDuplicates = 10;
    public const int MostLike = 20;

    // What tells nothing apart: how a company is incorporated.
    private static readonly ImmutableHashSet<string> s_forms =
    [
        "ag", "bv", "co", "company", "corp", "corporation", "gmbh", "inc", "incorporated", "kg", "limited", "llc", "llp", "ltd", "nv", "plc", "pte", "pty", "sa", "sarl", "sas", "se", "srl", "the",
    ];

    /// <summary>A company's name as it is compared: its letters and digits in lower case, without how it is incorporated.</summary>
    public static string Likened(string company)
    {
        var words = new string([.. company.Where(c => char.IsLetterOrDigit(c) || char.IsWhiteSpace(c) || c is '-' or '/' or ',').Select(c => char.IsLetterOrDigit(c) ? char.ToLowerInvariant(c) : ' ')])
            .Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var telling = words.Where(w => !s_forms.Contains(w)).ToArray();
        return string.Concat(telling.Length > 0 ? telling : words);
    }

    /// <summary>Clients whose name is like the intake's company, by id. One that the intake says it is of is none.</summary>
    public static ImmutableArray<ClientRow> Duplicates(IntakeBrief brief, IEnumerable<ClientRow> clients) =>
        brief.Client is not null || Likened(brief.Company) is not { Length: > 0 } name
            ? []
            : [.. clients.Where(c => Likened(c.DisplayName) == name).OrderBy(c => c.Id).Take(MostDuplicates)];

    /// <summary>
    /// The minutes a month that like companies took: the median of the converted intakes that share two of growth stage, industry and size (half to double the headcount), the
    /// lower one of two. Null: there is none like it.
    /// </summary>
    public static (int? MonthlyMinutes, ImmutableArray<IntakeRow> Like) Hours(IntakeBrief brief, IEnumerable<IntakeRow> intakes)
    {
        var like = intakes.Where(i => i is { State: IntakeState.Converted, MonthlyMinutes: not null } && Alike(brief, i) >= 2).OrderBy(i => i.MonthlyMinutes).ThenBy(i => i.Id).ToList();
        return like.Count == 0 ? (null, []) : (like[(like.Count - 1) / 2].MonthlyMinutes, [.. like.OrderBy(i => i.Id).Take(MostLike)]);
    }

    private static int Alike(IntakeBrief brief, IntakeRow other) =>
        (brief.Stage is { } stage && other.Stage == stage ? 1 : 0)
        + (brief.Industry.Length > 0 && other.Industry == brief.Industry ? 1 : 0)
        + (brief.Headcount is { } headcount && other.Headcount is { } theirs && theirs * 2L >= headcount && theirs <= headcount * 2L ? 1 : 0);
}
