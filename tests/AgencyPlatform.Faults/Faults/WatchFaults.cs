using System.Globalization;
using AgencyPlatform.Client;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Domain;
using AgencyPlatform.Faults.Hostility;
using AgencyPlatform.Faults.Networks;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Events.V1;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Streams;
using FieldMask = Google.Protobuf.WellKnownTypes.FieldMask;

namespace AgencyPlatform.Faults;

/// <summary>
/// Bad followers of a busy agency's events, beside good ones. The same writes are made twice, without the bad ones and with them: those of another agency may not be slower, the good ones miss nothing,
/// and the process does not grow.
/// </summary>
internal abstract class WatchFault : HostileFault
{
    /// <summary>Watches of an agency in a process, unless it is set otherwise.</summary>
    protected const int MostWatches = 200;

    private const int Writes = 1_500;
    private const int Writers = 4;
    private const int Good = 5;
    private static readonly TimeSpan s_pace = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(120);

    public override TimeSpan Bound => TimeSpan.FromSeconds(5);

    protected override async Task Attack(Scene scene, Member gateway)
    {
        var (agency, other) = (await OwnAgency.Make(scene.Cluster, "watched"), await OwnAgency.Make(scene.Cluster, "other"));
        using var client = agency.Client(gateway.Grpc!);
        await using var followers = new Followers();
        for (var i = 0; i < Good; i++)
        {
            followers.Add(new FeedFollower(client, agency.Name));
        }

        await followers.Begun();
        var without = await Load(gateway, agency, other, client, "calm");
        var bad = await Begin(scene, gateway, agency);
        var with = await Load(gateway, agency, other, client, "busy");
        var count = await bad.End();
        var feed = await Feed.Read(client, agency.Name);
        scene.Note(string.Create(CultureInfo.InvariantCulture, $"{count}; {feed.Events.Count:N0} events; another agency's {without.Count} writes without: p99 {without.P99:N0} ms, {with.Count} with: {with.P99:N0} ms"));
        foreach (var wrong in await followers.Compare(feed, s_patience))
        {
            scene.Wrong(wrong);
        }

        if (with.P99 > 2 * without.P99 + 100)
        {
            scene.Wrong(string.Create(CultureInfo.InvariantCulture, $"another agency's writes were slower: p99 {with.P99:N0} ms, {without.P99:N0} without"));
        }

        await Judge(scene, gateway, agency, feed);
    }

    /// <summary>Bad followers, until what is returned is told to end.</summary>
    protected abstract Task<BadFollowers> Begin(Scene scene, Member gateway, OwnAgency agency);

    /// <summary>What else must hold when they have gone.</summary>
    protected virtual Task Judge(Scene scene, Member gateway, OwnAgency agency, Feed feed) => Task.CompletedTask;

    /// <summary>Many events in the agency, and beside them writes of another one at a constant pace, whose times are returned.</summary>
    private static async Task<(int Count, double P99)> Load(Member gateway, OwnAgency agency, OwnAgency other, AgencyPlatformClient client, string prefix)
    {
        using var over = new CancellationTokenSource();
        var probe = Task.Run(async () =>
        {
            using var own = other.Client(gateway.Grpc!);
            using var pace = new PeriodicTimer(s_pace);
            var times = new List<double>();
            while (!over.IsCancellationRequested && await pace.WaitForNextTickAsync())
            {
                var sent = TimeProvider.System.GetTimestamp();
                await own.Clients.UpdateClientCompanyAsync(new UpdateClientCompanyRequest
                {
                    ClientCompany = new ClientCompany { Name = other.ClientCompany, DisplayName = string.Create(CultureInfo.InvariantCulture, $"{prefix} {times.Count}") },
                    UpdateMask = new FieldMask { Paths = { "display_name" } },
                });
                times.Add(TimeProvider.System.GetElapsedTime(sent).TotalMilliseconds);
            }

            return times;
        });
        await Parallel.ForAsync(0, Writes, new ParallelOptions { MaxDegreeOfParallelism = Writers }, async (i, _) => await client.Clients.CreateClientCompanyAsync(new CreateClientCompanyRequest
        {
            Parent = agency.Name,
            ClientCompanyId = string.Create(CultureInfo.InvariantCulture, $"{prefix}-{i}"),
            ClientCompany = new ClientCompany { DisplayName = new string('ö', 200), TimeZone = "America/New_York" },
        }));
        await over.CancelAsync();
        var all = await probe;
        all.Sort();
        return (all.Count, all[all.Count * 99 / 100]);
    }

    /// <param name="End">Ends them, and says what they were.</param>
    protected sealed record BadFollowers(Func<Task<string>> End);
}

/// <summary>Those who watch and stop reading.</summary>
internal sealed class WatcherStops : WatchFault
{
    private const int Watches = 180;

    public override string Name => "watcher-stops";

    public override string What => "Beside the load, 180 watches of a busy agency stop reading: they give room for 16 KB (the HTTP/2 window), and never for more. Five good ones miss nothing, another agency's writes are as fast as without, memory stays within 512 MB of what it was.";

    protected override async Task<BadFollowers> Begin(Scene scene, Member gateway, OwnAgency agency)
    {
        var readers = await UnreadWatches.Open(gateway, agency, Watches);
        return new BadFollowers(() =>
        {
            readers.ForEach(r => r.Dispose());
            return Task.FromResult($"{Watches} watches read no more");
        });
    }
}

/// <summary>Those who fail at their first event, again and again, some with their whole connection.</summary>
internal sealed class WatcherThrows : WatchFault
{
    private const int Watchers = 20;

    public override string Name => "watcher-throws";

    public override string What => "Beside the load, 20 followers of a busy agency throw at their first event and watch again at once, and as many close their connection in the middle of a message. Nothing of them stays: in the end as many may watch as ever.";

    protected override async Task<BadFollowers> Begin(Scene scene, Member gateway, OwnAgency agency)
    {
        var stop = new CancellationTokenSource();
        var (thrown, closed) = (0, 0);
        var client = agency.Client(gateway.Grpc!);
        byte[] call = [.. Frames.Hello(), .. UnreadWatches.Call(agency, 1)];
        var running = Enumerable.Range(0, Watchers).SelectMany(_ => new[] { Task.Run(Throw), Task.Run(Close) }).ToArray();
        await Task.Yield();
        return new BadFollowers(async () =>
        {
            await stop.CancelAsync();
            await Task.WhenAll(running);
            client.Dispose();
            stop.Dispose();
            return string.Create(CultureInfo.InvariantCulture, $"{thrown:N0} watches ended by an exception, {closed:N0} by a closed connection");
        });

        async Task Throw()
        {
            while (!stop.IsCancellationRequested)
            {
                try
                {
                    await foreach (var message in client.Watch(new WatchRequest { Parent = agency.Name }, stop.Token))
                    {
                        if (message.Events.Count > 0)
                        {
                            Interlocked.Increment(ref thrown);
                            throw new InvalidOperationException("A follower that fails.");
                        }
                    }
                }
                catch (Exception e) when (e is InvalidOperationException or OperationCanceledException)
                {
                    // And again.
                }
            }
        }

        async Task Close()
        {
            while (!stop.IsCancellationRequested)
            {
                using var stranger = await Stranger.Connect(gateway.Grpc!);
                await stranger.Send(call);
                await stranger.ReadAll(TimeSpan.FromMilliseconds(100));
                Interlocked.Increment(ref closed);
            }
        }
    }

    /// <summary>As many may watch as ever: what is counted of those who failed has been taken back.</summary>
    protected override async Task Judge(Scene scene, Member gateway, OwnAgency agency, Feed feed)
    {
        const int Room = MostWatches - 10;
        using var client = agency.Client(gateway.Grpc!);
        await using var followers = new Followers();
        for (var i = 0; i < Room; i++)
        {
            followers.Add(new FeedFollower(client, agency.Name));
        }

        try
        {
            await followers.Begun().WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System);
        }
        catch (TimeoutException)
        {
            scene.Wrong($"{Room} watches at the same time were not served afterwards");
        }
    }
}

/// <summary>Those who have a slow connection.</summary>
internal sealed class WatcherSlow : WatchFault
{
    private const int Watchers = 40;
    private const int BytesPerSecond = 64 * 1024;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(240);

    private readonly List<FeedFollower> _slow = [];
    private readonly List<IAsyncDisposable> _links = [];
    private readonly List<AgencyPlatformClient> _clients = [];

    public override string Name => "watcher-slow";

    public override string What => "Beside the load, 40 followers of a busy agency, each over a connection of its own that carries 64 KB a second. They have everything in the end, and nobody else is slower.";

    protected override async Task<BadFollowers> Begin(Scene scene, Member gateway, OwnAgency agency)
    {
        var link = new SlowLink(gateway.Grpc!.Port, BytesPerSecond);
        _links.Add(link);
        for (var i = 0; i < Watchers; i++)
        {
            var client = agency.Client(link.Address);
            _clients.Add(client);
            _slow.Add(new FeedFollower(client, agency.Name));
        }

        await Task.WhenAll(_slow.Select(s => s.Begun()));
        return new BadFollowers(() => Task.FromResult(string.Create(
            CultureInfo.InvariantCulture, $"{Watchers} slow followers had {_slow.Sum(s => s.Seen):N0} events when the writes ended, by {link.Carried:N0} bytes")));
    }

    protected override async Task Judge(Scene scene, Member gateway, OwnAgency agency, Feed feed)
    {
        var begin = TimeProvider.System.GetTimestamp();
        foreach (var wrong in (await Task.WhenAll(_slow.Select(s => s.Compare(feed, s_patience)))).OfType<string>().Take(3))
        {
            scene.Wrong("slow: " + wrong);
        }

        scene.Note(string.Create(CultureInfo.InvariantCulture, $"the last slow one had everything {TimeProvider.System.GetElapsedTime(begin).TotalSeconds:N0} s later"));
        await Task.WhenAll(_slow.Select(s => s.DisposeAsync().AsTask()));
        _clients.ForEach(c => c.Dispose());
        foreach (var link in _links)
        {
            await link.DisposeAsync();
        }
    }
}

/// <summary>A process in the house that hears an agency's Orleans stream, and fails at each of its messages.</summary>
internal sealed class SubscriberPoisoned : WatchFault
{
    private const int Subscribers = 5;

    public override string Name => "subscriber-poisoned";

    public override string What => "Beside the load, a client of the cluster with five subscriptions to a busy agency's Orleans stream, of which four throw at every message and one hangs in it for ever. Watches miss nothing, and nobody is slower.";

    public override IReadOnlyList<Engine> Engines => [Engine.Postgres, Engine.PostgresAlone];

    protected override async Task<BadFollowers> Begin(Scene scene, Member gateway, OwnAgency agency)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.UseOrleansClient(client =>
        {
            client.UseAdoNetClustering(options => (options.Invariant, options.ConnectionString) = ("Npgsql", scene.Cluster.Roles.Application));
            client.Configure<ClusterOptions>(options => options.ClusterId = options.ServiceId = "agencyplatform");
            client.AddMemoryStreams(FeedStream.Provider);
        });
        var host = builder.Build();
        await host.StartAsync();
        var (heard, hangs) = (0, new TaskCompletionSource());
        var stream = FeedStream.Of(host.Services.GetRequiredService<IClusterClient>().GetStreamProvider(FeedStream.Provider), new AgencyId(agency.Id));
        for (var i = 0; i < Subscribers; i++)
        {
            var throws = i > 0;
            await stream.SubscribeAsync((_, _) =>
            {
                Interlocked.Increment(ref heard);
                return throws ? throw new InvalidOperationException("A subscriber that fails.") : hangs.Task;
            });
        }

        return new BadFollowers(async () =>
        {
            hangs.TrySetResult();
            await host.StopAsync();
            host.Dispose();
            if (heard == 0)
            {
                scene.Wrong("the subscribers heard nothing: nothing was poisoned");
            }

            return string.Create(CultureInfo.InvariantCulture, $"{Subscribers} subscribers failed or hung at {heard:N0} messages");
        });
    }
}

/// <summary>A server that is told to stop while many watch, some of whom have stopped reading.</summary>
internal sealed class WatchesAtShutdown : Fault
{
    private const int Unread = 90;
    private const int Good = 20;
    private static readonly TimeSpan s_most = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(120);

    public override string Name => "watches-at-shutdown";

    public override string What => "SIGTERM to each process that serves the API while 20 followers and 90 watches that have stopped reading are open at it; started again. It ends within 30 s without an error, and every follower goes on at its cursor and misses nothing.";

    public override TimeSpan Bound => TimeSpan.FromSeconds(15);

    public override IReadOnlyList<Engine> Engines => [Engine.Postgres, Engine.PostgresAlone, Engine.Sqlite];

    public override async Task Strike(Scene scene, int time)
    {
        var cluster = scene.Cluster;
        var agency = await OwnAgency.Make(cluster, "watched");
        Uri[] addresses = [.. cluster.Addresses];
        using var client = new AgencyPlatformClient(new() { Address = addresses[0], OtherAddresses = addresses[1..], ApiKey = agency.Key, Retries = 20 });
        await using var followers = new Followers();
        for (var i = 0; i < Good; i++)
        {
            followers.Add(new FeedFollower(client, agency.Name));
        }

        await followers.Begun();
        using var over = new CancellationTokenSource();
        var (renames, failed) = (0, 0);
        var writes = Task.Run(async () =>
        {
            using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
            while (!over.IsCancellationRequested && await pace.WaitForNextTickAsync())
            {
                try
                {
                    await client.Clients.UpdateClientCompanyAsync(new UpdateClientCompanyRequest
                    {
                        ClientCompany = new ClientCompany { Name = agency.ClientCompany, DisplayName = string.Create(CultureInfo.InvariantCulture, $"Name {renames + failed}") },
                        UpdateMask = new FieldMask { Paths = { "display_name" } },
                    });
                    renames++;
                }
                catch (RpcException)
                {
                    failed++;
                }
            }
        });
        var longest = TimeSpan.Zero;
        for (var i = 0; i < cluster.Gateways.Length; i++)
        {
            var readers = await UnreadWatches.Open(cluster.Gateways[i], agency, Unread);
            await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System);
            var begin = TimeProvider.System.GetTimestamp();
            var code = await cluster.Gateways[i].Terminate();
            var took = TimeProvider.System.GetElapsedTime(begin);
            longest = took > longest ? took : longest;
            readers.ForEach(r => r.Dispose());
            if (code != 0 || took > s_most)
            {
                scene.Wrong(string.Create(CultureInfo.InvariantCulture, $"{cluster.Gateways[i].Name} ended with {code} after {took.TotalSeconds:N0} s"));
            }

            await cluster.StartGateway(i);
        }

        await Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System);
        await over.CancelAsync();
        await writes;
        var feed = await Feed.Read(client, agency.Name);
        foreach (var wrong in await followers.Compare(feed, s_patience))
        {
            scene.Wrong(wrong);
        }

        scene.Note(string.Create(CultureInfo.InvariantCulture, $"ended within {longest.TotalSeconds:N1} s with {Unread} watches that had stopped reading each; {renames} writes, {failed} failed; {Good} followers have all {feed.Events.Count} events"));
    }
}

/// <summary>Watches that stop reading: there is room for the first of what they are sent, and never for more.</summary>
internal static class UnreadWatches
{
    /// <summary>Of a connection; the server takes a hundred.</summary>
    private const uint Streams = 90;

    /// <summary>Bytes of a watch.</summary>
    private const uint Window = 16 * 1024;

    public static async Task<List<Stranger>> Open(Member gateway, OwnAgency agency, int watches)
    {
        var readers = new List<Stranger>();
        while (watches > 0)
        {
            var reader = await Stranger.Connect(gateway.Grpc!);
            readers.Add(reader);
            await reader.Send(Frames.Hello(Window));
            for (var call = 0u; call < Streams && watches > 0; call++, watches--)
            {
                await reader.Send(Call(agency, 2 * call + 1));
            }
        }

        return readers;
    }

    /// <summary>The frames of one watch.</summary>
    public static byte[] Call(OwnAgency agency, uint stream) =>
    [
        .. Frames.Of(Frames.Headers, Frames.EndHeaders, stream, Frames.Call("/agencyplatform.events.v1.EventsService/Watch", agency.Key)),
        .. Frames.Of(Frames.Data, Frames.EndStream, stream, Frames.Message(new WatchRequest { Parent = agency.Name }.ToByteArray())),
    ];
}

/// <summary>Some who follow one agency.</summary>
internal sealed class Followers : IAsyncDisposable
{
    private readonly List<FeedFollower> _all = [];

    public void Add(FeedFollower follower) => _all.Add(follower);

    public Task Begun() => Task.WhenAll(_all.Select(f => f.Begun()));

    /// <summary>What is wrong with what they saw.</summary>
    public async Task<IReadOnlyList<string>> Compare(Feed feed, TimeSpan patience) => [.. (await Task.WhenAll(_all.Select(f => f.Compare(feed, patience)))).OfType<string>()];

    public async ValueTask DisposeAsync() => await Task.WhenAll(_all.Select(f => f.DisposeAsync().AsTask()));
}
