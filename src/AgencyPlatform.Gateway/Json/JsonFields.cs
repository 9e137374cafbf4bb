using System.Globalization;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Primitives;

namespace AgencyPlatform.Gateway.Json;

/// <summary>
/// Holds JSON against a message and records what does not fit, by path as the protos spell it: <c>booking.steps[1].end_date</c>. Shape only; what values mean
/// is the services' to judge.
/// </summary>
internal sealed class JsonFields(Fields fields)
{
    /// <summary>An object against a message.</summary>
    /// <param name="path">Of the object; empty for the request itself.</param>
    public void Message(JsonElement value, MessageDescriptor type, string path)
    {
        if (WellKnown(type) is { } shape)
        {
            fields.Require(shape.Fits(value), path, shape.Meaning);
            return;
        }

        if (value.ValueKind != JsonValueKind.Object)
        {
            fields.Add(path.Length == 0 ? "body" : path, $"must be a JSON object; it is {Shown(value)}");
            return;
        }

        var seen = new HashSet<FieldDescriptor>();
        foreach (var property in value.EnumerateObject())
        {
            if (NameOf(property) is not { } name || Find(type, name) is not { } field)
            {
                fields.Add(Under(path, NameOf(property) ?? "?"), $"is no field of {type.Name}; these are: {Names(type)}");
                continue;
            }

            var at = Under(path, field.Name);
            if (!seen.Add(field))
            {
                fields.Add(at, "is there twice");
            }
            else if (property.Value.ValueKind != JsonValueKind.Null)
            {
                if (field.RealContainingOneof is { } oneof && seen.FirstOrDefault(f => f != field && f.RealContainingOneof == oneof) is { } other)
                {
                    fields.Add(at, $"cannot go with {other.Name}: one of them at most");
                }

                Field(property.Value, field, at);
            }
        }
    }

    /// <summary>A parameter of the query, whose name may be a path (<c>read_time</c>, <c>filter.state</c>).</summary>
    public void Query(MessageDescriptor type, string name, StringValues values)
    {
        var (message, field) = (type, default(FieldDescriptor));
        foreach (var part in name.Split('.'))
        {
            if (message is null || (field = Find(message, part)) is null)
            {
                fields.Add(name, $"is no parameter; these are: {Names(type)}");
                return;
            }

            message = field is { FieldType: FieldType.Message, IsRepeated: false } && WellKnown(field.MessageType) is null ? field.MessageType : null;
        }

        if (field!.IsMap || message is not null)
        {
            fields.Add(name, "cannot be given in the query as a whole");
        }
        else if (values.Count > 1 && !field.IsRepeated)
        {
            fields.Add(name, "is there twice");
        }
        else
        {
            foreach (var value in values)
            {
                // Booleans have no quotes in JSON, and everything has some sort of them in a query.
                Single(value is "true" or "false" && field.FieldType == FieldType.Bool ? JsonSerializer.SerializeToElement(value == "true") : JsonSerializer.SerializeToElement(value), field, name);
            }
        }
    }

    private void Field(JsonElement value, FieldDescriptor field, string path)
    {
        if (field.IsMap)
        {
            if (value.ValueKind != JsonValueKind.Object)
            {
                fields.Add(path, $"must be a JSON object of names and values; it is {Shown(value)}");
                return;
            }

            foreach (var entry in value.EnumerateObject())
            {
                Single(entry.Value, field.MessageType.FindFieldByName("value"), $"{path}[{NameOf(entry) ?? "?"}]");
            }
        }
        else if (field.IsRepeated)
        {
            if (value.ValueKind != JsonValueKind.Array)
            {
                fields.Add(path, $"must be a JSON array; it is {Shown(value)}");
                return;
            }

            var i = 0;
            foreach (var item in value.EnumerateArray())
            {
                Single(item, field, $"{path}[{i++.ToString(CultureInfo.InvariantCulture)}]");
            }
        }
        else
        {
            Single(value, field, path);
        }
    }

    private void Single(JsonElement value, FieldDescriptor field, string path)
    {
        switch (field.FieldType)
        {
            case FieldType.Message or FieldType.Group:
                Message(value, field.MessageType, path);
                break;
            case FieldType.Enum:
                var known = value.ValueKind == JsonValueKind.Number
                    ? value.TryGetInt32(out var number) && field.EnumType.FindValueByNumber(number) is not null
                    : TextOf(value) is { } name && field.EnumType.FindValueByName(name) is not null;
                fields.Require(known, path, $"must be one of {string.Join(", ", field.EnumType.Values.Where(v => v.Number != 0).Select(v => v.Name))}; it is {Shown(value)}");
                break;
            case FieldType.String:
                fields.Require(TextOf(value) is not null, path, $"must be a string; it is {Shown(value)}");
                break;
            case FieldType.Bool:
                fields.Require(value.ValueKind is JsonValueKind.True or JsonValueKind.False, path, $"must be true or false; it is {Shown(value)}");
                break;
            case FieldType.Bytes:
                fields.Require(value.ValueKind == JsonValueKind.String && value.TryGetBytesFromBase64(out _), path, $"must be a string in base64; it is {Shown(value)}");
                break;
            case FieldType.Int32 or FieldType.SInt32 or FieldType.SFixed32:
                Whole(value, path, int.MinValue, int.MaxValue);
                break;
            case FieldType.UInt32 or FieldType.Fixed32:
                Whole(value, path, 0, uint.MaxValue);
                break;
            case FieldType.UInt64 or FieldType.Fixed64:
                Whole(value, path, 0, long.MaxValue);
                break;
            case FieldType.Int64 or FieldType.SInt64 or FieldType.SFixed64:
                Whole(value, path, long.MinValue, long.MaxValue);
                break;
            default:
                fields.Require(
                    value.ValueKind == JsonValueKind.Number || double.TryParse(TextOf(value), CultureInfo.InvariantCulture, out _), path, $"must be a number; it is {Shown(value)}");
                break;
        }
    }

    private void Whole(JsonElement value, string path, long least, long most)
    {
        var fits = value.ValueKind == JsonValueKind.Number
            ? value.TryGetInt64(out var number)
            : long.TryParse(TextOf(value), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number);
        fields.Require(fits && number >= least && number <= most, path, string.Create(CultureInfo.InvariantCulture, $"must be a whole number from {least} to {most}; it is {Shown(value)}"));
    }

    /// <summary>Messages that JSON writes otherwise than as an object of their fields.</summary>
    private static Shape? WellKnown(MessageDescriptor type) => type.FullName switch
    {
        "google.protobuf.Timestamp" => new(Parses<Timestamp>, "must be a time such as 2026-03-31T09:30:00Z"),
        "google.protobuf.Duration" => new(Parses<Google.Protobuf.WellKnownTypes.Duration>, "must be seconds such as 900s"),
        "google.protobuf.FieldMask" => new(Parses<FieldMask>, "must be field paths in lowerCamelCase, separated by commas"),
        "google.protobuf.Struct" => new(v => v.ValueKind == JsonValueKind.Object, "must be a JSON object"),
        "google.protobuf.Value" or "google.protobuf.Any" => new(_ => true, ""),
        _ => null,
    };

    private sealed record Shape(Func<JsonElement, bool> Fits, string Meaning);

    private static bool Parses<T>(JsonElement value) where T : IMessage, new()
    {
        try
        {
            JsonParser.Default.Parse<T>(value.GetRawText());
            return value.ValueKind == JsonValueKind.String;
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or FormatException or InvalidOperationException or ArgumentException)
        {
            return false;
        }
    }

    private static FieldDescriptor? Find(MessageDescriptor type, string name) =>
        type.FindFieldByName(name) ?? type.Fields.InDeclarationOrder().FirstOrDefault(f => f.JsonName == name);

    private static string Names(MessageDescriptor type) => string.Join(", ", type.Fields.InDeclarationOrder().Select(f => f.JsonName));

    private static string Under(string path, string name)
    {
        // What the sender wrote comes back short, and without what could break a line.
        var shown = string.Concat(name.Take(64).Select(c => char.IsControl(c) ? '?' : c));
        return path.Length == 0 ? shown : $"{path}.{shown}";
    }

    /// <summary>The text of a string; null for anything else, and for half a surrogate pair.</summary>
    private static string? TextOf(JsonElement value)
    {
        try
        {
            return value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static string? NameOf(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static string Shown(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String when TextOf(value) is not { } => "no Unicode text",
        _ => $"{string.Concat(value.GetRawText().Take(60).Select(c => char.IsControl(c) ? '?' : c))}",
    };
}
