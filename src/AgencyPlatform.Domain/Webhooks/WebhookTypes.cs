using System.Collections.Immutable;
using NodaTime;

namespace AgencyPlatform.Domain.Webhooks;

/// <summary>Where events go, and which.</summary>
/// <param name="Url">Absolute; what it may be is the silo's to judge.</param>
/// <param name="DisplayName">What it is for; no personal data.</param>
/// <param name="Kinds">Of aggregates whose events are delivered.</param>
/// <param name="Types">Events that are delivered besides. No kinds and no types: everything.</param>
[GenerateSerializer, Immutable, Alias("webhook.endpoint")]
public sealed record WebhookEndpoint(string Url, string DisplayName, ImmutableArray<string> Kinds, ImmutableArray<string> Types)
{
    public bool SameAs(WebhookEndpoint other) => Url == other.Url && DisplayName == other.DisplayName && Kinds.SequenceEqual(other.Kinds) && Types.SequenceEqual(other.Types);
}

/// <summary>What a secret is made of, together with the platform's key, which no journal has.</summary>
/// <param name="Salt">Random, 64 hexadecimal digits.</param>
/// <param name="KeyId">Which of the platform's keys.</param>
/// <param name="SignsUntil">Until when it signs beside its successor, by the system's clock; null: it has none.</param>
[GenerateSerializer, Immutable, Alias("webhook.secret")]
public sealed record WebhookSecret([property: Hidden] string Salt, string KeyId, Instant? SignsUntil = null);

public enum WebhookState
{
    /// <summary>Events are delivered.</summary>
    Enabled,

    /// <summary>Its owner has disabled it; what happens meanwhile is delivered once it is enabled again.</summary>
    Disabled,

    /// <summary>As disabled: nothing came through to it for too long.</summary>
    FailedTooLong,

    /// <summary>As disabled: it answered 410, that it is gone for good.</summary>
    Gone,

    /// <summary>Not there any more.</summary>
    Deleted,
}

/// <summary>What came of one request to an endpoint.</summary>
/// <param name="MessageId">The header webhook-id.</param>
/// <param name="At">By the system's clock.</param>
/// <param name="Status">HTTP status; 0: there was no answer.</param>
/// <param name="Error">Why it was not taken; empty: it was.</param>
/// <param name="Milliseconds">How long it took.</param>
[GenerateSerializer, Immutable, Alias("webhook.attempt")]
public sealed record WebhookAttempt(string MessageId, Instant At, int Status, string Error, int Milliseconds)
{
    public bool Taken => Error.Length == 0;
}

/// <summary>The event that is tried again.</summary>
/// <param name="Attempts">So many failed.</param>
/// <param name="RetryAt">When it is tried again, by the system's clock.</param>
[GenerateSerializer, Immutable, Alias("webhook.retrying")]
public sealed record RetriedDelivery(long Sequence, string EventType, int Attempts, Instant RetryAt, WebhookAttempt Last);

/// <summary>An event that was given up (dead-lettered).</summary>
[GenerateSerializer, Immutable, Alias("webhook.failed-delivery")]
public sealed record FailedDelivery(long Sequence, string EventType, int Attempts, WebhookAttempt Last);

/// <summary>How often an event is tried, and how long an endpoint may fail.</summary>
/// <param name="FirstDelay">Before the second attempt; four times as long before each further one, an hour at most.</param>
/// <param name="MostAttempts">After so many the event is given up.</param>
/// <param name="DisableAfter">An endpoint to which nothing came through for so long is disabled.</param>
[GenerateSerializer, Immutable, Alias("webhook.retries")]
public sealed record WebhookRetries(Duration FirstDelay, int MostAttempts, Duration DisableAfter)
{
    /// <summary>Between two attempts.</summary>
    public static readonly Duration LongestDelay = Duration.FromHours(1);

    /// <summary>What an endpoint may ask for with Retry-After.</summary>
    public static readonly Duration LongestAskedDelay = Duration.FromDays(1);

    /// <summary>How long to wait after so many failed attempts: up to a quarter less or more than the schedule says, so that endpoints which failed together do not come together again.</summary>
    /// <param name="jitter">0 to 1,000.</param>
    /// <param name="asked">By the endpoint: it is not asked sooner.</param>
    public Duration After(int attempts, int jitter, Duration? asked)
    {
        var delay = FirstDelay;
        for (var i = 1; i < attempts && delay < LongestDelay; i++)
        {
            delay *= 4;
        }

        delay = Duration.Min(delay, LongestDelay) * (750L + jitter / 2) / 1_000L;
        return asked is { } least ? Duration.Max(delay, Duration.Min(least, LongestAskedDelay)) : delay;
    }
}

// ---- commands ----

[GenerateSerializer, Immutable, Alias("webhook.create")]
public sealed record CreateWebhook(WebhookId Id, WebhookEndpoint Endpoint);

/// <summary>Null leaves a part as it is.</summary>
[GenerateSerializer, Immutable, Alias("webhook.update")]
public sealed record UpdateWebhook(string? Url, string? DisplayName, ImmutableArray<string>? Kinds, ImmutableArray<string>? Types, bool? Disabled);

/// <param name="Overlap">For how long the secret of until now signs too.</param>
[GenerateSerializer, Immutable, Alias("webhook.rotate-secret")]
public sealed record RotateWebhookSecret(Duration Overlap);

/// <summary>A request to the endpoint that failed.</summary>
/// <param name="Jitter">0 to 1,000.</param>
/// <param name="RetryAfter">What the endpoint asked for.</param>
/// <param name="Replays">Of the state that it was sent by: after a replay it counts for nothing.</param>
[GenerateSerializer, Immutable, Alias("webhook.fail")]
public sealed record FailDelivery(long Sequence, string EventType, WebhookAttempt Attempt, int Jitter, Duration? RetryAfter, int Replays, WebhookRetries Retries);

// ---- events ----

/// <param name="Position">Sequence number of the last event that it does not get.</param>
/// <param name="At">By the system's clock, as in all of its events.</param>
[Event("webhook.created"), GenerateSerializer, Immutable, Alias("webhook.created")]
public sealed record WebhookCreated(WebhookId Id, WebhookEndpoint Endpoint, WebhookSecret Secret, long Position, Instant At) : IEvent;

[Event("webhook.updated"), GenerateSerializer, Immutable, Alias("webhook.updated")]
public sealed record WebhookUpdated(WebhookEndpoint Endpoint) : IEvent;

[Event("webhook.enabled"), GenerateSerializer, Immutable, Alias("webhook.enabled")]
public sealed record WebhookEnabled(Instant At) : IEvent;

/// <param name="Because">One of the states in which nothing is delivered.</param>
/// <param name="Last">The request that was the last straw; null: its owner did it.</param>
[Event("webhook.disabled"), GenerateSerializer, Immutable, Alias("webhook.disabled")]
public sealed record WebhookDisabled(WebhookState Because, WebhookAttempt? Last) : IEvent;

/// <param name="PreviousSignsUntil">Until when the secret of until now signs too.</param>
[Event("webhook.secret-rotated"), GenerateSerializer, Immutable, Alias("webhook.secret-rotated")]
public sealed record WebhookSecretRotated(WebhookSecret Secret, Instant PreviousSignsUntil) : IEvent;

/// <summary>Everything up to a place was delivered, given up or filtered out. Recorded now and then, not with each delivery.</summary>
/// <param name="Taken">How many events were delivered since the last such event.</param>
[Event("webhook.progressed"), GenerateSerializer, Immutable, Alias("webhook.progressed")]
public sealed record WebhookProgressed(long Position, int Taken) : IEvent;

[Event("webhook.attempt-failed"), GenerateSerializer, Immutable, Alias("webhook.attempt-failed")]
public sealed record WebhookAttemptFailed(RetriedDelivery Delivery) : IEvent;

[Event("webhook.delivery-given-up"), GenerateSerializer, Immutable, Alias("webhook.delivery-given-up")]
public sealed record WebhookDeliveryGivenUp(FailedDelivery Delivery) : IEvent;

/// <summary>One event was sent by hand.</summary>
[Event("webhook.event-redelivered"), GenerateSerializer, Immutable, Alias("webhook.event-redelivered")]
public sealed record WebhookEventRedelivered(long Sequence, WebhookAttempt Attempt) : IEvent;

/// <summary>Everything from a place on is to be delivered again.</summary>
[Event("webhook.replayed"), GenerateSerializer, Immutable, Alias("webhook.replayed")]
public sealed record WebhookReplayed(long FromSequence) : IEvent;

[Event("webhook.pinged"), GenerateSerializer, Immutable, Alias("webhook.pinged")]
public sealed record WebhookPinged(WebhookAttempt Attempt) : IEvent;

[Event("webhook.deleted"), GenerateSerializer, Immutable, Alias("webhook.deleted")]
public sealed record WebhookDeleted : IEvent;

// ---- read models ----

[RowTable("webhooks", nameof(Id))]
public sealed record WebhookRow(WebhookId Id) : IRow;
