using System.Collections.Immutable;
using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Contracts.Matching;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Domain.Matching;
using NodaTime;

namespace AgencyPlatform.Grains.Tests.Matching;

/// <summary>
/// The sagas of a shortlist of three on a real silo with a real SQLite file: at every step, before it or after it (its answer lost), the call fails and the shortlist's activation
/// is thrown away; the caller repeats with the same request id.
/// </summary>
public sealed class Shortlists_survive_failures(SagaSilo silo) : IClassFixture<SagaSilo>
{
    private static readonly string[] s_steps = [nameof(IFractionalCmoGrain.Hold), nameof(IFractionalCmoGrain.Confirm), nameof(IFractionalCmoGrain.FreeFor)];
    private static readonly Instant s_begin = Instant.FromUtc(2026, 6, 1, 9, 0);
    private static readonly Duration s_week = Duration.FromDays(7);
    private static readonly ImmutableSortedDictionary<string, string> s_none = ImmutableSortedDictionary<string, string>.Empty;
    private static readonly CmoId[] s_cmos = [new("ada"), new("bob"), new("cy")];
    private static readonly ShortlistId s_list = new("need");

    /// <summary>Three are held; the third is refused and two are released; one is confirmed and two are released; the chosen one is gone; all three are released.</summary>
    public static TheoryData<string, int, bool> Faults
    {
        get
        {
            var data = new TheoryData<string, int, bool>();
            foreach (var (what, steps) in new[] { ("held", 3), ("full", 5), ("chosen", 3), ("gone", 1), ("withdrawn", 3) })
            {
                for (var step = 0; step < steps; step++)
                {
                    data.Add(what, step, false);
                    data.Add(what, step, true);
                }
            }

            return data;
        }
    }

    [Theory, MemberData(nameof(Faults))]
    public async Task Whatever_step_fails_all_are_held_or_none_and_one_is_booked_and_the_others_free_or_all_stand(string what, int step, bool after)
    {
        var agency = new AgencyId($"{what}-{step}-{(after ? "after" : "before")}");
        await Three(agency, full: what == "full");
        var list = List(agency);
        if (what is "chosen" or "gone" or "withdrawn")
        {
            Ok(await list.Create(Called(agency, "create"), Create()));
        }

        if (what == "gone")
        {
            Ok(await Cmo(agency, s_cmos[1]).Release(Called(agency, "release"), new BookingId("need-b")));
        }

        silo.Faults.Arm(agency, s_steps, step, after);
        var call = Called(agency, what);
        Func<Task<Reply<Shortlist>>> move = what switch
        {
            "held" or "full" => () => list.Create(call, Create()),
            "withdrawn" => () => list.Withdraw(call),
            _ => () => list.Choose(call, "b"),
        };
        var reply = await Repeated(list, move);
        Assert.True(silo.Faults.Fired(agency), "The fault did not happen: the saga has fewer steps than the test thinks.");

        var state = Ok(await list.Get(new Read(agency, s_begin)));
        Assert.Null(state.NextStep());
        var holds = await Task.WhenAll(s_cmos.Select(async (cmo, i) => Ok(await Cmo(agency, cmo).Get(new Read(agency, s_begin))).Bookings.GetValueOrDefault(new BookingId($"need-{(char)('a' + i)}"))));
        switch (what)
        {
            case "held":
                Assert.Equal(ShortlistState.Open, Ok(reply).State);
                Assert.All(holds, h => Assert.Equal((BookingState.Held, s_begin + s_week), (h!.State, h.ExpiresAt!.Value)));
                break;
            case "full":
                Assert.Equal((Reasons.CapacityExceeded, "cy"), (reply.Rejection!.Reason, reply.Rejection.Metadata["cmo"]));
                Assert.Equal(ShortlistState.Refused, state.State);
                Assert.All(holds, Assert.Null);
                break;
            case "chosen":
                Assert.Equal((ShortlistState.Chosen, "b"), (Ok(reply).State, reply.Value!.Choice!));
                Assert.Equal([OptionState.Released, OptionState.Chosen, OptionState.Released], state.Options.Select(o => o.State));
                Assert.Equal([null, BookingState.Confirmed, null], holds.Select(h => h?.State));
                break;
            case "gone":
                Assert.Equal((Reasons.ShortlistOptionGone, "a,c"), (reply.Rejection!.Reason, reply.Rejection.Metadata["left"]));
                Assert.Equal([OptionState.Held, OptionState.Gone, OptionState.Held], state.Options.Select(o => o.State));
                Assert.Equal([BookingState.Held, null, BookingState.Held], holds.Select(h => h?.State));
                break;
            default:
                Assert.Equal(ShortlistState.Withdrawn, Ok(reply).State);
                Assert.All(holds, Assert.Null);
                break;
        }

        // A repeat answers the same, a refusal too, and changes nothing.
        var version = (await list.Get(new Read(agency, s_begin))).Meta!.Version;
        var again = await move();
        Assert.Equal((reply.Rejection?.Reason, reply.Value?.State, reply.Meta?.Version), (again.Rejection?.Reason, again.Value?.State, again.Meta?.Version));
        Assert.Equal(version, (await list.Get(new Read(agency, s_begin))).Meta!.Version);
    }

    [Fact]
    public async Task After_one_is_gone_another_is_chosen_and_what_was_chosen_is_chosen_again_in_vain()
    {
        var agency = new AgencyId("another");
        await Three(agency, full: false);
        Ok(await List(agency).Create(Called(agency, "create"), Create()));
        Ok(await Cmo(agency, s_cmos[0]).Release(Called(agency, "release"), new BookingId("need-a")));
        Assert.Equal(Reasons.ShortlistOptionGone, (await List(agency).Choose(Called(agency, "a"), "a")).Rejection!.Reason);
        Assert.Equal(Reasons.ShortlistOptionGone, (await List(agency).Choose(Called(agency, "a"), "a")).Rejection!.Reason);
        Assert.Equal(RejectionKind.NotFound, (await List(agency).Choose(Called(agency, "z"), "z")).Rejection!.Kind);

        Assert.Equal(ShortlistState.Chosen, Ok(await List(agency).Choose(Called(agency, "c"), "c")).State);

        Assert.Equal("c", Ok(await List(agency).Choose(Called(agency, "c"), "c")).Choice);
        Assert.Equal(Reasons.ShortlistState, (await List(agency).Choose(Called(agency, "b"), "b")).Rejection!.Reason);
        Assert.Equal(Reasons.ShortlistState, (await List(agency).Withdraw(Called(agency, "withdraw"))).Rejection!.Reason);
        Assert.Equal(RejectionKind.AlreadyExists, (await List(agency).Create(Called(agency, "create"), Create())).Rejection!.Kind);
    }

    [Fact]
    public async Task Time_lets_it_lapse_and_a_hold_that_an_engagement_has_taken_is_left_alone()
    {
        var agency = new AgencyId("lapsed");
        await Three(agency, full: false);
        Ok(await List(agency).Create(Called(agency, "create"), Create()));
        Ok(await Cmo(agency, s_cmos[2]).TakeOver(Called(agency, "take"), new EngagementId("launch"), new BookingId("need-c")));
        var taken = await List(agency).Choose(Called(agency, "c"), "c");
        Assert.Equal((Reasons.ShortlistOptionGone, Reasons.OwnedByEngagement), (taken.Rejection!.Reason, taken.Rejection.Metadata["cause"]));

        var later = s_begin + s_week;
        await List(agency).Settle(later);

        var state = Ok(await List(agency).Get(new Read(agency, later)));
        Assert.Equal((ShortlistState.Lapsed, null), (state.State, state.NextStep()));
        Assert.Equal("LAPSED", (await List(agency).Choose(Called(agency, "a", later), "a")).Rejection!.Metadata["state"]);
        Assert.Contains(new BookingId("need-c"), Ok(await Cmo(agency, s_cmos[2]).Get(new Read(agency, later))).Bookings.Keys);
        Assert.Empty(Ok(await Cmo(agency, s_cmos[0]).Get(new Read(agency, later))).Bookings);
    }

    [Fact]
    public async Task An_id_that_was_refused_is_used_again_once_there_is_room()
    {
        var agency = new AgencyId("again");
        await Three(agency, full: true);
        Assert.Equal(Reasons.CapacityExceeded, (await List(agency).Create(Called(agency, "create"), Create())).Rejection!.Reason);
        Ok(await Cmo(agency, s_cmos[2]).Release(Called(agency, "release"), new BookingId("full")));
        Assert.Equal(ShortlistState.Open, Ok(await List(agency).Create(Called(agency, "create"), Create())).State);
    }

    private static async Task<Reply<Shortlist>> Repeated(IShortlistGrain list, Func<Task<Reply<Shortlist>>> call)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await call();
            }
            catch (UnavailableException) when (attempt < 3)
            {
                await PlatformSilo.Forget(list);
            }
        }
    }

    private IShortlistGrain List(AgencyId agency) => silo.Grains.Of<IShortlistGrain>(agency, s_list.Value);

    private IFractionalCmoGrain Cmo(AgencyId agency, CmoId cmo) => silo.Grains.Of<IFractionalCmoGrain>(agency, cmo.Value);

    /// <summary>Three CMOs, of whom the third has room or not.</summary>
    private async Task Three(AgencyId agency, bool full)
    {
        Ok(await silo.Grains.Of<IClientCompanyGrain>(agency, "acme").Create(Called(agency, "client"), new CreateClient(
            new ClientCompanyId("acme"), new ClientProfile("Acme", "", "", "Etc/UTC", new BillingDetails("", "", "", "", 30), s_none, s_none))));
        foreach (var cmo in s_cmos)
        {
            Ok(await Cmo(agency, cmo).Create(Called(agency, "cmo"), new CreateCmo(
                cmo, new CmoProfile(new PersonId($"p-{cmo}"), "CMO", "Etc/UTC", s_none, s_none), new PersonDetails(cmo.Value), new CmoLimits(5, 0),
                new WorkingPattern(new LocalDate(2026, 1, 1), new WeekdayMinutes(480, 480, 480, 480, 480, 0, 0)), null, null)));
        }

        if (full)
        {
            Ok(await Cmo(agency, s_cmos[2]).Book(Called(agency, "full"), new Book(new BookingId("full"), new BookingSpec(new ClientCompanyId("acme"), null, Week(2_400)))));
        }
    }

    private static CreateShortlist Create() => new(s_list, new ClientCompanyId("acme"), null, Week(1_200), [.. s_cmos.Select(c => new ShortlistCandidate(c, CmoExpertise.None))], s_week);

    private static ImmutableArray<BookingStep> Week(int minutes) => [new FlexibleStep(new DateRange(new LocalDate(2027, 1, 4), new LocalDate(2027, 1, 11)), minutes)];

    private static Call Called(AgencyId agency, string hash, Instant? now = null) => new(agency, "key:test", Guid.CreateVersion7(), hash, now ?? s_begin);

    private static T Ok<T>(Reply<T> reply)
    {
        Assert.True(reply.Rejection is null, $"{reply.Rejection?.Reason}: {reply.Rejection?.Message}");
        return reply.Value!;
    }
}
