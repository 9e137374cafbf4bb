using System.Buffers.Binary;
using System.Text;

namespace AgencyPlatform.Faults.Hostility;

/// <summary>Frames of HTTP/2 (RFC 9113), written by hand: what no library would send.</summary>
internal static class Frames
{
    public const byte Data = 0;
    public const byte Headers = 1;
    public const byte Reset = 3;
    public const byte Settings = 4;
    public const byte Ping = 6;
    public const byte Continuation = 9;

    public const byte EndStream = 1;
    public const byte EndHeaders = 4;

    public static byte[] Preface { get; } = Encoding.ASCII.GetBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

    /// <summary>The preface and settings; a window of 0 bytes is one through which no reply fits.</summary>
    public static byte[] Hello(uint window = 65_535)
    {
        var setting = new byte[6];
        setting[1] = 4;
        BinaryPrimitives.WriteUInt32BigEndian(setting.AsSpan(2), window);
        return [.. Preface, .. Of(Settings, 0, 0, setting)];
    }

    /// <param name="says">The length that the frame says it has; null: the true one.</param>
    public static byte[] Of(byte type, byte flags, uint stream, ReadOnlySpan<byte> content, int? says = null)
    {
        // Three bytes of length, and the type.
        var frame = new byte[9 + content.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, ((says ?? content.Length) << 8) | type);
        frame[4] = flags;
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(5), stream);
        content.CopyTo(frame.AsSpan(9));
        return frame;
    }

    /// <summary>The headers of a gRPC call, as literals that no table remembers.</summary>
    public static byte[] Call(string path, string key) =>
    [
        .. Field(":method", "POST"), .. Field(":scheme", "http"), .. Field(":path", path), .. Field(":authority", "localhost"),
        .. Field("content-type", "application/grpc"), .. Field("te", "trailers"), .. Field("authorization", "Bearer " + key),
    ];

    /// <summary>A header of HPACK (RFC 7541, 6.2.2).</summary>
    public static byte[] Field(string name, string value) => [0, .. Text(name), .. Text(value)];

    /// <summary>A message as gRPC sends it.</summary>
    /// <param name="says">The length that it says it has; null: the true one.</param>
    public static byte[] Message(byte[] message, uint? says = null)
    {
        var prefixed = new byte[5 + message.Length];
        BinaryPrimitives.WriteUInt32BigEndian(prefixed.AsSpan(1), says ?? (uint)message.Length);
        message.CopyTo(prefixed, 5);
        return prefixed;
    }

    private static byte[] Text(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var length = new List<byte>();
        if (bytes.Length < 127)
        {
            length.Add((byte)bytes.Length);
        }
        else
        {
            length.Add(127);
            var rest = bytes.Length - 127;
            for (; rest >= 128; rest >>= 7)
            {
                length.Add((byte)(rest % 128 + 128));
            }

            length.Add((byte)rest);
        }

        return [.. length, .. bytes];
    }
}
