using System.Diagnostics;
using System.Globalization;
using AgencyPlatform.Benchmarks.Load;
using AgencyPlatform.Benchmarks.Servers;
using AgencyPlatform.Protocol.Events.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace AgencyPlatform.Benchmarks.FanOut;

/// <summary>A message of a stream as its watchers take it: counted, not parsed, so that what they do themselves is little.</summary>
/// <param name="Cursor">Behind its events.</param>
internal sealed record Received(byte[] Bytes, int Events, string Cursor)
{
    private const uint EventsTag = (WatchResponse.EventsFieldNumber << 3) | 2;
    private const uint CursorTag = (WatchResponse.CursorFieldNumber << 3) | 2;

    public static Received Read(byte[] bytes)
    {
        using var input = new CodedInputStream(bytes);
        var (events, cursor) = (0, "");
        for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            if (tag == CursorTag)
            {
                cursor = input.ReadString();
                continue;
            }

            events += tag == EventsTag ? 1 : 0;
            input.SkipLastField();
        }

        return new Received(bytes, events, cursor);
    }
}

/// <summary>What all of an audience have received so far.</summary>
internal readonly record struct Delivered(long Events, long Messages, long Bytes)
{
    public static Delivered operator -(Delivered a, Delivered b) => new(a.Events - b.Events, a.Messages - b.Messages, a.Bytes - b.Bytes);
}

/// <summary>Many who read a stream each, spread over some connections, until they are disposed.</summary>
internal sealed class Audience : IAsyncDisposable
{
    private static readonly Marshaller<Received> s_received = Marshallers.Create<Received>((_, _) => throw new NotSupportedException(), context => Received.Read(context.PayloadAsNewBuffer()));
    private static readonly Method<WatchRequest, Received> s_watch = new(MethodType.ServerStreaming, "agencyplatform.events.v1.EventsService", "Watch", Sent<WatchRequest>(), s_received);
    private static readonly Method<Empty, Received> s_broadcast = new(MethodType.ServerStreaming, "agencyplatform.benchmarks.v1.FloorService", "Broadcast", Sent<Empty>(), s_received);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly CancellationTokenSource _end = new();
    private readonly List<Watcher> _watchers = [];
    private readonly List<Task> _running = [];

    private Audience(int kept) => Kept = new List<byte[]>(kept);

    /// <summary>The first messages with events that the first watcher got.</summary>
    public List<byte[]> Kept { get; }

    public Delivered Delivered
    {
        get
        {
            var sum = default(Delivered);
            foreach (var watcher in _watchers)
            {
                sum = new Delivered(sum.Events + Volatile.Read(ref watcher.Events), sum.Messages + Volatile.Read(ref watcher.Messages), sum.Bytes + Volatile.Read(ref watcher.Bytes));
            }

            return sum;
        }
    }

    /// <summary>Watchers of agencies in turn, once each was told where it begins.</summary>
    /// <param name="after">A cursor an agency; null: from now on.</param>
    public static async Task<Audience> Watch(Connections connections, IReadOnlyList<(string Agency, Metadata Headers)> agencies, int watchers, IReadOnlyList<string>? after, int kept)
    {
        var audience = new Audience(kept);
        for (var i = 0; i < watchers; i++)
        {
            var (agency, headers) = agencies[i % agencies.Count];
            audience.Begin(connections, i, i % agencies.Count, s_watch, new WatchRequest { Parent = agency, After = after?[i % agencies.Count] ?? "" }, headers);
        }

        await audience.Until(w => Volatile.Read(ref w.Cursor).Length > 0);
        return audience;
    }

    /// <summary>Readers of the bare server's broadcast.</summary>
    public static Audience Broadcast(Connections connections, int readers)
    {
        var audience = new Audience(0);
        for (var i = 0; i < readers; i++)
        {
            audience.Begin(connections, i, 0, s_broadcast, new Empty(), []);
        }

        return audience;
    }

    /// <summary>Where an agency's watchers are who have come furthest, an agency each.</summary>
    public IReadOnlyList<string> Cursors(int agencies) =>
        [.. Enumerable.Range(0, agencies).Select(a => _watchers.Where(w => w.Agency == a).Select(w => Volatile.Read(ref w.Cursor)).MaxBy(Sequence)!)];

    /// <summary>Waits until every watcher is at its agency's place.</summary>
    /// <exception cref="BenchmarkException">One is not in time, or has not had each event once.</exception>
    public async Task UntilAt(IReadOnlyList<string> cursors)
    {
        await Until(w => Sequence(Volatile.Read(ref w.Cursor)) >= Sequence(cursors[w.Agency]));
        if (_watchers.Find(w => Volatile.Read(ref w.Events) != Sequence(w.Cursor) - Sequence(w.First)) is { } wrong)
        {
            throw new BenchmarkException($"A watcher from {wrong.First} to {wrong.Cursor} had {wrong.Events} events.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await Task.WhenAll(_running);
        _end.Dispose();
    }

    private static long Sequence(string cursor) => cursor.Length == 0 ? -1 : long.Parse(cursor.AsSpan(33), CultureInfo.InvariantCulture);

    private static Marshaller<T> Sent<T>() where T : class, IMessage<T> => Marshallers.Create<T>((message, context) => context.Complete(message.ToByteArray()), _ => throw new NotSupportedException());

    private async Task Until(Func<Watcher, bool> so)
    {
        var begin = Stopwatch.GetTimestamp();
        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!_watchers.TrueForAll(w => so(w)))
        {
            if (_running.Find(r => r.IsFaulted) is { } failed)
            {
                await failed;
            }

            if (Stopwatch.GetElapsedTime(begin) > s_patience)
            {
                throw new BenchmarkException($"{_watchers.Count(w => !so(w))} of {_watchers.Count} watchers were not served within {s_patience.TotalSeconds:0} s.");
            }

            await look.WaitForNextTickAsync();
        }
    }

    private void Begin<TRequest>(Connections connections, int i, int agency, Method<TRequest, Received> method, TRequest request, Metadata headers) where TRequest : class
    {
        var watcher = new Watcher { Agency = agency };
        _watchers.Add(watcher);
        var invoker = connections.Channels[i % connections.Channels.Count].CreateCallInvoker();
        _running.Add(Task.Run(async () =>
        {
            using var call = invoker.AsyncServerStreamingCall(method, null, new CallOptions(headers, cancellationToken: _end.Token), request);
            try
            {
                await foreach (var message in call.ResponseStream.ReadAllAsync())
                {
                    watcher.Take(message);
                    if (i == 0 && message.Events > 0 && Kept.Count < Kept.Capacity)
                    {
                        Kept.Add(message.Bytes);
                    }
                }
            }
            catch (RpcException) when (_end.IsCancellationRequested)
            {
                // Its end.
            }
        }));
    }

    /// <summary>One of them; only its own reading writes, so that counting costs nothing.</summary>
    private sealed class Watcher
    {
        public long Events;
        public long Messages;
        public long Bytes;
        public string Cursor = "";

        public required int Agency { get; init; }

        /// <summary>Where it began.</summary>
        public string First { get; private set; } = "";

        public void Take(Received message)
        {
            First = First.Length == 0 ? message.Cursor : First;
            Volatile.Write(ref Events, Events + message.Events);
            Volatile.Write(ref Messages, Messages + (message.Events > 0 ? 1 : 0));
            Volatile.Write(ref Bytes, Bytes + message.Bytes.Length);
            Volatile.Write(ref Cursor, message.Cursor);
        }
    }
}
