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
            Payload = Struct.Parser.ParseJson(System.Text.Encoding.UTF8.GetString(e.Payload)),
            OccurTime = e.OccurredAt.ToWire(),
            RecordTime = stored.RecordedAt.ToWire(),
            Actor = e.Actor,
            RequestId = e.Request?.ToString() ?? "",
            Cause = e.Cause?.ToString() ?? "",
            Cursor = new FeedCursor(epoch, stored.Sequence).ToString(),
            Resource = ResourceOf(stored.Key),
        };
    }

    /// <summary>The resource name of an aggregate that is a resource of its own.</summary>
    private static string ResourceOf(AggregateKey key) => key.Kind switch
    {
        "agency" => ResourceNames.Of(key.Agency),
        "client" => ResourceNames.Of(key.Agency, "clientCompanies", key.Id),
        "cmo" => ResourceNames.Of(key.Agency, "cmos", key.Id),
        "capacity-request" => ResourceNames.Of(key.Agency, "capacityRequests", key.Id),
        "engagement" => ResourceNames.Of(key.Agency, "engagements", key.Id),
        "timesheet" when key.Id.Split('/') is [var cmo, var week] => ResourceNames.Of(key.Agency, "cmos", cmo, "timesheets", week.ToLowerInvariant()),
        _ => "",
    };
}
