namespace AgencyPlatform.Contracts;

/// <summary>What every grain call carries: who asks, for which agency, when, and under which request id.</summary>
/// <param name="Agency">The caller's agency; a grain whose key names another refuses.</param>
/// <param name="Actor">Who acts: <c>key:{id}</c>, <c>user:{id}</c>, <c>operator</c>, or <c>system</c> for time and sagas.</param>
/// <param name="Request">The caller's request id, or null when the call is not a mutation of a caller (time, a saga's step).</param>
/// <param name="RequestHash">SHA-256 of the request as received without its id, before defaults; empty without a request id.</param>
/// <param name="SandboxNow">The sandbox agency's clock; null when the agency runs on the product's clock.</param>
/// <param name="PolicyVersion">Version of the agency's policy (overbooking, cooling-off, holidays) that the caller has seen.</param>
/// <param name="ValidateOnly">Decide and answer as if done, but record nothing.</param>
/// <param name="ExpectedVersion">The version an etag names; another current version refuses with ETAG_MISMATCH.</param>
/// <param name="TraceId">W3C trace id, for the event's envelope.</param>
/// <param name="Cause">The event that led to this call (a saga's step), for the event's envelope.</param>
[GenerateSerializer, Immutable, Alias("call")]
public sealed record Call(
    AgencyId Agency,
    string Actor,
    Guid? Request = null,
    string RequestHash = "",
    Instant? SandboxNow = null,
    long PolicyVersion = 0,
    bool ValidateOnly = false,
    long? ExpectedVersion = null,
    string? TraceId = null,
    Guid? Cause = null)
{
    /// <summary>The same call as the next step of a saga: the actor, agency and clock stay; the request id does not.</summary>
    public Call AsStep(Guid? cause = null) =>
        this with { Request = null, RequestHash = "", ValidateOnly = false, ExpectedVersion = null, Cause = cause ?? Cause };
}

/// <summary>What a read carries. <see cref="ReadTime"/> asks for what was recorded by that instant; <see cref="MinVersion"/> makes a lagging reader wait.</summary>
/// <param name="PolicyVersion">Version of the agency's policy that the reader has seen: reports of capacity are computed under it, noted by the CMO or not.</param>
[GenerateSerializer, Immutable, Alias("read")]
public sealed record Read(AgencyId Agency, Instant? SandboxNow = null, Instant? ReadTime = null, long? MinVersion = null, long PolicyVersion = 0);

/// <summary>What every view of an aggregate carries beside its content.</summary>
/// <param name="Version">Number of the aggregate's last event; its etag is derived from it.</param>
/// <param name="Uid">Id of the aggregate's first event: never reused, even if the name were.</param>
[GenerateSerializer, Immutable, Alias("meta")]
public sealed record Meta(long Version, Guid Uid, Instant CreatedAt, Instant UpdatedAt);

/// <summary>A grain's answer: a value with its meta, or a rejection.</summary>
[GenerateSerializer, Immutable, Alias("reply`1")]
public sealed record Reply<T>(T? Value, Meta? Meta, Rejection? Rejection)
{
    public static Reply<T> Ok(T value, Meta meta) => new(value, meta, null);

    public static Reply<T> No(Rejection rejection) => new(default, null, rejection);
}

/// <summary>
/// The outcome is unknown or nothing could be read: storage or cluster trouble. Answered as UNAVAILABLE; the caller retries
/// with the same request id. Plain text only, so that it crosses silos.
/// </summary>
[GenerateSerializer, Alias("unavailable")]
public sealed class UnavailableException(string message) : Exception(message);

/// <summary>The one command that cannot be stored (answered as INTERNAL). Its neighbours are answered as usual.</summary>
[GenerateSerializer, Alias("unstorable")]
public sealed class UnstorableException(string message) : Exception(message);
