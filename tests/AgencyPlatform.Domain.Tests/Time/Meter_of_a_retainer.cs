using System.Collections.Immutable;
using AgencyPlatform.Domain.Time;
using CsCheck;
using NodaTime;
using Xunit;

namespace AgencyPlatform.Domain.Tests.Time;

public sealed class Meter_of_a_retainer
{
    private static readonly LocalDate s_day = new(2026, 4, 15);

    private static Grant Of(string id, int minutes, int priority = Grant.IncludedPriority, LocalDate? from = null, LocalDate? to = null) =>
        new(new GrantId(id), minutes, from ?? new LocalDate(2026, 4, 1), to, priority, GrantOrigin.Included);

    private static Meter Meter(params Grant[] grants) => new([.. grants], Domain.Time.Meter.NothingDrawn);

    [Fact]
    public void Of_20_25_25_and_50_in_burn_order_80_draw_20_25_25_and_10() =>
        Assert.Equal([20, 25, 25, 10], Meter(Of("a", 20), Of("b", 25), Of("c", 25), Of("d", 50)).Draw(s_day, 80).Select(d => d.Minutes));

    [Fact]
    public void The_carry_is_used_before_the_included_minutes()
    {
        var (included, carried) = (Of("included", 2_400), Of("carried", 300, Grant.CarriedPriority));
        var draws = Meter(included, carried).Draw(s_day, 300);
        Assert.Equal(carried.Id, Assert.Single(draws).Grant);
        var after = new Meter([included, carried], Domain.Time.Meter.Taken(Domain.Time.Meter.NothingDrawn, draws));
        Assert.Equal(2_400, after.Remaining(included));
        Assert.Equal(2_400, after.RemainingOn(s_day));
    }

    [Fact]
    public void Burn_order_is_priority_then_expiry_then_start()
    {
        var meter = Meter(
            Of("prepaid", 1, Grant.PrepaidPriority), Of("endless", 1), Of("late", 1, to: new LocalDate(2026, 6, 1)), Of("soon", 1, to: new LocalDate(2026, 5, 1)),
            Of("older", 1, from: new LocalDate(2026, 3, 1), to: new LocalDate(2026, 6, 1)), Of("carried", 1, Grant.CarriedPriority));
        Assert.Equal(["carried", "soon", "older", "late", "endless", "prepaid"], meter.BurnOrder(s_day).Select(g => g.Id.Value));
    }

    [Fact]
    public void An_entry_draws_on_the_grants_alive_on_its_own_date()
    {
        var meter = Meter(Of("april", 100, to: new LocalDate(2026, 5, 1)), Of("may", 100, from: new LocalDate(2026, 5, 1), to: new LocalDate(2026, 6, 1)));
        Assert.Equal("april", Assert.Single(meter.Draw(new LocalDate(2026, 4, 30), 60)).Grant.Value);
        Assert.Equal("may", Assert.Single(meter.Draw(new LocalDate(2026, 5, 1), 60)).Grant.Value);
        Assert.Empty(meter.Draw(new LocalDate(2026, 6, 1), 60));
    }

    [Fact]
    public void No_grant_is_ever_overdrawn_and_what_is_given_back_can_be_drawn_again() =>
        Gen.Select(Gen.Int[0, 500].Array[1, 6], Gen.Int[1, 400].Array[1, 30]).Sample((sizes, asked) =>
        {
            var grants = sizes.Select((s, i) => Of("g" + i, s, 10 * (i % 3))).ToImmutableArray();
            var drawn = Domain.Time.Meter.NothingDrawn;
            var taken = new List<ImmutableArray<GrantDraw>>();
            foreach (var minutes in asked)
            {
                var meter = new Meter(grants, drawn);
                var left = meter.RemainingOn(s_day);
                var draws = meter.Draw(s_day, minutes);
                Assert.Equal(Math.Min(minutes, left), draws.Sum(d => d.Minutes));
                drawn = Domain.Time.Meter.Taken(drawn, draws);
                taken.Add(draws);
                Assert.All(grants, g => Assert.InRange(g.Minutes - drawn.GetValueOrDefault(g.Id), 0, g.Minutes));
            }

            foreach (var draws in taken)
            {
                drawn = Domain.Time.Meter.GivenBack(drawn, draws);
            }

            Assert.Empty(drawn);
        });
}
