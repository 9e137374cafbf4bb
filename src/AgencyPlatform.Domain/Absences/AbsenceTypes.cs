using System.Collections.Immutable;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Engagements;
using NodaTime;

namespace AgencyPlatform.Domain.Absences;

/// <summary>Id of an absence within its agency; a time off of it has the same.</summary>
[GenerateSerializer, Immutable, Alias("id.absence")]
public readonly record struct AbsenceId([property: Id(0)] string Value) : IId<AbsenceId>, IComparable<AbsenceId>
{
    public static AbsenceId Of(string value) => new(value);
    public int CompareTo(AbsenceId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

/// <summary>What an engagement needs because of an absence, and what was asked for it.</summary>
/// <param name="Minutes">What is lacking by date; of a membership that is to end, nothing.</param>
/// <param name="Steps">Of a membership that is to end: what is booked from the date on.</param>
/// <param name="Candidates">Who would fit, by id, at most <see cref="Absence.MostCandidates"/>; the first was asked for.</param>
/// <param name="Asked">The cover that was requested, or the change of scope that was proposed, is on the engagement.</param>
/// <param name="Refusal">Why nothing was asked.</param>
/// <param name="Cover">Of a CMO who leaves: the cover that they were to do, which is cancelled; null: they are a member, or will be back.</param>
[GenerateSerializer, Immutable, Alias("absence.need")]
public sealed record AbsenceNeed(
    EngagementId Engagement, ImmutableSortedDictionary<LocalDate, int> Minutes, ImmutableArray<BookingStep> Steps, ImmutableArray<CmoId> Candidates, bool Asked, Rejection? Refusal,
    CoverId? Cover = null);

/// <param name="Dates">Open: the CMO leaves.</param>
/// <param name="Reason">For the record; no personal data; may be empty.</param>
[GenerateSerializer, Immutable, Alias("absence.report")]
public sealed record ReportAbsence(AbsenceId Id, CmoId Cmo, DateRange Dates, string Reason);

[Event("absence.reported"), GenerateSerializer, Immutable, Alias("absence.reported")]
public sealed record AbsenceReported(Guid Request, AbsenceId Id, CmoId Cmo, DateRange Dates, string Reason, Instant At) : IEvent;

/// <summary>The CMO cannot be absent then (off already): nothing was changed.</summary>
[Event("absence.refused"), GenerateSerializer, Immutable, Alias("absence.refused")]
public sealed record AbsenceRefused(Rejection Rejection) : IEvent;

/// <summary>The CMO is off, or is to leave; these engagements lack something.</summary>
[Event("absence.needs-found"), GenerateSerializer, Immutable, Alias("absence.needs-found")]
public sealed record NeedsFound(ImmutableArray<AbsenceNeed> Needs) : IEvent;

/// <summary>A cover was requested, or a change of scope proposed; or why not.</summary>
[Event("absence.need-answered"), GenerateSerializer, Immutable, Alias("absence.need-answered")]
public sealed record NeedAnswered(EngagementId Engagement, ImmutableArray<CmoId> Candidates, Rejection? Refusal, CoverId? Cover = null) : IEvent;

/// <summary>Every engagement was looked after.</summary>
[Event("absence.settled"), GenerateSerializer, Immutable, Alias("absence.settled")]
public sealed record AbsenceSettled(Guid Request) : IEvent;

/// <summary>The list of absences.</summary>
[RowTable("absences", nameof(Id), Indexes = [nameof(Cmo)])]
public sealed record AbsenceRow(AbsenceId Id, CmoId Cmo, LocalDate Start, LocalDate? End) : IRow;
