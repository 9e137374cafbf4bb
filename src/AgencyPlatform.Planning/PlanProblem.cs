using System.Collections.Immutable;

namespace AgencyPlatform.Planning;

/// <summary>
/// A joint assignment: every need goes to one CMO or, where it need not be placed, to nobody; what is best is the greatest sum of points. Needs and CMOs are
/// known by their place in the lists. All amounts are whole numbers.
/// </summary>
/// <param name="Rivals">Pairs of needs that one CMO cannot both take (competitor fence).</param>
/// <param name="Budgets">What several needs together may cost.</param>
public sealed record PlanProblem(ImmutableArray<PlanNeed> Needs, ImmutableArray<PlanCmo> Cmos, ImmutableArray<RivalNeeds> Rivals, ImmutableArray<PlanBudget> Budgets);

/// <summary>What somebody is to do for a client.</summary>
/// <param name="Id">As answers name it.</param>
/// <param name="Client">Needs of one client count once against a CMO's maximum of clients.</param>
/// <param name="Required">A plan without it is none.</param>
/// <param name="LeftOutPoints">What leaving it out costs, ≥ 0; without meaning where it is required.</param>
/// <param name="Current">Who has it today; null: nobody.</param>
/// <param name="MovePoints">What it costs to take it from them, ≥ 0.</param>
/// <param name="Options">Who could take it, each CMO at most once, in order of CMO.</param>
/// <param name="RuledOut">Who could not, and why: they get no variable in the model.</param>
public sealed record PlanNeed(
    string Id, string Client, bool Required, long LeftOutPoints, int? Current, long MovePoints, ImmutableArray<PlanOption> Options, ImmutableArray<RuledOut> RuledOut)
{
    /// <summary>What an option brings, the price of a move taken off.</summary>
    public long PointsOf(PlanOption option) => option.Points - (Current is { } current && current != option.Cmo ? MovePoints : 0);

    /// <summary>What leaving it out brings: never more than 0.</summary>
    public long PointsLeftOut => -LeftOutPoints - (Current is null ? 0 : MovePoints);

    /// <summary>Null where this CMO is no option.</summary>
    public PlanOption? OptionOf(int cmo)
    {
        foreach (var option in Options)
        {
            if (option.Cmo == cmo)
            {
                return option;
            }
        }

        return null;
    }
}

/// <summary>One CMO for one need.</summary>
/// <param name="Points">How good that is: preferences, score, priority.</param>
/// <param name="Uses">What it takes of the CMO's <see cref="PlanCmo.Capacity"/>; rows that it does not touch are left out.</param>
public sealed record PlanOption(int Cmo, long Points, ImmutableArray<CapacityUse> Uses);

/// <param name="Row">The place in <see cref="PlanCmo.Capacity"/>.</param>
/// <param name="Amount">Above 0, in the row's unit.</param>
public readonly record struct CapacityUse(int Row, long Amount);

/// <summary>Why a CMO is no option for a need.</summary>
/// <param name="Message">A sentence.</param>
public sealed record RuledOut(int Cmo, PlanRule Rule, string Message);

/// <param name="Id">As answers name it.</param>
/// <param name="Clients">Maximum clients: on each stretch of days on which the number of clients may differ.</param>
public sealed record PlanCmo(string Id, ImmutableArray<CapacityRow> Capacity, ImmutableArray<ClientsRow> Clients);

/// <summary>Room that the needs of a CMO share: of a week, or of a run of its days.</summary>
/// <param name="When">As answers name it: "the week of 2026-03-02".</param>
/// <param name="Limit">≥ 0, in the unit of the uses.</param>
/// <param name="Scale">How many units a minute has; ≥ 1.</param>
public sealed record CapacityRow(string When, long Limit, long Scale);

/// <param name="When">As answers name it: "2026-03-02".</param>
/// <param name="Free">How many more clients the CMO takes, ≥ 0.</param>
/// <param name="Needs">Those that fall on these days and whose client the CMO does not have on them already.</param>
public sealed record ClientsRow(string When, int Free, ImmutableArray<int> Needs);

/// <param name="Why">As answers name it: "acme and apex are competitors".</param>
public sealed record RivalNeeds(int First, int Second, string Why);

/// <param name="Client">Whose.</param>
/// <param name="Limit">In the unit of the costs.</param>
/// <param name="Unit">As answers name it: "USD a month", with the digits after the point.</param>
/// <param name="Costs">By need and CMO; pairs that cost nothing are left out.</param>
public sealed record PlanBudget(string Client, long Limit, string Unit, int Digits, ImmutableArray<BudgetCost> Costs);

public readonly record struct BudgetCost(int Need, int Cmo, long Amount);

/// <summary>The rules that shape a plan.</summary>
public enum PlanRule
{
    /// <summary>The need must be placed.</summary>
    MustBePlaced,

    /// <summary>What a CMO's weeks hold.</summary>
    Capacity,

    /// <summary>How many client companies a CMO takes.</summary>
    MaxClients,

    /// <summary>One CMO does not serve two competitors.</summary>
    CompetitorFence,

    /// <summary>What a client pays at most.</summary>
    Budget,

    /// <summary>The need asks for others, or the CMO for other work: role, exclusion, smallest block, working pattern, leave.</summary>
    Preference,
}
