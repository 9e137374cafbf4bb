using System.Collections.Immutable;
using System.Text.Json;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Engagements;
using AgencyPlatform.Domain.Time;
using CsCheck;
using NodaTime;
using Xunit;
using static AgencyPlatform.Domain.Tests.Engagements.RunningEngagement;

namespace AgencyPlatform.Domain.Tests.Engagements;

/// <summary>The moves of a running engagement in any order, on any dates, refused by CMOs or not.</summary>
public sealed class Generated_moves
{
    private static readonly CmoId s_cy = new("cy");

    private static readonly Gen<LocalDate> s_date = Gen.Int[-20, 400].Select(Start.PlusDays);

    /// <summary>A move, given the number of the request that asks for it.</summary>
    private static readonly Gen<Func<Engagement, Guid, Instant, Decision>> s_move = Gen.OneOf(
        Gen.Select(s_date, Gen.Bool, Gen.Int[0, 60], Gen.Int[0, 100]).Select<(LocalDate From, bool Keep, int Days, int Fee), Func<Engagement, Guid, Instant, Decision>>(
            p => (s, request, now) => s.Pause(new PauseEngagement(p.From, p.Keep ? p.From.PlusDays(p.Days) : null, p.Fee, ""), [], request, now)),
        s_date.Select<LocalDate, Func<Engagement, Guid, Instant, Decision>>(on => (s, request, now) => s.Resume(new ResumeEngagement(on), request, now)),
        Gen.Select(s_date, Gen.Int[0, 2], Gen.Int[1, 900]).Select<(LocalDate From, int Who, int Minutes), Func<Engagement, Guid, Instant, Decision>>(
            p => (s, _, now) => s.ProposeScope(new ProposeScope(Scope(p.From, p.Who, p.Minutes), p.Minutes % 5 == 0 ? now + Duration.FromDays(p.Minutes) : null), [], Deciders, now)),
        Gen.Const<Func<Engagement, Guid, Instant, Decision>>((s, _, now) => s.SignScope(new SignScope(Ceo, 0), Deciders, now)),
        Gen.Const<Func<Engagement, Guid, Instant, Decision>>((s, request, now) => s.ApplyScope(new ApplyScope(0), [], [], request, now)),
        Gen.Select(Gen.Int[0, 4], s_date).Select<(int Id, LocalDate Date), Func<Engagement, Guid, Instant, Decision>>(
            p => (s, _, _) => s.RequestCover(new RequestCover(
                new CoverId($"c{p.Id}"), Ada, s_cy, ImmutableSortedDictionary<LocalDate, int>.Empty.Add(p.Date, 60).Add(p.Date.PlusDays(3), 30), true, ""))),
        Gen.Int[0, 4].Select<int, Func<Engagement, Guid, Instant, Decision>>(id => (s, _, now) => s.ConsentToCover(new ConsentToCover(new CoverId($"c{id}"), Ceo), Deciders, now)),
        Gen.Int[0, 4].Select<int, Func<Engagement, Guid, Instant, Decision>>(id => (s, request, now) => s.BookCover(new BookCover(new CoverId($"c{id}")), [], request, now)),
        Gen.Select(Gen.Int[0, 4], s_date).Select<(int Id, LocalDate Date), Func<Engagement, Guid, Instant, Decision>>(
            p => (s, request, now) => s.CancelCover(new CancelCover(new CoverId($"c{p.Id}"), p.Date), request, now)),
        Gen.Select(s_date, Gen.Int[0, 100]).Select<(LocalDate From, int Percent), Func<Engagement, Guid, Instant, Decision>>(
            p => (s, request, now) => p.Percent % 3 > 0 ? Decision.Nothing : s.StartTransition(
                new StartTransition([new TaperStep(p.From, p.Percent), new TaperStep(p.From.PlusDays(40), p.Percent / 2)], [], ""), [], request, now)),
        Gen.Select(s_date, Gen.Int[0, 9]).Select<(LocalDate End, int Seldom), Func<Engagement, Guid, Instant, Decision>>(
            p => (s, request, now) => p.Seldom > 0 ? Decision.Nothing : s.EndOn(new EndEngagement(p.End), request, now)),
        Gen.Select(s_date, Gen.Int[1, 300]).Select<(LocalDate Date, int Minutes), Func<Engagement, Guid, Instant, Decision>>(
            p => (s, request, _) => s.Draw(new DrawTime(TimeEntryKey.Of(Ada, IsoWeek.Of(p.Date), new TimeEntryId($"e{request:n}"[..20])), Ada, p.Date, p.Minutes, true, true, "key:test"), null)));

    [Fact]
    public void Replay_gives_the_live_state_and_every_rule_holds_after_any_sequence() =>
        Gen.Select(s_move, Gen.Int[0, 4], Gen.Int[0, 30]).Array[1, 40].Sample(moves =>
        {
            var (live, now, requests) = (Active(), Now, 100);
            var (start, events) = (live, new List<IEvent>());
            foreach (var (move, refusedAt, days) in moves)
            {
                now += Duration.FromDays(days);
                while (live.Saga is null && live.NextDue is { } due && due <= now)
                {
                    Take(live.Settle(now));
                    Carry(-1);
                }

                var request = new Guid(++requests, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0]);
                var before = live;
                var decision = move(live, request, now);
                Take(decision.Events.IsDefault ? [] : decision.Events);
                Carry(refusedAt);
                if (live.OutcomeOf(request)?.Refusal is not null)
                {
                    // All or nothing.
                    Assert.Equal((before.State, Text(before)), (live.State, Text(live)));
                    Assert.Equal(before.TermsText(), live.TermsText());
                }

                Holds(live);
            }

            var replayed = events.Select(Stored).Aggregate(start, (s, e) => s.Apply(e));
            Assert.Equal(JsonSerializer.Serialize(live, EventJson.Options), JsonSerializer.Serialize(replayed, EventJson.Options));

            void Take(ImmutableArray<IEvent> more)
            {
                events.AddRange(more);
                live = live.With(more);
            }

            void Carry(int refusedAt)
            {
                while (live.NextRebooking() is { } step)
                {
                    Take(live.Record(step, step.Action == RebookingAction.Hold && step.Index == refusedAt ? Full : null).Events);
                }

                while (live.NextStep() is { } step)
                {
                    Take(live.Record(step).Events);
                }

                Assert.Null(live.Saga);
            }
        }, iter: 400);

    private static void Holds(Engagement s)
    {
        Assert.Equal(s.State == EngagementState.Paused, s.Running.OpenPause is not null && s.State != EngagementState.Ended);
        for (var i = 1; i < s.Running.Pauses.Length; i++)
        {
            Assert.True(s.Running.Pauses[i - 1].Dates.End <= s.Running.Pauses[i].Dates.Start);
        }

        Assert.Equal(s.Terms.Select(t => t.EffectiveFrom).Order(), s.Terms.Select(t => t.EffectiveFrom));
        Assert.Equal(s.Terms.Length, s.Terms.Select(t => t.EffectiveFrom).Distinct().Count());
        Assert.Contains(s.Plan.Members, m => m.Cmo == s.Plan.Lead);
        foreach (var booking in s.Bookings.Values)
        {
            Assert.Empty(new BookingSpec(s.Client, s.Id, booking.Steps!.Value).Violations());
        }

        // Nothing is booked within freed days.
        if (s is { State: EngagementState.Paused, Running.OpenPause.FreedFrom: { } freed })
        {
            Assert.All(s.Bookings.Values, b => Assert.Empty(b.Steps!.Value.From(freed)));
            Assert.All(s.Running.Covers.Values, c => Assert.True(c.Booking is null || c.Minutes.Keys.Last() < freed));
        }

        for (var day = Start; day < End; day = day.PlusDays(17))
        {
            Assert.True(s.MeterOn(day).RemainingOn(day) >= 0);
            Assert.Equal(s.AcceptsTimeOn(day) && s.WorksOn(s.Plan.Lead, day), s.RefuseTime(s.Plan.Lead, day) is null);
        }
    }

    private static ScopeProposal Scope(LocalDate from, int who, int minutes) => new(
        from, null,
        who switch
        {
            0 => [],
            1 => [new ScopeMember(Ada, "", Weekly(minutes, from), true), new ScopeMember(s_cy, "", Weekly(60, from), true)],
            _ => [new ScopeMember(Ada, "", [], true), new ScopeMember(Bob, "", Weekly(minutes, from), true)],
        },
        who == 0 ? ((RetainerTerms)Active().Terms[0]) with { EffectiveFrom = from, Fee = minutes * 1_000L, IncludedMinutes = minutes } : null, "");

    private static string Text(Engagement s) => JsonSerializer.Serialize(s.Bookings, EventJson.Options) + JsonSerializer.Serialize(s.Plan, EventJson.Options);

    private static IEvent Stored(IEvent e)
    {
        var name = EventJson.NameOf(e);
        return EventJson.Deserialize(name.Name, name.Version, EventJson.Serialize(e));
    }
}
