using System.Collections.Immutable;
using AgencyPlatform.Domain.Clients;
using NodaTime;

namespace AgencyPlatform.Domain.Engagements;

/// <summary>The way to an agreed engagement: proposal and sign-off by the client company, agreement by the CMOs. Source: domain §3.</summary>
public sealed partial record Engagement
{
    /// <summary>Who must sign the current revision.</summary>
    public SignOffNeed SignOffNeed() => Proposal.Need ?? Clients.SignOffNeed.Any(Plan.SignaturesNeeded);

    /// <summary>
    /// A new revision goes to the client's decision makers, with what it changed. The client's rule for its amount is taken as it is now, and must be one
    /// that they can satisfy.
    /// </summary>
    /// <param name="holds">What the members' holds are for.</param>
    public Decision Propose(ProposeEngagement command, DecisionMakers client, Instant now, ImmutableArray<BookedSteps>? holds = null) => In("propose", [EngagementState.Draft], () =>
    {
        if (command.ExpiresAt is { } expires && expires <= now)
        {
            return Rejection.Invalid(new FieldViolation("expire_time", "must be in the future"));
        }

        var monthly = SignOff.Amount(Terms);
        var need = SignOff.Needed(client.Policy, SignOffSubject.Proposal, Plan.Terms.Currency, monthly, Plan.SignaturesNeeded);
        return SignOff.Unreachable(need, client) is { } unreachable
            ? unreachable
            : Decision.Accept(new EngagementProposed(
                Revision + 1, command.ExpiresAt, client.People.Count, client.Version, need, monthly,
                Proposal.Plan is { } before ? PlanChanges.Between(before, Plan) : [], command.FreesHolds, client.TimeZone, holds));
    });

    /// <summary>Back to a draft: what was signed and agreed is void.</summary>
    public Decision Revise() => In("revise", [EngagementState.Proposed], () => Decision.Accept(new EngagementRevised(Revision)));

    /// <summary>One signature per decision maker and revision, by whoever's hand; the last one needed accepts the engagement.</summary>
    public Decision Sign(SignEngagement command, DecisionMakers client, Instant now) =>
        State is EngagementState.Proposed or EngagementState.Accepted && command.Revision is var read && (read == 0 || read == Revision)
            && Signatures.Any(s => s.Person == command.Person)
            ? Decision.Nothing
            : In("sign", [EngagementState.Proposed], () =>
            {
                if (Other(command.Revision) is { } changed)
                {
                    return changed;
                }

                var need = SignOffNeed();
                if (SignOff.Refuse(need, client, Client, command.Person, command.By, now) is { } refused)
                {
                    return refused;
                }

                var signed = new EngagementSigned(command.Person, Revision, now, client.Version, command.By == command.Person ? null : command.By);
                return need.IsSatisfiedBy(Signatures.Select(s => s.Person).Append(command.Person))
                    ? Decision.Accept(signed, new EngagementAccepted(Revision))
                    : Decision.Accept(signed);
            });

    /// <summary>The client declines; when it says which decision maker does, that one must be one, or have delegated.</summary>
    public Decision Decline(CloseProposal command, DecisionMakers client, Instant now) => In("decline", [EngagementState.Proposed], () =>
        Other(command.Revision) is { } changed ? changed
        : command.Person is { } person && SignOff.Refuse(Clients.SignOffNeed.Any(1), client, Client, person, command.By, now) is { } refused ? refused
        : Decision.Accept(new EngagementDeclined(command.Reason, command.Person, command.By, client.Version, now)));

    public Decision Withdraw(CloseProposal command, Instant now) =>
        In("withdraw", [EngagementState.Draft, EngagementState.Proposed, EngagementState.Accepted], () => Decision.Accept(new EngagementWithdrawn(command.Reason, now)));

    /// <summary>A word about the current revision; of a person, if it names one, who is a stakeholder of the client company.</summary>
    public Decision Comment(CommentOnEngagement command, ClientCompany client, long version, Instant now) =>
        In("comment", [EngagementState.Draft, EngagementState.Proposed, EngagementState.Accepted], () =>
            command.Person is { } person && !client.Stakeholders.ContainsKey(person)
                ? Rejection.NotFound("stakeholder", person.Value)
                : Decision.Accept(new EngagementCommented(command.Person, Revision, command.Text, now, version)));

    // ---- the CMOs' agreement ----

    /// <summary>Asks members to agree to the current revision, by a time.</summary>
    public Decision AskToAgree(RequestAgreement command, Instant now) => In("request agreement", [EngagementState.Proposed, EngagementState.Accepted], () =>
    {
        if (command.ExpiresAt is { } expires && expires <= now)
        {
            return Rejection.Invalid(new FieldViolation("expire_time", "must be in the future"));
        }

        var asked = command.Cmos.IsEmpty ? [.. Plan.Members.Where(m => !m.AgreementWaived).Select(m => m.Cmo)] : command.Cmos;
        return asked.Where(cmo => Plan.Members.All(m => m.Cmo != cmo)).Select(cmo => (CmoId?)cmo).FirstOrDefault() is { } stranger
            ? Rejection.NotFound("member", stranger.Value)
            : Decision.Accept(
                asked.Distinct().Where(cmo => !Agreements.ContainsKey(cmo)).Select(IEvent (cmo) => new AgreementRequested(cmo, Revision, command.ExpiresAt, now)).ToImmutableArray());
    });

    /// <summary>The CMO agrees to the current revision.</summary>
    public Decision Agree(AgreeAsCmo command, Instant now) => In("agree", [EngagementState.Proposed, EngagementState.Accepted], () =>
        Plan.Members.All(m => m.Cmo != command.Cmo) ? Rejection.NotFound("member", command.Cmo.Value)
        : Other(command.Revision) is { } changed ? changed
        : Agreements.ContainsKey(command.Cmo) ? Decision.Nothing
        : Proposal.Asked.GetValueOrDefault(command.Cmo) is { Answer: AgreementAnswer.Declined or AgreementAnswer.Lapsed } closed
            ? Rejection.Rule(
                Reasons.AgreementClosed, $"'{command.Cmo}' {(closed.Answer == AgreementAnswer.Declined ? "has declined" : "did not answer in time")}: ask again first.",
                ("cmo", command.Cmo.Value), ("answer", closed.Answer.ToString().ToUpperInvariant()))
        : Decision.Accept(new CmoAgreed(command.Cmo, Revision, now)));

    /// <summary>The CMO does not agree, or takes an agreement back that no activation has used yet.</summary>
    public Decision DeclineAs(DeclineAsCmo command, Instant now) => In("decline agreement", [EngagementState.Proposed, EngagementState.Accepted], () =>
        Plan.Members.All(m => m.Cmo != command.Cmo) ? Rejection.NotFound("member", command.Cmo.Value)
        : Other(command.Revision) is { } changed ? changed
        : Proposal.Asked.GetValueOrDefault(command.Cmo) is { Answer: AgreementAnswer.Declined } ? Decision.Nothing
        : Decision.Accept(new CmoDeclined(command.Cmo, Revision, command.Reason, now)));

    // ---- what time alone does ----

    /// <summary>The first thing that time does to a proposal: it lapses, a question to a CMO does, or holds are still to be freed.</summary>
    private Instant? NextOfProposal => State is EngagementState.Proposed or EngagementState.Accepted
        ? Earliest(ExpiresAt, OpenRequests().Select(r => r.Value.ExpiresAt).Min())
        : Proposal.ToFree.IsEmpty ? null : Proposal.ClosedAt + s_sagaPatience;

    private ImmutableArray<IEvent> SettleProposal(Instant due) =>
        State is not (EngagementState.Proposed or EngagementState.Accepted) ? []
        : ExpiresAt == due ? [new EngagementExpired(due)]
        : [.. OpenRequests().Where(r => r.Value.ExpiresAt == due).Select(IEvent (r) => new AgreementLapsed(r.Key, Revision, due))];

    private IEnumerable<KeyValuePair<CmoId, AgreementRequest>> OpenRequests() =>
        Proposal.Asked.Where(r => r.Value is { Answer: AgreementAnswer.None, ExpiresAt: not null } && !Agreements.ContainsKey(r.Key));

    private static Instant? Earliest(params ReadOnlySpan<Instant?> instants)
    {
        Instant? earliest = null;
        foreach (var each in instants)
        {
            earliest = each is { } at && (earliest is not { } so || at < so) ? at : earliest;
        }

        return earliest;
    }
}
