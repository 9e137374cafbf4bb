using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Microsoft.AspNetCore.Grpc.JsonTranscoding;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace AgencyPlatform.Gateway.Json;

/// <summary>
/// What a JSON request meets before it is transcoded: the limit of its size, and a reading of body and query against the method's message, so that every
/// malformed or unknown field is named at once. Transcoding by itself names none of them, and leaves out what it does not know.
/// </summary>
internal sealed class JsonRequests(RequestDelegate next, int most)
{
    private static readonly JsonFormatter s_json = new(JsonFormatter.Settings.Default.WithFormatDefaultValues(false).WithTypeRegistry(ProtocolFiles.Types));
    private static readonly JsonDocumentOptions s_strict = new() { MaxDepth = 64, AllowTrailingCommas = false, CommentHandling = JsonCommentHandling.Disallow };

    public async Task InvokeAsync(HttpContext http)
    {
        if (http.Request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) is true)
        {
            await next(http);
            return;
        }

        if (http.GetEndpoint()?.Metadata.GetMetadata<GrpcJsonTranscodingMetadata>() is not { } method)
        {
            await next(http);
            if (http.Response is { StatusCode: StatusCodes.Status404NotFound or StatusCodes.Status405MethodNotAllowed, HasStarted: false } && http.Request.Path.StartsWithSegments("/v1"))
            {
                await Refuse(http, http.Response.StatusCode, Errors.NoSuchMethod($"{http.Request.Method} {http.Request.Path}"));
            }

            return;
        }

        if (await Body(http) is not { } body)
        {
            await Refuse(http, StatusCodes.Status413PayloadTooLarge, Errors.TooLarge(most));
            return;
        }

        var fields = new Fields();
        // A body is the whole message ("*"); no method takes a field's own.
        var (message, hasBody) = (method.MethodDescriptor.InputType, method.HttpRule.Body.Length > 0);
        if (hasBody && !http.Request.HasJsonContentType())
        {
            fields.Add("content-type", "must be application/json");
        }
        else if (hasBody)
        {
            ReadBody(body, message, fields);
        }

        var query = new JsonFields(fields);
        foreach (var (name, values) in http.Request.Query)
        {
            if (hasBody)
            {
                fields.Add(name, "is not taken from the query: this method takes its fields from the body");
            }
            else
            {
                query.Query(message, name, values);
            }
        }

        if (fields.Any)
        {
            await Refuse(http, StatusCodes.Status400BadRequest, Errors.Invalid(fields.Violations));
            return;
        }

        http.Request.Body = new MemoryStream(body.Array!, body.Offset, body.Count, writable: false);
        await next(http);
    }

    private static void ReadBody(ArraySegment<byte> body, MessageDescriptor message, Fields fields)
    {
        if (body.Count == 0)
        {
            fields.Add("body", "must be a JSON object; it is empty");
            return;
        }

        try
        {
            using var document = JsonDocument.Parse(body, s_strict);
            new JsonFields(fields).Message(document.RootElement, message, "");
        }
        catch (JsonException e)
        {
            fields.Add("body", string.Create(
                System.Globalization.CultureInfo.InvariantCulture,
                $"must be JSON, at most {s_strict.MaxDepth} deep; it is none at line {(e.LineNumber ?? 0) + 1}, byte {(e.BytePositionInLine ?? 0) + 1}"));
        }
    }

    /// <summary>The whole body; null when it has more bytes than are taken. What is left the server reads on, so that the sender hears the answer.</summary>
    private async Task<ArraySegment<byte>?> Body(HttpContext http)
    {
        if (http.Request.ContentLength > most)
        {
            return null;
        }

        if (http.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false })
        {
            return ArraySegment<byte>.Empty;
        }

        var read = new MemoryStream((int)(http.Request.ContentLength ?? 0));
        var buffer = new byte[16 * 1024];
        for (int count; (count = await http.Request.Body.ReadAsync(buffer, http.RequestAborted)) > 0;)
        {
            if (read.Length + count > most)
            {
                return null;
            }

            read.Write(buffer, 0, count);
        }

        return read.TryGetBuffer(out var all) ? all : ArraySegment<byte>.Empty;
    }

    private static async Task Refuse(HttpContext http, int status, RpcException error)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        await http.Response.WriteAsync(s_json.Format(error.GetRpcStatus()), http.RequestAborted);
    }
}
