namespace AgencyPlatform.Domain;

public static partial class Reasons
{
    /// <summary>An agency keeps at most 20 webhooks. Metadata: maximum. Delete one first, or let one take more kinds of events.</summary>
    public const string TooManyWebhooks = "TOO_MANY_WEBHOOKS";

    /// <summary>The platform has no key to make webhooks' secrets with, or not the one that made this secret. Ask its operator to set <c>Webhooks:SecretKeys</c>, or rotate the secret.</summary>
    public const string WebhooksUnavailable = "WEBHOOKS_UNAVAILABLE";
}
