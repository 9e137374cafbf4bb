using System.Net.Sockets;

namespace AgencyPlatform.Faults.Hostility;

/// <summary>A connection of someone who does not keep to any protocol. That it is cut, at any time, is what is expected.</summary>
internal sealed class Stranger : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);
    private readonly TcpClient _connection = new() { NoDelay = true };

    /// <summary>Connects; what does not fit into the server's queue is tried again by TCP.</summary>
    public static async Task<Stranger> Connect(Uri address)
    {
        var stranger = new Stranger();
        try
        {
            await stranger._connection.ConnectAsync(address.Host, address.Port).WaitAsync(s_patience);
        }
        catch (Exception e) when (e is SocketException or TimeoutException)
        {
            // Turned away.
        }

        return stranger;
    }

    /// <summary>Sends; false once the other side has had enough.</summary>
    public async Task<bool> Send(ReadOnlyMemory<byte> bytes)
    {
        using var patience = new CancellationTokenSource(s_patience, TimeProvider.System);
        try
        {
            await _connection.GetStream().WriteAsync(bytes, patience.Token);
            return true;
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or OperationCanceledException or ObjectDisposedException)
        {
            return false;
        }
    }

    /// <summary>Reads until the other side closes, for a bounded time; how much came.</summary>
    public async Task<long> ReadAll(TimeSpan patience)
    {
        using var bounded = new CancellationTokenSource(patience, TimeProvider.System);
        var (buffer, all) = (new byte[16_384], 0L);
        try
        {
            while (await _connection.GetStream().ReadAsync(buffer, bounded.Token) is > 0 and var count)
            {
                all += count;
            }
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or OperationCanceledException or ObjectDisposedException)
        {
            // Cut, or nothing more comes.
        }

        return all;
    }

    public void Dispose() => _connection.Dispose();
}
