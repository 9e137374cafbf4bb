using AgencyPlatform.Domain.Performance;
using NodaTime;

namespace AgencyPlatform.Domain.Tests.Performance;

/// <summary>Sessions one after the other, what is promised in them, and what is to be followed up.</summary>
public class A_coaching_programme
{
    [Fact]
    public void Names_what_is_due_by_the_next_session()
    {
        var programme = Planned();
        programme = Then(programme, programme.Hold(new HoldCoachingSession(new("s1"), "Said.", [Promise("late", 20), Promise("soon", 5), Promise("next", 8)])));
        Assert.Equal(["soon", "next"], programme.ToFollowUp().Select(c => c.Id.Value));
        Assert.All(programme.Commitments.Values, c => Assert.Equal("s1", c.Session.Value));
        programme = Then(programme, programme.FollowUp(new ResolveCommitment(new("soon"), CommitmentState.Kept, "Done.")));
        Assert.Equal(["next"], programme.ToFollowUp().Select(c => c.Id.Value));

        // Without a next session: all that is open.
        programme = Then(programme, programme.Cancel(new CancelCoachingSession(new("s2"), "Ill.")));
        Assert.Null(programme.NextSession());
        Assert.Equal(["next", "late"], programme.ToFollowUp().Select(c => c.Id.Value));
    }

    [Fact]
    public void Holds_a_session_once_and_ends_once()
    {
        var programme = Planned();
        programme = Then(programme, programme.Hold(new HoldCoachingSession(new("s1"), "", [])));
        Assert.Equal(("s1", "HELD"), Over(programme.Hold(new HoldCoachingSession(new("s1"), "", []))));
        Assert.Equal(("s1", "HELD"), Over(programme.Cancel(new CancelCoachingSession(new("s1"), ""))));
        Assert.Equal(("s1", "HELD"), Over(programme.Plan(new PlanCoachingSession(new("s1"), Day(9), 60, "Again"))));
        Assert.Equal(RejectionKind.NotFound, programme.Hold(new HoldCoachingSession(new("none"), "", [])).Rejection!.Kind);
        Assert.Empty(programme.Plan(new PlanCoachingSession(new("s2"), Day(8), 60, "Two")).Events);

        programme = Then(programme, programme.End());
        Assert.Equal(CoachingSessionState.Cancelled, programme.Sessions[new("s2")].State);
        Assert.Empty(programme.End().Events);
        Assert.Equal(("", "ENDED"), Over(programme.Plan(new PlanCoachingSession(new("s3"), Day(9), 60, "Three"))));
        Assert.Equal(("", "ENDED"), Over(programme.Put(new CoachingMaterial(new("book"), "Book", ""))));
    }

    [Fact]
    public void Takes_a_promise_once_and_follows_it_up_after_its_end_too()
    {
        var programme = Planned();
        Assert.Equal(
            ["commitments[1].commitment_id"], programme.Hold(new HoldCoachingSession(new("s1"), "", [Promise("a", 5), Promise("a", 6)])).Rejection!.Fields.Select(f => f.Field));
        programme = Then(programme, programme.Hold(new HoldCoachingSession(new("s1"), "", [Promise("a", 5)])));
        Assert.Equal(["commitments[0].commitment_id"], programme.Hold(new HoldCoachingSession(new("s2"), "", [Promise("a", 5)])).Rejection!.Fields.Select(f => f.Field));
        programme = Then(programme, programme.End());
        programme = Then(programme, programme.FollowUp(new ResolveCommitment(new("a"), CommitmentState.Dropped, "No longer needed.")));
        Assert.Equal(Reasons.CommitmentClosed, programme.FollowUp(new ResolveCommitment(new("a"), CommitmentState.Kept, "")).Rejection!.Reason);
        Assert.Equal(RejectionKind.NotFound, programme.FollowUp(new ResolveCommitment(new("b"), CommitmentState.Kept, "")).Rejection!.Kind);
    }

    private static (string, string) Over(Decision decision)
    {
        Assert.Equal(Reasons.CoachingOver, decision.Rejection?.Reason);
        return (decision.Rejection!.Metadata["session"], decision.Rejection.Metadata["state"]);
    }

    private static CoachingProgramme Planned()
    {
        var programme = CoachingProgramme.Initial;
        programme = Then(programme, programme.Start(new StartCoachingProgramme(new("p"), new("launch"), new("acme"), "Founder", "")));
        Assert.Equal(RejectionKind.AlreadyExists, programme.Start(new StartCoachingProgramme(new("p"), new("launch"), new("acme"), "Founder", "")).Rejection!.Kind);
        programme = Then(programme, programme.Plan(new PlanCoachingSession(new("s1"), Day(1), 60, "One")));
        return Then(programme, programme.Plan(new PlanCoachingSession(new("s2"), Day(8), 60, "Two")));
    }

    private static CoachingProgramme Then(CoachingProgramme programme, Decision decision)
    {
        Assert.True(decision.Rejection is null, decision.Rejection?.Message);
        return decision.Events.Aggregate(programme, (state, e) => state.Apply(EventJson.Deserialize(EventJson.NameOf(e).Name, EventJson.NameOf(e).Version, EventJson.Serialize(e))));
    }

    private static SessionCommitment Promise(string id, int day) => new(new(id), new(""), id, "founder", Day(day));

    private static LocalDate Day(int day) => new(2026, 4, day);
}
