using AgencyPlatform.Contracts.Absences;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Domain.Absences;
using AgencyPlatform.Gateway.Capacity;
using Absence = AgencyPlatform.Domain.Absences.Absence;
using V1 = AgencyPlatform.Protocol.Absences.V1;

namespace AgencyPlatform.Gateway.Absences;

/// <summary>The service of absences.</summary>
internal sealed class AbsencesService(Calls calls, IGrainFactory grains, IReadModels readModels) : V1.AbsencesService.AbsencesServiceBase
{
    private const string Collection = "absences";

    public override async Task<V1.Absence> CreateAbsence(V1.CreateAbsenceRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var id = fields.NewId<AbsenceId>("absence_id", request.AbsenceId, request.RequestId);
        var wire = fields.Message("absence", request.Absence);
        var command = new ReportAbsence(
            id,
            fields.Reference<CmoId>("absence.cmo", wire.Cmo, agency, "cmos"),
            fields.OpenRange("absence.start_date", wire.StartDate, "absence.end_date", wire.EndDate),
            fields.LongText("absence.reason", wire.Reason, 1000));
        var call = await calls.Mutation(context, request, fields, agency);
        return ToWire(agency, await Grain(agency, id).Report(call, command));
    }

    public override async Task<V1.Absence> GetAbsence(V1.GetAbsenceRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<AbsenceId>("name", request.Name, Collection);
        var reply = await Grain(agency, id).Get(await calls.Read(context, request, fields, agency));

        // A report that was refused is no absence.
        return reply.Value?.Refusal is null ? ToWire(agency, reply) : throw Errors.NotFound("absence", request.Name);
    }

    public override async Task<V1.ListAbsencesResponse> ListAbsences(V1.ListAbsencesRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var cmo = fields.OptionalReference<CmoId>("cmo", request.Cmo, agency, "cmos");
        var page = Page.Of(context, request, fields);
        var read = await calls.Read(context, request, fields, agency);
        var filters = new Filters().Equal(nameof(AbsenceRow.Cmo), cmo);
        var (rows, next) = page.Cut(await readModels.List<AbsenceRow>(agency, page.Query<AbsenceRow>(filters.All), context.CancellationToken));
        var absences = await Task.WhenAll(rows.Select(r => Grain(agency, r.Id).Get(read)));
        return new V1.ListAbsencesResponse { Absences = { absences.Select(a => ToWire(agency, a)) }, NextPageToken = next };
    }

    private IAbsenceGrain Grain(AgencyId agency, AbsenceId id) => grains.Of<IAbsenceGrain>(agency, id.Value);

    private static V1.Absence ToWire(AgencyId agency, Reply<Absence> reply)
    {
        var (a, meta) = reply.OrThrow();
        return new V1.Absence
        {
            Name = ResourceNames.Of(agency, Collection, a.Id.Value),
            Uid = meta.Uid.ToString(),
            Version = meta.Version,
            CreateTime = meta.CreatedAt.ToWire(),
            Cmo = ResourceNames.Of(agency, "cmos", a.Cmo.Value),
            StartDate = a.Dates.Start.ToWire(),
            EndDate = a.Dates.End.ToWire(),
            Reason = a.Reason,
            Needs = { (a.Needs ?? []).Select(n => ToWire(agency, a, n)) },
            UnderWay = a.IsUnderWay,
        };
    }

    private static V1.AbsenceNeed ToWire(AgencyId agency, Absence a, AbsenceNeed n) => new()
    {
        Engagement = ResourceNames.Of(agency, "engagements", n.Engagement.Value),
        Dates = { n.Minutes.Select(m => new V1.LackingDate { Date = m.Key.ToWire(), Minutes = m.Value }) },
        Steps = { n.Steps.Select(CapacityWire.ToWire) },
        Candidates = { n.Candidates.Select(c => ResourceNames.Of(agency, "cmos", c.Value)) },
        CoverId = n.Asked && (!a.IsDeparture || n.Cover is not null) ? a.CoverFor(n).Value : "",
        ReplacementProposed = n.Asked && a.IsDeparture && n.Cover is null,
        FormerCoverId = n.Cover?.Value ?? "",
        RefusalReason = n.Refusal?.Reason ?? "",
        RefusalMessage = n.Refusal?.Message ?? "",
    };
}
