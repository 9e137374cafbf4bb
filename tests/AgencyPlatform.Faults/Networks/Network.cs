using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;

namespace AgencyPlatform.Faults.Networks;

/// <summary>
/// A network of the test's own: places, each a network namespace with an address, and a router between them, a namespace too, that can lose what goes
/// from one place to another, without a word to either. The machine itself is the place <see cref="Here"/>. Addresses are of 198.18.0.0/15, which is
/// set aside for tests of networks (RFC 2544).
/// </summary>
internal sealed class Network : IAsyncDisposable
{
    /// <summary>The machine's own side.</summary>
    public const string Here = "here";

    private const int SlowTable = 77;
    private static int s_made;
    private readonly string _name;
    private readonly string _device;
    private readonly string _prefix;
    private readonly List<string> _places = [];
    private readonly List<int> _rules = [];
    private SlowRoad? _slow;
    private int _rule = 100;

    // The names of devices are the machine's, and of an earlier network they may be there still: the kernel takes its time with a namespace that is deleted.
    private Network(int number, string prefix) =>
        (_name, _device, _prefix) = ($"faults-{Environment.ProcessId}-{number}", $"flt{Environment.ProcessId}-{number}", prefix);

    private string Router => $"{_name}-router";

    /// <summary>Makes the network; places are named in at most 15 letters.</summary>
    /// <exception cref="InvalidOperationException">It cannot be made here; the message says what is needed.</exception>
    public static async Task<Network> Make(params string[] places)
    {
        var network = new Network(Interlocked.Increment(ref s_made), FreePrefix());
        try
        {
            await Ip("netns", "add", network.Router);
            await Run("ip", "netns", "exec", network.Router, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward; for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 > $f; done");
            await network.Join(Here);
            foreach (var place in places)
            {
                await network.Join(place);
            }

            return network;
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            await network.DisposeAsync();
            throw new InvalidOperationException($"Network namespaces cannot be made: run as root on Linux, with iproute2 (Debian's package) installed. {e.Message}", e);
        }
    }

    public IPAddress Address(string place) => IPAddress.Parse(Ends(place).Place);

    /// <summary>What stands before the command line of a process that is to run at a place.</summary>
    public IReadOnlyList<string> Enter(string place) => ["ip", "netns", "exec", Namespace(place)];

    /// <summary>From now on nothing comes from the one to the other, nor back: connections that stand hear nothing, new ones are not answered.</summary>
    public async Task Cut(string one, string other)
    {
        await Rule("from", Ends(one).Place, "to", Ends(other).Place, "blackhole");
        await Rule("from", Ends(other).Place, "to", Ends(one).Place, "blackhole");
    }

    /// <summary>From now on what goes between the two, either way, comes later, in another order where two times say so, and some of it never.</summary>
    /// <param name="loss">How much is lost, 0 to 1.</param>
    public async Task Slow(string one, string other, TimeSpan least, TimeSpan most, double loss)
    {
        if (_slow is null)
        {
            _slow = new SlowRoad(_device + "s", least, most, loss);
            await Ip("link", "set", _slow.Device, "netns", Router);
            await InRouter("link", "set", _slow.Device, "up");
            await InRouter("route", "add", "default", "dev", _slow.Device, "table", SlowTable.ToString(CultureInfo.InvariantCulture));
        }

        await Rule("from", Ends(one).Place, "to", Ends(other).Place, "iif", one, "lookup", SlowTable.ToString(CultureInfo.InvariantCulture));
        await Rule("from", Ends(other).Place, "to", Ends(one).Place, "iif", other, "lookup", SlowTable.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>How many packets were late, and lost, since the first was slowed.</summary>
    public (long Late, long Lost) Slowed => _slow is null ? (0, 0) : (_slow.Late, _slow.Lost);

    /// <summary>Everything goes everywhere again.</summary>
    public async Task Heal()
    {
        foreach (var rule in _rules)
        {
            await InRouter("rule", "del", "priority", rule.ToString(CultureInfo.InvariantCulture));
        }

        _rules.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        // A place's pair of devices goes with its namespace.
        foreach (var name in _places.Where(p => p != Here).Select(Namespace).Append(Router))
        {
            try
            {
                await Ip("netns", "del", name);
            }
            catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
            {
                // It was never made.
            }
        }

        _slow?.Dispose();
    }

    private string Namespace(string place) => $"{_name}-{place}";

    private async Task Join(string place)
    {
        _places.Add(place);
        var (router, own) = Ends(place);
        if (place == Here)
        {
            await Ip("link", "add", _device, "type", "veth", "peer", "name", place, "netns", Router);
            await Ip("addr", "add", own + "/30", "dev", _device);
            await Ip("link", "set", _device, "up");
        }
        else
        {
            await Ip("netns", "add", Namespace(place));
            await InRouter("link", "add", place, "type", "veth", "peer", "name", "eth0", "netns", Namespace(place));
            await Ip("-n", Namespace(place), "addr", "add", own + "/30", "dev", "eth0");
            await Ip("-n", Namespace(place), "link", "set", "eth0", "up");
            await Ip("-n", Namespace(place), "link", "set", "lo", "up");
        }

        await InRouter("addr", "add", router + "/30", "dev", place);
        await InRouter("link", "set", place, "up");
        await (place == Here ? Ip("route", "add", _prefix + "0/24", "via", router) : Ip("-n", Namespace(place), "route", "add", "default", "via", router));
    }

    /// <summary>The two addresses of a place's line: each line has four, of which two are of use.</summary>
    private (string Router, string Place) Ends(string place)
    {
        var first = 4 * _places.IndexOf(place);
        return (string.Create(CultureInfo.InvariantCulture, $"{_prefix}{first + 1}"), string.Create(CultureInfo.InvariantCulture, $"{_prefix}{first + 2}"));
    }

    private async Task Rule(params string[] rule)
    {
        _rules.Add(_rule);
        await InRouter(["rule", "add", "priority", _rule++.ToString(CultureInfo.InvariantCulture), .. rule]);
    }

    private Task InRouter(params string[] arguments) => Ip(["-n", Router, .. arguments]);

    private static Task Ip(params string[] arguments) => Run("ip", arguments);

    private static async Task Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {error.Trim()}");
        }
    }

    /// <summary>A /24 that no device of this machine has.</summary>
    private static string FreePrefix()
    {
        var taken = NetworkInterface.GetAllNetworkInterfaces().SelectMany(n => n.GetIPProperties().UnicastAddresses).Select(a => a.Address.ToString()).ToList();
        return Enumerable.Range(0, 256).Select(i => string.Create(CultureInfo.InvariantCulture, $"198.18.{(Environment.ProcessId + i) % 256}."))
            .First(prefix => !taken.Any(address => address.StartsWith(prefix, StringComparison.Ordinal)));
    }
}
