using System.Globalization;
using System.Net;

namespace AgencyPlatform.Faults.Networks;

/// <summary>Each process at a place of its own in a network of the test's own, as if on machines of their own; PostgreSQL and the load tester are on this one.</summary>
internal sealed class Apart : Surroundings
{
    private readonly Dictionary<int, ReplyProxy> _ways = [];

    private Apart(Network network) => Network = network;

    public Network Network { get; }

    public override IPAddress Database => Network.Address(Network.Here);

    public static async Task<Apart> Make() => new(await Network.Make("silo-0", "silo-1", "silo-2", "gateway-0", "gateway-1"));

    public override Launch Silo(int i) => At(string.Create(CultureInfo.InvariantCulture, $"silo-{i}"));

    public override Launch Gateway(int i) => At(string.Create(CultureInfo.InvariantCulture, $"gateway-{i}"));

    /// <summary>By loopback: the client library sends keys without TLS nowhere else.</summary>
    public override Uri Reached(int gateway, Uri listens)
    {
        if (!_ways.TryGetValue(gateway, out var way))
        {
            _ways[gateway] = way = new ReplyProxy(IPEndPoint.Parse(listens.Authority));
        }

        return way.Address;
    }

    public override async ValueTask DisposeAsync()
    {
        foreach (var way in _ways.Values)
        {
            await way.DisposeAsync();
        }

        await Network.DisposeAsync();
    }

    private Launch At(string place) => new(
        Network.Enter(place),
        ["--set", $"Listen:Address={Network.Address(place)}", "--set", $"Cluster:AdvertisedAddress={Network.Address(place)}"],
        new Dictionary<string, string>());
}
