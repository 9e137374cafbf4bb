using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using NodaTime;
using NodaTime.Serialization.SystemTextJson;

namespace AgencyPlatform.Domain;

/// <summary>How events and states are written as JSON, and the catalogue of event names.</summary>
public static class EventJson
{
    private static readonly Dictionary<string, Type> s_typeByName = [];
    private static readonly Dictionary<Type, EventAttribute> s_nameByType = [];

    /// <summary>Stored events that have something hidden.</summary>
    private static readonly HashSet<string> s_hiding = [];

    static EventJson()
    {
        foreach (var type in typeof(IEvent).Assembly.GetTypes())
        {
            if (type.GetCustomAttribute<EventAttribute>() is { } attribute)
            {
                s_typeByName.Add(Key(attribute.Name, attribute.Version), type);
                s_nameByType.Add(type, attribute);
                if (Hides(type, []))
                {
                    s_hiding.Add(Key(attribute.Name, attribute.Version));
                }
            }
        }
    }

    public static JsonSerializerOptions Options { get; } = Create(new DefaultJsonTypeInfoResolver());

    /// <summary>The same without what is <see cref="HiddenAttribute">hidden</see>.</summary>
    private static readonly JsonSerializerOptions s_shown = Create(new DefaultJsonTypeInfoResolver { Modifiers = { Hide } });

    /// <summary>Every stored event type with its name and version.</summary>
    public static IReadOnlyDictionary<Type, EventAttribute> Catalogue => s_nameByType;

    public static EventAttribute NameOf(IEvent @event) => s_nameByType[@event.GetType()];

    public static byte[] Serialize(IEvent @event) => JsonSerializer.SerializeToUtf8Bytes(@event, @event.GetType(), Options);

    public static IEvent Deserialize(string name, int version, ReadOnlySpan<byte> payload) =>
        s_typeByName.TryGetValue(Key(name, version), out var type)
            ? (IEvent)JsonSerializer.Deserialize(payload, type, Options)!
            : throw new InvalidOperationException($"This program does not know the event {name} v{version}: it was written by a newer one.");

    /// <summary>A stored payload as those are shown it who follow the agency's events: without what is <see cref="HiddenAttribute">hidden</see>.</summary>
    public static byte[] Shown(string name, int version, byte[] payload) =>
        s_hiding.Contains(Key(name, version)) && Deserialize(name, version, payload) is { } @event ? JsonSerializer.SerializeToUtf8Bytes(@event, @event.GetType(), s_shown) : payload;

    private static string Key(string name, int version) => $"{name} v{version}";

    private static void Hide(JsonTypeInfo type)
    {
        foreach (var property in type.Properties.Where(p => p.AttributeProvider?.IsDefined(typeof(HiddenAttribute), inherit: false) is true))
        {
            property.ShouldSerialize = (_, _) => false;
        }
    }

    /// <summary>Whether a value of the type has something hidden, at any depth.</summary>
    private static bool Hides(Type type, HashSet<Type> seen) => seen.Add(type) && (
        type.GetGenericArguments().Any(t => Hides(t, seen))
        || (type.Assembly == typeof(IEvent).Assembly && type.GetProperties().Any(p => p.IsDefined(typeof(HiddenAttribute), inherit: false) || Hides(p.PropertyType, seen))));

    private static JsonSerializerOptions Create(IJsonTypeInfoResolver resolver)
    {
        var options = new JsonSerializerOptions
        {
            TypeInfoResolver = resolver,
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        };
        options.Converters.Add(new IdJsonConverterFactory());
        options.Converters.Add(new JsonStringEnumConverter());
        options.ConfigureForNodaTime(DateTimeZoneProviders.Tzdb);
        options.MakeReadOnly();
        return options;
    }
}
