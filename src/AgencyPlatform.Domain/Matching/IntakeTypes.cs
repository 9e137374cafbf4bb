using System.Collections.Immutable;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Domain.Engagements;
using NodaTime;

namespace AgencyPlatform.Domain.Matching;

/// <summary>Where an intake stands.</summary>
public enum IntakeState
{
    /// <summary>Being filled in.</summary>
    Open,

    /// <summary>Its client company and its proposal are being made.</summary>
    Converting,

    /// <summary>It has become a client company and a proposal.</summary>
    Converted,

    /// <summary>Nothing came of it.</summary>
    Closed,
}

/// <summary>What a company that asks for help says of itself and of what it needs. What is null or empty is not said yet. Words are as those of <see cref="CmoExpertise"/>.</summary>
/// <param name="Company">The company's name, 1–200 characters; no personal data.</param>
/// <param name="Industry">A word.</param>
/// <param name="TimeZone">IANA id.</param>
/// <param name="Team">Who does marketing there today; no names.</param>
/// <param name="CeoWeeklyMinutes">Minutes a week that the CEO spends on marketing.</param>
/// <param name="Reasons">Why they seek help.</param>
/// <param name="Tried">What was tried, and what came of it.</param>
/// <param name="MonthlyBudget">The most that a month may cost.</param>
/// <param name="MonthlyMinutes">Minutes a month that are asked for.</param>
/// <param name="Start">The first day of the work.</param>
/// <param name="Months">For how many months; null: open.</param>
/// <param name="WorkMode">Where the work is to be done; null: not said.</param>
/// <param name="Location">Where the company is, for work that is not remote.</param>
/// <param name="Hours">The hours of the day at which the company works, in its time zone; null: 9 to 17.</param>
/// <param name="OverlapMinutes">So many minutes of each working day the CMO must work at the same time; 0: no matter.</param>
/// <param name="Specialisms">What is wanted, words.</param>
/// <param name="Styles">Values and ways of working that fit, words.</param>
/// <param name="Client">The client company that it is of, when there is one already.</param>
/// <param name="Competitors">Clients of the agency that the company names as competitors.</param>
/// <param name="ContactTitle">What the contact is there, for example CEO; null: no contact is known. Who it is, is in the people vault.</param>
[GenerateSerializer, Immutable, Alias("intake.brief")]
public sealed record IntakeBrief(
    string Company,
    string Website,
    string Industry,
    string TimeZone,
    GrowthStage? Stage,
    int? Headcount,
    string Team,
    int? CeoWeeklyMinutes,
    ImmutableArray<string> Reasons,
    ImmutableArray<string> Goals,
    string Tried,
    Money? MonthlyBudget,
    int? MonthlyMinutes,
    LocalDate? Start,
    int? Months,
    ServiceType ServiceType,
    WorkMode? WorkMode,
    string Location,
    WorkingHours? Hours,
    int OverlapMinutes,
    ImmutableArray<string> Specialisms,
    ImmutableArray<string> Styles,
    MustHaves MustHaves,
    ClientCompanyId? Client,
    ImmutableSortedSet<ClientCompanyId> Competitors,
    string? ContactTitle)
{
    public const int MostLines = 20;
    public const int MostCompetitors = 200;
    public const int MostMonths = 120;

    /// <summary>Minutes of a month, 31 days of 24 hours.</summary>
    public const int MostMonthlyMinutes = 31 * 1_440;

    public static IntakeBrief Empty { get; } = new(
        "", "", "", "", null, null, "", null, [], [], "", null, null, null, null, ServiceType.FractionalCmo, null, "", null, 0, [], [], MustHaves.None, null, [], null);

    /// <summary>The parts by which it is complete, as the API calls them, and whether each is said.</summary>
    public ImmutableArray<(string Part, bool Said)> Parts() =>
    [
        ("company_name", Company.Length > 0), ("industry", Industry.Length > 0), ("time_zone", TimeZone.Length > 0), ("growth_stage", Stage is not null), ("headcount", Headcount is not null),
        ("team", Team.Length > 0), ("ceo_weekly_minutes", CeoWeeklyMinutes is not null), ("reasons", Reasons.Length > 0), ("goals", Goals.Length > 0), ("tried", Tried.Length > 0),
        ("monthly_budget", MonthlyBudget is not null), ("monthly_minutes", MonthlyMinutes is not null), ("start_date", Start is not null), ("work_mode", WorkMode is not null),
        ("specialisms", Specialisms.Length > 0 || MustHaves.Specialisms.Length > 0), ("styles", Styles.Length > 0), ("contact", ContactTitle is not null),
    ];

    /// <summary>The parts that are not said yet.</summary>
    public ImmutableArray<string> Missing() => [.. Parts().Where(p => !p.Said).Select(p => p.Part)];

    /// <summary>How much of it is said, in whole percent.</summary>
    public int CompletePercent() => Parts() is var parts ? parts.Count(p => p.Said) * 100 / parts.Length : 0;

    /// <summary>Those of these parts that are not said.</summary>
    public ImmutableArray<string> Missing(params ReadOnlySpan<string> needed)
    {
        var missing = ImmutableArray.CreateBuilder<string>();
        foreach (var (part, said) in Parts())
        {
            if (!said && needed.Contains(part))
            {
                missing.Add(part);
            }
        }

        return missing.ToImmutable();
    }

    /// <summary>What is to be booked: the minutes of each month.</summary>
    public ImmutableArray<BookingStep> Steps() => [new PerPeriodStep(Dates(), MonthlyMinutes!.Value, Cycle())];

    /// <summary>Months begin on the start's day, so that all of them are whole.</summary>
    public Billing.BillCycle Cycle() => new(Start!.Value.Day, 1);

    /// <summary>The days asked for.</summary>
    public DateRange Dates() => new(Start!.Value, Months is { } months ? Start.Value.PlusMonths(months) : null);
}

/// <summary>What a CMO must have to come into question at all. Empty, 0 and false ask for nothing.</summary>
/// <param name="WorkMode">Whether the intake's work mode is one.</param>
[GenerateSerializer, Immutable, Alias("intake.must-haves")]
public sealed record MustHaves(ImmutableArray<string> Specialisms, ImmutableArray<string> Industries, ImmutableArray<string> Languages, int YearsLeading, bool WorkMode)
{
    public static MustHaves None { get; } = new([], [], [], 0, false);
}

/// <summary>One step of the way from an intake to a proposal, in this order.</summary>
public enum ConversionStep
{
    /// <summary>The client company is made. The first that cannot be taken back: all that others may refuse was asked before.</summary>
    CreateClient,

    /// <summary>The new client company names the intake's competitors.</summary>
    NameCompetitors,

    /// <summary>The contact becomes a stakeholder.</summary>
    PutContact,

    /// <summary>The engagement is drafted.</summary>
    CreateEngagement,

    /// <summary>It is proposed to the client's decision makers.</summary>
    Propose,
}

/// <summary>How an intake becomes a client company and a proposal.</summary>
/// <param name="Request">The request that started it and waits for its end.</param>
/// <param name="Steps">All that is to be done.</param>
/// <param name="Done">How many of them are.</param>
/// <param name="Refusal">Why it came to nothing: the intake is open again.</param>
/// <param name="NotProposed">Why the engagement is still a draft; null: it is proposed, or was not to be.</param>
[GenerateSerializer, Immutable, Alias("intake.conversion")]
public sealed record IntakeConversion(
    Guid Request, ClientCompanyId Client, EngagementId Engagement, EngagementPlan Plan, ImmutableArray<ConversionStep> Steps, int Done, Instant StartedAt, Rejection? Refusal, Rejection? NotProposed);

// ---- commands ----

/// <param name="Contact">Who the contact is; null: nobody is known.</param>
[GenerateSerializer, Immutable, Alias("intake.create")]
public sealed record CreateIntake(IntakeId Id, IntakeBrief Brief, PersonDetails? Contact);

/// <summary>The whole of it, in place of what it said.</summary>
/// <param name="Contact">Who the contact is; null with a contact's title: as it was.</param>
[GenerateSerializer, Immutable, Alias("intake.update")]
public sealed record UpdateIntake(IntakeBrief Brief, PersonDetails? Contact);

/// <param name="Reason">For the record; no personal data; may be empty.</param>
[GenerateSerializer, Immutable, Alias("intake.close")]
public sealed record CloseIntake(string Reason);

/// <param name="Client">The new client company's id; with a client that the intake names it is left alone.</param>
/// <param name="Lead">The CMO who is proposed.</param>
/// <param name="Hold">What is booked or held for it with that CMO already; null: nothing.</param>
/// <param name="Seller">The legal entity that invoices.</param>
/// <param name="Fee">A month, in the currency of the terms.</param>
/// <param name="OverageHourlyRate">Minor units an hour beyond the included minutes, with the client's consent; null: nothing beyond is taken.</param>
/// <param name="Title">Of the engagement; empty: the company's name.</param>
/// <param name="Propose">Whether the draft is proposed at once.</param>
[GenerateSerializer, Immutable, Alias("intake.convert")]
public sealed record ConvertIntake(
    ClientCompanyId Client, EngagementId Engagement, CmoId Lead, BookingId? Hold, LegalEntityId Seller, Money Fee, long? OverageHourlyRate, string Title, bool Propose);

// ---- events ----

[Event("intake.created"), GenerateSerializer, Immutable, Alias("intake.created")]
public sealed record IntakeCreated(IntakeId Id, IntakeBrief Brief) : IEvent;

[Event("intake.updated"), GenerateSerializer, Immutable, Alias("intake.updated")]
public sealed record IntakeUpdated(IntakeBrief Brief) : IEvent;

[Event("intake.closed"), GenerateSerializer, Immutable, Alias("intake.closed")]
public sealed record IntakeClosed(string Reason) : IEvent;

[Event("intake.conversion-started"), GenerateSerializer, Immutable, Alias("intake.conversion-started")]
public sealed record ConversionStarted(
    Guid Request, ClientCompanyId Client, EngagementId Engagement, EngagementPlan Plan, ImmutableArray<ConversionStep> Steps, Instant At) : IEvent;

/// <param name="Refusal">With <see cref="ConversionStep.Propose"/>: why the engagement stays a draft.</param>
[Event("intake.conversion-advanced"), GenerateSerializer, Immutable, Alias("intake.conversion-advanced")]
public sealed record ConversionAdvanced(ConversionStep Step, Rejection? Refusal) : IEvent;

/// <summary>It came to nothing. A client company that it has made stands, and the intake names it from now on.</summary>
[Event("intake.conversion-refused"), GenerateSerializer, Immutable, Alias("intake.conversion-refused")]
public sealed record ConversionRefused(Guid Request, Rejection Rejection) : IEvent;

[Event("intake.converted"), GenerateSerializer, Immutable, Alias("intake.converted")]
public sealed record IntakeConverted(Guid Request) : IEvent;

// ---- read models ----

/// <summary>The list of intakes, with what makes one like another.</summary>
/// <param name="MonthlyMinutes">Asked for; of a converted one, what was proposed.</param>
[RowTable("intakes", nameof(Id))]
public sealed record IntakeRow(
    IntakeId Id, string Company, IntakeState State, GrowthStage? Stage, int? Headcount, string Industry, int? MonthlyMinutes, ClientCompanyId? Client, EngagementId? Engagement) : IRow;
