using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace AgencyPlatform.Gateway;

/// <summary>
/// How many bad keys one remote address may try. Beyond it a key that is not known to be good is not looked at any more, so that guessing is slow
/// and cheap for us; callers whose key has been good lately do not notice.
/// </summary>
/// <remarks>
/// Memory is fixed: addresses share <see cref="Buckets"/> buckets by a hash that nobody outside can know. Each holds the time at which what was used
/// up is whole again (the generic cell rate algorithm).
/// </remarks>
internal sealed class FailedKeys(TimeProvider system, IOptions<GatewayOptions> options)
{
    private const int Buckets = 1 << 16;

    private readonly long[] _wholeAt = new long[Buckets];
    private readonly int _perMinute = options.Value.FailedKeysPerMinute;
    private readonly long _interval = 60 * system.TimestampFrequency / options.Value.FailedKeysPerMinute;

    /// <summary>The longest that may be used up: a minute's worth at once.</summary>
    private long Burst => _interval * _perMinute;

    /// <exception cref="RpcException">RESOURCE_EXHAUSTED with RetryInfo when the address has tried too many bad keys.</exception>
    public void Ensure(IPAddress? remote)
    {
        var used = Volatile.Read(ref Bucket(remote)) - system.GetTimestamp();
        if (used + _interval > Burst)
        {
            throw Errors.Exhausted("address", "bad keys a minute", _perMinute, TimeSpan.FromSeconds((double)(used + _interval - Burst) / system.TimestampFrequency) + TimeSpan.FromMilliseconds(1));
        }
    }

    /// <summary>Counts a bad key.</summary>
    public void Count(IPAddress? remote)
    {
        ref var bucket = ref Bucket(remote);
        while (true)
        {
            var seen = Volatile.Read(ref bucket);
            if (Interlocked.CompareExchange(ref bucket, Math.Max(seen, system.GetTimestamp()) + _interval, seen) == seen)
            {
                return;
            }
        }
    }

    private ref long Bucket(IPAddress? remote)
    {
        // One customer has a /64 of IPv6: it counts as one address.
        Span<byte> bytes = stackalloc byte[16];
        var hash = new HashCode();
        if (remote is not null && (remote.IsIPv4MappedToIPv6 ? remote.MapToIPv4() : remote) is var address && address.TryWriteBytes(bytes, out var written))
        {
            hash.AddBytes(bytes[..(address.AddressFamily == AddressFamily.InterNetworkV6 ? 8 : written)]);
        }

        return ref _wholeAt[unchecked((uint)hash.ToHashCode()) % Buckets];
    }
}
