using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Matching;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Matching;
using AgencyPlatform.Gateway.Cmos;
using Intake = AgencyPlatform.Domain.Matching.Intake;
using V1 = AgencyPlatform.Protocol.Matching.V1;

namespace AgencyPlatform.Gateway.Matching;

/// <summary>The service of intakes.</summary>
internal sealed class IntakesService(Calls calls, IGrainFactory grains, IReadModels readModels, IPeopleVault vault) : V1.IntakesService.IntakesServiceBase
{
    private const string Collection = IntakeWire.Collection;

    /// <summary>More than any agency has: a review compares with all of them.</summary>
    private const int MostCompared = 100_000;

    public override async Task<V1.Intake> CreateIntake(V1.CreateIntakeRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var id = fields.NewId<IntakeId>("intake_id", request.IntakeId, request.RequestId);
        var wire = fields.Message("intake", request.Intake);
        var command = new CreateIntake(id, IntakeWire.Brief("intake", wire, agency, fields), IntakeWire.Contact("intake.contact", wire.Contact, fields));
        var call = await calls.Mutation(context, request, fields, agency);
        return await ToWire(agency, await Grain(agency, id).Create(call, command), context);
    }

    public override async Task<V1.Intake> GetIntake(V1.GetIntakeRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<IntakeId>("name", request.Name, Collection);
        var read = await calls.Read(context, request, fields, agency);
        return await ToWire(agency, await Grain(agency, id).Get(read), context);
    }

    public override async Task<V1.ListIntakesResponse> ListIntakes(V1.ListIntakesRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        IntakeState? state = request.State == 0 ? null : fields.Enum<V1.Intake.Types.State, IntakeState>("state", request.State);
        var page = Page.Of(context, request, fields);
        var read = await calls.Read(context, request, fields, agency);
        var (rows, next) = page.Cut(await readModels.List<IntakeRow>(agency, page.Query<IntakeRow>(new Filters().Equal(nameof(IntakeRow.State), state).All), context.CancellationToken));
        var response = new V1.ListIntakesResponse { NextPageToken = next };
        foreach (var reply in await Task.WhenAll(rows.Select(row => Grain(agency, row.Id).Get(read))))
        {
            response.Intakes.Add(await ToWire(agency, reply, context));
        }

        return response;
    }

    public override async Task<V1.Intake> UpdateIntake(V1.UpdateIntakeRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var wire = fields.Message("intake", request.Intake);
        var (agency, id) = fields.Name<IntakeId>("intake.name", wire.Name, Collection);
        var mask = fields.Mask(
            "update_mask", request.UpdateMask, wire,
            "company_name", "website", "industry", "time_zone", "growth_stage", "headcount", "team", "ceo_weekly_minutes", "reasons", "goals", "tried", "monthly_budget", "monthly_minutes",
            "start_date", "months", "service_type", "work_mode", "location", "working_hours", "overlap_minutes", "specialisms", "styles", "must_haves", "client_company", "competitors", "contact");
        fields.ThrowIfAny();
        var read = await calls.Read(context, request, fields, agency);
        return await ToWire(agency, await Masks.Update<Intake, Intake>(
            () => Grain(agency, id).Get(read),
            async (state, meta) =>
            {
                // Who the contact was stays where it is: only the one that the mask names goes to the vault.
                var merged = Masks.Merged(IntakeWire.ToWire(agency, state, meta, _ => new PersonDetails("-")), wire, mask);
                var contact = mask.Contains("contact") ? IntakeWire.Contact("intake.contact", merged.Contact, fields) : null;
                var command = new UpdateIntake(IntakeWire.Brief("intake", merged, agency, fields), contact);
                var call = await calls.Mutation(context, request, fields, agency, wire.Etag, "intake.etag");
                return (call, c => Grain(agency, id).Update(c, command));
            }), context);
    }

    public override async Task<V1.ReviewIntakeResponse> ReviewIntake(V1.ReviewIntakeRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<IntakeId>("name", request.Name, Collection);
        var read = await calls.Read(context, request, fields, agency);
        var brief = (await Grain(agency, id).Get(read)).OrThrow().Value.Brief;
        var clients = await readModels.List<ClientRow>(agency, Query.All(MostCompared), context.CancellationToken);
        var converted = await readModels.List<IntakeRow>(agency, Query.All(MostCompared, Filter.Eq(nameof(IntakeRow.State), IntakeState.Converted)), context.CancellationToken);
        var (minutes, like) = IntakeReview.Hours(brief, converted.Where(row => row.Id != id));
        return new V1.ReviewIntakeResponse
        {
            Duplicates =
            {
                IntakeReview.Duplicates(brief, clients).Select(c => new V1.Duplicate { ClientCompany = ResourceNames.Of(agency, Clients.ClientsService.Collection, c.Id.Value), DisplayName = c.DisplayName }),
            },
            SuggestedMonthlyMinutes = minutes ?? 0,
            Like =
            {
                like.Select(row => new V1.LikeIntake
                {
                    Intake = ResourceNames.Of(agency, Collection, row.Id.Value),
                    Engagement = ResourceNames.Of(agency, "engagements", row.Engagement!.Value.Value),
                    MonthlyMinutes = row.MonthlyMinutes!.Value,
                }),
            },
        };
    }

    public override async Task<V1.Intake> CloseIntake(V1.CloseIntakeRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<IntakeId>("name", request.Name, Collection);
        var command = new CloseIntake(fields.LongText("reason", request.Reason, 500));
        var call = await calls.Mutation(context, request, fields, agency);
        return await ToWire(agency, await Grain(agency, id).Close(call, command), context);
    }

    public override async Task<V1.Intake> ConvertIntake(V1.ConvertIntakeRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<IntakeId>("name", request.Name, Collection);
        var shortlist = fields.OptionalReference<ShortlistId>("shortlist", request.Shortlist, agency, MatchWire.Shortlists);
        var lead = fields.OptionalReference<CmoId>("lead", request.Lead, agency, CmosService.Collection);
        fields.Require(request.Lead.Length > 0 != request.Shortlist.Length > 0, "lead", "is required, or a shortlist instead");
        var hold = Hold(request, agency, lead, fields);
        var command = new ConvertIntake(
            request.ClientCompanyId.Length > 0 ? fields.Id<ClientCompanyId>("client_company_id", request.ClientCompanyId) : new ClientCompanyId(id.Value),
            request.EngagementId.Length > 0 ? fields.Id<EngagementId>("engagement_id", request.EngagementId) : new EngagementId(id.Value),
            lead ?? default, hold, fields.Reference<LegalEntityId>("legal_entity", request.LegalEntity, agency, "legalEntities"), fields.Money("monthly_fee", request.MonthlyFee),
            request.HasOverageHourlyRateMinorUnits ? fields.Number("overage_hourly_rate_minor_units", request.OverageHourlyRateMinorUnits, 0, Domain.Money.MostMinor, "minor units") : null,
            fields.Text("title", request.Title, 200, required: false), !request.DraftOnly);
        var call = await calls.Mutation(context, request, fields, agency);
        if (shortlist is { } from)
        {
            // A choice stands: a repeat finds the same one.
            var (list, _) = (await grains.Of<IShortlistGrain>(agency, from.Value).Get(new Read(agency, call.SandboxNow))).OrThrow();
            if (list.Options.FirstOrDefault(o => o.State == OptionState.Chosen) is not { } chosen)
            {
                throw Errors.Refused(list.InState());
            }

            command = command with { Lead = chosen.Cmo, Hold = chosen.Booking };
        }

        return await ToWire(agency, await Grain(agency, id).Convert(call, command), context);
    }

    private IIntakeGrain Grain(AgencyId agency, IntakeId id) => grains.Of<IIntakeGrain>(agency, id.Value);

    /// <summary>A hold of the lead; null: none is named.</summary>
    private static BookingId? Hold(V1.ConvertIntakeRequest request, AgencyId agency, CmoId? lead, Fields fields)
    {
        if (request.Hold.Length == 0)
        {
            return null;
        }

        var (of, cmo, booking) = fields.Name<CmoId, BookingId>("hold", request.Hold, CmosService.Collection, "bookings");
        fields.Require(fields.Has("hold") || (of == agency && cmo == lead), "hold", "must be a hold of the lead");
        return booking;
    }

    private async Task<V1.Intake> ToWire(AgencyId agency, Reply<Intake> reply, ServerCallContext context)
    {
        var (intake, meta) = reply.OrThrow();
        return IntakeWire.ToWire(agency, intake, meta, await vault.Of(agency, intake.Brief.ContactTitle is null ? [] : [intake.Contact], context.CancellationToken));
    }
}
