using System.Globalization;
using System.Text.Json;

namespace AgencyPlatform.LoadTest.Checking;

/// <summary>Reading the payloads of events.</summary>
internal static class Json
{
    public static JsonElement? Maybe(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public static string Text(this JsonElement element, string name) => element.Maybe(name)?.GetString() ?? "";

    // The feed's payload is a google.protobuf.Struct, whose numbers are doubles: whole ones may come as 600.0.
    public static int Int(this JsonElement element, string name) => element.Maybe(name) is { } value ? value.Whole() : 0;

    public static int Whole(this JsonElement value) => (int)value.GetDouble();

    public static long Long(this JsonElement element, string name) => element.Maybe(name) is { } value ? (long)value.GetDouble() : 0;

    public static DateOnly Date(this JsonElement element, string name) => ToDate(element.GetProperty(name).GetString()!);

    public static DateOnly ToDate(string text) => DateOnly.ParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture);

    public static IEnumerable<string> Strings(this JsonElement element, string name) =>
        element.Maybe(name) is { ValueKind: JsonValueKind.Array } array ? array.EnumerateArray().Select(e => e.GetString()!) : [];

    /// <summary>An instant in ISO form as nanoseconds since 1970, exact.</summary>
    public static Int128? Instant(this JsonElement element, string name)
    {
        if (element.Maybe(name)?.GetString() is not { } text)
        {
            return null;
        }

        var (seconds, fraction) = text.IndexOf('.') is var dot and >= 0 ? (text[..dot] + "Z", text[(dot + 1)..^1]) : (text, "");
        var whole = DateTimeOffset.Parse(seconds, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal).ToUnixTimeSeconds();
        return (Int128)whole * 1_000_000_000 + int.Parse(fraction.PadRight(9, '0'), CultureInfo.InvariantCulture);
    }
}
