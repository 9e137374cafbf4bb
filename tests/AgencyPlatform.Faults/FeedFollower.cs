using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Events.V1;

namespace AgencyPlatform.Faults;

/// <summary>An agency's events as a list has them: the truth that watches are compared with.</summary>
/// <param name="End">Cursor behind the last.</param>
internal sealed record Feed(IReadOnlyList<Event> Events, string End)
{
    public static async Task<Feed> Read(AgencyPlatformClient client, string agency)
    {
        var (all, page) = (new List<Event>(), new ListEventsResponse());
        do
        {
            page = await client.Events.ListEventsAsync(new ListEventsRequest { Parent = agency, After = page.NextCursor, PageSize = 1_000 });
            all.AddRange(page.Events);
        }
        while (!page.EndOfFeed);
        return new Feed(all, page.NextCursor);
    }
}

/// <summary>Somebody who watches an agency with the client library, and remembers what came.</summary>
internal sealed class FeedFollower : IAsyncDisposable
{
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(50);

    private readonly CancellationTokenSource _end = new();
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _watching;
    private readonly List<(long Sequence, string Id)> _seen = [];
    private readonly List<TimeSpan> _late = [];
    private volatile string _first = "";
    private volatile string _cursor = "";

    /// <param name="after">A cursor; empty: from now on.</param>
    /// <param name="each">Waited for after each message: a follower that is slow.</param>
    public FeedFollower(AgencyPlatformClient client, string agency, string after = "", TimeSpan? each = null)
    {
        Agency = agency;
        _watching = Task.Run(async () =>
        {
            await foreach (var message in client.Watch(new WatchRequest { Parent = agency, After = after }, _end.Token))
            {
                var now = TimeProvider.System.GetUtcNow();
                foreach (var e in message.Events)
                {
                    _seen.Add((e.Sequence, e.Id));
                    _late.Add(now - e.RecordTime.ToDateTimeOffset());
                }

                _first = _first.Length == 0 ? message.Cursor : _first;
                _cursor = message.Cursor;
                _begun.TrySetResult();
                await Task.Delay(each ?? TimeSpan.Zero, TimeProvider.System, _end.Token);
            }
        });
    }

    public string Agency { get; }

    /// <summary>Events that came.</summary>
    public int Seen => _seen.Count;

    /// <summary>How long after they were recorded they came; to be asked when nothing comes any more.</summary>
    public IReadOnlyList<TimeSpan> Late => _late;

    /// <summary>Until it was told where it begins.</summary>
    public Task Begun() => Task.WhenAny(_begun.Task, _watching).Unwrap();

    /// <summary>Waits until it has come to the feed's end; what is wrong with what it saw, null: nothing.</summary>
    public async Task<string?> Compare(Feed feed, TimeSpan patience)
    {
        var begin = TimeProvider.System.GetTimestamp();
        using var look = new PeriodicTimer(s_look);
        while (_cursor != feed.End && !_watching.IsCompleted && TimeProvider.System.GetElapsedTime(begin) < patience && await look.WaitForNextTickAsync())
        {
        }

        if (_watching.IsFaulted)
        {
            return $"{Agency}: a watch ended: {_watching.Exception!.InnerException!.Message}";
        }

        if (_cursor != feed.End)
        {
            return $"{Agency}: a watch is at {_cursor}, the feed at {feed.End}";
        }

        var from = feed.Events.TakeWhile(e => e.Cursor != _first).Count() + 1;
        var wanted = feed.Events.Skip(from).Select(e => (e.Sequence, e.Id));
        return wanted.SequenceEqual(_seen) ? null : $"{Agency}: a watch from {_first} saw {_seen.Count} events and not what the feed has, which are {feed.Events.Count - from}";
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await Task.WhenAny(_watching);
        _end.Dispose();
    }
}
