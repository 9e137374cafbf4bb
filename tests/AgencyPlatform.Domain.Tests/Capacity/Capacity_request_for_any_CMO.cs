using AgencyPlatform.Domain.Capacity;
using NodaTime;
using static AgencyPlatform.Domain.Tests.Capacity.Given;

namespace AgencyPlatform.Domain.Tests.Capacity;

/// <summary>A request for any of several CMOs: it decides who was first.</summary>
public class Capacity_request_for_any_CMO
{
    private static readonly (CmoId Ada, CmoId Bob) s_cmos = (new("ada"), new("bob"));

    [Fact]
    public void The_first_CMO_to_ask_is_the_first_however_often_anybody_asks()
    {
        var request = Then(Made(), r => r.Offer(s_cmos.Bob, Now));

        Assert.Equal(s_cmos.Bob, request.Offering);
        Assert.Empty(request.Offer(s_cmos.Bob, Now).Events);
        Assert.Empty(request.Offer(s_cmos.Ada, Now).Events);
        Assert.Empty(Made().Offer(new CmoId("stranger"), Now).Events);
    }

    [Fact]
    public void It_joins_in_the_order_named_and_leaves_the_others_once_somebody_was_first()
    {
        var request = Made();
        Assert.Equal(new CapacityRequestStep(s_cmos.Bob, Join: true), request.NextStep());
        request = Then(request, r => r.Record(r.NextStep()!, null));
        Assert.Equal(new CapacityRequestStep(s_cmos.Ada, Join: true), request.NextStep());

        // Bob has room before Ada has answered: she may have it on her list.
        request = Then(request, r => r.Offer(s_cmos.Bob, Now));
        Assert.Equal(new CapacityRequestStep(s_cmos.Ada, Join: false), request.NextStep());
        Assert.Empty(request.Record(new CapacityRequestStep(s_cmos.Ada, Join: true), null).Events);
        request = Then(request, r => r.Record(r.NextStep()!, null));

        Assert.Null(request.NextStep());
        Assert.Null(request.NextDue);
    }

    [Fact]
    public void A_list_that_refuses_it_is_told_of_and_not_left()
    {
        var request = Then(Made(), r => r.Record(r.NextStep()!, Rejection.Rule(Reasons.WaitlistFull, "Full.")));
        request = Then(Then(request, r => r.Record(r.NextStep()!, null)), r => r.Withdraw(Now));

        Assert.Equal(new Candidate(CandidateState.Refused, Reasons.WaitlistFull), request.Candidates[s_cmos.Bob]);
        Assert.Equal(new CapacityRequestStep(s_cmos.Ada, Join: false), request.NextStep());
        Assert.Empty(request.Withdraw(Now).Events);
        Assert.Empty(request.Offer(s_cmos.Ada, Now).Events);
    }

    [Fact]
    public void Once_offered_it_is_not_withdrawn()
    {
        var refused = Then(Made(), r => r.Offer(s_cmos.Ada, Now)).Withdraw(Now).Rejection!;

        Assert.Equal((Reasons.CapacityRequestOver, "Offered"), (refused.Reason, refused.Metadata["state"]));
    }

    [Fact]
    public void It_lapses_when_its_start_has_come_in_the_last_time_zone()
    {
        var request = Made();
        request = Then(Then(request, r => r.Record(r.NextStep()!, null)), r => r.Record(r.NextStep()!, null));
        var last = Instant.FromUtc(2026, 3, 2, 12, 0);

        Assert.Equal(last, request.NextDue);
        Assert.Empty(request.Settle(last - Duration.Epsilon));
        Assert.Equal(CapacityRequestState.Lapsed, request.Settle(last).Aggregate(request, (s, e) => s.Apply(e)).State);
    }

    private static CapacityRequest Made() => Then(CapacityRequest.Initial, r => r.Create(
        new CreateCapacityRequest(new CapacityRequestId("any"), Flexible(60, Day(3, 2), Day(3, 9)), [s_cmos.Bob, s_cmos.Ada], 0, Duration.FromDays(1)), Now));

    private static CapacityRequest Then(CapacityRequest request, Func<CapacityRequest, Decision> decide)
    {
        var decision = decide(request);
        Assert.Null(decision.Rejection);
        return decision.Events.Aggregate(request, (s, e) => s.Apply(e));
    }
}
