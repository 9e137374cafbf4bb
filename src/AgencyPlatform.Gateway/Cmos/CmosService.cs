using System.Collections.Immutable;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Gateway.Calendars;
using AgencyPlatform.Gateway.Capacity;
using CostRate = AgencyPlatform.Domain.Cmos.CostRate;
using HolidayRegion = AgencyPlatform.Domain.Capacity.HolidayRegion;
using TimeOff = AgencyPlatform.Domain.Capacity.TimeOff;
using V1 = AgencyPlatform.Protocol.Cmos.V1;
using WorkingPattern = AgencyPlatform.Domain.Capacity.WorkingPattern;

namespace AgencyPlatform.Gateway.Cmos;

/// <summary>The service of fractional CMOs.</summary>
internal sealed class CmosService(Calls calls, IGrainFactory grains, IReadModels readModels, IPeopleVault vault) : V1.CmosService.CmosServiceBase
{
    internal const string Collection = "cmos";

    /// <summary>More than any agency has: what asks all of them reads them at once.</summary>
    internal const int MostCmos = 100_000;

    public override async Task<V1.Cmo> CreateCmo(V1.CreateCmoRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var id = fields.NewId<CmoId>("cmo_id", request.CmoId, request.RequestId);
        var wire = fields.Message("cmo", request.Cmo);
        fields.Require(wire.WorkingPatterns.Count == 1, "cmo.working_patterns", $"must be exactly one on create; they are {wire.WorkingPatterns.Count}");
        fields.Require(wire.HolidayRegions.Count <= 1, "cmo.holiday_regions", $"must be at most one on create; they are {wire.HolidayRegions.Count}");
        fields.Require(wire.TimeOff.Count == 0, "cmo.time_off", "must be empty on create: AddTimeOff adds it");
        fields.Require(wire.LeaveDate is null, "cmo.leave_date", "must not be set: CreateAbsence without an end sets it");
        fields.Require(wire.CostRates.Count <= 1, "cmo.cost_rates", $"must be at most one on create; they are {wire.CostRates.Count}");
        var person = new PersonId(id.Value);
        var command = new CreateCmo(
            id, Profile("cmo", wire, person, fields), Details("cmo", wire, fields), Limits("cmo", wire, fields),
            Pattern("cmo.working_patterns[0]", wire.WorkingPatterns.FirstOrDefault() ?? new V1.WorkingPattern(), fields),
            wire.CostRates.Count == 1 ? Rate("cmo.cost_rates[0]", wire.CostRates[0], fields) : null, Holidays(wire, fields));
        var call = await calls.Mutation(context, request, fields, agency);
        var reply = (await Grain(agency, id).Create(call, command)).OrThrow();
        return await ToWire(agency, reply, context);
    }

    public override async Task<V1.Cmo> GetCmo(V1.GetCmoRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<CmoId>("name", request.Name, Collection);
        var read = await calls.Read(context, request, fields, agency);
        Calls.Caller(context).EnsureCmo(id);
        return await ToWire(agency, (await Grain(agency, id).Get(read)).OrThrow(), context);
    }

    public override async Task<V1.ListCmosResponse> ListCmos(V1.ListCmosRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        fields.Require(request.ExternalId.Length == 0 == (request.ExternalSystem.Length == 0), "external_id", "goes with external_system: both or none");
        var page = Page.Of(context, request, fields);
        await calls.Read(context, request, fields, agency);
        IReadOnlyList<CmoRow> rows;
        var next = "";
        if (request.ExternalId.Length > 0)
        {
            var known = await readModels.Find<ExternalIdRow>(agency, [request.ExternalSystem, request.ExternalId], context.CancellationToken);
            var found = known is { Kind: "cmo" } ? await readModels.Find<CmoRow>(agency, [known.ResourceId], context.CancellationToken) : null;
            rows = found is not null && (request.Role.Length == 0 || found.Role == request.Role) ? [found] : [];
        }
        else
        {
            (rows, next) = page.Cut(await readModels.List<CmoRow>(
                agency, request.Role.Length == 0 ? page.Query<CmoRow>() : page.Query<CmoRow>(Filter.Eq(nameof(CmoRow.Role), request.Role)), context.CancellationToken));
        }

        var people = await vault.Of(agency, rows.Select(r => r.Person), context.CancellationToken);
        return new V1.ListCmosResponse
        {
            NextPageToken = next,
            Cmos =
            {
                rows.Select(row => new V1.Cmo
                {
                    Name = ResourceNames.Of(agency, Collection, row.Id.Value),
                    DisplayName = people(row.Person).DisplayName,
                    Email = people(row.Person).Email ?? "",
                    Role = row.Role,
                    TimeZone = row.TimeZone,
                }),
            },
        };
    }

    public override async Task<V1.CmoChange> UpdateCmo(V1.UpdateCmoRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var wire = fields.Message("cmo", request.Cmo);
        var (agency, id) = fields.Name<CmoId>("cmo.name", wire.Name, Collection);
        var mask = fields.Mask("update_mask", request.UpdateMask, wire, "display_name", "email", "role", "time_zone", "max_clients", "min_block_minutes", "waives_agreement", "labels", "external_ids");
        fields.ThrowIfAny();
        var read = await calls.Read(context, request, fields, agency);
        return await ToWire(agency, await Masks.Update<FractionalCmo, FactResult>(
            () => Grain(agency, id).Get(read),
            async (state, meta) =>
            {
                var merged = Masks.Merged(await ToWire(agency, (state, meta), context), wire, mask);
                var command = new UpdateCmo(Profile("cmo", merged, state.Profile.Person, fields), Details("cmo", merged, fields), Limits("cmo", merged, fields));
                var call = await calls.Mutation(context, request, fields, agency, wire.Etag, "cmo.etag");
                return (call, c => Grain(agency, id).Update(c, command));
            }), context);
    }

    public override async Task<V1.CmoChange> SetWorkingPattern(V1.SetWorkingPatternRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<CmoId>("name", request.Name, Collection);
        var pattern = Pattern("working_pattern", fields.Message("working_pattern", request.WorkingPattern), fields);
        var call = await calls.Mutation(context, request, fields, agency);
        return await ToWire(agency, await Grain(agency, id).SetWorkingPattern(call, pattern), context);
    }

    public override async Task<V1.CmoChange> SetHolidays(V1.SetHolidaysRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<CmoId>("name", request.Name, Collection);
        fields.Require(request.ReplaceWorkedHolidays || request.WorkedHolidays.Count == 0, "worked_holidays", "goes with replace_worked_holidays");
        fields.Require(request.ReplaceWorkedHolidays || request.HolidayRegion is not null, "holiday_region", "is required, or replace_worked_holidays");
        var worked = Worked("worked_holidays", request.WorkedHolidays, fields);
        var command = new SetHolidays(
            request.HolidayRegion is { } wire ? Region("holiday_region", wire, fields) : null, request.ReplaceWorkedHolidays ? worked : null);
        var call = await calls.Mutation(context, request, fields, agency);
        return await ToWire(agency, await Grain(agency, id).SetHolidays(call, command), context);
    }

    public override async Task<V1.CmoChange> AddTimeOff(V1.AddTimeOffRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<CmoId>("name", request.Name, Collection);
        var wire = fields.Message("time_off", request.TimeOff);
        var kind = fields.Enum<V1.TimeOff.Types.Kind, TimeOffKind>("time_off.kind", wire.Kind);
        var dates = fields.Range("time_off.start_date", wire.StartDate, "time_off.end_date", wire.EndDate);
        fields.Require(
            kind == TimeOffKind.Minutes ? wire.MinutesPerDay is >= 1 and <= 1440 : wire.MinutesPerDay == 0,
            "time_off.minutes_per_day", "must be 1 to 1440 with KIND_MINUTES, and 0 otherwise");
        var timeOff = new TimeOff(fields.NewId<TimeOffId>("time_off.time_off_id", wire.TimeOffId, request.RequestId), dates.Start, dates.End ?? dates.Start, kind, wire.MinutesPerDay);
        var call = await calls.Mutation(context, request, fields, agency);
        Calls.Caller(context).EnsureCmo(id);
        return await ToWire(agency, await Grain(agency, id).AddTimeOff(call, timeOff), context);
    }

    public override async Task<V1.CmoChange> CancelTimeOff(V1.CancelTimeOffRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<CmoId>("name", request.Name, Collection);
        var timeOff = fields.Id<TimeOffId>("time_off_id", request.TimeOffId);
        var call = await calls.Mutation(context, request, fields, agency);
        Calls.Caller(context).EnsureCmo(id);
        return await ToWire(agency, await Grain(agency, id).CancelTimeOff(call, timeOff), context);
    }

    public override async Task<V1.ImportTimeOffResponse> ImportTimeOff(V1.ImportTimeOffRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<CmoId>("name", request.Name, Collection);
        var start = fields.Date("start_date", request.StartDate);
        fields.Require(request.Ics.Length is > 0 and <= CalendarFile.MostBytes, "ics", $"must have 1 to {CalendarFile.MostBytes} bytes; it has {request.Ics.Length}");
        var call = await calls.Mutation(context, request, fields, agency);
        Calls.Caller(context).EnsureCmo(id);
        var zone = DateTimeZoneProviders.Tzdb[(await Grain(agency, id).Get(new Read(agency, call.SandboxNow))).OrThrow().Value.Profile.TimeZone];
        var within = new DateRange(start, start.PlusDays(CalendarFile.Days));
        var events = CalendarFile.Read(request.Ics.ToByteArray(), zone, within, request.AllDayOnly, fields);
        fields.ThrowIfAny();
        var reply = await Grain(agency, id).ImportTimeOff(call, new ImportTimeOff(within, [.. events.Select(e => new ImportedTimeOff(e.Source, e.Days))]));
        var (result, meta) = reply.OrThrow();
        var off = result.Cmo.Calendar.TimeOff.Values.ToLookup(t => FractionalCmo.SourceOf(t.Id));
        return new V1.ImportTimeOffResponse
        {
            Change = await ToWire(agency, Reply<FactResult>.Ok(new FactResult(result.Cmo, result.Consequences), meta), context),
            Events =
            {
                events.Select(e =>
                {
                    var outcome = result.Outcomes.GetValueOrDefault(e.Source);
                    var isLacking = e.Days.Keys.Any(day => !off[e.Source].Any(t => t.Dates.Contains(day)));
                    return new V1.ImportedEvent
                    {
                        Line = e.Line,
                        Uid = e.Uid,
                        Outcome = outcome is ImportOutcome.Nothing or ImportOutcome.AlreadyOff ? V1.ImportedEvent.Types.Outcome.Skipped : outcome.ToWire<V1.ImportedEvent.Types.Outcome>(),
                        Message = e.Remark
                            ?? (outcome == ImportOutcome.AlreadyOff ? "Its days are off already." : e.Days.IsEmpty ? "It has no day among those that are looked at." : isLacking ? "Some of its days are off already." : ""),
                        TimeOff = { off[e.Source].OrderBy(t => t.Start).Select(ToWire) },
                    };
                }),
            },
        };
    }

    public override async Task<V1.Cmo> SetCostRate(V1.SetCostRateRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<CmoId>("name", request.Name, Collection);
        var rate = Rate("cost_rate", fields.Message("cost_rate", request.CostRate), fields);
        var call = await calls.Mutation(context, request, fields, agency);
        return await ToWire(agency, (await Grain(agency, id).SetCostRate(call, rate)).OrThrow(), context);
    }

    private IFractionalCmoGrain Grain(AgencyId agency, CmoId id) => grains.Of<IFractionalCmoGrain>(agency, id.Value);

    private static CmoProfile Profile(string path, V1.Cmo wire, PersonId person, Fields fields) => new(
        person, wire.Role.Length == 0 ? "CMO" : fields.Text($"{path}.role", wire.Role, 50), fields.TimeZone($"{path}.time_zone", wire.TimeZone),
        fields.Labels($"{path}.labels", wire.Labels), fields.ExternalIds($"{path}.external_ids", wire.ExternalIds), wire.WaivesAgreement);

    private static PersonDetails Details(string path, V1.Cmo wire, Fields fields) =>
        new(fields.Text($"{path}.display_name", wire.DisplayName, 200), fields.Email($"{path}.email", wire.Email));

    private static CmoLimits Limits(string path, V1.Cmo wire, Fields fields) => new(
        fields.Number($"{path}.max_clients", wire.MaxClients, 1, 100, "client companies"), fields.Number($"{path}.min_block_minutes", wire.MinBlockMinutes, 0, 10_080, "minutes"));

    private static WorkingPattern Pattern(string path, V1.WorkingPattern wire, Fields fields) => new(
        fields.Date($"{path}.effective_date", wire.EffectiveDate),
        new WeekdayMinutes(
            fields.MinutesOfDay($"{path}.monday_minutes", wire.MondayMinutes), fields.MinutesOfDay($"{path}.tuesday_minutes", wire.TuesdayMinutes),
            fields.MinutesOfDay($"{path}.wednesday_minutes", wire.WednesdayMinutes), fields.MinutesOfDay($"{path}.thursday_minutes", wire.ThursdayMinutes),
            fields.MinutesOfDay($"{path}.friday_minutes", wire.FridayMinutes), fields.MinutesOfDay($"{path}.saturday_minutes", wire.SaturdayMinutes),
            fields.MinutesOfDay($"{path}.sunday_minutes", wire.SundayMinutes)));

    /// <summary>The holidays that a CMO starts with; null: none.</summary>
    private static SetHolidays? Holidays(V1.Cmo wire, Fields fields)
    {
        var region = wire.HolidayRegions.Count > 0 ? Region("cmo.holiday_regions[0]", wire.HolidayRegions[0], fields) : null;
        var worked = Worked("cmo.worked_holidays", wire.WorkedHolidays, fields);
        return region is null && worked.IsEmpty ? null : new SetHolidays(region, worked.IsEmpty ? null : worked);
    }

    private static HolidayRegion Region(string path, V1.HolidayRegion wire, Fields fields) => new(
        fields.Date($"{path}.effective_date", wire.EffectiveDate), wire.Region.Length == 0 ? null : fields.Id<RegionId>($"{path}.region", wire.Region).Value);

    private static ImmutableSortedSet<LocalDate> Worked(string path, IReadOnlyList<Google.Type.Date> dates, Fields fields)
    {
        fields.Require(dates.Count <= 500, path, "must be at most 500");
        return [.. dates.Take(500).Select((d, i) => fields.Date($"{path}[{i}]", d))];
    }

    private static CostRate Rate(string path, V1.CostRate wire, Fields fields)
    {
        var hourly = fields.Money($"{path}.hourly", wire.Hourly);
        return new CostRate(fields.Date($"{path}.effective_date", wire.EffectiveDate), hourly.Minor, hourly.Currency);
    }

    private async Task<V1.CmoChange> ToWire(AgencyId agency, Reply<FactResult> reply, ServerCallContext context)
    {
        var (result, meta) = reply.OrThrow();
        var change = new V1.CmoChange { Cmo = await ToWire(agency, (result.Cmo, meta), context) };
        change.InfeasibleWeeks.Add(result.Consequences.InfeasibleWeeks.Select(w => new V1.InfeasibleWeek { Monday = w.Monday.ToWire(), MissingMinutes = w.MissingMinutes }));
        change.Shortfalls.Add(result.Consequences.Shortfalls.Select(s => new V1.Shortfall
        {
            Monday = s.Monday.ToWire(),
            Booking = CapacityWire.BookingName(agency, result.Cmo.Id, s.Booking),
            Engagement = s.Engagement is { } engagement ? ResourceNames.Of(agency, "engagements", engagement.Value) : "",
            Minutes = s.Minutes,
        }));
        change.BrokenRules.Add(result.Consequences.Broken.Select(b => new V1.BrokenRule
        {
            Booking = CapacityWire.BookingName(agency, result.Cmo.Id, b.Booking),
            Rule = CapacityRefusal.ReasonOf(b.Rule),
            Date = b.Date.ToWire(),
        }));
        return change;
    }

    private async Task<V1.Cmo> ToWire(AgencyId agency, (FractionalCmo Cmo, Meta Meta) view, ServerCallContext context)
    {
        var (cmo, meta) = view;
        var person = (await vault.Of(agency, [cmo.Profile.Person], context.CancellationToken))(cmo.Profile.Person);
        var wire = new V1.Cmo
        {
            Name = ResourceNames.Of(agency, Collection, cmo.Id.Value),
            Uid = meta.Uid.ToString(),
            Etag = Etags.Of(meta),
            Version = meta.Version,
            CreateTime = meta.CreatedAt.ToWire(),
            UpdateTime = meta.UpdatedAt.ToWire(),
            DisplayName = person.DisplayName,
            Email = person.Email ?? "",
            Role = cmo.Profile.Role,
            TimeZone = cmo.Profile.TimeZone,
            WaivesAgreement = cmo.Profile.WaivesAgreement,
            MaxClients = cmo.Limits.MaxClients,
            MinBlockMinutes = cmo.Limits.MinBlockMinutes,
            LeaveDate = cmo.Calendar.LeaveDate.ToWire(),
            WorkingPatterns =
            {
                cmo.Calendar.Patterns.Select(p => new V1.WorkingPattern
                {
                    EffectiveDate = p.EffectiveFrom.ToWire(),
                    MondayMinutes = p.Minutes.Monday,
                    TuesdayMinutes = p.Minutes.Tuesday,
                    WednesdayMinutes = p.Minutes.Wednesday,
                    ThursdayMinutes = p.Minutes.Thursday,
                    FridayMinutes = p.Minutes.Friday,
                    SaturdayMinutes = p.Minutes.Saturday,
                    SundayMinutes = p.Minutes.Sunday,
                }),
            },
            HolidayRegions = { cmo.Calendar.Regions.Select(r => new V1.HolidayRegion { EffectiveDate = r.EffectiveFrom.ToWire(), Region = r.Region ?? "" }) },
            WorkedHolidays = { cmo.Calendar.WorkedAnyway.Select(d => d.ToWire()) },
            TimeOff = { cmo.Calendar.TimeOff.Values.Select(ToWire) },
        };
        if (Calls.Caller(context).SeesCost)
        {
            wire.CostRates.Add(cmo.CostRates.Select(r => new V1.CostRate { EffectiveDate = r.EffectiveFrom.ToWire(), Hourly = new Money(r.HourlyMinor, r.Currency).ToWire() }));
        }

        wire.Labels.Put(cmo.Profile.Labels);
        wire.ExternalIds.Put(cmo.Profile.ExternalIds);
        return wire;
    }

    private static V1.TimeOff ToWire(TimeOff off) => new()
    {
        TimeOffId = off.Id.Value,
        StartDate = off.Start.ToWire(),
        EndDate = off.End.ToWire(),
        Kind = off.Kind.ToWire<V1.TimeOff.Types.Kind>(),
        MinutesPerDay = off.MinutesPerDay,
    };

    /// <summary>A holiday region's id, for its syntax.</summary>
    private readonly record struct RegionId(string Value) : IId<RegionId>
    {
        public static RegionId Of(string value) => new(value);
    }
}
