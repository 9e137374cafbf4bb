using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Absences.V1;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Cmos.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using AgencyPlatform.Protocol.Time.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Date = Google.Type.Date;
using Money = AgencyPlatform.Protocol.Type.V1.Money;
using Reasons = AgencyPlatform.Domain.Reasons;

namespace AgencyPlatform.Gateway.Tests.Engagements;

/// <summary>The moves of a running engagement over the public API.</summary>
[Collection(PlatformFixture.Collection)]
public sealed class RunningEngagementsTests(PlatformFixture platform)
{
    [Fact]
    public async Task A_pause_frees_capacity_and_time_and_a_resume_takes_them_again()
    {
        var (agency, admin, name) = await Active();
        var engagements = admin.Service<EngagementsService.EngagementsServiceClient>();
        var whatIf = await engagements.PauseEngagementAsync(new PauseEngagementRequest { Name = name, StartDate = Day(2, 2), ValidateOnly = true });
        Assert.Equal((EngagementState.Paused, false), (whatIf.State, whatIf.MoveUnderWay));
        Assert.Equal(EngagementState.Active, (await engagements.GetEngagementAsync(new GetEngagementRequest { Name = name })).State);

        var request = new PauseEngagementRequest { Name = name, StartDate = Day(2, 2), Reason = "Budget freeze.", RequestId = Guid.CreateVersion7().ToString() };
        var paused = await engagements.PauseEngagementAsync(request);
        Assert.Equal((EngagementState.Paused, Day(2, 2), Day(2, 2)), (paused.State, paused.Pauses.Single().StartDate, paused.Pauses.Single().FreeFromDate));
        Assert.Equal(paused, await engagements.PauseEngagementAsync(request));
        Assert.Equal(Day(2, 2), (await Steps(admin, paused.Members[0].Booking)).Single().EndDate);
        await At(agency, 2, 5);
        var time = admin.Service<TimeService.TimeServiceClient>();
        Assert.Equal(Reasons.TimeOnPausedDay, (await Refused.By(time.LogTimeAsync(Logged(agency, "ada", "2026-w06", Day(2, 3))))).Reason);

        var other = new BookRequest
        {
            Parent = $"{agency.Name}/cmos/ada",
            BookingId = "other",
            Booking = new Booking { ClientCompany = $"{agency.Name}/clientCompanies/acme", Steps = { Weekly(600, Day(3, 2), Day(6, 1)) } },
        };
        var capacity = admin.Service<CapacityService.CapacityServiceClient>();
        await capacity.BookAsync(other);
        var resume = new ResumeEngagementRequest { Name = name, ResumeDate = Day(3, 2) };
        var refused = await Refused.By(engagements.ResumeEngagementAsync(resume));
        Assert.Equal((StatusCode.FailedPrecondition, Reasons.CapacityExceeded, "ada"), (refused.StatusCode, refused.Reason, refused.Metadata["cmo"]));
        await capacity.ReleaseBookingAsync(new ReleaseBookingRequest { Name = $"{agency.Name}/cmos/ada/bookings/other" });
        var resumed = await engagements.ResumeEngagementAsync(resume);
        Assert.Equal((EngagementState.Active, Day(3, 2)), (resumed.State, resumed.Pauses.Single().EndDate));
        Assert.Equal([Day(1, 5), Day(3, 2)], (await Steps(admin, resumed.Members[0].Booking)).Select(s => s.StartDate));
        Assert.Equal([1_000_000, 0, 1_000_000], resumed.Terms.Select(t => t.Retainer.Fee.MinorUnits));
        Assert.Equal(Reasons.TimeOnPausedDay, (await Refused.By(time.LogTimeAsync(Logged(agency, "ada", "2026-w06", Day(2, 3))))).Reason);
    }

    [Fact]
    public async Task A_change_of_scope_is_proposed_signed_agreed_and_applied()
    {
        var (agency, admin, name) = await Active();
        await ActiveEngagement.CreateCmo(agency, "bob");
        var engagements = admin.Service<EngagementsService.EngagementsServiceClient>();
        var bob = (await agency.As(Role.Cmo, cmo: "bob")).Service<EngagementsService.EngagementsServiceClient>();
        var approver = (await agency.As(Role.ClientApprover, client: "acme")).Service<EngagementsService.EngagementsServiceClient>();
        Assert.Equal(StatusCode.NotFound, (await Refused.By(bob.GetEngagementAsync(new GetEngagementRequest { Name = name }))).StatusCode);

        var change = new ScopeChange
        {
            EffectiveDate = Day(2, 2),
            Lead = $"{agency.Name}/cmos/bob",
            Members =
            {
                new ScopeMember { Cmo = $"{agency.Name}/cmos/ada", Role = "advisor", Steps = { Weekly(120, Day(2, 2), null) } },
                new ScopeMember { Cmo = $"{agency.Name}/cmos/bob", Role = "lead", Steps = { Weekly(900, Day(2, 2), null) } },
            },
            Terms = Retainer(agency, 1_500_000, 3_600),
        };
        var tooMuch = change.Clone();
        tooMuch.Members[1].Steps[0].Flexible.WeeklyMinutes = 961;
        var whatIf = await Refused.By(engagements.ProposeScopeChangeAsync(new ProposeScopeChangeRequest { Name = name, ScopeChange = tooMuch, ValidateOnly = true }));
        Assert.Equal((Reasons.CapacityExceeded, "bob"), (whatIf.Reason, whatIf.Metadata["cmo"]));

        var proposed = await engagements.ProposeScopeChangeAsync(new ProposeScopeChangeRequest { Name = name, ScopeChange = change });
        Assert.Equal((1, ScopeState.Proposed, false, true), (proposed.ScopeChange.Number, proposed.ScopeChange.State, proposed.ScopeChange.Members[0].MustAgree, proposed.ScopeChange.Members[1].MustAgree));
        var signed = await approver.SignScopeChangeAsync(new SignScopeChangeRequest { Name = name, PersonId = "ceo", Number = 1 });
        Assert.Equal((ScopeState.Accepted, "Chief"), (signed.ScopeChange.State, signed.ScopeChange.Signatures.Single().DisplayName));
        Assert.Equal(Reasons.AgreementMissing, (await Refused.By(engagements.ApplyScopeChangeAsync(new ApplyScopeChangeRequest { Name = name }))).Reason);
        Assert.NotNull((await bob.AgreeToScopeChangeAsync(new AgreeToScopeChangeRequest { Name = name, Cmo = $"{agency.Name}/cmos/bob", Number = 1 })).ScopeChange.Members[1].AgreeTime);

        var applied = await engagements.ApplyScopeChangeAsync(new ApplyScopeChangeRequest { Name = name, Number = 1 });
        Assert.Equal((ScopeState.Applied, $"{agency.Name}/cmos/bob", Day(2, 2)), (applied.ScopeChange.State, applied.Lead, applied.Members[1].JoinDate));
        Assert.Equal([600, 120], (await Steps(admin, applied.Members[0].Booking)).Select(s => s.Flexible.WeeklyMinutes));
        Assert.Equal([900], (await Steps(admin, applied.Members[1].Booking)).Select(s => s.Flexible.WeeklyMinutes));
        Assert.Equal([1_000_000, 1_500_000], applied.Terms.Select(t => t.Retainer.Fee.MinorUnits));
        Assert.Single((await bob.ListEngagementsAsync(new ListEngagementsRequest { Parent = agency.Name })).Engagements);

        var late = await Refused.By(engagements.ApplyScopeChangeAsync(new ApplyScopeChangeRequest { Name = name, Number = 1 }));
        Assert.Equal((Reasons.MoveNotAllowed, "APPLIED"), (late.Reason, late.Metadata["state"]));

        // Bob is asked for more and has no time; Ada is not asked.
        var more = new ScopeChange { EffectiveDate = Day(3, 2), Members = { change.Members[0].Clone(), change.Members[1].Clone() } };
        (more.Members[0].Steps[0].StartDate, more.Members[1].Steps[0].StartDate, more.Members[1].Steps[0].Flexible.WeeklyMinutes) = (Day(3, 2), Day(3, 2), 930);
        await engagements.ProposeScopeChangeAsync(new ProposeScopeChangeRequest { Name = name, ScopeChange = more, ExpireTime = Timestamp.FromDateTime(new DateTime(2026, 2, 20, 12, 0, 0, DateTimeKind.Utc)) });
        Assert.Contains(new DueItem { Engagement = name, ClientCompany = $"{agency.Name}/clientCompanies/acme", Date = Day(2, 20), Kind = DueKind.ScopeChangeExpires }, (await engagements.ListDueAsync(new ListDueRequest { Parent = agency.Name })).Items);
        Assert.Equal(StatusCode.NotFound, (await Refused.By(engagements.DeclineScopeChangeAsync(new DeclineScopeChangeRequest { Name = name, Cmo = $"{agency.Name}/cmos/ada" }))).StatusCode);
        Assert.Equal(StatusCode.NotFound, (await Refused.By(approver.DeclineScopeChangeAsync(new DeclineScopeChangeRequest { Name = name, Cmo = $"{agency.Name}/cmos/bob" }))).StatusCode);
        var declined = await bob.DeclineScopeChangeAsync(new DeclineScopeChangeRequest { Name = name, Reason = "No time." });
        Assert.Equal((ScopeState.Declined, "No time."), (declined.ScopeChange.State, declined.ScopeChange.CloseReason));
        Assert.DoesNotContain((await engagements.ListDueAsync(new ListDueRequest { Parent = agency.Name })).Items, i => i.Kind == DueKind.ScopeChangeExpires);
    }

    [Fact]
    public async Task A_cover_is_consented_to_agreed_booked_and_draws_the_same_meter()
    {
        var (agency, admin, name) = await Active();
        await ActiveEngagement.CreateCmo(agency, "bob");
        var engagements = admin.Service<EngagementsService.EngagementsServiceClient>();
        var bob = (await agency.As(Role.Cmo, cmo: "bob")).Service<EngagementsService.EngagementsServiceClient>();
        var approver = (await agency.As(Role.ClientApprover, client: "acme")).Service<EngagementsService.EngagementsServiceClient>();
        var requested = await engagements.RequestCoverAsync(new RequestCoverRequest
        {
            Name = name,
            Cover = new Cover
            {
                CoverId = "flu",
                AwayCmo = $"{agency.Name}/cmos/ada",
                CoveringCmo = $"{agency.Name}/cmos/bob",
                Dates = { new CoverDate { Date = Day(1, 6), Minutes = 240 } },
            },
        });
        Assert.Equal(CoverState.Requested, requested.Covers.Single().State);
        Assert.Equal(Reasons.ConsentMissing, (await Refused.By(engagements.BookCoverAsync(new BookCoverRequest { Name = name, CoverId = "flu" }))).Reason);
        await approver.ConsentToCoverAsync(new ConsentToCoverRequest { Name = name, CoverId = "flu", PersonId = "ceo" });
        await bob.AgreeToCoverAsync(new AgreeToCoverRequest { Name = name, CoverId = "flu", Cmo = $"{agency.Name}/cmos/bob" });
        var time = admin.Service<TimeService.TimeServiceClient>();
        var before = await time.GetMeterAsync(new GetMeterRequest { Name = name, Date = Day(1, 5), Project = true });
        var booked = await engagements.BookCoverAsync(new BookCoverRequest { Name = name, CoverId = "flu" });
        var after = await time.GetMeterAsync(new GetMeterRequest { Name = name, Date = Day(1, 5), Project = true });
        Assert.Equal(240, after.Projection.BookedMinutes - before.Projection.BookedMinutes);
        Assert.Equal((CoverState.Booked, "Chief"), (booked.Covers.Single().State, booked.Covers.Single().Consent.DisplayName));
        Assert.Equal(240, (await Steps(admin, booked.Covers.Single().Booking)).Single().Dated.Dates.Single().Minutes);

        await At(agency, 1, 8);
        await time.LogTimeAsync(Logged(agency, "bob", "2026-w02", Day(1, 6)));
        await time.SubmitTimesheetAsync(new SubmitTimesheetRequest { Name = $"{agency.Name}/cmos/bob/timesheets/2026-w02" });
        await time.ApproveEntriesAsync(new ApproveEntriesRequest { Name = $"{agency.Name}/cmos/bob/timesheets/2026-w02" });
        var meter = await time.GetMeterAsync(new GetMeterRequest { Name = name, Date = Day(1, 6) });
        Assert.Equal(60, meter.Grants.Sum(g => g.DrawnMinutes));
        Assert.Equal(Reasons.NotAMemberOnDate, (await Refused.By(time.LogTimeAsync(Logged(agency, "bob", "2026-w02", Day(1, 7), "b")))).Reason);
    }

    [Fact]
    public async Task A_taper_resizes_bookings_and_fees_and_its_checklist_is_ticked_off()
    {
        var (agency, admin, name) = await Active();
        var engagements = admin.Service<EngagementsService.EngagementsServiceClient>();
        var ada = (await agency.As(Role.Cmo, cmo: "ada")).Service<EngagementsService.EngagementsServiceClient>();
        var state = await engagements.StartTransitionAsync(new StartTransitionRequest
        {
            Name = name,
            Transition = new Transition
            {
                Steps = { new TaperStep { EffectiveDate = Day(2, 2), Percent = 50 }, new TaperStep { EffectiveDate = Day(4, 1), Percent = 25 } },
                Checklist = { new HandoverItem { ItemId = "ads", Title = "Ad accounts" } },
            },
        });
        Assert.Equal((EngagementState.Transitioning, 2), (state.State, state.Transition.Steps.Count));
        var due = (await engagements.ListDueAsync(new ListDueRequest { Parent = agency.Name })).Items.Single();
        Assert.Equal((name, DueKind.TaperEnds, Day(4, 1)), (due.Engagement, due.Kind, due.Date));
        Assert.Equal([600, 300, 150], (await Steps(admin, state.Members[0].Booking)).Select(s => s.Flexible.WeeklyMinutes));
        Assert.Equal([1_000_000, 500_000, 250_000], state.Terms.Select(t => t.Retainer.Fee.MinorUnits));
        var done = await ada.PutHandoverItemAsync(new PutHandoverItemRequest { Name = name, ItemId = "ads", Done = true });
        Assert.Equal(("Ad accounts", "cmo:ada"), (done.Transition.Checklist.Single().Title, done.Transition.Checklist.Single().DoneBy));
        Assert.NotNull(done.Transition.Checklist.Single().DoneTime);
        var agreed = await engagements.EndEngagementAsync(new EndEngagementRequest { Name = name, EndDate = Day(6, 1) });
        Assert.Equal((EngagementState.Transitioning, Day(6, 1)), (agreed.State, agreed.EndDate));
        await agency.AdvanceTo(new DateTime(2026, 6, 1, 12, 0, 0, DateTimeKind.Utc));
        Assert.Equal(EngagementState.Ended, (await engagements.GetEngagementAsync(new GetEngagementRequest { Name = name })).State);
    }

    [Fact]
    public async Task Ill_today_is_one_call_and_a_CMO_who_leaves_another()
    {
        var (agency, admin, name) = await Active();
        await ActiveEngagement.CreateCmo(agency, "bob");
        var request = new CreateAbsenceRequest
        {
            Parent = agency.Name,
            AbsenceId = "flu",
            Absence = new Absence { Cmo = $"{agency.Name}/cmos/ada", StartDate = Day(1, 6), EndDate = Day(1, 7), Reason = "Flu." },
            RequestId = Guid.CreateVersion7().ToString(),
        };
        var ill = await admin.Absences.CreateAbsenceAsync(request);
        var need = ill.Needs.Single();
        Assert.Equal((name, "flu", false), (need.Engagement, need.CoverId, ill.UnderWay));

        // 600 a week over Monday and Tuesday, of which Tuesday is gone.
        Assert.Equal((Day(1, 6), 300), (need.Dates.Single().Date, need.Dates.Single().Minutes));
        Assert.Equal([$"{agency.Name}/cmos/bob"], need.Candidates);
        Assert.Equal(ill, await admin.Absences.CreateAbsenceAsync(request));
        var cover = (await admin.Engagements.GetEngagementAsync(new GetEngagementRequest { Name = name })).Covers.Single();
        Assert.Equal((CoverState.Requested, $"{agency.Name}/cmos/bob"), (cover.State, cover.CoveringCmo));

        var leaves = await admin.Absences.CreateAbsenceAsync(new CreateAbsenceRequest { Parent = agency.Name, Absence = new Absence { Cmo = $"{agency.Name}/cmos/ada", StartDate = Day(3, 2) } });
        Assert.True(leaves.Needs.Single().ReplacementProposed, leaves.Needs.Single().RefusalMessage);
        Assert.Equal(("", ""), (leaves.Needs.Single().CoverId, leaves.Needs.Single().FormerCoverId));
        Assert.Equal(Day(3, 2), (await admin.Cmos.GetCmoAsync(new GetCmoRequest { Name = $"{agency.Name}/cmos/ada" })).LeaveDate);
        var change = (await admin.Engagements.GetEngagementAsync(new GetEngagementRequest { Name = name })).ScopeChange;
        Assert.Equal(($"{agency.Name}/cmos/bob", Day(3, 2)), (change.Lead, change.EffectiveDate));
        Assert.Equal(2, (await admin.Absences.ListAbsencesAsync(new ListAbsencesRequest { Parent = agency.Name, Cmo = $"{agency.Name}/cmos/ada" })).Absences.Count);
        Assert.Equal(ill, await admin.Absences.GetAbsenceAsync(new GetAbsenceRequest { Name = $"{agency.Name}/absences/flu" }));

        var bad = await Refused.By(admin.Absences.CreateAbsenceAsync(new CreateAbsenceRequest { Parent = agency.Name, AbsenceId = "A", Absence = new Absence { Cmo = "ada" } }));
        AssertNames(bad, "absence_id", "absence.cmo", "absence.start_date");
        var overlapping = await Refused.By(admin.Absences.CreateAbsenceAsync(new CreateAbsenceRequest { Parent = agency.Name, Absence = request.Absence }));
        Assert.Equal(Reasons.TimeOffOverlaps, overlapping.Reason);
    }

    [Fact]
    public async Task Bad_input_is_answered_with_every_bad_field_at_once()
    {
        var (agency, admin, name) = await Active();
        var engagements = admin.Service<EngagementsService.EngagementsServiceClient>();
        var pause = await Refused.By(engagements.PauseEngagementAsync(new PauseEngagementRequest { Name = name, FeePercent = 101, RequestId = "x" }));
        AssertNames(pause, "start_date", "fee_percent", "request_id");
        var scope = await Refused.By(engagements.ProposeScopeChangeAsync(new ProposeScopeChangeRequest
        {
            Name = name,
            ScopeChange = new ScopeChange { Lead = "bob", Members = { new ScopeMember { Cmo = "ada", Steps = { Weekly(0, Day(2, 2), null) } } }, Terms = new Terms { BillCycleDay = 40 } },
        }));
        AssertNames(
            scope, "scope_change.effective_date", "scope_change.lead", "scope_change.members[0].cmo", "scope_change.members[0].steps[0].flexible.weekly_minutes",
            "scope_change.terms.bill_cycle_day", "scope_change.terms.currency");
        var cover = await Refused.By(engagements.RequestCoverAsync(new RequestCoverRequest
        {
            Name = name,
            Cover = new Cover { CoverId = "Bad", CoveringCmo = $"{agency.Name}/cmos/bob", Dates = { new CoverDate { Date = Day(2, 3), Minutes = 0 }, new CoverDate { Date = Day(2, 3), Minutes = 1 } } },
        }));
        AssertNames(cover, "cover.cover_id", "cover.away_cmo", "cover.dates[0].minutes", "cover.dates[1].date");
        var taper = await Refused.By(engagements.StartTransitionAsync(new StartTransitionRequest { Name = name, Transition = new Transition { Steps = { new TaperStep { Percent = 120 } } } }));
        AssertNames(taper, "transition.steps[0].effective_date", "transition.steps[0].percent");
    }

    private static void AssertNames(ApiException error, params string[] fields)
    {
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        Assert.All(fields, field => Assert.Contains(field + ":", error.Message, StringComparison.Ordinal));
    }

    /// <summary>An active engagement of ada with 600 minutes a week for acme; ada and whoever else has 960 a week.</summary>
    private async Task<(TestAgency Agency, AgencyPlatformClient Admin, string Name)> Active()
    {
        var agency = await platform.NewAgency();
        return (agency, await ActiveEngagement.Create(agency, a => Retainer(a, 1_000_000, 2_400)), $"{agency.Name}/engagements/launch");
    }

    private static async Task At(TestAgency agency, int month, int day) => await (await agency.Admin()).Agencies.AdvanceClockAsync(new AdvanceClockRequest
    {
        Name = agency.Name,
        To = Timestamp.FromDateTimeOffset(new DateTimeOffset(2026, month, day, 12, 0, 0, TimeSpan.Zero)),
    });

    private static async Task<IReadOnlyList<BookingStep>> Steps(AgencyPlatformClient admin, string booking) =>
        (await admin.Service<CapacityService.CapacityServiceClient>().GetBookingAsync(new GetBookingRequest { Name = booking })).Steps;

    private static LogTimeRequest Logged(TestAgency agency, string cmo, string week, Date date, string entry = "a") => new()
    {
        Name = $"{agency.Name}/cmos/{cmo}/timesheets/{week}",
        Entries = { new TimeEntry { EntryId = entry, Engagement = $"{agency.Name}/engagements/launch", Date = date, Minutes = 60 } },
    };

    private static Terms Retainer(TestAgency agency, long fee, int minutes) => new()
    {
        Seller = $"{agency.Name}/legalEntities/main",
        Currency = "USD",
        BillCycleDay = 1,
        Retainer = new RetainerTerms { Fee = new Money { MinorUnits = fee, Currency = "USD" }, IncludedMinutes = minutes, OverageGate = OverageGate.Bill },
    };

    private static BookingStep Weekly(int minutes, Date from, Date? until) => new() { StartDate = from, EndDate = until, Flexible = new FlexibleForm { WeeklyMinutes = minutes } };

    private static Date Day(int month, int day) => new() { Year = 2026, Month = month, Day = day };
}
