using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Streams;

namespace AgencyPlatform.Gateway.Events;

/// <summary>
/// One tail of the journal per watched agency, however many watch it in this process. It reads on when it hears that the feed has grown, from this process's journal at once and from others by the
/// agency's stream, and looks every second. Who does not keep up is let go from it and reads the journal by itself until it has caught up: nothing is lost, and nobody else is slower.
/// </summary>
internal sealed partial class FeedTails(IJournal journal, EventWire wire, FeedSignal signal, IClusterClient cluster, FeedTurns turns, TimeProvider clock, IOptions<GatewayOptions> options, ILogger<FeedTails> log)
    : BackgroundService
{
    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<AgencyId, Tail> _tails = [];
    private readonly TimeSpan _heartbeat = TimeSpan.FromSeconds(options.Value.HeartbeatSeconds);

    /// <summary>
    /// An agency's events after a place, in order, each once; and an empty page now and then. Ends only by cancellation.
    /// </summary>
    /// <param name="filter">What need not be read to catch up; live pages have everything. Null: nothing.</param>
    /// <exception cref="UnavailableException">The journal cannot be read.</exception>
    public async IAsyncEnumerable<FeedPage> Follow(AgencyId agency, FeedHead head, long after, FeedFilter? filter, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var tail = Enter(agency, head);
        var live = Channel.CreateBounded<FeedPage>(1);
        var told = clock.GetTimestamp();
        try
        {
            while (true)
            {
                while (!tail.TryJoin(after, out live))
                {
                    var page = await tail.Past(after, filter).WaitAsync(cancellation);
                    after = page.To;
                    yield return page;
                    if (clock.GetElapsedTime(told) >= s_look)
                    {
                        // Of what a filter leaves out nothing else would be heard.
                        told = clock.GetTimestamp();
                        yield return FeedPage.Heartbeat(wire, head.Epoch, after);
                    }
                }

                // Ends when this watch has fallen behind.
                await foreach (var page in live.Reader.ReadAllAsync(cancellation))
                {
                    if (page.To > after || page.IsHeartbeat)
                    {
                        yield return page;
                        after = Math.Max(after, page.To);
                    }
                }
            }
        }
        finally
        {
            Leave(agency, tail, live);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        signal.Committed += Wake;
        using var look = new PeriodicTimer(s_look);
        try
        {
            for (var beat = s_look; await look.WaitForNextTickAsync(stoppingToken); beat += s_look)
            {
                Tail[] all;
                lock (_lock)
                {
                    all = [.. _tails.Values];
                }

                var heartbeat = beat >= _heartbeat;
                beat = heartbeat ? TimeSpan.Zero : beat;
                foreach (var tail in all)
                {
                    tail.Wake();
                    if (heartbeat)
                    {
                        tail.Beat();
                    }
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host ends, and every watch with it.
        }
        finally
        {
            signal.Committed -= Wake;
        }
    }

    private void Wake(IReadOnlyList<StoredEvent> committed)
    {
        lock (_lock)
        {
            if (_tails.Count > 0)
            {
                foreach (var stored in committed)
                {
                    _tails.GetValueOrDefault(stored.Key.Agency)?.Wake();
                }
            }
        }
    }

    private Tail Enter(AgencyId agency, FeedHead head)
    {
        lock (_lock)
        {
            if (!_tails.TryGetValue(agency, out var tail))
            {
                _tails[agency] = tail = new Tail(agency, head, journal, wire, cluster, turns, log);
            }

            tail.Watches++;
            return tail;
        }
    }

    private void Leave(AgencyId agency, Tail tail, Channel<FeedPage> live)
    {
        tail.Leave(live);
        lock (_lock)
        {
            if (--tail.Watches == 0)
            {
                _tails.Remove(agency);
                tail.Stop();
            }
        }
    }

    [LoggerMessage(LogLevel.Warning, "The feed of {Agency} cannot be read: {Error} It is tried again.")]
    private static partial void LogUnreadable(ILogger log, AgencyId agency, string error);

    [LoggerMessage(LogLevel.Debug, "The stream of {Agency} is not heard: {Error} Its feed is looked at every second all the same.")]
    private static partial void LogUnheard(ILogger log, AgencyId agency, string error);

    /// <summary>What reads one agency's feed on, and hands it to all who keep up.</summary>
    private sealed class Tail
    {
        /// <summary>Events of a page that all watches share.</summary>
        private const int PageEvents = 64;

        /// <summary>Bytes of payloads in such a page, unless the first event alone has more.</summary>
        private const int PageBytes = 64 * 1024;

        /// <summary>
        /// Pages that wait for a watch which does not take them: a thousand events at most, a megabyte of payloads that is some ten in memory. All watches wait for the same pages, so that this bounds
        /// the memory of an agency.
        /// </summary>
        private const int MostPages = 16;

        /// <summary>Pages of the past that are kept for other watches that catch up.</summary>
        private const int MostPast = 8;

        private readonly Lock _lock = new();
        private readonly CancellationTokenSource _stop = new();
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Channel<bool> _wakes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        private readonly Queue<(long After, FeedFilter? Filter, Task<FeedPage> Page)> _past = new();
        private readonly AgencyId _agency;
        private readonly FeedHead _head;
        private readonly IJournal _journal;
        private readonly EventWire _wire;
        private readonly FeedTurns _turns;
        private ImmutableArray<Channel<FeedPage>> _live = [];
        private long _position;

        public Tail(AgencyId agency, FeedHead head, IJournal journal, EventWire wire, IClusterClient cluster, FeedTurns turns, ILogger log)
        {
            (_agency, _head, _position, _journal, _wire, _turns) = (agency, head, head.Sequence, journal, wire, turns);
            _ = Task.Run(() => Run(log));
            _ = Task.Run(() => Hear(cluster, log));
        }

        /// <summary>How many follow; the owner's to count.</summary>
        public int Watches { get; set; }

        /// <summary>The page behind a place, for watches that catch up: read once for all that want it at about the same time.</summary>
        public Task<FeedPage> Past(long after, FeedFilter? filter)
        {
            lock (_lock)
            {
                foreach (var past in _past)
                {
                    // One that reached the end may have become longer.
                    if (past.After == after && past.Filter == filter && (!past.Page.IsCompleted || past.Page is { IsCompletedSuccessfully: true, Result.IsEnd: false }))
                    {
                        return past.Page;
                    }
                }

                if (_past.Count == MostPast)
                {
                    _past.Dequeue();
                }

                // Not on the caller's time: it may go away, and others wait for the same.
                var page = Task.Run(() => ReadPast(after, filter));
                _past.Enqueue((after, filter, page));
                return page;
            }
        }

        /// <summary>Takes part from here on, unless the tail is further already. What a watch has seen beyond the tail comes again: it passes it over.</summary>
        public bool TryJoin(long after, out Channel<FeedPage> live)
        {
            live = Channel.CreateBounded<FeedPage>(new BoundedChannelOptions(MostPages) { SingleReader = true, SingleWriter = false });
            lock (_lock)
            {
                if (_position > after)
                {
                    return false;
                }

                _live = _live.Add(live);
                return true;
            }
        }

        public void Leave(Channel<FeedPage> live)
        {
            lock (_lock)
            {
                _live = _live.Remove(live);
            }
        }

        public void Wake() => _wakes.Writer.TryWrite(true);

        /// <summary>Tells all where the feed stands. Who has pages waiting needs no heartbeat.</summary>
        public void Beat()
        {
            lock (_lock)
            {
                foreach (var live in _live)
                {
                    live.Writer.TryWrite(FeedPage.Heartbeat(_wire, _head.Epoch, _position));
                }
            }
        }

        public void Stop()
        {
            _stop.Cancel();
            _ended.TrySetResult();
        }

        private async Task Run(ILogger log)
        {
            try
            {
                while (await _wakes.Reader.WaitToReadAsync(_stop.Token))
                {
                    _wakes.Reader.TryRead(out _);
                    try
                    {
                        FeedPage page;
                        do
                        {
                            page = await Read(_head, _position, filter: null);
                            if (!page.IsHeartbeat)
                            {
                                HandOn(page);
                            }
                        }
                        while (!page.IsEnd);
                    }
                    catch (Exception e) when (!_stop.IsCancellationRequested)
                    {
                        LogUnreadable(log, _agency, e.Message);
                    }
                }
            }
            catch (OperationCanceledException)
            {
                // Nobody watches any more.
            }
        }

        private Task<FeedPage> Read(FeedHead head, long after, FeedFilter? filter) => FeedPage.Read(_journal, _wire, _agency, head, after, filter, PageEvents, PageBytes, _stop.Token);

        private async Task<FeedPage> ReadPast(long after, FeedFilter? filter)
        {
            using var turn = await _turns.Take(_agency, _stop.Token);
            return await Read(filter is null ? _head : await _journal.ReadHead(_agency, _stop.Token), after, filter);
        }

        /// <summary>Is told by the agency's stream what other processes commit, for as long as somebody watches.</summary>
        private async Task Hear(IClusterClient cluster, ILogger log)
        {
            try
            {
                var stream = FeedStream.Of(cluster.GetStreamProvider(FeedStream.Provider), _agency);
                var subscription = await stream.SubscribeAsync((_, _) =>
                {
                    Wake();
                    return Task.CompletedTask;
                });
                await _ended.Task;
                await subscription.UnsubscribeAsync();
            }
            catch (Exception e)
            {
                LogUnheard(log, _agency, e.Message);
            }
        }

        private void HandOn(FeedPage page)
        {
            lock (_lock)
            {
                _position = page.To;
                foreach (var live in _live)
                {
                    if (!live.Writer.TryWrite(page))
                    {
                        // It takes what it has, and then reads the journal by itself.
                        _live = _live.Remove(live);
                        live.Writer.Complete();
                    }
                }
            }
        }
    }
}
