using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using System.Threading.RateLimiting;
using AgencyPlatform.Domain.Webhooks;

namespace AgencyPlatform.Grains.Webhooks;

/// <summary>What came of a request to an endpoint, and how long it asks to be left alone.</summary>
internal sealed record Sent(WebhookAttempt Attempt, Duration? RetryAfter = null);

/// <summary>
/// Sends signed requests to endpoints that anybody may have named: to public addresses only (unless it is set otherwise), without following redirects, each within a time, a few at once for
/// each agency and for the process. Of an answer the status counts and the body is not looked at.
/// </summary>
internal sealed class WebhookSender : IDisposable
{
    /// <summary>Bytes of a body that is passed over so that its connection can be used again; with more it is closed.</summary>
    private const int DrainedBytes = 64 * 1024;

    private static readonly TimeSpan s_drainTime = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_connectTime = TimeSpan.FromSeconds(5);

    /// <summary>Names are looked up anew after so long.</summary>
    private static readonly TimeSpan s_connectionLifetime = TimeSpan.FromMinutes(2);

    private readonly WebhookOptions _options;
    private readonly WebhookSecrets _secrets;
    private readonly TimeProvider _system;
    private readonly HttpClient _http;
    private readonly PartitionedRateLimiter<AgencyId> _turns;

    public WebhookSender(WebhookOptions options, WebhookSecrets secrets, TimeProvider system)
    {
        (_options, _secrets, _system) = (options, secrets, system);
        _http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,

            // A proxy would look names up itself, and go where this process must not.
            UseProxy = false,
            ActivityHeadersPropagator = null,
            ConnectCallback = Connect,
            ConnectTimeout = s_connectTime,
            PooledConnectionLifetime = s_connectionLifetime,
            PooledConnectionIdleTimeout = s_connectionLifetime,
            MaxResponseHeadersLength = 16,
            MaxResponseDrainSize = DrainedBytes,
            ResponseDrainTimeout = s_drainTime,
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("AgencyPlatform-Webhooks", "1"));

        // The agency's turn first: who waits for it takes no other agency's place.
        _turns = PartitionedRateLimiter.CreateChained(
            PartitionedRateLimiter.Create<AgencyId, AgencyId>(agency => RateLimitPartition.GetConcurrencyLimiter(agency, _ => AtOnce(options.ConcurrentDeliveriesPerAgency))),
            PartitionedRateLimiter.Create<AgencyId, int>(_ => RateLimitPartition.GetConcurrencyLimiter(0, _ => AtOnce(options.ConcurrentDeliveries))));
    }

    /// <summary>Why an address cannot be an endpoint's, as a bad field says it; null when it can. Names are looked up only when they are called.</summary>
    public string? Unfit(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not ("https" or "http") || uri.UserInfo.Length > 0 || uri.Fragment.Length > 0)
        {
            return "must be an absolute address that begins with https://, without user and fragment";
        }

        return _options.AllowPrivateAddresses ? null
            : uri.Scheme != "https" ? "must begin with https://"
            : IPAddress.TryParse(uri.IdnHost, out var address) && !PublicAddresses.Has(address) ? "must be of the public internet"
            : null;
    }

    /// <summary>Sends a message once, when its turn has come.</summary>
    /// <returns>Null: there is no key to sign with, and nothing was sent.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled; the endpoint may have got it.</exception>
    public async Task<Sent?> Send(AgencyId agency, Webhook webhook, WebhookMessage message, CancellationToken cancellation)
    {
        using var turn = await _turns.AcquireAsync(agency, cancellationToken: cancellation);
        var now = _system.GetUtcNow();
        var at = Instant.FromDateTimeOffset(now);
        var timestamp = now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var signatures = new List<string>();
        foreach (var secret in webhook.Signing(at))
        {
            if (_secrets.Key(agency, webhook.Id, secret) is { } key)
            {
                signatures.Add(Sign(key, message, timestamp));
            }
            else if (signatures.Count == 0)
            {
                // The secret that it has now. One that only signs until its successor is known everywhere may be missing.
                return null;
            }
        }

        using var request = new HttpRequestMessage(HttpMethod.Post, webhook.Endpoint.Url) { Content = new ReadOnlyMemoryContent(message.Body) };
        request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(message.ContentType);
        request.Headers.Add("webhook-id", message.Id);
        request.Headers.Add("webhook-timestamp", timestamp);
        request.Headers.Add("webhook-signature", string.Join(' ', signatures));

        var began = _system.GetTimestamp();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(_options.TimeoutSeconds), _system);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, patience.Token);
        try
        {
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            var status = (int)response.StatusCode;
            return new Sent(Attempt(status, status switch
            {
                >= 200 and < 300 => "",
                >= 300 and < 400 => $"answered {status}; redirects are not followed",
                _ => $"answered {status}",
            }), RetryAfter(response.Headers.RetryAfter, now));
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new Sent(Attempt(0, patience.IsCancellationRequested ? $"did not answer within {_options.TimeoutSeconds} s" : "could not be connected to in time"));
        }
        catch (HttpRequestException e)
        {
            return new Sent(Attempt(0, Trouble(e)));
        }

        WebhookAttempt Attempt(int status, string error) => new(message.Id, at, status, error, (int)Math.Min(int.MaxValue, _system.GetElapsedTime(began).TotalMilliseconds));
    }

    public void Dispose()
    {
        _http.Dispose();
        _turns.Dispose();
    }

    /// <summary>By Standard Webhooks: HMAC-SHA256 over id, timestamp and body.</summary>
    private static string Sign(byte[] key, WebhookMessage message, string timestamp) =>
        "v1," + Convert.ToBase64String(HMACSHA256.HashData(key, (byte[])[.. Encoding.UTF8.GetBytes($"{message.Id}.{timestamp}."), .. message.Body.Span]));

    private static Duration? RetryAfter(RetryConditionHeaderValue? asked, DateTimeOffset now) => asked switch
    {
        { Delta: { } delta } => Duration.FromTimeSpan(delta),
        { Date: { } date } when date > now => Duration.FromTimeSpan(date - now),
        _ => null,
    };

    private static string Trouble(HttpRequestException e) => e switch
    {
        { InnerException: RefusedAddressException refused } => refused.Message,
        { HttpRequestError: HttpRequestError.NameResolutionError } => "its name could not be looked up",
        { HttpRequestError: HttpRequestError.SecureConnectionError } or { InnerException: AuthenticationException } => "TLS failed: its certificate is not good for its name, or it speaks no TLS",
        { InnerException: SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain } } => "its name could not be looked up",
        { HttpRequestError: HttpRequestError.ConnectionError } => "could not be connected to",
        { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded } => "answered with too many headers",
        _ => "ended the connection without an answer that is HTTP",
    };

    /// <summary>Connects to addresses that were judged, and looks no name up a second time: one that changes its mind in between gets nowhere.</summary>
    private async ValueTask<Stream> Connect(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var end = context.DnsEndPoint;
        var addresses = IPAddress.TryParse(end.Host, out var literal) ? [literal] : await Dns.GetHostAddressesAsync(end.Host, cancellation);
        if (!_options.AllowPrivateAddresses)
        {
            addresses = [.. addresses.Where(PublicAddresses.Has)];
        }

        if (addresses.Length == 0)
        {
            throw new RefusedAddressException();
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, end.Port, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static ConcurrencyLimiterOptions AtOnce(int most) => new() { PermitLimit = most, QueueLimit = int.MaxValue, QueueProcessingOrder = QueueProcessingOrder.OldestFirst };

    private sealed class RefusedAddressException() : IOException("its name has no address of the public internet");
}
