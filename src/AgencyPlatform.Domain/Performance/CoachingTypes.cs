using System.Collections.Immutable;
using NodaTime;

namespace AgencyPlatform.Domain.Performance;

/// <summary>Id of a coaching programme within its agency.</summary>
[GenerateSerializer, Immutable, Alias("id.coaching-programme")]
public readonly record struct CoachingProgrammeId([property: Id(0)] string Value) : IId<CoachingProgrammeId>, IComparable<CoachingProgrammeId>
{
    public static CoachingProgrammeId Of(string value) => new(value);
    public int CompareTo(CoachingProgrammeId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

/// <summary>Id of a session within its programme.</summary>
[GenerateSerializer, Immutable, Alias("id.coaching-session")]
public readonly record struct CoachingSessionId([property: Id(0)] string Value) : IId<CoachingSessionId>, IComparable<CoachingSessionId>
{
    public static CoachingSessionId Of(string value) => new(value);
    public int CompareTo(CoachingSessionId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

/// <summary>Id of material within its programme.</summary>
[GenerateSerializer, Immutable, Alias("id.coaching-material")]
public readonly record struct CoachingMaterialId([property: Id(0)] string Value) : IId<CoachingMaterialId>, IComparable<CoachingMaterialId>
{
    public static CoachingMaterialId Of(string value) => new(value);
    public int CompareTo(CoachingMaterialId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

/// <summary>Something to read or to work with.</summary>
/// <param name="Location">Where it is: an address, a place in a shelf; may be empty.</param>
[GenerateSerializer, Immutable, Alias("coaching.material")]
public sealed record CoachingMaterial(CoachingMaterialId Id, string Title, string Location);

public enum CoachingSessionState { Planned, Held, Cancelled }

/// <param name="Minutes">How long it is planned to be.</param>
/// <param name="Notes">Of one that was held what was said, of one that was cancelled why; no personal data.</param>
[GenerateSerializer, Immutable, Alias("coaching.session")]
public sealed record CoachingSession(CoachingSessionId Id, LocalDate Date, int Minutes, string Topic, CoachingSessionState State, string Notes);

/// <summary>What somebody has promised in a session.</summary>
/// <param name="Owner">A role or an id, no personal data.</param>
/// <param name="Note">What came of it.</param>
[GenerateSerializer, Immutable, Alias("coaching.commitment")]
public sealed record SessionCommitment(CommitmentId Id, CoachingSessionId Session, string Text, string Owner, LocalDate Due, CommitmentState State = CommitmentState.Open, string Note = "");

// ---- commands ----

[GenerateSerializer, Immutable, Alias("coaching.start")]
public sealed record StartCoachingProgramme(CoachingProgrammeId Id, EngagementId Engagement, ClientCompanyId Client, string Title, string Goal);

[GenerateSerializer, Immutable, Alias("coaching.plan")]
public sealed record PlanCoachingSession(CoachingSessionId Id, LocalDate Date, int Minutes, string Topic);

[GenerateSerializer, Immutable, Alias("coaching.hold")]
public sealed record HoldCoachingSession(CoachingSessionId Id, string Notes, ImmutableArray<SessionCommitment> Commitments);

[GenerateSerializer, Immutable, Alias("coaching.cancel")]
public sealed record CancelCoachingSession(CoachingSessionId Id, string Reason);

// ---- events ----

[Event("coaching-programme.started"), GenerateSerializer, Immutable, Alias("coaching-programme.started")]
public sealed record CoachingProgrammeStarted(CoachingProgrammeId Id, EngagementId Engagement, ClientCompanyId Client, string Title, string Goal) : IEvent;

[Event("coaching-programme.material-put"), GenerateSerializer, Immutable, Alias("coaching-programme.material-put")]
public sealed record CoachingMaterialPut(CoachingMaterial Material) : IEvent;

[Event("coaching-programme.session-planned"), GenerateSerializer, Immutable, Alias("coaching-programme.session-planned")]
public sealed record CoachingSessionPlanned(CoachingSession Session) : IEvent;

[Event("coaching-programme.session-held"), GenerateSerializer, Immutable, Alias("coaching-programme.session-held")]
public sealed record CoachingSessionHeld(CoachingSessionId Id, string Notes, ImmutableArray<SessionCommitment> Commitments) : IEvent;

[Event("coaching-programme.session-cancelled"), GenerateSerializer, Immutable, Alias("coaching-programme.session-cancelled")]
public sealed record CoachingSessionCancelled(CoachingSessionId Id, string Reason) : IEvent;

[Event("coaching-programme.commitment-resolved"), GenerateSerializer, Immutable, Alias("coaching-programme.commitment-resolved")]
public sealed record SessionCommitmentResolved(CommitmentId Id, CommitmentState State, string Note) : IEvent;

[Event("coaching-programme.ended"), GenerateSerializer, Immutable, Alias("coaching-programme.ended")]
public sealed record CoachingProgrammeEnded : IEvent;

// ---- read models ----

/// <summary>The list of coaching programmes.</summary>
[RowTable("coaching_programmes", nameof(Id), Indexes = [nameof(Engagement)])]
public sealed record CoachingProgrammeRow(CoachingProgrammeId Id, EngagementId Engagement, ClientCompanyId Client, string Title, bool Ended) : IRow;
