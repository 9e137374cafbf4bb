using System.Globalization;
using AgencyPlatform.Protocol.Events.V1;
using Google.Protobuf.WellKnownTypes;
using V1 = AgencyPlatform.Protocol.Events.V1;

namespace AgencyPlatform.Gateway.Events;

/// <summary>The history of an agency, read from the journal.</summary>
internal sealed class EventsService(Calls calls, IJournal journal, FeedTurns turns) : V1.EventsService.EventsServiceBase
{
    /// <summary>Bytes of events in a page, unless the first alone has more: a caller that asks for many pages and reads none keeps them all in memory.</summary>
    private const int PageBytes = 256 * 1024;

    public override async Task<ListEventsResponse> ListEvents(ListEventsRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var limit = fields.Number("page_size", request.PageSize, 0, Page.MaxSize);
        limit = limit == 0 ? Page.DefaultSize : limit;
        var after = Cursor.Parse(request.After);
        fields.Require(after is not null || request.After.Length == 0, "after", "must be a cursor as an event or an answer gave it");
        var kind = fields.Text("kind", request.Kind, 64, required: false);
        var id = fields.Text("aggregate_id", request.AggregateId, 256, required: false);
        fields.Require(id.Length == 0 || kind.Length > 0, "kind", "is required with aggregate_id");
        var type = fields.Text("type", request.Type, 128, required: false);
        await calls.Read(context, request, fields, agency);

        using var turn = await turns.Take(agency, context.CancellationToken);
        var head = await journal.ReadHead(agency, context.CancellationToken);
        if (after is { } cursor && (cursor.Epoch != head.Epoch || cursor.Sequence > head.Sequence))
        {
            throw Errors.OutOfRange(
                cursor.Epoch != head.Epoch
                    ? "The cursor is of another epoch of the feed, which was restored since: start again from the beginning."
                    : $"The cursor is ahead of the feed, which ends at {head.Sequence}: start again from the beginning.",
                ("epoch", head.Epoch.ToString("n")), ("sequence", head.Sequence.ToString(CultureInfo.InvariantCulture)));
        }

        var filter = kind.Length + type.Length == 0 ? null : new FeedFilter(Null(kind), Null(id), Null(type));
        var from = after?.Sequence ?? 0;
        var events = await journal.ReadFeed(agency, from, limit, filter, context.CancellationToken);
        var response = new ListEventsResponse();
        var bytes = 0;
        foreach (var each in events.Select(stored => ToWire(head.Epoch, stored)))
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
        response.NextCursor = new Cursor(head.Epoch, response.EndOfFeed ? Math.Max(last, head.Sequence) : last).ToString();
        return response;
    }

    private static Event ToWire(Guid epoch, StoredEvent stored)
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
            Cursor = new Cursor(epoch, stored.Sequence).ToString(),
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

    private static string? Null(string text) => text.Length == 0 ? null : text;

    /// <summary>A place in a feed's history: (epoch, sequence). Opaque to callers.</summary>
    private readonly record struct Cursor(Guid Epoch, long Sequence)
    {
        public static Cursor? Parse(string text) =>
            text.Length > 33 && text[32] == '.' && Guid.TryParseExact(text[..32], "n", out var epoch)
            && long.TryParse(text.AsSpan(33), NumberStyles.None, CultureInfo.InvariantCulture, out var sequence)
                ? new Cursor(epoch, sequence)
                : null;

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Epoch:n}.{Sequence}");
    }
}
