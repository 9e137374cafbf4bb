using System.Reflection;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Rpc;

namespace AgencyPlatform.Gateway;

/// <summary>Every proto file of the public API, as generated code knows it.</summary>
public static class ProtocolFiles
{
    public static IReadOnlyList<FileDescriptor> All { get; } =
    [
        .. typeof(Protocol.Type.V1.Money).Assembly.GetTypes()
            .Where(t => t.Name.EndsWith("Reflection", StringComparison.Ordinal))
            .Select(t => t.GetProperty("Descriptor", BindingFlags.Public | BindingFlags.Static)?.GetValue(null))
            .OfType<FileDescriptor>()
            .OrderBy(f => f.Name, StringComparer.Ordinal),
    ];

    /// <summary>Every service of the public API.</summary>
    public static IEnumerable<ServiceDescriptor> Services => All.SelectMany(f => f.Services);

    /// <summary>What JSON needs to write messages that are packed in an Any: error details, results of long work.</summary>
    internal static TypeRegistry Types { get; } = TypeRegistry.FromFiles([ErrorDetailsReflection.Descriptor, .. All]);

    /// <summary>The same files with their comments, as a FileDescriptorSet.</summary>
    internal static FileDescriptorSet WithComments()
    {
        using var stream = typeof(Protocol.Type.V1.Money).Assembly.GetManifestResourceStream("api.protoset")!;
        return FileDescriptorSet.Parser.WithExtensionRegistry(new ExtensionRegistry { Google.Api.AnnotationsExtensions.Http, Google.Api.FieldBehaviorExtensions.FieldBehavior }).ParseFrom(stream);
    }
}
