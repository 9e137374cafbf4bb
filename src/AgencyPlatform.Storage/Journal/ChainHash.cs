using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using AgencyPlatform.Contracts.Journal;
using NodaTime.Text;

namespace AgencyPlatform.Storage.Journal;

/// <summary>
/// The hash of an event: SHA-256 over the fields below, in this order, each written as its length in bytes (4 bytes, big-endian)
/// and its bytes; a field that is absent is the length FFFFFFFF and nothing else. Texts are UTF-8, numbers 8 bytes big-endian,
/// instants 100 ns ticks since 1970-01-01T00:00Z, dates ISO texts, ids of events and requests 16 bytes big-endian.
/// <list type="number">
/// <item><c>agencyplatform.event/1</c></item>
/// <item>hash of the agency's event before it (empty for the first)</item>
/// <item>agency, kind, aggregate id, version, sequence</item>
/// <item>event id, name, schema version, payload</item>
/// <item>occurred at, recorded at, legal entity, posting date</item>
/// <item>actor, request id, request hash, request version, cause, trace id</item>
/// </list>
/// So no field of a stored event can change, and no event can be removed or inserted, without breaking the chain behind it.
/// Not safe for concurrent use.
/// </summary>
internal sealed class ChainHash
{
    private static readonly byte[] s_format = "agencyplatform.event/1"u8.ToArray();
    private readonly ArrayBufferWriter<byte> _buffer = new(4096);

    public byte[] Of(AggregateKey key, NewEvent e, long version, long sequence, long recordedAt, byte[] previous)
    {
        _buffer.ResetWrittenCount();
        Bytes(s_format);
        Bytes(previous);
        Text(key.Agency.Value);
        Text(key.Kind);
        Text(key.Id);
        Number(version);
        Number(sequence);
        Id(e.Id);
        Text(e.Name);
        Number(e.SchemaVersion);
        Bytes(e.Payload);
        Number(e.OccurredAt.ToUnixTimeTicks());
        Number(recordedAt);
        Text(e.LegalEntity?.Value);
        Text(e.PostingDate is { } date ? LocalDatePattern.Iso.Format(date) : null);
        Text(e.Actor);
        Id(e.Request);
        Text(e.RequestHash);
        Number(e.RequestVersion);
        Id(e.Cause);
        Text(e.TraceId);
        return SHA256.HashData(_buffer.WrittenSpan);
    }

    private void Bytes(ReadOnlySpan<byte> bytes)
    {
        BinaryPrimitives.WriteInt32BigEndian(_buffer.GetSpan(4), bytes.Length);
        _buffer.Advance(4);
        _buffer.Write(bytes);
    }

    private void Text(string? text)
    {
        if (text is null)
        {
            Absent();
            return;
        }

        var length = Encoding.UTF8.GetByteCount(text);
        BinaryPrimitives.WriteInt32BigEndian(_buffer.GetSpan(4), length);
        _buffer.Advance(4);
        _buffer.Advance(Encoding.UTF8.GetBytes(text, _buffer.GetSpan(length)));
    }

    private void Number(long number)
    {
        var span = _buffer.GetSpan(12);
        BinaryPrimitives.WriteInt32BigEndian(span, 8);
        BinaryPrimitives.WriteInt64BigEndian(span[4..], number);
        _buffer.Advance(12);
    }

    private void Id(Guid? id)
    {
        if (id is not { } value)
        {
            Absent();
            return;
        }

        var span = _buffer.GetSpan(20);
        BinaryPrimitives.WriteInt32BigEndian(span, 16);
        value.TryWriteBytes(span[4..], bigEndian: true, out _);
        _buffer.Advance(20);
    }

    private void Absent()
    {
        BinaryPrimitives.WriteInt32BigEndian(_buffer.GetSpan(4), -1);
        _buffer.Advance(4);
    }
}
