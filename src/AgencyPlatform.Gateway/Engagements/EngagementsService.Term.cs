using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Domain.Engagements;
using DueKind = AgencyPlatform.Domain.Engagements.DueKind;
using V1 = AgencyPlatform.Protocol.Engagements.V1;

namespace AgencyPlatform.Gateway.Engagements;

/// <summary>Renewal by signature, and what falls due.</summary>
internal sealed partial class EngagementsService
{
    public override Task<V1.Engagement> SignRenewal(V1.SignRenewalRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var command = new SignRenewal(
            fields.Id<PersonId>("person_id", request.PersonId), fields.Number("renewal", request.Renewal, 0, int.MaxValue), Person(fields, "signed_by", request.SignedBy));
        return Move(request, request.Name, fields, context, (grain, call) => grain.SignRenewal(call, command));
    }

    public override async Task<V1.ListDueResponse> ListDue(V1.ListDueRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var client = fields.OptionalReference<ClientCompanyId>("client_company", request.ClientCompany, agency, "clientCompanies");
        DueKind? kind = request.Kind == 0 ? null : fields.Enum<V1.DueKind, DueKind>("kind", request.Kind);
        var (start, end) = (fields.OptionalDate("start_date", request.StartDate), fields.OptionalDate("end_date", request.EndDate));
        fields.Require(start is null || end is null || end > start, "end_date", "must be after start_date (the end is exclusive)");
        var page = Page.Of(context, request, fields);
        var read = await calls.Read(context, request, fields, agency);
        if (start is null)
        {
            var settings = (await grains.Agency(agency).Get(read)).OrThrow().Value.Settings;
            start = Now(read).InZone(DateTimeZoneProviders.Tzdb[settings.TimeZone]).Date;
        }

        var filters = new Filters().Between(nameof(EngagementDueRow.Date), start, end).Equal(nameof(EngagementDueRow.Kind), kind).Equal(nameof(EngagementDueRow.Client), client);
        var (rows, next) = page.Cut(await readModels.List<EngagementDueRow>(agency, page.Query<EngagementDueRow>(filters.All), context.CancellationToken));
        return new V1.ListDueResponse
        {
            Items =
            {
                rows.Select(row => new V1.DueItem
                {
                    Engagement = ResourceNames.Of(agency, Collection, row.Id.Value),
                    ClientCompany = ResourceNames.Of(agency, "clientCompanies", row.Client.Value),
                    Date = row.Date.ToWire(),
                    Kind = row.Kind.ToWire<V1.DueKind>(),
                }),
            },
            NextPageToken = next,
        };
    }

    /// <summary>The time that a read is of: the past moment that it asks for, the sandbox's, or the clock's.</summary>
    private Instant Now(Read read) => read.ReadTime ?? read.SandboxNow ?? Instant.FromDateTimeOffset(system.GetUtcNow());
}
