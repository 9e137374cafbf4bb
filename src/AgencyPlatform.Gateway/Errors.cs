using System.Diagnostics;
using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Microsoft.Extensions.Logging;

namespace AgencyPlatform.Gateway;

/// <summary>From refusals and trouble to <c>google.rpc.Status</c>, by the table of docs/errors.md.</summary>
public static class Errors
{
    public const string Domain = "agencyplatform";

    private static readonly TimeSpan s_retry = TimeSpan.FromMilliseconds(500);

    /// <summary>The answer's value and meta; a refusal is thrown as its status.</summary>
    public static (T Value, Meta Meta) OrThrow<T>(this Reply<T> reply) =>
        reply.Rejection is { } rejection ? throw Refused(rejection) : (reply.Value!, reply.Meta!);

    public static RpcException Refused(Rejection rejection)
    {
        var info = new ErrorInfo { Reason = rejection.Reason, Domain = Domain };
        foreach (var (key, value) in rejection.Metadata)
        {
            info.Metadata[key] = value;
        }

        return rejection.Kind switch
        {
            RejectionKind.Rule => Status(Code.FailedPrecondition, rejection.Message, info),
            RejectionKind.Invalid => Invalid(rejection.Fields),
            RejectionKind.NotFound => Status(Code.NotFound, rejection.Message, info, Resource(rejection)),
            RejectionKind.AlreadyExists => Status(Code.AlreadyExists, rejection.Message, info, Resource(rejection)),
            RejectionKind.Stale => Status(Code.Aborted, rejection.Message, info),
            _ => throw new UnreachableException(rejection.Kind.ToString()),
        };
    }

    /// <summary>Every bad field at once.</summary>
    public static RpcException Invalid(IReadOnlyCollection<FieldViolation> fields)
    {
        var bad = new BadRequest();
        bad.FieldViolations.AddRange(fields.Select(f => new BadRequest.Types.FieldViolation { Field = f.Field, Description = f.Description }));
        return Status(
            Code.InvalidArgument, string.Join(" ", fields.Select(f => $"{f.Field}: {f.Description}.")),
            new ErrorInfo { Reason = Reasons.InvalidArgument, Domain = Domain }, bad);
    }

    public static RpcException NotFound(string type, string name) => Refused(Rejection.NotFound(type, name));

    public static RpcException Unauthenticated(string message) =>
        Status(Code.Unauthenticated, message, new ErrorInfo { Reason = Reasons.Unauthenticated, Domain = Domain });

    public static RpcException Denied(string message) =>
        Status(Code.PermissionDenied, message, new ErrorInfo { Reason = Reasons.PermissionDenied, Domain = Domain });

    /// <summary>A cursor that the feed does not know.</summary>
    public static RpcException OutOfRange(string message, params ReadOnlySpan<(string Key, string Value)> metadata)
    {
        var info = new ErrorInfo { Reason = Reasons.CursorOutOfRange, Domain = Domain };
        foreach (var (key, value) in metadata)
        {
            info.Metadata[key] = value;
        }

        return Status(Code.OutOfRange, message, info);
    }

    /// <param name="subject">Whose limit it is: agency, address.</param>
    public static RpcException Exhausted(string subject, string what, int limit, TimeSpan retryAfter) => Status(
        Code.ResourceExhausted,
        $"The {subject} is over its limit of {limit.ToString(CultureInfo.InvariantCulture)} {what}: wait and repeat.",
        new ErrorInfo { Reason = Reasons.RateLimited, Domain = Domain },
        new RetryInfo { RetryDelay = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(retryAfter) },
        new QuotaFailure { Violations = { new QuotaFailure.Types.Violation { Subject = subject, Description = $"{limit.ToString(CultureInfo.InvariantCulture)} {what}" } } });

    /// <summary>A request that has more bytes than are taken.</summary>
    internal static RpcException TooLarge(int most) => Status(
        Code.ResourceExhausted, $"The request has more than the {most.ToString(CultureInfo.InvariantCulture)} bytes that are taken: send less at once.",
        new ErrorInfo { Reason = Reasons.RequestTooLarge, Domain = Domain });

    /// <summary>Bytes that are no message.</summary>
    internal static RpcException Unreadable(string method) => Status(
        Code.InvalidArgument, $"The bytes that were sent are no message that {method} takes: they are cut short, are no protobuf, or have a string that is not UTF-8.",
        new ErrorInfo { Reason = Reasons.InvalidArgument, Domain = Domain });

    /// <summary>A path or verb that is no method of the JSON API.</summary>
    internal static RpcException NoSuchMethod(string what) => Status(
        Code.Unimplemented, $"{what} is no method of this API: /docs lists them.", new ErrorInfo { Reason = Reasons.NoSuchMethod, Domain = Domain });

    /// <param name="reads">Whether the call could change nothing, so that no outcome is in doubt.</param>
    public static RpcException Unavailable(string message, bool reads = false) => Status(
        Code.Unavailable,
        reads ? $"{message} Repeat in a moment." : $"{message} The outcome is unknown: repeat with the same request_id.",
        new ErrorInfo { Reason = Reasons.Unavailable, Domain = Domain },
        new RetryInfo { RetryDelay = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(s_retry) });

    /// <summary>The status of whatever a call threw.</summary>
    internal static RpcException Of(Exception exception, ServerCallContext context, ILogger log, bool reads = false)
    {
        switch (exception)
        {
            case RpcException rpc:
                return rpc;
            case UnavailableException unavailable:
                return Unavailable(unavailable.Message, reads);
            case ForeignAgencyException:
                // Whatever let the call through to a grain of another agency: the caller learns nothing of it.
                log.LogError("{Method} reached for another agency and was refused by its grain", context.Method);
                return NotFound("agency", "");
            case OperationCanceledException when context.CancellationToken.IsCancellationRequested:
                return new RpcException(new Grpc.Core.Status(StatusCode.Cancelled, "The caller has gone."));
            case TimeoutException or OrleansException or OperationCanceledException:
            case { StackTrace: { } thrown } when thrown.AsSpan().TrimStart().StartsWith("at Orleans.Runtime.", StringComparison.Ordinal):
                // The last: what the runtime's own code throws, as when a silo cannot activate anything any more. Of what was done the caller knows nothing.
                log.LogWarning(exception, "{Method} found the cluster in trouble", context.Method);
                return Unavailable("The cluster did not answer in time.", reads);
            default:
                // Where the call is not traced an id all the same: the log has it.
                var trace = (Activity.Current?.TraceId ?? ActivityTraceId.CreateRandom()).ToHexString();
                log.LogError(exception, "{Method} failed, trace {TraceId}", context.Method, trace);
                return Status(Code.Internal, $"An error of ours, trace {trace}.");
        }
    }

    private static ResourceInfo Resource(Rejection rejection) => new()
    {
        // The kinds of aggregates, as the API calls them.
        ResourceType = rejection.Metadata.GetValueOrDefault("resource_type", "") is var type && type == "client" ? "client_company" : type.Replace('-', '_'),
        ResourceName = rejection.Metadata.GetValueOrDefault("resource_name", ""),
        Description = rejection.Message,
    };

    private static RpcException Status(Code code, string message, params ReadOnlySpan<IMessage> details)
    {
        var status = new Google.Rpc.Status { Code = (int)code, Message = message };
        foreach (var detail in details)
        {
            status.Details.Add(Any.Pack(detail));
        }

        return status.ToRpcException();
    }
}
