namespace AgencyPlatform.Client;

/// <summary>How an <see cref="AgencyPlatformClient"/> reaches the platform.</summary>
public sealed class AgencyPlatformClientOptions
{
    /// <summary>Where the gRPC service listens: <c>https://…</c>, or <c>http://…</c> (HTTP/2 without TLS) on this machine.</summary>
    public required Uri Address { get; init; }

    /// <summary>
    /// More gateways of the same cluster, each like <see cref="Address"/> and of its scheme. Calls are spread over all; one that is gone is passed by,
    /// and taken up again when it is back. They need the default <see cref="HttpHandler"/>.
    /// </summary>
    public IReadOnlyList<Uri> OtherAddresses { get; init; } = [];

    /// <summary>The API key, <c>apk_{agency}_{key id}_{secret}</c>, sent with every call. Empty: none is sent.</summary>
    public string ApiKey { get; init; } = "";

    /// <summary>Allows <c>http://</c> to another machine, where everybody between reads the key. For a private network only.</summary>
    public bool AllowPlaintext { get; init; }

    /// <summary>How often a call whose outcome is unknown is sent again, 0–100. Each time with the same request id, so that it takes effect once.</summary>
    public int Retries { get; init; } = 5;

    /// <summary>How long one sending may take before it is sent again; null: only the call's own deadline counts.</summary>
    public TimeSpan? AttemptTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The wait before the first repeat; it doubles each time, with jitter, up to 10 s. A RetryInfo of the service counts more.</summary>
    public TimeSpan FirstRetryDelay { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The clock for deadlines and waits.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Another HTTP handler: a proxy, a test's server, gRPC-Web.</summary>
    public HttpMessageHandler? HttpHandler { get; init; }
}
