using System.Globalization;
using Google.Protobuf;
using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace AgencyPlatform.Gateway;

/// <summary>
/// A gRPC message that has more bytes than are taken, or is no message of its type, is refused while it is read, before any interceptor, with a status that has
/// no details. Every status of our own has some: the one without gets its code and details here.
/// </summary>
internal sealed class UnreadGrpcRequests(RequestDelegate next, int most)
{
    private const string Details = "grpc-status-details-bin";

    private static readonly string s_exhausted = Text(StatusCode.ResourceExhausted);
    private static readonly string[] s_failed = [Text(StatusCode.Unknown), Text(StatusCode.Internal)];

    public async Task InvokeAsync(HttpContext http)
    {
        await next(http);
        if (http.GetEndpoint()?.Metadata.GetMetadata<GrpcMethodMetadata>() is not { } called || called.ServiceType.Assembly != typeof(UnreadGrpcRequests).Assembly)
        {
            return;
        }

        // An answer that is nothing but a status has it in its headers.
        var answer = http.Response.HasStarted ? http.Features.Get<IHttpResponseTrailersFeature>()?.Trailers : http.Response.Headers;
        if (answer is not { IsReadOnly: false } || answer.ContainsKey(Details) || !answer.TryGetValue("grpc-status", out var code))
        {
            return;
        }

        var refusal = code == s_exhausted ? Errors.TooLarge(most) : s_failed.Contains(code.ToString()) ? Errors.Unreadable(called.Method.FullName) : null;
        if (refusal?.GetRpcStatus() is { } status)
        {
            answer["grpc-status"] = Text((StatusCode)status.Code);
            answer["grpc-message"] = status.Message;
            answer[Details] = Convert.ToBase64String(status.ToByteArray());
        }
    }

    private static string Text(StatusCode code) => ((int)code).ToString(CultureInfo.InvariantCulture);
}
