using AgencyPlatform.Protocol.Events.V1;

namespace AgencyPlatform.Gateway.Events;

/// <summary>Events of a feed that follow each other without a gap, read once for all who watch it.</summary>
/// <param name="from">Sequence number that they follow.</param>
/// <param name="stored">None: nothing happened, and this is where the feed stands.</param>
internal sealed class FeedPage(Guid epoch, long from, IReadOnlyList<StoredEvent> stored)
{
    /// <summary>Bytes of events in a message, unless the first alone has more.</summary>
    private const int MessageBytes = 256 * 1024;

    /// <summary>Mapped when the first watch wants one; two that do at the same time map the same.</summary>
    private readonly Event?[] _events = new Event?[stored.Count];

    private IReadOnlyList<WatchResponse>? _all;

    /// <summary>Sequence number of the last.</summary>
    public long To { get; } = stored.Count > 0 ? stored[^1].Sequence : from;

    public bool IsHeartbeat => stored.Count == 0;

    /// <summary>
    /// What a watch that has seen the feed to a place is sent: whole events, in messages of bounded size, each with the cursor behind what it tells of. None where the filter leaves out all.
    /// </summary>
    public IReadOnlyList<WatchResponse> Messages(long after, FeedFilter? filter)
    {
        if (filter is null && after <= from)
        {
            return _all ??= Cut(stored.Select((_, i) => At(i)));
        }

        return Cut(stored.Index().Where(s => s.Item.Sequence > after && filter?.Passes(s.Item) != false).Select(s => At(s.Index)));
    }

    private Event At(int i) => _events[i] ??= EventWire.ToWire(epoch, stored[i]);

    private List<WatchResponse> Cut(IEnumerable<Event> events)
    {
        var messages = new List<WatchResponse>();
        var bytes = 0;
        foreach (var each in events)
        {
            bytes += each.CalculateSize();
            if (messages.Count == 0 || bytes > MessageBytes)
            {
                messages.Add(new WatchResponse());
                bytes = each.CalculateSize();
            }

            messages[^1].Events.Add(each);
            messages[^1].Cursor = each.Cursor;
        }

        if (messages.Count > 0)
        {
            // Behind what the filter left out, too.
            messages[^1].Cursor = new FeedCursor(epoch, To).ToString();
        }

        return messages;
    }
}
