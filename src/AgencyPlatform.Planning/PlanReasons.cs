using System.Collections.Immutable;
using System.Globalization;

namespace AgencyPlatform.Planning;

/// <summary>Why a need is where a plan has it.</summary>
/// <param name="Cmo">Null: left out.</param>
/// <param name="Points">What that brings, the price of a move taken off.</param>
/// <param name="Rank">The place of the CMO among the need's options by points, from 1; 0 where it is left out.</param>
/// <param name="Message">In words.</param>
/// <param name="PassedOver">Options with more points and why each is not it, the best first, at most <see cref="PlanReasons.MostPassedOver"/>.</param>
public sealed record PlanReason(int Need, int? Cmo, long Points, int Rank, string Message, ImmutableArray<PassedOver> PassedOver);

/// <param name="Rule">What forbids it beside the rest of the plan; null: nothing does.</param>
/// <param name="Message">A sentence.</param>
public sealed record PassedOver(int Cmo, long Points, PlanRule? Rule, string Message);

/// <summary>Explains a plan from the problem, whoever made it.</summary>
public static class PlanReasons
{
    public const int MostPassedOver = 5;

    /// <summary>By need, in order.</summary>
    public static ImmutableArray<PlanReason> Of(PlanProblem problem, PlanAnswer answer)
    {
        if (!answer.HasPlan)
        {
            return [];
        }

        problem = PreparedProblem.Of(problem).Problem;
        var ledger = new PlanLedger(problem);
        foreach (var (n, cmo) in answer.Assigned.Index())
        {
            if (cmo is { } placed)
            {
                ledger.Place(n, problem.Needs[n].OptionOf(placed)!);
            }
        }

        return [.. answer.Assigned.Select((cmo, n) => Of(problem, ledger, n, cmo, answer.Status == PlanStatus.Optimal))];
    }

    private static PlanReason Of(PlanProblem problem, PlanLedger ledger, int n, int? chosen, bool isBest)
    {
        var need = problem.Needs[n];
        var option = chosen is { } cmo ? need.OptionOf(cmo) : null;
        var points = option is null ? need.PointsLeftOut : need.PointsOf(option);
        ledger.TakeOut(n);
        var better = need.Options.Where(o => need.PointsOf(o) > points).OrderByDescending(need.PointsOf).ThenBy(o => o.Cmo).ToArray();
        var passedOver = better.Take(MostPassedOver).Select(o => PassedOver(problem, ledger, n, o, isBest)).ToImmutableArray();
        if (option is not null)
        {
            ledger.Place(n, option);
        }

        return new PlanReason(n, chosen, points, option is null ? 0 : better.Length + 1, Message(problem, need, option, points, better.Length), passedOver);
    }

    private static string Message(PlanProblem problem, PlanNeed need, PlanOption? option, long points, int better)
    {
        if (option is null)
        {
            return need.Options.Length == 0
                ? $"Nobody can take {need.Id}: {RuledOutInWords(problem, need)}"
                : string.Create(CultureInfo.InvariantCulture, $"{need.Id} is left out: what {need.Options.Length:N0} who could take it have room for is worth more to others.");
        }

        var place = better == 0 ? "the best" : string.Create(CultureInfo.InvariantCulture, $"number {better + 1}");
        var move = need.Current switch
        {
            null => "",
            var today when today == option.Cmo => ", who has it today",
            { } today => string.Create(CultureInfo.InvariantCulture, $", {need.MovePoints:N0} points taken off for the move from {problem.Cmos[today].Id}"),
        };
        return string.Create(CultureInfo.InvariantCulture, $"{problem.Cmos[option.Cmo].Id} is {place} of {need.Options.Length:N0} who could take {need.Id}, with {points:N0} points{move}.");
    }

    /// <summary>Which rules took how many CMOs away.</summary>
    internal static string RuledOutInWords(PlanProblem problem, PlanNeed need) =>
        need.RuledOut.Length == 0
            ? "there is no CMO."
            : string.Join(" ", need.RuledOut.GroupBy(r => r.Rule).OrderBy(g => g.Key).Select(g => string.Create(
                CultureInfo.InvariantCulture, $"{g.Count():N0} ruled out by {Name(g.Key)} ({PlanWords.List([.. g.Select(r => problem.Cmos[r.Cmo].Id)], 5)}).")));

    internal static string Name(PlanRule rule) => rule switch
    {
        PlanRule.MustBePlaced => "having to be placed",
        PlanRule.Capacity => "capacity",
        PlanRule.MaxClients => "the maximum of clients",
        PlanRule.CompetitorFence => "the competitor fence",
        PlanRule.Budget => "the budget",
        PlanRule.Preference => "what is asked for",
        _ => throw new InvalidOperationException($"Unknown rule {rule}."),
    };

    private static PassedOver PassedOver(PlanProblem problem, PlanLedger ledger, int n, PlanOption option, bool isBest)
    {
        var obstacle = ledger.InTheWay(n, option);
        return new PassedOver(
            option.Cmo, problem.Needs[n].PointsOf(option), obstacle?.Rule,
            obstacle is not null ? Sentence(problem, n, option, obstacle, ledger)
            : isBest ? throw new InvalidOperationException("A plan that is proven best passes over a choice that is free and better.")
            : $"{problem.Cmos[option.Cmo].Id} would fit: the search ended before it was weighed.");
    }

    internal static string Sentence(PlanProblem problem, int n, PlanOption option, Obstacle obstacle, PlanLedger ledger)
    {
        var (cmo, need) = (problem.Cmos[option.Cmo], problem.Needs[n]);
        switch (obstacle.Rule)
        {
            case PlanRule.Capacity:
                var row = cmo.Capacity[obstacle.Row];
                var asked = option.Uses.First(u => u.Row == obstacle.Row).Amount;
                var others = Others(problem, n, option.Cmo, ledger).Where(o => problem.Needs[o].OptionOf(option.Cmo)!.Uses.Any(u => u.Row == obstacle.Row)).ToArray();
                var taken = others.Sum(o => problem.Needs[o].OptionOf(option.Cmo)!.Uses.First(u => u.Row == obstacle.Row).Amount);
                return $"{cmo.Id} has {PlanWords.Minutes(row.Limit, row.Scale)} free in {row.When}, of which {Named(problem, others)} take {PlanWords.Minutes(taken, row.Scale)}; {need.Id} asks for {PlanWords.Minutes(asked, row.Scale)}.";
            case PlanRule.CompetitorFence:
                var rival = problem.Rivals.First(r => (r.First == n && r.Second == obstacle.Rival) || (r.Second == n && r.First == obstacle.Rival));
                return $"{cmo.Id} takes {problem.Needs[obstacle.Rival!.Value].Id}: {rival.Why}.";
            case PlanRule.MaxClients:
                var slots = cmo.Clients[obstacle.Row];
                return string.Create(
                    CultureInfo.InvariantCulture,
                    $"{cmo.Id} takes {slots.Free:N0} more clients on {slots.When}, and takes {Named(problem, [.. Others(problem, n, option.Cmo, ledger).Where(slots.Needs.Contains)])}.");
            case PlanRule.Budget:
                var budget = problem.Budgets[obstacle.Row];
                var spent = budget.Costs.Where(c => c.Need != n && ledger.Assigned[c.Need] == c.Cmo).Sum(c => c.Amount);
                var cost = budget.Costs.First(c => c.Need == n && c.Cmo == option.Cmo).Amount;
                return $"With {cmo.Id} the needs of {budget.Client} would cost {PlanWords.Amount(spent + cost, budget.Digits)} of {PlanWords.Amount(budget.Limit, budget.Digits)} {budget.Unit}.";
            default:
                throw new InvalidOperationException($"{obstacle.Rule} is in nobody's way.");
        }
    }

    private static IEnumerable<int> Others(PlanProblem problem, int n, int cmo, PlanLedger ledger) =>
        Enumerable.Range(0, problem.Needs.Length).Where(o => o != n && ledger.Assigned[o] == cmo);

    private static string Named(PlanProblem problem, int[] needs) => PlanWords.List([.. needs.Select(n => problem.Needs[n].Id)], 5);
}
