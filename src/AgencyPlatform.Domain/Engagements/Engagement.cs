using System.Collections.Immutable;
using System.Text.Json.Serialization;
using AgencyPlatform.Domain.Billing;
using NodaTime;

namespace AgencyPlatform.Domain.Engagements;

/// <summary>
/// What an agency does for a client company: who works, when, on which terms, and where it stands. Its activation and its ending are sagas
/// over the members' CMOs; their progress stands in its events. Source: domain §3.
/// </summary>
/// <param name="Terms">Effective-dated, in order; the first are the proposal's.</param>
/// <param name="End">Exclusive; null: open. The plan's, or the one that it was ended on.</param>
/// <param name="Revision">Number of the current proposal; 0 before the first.</param>
/// <param name="ExpiresAt">When the proposal lapses.</param>
/// <param name="Signatures">Of the current revision.</param>
/// <param name="Agreements">When each CMO agreed to the current revision.</param>
/// <param name="Bookings">The members' bookings, from their hold on.</param>
/// <param name="Saga">The activation, ending or other move under way; no other meanwhile.</param>
/// <param name="Proposal">The sign-off, the CMOs' agreement and the comments.</param>
/// <param name="Term">How often its term was renewed.</param>
/// <param name="DueBefore">What fell due before the last event: the rows that it changes.</param>
/// <param name="Outcomes">The latest moves' results, for repeats.</param>
/// <param name="Running">What the moves since the activation have made of it.</param>
/// <param name="Milestones">Those that are marked as reached, in that order; null: none.</param>
[GenerateSerializer, Immutable, Alias("engagement")]
public sealed partial record Engagement(
    EngagementId Id,
    ClientCompanyId Client,
    EngagementPlan Plan,
    ImmutableArray<Terms> Terms,
    LocalDate? End,
    EngagementState State,
    int Revision,
    Instant? ExpiresAt,
    ImmutableArray<Signature> Signatures,
    ImmutableSortedDictionary<CmoId, Instant> Agreements,
    ImmutableSortedDictionary<CmoId, MemberBooking> Bookings,
    EngagementSaga? Saga,
    ImmutableArray<SagaOutcome> Outcomes,
    EngagementTime Time,
    Proposal Proposal,
    EngagementTerm Term,
    ImmutableArray<DueDate> DueBefore,
    EngagementRunning Running,
    ImmutableArray<ReachedMilestone>? Milestones = null) : IState<Engagement>
{
    private const int MostOutcomes = 64;

    /// <summary>How long after its start an unfinished saga is taken up again when nobody carries it on.</summary>
    private static readonly Duration s_sagaPatience = Duration.FromSeconds(15);

    public static string Kind => "engagement";

    public static int FoldVersion => 6;

    public static Engagement Initial { get; } = new(
        default, default,
        new EngagementPlan("", default, default, [], new HourlyTerms(default, default, default, new BillCycle(1, 1), 0), default, null, null, 0, ImmutableSortedDictionary<string, string>.Empty, ImmutableSortedDictionary<string, string>.Empty),
        [], null, EngagementState.Draft, 0, null, [], ImmutableSortedDictionary<CmoId, Instant>.Empty, ImmutableSortedDictionary<CmoId, MemberBooking>.Empty, null, [], EngagementTime.Initial,
        Proposal.None, EngagementTerm.Initial, [], EngagementRunning.Initial);

    [JsonIgnore]
    public bool Exists => Id.Value is not null;

    /// <summary>The days served.</summary>
    [JsonIgnore]
    public DateRange Service => new(Plan.Start, End);

    /// <summary>A proposal's expiry, a term's end, the meter's next period, and what else time does, which wait for a move under way; and a saga's own wake-up.</summary>
    [JsonIgnore]
    public Instant? NextDue => Saga is { } saga ? saga.StartedAt + s_sagaPatience : Earliest(NextOfProposal, NextOfTerm, NextOfMeter, NextOfBlocks, NextOfFees, NextOfRunning);

    public ImmutableArray<IEvent> Settle(Instant now) => Passed(now) is { IsEmpty: false } events ? [.. events, .. Following(events, now)] : [];

    /// <summary>What a change of terms or of the end means for fees in arrears, and an end for blocks whose first day it leaves out.</summary>
    public ImmutableArray<IEvent> Following(ImmutableArray<IEvent> events, Instant now)
    {
        if ((Time.FeesBefore is null && Time.Blocks is not { IsEmpty: false }) || events.All(e => e is IEngagementTimeEvent))
        {
            return [];
        }

        var after = events.Aggregate(this, (state, e) => state.Folded(e));
        return
        [
            .. Time.FeesBefore is null || (after.Terms == Terms && after.End == End) ? [] : after.FeesAfterChange(DayOf(now)),
            .. after.End == End ? [] : EarnedBy(events, DayOf(now)),
        ];
    }

    private ImmutableArray<IEvent> Passed(Instant now) =>
        Saga is not null || NextDue is not { } due || due > now ? []
        : NextOfTerm == due ? MoveTerm(due)
        : NextOfMeter == due ? MoveMeter()
        : NextOfBlocks == due ? MoveBlocks(due)
        : NextOfFees == due ? AccrueFees()
        : NextOfRunning == due ? SettleRunning(due)
        : SettleProposal(due);

    /// <summary>How the move that a request started came out; null before.</summary>
    public SagaOutcome? OutcomeOf(Guid request) => Outcomes.FirstOrDefault(o => o.Request == request);

    // ---- fold ----

    public Engagement Apply(IEvent @event) => @event is IEngagementTimeEvent ? Folded(@event) : Folded(@event) with { DueBefore = Due() };

    private Engagement Folded(IEvent @event) => @event switch
    {
        EngagementCreated e => this with { Id = e.Id, Client = e.Client, Plan = e.Plan, Terms = [e.Plan.Terms], End = e.Plan.End },
        EngagementUpdated e => this with { Plan = e.Plan, Terms = [e.Plan.Terms], End = e.Plan.End },
        EngagementRelabelled e => this with { Plan = Plan with { Labels = e.Labels, ExternalIds = e.ExternalIds } },
        EngagementProposed e => this with
        {
            State = EngagementState.Proposed,
            Revision = e.Revision,
            ExpiresAt = e.ExpiresAt,
            Signatures = [],
            Agreements = ImmutableSortedDictionary<CmoId, Instant>.Empty,
            Proposal = Proposal.None with
            {
                Need = e.Need,
                Monthly = e.Monthly,
                Plan = Plan,
                Changes = e.Changes ?? [],
                Comments = Proposal.Comments,
                FreesHolds = e.FreesHolds,
                TimeZone = e.TimeZone ?? "UTC",
                Holds = e.Holds ?? [],
            },
        },
        EngagementRevised => this with
        {
            State = EngagementState.Draft,
            ExpiresAt = null,
            Signatures = [],
            Agreements = ImmutableSortedDictionary<CmoId, Instant>.Empty,
            Proposal = Proposal.None with { Plan = Proposal.Plan, Comments = Proposal.Comments },
        },
        EngagementSigned e => this with { Signatures = Signatures.Add(new Signature(e.Person, e.At, e.By)) },
        EngagementAccepted => this with { State = EngagementState.Accepted },
        CmoAgreed e => this with { Agreements = Agreements.SetItem(e.Cmo, e.At), Proposal = Proposal.Answered(e.Cmo, AgreementAnswer.Agreed, "") },
        CmoDeclined e => this with { Agreements = Agreements.Remove(e.Cmo), Proposal = Proposal.Answered(e.Cmo, AgreementAnswer.Declined, e.Reason) },
        AgreementRequested e => this with { Proposal = Proposal with { Asked = Proposal.Asked.SetItem(e.Cmo, new AgreementRequest(e.At, e.ExpiresAt, AgreementAnswer.None, "")) } },
        AgreementLapsed e => this with { Proposal = Proposal.Answered(e.Cmo, AgreementAnswer.Lapsed, "") },
        EngagementCommented e => this with { Proposal = Proposal.With(new Comment(e.Person, e.Revision, e.Text, e.At)) },
        EngagementDeclined e => this with { State = EngagementState.Declined, ExpiresAt = null, Proposal = Proposal.Closed(Plan, e.At) },
        EngagementWithdrawn e => this with { State = EngagementState.Withdrawn, ExpiresAt = null, Proposal = Proposal.Closed(Plan, e.At) },
        EngagementExpired e => this with { State = EngagementState.Expired, ExpiresAt = null, Proposal = Proposal.Closed(Plan, e.At) },
        HoldFreed e => this with { Proposal = Proposal with { ToFree = Proposal.ToFree.Remove(e.Cmo) } },
        ActivationStarted e => this with { Saga = new EngagementSaga(e.Request, e.At, null, null), Time = Time with { TimeZone = e.TimeZone } },
        MemberHeld e => this with
        {
            Bookings = Bookings.SetItem(e.Cmo, new MemberBooking(
                e.Booking, e.TakenOver ? MemberPhase.TakenOver : MemberPhase.Placed, e.TakenOver ? e.Steps : Plan.Members.First(m => m.Cmo == e.Cmo).Steps))
        },
        MemberRefused e => this with { Saga = Saga! with { Refusal = e.Rejection } },
        MemberFreed e => this with { Bookings = Bookings.Remove(e.Cmo) },
        ActivationRefused e => WithOutcome(e.Request, e.Rejection),
        MemberBooked e => InPhase(e.Cmo, MemberPhase.Booked),
        EngagementActivated e => WithOutcome(e.Request, null) with { State = EngagementState.Active, ExpiresAt = null },
        EndStarted e => this with { Saga = new EngagementSaga(e.Request, e.At, null, e.End) },
        MemberEnded e => InPhase(e.Cmo, MemberPhase.Ended),
        EndAgreed e => WithOutcome(e.Request, null).EndingOn(e.End),
        EngagementEnded e => WithOutcome(e.Request, null) with { State = EngagementState.Ended, End = e.End },
        IEngagementTimeEvent e => this with { Time = Time.Apply(e) },
        RenewalSigned e => this with { Term = Term with { Need = e.Need, Signatures = Term.Signatures.Add(new Signature(e.Person, e.At, e.By)) } },
        TermRenewed e => this with { Term = new EngagementTerm(e.Number, null, []) },
        IRunningEvent e => Moved(e),
        MilestoneReached e => this with { Milestones = (Milestones ?? []).Add(e.Milestone) },
        MilestoneReopened e => this with { Milestones = (Milestones ?? []).RemoveAll(m => m.Id == e.Milestone) },
        TermEnded or NothingChanged => this,
        _ => throw new InvalidOperationException($"An engagement does not know {@event.GetType().Name}."),
    };

    private Engagement WithOutcome(Guid request, Rejection? refusal) => this with
    {
        Saga = null,
        Outcomes = [.. Outcomes.Skip(Math.Max(0, Outcomes.Length + 1 - MostOutcomes)), new SagaOutcome(request, refusal)],
    };

    private Engagement InPhase(CmoId cmo, MemberPhase phase) => this with { Bookings = Bookings.SetItem(cmo, Bookings[cmo] with { Phase = phase }) };

    // ---- read models ----

    public IEnumerable<RowChange> Project(IEvent @event, EventInfo info) => @event is IEngagementTimeEvent ? Projected(@event, info) : Projected(@event, info).Concat(DueRows());

    private IEnumerable<RowChange> Projected(IEvent @event, EventInfo info) => @event switch
    {
        EngagementCreated e => [.. ExternalIdRow.Changes(Kind, Id.Value, ImmutableSortedDictionary<string, string>.Empty, e.Plan.ExternalIds), .. Rows()],
        EngagementUpdated e =>
        [
            .. ExternalIdRow.Changes(Kind, Id.Value, e.Before, e.Plan.ExternalIds),
            .. e.MembersBefore.Except(Plan.Members.Select(m => m.Cmo)).Select(RowChange (cmo) => new Drop(new EngagementMemberRow(cmo, Id, Client, State))),
            .. Rows(),
        ],
        EngagementRelabelled e => ExternalIdRow.Changes(Kind, Id.Value, e.Before, e.ExternalIds),
        EngagementProposed or EngagementRevised or EngagementAccepted or EngagementDeclined or EngagementWithdrawn or EngagementExpired
            or EngagementActivated or EndAgreed or EngagementEnded or MoveEnd or ScopeProposed or CoverRequested => Rows(),
        TimePosted e => e.Posting.Rows(Kind, info, e),
        MilestoneReached e => e.Posting.Rows(Kind, info, e),
        MilestoneReopened e => e.Posting.Rows(Kind, info, e),
        PrepaidEarned e => e.Posting.Rows(Kind, info, e),
        FeesAccrued e => [.. e.Posting.Rows(Kind, info, e), .. AccrualRows(e, info)],
        _ => [],
    };

    private IEnumerable<RowChange> Rows() =>
    [
        new Put(new EngagementRow(Id, Client, Plan.Lead, State, Plan.ServiceType, Plan.Title, Plan.Start, End)),
        .. Involved().Select(RowChange (cmo) => new Put(new EngagementMemberRow(cmo, Id, Client, State))),
    ];
}
