using System.Collections.Immutable;
using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Domain.Engagements;
using NodaTime;
using Orleans.Core.Internal;

namespace AgencyPlatform.Grains.Tests.Engagements;

/// <summary>
/// The sagas of an engagement on a real silo with a real SQLite file: at every step, before it or after it (its answer lost), the call
/// fails and the engagement's activation is thrown away; the caller repeats with the same request id.
/// </summary>
public sealed class Activation_survives_failures(SagaSilo silo) : IClassFixture<SagaSilo>
{
    private static readonly string[] s_steps =
    [
        nameof(IFractionalCmoGrain.PlaceFor), nameof(IFractionalCmoGrain.TakeOver), nameof(IFractionalCmoGrain.ReleaseFor),
        nameof(IFractionalCmoGrain.GiveBack), nameof(IFractionalCmoGrain.ConfirmFor), nameof(IFractionalCmoGrain.EndFor),
    ];

    private static readonly LocalDate s_start = new(2027, 1, 4);
    private static readonly CmoId[] s_cmos = [new("ada"), new("bob"), new("cy")];

    /// <summary>Six steps when all fit (three holds, three confirmations); five when the third is refused (two are taken back).</summary>
    public static TheoryData<bool, int, bool> Faults
    {
        get
        {
            var data = new TheoryData<bool, int, bool>();
            foreach (var after in new[] { false, true })
            {
                for (var step = 0; step < 6; step++)
                {
                    data.Add(true, step, after);
                }

                for (var step = 0; step < 5; step++)
                {
                    data.Add(false, step, after);
                }
            }

            return data;
        }
    }

    [Theory, MemberData(nameof(Faults))]
    public async Task Whatever_step_fails_all_members_are_booked_and_active_or_none_and_refused(bool fits, int step, bool after)
    {
        var agency = new AgencyId($"{(fits ? "fits" : "full")}-{step}-{(after ? "after" : "before")}");
        var engagement = await Accepted(agency, fits);
        var hold = await Booking(agency, s_cmos[1], "slot");
        silo.Faults.Arm(agency, s_steps, step, after);

        var request = Guid.CreateVersion7();
        var reply = await Repeated(engagement, () => engagement.Activate(Called(agency, request, "activate")));
        Assert.True(silo.Faults.Fired(agency), "The fault did not happen: the saga has fewer steps than the test thinks.");

        var state = (await engagement.Get(new Read(agency))).Value!;
        Assert.Null(state.Saga);
        if (fits)
        {
            Assert.Null(reply.Rejection);
            Assert.Equal(EngagementState.Active, reply.Value!.State);
            Assert.Equal(EngagementState.Active, state.State);
            foreach (var cmo in s_cmos)
            {
                var booking = Assert.Single((await Cmo(agency, cmo)).Bookings.Values);
                Assert.Equal((BookingState.Confirmed, (EngagementId?)state.Id, (Instant?)null), (booking.State, booking.Owner, booking.ExpiresAt));
            }
        }
        else
        {
            Assert.Equal(Reasons.CapacityExceeded, reply.Rejection!.Reason);
            Assert.Equal("cy", reply.Rejection.Metadata["cmo"]);
            Assert.Equal(EngagementState.Accepted, state.State);
            Assert.Empty((await Cmo(agency, s_cmos[0])).Bookings);
            var given = Assert.Single((await Cmo(agency, s_cmos[1])).Bookings.Values);
            Assert.Equal((BookingState.Held, null, hold!.ExpiresAt), (given.State, given.Owner, given.ExpiresAt));
            Assert.Equal("other", Assert.Single((await Cmo(agency, s_cmos[2])).Bookings.Values).Spec.Client.Value);
        }

        // A repeat answers the same, a refusal too, and changes nothing.
        var version = (await engagement.Get(new Read(agency))).Meta!.Version;
        var again = await engagement.Activate(Called(agency, request, "activate"));
        Assert.Equal((reply.Rejection?.Reason, reply.Value?.State, reply.Meta?.Version), (again.Rejection?.Reason, again.Value?.State, again.Meta?.Version));
        Assert.Equal(version, (await engagement.Get(new Read(agency))).Meta!.Version);
    }

    /// <summary>Nobody repeats the request and no time passes, as in a sandbox: whoever asks for the engagement loads it, and with that it goes on.</summary>
    [Fact]
    public async Task What_a_crash_has_cut_off_goes_on_with_the_next_activation()
    {
        var agency = new AgencyId("cut-off");
        var engagement = await Accepted(agency, fits: true);
        silo.Faults.Arm(agency, s_steps, 4, after: false);
        await Assert.ThrowsAsync<UnavailableException>(() => engagement.Activate(Called(agency, Guid.CreateVersion7(), "activate")));
        Assert.NotNull((await engagement.Get(new Read(agency))).Value!.Saga);

        await engagement.AsReference<IGrainManagementExtension>().DeactivateOnIdle();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while ((await engagement.Get(new Read(agency))).Value!.State != EngagementState.Active)
        {
            patience.Token.ThrowIfCancellationRequested();
        }

        foreach (var cmo in s_cmos)
        {
            Assert.Equal(BookingState.Confirmed, Assert.Single((await Cmo(agency, cmo)).Bookings.Values).State);
        }
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(0, true)]
    [InlineData(1, false)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    [InlineData(2, true)]
    public async Task Whatever_step_of_an_ending_fails_every_booking_is_shortened_once(int step, bool after)
    {
        var agency = new AgencyId($"end-{step}-{(after ? "after" : "before")}");
        var engagement = await Accepted(agency, fits: true);
        Assert.Null((await engagement.Activate(Called(agency, Guid.CreateVersion7(), "activate"))).Rejection);
        silo.Faults.Arm(agency, s_steps, step, after);

        var end = s_start.PlusMonths(2);
        var request = Guid.CreateVersion7();
        var reply = await Repeated(engagement, () => engagement.End(Called(agency, request, "end"), new EndEngagement(end)));
        Assert.True(silo.Faults.Fired(agency));
        Assert.Equal((EngagementState.Active, (LocalDate?)end), (reply.Value!.State, reply.Value.End));
        foreach (var cmo in s_cmos)
        {
            Assert.Equal(end, Assert.Single((await Cmo(agency, cmo)).Bookings.Values).Dates.End);
        }

        var version = reply.Meta!.Version;
        var again = Called(agency, Guid.CreateVersion7(), "end");

        // Asked for again it changes nothing but that the id of the request is used.
        Assert.Equal(version + 1, (await engagement.End(again, new EndEngagement(end))).Meta!.Version);
        Assert.Equal(version + 1, (await engagement.End(again, new EndEngagement(end))).Meta!.Version);
        Assert.Equal(Reasons.RequestIdReused, (await engagement.Revise(again with { RequestHash = "revise" })).Rejection!.Reason);
    }

    [Fact]
    public async Task A_repeat_older_than_the_remembered_outcomes_is_answered_with_the_end_of_its_own_saga()
    {
        var agency = new AgencyId("old-repeat");
        var engagement = await Accepted(agency, fits: false);
        var requests = Enumerable.Range(0, 66).Select(_ => Guid.CreateVersion7()).ToArray();
        var first = await engagement.Activate(Called(agency, requests[0], "activate"));
        Assert.Equal(Reasons.CapacityExceeded, first.Rejection!.Reason);
        foreach (var request in requests[1..])
        {
            Assert.Equal(Reasons.CapacityExceeded, (await engagement.Activate(Called(agency, request, "activate"))).Rejection!.Reason);
        }

        Ok(await silo.Grains.Of<IFractionalCmoGrain>(agency, "cy").Release(Called(agency), new BookingId("full")));
        Ok(await engagement.Activate(Called(agency, Guid.CreateVersion7(), "activate")));
        await engagement.AsReference<IGrainManagementExtension>().DeactivateOnIdle();
        Assert.Null((await engagement.Get(new Read(agency))).Value!.OutcomeOf(requests[0]));
        var version = (await engagement.Get(new Read(agency))).Meta!.Version;

        var again = await engagement.Activate(Called(agency, requests[0], "activate"));

        Assert.Equal((first.Rejection.Reason, first.Rejection.Message), (again.Rejection!.Reason, again.Rejection.Message));
        Assert.Equal(version, (await engagement.Get(new Read(agency))).Meta!.Version);
    }

    [Fact]
    public async Task Asking_whether_an_activation_would_be_accepted_changes_nothing()
    {
        var agency = new AgencyId("what-if");
        var engagement = await Accepted(agency, fits: false);
        var before = (await engagement.Get(new Read(agency))).Meta!.Version;
        var reply = await engagement.Activate(Called(agency, Guid.CreateVersion7(), "activate") with { ValidateOnly = true });
        Assert.Equal(Reasons.CapacityExceeded, reply.Rejection!.Reason);
        Assert.Equal(before, (await engagement.Get(new Read(agency))).Meta!.Version);
        Assert.Empty((await Cmo(agency, s_cmos[0])).Bookings);
    }

    /// <summary>Calls until answered; after a failure the engagement's activation is thrown away, as if its silo had died.</summary>
    private static async Task<Reply<Engagement>> Repeated(IEngagementGrain engagement, Func<Task<Reply<Engagement>>> call)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await call();
            }
            catch (UnavailableException) when (attempt < 3)
            {
                await engagement.AsReference<IGrainManagementExtension>().DeactivateOnIdle();
            }
        }
    }

    private async Task<FractionalCmo> Cmo(AgencyId agency, CmoId cmo) => (await silo.Grains.Of<IFractionalCmoGrain>(agency, cmo.Value).Get(new Read(agency))).Value!;

    private async Task<Booking?> Booking(AgencyId agency, CmoId cmo, string id) => (await Cmo(agency, cmo)).Bookings.GetValueOrDefault(new BookingId(id));

    /// <summary>An accepted engagement of three CMOs: two to be placed, one with a hold of the proposal; the third has room or not.</summary>
    private async Task<IEngagementGrain> Accepted(AgencyId agency, bool fits)
    {
        var none = ImmutableSortedDictionary<string, string>.Empty;
        var entity = new LegalEntity(new LegalEntityId("main"), "Main Inc", "US", "America/New_York", new Currency("USD"), "", "", new InvoiceSeriesId("main"));
        Ok(await silo.Grains.Agency(agency).Create(
            Called(agency), new CreateAgency(agency, new AgencySettings("Agency", "America/New_York", new Currency("USD"), [], none, none), 0, 0, [entity], null)));
        var ceo = new PersonId("ceo");
        foreach (var client in new[] { "acme", "other" })
        {
            var grain = silo.Grains.Of<IClientCompanyGrain>(agency, client);
            Ok(await grain.Create(Called(agency), new CreateClient(new ClientCompanyId(client), new ClientProfile(client, "", "", "America/New_York", new BillingDetails("", "", "", "", 30), none, none))));
            Ok(await grain.PutStakeholder(Called(agency), new PutStakeholder(new Stakeholder(ceo, "CEO", true), new PersonDetails("Chief"))));
        }

        var steps = ImmutableArray.Create<BookingStep>(new FlexibleStep(new DateRange(s_start, s_start.PlusYears(1)), 600));
        var day = new WeekdayMinutes(480, 480, 480, 480, 0, 0, 0);
        foreach (var cmo in s_cmos)
        {
            Ok(await silo.Grains.Of<IFractionalCmoGrain>(agency, cmo.Value).Create(Called(agency), new CreateCmo(
                cmo, new CmoProfile(new PersonId($"p-{cmo}"), "CMO", "America/New_York", none, none), new PersonDetails(cmo.Value), new CmoLimits(5, 0),
                new WorkingPattern(new LocalDate(2026, 1, 1), day), null, null)));
        }

        var acme = new ClientCompanyId("acme");
        Ok(await silo.Grains.Of<IFractionalCmoGrain>(agency, "bob").Hold(
            Called(agency), new HoldBooking(new BookingId("slot"), new BookingSpec(acme, null, steps), Duration.FromDays(20))));
        if (!fits)
        {
            var all = ImmutableArray.Create<BookingStep>(new FlexibleStep(new DateRange(s_start, s_start.PlusYears(2)), 1_920));
            Ok(await silo.Grains.Of<IFractionalCmoGrain>(agency, "cy").Book(Called(agency), new Book(new BookingId("full"), new BookingSpec(new ClientCompanyId("other"), null, all))));
        }

        var engagement = silo.Grains.Of<IEngagementGrain>(agency, "launch");
        var plan = new EngagementPlan(
            "Launch", ServiceType.FractionalCmo, s_cmos[0],
            [
                new EngagementMember(s_cmos[0], "lead", steps, null, true),
                new EngagementMember(s_cmos[1], "", [], new BookingId("slot"), false),
                new EngagementMember(s_cmos[2], "", steps, null, true),
            ],
            new HourlyTerms(s_start, entity.Id, entity.Currency, new BillCycle(1, 1), 20_000), s_start, s_start.PlusYears(1), null, 1, none, none);
        Ok(await engagement.Create(Called(agency), new CreateEngagement(new EngagementId("launch"), acme, plan)));
        Ok(await engagement.Propose(Called(agency), new ProposeEngagement(null)));
        Ok(await engagement.Sign(Called(agency), new SignEngagement(ceo, 1)));
        Ok(await engagement.Agree(Called(agency), new AgreeAsCmo(s_cmos[1], 1)));
        return engagement;
    }

    private static Call Called(AgencyId agency, Guid? request = null, string hash = "") => new(agency, "key:test", request, request is null ? "" : hash);

    private static void Ok<T>(Reply<T> reply) => Assert.True(reply.Rejection is null, $"{reply.Rejection?.Reason}: {reply.Rejection?.Message}");
}
