using System.Collections.Immutable;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Planning.Portfolio;
using NodaTime;

namespace AgencyPlatform.Benchmarks.Planning;

/// <summary>
/// An invented agency, always the same of the same seed: CMOs who are partly booked, with time off, holidays and limits; clients in industries with
/// competitors, budgets and preferences; some needs that somebody holds today. There is less room than is asked for.
/// </summary>
internal static class GeneratedPortfolio
{
    private static readonly LocalDate s_monday = new(2026, 3, 2);
    private static readonly Instant s_now = Instant.FromUtc(2026, 2, 27, 9, 0);
    private static readonly Currency s_usd = new("USD");

    public static PortfolioInputs Of(int clients, int cmos, int seed)
    {
        var random = new Random(seed);
        var industries = Math.Max(1, clients / 10);
        var competitors = Enumerable.Range(0, clients)
            .Select(c => Enumerable.Range(0, clients).Where(o => o != c && o % industries == c % industries && random.Next(4) == 0).Select(Client).ToImmutableSortedSet()).ToArray();
        var namedBy = Enumerable.Range(0, clients).Select(c => Enumerable.Range(0, clients).Where(o => competitors[o].Contains(Client(c))).Select(Client).ToImmutableSortedSet()).ToArray();
        ClientFence Fence(int c) => new(Client(c), 1, competitors[c], namedBy[c]);

        var holidays = ImmutableSortedDictionary<string, ImmutableSortedSet<LocalDate>>.Empty.Add("us", [new LocalDate(2026, 5, 25), new LocalDate(2026, 7, 3), new LocalDate(2026, 9, 7)]);
        var people = Enumerable.Range(0, cmos).Select(k => Cmo(k, random, new AgencyPolicy(1, 0, 30, holidays))).ToArray();
        var needs = new PortfolioNeed[clients];
        for (var c = 0; c < clients; c++)
        {
            var spec = new BookingSpec(Client(c), null, [Step(random)]);
            StandingBooking? today = null;
            if (random.Next(5) == 0)
            {
                // Held by the first of some who has room.
                var id = new BookingId($"today-{c}");
                foreach (var k in Enumerable.Range(0, 6).Select(_ => random.Next(cmos)))
                {
                    var decision = people[k].Book(new Book(id, spec), new BookingFacts(Fence(c), null), s_now);
                    if (decision.Rejection is null)
                    {
                        people[k] = decision.Events.Aggregate(people[k], (state, e) => state.Apply(e));
                        today = new StandingBooking(people[k].Id, id);
                        break;
                    }
                }
            }

            // Specialisms of the client's and the CMO's: the same ones in six score best.
            var wish = random.Next(6);
            needs[c] = new PortfolioNeed(
                $"need-{c:000}", spec, Fence(c), $"industry-{c % industries}", random.Next(20) == 0, false, random.Next(1, 11),
                random.Next(10) == 0 ? null : new Money(random.Next(4_000, 22_000) * 100L, s_usd), "CMO",
                Enumerable.Range(0, cmos).ToImmutableSortedDictionary(k => people[k].Id, k => (k % 6 == wish ? 600 : 200) + random.Next(0, 401)), null,
                [.. Enumerable.Range(0, cmos).Where(_ => random.Next(12) == 0).Select(k => people[k].Id).Where(k => k != today?.Cmo)], today, today is null ? 0 : 300);
            if (today is not null)
            {
                // What is held today was agreed to: no budget takes it away.
                needs[c] = needs[c] with { Required = true, MonthlyBudget = null, FencesIndustry = false };
            }
        }

        return new PortfolioInputs([.. needs], [.. people], [], ImmutableSortedDictionary<ClientCompanyId, string>.Empty, [], 30);
    }

    private static ClientCompanyId Client(int c) => new($"client-{c:000}");

    private static FractionalCmo Cmo(int k, Random random, AgencyPolicy policy)
    {
        var none = ImmutableSortedDictionary<string, string>.Empty;
        var day = random.Next(6, 9) * 60;
        var off = s_monday.PlusDays(random.Next(14, 180));
        var cmo = FractionalCmo.Initial
            .Apply(new CmoCreated(
                new CmoId($"cmo-{k:00}"), new CmoProfile(new PersonId($"cmo-{k:00}"), "CMO", "Etc/UTC", none, none), new CmoLimits(random.Next(4, 9), 60),
                new WorkingPattern(s_monday.PlusWeeks(-20), new WeekdayMinutes(day, day, day, day, random.Next(3) == 0 ? 0 : day, 0, 0)),
                new CostRate(s_monday.PlusWeeks(-20), random.Next(80, 221) * 100L, s_usd), "us"))
            .Apply(new PolicyNoted(policy, s_monday.PlusDays(-3), Consequences.None))
            .Apply(new TimeOffAdded(new TimeOff(new TimeOffId("off"), off, off.PlusDays(random.Next(3, 15)), TimeOffKind.WholeDays), s_monday.PlusDays(-3), Consequences.None));
        for (var b = random.Next(0, 4); b > 0; b--)
        {
            var client = new ClientCompanyId($"standing-{random.Next(1_000)}");
            var spec = new BookingSpec(client, null, [Step(random) switch { var step => step with { Dates = new DateRange(s_monday.PlusWeeks(-random.Next(1, 12)), s_monday.PlusWeeks(random.Next(4, 40))) } }]);
            var decision = cmo.Book(new Book(new BookingId($"standing-{b}"), spec), new BookingFacts(new ClientFence(client, 1, [], []), null), s_now);
            cmo = decision.Rejection is null ? decision.Events.Aggregate(cmo, (state, e) => state.Apply(e)) : cmo;
        }

        return cmo;
    }

    private static BookingStep Step(Random random)
    {
        var start = random.Next(3) == 0 ? s_monday.PlusDays(random.Next(0, 60)) : s_monday.PlusWeeks(random.Next(0, 9));
        var dates = new DateRange(start, random.Next(12) == 0 ? null : start.PlusWeeks(random.Next(12, 53)));
        return random.Next(4) switch
        {
            0 => new FixedDaysStep(dates, random.Next(2) == 0 ? new WeekdayMinutes(0, 240, 0, 0, 0, 0, 0) : new WeekdayMinutes(180, 0, 180, 0, 0, 0, 0), random.Next(3) == 0 ? 2 : 1),
            1 => new PerPeriodStep(dates, random.Next(10, 41) * 60, new BillCycle(random.Next(2) == 0 ? 1 : random.Next(1, 29), 1)),
            _ => new FlexibleStep(dates, random.Next(4, 19) * 30),
        };
    }
}
