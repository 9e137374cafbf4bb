using System.Text.Json;
using Microsoft.Extensions.Logging;
using Orleans.Storage;

namespace AgencyPlatform.Storage.Snapshots;

/// <summary>
/// Snapshots as the JSON that the domain writes: no type names, so that assemblies may be renamed. What cannot be read is nothing, not an
/// error: the row's version is then known, and the next snapshot replaces it.
/// </summary>
internal sealed partial class SnapshotJson(ILogger<SnapshotJson> log) : IGrainStorageSerializer
{
    public BinaryData Serialize<T>(T? input) => new(JsonSerializer.SerializeToUtf8Bytes(input, EventJson.Options));

    public T? Deserialize<T>(BinaryData input)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(input.ToMemory().Span, EventJson.Options);
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            LogUnreadable(log, e.Message);
            return default;
        }
    }

    [LoggerMessage(LogLevel.Warning, "A snapshot cannot be read and is ignored: {Error}")]
    private static partial void LogUnreadable(ILogger log, string error);
}
