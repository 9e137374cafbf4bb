using AgencyPlatform.Domain;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Performance.V1;
using Google.Type;
using Grpc.Core;

namespace AgencyPlatform.Gateway.Tests.Performance;

/// <summary>Coaching programmes through the public API.</summary>
[Collection(PlatformFixture.Collection)]
public sealed class CoachingTests(PlatformFixture platform)
{
    [Fact]
    public async Task A_programme_is_coached_promised_and_followed_up()
    {
        var agency = await platform.NewAgency();
        await ActiveEngagement.Create(agency, ActiveEngagement.Hourly);
        var ada = (await agency.As(Role.Cmo, cmo: "ada")).Coaching;
        var name = agency.Name + "/coachingProgrammes/founder";
        var create = new CreateCoachingProgrammeRequest
        {
            Parent = agency.Name,
            CoachingProgrammeId = "founder",
            CoachingProgramme = new CoachingProgramme { Engagement = agency.Name + "/engagements/launch", Title = "Founder", Goal = "By themselves." },
        };
        await ada.CreateCoachingProgrammeAsync(create);
        Assert.Equal(StatusCode.AlreadyExists, (await Refused.By(ada.CreateCoachingProgrammeAsync(create))).StatusCode);
        await ada.PlanCoachingSessionAsync(new PlanCoachingSessionRequest { Name = name, Session = Session("s1", 6) });
        await ada.PlanCoachingSessionAsync(new PlanCoachingSessionRequest { Name = name, Session = Session("s2", 13) });
        await ada.PutCoachingMaterialAsync(new PutCoachingMaterialRequest { Name = name, Material = new CoachingMaterial { MaterialId = "book", Title = "Book", Location = "Shelf 3" } });
        var held = await ada.HoldCoachingSessionAsync(new HoldCoachingSessionRequest
        {
            Name = name,
            SessionId = "s1",
            Notes = "Audience.",
            Commitments = { Promise("personas", 12), Promise("later", 30) },
        });
        Assert.Equal((CoachingSessionState.Held, "Audience."), (held.Sessions[0].State, held.Sessions[0].Notes));
        Assert.Equal(["personas"], held.ToFollowUp);
        var followed = await ada.FollowUpCommitmentAsync(new FollowUpCommitmentRequest { Name = name, CommitmentId = "personas", State = CommitmentState.Kept, Note = "Three." });
        Assert.Empty(followed.ToFollowUp);
        Assert.Equal("s1", followed.Commitments.Single(c => c.CommitmentId == "personas").SessionId);
        var over = await Refused.By(ada.CancelCoachingSessionAsync(new CancelCoachingSessionRequest { Name = name, SessionId = "s1" }));
        Assert.Equal((Reasons.CoachingOver, "HELD"), (over.Reason, over.Metadata["state"]));

        // The client reads, others see nothing.
        var client = (await agency.As(Role.ClientViewer, client: "acme")).Coaching;
        Assert.Equal(followed, await client.GetCoachingProgrammeAsync(new GetCoachingProgrammeRequest { Name = name }));
        Assert.Equal([name], (await client.ListCoachingProgrammesAsync(new ListCoachingProgrammesRequest { Parent = agency.Name, Engagement = create.CoachingProgramme.Engagement })).CoachingProgrammes);
        foreach (var stranger in new[] { await agency.As(Role.ClientViewer, client: "bolt"), await agency.As(Role.Cmo, cmo: "bob") })
        {
            Assert.Equal(StatusCode.NotFound, (await Refused.By(stranger.Coaching.GetCoachingProgrammeAsync(new GetCoachingProgrammeRequest { Name = name }))).StatusCode);
            Assert.Equal(["engagement"], (await Refused.By(stranger.Coaching.ListCoachingProgrammesAsync(new ListCoachingProgrammesRequest { Parent = agency.Name }))).FieldViolations.Select(f => f.Field));
        }

        var ended = await ada.EndCoachingProgrammeAsync(new EndCoachingProgrammeRequest { Name = name });
        Assert.Equal((true, CoachingSessionState.Cancelled), (ended.Ended, ended.Sessions[1].State));
        create.CoachingProgrammeId = "other";
        create.CoachingProgramme.Engagement = agency.Name + "/engagements/none";
        Assert.Equal(StatusCode.NotFound, (await Refused.By((await agency.Admin()).Coaching.CreateCoachingProgrammeAsync(create))).StatusCode);
    }

    private static CoachingSession Session(string id, int day) => new() { SessionId = id, Date = Day(day), Minutes = 60, Topic = id };

    private static SessionCommitment Promise(string id, int day) => new() { CommitmentId = id, Text = id, Owner = "founder", DueDate = Day(day) };

    private static Date Day(int day) => new() { Year = 2026, Month = 1, Day = day };
}
