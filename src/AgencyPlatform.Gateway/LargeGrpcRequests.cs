using Google.Protobuf;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace AgencyPlatform.Gateway;

/// <summary>
/// A gRPC message with more bytes than are taken is refused while it is read, before any interceptor, with a status that has no details. Every
/// RESOURCE_EXHAUSTED of our own has some: the one without gets those of a request that is too large.
/// </summary>
internal sealed class LargeGrpcRequests(RequestDelegate next, int most)
{
    private const string Details = "grpc-status-details-bin";

    private static readonly string s_exhausted = ((int)StatusCode.ResourceExhausted).ToString(System.Globalization.CultureInfo.InvariantCulture);

    public async Task InvokeAsync(HttpContext http)
    {
        await next(http);
        if (http.Request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) is not true)
        {
            return;
        }

        // An answer that is nothing but a status has it in its headers.
        var status = http.Response.HasStarted ? http.Features.Get<IHttpResponseTrailersFeature>()?.Trailers : http.Response.Headers;
        if (status is { IsReadOnly: false } && status["grpc-status"] == s_exhausted && !status.ContainsKey(Details))
        {
            var refusal = Errors.TooLarge(most).GetRpcStatus()!;
            status["grpc-message"] = refusal.Message;
            status[Details] = Convert.ToBase64String(refusal.ToByteArray());
        }
    }
}
