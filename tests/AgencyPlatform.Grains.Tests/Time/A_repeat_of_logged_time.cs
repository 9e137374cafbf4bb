using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Engagements;
using AgencyPlatform.Domain.Time;
using static AgencyPlatform.Grains.Tests.WorkedWeek;

namespace AgencyPlatform.Grains.Tests.Time;

/// <summary>Whoever does not know whether time was logged sends it again with the same request id.</summary>
public sealed class A_repeat_of_logged_time(SagaSilo silo) : IClassFixture<SagaSilo>
{
    [Fact]
    public async Task Is_answered_as_it_was_whatever_the_engagement_says_by_now()
    {
        var agency = new AgencyId("logged-again");
        var (sheet, engagement) = await Submitted(silo, agency, OverageGate.Block);
        var thursday = Monday.PlusDays(3);
        var log = new LogTime(new CmoId("ada"), IsoWeek.Of(Monday), [new LoggedEntry(new TimeEntryId("d"), new Work(new EngagementId("launch"), thursday, 60, "", true, true, ""))]);
        var request = Guid.CreateVersion7();
        var logged = await sheet.Log(Called(agency, request, "log"), log);
        Ok(logged);
        Ok(await engagement.Pause(Called(agency), new PauseEngagement(thursday, null, 0, "")));

        var again = await sheet.Log(Called(agency, request, "log"), log);
        Ok(again);
        Assert.Equal(logged.Meta!.Version, again.Meta!.Version);
        Assert.Equal(Reasons.TimeOnPausedDay, (await sheet.Log(Called(agency, Guid.CreateVersion7(), "log"), log)).Rejection!.Reason);
    }
}
