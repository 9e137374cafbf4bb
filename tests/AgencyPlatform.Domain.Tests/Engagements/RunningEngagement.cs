using System.Collections.Immutable;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Engagements;
using NodaTime;
using Xunit;

namespace AgencyPlatform.Domain.Tests.Engagements;

/// <summary>An active engagement of two CMOs, ada with 600 minutes a week and bob with a hold of 300, on a retainer of $10,000 with 2,400 minutes a month; and how its moves are carried on.</summary>
internal static class RunningEngagement
{
    public static readonly Instant Now = Instant.FromUtc(2026, 3, 2, 9, 0);
    public static readonly LocalDate Start = new(2026, 4, 1);
    public static readonly LocalDate End = new(2027, 4, 1);
    public static readonly CmoId Ada = new("ada");
    public static readonly CmoId Bob = new("bob");
    public static readonly PersonId Ceo = new("ceo");
    public static readonly DecisionMakers Deciders = new(3, [Ceo, new PersonId("board")]);
    public static readonly Rejection Full = Rejection.Rule(Reasons.CapacityExceeded, "No room.");

    private static readonly ClientCompanyId s_client = new("acme");

    public static Engagement Active()
    {
        var state = Engagement.Initial.After(
            s => s.Create(new CreateEngagement(new EngagementId("launch"), s_client, new EngagementPlan(
                "Launch", ServiceType.FractionalCmo, Ada,
                [
                    new EngagementMember(Ada, "lead", Weekly(600), null, AgreementWaived: true),
                    new EngagementMember(Bob, "content", [], new BookingId("slot"), AgreementWaived: true),
                ],
                new RetainerTerms(Start, new LegalEntityId("main"), new Currency("USD"), new BillCycle(1, 1), 1_000_000, 2_400, 25_000, OverageGate.Consent),
                Start, End, null, 1, ImmutableSortedDictionary<string, string>.Empty, ImmutableSortedDictionary<string, string>.Empty))),
            s => s.Propose(new ProposeEngagement(null), Deciders, Now),
            s => s.Sign(new SignEngagement(Ceo, 1), Deciders, Now),
            s => s.Activate(Request(1), "America/New_York", Now));
        while (state.NextStep() is { } step)
        {
            state = state.After(s => s.Record(step, null, new BookingSpec(s_client, null, Weekly(300))));
        }

        return state;
    }

    public static ImmutableArray<BookingStep> Weekly(int minutes, LocalDate? from = null, LocalDate? until = null) =>
        [new FlexibleStep(new DateRange(from ?? Start, until ?? End), minutes)];

    public static Guid Request(byte n) => new([n, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);

    public static LocalDate Day(int month, int day) => new(2026, month, day);

    /// <summary>After commands that are all accepted.</summary>
    public static Engagement After(this Engagement state, params ReadOnlySpan<Func<Engagement, Decision>> commands)
    {
        foreach (var command in commands)
        {
            var decision = command(state);
            Assert.True(decision.Rejection is null, $"{decision.Rejection?.Reason}: {decision.Rejection?.Message}");
            Assert.NotEmpty(decision.Events);
            state = state.With(decision.Events);
        }

        return state;
    }

    public static Engagement With(this Engagement state, ImmutableArray<IEvent> events) => events.Aggregate(state, (s, e) => s.Apply(e));

    /// <summary>After a move whose saga ends, every step recorded; the hold at <paramref name="refusedAt"/> is refused.</summary>
    public static Engagement Moved(this Engagement state, Func<Engagement, Decision> move, int refusedAt = -1) => state.After(move).Carried(refusedAt);

    /// <summary>After the saga under way has ended.</summary>
    public static Engagement Carried(this Engagement state, int refusedAt = -1)
    {
        while (state.NextRebooking() is { } step)
        {
            state = state.After(s => s.Record(step, step.Action == RebookingAction.Hold && step.Index == refusedAt ? Full : null));
            Assert.Empty(state.Record(step, null).Events);
        }

        Assert.Null(state.Saga);
        return state;
    }

    public static string Reason(this Decision decision) => decision.Rejection?.Reason ?? "accepted";

    /// <summary>What is booked, as text: <c>ada 600 [2026-04-01, 2026-06-01)</c>.</summary>
    public static IEnumerable<string> BookedText(this Engagement state) =>
        state.Bookings.SelectMany(b => b.Value.Steps!.Value.Select(s => $"{b.Key} {((FlexibleStep)s).WeeklyMinutes} {s.Dates}"));

    /// <summary>The fee and included minutes by date.</summary>
    public static IEnumerable<string> TermsText(this Engagement state) =>
        state.Terms.Cast<RetainerTerms>().Select(t => $"{t.EffectiveFrom:uuuu-MM-dd} {t.Fee} {t.IncludedMinutes}");
}
