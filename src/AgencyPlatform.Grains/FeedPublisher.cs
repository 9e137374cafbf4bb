using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Streams;

namespace AgencyPlatform.Grains;

/// <summary>
/// Publishes to each agency's stream what this silo has committed, beside the calls and not in their way: whatever happens to a stream, no call waits for it or fails.
/// </summary>
internal sealed partial class FeedPublisher(FeedSignal signal, IClusterClient cluster, ILogger<FeedPublisher> log) : BackgroundService
{
    /// <summary>Commits that wait to be published; while there are so many, further ones are not published.</summary>
    private const int MostWaiting = 1_000;

    /// <summary>Agencies to whose streams is published at the same time.</summary>
    private const int AtOnce = 32;

    private readonly Channel<IReadOnlyList<StoredEvent>> _waiting = Channel.CreateBounded<IReadOnlyList<StoredEvent>>(new BoundedChannelOptions(MostWaiting) { SingleReader = true, FullMode = BoundedChannelFullMode.DropWrite });

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        signal.Committed += Take;
        try
        {
            var streams = cluster.GetStreamProvider(FeedStream.Provider);
            while (await _waiting.Reader.WaitToReadAsync(stoppingToken))
            {
                // What was committed while the last was published goes together, agency by agency.
                var events = new List<StoredEvent>();
                while (_waiting.Reader.TryRead(out var commit))
                {
                    events.AddRange(commit);
                }

                await Parallel.ForEachAsync(
                    events.GroupBy(e => e.Key.Agency), new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = stoppingToken }, (agency, _) => Publish(streams, agency.Key, agency));
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The silo ends.
        }
        finally
        {
            signal.Committed -= Take;
        }
    }

    private async ValueTask Publish(IStreamProvider streams, AgencyId agency, IEnumerable<StoredEvent> events)
    {
        try
        {
            await FeedStream.Of(streams, agency).OnNextAsync(new FeedEvents(agency, [.. events.Select(Wire)]));
        }
        catch (Exception e)
        {
            LogUnpublished(log, agency, e.Message);
        }
    }

    private void Take(IReadOnlyList<StoredEvent> events) => _waiting.Writer.TryWrite(events);

    private static FeedEvent Wire(StoredEvent stored) => new(
        stored.Event.Id, stored.Sequence, stored.Key.Kind, stored.Key.Id, stored.Version, stored.Event.Name, stored.Event.SchemaVersion,
        EventJson.Shown(stored.Event.Name, stored.Event.SchemaVersion, stored.Event.Payload), stored.Event.OccurredAt, stored.RecordedAt, stored.Event.Actor);

    [LoggerMessage(LogLevel.Debug, "Events of {Agency} were not published to its stream: {Error} Whoever follows finds them in the feed.")]
    private static partial void LogUnpublished(ILogger log, AgencyId agency, string error);
}
