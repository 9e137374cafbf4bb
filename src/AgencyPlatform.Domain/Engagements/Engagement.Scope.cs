using System.Collections.Immutable;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using NodaTime;

namespace AgencyPlatform.Domain.Engagements;

/// <summary>A change of scope from a date on: proposed, signed, agreed to, and applied to all bookings or to none. Source: domain §3.</summary>
public sealed partial record Engagement
{
    /// <summary>
    /// The change goes to the client's decision makers, by the client's rule for its amount: the highest monthly equivalent of what would be charged from its date on. One that was open is
    /// replaced: what was signed and agreed is void.
    /// </summary>
    public Decision ProposeScope(ProposeScope command, ImmutableArray<BookedSteps> asked, DecisionMakers client, Instant now) => In("propose scope change", [EngagementState.Active], () =>
    {
        var proposal = command.Proposal;
        if (RefuseScope(proposal) is { } refusal)
        {
            return refusal;
        }

        if (command.ExpiresAt is { } expires && expires <= now)
        {
            return Rejection.Invalid(new FieldViolation("expire_time", "must be in the future"));
        }

        ImmutableArray<Terms> ahead = proposal.Terms is { } changed ? [changed] : TermsFrom(proposal.From);
        var monthly = SignOff.Amount(ahead);
        var need = SignOff.Needed(client.Policy, SignOffSubject.ScopeChange, ahead[0].Currency, monthly, Plan.SignaturesNeeded);
        return SignOff.Unreachable(need, client) is { } unreachable ? unreachable : Decision.Accept(new ScopeProposed(
            (Running.Scope?.Number ?? 0) + 1, proposal, command.ExpiresAt, MustAgree(proposal, Booked(asked)), client.People.Count, client.Version, need, monthly));
    });

    /// <summary>One signature per decision maker and change, by whoever's hand; the last one needed accepts it.</summary>
    public Decision SignScope(SignScope command, DecisionMakers client, Instant now) =>
        Running.Scope is { State: ScopeState.Proposed or ScopeState.Accepted } signed && (command.Number == 0 || command.Number == signed.Number)
            && signed.Signatures.Any(s => s.Person == command.Person)
            ? Decision.Nothing
            : Open("sign scope change", command.Number, [ScopeState.Proposed], change =>
            {
                var need = change.SignOffNeed(Plan);
                if (SignOff.Refuse(need, client, Client, command.Person, command.By, now) is { } refused)
                {
                    return refused;
                }

                var given = new ScopeSigned(command.Person, change.Number, now, client.Version, command.By == command.Person ? null : command.By);
                return need.IsSatisfiedBy(change.Signatures.Select(s => s.Person).Append(command.Person))
                    ? Decision.Accept(given, new ScopeAccepted(change.Number))
                    : Decision.Accept(given);
            });

    public Decision AgreeToScope(AgreeToScope command, Instant now) => Open("agree to scope change", command.Number, [ScopeState.Proposed, ScopeState.Accepted], change =>
        !change.MustAgree.Contains(command.Cmo) ? Rejection.NotFound("member", command.Cmo.Value)
        : change.Agreements.ContainsKey(command.Cmo) ? Decision.Nothing
        : Decision.Accept(new ScopeAgreed(command.Cmo, change.Number, now)));

    /// <summary>The client declines it before it is accepted; a CMO who is asked to agree, or the agency, until it is applied.</summary>
    public Decision CloseScope(CloseScope command) => Open(
        command.ByClient || command.Cmo is not null ? "decline scope change" : "withdraw scope change", command.Number,
        command.ByClient ? [ScopeState.Proposed] : [ScopeState.Proposed, ScopeState.Accepted],
        change => command.Cmo is { } cmo && !change.MustAgree.Contains(cmo)
            ? Rejection.NotFound("member", cmo.Value)
            : Decision.Accept(new ScopeClosed(
                change.Number, command.ByClient || command.Cmo is not null ? ScopeState.Declined : ScopeState.Withdrawn, command.Reason, command.Cmo)));

    /// <summary>Swaps the capacity of everybody concerned, or of nobody; the terms change from the date on.</summary>
    /// <param name="waiving">The CMOs whose own terms waive their agreement.</param>
    public Decision ApplyScope(ApplyScope command, ImmutableArray<BookedSteps> asked, ImmutableArray<CmoId> waiving, Guid request, Instant now) => In("apply scope change", [EngagementState.Active], () =>
        Open("apply scope change", command.Number, [ScopeState.Accepted], change =>
            RefuseScope(change.Proposal) is { } refusal ? refusal
            : Missing(change.MustAgree.Except(waiving), change.Agreements) is { } missing ? missing
            : StartMove(ScopeRebookings(change.Proposal, asked, request), new ScopeChanged(request, change.Number, change.Proposal), now)));

    /// <summary>What the change does to bookings.</summary>
    public ImmutableArray<Rebooking> ScopeRebookings(ScopeProposal proposal, ImmutableArray<BookedSteps> asked, Guid request)
    {
        if (proposal.Members.IsEmpty)
        {
            return [];
        }

        var booked = Booked(asked);
        return
        [
            .. CutAt(proposal.From, [.. booked.Where(b => Plan.Members.Any(m => m.Cmo == b.Cmo) && proposal.Members.All(m => m.Cmo != b.Cmo))]),
            .. proposal.Members.Where(m => !m.Steps.IsEmpty).Select(m =>
                Rebook(m.Cmo, [.. (booked.FirstOrDefault(b => b.Cmo == m.Cmo)?.Steps ?? []).Until(proposal.From), .. m.Steps], request)),
        ];
    }

    /// <summary>Whether somebody works for the engagement on a date: as a member from joining to leaving, or as a cover on its dates.</summary>
    public bool WorksOn(CmoId cmo, LocalDate date) =>
        (Plan.Members.Any(m => m.Cmo == cmo) && date >= Running.Joined.GetValueOrDefault(cmo, Plan.Start))
        || Running.Former.Any(f => f.Cmo == cmo && f.Dates.Contains(date))
        || Running.Covers.Values.Any(c => c.Booking is not null && c.Covering == cmo && c.Minutes.ContainsKey(date));

    /// <summary>Everybody who works, worked or is asked to work for it.</summary>
    public IEnumerable<CmoId> Involved() => Plan.Members.Select(m => m.Cmo)
        .Concat(Running.Former.Select(f => f.Cmo))
        .Concat(Running.Scope is { IsOpen: true } open ? open.MustAgree : [])
        .Concat(Running.Covers.Values.Where(c => c.State is CoverState.Requested or CoverState.Booked).Select(c => c.Covering))
        .Distinct();

    /// <summary>When the proposed change lapses; null: never.</summary>
    private Instant? ScopeExpiresAt => Running.Scope is { IsOpen: true } open ? open.ExpiresAt : null;

    /// <summary>The first day from which the scope may change: what came before is not written anew.</summary>
    public LocalDate FirstScopeDay() => new[] { Plan.Start, Running.ScopeFrom ?? Plan.Start, Running.Pauses.LastOrDefault()?.Dates.End ?? Plan.Start }.Max();

    /// <summary>Why a change cannot be; null when it can.</summary>
    private Rejection? RefuseScope(ScopeProposal proposal)
    {
        var first = FirstScopeDay();
        if (proposal.From < first || proposal.From >= End)
        {
            return OutOfRange("change of scope", proposal.From, first);
        }

        var wrong = ImmutableArray.CreateBuilder<FieldViolation>();
        Check(proposal is not { Lead: null, Members.IsEmpty: true, Terms: null }, "scope_change.members", "must be there, or lead or terms: something that changes");
        Check(proposal.Members.Length <= EngagementPlan.MostMembers, "scope_change.members", $"must be at most {EngagementPlan.MostMembers} members");
        Check(proposal.Members.Select(m => m.Cmo).Distinct().Count() == proposal.Members.Length, "scope_change.members", "must have each CMO once");
        var lead = proposal.Lead ?? Plan.Lead;
        Check((proposal.Members.IsEmpty ? Plan.Members.Select(m => m.Cmo) : proposal.Members.Select(m => m.Cmo)).Contains(lead), "scope_change.lead", $"must be one of the members; the lead is {lead}");
        Check(proposal.Terms is not { } terms || terms.EffectiveFrom == proposal.From, "scope_change.terms.effective_date", "must be the date of the change");
        for (var i = 0; i < proposal.Members.Length; i++)
        {
            var (member, path) = (proposal.Members[i], $"scope_change.members[{i}].steps");
            if (member.Steps.IsEmpty)
            {
                Check(Plan.Members.Any(m => m.Cmo == member.Cmo), path, "must have at least one: the CMO is new");
                continue;
            }

            wrong.AddRange(new BookingSpec(default, null, member.Steps).Violations(path));
            for (var j = 0; j < member.Steps.Length; j++)
            {
                var dates = member.Steps[j].Dates;
                Check(dates.Start >= proposal.From, $"{path}[{j}].start_date", $"must be on or after the change {Text(proposal.From)}");
                Check(End is not { } last || (dates.End is { } stepEnd && stepEnd <= last), $"{path}[{j}].end_date", "must be on or before the engagement's end");
            }
        }

        return wrong.Count > 0
            ? Rejection.Invalid(wrong.ToArray())
            : proposal.Terms is { } charged && (ChargedOtherwise(charged) ?? SoldOtherwise(charged)) is { } stands ? stands
            : Plan.Members.Where(m => !proposal.Members.IsEmpty && proposal.Members.All(p => p.Cmo != m.Cmo))
                .Select(m => ApprovedTimeFrom(proposal.From, m.Cmo)).FirstOrDefault(r => r is not null);

        void Check(bool right, string field, string rule)
        {
            if (!right)
            {
                wrong.Add(new FieldViolation(field, rule));
            }
        }
    }

    /// <summary>
    /// Why terms cannot hold from their date on: approved time was split, and posted, by terms of another kind, currency, seller, cycle or rate. A fee and included minutes may change in the
    /// past, which the next bill corrects.
    /// </summary>
    private Rejection? ChargedOtherwise(Terms terms) =>
        Time.Approved.Values.Where(a => a.Date >= terms.EffectiveFrom).Select(a => (a.Date, Was: TermsOn(a.Date), a.Parts))
            .Where(a => a.Was.GetType() != terms.GetType() || (a.Was.Currency, a.Was.Seller, a.Was.Cycle) != (terms.Currency, terms.Seller, terms.Cycle)
                || (a.Parts is { Charged: > 0 } or { Overage: > 0 } && a.Was.TimeRate != terms.TimeRate))
            .Select(a => ApprovedTimeFrom(a.Date)).FirstOrDefault();

    /// <summary>Those who come and those of whom more is asked, unless their own terms waive it.</summary>
    private ImmutableArray<CmoId> MustAgree(ScopeProposal proposal, ImmutableArray<BookedSteps> booked) =>
    [
        .. from member in proposal.Members
           where !member.AgreementWaived
           let known = Plan.Members.FirstOrDefault(m => m.Cmo == member.Cmo)
           where known is null || (!known.AgreementWaived && member.Steps.IsLargerThan((booked.FirstOrDefault(b => b.Cmo == member.Cmo)?.Steps ?? []).From(proposal.From)))
           select member.Cmo,
    ];

    private static Rejection? Missing(IEnumerable<CmoId> needed, ImmutableSortedDictionary<CmoId, Instant> given) =>
        needed.Where(cmo => !given.ContainsKey(cmo)).Select(cmo => cmo.Value).ToArray() is { Length: > 0 } missing
            ? Rejection.Rule(Reasons.AgreementMissing, $"Not agreed yet: {string.Join(", ", missing)}. Record their agreement first.", ("cmos", string.Join(",", missing)))
            : null;

    /// <summary>The latest change, if it is the one that was read and its state allows the move.</summary>
    private Decision Open(string move, int number, ImmutableArray<ScopeState> states, Func<ScopeChange, Decision> decide) =>
        !Exists ? Rejection.NotFound(Kind, Id.Value ?? "")
        : Saga is not null ? UnderWay
        : Running.Scope is not { } change ? Rejection.NotFound("scope_change", Text(number))
        : number != 0 && number != change.Number ? Rejection.Rule(
            Reasons.RevisionChanged, $"Change {number} is not the latest one, {change.Number}: read again and decide again.",
            ("revision", Text(number)), ("current_revision", Text(change.Number)))
        : !states.Contains(change.State) ? Rejection.Rule(
            Reasons.MoveNotAllowed,
            $"The move '{move}' is not allowed when the change of scope is {change.State.ToString().ToUpperInvariant()}, only {string.Join(", ", states.Select(s => s.ToString().ToUpperInvariant()))}.",
            ("move", move), ("state", change.State.ToString().ToUpperInvariant()), ("allowed_states", string.Join(",", states.Select(s => s.ToString().ToUpperInvariant()))))
        : decide(change);

    private Engagement WithScope(Func<ScopeChange, ScopeChange> changed) => this with { Running = Running with { Scope = changed(Running.Scope!) } };

    private Engagement Changed(ScopeChanged e)
    {
        var p = e.Proposal;
        var members = p.Members.IsEmpty ? Plan.Members :
        [
            .. p.Members.Select(m => (m.Steps.IsEmpty ? Plan.Members.FirstOrDefault(k => k.Cmo == m.Cmo) : null)
                ?? new EngagementMember(m.Cmo, m.Role, m.Steps, null, m.AgreementWaived || Plan.Members.Any(k => k.Cmo == m.Cmo && k.AgreementWaived))),
        ];
        var left = Plan.Members.Where(m => members.All(n => n.Cmo != m.Cmo)).ToList();
        return this with
        {
            Plan = Plan with { Lead = p.Lead ?? Plan.Lead, Members = members },
            Terms = p.Terms is { } terms ? [.. Terms.Where(t => t.EffectiveFrom < p.From), terms] : Terms,
            Running = Running with
            {
                Scope = Running.Scope! with { State = ScopeState.Applied },
                ScopeFrom = p.From,
                Former = [.. Running.Former, .. left.Select(m => new FormerMember(m.Cmo, m.Role, new DateRange(Running.Joined.GetValueOrDefault(m.Cmo, Plan.Start), p.From)))],
                Joined = Running.Joined.RemoveRange(left.Select(m => m.Cmo))
                    .SetItems(members.Where(n => Plan.Members.All(m => m.Cmo != n.Cmo)).Select(n => KeyValuePair.Create(n.Cmo, p.From))),
            },
        };
    }
}
