using AgencyPlatform.Domain.Engagements;
using AgencyPlatform.Gateway.Capacity;
using Engagement = AgencyPlatform.Domain.Engagements.Engagement;
using EngagementState = AgencyPlatform.Domain.Engagements.EngagementState;
using Renewal = AgencyPlatform.Domain.Engagements.Renewal;
using ServiceType = AgencyPlatform.Domain.Engagements.ServiceType;
using TermRules = AgencyPlatform.Domain.Engagements.TermRules;
using V1 = AgencyPlatform.Protocol.Engagements.V1;

namespace AgencyPlatform.Gateway.Engagements;

/// <summary>Engagements between the wire and the domain.</summary>
internal static class EngagementWire
{
    public const string Collection = "engagements";

    /// <summary>What a draft proposes; what is wrong with its parts together is reported by path too.</summary>
    public static EngagementPlan Plan(string path, V1.Engagement wire, AgencyId agency, Fields fields)
    {
        var start = fields.Date($"{path}.start_date", wire.StartDate);
        fields.Require(wire.Members.Count is >= 1 and <= EngagementPlan.MostMembers, $"{path}.members", $"must be 1 to {EngagementPlan.MostMembers}; they are {wire.Members.Count}");
        var term = TermWire.Rules($"{path}.term", wire.Term, fields);
        fields.Require(wire.Terms.Count == 1, $"{path}.terms", $"must be exactly one, which holds from the start; they are {wire.Terms.Count}");
        var plan = new EngagementPlan(
            fields.Text($"{path}.title", wire.Title, 200),
            fields.Enum<V1.ServiceType, ServiceType>($"{path}.service_type", wire.ServiceType),
            fields.Reference<CmoId>($"{path}.lead", wire.Lead, agency, "cmos"),
            [.. wire.Members.Take(EngagementPlan.MostMembers).Select((m, i) => Member($"{path}.members[{i}]", m, agency, fields))],
            TermsWire.Terms($"{path}.terms[0]", wire.Terms.Count > 0 ? wire.Terms[0] : null, start, agency, fields),
            start,
            wire.EndDate is null && term is { Renewal: Renewal.None, InitialMonths: >= 1 and <= TermRules.MostMonths } ? term.EndOf(start, 0) : fields.OptionalDate($"{path}.end_date", wire.EndDate),
            fields.OptionalDate($"{path}.billing_start_date", wire.BillingStartDate),
            wire.SignaturesNeeded == 0 ? 1 : wire.SignaturesNeeded,
            fields.Labels($"{path}.labels", wire.Labels),
            fields.ExternalIds($"{path}.external_ids", wire.ExternalIds),
            term,
            wire.InvoicedApart);

        // A date that stands in for a bad start is held against no other.
        var startIsGood = !fields.Has($"{path}.start_date");
        foreach (var violation in plan.Violations(path).Where(v => !fields.Has(v.Field) && (startIsGood || !v.Field.EndsWith("_date", StringComparison.Ordinal))).ToList())
        {
            fields.Add(violation.Field, violation.Description);
        }

        return plan;
    }

    private static EngagementMember Member(string path, V1.Member wire, AgencyId agency, Fields fields)
    {
        var cmo = fields.Reference<CmoId>($"{path}.cmo", wire.Cmo, agency, "cmos");
        BookingId? hold = null;
        if (wire.Hold.Length > 0)
        {
            var (holdAgency, holdCmo, booking) = fields.Name<CmoId, BookingId>($"{path}.hold", wire.Hold, "cmos", "bookings");
            fields.Require(holdAgency == agency && holdCmo == cmo, $"{path}.hold", "must be a hold of the member's CMO");
            hold = booking;
        }

        fields.Require(wire.Hold.Length > 0 != wire.Steps.Count > 0, $"{path}.steps", "must be given when no hold is, and not when one is");
        var steps = wire.Steps.Count > 0 ? CapacityWire.Steps($"{path}.steps", wire.Steps, fields) : [];
        return new EngagementMember(cmo, fields.Text($"{path}.role", wire.Role, 100, required: false), steps, hold, wire.CmoAgreementWaived);
    }

    /// <param name="seesReasonOf">Whether the caller may read why a CMO declined.</param>
    /// <param name="at">As of when: what tenure is counted to.</param>
    public static V1.Engagement ToWire(AgencyId agency, Engagement e, Meta meta, Func<PersonId, PersonDetails> people, Func<CmoId, bool> seesReasonOf, Instant at)
    {
        var wire = new V1.Engagement
        {
            Name = ResourceNames.Of(agency, Collection, e.Id.Value),
            Uid = meta.Uid.ToString(),
            Etag = Etags.Of(meta),
            Version = meta.Version,
            CreateTime = meta.CreatedAt.ToWire(),
            UpdateTime = meta.UpdatedAt.ToWire(),
            ClientCompany = ResourceNames.Of(agency, "clientCompanies", e.Client.Value),
            Title = e.Plan.Title,
            ServiceType = e.Plan.ServiceType.ToWire<V1.ServiceType>(),
            Lead = ResourceNames.Of(agency, "cmos", e.Plan.Lead.Value),
            Members = { e.Plan.Members.Select(m => ToWire(agency, e, m, seesReasonOf(m.Cmo))) },
            Terms = { e.Terms.Select(t => TermsWire.ToWire(agency, t)) },
            StartDate = e.Plan.Start.ToWire(),
            EndDate = e.End.ToWire(),
            BillingStartDate = e.Plan.BillingStartsOn.ToWire(),
            SignaturesNeeded = e.Plan.SignaturesNeeded,
            InvoicedApart = e.Plan.InvoicedApart,
            ReachedMilestones = { TermsWire.Reached(e) },
            PrepaidBlocks = { TermsWire.Blocks(e) },
            ParkedMinutes = e.Consentable(),
            State = e.State.ToWire<V1.EngagementState>(),
            Revision = e.Revision,
            ExpireTime = e.ExpiresAt.ToWire(),
            Signatures = { e.Signatures.Select(s => ProposalWire.ToWire(s, people)) },
            MoveUnderWay = e.Saga is not null,
            SignOff = e.Revision == 0 || e.State == EngagementState.Draft ? null : ProposalWire.SignOff(e),
            Changes = { e.Proposal.Changes.Select(c => new V1.FieldChange { Field = c.Field, Before = c.Before, After = c.After }) },
            Comments = { e.Proposal.Comments.Select(c => ProposalWire.ToWire(c, people)) },
            Term = TermWire.ToWire(e.Plan.Term),
            TermStatus = TermWire.Status(e, people),
            TenureYardstickMonths = Engagement.TenureYardstickMonths,
            HoldsAtProposalEnd = e.Revision == 0 || e.State == EngagementState.Draft ? V1.HoldsAtProposalEnd.Unspecified : e.Proposal.FreesHolds ? V1.HoldsAtProposalEnd.Free : V1.HoldsAtProposalEnd.Keep,
        };
        if (e.TenureMonths(e.DayOf(at)) is { } tenure)
        {
            wire.TenureMonths = tenure;
        }

        wire.Labels.Put(e.Plan.Labels);
        wire.ExternalIds.Put(e.Plan.ExternalIds);
        return wire.WithRunning(agency, e, people);
    }

    private static V1.Member ToWire(AgencyId agency, Engagement e, EngagementMember m, bool withReason) => new()
    {
        AgreementState = ProposalWire.AgreementOf(e, m),
        AgreementExpireTime = e.Proposal.Asked.GetValueOrDefault(m.Cmo)?.ExpiresAt.ToWire(),
        AgreementDeclineReason = withReason ? e.Proposal.Asked.GetValueOrDefault(m.Cmo)?.Reason ?? "" : "",
        Cmo = ResourceNames.Of(agency, "cmos", m.Cmo.Value),
        Role = m.Role,
        Steps = { m.Steps.Select(CapacityWire.ToWire) },
        Hold = m.Hold is { } hold ? CapacityWire.BookingName(agency, m.Cmo, hold) : "",
        CmoAgreementWaived = m.AgreementWaived,
        AgreeTime = e.Agreements.TryGetValue(m.Cmo, out var at) ? at.ToWire() : null,
        Booking = e.Bookings.TryGetValue(m.Cmo, out var booking) ? CapacityWire.BookingName(agency, m.Cmo, booking.Booking) : "",
        JoinDate = e.Running.Joined.TryGetValue(m.Cmo, out var joined) ? joined.ToWire() : null,
    };
}
