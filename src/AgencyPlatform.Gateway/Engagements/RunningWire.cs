using AgencyPlatform.Domain.Engagements;
using AgencyPlatform.Gateway.Capacity;
using V1 = AgencyPlatform.Protocol.Engagements.V1;

namespace AgencyPlatform.Gateway.Engagements;

/// <summary>What the moves of a running engagement have made of it, between the wire and the domain.</summary>
internal static class RunningWire
{
    /// <summary>A change of scope as it is asked for; what is wrong with its steps in themselves is reported by path.</summary>
    public static ScopeProposal Proposal(string path, V1.ScopeChange wire, AgencyId agency, Fields fields)
    {
        var from = fields.Date($"{path}.effective_date", wire.EffectiveDate);
        EngagementWire.EnsureTermsHoldFrom($"{path}.terms", wire.Terms, from, fields);
        fields.Require(wire.Members.Count <= EngagementPlan.MostMembers, $"{path}.members", $"must be at most {EngagementPlan.MostMembers}; they are {wire.Members.Count}");
        return new ScopeProposal(
            from,
            fields.OptionalReference<CmoId>($"{path}.lead", wire.Lead, agency, "cmos"),
            [
                .. wire.Members.Take(EngagementPlan.MostMembers).Select((m, i) => new ScopeMember(
                    fields.Reference<CmoId>($"{path}.members[{i}].cmo", m.Cmo, agency, "cmos"),
                    fields.Text($"{path}.members[{i}].role", m.Role, 100, required: false),
                    m.Steps.Count == 0 ? [] : CapacityWire.Steps($"{path}.members[{i}].steps", m.Steps, fields),
                    m.CmoAgreementWaived)),
            ],
            wire.Terms is null ? null : EngagementWire.Terms($"{path}.terms", wire.Terms, from, agency, fields),
            fields.LongText($"{path}.note", wire.Note, 1000));
    }

    public static V1.Engagement WithRunning(this V1.Engagement wire, AgencyId agency, Engagement engagement, Func<PersonId, PersonDetails> people)
    {
        var running = engagement.Running;
        wire.Pauses.Add(running.Pauses.Select(ToWire));
        wire.ScopeChange = running.Scope is { } scope ? ToWire(agency, engagement, scope, people) : null;
        wire.FormerMembers.Add(running.Former.Select(f => ToWire(agency, f)));
        wire.Covers.Add(running.Covers.Values.Select(c => ToWire(agency, c, people)));
        wire.Transition = running.Transition is { } transition ? ToWire(transition) : null;
        return wire;
    }

    private static V1.Pause ToWire(Pause p) => new()
    {
        StartDate = p.Dates.Start.ToWire(),
        EndDate = p.Dates.End.ToWire(),
        KeepUntilDate = p.KeptUntil.ToWire(),
        FreeFromDate = p.FreedFrom.ToWire(),
        FeePercent = p.FeePercent,
        Reason = p.Reason,
    };

    private static V1.ScopeChange ToWire(AgencyId agency, Engagement e, ScopeChange c, Func<PersonId, PersonDetails> people) => new()
    {
        Number = c.Number,
        EffectiveDate = c.Proposal.From.ToWire(),
        Lead = c.Proposal.Lead is { } lead ? ResourceNames.Of(agency, "cmos", lead.Value) : "",
        Members =
        {
            c.Proposal.Members.Select(m => new V1.ScopeMember
            {
                Cmo = ResourceNames.Of(agency, "cmos", m.Cmo.Value),
                Role = m.Role,
                Steps = { m.Steps.Select(CapacityWire.ToWire) },
                CmoAgreementWaived = m.AgreementWaived,
                MustAgree = c.MustAgree.Contains(m.Cmo),
                AgreeTime = c.Agreements.TryGetValue(m.Cmo, out var at) ? at.ToWire() : null,
            }),
        },
        Terms = c.Proposal.Terms is { } terms ? EngagementWire.ToWire(agency, terms) : null,
        Note = c.Proposal.Note,
        State = c.State.ToWire<V1.ScopeState>(),
        ExpireTime = c.ExpiresAt.ToWire(),
        Signatures = { c.Signatures.Select(s => ProposalWire.ToWire(s, people)) },
        CloseReason = c.CloseReason,
        SignOff = ProposalWire.SignOff(c.SignOffNeed(e.Plan), c.Monthly, c.Signatures),
    };

    private static V1.Cover ToWire(AgencyId agency, Cover c, Func<PersonId, PersonDetails> people) => new()
    {
        CoverId = c.Id.Value,
        AwayCmo = ResourceNames.Of(agency, "cmos", c.Away.Value),
        CoveringCmo = ResourceNames.Of(agency, "cmos", c.Covering.Value),
        Dates = { c.Minutes.Select(m => new V1.CoverDate { Date = m.Key.ToWire(), Minutes = m.Value }) },
        CmoAgreementWaived = c.AgreementWaived,
        Reason = c.Reason,
        State = c.State.ToWire<V1.CoverState>(),
        Consent = c.ConsentOf is { } consent ? ProposalWire.ToWire(consent, people) : null,
        AgreeTime = c.AgreedAt.ToWire(),
        Booking = c.Booking is { } booking ? CapacityWire.BookingName(agency, c.Covering, booking) : "",
        CloseReason = c.CloseReason,
    };

    private static V1.Transition ToWire(Transition t) => new()
    {
        Steps = { t.Steps.Select(s => new V1.TaperStep { EffectiveDate = s.From.ToWire(), Percent = s.Percent }) },
        Checklist =
        {
            t.Checklist.Select(i => new V1.HandoverItem { ItemId = i.Id.Value, Title = i.Title, DoneBy = i.DoneBy ?? "", DoneTime = i.DoneAt.ToWire() }),
        },
        Note = t.Note,
    };

    private static V1.FormerMember ToWire(AgencyId agency, FormerMember f) => new()
    {
        Cmo = ResourceNames.Of(agency, "cmos", f.Cmo.Value),
        Role = f.Role,
        StartDate = f.Dates.Start.ToWire(),
        EndDate = f.Dates.End.ToWire(),
    };
}
