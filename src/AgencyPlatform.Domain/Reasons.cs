namespace AgencyPlatform.Domain;

/// <summary>Every reason that a refusal can name on the wire. docs/errors.md explains each; a test compares the two.</summary>
public static partial class Reasons
{
    public const string InvalidArgument = "INVALID_ARGUMENT";
    public const string NotFound = "NOT_FOUND";
    public const string AlreadyExists = "ALREADY_EXISTS";
    public const string EtagMismatch = "ETAG_MISMATCH";
    public const string RequestIdReused = "REQUEST_ID_REUSED";
}
