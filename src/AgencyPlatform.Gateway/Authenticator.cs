using System.Security.Cryptography;
using System.Text;
using AgencyPlatform.Contracts.Agencies;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace AgencyPlatform.Gateway;

/// <summary>
/// Who holds a key. A key is <c>apk_{agency}_{key id}_{secret}</c>: it names its agency, whose grain compares the SHA-256 of the secret in
/// constant time. A key found good is believed for <see cref="GatewayOptions.KeyCacheSeconds"/> (at most 30 s) by the system's clock, and
/// never beyond its own expiry; that bounds how long a revoked key still works.
/// </summary>
internal sealed class Authenticator(IGrainFactory grains, TimeProvider system, IOptions<GatewayOptions> options, IHostEnvironment environment, FailedKeys failed) : IDisposable
{
    /// <summary>For how long a key that was good is asked about again even when its address has tried too many bad ones.</summary>
    private static readonly TimeSpan s_remembered = TimeSpan.FromHours(1);

    private const string Refusal = "No good key: send 'authorization: Bearer <key>' with a key that is known, not expired and not revoked.";

    private readonly MemoryCache _good = new(new MemoryCacheOptions { SizeLimit = 100_000 });
    private readonly byte[]? _operator =
        options.Value.OperatorKeyHash.Length > 0 ? Convert.FromHexString(options.Value.OperatorKeyHash)
        : environment.IsDevelopment() ? Hash(GatewayOptions.DevelopmentOperatorKey)
        : null;

    private sealed record Good(Caller Caller, DateTimeOffset Until);

    /// <summary>SHA-256 of a key's or secret's text.</summary>
    public static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));

    /// <summary>A key's text.</summary>
    public static string KeyText(AgencyId agency, ApiKeyId id, string secret) => $"apk_{agency}_{id}_{secret}";

    /// <param name="remote">Where the call comes from; null: not known.</param>
    /// <exception cref="RpcException">UNAUTHENTICATED, the same for every reason; RESOURCE_EXHAUSTED after too many bad keys from the address.</exception>
    public ValueTask<Caller> Authenticate(Metadata headers, System.Net.IPAddress? remote = null) =>
        headers.GetValue("authorization") is { } header && header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) && header.Length <= 300
            ? Authenticate(header[7..].Trim(), remote)
            : throw Errors.Unauthenticated(Refusal);

    /// <summary>The same with the key itself.</summary>
    public async ValueTask<Caller> Authenticate(string key, System.Net.IPAddress? remote)
    {
        if (key.StartsWith("apo_", StringComparison.Ordinal))
        {
            failed.Ensure(remote);
            return _operator is not null && CryptographicOperations.FixedTimeEquals(_operator, Hash(key)) ? Caller.Operator : throw Bad(remote);
        }

        var now = system.GetUtcNow();
        var cacheKey = Convert.ToHexString(Hash(key));
        if (_good.TryGetValue(cacheKey, out Good? known) && known!.Until > now)
        {
            return known.Caller;
        }

        if (known is null)
        {
            failed.Ensure(remote);
        }

        var parts = key.Split('_');
        if (parts is not ["apk", var agency, var id, { Length: > 0 } secret] || !IdSyntax.IsValid(agency) || !IdSyntax.IsValid(id))
        {
            throw Bad(remote);
        }

        CallerAgency.Set(new AgencyId(agency));
        var found = await grains.Agency(new AgencyId(agency)).Authenticate(new ApiKeyId(id), Hash(secret));
        if (found is null || (found.Key.ExpiresAt is { } expires && expires <= Instant.FromDateTimeOffset(now)))
        {
            _good.Remove(cacheKey);
            throw Bad(remote);
        }

        var caller = new Caller(
            new AgencyId(agency),
            found.Key.Cmo is { } cmo ? $"cmo:{cmo}" : found.Key.Client is { } client ? $"client:{client}" : $"key:{id}",
            found.Key.Roles, found.Key.Client, found.Key.Cmo, found.Sandbox);
        var until = now.AddSeconds(options.Value.KeyCacheSeconds);
        if (found.Key.ExpiresAt is { } end && end.ToDateTimeOffset() < until)
        {
            until = end.ToDateTimeOffset();
        }

        _good.Set(cacheKey, new Good(caller, until), new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = s_remembered });
        return caller;
    }

    private RpcException Bad(System.Net.IPAddress? remote)
    {
        failed.Count(remote);
        return Errors.Unauthenticated(Refusal);
    }

    public void Dispose() => _good.Dispose();
}
