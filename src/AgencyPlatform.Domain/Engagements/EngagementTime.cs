namespace AgencyPlatform.Domain.Engagements;

/// <summary>What an engagement knows of worked time: its retainer meter and what approvals drew. Source: domain §4.</summary>
[GenerateSerializer, Immutable, Alias("engagement.time")]
public sealed record EngagementTime
{
    public static EngagementTime Initial { get; } = new();
}

/// <summary>An event of the meter or of a draw: folded by <see cref="Engagement"/>'s part on time.</summary>
public interface IEngagementTimeEvent : IEvent;
