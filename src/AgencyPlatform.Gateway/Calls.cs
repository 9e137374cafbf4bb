using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using AgencyPlatform.Contracts.Agencies;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace AgencyPlatform.Gateway;

/// <summary>
/// Builds what every grain call carries from the RPC: the caller, the agency's clock and policy version, and the request's common fields,
/// found by name: <c>request_id</c>, <c>validate_only</c>, <c>etag</c>, <c>read_time</c>, <c>min_version</c>.
/// </summary>
/// <remarks>
/// A service method reads its fields with a <see cref="Fields"/>, asks here for its call (which refuses the request when any field is bad),
/// calls the grain, and maps the reply: see <see cref="Agencies.AgenciesService"/>.
/// </remarks>
public sealed class Calls(IGrainFactory grains, ActiveFacts activeFacts, TimeProvider system)
{
    /// <summary>How far a caller's clock may be ahead.</summary>
    private static readonly NodaTime.Duration s_clockSkew = NodaTime.Duration.FromMinutes(1);

    private static readonly ConcurrentDictionary<MessageDescriptor, CommonFields> s_common = new();

    /// <summary>The authenticated caller of this RPC.</summary>
    public static Caller Caller(ServerCallContext context) => (Caller)context.UserState[Gateway.Caller.StateKey];

    /// <summary>The call of a mutation. Refuses bad fields; another agency than the caller's is NOT_FOUND.</summary>
    /// <param name="etag">The etag of a resource inside the request; a field <c>etag</c> of the request itself is found by name.</param>
    public async ValueTask<Call> Mutation(ServerCallContext context, IMessage request, Fields fields, AgencyId agency, string etag = "", string etagPath = "etag")
    {
        var common = Common(request);
        var requestId = fields.RequestId("request_id", common.Text(common.RequestId, request));
        var expected = fields.Etag(etagPath, etag.Length > 0 ? etag : common.Text(common.Etag, request));
        OutputFields.Refuse(request, fields);
        fields.ThrowIfAny();
        var caller = Of(context, agency);
        var known = activeFacts.Context(agency) ?? await grains.Agency(agency).GetContext();
        if (known is null && caller.Agency is not null)
        {
            throw Errors.NotFound("agency", ResourceNames.Of(agency));
        }

        return new Call(
            agency, caller.Actor, requestId, requestId is null ? "" : Hash(context.Method, request, common.RequestId), known?.SandboxNow, known?.PolicyVersion ?? 0,
            common.ValidateOnly is { } validate && (bool)validate.Accessor.GetValue(request), expected, Activity.Current?.TraceId.ToHexString());
    }

    /// <summary>What a read carries. Refuses bad fields; another agency than the caller's is NOT_FOUND.</summary>
    public async ValueTask<Read> Read(ServerCallContext context, IMessage request, Fields fields, AgencyId agency)
    {
        var common = Common(request);
        var readTime = fields.OptionalTime("read_time", common.ReadTime?.Accessor.GetValue(request) as Timestamp);
        var minVersion = common.MinVersion is { } min ? fields.Number("min_version", (long)min.Accessor.GetValue(request), 0, long.MaxValue) : 0;
        OutputFields.Refuse(request, fields);
        fields.ThrowIfAny();
        var caller = Of(context, agency);
        var now = caller.Sandbox ? (await grains.Agency(agency).GetContext())?.SandboxNow : null;
        if (readTime is { } at && caller.Agency is not null && (now ?? Instant.FromDateTimeOffset(system.GetUtcNow())) is var latest && at > latest + s_clockSkew)
        {
            fields.Add("read_time", $"must not be in the future; it is {latest:uuuu-MM-dd'T'HH:mm:ss'Z'} by the agency's clock");
            fields.ThrowIfAny();
        }

        return new Read(agency, now, readTime, minVersion > 0 ? minVersion : null);
    }

    /// <summary>Whether a request can change nothing: it has no request id.</summary>
    internal static bool Reads(IMessage? request) => request is not null && Common(request).RequestId is null;

    /// <summary>The same read, with the version of the agency's policy of now: for reports of capacity.</summary>
    public async ValueTask<Read> UnderPolicy(Read read) =>
        read with { PolicyVersion = (activeFacts.Context(read.Agency) ?? await grains.Agency(read.Agency).GetContext())?.PolicyVersion ?? 0 };

    /// <summary>The caller, who must be of this agency, or the platform's operator.</summary>
    private static Caller Of(ServerCallContext context, AgencyId agency)
    {
        var caller = Caller(context);
        return caller.Agency is null || caller.Agency == agency ? caller : throw Errors.NotFound("agency", ResourceNames.Of(agency));
    }

    /// <summary>SHA-256 over the method and the request as received, without its id: the same id for anything else is refused.</summary>
    private static string Hash(string method, IMessage request, FieldDescriptor? requestId)
    {
        var id = requestId?.Accessor.GetValue(request);
        requestId?.Accessor.Clear(request);
        var name = Encoding.UTF8.GetByteCount(method);
        var size = request.CalculateSize();
        var length = name + 1 + size;
        var buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            Encoding.UTF8.GetBytes(method, buffer);
            buffer[name] = 0;
            // Deterministic: a repeat may come with its maps in another order.
            using (var output = new CodedOutputStream(new MemoryStream(buffer, name + 1, size), Math.Max(1, size)) { Deterministic = true })
            {
                request.WriteTo(output);
            }

            if (id is not null)
            {
                requestId!.Accessor.SetValue(request, id);
            }

            Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
            SHA256.HashData(buffer.AsSpan(0, length), hash);
            return Convert.ToHexStringLower(hash);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static CommonFields Common(IMessage request) => s_common.GetOrAdd(request.Descriptor, static d => new CommonFields(
        d.FindFieldByName("request_id"), d.FindFieldByName("etag"), d.FindFieldByName("validate_only"), d.FindFieldByName("read_time"), d.FindFieldByName("min_version")));

    private sealed record CommonFields(FieldDescriptor? RequestId, FieldDescriptor? Etag, FieldDescriptor? ValidateOnly, FieldDescriptor? ReadTime, FieldDescriptor? MinVersion)
    {
        public string Text(FieldDescriptor? field, IMessage request) => field is null ? "" : (string)field.Accessor.GetValue(request);
    }
}
