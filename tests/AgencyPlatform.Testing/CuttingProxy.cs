using System.Net;
using System.Net.Sockets;

namespace AgencyPlatform.Testing;

/// <summary>
/// A TCP proxy that can lose a connection at a chosen moment. What was cut is closed on both sides; what was silenced stays open on both and carries
/// nothing any more; the next connection is whole.
/// </summary>
public sealed class CuttingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private CancellationTokenSource _whole = new();
    private volatile bool _silent;
    private volatile int _target;
    private int _cutRequest = -1;
    private int _cutAnswer;
    private int _cuts;
    private int _accepted;

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

    /// <summary>How many connections came in so far.</summary>
    public int Accepted => Volatile.Read(ref _accepted);

    /// <summary>Where new connections lead.</summary>
    public int Target
    {
        get => _target;
        set => _target = value;
    }

    /// <summary>Loses every connection there is.</summary>
    public Task CutAll() => Part(silent: false);

    /// <summary>From now on every connection there is carries nothing any more, and neither side is told.</summary>
    public Task SilenceAll() => Part(silent: true);

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
        _whole.Dispose();
    }

    private async Task Part(bool silent)
    {
        _silent = silent;
        using var before = Interlocked.Exchange(ref _whole, new CancellationTokenSource());
        await before.CancelAsync();
    }

    private async Task Accept()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                Interlocked.Increment(ref _accepted);
                _ = Serve(client);
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
        using var parted = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, _whole.Token);
        using (client)
        {
            try
            {
                await server.ConnectAsync(IPAddress.Loopback, _target, parted.Token);
                (client.NoDelay, server.NoDelay) = (true, true);
                await Task.WhenAny(Pump(client.GetStream(), server.GetStream(), requests: true, parted.Token), Pump(server.GetStream(), client.GetStream(), requests: false, parted.Token));
                if (parted.IsCancellationRequested)
                {
                    Interlocked.Increment(ref _cuts);
                    if (_silent)
                    {
                        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, _stop.Token);
                    }
                }
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or IOException)
            {
                // Either side is gone: both are closed.
            }
        }
    }

    private async Task Pump(NetworkStream from, NetworkStream to, bool requests, CancellationToken parted)
    {
        var buffer = new byte[64 * 1024];
        var left = -1;
        try
        {
            while (await from.ReadAsync(buffer, parted) is > 0 and var count)
            {
                if (requests)
                {
                    if (left < 0)
                    {
                        left = Interlocked.Exchange(ref _cutRequest, -1);
                    }

                    if (left >= 0 && count >= left)
                    {
                        await to.WriteAsync(buffer.AsMemory(0, left), parted);
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

                await to.WriteAsync(buffer.AsMemory(0, count), parted);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // Either side is gone.
        }
    }
}
