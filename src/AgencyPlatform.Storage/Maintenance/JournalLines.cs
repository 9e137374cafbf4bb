using System.Text;
using System.Text.Json;
using AgencyPlatform.Contracts.Journal;
using NodaTime.Text;

namespace AgencyPlatform.Storage;

/// <summary>
/// Stored events as lines of JSON, the whole envelope: one object an event, its payload as it is stored, byte for byte, so that the chain can be
/// computed again from the lines. Instants are ISO 8601 with seven decimals, hashes hexadecimal; what an event does not have is left out.
/// </summary>
public static class JournalLines
{
    private static readonly JsonWriterOptions s_writing = new() { Encoder = EventJson.Options.Encoder };

    /// <summary>One line, without its end.</summary>
    public static string Write(StoredEvent stored)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, s_writing))
        {
            var e = stored.Event;
            json.WriteStartObject();
            json.WriteString("agency", stored.Key.Agency.Value);
            json.WriteNumber("sequence", stored.Sequence);
            json.WriteString("kind", stored.Key.Kind);
            json.WriteString("id", stored.Key.Id);
            json.WriteNumber("version", stored.Version);
            json.WriteString("name", e.Name);
            json.WriteNumber("schemaVersion", e.SchemaVersion);
            json.WritePropertyName("payload");
            json.WriteRawValue(e.Payload);
            json.WriteString("eventId", e.Id);
            json.WriteString("occurredAt", Text(e.OccurredAt));
            json.WriteString("recordedAt", Text(stored.RecordedAt));
            Optional("legalEntity", e.LegalEntity?.Value);
            Optional("postingDate", e.PostingDate is { } date ? LocalDatePattern.Iso.Format(date) : null);
            json.WriteString("actor", e.Actor);
            Optional("requestId", e.Request?.ToString());
            Optional("requestHash", e.RequestHash);
            if (e.Request is not null)
            {
                json.WriteNumber("requestVersion", e.RequestVersion);
            }

            Optional("cause", e.Cause?.ToString());
            Optional("traceId", e.TraceId);
            json.WriteString("previousHash", Convert.ToHexStringLower(stored.PreviousHash));
            json.WriteString("hash", Convert.ToHexStringLower(stored.Hash));
            json.WriteEndObject();

            void Optional(string name, string? value)
            {
                if (value is not null)
                {
                    json.WriteString(name, value);
                }
            }
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    /// <exception cref="JsonException">The line is none of these.</exception>
    public static StoredEvent Read(string line)
    {
        using var document = JsonDocument.Parse(line);
        var json = document.RootElement;
        return new StoredEvent(
            new AggregateKey(new AgencyId(Must("agency")), Must("kind"), Must("id")),
            json.GetProperty("version").GetInt64(),
            new NewEvent(
                json.GetProperty("eventId").GetGuid(),
                Must("name"),
                json.GetProperty("schemaVersion").GetInt32(),
                Encoding.UTF8.GetBytes(json.GetProperty("payload").GetRawText()),
                At("occurredAt"),
                May("legalEntity") is { } entity ? new LegalEntityId(entity) : null,
                May("postingDate") is { } date ? LocalDatePattern.Iso.Parse(date).Value : null,
                Must("actor"),
                May("requestId") is { } request ? Guid.Parse(request) : null,
                May("requestHash"),
                json.TryGetProperty("requestVersion", out var version) ? version.GetInt64() : 0,
                May("cause") is { } cause ? Guid.Parse(cause) : null,
                May("traceId")),
            json.GetProperty("sequence").GetInt64(),
            At("recordedAt"),
            Convert.FromHexString(Must("previousHash")),
            Convert.FromHexString(Must("hash")));

        string Must(string name) => json.GetProperty(name).GetString()!;
        string? May(string name) => json.TryGetProperty(name, out var value) ? value.GetString() : null;
        Instant At(string name) => InstantPattern.ExtendedIso.Parse(Must(name)).Value;
    }

    private static string Text(Instant instant) => InstantPattern.CreateWithInvariantCulture("uuuu-MM-dd'T'HH:mm:ss.fffffff'Z'").Format(instant);
}
