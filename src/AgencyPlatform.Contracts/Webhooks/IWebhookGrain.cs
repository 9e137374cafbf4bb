using AgencyPlatform.Domain.Webhooks;

namespace AgencyPlatform.Contracts.Webhooks;

/// <summary>An endpoint that the agency's events are delivered to. Its grain key is <c>{agency}/{webhook}</c>. It reads the feed and calls the endpoint; of other grains only the agency's.</summary>
[Alias("IWebhookGrain")]
public interface IWebhookGrain : IAggregateGrain
{
    /// <summary>Events from now on are delivered. The answer has the secret, that of a repeat too.</summary>
    [Alias("Create")]
    Task<Reply<WebhookWithSecret>> Create(Call call, CreateWebhook command);

    [Alias("Update")]
    Task<Reply<Webhook>> Update(Call call, UpdateWebhook command);

    /// <summary>The answer has the new secret, that of a repeat too.</summary>
    [Alias("RotateSecret")]
    Task<Reply<WebhookWithSecret>> RotateSecret(Call call, RotateWebhookSecret command);

    [Alias("Delete")]
    Task<Reply<Webhook>> Delete(Call call);

    [Alias("Get")]
    Task<Reply<Webhook>> Get(Read read);

    /// <summary>Everything from a place in the feed on is delivered again.</summary>
    [Alias("Replay")]
    Task<Reply<Webhook>> Replay(Call call, long fromSequence);

    /// <summary>Sends one event of the feed now, once. NOT_FOUND when the feed has none of this number that a webhook may get.</summary>
    [Alias("Redeliver")]
    [ResponseTimeout("00:02:00")]
    Task<Reply<WebhookAttempt>> Redeliver(Call call, long sequence);

    /// <summary>Sends an event that nothing happened in now, once.</summary>
    [Alias("Ping")]
    [ResponseTimeout("00:02:00")]
    Task<Reply<WebhookAttempt>> Ping(Call call);
}

/// <param name="Secret">As the receiver needs it, with its prefix.</param>
[GenerateSerializer, Immutable, Alias("webhook.with-secret")]
public sealed record WebhookWithSecret(Webhook Webhook, string Secret);
