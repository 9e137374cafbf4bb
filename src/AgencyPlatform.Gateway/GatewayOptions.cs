namespace AgencyPlatform.Gateway;

/// <summary>The gateway's settings, section <c>Gateway</c>.</summary>
public sealed class GatewayOptions
{
    public const string Section = "Gateway";

    /// <summary>The platform operator's key in Development, when no hash is configured. Refused everywhere else.</summary>
    public const string DevelopmentOperatorKey = "apo_development";

    /// <summary>SHA-256 of the platform operator's key, 64 hexadecimal digits; empty: there is no operator (in Development: <see cref="DevelopmentOperatorKey"/>).</summary>
    public string OperatorKeyHash { get; set; } = "";

    /// <summary>For how long a key found good is believed, 0–30 s: a revocation is heeded everywhere within it.</summary>
    public int KeyCacheSeconds { get; set; } = 30;

    /// <summary>Calls of one agency at the same time in this process, at least 1; the next is refused with RESOURCE_EXHAUSTED.</summary>
    public int ConcurrentCallsPerAgency { get; set; } = 1024;

    /// <summary>
    /// Calls of all agencies at the same time in this process, at least 1. When there are so many, an agency that has its even share of them or more is
    /// refused the next with RESOURCE_EXHAUSTED; one that has less is let in, so that the busiest one does not take the others' place. With twice as many
    /// under way nobody is let in: what waits longer than its caller does is work for nobody.
    /// </summary>
    public int ConcurrentCalls { get; set; } = 512;

    /// <summary>Watches of one agency in this process, at least 1; the next is refused with RESOURCE_EXHAUSTED. They do not count as calls under way.</summary>
    public int WatchesPerAgency { get; set; } = 200;

    /// <summary>Seconds between the heartbeats of a watch, 1 to 60.</summary>
    public int HeartbeatSeconds { get; set; } = 10;

    /// <summary>Calls of one agency a second in this process, at least 1.</summary>
    public int CallsPerSecondPerAgency { get; set; } = 50_000;

    /// <summary>How many milliseconds' worth of <see cref="CallsPerSecondPerAgency"/> an agency that was still may call at once, 1 to 60,000.</summary>
    public int BurstMillisecondsPerAgency { get; set; } = 2_000;

    /// <summary>Bad keys of one remote address a minute, at least 1; beyond it, keys not known to be good are refused unseen with RESOURCE_EXHAUSTED.</summary>
    public int FailedKeysPerMinute { get; set; } = 60;

    /// <summary>Largest request, bytes.</summary>
    public int MaxRequestBytes { get; set; } = 4 * 1024 * 1024;

    /// <summary>Every wrong setting, by name.</summary>
    public IEnumerable<string> Problems(bool development)
    {
        if (OperatorKeyHash.Length > 0 && (OperatorKeyHash.Length != 64 || !OperatorKeyHash.All(char.IsAsciiHexDigit)))
        {
            yield return "Gateway:OperatorKeyHash must be the SHA-256 of the operator's key as 64 hexadecimal digits.";
        }
        else if (!development && OperatorKeyHash.Length > 0 && Authenticator.Hash(DevelopmentOperatorKey).AsSpan().SequenceEqual(Convert.FromHexString(OperatorKeyHash)))
        {
            yield return "Gateway:OperatorKeyHash is the hash of the development key, which only Development accepts.";
        }

        if (KeyCacheSeconds is < 0 or > 30)
        {
            yield return $"Gateway:KeyCacheSeconds must be 0 to 30; it is {KeyCacheSeconds}.";
        }

        if (ConcurrentCallsPerAgency < 1)
        {
            yield return $"Gateway:ConcurrentCallsPerAgency must be at least 1; it is {ConcurrentCallsPerAgency}.";
        }

        if (ConcurrentCalls < 1)
        {
            yield return $"Gateway:ConcurrentCalls must be at least 1; it is {ConcurrentCalls}.";
        }

        if (WatchesPerAgency < 1)
        {
            yield return $"Gateway:WatchesPerAgency must be at least 1; it is {WatchesPerAgency}.";
        }

        if (HeartbeatSeconds is < 1 or > 60)
        {
            yield return $"Gateway:HeartbeatSeconds must be 1 to 60; it is {HeartbeatSeconds}.";
        }

        if (BurstMillisecondsPerAgency is < 1 or > 60_000)
        {
            yield return $"Gateway:BurstMillisecondsPerAgency must be 1 to 60000; it is {BurstMillisecondsPerAgency}.";
        }

        if (CallsPerSecondPerAgency is < 1 or > 1_000_000)
        {
            yield return $"Gateway:CallsPerSecondPerAgency must be 1 to 1000000; it is {CallsPerSecondPerAgency}.";
        }

        if (FailedKeysPerMinute is < 1 or > 1_000_000)
        {
            yield return $"Gateway:FailedKeysPerMinute must be 1 to 1000000; it is {FailedKeysPerMinute}.";
        }

        if (MaxRequestBytes is < 64 * 1024 or > 64 * 1024 * 1024)
        {
            yield return $"Gateway:MaxRequestBytes must be 65536 to 67108864; it is {MaxRequestBytes}.";
        }
    }
}
