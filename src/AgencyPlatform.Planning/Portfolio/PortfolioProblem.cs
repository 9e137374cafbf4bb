using System.Collections.Immutable;
using System.Globalization;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Cmos;
using NodaTime;

namespace AgencyPlatform.Planning.Portfolio;

/// <summary>
/// Makes a <see cref="PlanProblem"/> of an agency's facts. Each pair of need and CMO is asked alone first, by the very rules that decide a booking; who is
/// refused is no option, with the reason. What is left is which options go together: the room of every run of days, the number of clients, the fence, budgets.
/// </summary>
public static class PortfolioProblem
{
    public static PlanProblem Of(PortfolioInputs inputs)
    {
        var cmos = inputs.Cmos.Select(cmo => new Seat(inputs, cmo)).ToArray();
        var places = inputs.Cmos.Index().ToDictionary(c => c.Item.Id, c => c.Index);
        var until = Horizon(inputs);
        var options = new List<(int Cmo, long Points, List<CapacityUse> Uses)>[inputs.Needs.Length];
        var ruledOut = new List<RuledOut>[inputs.Needs.Length];
        for (var n = 0; n < inputs.Needs.Length; n++)
        {
            (options[n], ruledOut[n]) = ([], []);
        }

        var planned = new PlanCmo[cmos.Length];
        // CMOs do not touch each other here.
        var asked = new (RuledOut? Reason, ImmutableArray<WeekAsk> Asks)[cmos.Length][];
        Parallel.For(0, cmos.Length, k => asked[k] = [.. inputs.Needs.Select(need => cmos[k].Ask(k, need, until))]);
        for (var k = 0; k < cmos.Length; k++)
        {
            for (var n = 0; n < inputs.Needs.Length; n++)
            {
                if (asked[k][n].Reason is { } reason)
                {
                    ruledOut[n].Add(reason);
                }
                else
                {
                    options[n].Add((k, PointsOf(inputs.Needs[n], inputs.Cmos[k].Id), []));
                }
            }

            var takes = Enumerable.Range(0, inputs.Needs.Length).Where(n => asked[k][n].Reason is null).ToArray();
            planned[k] = new PlanCmo(
                inputs.Cmos[k].Id.Value,
                cmos[k].Rows(takes, n => asked[k][n].Asks, (n, use) => options[n][^1].Uses.Add(use)),
                cmos[k].Clients(takes, inputs.Needs));
        }

        return new PlanProblem(
            [
                .. inputs.Needs.Select((need, n) => new PlanNeed(
                    need.Id, need.Spec.Client.Value, need.Required, 0, need.Today is { } today && places.TryGetValue(today.Cmo, out var place) ? place : null, need.MovePoints,
                    [.. options[n].Select(o => new PlanOption(o.Cmo, o.Points, [.. o.Uses]))], [.. ruledOut[n]])),
            ],
            [.. planned],
            Rivals(inputs),
            Budgets(inputs, options));
    }

    /// <summary>What a CMO's work for a need costs its client a month: an average month of the largest step, at the rate in force when it starts. Null: no rate is.</summary>
    public static Money? MonthlyPrice(FractionalCmo cmo, BookingSpec spec, int markupPercent)
    {
        if (cmo.CostRateOn(spec.Steps[0].Dates.Start) is not { } rate)
        {
            return null;
        }

        var (minutes, per) = spec.Steps.Select(MonthlyMinutes).MaxBy(m => (double)m.Minutes / m.Per);
        return new Money(rate.HourlyMinor, rate.Currency).Times((System.Numerics.BigInteger)minutes * (100 + markupPercent), (System.Numerics.BigInteger)per * 60 * 100);
    }

    /// <summary>Minutes ÷ per of an average month: 52 weeks are 12 months. Named dates count once.</summary>
    private static (long Minutes, long Per) MonthlyMinutes(BookingStep step) => step switch
    {
        FlexibleStep s => (52L * s.WeeklyMinutes, 12),
        FixedDaysStep s => (52L * s.Weekdays.Week, 12L * s.EveryWeeks),
        PerPeriodStep s => (s.PeriodMinutes, s.Cycle.Months),
        DatedStep s => (s.Minutes.Values.Sum(m => (long)m), 1),
        _ => throw new InvalidOperationException($"Unknown form of step {step.GetType().Name}."),
    };

    private static long PointsOf(PortfolioNeed need, CmoId cmo) =>
        (long)need.Priority * PortfolioNeed.PlacedPoints + need.Scores.GetValueOrDefault(cmo, need.OtherScore ?? 0);

    /// <summary>Open ends are weighed as far ahead as a booking's is checked at the least.</summary>
    private static LocalDate Horizon(PortfolioInputs inputs)
    {
        var last = LocalDate.MinIsoValue;
        foreach (var step in inputs.Needs.SelectMany(n => n.Spec.Steps))
        {
            last = LocalDate.Max(last, step.Dates.End ?? step.Dates.Start.PlusWeeks(Feasibility.HorizonWeeks));
        }

        return last;
    }

    private static ImmutableArray<RivalNeeds> Rivals(PortfolioInputs inputs)
    {
        var coolingOff = inputs.Cmos.Select(c => c.Policy.CoolingOffDays).DefaultIfEmpty(0).Max();
        var rivals = ImmutableArray.CreateBuilder<RivalNeeds>();
        for (var first = 0; first < inputs.Needs.Length; first++)
        {
            for (var second = first + 1; second < inputs.Needs.Length; second++)
            {
                var (a, b) = (inputs.Needs[first], inputs.Needs[second]);
                if (a.Spec.Client != b.Spec.Client && Why(a, b) is { } why && Lengthened(a.Spec.Dates(), coolingOff).Overlaps(Lengthened(b.Spec.Dates(), coolingOff)))
                {
                    rivals.Add(new RivalNeeds(first, second, why));
                }
            }
        }

        return rivals.ToImmutable();

        static string? Why(PortfolioNeed a, PortfolioNeed b) =>
            Names(a, b) || Names(b, a) ? $"{a.Spec.Client} and {b.Spec.Client} are competitors"
            : FencesOut(a, b.Industry) ? $"{a.Spec.Client} shares its CMO with no other client in {a.Industry}"
            : FencesOut(b, a.Industry) ? $"{b.Spec.Client} shares its CMO with no other client in {b.Industry}"
            : null;

        static bool Names(PortfolioNeed a, PortfolioNeed b) => a.Fence.Names.Contains(b.Spec.Client) || a.Fence.NamedBy.Contains(b.Spec.Client);
    }

    internal static bool FencesOut(PortfolioNeed need, string industry) =>
        need.FencesIndustry && need.Industry.Length > 0 && string.Equals(need.Industry, industry, StringComparison.OrdinalIgnoreCase);

    internal static DateRange Lengthened(DateRange dates, int days) => dates with { End = dates.End?.PlusDays(days) };

    private static ImmutableArray<PlanBudget> Budgets(PortfolioInputs inputs, List<(int Cmo, long Points, List<CapacityUse> Uses)>[] options)
    {
        var budgets = ImmutableArray.CreateBuilder<PlanBudget>();
        foreach (var budget in inputs.Budgets)
        {
            var costs = ImmutableArray.CreateBuilder<BudgetCost>();
            for (var n = 0; n < inputs.Needs.Length; n++)
            {
                foreach (var (k, _, _) in inputs.Needs[n].Spec.Client == budget.Client ? options[n] : [])
                {
                    if (MonthlyPrice(inputs.Cmos[k], inputs.Needs[n].Spec, inputs.MarkupPercent) is { Minor: > 0 } price && price.Currency == budget.Monthly.Currency)
                    {
                        costs.Add(new BudgetCost(n, k, price.Minor));
                    }
                }
            }

            budgets.Add(new PlanBudget(budget.Client.Value, budget.Monthly.Minor, $"{budget.Monthly.Currency} a month", budget.Monthly.Currency.Decimals, costs.ToImmutable()));
        }

        return budgets.ToImmutable();
    }

    /// <summary>One CMO, without the bookings that may be moved and as the what-if has it.</summary>
    private sealed class Seat
    {
        private readonly PortfolioInputs _inputs;
        private readonly FractionalCmo _cmo;
        private readonly WhatIf? _whatIf;
        private readonly CapacityFacts _facts;

        public Seat(PortfolioInputs inputs, FractionalCmo cmo)
        {
            (_inputs, _whatIf) = (inputs, inputs.WhatIfs.FirstOrDefault(w => w.Cmo == cmo.Id));
            var calendar = cmo.Calendar;
            calendar = _whatIf?.Pattern is { } pattern ? calendar.WithPattern(pattern) : calendar;
            calendar = _whatIf?.LeavesOn is { } leaves ? calendar.WithLeave(leaves) : calendar;
            _cmo = cmo;
            var moved = inputs.Needs.Where(n => n.Today?.Cmo == cmo.Id).Select(n => n.Today!.Booking);
            _facts = new CapacityFacts(calendar, cmo.Policy, cmo.Bookings.RemoveRange(moved), _whatIf?.MaxClients ?? cmo.Limits.MaxClients, cmo.Limits.MinBlockMinutes);
        }

        /// <summary>Why the CMO is no option for a need by themselves, or what it would ask of their weeks.</summary>
        public (RuledOut? Reason, ImmutableArray<WeekAsk> Asks) Ask(int k, PortfolioNeed need, LocalDate until)
        {
            var id = _cmo.Id;
            if (_whatIf is { LeftOut: true })
            {
                return No(PlanRule.Preference, $"{id} is left out of this what-if.");
            }

            if (need.Excluded.Contains(id))
            {
                return No(PlanRule.Preference, $"{need.Id} does not want {id}.");
            }

            if (need.OtherScore is null && !need.Scores.ContainsKey(id))
            {
                return No(PlanRule.Preference, $"{need.Id} asks for others than {id}.");
            }

            if (need.Role.Length > 0 && need.Role != _cmo.Profile.Role)
            {
                return No(PlanRule.Preference, $"{id} is a {_cmo.Profile.Role}; {need.Id} asks for a {need.Role}.");
            }

            if (need.MonthlyBudget is { } budget)
            {
                switch (MonthlyPrice(_cmo, need.Spec, _inputs.MarkupPercent))
                {
                    case null:
                        return No(PlanRule.Budget, $"{id} has no cost rate on {need.Spec.Steps[0].Dates.Start:uuuu-MM-dd}.");
                    case { } price when price.Currency != budget.Currency:
                        return No(PlanRule.Budget, $"{id} is paid in {price.Currency}, and the budget of {need.Id} is in {budget.Currency}.");
                    case { } price when price.Minor > budget.Minor:
                        return No(PlanRule.Budget, $"{id} would cost {price} a month, above the {budget} of {need.Id}.");
                }
            }

            if (FencedOut(need) is { } other)
            {
                return No(PlanRule.CompetitorFence, $"{id} serves {other}, and {need.Spec.Client} shares its CMO with no other client in {need.Industry}.");
            }

            return Feasibility.Check(_facts, need.Spec, need.Fence, seekStart: false) is { } refusal
                ? No(RuleOf(refusal.Rule), $"{id}: {refusal.Message}")
                : (null, Rooms.Asked(_facts, need.Spec, until));

            (RuledOut?, ImmutableArray<WeekAsk>) No(PlanRule rule, string message) => (new RuledOut(k, rule, message), []);
        }

        private Domain.ClientCompanyId? FencedOut(PortfolioNeed need)
        {
            if (!need.FencesIndustry)
            {
                return null;
            }

            var dates = Lengthened(need.Spec.Dates(), _facts.Policy.CoolingOffDays);
            foreach (var booking in _facts.Bookings.Values)
            {
                if (booking.Spec.Client != need.Spec.Client && _inputs.Industries.TryGetValue(booking.Spec.Client, out var industry) && FencesOut(need, industry)
                    && Lengthened(booking.Dates, _facts.Policy.CoolingOffDays).Overlaps(dates))
                {
                    return booking.Spec.Client;
                }
            }

            return null;
        }

        /// <summary>
        /// The rows of every week: for each different set of asks that a run of its days holds, the run with the least room. What all together keep is left out.
        /// </summary>
        public ImmutableArray<CapacityRow> Rows(int[] takes, Func<int, ImmutableArray<WeekAsk>> asks, Action<int, CapacityUse> use)
        {
            var weeks = new SortedDictionary<LocalDate, List<(int Need, WeekAsk Ask)>>();
            foreach (var n in takes)
            {
                foreach (var ask in asks(n))
                {
                    if (!weeks.TryGetValue(ask.Monday, out var week))
                    {
                        weeks[ask.Monday] = week = [];
                    }

                    week.Add((n, ask));
                }
            }

            var rows = ImmutableArray.CreateBuilder<CapacityRow>();
            foreach (var (monday, week) in weeks)
            {
                var rooms = Rooms.Of(_facts, monday, out var scale);
                (int First, int Last)[] spans = [.. week.Select(w => (w.Ask.First, w.Ask.Last)).Distinct().Order()];
                var tightest = new SortedDictionary<long, (int First, int Last)>();
                for (var first = 0; first < 7; first++)
                {
                    for (var last = first; last < 7; last++)
                    {
                        var held = 0L;
                        for (var s = 0; s < spans.Length; s++)
                        {
                            held |= spans[s].First >= first && spans[s].Last <= last ? 1L << s : 0;
                        }

                        if (held != 0 && (!tightest.TryGetValue(held, out var run) || rooms[first * 7 + last] < rooms[run.First * 7 + run.Last]))
                        {
                            tightest[held] = (first, last);
                        }
                    }
                }

                foreach (var (held, run) in tightest)
                {
                    var room = rooms[run.First * 7 + run.Last];
                    var within = week.Where(w => (held >> Array.IndexOf(spans, (w.Ask.First, w.Ask.Last)) & 1) != 0 && w.Ask.Scaled > 0)
                        .GroupBy(w => w.Need).Select(g => (Need: g.Key, Amount: g.Sum(w => w.Ask.Scaled))).ToList();
                    if (within.Sum(w => w.Amount) <= room)
                    {
                        continue;
                    }

                    foreach (var (need, amount) in within)
                    {
                        use(need, new CapacityUse(rows.Count, amount));
                    }

                    rows.Add(new CapacityRow(When(monday, run.First, run.Last), room, scale));
                }
            }

            return rows.ToImmutable();
        }

        /// <summary>The clients of a day change only where a booking starts.</summary>
        public ImmutableArray<ClientsRow> Clients(int[] takes, ImmutableArray<PortfolioNeed> needs)
        {
            var rows = new Dictionary<string, ClientsRow>(StringComparer.Ordinal);
            var days = takes.Select(n => needs[n].Spec.Dates().Start).Concat(_facts.Bookings.Values.Select(b => b.Dates.Start)).Distinct().Order();
            foreach (var day in days)
            {
                var standing = _facts.Bookings.Values.Where(b => b.Dates.Contains(day)).Select(b => b.Spec.Client).ToHashSet();
                int[] active = [.. takes.Where(n => needs[n].Spec.Dates().Contains(day) && !standing.Contains(needs[n].Spec.Client))];
                var free = Math.Max(0, _facts.MaxClients - standing.Count);
                if (active.Length <= free)
                {
                    continue;
                }

                var key = string.Join(',', active);
                if (!rows.TryGetValue(key, out var row) || free < row.Free)
                {
                    rows[key] = new ClientsRow($"{day:uuuu-MM-dd}", free, [.. active]);
                }
            }

            return [.. rows.Values];
        }

        private static string When(LocalDate monday, int first, int last) => (first, last) is (0, 6)
            ? string.Create(CultureInfo.InvariantCulture, $"the week of {monday:uuuu-MM-dd}")
            : first == last ? string.Create(CultureInfo.InvariantCulture, $"the day {monday.PlusDays(first):uuuu-MM-dd}")
            : string.Create(CultureInfo.InvariantCulture, $"the days from {monday.PlusDays(first):uuuu-MM-dd} to {monday.PlusDays(last):uuuu-MM-dd}");

        private static PlanRule RuleOf(CapacityRule rule) => rule switch
        {
            CapacityRule.Capacity => PlanRule.Capacity,
            CapacityRule.MaxClients => PlanRule.MaxClients,
            CapacityRule.CompetitorFence => PlanRule.CompetitorFence,
            CapacityRule.SmallestBlock or CapacityRule.AbovePattern or CapacityRule.NoPattern or CapacityRule.CmoLeaves => PlanRule.Preference,
            _ => throw new InvalidOperationException($"Unknown rule {rule}."),
        };
    }
}
