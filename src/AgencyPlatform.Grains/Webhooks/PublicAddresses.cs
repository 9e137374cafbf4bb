using System.Net;
using System.Net.Sockets;

namespace AgencyPlatform.Grains.Webhooks;

/// <summary>Which addresses belong to the public internet: no call that somebody else has asked for goes anywhere else (SSRF). By the IANA registries of special-purpose addresses.</summary>
internal static class PublicAddresses
{
    private static readonly IPNetwork[] s_special4 =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
            "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",

            // What a cloud's machines are told about themselves, where it is no link-local address.
            "168.63.129.16/32",
        }.Select(n => IPNetwork.Parse(n)),
    ];

    /// <summary>Of IPv6 only what is assigned to the internet (2000::/3), without what has IPv4 addresses in it or is for documents and trials.</summary>
    private static readonly IPNetwork s_global6 = IPNetwork.Parse("2000::/3");

    private static readonly IPNetwork[] s_special6 = [.. new[] { "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20" }.Select(n => IPNetwork.Parse(n))];

    public static bool Has(IPAddress address)
    {
        address = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return address.AddressFamily switch
        {
            AddressFamily.InterNetwork => !s_special4.Any(n => n.Contains(address)),
            AddressFamily.InterNetworkV6 => s_global6.Contains(address) && !s_special6.Any(n => n.Contains(address)),
            _ => false,
        };
    }
}
