using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace AgencyPlatform.Faults.Networks;

/// <summary>
/// Stands between clients and one gateway and passes bytes on. What the gateway sends can be held back, all of it and on every connection; then it is
/// let through in its order, or lost with its connection. What clients send always arrives.
/// </summary>
internal sealed class ReplyProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly IPEndPoint _gateway;
    private readonly Task _accepting;
    private readonly Lock _gate = new();
    private readonly HashSet<Way> _open = [];
    private TaskCompletionSource _through = new();
    private long _held;

    public ReplyProxy(IPEndPoint gateway)
    {
        _gateway = gateway;
        _through.SetResult();
        _listener.Start();
        _accepting = Accept();
    }

    public Uri Address => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}"));

    /// <summary>Bytes of replies that were held back so far.</summary>
    public long Held => Interlocked.Read(ref _held);

    /// <summary>From now on no reply comes through.</summary>
    public void Hold()
    {
        lock (_gate)
        {
            _through = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>What was held back comes through.</summary>
    public void Release() => _through.TrySetResult();

    /// <summary>What was held back is lost: the connections are cut, on both sides. New ones are whole. How many were cut.</summary>
    public int Lose()
    {
        List<Way> lost;
        lock (_gate)
        {
            lost = [.. _open];
            lost.ForEach(way => way.Cut());
        }

        Release();
        return lost.Count;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        Lose();
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
        using var way = new Way(client);
        lock (_gate)
        {
            _open.Add(way);
        }

        try
        {
            await way.Server.ConnectAsync(_gateway, _stop.Token);
            (client.NoDelay, way.Server.NoDelay) = (true, true);
            await Task.WhenAny(Pump(way, client.GetStream(), way.Server.GetStream(), replies: false), Pump(way, way.Server.GetStream(), client.GetStream(), replies: true));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            // Either side is gone: both are closed.
        }
        finally
        {
            lock (_gate)
            {
                _open.Remove(way);
            }
        }
    }

    private async Task Pump(Way way, NetworkStream from, NetworkStream to, bool replies)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReadAsync(buffer, _stop.Token) is > 0 and var count)
            {
                if (replies && Through() is { IsCompleted: false } through)
                {
                    Interlocked.Add(ref _held, count);
                    await through;
                    if (way.IsCut)
                    {
                        return;
                    }
                }

                await to.WriteAsync(buffer.AsMemory(0, count), _stop.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // Either side is gone.
        }
    }

    private Task Through()
    {
        lock (_gate)
        {
            return _through.Task;
        }
    }

    /// <summary>One client's connection, and that to the gateway.</summary>
    private sealed class Way(TcpClient client) : IDisposable
    {
        public TcpClient Server { get; } = new();

        public bool IsCut { get; private set; }

        public void Cut()
        {
            IsCut = true;
            Dispose();
        }

        public void Dispose()
        {
            client.Dispose();
            Server.Dispose();
        }
    }
}
