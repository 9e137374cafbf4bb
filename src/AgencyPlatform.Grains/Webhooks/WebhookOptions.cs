using System.Collections.Immutable;
using AgencyPlatform.Domain.Webhooks;

namespace AgencyPlatform.Grains.Webhooks;

/// <summary>The settings of webhooks, section <c>Webhooks</c>.</summary>
public sealed record WebhookOptions
{
    /// <summary>The key of secrets in Development, when none is set. Refused everywhere else.</summary>
    public static readonly string DevelopmentKey = new('d', 64);

    /// <summary>What secrets are made with, 64 hexadecimal digits each: the first makes new ones, all of them sign. None: there are no webhooks.</summary>
    public ImmutableArray<string> SecretKeys { get; init; } = [];

    /// <summary>Whether endpoints may be of this machine and of private networks, and without TLS.</summary>
    public bool AllowPrivateAddresses { get; init; }

    /// <summary>For how long an endpoint may take to answer, seconds.</summary>
    public int TimeoutSeconds { get; init; } = 10;

    /// <summary>Requests to endpoints of all agencies at the same time in this process.</summary>
    public int ConcurrentDeliveries { get; init; } = 64;

    /// <summary>Requests to endpoints of one agency at the same time in this process.</summary>
    public int ConcurrentDeliveriesPerAgency { get; init; } = 8;

    /// <summary>How often an event is tried before it is given up.</summary>
    public int Attempts { get; init; } = 10;

    /// <summary>Seconds before the second attempt; see <see cref="WebhookRetries"/>.</summary>
    public int FirstRetrySeconds { get; init; } = 5;

    /// <summary>After so many hours without a success an endpoint is disabled.</summary>
    public int DisableAfterHours { get; init; } = 72;

    internal WebhookRetries Retries => new(Duration.FromSeconds(FirstRetrySeconds), Attempts, Duration.FromHours(DisableAfterHours));
}
