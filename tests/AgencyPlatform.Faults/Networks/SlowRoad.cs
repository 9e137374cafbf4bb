using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace AgencyPlatform.Faults.Networks;

/// <summary>
/// A network device of this process's own (TUN): a packet that is routed into it comes out of it again later, or never. It does what <c>tc netem</c>
/// does, for kernels that are built without it.
/// </summary>
internal sealed class SlowRoad : IDisposable
{
    private const int ReadWrite = 2;
    private const int NameLength = 16;
    private const nuint SetDevice = 0x400454ca;
    private const short PacketsOnly = 0x0001 | 0x1000;

    private readonly FileStream _packets;
    private readonly TimeSpan _least;
    private readonly TimeSpan _most;
    private readonly double _loss;
    private readonly CancellationTokenSource _stop = new();
    private long _late;
    private long _lost;

    public SlowRoad(string device, TimeSpan least, TimeSpan most, double loss)
    {
        (Device, _least, _most, _loss) = (device, least, most, loss);
        var handle = new SafeFileHandle(Open("/dev/net/tun", ReadWrite), ownsHandle: true);
        var request = new byte[40];
        Encoding.ASCII.GetBytes(device).CopyTo(request, 0);
        BitConverter.GetBytes(PacketsOnly).CopyTo(request, NameLength);
        if (handle.IsInvalid || Control(handle, SetDevice, request) != 0)
        {
            throw new InvalidOperationException($"A TUN device cannot be made: error {Marshal.GetLastPInvokeError()}");
        }

        _packets = new FileStream(handle, FileAccess.ReadWrite, bufferSize: 0);
        new Thread(Read) { IsBackground = true, Name = device }.Start();
    }

    public string Device { get; }

    public long Late => Interlocked.Read(ref _late);

    public long Lost => Interlocked.Read(ref _lost);

    public void Dispose()
    {
        _stop.Cancel();
        _packets.Dispose();
        _stop.Dispose();
    }

    private void Read()
    {
        var buffer = new byte[65_536];
        try
        {
            while (_packets.Read(buffer) is > 0 and var length)
            {
                if (Random.Shared.NextDouble() < _loss)
                {
                    Interlocked.Increment(ref _lost);
                }
                else
                {
                    Interlocked.Increment(ref _late);
                    _ = Later(buffer[..length], _stop.Token);
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or UnauthorizedAccessException)
        {
            // The device is gone with its namespace.
        }
    }

    private async Task Later(byte[] packet, CancellationToken stop)
    {
        try
        {
            await Task.Delay(_least + Random.Shared.NextDouble() * (_most - _least), TimeProvider.System, stop);
            await _packets.WriteAsync(packet, stop);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The device is gone: so is the packet.
        }
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true, CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern int Open(string path, int flags);

    [DllImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static extern int Control(SafeFileHandle file, nuint request, byte[] argument);
}
