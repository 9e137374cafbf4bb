using System.Collections.Immutable;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Contracts.Time;
using AgencyPlatform.Domain.Engagements;
using AgencyPlatform.Domain.Time;
using AgencyPlatform.Gateway.Engagements;
using TimeEntryState = AgencyPlatform.Domain.Time.TimeEntryState;
using Timesheet = AgencyPlatform.Domain.Time.Timesheet;
using V1 = AgencyPlatform.Protocol.Time.V1;

namespace AgencyPlatform.Gateway.Time;

/// <summary>The service of worked time.</summary>
internal sealed partial class TimeService(Calls calls, IGrainFactory grains, IReadModels readModels, TimeProvider system) : V1.TimeService.TimeServiceBase
{
    private const int MostLoggedAtOnce = 100;
    private const int MostNote = 1_000;

    public override async Task<V1.Timesheet> LogTime(V1.LogTimeRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, cmo, week) = Name(request.Name, fields);
        fields.Require(request.Entries.Count is >= 1 and <= MostLoggedAtOnce, "entries", $"must be 1 to {MostLoggedAtOnce}; they are {request.Entries.Count}");
        var entries = request.Entries.Take(MostLoggedAtOnce).Select((e, i) => Entry($"entries[{i}]", e, agency, week, fields)).ToImmutableArray();
        fields.Require(entries.Select(e => e.Id).Distinct().Count() == entries.Length, "entries", "must have different ids");
        var call = await calls.Mutation(context, request, fields, agency);
        Calls.Caller(context).EnsureCmo(cmo);
        return ToWire(agency, AsSeen(context, await Sheet(agency, cmo, week).Log(call, new LogTime(cmo, week, entries))));
    }

    public override async Task<V1.Timesheet> RemoveTimeEntries(V1.RemoveTimeEntriesRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, cmo, week) = Name(request.Name, fields);
        var ids = Ids(request.EntryIds, fields, required: true);
        var call = await calls.Mutation(context, request, fields, agency);
        Calls.Caller(context).EnsureCmo(cmo);
        return ToWire(agency, await Sheet(agency, cmo, week).Remove(call, new RemoveEntries(ids)));
    }

    public override async Task<V1.Timesheet> SubmitTimesheet(V1.SubmitTimesheetRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, cmo, week) = Name(request.Name, fields);
        var ids = Ids(request.EntryIds, fields, required: false);
        var call = await calls.Mutation(context, request, fields, agency);
        Calls.Caller(context).EnsureCmo(cmo);
        return ToWire(agency, await Sheet(agency, cmo, week).Submit(call, new SubmitEntries(ids)));
    }

    public override async Task<V1.ApproveEntriesResponse> ApproveEntries(V1.ApproveEntriesRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, cmo, week) = Name(request.Name, fields);
        var ids = Ids(request.EntryIds, fields, required: false);
        var call = await calls.Mutation(context, request, fields, agency);
        var (result, meta) = (await Sheet(agency, cmo, week).Approve(call, new ApproveEntries(ids))).OrThrow();
        var response = new V1.ApproveEntriesResponse { Timesheet = ToWire(agency, Reply<Timesheet>.Ok(result.Timesheet, meta)) };
        foreach (var outcome in result.Outcomes.OrderBy(o => o.Entry))
        {
            var wire = new V1.EntryResult { EntryId = outcome.Entry.Value, Approved = outcome.Refusal is null, Reason = outcome.Refusal?.Reason ?? "", Message = outcome.Refusal?.Message ?? "" };
            wire.Metadata.Put(outcome.Refusal?.Metadata ?? ImmutableSortedDictionary<string, string>.Empty);
            response.Results.Add(wire);
        }

        return response;
    }

    public override async Task<V1.Timesheet> RejectEntries(V1.RejectEntriesRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, cmo, week) = Name(request.Name, fields);
        var ids = Ids(request.EntryIds, fields, required: true);
        var reason = fields.LongText("reason", request.Reason, Timesheet.LongestReason, required: true);
        var call = await calls.Mutation(context, request, fields, agency);
        return ToWire(agency, await Sheet(agency, cmo, week).Reject(call, new RejectEntries(ids, reason)));
    }

    public override async Task<V1.Timesheet> GetTimesheet(V1.GetTimesheetRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, cmo, week) = Name(request.Name, fields);
        var read = await calls.Read(context, request, fields, agency);
        Calls.Caller(context).EnsureCmo(cmo);
        return ToWire(agency, await Sheet(agency, cmo, week).Get(read));
    }

    public override async Task<V1.ListTimeEntriesResponse> ListTimeEntries(V1.ListTimeEntriesRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var page = Page.Of(context, request, fields);
        var cmo = fields.OptionalReference<CmoId>("cmo", request.Cmo, agency, "cmos");
        var engagement = fields.OptionalReference<EngagementId>("engagement", request.Engagement, agency, "engagements");
        TimeEntryState? state = request.State == V1.TimeEntryState.Unspecified ? null : fields.Enum<V1.TimeEntryState, TimeEntryState>("state", request.State);
        var (start, end) = (fields.OptionalDate("start_date", request.StartDate), fields.OptionalDate("end_date", request.EndDate));
        fields.Require(start is null || end is null || end > start, "end_date", "must be after start_date (the end is exclusive)");
        var caller = Calls.Caller(context);
        var client = !caller.IsStaff && caller.Client is not null;
        fields.Require(!client || engagement is not null, "engagement", "must be named with a client's key");
        var read = await calls.Read(context, request, fields, agency);
        var filters = new Filters();
        if (client)
        {
            await grains.Of<IEngagementGrain>(agency, engagement!.Value.Value).EnsureSeen(context, read, request.Engagement);
            filters.NotEqual(nameof(TimeEntryRow.State), TimeEntryState.Draft).NotEqual(nameof(TimeEntryRow.State), TimeEntryState.Rejected);
        }
        else if (!caller.IsStaff && caller.Cmo is { } own)
        {
            caller.EnsureCmo(cmo ??= own);
        }

        filters
            .Equal(nameof(TimeEntryRow.Cmo), cmo).Equal(nameof(TimeEntryRow.Engagement), engagement).Equal(nameof(TimeEntryRow.State), state)
            .Between(nameof(TimeEntryRow.Date), start, end);
        var (rows, next) = page.Cut(await readModels.List<TimeEntryRow>(agency, page.Query<TimeEntryRow>(filters.All), context.CancellationToken));
        return new V1.ListTimeEntriesResponse { NextPageToken = next, Entries = { rows.Select(r => client ? ForClient(ToWire(agency, r)) : ToWire(agency, r)) } };
    }

    public override async Task<V1.ConsentToOverageResponse> ConsentToOverage(V1.ConsentToOverageRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<EngagementId>("name", request.Name, "engagements");
        var minutes = fields.Number("minutes", request.Minutes, 1, int.MaxValue, "minutes");
        var note = fields.LongText("note", request.Note, MostNote, required: Calls.Caller(context).IsStaff);
        var call = await calls.Mutation(context, request, fields, agency);
        var grain = grains.Of<IEngagementGrain>(agency, id.Value);
        await grain.EnsureSeen(context, call, request.Name);
        var consent = (await grain.Consent(call, new ConsentToOverage(minutes, note))).OrThrow().Value;
        return new V1.ConsentToOverageResponse
        {
            ParkedMinutes = consent.Parked,
            Entries =
            {
                consent.Entries.Select(e => e.Entry.Value.Split('/') is [var cmo, var week, var entry]
                    ? new V1.ConsentedEntry { Timesheet = SheetName(agency, new CmoId(cmo), week), EntryId = entry, Minutes = e.Minutes }
                    : throw new InvalidOperationException($"{e.Entry} is no entry's key.")),
            },
        };
    }

    public override async Task<V1.Meter> GetMeter(V1.GetMeterRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<EngagementId>("name", request.Name, "engagements");
        var date = fields.Date("date", request.Date);
        fields.Require(!request.Project || request.ReadTime is null, "project", "must not be asked of a past moment");
        var read = await calls.UnderPolicy(await calls.Read(context, request, fields, agency));
        var grain = grains.Of<IEngagementGrain>(agency, id.Value);
        await grain.EnsureSeen(context, read, request.Name);
        var meter = (await grain.GetMeter(read, date)).OrThrow().Value;
        return new V1.Meter
        {
            Engagement = request.Name,
            Date = date.ToWire(),
            PeriodStartDate = meter.Period?.Start.ToWire(),
            PeriodEndDate = meter.Period?.End.ToWire(),
            RemainingMinutes = meter.Remaining,
            OverageMinutes = meter.Overage,
            ParkedMinutes = meter.Parked,
            ChargedMinutes = meter.Charged,
            ParkedMinutesInAll = meter.ParkedInAll,
            Projection = request.Project && meter.Period is not null ? ToWire((await grain.ProjectMeter(read, date)).OrThrow().Value) : null,
            Grants =
            {
                meter.Grants.Select(g => new V1.Grant
                {
                    GrantId = g.Grant.Id.Value,
                    Origin = g.Grant.Origin.ToWire<V1.GrantOrigin>(),
                    Minutes = g.Grant.Minutes,
                    DrawnMinutes = g.Drawn,
                    RemainingMinutes = g.Remaining,
                    EffectiveDate = g.Grant.EffectiveAt.ToWire(),
                    ExpireDate = g.Grant.ExpiresAt.ToWire(),
                    Priority = g.Grant.Priority,
                }),
            },
        };
    }

    /// <summary>A CMO does not learn which engagements others have.</summary>
    private static Reply<T> AsSeen<T>(ServerCallContext context, Reply<T> reply) =>
        reply.Rejection is { } refused ? Reply<T>.No(AsSeen(context, refused)!) : reply;

    private static Rejection? AsSeen(ServerCallContext context, Rejection? refusal) =>
        refusal is { Reason: Reasons.NotAMember } others && !Calls.Caller(context).IsStaff ? Rejection.NotFound("engagement", others.Metadata["engagement"]) : refusal;

    // ---- from the wire ----

    private static (AgencyId Agency, CmoId Cmo, IsoWeek Week) Name(string name, Fields fields)
    {
        var (agency, cmo, week) = fields.Name<CmoId, WeekId>("name", name, "cmos", "timesheets");
        var parsed = IsoWeek.Parse(week.Value);
        fields.Require(parsed is not null || !name.Contains("/timesheets/", StringComparison.Ordinal), "name", "must end with an ISO week such as 2026-w14, in lower case");
        return (agency, cmo, parsed ?? new IsoWeek(2000, 1));
    }

    private static LoggedEntry Entry(string path, V1.TimeEntry wire, AgencyId agency, IsoWeek week, Fields fields)
    {
        var date = fields.Date(path + ".date", wire.Date);
        fields.Require(fields.Has("name") || fields.Has(path + ".date") || IsoWeek.Of(date) == week, path + ".date", $"must be a date of the week {week}, which begins on {week.Monday():uuuu-MM-dd}");
        return Entry(path, wire, agency, date, fields);
    }

    private static LoggedEntry Entry(string path, V1.TimeEntry wire, AgencyId agency, LocalDate date, Fields fields)
    {
        var isInternal = wire.Engagement.Length == 0;
        fields.Require(
            !isInternal || (wire.NonBillable && wire.Category.Length > 0), path + ".engagement",
            "must be named; left out it is internal time, which has a category such as sales or training and is non_billable");
        return new LoggedEntry(
            fields.Id<TimeEntryId>(path + ".entry_id", wire.EntryId),
            new Work(
                isInternal ? null : fields.Reference<EngagementId>(path + ".engagement", wire.Engagement, agency, "engagements"), date, fields.MinutesOfDay(path + ".minutes", wire.Minutes, 1),
                fields.Text(path + ".category", wire.Category, Timesheet.LongestCategory, required: false), !wire.NonBillable, !wire.Unpaid,
                fields.LongText(path + ".note", wire.Note, Timesheet.LongestNote),
                wire.Corrects.Length == 0 ? null : fields.Id<TimeEntryId>(path + ".corrects", wire.Corrects)));
    }

    private static ImmutableArray<TimeEntryId> Ids(IReadOnlyList<string> ids, Fields fields, bool required)
    {
        fields.Require(ids.Count <= Timesheet.MostEntries, "entry_ids", $"must be at most {Timesheet.MostEntries}; they are {ids.Count}");
        fields.Require(!required || ids.Count > 0, "entry_ids", "is required");
        return [.. ids.Take(Timesheet.MostEntries).Select((id, i) => fields.Id<TimeEntryId>($"entry_ids[{i}]", id))];
    }

    private ITimesheetGrain Sheet(AgencyId agency, CmoId cmo, IsoWeek week) => grains.Of<ITimesheetGrain>(agency, $"{cmo}/{week}");

    // ---- to the wire ----

    private static V1.Timesheet ToWire(AgencyId agency, Reply<Timesheet> reply)
    {
        var (sheet, meta) = reply.OrThrow();
        var name = SheetName(agency, sheet.Cmo, sheet.Week.ToString());
        return new V1.Timesheet
        {
            Name = name,
            Uid = meta.Uid.ToString(),
            Etag = Etags.Of(meta),
            Version = meta.Version,
            CreateTime = meta.CreatedAt.ToWire(),
            UpdateTime = meta.UpdatedAt.ToWire(),
            NothingWorked = sheet.NothingWorked,
            Entries = { sheet.Entries.Values.Select(e => ToWire(agency, name, e)) },
        };
    }

    private static V1.TimeEntry ToWire(AgencyId agency, string sheet, TimeEntry e)
    {
        var wire = ToWire(agency, sheet, e.Id, e.Work);
        wire.State = e.State.ToWire<V1.TimeEntryState>();
        wire.Parts = e.Parts is not { } parts ? null : new V1.TimeParts
        {
            DrawnMinutes = parts.DrawnMinutes(),
            OverageMinutes = parts.Overage,
            ParkedMinutes = parts.Parked,
            ChargedMinutes = parts.Charged,
        };
        wire.RejectedFor = e.RejectedFor ?? "";
        wire.RefusedFor = e.Refusal?.Reason ?? "";
        wire.DisputedFor = e.Dispute?.Reason ?? "";
        wire.StateBeforeDispute = e.Dispute?.Before.ToWire<V1.TimeEntryState>() ?? V1.TimeEntryState.Unspecified;
        wire.ReversedFor = e.Reversal?.Reason ?? "";
        wire.ApproveTime = e.ApprovedAt.ToWire();
        return wire;
    }

    private static V1.TimeEntry ToWire(AgencyId agency, string sheet, TimeEntryId id, Work work) => new()
    {
        EntryId = id.Value,
        Timesheet = sheet,
        Engagement = work.Engagement is { } engagement ? ResourceNames.Of(agency, "engagements", engagement.Value) : "",
        Date = work.Date.ToWire(),
        Minutes = work.Minutes,
        Category = work.Category,
        NonBillable = !work.Billable,
        Unpaid = !work.Paid,
        Note = work.Note,
        Corrects = work.Corrects?.Value ?? "",
    };

    private static V1.TimeEntry ToWire(AgencyId agency, TimeEntryRow r)
    {
        var wire = ToWire(agency, SheetName(agency, r.Cmo, r.Week), r.Id, new Work(r.Engagement, r.Date, r.Minutes, r.Category, r.Billable, r.Paid, r.Note, r.Corrects));
        wire.State = r.State.ToWire<V1.TimeEntryState>();
        wire.Parts = r.State is TimeEntryState.Approved or TimeEntryState.Reversed || r.Drawn + r.Overage + r.Parked + r.Charged > 0
            ? new V1.TimeParts { DrawnMinutes = r.Drawn, OverageMinutes = r.Overage, ParkedMinutes = r.Parked, ChargedMinutes = r.Charged }
            : null;
        wire.RejectedFor = r.RejectedFor ?? "";
        wire.RefusedFor = r.RefusedFor ?? "";
        wire.DisputedFor = r.DisputedFor ?? "";
        wire.ReversedFor = r.ReversedFor ?? "";
        return wire;
    }

    /// <summary>What a client sees of an entry: not what is between agency and CMO.</summary>
    private static V1.TimeEntry ForClient(V1.TimeEntry entry)
    {
        entry.Unpaid = false;
        entry.RejectedFor = "";
        entry.RefusedFor = "";
        return entry;
    }

    private static V1.MeterProjection ToWire(MeterProjection projection) => new()
    {
        UnapprovedMinutes = projection.Unapproved,
        BookedMinutes = projection.Booked,
        RemainingMinutes = projection.Remaining,
        BeyondMinutes = projection.Beyond,
        ExhaustDate = projection.ExhaustedOn.ToWire(),
    };

    private static string SheetName(AgencyId agency, CmoId cmo, string week) => ResourceNames.Of(agency, "cmos", cmo.Value, "timesheets", week.ToLowerInvariant());

    /// <summary>A week in a resource name has an id's syntax: <c>2026-w14</c>.</summary>
    private readonly record struct WeekId(string Value) : IId<WeekId>
    {
        public static WeekId Of(string value) => new(value);
    }
}
