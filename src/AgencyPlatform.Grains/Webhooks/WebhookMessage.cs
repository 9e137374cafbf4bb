using System.Globalization;
using System.Net.Mime;
using System.Text.Json;
using CloudNative.CloudEvents;
using CloudNative.CloudEvents.SystemTextJson;

namespace AgencyPlatform.Grains.Webhooks;

/// <summary>What is sent to an endpoint: an event as a CloudEvent 1.0 in JSON, in structured mode.</summary>
/// <param name="Id">The event's: the same however often it is sent.</param>
internal sealed record WebhookMessage(string Id, string ContentType, ReadOnlyMemory<byte> Body)
{
    private const string PingType = "webhook.ping";

    private static readonly JsonEventFormatter s_format = new();
    private static readonly CloudEventAttribute s_sequence = CloudEventAttribute.CreateExtension("sequence", CloudEventAttributeType.String);
    private static readonly CloudEventAttribute s_kind = CloudEventAttribute.CreateExtension("kind", CloudEventAttributeType.String);
    private static readonly CloudEventAttribute s_aggregateId = CloudEventAttribute.CreateExtension("aggregateid", CloudEventAttributeType.String);
    private static readonly CloudEventAttribute s_actor = CloudEventAttribute.CreateExtension("actor", CloudEventAttributeType.String);
    private static readonly CloudEventAttribute[] s_extensions = [s_sequence, s_kind, s_aggregateId, s_actor];

    public static WebhookMessage Of(StoredEvent stored)
    {
        var e = stored.Event;
        using var payload = JsonDocument.Parse(EventJson.Shown(e.Name, e.SchemaVersion, e.Payload));
        var resource = EventResources.Of(stored.Key);
        var cloud = New(e.Id, e.Name, stored.Key.Agency, resource.Length > 0 ? resource : $"{stored.Key.Kind}/{stored.Key.Id}", e.OccurredAt, payload.RootElement);
        cloud.DataSchema = new Uri($"urn:agencyplatform:{e.Name}:{e.SchemaVersion.ToString(CultureInfo.InvariantCulture)}");

        // As the extension of this name has it: in the order of texts, too.
        cloud[s_sequence] = stored.Sequence.ToString("d19", CultureInfo.InvariantCulture);
        cloud[s_kind] = stored.Key.Kind;
        cloud[s_aggregateId] = stored.Key.Id;
        cloud[s_actor] = e.Actor;
        return Encode(cloud);
    }

    /// <summary>Nothing happened: it shows that the endpoint is reached and takes the signature.</summary>
    public static WebhookMessage Ping(AggregateKey webhook, Guid id, Instant now) => Encode(New(id, PingType, webhook.Agency, EventResources.Of(webhook), now, JsonSerializer.SerializeToElement(new { })));

    private static CloudEvent New(Guid id, string type, AgencyId agency, string subject, Instant time, JsonElement data) => new(CloudEventsSpecVersion.V1_0, s_extensions)
    {
        Id = id.ToString(),
        Type = type,
        Source = new Uri($"agencies/{agency}", UriKind.Relative),
        Subject = subject,
        Time = time.ToDateTimeOffset(),
        DataContentType = MediaTypeNames.Application.Json,
        Data = data,
    };

    private static WebhookMessage Encode(CloudEvent cloud)
    {
        var body = s_format.EncodeStructuredModeMessage(cloud, out var contentType);
        return new WebhookMessage(cloud.Id!, contentType.ToString(), body);
    }
}
