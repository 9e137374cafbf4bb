using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace AgencyPlatform.Domain;

/// <summary>
/// A strongly typed id: <c>[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?</c>, chosen by the caller on create or derived from the
/// request id, unique within its agency and kind.
/// </summary>
public interface IId<TSelf> where TSelf : struct, IId<TSelf>
{
    string Value { get; }

    /// <summary>Wraps a value that is known to be valid (already parsed, or read back from the journal).</summary>
    static abstract TSelf Of(string value);
}

/// <summary>The one syntax of ids.</summary>
public static class IdSyntax
{
    public const int MaxLength = 63;

    /// <summary>What a caller is told when an id is malformed.</summary>
    public const string Rule = "1 to 63 of a-z, 0-9 and '-', beginning and ending with a letter or digit";

    public static bool IsValid([NotNullWhen(true)] string? value)
    {
        if (value is not { Length: > 0 and <= MaxLength } || value[0] == '-' || value[^1] == '-')
        {
            return false;
        }

        foreach (var c in value)
        {
            if (c is not ((>= 'a' and <= 'z') or (>= '0' and <= '9') or '-'))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The id an object gets when the caller left it empty: a retried create finds the same object.</summary>
    public static string FromRequestId(Guid requestId) => requestId.ToString("n");

    /// <summary>Of the same text always the same: the request id of a saga's step, which counts once however often the step is done.</summary>
    public static Guid GuidOf(string text) => new(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 16));

    /// <summary>An id that is put together of others, or, where it would be too long, what stands for it.</summary>
    public static string Fitting(string id) => id.Length <= MaxLength ? id : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id)))[..MaxLength];
}

[GenerateSerializer, Immutable, Alias("id.agency")]
public readonly record struct AgencyId([property: Id(0)] string Value) : IId<AgencyId>, IComparable<AgencyId>
{
    public static AgencyId Of(string value) => new(value);
    public int CompareTo(AgencyId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

[GenerateSerializer, Immutable, Alias("id.legal-entity")]
public readonly record struct LegalEntityId([property: Id(0)] string Value) : IId<LegalEntityId>, IComparable<LegalEntityId>
{
    public static LegalEntityId Of(string value) => new(value);
    public int CompareTo(LegalEntityId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

[GenerateSerializer, Immutable, Alias("id.client-company")]
public readonly record struct ClientCompanyId([property: Id(0)] string Value) : IId<ClientCompanyId>, IComparable<ClientCompanyId>
{
    public static ClientCompanyId Of(string value) => new(value);
    public int CompareTo(ClientCompanyId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

[GenerateSerializer, Immutable, Alias("id.cmo")]
public readonly record struct CmoId([property: Id(0)] string Value) : IId<CmoId>, IComparable<CmoId>
{
    public static CmoId Of(string value) => new(value);
    public int CompareTo(CmoId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

/// <summary>A person of the people vault. A CMO's person, a contact's, a member's.</summary>
[GenerateSerializer, Immutable, Alias("id.person")]
public readonly record struct PersonId([property: Id(0)] string Value) : IId<PersonId>, IComparable<PersonId>
{
    public static PersonId Of(string value) => new(value);
    public int CompareTo(PersonId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

[GenerateSerializer, Immutable, Alias("id.booking")]
public readonly record struct BookingId([property: Id(0)] string Value) : IId<BookingId>, IComparable<BookingId>
{
    public static BookingId Of(string value) => new(value);
    public int CompareTo(BookingId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

/// <summary>Of a request that waits for any of several CMOs. Its entries on their lists, and the hold that one of them offers, have the same id.</summary>
[GenerateSerializer, Immutable, Alias("id.capacity-request")]
public readonly record struct CapacityRequestId([property: Id(0)] string Value) : IId<CapacityRequestId>, IComparable<CapacityRequestId>
{
    public static CapacityRequestId Of(string value) => new(value);
    public int CompareTo(CapacityRequestId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;

    /// <summary>Of its entries and its hold.</summary>
    public BookingId Booking => new(Value);
}

[GenerateSerializer, Immutable, Alias("id.time-off")]
public readonly record struct TimeOffId([property: Id(0)] string Value) : IId<TimeOffId>, IComparable<TimeOffId>
{
    public static TimeOffId Of(string value) => new(value);
    public int CompareTo(TimeOffId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

[GenerateSerializer, Immutable, Alias("id.engagement")]
public readonly record struct EngagementId([property: Id(0)] string Value) : IId<EngagementId>, IComparable<EngagementId>
{
    public static EngagementId Of(string value) => new(value);
    public int CompareTo(EngagementId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

[GenerateSerializer, Immutable, Alias("id.time-entry")]
public readonly record struct TimeEntryId([property: Id(0)] string Value) : IId<TimeEntryId>, IComparable<TimeEntryId>
{
    public static TimeEntryId Of(string value) => new(value);
    public int CompareTo(TimeEntryId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

[GenerateSerializer, Immutable, Alias("id.invoice")]
public readonly record struct InvoiceId([property: Id(0)] string Value) : IId<InvoiceId>, IComparable<InvoiceId>
{
    public static InvoiceId Of(string value) => new(value);
    public int CompareTo(InvoiceId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

[GenerateSerializer, Immutable, Alias("id.invoice-series")]
public readonly record struct InvoiceSeriesId([property: Id(0)] string Value) : IId<InvoiceSeriesId>, IComparable<InvoiceSeriesId>
{
    public static InvoiceSeriesId Of(string value) => new(value);
    public int CompareTo(InvoiceSeriesId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

/// <summary>Of a payment received or a refund paid.</summary>
[GenerateSerializer, Immutable, Alias("id.payment")]
public readonly record struct PaymentId([property: Id(0)] string Value) : IId<PaymentId>, IComparable<PaymentId>
{
    public static PaymentId Of(string value) => new(value);
    public int CompareTo(PaymentId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

[GenerateSerializer, Immutable, Alias("id.api-key")]
public readonly record struct ApiKeyId([property: Id(0)] string Value) : IId<ApiKeyId>, IComparable<ApiKeyId>
{
    public static ApiKeyId Of(string value) => new(value);
    public int CompareTo(ApiKeyId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

/// <summary>Of an endpoint that an agency's events are delivered to.</summary>
[GenerateSerializer, Immutable, Alias("id.webhook")]
public readonly record struct WebhookId([property: Id(0)] string Value) : IId<WebhookId>, IComparable<WebhookId>
{
    public static WebhookId Of(string value) => new(value);
    public int CompareTo(WebhookId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

/// <summary>Of a person who speaks for a CMO; unique within the CMO.</summary>
[GenerateSerializer, Immutable, Alias("id.cmo-reference")]
public readonly record struct CmoReferenceId([property: Id(0)] string Value) : IId<CmoReferenceId>, IComparable<CmoReferenceId>
{
    public static CmoReferenceId Of(string value) => new(value);
    public int CompareTo(CmoReferenceId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

/// <summary>Of a company that asks for help: what it needs, until it becomes an engagement.</summary>
[GenerateSerializer, Immutable, Alias("id.intake")]
public readonly record struct IntakeId([property: Id(0)] string Value) : IId<IntakeId>, IComparable<IntakeId>
{
    public static IntakeId Of(string value) => new(value);
    public int CompareTo(IntakeId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

/// <summary>Of several CMOs held as alternatives for one need.</summary>
[GenerateSerializer, Immutable, Alias("id.shortlist")]
public readonly record struct ShortlistId([property: Id(0)] string Value) : IId<ShortlistId>, IComparable<ShortlistId>
{
    public static ShortlistId Of(string value) => new(value);
    public int CompareTo(ShortlistId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

/// <summary>Writes an id as its bare string, as a value and as a dictionary key.</summary>
internal sealed class IdJsonConverterFactory : JsonConverterFactory
{
    public override bool CanConvert(Type type) =>
        type.IsValueType && type.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IId<>));

    public override JsonConverter CreateConverter(Type type, JsonSerializerOptions options) =>
        (JsonConverter)Activator.CreateInstance(typeof(IdJsonConverter<>).MakeGenericType(type))!;

    private sealed class IdJsonConverter<TId> : JsonConverter<TId> where TId : struct, IId<TId>
    {
        public override TId Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) => TId.Of(reader.GetString()!);

        public override void Write(Utf8JsonWriter writer, TId value, JsonSerializerOptions options) => writer.WriteStringValue(value.Value);

        public override TId ReadAsPropertyName(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) => TId.Of(reader.GetString()!);

        public override void WriteAsPropertyName(Utf8JsonWriter writer, TId value, JsonSerializerOptions options) => writer.WritePropertyName(value.Value);
    }
}

/// <summary>A part of an engagement's terms that is charged by itself: a milestone, a prepaid block, a discount, a minimum commitment. Unique within its engagement and kind.</summary>
[GenerateSerializer, Immutable, Alias("id.terms-part")]
public readonly record struct PartId([property: Id(0)] string Value) : IId<PartId>, IComparable<PartId>
{
    public static PartId Of(string value) => new(value);
    public int CompareTo(PartId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}
