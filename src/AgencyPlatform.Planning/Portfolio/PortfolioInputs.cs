using System.Collections.Immutable;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Cmos;
using NodaTime;

namespace AgencyPlatform.Planning.Portfolio;

/// <summary>An agency's open needs and its CMOs as they stand: what a portfolio plan is made of. Nothing here is changed by planning.</summary>
/// <param name="Cmos">Under the agency's policy of now, in order of id.</param>
/// <param name="WhatIfs">What is to be otherwise than it stands, at most one a CMO.</param>
/// <param name="Industries">Of client companies that are booked already; those unknown are left out.</param>
/// <param name="Budgets">What clients pay at most for all their needs together, at most one a client and currency.</param>
/// <param name="MarkupPercent">A client is charged the CMO's cost and so much on top; 0–1,000.</param>
public sealed record PortfolioInputs(
    ImmutableArray<PortfolioNeed> Needs,
    ImmutableArray<FractionalCmo> Cmos,
    ImmutableArray<WhatIf> WhatIfs,
    ImmutableSortedDictionary<ClientCompanyId, string> Industries,
    ImmutableArray<ClientBudget> Budgets,
    int MarkupPercent)
{
    public const int MostMarkupPercent = 1_000;
}

/// <summary>An open need of a client: an intake that asks for a CMO, or a booking that may be moved.</summary>
/// <param name="Id">As answers name it; unique.</param>
/// <param name="Spec">What would be booked.</param>
/// <param name="Fence">Whom the client names as competitor, and who names it.</param>
/// <param name="Industry">Of the client; empty: unknown.</param>
/// <param name="FencesIndustry">Whether its CMO may serve no other client of the industry at the same time, cooling-off included.</param>
/// <param name="Required">A plan without it is none.</param>
/// <param name="Priority">1–100: placing it brings <see cref="PlacedPoints"/> points each.</param>
/// <param name="MonthlyBudget">What it may cost a month; null: no matter.</param>
/// <param name="Role">Only CMOs of this role; empty: any.</param>
/// <param name="Scores">By CMO, 0–<see cref="MostScore"/>: points for that CMO; of those who are not named <paramref name="OtherScore"/>.</param>
/// <param name="OtherScore">0–<see cref="MostScore"/>; null: only those who are named.</param>
/// <param name="Excluded">CMOs who are not wanted.</param>
/// <param name="Today">The booking by which a CMO has it today; null: nobody has it.</param>
/// <param name="MovePoints">What moving it away from there costs, 0–<see cref="MostMovePoints"/>.</param>
public sealed record PortfolioNeed(
    string Id, BookingSpec Spec, ClientFence Fence, string Industry, bool FencesIndustry, bool Required, int Priority, Money? MonthlyBudget, string Role,
    ImmutableSortedDictionary<CmoId, int> Scores, int? OtherScore, ImmutableSortedSet<CmoId> Excluded, StandingBooking? Today, int MovePoints)
{
    public const int PlacedPoints = 100;
    public const int MostPriority = 100;
    public const int MostScore = 1_000;
    public const int MostMovePoints = 100_000;
}

public sealed record StandingBooking(CmoId Cmo, BookingId Booking);

/// <summary>What is to be otherwise with a CMO; null leaves a part as it stands.</summary>
/// <param name="LeftOut">As if there were no such CMO for these needs; what they have stays theirs.</param>
/// <param name="Pattern">From a date on.</param>
/// <param name="LeavesOn">From this date on nothing is available.</param>
public sealed record WhatIf(CmoId Cmo, bool LeftOut, WorkingPattern? Pattern, int? MaxClients, LocalDate? LeavesOn);

/// <param name="Monthly">For all needs of the client that are planned together.</param>
public sealed record ClientBudget(ClientCompanyId Client, Money Monthly);
