using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Domain;

namespace AgencyPlatform.Storage.Tests.Shards;

/// <summary>
/// A journal over several databases: one writer a database, chosen by the map. What an agency's fence refuses is <see cref="AppendResult.Unavailable"/>, as
/// any other storage that is out of reach: the grain drops what is pending, reloads, and the caller repeats under its request id.
/// </summary>
internal sealed class RoutedJournal(AgencyMap map, IReadOnlyDictionary<string, Place> places) : IJournal
{
    public async ValueTask<AppendResult> Append(AppendItem item)
    {
        try
        {
            return await Read(item.Key.Agency, place => Append(place, item), sure: result => result is AppendResult.Appended);
        }
        catch (UnavailableException e)
        {
            return new AppendResult.Unavailable(e.Message);
        }
    }

    public async ValueTask<FenceRead> ReadFence(AggregateKey key, Guid? request) => await Read(key.Agency, place => place.Journal.ReadFence(key, request).AsTask());

    /// <summary>Read to its end it is whole: a stream of the old place, which may be empty by now, ends in an exception.</summary>
    public async IAsyncEnumerable<StoredEvent> ReadStream(
        AggregateKey key, long after = 0, long upTo = long.MaxValue, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var place = await PlaceOf(key.Agency);
        await foreach (var stored in place.Journal.ReadStream(key, after, upTo, cancellation))
        {
            yield return stored;
        }

        await Ensure(place, key.Agency);
    }

    public Task<IReadOnlyList<StoredEvent>> ReadFeed(AgencyId agency, long after, int limit, FeedFilter? filter = null, CancellationToken cancellation = default, long bytes = long.MaxValue) =>
        Read(agency, place => place.Journal.ReadFeed(agency, after, limit, filter, cancellation, bytes));

    public Task<FeedHead> ReadHead(AgencyId agency, CancellationToken cancellation = default) => Read(agency, place => place.ReadHead(agency, cancellation));

    public async ValueTask<Place> PlaceOf(AgencyId agency) => places[await map.PlaceOf(agency)];

    /// <summary>What the fence has refused is told by its words, not by the place's state: the fence may be lifted again by now.</summary>
    private async Task<AppendResult> Append(Place place, AppendItem item)
    {
        var result = await place.Journal.Append(item);
        if (result is AppendResult.Unstorable { Error: var error } && error.Contains(PlacementSchema.Refusal, StringComparison.Ordinal))
        {
            map.Forget(item.Key.Agency);
            return new AppendResult.Unavailable(error);
        }

        return result;
    }

    /// <summary>Asks where the map says.</summary>
    /// <param name="sure">Whether an answer is one that only the serving place could give.</param>
    private async Task<T> Read<T>(AgencyId agency, Func<Place, Task<T>> read, Func<T, bool>? sure = null)
    {
        var place = await PlaceOf(agency);
        var answer = await read(place);
        if (sure?.Invoke(answer) is not true)
        {
            await Ensure(place, agency);
        }

        return answer;
    }

    /// <summary>A place that still serves the agency after it has answered served it when it did; another's answer may be old.</summary>
    private async Task Ensure(Place place, AgencyId agency)
    {
        if (!await place.Serves(agency))
        {
            map.Forget(agency);
            throw new UnavailableException("The agency is being moved to another database, or was.");
        }
    }
}
