using System.Collections.Immutable;

namespace AgencyPlatform.Domain.Cmos;

/// <summary>How far a company has grown. Neighbours in this order are alike.</summary>
public enum GrowthStage
{
    /// <summary>Looks for what it sells and to whom.</summary>
    Startup,

    /// <summary>Sells it again and again, by its founders.</summary>
    Early,

    /// <summary>Grows with a team that sells and markets.</summary>
    Growth,

    /// <summary>Grows in many markets or lines at once.</summary>
    Scale,

    /// <summary>Holds and renews what it has.</summary>
    Mature,
}

/// <summary>Where the work is done.</summary>
public enum WorkMode
{
    /// <summary>From wherever the CMO is.</summary>
    Remote,

    /// <summary>Some days at the client's.</summary>
    Hybrid,

    /// <summary>At the client's.</summary>
    OnSite,
}

/// <summary>What a CMO has led and can do: what matching looks at. Words are ids, each once and in ordinal order, so that the same thing is the same word.</summary>
/// <param name="Stages">Of the companies that the CMO has led marketing of.</param>
/// <param name="Headcounts">Of those companies; null: not said.</param>
/// <param name="Languages">ISO 639 codes.</param>
/// <param name="Rates">What a client is asked for an hour, at most one in each currency.</param>
/// <param name="WorkModes">Empty: remote only.</param>
/// <param name="Styles">Values and ways of working.</param>
/// <param name="NoticeDays">Days from today that the CMO needs before they begin.</param>
[GenerateSerializer, Immutable, Alias("cmo.expertise")]
public sealed record CmoExpertise(
    ImmutableArray<GrowthStage> Stages,
    HeadcountRange? Headcounts,
    ImmutableArray<string> Industries,
    ImmutableArray<string> Specialisms,
    int YearsLeading,
    ImmutableArray<string> Languages,
    ImmutableArray<Money> Rates,
    ImmutableArray<WorkMode> WorkModes,
    ImmutableArray<string> Styles,
    int NoticeDays,
    string Summary,
    ImmutableArray<CmoPosition> History,
    ImmutableArray<CmoCase> Cases)
{
    public const int MostWords = 50;
    public const int MostLanguages = 20;
    public const int MostRates = 20;
    public const int MostEntries = 50;
    public const int MostYears = 60;
    public const int MostHeadcount = 10_000_000;
    public const int MostNoticeDays = 365;

    /// <summary>Nothing is said.</summary>
    public static CmoExpertise None { get; } = new([], null, [], [], 0, [], [], [], [], 0, "", [], []);

    /// <summary>What an hour is asked for in a currency; null: not said.</summary>
    public Money? RateIn(Currency currency)
    {
        foreach (var rate in Rates)
        {
            if (rate.Currency == currency)
            {
                return rate;
            }
        }

        return null;
    }

    /// <summary>Of it what tells nobody who the CMO is: no names, texts or prices.</summary>
    public CmoExpertise Anonymous() => this with
    {
        Industries = [.. Industries.Concat(Cases.Select(c => c.Industry)).Where(i => i.Length > 0).Distinct().Order(StringComparer.Ordinal)],
        Rates = [],
        Summary = "",
        History = [],
        Cases = [],
    };

    /// <summary>Whether the CMO knows an industry, by the list or by a case.</summary>
    public bool Knows(string industry) => Industries.Contains(industry) || Cases.Any(c => c.Industry == industry);

    public bool Works(WorkMode mode) => WorkModes.IsEmpty ? mode == WorkMode.Remote : WorkModes.Contains(mode);
}

/// <summary>People of a company, both ends included.</summary>
[GenerateSerializer, Immutable, Alias("cmo.headcounts")]
public sealed record HeadcountRange(int From, int To);

/// <summary>A position that the CMO has held; an open end goes on.</summary>
[GenerateSerializer, Immutable, Alias("cmo.position")]
public sealed record CmoPosition(string Company, string Title, DateRange Dates, string Note);

/// <summary>What the CMO has done for a company, to be told to others.</summary>
/// <param name="Industry">A word; empty: not said.</param>
[GenerateSerializer, Immutable, Alias("cmo.case")]
public sealed record CmoCase(string Title, string Industry, GrowthStage? Stage, string Summary, string Outcome);

/// <summary>A person who speaks for the CMO. The name is in the people vault.</summary>
/// <param name="Relation">What the person was to the CMO.</param>
[GenerateSerializer, Immutable, Alias("cmo.reference")]
public sealed record CmoReference(CmoReferenceId Id, PersonId Person, string Company, string Relation, string Note, bool MayBeContacted);

// ---- commands ----

/// <param name="Reference">Its person is of the CMO and the id: see <see cref="FractionalCmo.PersonOf"/>.</param>
[GenerateSerializer, Immutable, Alias("cmo.put-reference")]
public sealed record PutCmoReference(CmoReference Reference, PersonDetails Details);

// ---- events ----

[Event("cmo.reference-put"), GenerateSerializer, Immutable, Alias("cmo.reference-put")]
public sealed record CmoReferencePut(CmoReference Reference) : IEvent;

[Event("cmo.reference-removed"), GenerateSerializer, Immutable, Alias("cmo.reference-removed")]
public sealed record CmoReferenceRemoved(CmoReferenceId Id) : IEvent;

/// <summary>The people who speak for a CMO.</summary>
public sealed partial record FractionalCmo
{
    public const int MostReferences = 50;

    /// <summary>The person of a reference, whom nobody else names.</summary>
    public static PersonId PersonOf(CmoId cmo, CmoReferenceId reference) => new(IdSyntax.Fitting($"{cmo}-reference-{reference}"));

    public Decision PutReference(PutCmoReference command) => Known(() =>
        References.Count >= MostReferences && !References.ContainsKey(command.Reference.Id)
            ? Rejection.Invalid(new FieldViolation("reference", $"must be at most {MostReferences} of a CMO"))
            : Decision.Accept(new CmoReferencePut(command.Reference)).With(new PersonWrite(command.Reference.Person, command.Details)));

    public Decision RemoveReference(CmoReferenceId id) => Known(() =>
        References.TryGetValue(id, out var reference)
            ? Decision.Accept(new CmoReferenceRemoved(id)).With(new PersonWrite(reference.Person, null))
            : Rejection.NotFound("reference", id.Value));
}
