using System.Collections.Immutable;
using AgencyPlatform.Domain.Engagements;

namespace AgencyPlatform.Domain.Performance;

/// <summary>Who leads marketing at the client today.</summary>
public enum MarketingLead
{
    /// <summary>Nobody, or the CEO beside everything else.</summary>
    Nobody,

    /// <summary>Somebody who is still to grow into it.</summary>
    Junior,

    /// <summary>A head of marketing.</summary>
    Experienced,
}

/// <summary>What a client is looking for.</summary>
/// <param name="HoursPerWeek">Of leadership that is needed.</param>
/// <param name="LimitedMonths">A gap of so many months is to be bridged; 0: it is not for a limited time.</param>
/// <param name="HasTeam">There are people, inside or outside, who carry plans out.</param>
/// <param name="NeedsStrategy">It is not clear what is to be done.</param>
/// <param name="NeedsLeadership">Somebody is to decide, lead people and answer for results.</param>
/// <param name="NeedsExecution">Somebody is to do the work: campaigns, content, pages.</param>
/// <param name="WantsToLearn">The client's own people are to learn to do it.</param>
public sealed record ServiceNeed(
    MarketingLead Lead, int HoursPerWeek, int LimitedMonths, bool HasTeam, bool NeedsStrategy, bool NeedsLeadership, bool NeedsExecution, bool WantsToLearn);

/// <summary>A rule that applies: what it adds or takes, and why.</summary>
/// <param name="Rule">Its stable name.</param>
public sealed record ServiceReason(string Rule, int Points, string Text);

/// <param name="Points">The sum of its reasons.</param>
public sealed record ServiceSuggestion(ServiceType Type, int Points, ImmutableArray<ServiceReason> Reasons);

/// <summary>
/// Which kind of service fits a need: every rule that applies adds its points, and says why. Points tell the order only; of two that are level the one that commits the client less comes first.
/// Source: docs/performance.md.
/// </summary>
public static class ServiceTypeGuide
{
    /// <summary>From so many hours a week on a post is a full-time one.</summary>
    public const int FullTimeHours = 30;

    // In the order in which they commit the client: of level ones the first is suggested.
    private static readonly ImmutableArray<ServiceType> s_types = [ServiceType.Coach, ServiceType.Consultant, ServiceType.AgencyExecution, ServiceType.FractionalCmo, ServiceType.InterimCmo];

    private static readonly ImmutableArray<(ServiceType Type, string Rule, int Points, Func<ServiceNeed, bool> Applies, string Text)> s_rules =
    [
        (ServiceType.FractionalCmo, "LEADS_PART_TIME", 4, n => n.NeedsLeadership && n.HoursPerWeek < FullTimeHours, "Leadership is needed, for less than 30 hours a week."),
        (ServiceType.FractionalCmo, "NOBODY_LEADS", 2, n => n.Lead == MarketingLead.Nobody && n.NeedsLeadership, "Nobody leads marketing today."),
        (ServiceType.FractionalCmo, "LASTS", 1, n => n.NeedsLeadership && n.LimitedMonths == 0, "It is not for a limited time only."),
        (ServiceType.FractionalCmo, "TEAM_TO_LEAD", 1, n => n.HasTeam && n.NeedsLeadership, "There is a team to lead."),
        (ServiceType.FractionalCmo, "FULL_TIME_POST", -3, n => n.HoursPerWeek >= FullTimeHours, "30 hours a week and more are a full-time post."),
        (ServiceType.InterimCmo, "LEADS_FULL_TIME", 4, n => n.NeedsLeadership && n.HoursPerWeek >= FullTimeHours, "Leadership is needed, for 30 hours a week or more."),
        (ServiceType.InterimCmo, "BRIDGES_A_GAP", 3, n => n.NeedsLeadership && n.LimitedMonths > 0, "A gap of a limited time is to be bridged."),
        (ServiceType.InterimCmo, "NOT_FULL_TIME", -3, n => n.HoursPerWeek < FullTimeHours, "It is less than a full-time post."),
        (ServiceType.Consultant, "SAYS_WHAT_TO_DO", 4, n => n.NeedsStrategy && !n.NeedsLeadership, "A strategy is needed, and nobody to answer for carrying it out."),
        (ServiceType.Consultant, "OTHERS_CARRY_OUT", 2, n => n.NeedsStrategy && n.HasTeam && n.Lead == MarketingLead.Experienced, "An experienced lead and a team can carry recommendations out."),
        (ServiceType.Consultant, "NOBODY_CARRIES_OUT", -2, n => !n.HasTeam && !n.NeedsExecution, "Nobody is there to carry recommendations out."),
        (ServiceType.Coach, "WANTS_TO_LEARN", 4, n => n.WantsToLearn, "The client's own people are to learn to do it."),
        (ServiceType.Coach, "SOMEBODY_GROWS", 2, n => n.Lead == MarketingLead.Junior && !n.NeedsLeadership, "Somebody is there to grow into the lead."),
        (ServiceType.Coach, "NOBODY_TO_COACH", -3, n => n.Lead == MarketingLead.Nobody && !n.HasTeam, "Nobody is there to be coached."),
        (ServiceType.Coach, "DOES_NOT_IMPLEMENT", -2, n => n.NeedsExecution, "A coach implements nothing."),
        (ServiceType.AgencyExecution, "DOES_THE_WORK", 4, n => n.NeedsExecution && !n.NeedsLeadership, "The work itself is to be done, and somebody else leads."),
        (ServiceType.AgencyExecution, "NO_TEAM", 2, n => n.NeedsExecution && !n.HasTeam, "There is no team to do the work."),
        (ServiceType.AgencyExecution, "NOBODY_STEERS", -2, n => n.Lead == MarketingLead.Nobody && n.NeedsStrategy, "Nobody says what the work should be."),
    ];

    /// <summary>All five, the best first.</summary>
    public static ImmutableArray<ServiceSuggestion> Suggest(ServiceNeed need) =>
    [
        .. s_types.Select(type => (ImmutableArray<ServiceReason>)[.. s_rules.Where(r => r.Type == type && r.Applies(need)).Select(r => new ServiceReason(r.Rule, r.Points, r.Text))])
            .Zip(s_types, (reasons, type) => new ServiceSuggestion(type, reasons.Sum(r => r.Points), reasons)).OrderByDescending(s => s.Points),
    ];
}
