using NodaTime;

namespace AgencyPlatform.Domain.Engagements;

/// <summary>The engagement's part on time: which dates accept it.</summary>
public sealed partial record Engagement
{
    /// <summary>Whether time worked on the date is accepted, also when logged later: from the start to the end, of an engagement that was activated.</summary>
    public bool AcceptsTimeOn(LocalDate date) =>
        State is EngagementState.Active or EngagementState.Paused or EngagementState.Transitioning or EngagementState.Ended && Service.Contains(date);
}
