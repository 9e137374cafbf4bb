using AgencyPlatform.Domain.Engagements;
using V1 = AgencyPlatform.Protocol.Engagements.V1;

namespace AgencyPlatform.Gateway.Engagements;

/// <summary>Comments and the CMOs' agreement.</summary>
internal sealed partial class EngagementsService
{
    public override Task<V1.Engagement> CommentOnEngagement(V1.CommentOnEngagementRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var person = Person(fields, "person_id", request.PersonId);
        fields.Require(person is not null || Calls.Caller(context).IsStaff, "person_id", "is required: which stakeholder says it");
        var command = new CommentOnEngagement(person, fields.LongText("text", request.Text, 1000, required: true));
        return Move(request, request.Name, fields, context, (grain, call) => grain.Comment(call, command));
    }

    public override Task<V1.Engagement> RequestAgreement(V1.RequestAgreementRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = ResourceNames.AgencyOf(request.Name) ?? default;
        fields.Require(request.Cmos.Count <= EngagementPlan.MostMembers, "cmos", $"must be at most {EngagementPlan.MostMembers}; they are {request.Cmos.Count}");
        var command = new RequestAgreement(
            [.. request.Cmos.Take(EngagementPlan.MostMembers).Select((cmo, i) => fields.Reference<CmoId>($"cmos[{i}]", cmo, agency, "cmos"))],
            fields.OptionalFutureTime("expire_time", request.ExpireTime));
        return Move(request, request.Name, fields, context, (grain, call) => grain.AskToAgree(call, command));
    }

    public override Task<V1.Engagement> DeclineAgreement(V1.DeclineAgreementRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = ResourceNames.AgencyOf(request.Name) ?? default;
        var command = new DeclineAsCmo(
            fields.Reference<CmoId>("cmo", request.Cmo, agency, "cmos"), fields.Number("revision", request.Revision, 0, int.MaxValue),
            fields.LongText("reason", request.Reason, 1000, required: true));
        return Move(request, request.Name, fields, context, (grain, call) =>
        {
            Calls.Caller(context).EnsureCmo(command.Cmo);
            return grain.DeclineAs(call, command);
        });
    }

    private static PersonId? Person(Fields fields, string path, string id) => id.Length == 0 ? null : fields.Id<PersonId>(path, id);
}
