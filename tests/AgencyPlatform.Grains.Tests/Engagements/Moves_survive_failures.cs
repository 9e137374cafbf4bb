using System.Collections.Immutable;
using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Engagements;
using NodaTime;
using static AgencyPlatform.Grains.Tests.Engagements.RunningAgency;

namespace AgencyPlatform.Grains.Tests.Engagements;

/// <summary>
/// Every saga of a running engagement on a real silo with a real SQLite file: at every step, before it or after it (its answer lost), the call fails and
/// the engagement's activation is thrown away; the caller repeats with the same request id.
/// </summary>
public sealed class Moves_survive_failures(SagaSilo silo) : IClassFixture<SagaSilo>
{
    private static readonly string[] s_steps =
    [
        nameof(IFractionalCmoGrain.PlaceFor), nameof(IFractionalCmoGrain.HoldSwapFor), nameof(IFractionalCmoGrain.ReleaseFor),
        nameof(IFractionalCmoGrain.ConfirmFor), nameof(IFractionalCmoGrain.SwapFor), nameof(IFractionalCmoGrain.EndFor),
    ];

    /// <param name="Steps">How many calls of CMOs the saga makes.</param>
    /// <param name="Refused">The reason that it ends with; null: it is done.</param>
    /// <param name="State">Where the engagement stands afterwards.</param>
    /// <param name="Booked">What stands afterwards.</param>
    private sealed record Saga(
        int Steps, string? Refused, EngagementState State, string[] Booked, Func<RunningAgency, Task> Prepare, Func<IEngagementGrain, Call, Task<Reply<Engagement>>> Move);

    private static readonly string[] s_before = ["ada owned Confirmed 600 [2027-01-04, 2028-01-04)", "bob owned Confirmed 300 [2027-01-04, 2028-01-04)"];
    private static readonly string[] s_paused = ["ada owned Confirmed 600 [2027-01-04, 2027-06-01)", "bob owned Confirmed 300 [2027-01-04, 2027-06-01)"];

    private static readonly Dictionary<string, Saga> s_sagas = new(StringComparer.Ordinal)
    {
        ["pause"] = new(2, null, EngagementState.Paused, s_paused, _ => Task.CompletedTask, Pause),
        ["resume"] = new(
            4, null, EngagementState.Active,
            [
                "ada owned Confirmed 600 [2027-01-04, 2027-06-01)", "ada owned Confirmed 600 [2027-08-02, 2028-01-04)",
                "bob owned Confirmed 300 [2027-01-04, 2027-06-01)", "bob owned Confirmed 300 [2027-08-02, 2028-01-04)",
            ],
            async agency => Ok(await Pause(agency.Engagement, agency.Called())), Resume),
        ["resume-refused"] = new(
            3, Reasons.CapacityExceeded, EngagementState.Paused, s_paused,
            async agency =>
            {
                Ok(await Pause(agency.Engagement, agency.Called()));
                await agency.Taken(Bob, "full", Weekly(1_900, new LocalDate(2027, 6, 7)));
            },
            Resume),
        ["resume-placed"] = new(
            4, null, EngagementState.Active, ["ada owned Confirmed 600 [2027-08-02, 2028-01-04)", "bob owned Confirmed 300 [2027-08-02, 2028-01-04)"],
            async agency => Ok(await agency.Engagement.Pause(agency.Called(), new PauseEngagement(Start, null, 0, ""))), Resume),

        // Ada works more, Bob leaves, Cy comes.
        ["scope"] = new(
            5, null, EngagementState.Active,
            [
                "ada owned Confirmed 600 [2027-01-04, 2027-06-01)", "ada owned Confirmed 900 [2027-06-01, 2028-01-04)",
                "bob owned Confirmed 300 [2027-01-04, 2027-06-01)", "cy owned Confirmed 500 [2027-06-01, 2028-01-04)",
            ],
            ProposedScope, ApplyScope),
        ["scope-refused"] = new(
            3, Reasons.CapacityExceeded, EngagementState.Active, s_before,
            async agency =>
            {
                await ProposedScope(agency);
                await agency.Taken(Cy, "full", Weekly(1_900));
            },
            ApplyScope),
        ["cover"] = new(2, null, EngagementState.Active, [.. s_before, "cy owned Confirmed 480 [2027-02-01, 2027-02-04)"], agency => AskedCover(agency), BookCover),
        ["cover-refused"] = new(
            1, Reasons.CapacityExceeded, EngagementState.Active, s_before,
            async agency =>
            {
                await AskedCover(agency);
                await agency.Taken(Cy, "full", Weekly(1_900));
            },
            BookCover),
        ["cancel-cover"] = new(
            1, null, EngagementState.Active, [.. s_before, "cy owned Confirmed 240 [2027-02-01, 2027-02-03)"],
            async agency =>
            {
                await AskedCover(agency);
                Ok(await BookCover(agency.Engagement, agency.Called()));
            },
            (engagement, call) => engagement.CancelCover(call, new CancelCover(new CoverId("sick"), new LocalDate(2027, 2, 3)))),

        // Half of it from June on, and nothing from September.
        ["taper"] = new(
            4, null, EngagementState.Transitioning,
            [
                "ada owned Confirmed 600 [2027-01-04, 2027-06-01)", "ada owned Confirmed 300 [2027-06-01, 2027-09-01)",
                "bob owned Confirmed 300 [2027-01-04, 2027-06-01)", "bob owned Confirmed 150 [2027-06-01, 2027-09-01)",
            ],
            _ => Task.CompletedTask, Taper),

        // While it was paused somebody else has taken Bob.
        ["taper-refused"] = new(
            3, Reasons.CapacityExceeded, EngagementState.Paused, s_paused,
            async agency =>
            {
                Ok(await Pause(agency.Engagement, agency.Called()));
                await agency.Taken(Bob, "full", Weekly(1_900, new LocalDate(2027, 6, 7)));
            },
            (engagement, call) => engagement.StartTransition(call, new StartTransition([new TaperStep(new LocalDate(2027, 7, 5), 50)], [], ""))),
        ["end-with-cover"] = new(
            3, null, EngagementState.Active,
            ["ada owned Confirmed 600 [2027-01-04, 2027-02-02)", "bob owned Confirmed 300 [2027-01-04, 2027-02-02)", "cy owned Confirmed 240 [2027-02-01, 2027-02-02)"],
            async agency =>
            {
                await AskedCover(agency);
                Ok(await BookCover(agency.Engagement, agency.Called()));
            },
            (engagement, call) => engagement.End(call, new EndEngagement(new LocalDate(2027, 2, 2)))),
    };

    public static TheoryData<string, int, bool> Faults
    {
        get
        {
            var data = new TheoryData<string, int, bool>();
            foreach (var (name, saga) in s_sagas)
            {
                for (var step = 0; step < saga.Steps; step++)
                {
                    data.Add(name, step, false);
                    data.Add(name, step, true);
                }
            }

            return data;
        }
    }

    [Theory, MemberData(nameof(Faults))]
    public async Task Whatever_step_fails_every_booking_is_changed_once_or_none(string name, int step, bool after)
    {
        var saga = s_sagas[name];
        var agency = await new RunningAgency(silo, $"{name}-{step}-{(after ? "after" : "before")}").Activated();
        await saga.Prepare(agency);
        silo.Faults.Arm(agency.Agency, s_steps, step, after);

        var request = Guid.CreateVersion7();
        var reply = await agency.Repeated(engagement => saga.Move(engagement, agency.Called(request, name)));
        Assert.True(silo.Faults.Fired(agency.Agency), "The fault did not happen: the saga has fewer steps than the test thinks.");
        Assert.Equal(saga.Refused, reply.Rejection?.Reason);
        await AssertStands(agency, saga);

        // A repeat answers the same, a refusal too, and changes nothing.
        var version = (await agency.Engagement.Get(agency.Read)).Meta!.Version;
        var again = await saga.Move(agency.Engagement, agency.Called(request, name));
        Assert.Equal((reply.Rejection?.Reason, reply.Value?.State, reply.Meta?.Version), (again.Rejection?.Reason, again.Value?.State, again.Meta?.Version));
        Assert.Equal(version, (await agency.Engagement.Get(agency.Read)).Meta!.Version);
        await AssertStands(agency, saga);
    }

    /// <summary>Nobody calls: the deadline takes it up, and again after the failure.</summary>
    [Theory]
    [InlineData(0, false)]
    [InlineData(0, true)]
    [InlineData(1, false)]
    [InlineData(1, true)]
    public async Task Kept_capacity_is_freed_by_time_alone_whatever_step_fails(int step, bool after)
    {
        var agency = await new RunningAgency(silo, $"kept-{step}-{(after ? "after" : "before")}").Activated();
        Ok(await agency.Engagement.Pause(agency.Called(), new PauseEngagement(new LocalDate(2027, 6, 1), new LocalDate(2027, 7, 1), 0, "")));
        silo.Faults.Arm(agency.Agency, s_steps, step, after);
        var to = Instant.FromUtc(2027, 7, 2, 0, 0);
        var advance = agency.Called();
        for (var attempt = 0; !(await silo.Grains.Agency(agency.Agency).AdvanceClock(advance, to)).Value!.Done; attempt++)
        {
            Assert.True(attempt < 20, "The clock does not arrive.");
        }

        Assert.True(silo.Faults.Fired(agency.Agency));
        var state = (await agency.Engagement.Get(new Read(agency.Agency, to))).Value!;
        Assert.Equal((EngagementState.Paused, (EngagementSaga?)null, new LocalDate(2027, 7, 1)), (state.State, state.Saga, state.Running.OpenPause!.FreedFrom));
        Assert.Equal(["ada owned Confirmed 600 [2027-01-04, 2027-07-01)", "bob owned Confirmed 300 [2027-01-04, 2027-07-01)"], await agency.Booked());
    }

    public static TheoryData<string> Sagas => new(s_sagas.Keys.Where(name => name != "end-with-cover"));

    [Theory, MemberData(nameof(Sagas))]
    public async Task Asking_what_if_answers_as_if_done_and_changes_nothing(string name)
    {
        var saga = s_sagas[name];
        var agency = await new RunningAgency(silo, $"what-if-{name}").Activated();
        await saga.Prepare(agency);
        var (before, version) = (await agency.Booked(), (await agency.Engagement.Get(agency.Read)).Meta!.Version);
        var reply = await saga.Move(agency.Engagement, agency.Called(Guid.CreateVersion7(), name) with { ValidateOnly = true });
        Assert.Equal(saga.Refused, reply.Rejection?.Reason);
        if (saga.Refused is null)
        {
            Assert.Equal((saga.State, (EngagementSaga?)null), (reply.Value!.State, reply.Value.Saga));
        }

        Assert.Equal(before, await agency.Booked());
        Assert.Equal(version, (await agency.Engagement.Get(agency.Read)).Meta!.Version);
    }

    private static async Task AssertStands(RunningAgency agency, Saga saga)
    {
        var state = (await agency.Engagement.Get(agency.Read)).Value!;
        Assert.Null(state.Saga);
        Assert.Equal(saga.State, state.State);
        Assert.Equal(saga.Booked, await agency.Booked());
    }

    private static async Task ProposedScope(RunningAgency agency)
    {
        var from = new LocalDate(2027, 6, 1);
        Ok(await agency.Engagement.ProposeScope(agency.Called(), new ProposeScope(
            new ScopeProposal(from, null, [new ScopeMember(Ada, "lead", Weekly(900, from), true), new ScopeMember(Cy, "content", Weekly(500, from), false)], null, ""), null)));
        Ok(await agency.Engagement.SignScope(agency.Called(), new SignScope(Ceo, 1)));
        Ok(await agency.Engagement.AgreeToScope(agency.Called(), new AgreeToScope(Cy, 1)));
    }

    private static Task<Reply<Engagement>> ApplyScope(IEngagementGrain engagement, Call call) => engagement.ApplyScope(call, new ApplyScope(1));

    private static async Task AskedCover(RunningAgency agency)
    {
        var (sick, dates) = (new CoverId("sick"), ImmutableSortedDictionary<LocalDate, int>.Empty.Add(new LocalDate(2027, 2, 1), 240).Add(new LocalDate(2027, 2, 3), 240));
        Ok(await agency.Engagement.RequestCover(agency.Called(), new RequestCover(sick, Ada, Cy, dates, false, "")));
        Ok(await agency.Engagement.ConsentToCover(agency.Called(), new ConsentToCover(sick, Ceo)));
        Ok(await agency.Engagement.AgreeToCover(agency.Called(), new AgreeToCover(sick, Cy)));
    }

    private static Task<Reply<Engagement>> BookCover(IEngagementGrain engagement, Call call) => engagement.BookCover(call, new BookCover(new CoverId("sick")));

    private static Task<Reply<Engagement>> Taper(IEngagementGrain engagement, Call call) => engagement.StartTransition(call, new StartTransition(
        [new TaperStep(new LocalDate(2027, 6, 1), 50), new TaperStep(new LocalDate(2027, 9, 1), 0)], [new HandoverItem(new HandoverItemId("ads"), "Ad accounts", null, null)], ""));

    private static Task<Reply<Engagement>> Pause(IEngagementGrain engagement, Call call) => engagement.Pause(call, new PauseEngagement(new LocalDate(2027, 6, 1), null, 0, ""));

    private static Task<Reply<Engagement>> Resume(IEngagementGrain engagement, Call call) => engagement.Resume(call, new ResumeEngagement(new LocalDate(2027, 8, 2)));
}
