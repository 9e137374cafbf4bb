using System.Collections.Immutable;
using System.Text.Json.Serialization;
using AgencyPlatform.Domain.Engagements;
using NodaTime;

namespace AgencyPlatform.Domain.Absences;

/// <summary>
/// A CMO is ill from today on, or leaves: one saga that records it with the CMO, finds what engagements lack by it and who would fit, and asks for covers or
/// replacements. It books nothing: each cover and each change of scope is a saga of its engagement. Source: docs/running-engagements.md.
/// </summary>
/// <param name="Dates">Open: the CMO leaves.</param>
/// <param name="Refusal">Set when the CMO cannot be absent then.</param>
/// <param name="Needs">Null before they were looked for.</param>
/// <param name="Settled">Every engagement was looked after.</param>
[GenerateSerializer, Immutable, Alias("absence")]
public sealed record Absence(
    AbsenceId Id, CmoId Cmo, DateRange Dates, string Reason, Guid Request, Instant StartedAt, Rejection? Refusal, ImmutableArray<AbsenceNeed>? Needs, bool Settled) : IState<Absence>
{
    public const int MostCandidates = 10;
    public const int MostDays = 92;

    /// <summary>How long after its start an unfinished report is taken up again when nobody carries it on.</summary>
    private static readonly Duration s_patience = Duration.FromSeconds(15);

    public static string Kind => "absence";

    public static int FoldVersion => 2;

    public static Absence Initial { get; } = new(default, default, new DateRange(default, null), "", default, default, null, null, false);

    [JsonIgnore]
    public bool Exists => Id.Value is not null;

    /// <summary>Whether the CMO leaves for good.</summary>
    [JsonIgnore]
    public bool IsDeparture => Dates.End is null;

    [JsonIgnore]
    public Instant? NextDue => Exists && IsUnderWay ? StartedAt + s_patience : null;

    [JsonIgnore]
    public bool IsUnderWay => !Settled && Refusal is null;

    public ImmutableArray<IEvent> Settle(Instant now) => [];

    // ---- decisions ----

    /// <summary>The CMO is absent. An id whose report was refused may be used again.</summary>
    public Decision Report(ReportAbsence command, Guid request, Instant now) =>
        Exists && Refusal is null ? Rejection.AlreadyExists(Kind, command.Id.Value)
        : command.Dates.End is { } end && (end <= command.Dates.Start || Period.DaysBetween(command.Dates.Start, end) > MostDays)
            ? Rejection.Invalid(new FieldViolation("absence.end_date", $"must be after the start and at most {MostDays} days later; not set: the CMO leaves"))
            : Decision.Accept(new AbsenceReported(request, command.Id, command.Cmo, command.Dates, command.Reason, now));

    /// <summary>Records what the CMO said, and what engagements lack.</summary>
    public Decision Record(Rejection? refusal, ImmutableArray<AbsenceNeed> needs) =>
        !IsUnderWay || Needs is not null ? Decision.Nothing
        : refusal is not null ? Decision.Accept(new AbsenceRefused(refusal))
        : needs.IsEmpty ? Decision.Accept(new NeedsFound(needs), new AbsenceSettled(Request))
        : Decision.Accept(new NeedsFound(needs));

    /// <summary>Records what was asked of an engagement, and the end with its last.</summary>
    public Decision Record(AbsenceNeed need, ImmutableArray<CmoId> candidates, Rejection? refusal)
    {
        var answered = new NeedAnswered(need.Engagement, candidates, refusal, need.Cover);
        return NextNeed() is not { } next || (next.Engagement, next.Cover) != (need.Engagement, need.Cover) ? Decision.Nothing
            : Needs!.Value.Count(IsOpen) == 1 ? Decision.Accept(answered, new AbsenceSettled(Request))
            : Decision.Accept(answered);
    }

    /// <summary>The engagement that is looked after next; null when none is left, or they were not looked for yet.</summary>
    public AbsenceNeed? NextNeed() => IsUnderWay ? Needs?.FirstOrDefault(IsOpen) : null;

    /// <summary>The id of the cover that is asked for; always the same. Of a CMO who leaves one cover of an engagement may follow another, and several may.</summary>
    public CoverId CoverFor(AbsenceNeed need)
    {
        var id = need.Cover is { } former ? $"{Id}-{former}" : Id.Value;
        return new CoverId(IdSyntax.Fitting(id));
    }

    private static bool IsOpen(AbsenceNeed need) => need is { Asked: false, Refusal: null };

    // ---- fold ----

    public Absence Apply(IEvent @event) => @event switch
    {
        AbsenceReported e => Initial with { Id = e.Id, Cmo = e.Cmo, Dates = e.Dates, Reason = e.Reason, Request = e.Request, StartedAt = e.At },
        AbsenceRefused e => this with { Refusal = e.Rejection },
        NeedsFound e => this with { Needs = e.Needs },
        NeedAnswered e => this with
        {
            Needs = [.. Needs!.Value.Select(n => (n.Engagement, n.Cover) == (e.Engagement, e.Cover) ? n with { Candidates = e.Candidates, Asked = e.Refusal is null, Refusal = e.Refusal } : n)],
        },
        AbsenceSettled => this with { Settled = true },
        NothingChanged => this,
        _ => throw new InvalidOperationException($"An absence does not know {@event.GetType().Name}."),
    };

    // ---- read models ----

    public IEnumerable<RowChange> Project(IEvent @event, EventInfo info) => @event switch
    {
        NeedsFound => [new Put(new AbsenceRow(Id, Cmo, Dates.Start, Dates.End))],
        _ => [],
    };
}
