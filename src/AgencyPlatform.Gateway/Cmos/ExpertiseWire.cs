using System.Collections.Immutable;
using System.Text.RegularExpressions;
using AgencyPlatform.Domain.Cmos;
using GrowthStage = AgencyPlatform.Domain.Cmos.GrowthStage;
using V1 = AgencyPlatform.Protocol.Cmos.V1;
using WorkingHours = AgencyPlatform.Domain.Capacity.WorkingHours;
using WorkMode = AgencyPlatform.Domain.Cmos.WorkMode;

namespace AgencyPlatform.Gateway.Cmos;

/// <summary>What CMOs have led and can do, between the wire and the domain. Intakes ask for it in the same words.</summary>
internal static partial class ExpertiseWire
{
    private const int MostText = 2_000;

    /// <summary>Null where nothing is said.</summary>
    public static CmoExpertise? Expertise(string path, V1.Expertise? wire, Fields fields)
    {
        if (wire is null)
        {
            return null;
        }

        var rates = Each($"{path}.hourly_rates", wire.HourlyRates, CmoExpertise.MostRates, fields, (at, rate) => fields.Money(at, rate));
        var known = rates.Where((_, i) => !fields.Has($"{path}.hourly_rates[{i}].currency")).ToList();
        fields.Require(known.DistinctBy(r => r.Currency).Count() == known.Count, $"{path}.hourly_rates", "must be at most one in each currency");
        return new CmoExpertise(
            Enums<V1.GrowthStage, GrowthStage>($"{path}.growth_stages", wire.GrowthStages, fields),
            Headcounts(path, wire, fields),
            Words($"{path}.industries", wire.Industries, fields),
            Words($"{path}.specialisms", wire.Specialisms, fields),
            fields.Number($"{path}.years_leading", wire.YearsLeading, 0, CmoExpertise.MostYears, "years"),
            Languages($"{path}.languages", wire.Languages, fields),
            rates,
            Enums<V1.WorkMode, WorkMode>($"{path}.work_modes", wire.WorkModes, fields),
            Words($"{path}.styles", wire.Styles, fields),
            fields.Number($"{path}.notice_days", wire.NoticeDays, 0, CmoExpertise.MostNoticeDays, "days"),
            fields.LongText($"{path}.summary", wire.Summary, MostText),
            Each($"{path}.history", wire.History, CmoExpertise.MostEntries, fields, (at, position) => new CmoPosition(
                fields.Text($"{at}.company", position.Company, 200), fields.Text($"{at}.title", position.Title, 200),
                fields.OpenRange($"{at}.start_date", position.StartDate, $"{at}.end_date", position.EndDate), fields.LongText($"{at}.note", position.Note, MostText))),
            Each($"{path}.cases", wire.Cases, CmoExpertise.MostEntries, fields, (at, done) => new CmoCase(
                fields.Text($"{at}.title", done.Title, 200), Word($"{at}.industry", done.Industry, fields), Stage($"{at}.growth_stage", done.GrowthStage, fields),
                fields.LongText($"{at}.summary", done.Summary, MostText), fields.LongText($"{at}.outcome", done.Outcome, 500))));
    }

    public static V1.Expertise? ToWire(CmoExpertise? expertise) => expertise is null ? null : new V1.Expertise
    {
        GrowthStages = { expertise.Stages.Select(s => s.ToWire<V1.GrowthStage>()) },
        HeadcountFrom = expertise.Headcounts?.From ?? 0,
        HeadcountTo = expertise.Headcounts?.To ?? 0,
        Industries = { expertise.Industries },
        Specialisms = { expertise.Specialisms },
        YearsLeading = expertise.YearsLeading,
        Languages = { expertise.Languages },
        HourlyRates = { expertise.Rates.Select(r => r.ToWire()) },
        WorkModes = { expertise.WorkModes.Select(m => m.ToWire<V1.WorkMode>()) },
        Styles = { expertise.Styles },
        NoticeDays = expertise.NoticeDays,
        Summary = expertise.Summary,
        History =
        {
            expertise.History.Select(p => new V1.Position { Company = p.Company, Title = p.Title, StartDate = p.Dates.Start.ToWire(), EndDate = p.Dates.End.ToWire(), Note = p.Note }),
        },
        Cases =
        {
            expertise.Cases.Select(c => new V1.Case
            {
                Title = c.Title, Industry = c.Industry, GrowthStage = c.Stage?.ToWire<V1.GrowthStage>() ?? V1.GrowthStage.Unspecified, Summary = c.Summary, Outcome = c.Outcome,
            }),
        },
    };

    /// <summary>Hours of the day; null where they are not said.</summary>
    public static WorkingHours? Hours(string path, V1.WorkingHours? wire, Fields fields)
    {
        if (wire is null)
        {
            return null;
        }

        var start = fields.Number($"{path}.start_minute", wire.StartMinute, 0, 1_439, "minutes after midnight");
        var end = fields.Number($"{path}.end_minute", wire.EndMinute, 1, 1_440, "minutes after midnight");
        fields.Require(end > start || fields.Has($"{path}.end_minute"), $"{path}.end_minute", "must be after start_minute");
        return new WorkingHours(start, end);
    }

    public static V1.WorkingHours? ToWire(WorkingHours? hours) => hours is null ? null : new V1.WorkingHours { StartMinute = hours.StartMinute, EndMinute = hours.EndMinute };

    /// <summary>Words, each once and in order.</summary>
    public static ImmutableArray<string> Words(string path, IReadOnlyList<string> wire, Fields fields) =>
        Ordered(Each(path, wire, CmoExpertise.MostWords, fields, (at, word) => fields.Id<Spelled>(at, word).Value));

    /// <summary>One word, or empty.</summary>
    public static string Word(string path, string wire, Fields fields) => wire.Length == 0 ? "" : fields.Id<Spelled>(path, wire).Value;

    /// <summary>Languages, each once and in order.</summary>
    public static ImmutableArray<string> Languages(string path, IReadOnlyList<string> wire, Fields fields) =>
        Ordered(Each(path, wire, CmoExpertise.MostLanguages, fields, (at, language) =>
        {
            fields.Require(LanguageCode().IsMatch(language), at, "must be a language of ISO 639, such as en");
            return language;
        }));

    /// <summary>Null where it is not said.</summary>
    public static GrowthStage? Stage(string path, V1.GrowthStage wire, Fields fields) => wire == 0 ? null : fields.Enum<V1.GrowthStage, GrowthStage>(path, wire);

    /// <summary>Null where it is not said.</summary>
    public static WorkMode? Mode(string path, V1.WorkMode wire, Fields fields) => wire == 0 ? null : fields.Enum<V1.WorkMode, WorkMode>(path, wire);

    private static HeadcountRange? Headcounts(string path, V1.Expertise wire, Fields fields)
    {
        if (wire is { HeadcountFrom: 0, HeadcountTo: 0 })
        {
            return null;
        }

        var from = fields.Number($"{path}.headcount_from", wire.HeadcountFrom, 1, CmoExpertise.MostHeadcount, "people");
        var to = fields.Number($"{path}.headcount_to", wire.HeadcountTo, 1, CmoExpertise.MostHeadcount, "people");
        fields.Require(to >= from || fields.Has($"{path}.headcount_to"), $"{path}.headcount_to", "must not be below headcount_from");
        return new HeadcountRange(from, to);
    }

    private static ImmutableArray<TDomain> Enums<TWire, TDomain>(string path, IReadOnlyList<TWire> wire, Fields fields)
        where TWire : struct, System.Enum where TDomain : struct, System.Enum =>
        [.. Each(path, wire, CmoExpertise.MostWords, fields, (at, value) => fields.Enum<TWire, TDomain>(at, value)).Distinct().Order()];

    private static ImmutableArray<T> Each<TWire, T>(string path, IReadOnlyList<TWire> wire, int most, Fields fields, Func<string, TWire, T> read)
    {
        fields.Require(wire.Count <= most, path, $"must be at most {most}; they are {wire.Count}");
        return [.. wire.Take(most).Select((value, i) => read($"{path}[{i}]", value))];
    }

    private static ImmutableArray<string> Ordered(ImmutableArray<string> words) => [.. words.Distinct().Order(StringComparer.Ordinal)];

    [GeneratedRegex("^[a-z]{2,3}$")]
    private static partial Regex LanguageCode();

    /// <summary>A word, for its syntax.</summary>
    private readonly record struct Spelled(string Value) : IId<Spelled>
    {
        public static Spelled Of(string value) => new(value);
    }
}
