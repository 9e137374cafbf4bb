using System.Collections.Immutable;
using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Cmos;
using NodaTime;

namespace AgencyPlatform.Grains.Tests.Capacity;

/// <summary>
/// A request that waits with three CMOs, of whom two come to have room at the same time, on a real silo with a real SQLite file: at every step of its
/// saga, before it or after it (its answer lost), the call fails and all activations are thrown away.
/// </summary>
public sealed class A_request_for_any_of_several_CMOs(SagaSilo silo) : IClassFixture<SagaSilo>
{
    private static readonly string[] s_steps = [nameof(IFractionalCmoGrain.JoinFor), nameof(ICapacityRequestGrain.Offer), nameof(IFractionalCmoGrain.LeaveFor)];
    private static readonly Instant s_begin = Instant.FromUtc(2026, 6, 1, 9, 0);
    private static readonly ImmutableSortedDictionary<string, string> s_none = ImmutableSortedDictionary<string, string>.Empty;
    private static readonly CmoId[] s_cmos = [new("ada"), new("bob"), new("cy")];
    private static readonly CapacityRequestId s_request = new("any");

    /// <summary>Three join, the first is told so, two leave: six steps at the least.</summary>
    public static TheoryData<int, bool> Faults
    {
        get
        {
            var data = new TheoryData<int, bool>();
            for (var step = 0; step < 6; step++)
            {
                data.Add(step, false);
                data.Add(step, true);
            }

            return data;
        }
    }

    [Theory, MemberData(nameof(Faults))]
    public async Task Whatever_step_fails_one_CMO_offers_it_once_and_the_others_are_free(int step, bool after)
    {
        var agency = new AgencyId($"any-{step}-{(after ? "after" : "before")}");
        await Full(agency);
        silo.Faults.Arm(agency, s_steps, step, after);
        Ok(await Request(agency).Create(Called(agency), new CreateCapacityRequest(s_request, Week(1_200), [.. s_cmos], 0, Duration.FromDays(1))));
        await Quiet(agency);
        await Task.WhenAll(s_cmos[1..].Select(async cmo => Ok(await Cmo(agency, cmo).Release(Called(agency), new BookingId("full")))));

        await Quiet(agency);

        Assert.True(silo.Faults.Fired(agency), "The fault did not happen: the saga has fewer steps than the test thinks.");
        var request = Ok(await Request(agency).Get(new Read(agency, s_begin)));
        Assert.Equal(CapacityRequestState.Offered, request.State);
        Assert.Contains(request.Offering!.Value, s_cmos[1..]);
        var offered = 0;
        foreach (var cmo in s_cmos)
        {
            var state = Ok(await Cmo(agency, cmo).Get(new Read(agency, s_begin)));
            var first = cmo == request.Offering;
            Assert.Equal(first ? CandidateState.Offering : CandidateState.Left, request.Candidates[cmo].State);
            Assert.Equal(first, state.Waitlist.Entries.ContainsKey(s_request.Booking));
            Assert.Equal(first, state.Bookings.TryGetValue(s_request.Booking, out var hold));
            Assert.Equal(first ? s_begin + Duration.FromDays(1) : null, hold?.ExpiresAt);
            await foreach (var stored in silo.Journal.ReadStream(new AggregateKey(agency, FractionalCmo.Kind, cmo.Value)))
            {
                offered += stored.Event.Name == "cmo.waitlist-offered" ? 1 : 0;
            }
        }

        Assert.Equal(1, offered);
        Ok(await Cmo(agency, request.Offering.Value).Confirm(Called(agency), s_request.Booking));
    }

    [Fact]
    public async Task One_that_fits_somewhere_is_offered_by_the_first_named()
    {
        var agency = new AgencyId("any-fits");
        await Full(agency);
        Ok(await Cmo(agency, s_cmos[1]).Release(Called(agency), new BookingId("full")));
        Ok(await Cmo(agency, s_cmos[2]).Release(Called(agency), new BookingId("full")));
        Ok(await Request(agency).Create(Called(agency), new CreateCapacityRequest(s_request, Week(1_200), [.. s_cmos], 0, Duration.FromDays(1))));

        await Quiet(agency);

        Assert.Equal(s_cmos[1], Ok(await Request(agency).Get(new Read(agency, s_begin))).Offering);
        Assert.DoesNotContain(s_request.Booking, Ok(await Cmo(agency, s_cmos[2]).Get(new Read(agency, s_begin))).Bookings.Keys);
    }

    [Fact]
    public async Task A_withdrawn_request_leaves_all_lists_and_is_offered_nothing()
    {
        var agency = new AgencyId("any-withdrawn");
        await Full(agency);
        Ok(await Request(agency).Create(Called(agency), new CreateCapacityRequest(s_request, Week(1_200), [.. s_cmos], 0, Duration.FromDays(1))));
        await Quiet(agency);
        Assert.Equal(1, Ok(await Cmo(agency, s_cmos[0]).GetWaitlistEntry(new Read(agency, s_begin), s_request.Booking)).Place);

        Ok(await Request(agency).Withdraw(Called(agency)));
        await Quiet(agency);
        Ok(await Cmo(agency, s_cmos[0]).Release(Called(agency), new BookingId("full")));
        await Quiet(agency);

        Assert.All(Ok(await Request(agency).Get(new Read(agency, s_begin))).Candidates.Values, c => Assert.Equal(CandidateState.Left, c.State));
        Assert.Empty(Ok(await Cmo(agency, s_cmos[0]).Get(new Read(agency, s_begin))).Bookings);
        Assert.Null(Ok(await Request(agency).Offer(Called(agency), s_cmos[0])).Cmo);
    }

    /// <summary>Lets the saga go on until nothing of it is left to do, as the deadlines do; before each turn all activations are thrown away.</summary>
    private async Task Quiet(AgencyId agency)
    {
        for (var turn = 0; turn < 8; turn++)
        {
            await Request(agency).Settle(s_begin);
            await Task.WhenAll(s_cmos.Select(cmo => Cmo(agency, cmo).Settle(s_begin)));
            var states = await Task.WhenAll(s_cmos.Select(async cmo => Ok(await Cmo(agency, cmo).Get(new Read(agency, s_begin)))));
            if (Ok(await Request(agency).Get(new Read(agency, s_begin))).NextStep() is null && states.All(s => s.Waitlist.Reserved.IsEmpty))
            {
                return;
            }

            await PlatformSilo.Forget(Request(agency));
            await Task.WhenAll(s_cmos.Select(cmo => PlatformSilo.Forget(Cmo(agency, cmo))));
        }

        Assert.Fail("The saga did not come to its end.");
    }

    private ICapacityRequestGrain Request(AgencyId agency) => silo.Grains.Of<ICapacityRequestGrain>(agency, s_request.Value);

    private IFractionalCmoGrain Cmo(AgencyId agency, CmoId cmo) => silo.Grains.Of<IFractionalCmoGrain>(agency, cmo.Value);

    /// <summary>Three CMOs whose week is full.</summary>
    private async Task Full(AgencyId agency)
    {
        Ok(await silo.Grains.Of<IClientCompanyGrain>(agency, "acme").Create(Called(agency), new CreateClient(
            new ClientCompanyId("acme"), new ClientProfile("Acme", "", "", "Etc/UTC", new BillingDetails("", "", "", "", 30), s_none, s_none))));
        foreach (var cmo in s_cmos)
        {
            Ok(await Cmo(agency, cmo).Create(Called(agency), new CreateCmo(
                cmo, new CmoProfile(new PersonId($"p-{cmo}"), "CMO", "Etc/UTC", s_none, s_none), new PersonDetails(cmo.Value), new CmoLimits(5, 0),
                new WorkingPattern(new LocalDate(2026, 1, 1), new WeekdayMinutes(480, 480, 480, 480, 480, 0, 0)), null, null)));
            Ok(await Cmo(agency, cmo).Book(Called(agency), new Book(new BookingId("full"), Week(2_400))));
        }
    }

    private static BookingSpec Week(int minutes) => new(
        new ClientCompanyId("acme"), null, [new FlexibleStep(new DateRange(new LocalDate(2027, 1, 4), new LocalDate(2027, 1, 11)), minutes)]);

    private static Call Called(AgencyId agency) => new(agency, "key:test", Guid.CreateVersion7(), "hash", s_begin);

    private static T Ok<T>(Reply<T> reply)
    {
        Assert.True(reply.Rejection is null, $"{reply.Rejection?.Reason}: {reply.Rejection?.Message}");
        return reply.Value!;
    }
}
