using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using NodaTime;
using NodaTime.Serialization.SystemTextJson;

namespace AgencyPlatform.Domain;

/// <summary>How events and states are written as JSON, and the catalogue of event names.</summary>
public static class EventJson
{
    private static readonly Dictionary<string, Type> s_typeByName = [];
    private static readonly Dictionary<Type, EventAttribute> s_nameByType = [];

    static EventJson()
    {
        foreach (var type in typeof(IEvent).Assembly.GetTypes())
        {
            if (type.GetCustomAttribute<EventAttribute>() is { } attribute)
            {
                s_typeByName.Add(Key(attribute.Name, attribute.Version), type);
                s_nameByType.Add(type, attribute);
            }
        }
    }

    public static JsonSerializerOptions Options { get; } = Create();

    /// <summary>Every stored event type with its name and version.</summary>
    public static IReadOnlyDictionary<Type, EventAttribute> Catalogue => s_nameByType;

    public static EventAttribute NameOf(IEvent @event) => s_nameByType[@event.GetType()];

    public static byte[] Serialize(IEvent @event) => JsonSerializer.SerializeToUtf8Bytes(@event, @event.GetType(), Options);

    public static IEvent Deserialize(string name, int version, ReadOnlySpan<byte> payload) =>
        s_typeByName.TryGetValue(Key(name, version), out var type)
            ? (IEvent)JsonSerializer.Deserialize(payload, type, Options)!
            : throw new InvalidOperationException($"This program does not know the event {name} v{version}: it was written by a newer one.");

    private static string Key(string name, int version) => $"{name} v{version}";

    private static JsonSerializerOptions Create()
    {
        var options = new JsonSerializerOptions
        {
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        };
        options.Converters.Add(new IdJsonConverterFactory());
        options.Converters.Add(new JsonStringEnumConverter());
        options.ConfigureForNodaTime(DateTimeZoneProviders.Tzdb);
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}
