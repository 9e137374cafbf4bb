using System.Collections.Immutable;
using AgencyPlatform.Domain.Engagements;
using V1 = AgencyPlatform.Protocol.Engagements.V1;

namespace AgencyPlatform.Gateway.Engagements;

/// <summary>The moves of a running engagement.</summary>
internal sealed partial class EngagementsService
{
    public override Task<V1.Engagement> PauseEngagement(V1.PauseEngagementRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var command = new PauseEngagement(
            fields.Date("start_date", request.StartDate),
            fields.OptionalDate("keep_until_date", request.KeepUntilDate),
            fields.Number("fee_percent", request.FeePercent, 0, 100),
            fields.LongText("reason", request.Reason, 1000));
        return Move(request, request.Name, fields, context, (grain, call) => grain.Pause(call, command));
    }

    public override Task<V1.Engagement> ResumeEngagement(V1.ResumeEngagementRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var command = new ResumeEngagement(fields.Date("resume_date", request.ResumeDate));
        return Move(request, request.Name, fields, context, (grain, call) => grain.Resume(call, command));
    }

    public override Task<V1.Engagement> ProposeScopeChange(V1.ProposeScopeChangeRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = ResourceNames.AgencyOf(request.Name) ?? default;
        var command = new ProposeScope(
            RunningWire.Proposal("scope_change", fields.Message("scope_change", request.ScopeChange), agency, fields), fields.OptionalTime("expire_time", request.ExpireTime));
        return Move(request, request.Name, fields, context, (grain, call) => grain.ProposeScope(call, command));
    }

    public override Task<V1.Engagement> SignScopeChange(V1.SignScopeChangeRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var command = new SignScope(fields.Id<PersonId>("person_id", request.PersonId), Number(fields, request.Number), Person(fields, "signed_by", request.SignedBy));
        return Move(request, request.Name, fields, context, (grain, call) => grain.SignScope(call, command));
    }

    public override Task<V1.Engagement> AgreeToScopeChange(V1.AgreeToScopeChangeRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = ResourceNames.AgencyOf(request.Name) ?? default;
        var command = new AgreeToScope(fields.Reference<CmoId>("cmo", request.Cmo, agency, "cmos"), Number(fields, request.Number));
        return Move(request, request.Name, fields, context, (grain, call) =>
        {
            Calls.Caller(context).EnsureCmo(command.Cmo);
            return grain.AgreeToScope(call, command);
        });
    }

    /// <summary>A CMO's key declines for its own CMO.</summary>
    public override Task<V1.Engagement> DeclineScopeChange(V1.DeclineScopeChangeRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = ResourceNames.AgencyOf(request.Name) ?? default;
        var (number, reason) = (Number(fields, request.Number), fields.LongText("reason", request.Reason, 1000));
        CmoId? named = request.Cmo.Length == 0 ? null : fields.Reference<CmoId>("cmo", request.Cmo, agency, "cmos");
        return Move(request, request.Name, fields, context, (grain, call) =>
        {
            var caller = Calls.Caller(context);
            var cmo = named ?? (caller.IsStaff ? null : caller.Cmo);
            if (cmo is { } declining)
            {
                caller.EnsureCmo(declining);
            }

            return grain.CloseScope(call, new CloseScope(number, ByClient: cmo is null, reason, cmo));
        });
    }

    public override Task<V1.Engagement> WithdrawScopeChange(V1.WithdrawScopeChangeRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var command = new CloseScope(Number(fields, request.Number), ByClient: false, fields.LongText("reason", request.Reason, 1000));
        return Move(request, request.Name, fields, context, (grain, call) => grain.CloseScope(call, command));
    }

    public override Task<V1.Engagement> ApplyScopeChange(V1.ApplyScopeChangeRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var command = new ApplyScope(Number(fields, request.Number));
        return Move(request, request.Name, fields, context, (grain, call) => grain.ApplyScope(call, command));
    }

    public override Task<V1.Engagement> RequestCover(V1.RequestCoverRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = ResourceNames.AgencyOf(request.Name) ?? default;
        var wire = fields.Message("cover", request.Cover);
        var dates = ImmutableSortedDictionary.CreateBuilder<LocalDate, int>();
        for (var i = 0; i < Math.Min(wire.Dates.Count, Cover.MostDates + 1); i++)
        {
            var date = fields.Date($"cover.dates[{i}].date", wire.Dates[i].Date);
            fields.Require(dates.TryAdd(date, fields.Number($"cover.dates[{i}].minutes", wire.Dates[i].Minutes, 1, 1440, "minutes")), $"cover.dates[{i}].date", "must be named once");
        }

        fields.Require(wire.Dates.Count is >= 1 and <= Cover.MostDates, "cover.dates", $"must be 1 to {Cover.MostDates}; they are {wire.Dates.Count}");
        var command = new RequestCover(
            fields.NewId<CoverId>("cover.cover_id", wire.CoverId, request.RequestId),
            fields.Reference<CmoId>("cover.away_cmo", wire.AwayCmo, agency, "cmos"),
            fields.Reference<CmoId>("cover.covering_cmo", wire.CoveringCmo, agency, "cmos"),
            dates.ToImmutable(),
            wire.CmoAgreementWaived,
            fields.LongText("cover.reason", wire.Reason, 1000));
        return Move(request, request.Name, fields, context, (grain, call) => grain.RequestCover(call, command));
    }

    public override Task<V1.Engagement> ConsentToCover(V1.ConsentToCoverRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var command = new ConsentToCover(fields.Id<CoverId>("cover_id", request.CoverId), fields.Id<PersonId>("person_id", request.PersonId), Person(fields, "consented_by", request.ConsentedBy));
        return Move(request, request.Name, fields, context, (grain, call) => grain.ConsentToCover(call, command));
    }

    public override Task<V1.Engagement> AgreeToCover(V1.AgreeToCoverRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = ResourceNames.AgencyOf(request.Name) ?? default;
        var command = new AgreeToCover(fields.Id<CoverId>("cover_id", request.CoverId), fields.Reference<CmoId>("cmo", request.Cmo, agency, "cmos"));
        return Move(request, request.Name, fields, context, (grain, call) =>
        {
            Calls.Caller(context).EnsureCmo(command.Cmo);
            return grain.AgreeToCover(call, command);
        });
    }

    /// <summary>A CMO's key declines covers of its own CMO only.</summary>
    public override Task<V1.Engagement> DeclineCover(V1.DeclineCoverRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var command = new DeclineCover(fields.Id<CoverId>("cover_id", request.CoverId), fields.LongText("reason", request.Reason, 1000));
        return Move(request, request.Name, fields, context, async (grain, call) =>
        {
            if (Calls.Caller(context) is { IsStaff: false, Cmo: { } cmo }
                && (await grain.Get(new Read(call.Agency, call.SandboxNow))).Value?.Running.Covers.GetValueOrDefault(command.Id)?.Covering != cmo)
            {
                throw Errors.NotFound("cover", command.Id.Value);
            }

            return await grain.DeclineCover(call, command);
        });
    }

    public override Task<V1.Engagement> BookCover(V1.BookCoverRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var command = new BookCover(fields.Id<CoverId>("cover_id", request.CoverId));
        return Move(request, request.Name, fields, context, (grain, call) => grain.BookCover(call, command));
    }

    public override Task<V1.Engagement> CancelCover(V1.CancelCoverRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var command = new CancelCover(fields.Id<CoverId>("cover_id", request.CoverId), fields.Date("start_date", request.StartDate));
        return Move(request, request.Name, fields, context, (grain, call) => grain.CancelCover(call, command));
    }

    public override Task<V1.Engagement> StartTransition(V1.StartTransitionRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var wire = fields.Message("transition", request.Transition);
        fields.Require(wire.Steps.Count is >= 1 and <= Transition.MostSteps, "transition.steps", $"must be 1 to {Transition.MostSteps}; they are {wire.Steps.Count}");
        fields.Require(wire.Checklist.Count <= Transition.MostItems, "transition.checklist", $"must be at most {Transition.MostItems}; they are {wire.Checklist.Count}");
        var command = new StartTransition(
            [
                .. wire.Steps.Take(Transition.MostSteps).Select((s, i) => new TaperStep(
                    fields.Date($"transition.steps[{i}].effective_date", s.EffectiveDate), fields.Number($"transition.steps[{i}].percent", s.Percent, 0, 100))),
            ],
            [
                .. wire.Checklist.Take(Transition.MostItems).Select((item, i) => new HandoverItem(
                    fields.Id<HandoverItemId>($"transition.checklist[{i}].item_id", item.ItemId), fields.Text($"transition.checklist[{i}].title", item.Title, 200), null, null)),
            ],
            fields.LongText("transition.note", wire.Note, 1000));

        // A date that stands in for a bad one is held against no other.
        var datesAreGood = !Enumerable.Range(0, command.Steps.Length).Any(i => fields.Has($"transition.steps[{i}].effective_date"));
        foreach (var violation in command.Violations().Where(v => !fields.Has(v.Field) && (datesAreGood || !v.Field.EndsWith("_date", StringComparison.Ordinal))).ToList())
        {
            fields.Add(violation.Field, violation.Description);
        }

        return Move(request, request.Name, fields, context, (grain, call) => grain.StartTransition(call, command));
    }

    public override Task<V1.Engagement> PutHandoverItem(V1.PutHandoverItemRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var title = fields.Text("title", request.Title, 200, required: false);
        var command = new PutHandoverItem(fields.Id<HandoverItemId>("item_id", request.ItemId), title.Length == 0 ? null : title, request.Done);
        return Move(request, request.Name, fields, context, (grain, call) => grain.PutHandoverItem(call, command));
    }

    private static int Number(Fields fields, int number) => fields.Number("number", number, 0, int.MaxValue);
}
