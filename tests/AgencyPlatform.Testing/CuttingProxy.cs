using System.Net;
using System.Net.Sockets;

namespace AgencyPlatform.Testing;

/// <summary>A TCP proxy that can lose a connection at a chosen moment. What was cut is closed on both sides; the next connection is whole.</summary>
public sealed class CuttingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly int _target;
    private readonly Task _accepting;
    private int _cutRequest = -1;
    private int _cutAnswer;
    private int _cuts;

    /// <param name="target">The port of the server, on loopback.</param>
    /// <param name="listen">Where it listens; null: on loopback.</param>
    public CuttingProxy(int target, IPAddress? listen = null)
    {
        _target = target;
        _listener = new TcpListener(listen ?? IPAddress.Loopback, 0);
        _listener.Start();
        _accepting = Accept();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>How many connections were cut.</summary>
    public int Cuts => Volatile.Read(ref _cuts);

    /// <summary>Of what a client sends next, so many bytes arrive at the server; then the connection is lost.</summary>
    public void CutRequest(int after) => Volatile.Write(ref _cutRequest, after);

    /// <summary>What a client sends next arrives; the server's answer to it does not, the connection is lost instead.</summary>
    public void CutAnswer() => Volatile.Write(ref _cutAnswer, 1);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
    }

    private async Task Accept()
    {
        try
        {
            while (true)
            {
                _ = Serve(await _listener.AcceptTcpClientAsync(_stop.Token));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Stopped.
        }
    }

    private async Task Serve(TcpClient client)
    {
        using var server = new TcpClient();
        using (client)
        {
            try
            {
                await server.ConnectAsync(IPAddress.Loopback, _target, _stop.Token);
                (client.NoDelay, server.NoDelay) = (true, true);
                await Task.WhenAny(Pump(client.GetStream(), server.GetStream(), requests: true), Pump(server.GetStream(), client.GetStream(), requests: false));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or IOException)
            {
                // Either side is gone: both are closed.
            }
        }
    }

    private async Task Pump(NetworkStream from, NetworkStream to, bool requests)
    {
        var buffer = new byte[64 * 1024];
        var left = -1;
        try
        {
            while (await from.ReadAsync(buffer, _stop.Token) is > 0 and var count)
            {
                if (requests)
                {
                    if (left < 0)
                    {
                        left = Interlocked.Exchange(ref _cutRequest, -1);
                    }

                    if (left >= 0 && count >= left)
                    {
                        await to.WriteAsync(buffer.AsMemory(0, left), _stop.Token);
                        Interlocked.Increment(ref _cuts);
                        return;
                    }

                    left = left >= 0 ? left - count : left;
                }
                else if (Interlocked.Exchange(ref _cutAnswer, 0) == 1)
                {
                    Interlocked.Increment(ref _cuts);
                    return;
                }

                await to.WriteAsync(buffer.AsMemory(0, count), _stop.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // Either side is gone.
        }
    }
}
