using AgencyPlatform.Protocol.Events.V1;
using Google.Protobuf.WellKnownTypes;

namespace AgencyPlatform.Gateway.Events;

/// <summary>Events on the wire.</summary>
internal static class EventWire
{
    public static Event ToWire(Guid epoch, StoredEvent stored)
    {
        var e = stored.Event;
        return new Event
        {
            Id = e.Id.ToString(),
            Sequence = stored.Sequence,
            Kind = stored.Key.Kind,
            AggregateId = stored.Key.Id,
            Version = stored.Version,
            Type = e.Name,
            SchemaVersion = e.SchemaVersion,
            Payload = Struct.Parser.ParseJson(System.Text.Encoding.UTF8.GetString(EventJson.Shown(e.Name, e.SchemaVersion, e.Payload))),
            OccurTime = e.OccurredAt.ToWire(),
            RecordTime = stored.RecordedAt.ToWire(),
            Actor = e.Actor,
            RequestId = e.Request?.ToString() ?? "",
            Cause = e.Cause?.ToString() ?? "",
            Cursor = new FeedCursor(epoch, stored.Sequence).ToString(),
            Resource = EventResources.Of(stored.Key),
        };
    }
}
