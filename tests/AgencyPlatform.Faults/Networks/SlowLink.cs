using System.Net;
using System.Net.Sockets;

namespace AgencyPlatform.Faults.Networks;

/// <summary>A TCP proxy that lets so few bytes a second come back from a server.</summary>
internal sealed class SlowLink : IAsyncDisposable
{
    private const int Slice = 4_096;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly int _target;
    private readonly TimeSpan _pause;
    private readonly Task _accepting;
    private long _carried;

    /// <param name="target">The server's port, on loopback.</param>
    /// <param name="bytesPerSecond">On each connection.</param>
    public SlowLink(int target, int bytesPerSecond)
    {
        (_target, _pause) = (target, TimeSpan.FromSeconds((double)Slice / bytesPerSecond));
        _listener.Start();
        _accepting = Accept();
    }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    /// <summary>Bytes that came back.</summary>
    public long Carried => Interlocked.Read(ref _carried);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
    }

    private async Task Accept()
    {
        var running = new List<Task>();
        try
        {
            while (true)
            {
                running.Add(Carry(await _listener.AcceptTcpClientAsync(_stop.Token)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(running);
        }
    }

    private async Task Carry(TcpClient client)
    {
        // Small buffers: the server is to feel it.
        using var server = new TcpClient { ReceiveBufferSize = Slice, NoDelay = true };
        using (client)
        {
            client.SendBufferSize = Slice;
            try
            {
                await server.ConnectAsync(IPAddress.Loopback, _target, _stop.Token);
                await Task.WhenAny(client.GetStream().CopyToAsync(server.GetStream(), _stop.Token), Back(server.GetStream(), client.GetStream()));
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
            {
                // One side has gone.
            }
        }
    }

    private async Task Back(NetworkStream from, NetworkStream to)
    {
        var buffer = new byte[Slice];
        while (await from.ReadAsync(buffer, _stop.Token) is > 0 and var count)
        {
            await to.WriteAsync(buffer.AsMemory(0, count), _stop.Token);
            Interlocked.Add(ref _carried, count);
            await Task.Delay(_pause, TimeProvider.System, _stop.Token);
        }
    }
}
