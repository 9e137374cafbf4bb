using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Cmos;
using NodaTime;

namespace AgencyPlatform.Grains.Tests.Fixtures;

/// <summary>Who waits for a CMO, and who for any of two.</summary>
internal sealed partial class Story
{
    private async Task Waitlists()
    {
        var (dee, eli) = (Cmo(new("dee")), Cmo(new("eli")));
        foreach (var cmo in new[] { "dee", "eli" })
        {
            Ok(await Cmo(new(cmo)).Create(Next(), new CreateCmo(
                new(cmo), new CmoProfile(new PersonId($"p-{cmo}"), "CMO", "America/New_York", s_none, s_none), new PersonDetails("Somebody"), new CmoLimits(5, 30),
                new WorkingPattern(new LocalDate(2026, 1, 1), s_fullTime), null, null)));
            Ok(await Cmo(new(cmo)).Book(Next(), new Book(new("june"), June(s_clients.Acme, 2_640))));
        }

        // Bolt waits for Acme's hours and for Acme to name it no more; the board thinks better of it.
        Ok(await dee.JoinWaitlist(Next(), new JoinWaitlist(new("pitch"), June(s_clients.Bolt, 1_200), 5, Duration.FromDays(2))));
        Ok(await dee.JoinWaitlist(Next(), new JoinWaitlist(new("board"), June(s_clients.Acme, 600), 0, Duration.FromDays(2))));
        Ok(await dee.LeaveWaitlist(Next(), new("board")));
        Ok(await grains.Of<IClientCompanyGrain>(s_agency, "acme").SetCompetitors(Next(), new SetCompetitors([])));
        Ok(await dee.NoteFences(Next(), [s_clients.Acme, s_clients.Bolt]));

        // Either of the two would do; Dee is the first to have room. Another request is withdrawn.
        foreach (var id in new[] { "either", "never" })
        {
            Ok(await Request(id).Create(Next(), new CreateCapacityRequest(new(id), June(s_clients.Bolt, 1_200), [new("dee"), new("eli")], 0, Duration.FromDays(2))));
            await Request(id).Settle(_now);
        }

        Ok(await Request("never").Withdraw(Next()));
        await Request("never").Settle(_now);
        Ok(await dee.Release(Next(), new("june")));
        Ok(await dee.Confirm(Next(), new("pitch")));
        await dee.Settle(_now);
        await Request("either").Settle(_now);
        Ok(await grains.Of<IClientCompanyGrain>(s_agency, "acme").SetCompetitors(Next(), new SetCompetitors([s_clients.Bolt])));
        Assert.Equal(new CmoId("dee"), (await Request("either").Get(new Contracts.Read(s_agency, _now))).Value!.Offering);
    }

    private ICapacityRequestGrain Request(string id) => grains.Of<ICapacityRequestGrain>(s_agency, id);

    private static BookingSpec June(ClientCompanyId client, int minutes) => new(client, null, [new FlexibleStep(new DateRange(new(2026, 6, 1), new(2026, 6, 8)), minutes)]);
}
