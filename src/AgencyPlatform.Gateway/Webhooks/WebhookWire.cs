using AgencyPlatform.Domain.Webhooks;
using FailedDelivery = AgencyPlatform.Domain.Webhooks.FailedDelivery;
using V1 = AgencyPlatform.Protocol.Webhooks.V1;
using Webhook = AgencyPlatform.Domain.Webhooks.Webhook;

namespace AgencyPlatform.Gateway.Webhooks;

/// <summary>Webhooks on the wire.</summary>
internal static class WebhookWire
{
    public static V1.Webhook ToWire(AgencyId agency, Webhook webhook, Meta meta, string secret = "") => new()
    {
        Name = ResourceNames.Of(agency, WebhooksService.Collection, webhook.Id.Value),
        Uid = meta.Uid.ToString(),
        Etag = Etags.Of(meta),
        Version = meta.Version,
        CreateTime = meta.CreatedAt.ToWire(),
        UpdateTime = meta.UpdatedAt.ToWire(),
        DisplayName = webhook.Endpoint.DisplayName,
        Url = webhook.Endpoint.Url,
        Kinds = { webhook.Endpoint.Kinds },
        EventTypes = { webhook.Endpoint.Types },
        Disabled = !webhook.Delivers,
        DisabledReason = webhook.State switch
        {
            WebhookState.Disabled => V1.DisabledReason.ByCaller,
            WebhookState.FailedTooLong => V1.DisabledReason.FailedTooLong,
            WebhookState.Gone => V1.DisabledReason.Gone,
            _ => V1.DisabledReason.Unspecified,
        },
        Position = webhook.Position,
        FailingSince = webhook.FailingSince.ToWire(),
        Retried = webhook.Retried is { } retried ? ToWire(new FailedDelivery(retried.Sequence, retried.EventType, retried.Attempts, retried.Last)) : null,
        RetryTime = (webhook.Retried?.RetryAt).ToWire(),
        FailedDeliveries = webhook.Failed.Count,
        PreviousSecretUntil = webhook.Secrets.Length > 1 ? webhook.Secrets[1].SignsUntil.ToWire() : null,
        Secret = secret,
    };

    public static V1.FailedDelivery ToWire(FailedDelivery failed) => new()
    {
        Sequence = failed.Sequence,
        Type = failed.EventType,
        Attempts = failed.Attempts,
        LastAttempt = ToWire(failed.Last),
    };

    public static V1.DeliveryAttempt ToWire(WebhookAttempt attempt) => new()
    {
        MessageId = attempt.MessageId,
        SendTime = attempt.At.ToWire(),
        Taken = attempt.Taken,
        HttpStatus = attempt.Status,
        Error = attempt.Error,
        DurationMillis = attempt.Milliseconds,
    };
}
