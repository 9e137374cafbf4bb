using System.Collections.Immutable;

namespace AgencyPlatform.Domain;

/// <summary>The kinds of refusal, each with its own status on the wire (see docs/errors.md).</summary>
public enum RejectionKind
{
    /// <summary>A rule of the domain says no: FAILED_PRECONDITION.</summary>
    Rule,

    /// <summary>The command itself is wrong, field by field: INVALID_ARGUMENT.</summary>
    Invalid,

    /// <summary>Not there, or another agency's: NOT_FOUND.</summary>
    NotFound,

    /// <summary>Already there: ALREADY_EXISTS.</summary>
    AlreadyExists,

    /// <summary>The caller's etag is stale: ABORTED.</summary>
    Stale,
}

/// <summary>One bad field: its path in the request (<c>booking.steps[1].end_date</c>) and what would be right.</summary>
[GenerateSerializer, Immutable, Alias("field-violation")]
public sealed record FieldViolation(string Field, string Description);

/// <summary>
/// Why a command was refused. <see cref="Reason"/> is a stable UPPER_SNAKE word of <see cref="Reasons"/>,
/// <see cref="Message"/> says for people what happened, which value, what to do; <see cref="Metadata"/> carries the numbers.
/// </summary>
[GenerateSerializer, Immutable, Alias("rejection")]
public sealed record Rejection(RejectionKind Kind, string Reason, string Message, ImmutableSortedDictionary<string, string> Metadata, ImmutableArray<FieldViolation> Fields)
{
    /// <summary>A rule's refusal. Metadata keys are lower_snake.</summary>
    public static Rejection Rule(string reason, string message, params ReadOnlySpan<(string Key, string Value)> metadata) =>
        new(RejectionKind.Rule, reason, message, Map(metadata), []);

    public static Rejection Invalid(params ReadOnlySpan<FieldViolation> fields) =>
        new(RejectionKind.Invalid, Reasons.InvalidArgument, string.Join(" ", fields.ToArray().Select(f => $"{f.Field}: {f.Description}.")), ImmutableSortedDictionary<string, string>.Empty, [.. fields]);

    /// <param name="type">The resource's type, for example <c>engagement</c>.</param>
    /// <param name="name">Its id or resource name as the caller gave it.</param>
    public static Rejection NotFound(string type, string name) =>
        new(RejectionKind.NotFound, Reasons.NotFound, $"There is no {type} '{name}'.", Map([("resource_type", type), ("resource_name", name)]), []);

    public static Rejection AlreadyExists(string type, string name) =>
        new(RejectionKind.AlreadyExists, Reasons.AlreadyExists, $"There is {(type[0] is 'a' or 'e' or 'i' or 'o' ? "an" : "a")} {type} '{name}' already.", Map([("resource_type", type), ("resource_name", name)]), []);

    public static Rejection Stale(string expected, string actual) =>
        new(RejectionKind.Stale, Reasons.EtagMismatch, $"The etag {expected} is not the current one, {actual}: read again and decide again.", Map([("expected", expected), ("actual", actual)]), []);

    private static ImmutableSortedDictionary<string, string> Map(ReadOnlySpan<(string Key, string Value)> metadata)
    {
        var map = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in metadata)
        {
            map[key] = value;
        }

        return map.ToImmutable();
    }
}
