using System.Globalization;
using AgencyPlatform.Protocol.Events.V1;
using Microsoft.Extensions.Hosting;
using V1 = AgencyPlatform.Protocol.Events.V1;

namespace AgencyPlatform.Gateway.Events;

/// <summary>What happened in an agency, read from the journal: its history, and what comes.</summary>
internal sealed class EventsService(Calls calls, Authenticator authenticator, IJournal journal, EventWire wire, FeedSight sight, FeedTurns turns, FeedTails tails, IHostApplicationLifetime host)
    : V1.EventsService.EventsServiceBase
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
        var newest = fields.Number("newest", request.Newest, 0, Page.MaxSize);
        fields.Require(newest == 0 || request.After.Length == 0, "newest", "goes without after");
        var read = await calls.Read(context, request, fields, agency);
        var caller = Calls.Caller(context);

        using var turn = await turns.Take(agency, context.CancellationToken);
        var head = await journal.ReadHead(agency, context.CancellationToken);
        EnsureInRange(after, head);
        var page = await FeedPage.Read(journal, wire, agency, head, newest > 0 ? Math.Max(0, head.Sequence - newest) : after?.Sequence ?? 0, filter, limit, PageBytes, context.CancellationToken);
        var seen = await sight.Of(caller, read, page.Stored, context.CancellationToken);
        var response = new ListEventsResponse { EndOfFeed = page.IsEnd };
        var (bytes, last) = (0, page.To);
        for (var i = 0; i < page.Stored.Count; i++)
        {
            if (page.At(i, seen) is not { } each)
            {
                continue;
            }

            bytes += each.CalculateSize();
            if (bytes > PageBytes && response.Events.Count > 0)
            {
                (response.EndOfFeed, last) = (false, response.Events[^1].Sequence);
                break;
            }

            response.Events.Add(each);
        }

        // It passes over what was left out.
        response.NextCursor = new FeedCursor(head.Epoch, last).ToString();
        return response;
    }

    public override async Task Watch(WatchRequest request, IServerStreamWriter<WatchResponse> responseStream, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var (after, filter) = (After(fields, request.After), Filter(fields, request.Kind, request.AggregateId, request.Type));
        var read = await calls.Read(context, request, fields, agency);
        var head = await journal.ReadHead(agency, context.CancellationToken);
        EnsureInRange(after, head);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, host.ApplicationStopping);
        var seen = after?.Sequence ?? head.Sequence;
        await responseStream.WriteAsync(Heartbeat(), context.CancellationToken);
        try
        {
            await foreach (var page in tails.Follow(agency, head, seen, filter, ends.Token))
            {
                // A key that was revoked since sees nothing more.
                var caller = await authenticator.Authenticate(context.RequestHeaders);
                foreach (var message in page.Messages(seen, filter, await sight.Of(caller, read, page.Stored, ends.Token)))
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
