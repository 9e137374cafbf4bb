using System.Globalization;
using System.Net;
using AgencyPlatform.Client;
using AgencyPlatform.Faults.Networks;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Events.V1;

namespace AgencyPlatform.Faults;

/// <summary>A proxy of the test's own before each gateway.</summary>
internal sealed class BehindReplyProxies : Surroundings
{
    private readonly SortedDictionary<int, ReplyProxy> _proxies = [];

    public IReadOnlyCollection<ReplyProxy> Proxies => _proxies.Values;

    public override Uri Reached(int gateway, Uri listens)
    {
        if (!_proxies.TryGetValue(gateway, out var proxy))
        {
            _proxies[gateway] = proxy = new ReplyProxy(IPEndPoint.Parse(listens.Authority));
        }

        return proxy.Address;
    }

    public override async ValueTask DisposeAsync()
    {
        foreach (var proxy in _proxies.Values)
        {
            await proxy.DisposeAsync();
        }
    }
}

/// <summary>Something that happens to replies on their way to the client.</summary>
internal abstract class ReplyFault : Fault
{
    public override Task<Cluster> Start(string folder, Engine engine) => Cluster.Start(folder, engine, surroundings: new BehindReplyProxies());

    public override IReadOnlyList<Engine> Engines => [Engine.Postgres, Engine.PostgresAlone, Engine.Sqlite];

    protected static IReadOnlyCollection<ReplyProxy> Proxies(Scene scene) => ((BehindReplyProxies)scene.Cluster.Surroundings).Proxies;
}

/// <summary>Work is done, and nobody hears of it.</summary>
internal sealed class RepliesLost : ReplyFault
{
    private const int Losses = 10;
    private static readonly TimeSpan s_while = TimeSpan.FromMilliseconds(500);

    public override string Name => "replies-lost";

    public override string What => "Ten times, at each gateway in turn: for half a second requests arrive and no reply comes out; then all connections are cut, and those replies are lost.";

    public override TimeSpan Bound => TimeSpan.FromSeconds(10);

    public override async Task Strike(Scene scene, int time)
    {
        var (cut, proxies) = (0, Proxies(scene).ToList());
        for (var i = 0; i < Losses; i++)
        {
            var proxy = proxies[i % proxies.Count];
            proxy.Hold();
            await Task.Delay(s_while, TimeProvider.System);
            cut += proxy.Lose();
            await Task.Delay(s_while, TimeProvider.System);
        }

        var lost = proxies.Sum(p => p.Held);
        scene.Note(string.Create(CultureInfo.InvariantCulture, $"{cut} connections were cut, with {lost:N0} bytes of replies"));
        if (lost == 0)
        {
            scene.Wrong("no reply was under way when a connection was cut: nothing was tried");
        }
    }
}

/// <summary>Replies that come after their callers have given up or asked again.</summary>
internal sealed class RepliesHeld : ReplyFault
{
    private const int Holds = 4;
    private static readonly TimeSpan s_while = TimeSpan.FromSeconds(5);

    public override string Name => "replies-held";

    public override string What => "Four times, at each gateway in turn: for five seconds no reply comes out, then all of them at once. Those of the other gateway overtake them (within a connection HTTP/2 keeps frames in order).";

    public override TimeSpan Bound => TimeSpan.FromSeconds(10);

    public override async Task Strike(Scene scene, int time)
    {
        var proxies = Proxies(scene).ToList();
        for (var i = 0; i < Holds; i++)
        {
            proxies[i % proxies.Count].Hold();
            await Task.Delay(s_while, TimeProvider.System);
            proxies[i % proxies.Count].Release();
        }

        if (proxies.Sum(p => p.Held) == 0)
        {
            scene.Wrong("no reply was held: nothing was tried");
        }
    }
}

/// <summary>The same request twice, at the same time, by two gateways.</summary>
internal sealed class RequestsDoubled : Fault
{
    private const int Requests = 300;
    private const int AtOnce = 8;

    public override string Name => "requests-doubled";

    public override string What => "Beside the load, each of 300 client companies is created by a request sent twice at the same time on connections of their own, to both gateways: both answers are the same, and there is one event.";

    public override TimeSpan Bound => TimeSpan.FromSeconds(5);

    public override IReadOnlyList<Engine> Engines => [Engine.Postgres, Engine.PostgresAlone, Engine.Sqlite];

    public override async Task Strike(Scene scene, int time)
    {
        var agency = await OwnAgency.Make(scene.Cluster, "doubled");
        using var one = agency.Client(scene.Cluster.Addresses.First());
        using var other = agency.Client(scene.Cluster.Addresses.Last());
        var before = await Events(one, agency.Name);
        await Parallel.ForAsync(0, Requests, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (i, _) =>
        {
            var request = new CreateClientCompanyRequest
            {
                Parent = agency.Name,
                ClientCompanyId = string.Create(CultureInfo.InvariantCulture, $"client-{i}"),
                ClientCompany = new ClientCompany { DisplayName = "Client", TimeZone = "America/New_York" },
                RequestId = Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString(),
            };
            var answers = await Task.WhenAll(
                one.Clients.CreateClientCompanyAsync(request.Clone()).ResponseAsync,
                other.Clients.CreateClientCompanyAsync(request.Clone()).ResponseAsync);
            if (!answers[0].Equals(answers[1]))
            {
                lock (scene)
                {
                    scene.Wrong($"two answers to one request: {answers[0]} and {answers[1]}");
                }
            }
        });
        var events = await Events(one, agency.Name) - before;
        if (events != Requests)
        {
            scene.Wrong($"{Requests} requests, each sent twice, left {events} events");
        }
    }

    private static async Task<long> Events(AgencyPlatformClient client, string agency)
    {
        var (count, cursor) = (0L, "");
        while (await client.Events.ListEventsAsync(new ListEventsRequest { Parent = agency, After = cursor, PageSize = 1000 }) is { Events.Count: > 0 } page)
        {
            count += page.Events.Count;
            cursor = page.NextCursor;
        }

        return count;
    }
}
