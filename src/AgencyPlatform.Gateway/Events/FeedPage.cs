using AgencyPlatform.Protocol.Events.V1;

namespace AgencyPlatform.Gateway.Events;

/// <summary>Events of a feed that follow each other without a gap, or all that pass a filter, read once for all who follow it.</summary>
internal sealed class FeedPage
{
    /// <summary>Bytes of events in a message, unless the first alone has more.</summary>
    private const int MessageBytes = 256 * 1024;

    private readonly EventWire _wire;
    private readonly Guid _epoch;

    /// <summary>Mapped when the first watch wants one; two that do at the same time map the same.</summary>
    private readonly Event?[] _events;

    private IReadOnlyList<WatchResponse>? _all;

    private FeedPage(EventWire wire, Guid epoch, long from, long to, IReadOnlyList<StoredEvent> stored, bool isEnd) =>
        (_wire, _epoch, From, To, Stored, IsEnd, _events) = (wire, epoch, from, to, stored, isEnd, new Event?[stored.Count]);

    /// <summary>Sequence number that it follows.</summary>
    public long From { get; }

    /// <summary>Up to where the feed was looked at: the number of the last event, or, where a filter leaves out what comes behind it, of the feed's last.</summary>
    public long To { get; }

    public IReadOnlyList<StoredEvent> Stored { get; }

    /// <summary>Whether it reaches the feed's end as it was when it was read.</summary>
    public bool IsEnd { get; }

    /// <summary>Nothing happened, or nothing that passes the filter: it only says where the feed stands.</summary>
    public bool IsHeartbeat => Stored.Count == 0;

    public static FeedPage Heartbeat(EventWire wire, Guid epoch, long at) => new(wire, epoch, at, at, [], isEnd: true);

    /// <param name="head">Read before.</param>
    /// <param name="most">Events.</param>
    /// <param name="bytes">Of payloads, unless the first alone has more.</param>
    /// <exception cref="UnavailableException">The journal cannot be read.</exception>
    public static async Task<FeedPage> Read(
        IJournal journal, EventWire wire, AgencyId agency, FeedHead head, long after, FeedFilter? filter, int most, long bytes, CancellationToken cancellation)
    {
        var stored = await journal.ReadFeed(agency, after, most, filter, cancellation, bytes);
        var isEnd = stored.Count < most && stored.Sum(e => (long)e.Event.Payload.Length) < bytes;
        var last = stored.Count > 0 ? stored[^1].Sequence : after;
        return new FeedPage(wire, head.Epoch, after, isEnd && filter is not null ? Math.Max(last, head.Sequence) : last, stored, isEnd);
    }

    /// <summary>An event, as far as the caller sees it; null: not at all.</summary>
    /// <param name="sight">Null: all of it.</param>
    public Event? At(int i, Func<StoredEvent, Sight>? sight) => (sight?.Invoke(Stored[i]) ?? Sight.Whole) switch
    {
        Sight.Whole => Whole(i),
        Sight.Notice => EventWire.Notice(_epoch, Stored[i]),
        _ => null,
    };

    /// <summary>
    /// What a watch that has seen the feed to a place is sent: events in messages of bounded size, each with the cursor behind what it tells of. None where nothing passes.
    /// </summary>
    /// <param name="sight">What the caller sees of each; null: all of it.</param>
    public IReadOnlyList<WatchResponse> Messages(long after, FeedFilter? filter, Func<StoredEvent, Sight>? sight)
    {
        if (sight is null && filter is null && after <= From)
        {
            return _all ??= Cut(Stored.Select((_, i) => Whole(i)));
        }

        return Cut(Stored.Index().Where(s => s.Item.Sequence > after && filter?.Passes(s.Item) != false).Select(s => At(s.Index, sight)).OfType<Event>());
    }

    private Event Whole(int i) => _events[i] ??= _wire.ToWire(_epoch, Stored[i]);

    private List<WatchResponse> Cut(IEnumerable<Event> events)
    {
        var messages = new List<WatchResponse>();
        var bytes = 0;
        foreach (var each in events)
        {
            var size = each.CalculateSize();
            bytes += size;
            if (messages.Count == 0 || bytes > MessageBytes)
            {
                messages.Add(new WatchResponse());
                bytes = size;
            }

            messages[^1].Events.Add(each);
            messages[^1].Cursor = each.Cursor;
        }

        if (messages.Count > 0)
        {
            // Behind what was left out, too.
            messages[^1].Cursor = new FeedCursor(_epoch, To).ToString();
        }

        return messages;
    }
}
