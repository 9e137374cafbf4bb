using System.Globalization;
using AgencyPlatform.Protocol.Events.V1;
using Microsoft.Extensions.Hosting;
using V1 = AgencyPlatform.Protocol.Events.V1;

namespace AgencyPlatform.Gateway.Events;

/// <summary>What happened in an agency, read from the journal: its history, and what comes.</summary>
internal sealed class EventsService(Calls calls, Authenticator authenticator, IJournal journal, FeedTurns turns, FeedTails tails, IHostApplicationLifetime host) : V1.EventsService.EventsServiceBase
{
    /// <summary>Bytes of events in a page, unless the first alone has more: a caller that asks for many pages and reads none keeps them all in memory.</summary>
    private const int PageBytes = 256 * 1024;

    public override async Task<ListEventsResponse> ListEvents(ListEventsRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var limit = fields.Number("page_size", request.PageSize, 0, Page.MaxSize);
        limit = limit == 0 ? Page.DefaultSize : limit;
        var (after, filter) = (After(fields, request.After), Filter(fields, request.Kind, request.AggregateId, request.Type));
        await calls.Read(context, request, fields, agency);

        using var turn = await turns.Take(agency, context.CancellationToken);
        var head = await journal.ReadHead(agency, context.CancellationToken);
        EnsureInRange(after, head);
        var from = after?.Sequence ?? 0;
        var events = await journal.ReadFeed(agency, from, limit, filter, context.CancellationToken);
        var response = new ListEventsResponse();
        var bytes = 0;
        foreach (var each in events.Select(stored => EventWire.ToWire(head.Epoch, stored)))
        {
            bytes += each.CalculateSize();
            if (bytes > PageBytes && response.Events.Count > 0)
            {
                break;
            }

            response.Events.Add(each);
        }

        // At the end of a filtered feed the cursor passes over what the filter left out, as far as the head that was read before.
        response.EndOfFeed = events.Count < limit && response.Events.Count == events.Count;
        var last = response.Events.Count > 0 ? response.Events[^1].Sequence : from;
        response.NextCursor = new FeedCursor(head.Epoch, response.EndOfFeed ? Math.Max(last, head.Sequence) : last).ToString();
        return response;
    }

    public override async Task Watch(WatchRequest request, IServerStreamWriter<WatchResponse> responseStream, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var (after, filter) = (After(fields, request.After), Filter(fields, request.Kind, request.AggregateId, request.Type));
        await calls.Read(context, request, fields, agency);
        var head = await journal.ReadHead(agency, context.CancellationToken);
        EnsureInRange(after, head);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, host.ApplicationStopping);
        var seen = after?.Sequence ?? head.Sequence;
        await responseStream.WriteAsync(Heartbeat(), context.CancellationToken);
        try
        {
            await foreach (var page in tails.Follow(agency, head, seen, ends.Token))
            {
                // A key that was revoked since sees nothing more.
                await authenticator.Authenticate(context.RequestHeaders);
                foreach (var message in page.Messages(seen, filter))
                {
                    await responseStream.WriteAsync(message, ends.Token);
                }

                seen = Math.Max(seen, page.To);
                if (page.IsHeartbeat)
                {
                    await responseStream.WriteAsync(Heartbeat(), ends.Token);
                }
            }
        }
        catch (OperationCanceledException) when (host.ApplicationStopping.IsCancellationRequested && !context.CancellationToken.IsCancellationRequested)
        {
            throw new UnavailableException("The server is stopping. Watch again after the last cursor.");
        }

        WatchResponse Heartbeat() => new() { Cursor = new FeedCursor(head.Epoch, seen).ToString() };
    }

    private static FeedCursor? After(Fields fields, string text)
    {
        var after = FeedCursor.Parse(text);
        fields.Require(after is not null || text.Length == 0, "after", "must be a cursor as an event or an answer gave it");
        return after;
    }

    /// <summary>Null: everything.</summary>
    private static FeedFilter? Filter(Fields fields, string ofKind, string ofAggregate, string ofType)
    {
        var kind = fields.Text("kind", ofKind, 64, required: false);
        var id = fields.Text("aggregate_id", ofAggregate, 256, required: false);
        fields.Require(id.Length == 0 || kind.Length > 0, "kind", "is required with aggregate_id");
        var type = fields.Text("type", ofType, 128, required: false);
        return kind.Length + type.Length == 0 ? null : new FeedFilter(Null(kind), Null(id), Null(type));
    }

    private static void EnsureInRange(FeedCursor? after, FeedHead head)
    {
        if (after is { } cursor && (cursor.Epoch != head.Epoch || cursor.Sequence > head.Sequence))
        {
            throw Errors.OutOfRange(
                cursor.Epoch != head.Epoch
                    ? "The cursor is of another epoch of the feed, which was restored since: start again from the beginning."
                    : $"The cursor is ahead of the feed, which ends at {head.Sequence}: start again from the beginning.",
                ("epoch", head.Epoch.ToString("n")), ("sequence", head.Sequence.ToString(CultureInfo.InvariantCulture)));
        }
    }

    private static string? Null(string text) => text.Length == 0 ? null : text;
}
