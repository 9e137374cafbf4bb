using Orleans.Streams;

namespace AgencyPlatform.Contracts.Journal;

/// <summary>
/// The Orleans stream of each agency's events, for processes that are clients of the cluster (<c>Microsoft.Orleans.Client</c>). Every event is published once it is committed, best effort: a
/// subscriber may miss some, or see them late or twice. By <see cref="FeedEvent.Sequence"/>, which has no gap, it finds what it missed, and reads it with <c>ListEvents</c>.
/// </summary>
public static class FeedStream
{
    /// <summary>Name of the stream provider; silos and clients add memory streams under it.</summary>
    public const string Provider = "feed";

    private const string Namespace = "agency";

    /// <summary>An agency's stream.</summary>
    public static IAsyncStream<FeedEvents> Of(IStreamProvider provider, AgencyId agency) => provider.GetStream<FeedEvents>(StreamId.Create(Namespace, agency.Value));
}

/// <summary>Events of one agency in commit order, as they were committed together.</summary>
[GenerateSerializer, Immutable, Alias("feed.events")]
public sealed record FeedEvents([property: Id(0)] AgencyId Agency, [property: Id(1)] ImmutableArray<FeedEvent> Events);

/// <summary>One thing that happened. It holds no personal data.</summary>
/// <param name="Id">UUIDv7.</param>
/// <param name="Sequence">Its place in the agency's feed, contiguous from 1.</param>
/// <param name="Kind">Of the aggregate that it happened to: <c>cmo</c>.</param>
/// <param name="AggregateId">The aggregate's id within its kind.</param>
/// <param name="Version">The aggregate's number of this event, from 1.</param>
/// <param name="Type">What happened: <c>cmo.booking-held</c>.</param>
/// <param name="SchemaVersion">Of the payload.</param>
/// <param name="Payload">UTF-8 JSON.</param>
/// <param name="OccurredAt">By the agency's clock.</param>
/// <param name="RecordedAt">Never decreases along the feed.</param>
/// <param name="Actor">Who caused it.</param>
[GenerateSerializer, Immutable, Alias("feed.event")]
public sealed record FeedEvent(
    [property: Id(0)] Guid Id, [property: Id(1)] long Sequence, [property: Id(2)] string Kind, [property: Id(3)] string AggregateId, [property: Id(4)] long Version, [property: Id(5)] string Type,
    [property: Id(6)] int SchemaVersion, [property: Id(7)] byte[] Payload, [property: Id(8)] Instant OccurredAt, [property: Id(9)] Instant RecordedAt, [property: Id(10)] string Actor);
