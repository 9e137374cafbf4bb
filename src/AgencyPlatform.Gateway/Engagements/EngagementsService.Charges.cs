using AgencyPlatform.Domain.Engagements;
using V1 = AgencyPlatform.Protocol.Engagements.V1;

namespace AgencyPlatform.Gateway.Engagements;

/// <summary>What falls due by itself: milestones and prepaid hours.</summary>
internal sealed partial class EngagementsService
{
    public override Task<V1.Engagement> MarkMilestoneReached(V1.MarkMilestoneReachedRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var command = new MarkMilestone(fields.Id<PartId>("milestone_id", request.MilestoneId), fields.Date("reach_date", request.ReachDate));
        return Move(request, request.Name, fields, context, (grain, call) => grain.MarkMilestone(call, command));
    }

    public override Task<V1.Engagement> ReopenMilestone(V1.ReopenMilestoneRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var command = new ReopenMilestone(fields.Id<PartId>("milestone_id", request.MilestoneId), fields.Text("reason", request.Reason, 1000));
        return Move(request, request.Name, fields, context, (grain, call) => grain.ReopenMilestone(call, command));
    }

    public override Task<V1.Engagement> SellPrepaidHours(V1.SellPrepaidHoursRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var command = new SellHours(
            request.BlockId.Length == 0 ? null : fields.Id<PartId>("block_id", request.BlockId), fields.Number("minutes", request.Minutes, 0, 600_000, "minutes"),
            request.Price is null ? null : fields.Money("price", request.Price), fields.Date("effective_date", request.EffectiveDate),
            fields.OptionalDate("expire_date", request.ExpireDate));
        return Move(request, request.Name, fields, context, (grain, call) => grain.SellHours(call, command));
    }
}
