using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Engagements;
using AgencyPlatform.Gateway.Capacity;
using Engagement = AgencyPlatform.Domain.Engagements.Engagement;
using EngagementState = AgencyPlatform.Domain.Engagements.EngagementState;
using FeeTiming = AgencyPlatform.Domain.Billing.FeeTiming;
using HourlyTerms = AgencyPlatform.Domain.Billing.HourlyTerms;
using OverageGate = AgencyPlatform.Domain.Billing.OverageGate;
using Grant = AgencyPlatform.Domain.Time.Grant;
using RetainerTerms = AgencyPlatform.Domain.Billing.RetainerTerms;
using Renewal = AgencyPlatform.Domain.Engagements.Renewal;
using Rollover = AgencyPlatform.Domain.Billing.Rollover;
using ServiceType = AgencyPlatform.Domain.Engagements.ServiceType;
using TermRules = AgencyPlatform.Domain.Engagements.TermRules;
using Terms = AgencyPlatform.Domain.Billing.Terms;
using V1 = AgencyPlatform.Protocol.Engagements.V1;

namespace AgencyPlatform.Gateway.Engagements;

/// <summary>Engagements between the wire and the domain.</summary>
internal static class EngagementWire
{
    public const string Collection = "engagements";

    private const int MostIncludedMinutes = 600_000;

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
            Terms($"{path}.terms[0]", wire.Terms.Count > 0 ? wire.Terms[0] : null, start, agency, fields),
            start,
            wire.EndDate is null && term is { Renewal: Renewal.None, InitialMonths: >= 1 and <= TermRules.MostMonths } ? term.EndOf(start, 0) : fields.OptionalDate($"{path}.end_date", wire.EndDate),
            fields.OptionalDate($"{path}.billing_start_date", wire.BillingStartDate),
            wire.SignaturesNeeded == 0 ? 1 : wire.SignaturesNeeded,
            fields.Labels($"{path}.labels", wire.Labels),
            fields.ExternalIds($"{path}.external_ids", wire.ExternalIds),
            term);
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

    /// <summary>Terms that name a date name the one from which they are to hold.</summary>
    public static void EnsureTermsHoldFrom(string path, V1.Terms? terms, LocalDate from, Fields fields)
    {
        if (terms?.EffectiveDate is { } date)
        {
            fields.Require(fields.Date($"{path}.effective_date", date) == from, $"{path}.effective_date", $"must be left out, or {from:uuuu-MM-dd}, from when they hold");
        }
    }

    public static Terms Terms(string path, V1.Terms? given, LocalDate start, AgencyId agency, Fields fields)
    {
        var wire = given ?? new V1.Terms();
        if (given is null)
        {
            return new HourlyTerms(start, default, default, new BillCycle(1, 1), 0);
        }

        var seller = fields.Reference<LegalEntityId>($"{path}.seller", wire.Seller, agency, "legalEntities");
        var currency = fields.Currency($"{path}.currency", wire.Currency);
        fields.Require(wire.PeriodMonths is 0 or 1 or 3 or 6 or 12, $"{path}.period_months", $"must be 1, 3, 6 or 12; it is {wire.PeriodMonths}");
        var cycle = new BillCycle(fields.Number($"{path}.bill_cycle_day", wire.BillCycleDay, 1, 31), wire.PeriodMonths == 0 ? 1 : wire.PeriodMonths);
        switch (wire.FormCase)
        {
            case V1.Terms.FormOneofCase.Retainer:
                var r = wire.Retainer;
                return new RetainerTerms(
                    start, seller, currency, cycle,
                    Amount($"{path}.retainer.fee", r.Fee),
                    fields.Number($"{path}.retainer.included_minutes", r.IncludedMinutes, 0, MostIncludedMinutes, "minutes"),
                    r.OverageHourlyRate is null ? null : Amount($"{path}.retainer.overage_hourly_rate", r.OverageHourlyRate),
                    r.OverageGate == 0 ? OverageGate.Consent : fields.Enum<V1.OverageGate, OverageGate>($"{path}.retainer.overage_gate", r.OverageGate),
                    r.FeeTiming == 0 ? FeeTiming.InAdvance : fields.Enum<V1.FeeTiming, FeeTiming>($"{path}.retainer.fee_timing", r.FeeTiming),
                    r.Rollover is null ? null : Rollover($"{path}.retainer.rollover", r.Rollover, fields));
            case V1.Terms.FormOneofCase.Hourly:
                return new HourlyTerms(
                    start, seller, currency, cycle, Amount($"{path}.hourly.hourly_rate", wire.Hourly.HourlyRate),
                    wire.Hourly.EstimatedMonthly is null ? null : Amount($"{path}.hourly.estimated_monthly", wire.Hourly.EstimatedMonthly));
            default:
                fields.Add(path, "must have one of retainer, hourly");
                return new HourlyTerms(start, seller, currency, cycle, 0);
        }

        long Amount(string at, Protocol.Type.V1.Money? money)
        {
            var amount = fields.Money(at, money);
            fields.Require(money is null || money.Currency == wire.Currency, $"{at}.currency", $"must be the terms' currency, {wire.Currency}");
            return amount.Minor;
        }
    }

    private static Rollover Rollover(string path, V1.Rollover wire, Fields fields) => new(
        fields.Number($"{path}.cap_minutes", wire.CapMinutes, 1, MostIncludedMinutes, "minutes"),
        fields.Number($"{path}.periods", wire.Periods, 1, 36, "periods"),
        wire.MaxCarriedMinutes == 0 ? null : fields.Number($"{path}.max_carried_minutes", wire.MaxCarriedMinutes, 1, MostIncludedMinutes, "minutes"),
        wire.FromProratedPeriods,
        wire.CarriesAgain,
        wire.Priority == 0 ? Grant.CarriedPriority : fields.Number($"{path}.priority", wire.Priority, 1, 99));

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
            Terms = { e.Terms.Select(t => ToWire(agency, t)) },
            StartDate = e.Plan.Start.ToWire(),
            EndDate = e.End.ToWire(),
            BillingStartDate = e.Plan.BillingStartsOn.ToWire(),
            SignaturesNeeded = e.Plan.SignaturesNeeded,
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

    public static V1.Terms ToWire(AgencyId agency, Terms terms)
    {
        var wire = new V1.Terms
        {
            EffectiveDate = terms.EffectiveFrom.ToWire(),
            Seller = ResourceNames.Of(agency, "legalEntities", terms.Seller.Value),
            Currency = terms.Currency.Code,
            BillCycleDay = terms.Cycle.Day,
            PeriodMonths = terms.Cycle.Months,
        };
        switch (terms)
        {
            case RetainerTerms r:
                wire.Retainer = new V1.RetainerTerms
                {
                    Fee = new Money(r.Fee, r.Currency).ToWire(),
                    IncludedMinutes = r.IncludedMinutes,
                    OverageHourlyRate = r.OverageHourlyRate is { } rate ? new Money(rate, r.Currency).ToWire() : null,
                    OverageGate = r.Gate.ToWire<V1.OverageGate>(),
                    FeeTiming = r.Timing.ToWire<V1.FeeTiming>(),
                    Rollover = r.Rollover is not { } rollover ? null : new V1.Rollover
                    {
                        CapMinutes = rollover.CapMinutes,
                        Periods = rollover.Periods,
                        MaxCarriedMinutes = rollover.MaxCarriedMinutes ?? 0,
                        FromProratedPeriods = rollover.FromProrated,
                        CarriesAgain = rollover.CarriesAgain,
                        Priority = rollover.Priority,
                    },
                };
                break;
            case HourlyTerms h:
                wire.Hourly = new V1.HourlyTerms { HourlyRate = new Money(h.HourlyRate, h.Currency).ToWire(), EstimatedMonthly = h.MonthlyEquivalent?.ToWire() };
                break;
        }

        return wire;
    }
}
