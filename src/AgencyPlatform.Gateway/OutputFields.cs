using System.Collections;
using System.Collections.Concurrent;
using System.Globalization;
using Google.Api;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace AgencyPlatform.Gateway;

/// <summary>
/// Fields that only the platform sets (<c>OUTPUT_ONLY</c> in the protos). A request that fills one asks for something that it does not get, so it is
/// refused; only an update may give them back as it read them, and says by its mask what it changes.
/// </summary>
internal static class OutputFields
{
    // Per message type, the fields that matter here: those that only the platform sets, and those in whose messages there are such.
    private static readonly ConcurrentDictionary<MessageDescriptor, (FieldDescriptor Field, bool IsOutput)[]> s_fields = new();

    /// <summary>Records every field that is filled and is not for the caller to fill.</summary>
    public static void Refuse(IMessage request, Fields fields)
    {
        if (request.Descriptor.FindFieldByName("update_mask") is null)
        {
            Refuse(request, "", fields);
        }
    }

    private static void Refuse(IMessage message, string prefix, Fields fields)
    {
        foreach (var (field, isOutput) in s_fields.GetOrAdd(message.Descriptor, static d => Of(d, [d])))
        {
            var value = field.Accessor.GetValue(message);
            if (isOutput)
            {
                fields.Require(IsEmpty(field, message, value) || fields.Has(prefix + field.Name), prefix + field.Name, "is set by the platform only: leave it out");
            }
            else if (value is IMessage inner)
            {
                Refuse(inner, $"{prefix}{field.Name}.", fields);
            }
            else if (value is IList many)
            {
                for (var i = 0; i < many.Count; i++)
                {
                    Refuse((IMessage)many[i]!, string.Create(CultureInfo.InvariantCulture, $"{prefix}{field.Name}[{i}]."), fields);
                }
            }
        }
    }

    private static bool IsEmpty(FieldDescriptor field, IMessage message, object? value) => value switch
    {
        null => true,
        ICollection many => many.Count == 0,
        _ when field.HasPresence => !field.Accessor.HasValue(message),
        string text => text.Length == 0,
        _ => value.Equals(Activator.CreateInstance(value.GetType())),
    };

    private static (FieldDescriptor Field, bool IsOutput)[] Of(MessageDescriptor type, MessageDescriptor[] above) =>
    [
        .. from field in type.Fields.InDeclarationOrder()
           let isOutput = field.GetOptions()?.GetExtension(FieldBehaviorExtensions.FieldBehavior)?.Contains(FieldBehavior.OutputOnly) is true
           where isOutput || (field is { FieldType: FieldType.Message, IsMap: false } && !above.Contains(field.MessageType) && Of(field.MessageType, [.. above, field.MessageType]).Length > 0)
           select (field, isOutput),
    ];
}
