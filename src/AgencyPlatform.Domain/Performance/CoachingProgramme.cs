using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Serialization;
using NodaTime;

namespace AgencyPlatform.Domain.Performance;

/// <summary>
/// A coaching programme of an engagement: material, sessions one after the other, what is promised in them, and whether it was kept. Source: domain §6, docs/performance.md.
/// </summary>
/// <param name="Ended">Nothing is planned any more; what was promised is still followed up.</param>
[GenerateSerializer, Immutable, Alias("coaching-programme")]
public sealed record CoachingProgramme(
    CoachingProgrammeId Id,
    EngagementId Engagement,
    ClientCompanyId Client,
    string Title,
    string Goal,
    ImmutableSortedDictionary<CoachingMaterialId, CoachingMaterial> Material,
    ImmutableSortedDictionary<CoachingSessionId, CoachingSession> Sessions,
    ImmutableSortedDictionary<CommitmentId, SessionCommitment> Commitments,
    bool Ended) : IState<CoachingProgramme>
{
    public const int MostMaterial = 200;
    public const int MostSessions = 500;
    public const int MostCommitments = 2_000;
    public const int MostAtOnce = 20;
    public const int LongestText = 2_000;

    public static string Kind => "coaching-programme";

    public static int FoldVersion => 1;

    public static CoachingProgramme Initial { get; } = new(
        default, default, default, "", "", ImmutableSortedDictionary<CoachingMaterialId, CoachingMaterial>.Empty, ImmutableSortedDictionary<CoachingSessionId, CoachingSession>.Empty,
        ImmutableSortedDictionary<CommitmentId, SessionCommitment>.Empty, false);

    [JsonIgnore]
    public bool Exists => Id.Value is not null;

    [JsonIgnore]
    public Instant? NextDue => null;

    public ImmutableArray<IEvent> Settle(Instant now) => [];

    /// <summary>The first session that is still to be held.</summary>
    public CoachingSession? NextSession() => Sessions.Values.Where(s => s.State == CoachingSessionState.Planned).OrderBy(s => s.Date).ThenBy(s => s.Id).FirstOrDefault();

    /// <summary>What is open and due by the next session, the soonest first; where none is planned, all that is open.</summary>
    public IEnumerable<SessionCommitment> ToFollowUp() =>
        Commitments.Values.Where(c => c.State == CommitmentState.Open && (NextSession() is not { } next || c.Due <= next.Date)).OrderBy(c => c.Due).ThenBy(c => c.Id);

    // ---- decisions ----

    public Decision Start(StartCoachingProgramme command) =>
        Exists ? Rejection.AlreadyExists(Kind, command.Id.Value)
        : Decision.Accept(new CoachingProgrammeStarted(command.Id, command.Engagement, command.Client, command.Title, command.Goal));

    public Decision Put(CoachingMaterial material) =>
        Refusal() is { } refusal ? refusal
        : Material.TryGetValue(material.Id, out var known) && known == material ? Decision.Nothing
        : !Material.ContainsKey(material.Id) && Material.Count >= MostMaterial ? Full("material", MostMaterial)
        : Decision.Accept(new CoachingMaterialPut(material));

    /// <summary>Plans a session, or changes one that is planned.</summary>
    public Decision Plan(PlanCoachingSession command)
    {
        if (Refusal() is { } refusal)
        {
            return refusal;
        }

        var planned = new CoachingSession(command.Id, command.Date, command.Minutes, command.Topic, CoachingSessionState.Planned, "");
        return Sessions.TryGetValue(command.Id, out var known)
            ? known.State != CoachingSessionState.Planned ? Over(known) : known == planned ? Decision.Nothing : Decision.Accept(new CoachingSessionPlanned(planned))
            : Sessions.Count >= MostSessions ? Full("sessions", MostSessions)
            : Decision.Accept(new CoachingSessionPlanned(planned));
    }

    /// <summary>A session was held: what was said, and what was promised in it.</summary>
    public Decision Hold(HoldCoachingSession command)
    {
        if (Refusal() is { } refusal)
        {
            return refusal;
        }

        if (!Sessions.TryGetValue(command.Id, out var session))
        {
            return Rejection.NotFound("coaching-session", command.Id.Value);
        }

        if (session.State != CoachingSessionState.Planned)
        {
            return Over(session);
        }

        var taken = command.Commitments.Index().Where(c => Commitments.ContainsKey(c.Item.Id) || command.Commitments.Take(c.Index).Any(o => o.Id == c.Item.Id)).ToList();
        return taken.Count > 0 ? Rejection.Invalid([.. taken.Select(c => new FieldViolation($"commitments[{c.Index}].commitment_id", "must be a new id: the programme has it already"))])
            : Commitments.Count + command.Commitments.Length > MostCommitments ? Full("commitments", MostCommitments)
            : Decision.Accept(new CoachingSessionHeld(command.Id, command.Notes, [.. command.Commitments.Select(c => c with { Session = command.Id })]));
    }

    public Decision Cancel(CancelCoachingSession command) =>
        Refusal() is { } refusal ? refusal
        : !Sessions.TryGetValue(command.Id, out var session) ? Rejection.NotFound("coaching-session", command.Id.Value)
        : session.State != CoachingSessionState.Planned ? Over(session)
        : Decision.Accept(new CoachingSessionCancelled(command.Id, command.Reason));

    /// <summary>What came of a promise; after the programme's end too.</summary>
    public Decision FollowUp(ResolveCommitment command) =>
        !Exists ? NotFound()
        : !Commitments.TryGetValue(command.Id, out var commitment) ? Rejection.NotFound("commitment", command.Id.Value)
        : commitment.State != CommitmentState.Open
            ? Rejection.Rule(
                Reasons.CommitmentClosed, $"The commitment {command.Id} was {commitment.State.ToString().ToLowerInvariant()} already.", ("commitment", command.Id.Value),
                ("state", commitment.State.ToString().ToUpperInvariant()))
        : Decision.Accept(new SessionCommitmentResolved(command.Id, command.State, command.Note));

    /// <summary>Ends it; sessions that are planned are cancelled by it.</summary>
    public Decision End() => !Exists ? NotFound() : Ended ? Decision.Nothing : Decision.Accept(new CoachingProgrammeEnded());

    // ---- fold ----

    public CoachingProgramme Apply(IEvent @event) => @event switch
    {
        CoachingProgrammeStarted e => Initial with { Id = e.Id, Engagement = e.Engagement, Client = e.Client, Title = e.Title, Goal = e.Goal },
        CoachingMaterialPut e => this with { Material = Material.SetItem(e.Material.Id, e.Material) },
        CoachingSessionPlanned e => this with { Sessions = Sessions.SetItem(e.Session.Id, e.Session) },
        CoachingSessionHeld e => this with
        {
            Sessions = Sessions.SetItem(e.Id, Sessions[e.Id] with { State = CoachingSessionState.Held, Notes = e.Notes }),
            Commitments = Commitments.SetItems(e.Commitments.Select(c => KeyValuePair.Create(c.Id, c))),
        },
        CoachingSessionCancelled e => this with { Sessions = Sessions.SetItem(e.Id, Sessions[e.Id] with { State = CoachingSessionState.Cancelled, Notes = e.Reason }) },
        SessionCommitmentResolved e => this with { Commitments = Commitments.SetItem(e.Id, Commitments[e.Id] with { State = e.State, Note = e.Note }) },
        CoachingProgrammeEnded => this with
        {
            Ended = true,
            Sessions = Sessions.SetItems(
                Sessions.Where(s => s.Value.State == CoachingSessionState.Planned).Select(s => KeyValuePair.Create(s.Key, s.Value with { State = CoachingSessionState.Cancelled }))),
        },
        NothingChanged => this,
        _ => throw new InvalidOperationException($"A coaching programme does not know {@event.GetType().Name}."),
    };

    // ---- read models ----

    public IEnumerable<RowChange> Project(IEvent @event, EventInfo info) =>
        @event is CoachingProgrammeStarted or CoachingProgrammeEnded ? [new Put(new CoachingProgrammeRow(Id, Engagement, Client, Title, Ended))] : [];

    private Rejection? Refusal() =>
        !Exists ? NotFound()
        : Ended ? Rejection.Rule(Reasons.CoachingOver, $"The coaching programme {Id} has ended.", ("programme", Id.Value), ("session", ""), ("state", "ENDED"))
        : null;

    private Rejection Over(CoachingSession session) => Rejection.Rule(
        Reasons.CoachingOver, $"The session {session.Id} was {session.State.ToString().ToLowerInvariant()} already.", ("programme", Id.Value), ("session", session.Id.Value),
        ("state", session.State.ToString().ToUpperInvariant()));

    private static Rejection Full(string what, int maximum) =>
        Rejection.Rule(Reasons.ScorecardFull, $"A coaching programme has at most {maximum} {what}.", ("what", what), ("maximum", maximum.ToString(CultureInfo.InvariantCulture)));

    private static Rejection NotFound() => Rejection.NotFound(Kind, "");
}
