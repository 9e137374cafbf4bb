using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Contracts.Matching;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Domain.Matching;
using NodaTime;

namespace AgencyPlatform.Grains.Tests.Fixtures;

/// <summary>Companies that ask for help, and CMOs held as alternatives for them.</summary>
internal sealed partial class Story
{
    private static readonly IntakeBrief s_asked = IntakeBrief.Empty with
    {
        Company = "Tide Bakery",
        Industry = "retail",
        TimeZone = "America/New_York",
        Stage = GrowthStage.Growth,
        Headcount = 60,
        Reasons = ["No leads."],
        MonthlyBudget = new Money(1_000_000, s_dollars),
        MonthlyMinutes = 1_200,
        Start = new LocalDate(2026, 8, 3),
        Months = 6,
        WorkMode = WorkMode.Remote,
        Specialisms = ["brand"],
        MustHaves = MustHaves.None with { Languages = ["en"] },
        Hours = new WorkingHours(540, 1_020),
        ContactTitle = "CEO",
        Competitors = [s_clients.Bolt],
    };

    private async Task Intakes()
    {
        Ok(await grains.Of<IMatchWeightsGrain>(s_agency, AgencyMatchWeights.TheOne).Set(Next(), MatchWeights.Default with { Style = 10 }));

        // One becomes a client with a proposal; another is of a client who does not want its contact back, and goes elsewhere in the end.
        var tide = grains.Of<IIntakeGrain>(s_agency, "tide");
        Ok(await tide.Create(Next(), new CreateIntake(new("tide"), s_asked with { Headcount = null }, new PersonDetails("Somebody", "somebody@tide.example"))));
        Ok(await tide.Update(Next(), new UpdateIntake(s_asked, null)));
        Ok(await tide.Convert(Next(), new ConvertIntake(new("tide"), new("tide-cmo"), new("eli"), null, s_seller, new Money(500_000, s_dollars), null, "", true)));
        var (foam, acme) = (grains.Of<IIntakeGrain>(s_agency, "foam"), grains.Of<IClientCompanyGrain>(s_agency, "acme"));
        Ok(await foam.Create(Next(), new CreateIntake(new("foam"), s_asked with { Company = "Foam", Client = s_clients.Acme, Competitors = [] }, new PersonDetails("Somebody"))));
        Ok(await acme.PutStakeholder(Next(), new PutStakeholder(new Stakeholder(Intake.PersonOf(new("foam")), "VP", false), null)));
        Ok(await acme.RemoveStakeholder(Next(), new RemoveStakeholder(Intake.PersonOf(new("foam")))));
        Assert.Equal(Reasons.PersonRemoved, (await foam.Convert(Next(), new ConvertIntake(default, new("foam-cmo"), new("eli"), null, s_seller, new Money(500_000, s_dollars), null, "", true))).Rejection!.Reason);
        Ok(await foam.Close(Next(), new CloseIntake("Went elsewhere.")));
    }

    private async Task Shortlists()
    {
        // Of two, one is chosen; of two others one is gone when it is chosen; one list cannot be held, one is withdrawn and one lapses.
        Ok(await List("pair").Create(Next(), Alternatives("pair", 600)));
        Ok(await List("pair").Choose(Next(), "b"));
        Ok(await List("left").Create(Next(), Alternatives("left", 300)));
        Ok(await Cmo(new("dee")).Release(Next(), new("left-a")));
        Assert.Equal(Reasons.ShortlistOptionGone, (await List("left").Choose(Next(), "a")).Rejection!.Reason);
        Ok(await List("left").Withdraw(Next()));
        Assert.Equal(Reasons.CapacityExceeded, (await List("more").Create(Next(), Alternatives("more", 3_000))).Rejection!.Reason);
        Ok(await List("late").Create(Next(), Alternatives("late", 60) with { Expiry = Duration.FromMinutes(5) }));
        await List("late").Settle(_now + Duration.FromMinutes(10));
    }

    private IShortlistGrain List(string id) => grains.Of<IShortlistGrain>(s_agency, id);

    private static CreateShortlist Alternatives(string id, int minutes) => new(
        new(id), s_clients.Bolt, null, [new FlexibleStep(new DateRange(new LocalDate(2026, 9, 7), new LocalDate(2026, 9, 14)), minutes)],
        [new ShortlistCandidate(new("dee"), s_expertise.Anonymous()), new ShortlistCandidate(new("eli"), CmoExpertise.None)], Duration.FromDays(2));
}
