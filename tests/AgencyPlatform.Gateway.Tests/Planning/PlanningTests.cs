using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Cmos.V1;
using AgencyPlatform.Protocol.Planning.V1;
using Google.Rpc;
using Google.Type;
using Grpc.Core;
using Duration = Google.Protobuf.WellKnownTypes.Duration;
using Money = AgencyPlatform.Protocol.Type.V1.Money;

namespace AgencyPlatform.Gateway.Tests.Planning;

/// <summary>A plan over the API, and what applying it does to the books.</summary>
[Collection(PlatformFixture.Collection)]
public sealed class PlanningTests(PlatformFixture platform)
{
    [Fact]
    public async Task What_is_planned_is_booked_exactly_and_once()
    {
        var (agency, admin) = await Agency("acme", "bolt", "core");
        var request = Request(agency, Need(agency, "acme", 1_500, ("ada", 900), ("bob", 100)), Need(agency, "bolt", 1_500, ("ada", 800), ("bob", 700)), Need(agency, "core", 2_000, ("ada", 500), ("bob", 500)));

        var plan = await Plan(admin, request);

        Assert.Equal(PortfolioPlan.Types.Status.Optimal, plan.Status);
        Assert.Equal((plan.Points, "0.000000"), (plan.Bound, plan.Gap));
        Assert.Equal([("acme", "ada", 1_000L), ("bolt", "bob", 800L)], plan.Assignments.Select(a => (a.NeedId, a.Cmo.Split('/')[^1], a.Points)));
        Assert.Equal("ada has 2,400 minutes free in the week of 2026-02-02, of which acme take 1,500 minutes; bolt asks for 1,500 minutes.", Assert.Single(plan.Assignments[1].PassedOver).Message);
        Assert.Equal(["core"], plan.LeftOut.Select(l => l.NeedId));
        Assert.Equal(plan.Points, plan.Assignments.Sum(a => a.Points) + plan.LeftOut.Sum(l => l.Points));
        Assert.Empty((await admin.Capacity.ListBookingsAsync(new ListBookingsRequest { Parent = $"{agency.Name}/cmos/-" })).Bookings);

        var apply = new ApplyPlanRequest { Parent = agency.Name, Assignments = { plan.Assignments }, Mode = ApplyPlanRequest.Types.Mode.Book, RequestId = Guid.CreateVersion7().ToString() };
        var applied = await admin.Planning.ApplyPlanAsync(apply);

        Assert.Equal(0, applied.Refused);
        var booked = await Bookings(agency, admin);
        Assert.Equal(plan.Assignments.Select(a => (a.Cmo, a.Booking.ClientCompany, a.Booking.Steps)).Order(), booked.Select(b => (b.Name[..b.Name.IndexOf("/bookings/", StringComparison.Ordinal)], b.ClientCompany, b.Steps)).Order());
        Assert.All(booked, b => Assert.Equal(Booking.Types.State.Confirmed, b.State));

        Assert.Equal(applied, await admin.Planning.ApplyPlanAsync(apply));
        Assert.Equal(2, (await Bookings(agency, admin)).Count);
    }

    [Fact]
    public async Task What_was_taken_meanwhile_is_refused_and_the_rest_is_held()
    {
        var (agency, admin) = await Agency("acme", "bolt", "core");
        var plan = await Plan(admin, Request(agency, Need(agency, "acme", 1_500, ("ada", 900)), Need(agency, "bolt", 1_500, ("bob", 700))));
        await admin.Capacity.BookAsync(new BookRequest { Parent = $"{agency.Name}/cmos/ada", Booking = Weekly(agency, "core", 1_200) });

        var applied = await admin.Planning.ApplyPlanAsync(new ApplyPlanRequest
        {
            Parent = agency.Name,
            Assignments = { plan.Assignments },
            Mode = ApplyPlanRequest.Types.Mode.Hold,
            Expiry = Duration.FromTimeSpan(TimeSpan.FromDays(7)),
        });

        Assert.Equal(1, applied.Refused);
        Assert.Equal(("acme", "CAPACITY_EXCEEDED", "300"), (applied.Results[0].NeedId, applied.Results[0].Reason, applied.Results[0].Metadata["missing_minutes"]));
        Assert.Null(applied.Results[0].Booking);
        Assert.Equal(("", Booking.Types.State.Held), (applied.Results[1].Reason, applied.Results[1].Booking.State));
        Assert.Equal(["bolt", "core"], (await Bookings(agency, admin)).Select(b => b.ClientCompany.Split('/')[^1]).Order());
    }

    [Fact]
    public async Task A_booking_is_moved_where_that_is_worth_its_price()
    {
        var (agency, admin) = await Agency("acme");
        var today = await admin.Capacity.BookAsync(new BookRequest { Parent = $"{agency.Name}/cmos/ada", BookingId = "today", Booking = Weekly(agency, "acme", 1_500) });
        Need Moved(int price) => new()
        {
            NeedId = "acme",
            TodayBooking = today.Name,
            MovePoints = price,
            Preferences = { new Preference { Cmo = $"{agency.Name}/cmos/ada", Score = 100 }, new Preference { Cmo = $"{agency.Name}/cmos/bob", Score = 900 } },
        };

        var stays = Assert.Single((await Plan(admin, Request(agency, Moved(801)))).Assignments);
        var goes = await Plan(admin, Request(agency, Moved(799)));
        var applied = await admin.Planning.ApplyPlanAsync(new ApplyPlanRequest { Parent = agency.Name, Assignments = { goes.Assignments }, Mode = ApplyPlanRequest.Types.Mode.Book });

        Assert.Equal($"{agency.Name}/cmos/ada", stays.Cmo);
        Assert.Equal((100 + 900 - 799, "bob is the best of 2 who could take acme, with 201 points, 799 points taken off for the move from ada."), ((int)goes.Points, Assert.Single(goes.Assignments).Message));
        Assert.Equal(today.Name, Assert.Single(applied.Results).ReleasedBooking);
        var booking = Assert.Single(await Bookings(agency, admin));
        Assert.StartsWith($"{agency.Name}/cmos/bob/", booking.Name, StringComparison.Ordinal);
        Assert.Equal(today.Steps, booking.Steps);
    }

    [Fact]
    public async Task Rules_that_cannot_be_kept_together_are_named()
    {
        var (agency, admin) = await Agency("acme", "bolt");
        await admin.Clients.SetCompetitorsAsync(new SetCompetitorsRequest { Name = $"{agency.Name}/clientCompanies/acme", Competitors = { $"{agency.Name}/clientCompanies/bolt" } });
        var request = Request(agency, Need(agency, "acme", 300, ("ada", 900)), Need(agency, "bolt", 300, ("ada", 900)));
        foreach (var need in request.Needs)
        {
            (need.Required, need.OnlyPreferred) = (true, true);
        }

        var plan = await Plan(admin, request);

        Assert.Equal(PortfolioPlan.Types.Status.Infeasible, plan.Status);
        Assert.True(plan.Conflict.Smallest);
        Assert.Equal([PlanRule.MustBePlaced, PlanRule.MustBePlaced, PlanRule.CompetitorFence], plan.Conflict.Rules.Select(r => r.Rule));
        Assert.Contains("One CMO does not take both acme and bolt: acme and bolt are competitors.", plan.Conflict.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_budget_and_a_what_if_decide_without_touching_the_books()
    {
        var (agency, admin) = await Agency("acme");
        await admin.Cmos.SetCostRateAsync(new SetCostRateRequest
        {
            Name = $"{agency.Name}/cmos/ada",
            CostRate = new CostRate { EffectiveDate = Day(1, 1), Hourly = new Money { MinorUnits = 100_00, Currency = "USD" } },
        });
        var need = Need(agency, "acme", 600, ("ada", 900));
        need.OnlyPreferred = true;
        need.MonthlyBudget = new Money { MinorUnits = 5_200_00, Currency = "USD" };
        var request = Request(agency, need);
        request.MarkupPercent = 20;

        var fits = await Plan(admin, request);
        need.MonthlyBudget.MinorUnits--;
        var dear = await Plan(admin, request);
        need.MonthlyBudget = null;
        request.WhatIfs.Add(new WhatIf { Cmo = $"{agency.Name}/cmos/ada", LeaveDate = Day(2, 20) });
        var gone = await Plan(admin, request);

        Assert.Single(fits.Assignments);
        Assert.Equal((PlanRule.Budget, "ada would cost 5,200.00 USD a month, above the 5,199.99 USD of acme."), (dear.LeftOut[0].RuledOut[0].Rule, dear.LeftOut[0].RuledOut[0].Message));
        Assert.Equal(PlanRule.Preference, gone.LeftOut[0].RuledOut[0].Rule);
        Assert.Empty(await Bookings(agency, admin));
    }

    [Fact]
    public async Task Every_bad_field_is_named_and_what_is_not_there_is_not_found()
    {
        var (agency, admin) = await Agency("acme");
        var good = Need(agency, "acme", 300, ("ada", 900));

        var bad = await Assert.ThrowsAsync<RpcException>(() => Plan(admin, new PlanPortfolioRequest
        {
            Parent = agency.Name,
            Needs = { new Need { NeedId = "A", Priority = 101, MovePoints = 5, Preferences = { new Preference { Cmo = "bob", Score = 1_001 } } }, good, good },
            MarkupPercent = -1,
            TimeLimit = Duration.FromTimeSpan(TimeSpan.FromMinutes(2)),
        }));
        var missing = await Assert.ThrowsAsync<RpcException>(() => Plan(admin, Request(agency, Need(agency, "nobody", 300, ("ada", 900)))));
        var nobody = await Assert.ThrowsAsync<RpcException>(() => Plan(admin, Request(agency, Need(agency, "acme", 300, ("zoe", 900)))));

        Assert.Equal(StatusCode.InvalidArgument, bad.StatusCode);
        Assert.Equal(
            ["markup_percent", "needs[0].booking", "needs[0].move_points", "needs[0].need_id", "needs[0].preferences[0].cmo", "needs[0].preferences[0].score", "needs[0].priority", "needs[2].need_id", "time_limit"],
            bad.GetRpcStatus()!.GetDetail<BadRequest>()!.FieldViolations.Select(v => v.Field).Where(f => !f.StartsWith("needs[0].booking.", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.Equal(StatusCode.NotFound, missing.StatusCode);
        Assert.Equal(StatusCode.NotFound, nobody.StatusCode);
    }

    private async Task<(TestAgency Agency, AgencyPlatformClient Admin)> Agency(params string[] clients)
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();
        foreach (var id in new[] { "ada", "bob" })
        {
            await admin.Cmos.CreateCmoAsync(new CreateCmoRequest
            {
                Parent = agency.Name,
                CmoId = id,
                Cmo = new Cmo
                {
                    DisplayName = id,
                    TimeZone = "Etc/UTC",
                    MaxClients = 5,
                    WorkingPatterns = { new WorkingPattern { EffectiveDate = Day(1, 1), MondayMinutes = 480, TuesdayMinutes = 480, WednesdayMinutes = 480, ThursdayMinutes = 480, FridayMinutes = 480 } },
                },
            });
        }

        foreach (var id in clients)
        {
            await admin.Clients.CreateClientCompanyAsync(new CreateClientCompanyRequest { Parent = agency.Name, ClientCompanyId = id, ClientCompany = new ClientCompany { DisplayName = id, TimeZone = "Etc/UTC" } });
        }

        return (agency, admin);
    }

    /// <summary>The last message; those before it tell of progress.</summary>
    private static async Task<PortfolioPlan> Plan(AgencyPlatformClient client, PlanPortfolioRequest request)
    {
        using var call = client.Planning.PlanPortfolio(request);
        var told = new List<PlanPortfolioResponse>();
        await foreach (var message in call.ResponseStream.ReadAllAsync())
        {
            told.Add(message);
        }

        Assert.All(told.SkipLast(1), m => Assert.NotNull(m.Progress));
        return told[^1].Plan;
    }

    private static PlanPortfolioRequest Request(TestAgency agency, params Need[] needs) => new() { Parent = agency.Name, Needs = { needs }, TimeLimit = Duration.FromTimeSpan(TimeSpan.FromSeconds(20)) };

    private static Need Need(TestAgency agency, string client, int minutes, params (string Cmo, int Score)[] scores) => new()
    {
        NeedId = client,
        Booking = Weekly(agency, client, minutes),
        Preferences = { scores.Select(s => new Preference { Cmo = $"{agency.Name}/cmos/{s.Cmo}", Score = s.Score }) },
    };

    private static Booking Weekly(TestAgency agency, string client, int minutes) => new()
    {
        ClientCompany = $"{agency.Name}/clientCompanies/{client}",
        Steps = { new BookingStep { StartDate = Day(2, 2), EndDate = Day(4, 27), Flexible = new FlexibleForm { WeeklyMinutes = minutes } } },
    };

    private static async Task<IReadOnlyList<Booking>> Bookings(TestAgency agency, AgencyPlatformClient client) =>
        (await client.Capacity.ListBookingsAsync(new ListBookingsRequest { Parent = $"{agency.Name}/cmos/-" })).Bookings;

    private static Date Day(int month, int day) => new() { Year = 2026, Month = month, Day = day };
}
