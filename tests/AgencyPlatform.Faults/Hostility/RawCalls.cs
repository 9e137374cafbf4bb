using System.Globalization;
using System.Net;
using System.Text;

namespace AgencyPlatform.Faults.Hostility;

/// <summary>Well-formed HTTP with any content: what a client library would not let out.</summary>
internal sealed class RawCalls(Uri grpc, Uri http, string key) : IDisposable
{
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(20) };

    /// <summary>The status that a gRPC call is answered; null when its connection is cut.</summary>
    public async Task<string?> Grpc(string path, byte[] content)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(grpc, path))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(content),
        };
        request.Content.Headers.TryAddWithoutValidation("content-type", "application/grpc");
        request.Headers.TE.ParseAdd("trailers");
        return await Answer(request);
    }

    /// <summary>The status that a JSON request is answered; null when its connection is cut.</summary>
    public async Task<string?> Json(HttpMethod method, string path, string content)
    {
        using var request = new HttpRequestMessage(method, new Uri(http, path)) { Content = new StringContent(content, Encoding.UTF8, "application/json") };
        return await Answer(request);
    }

    public void Dispose() => _client.Dispose();

    private async Task<string?> Answer(HttpRequestMessage request)
    {
        request.Headers.Add("authorization", "Bearer " + key);
        try
        {
            using var answer = await _client.SendAsync(request);
            await answer.Content.ReadAsByteArrayAsync();
            return answer.TrailingHeaders.TryGetValues("grpc-status", out var status) || answer.Headers.TryGetValues("grpc-status", out status)
                ? "gRPC " + status.First()
                : string.Create(CultureInfo.InvariantCulture, $"HTTP {(int)answer.StatusCode}");
        }
        catch (Exception e) when (e is HttpRequestException or IOException or TaskCanceledException)
        {
            return null;
        }
    }
}
