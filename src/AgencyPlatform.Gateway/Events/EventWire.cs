using System.Collections.Concurrent;
using System.Text;
using AgencyPlatform.Protocol.Events.V1;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Logging;

namespace AgencyPlatform.Gateway.Events;

/// <summary>Events on the wire.</summary>
internal sealed partial class EventWire(ILogger<EventWire> log)
{
    /// <summary>Of how many unreadable events it is remembered that they were logged.</summary>
    private const int MostLogged = 1_000;

    private readonly ConcurrentDictionary<Guid, bool> _logged = [];

    /// <summary>The whole event. One whose payload cannot be read goes without, and is logged once: whoever follows the feed gets past it.</summary>
    public Event ToWire(Guid epoch, StoredEvent stored)
    {
        var wire = Notice(epoch, stored);
        wire.SchemaVersion = stored.Event.SchemaVersion;
        wire.Actor = stored.Event.Actor;
        wire.RequestId = stored.Event.Request?.ToString() ?? "";
        wire.Cause = stored.Event.Cause?.ToString() ?? "";
        try
        {
            wire.Payload = Struct.Parser.ParseJson(Encoding.UTF8.GetString(EventJson.Shown(stored.Event.Name, stored.Event.SchemaVersion, stored.Event.Payload)));
        }
        catch (Exception e)
        {
            if (_logged.Count < MostLogged && _logged.TryAdd(stored.Event.Id, true))
            {
                LogUnreadable(log, stored.Key, stored.Sequence, stored.Event.Name, e.Message);
            }
        }

        return wire;
    }

    /// <summary>That something has happened, and to what: without what was changed, by whom and why.</summary>
    public static Event Notice(Guid epoch, StoredEvent stored) => new()
    {
        Id = stored.Event.Id.ToString(),
        Sequence = stored.Sequence,
        Kind = stored.Key.Kind,
        AggregateId = stored.Key.Id,
        Version = stored.Version,
        Type = stored.Event.Name,
        OccurTime = stored.Event.OccurredAt.ToWire(),
        RecordTime = stored.RecordedAt.ToWire(),
        Cursor = new FeedCursor(epoch, stored.Sequence).ToString(),
        Resource = EventResources.Of(stored.Key),
    };

    [LoggerMessage(LogLevel.Error, "The payload of {Key}'s event {Sequence} ({Type}) cannot be read: {Error} Whoever follows the feed gets the event without it.")]
    private static partial void LogUnreadable(ILogger log, AggregateKey key, long sequence, string type, string error);
}
