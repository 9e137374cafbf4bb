using AgencyPlatform.Client;

namespace AgencyPlatform.LoadTest.Load;

/// <summary>The way to the service: one pool of connections for all agencies and keys. With several addresses, the client library's own pools, one a client.</summary>
internal sealed class Connection(IReadOnlyList<Uri> addresses, string operatorKey) : IDisposable
{
    private readonly SocketsHttpHandler _handler = new()
    {
        EnableMultipleHttp2Connections = true,
        KeepAlivePingDelay = TimeSpan.FromSeconds(20),
        KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
        ConnectTimeout = TimeSpan.FromSeconds(10),
    };

    private AgencyPlatformClient? _operator;

    public Uri Address => addresses[0];

    public bool HasOperator => operatorKey.Length > 0;

    /// <summary>The platform's operator.</summary>
    public AgencyPlatformClient Operator => _operator ??= As(operatorKey, retries: 10);

    /// <summary>A client with a key; to be disposed, which leaves the connections open.</summary>
    public AgencyPlatformClient As(string key, int retries, TimeSpan? attempt = null) =>
        new(new()
        {
            Address = Address,
            OtherAddresses = [.. addresses.Skip(1)],
            ApiKey = key,
            Retries = retries,
            AttemptTimeout = retries == 0 ? attempt : TimeSpan.FromSeconds(60),
            HttpHandler = addresses.Count == 1 ? new Shared(_handler) : null,
        });

    public void Dispose()
    {
        _operator?.Dispose();
        _handler.Dispose();
    }

    /// <summary>A channel disposes its handler; this one stays.</summary>
    private sealed class Shared(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        protected override void Dispose(bool disposing)
        {
        }
    }
}
