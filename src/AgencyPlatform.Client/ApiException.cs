using Google.Rpc;
using Grpc.Core;

namespace AgencyPlatform.Client;

/// <summary>
/// A call that the platform refused or could not answer, with what <c>google.rpc.Status</c> says of it. Every call of an
/// <see cref="AgencyPlatformClient"/> that fails throws it; it is an <see cref="RpcException"/> too.
/// </summary>
public sealed class ApiException : RpcException
{
    internal ApiException(RpcException inner)
        : base(inner.Status, inner.Trailers, inner.Status.Detail)
    {
        var status = inner.GetRpcStatus();
        var info = status?.GetDetail<ErrorInfo>();
        Reason = info?.Reason ?? "";
        Metadata = info is null ? new Dictionary<string, string>() : new Dictionary<string, string>(info.Metadata);
        FieldViolations = status?.GetDetail<BadRequest>() is { } bad ? [.. bad.FieldViolations.Select(v => new FieldViolation(v.Field, v.Description))] : [];
        RetryAfter = status?.GetDetail<RetryInfo>()?.RetryDelay?.ToTimeSpan();
        Resource = status?.GetDetail<ResourceInfo>() is { } resource ? resource.ResourceName : "";
    }

    /// <summary>The stable word for what is wrong, for example <c>CAPACITY_EXCEEDED</c>; docs/errors.md explains each. Empty when the platform was not reached.</summary>
    public string Reason { get; }

    /// <summary>The numbers behind a refusal, by lower_snake key.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Every bad field of the request, by path, with what would be right.</summary>
    public IReadOnlyList<FieldViolation> FieldViolations { get; }

    /// <summary>The name of the resource that is not there, or there already.</summary>
    public string Resource { get; }

    /// <summary>How long the platform asks to wait before a repeat; null: it does not ask for one.</summary>
    public TimeSpan? RetryAfter { get; }

    /// <summary>Whether the call may have taken effect: repeat it with the same request id to know.</summary>
    public bool OutcomeUnknown => StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.Cancelled or StatusCode.Unknown;
}

/// <summary>One bad field.</summary>
/// <param name="Field">Its path in the request, for example <c>booking.steps[1].end_date</c>.</param>
/// <param name="Description">What would be right.</param>
public sealed record FieldViolation(string Field, string Description);
