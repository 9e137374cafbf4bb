using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Cmos.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using AgencyPlatform.Protocol.Events.V1;
using AgencyPlatform.Protocol.Matching.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Date = Google.Type.Date;
using Money = AgencyPlatform.Protocol.Type.V1.Money;

namespace AgencyPlatform.Gateway.Tests.Matching;

/// <summary>From an intake to a proposal over the API. The sandbox's clock starts at 2026-01-05; each CMO works 2,400 minutes a week.</summary>
[Collection(PlatformFixture.Collection)]
public sealed class MatchingTests(PlatformFixture platform)
{
    [Fact]
    public async Task A_company_that_asks_for_help_becomes_a_client_with_a_proposal_for_whoever_it_chose()
    {
        var (agency, admin) = await Three();
        var intake = await admin.Intakes.CreateIntakeAsync(Asked(agency, "harbor"));
        Assert.Equal((Intake.Types.State.Open, 64), (intake.State, intake.CompletePercent));
        Assert.Equal(["team", "ceo_weekly_minutes", "reasons", "goals", "tried", "styles"], intake.Missing);
        intake = await admin.Intakes.UpdateIntakeAsync(new UpdateIntakeRequest
        {
            Intake = new Intake { Name = intake.Name, Etag = intake.Etag, Reasons = { "No leads." }, Goals = { "Twice the leads." }, CeoWeeklyMinutes = 0, Team = "One junior.", Tried = "Ads.", Styles = { "hands-on" } },
            UpdateMask = FieldMask.FromString("reasons,goals,ceo_weekly_minutes,team,tried,styles"),
        });
        Assert.Equal((100, "Bea Harbor"), (intake.CompletePercent, intake.Contact.DisplayName));
        Assert.True(intake.HasCeoWeeklyMinutes);

        // Cy lacks the language, Bob is too dear, Ada fits.
        var found = await admin.Matching.FindMatchesAsync(new FindMatchesRequest { Name = intake.Name });
        var match = Assert.Single(found.Matches);
        Assert.Equal(($"{agency.Name}/cmos/ada", "ada", 1, 3), (match.Cmo, match.DisplayName, found.MatchCount, found.AskedCount));
        Assert.Equal(match.Score, match.Reasons.Sum(r => r.Points));
        Assert.Equal(10_000, match.Reasons.Sum(r => r.MostPoints));
        Assert.Equal(found.AskedCount, found.MatchCount + found.Removed.Sum(r => r.Count));
        Assert.Equal([MatchRule.Budget, MatchRule.MustHaves], found.Unmatched.Select(u => u.Failures[0].Rule));

        // A client first, that the shortlist holds for.
        await admin.Clients.CreateClientCompanyAsync(new CreateClientCompanyRequest { Parent = agency.Name, ClientCompanyId = "harbor", ClientCompany = new ClientCompany { DisplayName = "HARBOR-FOODS LLC", TimeZone = "America/New_York" } });
        var review = await admin.Intakes.ReviewIntakeAsync(new ReviewIntakeRequest { Name = intake.Name });
        Assert.Equal($"{agency.Name}/clientCompanies/harbor", Assert.Single(review.Duplicates).ClientCompany);
        await admin.Intakes.UpdateIntakeAsync(new UpdateIntakeRequest { Intake = new Intake { Name = intake.Name, ClientCompany = review.Duplicates[0].ClientCompany } });
        var list = await admin.Matching.CreateShortlistAsync(new CreateShortlistRequest
        {
            Parent = agency.Name,
            ShortlistId = "need",
            Shortlist = new Shortlist { Intake = intake.Name },
            Cmos = { $"{agency.Name}/cmos/bob", $"{agency.Name}/cmos/ada" },
        });
        Assert.Equal((Shortlist.Types.State.Open, 2_400), (list.State, Assert.Single(list.Steps).PerPeriod.Minutes));
        Assert.Equal(Timestamp.FromDateTime(new DateTime(2026, 1, 12, 9, 0, 0, DateTimeKind.Utc)), list.ExpireTime);

        // The client sees what they have led, and not who they are.
        var client = await agency.As(Role.ClientApprover, client: "harbor");
        var seen = await client.Matching.GetShortlistAsync(new GetShortlistRequest { Name = list.Name });
        Assert.Equal(["a", "b"], seen.Options.Select(o => o.OptionId));
        Assert.All(seen.Options, o => Assert.Equal(("", "", 12), (o.Cmo, o.Booking, o.Expertise.YearsLeading)));
        seen.Uid = "";
        foreach (var secret in new[] { "ada", "bob", "Quay", "20000", "intakes" })
        {
            Assert.DoesNotContain(secret, seen.ToString(), StringComparison.OrdinalIgnoreCase);
        }

        var chosen = await client.Matching.ChooseFromShortlistAsync(new ChooseFromShortlistRequest { Name = list.Name, OptionId = "b" });
        Assert.Equal([Shortlist.Types.Option.Types.State.Released, Shortlist.Types.Option.Types.State.Chosen], chosen.Options.Select(o => o.State));
        var bookings = await admin.Capacity.ListBookingsAsync(new ListBookingsRequest { Parent = $"{agency.Name}/cmos/-" });
        Assert.Equal(($"{agency.Name}/cmos/ada/bookings/need-b", Booking.Types.State.Confirmed), (Assert.Single(bookings.Bookings).Name, bookings.Bookings[0].State));

        // One step, and a proposal that the contact signs.
        var convert = new ConvertIntakeRequest
        {
            Name = intake.Name,
            EngagementId = "harbor-cmo",
            Shortlist = list.Name,
            LegalEntity = $"{agency.Name}/legalEntities/main",
            MonthlyFee = new Money { MinorUnits = 900_000, Currency = "USD" },
            RequestId = Guid.CreateVersion7().ToString(),
        };
        var converted = await admin.Intakes.ConvertIntakeAsync(convert);
        Assert.Equal((Intake.Types.State.Converted, $"{agency.Name}/engagements/harbor-cmo", ""), (converted.State, converted.Engagement, converted.NotProposedReason));
        Assert.Equal(converted, await admin.Intakes.ConvertIntakeAsync(convert));
        var stakeholder = Assert.Single((await admin.Clients.GetClientCompanyAsync(new GetClientCompanyRequest { Name = converted.ClientCompany })).Stakeholders);
        Assert.Equal(("Bea Harbor", "bea@harbor.example", "CEO", true), (stakeholder.DisplayName, stakeholder.Email, stakeholder.Title, stakeholder.DecisionMaker));
        await client.Engagements.SignEngagementAsync(new SignEngagementRequest { Name = converted.Engagement, PersonId = stakeholder.PersonId });
        await admin.Engagements.AgreeToEngagementAsync(new AgreeToEngagementRequest { Name = converted.Engagement, Cmo = $"{agency.Name}/cmos/ada" });
        var active = await admin.Engagements.ActivateEngagementAsync(new ActivateEngagementRequest { Name = converted.Engagement });
        Assert.Equal((EngagementState.Active, $"{agency.Name}/cmos/ada"), (active.State, active.Lead));

        // Who executes joins the team; Ada is on it already.
        await admin.Cmos.UpdateCmoAsync(new UpdateCmoRequest { Cmo = new Cmo { Name = $"{agency.Name}/cmos/cy", Role = "content" } });
        var members = await admin.Matching.FindMembersAsync(new FindMembersRequest { Name = converted.Engagement, Role = "content", Specialisms = { "brand" }, MonthlyMinutes = 600 });
        Assert.Equal($"{agency.Name}/cmos/cy", Assert.Single(members.Matches).Cmo);
        Assert.Equal([MatchPart.Specialism, MatchPart.Years, MatchPart.Timeline], members.Matches[0].Reasons.Select(r => r.Part));
        Assert.Equal([$"{agency.Name}/cmos/bob"], (await admin.Matching.FindMembersAsync(new FindMembersRequest { Name = converted.Engagement, Role = "CMO", MonthlyMinutes = 60 })).Matches.Select(m => m.Cmo));
        Assert.Equal(["start_date"], await Bad(admin.Matching.FindMembersAsync(new FindMembersRequest { Name = converted.Engagement, Role = "CMO", MonthlyMinutes = 60, StartDate = Day(1, 5) })));

        // The feed names nobody, and what was agreed is suggested to the next who is like it.
        var events = await admin.Events.ListEventsAsync(new ListEventsRequest { Parent = agency.Name, PageSize = 1_000 });
        Assert.DoesNotContain("Bea Harbor", events.ToString(), StringComparison.Ordinal);
        var like = await admin.Intakes.CreateIntakeAsync(Asked(agency, "like"));
        var suggested = await admin.Intakes.ReviewIntakeAsync(new ReviewIntakeRequest { Name = like.Name });
        Assert.Equal((2_400, converted.Engagement), (suggested.SuggestedMonthlyMinutes, Assert.Single(suggested.Like).Engagement));
    }

    [Fact]
    public async Task Matching_looks_at_rooms_fences_and_limits_of_one_who_is_no_client_yet()
    {
        var (agency, admin) = await Three();
        await CreateClient(admin, agency, "rival");
        var request = Asked(agency, "harbor");
        request.Intake.MustHaves = null;
        request.Intake.MonthlyBudget = null;
        request.Intake.Competitors.Add($"{agency.Name}/clientCompanies/rival");
        var intake = await admin.Intakes.CreateIntakeAsync(request);
        foreach (var (cmo, client, minutes) in new[] { ("ada", "rival", 60), ("bob", "other", 2_300) })
        {
            await CreateClient(admin, agency, client);
            await admin.Capacity.BookAsync(new BookRequest
            {
                Parent = $"{agency.Name}/cmos/{cmo}",
                Booking = new Booking { ClientCompany = $"{agency.Name}/clientCompanies/{client}", Steps = { new BookingStep { StartDate = Day(2, 2), Flexible = new FlexibleForm { WeeklyMinutes = minutes } } } },
            });
        }

        var found = await admin.Matching.FindMatchesAsync(new FindMatchesRequest { Name = intake.Name });

        Assert.Equal([$"{agency.Name}/cmos/cy"], found.Matches.Select(m => m.Cmo));
        Assert.Equal([(MatchRule.CompetitorFence, "COMPETITOR_FENCE"), (MatchRule.Capacity, "CAPACITY_EXCEEDED")], found.Unmatched.Select(u => (Assert.Single(u.Failures).Rule, u.Failures[0].Refusal.Rule)));
        Assert.Null(found.Matches[0].MonthlyCost);
        Assert.Equal(found, await admin.Matching.FindMatchesAsync(new FindMatchesRequest { Name = intake.Name }));
        Assert.Empty((await admin.Matching.FindMatchesAsync(new FindMatchesRequest { Name = intake.Name, Role = "CFO" })).Matches);
    }

    [Fact]
    public async Task Two_hundred_CMOs_are_asked_and_each_is_a_match_or_counted()
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();
        await Parallel.ForAsync(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) => await admin.Cmos.CreateCmoAsync(new CreateCmoRequest
        {
            Parent = agency.Name,
            CmoId = $"cmo-{i:000}",
            Cmo = new Cmo
            {
                DisplayName = $"{i}",
                TimeZone = "America/New_York",
                MaxClients = 5,
                WorkingPatterns = { new WorkingPattern { EffectiveDate = Day(1, 1), MondayMinutes = i % 4 == 0 ? 60 : 480, TuesdayMinutes = 480 } },
                Expertise = new Expertise { YearsLeading = i % 10, Languages = { i % 5 == 0 ? "de" : "en" }, HourlyRates = { new Money { MinorUnits = 15_000, Currency = "USD" } } },
            },
        }));
        var intake = await admin.Intakes.CreateIntakeAsync(Asked(agency, "harbor"));

        var found = await admin.Matching.FindMatchesAsync(new FindMatchesRequest { Name = intake.Name, MaxMatches = 30 });

        // A fifth does not speak English, and of the others a quarter has no 40 hours.
        Assert.Equal((200, 120, 30, false), (found.AskedCount, found.MatchCount, found.Matches.Count, found.MoreCmos));
        Assert.Equal([40, 0, 0, 0, 0, 40], found.Removed.Select(r => r.Count));
        Assert.Equal(found.Matches.OrderByDescending(m => m.Score).ThenBy(m => m.Cmo, StringComparer.Ordinal), found.Matches);
    }

    [Fact]
    public async Task Weights_are_the_agencys_or_those_of_the_request_and_nothing_is_no_weight()
    {
        var (agency, admin) = await Three();
        var intake = await admin.Intakes.CreateIntakeAsync(Asked(agency, "harbor"));
        var unset = await admin.Matching.GetMatchWeightsAsync(new GetMatchWeightsRequest { Name = agency.Name });
        Assert.Equal((20, 5), (unset.Stage, unset.Style));
        Assert.Equal(["weights"], await Bad(admin.Matching.SetMatchWeightsAsync(new SetMatchWeightsRequest { Name = agency.Name, Weights = new MatchWeights() })));
        Assert.Equal(["weights.stage", "weights.style"], await Bad(admin.Matching.SetMatchWeightsAsync(new SetMatchWeightsRequest { Name = agency.Name, Weights = new MatchWeights { Stage = -1, Style = 1_001 } })));

        var set = await admin.Matching.SetMatchWeightsAsync(new SetMatchWeightsRequest { Name = agency.Name, Weights = new MatchWeights { Years = 3 } });
        var found = await admin.Matching.FindMatchesAsync(new FindMatchesRequest { Name = intake.Name });
        Assert.Equal(set, found.Weights);
        Assert.Equal((MatchPart.Years, 8_000), (Assert.Single(found.Matches[0].Reasons).Part, found.Matches[0].Score));

        var other = new FindMatchesRequest { Name = intake.Name, Weights = new MatchWeights { Style = 1 } };
        var refused = await Refused.By(admin.Matching.FindMatchesAsync(other));
        Assert.Equal(("NOTHING_TO_SCORE", "style"), (refused.Reason, refused.Metadata["weighed"]));
        Assert.Equal(["weights"], await Bad(admin.Matching.FindMatchesAsync(new FindMatchesRequest { Name = intake.Name, Weights = new MatchWeights() })));
        Assert.Equal(3, (await admin.Matching.GetMatchWeightsAsync(new GetMatchWeightsRequest { Name = agency.Name })).Years);
    }

    [Fact]
    public async Task A_draft_says_what_it_lacks_and_a_closed_one_is_over()
    {
        var (agency, admin) = await Three();
        var draft = await admin.Intakes.CreateIntakeAsync(new CreateIntakeRequest { Parent = agency.Name, IntakeId = "draft", Intake = new Intake { CompanyName = "Draft" } });
        Assert.Equal(5, draft.CompletePercent);
        var find = await Refused.By(admin.Matching.FindMatchesAsync(new FindMatchesRequest { Name = draft.Name }));
        Assert.Equal(("INTAKE_INCOMPLETE", "time_zone,monthly_minutes,start_date"), (find.Reason, find.Metadata["missing"]));
        var convert = new ConvertIntakeRequest
        {
            Name = draft.Name,
            Lead = $"{agency.Name}/cmos/ada",
            LegalEntity = $"{agency.Name}/legalEntities/main",
            MonthlyFee = new Money { MinorUnits = 1, Currency = "USD" },
        };
        Assert.Equal("INTAKE_INCOMPLETE", (await Refused.By(admin.Intakes.ConvertIntakeAsync(convert))).Reason);
        Assert.Equal(["hold", "lead"], (await Bad(admin.Intakes.ConvertIntakeAsync(new ConvertIntakeRequest(convert) { Lead = "", Hold = $"{agency.Name}/cmos/ada/bookings/x" }))).Order());
        Assert.Equal(StatusCode.NotFound, (await Refused.By(admin.Intakes.UpdateIntakeAsync(new UpdateIntakeRequest { Intake = new Intake { Name = draft.Name, ClientCompany = $"{agency.Name}/clientCompanies/none" } }))).StatusCode);

        var closed = await admin.Intakes.CloseIntakeAsync(new CloseIntakeRequest { Name = draft.Name, Reason = "Went elsewhere." });
        Assert.Equal((Intake.Types.State.Closed, "Went elsewhere."), (closed.State, closed.CloseReason));
        Assert.Equal("INTAKE_STATE", (await Refused.By(admin.Intakes.UpdateIntakeAsync(new UpdateIntakeRequest { Intake = new Intake { Name = draft.Name, Team = "x" } }))).Reason);
        Assert.Equal("INTAKE_STATE", (await Refused.By(admin.Matching.FindMatchesAsync(new FindMatchesRequest { Name = draft.Name }))).Reason);
        await admin.Intakes.CreateIntakeAsync(Asked(agency, "open"));
        Assert.Equal(["open"], (await admin.Intakes.ListIntakesAsync(new ListIntakesRequest { Parent = agency.Name, State = Intake.Types.State.Open })).Intakes.Select(i => i.Name.Split('/')[^1]));
    }

    [Fact]
    public async Task A_client_sees_and_chooses_of_its_own_shortlists_only_and_hears_what_is_gone()
    {
        var (agency, admin) = await Three();
        await CreateClient(admin, agency, "harbor");
        await CreateClient(admin, agency, "other");
        var list = await admin.Matching.CreateShortlistAsync(new CreateShortlistRequest
        {
            Parent = agency.Name,
            ShortlistId = "need",
            Shortlist = new Shortlist { ClientCompany = $"{agency.Name}/clientCompanies/harbor", Steps = { new BookingStep { StartDate = Day(2, 2), Flexible = new FlexibleForm { WeeklyMinutes = 600 } } } },
            Cmos = { $"{agency.Name}/cmos/ada", $"{agency.Name}/cmos/bob" },
            HoldExpiry = Duration.FromTimeSpan(TimeSpan.FromDays(2)),
        });
        var (own, other) = (await agency.As(Role.ClientApprover, client: "harbor"), await agency.As(Role.ClientApprover, client: "other"));
        Assert.Equal([list.Name], (await own.Matching.ListShortlistsAsync(new ListShortlistsRequest { Parent = agency.Name })).Shortlists.Select(s => s.Name));
        Assert.Empty((await other.Matching.ListShortlistsAsync(new ListShortlistsRequest { Parent = agency.Name })).Shortlists);
        Assert.Equal(StatusCode.NotFound, (await Refused.By(other.Matching.GetShortlistAsync(new GetShortlistRequest { Name = list.Name }))).StatusCode);
        Assert.Equal(StatusCode.NotFound, (await Refused.By(other.Matching.ChooseFromShortlistAsync(new ChooseFromShortlistRequest { Name = list.Name, OptionId = "a" }))).StatusCode);

        await admin.Capacity.ReleaseBookingAsync(new ReleaseBookingRequest { Name = list.Options[0].Booking });
        var gone = await Refused.By(own.Matching.ChooseFromShortlistAsync(new ChooseFromShortlistRequest { Name = list.Name, OptionId = "a" }));
        Assert.Equal(("SHORTLIST_OPTION_GONE", "b"), (gone.Reason, gone.Metadata["left"]));
        Assert.DoesNotContain("ada", gone.Message + string.Join(" ", gone.Metadata.Values), StringComparison.Ordinal);

        await agency.AdvanceTo(new DateTime(2026, 1, 7, 9, 0, 0, DateTimeKind.Utc));
        var lapsed = await Refused.By(own.Matching.ChooseFromShortlistAsync(new ChooseFromShortlistRequest { Name = list.Name, OptionId = "b" }));
        Assert.Equal(("SHORTLIST_STATE", "LAPSED"), (lapsed.Reason, lapsed.Metadata["state"]));
        Assert.Empty((await admin.Capacity.ListBookingsAsync(new ListBookingsRequest { Parent = $"{agency.Name}/cmos/-" })).Bookings);

        var full = new CreateShortlistRequest
        {
            Parent = agency.Name,
            Shortlist = new Shortlist { ClientCompany = $"{agency.Name}/clientCompanies/harbor", Steps = { new BookingStep { StartDate = Day(2, 2), Flexible = new FlexibleForm { WeeklyMinutes = 2_401 } } } },
            Cmos = { $"{agency.Name}/cmos/ada", $"{agency.Name}/cmos/bob" },
        };
        var refused = await Refused.By(admin.Matching.CreateShortlistAsync(full));
        Assert.Equal(("CAPACITY_EXCEEDED", "ada"), (refused.Reason, refused.Metadata["cmo"]));
        Assert.Equal(["cmos", "shortlist.client_company", "shortlist.steps"], (await Bad(admin.Matching.CreateShortlistAsync(new CreateShortlistRequest { Parent = agency.Name, Shortlist = new Shortlist() }))).Order());
    }

    private async Task<(TestAgency Agency, AgencyPlatformClient Admin)> Three()
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();
        foreach (var (id, rate, language) in new[] { ("ada", 20_000, "en"), ("bob", 30_000, "en"), ("cy", 20_000, "de") })
        {
            await admin.Cmos.CreateCmoAsync(new CreateCmoRequest
            {
                Parent = agency.Name,
                CmoId = id,
                Cmo = new Cmo
                {
                    DisplayName = id,
                    TimeZone = "America/New_York",
                    MaxClients = 5,
                    WorkingPatterns = { new WorkingPattern { EffectiveDate = Day(1, 1), MondayMinutes = 480, TuesdayMinutes = 480, WednesdayMinutes = 480, ThursdayMinutes = 480, FridayMinutes = 480 } },
                    Expertise = new Expertise
                    {
                        GrowthStages = { GrowthStage.Growth },
                        HeadcountFrom = 20,
                        HeadcountTo = 100,
                        Industries = { "retail" },
                        Specialisms = { "brand" },
                        YearsLeading = 12,
                        Languages = { language },
                        HourlyRates = { new Money { MinorUnits = rate, Currency = "USD" } },
                        History = { new Position { Company = "Quay Foods", Title = "CMO", StartDate = Day(1, 1) } },
                    },
                },
            });
        }

        return (agency, admin);
    }

    /// <summary>40 hours a month for half a year, for at most $10,000, in English.</summary>
    private static CreateIntakeRequest Asked(TestAgency agency, string id) => new()
    {
        Parent = agency.Name,
        IntakeId = id,
        Intake = new Intake
        {
            CompanyName = "Harbor Foods, Inc.",
            Industry = "retail",
            TimeZone = "America/New_York",
            GrowthStage = GrowthStage.Growth,
            Headcount = 60,
            MonthlyBudget = new Money { MinorUnits = 1_000_000, Currency = "USD" },
            MonthlyMinutes = 2_400,
            StartDate = Day(2, 2),
            Months = 6,
            WorkMode = WorkMode.Remote,
            Specialisms = { "brand", "content" },
            MustHaves = new MustHaves { Languages = { "en" } },
            Contact = new Intake.Types.Contact { DisplayName = "Bea Harbor", Email = "bea@harbor.example", Title = "CEO" },
        },
    };

    private static async Task CreateClient(AgencyPlatformClient admin, TestAgency agency, string id)
    {
        try
        {
            await admin.Clients.CreateClientCompanyAsync(new CreateClientCompanyRequest { Parent = agency.Name, ClientCompanyId = id, ClientCompany = new ClientCompany { DisplayName = id, TimeZone = "America/New_York" } });
        }
        catch (ApiException e) when (e.StatusCode == StatusCode.AlreadyExists)
        {
            // It is there.
        }
    }

    private static async Task<IEnumerable<string>> Bad<T>(AsyncUnaryCall<T> call)
    {
        var error = await Refused.By(call);
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        return error.FieldViolations.Select(v => v.Field);
    }

    private static Date Day(int month, int day) => new() { Year = 2026, Month = month, Day = day };
}
