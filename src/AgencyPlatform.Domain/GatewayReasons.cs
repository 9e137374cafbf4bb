namespace AgencyPlatform.Domain;

public static partial class Reasons
{
    /// <summary>No key, or none that is good: unknown, expired, revoked. Send <c>authorization: Bearer {key}</c> with a live key.</summary>
    public const string Unauthenticated = "UNAUTHENTICATED";

    /// <summary>The key's roles do not allow this method. Use a key with another role.</summary>
    public const string PermissionDenied = "PERMISSION_DENIED";

    /// <summary>The agency is over its limit of concurrent calls or of calls a second, or the address has tried too many bad keys. Wait as RetryInfo says and repeat with the same request id.</summary>
    public const string RateLimited = "RATE_LIMITED";

    /// <summary>There is no such method of the JSON API.</summary>
    public const string NoSuchMethod = "NO_SUCH_METHOD";

    /// <summary>The request has more bytes than the service takes. Send less at once; a repeat is refused too.</summary>
    public const string RequestTooLarge = "REQUEST_TOO_LARGE";

    /// <summary>Storage or cluster trouble: the outcome is unknown. Repeat with the same request id after RetryInfo's delay.</summary>
    public const string Unavailable = "UNAVAILABLE";

    /// <summary>The cursor is of another epoch of the feed (after a restore), or ahead of it. Metadata: epoch, sequence. Start again from the beginning.</summary>
    public const string CursorOutOfRange = "CURSOR_OUT_OF_RANGE";
}
