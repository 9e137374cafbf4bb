using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Cmos;
using Booking = AgencyPlatform.Domain.Capacity.Booking;
using BookingStep = AgencyPlatform.Domain.Capacity.BookingStep;
using CutOff = AgencyPlatform.Domain.Capacity.CutOff;
using V1 = AgencyPlatform.Protocol.Capacity.V1;

namespace AgencyPlatform.Gateway.Capacity;

/// <summary>Bookings between the wire and the domain. Engagements read their members' steps with it too.</summary>
internal static class CapacityWire
{
    public static string BookingName(AgencyId agency, CmoId cmo, BookingId booking) => ResourceNames.Of(agency, "cmos", cmo.Value, "bookings", booking.Value);

    /// <summary>Reads client company, engagement and steps; what is wrong in itself with the steps is reported by path.</summary>
    public static BookingSpec Spec(string path, V1.Booking wire, AgencyId agency, Fields fields)
    {
        var spec = new BookingSpec(
            fields.Reference<ClientCompanyId>($"{path}.client_company", wire.ClientCompany, agency, "clientCompanies"),
            fields.OptionalReference<EngagementId>($"{path}.engagement", wire.Engagement, agency, "engagements"),
            Steps($"{path}.steps", wire.Steps, fields));
        return spec;
    }

    public static ImmutableArray<BookingStep> Steps(string path, IReadOnlyList<V1.BookingStep> wire, Fields fields)
    {
        fields.Require(wire.Count is >= 1 and <= BookingSpecs.MostSteps, path, $"must be 1 to {BookingSpecs.MostSteps} steps; they are {wire.Count}");
        ImmutableArray<BookingStep> steps = [.. wire.Take(BookingSpecs.MostSteps).Select((step, i) => Step($"{path}[{i}]", step, fields))];
        if (steps.Length > 0)
        {
            // What stands in for a bad date or form is held against nothing.
            var datesAreGood = !Enumerable.Range(0, steps.Length).Any(i => fields.Has($"{path}[{i}].start_date") || fields.Has($"{path}[{i}].end_date"));
            foreach (var violation in new BookingSpec(default, null, steps).Violations(path).ToList())
            {
                if (!fields.Has(violation.Field) && (datesAreGood || !(violation.Field.EndsWith("_date", StringComparison.Ordinal) || violation.Field.EndsWith(".dates", StringComparison.Ordinal))))
                {
                    fields.Add(violation.Field, violation.Description);
                }
            }
        }

        return steps;
    }

    private static BookingStep Step(string path, V1.BookingStep wire, Fields fields)
    {
        var dates = new DateRange(fields.Date($"{path}.start_date", wire.StartDate), fields.OptionalDate($"{path}.end_date", wire.EndDate));
        switch (wire.FormCase)
        {
            case V1.BookingStep.FormOneofCase.Flexible:
                return new FlexibleStep(dates, wire.Flexible.WeeklyMinutes);
            case V1.BookingStep.FormOneofCase.FixedDays:
                var f = wire.FixedDays;
                return new FixedDaysStep(
                    dates,
                    new WeekdayMinutes(f.MondayMinutes, f.TuesdayMinutes, f.WednesdayMinutes, f.ThursdayMinutes, f.FridayMinutes, f.SaturdayMinutes, f.SundayMinutes),
                    f.EveryWeeks == 0 ? 1 : f.EveryWeeks);
            case V1.BookingStep.FormOneofCase.Dated:
                var minutes = ImmutableSortedDictionary.CreateBuilder<LocalDate, int>();
                for (var i = 0; i < wire.Dated.Dates.Count && i <= BookingSpecs.MostNamedDates; i++)
                {
                    var date = fields.Date($"{path}.dated.dates[{i}].date", wire.Dated.Dates[i].Date);
                    fields.Require(minutes.TryAdd(date, wire.Dated.Dates[i].Minutes), $"{path}.dated.dates[{i}].date", "must be named once");
                }

                return new DatedStep(dates, minutes.ToImmutable());
            case V1.BookingStep.FormOneofCase.PerPeriod:
                var p = wire.PerPeriod;
                return new PerPeriodStep(dates, p.Minutes, new BillCycle(p.BillCycleDay, p.PeriodMonths == 0 ? 1 : p.PeriodMonths));
            default:
                fields.Add(path, "must have one of flexible, fixed_days, dated, per_period");
                return new FlexibleStep(dates, 1);
        }
    }

    public static V1.BookingStep ToWire(BookingStep step)
    {
        var wire = new V1.BookingStep { StartDate = step.Dates.Start.ToWire(), EndDate = step.Dates.End.ToWire() };
        switch (step)
        {
            case FlexibleStep s:
                wire.Flexible = new V1.FlexibleForm { WeeklyMinutes = s.WeeklyMinutes };
                break;
            case FixedDaysStep { Weekdays: var w } s:
                wire.FixedDays = new V1.FixedDaysForm
                {
                    MondayMinutes = w.Monday,
                    TuesdayMinutes = w.Tuesday,
                    WednesdayMinutes = w.Wednesday,
                    ThursdayMinutes = w.Thursday,
                    FridayMinutes = w.Friday,
                    SaturdayMinutes = w.Saturday,
                    SundayMinutes = w.Sunday,
                    EveryWeeks = s.EveryWeeks,
                };
                break;
            case DatedStep s:
                wire.Dated = new V1.DatedForm { Dates = { s.Minutes.Select(d => new V1.DatedForm.Types.DateMinutes { Date = d.Key.ToWire(), Minutes = d.Value }) } };
                break;
            case PerPeriodStep s:
                wire.PerPeriod = new V1.PerPeriodForm { Minutes = s.PeriodMinutes, BillCycleDay = s.Cycle.Day, PeriodMonths = s.Cycle.Months };
                break;
        }

        return wire;
    }

    public static V1.Booking ToWire(AgencyId agency, CmoId cmo, Booking b) => ToWire(
        agency, cmo, b.Id, b.Spec.Client, b.Engagement, b.Spec.Steps, b.State, b.ExpiresAt, b.Owner, b.CreatedAt, b.UpdatedAt);

    public static V1.Booking ToWire(AgencyId agency, BookingRow r) => ToWire(
        agency, r.Cmo, r.Id, r.Client, r.Engagement, JsonSerializer.Deserialize<ImmutableArray<BookingStep>>(r.Spec, EventJson.Options), r.State, r.ExpiresAt, r.OwnedBy, r.CreatedAt, r.UpdatedAt);

    private static V1.Booking ToWire(
        AgencyId agency, CmoId cmo, BookingId id, ClientCompanyId client, EngagementId? engagement, ImmutableArray<BookingStep> steps, BookingState state, Instant? expiresAt,
        EngagementId? owner, Instant createdAt, Instant updatedAt) => new()
        {
            Name = BookingName(agency, cmo, id),
            ClientCompany = ResourceNames.Of(agency, "clientCompanies", client.Value),
            Engagement = engagement is { } e ? ResourceNames.Of(agency, "engagements", e.Value) : "",
            Steps = { steps.Select(ToWire) },
            State = state.ToWire<V1.Booking.Types.State>(),
            ExpireTime = expiresAt.ToWire(),
            Owner = owner is { } o ? ResourceNames.Of(agency, "engagements", o.Value) : "",
            CreateTime = createdAt.ToWire(),
            UpdateTime = updatedAt.ToWire(),
        };

    public static V1.WaitlistEntry ToWire(AgencyId agency, CmoId cmo, WaitlistPlace place) => new()
    {
        Name = ResourceNames.Of(agency, "cmos", cmo.Value, "waitlistEntries", place.Entry.Id.Value),
        ClientCompany = ResourceNames.Of(agency, "clientCompanies", place.Entry.Spec.Client.Value),
        Engagement = place.Entry.Spec.Engagement is { } e ? ResourceNames.Of(agency, "engagements", e.Value) : "",
        Steps = { place.Entry.Spec.Steps.Select(ToWire) },
        Priority = place.Entry.Priority,
        OfferExpiry = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(place.Entry.OfferExpiry.ToTimeSpan()),
        State = StateOf(place),
        Place = place.Place,
        Offer = place is { Offer: { } offer, Reserved: false } ? ToWire(agency, cmo, offer) : null,
        CreateTime = place.Entry.JoinedAt.ToWire(),
        CapacityRequest = place.Entry.Request is { } request ? RequestName(agency, request) : "",
    };

    public static V1.WaitlistEntry.Types.State StateOf(WaitlistPlace place) =>
        place.Reserved ? V1.WaitlistEntry.Types.State.Reserved
        : place.Entry.Offered ? V1.WaitlistEntry.Types.State.Offered
        : V1.WaitlistEntry.Types.State.Waiting;

    public static V1.CapacityRequest ToWire(AgencyId agency, (CapacityRequest Value, Meta Meta) reply)
    {
        var (request, meta) = reply;
        return new V1.CapacityRequest
        {
            Name = RequestName(agency, request.Id),
            ClientCompany = ResourceNames.Of(agency, "clientCompanies", request.Spec.Client.Value),
            Engagement = request.Spec.Engagement is { } e ? ResourceNames.Of(agency, "engagements", e.Value) : "",
            Steps = { request.Spec.Steps.Select(ToWire) },
            Priority = request.Priority,
            OfferExpiry = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(request.OfferExpiry.ToTimeSpan()),
            State = request.State.ToWire<V1.CapacityRequest.Types.State>(),
            Candidates =
            {
                request.Cmos.Select(cmo => new V1.CapacityRequest.Types.Candidate
                {
                    Cmo = ResourceNames.Of(agency, "cmos", cmo.Value),
                    State = request.Candidates[cmo].State.ToWire<V1.CapacityRequest.Types.Candidate.Types.State>(),
                    Refusal = request.Candidates[cmo].Refusal ?? "",
                }),
            },
            Offer = request.Offering is { } first ? BookingName(agency, first, request.Id.Booking) : "",
            CreateTime = meta.CreatedAt.ToWire(),
        };
    }

    private static string RequestName(AgencyId agency, CapacityRequestId id) => ResourceNames.Of(agency, "capacityRequests", id.Value);

    public static V1.Refusal ToWire(AgencyId agency, CmoId cmo, CapacityRefusal refusal) => new()
    {
        Rule = CapacityRefusal.ReasonOf(refusal.Rule),
        Message = refusal.Message,
        Date = refusal.Date.ToWire(),
        MissingMinutes = refusal.MissingMinutes,
        RunStartDate = refusal.Run?.Start.ToWire(),
        RunEndDate = refusal.Run?.End.ToWire(),
        FailingWeeks = { refusal.FailingWeeks.Select(w => new V1.FailingWeek { Monday = w.Monday.ToWire(), MissingMinutes = w.MissingMinutes }) },
        EarliestStartDate = refusal.EarliestStart.ToWire(),
        ClashingBooking = refusal.Clashes is { } clash ? BookingName(agency, cmo, clash) : "",
    };

    public static V1.CutOff ToWire(CutOff cut) => new() { Date = cut.Date.ToWire(), Minutes = cut.Minutes };

    /// <summary>A week, or the sums of the same week of several CMOs.</summary>
    public static V1.CapacityWeek ToWire(IReadOnlyCollection<WeekReport> same)
    {
        var wire = new V1.CapacityWeek
        {
            Monday = same.First().Monday.ToWire(),
            PatternMinutes = same.Sum(w => (long)w.PatternMinutes),
            AvailableMinutes = same.Sum(w => (long)w.AvailableMinutes),
            LimitMinutes = same.Sum(w => (long)w.LimitMinutes),
            ConfirmedMinutes = same.Sum(w => w.ConfirmedMinutes),
            HeldMinutes = same.Sum(w => w.HeldMinutes),
            FreeMinutes = same.Sum(w => w.FreeMinutes),
            ExcessMinutes = same.Sum(w => w.ExcessMinutes),
        };
        wire.ConfirmedUtilization = Ratio(wire.ConfirmedMinutes, wire.AvailableMinutes);
        wire.HeldUtilization = Ratio(wire.HeldMinutes, wire.AvailableMinutes);
        return wire;
    }

    private static string Ratio(long part, long whole)
    {
        if (whole == 0)
        {
            return "";
        }

        var tenThousandths = Rounding.HalfAwayFromZero((System.Numerics.BigInteger)part * 10_000, whole);
        return string.Create(CultureInfo.InvariantCulture, $"{tenThousandths / 10_000}.{tenThousandths % 10_000:0000}");
    }
}
